"""Pages from templates: one environment for all, with the words that letters use too."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from duban.filenames import shown_name
from mailroom import words

_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "answer": words.answer,
    "day": words.day,
    "left": words.left,
    "light_word": words.light_word,
    "moment": words.moment,
    "name": words.name,
    "notes": words.notes,
    "shown_name": shown_name,
    "stamp": words.stamp,
    "when": words.when,
}


class Pages:
    """Renders `templates/pages`. `root` stands before the paths of all links."""

    def __init__(self, root: str = "") -> None:
        self._environment = Environment(
            loader=FileSystemLoader(str(files("templates").joinpath("pages"))),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["root"] = root
        self._environment.filters |= _FILTERS | {"megabytes": megabytes}

    def text(self, template: str, **values: Any) -> str:
        """A page's HTML."""
        return self._environment.get_template(template).render(values)

    def response(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page as an answer."""
        return HTMLResponse(self.text(template, **values), status)

    def message(self, status: int, title: str, text: str) -> HTMLResponse:
        """A page that says one thing."""
        return self.response("message.html", status, title=title, text=text)


def megabytes(size: int) -> str:
    """A number of bytes as people read it."""
    if size >= 1_000_000:
        return f"{size / 1_000_000:.3g} MB"
    return f"{max(size // 1000, 1)} KB" if size else "空文件"
