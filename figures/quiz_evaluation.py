"""The numbers to work out in the quiz on evaluation and deployment."""

import numpy as np
from scipy.special import entr
from scipy.stats import norm

from figures.quiz import Sum, asked
from snippets.evaluation.ab_test import sample_ratio_mismatch, sample_size_per_arm
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.drift import population_stability_index
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.off_policy import ips, weight_report
from snippets.evaluation.ranking_metrics import group_auc, ndcg_at_k

ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th")


@asked
def device_entropy(rng):
    """Ask for normalized entropy of a model that knows the device alone."""
    desktop = rng.choice([0.01, 0.02, 0.03])
    phone = desktop * rng.choice([3, 4, 5, 6])
    y, p, weight = [1, 0, 1, 0], [phone, phone, desktop, desktop], [phone, 1 - phone, desktop, 1 - desktop]
    ne = normalized_entropy(y, p, sample_weight=weight)
    mean = (phone + desktop) / 2
    on_phones, on_desktops, unit = (entr(rate) + entr(1 - rate) for rate in (phone, desktop, mean))
    loss = (on_phones + on_desktops) / 2
    return Sum(
        question=f"Half of the impressions are on phones, where {_percent(phone)} are clicked, and half on desktops, "
        f"where {_percent(desktop)} are. A model knows the device alone and predicts these two rates. What is its "
        "normalized entropy?",
        answer=ne,
        unit="",
        solution=f"A rate r that is predicted rightly has the log loss -r ln r - (1 - r) ln(1 - r): {on_phones:.4f} on "
        f"phones, {on_desktops:.4f} on desktops, {loss:.4f} on average. To predict the average of {_percent(mean)} for "
        f"all costs {unit:.4f}. {loss:.4f} / {unit:.4f} = {ne:.3f}.",
        read="evaluation/normalized-entropy.md Normalized entropy",
        within=0.01,
    )


@asked
def calibration_errors(rng):
    """Ask how far a ratio of expected to observed clicks is from 1."""
    clicks, percent = int(rng.choice([400, 900, 1_600, 2_500])), rng.choice([85, 90, 95, 105, 110, 115])
    n, mean = 50 * clicks, round(0.02 * percent / 100, 5)
    ratio = calibration_ratio(np.arange(n) < clicks, np.full(n, mean))
    away = abs(ratio - 1) * np.sqrt(clicks)
    return Sum(
        question=f"Of {n:,} impressions {clicks:,} were clicked, and the mean prediction was {_percent(mean)}. By how "
        "many standard errors is the ratio of expected to observed clicks away from 1? Take one over the root of the "
        "clicks for a standard error.",
        answer=away,
        unit="standard errors",
        solution=f"Expected: {n:,} x {mean:g} = {n * mean:,.0f} clicks. Ratio: {n * mean:,.0f} / {clicks:,} = "
        f"{ratio:.2f}. Standard error: 1 / {np.sqrt(clicks):.0f} = {1 / np.sqrt(clicks):.4f}. {abs(ratio - 1):.2f} / "
        f"{1 / np.sqrt(clicks):.4f} = {away:.2f}.",
        read="evaluation/calibration.md Calibration",
        within=0.03,
    )


@asked
def two_clicks(rng):
    """Ask for NDCG of a list with two clicks."""
    one, two = _two_places(rng, 6)
    places = np.arange(1, 7)
    ndcg = ndcg_at_k((places == one) | (places == two), -places, np.zeros(6, int), 6)
    gains = 1 / np.log2(np.array([one, two]) + 1)
    best = 1 + 1 / np.log2(3)
    return Sum(
        question=f"A list shows six items, and the {ORDINALS[one - 1]} and the {ORDINALS[two - 1]} from the top are "
        "clicked. A click at place r has the gain 1 / log2(r + 1). What is NDCG at 6?",
        answer=ndcg,
        unit="",
        solution=f"Gain: {gains[0]:.3f} + {gains[1]:.3f} = {gains.sum():.3f}. Best order, clicks on places 1 and 2: "
        f"1 + {best - 1:.3f} = {best:.3f}. {gains.sum():.3f} / {best:.3f} = {ndcg:.3f}.",
        read="evaluation/ranking-metrics.md Ranking metrics",
        within=0.01,
    )


