import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp, ttest_ind

from claims.claim import above, below, between, claim, differ, experiment

SAMPLES = st.lists(st.floats(-5, 5), min_size=3, max_size=30).filter(lambda values: np.ptp(values) > 1e-3)


@given(SAMPLES, st.floats(-5, 5))
def test_the_verdict_is_that_of_scipys_interval(values, limit):
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    if min(abs(low - limit), abs(high - limit)) < 1e-9:
        return
    expected = "holds" if low > limit else "fails" if high < limit else "varies"
    opposite = {"holds": "fails", "fails": "holds", "varies": "varies"}
    assert above(limit).judge(values) == expected
    assert below(limit).judge(values) == opposite[expected]
    assert between(limit, math.inf).judge(values) == expected


@pytest.mark.parametrize(("shift", "verdict"), [(0, "holds"), (3, "fails"), (-3, "fails"), (1, "varies")])
def test_a_region_with_two_ends(shift, verdict):
    assert between(-1, 1).judge([shift - 0.1, shift, shift + 0.1]) == verdict


def test_a_region_is_open():
    assert 0 not in above(0)
    assert 0.1 in above(0)
    assert 1 not in between(0, 1)
    with pytest.raises(ValueError, match="between needs low < high, got 1 and 1"):
        between(1, 1)


def declared(**options):
    given = {"holds": above(0), "twin": {"effect": 0}} | options

    @claim("The effect is above nothing.", **given)
    def effect_is_there(seed, *, effect=1.0):
        return effect + np.random.default_rng(seed).normal()

    return effect_is_there


def test_a_claim_is_known_by_its_file_and_its_function():
    found = declared()
    assert found.id.endswith("test_claim/effect_is_there")
    assert found.page == found.id.removesuffix("/effect_is_there")
    assert found.anchor.endswith("-test-claim-effect-is-there")


def test_worlds_that_disagree_make_it_vary():
    c = declared()
    plus, minus = [0.9, 1.0, 1.1], [-0.9, -1.0, -1.1]
    assert c.verdict({"a": plus, "b": plus}) == "holds"
    assert c.verdict({"a": minus, "b": minus}) == "fails"
    assert c.verdict({"a": plus, "b": minus}) == "varies"
    assert c.verdict({"a": plus, "b": [-1.0, 1.0, 0.0]}) == "varies"


WORLD = [0.7, 0.9, 1.0, 1.1, 1.2, 1.3]


@pytest.mark.parametrize(
    ("twin", "refuted"),
    [
        (WORLD, False),  # as the world itself
        ([-1.0, -0.9, -1.1], True),  # the opposite
        ([-1.0, 0.1, 0.9, 0.2, -0.3, 0.3], True),  # nothing
        ([0.9, 3.0, -0.7], False),  # too few and too wide to tell
    ],
)
def test_a_twin_gets_another_verdict_and_is_told_from_the_world(twin, refuted):
    assert declared().refuted(twin, WORLD) is refuted


@given(SAMPLES, SAMPLES)
def test_two_means_differ_where_scipys_test_says_so(one, other):
    p = ttest_ind(one, other, equal_var=False).pvalue
    if abs(p - 0.05) > 1e-6:
        assert differ(one, other) == (p < 0.05)


def test_samples_without_spread_differ_by_their_values():
    assert differ([1.0, 1.0], [2.0, 2.0])
    assert not differ([1.0, 1.0], [1.0, 1.0])


def test_a_sentence_that_it_depends_is_refuted_where_it_does_not():
    c = declared(says="varies")
    assert c.refuted(WORLD, [-1.0, 1.0, 0.0])
    assert not c.refuted([-1.0, 1.0, 0.0], WORLD)


def test_an_experiment_is_still_a_function_and_serves_several_claims():
    @experiment(seeds=12, worlds={"small": {"n": 3}})
    def models(seed, *, n=5):
        return {"a": n, "b": seed}

    @claim("Model a is better than model b.", models, holds=above(0), twin={"n": 0})
    def a_beats_b(found):
        return found["a"] - found["b"]

    assert models(2, n=4) == {"a": 4, "b": 2}
    assert a_beats_b.experiment is models
    assert a_beats_b.contrast({"a": 4, "b": 2}) == 2
    assert a_beats_b.experiment.seeds == 12
    assert a_beats_b.experiment.twin_seeds == 6
    assert experiment(seeds=20)(models.run).twin_seeds == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"says": "is true"}, "a sentence holds or varies or fails, got 'is true'"),
        ({"seeds": 3}, "an experiment runs over at least 10 seeds, got 3"),
        ({"worlds": {}}, "an experiment runs in at least one world"),
        ({"worlds": {"odd": {"size": 2}}}, "takes seed and effect, but the world 'odd' sets size"),
        ({"twin": {"effects": 0}}, "takes seed and effect, but the twin sets effects"),
        ({"twin": {}}, "needs a twin: a world of its own"),
        ({"twin": {"effect": 2}, "worlds": {"large": {"effect": 2}}}, "needs a twin: a world of its own"),
        ({"twin": {"effect": 1.0}}, "needs a twin: a world of its own"),
        ({"twin": {"effect": 1}, "says": "varies"}, "needs a twin: a world of its own"),
        ({"worlds": {"a": {}, "b": {"effect": 1}}}, "runs in two worlds that are the same: a, b"),
        ({"twin": {"effect": (1, 2)}}, "the twin holds numbers and texts, as the record can keep them"),
    ],
)
def test_a_claim_that_cannot_fail_or_cannot_run_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        declared(**options)


def test_a_claim_is_a_sentence():
    with pytest.raises(ValueError, match="a claim is a sentence, got 'More rows help'"):
        claim("More rows help", holds=above(0), twin={"n": 0})


def test_seeds_belong_to_the_experiment():
    @experiment()
    def models(seed, *, n=5):
        return n

    with pytest.raises(ValueError, match="seeds and worlds are those of the experiment"):
        claim("Model a is better than b.", models, holds=above(0), twin={"n": 0}, seeds=20)
