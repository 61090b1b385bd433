from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.relays import writes
from tests.support.smtp import FaultyServer, certificates, make_faulty

__all__ = ["certificates", "make_faulty", "writes"]


@pytest.fixture(params=[True, False], ids=["pipelining", "one by one"])
def faulty(request: pytest.FixtureRequest) -> Iterator[FaultyServer]:
    """A plain server that answers as usual until it is scripted: with PIPELINING and without."""
    server = FaultyServer(pipelining=request.param).start()
    yield server
    server.stop()
