"""`duban user`: accounts by the command line, with passwords that are never arguments."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.passwords import matches
from ledger import accounts
from ledger.engine import Ledger
from tests.support.commands import ROOT, Answer, call, environment
from tests.support.ledgers import open_ledger

PASSWORD = "correct horse 电池"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty ledger that the settings name."""
    open_ledger(tmp_path).close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("DUBAN_DATABASE", f"sqlite:///{tmp_path}/ledger.sqlite")
    return os.environ["DUBAN_DATABASE"]


def typed(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    *arguments: str,
) -> Answer:
    """Call with a password on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return call(capsys, "user", *arguments)


def kept(ledger: str, name: str) -> str:
    book = Ledger(ledger)
    with book.read() as connection:
        row = accounts.named(connection, name)
    book.close()
    assert row is not None
    return str(row.password)


def test_an_account_has_a_life(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ledger: str
) -> None:
    assert "there is no account yet" in call(capsys, "user", "list").out
    assert typed(capsys, monkeypatch, PASSWORD, "add", "林美环").code == 0
    assert matches(kept(ledger, "林美环"), PASSWORD)
    assert typed(capsys, monkeypatch, "another password", "passwd", "林美环").code == 0
    assert not matches(kept(ledger, "林美环"), PASSWORD)
    assert matches(kept(ledger, "林美环"), "another password")
    assert call(capsys, "user", "disable", "林美环").code == 0
    assert ", disabled since " in call(capsys, "user", "list").out
    assert typed(capsys, monkeypatch, PASSWORD, "passwd", "林美环").code == 0
    (one,) = call(capsys, "user", "list", "--json").json
    assert (one["name"], one["disabled_at"]) == ("林美环", None)
    assert "disabled" not in call(capsys, "user", "list").out


def test_each_change_is_recorded_with_who_made_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ledger: str
) -> None:
    typed(capsys, monkeypatch, PASSWORD, "add", "a")
    call(capsys, "user", "disable", "a")
    book = Ledger(ledger)
    with book.read() as connection:
        rows = connection.exec_driver_sql("SELECT what, who, data FROM event").all()
    book.close()
    assert [row.what for row in rows] == ["account.added", "account.disabled"]
    assert all(row.who and row.data == '{"account": "a"}' for row in rows)


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 201, "Administrator"])
def test_a_weak_password_makes_no_account_and_is_not_shown(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    ledger: str,
    password: str,
) -> None:
    answer = typed(capsys, monkeypatch, password, "add", "administrator")
    assert answer.code == 1
    assert "the password needs 12 to 200 characters" in answer.err
    assert not password or password not in answer.out + answer.err
    assert call(capsys, "user", "list", "--json").json == []


def test_a_second_account_of_a_name_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ledger: str
) -> None:
    typed(capsys, monkeypatch, PASSWORD, "add", "a")
    answer = typed(capsys, monkeypatch, "another password", "add", "a")
    assert answer.code == 1
    assert "'duban user passwd' gives it a new password" in answer.err
    assert matches(kept(ledger, "a"), PASSWORD)


@pytest.mark.parametrize("what", ["passwd", "disable"])
def test_an_account_that_is_not_there_cannot_be_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ledger: str, what: str
) -> None:
    answer = typed(capsys, monkeypatch, PASSWORD, what, "nobody")
    assert answer.code == 1
    assert "there is no account 'nobody'" in answer.err


def test_without_a_ledger_no_password_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DUBAN_DATABASE", f"sqlite:///{tmp_path / 'none.sqlite'}")
    answer = typed(capsys, monkeypatch, "short", "add", "a")
    assert answer.code == 1
    assert "there is no ledger" in answer.err
    assert "password" not in answer.err


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 65])
def test_a_name_that_cannot_be_typed_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ledger: str, name: str
) -> None:
    assert typed(capsys, monkeypatch, PASSWORD, "add", name).code == 2


def test_at_a_terminal_the_password_is_asked_twice_and_not_echoed(ledger: str) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from scheduler.cli import main; main()", "user", "add", "a"]
    with subprocess.Popen(
        command,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=environment(DUBAN_DATABASE=ledger),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        for _ in range(2):
            while not shown.endswith(b": "):
                shown += os.read(ours, 1000)
            os.write(ours, f"{PASSWORD}\n".encode())
            shown += b"|"
        assert process.stdout is not None
        assert process.stdout.read() == b"a may sign in now\n"
    os.close(ours)
    assert PASSWORD.encode() not in shown
    assert matches(kept(ledger, "a"), PASSWORD)
