"""The house's own rules: its names, its one clock, its locks, the size of its files."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("board", "config", "duban", "jobs", "ledger", "mailroom", "scheduler", "templates")
CLOCK = ROOT / "scheduler/clock.py"
LOCKS = ("requirements.lock", "requirements-dev.lock")
LONGEST_FILE_LINES = 400
LONGEST_FUNCTION_LINES = 45

CLOCK_READS = {
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
    "time": {"ctime", "gmtime", "localtime", "time", "time_ns"},
    "func": {"current_date", "current_time", "current_timestamp", "localtime", "now"},
    "utils": {"localtime", "make_msgid"},
}
SQL_CLOCK = re.compile(
    r"\b(current_timestamp|current_date|datetime\('now'|strftime\([^)]*'now')", re.IGNORECASE
)


def sources() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def clock_reads(source: str) -> Iterator[int]:
    """The lines of a source that read the clock: by attribute, by import, or in SQL."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            if node.attr in CLOCK_READS.get(ast.unparse(node.value).rpartition(".")[2], ()):
                yield node.lineno
        elif isinstance(node, ast.ImportFrom):
            room = (node.module or "").rpartition(".")[2]
            if room != "datetime" and any(a.name in CLOCK_READS.get(room, ()) for a in node.names):
                yield node.lineno
        elif isinstance(node, ast.Constant) and SQL_CLOCK.search(str(node.value)):
            yield node.lineno


@pytest.mark.parametrize("room", ROOMS)
def test_each_top_level_name_belongs_to_our_distribution_alone(room: str) -> None:
    assert set(packages_distributions()[room]) == {"duban"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_lives_in_it(room: str) -> None:
    text = (ROOT / room / "__init__.py").read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", sources(), ids=short)
def test_only_the_clock_reads_the_time(path: Path) -> None:
    if path == CLOCK:
        return
    assert list(clock_reads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\nField(default_factory=date.today)",
        "import time\ntime.time()",
        "from time import time\n",
        "from sqlalchemy import func\nfunc.now()",
        "from email.utils import make_msgid\n",
        "text('SELECT CURRENT_TIMESTAMP')",
    ],
)
def test_a_read_of_the_clock_is_found(source: str) -> None:
    assert list(clock_reads(source))


def test_there_is_one_clock_in_the_clock() -> None:
    assert len(list(clock_reads(CLOCK.read_text(encoding="utf-8")))) == 1


# A migration is a list of what to do, not a function to be understood as a whole.
@pytest.mark.parametrize(
    "path", [path for path in sources() if path.parent.name != "versions"], ids=short
)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE_LINES
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_no_path(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"^-.*|.*://.*|.* @ .*|.*\s[.~]*/\w.*", text, re.MULTILINE) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_with_its_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    logical = [
        line for line in text.replace("\\\n", " ").splitlines() if line and line[0] not in " #"
    ]
    assert logical
    pinned = re.compile(
        r"[a-z0-9._-]+(?:\[[a-z0-9,_-]+\])?==\S+(?: ; [^-]+)?(?:\s+--hash=sha256:[0-9a-f]{64})+\s*"
    )
    assert [line for line in logical if not pinned.fullmatch(line)] == []


def versions(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def test_what_is_tested_is_what_is_shipped() -> None:
    assert versions("requirements.lock").items() <= versions("requirements-dev.lock").items()


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[\[<>=~! ]", line)[0] for line in project["dependencies"]}
    assert names <= set(versions("requirements.lock"))
