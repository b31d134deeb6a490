"""The lock holds all that pip asks for, extras included, on each platform; read without a network."""

import re
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.guards.fences import ROOT

LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
DIRECT = (ROOT / "requirements.in").read_text(encoding="utf-8")
# What the pages of docs/scale need beside the lock, in an environment of their own.
BESIDE = (ROOT / "requirements-scale.txt").read_text(encoding="utf-8")
WANTED = (ROOT / "requirements-scale.in").read_text(encoding="utf-8")
PLATFORMS = {
    "linux": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "arm": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    "mac": {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    "windows": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def read(text):
    """Return the requirements of a file, without comments and hashes."""
    lines = re.findall(r"^[A-Za-z][^#\\\n]*", text, re.MULTILINE)
    return [Requirement(line.strip()) for line in lines]


def holds(requirement, environment, extras=()):
    """Say whether a requirement counts in an environment, for a package that is asked for with these extras."""
    return requirement.marker is None or any(
        requirement.marker.evaluate(environment | {"extra": extra}) for extra in ("", *extras)
    )


def asked(entry, environment):
    """Return what an installed package asks for there; of one that is for other machines nothing is known here."""
    try:
        found = requires(entry.name) or []
    except PackageNotFoundError:
        return []
    return [r for r in map(Requirement, found) if holds(r, environment, entry.extras)]


def missing(lock, environment):
    """Return what pip asks for and finds no pin of: a package, an extra, or another version."""
    pins = [entry for entry in read(lock) if holds(entry, environment)]
    wanted = [("requirements.in", r) for r in read(DIRECT)]
    wanted += [(pin.name, r) for pin in pins for r in asked(pin, environment)]
    return [
        f"{by} asks for {r}"
        for by, r in wanted
        if not any(
            canonicalize_name(r.name) == canonicalize_name(pin.name)
            and r.extras <= pin.extras
            and r.specifier.contains(next(iter(pin.specifier)).version)
            for pin in pins
        )
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_all_that_pip_asks_for_is_locked(platform, python):
    version = {"python_version": python, "python_full_version": f"{python}.9"}
    assert missing(LOCK, default_environment() | PLATFORMS[platform] | version) == []


@pytest.mark.parametrize(
    ("line", "stripped", "complaint"),
    [
        ("coverage[toml]==", "coverage==", r"pytest-cov asks for coverage\[toml\]"),
        ("bleach[css]==", "bleach==", r"nbconvert asks for bleach\[css\]"),
        ("tinycss2==", "# tinycss2==", r"bleach asks for tinycss2.*extra == .css."),
        ("ruff==", "# ruff==", "requirements.in asks for ruff"),
        ("packaging==", "packaging==1.", "asks for packaging>="),
    ],
)
def test_a_lock_with_less_is_refused(line, stripped, complaint):
    assert f"\n{line}" in LOCK
    found = missing(LOCK.replace(f"\n{line}", f"\n{stripped}"), default_environment())
    assert any(re.search(complaint, text) for text in found), found


@pytest.mark.parametrize(("lock", "direct"), [(LOCK, DIRECT), (BESIDE, WANTED)], ids=["lock", "engines"])
def test_each_pin_is_exact_and_has_a_hash(lock, direct):
    entries = re.findall(r"^[A-Za-z].*(?:\n .*)*", lock, re.MULTILINE)
    assert len(entries) == len(read(lock)) > len(read(direct))
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert [str(pin) for pin in read(lock) if not re.fullmatch(r"==[^*,]+", str(pin.specifier))] == []
    pinned = {canonicalize_name(pin.name) for pin in read(lock)}
    assert {canonicalize_name(each.name) for each in read(direct)} <= pinned


def disagreements(lock, beside):
    """Return the pins of the engines that say another version, or other hashes, than the lock does."""

    def entries(text):
        found = re.findall(r"^([A-Za-z][^\\\n]*)((?:\\\n    --hash=\S+ ?)*)", text, re.MULTILINE)
        return {pin.strip(): set(re.findall(r"--hash=(\S+)", hashes)) for pin, hashes in found}

    known, more = entries(lock), entries(beside)
    names = {re.split("==", pin)[0] for pin in known}
    return sorted(pin for pin, hashes in more.items() if re.split("==", pin)[0] in names and known.get(pin) != hashes)


def test_the_engines_are_locked_at_the_versions_of_the_lock():
    assert disagreements(LOCK, BESIDE) == []
    assert {pin.name for pin in read(LOCK)} & {pin.name for pin in read(BESIDE)} >= {"numpy", "pandas", "pyarrow"}


@pytest.mark.parametrize("old", ["pandas==", "--hash=sha256:", "numpy=="])
def test_an_engine_at_another_version_is_found(old):
    start = BESIDE.index("pandas==" if old.startswith("--") else old)
    planted = BESIDE[:start] + BESIDE[start:].replace(old, f"{old}0", 1)
    assert len(disagreements(LOCK, planted)) == 1
