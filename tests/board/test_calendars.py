"""The calendars at signed addresses, read back by a calendar library and over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from board.calendars import text_of
from board.ical import Event, Status, calendar_text
from duban.letters import Recipient
from jobs.feeds import read_feed
from jobs.links import Feed, ForgedError
from tests.support.counters import Office
from tests.support.ledgers import Desk, MakeDesk, at, everybodys_report
from tests.support.plans import plan_of

OCTETS = 75


def events(text: str) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def calendar(desk: Desk, name: str = "财务科", *, official: bool = False) -> str:
    feed = Feed(desk.plan_id, Recipient(name, official=official))
    with desk.ledger.read() as connection:
        return text_of(read_feed(connection, desk.bureaus, feed, desk.now))


def one(desk: Desk) -> Any:
    (event,) = events(calendar(desk))
    return event


def test_a_section_sees_its_own_deadline_on_its_day(desk: Desk) -> None:
    event = one(desk)
    assert event["SUMMARY"] == "3月工作专报（17:30前）"
    assert event["DTSTART"].dt == date(2023, 3, 24)
    assert event["DTEND"].dt == date(2023, 3, 25)
    assert event["STATUS"] == "CONFIRMED"


def test_a_moved_deadline_is_the_same_event_on_another_day(desk: Desk) -> None:
    before = one(desk)
    desk.go("03-20 10:00").override(deadline=at("03-28 12:00"))
    after = one(desk)
    assert after["UID"] == before["UID"]
    assert after["DTSTART"].dt == date(2023, 3, 28)
    assert after["SUMMARY"] == "3月工作专报（12:00前）"
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTAMP"].dt == at("03-20 10:00").astimezone(UTC)


def test_what_is_done_says_so_and_what_is_exempt_is_cancelled(desk: Desk) -> None:
    desk.go("03-20 10:00").submit()
    assert one(desk)["SUMMARY"] == "3月工作专报（待核）"
    desk.accept()
    assert one(desk)["SUMMARY"] == "3月工作专报（按时）"


def test_an_exemption_cancels_the_event(desk: Desk) -> None:
    desk.override(exempt=True)
    assert one(desk)["STATUS"] == "CANCELLED"


def test_nothing_but_the_ledger_changes_the_file(desk: Desk) -> None:
    before = calendar(desk)
    desk.go("03-27 10:00")
    assert calendar(desk) == before


def test_an_official_sees_what_he_leads_and_the_head_what_is_overdue(
    make_desk: MakeDesk,
) -> None:
    desk = make_desk(everybodys_report())
    leader = desk.bureau.plan.section("财务科").leader or ""
    assert [e["SUMMARY"].partition("：")[0] for e in events(calendar(desk, leader, official=True))]
    head = desk.bureau.plan.head.post
    before = len(events(calendar(desk, head, official=True)))
    desk.go("03-27 10:00").submit()
    after = [str(e["SUMMARY"]) for e in events(calendar(desk, head, official=True))]
    assert len(after) > before
    assert not any(summary.startswith("财务科") for summary in after)


def test_a_feed_of_nobody_is_refused(desk: Desk) -> None:
    for name, official in (("没有这个科", False), ("没有这个职务", True)):
        with pytest.raises(ForgedError):
            calendar(desk, name, official=official)


def test_a_year_without_announced_holidays_is_tentative(make_desk: MakeDesk) -> None:
    desk = make_desk(plan_of(), "2026-12-01 08:00")
    found = {str(e["STATUS"]) for e in events(calendar(desk)) if e["DTSTART"].dt.year > 2026}
    assert found == {"TENTATIVE"}


def test_the_feed_is_served_at_its_signed_address(office: Office) -> None:
    feed = office.links.feed(Feed(office.desk.plan_id, Recipient("财务科")))
    path = feed.removeprefix(office.links.public_url)
    answer = office.web.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert len(events(answer.text)) == 1
    assert path in office.open(office.link())


def test_f48_a_forged_calendar_address_is_refused(office: Office) -> None:
    letter = office.links.letter_token(1)
    stale = office.links.feed(Feed(99, Recipient("财务科"))).rpartition("/")[2]
    for name in (f"{letter}.ics", "x.ics", stale):
        assert office.web.get(f"/cal/{name}").status_code == 403


_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cn", "Co"])
)
_EVENTS = st.builds(
    Event,
    uid=st.from_regex(r"[a-z0-9]{1,90}@[a-z]{1,20}", fullmatch=True),
    stamp=st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    sequence=st.integers(0, 99),
    day=st.dates(date(2020, 1, 1), date(2060, 12, 30)),
    summary=_TEXTS,
    description=st.lists(_TEXTS.filter(lambda t: t.strip() == t and t), max_size=3).map("\n".join),
    status=st.sampled_from(Status),
)


@given(st.lists(_EVENTS, max_size=4), _TEXTS)
def test_what_is_written_is_read_back_by_a_library(made: list[Event], name: str) -> None:
    text = calendar_text(name, "duban", made)
    for event, found in zip(made, events(text), strict=True):
        assert found["UID"] == event.uid
        assert found["SUMMARY"] == "".join(
            c for c in event.summary if c.isprintable() or c == "\u3000"
        )
        assert found["DTSTAMP"].dt == event.stamp
        assert found["DTSTART"].dt == event.day
        assert found["STATUS"] == event.status.value


@given(st.lists(_EVENTS, min_size=1, max_size=3))
def test_no_line_is_longer_than_the_standard_allows(made: list[Event]) -> None:
    raw = calendar_text("日历", "duban", made).encode()
    assert raw.endswith(b"END:VCALENDAR\r\n")
    for line in raw.split(b"\r\n"):
        assert len(line) <= OCTETS
        assert b"\n" not in line
        line.decode()  # no character is cut in two


def test_control_characters_and_line_breaks_cannot_add_a_property() -> None:
    event = Event(
        uid="a@b",
        stamp=at("03-20 10:00"),
        sequence=0,
        day=date(2023, 3, 24),
        summary="专报\r\nATTENDEE:mailto:x@y\x00;,\\",
        description="一\r二\u2028三",
        status=Status.CONFIRMED,
    )
    (found,) = events(calendar_text("x", "duban", [event]))
    assert "ATTENDEE" not in found
    assert found["SUMMARY"] == "专报\nATTENDEE:mailto:x@y;,\\"
    assert found["DESCRIPTION"] == "一\n二\n三"
