"""The numbers to work out in the quiz on feature engineering."""

import math

import numpy as np

from figures.quiz import Sum, asked
from snippets.features.hashing import collision_share
from snippets.features.historical_counters import smoothed_rate
from snippets.features.target_encoding import encode_ordered


def _one_of(rng, *values):
    """Return one of some values; neighbouring seeds differ more in a permutation than in a first draw."""
    return values[rng.permutation(len(values))[0]]


def _count(n, noun):
    return f"{n:g} {noun}" + "s" * (n != 1)


@asked
def smoothed(rng):
    """Ask for an ad's click rate after smoothing."""
    shown = _one_of(rng, 20, 40, 50, 80, 100)
    prior = _one_of(rng, 0.02, 0.03, 0.04, 0.05)
    strength = _one_of(rng, 50, 100, 150, 200)
    clicks = math.ceil(shown * prior) + int(rng.integers(2, 5))
    made_up = round(strength * prior, 9)
    rate = 100 * float(smoothed_rate(clicks, shown, prior, strength))
    return Sum(
        question=f"An ad has {clicks} clicks in {shown} impressions. The average click rate is {100 * prior:g} %, and "
        f"this prior is to count as {strength} impressions. What is the ad's smoothed click rate?",
        answer=rate,
        unit="%",
        solution=f"The prior brings {strength} impressions with {strength} x {prior:g} = {_count(made_up, 'click')}: "
        f"({clicks} + {made_up:g}) / ({shown} + {strength}) = {clicks + made_up:g} / {shown + strength} "
        f"= {rate:.3g} %.",
        read="features/catalogue.md A catalogue of features",
    )


@asked
def pairs(rng):
    """Ask how many rows a join makes that keeps each earlier feature row."""
    days = _one_of(rng, 60, 90, 120, 180, 240, 360)
    labels = _one_of(rng, 3, 4, 5, 8, 10)
    rows = labels * 1e6 * days / 2
    return Sum(
        question=f"A feature table holds one row a day for each key, for {days} days. {labels} million labels are "
        "spread evenly over these days. A join on known_at < shown_at keeps all earlier feature rows of a label's key, "
        "for row_number() to choose from. About how many rows does the join make?",
        answer=rows,
        unit="rows",
        solution=f"The label of day d finds about d feature rows, on average half of {days}, which is {days / 2:g}: "
        f"{labels} million x {days / 2:g} = {rows / 1e6:,.0f} million, or {rows:,.0f} rows.",
        read="features/point-in-time-joins.md Point-in-time joins",
        within=0.03,
    )


@asked
def collisions(rng):
    """Ask which share of ids do not have their column to themselves."""
    bits = _one_of(rng, 14, 16, 18, 20)
    columns = 2**bits
    ids = int(round(columns * _one_of(rng, 0.15, 0.3, 0.5, 0.9), -3 if bits < 18 else -4))
    share = 100 * collision_share(ids, bits)
    load = ids / columns
    return Sum(
        question=f"{ids:,} ids are hashed into {columns:,} columns. What share of the ids do you expect in a column "
        "with another one?",
        answer=share,
        unit="%",
        solution=f"An id is alone if all others miss its column: (1 - 1 / {columns:,})^{ids - 1:,}, which is nearly "
        f"e^(-{ids:,} / {columns:,}) = e^(-{load:.3f}) = {math.exp(-load):.3f}. The rest collides: {share:.3g} %.",
        read="features/categories.md Categories, one-hot and hashed",
        within=0.03,
    )


@asked
def ordered(rng):
    """Ask for a row's code from the rows before it."""
    before = rng.permutation([1, *rng.integers(0, 2, 2), *[0] * int(rng.integers(2, 5))])
    labels = [*before.tolist(), int(rng.integers(0, 2))]
    prior = _one_of(rng, 0.05, 0.1, 0.2)
    strength = _one_of(rng, 4, 5, 10, 20)
    n, clicks = len(before), int(before.sum())
    total = clicks + round(strength * prior, 9)
    code = 100 * encode_ordered(["ad"] * len(labels), labels, np.arange(len(labels)), strength, prior)[-1]
    return Sum(
        question=f"The rows of one ad, in order of time, have the labels {', '.join(map(str, labels))}. Each row is "
        f"encoded by the rows before it, smoothed towards a prior of {100 * prior:g} % that counts as {strength} rows. "
        "What is the code of the last row, as a rate?",
        answer=code,
        unit="%",
        solution=f"Its own label stays out: the {n} rows before it hold {_count(clicks, 'click')}. "
        f"({clicks} + {strength} x {prior:g}) / ({n} + {strength}) = {total:g} / {n + strength} = {code:.3g} %.",
        read="features/target-encoding.md Target encoding",
    )


