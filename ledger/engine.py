"""Opening the ledger: one engine, writing transactions that lock at once, migrations at start."""

from __future__ import annotations

import select
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from json import JSONDecodeError
from pathlib import Path
from random import Random, SystemRandom
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError

from ledger.plainwords import FAILS, PLAIN

if TYPE_CHECKING:
    from sqlalchemy import Table

    from ledger.unreadable import Unreadable

SCHEMA = "0007"
"""The newest migration; a test holds it against the scripts."""

BUSY_SECONDS = 15
"""So long a command waits for a ledger that another process holds, or that does not answer."""


class LedgerError(RuntimeError):
    """The ledger cannot be opened or used; the message says why and what to do.

    `chinese` says the same to people; the log has the message. `fatal` says that the disk cannot be
    believed any more: stop, rather than send unrecorded mail.
    """

    def __init__(self, message: str, chinese: str = "", *, fatal: bool = False) -> None:
        super().__init__(message)
        self.chinese = chinese or message
        self.fatal = fatal


class UnreadableRowsError(LedgerError):
    """Rows hold what cannot be read; `rows` are all of them."""

    def __init__(self, shown: str, rows: Sequence[Unreadable]) -> None:
        first, more = rows[0], len(rows) - 1
        super().__init__(
            f"the ledger {shown} holds what cannot be read: {first}"
            f"{f' and {more} more' if more else ''}; 'duban db check' lists all; have them "
            "mended, or restore a copy ('duban db restore')",
            f"台账 {shown} 中有读不出的内容：{first.table} 表第 {first.row} 行的 {first.column}"
            f"{f'，另有 {more} 处' if more else ''}；duban db check 会全部列出，请改正，或用 "
            "duban db restore 恢复备份",
        )
        self.rows = tuple(rows)


