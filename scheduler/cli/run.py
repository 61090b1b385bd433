"""`duban run`: the daemon."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from scheduler.cli.folders import PlanFolder, settings
from scheduler.cli.output import Refused, Wrong
from scheduler.cli.root import Command
from scheduler.cli.texts import say, told


@click.command("run", cls=Command, help=say("run"), short_help=say("run.short"))
@click.argument("folders", metavar="PLAN…", type=PlanFolder(), nargs=-1, required=True)
def run_command(folders: tuple[Path, ...]) -> int:
    """See the catalogue."""
    # the plan is about to be read, or was: no reason to end, as a SIGHUP else is
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from config.settings import SettingsError

    chosen = settings()
    from board.listening import ListenError
    from ledger.engine import LedgerError
    from mailroom.render import TemplatesError
    from scheduler.daemon import AlreadyRunningError, NoPlanError, run
    from scheduler.loops import run as run_loop

    try:
        return run_loop(run(list(folders), chosen))
    except SettingsError as error:
        raise Wrong(str(error)) from error
    except (AlreadyRunningError, LedgerError, ListenError, NoPlanError, TemplatesError) as error:
        raise Refused(told(error)) from error
