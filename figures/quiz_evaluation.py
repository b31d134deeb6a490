"""The numbers to work out in the quiz on evaluation and deployment."""

from figures.quiz import Sum, asked
from snippets.evaluation.ab_test import sample_size_per_arm


@asked
def sample_size(rng):
    """How many users an arm needs."""
    rate = rng.choice([0.02, 0.03, 0.05, 0.08])
    lift = rng.choice([0.02, 0.03, 0.05, 0.1])
    n = sample_size_per_arm(rate, lift)
    rough = 16 * rate * (1 - rate) / (rate * lift) ** 2
    return Sum(
        question=f"{rate:.0%} of users click. You want to see a relative lift of {lift:.0%} with a power of 80 %, "
        "two-sided at 5 %. About how many users does each arm need?",
        answer=n,
        unit="users",
        solution=f"16 p (1 - p) / d², with d = {rate:g} x {lift:g} = {rate * lift:g}: {rough:,.0f}. The exact "
        f"formula gives {n:,}.",
        read="evaluation/ab-tests.md A/B tests",
        within=0.1,
    )
