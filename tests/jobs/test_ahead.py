"""Letters that are made ready ahead: worded by a scribe, and at hand for the relay."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row

from duban.bureau import Bureau
from jobs import athand, wording
from jobs import deliver as job
from jobs.collect import withdraw
from jobs.deliver import Basket
from jobs.marking import Sent, mark
from jobs.saying import Voice
from jobs.scribe import Made, Scribe, _Desk, _Task
from ledger import letters as rows
from ledger import mentions, plans
from ledger.engine import LedgerError
from ledger.letters import Letter
from mailroom.relay import Mail, Reply
from scheduler.clock import VirtualClock
from tests.support.ledgers import Desk, MakeDesk, at, everybodys_report, open_ledger, told
from tests.support.plans import OFFICE
from tests.support.relays import Counting, announced, headers, smtp_relay
from tests.support.smtp import FaultyServer

OFFICE_MAIL, NINTH = "bangongshi@edu.example", "r/2023-03/第9科"
VOICE = Voice("duban@edu.example", "督办")
Event = Callable[[], object]


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Desk]:
    """A hundred reminders that are due, in a file that a scribe can read."""
    office = {"name": OFFICE, "email": OFFICE_MAIL}
    sections = [{"name": f"第{n}科", "email": f"s{n}@edu.example"} for n in range(100)]
    ledger = open_ledger(tmp_path, durable=True)
    plan = Bureau(everybodys_report(sections=[office, *sections]))
    desk = Desk(ledger, plan, VirtualClock(at("03-01 08:00")))
    desk.reconcile()
    desk.go("03-17 09:00").remind()
    yield desk
    ledger.close()


def test_letters_at_hand_for_the_relay_are_announced_and_all_sent_once(
    many: Desk, faulty: FaultyServer, writes: list[bytes]
) -> None:
    relay = smtp_relay(faulty, connections=2)
    sent = many.deliver(relay=relay, side_by_side=2, at_hand=2, batch=20)
    assert len(sent) == len(faulty.mails) == len(set(headers(faulty, "To"))) == 100
    assert len(faulty.said) == 2
    assert announced(writes) > 90


def test_letters_at_hand_are_given_back_untried_when_we_are_to_stop(
    many: Desk, faulty: FaultyServer
) -> None:
    stop: list[int] = []
    faulty.before_answer = stop.append
    many.deliver(
        relay=smtp_relay(faulty, connections=1),
        side_by_side=1,
        at_hand=3,
        batch=20,
        stopping=lambda: bool(stop),
    )
    rows = many.letters()
    assert len(faulty.mails) == [row.state for row in rows].count("sent") == 1
    assert {(row.state, row.attempts) for row in rows} == {("sent", 1), ("queued", 0)}


def test_letters_at_hand_of_a_slow_relay_are_looked_at_again_before_they_leave(
    many: Desk, faulty: FaultyServer
) -> None:
    def slow(count: int) -> None:
        many.clock.instant += timedelta(seconds=11)
        if count == 1:
            many.submit("r/2023-03/第1科")  # the server knows of its letter already

    faulty.before_answer = slow
    sent = many.deliver(
        relay=smtp_relay(faulty, connections=1), side_by_side=1, at_hand=3, batch=99
    )
    assert len(sent) == len(faulty.mails) == len(set(headers(faulty, "To"))) > 90
    assert ("reminder", "s1@edu.example") not in told(sent)
    assert ("receipt", "s1@edu.example") in told(sent)
    assert len(faulty.said) < 10  # soon no more are at hand than the server has time for


def ninth(desk: Desk) -> Row[Any]:
    """The reminder to the ninth section."""
    return next(row for row in desk.letters("reminder") if row.name == "第9科")


async def turns_of_others() -> None:
    """Let everything else go as far as it gets."""
    for _ in range(20):
        await asyncio.sleep(0)


class Here(Scribe):
    """A scribe that writes in this process; before, and after, something happens, but once."""

    def __init__(
        self, desk: Desk, before: Event = lambda: None, after: Event = lambda: None
    ) -> None:
        super().__init__("sqlite://", None, VOICE)
        self._desk = _Desk(str(desk.ledger.url), None, VOICE)
        self._before, self._after = [before], [after]
        self._well = True

    async def write(
        self, bureaus: Mapping[int, Bureau], letters: Sequence[Letter], at: datetime
    ) -> list[Made | None]:
        (before, self._before), (after, self._after) = (self._before, []), (self._after, [])
        for event in before:
            event()
        plans = {i: bureau.plan for i, bureau in bureaus.items()}
        made = self._desk.write(_Task(0, plans, False, letters, at))
        await turns_of_others()  # letters wait for their words now
        for event in after:
            event()
        return made


def test_the_last_letters_are_marked_together_as_the_first_ones(
    many: Desk, faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked: list[int] = []

    def counted(*given: Any, **more: Any) -> list[Sent]:
        marked.append(len(given[3]))
        return mark(*given, **more)

    monkeypatch.setattr(job, "_GATHER_S", 60)  # the busiest machine gathers in time
    monkeypatch.setattr(job, "mark", counted)
    many.deliver(relay=smtp_relay(faulty), scribe=Here(many), side_by_side=8, at_hand=8, batch=40)
    assert sum(marked) == 100
    assert len(marked) < 20


def reminders(desk: Desk) -> dict[str, int]:
    """How many reminders are in which state."""
    return dict(Counter(row.state for row in desk.letters("reminder")))


def test_f50_what_is_handed_in_between_claim_and_wording_is_not_reminded_of(many: Desk) -> None:
    many.deliver(scribe=Here(many, before=lambda: many.submit(NINTH)), batch=20)
    assert reminders(many) == {"sent": 99, "queued": 1}
    many.go("03-17 09:01").deliver()
    assert ninth(many).state == "withdrawn"
    assert ("reminder", "s9@edu.example") not in told(many.sent)


def test_f50_words_that_came_late_are_not_believed(many: Desk) -> None:
    first = many.letters("reminder")[0].name

    def late() -> None:
        many.clock.instant += timedelta(seconds=11)
        many.submit(f"r/2023-03/{first}")

    many.deliver(scribe=Here(many, after=late), batch=20)
    many.go("03-17 09:02").deliver()
    assert reminders(many) == {"sent": 99, "withdrawn": 1}
    fates = {row.name: row.state for row in many.letters("reminder")}
    assert fates[first] == "withdrawn"


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is looked at before every letter, however fast they leave."""
    monkeypatch.setattr(athand, "_LOOK_S", -1)


