"""Python that is written inside of a template, as a file of its own with a way back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lambda_lint.descriptors.intrinsics import call_of
from lambda_lint.descriptors.tree import Node
from lambda_lint.finding import Span
from lambda_lint.source import Source

_VARIABLE = re.compile(r"\$\{(!?)([^}\n]*)\}")
_MOST_LINES = 100_000


@dataclass(frozen=True, slots=True)
class Inline:
    """The code of one function in a template.

    `path` is what the code is called as a file of the project, `text` the code. `places` has for
    each of its lines the line of the template (1-based), the column of its first character, and
    whether the characters that follow are the same ones.
    """

    path: str
    template: str
    text: str
    places: tuple[tuple[int, int, bool], ...]

    @property
    def source(self) -> Source:
        """The code as a file."""
        return Source(self.path, self.text.encode("utf-8", "surrogatepass"))

    def place(self, span: Span) -> Span:
        """Return where a stretch of the code is in the template."""
        line, column = self._point(span.line, span.column)
        end_line, end_column = self._point(span.end_line, span.end_column)
        if (end_line, end_column) <= (line, column):
            end_line, end_column = line, column + 1
        return Span(line, column, end_line, end_column)

    def _point(self, line: int, column: int) -> tuple[int, int]:
        if not self.places:
            return 1, 1
        at, first, exact = self.places[min(line, len(self.places)) - 1]
        return at, first + column - 1 if exact else first


def read_inline(node: Node | None, path: str, template: str, lines: Sequence[str]) -> Inline | None:
    """Return the code that a value of a template is, None if it is not written in the template.

    `lines` are those of the template. What `Sub` would replace becomes a name of the same length,
    which is Python wherever the value would be; what else is computed becomes `None`.
    """
    if node is None:
        return None
    name, argument = call_of(node)
    if name == "Sub":
        text = argument if argument.text is not None else next(iter(argument.children()), None)
        return None if text is None else _of_scalar(text, path, template, lines, is_sub=True)
    if name == "Join":
        return _of_join(argument, path, template)
    if name is not None or node.text is None:
        return None
    return _of_scalar(node, path, template, lines, is_sub=False)


def of_literal(text: str, span: Span, path: str, program: str, lines: Sequence[str]) -> Inline:
    """Return the code that a string literal of a Python program is, at `span`.

    `text` is its value, or the value without the indentation that all of its lines have. `lines`
    are those of the program.
    """
    places: list[tuple[int, int, bool]] = []
    for index, line in enumerate(text.split("\n")):
        number = min(span.line + index, span.end_line)
        written = lines[number - 1] if number <= len(lines) else ""
        # The first line ends where the literal does, if it has no other.
        column = written.rfind(line) if index else written.find(line, span.column)
        exact = bool(line) and column >= 0 and number == span.line + index
        if exact:
            places.append((number, column + 1, True))
        else:
            places.append((number, span.column if number == span.line else 1, False))
    return Inline(path, program, text, tuple(places))


def _of_scalar(
    node: Node, path: str, template: str, lines: Sequence[str], *, is_sub: bool
) -> Inline | None:
    text = node.text
    if text is None or text.count("\n") > _MOST_LINES:
        return None
    places: list[tuple[int, int, bool]] = []
    for index, line in enumerate(text.split("\n")):
        number = node.line + 1 + index
        written = lines[number - 1] if number <= len(lines) else ""
        if node.style == "|" and written.endswith(line):
            places.append((number, len(written) - len(line) + 1, True))
        elif node.style == "|":
            places.append((number, 1, False))
        else:
            is_first = index == 0 and node.style in ('"', "'", "")
            first = node.column + (1 if node.style in ('"', "'") else 0)
            places.append((node.line, first, is_first))
    if is_sub:
        text = _VARIABLE.sub(_placeholder, text)
    return Inline(path, template, text, tuple(places))


def _of_join(node: Node, path: str, template: str) -> Inline | None:
    parts = node.children()
    if len(parts) != 2 or parts[1].elements is None or len(parts[1].elements) > _MOST_LINES:
        return None
    delimiter = parts[0].text or ""
    text = ""
    places: list[tuple[int, int, bool]] = []
    for index, one in enumerate(parts[1].children()):
        written = one.text if call_of(one)[0] is None and one.text is not None else "None"
        piece = written if index == 0 else delimiter + written
        if not places:
            places.append((one.line, one.column + 1, True))
        first = text.count("\n")
        text += piece
        for number in range(first + 1, text.count("\n") + 1):
            # The line after the delimiter begins with this very text; lines within it are escaped.
            is_own = number == first + 1 and delimiter == "\n" and index > 0
            places.append((one.line, one.column + 1, is_own))
    return Inline(path, template, text, tuple(places)) if text else None


def _placeholder(match: re.Match[str]) -> str:
    if match[1]:
        return "${" + match[2] + "}"
    return re.sub(r"\W", "_", match[0])
