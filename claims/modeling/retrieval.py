"""Claims of docs/modeling/retrieval.md."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit, logit

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.hashing import hash_features
from snippets.modeling.factorization_machine import FactorizationMachineClassifier
from snippets.modeling.matrix_factorization import ImplicitALS

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.03}}


def clicks_of(rows, n_users, n_ads):
    """Return clicks as a sparse table of users by ads."""
    rows = rows[rows["click"] == 1]
    return csr_matrix((np.ones(len(rows)), (rows["user_id"], rows["ad_id"])), (n_users, n_ads))


@experiment(seeds=20, worlds=WORLDS | {"three times the clicks a user": {"n": 480_000}})
def lists(seed, *, n=160_000, drift=0.08, base_ctr=0.1, shuffled=False, reversed_clicks=False, as_shown=False):
    """Return recall and relevance at later random impressions of the 25 best of 500 ads by each score.

    Twins: ``shuffled``, where a click is anybody's; ``reversed_clicks``, where what was not clicked is logged as
    clicked; ``as_shown``, which weighs the later impressions so that each ad was shown as often as the next.
    """
    n_users, n_ads = 1_000, 500
    log = simulate_ad_log(
        n, seed=seed, n_users=n_users, n_ads=n_ads, base_ctr=base_ctr, drift=drift, exploration_rate=0.2
    )
    past, test = log[log["day"] < 11].copy(), log[(log["day"] >= 11) & log["explored"]]
    if shuffled:
        past["user_id"] = np.random.default_rng(seed).permutation(past["user_id"])
    if reversed_clicks:
        past["click"] = 1 - past["click"]
    table = clicks_of(past, n_users, n_ads)
    clicks = np.asarray(table.sum(axis=0)).ravel()
    shown = np.bincount(past["ad_id"], minlength=n_ads)
    model = ImplicitALS(8, alpha=10, l2=50, random_state=seed).fit(table)
    scores = {
        "popularity": np.tile(clicks, (n_users, 1)),
        "click rate": np.tile((clicks + 30 * base_ctr) / (shown + 30), (n_users, 1)),
        "factorization": model.user_factors_ @ model.item_factors_.T,
    }
    found, weight = {}, np.ones(len(test))
    if as_shown:
        weight = 1 / np.bincount(test["ad_id"], minlength=n_ads)[test["ad_id"]]
    clicked, relevance = weight * test["click"], test["relevance"].to_numpy()
    for name, score in scores.items():
        in_list = np.zeros(score.shape, bool)
        np.put_along_axis(in_list, np.argsort(-score, axis=1, kind="stable")[:, :25], True, axis=1)
        rows = in_list[test["user_id"], test["ad_id"]]
        found[f"{name}, recall"] = clicked[rows].sum() / clicked.sum()
        seen = np.average(relevance[rows], weights=weight[rows])
        found[f"{name}, relevance"] = seen / np.average(relevance, weights=weight)
    return found


@claim(
    "Factorization finds more of the later clicks than popularity.",
    lists,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of the later clicks, recall of a list of 25",
)
def factorization_finds_more(found):
    return found["factorization, recall"] - found["popularity, recall"]


@claim(
    "Against popularity, factorization gains more in clicks on what is seen than it gains in recall.",
    lists,
    holds=above(0),
    twin={"as_shown": True},
    percent=True,
    unit="of popularity's, beyond the gain in recall",
)
def gain_when_seen_is_larger(found):
    seen = found["factorization, relevance"] / found["popularity, relevance"]
    return seen - found["factorization, recall"] / found["popularity, recall"]


@claim(
    "The click rate, one list for all, has a lower recall than popularity, and is clicked more when seen.",
    lists,
    holds=above(0),
    twin={"reversed_clicks": True},
    percent=True,
    unit="of the click rate of all ads, and a lower recall",
)
def click_rate_is_seen_better(found):
    lower = found["click rate, recall"] < found["popularity, recall"]
    return (found["click rate, relevance"] - found["popularity, relevance"]) * lower


@claim(
    "Whether factorization beats one list for all by click rate, when seen, depends on how rare clicks are.",
    lists,
    holds=above(0),
    says="varies",
    twin={"shuffled": True},
    percent=True,
    unit="of the click rate of all ads",
)
def factorization_against_click_rate(found):
    return found["factorization, relevance"] - found["click rate, relevance"]


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "rarer clicks": {"base_ctr": 0.05},
        "positions at random": {"randomize_positions": True},
        "all requests random": {"exploration_rate": 1.0},
    },
)
def funnel(seed, *, base_ctr=0.1, exploration_rate=0.2, randomize_positions=False, shuffled=False):
    """Return how relevant the ten are that a ranker picks from k candidates of a factorization, out of 300 ads.

    What they are worth is read at requests of the last three days that all show random candidates, at the intercept
    of the log that was learned from: each log hits its mean click rate by one of its own. In the twin the ranker learns
    from ``shuffled`` clicks.
    """
    n_users, n_ads = 500, 300
    world = {"seed": seed, "n_users": n_users, "n_ads": n_ads, "base_ctr": base_ctr}
    log = simulate_ad_log(100_000, exploration_rate=exploration_rate, randomize_positions=randomize_positions, **world)
    past, test = log[log["day"] < 11], simulate_ad_log(100_000, exploration_rate=1.0, **world)
    test = test[test["day"] >= 11]
    model = ImplicitALS(8, alpha=10, l2=50, random_state=seed).fit(clicks_of(past, n_users, n_ads))
    columns = ["position", "category", "device", "age_group", "ad_id", "user_id"]
    ranker = FactorizationMachineClassifier(8, learning_rate=0.03, n_epochs=2, random_state=seed)
    y = past["click"].to_numpy()
    y = np.random.default_rng(seed).permutation(y) if shuffled else y
    ranker.fit(hash_features(past[columns], n_bits=16), y)
    ads = log.drop_duplicates("ad_id").set_index("ad_id").sort_index()[["category"]]
    users = test.drop_duplicates("user_id").set_index("user_id")[["device", "age_group"]]
    pairs = users.reset_index().merge(ads.reset_index(), how="cross").assign(position=1)
    second = ranker.decision_function(hash_features(pairs[columns], n_bits=16)).reshape(len(users), -1)
    first = model.user_factors_[users.index] @ model.item_factors_[ads.index].T
    order = np.argsort(-first, axis=1, kind="stable")
    test = test[test["ad_id"].isin(ads.index)]
    both = log.merge(test, on=["request_id", "ad_id"])  # each log hits the same mean by an intercept of its own
    shift = (logit(both["relevance_x"]) - logit(both["relevance_y"])).mean()
    relevance = expit(logit(test["relevance"]) + shift)
    row, ad = users.index.get_indexer(test["user_id"]), ads.index.get_indexer(test["ad_id"])
    found = {}
    for k in [10, 30, len(ads)]:
        places = np.argsort(-np.take_along_axis(second, order[:, :k], axis=1), axis=1, kind="stable")[:, :10]
        ten = np.zeros(first.shape, bool)
        np.put_along_axis(ten, np.take_along_axis(order, places, axis=1), True, axis=1)
        found["all" if k == len(ads) else str(k)] = relevance[ten[row, ad]].mean()
    return found


@claim(
    "Thirty candidates for ten places are better than ten, which leave the ranker no choice.",
    funnel,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of the clicks of the ten that retrieval alone picks",
)
def thirty_beat_ten(found):
    return found["30"] / found["10"] - 1


@claim(
    "Whether all 300 ads are worse than thirty candidates depends on how the log was made.",
    funnel,
    holds=below(0),
    says="varies",
    twin={"shuffled": True},
    percent=True,
    unit="of the clicks with thirty candidates",
)
def more_candidates_may_cost(found):
    return found["all"] / found["30"] - 1


@experiment(seeds=20, worlds=WORLDS)
def fold_in(seed, *, drift=0.08, base_ctr=0.1, shuffled=False):
    """Return recall at 25 for users who come after the fit, by how many of their clicks are known.

    In the twin the new users' known clicks are ``shuffled`` over all ads.
    """
    n_users, n_ads = 1_000, 500
    log = simulate_ad_log(
        160_000, seed=seed, n_users=n_users, n_ads=n_ads, base_ctr=base_ctr, drift=drift, exploration_rate=0.5
    )
    new = np.arange(n_users) % 3 == 0
    past = log[(log["day"] < 11) & (log["click"] == 1)]
    test = log[(log["day"] >= 11) & log["explored"] & (log["click"] == 1) & new[log["user_id"]]]
    table = clicks_of(past, n_users, n_ads)
    model = ImplicitALS(8, alpha=10, l2=50, random_state=seed).fit(table[~new])
    popular = np.asarray(table[~new].sum(axis=0)).ravel()
    theirs = past[new[past["user_id"]]].copy()
    if shuffled:
        theirs["ad_id"] = np.random.default_rng(seed).integers(0, n_ads, len(theirs))
    found = {}
    for known in [0, 1, 3, 10]:
        own = clicks_of(theirs.groupby("user_id").head(known), n_users, n_ads)
        score = model.fold_in(own) @ model.item_factors_.T
        score[own.getnnz(axis=1) == 0] = popular
        top = np.argsort(-score, axis=1, kind="stable")[:, :25]
        found[str(known)] = (top[test["user_id"]] == test["ad_id"].to_numpy()[:, None]).any(axis=1).mean()
    return found


@claim(
    "Whether a vector from one click finds less than popularity depends on how rare clicks are.",
    fold_in,
    holds=below(0),
    says="varies",
    twin={"shuffled": True},
    percent=True,
    unit="of the later clicks, recall of a list of 25",
)
def one_click_is_worse(found):
    return found["1"] - found["0"]


@claim(
    "A vector from up to ten clicks finds more than popularity.",
    fold_in,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of the later clicks, recall of a list of 25",
)
def ten_clicks_are_better(found):
    return found["10"] - found["0"]
