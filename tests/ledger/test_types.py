"""Instants: aware in Python, UTC in the database, and nothing naive ever gets in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError

from ledger.tables import mark
from ledger.types import UTC_, NaiveDatetimeError
from tests.support.ledgers import ON_SQLITE, Desk, at

_SQLITE = sqlite.dialect()
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
_YEARS = (datetime(1990, 1, 2), datetime(2100, 12, 30))  # noqa: DTZ001


@given(st.datetimes(*_YEARS))
def test_f24_a_naive_datetime_is_refused_whatever_the_database(naive: datetime) -> None:
    for dialect in (_SQLITE, _POSTGRESQL):
        with pytest.raises(NaiveDatetimeError, match="time zone"):
            UTC_().process_bind_param(naive, dialect)


def test_f24_a_naive_datetime_never_reaches_the_file(desk: Desk) -> None:
    naive = datetime(2023, 3, 1)  # noqa: DTZ001
    with (
        pytest.raises(StatementError, match="naive datetime"),
        desk.ledger.write() as connection,
    ):
        connection.execute(insert(mark).values(key="k", value=1, at=naive))
    assert desk.mark("k") is None


@given(st.datetimes(*_YEARS, timezones=_OFFSETS))
def test_an_instant_survives_the_round_trip_through_either_database(instant: datetime) -> None:
    for dialect in (_SQLITE, _POSTGRESQL):
        stored = UTC_().process_bind_param(instant, dialect)
        read = UTC_().process_result_value(stored, dialect)
        assert read == instant
        assert read is not None
        assert read.tzinfo is UTC


def test_nothing_stays_nothing() -> None:
    assert UTC_().process_bind_param(None, _SQLITE) is None
    assert UTC_().process_result_value(None, _SQLITE) is None


@ON_SQLITE
def test_the_file_holds_utc_and_python_gets_it_aware(desk: Desk) -> None:
    with desk.ledger.write() as connection:
        connection.execute(insert(mark).values(key="k", value=1, at=at("03-17 09:00")))
    with desk.ledger.read() as connection:
        raw = connection.exec_driver_sql("SELECT at FROM mark WHERE key = 'k'").scalar_one()
        read = connection.execute(select(mark.c.at).where(mark.c.key == "k")).scalar_one()
    assert raw.startswith("2023-03-17 01:00:00")
    assert read == at("03-17 09:00")
    assert read.tzinfo is UTC
