"""What can be set: each setting with its type, its default and its meaning in both languages.

`config.settings` reads them. No message and no repr holds a secret, nor a value that may be one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.scalars import check_email
from config.settingtypes import (
    DatabaseUrl,
    Encryption,
    Existing,
    Few,
    Line,
    Listening,
    Many,
    Port,
    RequestAddress,
    Seconds,
    WebAddress,
    archive_beside_ledger,
    beside_ledger,
    lower,
    usual_imap_port,
    usual_port,
)

PREFIX: Final = "DUBAN_"
SECRETS: Final = (
    "database",
    "smtp_password",
    "imap_password",
    "link_keys",
    "metrics_token",
    "ping_url",
)
"""What may also stand in a file: named by NAME_file, or among systemd's credentials."""


class SettingsError(ValueError):
    """The settings are wrong; `problems` says each in one line, without the values."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def _setting(default: Any, en: str, zh: str, *, shown: str = "", **more: Any) -> Any:
    """A field with its meaning in both languages; `shown`, its default in words, has them both too.

    A default that is a function gets the settings above it.
    """
    given = {"default_factory": default} if callable(default) else {"default": default}
    shown_en, _, shown_zh = shown.partition("/")
    extra: dict[str, Any] = {"zh": zh, "shown": shown_en, "shown_zh": shown_zh}
    return Field(**given, description=en, json_schema_extra=extra, **more)


class Settings(BaseSettings):
    """All settings; relative paths are relative to the working directory, times are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    database: DatabaseUrl = _setting(
        "sqlite:///duban.sqlite",
        "address of the ledger's database",
        "台账数据库的地址",
        repr=False,
    )
    archive: Path = _setting(
        archive_beside_ledger,
        "folder of the files that sections hand in",
        "科室报送材料的存放文件夹",
        shown="`archive` beside the SQLite file/SQLite 文件旁的 `archive`",
    )
    upload_megabytes: Many = _setting(
        100,
        "most that one hand-in, all its files together, or one mail may hold",
        "一次报送（全部文件合计）或一封来信的上限（MB）",
    )
    files_at_once: Few = _setting(20, "most files of one hand-in", "一次报送最多几个文件")
    http_listen: Listening | None = _setting(
        None,
        "address and port of the pages, such as `127.0.0.1:8026`",
        "网页的监听地址和端口，如 `127.0.0.1:8026`",
        shown="none: no pages/无：不开网页",
    )
    public_url: WebAddress | None = _setting(
        None,
        "address at which people reach the pages; with it letters carry links",
        "各科室访问网页的地址；填写后函件附办理链接",
        shown="none: letters without links/无：函件不附链接",
    )
    link_keys: Annotated[SecretStr, Field(min_length=1)] | None = _setting(
        None,
        "keys that sign the links: one a line, the newest last; better in a file that "
        "`link_keys_file` names",
        "链接的签名密钥：每行一个，最新的在最后；宜放在文件里，由 `link_keys_file` 指明",
        shown="made once, in `link.keys` beside the SQLite file/自动生成于 SQLite 文件旁的 "
        "`link.keys`",
    )
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = _setting(
        None,
        "bearer token that opens `/metrics` to other machines; better in a file that "
        "`metrics_token_file` names",
        "供其他机器读取 `/metrics` 的令牌；宜放在文件里，由 `metrics_token_file` 指明",
        shown="none: this machine only/无：仅限本机",
    )
    ping_url: RequestAddress | None = _setting(
        None,
        "address that is asked once a minute while all is well, so that others notice a stop",
        "正常运行时每分钟访问一次的地址，供外部监控发现停机",
        shown="none/无",
        repr=False,
    )
    smtp_host: Line | None = _setting(
        None, "mail server that takes the letters", "发信服务器", shown="none/无"
    )
    smtp_tls: Encryption = _setting(
        "starttls",
        "how the connection is encrypted: `starttls`, `implicit` or `none`",
        "连接如何加密：`starttls`、`implicit`（SSL）或 `none`（不加密）",
    )
    smtp_port: Port = _setting(
        usual_port,
        "its port",
        "发信服务器的端口",
        shown="`587`, `465` or `25`, as `smtp_tls` has it/依 `smtp_tls` 为 `587`、`465` 或 `25`",
    )
    smtp_username: Line | None = _setting(
        None,
        "user name, where the server wants one",
        "登录用户名（服务器要求时填写）",
        shown="none/无",
    )
    smtp_password: Annotated[SecretStr, Field(min_length=1)] | None = _setting(
        None,
        "password; better in a file that `smtp_password_file` names",
        "登录密码；宜放在文件里，由 `smtp_password_file` 指明",
        shown="none/无",
    )
    smtp_ca_file: Existing | None = _setting(
        None,
        "certificates (PEM) to trust instead of the system's",
        "代替系统证书库的信任证书（PEM）",
        shown="the system's/系统证书库",
    )
    smtp_allow_plain: bool = _setting(
        False,
        "allow `smtp_tls: none` to another machine: anybody on the way can read the letters",
        "允许不加密连接其他机器：途中任何人都能读到信件",
    )
    smtp_timeout_seconds: Seconds = _setting(
        60.0, "longest time for the sending of one letter, all in all", "发送一封信的总时限"
    )
    smtp_connections: Few = _setting(
        8, "connections used side by side, at most 20", "同时使用的连接数，至多20个", le=20
    )
    smtp_messages_per_connection: Many = _setting(
        100, "letters sent over one connection before it is renewed", "每个连接发多少封信后重连"
    )
    smtp_messages_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = _setting(
        None,
        "most letters that this daemon hands over in any minute",
        "本进程每分钟最多交出多少封信",
        shown="no limit/不限",
    )
    mail_from: Annotated[str, AfterValidator(check_email)] | None = _setting(
        None,
        "address that the letters come from",
        "发件地址",
        shown="none; needed to send/无；发信必填",
    )
    mail_from_name: Line = _setting("督办", "name that stands before it", "发件人名称")
    imap_host: Line | None = _setting(
        None,
        "mail server with the mailbox that answers come to; without it none is read",
        "收信服务器：读取各科室回复的邮箱；不填则不读取",
        shown="none/无",
    )
    imap_tls: Encryption = _setting(
        "implicit",
        "how that connection is encrypted: `implicit`, `starttls` or `none`",
        "连接如何加密：`implicit`（SSL）、`starttls` 或 `none`（不加密）",
    )
    imap_port: Port = _setting(
        usual_imap_port,
        "its port",
        "收信服务器的端口",
        shown="`993`, or `143` for the others/`993`；其他加密方式为 `143`",
    )
    imap_username: Line | None = _setting(
        None, "user name of the mailbox", "邮箱用户名", shown="none/无"
    )
    imap_password: Annotated[SecretStr, Field(min_length=1)] | None = _setting(
        None,
        "its password, or the provider's authorisation code; better in a file that "
        "`imap_password_file` names",
        "邮箱密码或授权码；宜放在文件里，由 `imap_password_file` 指明",
        shown="none/无",
    )
    imap_ca_file: Existing | None = _setting(
        None,
        "certificates (PEM) to trust instead of the system's",
        "代替系统证书库的信任证书（PEM）",
        shown="the system's/系统证书库",
    )
    imap_allow_plain: bool = _setting(
        False,
        "allow `imap_tls: none` to another machine: anybody on the way can read mail and password",
        "允许不加密连接其他机器：途中任何人都能读到信件和密码",
    )
    imap_folder: Line = _setting("INBOX", "folder that is read", "读取的文件夹")
    imap_poll_seconds: Seconds = _setting(60.0, "how often it is read", "多久读取一次")
    imap_fresh_minutes: Many = _setting(
        30,
        "officials are told of delays only if the mailbox was read within so many minutes",
        "邮箱在这些分钟内读取过，才向领导报告逾期",
    )
    outbox: Path | None = _setting(
        None,
        "folder: letters are written there and not sent",
        "文件夹：信件只写入此处，不发送",
        shown="none/无",
    )
    templates: Existing | None = _setting(
        None,
        "folder of the office's own letter templates",
        "本单位自己的信件模板文件夹",
        shown="none/无",
    )
    tick_seconds: Seconds = _setting(
        20.0, "how often the daemon looks for what is due", "多久检查一次到期事项"
    )
    batch_size: Many = _setting(100, "letters claimed at a time", "一次领取多少封信")
    claim_lease_seconds: Seconds = _setting(
        360.0,
        "after this time another daemon takes over a letter that was claimed and not finished",
        "领取后逾此时间未发完的信，由别的进程接手",
    )
    log_format: Annotated[Literal["plain", "json"], BeforeValidator(lower)] = _setting(
        "plain", "`plain` or `json`", "日志格式：`plain` 或 `json`"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(lower)] = (
        _setting(
            "info",
            "`debug`, `info`, `warning` or `error`",
            "日志级别：`debug`、`info`、`warning`、`error`",
        )
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables over what `load_settings` found in files."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _agree(self) -> Self:
        problems = list(self._disagreements())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _disagreements(self) -> Iterator[str]:
        if self.smtp_tls == "none" and not (self.smtp_allow_plain or _is_loopback(self.smtp_host)):
            yield (
                "smtp_tls: 'none' lets anybody on the way read letters and password; "
                "use starttls or implicit, or set smtp_allow_plain if that is meant"
            )
        if self.imap_tls == "none" and not (self.imap_allow_plain or _is_loopback(self.imap_host)):
            yield (
                "imap_tls: 'none' lets anybody on the way read letters and password; "
                "use implicit or starttls, or set imap_allow_plain if that is meant"
            )
        shortest = 2 * self.smtp_timeout_seconds
        if self.claim_lease_seconds < shortest:
            yield (
                f"claim_lease_seconds: must be at least {shortest:g}, twice smtp_timeout_seconds; "
                "otherwise letters could be sent twice"
            )

    @property
    def own_link_keys(self) -> Path:
        """Where the keys of links are made if none are given."""
        return beside_ledger(self.database) / "link.keys"

    def check_can_read(self) -> None:
        """Raise SettingsError where a mailbox is named without its user name or password."""
        if self.imap_host is not None and not (self.imap_username and self.imap_password):
            raise SettingsError(["imap_host: give imap_username and imap_password as well"])

    def check_can_send(self) -> None:
        """Raise SettingsError unless letters have a sender, and a way out.

        Only what sends must ask: the password is often the daemon's alone (systemd's credentials).
        """
        problems = []
        if (self.smtp_username is None) != (self.smtp_password is None):
            problems.append("smtp_username and smtp_password: give both or none")
        if self.smtp_host is None and self.outbox is None:
            problems.append(
                "set smtp_host (DUBAN_SMTP_HOST), or outbox to write letters to a folder"
            )
        if self.mail_from is None:
            problems.append("set mail_from (DUBAN_MAIL_FROM): the address that letters come from")
        if problems:
            raise SettingsError(problems)


def _is_loopback(host: str | None) -> bool:
    if host is None or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
