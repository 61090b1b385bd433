"""What was handed in, as an office keeps it: folders by period and section, and an index."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, Row, select

from duban.bureau import Bureau
from duban.filenames import safe_name, shown_name
from duban.standings import State, standing
from jobs.collect import WITHDRAWN
from ledger.archive import Archive
from ledger.attachments import of_submissions
from ledger.engine import LedgerError
from ledger.tables import obligation, submission

MARKER: Final = ".duban"
"""Names what an export wrote, one path a line: the next one removes that and nothing else."""

_CHUNK_BYTES: Final = 1 << 16
_MADE_BY: Final = "made by duban archive export; what is listed here is replaced by the next one"
_COLUMNS: Final = (
    "编号",
    "科室",
    "事项",
    "时期",
    "报送时间",
    "报送人",
    "状态",
    "文件名",
    "存放位置",
    "SHA-256",
)
_OUTCOMES: Final = {"accepted": "已核收", "returned": "已退回", WITHDRAWN: "已撤回"}


class OccupiedError(ValueError):
    """The folder holds files that no export made."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the index: a file, a hand-in without any, or what was never handed in.

    `given` is the file's name as its sender gave it, `path` where it lies now: empty if the archive
    has it no more.
    """

    number: str
    section: str
    item: str
    period: str
    at: datetime | None
    by: str
    standing: str
    given: str = ""
    path: str = ""
    digest: str = ""


@dataclass(slots=True)
class Exported:
    """How much was written, and the lines whose files are missing or damaged."""

    hand_ins: int = 0
    files: int = 0
    missing: list[Line] = field(default_factory=list)


def export(
    connection: Connection,
    bureau: Bureau,
    plan_id: int,
    archive: Archive,
    folder: Path,
    now: datetime,
    periods: Collection[str] = (),
) -> Exported:
    """Write everything handed in (in `periods`, or ever) into `folder`, with its index.

    What an earlier export wrote there is replaced. Raises OccupiedError, touching nothing, for a
    folder with anything else in it, and OSError where it cannot be written.
    """
    done = Exported()
    with _Room(folder) as room:
        lines = []
        for row in _obligations(connection, plan_id, periods):
            for line, digest in _lines(connection, bureau, row, now, done):
                lines.append(_placed(line, digest, archive, room, done))
        _write_csv(room.new("index.csv"), lines)
        with room.new("index.html").open("x", encoding="utf-8") as file:
            file.write(_html(bureau, lines, now))
    return done


class _Room:
    """The folder of an export, and the list of what was written there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> _Room:
        marker = self.folder / MARKER
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            if not marker.is_file():
                raise OccupiedError(
                    f"{self.folder} holds what no export made; name a new folder or an empty one"
                )
            self._clear(marker.read_text(encoding="utf-8").splitlines()[1:])
        self.folder.mkdir(parents=True, exist_ok=True)
        self._list = marker.open("w", encoding="utf-8")
        self._list.write(f"{_MADE_BY}\n")
        return self

    def __exit__(self, *_error: object) -> None:
        self._list.close()

    def new(self, name: str) -> Path:
        """The path of a new file; it is listed before it is written."""
        self._list.write(f"{name}\n")
        self._list.flush()
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def taken(self, place: str) -> set[str]:
        """The names that are used in a sub-folder, in lower case."""
        folder = self.folder / place
        return {p.name.lower() for p in folder.iterdir()} if folder.is_dir() else set()

    def _clear(self, listed: Sequence[str]) -> None:
        """Remove what an earlier export wrote, and the folders that are empty then."""
        home = self.folder.resolve()
        for name in listed:
            path = (self.folder / name).resolve()
            if name and path.is_relative_to(home) and path.is_file():
                path.unlink()
        for place in sorted(self.folder.glob("*/**/"), reverse=True):
            if place != self.folder and not any(place.iterdir()):
                place.rmdir()


def _obligations(
    connection: Connection, plan_id: int, periods: Collection[str]
) -> Sequence[Row[Any]]:
    wanted = select(obligation).where(obligation.c.plan_id == plan_id)
    if periods:
        wanted = wanted.where(obligation.c.period.in_(periods))
    ordered = wanted.order_by(obligation.c.period, obligation.c.section, obligation.c.id)
    return connection.execute(ordered).all()


def _lines(
    connection: Connection, bureau: Bureau, row: Row[Any], now: datetime, done: Exported
) -> Iterator[tuple[Line, str]]:
    """The lines of one obligation, each with its file's digest (empty: no file)."""
    state = State(row.state)
    stands = standing(state, row.deadline, row.late, now).chinese
    item = bureau.plan.items.get(row.item)
    known = (row.section, item.title if item else row.item, row.period)
    received = connection.execute(
        select(submission).where(submission.c.obligation_id == row.id).order_by(submission.c.id)
    ).all()
    if not received and row.deadline <= now and state not in (State.BEFORE, State.DROPPED):
        yield Line("", *known, None, "", stands), ""
    kept = of_submissions(connection, [one.id for one in received])
    for one in received:
        done.hand_ins += 1
        outcome = _OUTCOMES.get(one.outcome, stands) + ("（迟报）" if one.late else "")
        about = (one.number, *known, bureau.local(one.at), one.by, outcome)
        files_of = kept.get(one.id, ()) if one.outcome != WITHDRAWN else ()
        for file in files_of:
            yield Line(*about, given=file.name, digest=file.sha256), file.sha256
        if not files_of:
            yield Line(*about, given=(one.note and f"（说明）{one.note}") or ""), ""


def _placed(line: Line, digest: str, archive: Archive, room: _Room, done: Exported) -> Line:
    """The line with its file copied into the folder of its period and section."""
    if not digest:
        return line
    place = f"{safe_name(line.period)}/{safe_name(line.section)}"
    name = f"{place}/{safe_name(line.given, room.taken(place))}"
    try:
        with archive.open(digest) as source:
            path = room.new(name)
            with path.open("xb") as target:
                whole = _copy(source, target) == digest
    except LedgerError:
        done.missing.append(line)
        return line
    if not whole:
        path.unlink()
        done.missing.append(line)
        return line
    done.files += 1
    return replace(line, path=name)


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    found = hashlib.sha256()
    while chunk := source.read(_CHUNK_BYTES):
        found.update(chunk)
        target.write(chunk)
    return found.hexdigest()


def _write_csv(path: Path, lines: Sequence[Line]) -> None:
    # with a byte order mark, without which Excel takes UTF-8 for the local code page
    with path.open("x", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        rows.writerows([_harmless(cell) for cell in _cells(line)] for line in lines)


def _cells(line: Line) -> list[str]:
    at = f"{line.at:%Y-%m-%d %H:%M}" if line.at else ""
    shown = shown_name(line.given) if line.digest else line.given
    return [
        line.number,
        line.section,
        line.item,
        line.period,
        at,
        line.by,
        line.standing,
        shown,
        line.path or ("（文件缺失）" if line.digest else ""),
        line.digest,
    ]


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text: senders choose the names of their files."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _html(bureau: Bureau, lines: Sequence[Line], now: datetime) -> str:
    templates = Environment(
        loader=FileSystemLoader(str(files("templates").joinpath("archive"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("index.html").render(
        about=bureau.plan.about,
        columns=_COLUMNS,
        rows=[(line, _cells(line)) for line in lines],
        now=bureau.local(now),
    )
