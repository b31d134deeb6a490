"""What the next doubling of the rows would bring."""

import numpy as np

from snippets.scale.learning_curve import next_doubling
from tests.contract.calls import Call
from tests.contract.roles import Number, Numbers, Units

SIZES = np.tile([1.0, 2.0, 4.0, 8.0, 16.0], 3)
LOSS = 0.5 + 0.25 * SIZES**-0.5 + np.arange(15) % 4 / 256

CALLS = [
    Call(
        next_doubling,
        {
            "n_rows": Numbers(SIZES, interval="[1, 1e14]"),
            "loss": Numbers(LOSS.round(3)),
            "run": Units(np.repeat([3, 1, 2], 5)),
            "level": Number(0.9, interval="(0, 1)"),
        },
        tolerance=1e-6,
    ),
]
