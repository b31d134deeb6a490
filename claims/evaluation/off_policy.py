"""Claims of docs/evaluation/off-policy.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, between, claim, experiment
from snippets.evaluation.off_policy import doubly_robust, ips, snips


def estimates(rng, n, *, mean=0.05, likes=-0.3, wants=0.8, clip=10.0, n_logs=100):
    """Return the truth, and each estimate of it from logs of n rows of a policy whose likings are another's."""
    rates = rng.beta(2, 2 / mean - 2, (2, 10)) if mean < 0.5 else rng.beta(8, 8, (2, 10))
    taste = np.argsort(np.argsort(rates, axis=1), axis=1)
    target, logging = (np.exp(k * taste) / np.exp(k * taste).sum(axis=1, keepdims=True) for k in (wants, likes))
    model = np.tile(rates.mean(axis=0), (2, 1))
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
        truth, found = estimates(np.random.default_rng([seed, n]), n, mean=mean, likes=likes)
        covered.append((np.abs(found["IPS"] - truth) < 1.96 * found["error of IPS"]).mean())
    return covered[1] - covered[0]


@experiment(worlds={"default": {}, "500 rows": {"n": 500}, "20,000 rows": {"n": 20_000}})
def five_ways(seed, *, n=5_000, mean=0.05):
    truth, found = estimates(np.random.default_rng([seed, 7]), n, mean=mean)
    errors = {k: np.sqrt(np.mean((v - truth) ** 2)) for k, v in found.items() if k != "error of IPS"}
    return errors | {"spread of SNIPS": found["SNIPS"].std(), "bias of SNIPS": found["SNIPS"].mean() - truth}


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
    "Where few of the shown items are clicked, doubly robust with a rough model errs about as much as IPS.",
    five_ways,
    holds=between(-0.1, 0.1),
    twin={"mean": 0.5},
    percent=True,
    unit="root mean squared error, over that of IPS",
)
def rare_rewards_need_no_model(found):
    return found["doubly robust"] / found["IPS"] - 1


@claim(
    "Where about half of the shown items are clicked, a rough reward model takes off at least a fifth of the error "
    "of IPS.",
    holds=below(-0.2),
    twin={"likes": 0.8},
    worlds={"default": {}, "500 rows": {"n": 500}, "a milder logger": {"likes": -0.1}},
    percent=True,
    unit="root mean squared error, over that of IPS",
)
def common_rewards_want_a_model(seed, *, n=5_000, likes=-0.3):
    truth, found = estimates(np.random.default_rng([seed, 8]), n, mean=0.5, likes=likes)
    robust, plain = (np.mean((found[k] - truth) ** 2) for k in ("doubly robust", "IPS"))
    return np.sqrt(robust / plain) - 1


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
