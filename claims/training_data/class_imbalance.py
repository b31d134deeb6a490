"""Claims of docs/training-data/class-imbalance.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.training_data.negative_downsampling import downsample_negatives, recalibrate

WORLDS = {"default": {}, "rarer clicks": {"base_ctr": 0.02}, "four times the rows": {"n": 120_000}}


def features(seed, n, base_ctr=0.03):
    """Return the columns of the page, labels, and which rows are of the first ten days."""
    log = simulate_ad_log(n, seed=seed, base_ctr=base_ctr, n_users=n // 10, n_ads=n // 100)
    rates = [np.log((log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33)) for who in ("ad", "user")]
    groups = [log["category"] == category for category in log["category"].cat.categories]
    X = np.column_stack([*rates, log["hour"], *groups]).astype(float)
    return X, log["click"].to_numpy(), (log["day"] < 10).to_numpy()


def smote(X, y, rng, how="between"):
    """Add made-up clicks until there are as many as negatives: between neighbours, with kinds copied, or copies."""
    clicks, n = X[y == 1], int((y == 0).sum() - y.sum())
    spread = clicks.std(axis=0) + 1e-9
    near = NearestNeighbors(n_neighbors=6).fit(clicks / spread if how == "kinds copied" else clicks)
    near = near.kneighbors(return_distance=False)[:, :5]
    i = rng.integers(0, len(clicks), n)
    j = near[i, rng.integers(0, 5, n)]
    made_up = clicks[i] + rng.random((n, 1)) * (clicks[j] - clicks[i]) * (how != "copies")
    if how == "kinds copied":  # hour and category are of a real click
        made_up[:, 2:] = clicks[i, 2:]
    return np.concatenate([X, made_up]), np.concatenate([y, np.ones(n)])


def model_of(kind):
    """Return one of the two models of the page."""
    if kind == "linear":
        return LogisticRegression(solver="newton-cholesky")
    return HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=6, early_stopping=False, random_state=0)


def entropies(X, y, past, kind, rows, labels, rate, weight=None):
    """Return the entropy as it comes, that with the odds divided back, and AUC, of a model of some rows."""
    p = model_of(kind).fit(rows, labels, sample_weight=weight).predict_proba(X[~past])[:, 1]
    return (
        normalized_entropy(y[~past], p),
        normalized_entropy(y[~past], recalibrate(p, rate)),
        roc_auc_score(y[~past], p),
    )


@experiment(seeds=10, worlds=WORLDS)
def remedies(seed, *, n=30_000, base_ctr=0.03, rate=0.1, mend=True, balanced=False):
    """Return entropies of both models with all rows, with weighted classes, and with a share of the negatives."""
    X, y, past = features(seed, n, base_ctr)
    rng = np.random.default_rng(seed)
    ratio = y[past].sum() / (past.sum() - y[past].sum())
    keep = downsample_negatives(y[past], rate, rng)
    if balanced:  # the later days have as few negatives
        kept = past | downsample_negatives(y, ratio, rng)
        X, y, past, rows = X[kept], y[kept], past[kept], (X[past], y[past])
    else:
        rows = X[past], y[past]
    sets = {
        "nothing": (*rows, 1.0),
        "weights": (*rows, ratio, np.where(rows[1] == 1, 1 / ratio, 1.0)),
        "a share": (rows[0][keep], rows[1][keep], rate),
    }
    found = {}
    for kind in ("linear", "trees"):
        for name, (a, b, factor, *weight) in sets.items():
            raw, back, area = entropies(X, y, past, kind, a, b, factor, *weight)
            found |= {f"{kind}, {name}, as it comes": raw, f"{kind}, {name}": back if mend else raw}
            found[f"{kind}, {name}, AUC"] = area
    return found


@claim(
    "Weighting the classes, or dropping nine tenths of the negatives, makes probabilities that are worse than the "
    "average rate for all.",
    remedies,
    holds=above(1),
    twin={"balanced": True},
    unit="the lowest normalized entropy of the four",
)
def uncorrected_is_worse_than_the_average(found):
    return min(found[f"{kind}, {name}, as it comes"] for kind in ("linear", "trees") for name in ("weights", "a share"))


@claim(
    "With the odds divided back, class weights change the entropy, on average of two models, by less than 0.005.",
    remedies,
    holds=between(-0.005, 0.005),
    twin={"mend": False},
)
def class_weights_gain_nothing(found):
    return float(np.mean([found[f"{kind}, weights"] - found[f"{kind}, nothing"] for kind in ("linear", "trees")]))


@claim(
    "With the odds divided back, a tenth of the negatives is, on average of two models, within 0.005 of all.",
    remedies,
    holds=between(-0.005, 0.005),
    twin={"rate": 0.005},
)
def a_tenth_costs_next_to_nothing(found):
    return float(np.mean([found[f"{kind}, a share"] - found[f"{kind}, nothing"] for kind in ("linear", "trees")]))


@experiment(seeds=10, worlds={"default": {}, "kinds copied": {"how": "kinds copied"}})
def made_up(seed, *, base_ctr=0.03, how="between", mend=True):
    """Return what made-up clicks do to entropy, the odds divided back, and to AUC, of both models."""
    X, y, past = features(seed, 30_000, base_ctr)
    ratio = y[past].sum() / (past.sum() - y[past].sum())
    rows, found = smote(X[past], y[past], np.random.default_rng(seed), how), {}
    for kind in ("linear", "trees"):
        _, plain, area = entropies(X, y, past, kind, X[past], y[past], 1.0)
        raw, back, changed = entropies(X, y, past, kind, *rows, ratio)
        found |= {f"{kind}, entropy": (back if mend else raw) - plain, f"{kind}, AUC": changed - area}
    return found


@claim(
    "SMOTE costs boosted trees entropy, with the odds divided back, and also with hours and categories copied.",
    made_up,
    holds=above(0.005),
    twin={"how": "copies"},
)
def smote_costs_trees_entropy(found):
    return found["trees, entropy"]


@claim(
    "SMOTE costs boosted trees ranking as well.",
    made_up,
    holds=below(0),
    twin={"how": "copies"},
    unit="of AUC",
)
def smote_costs_trees_ranking(found):
    return found["trees, AUC"]


@claim(
    "For logistic regression the division undoes SMOTE: entropy is within 0.005 of that without.",
    made_up,
    holds=between(-0.005, 0.005),
    twin={"mend": False},
)
def one_division_undoes_smote_if_linear(found):
    return found["linear, entropy"]


@experiment(seeds=30)
def few_left(seed, *, base_ctr=0.03, rate=0.025, rarer=5.0):
    """Return what a small share of the negatives costs: of few rows, of four times as many, with clicks rarer."""
    found = {}
    for log, n, ctr in [
        ("15,000 rows", 15_000, base_ctr),
        ("60,000 rows", 60_000, base_ctr),
        ("as many clicks, five times rarer", int(15_000 * rarer), base_ctr / rarer),
    ]:
        X, y, past = features(seed, n, ctr)
        keep = downsample_negatives(y[past], rate, np.random.default_rng(seed))
        for kind in ("linear", "trees"):
            all_rows = entropies(X, y, past, kind, X[past], y[past], 1.0)[1]
            found[f"{kind}, {log}"] = entropies(X, y, past, kind, X[past][keep], y[past][keep], rate)[1] - all_rows
    return found


def cost(found, log):
    """Return what the share costs on a log, on average of two models."""
    return (found[f"linear, {log}"] + found[f"trees, {log}"]) / 2


@claim(
    "With some 300 clicks and a fortieth of the negatives, trees lose more entropy than logistic regression does.",
    few_left,
    holds=above(0),
    twin={"rate": 0.25},
)
def trees_feel_it_more(found):
    return found["trees, 15,000 rows"] - found["linear, 15,000 rows"]


@claim(
    "The same share of the negatives costs less entropy, on average of two models, on a log with four times the rows.",
    few_left,
    holds=above(0),
    twin={"rate": 0.25},
    unit="of entropy saved",
)
def a_larger_log_loses_less(found):
    return cost(found, "15,000 rows") - cost(found, "60,000 rows")


@claim(
    "It costs less as well where clicks are as many and rarer, so that more negatives are left for each click.",
    few_left,
    holds=above(0),
    twin={"rarer": 0.5},
    unit="of entropy saved",
)
def more_negatives_a_click_lose_less(found):
    return cost(found, "15,000 rows") - cost(found, "as many clicks, five times rarer")


def two_ways(seed, *, base=-4.2, curve=0.3, rate=0.03):
    """Return slopes and entropies of a regression on x, where the log odds have a term in x squared as well."""
    rng = np.random.default_rng([seed, 3])
    x = rng.normal(size=(150_000, 1))
    y = (rng.random(len(x)) < np.minimum(expit(base + x[:, 0] + curve * x[:, 0] ** 2), 0.9)).astype(int)
    past = np.arange(len(x)) < len(x) // 2
    kept = np.flatnonzero(past)[downsample_negatives(y[past], rate, rng)]
    found = {}
    for name, rows, weight, factor in [
        ("all", past, None, 1.0),
        ("sampled", kept, None, rate),
        ("weighted", kept, np.where(y[kept] == 1, 1.0, 1 / rate), 1.0),
    ]:
        model = LogisticRegression(C=1e6, solver="newton-cholesky").fit(x[rows], y[rows], sample_weight=weight)
        p = recalibrate(model.predict_proba(x[~past])[:, 1], factor)
        found |= {f"slope, {name}": model.coef_[0, 0], f"entropy, {name}": normalized_entropy(y[~past], p)}
    return found


@experiment(seeds=20, worlds={"default": {}, "a weaker curve": {"curve": 0.15}})
def slopes(seed, *, base=-4.2, curve=0.3, rate=0.03):
    """Compare dividing back with weighting, where the model lacks a term."""
    return two_ways(seed, base=base, curve=curve, rate=rate)


@experiment(seeds=60)
def no_term_missing(seed, *, curve=0.0, rate=0.01):
    """Compare them where it has all terms, on a hundredth of the negatives."""
    return two_ways(seed, curve=curve, rate=rate)


@claim(
    "Where no term is missing and a hundredth of the negatives is kept, weights have the higher entropy, by a little.",
    no_term_missing,
    holds=above(0),
    twin={"curve": 0.3},
)
def weights_cost_variance(found):
    return found["entropy, weighted"] - found["entropy, sampled"]


@claim(
    "Where the model lacks a term, sampled negatives give another slope, and dividing the odds back does not mend it.",
    slopes,
    holds=below(-0.05),
    twin={"curve": 0.0},
    unit="of the slope with all rows, less 1",
)
def a_wrong_model_gets_other_slopes(found):
    return found["slope, sampled"] / found["slope, all"] - 1


@claim(
    "Where the model lacks a term, weighting the kept negatives has a lower entropy than dividing the odds back.",
    slopes,
    holds=below(0),
    twin={"curve": 0.0},
)
def weights_keep_the_slopes(found):
    return found["entropy, weighted"] - found["entropy, sampled"]


KEPT, TENTHS = (1.0, 0.2, 0.1, 0.05), 10


@experiment(seeds=10)
def divided(seed, *, told=1.0):
    """Return what a linear model promises and what comes, by the share of the negatives kept and by the one divided by.

    In the twin each division is by a multiple of what it says.
    """
    X, y, past = features(seed, 200_000)
    found = {}
    for kept in KEPT:
        keep = downsample_negatives(y[past], kept, np.random.default_rng(seed))
        raw = model_of("linear").fit(X[past][keep], y[past][keep]).predict_proba(X[~past])[:, 1]
        tenths = np.array_split(np.argsort(raw, kind="stable"), TENTHS)
        for i, rows in enumerate(tenths, 1):
            found[f"came {kept:g} {i}"] = round(float(y[~past][rows].mean()), 5)
        for share in KEPT:
            p = recalibrate(raw, told * share)
            found[f"ratio {kept:g} {share:g}"] = round(float(p.sum() / y[~past].sum()), 4)
            found[f"entropy {kept:g} {share:g}"] = round(normalized_entropy(y[~past], p), 4)
            for i, rows in enumerate(tenths, 1):
                found[f"promised {kept:g} {share:g} {i}"] = round(float(p[rows].mean()), 5)
    return found


@claim(
    "Divided by the share of the negatives that was kept, a linear model promises the clicks that come, within a "
    "tenth.",
    divided,
    holds=between(0.9, 1.1),
    twin={"told": 0.5},
    unit="clicks promised for each that came",
)
def the_share_kept_divides_back(found):
    return found["ratio 0.1 0.1"]


@claim(
    "Divided by half of the share that was kept, it promises half of them.",
    divided,
    holds=between(0.4, 0.6),
    twin={"told": 0.5},
    unit="clicks promised for each that came",
)
def half_of_the_share_promises_half(found):
    return found["ratio 0.1 0.05"]
