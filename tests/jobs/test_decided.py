"""An obligation's story says who decided about it, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loader import load_plan
from jobs.decide import exempt, extend
from jobs.explain import account
from jobs.story import story
from tests.support import small_plan
from tests.support.ledgers import Desk, MakeDesk, at

KEY, HEIR = "special/2023-03/财务科", "special/2023-03/初幼教科"
WHO = "办公室经办"
WHY = "本月无此项工作"


def told(desk: Desk, key: str = KEY) -> list[str]:
    """The lines of the story about the deadline, with their labels."""
    now = desk.bureau.local(desk.now)
    with desk.ledger.read() as connection:
        found = account(desk.bureau, key, now, connection)
    assert found is not None
    (dates,) = (part for part in story(desk.bureau, found, now) if part.heading == "时限")
    return [f"{line.label} {line.text}" for line in dates.lines]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the plan's files lie."""
    (tmp_path / "plan").mkdir()
    return small_plan.save(tmp_path / "plan")


@pytest.fixture
def desk(make_desk: MakeDesk, folder: Path) -> Desk:
    """Monday 20 March 2023, 10:00; the report is due on the 24th."""
    desk = make_desk(load_plan(folder).plan, "03-01 08:00")
    desk.reconcile()
    return desk.go("03-20 10:00")


def follow(desk: Desk, folder: Path) -> None:
    """The daemon reads the files again."""
    plan = load_plan(folder).plan
    assert plan is not None
    desk.replan(plan)


def decided(desk: Desk, **more: Any) -> Any:
    return desk.act(KEY, who=WHO, via="board", reason=WHY, **more)


def test_an_exemption_on_the_pages_is_told_with_its_author(desk: Desk, folder: Path) -> None:
    exempt(desk.ledger, desk.bureau, folder, decided(desk))
    said = f"决定 2023-03-20 周一 10:00 {WHO}在网页上决定：免报，理由：{WHY}"
    assert said in told(desk)  # at once, before the daemon has followed the file
    follow(desk, folder)
    assert f"变更 2023-03-20 周一 10:00 台账记录：免报，理由：{WHY}，{WHO}决定" in told(desk)


def test_an_extension_on_the_pages_is_told_with_its_author(desk: Desk, folder: Path) -> None:
    extend(desk.ledger, desk.bureau, folder, decided(desk), at("04-03 17:30").date())
    limit = "2023-04-03 周一 17:30"
    said = f"决定 2023-03-20 周一 10:00 {WHO}在网页上决定：时限改为{limit}，理由：{WHY}"
    assert said in told(desk)
    follow(desk, folder)
    moved = f"由2023-03-24 周五 17:30改为{limit}，理由：{WHY}，{WHO}决定"
    assert f"变更 2023-03-20 周一 10:00 台账记录：{moved}" in told(desk)


def test_an_exemption_in_the_files_is_told_with_its_author(desk: Desk) -> None:
    desk.override(KEY, exempt=True, reason=WHY, by=WHO)
    assert f"变更 2023-03-20 周一 10:00 台账记录：免报，理由：{WHY}，{WHO}决定" in told(desk)


def test_who_hands_over_and_who_takes_over_both_tell_whose_decision_it_was(desk: Desk) -> None:
    desk.override(KEY, reassign="初幼教科", reason=WHY, by=WHO)
    moved = f"免报，理由：改由初幼教科承办：{WHY}，{WHO}决定"
    assert f"变更 2023-03-20 周一 10:00 台账记录：{moved}" in told(desk)
    for key in (KEY, HEIR):
        assert any(
            line.startswith(f"决定 改由初幼教科承办，理由：{WHY}") and WHO in line
            for line in told(desk, key)
        )


def test_an_exemption_never_gets_the_author_of_another_decision(desk: Desk, folder: Path) -> None:
    exempt(desk.ledger, desk.bureau, folder, decided(desk))
    desk.override(KEY, exempt=True, reason="会议冲突")
    assert "变更 2023-03-20 周一 10:00 台账记录：免报，理由：会议冲突" in told(desk)
