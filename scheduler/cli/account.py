"""An obligation's account as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Row

    from duban.bureau import Bureau
    from jobs.explain import Account, Fate, Rise


def account_document(bureau: Bureau, account: Account) -> dict[str, Any]:
    """The account for other programs: the same steps as the prose, times in the plan's zone."""
    one = account.obligation
    iso = _Times(bureau)
    return {
        "key": one.key,
        "plan": bureau.plan.id,
        "kind": one.kind.value,
        "item": one.item.id,
        "title": one.item.title,
        "section": one.section,
        "source": one.item.origin,
        "source_line": one.item.source,
        "to_confirm": list(one.to_confirm),
        "nominal": one.nominal.isoformat(),
        "calendar": [
            {
                "day": d.isoformat(),
                "working": bureau.calendar.is_working(d),
                "why": bureau.calendar.why(d),
            }
            for d in account.days
        ],
        "adjusted": one.adjusted.isoformat(),
        "overrides": [
            o.model_dump(mode="json", exclude_none=True) | {"source": o.origin}
            for o in one.overrides
        ],
        "exempt": one.exempt,
        "changes": [
            {"at": iso(r.at), "what": r.what, "by": r.who, **(r.data or {})}
            for r in account.changes
        ],
        "deadline": account.deadline.isoformat(),
        "provisional": one.provisional,
        "ledger": account.row is not None,
        "born_at": iso(account.born_at),
        "rungs": [_rise(iso, r, account.plain) for r in account.rises],
        "earlier_rungs": [_rise(iso, r, account.plain) for r in account.earlier],
        "letters": [_letter(iso, r, account.plain) for r in account.letters],
        "submissions": [_submission(iso, r) for r in account.submissions],
        "extensions": [_request(iso, r) for r in account.requests],
        "standing": account.standing.value,
    }


class _Times:
    """Instants as RFC 3339 in the plan's zone."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    def __call__(self, at: datetime | None) -> str | None:
        return None if at is None else self._bureau.local(at).isoformat()


def _rise(iso: _Times, rise: Rise, plain: Mapping[int, str]) -> dict[str, Any]:
    return {
        "rung": rise.name,
        "at": iso(rise.at),
        "light": rise.light,
        "audience": rise.audience.value,
        "round": rise.round,
        "fates": [_fate(iso, f, plain) for f in rise.fates],
    }


def _fate(iso: _Times, fate: Fate, plain: Mapping[int, str]) -> dict[str, Any]:
    return {
        "recipient": fate.recipient,
        "state": fate.state,
        "reason": fate.reason,
        "address": fate.address,
        "letter": fate.letter_state,
        "sent_at": iso(fate.sent_at),
        "reply": fate.reply,
        "subject": fate.subject,
        "message_id": fate.message_id,
        "attempts": fate.attempts,
        "possibly_twice": fate.uncertain,
        "template_failed": plain.get(fate.letter) if fate.letter is not None else None,
    }


def _letter(iso: _Times, row: Row[Any], plain: Mapping[int, str]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "recipient": row.recipient or row.name,
        "address": row.address,
        "state": row.state,
        "created_at": iso(row.created_at),
        "sent_at": iso(row.sent_at),
        "subject": row.subject,
        "message_id": row.message_id,
        "reply": row.reply,
        "reason": row.reason,
        "template_failed": plain.get(row.id),
    }


def _request(iso: _Times, row: Row[Any]) -> dict[str, Any]:
    return {
        "at": iso(row.at),
        "by": row.by,
        "via": row.via,
        "wished": row.wished.isoformat(),
        "reason": row.reason,
        "outcome": row.outcome,
        "decided_at": iso(row.decided_at),
        "decided_by": row.decided_by,
        "granted": iso(row.granted),
        "answer": row.answer,
    }


def _submission(iso: _Times, row: Row[Any]) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": iso(row.at),
        "by": row.by,
        "via": row.via,
        "late": row.late,
        "note": row.note,
        "outcome": row.outcome,
        "decided_at": iso(row.decided_at),
        "decided_by": row.decided_by,
        "reason": row.reason,
    }
