"""What the shell may offer behind a command: an obligation's key, part by part."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from config.plan import Plan

_AHEAD_DAYS = 366


class Key(click.ParamType[str]):
    """A key as `ITEM/PERIOD/SECTION`."""

    name = "key"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The parts that may come next; nothing where no plan is found or it does not load."""
        plan = _plan(ctx.params.get("folder"))
        if plan is None:
            return []
        return [CompletionItem(k) for k in _next(plan, incomplete) if k.startswith(incomplete)]


def _plan(folder: Path | None) -> Plan | None:
    from config.loader import load_plan
    from scheduler.cli.folders import here

    try:
        return load_plan(here(folder)).plan
    except click.ClickException:
        return None


def _next(plan: Plan, incomplete: str) -> list[str]:
    item, slash, rest = incomplete.partition("/")
    if not slash:
        return [f"{name}/" for name in plan.items]
    if item not in plan.items:
        return []
    period, slash, _ = rest.partition("/")
    if not slash:
        return [f"{item}/{p}/" for p in _periods(plan, item)]
    from duban.deadlines import owing

    return [f"{item}/{period}/{section}" for section in owing(plan, plan.items[item])]


def _periods(plan: Plan, item: str) -> list[str]:
    from duban.deadlines import periods
    from scheduler.clock import SystemClock

    today = SystemClock().now().astimezone(plan.zone).date()
    return periods(plan, plan.items[item], today + timedelta(days=_AHEAD_DAYS))


KEY = Key()
