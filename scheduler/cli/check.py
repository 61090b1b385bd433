"""`duban check`: every problem of a plan, at its line and column."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.cli.folders import json_option, plan_argument
from scheduler.cli.output import FINE, FOUND, document, line, lines
from scheduler.cli.root import Command
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from config.loader import Loaded
    from config.problems import Problem

_GROUPS = {"error": "errors", "warning": "warnings", "confirm": "to_confirm"}


@click.command("check", cls=Command, help=say("check"), short_help=say("check.short"))
@plan_argument
@json_option
def check_command(folder: Path, as_json: bool) -> int:
    """See the catalogue."""
    from config.loader import load_plan

    loaded = load_plan(folder)
    problems = [*loaded.problems, *_foreseen(loaded)]
    grouped = {
        group: [p for p in problems if p.severity == severity]
        for severity, group in _GROUPS.items()
    }
    if as_json:
        document(_document(folder, loaded, grouped))
    else:
        _print(loaded, grouped)
    return FOUND if grouped["errors"] else FINE


def _foreseen(loaded: Loaded) -> Iterable[Problem]:
    """What the calendar will lack: only for a plan that loads."""
    if loaded.plan is None:
        return ()
    from duban.bureau import Bureau
    from duban.coverage import coverage_warnings
    from scheduler.clock import SystemClock

    bureau = Bureau(loaded.plan)
    return coverage_warnings(loaded.plan, bureau.day(SystemClock().now()))


def _document(folder: Path, loaded: Loaded, grouped: dict[str, list[Problem]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        group: [
            {"file": p.file, "line": p.line, "column": p.column, "message": p.message}
            for p in problems
        ]
        for group, problems in grouped.items()
    }
    plan = loaded.plan.id if loaded.plan else None
    return {
        "plan": plan,
        "folder": str(folder),
        "ok": not grouped["errors"],
        **found,
        "counts": _counts(loaded),
    }


def _counts(loaded: Loaded) -> dict[str, int]:
    plan = loaded.plan
    if plan is None:
        return {}
    names = ("sections", "officials", "rules", "milestones", "projects")
    return {n: len(getattr(plan.file, n)) for n in names} | {"overrides": len(plan.overrides)}


def _print(loaded: Loaded, grouped: dict[str, list[Problem]]) -> None:
    for group, problems in grouped.items():
        if problems:
            line(say(f"check.{group}", count=len(problems)))
            lines(f"  {problem}" if group == "to_confirm" else str(problem) for problem in problems)
            line()
    if loaded.plan is None:
        line(say("check.refused", count=len(grouped["errors"])))
        return
    line(say("check.fine", plan=loaded.plan.id, **_counts(loaded)))
