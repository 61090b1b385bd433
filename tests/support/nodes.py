"""Several daemons on one PostgreSQL ledger, each a process of its own under a clock that goes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

_RUN = """
import asyncio, json, sys
from datetime import timedelta
from pathlib import Path
from config.settings import Settings
from scheduler.clock import SystemClock
from scheduler.daemon import run
from tests.support.ledgers import at
given = json.loads(sys.argv[1])

class Going:
    # every process counts from the same moment of the machine's
    start, since = at(given.pop("now")), given.pop("since")
    def now(self):
        return self.start + timedelta(seconds=SystemClock().now().timestamp() - self.since)

folder = Path(given.pop("folder"))
sys.exit(asyncio.run(run([folder], Settings(**given), Going())))
"""
_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 60
SECTIONS = 40

_HEAD = """\
plan:
  id: many
  title: 年度重点工作
  organization: 某市教育局
  office: 办公室
  head: 局长
  starts: 2023-02-01
officials:
  - post: 局长
    holders: [{name: 刘殊芳, email: head@edu.example}]
sections:
  - {name: 办公室, email: office@edu.example}
"""
_TAIL = """\
rules:
  - id: monthly
    title: 重点工作进展情况
    due: {monthly: 25}
    from: 2023-03
    until: 2023-03
"""


def many_sections(folder: Path) -> Path:
    """A plan of 40 sections that owe one report, due on Friday 24 March 2023, in `folder`."""
    folder.mkdir()
    numbers = range(1, SECTIONS + 1)
    own = "".join(f"  - {{name: 第{n}科, email: s{n}@edu.example}}\n" for n in numbers)
    (folder / "plan.yaml").write_text(_HEAD + own + _TAIL, encoding="utf-8")
    return folder


@dataclass
class Node:
    """One daemon; its log is read by a thread, and `until` waits for an event of it."""

    settings: dict[str, Any]
    log: list[dict[str, Any]] = field(default_factory=list)
    _heard: threading.Condition = field(default_factory=threading.Condition)
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None

    def start(self) -> Self:
        """Start the process; it need not be ready yet."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN, json.dumps(self.settings)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said = json.loads(line) if line.startswith("{") else {"event": "raw", "line": line}
            with self._heard:
                self.log.append(said)
                self._heard.notify_all()

    def count(self, name: str) -> int:
        """How often an event of this name was logged."""
        return sum(line["event"] == name for line in self.log)

    def until(self, name: str, times: int = 1) -> None:
        """Wait until an event was logged so often."""
        with self._heard:
            heard = self._heard.wait_for(lambda: self.count(name) >= times, _PATIENCE_SECONDS)
        assert heard, f"no {name} in {self.log[-20:]}"

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; gives its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return 0
        self._process = None
        process.send_signal(how)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_PATIENCE_SECONDS)
        reader.join(_PATIENCE_SECONDS)
        assert process.stderr is not None
        process.stderr.close()
        return process.returncode
