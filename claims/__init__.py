"""Each conclusion of the guide, run over fresh logs: ``make claims``."""
