"""The tables: what the migrations make, what may be written twice, what may never be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger import events, obligations
from ledger.engine import SCHEMA, Ledger, LedgerError
from ledger.migrate import head, upgrade
from ledger.tables import event, letter, mention, metadata, obligation, plan, submission
from tests.support.ledgers import CAIWU, Desk, at


@pytest.fixture
def fresh(tmp_path: Path) -> Ledger:
    """A ledger that the migrations made just now."""
    book = Ledger(f"sqlite:///{tmp_path}/fresh.sqlite", durable=False)
    book.prepare()
    return book


def test_the_migrations_make_exactly_the_tables(fresh: Ledger) -> None:
    with fresh.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    fresh.close()


def test_the_schema_number_is_that_of_the_newest_migration() -> None:
    assert head() == SCHEMA


def test_an_empty_file_has_no_version_and_a_prepared_one_the_newest(tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{tmp_path}/new.sqlite")
    assert book.version() is None
    book.prepare()
    assert book.version() == SCHEMA
    book.close()


def test_a_second_upgrade_changes_nothing(fresh: Ledger) -> None:
    path = fresh.path
    assert path is not None
    before = path.read_bytes()
    with fresh.engine.begin() as connection:
        upgrade(connection)
    fresh.prepare()
    assert path.read_bytes() == before
    fresh.close()


def test_a_ledger_of_a_newer_duban_is_refused_plainly(fresh: Ledger) -> None:
    with fresh.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="9999"):
        fresh.prepare()
    fresh.close()


@pytest.mark.parametrize("statement", ["UPDATE event SET who = 'nobody'", "DELETE FROM event"])
def test_the_log_of_events_can_only_grow(desk: Desk, statement: str) -> None:
    before = desk.events()
    assert before
    with (
        pytest.raises(DBAPIError, match="append-only"),
        desk.ledger.write() as connection,
    ):
        connection.exec_driver_sql(statement)
    assert desk.events() == before


def test_an_event_says_who_when_and_why_without_empty_fields(desk: Desk) -> None:
    with desk.ledger.write() as connection:
        events.record(connection, desk.now, "test.done", "办公室", reason="试", other=None)
        events.record(connection, desk.now, "test.bare")
        events.record_all(connection, [])
    (line,) = desk.events("test.done")
    assert (line.at, line.who, line.data) == (desk.now, "办公室", {"reason": "试"})
    (bare,) = desk.events("test.bare")
    assert (bare.who, bare.data) == (events.DAEMON, None)


def _copy(desk: Desk, table: Any, **changes: Any) -> None:
    """Insert a row's twin with another id."""
    with desk.ledger.write() as connection:
        row = connection.execute(select(table).order_by(table.c.id)).first()
        assert row is not None
        twin = dict(row._mapping) | changes
        del twin["id"]
        connection.execute(insert(table).values(twin))


@pytest.mark.parametrize("table", [plan, obligation, letter, mention, submission], ids=str)
def test_f31_a_twin_is_refused_by_the_tables_unique_key(desk: Desk, table: Any) -> None:
    desk.beat("03-17 09:00")
    desk.submit()
    with pytest.raises(IntegrityError, match=r"(?i)unique"):
        _copy(desk, table)


def test_f31_the_same_key_may_stand_in_two_plans(desk: Desk) -> None:
    _copy(desk, plan, key="other")
    _copy(desk, obligation, plan_id=2)


def test_an_obligation_is_found_by_its_key_or_not(desk: Desk) -> None:
    with desk.ledger.read() as connection:
        found = obligations.find(connection, desk.plan_id, CAIWU)
        assert found is not None
        assert found.section == "财务科"
        assert obligations.find(connection, desk.plan_id, "r/2023-04/财务科") is None


def test_the_next_action_is_the_first_of_all_rungs(desk: Desk) -> None:
    with desk.ledger.read() as connection:
        assert obligations.next_action(connection) == at("03-17 09:00")


def test_an_event_of_the_ledger_itself_names_no_plan(desk: Desk) -> None:
    with desk.ledger.write() as connection:
        events.record(connection, desk.now, "db.backup")
    with desk.ledger.read() as connection:
        found = connection.execute(select(event).where(event.c.what == "db.backup")).one()
    assert (found.plan_id, found.obligation_id, found.letter_id) == (None, None, None)
