"""The settings on which the proof rests, as they must be: whoever changes one changes it here, too, and says why.

``hooks`` and extensions run code at build, plugins choose what runs, and a setting of pytest or of coverage can
leave out a test or a line without a word. So what is said here is the whole of it: an unknown key is refused.
"""

from __future__ import annotations

import tomllib

import markdown_exec
from mkdocs.utils.yaml import yaml_load

from tools.guards import markup
from tools.guards.fences import ROOT

# What mkdocs.yml may say freely: none of it decides what is run, or read, or checked.
FREE = {"site_url", "edit_uri", "repo_url", "watch"}
WORDS = {"site_name", "site_description", "copyright"}  # published as they stand
MKDOCS = {
    "hooks": ["tools/builders/hooks.py"],
    "plugins": [
        {
            "mkdocs-jupyter": {
                "include": ["docs/labs/*.py"],
                "ignore": ["*.md"],
                "execute": True,
                "allow_errors": False,
                "kernel_name": "python3",
                "include_source": True,
                "cache": True,
            }
        },
    ],
    "markdown_extensions": [
        "abbr",
        "admonition",
        "attr_list",
        "def_list",
        "footnotes",
        "md_in_html",
        "tables",
        {"toc": {"permalink": True, "permalink_title": "Link to this section"}},
        {"pymdownx.arithmatex": {"generic": True}},
        "pymdownx.details",
        {"pymdownx.highlight": {"pygments_lang_class": True}},
        {
            "pymdownx.snippets": {  # without url_download
                "base_path": ["."],
                "check_paths": True,
                "dedent_subsections": True,
                "auto_append": ["includes/abbreviations.md"],
            }
        },
        {
            "pymdownx.superfences": {
                "custom_fences": [
                    {
                        "name": "python",
                        "class": "python",
                        "validator": markdown_exec.validator,
                        "format": markdown_exec.formatter,
                    }
                ]
            }
        },
        {"pymdownx.tabbed": {"alternate_style": True}},
    ],
    "extra_css": ["assets/css/tokens.css", "assets/css/site.css"],
    "extra_javascript": [f"assets/js/{name}.js" for name in ("site", "search", "shared", "merge", "store", "progress")],
    "validation": {
        "links": {"absolute_links": "warn", "anchors": "warn", "not_found": "warn", "unrecognized_links": "warn"},
        "nav": {"omitted_files": "warn", "not_found": "warn"},
    },
    "strict": True,
}
THEME = {"name": "material", "custom_dir": "theme", "font": False}  # features, icons and colours are free
PYPROJECT = {
    "pytest": {
        "ini_options": {
            "pythonpath": ["."],
            "addopts": "--strict-markers --strict-config -p tools.guards.ledger -p tools.loop.progress",
            "filterwarnings": ["error"],
            "testpaths": ["tests"],
            "xfail_strict": True,
        }
    },
    "coverage": {
        "report": {
            "exclude_also": [r"# --- The door: (?s:.*?)# --- End of the door\. ---"],
            "exclude_lines": ["a line that nobody writes"],
            "fail_under": 100,
            "show_missing": True,
        }
    },
}


def check_settings() -> list[str]:
    """Return the faults of mkdocs.yml and pyproject.toml, each as ``file:1: what is wrong``."""
    config = yaml_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return [*check_mkdocs(config), *check_pyproject(tools)]


def check_mkdocs(config: dict) -> list[str]:
    """Return the faults of what mkdocs.yml says."""
    faults = _differences("mkdocs.yml", config, MKDOCS)
    known = FREE | WORDS | MKDOCS.keys() | {"nav", "theme", "extra"}
    faults += [f"mkdocs.yml:1: {key} is not a setting of this guide" for key in config.keys() - known]
    faults += _differences("mkdocs.yml", config["theme"], THEME)
    faults += [f"mkdocs.yml:1: extra.{key} is not a setting of this guide" for key in config["extra"].keys() - {"labs"}]
    titles, files = navigation(config["nav"])
    for words in [*titles, *(config[key] for key in WORDS)]:
        if not markup.PLAIN.fullmatch(words.strip()):
            faults.append(f"mkdocs.yml:1: published as it stands, so plain words only: {words!r}")
    faults += [
        f"mkdocs.yml:1: nav names {file}, which is no page" for file in files if not (ROOT / "docs" / file).is_file()
    ]
    for name, meta in config["extra"]["labs"].items():
        faults += [f"mkdocs.yml:1: extra.labs.{name}: {what}" for _, what in markup.check_meta(meta)]
    return faults


def navigation(entries: list) -> tuple[list[str], list[str]]:
    """Return the titles and the files that the navigation names."""
    titles, files = [], []
    for entry in entries:
        for title, below in entry.items() if isinstance(entry, dict) else [("", entry)]:
            inner = navigation(below) if isinstance(below, list) else ([], [below])
            titles += [title] * bool(title) + inner[0]
            files += inner[1]
    return titles, files


def check_pyproject(tools: dict) -> list[str]:
    """Return the faults of what pyproject.toml says about pytest and coverage."""
    return _differences("pyproject.toml", tools, PYPROJECT)


def _differences(file: str, found: dict, wanted: dict) -> list[str]:
    return [
        f"{file}:1: {key} must be {value!r} as in tools/guards/settings.py, got {found.get(key)!r}"
        for key, value in wanted.items()
        if found.get(key) != value
    ]
