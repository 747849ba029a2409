"""What the edits of a fix change, in lines: for shown differences and suggested changes."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

from lambda_lint.finding import Edit, Fix, Span

CONTEXT = 2
"""How many unchanged lines stand around a change."""

LONGEST = 20_000
"""A stretch of more characters is not compared: nobody reads it, and it costs time."""


class DiffLine(NamedTuple):
    """One line of a difference, without its ending.

    `kind` is a blank for an unchanged line; `number` is the 1-based line in the file as it is,
    None for an added line.
    """

    kind: Literal[" ", "-", "+"]
    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class FileLines:
    """The lines of a file, with their endings, and where each of them starts."""

    lines: Sequence[str]
    starts: Sequence[int]

    @classmethod
    def of(cls, lines: Sequence[str]) -> FileLines:
        """Return the index of these lines."""
        return cls(lines, list(accumulate(map(len, lines), initial=0)))

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a 0-based offset in code points.

        The end of the file is a position: after the last line, on a line of its own if the last
        line is ended. An offset outside of the file raises ValueError.
        """
        if not 0 <= offset <= self.starts[-1]:
            raise ValueError(f"offset {offset} lies outside of {self.starts[-1]} characters")
        line = bisect_right(self.starts, offset)
        at_end = line > len(self.lines)
        if at_end and self.lines and not self.lines[-1].endswith(("\n", "\r")):
            line -= 1
        return line, offset - self.starts[line - 1] + 1

    def first_line_of(self, span: Span) -> Span:
        """Return the part of a region that lies in its first line, without the line ending.

        Reviews show a remark on a change only where all lines of its region were changed, and a
        region may be the whole body of a function.
        """
        if span.end_line == span.line:
            return span
        known = self.lines[span.line - 1].rstrip("\r\n") if span.line <= len(self.lines) else ""
        return Span(span.line, span.column, span.line, max(len(known), span.column) + 1)


class Replacement(NamedTuple):
    """The lines from `first` to `last` (1-based, both included) become `text`.

    `text` has the line endings of the file between its lines and none at its end. Empty, it means
    that the lines go.
    """

    first: int
    last: int
    text: str


def replacement(file: FileLines, fix: Fix) -> Replacement | None:
    """Return a fix as one replacement of whole lines, from its first edit to its last.

    Lines in between that no edit touches are repeated. None for edits that overlap, lie outside of
    the file, change nothing, or stand further apart than `LONGEST` characters.
    """
    edits = sorted(fix.edits)
    if not file.lines or not edits or not _fit(file, edits):
        return None
    first = min(file.position(edits[0].start)[0], len(file.lines))
    line, column = file.position(edits[-1].end)
    # What ends where a line begins leaves that line alone, unless it is the only one.
    last = line - 1 if column == 1 and line > first else line
    while True:
        begin, end = file.starts[first - 1], file.starts[last]
        if end - begin > LONGEST:
            return None
        text = _edited("".join(file.lines[first - 1 : last]), begin, edits)
        if text == "" or (_ends_line(text) and _without_ending(text)):
            break
        # The last line was joined with the next one; or a single empty line is left, which would
        # look like no line at all.
        if last < len(file.lines):
            last += 1
        elif first > 1 and not _without_ending(text):
            first -= 1
        else:
            break
    if text == "".join(file.lines[first - 1 : last]):
        return None
    return Replacement(first, last, _without_ending(text))


def _ends_line(text: str) -> bool:
    return text.endswith(("\n", "\r"))


def _without_ending(text: str) -> str:
    return text[:-2] if text.endswith("\r\n") else text[:-1] if _ends_line(text) else text


def hunks(file: FileLines, fix: Fix) -> list[list[DiffLine]]:
    """Return what the fix changes, one list for each stretch of neighbouring lines.

    Only the touched lines are compared, so the cost does not grow with the file. Edits that
    overlap or lie outside of the file yield no hunks: such a fix cannot be applied either. A
    stretch longer than `LONGEST` is left out.
    """
    edits = sorted(fix.edits)
    if not _fit(file, edits):
        return []
    return [
        _hunk(file, first, last, group)
        for first, last, group in _groups(file, edits)
        if file.starts[last + 1] - file.starts[first] + sum(len(edit.text) for edit in group)
        <= LONGEST
    ]


def _fit(file: FileLines, edits: Sequence[Edit]) -> bool:
    ends = [0, *(edit.end for edit in edits)]
    return all(
        before <= edit.start <= edit.end <= file.starts[-1]
        for before, edit in zip(ends, edits, strict=False)
    )


def _edited(text: str, origin: int, edits: Sequence[Edit]) -> str:
    """Apply sorted edits to a part of the file that begins at the offset `origin`."""
    for edit in reversed(edits):
        text = text[: edit.start - origin] + edit.text + text[edit.end - origin :]
    return text


def _groups(file: FileLines, edits: Sequence[Edit]) -> list[tuple[int, int, list[Edit]]]:
    """Return 0-based first and last lines, context included, with the edits between them."""
    groups: list[tuple[int, int, list[Edit]]] = []
    for edit in edits:
        first = max(0, file.position(edit.start)[0] - 1 - CONTEXT)
        last = min(len(file.lines) - 1, file.position(edit.end)[0] - 1 + CONTEXT)
        if groups and first <= groups[-1][1] + 1:
            start, end, group = groups[-1]
            groups[-1] = (start, max(end, last), [*group, edit])
        else:
            groups.append((first, last, [edit]))
    return groups


def _hunk(file: FileLines, first: int, last: int, edits: Sequence[Edit]) -> list[DiffLine]:
    before = [str(line) for line in file.lines[first : last + 1]]
    after = _LINE.findall(_edited("".join(before), file.starts[first], edits))
    shown: list[DiffLine] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, old, old_end, new, new_end in matcher.get_opcodes():
        kind: Literal[" ", "-"] = " " if tag == "equal" else "-"
        for index in range(old, old_end):
            shown.append(DiffLine(kind, first + index + 1, before[index].rstrip("\r\n")))
        if tag != "equal":
            shown += [DiffLine("+", None, line.rstrip("\r\n")) for line in after[new:new_end]]
    return _trimmed(shown)


# Python's own idea of a line; `str.splitlines` also splits at form feeds and U+2028.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def _trimmed(lines: list[DiffLine]) -> list[DiffLine]:
    # An insertion at the start of a line has that line on both sides of its context.
    changed = [index for index, line in enumerate(lines) if line.kind != " "]
    if not changed:
        return []
    return lines[max(0, changed[0] - CONTEXT) : changed[-1] + CONTEXT + 1]
