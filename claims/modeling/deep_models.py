"""Claims of docs/modeling/deep-models.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, between, claim, experiment
from claims.modeling.choosing import STEPS, fields, once, one_hot
from claims.protocol import all_fields, compare, dense, settings
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.cross_network import CrossNetworkClassifier


def network(n_cross, n_hidden, seed):
    """Return the settings that a network tries."""
    return [
        CrossNetworkClassifier(4, n_cross, n_hidden, learning_rate=r, n_epochs=n, random_state=seed) for r, n in STEPS
    ]


@experiment(
    seeds=20, worlds={"default": {}, "more drift": {"drift": 0.25}, "five times the rows a user": {"n_users": 200}}
)
def sizes(seed, *, drift=0.08, n_users=1_000, only_a_cross=False, no_rates_for_trees=False):
    """Return the entropy of each model, no crosses by hand, trained on a fourth of the requests and on all of them.

    Twins: ``only_a_cross`` decides clicks, which a sum cannot say; or the mistake of ``no_rates_for_trees``, which then
    know neither ad nor user, as the others do.
    """
    columns = slice(-2 if no_rates_for_trees else None)
    log = simulate_ad_log(56_000, n_users=n_users, n_ads=100, drift=drift, position_bias=False, seed=seed)
    if only_a_cross:  # what no sum of weights can say, and each of the others can
        even = (log["category"].cat.codes + log["age_group"].cat.codes) % 2
        log["click"] = (np.random.default_rng(seed).random(len(log)) < np.where(even, 0.06, 0.005)).astype(int)
        log["click_delay"] = np.where(log["click"], 30.0, np.nan)
    found, tries = {}, settings(seed)
    for share in (1, 4):
        some = log[(log["request_id"] % 4 < share) | (log["day"] >= 10)].reset_index(drop=True)
        codes = once(fields(some, crossed=False))
        rates = once(lambda known, some=some: dense(some, known)[:, columns])
        sparse = once(one_hot(codes))
        candidates = {
            "linear": (sparse, tries["linear"]),
            "boosted trees": (rates, tries["trees"]),
            "wide & deep": (codes, network(0, 32, seed)),
        }
        if share == 4:
            candidates["wide & deep, no rates"] = (
                lambda known, codes=codes: codes(known)[:, :-2],
                network(0, 32, seed),
            )
        table = compare(some, candidates).table["test"]
        found |= {f"{name}, {'all rows' if share == 4 else 'a fourth'}": loss for name, loss in table.items()}
    return found


@claim(
    "Trees on rates are within 0.01 of a linear model on the same rates and the identities.",
    sizes,
    holds=between(-0.01, 0.01),
    twin={"only_a_cross": True},
    unit="of the entropy",
)
def trees_are_level_with_linear(found):
    """Say by how much the trees are worse, on all rows."""
    return found["boosted trees, all rows"] - found["linear, all rows"]


@claim(
    "Wide & deep, on the same rates and the identities, is within 0.01 of trees on rates.",
    sizes,
    holds=between(-0.01, 0.01),
    twin={"no_rates_for_trees": True},
    unit="of the entropy",
)
def wide_and_deep_is_level_with_trees(found):
    """Say by how much the network is worse, on all rows."""
    return found["wide & deep, all rows"] - found["boosted trees, all rows"]


@claim(
    "Whether wide & deep on identities alone falls behind trees on rates depends on how many rows a user has.",
    sizes,
    holds=above(0),
    says="varies",
    twin={"no_rates_for_trees": True},
    unit="of the entropy",
)
def identities_alone_against_trees(found):
    """Say by how much the network without rates is worse, on all rows."""
    return found["wide & deep, no rates, all rows"] - found["boosted trees, all rows"]


@claim(
    "Four times the rows bring more than the choice among linear model, trees and wide & deep.",
    sizes,
    holds=above(0),
    twin={"only_a_cross": True},
    unit="of the entropy",
)
def rows_before_models(found):
    """Say by how much the mean gain from the rows exceeds what lies between the best and the worst model."""
    few, all_rows = (
        np.array([found[f"{name}, {rows}"] for name in ("linear", "boosted trees", "wide & deep")])
        for rows in ("a fourth", "all rows")
    )
    return (few - all_rows).mean() - np.ptp(all_rows)


@experiment(
    worlds={"default": {}, "more drift": {"drift": 0.25}, "ten times the rows a user": {"n_users": 200, "n_ads": 100}}
)
def passes(seed, *, drift=0.08, n_users=2_000, n_ads=200, identities_left_in=False):
    """Return the entropy on later days after one pass over the rows, and after four, and after four small steps."""
    log = simulate_ad_log(30_000, n_users=n_users, n_ads=n_ads, drift=drift, position_bias=False, seed=seed)
    y, past = log["click"].to_numpy(), (log["day"] < 10).to_numpy()
    ids = all_fields(log)
    small = ids[:, :4]
    if identities_left_in:
        small = ids
    found = {}
    for name, X, n_cross, n_hidden, rate, n_epochs in [
        ("wide & deep, one pass", ids, 0, 32, 0.05, 1),
        ("wide & deep, four passes", ids, 0, 32, 0.05, 4),
        ("wide & deep, four passes at a fifth of the rate", ids, 0, 32, 0.01, 4),
        ("cross network, one pass", ids, 2, 0, 0.05, 1),
        ("cross network, four passes", ids, 2, 0, 0.05, 4),
        ("cross network without identities, one pass", small, 2, 0, 0.05, 1),
        ("cross network without identities, four passes", small, 2, 0, 0.05, 4),
    ]:
        model = CrossNetworkClassifier(8, n_cross, n_hidden, learning_rate=rate, n_epochs=n_epochs, random_state=seed)
        p = model.fit(X[past], y[past]).predict_proba(X[~past])[:, 1]
        found[name] = normalized_entropy(y[~past], p)
    return found


@claim(
    "With identities, a cross network that takes four passes is worse on later days than after one.",
    passes,
    holds=above(0),
    twin={"n_users": 20, "n_ads": 20},
    unit="of the entropy",
)
def four_passes_harm(found):
    """Say by how much four passes are worse."""
    return found["cross network, four passes"] - found["cross network, one pass"]


@claim(
    "Without identities, the same four passes do less than a fifth of that harm.",
    passes,
    holds=below(0),
    twin={"identities_left_in": True},
    unit="of the entropy, beyond a fifth of the harm",
)
def it_is_the_identities(found):
    """Say by how much the harm without identities exceeds a fifth of the harm with them."""
    without, within = (
        found[f"cross network{name}, four passes"] - found[f"cross network{name}, one pass"]
        for name in (" without identities", "")
    )
    return without - within / 5


@claim(
    "At a fifth of the rate, the same four passes end better than at the full rate.",
    passes,
    holds=below(0),
    twin={"n_users": 20, "n_ads": 20},
    unit="of the entropy",
)
def small_steps_do_not_break_down(found):
    """Say what a smaller rate changes."""
    return found["wide & deep, four passes at a fifth of the rate"] - found["wide & deep, four passes"]
