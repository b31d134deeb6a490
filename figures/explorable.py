"""Figures with knobs: what a setting costs, at every setting."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import logit
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from figures.explore import PERCENT, Axis, Curve, Grid, Quantity, explorable
from figures.svg import FIRST, INK, SECOND
from snippets.datasets.ad_log import EXAMINATION, simulate_ad_log
from snippets.evaluation.ab_test import always_valid_interval, sample_size_per_arm
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.two_tower_logq import TwoTower
from snippets.training_data.negative_downsampling import downsample_negatives, recalibrate
from snippets.training_data.position_bias import examination_from_random_positions

_DASHED = (0, (4, 3))


def _percent(values: list[float]) -> list[str]:
    return [f"{100 * v:g}{PERCENT}" for v in values]


def power() -> str:
    """Draw how often a test finds a lift, by its users, for any rate and lift."""
    users = [m * 10**k for k in (2, 3, 4, 5) for m in (10, 15, 20, 30, 50, 70)] + [10_000_000]
    rates, lifts = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2], [0.01, 0.02, 0.03, 0.05, 0.1, 0.2]
    needed, found = np.empty((2, len(rates), len(lifts), 1)), np.empty((len(rates), len(lifts), len(users)))
    for i, rate in enumerate(rates):
        for j, lift in enumerate(lifts):
            sizes = [sample_size_per_arm(rate, lift, power=p) for p in (0.5, 0.8)]
            needed[:, i, j, 0] = sizes
            # The root of the size is linear in the quantile of the power, which is 0 at one half.
            slope = stats.norm.ppf(0.8) / np.diff(np.sqrt(sizes)).item()
            found[i, j] = stats.norm.cdf(slope * (np.sqrt(users) - np.sqrt(sizes[0])))
    grid = Grid(
        [
            Axis("users", "Users in each arm", users, [f"{n:,}" for n in users], users.index(100_000)),
            Axis("rate", "Click rate", rates, _percent(rates), rates.index(0.03)),
            Axis("lift", "Lift to find", lifts, _percent(lifts), lifts.index(0.05)),
        ],
        {
            # By chance alone a test at 5 % finds that often.
            "power": Quantity("Lifts found", ("rate", "lift", "users"), 100 * np.maximum(found, 0.05), 1, PERCENT),
            "needed": Quantity("Users in each arm for 80 % power", ("rate", "lift"), needed[1, :, :, 0]),
        },
        "With {users} users in each arm, a test finds a lift of {lift} on a rate of {rate} in {power} of the cases. "
        "To find it in 80 % takes {needed} users in each arm.",
    )

    def dress(axes):
        axes.axhline(80, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(1.1e7, 80, "80 %", va="center")
        axes.set(xscale="log", xlabel="users in each arm", ylabel="lifts found", xlim=(1e3, 1e7), ylim=(0, 104))
        axes.set_xticks([1e3, 1e4, 1e5, 1e6, 1e7], ["1,000", "10,000", "100,000", "1 M", "10 M"])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
        axes.minorticks_off()

    return explorable(
        "power",
        grid,
        [Curve("power", "users", FIRST)],
        dress,
        "A curve that rises from 5 % to all: the share of tests that find a lift, by users in each arm.",
        f"Try a smaller lift: to find 10 % takes {grid.text('needed', lift=0.1)} users in each arm, 5 % "
        f"{grid.text('needed', lift=0.05)}, 2 % {grid.text('needed', lift=0.02)} and 1 % "
        f"{grid.text('needed', lift=0.01)}; a rarer click moves the curve to the right, too.",
    )


def peeking() -> str:
    """Draw how many tests have been stopped by each day, under two rules, for any rhythm of looks and any effect."""
    every, effects, days = [1, 2, 4, 7, 14, 28], [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5], np.arange(1, 29)
    noise = np.random.default_rng(0).normal(size=(20_000, len(days))).cumsum(axis=1) / np.sqrt(days)
    planned = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) / np.sqrt(len(days))  # in errors of one day, for 80 % power
    limits = [always_valid_interval(0, n**-0.5, effect_scale=planned)[1] * n**0.5 for n in days]
    stopped = np.empty((2, len(every), len(effects), len(days)))
    for j, effect in enumerate(effects):
        z = abs(noise + effect * planned * np.sqrt(days))
        for rule, limit in enumerate([1.96, limits]):
            for i, rhythm in enumerate(every):
                crossed = (z > limit) & (days % rhythm == 0)
                stopped[rule, i, j] = np.logical_or.accumulate(crossed, axis=1).mean(axis=0)
    rhythms = ["day", "2 days", "4 days", "7 days", "14 days", "28 days"]
    axes, at = ("every", "effect", "day"), "Tests stopped"
    grid = Grid(
        [
            Axis("every", "A look every", every, rhythms, 0),
            Axis("effect", "True effect, of the planned", effects, _percent(effects), 0),
            Axis("day", "Day", days.tolist(), [str(n) for n in days], len(days) - 1, knob=False),
        ],
        {
            "peeked": Quantity(f"{at} at the first p < 0.05", axes, 100 * stopped[0], 1, PERCENT),
            "valid": Quantity(f"{at} when the always-valid interval excludes 0", axes, 100 * stopped[1], 1, PERCENT),
        },
        "If the true effect is {effect} of the planned one and somebody looks every {every}, stopping at the first "
        "p < 0.05 has ended {peeked} of the tests by day 28, the always-valid interval {valid}.",
    )

    def dress(axes):
        axes.axhline(5, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(28.6, 5, "5 %", va="center")
        axes.text(1.3, 94, "stop at the first p < 0.05", color=SECOND)
        axes.text(1.3, 84, "always valid", color=FIRST)
        axes.set(xlabel="day", ylabel="tests stopped", xlim=(1, 28), ylim=(0, 104), xticks=[1, 7, 14, 21, 28])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])

    return explorable(
        "peeking",
        grid,
        [Curve("peeked", "day", SECOND), Curve("valid", "day", FIRST)],
        dress,
        "Two curves that rise over 28 days: the share of tests stopped at the first p < 0.05, and of those stopped by "
        "the always-valid interval.",
        f"Try fewer looks: without any effect, a look every day stops {grid.text('peeked')} of the tests by mistake, "
        f"every 7 days {grid.text('peeked', every=7)}, at the end {grid.text('peeked', every=28)}, and the "
        f"always-valid interval {grid.text('valid')}; that costs at the planned effect, where the interval finds "
        f"{grid.text('valid', effect=1.0)} and one look at the end {grid.text('peeked', every=28, effect=1.0)}.",
    )


def miscalibration() -> str:
    """Draw what wrong probabilities cost an auction, by their factor, by who has it, and by what else competes."""
    log = simulate_ad_log(400_000)
    truth, advertiser = (log[column].to_numpy().reshape(-1, 5) for column in ("relevance", "advertiser_id"))
    value = np.random.default_rng(0).lognormal(0, 0.5, truth.shape)
    factors = [0.5, 0.7, 1.0, 1.2, 1.5, 2.0, 3.0]
    shares, slots = [0.25, 0.5, 0.75, 1.0], [0.0, 0.25, 0.5]
    prices = [0.0, *np.quantile((value * truth).max(axis=1), slots[1:])]

    def outcome(p: np.ndarray) -> np.ndarray:
        """Return mean welfare and revenue of a slot, for each fixed price that competes."""
        order = np.argsort(value * p, axis=1)
        top, worth, click, shown = (_at(a, order[:, -1]) for a in (value * p, value * truth, truth, p))
        second = _at(value * p, order[:, -2])
        return np.array(
            [
                [np.where(top >= price, a, price).mean() for a in (worth, np.maximum(second, price) / shown * click)]
                for price in prices
            ]
        )

    right = outcome(truth)
    # Advertisers have no order: the remainder by four picks quarters of them.
    wrong = [advertiser % 4 == 0, advertiser % 2 == 0, advertiser % 4 != 3, advertiser >= 0]
    change = np.array([[outcome(truth * np.where(who, f, 1)) / right - 1 for f in factors] for who in wrong])
    welfare, revenue = 100 * np.moveaxis(change, (3, 2), (0, 2))
    axes = ("share", "slots", "factor")
    grid = Grid(
        [
            Axis("share", "Advertisers affected", shares, _percent(shares), 1),
            Axis("factor", "Factor on their probabilities", factors, [f"{f:g}" for f in factors], 5),
            Axis("slots", "Slots of a fixed price", slots, _percent(slots), 0),
        ],
        {
            "welfare": Quantity("Change of welfare", axes, welfare, 1, PERCENT, signed=True),
            "revenue": Quantity("Change of revenue", axes, revenue, 1, PERCENT, signed=True),
        },
        "If the probabilities of {share} of the advertisers are multiplied by {factor}, and a fixed price should win "
        "{slots} of the slots, welfare changes by {welfare} and revenue by {revenue}.",
    )

    def dress(axes):
        axes.axhline(0, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.axvline(1, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(0.52, -42, "welfare", color=FIRST)
        axes.text(0.52, -37, "revenue", color=SECOND)
        axes.set(xscale="log", xlabel="factor", ylabel="change", xlim=(0.5, 3), ylim=(-45, 12))
        axes.set_xticks([0.5, 0.7, 1, 1.5, 2, 3], ["0.5", "0.7", "1", "1.5", "2", "3"])
        axes.set_yticks([-40, -20, 0], ["-40 %", "-20 %", "0 %"])
        axes.minorticks_off()

    return explorable(
        "miscalibration",
        grid,
        [Curve("revenue", "factor", SECOND), Curve("welfare", "factor", FIRST)],
        dress,
        "Two curves over the factor by which probabilities are wrong: the change of welfare and of revenue. Both are 0 "
        "where the factor is 1.",
        f"Try 100 % of the advertisers: a factor of 2 for all changes revenue by {grid.text('revenue', share=1.0)} as "
        f"long as only clicks compete, and by {grid.text('revenue', share=1.0, slots=0.5)} once a fixed price should "
        f"win 50 % of the slots; a factor for 50 % of them changes it by {grid.text('revenue')} even without.",
    )


def _at(array: np.ndarray, column: np.ndarray) -> np.ndarray:
    return np.take_along_axis(array, column[:, None], axis=1)[:, 0]


def negatives() -> str:
    """Draw what a model promises and what comes, by the share of negatives kept and by the rate divided back."""
    log = simulate_ad_log(200_000)
    counts = [np.log((log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33)) for who in ("ad", "user")]
    groups = [log["category"] == category for category in log["category"].cat.categories]
    features = np.column_stack([*counts, log["hour"], *groups]).astype(float)
    y, past = log["click"].to_numpy(), (log["day"] < 10).to_numpy()
    rates, tenths = [1.0, 0.5, 0.25, 0.1, 0.05, 0.025], 10
    came, promised = np.empty((len(rates), tenths)), np.empty((len(rates), len(rates), tenths))
    ratio, entropy = np.empty((2, len(rates), len(rates)))
    for i, kept in enumerate(rates):
        keep = downsample_negatives(y[past], kept, np.random.default_rng(0))
        model = LogisticRegression(solver="newton-cholesky").fit(features[past][keep], y[past][keep])
        raw = model.predict_proba(features[~past])[:, 1]
        rows = np.array_split(np.argsort(raw, kind="stable"), tenths)
        came[i] = [y[~past][r].mean() for r in rows]
        for j, divided in enumerate(rates):
            p = recalibrate(raw, divided)
            promised[i, j] = [p[r].mean() for r in rows]
            ratio[i, j], entropy[i, j] = calibration_ratio(y[~past], p), normalized_entropy(y[~past], p)
    grid = Grid(
        [
            Axis("kept", "Negatives kept in training", rates, _percent(rates), 3),
            Axis("divided", "Kept, as serving assumes", rates, _percent(rates), 0),
            Axis("tenth", "Tenth of the rows by score", list(range(1, 11)), [str(n) for n in range(1, 11)], 9, False),
        ],
        {
            "promised": Quantity("Click rate promised", ("kept", "divided", "tenth"), 100 * promised, 2, PERCENT),
            "came": Quantity("Click rate that came", ("kept", "tenth"), 100 * came, 2, PERCENT),
            "ratio": Quantity(
                "Clicks promised, of those that came", ("kept", "divided"), ratio, 2, "\N{NO-BREAK SPACE}times"
            ),
            "entropy": Quantity("Normalized entropy", ("kept", "divided"), entropy, 3),
        },
        "Trained on {kept} of the negatives, and served as if {divided} had been kept, the model promises {ratio} the "
        "clicks that come: in the tenth with the highest scores {promised}, where {came} come. Its normalized entropy "
        "is {entropy}.",
    )

    def dress(axes):
        axes.text(9.8, 0.035, "promised", color=SECOND, ha="right")
        axes.text(9.8, 0.016, "came", color=FIRST, ha="right")
        axes.set(
            yscale="log", xlabel="tenth of the rows, by score", ylabel="click rate", xlim=(1, 10), ylim=(0.01, 100)
        )
        axes.set_xticks(range(1, 11))
        axes.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01 %", "0.1 %", "1 %", "10 %", "100 %"])
        axes.minorticks_off()

    return explorable(
        "negatives",
        grid,
        [Curve("promised", "tenth", SECOND), Curve("came", "tenth", FIRST)],
        dress,
        "Two curves over ten groups of rows with rising scores: the click rate that the model promises, and the one "
        "that came.",
        f"Try to tell serving what training kept: with 10 % of the negatives the model promises {grid.text('ratio')} "
        f"the clicks, {grid.text('ratio', divided=0.1)} if serving knows the 10 %, and "
        f"{grid.text('ratio', divided=0.05)} if it takes them for 5 %.",
    )


def looking() -> str:
    """Draw the looking at each position, and two estimates of it, by what the policy knows and how looking falls."""
    rng = np.random.default_rng(0)
    relevance = simulate_ad_log(400_000)["relevance"].to_numpy().reshape(-1, 5)
    taste, order = logit(relevance), np.arange(1, 6)
    noise = rng.normal(0, taste.std(), taste.shape)
    coin = rng.random(taste.shape)
    knows, steepness, pages = [0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 2.0], [500, 2_000, 8_000, 32_000]
    looks = EXAMINATION ** np.array(steepness)[:, None]

    def estimate(shown: np.ndarray, look: np.ndarray) -> np.ndarray:
        """Return the examination that clicks tell, if that were the looking, from pages with this relevance."""
        click = coin[: len(shown)] < shown * look
        return examination_from_random_positions(click.ravel(), np.tile(order, len(shown)))["examination"].to_numpy()

    own = []
    for known in knows:
        best_first = np.argsort(-(known * taste + (1 - known) * noise), axis=1, kind="stable")
        own.append([estimate(np.take_along_axis(relevance, best_first, axis=1), look) for look in looks])
    shuffled = rng.permuted(relevance, axis=1)
    trial = [[estimate(shuffled[-n:], look) for n in pages] for look in looks]
    seen = [f"{100 * look:.0f}{PERCENT}" for look in looks[:, -1]]
    grid = Grid(
        [
            Axis("knows", "Taste the policy knows", knows, _percent(knows), 2),
            Axis("looks", "Looks at position 5", steepness, seen, 2),
            Axis("pages", "Pages in random order", pages, [f"{n:,}" for n in pages], 2),
            Axis("position", "Position", order.tolist(), [str(n) for n in order], 4, knob=False),
        ],
        {
            "truth": Quantity("Users who look", ("looks", "position"), 100 * looks, unit=PERCENT),
            "own": Quantity("By its own log", ("knows", "looks", "position"), 100 * np.array(own), unit=PERCENT),
            "trial": Quantity("By random pages", ("looks", "pages", "position"), 100 * np.array(trial), unit=PERCENT),
        },
        "Of the users, {truth} look at position 5. If the policy knows {knows} of their taste, its own log says {own}; "
        "{pages} pages in random order say {trial}.",
    )

    def dress(axes):
        axes.text(5, 112, "truth", ha="right")
        axes.text(4.6, 112, "own log", color=SECOND, ha="right")
        axes.text(3.9, 112, "random order", color=FIRST, ha="right")
        axes.set(xlabel="position", ylabel="looks, against position 1", xlim=(0.95, 5.05), ylim=(0, 125), xticks=order)
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])

    return explorable(
        "looking",
        grid,
        [Curve("truth", "position", INK), Curve("own", "position", SECOND), Curve("trial", "position", FIRST)],
        dress,
        "Three curves over the five positions of a page: the share of users who look, what the policy's own log says "
        "of it, and what pages in random order say.",
        f"Try a policy that knows less: where {grid.text('truth')} look at position 5, the log of one that knows all "
        f"says {grid.text('own')}, of one that knows half {grid.text('own', knows=0.5)}, and of one that knows nothing "
        f"{grid.text('own', knows=0.0)}; random order says {grid.text('trial', pages=32_000)} from 32,000 pages and "
        f"{grid.text('trial', pages=500)} from 500.",
    )


def index_recall() -> str:
    """Draw the share of the exact list that an index of cells finds, by its cost, for any number of cells."""
    log = simulate_ad_log(600_000, n_users=3_000, n_ads=5_000, base_ctr=0.1)
    clicked = log[log["click"] == 1]
    model = TwoTower(16, n_epochs=2, random_state=0)
    model.fit(clicked[["user_id"]].to_numpy(), clicked[["ad_id"]].to_numpy())
    items = model.items(np.unique(clicked["ad_id"])[:, None])
    users = model.users(np.unique(clicked["user_id"])[:500, None])
    exact = np.argsort(-(users @ items.T), axis=1, kind="stable")
    cells, opened, wanted = [16, 32, 64, 128, 256], [1, 2, 3, 4, 6, 8, 12, 16], [10, 50, 200]
    found, cost = np.empty((len(wanted), len(cells), len(opened))), np.empty((len(cells), len(opened)))
    for i, n in enumerate(cells):
        cut = KMeans(n, n_init=1, random_state=0).fit(items)
        near = np.argsort(-(users @ cut.cluster_centers_.T), axis=1, kind="stable")
        place = np.argsort(near, axis=1)[:, cut.labels_]  # of each item's cell among those of a user, nearest first
        for j, k in enumerate(opened):
            cost[i, j] = (n + (place < k).sum(axis=1).mean()) / len(items)
            hit = np.take_along_axis(place < k, exact, axis=1)
            found[:, i, j] = [hit[:, :top].mean() for top in wanted]
    grid = Grid(
        [
            Axis("opened", "Cells opened", opened, [str(n) for n in opened], 3),
            Axis("cells", "Cells in the index", cells, [str(n) for n in cells], 2),
            Axis("wanted", "Length of the list", wanted, [str(n) for n in wanted], 1),
        ],
        {
            "found": Quantity("Of the exact list", ("wanted", "cells", "opened"), 100 * found, 1, PERCENT),
            "cost": Quantity("Dot products, of an exact search's", ("cells", "opened"), 100 * cost, 1, PERCENT),
        },
        "An index of {cells} cells, of which {opened} are opened, finds {found} of the top {wanted} of an exact search "
        "for {cost} of its dot products.",
    )

    def dress(axes):
        axes.set(xscale="log", xlabel="dot products, of an exact search's", ylabel="of the exact list")
        axes.set(xlim=(0.7, 110), ylim=(0, 104))
        axes.set_xticks([1, 3, 10, 30, 100], ["1 %", "3 %", "10 %", "30 %", "100 %"])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
        axes.minorticks_off()

    return explorable(
        "index-recall",
        grid,
        [Curve("found", "opened", FIRST, x="cost")],
        dress,
        f"A curve that rises with the cost: the share of the exact list that an index over {len(items):,} items "
        "finds, by the dot products that it takes.",
        f"Try more cells: 16 of 64 opened find {grid.text('found', opened=16)} for {grid.text('cost', opened=16)} of "
        f"the work, 16 of 128 find {grid.text('found', cells=128, opened=16)} for "
        f"{grid.text('cost', cells=128, opened=16)}; the more cells, the more of the work goes to their centers.",
    )
