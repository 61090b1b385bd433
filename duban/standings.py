"""How an obligation stands, in the office's words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What the ledger keeps: only what happened, nothing that the clock alone decides."""

    OPEN = "open"
    RETURNED = "returned"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    EXEMPT = "exempt"
    BEFORE = "before"
    DROPPED = "dropped"

    @property
    def owed(self) -> bool:
        """Whether the section has still to hand something in."""
        return self in (State.OPEN, State.RETURNED)


class Standing(StrEnum):
    """How an obligation stands at an instant."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    ON_TIME = "on_time"
    LATE = "late"
    OVERDUE = "overdue"
    EXEMPT = "exempt"
    RETURNED = "returned"
    BEFORE = "before"
    DROPPED = "dropped"

    @property
    def chinese(self) -> str:
        """The word that letters and pages use."""
        return _CHINESE[self]


_CHINESE = {
    Standing.PENDING: "未到期",
    Standing.SUBMITTED: "待核",
    Standing.ON_TIME: "按时",
    Standing.LATE: "迟报",
    Standing.OVERDUE: "逾期",
    Standing.EXEMPT: "免报",
    Standing.RETURNED: "退回",
    Standing.BEFORE: "此前",
    Standing.DROPPED: "撤销",
}


def standing(state: State, deadline: datetime, late: bool, now: datetime) -> Standing:
    """The standing at `now`; `late` says that some hand-in came after its deadline, for good."""
    match state:
        case State.ACCEPTED:
            return Standing.LATE if late else Standing.ON_TIME
        case State.OPEN | State.RETURNED if now > deadline:
            return Standing.OVERDUE
        case State.OPEN:
            return Standing.PENDING
        case _:
            return Standing(state.value)
