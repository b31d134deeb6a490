"""Claims of docs/training-data/labels.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import EXAMINATION, simulate_ad_log


@experiment(seeds=20, worlds={"default": {}, "better raters": {"hits": 0.85}})
def raters(seed, *, hits=0.7, false_marks=0.02):
    """Return agreement and kappa of two raters where half of the posts are harmful, and where few are."""
    rng, found = np.random.default_rng([seed, 2]), {}
    for name, share, wrong in [
        ("half", 0.5, false_marks),
        ("few", 0.04, false_marks),
        ("half, careful", 0.5, false_marks / 10),
        ("few, careful", 0.04, false_marks / 10),
    ]:
        harmful = rng.random(2_000) < share
        one, two = (np.where(harmful, rng.random(2_000) < hits, rng.random(2_000) < wrong) for _ in range(2))
        found |= {f"agree, {name}": (one == two).mean(), f"kappa, {name}": cohen_kappa_score(one, two)}
    return found


@claim(
    "Raters who mark two harmless posts in a hundred agree more often where few posts are harmful than where half are, "
    "and have a lower kappa.",
    raters,
    holds=above(0),
    twin={"false_marks": 0.0},
    unit="of kappa, or of agreement if that differs less",
)
def agreement_rises_and_kappa_falls(found):
    return min(found["agree, few"] - found["agree, half"], found["kappa, half"] - found["kappa, few"])


@claim(
    "Raters who mark two harmless posts in a thousand have a higher kappa where few posts are harmful.",
    raters,
    holds=above(0),
    twin={"false_marks": 0.2},
    unit="of kappa",
)
def careful_raters_have_a_higher_kappa(found):
    return found["kappa, few, careful"] - found["kappa, half, careful"]


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.15}})
def first_ads(seed, *, drift=0.05, shuffled=False, no_bait=False):
    """Return clicks and hides of the ads that each label puts on top of the page, position 1 sent for all."""
    log = simulate_ad_log(60_000, seed=seed, n_users=3_000, n_ads=120, drift=drift)
    if shuffled:  # hides say nothing about the ad
        log["hide"] = np.random.default_rng(seed).permutation(log["hide"])
    columns = ["position", "category", "device", "ad_id"]
    encoder = OneHotEncoder().fit(log[columns])
    past, later = log[log["day"] < 10], log[log["day"] >= 10]
    clicks, hides = (
        LogisticRegression(C=0.3, max_iter=300)
        .fit(encoder.transform(past[columns]), past[label])
        .predict_proba(encoder.transform(later[columns].assign(position=1)))[:, 1]
        for label in ("click", "hide")
    )
    would_hide = later["p_hide"] / EXAMINATION[later["position"] - 1]
    if no_bait:  # who hides has nothing to do with the ad
        would_hide[:] = np.random.default_rng(seed).permutation(would_hide)
    chance = np.random.default_rng(seed).random(len(later))
    found = {}
    scores = {"less hides": clicks - 5 * hides, "far less hides": clicks - 20 * hides, "hides": -hides}
    for name, score in {"chance": chance, "clicks": clicks, **scores}.items():
        first = later.assign(score=score).groupby("request_id")["score"].idxmax()
        found |= {f"{name}, clicks": later.loc[first, "relevance"].mean(), f"{name}, hides": would_hide[first].mean()}
    return found


@claim(
    "An order by clicks also gets more hides than chance does.",
    first_ads,
    holds=above(0),
    twin={"no_bait": True},
    percent=True,
)
def clicks_raise_hides(found):
    return found["clicks, hides"] / found["chance, hides"] - 1


@claim(
    "Taking off five hides for each click removes a larger share of the hides than of the clicks.",
    first_ads,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="more of the hides",
)
def a_rare_signal_removes_hides(found):
    hides = 1 - found["less hides, hides"] / found["clicks, hides"]
    return hides - (1 - found["less hides, clicks"] / found["clicks, clicks"])


@claim(
    "The next step, from five to twenty hides for each click, removes fewer of them than the first.",
    first_ads,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="more of the hides, by the first step",
)
def the_next_step_removes_fewer(found):
    left = [found[f"{name}, hides"] / found["clicks, hides"] for name in ("less hides", "far less hides")]
    return 1 - left[0] - (left[0] - left[1])


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "lengths closer": {"spread": 0.5},
        "long ones please": {"liking": 0.3},
        "long ones are left sooner": {"slope": 1.5},
    },
)
def watch_time(seed, *, spread=1.0, liking=0.0, slope=0.6, n=20_000):
    """Return, for four labels, the correlation with what pleases, and how long the top tenth is."""
    rng = np.random.default_rng([seed, 4])
    z = rng.normal(size=n)
    pleases = (rng.normal(size=n) + liking * z) / np.hypot(1, liking)
    length = np.exp(5 + spread * z)
    watched = 1 / (1 + np.exp(-(pleases + rng.normal(size=n) - slope * (np.log(length) - 5))))
    views = pd.DataFrame({"length": length, "seconds": length * watched})
    group = pd.qcut(views["length"], 50, labels=False)
    labels = {
        "seconds": views["seconds"],
        "over 30": (views["seconds"] > 30).astype(float),
        "share": watched,
        "rank": views.groupby(group)["seconds"].rank(pct=True),
    }
    found = {}
    for name, label in labels.items():
        found[name] = spearmanr(label, pleases)[0]  # of ranks: seconds have a long tail, ranks have none
        top = pd.Series(label).rank(pct=True).to_numpy() > 0.9
        found[f"{name}, length"] = np.median(length[top]) / np.median(length) if top.any() else 0.0
    return found


@claim(
    "The tenth of the videos with most seconds watched is more than half as long again as the middle one.",
    watch_time,
    holds=above(1.5),
    twin={"slope": 4.0},
    unit="times the median length",
)
def seconds_prefer_long_videos(found):
    return found["seconds, length"]


@claim(
    "The rank among videos of equal length says more about what pleases than the seconds do.",
    watch_time,
    holds=above(0),
    twin={"liking": 3.0},
    unit="of the rank correlation",
)
def rank_among_equals_knows_more(found):
    return found["rank"] - found["seconds"]


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "coming often counts more": {"loyal": 3.0},
        "satisfaction counts less": {"kind": 0.5},
        "both": {"kind": 0.3, "loyal": 3.0},
    },
)
def survey(seed, *, rate=0.01, kind=1.0, loyal=1.0, boost=1.5):
    """Return satisfaction in truth, among answers and weighted, of two arms that differ in how often people come."""
    rng, found = np.random.default_rng([seed, 5]), {}
    for arm, more in [("control", 1.0), ("treatment", boost)]:
        satisfied = rng.random(200_000) < 0.6
        daily = rng.random(len(satisfied)) < np.where(satisfied, 0.4 * more, 0.15)
        answers = rng.random(len(satisfied)) < rate * (1 + kind * satisfied) * (1 + loyal * daily)
        share, among = daily.mean(), daily[answers].mean()
        weight = np.where(daily, share / among, (1 - share) / (1 - among))[answers]
        found |= {
            f"{arm}, truth": satisfied.mean(),
            f"{arm}, answers": satisfied[answers].mean(),
            f"{arm}, weighted": np.average(satisfied[answers], weights=weight),
        }
    return found


@claim(
    "Where the satisfied answer more often, and those who come often do too, the mean of the answers is more than ten "
    "points too high.",
    survey,
    holds=above(0.1),
    twin={"kind": 0.0, "loyal": 0.0},
    percent=True,
    unit="of the users",
)
def answers_are_too_kind(found):
    return found["control, answers"] - found["control, truth"]


@claim(
    "Weighted by how often people come, it is too high still, by three points or more.",
    survey,
    holds=above(0.03),
    twin={"kind": 0.0},
    percent=True,
    unit="of the users",
)
def weights_leave_it_too_high(found):
    return found["control, weighted"] - found["control, truth"]


@claim(
    "Such weights repair less than half of the error.",
    survey,
    holds=below(0.5),
    says="varies",
    twin={"kind": 0.0},
    percent=True,
    unit="repaired",
)
def weights_repair_less_than_half(found):
    error = found["control, answers"] - found["control, truth"]
    return (found["control, answers"] - found["control, weighted"]) / error


@claim(
    "A treatment that satisfies nobody, but makes satisfied users come more often, gains in the survey.",
    survey,
    holds=above(0),
    twin={"boost": 1.0},
    percent=True,
    unit="of the answers",
)
def a_treatment_that_moves_who_answers_wins(found):
    survey = found["treatment, answers"] - found["control, answers"]
    return survey - (found["treatment, truth"] - found["control, truth"])
