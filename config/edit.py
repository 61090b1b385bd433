"""Change a file of a plan as a whole: only to one that loads, and one writer at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from config.durable import replace_file
from config.encoding import decode
from config.loader import OVERRIDES, PLAN, Loaded, load_plan

EDITABLE: Final = (OVERRIDES, PLAN)
_LOCK: Final = ".overrides.lock"


class ChangedMeanwhileError(ValueError):
    """The file on the disk is not the one that was edited any more."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file of a plan as somebody sees it: its text, and the digest of its bytes on the disk."""

    text: str
    digest: str


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other writers out of a plan's folder."""
    with (folder / _LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def draft(folder: Path, name: str) -> Draft:
    """A file for the editor; empty where it is not there. Raises ValueError for what is no text."""
    data = _bytes(folder / name)
    text, problems = decode(data, name)
    if text is None:
        raise ValueError(str(problems[0]))
    return Draft(text, sha256(data).hexdigest())


def tried(folder: Path, name: str, text: str) -> Loaded:
    """The plan as it would be with this text in one of its files; nothing is written."""
    return load_plan(folder, instead={name: _encoded(folder / name, text)})


def write(folder: Path, name: str, text: str, was: str) -> Loaded:
    """Put a text in the place of a file whose bytes have the digest `was`.

    Nothing is written where the plan would not load. Raises ChangedMeanwhileError, OSError.
    """
    with locked(folder):
        path = (folder / name).resolve()
        if sha256(_bytes(path)).hexdigest() != was:
            raise ChangedMeanwhileError(f"{path} was changed meanwhile")
        loaded = tried(folder, name, text)
        if loaded.plan is not None:
            replace_file(path, _encoded(path, text))
    return loaded


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _encoded(path: Path, text: str) -> bytes:
    """A text in UTF-8 with the file's own line ends: browsers send others."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and not plain.endswith("\n"):
        plain += "\n"
    old = _bytes(path)
    mark = b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b""
    return mark + (plain.replace("\n", "\r\n") if b"\r\n" in old else plain).encode()
