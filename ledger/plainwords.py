"""What goes wrong with a database, in plain words: the English for the log, the Chinese for people.

Each is what follows the ledger's name, and says what to do; `busy` are the seconds of patience.
"""

from __future__ import annotations

from typing import Final

_IN_USE: Final = (
    "is in use by another process for longer than {busy} s; try again",
    "被另一程序占用超过{busy}秒，请稍后再试",
)
_NO_ADDRESS: Final = (
    "cannot be reached: its host has no address; check 'database'",
    "连不上：找不到该主机，请核对 database 设置",
)
_ENDED: Final = (
    "ended the connection; duban tries again by itself",
    "断开了连接，督办程序会自动重试",
)

PLAIN: Final = {
    "database is locked": _IN_USE,
    "readonly database": (
        "cannot be written; check the file's and its folder's owner and mode",
        "无法写入，请检查该文件及所在文件夹的属主和权限",
    ),
    "unable to open": (
        "cannot be opened; check that its folder exists and may be written",
        "无法打开，请确认所在文件夹存在并且可写",
    ),
    "disk is full": (
        "cannot grow: the disk is full; nothing is sent until there is room",
        "无法写入：磁盘已满，腾出空间之前不会发出任何函件",
    ),
    "not a database": (
        "is not a ledger; restore a backup, or name another file",
        "不是台账文件，请恢复备份，或改用正确的文件",
    ),
    "malformed": ("is damaged; restore a backup", "已损坏，请恢复备份"),
    "disk I/O error": (
        "cannot be read or written: the disk reports an error",
        "无法读写：磁盘报错，请检查磁盘",
    ),
    # PostgreSQL
    "session is read-only": (
        "cannot be written: only a standby answers; make it the primary, or start the primary",
        "无法写入：只有备库应答，请将其升为主库，或启动主库",
    ),
    "onnection refused": (
        "cannot be reached: nothing listens there; start it, or check 'database'",
        "连不上：该地址没有数据库在运行，请启动数据库，或核对 database 设置",
    ),
    "could not translate host name": _NO_ADDRESS,
    "failed to resolve host": _NO_ADDRESS,
    "timeout expired": (
        "cannot be reached: its host does not answer; check the network",
        "连不上：主机没有应答，请检查网络",
    ),
    "password authentication failed": (
        "refuses the password; check 'database'",
        "不接受该密码，请核对 database 设置",
    ),
    "no pg_hba.conf entry": (
        "refuses this machine or user; check pg_hba.conf on the server",
        "不许本机或该用户连接，请检查数据库服务器上的 pg_hba.conf",
    ),
    "permission denied": (
        "may not be used by this user; grant the rights in docs/postgresql.md",
        "不许该用户使用，请按 docs/postgresql.md 授权",
    ),
    "read-only transaction": (
        "only reads: its server is a standby; name the primary",
        "只能读取：所连的是备库，请改填主库",
    ),
    "terminating connection": (
        "was shut down; duban tries again by itself",
        "已停止运行，督办程序会自动重试",
    ),
    "the database system is": (
        "is starting or stopping; duban tries again by itself",
        "正在启动或停止，督办程序会自动重试",
    ),
    "server closed the connection": _ENDED,
    "the connection is closed": _ENDED,
    "lock timeout": _IN_USE,
}
"""By a sign of it in the database's own words; of several the first counts."""

FAILS: Final = ("fails ({said}); duban tries again by itself", "出错（{said}），督办程序会自动重试")
"""Any other trouble with a server: no mistake of ours."""
