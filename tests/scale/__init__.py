"""Scale: what needs an engine, in the environment of ``make scale``."""
