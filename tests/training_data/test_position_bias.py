import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import bootstrap

from snippets.datasets.ad_log import EXAMINATION, N_SLOTS, simulate_ad_log
from snippets.training_data.position_bias import (
    examination_from_random_positions,
    examination_from_swaps,
    labels_as_if_seen,
)


def swapped_log(n=300_000, seed=0):
    """The policy's log, with position 1 and one other exchanged by a coin, and clicks drawn anew."""
    log = simulate_ad_log(n, seed=seed)
    rng = np.random.default_rng(seed)
    requests = len(log) // N_SLOTS
    swap, heads = rng.integers(2, N_SLOTS + 1, requests), rng.random(requests) < 0.5
    position = np.tile(np.arange(1, N_SLOTS + 1), (requests, 1))
    position[heads, 0], position[np.flatnonzero(heads), swap[heads] - 1] = swap[heads], 1
    position = position.ravel()
    click = rng.random(len(log)) < log["relevance"] * EXAMINATION[position - 1]
    return click.to_numpy(), position, np.repeat(swap, N_SLOTS)


@pytest.mark.parametrize("seed", [0, 1])
def test_random_positions_find_the_examination_of_the_simulator(seed):
    log = simulate_ad_log(400_000, seed=seed, randomize_positions=True)
    found = examination_from_random_positions(log["click"], log["position"])
    z = (found["examination"] - EXAMINATION)[1:] / found["standard_error"][1:]
    assert found.loc[1].tolist() == [80_000, log.loc[log["position"] == 1, "click"].sum(), 1, 0]
    assert (found["standard_error"][1:] < 0.02).all()
    assert np.abs(z).max() < 3.5


@pytest.mark.parametrize("seed", [0, 1])
def test_swaps_find_it_too(seed):
    found = examination_from_swaps(*swapped_log(seed=seed))
    z = (found["examination"] - EXAMINATION[1:]) / found["standard_error"]
    assert found.index.tolist() == [2, 3, 4, 5]
    assert (found["standard_error"] < 0.05).all()
    assert np.abs(z).max() < 3.5


def test_the_order_of_the_policy_does_not():
    log = simulate_ad_log(400_000)
    found = examination_from_random_positions(log["click"], log["position"])
    assert (found["examination"][1:] + 5 * found["standard_error"][1:] < EXAMINATION[1:]).all()


def test_the_standard_error_against_the_bootstrap():
    log = simulate_ad_log(30_000, randomize_positions=True)
    top, third = (log.loc[log["position"] == k, "click"].to_numpy() for k in (1, 3))
    found = examination_from_random_positions(log["click"], log["position"]).loc[3]
    resampled = bootstrap(
        (third, top), lambda a, b: a.mean() / b.mean(), vectorized=False, n_resamples=2_000, rng=0, method="percentile"
    )
    assert found["standard_error"] == pytest.approx(resampled.standard_error, rel=0.06)


def test_the_standard_error_by_hand():
    # Clicks are binomial: the squared relative error of a rate is (1 - rate) / clicks, and those of both add up.
    # 1 of 4 below, 4 of 8 on top.
    found = examination_from_random_positions([1, 0, 0, 0] + [1, 0] * 4, [3] * 4 + [1] * 8).loc[3]
    assert found["standard_error"] == pytest.approx((1 / 2) * np.sqrt((3 / 4) / 1 + (1 / 2) / 4), rel=1e-12)


def test_swaps_by_hand():
    rows = pd.DataFrame(
        [(1, 1, 3), (1, 1, 3), (0, 1, 3), (0, 3, 3), (1, 3, 3), (0, 3, 3), (0, 3, 3), (1, 2, 3), (1, 1, 0), (1, 3, 0)],
        columns=["click", "position", "swap"],
    )
    found = examination_from_swaps(rows["click"], rows["position"], rows["swap"])
    assert found.index.tolist() == [3]
    assert found.loc[3, ["impressions", "clicks"]].tolist() == [4, 1]
    assert found.loc[3, "examination"] == pytest.approx((1 / 4) / (2 / 3))


def test_a_position_without_a_click_is_zero():
    found = examination_from_random_positions([1, 0, 0, 0], [1, 1, 4, 4])
    assert found.index.tolist() == [1, 4]
    assert found.loc[4, ["examination", "standard_error"]].tolist() == [0, 0]


