"""What a letter says, as plain values for the templates.

Everything a template may show is here, already decided: templates only lay it out. All datetimes
are aware and in the plan's time zone; `days` are working days.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from config.model import Light


class LetterKind(StrEnum):
    """What a letter is for; the names of the templates."""

    REMINDER = "reminder"
    ESCALATION = "escalation"
    CHANGE = "change"
    RECEIPT = "receipt"
    CLOSING = "closing"
    DIGEST = "digest"
    NOTICE = "notice"


class Sent(NamedTuple):
    """One reminder that the relay accepted before: when, and with which light."""

    at: datetime
    light: Light


class ItemFacts(NamedTuple):
    """One obligation in a letter.

    `days_left` is working days from the letter's day to the deadline's day: 0 on the day itself
    while the hour has not passed. `days_late` is 0 until the deadline has passed, then at least 1
    (the working days since the deadline's day, counting today; on the deadline's own evening it is
    1 as well). `old_deadline` and `reason` are set in a change; `number` and `submitted_at` in a
    receipt or closing. `reminded` counts the section's accepted reminders; `sent` are the last few
    of them, and only of a letter's most urgent items. `given_to` names the section that takes the
    obligation over, in the letter to the one that gives it up; `taken_from` the one that gave it
    up, in the letter to the new one. `section_email` is the section's mailbox, for the official's
    one action in an escalation. `waited` is how many working days a hand-in has lain
    unaccepted, in a digest; `bare` says that a link brought it without any file.
    """

    key: str
    kind: str
    title: str
    label: str
    period: str
    light: Light
    section: str
    section_full: str
    head: str
    nominal: date
    deadline: datetime
    days_left: int
    days_late: int
    provisional: bool = False
    contents: tuple[str, ...] = ()
    project: str | None = None
    sent: tuple[Sent, ...] = ()
    reminded: int = 0
    old_deadline: datetime | None = None
    reason: str | None = None
    exempt: bool = False
    number: str | None = None
    submitted_at: datetime | None = None
    standing: str = ""
    by: str = ""
    given_to: str | None = None
    taken_from: str | None = None
    section_email: str = ""
    waited: int = 0
    bare: bool = False

    @property
    def overdue(self) -> bool:
        """Whether the deadline has passed."""
        return self.days_late > 0


class DigestFacts(NamedTuple):
    """The office's morning: how many obligations stand where, and those that want attention.

    The lists hold the most urgent only; the `…_count`s are of all. `requests` are those for more
    time that wait for the office, in words.
    """

    open: int
    on_time: int
    late: int
    overdue: tuple[ItemFacts, ...] = ()
    due_soon: tuple[ItemFacts, ...] = ()
    submitted: tuple[ItemFacts, ...] = ()
    overdue_count: int = 0
    due_soon_count: int = 0
    submitted_count: int = 0
    provisional: int = 0
    alarms: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()


class LetterFacts(NamedTuple):
    """One letter to one recipient. `items` are the most urgent first; `light` is the most urgent's.

    `projects` and `milestones` are the recipient section's own, for the lower part of a reminder:
    titles of projects, and (title, deadline's day) of the milestones of this and the next month
    that are still open. `message` is for a notice: paragraphs in plain words; `title` its heading.
    `link` is the letter's own page, empty where there are no pages: a section hands in there, an
    official only looks.
    """

    kind: LetterKind
    light: Light | None
    recipient: str
    recipient_title: str
    organization: str
    plan_title: str
    office: str
    office_email: str
    now: datetime
    items: tuple[ItemFacts, ...] = ()
    projects: tuple[str, ...] = ()
    milestones: tuple[tuple[str, date], ...] = ()
    digest: DigestFacts | None = None
    title: str = ""
    message: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    link: str = ""

    def outline(self) -> LetterFacts:
        """What is known of a letter that was worded already: not what it lists and tells."""
        return self._replace(
            items=(), projects=(), milestones=(), digest=None, message=(), details=()
        )
