"""From settings to parts: the relay, the voice, and what delivery needs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.deliver import Carrier, Sent
from jobs.links import Links
from ledger.archive import Archive
from mailroom.render import Speaker
from scheduler.clock import Clock

if TYPE_CHECKING:
    from config.settings import Settings
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
    return Carrier(
        relay=relay,
        speaker=Speaker(settings.templates),
        clock=clock.now,
        owner=f"{socket.gethostname()}:{os.getpid()}",
        sender=settings.mail_from or "",
        sender_name=settings.mail_from_name,
        lease=timedelta(seconds=settings.claim_lease_seconds),
        batch=settings.batch_size,
        side_by_side=settings.smtp_connections,
        links=links_of(settings),
        on_sent=on_sent,
        stopping=stopping,
    )
