"""One contract for every public function and estimator: any container and dtype, or a clear error.

Each has a call in one of the files beside this one; a public name without a call fails here.
"""

import ast
import copy
import importlib
import pkgutil
import re
import warnings

import numpy as np
import pandas as pd
import pytest

import snippets
import tests.contract
from tests.contract.calls import Call, assert_same
from tests.contract.roles import Duration, Keys, Table, Times, Weights, _frozen, _index
from tools.door.copies import ROOT

CALLS: list[Call] = [
    call
    for module in pkgutil.iter_modules(tests.contract.__path__)
    if module.name not in ("calls", "roles", "test_contract", "test_estimators")
    for call in importlib.import_module(f"tests.contract.{module.name}").CALLS
]
# A failed assertion is not among them, nor is LinAlgError, which is a ValueError that names nothing.
FAULTS = (ArithmeticError, AttributeError, LookupError, NotImplementedError, RuntimeError, TypeError, Warning)
each_call = pytest.mark.parametrize("call", CALLS, ids=[f"{i}-{call.name}" for i, call in enumerate(CALLS)])


# What takes a query, an engine or a stream, but no rows: tests/scale tries these.
NO_ROWS = {
    f"snippets.scale.{name}"
    for name in (
        *("engines", "memory_limit", "out_of_core", "stream_joiner"),
        *("relational_joins", "relational_metrics", "relational_reports"),
    )
}


