"""`duban exempt` and `override`: the office's decisions, written into `overrides.yaml`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from scheduler.cli.completing import KEY
from scheduler.cli.days import INSTANT
from scheduler.cli.folders import bureau_in, by_option, here, json_option, plan_option
from scheduler.cli.output import Refused, Wrong, document, line, note
from scheduler.cli.root import Command
from scheduler.cli.texts import say

_key = click.argument("key", metavar="KEY", type=KEY)
_reason = click.option("--reason", metavar="TEXT", required=True, help=say("opt.reason"))


@click.command("exempt", cls=Command, help=say("exempt.help"), short_help=say("exempt.short"))
@_key
@_reason
@by_option
@plan_option
@json_option
def exempt_command(key: str, reason: str, by: str, folder: Path | None, as_json: bool) -> None:
    """See the catalogue."""
    _decide(key, {"exempt": True, "reason": reason, "by": by}, here(folder), as_json=as_json)


@click.command("override", cls=Command, help=say("override"), short_help=say("override.short"))
@_key
@click.option("--deadline", metavar="DATE", type=INSTANT, help=say("opt.deadline"))
@click.option("--reassign", metavar="SECTION", help=say("opt.reassign"))
@_reason
@by_option
@plan_option
@json_option
def override_command(
    key: str,
    deadline: date | datetime | None,
    reassign: str | None,
    reason: str,
    by: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """See the catalogue."""
    if (deadline is None) == (reassign is None):
        raise Wrong(say("one.decision"))
    from config.splice import written

    decision: dict[str, str | bool] = {"reason": reason, "by": by}
    if deadline is not None:
        decision["deadline"] = written(deadline)
    if reassign is not None:
        decision["reassign"] = reassign
    _decide(key, decision, here(folder), as_json=as_json)


def _decide(key: str, decision: dict[str, str | bool], folder: Path, *, as_json: bool) -> None:
    """Write the decision about `ITEM/PERIOD/SECTION`, or about all of `ITEM/PERIOD`."""
    from config.splice import OverrideRefusedError, write_override
    from scheduler.cli.folders import section_named
    from scheduler.cli.keys import item_named

    bureau = bureau_in(folder)
    item, _, rest = key.partition("/")
    period, _, section = rest.partition("/")
    if not period:
        raise Wrong(say("bad.key", key=key))
    named: dict[str, str | bool] = {"item": item_named(bureau, item).id, "period": period}
    if section:
        named["section"] = section_named(bureau.plan, section)
    if "reassign" in decision:
        decision["reassign"] = section_named(bureau.plan, str(decision["reassign"]))
    try:
        write_override(folder, named | decision)
    except OverrideRefusedError as error:
        for problem in error.problems:
            note(str(problem))
        raise Refused(say("override.refused")) from error
    except (ValueError, OSError) as error:
        raise Refused(str(error)) from error
    if as_json:
        document({**named, **decision, "file": str(folder / "overrides.yaml")})
    else:
        line(say("override.done", file=folder / "overrides.yaml"))
