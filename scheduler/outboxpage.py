"""The demo's outbox as a page: every letter, the newest first, with links to its files."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Final

from scheduler.journal import Entry

PAGE: Final = "index.html"
STILL: Final = "still"
"""Asks for the page as it is, which then does not load itself anew."""

_HEAD: Final = """\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>督办演示：发件箱</title>
<style>
:root {{ color-scheme: light dark; --line: #d8dce1; --quiet: #57606a;
  --sheet: #fff; --ink: #1f2328; --link: #174f8b; }}
@media (prefers-color-scheme: dark) {{ :root {{ --line: #3a434e; --quiet: #a9b3bf;
  --sheet: #1b2026; --ink: #e6e9ed; --link: #8cc4ff; }} }}
body {{ background: var(--sheet); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 -apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC',
  sans-serif;
  max-width: 60rem; margin: 0 auto; padding: 1rem; }}
a {{ color: var(--link); }}
h1 {{ font-size: 1.25rem; margin: 0 0 .25rem; }}
p {{ color: var(--quiet); margin: 0 0 1rem; }}
ul {{ list-style: none; margin: 0; padding: 0; }}
li {{ border-top: 1px solid var(--line); border-left: 6px solid #8b949e; padding: .5rem .75rem; }}
li.blue {{ border-left-color: #1d5fa6; }}
li.yellow {{ border-left-color: #d9ab2b; }}
li.red {{ border-left-color: #b42318; }}
li.closing {{ border-left-color: #1a7f37; }}
.where {{ color: var(--quiet); font-size: .875rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>共 {count} 封，最新在前。点标题看函件，点“邮件”得原件（.eml）。{board}</p>
<ul>
"""
_BOARD: Final = '<a href="/wall">看晾晒</a>。打开任一提醒的“报送页”，交一份材料，晾晒上的灯就会变。'
_RUNNING: Final = f'<a href="./">自动刷新</a> · <a href="?{STILL}">不刷新</a>'
_TAIL: Final = "</ul>\n</main>\n</body>\n</html>\n"


class Page:
    """Gathers letters and writes the page into `folder`, whole or not at all.

    Where it is `served` beside the board it leads there.
    """

    def __init__(self, folder: Path, title: str, *, served: bool = False) -> None:
        self._folder, self._title, self._served = folder, title, served
        self._rows: list[str] = []

    def add(self, entry: Entry, html: str) -> None:
        """Write a letter's HTML beside its mail, and list it."""
        mail = entry.file.rpartition("/")[2]
        letter = mail.removesuffix(".eml") + ".html"
        (self._folder / letter).write_text(html, encoding="utf-8", newline="")
        when = entry.at[:16].replace("T", " ")
        self._rows.append(
            f'<li class="{entry.light or entry.kind}">'
            f'<a href="{escape(letter)}">{escape(entry.subject)}</a>'
            f'<div class="where">{when} 致 {escape(entry.recipient)} '
            f'&lt;{escape(entry.to)}&gt; · <a href="{escape(mail)}">邮件</a></div></li>\n'
        )

    def write(self, *, running: bool) -> None:
        """Write the page; `running` while letters are still to come."""
        board = _BOARD + (_RUNNING if running else "")
        head = _HEAD.format(
            title=escape(self._title),
            count=len(self._rows),
            board=board if self._served else "",
        )
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{PAGE}.part"
        part.write_text(head + "".join(reversed(self._rows)) + _TAIL, encoding="utf-8")
        part.replace(self._folder / PAGE)
