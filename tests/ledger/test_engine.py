"""Opening the ledger, and what happens to a file that cannot be trusted."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from ledger import plans
from ledger.engine import Ledger, LedgerError
from tests.support.ledgers import ON_SQLITE, Desk, at, open_ledger

_NOW = at("03-17 09:00")
_EIGHTY_STEPS = """
import json, sys
from ledger import plans
from ledger.engine import Ledger
from tests.support.ledgers import at
ledger = Ledger(sys.argv[1])
for _ in range(40):
    with ledger.write() as connection:
        known = plans.get_mark(connection, "count") or 0
        plans.set_mark(connection, "count", known + 1, at("03-17 09:00"))
ledger.close()
"""


def _pragma(book: Ledger, name: str) -> object:
    with book.read() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_durable_ledger_keeps_a_write_ahead_log_and_syncs_every_commit(tmp_path: Path) -> None:
    book = open_ledger(tmp_path, durable=True)
    assert _pragma(book, "journal_mode") == "wal"
    assert _pragma(book, "synchronous") == 2
    assert _pragma(book, "foreign_keys") == 1
    book.close()


def test_a_simulated_ledger_gives_up_the_sync_for_speed(tmp_path: Path) -> None:
    book = open_ledger(tmp_path, durable=False)
    assert _pragma(book, "synchronous") == 0
    book.close()


def test_a_writing_transaction_takes_the_lock_before_its_first_statement(tmp_path: Path) -> None:
    book = open_ledger(tmp_path, durable=True)
    other = sqlite3.connect(tmp_path / "ledger.sqlite", timeout=0, isolation_level=None)
    with book.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()
    book.close()


def test_a_reading_transaction_does_not_hinder_a_writer(tmp_path: Path) -> None:
    book = open_ledger(tmp_path, durable=True)
    with book.read() as reading, book.write() as writing:
        assert plans.get_mark(reading, "k") is None
        plans.set_mark(writing, "k", 1, _NOW)
    book.close()


def test_a_reading_transaction_sees_one_moment_whatever_is_written_meanwhile(
    tmp_path: Path,
) -> None:
    book = open_ledger(tmp_path, durable=True)
    with book.read() as reading:
        before = plans.get_mark(reading, "k")
        with book.write() as writing:
            plans.set_mark(writing, "k", 1, _NOW)
        assert plans.get_mark(reading, "k") is before is None
    with book.read() as reading:
        assert plans.get_mark(reading, "k") == 1
    book.close()


def test_f16_eighty_of_eighty_concurrent_changes_by_two_processes_survive(tmp_path: Path) -> None:
    book = open_ledger(tmp_path, durable=True)
    command = [sys.executable, "-c", _EIGHTY_STEPS, str(book.url)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    errors = [process.communicate(timeout=100)[1] for process in running]
    assert errors == [b"", b""]
    with book.read() as connection:
        assert plans.get_mark(connection, "count") == 80
    book.close()


def test_f16_a_ledger_that_another_process_holds_too_long_is_named_plainly(tmp_path: Path) -> None:
    open_ledger(tmp_path, durable=True).close()
    book = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite", patience_s=0)
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    words = "in use by another process for longer than 0 s"
    with pytest.raises(LedgerError, match=words) as caught, book.write():
        pass
    assert not caught.value.fatal
    other.close()
    book.close()


def test_f16_a_connection_waits_as_long_as_its_ledger_has_patience(tmp_path: Path) -> None:
    open_ledger(tmp_path, durable=True).close()
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    for book, patience_ms in ((Ledger(url), 15_000), (Ledger(url, patience_s=3), 3_000)):
        with book.read() as connection:
            found = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        assert found == patience_ms
        book.close()


def test_what_fails_inside_a_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    book = open_ledger(tmp_path)
    with suppress(ZeroDivisionError), book.write() as connection:
        plans.set_mark(connection, "k", 1, _NOW)
        raise ZeroDivisionError
    with book.read() as connection:
        assert plans.get_mark(connection, "k") is None
    book.close()


def test_an_error_that_the_office_cannot_mend_keeps_the_databases_own_words(
    tmp_path: Path,
) -> None:
    book = open_ledger(tmp_path)
    with pytest.raises(IntegrityError), book.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO submission (obligation_id, number, at, by, via, late) "
            "VALUES (99, 'n', '2023-01-01', 'x', 'x', 0)"
        )
    book.close()


def _flip(path: Path) -> None:
    """Damage the pages of the tables, not the file's header."""
    content = bytearray(path.read_bytes())
    for offset in range(4096 + 8, len(content), 97):
        content[offset] ^= 0xFF
    path.write_bytes(bytes(content))


