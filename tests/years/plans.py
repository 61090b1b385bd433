"""The plans of the years: of one small but complete plan, some items each.

A bureau of few items meets as many faults as one of many, and its year takes a part of the time.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.checker.plan import PlanReader

PLAN = Path(__file__).parent / "plan"
READER = PlanReader(PLAN)
ALL = tuple(READER.items)
_TOGETHER = {"m03": "p01"}
"""A milestone stays with its project."""
_FEW = (2, 3, 3, 4, 4, 5, 6, len(ALL))


def some_items(dice: Random) -> tuple[str, ...]:
    """Mostly a few of the plan's items; now and then all of them."""
    drawn = set(dice.sample(ALL, dice.choice(_FEW)))
    drawn |= {project for item, project in _TOGETHER.items() if item in drawn}
    return tuple(item for item in ALL if item in drawn)


def write_plan(folder: Path, items: Collection[str], min_notice: int) -> None:
    """Write the plan of these items, with a `min_notice` of its own."""
    (folder / "plan.yaml").write_text(_text(tuple(items), min_notice), "utf-8")


@cache
def _text(items: tuple[str, ...], min_notice: int) -> str:
    tree: Any = yaml.compose((PLAN / "plan.yaml").read_text("utf-8"), Loader=yaml.SafeLoader)
    parts = {key.value: value for key, value in tree.value}
    for name in ("rules", "milestones", "projects"):
        parts[name].value = [entry for entry in parts[name].value if _id(entry) in items]
    notice: Any = yaml.compose(f"min_notice: {min_notice}", Loader=yaml.SafeLoader)
    parts["plan"].value += notice.value
    return str(yaml.serialize(tree, allow_unicode=True))


def _id(entry: Any) -> str:
    return next(str(value.value) for key, value in entry.value if key.value == "id")
