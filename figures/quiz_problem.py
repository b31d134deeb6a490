"""The numbers to work out in the quiz on the problem: metrics, prices, framing, capacity."""

import math

import numpy as np
import pandas as pd

from figures.quiz import Sum, asked
from snippets.problem.capacity import Quantity, fan_out_tail, in_flight
from snippets.problem.pareto_frontier import pareto_frontier
from snippets.problem.product_metrics import stickiness
from snippets.problem.value_model import expected_value

METRICS = "problem/metrics.md Proxy events and business metrics"
NEGATIVE = "problem/negative-feedback.md Negative feedback"
FRAMING = "problem/framing.md Framing it as a learning problem"
CAPACITY = "problem/capacity.md Capacity estimation"


@asked
def registered_users(rng):
    """Draw how far sessions per registered user fell while those per active user rose."""
    everybody = int(rng.choice([2, 3, 4, 5, 6, 8, 10])) * 1_000
    before, after = int(everybody * rng.choice([0.8, 0.9])), int(everybody * rng.choice([0.4, 0.5, 0.6]))
    each = int(rng.choice([4, 5, 6, 7]))
    later = each + 1
    first, last = before * each, after * later
    fall = 100 * (1 - last / first)
    return Sum(
        question=f"Of {everybody:,} registered users {before:,} came in the first week, with {each} sessions each on "
        f"average. In the last week {after:,} of them came, with {later} each. By how many percent did sessions per "
        "registered user fall from the first to the last week?",
        answer=fall,
        unit="%",
        solution=f"The first week has {before:,} x {each} = {first:,} sessions, the last {after:,} x {later} = "
        f"{last:,}. Both are divided by the same {everybody:,} users, so the fall is 1 - {last:,} / {first:,}, though "
        f"those who came did so more often. In percent: {fall:.1f}.",
        read=METRICS,
    )


