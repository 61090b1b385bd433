"""The other programs, each in a process of its own environment, and Postfix's smtp-source."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from bench.figures import Figures
from bench.machinery import Machinery
from bench.sink import Sink, program

_LETTER_BYTES = 6600
_SESSIONS = 8


def run(machinery: Machinery, count: int, processes: int, name: str) -> Figures:
    """Let a peer queue its mails, tell it to begin, and watch the sink."""
    service = machinery.redis_port if name == "celery" else _database(machinery, name)
    script = Path(__file__).parent / f"run_{name}.py"
    with Sink() as sink:
        given = [str(machinery.letter), *map(str, (count, processes, sink.port, service))]
        peer = subprocess.Popen(
            [machinery.peers_python, str(script), *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=machinery.folder,
        )
        machinery.started.append(peer)
        assert peer.stdin is not None
        assert peer.stdout is not None
        ready, _, queueing = peer.stdout.readline().partition(" ")
        if ready != "ready":
            raise SystemExit(f"{name} did not get ready")
        begun = time.monotonic()
        peer.stdin.write("go\n")
        peer.stdin.flush()
        taken = sink.wait(count) - begun
        peer.stdin.close()
        peer.wait(60)
        return Figures(count, taken, float(queueing))


def _database(machinery: Machinery, name: str) -> int:
    machinery.postgres.do(f"DROP DATABASE IF EXISTS {name}")
    machinery.postgres.do(f"CREATE DATABASE {name}")
    return machinery.postgres.port


def smtp_source(_machinery: Machinery, count: int) -> Figures:
    """The limit: Postfix's own C client, which has no ledger and composes nothing."""
    with Sink() as sink:
        options = ["-d", "-s", str(_SESSIONS), "-l", str(_LETTER_BYTES), "-m", str(count)]
        envelope = ["-f", "duban@qzedu.example", "-t", "s1@qzedu.example"]
        begun = time.monotonic()
        address = f"127.0.0.1:{sink.port}"
        subprocess.run([program("smtp-source"), *options, *envelope, address], check=True)
        return Figures(count, sink.wait(count) - begun)
