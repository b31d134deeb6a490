import ast
import json
import re
import textwrap
from dataclasses import replace

import pytest

from claims import record
from claims.claim import above, claim
from tools.guards.fences import ROOT

LIBRARY = '''
"""A module."""
from snippets.other import helper as help_

LIMIT = 3


def needed(x):
    """Doc."""
    if x > LIMIT:
        raise ValueError(f"too large: {x}")
    return help_(x)


def beside(x):
    return x
'''
CLAIMS = """
import numpy as np
from claims.claim import above, claim
from snippets.library import needed

SIZE = 10


@claim("It is above nothing here.", holds=above(0), twin={"n": 0})
def it_holds(seed, *, n=SIZE):
    # a comment
    return needed(n) + np.random.default_rng(seed).normal()


def unused():
    return 1
"""
OTHER = "LIMIT = {2: 3}\n\n\ndef helper(x):\n    return x\n"
FILES = {"claims/part/page.py": CLAIMS, "snippets/library.py": LIBRARY, "snippets/other.py": OTHER}
LOCK = "numpy==2.0 \\\n    --hash=x\npillow==1.0 \\\n"


@pytest.fixture
def digest(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "ROOT", tmp_path)

    def of(changes=(), lock=LOCK):
        for cached in (record._digest, record._versions, record._definitions):
            cached.cache_clear()
        (tmp_path / "requirements.txt").write_text(lock)
        for name, text in FILES.items():
            for before, after in changes:
                text = text.replace(before, after)
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return record._digest("claims.part.page", "it_holds")

    yield of
    for cached in (record._digest, record._versions, record._definitions):
        cached.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        ("SIZE = 10", "SIZE = 11"),
        ("LIMIT = 3", "LIMIT = 4"),
        ("return x\n", "return x + 1\n"),
        (".normal()", ".uniform()"),
        ("return help_(x)", "return -help_(x)"),
        ("import numpy as np", "import pandas as np"),
        ("if x > LIMIT", "if x >= LIMIT"),
    ],
)
def test_whatever_can_change_a_result_makes_the_record_stale(digest, change):
    assert digest([change]) != digest()


@pytest.mark.parametrize(
    "change",
    [
        ("# a comment", "# another"),
        ('"""Doc."""', '"""Other words."""'),
        ('"""Doc."""\n', "\n"),
        ("It is above nothing here.", "It is said in other words now."),
        ("holds=above(0)", "holds=above(0), seeds=20"),
        ("too large: {x}", "must be below {LIMIT}: {x}"),
        ("def unused():\n    return 1", "def unused():\n    return 2"),
        ("def beside(x):\n    return x\n", ""),
        ("def needed(x):", "def needed(x: float) -> float:"),
    ],
)
def test_words_and_what_is_not_used_do_not(digest, change):
    assert digest([change]) == digest()


def test_numeric_libraries_count_and_others_do_not(digest):
    assert digest(lock=LOCK.replace("numpy==2.0", "numpy==2.1")) != digest()
    assert digest(lock=LOCK.replace("pillow==1.0", "pillow==1.1")) == digest()


def test_a_name_that_cannot_be_traced_is_refused(digest):
    with pytest.raises(ValueError, match=r"snippets\.library defines no 'gone' that can be traced"):
        digest([("import needed", "import gone as needed")])
    with pytest.raises(ValueError, match=r"snippets is no file of the guide"):
        digest([("from snippets.library import needed", "from snippets import library as needed")])


