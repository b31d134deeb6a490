"""Claims of docs/modeling/trees-plus-linear.md."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from claims.claim import above, below, between, claim, experiment
from claims.protocol import compare, dense, small_fields
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.gbdt_lr import GBDTLogisticRegression

SIZES = (30, 60, 100)  # how many trees each candidate may have


class OwnRows(GBDTLogisticRegression):
    """Trees on the first half of the rows, which stand in order of time, and the layer on the second."""

    def fit(self, X, y):
        """Fit both."""
        return super().fit(X, y, tree_rows=np.arange(len(y)) < len(y) / 2)


class HalfTrees(HistGradientBoostingClassifier):
    """The trees of `OwnRows`, alone."""

    def fit(self, X, y):
        """Fit on the first half of the rows."""
        return super().fit(X[: -(-len(y) // 2)], y[: -(-len(y) // 2)])


def _alone(n, kind=HistGradientBoostingClassifier):
    return kind(max_iter=n, max_leaf_nodes=12, early_stopping=False, random_state=0)


@experiment(worlds={"default": {}, "no drift": {"drift": 0.0}, "more clicks": {"base_ctr": 0.1}})
def layers(seed, *, drift=0.15, base_ctr=0.03, C=None):
    log = simulate_ad_log(45_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=5_000, n_ads=500)
    made = {}

    def rows(known):
        key = known.tobytes()
        if key not in made:
            made[key] = dense(log, known)
        return made[key]

    candidates = {
        "trees": (rows, [_alone(n) for n in SIZES]),
        "trees on the first half": (rows, [_alone(n, HalfTrees) for n in SIZES]),
        "trees + layer, same rows": (rows, [GBDTLogisticRegression(n, C=C, random_state=0) for n in SIZES]),
        "trees + layer, rows of its own": (rows, [OwnRows(n, C=C, random_state=0) for n in SIZES]),
    }
    return compare(log, candidates).table["test"].to_dict()


@claim(
    "A layer on the rows that grew its trees is level with trees alone, to within half a percent.",
    layers,
    holds=between(-0.005, 0.005),
    twin={"C": 1e-5},
    percent=True,
)
def layer_on_same_rows_is_level(found):
    return found["trees + layer, same rows"] / found["trees"] - 1


@claim(
    "A layer on half of the rows, trees on the others: better than trees on all on some logs, and not on others.",
    layers,
    holds=below(0),
    says="varies",
    twin={"C": 1e-5},
    percent=True,
)
def layer_on_own_rows_gains_on_some_logs(found):
    return found["trees + layer, rows of its own"] / found["trees"] - 1


@claim(
    "A layer on rows of its own gains over the trees that it stands on, which saw half of the rows.",
    layers,
    holds=below(0),
    twin={"C": 1e-5},
    percent=True,
)
def layer_on_own_rows_beats_its_trees(found):
    return found["trees + layer, rows of its own"] / found["trees on the first half"] - 1


@claim(
    "Under a weak penalty, C = 1, a layer on the rows that grew its trees loses to one on rows of its own.",
    holds=above(0),
    seeds=20,
    worlds={"default": {}, "no drift": {"drift": 0.0}, "more clicks": {"base_ctr": 0.1}},
    twin={"C": 0.03},
    percent=True,
)
def weak_penalty_trusts_leaves(seed, *, drift=0.15, base_ctr=0.03, C=1.0):
    log = simulate_ad_log(40_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=4_000, n_ads=400)
    past = (log["day"] < 10).to_numpy()
    X, y = dense(log, past), log["click"].to_numpy()
    same, own = (
        normalized_entropy(y[~past], kind(30, C=C, random_state=0).fit(X[past], y[past]).predict_proba(X[~past])[:, 1])
        for kind in (GBDTLogisticRegression, OwnRows)
    )
    return same / own - 1


@experiment(seeds=20, worlds={"default": {}, "faster drift": {"drift": 0.5}})
def daily(seed, *, drift=0.3, base_ctr=0.03):
    log = simulate_ad_log(50_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=5_000, n_ads=500)
    y, day = log["click"].to_numpy(), log["day"].to_numpy()
    # The counters as logged: those of a day hold the clicks that had arrived when it was served.
    rates = [np.log((log[f"{w}_clicks"] + 50 * base_ctr) / (log[f"{w}_impressions"] + 50)) for w in ("ad", "user")]
    X, served = np.column_stack([small_fields(log), log["hour"], *rates]), day >= 7
    first = day < 7
    model = OwnRows(30, random_state=0).fit(X[first], y[first])
    trees = _alone(30).fit(X[first], y[first])
    p = {name: np.empty(len(y)) for name in ("layer learns each day", "trees anew each day", "both anew each day")}
    p["both frozen"], p["trees frozen"] = model.predict_proba(X)[:, 1], trees.predict_proba(X)[:, 1]
    for today in range(7, 14):
        rows, before = day == today, day < today
        if today > 7:
            model.partial_fit(X[day == today - 1], y[day == today - 1])
            trees = _alone(30).fit(X[before], y[before])
        anew = OwnRows(30, random_state=0).fit(X[before], y[before])
        for name, now in [
            ("layer learns each day", model),
            ("trees anew each day", trees),
            ("both anew each day", anew),
        ]:
            p[name][rows] = now.predict_proba(X[rows])[:, 1]
    return {name: normalized_entropy(y[served], q[served]) for name, q in p.items()}


@claim(
    "In a world that drifts, a layer that learns each day, on trees that stay, beats both frozen.",
    daily,
    holds=below(0),
    twin={"drift": 0.0},
    percent=True,
)
def daily_layer_helps(found):
    return found["layer learns each day"] / found["both frozen"] - 1


@claim(
    "In a world that drifts, trees alone built anew each day beat that layer on some logs, and not on others.",
    daily,
    holds=below(0),
    says="varies",
    twin={"drift": 0.0},
    percent=True,
)
def new_trees_beat_daily_layer(found):
    return found["trees anew each day"] / found["layer learns each day"] - 1


@claim(
    "Without a penalty the layer loses more than a percent on later days.",
    holds=above(0.01),
    worlds={"default": {}, "no drift": {"drift": 0.0}, "more clicks": {"base_ctr": 0.1}},
    twin={"trees": 2, "leaves": 3},
    percent=True,
)
def no_penalty_harms(seed, *, drift=0.15, base_ctr=0.03, trees=30, leaves=12):
    log = simulate_ad_log(40_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=4_000, n_ads=400)
    past = (log["day"] < 10).to_numpy()
    X, y = dense(log, past), log["click"].to_numpy()
    entropy = []
    for C in (None, 100.0):
        model = OwnRows(trees, leaves, C=C, random_state=0).fit(X[past], y[past])
        entropy.append(normalized_entropy(y[~past], model.predict_proba(X[~past])[:, 1]))
    return entropy[1] / entropy[0] - 1
