"""`duban simulate`: the real jobs, ledger and templates under a virtual clock."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.days import DAY
from scheduler.cli.folders import json_option, load, plan_argument, speaker_by
from scheduler.cli.output import Refused, Wrong, console, document, line, note
from scheduler.cli.root import Command
from scheduler.cli.texts import say, told

if TYPE_CHECKING:
    from config.plan import Plan
    from jobs.marking import Sent
    from scheduler.journal import Journal
    from scheduler.script import Timed
    from scheduler.simulator import Simulation

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


@click.command("simulate", cls=Command, help=say("simulate"), short_help=say("simulate.short"))
@plan_argument
@click.option("--from", "first", metavar="DATE", type=DAY, required=True, help=say("opt.sim.from"))
@click.option("--to", "last", metavar="DATE", type=DAY, required=True, help=say("opt.sim.to"))
@click.option(
    "--script",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=say("opt.script"),
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help=say("opt.out"))
@click.option(
    "--templates",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=say("opt.templates"),
)
@json_option
def simulate_command(
    folder: Path,
    first: date,
    last: date,
    script: Path | None,
    out: Path | None,
    templates: Path | None,
    as_json: bool,
) -> None:
    """See the catalogue."""
    if last < first:
        raise Wrong(say("bad.span", first=first, last=last))
    plan = load(folder)
    actions = _actions(script, plan)
    with nullcontext(out) if out else _scratch() as place:
        summary = _simulate(plan, (first, last), actions, place, templates)
    summary["out"] = str(out) if out else None
    if as_json:
        document(summary)
    else:
        _print(summary)


@contextmanager
def _scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="duban-") as name:
        yield Path(name)


def _actions(script: Path | None, plan: Plan) -> list[Timed]:
    if script is None:
        return []
    from scheduler.script import ScriptError, read_script

    try:
        return read_script(script, plan.zone)
    except ScriptError as error:
        for problem in error.problems:
            note(str(problem))
        raise Refused(say("bad.script", count=len(error.problems))) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{script}: {error}") from error


def _simulate(
    plan: Plan,
    span: tuple[date, date],
    actions: list[Timed],
    place: Path,
    templates: Path | None,
) -> dict[str, Any]:
    import asyncio

    from ledger.engine import Ledger, LedgerError
    from scheduler.journal import LEDGER, Journal, OccupiedError, make_room
    from scheduler.simulator import Simulation

    speaker = speaker_by(templates)
    try:
        make_room(place, "duban simulate")
    except (OccupiedError, OSError) as error:
        raise Refused(str(error)) from error
    start = datetime.combine(span[0], time(), plan.zone)
    end = datetime.combine(span[1] + timedelta(days=1), time(), plan.zone)
    until = end - timedelta(microseconds=1)
    ledger = Ledger("sqlite://", durable=False, seed=0)  # in memory; saved at the end
    try:
        ledger.prepare()
        with Journal(place, plan.zone) as journal, _progress(span) as shown, _few_collections():

            def keep(sent: Sent) -> None:
                journal.add(sent)
                shown(sent.at.astimezone(plan.zone).date(), journal.count)

            simulation = Simulation(plan, ledger, speaker, start, actions, keep)
            asyncio.run(simulation.run(until))
        ledger.save(place / LEDGER)
        return _summary(plan, span, simulation, journal, until)
    except (LedgerError, OSError) as error:
        raise Refused(told(error)) from error
    finally:
        ledger.close()


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage seldom: a year makes no cycles, and a tenth of its time went there."""
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _progress(span: tuple[date, date]) -> Iterator[Any]:
    """Something to call with the day reached and the letters so far; a bar on a terminal."""
    target = console(stderr=True)
    if not target.is_terminal:
        yield lambda _day, _count: None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[letters]}"))
    with Progress(*columns, console=target, transient=True) as progress:
        total = (span[1] - span[0]).days + 1
        task = progress.add_task(str(span[0]), total=total, letters="")

        def reached(day: date, count: int) -> None:
            progress.update(
                task,
                completed=(day - span[0]).days + 1,
                description=str(day),
                letters=say("letters", count=count),
            )

        yield reached


def _summary(
    plan: Plan,
    span: tuple[date, date],
    simulation: Simulation,
    journal: Journal,
    until: datetime,
) -> dict[str, Any]:
    from jobs.status import letters_ended, status
    from ledger.tables import LetterState

    with simulation.ledger.read() as connection:
        stands = status(connection, until, [plan.id]).plans
        ended = letters_ended(connection)
    for refusal in simulation.refusals:
        note(say("warning", message=refusal))
    return {
        "plan": plan.id,
        "from": span[0].isoformat(),
        "to": span[1].isoformat(),
        "letters": journal.count,
        "kinds": dict(sorted(journal.kinds.items())),
        "lights": dict(sorted(journal.lights.items())),
        "standings": {s.value: n for one in stands for s, n in one.standings.items() if n},
        "waiting": sum(one.waiting for one in stands),
        "failed": sum(n for (_, state), n in ended.items() if state == LetterState.FAILED.value),
        "refusals": list(simulation.refusals),
    }


def _print(summary: dict[str, Any]) -> None:
    from duban.standings import Standing

    line(
        say("sim.letters", **{"from": summary["from"]}, to=summary["to"], count=summary["letters"])
    )
    for key, name in (("kinds", "kind"), ("lights", "light")):
        said = [f"{say(f'{name}.{k}')} {n}" for k, n in summary[key].items()]
        line(f"  {say(f'sim.{key}')}  {'，'.join(said) or say('nothing')}")
    stands = [
        f"{say(f'standing.{Standing(k).value}')} {n}" for k, n in summary["standings"].items()
    ]
    line(f"  {say('sim.standings')}  {'，'.join(stands) or say('nothing')}")
    for key in ("waiting", "failed"):
        if summary[key]:
            line(f"  {say(f'sim.{key}', count=summary[key])}")
    if summary["out"]:
        line(say("sim.out", out=summary["out"]))
