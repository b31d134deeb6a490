"""The tables of Lighthouse: what is served, what counts, what is written; Lighthouse itself is played."""

import gzip
import json
import sys
import urllib.error
import urllib.request

import pytest

from tools.loop import lighthouse

README = "# A title\n\n## What Lighthouse says\n\nOld.\n\n## What it weighs\n\nOld.\n"
# Asks for the page as Lighthouse would, and says what $SCORES has for this run.
NPX = """#!{python}
import json, os, pathlib, sys, urllib.request
if "--errors-only" in sys.argv:
    sys.exit(os.environ["HTML"])
url = sys.argv[3]
assert urllib.request.urlopen(url).status == 200
count = pathlib.Path(sys.argv[0]).with_name("count")
n = int(count.read_text()) if count.exists() else 0
count.write_text(str(n + 1))
scores = json.loads(os.environ["SCORES"])
audits = {{name: {{"numericValue": 1000 * (n % 3)}} for name in ("total-blocking-time", "total-byte-weight")}}
categories = {{name: {{"score": each[n % 3]}} for name, each in scores.items()}}
print(json.dumps({{"categories": categories, "audits": audits, "environment": {{"benchmarkIndex": 1000 + n}}}}))
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a small site, with a README for its tables and an npx that plays Lighthouse."""
    folder = tmp_path / "site"
    for name in ("assets/js/a.js", "assets/fonts/jetbrains-mono-latin-400-normal.woff2", "ml-design-offline.zip"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 100_000)
    page = '<!doctype html><title>A</title><script src="{}assets/js/a.js"></script>'
    for url, up in [("index.html", ""), ("404.html", "/"), ("a/index.html", "../")]:
        (folder / url).parent.mkdir(exist_ok=True)
        (folder / url).write_text(page.format(up), encoding="utf-8")
    npx = tmp_path / "npx"
    npx.write_text(NPX.format(python=sys.executable))
    npx.chmod(0o755)
    (tmp_path / "README.md").write_text(README)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(lighthouse, "SITE", folder)
    monkeypatch.setattr(lighthouse, "PAGES", {"Home": "", "Other": "a/"})
    monkeypatch.setattr(lighthouse.write, "__defaults__", (tmp_path / "README.md",))
    monkeypatch.setattr(sys, "argv", ["lighthouse"])
    monkeypatch.setenv("HTML", json.dumps({"messages": []}))
    return folder


def play(monkeypatch, **scores):
    found = {"performance": [0.5, 0.95, 1], "accessibility": [1] * 3, "best-practices": [1] * 3, "seo": [1] * 3}
    monkeypatch.setenv("SCORES", json.dumps(found | {name.replace("_", "-"): each for name, each in scores.items()}))


def test_text_is_served_compressed_and_what_is_not_there_is_not(site):
    with lighthouse.served(site, lighthouse.Host) as base:
        with urllib.request.urlopen(base + "a/") as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert gzip.decompress(answer.read()) == (site / "a/index.html").read_bytes()
        with urllib.request.urlopen(base + "assets/fonts/jetbrains-mono-latin-400-normal.woff2") as font:
            assert font.headers["Content-Encoding"] is None
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(base + "nothing/")
        assert error.value.code == 404
        with error.value:
            assert gzip.decompress(error.value.read()) == (site / "404.html").read_bytes()


def test_the_median_of_three_runs_counts_and_is_written(site, monkeypatch):
    play(monkeypatch)
    assert lighthouse.main() == 0
    text = (site.parent / "README.md").read_text()
    assert "| Home | 95 | 100 | 100 | 100 | 1000 ms | 1 kB |\n| Other | 95 |" in text
    assert "the machine's index was 1002 (from 1000 to 1005)" in text
    assert text.startswith("# A title\n\n## What Lighthouse says\n\nMedians of 3 runs")
    assert "Old" not in text


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"performance": [0.94, 0.94, 1]}, "94, 100, 100, 100  performance"),
        ({"accessibility": [1, 0.99, 0.99]}, "95, 99, 100, 100  accessibility"),
        ({"best_practices": [0.96] * 3}, "95, 100, 96, 100  best-practices"),
        ({"seo": [None, None, 1]}, "95, 100, 100, 0  seo"),
    ],
)
def test_a_page_that_misses_what_it_must_reach_is_named_and_fails(site, monkeypatch, capsys, scores, said):
    play(monkeypatch, **scores)
    assert lighthouse.main() == 1
    assert said in capsys.readouterr().out


def test_html_that_is_not_valid_fails_but_for_what_material_writes(site, monkeypatch, capsys):
    known = "Bad value “” for attribute “tabindex” on element “label”: The empty string is not a valid integer."
    found = [(known, 'class="md-nav__link"'), (known, 'class="own"'), ("Bad value “x”.", 'class="md-nav__link"')]
    faults = [{"url": "file:/a.html", "lastLine": 7, "message": text, "extract": html} for text, html in found]
    monkeypatch.setenv("HTML", json.dumps({"messages": faults}))
    play(monkeypatch)
    assert lighthouse.main() == 1
    said = capsys.readouterr().out
    assert said.startswith(f"file:/a.html: line 7: {known}\nfile:/a.html: line 7: Bad value “x”.\n2 faults of HTML")


def test_the_site_is_weighed_without_node(site, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["lighthouse", "--weigh"])
    assert lighthouse.main() == 0
    text = (site.parent / "README.md").read_text()
    assert "## What Lighthouse says\n\nOld.\n" in text
    assert "| All files | 6 | 0.3 MB |" in text
    assert "| First view, largest | `a/` | 100 kB |" in text  # the font, and a script of one letter compressed
    assert "| Archive for reading offline |  | 0.1 MB |" in text
    monkeypatch.setattr(sys, "argv", ["lighthouse"])
    assert lighthouse.main() == 1


def test_without_a_site_nothing_is_measured(site, monkeypatch):
    (site / "index.html").unlink()
    assert lighthouse.main() == 1
    assert (site.parent / "README.md").read_text() == README
