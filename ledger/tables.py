"""The tables. Instants are UTC; days are days of the plan's own zone."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.damage import LenientJSON, LenientUTC
from ledger.types import UTC_

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class LetterState(StrEnum):
    """The life of a letter: queued -> claimed -> sent; or withdrawn, or failed."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


class MentionState(StrEnum):
    """What became of one obligation's place in a letter, or of a rung that got no letter."""

    QUEUED = "queued"
    SENT = "sent"
    SUPERSEDED = "superseded"
    VOID = "void"


class Addressee(StrEnum):
    """Whom a letter's `name` names: a section, or the post of an official."""

    SECTION = "section"
    POST = "post"


plan = Table(
    "plan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("born_at", UTC_, nullable=False),
    # digest of the files and the horizon that the obligations were last reconciled with
    Column("reconciled", String(160), nullable=False, default=""),
    Column("digested_on", Date),
)

obligation = Table(
    "obligation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("item", String(64), nullable=False),
    Column("period", String(16), nullable=False),
    Column("section", Text, nullable=False),
    Column("nominal", Date, nullable=False),
    # what the plan's files say; `deadline` differs from it only after a return with a new time
    # limit
    Column("planned", UTC_, nullable=False),
    Column("deadline", UTC_, nullable=False),
    # the office's overrides as they were when they were last applied
    Column("decided", String(16), nullable=False, default=""),
    Column("provisional", Boolean, nullable=False, default=False),
    # counts the deadlines and returns: reminders of an earlier round say nothing about this one
    Column("round", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False),
    Column("late", Boolean, nullable=False, default=False),
    Column("reason", Text),
    Column("submitted_at", UTC_),
    Column("closed_at", UTC_),
    # the time of the latest rung issued in this round, for each audience
    Column("section_at", UTC_),
    Column("leader_at", UTC_),
    Column("head_at", UTC_),
    Column("next_action_at", UTC_),
    UniqueConstraint("plan_id", "key"),
)
# led by the plan: SQLite would otherwise take the unique key's index and read all of a plan
Index(
    "ix_obligation_plan_id_next_action_at",
    obligation.c.plan_id,
    obligation.c.next_action_at,
    sqlite_where=obligation.c.next_action_at.is_not(None),
    postgresql_where=obligation.c.next_action_at.is_not(None),
)
Index("ix_obligation_plan_id_section", obligation.c.plan_id, obligation.c.section)

letter = Table(
    "letter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("addressee", String(8), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", LenientUTC, nullable=False),
    # when it may be claimed: for a claimed letter the end of its lease, NULL for an ended one
    Column("due_at", LenientUTC),
    Column("attempts", Integer, nullable=False, default=0),
    Column("first_tried_at", LenientUTC),
    # an attempt ended without an answer: the relay may have the letter already
    Column("uncertain", Boolean, nullable=False, default=False),
    Column("owner", String(80)),
    Column("message_id", String(255), nullable=False, unique=True),
    Column("recipient", Text),
    Column("address", String(320)),
    Column("light", String(8)),
    Column("subject", Text),
    Column("sent_at", LenientUTC),
    Column("reply", Text),
    Column("reason", Text),
    Column("data", LenientJSON),
)
_waiting = letter.c.due_at.is_not(None)
Index(
    "ix_letter_due_at_id",
    letter.c.due_at,
    letter.c.id,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)
Index("ix_letter_created_at", letter.c.created_at)

