"""What the tests of docs/scale share: an engine of each kind, started once a worker."""

import pytest

from snippets.scale.engines import connect


@pytest.fixture(scope="session")
def duck():
    with connect("duckdb:") as engine:
        yield engine


@pytest.fixture(scope="session")
def spark():
    with connect("sail:") as engine:
        yield engine


@pytest.fixture(params=["duck", "spark"])
def engine(request):
    """Return one engine after the other."""
    return request.getfixturevalue(request.param)
