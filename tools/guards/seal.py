"""Seal a proven site, and see later that it is the same: ``python -m tools.guards.seal write|check FOLDER``.

The seal is a list of the SHA-256 of every file, beside the built site and not within it, in the form that
``sha256sum --check`` reads. ``tools.builders.site`` writes it as soon as the proof is done; the workflow checks it
before it hands the site on, and again before it deploys: so what is deployed is what was proven.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

# From the standard library alone: the job that deploys installs nothing.
SEAL = Path(__file__).resolve().parents[2] / "build/site.sha256"


class SealError(Exception):
    """What differs from what was sealed, one file a line."""


def write(site: Path, seal: Path | None = None) -> Path:
    """Write the seal of a built site and return its path.

    Raises
    ------
    SealError
        If there is no site, or it holds something that is neither a file nor a folder.
    """
    seal = seal or SEAL
    digests = digests_of(site)
    seal.parent.mkdir(parents=True, exist_ok=True)
    seal.write_text("".join(f"{digest}  {name}\n" for name, digest in digests.items()), encoding="utf-8")
    return seal


def check(site: Path, seal: Path | None = None) -> int:
    """Return how many files the site has, if they are those that were sealed, byte for byte.

    Raises
    ------
    SealError
        If there is no seal, or a file is missing, extra or changed: it names each.
    """
    seal = seal or SEAL
    if not seal.is_file():
        raise SealError(f"{seal} does not exist: build the site with `make site`, which proves it and seals it")
    sealed = {}
    for line in seal.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        sealed[name] = digest
    found = digests_of(site)
    wrong = [f"{site / name}: missing" for name in sealed.keys() - found.keys()]
    wrong += [f"{site / name}: not there when the site was proven" for name in found.keys() - sealed.keys()]
    wrong += [f"{site / n}: changed since it was proven" for n in sealed.keys() & found.keys() if sealed[n] != found[n]]
    if wrong:
        raise SealError("\n".join(sorted(wrong)))
    return len(found)


def digests_of(site: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by name; refuse links and what else a copy would change."""
    digests = {}
    for folder, folders, files in os.walk(site):
        for name in sorted(folders + files):
            path = Path(folder, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise SealError(f"{path}: neither a file nor a folder, so its bytes cannot be sealed")
            if path.is_file():
                digests[path.relative_to(site).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    if not digests:
        raise SealError(f"{site} holds no file: build the site with `make site`")
    return dict(sorted(digests.items()))


def main(arguments: list[str]) -> int:
    """Write or check the seal of the folder named on the command line; return the exit code."""
    if len(arguments) != 2 or arguments[0] not in ("write", "check"):
        print("usage: python -m tools.guards.seal write|check FOLDER", file=sys.stderr)
        return 2
    site = Path(arguments[1])
    try:
        if arguments[0] == "write":
            print(f"sealed: {write(site)}")
        else:
            print(f"seal: {check(site)} files, as they were proven")
    except SealError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
