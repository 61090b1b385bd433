"""Letters of every kind with made-up facts, to try templates on before the first real letter.

Each kind comes in the shapes that its templates tell apart, so that a mistake in a branch is found.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.model import Kind, Light
from duban.facts import DigestFacts, ItemFacts, LetterFacts, LetterKind, Sent

_NOW = datetime(2023, 3, 22, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
_LINK = "https://duban.bureau.example/r/token"
_DUE = datetime(2023, 3, 24, 17, 30, tzinfo=_NOW.tzinfo)


def _item(section: str = "甲科", **more: object) -> ItemFacts:
    item = ItemFacts(
        key=f"special/2023-03/{section}",
        kind=Kind.REPORT,
        title="工作专报",
        label="专报",
        period="2023-03",
        light=Light.YELLOW,
        section=section,
        section_full=f"{section}（全称）",
        head="科长",
        nominal=date(2023, 3, 25),
        deadline=_DUE,
        days_left=2,
        days_late=0,
    )
    return item._replace(**more)  # type: ignore[arg-type]


def _late(section: str = "甲科", days: int = 3, **more: object) -> ItemFacts:
    before = tuple(
        Sent(at=_NOW - timedelta(days=n), light=light)
        for n, light in ((9, Light.BLUE), (7, Light.YELLOW), (5, Light.YELLOW), (3, Light.RED))
    )
    due = _NOW - timedelta(days=days)
    facts = {
        "light": Light.RED,
        "deadline": due,
        "days_left": -days,
        "days_late": days,
        "sent": before,
        "reminded": 7,
    }
    return _item(section, **(facts | more))


def _letter(kind: LetterKind, *items: ItemFacts, **more: object) -> LetterFacts:
    letter = LetterFacts(
        kind=kind,
        light=max((i.light for i in items), key=lambda x: x.rank) if items else None,
        recipient="甲科",
        recipient_title="",
        organization="某市某局",
        plan_title="某行动方案",
        office="办公室",
        office_email="office@bureau.example",
        now=_NOW,
        items=items,
    )
    return letter._replace(**more)  # type: ignore[arg-type]


_FULL = _item(
    contents=("工作进展", "存在问题", "下一步工作计划"),
    provisional=True,
    project="某专项",
    reason="某原因",
)
_TASK = _item(kind=Kind.MILESTONE, title="召开某会", label="召开某会", nominal=_DUE.date())
_OWN = {
    "projects": ("甲专项", "乙专项"),
    "milestones": (("召开某会", date(2023, 3, 31)), ("研究制定某办法", date(2024, 4, 28))),
}


def _reminders() -> tuple[LetterFacts, ...]:
    kind = LetterKind.REMINDER
    return (
        _letter(kind, _FULL),
        _letter(
            kind, _item(deadline=_NOW.replace(hour=17), days_left=0), recipient_title="甲科全称"
        ),
        _letter(kind, _FULL, _TASK, **_OWN),
        _letter(kind, _late(), _FULL, _TASK),
        _letter(kind, *(_late(days=n) for n in range(5, 1, -1)), _TASK, **_OWN),
    )


def _escalations() -> tuple[LetterFacts, ...]:
    kind, sections = LetterKind.ESCALATION, "乙丙丁戊己"
    return (
        _letter(kind, _late(section_email="jia@bureau.example"), recipient="分管领导"),
        _letter(kind, *(_late(days=n) for n in range(7, 1, -1)), recipient="分管领导"),
        _letter(kind, _TASK, _FULL, recipient="分管领导"),
        _letter(
            kind,
            *(_late(f"{s}科", n, provisional=True) for n, s in enumerate(sections, 1)),
            *(_late(days=n) for n in range(5, 1, -1)),
            recipient="组长",
        ),
    )


def _changes() -> tuple[LetterFacts, ...]:
    kind = LetterKind.CHANGE
    moved = _item(
        old_deadline=_DUE - timedelta(days=7), reason="某原因", by="办公室", provisional=True
    )
    return (
        _letter(kind, moved),
        _letter(kind, _item(exempt=True, reason="某原因")),
        _letter(kind, _item(given_to="乙科", old_deadline=_DUE)),
        _letter(kind, _item(taken_from="乙科"), moved, _item(exempt=True)),
    )


def _receipts() -> tuple[LetterFacts, ...]:
    done = _item(number="2023-0001", submitted_at=_NOW, standing="待核")
    receipt, closing = LetterKind.RECEIPT, LetterKind.CLOSING
    late = _late(number="2023-0001", submitted_at=_NOW, standing="迟报", reason="某原因")
    return (
        _letter(receipt, done, light=None),
        _letter(receipt, done, _item(), light=None),
        _letter(closing, late, light=None),
        _letter(closing, late, _late("乙科", exempt=True), _TASK, light=None, recipient="分管领导"),
    )


def _office() -> tuple[LetterFacts, ...]:
    full = DigestFacts(
        open=40,
        on_time=30,
        late=2,
        overdue=tuple(_late(days=n) for n in range(1, 12)),
        due_soon=(_FULL, _TASK),
        submitted=(_item(number="2023-0001", submitted_at=_NOW, waited=4),),
        provisional=3,
        alarms=("某异常",),
        requests=("乙科：某报告，申请延至3月31日（周五）：某原因",),
    )
    kind = LetterKind.NOTICE
    return (
        _letter(LetterKind.DIGEST, digest=DigestFacts(open=0, on_time=0, late=0), light=None),
        _letter(LetterKind.DIGEST, digest=full, light=None),
        _letter(
            kind, title="配置有误", message=("某段。", "又一段。"), details=("plan.yaml:1:1: 某错",)
        ),
        _letter(kind, _FULL, title="退回补充", light=Light.RED),
    )


def samples() -> tuple[LetterFacts, ...]:
    """Sample facts for every kind of letter, several of most."""
    bare = (*_reminders(), *_escalations(), *_changes(), *_receipts(), *_office())
    linked = (facts._replace(link=_LINK) for facts in bare if facts.items)
    return (*bare, *linked)
