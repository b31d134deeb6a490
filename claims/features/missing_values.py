"""Claims of docs/features/missing-values.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy


def log_rate(log):
    """Return the smoothed log rate of each ad."""
    return np.log((log["ad_clicks"] + 1) / (log["ad_impressions"] + 33)).to_numpy()


@experiment(worlds={"default": {}, "more drift": {"drift": 0.2}, "more clicks": {"base_ctr": 0.06}})
def remedies(seed, *, drift=0.08, base_ctr=0.03, indifferent=False, changed=False):
    world = {"seed": seed, "n_ads": 300, "drift": drift, "base_ctr": base_ctr}
    log = simulate_ad_log(100_000, **world)
    past, y = (log["day"] < 10).to_numpy(), log["click"].to_numpy()
    category, age = log["category"].cat.codes.to_numpy(), log["age_group"].cat.codes.to_numpy()
    if indifferent:  # an age that has nothing to do with clicks
        age = np.random.default_rng(seed).permutation(age)

    def entropy(age):
        codes = np.column_stack([category, log["device"].cat.codes, category * 10 + age])
        X = np.column_stack([OneHotEncoder(sparse_output=False).fit_transform(codes), log_rate(log)])
        p = LogisticRegression(solver="newton-cholesky").fit(X[past], y[past]).predict_proba(X[~past])[:, 1]
        return normalized_entropy(y[~past], p)

    found = {"without the age": entropy(np.zeros_like(age)), "nothing missing": entropy(age)}
    gaps = {}
    for how in ("mcar", "mar", "mnar"):
        hidden = gaps[how] = (
            simulate_ad_log(100_000, missingness=how, missing_rate=0.4, **world)["age_group"].isna().to_numpy()
        )
        if changed and how == "mnar":  # serving hides other ages than training did
            hidden = np.where(past, hidden, gaps["mcar"])
        middle = int(np.round(age[past & ~hidden].mean()))
        found[f"{how}, mean"] = entropy(np.where(hidden, middle, age))
        found[f"{how}, own"] = entropy(np.where(hidden, 9, age))
    return found


@claim(
    "In a linear model with crosses an age of its own for what is missing beats the middle age, on average over the "
    "three mechanisms.",
    remedies,
    holds=below(0),
    twin={"indifferent": True},
)
def own_category_beats_mean(found):
    return float(np.mean([found[f"{how}, own"] - found[f"{how}, mean"] for how in ("mcar", "mar", "mnar")]))


@claim(
    "Missing by its own value costs a model that sees the gap at most 0.002 of normalized entropy more than missing at "
    "random does.",
    remedies,
    holds=below(0.002),
    twin={"changed": True},
)
def not_at_random_costs_no_more(found):
    return found["mnar, own"] - (found["mcar, own"] + found["mar, own"]) / 2


@experiment(seeds=20, worlds={"default": {}, "more missing": {"share": 0.3}, "more drift": {"drift": 0.2}})
def defaults(seed, *, share=0.1, drift=0.08, typical=False, centred=False):
    log = simulate_ad_log(60_000, seed=seed, n_ads=200, base_ctr=0.06, drift=drift)
    past, y, rate = (log["day"] < 10).to_numpy(), log["click"].to_numpy(), log_rate(log)
    rng = np.random.default_rng(seed)
    missing = rng.random(len(log)) < share  # a timeout of the feature store
    mean = rate[past & ~missing].mean()
    if centred:  # a world in which 0 is the mean
        rate, mean = rate - mean, 0.0
    if typical:  # what is missing is what is near the mean anyway
        missing &= abs(rate - mean) < 0.1
    found = {}
    for name, trained, served, indicator in [
        ("mean", mean, mean, False),
        ("mean, indicator", mean, mean, True),
        ("mean, then 0", mean, 0.0, False),
        ("mean, then 0, indicator", mean, 0.0, True),
    ]:
        columns = [np.column_stack([np.where(missing, x, rate), *([missing] * indicator)]) for x in (trained, served)]
        model = LogisticRegression().fit(columns[0][past], y[past])
        p, gone = model.predict_proba(columns[1][~past])[:, 1], missing[~past]
        found[name] = calibration_ratio(y[~past][gone], p[gone]) / calibration_ratio(y[~past][~gone], p[~gone])
    return found


@claim(
    "Where a click rate is missing at random and filled with the mean of its logarithm, fewer clicks are promised than "
    "with an indicator beside it.",
    defaults,
    holds=below(0),
    twin={"typical": True},
    percent=True,
)
def mean_promises_too_little(found):
    return found["mean"] / found["mean, indicator"] - 1


@claim(
    "A server that sends 0 for the logarithm, where training saw the mean, promises more than five times the clicks, "
    "with an indicator or without.",
    defaults,
    holds=above(5),
    twin={"centred": True},
)
def another_default_breaks_it(found):
    return min(found["mean, then 0"], found["mean, then 0, indicator"])
