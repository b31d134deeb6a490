"""Run a command as on some other machine: ``python -m tools.guards.draw COMMAND …``.

What a page prints must not depend on the order of sets, the time zone, the locale, or the processor. So
each commit draws its own, and a dependence shows sooner or later. ``DRAW=…`` in the environment draws another.
"""

from __future__ import annotations

import os
import random
import sys

from tools.guards.git import commit

ZONES = ("UTC", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Paris", "Pacific/Apia")


def older() -> list[dict[str, str]]:
    """Return the variables under which NumPy and OpenBLAS compute as on each older kind of this processor.

    An unstable sort breaks ties by the width of the processor's vectors, and sums round by it.
    """
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    # Oldest first. NumPy warns, which is an error here, when told to switch off what a processor has not.
    had = [level for level in __cpu_dispatch__ if __cpu_features__[level]]
    kinds = [" ".join(off) for off in (had[1:], had) if off]
    return [{"NPY_DISABLE_CPU_FEATURES": off, "OPENBLAS_CORETYPE": "Prescott"} for off in kinds]


def draw(key: str) -> dict[str, str]:
    """Return the variables that a key stands for, always the same."""
    chance = random.Random(key)
    threads = str(chance.choice((1, 1, 2)))
    return {
        "PYTHONHASHSEED": str(chance.randrange(1, 2**32)),
        "TZ": chance.choice(ZONES),
        "LC_ALL": chance.choice(("C.UTF-8", "C", "POSIX", "de_DE.UTF-8", "tr_TR.UTF-8")),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHON_CPU_COUNT": str(chance.choice((1, 2, 3, 7, 64))),
        **chance.choice(({}, {}, {}, *older())),
    }


def main() -> None:
    """Print the draw, and become the command."""
    key = os.environ.get("DRAW") or commit() or "no commit"
    drawn = draw(key)
    print(f"draw {key}: " + " ".join(f"{name}={value}" for name, value in drawn.items()), flush=True)
    os.execvpe(sys.argv[1], sys.argv[1:], {**os.environ, **drawn})


if __name__ == "__main__":
    main()
