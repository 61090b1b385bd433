"""Where a command finds its plan, its settings and its ledger, with an answer where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from scheduler.cli.output import Refused, Wrong, near, note
from scheduler.cli.texts import say, told

if TYPE_CHECKING:
    from config.plan import Plan
    from config.settings import Settings
    from duban.bureau import Bureau
    from ledger.engine import Ledger
    from mailroom.render import Speaker

_Function = TypeVar("_Function", bound=Callable[..., Any])


class NoLedgerYet(Refused):
    """There is no ledger, and nothing beside its place says that there ever was one."""


class PlanFolder(click.ParamType[Path]):
    """A folder with a `plan.yaml`; the file itself is taken for its folder."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The folder, or a usage error that says what is there instead."""
        folder = Path(value)
        if folder.name == "plan.yaml" and folder.is_file():
            folder = folder.parent
        if not folder.is_dir():
            beside = _plans_in(folder.parent)
            self.fail(say("no.folder", folder=value) + near(folder.name, beside), param, ctx)
        if not (folder / "plan.yaml").is_file():
            self.fail(say("no.plan", folder=value), param, ctx)
        return folder

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The shell's own completion of folders."""
        return [CompletionItem(incomplete, type="dir")]


def _plans_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(p.parent.name for p in folder.glob("*/plan.yaml"))


plan_argument = click.argument("folder", metavar="PLAN", type=PlanFolder())
plan_option = click.option(
    "--plan", "folder", metavar="FOLDER", type=PlanFolder(), help=say("opt.plan")
)
json_option = click.option("--json", "as_json", is_flag=True, help=say("opt.json"))


def by_option(function: _Function) -> _Function:
    """`--by`, the login name where it is left out."""
    return click.option("--by", metavar="NAME", default=login_name, help=say("opt.by"))(function)


def login_name() -> str:
    """Who is at the keyboard, as far as the system knows."""
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError, ImportError):
        return "?"


def here(folder: Path | None) -> Path:
    """The plan's folder: the one given, the present one, or the only one right below it."""
    if folder is not None:
        return folder
    if Path("plan.yaml").is_file():
        return Path()
    found = sorted(p.parent for p in Path().glob("*/plan.yaml"))
    if len(found) == 1:
        return found[0]
    raise Wrong(say("which.plan", found="、".join(map(str, found)) or "–"))


def load(folder: Path) -> Plan:
    """The plan in a folder; its errors go to standard error, and the command is refused."""
    from config.loader import load_plan

    loaded = load_plan(folder)
    if loaded.plan is not None:
        return loaded.plan
    for problem in loaded.errors:
        note(str(problem))
    raise Refused(say("bad.plan", folder=folder, count=len(loaded.errors)))


def bureau_in(folder: Path | None) -> Bureau:
    """The plan of `here(folder)`, at work."""
    from duban.bureau import Bureau

    return Bureau(load(here(folder)))


def settings() -> Settings:
    """The settings; what is wrong with them is a usage error."""
    from config.settings import SettingsError, load_settings

    try:
        return load_settings()
    except SettingsError as error:
        raise Wrong(str(error)) from error


def speaker_by(templates: Path | None) -> Speaker:
    """What words letters by the office's templates; their mistakes go to standard error."""
    from mailroom.render import Speaker, TemplatesError

    try:
        return Speaker(templates)
    except TemplatesError as error:
        for problem in error.problems:
            note(str(problem))
        raise Refused(say("bad.templates", count=len(error.problems))) from error


@contextmanager
def ledger_at(url: str, *, must_exist: bool = True) -> Iterator[Ledger]:
    """The ledger of an address, at the present schema; its troubles become plain refusals."""
    from ledger.engine import Ledger, LedgerError
    from ledger.highwater import check_there

    try:
        ledger = Ledger(url, must_exist=must_exist)
        check_there(ledger.path)
        if must_exist and ledger.path is not None and not ledger.path.exists():
            raise NoLedgerYet(say("no.ledger", ledger=ledger.path))
        try:
            ledger.prepare()
            yield ledger
        finally:
            ledger.close()
    except LedgerError as error:
        raise Refused(told(error)) from error


@contextmanager
def own_ledger() -> Iterator[Ledger]:
    """The ledger that the settings name."""
    with ledger_at(settings().database) as ledger:
        yield ledger


def section_named(plan: Plan, name: str) -> str:
    """The short name of a section given by any of its names."""
    try:
        return plan.section(name).name
    except KeyError:
        known = [s.name for s in plan.file.sections]
        raise Wrong(say("unknown.section", name=name) + near(name, known)) from None
