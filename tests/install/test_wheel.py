"""What a user gets: the wheel holds all of the house, and works far from its source tree."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
ROOMS = ("board", "config", "duban", "jobs", "ledger", "mailroom", "scheduler", "templates")

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_the_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    house = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert shipped == house


def test_the_wheel_holds_the_migrations_and_the_plan(wheel: Path) -> None:
    shipped = ZipFile(wheel).namelist()
    assert "ledger/migrations/env.py" in shipped
    assert any(name.startswith("ledger/migrations/versions/0001") for name in shipped)
    assert "config/quanzhou-2023/plan.yaml" in shipped


def test_the_wheel_must_not_be_uploaded_and_carries_its_licence(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(n for n in names if n.endswith("/METADATA"))).decode()
    assert "Classifier: Private :: Do Not Upload" in metadata
    assert "License-Expression: Apache-2.0" in metadata
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_its_dependencies_agree(run: Command) -> None:
    done = run("python", "-m", "pip", "check")
    assert done.returncode == 0, done.stdout


def test_it_tells_its_version(run: Command) -> None:
    done = run("duban", "--version")
    assert done.returncode == 0, done.stderr
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert version["project"]["version"] in done.stdout


def shipped_plan(run: Command) -> str:
    code = "import config, pathlib; print(pathlib.Path(config.__file__).parent / 'quanzhou-2023')"
    return run("python", "-c", code).stdout.strip()


def test_the_plan_comes_from_the_installed_copy(run: Command, environment: Path) -> None:
    assert Path(shipped_plan(run)).is_relative_to(environment.parent)


def test_the_shipped_plan_is_without_fault(run: Command) -> None:
    done = run("duban", "check", shipped_plan(run))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_demo_is_there(run: Command) -> None:
    done = run("duban", "demo", "--help")
    assert done.returncode == 0, done.stderr


def test_a_mistyped_setting_is_a_usage_error(run: Command) -> None:
    done = run(
        "python",
        "-c",
        "import os; os.environ['DUBAN_SMPT_HOST'] = 'x'\n"
        "from config.settings import load_settings; load_settings()",
    )
    assert "did you mean 'DUBAN_SMTP_HOST'?" in done.stderr
