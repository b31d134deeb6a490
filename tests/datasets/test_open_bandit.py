import runpy
import subprocess

import pandas as pd
import pytest

from snippets.datasets import open_bandit
from snippets.datasets.open_bandit import (
    CAMPAIGNS,
    POLICIES,
    WHEEL,
    check_log,
    fetch_open_bandit,
    load_open_bandit,
)

ITEMS = {"all": 80, "men": 34, "women": 46}
# Counted with `unzip -p` and awk on the wheel, not by this code.
CLICKS = {
    ("random", "all"): 38, ("random", "men"): 46, ("random", "women"): 46,
    ("bts", "all"): 42, ("bts", "men"): 69, ("bts", "women"): 46,
}  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_the_six_logs(policy, campaign):
    log = load_open_bandit(policy, campaign)
    assert len(log) == 10_000
    assert log["click"].sum() == CLICKS[policy, campaign]
    assert log["timestamp"].is_monotonic_increasing
    assert str(log["timestamp"].dt.tz) == "UTC"
    assert sum(c.startswith("user_item_affinity_") for c in log) == ITEMS[campaign]
    assert list(log)[:5] == ["timestamp", "item_id", "position", "click", "propensity"]


def test_the_random_policy_is_uniform():
    log = load_open_bandit("random", "men")
    assert log["propensity"].to_numpy() == pytest.approx(1 / 34, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("greedy",), "policy must be one of random, bts, got 'greedy'"),
        (("bts", "kids"), "campaign must be one of all, men, women, got 'kids'"),
    ],
)
def test_unknown_names(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_open_bandit(*arguments)


def test_another_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path))
    (tmp_path / WHEEL).write_bytes(b"not the wheel")
    with pytest.raises(ValueError, match=r"has SHA-256 .* delete it and fetch it again"):
        load_open_bandit()


def test_offline_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path / "new"))
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(RuntimeError, match=r"could not be downloaded. With a network, run\n.*pip download obp==0.4.1"):
        load_open_bandit()
    assert list((tmp_path / "new").iterdir()) == []


def test_a_download_lands_whole_in_the_cache(tmp_path, monkeypatch):
    real = fetch_open_bandit()

    def download(command, **kwargs):
        open_bandit.Path(command[-1], WHEEL).write_bytes(real.read_bytes())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path))
    monkeypatch.setattr(open_bandit.subprocess, "run", download)
    assert fetch_open_bandit() == tmp_path / WHEEL
    assert [p.name for p in tmp_path.iterdir()] == [WHEEL]


def test_the_cache_follows_the_platform_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("ML_DESIGN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert open_bandit.cache_folder() == tmp_path / "ml-design"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("timestamp", pd.Timestamp("2020-01-01", tz="UTC")),
        ("item_id", -1),
        ("position", 4),
        ("click", 2),
        ("propensity", 0.0),
        ("propensity", float("nan")),
    ],
)
def test_a_row_against_the_schema_is_named(column, value):
    log = load_open_bandit()
    log.loc[17, column] = value
    with pytest.raises(ValueError, match=f"column '{column}' breaks its rule in 1 rows"):
        check_log(log)


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="no column 'propensity'"):
        check_log(load_open_bandit().drop(columns="propensity"))


def test_the_set_up_prints_where_the_data_is(capsys):
    runpy.run_path(open_bandit.__file__, run_name="__main__")
    assert capsys.readouterr().out.strip().endswith(WHEEL)
