"""What the home page shows of another page."""

from __future__ import annotations

from figures import claims


def miscalibration() -> str:
    """Return the verdict on what normalized entropy sees of odds that are too high."""
    return claims.evidence("evaluation/normalized_entropy/a_fifth_too_high_costs_little", at_home=True)
