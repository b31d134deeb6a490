"""Claims of docs/modeling/sequences.md."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, between, claim, experiment
from claims.protocol import TEST, VALIDATION
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.hashing import hash_features
from snippets.modeling.matrix_factorization import ImplicitALS
from snippets.modeling.model_comparison import compare_models
from snippets.modeling.next_item import NextItem
from snippets.modeling.semantic_ids import SemanticIDs


def table_of(user, item, n_users, n_ads):
    """Return clicks as a sparse table of users by ads."""
    return csr_matrix((np.ones(len(user)), (user, item)), (n_users, n_ads))


def vectors_of(clicks, n_users, n_ads, seed):
    """Return an ad's vector each, of a factorization of clicks."""
    table = table_of(clicks["user_id"], clicks["ad_id"], n_users, n_ads)
    return ImplicitALS(8, alpha=10, l2=50, random_state=seed).fit(table).item_factors_


@experiment(seeds=20, worlds={"default": {}, "no drift": {"drift": 0.0}, "rarer clicks": {"base_ctr": 0.05}})
def next_click(seed, *, drift=0.08, base_ctr=0.1, episodes=0.0, forgotten=False):
    """Return recall at 20 for each user's last click, with fixed tastes and in a world of episodes.

    In that world a third of the clicks is followed by one on the next ad, or a share of ``episodes`` where that is not
    0, in both worlds. Twin: what was next is ``forgotten``, so the shuffled histories are the true ones.
    """
    n_users, n_ads = 1_000, 500
    log = simulate_ad_log(160_000, seed=seed, n_users=n_users, n_ads=n_ads, base_ctr=base_ctr, drift=drift)
    clicks = log[log["click"] == 1]
    random = np.random.default_rng(seed)
    user, item, step = clicks["user_id"].to_numpy(), clicks["ad_id"].to_numpy(), np.arange(len(clicks))

    def with_episodes(share):
        follows = random.random(len(item)) < share
        second = (item[follows] + 1) % n_ads
        return np.r_[user, user[follows]], np.r_[item, second], np.r_[step, step[follows] + 0.5]

    def recalls(user, item, step):
        order = np.lexsort((random.random(len(user)) if forgotten else step, user))
        user, item = user[order], item[order]
        last, count = np.r_[user[1:] != user[:-1], True], np.bincount(user, minlength=n_users)
        ends = np.flatnonzero(last & (count[user] > 5))
        asked, wanted, seen = user[ends], item[ends], ~last
        mixed = item[np.lexsort((random.random(len(user)), last, user))]  # the last stays the last
        found = {}
        for name, items in [("order", item), ("shuffled", mixed)]:
            model = NextItem().fit(user[seen], items[seen], np.arange(seen.sum()), n_ads)
            found[name] = model.scores(items[ends[:, None] - np.arange(5, 0, -1)])
        model = ImplicitALS(8, alpha=10, l2=50, random_state=seed).fit(table_of(user[seen], item[seen], n_users, n_ads))
        found["factorization"] = model.user_factors_[asked] @ model.item_factors_.T
        found["popularity"] = np.tile(np.bincount(item[seen], minlength=n_ads), (len(asked), 1))
        best = {name: np.argsort(-s, axis=1, kind="stable")[:, :20] for name, s in found.items()}
        return {name: (top == wanted[:, None]).any(axis=1).mean() for name, top in best.items()}

    tastes, shows = recalls(*with_episodes(episodes)), recalls(*with_episodes(episodes or 1 / 3))
    return {f"tastes, {n}": r for n, r in tastes.items()} | {f"episodes, {n}": r for n, r in shows.items()}


@claim(
    "With fixed tastes, shuffled histories cost counts of what follows what less than two points of recall.",
    next_click,
    holds=between(-0.02, 0.02),
    twin={"episodes": 0.33},
    percent=True,
    unit="of the last clicks, recall at 20",
)
def order_says_nothing_of_tastes(found):
    return found["tastes, order"] - found["tastes, shuffled"]


@claim(
    "Where a third of the clicks leads to the next one, shuffled histories leave less than 60 % of the recall.",
    next_click,
    holds=below(0.6),
    twin={"forgotten": True},
    percent=True,
    unit="of the recall with the order",
)
def shuffling_finds_episodes(found):
    return found["episodes, shuffled"] / found["episodes, order"]


@claim(
    "With fixed tastes a factorization, which forgets the order, finds more of the last clicks than counts.",
    next_click,
    holds=above(0),
    twin={"episodes": 0.33},
    percent=True,
    unit="of the last clicks, recall at 20",
)
def factorization_beats_counts(found):
    return found["tastes, factorization"] - found["tastes, order"]


