"""A conclusion of the guide, as a small function that is run over fresh logs, and the rule by which it is judged.

An experiment is a function of a seed, and of what makes its world. A claim is a sentence, the contrast that it is
about, taken from what an experiment found, and the region in which that contrast must lie.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from scipy.stats import t, ttest_ind_from_stats

Found = float | dict[str, float]  # what one run of an experiment returns
World = dict[str, Any]  # keyword arguments of an experiment
VERDICTS = ("holds", "varies", "fails")
SEEDS, CHEAP, TWIN_SEEDS = 10, 20, 6


@dataclass(frozen=True)
class Region:
    """The open interval in which a contrast must lie."""

    low: float = -math.inf
    high: float = math.inf

    def __contains__(self, value: float) -> bool:
        return self.low < value < self.high

    def judge(self, values: Sequence[float]) -> str:
        """Return ``holds`` if the 95 % interval of the mean lies inside, ``fails`` if outside, else ``varies``."""
        mean, half = fmean(values), interval(values)
        if self.low < mean - half and mean + half < self.high:
            return "holds"
        return "fails" if mean + half <= self.low or self.high <= mean - half else "varies"


def above(low: float) -> Region:
    """Return the region above a number."""
    return Region(low=low)


def below(high: float) -> Region:
    """Return the region below a number."""
    return Region(high=high)


def between(low: float, high: float) -> Region:
    """Return the region between two numbers."""
    if not low < high:
        raise ValueError(f"between needs low < high, got {low} and {high}")
    return Region(low, high)


def interval(values: Sequence[float]) -> float:
    """Return half of the width of Student's 95 % interval of the mean."""
    return float(t.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))


def differ(one: Sequence[float], other: Sequence[float]) -> bool:
    """Say whether Welch's test tells two means apart at 5 %."""
    stats = [(fmean(values), stdev(values), len(values)) for values in (one, other)]
    if stats[0][1] == stats[1][1] == 0:
        return stats[0][0] != stats[1][0]
    return bool(ttest_ind_from_stats(*stats[0], *stats[1], equal_var=False).pvalue < 0.05)


@dataclass(frozen=True, eq=False)
class Experiment:
    """A function that is run once for each seed in each world, and the name by which the record knows it."""

    run: Callable[..., Found]
    seeds: int
    worlds: Mapping[str, World]
    best: Callable[[Sequence[float]], float] | None = None

    @property
    def id(self) -> str:
        """Its page and name, as ``modeling/choosing/models``."""
        return _id(self.run)

    @property
    def twin_seeds(self) -> int:
        """How often it is run in a planted world: where a run is cheap, as often as elsewhere."""
        return self.seeds if self.seeds >= CHEAP else TWIN_SEEDS

    def __call__(self, seed: int, **world: Any) -> Found:
        """Run it once."""
        return self.run(seed, **world)


@dataclass(frozen=True, eq=False)
class Claim:
    """A sentence of a page, and how it is put to the test."""

    sentence: str
    function: Callable
    contrast: Callable[[Found], float]
    experiment: Experiment
    holds: Region
    twin: World
    says: str
    percent: bool
    unit: str

    @property
    def id(self) -> str:
        """Its page and name, as ``modeling/choosing/trees_beat_linear``."""
        return _id(self.function)

    @property
    def page(self) -> str:
        """The page that it is about, as ``modeling/choosing``."""
        return self.id.rsplit("/", 1)[0]

    @property
    def anchor(self) -> str:
        """Where it stands on the page of all claims."""
        return self.id.replace("/", "-").replace("_", "-")

    def verdict(self, worlds: Mapping[str, Sequence[float]]) -> str:
        """Return the verdict on the contrasts of each world: one that differs between worlds varies."""
        found = {self.holds.judge(values) for values in worlds.values()}
        return found.pop() if len(found) == 1 else "varies"

    def refuted(self, twin: Sequence[float], world: Sequence[float]) -> bool:
        """Say whether the planted world gets another verdict, and that not for want of runs: the two are told apart.

        A sentence that it depends is refuted by any world in which it does not.
        """
        return self.holds.judge(twin) != self.says and (self.says == "varies" or differ(twin, world))


