"""Rendering: what a mistaken or hostile template, or a hostile title, can and cannot do."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

import templates
from duban.facts import LetterFacts, LetterKind
from mailroom.own import escaped
from mailroom.render import Speaker, one_line
from mailroom.samples import samples
from tests.mailroom.letters import item, late, letter, office, problems

SPEAKER = Speaker()
LETTERS = Path(templates.__file__).parent / "letters"
VOID = {"meta", "br", "img", "hr", "input", "link"}


def test_every_sample_is_worded_by_the_templates_and_not_by_the_fallback() -> None:
    assert [SPEAKER.render(facts).fallback for facts in samples()] == [None] * len(samples())


def test_our_templates_say_the_same_under_the_guard_of_an_offices_folder(tmp_path: Path) -> None:
    guarded = Speaker(office(tmp_path, letter_css=(LETTERS / "letter.css").read_text("utf-8")))
    assert [guarded.render(f) for f in samples()] == [SPEAKER.render(f) for f in samples()]


def test_there_are_samples_of_every_kind() -> None:
    assert {facts.kind for facts in samples()} == set(LetterKind)


def test_an_offices_own_template_goes_before_ours(tmp_path: Path) -> None:
    speaker = Speaker(office(tmp_path, reminder_subject="{{ items[0] | name(now) }}请报"))
    rendered = speaker.render(letter(LetterKind.REMINDER, item()))
    assert rendered.subject == "3月专报请报"
    assert rendered.html == SPEAKER.render(letter(LetterKind.REMINDER, item())).html.replace(
        "【黄】3月专报 3月24日（周五）截止，还剩2个工作日", "3月专报请报"
    ).replace(_quoted("【黄】3月专报 3月24日（周五）截止，还剩2个工作日"), _quoted("3月专报请报"))


def _quoted(text: str) -> str:
    return "".join(f"%{b:02X}" if b > 127 or b == 32 else chr(b) for b in text.encode())


def test_f32_a_syntax_error_is_found_at_load_with_its_line(tmp_path: Path) -> None:
    [problem] = problems(office(tmp_path, reminder_txt="一行\n{% iff x %}\n二行"))
    assert problem.file.endswith("letters/reminder.txt")
    assert problem.line == 2


def test_f32_an_undefined_name_is_found_at_load_with_its_line(tmp_path: Path) -> None:
    [problem] = problems(office(tmp_path, digest_txt="一行\n二行\n{{ itemss }}"))
    assert problem.file.endswith("letters/digest.txt")
    assert problem.line == 3
    assert "itemss" in problem.message


def test_f32_an_undefined_name_in_a_rare_branch_is_found_too(tmp_path: Path) -> None:
    source = "{% if items[0].provisional %}{{ oops }}{% endif %}x"
    assert "oops" in problems(office(tmp_path, reminder_txt=source))[0].message


def test_f32_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        office(tmp_path, receipt_txt="{% if %}", change_txt="{{ }}", notice_html="{% x %}")
    )
    assert {Path(p.file).name for p in found} == {"receipt.txt", "change.txt", "notice.html"}


def test_f32_a_template_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    folder = office(tmp_path)
    (folder / "letters/reminder.txt").write_bytes("提醒".encode("gb18030"))
    assert "UTF-8" in problems(folder)[0].message


def test_f32_a_template_that_is_too_large_is_named(tmp_path: Path) -> None:
    folder = office(tmp_path, reminder_txt="x" * 100_001)
    assert "100 kB" in problems(folder)[0].message


def test_f32_an_empty_subject_is_a_mistake(tmp_path: Path) -> None:
    assert "subject" in problems(office(tmp_path, reminder_subject=" \n"))[0].message


@pytest.mark.parametrize(
    "broken", ["{{ items[7].title }}", "{{ 1 // (items | length - 1) }}", "{{ now + 1 }}"]
)
def test_f32_a_failure_on_real_facts_gives_the_built_in_plain_letter(
    tmp_path: Path, broken: str
) -> None:
    source = "{% if plan_title == '真' %}" + broken + "{% endif %}x"
    speaker = Speaker(office(tmp_path, reminder_txt=source))
    rendered = speaker.render(letter(LetterKind.REMINDER, late(), plan_title="真"))
    assert rendered.fallback is not None
    assert "reminder.txt:1" in rendered.fallback
    assert "6月月报：时限6月25日（周日）17:30，逾期1个工作日" in rendered.text
    assert "bangongshi@qzedu.example" in rendered.html


@given(st.sampled_from(samples()))
def test_f32_the_built_in_letter_can_say_every_kind(facts: LetterFacts) -> None:
    speaker = Speaker()
    speaker._templates.clear()
    rendered = speaker.render(facts)
    assert rendered.fallback
    assert rendered.subject
    assert facts.office_email in rendered.text
    assert all(i.label in rendered.text for i in facts.items)


@given(st.text(min_size=1, max_size=40), st.sampled_from(list(LetterKind)[:5]))
def test_f35_markup_in_any_title_is_shown_and_not_obeyed(text: str, kind: LetterKind) -> None:
    hostile = f"<script>{text}</script>\"'><img src=x onerror=y>&amp;"
    facts = letter(
        kind,
        item(section=hostile, label=hostile, title=hostile, head=hostile, reason=hostile),
        recipient=hostile,
        plan_title=hostile,
        projects=(hostile,),
    )
    rendered = SPEAKER.render(facts)
    assert rendered.fallback is None
    assert "<script" not in rendered.html
    assert "<img" not in rendered.html
    assert set(_tags(rendered.html)) <= {
        *("html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "p", "ul"),
        *("li", "br", "span", "strong", "a"),
    }


def _tags(html: str) -> list[str]:
    found: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not any(name.startswith("on") for name, _ in attrs)
            found.append(tag)

    Parser().feed(html)
    return found


HOSTILE = {
    "endless": "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}x"
    "{% endfor %}{% endfor %}{% endfor %}",
    "range": "{% for a in range(99999999999) %}x{% endfor %}",
    "recursion": "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "doubling calls": "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}"
    "{% endmacro %}{{ f(60) }}",
    "doubling text": "{% set n = namespace(x='xxxxxxxx') %}{% for i in range(60) %}"
    "{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "doubling block": "{% set n = namespace(x='xxxxxxxx') %}{% for i in range(60) %}"
    "{% set y %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = y %}{% endfor %}",
    "product": "{{ 'x' * 99999999999 }}",
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "padding": "{{ 'x'.ljust(99999999999) }}",
    "format": "{{ '%99999999999d' % 1 }}",
    "format method": "{{ '{:99999999999}'.format(1) }}",
    "center": "{{ 'x' | center(99999999999) }}",
    "include": "{% include 'letters/reminder.txt' %}",
    "includes": "{% include 'letters/reminder.txt' %}{% include 'letters/reminder.txt' %}",
    "class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ items.__class__.__init__.__globals__ }}",
    "attribute filter": "{{ items | map(attribute='__class__') | join }}",
    "private": "{{ self._TemplateReference__context }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "outside": "{% include '../../../../etc/passwd' %}",
    "change": "{% do items.append(1) %}",
    "unescaped": "{{ items[0].title | safe }}",
    "date format": "{{ now.strftime('%99999999d') }}",
    "module": "{{ now.__module__ }}",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_f36_a_template_can_neither_hang_nor_grow_nor_look_around(
    tmp_path: Path, source: str
) -> None:
    assert problems(office(tmp_path, reminder_txt=source))


def test_f36_a_link_out_of_the_offices_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("geheim")
    folder = tmp_path / "own"
    folder.mkdir()
    office(folder)
    (folder / "letters/reminder.txt").symlink_to(tmp_path / "secret")
    assert "geheim" not in Speaker(folder).render(letter(LetterKind.REMINDER, item())).text


def test_f36_the_budget_is_new_for_every_letter() -> None:
    facts = letter(LetterKind.REMINDER, *(late(month=m) for m in range(1, 13)))
    assert [SPEAKER.render(facts).fallback for _ in range(100)] == [None] * 100


def test_a_class_and_a_style_on_one_tag_are_refused(tmp_path: Path) -> None:
    source = '<p>\n<p class="p" style="color:red">x</p>'
    [problem] = problems(office(tmp_path, notice_html=source))
    assert (problem.line, "not both" in problem.message) == (2, True)


def test_an_offices_own_style_sheet_is_inlined(tmp_path: Path) -> None:
    speaker = Speaker(office(tmp_path, letter_css=".p { color: #123456 }"))
    html = speaker.render(letter(LetterKind.REMINDER, item())).html
    assert '<p class="p" style="color: #123456;">' in html


@pytest.mark.parametrize("facts", samples(), ids=range(len(samples())))
def test_the_html_is_whole_and_fetches_nothing(facts: LetterFacts) -> None:
    html = SPEAKER.render(facts).html
    opened: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            names = [name for name, _ in attrs]
            assert len(names) == len(set(names))
            assert not {"src", "background", "srcset"} & set(names)
            href = dict(attrs).get("href")
            assert href in (None, facts.link) or href.startswith("mailto:")
            if tag not in VOID:
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Parser().feed(html)
    assert opened == []
    assert "url(" not in html
    assert "http" not in html.replace(facts.link or "https://none", "")
    assert html.startswith('<!DOCTYPE html>\n<html lang="zh-CN">')


@pytest.mark.parametrize("facts", samples(), ids=range(len(samples())))
def test_plain_text_is_complete_and_tidy(facts: LetterFacts) -> None:
    text = SPEAKER.render(facts).text
    assert "\n\n\n" not in text
    assert "&" not in text
    assert "{" not in text
    assert text.endswith("自动发送。\n") or "自动" in text[-80:]
    for one in facts.items[:3]:
        assert one.label in text


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _colours(css: str, name: str) -> tuple[str | None, str | None]:
    """The text and background colour that the rules for a class set, the last one winning."""
    text = ground = None
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        if f".{name}" not in {s.strip() for s in selectors.split(",")}:
            continue
        for prop, value in re.findall(r"([a-z-]+):\s*(#[0-9a-f]{6})", body):
            text = value if prop == "color" else text
            ground = value if prop == "background-color" else ground
    return text, ground


ON_SHEET = ("main", "foot", "h2", "note", "old", "k", "v", "list", "link", "late", "soon")
ON_BLOCK = ("cell", "late", "soon", "note", "count", "number", "number-red", "mono")
OWN = ("band-red", "band-yellow", "band-blue", "band-green", "band-grey", "button")


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "under"),
    [*((n, "sheet") for n in ON_SHEET), *((n, "block") for n in ON_BLOCK), *((n, n) for n in OWN)],
)
def test_every_text_contrasts_with_its_ground_by_4_5(mode: str, name: str, under: str) -> None:
    css = re.sub(r"/\*.*?\*/", "", (LETTERS / "letter.css").read_text(), flags=re.DOTALL)
    if mode == "dark":
        base = (LETTERS / "base.html").read_text()
        css += base[base.index("dark) {") + len("dark) {") : base.index("</style>")]
    text, ground = _colours(css, name)[0], _colours(css, under)[1]
    assert text
    assert ground
    assert _contrast(text, ground) >= 4.5


@pytest.mark.parametrize(
    ("said", "line"),
    [("a\r\nBcc: x", "a Bcc: x"), ("  a \x00\u2028 b\n", "a b"), ("x" * 500, "x" * 119 + "…")],
)
def test_a_subject_is_one_line_of_bounded_length(said: str, line: str) -> None:
    assert one_line(said) == line


@given(st.one_of(st.text(alphabet="督a<>&'\" ;"), st.integers(), st.none(), st.floats()))
def test_a_value_is_escaped_as_markupsafe_would(value: object) -> None:
    assert str(escaped(value)) == str(escape(value))


def test_what_is_markup_already_is_not_escaped_again() -> None:
    assert escaped(Markup("<b>&amp;</b>")) == "<b>&amp;</b>"
