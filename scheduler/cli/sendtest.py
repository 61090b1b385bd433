"""`duban send-test`: one letter through the configured relay, and what the relay said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from config.scalars import check_email
from scheduler.cli.folders import json_option, settings, speaker_by
from scheduler.cli.output import FINE, FOUND, Wrong, document, line
from scheduler.cli.root import Command
from scheduler.cli.texts import say

if TYPE_CHECKING:
    from config.settings import Settings
    from mailroom.relay import Mail, Reply

_ZONE = "Asia/Shanghai"


class _Address(click.ParamType[str]):
    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return check_email(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


@click.command("send-test", cls=Command, help=say("send-test"), short_help=say("send-test.short"))
@click.argument("address", type=_Address())
@json_option
def send_test_command(address: str, as_json: bool) -> int:
    """See the catalogue."""
    import asyncio

    from config.settings import SettingsError
    from mailroom.relay import Outcome

    chosen = settings()
    try:
        chosen.check_can_send()
    except SettingsError as error:
        raise Wrong(str(error)) from error
    reply = asyncio.run(_send(chosen, address))
    fine = reply.outcome is Outcome.ACCEPTED
    if as_json:
        document(
            {"to": address, "outcome": reply.outcome.value, "code": reply.code, "reply": reply.text}
        )
    else:
        line(say("send.reply", address=address, code=reply.code or "–", reply=reply.text))
        line(say(f"send.{reply.outcome.value}"))
    return FINE if fine else FOUND


async def _send(chosen: Settings, address: str) -> Reply:
    from scheduler.wiring import relay_of

    relay = relay_of(chosen)
    try:
        return await relay.send(_mail(chosen, address))
    finally:
        await relay.close()


def _mail(chosen: Settings, address: str) -> Mail:
    """A notice that says what it is, worded by the templates that the daemon uses."""
    from secrets import token_hex
    from zoneinfo import ZoneInfo

    from duban.facts import LetterFacts, LetterKind
    from mailroom.compose import Envelope, compose
    from mailroom.relay import Mail
    from scheduler.clock import SystemClock

    now = SystemClock().now().astimezone(ZoneInfo(_ZONE))
    sender = chosen.mail_from or ""
    facts = LetterFacts(
        kind=LetterKind.NOTICE,
        light=None,
        recipient=address,
        recipient_title="",
        organization=chosen.mail_from_name,
        plan_title="发信测试",
        office=chosen.mail_from_name,
        office_email=sender,
        now=now,
        title="发信测试",
        message=("这是一封测试函。收到它，说明督办系统能够向这个邮箱发信，无需答复。",),
    )
    rendered = speaker_by(chosen.templates).render(facts)
    message_id = f"<{token_hex(12)}@{sender.rpartition('@')[2]}>"
    envelope = Envelope(
        sender=sender,
        sender_name=chosen.mail_from_name,
        recipient=address,
        recipient_name="",
        reply_to=sender,
        message_id=message_id,
        date=now,
    )
    return Mail(sender, address, message_id, compose(envelope, rendered))
