"""The numbers to work out in the quiz on training data."""

from math import sqrt

import numpy as np
import pandas as pd

from figures.quiz import Sum, asked
from snippets.training_data.delayed_feedback import share_seen
from snippets.training_data.negative_downsampling import recalibrate
from snippets.training_data.online_offline_consistency import consistency_report
from snippets.training_data.position_bias import examination_from_random_positions, labels_as_if_seen

POSTS = 1_000


@asked
def kappa(rng):
    """How far two raters agree beyond chance."""
    both, one, other = rng.choice([20, 30, 40]), *rng.choice([10, 20, 30, 40, 60], 2, replace=False)
    first, second = (both + one) / POSTS, (both + other) / POSTS
    agree = 1 - (one + other) / POSTS
    chance = first * second + (1 - first) * (1 - second)
    answer = (agree - chance) / (1 - chance)
    return Sum(
        question=f"Two raters mark {POSTS:,} posts as harmful or not. Both mark the same {both}, {one} are marked by "
        f"the first rater alone and {other} by the second alone. What is Cohen's kappa?",
        answer=answer,
        unit="",
        solution=f"They agree on {agree:g}. The first marks {first:g}, the second {second:g}; by chance they would "
        f"agree on {first:g} x {second:g} + {1 - first:g} x {1 - second:g} = {chance:.4f}. Kappa is "
        f"({agree:g} - {chance:.4f}) / (1 - {chance:.4f}) = {answer:.2f}.",
        read="training-data/labels.md Labels",
        within=0.03,
    )


@asked
def queue(rng):
    """How much memory a stream joiner takes."""
    window, lateness = rng.choice([10, 15, 20, 30, 40, 60]), rng.choice([2, 4, 5])
    rate, size = rng.choice([2_000, 4_000, 5_000, 8_000, 10_000, 20_000]), rng.choice([50, 100, 200])
    seconds = 60 * (window + lateness)
    answer = rate * seconds * size / 1e9
    return Sum(
        question=f"A stream joiner takes {rate:,} impressions a second. Its window is {window} minutes, events may "
        f"come up to {lateness} minutes late, and an entry takes {size} bytes. How much memory do the entries need, "
        "in GB of a billion bytes?",
        answer=answer,
        unit="GB",
        solution=f"An impression is held for {window} + {lateness} minutes, that is {seconds:,} seconds. {rate:,} x "
        f"{seconds:,} = {rate * seconds:,} entries; times {size} bytes that is {answer:.3g} GB.",
        read="training-data/joining-events.md Joining events",
    )


@asked
def complete_rate(rng):
    """How high the click rate of fresh rows is once all clicks have come."""
    age, early = rng.choice([6, 12, 24]), rng.integers(4, 9)
    delays = [*sorted(rng.integers(1, age, early)), *sorted(rng.choice([30, 36, 42, 48, 60, 72], 10 - early))]
    shown, clicks = rng.choice([1_000, 2_000, 4_000]), rng.choice([18, 24, 30, 36])
    share = share_seen([age], delays)[0]
    answer = clicks / share / shown * 100
    return Sum(
        question=f"Ten clicks on old rows came after {', '.join(map(str, delays))} hours. A new ad has {shown:,} "
        f"impressions, all {age} hours old, and {clicks} clicks so far. Divide by the share seen: what click rate do "
        "you expect in the end, in percent?",
        answer=answer,
        unit="%",
        solution=f"Of the ten clicks {early} had come within {age} hours, a share of {share:g}. {clicks} / {share:g} = "
        f"{clicks / share:.1f} clicks in the end; of {shown:,} impressions that is, in percent, {answer:.2f}.",
        read="training-data/delayed-feedback.md Delayed feedback",
    )


