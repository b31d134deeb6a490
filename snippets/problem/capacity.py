"""Capacity on the back of an envelope, with units that are checked, and the two laws behind latency.

Needs the standard library only. Little 1961, "A Proof for the Queuing Formula L = lambda W"; Dean & Barroso 2013, "The
Tail at Scale".
"""

from __future__ import annotations

import heapq
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0, "day": 86_400.0, "year": 365 * 86_400.0}
_UNITS: dict[str, tuple[float, str]] = {name: (size, "s") for name, size in _SECONDS.items()}
_UNITS |= {f"{prefix}B": (1000.0**i, "B") for i, prefix in enumerate(["", "k", "M", "G", "T", "P"])}
_UNITS |= {f"{prefix}FLOP": (1000.0**i, "FLOP") for i, prefix in enumerate(["", "k", "M", "G", "T", "P", "E", "Z"])}
_LETTERS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}


@dataclass(frozen=True)
class Quantity:
    """A number with a unit, as ``Quantity.of("500M user")``: sums and comparisons of unlike things are refused.

    Known units: us, ms, s, min, h, day, year; B, kB to PB; FLOP to ZFLOP. Any other word, as "user" or "request", is a
    unit of its own. Powers of a thousand, also for bytes.

    Examples
    --------
    >>> rate = Quantity.of("500M user") * Quantity.of("20 request / user / day")
    >>> round(rate.to("request / s"))
    115741
    >>> str(rate * Quantity.of("2 kB / request") * Quantity.of("1 day"))
    '20 TB'
    """

    amount: float
    dimensions: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, text: str) -> Quantity:
        """Read a quantity: a number, a letter k, M, G, T for thousands if you like, then units with * and /.

        Raises
        ------
        ValueError
            If the text is not of that form.
        """
        match = re.fullmatch(r"\s*([-+]?[\d_]*\.?\d+(?:e[-+]?\d+)?)([kMGBT]?)(?:\s+(.*?))?\s*", text)
        if not match:
            raise ValueError(f"a quantity is a number and its unit, as '20 request / s', got {text!r}")
        number = float(match[1].replace("_", "")) * _LETTERS[match[2]]
        return cls(number) * cls._unit(match[3] or "")

    @classmethod
    def _unit(cls, text: str) -> Quantity:
        words = re.split(r"\s*([*/])\s*", text) if text else []
        result, sign = cls(1.0), 1
        for word in words:
            if word in ("*", "/"):
                sign = 1 if word == "*" else -1
            elif re.fullmatch(r"1|[A-Za-z]\w*", word):
                size, name = _UNITS.get(word, (1.0, word))
                one = cls(size, ((name, 1),)) if word != "1" else cls(1.0)
                result = result * one if sign == 1 else result / one
            else:
                raise ValueError(f"a unit is words with * and / between them, got {text!r}")
        return result

    def to(self, unit: str) -> float:
        """Return the number in a unit.

        Raises
        ------
        ValueError
            If it is of another kind.
        """
        other = self._unit(unit)
        self._same(other)
        return self.amount / other.amount

    def _same(self, other: Quantity) -> None:
        if self.dimensions != other.dimensions:
            raise ValueError(f"{self._kind()} and {other._kind()} do not compare")

    def _kind(self) -> str:
        over = " * ".join(name for name, power in self.dimensions for _ in range(power))
        under = "".join(f" / {name}" for name, power in self.dimensions for _ in range(-power))
        return (over or "1") + under if self.dimensions else "a plain number"

    def _combine(self, other: Quantity | float, sign: int) -> tuple[tuple[str, int], ...]:
        powers = dict(self.dimensions)
        for name, power in _quantity(other).dimensions:
            powers[name] = powers.get(name, 0) + sign * power
        return tuple(sorted((name, power) for name, power in powers.items() if power))

    def __mul__(self, other: Quantity | float) -> Quantity:
        """Multiply numbers and units."""
        return Quantity(self.amount * _quantity(other).amount, self._combine(other, 1))

    __rmul__ = __mul__

    def __truediv__(self, other: Quantity | float) -> Quantity:
        """Divide numbers and units."""
        return Quantity(self.amount / _quantity(other).amount, self._combine(other, -1))

    def __add__(self, other: Quantity) -> Quantity:
        """Add, if both are of one kind."""
        self._same(_quantity(other))
        return Quantity(self.amount + _quantity(other).amount, self.dimensions)

    def __sub__(self, other: Quantity) -> Quantity:
        """Subtract, if both are of one kind."""
        return self + _quantity(other) * -1.0

    def __lt__(self, other: Quantity) -> bool:
        """Compare, if both are of one kind."""
        self._same(_quantity(other))
        return self.amount < _quantity(other).amount

    def __str__(self) -> str:
        """Write it with three digits, in the unit that suits its size."""
        base = next((n for n, power in self.dimensions if power == 1 and n in ("B", "FLOP")), None)
        if self.dimensions == (("s", 1),):
            scale = max((u for u in _SECONDS if _SECONDS[u] <= abs(self.amount)), key=_SECONDS.get, default="us")
            return f"{_number(self.amount / _SECONDS[scale])} {scale}"
        if base is None:
            return _number(self.amount) if not self.dimensions else f"{_number(self.amount)} {self._kind()}"
        sizes = {unit: size for unit, (size, name) in _UNITS.items() if name == base}
        scale = max((u for u in sizes if sizes[u] <= abs(self.amount)), key=sizes.get, default=base)
        return f"{_number(self.amount / sizes[scale])} {self._kind().replace(base, scale, 1)}"


