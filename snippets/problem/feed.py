"""A simulated feed whose users come back more often if what they read was worth it.

The ranker knows every probability. So whatever goes wrong is the fault of the
objective, not of a model.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

ACTIONS = ("click", "long_click", "hide")
N_SLOTS = 5  # items shown in a session
N_CANDIDATES = 20  # items the ranker chooses from


def simulate_feed(
    values: Mapping[str, float],
    n_users: int = 2_000,
    n_weeks: int = 12,
    seed: int = 0,
    *,
    honesty: float = 0.0,
    memory: float = 0.8,
    effect: float = 1.0,
) -> pd.DataFrame:
    """Let users live with a ranker that sorts by the sum of P(action) x value.

    Each item has an *appeal*, seen before the click, and a *substance*, found after it.
    Appeal draws clicks. Substance makes a click long, and a lack of it makes people
    hide. What a session gave, long clicks less short ones and hides, moves the user's
    satisfaction, and satisfaction moves the number of sessions in the weeks to come.

    Parameters
    ----------
    values : {action: number}
        Of some of "click", "long_click" (a click on what is then read) and "hide".
    n_users, n_weeks, seed
        Size of the world, and the seed that determines it.
    honesty : float in [-1, 1]
        Correlation of appeal and substance: at 1 headlines tell the truth, at 0
        nothing, below they lie.
    memory : float in [0, 1)
        Share of last week's satisfaction that is left this week.
    effect : float
        Log sessions a week per unit of satisfaction. 0: users come out of habit.

    Returns
    -------
    frame with one row a user and week, in that order
        ``user``, ``week`` (from 0), ``sessions``, ``impressions``, ``click``,
        ``long_click``, ``hide`` (counts) and ``satisfaction`` at the start of the week,
        which no log has.

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.

    Examples
    --------
    >>> feed = simulate_feed({"click": 1, "hide": -10}, n_users=500, n_weeks=4)
    >>> len(feed), bool((feed["long_click"] <= feed["click"]).all())
    (2000, True)
    """
    if not isinstance(values, Mapping) or not values or not set(values) <= set(ACTIONS):
        raise ValueError(
            f"values must give numbers to some of {ACTIONS}, got {values!r}"
        )
    values = {
        action: _number(f"the value of {action!r}", value)
        for action, value in values.items()
    }
    n_users, n_weeks = _count("n_users", n_users), _count("n_weeks", n_weeks)
    honesty, memory = (
        _number("honesty", honesty, "[-1, 1]"),
        _number("memory", memory, "[0, 1)"),
    )
    effect = _number("effect", effect)
    rng = np.random.default_rng(_count("seed", seed, 0))
    habit = rng.normal(1.2, 0.6, n_users)  # log sessions a week
    clicky = rng.normal(0.0, 0.5, n_users)  # some click more, whatever is shown
    satisfaction = np.zeros(n_users)
    weeks = []
    for week in range(n_weeks):
        sessions = rng.poisson(np.exp(np.minimum(habit + effect * satisfaction, 4.0)))
        user = np.repeat(np.arange(n_users), sessions)
        # --8<-- [start:session]
        appeal = rng.normal(size=(len(user), N_CANDIDATES))
        substance = honesty * appeal + np.sqrt(1 - honesty**2) * rng.normal(
            size=appeal.shape
        )
        click = _sigmoid(-2.0 + 0.9 * appeal + 0.3 * substance + clicky[user, None])
        p = {
            "click": click,
            "long_click": click * _sigmoid(1.2 * substance - 0.3 * appeal),
            "hide": _sigmoid(-5.0 + 0.5 * appeal - 0.9 * substance),
        }
        score = sum(value * p[action] for action, value in values.items())
        shown = np.argsort(-score, axis=1, kind="stable")[:, :N_SLOTS]
        # --8<-- [end:session]
        p = {
            action: np.take_along_axis(array, shown, axis=1)
            for action, array in p.items()
        }
        clicked = rng.random(shown.shape) < p["click"]
        read = clicked & (rng.random(shown.shape) < p["long_click"] / p["click"])
        hidden = rng.random(shown.shape) < p["hide"]
        counts = {
            action: np.bincount(
                user, weights=happened.sum(axis=1), minlength=n_users
            ).astype(np.int64)
            for action, happened in zip(ACTIONS, (clicked, read, hidden), strict=True)
        }
        weeks.append(
            pd.DataFrame(
                {
                    "user": np.arange(n_users),
                    "week": week,
                    "sessions": sessions,
                    "impressions": sessions * N_SLOTS,
                    **counts,
                    "satisfaction": satisfaction,
                }
            )
        )
        # --8<-- [start:satisfaction]
        good, bad = (
            counts["long_click"],
            counts["click"] - counts["long_click"] + 2 * counts["hide"],
        )
        lived = (good - bad) / np.maximum(sessions, 1)
        satisfaction = np.where(
            sessions > 0,
            memory * satisfaction + (1 - memory) * lived,
            memory * satisfaction,
        )
        # --8<-- [end:satisfaction]
    return pd.concat(weeks, ignore_index=True).sort_values(
        ["user", "week"], ignore_index=True
    )


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


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


def _number(name: str, value: Any, interval: str = "(-inf, inf)") -> float:
    """Return a parameter as a float inside of an interval."""
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be a number, got {value}")
    return float(_numbers(name, value, interval, ndim=0))


def _count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return a parameter that is a whole number."""
    rule = f"of at least {least}" if most is None else f"in [{least}, {most}]"
    try:
        if isinstance(value, bool | np.bool_) or not least <= operator.index(value) <= (
            np.inf if most is None else most
        ):
            raise TypeError
    except TypeError:
        raise ValueError(
            f"{name} must be a whole number {rule}, got {value!r}"
        ) from None
    return operator.index(value)


# --- End of the door. ---
