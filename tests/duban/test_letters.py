"""One recipient, one letter, one tick: which rungs go into which letter."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.model import Audience, Light
from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.ladder import Step
from duban.letters import Called, Draft, Recipient, drafts, recipients
from tests.support.ladders import at
from tests.support.plans import plan_of

SECTION, LEADER, HEAD = Audience
NOW = at("2023-03-27 09:00")
LIU = {"name": "刘殊芳", "email": "liushufang@edu.example"}
CHEN = {"name": "陈军宣", "email": "chenjunxuan@edu.example"}
XU = {"name": "徐昌裕", "email": "xuchangyu@edu.example"}
# 陈军宣 holds two posts until 1 July; from then on 徐昌裕 has the second, and 陈军宣 the head's.
OFFICIALS = [
    {"post": "局长", "holders": [LIU, {**CHEN, "from": "2023-09-01"}]},
    {"post": "副局长", "holders": [CHEN]},
    {"post": "督导室主任", "holders": [CHEN, {**XU, "from": "2023-07-01"}]},
]
SECTIONS = [
    {"name": "办公室", "email": "bangongshi@edu.example"},
    {"name": "财务科", "email": "caiwu@edu.example", "leader": "副局长"},
    {"name": "督导科", "email": "dudao@edu.example", "leader": "督导室主任"},
    {"name": "组织科", "email": "zuzhi@edu.example"},
]
PROJECT = {
    "id": "p",
    "title": "教研员到省外跟岗",
    "leads": [
        {"official": "副局长", "section": "财务科"},
        {"official": "督导室主任", "section": "督导科"},
    ],
}
MILESTONE = {"id": "m", "title": "召开推进会", "month": "2023-03", "project": "p"}
BUREAU = Bureau(
    plan_of(officials=OFFICIALS, sections=SECTIONS, projects=[PROJECT], milestones=[MILESTONE])
)
NAMES = [str(s["name"]) for s in SECTIONS]


def call(
    audience: Audience = SECTION,
    section: str = "财务科",
    *,
    obligation: int = 1,
    item: str = "monthly",
    light: Light = Light.RED,
) -> Called:
    step = Step("+1", NOW, light, (audience,))
    return Called(obligation, item, section, audience, step)


calls = st.lists(
    st.builds(
        call,
        st.sampled_from(Audience),
        st.sampled_from(NAMES),
        obligation=st.integers(1, 3),
        item=st.sampled_from(["monthly", "m", "p"]),
        light=st.sampled_from(Light),
    ),
    max_size=12,
)
instants = st.sampled_from([NOW, at("2023-07-01 09:00"), at("2023-10-09 09:00")])


def person(recipient: Recipient, now: datetime) -> str:
    """Whose hands a letter comes into: the address."""
    plan = BUREAU.plan
    if recipient.official:
        return plan.official(recipient.name).holder(now.date()).email
    return plan.mailbox(plan.section(recipient.name))


def addressed(called: Called) -> set[Recipient]:
    """Whom a rung means, read from the plan by hand."""
    if called.audience is SECTION:
        return {Recipient(called.section)}
    if called.audience is HEAD:
        return {Recipient("局长", official=True)}
    led = {"财务科": {"副局长"}, "督导科": {"督导室主任"}}
    others = {"副局长", "督导室主任"} if called.item in {"m", "p"} else {"局长"}
    return {Recipient(post, official=True) for post in led.get(called.section, others)}


def made(*listed: Called, now: datetime = NOW) -> list[Draft]:
    return drafts(BUREAU, listed, now)


def test_nobody_is_written_to_without_a_rung() -> None:
    assert made() == []


def test_a_section_s_two_reports_stand_in_one_letter() -> None:
    (draft,) = made(call(obligation=1), call(obligation=2))
    assert (draft.recipient, [c.obligation for c in draft.calls]) == (Recipient("财务科"), [1, 2])


def test_each_section_gets_its_own_letter() -> None:
    found = made(call(section="财务科"), call(section="督导科"))
    assert [d.recipient.name for d in found] == ["财务科", "督导科"]


def test_an_official_s_letter_lists_the_sections_that_are_led() -> None:
    (draft,) = made(call(HEAD, "财务科"), call(HEAD, "督导科"))
    assert [c.section for c in draft.calls] == ["财务科", "督导科"]


def test_who_holds_two_posts_gets_one_letter() -> None:
    (draft,) = made(call(LEADER, "财务科"), call(LEADER, "督导科"))
    assert draft.recipient == Recipient("副局长", official=True)
    assert len(draft.calls) == 2


def test_one_obligation_stands_once_in_the_letter_to_a_holder_of_two_of_its_posts() -> None:
    (draft,) = made(call(LEADER, "组织科", item="m"))
    assert len(draft.calls) == 1


def test_from_the_day_that_a_successor_takes_over_there_are_two_letters() -> None:
    rungs = (call(LEADER, "财务科"), call(LEADER, "督导科"))
    assert len(made(*rungs, now=at("2023-06-30 17:00"))) == 1
    assert len(made(*rungs, now=at("2023-07-01 00:00"))) == 2


def test_f29_the_day_of_taking_over_is_the_plan_s_not_utc_s() -> None:
    rungs = (call(LEADER, "财务科"), call(LEADER, "督导科"))
    assert len(made(*rungs, now=datetime.fromisoformat("2023-06-30T15:59:00+00:00"))) == 1
    assert len(made(*rungs, now=datetime.fromisoformat("2023-06-30T16:00:00+00:00"))) == 2


def test_where_the_next_level_up_is_the_same_person_there_is_one_letter() -> None:
    now = at("2023-10-09 09:00")
    (draft,) = made(call(LEADER, "财务科"), call(HEAD, "财务科"), now=now)
    assert [c.audience for c in draft.calls] == [LEADER, HEAD]


def test_a_section_and_a_post_of_one_name_are_two_recipients() -> None:
    officials = [{"post": "办公室", "holders": [LIU]}, {"post": "局长", "holders": [LIU]}]
    bureau = Bureau(plan_of(officials=officials, sections=SECTIONS[:1]))
    found = drafts(bureau, [call(SECTION, "办公室"), call(HEAD, "办公室")], NOW)
    assert [d.kind for d in found] == [LetterKind.REMINDER, LetterKind.ESCALATION]


def test_letters_come_in_the_order_of_their_first_rung() -> None:
    found = made(call(section="督导科"), call(HEAD), call(section="财务科"), call(section="督导科"))
    assert [d.recipient.name for d in found] == ["督导科", "局长", "财务科"]


def test_a_section_gets_a_reminder_whatever_its_light() -> None:
    assert {d.kind for light in Light for d in made(call(light=light))} == {LetterKind.REMINDER}


def test_an_official_gets_an_escalation() -> None:
    assert [d.kind for d in made(call(LEADER), call(HEAD))] == [LetterKind.ESCALATION] * 2


@pytest.mark.parametrize(
    ("lights", "expected"),
    [
        ([Light.BLUE, Light.YELLOW], Light.YELLOW),
        ([Light.RED, Light.BLUE], Light.RED),
        ([Light.BLUE], Light.BLUE),
    ],
)
def test_a_letter_has_the_most_urgent_light_of_its_rungs(
    lights: list[Light], expected: Light
) -> None:
    (draft,) = made(*(call(obligation=n, light=light) for n, light in enumerate(lights)))
    assert draft.light is expected


@given(calls)
def test_a_rung_addresses_whom_the_plan_names(listed: list[Called]) -> None:
    for called in listed:
        found = recipients(BUREAU, called)
        assert set(found) == addressed(called)
        assert len(found) == len(set(found))


@given(calls, instants)
def test_nobody_gets_two_letters_in_one_tick(listed: list[Called], now: datetime) -> None:
    hands = Counter(person(d.recipient, now) for d in made(*listed, now=now))
    assert set(hands.values()) <= {1}


@given(calls, instants)
def test_each_rung_lands_in_exactly_the_letters_of_those_it_addresses(
    listed: list[Called], now: datetime
) -> None:
    found = made(*listed, now=now)
    for called in listed:
        hands = {person(d.recipient, now) for d in found if called in d.calls}
        assert hands == {person(r, now) for r in addressed(called)}


@given(calls, instants)
def test_a_letter_holds_each_of_its_rungs_once_in_their_order_and_no_other(
    listed: list[Called], now: datetime
) -> None:
    for draft in made(*listed, now=now):
        places = [listed.index(c) for c in draft.calls]
        assert places == sorted(set(places))


@given(calls, instants)
def test_no_letter_is_calmer_than_its_most_urgent_rung(listed: list[Called], now: datetime) -> None:
    order = [Light.BLUE, Light.YELLOW, Light.RED]
    for draft in made(*listed, now=now):
        assert draft.light in {c.step.light for c in draft.calls}
        assert all(order.index(c.step.light) <= order.index(draft.light) for c in draft.calls)