mention = Table(
    "mention",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("obligation_id", ForeignKey("obligation.id"), nullable=False),
    Column("letter_id", ForeignKey("letter.id")),
    Column("round", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    # of a rung only: its audience, which it is, the recipient, when it was due, how pressing
    Column("audience", String(8)),
    Column("rung", String(8)),
    Column("name", Text),
    Column("at", UTC_),
    Column("light", String(8)),
    Column("sent_at", UTC_),
    Column("reason", Text),
    # of a change only: the deadline before
    Column("was", UTC_),
    UniqueConstraint("obligation_id", "round", "audience", "rung", "name"),
)
Index("ix_mention_letter_id", mention.c.letter_id)
Index("ix_mention_obligation_id", mention.c.obligation_id)
_queued = mention.c.state == MentionState.QUEUED.value
Index(
    "ix_mention_queued_letter_id",
    mention.c.letter_id,
    sqlite_where=_queued,
    postgresql_where=_queued,
)

submission = Table(
    "submission",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("obligation_id", ForeignKey("obligation.id"), nullable=False),
    Column("number", String(64), nullable=False, unique=True),
    Column("at", UTC_, nullable=False),
    Column("by", Text, nullable=False),
    Column("via", String(16), nullable=False),
    Column("late", Boolean, nullable=False),
    Column("note", Text),
    Column("outcome", String(16)),
    Column("decided_at", UTC_),
    Column("decided_by", Text),
    Column("reason", Text),
)
Index("ix_submission_obligation_id", submission.c.obligation_id)

# a file in the archive, and what its sender called it: never a path
attachment = Table(
    "attachment",
    metadata,
    Column("id", Integer, primary_key=True),
    # none while nobody knows which hand-in it belongs to
    Column("submission_id", ForeignKey("submission.id")),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(255), nullable=False),
    Column("added_at", UTC_, nullable=False),
    Column("by", Text, nullable=False),
)
Index("ix_attachment_submission_id", attachment.c.submission_id)

# a section asks for more time: the day that it wishes, and what the office answered
extension = Table(
    "extension",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("obligation_id", ForeignKey("obligation.id"), nullable=False),
    Column("at", UTC_, nullable=False),
    Column("by", Text, nullable=False),
    Column("via", String(16), nullable=False),
    Column("wished", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("outcome", String(16)),
    Column("decided_at", UTC_),
    Column("decided_by", Text),
    # the new deadline, or why there is none
    Column("granted", UTC_),
    Column("answer", Text),
)
Index("ix_extension_obligation_id", extension.c.obligation_id)

# a mail that was read in the office's mailbox, and what was decided about it; its bytes are in the
# archive under `sha256`
mail = Table(
    "mail",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String(320), nullable=False),
    # of IMAP (RFC 3501 2.3.1.1), both of 32 bits without a sign
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("arrived_at", UTC_, nullable=False),
    Column("read_at", UTC_, nullable=False),
    Column("message_id", String(255)),
    Column("sender", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("plan_id", ForeignKey("plan.id")),
    # the letter of ours that it answers or reports about
    Column("letter_id", ForeignKey("letter.id")),
    Column("state", String(16), nullable=False),
    Column("reason", String(40), nullable=False),
    # what was found wrong, the files' rows, the obligations' keys
    Column("data", JSON),
    Column("decided_at", UTC_),
    Column("decided_by", Text),
    UniqueConstraint("account", "uidvalidity", "uid"),
)
Index("ix_mail_sha256", mail.c.sha256)
Index("ix_mail_letter_id", mail.c.letter_id)
_undecided = mail.c.state == "open"
Index("ix_mail_open", mail.c.id, sqlite_where=_undecided, postgresql_where=_undecided)

# an address whose letters came back; gone when mail comes from it, or the office says that it works
returned_address = Table(
    "returned_address",
    metadata,
    Column("address", String(320), primary_key=True),
    Column("since", UTC_, nullable=False),
    Column("letter_id", ForeignKey("letter.id"), nullable=False),
    Column("status", String(16), nullable=False),
    Column("said", Text, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UTC_, nullable=False),
    Column("what", String(40), nullable=False),
    Column("who", Text, nullable=False),
    Column("plan_id", ForeignKey("plan.id")),
    Column("obligation_id", ForeignKey("obligation.id")),
    Column("letter_id", ForeignKey("letter.id")),
    Column("data", JSON),
)
Index("ix_event_obligation_id", event.c.obligation_id)
Index("ix_event_letter_id", event.c.letter_id)

# who may sign in to the office's pages
account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    # never the password itself: a hash that carries its own salt and cost
    Column("password", Text, nullable=False),
    # rises with each change: a session of an earlier version is over
    Column("version", Integer, nullable=False),
    Column("created_at", UTC_, nullable=False),
    Column("disabled_at", UTC_),
)

mark = Table(
    "mark",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("at", UTC_, nullable=False),
)
