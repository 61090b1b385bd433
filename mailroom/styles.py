"""Templates from the office's folder or ours, their classes turned into inline styles as they load.

Mail programs ignore style sheets, so each `class="a b"` of an HTML template gets the `style` that
`letter.css` gives those classes. css-inline works it out once per class when the template is read:
doing so for every letter costs more than rendering it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from css_inline import CSSInliner
from jinja2 import BaseLoader, Environment, TemplateNotFound, TemplateSyntaxError

import templates

STYLESHEET = "letters/letter.css"
MAX_TEMPLATE_BYTES = 100_000
_OURS = Path(templates.__file__).parent
_TAG = re.compile(r"<[a-z][a-z0-9]*\b[^<>]*>")
_CLASS = re.compile(r'\sclass="([\w -]+)"')
_STYLE = re.compile(r'\sstyle="([^"]*)"')

Source = tuple[str, str, Callable[[], bool]]


class LetterLoader(BaseLoader):
    """Loads templates: a file of the office's folder goes before ours of the same name."""

    def __init__(self, folder: Path | None) -> None:
        self.folders = (*([folder] if folder else []), _OURS)
        self._style = lru_cache(maxsize=None)(self._work_out)
        self._inliner = CSSInliner(
            load_remote_stylesheets=False,
            extra_css=self.read(STYLESHEET)[0],
            inline_style_tags=False,
        )

    def read(self, name: str) -> tuple[str, Path]:
        """The text of a template and its file; raises TemplateNotFound or TemplateSyntaxError."""
        for folder in self.folders:
            path = folder / name
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                return _text(path, name), path
        raise TemplateNotFound(name)

    def get_source(self, environment: Environment, template: str) -> Source:
        """The source for Jinja2, with styles where it is HTML; never reloaded."""
        source, path = self.read(template)
        if template.endswith(".html"):
            source = self._styled(source, template, path)
        return source, str(path), lambda: True

    def _styled(self, source: str, name: str, path: Path) -> str:
        def tag(match: re.Match[str]) -> str:
            text = match[0]
            classes = _CLASS.search(text)
            if classes is None:
                return text
            if _STYLE.search(text):
                line = source.count("\n", 0, match.start()) + 1
                said = "a tag has class=… or style=…, not both"
                raise TemplateSyntaxError(said, line, name, str(path))
            style = self._style(classes[1])
            styled = f' style="{style}"' if style else ""
            return text[: classes.end()] + styled + text[classes.end() :]

        return _TAG.sub(tag, source)

    def _work_out(self, classes: str) -> str:
        inlined = self._inliner.inline(f'<div class="{classes}"></div>')
        style = _STYLE.search(inlined)
        return style[1] if style else ""


def _text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > MAX_TEMPLATE_BYTES:
            raise TemplateSyntaxError("the template is larger than 100 kB", 1, name, str(path))
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        said = "the file is not UTF-8: save it as UTF-8"
        raise TemplateSyntaxError(said, 1, name, str(path)) from error
    except OSError as error:
        said = f"cannot be read: {error.strerror}"
        raise TemplateSyntaxError(said, 1, name, str(path)) from error
