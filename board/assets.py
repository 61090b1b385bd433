"""The style sheet and the scripts of the pages: from our own folder, each by its known name."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES: Final = {"page.css": "text/css", "page.js": "text/javascript"}


def asset_routes() -> list[Route]:
    """`/assets/NAME`."""
    return [Route("/assets/{name}", _asset, methods=["GET"])]


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _TYPES:
        return Response(status_code=404)
    content = files("templates").joinpath("pages", name).read_bytes()
    headers = {"Cache-Control": "max-age=3600"}
    return Response(content, media_type=_TYPES[name], headers=headers)
