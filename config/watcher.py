"""Whether a plan's files have changed, cheaply: the daemon asks every minute."""

from __future__ import annotations

from pathlib import Path

from config.loader import OVERRIDES, PLAN, holiday_files


def fingerprint(folder: Path) -> str:
    """A text that changes when a file of the plan is written, replaced, added or removed.

    Only the file system's records are read: name, size, time of change and inode.
    """
    return "\n".join(_of(folder, name) for name in (PLAN, OVERRIDES, *holiday_files(folder)))


def _of(folder: Path, name: str) -> str:
    try:
        status = (folder / name).stat()
    except (OSError, ValueError):
        return f"{name} -"
    return f"{name} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
