"""`duban init`: a first plan that is valid as it stands."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from scheduler.cli.folders import json_option
from scheduler.cli.output import Refused, document, line
from scheduler.cli.root import Command
from scheduler.cli.texts import say

_TEMPLATES: Final = ("plan.yaml", "overrides.yaml", "holidays/README.md")
_SCHEMAS: Final = ("plan.schema.json", "overrides.schema.json")


@click.command("init", cls=Command, help=say("init"), short_help=say("init.short"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def init_command(folder: Path, as_json: bool) -> None:
    """See the catalogue."""
    from scheduler.clock import SystemClock

    year = SystemClock().now().year
    try:
        written = _write(folder, year)
    except OSError as error:
        raise Refused(f"{folder}: {error.strerror}") from error
    if as_json:
        document({"folder": str(folder), "files": written})
        return
    shown = f"{folder}"
    line(say("init.done", folder=shown, first=f"{year}-01-01", last=f"{year}-12-31"))


def _write(folder: Path, year: int) -> list[str]:
    """Write all files into a new or empty folder; gives their names."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(say("init.occupied", folder=folder))
    skeleton, schemas = files("scheduler.skeleton"), files("config")
    texts = {n: _filled(skeleton.joinpath(n).read_text("utf-8"), year) for n in _TEMPLATES}
    texts |= {n: schemas.joinpath(n).read_text("utf-8") for n in _SCHEMAS}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return list(texts)


def _filled(text: str, year: int) -> str:
    return text.replace("{year}", str(year))
