"""Print the contract of the snippets as a table, functions by containers: ``make contract``.

Each cell says how many variants gave the same result, or how many bad values were refused by name; ``!`` stands behind
what did not.
"""

from collections import Counter, defaultdict

from tests.contract.calls import assert_same
from tests.contract.roles import Table
from tests.contract.test_contract import CALLS, FAULTS, bad_values, refusal, variants

KINDS = [
    "NumPy",
    "list",
    "masked",
    "pandas",
    "nullable",
    "Arrow-backed",
    "categorical",
    "Polars",
    "PyArrow",
    "datetimes",
]


def kind(label: str) -> str:
    """Return the column of the table in which a variant counts: the last of those that its label names."""
    return next((k for k in reversed(KINDS) if k in label), "pandas" if "index" in label.lower() else "NumPy")


def main() -> None:
    """Try every call in every variant, and print the table as Markdown."""
    good, failed = defaultdict(Counter), defaultdict(Counter)
    for call in CALLS:
        expected = call()
        tried = [(label, replaced) for group in call.groups() for label, _, replaced in variants(call, group)]
        for name, role in call.arguments.items():
            tried += [(label, {(name, None): frame}) for label, frame in role.same()] if isinstance(role, Table) else []
        for label, replaced in tried:
            try:
                assert_same(call(replaced), expected, call.tolerance, label)
                good[call.name][kind(label)] += 1
            except (AssertionError, ValueError, *FAULTS):
                failed[call.name][kind(label)] += 1
        for place, role, label, value, says in bad_values(call):
            wrong = refusal(call, {place: value}, ".", role, says, label)
            (failed if wrong else good)[call.name]["refused"] += 1
    columns = [*KINDS, "refused"]
    print(f"| function | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name in sorted({*good, *failed}):
        cells = [f"{good[name][k] or ''}{'!' * failed[name][k]}" for k in columns]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
