"""What every test stands on: a clean environment, Hypothesis profiles, the system's programs."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = bool(os.environ.get("CI"))

# Tests make many small objects and few cycles: a tenth of their time went into looking for garbage.
gc.set_threshold(100_000)

# A loaded machine is slow, and that is no finding: no deadlines. In CI the examples are always the
# same, so that a failure comes from the change; a developer's machine looks for new ones.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if IN_CI else "dev"))

for _name in list(os.environ):
    if _name.startswith("DUBAN_") or _name in {"NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY"}:
        del os.environ[_name]


@pytest.fixture(scope="session")
def program() -> Callable[[str], Path]:
    """Find a program of the system by name; without it the test is skipped, but in CI it fails.

    What CI must have is listed in `.ci/run`.
    """

    def find(name: str) -> Path:
        found = shutil.which(name)
        if found:
            return Path(found)
        message = f"the program '{name}' is not installed"
        if IN_CI:
            pytest.fail(f"{message}; add its package to .ci/run")
        pytest.skip(message)

    return find
