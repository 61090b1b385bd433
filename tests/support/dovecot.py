"""A real mailbox: a private Dovecot on loopback with its own users and certificate."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from imaplib import IMAP4
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trustme

from mailroom.imap import Mailbox
from mailroom.settings import MailboxSettings, Tls

PASSWORD = "authorisation-code"

_CONFIG = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
mail_location = maildir:{home}/mail/%u
mail_fsync = never
imap_id_retain = yes
imap_id_log = *
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password=authorisation-code
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server; `ca` is the file of the authority that signed its certificate."""

    home: Path
    plain: int
    tls: int
    ca: Path
    users: count[int] = field(default_factory=count)

    def account(self) -> Account:
        """A fresh, empty mailbox."""
        return Account(self, f"office-{next(self.users)}@edu.example")

    def log(self) -> str:
        """What the server wrote about its clients."""
        return (self.home / "dovecot.log").read_text("utf-8", "replace")


@dataclass(frozen=True)
class Account:
    """One user's mailbox, seen as the office would."""

    server: Dovecot
    user: str

    def settings(self, tls: Tls = "implicit", **more: Any) -> MailboxSettings:
        """How duban reaches it."""
        usual: dict[str, Any] = {
            "host": "localhost",
            "port": self.server.tls if tls == "implicit" else self.server.plain,
            "tls": tls,
            "username": self.user,
            "password": PASSWORD,
            "ca_file": self.server.ca,
        }
        return MailboxSettings(**(usual | more))

    def mailbox(self, tls: Tls = "implicit", **more: Any) -> Mailbox:
        """duban's reader of it."""
        return Mailbox(self.settings(tls, **more))

    @contextmanager
    def client(self) -> Iterator[IMAP4]:
        """Another client, such as the office's own."""
        client = IMAP4("127.0.0.1", self.server.plain, timeout=10)
        try:
            client.login(self.user, PASSWORD)
            yield client
        finally:
            with suppress(OSError, IMAP4.error):
                client.logout()

    def put(self, raw: bytes, when: datetime, folder: str = "INBOX") -> None:
        """A mail arrives."""
        with self.client() as client:
            assert client.append(folder, "", when, raw)[0] == "OK"

    def flags(self) -> list[bytes]:
        """The flags of every mail, as the server gives them."""
        with self.client() as client:
            client.select("INBOX", readonly=True)
            return [f for f in client.fetch("1:*", "(FLAGS)")[1] if isinstance(f, bytes)]

    def renumber(self, folder: str) -> None:
        """The folder is made anew: another UIDVALIDITY, no mails."""
        with self.client() as client:
            client.delete(folder)
            assert client.create(folder)[0] == "OK"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def _owners() -> dict[str, Any]:
    """Whose the processes are: root must not log anybody in, anybody else can be nobody else."""
    mine = pwd.getpwuid(os.getuid() or pwd.getpwnam("nobody").pw_uid)
    if os.getuid() == 0:
        names = {"internal": "dovecot", "group": "dovecot", "login": "dovenull"}
    else:
        name = grp.getgrgid(mine.pw_gid).gr_name
        names = {"internal": mine.pw_name, "group": name, "login": mine.pw_name}
    return names | {"uid": mine.pw_uid, "gid": mine.pw_gid}


@pytest.fixture(scope="session")
def dovecot(program: Callable[[str], Path]) -> Iterator[Dovecot]:
    """A server for the whole run; each test takes an account of its own."""
    binary = program("dovecot")
    # not below the tests' own folder: that is closed to the users whom Dovecot switches to
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    home.chmod(0o755)
    owners = _owners()
    for name in ("run", "state", "mail"):
        (home / name).mkdir()
    os.chown(home / "mail", owners["uid"], owners["gid"])
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(home / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(home / "cert.pem")
    authority.cert_pem.write_to_path(home / "ca.pem")
    server = Dovecot(home, free_port(), free_port(), home / "ca.pem")
    config = home / "dovecot.conf"
    config.write_text(_CONFIG.format(home=home, plain=server.plain, tls=server.tls, **owners))
    # it comes back when it listens
    subprocess.run([binary, "-c", config], check=True, timeout=30)
    yield server
    subprocess.run([program("doveadm"), "-c", config, "stop"], check=True, timeout=30)
    shutil.rmtree(home, ignore_errors=True)
