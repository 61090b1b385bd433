"""Help and answers of the commands for whoever keeps the machine, in English and in Chinese."""

from __future__ import annotations

from typing import Final

HOUSE: Final[dict[str, tuple[str, str]]] = {
    "user": (
        "Accounts of those who sign in to the office's pages.\n\nPasswords are asked for at the "
        "terminal, or read from standard input; they are never arguments.",
        "\b\n办公室网页的登录账号。\n密码在终端输入，或从标准输入读取，不写在命令行里。",
    ),
    "user.short": ("Accounts of the pages.", "网页登录账号"),
    "user.add": ("Make an account with the name NAME.", "新建名为 NAME 的账号。"),
    "user.add.short": ("Make an account.", "新建账号"),
    "user.passwd": (
        "Give the account NAME a new password. Its sessions end; if it was disabled, it may be "
        "used again.",
        "\b\n为账号 NAME 改密码。已登录的页面随即退出；停用的账号恢复使用。",
    ),
    "user.passwd.short": ("A new password.", "改密码"),
    "user.disable": (
        "Let the account NAME in no more. Its sessions end at once.",
        "停用账号 NAME，已登录的页面随即退出。",
    ),
    "user.disable.short": ("Let it in no more.", "停用账号"),
    "user.list": ("List all accounts.", "列出全部账号。"),
    "user.list.short": ("List accounts.", "列出账号"),
    "user.password": ("Password", "密码"),
    "user.again": ("The same again", "再输一次"),
    "user.weak": (
        "the password needs {shortest} to {longest} characters and must not be the account's name",
        "密码须为 {shortest} 至 {longest} 个字符，且不能与账号同名",
    ),
    "user.bad.name": (
        "an account's name has 1 to 64 characters, without spaces at its ends or line breaks",
        "账号名须为 1 至 64 个字符，首尾不留空格，不换行",
    ),
    "user.exists": (
        "there is an account '{name}' already; 'duban user passwd' gives it a new password",
        "已有账号“{name}”；可用 duban user passwd 改密码",
    ),
    "user.unknown": (
        "there is no account '{name}'; 'duban user list' shows all",
        "没有账号“{name}”；duban user list 可列出全部",
    ),
    "user.added": ("{name} may sign in now", "{name} 现在可以登录"),
    "user.changed": ("{name} has a new password", "{name} 的密码已改"),
    "user.disabled": ("{name} may sign in no more", "{name} 已停用"),
    "user.none": (
        "there is no account yet; 'duban user add NAME' makes one",
        "还没有账号；可用 duban user add 名称 新建",
    ),
    "user.line": ("{name}  since {since}", "{name}  建于 {since}"),
    "user.line.disabled": (
        "{name}  since {since}, disabled since {until}",
        "{name}  建于 {since}，{until} 停用",
    ),
    "db.restore": (
        "Put FILE, a copy that 'duban db backup' made, in the ledger's place.\n\nNo daemon may "
        "run. The ledger before is kept beside it under another name.",
        "\b\n用备份文件 FILE 恢复台账。\n须先停止督办程序；原台账改名保留在旁边。",
    ),
    "db.restore.short": ("Put a copy back.", "恢复"),
    "db.restored": (
        "{ledger} is now what {copy} holds; start the daemon",
        "台账 {ledger} 已恢复为 {copy} 的内容，可以启动督办程序",
    ),
    "db.restore.kept": ("the ledger before: {kept}", "原台账：{kept}"),
    "db.backup.postgres": (
        "this ledger is in PostgreSQL: copy it with\n"
        "    pg_dump --format=custom --file={file} {url}",
        "台账在 PostgreSQL 中，请用下列命令备份：\n    pg_dump --format=custom --file={file} {url}",
    ),
    "db.restore.postgres": (
        "this ledger is in PostgreSQL: stop all daemons, and restore it with\n"
        "    pg_restore --clean --if-exists --single-transaction --dbname={url} {file}",
        "台账在 PostgreSQL 中，请停止全部督办程序后用下列命令恢复：\n"
        "    pg_restore --clean --if-exists --single-transaction --dbname={url} {file}",
    ),
}
