"""A private PostgreSQL on loopback: made for a run of tests, gone with it.

The programs are Debian's. PostgreSQL refuses to run as root, so root lends it to the system's own
user `postgres`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from ledger.engine import Ledger
from tests.support.ledgers import empty_ledgers

_HOMES = "/usr/lib/postgresql"
_TEMPLATE = "prepared"
_SPEED = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB")


def _programs() -> Path | None:
    """The folder of the newest server, None where none is installed."""
    found = [p.parent for p in Path(_HOMES).glob("*/bin/postgres")]
    return max(found, key=lambda p: int(p.parent.name), default=None)


def _as_owner() -> list[str]:
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Cluster:
    """One server with its data in `folder`; `stop` and `start` bring it down and up again.

    `url` names a database of it. With `durable` it waits for the disk as a real one does.
    """

    folder: Path
    programs: Path
    durable: bool = False
    port: int = field(default_factory=_free_port)
    _numbers: Iterator[int] = field(default_factory=count)

    def make(self) -> None:
        """Make the data folder."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "--no-sync", "--auth=trust", "--username=duban", "--encoding=UTF8")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        given = [f"port={self.port}", "listen_addresses=127.0.0.1", "max_connections=60"]
        given.append(f"unix_socket_directories={self.folder}")
        given.extend(() if self.durable else _SPEED)
        options = " ".join(f"-c {one}" for one in given)
        log = str(self.folder / "log")
        self._run("pg_ctl", "--wait", "--silent", "--log", log, "--options", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends all connections, `immediate` is a crash."""
        self._run("pg_ctl", "--wait", "--silent", "--mode", mode, "stop")

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped since."""
        return (self.folder / "data" / "postmaster.pid").exists()

    def follow(self) -> Cluster:
        """A running standby of this server, which is durable: what counts lies on both."""
        other = Cluster(_new_folder(), self.programs, durable=True)
        source = f"host=127.0.0.1 port={self.port} user=duban"
        if os.geteuid() == 0:
            shutil.chown(other.folder, "postgres")
        other._run(
            "pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", "--dbname", source
        )
        other.start()
        self.do("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.do("SELECT pg_reload_conf()")
        end = time.monotonic() + 30
        while self.do("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < end
        return other

    def promote(self) -> None:
        """Make a standby the primary; it takes writes when this returns."""
        self._run("pg_ctl", "--wait", "--silent", "promote")

    def url(self, database: str = "postgres") -> str:
        """The address of a database, as duban's settings want it."""
        return f"postgresql+psycopg://duban@127.0.0.1:{self.port}/{database}"

    def do(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside a transaction; gives its rows."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="duban", dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def fresh(self) -> str:
        """The name of a new database with duban's tables: a copy of one that was prepared once."""
        if (_TEMPLATE,) not in self.do("SELECT datname FROM pg_database"):
            self.do(f"CREATE DATABASE {_TEMPLATE}")
            made = Ledger(self.url(_TEMPLATE))
            made.prepare()
            made.close()
        name = f"ledger{next(self._numbers)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy")
        return name

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_as_owner(), str(self.programs / program), "-D", str(self.folder / "data")]
        # the server keeps what it is given: a pipe of ours would never end
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                [*command, *arguments], stdout=said, stderr=said, cwd="/", check=False
            )
            said.seek(0)
            assert done.returncode == 0, said.read().decode()


def _new_folder() -> Path:
    """Not under pytest's folder, which only its owner may enter."""
    return Path(tempfile.mkdtemp(prefix="duban-pg-"))


def start_cluster(*, durable: bool = False) -> Cluster | None:
    """A running server of one's own, None where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        return None
    cluster = Cluster(_new_folder(), programs, durable)
    cluster.make()
    cluster.start()
    return cluster


@pytest.fixture(scope="session")
def postgres(program: Callable[[str], Path]) -> Iterator[Cluster]:
    """A private server for the whole run."""
    cluster = start_cluster()
    if cluster is None:
        program(f"{_HOMES}/*/bin/postgres")
        raise AssertionError
    yield cluster
    cluster.stop("immediate")
    shutil.rmtree(cluster.folder)


@pytest.fixture(name="new_ledger", params=["sqlite", "postgresql"])
def both_databases(request: pytest.FixtureRequest) -> Callable[[], Ledger]:
    """Makes an empty ledger: a test that asks for it runs on both databases."""
    return empty_ledgers(request, request.param)
