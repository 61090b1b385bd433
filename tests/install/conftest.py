"""The built wheel, installed as a user would: from the lock, into an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel that `make installed` built."""
    named = os.environ.get("TEST_WHEEL")
    if not named:
        pytest.skip("`make installed` builds the wheel and runs these tests")
    return Path(named)


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment that holds the locked dependencies and the wheel only."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--no-input"]
    lock = ["--require-hashes", "--only-binary=:all:", "--requirement", "requirements.lock"]
    subprocess.run([*install, *lock], check=True, cwd=ROOT)
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True)
    return folder / "bin"


@pytest.fixture
def run(environment: Path, tmp_path: Path) -> Command:
    """Run a command of that environment, far from the source tree; its output is text."""

    def command(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [environment / name, *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONSAFEPATH": "1", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return command
