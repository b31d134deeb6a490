"""What every estimator does in scikit-learn's company: discovered, so that none is forgotten."""

import importlib
import inspect
import pickle
import pkgutil

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import snippets
from tests.contract.calls import assert_same

RNG = np.random.default_rng(0)
N = 240
Y = np.tile([0, 1, 0], N // 3)
CODES = pd.DataFrame({"ad": RNG.integers(0, 6, N) + 2 * Y, "device": RNG.integers(0, 3, N)})
REAL = pd.DataFrame({"a": RNG.normal(size=N).round(2) + Y, "b": RNG.normal(size=N).round(2)})
TWO = np.column_stack([Y, Y * RNG.integers(0, 2, N)])
DELAY = {"time": RNG.exponential(size=N).round(2) + 0.01}
CLICKS = csr_matrix((RNG.random((30, 8)) < 0.3).astype(float))

# Its input, its target, what else fit needs, and a parameter to search over with two values.
CASES = {
    "CrossNetworkClassifier": (CODES, Y, {}, {"n_factors": [2, 3]}),
    "DelayedFeedbackClassifier": (REAL, Y, DELAY, {"C": [0.1, 1.0]}),
    "FTRLProximal": (REAL, Y, {}, {"l1": [0.0, 0.5]}),
    "FactorizationMachineClassifier": (REAL, Y, {}, {"n_factors": [2, 3]}),
    "GBDTLogisticRegression": (REAL, Y, {}, {"n_estimators": [2, 3]}),
    "ImplicitALS": (CLICKS, None, {}, {"n_factors": [2, 3]}),
    "MultiTaskClassifier": (CODES, TWO, {}, {"n_factors": [2, 3]}),
    "NextItem": (CODES["ad"], CODES["device"], {"time": np.arange(N), "n_items": 3}, {"n_lags": [2, 3]}),
    "SemanticIDs": (REAL, None, {}, {"n_levels": [1, 2]}),
    "SmoothedCTR": (CODES, Y, {}, {"strength": [1.0, 10.0]}),
    "TwoTower": (CODES[["ad"]], CODES[["device"]], {}, {"n_factors": [2, 3]}),
}


def estimators():
    """Yield the estimators of all snippets."""
    for module in pkgutil.walk_packages(snippets.__path__, "snippets."):
        for name, member in vars(importlib.import_module(module.name)).items():
            own = inspect.isclass(member) and member.__module__ == module.name and not name.startswith("_")
            if own and (issubclass(member, BaseEstimator) or hasattr(member, "fit")):
                yield member


ESTIMATORS = sorted(set(estimators()), key=lambda e: e.__name__)
each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.__name__)
CLASSIFIERS = [e for e in ESTIMATORS if issubclass(e, ClassifierMixin)]
each_classifier = pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda e: e.__name__)


def new(estimator, **more):
    """Return an estimator, its random state fixed where it has one."""
    fixed = {"random_state": 0} if "random_state" in inspect.signature(estimator).parameters else {}
    return estimator(**fixed, **more)


def fitted(estimator, X=None):
    """Return an estimator after fit, the arguments of which its case names."""
    X_case, y, more, _ = CASES[estimator.__name__]
    X = X_case if X is None else X
    return new(estimator).fit(X, **more) if y is None else new(estimator).fit(X, y, **more)


def answers(model, X):
    """Return what a fitted model says of X, by each of its methods that takes rows alone."""
    names = ["predict_proba", "decision_function", "transform", "users", "items", "scores", "item_factors_"]
    found = {name: getattr(model, name) for name in names if hasattr(model, name)}
    asked = {"users": CODES[["ad"]], "items": CODES[["device"]], "scores": [[0], [1], [2]]}
    out = {name: np.asarray(m(asked.get(name, X)) if callable(m) else m) for name, m in found.items()}
    assert out
    return out


def test_every_estimator_has_a_case_and_no_case_is_left_over():
    assert sorted(CASES) == [e.__name__ for e in ESTIMATORS]


@each
def test_parameters_are_kept_as_given_and_cloned(estimator):
    (name, (low, high)), *_ = CASES[estimator.__name__][3].items()
    model = new(estimator, **{name: low})
    assert model.get_params()[name] == low
    assert clone(model).set_params(**{name: high}).get_params()[name] == high


@each
def test_before_fit_it_says_so(estimator):
    X = CASES[estimator.__name__][0]
    methods = [
        "predict",
        "predict_proba",
        "decision_function",
        "transform",
        "inverse_transform",
        "users",
        "items",
        "scores",
    ]
    for method in methods:
        if hasattr(estimator, method):
            with pytest.raises(NotFittedError):
                getattr(new(estimator), method)(X)
    if hasattr(estimator, "recommend"):
        with pytest.raises(NotFittedError):
            new(estimator).recommend([0], 1)


@each
def test_fitted_again_and_pickled_it_answers_the_same(estimator):
    X, y, more, _ = CASES[estimator.__name__]
    model = fitted(estimator)
    expected = answers(model, X)
    assert_same(answers(pickle.loads(pickle.dumps(model)), X), expected, 1e-12, "pickled")
    again = model.fit(X, **more) if y is None else model.fit(X, y, **more)
    assert_same(answers(again, X), expected, 1e-12, "fitted twice")


