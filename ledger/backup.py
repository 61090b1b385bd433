"""Copies of an SQLite ledger: taken while it is in use, and put back in its place.

A copy is complete, checked and on the disk before it gets its name; until then what had the name
before is untouched.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from config.durable import sync_folder
from ledger.engine import LedgerError

_COMPANIONS = ("-wal", "-shm", "-journal")


def back_up(source: Path, dest: Path) -> None:
    """Copy a ledger in use to `dest`, readable to its owner alone. Raises LedgerError."""
    if dest.is_dir() or dest.resolve() == source.resolve():
        raise LedgerError(
            f"cannot copy to {dest}: name another file", f"不能备份到 {dest}，请换一个文件名"
        )
    failure = f"no copy was made at {dest}", f"没有备份到 {dest}"
    with _copied(source, dest, failure) as part:
        part.replace(dest)
        sync_folder(dest.parent)


def restore(copy: Path, ledger: Path, now: datetime) -> Path | None:
    """Put a copy in the ledger's place; no daemon may run. Gives where the ledger before is now.

    Raises LedgerError, having changed nothing, for a copy that is damaged or no ledger.
    """
    if copy.resolve() == ledger.resolve():
        raise LedgerError(
            f"{copy} is the ledger itself: name a copy of it",
            f"{copy} 就是台账本身，请指定它的备份",
        )
    with _copied(copy, ledger, (f"{copy} was not restored", f"没有恢复 {copy}")) as part:
        _check_version(part, copy)
        kept = None
        if ledger.exists():
            _like(part, ledger)
            kept = _keep(ledger, now)
        part.replace(ledger)
        sync_folder(ledger.parent)
    return kept


@contextmanager
def _copied(source: Path, dest: Path, failure: tuple[str, str]) -> Iterator[Path]:
    """A sound copy of `source` beside `dest`, gone again at the end unless it was renamed."""
    part = dest.with_name(f".{dest.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(source, part)
        yield part
    except (OSError, sqlite3.Error, LedgerError) as error:
        chinese = error.chinese if isinstance(error, LedgerError) else error
        raise LedgerError(f"{failure[0]}: {error}", f"{failure[1]}：{chinese}") from error
    finally:
        for name in ("", *_COMPANIONS):
            Path(f"{part}{name}").unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    # an absent source is an error, not a new empty database
    address = f"{source.resolve().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True)) as old, closing(sqlite3.connect(part)) as new:
        # all pages in one step, so one moment: step by step, each write begins the copy anew
        old.backup(new, pages=-1)
        # one file that needs no companions wherever it is carried
        new.execute("PRAGMA journal_mode = DELETE")
        found = new.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        said = " ".join(found.split())
        raise LedgerError(f"{source} is damaged ({said})", f"{source} 已损坏（{said}）")
    with part.open("rb") as written:
        os.fsync(written.fileno())


def _check_version(part: Path, copy: Path) -> None:
    from ledger.migrate import knows  # alembic costs a second to import

    with closing(sqlite3.connect(part)) as found:
        try:
            row = found.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            raise LedgerError(f"{copy} is no ledger", f"{copy} 不是台账") from error
    if row is None or not knows(row[0]):
        raise LedgerError(
            f"{copy} is of another duban's making; install that version",
            f"{copy} 由另一版本的督办程序建立，请安装该版本",
        )


def _like(part: Path, ledger: Path) -> None:
    """Give the copy the ledger's mode and, where we may, its owner: the service must read it."""
    was = ledger.stat()
    part.chmod(was.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(part, was.st_uid, was.st_gid)


def _keep(ledger: Path, now: datetime) -> Path:
    """Give the ledger a second name; its own goes over to the copy in one step.

    A crash on the way leaves a ledger in its place: never none, which a daemon would begin anew.
    It is not opened: it may be damaged, and its log the only whole thing.
    """
    kept = ledger.with_name(f"{ledger.name}.replaced-{now:%Y%m%d-%H%M%S}")
    os.link(ledger, kept)
    for name in _COMPANIONS:
        companion = Path(f"{ledger}{name}")
        if companion.exists():
            companion.rename(f"{kept}{name}")
    return kept
