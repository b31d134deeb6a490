"""Metrics of a log in parts: each part is summed where it lies, and the sums merge.

A metric merges if sums over rows decide it. All here keep such sums and nothing else,
so that any split of the rows, and any order of merging, gives the same result. A sum is
kept in two floats, the second of which holds what rounding took from the first (Knuth
1997, "The Art of Computer Programming", volume 2), so it is right to 1 part in 10^15
for up to 10^12 rows in up to 10^9 parts, where its terms have one sign; counts are
exact. Parts without rows are parts like any other.
"""

from __future__ import annotations

import copy
import math
import numbers
import operator
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

# Rows per step: temporaries stay in the processor's cache, and memory does not grow
# with the part
_CHUNK = 1 << 16
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
def _two_sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a sum as rounded, and what the rounding took, exactly."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _plus(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the sum of two sums, each of two floats, which stand first."""
    total, lost = _two_sum(one[0], other[0])
    return np.stack(_two_sum(total, one[1] + other[1] + lost))


class _Sums:
    """Sums over rows, by bin if there are edges: all that a metric here keeps."""

    def __init__(self, n_sums: int, edges: np.ndarray | None = None) -> None:
        self.edges = edges
        by = () if edges is None else (len(edges) + 1,)
        self._sums = np.zeros((2, n_sums, *by))

    def merge(self, other: Self) -> Self:
        """Return the metric of both parts; neither of them changes."""
        if self._form() != (other._form() if isinstance(other, _Sums) else None):
            raise ValueError(
                f"other must be a {type(self).__name__} with the same edges, got "
                f"{type(other).__name__}"
            )
        merged = copy.copy(self)
        merged._sums = _plus(self._sums, other._sums)
        return merged

    # --8<-- [end:sums]

    def state(self) -> dict[str, Any]:
        """Return all there is as text and numbers, which JSON keeps to the last bit."""
        return self._form() | {"sums": self._sums.tolist()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the metric whose ``state()`` this is; ValueError for any other."""
        given = state if isinstance(state, dict) else {}
        try:
            if given["metric"] != cls.__name__:
                raise KeyError
            part = cls(*[given[key] for key in ("edges",) if key in given])
            sums = given["sums"]
        except (KeyError, TypeError):
            raise ValueError(
                f"state must be that of a {cls.__name__}, got {state!r}"
            ) from None
        sums = _numbers("sums", sums, ndim=None)
        if sums.shape != part._sums.shape:
            raise ValueError(
                f"sums must have the shape {part._sums.shape}, got {sums.shape}"
            )
        part._sums = sums.copy()
        return part

    def _form(self) -> dict[str, Any]:
        """Return what parts must share to be merged."""
        edges = {} if self.edges is None else {"edges": self.edges.tolist()}
        return {"metric": type(self).__name__} | edges

    def _take(self, chunks: Iterable[np.ndarray]) -> Self:
        """Add the sums of all chunks, or nothing, if one of them is refused."""
        self._sums = reduce(_plus, chunks, self._sums)
        return self

    def _counts(self, row: int) -> list[int]:
        """Return a sum that counts, by bin."""
        high, low = self._sums[:, row].tolist()
        return [int(h) + int(s) for h, s in zip(high, low, strict=True)]


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
        """Add rows, and return this metric.

        Parameters
        ----------
        y_true : array of shape (n,)
            Labels, each 0 or 1. There may be no row.
        y_prob : array of shape (n,)
            Predicted probabilities of a click, each in [0, 1].
        sample_weight : array of shape (n,), optional
            Weight of each row in [0, 1e280), the default is 1. The unit of weights must
            be the same in all parts.

        Raises
        ------
        ValueError
            If the arrays are unequal in length, not one-dimensional or hold other
            values than those above. Then none of the rows is added.
        """
        y, p = _array("y_true", y_true), _array("y_prob", y_prob)
        w = None if sample_weight is None else _array("sample_weight", sample_weight)

        def sums(rows: slice) -> np.ndarray:
            y_part = _labels("y_true", y[rows], rows.start)
            p_part = _inside("y_prob", p[rows], "[0, 1]", rows.start)
            w_part = 1.0
            if w is not None:
                w_part = _inside("sample_weight", w[rows], "[0, 1e280)", rows.start)
            likelihood = np.abs(1 - y_part - p_part)
            missed = likelihood == 0  # infinity has no place in a sum
            loss = -np.log(np.where(missed, 1.0, likelihood))
            return _column_sums(
                [w_part * x for x in (loss, missed, y_part, 1 - y_part)]
            )

        return self._take(map(sums, _chunks(y_true=y, y_prob=p, sample_weight=w)))

    def result(self, background_rate: float | None = None) -> float:
        """Return the normalized entropy of all rows so far.

        Parameters
        ----------
        background_rate : float, optional
            The rate in (0, 1) whose entropy is the unit, by default that of the rows.

        Returns
        -------
        float
            Infinite if a probability of exactly 0 or 1 is contradicted by its label.

        Raises
        ------
        ValueError
            If there is no row yet, or none that weighs; if the background rate is 0 or
            1, as with labels of one class only and no background_rate.
        """
        loss, missed, clicks, others = self._sums[0].tolist()
        if clicks + others == 0:
            raise ValueError("y_true has no row yet, or none with a sample_weight")
        if background_rate is None:
            rate, rest = clicks / (clicks + others), others / (clicks + others)
        else:
            rate = _number("background_rate", background_rate, "(0, 1)")
            rest = 1 - rate
        rare, other = sorted([rate, rest])
        if rare == 0:
            raise ValueError(
                f"the mean of y_true is {rate:g}: normalized entropy needs both "
                "classes, or a background_rate"
            )
        entropy = -(rare * math.log(rare) + other * math.log1p(-rare))
        return math.inf if missed else loss / (clicks + others) / entropy


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
        """Add rows, and return this metric.

        Parameters
        ----------
        y_true : array of shape (n,)
            Labels, each 0 or 1. There may be no row.
        y_prob : array of shape (n,)
            Predicted probabilities of a click, each in [0, 1].

        Raises
        ------
        ValueError
            If the arrays are unequal in length, not one-dimensional or hold other
            values than those above. Then none of the rows is added.
        """
        y, p = _array("y_true", y_true), _array("y_prob", y_prob)

        def sums(rows: slice) -> np.ndarray:
            y_part = _labels("y_true", y[rows], rows.start)
            p_part = _inside("y_prob", p[rows], "[0, 1]", rows.start)
            bins, size = np.searchsorted(self.edges, p_part), len(self.edges) + 1
            # Multiples of 2^-26 have exact sums, and what is left has hardly any
            coarse = np.round(p_part * 2**26) / 2**26
            high, low = (np.bincount(bins, x, size) for x in (coarse, p_part - coarse))
            count, clicks = (np.bincount(bins, x, size) for x in (None, y_part))
            exact = np.zeros(size)
            return np.array([[count, high, clicks], [exact, low, exact]])

        return self._take(map(sums, _chunks(y_true=y, y_prob=p)))

    def result(self) -> float:
        """Return expected over observed clicks: 1.2 promises 20 % more than came.

        Raises
        ------
        ValueError
            If there is no click yet, where the ratio is undefined.
        """
        _, expected, clicks = reduce(_plus, np.moveaxis(self._sums, 2, 0))[0].tolist()
        if clicks == 0:
            raise ValueError(
                "y_true holds no click yet: the ratio of expected to observed clicks "
                "is undefined"
            )
        return expected / clicks

    def bins(self) -> CalibrationBins:
        """Return mean prediction, observed rate and size of each bin that has rows."""
        count, expected, clicks = self._sums[0][:, self._sums[0, 0] > 0]
        whole = np.array(self._counts(0), dtype=np.int64)
        return CalibrationBins(expected / count, clicks / count, whole[whole > 0])


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
        """Add rows of a sample, and return this metric.

        Parameters
        ----------
        values : array of shape (n,)
            Finite numbers; count missing ones apart. There may be no row.
        sample : {"expected", "actual"}
            Whether they are of the reference or of the sample to compare.

        Raises
        ------
        ValueError
            If values have not one dimension or are not finite, or sample is neither.
            Then none of the rows is added.
        """
        if sample not in ("expected", "actual"):
            raise ValueError(f"sample must be 'expected' or 'actual', got {sample!r}")
        x = _array("values", values)

        def sums(rows: slice) -> np.ndarray:
            part = _inside("values", x[rows], "(-inf, inf)", rows.start)
            counts = np.zeros(self._sums.shape)
            counts[0, int(sample == "actual")] = np.bincount(
                np.searchsorted(self.edges, part), minlength=len(self.edges) + 1
            )
            return counts

        return self._take(map(sums, _chunks(values=x)))

    def result(self) -> float:
        """Return the stability index; a bin empty in one sample counts as half a row.

        Raises
        ------
        ValueError
            If a sample has no row yet.
        """
        counts = self._sums[0]
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

    def __init__(self) -> None:
        super().__init__(6)

    def update(self, numerator: ArrayLike, denominator: ArrayLike) -> Self:
        """Add users, and return this metric.

        Parameters
        ----------
        numerator : array of shape (users,)
            For instance each user's clicks, below 1e140 in size.
        denominator : array of shape (users,)
            For instance each user's impressions, in [0, 1e140). There may be no row.

        Raises
        ------
        ValueError
            If the arrays are unequal in length, not one-dimensional or hold other
            values than those above. Then none of the rows is added.
        """
        top, bottom = (
            _array("numerator", numerator),
            _array("denominator", denominator),
        )

        def sums(rows: slice) -> np.ndarray:
            x = _inside("numerator", top[rows], "(-1e140, 1e140)", rows.start)
            y = _inside("denominator", bottom[rows], "[0, 1e140)", rows.start)
            products = [_two_product(x, x), _two_product(x, y), _two_product(y, y)]
            high, low = zip(*products, strict=True)
            exact = np.zeros_like(x)
            return _plus(
                _column_sums([np.ones_like(x), x, y, *high]),
                _column_sums([exact, exact, exact, *low]),
            )

        return self._take(map(sums, _chunks(numerator=top, denominator=bottom)))

    def result(self) -> Estimate:
        """Return the ratio of the totals and its standard error.

        Raises
        ------
        ValueError
            If there are fewer than two rows yet, or all denominators are 0; if the
            ratio is more than floats hold.
        """
        # Fractions: a difference of large squares loses nothing
        n, x, y, xx, xy, yy = map(sum, zip(*map(_fractions, self._sums), strict=True))
        if n < 2 or y == 0:
            raise ValueError("denominator must have two rows or more yet, not all 0")
        ratio = x / y
        spread = max(xx - 2 * ratio * xy + ratio**2 * yy, Fraction(0))
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
    bins, so only pairs within a bin are unknown, and each of them counts 0, a half or
    1: at least 0 and at most all of them. Nothing is assumed about the scores.

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
        """Add rows, and return this metric.

        Parameters
        ----------
        y_true : array of shape (n,)
            Labels, each 0 or 1. There may be no row.
        y_score : array of shape (n,)
            Scores, higher for a click; they may be infinite.

        Raises
        ------
        ValueError
            If the arrays are unequal in length, not one-dimensional or hold other
            values than those above. Then none of the rows is added.
        """
        y, score = _array("y_true", y_true), _array("y_score", y_score)

        def sums(rows: slice) -> np.ndarray:
            y_part = _labels("y_true", y[rows], rows.start)
            part = _inside("y_score", score[rows], "[-inf, inf]", rows.start)
            bins, size = np.searchsorted(self.edges, part), len(self.edges) + 1
            clicks, others = (np.bincount(bins, x, size) for x in (y_part, 1 - y_part))
            exact = np.zeros(size)
            return np.array([[clicks, others], [exact, exact]])

        return self._take(map(sums, _chunks(y_true=y, y_score=score)))

    def result(self) -> BoundedAUC:
        """Return the area, halfway between the bounds of the exact one.

        Raises
        ------
        ValueError
            If the rows so far hold one class only.
        """
        # --8<-- [start:auc]
        clicks, others = self._counts(0), self._counts(1)  # whole numbers of any size
        pairs, won, unknown, below = sum(clicks) * sum(others), 0, 0, 0
        if pairs == 0:
            raise ValueError("y_true needs rows of both classes")
        for click, other in zip(clicks, others, strict=True):
            won += click * below
            unknown += click * other
            below += other
        return BoundedAUC(
            (2 * won + unknown) / (2 * pairs), won / pairs, (won + unknown) / pairs
        )
        # --8<-- [end:auc]


def _column_sums(columns: list[np.ndarray]) -> np.ndarray:
    """Return the sum of each column in two floats: the sum, and what rounding took."""
    high = np.array(columns)
    low = np.zeros(len(high))
    while high.shape[1] > 1:
        if high.shape[1] % 2:
            high = np.pad(high, [(0, 0), (0, 1)])
        half = high.shape[1] // 2
        high, lost = _two_sum(high[:, :half], high[:, half:])
        low += lost.sum(axis=1)
    return np.stack(_two_sum(high[:, 0], low))


def _two_product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a product as rounded, and what the rounding took (Dekker 1971)."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    product = a * b
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + (
        a_low * b_low
    )
    return product, lost


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two numbers of 26 bits each, whose sum is that of 53."""
    shifted = a * (2.0**27 + 1)
    high = shifted - (shifted - a)
    return high, a - high


def _fractions(values: np.ndarray) -> list[Fraction]:
    return [Fraction(value) for value in values.tolist()]


def _edges(edges: ArrayLike) -> np.ndarray:
    """Return the edges of bins, increasing."""
    array = _numbers("edges", edges)
    _refuse("edges", "increase", array[1:], array[1:] > array[:-1], 1)
    _same_rows(edges=array)
    return array.copy()


def _chunks(**arrays: np.ndarray | None) -> Iterator[slice]:
    """Return slices of the rows that all arrays have; there may be none."""
    n = max(len(array) for array in arrays.values() if array is not None)
    rows = _same_rows(**arrays) if n else 0
    return (slice(start, start + _CHUNK) for start in range(0, rows, _CHUNK))


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


def _number(name: str, value: Any, interval: str = "(-inf, inf)") -> float:
    """Return a parameter as a float inside of an interval."""
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be a number, got {value}")
    return float(_numbers(name, value, interval, ndim=0))


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
