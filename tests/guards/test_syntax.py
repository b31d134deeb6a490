"""What a block may not import, name or call, planted, and refused on its line."""

import ast
import importlib
import types
import warnings

import pytest

from tools.guards.runner import LIBRARIES as PRELOADED
from tools.guards.syntax import LIBRARIES, METHODS, STANDARD, _reaches, check_block, is_drawing

SOUND = """\
import json
import math
from collections import Counter
from datetime import datetime, timedelta
from io import StringIO

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from snippets.evaluation.calibration import reliability_curve


class Model:
    \"\"\"A model of nothing.\"\"\"

    def __init__(self, rate: float) -> None:
        self.rate: float = rate


def predict(model: Model, rows: "list[int] | None" = None) -> dict[str, int]:
    return {"n": getattr(model, "rate", 0)}


frame = pd.DataFrame({"a": np.array([1.0]), "time": [datetime(2026, 1, 1)]}).copy()
print(type(frame).__name__, np.trace(np.eye(2)), np.select([[True]], [[1]]), np.random.default_rng(0).random() < 1)
try:
    predict(None)
    frame.agg({"a": "sum"}), "now or later", "nowhere"
except ValueError as error:
    print(f"refused:\\t{error}\\n")
"""


def faults(code):
    return list(check_block(ast.parse(code)))


def test_a_block_that_computes_and_prints_passes():
    assert faults(SOUND) == []


PLANTS = {
    "sys": "import sys",
    "os": "import os",
    "os by another name": "import os as np",
    "os.path": "from os.path import join",
    "gc": "import gc",
    "inspect": "import inspect",
    "ctypes": "import ctypes",
    "importlib": "import importlib",
    "builtins": "import builtins",
    "subprocess": "import subprocess",
    "threading": "import threading",
    "pathlib": "from pathlib import Path",
    "tempfile": "import tempfile",
    "time": "import time",
    "socket": "import socket",
    "urllib": "from urllib.request import urlopen",
    "operator": "from operator import attrgetter",
    "types": "import types",
    "io": "import io",
    "open of io": "from io import open",
    "contextlib": "import contextlib",
    "warnings": "import warnings",
    "atexit": "import atexit",
    "future": "from __future__ import annotations",
    "another library": "import torch",
    "the tools": "from tools.guards import ledger",
    "the tests": "import tests",
    "figures": "from figures.svg import to_html",
    "relative": "from . import x",
    "star": "from math import *",
    "second of a list": "import math, sys",
    "a module of a module": "from statistics import sys",
    "a module of a library": "from pandas.io.common import os",
    "a module below a library": "import numpy.ctypeslib",
    "a private module": "import numpy._core",
    "a private name": "from random import _os",
    "attribute of a module": "import statistics\n\nstatistics.sys.modules",
    "attribute of another name": "import pandas as pd\n\nx = pd\nx.io.common.os",
    "attribute of a function's result": "f().subprocess",
    "private attribute": "import random\n\nrandom._os",
    "class of an object": "().__class__",
    "globals of a function": "print.__globals__",
    "self of a builtin": "print.__self__",
    "dictionary of an object": "f.__dict__",
    "frame of a generator": "(x for x in y).gi_frame",
    "frame above": "x.f_back",
    "frame of an error": "error.tb_frame",
    "dunder": "__builtins__",
    "loader": "__loader__",
    "name of the module": "if __name__ == '__main__':\n    print(1)",
    "counter of the probes": "__reached__",
    "eval": "eval('1')",
    "exec": "exec('1')",
    "compile": "compile('1', '', 'eval')",
    "globals": "globals()",
    "locals": "locals()",
    "vars": "vars(x)",
    "setattr": "setattr(x, 'y', 1)",
    "delattr": "delattr(x, 'y')",
    "open": "open('x')",
    "open by another name": "f = open\nf('x')",
    "open in a default": "def f(x=open):\n    return x",
    "breakpoint": "breakpoint()",
    "input": "input()",
    "exit": "exit()",
    "quit": "quit()",
    "help": "help(x)",
    "import": "__import__('os')",
    "raise of SystemExit": "raise SystemExit",
    "BaseException": "try:\n    f()\nexcept BaseException:\n    g()",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "dir": "dir()",
    "id": "print(id(x))",
    "hash": "print(hash('x'))",
    "memoryview": "memoryview(x)",
    "getattr": "getattr(x, name)",
    "getattr of a dunder": "getattr(x, '__class__')",
    "getattr of a module": "getattr(x, 'os')",
    "getattr by another name": "f = getattr",
    "getattr of a sum": "getattr(x, '__cla' + 'ss__')",
    "getattr with stars": "getattr(*x)",
    "type of three": "type('X', (), {})",
    "type with stars": "type(*x)",
    "type by another name": "f = type",
    "class from strings": "from dataclasses import make_dataclass",
    "query": "frame.query('@os')",
    "eval of a table": "frame.eval('1')",
    "pickle": "import pandas as pd\n\npd.read_pickle('x')",
    "load of a pickle": "import numpy as np\n\nnp.load('x', None, True)",
    "keyword of a pickle": "import numpy as np\n\nnp.lib.npyio.NpzFile('x', allow_pickle=True)",
    "run of a string": "import numpy as np\n\nnp.testing.measure('import os')",
    "builtins by another name": "from enum import bltns\n\nbltns.exec('import os')",
    "builtins through a module": "import enum\n\nenum.bltns.vars(x)",
    "eval by its name": "frame.agg('eval', 0, '@os')",
    "field of a format": "print('{0.__globals__}'.format(f))",
    "item of a format": "print('{0[_x]}'.format(f))",
    "now in a string": "import numpy as np\n\nnp.datetime64('now')",
    "today in a string": "import pandas as pd\n\npd.Timestamp(' Today')",
    "now in SQL": "duckdb.sql('SELECT now()')",
    "date in SQL": "duckdb.sql('SELECT\\n1, CURRENT_DATE')",
    "now": "from datetime import datetime\n\ndatetime.now()",
    "today": "from datetime import date\n\ndate.today()",
    "method that Python calls": "class A:\n    def __del__(self):\n        f()",
    "method that a notebook calls": "class A:\n    def _repr_html_(self):\n        return x",
    "attribute that a notebook calls": "class A:\n    _repr_html_ = f",
    "function that Python calls": "def __getattr__(name):\n    return x",
    "pattern": "match x:\n    case object(__class__=c):\n        pass",
    "call in an annotation": "def f():\n    x: g() = 1",
    "call in an argument's annotation": "def f(x: g()):\n    pass",
    "call in a return's annotation": "def f() -> g():\n    pass",
    "lambda in an annotation": "x: (lambda: 1) = 1",
    "comprehension in an annotation": "x: [y for y in z] = 1",
    "choice in an annotation": "x: (a if b else c) = 1",
    "a function of builtins by another name": "import enum\n\nenum.bltns.exec('x = 1')",
    "import of builtins by another name": "from enum import bltns",
    "attributes named by strings": "import string\n\nstring.Formatter().get_field('0.__globals__', (f,), {})",
    "import of Formatter": "from string import Formatter",
    "strings that numpy runs": "import numpy as np\n\nnp.testing.runstring('x = 1', {})",
    "strings that numpy times": "from numpy.testing import measure",
    "method named by a string": "frame.agg('eval', 0, 'a + 1')",
    "method named in a list": "frame.apply(func=['sum', 'query'])",
    "dunder named by a string": "frame.transform('__class__')",
    "call in an annotation that is a string": '@f.register\ndef g(x: "print(1) or int"):\n    pass',
    "call in a string in an annotation": "x: list['g()'] = 1",
    "annotation that does not parse": "x: 'a b' = 1",
    "now as a string": "import pandas as pd\n\npd.Timestamp('now')",
    "today as a string": "import numpy as np\n\nnp.datetime64(' Today')",
    "date of a query": "import duckdb\n\nduckdb.sql('SELECT current_date')",
    "clock of a query": "import duckdb\n\nduckdb.sql('SELECT day,\\n NOW()')",
    "escape": "print('a\\x1b[2Kb')",
    "return of the carriage": "print('a', end='\\r')",
    "backspace in an f-string": "print(f'{x}\\b')",
    "no-break space": "print('a\\xa0b')",
    "nothing": "",
    "nothing but a comment": "# x",
}


