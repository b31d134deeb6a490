"""Figures of Modeling."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from figures.svg import FIRST, INK, SECOND, THIRD, style, to_html
from snippets.datasets.ad_log import simulate_ad_log
from snippets.modeling.bandits import LinUCB, ThompsonSampling


def regret() -> str:
    """Draw the clicks lost so far by four policies, against the number of requests."""
    batch = 100
    names = {"random": (INK, ":"), "greedy": (SECOND, "--"), "Thompson": (THIRD, "-"), "LinUCB": (FIRST, "-")}

    def lost(seed: int) -> list[np.ndarray]:
        log = simulate_ad_log(100_000, seed=seed, base_ctr=0.05, exploration_rate=1.0)
        cell = log.groupby(["age_group", "device", "category"], observed=True)["relevance"].mean().unstack()
        rates, first = cell.to_numpy(), log[log["position"] == 1]
        context = cell.index.get_indexer(list(zip(first["age_group"], first["device"], strict=True)))
        return [_lost(name, rates, context, batch, seed) for name in names]

    runs = np.mean([lost(seed) for seed in range(5)], axis=0)
    with style():
        figure = Figure(figsize=(6.2, 2.9), layout="constrained")
        axes = figure.subplots()
        requests = np.arange(runs.shape[1]) * batch
        for (name, (colour, dash)), mean in zip(names.items(), runs, strict=True):
            axes.plot(requests, mean, color=colour, linestyle=dash)
            axes.text(requests[-1] * 1.015, mean[-1], name, color=colour, va="center")
        axes.set(xlabel="requests", ylabel="clicks lost so far", xlim=(0, requests[-1]), ylim=(0, None))
    half = runs.shape[1] // 2
    return to_html(
        figure,
        "regret",
        "Clicks lost against the best category of each context, in the first and in the second half of the requests: "
        + ", ".join(f"{n} {m[half]:,.0f} and {m[-1] - m[half]:,.0f}" for n, m in zip(names, runs, strict=True))
        + ".",
        "Means of five logs. All but random choice learn each context by itself; LinUCB's width is 0.3. A line that "
        "stays straight is a policy that has stopped learning.",
    )


def _lost(name: str, rates: np.ndarray, context: np.ndarray, batch: int, seed: int) -> np.ndarray:
    """Return the clicks that a policy has lost after each batch."""
    rng, out, n_arms, one_hot = np.random.default_rng(seed), [0.0], rates.shape[1], np.eye(len(rates))
    counts = [ThompsonSampling(n_arms, 1, 20) for _ in rates]
    linear = LinUCB(n_arms, len(rates), width=0.3, random_state=seed)
    for start in range(0, len(context), batch):
        own = context[start : start + batch]
        if name == "random":
            arms = rng.integers(0, n_arms, len(own))
        elif name == "LinUCB":
            arms = linear.choose(one_hot[own])
        elif name == "Thompson":
            arms = np.array([counts[i].choose(1, rng)[0] for i in own])
        else:
            mean = np.array([c.alpha_ / (c.alpha_ + c.beta_) for c in counts])[own]
            arms = ((mean == mean.max(axis=1, keepdims=True)) * rng.random(mean.shape)).argmax(
                axis=1
            )  # equal ones by lot
        clicks = rng.random(len(own)) < rates[own, arms]
        if name == "LinUCB":
            linear.update(one_hot[own], arms, clicks)
        for i in np.unique(own):
            counts[i].update(arms[own == i], clicks[own == i])
        out.append(out[-1] + (rates[own].max(axis=1) - rates[own, arms]).sum())
    return np.array(out)
