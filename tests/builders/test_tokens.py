import pytest

from tools.builders.tokens import TOKENS, colours


def test_a_colour_has_its_two_schemes(tmp_path):
    path = tmp_path / TOKENS
    path.parent.mkdir(parents=True)
    path.write_text(
        "--page: light-dark(#f9fbfb, #0d161a);\n--lit: inset 0 light-dark(transparent, rgb(0 0 0 / 0.5));\n"
    )
    assert colours(tmp_path) == {"page": ("#f9fbfb", "#0d161a")}


def test_the_design_names_what_is_drawn_with_it():
    assert {f"phase-{n}" for n in range(1, 6)} | {f"plot-{n}" for n in (1, 2, 3)} | {"page", "ink"} <= set(colours())
    with pytest.raises(KeyError):
        colours()["no-such-colour"]
