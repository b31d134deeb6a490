"""Two towers trained on clicks alone, with the other items of the batch as negatives.

Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", RecSys, equations 3 to
5. Popular items sit in more batches, so they are pushed down more often; subtracting the log of how likely an item is
to be in the batch takes that back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import logsumexp


def in_batch_softmax(
    user: np.ndarray, item: np.ndarray, log_q: np.ndarray | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the softmax loss of each row's own item among all items of the batch, and its gradients.

    Parameters
    ----------
    user, item : arrays of shape (n, n_factors)
        Vectors of the users, and of the items that they clicked on.
        An item that is in the batch twice stands among the negatives twice: its share of the batch is what log_q
        corrects for.
    log_q : array of shape (n,) or None
        Logarithm of each item's share of all clicks, subtracted from its score. None: no correction.

    Returns
    -------
    (loss, by user, by item)
        Mean loss, and its gradients, of the shape of user and item.

    Examples
    --------
    >>> vectors = np.eye(2)
    >>> round(in_batch_softmax(vectors, vectors)[0], 3)  # log(1 + 1/e)
    0.313
    """
    n = len(user)
    # --8<-- [start:softmax]
    scores = user @ item.T
    if log_q is not None:
        scores = scores - log_q
    log_p = scores - logsumexp(scores, axis=1, keepdims=True)
    loss = -log_p.diagonal().mean()
    error = (np.exp(log_p) - np.eye(n)) / n
    # --8<-- [end:softmax]
    return float(loss), error @ item, error.T @ user


class TwoTower:
    """Each tower adds up the embeddings of its codes; the score of a pair is their dot product.

    Parameters
    ----------
    n_factors : int
    log_q : bool
        Whether to correct for how often each item occurs among the clicks.
    learning_rate, n_epochs, batch_size
        AdaGrad's step, passes over the clicks, clicks of a batch.
    init_scale : float
        Standard deviation of the embeddings at the start.
    random_state : int or None

    Attributes
    ----------
    user_table_, item_table_ : arrays of shape (n_values, n_factors)

    Raises
    ------
    ValueError
        If a parameter is out of range, or codes are not whole numbers of at least 0, one row for each click.

    Examples
    --------
    >>> model = TwoTower(2, random_state=0).fit([[0], [1]] * 50, [[0], [1]] * 50)
    >>> model.items([[0], [1], [1]]).shape
    (3, 2)
    """

    def __init__(
        self,
        n_factors: int = 16,
        log_q: bool = True,
        *,
        learning_rate: float = 0.1,
        n_epochs: int = 5,
        batch_size: int = 256,
        init_scale: float = 0.1,
        random_state: int | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.log_q = log_q
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.init_scale = init_scale
        self.random_state = random_state

    def fit(self, user_codes: ArrayLike, item_codes: ArrayLike) -> TwoTower:
        """Learn from clicks: the user's codes (n, n_user_fields), the item's (n, n_item_fields), its identity first."""
        for name, least in [("n_factors", 1), ("n_epochs", 1), ("batch_size", 2)]:
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("learning_rate", "init_scale"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be positive and finite, got {getattr(self, name)}")
        user, item = _codes("user_codes", user_codes), _codes("item_codes", item_codes)
        if len(user) != len(item):
            raise ValueError(f"one row for each click in both, got {len(user)} and {len(item)}")
        random = np.random.default_rng(self.random_state)
        self._user_sizes, self._item_sizes = user.max(axis=0) + 1, item.max(axis=0) + 1
        self.user_table_ = random.normal(0, self.init_scale, (self._user_sizes.sum(), self.n_factors))
        self.item_table_ = random.normal(0, self.init_scale, (self._item_sizes.sum(), self.n_factors))
        squares = [np.full_like(table, 1e-8) for table in (self.user_table_, self.item_table_)]
        user_sum, item_sum = _sum_of_codes(user, self._user_sizes), _sum_of_codes(item, self._item_sizes)
        log_q = np.log(np.bincount(item[:, 0])[item[:, 0]] / len(item)) if self.log_q else None
        for _ in range(self.n_epochs):
            order = random.permutation(len(user))
            for start in range(0, len(user), self.batch_size):
                batch = order[start : start + self.batch_size]
                of_user, of_item = user_sum[batch], item_sum[batch]
                _, by_user, by_item = in_batch_softmax(
                    of_user @ self.user_table_,
                    of_item @ self.item_table_,
                    None if log_q is None else log_q[batch],
                )
                for table, square, rows, gradient in [
                    (self.user_table_, squares[0], of_user, by_user),
                    (self.item_table_, squares[1], of_item, by_item),
                ]:
                    present = np.unique(rows.indices)
                    step = rows[:, present].T @ gradient
                    square[present] += step**2
                    table[present] -= self.learning_rate * step / np.sqrt(square[present])
        return self

    def users(self, codes: ArrayLike) -> np.ndarray:
        """Return the vectors of users, shape (n, n_factors). A code that fit has not seen adds nothing."""
        return _sum_of_codes(_codes("codes", codes), self._user_sizes) @ self.user_table_

    def items(self, codes: ArrayLike) -> np.ndarray:
        """Return the vectors of items, shape (n, n_factors). A code that fit has not seen adds nothing."""
        return _sum_of_codes(_codes("codes", codes), self._item_sizes) @ self.item_table_


def _codes(name: str, codes: ArrayLike) -> np.ndarray:
    codes = np.asarray(codes)
    if codes.ndim != 2 or not codes.size or codes.dtype.kind not in "iu" or codes.min() < 0:
        raise ValueError(f"{name} must be whole numbers of at least 0, one row each, got {codes.dtype} {codes.shape}")
    return codes.astype(np.intp)


def _sum_of_codes(codes: np.ndarray, sizes: np.ndarray) -> csr_matrix:
    """Return rows with a one for each known code, so that their product with the table adds up embeddings."""
    if codes.shape[1] != len(sizes):
        raise ValueError(f"codes must have the {len(sizes)} fields of fit, got {codes.shape[1]}")
    known = codes < sizes
    row, field = np.nonzero(known)
    columns = codes[known] + np.concatenate([[0], np.cumsum(sizes)[:-1]])[field]
    return csr_matrix((np.ones(len(row)), (row, columns)), (len(codes), sizes.sum()))
