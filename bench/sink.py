"""Postfix's smtp-sink: takes mail as fast as it comes, and counts."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from typing import Self

_COUNT = re.compile(rb"mesg=(\d+)")
_GLANCE_S = 0.01


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str) -> str:
    """Where a system program is; ends the run with a plain word where it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise SystemExit(f"{name} is not installed (see .ci/run for the packages)")
    return found


class Sink:
    """A running sink; `count` is how many mails it took."""

    def __init__(self) -> None:
        self.port, self.count = free_port(), 0
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            [program("smtp-sink"), "-c", *user, f"127.0.0.1:{self.port}", "1024"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._answers()

    def _answers(self) -> None:
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(_GLANCE_S)
            else:
                return
        raise SystemExit("smtp-sink does not listen")

    def _read(self) -> None:
        """Look now and then: a look at every mail would take the processor from the sender."""
        assert self._process.stdout is not None
        pipe, tail = self._process.stdout.fileno(), b""
        while said := os.read(pipe, 1 << 16):
            tail = tail[-100:] + said
            counts = _COUNT.findall(tail[: tail.rfind(b"\r") + 1])
            if counts:
                self.count = int(counts[-1])
            time.sleep(_GLANCE_S)

    def wait(self, count: int, seconds: float = 900) -> float:
        """Wait for so many mails; gives the machine's monotonic time when they were there."""
        until = time.monotonic() + seconds
        while self.count < count:
            if time.monotonic() > until:
                raise SystemExit(f"only {self.count} of {count} mails came in {seconds} s")
            time.sleep(_GLANCE_S)
        return time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join(5)
