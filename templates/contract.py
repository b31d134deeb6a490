"""TODO: calls of public functions; `tests/contract/roles.py` lists arguments."""

from templates.snippet import name_of_the_field
from tests.contract.calls import Call
from tests.contract.roles import Labels, Numbers

CALLS = [
    Call(
        name_of_the_field,
        {
            "y_true": Labels([0, 1, 1, 0]),
            "y_prob": Numbers([0.25, 0.5, 1, 0], interval="[0, 1]"),
        },
    ),
]
