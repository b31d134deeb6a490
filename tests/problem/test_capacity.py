import math
import random
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import erlang, expon

from snippets.problem.capacity import (
    Quantity,
    _quantile,
    fan_out_tail,
    in_flight,
    latency_quantile,
    simulate_queue,
)

# Units


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("500M user", "user", 5e8),
        ("2.5k", "", 2_500),
        ("1 day", "s", 86_400),
        ("3 ms", "us", 3_000),
        ("12 request / user / day", "request / user / year", 12 * 365),
        ("1_000 MB", "GB", 1),
        ("1e3 GFLOP / s", "PFLOP / s", 1e-3),
        ("5 1 / s", "1 / min", 300),
        ("1 / s", "/ min", 60),
        ("1k/s", "/ min", 60_000),
        ("1,234,567 request", "request", 1_234_567),
        ("2 B", "B", 2),
        ("-0.5 kB * request", "request * B", -500),
        (".5T B", "GB", 500),
        ("2G B", "MB", 2_000),
        ("2B user", "user", 2e9),
        ("7 s", "ms", 7_000),
        ("2 h", "min", 120),
        ("2 min", "s", 120),
        ("3 day", "h", 72),
        ("1 PB", "TB", 1_000),
        ("1 TB", "kB", 1e9),
        ("1 ZFLOP", "EFLOP", 1_000),
        ("1 EFLOP", "TFLOP", 1e6),
        ("1 PFLOP", "MFLOP", 1e9),
        ("1 MFLOP", "FLOP", 1e6),
    ],
)
def test_a_quantity_is_read_in_any_unit_of_its_kind(text, unit, number):
    assert Quantity.of(text).to(unit) == pytest.approx(number)


def test_a_rate_and_a_store_by_hand():
    users, each = Quantity.of("1M user"), Quantity.of("86.4 request / user / day")
    assert (users * each).to("request / s") == pytest.approx(1_000)
    log = users * each * Quantity.of("500 B / request") * Quantity.of("30 day")
    assert log.to("TB") == pytest.approx(86.4e6 * 500 * 30 / 1e12)
    assert (log / Quantity.of("100 GB / disk")).to("disk") == pytest.approx(12.96)


amounts = st.floats(-1e6, 1e6, allow_nan=False)


@given(amounts, amounts, st.floats(0.1, 1e3))
def test_arithmetic_is_that_of_the_numbers(a, b, c):
    x, y = Quantity.of(f"{a:.6f} ms"), Quantity.of(f"{b:.6f} ms")
    a, b = round(a, 6), round(b, 6)
    assert (x + y).to("ms") == pytest.approx(a + b, abs=1e-6)
    assert (x - y).to("ms") == pytest.approx(a - b, abs=1e-6)
    assert (c * x / Quantity.of("1 s")).to("") == pytest.approx(c * a / 1000, abs=1e-6)
    assert (x < y) == (a < b)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1234567 request / s", "1,234,567 request / s"),
        ("0.000123 s", "123 us"),
        ("0 B", "0 B"),
        ("1500 kB / s", "1.5 MB / s"),
        ("90 s", "1.5 min"),
        ("1 s", "1 s"),
        ("1 MB", "1 MB"),
        ("1e-9 s", "0.001 us"),
        ("3e21 FLOP", "3 ZFLOP"),
        ("0.0456", "0.0456"),
        ("2 1 / s", "2 / s"),
        ("999.96 ms", "1 s"),
        ("59.99 s", "1 min"),
        ("999.7 MB / s", "1 GB / s"),
        ("3 MB * ABtest", "3 ABtest * MB"),
        ("7 user * day", "604,800 s * user"),
        ("1e13 user", "10,000,000,000,000 user"),
    ],
)
def test_a_quantity_is_written_in_a_fitting_unit(text, written):
    assert str(Quantity.of(text)) == written


words = st.sampled_from(
    [
        "",
        "s",
        "/ s",
        "B",
        "B / s",
        "FLOP / s / machine",
        "user",
        "user * B",
        "1 / day",
        "ms * FLOP",
        "s * s",
        "ABtest * kB",
    ]
)
sizes = st.floats(1e-9, 1e15) | st.integers(1, 10**6) | st.sampled_from([0, 999.5, 59.96, 3_599.9, 86_399, 999_999.9])


