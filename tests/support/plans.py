"""A small plan as values, for tests that vary one thing: `plan_of(about={"min_notice": 2})`.

It runs from 2023-02-01 without an end and holds three sections beside the office, two posts and the
monthly report on the 25th. For a plan as files see `plans_written`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from config.holidays import Notice
from config.loader import load_plan
from config.model import Override, PlanFile
from config.plan import Plan

OFFICE = "办公室"
SECTIONS = ("财务科", "组织科", "初幼教科")
REASON = "会议冲突"

_REAL = Path(__file__).parents[2] / "config" / "quanzhou-2023"
_ABOUT = {
    "id": "demo",
    "title": "年度重点工作",
    "organization": "某市教育局",
    "office": OFFICE,
    "head": "局长",
    "starts": "2023-02-01",
}
_PARTS: dict[str, Any] = {
    "officials": [
        {"post": "局长", "holders": [{"name": "刘殊芳", "email": "juzhang@edu.example"}]},
        {"post": "副局长", "holders": [{"name": "陈军宣", "email": "fujuzhang@edu.example"}]},
    ],
    "sections": [
        {"name": OFFICE, "email": "bangongshi@edu.example"},
        {"name": "财务科", "email": "caiwu@edu.example", "leader": "副局长"},
        {"name": "组织科", "email": "zuzhi@edu.example"},
        {
            "name": "初幼教科",
            "full_name": "初等教育与学前教育科",
            "aliases": ["初教科"],
            "email": "chuyou@edu.example",
            "leader": "陈军宣",
        },
    ],
    "rules": [{"id": "monthly", "title": "月度工作进展", "due": {"monthly": 25}}],
}


def plan_of(
    *,
    about: Mapping[str, Any] | None = None,
    overrides: Iterable[Mapping[str, Any]] = (),
    notices: Mapping[int, Notice] | None = None,
    **parts: Any,
) -> Plan:
    """The small plan with changes, as `plan.yaml` would write them; references are not checked.

    `about` is merged into the plan's head; each of `parts` (`rules`, `milestones`, `sections` …)
    replaces the part of that name. An override gets a reason if it has none.
    """
    file = PlanFile.model_validate({"plan": _ABOUT | dict(about or {}), **_PARTS, **parts})
    decided = (Override.model_validate({"reason": REASON} | dict(o)) for o in overrides)
    return Plan(file, tuple(decided), notices or {})


def rule(due: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A rule `r` that 财务科 alone owes, unless `more` says otherwise."""
    return {"id": "r", "title": "工作专报", "due": due, "sections": ["财务科"], **more}


@cache
def many_sections(count: int) -> Plan:
    """A plan of an office and so many sections, 财务科 the first, that owe one report a month."""
    names = ["财务科", *(f"第{n}科" for n in range(1, count))]
    own = [{"name": name, "email": f"s{n}@edu.example"} for n, name in enumerate(names)]
    office = {"name": OFFICE, "email": "bangongshi@edu.example"}
    return plan_of(sections=[office, *own], rules=[rule({"monthly": 25}, sections="all")])


def real_plan() -> Plan:
    """The Quanzhou plan as it ships, without whatever its office has overridden."""
    loaded = load_plan(_REAL)
    assert loaded.plan is not None, loaded.errors
    return replace(loaded.plan, overrides=())
