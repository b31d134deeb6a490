import pytest

from templates.snippet import name_of_the_field


def test_by_hand():
    # TODO: compare with what you did not write. Here (0.25 + 0.25 + 0 + 0) / 4.
    value = name_of_the_field([0, 1, 1, 1], [0.5, 0.5, 1.0, 1.0])
    assert value == pytest.approx(0.125, rel=1e-12)
