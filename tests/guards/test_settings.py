"""A setting that the proof rests on cannot change in one place alone."""

import copy
import tomllib

import pytest
from mkdocs.utils.yaml import yaml_load

from tools.guards.fences import ROOT
from tools.guards.settings import check_mkdocs, check_pyproject, check_settings

CONFIG = yaml_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]


def options(config, name):
    """Return the options of a plugin or an extension."""
    entries = [*config["plugins"], *config["markdown_extensions"]]
    (found,) = [entry[name] for entry in entries if isinstance(entry, dict) and name in entry]
    return found


def test_the_settings_of_the_guide_pass():
    assert check_settings() == []


JUPYTER = {
    "allow_errors": True,
    "execute": False,
    "kernel_name": "",
    "include": ["*.py"],
    "execute_ignore": ["*"],
    "ignore": ["*"],
    "remove_tag_config": {"remove_cell_tags": ["x"]},
    "no_input": True,
    "cache": "always",
    "custom_mathjax_url": "https://example.org/x.js",
}
SNIPPETS = {
    "url_download": True,
    "check_paths": False,
    "restrict_base_path": False,
    "base_path": ["..", "."],
    "auto_append": ["README.md"],
}
CHANGES = {
    **{f"notebooks: {k}": lambda c, k=k, v=v: options(c, "mkdocs-jupyter").update({k: v}) for k, v in JUPYTER.items()},
    **{
        f"includes: {k}": lambda c, k=k, v=v: options(c, "pymdownx.snippets").update({k: v})
        for k, v in SNIPPETS.items()
    },
    "another fence": lambda c: options(c, "pymdownx.superfences")["custom_fences"].append(
        {"name": "x", "format": print}
    ),
    "another format of the fence": lambda c: options(c, "pymdownx.superfences")["custom_fences"][0].update(
        format=print
    ),
    "no fences": lambda c: c["markdown_extensions"].pop(-2),
    "another extension": lambda c: c["markdown_extensions"].append("pymdownx.inlinehilite"),
    "another plugin": lambda c: c["plugins"].append("macros"),
    "no notebooks": lambda c: c["plugins"].pop(),
    "another hook": lambda c: c["hooks"].append("tools/other.py"),
    "no hook": lambda c: c["hooks"].clear(),
    "another style sheet": lambda c: c["extra_css"].append("https://example.org/x.css"),
    "markup in a title": lambda c: c["nav"].append({"<b>x</b>": "index.md"}),
    "markup in a title below": lambda c: c["nav"].append({"x": [{"{{ x }}": "index.md"}]}),
    "markup in the name": lambda c: c.update(site_name="<b>x</b>"),
    "markup in the copyright": lambda c: c.update(copyright="<script>alert(1)</script>"),
    "an address in the navigation": lambda c: c["nav"].append({"x": "javascript:alert(1)"}),
    "a file elsewhere in the navigation": lambda c: c["nav"].append({"x": "../README.md/x"}),
    "another script": lambda c: c["extra_javascript"].append("https://example.org/x.js"),
    "broken links": lambda c: c["validation"]["links"].update(not_found="ignore"),
    "pages left out of the navigation": lambda c: c["validation"]["nav"].update(omitted_files="ignore"),
    "not strict": lambda c: c.update(strict=False),
    "another folder": lambda c: c.update(docs_dir="other"),
    "pages that are excluded": lambda c: c.update(exclude_docs="index.md"),
    "pages outside of the navigation": lambda c: c.update(not_in_nav="*"),
    "inherited": lambda c: c.update(INHERIT="other.yml"),
    "another theme": lambda c: c["theme"].update(name="mkdocs"),
    "another folder of the theme": lambda c: c["theme"].update(custom_dir="other"),
    "fonts of another host": lambda c: c["theme"].pop("font"),
    "analytics": lambda c: c["extra"].update(analytics={"provider": "google"}),
    "markup about a notebook": lambda c: c["extra"]["labs"]["labs/leakage_clinic.py"].update(description="<b>x</b>"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_site_must_be_meant(change):
    config = copy.deepcopy(CONFIG)
    change(config)
    assert check_mkdocs(config)


TESTING = {
    "a plugin less": lambda t: t["pytest"]["ini_options"].update(addopts="--strict-markers"),
    "a test that is left out": lambda t: t["pytest"]["ini_options"].update(addopts="--deselect tests/x"),
    "other names of tests": lambda t: t["pytest"]["ini_options"].update(python_functions="check_*"),
    "warnings": lambda t: t["pytest"]["ini_options"].update(filterwarnings=[]),
    "other folders": lambda t: t["pytest"]["ini_options"].update(testpaths=["tests/guards"]),
    "files left out": lambda t: t["coverage"].update(run={"omit": ["*"]}),
    "files left out of the report": lambda t: t["coverage"]["report"].update(omit=["*"]),
    "lines left out": lambda t: t["coverage"]["report"].update(exclude_also=["if"]),
    "lines that excuse themselves": lambda t: t["coverage"]["report"].pop("exclude_lines"),
    "less than all": lambda t: t["coverage"]["report"].update(fail_under=90),
}


@pytest.mark.parametrize("change", TESTING.values(), ids=TESTING)
def test_a_change_of_the_tests_must_be_meant(change):
    tools = copy.deepcopy(TOOLS)
    change(tools)
    assert check_pyproject(tools)
