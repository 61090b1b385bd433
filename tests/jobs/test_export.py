"""The archive as an office keeps it: folders by period and section, and an index."""

from __future__ import annotations

import csv
import hashlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from jobs.collect import withdraw
from jobs.export import Exported, OccupiedError, export
from ledger.archive import Archive
from ledger.attachments import File
from tests.support.ledgers import CAIWU, Desk, MakeDesk, everybodys_report


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk(everybodys_report()).go("03-20 10:00")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", 1_000_000)


def hand_in(desk: Desk, archive: Archive, *names: str, key: str = CAIWU) -> None:
    files = tuple(File(archive.put(name.encode()), name, "") for name in names)
    desk.submit(key, files=files)


def put_out(desk: Desk, archive: Archive, folder: Path, *periods: str) -> Exported:
    with desk.ledger.read() as connection:
        return export(connection, desk.bureau, desk.plan_id, archive, folder, desk.now, periods)


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def index(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_files_lie_by_period_and_section_under_their_own_names(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    hand_in(desk, archive, "3月专报.docx", "附件 1.xlsx")
    out = tmp_path / "out"
    done = put_out(desk, archive, out)
    assert (done.hand_ins, done.files, done.missing) == (1, 2, [])
    assert names(out) == [
        ".duban",
        "2023-03/财务科/3月专报.docx",
        "2023-03/财务科/附件 1.xlsx",
        "index.csv",
        "index.html",
    ]
    assert (out / "2023-03/财务科/3月专报.docx").read_bytes() == "3月专报.docx".encode()


def test_the_index_says_who_handed_in_what_when_and_its_digest(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    hand_in(desk, archive, "附件 1.xlsx")
    desk.accept()
    put_out(desk, archive, tmp_path / "out")
    (line,) = index(tmp_path / "out")
    assert line == {
        "编号": desk.submissions()[0].number,
        "科室": "财务科",
        "事项": "工作专报",
        "时期": "2023-03",
        "报送时间": "2023-03-20 10:00",
        "报送人": "林美环",
        "状态": "已核收",
        "文件名": "附件 1.xlsx",
        "存放位置": "2023-03/财务科/附件 1.xlsx",
        "SHA-256": hashlib.sha256("附件 1.xlsx".encode()).hexdigest(),
    }


def test_the_index_leads_to_every_file(desk: Desk, archive: Archive, tmp_path: Path) -> None:
    hand_in(desk, archive, "a&b 50%#1.docx", "3月专报.docx")
    out = tmp_path / "out"
    put_out(desk, archive, out)
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "a":
                found.append(unquote(dict(attrs)["href"] or ""))

    Links().feed((out / "index.html").read_text(encoding="utf-8"))
    assert sorted(found) == [n for n in names(out) if "/" in n]


def test_two_files_of_one_name_are_numbered(desk: Desk, archive: Archive, tmp_path: Path) -> None:
    hand_in(desk, archive, "报告.doc", "报告.DOC", "报告.doc")
    put_out(desk, archive, tmp_path / "out")
    lie = [n for n in names(tmp_path / "out") if "财务科" in n]
    assert [Path(n).name for n in lie] == ["报告-2.DOC", "报告-3.doc", "报告.doc"]


def test_what_was_returned_is_kept_and_what_was_withdrawn_only_listed(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    hand_in(desk, archive, "初稿.doc")
    desk.give_back()
    hand_in(desk, archive, "误报.doc")
    withdraw(desk.ledger, desk.bureau, desk.act())
    hand_in(desk, archive, "定稿.doc")
    put_out(desk, archive, tmp_path / "out")
    lines = index(tmp_path / "out")
    assert [(one["状态"], one["文件名"]) for one in lines] == [
        ("已退回", "初稿.doc"),
        ("已撤回", ""),
        ("待核", "定稿.doc"),
    ]


def test_what_is_overdue_has_its_line_and_what_is_not_due_has_none(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    desk.submit(reason="口头汇报")
    put_out(desk, archive, tmp_path / "early")
    assert [line["科室"] for line in index(tmp_path / "early")] == ["财务科"]
    desk.go("03-27 10:00")
    put_out(desk, archive, tmp_path / "late")
    lines = {line["科室"]: line for line in index(tmp_path / "late")}
    assert lines["初幼教科"]["状态"] == "逾期"
    assert lines["财务科"]["文件名"] == "（说明）口头汇报"


def test_only_the_periods_that_were_asked_for_are_taken(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    hand_in(desk, archive, "3月专报.docx")
    assert put_out(desk, archive, tmp_path / "none", "2023-04").files == 0
    assert put_out(desk, archive, tmp_path / "some", "2023-03", "2023").files == 1


def test_a_second_export_replaces_the_first_and_leaves_what_people_added(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    hand_in(desk, archive, "3月专报.docx")
    put_out(desk, archive, out)
    (out / "2023-03/财务科/批注.txt").write_text("领导批示", encoding="utf-8")
    desk.give_back()
    hand_in(desk, archive, "批注.txt")
    put_out(desk, archive, out)
    assert (out / "2023-03/财务科/批注.txt").read_text(encoding="utf-8") == "领导批示"
    assert [n for n in names(out) if "财务科" in n] == [
        "2023-03/财务科/3月专报.docx",
        "2023-03/财务科/批注-2.txt",
        "2023-03/财务科/批注.txt",
    ]


def test_a_folder_that_no_export_made_is_not_touched(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for occupied in ("mine", "file"):
        with pytest.raises(OccupiedError, match="name a new folder"):
            put_out(desk, archive, tmp_path / occupied)
    assert names(tmp_path / "mine") == ["notes.txt"]


def test_a_list_that_points_out_of_the_folder_removes_nothing(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    outside = tmp_path / "precious.txt"
    outside.write_text("x", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".duban").write_text("made\n../precious.txt\n", encoding="utf-8")
    put_out(desk, archive, out)
    assert outside.exists()


def test_a_file_that_is_missing_or_damaged_is_named(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    hand_in(desk, archive, "没了.doc", "坏了.doc", "好的.doc")
    lost, broken = (
        archive.folder / digest[:2] / digest
        for digest in (hashlib.sha256(n.encode()).hexdigest() for n in ("没了.doc", "坏了.doc"))
    )
    lost.unlink()
    broken.write_bytes(b"other")
    done = put_out(desk, archive, tmp_path / "out")
    assert [line.given for line in done.missing] == ["没了.doc", "坏了.doc"]
    assert [n for n in names(tmp_path / "out") if "财务科" in n] == ["2023-03/财务科/好的.doc"]
    assert [line["存放位置"] for line in index(tmp_path / "out")][:2] == ["（文件缺失）"] * 2


def test_a_name_that_a_spreadsheet_would_run_is_text(
    desk: Desk, archive: Archive, tmp_path: Path
) -> None:
    hand_in(desk, archive, "=cmd|' !A1.csv")
    put_out(desk, archive, tmp_path / "out")
    assert index(tmp_path / "out")[0]["文件名"].startswith("'=cmd")
