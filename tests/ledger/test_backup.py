"""Copies of a ledger in use, and a copy put back: whole, checked, or not at all."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from ledger.backup import back_up, restore
from ledger.engine import Ledger, LedgerError
from ledger.tables import mark
from scheduler.lock import DaemonLock
from tests.support.commands import call
from tests.support.ledgers import at, open_ledger

NOW = at("03-17 09:00")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a ledger in use, in the mode of the daemon's."""
    book = open_ledger(tmp_path, durable=True)
    write(book, "before")
    book.close()
    return tmp_path / "ledger.sqlite"


def write(book: Ledger, key: str) -> None:
    with book.write() as connection:
        connection.execute(insert(mark).values(key=key, value=key, at=NOW))


def marks(path: Path) -> set[str]:
    book = Ledger(f"sqlite:///{path}")
    with book.read() as connection:
        found = {row.key for row in connection.execute(select(mark))}
    book.close()
    return found


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def damage(path: Path) -> None:
    """Change one letter on the disk: a row and its index disagree, and only a check can tell."""
    content = path.read_bytes()
    path.write_bytes(content.replace(b"before", b"Before", 1))


def test_a_copy_is_one_moment_of_a_ledger_that_is_written_all_the_while(
    path: Path, tmp_path: Path
) -> None:
    book = Ledger(f"sqlite:///{path}")
    stop, wrote = threading.Event(), threading.Semaphore(0)

    def keep_writing() -> None:
        number = 0
        while not stop.is_set():
            with book.write() as connection:
                rows = [{"key": f"{half} {number}", "value": 1, "at": NOW} for half in "ab"]
                connection.execute(insert(mark), rows)
            number += 1
            wrote.release()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for round_ in range(5):
            for _ in range(3):
                wrote.acquire()
            back_up(path, tmp_path / f"copy-{round_}")
    finally:
        stop.set()
        writer.join()
        book.close()
    counts = []
    for round_ in range(5):
        found = marks(tmp_path / f"copy-{round_}")
        pairs = [{key[2:] for key in found if key[0] == half and key[1] == " "} for half in "ab"]
        assert pairs[0] == pairs[1]
        counts.append(len(pairs[0]))
    assert counts == sorted(counts)
    assert counts[0] >= 3


def test_a_copy_holds_what_is_still_in_the_write_ahead_log(path: Path, tmp_path: Path) -> None:
    book = Ledger(f"sqlite:///{path}")
    write(book, "fresh")
    assert path.with_name("ledger.sqlite-wal").stat().st_size
    back_up(path, tmp_path / "copy")
    book.close()
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert "copy-wal" not in names(tmp_path)
    assert marks(tmp_path / "copy") == {"before", "fresh"}


