"""What the snippet computes, in one line.

The paper and the equation it comes from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def name_of_the_field(y_true: ArrayLike) -> float:
    """Return what it returns, in one line.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1.

    Returns
    -------
    float
        Its unit and what its extreme values mean.

    Raises
    ------
    ValueError
        If y_true is empty.

    Examples
    --------
    >>> name_of_the_field([0, 1, 0, 1])
    0.5
    """
    # --8<-- [start:heart]
    y = np.asarray(y_true)
    if len(y) == 0:
        raise ValueError("y_true is empty")
    return float(y.mean())
    # --8<-- [end:heart]
