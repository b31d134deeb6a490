import ast
import os
import subprocess
import sys

from tools.guards.draw import draw, older
from tools.guards.fences import ROOT


def test_a_key_draws_the_same_each_time_and_another_key_something_else():
    assert draw("a") == draw("a")
    assert len({tuple(draw(str(key)).items()) for key in range(20)}) == 20


def test_each_variable_takes_several_values():
    draws = [draw(str(key)) for key in range(200)]
    taken = {name: len({drawn[name] for drawn in draws}) for name in draws[0]}
    assert taken["PYTHONHASHSEED"] == 200
    assert taken["OMP_NUM_THREADS"] == 2
    assert min(taken[name] for name in ("TZ", "LC_ALL", "PYTHON_CPU_COUNT")) > 4


def test_the_command_runs_as_drawn_and_the_draw_is_printed():
    code = "import os; print(os.environ['TZ'], hash('x'))"
    command = [sys.executable, "-m", "tools.guards.draw", sys.executable, "-c", code]
    outputs = set()
    for key in ("1", "2", "1"):
        environment = {**os.environ, "DRAW": key}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        said, printed = done.stdout.strip().split("\n")
        assert said.startswith(f"draw {key}: PYTHONHASHSEED={draw(key)['PYTHONHASHSEED']} TZ=")
        assert printed.split()[0] == draw(key)["TZ"]
        outputs.add(printed)
    assert len(outputs) == 2


def test_an_older_processor_is_one_that_numpy_can_stand_in_for():
    report = "from numpy._core._multiarray_umath import __cpu_dispatch__ as d, __cpu_features__ as f;"
    counts = []
    for kind in older():
        left = subprocess.run(
            [sys.executable, "-W", "error", "-c", f"{report} print([x for x in d if f[x]])"],
            env=os.environ | kind,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert [name for name in kind["NPY_DISABLE_CPU_FEATURES"].split() if name in left] == []
        counts.append(len(ast.literal_eval(left)))
    assert counts == [1, 0][2 - len(counts) :]  # the oldest that NumPy has kernels for, then none of them
