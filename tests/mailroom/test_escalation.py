"""What an official reads in an escalation, in both bodies."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

from config.model import Light
from duban.facts import ItemFacts, LetterKind, Sent
from mailroom.render import Speaker
from tests.mailroom.letters import at, item, late, letter

SPEAKER = Speaker()
JUNE = at(6, 28, 9, 0)


def escalated(*items: ItemFacts) -> tuple[str, str]:
    """Both bodies of an escalation, without spaces, since lines break at some of them."""
    rendered = SPEAKER.render(letter(LetterKind.ESCALATION, *items, now=JUNE, recipient="郑建聪"))
    assert rendered.fallback is None
    return "".join(rendered.text.split()), "".join(rendered.html.split())


def mornings(*days: int) -> tuple[Sent, ...]:
    """Red reminders at nine on these days of June."""
    return tuple(Sent(at=at(6, day, 9, 0), light=Light.RED) for day in days)


def test_a_sections_reminders_are_counted_for_the_item_that_is_named() -> None:
    worst = late(month=5, days=22, sent=mornings(15, 20, 25, 26), reminded=7)
    other = late(sent=mornings(21, 22, 23, 27), reminded=9)
    for body in escalated(worst, other, late("组织科")):
        assert "已提醒7次，最近6月26日09:00；另有1项" in body
        assert "6月27日" not in body


def test_the_only_section_shows_the_last_reminders_of_its_worst_item_below_it() -> None:
    worst = late(month=5, days=22, sent=mornings(15, 20, 25, 26), reminded=7)
    other = late(sent=mornings(21, 22, 23, 27), reminded=9)
    times = "、".join(f"6月{day}日09:00（红）" for day in (15, 20, 25, 26))
    for body in escalated(other, worst):
        assert body.count("已提醒") == 1
        assert f"已提醒7次，最近4次：{times}" in body
        assert body.index("5月月报，") < body.index("已提醒") < body.index("6月月报，")


def test_of_many_items_of_one_section_the_rest_is_counted_and_one_time_told() -> None:
    items = [late(month=m, days=9 - m, sent=mornings(26, 27), reminded=7) for m in range(1, 7)]
    for body in escalated(*items):
        assert "已提醒7次，最近6月27日09:00" in body
        assert body.index("4月月报，") < body.index("另有2项")


def test_an_item_that_no_reminder_went_out_for_says_nothing_of_reminders() -> None:
    for body in escalated(late(), late("组织科")):
        assert "已提醒" not in body
        assert not re.search(r"<span[^>]*></span>", body)


def test_a_letter_to_an_official_before_the_deadline_does_not_speak_of_lateness() -> None:
    soon = item(deadline=at(6, 30)), item("组织科", deadline=at(6, 30))
    for body in (*escalated(*soon), *escalated(soon[0])):
        assert "将到期" in body
        assert "逾期" not in body
        assert "【红】" not in body


def test_a_letter_to_an_official_counts_what_is_overdue_among_the_rest() -> None:
    for body in escalated(late(), item("组织科", deadline=at(6, 30))):
        assert "2个科室共2项工作，其中1项逾期，请您督促。" in body


def test_the_mail_that_urges_a_section_calls_only_the_worst_item_that_late() -> None:
    html = escalated(late(month=5, days=22), late())[1]
    assert quote("5月月报已逾期22个工作日，另有1项，请抓紧办理") in html


def test_an_official_with_every_section_overdue_gets_one_screen() -> None:
    sent = tuple(Sent(at=JUNE - timedelta(days=n), light=Light.RED) for n in range(5))
    items = [late(f"第{n}科", n % 9 + 1, sent=sent) for n in range(19) for _ in range(4)]
    text = SPEAKER.render(letter(LetterKind.ESCALATION, *items, now=JUNE, recipient="刘殊芳")).text
    assert text.count("【红】") == 2
    assert "另有17个科室共68项" in text
    assert len(text.splitlines()) < 32


def test_an_escalation_tells_the_head_and_the_reminders_with_their_times() -> None:
    sent = (Sent(at=at(6, 21, 9, 0), light=Light.YELLOW), Sent(at=at(6, 26, 9, 0), light=Light.RED))
    one = late(sent=sent, reminded=2)
    facts = letter(LetterKind.ESCALATION, one, now=JUNE, recipient="郑建聪")
    text = SPEAKER.render(facts).text
    assert "负责人：林美环" in text
    assert "已提醒2次：6月21日 09:00（黄）、6月26日 09:00（红）" in text


def test_the_action_of_an_escalation_writes_to_the_section_and_copies_the_office() -> None:
    one = late(section_email="caiwu@qzedu.example")
    facts = letter(LetterKind.ESCALATION, one, now=JUNE, recipient="郑建聪")
    assert 'href="mailto:caiwu@qzedu.example?cc=bangongshi@qzedu.example&amp;' in (
        SPEAKER.render(facts).html
    )