def test_f17_a_damaged_ledger_gives_no_copy_and_the_one_before_stays(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    back_up(path, copy)
    good = copy.read_bytes()
    damage(path)
    before = names(tmp_path)
    with pytest.raises(LedgerError, match=f"no copy was made at {copy}: "):
        back_up(path, copy)
    assert copy.read_bytes() == good
    assert names(tmp_path) - {"ledger.sqlite-wal", "ledger.sqlite-shm"} == before - {
        "ledger.sqlite-wal",
        "ledger.sqlite-shm",
    }


def test_a_restored_ledger_is_the_copys_and_the_one_before_is_kept_whole(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    back_up(path, copy)
    book = Ledger(f"sqlite:///{path}")
    write(book, "after")
    path.chmod(0o640)
    kept = restore(copy, path, NOW)
    book.close()
    assert marks(path) == {"before"}
    assert path.stat().st_mode & 0o777 == 0o640
    assert kept == tmp_path / "ledger.sqlite.replaced-20230317-090000"
    assert marks(kept) == {"before", "after"}
    # the copy itself is as it was
    assert marks(copy) == {"before"}


def test_f17_a_damaged_ledger_is_replaced_and_kept_with_its_log(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    back_up(path, copy)
    path.write_bytes(b"rubbish" * 1000)
    path.with_name("ledger.sqlite-wal").write_bytes(b"its log")
    kept = restore(copy, path, NOW)
    assert kept is not None
    assert kept.read_bytes() == b"rubbish" * 1000
    assert Path(f"{kept}-wal").read_bytes() == b"its log"
    assert marks(path) == {"before"}


def test_a_lost_ledger_is_restored_too(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    back_up(path, copy)
    for name in ("", "-wal", "-shm"):
        Path(f"{path}{name}").unlink(missing_ok=True)
    assert restore(copy, path, NOW) is None
    assert marks(path) == {"before"}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("damaged", "was not restored"),
        ("rubbish", "was not restored: file is not a database"),
        ("another", "is no ledger"),
        ("newer", "is of another duban's making"),
        ("nothing", "was not restored: unable to open database file"),
        ("itself", "is the ledger itself"),
    ],
)
def test_f17_what_is_no_sound_copy_changes_nothing(
    path: Path, tmp_path: Path, what: str, said: str
) -> None:
    copy = path if what == "itself" else tmp_path / "copy"
    if what not in ("nothing", "itself"):
        back_up(path, copy)
    if what == "damaged":
        damage(copy)
    elif what == "rubbish":
        copy.write_bytes(b"rubbish" * 1000)
    elif what in ("another", "newer"):
        statement = {
            "another": "DROP TABLE alembic_version",
            "newer": "UPDATE alembic_version SET version_num = '9999'",
        }[what]
        with closing(sqlite3.connect(copy)) as changed:
            changed.execute(statement)
            changed.commit()
    before = names(tmp_path)
    with pytest.raises(LedgerError, match=said):
        restore(copy, path, NOW)
    assert names(tmp_path) == before
    assert marks(path) == {"before"}


# by the command line


@pytest.fixture
def settings(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the ledger that the settings name."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("DUBAN_DATABASE", f"sqlite:///{path}")
    return path


def test_there_and_back_by_the_command_line(
    capsys: pytest.CaptureFixture[str], settings: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    assert call(capsys, "db", "backup", copy).code == 0
    settings.write_bytes(b"rubbish" * 1000)
    answer = call(capsys, "db", "restore", copy)
    assert answer.code == 0
    assert f"{settings} is now what {copy} holds" in answer.out
    assert "the ledger before: " in answer.out
    assert marks(settings) == {"before"}


def test_a_restore_tells_programs_where_all_is(
    capsys: pytest.CaptureFixture[str], settings: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    call(capsys, "db", "backup", copy)
    told = call(capsys, "db", "restore", copy, "--json").json
    assert told["ledger"] == str(settings)
    assert marks(Path(told["replaced"])) == {"before"}


def test_nothing_is_restored_while_a_daemon_runs(
    capsys: pytest.CaptureFixture[str], settings: Path, tmp_path: Path
) -> None:
    call(capsys, "db", "backup", tmp_path / "copy")
    before = settings.read_bytes()
    with DaemonLock(settings):
        answer = call(capsys, "db", "restore", tmp_path / "copy")
    assert answer.code == 1
    assert "already works on this ledger; stop it first" in answer.err
    assert settings.read_bytes() == before


def test_a_backup_leaves_an_older_ledger_as_old_as_it_is(
    capsys: pytest.CaptureFixture[str], settings: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(settings)) as older:
        older.execute("UPDATE alembic_version SET version_num = '0002'")
        older.commit()
    assert call(capsys, "db", "backup", tmp_path / "copy").code == 0
    for file in (settings, tmp_path / "copy"):
        with closing(sqlite3.connect(file)) as found:
            assert found.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)


def test_without_a_ledger_there_is_nothing_to_copy(
    capsys: pytest.CaptureFixture[str], settings: Path, tmp_path: Path
) -> None:
    settings.unlink()
    answer = call(capsys, "db", "backup", tmp_path / "copy")
    assert answer.code == 1
    assert "there is no ledger" in answer.err
    assert not settings.exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "backup",
            "pg_dump --format=custom --file='a copy' postgresql://duban@db.example:5433/duban",
        ),
        (
            "restore",
            "pg_restore --clean --if-exists --single-transaction "
            "--dbname=postgresql://duban@db.example:5433/duban 'a copy'",
        ),
    ],
)
def test_for_postgresql_the_right_command_is_told_without_the_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    url = "postgresql+psycopg://duban:geheim-7Qx9@db.example:5433/duban"
    monkeypatch.setenv("DUBAN_DATABASE", url)
    answer = call(capsys, "db", command, "a copy")
    assert answer.code == 1
    assert said in answer.err
    assert "geheim" not in answer.err + answer.out
