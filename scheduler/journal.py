"""What left the house, as files: `letters.jsonl` and the mails; same history, same bytes."""

from __future__ import annotations

import json
import re
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Final, Self, TextIO
from zoneinfo import ZoneInfo

from jobs.marking import Sent

LETTERS: Final = "letters.jsonl"
MAIL: Final = "mail"
LEDGER: Final = "ledger.sqlite"
MARKER: Final = ".duban"
"""Says that duban made a folder, and may therefore empty it."""

_OURS: Final = (LETTERS, LEDGER, f"{LEDGER}-journal", f"{LEDGER}-wal", f"{LEDGER}-shm")
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_NAME_CHARACTERS: Final = 40


class OccupiedError(ValueError):
    """The folder holds files that duban did not make there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One letter that the relay accepted. The fields are a contract; `at` is RFC 3339."""

    at: str
    to: str
    recipient: str
    light: str | None
    kind: str
    subject: str
    message_id: str
    obligations: list[str]
    file: str


_FIELDS: Final = tuple(f.name for f in fields(Entry))


@dataclass
class Journal:
    """Writes each accepted letter into `folder`, which `make_room` has prepared; counts them.

    Times are written in `zone`, mails into the sub-folder `mail`. Use it as a context manager: the
    list is closed at its end.
    """

    folder: Path
    zone: ZoneInfo
    mail: str = MAIL
    kinds: Counter[str] = field(default_factory=Counter)
    lights: Counter[str] = field(default_factory=Counter)
    _count: int = 0
    _file: TextIO | None = None
    # making a file can wait for the disk: another thread does, while the next letter is worded
    _writer: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1))
    _writes: list[Future[int]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._file = (self.folder / LETTERS).open("w", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, *_error: object) -> None:
        self._writer.shutdown()
        if self._file is not None:
            self._file.close()
        for write in self._writes:
            write.result()

    @property
    def count(self) -> int:
        """How many letters were accepted."""
        return self._count

    def add(self, sent: Sent) -> Entry:
        """Write one letter; gives its line."""
        self._count += 1
        facts = sent.ready.facts
        name = f"{self._count:05d}-{facts.kind.value}-{_safe(facts.recipient)}.eml"
        entry = Entry(
            at=sent.at.astimezone(self.zone).isoformat(timespec="seconds"),
            to=sent.mail.recipient,
            recipient=facts.recipient,
            light=facts.light.value if facts.light else None,
            kind=facts.kind.value,
            subject=sent.written.subject,
            message_id=sent.mail.message_id,
            obligations=list(sent.ready.keys),
            file=f"{self.mail}/{name}",
        )
        path = self.folder / entry.file
        self._writes.append(self._writer.submit(path.write_bytes, sent.mail.content))
        if self._file is not None:
            line = {name: getattr(entry, name) for name in _FIELDS}
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.kinds[entry.kind] += 1
        if entry.light:
            self.lights[entry.light] += 1
        return entry


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name)[:_NAME_CHARACTERS].strip("-.") or "x"


def make_room(folder: Path, made_by: str, mail: str = MAIL) -> None:
    """Make `folder` ready for a new history; what duban wrote there before is removed.

    Raises OccupiedError, touching nothing, for a folder with files that duban did not make.
    """
    marker = folder / MARKER
    if folder.exists():
        if not folder.is_dir():
            raise OccupiedError(f"{folder} is a file, not a folder")
        if any(folder.iterdir()) and not marker.is_file():
            raise OccupiedError(
                f"{folder} holds files that duban did not make; name a new folder or an empty one"
            )
    mails = folder / mail
    mails.mkdir(parents=True, exist_ok=True)
    marker.write_text(f"made by {made_by}; replaced by its next run\n", encoding="utf-8")
    for old in (*(folder / name for name in _OURS), *mails.glob("*.eml"), *mails.glob("*.html")):
        old.unlink(missing_ok=True)
