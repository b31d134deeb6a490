"""scikit-learn's own checks, for every estimator of the guide."""

from sklearn.utils.estimator_checks import check_estimator


def failed_checks(estimator, at_least):
    """Return why each failed check failed, by name; more than ``at_least`` checks must have passed."""
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert sum(r["status"] == "passed" for r in results) > at_least
    return {r["check_name"]: repr(r["exception"]) for r in results if r["status"] == "failed"}
