"""What the tests of docs/scale share: an engine of each kind, started once a worker."""

import os

import pytest

from snippets.scale.engines import connect

# Sail, a server in this process, or a cluster at an address: the weekly workflow runs these tests against Spark itself.
SPARK = os.environ.get("ML_DESIGN_SPARK", "sail:")


@pytest.fixture(scope="session")
def duck():
    with connect("duckdb:") as engine:
        yield engine


@pytest.fixture(scope="session")
def spark():
    with connect(SPARK) as engine:
        yield engine


@pytest.fixture(scope="session")
def sail(spark):
    """Return the engine that has its server in this process, whatever Spark the others use."""
    if SPARK == "sail:":
        yield spark
        return
    with connect("sail:") as engine:
        yield engine


@pytest.fixture(params=["duck", "spark"])
def engine(request):
    """Return one engine after the other."""
    return request.getfixturevalue(request.param)