class Ledger:
    """A database of obligations, letters and events.

    `url` is an SQLAlchemy address (`sqlite:///duban.sqlite`). A file that is not there is made by
    `prepare`, unless it `must_exist`, and by nothing else: an empty one in the place of one that
    was taken away would end the log of that. `durable=False` gives up safety against a power cut
    for speed, and a `seed` makes the tokens repeatable: both for simulated years only. Raises
    LedgerError where it cannot be opened, or is in use for longer than `patience_s`.
    """

    def __init__(
        self,
        url: str,
        *,
        must_exist: bool = False,
        durable: bool = True,
        seed: int | None = None,
        patience_s: int = BUSY_SECONDS,
    ) -> None:
        self.url, self.patience_s = make_url(url), patience_s
        self._must_exist, self._being_made = must_exist, False
        self._random = SystemRandom() if seed is None else Random(seed)  # noqa: S311
        if self.sqlite:
            self.engine = create_engine(self.url, hide_parameters=True, creator=self._open)
            _tune_sqlite(self.engine, durable=durable, patience_s=patience_s)
        else:
            self.engine = create_engine(
                self.url, hide_parameters=True, connect_args=_patience(self.url, patience_s)
            )
            _ping_idle(self.engine)
        self._file = self.path
        self._lay: tuple[int, int] | None = None

    def token(self) -> str:
        """96 random bits for a Message-ID, in letters and digits."""
        return f"{self._random.getrandbits(96):024x}"

    @property
    def sqlite(self) -> bool:
        """Whether the ledger is an SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of an SQLite ledger."""
        name = self.url.database
        return Path(name) if self.sqlite and name and name != ":memory:" else None

    @property
    def _own_name(self) -> Path | None:
        """The path, but where the address gives SQLite's own URI, which says what may be done."""
        return None if "uri" in self.url.query else self.path

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that takes the write lock at once and commits at the end.

        Raises LedgerError where the file is not the one that was written before.
        """
        self._check_place()
        with _plainly(self), self.engine.begin() as connection:
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one consistent view."""
        with _plainly(self), self.engine.begin() as connection:
            self._begin(connection, "BEGIN")
            yield connection

    def _begin(self, connection: Connection, statement: str) -> None:
        """Open the transaction; an event that did so would cost something at every statement."""
        if self.sqlite:
            connection.exec_driver_sql(statement)

    def prepare(self) -> None:
        """Check the file and bring the tables to the present schema; does nothing if they are."""
        if self.path is not None and self.path.exists():
            self._check_file()
        found = self.version()
        if not self.sqlite:
            self._check_server()
        if found == SCHEMA:
            return
        from alembic.util import CommandError  # alembic costs a second to import

        from ledger.migrate import upgrade

        self._being_made = not self._must_exist
        try:
            with _plainly(self), self.engine.begin() as connection:
                self._begin(connection, "BEGIN IMMEDIATE")
                upgrade(connection)
        except CommandError as error:
            raise LedgerError(
                f"the ledger is of another duban's making (its schema is {found!r}, this one knows "
                f"up to {SCHEMA!r}); install that version again, or restore a backup",
                f"台账由另一版本的督办程序建立（其结构为{found}，本程序只认到{SCHEMA}），请重新安装该"
                "版本，或恢复备份",
            ) from error
        finally:
            self._being_made = False

    def version(self) -> str | None:
        """The migration that the database is at, None for an empty one, or none at all."""
        if self._own_name is not None and not self._own_name.exists():
            return None
        with _plainly(self), self.engine.connect() as connection:
            if not connection.dialect.has_table(connection, "alembic_version"):
                return None
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return str(found) if found else None

    def _open(self) -> Any:
        """Connect to SQLite's file, and say whether it may make it."""
        place, options = self.engine.dialect.create_connect_args(self.url)
        if self._own_name is not None:
            mode = "rwc" if self._being_made else "rw"
            place = [f"{self._own_name.absolute().as_uri()}?mode={mode}"]
            options = {**options, "uri": True}
        return self.engine.dialect.connect(*place, **options)

    def _check_place(self) -> None:
        """Refuse to write into a file that was taken away: nobody would ever read it."""
        if self._file is None:
            return
        try:
            found = self._file.stat()
        except OSError:
            lies = None
        else:
            lies = found.st_dev, found.st_ino
        if self._lay is None:
            self._lay = lies
        elif lies != self._lay:
            raise LedgerError(
                f"the ledger {self.path} was taken away, or another lies in its place; put it back "
                "while duban runs, or stop duban and restore the latest copy; nothing is sent",
                f"台账 {self.path} 已被移走，或原处换成了另一个文件：请在督办程序运行时放回原文"
                "件，或停止督办程序后恢复最近的备份；此前不会发出任何函件",
            )

    def _check_file(self) -> None:
        with _plainly(self), self.engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            said = " ".join(str(found).split())
            raise LedgerError(
                f"the ledger {self.path} is damaged ({said}); restore the latest copy that "
                "'duban db backup' made; nothing was sent or changed",
                f"台账 {self.path} 已损坏（{said}），请恢复最近一次 duban db backup 的备份；"
                "没有发出任何函件，台账未作改动",
            )

    def _check_server(self) -> None:
        with _plainly(self), self.engine.connect() as connection:
            standby = connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"
        if standby:
            raise LedgerError(
                f"the ledger {self.shown} is on a server that only reads, such as a standby; name "
                "the primary in 'database', or make this one the primary; nothing was sent",
                f"台账 {self.shown} 所在的服务器只能读取，例如是备库：请在 database 中改填主"
                "库，或将其升为主库；没有发出任何函件",
            )

    @property
    def shown(self) -> str:
        """The file or address without what is secret, for messages."""
        return str(self.path or without_secrets(self.url).render_as_string(hide_password=True))

    def unreadable(self, tables: Sequence[Table] = ()) -> list[Unreadable]:
        """The values that cannot be read in these tables, or in all; reads every row."""
        from ledger.unreadable import unreadable  # wanted only after a mishap

        with self.engine.connect() as connection:
            return unreadable(connection, tables)

    def save(self, path: Path) -> None:
        """Write an SQLite ledger, such as one in memory (`sqlite://`), into a new file."""
        with self.engine.connect() as connection, closing(sqlite3.connect(path)) as copy:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)  # noqa: S101 - only SQLite is saved
            source.backup(copy)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def beside(file: Path, suffix: str) -> Path:
    """What lies beside a ledger's file: the file itself, wherever a link leads from."""
    real = file.resolve()
    return real.with_name(real.name + suffix)


