"""Where a LibCST node stands in the file.

LibCST's nodes do not know their places, and its `PositionProvider` finds them by printing the
tree again, which costs as much as the parse. Here the lowering goes through the tree in the order
of the source and, beside it, through the tokens that `scan` has found: whoever lowers a node
steps over exactly the tokens that this node owns itself. A node begins with its first and ends
with its last token. Each name is compared with its token, so that the two cannot drift apart
unnoticed.
"""

from __future__ import annotations

import re
from typing import Any

from lambda_lint.finding import Span
from lambda_lint.syntax.scan import Scan


class LoweringError(Exception):
    """The file cannot be lowered. `line` and `column` are 1-based."""

    def __init__(self, line: int, column: int, message: str) -> None:
        """Keep the place and the message."""
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message


class Cursor:
    """A place in the tokens of a file, and the dispatch to the methods for LibCST's nodes."""

    def __init__(self, scan: Scan) -> None:
        """Begin at the first token."""
        self.words = scan.words
        self.places = scan.places
        #: The token that comes next.
        self.at = 0
        self._text = scan.text
        self._line_starts: list[int] = []
        #: An unparenthesised tuple may end with a comma, which is no token: the number of the
        #: token behind it, and where the comma ends.
        self._comma_at = -1
        self._comma_end = (0, 0)
        self.methods = _Methods(self)

    def span(self, first: int) -> Span:
        """The span from a token up to the last one that was stepped over."""
        line, column, _, _ = self.places[first]
        if self._comma_at == self.at:
            return _new(Span, (line, column, *self._comma_end))
        _, _, end_line, end_column = self.places[self.at - 1]
        return _new(Span, (line, column, end_line, end_column))

    def leaf(self) -> Span:
        """Step over one token; return its span."""
        at = self.at
        self.at = at + 1
        return _new(Span, self.places[at])

    def expect(self, word: str) -> Span:
        """Step over one token that must be this name; return its span."""
        at = self.at
        if at >= len(self.words) or self.words[at] != word:
            raise self.lost()
        self.at = at + 1
        return _new(Span, self.places[at])

    def between(self) -> Span:
        """The span between the last token and the next, which are on both sides of a string."""
        _, _, line, column = self.places[self.at - 1]
        end_line, end_column, _, _ = self.places[self.at]
        return _new(Span, (line, column, end_line, end_column))

    def step_over_comma(self) -> None:
        """Let the node end behind the last comma before the next token."""
        self._comma_end = self._after(self.places[self.at - 1][2:], _TO_LAST_COMMA)
        self._comma_at = self.at

    def colon(self, behind: tuple[int, int], count: int = 1) -> tuple[int, int]:
        """Where the `count`-th colon behind a line and column ends, within a subscript."""
        for _ in range(count):
            behind = self._after(behind, _TO_COLON)
        return behind

    def _after(self, place: tuple[int, int], pattern: re.Pattern[str]) -> tuple[int, int]:
        if not self._line_starts:
            ends = re.finditer("\n", self._text)
            self._line_starts = [0, *(match.end() for match in ends)]
        line, column = place
        start = self._line_starts[line - 1] + column - 1
        match = pattern.match(self._text, start)
        if not match:
            raise self.lost()
        line += self._text.count("\n", start, match.end())
        return line, match.end() - self._line_starts[line - 1] + 1

    def unreadable(self, message: str) -> LoweringError:
        """An error at the next token."""
        at = min(self.at, len(self.places) - 1)
        line, column = self.places[at][:2] if at >= 0 else (1, 1)
        return LoweringError(line, column, message)

    def lost(self) -> LoweringError:
        """The error for tokens that are not those of the tree."""
        return self.unreadable("the place of this code in the file was not found: please report it")


_new = tuple.__new__
# A comment must be passed with its line ending, or the patterns would look into it.
_TO_LAST_COMMA = re.compile(r"(?:(?:[ \t\f\n\\:]|#[^\n]*\n)*,)+")
_TO_COLON = re.compile(r"(?:[ \t\f\n\\,]|#[^\n]*\n)*:")


class _Methods(dict[type, Any]):
    """The method for each class of LibCST nodes, found by its name when it is first needed."""

    def __init__(self, cursor: Cursor) -> None:
        super().__init__()
        self._cursor = cursor

    def __missing__(self, kind: type) -> Any:
        name = kind.__name__
        method = getattr(self._cursor, f"visit_{name}", None)
        if method is None:
            raise self._cursor.unreadable(f"the construct {name} is not known to this version")
        self[kind] = method
        return method
