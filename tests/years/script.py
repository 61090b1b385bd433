"""What happens in one year: people, the office, the relay and the machine, by a seed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from tests.checker.days import shift
from tests.checker.history import Deed, deed_of
from tests.checker.plan import Duty
from tests.years.plans import ALL, READER, some_items

ZONE = READER.zone
FIRST = datetime(2023, 2, 1, tzinfo=ZONE)
LAST = datetime(2024, 1, 20, tzinfo=ZONE)
DUTIES = list(READER.duties(date(2023, 12, 31)))
SECTIONS = sorted({duty.section for duty in DUTIES})
ADDRESSES = sorted({*READER.mailboxes.values(), "juzhang@edu.example", "fujuzhang@edu.example"})


@dataclass(frozen=True)
class Noise:
    """A time in which the relay answers badly; the chances of each fault of a transaction."""

    start: datetime
    end: datetime
    defer: float
    lost_answer: float
    broken_off: float
    crash: float


@dataclass(frozen=True)
class Year:
    """One seed's year. `crashes` gives the writing transaction, and whether it was committed."""

    seed: int
    deeds: list[Deed]
    noises: list[Noise] = field(default_factory=list)
    crashes: dict[int, bool] = field(default_factory=dict)
    meddling: float = 0.0
    """The chance that a section hands in while a letter about it is being sent."""
    first: datetime = FIRST
    """When duban is started: what was due before is not chased."""
    last: datetime = LAST
    min_notice: int = 1
    items: tuple[str, ...] = ALL
    """What of the plan this bureau has."""


def year_of(seed: int) -> Year:
    """The year of a seed: the same seed, the same year."""
    dice = Random(seed)  # noqa: S311 - a repeatable year, no secret
    items, diligent = some_items(dice), dice.choice((0.7, 0.9, 1.0))
    duties = [duty for duty in DUTIES if duty.item in items]
    lines: list[dict[str, Any]] = []
    for duty in duties:
        lines += _reporting(dice, duty, diligent)
    for _ in range(dice.randint(0, 8)):
        lines += _decision(dice, dice.choice(duties))
    for make, most in ((_succession, 3), (_outage, 3), (_relay, 4), (_clock, 2)):
        for _ in range(dice.randint(0, most)):
            lines += make(dice)
    deeds = [deed_of({**line, "at": line["at"].isoformat()}, ZONE) for line in lines]
    noises = [_noise(dice) for _ in range(dice.randint(0, 4))]
    crashes = {dice.randint(1, 900): dice.random() < 0.5 for _ in range(dice.randint(0, 8))}
    first = dice.choice((FIRST, FIRST, _moment(dice, _any_day(dice))))
    deeds = sorted((deed for deed in deeds if deed.at > first), key=lambda deed: deed.at)
    meddling, notice = dice.choice((0.0, 0.02, 0.1)), dice.choice((0, 1, 1, 2))
    return Year(seed, deeds, noises, crashes, meddling, first, min_notice=notice, items=items)


def _moment(dice: Random, day: date) -> datetime:
    """An instant of a day: any, or one at which letters are made and sent."""
    seconds = dice.choice(
        (
            dice.uniform(0, 86_400),
            dice.uniform(8 * 3600, 18 * 3600),
            9 * 3600 + dice.uniform(-2, 5),
            dice.choice((8, 9, 18)) * 3600 + dice.uniform(-90, 90),
        )
    )
    return datetime.combine(day, time(), ZONE) + timedelta(seconds=round(seconds, 3))


def _any_day(dice: Random) -> date:
    return FIRST.date() + timedelta(days=dice.randint(0, 330))