@given(sizes, st.sampled_from([1, -1]), words)
def test_what_is_written_is_read_as_the_same(size, sign, unit):
    quantity = Quantity(sign * size) * Quantity.of(f"1 {unit}")
    again = Quantity.of(str(quantity))
    assert again.dimensions == quantity.dimensions
    assert again.amount == pytest.approx(quantity.amount, rel=5e-3)
    assert str(again) == str(quantity)


def test_sums_and_inverses_by_hand():
    parts = [Quantity.of("20 ms"), Quantity.of("0.03 s"), Quantity.of("50000 us")]
    assert sum(parts).to("ms") == pytest.approx(100)
    assert (sum(parts) - 0).to("ms") == pytest.approx(100)
    assert (2 / Quantity.of("4 s")).to("1 / s") == 0.5
    assert (3 - Quantity.of("1")).to("") == 2
    assert [x * Quantity.of("3 s") for x in (np.float32(2), np.int8(2))] == [Quantity.of("6 s")] * 2
    assert np.float64(6) / Quantity.of("3 s") == Quantity.of("2 / s")


def test_equal_amounts_are_equal_in_any_unit_and_in_one_set():
    assert Quantity.of("0.1 s") + Quantity.of("0.2 s") == Quantity.of("300 ms")
    assert Quantity.of("1 day") / 7 * 7 == Quantity.of("24 h")
    assert len({Quantity.of("3 ms"), Quantity.of("3000 us"), 3 * Quantity.of("1 ms")}) == 1
    assert {Quantity.of("3"), 3} == {3}
    assert Quantity.of("3") == 3.0
    assert Quantity.of("3 s") != Quantity.of("3 B")
    assert Quantity.of("3 s") != 3
    assert Quantity.of("3 s") != "3 s"


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_the_order_is_that_of_the_numbers(a, b):
    x, y = Quantity(a / 10) * Quantity.of("1 s"), Quantity.of(f"{100 * b} ms")
    assert [x < y, x <= y, x == y, x >= y, x > y] == [a < b, a <= b, a == b, a >= b, a > b]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Quantity.of("many users"), "a quantity is a number and its unit"),
        (lambda: Quantity.of("1,5 s"), "a quantity is a number and its unit"),
        (lambda: Quantity.of("2B"), "2B may be billions or bytes: write '2G' or '2 B', got '2B'"),
        (lambda: Quantity.of("2B / s"), "2B may be billions or bytes: write '2G' or '2 B', got '2B / s'"),
        (lambda: Quantity.of("1e999 s"), "amount must be a finite number, got inf"),
        (lambda: Quantity.of("3 s") * float("nan"), "amount must be a finite number, got nan"),
        (lambda: Quantity.of("3 s") * "2", "amount must be a finite number, got '2'"),
        (lambda: Quantity.of("3 s") - "2", "amount must be a finite number, got '2'"),
        (lambda: Quantity.of("3 s") / 0, "3 s cannot be divided by 0"),
        (lambda: 3 / Quantity.of("0 s"), "3 cannot be divided by 0"),
        (lambda: Quantity.of("3 s") <= 3, "s and a plain number do not compare"),
        (lambda: 3 - Quantity.of("3 s"), "s and a plain number do not compare"),
        (lambda: Quantity.of("3 per day!"), "a unit is words with"),
        (lambda: Quantity.of("3 GB").to("s"), "B and s do not compare"),
        (lambda: Quantity.of("3 GB / s") + Quantity.of("3 GB"), "B / s and B do not compare"),
        (lambda: Quantity.of("3 user") - 3, "user and a plain number do not compare"),
        (lambda: Quantity.of("3 1 / s") < Quantity.of("3 s"), "1 / s and s do not compare"),
    ],
)
def test_unlike_things_do_not_compare(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Laws


def test_in_flight_by_hand():
    inside = in_flight(Quantity.of("2000 request / s"), Quantity.of("150 ms"))
    assert inside.to("request") == pytest.approx(300)


@given(st.floats(0, 1), st.integers(1, 500))
def test_the_fan_out_is_the_complement_of_no_slow_call(share, n):
    assert fan_out_tail(share, n) == pytest.approx(1 - (1 - share) ** n, abs=1e-12)


def test_the_fan_out_of_drawn_calls():
    rng = random.Random(0)
    slow = sum(any(rng.random() < 0.02 for _ in range(30)) for _ in range(20_000)) / 20_000
    assert abs(fan_out_tail(0.02, 30) - slow) < 4 * math.sqrt(slow * (1 - slow) / 20_000)


def erlang_c(load, servers):
    """Return the chance to wait, from the textbook's sum."""
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (0.8, 1), (3.2, 4), (18, 20)])
def test_the_queue_has_the_latency_of_erlangs_formula(load, servers):
    runs = [simulate_queue(load / 0.1, 0.1, servers, n=40_000, seed=seed) for seed in range(8)]
    expected = 0.1 + erlang_c(load, servers) * 0.1 / (servers - load)
    means = [run.mean_latency for run in runs]
    assert abs(np.mean(means) - expected) < 4 * np.std(means, ddof=1) / np.sqrt(8)


