"""What a browser keeps: a signed cookie that says which visit this is, and whose.

The cookie names an account and its version, never a password; a changed password or a disabled
account ends it at once. Each form carries a token of the visit that it was made for (CSRF).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response

LASTS: Final = timedelta(hours=12)
"""A working day with its overtime; then one signs in again."""
_LONGEST_CHARACTERS: Final = 400


def _new_visit() -> str:
    return secrets.token_urlsafe(18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One visit until an instant (Unix seconds): anybody's, or that of an account's version."""

    until: int
    visit: str = field(default_factory=_new_visit)
    account: int | None = None
    version: int = 0


class Sessions:
    """Reads and writes sessions. `keys` go from the oldest to the newest; the newest signs.

    `secure` says that people come over https: then the cookie travels over nothing else.
    """

    def __init__(self, keys: Sequence[str], *, secure: bool) -> None:
        self._secure = secure
        self._name = "__Host-duban" if secure else "duban"
        self._cookies = _serializer("session", keys)
        self._forms = _serializer("visit", keys)

    def begin(self, now: datetime, account: int | None = None, version: int = 0) -> Session:
        """A new visit from `now` on; signing in begins a new one as well (session fixation)."""
        until = int((now + LASTS).timestamp())
        return Session(until=until, account=account, version=version)

    def read(self, request: Request, now: datetime) -> Session | None:
        """The session that a request shows, None for one that is over or not ours."""
        match _read(self._cookies, request.cookies.get(self._name, "")):
            case [int(until), str(visit), None | int() as account, int(version)]:
                if now.timestamp() < until:
                    return Session(until=until, visit=visit, account=account, version=version)
        return None

    def keep(self, response: Response, session: Session) -> None:
        """Let the browser show this session from now on, until it is closed."""
        value = [session.until, session.visit, session.account, session.version]
        self._set(response, str(self._cookies.dumps(value)), None)

    def forget(self, response: Response) -> None:
        """Let the browser forget its session."""
        self._set(response, "", 0)

    def form_token(self, session: Session) -> str:
        """What a form of this visit carries."""
        return str(self._forms.dumps(session.visit))

    def is_form_token(self, session: Session, token: str) -> bool:
        """Whether a form was made for this visit."""
        return _read(self._forms, token) == session.visit

    def _set(self, response: Response, value: str, lasts_s: int | None) -> None:
        response.set_cookie(
            self._name,
            value,
            max_age=lasts_s,
            path="/",
            secure=self._secure,
            httponly=True,
            # lax, not strict: a link in a letter opens the page for who has signed in
            samesite="lax",
        )


def _serializer(purpose: str, keys: Sequence[str]) -> URLSafeSerializer:
    return URLSafeSerializer(
        list(keys), salt=f"duban {purpose}", signer_kwargs={"digest_method": sha256}
    )


def _read(serializer: URLSafeSerializer, text: str) -> object:
    if not text or len(text) > _LONGEST_CHARACTERS:
        return None
    try:
        return serializer.loads(text)
    except BadData:
        return None