def public():
    """Yield the public functions and classes of all snippets, but for what is only returned or drawn."""
    for module in pkgutil.walk_packages(snippets.__path__, "snippets."):
        if module.ispkg or module.name in NO_ROWS:
            continue
        tree = ast.parse((ROOT / f"{module.name.replace('.', '/')}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            is_result = isinstance(node, ast.ClassDef) and any(ast.unparse(b) == "NamedTuple" for b in node.bases)
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and not is_result:
                yield f"{module.name.removeprefix('snippets.')}.{node.name}"


def test_every_public_function_and_class_has_a_call():
    assert sorted(set(public()) - {call.name for call in CALLS}) == []


def variants(call, group):
    """Yield a label and what to replace for each other container and dtype of the arguments of a group."""
    slots = call.slots()
    timed = [place for place in group if isinstance(slots[place], Duration)]
    columns = {place: dict(slots[place].same()) for place in group if place not in timed}
    for label in next(iter(columns.values()), {}):
        if all(label in own for own in columns.values()):
            replaced = {place: own[label] for place, own in columns.items()}
            lengths = dict(slots[timed[0]].among(label)) if timed else {"": None}
            for kind in lengths:
                own = {
                    place: dict(slots[place].among(label))[kind] for place in timed if slots[place].value is not None
                }
                yield f"{label}{f', {kind}' if kind else ''}", label, replaced | own


@each_call
def test_any_container_and_dtype_gives_the_same(call):
    expected = call()
    for group in call.groups():
        for label, _, replaced in variants(call, group):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert_same(call(replaced), expected, call.tolerance, f"{group} as {label}")
    for name, role in call.arguments.items():
        if isinstance(role, Table):
            for label, frame in role.same():
                assert_same(call({(name, None): frame}), expected, call.tolerance, f"{name} as {label}")


def bad_values(call):
    """Yield the place of an argument, its role, and a label, a bad value and what its error must hold."""
    tables = [((name, None), role) for name, role in call.arguments.items() if isinstance(role, Table)]
    for place, role in [*call.slots().items(), *tables]:
        for label, value, says in role.bad():
            if place[1] is None or np.ndim(value) == 1:  # a column of a table has one dimension
                yield place, role, label, value, says


@each_call
def test_what_breaks_the_rule_is_named(call):
    problems = []
    for place, role, label, value, says in bad_values(call):
        name = re.escape(place[1] or place[0])
        problems += refusal(call, {place: value}, name, role, says, f"{place}: {label}")
    assert problems == []


def refusal(call, replaced, name, role, says, label):
    """Return what is wrong with the way in which a bad value is refused, if anything."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call(replaced)
    except ValueError as error:
        message = str(error)
        wanted = [role.says] if role.says else [name, says]
        missing = [w for w in wanted if not re.search(w, message)]
        return [f"{label}: {missing} not in {message!r}"] if missing else []
    except FAULTS as error:
        return [f"{label}: {type(error).__name__}: {error}"]
    return [f"{label}: accepted"]


@each_call
def test_times_and_durations_of_two_kinds_are_refused(call):
    problems = []
    slots = call.slots()
    for group in call.groups():
        times = [place for place in group if isinstance(slots[place], Times)]
        for label, times_label, replaced in variants(call, group) if times else []:
            if "Polars" in label or times_label not in ("int64", "datetimes in Paris", "datetimes in s"):
                continue
            for place in group:
                if isinstance(slots[place], Duration):
                    for bad, value, says in slots[place].bad_among(times_label):
                        problems += refusal(
                            call, replaced | {place: value}, re.escape(place[0]), slots[place], says, f"{label}: {bad}"
                        )
        if len(times) > 1:
            zoned = {place: dict(slots[place].same())["datetimes in Paris"] for place in times}
            durations = {
                place: dict(slots[place].among("datetimes"))["Timedelta"] for place in group if place not in times
            }
            for place in times:
                naive = dict(slots[place].same())["datetimes in s"]
                replaced = zoned | durations | {place: naive}
                problems += refusal(call, replaced, "kind|zone", slots[place], "", f"{place} without a zone")
    assert problems == []


@each_call
def test_keys_of_two_kinds_are_refused_and_missing_ones_match_nothing(call):
    problems = []
    slots = call.slots()
    for group in call.groups():
        sides = [place for place in group if isinstance(slots[place], Keys)]
        if not sides:
            continue
        for place in sides if len(sides) > 1 else []:
            for kind in ("text", "UUIDs"):
                other = dict(slots[place].same())[kind]
                problems += refusal(call, {place: other}, "kind", slots[place], "", f"{place} as {kind}")
            fractions = {place: slots[place].value + 0.5}
            problems += refusal(call, fractions, "kind|whole", slots[place], "", f"{place} as fractions")
        for place in sides:
            if slots[place].missing == "nothing":
                ids = slots[place].value
                unseen = call({place: np.where(np.arange(len(ids)) == 1, 10**6, ids)})
                for missing in (None, np.nan, pd.NA):
                    assert_same(
                        call({place: [missing if i == 1 else int(v) for i, v in enumerate(ids)]}),
                        unseen,
                        call.tolerance,
                        f"{place} with {missing!r}",
                    )
    assert problems == []


@each_call
def test_rows_must_be_of_one_number_and_there(call):
    problems = []
    rows = {}
    for place, role in call.slots().items():
        if role.rows:
            rows.setdefault(call.arguments[place[0]].rows, []).append(place)
    for group in rows.values():
        arguments = {place[0] for place in group}
        for place in group:
            if place[1] is None and len(arguments) > 1:
                short = {place: call.slots()[place].value[:-1]}
                problems += refusal(call, short, ".", call.slots()[place], "", f"{place} is shorter")
        none = {place: call.slots()[place].value[:0] for place in group if place[1] is None}
        for name in {place[0] for place in group if place[1]}:
            none[name, None] = call.given({})[name].iloc[:0]
        if call.empty:
            call(none)
        else:
            problems += refusal(call, none, ".", call.slots()[group[0]], "", f"{arguments} without rows")
    assert problems == []


@each_call
def test_what_came_in_is_as_it_was(call):
    frozen = {p: _frozen(r.value) for p, r in call.slots().items() if isinstance(r.value, np.ndarray) and p[1] is None}
    given = call.given(frozen)
    before = copy.deepcopy(
        {name: value for name, value in given.items() if isinstance(value, np.ndarray | pd.DataFrame)}
    )
    call.function(**given)
    for name, value in before.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(given[name], value)
        else:
            np.testing.assert_array_equal(given[name], value)


@each_call
def test_the_order_of_rows(call):
    if call.order == "matters":
        assert "order" in (call.covers or call.function).__doc__
        return
    expected = call()
    for rows in {role.rows for role in call.arguments.values() if role.rows}:
        members = {name: role for name, role in call.arguments.items() if role.rows == rows}
        first = next(iter(members.values()))
        n = len(next(iter(first.value.values())).value if isinstance(first, Table) else first.value)
        order = np.random.default_rng(0).permutation(n)
        given = call.given({})
        moved = {
            (name, None): given[name].iloc[order] if isinstance(given[name], pd.DataFrame) else given[name][order]
            for name in members
        }
        actual = call(moved)
        if call.order == "rows" and rows == call.by:
            wanted = expected.iloc[order] if isinstance(expected, pd.DataFrame | pd.Series) else expected[order]
        else:
            wanted = expected
        assert_same(actual, wanted, max(call.tolerance, 1e-9), f"{rows} in another order")


@each_call
def test_a_row_of_weight_0_is_no_row(call):
    for (name, _), role in call.slots().items():
        if isinstance(role, Weights):
            more = {
                (other, None): np.concatenate([own.value, 0 * own.value if other == name else own.value[::-1]])
                for other, own in call.arguments.items()
                if own.rows == role.rows
            }
            expected, actual = call(), call(more)
            if call.order == "rows":
                actual = actual[: len(role.value)]
            assert_same(actual, expected, call.tolerance, f"twice the rows, half of them with {name} 0")


@each_call
def test_the_index_of_the_rows_is_kept(call):
    if not call.index:
        return
    rows = [(name, role) for name, role in call.arguments.items() if role.rows == call.by]
    replaced = {
        (name, None): pd.Series(role.value, index=_index(len(role.value)))
        for name, role in rows
        if not isinstance(role, Table) and np.ndim(role.value) == 1
    }
    result = call(replaced)
    pd.testing.assert_index_equal(result.index, _index(len(result)))
