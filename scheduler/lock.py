"""One daemon to one SQLite ledger: the second refuses at once and names the first."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType

from ledger.engine import LedgerError, beside


class AlreadyRunningError(RuntimeError):
    """Another daemon works on the same ledger; the message names it, `chinese` too."""

    def __init__(self, message: str, chinese: str) -> None:
        super().__init__(message)
        self.chinese = chinese


class DaemonLock:
    """A lock that the kernel drops when the process ends, however it ends.

    `path` is the ledger's file, or a link to it; the lock lies beside the file itself. None (no
    SQLite file) locks nothing. Raises LedgerError where no lock can lie there.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path and beside(path, ".lock")
        self._held: int | None = None

    def __enter__(self) -> DaemonLock:
        if self._path is None:
            return self
        try:
            held = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(
                f"the lock {self._path} cannot be opened ({error.strerror}); check that its folder "
                "exists, and that this user may write there",
                f"锁文件 {self._path} 无法打开（{error.strerror}），请确认所在文件夹存在，且本用户"
                "可以写入",
            ) from error
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            first = os.read(held, 200).decode("utf-8", "replace").strip()
            os.close(held)
            raise AlreadyRunningError(
                f"another duban ({first or 'just starting'}) already works on this ledger; "
                "stop it first, or give this one a ledger of its own",
                f"已有督办程序（{_in_chinese(first) or '刚刚启动'}）在用这份台账，请先停止它，"
                "或给这一个另设台账",
            ) from error
        os.ftruncate(held, 0)
        os.write(held, f"process {os.getpid()} on {socket.gethostname()}".encode())
        self._held = held
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _in_chinese(first: str) -> str:
    return first.replace("process ", "进程").replace(" on ", "，主机", 1)
