"""The keys that sign links: the setting's, or one of our own, made once beside the ledger."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import Final

from config.settingsmodel import Settings, SettingsError

SHORTEST_CHARACTERS: Final = 32


def link_keys(settings: Settings) -> tuple[str, ...]:
    """The keys from the oldest to the newest; the newest signs, each is believed.

    Raises SettingsError for a key that could be guessed, or a file that others may read.
    """
    given = settings.link_keys
    if given is not None:
        return _keys(given.get_secret_value(), "link_keys")
    path = settings.own_link_keys
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError([f"{path}: others may read the keys of links; give it mode 0600"])
        return _keys(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError([f"{path}: the keys of links cannot be read ({reason})"]) from error


def _keys(text: str, named: str) -> tuple[str, ...]:
    keys = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not keys or any(len(key) < SHORTEST_CHARACTERS for key in keys):
        raise SettingsError(
            [f"{named}: give one key a line, the newest last, of {SHORTEST_CHARACTERS} characters"]
        )
    return keys


def _make(path: Path) -> None:
    """Write a new key; of two processes that do so at once, the first one's counts."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{secrets.token_urlsafe(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink(missing_ok=True)
