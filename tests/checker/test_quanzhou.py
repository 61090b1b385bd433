"""The real plan's whole year, simulated by the command and proved from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.checker.__main__ import main
from tests.checker.days import shift
from tests.checker.journal import Mail, read_journal
from tests.checker.plan import Duty, PlanReader
from tests.support.commands import QUANZHOU, call

SPAN = ("--from", "2023-02-01", "--to", "2023-12-31")
HEAD, DEPUTY = "liushufang@jyj.quanzhou.example", "zhengjiancong@jyj.quanzhou.example"
LATE = "财务科"

Deeds = Iterable[dict[str, Any]]
Live = Callable[[Deeds], list[Mail]]


@pytest.fixture
def live(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Live:
    """Simulates the year with these deeds, proves it, and gives what the relay took."""

    def run(deeds: Deeds) -> list[Mail]:
        script, out = tmp_path / "script.jsonl", tmp_path / "out"
        lines = (json.dumps(deed, ensure_ascii=False) for deed in deeds)
        script.write_text("\n".join(lines), encoding="utf-8")
        done = call(capsys, "simulate", QUANZHOU, *SPAN, "--script", script, "--out", out, "--json")
        assert done.json["refusals"] == []
        journal = out / "letters.jsonl"
        options = ("--plan", QUANZHOU, "--history", script)
        proved = main([str(a) for a in (journal, *options, *SPAN)])
        assert proved == 0, capsys.readouterr().out
        return read_journal(journal)

    return run


def on_time(but: Callable[[Duty], bool] = lambda duty: False) -> Deeds:
    """Every section hands in four working days before each deadline; the office accepts."""
    for duty in PlanReader(QUANZHOU).duties(date(2024, 3, 31)):
        if not but(duty):
            day = shift(duty.deadline.date(), -4)
            yield {"at": f"{day}T10:00", "do": "submit", "key": duty.key}
            yield {"at": f"{day}T11:00", "do": "accept", "key": duty.key}


def of_the_late_section(duty: Duty) -> bool:
    """What the one section does not hand in."""
    return duty.section == LATE


def officials(mails: list[Mail]) -> set[str]:
    """Everybody beside the sections who got a mail."""
    sections = set(PlanReader(QUANZHOU).mailboxes.values())
    return {mail.to for mail in mails} - sections


def between(mails: list[Mail], first: str, last: str) -> list[Mail]:
    """The mails of some days."""
    return [mail for mail in mails if first <= f"{mail.at:%m-%d}" <= last]


def test_a_year_in_which_nobody_reports_is_proved(live: Live) -> None:
    assert len(officials(live([]))) == 7


def test_where_everybody_is_on_time_no_official_gets_a_single_mail(live: Live) -> None:
    mails = live(on_time())
    assert officials(mails) == set()
    assert {m.kind for m in mails} == {"reminder", "receipt", "digest"}


def test_one_late_section_alarms_its_own_officials_only(live: Live) -> None:
    mails = live(on_time(of_the_late_section))
    assert officials(mails) == {HEAD, DEPUTY}
    sections = {key.rpartition("/")[2] for m in mails if m.kind == "escalation" for key in m.keys}
    assert sections == {LATE}


def test_ten_days_without_the_daemon_cost_nothing_but_time(live: Live) -> None:
    pause = [
        {"at": "2023-03-20T10:00", "do": "daemon", "state": "down"},
        {"at": "2023-03-30T10:00", "do": "daemon", "state": "up"},
    ]
    deeds = [
        deed for deed in on_time(of_the_late_section) if not "03-20" < deed["at"][5:] < "03-31"
    ]
    mails = live([*deeds, *pause])
    assert between(mails, "03-21", "03-29") == []
    first = [m for m in between(mails, "03-30", "03-30") if m.kind == "reminder"]
    assert len(first) == len({m.to for m in first}) > 1


def test_a_deadline_that_moves_earlier_and_one_that_moves_later_are_followed(live: Live) -> None:
    moved = [
        {"at": "2023-05-19T11:00", "do": "override", "deadline": "2023-05-18", "period": "2023-05"},
        {"at": "2023-08-22T11:00", "do": "override", "deadline": "2023-09-01", "period": "2023-08"},
    ]
    more = {"item": "monthly", "section": LATE, "reason": "会议冲突"}
    mails = live([*on_time(of_the_late_section), *({**m, **more} for m in moved)])
    key = f"monthly/2023-05/{LATE}"
    told = [m for m in mails if key in m.keys]
    assert [m.kind for m in between(told, "05-19", "05-19")] == ["change", "reminder"]
    assert [m.to for m in between(told, "05-20", "05-22") if m.kind == "escalation"]
    assert len([m for m in mails if m.kind == "change"]) == 2


def test_a_successor_takes_over_in_the_middle_of_a_ladder(live: Live) -> None:
    heir = "jiren@jyj.quanzhou.example"
    change = {"at": "2023-03-28T12:00", "do": "holder", "post": "刘殊芳", "name": "继任者"}
    mails = live([*on_time(of_the_late_section), change | {"email": heir}])
    escalations = [m for m in mails if m.kind == "escalation"]
    assert {m.to for m in between(escalations, "03-29", "12-31")} == {heir, DEPUTY}
    assert HEAD in {m.to for m in between(escalations, "02-01", "03-28")}


def test_a_relay_that_is_down_over_a_deadline_delays_but_loses_nothing(live: Live) -> None:
    outage = [
        {"at": "2023-06-19T08:00", "do": "smtp", "state": "down"},
        {"at": "2023-06-28T15:00", "do": "smtp", "state": "up"},
    ]
    mails = live([*on_time(of_the_late_section), *outage])
    assert between(mails, "06-19", "06-27") == []
    back = between(mails, "06-28", "06-28")
    assert {"reminder", "notice"} <= {m.kind for m in back}
    assert all(m.at - back[0].at < timedelta(hours=1, minutes=15) for m in back)
