"""The types of settings: what each takes, and what it says of anything else.

No message holds the value: it may be a secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from config.listening import host_and_port
from config.scalars import check_line

_ADDRESS: Final = re.compile(r"https?://[\w.-]+(:\d{1,5})?(/[\w./-]*)?", re.ASCII)
_REQUEST: Final = re.compile(r"https?://[!-~]+", re.ASCII)
_USUAL_PORTS: Final = {"none": 25, "starttls": 587, "implicit": 465}
_USUAL_IMAP_PORTS: Final = {"none": 143, "starttls": 143, "implicit": 993}


def _database_url(value: str) -> str:
    if not value.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:")):
        raise ValueError(
            "must be like sqlite:///duban.sqlite or postgresql://duban@db.example/duban"
        )
    return value


def lower(value: Any) -> Any:
    """A word however its letters are written; other values as they are."""
    return value.lower() if isinstance(value, str) else value


def _existing(value: Path) -> Path:
    if not value.exists():
        raise ValueError("there is no such file or folder")
    return value


def usual_port(given: dict[str, Any]) -> int:
    """The port of a mail server, by how the connection is encrypted."""
    return _USUAL_PORTS[given["smtp_tls"]]


def usual_imap_port(given: dict[str, Any]) -> int:
    """The port of a mailbox, by how the connection is encrypted."""
    return _USUAL_IMAP_PORTS[given["imap_tls"]]


def _web_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be like https://duban.edu.example")
    return value.rstrip("/")


def _http(value: str) -> str:
    if not _REQUEST.fullmatch(value):
        raise ValueError("must be like https://monitor.edu.example/ping/duban")
    return value


def _listening(value: str) -> str:
    host_and_port(value)
    return value


def beside_ledger(database: str) -> Path:
    """The folder of an SQLite file; the working directory for any other database."""
    kind, _, file = database.partition(":///")
    return (Path(file) if kind.startswith("sqlite") else Path()).parent


def archive_beside_ledger(given: dict[str, Any]) -> Path:
    """The folder of files where none is named."""
    return beside_ledger(given["database"]) / "archive"


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
RequestAddress = Annotated[str, AfterValidator(_http)]
Listening = Annotated[str, AfterValidator(_listening)]
Encryption = Annotated[Literal["none", "starttls", "implicit"], BeforeValidator(lower)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Few = Annotated[int, Field(ge=1, le=100)]
Many = Annotated[int, Field(ge=1, le=10_000)]
Line = Annotated[str, Field(min_length=1), AfterValidator(check_line)]
Existing = Annotated[Path, AfterValidator(_existing)]