def test_the_queue_obeys_littles_law_and_its_quantiles_are_exponential():
    queue = simulate_queue(50, 0.01, n=200_000)  # latency is exponential with mean 1 / (100 - 50)
    assert queue.mean_in_system == pytest.approx(queue.throughput * queue.mean_latency)
    assert queue.throughput == pytest.approx(50, rel=4 / np.sqrt(200_000))
    assert queue.p50 == pytest.approx(expon(scale=0.02).ppf(0.5), rel=0.05)
    assert queue.p99 == pytest.approx(expon(scale=0.02).ppf(0.99), rel=0.1)


def test_one_request_alone_has_its_own_latency_at_each_quantile():
    queue = simulate_queue(1, 0.5, n=1)
    assert queue.p50 == queue.p99 == queue.mean_latency


def test_the_tail_of_a_sum_is_that_of_an_erlang():
    rng = random.Random(0)
    stage = [rng.expovariate(0.1) for _ in range(40_000)]
    total = latency_quantile([stage] * 4, 0.99, n=40_000)
    assert total == pytest.approx(erlang(4, scale=10).ppf(0.99), rel=0.04)
    alone = 4 * latency_quantile([stage], 0.99)
    assert total < 0.6 * alone  # the four tails do not come together


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(0.01, 0.99))
def test_a_quantile_against_numpy(values, quantile):
    assert _quantile(values, quantile) == np.quantile(values, quantile, method="inverted_cdf")


def test_quantiles_of_constants_add_up():
    assert latency_quantile([[0.0]], 0.5) == 0
    assert latency_quantile([[1.0], [2.5]], 0.5, n=10) == 3.5


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        iter,
        dict.fromkeys,
        lambda x: np.array(x, "float16"),
        lambda x: np.array(x, ">i4"),
        lambda x: np.array(x, "longdouble"),
        pd.Series,
        lambda x: pd.Series(x, dtype="Int64"),
        lambda x: pd.Series(x, dtype="int64[pyarrow]", index=[7, 7, 7]),
        lambda x: pd.Series(x).astype("category"),
        pl.Series,
        pa.array,
        lambda x: pa.chunked_array([x]),
        lambda x: np.array([Decimal(number) for number in x]),
    ],
)
def test_latencies_come_in_any_container(container):
    stages = (container([1, 2, 5]), container([0, 4, 7]))
    assert latency_quantile(stages, 0.7, n=50) == latency_quantile([[1, 2, 5], [0, 4, 7]], 0.7, n=50)


@pytest.mark.parametrize(
    "stage",
    [
        ["1", "2"],
        np.array(["1", "2"]),
        pa.array(["1", "2"]),
        np.array([5, 6], "timedelta64[ns]"),
        pd.to_timedelta([5, 6]),
        pd.date_range("2026-01-05", periods=2),
        [True, False],
        np.array([True, False]),
        [None, 1.0],
        pd.Series([None, 1], dtype="Int64"),
        np.ma.array([1.0, 2.0], mask=[True, False]),
        pa.array([None, 1.0]),
        [math.nan],
    ],
)
def test_what_is_no_number_is_no_latency(stage):
    with pytest.raises(ValueError, match=r"latencies must be a finite number, got .* in stage 1 at row 0"):
        latency_quantile([[1.0], stage], 0.5)


