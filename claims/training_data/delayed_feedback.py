"""Claims of docs/training-data/delayed-feedback.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import START, simulate_ad_log
from snippets.training_data.delayed_feedback import DelayedFeedbackClassifier, share_seen

COLUMNS = ["position", "category", "device", "ad_id"]


def loss(p, q):
    """Return the log loss that predictions are expected to have, over that of the mean, where the truth is known."""
    mean = p.mean()
    return -(p * np.log(q) + (1 - p) * np.log(1 - q)).mean() / -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))


@experiment(worlds={"default": {}, "no drift": {"drift": 0.0}})
def remedies(seed, *, drift=0.15, late_share=0.15, mean=24.0, phones=48.0, at_random=False):
    log = simulate_ad_log(
        60_000,
        seed=seed,
        n_days=12,
        drift=drift,
        late_share=late_share,
        n_users=4_000,
        n_ads=200,
        base_ctr=0.05,
    )
    hours = (log["timestamp"].dt.tz_localize(None) - START).dt.total_seconds().to_numpy() / 3600
    age, y, p_click, device = 8 * 24 - hours, *(log[c].to_numpy() for c in ("click", "p_click", "device"))
    draw = np.random.default_rng([seed, 1]).exponential(1, len(log))
    by_device = log["device"].map({"desktop": phones / 8, "tablet": phones / 2, "mobile": phones}).astype(float)
    by_device = by_device.to_numpy() if phones else 24.0
    delays = {"few": log["click_delay"].to_numpy() / 3600, "all": draw * mean, "phones": draw * by_device}
    if at_random:  # a third is missing at every age
        delays["all"] = np.where(draw > 0.4, draw / 2, 1e6)
    recent, test = (age > 0) & (age <= 96), (age <= 0) & (age > -48)
    encode = OneHotEncoder().fit(log[COLUMNS])
    asked, found = encode.transform(log.loc[test, COLUMNS]), {}
    began = log["ad_id"].map(log.groupby("ad_id")["day"].min()).to_numpy()[test]

    def fit(rows, labels):
        frame = log.loc[rows, COLUMNS].assign(click=labels[rows], rows=1)
        cells = frame.groupby(COLUMNS, observed=True)[["click", "rows"]].sum().reset_index()
        weight = np.r_[cells["click"], cells["rows"] - cells["click"]]
        model = LogisticRegression(C=0.3, max_iter=500)
        model.fit(encode.transform(pd.concat([cells[COLUMNS]] * 2)), np.repeat([1, 0], len(cells)), weight)
        return model.predict_proba(asked)[:, 1]

    known = fit(recent, y)
    for world, delay in delays.items():
        seen = (y == 1) & (delay <= age)
        complete = delay[(age > 120) & (y == 1)]
        corrected = seen / np.maximum(share_seen(np.maximum(age, 0), complete), 0.01)
        model = DelayedFeedbackClassifier(C=0.3).fit(
            encode.transform(log.loc[recent, COLUMNS]), seen[recent].astype(int), np.where(seen, delay, age)[recent]
        )
        results = {
            "nothing": fit(recent, seen),
            "wait 24": fit((age > 24) & (age <= 120), seen),
            "wait 72": fit((age > 72) & (age <= 168), seen),
            "divided": fit(recent, corrected),
            "delay model": model.predict_proba(asked)[:, 1],
        }
        for name, q in results.items():
            found[f"{world}, {name}, loss"] = loss(p_click[test], q) - loss(p_click[test], known)
            for kind, rows in {
                "total": device != "",
                "desktop": device == "desktop",
                "mobile": device == "mobile",
            }.items():
                rows = rows[test]
                found[f"{world}, {name}, {kind}"] = q[rows].sum() / known[rows].sum()
            for kind, rows in {"new": began == 7, "old": began < 4}.items():
                found[f"{world}, {name}, {kind} ads"] = q[rows].sum() / known[rows].sum()
    return found


@claim(
    "Where a few clicks are late, leaving that alone costs less than 0.003 of normalized entropy.",
    remedies,
    holds=below(0.003),
    twin={"late_share": 1.0},
    unit="of normalized entropy, against all labels known",
)
def a_few_late_clicks_hardly_matter(found):
    return found["few, nothing, loss"]


@claim(
    "Where a few clicks are late, waiting a day loses more than it repairs.",
    remedies,
    holds=above(0),
    says="varies",
    twin={"late_share": 1.0},
    unit="of normalized entropy, against doing nothing",
)
def waiting_costs_more_than_a_few_late_clicks(found):
    return found["few, wait 24, loss"] - found["few, nothing, loss"]


@claim(
    "Where all clicks take a day, a model that takes no click yet for no click promises at least a quarter too little.",
    remedies,
    holds=below(0.75),
    twin={"mean": 1.0},
    unit="of the clicks promised with all labels known",
)
def doing_nothing_promises_too_little(found):
    return found["all, nothing, total"]


@claim(
    "There the delayed feedback model predicts better than labels divided by the share seen.",
    remedies,
    holds=below(0),
    twin={"mean": 1.0},
    unit="of normalized entropy, of which at most 0.02 counts in a run",
)
def modelling_the_delay_beats_dividing(found):
    return max(found["all, delay model, loss"] - found["all, divided, loss"], -0.02)


@claim(
    "It also predicts better than waiting three days.",
    remedies,
    holds=below(0),
    says="varies",
    twin={"drift": 0.5, "mean": 1.0},
    unit="of normalized entropy",
)
def modelling_the_delay_beats_waiting(found):
    return found["all, delay model, loss"] - found["all, wait 72, loss"]


@claim(
    "Where phones click later, dividing by one share promises desktops half as much again as phones, or more, relative "
    "to what each should get.",
    remedies,
    holds=above(1.5),
    twin={"phones": 0.0},
    unit="promised on desktops for each on phones",
)
def one_share_is_wrong_by_device(found):
    return found["phones, divided, desktop"] / found["phones, divided, mobile"]


@claim(
    "The total hides that: it is nearer to the truth than the ratio of desktops to phones, by three tenths or more.",
    remedies,
    holds=above(0.3),
    twin={"phones": 0.0},
    unit="farther from 1",
)
def the_total_hides_it(found):
    apart = found["phones, divided, desktop"] / found["phones, divided, mobile"]
    return abs(apart - 1) - abs(found["phones, divided, total"] - 1)


@claim(
    "The delayed feedback model, whose delay depends on the device, is fair to both within a sixth.",
    remedies,
    holds=between(5 / 6, 7 / 6),
    twin={"phones": 2_000.0},
    unit="promised on desktops for each on phones",
)
def modelling_the_delay_is_right_by_device(found):
    return found["phones, delay model, desktop"] / found["phones, delay model, mobile"]


@claim(
    "Late labels take a larger share of the promise from ads that began on the last day than from old ones.",
    remedies,
    holds=below(0),
    twin={"at_random": True},
    percent=True,
    unit="of the promise, new ads less old ones",
)
def new_ads_lose_most(found):
    return found["all, nothing, new ads"] - found["all, nothing, old ads"]


@claim(
    "Divided by a share that was learned from the clicks of one day that have come, click rates are too low, by a "
    "twentieth or more.",
    holds=below(-0.05),
    twin={"mean": 0.5},
    seeds=20,
    worlds={"default": {}, "twelve hours": {"mean": 12.0}, "two days": {"mean": 48.0}},
    percent=True,
    unit="of the true click rate",
)
def seen_clicks_are_the_quick_ones(seed, *, mean=24.0):
    rng = np.random.default_rng([seed, 2])
    age = rng.uniform(0.5, 96, 100_000)
    delay = rng.exponential(mean, len(age))
    click = rng.random(len(age)) < 0.03
    seen = click & (delay <= age)
    return (seen / share_seen(age, delay[seen & (age < 24)])).sum() / click.sum() - 1
