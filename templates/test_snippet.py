import pytest

from templates.snippet import name_of_the_field


def test_by_hand():
    # (1 + 0 + 0 + 0) / 4
    assert name_of_the_field([1, 0, 0, 0]) == pytest.approx(0.25, rel=1e-12)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="y_true is empty"):
        name_of_the_field([])
