"""Claims: one letter, one owner; and no question costs more because more is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as listening
from sqlalchemy import update

from jobs.remind import remind
from ledger import letters, mentions
from ledger.engine import Ledger
from ledger.tables import LetterState, letter
from tests.support.ledgers import CAIWU, ON_SQLITE, Desk, MakeDesk, everybodys_report

_LEASE = timedelta(minutes=5)


@pytest.fixture
def three(make_desk: MakeDesk) -> Desk:
    """A desk with a reminder queued for each of three sections."""
    desk = make_desk(everybodys_report()).go("03-17 09:00")
    assert desk.remind() == 3
    return desk


def _open(desk: Desk) -> letters.Open:
    return letters.Open([desk.plan_id], [desk.plan_id])


def _claim(desk: Desk, book: Ledger, owner: str, limit: int = 10) -> list[int]:
    with book.write() as connection:
        rows = letters.claim(connection, _open(desk), owner, desk.now, desk.now + _LEASE, limit)
    return [row.id for row in rows]


def test_f16_two_connections_never_claim_the_same_letter(three: Desk) -> None:
    other = Ledger(str(three.ledger.url), durable=False)
    first = _claim(three, three.ledger, "a", 2)
    second = _claim(three, other, "b", 2)
    assert len(first) == 2
    assert len(second) == 1
    assert not {*first} & {*second}
    assert _claim(three, other, "b") == []
    other.close()


def test_a_claim_names_its_owner_and_counts_the_attempt(three: Desk) -> None:
    _claim(three, three.ledger, "a", 1)
    claimed = three.letters()[0]
    assert (claimed.state, claimed.owner, claimed.attempts) == (LetterState.CLAIMED, "a", 1)
    assert claimed.due_at == three.now + _LEASE


def test_a_claimed_letter_is_free_again_when_its_lease_has_run_out(three: Desk) -> None:
    _claim(three, three.ledger, "a", 1)
    three.go("03-17 09:04")
    assert len(_claim(three, three.ledger, "b")) == 2
    three.go("03-17 09:05")
    assert _claim(three, three.ledger, "c") == [three.letters()[0].id]


def test_the_letter_that_waits_longest_is_claimed_first(three: Desk) -> None:
    last = three.letters()[-1].id
    with three.ledger.write() as connection:
        connection.execute(
            update(letter)
            .where(letter.c.id == last)
            .values(due_at=three.now - timedelta(minutes=1))
        )
    assert _claim(three, three.ledger, "a", 1) == [last]


def test_only_the_owner_can_put_a_letter_back(three: Desk) -> None:
    _claim(three, three.ledger, "a", 1)
    which = three.letters()[0].id
    with three.ledger.write() as connection:
        assert not letters.put_back(connection, which, "b")
        assert letters.put_back(connection, which, "a")
    assert three.letters()[0].state == LetterState.QUEUED


def test_only_the_owner_can_withdraw_a_claimed_letter(three: Desk) -> None:
    _claim(three, three.ledger, "a", 1)
    which = three.letters()[0].id
    with three.ledger.write() as connection:
        assert not letters.withdraw(connection, which, "late", owner="b")
        assert not letters.withdraw(connection, which, "late")
        assert letters.withdraw(connection, which, "late", owner="a")
    assert three.letters()[0].state == LetterState.WITHDRAWN


def test_what_was_sent_is_neither_failed_nor_withdrawn_any_more(three: Desk) -> None:
    three.deliver()
    which = three.letters()[0].id
    with three.ledger.write() as connection:
        letters.mark_failed(connection, which, "550")
        letters.withdraw(connection, which, "late")
    assert three.letters()[0].state == LetterState.SENT


def test_the_next_due_moment_is_a_waiting_letters_or_the_end_of_a_lease(three: Desk) -> None:
    with three.ledger.read() as connection:
        assert letters.next_due(connection, rungs=True) == three.now
    _claim(three, three.ledger, "a")
    with three.ledger.read() as connection:
        assert letters.next_due(connection, rungs=True) == three.now + _LEASE
    three.go("03-17 09:05").deliver()
    with three.ledger.read() as connection:
        assert letters.next_due(connection, rungs=True) is None


def test_nothing_to_enter_is_no_question_to_the_database(desk: Desk) -> None:
    with desk.ledger.write() as connection:
        assert letters.queue_all(connection, []) == []
        mentions.mention_all(connection, [])
        mentions.supersede(connection, [], "why")
        letters.mark_sent(connection, [], desk.now)
    assert desk.letters() == []


@contextmanager
def _asked(book: Ledger) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that a piece of work sends to the database."""
    said: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        said.append((statement, parameters))

    listening.listen(book.engine, "before_cursor_execute", note)
    yield said
    listening.remove(book.engine, "before_cursor_execute", note)