def without_secrets(url: URL) -> URL:
    """An address without passwords in its query; libpq takes them there as well."""
    return url.difference_update_query(("password", "sslpassword"))


@contextmanager
def _plainly(ledger: Ledger) -> Iterator[None]:
    """Turn the database's own words into one sentence with a way out."""
    try:
        yield
    except (TypeError, ValueError) as error:
        # a mistake of ours, or of the file's: its rows tell
        if type(error) not in _UNREAD or not (rows := ledger.unreadable()):
            raise
        raise UnreadableRowsError(ledger.shown, rows) from error
    except DBAPIError as error:
        original = str(error.orig)
        words = next((words for sign, words in PLAIN.items() if sign in original), None)
        if words is None and isinstance(error, OperationalError) and not ledger.sqlite:
            # no mistake of ours: the line, the server, its disk; whoever delivers counts on this
            words = FAILS
        if words is None:
            raise
        said = " ".join(original.split())
        english, chinese = (one.format(busy=ledger.patience_s, said=said) for one in words)
        raise LedgerError(
            f"the ledger {ledger.shown} {english}",
            f"台账 {ledger.shown} {chinese}",
            fatal=any(sign in original for sign in _FATAL),
        ) from error


_UNREAD = frozenset({TypeError, ValueError, JSONDecodeError})
"""What reading a value raises; our own refusals are subclasses."""

_PATIENCE = {
    # a machine or a line that falls silent is found out from both ends, after 20 + 3 * 5 s
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 35_000,
    "options": (
        # a node that hangs in mid-transaction must not hold the others' letters for ever
        "-c idle_in_transaction_session_timeout=60s "
        "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
        # with an answer under way the server sends no keepalives, but repeats it for 15 minutes
        "-c tcp_user_timeout=35s"
    ),
}


def _patience(url: URL, seconds: int) -> dict[str, Any]:
    """How long a connection to PostgreSQL waits; what the address itself says goes before."""
    own = url.normalized_query
    ours = {"connect_timeout": seconds, **_PATIENCE}
    ours["options"] = f"-c lock_timeout={seconds}s {_PATIENCE['options']}"
    given: dict[str, Any] = {name: ours[name] for name in ours if name not in own}
    if "options" in own:
        given["options"] = " ".join((str(ours["options"]), *own["options"]))
    return given


_REST_S = 1
_FATAL = ("malformed", "not a database", "disk I/O error")


def _ping_idle(engine: Engine) -> None:
    """A connection that the server or a firewall ended is found out before it is used.

    One just used is asked only if there is something to read, such as a farewell: between the marks
    of many letters a ping each time is a tenth of the work.
    """
    broken = engine.dialect.loaded_dbapi.Error

    @event.listens_for(engine, "checkin")
    def _rest(_connection: Any, record: Any) -> None:
        record.info["since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get("since")
        if since is None:
            return  # a new one
        try:
            if monotonic() - since > _REST_S or _speaks(connection.fileno()):
                engine.dialect.do_ping(connection)
        except broken as error:
            raise InvalidatePoolError from error


def _speaks(file: int) -> bool:
    listening = select.poll()
    listening.register(file, select.POLLIN)
    return bool(listening.poll(0))


def _tune_sqlite(engine: Engine, *, durable: bool, patience_s: int) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # The driver must not open transactions itself: its deferred BEGIN lets two claim one row.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {patience_s * 1000}")
        cursor.execute("PRAGMA foreign_keys = ON")
        if durable:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        else:
            cursor.execute("PRAGMA journal_mode = MEMORY")
            cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()
