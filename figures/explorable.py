"""Figures with knobs: what a setting costs, at every setting.

What follows from a formula is computed here, by the snippets. What differs from log to log is an experiment of
``claims/``, so that a setting shows the mean of its runs and their spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
from scipy import stats

from claims.evaluation.calibration import FACTORS, PRICES, SHARES
from claims.evaluation.off_policy import LIMITS, ROWS
from claims.modeling.two_towers import CELLS, OPENED, WANTED
from claims.training_data.bias import PAGES, STEEP, TASTE
from claims.training_data.class_imbalance import KEPT, TENTHS
from figures.claims import runs
from figures.explore import MINUS, PERCENT, Axis, Curve, Grid, Quantity, explorable
from figures.svg import FIRST, INK, SECOND
from snippets.datasets.ad_log import EXAMINATION
from snippets.evaluation.ab_test import always_valid_interval, sample_size_per_arm
from snippets.features.hashing import collision_share

_DASHED = (0, (4, 3))


def _percent(values: Sequence[float]) -> list[str]:
    return [f"{100 * v:g}{PERCENT}" for v in values]


def _found(experiment: str, what: str, *axes: Sequence[float]) -> np.ndarray:
    """Return what the runs of an experiment found, of shape (runs, *axes)."""
    names = [" ".join([what, *(f"{value:g}" for value in setting)]) for setting in product(*axes)]
    return np.reshape([[run[name] for name in names] for run in runs(experiment)], (-1, *map(len, axes)))


def _spread(label: str, axes: tuple[str, ...], found: np.ndarray, **shown) -> Quantity:
    """Return the mean over runs with the standard deviation between them."""
    return Quantity(label, axes, found.mean(axis=0), spread=found.std(axis=0, ddof=1), **shown)


def _note(experiment: str) -> str:
    return f"The band and the ± are the standard deviation between {len(runs(experiment))} logs."


def power() -> str:
    """Draw how often a test finds a lift, by its users, for any rate and lift."""
    users = [m * 10**k for k in (2, 3, 4, 5) for m in (10, 15, 20, 30, 50, 70)] + [10_000_000]
    rates, lifts = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2], [0.01, 0.02, 0.03, 0.05, 0.1, 0.2]
    needed, found = np.empty((2, len(rates), len(lifts))), np.empty((len(rates), len(lifts), len(users)))
    for i, rate in enumerate(rates):
        for j, lift in enumerate(lifts):
            half, most = needed[:, i, j] = [sample_size_per_arm(rate, lift, power=p) for p in (0.5, 0.8)]
            # The root of the size is linear in the quantile of the power, which is 0 at one half. A test has two sides.
            slope = stats.norm.ppf(0.8) / (np.sqrt(most) - np.sqrt(half))
            found[i, j] = sum(stats.norm.cdf(slope * (side * np.sqrt(users) - np.sqrt(half))) for side in (1, -1))
    grid = Grid(
        [
            Axis("users", "Users in each arm", users, [f"{n:,}" for n in users], users.index(100_000)),
            Axis("rate", "Click rate", rates, _percent(rates), rates.index(0.03)),
            Axis("lift", "True lift", lifts, _percent(lifts), lifts.index(0.05)),
        ],
        {
            "power": Quantity("Power", ("rate", "lift", "users"), 100 * found, unit=PERCENT),
            "needed": Quantity("Users in each arm for 80 % power", ("rate", "lift"), needed[1]),
        },
        "With {users} users in each arm and a true lift of {lift} on a click rate of {rate}, {power} of the tests are "
        "significant at 5 %. For 80 % it takes {needed} users in each arm.",
    )

    def dress(axes):
        axes.axhline(80, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(1.1e7, 80, "80 %", va="center")
        axes.set(xscale="log", xlabel="users in each arm, log scale", ylabel="power", xlim=(1e3, 1e7), ylim=(0, 104))
        axes.set_xticks([1e3, 1e4, 1e5, 1e6, 1e7], ["1,000", "10,000", "100,000", "1 M", "10 M"])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
        axes.minorticks_off()

    def needs(**setting):
        return grid.text("needed", **setting), grid.value("needed", **setting)

    (wide, n_wide), (narrow, n_narrow) = needs(lift=0.1), needs(lift=0.05)
    (often, n_often), (rare, n_rare) = needs(rate=0.02), needs(rate=0.01)
    return explorable(
        "power",
        grid,
        [Curve("power", "users", FIRST)],
        dress,
        "A curve that rises from 5 % to all: the share of tests that are significant, by users in each arm.",
        "Turn the true lift from 10 % to 5 %: how many times the users does 80 % power take? Then turn the click rate "
        "from 2 % to 1 %.",
        f"At a rate of 3 %, a lift of 10 % takes {wide} users in each arm and one of 5 % takes {narrow}, "
        f"{n_narrow / n_wide:.1f} times as many: the noise of an average falls with the root of the sample. For a lift "
        f"of 5 %, a rate of 2 % takes {often} and one of 1 % takes {rare}, {n_rare / n_often:.1f} times as many. "
        "Both follow from the formula above.",
    )


def _stopped(limits: Sequence[float], drifts: Sequence[float]) -> np.ndarray:
    """Return the chance that a z-value leaves its limits at one of several evenly spaced looks, for each drift.

    The density of the sum so far, among the tests that still run, is integrated from look to look: Armitage, McPherson
    & Rowe 1969. It is that without a drift; a drift, the mean of the last z-value, tilts it.
    """
    nodes, weights = np.polynomial.legendre.leggauss(160)
    ends = np.asarray(limits) * np.sqrt(np.arange(1, len(limits) + 1))
    at = ends[0] * nodes
    density = stats.norm.pdf(at)
    for before, end in pairwise(ends):
        density = stats.norm.pdf(end * nodes[:, None] - at) @ (before * weights * density)
        at = end * nodes
    step = np.asarray(drifts)[:, None] / np.sqrt(len(limits))
    return 1 - np.exp(step * at - len(limits) * step**2 / 2) @ (ends[-1] * weights * density)


def peeking() -> str:
    """Draw how many tests are stopped, under two rules, by the number of looks and for any effect."""
    effects, looks = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5], np.arange(1, 29)
    usual = stats.norm.ppf(0.975)
    planned = usual + stats.norm.ppf(0.8)  # in errors of the whole test, for 80 % power
    drifts, found = planned * np.array(effects), np.empty((2, len(effects), len(looks)))
    for i, n in enumerate(looks):
        errors = np.sqrt(n / np.arange(1, n + 1))  # at each look, in errors of the whole test
        valid = [always_valid_interval(0, error, effect_scale=planned)[1] / error for error in errors]
        found[:, :, i] = _stopped([usual] * n, drifts), _stopped(valid, drifts)
    grid = Grid(
        [
            Axis("looks", "Looks", looks.tolist(), ["1 look", *(f"{n} looks" for n in looks[1:])], len(looks) - 1),
            Axis("effect", "True effect, of the planned", effects, _percent(effects), 0),
        ],
        {
            name: Quantity(f"Tests stopped {when}", ("effect", "looks"), 100 * share, 1, PERCENT)
            for name, when, share in zip(
                ("peeked", "valid"),
                ("at the first p < 0.05", "when the always-valid interval excludes 0"),
                found,
                strict=True,
            )
        },
        "With {looks}, evenly spaced, and a true effect of {effect} of the planned one, stopping at the first p < 0.05 "
        "ends {peeked} of the tests, the always-valid interval {valid}.",
    )

    def dress(axes):
        axes.axhline(5, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(29, 5, "5 %", va="center")
        axes.text(1, 96, "stop at the first p < 0.05", color=SECOND)
        axes.text(1, 86, "always valid", color=FIRST)
        axes.set(xlabel="looks", ylabel="tests stopped", xlim=(0.5, 28.5), ylim=(0, 104), xticks=[1, 5, 10, 15, 20, 28])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])

    return explorable(
        "peeking",
        grid,
        [Curve("peeked", "looks", SECOND, steps=True), Curve("valid", "looks", FIRST, steps=True)],
        dress,
        "Two stairs that rise with the number of looks: the share of tests stopped at the first p < 0.05, and of those "
        "stopped by the always-valid interval.",
        "With a true effect of 0 %, turn the looks from 1 to 5, 10 and 28: how many tests of a change without "
        "effect does p < 0.05 stop? Then turn the effect to 100 %: what does the always-valid interval cost?",
        f"One look stops the promised {grid.text('peeked', looks=1)}, 5 looks stop {grid.text('peeked', looks=5)}, 10 "
        f"stop {grid.text('peeked', looks=10)} and 28 stop {grid.text('peeked')}; the always-valid interval stops "
        f"{grid.text('valid')}. At the planned effect it finds {grid.text('valid', effect=1.0)} with 28 looks, where "
        f"one look at the end with p < 0.05 finds {grid.text('peeked', looks=1, effect=1.0)}.",
        [
            f"evaluation/ab_tests/{name}"
            for name in ("peeking_cries_wolf", "always_valid_keeps_its_promise", "always_valid_costs_power")
        ],
    )


def miscalibration() -> str:
    """Draw what wrong probabilities cost an auction, by their factor, by who has it, and by what else competes."""
    name, axes = "evaluation/calibration/factors", ("share", "slots", "factor")
    grid = Grid(
        [
            Axis("share", "Advertisers affected", SHARES, _percent(SHARES), SHARES.index(0.5)),
            Axis("factor", "Factor on their probabilities", FACTORS, [f"{f:g}" for f in FACTORS], FACTORS.index(2)),
            Axis("slots", "Slots of a fixed price", PRICES, _percent(PRICES), 0),
        ],
        {
            what: _spread(
                f"Change of {what}",
                axes,
                100 * _found(name, what, SHARES, PRICES, FACTORS),
                digits=1,
                unit=PERCENT,
                signed=True,
            )
            for what in ("welfare", "revenue")
        },
        "If the probabilities of {share} of the advertisers are multiplied by {factor}, and a fixed price should win "
        "{slots} of the slots, welfare changes by {welfare} and revenue by {revenue}.",
    )

    def dress(axes):
        axes.axhline(0, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.axvline(1, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(0.52, -42, "welfare", color=FIRST)
        axes.text(0.52, -37, "revenue", color=SECOND)
        axes.set(xscale="log", xlabel="factor, log scale", ylabel="change", xlim=(0.5, 3), ylim=(-45, 14))
        axes.set_xticks([0.5, 0.7, 1, 1.5, 2, 3], ["0.5", "0.7", "1", "1.5", "2", "3"])
        axes.set_yticks([-40, -20, 0], [f"{MINUS}40 %", f"{MINUS}20 %", "0 %"])
        axes.minorticks_off()

    return explorable(
        "miscalibration",
        grid,
        [Curve("welfare", "factor", FIRST), Curve("revenue", "factor", SECOND)],
        dress,
        "Two curves over the factor: the change of welfare and of revenue, both 0 where the factor is 1.",
        "Turn the advertisers affected to 100 %, then the factor: what does it cost? Let a fixed price compete for "
        "50 % of the slots: and now?",
        f"Nothing, as long as only clicks compete: all scores and prices scale alike. Beside the fixed price, a "
        f"factor of 2 changes welfare by {grid.text('welfare', share=1.0, slots=0.5)} and revenue by "
        f"{grid.text('revenue', share=1.0, slots=0.5)}. For 50 % of the advertisers it changes them by "
        f"{grid.text('welfare')} and {grid.text('revenue')} even without: the wrong ad wins.",
        [
            f"evaluation/calibration/{claim}"
            for claim in ("a_fixed_price_makes_one_factor_costly", "a_factor_for_some_costs")
        ],
        _note(name),
    )


def negatives() -> str:
    """Draw what a model promises and what comes, by the share of negatives kept and by the rate divided back."""
    name, tenths = "training_data/class_imbalance/divided", range(1, TENTHS + 1)
    grid = Grid(
        [
            Axis("kept", "Negatives kept in training", KEPT, _percent(KEPT), KEPT.index(0.1)),
            Axis("divided", "Kept, says serving", KEPT, _percent(KEPT), 0),
            Axis("tenth", "Tenth of the rows by score", tenths, [str(n) for n in tenths], 9, knob=False),
        ],
        {
            "promised": _spread(
                "Click rate promised",
                ("kept", "divided", "tenth"),
                100 * _found(name, "promised", KEPT, KEPT, tenths),
                digits=2,
                unit=PERCENT,
            ),
            "came": _spread(
                "Click rate that came",
                ("kept", "tenth"),
                100 * _found(name, "came", KEPT, tenths),
                digits=2,
                unit=PERCENT,
            ),
            "ratio": _spread(
                "Clicks promised, of those that came",
                ("kept", "divided"),
                _found(name, "ratio", KEPT, KEPT),
                digits=2,
                unit="\N{NO-BREAK SPACE}times",
            ),
            "entropy": _spread(
                "Normalized entropy", ("kept", "divided"), _found(name, "entropy", KEPT, KEPT), digits=3
            ),
        },
        "Trained on {kept} of the negatives, and served as if {divided} had been kept, the model promises {ratio} the "
        "clicks that come: in the tenth with the highest scores {promised}, where {came} come. Its normalized entropy "
        "is {entropy}.",
    )

    def dress(axes):
        axes.text(10.3, 0.04, "promised", color=SECOND, ha="right")
        axes.text(10.3, 0.016, "came", color=FIRST, ha="right")
        axes.set(xlabel="tenth of the rows, by score", ylabel="click rate, log scale", xlim=(0.5, 10.5))
        axes.set(yscale="log", ylim=(0.01, 100))
        axes.set_xticks(tenths)
        axes.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01 %", "0.1 %", "1 %", "10 %", "100 %"])
        axes.minorticks_off()

    return explorable(
        "negatives",
        grid,
        [Curve("promised", "tenth", SECOND, steps=True), Curve("came", "tenth", FIRST, steps=True)],
        dress,
        "Two stairs over ten groups of rows with rising scores: the click rate that the model promises, and the one "
        "that came.",
        "The model trained on 10 % of the negatives. Turn what serving assumes until the promised rates are those that "
        "come. What if it takes 10 % for 5 %?",
        f"With all negatives assumed it promises {grid.text('ratio')} the clicks that come, and "
        f"{grid.text('ratio', divided=0.1)} once serving divides the odds by the 10 % that were kept. With 5 % it "
        f"promises {grid.text('ratio', divided=0.05)}: where clicks are rare, half of the odds are half of the clicks.",
        [
            f"training_data/class_imbalance/{claim}"
            for claim in (
                "uncorrected_is_worse_than_the_average",
                "the_share_kept_divides_back",
                "half_of_the_share_promises_half",
            )
        ],
        _note(name),
    )


def looking() -> str:
    """Draw the looking at each position, and two estimates of it, by what the policy knows and how looking falls."""
    name, order = "training_data/bias/curves", range(1, len(EXAMINATION) + 1)
    looks = EXAMINATION ** np.array(STEEP)[:, None]
    grid = Grid(
        [
            Axis("knows", "Taste the policy knows", TASTE, _percent(TASTE), 2),
            Axis("looks", "Looks at position 5", STEEP, [f"{100 * look:.1f}{PERCENT}" for look in looks[:, -1]], 2),
            Axis("pages", "Pages in random order", PAGES, [f"{n:,}" for n in PAGES], 2),
            Axis("position", "Position", order, [str(n) for n in order], 4, knob=False),
        ],
        {
            "truth": Quantity("Users who look", ("looks", "position"), 100 * looks, digits=1, unit=PERCENT),
            "own": _spread(
                "By its own log",
                ("knows", "looks", "position"),
                100 * _found(name, "own", TASTE, STEEP, order),
                digits=1,
                unit=PERCENT,
            ),
            "trial": _spread(
                "By random pages",
                ("looks", "pages", "position"),
                100 * _found(name, "random", STEEP, PAGES, order),
                digits=1,
                unit=PERCENT,
            ),
        },
        "Of the users, {truth} look at position 5. If the policy knows {knows} of their taste, its own log says {own}; "
        "{pages} pages in random order say {trial}.",
    )

    def dress(axes):
        axes.text(5.4, 132, "truth", ha="right")
        axes.text(4.8, 132, "own log", color=SECOND, ha="right")
        axes.text(3.95, 132, "random order", color=FIRST, ha="right")
        axes.set(
            xlabel="position", ylabel="looks, of those at position 1", xlim=(0.5, 5.5), ylim=(0, 145), xticks=order
        )
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])

    return explorable(
        "looking",
        grid,
        [
            Curve("trial", "position", FIRST, steps=True),
            Curve("own", "position", SECOND, steps=True),
            Curve("truth", "position", INK, steps=True),
        ],
        dress,
        "Three stairs over the five positions of a page: the share of users who look, what the policy's own log says "
        "of it, and what pages in random order say.",
        "Turn the taste that the policy knows down to 0 %: when does its own log tell the truth? Then turn the pages "
        "in random order down to 500: what happens to the band?",
        f"When the order has nothing to do with the taste. Where {grid.text('truth')} look at position 5, the log of a "
        f"policy that knows all says {grid.text('own')}, of one that knows half {grid.text('own', knows=0.5)}, and of "
        f"one that knows nothing {grid.text('own', knows=0.0)}. From 32,000 pages random order says "
        f"{grid.text('trial', pages=32_000)}, from 500 pages {grid.text('trial', pages=500)}: the fewer the pages, the "
        "wider the band.",
        [
            f"training_data/bias/{claim}"
            for claim in (
                "own_log_mixes_liking_with_looking",
                "a_policy_that_knows_nothing_logs_the_looking",
                "random_order_finds_the_looking",
                "few_random_pages_tell_little",
            )
        ],
        _note(name),
    )


def index_recall() -> str:
    """Draw the share of the exact list that an index of cells finds, by its cost, for any number of cells."""
    name = "modeling/two_towers/cells"
    found, cost = _found(name, "found", WANTED, CELLS, OPENED), _found(name, "cost", CELLS, OPENED)
    grid = Grid(
        [
            Axis("opened", "Cells opened", OPENED, [str(n) for n in OPENED], OPENED.index(4)),
            Axis("cells", "Cells in the index", CELLS, [str(n) for n in CELLS], CELLS.index(64)),
            Axis("wanted", "Length of the list", WANTED, [str(n) for n in WANTED], WANTED.index(50)),
        ],
        {
            "found": _spread("Of the exact list", ("wanted", "cells", "opened"), 100 * found, digits=1, unit=PERCENT),
            "cost": _spread(
                "Dot products, of an exact search's", ("cells", "opened"), 100 * cost, digits=1, unit=PERCENT
            ),
        },
        "An index of {cells} cells, of which {opened} are opened, finds {found} of the top {wanted} of an exact search "
        "for {cost} of its dot products.",
    )

    def dress(axes):
        axes.axhline(90, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(115, 90, "90 %", va="center")
        axes.set(xscale="log", xlabel="dot products, of an exact search's, log scale", ylabel="of the exact list")
        axes.set(xlim=(0.7, 110), ylim=(0, 108))
        axes.set_xticks([1, 3, 10, 30, 100], ["1 %", "3 %", "10 %", "30 %", "100 %"])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
        axes.minorticks_off()

    def told(**setting):
        return f"find {grid.text('found', **setting)} for {grid.text('cost', **setting)} of the dot products"

    return explorable(
        "index-recall",
        grid,
        [Curve("found", "opened", FIRST, x="cost")],
        dress,
        "A curve that rises with the cost: the share of the exact list that an index finds, by the dot products that "
        "it takes.",
        "Open cells until an index of 64 finds 90 % of the list. Can one of 16 cells, or of 256, do that for fewer dot "
        "products?",
        f"Not here. 12 of 64 cells {told(opened=12)}; 4 of 16 {told(cells=16, opened=4)}; 16 of 256 "
        f"{told(cells=256, opened=16)}. Few cells are coarse. Many cost a dot product for each of their centers.",
        [f"modeling/two_towers/{claim}" for claim in ("fewer_cells_are_not_cheaper", "more_cells_are_not_cheaper")],
        _note(name),
    )


def collisions() -> str:
    """Draw the share of values that share their column of a hashed table, by its width."""
    bits, values = range(12, 27), [1_000, 10_000, 100_000, 1_000_000, 10_000_000]
    widths = [2**b for b in bits]
    share = np.array([[collision_share(n, b) for b in bits] for n in values])
    grid = Grid(
        [
            Axis("columns", "Columns of the table", widths, [f"{n:,}" for n in widths], bits.index(20)),
            Axis("values", "Different values", values, [f"{n:,}" for n in values], values.index(1_000_000)),
        ],
        {
            "share": Quantity("Values that share their column", ("values", "columns"), 100 * share, 1, PERCENT),
            "memory": Quantity(
                "Memory for weights of 4 bytes", ("columns",), np.array(widths) * 4e-6, 2, "\N{NO-BREAK SPACE}MB"
            ),
        },
        "Of {values} values, hashed into {columns} columns, {share} are expected to share theirs with another. Weights "
        "of 4 bytes take {memory}.",
    )

    def dress(axes):
        axes.axhline(10, color=INK, linewidth=0.8, linestyle=_DASHED)
        axes.text(8e7, 10, "10 %", va="center")
        axes.set(xscale="log", xlabel="columns, log scale", ylabel="values that share a column")
        axes.set(xlim=(4e3, 6.8e7), ylim=(0, 104))
        axes.set_xticks([1e4, 1e5, 1e6, 1e7], ["10,000", "100,000", "1 M", "10 M"])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
        axes.minorticks_off()

    wide, half = widths[bits.index(24)], widths[bits.index(23)]
    return explorable(
        "collisions",
        grid,
        [Curve("share", "columns", FIRST)],
        dress,
        "A curve that falls from all to none: the share of values that share their column with another, by the width "
        "of the table.",
        "A million values: turn the columns until fewer than 10 % of them share theirs. How many columns a value is "
        "that?",
        f"{wide:,} columns, where {grid.text('share', columns=wide)} share theirs; half of them, {half:,}, leave "
        f"{grid.text('share', columns=half)}, and about one column a value leaves {grid.text('share')}. In a wide "
        "table the share is nearly that of values to columns. What a collision costs is another question, and less "
        "than it sounds.",
        [
            f"features/categories/{claim}"
            for claim in ("collisions_as_predicted", "four_times_as_wide_is_enough", "collisions_cost_little")
        ],
    )


def clipping() -> str:
    """Draw bias, noise and error of inverse propensity scoring, by the limit of its weights and the rows of the log."""
    name = "evaluation/off_policy/clipped"
    limits = [*(f"{limit:g}" for limit in LIMITS[:-1]), "none"]
    shown = {"digits": 0, "unit": PERCENT}
    grid = Grid(
        [
            Axis("limit", "Limit of the weights", LIMITS, limits, LIMITS.index(10)),
            Axis("rows", "Rows of the log", ROWS, [f"{n:,}" for n in ROWS], ROWS.index(5_000)),
        ],
        {
            "bias": _spread("Bias, of the true value", ("limit",), 100 * _found(name, "bias", LIMITS), **shown),
            "noise": _spread(
                "Noise, of the true value", ("rows", "limit"), 100 * _found(name, "noise", ROWS, LIMITS), **shown
            ),
            "error": _spread(
                "Error, of the true value", ("rows", "limit"), 100 * _found(name, "error", ROWS, LIMITS), **shown
            ),
        },
        "From {rows} rows with a limit of {limit}, the bias is {bias} of the true value and the noise {noise}: "
        "together, as root mean squared error, {error}.",
    )

    def dress(axes):
        axes.text(0.98, 128, "bias", color=SECOND)
        axes.text(1.5, 128, "noise", color=FIRST)
        axes.text(2.45, 128, "error")
        axes.set(xscale="log", xlabel="limit of the weights, log scale", ylabel="of the true value")
        axes.set(xlim=(0.95, 33), ylim=(0, 140))
        axes.set_xticks([1, 2, 5, 10, 20, 31], ["1", "2", "5", "10", "20", "none"])
        axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
        axes.minorticks_off()

    def best(rows):
        errors = [grid.value("error", rows=rows, limit=limit) for limit in LIMITS]
        return LIMITS[int(np.argmin(errors))]

    few, many = ROWS[0], ROWS[-1]
    return explorable(
        "clipping",
        grid,
        [Curve("bias", "limit", SECOND), Curve("noise", "limit", FIRST), Curve("error", "limit", INK)],
        dress,
        "Three curves over the limit of the weights: the bias, which falls as the limit rises, the noise, which rises, "
        "and the error that both make.",
        "Turn the rows of the log from 500 to 50,000: where does the error have its minimum? What moves, the bias or "
        "the noise?",
        f"From {few:,} rows at a limit of {best(few):g}, with an error of "
        f"{grid.text('error', rows=few, limit=best(few))} against {grid.text('error', rows=few, limit=LIMITS[-1])} "
        f"without a limit. From {many:,} rows without one, {grid.text('error', rows=many, limit=LIMITS[-1])} against "
        f"{grid.text('error', rows=many)} at a limit of 10. The noise falls with the root of the rows, the bias stays.",
        ["evaluation/off_policy/few_rows_want_a_limit"],
        f"The band and the ± are the standard deviation between {len(runs(name))} worlds.",
    )
