"""What is written in bulk is what SQLAlchemy would have written, value for value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from ledger.bulk import Bulk
from ledger.engine import Ledger
from ledger.tables import event
from ledger.types import NaiveDatetimeError

NOW = datetime(2023, 3, 17, 1, 0, tzinfo=UTC)
ROWS = [
    {"at": NOW, "what": "letter.sent", "who": "duban", "data": {"reply": "250 收到"}},
    {"at": NOW, "what": "letter.held", "who": "办公室", "data": None},
]
APPEND = Bulk(insert(event), "at", "what", "who", "data")


@pytest.fixture
def ledger(new_ledger: Callable[[], Ledger]) -> Iterator[Ledger]:
    opened = new_ledger()
    yield opened
    opened.close()


def test_rows_are_the_same_whichever_way_they_were_written(ledger: Ledger) -> None:
    with ledger.write() as connection:
        connection.execute(insert(event), ROWS)
        APPEND.run(connection, ROWS)
    with ledger.read() as connection:
        rows = [tuple(row)[1:] for row in connection.execute(select(event).order_by(event.c.id))]
    assert rows[:2] == rows[2:]
    assert [row[-1] for row in rows[2:]] == [ROWS[0]["data"], None]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_comes_back_as_it_was(ledger: Ledger, text: str) -> None:
    row = {"at": NOW, "what": "letter.sent", "who": text, "data": {text: [text, 1.5, True, None]}}
    with ledger.write() as connection:
        APPEND.run(connection, [row])
        latest = select(event).order_by(event.c.id.desc()).limit(1)
        stored = connection.execute(latest).one()
    assert (stored.at, stored.who, stored.data) == (NOW, text, row["data"])


def test_no_rows_are_no_statement(ledger: Ledger) -> None:
    with ledger.write() as connection:
        APPEND.run(connection, [])


def test_a_row_without_one_of_its_values_is_refused(ledger: Ledger) -> None:
    with ledger.write() as connection, pytest.raises(KeyError, match="what"):
        APPEND.run(connection, [{"at": NOW, "who": "duban", "data": None}])


def test_f24_a_naive_datetime_is_refused_in_bulk_too(ledger: Ledger) -> None:
    with ledger.write() as connection, pytest.raises(NaiveDatetimeError):
        APPEND.run(connection, [ROWS[0] | {"at": NOW.replace(tzinfo=None)}])