@each
def test_names_of_columns_are_kept_and_another_order_is_refused(estimator):
    X = CASES[estimator.__name__][0]
    if not isinstance(X, pd.DataFrame) or X.shape[1] == 1:
        return
    model = fitted(estimator)
    assert model.feature_names_in_.tolist() == X.columns.tolist()
    assert model.n_features_in_ == X.shape[1]
    method = "transform" if hasattr(model, "transform") else "predict_proba"
    with pytest.raises(ValueError, match="feature names"):
        getattr(model, method)(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="feature"):
        getattr(model, method)(X.iloc[:, :1])


@each
def test_weights_count_rows(estimator):
    if "sample_weight" not in inspect.signature(estimator.fit).parameters:
        return
    X, y, more, _ = CASES[estimator.__name__]
    X, weight = X.to_numpy(), np.ones(N)
    doubled = {name: np.r_[value, value] for name, value in more.items()}
    twice = new(estimator).fit(np.r_[X, X[::-1]], np.r_[y, 1 - y], **doubled, sample_weight=np.r_[weight, 0 * weight])
    assert_same(answers(twice, X), answers(new(estimator).fit(X, y, **more, sample_weight=weight), X), 1e-9, "weight 0")
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=r"(?i)weight"):
            new(estimator).fit(X, y, **more, sample_weight=np.where(np.arange(N) == 3, bad, weight))
    with pytest.raises(ValueError, match=r"(?i)weight"):
        new(estimator).fit(X, y, **more, sample_weight=0 * weight)


@each_classifier
def test_labels_that_are_none_are_refused(estimator):
    X, y, more, _ = CASES[estimator.__name__]
    for bad in (np.nan, 0.5, 7):
        labels = y.astype(float)
        labels[(3, 0) if labels.ndim == 2 else 3] = bad
        with pytest.raises(ValueError, match=r"(?i)class|binary|label|\by\b|0 or 1"):
            new(estimator).fit(X, labels, **more)
    with pytest.raises(ValueError, match=r"(?i)class|binary|label|\by\b|click"):
        new(estimator).fit(X, 0 * y, **more)
    with pytest.raises(ValueError, match=r"(?i)rows|samples|shape|inconsistent"):
        new(estimator).fit(X, y[:-1], **more)


@each_classifier
def test_later_parts_hold_the_classes_of_the_first(estimator):
    if not hasattr(estimator, "partial_fit"):
        return
    X, y, *_ = CASES[estimator.__name__]
    model = new(estimator).partial_fit(X, y, classes=[0, 1])
    model.partial_fit(X, y)
    for wrong in ({"classes": [1, 2]}, {"classes": [0, 1, 2]}):
        with pytest.raises(ValueError, match="classes"):
            model.partial_fit(X, y, **wrong)
    with pytest.raises(ValueError, match=r"(?i)class|label"):
        model.partial_fit(X, y + 1)
    text = np.where(y == 1, "click", "none")
    model = new(estimator).partial_fit(X, text, classes=["click", "none"])
    assert set(model.predict(X)) <= {"click", "none"}


@each_classifier
def test_it_works_inside_pipelines_searches_and_calibration(estimator):
    X, y, more, grid = CASES[estimator.__name__]
    if more or np.ndim(y) == 2:
        return  # fit takes more than scikit-learn's tools hand on
    (name, values), *_ = grid.items()
    pipeline = make_pipeline(FunctionTransformer(feature_names_out="one-to-one"), new(estimator))
    step = pipeline.steps[-1][0]
    search = GridSearchCV(pipeline, {f"{step}__{name}": values}, cv=3, scoring="neg_log_loss", error_score="raise")
    assert search.fit(X, y).best_params_[f"{step}__{name}"] in values
    scores = cross_validate(new(estimator), X, y, cv=3, scoring="roc_auc", error_score="raise")["test_score"]
    assert np.isfinite(scores).all()
    calibrated = CalibratedClassifierCV(new(estimator), cv=3).fit(X, y)
    assert calibrated.predict_proba(X).shape == (N, 2)


@pytest.mark.parametrize("container", ["pyarrow", "polars", "nullable", "float32", "fortran", "lists"])
@each
def test_rows_come_in_any_container(estimator, container):
    X, y, more, _ = CASES[estimator.__name__]
    if not isinstance(X, pd.DataFrame) or y is None or np.ndim(y) == 2:
        return
    convert = {
        "pyarrow": pa.Table.from_pandas,
        "polars": pl.from_pandas,
        "nullable": lambda X: X.convert_dtypes(),
        "float32": lambda X: X.astype(np.float32).astype(np.float64) if X is REAL else X.astype(np.float32),
        "fortran": lambda X: np.asfortranarray(X.to_numpy()),
        "lists": lambda X: X.to_numpy().tolist(),
    }[container]
    labels = {"pyarrow": pa.array, "polars": pl.Series, "nullable": lambda y: pd.Series(y, dtype="Int64")}
    expected = answers(fitted(estimator, np.asarray(convert(X))), np.asarray(convert(X)))
    model = new(estimator).fit(convert(X), labels.get(container, np.asarray)(y), **more)
    assert_same(answers(model, convert(X)), expected, 1e-9, container)