def test_counts_of_numpy_are_counts():
    whole = np.int8(3)
    assert fan_out_tail(np.array(0.5), whole) == fan_out_tail(0.5, 3)
    assert latency_quantile([[1, 2]], np.float64(0.5), whole, whole) == latency_quantile([[1, 2]], 0.5, 3, 3)
    assert simulate_queue(np.float64(5), np.float64(0.1), whole, whole, whole) == simulate_queue(5, 0.1, 3, 3, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: latency_quantile([], 0.5), "stages is empty"),
        (lambda: latency_quantile([1.0, 2.0], 0.5), "stage 0 must be a sequence, got 1.0"),
        (lambda: latency_quantile(None, 0.5), "stages must be a sequence, got None"),
        (lambda: latency_quantile([[1.0]], 0.5, n=0), "n must be a whole number of at least 1, got 0"),
        (lambda: latency_quantile([[1.0]], 0.5, n=2.5), "n must be a whole number of at least 1, got 2.5"),
        (lambda: latency_quantile([[1.0]], 0.5, seed=-1), "seed must be a whole number of at least 0, got -1"),
        (lambda: latency_quantile([[1.0]], math.nan), "quantile must be a finite number, got nan"),
        (lambda: fan_out_tail(0.5, True), "n_calls must be a whole number of at least 1, got True"),
        (lambda: fan_out_tail(True, 3), "slow_share must be a finite number, got True"),
        (lambda: simulate_queue(1, 0.1, seed=None), "seed must be a whole number of at least 0, got None"),
        (lambda: simulate_queue("1", 0.1), "rate must be a finite number, got '1'"),
        (lambda: fan_out_tail(1.5, 3), "slow_share must be a share"),
        (lambda: fan_out_tail(-0.1, 3), "slow_share must be a share"),
        (lambda: latency_quantile([[1.0]], 0), "quantile must be in"),
        (lambda: latency_quantile([[math.inf]], 0.5), "got inf in stage 0 at row 0"),
        (lambda: simulate_queue(1, 0), "must be positive, got 1.0 and 0.0"),
        (lambda: simulate_queue(math.inf, 1), "rate must be a finite number, got inf"),
        (lambda: simulate_queue(1, math.inf), "service_time must be a finite number, got inf"),
        (lambda: simulate_queue(1, 0.1, n=0), "n must be a whole number of at least 1, got 0"),
        (lambda: fan_out_tail(0.5, 0), "n_calls must be a whole number of at least 1"),
        (lambda: latency_quantile([[1.0]], 1), "quantile must be in"),
        (lambda: latency_quantile([[1.0], []], 0.5), "latencies must be there, got none in stage 1"),
        (lambda: latency_quantile([[1.0, -2.0]], 0.5), "at least 0, got -2.0 in stage 0 at row 1"),
        (lambda: simulate_queue(0, 1), "must be positive, got 0.0 and 1.0"),
        (lambda: simulate_queue(1, 0.1, servers=0), "servers must be a whole number of at least 1, got 0"),
        (lambda: simulate_queue(30, 0.1, servers=3), "3 servers' worth of work comes in, and there are 3"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sizes_unless_asked_for_others():
    stages = [[1.0, 2.0, 5.0], [0.5, 4.0]]
    assert latency_quantile(stages, 0.9) == latency_quantile(stages, 0.9, n=20_000, seed=0)
    assert simulate_queue(5, 0.1) == simulate_queue(5, 0.1, servers=1, n=100_000, seed=0)


def test_a_rare_request_takes_its_work_and_what_floats_do_not_hold_is_refused():
    rare = simulate_queue(1e-300, 1e-5, n=1000)  # beside 1e303 seconds, 1e-5 would vanish
    assert rare.mean_latency == pytest.approx(1e-5, rel=0.1)
    assert math.copysign(1, fan_out_tail(0, 5)) == 1  # not -0.0
    with pytest.raises(ValueError, match="must be a finite number, got inf"):
        simulate_queue(1e-320, 1e-5, n=10)
    with pytest.raises(ValueError, match="service_time must be at least 1e-300"):
        simulate_queue(1, 1e-320, n=10)
    with pytest.raises(ValueError, match="the sum of latencies must be a finite number"):
        latency_quantile([[1e308], [1e308]], 0.5)
