"""What docs/labs/practical_lessons.py says, on smaller logs with the same features."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from claims.claim import above, below, between, claim, experiment
from claims.protocol import compare
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import count_before, smoothed_rate
from snippets.modeling.gbdt_lr import GBDTLogisticRegression
from snippets.training_data.ftrl_proximal import FTRLProximal
from snippets.training_data.negative_downsampling import downsample_negatives, recalibrate

CONTEXT = ("hour", "device", "age_group", "category")


class Lab:
    """A log with the features of the lab, its labels, and the days to train and to test on."""

    def __init__(self, seed, n=70_000, *, drift=0.15, base_ctr=0.03, shuffled=False, ever=False):
        log = simulate_ad_log(n, seed=seed, drift=drift, base_ctr=base_ctr)
        if shuffled:  # a world in which no feature says anything
            order = np.random.default_rng(seed).permutation(len(log))
            log["click"], log["click_delay"] = log["click"].to_numpy()[order], log["click_delay"].to_numpy()[order]
        self.log, self.y, self.day = log, log["click"].to_numpy(), log["day"].to_numpy()
        self.train, self.test = (self.day >= 4) & (self.day < 10), self.day >= 10
        columns = self._histories(ever)
        self.historical = np.arange(len(columns) + len(CONTEXT)) < len(columns)
        columns |= {c: log[c].cat.codes if log[c].dtype == "category" else log[c] for c in CONTEXT}
        self.names, self.X = np.array(list(columns)), np.column_stack(list(columns.values())).astype(float)

    def _histories(self, ever):
        log, when, clicked = self.log, self.log["timestamp"], self.y == 1
        arrived = when[clicked] + pd.to_timedelta((1_000 * log["click_delay"][clicked]).round(), unit="ms")
        one = {
            c: pd.factorize(log[c])[0] for c in ("ad_id", "user_id", "advertiser_id", "category", "device", "age_group")
        }
        pairs = [("user_id", "category"), ("ad_id", "device"), ("ad_id", "age_group"), ("category", "age_group")]
        keys = {name: one[name] for name in ("ad_id", "user_id", "advertiser_id", "category")}
        keys |= {f"{a} x {b}": one[a] * 100 + one[b] for a, b in pairs}
        columns, base = {}, self.y[self.day < 4].mean()
        for name, key in keys.items():
            for span, window in [("1 day", pd.Timedelta("1D")), ("3 days", pd.Timedelta("3D")), ("ever", None)]:
                shown = count_before(key, when, key, when, window)
                clicks = count_before(key[clicked], arrived, key, when, window)
                columns[f"{name}, rate, {span}"] = np.log(smoothed_rate(clicks, shown, base, 50))
                if window is not None or ever:
                    columns[f"{name}, shown, {span}"] = np.log1p(shown)
        return columns

    def entropy(self, p):
        """Return the normalized entropy of probabilities of the test days."""
        return normalized_entropy(self.y[self.test], p)

    def fitted(self, model, rows=None, use=slice(None)):
        """Return the probabilities on the test days of a model fitted on rows and columns."""
        rows = self.train if rows is None else rows
        return model.fit(self.X[rows][:, use], self.y[rows]).predict_proba(self.X[self.test][:, use])[:, 1]


class TreesThenLinear(GBDTLogisticRegression):
    """Trees from the first half of the rows, which are in order of time, the linear layer from the second."""

    def fit(self, X, y):
        """Fit both."""
        return super().fit(X, y, tree_rows=np.arange(len(y)) < len(y) / 2)


def trees(n=30, **more):
    """Return boosted trees of at most 12 leaves, as the paper's."""
    return HistGradientBoostingClassifier(max_iter=n, max_leaf_nodes=12, early_stopping=False, random_state=0, **more)


@experiment(seeds=10, worlds={"default": {}, "less drift": {"drift": 0.05}, "more clicks": {"base_ctr": 0.06}})
def structure(seed, *, drift=0.15, base_ctr=0.03, shuffled=False):
    """Return the normalized entropy of the three structures of the paper's table 1."""
    lab = Lab(seed, drift=drift, base_ctr=base_ctr, shuffled=shuffled)
    kept = lab.day >= 4
    linear = [make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=500)) for C in (0.001, 0.01, 0.1, 1)]
    layered = [TreesThenLinear(100, learning_rate=0.3, C=C, random_state=0) for C in (0.001, 0.003, 0.01, 0.03)]
    X = lab.X[kept]
    candidates = {
        "LR": (X, linear),
        "trees": (X, [trees(n, learning_rate=0.03) for n in (30, 60, 120, 240)]),
        "trees + LR": (X, layered),
    }
    return compare(lab.log[kept], candidates).table["test"].to_dict()