@asked
def strength(rng):
    """Ask how many rows the prior of a target encoding should be worth."""
    share = _one_of(rng, 0.2, 0.25, 0.3)
    rate = _one_of(rng, 0.02, 0.04, 0.06, 0.08, 0.1)
    spread = round(rate * share, 4)
    noise, variance = rate * (1 - rate), f"{spread**2:.8f}".rstrip("0")
    rows = noise / spread**2
    return Sum(
        question=f"Clicks have a rate of {100 * rate:g} % on average, and the true rates of the ads differ from it "
        f"with a standard deviation of {_count(round(100 * spread, 4), 'percentage point')}. About how many rows "
        "should the prior of an ad's target encoding be worth?",
        answer=rows,
        unit="rows",
        solution=f"The noise of one row, {rate:g} x {1 - rate:g} = {noise:.4g}, divided by the variance of the true "
        f"rates, {spread:g} x {spread:g} = {variance}: about {rows:.0f} rows.",
        read="features/target-encoding.md Target encoding",
        within=0.03,
    )


@asked
def odds(rng):
    """Ask by what factor odds rise with a logarithm."""
    weight = _one_of(rng, 0.2, 0.25, 0.3, 0.4, 0.5)
    start = _one_of(rng, 20, 30, 50, 100)
    times = _one_of(rng, 3, 4, 5, 8, 10)
    log, factor = math.log(times), times**weight
    return Sum(
        question=f"A logistic regression gives the natural logarithm of an ad's impressions a day the weight "
        f"{weight:g}. The ad goes from {start} to {start * times:,} impressions a day, and nothing else changes. By "
        "what factor do its predicted odds of a click rise?",
        answer=factor,
        unit="times",
        solution=f"The logarithm rises by ln({start * times:,} / {start}) = ln {times} = {log:.3f}, the log-odds by "
        f"{weight:g} x {log:.3f} = {weight * log:.3f}, the odds by the factor e^{weight * log:.3f} = {factor:.3g}.",
        read="features/numeric.md Numeric features",
    )


@asked
def where_missing(rng):
    """Ask how wrong the promise is where a feature is missing."""
    share = _one_of(rng, 0.05, 0.1, 0.2, 0.25)
    there = _one_of(rng, 0.9, 1.0, 1.1)
    ratio = _one_of(rng, 3, 4, 5, 6, 8)
    rest = (1 - share) * there
    total, left = rest + share * ratio, share * ratio
    return Sum(
        question=f"{100 * share:g} % of all clicks come from requests in which a feature was missing. Promised over "
        f"observed clicks is {total:.3f} in total, and {there:.1f} where the feature was there. What is this ratio "
        "where it was missing?",
        answer=ratio,
        unit="",
        solution=f"The total is the mean of both ratios, weighed by clicks. {1 - share:g} x {there:.1f} = {rest:.3f} "
        f"comes from where the feature was there, so {total:.3f} - {rest:.3f} = {left:.3f} from where it was missing, "
        f"with {share:g} of the clicks: {left:.3f} / {share:g} = {ratio}.",
        read="features/missing-values.md Missing values and coverage",
    )


@asked
def memory(rng):
    """Ask how much memory a narrower embedding saves."""
    items = _one_of(rng, 5, 10, 20, 50, 100)
    wide = _one_of(rng, 512, 768, 1024)
    narrow = _one_of(rng, 32, 64, 128, 256)
    saved = items * 1e6 * (wide - narrow) * 4 / 1e9
    return Sum(
        question=f"{items} million items have embeddings of {wide} numbers, four bytes each. You cut them to {narrow} "
        "numbers. How much memory does that save, with a gigabyte of 10^9 bytes?",
        answer=saved,
        unit="GB",
        solution=f"{wide} - {narrow} = {wide - narrow} numbers of four bytes are {4 * (wide - narrow):,} bytes an "
        f"item, times {items} million items: {saved:.3g} GB.",
        read="features/text.md Text and embeddings",
    )