@pytest.mark.usefixtures("watchful")
def test_f50_what_is_handed_in_while_others_leave_is_not_reminded_of(
    many: Desk, faulty: FaultyServer
) -> None:
    def handed_in(count: int) -> None:
        if count == 1:
            many.submit(NINTH)

    faulty.before_answer = handed_in
    relay = smtp_relay(faulty, connections=1)
    many.deliver(relay=relay, side_by_side=1, scribe=Here(many), batch=50)
    assert reminders(many) == {"sent": 99, "queued": 1}
    many.go("03-17 09:01").deliver()
    assert ninth(many).state == "withdrawn"


@pytest.mark.usefixtures("watchful")
def test_f50_what_is_handed_in_while_a_letter_waits_for_a_connection_is_not_reminded_of(
    many: Desk, faulty: FaultyServer
) -> None:
    waiting: list[str] = []
    relay = Counting(smtp_relay(faulty, connections=1))

    def handed_in(count: int) -> None:
        if count == 1:
            waiting.extend(mail.recipient for mail in relay.took[1:])
            for recipient in waiting:
                many.submit(f"r/2023-03/第{recipient[1 : recipient.index('@')]}科")

    faulty.before_answer = handed_in
    many.deliver(relay=relay, side_by_side=1, at_hand=3, batch=50)
    assert len(waiting) == 3
    assert reminders(many) == {"sent": 97, "queued": 3}
    assert not set(waiting) & set(headers(faulty, "To"))


