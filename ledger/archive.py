"""The files that sections hand in: raw bytes in a folder beside the ledger, named by SHA-256.

What a sender called a file never becomes a path. Nothing is ever unpacked or run.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from config.durable import sync_folder
from ledger.engine import LedgerError

_CHUNK_BYTES: Final = 1 << 16
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class TooLargeError(ValueError):
    """A file is larger than the archive takes; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the archive: its SHA-256 in hexadecimal, and its size in bytes."""

    digest: str
    size: int


class Archive:
    """A folder of files by content; `largest` is the most bytes that one may have.

    A file is complete and on the disk before `put` returns: only then may the database name it.
    A crash between the two leaves a file that nothing names, never a name without a file.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self.folder, self.largest = folder, largest

    def put(self, source: bytes | BinaryIO) -> Stored:
        """Keep a file; the same bytes twice are kept once. Raises TooLargeError, LedgerError."""
        stream = BytesIO(source) if isinstance(source, bytes) else source
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".incoming-")
            try:
                with os.fdopen(handle, "wb") as file:
                    stored = self._copy(stream, file)
                    file.flush()
                    os.fsync(file.fileno())
                self._settle(Path(name), stored)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise LedgerError(
                f"the archive {self.folder} cannot be written ({error.strerror}); check its owner, "
                "its mode and the room on its disk; nothing was recorded",
                f"材料文件夹 {self.folder} 无法写入（{error.strerror}），请检查其属主、权限和"
                "磁盘空间；没有登记",
            ) from error
        return stored

    def open(self, digest: str) -> BinaryIO:
        """The file's bytes from its beginning. Raises LedgerError where it is not there."""
        try:
            return self._path(digest).open("rb")
        except OSError as error:
            raise LedgerError(
                f"the archive {self.folder} has no file {digest} ({error.strerror}); restore the "
                "folder from the backup of the same day as the ledger",
                f"材料文件夹 {self.folder} 中没有文件 {digest}（{error.strerror}），请用与台"
                "账同一天的备份恢复该文件夹",
            ) from error

    def locate(self, digest: str) -> Path:
        """Where the file lies, for who only reads it. Raises LedgerError where it is not there."""
        self.open(digest).close()
        return self._path(digest)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a SHA-256 in hexadecimal")
        return self.folder / digest[:2] / digest

    def _copy(self, source: BinaryIO, target: BinaryIO) -> Stored:
        found, size = hashlib.sha256(), 0
        while chunk := source.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > self.largest:
                raise TooLargeError(f"the file has more than {self.largest} bytes")
            found.update(chunk)
            target.write(chunk)
        return Stored(found.hexdigest(), size)

    def _settle(self, incoming: Path, stored: Stored) -> None:
        path = self._path(stored.digest)
        path.parent.mkdir(exist_ok=True, mode=0o750)
        incoming.replace(path)
        for folder in (path.parent, self.folder):
            sync_folder(folder)
