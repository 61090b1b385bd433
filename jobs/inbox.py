"""Reports by reply: a mail that was read becomes a hand-in, a question back, or the office's task.

The bytes are in the archive before anything is decided. What was decided, the hand-in and the
receipt are one transaction with the record that the mail was read: a crash before it means that the
mail is read again, a crash after it that nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from duban.bureau import Bureau
from duban.facts import LetterKind
from duban.letters import Recipient
from duban.standings import State
from jobs.bounced import came_back, works_again
from jobs.collect import Act, spoken_period, submit_within
from jobs.letterbox import post
from jobs.links import ForgedError, Links
from jobs.verdict import Course, Owed, Part, Verdict, Why, judge
from ledger import events, mails
from ledger.archive import Archive
from ledger.attachments import File, attach
from ledger.engine import Ledger
from ledger.mails import MailState
from mailroom.reader.mail import Received, read

VIA: Final = "mail"
NOTE_CHARACTERS: Final = 2000
ASKED: Final = "asks back"
_STATES: Final = {
    Course.TAKE: MailState.TAKEN,
    Course.ASK: MailState.ASKED,
    Course.OFFICE: MailState.OPEN,
    Course.NOTHING: MailState.IGNORED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A mail as it was fetched: where it lay, when it came (UTC), its bytes or its header alone."""

    account: str
    validity: int
    uid: int
    size: int
    arrived_at: datetime
    raw: bytes
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where mail is taken in: the ledger, the plans by their row ids, the archive, the links.

    The archive takes whole mails; a single file may have at most `largest_file_bytes`.
    """

    ledger: Ledger
    bureaus: Mapping[int, Bureau]
    archive: Archive
    largest_file_bytes: int
    links: Links | None = None


def take_in(desk: Desk, incoming: Incoming, now: datetime) -> MailState | None:
    """Take one mail in; gives what became of it, None where another process was faster.

    Raises LedgerError where the archive or the database cannot be written; the mail is then read
    again at the next look.
    """
    raw = desk.archive.put(incoming.raw)
    received = read(incoming.raw)
    files = _keep(desk, received) if incoming.whole else None
    with desk.ledger.write() as connection:
        again = mails.seen(connection, incoming.account, raw.digest)
        mail_id = mails.enter(connection, **_entry(incoming, received, raw.digest, now, again))
        if mail_id is None or again:
            return MailState.AGAIN if again else None
        return _Taking(desk, connection, incoming, received, now, mail_id).run(files)


def _keep(desk: Desk, received: Received) -> list[File] | None:
    """The attached files in the archive; None where one is larger than is taken."""
    if any(len(file.content) > desk.largest_file_bytes for file in received.files):
        return None
    return [File(desk.archive.put(f.content), f.name, f.content_type) for f in received.files]


def _entry(
    incoming: Incoming, received: Received, digest: str, now: datetime, again: bool
) -> dict[str, Any]:
    return {
        "account": incoming.account,
        "uidvalidity": incoming.validity,
        "uid": incoming.uid,
        "sha256": digest,
        "size": incoming.size,
        "arrived_at": incoming.arrived_at,
        "read_at": now,
        "message_id": received.message_id or None,
        "sender": received.sender or received.sender_name[:320],
        "subject": received.subject,
        "words": received.words[:NOTE_CHARACTERS],
        "state": (MailState.AGAIN if again else MailState.OPEN).value,
        "reason": (Why.READ_BEFORE if again else Why.UNREADABLE).value,
        "data": {"problems": [p.value for p in received.problems]},
    }


@dataclass(slots=True)
class _Taking:
    """One mail within its transaction."""

    desk: Desk
    connection: Connection
    incoming: Incoming
    received: Received
    now: datetime
    mail_id: int

    def run(self, files: Sequence[File] | None) -> MailState:
        """Decide, act, and write down both."""
        if self.received.bounce is not None:
            state, why, letter = came_back(
                self.connection, self.desk.ledger, self.desk.bureaus, self.received.bounce, self.now
            )
            self._settle(state, why, letter, [])
            return state
        letter = self._letter()
        mentioned = mails.mentioned(self.connection, letter.id) if letter is not None else []
        bureau = self.desk.bureaus.get(letter.plan_id) if letter is not None else None
        verdict = self._judge(letter, bureau, mentioned, too_large=files is None)
        done: list[dict[str, Any]] = []
        if bureau is not None and letter is not None:
            if verdict.course is Course.TAKE:
                done = self._hand_in(bureau, letter, verdict.parts, files or ())
            elif verdict.course is Course.ASK:
                self._ask(bureau, letter, [r for r in mentioned if _is_in(r, verdict.parts)])
        state = _STATES[verdict.course]
        decidable = state in (MailState.OPEN, MailState.IGNORED)
        kept = self._attach(files or ()) if decidable else []
        self._settle(state, verdict.why, letter, kept, done)
        return state

    def _letter(self) -> Row[Any] | None:
        """The letter that it answers: by what its client says, or by a link that it quotes."""
        found = mails.letter_answered(self.connection, self.received.answers)
        if found is not None or self.desk.links is None:
            return found
        for token in self.desk.links.tokens_in(self.received.text):
            try:
                return mails.letter_by_id(self.connection, self.desk.links.letter_of(token))
            except ForgedError:
                continue
        return None

    def _judge(
        self,
        letter: Row[Any] | None,
        bureau: Bureau | None,
        mentioned: Sequence[Row[Any]],
        *,
        too_large: bool,
    ) -> Verdict:
        if too_large:
            return Verdict(Course.OFFICE, Why.TOO_LARGE)
        if letter is None:
            return judge(self.received, None, asked=False)
        if bureau is None:
            return Verdict(Course.OFFICE, Why.NO_PLAN)
        asked = (letter.data or {}).get(ASKED) or mails.asked_about(self.connection, letter.id)
        owed = [_owed(bureau, row) for row in mentioned]
        return judge(self.received, owed, asked=bool(asked))

    def _hand_in(
        self, bureau: Bureau, letter: Row[Any], parts: Sequence[Part], files: Sequence[File]
    ) -> list[dict[str, Any]]:
        received = self.received
        works_again(self.connection, received.sender, self.now)
        done = []
        for part in parts:
            act = Act(
                part.key,
                self._arrival(letter),
                f"{received.sender_name} {received.sender}".strip(),
                via=VIA,
                reason=received.words[:NOTE_CHARACTERS] or None,
                files=tuple(files[n] for n in part.files),
                message_id=received.message_id or None,
            )
            number = submit_within(self.connection, self.desk.ledger, bureau, act)
            done.append({"key": part.key, "number": number})
        return done

    def _arrival(self, letter: Row[Any]) -> datetime:
        """When it counts as handed in: when the server got it, unless that cannot be."""
        arrived = min(self.incoming.arrived_at, self.now)
        return arrived if arrived >= (letter.sent_at or letter.created_at) else self.now

    def _ask(self, bureau: Bureau, letter: Row[Any], rows: Sequence[Row[Any]]) -> None:
        """Ask the section which it means: at most once for a letter, and never the sender."""
        named = [_called(bureau, row) for row in rows]
        arrived = bureau.local(self.incoming.arrived_at)
        data = {
            "title": "请确认报送的是哪一项",
            "message": [
                f"{arrived:%-m月%-d日 %H:%M}收到贵科室的来信。原函列有多项，无法判断报的是哪一项，"
                "因此尚未登记为报送。",
                "请直接回复本邮件并重新附上材料，在文件名或正文中写明名称，"
                f"如“{named[0]}”。每封只报一项，或使每个文件名各写明一项。",
            ],
            "details": [],
            # like a return, it has nothing to say once nothing in it is owed
            "return": True,
            ASKED: True,
        }
        section = Recipient(rows[0].section)
        connection, ledger = self.connection, self.desk.ledger
        kind = LetterKind.NOTICE
        post(connection, ledger, bureau, letter.plan_id, kind, section, self.now, rows, data)

    def _attach(self, files: Sequence[File]) -> list[int]:
        """Keep what waits for the office beside it, for whichever hand-in it becomes."""
        sender = self.received.sender or self.received.sender_name
        return [attach(self.connection, file, self.now, sender) for file in files]

    def _settle(
        self,
        state: MailState,
        why: Why,
        letter: Row[Any] | None,
        attachments: Sequence[int],
        done: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        problems = [problem.value for problem in self.received.problems]
        data = {"problems": problems, "attachments": list(attachments), "handed_in": list(done)}
        data |= {"automatic": self.received.automatic} if self.received.automatic else {}
        mails.change(
            self.connection,
            self.mail_id,
            state=state.value,
            reason=why.value,
            letter_id=letter.id if letter is not None else None,
            plan_id=letter.plan_id if letter is not None else None,
            data=data,
        )
        events.record(
            self.connection,
            self.now,
            "mail.read",
            plan=letter.plan_id if letter is not None else None,
            letter=letter.id if letter is not None else None,
            mail=self.mail_id,
            state=state.value,
            reason=why.value,
        )


def _owed(bureau: Bureau, row: Row[Any]) -> Owed:
    plan = bureau.plan
    item = plan.items.get(row.item)
    names = (item.label, item.title) if item is not None else (row.item,)
    try:
        senders = plan.senders(plan.section(row.section))
    except KeyError:
        senders = frozenset()
    return Owed(
        key=row.key,
        names=tuple(dict.fromkeys(names)),
        period=row.period,
        senders=senders,
        owed=State(row.state).owed or row.state == State.BEFORE.value,
    )


def _called(bureau: Bureau, row: Row[Any]) -> str:
    item = bureau.plan.items.get(row.item)
    return spoken_period(row.period) + (item.label if item is not None else row.item)


def _is_in(row: Row[Any], parts: Sequence[Part]) -> bool:
    return any(part.key == row.key for part in parts)
