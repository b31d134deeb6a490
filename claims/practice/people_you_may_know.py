"""Claims of docs/practice/people-you-may-know.md."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from claims.claim import above, between, claim, experiment


def graph(a, b, n):
    """Return the symmetric graph of these pairs."""
    both = coo_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), (n, n)).tocsr()
    both.setdiag(0)
    both.eliminate_zeros()
    both.data[:] = 1
    return both


def common(g, a, b):
    """Return how many friends each pair has in common."""
    return np.asarray(g[a].multiply(g[b]).sum(axis=1)).ravel()


@experiment(
    worlds={
        "default": {},
        "few meet friends of friends": {"along": 0.05},
        "some know many people": {"spread": 1.0},
    }
)
def leak(seed, *, along=0.2, spread=0.0, n=1_500, size=30):
    """Train on the connections of one month, with the graph before or after them; serve the month after."""
    rng = np.random.default_rng([seed, 5])
    reach = rng.lognormal(0, spread, n).cumsum()
    mates = np.arange(n).reshape(-1, size)

    def meet(pairs):
        a, stranger = np.searchsorted(reach / reach[-1], rng.random((2, pairs)))
        mate = mates[a // size, rng.integers(0, size, pairs)]
        return a, np.where(rng.random(pairs) < 0.6, mate, stranger)

    def month(g):
        a, b = meet(n)
        row, friend = g[b].nonzero()
        goes = rng.random(len(row)) < along
        after = g + graph(np.r_[a, a[row[goes]]], np.r_[b, friend[goes]], n)
        after.data[:] = 1
        return after

    def rows(g, after):
        made = (after - g).tocoo()
        keep = (made.data > 0) & (made.row < made.col)
        other = rng.integers(0, n, (2, 30_000))
        other = other[:, (np.asarray(after[other[0], other[1]]).ravel() == 0) & (other[0] != other[1])]
        a, b = np.c_[np.array([made.row[keep], made.col[keep]]), other]
        profile = rng.random(len(a)) < np.where(a // size == b // size, 0.7, 0.1)  # one school, say
        return a, b, profile, np.arange(len(a)) < keep.sum()

    before = graph(*meet(7 * n), n)
    today = month(before)
    a, b, profile, y = rows(before, today)
    later = rows(today, month(today))
    X = np.column_stack([np.log1p(common(today, *later[:2])), later[2]])
    found = {}
    for name, g in (("as it was", before), ("of today", today)):
        found[f"AUC, {name}"] = roc_auc_score(y, common(g, a, b))
        model = LogisticRegression(C=100).fit(np.column_stack([np.log1p(common(g, a, b)), profile]), y)
        p = model.predict_proba(X)[:, 1]
        found[f"log loss next month, {name}"] = log_loss(later[3], p)
        found[f"promised over made, {name}"] = p.mean() / later[3].mean()
    return found


@claim(
    "Common friends on today's graph show an AUC that is more than 0.1 too high.",
    leak,
    holds=above(0.1),
    twin={"along": 0.0},
)
def todays_graph_flatters(found):
    return found["AUC, of today"] - found["AUC, as it was"]


@claim(
    "A model trained on today's graph has a higher log loss a month later than one trained on the graph as it was.",
    leak,
    holds=above(0.02),
    twin={"along": 0.0},
    percent=True,
)
def todays_graph_disappoints(found):
    return found["log loss next month, of today"] / found["log loss next month, as it was"] - 1


@experiment(worlds={"default": {}, "more cross": {"inside": 0.7}, "circles alike": {"spread": 0.0}})
def arms(seed, *, inside=0.9, spread=0.3, both=True, n=200_000, size=100):
    """Return the lift of all against none, and what tests see that split users or circles of them."""
    rng = np.random.default_rng([seed, 6])
    circle = np.arange(n) // size
    active = rng.lognormal(0, spread, n // size)[circle]

    def pairs(rate):
        sender = np.repeat(np.arange(n), rng.poisson(rate * active))
        mate = circle[sender] * size + rng.integers(0, size, len(sender))
        return sender, np.where(rng.random(len(sender)) < inside, mate, rng.integers(0, n, len(sender)))

    usual, more = pairs(0.3), pairs(0.06)  # accepted invitations; the treatment adds a fifth

    def gained(treated):
        sender, other = (np.r_[a, b[treated[more[0]]]] for a, b in zip(usual, more, strict=True))
        return np.bincount(np.r_[sender, other] if both else sender, minlength=n)

    before = gained(np.zeros(n, dtype=bool))
    found = {"launch": gained(np.ones(n, dtype=bool)).mean() / before.mean() - 1}
    for name, unit in (("users", np.arange(n)), ("circles", circle)):
        treated = (rng.random(unit[-1] + 1) < 0.5)[unit]
        new = gained(treated)
        arms_before = before[treated].mean() / before[~treated].mean()  # take off what each arm did before
        found[name] = new[treated].mean() / new[~treated].mean() / arms_before - 1
    return found


@claim(
    "Where both sides gain a friend, a test that splits users sees about half of the lift.",
    arms,
    holds=between(0.4, 0.6),
    twin={"both": False},
    percent=True,
    unit="of the lift",
)
def users_see_half(found):
    return found["users"] / found["launch"]


@claim(
    "A test that splits circles sees less than the launch brings, as far as invitations leave the circle.",
    arms,
    holds=above(0),
    twin={"inside": 1.0},
    percent=True,
    unit="of lift are missed",
)
def circles_miss_what_crosses(found):
    return found["launch"] - found["circles"]