@claim(
    "With equal budgets and one or two thousand clicks, logistic regression has a lower entropy than trees.",
    structure,
    holds=below(0),
    twin={"shuffled": True},
)
def linear_beats_trees(found):
    return found["LR"] / found["trees"] - 1


@claim(
    "With equal budgets, logistic regression has a lower entropy than trees with a linear layer.",
    structure,
    holds=below(0),
    twin={"shuffled": True},
    percent=True,
)
def linear_beats_both(found):
    return found["LR"] / found["trees + LR"] - 1


@claim(
    "With equal budgets, whether a linear layer beats trees alone depends on the log: with more clicks it does not.",
    structure,
    holds=below(0),
    twin={"base_ctr": 0.01},
    says="varies",
    percent=True,
)
def layer_beats_trees(found):
    return found["trees + LR"] / found["trees"] - 1


@experiment(seeds=10)
def growing(seed, *, n_trees=100, leave_out=False):
    """Return entropy and calibration of trees with and without counts since ever."""
    lab = Lab(seed, ever=True)
    since = np.char.endswith(lab.names.astype(str), "shown, ever")
    p, q = lab.fitted(trees(n_trees), use=~since if leave_out else slice(None)), lab.fitted(trees(n_trees), use=~since)
    y = lab.y[lab.test]
    return {"entropy": lab.entropy(p) - lab.entropy(q), "promise": calibration_ratio(y, p) / calibration_ratio(y, q)}


@claim(
    "A hundred trees have a higher entropy with counts since ever among their features than without.",
    growing,
    holds=above(0),
    twin={"leave_out": True},
)
def growing_counts_harm(found):
    return found["entropy"]


@experiment(seeds=10, worlds={"default": {}, "no drift": {"drift": 0.0}})
def fresh(seed, *, drift=0.15, shuffled=False):
    """Return the rise of entropy, in a share, from age 0 to age 6 days, of models from a single day."""
    lab = Lab(seed, 100_000, drift=drift, shuffled=shuffled)
    p = {(kind, age): np.zeros(len(lab.y)) for kind in ("trees", "trees + LR") for age in (0, 6)}
    for newest in (3, 4, 5, 6, 9, 10, 11, 12):
        rows, age = lab.day == newest, 0 if newest > 6 else 6
        served = lab.day == newest + 1 + age
        half = lab.log["request_id"].to_numpy()[rows] % 2 == 0
        layer = GBDTLogisticRegression(30, random_state=0).fit(lab.X[rows], lab.y[rows], tree_rows=half)
        for kind, model in [("trees", trees().fit(lab.X[rows], lab.y[rows])), ("trees + LR", layer)]:
            p[kind, age][served] = model.predict_proba(lab.X[served])[:, 1]
    entropy = {key: lab.entropy(score[lab.test]) for key, score in p.items()}
    return {kind: entropy[kind, 6] / entropy[kind, 0] - 1 for kind in ("trees", "trees + LR")}


@claim(
    "Trees of days 3 to 6, six days old, are worse by over 0.5 % than trees of the day before, without drift as well.",
    fresh,
    holds=above(0.005),
    twin={"shuffled": True},
    percent=True,
)
def early_days_cost_without_drift_too(found):
    return found["trees"]


@experiment(seeds=10)
def schedules(seed, *, few=False, shuffled=False):
    """Return, for each schedule, the entropy with its best rate, and with the paper's."""
    lab = Lab(seed, 40_000, shuffled=shuffled)
    leaves = (
        GBDTLogisticRegression(3 if few else 60, random_state=0).fit(lab.X[lab.train], lab.y[lab.train]).leaves(lab.X)
    )
    rows = np.flatnonzero(lab.day >= 4)
    y, later, found = lab.y[rows], lab.test[rows], {}
    paper = {"per_coordinate": 0.1, "per_weight_sqrt": 0.01, "constant": 0.0005, "global": 0.01, "per_weight": 0.01}
    for schedule, chosen in paper.items():
        tried = {}
        for alpha in sorted({chosen, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0}):
            model, p = FTRLProximal(alpha, learning_rate=schedule), np.full(len(rows), 0.03)
            for start in range(0, len(rows), 5_000):
                part = rows[start : start + 5_000]
                if start:
                    p[start : start + 5_000] = model.predict_proba(leaves[part])[:, 1]
                model.partial_fit(leaves[part], lab.y[part], classes=[0, 1])
            tried[alpha] = normalized_entropy(y[later], np.clip(p[later], 1e-6, 1 - 1e-6))
        found |= {f"{schedule}, best": min(tried.values()), f"{schedule}, paper's": tried[chosen]}
    return found


@claim(
    "With each schedule's best rate, one rate per weight without the root is the worst.",
    schedules,
    holds=above(0),
    twin={"shuffled": True},
)
def per_weight_is_worst(found):
    others = [found[f"{s}, best"] for s in ("per_coordinate", "per_weight_sqrt", "constant", "global")]
    return found["per_weight, best"] - max(others)


