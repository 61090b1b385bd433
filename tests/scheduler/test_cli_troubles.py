"""What is wrong with the ledger is told in the language of whoever gave the command."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger import backup, highwater
from ledger.engine import Ledger, LedgerError
from ledger.plainwords import FAILS, PLAIN
from scheduler.lock import DaemonLock
from tests.support.commands import QUANZHOU, spawn
from tests.support.ledgers import at, open_ledger

NOW = at("03-17 09:00")
IN_CHINESE = {"LC_ALL": "zh_CN.UTF-8"}


def no_english(text: str, place: Path) -> bool:
    """Whether a sentence has no English words but commands and names of files."""
    own = (
        text.replace(str(place), "").replace("duban db backup", "").replace("duban db confirm", "")
    )
    return not re.search(r"[a-z]+ [a-z]+", own)


@pytest.mark.parametrize("words", [*PLAIN.values(), FAILS])
def test_every_trouble_of_a_database_has_a_chinese_sentence(words: tuple[str, str]) -> None:
    assert re.search("[\u4e00-\u9fff]", words[1])
    assert no_english(words[1].replace("{said}", ""), Path("docs/postgresql.md"))


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("C.UTF-8", "error: the ledger {path} is not a ledger; restore a backup"),
        ("zh_CN.UTF-8", "错误：台账 {path} 不是台账文件，请恢复备份，或改用正确的文件"),
    ],
)
def test_a_command_tells_of_the_ledger_in_the_user_s_language(
    tmp_path: Path, locale: str, said: str
) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"rubbish" * 1000)
    here = {"LC_ALL": locale, "DUBAN_DATABASE": f"sqlite:///{path}"}
    answer = spawn("status", variables=here)
    assert answer.code == 1
    assert said.format(path=path) in answer.err


def test_a_second_daemon_is_refused_in_chinese_and_names_the_first(tmp_path: Path) -> None:
    here = {
        "DUBAN_DATABASE": f"sqlite:///{tmp_path}/ledger.sqlite",
        "DUBAN_OUTBOX": str(tmp_path),
        "DUBAN_MAIL_FROM": "duban@edu.example",
    }
    with DaemonLock(tmp_path / "ledger.sqlite"):
        answer = spawn("run", QUANZHOU, variables=IN_CHINESE | here)
    assert answer.code == 1
    assert f"错误：已有督办程序（进程{os.getpid()}，主机" in answer.err
    assert "在用这份台账，请先停止它，或给这一个另设台账" in answer.err


def test_a_copy_that_is_no_ledger_is_refused_in_chinese(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE t (x)")
    here = {"DUBAN_DATABASE": f"sqlite:///{tmp_path}/ledger.sqlite"}
    answer = spawn("db", "restore", tmp_path / "other.sqlite", variables=IN_CHINESE | here)
    copy = tmp_path / "other.sqlite"
    assert answer.err == f"错误：没有恢复 {copy}：{copy} 不是台账\n"


def test_a_ledger_that_is_held_says_so_in_chinese(tmp_path: Path) -> None:
    book = open_ledger(tmp_path, durable=True)
    highwater.check(book, NOW)
    other = Ledger(f"sqlite:///{tmp_path}/other.sqlite")
    other.prepare()
    highwater.check(other, NOW)
    book.close()
    other.close()
    (tmp_path / "other.sqlite").replace(tmp_path / "ledger.sqlite")
    swapped = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    with pytest.raises(highwater.HeldError) as caught:
        highwater.check(swapped, NOW)
    swapped.close()
    assert "请放回原来的台账；确要用这一份的，运行 duban db confirm" in caught.value.chinese
    assert no_english(caught.value.chinese, tmp_path)


def test_what_has_no_chinese_sentence_is_told_in_its_own_words() -> None:
    assert LedgerError("away").chinese == "away"


def test_a_copy_onto_the_ledger_itself_is_refused_in_chinese(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with pytest.raises(LedgerError) as caught:
        backup.back_up(path, path)
    assert caught.value.chinese == f"不能备份到 {path}，请换一个文件名"
