"""A simulated ad log in which the true click probability of every impression is known.

Real logs cannot tell how far a model is from the best that any model could do. This one
can: the normalized entropy of its ``p_click`` is the floor. Each bias that real logs
have can be switched on and off alone.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
import pandas as pd

N_SLOTS = 5  # ads shown per request, at positions 1 to 5
N_CANDIDATES = 12  # ads the serving policy chooses from
N_FACTORS = 4  # hidden dimensions of taste
# Chance that a user looks at each position
EXAMINATION = np.array([1.0, 0.72, 0.55, 0.44, 0.36])
CATEGORIES = (
    "electronics",
    "fashion",
    "finance",
    "food",
    "games",
    "home",
    "sports",
    "travel",
)
AGE_GROUPS = ("18-24", "25-34", "35-44", "45-54", "55+")
DEVICES = ("desktop", "mobile", "tablet")
START = np.datetime64("2026-01-05T00:00:00", "ms")  # a Monday
DAY_MS = 86_400_000


def simulate_ad_log(
    n_impressions: int = 200_000,
    n_days: int = 14,
    seed: int = 0,
    *,
    n_users: int = 20_000,
    n_ads: int = 2_000,
    base_ctr: float = 0.03,
    drift: float = 0.08,
    position_bias: bool = True,
    randomize_positions: bool = False,
    exploration_rate: float = 0.0,
    late_share: float = 0.15,
    missingness: str = "none",
    missing_rate: float = 0.2,
    incident: str | None = None,
    incident_day: int | None = None,
) -> pd.DataFrame:
    """Simulate the log of a sponsored feed, one row an impression, in order of time.

    Parameters
    ----------
    n_impressions, n_days, seed
        Size of the log, its length in days, and the seed that determines every row.
    n_users, n_ads
        Size of the two populations. Half of the ads run from day 0, the others start
        during the log.
    base_ctr
        Mean of ``p_click``, a rate in (0, 0.5); hit up to the sampling error of about
        100,000 rows.
    drift
        Standard deviation of the daily step of each ad's quality, in logits, up to
        1000. 0 freezes the world.
    position_bias
        If true, a click needs the user to look, which gets rarer from position 1 to 5
        (``EXAMINATION``).
    randomize_positions
        If true, the ads of a request are shown in random order; else the policy puts
        its favourite first.
    exploration_rate
        Share of requests that show random candidates instead of the policy's favourites
        (column ``explored``).
    late_share
        Share of clicks whose delay has a mean of one day; the delay of the others has a
        mean of 30 seconds.
    missingness, missing_rate
        How ``age_group`` goes missing, and how often on average: "none"; "mcar",
        completely at random; "mar", by device, which is observed; "mnar", by age
        itself, so that the young hide theirs.
    incident, incident_day
        A fault of the logging from the start of that day on: "lost_clicks", mobile
        clicks are not logged; "frozen_counters", the histories stop counting.
        ``p_click`` stays what the users really do.

    Returns
    -------
    pandas.DataFrame
        ``timestamp`` (UTC, milliseconds), ``day`` (0 to n_days - 1), ``hour``,
        ``request_id``, ``user_id``, ``ad_id``, ``advertiser_id``, ``category``,
        ``age_group``, ``device``, ``position`` (1 to 5), ``explored``; ``click`` and
        ``hide`` (the "not relevant" button) and ``conversion`` (a purchase after a
        click), 0 or 1; ``click_delay`` (seconds, NaN without a click); histories as
        known at the timestamp, clicks counted once they have arrived:
        ``user_impressions``, ``user_clicks``, ``ad_impressions``, ``ad_clicks``; and
        the truth, which no model may see: ``p_click``, ``p_hide``, ``p_conversion``,
        the probability that a click converts, also where there was none, and
        ``relevance``, the click probability of a user who looks.

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.

    Notes
    -----
    Clicks follow the position-based model, P(click) = P(look at the position) x P(click
    | look): Richardson et al. 2007, "Predicting Clicks", WWW; Joachims et al. 2017,
    "Unbiased Learning-to-Rank with Biased Feedback", WSDM.

    Examples
    --------
    >>> log = simulate_ad_log(10_000, seed=1)
    >>> log.shape, bool(log["p_click"].between(0, 1).all())
    ((10000, 24), True)
    """
    n_impressions, n_days = (
        _count("n_impressions", n_impressions),
        _count("n_days", n_days),
    )
    n_users, n_ads = (
        _count("n_users", n_users),
        _count("n_ads", n_ads, N_CANDIDATES + N_SLOTS),
    )
    base_ctr, drift = (
        _number("base_ctr", base_ctr, "(0, 0.5)"),
        _number("drift", drift, "[0, 1000]"),
    )
    exploration_rate = _number("exploration_rate", exploration_rate, "[0, 1]")
    late_share, missing_rate = (
        _number("late_share", late_share, "[0, 1]"),
        _number("missing_rate", missing_rate, "[0, 1]"),
    )
    for name, flag in [
        ("position_bias", position_bias),
        ("randomize_positions", randomize_positions),
    ]:
        if not isinstance(flag, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, got {flag!r}")
    if missingness not in ("none", "mcar", "mar", "mnar"):
        raise ValueError(
            f"missingness must be 'none', 'mcar', 'mar' or 'mnar', got {missingness!r}"
        )
    if incident not in (None, "lost_clicks", "frozen_counters"):
        raise ValueError(
            "incident must be None, 'lost_clicks' or 'frozen_counters', got "
            f"{incident!r}"
        )
    if (incident is None) != (incident_day is None):
        raise ValueError("incident and incident_day go together: give both or neither")
    incident_day = (
        None
        if incident is None
        else _count("incident_day", incident_day, 0, n_days - 1)
    )
    seed = _count("seed", seed, 0)
    rng = np.random.default_rng(seed)
    n_requests = -(-n_impressions // N_SLOTS)

    # Users: a few do most of the browsing. Ads: a few advertisers own most of them, and
    # clickbait comes with hides.
    user_activity = rng.lognormal(0.0, 1.0, n_users)
    user_taste = rng.normal(0.0, 1.0, (n_users, N_FACTORS)).astype(np.float32)
    user_bias = rng.normal(0.0, 0.5, n_users)
    user_age = rng.choice(
        len(AGE_GROUPS), n_users, p=[0.22, 0.28, 0.22, 0.16, 0.12]
    ).astype(np.int8)
    user_device = rng.choice(len(DEVICES), n_users, p=[0.3, 0.6, 0.1]).astype(np.int8)
    ad_advertiser = (rng.beta(1.0, 3.0, n_ads) * max(n_ads // 10, 1)).astype(np.int32)
    ad_category = rng.choice(len(CATEGORIES), n_ads).astype(np.int8)
    ad_taste = rng.normal(0.0, 1.0, (n_ads, N_FACTORS)).astype(np.float32)
    ad_clickbait = rng.exponential(1.0, n_ads)
    ad_quality = rng.normal(0.0, 0.6, n_ads) + 0.3 * ad_clickbait
    ad_start = np.where(rng.random(n_ads) < 0.5, 0, rng.integers(0, n_days, n_ads))
    ad_start[: N_CANDIDATES + N_SLOTS] = 0  # enough to fill the first request
    ad_weight = rng.lognormal(0.0, 0.8, n_ads)
    daily_quality = ad_quality + np.cumsum(
        rng.normal(0.0, drift, (n_days, n_ads)), axis=0
    )
    age_by_category = rng.normal(0.0, 0.5, (len(AGE_GROUPS), len(CATEGORIES)))
    device_by_category = rng.normal(0.0, 0.3, (len(DEVICES), len(CATEGORIES)))
    hour_effect = 0.25 * np.sin((np.arange(24) - 14) / 24 * 2 * np.pi)

    # Requests in order of time, busiest in the evening.
    hour_share = 1.2 + np.sin((np.arange(24) - 13) / 24 * 2 * np.pi)
    day = np.sort(rng.integers(0, n_days, n_requests))
    hour = rng.choice(24, n_requests, p=hour_share / hour_share.sum())
    ms = np.sort(
        day * DAY_MS + hour * 3_600_000 + rng.integers(0, 3_600_000, n_requests)
    )
    day, hour = ms // DAY_MS, ms % DAY_MS // 3_600_000
    user = np.searchsorted(
        np.cumsum(user_activity) / user_activity.sum(), rng.random(n_requests)
    )
    device = np.where(
        rng.random(n_requests) < 0.85,
        user_device[user],
        rng.integers(0, len(DEVICES), n_requests),
    )

    # The policy sees a noisy version of the truth of day 0, picks its favourites and
    # puts the best on top.
    candidates = _draw_candidates(rng, day, ad_start, ad_weight)
    score = daily_quality[0][candidates] + 0.5 * _affinity(
        user_taste[user], ad_taste, candidates
    )
    score += rng.normal(0.0, 1.0, candidates.shape)
    explored = rng.random(n_requests) < exploration_rate
    score[explored] = rng.random((int(explored.sum()), N_CANDIDATES))
    # Rows are sorted by ad, so that equals are neighbours
    repeated = np.zeros(candidates.shape, bool)
    repeated[:, 1:] = candidates[:, 1:] == candidates[:, :-1]
    score[repeated] = -np.inf
    shown = np.take_along_axis(
        candidates, np.argsort(-score, axis=1)[:, :N_SLOTS], axis=1
    )
    if randomize_positions:
        shown = rng.permuted(shown, axis=1)

    # One row an impression. The truth: taste, ad, context and drift add up in logits;
    # looking is a factor.
    rows = np.repeat(np.arange(n_requests), N_SLOTS)[:n_impressions]
    ad = shown.ravel()[:n_impressions]
    position = np.tile(np.arange(N_SLOTS, dtype=np.int8), n_requests)[:n_impressions]
    user, device, day, hour, ms = (
        user[rows],
        device[rows],
        day[rows],
        hour[rows],
        ms[rows],
    )
    category, age = ad_category[ad], user_age[user]
    affinity = np.einsum("ij,ij->i", user_taste[user], ad_taste[ad])
    logit = (
        daily_quality[day, ad] + user_bias[user] + hour_effect[hour] + 0.5 * affinity
    )
    logit += age_by_category[age, category] + device_by_category[device, category]
    look = EXAMINATION[position] if position_bias else np.ones(n_impressions)
    relevance = _sigmoid(logit + _intercept(logit, look, base_ctr))
    p_click = relevance * look
    p_hide = look * _sigmoid(-7.0 + 0.9 * ad_clickbait[ad] - 0.6 * affinity)
    click = rng.random(n_impressions) < p_click
    hide = rng.random(n_impressions) < p_hide
    late = rng.random(n_impressions) < late_share
    delay = np.where(
        click,
        rng.exponential(1.0, n_impressions) * np.where(late, 86_400.0, 30.0),
        np.nan,
    )

    # Purchases, from a generator of their own. What makes people click need not make
    # them buy: clickbait does not.
    buying = np.random.default_rng([seed, 1])
    user_budget, ad_offer = (
        buying.normal(0.0, 0.7, n_users),
        buying.normal(0.0, 0.7, n_ads),
    )
    p_conversion = _sigmoid(
        -2.0
        + user_budget[user]
        + ad_offer[ad]
        + 0.4 * affinity
        - 0.6 * ad_clickbait[ad]
    )
    conversion = click & (buying.random(n_impressions) < p_conversion)

    # What was logged, and what was known when.
    broken = ms >= incident_day * DAY_MS if incident else np.zeros(n_impressions, bool)
    if incident == "lost_clicks":
        click &= ~(broken & (device == DEVICES.index("mobile")))
        delay[~click] = np.nan
        conversion &= click
    known = (
        np.where(broken, incident_day * DAY_MS, ms)
        if incident == "frozen_counters"
        else ms
    )
    arrival = ms[click] + np.ceil(1000 * delay[click]).astype(np.int64)
    missing = _missing(rng, missingness, missing_rate, age, device)
    return pd.DataFrame(
        {
            "timestamp": pd.DatetimeIndex(
                START + ms.astype("timedelta64[ms]")
            ).tz_localize("UTC"),
            "day": day.astype(np.int16),
            "hour": hour.astype(np.int8),
            "request_id": rows,
            "user_id": user,
            "ad_id": ad,
            "advertiser_id": ad_advertiser[ad],
            "category": pd.Categorical.from_codes(category, CATEGORIES),
            "age_group": pd.Categorical.from_codes(
                np.where(missing, -1, age), AGE_GROUPS, ordered=True
            ),
            "device": pd.Categorical.from_codes(device, DEVICES),
            "position": position + np.int8(1),
            "explored": explored[rows],
            "click": click.astype(np.int8),
            "hide": hide.astype(np.int8),
            "conversion": conversion.astype(np.int8),
            "click_delay": delay,
            "user_impressions": _count_before(user, ms, user, known),
            "user_clicks": _count_before(user[click], arrival, user, known),
            "ad_impressions": _count_before(ad, ms, ad, known),
            "ad_clicks": _count_before(ad[click], arrival, ad, known),
            "p_click": p_click,
            "p_hide": p_hide,
            "p_conversion": p_conversion,
            "relevance": relevance,
        }
    )


def _sigmoid(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def _affinity(
    user_taste: np.ndarray, ad_taste: np.ndarray, ads: np.ndarray
) -> np.ndarray:
    """Dot products of each row's user with each of its ads.

    One factor at a time, to spare memory.
    """
    return sum(user_taste[:, k, None] * ad_taste[:, k][ads] for k in range(N_FACTORS))


def _draw_candidates(
    rng: np.random.Generator,
    day: np.ndarray,
    ad_start: np.ndarray,
    ad_weight: np.ndarray,
) -> np.ndarray:
    """Draw each request's candidates, at least N_SLOTS distinct, sorted by ad.

    They are among the ads that run that day.
    """
    out = np.empty((len(day), N_CANDIDATES), np.int32)
    for today in np.unique(day):
        live = np.flatnonzero(ad_start <= today)
        cumulative = np.cumsum(ad_weight[live])
        todo = np.flatnonzero(day == today)
        while len(todo):
            draws = rng.random((len(todo), N_CANDIDATES)) * cumulative[-1]
            ads = np.sort(live[np.searchsorted(cumulative, draws)], axis=1)
            out[todo] = ads
            todo = todo[(np.diff(ads, axis=1) != 0).sum(axis=1) + 1 < N_SLOTS]
    return out


def _intercept(logit: np.ndarray, look: np.ndarray, base_ctr: float) -> float:
    """Find by bisection the intercept that makes the mean rate base_ctr."""
    step = max(len(logit) // 100_000, 1)
    step += step % N_SLOTS == 0  # else every row taken would have the same position
    logit, look, low, high = logit[::step], look[::step], -40.0, 40.0
    while (_sigmoid(logit + low) * look).mean() > base_ctr:
        low -= 40.0
    for _ in range(50):
        middle = (low + high) / 2
        too_low = (_sigmoid(logit + middle) * look).mean() < base_ctr
        low, high = (middle, high) if too_low else (low, middle)
    return low


def _missing(
    rng: np.random.Generator, how: str, rate: float, age: np.ndarray, device: np.ndarray
) -> np.ndarray:
    """Say which rows lose their age group."""
    if how == "none":
        return np.zeros(len(age), bool)
    by_device, by_age = np.array([0.5, 1.2, 1.5]), np.array([2.2, 1.2, 0.6, 0.3, 0.2])
    factor = {"mcar": 1.0, "mar": by_device[device], "mnar": by_age[age]}[how]
    # Who hides it always: then the others must more often
    full = np.zeros(len(age), bool)
    while not full.all():
        chance = np.where(
            full, 1.0, factor * (rate - full.mean()) / np.mean(factor * ~full)
        )
        if not (chance > 1).any():
            break
        full |= chance > 1
    return rng.random(len(age)) < chance


def _count_before(
    event_key: np.ndarray, event_ms: np.ndarray, key: np.ndarray, ms: np.ndarray
) -> np.ndarray:
    """Count for each (key, time) the events of the key at strictly earlier times."""
    events = np.sort(event_key.astype(np.int64) << 40 | event_ms)
    # Searching in order is several times as fast
    order = np.argsort(key, kind="stable")
    first = key[order].astype(np.int64) << 40
    count = np.empty(len(key), np.int32)
    count[order] = np.searchsorted(events, first | ms[order]) - np.searchsorted(
        events, first
    )
    return count


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
