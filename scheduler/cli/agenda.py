"""`duban agenda`: what is due between two days, and when it will be spoken of."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.days import DAY, weekday
from scheduler.cli.folders import json_option, load, plan_argument, section_named
from scheduler.cli.output import Wrong, console, document, line
from scheduler.cli.root import Command
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from duban.bureau import Bureau
    from duban.deadlines import Obligation
    from duban.ladder import Step

_FEW_SECTIONS = 4


@click.command("agenda", cls=Command, help=say("agenda"), short_help=say("agenda.short"))
@plan_argument
@click.option("--from", "first", metavar="DATE", type=DAY, help=say("opt.from"))
@click.option("--to", "last", metavar="DATE", type=DAY, help=say("opt.to"))
@click.option("--section", metavar="NAME", help=say("opt.section"))
@json_option
def agenda_command(
    folder: Path, first: date | None, last: date | None, section: str | None, as_json: bool
) -> None:
    """See the catalogue."""
    from duban.bureau import Bureau
    from duban.deadlines import agenda

    bureau = Bureau(load(folder))
    start, end = _span(bureau, first, last)
    named = None if section is None else section_named(bureau.plan, section)
    found = [
        o for o in agenda(bureau.plan, bureau.calendar, start, end) if named in (None, o.section)
    ]
    if as_json:
        document([entry(bureau, o, end) for o in found])
    else:
        _print(bureau, found, (start, end), every_section=named is not None)


def _span(bureau: Bureau, first: date | None, last: date | None) -> tuple[date, date]:
    """From the one day to the other; one that is missing is its month's end, both: this month."""
    if first is None and last is None:
        from scheduler.clock import SystemClock

        first = bureau.day(SystemClock().now()).replace(day=1)
    start = first or (last or date.min).replace(day=1)
    end = last or start.replace(day=calendar.monthrange(start.year, start.month)[1])
    if end < start:
        raise Wrong(say("bad.span", first=start, last=end))
    return start, end


def entry(bureau: Bureau, one: Obligation, last: date) -> dict[str, Any]:
    """An obligation as other programs rely on it; repeated rungs to the end of the day `last`."""
    plan = bureau.plan
    holders = [plan.official(post).holder(one.deadline.date()).name for post in one.posts]
    return {
        "key": one.key,
        "kind": one.kind.value,
        "item": one.item.id,
        "title": one.item.title,
        "period": one.period,
        "section": one.section,
        "leaders": list(dict.fromkeys(holders)),
        "nominal": one.nominal.isoformat(),
        "deadline": one.deadline.isoformat(),
        "provisional": one.provisional,
        "exempt": one.exempt,
        "to_confirm": list(one.to_confirm),
        "rungs": [
            {
                "at": s.at.isoformat(),
                "light": s.light.value,
                "audience": [a.value for a in s.audience],
            }
            for s in _steps(bureau, one, last)
        ],
        "source": one.item.origin,
    }


def _steps(bureau: Bureau, one: Obligation, last: date) -> list[Step]:
    if one.exempt is not None:
        return []
    until = datetime.combine(last + timedelta(days=1), time(), bureau.plan.zone)
    return bureau.ladder(one.item.id, one.deadline, until - timedelta(microseconds=1))


def _print(
    bureau: Bureau, found: list[Obligation], span: tuple[date, date], *, every_section: bool
) -> None:
    from rich.table import Table

    if not found:
        line(say("agenda.none", first=span[0], last=span[1]))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("deadline", "id"):
        table.add_column(say(f"col.{name}"), no_wrap=True)
    for name in ("item", "sections", "rungs"):
        table.add_column(say(f"col.{name}"), overflow="fold")
    years = span[0].year != span[1].year
    for group in _grouped(found):
        row = _row(bureau, group, every_section=every_section)
        table.add_row(_when(group[0], years=years), *row)
    console().print(table)
    line()
    line(say("agenda.sum", count=len(found), first=span[0], last=span[1]))


def _grouped(found: list[Obligation]) -> Iterable[list[Obligation]]:
    """What is one row: the same thing for the same period by the same instant."""

    def kind(one: Obligation) -> tuple[str, str, str, bool]:
        return one.deadline.isoformat(), one.item.id, one.period, one.exempt is not None

    rows = [list(group) for _, group in groupby(sorted(found, key=kind), key=kind)]
    order = {one.key: number for number, one in enumerate(found)}
    return sorted(rows, key=lambda group: order[group[0].key])


def _when(one: Obligation, *, years: bool) -> str:
    """`3-24 周五 17:30`, with the year where there are several, `?` while it is provisional."""
    due = one.deadline
    year = f"{due.year}-" if years else ""
    doubt = " ?" if one.provisional else ""
    return f"{year}{due.month}-{due.day} {weekday(due)} {due:%H:%M}{doubt}"


def _row(
    bureau: Bureau, group: list[Obligation], *, every_section: bool
) -> tuple[str, str, str, str]:
    one = group[0]
    names = [o.section for o in group]
    few = every_section or len(names) <= _FEW_SECTIONS
    who = "、".join(names) if few else say("sections", count=len(names))
    if one.exempt is not None:
        return one.item.id, one.item.label, who, say("exempt", reason=one.exempt)
    return one.item.id, one.item.label, who, _rungs(bureau, one)


def _rungs(bureau: Bureau, one: Obligation) -> str:
    """The days of the fixed rungs: `3-17 22 24 27 29 …`, the month where it changes."""
    said: list[str] = []
    month = 0
    for step in _steps(bureau, one, one.deadline.date()):
        said.append(
            f"{step.at.day}" if step.at.month == month else f"{step.at.month}-{step.at.day}"
        )
        month = step.at.month
    repeated = bureau.plan.ladder(one.item)[-1].every is not None
    return " ".join([*said, "…"] if repeated else said)