INSIDE = ("    # a comment\n", "    from snippets.library import beside\n    n = beside(n)\n")


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ([INSIDE], ("def beside(x):\n    return x", "def beside(x):\n    return -x")),
        (
            [("LIMIT = 3", "try:\n    from snippets.other import LIMIT\nexcept ImportError:\n    LIMIT = 3")],
            ("{2: 3}", "{2: 4}"),
        ),
        ([("LIMIT = 3", "LIMIT = [3]\nfor i in range(2):\n    LIMIT[0] += i")], ("range(2)", "range(3)")),
        ([("LIMIT = 3", "LIMIT = [3, 4]\nold = LIMIT.pop()")], ("LIMIT.pop()", "LIMIT.pop(0)")),
        ([("LIMIT = 3", "LIMIT = [3, 4]\nold = max(LIMIT)")], ("max(LIMIT)", "list.pop(LIMIT)")),
        ([("LIMIT = 3", "LIMIT = [3, 4]\nLIMIT[0] = old = 1")], ("old = 1", "old = 2")),
        ([("LIMIT = 3", "LIMIT = {}\nLIMIT[1] = 2")], ("LIMIT[1] = 2", "LIMIT[1] = 3")),
        ([("LIMIT = 3", "if 2 > 1:\n    def LIMIT(): return 3")], ("return 3", "return 4")),
        ([("LIMIT = 3", "class LIMIT:\n    most = 3")], ("most = 3", "most = 4")),
        ([("LIMIT = 3", "class Base:\n    most = 3\n\n\nclass LIMIT(Base):\n    pass")], ("most = 3", "most = 4")),
        (
            [("LIMIT = 3", "from functools import partial\n\nLIMIT = partial(max, 3)")],
            ("partial(max, 3)", "partial(max, 4)"),
        ),
    ],
)
def test_what_is_reached_by_other_ways_counts_too(digest, before, change):
    assert digest([*before, change]) != digest(before)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("import numpy as np", "import numpy as np\nimport snippets.library as np"),
            "'import snippets.library as np'",
        ),
        (("import numpy as np", "from snippets.other import *"), "names nothing that can be traced"),
        (("import numpy as np", "from .other import helper as np"), "cannot be traced"),
        (("import numpy as np", "from tools.door import checks as np"), "tools is another place"),
        (("import numpy as np", "import torch as np"), "torch is another place"),
        (("import numpy as np", "import importlib as np"), "importlib is another place"),
        (("    # a comment", "    import tools.door"), "tools is another place"),
        (("return needed(n)", "return globals()['needed'](n)"), "names 'globals'"),
        (("    # a comment", "    global SIZE"), "changes SIZE from inside"),
    ],
)
def test_what_could_change_unseen_is_refused(digest, change, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        digest([change])


def test_a_tree_is_written_the_same_in_each_version_of_python():
    written = record.canonical(ast.parse("def f(x):\n    return x").body[0])
    assert written == (
        "FunctionDef(name='f';args=arguments(args=[arg(arg='x';),];);body=[Return(value=Name(id='x';);),];)"
    )


# --- What is written down ---


@claim(
    "The effect is above nothing.",
    holds=above(0),
    twin={"effect": 0.0},
    worlds={"default": {}, "twice": {"effect": 2.0}},
)
def effect_is_there(seed, *, effect=1.0):
    return effect


RUNS = {
    "{}": [0.5, 1.5] * 5,
    '{"effect": 2.0}': [1.5, 2.5] * 5,
    '{"effect": 0.0}': [-0.5, 0.5] * 3,
}


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(record, "claims", lambda: {effect_is_there.id: effect_is_there})
    monkeypatch.setattr(record, "experiments", lambda: {effect_is_there.id: effect_is_there.experiment})
    monkeypatch.setattr(record, "digest", lambda experiment: "now")
    return signed({effect_is_there.id: {"digest": "now", "measured": "2026-11-26", "seconds": 1.0, "runs": dict(RUNS)}})


def signed(known):
    for entry in known.values():
        entry["sum"] = record.signature(entry)
    return known


def test_a_summary_says_what_the_runs_say(known):
    said = record.summary(effect_is_there, known)
    assert said["verdict"] == "holds"
    assert said["worlds"]["default"] == {
        "verdict": "holds", "runs": 10, "held": 10, "mean": 1.0, "sd": 0.527, "se": 0.1667,
    }  # fmt: skip
    assert said["twin"] == {
        "verdict": "varies",
        "runs": 6,
        "held": 3,
        "mean": 0.0,
        "sd": 0.5477,
        "se": 0.2236,
        "refuted": True,
    }


def test_what_is_saved_is_loaded_and_reads_as_json(known, tmp_path):
    record.save(known, tmp_path / "claims.json")
    assert record.load(tmp_path / "claims.json") == known
    told = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert told == {effect_is_there.id: record.summary(effect_is_there, known)}
    assert [path.name for path in tmp_path.iterdir()] == ["claims.json"]
    assert record.load(tmp_path / "none.json") == {}


def test_a_record_in_order_has_no_fault(known):
    assert record.faults(known) == []


@pytest.mark.parametrize(
    ("runs", "fault"),
    [
        ({"{}": [-1.5, -0.5] * 5}, "says that it holds, and it varies: default -1 ± 0.1667"),
        ({'{"effect": 2.0}': [-3.0, -2.0] * 5}, "says that it holds, and it varies"),
        (
            {'{"effect": 0.0}': [0.5, 1.5] * 3},
            'its twin, {"effect": 0.0}, is not told from its first world',
        ),
        ({"{}": [1.0] * 10}, "each seed gives the same in default: nothing in it is left to chance"),
        ({"{}": [0.5, 1.5]}, "not run since it changed: make claims ONLY="),
    ],
)
def test_a_claim_that_does_not_hold_is_named(known, runs, fault):
    known[effect_is_there.id]["runs"] |= runs
    (found,) = record.faults(signed(known))
    assert fault in found


def test_a_stale_claim_is_named(known):
    known[effect_is_there.id]["digest"] = "before"
    (found,) = record.faults(signed(known))
    assert "not run since it changed" in found
    assert record.faults({}) == [found]


def test_a_number_changed_by_hand_is_named(known):
    changes = [("measured", "2026-11-27"), ("seconds", 2.0), ("runs", RUNS | {"{}": [0.5, 1.4] * 5})]
    for field, value in changes:
        (found,) = record.faults({effect_is_there.id: known[effect_is_there.id] | {field: value}})
        assert "its runs are not those that were written down" in found
        assert not record.is_complete(
            effect_is_there.experiment, {effect_is_there.id: known[effect_is_there.id] | {field: value}}
        )


@pytest.mark.parametrize("text", ['{"experiments": {"a": ', "<<<<<<< ours\n{}", "{}", "[]"])
def test_a_record_cut_short_says_so(tmp_path, text):
    (tmp_path / "claims.json").write_text(text)
    with pytest.raises(ValueError, match=r"claims\.json was cut short or edited, take it from git again"):
        record.load(tmp_path / "claims.json")


def test_a_full_disk_leaves_the_record_as_it_was(known, tmp_path, monkeypatch):
    record.save(known, tmp_path / "claims.json")
    before = (tmp_path / "claims.json").read_text()

    def full(self, text, **options):
        self.write_bytes(text[:5].encode())
        raise OSError("no space left on device")

    monkeypatch.setattr(type(tmp_path), "write_text", full)
    with pytest.raises(OSError, match="no space"):
        record.save({}, tmp_path / "claims.json")
    assert [path.name for path in tmp_path.iterdir()] == ["claims.json"]
    assert (tmp_path / "claims.json").read_text() == before


@pytest.mark.parametrize(
    ("contrast", "said"), [(lambda found: found / 0, "ZeroDivisionError"), (lambda found: float("nan"), "got [nan")]
)
def test_a_contrast_that_fails_is_named_and_loses_no_run(known, tmp_path, monkeypatch, contrast, said):
    broken = replace(effect_is_there, contrast=contrast)
    monkeypatch.setattr(record, "claims", lambda: {effect_is_there.id: broken})
    (found,) = record.faults(known)
    assert f"{effect_is_there.id}: its contrast fails: " in found
    assert said in found
    record.save(known, tmp_path / "claims.json")
    assert record.load(tmp_path / "claims.json") == known


def test_worlds_that_python_takes_for_equal_are_two_in_the_record(known, monkeypatch):
    whole = replace(effect_is_there, twin={"effect": 0})
    monkeypatch.setattr(record, "claims", lambda: {"a": effect_is_there, "b": whole})
    names = [record.key(world) for world, _ in record.worlds(effect_is_there.experiment)]
    assert names == ["{}", '{"effect": 2.0}', '{"effect": 0.0}', '{"effect": 0}']


def test_every_page_of_claims_is_found():
    assert record.modules() == sorted(
        p.relative_to(ROOT / "claims").with_suffix("").as_posix()
        for p in (ROOT / "claims").glob("*/*.py")
        if p.stem[0] != "_"
    )
    assert textwrap.dedent(record.key({"b": 1, "a": 2})) == '{"a": 2, "b": 1}'
