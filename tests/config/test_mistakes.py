"""Every kind of mistake that an office can make in a plan: its line, its column, its message."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.small_plan import OVERRIDES, PLAN, changed, errors, load, others

Change = tuple[str, str]

VALUES: dict[str, tuple[Change, list[str]]] = {
    "an unknown key": (
        ("  title: 年度重点工作", "  titel: 年度重点工作"),
        ["3:3: unknown key 'titel' (did you mean 'title'?)"],
    ),
    "an unknown key in a list": (
        ("    full_name: 初", "    fullname: 初"),
        ["22:5: unknown key 'fullname' (did you mean 'full_name'?)"],
    ),
    "an unknown key without a value": (
        ("    project: p01", "    projekt:"),
        ["44:5: unknown key 'projekt' (did you mean 'project'?)"],
    ),
    "an unknown key like no other": (
        ("{monthly: 25}", "{每月: 25}"),
        ["32:11: unknown key '每月' (known here: monthly, yearly)"],
    ),
    "an unknown part of the file": (
        ("milestones:\n", "milestone:\n"),
        ["39:1: unknown key 'milestone' (did you mean 'milestones'?)"],
    ),
    "a missing key": (
        ("    title: 召开动员部署会\n", ""),
        ["40:5: missing key 'title'"],
    ),
    "a missing key in braces": (
        ("{official: 副局长, section: 财务科}", "{official: 副局长}"),
        ["49:9: missing key 'section'"],
    ),
    "a missing address": (
        ("{name: 刘殊芳, email: head@edu.example}", "{name: 刘殊芳}"),
        ["12:15: missing key 'email'"],
    ),
    "a key without a value": (
        ("    title: 召开动员部署会", "    title:"),
        ["42:5: the key 'title' has no value"],
    ),
    "an empty list entry": (
        ("sections: [财务科]", "sections:\n      -"),
        ["39:8: this entry is empty"],
    ),
    "an empty text": (("title: 工作专报", "title: ''"), ["36:12: '' must not be empty"]),
    "a blank text": (("title: 工作专报", "title: ' '"), ["36:12: ' ' must not be blank"]),
    "a text that no letter could hold": (
        ("title: 工作专报", "title: " + "长" * 1001),
        [f"36:12: '{'长' * 39}…' is too long: at most 1000 characters"],
    ),
    "text instead of a number": (
        ("{monthly: 25}", "{monthly: 每月}"),
        ["32:20: '每月' is not a whole number, nor 'last'"],
    ),
    "a number that is too big": (
        ("{monthly: 25}", "{monthly: 32}"),
        ["32:20: 'monthly' is a day from 1 to 31, or 'last'"],
    ),
    "two ways to be due": (
        ("{monthly: 25}", "{monthly: 25, yearly: 03-25}"),
        ["32:10: 'due' needs exactly one of 'monthly' and 'yearly'"],
    ),
    "a day twice": (
        ("[03-25, 09-25]", "[03-25, 03-25]"),
        ["37:19: 'yearly' needs at least one day, and each only once"],
    ),
    "a value instead of keys": (
        ("{monthly: 25}", "25"),
        ["32:10: '25' must be keys with their values, such as 'monthly: …', 'yearly: …'"],
    ),
    "a value instead of a list": (
        ("    leads:\n      - {official: 副局长, section: 财务科}\n", "    leads: 财务科\n"),
        ["48:12: '财务科' must be a list, each entry after a '- ' on a line of its own"],
    ),
    "keys instead of a list": (
        ("sections: [财务科]", "sections: {财务科: 1}"),
        ["38:15: must be a list, each entry after a '- ' on a line of its own"],
    ),
    "a list instead of a text": (
        ("title: 工作专报", "title: [工作专报]"),
        ["36:12: must be text, not a list"],
    ),
    "an empty list": (
        ("[{name: 刘殊芳, email: head@edu.example}]", "[]"),
        ["12:14: needs at least one entry"],
    ),
    "a date in another form": (
        ("starts: 2023-02-01", "starts: 2023年2月1日"),
        ["7:11: '2023年2月1日' is not a date like 2023-03-25"],
    ),
    "a list instead of a date": (
        ("starts: 2023-02-01", "starts: [2023]"),
        ["7:11: must be a date like 2023-03-25"],
    ),
    "a day that no calendar has": (
        ("starts: 2023-02-01", "starts: 2023-02-30"),
        ["7:11: '2023-02-30' is not a day of the calendar (day is out of range for month)"],
    ),
    "a month in full-width figures": (
        ("month: 2023-02", "month: ２０２３-０２"),
        ["41:12: '２０２３-０２' is not a month like 2023-03 ('２' is a full-width character)"],
    ),
    "a day of the year in another form": (
        ("[03-25, 09-25]", "[03-25, 9.25]"),
        ["37:27: '9.25' is not a day of the year like 03-25"],
    ),
    "the end before the start": (
        ("ends: 2023-12-31", "ends: 2022-12-31"),
        [
            "8:9: 'ends' must not come before 'starts'",
        ],
    ),
    "hours in another form": (
        ("ends: 2023-12-31", "office_hours: 8:00"),
        ["8:17: '8:00' are not hours like 08:00-18:00"],
    ),
    "hours that end before they begin": (
        ("ends: 2023-12-31", "office_hours: 18:00-8:00"),
        ["8:17: '18:00-8:00' must begin before they end"],
    ),
    "a minute that no clock has": (
        ("ends: 2023-12-31", "deadline_time: 17:60"),
        ["8:18: '17:60' is not a time of day like 09:00"],
    ),
    "a full-width colon in a time, which is understood": (
        ("ends: 2023-12-31", "deadline_time: 17：30"),
        [],
    ),
    "a list instead of a time": (
        ("ends: 2023-12-31", "deadline_time: [17]"),
        ["8:18: must be a time of day like 09:00"],
    ),
    "an hour outside the office's": (
        ("ends: 2023-12-31", "reminder_time: 7:30"),
        ["8:18: 'reminder_time' must lie within 'office_hours'"],
    ),
    "a time zone that is none": (
        ("ends: 2023-12-31", "timezone: Asia/Quanzhou"),
        ["8:13: 'Asia/Quanzhou' is not a time zone like Asia/Shanghai"],
    ),
    "a bad id": (
        ("id: m02-01", "id: 二月/1"),
        ["40:9: '二月/1': an id is 1 to 64 letters, digits, '.', '_' or '-' (a-z, 0-9)"],
    ),
    "a word out of few": (
        ("    project: p01", "    adjust: erlier"),
        ["44:13: 'erlier' is not one of earlier, later, none (did you mean 'earlier'?)"],
    ),
    "a milestone with two dates": (
        ("month: 2023-02\n", "month: 2023-02\n    on: 2023-02-03\n"),
        ["40:5: a milestone needs exactly one of 'month' and 'on'"],
    ),
    "a successor without a day": (
        (
            "email: deputy@edu.example}\n",
            "email: d@edu.example}\n      - {name: 甲, email: e@x.example}\n",
        ),
        ["17:9: each holder but the first needs 'from', the day of taking over"],
    ),
    "a full-width colon in braces": (
        ("{monthly: 25}", "{monthly：25}"),
        ["32:18: a full-width colon '：' after 'monthly'; type ':' and a space"],
    ),
    "a full-width colon where nothing else fails": (
        ("due: {monthly: 25}", "due:\n      monthly：25"),
        ["33:14: a full-width colon '：' after 'monthly'; type ':' and a space"],
    ),
    "a long value": (
        ("{monthly: 25}", "{monthly: " + "长" * 500 + "}"),
        [f"32:20: '{'长' * 39}…' is not a whole number, nor 'last'"],
    ),
}

REFERENCES: dict[str, tuple[Change, list[str]]] = {
    "the office": (
        ("office: 办公室\n", "office: 办公市\n"),
        ["5:11: unknown section '办公市' (did you mean '办公室'?)"],
    ),
    "the head": (
        ("head: 局长\n", "head: 主席\n"),
        ["6:9: unknown official '主席'"],
    ),
    "a section's leader": (
        ("leader: 陈军宣", "leader: 陈军轩"),
        ["25:13: unknown official '陈军轩' (did you mean '陈军宣'?)"],
    ),
    "a rule's section": (
        ("sections: [财务科]", "sections: [办公室, 初教科]"),
        ["38:21: unknown section '初教科' (did you mean '初教科室'?)"],
    ),
    "sections joined by a full-width comma": (
        ("sections: [财务科]", "sections: [财务科，办公室]"),
        ["38:16: unknown section '财务科，办公室' ('，' is a full-width character)"],
    ),
    "an excluded section": (
        ("    until: 2023-12\n", "    until: 2023-12\n    excluding: [财物科]\n"),
        ["35:17: unknown section '财物科' (did you mean '财务科'?)"],
    ),
    "a milestone's section": (
        ("sections: [办公室]", "sections: 办公厅"),
        ["43:15: unknown section '办公厅' (did you mean '办公室'?)"],
    ),
    "a milestone's project": (
        ("project: p01", "project: monthly"),
        ["44:14: unknown project 'monthly'"],
    ),
    "a project's official": (
        ("{official: 副局长, section", "{official: 副处长, section"),
        ["49:20: unknown official '副处长' (did you mean '副局长'?)"],
    ),
    "a project's section": (
        ("section: 财务科}", "section: 财务处}"),
        ["49:34: unknown section '财务处' (did you mean '财务科'?)"],
    ),
    "a ladder": (
        ("title: 工作专报", "title: 工作专报\n    ladder: raport"),
        ["37:13: unknown ladder 'raport' (did you mean 'report'?)"],
    ),
    "a stand-in": (
        ("stand_in: 办公室", "stand_in: 办公市"),
        ["27:15: unknown section '办公市' (did you mean '办公室'?)"],
    ),
    "a name of two posts": (
        ("{name: 刘殊芳, email: head@edu.example}", "{name: 陈军宣, email: head@edu.example}"),
        ["25:13: '陈军宣' may mean more than one post ('副局长', '局长'); name the post"],
    ),
    "a section's name for two": (
        ("[初教科室]", "[初教科室, 财务科]"),
        ["26:11: the section name '财务科' is already used on line 23"],
    ),
    "a full name of another": (
        ("full_name: 初等教育与学前教育科", "full_name: 办公室"),
        ["22:16: the section name '办公室' is already used on line 18"],
    ),
    "a post twice": (
        ("  - post: 副局长", "  - post: 局长"),
        ["13:11: the post '局长' is already used on line 10"],
    ),
    "the end of a rule before its start": (
        ("until: 2023-12", "until: 2023-01"),
        ["34:12: 'until' 2023-01 comes before 'from' 2023-02"],
    ),
    "a rule for nobody": (
        ("sections: [财务科]", "sections: []"),
        ["38:15: no section owes this rule; name some, or 'all'"],
    ),
    "a rule with its sections left out by mistake": (
        ("sections: [财务科]", "sections:"),
        ["38:5: the key 'sections' has no value"],
    ),
    "a rule that excludes all": (
        ("until: 2023-12\n", "until: 2023-12\n    excluding: [财务科, 初幼教科]\n"),
        ["35:16: no section is left that owes this rule"],
    ),
    "an exclusion from a list": (
        ("sections: [财务科]", "sections: [财务科]\n    excluding: [办公室]"),
        ["39:16: 'excluding' has a meaning only with 'sections: all'"],
    ),
    "a milestone before the plan": (
        ("month: 2023-02", "month: 2023-01"),
        ["41:12: due on 2023-01-31, before the plan starts (2023-02-01)"],
    ),
    "a milestone after the plan": (
        ("month: 2023-02", "on: 2024-01-01"),
        ["41:9: due on 2024-01-01, after the plan ends (2023-12-31)"],
    ),
    "a project after the plan": (
        ("title: 经费总量包干", "title: 经费总量包干\n    on: 2024-01-01"),
        ["48:9: due on 2024-01-01, after the plan ends (2023-12-31)"],
    ),
    "too long a notice": (
        ("ends: 2023-12-31", "min_notice: 16"),
        [
            "8:15: with this 'min_notice' the built-in ladder 'milestone' could never escalate",
            "8:15: with this 'min_notice' the built-in ladder 'project' could never escalate",
            "8:15: with this 'min_notice' the built-in ladder 'report' could never escalate",
        ],
    ),
}


@pytest.mark.parametrize("mistake", VALUES)
def test_a_wrong_value_is_named_at_its_place(tmp_path: Path, mistake: str) -> None:
    change, expected = VALUES[mistake]
    assert errors(load(tmp_path, changed(*change))) == [f"plan.yaml:{e}" for e in expected]


@pytest.mark.parametrize("mistake", REFERENCES)
def test_a_reference_that_does_not_hold_is_named_at_its_place(tmp_path: Path, mistake: str) -> None:
    change, expected = REFERENCES[mistake]
    assert errors(load(tmp_path, changed(*change))) == [f"plan.yaml:{e}" for e in expected]


LADDERS: dict[str, tuple[str, list[str]]] = {
    "an unknown light": (
        "[{before: 3, light: blau, to: section}]",
        ["10:31: 'blau' is not one of blue, yellow, red (did you mean 'blue'?)"],
    ),
    "an unknown recipient": (
        "[{before: 3, light: blue, to: [section, boss]}]",
        ["10:51: 'boss' is not one of section, leader, head"],
    ),
    "an unknown recipient by itself": (
        "[{before: 3, light: blue, to: sections}]",
        ["10:41: 'sections' is not one of section, leader, head (did you mean 'section'?)"],
    ),
    "two offsets": (
        "[{before: 3, after: 1, light: blue, to: section}]",
        ["10:12: a rung needs exactly one of 'before', 'after' and 'every'"],
    ),
    "rungs out of order": (
        "\n    - {before: 2, light: blue, to: section}\n    - {before: 3, light: blue, to: head}",
        ["12:7: the rungs of a ladder go from the earliest to the latest, each day once"],
    ),
    "a repeat that is not last": (
        "\n    - {before: 2, light: blue, to: section}\n"
        "    - {every: 3, light: blue, to: section}\n    - {after: 3, light: red, to: section}",
        ["12:15: 'every' may stand only on the last rung of a ladder"],
    ),
    "only a repeat": (
        "[{every: 3, light: red, to: section}]",
        ["10:11: a ladder needs at least one rung 'before' or 'after' the deadline"],
    ),
    "no rung": ("[]", ["10:11: needs at least one entry"]),
    "an offset below zero": (
        "[{before: -3, light: blue, to: section}]",
        ["10:21: '-3' must be at least 0"],
    ),
    "an offset that is too big": (
        "[{after: 300, light: red, to: section}]",
        ["10:20: '300' must be at most 250"],
    ),
    "an escalation without a reminder": (
        "[{before: 2, light: blue, to: section}, {after: 1, light: red, to: leader}]",
        [],
    ),
    "an escalation with its first reminder": (
        "\n    - {after: 1, light: red, to: [section, leader]}",
        [
            "11:7: this rung goes to an official, but no rung reaches the section 1 working days "
            "before it or earlier ('min_notice'); it could never be sent fairly"
        ],
    ),
    "an escalation that no section hears of": (
        "\n    - {before: 1, light: blue, to: leader}\n    - {every: 5, light: red, to: head}",
        [
            "11:7: this rung goes to an official, but no rung reaches the section 1 working days "
            "before it or earlier ('min_notice'); it could never be sent fairly"
        ],
    ),
    "a repeated escalation after its only reminder": (
        "\n    - {after: 1, light: red, to: section}\n    - {every: 5, light: red, to: head}",
        [],
    ),
}


@pytest.mark.parametrize("mistake", LADDERS)
def test_a_ladder_that_cannot_be_climbed_is_named_at_its_rung(tmp_path: Path, mistake: str) -> None:
    rungs, expected = LADDERS[mistake]
    text = changed("officials:\n", f"ladders:\n  report: {rungs}\nofficials:\n")
    assert errors(load(tmp_path, text)) == [f"plan.yaml:{e}" for e in expected]


def test_f30_a_section_without_a_mailbox_is_refused(tmp_path: Path) -> None:
    assert errors(load(tmp_path, changed("    stand_in: 办公室\n", ""))) == [
        "plan.yaml:26:5: section '财务科' has no mailbox; give 'email', or 'stand_in: 办公室'"
    ]


def test_f30_the_office_needs_a_mailbox_of_its_own(tmp_path: Path) -> None:
    assert errors(load(tmp_path, changed("    email: office@edu.example\n", ""))) == [
        "plan.yaml:18:5: the office '办公室' has no mailbox; give 'email'"
    ]


def test_f30_the_office_cannot_stand_in_for_itself(tmp_path: Path) -> None:
    text = changed("email: office@edu.example", "stand_in: 办公室")
    assert errors(load(tmp_path, text)) == [
        "plan.yaml:19:15: the office cannot stand in for itself; give it an 'email'"
    ]


def test_f30_only_the_office_stands_in(tmp_path: Path) -> None:
    assert errors(load(tmp_path, changed("stand_in: 办公室", "stand_in: 初教科室"))) == [
        "plan.yaml:27:15: only the office '办公室' can stand in, not '初教科室'"
    ]


def test_f30_a_mailbox_and_a_stand_in_exclude_each_other(tmp_path: Path) -> None:
    text = changed("stand_in: 办公室", "stand_in: 办公室\n    email: cw@edu.example")
    assert errors(load(tmp_path, text)) == [
        "plan.yaml:27:15: 'stand_in' together with 'email'; leave one of them out"
    ]


def test_f30_one_mailbox_for_two_sections_is_a_warning(tmp_path: Path) -> None:
    loaded = load(tmp_path, changed("chuyou@edu.example", "Office@edu.example"))
    assert loaded.plan is not None
    assert others(loaded, "warning") == [
        "plan.yaml:24:12: 'Office@edu.example' is also the mailbox of '办公室' (line 19)"
    ]


@pytest.mark.parametrize("sign", [", ", ",", "; ", "；", "，", " "])
def test_f30_joined_addresses_are_refused(tmp_path: Path, sign: str) -> None:
    joined = f"a@edu.example{sign}b@edu.example"
    (error,) = errors(load(tmp_path, changed("chuyou@edu.example", f"'{joined}'")))
    message = f"'{joined}' must be one address; give each recipient an entry of their own"
    assert error.startswith(f"plan.yaml:24:12: {message}")


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x9FFF, categories=("P", "L", "S"))))
def test_f30_no_address_without_an_at_sign_is_taken(tmp_path: Path, text: str) -> None:
    written = "'" + text.replace("@", "").replace("'", "''") + "'"
    (error,) = errors(load(tmp_path, changed("chuyou@edu.example", written)))
    assert error.startswith("plan.yaml:24:12: ")


@pytest.mark.parametrize(
    ("change", "line", "id_", "first"),
    [
        (("id: special", "id: monthly"), 35, "monthly", 30),
        (("id: m02-01", "id: monthly"), 40, "monthly", 30),
        (("id: p01\n    title", "id: special\n    title"), 46, "special", 35),
    ],
)
def test_f31_duplicate_ids_are_refused(
    tmp_path: Path, change: Change, line: int, id_: str, first: int
) -> None:
    assert errors(load(tmp_path, changed(*change), OVERRIDES)) == [
        f"plan.yaml:{line}:9: the id '{id_}' is already used on line {first}"
    ]


@pytest.mark.parametrize("escape", ["\\r\\n", "\\n", "\\r", "\\0", "\\N", "\\L", "\\x0b"])
def test_f34_a_line_break_in_a_title_is_refused(tmp_path: Path, escape: str) -> None:
    text = changed("title: 工作专报", f'title: "专报{escape}Bcc: all@edu.example"')
    (error,) = errors(load(tmp_path, text))
    assert error.startswith("plan.yaml:36:12: '专报")
    assert error.endswith("must be one line, without line breaks or control characters")
    assert "\n" not in error
    assert "\r" not in error


def test_f34_a_text_of_several_lines_is_refused(tmp_path: Path) -> None:
    text = changed("title: 工作专报", "title: |\n      工作专报\n      Bcc: all@edu.example")
    (error,) = errors(load(tmp_path, text))
    assert error.startswith("plan.yaml:36:12: '工作专报·Bcc: all@edu.example·' must be one line")


def test_no_message_holds_more_than_a_little_of_a_value(tmp_path: Path) -> None:
    text = changed("title: 工作专报", 'title: "' + "密" * 5000 + '\\n"')
    (error,) = errors(load(tmp_path, text))
    assert len(error) < 200


OVERRIDE_MISTAKES: dict[str, tuple[Change, list[str]]] = {
    "an unknown item": (
        ("item: special", "item: specail"),
        ["2:11: unknown item 'specail' (did you mean 'special'?)"],
    ),
    "a period that the item does not have": (
        ("period: 2023-03", "period: 2023-04"),
        ["3:13: 'special' has no period '2023-04' (near it: 2023-03, 2023-09)"],
    ),
    "a period in another form": (
        ("item: special\n    period: 2023-03", "item: monthly\n    period: 2023-6"),
        ["3:13: 'monthly' has no period '2023-6' (near it: 2023-04, 2023-05, 2023-06, 2023-07)"],
    ),
    "a period after the plan": (
        ("period: 2023-03", "period: 2024-03"),
        ["3:13: 'special' has no period '2024-03' (near it: 2023-03, 2023-09)"],
    ),
    "an undated project": (
        ("item: special\n    period: 2023-03", "item: p01\n    period: 2023-03"),
        ["2:11: project 'p01' has no date of its own ('on'), so nothing is due"],
    ),
    "an unknown section": (
        ("section: 财务科", "section: 财务"),
        ["4:14: unknown section '财务' (did you mean '财务科'?)"],
    ),
    "a section that does not owe it": (
        ("section: 财务科", "section: 办公室"),
        ["4:14: section '办公室' does not owe special/2023-03 (财务科)"],
    ),
    "the office, which 'all' does not mean": (
        (
            "item: special\n    period: 2023-03\n    section: 财务科",
            "item: monthly\n    period: 2023-03\n    section: 办公室",
        ),
        ["4:14: section '办公室' does not owe monthly/2023-03 (初幼教科, 财务科)"],
    ),
    "an unknown heir": (
        ("deadline: 2023-03-28", "reassign: 初教室"),
        ["5:15: unknown section '初教室' (did you mean '初教科室'?)"],
    ),
    "an heir that is the section itself": (
        ("deadline: 2023-03-28", "reassign: 财务科"),
        ["5:15: '财务科' cannot take over from itself"],
    ),
    "an heir that owes it already": (
        (
            "item: special\n    period: 2023-03\n    section: 财务科\n    deadline: 2023-03-28",
            "item: monthly\n    period: 2023-03\n    section: 财务科\n    reassign: 初教科室",
        ),
        ["5:15: section '初幼教科' already owes monthly/2023-03"],
    ),
    "two decisions in one": (
        ("deadline: 2023-03-28", "deadline: 2023-03-28\n    exempt: true"),
        ["2:5: an override needs exactly one of 'deadline', 'exempt', 'reassign'"],
    ),
    "no decision": (
        ("    deadline: 2023-03-28\n", ""),
        ["2:5: an override needs exactly one of 'deadline', 'exempt', 'reassign'"],
    ),
    "no reason": (("    reason: 会议冲突\n", ""), ["2:5: missing key 'reason'"]),
    "neither true nor false": (
        ("deadline: 2023-03-28", "exempt: 是"),
        ["5:13: '是' is not true or false"],
    ),
    "an hour that no clock has": (
        ("deadline: 2023-03-28", "deadline: 2023-03-28 25:00"),
        ["5:15: '2023-03-28 25:00' is not a time like 2023-03-28 12:00"],
    ),
    "a misspelt head of the file": (
        ("overrides:\n", "override:\n"),
        ["1:1: unknown key 'override' (did you mean 'overrides'?)"],
    ),
}


@pytest.mark.parametrize("mistake", OVERRIDE_MISTAKES)
def test_an_override_that_does_not_hold_is_named_at_its_place(tmp_path: Path, mistake: str) -> None:
    change, expected = OVERRIDE_MISTAKES[mistake]
    text = changed(*change, OVERRIDES)
    assert errors(load(tmp_path, PLAN, text)) == [f"overrides.yaml:{e}" for e in expected]


def test_a_section_that_took_over_may_get_a_decision_of_its_own(tmp_path: Path) -> None:
    text = changed("deadline: 2023-03-28", "reassign: 初幼教科", OVERRIDES) + (
        "  - {item: special, period: 2023-03, section: 初教科室, deadline: 2023-03-30, "
        "reason: 交接}\n"
    )
    assert load(tmp_path, PLAN, text).problems == ()


def test_a_later_decision_about_the_same_obligation_is_a_warning(tmp_path: Path) -> None:
    text = OVERRIDES + "  - {item: special, period: 2023-03, exempt: true, reason: 取消}\n"
    loaded = load(tmp_path, PLAN, text)
    assert loaded.plan is not None
    assert others(loaded, "warning") == [
        "overrides.yaml:7:5: this replaces the decision on line 2 about the same obligation"
    ]


def test_a_decision_for_one_section_after_one_for_all_is_no_contradiction(tmp_path: Path) -> None:
    text = changed("    section: 财务科\n", "", OVERRIDES) + (
        "  - {item: special, period: 2023-03, section: 财务科, exempt: true, reason: 无此项}\n"
    )
    assert load(tmp_path, PLAN, text).problems == ()


def test_notes_to_confirm_stand_at_their_own_places(tmp_path: Path) -> None:
    text = changed("title: 工作专报", "title: 工作专报\n    source: L40\n    to_confirm: [甲, 乙]")
    text = changed("starts: 2023-02-01", "starts: 2023-02-01\n  to_confirm: 丙", text)
    assert others(load(tmp_path, text), "confirm") == [
        "plan.yaml:8:15: plan: 丙",
        "plan.yaml:39:18: special (L40): 甲",
        "plan.yaml:39:21: special (L40): 乙",
    ]


def test_what_duban_had_to_guess_is_to_be_confirmed(tmp_path: Path) -> None:
    text = changed("    leader: 陈军宣\n", "    source: L7\n")
    text = changed("    sections: [办公室]\n", "", text)
    text = changed("    role: 副组长\n", "", text)
    assert others(load(tmp_path, text), "confirm") == [
        "plan.yaml:13:5: 副局长: has no 'role', so is outside the leading group",
        "plan.yaml:20:5: 初幼教科 (L7): no leading official is named; "
        "'局长' is taken, the group's head",
        "plan.yaml:39:5: m02-01: no section is named; '办公室', the office, owes it",
    ]


def test_a_section_named_twice_is_a_warning(tmp_path: Path) -> None:
    loaded = load(tmp_path, changed("sections: [财务科]", "sections: [初幼教科, 初教科室]"))
    assert others(loaded, "warning") == ["plan.yaml:38:22: section '初教科室' is named twice here"]


def test_a_section_must_not_be_called_all(tmp_path: Path) -> None:
    text = changed("  - name: 初幼教科\n", "  - name: all\n")
    assert "plan.yaml:21:11: 'all' means every section; give this one another name" in errors(
        load(tmp_path, text)
    )


def test_a_ladder_needs_a_name(tmp_path: Path) -> None:
    text = changed(
        "officials:\n",
        "ladders:\n  ' ':\n    - {before: 1, light: blue, to: section}\nofficials:\n",
    )
    assert errors(load(tmp_path, text)) == ["plan.yaml:10:3: ' ' must not be blank"]


def test_a_decision_about_an_entry_with_a_mistake_is_not_reported_too(tmp_path: Path) -> None:
    text = changed("title: 工作专报", "titel: 工作专报")
    assert errors(load(tmp_path, text, OVERRIDES)) == [
        "plan.yaml:36:5: unknown key 'titel' (did you mean 'title'?)"
    ]


def test_a_decision_about_a_dated_project_holds(tmp_path: Path) -> None:
    plan = changed("title: 经费总量包干", "title: 经费总量包干\n    on: 2023-06-30")
    text = changed(
        "item: special\n    period: 2023-03", "item: p01\n    period: 2023-06", OVERRIDES
    )
    assert load(tmp_path, plan, text).problems == ()


def test_a_decision_about_a_milestone_that_names_no_section_is_the_offices(tmp_path: Path) -> None:
    plan = changed("    sections: [办公室]\n", "")
    text = changed(
        "item: special\n    period: 2023-03", "item: m02-01\n    period: 2023-02", OVERRIDES
    )
    assert errors(load(tmp_path, plan, text)) == [
        "overrides.yaml:4:14: section '财务科' does not owe m02-01/2023-02 (办公室)"
    ]


@pytest.mark.parametrize(
    "deadline", ["2023-03-28 12:00", "2023-03-28T9:30", "2023-03-28T12:00:00Z"]
)
def test_a_deadline_may_have_an_hour(tmp_path: Path, deadline: str) -> None:
    text = changed("deadline: 2023-03-28", f"deadline: {deadline}", OVERRIDES)
    assert load(tmp_path, PLAN, text).problems == ()


@pytest.mark.parametrize(
    ("due", "period"),
    [
        ("{monthly: last}", "2023-06"),
        ("{yearly: 06-25}", "2023"),
        ("{yearly: [03-01, 03-15]}", "2023-03-15"),
        ("{yearly: [02-29, 09-01]}", "2023-02"),
    ],
)
def test_a_period_is_named_by_how_often_a_rule_falls_due(
    tmp_path: Path, due: str, period: str
) -> None:
    plan = changed("{yearly: [03-25, 09-25]}", due)
    text = changed("period: 2023-03", f"period: {period}", OVERRIDES)
    assert load(tmp_path, plan, text).problems == ()
