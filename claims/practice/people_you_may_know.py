"""Claims of docs/practice/people-you-may-know.md."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from claims.claim import above, below, between, claim, experiment


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
    seeds=20,
    worlds={
        "default": {},
        "few meet friends of friends": {"along": 0.025},
        "some know many people": {"spread": 1.0},
    },
)
def leak(seed, *, along=0.1, spread=0.0, n=1_500, size=30):
    """Train on the pairs who met in one month, with the graph before or after them; serve the month after.

    Having met, each of the two meets some friends of the other. Those later pairs are not rows: their common friend was
    there before they met.
    """
    rng = np.random.default_rng([seed, 5])
    reach = rng.lognormal(0, spread, n).cumsum()
    mates = np.arange(n).reshape(-1, size)

    def meet(pairs):
        a, stranger = np.searchsorted(reach / reach[-1], rng.random((2, pairs)))
        mate = mates[a // size, rng.integers(0, size, pairs)]
        return a, np.where(rng.random(pairs) < 0.6, mate, stranger)

    def month(g):
        a, b = meet(n // 4)
        one, other = np.r_[a, b], np.r_[b, a]
        row, friend = g[other].nonzero()
        goes = rng.random(len(row)) < along
        after = g + graph(np.r_[a, one[row[goes]]], np.r_[b, friend[goes]], n)
        after.data[:] = 1
        return a, b, after

    def rows(g, a, b, after):
        met = (np.asarray(g[a, b]).ravel() == 0) & (a != b)
        other = rng.integers(0, n, (2, 30_000))
        other = other[:, (np.asarray(after[other[0], other[1]]).ravel() == 0) & (other[0] != other[1])]
        a, b = np.r_[a[met], other[0]], np.r_[b[met], other[1]]
        profile = rng.random(len(a)) < np.where(a // size == b // size, 0.7, 0.1)  # one school, say
        return a, b, profile, np.arange(len(a)) < met.sum()

    before = graph(*meet(7 * n), n)
    *pairs, today = month(before)
    a, b, profile, y = rows(before, *pairs, today)
    later = rows(today, *month(today))
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
    "Common friends on today's graph show an AUC that is more than 0.05 too high.",
    leak,
    holds=above(0.05),
    twin={"along": 0.0},
)
def todays_graph_flatters(found):
    return found["AUC, of today"] - found["AUC, as it was"]


@claim(
    "A model trained on today's graph has a higher log loss a month later than one trained on the graph as it was.",
    leak,
    holds=above(0.005),
    twin={"along": 0.0},
    percent=True,
)
def todays_graph_disappoints(found):
    return found["log loss next month, of today"] / found["log loss next month, as it was"] - 1


@claim(
    "It promises fewer connections than are made.",
    leak,
    holds=below(1),
    twin={"along": 0.0},
    unit="promised for each that is made",
)
def todays_graph_promises_too_few(found):
    return found["promised over made, of today"]


def _arms(seed, inside, spread, rate, accepts, n, size=100):
    """Return the lift of all against none, and what tests see that split users or circles of them.

    Invitations are accepted, by each member the first so many of a week, in random order.
    """
    rng = np.random.default_rng([seed, 6])
    circle = np.arange(n) // size
    active = rng.lognormal(0, spread, n // size)[circle]

    def invitations(rate):
        sender = np.repeat(np.arange(n), rng.poisson(rate * active))
        mate = circle[sender] * size + rng.integers(0, size, len(sender))
        receiver = np.where(rng.random(len(sender)) < inside, mate, rng.integers(0, n, len(sender)))
        return np.array([sender, receiver, rng.permutation(len(sender))])

    usual, more = invitations(rate), invitations(0.2 * rate)  # the treatment adds a fifth
    more[2] = rng.integers(0, usual.shape[1], more.shape[1])

    def gained(treated):
        sender, receiver, order = np.hstack([usual, more[:, treated[more[0]]]])
        by_receiver = np.lexsort((order, receiver))
        sender, receiver = sender[by_receiver], receiver[by_receiver]
        accepted = np.arange(len(receiver)) - np.searchsorted(receiver, receiver) < accepts
        return np.bincount(np.r_[sender[accepted], receiver[accepted]], minlength=n)

    before = gained(np.zeros(n, dtype=bool))
    found = {"launch": gained(np.ones(n, dtype=bool)).mean() / before.mean() - 1}
    for name, unit in (("users", np.arange(n)), ("circles", circle)):
        treated = (rng.random(unit[-1] + 1) < 0.5)[unit]
        new = gained(treated)
        arms_before = before[treated].mean() / before[~treated].mean()  # take off what each arm did before
        found[name] = new[treated].mean() / new[~treated].mean() / arms_before - 1
    return found


@experiment(seeds=20, worlds={"default": {}, "more cross": {"inside": 0.7}, "circles alike": {"spread": 0.0}})
def arms(seed, *, inside=0.9, spread=0.3, rate=0.3, accepts=1_000, n=200_000):
    """Whoever is invited, and would accept, has time to."""
    return _arms(seed, inside, spread, rate, accepts, n)


@claim(
    "Where both sides gain a friend, and invitations do not compete, a test that splits users sees about half of the "
    "lift.",
    arms,
    holds=between(0.4, 0.6),
    twin={"rate": 3.0, "accepts": 1},
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


@claim(
    "Where a member accepts one invitation a week and gets several, a test that splits users sees more than twice the "
    "lift of the launch.",
    holds=above(2),
    twin={"rate": 0.3},
    seeds=20,
    worlds={"default": {}, "more cross": {"inside": 0.7}, "circles alike": {"spread": 0.0}},
    unit="times the lift",
)
def crowded_users_see_too_much(seed, *, inside=0.9, spread=0.3, rate=3.0, accepts=1, n=50_000):
    found = _arms(seed, inside, spread, rate, accepts, n)
    return found["users"] / found["launch"]


@claim(
    "Where circles of a hundred differ in how much they invite, a split by circles has more than four times the "
    "variance of a split by users.",
    holds=above(4),
    twin={"spread": 0.0},
    seeds=20,
    worlds={"default": {}, "more cross": {"inside": 0.7}, "circles differ more": {"spread": 0.5}},
    unit="times the variance",
)
def circles_cost_variance(seed, *, inside=0.9, spread=0.3, n=100_000, size=100):
    rng = np.random.default_rng([seed, 7])
    circle = np.arange(n) // size
    sender = np.repeat(np.arange(n), rng.poisson(0.3 * rng.lognormal(0, spread, n // size)[circle]))
    mate = circle[sender] * size + rng.integers(0, size, len(sender))
    receiver = np.where(rng.random(len(sender)) < inside, mate, rng.integers(0, n, len(sender)))
    gained = np.bincount(np.r_[sender, receiver], minlength=n)
    return size * gained.reshape(-1, size).mean(axis=1).var(ddof=1) / gained.var(ddof=1)
