"""Claims of docs/training-data/delayed-feedback.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gamma
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


def compare(seed, *, drift=0.15, late_share=0.15, mean=24.0, phones=48.0, shape=1.0, at_random=False, complete=True):
    """Return what each remedy loses, and promises, against all labels known; of delays of a Weibull distribution."""
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
    draw = np.random.default_rng([seed, 1]).exponential(1, len(log)) ** (1 / shape) / gamma(1 + 1 / shape)
    by_device = log["device"].map({"desktop": phones / 8, "tablet": phones / 2, "mobile": phones}).astype(float)
    by_device = by_device.to_numpy() if phones else 24.0
    delays = {"few": log["click_delay"].to_numpy() / 3600, "all": draw * mean, "phones": draw * by_device}
    if at_random:  # a third is missing at every age
        delays["all"] = np.where(draw > 0.4, draw / 2, 1e6)
    recent, test = (age > 0) & (age <= 96), (age <= 0) & (age > -48)
    settled = recent & (age > 6)
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

    known, truth = fit(recent, y), p_click[test]
    for world, delay in delays.items():
        seen = (y == 1) & (delay <= age)
        sample = (age > 120) & (y == 1) if complete else recent & seen
        share, own = share_seen(np.maximum(age, 0), delay[sample]), np.empty(len(log))
        for kind in np.unique(device):
            rows = device == kind
            own[rows] = share_seen(np.maximum(age[rows], 0), delay[sample & rows])
        model = DelayedFeedbackClassifier(C=0.3).fit(
            encode.transform(log.loc[recent, COLUMNS]), seen[recent].astype(int), np.where(seen, delay, age)[recent]
        )
        results = {
            "nothing": fit(recent, seen),
            "wait 24": fit((age > 24) & (age <= 120), seen),
            "wait 72": fit((age > 72) & (age <= 168), seen),
            "all divided": fit(recent, seen / np.maximum(share, 0.01)),
            "divided": fit(settled, seen / np.maximum(share, 0.01)),
            "divided by device": fit(settled, seen / np.maximum(own, 0.01)),
            "delay model": model.predict_proba(asked)[:, 1],
        }
        for name, q in results.items():
            found[f"{world}, {name}, loss"] = loss(truth, q) - loss(truth, known)
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


@experiment(seeds=16, worlds={"default": {}, "no drift": {"drift": 0.0}})
def remedies(seed, *, drift=0.15, late_share=0.15, mean=24.0, phones=48.0, shape=1.0, at_random=False, complete=True):
    """Compare remedies where delays are exponential, as the delayed feedback model has it."""
    return compare(
        seed,
        drift=drift,
        late_share=late_share,
        mean=mean,
        phones=phones,
        shape=shape,
        at_random=at_random,
        complete=complete,
    )


@experiment(seeds=16, worlds={"many quick, some slow": {}, "and no drift": {"drift": 0.0}})
def another_shape(seed, *, drift=0.15, shape=0.5):
    """Compare them where they are not: of a Weibull distribution with the same mean."""
    return compare(seed, drift=drift, shape=shape)


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
    "Yet the model then promises three percent too little or more.",
    remedies,
    holds=below(0.97),
    twin={"late_share": 0.02},
    unit="of the clicks promised with all labels known",
)
def the_promise_is_short_all_the_same(found):
    return found["few, nothing, total"]


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
    "There, labels divided by the share seen lose less entropy if the last six hours are left out.",
    remedies,
    holds=below(1),
    twin={"at_random": True},
    percent=True,
    unit="of the loss left",
)
def the_newest_hours_are_best_left_out(found):
    return found["all, divided, loss"] / found["all, all divided, loss"]


@claim(
    "Then dividing is within 0.003 of the delayed feedback model, also where delays are exponential, as that assumes.",
    remedies,
    holds=between(-0.003, 0.003),
    twin={"at_random": True},
    unit="of normalized entropy, model less division",
)
def dividing_comes_close_to_the_model(found):
    return found["all, delay model, loss"] - found["all, divided, loss"]


@claim(
    "Where the delay has another shape, quick for many and slow for some, dividing predicts better than the model.",
    another_shape,
    holds=above(0),
    twin={"shape": 1.0},
    unit="of normalized entropy",
)
def another_shape_misleads_the_model(found):
    return found["all, delay model, loss"] - found["all, divided, loss"]


@claim(
    "Modelling the delay predicts better than waiting three days.",
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
    "Dividing by a share for each device is fair to both, on average, within a tenth.",
    remedies,
    holds=between(0.9, 1.1),
    twin={"complete": False},
    unit="promised on desktops for each on phones",
)
def a_share_of_each_device_is_right(found):
    return found["phones, divided by device, desktop"] / found["phones, divided by device, mobile"]


@claim(
    "So is the delayed feedback model, whose delay depends on the device, where delays are exponential.",
    remedies,
    holds=between(0.9, 1.1),
    twin={"shape": 0.5},
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
