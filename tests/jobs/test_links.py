"""Signed links: each opens its own door, forged ones open none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duban.letters import Recipient
from jobs.links import Feed, ForgedError, Form, Links
from mailroom.compose import html_of
from tests.support.ledgers import Desk, MakeDesk
from tests.support.mails import text_of

OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32
LINKS = Links("https://duban.edu.example/", (NEW,))
FEED = Feed(1, Recipient("财务科"))
READERS: list[Callable[[str], object]] = [LINKS.letter_of, LINKS.feed_of, LINKS.form_of]


def test_a_link_opens_what_it_was_made_for() -> None:
    assert LINKS.letter_of(LINKS.letter(7).removeprefix("https://duban.edu.example/r/")) == 7
    token = LINKS.feed(FEED).removeprefix("https://duban.edu.example/cal/").removesuffix(".ics")
    assert LINKS.feed_of(token) == FEED
    form = Form(7, 3, "0.1")
    assert LINKS.form_of(LINKS.form(form)) == form


def test_a_token_holds_the_row_alone() -> None:
    payload, _, _ = LINKS.letter_token(7).partition(".")
    assert payload == "Nw"  # base64 of 7


def test_f48_no_token_opens_another_door() -> None:
    letter, form = LINKS.letter_token(7), LINKS.form(Form(7, 3, ""))
    feed = LINKS.feed(FEED).rpartition("/")[2].removesuffix(".ics")
    for reader, own in zip(READERS, (letter, feed, form), strict=True):
        for token in (letter, feed, form):
            if token != own:
                with pytest.raises(ForgedError):
                    reader(token)


def test_an_older_key_is_believed_until_it_is_taken_away() -> None:
    token = Links("https://duban.edu.example", (OLD,)).letter_token(7)
    assert Links("https://duban.edu.example", (OLD, NEW)).letter_of(token) == 7
    with pytest.raises(ForgedError):
        LINKS.letter_of(token)


def test_the_newest_key_signs() -> None:
    rotated = Links("https://duban.edu.example", (OLD, NEW))
    assert rotated.letter_token(7) == LINKS.letter_token(7)


@given(st.text(st.characters(exclude_categories=())))
def test_f48_no_text_is_taken_for_a_token(text: str) -> None:
    for reader in READERS:
        with pytest.raises(ForgedError):
            reader(text)


@given(st.integers(0, 10_000), st.data())
def test_f48_a_token_with_one_character_changed_is_forged(number: int, data: st.DataObject) -> None:
    token = LINKS.letter_token(number)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c != token[place]))
    try:
        found = LINKS.letter_of(token[:place] + other + token[place + 1 :])
    except ForgedError:
        return
    # the last character of base64 carries spare bits: then it is still the same letter
    assert (found, place) == (number, len(token) - 1)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_f48_a_signature_does_not_fit_another_letter(one: int, other: int) -> None:
    payload, _, _ = LINKS.letter_token(one).partition(".")
    _, _, signature = LINKS.letter_token(other).partition(".")
    if one != other:
        with pytest.raises(ForgedError):
            LINKS.letter_of(f"{payload}.{signature}")


@given(st.integers(0, 10_000))
def test_f48_a_token_of_another_house_is_forged(number: int) -> None:
    with pytest.raises(ForgedError):
        LINKS.letter_of(Links("https://duban.edu.example", (OTHER,)).letter_token(number))


def test_a_reminder_names_its_own_page(desk: Desk) -> None:
    desk.go("03-17 09:00").remind()
    (sent,) = desk.deliver(links=LINKS)
    assert sent.ready.facts.link == LINKS.letter(desk.letters()[0].id)
    assert sent.ready.facts.link in text_of(sent.written.content)
    assert sent.ready.facts.link in html_of(sent.written.content)


def test_without_an_address_letters_are_as_they_were(desk: Desk) -> None:
    (sent,) = desk.beat("03-17 09:00")
    assert sent.ready.facts.link == ""
    assert "报送页" not in text_of(sent.written.content) + html_of(sent.written.content)


def test_a_letter_about_no_obligation_has_no_page(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.go("03-20 08:30").circulate()
    (sent,) = desk.deliver(links=LINKS)
    assert sent.ready.facts.kind == "digest"
    assert sent.ready.facts.link == ""


def test_an_escalation_names_its_page_once(desk: Desk) -> None:
    desk.beats("03-17 09:00", "03-22 09:00", "03-24 09:00")
    desk.go("03-27 09:00").remind()
    escalation = next(s for s in desk.deliver(links=LINKS) if s.ready.facts.kind == "escalation")
    assert text_of(escalation.written.content).count("/r/") == 1
    assert "查看办理情况" in html_of(escalation.written.content)
