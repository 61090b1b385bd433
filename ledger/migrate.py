"""Bringing a database to the present schema with Alembic, safely when several start at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_ADVISORY_LOCK = 0x6475_6261  # "duba": any constant will do, as long as all nodes use the same


def config() -> Config:
    """Alembic's configuration: the scripts beside this module, no file on disk."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return made


def head() -> str | None:
    """The newest migration among the scripts."""
    return ScriptDirectory.from_config(config()).get_current_head()


def knows(version: str) -> bool:
    """Whether a migration of that number is among the scripts."""
    scripts = ScriptDirectory.from_config(config()).walk_revisions()
    return any(script.revision == version for script in scripts)


def upgrade(connection: Connection) -> None:
    """Apply what is missing, in a writing transaction that was begun; other nodes wait for it."""
    made = config()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    made.attributes["connection"] = connection
    command.upgrade(made, "head")