def experiment(
    *,
    seeds: int = SEEDS,
    worlds: Mapping[str, World] | None = None,
    best: Callable[[Sequence[float]], float] | None = None,
) -> Callable[[Callable], Experiment]:
    """Declare a function of a seed and of keyword arguments, run for each of ``seeds`` seeds in each of ``worlds``.

    Parameters
    ----------
    seeds
        How many, from 10 on; 20 where a run is cheap.
    worlds
        Keyword arguments of the function by the name of the world; by default one world, ``default``, with none.
    best
        ``min`` or ``max`` where what it finds by name are rivals: a table then says how far each is from the best.
    """
    if seeds < SEEDS:
        raise ValueError(f"an experiment runs over at least {SEEDS} seeds, got {seeds}")
    worlds = {"default": {}} if worlds is None else worlds
    if not worlds:
        raise ValueError("an experiment runs in at least one world")

    def declare(run: Callable[..., Found]) -> Experiment:
        told = [_check_world(run, f"the world {name!r}", world) for name, world in worlds.items()]
        if len(set(told)) < len(told):
            raise ValueError(f"{_id(run)} runs in two worlds that are the same: {', '.join(worlds)}")
        return Experiment(run, seeds, worlds, best)

    return declare


def claim(
    sentence: str,
    of: Experiment | None = None,
    *,
    holds: Region,
    twin: World,
    says: str = "holds",
    percent: bool = False,
    unit: str = "",
    seeds: int | None = None,
    worlds: Mapping[str, World] | None = None,
) -> Callable[[Callable], Claim]:
    """Declare the contrast that a sentence is about, and when the sentence holds.

    Parameters
    ----------
    sentence
        What the page says, in plain words.
    of
        The experiment whose result the decorated function turns into the contrast. Without it the function is an
        experiment itself, of a seed and keyword arguments, run for ``seeds`` and ``worlds``.
    holds
        Where the contrast must lie.
    twin
        Keyword arguments of the experiment that plant a world in which the sentence is false: its verdict is another.
    says
        The verdict that the page reports. ``holds``: the sentence is true. ``fails``: the sentence is what people
        expect, and the page says that it failed. ``varies``: it depends on the log, and sentence and page say so.
    percent, unit
        How a contrast is shown: 0.12 as 12 %, and what it counts.
    """
    if says not in VERDICTS:
        raise ValueError(f"a sentence {' or '.join(VERDICTS)}, got {says!r}")
    if not sentence.endswith(".") or len(sentence.split()) < 4:
        raise ValueError(f"a claim is a sentence, got {sentence!r}")
    if of is not None and (seeds, worlds) != (None, None):
        raise ValueError(f"{sentence!r}: seeds and worlds are those of the experiment {of.id}")

    def declare(function: Callable) -> Claim:
        source = of if of is not None else experiment(seeds=seeds or SEEDS, worlds=worlds)(function)
        worlds_of = [_check_world(source.run, name, world) for name, world in source.worlds.items()]
        if _check_world(source.run, "the twin", twin) in worlds_of:
            raise ValueError(f"{sentence!r} needs a twin: a world of its own, in which the sentence is false")
        contrast = float if of is None else function
        return Claim(sentence, function, contrast, source, holds, twin, says, percent, unit)

    return declare


def _check_world(run: Callable, name: str, world: World) -> str:
    """Return a world in full, with the defaults of the experiment, or say what about it is wrong."""
    seed, *others = inspect.signature(run).parameters.values()
    defaults = {p.name: p.default for p in others}
    if unknown := sorted(set(world) - set(defaults)):
        takes = ", ".join(defaults)
        raise ValueError(f"{_id(run)} takes {seed.name} and {takes}, but {name} sets {', '.join(unknown)}")
    if any(type(v) not in (bool, int, float, str, type(None)) for v in world.values()):
        raise ValueError(f"{_id(run)}: {name} holds numbers and texts, as the record can keep them, got {world}")
    full = {k: float(v) if type(v) in (bool, int) else v for k, v in {**defaults, **world}.items()}
    return json.dumps(full, sort_keys=True, default=repr)


def _id(function: Callable) -> str:
    return f"{function.__module__.removeprefix('claims.').replace('.', '/')}/{function.__name__}"
