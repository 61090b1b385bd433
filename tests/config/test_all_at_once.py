"""Every mistake is reported at once, and nothing that merely follows from another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.small_plan import OVERRIDES, PLAN, changed, errors, load, others

ROOT = Path(__file__).parents[2]
REAL = (ROOT / "config" / "quanzhou-2023" / "plan.yaml").read_text(encoding="utf-8")

Change = tuple[str, str]

FULL = changed(
    "    title: 经费总量包干\n", "    title: 经费总量包干\n    ladder: own\n    on: 2023-05-05\n"
) + ("ladders:\n  own: [{before: 5, light: blue, to: section}]\n")
"""The small plan with a ladder of its own and a dated project."""
DECISIONS = OVERRIDES + (
    "  - {item: special, period: 2023-09, section: 财务科, reassign: 初教科室, reason: 交接}\n"
    "  - {item: special, period: 2023-09, section: 初幼教科, exempt: true, reason: 无此项}\n"
)


def _with(text: str, *changes: Change) -> str:
    for old, new in changes:
        text = changed(old, new, text)
    return text


TOGETHER: dict[str, tuple[list[Change], list[str]]] = {
    "a section's mailbox and its leader": (
        [("email: chuyou@edu.example", "email: chuyou"), ("leader: 陈军宣", "leader: 陈军轩")],
        [
            "24:12: 'chuyou' is not a mail address like caiwu@edu.example",
            "25:13: unknown official '陈军轩' (did you mean '陈军宣'?)",
        ],
    ),
    "a section's unknown key and its stand-in": (
        [("stand_in: 办公室", "stand_in: 办公市\n    to_confrim: x")],
        [
            "27:15: unknown section '办公市' (did you mean '办公室'?)",
            "28:5: unknown key 'to_confrim' (did you mean 'to_confirm'?)",
        ],
    ),
    "a section without a mailbox and its title": (
        [("    stand_in: 办公室\n", "    full_name: ''\n")],
        [
            "26:5: section '财务科' has no mailbox; give 'email', or 'stand_in: 办公室'",
            "27:16: '' must not be empty",
        ],
    ),
    "a rule's day, its section, its ladder": (
        [
            ("{yearly: [03-25, 09-25]}", "{yearly: [03-25, 9.25]}\n    ladder: raport"),
            ("sections: [财务科]", "sections: [财物科]"),
        ],
        [
            "37:27: '9.25' is not a day of the year like 03-25",
            "38:13: unknown ladder 'raport' (did you mean 'report'?)",
            "39:16: unknown section '财物科' (did you mean '财务科'?)",
        ],
    ),
    "a rule's end and whom it excludes": (
        [("until: 2023-12\n", "until: 2023-13\n    excluding: [财物科]\n")],
        [
            "34:12: '2023-13' is not a day of the calendar (month must be in 1..12)",
            "35:17: unknown section '财物科' (did you mean '财务科'?)",
        ],
    ),
    "entries of one list": (
        [("sections: [财务科]", "sections: ['', 财务科, [办公室], 财物科]")],
        [
            "38:16: '' must not be empty",
            "38:25: must be text, not a list",
            "38:32: unknown section '财物科' (did you mean '财务科'?)",
        ],
    ),
    "a milestone's key, section and date": (
        [
            ("project: p01", "projcet: p01"),
            ("sections: [办公室]", "sections: [办公厅]"),
            ("month: 2023-02", "month: 2024-02"),
        ],
        [
            "41:12: due on 2024-02-29, after the plan ends (2023-12-31)",
            "43:16: unknown section '办公厅' (did you mean '办公室'?)",
            "44:5: unknown key 'projcet' (did you mean 'project'?)",
        ],
    ),
    "a milestone's two dates and its project": (
        [
            ("month: 2023-02\n", "month: 2022-02\n    on: 2023-02-03\n"),
            ("project: p01", "project: p09"),
        ],
        [
            "40:5: a milestone needs exactly one of 'month' and 'on'",
            "45:14: unknown project 'p09' (did you mean 'p01'?)",
        ],
    ),
    "the leads of a project": (
        [
            (
                "{official: 副局长, section: 财务科}",
                "{official: 副处长, section: 财物科, x: 1}\n"
                "      - {offical: 局长, section: 财务处}\n"
                "      - 财务科\n      - {official: 局长, section: 办公市}",
            ),
            ("title: 经费总量包干", "title: ''"),
        ],
        [
            "47:12: '' must not be empty",
            "49:20: unknown official '副处长' (did you mean '副局长'?)",
            "49:34: unknown section '财物科' (did you mean '财务科'?)",
            "49:39: unknown key 'x' (known here: official, section)",
            "50:10: unknown key 'offical' (did you mean 'official'?)",
            "50:32: unknown section '财务处' (did you mean '财务科'?)",
            "51:9: '财务科' must be keys with their values, such as 'official: …', 'section: …'",
            "52:33: unknown section '办公市' (did you mean '办公室'?)",
        ],
    ),
    "the head of the plan and what is due before it": (
        [
            ("title: 年度重点工作", "titel: 年度重点工作"),
            ("office: 办公室\n", "office: 办公市\n"),
            ("head: 局长\n", "head: 主席\n"),
            ("month: 2023-02", "month: 2023-01"),
        ],
        [
            "3:3: unknown key 'titel' (did you mean 'title'?)",
            "5:11: unknown section '办公市' (did you mean '办公室'?)",
            "6:9: unknown official '主席'",
            "41:12: due on 2023-01-31, before the plan starts (2023-02-01)",
        ],
    ),
    "the plan's end and its title, but not what is due after that end": (
        [
            ("title: 年度重点工作", "titel: 年度重点工作"),
            ("ends: 2023-12-31", "ends: 2022-12-31"),
        ],
        [
            "3:3: unknown key 'titel' (did you mean 'title'?)",
            "8:9: 'ends' must not come before 'starts'",
        ],
    ),
    "the plan's hours and its notice": (
        [("ends: 2023-12-31", "reminder_time: 7:30\n  min_notice: 9")],
        [
            "8:18: 'reminder_time' must lie within 'office_hours'",
            "9:15: with this 'min_notice' the built-in ladder 'report' could never escalate",
        ],
    ),
    "a section whose name is misspelt as a key, and another name": (
        [("  - name: 初幼教科", "  - nmae: 初幼教科"), ("[财务科]", "[初幼教科, 财物科]")],
        [
            "21:5: unknown key 'nmae' (did you mean 'name'?)",
            "38:22: unknown section '财物科' (did you mean '财务科'?)",
        ],
    ),
}


@pytest.mark.parametrize("mistakes", TOGETHER)
def test_a_mistake_does_not_hide_those_beside_it(tmp_path: Path, mistakes: str) -> None:
    changes, expected = TOGETHER[mistakes]
    found = errors(load(tmp_path, _with(PLAN, *changes)))
    assert found == [f"plan.yaml:{e}" for e in expected]


DECIDED_TOGETHER: dict[str, tuple[list[Change], list[str]]] = {
    "date, item and section": (
        [
            ("deadline: 2023-03-28", "deadline: 2023-3-28"),
            ("item: special", "item: specail"),
            ("section: 财务科", "section: 财物科"),
        ],
        [
            "2:11: unknown item 'specail' (did you mean 'special'?)",
            "4:14: unknown section '财物科' (did you mean '财务科'?)",
            "5:15: '2023-3-28' is not a date like 2023-03-25",
        ],
    ),
    "truth value and period": (
        [("deadline: 2023-03-28", "exempt: on"), ("period: 2023-03", "period: 2023-04")],
        [
            "3:13: 'special' has no period '2023-04' (near it: 2023-03, 2023-09)",
            "5:13: 'on' is not true or false",
        ],
    ),
    "two decisions, an heir and who owes it": (
        [
            ("deadline: 2023-03-28", "deadline: 2023-03-28\n    reassign: 初教室"),
            ("section: 财务科", "section: 办公室"),
        ],
        [
            "2:5: an override needs exactly one of 'deadline', 'exempt', 'reassign'",
            "4:14: section '办公室' does not owe special/2023-03 (财务科)",
            "6:15: unknown section '初教室' (did you mean '初教科室'?)",
        ],
    ),
    "reason and item": (
        [("    reason: 会议冲突\n", ""), ("item: special", "item: p01")],
        [
            "2:5: missing key 'reason'",
            "2:11: project 'p01' has no date of its own ('on'), so nothing is due",
        ],
    ),
}


@pytest.mark.parametrize("mistakes", DECIDED_TOGETHER)
def test_a_mistake_in_an_override_does_not_hide_others(tmp_path: Path, mistakes: str) -> None:
    changes, expected = DECIDED_TOGETHER[mistakes]
    found = errors(load(tmp_path, PLAN, _with(OVERRIDES, *changes)))
    assert found == [f"overrides.yaml:{e}" for e in expected]


def test_a_period_of_a_rule_with_a_mistake_is_checked(tmp_path: Path) -> None:
    plan = changed("title: 工作专报", "titel: 工作专报")
    text = changed("period: 2023-03", "period: 2023-04", OVERRIDES)
    assert errors(load(tmp_path, plan, text)) == [
        "overrides.yaml:3:13: 'special' has no period '2023-04' (near it: 2023-03, 2023-09)",
        "plan.yaml:36:5: unknown key 'titel' (did you mean 'title'?)",
    ]


@pytest.mark.parametrize(
    "change",
    [
        ("{yearly: [03-25, 09-25]}", "{yearly: [03-26, 9.25]}"),
        ("sections: [财务科]", "sections: [财物科]"),
        ("starts: 2023-02-01", "starts: 2023"),
        ("starts: 2023-02-01", "starts: 2024-02-01"),
    ],
)
def test_a_decision_is_not_blamed_for_a_mistake_in_the_plan(tmp_path: Path, change: Change) -> None:
    found = errors(load(tmp_path, _with(PLAN, change), DECISIONS))
    assert found
    assert all(e.startswith("plan.yaml:") for e in found)


@pytest.mark.parametrize(
    "change",
    [
        ("reassign: 初教科室", "reasign: 初教科室"),
        ("reassign: 初教科室", "reassign: 初教课室"),
        ("{item: special, period: 2023-09, section: 财务科", "{item: x, period: 2023-09"),
    ],
)
def test_a_decision_is_not_blamed_for_a_mistake_in_an_earlier_one(
    tmp_path: Path, change: Change
) -> None:
    (error,) = errors(load(tmp_path, PLAN, _with(DECISIONS, change)))
    assert error.startswith("overrides.yaml:7:")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("  - name: 初幼教科\n", "  - name: 财务科\n", "section name '财务科'"),
        ("  - name: 财务科\n", "  - name: 办公室\n", "section name '办公室'"),
        ("  - name: 办公室\n", "  - name: 财务科\n", "section name '财务科'"),
        ("  - post: 附件2第18至20项牵头领导\n", "  - post: 市教育局局长\n", "post '市教育局局长'"),
        ("  - id: p01\n", "  - id: p02\n", "id 'p02'"),
    ],
)
def test_only_the_clash_is_reported_where_a_name_is_given_twice(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    text = changed(old, new, REAL)
    first, second = (
        number for number, line in enumerate(text.split("\n"), 1) if f"{line}\n" == new
    )
    loaded = load(tmp_path, text)
    (error,) = errors(loaded)
    assert error.startswith(f"plan.yaml:{second}:")
    assert error.endswith(f": the {named} is already used on line {first}")
    assert others(loaded, "warning") == []


def test_a_stand_in_is_not_blamed_for_a_clash_with_the_office(tmp_path: Path) -> None:
    assert errors(load(tmp_path, changed("- name: 财务科", "- name: 办公室"))) == [
        "plan.yaml:26:11: the section name '办公室' is already used on line 18"
    ]


def test_a_list_of_sections_is_not_blamed_for_a_clash_in_it(tmp_path: Path) -> None:
    text = changed("sections: [财务科]", "sections: [财务科, 初教科室]")
    loaded = load(tmp_path, changed("- name: 初幼教科", "- name: 财务科", text))
    assert [p.line for p in loaded.problems] == [26]


@pytest.mark.parametrize("name", ["财务科", "办公室"])
def test_no_decision_follows_from_a_clash_of_sections(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, changed("- name: 初幼教科", f"- name: {name}"), DECISIONS)
    (error,) = errors(loaded)
    assert f"the section name '{name}' is already used" in error
    assert others(loaded, "warning") == []


KEYS = [
    (file, found.start(), found[0])
    for file, text in (("plan.yaml", FULL), ("overrides.yaml", DECISIONS))
    for found in re.finditer(r"[a-z_]+(?=:[ \n])", text)
    if found[0] != "own"
]
VALUES = [
    (file, found.start(), found[0])
    for file, text in (("plan.yaml", FULL), ("overrides.yaml", DECISIONS))
    for found in re.finditer(r"(?<=: )[^\s,\[\]{}]+", text)
]


def _replaced(folder: Path, file: str, at: int, old: str, new: str) -> list[str]:
    """The problems of any kind that come of one change in a sound plan's folder."""
    texts = {"plan.yaml": FULL, "overrides.yaml": DECISIONS}
    texts[file] = texts[file][:at] + new + texts[file][at + len(old) :]
    loaded = load(folder, texts["plan.yaml"], texts["overrides.yaml"])
    assert loaded.plan is None
    return [str(p) for p in loaded.problems]


