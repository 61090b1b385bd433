"""Who is called what in a plan, as written: an entry with a mistake has its name, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel

from config.model import Holder, Milestone, Official, PlanFile, Project, Rule, Section
from config.yamltext import Path

Kind = Literal["section name", "post", "id", "ladder"]


def keys_of(model: type[BaseModel]) -> frozenset[str]:
    """The keys that a mapping of this kind may have, as they are written in the file."""
    return frozenset(f.alias or name for name, f in model.model_fields.items())


_KEYS: Final[Mapping[type[BaseModel], frozenset[str]]] = {
    m: keys_of(m) for m in (Holder, Milestone, Official, PlanFile, Project, Rule, Section)
}
_ITEMS: Final[Mapping[str, type[BaseModel]]] = {
    "rules": Rule,
    "milestones": Milestone,
    "projects": Project,
}
_LISTS: Final[Mapping[str, Kind]] = {
    "officials": "post",
    "sections": "section name",
    **dict.fromkeys(_ITEMS, "id"),
}
_NEEDED: Final = frozenset({"officials", "sections"})


@dataclass(frozen=True)
class Clash:
    """A name that two entries have: where the second gives it, and where the first did."""

    kind: Kind
    name: str
    path: Path
    first: Path


class Names:
    """The names of sections, officials, items and ladders, and which of these are in doubt."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.sections: dict[str, str] = {}
        """Each name, full name and alias of a section: its short name."""
        self.posts: dict[str, set[str]] = {}
        """Each post and each holder's name: the posts that it may mean."""
        self.items: dict[str, Path] = {}
        self.ladders: frozenset[str] = frozenset()
        self.clashes: list[Clash] = []
        self.doubtful: set[Kind] = set()
        """The kinds of which some names are missing or clash: an unknown one may follow from it."""
        self.perhaps: set[str] = set()
        """Texts under misspelt keys, which may be names."""
        self._first: dict[tuple[Kind, str], Path] = {}
        self._doubt_lists(raw)
        for path, entry in entries(raw, "sections"):
            self._section(path, entry)
        for path, entry in entries(raw, "officials"):
            self._official(path, entry)
        for key, model in _ITEMS.items():
            for path, entry in entries(raw, key):
                self._item(path, entry, model)

    def excused(self, kind: Kind, name: str) -> bool:
        """Whether that `name` is unknown may follow from a mistake reported elsewhere."""
        return kind in self.doubtful or name in self.perhaps

    def _doubt_lists(self, raw: Mapping[str, Any]) -> None:
        """Doubt what stands in a list that is none, or that a misspelt key may hold."""
        misspelt = not raw.keys() <= _KEYS[PlanFile]
        for key, kind in _LISTS.items():
            listed = raw.get(key)
            if listed is None:
                whole = key not in _NEEDED and not misspelt
            else:
                whole = isinstance(listed, list) and all(isinstance(e, dict) for e in listed)
            if not whole:
                self.doubtful.add(kind)
        ladders = raw.get("ladders")
        if isinstance(ladders, dict):
            self.ladders = frozenset(ladders)
        elif ladders is not None or misspelt:
            self.doubtful.add("ladder")

    def _section(self, path: Path, entry: dict[str, Any]) -> None:
        own = [("name", name) for name in texts(entry.get("name"))]
        self._expect("section name", own, entry, Section)
        own += [("full_name", name) for name in texts(entry.get("full_name"))]
        for where, name in own:
            self._give("section name", (*path, where), name)
        aliases = entry.get("aliases")
        for index, alias in enumerate(aliases if isinstance(aliases, list) else [aliases]):
            for name in texts(alias):
                self._give("section name", (*path, "aliases", index), name)
                own.append(("aliases", name))
        for _, name in own:
            self.sections.setdefault(name, own[0][1])

    def _official(self, path: Path, entry: dict[str, Any]) -> None:
        posts = texts(entry.get("post"))
        self._expect("post", posts, entry, Official)
        for post in posts:
            self._give("post", (*path, "post"), post)
            self.posts.setdefault(post, set()).add(post)
        held = list(entries(entry, "holders"))
        if not held:
            self.doubtful.add("post")
        for _, holder in held:
            names = texts(holder.get("name"))
            self._expect("post", names, holder, Holder)
            for name in names:
                self.posts.setdefault(name, set()).update(posts)

    def _item(self, path: Path, entry: dict[str, Any], model: type[BaseModel]) -> None:
        ids = texts(entry.get("id"))
        self._expect("id", ids, entry, model)
        for name in ids:
            self._give("id", (*path, "id"), name)
            self.items.setdefault(name, path)

    def _expect(
        self, kind: Kind, found: Sized, entry: dict[str, Any], model: type[BaseModel]
    ) -> None:
        """Note the texts under an entry's unknown keys; without them and a name, doubt the kind."""
        strange = [key for key in entry if key not in _KEYS[model]]
        perhaps = {t for key in strange for t in texts(entry[key])}
        perhaps |= {t.strip() for key in strange for t in key.split("：")[1:]}
        self.perhaps |= perhaps
        if not found and not perhaps:
            self.doubtful.add(kind)

    def _give(self, kind: Kind, path: Path, name: str) -> None:
        first = self._first.setdefault((kind, name), path)
        if first[:2] != path[:2]:
            self.clashes.append(Clash(kind, name, path, first))
            self.doubtful.add(kind)


def entries(raw: Any, key: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The mappings in the list under `key`, with their paths, whatever else stands there."""
    listed = raw.get(key) if isinstance(raw, dict) else None
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict):
            yield (key, index), entry


def texts(value: Any) -> list[str]:
    """The texts, but for blank ones, in a value that is to be one text or a list of them."""
    listed = value if isinstance(value, list) else [value]
    return [v for v in listed if isinstance(v, str) and v.strip()]
