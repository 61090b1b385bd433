"""A Jinja2 environment in which an office's own template can neither hang, grow nor look around.

What bounds a rendering is counted, not timed, so that the same facts always give the same letter:
every turn of a loop, call and inclusion is a step, and no value may grow past a size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any, Final, cast

from jinja2 import BaseLoader, StrictUndefined, Template, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from duban.facts import DigestFacts, ItemFacts, Sent
from mailroom.groups import SectionItems

MAX_STEPS = 20_000
MAX_CHARACTERS = 200_000
MAX_RANGE = 1_000

# fmt: off
_FILTERS = frozenset((
    "abs", "count", "d", "default", "e", "escape", "first", "groupby", "int", "items", "join",
    "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse",
    "round", "select", "selectattr", "sort", "string", "sum", "title", "trim", "truncate", "unique",
    "upper", "urlencode",
))
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset((
        "startswith", "endswith", "strip", "lstrip", "rstrip", "upper", "lower", "split",
        "splitlines", "count", "find", "isdigit",
    )),
    bytes: frozenset(),
    date: frozenset(("date", "time", "weekday", "isoweekday", "isoformat")),
    timedelta: frozenset(),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
    dict: frozenset(("get", "items", "keys", "values")),
}
# fmt: on
_FIELDS: dict[type, frozenset[str]] = {
    kind: frozenset(kind._fields) for kind in (ItemFacts, DigestFacts, Sent, SectionItems)
}


def _is_html(name: str | None) -> bool:
    return name is None or name.endswith(".html")


OPTIONS: Final[dict[str, Any]] = {
    "autoescape": _is_html,
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
    "auto_reload": False,
    "cache_size": -1,
}


class TooMuchWorkError(SecurityError):
    """A template took more steps, or made a longer text, than a letter can need."""


class LetterEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox for letters. One rendering at a time: `begin()` gives it a budget of steps."""

    intercepted_binops = frozenset(("*", "**", "+", "%", "//"))

    def __init__(self, loader: BaseLoader, filters: dict[str, Callable[..., Any]]) -> None:
        super().__init__(loader=loader, **OPTIONS)
        self.steps = 0
        self.filters = {n: f for n, f in self.filters.items() if n in _FILTERS} | filters
        self.filters |= {"_counted": self._counted, "_bounded": bounded}
        self.globals = {"range": _range, "namespace": self.globals["namespace"]}

    def begin(self) -> None:
        """Give the rendering that starts now its budget of steps."""
        self.steps = MAX_STEPS

    def step(self) -> None:
        """Take one step; raises TooMuchWorkError when none is left."""
        self.steps -= 1
        if self.steps < 0:
            raise TooMuchWorkError(
                "the template loops too long for a letter: is there an endless loop?"
            )

    def _counted(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.step()
            yield value

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = _through(loop.iter, "_counted")
        for assigned in tree.find_all(nodes.AssignBlock):
            assigned.filter = _through(assigned.filter, "_bounded")
        return cast(nodes.Template, _Concatenations().visit(tree))

    def get_template(
        self, name: str | Template, parent: str | None = None, globals: Any = None
    ) -> Template:
        """The compiled template; an inclusion asks for it at every turn and so takes a step."""
        self.step()
        return super().get_template(name, parent, globals)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro, method or global as the sandbox allows it; one step."""
        self.step()
        return bounded(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add numbers and texts; multiply numbers only."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator != "+" and not numbers:
            raise SecurityError(f"a letter's template may use '{operator}' on numbers only")
        if operator in ("*", "**") and max(abs(left), abs(right)) > 10_000:
            raise TooMuchWorkError(f"the numbers around '{operator}' are too large for a letter")
        return bounded(super().call_binop(context, operator, left, right))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An attribute as the sandbox allows it; fields of our own facts need no further look."""
        if attribute in _FIELDS.get(type(obj), ()):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def wrap_str_format(self, value: Any) -> None:
        """No `str.format`: its widths make a text of any length."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Fields of plain values, and those methods of theirs that cannot grow a text."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        for kind, methods in _METHODS.items():
            if isinstance(obj, kind):
                return attr in methods or not callable(value)
        return True


def bounded(value: Any) -> Any:
    """The value itself; raises TooMuchWorkError for a text or list too long for a letter."""
    if isinstance(value, str | list | tuple | bytes) and len(value) > MAX_CHARACTERS:
        raise TooMuchWorkError(
            f"the template makes a text of more than {MAX_CHARACTERS} characters"
        )
    return value


class _Concatenations(NodeTransformer):
    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802, the visitor's name
        """Bound each `a ~ b`, the one operator that the sandbox does not intercept."""
        return _through(self.generic_visit(node), "_bounded")


def _through(node: Any, filter_name: str) -> nodes.Filter:
    return nodes.Filter(node, filter_name, [], [], None, None, lineno=getattr(node, "lineno", 1))


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MAX_RANGE:
        raise TooMuchWorkError(f"a range in a letter's template has at most {MAX_RANGE} numbers")
    return numbers
