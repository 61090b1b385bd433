"""The documents keep their word: what they name exists, and what they show is what happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from config.loader import load_plan
from config.model import OverridesFile, PlanFile
from config.plan import Plan
from scheduler.cli.root import COMMANDS, duban
from scheduler.script import Action
from tests.support.commands import QUANZHOU, call

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = (*READMES, "CHANGELOG.md", "CONTRIBUTING.md", "docs/architecture.md")

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`+([^`\n]+)`+")
COMMAND = re.compile(r"(?:^ {4}(?:\$ )?|`)duban ([a-z][a-z-]*)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
TARGET = re.compile(r"(?:^ {4}|`)make ([a-z]+)", re.MULTILINE)

# The slips that the READMEs show, with `duban check`'s words for them.
SLIPS = (
    ("id: monthly\n    title", "id: monthly\n    titel"),
    ("{monthly: last}", "{monthly: 32}"),
    ("time: 12:00", "time: 12点"),
    ("id: m06-01", "id: m04-01"),
    ("on: 2026-06-15", "on: 2026-06-31"),
    ("email: hehu@", "email：hehu@"),
)
STAND_IN = re.compile(r"^ +stand_in: .*\n", re.MULTILINE)


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(text_of(name)) if kind == language]


def plan_text(name: str) -> str:
    return next(b for b in blocks(name, "yaml") if b.startswith("plan:"))


def overrides_text(name: str) -> str:
    return next(b for b in blocks(name, "yaml") if b.startswith("overrides:"))


def written(folder: Path, plan: str, overrides: str = "") -> Path:
    (folder / "plan.yaml").write_text(plan, encoding="utf-8")
    (folder / "overrides.yaml").write_text(overrides, encoding="utf-8")
    return folder


def loaded(folder: Path, plan: str, overrides: str = "") -> Plan:
    found = load_plan(written(folder, plan, overrides))
    assert found.errors == ()
    assert found.plan is not None
    return found.plan


def slug(heading: str) -> str:
    """The anchor that a heading gets on the usual code hosts."""
    plain = heading.replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file_or_a_heading(name: str) -> None:
    for link in LINK.findall(text_of(name)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            headings = HEADING.findall(target.read_text(encoding="utf-8"))
            assert anchor in map(slug, headings), link


def files_named(name: str) -> Iterator[str]:
    rooms = ("config", "docs", "duban", "jobs", "ledger", "mailroom", "scheduler", "templates")
    for span in SPAN.findall(text_of(name)):
        if re.fullmatch(rf"(?:{'|'.join(rooms)}|deploy|tests)/[\w./-]+", span):
            yield span


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_is_named_exists(name: str) -> None:
    assert [f for f in files_named(name) if not (ROOT / f).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_names_no_path_of_a_machine_and_no_real_address(name: str) -> None:
    text = text_of(name)
    assert re.findall(r"/(?:home|root|tmp|work|Users)/\S*", text) == []
    hosts = re.findall(r"[\w.-]+@([A-Za-z][\w-]*(?:\.[\w-]+)+)", text)
    assert [host for host in hosts if not host.endswith(".example")] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_that_is_named_exists(name: str) -> None:
    assert set(COMMAND.findall(text_of(name))) <= set(COMMANDS)


@pytest.mark.parametrize("name", READMES)
def test_a_readme_names_every_command(name: str) -> None:
    spans = " ".join(SPAN.findall(text_of(name)))
    assert [c for c in COMMANDS if not re.search(rf"(?<![\w-]){c}(?![\w-])", spans)] == []


def options() -> set[str]:
    context = click.Context(duban)
    found = {"--help", "--version"}
    waiting = [c for c in (duban.get_command(context, n) for n in COMMANDS) if c]
    while waiting:
        command = waiting.pop()
        found |= {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        if isinstance(command, click.Group):
            waiting += command.commands.values()
    return found


@pytest.mark.parametrize("name", READMES)
def test_every_option_that_is_named_exists(name: str) -> None:
    pips = {"--require-hashes", "--no-deps"}
    assert set(OPTION.findall(text_of(name))) <= options() | pips


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_chore_that_is_named_is_in_the_makefile(name: str) -> None:
    targets = set(re.findall(r"^([a-z ]+):", text_of("Makefile"), re.MULTILINE))
    chores = {chore for line in targets for chore in line.split()}
    assert set(TARGET.findall(text_of(name))) <= chores


def keys_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    seen.add(model)
    for name, found in model.model_fields.items():
        yield found.alias or name
        for inner in models_in(found.annotation):
            if inner not in seen:
                yield from keys_of(inner, seen)


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from models_in(argument)


@pytest.mark.parametrize("name", READMES)
@pytest.mark.parametrize("model", [PlanFile, OverridesFile, Action], ids=lambda m: m.__name__)
def test_a_readme_explains_every_key_of_a_file(name: str, model: type[BaseModel]) -> None:
    spans = " ".join(SPAN.findall(FENCE.sub("", text_of(name))))
    missing = [k for k in keys_of(model, set()) if not re.search(rf"(?<!\w){k}(?!\w)", spans)]
    assert missing == []


@pytest.mark.parametrize("name", READMES)
def test_the_example_plan_and_its_overrides_load(tmp_path: Path, name: str) -> None:
    plan = loaded(tmp_path, plan_text(name), overrides_text(name))
    assert len(plan.overrides) == 3


def test_both_readmes_show_the_same_plan(tmp_path: Path) -> None:
    english, chinese = (loaded(tmp_path, plan_text(name)) for name in READMES)
    assert english.file == chinese.file


@pytest.mark.parametrize("name", READMES)
def test_the_example_has_every_key_but_those_of_the_hours(name: str) -> None:
    bare = {
        key for key in keys_of(PlanFile, set()) if not re.search(rf"(?<!\w){key}:", plan_text(name))
    }
    assert bare == {
        "ends", "timezone", "office_hours", "reminder_time", "digest_time", "min_notice",
        "chase_from",
    }  # fmt: skip


@pytest.mark.parametrize("name", READMES)
def test_the_mistakes_shown_are_what_check_says_of_them(tmp_path: Path, name: str) -> None:
    plan = plan_text(name)
    for good, bad in SLIPS:
        assert plan.count(good) == 1, good
        plan = plan.replace(good, bad)
    problems = load_plan(written(tmp_path, STAND_IN.sub("", plan))).errors
    assert problems
    assert [str(p) for p in problems if f"    {p}\n" not in text_of(name)] == []


@pytest.mark.parametrize("name", READMES)
def test_the_script_shown_runs_without_a_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    written(tmp_path, plan_text(name))
    script = tmp_path / "year.jsonl"
    script.write_text(blocks(name, "json")[0], encoding="utf-8")
    span = ("--from", "2026-01-01", "--to", "2026-07-31")
    answer = call(capsys, "simulate", tmp_path, *span, "--script", script, "--json")
    assert answer.code == 0
    assert answer.json["refusals"] == []


def shown(name: str, first: str) -> list[str]:
    """The lines of the indented block whose first line begins with `first`, without gaps."""
    text = text_of(name)
    block = re.split(r"\n(?=\S)", text[text.index(f"\n    {first}") + 1 :])[0]
    return [line[4:] for line in block.splitlines() if line.strip() not in ("", "…")]


LOCALES = {"README.md": "C.UTF-8", "README.zh-CN.md": "zh_CN.UTF-8"}


@pytest.mark.parametrize(
    ("name", "first"), [("README.md", "deadline"), ("README.zh-CN.md", "时限")]
)
def test_the_agenda_shown_is_the_one_printed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    first: str,
) -> None:
    monkeypatch.setenv("LC_ALL", LOCALES[name])
    written(tmp_path, plan_text(name))
    answer = call(capsys, "agenda", tmp_path, "--from", "2026-04-01", "--to", "2026-06-30")
    assert shown(name, first) == [line.rstrip() for line in answer.out.splitlines() if line]


def test_the_summary_shown_is_the_one_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    written(tmp_path, plan_text("README.md"))
    script = tmp_path / "year.jsonl"
    script.write_text(blocks("README.md", "json")[0], encoding="utf-8")
    span = ("--from", "2026-01-01", "--to", "2026-07-31")
    answer = call(capsys, "simulate", tmp_path, *span, "--script", script)
    command, *summary, written_to = shown("README.md", "$ duban simulate")
    assert " ".join(span) in command
    assert written_to.startswith("written to")
    assert summary == answer.out.splitlines()


def test_the_explanation_shown_is_the_one_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    span = ("--from", "2023-02-01", "--to", "2023-04-10")
    call(capsys, "simulate", QUANZHOU, *span, "--out", tmp_path / "sim")
    ledger = tmp_path / "sim" / "ledger.sqlite"
    key = "monthly/2023-03/财务科"
    answer = call(capsys, "explain", key, "--plan", QUANZHOU, "--ledger", ledger)
    for name in READMES:
        assert [ln for ln in shown(name, key) if ln not in answer.out.splitlines()] == []