@asked
def one_share(rng):
    """How wrong one factor for all is on a device that is late in its own way."""
    device = rng.permutation(["phones", "desktops"])[0]
    seen = {"phones": rng.choice([0.5, 0.6, 0.7]), "desktops": rng.choice([0.8, 0.9, 0.95])}
    phones = rng.choice([0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    total = phones * seen["phones"] + (1 - phones) * seen["desktops"]
    answer = seen[device] / total
    return Sum(
        question=f"Of the clicks on phones {100 * seen['phones']:g} % have come, of those on desktops "
        f"{100 * seen['desktops']:g} %. In the end {100 * phones:g} % of all clicks are on phones. You divide all "
        f"labels by the share seen over both; the model knows the device. How many clicks does it promise on {device} "
        "for each one that comes in the end?",
        answer=answer,
        unit="",
        solution=f"Over both, {phones:g} x {seen['phones']:g} + {1 - phones:g} x {seen['desktops']:g} = {total:g} "
        f"have come. On {device} the labels hold {seen[device]:g} of the clicks: {seen[device]:g} / {total:g} = "
        f"{answer:.2f}.",
        read="training-data/delayed-feedback.md Delayed feedback",
    )


@asked
def liked_if_seen(rng):
    """How often an ad would be clicked if it stood on top."""
    position, pages, top = rng.integers(2, 6), 5_000, rng.choice([200, 240, 300, 400])
    lower = int(top * rng.choice([0.4, 0.5, 0.6, 0.75]))
    shown, clicks = rng.choice([500, 1_000, 2_000]), rng.choice([9, 12, 15, 18])
    click = np.r_[np.arange(pages) < top, np.arange(pages) < lower]
    look = examination_from_random_positions(click, np.repeat([1, position], pages)).loc[position, "examination"]
    answer = labels_as_if_seen(np.arange(shown) < clicks, np.full(shown, look)).mean() * 100
    return Sum(
        question=f"On {pages:,} pages in random order, what stood at position 1 got {top} clicks, and what stood at "
        f"position {position} got {lower}. An ad was shown {shown:,} times, each time at position {position}, and got "
        f"{clicks} clicks. What would its click rate be at position 1, by the position-based model, in percent?",
        answer=answer,
        unit="%",
        solution=f"In random order each position shows the same mix, so position {position} is looked at {lower} / "
        f"{top} = {look:g} times as often as position 1. The ad's own rate is {clicks} / {shown:,} = "
        f"{100 * clicks / shown:g} %; divided by {look:g} that is, in percent, {answer:.2f}.",
        read="training-data/bias.md Position bias",
    )


@asked
def sampled_negatives(rng):
    """How likely a click is before negatives were dropped."""
    one_in, p = rng.choice([5, 10, 20, 50]), rng.choice([0.2, 0.25, 0.4, 0.5, 0.6, 0.75])
    answer = recalibrate([p], 1 / one_in)[0] * 100
    odds = p / (1 - p)
    return Sum(
        question=f"A model was trained on all clicks and one in {one_in} of the other rows. It says {p:g}. What is the "
        "probability of a click on all traffic, in percent?",
        answer=answer,
        unit="%",
        solution=f"The odds are {p:g} / {1 - p:g} = {odds:.3g}. Sampling multiplied them by {one_in}, so divide: "
        f"{odds / one_in:.3g}. As a probability: {odds / one_in:.3g} / (1 + {odds / one_in:.3g}), in percent "
        f"{answer:.3g}.",
        read="training-data/class-imbalance.md Class imbalance",
    )


@asked
def run_every(rng):
    """How many days between two training runs cost least."""
    run, day = rng.choice([60, 90, 120, 200, 250]), rng.choice([5, 8, 10, 15, 20])
    answer = sqrt(2 * run / day)
    return Sum(
        question=f"A training run costs {run} dollars. A model loses {day} dollars a day more for each day of its age, "
        "and nothing on its first day. How many days apart should runs be, not rounded to whole days?",
        answer=answer,
        unit="days",
        solution=f"With a run every k days a day costs {day} (k - 1) / 2 for the average age and {run} / k for the "
        f"run. The slope is zero where {day} / 2 = {run} / k²: k is the root of 2 x {run} / {day} = "
        f"{2 * run / day:.3g}, that is {answer:.2f}.",
        read="training-data/recency.md How often to retrain a model",
    )


@asked
def steps(rng):
    """How much larger the steps of a new ad are, with a rate for each coordinate."""
    size = rng.choice([0.1, 0.2, 0.4, 0.5])
    old, new = rng.choice([10_000, 40_000, 90_000, 160_000, 250_000, 1_000_000]), rng.choice([25, 100, 400, 900])
    roots = [size * sqrt(n) for n in (old, new)]
    answer = (1 + roots[0]) / (1 + roots[1])
    return Sum(
        question="Each weight learns at the rate alpha / (1 + root of G), with G the sum of its squared gradients. One "
        f"ad has had {old:,} rows, a new one {new}; take each gradient as {size:g} in size. How many times as large is "
        "the new ad's rate?",
        answer=answer,
        unit="times",
        solution=f"The root of G is {size:g} x the root of the rows: {roots[0]:g} for the old ad, {roots[1]:g} for "
        f"the new one. Alpha cancels: (1 + {roots[0]:g}) / (1 + {roots[1]:g}) = {answer:.3g}.",
        read="training-data/online-learning.md Online learning",
    )


@asked
def smape(rng):
    """How far served values are from recomputed ones, by sums or by row."""
    by_row = bool(rng.permutation(2)[0])
    offline = np.array([rng.choice([200, 300, 400, 500]), rng.choice([20, 25, 30, 40]), rng.choice([2, 3, 4])])
    gaps = np.array([rng.choice([2, 4, 6, 8]), 1, 1])
    online = offline - gaps
    frames = [pd.DataFrame({"id": range(3), "clicks": side}) for side in (online, offline)]
    answer = consistency_report(*frames, ["id"]).loc[0, "smape_mean" if by_row else "smape"] * 100
    pairs = list(zip(online, offline, gaps, strict=True))
    if by_row:
        asked_for = "the mean over the three of 2 |a - b| / (a + b)"
        terms = [f"2 x {gap} / {a + b} = {2 * gap / (a + b):.4f}" for a, b, gap in pairs]
        done = f"{', '.join(terms)}: most of it is the smallest counter. Their mean, in percent: {answer:.1f}."
    else:
        asked_for = "the sum of |a - b| divided by the sum of a + b"
        done = f"The sum of distances is {' + '.join(map(str, gaps))} = {gaps.sum()}. The sum of all six values is "
        done += f"{(online + offline).sum()}. In percent: {answer:.3g}."
    return Sum(
        question=f"A counter was served as {online[0]}, {online[1]} and {online[2]} in three requests; recomputed it "
        f"is {offline[0]}, {offline[1]} and {offline[2]}. What is SMAPE, as {asked_for}, in percent?",
        answer=answer,
        unit="%",
        solution=done,
        read="training-data/online-offline-consistency.md Training-serving skew",
    )
