"""The table of what the site weighs says what it weighs."""

import re

import pytest

from tests.site.conftest import SITE
from tools.loop.lighthouse import README, weigh

TEXT = README.read_text(encoding="utf-8").partition("## What it weighs")[2]
SAID = {name: size for name, _, size in re.findall(r"^\| ([^|]+?) \|([^|]*)\| ([\d.]+ .B) \|$", TEXT, re.MULTILINE)}


def size(text):
    number, unit = text.split()
    return float(number) * {"kB": 1e3, "MB": 1e6}[unit]


def test_the_table_has_all_that_is_weighed():
    assert list(SAID) == [row[0] for row in weigh(SITE)]


@pytest.mark.parametrize("row", weigh(SITE), ids=lambda row: row[0])
def test_what_the_table_says_is_out_by_less_than_a_tenth(row):
    assert size(SAID[row[0]]) == pytest.approx(size(row[2]), rel=0.1)
