"""`duban archive export`: what the sections handed in, in folders by period and section."""

from __future__ import annotations

from pathlib import Path

import click

from scheduler.cli.folders import json_option, load, own_ledger, plan_argument, settings
from scheduler.cli.output import FINE, FOUND, Refused, document, line, note
from scheduler.cli.root import Command, Group
from scheduler.cli.texts import say


@click.group("archive", cls=Group, help=say("archive"), short_help=say("archive.short"))
def archive_command() -> None:
    """See the catalogue."""


@archive_command.command(
    "export", cls=Command, help=say("archive.export"), short_help=say("archive.export.short")
)
@plan_argument
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help=say("opt.export.out"),
)
@click.option("--period", "periods", metavar="PERIOD", multiple=True, help=say("opt.periods"))
@json_option
def export_command(folder: Path, out: Path, periods: tuple[str, ...], as_json: bool) -> int:
    """See the catalogue."""
    from duban.bureau import Bureau
    from jobs.export import OccupiedError, export
    from ledger import plans
    from scheduler.clock import SystemClock
    from scheduler.wiring import archive_of

    bureau = Bureau(load(folder))
    archive, now = archive_of(settings()), SystemClock().now()
    with own_ledger() as ledger, ledger.read() as connection:
        plan = plans.find(connection, bureau.plan.id)
        if plan is None:
            raise Refused(say("status.empty"))
        try:
            done = export(connection, bureau, plan.id, archive, out, now, periods)
        except (OccupiedError, OSError) as error:
            raise Refused(str(error)) from error
    if as_json:
        missing = [{"name": one.given, "sha256": one.digest} for one in done.missing]
        document(
            {"out": str(out), "hand_ins": done.hand_ins, "files": done.files, "missing": missing}
        )
    else:
        line(say("export.done", out=out, hand_ins=done.hand_ins, files=done.files))
    for one in done.missing:
        note(say("export.missing", name=one.given, digest=one.digest))
    return FOUND if done.missing else FINE
