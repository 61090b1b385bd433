"""The fingerprint of a plan's folder changes with its files, and only with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from config.watcher import fingerprint
from tests.support.small_plan import OVERRIDES, PLAN, save


def _rewrite(folder: Path) -> None:
    (folder / "plan.yaml").write_text(PLAN + "# 1\n", "utf-8")


def _replace(folder: Path) -> None:
    (folder / "new").write_bytes((folder / "plan.yaml").read_bytes())
    same = (folder / "plan.yaml").stat().st_mtime_ns
    os.utime(folder / "new", ns=(same, same))
    (folder / "new").replace(folder / "plan.yaml")


def _decide(folder: Path) -> None:
    (folder / "overrides.yaml").write_text(OVERRIDES, "utf-8")


def _announce(folder: Path) -> None:
    (folder / "holidays").mkdir()
    (folder / "holidays" / "2024.txt").touch()


def _remove(folder: Path) -> None:
    (folder / "plan.yaml").unlink()


@pytest.mark.parametrize("change", [_rewrite, _replace, _decide, _announce, _remove])
def test_a_change_of_the_files_changes_the_fingerprint(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    before = fingerprint(save(tmp_path))
    change(tmp_path)
    assert fingerprint(tmp_path) != before


def test_other_files_do_not_matter(tmp_path: Path) -> None:
    before = fingerprint(save(tmp_path))
    (tmp_path / ".overrides.lock").touch()
    assert fingerprint(tmp_path) == before


def test_a_folder_that_is_gone_has_a_fingerprint_too(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "none") == "plan.yaml -\noverrides.yaml -"
