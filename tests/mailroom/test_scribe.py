"""A scribe writes what this process would, and whatever becomes of it harms no letter."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailroom.compose import Envelope
from mailroom.render import Speaker
from mailroom.samples import samples
from mailroom.scribe import Order, Scribe, Written, write

ENVELOPE = Envelope(
    sender="duban@qzedu.example",
    sender_name="督办",
    recipient="caiwu@qzedu.example",
    recipient_name="财务科",
    reply_to="bgs@qzedu.example",
    message_id="<1@qzedu.example>",
    date=datetime(2023, 3, 17, 9, tzinfo=UTC),
)
ORDERS = [Order(ENVELOPE._replace(date=facts.now), facts) for facts in samples()]
UNFIT = ORDERS[0]._replace(envelope=ENVELOPE._replace(recipient="two words"))


def ordered(*batches: Sequence[Order], templates: Path | None = None) -> list[list[Written | None]]:
    async def run() -> list[list[Written | None]]:
        scribe = Scribe(templates)
        scribe.begin()
        await scribe.started()
        try:
            return await asyncio.gather(*(scribe.write(batch) for batch in batches))
        finally:
            await scribe.close()

    return asyncio.run(run())


def test_a_scribe_writes_the_same_bytes_as_this_process() -> None:
    own = Speaker()
    assert ordered(ORDERS) == [[write(own, order) for order in ORDERS]]


def test_what_is_ordered_at_once_comes_back_each_to_its_own() -> None:
    own = Speaker()
    assert ordered(*([o] for o in ORDERS)) == [[write(own, order)] for order in ORDERS]


def test_a_scribe_speaks_by_the_office_s_own_templates(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "reminder.subject").write_text("催报", encoding="utf-8")
    [letters] = ordered(ORDERS, templates=tmp_path)
    subjects = {w.subject for w in letters if w is not None}
    assert "催报" in subjects


def test_a_letter_that_cannot_be_written_does_not_take_others_with_it() -> None:
    [[unfit, fit]] = ordered([UNFIT, ORDERS[0]])
    assert unfit is None
    assert fit is not None


def test_a_scribe_that_was_killed_writes_nothing_and_raises_nothing() -> None:
    async def run() -> list[Written | None]:
        scribe = Scribe(None)
        scribe.begin()
        await scribe.started()
        assert scribe._process is not None
        scribe._process.kill()
        try:
            return [*await scribe.write(ORDERS[:2]), *await scribe.write(ORDERS[:1])]
        finally:
            await scribe.close()

    assert asyncio.run(run()) == [None, None, None]


def test_a_scribe_that_was_killed_can_be_begun_again() -> None:
    async def run() -> list[Written | None]:
        scribe = Scribe(None)
        scribe.begin()
        await scribe.started()
        assert scribe._process is not None
        scribe._process.kill()
        await scribe.write(ORDERS[:1])
        assert not scribe.ready
        scribe.begin()
        await scribe.started()
        try:
            return await scribe.write(ORDERS[:1])
        finally:
            await scribe.close()

    assert asyncio.run(run()) == [write(Speaker(), ORDERS[0])]


def test_a_scribe_that_is_closed_while_it_starts_leaves_no_process() -> None:
    begun = asyncio.Event()

    class Slow(Scribe):
        async def _answer(self) -> list[Written | None] | None:
            begun.set()
            return await super()._answer()

    async def run() -> int | None:
        scribe = Slow(None)
        scribe.begin()
        await asyncio.wait_for(begun.wait(), 30)
        process = scribe._process
        assert process is not None
        await scribe.close()
        return process.returncode

    assert asyncio.run(run()) == -signal.SIGKILL


def test_a_scribe_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[Written | None]:
        scribe = Scribe(None)
        scribe.begin()
        await scribe.started()
        monkeypatch.setattr("mailroom.scribe._PATIENCE_S", 0.2)
        assert scribe._process is not None
        scribe._process.send_signal(signal.SIGSTOP)
        try:
            return await scribe.write(ORDERS[:2])
        finally:
            await scribe.close()

    assert asyncio.run(run()) == [None, None]


_PARENT = """
import asyncio
from mailroom.scribe import Scribe
async def run():
    scribe = Scribe(None)
    scribe.begin()
    await scribe.started()
    print(scribe._process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(run())
"""


def test_f01_a_scribe_ends_when_its_daemon_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        scribe = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    ended, _, _ = select.select([scribe], [], [], 30)
    os.close(scribe)
    assert ended
