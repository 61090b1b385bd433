"""Mistakes put into duban on purpose: each is found by the checker, from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.model import Official
from duban import calendar, deadlines, ladder
from duban import letters as grouping
from duban.bureau import Bureau
from jobs import circulate, deliver, letterbox, outcome, remind, saying
from ledger import letters, mentions
from mailroom.relay import Outcome
from tests.years.eventful import eventful
from tests.years.lived import failures_of

Break = Callable[[pytest.MonkeyPatch], None]


def test_the_eventful_half_year_is_proved() -> None:
    assert failures_of(eventful()) == []


def mark_before_send(patch: pytest.MonkeyPatch) -> None:
    """A letter counts as sent when it is claimed."""
    work = deliver._Delivery._carry

    async def carry(delivery: Any, ready: Any) -> Any:
        done: Any = await work(delivery, ready)
        return done._replace(reply=replace(done.reply, outcome=Outcome.ACCEPTED))

    patch.setattr(deliver._Delivery, "_carry", carry)


def no_look_at_submissions_when_claimed(patch: pytest.MonkeyPatch) -> None:
    """What was handed in while a letter waited stays in it."""
    patch.setattr(mentions, "drop_settled", lambda *_: None)
    patch.setattr(saying, "_holds", lambda *_: True)


def no_lease(patch: pytest.MonkeyPatch) -> None:
    """A claim never ends: what a dead process held is lost."""
    claim = letters.claim

    def for_ever(connection: Any, plans: Any, owner: str, now: Any, _until: Any, limit: int) -> Any:
        return claim(connection, plans, owner, now, datetime(2099, 1, 1, tzinfo=UTC), limit)

    patch.setattr(letters, "claim", for_ever)


def hours_of_utc(patch: pytest.MonkeyPatch) -> None:
    """The hour of a rung is taken for one of UTC."""
    fixed = ladder._fixed

    def naive(*about: Any) -> Any:
        step = fixed(*about)
        return replace(step, at=step.at.replace(tzinfo=UTC))

    patch.setattr(ladder, "_fixed", naive)


def no_notice(patch: pytest.MonkeyPatch) -> None:
    """Officials hear of it whether the section was reminded or not."""
    patch.setattr(ladder, "_fair", lambda *_: True)


def the_first_holder_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A successor's letters go to the predecessor."""
    patch.setattr(Official, "holder", lambda self, _day: self.holders[0])


def only_rungs_of_this_minute(patch: pytest.MonkeyPatch) -> None:
    """Edge-triggered: what came while nobody looked never comes."""
    decide = ladder.decide

    def at_once(steps: Any, issued: Any, warned: Any, now: datetime, *more: Any) -> Any:
        made = decide(steps, issued, warned, now, *more)
        fresh = tuple(pair for pair in made.issue if now - pair[1].at < timedelta(minutes=1))
        return replace(made, issue=fresh, overtaken=())

    patch.setattr(remind, "decide", at_once)


def a_new_message_id_after_an_unknown_outcome(patch: pytest.MonkeyPatch) -> None:
    """The second copy of a letter looks like another letter."""
    put_back = letters.put_back

    def renamed(connection: Any, letter_id: int, owner: str, **values: Any) -> bool:
        fresh = f"<again.{letter_id}.{values['due_at'].timestamp()}@edu.example>"
        return put_back(connection, letter_id, owner, **values, message_id=fresh)

    patch.setattr(letters, "put_back", renamed)


def make_up_days_off(patch: pytest.MonkeyPatch) -> None:
    """A weekend day on which the office works counts as a day off."""
    tabulate = calendar._tabulate

    def without(year: int, marks: Mapping[Any, Any]) -> Any:
        return tabulate(year, {day: m for day, m in marks.items() if not m.working})

    patch.setattr(calendar, "_tabulate", without)
    patch.setattr(calendar, "_built_in", lambda y, known: calendar._assemble(y, {}, known))


def one_sections_decisions_ignored(patch: pytest.MonkeyPatch) -> None:
    """An override for one section is not read."""
    decide = deadlines._decide

    def for_all_only(plan: Any, made: Any, ruled: Any) -> Any:
        return decide(plan, made, [r for r in ruled if r.section is None])

    patch.setattr(deadlines, "_decide", for_all_only)


def letters_at_any_hour(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the office's hours."""
    patch.setattr(ladder, "open_now", lambda *_: True)
    for name in ("open", "reminding"):
        patch.setattr(Bureau, name, lambda *_: True)


def a_letter_for_each_obligation(patch: pytest.MonkeyPatch) -> None:
    """What should be one letter to a person is several."""
    drafts = grouping.drafts
    each = lambda bureau, calls, now: [d for c in calls for d in drafts(bureau, [c], now)]  # noqa: E731
    patch.setattr(remind, "drafts", each)
    patch.setattr(remind, "join_unsent", lambda *_: [])


def two_digests(patch: pytest.MonkeyPatch) -> None:
    """The office's digest of a day is queued twice."""
    post = letterbox.post

    def twice(*about: Any) -> int:
        post(*about)
        return post(*about)

    patch.setattr(circulate, "post", twice)


def refusals_kept_quiet(patch: pytest.MonkeyPatch) -> None:
    """The office is not told that a mailbox refuses."""
    patch.setattr(outcome, "tell_of", lambda *_: None)


def rungs_thrown_away(patch: pytest.MonkeyPatch) -> None:
    """What an official should hear is called overtaken, though nothing has overtaken it."""
    decide = ladder.decide

    def careless(*about: Any) -> Any:
        made = decide(*about)
        gone = tuple(pair for pair in made.issue if pair[0] == "head")
        issue = tuple(pair for pair in made.issue if pair not in gone)
        return replace(made, issue=issue, overtaken=gone)

    patch.setattr(remind, "decide", careless)


BUGS: list[tuple[Break, str]] = [
    (mark_before_send, "I1"),
    (no_look_at_submissions_when_claimed, "I2"),
    (no_lease, "I1"),
    (hours_of_utc, "I1"),
    (no_notice, "I5"),
    (the_first_holder_for_ever, "I3"),
    (only_rungs_of_this_minute, "I1"),
    (a_new_message_id_after_an_unknown_outcome, "I4"),
    (make_up_days_off, "I1"),
    (one_sections_decisions_ignored, "I1"),
    (letters_at_any_hour, "hours"),
    (a_letter_for_each_obligation, "letters"),
    (two_digests, "digest"),
    (refusals_kept_quiet, "I1"),
    (rungs_thrown_away, "I1"),
]


@pytest.mark.parametrize(("bug", "invariant"), BUGS, ids=lambda v: getattr(v, "__name__", v))
def test_a_bug_is_found(bug: Break, invariant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bug(monkeypatch)
    found = failures_of(eventful(), shown=500)
    assert [line for line in found if line.startswith(invariant)], found[:3]
