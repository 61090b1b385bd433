"""PostgreSQL finds what is due by an index, however many letters the morning has."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from tests.support.ledgers import Desk


@pytest.fixture
def ways(desk: Desk) -> dict[str, str]:
    """How the statements of one delivery are carried out where tables are too long to be read."""
    desk.go("03-17 09:00").remind()
    said: dict[str, Any] = {}

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        said[statement] = parameters

    event.listen(desk.ledger.engine, "before_cursor_execute", note)
    desk.deliver()
    event.remove(desk.ledger.engine, "before_cursor_execute", note)
    found = {}
    with desk.ledger.read() as connection:
        connection.exec_driver_sql(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
        )
        for statement, parameters in said.items():
            if "= ANY (CAST(" in statement or statement.startswith("UPDATE letter"):
                rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
                found[statement] = "\n".join(row[0] for row in rows)
    return found


def test_letters_are_claimed_in_the_order_of_the_index(ways: dict[str, str]) -> None:
    (claim,) = [way for said, way in ways.items() if "FOR UPDATE SKIP LOCKED" in said]
    assert "ix_letter_due_at_id" in claim
    assert "Sort" not in claim


def test_what_letters_mention_is_found_by_their_numbers(ways: dict[str, str]) -> None:
    about = [way for said, way in ways.items() if "mention.letter_id = ANY" in said]
    assert len(about) == 4  # what is settled, what is told, what holds still, and the mark
    for way in about:
        assert "ix_mention_queued_letter_id" in way or "ix_mention_letter_id" in way, way


def test_letters_are_marked_as_sent_by_their_numbers_all_in_one_statement(
    ways: dict[str, str],
) -> None:
    (marks,) = [way for said, way in ways.items() if "json_to_recordset" in said]
    assert "Index Scan using pk_letter" in marks
