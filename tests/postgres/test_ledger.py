"""The ledger on PostgreSQL: opened, migrated by several at once, lost in the middle of a letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from jobs.deliver import deliver
from ledger.engine import SCHEMA, Ledger, LedgerError
from mailroom.relay import Mail, Outcome, Reply
from tests.support.ledgers import Desk
from tests.support.postgres import Cluster

_OTHERS = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass
class Interrupted:
    """A relay during whose answer something else happens."""

    meanwhile: Sequence[Callable[[], object]]
    answer: Reply
    took: list[str] = field(default_factory=list)

    async def send(self, mail: Mail) -> Reply:
        self.took.append(mail.message_id)
        for what in self.meanwhile:
            what()
        return self.answer

    async def close(self) -> None:
        """Nothing to give back."""


ACCEPTED = Reply(Outcome.ACCEPTED, "250 2.0.0 accepted", 250)
DEFERRED = Reply(Outcome.TEMPORARY, "451 later", 451)


def test_migrations_that_race_leave_one_schema(postgres: Cluster) -> None:
    postgres.do("CREATE DATABASE race")
    books = [Ledger(postgres.url("race")) for _ in range(3)]
    with ThreadPoolExecutor(3) as nodes:
        for done in [nodes.submit(book.prepare) for book in books]:
            done.result()
    assert [book.version() for book in books] == [SCHEMA] * 3
    for book in books:
        book.close()


def _patience(url: str, **more: Any) -> tuple[dict[str, str], dict[str, str]]:
    """How long the server waits for a session, and the session for the server."""
    book = Ledger(url, **more)
    with book.read() as connection:
        theirs = {
            name: str(connection.exec_driver_sql(f"SHOW {name}").scalar())
            for name in ("tcp_keepalives_idle", "tcp_user_timeout", "lock_timeout")
        }
        driver = connection.connection.driver_connection
        assert driver is not None
        ours = driver.info.get_parameters()
    book.close()
    return theirs, ours


def test_a_line_that_falls_silent_is_found_out_from_both_ends(
    postgres: Cluster, database: str
) -> None:
    theirs, ours = _patience(postgres.url(database))
    assert (theirs["tcp_keepalives_idle"], theirs["tcp_user_timeout"]) == ("20", "35000")
    assert (ours["keepalives_idle"], ours["tcp_user_timeout"]) == ("20", "35000")


def test_what_the_address_says_of_waiting_goes_before(postgres: Cluster, database: str) -> None:
    own = "?connect_timeout=3&tcp_user_timeout=9000&options=-c%20tcp_user_timeout%3D8s"
    theirs, ours = _patience(postgres.url(database) + own)
    assert (ours["connect_timeout"], ours["tcp_user_timeout"]) == ("3", "9000")
    assert theirs["tcp_user_timeout"] == "8000"
    assert (ours["keepalives_idle"], theirs["lock_timeout"]) == ("20", "15s")


def test_f16_a_session_waits_as_long_as_its_ledger_has_patience(
    postgres: Cluster, database: str
) -> None:
    theirs, ours = _patience(postgres.url(database), patience_s=3)
    assert (ours["connect_timeout"], theirs["lock_timeout"]) == ("3", "3s")


def test_a_standby_is_refused_at_the_start(postgres: Cluster, database: str) -> None:
    postgres.do(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    book = Ledger(postgres.url(database))
    with pytest.raises(LedgerError, match="only reads, such as a standby"):
        book.prepare()
    book.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://duban:geheim@127.0.0.1:1/duban",
        "postgresql://duban@127.0.0.1:1/duban?password=geheim&sslpassword=geheim",
    ],
)
def test_a_server_that_is_not_there_is_named_without_its_password(url: str) -> None:
    book = Ledger(url)
    with pytest.raises(LedgerError, match="cannot be reached: nothing listens there") as caught:
        book.prepare()
    assert "geheim" not in str(caught.value)


def test_f20_a_connection_that_dies_in_mid_send_is_replaced_for_the_mark(
    desk: Desk, postgres: Cluster, database: str
) -> None:
    desk.go("03-17 09:00").remind()
    relay = Interrupted([lambda: postgres.do(_OTHERS, database)], ACCEPTED)
    assert len(desk.deliver(relay=relay)) == 1
    assert [row.state for row in desk.letters()] == ["sent"]


def _take_over(desk: Desk, relay: Interrupted) -> None:
    """Another node takes the letter as its lease has run out, while the first still sends it."""
    desk.go("03-17 09:06")
    asyncio.run(deliver(desk.ledger, desk.bureaus, desk.carrier(relay=relay, owner="other")))


@pytest.mark.parametrize("answer", [ACCEPTED, DEFERRED])
def test_f20_what_a_stale_owner_learns_does_not_undo_what_the_new_owner_did(
    desk: Desk, answer: Reply
) -> None:
    desk.go("03-17 09:00").remind()
    other = Interrupted([], ACCEPTED)

    def take_over() -> None:
        with ThreadPoolExecutor(1) as node:
            node.submit(_take_over, desk, other).result()

    first = Interrupted([take_over], answer)
    desk.deliver(relay=first)
    assert first.took == other.took
    (row,) = desk.letters()
    assert (row.state, row.uncertain, row.owner) == ("sent", True, None)
    assert len(desk.events("letter.possibly_twice")) == 1
