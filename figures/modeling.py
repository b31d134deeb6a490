"""Figures of Modeling."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from figures.svg import FIRST, INK, SECOND, THIRD, style, to_html
from snippets.datasets.ad_log import simulate_ad_log
from snippets.modeling.bandits import LinUCB, ThompsonSampling


def regret() -> str:
    """Draw the clicks lost so far by four policies, against the number of requests."""
    log = simulate_ad_log(200_000, base_ctr=0.05, exploration_rate=1.0)
    cell = log.groupby(["age_group", "device", "category"], observed=True)["relevance"].mean().unstack()
    rates, first = cell.to_numpy(), log[log["position"] == 1]
    context = cell.index.get_indexer(list(zip(first["age_group"], first["device"], strict=True)))
    n_arms, one_hot, batch = rates.shape[1], np.eye(len(rates)), 100

    def lost(name: str, seed: int) -> np.ndarray:
        rng, out = np.random.default_rng(seed), [0.0]
        thompson, linear = ThompsonSampling(n_arms, 1, 20), LinUCB(n_arms, len(rates), width=0.3, random_state=0)
        for start in range(0, len(context), batch):
            own = context[start : start + batch]
            if name == "random":
                arms = rng.integers(0, n_arms, len(own))
            elif name == "LinUCB":
                arms = linear.choose(one_hot[own])
            elif name == "Thompson":
                arms = thompson.choose(len(own), rng)
            else:
                arms = np.full(len(own), (thompson.alpha_ / (thompson.alpha_ + thompson.beta_)).argmax())
            clicks = rng.random(len(own)) < rates[own, arms]
            thompson.update(arms, clicks)
            linear.update(one_hot[own], arms, clicks)
            out.append(out[-1] + (rates[own].max(axis=1) - rates[own, arms]).sum())
        return np.array(out)

    with style():
        figure = Figure(figsize=(6.2, 2.9), layout="constrained")
        axes = figure.subplots()
        ends = {}
        for name, colour, dash in [
            ("greedy", SECOND, "--"),
            ("random", INK, ":"),
            ("Thompson", THIRD, "-"),
            ("LinUCB", FIRST, "-"),
        ]:
            mean = np.mean([lost(name, seed) for seed in range(5)], axis=0)
            ends[name] = mean[-1]
            requests = np.arange(len(mean)) * batch
            axes.plot(requests, mean, color=colour, linestyle=dash)
            place = {"greedy": "bottom", "random": "top"}.get(name, "center")  # their lines end side by side
            axes.text(requests[-1] * 1.015, mean[-1], name, color=colour, va=place)
        axes.set(xlabel="requests", ylabel="clicks lost so far", xlim=(0, requests[-1]), ylim=(0, None))
    return to_html(
        figure,
        "regret",
        "Clicks lost against the best arm of each context. After all requests: "
        + ", ".join(f"{name} {value:,.0f}" for name, value in ends.items())
        + ". Random and greedy choice lose at a constant rate; LinUCB flattens.",
        "Means of five runs. A line that stays straight is a policy that has stopped learning.",
    )