@pytest.mark.usefixtures("watchful")
def test_f50_a_receipt_for_what_is_taken_back_while_others_leave_does_not_leave(
    many: Desk, faulty: FaultyServer
) -> None:
    for n in range(20):
        many.submit(f"r/2023-03/第{n}科")

    def taken_back(count: int) -> None:
        if count == 1:
            withdraw(many.ledger, many.bureau, many.act(NINTH))

    faulty.before_answer = taken_back
    relay = smtp_relay(faulty, connections=1)
    sent = told(many.deliver(relay=relay, side_by_side=1, batch=500))
    assert ("receipt", "s8@edu.example") in sent
    assert ("receipt", "s9@edu.example") not in sent


@pytest.mark.usefixtures("watchful")
def test_f50_letters_of_a_plan_that_another_node_brings_in_meanwhile_do_not_leave(
    many: Desk, faulty: FaultyServer
) -> None:
    many.bureau = Bureau(replace(many.bureau.plan, digest="of our copy"))
    many.reconcile()

    def edited(count: int) -> None:
        if count == 1:
            with many.ledger.write() as connection:
                (plan_id,) = plans.ids(connection).values()
                plans.change(connection, plan_id, reconciled="of another")

    faulty.before_answer = edited
    many.deliver(relay=smtp_relay(faulty, connections=1), side_by_side=1, batch=50)
    assert reminders(many) == {"sent": 1, "queued": 99}


def test_nothing_leaves_while_the_ledger_cannot_tell_whether_it_holds(
    many: Desk, faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise LedgerError("away")

    def away(count: int) -> None:
        monkeypatch.setattr(athand, "_LOOK_S", -1)
        monkeypatch.setattr(athand, "edited_since", fails)

    faulty.before_answer = away
    many.deliver(relay=smtp_relay(faulty, connections=1), side_by_side=1, batch=50)
    assert reminders(many) == {"sent": 1, "queued": 99}
    assert [row.due_at for row in many.letters("reminder") if row.attempts] == [None]


def test_a_letter_that_has_always_just_changed_holds_up_no_other(
    many: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mentions, "drop_settled", lambda *_: None)  # what changed stays in it
    many.submit(NINTH)
    many.deliver(batch=20)
    many.go("03-17 09:01").deliver(batch=20)
    assert reminders(many) == {"sent": 99, "queued": 1}


def test_letters_whose_words_come_when_we_are_to_stop_are_given_back(many: Desk) -> None:
    stop: list[bool] = []
    scribe = Here(many, after=lambda: stop.append(True))
    assert many.deliver(scribe=scribe, batch=20, stopping=lambda: bool(stop)) == []
    assert {(row.state, row.attempts) for row in many.letters()} == {("queued", 0)}


def test_letters_whose_words_come_when_the_ledger_fails_are_not_begun(many: Desk) -> None:
    failed = asyncio.Event()

    class Waiting(Here):
        async def write(
            self, bureaus: Mapping[int, Bureau], letters: Sequence[Letter], at: datetime
        ) -> list[Made | None]:
            first = bool(self._before)
            made = await super().write(bureaus, letters, at)
            if not first:
                await failed.wait()
                await turns_of_others()  # who delivers hears of it first
            return made

    def fails(*_: object, **__: object) -> list[Sent]:
        failed.set()
        raise LedgerError("away")

    relay = Counting(many.relay)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "_AT_STAKE", 1)
        patch.setattr(job, "mark", fails)
        with pytest.raises(LedgerError):
            many.deliver(scribe=Waiting(many), relay=relay, batch=1, side_by_side=2)
    assert len(relay.took) == 1


