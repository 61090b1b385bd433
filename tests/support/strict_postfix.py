"""A private Postfix on loopback: a real relay that takes, defers and refuses by rule.

Only root may start one. It delivers nothing: what it takes stays in its queue, to be read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.dovecot import free_port

_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.edu.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
maillog_file = {home}/log
maillog_file_prefixes = {home}
smtpd_peername_lookup = no
header_checks = regexp:{home}/config/hold
smtpd_recipient_restrictions =
    check_recipient_access inline:{{
        {{ grey@edu.example = 450 4.2.0 greylisted, come back later }},
        {{ nobody@edu.example = 550 5.1.1 no such mailbox }} }},
    permit_mynetworks, reject
"""
_TLS = """\
smtpd_tls_security_level = may
smtpd_tls_cert_file = {home}/relay.pem
smtpd_tls_key_file = {home}/relay.pem
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class StrictPostfix:
    """A relay that runs; `port` is on 127.0.0.1."""

    home: Path
    port: int
    _programs: Path

    def queued(self) -> list[str]:
        """The whole of every mail that it has taken, as text."""
        texts = []
        for path in sorted((self.home / "queue" / "hold").rglob("*")):
            if path.is_file():
                done = subprocess.run(
                    [self._programs / "postcat", "-c", self.home / "config", "-bhq", path.name],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                texts.append(done.stdout)
        return texts


StartPostfix = Callable[..., StrictPostfix]


@pytest.fixture
def start_postfix(
    program: Callable[[str], Path],
) -> Iterator[StartPostfix]:
    """Starts a Postfix: `start_postfix(certificate=PEM)` offers STARTTLS with that."""
    postfix = program("postfix")
    if os.geteuid():
        pytest.skip("only root may start Postfix")
    homes: list[Path] = []

    def start(certificate: bytes | None = None) -> StrictPostfix:
        # not below the tests' own folder, which no other user may enter: its services are one
        home = Path(tempfile.mkdtemp(prefix="postfix-"))
        homes.append(home)
        home.chmod(0o755)
        port = free_port()
        _configure(home, port, certificate)
        _order(postfix, home, "start")
        return StrictPostfix(home, port, postfix.parent)

    yield start
    for home in homes:
        _order(postfix, home, "abort")
        shutil.rmtree(home, ignore_errors=True)


def _order(postfix: Path, home: Path, what: str) -> None:
    subprocess.run(
        [postfix, "-c", home / "config", what], stderr=subprocess.DEVNULL, check=True, timeout=60
    )


def _configure(home: Path, port: int, certificate: bytes | None) -> None:
    config = home / "config"
    for name in ("config", "queue", "data"):
        (home / name).mkdir()
    (home / "queue" / "pid").mkdir()
    shutil.chown(home / "data", "postfix")
    main = _MAIN
    if certificate is not None:
        (home / "relay.pem").write_bytes(certificate)
        (home / "relay.pem").chmod(0o600)
        main += _TLS
    (config / "main.cf").write_text(main.format(home=home))
    (config / "master.cf").write_text(_MASTER.format(port=port))
    (config / "hold").write_text("/^Message-ID:/ HOLD\n")
