"""A letter whose template failed went out in the built-in form: the log and `explain` say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.explain import account
from jobs.story import story
from mailroom.render import Speaker
from scheduler.cli.account import account_document
from tests.support.ledgers import CAIWU, Desk

FAILS = "一行\n{{ nobody if recipient == '财务科' else recipient }}"
SAID = "；模板出错（reminder.txt:2:1），改用内置的简式函"


@pytest.fixture
def failing(tmp_path: Path) -> Speaker:
    """Words letters by a template that passes the trial and fails with 财务科."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "reminder.txt").write_text(FAILS, encoding="utf-8")
    return Speaker(tmp_path)


def _explained(desk: Desk) -> str:
    now = desk.bureau.local(desk.now)
    with desk.ledger.read() as connection:
        found = account(desk.bureau, CAIWU, now, connection)
    assert found is not None
    return "\n".join(line.text for part in story(desk.bureau, found, now) for line in part.lines)


def test_explain_says_that_a_letter_went_out_in_the_built_in_form(
    desk: Desk, failing: Speaker
) -> None:
    desk.go("03-17 09:00").remind()
    desk.deliver(speaker=failing)
    assert _explained(desk).count(SAID) == 1
    with desk.ledger.read() as connection:
        found = account(desk.bureau, CAIWU, desk.bureau.local(desk.now), connection)
    assert found is not None
    first = account_document(desk.bureau, found)["rungs"][0]["fates"][0]
    assert "reminder.txt:2:1: 'nobody' is undefined" in first["template_failed"]


def test_a_failing_template_is_logged_once_for_each_letter(
    desk: Desk, failing: Speaker, caplog: pytest.LogCaptureFixture
) -> None:
    desk.go("03-17 09:00").remind()
    desk.relay.set("defer")
    desk.deliver(speaker=failing)
    desk.go("03-17 09:30").deliver(speaker=failing)
    assert len(desk.events("template.failed")) == 2
    assert [record.msg for record in caplog.records].count("template.failed") == 1


def test_a_template_that_was_mended_before_the_letter_went_out_is_not_told(
    desk: Desk, failing: Speaker
) -> None:
    desk.go("03-17 09:00").remind()
    desk.relay.set("defer")
    desk.deliver(speaker=failing)
    desk.relay.set("up")
    assert len(desk.go("03-17 09:30").deliver()) == 1
    assert "模板出错" not in _explained(desk)
