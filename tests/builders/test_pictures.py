"""The pictures: their size, their weight, what they show, and that they are drawn once."""

import io
import re

import pytest
from PIL import Image

from tools.builders import pictures
from tools.builders.hooks import phases
from tools.guards.fences import ROOT

MINUTES = [phase["minutes"] for phase in phases((ROOT / "docs/index.md").read_text(encoding="utf-8"))]
SENTENCE = "How to tell whether predicted click probabilities can be trusted as numbers, and how to repair them."


def opened(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


def test_a_card_has_the_size_that_is_asked_for_and_weighs_little():
    content = pictures.card("Calibration", "Evaluation", SENTENCE * 2, MINUTES, 5)
    assert opened(content).size == (1200, 630)
    assert len(content) < 40_000
    assert content == pictures.card("Calibration", "Evaluation", SENTENCE * 2, MINUTES, 5)


@pytest.mark.parametrize("phase", [1, 3, 5, None])
def test_a_card_lights_its_phase_and_no_other(phase):
    image = opened(pictures.card("Calibration", "Evaluation", SENTENCE, MINUTES, phase))
    across = range(72, 1128)
    lit = {image.getpixel((x, 69)) for x in across} - {image.getpixel((0, 0))}  # only a lit segment is so thick
    wanted = range(1, 6) if phase is None else [phase]
    tokens = (ROOT / "docs/assets/css/tokens.css").read_text(encoding="utf-8")
    colours = [re.search(rf"--phase-{n}: light-dark\(#(\w+)", tokens)[1] for n in wanted]
    near = {min(lit, key=lambda found: distance(found, colour)) for colour in colours}
    assert len(lit) == len(near) == len(colours)
    assert all(min(distance(found, colour) for found in lit) < 12 for colour in colours)


def distance(found, colour):
    return sum(abs(a - b) for a, b in zip(found, bytes.fromhex(colour), strict=True))


@pytest.mark.parametrize("title", ["word " * 200, "x" * 80])
def test_what_does_not_fit_is_refused_and_not_cut(title):
    with pytest.raises(ValueError, match="too long for a picture"):
        pictures.card(title, "Evaluation", SENTENCE, MINUTES, 5)


def test_the_bars_of_the_mark_are_as_high_as_the_phases_are_long():
    heights = re.findall(r'width="4" height="(\d+)"', pictures.MARK.read_text())
    assert [int(height) / 2 for height in heights] == MINUTES


@pytest.mark.parametrize("size", [180, 512])
def test_an_icon_is_the_mark_on_a_full_square(size):
    image = opened(pictures.icon(size))
    assert image.size == (size, size)
    corners = {image.getpixel((x, y)) for x in (0, size - 1) for y in (0, size - 1)}
    assert {distance(corner, "0d161a") < 12 for corner in corners} == {True}
    middle = round(size * 6 / 32)  # of the first bar
    column = [distance(image.getpixel((middle, y)), "8db6ea") < 12 for y in range(size)]
    assert sum(column) == pytest.approx(size / 2, abs=2)


def test_a_picture_is_drawn_once_and_anew_when_its_words_change(tmp_path, monkeypatch):
    drawn = []

    def draw(words):
        drawn.append(words)
        return words.encode()

    monkeypatch.setattr(pictures, "CACHE", tmp_path)
    assert [pictures.kept(draw, words) for words in ("a", "a", "b")] == [b"a", b"a", b"b"]
    assert drawn == ["a", "b"]


def test_a_cover_is_a_page_of_a_book():
    assert opened(pictures.cover("ML Design", SENTENCE, MINUTES)).size == (1200, 1800)
