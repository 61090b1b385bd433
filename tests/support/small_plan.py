"""A small valid plan for the tests, and the ways to break it."""

from __future__ import annotations

from pathlib import Path

from config.loader import Loaded, load_plan

PLAN = """\
plan:
  id: demo-2023
  title: 年度重点工作
  organization: 某市教育局
  office: 办公室
  head: 局长
  starts: 2023-02-01
  ends: 2023-12-31
officials:
  - post: 局长
    role: 组长
    holders: [{name: 刘殊芳, email: head@edu.example}]
  - post: 副局长
    role: 副组长
    holders:
      - {name: 陈军宣, email: deputy@edu.example}
sections:
  - name: 办公室
    email: office@edu.example
    leader: 局长
  - name: 初幼教科
    full_name: 初等教育与学前教育科
    aliases: [初教科室]
    email: chuyou@edu.example
    leader: 陈军宣
  - name: 财务科
    stand_in: 办公室
    leader: 副局长
rules:
  - id: monthly
    title: 重点工作进展情况
    due: {monthly: 25}
    from: 2023-02
    until: 2023-12
  - id: special
    title: 工作专报
    due: {yearly: [03-25, 09-25]}
    sections: [财务科]
milestones:
  - id: m02-01
    month: 2023-02
    title: 召开动员部署会
    sections: [办公室]
    project: p01
projects:
  - id: p01
    title: 经费总量包干
    leads:
      - {official: 副局长, section: 财务科}
"""

OVERRIDES = """\
overrides:
  - item: special
    period: 2023-03
    section: 财务科
    deadline: 2023-03-28
    reason: 会议冲突
"""


def save(folder: Path, plan: str | bytes = PLAN, overrides: str | bytes | None = None) -> Path:
    """Write a plan's files into `folder`."""
    for name, content in (("plan.yaml", plan), ("overrides.yaml", overrides)):
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
    return folder


def load(folder: Path, plan: str | bytes = PLAN, overrides: str | bytes | None = None) -> Loaded:
    """Write a plan's files and load them."""
    return load_plan(save(folder, plan, overrides))


def changed(old: str, new: str, text: str = PLAN) -> str:
    """The text with its one `old` replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the plan"
    return text.replace(old, new)


def errors(loaded: Loaded) -> list[str]:
    """The errors as the office sees them; there must be no plan beside them."""
    found = [str(p) for p in loaded.problems if p.severity == "error"]
    assert (loaded.plan is None) == bool(found)
    return found


def others(loaded: Loaded, severity: str) -> list[str]:
    """The warnings, or the notes to confirm."""
    return [str(p) for p in loaded.problems if p.severity == severity]
