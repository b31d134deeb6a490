"""Claims of docs/training-data/bias.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import EXAMINATION, simulate_ad_log
from snippets.training_data.position_bias import examination_from_random_positions, examination_from_swaps


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}})
def favourites(seed, *, drift=0.08, base_ctr=0.03, randomize_positions=False, position_bias=True):
    log = simulate_ad_log(
        60_000,
        seed=seed,
        n_users=1_500,
        n_ads=150,
        drift=drift,
        base_ctr=base_ctr,
        randomize_positions=randomize_positions,
        position_bias=position_bias,
    )
    log["taste"] = log["age_group"].astype(str) + log["category"].astype(str)
    known = ["ad_id", "user_id", "taste"]
    past, later = log[log["day"] < 10], log[log["day"] >= 10]
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.3, max_iter=500))
    model.fit(past[[*known, "position"]], past["click"])
    found = {}
    for name, sent in [("logged", later["position"]), ("one", 1)]:
        p = model.predict_proba(later[known].assign(position=sent))[:, 1]
        best = later.loc[later.assign(p=p).groupby("request_id")["p"].idxmax()]
        found[f"{name}, on top"] = (best["position"] == 1).mean()
        found[f"{name}, rate if seen"] = best["relevance"].mean()
    return found


@claim(
    "Scored with the logged positions, a model mostly picks what the old policy had put on top.",
    favourites,
    holds=above(0.5),
    twin={"randomize_positions": True, "position_bias": False},
    percent=True,
    unit="of its favourites were on top",
)
def logged_positions_pick_the_top(found):
    return found["logged, on top"]


@claim(
    "With one position for all it does so far less often.",
    favourites,
    holds=above(0.2),
    twin={"randomize_positions": True, "position_bias": False},
    percent=True,
    unit="more of its favourites were on top",
)
def logged_positions_repeat_the_old_order(found):
    return found["logged, on top"] - found["one, on top"]


@claim(
    "Whether that makes the model look better than it is depends on how good the old order still is.",
    favourites,
    holds=above(0),
    says="varies",
    twin={"base_ctr": 0.02, "drift": 0.0},
    percent=True,
    unit="in the click rate, if seen, of its favourites",
)
def logged_positions_flatter_the_ranking(found):
    return found["logged, rate if seen"] / found["one, rate if seen"] - 1


@experiment(worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}, "more drift": {"drift": 0.25}})
def measured(seed, *, base_ctr=0.03, drift=0.08, ordered=True, shuffle=True, coin_looks=False, more_pages=1):
    log = simulate_ad_log(
        150_000,
        seed=seed,
        base_ctr=base_ctr,
        drift=drift,
        n_users=5_000,
        n_ads=500,
        randomize_positions=not ordered,
    )
    rng = np.random.default_rng([seed, 1])
    pages = log["relevance"].to_numpy().reshape(-1, 5)
    found = {}
    for name in ["own log", "random", "swaps"]:
        relevance = np.tile(pages, (more_pages, 1)) if name == "swaps" else pages
        position = policy = np.tile(np.arange(1, 6), (len(relevance), 1))
        swap = rng.integers(2, 6, len(relevance))
        if name == "random" and shuffle:
            position = rng.permuted(policy, axis=1)
        if name == "swaps":
            heads = relevance[:, 0] < np.median(relevance[:, 0]) if coin_looks else rng.random(len(relevance)) < 0.5
            position = policy.copy()
            position[heads, 0], position[heads, swap[heads] - 1] = swap[heads], 1
        p = relevance * EXAMINATION[position - 1]
        click = (rng.random(p.shape) < p).ravel()
        if name == "swaps":
            table = examination_from_swaps(click, position.ravel(), np.repeat(swap, 5))
        else:
            table = examination_from_random_positions(click, position.ravel()).loc[2:]
        found[f"{name}, off"] = (table["examination"] / EXAMINATION[1:] - 1).mean()
        found[f"{name}, variance"] = (table["standard_error"] / table["examination"]).pow(2).mean()
        found[f"{name}, clicks lost"] = 1 - p.sum() / (relevance * EXAMINATION[policy - 1]).sum()
    return found


@claim(
    "Click rates by position, from the policy's own log, make lower positions look less seen than they are, by a third "
    "or more.",
    measured,
    holds=below(-1 / 3),
    twin={"ordered": False},
    percent=True,
    unit="of the looking at positions 2 to 5",
)
def own_log_mixes_liking_with_looking(found):
    return found["own log, off"]


@claim(
    "Random order finds how often each position is looked at, on average within a twentieth.",
    measured,
    holds=between(-0.05, 0.05),
    twin={"shuffle": False},
    percent=True,
    unit="of the looking at positions 2 to 5",
)
def random_order_finds_the_looking(found):
    return found["random, off"]


@claim(
    "Exchanging the first item with one other, by a fair coin, finds it within a twentieth, too.",
    measured,
    holds=between(-0.05, 0.05),
    twin={"coin_looks": True},
    percent=True,
    unit="of the looking at positions 2 to 5",
)
def swaps_find_the_looking(found):
    return found["swaps, off"]


@claim(
    "For the same precision, swaps cost more clicks than random order: a page loses less, but more pages are needed.",
    measured,
    holds=above(1),
    twin={"more_pages": 4},
    unit="times the clicks of random order",
)
def swaps_are_no_cheaper(found):
    costs = [found[f"{name}, clicks lost"] * found[f"{name}, variance"] for name in ("swaps", "random")]
    return costs[0] / costs[1]


def promise(cells, clicks, rows, wanted):
    """Fit a logistic regression on counts of equal rows, and return what it promises to each of the wanted rows."""
    encode = OneHotEncoder(handle_unknown="ignore").fit(cells)
    X = encode.transform(pd.concat([cells, cells]))
    weight = np.r_[clicks, rows - clicks]
    model = LogisticRegression(C=0.3, max_iter=500).fit(X, np.repeat([1, 0], len(cells)), weight)
    return model.predict_proba(encode.transform(wanted))[:, 1]


ORDERS = ("policy", "price", "random")
REMEDIES = ("divided by its own", "ignored", "a feature", "divided by")


@experiment(worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}, "more drift": {"drift": 0.2}})
def remedies(
    seed,
    *,
    base_ctr=0.03,
    drift=0.05,
    n_ads=500,
    only_random=False,
    price_follows_taste=False,
    looking_from_own_log=False,
):
    log = simulate_ad_log(150_000, seed=seed, base_ctr=base_ctr, drift=drift, n_users=5_000, n_ads=n_ads)
    rng = np.random.default_rng([seed, 2])
    relevance, request, train = log["relevance"].to_numpy(), log["request_id"].to_numpy(), log["day"].to_numpy() < 10
    price = rng.lognormal(0, 1, n_ads)[log["ad_id"]]
    by_price = np.empty(len(log), int)
    by_price[np.lexsort((-price, request))] = np.tile(np.arange(1, 6), len(log) // 5)
    shuffled = rng.permuted(np.tile(np.arange(1, 6), (len(log) // 5, 1)), axis=1).ravel()
    later, asked = relevance[~train], request[~train]
    columns, found = ["category", "device", "ad_id"], {}
    frame = log[columns].assign(click=rng.random(len(log)) < relevance, rows=1)  # had everybody looked at everything
    cells = frame[train].groupby(columns, observed=True)[["click", "rows"]].sum().reset_index()
    found["all seen, promised"] = promise(
        cells[columns], cells["click"], cells["rows"], frame.loc[~train, columns]
    ).sum()
    found["all seen, promised"] /= later.sum()
    for order, position in zip(ORDERS, [log["position"].to_numpy(), by_price, shuffled], strict=True):
        if only_random:
            position = shuffled
        elif price_follows_taste and order == "price":
            position = log["position"].to_numpy()
        frame = log[columns].assign(
            position=position, click=rng.random(len(log)) < relevance * EXAMINATION[position - 1], rows=1
        )
        cells = frame[train].groupby([*columns, "position"], observed=True)[["click", "rows"]].sum().reset_index()
        look = EXAMINATION[cells["position"] - 1]
        rate = frame[train].groupby("position")["click"].mean()
        own = (rate / rate[1])[cells["position"]].to_numpy()
        look = own if looking_from_own_log else look
        wanted = frame[~train].assign(position=1)
        for name, used, clicks in [
            ("ignored", columns, cells["click"]),
            ("a feature", [*columns, "position"], cells["click"]),
            ("divided by", columns, cells["click"] / look),
            ("divided by its own", columns, cells["click"] / own),
        ]:
            p = promise(cells[used], clicks, cells["rows"], wanted[used])
            first = np.lexsort((-p, asked))[np.diff(np.sort(asked), prepend=-1) > 0]
            found[f"{order}, {name}, promised"] = p.sum() / later.sum()
            found[f"{order}, {name}, liked"] = later[first].mean()
    return found


@claim(
    "Where the policy knew more than the model, position as a feature makes it promise a quarter more, or above that, "
    "than if everybody had looked at everything.",
    remedies,
    holds=above(0.25),
    twin={"only_random": True},
    percent=True,
    unit="more clicks promised on top",
)
def feature_soaks_up_the_policy(found):
    return found["policy, a feature, promised"] / found["all seen, promised"] - 1


@claim(
    "Where the advertiser's price alone chose the positions, position as a feature is right within a tenth.",
    remedies,
    holds=between(-0.1, 0.1),
    twin={"price_follows_taste": True},
    percent=True,
    unit="more clicks promised on top",
)
def feature_is_right_by_price(found):
    return found["price, a feature, promised"] / found["all seen, promised"] - 1


@claim(
    "Labels divided by the chance to be looked at are right within a tenth, whoever chose the positions.",
    remedies,
    holds=below(0.1),
    twin={"looking_from_own_log": True},
    percent=True,
    unit="of the clicks promised, at the worst of three orders",
)
def dividing_is_right_in_all(found):
    return max(abs(found[f"{order}, divided by, promised"] / found["all seen, promised"] - 1) for order in ORDERS)


@claim(
    "Divided by propensities from the policy's own log, labels are farther off than with position as a feature.",
    remedies,
    holds=above(0),
    twin={"only_random": True},
    percent=True,
    unit="of the clicks promised",
)
def the_own_log_is_worst(found):
    off = [abs(found[f"policy, {name}, promised"] / found["all seen, promised"] - 1) for name in REMEDIES]
    return off[0] - max(off[1:])


@claim(
    "Where chance chose the positions, ignoring them picks better items than dividing by the looking: few rows of each "
    "ad, and weights add noise.",
    remedies,
    holds=above(0),
    twin={"n_ads": 30},
    percent=True,
    unit="in the relevance of the first choice",
)
def dividing_adds_noise(found):
    return found["random, ignored, liked"] / found["random, divided by, liked"] - 1


@claim(
    "Where the policy knew more, ignoring the position picks better items than dividing by the looking.",
    remedies,
    holds=above(0),
    says="varies",
    twin={"drift": 0.0},
    percent=True,
    unit="in the relevance of the first choice",
)
def ignoring_keeps_what_the_policy_knew(found):
    return found["policy, ignored, liked"] / found["policy, divided by, liked"] - 1


@claim(
    "Where price chose the positions, ignoring them picks worse items than dividing by the looking.",
    remedies,
    holds=below(0),
    twin={"only_random": True},
    percent=True,
    unit="in the relevance of the first choice",
)
def ignoring_keeps_what_price_did(found):
    return found["price, ignored, liked"] / found["price, divided by, liked"] - 1


@experiment(worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}, "more exploration": {"exploration_rate": 0.2}})
def selection(seed, *, base_ctr=0.03, exploration_rate=0.1, drift=0.08, shuffled=False):
    sizes = {"n_users": 5_000, "n_ads": 300, "drift": drift}
    log = simulate_ad_log(120_000, seed=seed, base_ctr=base_ctr, exploration_rate=exploration_rate, **sizes)
    if shuffled:  # whether a page was random is a label without meaning
        flag = np.random.default_rng([seed, 3]).permutation(log["explored"].to_numpy()[::5])
        log["explored"] = np.repeat(flag, 5)
    columns = ["position", "category", "device", "ad_id"]
    past, explored, found = log["day"] < 10, log["explored"], {}
    for name, rows in [("chosen", past & ~explored), ("all", past), ("random", past & explored)]:
        cells = log[rows].assign(rows=1).groupby(columns, observed=True)[["click", "rows"]].sum().reset_index()
        for where, test in [("chosen", ~past & ~explored), ("random", ~past & explored)]:
            p = promise(cells[columns], cells["click"], cells["rows"], log.loc[test, columns])
            found[f"{name} on {where}"] = p.sum() / log.loc[test, "p_click"].sum()
    return found


@claim(
    "Trained on what a policy chose, a model promises two fifths too much or more for random items.",
    selection,
    holds=above(1.4),
    twin={"shuffled": True},
    unit="promised for each true click",
)
def chosen_rows_flatter_random_items(found):
    return found["chosen on random"]


@claim(
    "With the random pages added to the training, it promises too much by a quarter or more still.",
    selection,
    holds=above(1.25),
    twin={"shuffled": True},
    unit="promised for each true click",
)
def random_rows_are_outvoted(found):
    return found["all on random"]


@claim(
    "Trained on the random pages alone, it promises less than three quarters of the clicks on chosen items.",
    selection,
    holds=below(0.75),
    twin={"shuffled": True},
    unit="promised for each true click",
)
def random_rows_are_another_population(found):
    return found["random on chosen"]


@claim(
    "For random items it is right, on average within a tenth.",
    selection,
    holds=between(0.9, 1.1),
    twin={"drift": 1.0},
    unit="promised for each true click",
)
def random_rows_are_right_for_random_items(found):
    return found["random on random"]


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}})
def dropped(seed, *, rare=0.03, common=0.3, drift=0.05):
    """Return what a model promises whose clicked rows are not taken back from the negatives, against one with them."""
    found = {}
    for name, base_ctr in [("rare", rare), ("common", common)]:
        log = simulate_ad_log(60_000, seed=seed, base_ctr=base_ctr, drift=drift, n_users=3_000, n_ads=200)
        columns, train = ["category", "device", "ad_id"], log["day"] < 10
        cells = log[train].assign(rows=1).groupby([*columns, "position"], observed=True)[["click", "rows"]].sum()
        cells = cells.reset_index()
        clicks = cells["click"] / EXAMINATION[cells["position"] - 1]
        whole, part = (
            promise(cells[columns], clicks, rows, log.loc[~train, columns])
            for rows in (cells["rows"], cells["rows"] + clicks - cells["click"])
        )
        found[name] = part.sum() / whole.sum() - 1
    return found


@claim(
    "Without the negative weights a model promises too little, by less than a twentieth where three in a hundred are "
    "clicked.",
    dropped,
    holds=between(-0.05, 0),
    twin={"rare": 0.3},
    percent=True,
    unit="of the clicks promised",
)
def dropping_costs_little_where_clicks_are_rare(found):
    return found["rare"]


@claim(
    "Where thirty in a hundred are clicked, it promises a tenth too little or worse.",
    dropped,
    holds=below(-0.1),
    twin={"common": 0.03},
    percent=True,
    unit="of the clicks promised",
)
def dropping_costs_much_where_clicks_are_common(found):
    return found["common"]


@claim(
    "In a product that does not change, the click rate of those who are still there grows by a fifth or more in "
    "twelve weeks, if those who click less leave sooner.",
    holds=above(0.2),
    twin={"steep": 0.0},
    seeds=20,
    worlds={"default": {}, "users more alike": {"alike": 2.0}, "leaving sooner": {"leave": 0.45}},
    percent=True,
    unit="more clicks for each user still there",
)
def survivors_click_more(seed, *, alike=1.0, leave=0.3, steep=30.0):
    rng = np.random.default_rng([seed, 4])
    rate = rng.beta(2 * alike, 38 * alike, 20_000)
    here = np.ones(len(rate), bool)
    for _ in range(11):
        here &= rng.random(len(rate)) > leave * np.exp(-steep * rate)
    return rate[here].mean() / rate.mean() - 1


TASTE, STEEP, PAGES = (0.0, 0.5, 1.0), (0.0, 0.5, 1.0, 2.0), (500, 2_000, 8_000, 32_000)


@experiment(seeds=20)
def curves(seed, *, knows=False, more=1):
    """Return the examination by the log of a policy, by what it knows of the taste, and by pages in random order.

    Twins: a policy that ``knows`` all of the taste where it should know nothing, and so many times ``more`` pages.
    """
    rng = np.random.default_rng([seed, 4])
    relevance = simulate_ad_log(400_000, seed=seed)["relevance"].to_numpy().reshape(-1, 5)
    taste = logit(relevance)
    noise, order = rng.normal(0, taste.std(), taste.shape), np.arange(1, 6)

    def tell(name, pages, look):
        click = rng.random(pages.shape) < pages * look
        told = examination_from_random_positions(click.ravel(), np.tile(order, len(pages)))["examination"]
        return {f"{name} {position}": round(float(told[position]), 4) for position in order}

    found = {}
    shuffled = rng.permuted(relevance, axis=1)
    for known in TASTE:
        share = max(known, float(knows))
        best_first = np.argsort(-(share * taste + (1 - share) * noise), axis=1, kind="stable")
        ordered = np.take_along_axis(relevance, best_first, axis=1)
        for steep in STEEP:
            found |= tell(f"own {known:g} {steep:g}", ordered, EXAMINATION**steep)
    for steep in STEEP:
        for pages in PAGES:
            found |= tell(f"random {steep:g} {pages}", shuffled[: more * pages], EXAMINATION**steep)
    return found


@claim(
    "The log of a policy that knows nothing of the taste tells how often position 5 is looked at, within a tenth.",
    curves,
    holds=between(-0.1, 0.1),
    twin={"knows": True},
    percent=True,
    unit="of the looking at position 5",
)
def a_policy_that_knows_nothing_logs_the_looking(found):
    return found["own 0 1 5"] / EXAMINATION[4] - 1


@claim(
    "From 500 pages in random order, what clicks say of position 5 is off by a tenth of it or more, on average.",
    curves,
    holds=above(0.1),
    twin={"more": 100},
    percent=True,
    unit="of the looking at position 5",
)
def few_random_pages_tell_little(found):
    return abs(found["random 1 500 5"] / EXAMINATION[4] - 1)