@ON_SQLITE
def test_f17_a_damaged_ledger_is_refused_at_the_start(desk: Desk, tmp_path: Path) -> None:
    path = desk.ledger.path
    assert path is not None
    desk.ledger.close()
    _flip(path)
    with pytest.raises(LedgerError, match=r"is damaged.*backup"):
        Ledger(f"sqlite:///{path}").prepare()


@ON_SQLITE
def test_f17_damage_that_a_query_meets_is_fatal(desk: Desk) -> None:
    path = desk.ledger.path
    assert path is not None
    desk.ledger.close()
    _flip(path)
    with pytest.raises(LedgerError, match="damaged") as caught:
        desk.rows()
    assert caught.value.fatal


def test_f17_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("这不是台账\n" * 1000)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="is not a ledger") as caught:
        Ledger(f"sqlite:///{path}").prepare()
    assert caught.value.fatal
    assert path.read_bytes() == before


def test_f15_a_ledger_that_cannot_be_written_says_so_plainly(tmp_path: Path) -> None:
    open_ledger(tmp_path).close()
    path = tmp_path / "ledger.sqlite"
    # the same answer of SQLite as a file without write permission, which root would not get
    book = Ledger(f"sqlite:///file:{path}?mode=ro&uri=true", durable=False)
    book.prepare()
    with (
        pytest.raises(LedgerError, match="cannot be written; check the file's"),
        book.write() as connection,
    ):
        plans.set_mark(connection, "k", 1, _NOW)
    book.close()


def test_f15_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "ledger.sqlite"
    with pytest.raises(LedgerError, match=r"nowhere.*check that its folder exists"):
        Ledger(f"sqlite:///{missing}").prepare()


def test_an_ledger_in_memory_has_no_file() -> None:
    book = Ledger("sqlite://")
    assert book.path is None
    assert book.sqlite
    book.close()


def test_tokens_repeat_with_the_seed_and_only_with_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.sqlite"
    assert Ledger(url, seed=1).token() == Ledger(url, seed=1).token()
    assert Ledger(url, seed=1).token() != Ledger(url, seed=2).token()
    assert Ledger(url).token() != Ledger(url).token()
    assert len(Ledger(url).token()) == 24


def test_threads_each_get_a_connection_and_no_change_is_lost(tmp_path: Path) -> None:
    book = open_ledger(tmp_path, durable=True)

    def work() -> None:
        for _ in range(20):
            with book.write() as connection:
                known = plans.get_mark(connection, "count") or 0
                plans.set_mark(connection, "count", known + 1, _NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with book.read() as connection:
        assert plans.get_mark(connection, "count") == 80
    book.close()


@ON_SQLITE
def test_a_copied_ledger_opens_as_the_same(desk: Desk, tmp_path: Path) -> None:
    path = desk.ledger.path
    assert path is not None
    shutil.copy(path, tmp_path / "copy.sqlite")
    copy = Ledger(f"sqlite:///{tmp_path}/copy.sqlite")
    copy.prepare()
    with copy.read() as connection:
        assert list(plans.ids(connection)) == [desk.bureau.plan.id]
    copy.close()


def test_marks_are_replaced_and_listed_with_their_time(tmp_path: Path) -> None:
    book = open_ledger(tmp_path)
    with book.write() as connection:
        plans.set_mark(connection, "k", {"n": 1}, _NOW)
        plans.set_mark(connection, "k", json.loads('["二"]'), _NOW)
        assert plans.marks(connection) == {"k": (["二"], _NOW)}
    book.close()


def test_f17_what_quick_check_finds_is_said(tmp_path: Path) -> None:
    open_ledger(tmp_path).close()
    path = tmp_path / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    content[36:40] = (7).to_bytes(4, "big")  # seven free pages, of which there is none
    path.write_bytes(bytes(content))
    book = Ledger(f"sqlite:///{path}")
    with pytest.raises(LedgerError, match=r"damaged \(.*[Ff]reelist.*'duban db backup'"):
        book.prepare()
    book.close()


def test_a_ledger_in_memory_can_be_saved_as_a_file(tmp_path: Path) -> None:
    book = Ledger("sqlite://", durable=False)
    book.prepare()
    with book.write() as connection:
        plans.set_mark(connection, "k", 1, _NOW)
    book.save(tmp_path / "saved.sqlite")
    book.close()
    saved = Ledger(f"sqlite:///{tmp_path}/saved.sqlite")
    saved.prepare()
    with saved.read() as connection:
        assert plans.get_mark(connection, "k") == 1
    saved.close()
