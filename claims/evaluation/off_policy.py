"""Claims of docs/evaluation/off-policy.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, between, claim, experiment
from snippets.evaluation.off_policy import doubly_robust, ips, snips


def estimates(rng, n, *, mean=0.05, apart=0.0, likes=-0.3, wants=0.8, clip=10.0, n_logs=100, knows=False):
    """Return the truth, and each estimate of it from logs of n rows of a policy whose likings are another's.

    Of two kinds of user, one clicks more readily than the other: the more so, the further they are ``apart``. The
    reward model has the true rates: of each kind of user if it ``knows``, else their average.
    """
    rates = rng.beta(2, 2 / mean - 2, (2, 10)) if mean < 0.5 else rng.beta(8, 8, (2, 10))
    rates = (1 - apart) * rates + apart * np.array([[0.0], [1.0]])
    taste = np.argsort(np.argsort(rates, axis=1), axis=1)
    target, logging = (np.exp(k * taste) / np.exp(k * taste).sum(axis=1, keepdims=True) for k in (wants, likes))
    model = rates if knows else np.tile(rates.mean(axis=0), (2, 1))
    found = []
    for _ in range(n_logs):
        user = rng.integers(0, 2, n)
        item = np.minimum((rng.random(n)[:, None] > logging.cumsum(axis=1)[user]).sum(axis=1), 9)
        click = rng.random(n) < rates[user, item]
        logged = click, logging[user, item], target[user, item]
        value = ips(*logged)
        predicted = model[user, item], (target * model).sum(axis=1)[user]
        found.append(
            [
                value.estimate,
                value.standard_error,
                ips(*logged, clip=clip).estimate,
                snips(*logged).estimate,
                doubly_robust(*logged, *predicted).estimate,
            ]
        )
    names = ("IPS", "error of IPS", "clipped", "SNIPS", "doubly robust")
    return (target * rates).sum(axis=1).mean(), dict(zip(names, np.transpose(found), strict=True))


@claim(
    "Where few of the shown items are clicked and the logger avoids what the target likes, the 95 % interval of IPS "
    "from 500 rows holds the truth at least five points less often than from 20,000.",
    holds=above(0.05),
    twin={"mean": 0.5},
    worlds={"default": {}, "rarer clicks": {"mean": 0.025}, "a logger further off": {"likes": -0.5}},
    percent=True,
    unit="of the logs",
)
def small_logs_look_too_certain(seed, *, likes=-0.3, mean=0.05):
    covered = []
    for n in (500, 20_000):
        truth, found = estimates(np.random.default_rng(seed), n, mean=mean, likes=likes)  # one world, logs of two sizes
        covered.append((np.abs(found["IPS"] - truth) < 1.96 * found["error of IPS"]).mean())
    return covered[1] - covered[0]


@experiment(
    worlds={"default": {}, "500 rows": {"n": 500}, "20,000 rows": {"n": 20_000}, "rarer clicks": {"mean": 0.005}}
)
def five_ways(seed, *, n=5_000, mean=0.05):
    truth, found = estimates(np.random.default_rng([seed, 7]), n, mean=mean)
    return {k: np.sqrt(np.mean((v - truth) ** 2)) for k, v in found.items() if k != "error of IPS"}


@claim(
    "Clipping the weights at 10 makes the estimate of IPS worse.",
    five_ways,
    holds=above(0),
    twin={"n": 10_000},
    says="varies",
    percent=True,
    unit="root mean squared error, over that of IPS",
)
def clipping_hurts(found):
    return found["clipped"] / found["IPS"] - 1


@claim(
    "Where few of the shown items are clicked, SNIPS and doubly robust with a rough model err about as much as IPS.",
    five_ways,
    holds=between(-0.1, 0.1),
    twin={"mean": 0.5},
    percent=True,
    unit="root mean squared error, over that of IPS: of the two the one that is further off",
)
def rare_rewards_need_no_model(found):
    return max((found[k] / found["IPS"] - 1 for k in ("SNIPS", "doubly robust")), key=abs)


COMMON = {"default": {}, "500 rows": {"n": 500}, "a milder logger": {"likes": -0.1}}


@experiment(worlds=COMMON)
def common(seed, *, n=5_000, likes=-0.3, mean=0.5, apart=0.0, knows=False):
    truth, found = estimates(np.random.default_rng([seed, 8]), n, mean=mean, apart=apart, likes=likes, knows=knows)
    return {k: np.sqrt(np.mean((v - truth) ** 2)) for k, v in found.items() if k != "error of IPS"}


@claim(
    "Where about half of the shown items are clicked, SNIPS, which needs no reward model, errs by at least a fifth "
    "less than IPS.",
    common,
    holds=below(-0.2),
    twin={"mean": 0.05},
    percent=True,
    unit="root mean squared error, over that of IPS",
)
def common_rewards_want_snips(found):
    return found["SNIPS"] / found["IPS"] - 1


@claim(
    "Where about half of the shown items are clicked, doubly robust with a rough model errs about as much as SNIPS.",
    common,
    holds=between(-0.1, 0.1),
    twin={"apart": 0.8, "knows": True},
    percent=True,
    unit="root mean squared error, over that of SNIPS",
)
def a_rough_model_adds_nothing(found):
    return found["doubly robust"] / found["SNIPS"] - 1


@claim(
    "Where two kinds of user differ a lot in how readily they click, and the reward model knows both, doubly robust "
    "errs by at least a fifth less than SNIPS.",
    holds=below(-0.2),
    twin={"apart": 0.0},
    worlds=COMMON,
    percent=True,
    unit="root mean squared error, over that of SNIPS",
)
def a_model_that_knows_pays(seed, *, n=5_000, likes=-0.3, apart=0.8):
    found = common(seed, n=n, likes=likes, apart=apart, knows=True)
    return found["doubly robust"] / found["SNIPS"] - 1


@claim(
    "Where the item that the target loves is rarely shown, logs with a low mean weight tend to have a low "
    "estimate of IPS.",
    holds=above(0.1),
    twin={"loved": 0.0},
    seeds=20,
    worlds={"default": {}, "fewer rows": {"n": 10_000}, "shown more often": {"shown": 0.05}},
    unit="correlation over logs",
)
def weight_and_estimate_fall_together(seed, *, n=100_000, shown=0.01, loved=0.1):
    rng = np.random.default_rng([seed, 9])
    rates, target = np.array([loved, 0.04, 0.05, 0.03]), np.array([0.7, 0.1, 0.1, 0.1])
    logging = np.array([shown, *np.full(3, (1 - shown) / 3)])
    count = rng.multinomial(n, logging, 200)
    weight = target / logging
    return np.corrcoef(count @ weight, rng.binomial(count, rates) @ weight)[0, 1]


LIMITS, ROWS = (
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 31.0),
    (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000),
)


@experiment(seeds=20)
def clipped(seed, *, mean=0.05, likes=-0.3, wants=0.8):
    """Return bias, noise and error of IPS by the limit of the weights and by rows, over the truth.

    The world is that of ``estimates``: so small that all three are sums over its users and items. No weight there
    reaches the largest limit.
    """
    rates = np.random.default_rng([seed, 10]).beta(2, 2 / mean - 2, (2, 10))
    taste = np.argsort(np.argsort(rates, axis=1), axis=1)
    target, logging = (np.exp(k * taste) / np.exp(k * taste).sum(axis=1, keepdims=True) for k in (wants, likes))
    truth, found = (target * rates).sum() / 2, {}
    for limit in LIMITS:
        weight = np.minimum(target / logging, limit)
        first, second = ((logging * rates * weight**k).sum() / 2 for k in (1, 2))
        bias = first / truth - 1
        found[f"bias {limit:g}"] = round(abs(bias), 5)
        for n in ROWS:
            noise = np.sqrt((second - first**2) / n) / truth
            found[f"noise {n} {limit:g}"] = round(noise, 5)
            found[f"error {n} {limit:g}"] = round(np.hypot(bias, noise), 5)
    return found


@claim(
    "A limit of 10 makes the error of IPS smaller where 500 rows were logged, and larger where 20,000 were.",
    clipped,
    holds=above(0),
    twin={"likes": 0.8},
    percent=True,
    unit="of the truth, the lesser of both differences",
)
def few_rows_want_a_limit(found):
    return min(
        found["error 500 31"] - found["error 500 10"],
        found["error 20000 10"] - found["error 20000 31"],
    )
