"""What a claimed letter will say: the ledger's rows become the facts that templates lay out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache, partial
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from config.model import Audience, Light
from duban.bureau import Bureau
from duban.facts import ItemFacts, LetterFacts, LetterKind, Sent
from duban.standings import State, standing
from jobs.circulate import digest_facts
from jobs.common import deadline_facts, duty_facts, owner_facts
from ledger.among import among
from ledger.letters import Letter
from ledger.tables import Addressee, MentionState, mention, obligation, submission

_SHOWN_REMINDERS = 4
_SOON_DAYS = 2
_NEVER: tuple[tuple[Sent, ...], int] = ((), 0)
_ranked = (
    select(
        mention.c.obligation_id,
        mention.c.sent_at,
        mention.c.light,
        func.count().over(partition_by=mention.c.obligation_id).label("times"),
        func.row_number()
        .over(partition_by=mention.c.obligation_id, order_by=mention.c.sent_at.desc())
        .label("back"),
    )
    .where(
        among(mention.c.obligation_id, "of"),
        mention.c.audience == Audience.SECTION.value,
        mention.c.state == MentionState.SENT.value,
    )
    .subquery()
)
_REMINDERS = (
    select(_ranked)
    .where(_ranked.c.back <= _SHOWN_REMINDERS)
    .order_by(_ranked.c.obligation_id, _ranked.c.sent_at)
)
_MILESTONES = (
    select(obligation.c.item, obligation.c.section, obligation.c.deadline)
    .where(
        obligation.c.plan_id == bindparam("plan"),
        obligation.c.section.in_(bindparam("sections", expanding=True)),
        obligation.c.item.in_(bindparam("items", expanding=True)),
        obligation.c.state.in_([s.value for s in State if s.owed]),
        obligation.c.deadline < bindparam("last"),
    )
    .order_by(obligation.c.deadline, obligation.c.id)
)
_LATEST_SUBMISSION = (
    select(submission)
    .where(submission.c.obligation_id == bindparam("of"))
    .order_by(submission.c.id.desc())
    .limit(1)
)


class Content:
    """Builds the facts of one plan's letters at one instant; reads through one connection."""

    def __init__(self, connection: Connection, bureau: Bureau, plan_id: int, now: datetime) -> None:
        self.connection, self.bureau, self.plan_id = connection, bureau, plan_id
        self.now = bureau.local(now)
        self._milestones: dict[str, list[tuple[str, date]]] = {}
        self._reminders: dict[int, tuple[tuple[Sent, ...], int]] = {}
        # what letters have in common is worked out once for all of them
        self._duty = cache(partial(duty_facts, bureau))
        self._owner = cache(partial(owner_facts, bureau))
        self._when = cache(partial(deadline_facts, bureau, self.now))

    def letter(self, row: Letter, mentions: Sequence[Row[Any]], link: str = "") -> LetterFacts:
        """The facts of one letter; `mentions` are its live rows from `ledger.mentions`."""
        kind = LetterKind(row.kind)
        about = self.bureau.plan.about
        office = self.bureau.plan.office
        name, title, _ = self.addressee(row)
        items = tuple(self._listed(kind, mentions))
        data = row.data or {}
        to_section = row.addressee == Addressee.SECTION.value
        below = kind is LetterKind.REMINDER and to_section
        return LetterFacts(
            kind=kind,
            light=_worst(kind, items),
            recipient=name,
            recipient_title=title,
            organization=about.organization,
            plan_title=about.short_title or about.title,
            office=office.name,
            office_email=self.bureau.plan.mailbox(office),
            now=self.now,
            items=items,
            projects=self._projects(row.name) if below else (),
            milestones=tuple(self._milestones.get(row.name, ())) if below else (),
            digest=digest_facts(self, self.plan_id) if kind is LetterKind.DIGEST else None,
            title=data.get("title", ""),
            message=tuple(data.get("message", ())),
            details=tuple(data.get("details", ())),
            link=link,
        )

    def stale(self, created_at: datetime) -> bool:
        """Whether a letter was written on an earlier day."""
        return self.bureau.day(created_at) < self.now.date()

    def addressee(self, row: Letter) -> tuple[str, str, str]:
        """Name, title and address of a letter's recipient as the plan has them at this instant.

        Raises KeyError where the plan no longer names the section or the post.
        """
        plan = self.bureau.plan
        if row.addressee == Addressee.SECTION.value:
            section = plan.section(row.name)
            return section.name, section.full_name or section.name, plan.mailbox(section)
        official = plan.official(row.name)
        holder = official.holder(self.now.date())
        return holder.name, official.title or official.post, holder.email

    def _listed(self, kind: LetterKind, mentions: Sequence[Row[Any]]) -> list[ItemFacts]:
        rows = {row.id: row for row in reversed(mentions)}
        return [self.item(row, kind, row.light, row.was) for row in reversed(rows.values())]

    def expect_escalations(self, letters: Iterable[Sequence[Row[Any]]]) -> None:
        """Read at once how often, and when last, the sections were reminded of their worst item.

        `letters` are the mentions of each letter, the most urgent first: an official is told of
        a section's first.
        """
        worst = {
            row.id
            for mentions in letters
            for row in {row.section: row for row in reversed(mentions)}.values()
        }
        if worst:
            rows = self.connection.execute(_REMINDERS, {"of": sorted(worst)}).all()
            found = groupby(rows, lambda row: row.obligation_id)
            self._reminders = {of: self._reminded(list(group)) for of, group in found}

    def expect_reminders(self, sections: Iterable[str]) -> None:
        """Read at once which milestones of this month and the next these sections still owe."""
        titles = {m.id: m.title for m in self.bureau.plan.file.milestones}
        asked = {
            "plan": self.plan_id,
            "sections": sorted(sections),
            "items": list(titles),
            "last": self.now + timedelta(days=62),
        }
        coming = (self.now.year * 12 + self.now.month) + 1
        for row in self.connection.execute(_MILESTONES, asked):
            due = self.bureau.local(row.deadline).date()
            if due.year * 12 + due.month <= coming:
                self._milestones.setdefault(row.section, []).append((titles[row.item], due))

    def _reminded(self, rows: list[Row[Any]]) -> tuple[tuple[Sent, ...], int]:
        local = self.bureau.local
        sent = tuple(Sent(at=local(row.sent_at), light=Light(row.light)) for row in rows)
        return sent, rows[0].times

    def item(
        self,
        row: Row[Any],
        kind: LetterKind,
        light: str | None = None,
        was: datetime | None = None,
    ) -> ItemFacts:
        """The facts of one obligation (a row of `obligation`)."""
        duty, owner, when = self._duty(row.item), self._owner(row.section), self._when(row.deadline)
        sent, reminded = self._reminders.get(row.id, _NEVER)
        state = State(row.state)
        more: dict[str, Any] = self._handover(row) if kind is LetterKind.CHANGE else {}
        if row.submitted_at and kind in _ABOUT_HAND_INS:
            more |= self._handed_in(row)
        facts = ItemFacts(
            key=row.key,
            period=row.period,
            light=_light(light, when["days_left"], when["days_late"]),
            section=row.section,
            nominal=row.nominal,
            provisional=row.provisional,
            old_deadline=self.bureau.local(was) if was and was != row.deadline else None,
            reason=self._reason(row, kind),
            exempt=state in (State.EXEMPT, State.DROPPED),
            standing=standing(state, row.deadline, row.late, self.now).chinese,
            sent=sent,
            reminded=reminded,
            **duty,
            **owner,
            **when,
        )
        return facts._replace(**more) if more else facts

    def _handover(self, row: Row[Any]) -> dict[str, Any]:
        """Who takes an obligation over from the section, or who gave it to the section."""
        plan = self.bureau.plan
        for override in reversed(plan.overrides):
            if override.reassign is None or (override.item, override.period) != _named(row):
                continue
            heir = plan.section(override.reassign).name
            giver = override.section and plan.section(override.section).name
            if heir == row.section:
                return {"taken_from": giver or ""}
            if giver in (None, row.section) and row.state == State.EXEMPT.value:
                return {"given_to": heir, "exempt": False}
        return {}

    def _reason(self, row: Row[Any], kind: LetterKind) -> str | None:
        if kind is not LetterKind.CHANGE:
            return str(row.reason) if row.reason else None
        plan = self.bureau.plan
        for override in reversed(plan.overrides):
            named = [n for n in (override.section, override.reassign) if n is not None]
            mine = override.section is None or row.section in [plan.section(n).name for n in named]
            if mine and (override.item, override.period) == _named(row):
                return override.reason
        return str(row.reason) if row.reason else None

    def _handed_in(self, row: Row[Any]) -> dict[str, Any]:
        """What a receipt says of the latest hand-in."""
        found = self.connection.execute(_LATEST_SUBMISSION, {"of": row.id}).one_or_none()
        if found is None:
            return {}
        return {
            "number": found.number,
            "submitted_at": self.bureau.local(found.at),
            "by": found.by,
        }

    def _projects(self, section: str) -> tuple[str, ...]:
        plan = self.bureau.plan
        return tuple(p.title for p in plan.projects_of(plan.section(section)))


_ABOUT_HAND_INS = (LetterKind.RECEIPT, LetterKind.CLOSING, LetterKind.DIGEST, LetterKind.NOTICE)


def _named(row: Row[Any]) -> tuple[str, str]:
    return row.item, row.period


def _light(called: str | None, left: int, late: int) -> Light:
    """What is overdue is red, whichever rung calls; else the rung's light, or what the days say."""
    if late:
        return Light.RED
    if called:
        return Light(called)
    return Light.YELLOW if left <= _SOON_DAYS else Light.BLUE


def _worst(kind: LetterKind, items: Sequence[ItemFacts]) -> Light | None:
    if not items or kind in (LetterKind.RECEIPT, LetterKind.CLOSING):
        return None
    return max((i.light for i in items), key=lambda light: light.rank)
