"""The log: an event's stable name and its fields. How it is written is the scheduler's matter."""

from __future__ import annotations

import logging
from typing import Any, Final

log = logging.getLogger("duban")
FIELDS: Final = "duban_fields"
"""Where a record carries the fields of its event."""


def event(
    name: str, level: int = logging.INFO, *, raised: Exception | None = None, **fields: Any
) -> None:
    """Log one event, such as `letter.sent`, with its fields: never a secret or a letter's text.

    Of an exception that was `raised` the traceback is logged as well.
    """
    log.log(level, name, exc_info=raised, extra={FIELDS: fields})
