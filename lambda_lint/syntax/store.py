"""Trees as plain lists, to be kept as JSON.

The form is flat, so that neither writing nor reading recurses however deep a tree is:
`[form, strings, records]`. A record is one node, `[kind, line, column, lines, end, …fields]`, where
`kind` is an index into the sorted names of the node classes, `lines` is how many lines the span
goes down, and a field is

- a string as an index into `strings`, a list of strings as a list of indices;
- a list of nodes as the number of them, a single node as 1, or 0 where there is none;
- the value of a constant as it is, but a string as a list of one index.

The records are in the order of the tree, a node before its children. Whoever reads the last one
first therefore always has the children of a node on top of a stack.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Any

from lambda_lint.finding import Span
from lambda_lint.syntax import nodes


class StoreError(ValueError):
    """What was to be loaded is no stored tree."""


def dump(module: nodes.Module) -> list[Any]:
    """Return a tree as lists, numbers, strings and None."""
    strings: dict[str, int] = {}
    records: list[list[Any]] = []
    stack: list[nodes.Node] = [module]
    while stack:
        node = stack.pop()
        layout = _BY_TYPE[type(node)]
        line, column, end_line, end_column = node.span
        record: list[Any] = [layout.number, line, column, end_line - line, end_column]
        records.append(record)
        for name, kind, _, _ in layout.fields:
            value = getattr(node, name)
            if kind == _NODE:
                if value is None:
                    record.append(0)
                else:
                    record.append(1)
                    stack.append(value)
            elif kind == _NODES:
                record.append(len(value))
                stack.extend(value)
            elif kind == _WORD:
                record.append(None if value is None else strings.setdefault(value, len(strings)))
            elif kind == _WORDS:
                record.append([strings.setdefault(one, len(strings)) for one in value])
            elif kind == _SPAN:
                record.append(list(value))
            elif isinstance(value, str):
                record.append([strings.setdefault(value, len(strings))])
            else:
                record.append(value)
    return [_FORM, list(strings), records]


def load(value: object) -> nodes.Module:
    """Return the tree that `dump` has made a list of.

    Raises StoreError for everything else: each node gets the fields of its class with values of
    the right types, and nothing but data is made of what is read.
    """
    try:
        return _load(value)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"no stored tree: {type(error).__name__}: {error}") from None


def _load(value: Any) -> nodes.Module:
    form, strings, records = value
    if form != _FORM or type(records) is not list or type(strings) is not list:
        raise StoreError("a tree of another version")
    if not all(type(string) is str for string in strings):
        raise StoreError("a string that is none")
    stack: list[nodes.Node] = []
    for record in reversed(records):
        number, line, column, lines, end_column, *values = record
        if not (type(line) is type(column) is type(lines) is type(end_column) is int):
            raise StoreError("a span without numbers")
        layout = _LAYOUTS[_index(number)]
        if len(values) != len(layout.fields):
            raise StoreError(f"a {layout.type.__name__} with other fields")
        # The last field's nodes are on top of the stack.
        for at in range(len(values) - 1, -1, -1):
            _, kind, types, optional = layout.fields[at]
            found = values[at]
            if kind == _NODE:
                if found == 1:
                    found = stack.pop()
                    if not isinstance(found, types):
                        raise StoreError(f"a {type(found).__name__} in a {layout.type.__name__}")
                elif found == 0 and optional:
                    found = None
                else:
                    raise StoreError(f"a {layout.type.__name__} without a part")
            elif kind == _NODES:
                start = len(stack) - _index(found)
                if start < 0:
                    raise StoreError(f"a {layout.type.__name__} with missing parts")
                found = stack[start:]
                del stack[start:]
                for one in found:
                    if not isinstance(one, types):
                        raise StoreError(f"a {type(one).__name__} in a {layout.type.__name__}")
            elif kind == _WORD:
                found = None if found is None and optional else strings[_index(found)]
            elif kind == _WORDS:
                found = [strings[_index(one)] for one in _list(found)]
            elif kind == _SPAN:
                found = Span(*(_index(one) for one in _list(found)))
            elif type(found) is list and str in types:
                (one,) = found
                found = strings[_index(one)]
            elif type(found) not in types:
                raise StoreError(f"a {type(found).__name__} in a {layout.type.__name__}")
            values[at] = found
        span = Span(line, column, line + lines, end_column)
        stack.append(layout.type(span, *values))
    (module,) = stack
    if not isinstance(module, nodes.Module):
        raise StoreError("a tree without a module")
    return module


def _index(value: Any) -> int:
    if type(value) is int and value >= 0:
        return value
    raise StoreError(f"{value!r:.40} where a number is expected")


def _list(value: Any) -> list[Any]:
    if type(value) is list:
        return value
    raise StoreError(f"{value!r:.40} where a list is expected")


# What a field of a node class can be.
_NODE, _NODES, _WORD, _WORDS, _SPAN, _VALUE = range(6)

_Field = tuple[str, int, tuple[type, ...], bool]


@dataclass(frozen=True, slots=True)
class _Layout:
    """A node class: its number, and of each field the name, kind, allowed types and whether None
    is allowed."""

    number: int
    type: type[nodes.Node]
    fields: tuple[_Field, ...]


def _field(name: str, annotation: str) -> _Field:
    """Read the annotation of a field, as it is written in `nodes`."""
    words = annotation.split(" | ")
    optional = "None" in words
    if words[0] == "Span":
        return name, _SPAN, (), False
    if words in (["str"], ["str", "None"]):
        return name, _WORD, (), optional
    if words == ["list[str]"]:
        return name, _WORDS, (), False
    inner = words[0].removeprefix("list[").removesuffix("]")
    if inner in nodes.NODE_TYPES:
        kind = _NODES if words[0].startswith("list[") else _NODE
        return name, kind, (nodes.NODE_TYPES[inner],), optional
    return name, _VALUE, tuple(_PLAIN[word] for word in words), optional


_PLAIN: dict[str, type] = {
    "None": type(None),
    "bool": bool,
    "float": float,
    "int": int,
    "str": str,
}

_LAYOUTS = tuple(
    _Layout(
        number,
        nodes.NODE_TYPES[name],
        tuple(
            _field(one.name, str(one.type))
            for one in fields(nodes.NODE_TYPES[name])
            if one.name != "span"
        ),
    )
    for number, name in enumerate(sorted(nodes.NODE_TYPES))
)
_BY_TYPE = {layout.type: layout for layout in _LAYOUTS}

#: Differs as soon as a node class or one of its fields does.
_FORM = hashlib.blake2b(
    repr([(layout.type.__name__, layout.fields) for layout in _LAYOUTS]).encode(), digest_size=8
).hexdigest()
