"""Progressive evaluation: train on days 1 to n, test on the days after, move on, repeat.

The name for it is also prequential, rolling-origin or walk-forward evaluation: Dawid 1984, "Present Position and
Potential Developments: Some Personal Views: Statistical Theory: The Prequential Approach", JRSS A 147.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator


class ProgressiveSplit(BaseCrossValidator):
    """Split a log by day so that every test row lies after every training row.

    The first fold tests the days after the first ``min_train_days``. Each further fold moves on by ``n_test_days``, so
    that no day is tested twice. Days without a full test window at the end of the log are not tested.

    Parameters
    ----------
    n_test_days : int
        Days in each test window, at least 1.
    min_train_days : int
        Days of the log before the first test window and its gap; at least 1.
    gap_days : int
        Days left out between training and test, because their labels are not complete yet; at least 0.
    max_train_days : int or None
        Most days of training (a sliding window); at least 1. None keeps all of the past (an expanding window).

    Raises
    ------
    ValueError
        If a number is not whole or too small; by ``split``, if the days are missing, not whole numbers or datetime64,
        not as many as the rows, have a hole, or are too few.

    Examples
    --------
    >>> for train, test in ProgressiveSplit(min_train_days=2).split(range(5), groups=[1, 2, 2, 3, 4]):
    ...     print(train.tolist(), test.tolist())
    [0, 1, 2] [3]
    [0, 1, 2, 3] [4]
    """

    # Under scikit-learn's metadata routing, the days reach ``split`` without being asked for.
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(
        self, n_test_days: int = 1, min_train_days: int = 1, gap_days: int = 0, max_train_days: int | None = None
    ) -> None:
        for name, value, least in [
            ("n_test_days", n_test_days, 1),
            ("min_train_days", min_train_days, 1),
            ("gap_days", gap_days, 0),
            ("max_train_days", 1 if max_train_days is None else max_train_days, 1),
        ]:
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
        self.n_test_days = n_test_days
        self.min_train_days = min_train_days
        self.gap_days = gap_days
        self.max_train_days = max_train_days

    def split(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test of each fold, in order of time.

        Parameters
        ----------
        X : array or data frame of n rows
            Only its length is used.
        y
            Ignored; scikit-learn passes it.
        groups : array of shape (n,)
            The day of each row: whole numbers, or datetime64, cut to days. Rows may stand in any order.
        """
        day = _days(groups, len(X))
        # --8<-- [start:heart]
        for test_start in self._test_starts(day):
            train_end = test_start - self.gap_days
            train = day < train_end
            if self.max_train_days is not None:
                train &= day >= train_end - self.max_train_days
            test = (day >= test_start) & (day < test_start + self.n_test_days)
            yield np.flatnonzero(train), np.flatnonzero(test)
        # --8<-- [end:heart]

    def get_n_splits(
        self, X: ArrayLike | None = None, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> int:
        """Return the number of folds that these days give. Needs ``groups``, as ``split`` does."""
        return len(self._test_starts(_days(groups, None if X is None else len(X))))

    def _test_starts(self, day: np.ndarray) -> range:
        present = np.unique(day)
        first, last = int(present[0]), int(present[-1])
        hole = np.flatnonzero(np.diff(present) > 1)
        if len(hole):
            raise ValueError(f"groups holds no row of day {present[hole[0]] + 1}, but of days before and after it")
        starts = range(first + self.min_train_days + self.gap_days, last + 2 - self.n_test_days, self.n_test_days)
        if not starts:
            needed = self.min_train_days + self.gap_days + self.n_test_days
            raise ValueError(f"groups spans {last - first + 1} days, one fold needs {needed}")
        return starts


def _days(groups: ArrayLike | None, n_rows: int | None) -> np.ndarray:
    if groups is None:
        raise ValueError("groups is missing: pass the day of each row, as in cross_validate(..., groups=days)")
    day = np.asarray(groups)
    if day.ndim != 1 or not len(day):
        raise ValueError(f"groups must have one dimension and a row, got shape {day.shape}")
    if n_rows is not None and len(day) != n_rows:
        raise ValueError(f"groups has {len(day)} rows, X has {n_rows}")
    if day.dtype.kind == "M":
        if np.isnat(day).any():
            raise ValueError(f"groups must hold dates, got NaT at row {int(np.isnat(day).argmax())}")
        return day.astype("datetime64[D]").astype(np.int64)
    if day.dtype.kind not in "iu":
        raise ValueError(f"groups must hold whole numbers or datetime64 without a time zone, got {day.dtype}")
    return day