def test_the_fuller_plan_is_sound(tmp_path: Path) -> None:
    assert len(KEYS) > 60
    assert len(VALUES) >= 60
    assert load(tmp_path, FULL, DECISIONS).problems == ()


@pytest.mark.parametrize(("file", "at", "key"), KEYS)
def test_nothing_follows_from_a_misspelt_key(tmp_path: Path, file: str, at: int, key: str) -> None:
    misspelt = f"{key[0]}q{key[1:]}"
    (problem,) = _replaced(tmp_path, file, at, key, misspelt)
    assert f"unknown key '{misspelt}'" in problem


@pytest.mark.parametrize("odd", ["''", "[[]]", "{q: 1}"])
def test_nothing_follows_from_a_wrong_value(tmp_path: Path, odd: str) -> None:
    found = [_replaced(tmp_path, file, at, value, odd) for file, at, value in VALUES]
    assert [problems for problems in found if len(problems) != 1] == []


def test_a_real_milestone_with_a_misspelt_key_still_names_its_section(tmp_path: Path) -> None:
    old = "    sections: [初幼教科]\n    project: p01\n    source: L16\n"
    text = changed(old, "    sections: [初教课]\n    projcet: p01\n    source: L16\n", REAL)
    section, key = errors(load(tmp_path, text))
    assert section.endswith(":16: unknown section '初教课' (did you mean '初幼教科'?)")
    assert key.endswith(":5: unknown key 'projcet' (did you mean 'project'?)")


def test_notes_of_a_broken_entry_wait_for_its_correction(tmp_path: Path) -> None:
    text = changed("title: 工作专报", "titel: 工作专报\n    to_confirm: 甲")
    assert others(load(tmp_path, text), "confirm") == []
