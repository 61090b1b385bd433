"""Logs on standard error: events and their fields, plain or as JSON lines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from jobs.log import FIELDS, log


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, FIELDS, {})
        shown = " ".join(f"{k}={v}" for k, v in fields.items() if v is not None)
        text = f"{record.levelname.lower():7} {record.getMessage()} {shown}".rstrip()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def set_up(form: str, level: str) -> None:
    """Send duban's log to standard error; other libraries' only from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Plain())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    log.setLevel(level.upper())
    # its warnings about runs that were late are what coalescing is for
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