@claim(
    "With its best rate, the schedule per coordinate beats the square root per weight, if by little.",
    schedules,
    holds=below(0),
    twin={"shuffled": True},
)
def per_coordinate_beats_the_root(found):
    return found["per_coordinate, best"] - found["per_weight_sqrt, best"]


@claim(
    "The paper's rate per coordinate, 0.1, is worse by more than 0.05 than a smaller one, with 60 active leaves a row.",
    schedules,
    holds=above(0.05),
    twin={"few": True},
)
def rate_belongs_to_active_columns(found):
    return found["per_coordinate, paper's"] - found["per_coordinate, best"]


@experiment(seeds=10)
def size(seed, *, rate=0.1, share=0.1):
    """Return entropies of 30 and of 150 trees on all rows, on a quarter and on a tenth."""
    lab, found = Lab(seed, 50_000), {}
    turn = np.random.default_rng(seed).random(lab.log["request_id"].max() + 1)[lab.log["request_id"]]
    for name, part in [("all", 1.0), ("quarter", 0.25)]:
        rows = lab.train & (turn < part)
        model = trees(150, learning_rate=rate).fit(lab.X[rows], lab.y[rows])
        curve = [lab.entropy(p[:, 1]) for p in model.staged_predict_proba(lab.X[lab.test])]
        found |= {
            f"{name}, 30 trees": curve[29],
            f"{name}, 150 trees": curve[149],
            f"{name}, best": np.argmin(curve) + 1,
        }
    p = lab.fitted(trees(learning_rate=rate), rows=lab.train & (turn < share))
    careful = [lab.fitted(trees(min_samples_leaf=100), rows=lab.train & (turn < s)) for s in (share, 1.0)]
    return found | {
        "tenth, 30 trees": lab.entropy(p),
        "tenth, large leaves": lab.entropy(careful[0]),
        "all, large leaves": lab.entropy(careful[1]),
    }


@claim(
    "With some 650 clicks, 150 trees have a higher entropy than 30, and with a quarter of them it rises by more.",
    size,
    holds=above(0),
    twin={"rate": 0.005, "share": 1.0},
)
def more_trees_harm(found):
    rise = {name: found[f"{name}, 150 trees"] - found[f"{name}, 30 trees"] for name in ("all", "quarter")}
    return min(rise["all"], rise["quarter"] - rise["all"])


@claim(
    "A tenth of the rows costs more than 1 % of the entropy here: it holds some 65 clicks.",
    size,
    holds=above(0.01),
    twin={"rate": 0.005, "share": 1.0},
    percent=True,
)
def a_tenth_costs_more_than_a_percent(found):
    return found["tenth, 30 trees"] / found["all, 30 trees"] - 1


@experiment(seeds=10)
def which_columns(seed, *, base_ctr=0.03, shuffled=False, even_hours=False, best=10):
    """Return entropies of trees by the columns that they get: all, some kinds, the most important ones."""
    lab = Lab(seed, base_ctr=base_ctr, shuffled=shuffled)
    if even_hours:  # context decides
        lab.y = lab.y * (lab.log["hour"].to_numpy() % 2 == 0)
    kinds = {"all": np.ones(len(lab.names), bool), "historical": lab.historical, "contextual": ~lab.historical}
    found = {name: lab.entropy(lab.fitted(trees(), use=use)) for name, use in kinds.items()}
    own = lab.X.copy()
    lab.X[:, ~lab.historical] = np.random.default_rng(seed).permutation(lab.X[:, ~lab.historical])
    found["historical, and the context of other rows"] = lab.entropy(lab.fitted(trees(), use=kinds["all"]))
    lab.X = own
    placed = np.column_stack([lab.X[:, ~lab.historical], lab.log["position"]])
    p = trees().fit(placed[lab.train], lab.y[lab.train]).predict_proba(placed[lab.test])[:, 1]
    found["contextual, and position"] = lab.entropy(p)
    first, rows, rng = lab.day < 8, np.flatnonzero((lab.day >= 8) & lab.train), np.random.default_rng(seed)
    model = trees().fit(lab.X[lab.train & first], lab.y[lab.train & first])
    loss = np.zeros(len(lab.names))
    base = normalized_entropy(lab.y[rows], model.predict_proba(lab.X[rows])[:, 1])
    for i in range(len(loss)):
        mixed = lab.X[rows]
        mixed[:, i] = rng.permutation(mixed[:, i])
        loss[i] = normalized_entropy(lab.y[rows], model.predict_proba(mixed)[:, 1]) - base
    order, loss = np.argsort(-loss), np.maximum(loss, 0)
    found["top ten"] = lab.entropy(lab.fitted(trees(), use=order[:best]))
    return found | {
        "share of the top ten": loss[order[:10]].sum() / loss.sum(),
        "historical in the top ten": lab.historical[order[:10]].sum(),
    }