def test_labels_are_the_relevance_on_average():
    log = simulate_ad_log(400_000)
    labels = labels_as_if_seen(log["click"], EXAMINATION[log["position"] - 1])
    naive = log["click"] / 1.0
    for k in range(1, 6):
        rows = (log["position"] == k).to_numpy()
        error = stats.sem(labels[rows])
        assert labels[rows].mean() == pytest.approx(log.loc[rows, "relevance"].mean(), abs=3.5 * error)
        assert k == 1 or naive[rows].mean() < log.loc[rows, "relevance"].mean() - 5 * error


def test_memory_does_not_grow_with_the_position():
    far = 10**15
    found = examination_from_random_positions([1, 1, 1, 0], [1, 1, far, far])
    assert found["examination"].to_dict() == {1: 1.0, far: 0.5}
    assert examination_from_swaps([1, 0, 1], [1, far, far], [far] * 3)["examination"].to_dict() == {far: 0.5}


def test_labels_keep_the_index():
    assert labels_as_if_seen(pd.Series([1, 0], index=["a", "b"]), [0.5, 0.5]).to_dict() == {"a": 2, "b": 0}


def test_clipping_bounds_the_labels():
    assert labels_as_if_seen([1, 1, 0], [0.1, 0.8, 0.1], clip=0.5).tolist() == [2, 1.25, 0]
    assert labels_as_if_seen([1, 1], [0.1, 1], clip=1).tolist() == [1, 1]
    assert labels_as_if_seen([1], [0.1]).tolist() == [10]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: examination_from_random_positions([], []), "click is empty"),
        (lambda: examination_from_random_positions([1, 0], [1]), "position has 1 rows, click has 2"),
        (lambda: examination_from_random_positions([1, 2], [1, 2]), "click must be 0 or 1, got 2 at row 1"),
        (lambda: examination_from_random_positions([1, np.nan], [1, 2]), "click must be 0 or 1, got nan at row 1"),
        (
            lambda: examination_from_random_positions([1, 0], [1, 0]),
            "position must be at least 1, got 0 at row 1",
        ),
        (
            lambda: examination_from_random_positions([1, 0], [1, 1.5]),
            "position must be whole numbers, got 1.5 at row 1",
        ),
        (lambda: examination_from_random_positions([0, 1], [1, 2]), "no click on top to compare with position 1"),
        (lambda: examination_from_random_positions([0, 1], [2, 2]), "no click on top to compare with position 2"),
        (lambda: examination_from_swaps([1, 0], [1, 2], [2]), "swap has 1 rows, click has 2"),
        (lambda: examination_from_swaps([1, 0], [1, 2], [2, 1]), "a position from 2 on, got 1 at row 1"),
        (lambda: examination_from_swaps([1, 0], [1, 2], [2, 2.5]), "swap must be whole numbers, got 2.5 at row 1"),
        (lambda: examination_from_swaps([1, 0], [1, 2], [0, 0]), "no click on top to compare with position any"),
        (lambda: examination_from_swaps([0, 1], [1, 2], [2, 2]), "no click on top to compare with position 2"),
        (lambda: labels_as_if_seen([1, 0], [0.5, 0]), r"propensity must be in \(0, 1\], got 0 at row 1"),
        (lambda: labels_as_if_seen([1, 0], [0.5, np.nan]), r"propensity must be in \(0, 1\], got nan at row 1"),
        (lambda: labels_as_if_seen([1, 0], [0.5, 1.1]), r"propensity must be in \(0, 1\], got 1.1 at row 1"),
        (lambda: labels_as_if_seen([1], [0.5], clip=-0.1), r"clip must be in \[0, 1\], got -0.1"),
        (lambda: labels_as_if_seen([1], [0.5], clip=1.1), r"clip must be in \[0, 1\], got 1.1"),
        (lambda: labels_as_if_seen([1], [0.5], clip=2), r"clip must be in \[0, 1\], got 2"),
        (lambda: labels_as_if_seen([2], [0.5]), "click must be 0 or 1, got 2 at row 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_propensity_whose_inverse_overflows_is_refused_unless_clipped():
    with pytest.raises(ValueError, match=r"propensity must be at least 1e-300, or clipped, .* at row 1"):
        labels_as_if_seen([1, 1], [0.5, 1e-310])
    assert labels_as_if_seen([1, 1], [0.5, 1e-310], clip=0.25).tolist() == [2, 4]
