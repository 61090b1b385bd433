"""The address of the pages, as an office writes it."""

from __future__ import annotations

import pytest

from config.listening import host_and_port
from config.settings import Settings


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("127.0.0.1:8026", ("127.0.0.1", 8026)),
        ("[::1]:80", ("::1", 80)),
        ("pages.edu.example:65535", ("pages.edu.example", 65535)),
    ],
)
def test_an_address_comes_apart_into_host_and_port(text: str, apart: tuple[str, int]) -> None:
    assert host_and_port(text) == apart
    assert Settings(http_listen=text).http_listen == text


@pytest.mark.parametrize("text", ["8026", ":8026", "127.0.0.1", "::1:80", "a:65536", "a b:80"])
def test_an_address_without_host_or_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be like 127\.0\.0\.1:8026"):
        Settings(http_listen=text)
