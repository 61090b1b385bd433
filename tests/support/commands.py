"""Calling `duban` in this process or in one of its own, and what it answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from scheduler.cli import run

ROOT = Path(__file__).parents[2]
QUANZHOU = ROOT / "config" / "quanzhou-2023"
_ENTRY = "from scheduler.cli import main; main()"


@dataclass(frozen=True)
class Answer:
    """What a command said on each stream, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one document that it must be."""
        return json.loads(self.out)


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Answer:
    """Run a command in this process."""
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    said = capsys.readouterr()
    return Answer(code, said.out, said.err)


def spawn(
    *arguments: object, code: str = _ENTRY, variables: Mapping[str, str] = MappingProxyType({})
) -> Answer:
    """Run a command, or `code`, in a process of its own with `variables` in its environment."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def environment(**variables: str) -> Mapping[str, str]:
    """This environment with an English locale, our packages on the path, and `variables`."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), **variables}
