"""The ledger's file is taken away, or another put in its place, while duban writes into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import plans
from ledger.engine import Ledger, LedgerError
from ledger.highwater import advance, check_there
from tests.faults.test_disk import known_sent
from tests.support.ledgers import at
from tests.support.nodes import CONNECTIONS, LETTERS, StartNode, message_ids
from tests.support.smtp import FaultyServer

NOW = at("03-17 09:00")


def mark(ledger: Ledger, value: str) -> None:
    """Write something."""
    with ledger.write() as connection:
        plans.set_mark(connection, "word", value, NOW)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger that has been written."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    ledger.prepare()
    mark(ledger, "first")
    return ledger


def test_f17_nothing_is_written_into_a_ledger_that_was_taken_away(
    ledger: Ledger, tmp_path: Path
) -> None:
    """What is written into a file without a name is lost; put back, it is written again."""
    (tmp_path / "ledger.sqlite").rename(tmp_path / "away")
    with pytest.raises(LedgerError, match="was taken away, or another lies in its place"):
        mark(ledger, "lost")
    (tmp_path / "away").rename(tmp_path / "ledger.sqlite")
    mark(ledger, "second")
    with ledger.read() as connection:
        assert plans.get_mark(connection, "word") == "second"
    ledger.close()


def test_f17_nothing_is_written_where_another_ledger_lies(ledger: Ledger, tmp_path: Path) -> None:
    """A copy that is laid over a running ledger would hide what is written from then on."""
    other = Ledger(f"sqlite:///{tmp_path}/other.sqlite")
    other.prepare()
    other.close()
    (tmp_path / "other.sqlite").rename(tmp_path / "ledger.sqlite")
    with pytest.raises(LedgerError, match="was taken away, or another lies in its place"):
        mark(ledger, "lost")
    ledger.close()


def test_f17_nothing_is_made_where_a_ledger_was_taken_away(ledger: Ledger, tmp_path: Path) -> None:
    """An empty file in its place would end the log of the one that is still written."""
    (tmp_path / "ledger.sqlite").rename(tmp_path / "away")
    before = sorted(tmp_path.iterdir())
    with ledger.read() as connection:  # it holds the file still
        assert plans.get_mark(connection, "word") == "first"
        with pytest.raises(LedgerError, match="cannot be opened"), ledger.read():
            pass  # on one more connection
    late = Ledger(str(ledger.url), must_exist=True)
    with pytest.raises(LedgerError, match="cannot be opened"):
        late.prepare()
    assert sorted(tmp_path.iterdir()) == before
    ledger.close()


def test_f17_where_a_ledger_was_taken_away_no_empty_one_is_begun_until_its_mark_is_removed(
    ledger: Ledger, tmp_path: Path
) -> None:
    check_there(ledger.path)
    advance(ledger, NOW)
    check_there(ledger.path)
    (tmp_path / "ledger.sqlite").rename(tmp_path / "away")
    with pytest.raises(LedgerError, match=r"remove .*/ledger\.sqlite\.mark: letters that went out"):
        check_there(ledger.path)
    (tmp_path / "ledger.sqlite.mark").unlink()
    check_there(ledger.path)
    ledger.close()


def test_f17_a_daemon_whose_ledger_is_taken_away_stops_sending_until_it_is_back(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path
) -> None:
    """What the relay said meanwhile is written down when the file is back."""
    file, away = tmp_path / "ledger.sqlite", tmp_path / "away"

    def take_away(count: int) -> None:
        if count == 3:
            file.rename(away)

    faulty.before_answer = take_away
    node = start_node(batch_size=1)
    node.until("delivery.failed", 2)
    assert len(faulty.mails) <= 3 + CONNECTIONS
    away.rename(file)
    faulty.wait_for(LETTERS)
    assert node.stop() == 0
    assert set(message_ids(faulty).values()) == {1}
    assert known_sent(tmp_path) == set(message_ids(faulty))