@asked
def auc_by_user(rng):
    """Ask for AUC by user of two users."""
    (one, two), third = _two_places(rng, 5), int(rng.integers(1, 4))
    place, user = np.array([1, 2, 3, 4, 5, 1, 2, 3, 4]), np.repeat([0, 1], [5, 4])
    click = np.where(user == 0, (place == one) | (place == two), place == third)
    auc = group_auc(click, -place, user)
    right_a, right_b = (4 - one) + (5 - two), 4 - third
    return Sum(
        question=f"A model sorts five items for Ann, who clicks its {ORDINALS[one - 1]} and {ORDINALS[two - 1]}, and "
        f"four for Ben, who clicks its {ORDINALS[third - 1]}. What is AUC by user, weighted by impressions?",
        answer=auc,
        unit="",
        solution=f"Pairs of a click and another item in the right order: {right_a} of 2 x 3 = 6 for Ann, {right_b} of "
        f"1 x 3 = 3 for Ben. (5 x {right_a}/6 + 4 x {right_b}/3) / 9 = {auc:.3f}.",
        read="evaluation/ranking-metrics.md Ranking metrics",
        within=0.01,
    )


def _two_places(rng, places):
    """Return two places, in order, that are not the two on top."""
    one, two = sorted(map(int, rng.choice(np.arange(1, places + 1), 2, replace=False)))
    return (one, two) if two > 2 else (one, places)


def _percent(share):
    return f"{100 * share:.3g} %"


def _one_item(rng):
    """Return rows that show an item and those that do not, and their propensities and probabilities in the target."""
    shown, wanted = int(rng.choice([100, 200, 500])), rng.choice([0.1, 0.2, 0.3, 0.4])
    rows = np.array([shown, 10_000 - shown])
    return rows, rows / rows.sum(), np.array([wanted, 1 - wanted])


@asked
def value_of_a_policy(rng):
    """Ask for the click rate of another policy."""
    rows, logging, target = _one_item(rng)
    rates = rng.choice([[0.04, 0.01], [0.06, 0.02], [0.08, 0.02], [0.12, 0.03]])
    clicks = np.rint(rows * rates).astype(int)
    click = np.concatenate([np.arange(n) < c for n, c in zip(rows, clicks, strict=True)])
    value = 100 * ips(click, np.repeat(logging, rows), np.repeat(target, rows)).estimate
    weight = target / logging
    return Sum(
        question=f"A policy that shows item 7 in {_percent(logging[0])} of requests has left 10,000 rows: "
        f"{rows[0]:,} of item 7 with {clicks[0]:,} clicks, {rows[1]:,} of other items with {clicks[1]:,}. Yours shows "
        f"item 7 in {_percent(target[0])} and leaves the others in proportion. What click rate does inverse propensity "
        "scoring give it?",
        answer=value,
        unit="%",
        solution=f"Weights: {target[0]:g} / {logging[0]:g} = {weight[0]:g} for item 7, {target[1]:g} / {logging[1]:g} "
        f"= {weight[1]:.4f} for the others. ({weight[0]:g} x {clicks[0]:,} + {weight[1]:.4f} x {clicks[1]:,}) / 10,000 "
        f"is, in percent, {value:.2f}.",
        read="evaluation/off-policy.md Off-policy evaluation",
        within=0.01,
    )


@asked
def effective_rows(rng):
    """Ask for the effective rows of a log for another policy."""
    rows, logging, target = _one_item(rng)
    report = weight_report(np.repeat(logging, rows), np.repeat(target, rows))
    weight = target / logging
    squares = rows @ weight**2
    return Sum(
        question=f"A policy shows item 7 in {rows[0]:,} of its 10,000 rows, as its propensity says. Yours would show "
        f"it in {_percent(target[0])} of requests and leave the others in proportion. How many effective rows does the "
        "log hold for yours?",
        answer=report.effective_sample_size,
        unit="rows",
        solution=f"Weights: {weight[0]:g} on {rows[0]:,} rows, {weight[1]:.4f} on {rows[1]:,}. Their sum is "
        f"{rows @ weight:,.0f}, the sum of their squares {squares:,.0f}. {rows @ weight:,.0f} squared / "
        f"{squares:,.0f} = {report.effective_sample_size:,.0f}.",
        read="evaluation/off-policy.md Off-policy evaluation",
        within=0.02,
    )


