"""The invariants of the design over random histories of a small plan.

What is true is worked out here again, from the script and the journal of what the relay accepted:
not with the decisions that are under test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Row, select

from config.plan import Plan
from duban.calendar import WorkCalendar
from jobs.gather import COUNT
from jobs.marking import Sent
from ledger.tables import letter, mention, obligation
from tests.support.ledgers import ZONE, at, everybodys_report
from tests.support.plans import rule
from tests.support.years import History, live, say

FIRST, LAST = "03-06 00:00", "04-21 23:59"
KEYS = (
    "r/2023-03/财务科",
    "r/2023-03/组织科",
    "r/2023-03/初幼教科",
    "special/2023/财务科",
)
LEADERS = {"财务科": "副局长", "组织科": "局长", "初幼教科": "副局长"}
MAILBOXES = {
    "办公室": "bangongshi@edu.example",
    "财务科": "caiwu@edu.example",
    "组织科": "zuzhi@edu.example",
    "初幼教科": "chuyou@edu.example",
}
HOLDERS = {"局长": "juzhang@edu.example", "副局长": "fujuzhang@edu.example"}
OFFICE = MAILBOXES["办公室"]
REMINDER, ESCALATION, CHANGE = "reminder", "escalation", "change"
CALENDAR = WorkCalendar()
SETTLING = timedelta(minutes=5)
"""How long the one-minute pauses between a person's letters may delay a rung."""


def small_plan() -> Plan:
    """Three sections with a monthly report, and a special report of one of them on the same day."""
    span = {"from": "2023-03", "until": "2023-03"}
    rules = [
        rule({"monthly": 25}, sections="all", **span),
        rule({"yearly": "03-25"}, **span) | {"id": "special"},
    ]
    return everybodys_report(rules=rules)


@dataclass(frozen=True)
class Deed:
    """One line of the script, with the instant that the simulation acts on it."""

    when: datetime
    do: str
    what: dict[str, Any]

    def line(self) -> str:
        """As it stands in the script."""
        return say(f"{self.when:%Y-%m-%d %H:%M}", self.do, **self.what)


_minutes = st.integers(0, 45 * 24 * 12 - 1).map(lambda n: at(FIRST) + timedelta(minutes=5 * n))
_office_hours = st.builds(
    lambda day, minute: at("03-06 08:00") + timedelta(days=day, minutes=minute),
    st.integers(0, 44),
    st.sampled_from([0, 30, 60, 61, 119, 240, 599]),
)
_whens = st.one_of(_minutes, _office_hours, _office_hours)
_keys = st.sampled_from(KEYS)
_days = st.integers(8, 46).map(lambda n: f"{at('03-01 00:00') + timedelta(days=n):%Y-%m-%d}")
_deeds = st.one_of(
    st.builds(lambda w, k: Deed(w, "submit", {"key": k}), _whens, _keys),
    st.builds(lambda w, k: Deed(w, "submit", {"key": k}), _whens, _keys),
    st.builds(lambda w, k: Deed(w, "accept", {"key": k}), _whens, _keys),
    st.builds(lambda w, k: Deed(w, "return", {"key": k, "reason": "缺"}), _whens, _keys),
    st.builds(
        lambda w, k, d: Deed(w, "return", {"key": k, "reason": "缺", "deadline": d}),
        _whens,
        _keys,
        _days,
    ),
    st.builds(lambda w, k: Deed(w, "exempt", {"key": k, "reason": "免"}), _whens, _keys),
    st.builds(
        lambda w, k, d: Deed(w, "override", {"key": k, "deadline": d, "reason": "改"}),
        _whens,
        _keys,
        _days,
    ),
    st.builds(
        lambda w, s: Deed(w, "smtp", {"state": s}),
        _whens,
        st.sampled_from(["up", "up", "down", "defer", "reject:caiwu@edu.example"]),
    ),
    st.builds(
        lambda w, s: Deed(w, "daemon", {"state": s}), _whens, st.sampled_from(["up", "down"])
    ),
    st.builds(
        lambda w, p, n: Deed(
            w, "holder", {"post": p, "name": f"继任者{n}", "email": f"ji{n}@edu.example"}
        ),
        _whens,
        st.sampled_from(sorted(HOLDERS)),
        st.integers(1, 3),
    ),
)
_scripts = st.lists(_deeds, max_size=14).map(lambda deeds: sorted(deeds, key=lambda d: d.when))


