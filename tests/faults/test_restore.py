"""An old backup put back, or another ledger: nothing is sent until a person says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger import events
from ledger.backup import back_up
from ledger.engine import Ledger, LedgerError
from ledger.highwater import HeldError, advance, check, confirm, held
from tests.support.ledgers import Desk, at, open_ledger
from tests.support.nodes import StartNode
from tests.support.smtp import FaultyServer


def _file(desk: Desk) -> Path:
    path = desk.ledger.path
    assert path is not None
    return path


def _put_back(copy: Path, path: Path) -> None:
    for beside in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        beside.unlink(missing_ok=True)
    shutil.copy(copy, path)


@pytest.fixture
def restored(desk: Desk, tmp_path: Path) -> Ledger:
    """The desk's ledger as it was before a reminder went out; duban has seen it since."""
    check(desk.ledger, desk.now)
    back_up(_file(desk), tmp_path / "copy.sqlite")
    desk.beat("03-17 09:00")
    advance(desk.ledger, desk.now)
    desk.ledger.close()
    _put_back(tmp_path / "copy.sqlite", _file(desk))
    return open_ledger(tmp_path, _file(desk).name)


def test_f18_an_older_ledger_is_held_and_the_time_that_it_misses_is_named(
    restored: Ledger,
) -> None:
    with pytest.raises(HeldError, match="but duban worked on until 2023-03-17T01:00:00") as caught:
        check(restored, at("03-18 09:00"))
    assert caught.value.since == at("03-01 08:00")
    assert caught.value.until == at("03-17 09:00")
    restored.close()


def test_f18_whether_a_ledger_is_held_can_be_asked_without_a_change(
    desk: Desk, restored: Ledger
) -> None:
    now = at("03-18 09:00")
    assert held(restored, now)
    confirm(restored, "办公室", now)
    assert not held(restored, now)
    restored.close()


def test_f18_an_older_ledger_that_grew_past_the_mark_is_held_all_the_same(
    desk: Desk, restored: Ledger
) -> None:
    with restored.write() as connection:
        for _ in range(500):
            events.record(connection, at("03-17 10:00"), "submission.made", "办公室")
    with pytest.raises(HeldError, match="ends at 2023-03-01T00:00:00") as caught:
        check(restored, at("03-18 09:00"))
    assert caught.value.since == at("03-01 08:00")
    restored.close()


def test_f18_what_waits_in_a_confirmed_ledger_may_go_out_twice_and_the_ledger_says_so(
    desk: Desk, tmp_path: Path
) -> None:
    desk.go("03-17 09:00").remind()
    check(desk.ledger, desk.now)
    back_up(_file(desk), tmp_path / "copy.sqlite")
    (first,) = desk.deliver()
    advance(desk.ledger, desk.now)
    desk.ledger.close()
    _put_back(tmp_path / "copy.sqlite", _file(desk))
    desk.ledger = open_ledger(tmp_path, _file(desk).name)
    assert confirm(desk.ledger, "管理员", desk.go("03-17 15:00").now) is not None
    (again,) = desk.deliver()
    assert again.mail.message_id == first.mail.message_id
    assert [row.uncertain for row in desk.letters()] == [True]


def test_f18_a_person_can_say_that_the_older_ledger_is_meant_and_that_is_recorded(
    desk: Desk, restored: Ledger
) -> None:
    now = at("03-18 09:00")
    assert confirm(restored, "管理员", now) is not None
    check(restored, now)
    assert confirm(restored, "管理员", now) is None
    desk.ledger = restored
    (line,) = desk.events("ledger.confirmed")
    assert (line.who, line.data["until"]) == ("管理员", "2023-03-17T01:00:00+00:00")


def test_f18_another_ledger_in_its_place_is_held(desk: Desk, tmp_path: Path) -> None:
    check(desk.ledger, desk.now)
    desk.ledger.close()
    _put_back(open_other(tmp_path), _file(desk))
    other = open_ledger(tmp_path, _file(desk).name)
    with pytest.raises(HeldError, match="is not the one that duban worked on"):
        check(other, desk.now)
    other.close()


def open_other(folder: Path) -> Path:
    book = Ledger(f"sqlite:///{folder}/other.sqlite", durable=False, seed=1)
    book.prepare()
    check(book, at("03-01 08:00"))
    book.close()
    return folder / "other.sqlite"


def test_f18_an_older_ledger_is_held_by_whatever_name(restored: Ledger, tmp_path: Path) -> None:
    """A link to the file leads to its mark."""
    path, link = restored.path, tmp_path / "link.sqlite"
    assert path is not None
    link.symlink_to(path)
    linked = Ledger(f"sqlite:///{link}")
    with pytest.raises(HeldError, match="but duban worked on until"):
        check(linked, at("03-18 09:00"))
    linked.close()
    restored.close()


def test_f18_a_ledger_that_went_on_is_not_held(desk: Desk) -> None:
    check(desk.ledger, desk.now)
    desk.beat("03-17 09:00")  # and a crash before the mark was moved
    check(desk.ledger, desk.now)


def test_f18_a_mark_that_cannot_be_read_is_named(desk: Desk) -> None:
    path = _file(desk)
    path.with_name(f"{path.name}.mark").write_text("{", "utf-8")
    with pytest.raises(LedgerError, match="cannot be read"):
        check(desk.ledger, desk.now)


def test_f18_the_daemon_sends_nothing_from_an_older_ledger(
    start_node: StartNode, faulty: FaultyServer, tmp_path: Path
) -> None:
    first = start_node(now="2023-03-16 09:00")
    first.until("daemon.ready")
    assert first.stop() == 0
    back_up(tmp_path / "ledger.sqlite", tmp_path / "copy.sqlite")
    second = start_node()
    faulty.wait_for(3)
    second.stop()
    _put_back(tmp_path / "copy.sqlite", tmp_path / "ledger.sqlite")
    sent = len(faulty.mails)
    third = start_node()
    assert third.wait() != 0
    assert any("duban db confirm" in line.get("line", "") for line in third.log)
    assert len(faulty.mails) == sent
