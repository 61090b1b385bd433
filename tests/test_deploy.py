"""The unit under which duban runs: what systemd says of it, and that it fits the settings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import Settings
from config.settingsmodel import SECRETS

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "deploy/duban.service"
SECONDS = {"": 1, "s": 1, "min": 60}


def lines(*, comments: bool = False) -> list[tuple[str, str]]:
    """The unit's settings in their order; with `comments` those that are not in force, too."""
    begins = r"^#?" if comments else "^"
    return re.findall(begins + r"(\w+)=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


def seconds(name: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([a-z]*)", dict(lines())[name]).groups()  # type: ignore[union-attr]
    return int(number) * SECONDS[unit]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that this machine has."""
    text = UNIT.read_text(encoding="utf-8").replace("/opt/duban/bin/duban", "/bin/true")
    made = tmp_path / "duban.service"
    made.write_text(text, encoding="utf-8")
    return made


def test_systemd_finds_no_fault_in_the_unit(program: Callable[[str], Path], unit: Path) -> None:
    done = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "duban.service" in line] == []


def test_systemd_calls_the_service_well_protected(
    program: Callable[[str], Path], unit: Path
) -> None:
    # 0.0 is out of reach: a daemon that sends mail needs the network. 10.0 is an open door.
    done = subprocess.run(
        [program("systemd-analyze"), "security", "--offline=true", "--threshold=15", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_credential_is_a_secret_that_the_settings_look_for() -> None:
    named = [
        value.split(":")[0] for name, value in lines(comments=True) if name == "LoadCredential"
    ]
    assert "duban_smtp_password" in named
    assert {name.removeprefix("duban_") for name in named} <= set(SECRETS)


def test_the_watchdog_waits_for_several_ticks_and_for_a_busy_ledger() -> None:
    defaults = Settings()
    assert seconds("WatchdogSec") >= 3 * defaults.tick_seconds
    assert dict(lines())["Type"] == "notify"


def test_the_end_may_take_as_long_as_a_letter_in_flight() -> None:
    assert seconds("TimeoutStopSec") > Settings().smtp_timeout_seconds + 10


def test_mistakes_in_the_settings_do_not_make_it_start_again_and_again() -> None:
    settings = dict(lines())
    assert settings["Restart"] == "always"
    assert settings["RestartPreventExitStatus"] == "2"


def test_the_pages_may_write_into_the_plan_that_the_daemon_runs_and_nowhere_else() -> None:
    settings = dict(lines())
    assert settings["ProtectSystem"] == "strict"
    assert settings["ReadWritePaths"].removeprefix("-") == settings["ExecStart"].split()[-1]
