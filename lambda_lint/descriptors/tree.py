"""YAML and JSON as a tree that knows its lines, whatever is in them.

PyYAML's event parser is driven directly: nothing is constructed, so no tag can make anything run,
and the tree is built without recursion and within a budget. An alias stands for the same node.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lambda_lint.finding import Span

MAX_NODES = 200_000
MAX_DEPTH = 100


class TreeError(ValueError):
    """Why a text is no tree; the message has the line."""


@dataclass(eq=False, slots=True)
class Node:
    """A scalar (`text`), a list (`elements`) or a mapping (`entries` with where their keys are).

    `line` and `column` are 1-based. `tag` is an own tag such as `!Sub`, with the exclamation mark.
    `style` is how a scalar is written: `|`, `>`, `"`, `'` or nothing.
    """

    line: int
    column: int
    text: str | None = None
    elements: list[Node] | None = None
    entries: dict[str, Node] | None = None
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    tag: str = ""
    style: str = ""
    end_line: int = 0
    end_column: int = 0

    @property
    def span(self) -> Span:
        """Where it stands: the whole of a scalar on one line, else its first character."""
        if self.text is not None and self.end_line == self.line:
            return Span(self.line, self.column, self.line, self.end_column)
        return Span(self.line, self.column, self.line, self.column + 1)

    def get(self, *path: str) -> Node | None:
        """Return what is under these keys, one below the other."""
        node: Node | None = self
        for key in path:
            if node is None or node.entries is None:
                return None
            node = node.entries.get(key)
        return node

    def string(self, *path: str) -> str | None:
        """Return the plain text under these keys: no intrinsic function, no list."""
        node = self.get(*path)
        return None if node is None or node.tag else node.text

    def items(self) -> Iterator[tuple[str, Node]]:
        """Yield the entries of a mapping."""
        yield from (self.entries or {}).items()

    def children(self) -> list[Node]:
        """Return the elements of a list."""
        return self.elements or []

    def key_span(self, key: str) -> Span:
        """Where a key of a mapping stands."""
        line, column = self.keys.get(key, (self.line, self.column))
        return Span(line, column, line, column + len(key))


def parse(text: str) -> list[Node]:
    """Return the documents of a YAML or JSON text. Raises TreeError.

    What a template engine would fill in (`%name%`, `{{ name }}`) is put aside only when the text is
    no YAML with it.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _documents(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        plain = _without_markers(text)
        if plain != text:
            try:
                return _documents(yaml.parse(plain, Loader=loader))
            except (yaml.YAMLError, ValueError, RecursionError):
                pass
        mark = getattr(error, "problem_mark", None)
        try:
            return [_of_json(json.loads(text), 0, [MAX_NODES])]
        except (ValueError, RecursionError):
            line = f"line {mark.line + 1}: " if mark is not None else ""
            raise TreeError(f"{line}{getattr(error, 'problem', None) or 'no YAML'}") from error
    except (ValueError, RecursionError) as error:
        raise TreeError(str(error)) from error


_STATEMENT = re.compile(r"^([ \t]*)\{%[^\n]*%\}[ \t]*$", re.MULTILINE)
_MARKER = re.compile(r"%[A-Za-z]\w*%|\{\{[^{}\n]*\}\}|<%[^%\n]*%>")


def _without_markers(text: str) -> str:
    """Return the text with what is no YAML replaced by as many characters that are."""
    text = _STATEMENT.sub(lambda match: "#" * len(match[0]), text)
    return _MARKER.sub(lambda match: "_" * len(match[0]), text)


def _documents(events: Iterator[object]) -> list[Node]:
    """Build the trees from what the parser says, one open node after the other on a stack."""
    import yaml

    documents: list[Node] = []
    stack: list[tuple[Node, list[Node]]] = []
    anchors: dict[str, Node] = {}
    budget = MAX_NODES
    for event in events:
        node: Node | None = None
        kind = type(event)
        if kind is yaml.ScalarEvent:
            start, end = event.start_mark, event.end_mark  # type: ignore[attr-defined]
            node = Node(
                start.line + 1,
                start.column + 1,
                text=event.value,  # type: ignore[attr-defined]
                tag=_own_tag(event.tag),  # type: ignore[attr-defined]
                style=event.style or "",  # type: ignore[attr-defined]
                end_line=end.line + 1,
                end_column=end.column + 1,
            )
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            start = event.start_mark  # type: ignore[attr-defined]
            node = Node(start.line + 1, start.column + 1, tag=_own_tag(event.tag))  # type: ignore[attr-defined]
            if kind is yaml.MappingStartEvent:
                node.entries = {}
            else:
                node.elements = []
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            finished, parts = stack.pop()
            _fill(finished, parts)
            _attach(finished, stack, documents)
            continue
        elif kind is yaml.AliasEvent:
            # An alias to a node around it is not known yet: it would make a circle.
            start = event.start_mark  # type: ignore[attr-defined]
            name = event.anchor  # type: ignore[attr-defined]
            alias = anchors.get(name) or Node(start.line + 1, start.column + 1, text="")
            if any(alias is one for one, _ in stack):
                alias = Node(start.line + 1, start.column + 1, text="")
            _attach(alias, stack, documents)
            continue
        elif kind is yaml.DocumentStartEvent:
            anchors = {}
        if node is None:
            continue
        budget -= 1
        if budget < 0:
            raise TreeError(f"more than {MAX_NODES} nodes")
        if event.anchor:  # type: ignore[attr-defined]
            anchors[event.anchor] = node  # type: ignore[attr-defined]
        if node.text is not None:
            _attach(node, stack, documents)
        else:
            if len(stack) >= MAX_DEPTH:
                raise TreeError(f"line {node.line}: nested more than {MAX_DEPTH} levels deep")
            stack.append((node, []))
    return documents


def _attach(node: Node, stack: list[tuple[Node, list[Node]]], documents: list[Node]) -> None:
    if stack:
        stack[-1][1].append(node)
    else:
        documents.append(node)


def _fill(node: Node, parts: list[Node]) -> None:
    if node.entries is None:
        node.elements = parts
        return
    for key, value in zip(parts[::2], parts[1::2], strict=False):
        if key.text is None:
            continue
        if key.text == "<<" and not key.style:
            merged = [value, *value.children()]
            for one in merged:
                for name, inner in one.items():
                    node.entries.setdefault(name, inner)
                    node.keys.setdefault(name, one.keys.get(name, (one.line, one.column)))
            continue
        # The last one of several equal keys wins, as in PyYAML and json.
        node.entries[key.text] = value
        node.keys[key.text] = (key.line, key.column)


def _own_tag(tag: object) -> str:
    return tag if isinstance(tag, str) and not tag.startswith("tag:yaml.org") and tag != "!" else ""


def _of_json(value: object, depth: int, budget: list[int]) -> Node:
    """Turn JSON that is no YAML (surrogate escapes, tabs) into a tree without lines."""
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise ValueError("too much")
    if isinstance(value, dict):
        return Node(1, 1, entries={k: _of_json(v, depth + 1, budget) for k, v in value.items()})
    if isinstance(value, list):
        return Node(1, 1, elements=[_of_json(one, depth + 1, budget) for one in value])
    return Node(1, 1, text=value if isinstance(value, str) else json.dumps(value), style='"')