def _reporting(dice: Random, duty: Duty, diligent: float) -> list[dict[str, Any]]:
    """A section hands in, on time or late or never; the office accepts, or returns it."""
    due, lot = duty.deadline.date(), dice.random()
    if lot > diligent + (1 - diligent) * 0.99:
        return []
    working_days = dice.randint(-9, 0) if lot < diligent else dice.randint(0, 14)
    at = _moment(dice, shift(due, working_days))
    found = [{"at": at, "do": "submit", "key": duty.key}]
    for _ in range(dice.choice((0, 0, 0, 0, 1, 2))):
        at = _moment(dice, at.date() + timedelta(days=dice.randint(0, 4)))
        back = {"at": at, "do": "return", "key": duty.key, "reason": "缺下一步工作计划"}
        if dice.random() < 0.5:
            back["deadline"] = f"{at.date() + timedelta(days=dice.randint(-3, 12))}"
        at = _moment(dice, at.date() + timedelta(days=dice.randint(0, 14)))
        found += [back, {"at": at, "do": "submit", "key": duty.key}]
    if dice.random() < 0.995:
        at = _moment(dice, at.date() + timedelta(days=dice.choice((0, 0, 1, 1, 6))))
        found.append({"at": at, "do": "accept", "key": duty.key})
    return found


def _decision(dice: Random, duty: Duty) -> list[dict[str, Any]]:
    """The office moves a deadline, exempts or reassigns: for one section or for all."""
    at = _moment(dice, shift(duty.deadline.date(), dice.randint(-14, 12)))
    made: dict[str, Any] = {"at": at, "do": "override", "reason": "会议冲突"}
    made |= {"item": duty.item, "period": duty.period}
    if dice.random() < 0.6:
        made["section"] = duty.section
    match dice.choice(("move", "move", "move", "exempt", "reassign")):
        case "move":
            day = duty.deadline.date() + timedelta(days=dice.randint(-12, 16))
            made["deadline"] = f"{day}" + dice.choice(("", "T08:30:00", "T12:00:00"))
        case "exempt":
            made["do"] = "exempt"
        case _:
            heir = dice.choice([s for s in SECTIONS if s != duty.section])
            made |= {"section": duty.section, "reassign": heir}
            taken = replace(duty, section=heir, deadline=max(duty.deadline, at))
            return [made, *_reporting(dice, taken, 0.9)]
    return [made]


def _succession(dice: Random) -> list[dict[str, Any]]:
    post, number = dice.choice(("局长", "副局长", "调研员")), dice.randint(1, 9)
    named = {"post": post, "name": f"继任者{number}", "email": f"jiren{number}@edu.example"}
    return [{"at": _moment(dice, _any_day(dice)), "do": "holder", **named}]


def _spell(dice: Random, do: str, begins: dict[str, Any], ends: dict[str, Any], days: float) -> Any:
    """Something that begins and, some time later, ends."""
    at = _moment(dice, _any_day(dice))
    until = at + timedelta(days=dice.choice((0.02, 0.2, days)) * dice.random())
    return [{"at": at, "do": do, **begins}, {"at": until, "do": do, **ends}]


def _outage(dice: Random) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _spell(dice, "daemon", {"state": "down"}, {"state": "up"}, 12)
    return found


def _relay(dice: Random) -> list[dict[str, Any]]:
    state = dice.choice(("down", "down", "defer", f"reject:{dice.choice(ADDRESSES)}"))
    days = dice.choice((2, 9))
    found: list[dict[str, Any]] = _spell(dice, "smtp", {"state": state}, {"state": "up"}, days)
    return found


def _clock(dice: Random) -> list[dict[str, Any]]:
    """The machine's clock jumps, and is put right some time later."""
    seconds = dice.choice((-1, 1)) * dice.choice((90, 3600, 30_000, 100_000))
    found: list[dict[str, Any]] = _spell(dice, "clock", {"offset": seconds}, {"offset": 0}, 4)
    return found


def _noise(dice: Random) -> Noise:
    start = _moment(dice, _any_day(dice))
    end = start + timedelta(days=dice.choice((1, 20, 60)))
    defer, lost, broken = (dice.choice((0.0, 0.05, 0.3)) for _ in range(3))
    return Noise(start, end, defer, lost, broken, dice.choice((0.0, 0.0, 0.02)))