class Queue(NamedTuple):
    """What a simulated queue looks like from outside."""

    throughput: float
    mean_latency: float
    mean_in_system: float
    p50: float
    p99: float


# --8<-- [start:laws]
def in_flight(rate: Quantity, latency: Quantity) -> Quantity:
    """Return how many requests are inside at once, on average: Little's law, rate x *mean* latency.

    It holds for any stable system, whatever the distributions.
    """
    return rate * latency


def fan_out_tail(slow_share: float, n_calls: int) -> float:
    """Return the share of requests that meet a slow call, if each makes so many independent ones and waits for all.

    Raises
    ------
    ValueError
        If slow_share is outside [0, 1] or n_calls less than 1.

    Examples
    --------
    >>> round(fan_out_tail(0.01, 100), 3)
    0.634
    """
    if not 0 <= slow_share <= 1:
        raise ValueError(f"slow_share must be a share in [0, 1], got {slow_share}")
    if n_calls < 1:
        raise ValueError(f"n_calls must be at least 1, got {n_calls}")
    return -math.expm1(n_calls * math.log1p(-slow_share)) if slow_share < 1 else 1.0


# --8<-- [end:laws]


def latency_quantile(stages: Sequence[Sequence[float]], quantile: float, n: int = 20_000, seed: int = 0) -> float:
    """Return a quantile of the sum of stages that run one after the other, each drawn from its measured latencies.

    The quantiles themselves do not add up. Stages are taken as independent; where one machine is slow for all of them
    they are not, and the tail is longer.

    Parameters
    ----------
    stages : a sequence of measured latencies for each stage
        In one unit of time.
    quantile : float in (0, 1)
    n, seed
        Number of requests drawn, and the seed that determines them.

    Raises
    ------
    ValueError
        If a stage is empty, a latency is negative or not finite, or quantile is out of range.
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must be in (0, 1), got {quantile}")
    for i, stage in enumerate(stages):
        if not stage:
            raise ValueError(f"stage {i} has no latencies")
        bad = [x for x in stage if not 0 <= x < math.inf]
        if bad:
            raise ValueError(f"latencies must be at least 0 and finite, got {bad[0]} in stage {i}")
    rng = random.Random(seed)
    totals = [sum(column) for column in zip(*(rng.choices(stage, k=n) for stage in stages), strict=True)]
    return _quantile(totals, quantile)


def simulate_queue(rate: float, service_time: float, servers: int = 1, n: int = 100_000, seed: int = 0) -> Queue:
    """Simulate requests that come at random to servers that take a random time: exponential both, first come first.

    Parameters
    ----------
    rate : float
        Requests a second, more than 0.
    service_time : float
        Mean seconds of work in a request. rate x service_time must stay below the servers, else the queue grows.
    servers, n, seed
        Number of servers and of requests, and the seed that determines them.

    Returns
    -------
    Queue
        Requests a second; seconds from arrival to answer, their mean, median and 99th percentile; mean number inside.

    Raises
    ------
    ValueError
        If an argument is out of range or the servers cannot keep up.
    """
    if not (0 < rate < math.inf and 0 < service_time < math.inf):
        raise ValueError(f"rate and service_time must be positive and finite, got {rate} and {service_time}")
    if servers < 1 or n < 1:
        raise ValueError(f"servers and n must be at least 1, got {servers} and {n}")
    if rate * service_time >= servers:
        raise ValueError(f"{rate * service_time:g} servers' worth of work comes in, and there are {servers}")
    rng = random.Random(seed)
    # --8<-- [start:queue]
    free = [0.0] * servers  # when each server is done with what it has
    now, latencies, end = 0.0, [], 0.0
    for _ in range(n):
        now += rng.expovariate(rate)
        start = max(now, heapq.heappop(free))
        done = start + rng.expovariate(1 / service_time)
        heapq.heappush(free, done)
        latencies.append(done - now)
        end = max(end, done)
    # --8<-- [end:queue]
    inside = sum(latencies) / end  # the time requests spend inside, over the time that passes
    return Queue(n / end, sum(latencies) / n, inside, _quantile(latencies, 0.5), _quantile(latencies, 0.99))


def _quantile(values: list[float], quantile: float) -> float:
    """Return the smallest value that at least that share does not exceed."""
    return sorted(values)[math.ceil(quantile * len(values)) - 1]


def _quantity(value: Quantity | float) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(float(value))


def _number(value: float) -> str:
    """Write a number with three digits and without an exponent."""
    if not value:
        return "0"
    digits = max(2 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
