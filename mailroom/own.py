"""A Jinja2 environment for our own letter templates: no guard, and each template in one piece.

Jinja2 calls a function for each block and macro, and makes objects of what it gives: more than half
of a letter's rendering. So the base's text is put around the blocks, and a macro's where it is
called, when a template is read. It gives the same text as the guard's environment, where an office
may word letters its own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from copy import deepcopy
from typing import Any, cast

from jinja2 import BaseLoader, Environment, Template, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from mailroom.sandbox import OPTIONS

_SPECIAL = re.compile("[&<>\"']")
_Macros = Mapping[str, nodes.Macro]


def escaped(value: Any) -> str:
    """A value as HTML, as `markupsafe.escape` has it; what needs no escaping stays as it is."""
    if type(value) is Markup or (type(value) is str and not _SPECIAL.search(value)):
        return value
    return escape(value)


class OwnEnvironment(Environment):
    """Reads our own templates.

    They extend one base by its name, call macros only where their text is to stand (their own, or
    those of `parts`), and name nothing in a macro or block that means another thing around it.
    """

    def __init__(self, loader: BaseLoader, filters: dict[str, Callable[..., Any]]) -> None:
        super().__init__(loader=loader, **OPTIONS)
        self.filters |= filters
        self.globals = {}  # they would be copied for every letter

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """What a template may name besides a letter's facts; a chain is slower for every letter."""
        return d or {}

    def begin(self) -> None:
        """Nothing is counted."""

    def get_template(
        self, name: str | Template, parent: str | None = None, globals: Any = None
    ) -> Template:
        """The compiled template."""
        template = super().get_template(name, parent, globals)
        # what compiled HTML asks for every value: markupsafe's own makes two objects of each
        template.root_render_func.__globals__["escape"] = escaped
        return template

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        part = (name or "").rpartition(".")[2]
        if name == f"letters/parts.{part}":
            return tree
        own, parts = _macros(tree), {} if part == "subject" else self._parts(part)
        extends = tree.find(nodes.Extends)
        if extends is not None:
            blocks = {block.name: block.body for block in tree.find_all(nodes.Block)}
            tree = self._read(cast(nodes.Const, extends.template).value)
            _Blocks(blocks).visit(tree)
        return cast(nodes.Template, _Calls(own, parts).visit(tree))

    def _parts(self, part: str) -> _Macros:
        return _macros(self._read(f"letters/parts.{part}"))

    def _read(self, name: str) -> nodes.Template:
        source, filename, _ = cast(BaseLoader, self.loader).get_source(self, name)
        return super()._parse(source, name, filename)


def _macros(tree: nodes.Template) -> _Macros:
    return {macro.name: macro for macro in tree.find_all(nodes.Macro)}


class _Blocks(NodeTransformer):
    def __init__(self, blocks: Mapping[str, list[nodes.Node]]) -> None:
        self._blocks = blocks

    def visit_Block(self, node: nodes.Block) -> list[nodes.Node]:  # noqa: N802, the visitor's name
        return self._blocks.get(node.name, node.body)


class _Calls(NodeTransformer):
    """Puts the body of a macro where it is called, its arguments as variables of that piece."""

    def __init__(self, macros: _Macros, parts: _Macros) -> None:
        self._macros, self._parts = macros, parts

    def visit_Macro(self, node: nodes.Macro) -> None:  # noqa: N802
        """Nothing calls it any more."""

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:  # noqa: N802
        pieces: list[nodes.Node] = []
        for said in node.nodes:
            macro = self._called(said)
            if macro is not None:
                pieces.append(self._inlined(macro, cast(nodes.Call, said)))
            elif pieces and isinstance(pieces[-1], nodes.Output):
                pieces[-1].nodes.append(said)
            else:
                pieces.append(nodes.Output([said], lineno=node.lineno))
        return pieces

    def _called(self, said: nodes.Node) -> nodes.Macro | None:
        if not isinstance(said, nodes.Call):
            return None
        if isinstance(said.node, nodes.Name):
            return self._macros[said.node.name]
        return self._parts[cast(nodes.Getattr, said.node).attr]

    def _inlined(self, macro: nodes.Macro, call: nodes.Call) -> nodes.With:
        names = [argument.name for argument in macro.args]
        given = dict(zip(reversed(names), reversed(macro.defaults), strict=False))
        given |= dict(zip(names, call.args, strict=False))
        given |= {keyword.key: keyword.value for keyword in call.kwargs}
        targets: list[nodes.Expr] = [nodes.Name(name, "param") for name in given]
        known = self._parts if self._parts.get(macro.name) is macro else self._macros
        environment = cast(Environment, macro.environment)
        body = deepcopy(macro.body, {id(environment): environment})  # all of it but that
        piece = nodes.With(targets, list(given.values()), body, lineno=call.lineno)
        piece.set_environment(environment)
        return cast(nodes.With, _Calls(known, self._parts).generic_visit(piece))