@contextmanager
def _lived(deeds: list[Deed]) -> Iterator[History]:
    with TemporaryDirectory() as folder:
        lines = [deed.line() for deed in deeds]
        history = live(small_plan(), Path(folder), FIRST, LAST, *lines)
        yield history
        history.ledger.close()


def _local(sent: Sent) -> datetime:
    return sent.at.astimezone(ZONE)


def _stands(deeds: list[Deed], key: str, when: datetime) -> str:
    """How it stands at `when`, by the script alone: owed, handed in, or exempt."""
    stands = "owed"
    for deed in deeds:
        if deed.when > when or deed.what.get("key") != key:
            continue
        match deed.do, stands:
            case (("submit" | "accept"), "owed"):
                stands = "handed in"
            case "return", "handed in":
                stands = "owed"
            case "exempt", "owed":
                stands = "exempt"
            case "override", "exempt":
                stands = "owed"
    return stands


def _handed_in(deeds: list[Deed], key: str, when: datetime) -> bool:
    return _stands(deeds, key, when) == "handed in"


def _unruly(deeds: list[Deed]) -> set[str]:
    """Keys that the office exempts and returns: what it wants then is anybody's guess."""
    touched = [{str(d.what["key"]) for d in deeds if d.do == do} for do in ("exempt", "return")]
    return touched[0] & touched[1]


def _renewed(deeds: list[Deed], key: str, when: datetime) -> datetime:
    """When its last deadline was set, as the script has it: older reminders say nothing."""
    last = at(FIRST)
    decided: object = None
    for deed in deeds:
        if deed.when > when or deed.what.get("key") != key:
            continue
        if deed.do == "return" and _handed_in(deeds, key, deed.when - timedelta(seconds=1)):
            last, decided = deed.when, None
        elif deed.do in ("override", "exempt"):
            decision = deed.what.get("deadline")
            last = deed.when if decision != decided else last
            decided = decision
    return last


def _holder(deeds: list[Deed], post: str, when: datetime) -> str:
    found = HOLDERS[post]
    for deed in deeds:
        if deed.do == "holder" and deed.when <= when and deed.what["post"] == post:
            found = deed.what["email"]
    return found


def _at_work(deeds: list[Deed], when: datetime) -> datetime | None:
    """The first instant from `when` on at which the daemon is up and the office is open."""
    changes = [(at(FIRST), True)]
    changes += [(d.when, d.what["state"] == "up") for d in deeds if d.do == "daemon"]
    ends = [begin for begin, _ in changes[1:]] + [at(LAST)]
    for (begin, up), end in zip(changes, ends, strict=True):
        moment = max(begin, when)
        while up and moment < end:
            if CALENDAR.is_working(moment.date()) and 8 <= moment.hour < 18:
                return moment
            moment += timedelta(minutes=1)
    return None


def _rows(history: History, table: Any) -> list[Row[Any]]:
    with history.ledger.read() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def _stay_as_planned(deeds: list[Deed]) -> list[str]:
    """The keys of which no deadline was ever touched."""
    touched = {d.what["key"] for d in deeds if d.do in ("override", "exempt", "return")}
    return [key for key in KEYS if key not in touched]


