"""Code frames and differences of the HTML report, as data for the template."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from lambda_lint.finding import Finding, Fix
from lambda_lint.reporters.edits import FileLines, hunks
from lambda_lint.reporters.marks import (
    Mark,
    by_file,
    marks_of,
    shown_lines,
    without_blank_edges,
)

LONGEST = 400
"""Of a longer line only the part around its first mark is shown, in characters."""


class Piece(NamedTuple):
    """A stretch of a line. `kind` is primary, step, or empty for plain code."""

    kind: str
    text: str


class Note(NamedTuple):
    """What is said of a place: the number of the step, 0 for none, and the words."""

    number: int
    text: str
    primary: bool


class Line(NamedTuple):
    """A line of code with what is said of it; `number` 0 stands for lines that are left out."""

    number: int
    pieces: tuple[Piece, ...] = ()
    notes: tuple[Note, ...] = ()


class Change(NamedTuple):
    """A line of a difference: `kind` is same, old, new, or gap between two stretches."""

    kind: str
    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The shown lines of one file. `loose` are notes on lines that cannot be shown."""

    path: str
    line: int
    column: int
    lines: tuple[Line, ...]
    loose: tuple[Note, ...]


def frames(
    finding: Finding, lines_of: Callable[[str], Sequence[str]]
) -> tuple[tuple[Frame, ...], int]:
    """Return the frames of a finding, its own file first, and how many steps are left out."""
    marks, left_out = marks_of(finding)
    return tuple(_frame(section, lines_of(section[0].path)) for section in by_file(marks)), left_out


def difference(fix: Fix, file: FileLines) -> list[Change]:
    """Return what a fix changes."""
    found: list[Change] = []
    for index, hunk in enumerate(hunks(file, fix)):
        if index:
            found.append(Change("gap", None, "…"))
        found += [Change(_KINDS[one.kind], one.number, plain(one.text)) for one in hunk]
    return found


_KINDS = {" ": "same", "-": "old", "+": "new"}


def plain(text: str) -> str:
    """Return code as one line of a page: cut if it is very long, tabs as blanks."""
    text = text.rstrip("\r\n")
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return cut.replace("\t", "    ")


def _frame(marks: Sequence[Mark], lines: Sequence[str]) -> Frame:
    first = next((mark for mark in marks if mark.primary), marks[0])
    by_line: dict[int, list[Mark]] = {}
    for mark in marks:
        by_line.setdefault(mark.span.line, []).append(mark)
    numbers = without_blank_edges(shown_lines(marks, len(lines)), lines, by_line)
    shown: list[Line] = []
    for number in numbers:
        if shown and number > shown[-1].number + 1:
            shown.append(Line(0))
        shown.append(_line(number, lines[number - 1], by_line.get(number, [])))
    missing = [mark for mark in marks if mark.span.line not in numbers]
    return Frame(
        first.path,
        first.span.line,
        first.span.column,
        tuple(shown),
        # An unnumbered primary mark says what the head of the entry says.
        tuple(_note(mark) for mark in missing if mark.number or not mark.primary),
    )


def _note(mark: Mark) -> Note:
    return Note(mark.number, mark.label, mark.primary)


def _line(number: int, line: str, marks: Sequence[Mark]) -> Line:
    code = line.rstrip("\r\n")
    notes = [_note(mark) for mark in sorted(marks, key=lambda mark: mark.number)]
    said = tuple(one for one in notes if one.number or not one.primary)
    return Line(number, tuple(_pieces(code, marks)), said)


def _pieces(code: str, marks: Sequence[Mark]) -> Iterator[Piece]:
    """Yield a line cut at the edges of its marks, the primary one above the others."""
    start, end = 0, len(code)
    if end > LONGEST:
        first = min((mark.span.column - 1 for mark in marks), default=0)
        start = max(0, min(first, end) - LONGEST // 4)
        end = min(end, start + LONGEST)
    ranges = [(*_range(mark, code), mark.primary) for mark in marks]
    edges = {start, end}
    for left, right, _ in ranges:
        edges |= {min(max(left, start), end), min(max(right, start), end)}
    cuts = sorted(edges)
    if start:
        yield Piece("", "…")
    for left, right in pairwise(cuts):
        around = [primary for one, other, primary in ranges if one <= left and right <= other]
        kind = ("primary" if any(around) else "step") if around else ""
        yield Piece(kind, code[left:right].replace("\t", "    "))
    if end < len(code):
        yield Piece("", "…")


def _range(mark: Mark, code: str) -> tuple[int, int]:
    """Return the first character of a mark in its line, and the one behind its last."""
    span = mark.span
    left = min(max(span.column - 1, 0), len(code))
    right = len(code) if span.end_line > span.line else span.end_column - 1
    return left, min(max(right, left + 1), len(code))
