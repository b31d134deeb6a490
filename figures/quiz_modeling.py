"""The numbers to work out in the quiz on modeling."""

import math

import numpy as np
from scipy.special import expit, logit

from figures.quiz import Sum, asked
from snippets.modeling.factorization_machine import pairwise
from snippets.modeling.model_comparison import paired_difference
from snippets.modeling.smoothed_ctr import SmoothedCTR
from snippets.modeling.two_tower_logq import in_batch_softmax


def _percent(share):
    return f"{100 * share:.4g} %"


@asked
def smoothed_rate(rng):
    """Ask what to predict for an ad with few impressions."""
    rate, strength = rng.choice([0.02, 0.03, 0.04, 0.05]), rng.choice([40, 50, 60, 80, 100])
    shown, clicks = rng.choice([10, 20, 25, 40]), rng.integers(2, 5)
    others = 100_000 - shown
    counts = [clicks, shown - clicks, rate * 100_000 - clicks, others - rate * 100_000 + clicks]
    model = SmoothedCTR(float(strength)).fit([[0], [0], [1], [1]], [1, 0, 1, 0], counts)
    answer = 100 * model.predict_proba([[0]])[0, 1]
    return Sum(
        question=f"All ads together have a click rate of {_percent(rate)}, and the prior is worth {strength} "
        f"impressions. An ad has {clicks} clicks in {shown} impressions. What click rate do you predict for it?",
        answer=answer,
        unit="%",
        solution=f"The prior brings {strength} x {rate:g} = {strength * rate:g} clicks in {strength} impressions. "
        f"Together {clicks} + {strength * rate:g} = {clicks + strength * rate:g} clicks in {shown} + {strength} = "
        f"{shown + strength} impressions: {answer:.2f} %.",
        read="modeling/baselines.md Baselines",
    )


@asked
def doubtful_posts(rng):
    """Ask what is still wrong when a larger model reads the posts of which the small one is least sure."""
    wrong, better = rng.choice([10, 12, 15, 16, 20]), rng.choice([80, 85, 90, 95])
    sent, held = [(10, 30), (10, 40), (20, 50), (20, 55), (20, 60)][rng.integers(5)]
    rest, paid = wrong * (100 - held) / 100, sent * (100 - better) / 100
    return Sum(
        question=f"A linear model is wrong for {wrong} % of the posts. The {sent} % of which it is least sure hold "
        f"{held} % of its errors. Those go to a language model, which is right for {better} % of them. Of all posts, "
        "how many per cent are wrong now?",
        answer=rest + paid,
        unit="%",
        solution=f"Of the errors, {100 - held} % are among the posts that stay: {wrong} x {(100 - held) / 100:g} = "
        f"{rest:g} % of all posts. Of those that are sent, {100 - better} % are wrong: {sent} x "
        f"{(100 - better) / 100:g} = {paid:g} %. Together {rest + paid:.2f} %.",
        read="modeling/bag-of-words.md Bag of words",
    )


@asked
def sum_of_weights(rng):
    """Ask for the probability of a sum of weights."""
    rate = rng.choice([0.02, 0.03, 0.04, 0.05])
    ad, cross, hour = rng.choice([0.4, 0.5, 0.7, 0.9]), rng.choice([0.3, 0.4, 0.6]), rng.choice([-0.2, -0.3])
    total = ad + cross + hour
    answer = 100 * expit(logit(rate) + total)
    odds = rate / (1 - rate)
    return Sum(
        question=f"The intercept of a logistic regression alone says {_percent(rate)}. A row adds the weights {ad:g} "
        f"for its ad, {hour:g} for its hour and {cross:g} for its category and age. What probability does the model "
        "give it?",
        answer=answer,
        unit="%",
        solution=f"The weights add to {total:.1f}, a factor of exp({total:.1f}) = {math.exp(total):.3f} on the odds. "
        f"The odds of the intercept are {rate:g} / {1 - rate:g} = {odds:.4f}, those of the row "
        f"{odds * math.exp(total):.4f}. Odds over 1 + odds: {answer:.2f} %.",
        read="modeling/linear-models.md Linear models",
    )


