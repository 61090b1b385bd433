"""The accounts with which people of the office sign in to the pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.tables import account


class AccountExistsError(ValueError):
    """There is an account of that name already."""


def add(connection: Connection, name: str, password: str, now: datetime) -> None:
    """Enter an account; `password` is its hash. Raises AccountExistsError."""
    try:
        connection.execute(
            insert(account).values(name=name, password=password, version=0, created_at=now)
        )
    except IntegrityError as error:
        raise AccountExistsError(name) from error


def named(connection: Connection, name: str) -> Row[Any] | None:
    """The account of a name, or None."""
    return connection.execute(select(account).where(account.c.name == name)).one_or_none()


# asked for every page
_AT_WORK = select(account).where(
    account.c.id == bindparam("which"),
    account.c.version == bindparam("as_of"),
    account.c.disabled_at.is_(None),
)


def at_work(connection: Connection, account_id: int, version: int) -> Row[Any] | None:
    """The account if it may still be used as it was at `version`; None else."""
    return connection.execute(_AT_WORK, {"which": account_id, "as_of": version}).one_or_none()


def every(connection: Connection) -> list[Row[Any]]:
    """All accounts by their names."""
    return list(connection.execute(select(account).order_by(account.c.name)))


def set_password(connection: Connection, name: str, password: str) -> bool:
    """Give a new hash, and let a disabled account in again; False where there is no such name."""
    return _change(connection, name, password=password, disabled_at=None)


def disable(connection: Connection, name: str, now: datetime) -> bool:
    """Let it in no more; False where there is no such name."""
    return _change(connection, name, disabled_at=now)


def _change(connection: Connection, name: str, **values: Any) -> bool:
    """Change a row, and with its version end everything that was begun before."""
    done = connection.execute(
        update(account)
        .where(account.c.name == name)
        .values(version=account.c.version + 1, **values)
    )
    return bool(done.rowcount)
