"""The real plan's year, with nobody reporting: what the agenda promises is what is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest

from config.model import Audience
from tests.support.ledgers import ZONE, at
from tests.support.plans import real_plan
from tests.support.years import History, live, owed

FIRST, LAST = "02-01 00:00", "12-31 23:59"


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """2023 from 1 February on."""
    history = live(real_plan(), tmp_path_factory.mktemp("year"), FIRST, LAST)
    yield history
    history.ledger.close()


def _promised(history: History) -> Counter[tuple[str, str, str, str]]:
    """(hour, address, key, light) of every rung of every obligation, one for each person."""
    bureau = history.simulation.bureau
    found: set[tuple[str, str, str, str]] = set()
    for one in owed(history, FIRST, "2024-03-31 00:00"):
        for step in bureau.ladder(one.item.id, one.deadline, at(LAST)):
            for audience in step.audience if step.at <= at(LAST) else ():
                posts = bureau.posts(one.item.id, one.section, audience)
                people = [bureau.plan.official(p).holder(step.at.date()).email for p in posts]
                if audience is Audience.SECTION:
                    people = [bureau.plan.mailbox(bureau.plan.section(one.section))]
                found |= {
                    (f"{step.at:%m-%d %H:%M}", to, one.key, step.light.value) for to in people
                }
    return Counter(found)


def _sent(history: History) -> Counter[tuple[str, str, str, str]]:
    return Counter(
        (f"{one.at.astimezone(ZONE):%m-%d %H:%M}", one.mail.recipient, item.key, item.light.value)
        for one in history.sent
        if one.ready.facts.kind in ("reminder", "escalation")
        for item in one.ready.facts.items
    )


def test_every_rung_of_the_agenda_is_a_letter_at_its_hour_and_there_is_no_other(
    year: History,
) -> None:
    promised, sent = _promised(year), _sent(year)
    assert sum(promised.values()) > 5000
    assert promised - sent == Counter()
    assert sent - promised == Counter()


def test_nobody_gets_two_letters_within_a_minute(year: History) -> None:
    last: dict[tuple[str, str], datetime] = {}
    for one in year.sent:
        person = (one.ready.row.addressee, one.ready.row.name)
        before = last.get(person)
        assert before is None or one.at - before >= timedelta(minutes=1), one
        last[person] = one.at


def test_the_office_gets_one_digest_on_each_working_day_that_has_something_to_say(
    year: History,
) -> None:
    days = [one.at.astimezone(ZONE) for one in year.of_kind("digest")]
    assert len({day.date() for day in days}) == len(days) > 200
    assert {f"{day:%H:%M}" for day in days} == {"08:30"}
    assert all(year.simulation.bureau.calendar.is_working(day.date()) for day in days)


def test_every_mail_is_whole_and_its_message_id_its_own(year: History) -> None:
    assert len({one.mail.message_id for one in year.sent}) == len(year.sent)
    for one in year.sent[::50]:
        mail = message_from_bytes(one.mail.content, policy=policy.default)
        assert mail["Message-ID"] == one.mail.message_id
        assert one.mail.recipient in str(mail["To"])
        assert [part.get_content_type() for part in mail.iter_parts()] == [
            "text/plain",
            "text/html",
        ]
        assert one.written.fallback is None


def test_everything_is_still_owed_at_the_end_and_nothing_waits(year: History) -> None:
    with year.ledger.read() as connection:
        count = connection.exec_driver_sql
        assert count("SELECT DISTINCT state FROM obligation").scalars().all() == ["open"]
        assert set(count("SELECT DISTINCT state FROM letter").scalars()) <= {"sent"}
    assert year.simulation.refusals == []


def test_the_twenty_fifth_of_march_is_one_letter_about_the_report_and_the_special_report(
    year: History,
) -> None:
    (blue,) = [
        one
        for one in year.of_kind("reminder")
        if "special/2023-03/财务科" in one.ready.keys and one.ready.facts.light == "blue"
    ]
    assert "monthly/2023-03/财务科" in blue.ready.keys
