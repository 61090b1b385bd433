"""A mailbox over IMAP: what came in, read without leaving a trace in it.

The folder is opened read-only: no mail is marked as seen, moved or deleted. What was read is for
the ledger to remember.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from mailroom.replies import clean
from mailroom.settings import MailboxSettings

_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
_ARRIVED: Final = re.compile(
    rb'INTERNALDATE "\s?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"'
)
_UID: Final = re.compile(rb"\bUID (\d+)")
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d+)")
_CHUNK: Final = 200
_HEADER_BYTES: Final = 200_000
# the network, the protocol, imap-tools' own checks, and answers that are no numbers or dates
_FAULTS: Final = (OSError, imaplib.IMAP4.error, ImapToolsError, ValueError, IndexError, TypeError)


class MailboxError(Exception):
    """The mailbox cannot be read; the message says why, in the server's words where it has any."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail in the mailbox: its number, its size in bytes, and when the server got it (UTC)."""

    uid: int
    size: int
    at: datetime


class Session:
    """An open folder. Raises MailboxError from every method."""

    def __init__(self, box: BaseMailBox, settings: MailboxSettings) -> None:
        self._box, self._settings = box, settings
        with _plainly(settings):
            box.folder.set(settings.folder, readonly=True)
            found = box.client.response("UIDVALIDITY")[1]
            self.validity = int(found[-1]) if found and found[-1] else 0

    def since(self, uid: int) -> list[int]:
        """The numbers above `uid`, in their order."""
        # `n:*` names the last mail even where its number is lower
        return [found for found in self._search(f"UID {uid + 1}:*") if found > uid]

    def since_day(self, day: date) -> list[int]:
        """The numbers of what arrived on `day` (the server's) or later, in their order."""
        return self._search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}")

    def arrivals(self, uids: Sequence[int]) -> Iterator[Arrival]:
        """Size and arrival of each, asked before anything is fetched."""
        for start in range(0, len(uids), _CHUNK):
            chunk = ",".join(map(str, uids[start : start + _CHUNK]))
            with _plainly(self._settings):
                answer = self._fetch(chunk, "(UID RFC822.SIZE INTERNALDATE)")
                found = [_arrival(item) for item in answer if isinstance(item, bytes)]
            yield from sorted((a for a in found if a), key=lambda arrival: arrival.uid)

    def fetch(self, uid: int) -> bytes | None:
        """The whole mail as it is; None where it has gone meanwhile."""
        return self._literal(uid, "(UID BODY.PEEK[])")

    def fetch_header(self, uid: int) -> bytes | None:
        """The beginning of the header alone, of a mail that is too large."""
        return self._literal(uid, f"(UID BODY.PEEK[HEADER]<0.{_HEADER_BYTES}>)")

    def _search(self, criteria: str) -> list[int]:
        with _plainly(self._settings):
            return sorted(map(int, self._box.uids(criteria, charset=None)))

    def _literal(self, uid: int, what: str) -> bytes | None:
        with _plainly(self._settings):
            literals = [a[1] for a in self._fetch(str(uid), what) if isinstance(a, tuple)]
            return bytes(literals[0]) if literals else None

    def _fetch(self, uids: str, what: str) -> list[bytes | tuple[bytes, bytes]]:
        kind, answer = self._box.client.uid("FETCH", uids, what)
        if kind != "OK":
            raise MailboxError(f"the mailbox refused to give mail: {clean(str(answer))}")
        return [item for item in answer if item is not None]


class Mailbox:
    """One account's folder, opened anew for every reading."""

    def __init__(self, settings: MailboxSettings) -> None:
        self.settings = settings
        self.account = f"{settings.username}@{settings.host}/{settings.folder}"
        self._open: BaseMailBox | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Connect, log in, open the folder. Raises MailboxError, never with the password in it."""
        box = self._open = self._connect()
        try:
            with _plainly(self.settings):
                self._log_in(box)
            yield Session(box, self.settings)
        finally:
            self._open = None
            with suppress(*_FAULTS):
                box.client.logout()

    def abort(self) -> None:
        """End a reading that another thread is at: whatever it waits for fails at once."""
        box = self._open
        if box is not None:
            with suppress(OSError):
                box.client.sock.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> BaseMailBox:
        s = self.settings
        with _plainly(s):
            if s.tls == "none":
                return MailBoxUnencrypted(s.host, s.port, timeout=s.timeout_s)
            context = ssl.create_default_context(cafile=s.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            kind = MailBox if s.tls == "implicit" else MailBoxStartTls
            return kind(s.host, s.port, timeout=s.timeout_s, ssl_context=context)

    def _log_in(self, box: BaseMailBox) -> None:
        s = self.settings
        try:
            if f"{s.username}{s.password}".isascii():
                box.login(s.username, s.password, initial_folder=None)
            else:
                box.login_utf8(s.username, s.password, initial_folder=None)
        except (MailboxLoginError, imaplib.IMAP4.error) as error:
            if isinstance(error, imaplib.IMAP4.abort):
                raise
            raise MailboxError(
                f"the login was refused: {_said(error, s)}; many providers want an authorisation "
                "code of their own instead of the password"
            ) from None
        if "ID" in box.client.capabilities:
            # 163 and QQ refuse to open a folder for a client that has not said who it is (RFC 2971)
            box.client.xatom("ID", '("name" "duban" "vendor" "duban")')


@contextmanager
def _plainly(settings: MailboxSettings) -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        raise MailboxError(
            f"{settings.host}:{settings.port} cannot be read: {_said(error, settings)}"
        ) from None


def _said(error: Exception, settings: MailboxSettings) -> str:
    """The reason in one line; a server may repeat what it was told."""
    text = clean(str(error)) or type(error).__name__
    return text.replace(settings.password, "***")


def _arrival(item: bytes) -> Arrival | None:
    uid, size, at = _UID.search(item), _SIZE.search(item), _ARRIVED.search(item)
    if not (uid and size and at):
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = at.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == b"-" else 1)
    local = datetime(
        *(int(year), _MONTHS.index(month.decode().title()) + 1, int(day)),
        *(int(hour), int(minute), int(second)),
        tzinfo=timezone(offset),
    )
    return Arrival(int(uid[1]), int(size[1]), local.astimezone(UTC))
