"""What the contenders run on: databases, a queue, an environment for the peers, a letter."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from bench.sink import free_port, program
from mailroom.render import Speaker
from mailroom.samples import samples
from tests.support.postgres import Cluster, start_cluster

_HOME = Path(__file__).parent


class Machinery:
    """Everything is made when it is first asked for, in `folder`, and ends with the run."""

    peers_file = _HOME / "peers.txt"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cluster: Cluster | None = None
        self._redis: subprocess.Popen[bytes] | None = None
        self._redis_port = 0
        self._number = 0
        self.started: list[subprocess.Popen[Any]] = []
        """What contenders started: whoever still runs at the end is killed."""

    def fresh(self, name: str) -> Path:
        """A path that nobody has yet."""
        self._number += 1
        return self.folder / f"{name}-{self._number}"

    @property
    def postgres(self) -> Cluster:
        """A PostgreSQL of our own that waits for the disk."""
        if self._cluster is None:
            self._cluster = start_cluster(durable=True)
        if self._cluster is None:
            raise SystemExit("PostgreSQL is not installed (see .ci/run for the packages)")
        return self._cluster

    @property
    def redis_port(self) -> int:
        """The port of a Redis of our own, which keeps nothing on the disk."""
        if self._redis is None:
            self._redis_port = free_port()
            options = ["--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
            self._redis = subprocess.Popen(
                [program("redis-server"), "--port", str(self._redis_port), *options],
                stdout=subprocess.DEVNULL,
            )
            time.sleep(1)
        return self._redis_port

    @cached_property
    def peers_python(self) -> str:
        """The Python of the peers' environment; kept beside the benches for the next time."""
        home = _HOME / ".peers"
        python = home / "bin" / "python"
        wanted = self.peers_file.read_text(encoding="utf-8")
        stamp = home / "installed.txt"
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            venv.create(home, clear=True, with_pip=True)
            install = ["-m", "pip", "install", "--quiet", "--requirement", str(self.peers_file)]
            subprocess.run([str(python), *install], check=True, stdout=sys.stderr)
            stamp.write_text(wanted, encoding="utf-8")
        return str(python)

    @cached_property
    def letter(self) -> Path:
        """A letter as the peers send it: subject, text and HTML of a reminder of one report."""
        speaker = Speaker(None)
        reminders = [f for f in samples() if f.kind.value == "reminder" and not f.link]
        of_one = [f for f in reminders if len(f.items) == 1]
        rendered = max(map(speaker.render, of_one), key=lambda letter: len(letter.html))
        file = self.folder / "letter.json"
        said = {"subject": rendered.subject, "text": rendered.text, "html": rendered.html}
        file.write_text(json.dumps(said), encoding="utf-8")
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        if self._cluster is not None:
            self._cluster.stop("immediate")
            subprocess.run(["rm", "-rf", str(self._cluster.folder)], check=True)
        if self._redis is not None:
            self._redis.terminate()
            self._redis.wait()