def test_no_module_is_reached_by_another_name():
    """Walk all that a block may name, from what it may import: each module on the way is one that it may import."""
    found, seen = set(), set()

    def walk(module):
        seen.add(module)
        for name in filter(str.isidentifier, dir(module)):  # pytest leaves others in the modules of doctests
            value = None if _reaches(name) else getattr(module, name, None)
            if not isinstance(value, types.ModuleType) or value in seen:
                continue
            if value.__name__.split(".")[0] in LIBRARIES | STANDARD:
                walk(value)
            elif name not in METHODS:
                found.add(f"{module.__name__}.{name}")

    with warnings.catch_warnings(action="ignore"):
        for name in sorted(LIBRARIES | STANDARD | set(PRELOADED)):
            walk(importlib.import_module(name))
    assert found == set()


@pytest.mark.parametrize("code", PLANTS.values(), ids=PLANTS)
def test_everything_else_is_refused(code):
    assert faults(code)


@pytest.mark.parametrize("code", ["x = 1\neval('1')", "x = 1\nimport os", "x = 1\nx.__class__", "x = 1\ny: f() = 1"])
def test_the_fault_names_the_line(code):
    assert [line for line, _ in faults(code)] == [2]


@pytest.mark.parametrize(
    ("code", "sound"),
    [
        ("from figures.evaluation import peeking\n\nprint(peeking())\n", True),
        ("from figures.evaluation import peeking\nprint(peeking())", True),
        ("from figures.evaluation import peeking as p\n\nprint(p())", False),
        ("from figures.evaluation import peeking\n\nprint(peeking(1))", False),
        ("from figures.evaluation import peeking\n\nprint(peeking() + '<b>')", False),
        ("from figures.evaluation import peeking, other\n\nprint(peeking())", False),
        ("from figures.evaluation import peeking\n\nprint(other())", False),
        ("from figures.evaluation import peeking\nimport os\nprint(peeking())", False),
        ("from snippets.evaluation import peeking\n\nprint(peeking())", False),
        ("print('<b>')", False),
        ("", False),
    ],
)
def test_a_figure_is_imported_and_printed(code, sound):
    assert is_drawing(code) == sound
