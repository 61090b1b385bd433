"""How far the ledger had come: kept beside its file, so that an older copy is noticed.

A backup that is put back has forgotten letters that went out since: they would be sent again. The
daemon writes the mark at every tick, after its commits, so that it is never ahead of a ledger that
only crashed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from ledger import events, letters, plans
from ledger.engine import Ledger, LedgerError, beside
from ledger.tables import event

IDENTITY = "ledger.identity"
"""The mark with a ledger's own random name."""


class HeldError(LedgerError):
    """The ledger is not the one that duban last worked on; nothing is sent until a person says so.

    `since` and `until` (UTC) bound the time of which it may know nothing.
    """

    def __init__(self, message: str, chinese: str, since: datetime | None, until: datetime) -> None:
        super().__init__(message, chinese)
        self.since, self.until = since, until


@dataclass(frozen=True, slots=True)
class Mark:
    """A ledger's name, its latest event, and when that was (RFC 3339)."""

    ledger: str
    event: int
    at: str


def check_there(file: Path | None) -> None:
    """Raise LedgerError where duban kept a ledger of which the file is gone: to be called before
    an empty one is made, that would take its place and the log that may still lie there.
    """
    if file is None or file.exists():
        return
    path = beside(file, ".mark")
    if path.exists():
        raise LedgerError(
            f"the ledger {file} is not in its place, though duban has worked on it ({path} "
            "says so); put that very file back, or restore the latest copy ('duban db restore'). "
            f"Only who means to remove all memory of it and begin anew removes {path}: letters "
            "that went out may go out again. Nothing was sent",
            f"台账 {file} 不在原处，而督办系统曾在此使用台账（见 {path}）；请将原文件放回，"
            "或用 duban db restore 恢复最近的备份。如要从空台账重新开始，请删除该标记文件，"
            "已发出的函可能再次发出。未发出任何邮件",
        )


def check(ledger: Ledger, now: datetime) -> None:
    """Raise HeldError where the ledger is older than its mark, or another one.

    Names a ledger that has no name yet. A ledger in memory or on PostgreSQL has no file for a mark.
    """
    path = _beside(ledger)
    if path is None:
        return
    with ledger.write() as connection:
        if plans.get_mark(connection, IDENTITY) is None:
            plans.set_mark(connection, IDENTITY, ledger.token(), now)
        here = _here(connection, now)
        known = _read(path)
        since = _parted(connection, known) if known else None
    if known is None:
        _write(path, here)
    else:
        _compare(ledger, known, here, since)


def held(ledger: Ledger, now: datetime) -> bool:
    """Whether `check` would refuse the ledger; only reads."""
    path = _beside(ledger)
    known = _read(path) if path else None
    if known is None:
        return False
    with ledger.read() as connection:
        here = _here(connection, now)
        since = _parted(connection, known)
    try:
        _compare(ledger, known, here, since)
    except HeldError:
        return True
    return False


def _parted(connection: Connection, known: Mark) -> datetime | None:
    """The last instant that ledger and mark have in common, None where the ledger has it all.

    The mark's event is compared, not only counted: an older copy may have grown past it since.
    """
    if known.event == 0:
        return None
    same = connection.execute(select(event.c.at).where(event.c.id == known.event)).scalar()
    if same is not None and _shown(same) == known.at:
        return None
    earlier = event.c.at <= datetime.fromisoformat(known.at)
    last = connection.execute(select(func.max(event.c.at)).where(earlier)).scalar()
    return last or datetime.min.replace(tzinfo=UTC)


def _compare(ledger: Ledger, known: Mark, here: Mark, since: datetime | None) -> None:
    until = datetime.fromisoformat(known.at)
    if known.ledger != here.ledger:
        raise HeldError(
            f"the ledger {ledger.path} is not the one that duban worked on until {known.at}; put "
            "that one back, or let 'duban db confirm' say that this one is meant. Nothing is sent "
            "until then",
            f"台账 {ledger.path} 不是督办程序用到 {known.at} 的那一份：请放回原来的台账；确"
            "要用这一份的，运行 duban db confirm。此前不会发出任何函件",
            None,
            until,
        )
    if since is not None:
        raise HeldError(
            f"the ledger {ledger.path} ends at {_shown(since)}, but duban worked on until "
            f"{known.at}: letters that went out and reports that came in between are missing in "
            "it, and such letters would be sent again. Put the newer ledger back, or let "
            "'duban db confirm' say that this one is meant. Nothing is sent until then",
            f"台账 {ledger.path} 只记到 {_shown(since)}，而督办程序用到 {known.at}：其间发"
            "出的函件和收到的报送都不在其中，那些函件会再发一次。请放回较新的台账；确要用这一份"
            "的，运行 duban db confirm。此前不会发出任何函件",
            since,
            until,
        )


def advance(ledger: Ledger, now: datetime) -> None:
    """Remember how far the ledger has come. Raises LedgerError where the disk refuses."""
    path = _beside(ledger)
    if path is None:
        return
    with ledger.read() as connection:
        here = _here(connection, now)
    if _read(path) != here:
        _write(path, here)


def confirm(ledger: Ledger, who: str, now: datetime) -> HeldError | None:
    """Accept the ledger as it is, and record who did; gives what was held, if anything was.

    A letter that waits in it may have gone out since: it keeps its Message-ID, and the ledger says
    that it may go out twice.
    """
    try:
        check(ledger, now)
    except HeldError as held:
        with ledger.write() as connection:
            letters.suspect_waiting(connection)
            events.record(
                connection,
                now,
                "ledger.confirmed",
                who,
                since=held.since and held.since.isoformat(),
                until=held.until.isoformat(),
            )
            here = _here(connection, now)
        path = _beside(ledger)
        assert path is not None  # noqa: S101 - only a file is ever held
        _write(path, here)
        return held
    return None


def _beside(ledger: Ledger) -> Path | None:
    return ledger.path and beside(ledger.path, ".mark")


def _here(connection: Connection, now: datetime) -> Mark:
    latest = connection.execute(
        select(event.c.id, event.c.at).order_by(event.c.id.desc()).limit(1)
    ).first()
    name = plans.get_mark(connection, IDENTITY)
    if latest is None:
        return Mark(name or "", 0, _shown(now))
    return Mark(name or "", latest.id, _shown(latest.at))


def _shown(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _read(path: Path) -> Mark | None:
    try:
        return Mark(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise LedgerError(
            f"{path} cannot be read ({error}); it says how far the ledger had come. Remove it if "
            "the ledger is the right one",
            f"{path} 无法读取（{error}）。它记着台账用到何时；台账确实无误的，可将它删除",
        ) from error


def _write(path: Path, mark: Mark) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(mark)) + "\n")
            file.flush()
            # else a power cut may leave an empty file under the name, and duban would not start
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise LedgerError(
            f"{path} cannot be written: {error.strerror}",
            f"{path} 无法写入（{error.strerror}），请检查所在文件夹的权限和磁盘空间",
        ) from error
