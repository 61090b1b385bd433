"""A ledger on PostgreSQL in the hands of whoever keeps the machine: accounts, figures, copies."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.passwords import hashed
from ledger import accounts
from ledger.engine import Ledger
from tests.support.commands import call
from tests.support.ledgers import Desk
from tests.support.pages import MACHINE, Pages, make_pages, pages
from tests.support.postgres import Cluster

__all__ = ["make_pages", "pages"]


def test_a_second_account_of_a_name_is_refused(
    new_ledger: Callable[[], Ledger], desk: Desk
) -> None:
    book = new_ledger()
    kept = hashed("correct horse", "a")
    with book.write() as connection:
        accounts.add(connection, "a", kept, desk.now)
    with pytest.raises(accounts.AccountExistsError), book.write() as connection:
        accounts.add(connection, "a", "another hash", desk.now)
    with book.write() as connection:
        assert accounts.disable(connection, "a", desk.now)
        (row,) = accounts.every(connection)
    assert (row.password, row.version, row.disabled_at) == (kept, 1, desk.now)
    book.close()


def test_probes_and_figures_are_read_from_it(pages: Pages) -> None:
    pages.desk.beat("03-17 09:00")
    browser = pages.browser(base=MACHINE)
    assert browser.get("/readyz").json() == {"status": "ok"}
    text = browser.get("/metrics").text
    assert 'duban_letters_total{kind="reminder",outcome="sent"} 1.0' in text
    assert f'duban_obligations{{plan="{pages.desk.bureau.plan.id}",standing="pending"}} 1.0' in text


def test_the_commands_that_duban_tells_copy_it_and_put_the_copy_back(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    postgres: Cluster,
    database: str,
    new_ledger: Callable[[], Ledger],
    desk: Desk,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("DUBAN_DATABASE", postgres.url(database))

    def told(command: str) -> None:
        """Run the command that `duban db …` names, as it stands."""
        answer = call(capsys, "db", command, tmp_path / "a copy")
        line = answer.err.strip().splitlines()[-1].strip()
        path = f"{postgres.programs}{os.pathsep}{os.environ['PATH']}"
        program, *arguments = shlex.split(line)
        done = subprocess.run(
            [postgres.programs / program, *arguments],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def add(name: str) -> None:
        book = new_ledger()
        with book.write() as connection:
            accounts.add(connection, name, "hash", desk.now)
        book.close()

    add("before")
    told("backup")
    add("after")
    told("restore")
    book = new_ledger()
    book.prepare()
    with book.read() as connection:
        assert [row.name for row in accounts.every(connection)] == ["before"]
    book.close()
