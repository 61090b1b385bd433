"""A real mail server: a private Postfix on loopback that delivers into Dovecot's mailboxes."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from smtplib import SMTP

import pytest

from mailroom.settings import RelaySettings
from mailroom.smtp import SmtpRelay
from tests.support.dovecot import Dovecot, free_port

BOXES = ("bangongshi@edu.example", "caiwu@edu.example")
"""Who has a mailbox. What is sent to others at edu.example is taken, and comes back."""

_MAIN = """
compatibility_level = 3.7
queue_directory = {home}/spool
data_directory = {home}/lib
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.edu.example
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
default_transport = error:no mail leaves this machine
virtual_mailbox_domains = edu.example
virtual_mailbox_base = {boxes}
virtual_mailbox_maps = texthash:{home}/etc/boxes
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""


@dataclass(frozen=True)
class Postfix:
    """A running server."""

    port: int

    def relay(self) -> SmtpRelay:
        """duban's way to it."""
        return SmtpRelay(RelaySettings(host="127.0.0.1", port=self.port, tls="none"))

    def send(self, sender: str, recipient: str, raw: bytes) -> None:
        """Somebody's mail program sends a mail."""
        with SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.sendmail(sender, [recipient], raw)


@pytest.fixture(scope="session")
def postfix(program: Callable[[str], Path], dovecot: Dovecot) -> Iterator[Postfix]:
    """A server for the whole run."""
    binary = program("postfix")
    if os.getuid() != 0:
        pytest.skip("Postfix changes its users: that needs root")
    home = Path(tempfile.mkdtemp(prefix="postfix-"))
    home.chmod(0o755)
    for name in ("etc", "spool", "lib"):
        (home / name).mkdir()
    os.chown(home / "lib", pwd.getpwnam("postfix").pw_uid, -1)
    owner = (dovecot.home / "mail").stat()
    boxes = dovecot.home / "mail"
    port = free_port()
    main = _MAIN.format(home=home, boxes=boxes, uid=owner.st_uid, gid=owner.st_gid)
    (home / "etc" / "main.cf").write_text(main)
    (home / "etc" / "master.cf").write_text(_MASTER.format(port=port))
    (home / "etc" / "boxes").write_text("".join(f"{box} {box}/\n" for box in BOXES))
    # it comes back when it listens
    _order(binary, home, "start")
    yield Postfix(port)
    _order(binary, home, "stop")
    shutil.rmtree(home, ignore_errors=True)


def _order(binary: Path, home: Path, what: str) -> None:
    # Postfix speaks to the system's log; the ends of a pipe would stay with its processes
    subprocess.run(
        [binary, "-c", home / "etc", what],
        check=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
