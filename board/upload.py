"""A form with files, read as it comes in: what is too much is let go by and never kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from ledger.archive import Archive
from ledger.attachments import File

_FIELDS_MOST: Final = 20
FIELD_BYTES_MOST: Final = 64 * 1024
_PASSED_BY_MOST: Final = 20
"""How many times the limit is read and thrown away, so that the browser hears the answer."""


class TooMuchError(ValueError):
    """More bytes or files than are taken at once."""


class BadFormError(ValueError):
    """Not the form that the page holds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one form may bring: bytes in all, and files."""

    total_bytes: int
    files: int


async def read_form(
    request: Request, limits: Limits, field_bytes: int = FIELD_BYTES_MOST
) -> FormData:
    """The form's fields and files; the caller closes it. Raises TooMuchError, BadFormError."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadFormError("the form is not multipart")
    parser = MultiPartParser(
        request.headers,
        _bounded(request, limits.total_bytes),
        # so that a few files too many are counted below, and told as such
        max_files=10 * limits.files,
        max_fields=_FIELDS_MOST,
        max_part_size=field_bytes,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeError) as error:
        raise BadFormError(str(error)) from error
    if len(files_of(form)) > limits.files:
        await form.close()
        raise TooMuchError(f"more than {limits.files} files")
    return form


def files_of(form: FormData) -> list[UploadFile]:
    """The files that were chosen; a browser sends an empty one where none was."""
    found = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    return [file for file in found if file.filename or file.size]


def kept_files(archive: Archive, form: FormData) -> tuple[File, ...]:
    """The files that were chosen, now in the archive. Raises TooLargeError, LedgerError.

    The bytes come first: the database never names a file that is not there.
    """
    return tuple(
        File(
            archive.put(file.file),
            file.filename or "",
            file.content_type or "application/octet-stream",
        )
        for file in files_of(form)
    )


def text_of(form: FormData, name: str) -> str:
    """A text field in one line, without control characters; empty where there is none."""
    value = form.get(name)
    text = value if isinstance(value, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body, chunk by chunk.

    Past the limit it is read on and thrown away: a server that hangs up on a browser that still
    sends shows it a broken connection instead of the page that says why.
    """
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen <= limit:
            yield chunk
        elif seen > _PASSED_BY_MOST * limit:
            break
    if seen > limit:
        raise TooMuchError(f"more than {limit} bytes")