@claim(
    "Trees on what happened before have a lower entropy than trees on what is the case now.",
    which_columns,
    holds=below(0),
    twin={"shuffled": True},
    percent=True,
)
def history_beats_context(found):
    return found["historical"] / found["contextual"] - 1


@claim(
    "Beside what happened before, what is the case now brings trees less than 0.3 % of entropy over the same columns "
    "of other rows.",
    which_columns,
    holds=between(-0.003, 0.003),
    twin={"even_hours": True},
    percent=True,
)
def context_adds_little_to_history(found):
    return found["all"] / found["historical, and the context of other rows"] - 1


@claim(
    "With the position among the features of the case, trees on what is the case beat trees on what happened before.",
    which_columns,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
)
def position_turns_the_table(found):
    return found["historical"] / found["contextual, and position"] - 1


@claim(
    "All 44 features are better than the best ten by more than 1 %, half of what the paper's 50 gain.",
    which_columns,
    holds=below(-0.01),
    twin={"best": 1},
    says="fails",
    percent=True,
)
def all_features_beat_ten(found):
    return found["all"] / found["top ten"] - 1


@experiment(seeds=10)
def negatives(seed, *, mend=True, few=0.01):
    """Return entropy and calibration of 30 trees with all negatives, with a tenth and with a hundredth of them."""
    lab, found = Lab(seed), {}
    for name, rate in [("all", 1.0), ("a tenth", 0.1), ("a hundredth", few)]:
        kept = np.flatnonzero(lab.train)[downsample_negatives(lab.y[lab.train], rate, np.random.default_rng(seed))]
        p = lab.fitted(trees(), rows=kept)
        p = recalibrate(p, rate) if mend else p
        found |= {f"entropy, {name}": lab.entropy(p), f"promise, {name}": calibration_ratio(lab.y[lab.test], p)}
    return found


@experiment(seeds=10)
def tuned_negatives(seed, *, share=0.1, mend=True):
    """Return the entropy of trees with all negatives, and with a share of them, of four settings for each."""
    lab, rng = Lab(seed), np.random.default_rng(seed)
    fit, validate, found = lab.train & (lab.day < 8), lab.train & (lab.day >= 8), {}
    for name, rate in [("all", 1.0), ("share", share)]:
        kept = np.zeros(len(lab.y), bool)
        kept[np.flatnonzero(lab.train)[downsample_negatives(lab.y[lab.train], rate, rng)]] = True
        tried = []
        for n, leaf in [(60, 20), (120, 20), (60, 60), (120, 60)]:
            model = trees(n, learning_rate=0.03, min_samples_leaf=leaf)
            p = model.fit(lab.X[fit & kept], lab.y[fit & kept]).predict_proba(lab.X[validate])[:, 1]
            tried.append((normalized_entropy(lab.y[validate], recalibrate(p, rate) if mend else p), n, leaf))
        _, n, leaf = min(tried)
        p = lab.fitted(trees(n, learning_rate=0.03, min_samples_leaf=leaf), rows=kept)
        found[name] = lab.entropy(recalibrate(p, rate) if mend else p)
    return found


@claim(
    "With settings chosen for each, trees on a tenth of the negatives are within 0.5 % of the entropy of trees on all.",
    tuned_negatives,
    holds=between(-0.005, 0.005),
    twin={"share": 0.01},
    percent=True,
)
def tuned_trees_gain_nothing(found):
    return found["share"] / found["all"] - 1


@claim(
    "With a tenth of the negatives, and probabilities mapped back, thirty trees have a slightly lower entropy.",
    negatives,
    holds=below(0),
    twin={"mend": False, "few": 1.0},
    percent=True,
)
def a_tenth_of_negatives_helps(found):
    return found["entropy, a tenth"] / found["entropy, all"] - 1


@claim(
    "Mapped back, trees with a tenth of the negatives promise between 90 and 110 % of the clicks that come.",
    negatives,
    holds=between(0.9, 1.1),
    twin={"mend": False, "few": 1.0},
)
def the_formula_mends_calibration(found):
    return found["promise, a tenth"]


@claim(
    "Mapped back, trees with a hundredth of the negatives promise a tenth more clicks than come, or worse.",
    negatives,
    holds=above(1.1),
    twin={"few": 0.1},
)
def the_formula_needs_some_negatives(found):
    return found["promise, a hundredth"]


@claim(
    "A hundredth of the negatives costs entropy here.",
    negatives,
    holds=above(0),
    twin={"mend": False, "few": 1.0},
    percent=True,
)
def a_hundredth_is_too_few(found):
    return found["entropy, a hundredth"] / found["entropy, all"] - 1
