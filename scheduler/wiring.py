"""From settings to parts: the relay, the voice, and what delivery needs."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.deliver import Carrier
from jobs.inbox import Desk
from jobs.links import Links
from jobs.marking import Sent
from jobs.prepare import Claims
from jobs.saying import Voice
from jobs.scribe import Scribe
from ledger.archive import Archive
from mailroom.render import Speaker
from scheduler.clock import Clock

if TYPE_CHECKING:
    from config.settings import Settings
    from duban.bureau import Bureau
    from ledger.engine import Ledger
    from mailroom.imap import Mailbox
    from mailroom.relay import Relay


def relay_of(settings: Settings) -> Relay:
    """The relay that the settings name: a mail server, or a folder for letters."""
    settings.check_can_send()
    if settings.outbox is not None:
        from mailroom.outbox import OutboxRelay

        return OutboxRelay(settings.outbox)
    from mailroom.settings import RelaySettings
    from mailroom.smtp import SmtpRelay

    password = settings.smtp_password
    return SmtpRelay(
        RelaySettings(
            host=settings.smtp_host or "",
            port=settings.smtp_port,
            tls=settings.smtp_tls,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            timeout_s=settings.smtp_timeout_seconds,
            ca_file=settings.smtp_ca_file,
            connections=settings.smtp_connections,
            messages_per_connection=settings.smtp_messages_per_connection,
            allow_plain=settings.smtp_allow_plain,
        )
    )


def mailbox_of(settings: Settings) -> Mailbox | None:
    """The mailbox that answers come to; none where the settings name none. Raises SettingsError."""
    if settings.imap_host is None:
        return None
    settings.check_can_read()
    from mailroom.imap import Mailbox
    from mailroom.settings import MailboxSettings

    password = settings.imap_password
    return Mailbox(
        MailboxSettings(
            host=settings.imap_host,
            port=settings.imap_port,
            tls=settings.imap_tls,
            username=settings.imap_username or "",
            password=password.get_secret_value() if password else "",
            folder=settings.imap_folder,
            ca_file=settings.imap_ca_file,
            allow_plain=settings.imap_allow_plain,
            largest_bytes=_largest_mail(settings),
        )
    )


def _largest_mail(settings: Settings) -> int:
    """Room for the largest upload as a mail has it: in base64, with lines and headers."""
    return settings.upload_megabytes * 1_400_000 + 1_000_000


def intake_of(
    settings: Settings, ledger: Ledger, bureaus: Mapping[int, Bureau], links: Links | None
) -> Desk:
    """Where mail is taken in."""
    return Desk(
        ledger=ledger,
        bureaus=bureaus,
        archive=Archive(settings.archive, _largest_mail(settings)),
        largest_file_bytes=archive_of(settings).largest,
        links=links,
    )


def links_of(settings: Settings) -> Links | None:
    """The maker and reader of links; none where the pages have no address."""
    if settings.public_url is None:
        return None
    from config.linkkeys import link_keys

    return Links(settings.public_url, link_keys(settings))


def archive_of(settings: Settings) -> Archive:
    """The files that sections hand in."""
    return Archive(settings.archive, settings.upload_megabytes * 1_000_000)


def carrier_of(
    settings: Settings,
    relay: Relay,
    clock: Clock,
    on_sent: Callable[[Sent], None],
    stopping: Callable[[], bool],
) -> Carrier:
    """What delivery needs, by the settings."""
    voice = Voice(settings.mail_from or "", settings.mail_from_name, links_of(settings))
    several = len(os.sched_getaffinity(0)) > 1
    return Carrier(
        relay=relay,
        speaker=Speaker(settings.templates),
        clock=clock.now,
        claims=Claims(
            # in a container every process has the same number
            owner=f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(3)}",
            lease=timedelta(seconds=settings.claim_lease_seconds),
            batch=settings.batch_size,
            per_minute=settings.smtp_messages_per_minute,
        ),
        voice=voice,
        side_by_side=settings.smtp_connections,
        at_hand=0 if settings.smtp_messages_per_minute else settings.smtp_connections,
        scribe=Scribe(settings.database, settings.templates, voice) if several else None,
        on_sent=on_sent,
        stopping=stopping,
    )
