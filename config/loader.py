"""A plan's folder as a `Plan`, or every problem with it: file, line, column and what to do."""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from config import confirm, decisions, references, salvage
from config import parts as partition
from config.encoding import MAX_BYTES, decode
from config.holidays import Notice, parse_notice
from config.messages import problems_of
from config.model import OverridesFile, PlanFile
from config.parts import Parts, Source
from config.plan import Plan
from config.problems import Problem
from config.yamltext import Document, read
from config.yamltext import Path as Way

PLAN: Final = "plan.yaml"
OVERRIDES: Final = "overrides.yaml"
HOLIDAYS: Final = "holidays"

_YEAR: Final = re.compile(r"(\d{4})\.txt", re.ASCII)


@dataclass(frozen=True)
class Loaded:
    """The plan, or None where there is any error; and all problems, by file, line and column."""

    plan: Plan | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems for which the plan was refused."""
        return tuple(p for p in self.problems if p.severity == "error")


def load_plan(folder: Path, *, instead: Mapping[str, bytes] | None = None) -> Loaded:
    """Read and check the plan in `folder`; never raises for what stands in its files.

    `instead` has the bytes to take for files by their names, to try out a change.
    """
    files, problems = _files(folder)
    if instead:
        files |= instead
        problems = [p for p in problems if p.file not in instead]
    notices, more = _notices(files)
    plan, found = _plan(files, notices)
    problems = sorted({*problems, *more, *found})
    broken = any(p.severity == "error" for p in problems)
    return Loaded(None if broken else plan, tuple(problems))


def _files(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The bytes of the plan's files by their names, and those that cannot be read."""
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for name in (PLAN, OVERRIDES, *holiday_files(folder)):
        try:
            files[name] = _read(folder / name)
        except (FileNotFoundError, NotADirectoryError):
            if name == PLAN:
                problems.append(Problem(name, 1, 1, f"there is no {PLAN} in {str(folder)!r}"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            problems.append(Problem(name, 1, 1, f"the file cannot be read: {reason}"))
    return files, problems


def _read(path: Path) -> bytes:
    """The bytes of a file, no more than one too many. Raises OSError, for a pipe or device too.

    A pipe would keep the daemon waiting for whoever writes into it, and a device has no end.
    """
    kind = path.stat().st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise OSError("it is no file, but a pipe or a device")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def holiday_files(folder: Path) -> list[str]:
    """The names of the files with holiday notices, in order, as `holidays/2023.txt`."""
    try:
        found = sorted(p.name for p in (folder / HOLIDAYS).iterdir() if p.suffix == ".txt")
    except (OSError, ValueError):
        return []
    return [f"{HOLIDAYS}/{name}" for name in found]


def _notices(files: Mapping[str, bytes]) -> tuple[dict[int, Notice], list[Problem]]:
    notices: dict[int, Notice] = {}
    problems: list[Problem] = []
    for file in files:
        if not file.startswith(f"{HOLIDAYS}/"):
            continue
        year = _YEAR.fullmatch(file.removeprefix(f"{HOLIDAYS}/"))
        if year is None:
            message = "not read: the file of a year's notice is named like 2024.txt"
            problems.append(Problem(file, 1, 1, message, "warning"))
            continue
        text, found = decode(files[file], file)
        problems += found
        if text is not None:
            notice, found = parse_notice(text, int(year[1]), file)
            problems += found
            if notice is not None:
                notices[int(year[1])] = notice
    return notices, problems


def _plan(
    files: Mapping[str, bytes], notices: Mapping[int, Notice]
) -> tuple[Plan | None, list[Problem]]:
    source = _source(files, PLAN)
    decided = _source(files, OVERRIDES)
    problems = [*source.problems, *decided.problems]
    source.problems, decided.problems = [], []
    stated, parts = _stated(source)
    rulings = _decisions(decided, parts)
    if parts.raw:
        references.check(parts, source)
        decisions.check(parts, decided)
        confirm.notes(parts, source)
    plan = None
    broken = any(p.severity == "error" for p in (*problems, *source.problems, *decided.problems))
    if stated is not None and rulings is not None and not broken:
        plan = Plan(stated, rulings.overrides, notices, _digest(files))
        confirm.guesses(parts, source, plan)
    return plan, [*problems, *source.problems, *decided.problems]


def _source(files: Mapping[str, bytes], file: str) -> Source:
    """The document of a file; one that is not there, or that cannot be read, states nothing."""
    if file not in files:
        return Source(file, Document())
    document, problems = read(files[file], file)
    made = document or Document()
    if document is not None and not isinstance(document.value, dict):
        if document.value is not None:
            message = f"{file} must hold keys with their values, such as '{_first_key(file)}:'"
            problems.append(Problem(file, *document.place(()), message))
        elif file == PLAN:
            problems.append(Problem(file, 1, 1, "the file is empty"))
        made.value = None
    return Source(file, made, problems)


def _first_key(file: str) -> str:
    return "plan" if file == PLAN else "overrides"


def _stated(source: Source) -> tuple[PlanFile | None, Parts]:
    raw = source.document.value
    if not isinstance(raw, dict):
        return None, Parts(raw={})
    try:
        file = PlanFile.model_validate(raw)
    except ValidationError as error:
        source.problems += problems_of(error, source.document, source.file, PlanFile)
        return None, salvage.parts_of(raw)
    parts = partition.whole(raw, file)
    _note_origins(
        source, [(("plan",), file.about), *parts.officials, *parts.sections, *parts.items]
    )
    return file, parts


def _decisions(source: Source, parts: Parts) -> OverridesFile | None:
    raw = source.document.value or {}
    try:
        file = OverridesFile.model_validate(raw)
    except ValidationError as error:
        source.problems += problems_of(error, source.document, source.file, OverridesFile)
        salvage.add_overrides(parts, raw)
        return None
    parts.overrides = partition.decisions(file)
    _note_origins(source, parts.overrides)
    return file


def _note_origins(source: Source, entries: Iterable[tuple[Way, Any]]) -> None:
    for path, entry in entries:
        # Frozen models keep their private attributes writable: the origin is not part of the value.
        entry._origin = f"{source.file}:{source.line(path)}"


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}:{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()
