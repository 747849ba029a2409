"""Texts and paths that Python code writes with constants, as far as one file tells."""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Mapping

from lambda_lint.syntax import nodes

PROJECT = "/\0"
"""What a path begins with that was made from `__file__`: the root of the project."""

_DEEPEST = 12
_LONGEST = 4096
_SAME = frozenset({"abspath", "realpath", "normpath", "str", "fspath", "Path", "PurePath"})
_SAME_METHODS = frozenset({"resolve", "absolute", "as_posix", "__str__", "expanduser"})


class Texts:
    """The constants of one file. A name that is bound twice is none."""

    def __init__(self, path: str, tree: nodes.Module) -> None:
        """Take the file's path from the root, and its tree."""
        self.path = path
        self._bound: dict[str, nodes.Expression | None] = {}
        self._known: dict[str, str | None] = {}
        for node in nodes.walk(tree):
            match node:
                case nodes.Assign(targets=[target], value=value):
                    self._bind(target, value)
                case nodes.AnnotatedAssign(target=target, value=value) if value is not None:
                    self._bind(target, value)

    def _bind(self, target: nodes.Expression, value: nodes.Expression) -> None:
        name = nodes.dotted(target)
        if name:
            self._bound[name] = None if name in self._bound else value

    def given(self, values: Mapping[str, nodes.Expression]) -> Texts:
        """Return the constants as a function sees them whose parameters are given these values."""
        inner = copy.copy(self)
        inner._bound = {**self._bound, **values}
        inner._known = {}
        return inner

    def of(self, node: nodes.Expression | None, depth: int = 0) -> str | None:
        """Return the text of an expression, None where it is not known."""
        if node is None or depth > _DEEPEST:
            return None
        match node:
            case nodes.Constant(kind="str", value=str(text)):
                return text
            case nodes.FormattedString(parts=parts):
                return self._joined([self.of(one, depth + 1) for one in parts], "")
            case nodes.BinaryOperation(left=left, operator="+", right=right):
                return self._joined([self.of(left, depth + 1), self.of(right, depth + 1)], "")
            case nodes.BinaryOperation(left=left, operator="/", right=right):
                return self._path([self.of(left, depth + 1), self.of(right, depth + 1)])
            case nodes.Name(id="__file__"):
                return f"{PROJECT}/{self.path}"
            case nodes.Call():
                return self._call(node, depth)
            case nodes.Subscript(
                value=nodes.Attribute(value=value, attr="parents"),
                index=nodes.Constant(value=int(steps)),
            ) if 0 <= steps < 10:
                place = self.of(value, depth + 1)
                for _ in range(steps + 1):
                    place = posixpath.dirname(place) if place is not None else None
                return place
            case nodes.Attribute(value=value, attr="parent"):
                above = self.of(value, depth + 1)
                return posixpath.dirname(above) if above is not None else None
            case nodes.Attribute(attr="pardir"):
                return ".."
        name = nodes.dotted(node) or ""
        if name not in self._known:
            # What leads back to itself is unknown.
            self._known[name] = None
            bound = self._bound.get(name)
            found = self.of(bound, depth + 1) if bound is not None else None
            self._known[name] = found if found is not None and len(found) <= _LONGEST else None
        return self._known[name]

    def tail(self, node: nodes.Expression | None) -> str | None:
        """Return the end of a path whose beginning is not known: `src/bot` of `ROOT / "src/bot"`.

        None when the beginning is known too, or nothing is.
        """
        node = self.value(node)
        parts: list[nodes.Expression] = []
        match node:
            case nodes.Call(arguments=[nodes.Argument(value=one)]) if _is_same(node):
                return self.tail(one)
            case nodes.BinaryOperation(left=left, operator="/" | "+", right=right):
                before = self.tail(left)
                after = self.of(right)
                return None if after is None else posixpath.join(before or "", after.lstrip("/"))
            case nodes.Call(func=nodes.Attribute(attr="join" | "joinpath"), arguments=given):
                parts = [one.value for one in given]
            case nodes.FormattedString(parts=pieces):
                parts = pieces
        known: list[str] = []
        for part in reversed(parts):
            text = self.of(part)
            if text is None:
                break
            known.insert(0, text)
        written = "".join(known) if isinstance(node, nodes.FormattedString) else "/".join(known)
        return posixpath.normpath(written).lstrip("/") if written.strip("/.") else None

    def value(self, node: nodes.Expression | None) -> nodes.Expression | None:
        """Return what a name is bound to, or the expression itself."""
        for _ in range(_DEEPEST):
            bound = self._bound.get(nodes.dotted(node) or "") if node is not None else None
            if bound is None:
                return node
            node = bound
        return None

    def _call(self, node: nodes.Call, depth: int) -> str | None:
        name = (nodes.dotted(node.func) or "").rpartition(".")[2]
        if isinstance(node.func, nodes.Attribute):
            name = node.func.attr
        given = [self.of(one.value, depth + 1) for one in node.arguments if not one.name]
        if name in ("join", "joinpath"):
            if name == "joinpath" and isinstance(node.func, nodes.Attribute):
                given = [self.of(node.func.value, depth + 1), *given]
            return self._path(given)
        if name in _SAME and given:
            return self._path(given)
        if name == "dirname" and given:
            return None if given[0] is None else posixpath.dirname(given[0])
        if name in ("getcwd", "cwd") and not given:
            return "."
        if name in _SAME_METHODS and isinstance(node.func, nodes.Attribute):
            return self.of(node.func.value, depth + 1)
        return None

    def _path(self, parts: list[str | None]) -> str | None:
        known = [one for one in parts if one is not None]
        if len(known) != len(parts) or not known:
            return None
        return posixpath.normpath(posixpath.join(*known))

    def _joined(self, parts: list[str | None], delimiter: str) -> str | None:
        known = [one for one in parts if one is not None]
        return delimiter.join(known) if len(known) == len(parts) else None


def _is_same(call: nodes.Call) -> bool:
    return (nodes.dotted(call.func) or "").rpartition(".")[2] in _SAME


def argument(call: nodes.Call, name: str, position: int | None = None) -> nodes.Expression | None:
    """Return an argument by its name, or by its position among those without one."""
    for one in call.arguments:
        if one.name == name:
            return one.value
    if position is not None:
        positional = [one.value for one in call.arguments if not one.name and not one.star]
        if position < len(positional):
            return positional[position]
    return None
