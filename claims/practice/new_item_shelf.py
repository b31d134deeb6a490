"""Claims of docs/practice/new-item-shelf.md."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln
from scipy.stats import beta, betabinom, norm

from claims.claim import above, below, between, claim, experiment
from snippets.evaluation.ab_test import always_valid_interval

N, HOURS, BLOCKS, KEEP = 1_000, 50, 100, 50  # items of a cohort, hours, blocks of views an hour, items kept at the end
GREEDY = {"a tenth by chance": 0.1, "three tenths by chance": 0.3, "half by chance": 0.5}
RIVALS = {"chance": 1.0, **GREEDY, "Thompson": "Thompson", "halving": "halving"}  # or the share of blocks by chance
WORLDS = {
    "default": {},
    "half the views": {"block": 10},
    "twice the views": {"block": 40},
    "rarer clicks": {"mean": 0.02},
    "clicks known five hours late": {"late": 5},
}
LOOK = 20  # views of an item between two decisions about it
EACH = (0, 20, 40, 60, 80, 100, 150, 200, 300)  # fixed numbers of views that are tried


def _world(rng, mean, spread, noise):
    """Return the true rate of each item, and what its content promises, correlated with it at about 0.55."""
    true = rng.beta(mean * spread, (1 - mean) * spread, N)
    log = np.log(true)
    return true, np.exp(0.4 * log + noise * log.std() * rng.normal(0, 1, N))


@cache
def _fitted(seed, content, mean, spread, noise, views=100):
    """Return the likeliest prior for an earlier cohort that was shown evenly: log level, slope in content, strength."""
    rng = np.random.default_rng([seed, 5])
    true, promise = _world(rng, mean, spread, noise)
    clicks, x = rng.binomial(views, true), np.log(promise) if content else np.zeros(N)

    def loss(w):
        rate, strength = np.exp(w[0] + w[1] * (x - x.mean())).clip(1e-4, 0.9), np.exp(w[2])
        a, b = rate * strength, (1 - rate) * strength
        return -(betaln(a + clicks, b + views - clicks) - betaln(a, b)).mean()

    level, slope, strength = minimize(loss, [np.log(mean), 1, 4], method="Nelder-Mead", options={"maxiter": 150}).x
    return level - slope * x.mean(), slope, np.exp(strength)


def shelf(policy, seed, *, block, mean, spread, noise=0.6, content=True, times=1, late=0, limit=1, keep=KEEP, stage=10):
    """Return the click rate of the shelf, and the share of the best items that is kept.

    A policy has a hundred blocks of views in an hour and learns at its end. But for a higher limit, an item gets one
    block at most. The prior is fitted to an earlier cohort, and counts for so many times the views that fit best.
    """
    level, slope, strength = _fitted(seed, content, mean, spread, noise)
    rng = np.random.default_rng([seed, 4])
    true, promise = _world(rng, mean, spread, noise)
    strength *= times
    prior = strength * np.exp(level + slope * np.log(promise) * content).clip(1e-4, 0.9)
    clicks, views, left = np.zeros(N), np.zeros(N), np.arange(N)
    known = [(clicks.copy(), views.copy())] * (late + 1)
    for hour in range(HOURS):
        a, b = prior + known[0][0], strength - prior + known[0][1] - known[0][0]
        order = np.argsort(-a / (a + b), kind="stable")
        if policy == "Thompson":
            items = np.argsort(-rng.beta(a, b))[:BLOCKS]
        elif policy == "Thompson, block by block":
            items, shown = np.empty(BLOCKS, int), np.zeros(N, int)
            for i, draw in enumerate(rng.beta(a, b, (BLOCKS, N))):
                items[i] = np.where(shown < limit, draw, -1).argmax()
                shown[items[i]] += 1
        elif policy == "halving":
            if hour and hour % stage == 0 and hour <= 4 * stage:  # four times, the better half stays
                left = order[np.isin(order, left)][: max(len(left) // 2, BLOCKS)]
            items = left[np.argsort(views[left] + rng.random(len(left)))[:BLOCKS]]
        else:
            n_random = round(policy * BLOCKS)
            best, rest = np.split(order, [BLOCKS - n_random])
            items = np.append(best, rng.permutation(rest)[:n_random])
        drawn = rng.binomial(block, true[items])
        np.add.at(views, items, block)
        np.add.at(clicks, items, drawn)
        known = [*known[1:], (clicks.copy(), views.copy())]
    best = np.argsort(-true)[:keep]
    kept = np.argsort(-(prior + clicks) / (strength + views), kind="stable")[:keep]
    return clicks.sum() / views.sum(), np.isin(kept, best).mean()


@experiment(seeds=20, worlds=WORLDS)
def policies(seed, *, block=20, mean=0.04, spread=50, noise=0.6, times=4, late=0, stage=10):
    world = {"block": block, "mean": mean, "spread": spread, "noise": noise, "late": late}
    found = {}
    for name, policy in RIVALS.items():
        rate, best = shelf(policy, seed, stage=stage, **world)
        found |= {f"{name}, click rate": rate, f"{name}, best found": best}
    rate, best = shelf("Thompson", seed, content=False, **world)
    found |= {"without content, click rate": rate, "without content, best found": best}
    found["sure of content, best found"] = shelf("Thompson", seed, times=times, **world)[1]
    return found


@claim(
    "With one block an hour at most for each item, Thompson sampling finds more of the best items than greedy choice "
    "with a tenth, three tenths or half by chance.",
    policies,
    holds=above(0),
    twin={"block": 2},
    percent=True,
    unit="of the best fifty",
)
def thompson_finds_more_than_greedy(found):
    return found["Thompson, best found"] - max(found[f"{name}, best found"] for name in GREEDY)


@claim(
    "With one block an hour at most for each item, Thompson sampling finds more of the best items than chance.",
    policies,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the best fifty",
)
def thompson_finds_more_than_chance(found):
    return found["Thompson, best found"] - found["chance, best found"]


@claim(
    "Halving finds no fewer of the best fifty than Thompson sampling, give or take three.",
    policies,
    holds=above(-0.06),
    twin={"stage": 1},
    percent=True,
    unit="of the best fifty",
)
def halving_finds_as_many(found):
    return found["halving, best found"] - found["Thompson, best found"]


@claim(
    "Thompson sampling earns more clicks on the shelf than halving.",
    policies,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the views",
)
def thompson_earns_more(found):
    return found["Thompson, click rate"] - found["halving, click rate"]


@claim(
    "Whether Thompson sampling finds more with a prior fitted on content than with one fitted without it differs from "
    "cohort to cohort.",
    policies,
    holds=above(0),
    twin={"block": 2},
    says="varies",
    percent=True,
    unit="of the best fifty",
)
def content_finds_more(found):
    return found["Thompson, best found"] - found["without content, best found"]


@claim(
    "With content in the prior, Thompson sampling earns more clicks on the shelf than without.",
    policies,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the views",
)
def content_earns_more(found):
    return found["Thompson, click rate"] - found["without content, click rate"]


@claim(
    "A content prior that counts for four times as many views as fits finds fewer.",
    policies,
    holds=below(0),
    twin={"times": 1.1},
    percent=True,
    unit="of the best fifty",
)
def sure_prior_finds_fewer(found):
    return found["sure of content, best found"] - found["Thompson, best found"]


@experiment(seeds=20, worlds={"default": {}, "half the views": {"block": 10}, "rarer clicks": {"mean": 0.02}})
def limits(seed, *, block=20, mean=0.04, spread=50):
    """Return what Thompson sampling finds and earns, by how many of the hundred blocks of an hour an item may get."""
    world = {"block": block, "mean": mean, "spread": spread}
    found = {}
    for limit in (1, 20, BLOCKS):
        rate, best = shelf("Thompson, block by block", seed, limit=limit, **world)
        found |= {f"limit {limit}, click rate": rate, f"limit {limit}, best found": best}
    return found


@claim(
    "Without that limit, Thompson sampling finds fewer of the best fifty.",
    limits,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the best fifty",
)
def limit_finds_more(found):
    return found["limit 1, best found"] - found[f"limit {BLOCKS}, best found"]


@claim(
    "With a limit of a fifth of the views of an hour, it finds fewer of the best fifty than with a hundredth.",
    limits,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the best fifty",
)
def lower_limit_finds_more(found):
    return found["limit 1, best found"] - found["limit 20, best found"]


@claim(
    "Without that limit, Thompson sampling earns more clicks on the shelf.",
    limits,
    holds=above(1),
    twin={"spread": 1e6},
    unit="times the clicks",
)
def no_limit_earns_more(found):
    return found[f"limit {BLOCKS}, click rate"] / found["limit 1, click rate"]


@experiment(seeds=20, worlds={"default": {}, "a lower bar": {"bar": 0.03}, "more views": {"looks": 200}})
def leaving(seed, *, bar=0.06, looks=46, each=1):
    """Return the shares of items, all as good as the bar, whose interval is clear of it at some look."""
    rng = np.random.default_rng([seed, 9])
    views = 100 + 20 * np.arange(looks)  # a look at 100 views, and after each 20 more
    new = np.diff(views, prepend=0) // each  # a user views, and clicks, so many times
    clicks = each * rng.binomial(new, bar, (2_000, looks)).cumsum(axis=1)
    error = np.sqrt(bar * (1 - bar) / views)
    half = np.array([always_valid_interval(0.0, e, effect_scale=bar / 2)[1] for e in error])
    off = np.abs(clicks / views - bar)
    fixed = off > norm.isf(0.025) * error
    return {
        "at any look": fixed.any(axis=1).mean(),
        "at the last look": fixed[:, -1].mean(),
        "always valid": (off > half).any(axis=1).mean(),
    }


@claim(
    "Looked at every twenty views, more than a fifth of the items that are just as good as the bar leave wrongly.",
    leaving,
    holds=above(0.2),
    twin={"looks": 1},
    percent=True,
    unit="of the items",
)
def looking_sends_items_away(found):
    return found["at any look"]


@claim(
    "With intervals made for looking at any time, at most one in twenty does, if each view is of another user.",
    leaving,
    holds=below(0.05),
    twin={"each": 4},
    percent=True,
    unit="of the items",
)
def always_valid_keeps_them(found):
    return found["always valid"]


def _worth(a, b, life, bar):
    """Return for each look, by the clicks before it, whether it is worth more than it costs: by backward induction.

    An item is shown, look by look, until it is dropped or has had all the views of its life. A view earns its click and
    costs what the slot earns otherwise. The prior is Beta(a, b).
    """
    drawn, worth, stays = np.arange(LOOK + 1), np.zeros(life + 1), []
    for views in range(life - LOOK, -1, -LOOK):
        clicks = np.arange(views + 1)
        good, bad = a + clicks, b + views - clicks
        chances = betabinom.pmf(drawn, LOOK, good[:, None], bad[:, None])
        worth = LOOK * (good / (good + bad) - bar) + (chances * worth[clicks[:, None] + drawn]).sum(axis=1)
        stays.insert(0, worth > 0)
        worth = np.maximum(worth, 0)
    return stays


def _stay(seed, *, life=1_000, mean=0.04, spread=50, better=1.0, late=0.9):
    """Return what an item earns against the bar, by the rule that drops it, and what is promised of graduates.

    An item graduates where its estimate reaches the bar. All rules start from one prior, fitted to an earlier cohort,
    whose items may have been better. A share of the clicks of a look is not known before the next.
    """
    level, _, strength = _fitted(seed, False, mean * better, spread, 0.6)
    a, b = strength * np.exp(level), strength * (1 - np.exp(level))
    bar, rng = 1.5 * mean, np.random.default_rng([seed, 6])
    true, _ = _world(rng, mean, spread, 0.6)
    drawn = rng.binomial(LOOK, true, (life // LOOK, N))
    known = rng.binomial(drawn, 1 - late)
    worth = _worth(a, b, life, bar)
    rules = {  # by the number of looks so far, all clicks, those but of the last look, and those that are known yet
        "by worth": lambda i, clicks, before, early: worth[i][clicks],
        "by worth, a look late": lambda i, clicks, before, early: worth[max(i - 1, 0)][before],
        "by worth, clicks missing": lambda i, clicks, before, early: worth[i][early],
        "by odds": lambda i, clicks, before, early: beta.sf(bar, a + clicks, b + LOOK * i - clicks) >= 0.1,
        "by interval": lambda i, clicks, before, early: (
            clicks / LOOK >= i * bar - 1.96 * (i * bar * (1 - bar) / LOOK) ** 0.5
        ),
    }
    for views in EACH:
        rules[f"{views} views each"] = lambda i, clicks, before, early, views=views: (
            (LOOK * i < views) | (a + clicks >= bar * (a + b + LOOK * i))
        )
    found = {}
    for name, rule in rules.items():
        stays, clicks, before, early = np.ones(N, bool), np.zeros(N, int), np.zeros(N, int), np.zeros(N, int)
        promises, found[name] = [], 0.0
        graduates = a + clicks >= bar * (a + b)
        for i, look in enumerate(drawn):
            stays = stays & rule(i, clicks, before, early)
            found[name] += LOOK * (true - bar)[stays].sum() / N
            before, early, clicks = clicks, clicks + known[i] * stays, clicks + look * stays
            views = LOOK * (i + 1)
            new = stays & ~graduates & (a + clicks >= bar * (a + b + views))
            promises.append(np.stack([clicks / views, (a + clicks) / (a + b + views), true])[:, new])
            graduates = graduates | new
        if name == "by worth":
            promised = np.concatenate(promises, axis=1)
            raw, shrunk, kept = promised.mean(axis=1) if promised.size else (1.0, 1.0, 1.0)
            found |= {"raw promise": raw / kept, "shrunk promise": shrunk / kept}
    return found


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "twice the views in a life": {"life": 2_000},
        "rarer clicks": {"mean": 0.02},
        "rates further apart": {"spread": 20},
    },
)
def staying(seed, *, life=1_000, mean=0.04, spread=50, better=1.0, late=0.9):
    return _stay(seed, life=life, mean=mean, spread=spread, better=better, late=late)


@experiment(seeds=20, worlds={"a quarter better": {"better": 1.25}, "a quarter worse": {"better": 0.75}})
def another_prior(seed, *, better=1.0, spread=50):
    return _stay(seed, better=better, spread=spread)


@claim(
    "Dropping an item when another look is worth less than it costs earns more than the best fixed number of views.",
    staying,
    holds=above(0),
    twin={"spread": 1e4},
    unit="clicks an item",
)
def worth_earns_more(found):
    return found["by worth"] - max(found[f"{views} views each"] for views in EACH)


@claim(
    "It still does with a prior that was fitted to items a quarter better, or a quarter worse.",
    another_prior,
    holds=above(0),
    twin={"spread": 1e4},
    unit="clicks an item",
)
def worth_bears_another_prior(found):
    return found["by worth"] - max(found[f"{views} views each"] for views in EACH)


@claim(
    "Dropping an item whose chance to be better than the bar, by prior and counts, is below one in ten earns at least "
    "four fifths as much as dropping it by what another look is worth.",
    staying,
    holds=above(0),
    twin={"life": 300},
    unit="clicks an item, over four fifths",
)
def odds_earn_nearly_as_much(found):
    return found["by odds"] - 0.8 * found["by worth"]


@claim(
    "Dropping an item once the interval of its own rate is below the bar earns less than sixty views for each.",
    staying,
    holds=below(0),
    twin={"life": 60},
    unit="clicks an item",
)
def intervals_keep_poor_items(found):
    return found["by interval"] - found["60 views each"]


@claim(
    "Of items that have just graduated, the raw rates promise at least a quarter more than the items have.",
    staying,
    holds=above(1.25),
    twin={"spread": 1e4},
    unit="times the true rates",
)
def raw_rates_promise_too_much(found):
    return found["raw promise"]


@claim(
    "Rates shrunk to a prior fitted to like items promise what those that have just graduated have, within a tenth.",
    staying,
    holds=between(0.9, 1.1),
    twin={"better": 1.4},
    unit="times the true rates",
)
def shrunk_rates_keep_their_promise(found):
    return found["shrunk promise"]


@claim(
    "Knowing the clicks of each look one look late costs less than a quarter of what the shelf is worth.",
    staying,
    holds=below(0.25),
    twin={"spread": 75},
    percent=True,
    unit="of its worth",
)
def a_look_late_costs_little(found):
    return 1 - found["by worth, a look late"] / found["by worth"]


@experiment(
    seeds=20,
    worlds={"nine in ten late": {"late": 0.9}, "half late": {"late": 0.5}, "one in five late": {"late": 0.2}},
)
def late_clicks(seed, *, late=0.9):
    return _stay(seed, late=late)


@claim(
    "Whether it pays to wait a look for the clicks depends on how many are late: it does if nine in ten are, not if "
    "one in five is.",
    late_clicks,
    holds=above(0),
    twin={"late": 0.95},
    says="varies",
    unit="clicks an item",
)
def waiting_for_clicks_pays(found):
    return found["by worth, a look late"] - found["by worth, clicks missing"]
