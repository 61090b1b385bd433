"""The archive: bytes by their digest, complete before anything names them."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from ledger.archive import Archive, TooLargeError
from ledger.attachments import File, assign, attach, of_submissions
from ledger.engine import LedgerError
from tests.support.ledgers import Desk, at

REPORT = "三月专报".encode()
NOW: datetime = at("03-20 10:00")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", largest=1000)


def files(archive: Archive) -> list[str]:
    return sorted(p.name for p in archive.folder.rglob("*") if p.is_file())


def test_what_was_put_comes_out_again_by_its_digest(archive: Archive) -> None:
    stored = archive.put(REPORT)
    assert stored.digest == hashlib.sha256(REPORT).hexdigest()
    assert stored.size == len(REPORT)
    with archive.open(stored.digest) as file:
        assert file.read() == REPORT


def test_the_same_bytes_are_kept_once(archive: Archive) -> None:
    assert archive.put(REPORT) == archive.put(io.BytesIO(REPORT))
    assert len(files(archive)) == 1


def test_an_empty_file_is_a_file(archive: Archive) -> None:
    assert archive.put(b"").size == 0


def test_f46_a_file_that_is_too_large_leaves_nothing(archive: Archive) -> None:
    with pytest.raises(TooLargeError):
        archive.put(io.BytesIO(b"x" * 1001))
    assert files(archive) == []


def test_f46_an_endless_stream_is_given_up_at_the_limit(archive: Archive) -> None:
    class Endless(io.BytesIO):
        read_bytes = 0

        def read(self, size: int | None = -1) -> bytes:
            self.read_bytes += size or 0
            return b"\0" * (size or 0)

    endless = Endless()
    with pytest.raises(TooLargeError):
        archive.put(endless)
    assert endless.read_bytes < 1_000_000


def test_f46_an_archive_in_a_file_is_never_unpacked(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("../../escape.txt", b"\0" * 10_000_000)
    archive = Archive(tmp_path / "archive", largest=100_000)
    stored = archive.put(bomb.getvalue())
    assert stored.size < 100_000
    assert files(archive) == [stored.digest]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["archive"]


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_f46_only_a_digest_opens_a_file(archive: Archive, digest: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        archive.open(digest)


def test_a_missing_file_is_named_with_a_way_out(archive: Archive) -> None:
    with pytest.raises(LedgerError, match="restore the folder from the backup"):
        archive.open("0" * 64)


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LedgerError, match="cannot be written"):
        Archive(tmp_path / "file" / "archive", 10).put(b"x")


def test_a_file_is_on_the_disk_before_it_gets_its_name(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def spy_fsync(handle: int) -> None:
        order.append("fsync")
        fsync(handle)

    def spy_replace(self: Path, target: Path) -> Path:
        order.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    archive.put(REPORT)
    assert order == ["fsync", "rename", "fsync", "fsync"]


def test_a_copy_that_breaks_off_leaves_nothing(archive: Archive) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise RuntimeError("gone")
            return super().read(3)

    with pytest.raises(RuntimeError):
        archive.put(Breaking(REPORT))
    assert files(archive) == []


def test_a_file_may_come_before_its_submission_is_known(desk: Desk, archive: Archive) -> None:
    stored = archive.put(REPORT)
    desk.submit()
    submission = desk.submissions()[0].id
    with desk.ledger.write() as connection:
        first = attach(connection, File(stored, "../3月\x00专报.docx", "text/plain"), NOW, "财务科")
        assert of_submissions(connection, [submission]) == {}
        assign(connection, [first], submission)
        attach(connection, File(stored, "附件.xlsx", ""), NOW, "财务科", submission)
    with desk.ledger.read() as connection:
        found = of_submissions(connection, [submission])[submission]
    assert [row.name for row in found] == ["../3月\ufffd专报.docx", "附件.xlsx"]
    assert {row.sha256 for row in found} == {stored.digest}
    assert found[0].added_at == NOW
