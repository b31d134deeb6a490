"""Claims of docs/modeling/two-towers.md."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax
from sklearn.cluster import KMeans

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.modeling.two_tower_logq import TwoTower

USERS, ADS, LIST = 1_000, 500, 25
WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.03}}


@experiment(worlds=WORLDS)
def lists(seed, *, drift=0.08, base_ctr=0.1, as_popular=False, as_shown=False, shuffled=False):
    """Return recall, relevance and number of later random impressions of each list.

    Twins: ``as_popular`` draws as many clicks of one ad as of another, ``as_shown`` weighs the later impressions so
    that each ad was shown as often as the next, ``shuffled`` adds the clicks of another ad.
    """
    random = np.random.default_rng(seed)
    log = simulate_ad_log(
        160_000, seed=seed, n_users=USERS, n_ads=ADS, base_ctr=base_ctr, drift=drift, exploration_rate=0.2
    )
    test = log[(log["day"] >= 11) & log["explored"]]
    past = log[(log["day"] < 11) & (log["click"] == 1)]
    if as_popular:
        past = past.groupby("ad_id").sample(8, replace=True, random_state=seed)
    user, item = past[["user_id"]].to_numpy(), past[["ad_id"]].to_numpy()
    clicks = np.bincount(item[:, 0], minlength=ADS)
    added = np.zeros(ADS) if as_popular else np.log(clicks + 0.5)
    scores = {}
    for name, log_q in [("plain", False), ("corrected", True)]:
        model = TwoTower(16, log_q, n_epochs=3, random_state=seed).fit(user, item)
        scores[name] = model.users(np.arange(USERS)[:, None]) @ model.items(np.arange(ADS)[:, None]).T
    scores["added"] = scores["plain"] + (random.permutation(added) if shuffled else added)
    scores["subtracted"] = scores["corrected"] - added
    weight = np.ones(len(test))
    if as_shown:
        weight = 1 / np.bincount(test["ad_id"], minlength=ADS)[test["ad_id"]]
    clicked = weight * test["click"]
    found = {}
    for name, score in scores.items():
        in_list = np.zeros(score.shape, bool)
        np.put_along_axis(in_list, np.argsort(-score, axis=1, kind="stable")[:, :LIST], True, axis=1)
        rows = in_list[test["user_id"], test["ad_id"]]
        found[f"{name}, recall"] = clicked[rows].sum() / clicked.sum()
        found[f"{name}, relevance"] = np.average(test["relevance"][rows], weights=weight[rows])
        found[f"{name}, shown"] = weight[rows].sum() / weight.sum()
    return found


@claim(
    "Subtracting log q in training finds more of the later clicks.",
    lists,
    holds=above(0.03),
    twin={"as_popular": True},
    percent=True,
    unit="of the later clicks, recall of a list of 25",
)
def correction_raises_recall(found):
    return found["corrected, recall"] - found["plain, recall"]


@claim(
    "More than half of that gain in recall is that the ads of the list were shown more often.",
    lists,
    holds=above(0),
    twin={"as_shown": True},
    unit="of the logarithm of recall, beyond half of its gain",
)
def gain_is_mostly_exposure(found):
    shown = np.log(found["corrected, shown"] / found["plain, shown"])
    return shown - 0.5 * np.log(found["corrected, recall"] / found["plain, recall"])


@claim(
    "Adding the log of the clicks to the plain model's score at serving brings more than three quarters of that gain.",
    lists,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of the later clicks, beyond three quarters of the gain",
)
def adding_at_serving_is_level(found):
    gain = found["corrected, recall"] - found["plain, recall"]
    return found["added, recall"] - found["plain, recall"] - 0.75 * gain


@claim(
    "Subtracting log q at serving as well leaves less than a third of the recall.",
    lists,
    holds=below(1 / 3),
    twin={"as_popular": True},
    percent=True,
    unit="of the recall of the corrected model",
)
def subtracting_twice_breaks(found):
    return found["subtracted, recall"] / found["corrected, recall"]


@experiment(worlds={"default": {}, "small batches": {"batch": 8}, "sharper taste": {"taste": 2.0}})
def minimum(seed, *, batch=32, taste=1.0, alike=False):
    """Learn one score for each of 40 items by each loss, and compare its softmax with what the user would click.

    A batch holds one click of the user and others' clicks, which fall on items by their share q. In the twin all items
    are ``alike``, to the others and to the user: there is nothing to correct.
    """
    n, random = 40, np.random.default_rng(seed)
    log_q = np.log(softmax(random.normal(0, 0.0 if alike else 1.2, n)))
    truth = softmax(log_q + random.normal(0, 0.0 if alike else taste, n))
    best = np.argsort(-truth, kind="stable")[:4]
    found = {}
    for name in ["plain", "corrected", "without twins"]:
        score, mean = np.zeros(n), np.zeros(n)
        for step in range(300):
            item = random.choice(n, (128, batch), p=np.exp(log_q))
            item[:, 0] = random.choice(n, 128, p=truth)
            logit = score[item] - (0 if name == "plain" else log_q[item])
            if name == "without twins":
                logit[:, 1:][item[:, 1:] == item[:, :1]] = -np.inf
            error = softmax(logit, axis=1)
            error[:, 0] -= 1
            score -= 8 / (1 + step / 100) * np.bincount(item.ravel(), error.ravel(), n) / 128
            mean += score * (step >= 150)
        learned = softmax(mean / 150)
        found[name] = np.abs(learned - truth).sum() / 2
        found[f"{name}, best"] = learned[best].sum() - truth[best].sum()
    return found


@claim(
    "At its minimum the corrected loss is much nearer to the user's own distribution than the plain one.",
    minimum,
    holds=below(0.25),
    twin={"alike": True},
    percent=True,
    unit="of the plain loss's distance",
)
def corrected_minimum_is_right(found):
    return found["corrected"] / found["plain"]


@claim(
    "Without an item's twins in the batch, the corrected loss overstates the items that the user clicks most.",
    minimum,
    holds=above(0),
    twin={"alike": True},
    percent=True,
    unit="of the user's clicks, beyond what the loss with twins says",
)
def dropped_twins_favour_the_best(found):
    return found["without twins, best"] - found["corrected, best"]


@experiment(worlds=WORLDS)
def new_items(seed, *, drift=0.08, base_ctr=0.1, as_popular=False, shuffled=False):
    """Return the share of new and of known ads that a clicked new ad ranks above; the towers know category and age."""
    log = simulate_ad_log(
        160_000, seed=seed, n_users=USERS, n_ads=ADS, base_ctr=base_ctr, drift=drift, exploration_rate=0.5
    )
    category = log.drop_duplicates("ad_id").set_index("ad_id")["category"].cat.codes
    category = category.reindex(range(ADS), fill_value=0).to_numpy().copy()
    age = log.drop_duplicates("user_id").set_index("user_id")["age_group"].cat.codes
    age = age.reindex(range(USERS), fill_value=0).to_numpy()
    held = np.arange(ADS) % 3 == 0
    if shuffled:
        category[held] = np.random.default_rng(seed).permutation(category[held])
    past, test = log[(log["day"] < 11) & (log["click"] == 1)], log[(log["day"] >= 11) & log["explored"]]
    past, test = past[~held[past["ad_id"]]], test[(test["click"] == 1) & held[test["ad_id"]]]
    if as_popular:
        past = past.groupby("ad_id").sample(8, replace=True, random_state=seed)
    users, items = np.column_stack([np.arange(USERS), age]), np.column_stack([np.arange(ADS), category])
    found = {}
    for name, log_q in [("plain", False), ("corrected", True)]:
        model = TwoTower(16, log_q, n_epochs=3, random_state=seed).fit(users[past["user_id"]], items[past["ad_id"]])
        score = (model.users(users) @ model.items(items).T)[test["user_id"]]
        own = score[np.arange(len(test)), test["ad_id"]][:, None]
        above_it = (score < own) + 0.5 * (score == own)
        found[f"{name}, new"], found[f"{name}, known"] = above_it[:, held].mean(), above_it[:, ~held].mean()
    return found


@claim(
    "With its category in the tower, a clicked new ad ranks above more than half of the new ads.",
    new_items,
    holds=above(0.5),
    twin={"shuffled": True},
    percent=True,
    unit="of the new ads",
)
def category_ranks_new_ads(found):
    return found["corrected, new"]


@claim(
    "Whether the correction puts clicked new ads further back among known ones depends on how many clicks these have.",
    new_items,
    holds=below(-0.01),
    says="varies",
    twin={"as_popular": True},
    percent=True,
    unit="of the known ads",
)
def correction_pushes_new_ads_back(found):
    return found["corrected, known"] - found["plain, known"]


@claim(
    "Whether a tenth of the items holds nine tenths of the exact list depends on the vectors.",
    holds=above(0.9),
    says="varies",
    worlds={"20 clicks a user": {}, "7 clicks a user": {"n": 100_000}, "five passes": {"n": 100_000, "n_epochs": 5}},
    twin={"unstructured": True},
    percent=True,
    unit="of the exact 50",
)
def tenth_of_items_may_be_enough(seed, *, n=300_000, n_epochs=2, unstructured=False):
    log = simulate_ad_log(n, seed=seed, n_users=1_500, n_ads=2_500, base_ctr=0.1)
    past = log[log["click"] == 1]
    model = TwoTower(16, n_epochs=n_epochs, random_state=seed)
    model.fit(past[["user_id"]].to_numpy(), past[["ad_id"]].to_numpy())
    items = model.items(np.unique(past["ad_id"])[:, None])
    users = model.users(np.unique(past["user_id"])[:300, None])
    if unstructured:
        random = np.random.default_rng(seed)
        items, users = random.normal(size=items.shape), random.normal(size=users.shape)
    cells = KMeans(50, n_init=1, random_state=seed).fit(items)
    exact = np.argsort(-(users @ items.T), axis=1, kind="stable")[:, :50]
    near = np.argsort(-(users @ cells.cluster_centers_.T), axis=1, kind="stable")
    size = np.bincount(cells.labels_, minlength=50)[near].cumsum(axis=1)
    opened = (size <= len(items) / 10).sum(axis=1)  # as many cells as hold at most a tenth of the items
    rank = np.argsort(near, axis=1)[:, cells.labels_]
    return np.take_along_axis(rank < opened[:, None], exact, axis=1).mean()


CELLS, OPENED, WANTED = (16, 32, 64, 128, 256), (1, 2, 3, 4, 6, 8, 12, 16), (10, 50, 200)


@experiment(seeds=10)
def cells(seed, *, n_ads=5_000, unstructured=False):
    """Return the share of the exact list that an index of cells finds, and its dot products, of an exact search's."""
    log = simulate_ad_log(600_000, seed=seed, n_users=3_000, n_ads=n_ads, base_ctr=0.1)
    past = log[log["click"] == 1]
    model = TwoTower(16, n_epochs=2, random_state=seed)
    model.fit(past[["user_id"]].to_numpy(), past[["ad_id"]].to_numpy())
    items = model.items(np.unique(past["ad_id"])[:, None])
    users = model.users(np.unique(past["user_id"])[:500, None])
    if unstructured:
        random = np.random.default_rng(seed)
        items, users = random.normal(size=items.shape), random.normal(size=users.shape)
    exact, found = np.argsort(-(users @ items.T), axis=1, kind="stable"), {}
    for n in CELLS:
        cut = KMeans(n, n_init=1, random_state=seed).fit(items)
        near = np.argsort(-(users @ cut.cluster_centers_.T), axis=1, kind="stable")
        place = np.argsort(near, axis=1)[:, cut.labels_]  # of each item's cell among those of a user, nearest first
        for k in OPENED:
            found[f"cost {n} {k}"] = round(float((n + (place < k).sum(axis=1).mean()) / len(items)), 5)
            hit = np.take_along_axis(place < k, exact[:, : WANTED[-1]], axis=1)
            found |= {f"found {top} {n} {k}": round(float(hit[:, :top].mean()), 5) for top in WANTED}
    return found


@claim(
    "8 of 64 cells find more of the exact 50 than 16 of 256, for fewer dot products.",
    cells,
    holds=above(0),
    twin={"unstructured": True},
    percent=True,
    unit="of the list or of the dot products, the lesser of both",
)
def more_cells_are_not_cheaper(found):
    return min(found["found 50 64 8"] - found["found 50 256 16"], found["cost 256 16"] - found["cost 64 8"])


@claim(
    "Eight tenths of the exact 50 take fewer dot products in 64 cells than in 16.",
    cells,
    holds=above(0),
    twin={"n_ads": 500},
    percent=True,
    unit="of the dot products of an exact search",
)
def fewer_cells_are_not_cheaper(found):
    few, many = (
        np.interp(0.8, *([found[f"{what} {n} {k}"] for k in OPENED] for what in ("found 50", "cost"))) for n in (16, 64)
    )
    return few - many
