"""Years make many small objects and no cycles: the collector of garbage need not look often."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def few_collections() -> Iterator[None]:
    """Look for garbage seldom: a tenth of the time went there."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000)
    yield
    gc.set_threshold(*usual)
