"""Settings of all tests."""

from hypothesis import settings

# No test is timed: on a busy machine each takes as long as it takes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