def check_i1(history: History, deeds: list[Deed]) -> None:
    """Every rung that came due is accepted, void with a reason, or stuck where all can see it."""
    told = {m.letter_id for m in _rows(history, mention) if m.state == "queued"}
    letters = {row.id: row for row in _rows(history, letter)}
    for row in _rows(history, mention):
        assert row.state in ("sent", "queued") or row.reason, row
    for one in letters.values():
        assert one.id not in told or one.state == "queued", one
        assert one.state in ("sent", "queued") or one.reason, one
    failed = [one for one in letters.values() if one.state == "failed" and one.address != OFFICE]
    notices = [one.data or {} for one in letters.values() if one.kind == "notice"]
    refusals = [one for one in notices if one["title"].endswith("无法送达")]
    assert len(failed) == sum(one[COUNT] for one in refusals)
    ids = {row.key: row.id for row in _rows(history, obligation)}
    known = {(m.obligation_id, m.rung) for m in _rows(history, mention) if m.audience == "section"}
    for key in _stay_as_planned(deeds):
        for days in (-5, -2, 0, 1, 3, 8, 13, 18):
            due = datetime.combine(
                CALENDAR.shift(at("03-24 00:00").date(), days), at("03-24 09:00").time(), ZONE
            )
            done = _at_work(deeds, due)
            if done is None or done + SETTLING > at(LAST):
                continue
            if not _handed_in(deeds, key, done + SETTLING):
                assert (ids[key], f"{days:+d}" if days else "0") in known, (key, days)


def check_i2(history: History, deeds: list[Deed]) -> None:
    """Nothing is said about what is handed in, but its receipt, its closing note, its return."""
    unruly = _unruly(deeds)
    for one in history.sent:
        kind = one.ready.facts.kind
        for key in set(one.ready.keys) - unruly:
            stands = _stands(deeds, key, _local(one))
            assert kind not in (REMINDER, ESCALATION) or stands == "owed", one.written.subject
            assert kind != CHANGE or stands != "handed in", one.written.subject


def check_i3(history: History, deeds: list[Deed]) -> None:
    """Every letter goes to whom the plan names at that instant, and to nobody else."""
    for one in history.sent:
        sections = {key.rpartition("/")[2] for key in one.ready.keys}
        if one.ready.facts.kind in (ESCALATION, "closing"):
            posts = {"局长"} | {LEADERS[s] for s in sections}
            allowed = {_holder(deeds, post, _local(one)) for post in posts}
        else:
            allowed = {MAILBOXES[s] for s in sections or {"办公室"}}
            assert len(allowed) == 1
        assert one.mail.recipient in allowed, one.written.subject


def check_i4(history: History) -> None:
    """No second copy, as this relay always says what it did; each letter of its own identity."""
    copies = Counter(one.mail.message_id for one in history.sent)
    assert max(copies.values(), default=1) == 1
    said = Counter(
        (one.ready.row.name, m.obligation_id, m.round, m.audience, m.rung)
        for one in history.sent
        for m in _rows_of(history, one)
        if m.rung
    )
    assert max(said.values(), default=1) == 1


def _rows_of(history: History, one: Sent) -> list[Row[Any]]:
    with history.ledger.read() as connection:
        return list(
            connection.execute(select(mention).where(mention.c.letter_id == one.ready.row.id))
        )


def check_i5(history: History, deeds: list[Deed]) -> None:
    """An official hears of it a working day after the section was reminded of this deadline."""
    for one in history.of_kind(ESCALATION):
        for key in one.ready.keys:
            since = _renewed(deeds, key, _local(one))
            latest = CALENDAR.shift(_local(one).date(), -1)
            reminded = [
                _local(r)
                for r in history.of_kind(REMINDER)
                if key in r.ready.keys and _local(r) >= since and _local(r).date() <= latest
            ]
            assert reminded, (key, _local(one))


def check_hours(history: History) -> None:
    """Letters leave on working days from eight to six only."""
    for one in history.sent:
        assert CALENDAR.is_working(_local(one).date())
        assert 8 <= _local(one).hour < 18


def check_times_are_utc(history: History) -> None:
    """The journal's instants are UTC."""
    assert {one.at.tzinfo for one in history.sent} <= {UTC}


@given(_scripts)
# a history takes a third of a second: few of them, and none of the hundreds that shrinking needs
@settings(
    max_examples=20,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_the_invariants_hold_whatever_people_the_office_the_relay_and_the_daemon_do(
    deeds: list[Deed],
) -> None:
    with _lived(deeds) as history:
        check_i1(history, deeds)
        check_i2(history, deeds)
        check_i3(history, deeds)
        check_i4(history)
        check_i5(history, deeds)
        check_hours(history)
        check_times_are_utc(history)
