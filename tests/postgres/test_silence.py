"""The line to the database falls silent in the midst of the letters: nobody is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event

from jobs.deliver import Basket
from ledger.engine import Ledger, LedgerError
from mailroom.relay import Mail, Outcome, Reply
from tests.support.ledgers import MakeDesk, everybodys_report
from tests.support.lines import PATIENCE, Line
from tests.support.nodes import LETTERS, StartNode, message_ids
from tests.support.postgres import Cluster
from tests.support.smtp import FaultyServer


@pytest.fixture
def line(postgres: Cluster) -> Iterator[Line]:
    """The daemon's way to the database."""
    line = Line(postgres.port)
    yield line
    line.stop()


def address(line: Line, database: str) -> str:
    """The ledger at the other end of the line."""
    return f"postgresql+psycopg://duban@127.0.0.1:{line.port}/{database}?{PATIENCE}"


@pytest.fixture
def new_ledger(line: Line, database: str) -> Callable[[], Ledger]:
    """The ledger at the other end of the line."""
    return lambda: Ledger(address(line, database), seed=0)


@pytest.fixture
def node_settings(node_settings: dict[str, Any], line: Line, database: str) -> dict[str, Any]:
    """A mail server that answers late is no part of this."""
    return node_settings | {
        "database": address(line, database),
        "smtp_timeout_seconds": 30,
        "claim_lease_seconds": 60,
        "tick_seconds": 2,
    }


def test_f20_a_line_that_falls_silent_among_the_letters_loses_and_doubles_none(
    start_node: StartNode, faulty: FaultyServer, line: Line, postgres: Cluster, database: str
) -> None:
    def cut(count: int) -> None:
        if count == 10:
            line.fall_silent()

    faulty.before_answer = cut
    node = start_node()
    node.until("delivery.failed")
    line.speak()
    faulty.wait_for(LETTERS)
    assert node.stop() == 0
    assert set(message_ids(faulty).values()) == {1}
    states = postgres.do("SELECT state, count(*) FROM letter GROUP BY state", database)
    assert states == [("sent", LETTERS)]
    assert node.said == ""


def test_f20_silence_within_a_transaction_is_said_plainly(line: Line, database: str) -> None:
    book = Ledger(address(line, database))

    def fall_silent_half_way() -> None:
        with book.write() as connection:
            connection.exec_driver_sql("SELECT 1")
            line.fall_silent()
            connection.exec_driver_sql("SELECT 2")

    with pytest.raises(LedgerError, match="tries again by itself"):
        fall_silent_half_way()
    book.close()


@dataclass
class Slow:
    """A relay that answers at once just the second mail; the others when the ledger is silent."""

    silent: asyncio.Event
    took: list[str] = field(default_factory=list)

    async def send(self, mail: Mail) -> Reply:
        self.took.append(mail.message_id)
        if len(self.took) != 2:
            await self.silent.wait()
        return Reply(Outcome.ACCEPTED, "250 2.0.0 accepted", 250)

    async def close(self) -> None:
        """Nothing to give back."""


def test_f20_a_letter_under_way_when_a_mark_meets_silence_is_not_sent_twice(
    make_desk: MakeDesk, line: Line
) -> None:
    desk = make_desk(everybodys_report())
    desk.go("03-17 09:00").remind()
    relay, basket = Slow(asyncio.Event()), Basket()

    def cut_at_the_first_mark(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "SET state" in statement and relay.took and not relay.silent.is_set():
            line.fall_silent()
            relay.silent.set()

    event.listen(desk.ledger.engine, "before_cursor_execute", cut_at_the_first_mark)
    with pytest.raises(LedgerError):
        desk.deliver(relay=relay, basket=basket, side_by_side=2)
    line.speak()
    assert len(desk.deliver(relay=relay, basket=basket)) == len(relay.took) == 3
    assert len(set(relay.took)) == 3
    assert {row.state for row in desk.letters()} == {"sent"}