@asked
def days_a_month(rng):
    """Draw three groups of users and ask for stickiness."""
    daily, often = int(rng.choice([10, 20])), int(rng.choice([20, 30]))
    rarely = 100 - daily - often
    many, few = int(rng.choice([8, 10, 12, 14, 16])), int(rng.choice([1, 2, 3, 4]))
    days = np.repeat([28, many, few], np.array([daily, often, rarely]) // 10)
    events = pd.DataFrame({"user_id": np.repeat(np.arange(10), days)})
    day = np.concatenate([np.arange(n) * 28 // n for n in days])
    events["timestamp"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D")
    share = 100 * stickiness(events).iloc[-1]
    mean = (daily * 28 + often * many + rarely * few) / 100
    return Sum(
        question=f"Of the users seen within 28 days {daily} % came every day, {often} % on {many} days and {rarely} % "
        f"on {few} days. What is stickiness, the mean of daily over monthly actives, in percent?",
        answer=share,
        unit="%",
        solution=f"A user comes on {daily / 100:g} x 28 + {often / 100:g} x {many} + {rarely / 100:g} x {few} = "
        f"{mean:g} days on average. The mean number of daily actives over the users of the 28 days is {mean:g} / 28, "
        f"in percent: {share:.1f}.",
        read=METRICS,
    )


@asked
def revenue_per_click(rng):
    """Draw how far revenue per click fell, from the click rate and revenue per impression."""
    up, down = int(rng.choice([4, 5, 8, 10, 12])), int(rng.choice([2, 3, 4, 5, 6]))
    fall = 100 * (1 - (1 - down / 100) / (1 + up / 100))
    return Sum(
        question=f"In a test the click rate rises by {up} % and revenue per thousand impressions falls by {down} %, "
        "both relative. By how many percent does revenue per click fall? Give one decimal.",
        answer=fall,
        unit="%",
        solution="Revenue per impression is click rate x revenue per click, so the latter is multiplied by "
        f"{1 - down / 100:.2f} / {1 + up / 100:.2f} = {1 - fall / 100:.4f}: clicks moved to what pays less. The fall "
        f"in percent: {fall:.1f}.",
        read=METRICS,
    )


@asked
def price_of_a_tie(rng):
    """Draw two items and ask at which price of a hide both are worth the same."""
    price, more = int(rng.choice([5, 8, 10, 12, 15, 20])), int(rng.choice([1, 2, 3, 4]))  # more hides, in thousandths
    hide = np.array([more, 0]) + int(rng.choice([1, 2]))
    click = np.array([price * more, 0]) + 10 * int(rng.choice([3, 4, 5]))

    def lead(of_a_hide):
        a, b = expected_value({"click": click / 1_000, "hide": hide / 1_000}, {"click": 1, "hide": -of_a_hide})
        return a - b

    tie = lead(0) / (lead(0) - lead(1))
    (click_a, click_b), (hide_a, hide_b) = click / 10, hide / 10
    return Sum(
        question=f"Item A has P(click) = {click_a:g} % and P(hide) = {hide_a:g} %, item B has P(click) = {click_b:g} % "
        f"and P(hide) = {hide_b:g} %. A click is worth 1. At which price of a hide, in clicks, are both worth the "
        "same?",
        answer=tie,
        unit="clicks",
        solution=f"A has {click_a - click_b:g} points more clicks and {hide_a - hide_b:.1f} points more hides. Both "
        f"are worth the same if the price of the one is the worth of the other: {click_a - click_b:g} / "
        f"{hide_a - hide_b:.1f} = {tie:.0f}.",
        read=NEGATIVE,
        within=0.01,
    )


@asked
def balanced_hides(rng):
    """Draw a base rate and ask what a hide model with balanced classes says."""
    ratio, share = int(rng.choice([100, 200, 300, 400])), rng.choice([0.002, 0.004, 0.005, 0.01])
    odds = share / (1 - share)
    said = 100 * ratio * odds / (1 + ratio * odds)
    return Sum(
        question=f"In the training data there is one hide for {ratio} rows without one. The hide model is fitted with "
        f"balanced class weights, and their effect is its only error. What does it say, in percent, for an item that "
        f"{100 * share:g} % of users would hide?",
        answer=said,
        unit="%",
        solution=f"Balanced weights count a hide {ratio} times as much as another row, so the odds are multiplied: "
        f"{ratio} x {share:g} / {1 - share:g} = {ratio * odds:.3f}. As a probability {ratio * odds:.3f} / "
        f"{1 + ratio * odds:.3f}, in percent: {said:.1f}.",
        read=NEGATIVE,
        within=0.03,
    )


@asked
def whom_to_notify(rng):
    """Draw two segments and ask what is gained by sending to those whom a message changes."""
    messages = int(rng.choice([20, 60, 100, 200, 300])) * 1_000
    base_a, base_b = int(rng.choice([30, 35, 40])), int(rng.choice([5, 8, 10]))
    lift_a, lift_b = int(rng.choice([1, 2, 3])), int(rng.choice([4, 5, 6]))
    gained = messages * (lift_b - lift_a) / 100
    return Sum(
        question=f"You may send {messages:,} messages, at most one to each user. In a random test {base_a + lift_a} % "
        f"of segment A visited if sent one and {base_a} % if not. In segment B it was {base_b + lift_b} % and "
        f"{base_b} %. How many more visits do you get in all by sending to B in place of A?",
        answer=gained,
        unit="visits",
        solution=f"A message brings {lift_a} % of A and {lift_b} % of B; the other visitors come anyway. "
        f"{messages:,} x ({lift_b} % - {lift_a} %) = {gained:,.0f}.",
        read=FRAMING,
        within=0.005,
    )


@asked
def on_the_frontier(rng):
    """Draw five policies and ask how many of them none beats."""
    while True:
        clicks = rng.choice(np.arange(40, 105, 5), 5, replace=False)
        hides = rng.choice(np.arange(10, 65, 5), 5, replace=False)
        best = pareto_frontier(np.column_stack([clicks, -hides]))
        if 2 <= best.sum() <= 4:
            break
    policies = [f"{name} {c} and {h}" for name, c, h in zip("ABCDE", clicks, hides, strict=True)]
    beaten = []
    for i in np.flatnonzero(~best):
        by = np.flatnonzero((clicks > clicks[i]) & (hides < hides[i]))[0]
        beaten.append(f"{'ABCDE'[by]} beats {'ABCDE'[i]} in both")
    left = ", ".join(np.array([*"ABCDE"])[best])
    return Sum(
        question="Five policies were tried, with these clicks per 1,000 requests and hides per 10,000: "
        f"{'; '.join(policies)}. How many of them are on the Pareto frontier of more clicks and fewer hides?",
        answer=int(best.sum()),
        unit="policies",
        solution=f"{'; '.join(beaten)}. Nothing beats {left}. On the frontier: {best.sum()}.",
        read=FRAMING,
        within=0.001,
    )


@asked
def peak_requests(rng):
    """Draw users and use, and ask for the requests a second at the peak."""
    users, each = int(rng.choice([20, 60, 100, 200, 300])), int(rng.choice([6, 10, 12, 20]))
    peak = int(rng.choice([2, 3, 4]))
    mean = Quantity.of(f"{users}M user") * Quantity.of(f"{each} request / user / day")
    found = (peak * mean).to("request / s")
    return Sum(
        question=f"{users} million users a day make {each} requests each. At the peak the rate is {peak} times the "
        "mean. How many requests a second is that?",
        answer=found,
        unit="requests a second",
        solution=f"{users} million x {each} = {users * each:,} million requests a day. A day has 86,400 s, so the mean "
        f"is {mean.to('request / s'):,.0f} a second, and {peak} times that is {found:,.0f}.",
        read=CAPACITY,
        within=0.05,
    )


@asked
def machines(rng):
    """Draw a ranking stage and ask for its machines, by what runs out first."""
    scarce = rng.integers(2)
    while True:
        rate, items = int(rng.choice([10, 20, 50, 100])), int(rng.choice([200, 500, 1_000]))
        work, rows = int(rng.choice([1, 2, 4])), int(rng.choice([20, 60, 100, 200, 300]))
        reached, busy = int(rng.choice([10, 20, 30, 40])), int(rng.choice([50, 60]))
        scored = Quantity.of(f"{rate}k request / s") * Quantity.of(f"{items} item / request") / (busy / 100)
        power = Quantity.of("100 TFLOP / s / machine") * (reached / 100)
        needed = [
            (scored * Quantity.of(f"{work}M FLOP / item") / power).to("machine"),
            (scored * Quantity.of(f"{rows} row / item") / Quantity.of("1G row / s / machine")).to("machine"),
        ]
        if 2 <= needed[scarce] <= 100 and needed[scarce] > 1.3 * needed[1 - scarce]:
            break
    found = math.ceil(round(needed[scarce], 6))
    first = ["Arithmetic runs", "Look-ups run"][scarce]
    return Sum(
        question=f"At the peak {rate},000 requests a second rank {items:,} items each. An item takes {work} million "
        f"FLOP and {rows} look-ups. A machine does 100 TFLOP a second, of which the model reaches {reached} %, and "
        f"side by side a billion look-ups a second. It may be busy for {busy} % of the time. How many whole machines "
        "do you need?",
        answer=found,
        unit="machines",
        solution=f"{rate * items * 1_000:,} items a second. Arithmetic: {rate * items / 1_000:g} million x {work} "
        f"million FLOP over {reached} % x {busy} % of 100 TFLOP is {needed[0]:.2f}. Look-ups: {rate * items / 1_000:g} "
        f"million x {rows} over {busy} % of a billion is {needed[1]:.2f}. {first} out first, and rounded up that "
        f"makes {found}.",
        read=CAPACITY,
        within=0.01,
    )


@asked
def kept_log(rng):
    """Draw what is logged and ask what a sample of a month takes."""
    users, each = int(rng.choice([10, 20, 50, 100])), int(rng.choice([10, 20]))
    shown, size, one_in = int(rng.choice([5, 10, 20])), int(rng.choice([200, 400, 500])), int(rng.choice([5, 10, 20]))
    a_day = (
        Quantity.of(f"{users}M user")
        * Quantity.of(f"{each} request / user")
        * Quantity.of(f"{shown} row / request")
        * Quantity.of(f"{size} B / row")
    )
    found = (30 * a_day / one_in).to("TB")
    return Sum(
        question=f"{users} million users a day make {each} requests each and are shown {shown} items a request. A row "
        f"of the log, one an item shown, takes {size} B. You keep one row in {one_in} for 30 days. How many TB is that "
        "(1 TB is a trillion bytes)?",
        answer=found,
        unit="TB",
        solution=f"{users} million x {each} x {shown} = {users * each * shown / 1_000:g} billion rows a day, of "
        f"{size} B: {a_day.to('TB'):g} TB a day. Over 30 days {30 * a_day.to('TB'):g} TB, and one row in {one_in} of "
        f"those is {found:g}.",
        read=CAPACITY,
    )


@asked
def slow_requests(rng):
    """Draw a fan-out and ask how many requests meet a slow call."""
    calls, slow = int(rng.choice([10, 20, 25, 30, 40, 50, 60, 80])), rng.choice([0.4, 0.5, 0.8, 1, 2])
    none = (1 - slow / 100) ** calls
    found = 100 * fan_out_tail(slow / 100, calls)
    return Sum(
        question=f"A request asks {calls} shards at once and waits for all of them. Independently, {slow:g} % of the "
        "calls are slow. How many percent of the requests are slow?",
        answer=found,
        unit="%",
        solution=f"All {calls} calls are fast with probability {1 - slow / 100:g} to the power of {calls} = "
        f"{none:.3f}. The others, 1 - {none:.3f}, in percent: {found:.1f}.",
        read=CAPACITY,
        within=0.03,
    )


@asked
def requests_inside(rng):
    """Draw a rate and latencies, and ask how many requests are inside."""
    rate, mean = int(rng.choice([5, 10, 20, 50])), int(rng.choice([40, 50, 60, 80]))
    median, p99 = mean * 6 // 10, mean * 5
    found = in_flight(Quantity.of(f"{rate}k request / s"), Quantity.of(f"{mean} ms")).to("request")
    return Sum(
        question=f"A stage that keeps up takes in {rate},000 requests a second. Its latency has a median of "
        f"{median} ms, a mean of {mean} ms and a p99 of {p99} ms. How many requests are inside at once, on average?",
        answer=found,
        unit="requests",
        solution=f"Rate x mean latency, whatever the distribution: {rate},000 x {mean / 1_000:g} s = {found:,.0f}.",
        read=CAPACITY,
        within=0.01,
    )