@asked
def pair_part(rng):
    """Ask for what the pairs of a factorization machine add."""
    while True:
        vectors = rng.integers(-4, 6, (3, 2)) / 10
        answer = float(pairwise(np.ones((1, 3)), vectors)[0])
        if abs(answer) >= 0.05:
            break
    user, ad, hour = (f"({a:g}, {b:g})" for a, b in vectors)
    parts = [float(vectors[i] @ vectors[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    return Sum(
        question=f"A factorization machine has the vectors {user} for the user, {ad} for the ad and {hour} for the "
        "hour of a row. How much do their pairs add to the log odds?",
        answer=answer,
        unit="",
        solution=f"Each pair adds a dot product. User and ad: {parts[0]:.2f}; user and hour: {parts[1]:.2f}; ad and "
        f"hour: {parts[2]:.2f}. Together {answer:.2f}.",
        read="modeling/factorization-machines.md Factorization machines",
        within=0.01,
    )


@asked
def table_in_memory(rng):
    """Ask for the memory of an embedding table in training."""
    users, width, more = rng.choice([50, 100, 200, 400]), rng.choice([16, 32, 64, 128]), rng.choice([1, 2])
    weights = users * width / 1_000
    answer = weights * 4 * (1 + more)
    return Sum(
        question=f"An embedding table has a vector of {width} numbers for each of {users} million users. For each of "
        f"these numbers the optimizer keeps {more} more. All have four bytes. How many gigabytes, a billion bytes "
        "each, does training need for the table?",
        answer=answer,
        unit="GB",
        solution=f"{users} million x {width} = {weights:g} billion numbers, each kept {1 + more} times: "
        f"{weights * (1 + more):g} billion. Times 4 bytes: {answer:g} GB.",
        read="modeling/deep-models.md Deep click models",
    )


@asked
def corrected_softmax(rng):
    """Ask what the corrected loss says of a click in a batch of two."""
    rare = rng.choice([0.001, 0.002, 0.005])
    times, lead, other = rng.choice([2, 5, 10, 20]), rng.choice([1.0, 1.5, 2.0, 2.5]), rng.choice([0.5, 1.0, 2.0])
    scores, shares = np.array([other + lead, other]), np.array([rare * times, rare])
    _, error, _ = in_batch_softmax(np.array([scores, scores]), np.eye(2), np.log(shares))
    answer = 100 * (1 + 2 * error[0, 0])
    return Sum(
        question=f"A batch holds two items. The clicked one has a dot product of {scores[0]:g} with the user and "
        f"{_percent(shares[0])} of all clicks, the other one {scores[1]:g} and {_percent(shares[1])}. With log q "
        "subtracted, what probability does the softmax give the clicked item?",
        answer=answer,
        unit="%",
        solution=f"Subtracting log q divides exp(score) by the share. The clicked item is ahead by exp({lead:g}) = "
        f"{math.exp(lead):.2f}, and divided by a share {times} times as large: {math.exp(lead) / times:.3f} to 1. As a "
        f"probability: {answer:.1f} %.",
        read="modeling/two-towers.md Two towers",
        within=0.03,
    )


@asked
def cells_of_an_index(rng):
    """Ask for the work of an approximate search."""
    items, cells = rng.choice([1, 2, 4, 5, 8, 10]), rng.choice([1_000, 2_000, 4_000, 5_000])
    opened, width = rng.choice([10, 20, 50]), rng.choice([32, 64, 100])
    inside = items * 1_000_000 * opened // cells
    answer = (cells + inside) * width / 1e6
    return Sum(
        question=f"{items} million items lie in {cells:,} cells of equal size, as vectors of {width} numbers. A search "
        f"scores the centers of all cells, then the items of the best {opened}. How many million multiplications is "
        "that?",
        answer=answer,
        unit="million",
        solution=f"{cells:,} centers, and {opened} cells with {items * 1_000_000 // cells:,} items each: {cells:,} + "
        f"{inside:,} = {cells + inside:,} dot products. Times {width}: {answer:.3g} million.",
        read="modeling/two-towers.md Two towers",
    )


@asked
def weight_of_variety(rng):
    """Ask where maximal marginal relevance turns from the item that is alike to the other."""
    near, far = rng.choice([0.6, 0.7, 0.8, 0.9]), rng.choice([0.1, 0.2, 0.3])
    gap, coat = rng.choice([0.1, 0.2, 0.3]), rng.choice([0.3, 0.4, 0.5, 0.6])
    answer = (near - far) / (near - far + gap)
    return Sum(
        question=f"One pair of sneakers is picked. Left are more sneakers, score {coat + gap:.1f} and cosine {near:g} "
        f"with the pair, and a coat, score {coat:g} and cosine {far:g}. Maximal marginal relevance gives the score the "
        "weight w, and the cosine 1 - w. Below which w is the coat next?",
        answer=answer,
        unit="",
        solution=f"Both are level where w x {gap:.1f}, the lead in score, equals (1 - w) x {near - far:.1f}, the lead "
        f"in cosine. So w = {near - far:.1f} / ({near - far:.1f} + {gap:.1f}) = {answer:.3f}.",
        read="modeling/diversity.md Diversity",
        within=0.01,
    )


@asked
def error_of_replay(rng):
    """Ask how little a replay on random rows says."""
    rows, items, rate = rng.choice([200_000, 400_000, 1_000_000]), rng.choice([20, 40, 50, 80]), rng.choice([0.5, 1, 2])
    kept = rows / items
    clicks = kept * rate / 100
    answer = 100 * math.sqrt((1 - rate / 100) / clicks)
    return Sum(
        question=f"A log has {rows:,} rows, each with one of {items} items drawn at random with equal chances. A "
        f"policy is replayed on it, and {rate:g} % of the rows that are kept are clicked. How large is the standard "
        "error of its click rate, as a share of that rate?",
        answer=answer,
        unit="%",
        solution=f"Kept are {rows:,} / {items} = {kept:,.0f} rows, with {clicks:g} clicks. The error of a count is "
        f"about its root, so its share is 1 / root of {clicks:g}, and a little less for the rate of misses: "
        f"{answer:.1f} %.",
        read="modeling/exploration.md Cold start and exploration",
        within=0.03,
    )


@asked
def clicks_are_selected(rng):
    """Ask how far the conversion rate of clicks is above that of all impressions."""
    share = rng.choice([0.2, 0.3, 0.4, 0.5])
    click = rng.choice([0.05, 0.06, 0.08, 0.1]), rng.choice([0.01, 0.02])
    buy = rng.choice([0.2, 0.3, 0.4]), rng.choice([0.05, 0.1])
    clicked = share * click[0], (1 - share) * click[1]
    of_clicks = (clicked[0] * buy[0] + clicked[1] * buy[1]) / sum(clicked)
    of_all = share * buy[0] + (1 - share) * buy[1]
    answer = 100 * (of_clicks - of_all)
    return Sum(
        question=f"{_percent(share)} of the impressions fit the user: {_percent(click[0])} of them are clicked, and "
        f"{_percent(buy[0])} of those clicks convert. Of the others {_percent(click[1])} are clicked, and "
        f"{_percent(buy[1])} of those clicks convert. Each impression would convert at the rate of its kind if it were "
        "clicked. By how many percentage points is the conversion rate of clicks above that of all impressions?",
        answer=answer,
        unit="points",
        solution=f"Of 10,000 impressions {1e4 * clicked[0]:.0f} + {1e4 * clicked[1]:.0f} = {1e4 * sum(clicked):.0f} "
        f"are clicked, and {1e4 * clicked[0] * buy[0]:g} + {1e4 * clicked[1] * buy[1]:g} convert: "
        f"{_percent(of_clicks)}. If all were clicked: {share:g} x {_percent(buy[0])} + {1 - share:g} x "
        f"{_percent(buy[1])} = {_percent(of_all)}. Above it by {answer:.2f} points.",
        read="modeling/multi-task.md Multi-task models",
        within=0.04,
    )


@asked
def precision_on_all_rows(rng):
    """Ask for the precision without the sampling of negatives."""
    precision, keep = rng.choice([60, 70, 75, 80, 90]), rng.choice([4, 5, 10, 20])
    false = (100 - precision) * keep
    answer = 100 * precision / (precision + false)
    return Sum(
        question=f"On a test set that keeps one in {keep} of the rows without a click, drawn at random, and all with "
        f"one, a threshold has a precision of {precision} %. What is its precision on all rows?",
        answer=answer,
        unit="%",
        solution=f"Of 100 flagged rows {precision} are clicks and {100 - precision} are not. On all rows the same "
        f"threshold flags {keep} times as many without a click, {false}. {precision} / ({precision} + {false}) = "
        f"{answer:.1f} %.",
        read="modeling/training-metrics.md Training metrics",
    )


@asked
def log_by_log(rng):
    """Ask how many standard errors lie between two models over five logs."""
    while True:
        old, less = rng.integers(890, 930, 5), rng.integers(-1, 8, 5)
        found = paired_difference((old - less) / 1_000, old / 1_000)
        if less.mean() >= 2 and less.std() >= 1:
            break
    answer = -found.mean / found.standard_error
    spread = less.std(ddof=1)
    lines = [", ".join(f"{x / 1_000:.3f}" for x in row) for row in (old, old - less)]
    return Sum(
        question=f"Normalized entropies on five logs, in the same order. The old model: {lines[0]}. The new one: "
        f"{lines[1]}. Log by log, the new model is ahead by how many standard errors of the mean difference?",
        answer=answer,
        unit="standard errors",
        solution=f"It is ahead by {', '.join(map(str, less))} thousandths: {less.mean():g} on average, with a standard "
        f"deviation of {spread:.3f} (four degrees of freedom) and so a standard error of {spread:.3f} / root of 5 = "
        f"{spread / math.sqrt(5):.3f}. {'No tie' if not found.is_tie else 'A tie'}, since Student's limit for five "
        f"logs is 2.78 and this is {answer:.2f}.",
        read="modeling/choosing.md Choosing a model",
        within=0.03,
    )


@asked
def runs_of_each(rng):
    """Ask how many seeds a difference of two settings takes."""
    error, spread = rng.choice([0.0005, 0.001]), rng.choice([0.002, 0.003, 0.004, 0.005, 0.006])
    answer = round(2 * (spread / error) ** 2)
    return Sum(
        question=f"Runs of one setting that differ in the seed have entropies with a standard deviation of {spread:g}. "
        "Two settings get as many seeds each, all different. How many runs of each bring the standard error of the "
        f"difference of their means down to {error:g}?",
        answer=answer,
        unit="runs",
        solution=f"The variance of the difference of two means of n runs is 2 x {spread:g}² / n. It is to be "
        f"{error:g}², so n = 2 x ({spread:g} / {error:g})² = 2 x {(spread / error) ** 2:g} = {answer}.",
        read="modeling/training-process.md The training process",
    )
