"""Capacity on the back of an envelope, in checked units, and two laws of latency.

Needs the standard library only. Little 1961, "A Proof for the Queuing Formula L =
lambda W"; Dean & Barroso 2013, "The Tail at Scale".
"""

from __future__ import annotations

import functools
import heapq
import math
import operator
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import NamedTuple

_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3_600.0,
    "day": 86_400.0,
    "year": 365 * 86_400.0,
}
_UNITS: dict[str, tuple[float, str]] = {
    name: (size, "s") for name, size in _SECONDS.items()
}
_UNITS |= {
    f"{prefix}B": (1000.0**i, "B")
    for i, prefix in enumerate(["", "k", "M", "G", "T", "P"])
}
_UNITS |= {
    f"{prefix}FLOP": (1000.0**i, "FLOP")
    for i, prefix in enumerate(["", "k", "M", "G", "T", "P", "E", "Z"])
}
_NUMBER = r"[-+]?(?:(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?"
_LETTERS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}


@functools.total_ordering
@dataclass(frozen=True, eq=False)
class Quantity:
    """A number with a unit, as ``Quantity.of("500M user")``.

    Sums and comparisons of unlike things are refused. Known units: us, ms, s, min, h,
    day, year; B, kB to PB; FLOP to ZFLOP. Any other word, as "user" or "request", is a
    unit of its own. Powers of a thousand, also for bytes. Amounts that agree in twelve
    digits are equal, so that 3 x 0.1 s are 300 ms. What ``str`` writes, ``of`` reads.

    Raises
    ------
    ValueError
        From all that it does: if an amount is no finite number, a divisor is 0, or
        kinds differ.

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

    __array_ufunc__ = None  # numbers of NumPy leave the arithmetic to this class

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", _real("amount", self.amount))

    @classmethod
    def of(cls, text: str) -> Quantity:
        """Read a quantity: a number, then units with * and /.

        Behind the number may stand a letter k, M, G or B, T for thousands. "2B user"
        are two billion users and "2 B" two bytes. "2B" alone may be either, and is
        refused.

        Raises
        ------
        ValueError
            If the text is not of that form.
        """
        match = re.fullmatch(
            rf"\s*({_NUMBER})([kMGBT]?)(?:(?:\s+|(?=/))(.*?))?\s*", str(text), re.ASCII
        )
        if not match:
            raise ValueError(
                "a quantity is a number and its unit, as '20 request / s', got "
                f"{text!r}"
            )
        number, letter, unit = match[1], match[2], match[3] or ""
        if letter == "B" and not unit[:1].isalpha():
            raise ValueError(
                f"{number}B may be billions or bytes: write '{number}G' or '{number} "
                f"B', got {text!r}"
            )
        return cls(float(re.sub("[_,]", "", number)) * _LETTERS[letter]) * cls._unit(
            unit
        )

    @classmethod
    def _unit(cls, text: str) -> Quantity:
        text = f"1 {text}" if str(text).startswith("/") else str(text)
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
                raise ValueError(
                    f"a unit is words with * and / between them, got {text!r}"
                )
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

    def _kind(self, **scales: str) -> str:
        names = [(scales.get(name, name), power) for name, power in self.dimensions]
        over = " * ".join(name for name, power in names for _ in range(power))
        under = "".join(f" / {name}" for name, power in names for _ in range(-power))
        return (over or "1") + under if names else "a plain number"

    def _combine(
        self, other: Quantity | float, sign: int
    ) -> tuple[tuple[str, int], ...]:
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
        if not _quantity(other).amount:
            raise ValueError(f"{self} cannot be divided by 0")
        return Quantity(self.amount / _quantity(other).amount, self._combine(other, -1))

    def __rtruediv__(self, other: float) -> Quantity:
        """Divide a plain number."""
        return _quantity(other) / self

    def __add__(self, other: Quantity | float) -> Quantity:
        """Add, if both are of one kind; a plain 0 is of any: ``sum`` begins so."""
        if not isinstance(other, Quantity) and other == 0:
            return self
        self._same(_quantity(other))
        return Quantity(self.amount + _quantity(other).amount, self.dimensions)

    __radd__ = __add__

    def __sub__(self, other: Quantity | float) -> Quantity:
        """Subtract, if both are of one kind."""
        return self + (
            other * -1.0 if isinstance(other, Quantity) else -_real("amount", other)
        )

    def __rsub__(self, other: float) -> Quantity:
        """Subtract from a plain number."""
        return self * -1.0 + other

    def __eq__(self, other: object) -> bool:
        """Say whether both are of one kind and of one size, to twelve digits."""
        if isinstance(other, Quantity):
            return self.dimensions == other.dimensions and _digits(
                self.amount
            ) == _digits(other.amount)
        return (
            isinstance(other, Real)
            and not self.dimensions
            and _digits(self.amount) == _digits(other)
        )

    def __hash__(self) -> int:
        """Give equal quantities one hash."""
        return hash(
            (_digits(self.amount), self.dimensions)
            if self.dimensions
            else _digits(self.amount)
        )

    def __lt__(self, other: Quantity | float) -> bool:
        """Compare, if both are of one kind."""
        self._same(_quantity(other))
        return self != other and self.amount < _quantity(other).amount

    def __str__(self) -> str:
        """Write it with three digits, in the unit that suits its size."""
        if not self.dimensions:
            return _written(self.amount)
        scaled = ("s",) if self.dimensions == (("s", 1),) else ("B", "FLOP")
        base = next(
            (name for name, power in self.dimensions if power == 1 and name in scaled),
            "",
        )
        sizes = [
            (unit, size) for unit, (size, name) in _UNITS.items() if name == base
        ] or [("1", 1.0)]
        scale, divisor = sizes[0]
        amount = abs(self.amount)
        for unit, size in sizes[1:]:
            number = amount / divisor
            # What is rounded up to 1,000 ms is 1 s
            if round(number, _places(number)) * divisor >= size:
                scale, divisor, amount = unit, size, max(amount, size)
        number = math.copysign(amount / divisor, self.amount)
        return f"{_written(number)} {self._kind(**{base: scale}).removeprefix('1 ')}"


class Queue(NamedTuple):
    """What a simulated queue looks like from outside."""

    throughput: float
    mean_latency: float
    mean_in_system: float
    p50: float
    p99: float


# --8<-- [start:laws]
def in_flight(rate: Quantity, latency: Quantity) -> Quantity:
    """Return how many requests are inside at once, on average.

    This is Little's law, rate x *mean* latency. It holds for any stable system,
    whatever the distributions.
    """
    return rate * latency


def fan_out_tail(slow_share: float, n_calls: int) -> float:
    """Return the share of requests that meet a slow call.

    Each makes so many independent ones and waits for all.

    Raises
    ------
    ValueError
        If slow_share is outside [0, 1] or n_calls less than 1.

    Examples
    --------
    >>> round(fan_out_tail(0.01, 100), 3)
    0.634
    """
    if not 0 <= _real("slow_share", slow_share) <= 1:
        raise ValueError(f"slow_share must be a share in [0, 1], got {slow_share}")
    n_calls = _whole_number("n_calls", n_calls, 1)
    return abs(math.expm1(n_calls * math.log1p(-slow_share))) if slow_share < 1 else 1.0


# --8<-- [end:laws]


def latency_quantile(
    stages: Iterable[Iterable[float]], quantile: float, n: int = 20_000, seed: int = 0
) -> float:
    """Return a quantile of the sum of stages that run one after the other.

    Each is drawn from its measured latencies. The quantiles themselves do not add up.
    Stages are taken as independent; where one machine is slow for all of them they are
    not, and the tail is longer. The same latencies in another order are drawn anew: the
    result then differs by the error of n draws.

    Parameters
    ----------
    stages : measured latencies, for each stage a list, an array or a column
        In one unit of time, as numbers.
    quantile : float in (0, 1)
    n, seed
        Number of requests drawn, and the seed that determines them.

    Raises
    ------
    ValueError
        If there is no stage, a stage is empty, a latency is no number, negative or not
        finite, or another argument is out of range.
    """
    if not 0 < _real("quantile", quantile) < 1:
        raise ValueError(f"quantile must be in (0, 1), got {quantile}")
    n, rng = _whole_number("n", n, 1), random.Random(_whole_number("seed", seed, 0))
    measured = [
        _latencies(i, stage) for i, stage in enumerate(_listed("stages", stages))
    ]
    if not measured:
        raise ValueError("stages is empty")
    totals = [
        sum(column)
        for column in zip(*(rng.choices(stage, k=n) for stage in measured), strict=True)
    ]
    return _real("the sum of latencies", _quantile(totals, quantile))


def simulate_queue(
    rate: float, service_time: float, servers: int = 1, n: int = 100_000, seed: int = 0
) -> Queue:
    """Simulate requests that come at random to servers that take a random time.

    Both are exponential, and first come is first served.

    Parameters
    ----------
    rate : float
        Requests a second, more than 0.
    service_time : float
        Mean seconds of work in a request. rate x service_time must stay below the
        servers, else the queue grows.
    servers, n, seed
        Number of servers and of requests, and the seed that determines them.

    Returns
    -------
    Queue
        Requests a second; seconds from arrival to answer, their mean, median and 99th
        percentile; mean number inside.

    Raises
    ------
    ValueError
        If an argument is out of range or the servers cannot keep up.
    """
    rate, service_time = _real("rate", rate), _real("service_time", service_time)
    if not (rate > 0 and service_time > 0):
        raise ValueError(
            f"rate and service_time must be positive, got {rate} and {service_time}"
        )
    if service_time < 1e-300:
        raise ValueError(f"service_time must be at least 1e-300, got {service_time}")
    servers, n = _whole_number("servers", servers, 1), _whole_number("n", n, 1)
    if rate * service_time >= servers:
        raise ValueError(
            f"{rate * service_time:g} servers' worth of work comes in, and there are "
            f"{servers}"
        )
    rng = random.Random(_whole_number("seed", seed, 0))
    # --8<-- [start:queue]
    free = [0.0] * servers  # when each server is done with what it has
    now, latencies, end = 0.0, [], 0.0
    for _ in range(n):
        now += rng.expovariate(rate)
        start = max(now, heapq.heappop(free))
        work = rng.expovariate(1 / service_time)
        heapq.heappush(free, start + work)
        latencies.append(start - now + work)
        end = max(end, start + work)
    # --8<-- [end:queue]
    _real("the time until the last answer", end)
    # The time requests spend inside, over the time that passes
    inside = sum(latencies) / end
    return Queue(
        n / end,
        sum(latencies) / n,
        inside,
        _quantile(latencies, 0.5),
        _quantile(latencies, 0.99),
    )


def _quantile(values: list[float], quantile: float) -> float:
    """Return the smallest value that at least that share does not exceed."""
    return sorted(values)[math.ceil(quantile * len(values)) - 1]


def _listed(name: str, values: Iterable) -> list:
    try:
        return list(values)
    except TypeError as error:
        raise ValueError(f"{name} must be a sequence, got {values!r}") from error


def _latencies(i: int, stage: Iterable[float]) -> list[float]:
    """Return the latencies of a stage as floats."""
    values = _listed(f"stage {i}", stage)
    if not values:
        raise ValueError(f"latencies must be there, got none in stage {i}")
    for row, value in enumerate(values):
        values[row] = _real("latencies", value, f" in stage {i} at row {row}")
        if values[row] < 0:
            raise ValueError(
                f"latencies must be at least 0, got {values[row]} in stage {i} at row "
                f"{row}"
            )
    return values


def _quantity(value: Quantity | float) -> Quantity:
    return value if isinstance(value, Quantity) else Quantity(value)


def _real(name: str, value: float, where: str = "") -> float:
    """Return a finite number as a float; text, flags, durations, missing are none."""
    # What columns of PyArrow hold
    number = value.as_py() if hasattr(value, "as_py") else value
    # Of NumPy, where durations and what is masked pass for numbers
    if getattr(number, "shape", None) == ():
        number = (
            number.item()
            if number.dtype.kind in "iuf" and not getattr(number, "mask", False)
            else None
        )
    if (
        isinstance(number, bool)
        or not isinstance(number, Real | Decimal)
        or not math.isfinite(number)
    ):
        raise ValueError(f"{name} must be a finite number, got {value!r}{where}")
    return float(number)


def _whole_number(name: str, value: int, least: int) -> int:
    """Return a whole number as an int. A flag is none."""
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(
            f"{name} must be a whole number of at least {least}, got {value!r}"
        )
    return number


def _digits(value: float) -> float:
    return float(f"{float(value):.12g}")


def _places(value: float) -> int:
    """Return the decimal places of three digits; a whole number keeps all it has."""
    return max(2 - math.floor(math.log10(abs(value))), 0) if value else 0


def _written(value: float) -> str:
    """Write a number with three digits and without an exponent."""
    text = f"{value:,.{_places(value)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