def test_a_withdrawal_that_the_ledger_refused_is_made_good_at_once(many: Desk) -> None:
    basket = Basket()

    def fails(*_: object, **__: object) -> None:
        raise LedgerError("away")

    many.submit(NINTH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "withdraw", fails)
        with pytest.raises(LedgerError):
            many.deliver(basket=basket)
    many.deliver(basket=basket)
    assert ninth(many).state == "withdrawn"
    assert "letter.possibly_twice" not in {line.what for line in many.events()}


def test_a_letter_that_could_not_be_put_off_is_put_off_at_once(many: Desk) -> None:
    basket = Basket()

    class Broken(Counting):
        async def send(self, mail: Mail) -> Reply:
            if mail.recipient == "s9@edu.example":
                raise ValueError("not this one")
            return await super().send(mail)

    def fails(*_: object) -> None:
        raise LedgerError("away")

    relay = Broken(many.relay)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "put_off", fails)
        with pytest.raises(LedgerError):
            many.deliver(basket=basket, relay=relay)
    many.deliver(basket=basket, relay=relay)
    waiting = ninth(many)
    assert (waiting.state, waiting.uncertain) == ("queued", False)
    assert waiting.reason == "cannot be worded: ValueError: not this one"


def test_f50_a_letter_claimed_anew_says_what_holds_then(many: Desk, faulty: FaultyServer) -> None:
    class Useless(Here):
        async def write(
            self, bureaus: Mapping[int, Bureau], letters: Sequence[Letter], at: datetime
        ) -> list[Made | None]:
            return [None] * len(letters)

    scribe = Useless(many)
    scribe._well = False

    def slow(count: int) -> None:
        many.clock.instant += timedelta(seconds=11)
        if count == 1:
            many.submit(NINTH)
            scribe._well = True

    faulty.before_answer = slow
    relay = smtp_relay(faulty, connections=1)
    sent = many.deliver(relay=relay, side_by_side=1, batch=50, scribe=scribe)
    assert ("reminder", "s9@edu.example") not in told(sent)


def test_letters_worded_by_a_scribe_are_all_sent_once_even_if_it_is_killed(
    many: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wording, "_MANY", 1)
    ready, made = asyncio.Event(), list[int]()

    class Mortal(Scribe):
        async def _start(self, bureaus: dict[int, Bureau]) -> None:
            await super()._start(bureaus)
            ready.set()

        async def write(
            self, bureaus: Mapping[int, Bureau], letters: Sequence[Letter], at: datetime
        ) -> list[Made | None]:
            written = await super().write(bureaus, letters, at)
            made.append(sum(letter is not None for letter in written))
            if len(made) == 2 and self._process is not None:
                self._process.kill()
            return written

    class Patient(Counting):
        async def send(self, mail: Mail) -> Reply:
            await asyncio.wait_for(ready.wait(), 30)
            return await super().send(mail)

    scribe = Mortal(str(many.ledger.url), None, VOICE)
    many.deliver(scribe=scribe, relay=Patient(many.relay), batch=10)
    assert made[:2] == [10, 10]
    assert made[-1] == 0
    sent = [one.mail.recipient for one in many.sent]
    assert sorted(sent) == sorted(set(sent))
    assert {row.state for row in many.letters()} == {"sent"}


def test_a_scribe_is_at_hand_before_many_letters_can_be_due(
    make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    monkeypatch.setattr(Scribe, "begin", lambda self, bureaus: begun.append(len(bureaus)))
    scribe = Scribe("sqlite://", None, Voice("", ""))
    office = {"name": OFFICE, "email": OFFICE_MAIL}
    many = [{"name": f"第{n}科", "email": f"s{n}@edu.example"} for n in range(199)]
    make_desk(everybodys_report(sections=[office, *many[1:]])).deliver(scribe=scribe)
    assert begun == []
    make_desk(everybodys_report(sections=[office, *many])).deliver(scribe=scribe)
    assert begun == [1]
