"""Claims of docs/evaluation/drift.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.broken_pipeline import run_pipeline
from snippets.evaluation.drift import population_stability_index, psi_bins, psi_threshold


@experiment(
    seeds=20, worlds={"default": {}, "twenty bins": {"n_bins": 20}, "a column of whole numbers": {"whole": True}}
)
def alarms(seed, *, n_bins=10, whole=False, small=200, shift=0.1, copies=1):
    """Return how often thresholds fire, without a change and with one; of each value there may be copies."""
    rng = np.random.default_rng([seed, 3])
    found = {}
    for name, n, moved in [("few rows", small, 0.0), ("many rows, moved", 10_000, shift)]:
        fired = np.zeros(2)
        for _ in range(100 if n == small else 25):
            one, other = (np.repeat(rng.normal(mean, 1, n // copies), copies) for mean in (0.0, moved))
            if whole:
                one, other = np.round(one * 3), np.round(other * 3)
            index = population_stability_index(one, other, n_bins)
            fired += [index > 0.1, index > psi_threshold(n, n, psi_bins(one, other, n_bins).shape[1])]
        fixed, rated = fired / (100 if n == small else 25)
        found |= {f"{name}: above 0.10": fixed, f"{name}: above chance": rated}
    return found


@claim(
    "With two hundred rows on either side and nothing changed, an index above 0.10 is a false alarm in a fifth of the "
    "comparisons or more.",
    alarms,
    holds=above(0.2),
    twin={"small": 2_000},
    percent=True,
    unit="of the comparisons",
)
def a_fixed_threshold_cries_wolf(found):
    return found["few rows: above 0.10"]


@claim(
    "With ten thousand rows, a shift by a tenth of a standard deviation stays below 0.10, and above what chance gives.",
    alarms,
    holds=above(0.9),
    twin={"shift": 0.0},
    percent=True,
    unit="of the comparisons",
)
def a_fixed_threshold_misses(found):
    return found["many rows, moved: above chance"] - found["many rows, moved: above 0.10"]


@claim(
    "The threshold from chi-squared is exceeded without a change about as rarely as it says, in one comparison of a "
    "hundred.",
    alarms,
    holds=below(0.03),
    twin={"copies": 5},
    percent=True,
    unit="of the comparisons without a change",
)
def chance_keeps_its_rate(found):
    return found["few rows: above chance"]


COLUMNS = ["category", "device", "age_group", "hour"]
TASTE = {"games": -1.5, "food": 1.2}
WORLDS = {"default": {}, "more drift of the ads": {"drift": 0.25}, "twice the clicks": {"base_ctr": 0.06}}


def right_for_all(p, truth, category):
    """Return the worst factor, up or down, between clicks promised and expected, of all categories."""
    parts = [category == c for c in sorted(category.unique())]
    return float(np.exp(max(abs(np.log(p[part].sum() / truth[part].sum())) for part in parts)))


@experiment(seeds=10, worlds=WORLDS)
def mended(seed, *, drift=0.0, base_ctr=0.03, taste=1.0, fewer=2 / 3):
    """Return by what factor the worst category is off, after one shift of the logit and after training again."""
    log = simulate_ad_log(80_000, seed=seed, n_users=4_000, n_ads=400, drift=drift, base_ctr=base_ctr)
    rng, day, true = np.random.default_rng(seed), log["day"], log["p_click"].to_numpy()
    encoder = OneHotEncoder(handle_unknown="ignore").fit(log[COLUMNS])
    X = encoder.transform(log[COLUMNS])
    old, new, test = (np.flatnonzero(part) for part in (day < 7, day.isin([7, 8, 9, 10]), day > 10))
    model = LogisticRegression(C=0.3, max_iter=300).fit(X[old], log["click"].iloc[old])
    score = logit(model.predict_proba(X)[:, 1])
    change = log["category"].map(TASTE).astype(float).fillna(0).to_numpy()
    found = {}
    changes = [("even", fewer * true), ("label", expit(logit(true) + np.log(fewer)))]
    for name, p in [*changes, ("uneven", expit(logit(true) + taste * change))]:
        y = rng.random(len(log)) < p
        step = 0.0
        for _ in range(30):  # one number: as many clicks promised as came
            step += np.log(y[new].sum() / expit(score[new] + step).sum())
        again = LogisticRegression(C=0.3, max_iter=300).fit(X[new], y[new]).predict_proba(X[test])[:, 1]
        category = log["category"].iloc[test].astype(str)
        found["before"] = right_for_all(expit(score[test]), true[test], category)
        found[f"{name}, as it was"] = right_for_all(expit(score[test]), p[test], category)
        found[f"{name}, one shift"] = right_for_all(expit(score[test] + step), p[test], category)
        found[f"{name}, trained again"] = right_for_all(again, p[test], category)
    return found


@claim(
    "Where all click less by one factor, or a third of the clickers stays away, one shift of the logit takes back more "
    "than half of what that added to the error of the worst category.",
    mended,
    holds=above(0),
    twin={"fewer": 0.98},
    unit="in the factor by which the worst category is off, beyond one half, the lesser of two",
)
def one_shift_mends_an_even_change(found):
    halfway = [(found["before"] + found[f"{name}, as it was"]) / 2 for name in ("even", "label")]
    return min(h - found[f"{name}, one shift"] for h, name in zip(halfway, ("even", "label"), strict=True))


@claim(
    "Where tastes change, the worst category is off by a factor of two or more after one shift, and by less after "
    "training again.",
    mended,
    holds=above(0),
    twin={"taste": 0.0},
    unit="in the factor by which the worst category is off, the lesser of two margins",
)
def one_shift_does_not_mend_a_change_of_tastes(found):
    return min(found["uneven, one shift"] - 2, found["uneven, one shift"] - found["uneven, trained again"])


@experiment(seeds=20, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.01}, "half of the clickers": {"gone": 0.5}})
def label_shift(seed, *, base_ctr=0.03, gone=1 / 3):
    """Return the index of perfect predictions between two halves of a log, before and after clickers stay away."""
    log = simulate_ad_log(80_000, seed=seed, n_users=20_000, n_ads=400, base_ctr=base_ctr, drift=0.0)
    rng, p = np.random.default_rng(seed), log["p_click"].to_numpy()
    requests = log["request_id"].unique()
    half = log["request_id"].isin(rng.permutation(requests)[: len(requests) // 2]).to_numpy()
    stays = (log["click"] == 0).to_numpy() | (rng.random(len(log)) >= gone)
    before, after = (population_stability_index(p[~half], p[now]) for now in (half, half & stays))
    return {"before": before, "after": after}


@claim(
    "Where clicks are rare, label shift hardly shows before the labels: a third or a half of the clickers stays away, "
    "and the index of perfect predictions rises by less than 0.005.",
    label_shift,
    holds=below(0.005),
    twin={"base_ctr": 0.4, "gone": 0.5},
    unit="in the index of the predictions",
)
def label_shift_hides_in_rare_clicks(found):
    return found["after"] - found["before"]


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}})
def served(seed, *, drift=0.08, base_ctr=0.03, planted=True, one_device=False):
    """Return the index of a faulty feature between test days and live ones, beside that of the healthy pipeline."""
    log = simulate_ad_log(70_000, seed=seed, n_users=5_000, n_ads=500, drift=drift, base_ctr=base_ctr)
    log = log.assign(device="tablet") if one_device else log
    faults = {"unit change": "ad_rate", "serving skew": "user_rate", "broken join": "user_rate"}
    found = {}
    for name, feature in faults.items():
        for fault in (None, name):
            _, test, live = run_pipeline(log, fault if planted else None)
            of = f"{name}: {'faulty' if fault else 'healthy'}"
            found[of] = population_stability_index(test[feature], live[feature])
    return found


@claim(
    "A changed unit, and another formula in the server, raise the index of the feature by more than 0.25.",
    served,
    holds=above(0.25),
    twin={"planted": False},
    unit="in the index of the feature, the lesser of two",
)
def inputs_show_a_changed_formula(found):
    return min(found[f"{name}: faulty"] - found[f"{name}: healthy"] for name in ("unit change", "serving skew"))


@claim(
    "A join that fails for the rarest device raises the index of the feature over all devices by less than 0.05.",
    served,
    holds=below(0.05),
    twin={"one_device": True},
    unit="in the index of the feature",
)
def a_failed_join_hides_in_the_total(found):
    return found["broken join: faulty"] - found["broken join: healthy"]
