"""A section asks for more time, and the office grants or refuses it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from config.loader import load_plan
from config.splice import OverrideRefusedError
from jobs.collect import RefusedError
from jobs.extensions import grant, of_obligations, open_requests, refuse, request
from tests.support import small_plan
from tests.support.ledgers import Desk, MakeDesk, at, told
from tests.support.mails import text_of

KEY = "monthly/2023-03/财务科"
LATER = date(2023, 4, 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_plan.save(tmp_path)


@pytest.fixture
def desk(make_desk: MakeDesk, folder: Path) -> Desk:
    """A desk for a plan with a folder, on Monday 20 March; the report is due on the 24th."""
    plan = load_plan(folder).plan
    assert plan is not None
    return make_desk(plan, "03-01 08:00").go("03-20 10:00")


def ask(desk: Desk, wished: date = LATER, key: str = KEY, reason: str = "材料未齐") -> int:
    return request(desk.ledger, desk.bureau, desk.act(key, via="link", reason=reason), wished)


def say_yes(desk: Desk, folder: Path, deadline: date | None = None) -> None:
    grant(desk.ledger, desk.bureau, folder, desk.act(KEY, who="办公室"), deadline)


def say_no(desk: Desk, reason: str | None = "督导在即") -> None:
    refuse(desk.ledger, desk.bureau, desk.act(KEY, who="办公室", reason=reason))


def waiting(desk: Desk) -> list[date]:
    with desk.ledger.read() as connection:
        return [row.wished for row in open_requests(connection, desk.plan_id)]


def outcomes(desk: Desk) -> list[str | None]:
    with desk.ledger.read() as connection:
        return [row.outcome for row in of_obligations(connection, [desk.row(KEY).id])]


def follow(desk: Desk, folder: Path) -> None:
    plan = load_plan(folder).plan
    assert plan is not None
    desk.replan(plan)


def test_a_request_changes_nothing_but_waits_for_the_office(desk: Desk) -> None:
    before = desk.row(KEY)
    ask(desk)
    assert desk.row(KEY) == before
    assert waiting(desk) == [LATER]
    assert [e.data["wished"] for e in desk.events("extension.requested")] == ["2023-04-03"]


def test_a_granted_request_moves_the_deadline_and_tells_the_section(
    desk: Desk, folder: Path
) -> None:
    ask(desk)
    say_yes(desk, folder)
    follow(desk, folder)
    assert desk.row(KEY).deadline == at("04-03 17:30")
    assert waiting(desk) == []
    assert outcomes(desk) == ["granted"]
    (sent,) = desk.deliver()
    assert told([sent]) == [("change", "office@edu.example")]  # 办公室 stands in for 财务科
    assert sent.ready.facts.items[0].reason == "科室申请延期：材料未齐"


def test_the_office_may_grant_another_day_than_was_wished(desk: Desk, folder: Path) -> None:
    ask(desk)
    say_yes(desk, folder, date(2023, 3, 28))
    follow(desk, folder)
    assert desk.row(KEY).deadline == at("03-28 17:30")


def test_a_refused_request_leaves_the_deadline_and_tells_the_section_why(desk: Desk) -> None:
    ask(desk)
    say_no(desk)
    assert outcomes(desk) == ["refused"]
    (sent,) = [s for s in desk.deliver() if s.ready.facts.kind == "notice"]
    assert sent.written.subject.endswith("3月重点工作进展情况延期申请未获同意")
    assert "督导在即" in text_of(sent.written.content)
    assert desk.row(KEY).deadline == at("03-24 17:30")


def test_a_second_request_replaces_the_first(desk: Desk) -> None:
    ask(desk)
    ask(desk, date(2023, 4, 6))
    assert waiting(desk) == [date(2023, 4, 6)]
    assert outcomes(desk) == ["replaced", None]


def test_a_request_waits_for_nothing_once_the_report_is_there(desk: Desk, folder: Path) -> None:
    ask(desk)
    desk.submit(KEY)
    assert waiting(desk) == []
    with pytest.raises(RefusedError, match="no request"):
        say_yes(desk, folder)


@pytest.mark.parametrize(
    ("wished", "reason", "why"),
    [
        (date(2023, 3, 24), "材料未齐", "no more time"),
        (date(2023, 3, 19), "材料未齐", "no more time"),
        (date(2024, 4, 3), "材料未齐", "too far off"),
        (LATER, " \r\n ", "needs a reason"),
    ],
)
def test_a_request_that_asks_for_nothing_is_refused(
    desk: Desk, wished: date, reason: str, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        ask(desk, wished, reason=reason)
    assert waiting(desk) == []


def test_nothing_is_extended_that_is_not_owed(desk: Desk) -> None:
    desk.submit(KEY)
    with pytest.raises(RefusedError, match="nothing to extend"):
        ask(desk)


def test_a_refusal_needs_a_reason_and_a_request(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="no request"):
        say_no(desk)
    ask(desk)
    with pytest.raises(RefusedError, match="needs a reason"):
        say_no(desk, None)
    assert outcomes(desk) == [None]


def test_a_grant_that_gives_no_more_time_is_refused(desk: Desk, folder: Path) -> None:
    ask(desk)
    with pytest.raises(RefusedError, match="no later than the present deadline"):
        say_yes(desk, folder, date(2023, 3, 24))
    assert outcomes(desk) == [None]


def test_a_plan_that_cannot_take_the_decision_leaves_the_request_open(
    desk: Desk, folder: Path
) -> None:
    ask(desk)
    (folder / "overrides.yaml").write_text("overrides: 7\n", encoding="utf-8")
    with pytest.raises((OverrideRefusedError, ValueError)):
        say_yes(desk, folder)
    assert outcomes(desk) == [None]


def test_a_reason_of_several_lines_becomes_one(desk: Desk, folder: Path) -> None:
    ask(desk, reason="材料\r\n未齐\x1b")
    say_yes(desk, folder)
    follow(desk, folder)
    assert desk.bureau.plan.overrides[-1].reason == "科室申请延期：材料 未齐"