@asked
def flag_index(rng):
    """Ask for the population stability index of a flag."""
    then = rng.choice([950, 900, 800])
    now = then - rng.choice([50, 60, 80, 100])
    index = population_stability_index(np.arange(1_000) < then, np.arange(1_000) < now)
    e, a = then / 1_000, now / 1_000
    on, off = (a - e) * np.log(a / e), (e - a) * np.log((1 - a) / (1 - e))
    return Sum(
        question=f"A flag was on in {_percent(e)} of the reference rows and is on in {_percent(a)} now. What is the "
        "population stability index over its two values? Give three decimals.",
        answer=index,
        unit="",
        solution=f"The sum of (a - e) ln(a / e). On: {a - e:.2f} x ln({a:g} / {e:g}) = {on:.4f}. Off: {e - a:.2f} x "
        f"ln({1 - a:.2f} / {1 - e:.2f}) = {off:.4f}. In all {index:.4f}.",
        read="evaluation/drift.md Data drift",
        within=0.04,
    )


@asked
def sample_size(rng):
    """Ask how many users an arm needs."""
    rate = rng.choice([0.02, 0.03, 0.05, 0.08])
    lift = rng.choice([0.02, 0.03, 0.05, 0.1])
    n = sample_size_per_arm(rate, lift)
    rough = 16 * rate * (1 - rate) / (rate * lift) ** 2
    return Sum(
        question=f"{_percent(rate)} of users click. You want to see a relative lift of {_percent(lift)} with a power "
        "of 80 %, two-sided at 5 %. About how many users does each arm need?",
        answer=n,
        unit="users",
        solution=f"16 p (1 - p) / d², with d = {rate:g} x {lift:g} = {rate * lift:g}: {rough:,.0f}. The exact "
        f"formula gives {n:,}.",
        read="evaluation/ab-tests.md A/B tests",
        within=0.06,
    )


@asked
def split_check(rng):
    """Ask how far an arm is from its planned size."""
    root, z = int(rng.choice([200, 300, 400, 1_000, 500])), rng.choice([1.2, 4.4, 2.4, 3.6, 1.6, 5])
    more, half = round(z * root / 2), root**2 // 2
    p = sample_ratio_mismatch([half + more, half - more], [0.5, 0.5])
    away = norm.isf(p / 2)
    verdict = "below 0.001, so read no result" if p < 0.001 else "no reason to stop"
    return Sum(
        question=f"A test should split its users in halves. One arm has {half + more:,} of them, the other "
        f"{half - more:,}. By how many standard deviations is either arm off its plan?",
        answer=away,
        unit="standard deviations",
        solution=f"{2 * half:,} users, {half:,} planned. Standard deviation: root of {2 * half:,} x 0.5 x 0.5 = "
        f"{root / 2:g}. The check's p-value is {p:.1g}, {verdict}. {more:,} / {root / 2:g} = {away:.2f}.",
        read="evaluation/ab-tests.md A/B tests",
        within=0.03,
    )


@asked
def clicks_for_a_gate(rng):
    """Ask how many clicks a gate needs to judge calibration."""
    percent, times = int(rng.choice([4, 5, 10, 20])), rng.choice([1.5, 2, 2.5, 3, 4])
    alone = (1.96 / (percent / 100)) ** 2
    return Sum(
        question=f"A gate wants the whole 95 % interval of a calibration ratio within {percent} % of 1. Your model's "
        f"ratio is 1.00. Clicks of a user come together: their variance is {times:g} times that of independent ones. "
        "How many clicks must the judging days have?",
        answer=times * alone,
        unit="clicks",
        solution="Independent clicks give a standard error of 1 / root of n, so 1.96 / root of n = "
        f"{percent / 100:g}, and n = {alone:,.0f}. As these vary {times:g} times as much: {times:g} x {alone:,.0f} = "
        f"{times * alone:,.0f}.",
        read="evaluation/continuous-evaluation.md Continuous evaluation",
        within=0.05,
    )