def _ways(book: Ledger, said: list[tuple[str, Any]], about: str) -> list[str]:
    """How SQLite carries out each SELECT that names `about`."""
    found = []
    with book.read() as connection:
        for statement, parameters in said:
            if statement.startswith("SELECT") and about in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found.append(" | ".join(row.detail for row in rows))
    return found


@ON_SQLITE
def test_looking_for_rungs_uses_the_index_on_next_action_at_alone(desk: Desk) -> None:
    index = "obligation USING INDEX ix_obligation_plan_id_next_action_at"
    for when, questions in (("03-10 09:00", 1), ("03-17 09:00", 2)):  # idle, and with work
        desk.go(when)
        bureaus = desk.bureaus
        with _asked(desk.ledger) as said:
            remind(desk.ledger, bureaus, desk.now)
        ways = _ways(desk.ledger, said, "next_action_at <= ?")
        assert len(ways) == questions
        for way in ways:
            assert f"{index} (plan_id=? AND next_action_at<?)" in way
            assert "SCAN" not in way.replace("SCALAR", "")


@ON_SQLITE
def test_looking_for_letters_and_claiming_them_use_the_index_on_due_at(desk: Desk) -> None:
    desk.go("03-17 09:00").remind()
    with _asked(desk.ledger) as said:
        desk.deliver()
    ways = _ways(desk.ledger, said, "letter.due_at <= ?")
    assert len(ways) == 2  # the question without the lock, and the claim
    assert all("letter USING INDEX ix_letter_due_at_id (due_at<?)" in way for way in ways)


@ON_SQLITE
def test_no_table_is_read_as_a_whole_for_a_batch_of_letters(desk: Desk) -> None:
    desk.go("03-17 09:00").remind()
    with _asked(desk.ledger) as said:
        desk.deliver()
    about = [(statement, given) for statement, given in said if "json_each" in statement]
    assert len(about) > 5  # the claim, what is settled and what is told, threads, the mark
    with desk.ledger.read() as connection:
        for statement, given in about:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
            tables = ("SCAN letter", "SCAN mention", "SCAN obligation")
            assert [row.detail for row in rows if row.detail.startswith(tables)] == [], statement


def test_an_idle_beat_asks_as_little_beside_many_obligations_as_beside_one(
    make_desk: MakeDesk,
) -> None:
    asked = []
    for many in (["2023-03"], [f"{y}-{m:02}" for y in range(2023, 2027) for m in range(1, 13)]):
        rules = [
            {"id": f"r{n}", "title": "月报", "due": {"monthly": 25}, "from": p, "until": p}
            for n, p in enumerate(many)
        ]
        desk = make_desk(everybodys_report(rules=rules)).go("03-10 09:00")
        bureaus = desk.bureaus
        with _asked(desk.ledger) as said:
            desk.reconcile()
            assert remind(desk.ledger, bureaus, desk.now) == 0
        asked.append([statement for statement, _ in said])
    assert asked[0] == asked[1]


def test_a_letter_remembers_which_obligations_it_is_about(three: Desk) -> None:
    three.deliver()
    with three.ledger.read() as connection:
        found = mentions.listed(connection, [three.letters()[0].id])
    assert found == []  # what was sent is no longer waiting
    assert [m.state for m in three.mentions(CAIWU)] == ["sent"]
