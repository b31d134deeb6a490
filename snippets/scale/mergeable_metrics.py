"""Metrics of a log in parts: each part is summed where it lies, and the sums merge.

A metric merges if sums over rows decide it. All here keep such sums and nothing else,
as whole numbers and fractions, which add up exactly. So any split of the rows and any
order of merging gives the same result, to the last bit. Parts without rows are parts
like any other, and an update that is refused (ValueError) adds nothing. One update
needs memory for several times its rows: give it a file or a batch at a time.
"""

from __future__ import annotations

import copy
import math
import numbers
import operator
from fractions import Fraction
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

_TENTHS = tuple(i / 10 for i in range(1, 10))


class CalibrationBins(NamedTuple):
    """One entry per bin that is not empty, in order of the predictions."""

    mean_predicted: np.ndarray  # mean probability in the bin
    observed_rate: np.ndarray  # share of clicks in the bin
    count: np.ndarray  # rows in the bin


class Estimate(NamedTuple):
    """A number and its standard error."""

    estimate: float
    standard_error: float


class BoundedAUC(NamedTuple):
    """An AUC from counts, and the bounds between which the exact one lies."""

    estimate: float  # halfway between the bounds
    low: float
    high: float


# --8<-- [start:sums]
class _Sums:
    """Sums over rows, by bin if there are edges: all that a metric here keeps."""

    _signed: tuple[int, ...] = ()  # sums that may be negative

    def __init__(self, n_sums: int, edges: np.ndarray | None = None) -> None:
        self.edges = edges
        by = () if edges is None else (len(edges) + 1,)
        self._sums = np.zeros((n_sums, *by), dtype=object)  # whole, or fractions

    def merge(self, other: Self) -> Self:
        """Return the metric of both parts; neither of them changes."""
        if self._form() != (other._form() if isinstance(other, _Sums) else None):
            raise ValueError(
                f"other must be a {type(self).__name__} with the same edges, got "
                f"{type(other).__name__}"
            )
        merged = copy.copy(self)
        merged._sums = self._sums + other._sums
        return merged

    # --8<-- [end:sums]

    def state(self) -> dict[str, Any]:
        """Return all there is as lists and text, as "3/4", for JSON."""
        return self._form() | {"sums": np.vectorize(str, [object])(self._sums).tolist()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the metric whose ``state()`` this is; ValueError for any other.

        Its sums may be numbers, too, as a database's.
        """
        refusal = f"state must be that of a {cls.__name__}, got {str(state)[:99]}"
        if not isinstance(state, dict) or state.get("metric") != cls.__name__:
            raise ValueError(refusal)
        try:
            part = cls(*[state[key] for key in ("edges",) if key in state])
            sums = np.array(state["sums"], dtype=object)
            exact = [Fraction(value) for value in sums.flat]
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"{refusal}: {error!r}") from error
        if part.state().keys() != state.keys():  # edges that are lost
            raise ValueError(refusal)
        if sums.shape != part._sums.shape:
            raise ValueError(
                f"sums must have the shape {part._sums.shape}, got {sums.shape}"
            )
        part._sums.flat = exact
        for row, least in enumerate(part._sums.reshape(len(sums), -1).min(axis=1)):
            if least < 0 and row not in cls._signed:
                raise ValueError(
                    f"sums[{row}] must be at least 0, got {float(least):g}"
                )
        return part

    def _form(self) -> dict[str, Any]:
        """Return what parts must share to be merged."""
        edges = {} if self.edges is None else {"edges": self.edges.tolist()}
        return {"metric": type(self).__name__} | edges

    def _add(self, *sums: Any) -> Self:
        self._sums = self._sums + np.array(sums, dtype=object)
        return self


class NormalizedEntropy(_Sums):
    """Log loss over the entropy of the click rate, of any number of parts.

    It is that of ``snippets/evaluation/normalized_entropy.py``: He et al. 2014,
    "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD, equation 1.

    Examples
    --------
    >>> monday = NormalizedEntropy().update([0, 0, 0], [0.1, 0.2, 0.1])
    >>> round(NormalizedEntropy().update([1], [0.7]).merge(monday).result(), 4)
    0.3515
    """

    def __init__(self) -> None:
        super().__init__(4)

    def update(
        self,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Add rows, and return this metric; ValueError for others than these.

        Parameters
        ----------
        y_true : array of shape (n,)
            Labels, each 0 or 1.
        y_prob : array of shape (n,)
            Predicted probabilities of a click, each in [0, 1].
        sample_weight : array of shape (n,), optional
            Finite weights, at least 0, in one unit for all parts; the default is 1.
        """
        y, p = _labels("y_true", y_true), _numbers("y_prob", y_prob, "[0, 1]")
        _one_length(y_true=y, y_prob=p)
        likelihood = np.abs(1 - y - p)
        missed = (likelihood == 0).astype(float)  # infinity has no place in a sum
        loss = -np.log(likelihood + missed)
        rest = [missed, y, 1 - y]
        if sample_weight is None:
            total = _exact_sums(loss)[0]
        else:
            w = _numbers("sample_weight", sample_weight, "[0, inf)")
            _one_length(y_true=y, sample_weight=w)
            total, rest = _sum_of_products(w, loss), [w * x for x in rest]
        return self._add(total, *(_exact_sums(x)[0] for x in rest))

    def result(self) -> float:
        """Return the normalized entropy of all rows so far.

        It is infinite if a probability of exactly 0 or 1 is contradicted by its label.

        Raises
        ------
        ValueError
            If the rows that weigh are not of both classes.
        """
        loss, missed, clicks, others = self._sums
        if clicks + others == 0:
            raise ValueError("y_true has no row yet, or none with a sample_weight")
        rare, common = sorted([clicks / (clicks + others), others / (clicks + others)])
        if float(rare) == 0:
            raise ValueError(
                f"the mean of y_true is {float(clicks / (clicks + others)):g}: "
                "normalized entropy needs both classes"
            )
        entropy = -(rare * math.log(rare) + common * math.log1p(-rare))
        return math.inf if missed else float(loss / (clicks + others)) / entropy


class Calibration(_Sums):
    """Expected over observed clicks, in all and by bins of the prediction.

    It is that of ``snippets/evaluation/calibration.py``, whose bins are quantiles, or
    of one width: those here are fixed, since quantiles of parts do not merge.

    Parameters
    ----------
    edges : array of shape (bins - 1,)
        Edges between the bins, increasing, at least one, by default tenths; a
        prediction on an edge is in the bin below.

    Examples
    --------
    >>> part = Calibration([0.6]).update([0, 0, 1], [0.25, 0.5, 0.75])
    >>> part.merge(Calibration([0.6]).update([1], [1.0])).result()
    1.25
    """

    def __init__(self, edges: ArrayLike = _TENTHS) -> None:
        super().__init__(3, _edges(edges))

    def update(self, y_true: ArrayLike, y_prob: ArrayLike) -> Self:
        """Add rows, and return this metric; ValueError for others than these.

        Parameters
        ----------
        y_true : array of shape (n,)
            Labels, each 0 or 1.
        y_prob : array of shape (n,)
            Predicted probabilities of a click, each in [0, 1].
        """
        y, p = _labels("y_true", y_true), _numbers("y_prob", y_prob, "[0, 1]")
        _one_length(y_true=y, y_prob=p)
        bins, size = np.searchsorted(self.edges, p), len(self.edges) + 1
        expected = _exact_sums(p, bins=bins, size=size)
        return self._add(_counts(bins, size), expected, _counts(bins[y == 1], size))

    def result(self) -> float:
        """Return expected over observed clicks: 1.2 promises 20 % more than came.

        Raises
        ------
        ValueError
            If there is no click yet, where the ratio is undefined.
        """
        _, expected, clicks = self._sums.sum(axis=1)
        if clicks == 0:
            raise ValueError(
                "y_true holds no click yet: the ratio of expected to observed clicks "
                "is undefined"
            )
        return float(expected / clicks)

    def bins(self) -> CalibrationBins:
        """Return mean prediction, observed rate and size of each bin that has rows."""
        count, expected, clicks = self._sums[:, self._sums[0] > 0]
        return CalibrationBins(
            (expected / count).astype(float),
            (clicks / count).astype(float),
            count.astype(np.int64),
        )


class StabilityIndex(_Sums):
    """Population stability index of a sample against a reference, on fixed edges.

    It is that of ``snippets/evaluation/drift.py`` for the counts of the same bins:
    Yurdakul & Naranjo 2020, "Statistical Properties of the Population Stability Index",
    Journal of Risk Model Validation 14.

    Parameters
    ----------
    edges : array of shape (bins - 1,)
        Edges between the bins, increasing, at least one; a value on an edge is in the
        bin below. Take quantiles of the reference once, and keep them.

    Examples
    --------
    >>> part = StabilityIndex([2]).update([1, 2, 3, 4], "expected")
    >>> part = part.merge(StabilityIndex([2]).update([1, 3, 4, 4], "actual"))
    >>> round(part.result(), 3)
    0.275
    """

    def __init__(self, edges: ArrayLike) -> None:
        super().__init__(2, _edges(edges))

    def update(self, values: ArrayLike, sample: str) -> Self:
        """Add rows of a sample; ValueError for others than these.

        Parameters
        ----------
        values : array of shape (n,)
            Finite numbers; count missing ones apart.
        sample : {"expected", "actual"}
            Whether they are of the reference or of the sample to compare.
        """
        if sample not in ("expected", "actual"):
            raise ValueError(f"sample must be 'expected' or 'actual', got {sample!r}")
        bins, size = (
            np.searchsorted(self.edges, _numbers("values", values)),
            len(self.edges) + 1,
        )
        counts = [_counts(bins, size), [0] * size]
        return self._add(*(counts if sample == "expected" else counts[::-1]))

    def result(self) -> float:
        """Return the stability index; a bin empty in one sample counts as half a row.

        Raises
        ------
        ValueError
            If a sample has no row yet.
        """
        counts = self._sums.astype(float)
        for name, count in zip(("expected", "actual"), counts, strict=True):
            if not count.any():
                raise ValueError(f"values has no row of the {name} sample yet")
        counts = np.maximum(counts[:, counts.any(axis=0)], 0.5)
        e, a = counts / counts.sum(axis=1, keepdims=True)
        return float((a - e) @ np.log(a / e))


class RatioOfTotals(_Sums):
    """A ratio of totals, and its standard error by the delta method.

    It is the ``delta_method_ratio`` of ``snippets/evaluation/ab_test.py``: Deng et al.
    2018, "Applying the Delta Method in Metric Analytics: A Practical Guide with Novel
    Ideas", KDD. With a denominator of 1 it is a mean and its standard error. A row is
    an independent unit: all that belongs to one user must be summed to one row before,
    so split the log by user, not by time.

    Examples
    --------
    >>> part = RatioOfTotals().update([1, 0], [10, 5])
    >>> [round(x, 3) for x in part.merge(RatioOfTotals().update([3], [15])).result()]
    [0.133, 0.051]
    """

    _signed = (1, 4)

    def __init__(self) -> None:
        super().__init__(6)

    def update(self, numerator: ArrayLike, denominator: ArrayLike) -> Self:
        """Add users, and return this metric; ValueError for others than these.

        Parameters
        ----------
        numerator : array of shape (users,)
            Finite numbers, for instance each user's clicks.
        denominator : array of shape (users,)
            Finite numbers, at least 0, for instance each user's impressions.
        """
        x = _numbers("numerator", numerator)
        y = _numbers("denominator", denominator, "[0, inf)")
        _one_length(numerator=x, denominator=y)
        squares = [_sum_of_products(*pair) for pair in ((x, x), (x, y), (y, y))]
        return self._add(len(x), _exact_sums(x)[0], _exact_sums(y)[0], *squares)

    def result(self) -> Estimate:
        """Return the ratio of the totals and its standard error.

        Raises
        ------
        ValueError
            If there are fewer than two rows yet, or all denominators are 0; if the
            ratio is more than floats hold; if the sums come from a database that
            rounded away how much the rows vary.
        """
        n, x, y, xx, xy, yy = map(Fraction, self._sums)
        if n < 2 or y == 0:
            raise ValueError("denominator must have two rows or more yet, not all 0")
        ratio = x / y
        spread = xx - 2 * ratio * xy + ratio**2 * yy
        if spread < 0:
            raise ValueError("sums are of no rows: their squares are rounded or wrong")
        square = n / (n - 1) * spread / y**2
        # A power of 4 taken off, for the square may leave the floats
        half = square.numerator.bit_length() - square.denominator.bit_length()
        try:
            root = math.sqrt(square / Fraction(4) ** (half // 2))
            return Estimate(float(ratio), math.ldexp(root, half // 2))
        except OverflowError:
            raise ValueError(
                "numerator over denominator is more than floats hold"
            ) from None


class HistogramAUC(_Sums):
    """Area under the ROC curve from counts by bin of the score, with its bounds.

    The exact area is the share of pairs of a click and another row in which the click
    scores higher; a tie counts half. Two scores in two bins are in the order of their
    bins, so only pairs within a bin are unknown: at least none and at most all of them
    are won. Nothing is assumed about the scores.

    Parameters
    ----------
    edges : array of shape (bins - 1,)
        Edges between the bins, increasing, at least one; a score on an edge is in the
        bin below. Quantiles of an earlier day's scores make the bounds narrow.

    Examples
    --------
    >>> part = HistogramAUC([0.2, 0.5]).update([0, 1, 0, 1], [0.1, 0.3, 0.4, 0.6])
    >>> part.result()
    BoundedAUC(estimate=0.875, low=0.75, high=1.0)
    """

    def __init__(self, edges: ArrayLike) -> None:
        super().__init__(2, _edges(edges))

    def update(self, y_true: ArrayLike, y_score: ArrayLike) -> Self:
        """Add rows, and return this metric; ValueError for others than these.

        Parameters
        ----------
        y_true : array of shape (n,)
            Labels, each 0 or 1.
        y_score : array of shape (n,)
            Scores, higher for a click; they may be infinite.
        """
        y = _labels("y_true", y_true)
        score = _numbers("y_score", y_score, "[-inf, inf]")
        _one_length(y_true=y, y_score=score)
        bins, size = np.searchsorted(self.edges, score), len(self.edges) + 1
        return self._add(_counts(bins[y == 1], size), _counts(bins[y == 0], size))

    def result(self) -> BoundedAUC:
        """Return the area, halfway between the bounds of the exact one.

        Raises
        ------
        ValueError
            If the rows so far hold one class only.
        """
        # --8<-- [start:auc]
        clicks, others = self._sums.tolist()  # by bin: whole numbers of any size
        pairs, won, unknown, below = sum(clicks) * sum(others), 0, 0, 0
        if pairs == 0:
            raise ValueError("y_true needs rows of both classes")
        for click, other in zip(clicks, others, strict=True):
            won += click * below
            unknown += click * other
            below += other
        doubled = (2 * won + unknown, 2 * won, 2 * (won + unknown))
        return BoundedAUC(*(float(share / (2 * pairs)) for share in doubled))
        # --8<-- [end:auc]


# --8<-- [start:exact]
def _exact_sums(
    values: np.ndarray, power: Any = 0, bins: Any = 0, size: int = 1
) -> list[Fraction]:
    """Return the sum of values times 2**power in each of the bins, exactly.

    Floats of about one size, cut in two, add up without rounding: the sums of 65,536
    need fewer than the 53 bits that a float has. Fractions add these sums of each size.
    """
    totals = [Fraction(0)] * size
    values, power, bins = np.broadcast_arrays(values, power, bins)
    for start in range(0, len(values), 65_536):
        x, e, b = (array[start : start + 65_536] for array in (values, power, bins))
        scale = (np.frexp(x)[1] + e) // 8
        # Within 256, in steps of 2^-53
        scaled = np.ldexp(x, (e - 8 * scale).astype(np.intc))
        first, n = int(scale.min()), int(np.ptp(scale)) + 1
        coarse = np.round(scaled * 2**20) / 2**20
        for part in (coarse, scaled - coarse):
            sums = np.bincount(b * n + scale - first, part, size * n)
            for i in np.flatnonzero(sums).tolist():
                totals[i // n] += Fraction(sums[i]) * Fraction(256) ** (i % n + first)
    return totals


# --8<-- [end:exact]


def _sum_of_products(a: np.ndarray, b: np.ndarray) -> Fraction:
    """Return the sum of products, exactly: halves of 26 bits have exact products."""
    (a_high, a_low, a_power), (b_high, b_low, b_power) = _halves(a), _halves(b)
    products = [a_high * b_high, a_high * b_low + a_low * b_high, a_low * b_low]
    return sum(_exact_sums(x, a_power + b_power)[0] for x in products)


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return high, low and power of numbers that are (high + low) * 2**power."""
    fraction, power = np.frexp(a)
    high = np.round(fraction * 2**26) / 2**26
    return high, fraction - high, power


def _counts(bins: np.ndarray, size: int) -> list[int]:
    return np.bincount(bins, minlength=size).tolist()


def _edges(edges: ArrayLike) -> np.ndarray:
    """Return the edges of bins, increasing."""
    array = _numbers("edges", edges)
    _refuse("edges", "increase", array[1:], array[1:] > array[:-1], 1)
    _same_rows(edges=array)
    return array.copy()


def _one_length(**arrays: np.ndarray) -> None:
    """Refuse arrays of unequal lengths; there may be no row."""
    if any(map(len, arrays.values())):
        _same_rows(**arrays)


# --- The door: copies of tools/door/checks.py, by `make door`. ---


def _array(name: str, values: Any, ndim: int | None = 1) -> np.ndarray:
    """Return numbers of any container as an array; missing ones are NaN, or refused."""
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = values.astype(
            np.float64 if values.dtype.kind in "biuf" else object
        ).filled(np.nan)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US":  # one text makes texts of all
            array = np.asarray(values, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of one length, of numbers") from error
    if ndim is not None and array.ndim != ndim:
        wanted = {
            0: "be one number",
            1: "have one dimension",
            2: "have two dimensions",
        }[ndim]
        raise ValueError(
            f"{name} must {wanted}, got "
            f"{f'shape {array.shape}' if array.ndim else repr(values)}"
        )
    if array.dtype == object:
        flat = array.ravel()
        good = np.array(
            [
                isinstance(v, numbers.Real | np.bool_) or hasattr(v, "as_integer_ratio")
                for v in flat
            ],
            bool,
        )
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            good.reshape(array.shape),
        )
        whole = all(
            isinstance(v, numbers.Integral | np.bool_) and -(2**63) <= v < 2**63
            for v in flat
        )
        try:
            array = array.astype(np.int64 if whole and flat.size else np.float64)
        except OverflowError:
            # NumPy does so for whole numbers and fractions of more than 308 digits only
            large = [
                isinstance(v, numbers.Rational) and abs(v) >= 2**1023 for v in flat
            ].index(True)
            where = (
                f", got more than 308 digits at row {large}"
                if array.ndim == 1
                else ", got more than 308 digits"
            )
            raise ValueError(f"{name} must be finite as floats{where}") from None
    if array.dtype.kind not in "biuf":
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            np.zeros(array.shape, bool),
        )
        array = array.astype(np.float64)  # no row, so nothing to refuse
    return array


def _refuse(
    name: str, rule: str, array: np.ndarray, good: np.ndarray, start: int = 0
) -> None:
    """Raise an error that names the first value that is not good, if there is one."""
    if good.all():
        return
    at = tuple(map(int, np.unravel_index(int(np.argmin(good)), good.shape)))
    value = array[at]
    text = f"{value:.15g}" if isinstance(value, float | np.floating) else f"{value}"
    text = f"'{text}'" if isinstance(value, str) else text
    where = f" at row {at[0] + start}" if at else ""
    where += f", column {at[1]}" if len(at) > 1 else ""
    raise ValueError(f"{name} must {rule}, got {text}{where}")


def _inside(name: str, array: np.ndarray, interval: str, start: int = 0) -> np.ndarray:
    """Return an array as float64, or say which value is not in an interval, as NaN."""
    array = array.astype(np.float64, copy=False)
    low, high = map(float, interval[1:-1].split(","))
    above, below = (
        operator.gt if interval[0] == "(" else operator.ge,
        operator.lt if interval[-1] == ")" else operator.le,
    )
    # The minimum and the maximum are as fast as memory, and NaN passes through both of
    # them.
    if array.size and not (above(array.min(), low) and below(array.max(), high)):
        least = (
            f"{'above' if interval[0] == '(' else 'at least'} {low:g}"
            if np.isfinite(low)
            else ""
        )
        finite = "finite" if interval[-1] == ")" and not np.isfinite(high) else ""
        rule = (
            f"in {interval}"
            if np.isfinite(high)
            else " and ".join(filter(None, [least, finite])) or "a number"
        )
        _refuse(
            name, f"be {rule}", array, above(array, low) & below(array, high), start
        )
    return array


def _numbers(
    name: str, values: Any, interval: str = "(-inf, inf)", ndim: int | None = 1
) -> np.ndarray:
    """Return numbers of any container as float64, all in an interval, as "(0, 1]"."""
    return _inside(name, _array(name, values, ndim), interval)


def _labels(name: str, values: Any, start: int = 0, ndim: int | None = 1) -> np.ndarray:
    """Return labels, each 0 or 1, as float64."""
    array = _array(name, values, ndim)
    if array.dtype != bool:
        _refuse(name, "be 0 or 1", array, (array == 0) | (array == 1), start)
    return array.astype(np.float64, copy=False)


def _same_rows(**arrays: np.ndarray | None) -> int:
    """Return the number of rows that all arrays have, at least one; None has none."""
    (first, rows), *others = [
        (name, len(array)) for name, array in arrays.items() if array is not None
    ]
    for name, other in others:
        if other != rows:
            raise ValueError(f"{name} has {other} rows, {first} has {rows}")
    if rows == 0:
        raise ValueError(f"{first} is empty")
    return rows


# --- End of the door. ---
