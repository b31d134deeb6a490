"""Time implicit factorization beside the library of that name, on one log, and hold what both find of later clicks."""

from __future__ import annotations

from functools import partial

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from benchmarks.table import Table, peak, plain, times
from snippets.datasets.ad_log import simulate_ad_log
from snippets.modeling.matrix_factorization import ImplicitALS

N_USERS, N_ADS, ALPHA, L2, ITERATIONS = 20_000, 5_000, 10.0, 50.0, 10


def measure() -> Table:
    """Time implicit factorization beside the library of that name, on one log, and hold what both find later."""
    log = simulate_ad_log(2_000_000, n_users=N_USERS, n_ads=N_ADS, base_ctr=0.1, exploration_rate=0.2)
    past = log[(log["day"] < 11) & (log["click"] == 1)]
    later = log[(log["day"] >= 11) & log["explored"] & (log["click"] == 1)]
    counts = csr_matrix((np.ones(len(past)), (past["user_id"], past["ad_id"])), (N_USERS, N_ADS))
    confidence = counts.copy()
    confidence.data = 1 + ALPHA * counts.data  # theirs is what ours adds to 1

    def recall(users: np.ndarray, items: np.ndarray) -> float:
        """Return the share of later clicks among the 50 items of the largest product."""
        asked, row = np.unique(later["user_id"], return_inverse=True)
        top = np.argpartition(-(users[asked] @ items.T), 50, axis=1)[:, :50]
        return (top[row] == later["ad_id"].to_numpy()[:, None]).any(axis=1).mean()

    table = Table("Factors", "`ImplicitALS`", "`implicit`, default", "`implicit`, exact", "Recall at 50", "Memory")
    for k in (16, 32, 64):
        ours = ImplicitALS(k, ALPHA, L2, ITERATIONS, random_state=0)
        other = partial(
            AlternatingLeastSquares,
            factors=k,
            regularization=L2,
            alpha=1.0,
            iterations=ITERATIONS,
            num_threads=1,
            random_state=0,
        )
        models = [other(use_cg=True), other(use_cg=False)]
        seconds = times(
            partial(ours.fit, counts), *(partial(m.fit, confidence, show_progress=False) for m in models), repeats=3
        )
        found = [recall(m.user_factors_, m.item_factors_) for m in [ours]]
        found += [recall(m.user_factors, m.item_factors) for m in models]
        vectors = (N_USERS + N_ADS) * k * 8
        memory = peak(partial(ImplicitALS(k, ALPHA, L2, 1, random_state=0).fit, counts))
        table.row(
            str(k),
            *(f"{plain(s, 2)} s" for s in seconds),
            ", ".join(f"{r:.1%}" for r in found),
            f"{plain(memory / 2**20, 2)} MB, the vectors {plain(vectors / 2**20, 2)} MB",
        )
        if found[0] < min(found[1:]) - 0.004:
            table.missed.append(f"recall with {k} factors is {found[0]:.4f}, theirs {found[1]:.4f}")
        if seconds[0] > 2 * seconds[2]:
            table.missed.append(f"{k} factors take {seconds[0] / seconds[2]:.1f} times as long as theirs, exact")
    table.note = (
        f"{counts.nnz:,} pairs of {N_USERS:,} users and {N_ADS:,} ads, {ITERATIONS} iterations, one thread each, "
        "medians of three runs in turns. Recall of later clicks at random requests, in the order of the columns of "
        "times. `implicit` takes three steps of conjugate gradients by default, and numbers of 32 bits; `ImplicitALS` "
        "solves exactly, in 64 bits."
    )
    return table
