"""The keys of links: given, or made once beside the ledger."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.linkkeys import link_keys
from config.settings import Settings, SettingsError

OLD, NEW = "o" * 32, "n" * 32


def settings(folder: Path, **more: str) -> Settings:
    given: dict[str, object] = {"database": f"sqlite:///{folder}/duban.sqlite", **more}
    return Settings(**given)  # type: ignore[arg-type]


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    (key,) = link_keys(settings(tmp_path))
    path = tmp_path / "link.keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert link_keys(settings(tmp_path)) == (key,)
    assert len(key) >= 32
    assert [p.name for p in tmp_path.iterdir()] == ["link.keys"]


def test_two_processes_that_begin_at_once_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: link_keys(settings(tmp_path)), range(8)))
    assert len(found) == 1


def test_given_keys_outrank_our_own_and_keep_their_order(tmp_path: Path) -> None:
    assert link_keys(settings(tmp_path, link_keys=f"{OLD}\n\n{NEW}\n")) == (OLD, NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_line_added_to_our_own_file_is_the_newest_key(tmp_path: Path) -> None:
    (old,) = link_keys(settings(tmp_path))
    with (tmp_path / "link.keys").open("a") as file:
        file.write(f"{NEW}\n")
    assert link_keys(settings(tmp_path)) == (old, NEW)


def test_a_key_that_could_be_guessed_is_refused_without_telling_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="one key a line") as refused:
        link_keys(settings(tmp_path, link_keys="geheim123"))
    assert "geheim123" not in str(refused.value)


def test_a_file_of_keys_that_others_may_read_is_refused(tmp_path: Path) -> None:
    link_keys(settings(tmp_path))
    (tmp_path / "link.keys").chmod(0o644)
    with pytest.raises(SettingsError, match="0600"):
        link_keys(settings(tmp_path))


@pytest.mark.parametrize("content", [b"\xff" * 40, b""])
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "link.keys"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"link\.keys"):
        link_keys(settings(tmp_path))


@pytest.mark.parametrize(
    "address", ["duban.edu.example", "ftp://x.example", "https://a b", "https://x/?q"]
)
def test_an_address_of_the_pages_must_be_one(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="https://duban"):
        settings(tmp_path, public_url=address)


def test_a_slash_at_the_addresss_end_does_not_count(tmp_path: Path) -> None:
    made = settings(tmp_path, public_url="https://duban.edu.example/board/")
    assert made.public_url == "https://duban.edu.example/board"
