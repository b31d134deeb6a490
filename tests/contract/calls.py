"""The calls of the contract: for each public function and estimator a small valid call, and what its arguments are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tests.contract.roles import Duration, Keys, Role, Table, Times


@dataclass
class Call:
    """A valid call. ``function`` may be an estimator's life in one function, which then ``covers`` the class.

    ``order`` says what happens when the rows come in another order: "free": the result is the same; "rows": it has one
    value a row, in their order; "matters": the docstring says why. ``by`` names the rows meant. ``index``: the result
    is a Series, or a frame, with the index of those rows. ``result`` takes out of the result what must be equal.
    ``empty``: no row is a valid input.
    """

    function: Callable
    arguments: dict[str, Role]
    covers: Any = None
    order: str = "free"
    by: str = "rows"
    index: bool = False
    result: Callable[[Any], Any] = lambda result: result
    empty: bool = False
    tolerance: float = 1e-9

    @property
    def name(self) -> str:
        """Return the name under which tests show it."""
        covered = self.covers or self.function
        return f"{covered.__module__.removeprefix('snippets.')}.{covered.__qualname__}"

    def slots(self) -> dict[tuple[str, str | None], Role]:
        """Return each argument, and each column of a table, by its place."""
        out = {}
        for name, role in self.arguments.items():
            if isinstance(role, Table):
                out |= {(name, column): own for column, own in role.value.items()}
            else:
                out[name, None] = role
        return out

    def groups(self) -> list[list[tuple[str, str | None]]]:
        """Return the places that change together: keys of the same things, times and their durations; others alone."""
        groups: dict[Any, list] = {}
        for place, role in self.slots().items():
            together = isinstance(role, Keys | Times | Duration)
            groups.setdefault((isinstance(role, Keys), role.group) if together else place, []).append(place)
        return list(groups.values())

    def __call__(self, replaced: dict[tuple[str, str | None], Any] | None = None) -> Any:
        """Return the result with some arguments or columns replaced."""
        return self.result(self.function(**self.given(replaced or {})))

    def given(self, replaced: dict[tuple[str, str | None], Any]) -> dict[str, Any]:
        """Return the arguments, some of them replaced."""
        out = {}
        for name, role in self.arguments.items():
            if (name, None) in replaced:
                out[name] = replaced[name, None]
            elif isinstance(role, Table):
                out[name] = role.frame({c: value for (table, c), value in replaced.items() if table == name})
            else:
                out[name] = role.value
        return out


def assert_same(actual: Any, expected: Any, tolerance: float, where: str) -> None:
    """Assert that two results hold the same values, whatever their containers, dtypes and indexes."""
    if isinstance(expected, tuple | list) and not isinstance(expected, np.ndarray):
        assert len(actual) == len(expected), where
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            assert_same(a, e, tolerance, f"{where}[{i}]")
    elif isinstance(expected, dict):
        assert list(actual) == list(expected), where
        for key in expected:
            assert_same(actual[key], expected[key], tolerance, f"{where}[{key!r}]")
    elif isinstance(expected, pd.DataFrame):
        assert list(actual.columns) == list(expected.columns), where
        for column in expected:
            assert_same(actual[column], expected[column], tolerance, f"{where}[{column!r}]")
    else:
        if hasattr(expected, "toarray"):
            actual, expected = actual.toarray(), expected.toarray()
        a, e = (
            pd.Series(np.ravel(v)) if not isinstance(v, pd.Series) else v.reset_index(drop=True)
            for v in (actual, expected)
        )
        assert len(a) == len(e), where
        if pd.api.types.is_numeric_dtype(e.dtype):
            a, e = (v.to_numpy(np.float64, na_value=np.nan) for v in (a, e))
            np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance, err_msg=where)
        else:
            a, e = (v.astype(object).where(v.notna(), None).tolist() for v in (a, e))
            assert [str(v) for v in a] == [str(v) for v in e], where
