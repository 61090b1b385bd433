"""`duban demo`: a year to watch, without server or settings."""

from __future__ import annotations

import os
import re
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from scheduler.cli.days import moment
from scheduler.cli.folders import load
from scheduler.cli.output import Refused, Wrong, line
from scheduler.cli.root import Command
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from scheduler.demo import Demo
    from scheduler.demopages import House
    from scheduler.journal import Entry

_DEFAULT_PACE_S: Final = 1.5
_LIGHT: Final = re.compile(r"【(.+?)】")
_COLOURS: Final = {"blue": "blue", "yellow": "yellow", "red": "red"}
_TAG_COLUMNS: Final = 8
_RECIPIENT_COLUMNS: Final = 16


@click.command("demo", cls=Command, help=say("demo"), short_help=say("demo.short"))
@click.option("--speed", metavar="SECONDS", help=say("opt.demo.speed"))
@click.option("--days", type=click.IntRange(min=1), help=say("opt.demo.days"))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default="duban-demo",
    help=say("opt.demo.out"),
)
@click.option("--once", is_flag=True, help=say("opt.demo.once"))
def demo_command(speed: str | None, days: int | None, out: Path, once: bool) -> None:
    """See the catalogue."""
    import asyncio

    pace = 0.0 if once else _pace(speed)
    from scheduler.demo import Demo, plan_folder
    from scheduler.journal import OccupiedError

    hands = _Hands()

    def show(entry: Entry) -> None:
        hands.clear()
        _show(entry)

    showing = Demo(
        load(plan_folder()),
        out,
        show,
        pace,
        days=days,
        once=once,
        clock=hands.point,
        pages=pace > 0,
        opened=_invite,
        stay=pace > 0 and sys.stdout.isatty(),
    )
    _open(showing)
    try:
        asyncio.run(showing.run())
    except KeyboardInterrupt:
        hands.clear()
    except (OccupiedError, OSError) as error:
        raise Refused(str(error)) from error
    hands.clear()
    _close(showing)


def _invite(house: House) -> None:
    """Say where to look, and open it where there is a desktop with a browser."""
    from scheduler.demopages import USUAL_PORT

    if house.port != USUAL_PORT:
        line(say("demo.port", usual=USUAL_PORT, port=house.port))
    line(say("demo.pages", board=house.entrance, outbox=f"{house.url}/outbox/"))
    line()
    if sys.stdout.isatty() and _on_a_desktop():
        import webbrowser

        webbrowser.open_new_tab(house.entrance)


def _on_a_desktop() -> bool:
    """Whether a browser would get a window of its own: one in the terminal would take it over."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


class _Hands:
    """The running clock on the last line of a terminal; nothing where there is none."""

    def __init__(self) -> None:
        self._seen = sys.stderr.isatty() and sys.stdout.isatty()

    def point(self, at: datetime) -> None:
        """Show the time that the demo has reached."""
        if self._seen:
            click.echo(f"\r\x1b[K{moment(at)} ", nl=False, err=True)

    def clear(self) -> None:
        """Make room for a line."""
        if self._seen:
            click.echo("\r\x1b[K", nl=False, err=True)


def _pace(speed: str | None) -> float:
    if speed == "max":
        return 0.0
    try:
        seconds = _DEFAULT_PACE_S if speed is None else float(speed)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise Wrong(say("bad.speed", value=speed))
    return seconds


def _open(showing: Demo) -> None:
    pace = say("demo.pace", seconds=showing.pace_s) if showing.pace_s else say("demo.pace.max")
    where = showing.page.parent
    line(say("demo.start", start=showing.reached, pace=pace, outbox=where, index=showing.page))
    line()


def _close(showing: Demo) -> None:
    from scheduler.demo import plan_folder

    line()
    line(
        say(
            "demo.end",
            count=showing.count,
            day=showing.reached,
            index=showing.page.resolve(),
            key=showing.last_key or "KEY",
            plan=plan_folder(),
            ledger=showing.ledger,
        )
    )


def _show(entry: Entry) -> None:
    """One line for a letter: time, light, recipient, subject, within the terminal's width."""
    from mailroom.lines import columns, pad

    light = _LIGHT.match(entry.subject)
    tag = light[0] if light else ""
    head = f"{entry.at[5:16].replace('T', ' ')} "
    recipient = pad(_cut(entry.recipient, _RECIPIENT_COLUMNS), _RECIPIENT_COLUMNS)
    used = columns(head) + _TAG_COLUMNS + _RECIPIENT_COLUMNS + 2
    room = shutil.get_terminal_size((100, 24)).columns - used
    subject = _cut(entry.subject[len(tag) :].strip(), max(room, 20))
    colour = _COLOURS.get(entry.light or "", "green" if entry.kind == "closing" else None)
    styled = click.style(pad(tag, _TAG_COLUMNS), fg=colour, bold=colour is not None)
    line(f"{head}{styled}{recipient}  {subject}")


def _cut(text: str, width: int) -> str:
    """The text within so many columns."""
    from mailroom.lines import columns

    if columns(text) <= width:
        return text
    kept = ""
    for character in text:
        if columns(kept) + columns(character) + 2 > width:
            break
        kept += character
    return kept + "…"