@claim(
    "Two ads with the same first code share more users, in later clicks, than any two ads.",
    holds=above(0),
    worlds={"default": {}, "rarer clicks": {"base_ctr": 0.05}, "twice as many ads": {"n_ads": 1_000}},
    twin={"shuffled": True},
    percent=True,
    unit="more shared users than any two ads of as many clicks",
)
def prefix_means_taste(seed, *, base_ctr=0.1, n_ads=500, shuffled=False):
    log = simulate_ad_log(160_000, seed=seed, n_users=1_000, n_ads=n_ads, base_ctr=base_ctr)
    clicks = log[log["click"] == 1]
    vectors = vectors_of(clicks[clicks["day"] < 7], 1_000, n_ads, seed)
    code = SemanticIDs(1, 8, random_state=seed).fit_transform(vectors)[:, 0]
    code = np.random.default_rng(seed).permutation(code) if shuffled else code
    later = clicks[clicks["day"] >= 7]
    table = table_of(later["user_id"], later["ad_id"], 1_000, n_ads)
    users = np.asarray(table.sum(axis=0)).ravel()
    together, chance = np.triu((table.T @ table).toarray(), 1), np.triu(np.outer(users, users), 1)
    same = code[:, None] == code
    return together[same].sum() / chance[same].sum() / (together.sum() / chance.sum()) - 1


@experiment(
    seeds=20,
    worlds={
        "300 ads": {},
        "1,000 ads": {"n_ads": 1_000},
        "a third of the rows a user": {"n_users": 3_000},
        "four times the rows a user": {"n_users": 250},
    },
)
def codes(seed, *, n_users=1_000, n_ads=300, shuffled=False, of_content=False):
    """Return the entropy of a linear model with the user crossed with a code of the ad, on later days and on new ads.

    Codes: random; the category; a semantic code of the clicks of the training days; one of content, for which the
    clicks of other requests stand in, which see the same tastes. Twins: both semantic codes ``shuffled``; that of
    clicks ``of_content``, too.
    """
    world = {"seed": seed, "n_users": n_users, "n_ads": n_ads, "base_ctr": 0.1}
    log, elsewhere = simulate_ad_log(60_000, **world), simulate_ad_log(120_000, **world)
    day, y = log["day"].to_numpy(), log["click"].to_numpy()
    random = np.random.default_rng(seed)
    content = elsewhere[elsewhere["click"] == 1]
    known = content if of_content else log[(day < VALIDATION) & (y == 1)]
    code = {
        name: SemanticIDs(1, 8, random_state=seed).fit_transform(vectors_of(rows, n_users, n_ads, seed))[:, 0]
        for name, rows in [("clicks", known), ("content", content)]
    }
    if shuffled:
        code = {name: random.permutation(values) for name, values in code.items()}
    category = log.drop_duplicates("ad_id").set_index("ad_id")["category"].cat.codes
    code |= {
        "category": category.reindex(range(n_ads), fill_value=0).to_numpy(),
        "random": random.integers(0, 8, n_ads),
    }
    plain = hash_features(log[["category", "device", "age_group", "ad_id", "user_id"]], n_bits=20)
    parts = day < VALIDATION, (day >= VALIDATION) & (day < TEST), day >= TEST
    candidates = {"nothing": plain}
    for name, values in code.items():
        cross = (log["user_id"] * 10 + values[log["ad_id"]]).to_frame("cross")
        candidates[name] = hstack([plain, hash_features(cross, n_bits=18)]).tocsr()
    settings = [LogisticRegression(C=C, max_iter=300, tol=3e-4) for C in (0.1, 0.3)]
    tried = {name: (X[:, X.getnnz(axis=0) > 0], settings) for name, X in candidates.items()}
    result = compare_models(tried, y, *parts, budget=2, loss=normalized_entropy)
    new = np.bincount(log["ad_id"][day < TEST], minlength=n_ads)[log["ad_id"][day >= TEST]] < 20
    truth = y[day >= TEST]
    found = {name: float(result.table["test"][name]) for name in tried}
    return found | {f"{name}, new": normalized_entropy(truth[new], result.predictions[name][new]) for name in tried}


@claim(
    "Whether a semantic code of clicks, crossed with the user, helps or costs depends on how many clicks there are.",
    codes,
    holds=below(0),
    says="varies",
    twin={"of_content": True},
    unit="of normalized entropy, against no cross",
)
def click_codes_may_help(found):
    return found["clicks"] - found["nothing"]


@claim(
    "A semantic code of content that tells tastes, crossed with the user, beats no cross.",
    codes,
    holds=below(0),
    twin={"shuffled": True},
    unit="of normalized entropy",
)
def content_codes_help(found):
    return found["content"] - found["nothing"]


@claim(
    "On ads that training has hardly seen, such a code of content beats a random code of the same size.",
    codes,
    holds=below(0),
    twin={"n_users": 60_000},
    unit="of normalized entropy, on ads of fewer than 20 impressions",
)
def content_codes_help_new_ads(found):
    return found["content, new"] - found["random, new"]


@claim(
    "Whether such a code of content gains 0.005 over no cross on those ads depends on the rows a user.",
    codes,
    holds=below(-0.005),
    says="varies",
    twin={"shuffled": True},
    unit="of normalized entropy, on ads of fewer than 20 impressions",
)
def content_codes_may_help_new_ads(found):
    return found["content, new"] - found["nothing, new"]


@claim(
    "On those ads a code of clicks is worse than no cross.",
    codes,
    holds=above(0),
    twin={"of_content": True},
    unit="of normalized entropy, on ads of fewer than 20 impressions",
)
def click_codes_cost_new_ads(found):
    return found["clicks, new"] - found["nothing, new"]
