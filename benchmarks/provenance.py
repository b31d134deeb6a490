"""Say below a table when, where and with what it was measured, and seal it with a digest.

Needs none of the libraries that are compared: tests hold the tables to it in the environment of the guide.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PINS = ("requirements.txt", "requirements-bench.txt", "requirements-scale.txt")
PACKAGES = {
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "pyspark": "pyspark-client",
}  # the others install what they are called
DIGEST = "; digest `"
MEASURED = re.compile(
    r"Measured on (?P<date>\d{4}-\d\d-\d\d) in (?P<seconds>[1-9]\d*) s on (?P<cores>[1-9]\d*) cores, "
    r"(?P<processor>\w[^,;`|]*), with Python (?P<python>[\d.]+), (?P<libraries>[^;`|]+)" + DIGEST + r"[0-9a-f]{12}`\."
)


def tables() -> list[str]:
    """Return the name of every table that has a program, as ``features/counters``."""
    return sorted(p.relative_to(HERE).with_suffix("").as_posix() for p in HERE.glob("*/[!_]*.py"))


@cache
def pins(file: str) -> dict[str, set[str]]:
    """Return the versions that a file of requirements pins, by package: the lock may name one for each Python."""
    found = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.]+)", (ROOT / file).read_text("utf-8"), re.M):
        found.setdefault(name, set()).add(version)
    return found


def libraries(program: Path) -> list[str]:
    """Return the packages that a program imports, itself or through files of ours."""
    found = sorted(PACKAGES.get(module, module) for module in _imported(program) - sys.stdlib_module_names)
    if unpinned := [name for name in found if not any(name in pins(file) for file in PINS)]:
        raise ValueError(f"{program}: {', '.join(unpinned)} is pinned in none of {', '.join(PINS)}")
    return found


def _imported(program: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(program.read_text(encoding="utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            ours = ROOT / f"{module.replace('.', '/')}.py"
            found |= _imported(ours) if ours.is_file() else {module.split(".")[0]}
    return found


def versions(program: Path) -> dict[str, str]:
    """Return the installed version of each of these packages, which must be the pinned one."""
    found = {name: metadata.version(name).split("+")[0] for name in libraries(program)}
    if other := [f"{n} {v}" for n, v in found.items() if not any(v in pins(file).get(n, ()) for file in PINS)]:
        raise ValueError(
            f"installed, but not pinned: {', '.join(other)}. Delete .venv-bench or .venv-scale, then run `make bench`"
        )
    return found


def processor() -> str:
    """Return the processor by the name that its maker gives it, where the system tells."""
    information = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.+)$", information.read_text(), re.M) if information.exists() else None
    name = named[1] if named else platform.processor() or platform.machine()
    return " ".join(re.sub(r"\((R|TM)\)|[,;`|]", " ", name).split())


def measured(program: Path, date: str, seconds: float) -> str:
    """Return the sentence that says when, where and with what a table was measured."""
    installed = ", ".join(f"{name} {version}" for name, version in versions(program).items())
    return (
        f"Measured on {date} in {max(1, round(seconds))} s on {os.cpu_count()} cores, {processor()}, "
        f"with Python {platform.python_version()}, {installed}"
    )


def seal(text: str) -> str:
    """Return a table and its note with the digest of both for its last words."""
    return f"{text}{DIGEST}{hashlib.sha256(text.encode()).hexdigest()[:12]}`.\n"


def is_sealed(text: str) -> bool:
    """Say whether the last words are the digest of all before them."""
    return text == seal(text.rpartition(DIGEST)[0])
