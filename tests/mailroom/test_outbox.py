from __future__ import annotations

import asyncio
from pathlib import Path

from mailroom.compose import Envelope, compose
from mailroom.outbox import OutboxRelay
from mailroom.relay import Mail, Outcome, Reply
from mailroom.render import Rendered
from tests.mailroom.letters import NOW


def mail(recipient: str = "caiwu@qzedu.example") -> Mail:
    envelope = Envelope(
        sender="bgs@qzedu.example",
        sender_name="办公室",
        recipient=recipient,
        recipient_name="财务科",
        reply_to="bgs@qzedu.example",
        message_id="<1@qzedu.example>",
        date=NOW,
    )
    content = compose(envelope, Rendered("督办", "正文\n", "<p>督办</p>\n"))
    return Mail("bgs@qzedu.example", recipient, "<1@qzedu.example>", content)


def send(folder: Path, *mails: Mail) -> list[Reply]:
    relay = OutboxRelay(folder)

    async def run() -> list[Reply]:
        return [await relay.send(m) for m in mails]

    return asyncio.run(run())


def test_a_mail_becomes_its_exact_bytes_and_a_page(tmp_path: Path) -> None:
    assert send(tmp_path, mail()) == [Reply(Outcome.ACCEPTED, "0001-caiwu.eml", 250)]
    assert (tmp_path / "0001-caiwu.eml").read_bytes() == mail().content
    assert (tmp_path / "0001-caiwu.html").read_text() == "<p>督办</p>\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_the_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    send(tmp_path, mail(), mail())
    assert send(tmp_path, mail())[0].text == "0003-caiwu.eml"


def test_an_address_cannot_choose_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert send(folder, mail("../../x/y@qzedu.example"))[0].text == "0001-..-..-x-y.eml"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_disk_that_does_not_take_it_is_temporary(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    relay = OutboxRelay(folder)
    folder.rmdir()
    assert asyncio.run(relay.send(mail())).outcome is Outcome.TEMPORARY


def test_others_have_their_turn_between_two_mails(tmp_path: Path) -> None:
    relay = OutboxRelay(tmp_path)
    turns: list[int] = []

    def written() -> int:
        return len(list(tmp_path.glob("*.eml")))

    async def other() -> None:
        while len(turns) < 5:
            turns.append(written())
            await asyncio.sleep(0)

    async def both() -> None:
        beside = asyncio.create_task(other())
        for _ in range(5):
            await relay.send(mail())
        await beside

    asyncio.run(both())
    assert turns == [0, 1, 2, 3, 4]
