"""The address that the pages are served on, as it stands in the settings."""

from __future__ import annotations

import re
from typing import Final

_FORM: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+)):(\d{1,5})", re.ASCII)
_LAST_PORT: Final = 65_535


def host_and_port(text: str) -> tuple[str, int]:
    """`127.0.0.1:8026`, `[::1]:8026` or `name:8026`, apart. Raises ValueError for other forms."""
    found = _FORM.fullmatch(text)
    if found is None or int(found[3]) > _LAST_PORT:
        raise ValueError("must be like 127.0.0.1:8026")
    return found[1] or found[2], int(found[3])
