"""What an office's folder of templates holds that no letter is worded by."""

from __future__ import annotations

from pathlib import Path

import templates
from config.problems import Problem
from config.suggest import did_you_mean

_OURS = Path(templates.__file__).parent
_SUFFIXES = frozenset({".txt", ".html", ".subject", ".css"})
_KNOWN = frozenset(f"letters/{path.name}" for path in (_OURS / "letters").iterdir())


def idle(folder: Path) -> list[Problem]:
    """Templates in `folder` that no letter and no other template uses; or that there is none.

    A misspelt one would else be passed over, and ours sent in its place.
    """
    found = [path for place in (folder, folder / "letters") for path in _templates(place)]
    names = {path.relative_to(folder).as_posix(): path for path in found}
    texts = {name: path.read_text("utf-8", "replace") for name, path in names.items()}
    problems = []
    for name, path in names.items():
        others = "\n".join(text for other, text in texts.items() if other != name)
        if name not in _KNOWN and f"'{name}'" not in others and f'"{name}"' not in others:
            problems.append(Problem(str(path), 1, 1, _said(name)))
    if not problems and _KNOWN.isdisjoint(names):
        said = "no letter's template is in this folder: put them into letters/, named as ours are"
        problems.append(Problem(str(folder), 1, 1, f"{said}, such as letters/reminder.txt"))
    return problems


def _templates(place: Path) -> list[Path]:
    """The files of a folder that look like templates, in the order of their names."""
    if not place.is_dir():
        return []
    return sorted(
        path
        for path in place.iterdir()
        if path.suffix in _SUFFIXES
        and path.stem.lower() != "readme"
        and not path.name.startswith(".")
        and path.is_file()
    )


def _said(name: str) -> str:
    inside = f"letters/{name}"
    if inside in _KNOWN:
        return f"no letter uses a template here: move it to {inside}"
    return f"no letter uses this template{did_you_mean(name, sorted(_KNOWN))}"
