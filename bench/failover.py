"""How long letters pause while a standby takes the primary's place.

    python -m bench.failover [RUNS]

A daemon has forty letters to send. At the tenth its PostgreSQL is stopped as by a crash, or all
packets to and from it are lost; what watches over it is thought to notice at once, and promotes the
standby. Prints for a quick and for the usual `tick_seconds`, and for the usual and a shorter
patience with silence, the seconds until the standby takes writes, and from then to the next mail.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from scheduler.clock import SystemClock
from tests.support.lines import Line
from tests.support.nodes import LETTERS, Node, many_sections, message_ids
from tests.support.postgres import start_cluster
from tests.support.smtp import FaultyServer

_AT = 10
_PATIENCE_S = 300
_CASES = {
    "crash, tick 1 s": (1, False, ""),
    "crash, tick 20 s": (20, False, ""),
    "silence, tick 20 s": (20, True, ""),
    "silence, tick 20 s, connect_timeout=3&tcp_user_timeout=9000": (
        20,
        True,
        "&connect_timeout=3&tcp_user_timeout=9000&keepalives_idle=5&keepalives_interval=2",
    ),
}
"""Seconds of a tick, whether nobody is told of the end, and what the address says of waiting."""


class Failover:
    """One daemon, two servers, one mail server; `run` gives both spans in seconds."""

    def __init__(self, folder: Path, tick_seconds: float, silent: bool, waiting: str) -> None:
        primary = start_cluster(durable=True)
        if primary is None:
            raise SystemExit("PostgreSQL is not installed (see .ci/run for the packages)")
        self._primary, self._standby = primary, primary.follow()
        self._database = primary.fresh()
        self._mail = FaultyServer(before_answer=self._strike, after_answer=self._note).start()
        self._line = Line(primary.port) if silent else None
        self._struck, self._promoted, self._next = threading.Event(), threading.Event(), 0.0
        ways = (self._line or primary, self._standby)
        hosts = "&".join(f"host=127.0.0.1:{s.port}" for s in ways)
        self._node = Node(
            {
                "folder": str(many_sections(folder / "plan")),
                "since": SystemClock().now().timestamp(),
                "now": "2023-03-17 09:00",
                "database": f"postgresql://duban@/{self._database}?{hosts}"
                f"&target_session_attrs=read-write{waiting}",
                "smtp_host": "127.0.0.1",
                "smtp_port": self._mail.port,
                "smtp_tls": "none",
                "mail_from": "duban@edu.example",
                "tick_seconds": tick_seconds,
                "log_format": "json",
            }
        )

    def _strike(self, count: int) -> None:
        if count == _AT:
            if self._line:
                self._line.fall_silent()
            else:
                self._primary.stop("immediate")
            self._struck.set()

    def _note(self, _count: int) -> None:
        if self._promoted.is_set() and not self._next:
            self._next = time.monotonic()

    def run(self) -> tuple[float, float]:
        """Lose the primary; gives the spans to the promotion and from it to the next mail."""
        try:
            self._node.start()
            assert self._struck.wait(_PATIENCE_S)
            if self._line is None:
                self._node.until("tick.failed")
            lost = time.monotonic()
            self._standby.promote()
            promoted = time.monotonic()
            self._promoted.set()
            self._mail.wait_for(LETTERS, _PATIENCE_S)
            copies = message_ids(self._mail)
            assert len(copies) == copies.total() == LETTERS, "lost, or sent twice"
            return promoted - lost, self._next - promoted
        finally:
            self._node.kill()
            self._mail.stop()
            if self._line:
                self._line.stop()
                self._primary.stop("immediate")
            self._standby.stop("immediate")
            for server in (self._primary, self._standby):
                shutil.rmtree(server.folder)


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for case, given in _CASES.items():
        found = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                found.append(Failover(Path(folder), *given).run())
        for name, spans in (
            ("promotion", [promoted for promoted, _ in found]),
            ("then the next mail", [mail for _, mail in found]),
        ):
            told = ", ".join(f"{span:.1f}" for span in spans)
            print(f"{case}; {name}: {told}; median {statistics.median(spans):.1f} s", flush=True)


if __name__ == "__main__":
    main()
