import pytest

from templates.snippet import name_of_the_field


def test_by_hand():
    # TODO: compare with what you did not write. Here (0.25 + 0.25 + 0 + 0) / 4.
    assert name_of_the_field([0, 1, 1, 1], [0.5, 0.5, 1.0, 1.0]) == pytest.approx(0.125, rel=1e-12)


@pytest.mark.parametrize(("y_true", "y_prob"), [([], []), ([0, 1], [0.5])])
def test_bad_input_is_named(y_true, y_prob):
    with pytest.raises(ValueError, match="y_true and y_prob must have one length, above 0"):
        name_of_the_field(y_true, y_prob)
