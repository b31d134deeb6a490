"""TODO: what the snippet computes, in one line.

TODO: the paper and the equation it comes from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def name_of_the_field(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Return TODO: what it is, in one line.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1.
    y_prob : array of shape (n,)
        Predicted probabilities.

    Returns
    -------
    float
        TODO: its unit and what its extreme values mean.

    Raises
    ------
    ValueError
        If the arrays are empty or of different lengths.

    Examples
    --------
    >>> name_of_the_field([0, 1, 1, 1], [0.5, 0.5, 1.0, 1.0])
    0.125
    """
    # --8<-- [start:heart]
    y, p = np.asarray(y_true), np.asarray(y_prob)
    if len(y) == 0 or len(y) != len(p):
        raise ValueError(f"y_true and y_prob must have one length, above 0: got {len(y)} and {len(p)}")
    return float(np.mean((y - p) ** 2))  # TODO: your own
    # --8<-- [end:heart]
