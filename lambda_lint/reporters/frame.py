"""Code frames: the lines of a file with what is said about them drawn underneath.

Everything is laid out in terminal cells, because that is what an underline has to match: a tab,
an East Asian wide character and an escaped control character each take several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len
from rich.text import Text

from lambda_lint.finding import Severity
from lambda_lint.reporters.marks import Mark, by_file, shown_lines, without_blank_edges
from lambda_lint.reporters.run import Look
from lambda_lint.reporters.safe_text import is_plain, visible

TAB = 4
"""The distance of tab stops in cells."""

GUTTER = "bold blue"
SECONDARY = "bold blue"

STYLES = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFO: "bold cyan",
}
"""How what belongs to a finding of each severity is coloured."""


@dataclass(frozen=True, slots=True)
class Gutter:
    """The column of line numbers, as wide as the widest number needs."""

    digits: int
    look: Look

    @property
    def bar(self) -> str:
        """The character between the numbers and the code."""
        return "|" if self.look.ascii_only else "│"

    @property
    def room(self) -> int:
        """How many cells are left for code."""
        return self.look.width - self.digits - 3

    def row(self, number: int | None = None) -> Text:
        """Return the start of a row, up to the blank before the code."""
        text = "" if number is None else str(number)
        # Not the style of the whole text: what is appended would inherit it.
        return Text().append(f"{text:>{self.digits}} {self.bar} ", style=GUTTER)

    def empty(self) -> Text:
        """Return a row without code."""
        return Text(f"{'':>{self.digits}} {self.bar}", style=GUTTER)


def frames(
    marks: Sequence[Mark], lines_of: Callable[[str], Sequence[str]], look: Look
) -> Iterator[Text]:
    """Yield the rows of the frames: first the file of the primary mark, then by step.

    `marks` are in the order of their steps and hold exactly one primary mark.
    """
    primary = next(mark for mark in marks if mark.primary)
    sections = by_file(marks)
    shown = [shown_lines(section, len(lines_of(section[0].path))) for section in sections]
    largest = max(max(lines, default=0) for lines in shown)
    gutter = Gutter(max(len(str(largest)), 1), look)
    for section, numbers in zip(sections, shown, strict=True):
        first = primary if primary in section else section[0]
        yield _arrow(first, gutter)
        rows = list(_section(section, numbers, lines_of(first.path), gutter))
        if rows:
            yield from (gutter.empty(), *rows, gutter.empty())


def shown_line(line: str, look: Look) -> str:
    """Return a source line as it is displayed: tabs expanded, nothing invisible, no ending."""
    return "".join(_pieces(line.rstrip("\r\n"), look))


def clip(text: str, room: int, look: Look) -> str:
    """Return displayed text cut to `room` cells, with an ellipsis where something is missing."""
    if cell_len(text) <= room:
        return text
    layout = _Layout(list(text), _offsets(list(text)))
    return layout.window(0, room, _ellipsis(look))[0]


def wrap(text: str, room: int) -> list[str]:
    """Return words in lines of at most `room` cells; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _arrow(mark: Mark, gutter: Gutter) -> Text:
    place = visible(mark.path, ascii_only=gutter.look.ascii_only)
    row = Text().append(" " * gutter.digits + "--> ", style=GUTTER)
    return row.append(f"{place}:{mark.span.line}:{mark.span.column}")


def _section(
    marks: Sequence[Mark], numbers: Sequence[int], lines: Sequence[str], gutter: Gutter
) -> Iterator[Text]:
    by_line = {
        line: list(group)
        for line, group in groupby(
            sorted(marks, key=lambda mark: mark.span.line), key=lambda mark: mark.span.line
        )
    }
    for line, group in by_line.items():
        if line not in numbers:
            for mark in group:
                yield from _unplaced(mark, gutter)
    previous = 0
    for number in without_blank_edges(numbers, lines, by_line):
        if previous and number > previous + 1:
            yield Text("...", style=GUTTER)
        yield from _line(number, lines[number - 1], by_line.get(number, []), gutter)
        previous = number


def _unplaced(mark: Mark, gutter: Gutter) -> Iterator[Text]:
    if mark.primary and not mark.number:
        # Its words are those of the header.
        return
    for index, text in enumerate(_label(mark, gutter.room, gutter.look)):
        row = Text().append(" " * gutter.digits + (" = " if index == 0 else "   "), style=GUTTER)
        yield row.append(text, style=_style(mark))


def _line(number: int, line: str, marks: list[Mark], gutter: Gutter) -> Iterator[Text]:
    look = gutter.look
    starts = [mark.span.column - 1 for mark in marks]
    layout, shift = _layout(line, min(starts, default=0), gutter.room, look)
    focus = [_cells(layout, mark, shift) for mark in marks]
    left = _left_edge(layout.width, focus, gutter.room)
    text, offset = layout.window(left, gutter.room, _ellipsis(look))
    yield gutter.row(number).append(text)
    in_order = sorted(zip(marks, focus, strict=True), key=lambda pair: (pair[0].number, pair[1][0]))
    for mark, (start, end) in in_order:
        start = min(max(start - left + offset, 0), gutter.room - 1)
        end = min(max(end - left + offset, start + 1), gutter.room)
        yield from _underline(mark, start, end, gutter)


def _underline(mark: Mark, start: int, end: int, gutter: Gutter) -> Iterator[Text]:
    """Draw an underline from cell `start` to `end`, and its label beside or below it."""
    drawn = " " * start + ("^" if mark.primary else "-") * (end - start)
    beside = _label(mark, gutter.room - end - 1, gutter.look)
    if len(beside) == 1 and cell_len(beside[0]) < gutter.room - end:
        yield gutter.row().append(f"{drawn} {beside[0]}", style=_style(mark))
        return
    yield gutter.row().append(drawn, style=_style(mark))
    indent = min(start, gutter.room // 2)
    for text in _label(mark, gutter.room - indent, gutter.look):
        yield gutter.row().append(" " * indent + text, style=_style(mark))


def _style(mark: Mark) -> str:
    return STYLES[mark.severity] if mark.severity is not None else SECONDARY


def _label(mark: Mark, room: int, look: Look) -> list[str]:
    number = f"{mark.number} " if mark.number else ""
    lines = wrap(visible(mark.label, ascii_only=look.ascii_only), room - len(number))
    return [f"{'' if index else number:{len(number)}}{line}" for index, line in enumerate(lines)]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Displayed pieces, one for each character of the source, and where each starts in cells."""

    pieces: Sequence[str]
    offsets: Sequence[int]
    cut_left: bool = False
    cut_right: bool = False

    @property
    def width(self) -> int:
        return self.offsets[-1]

    def window(self, left: int, room: int, ellipsis: str) -> tuple[str, int]:
        """Return the text of `room` cells from `left` on, and what the ellipsis shifts it by."""
        before = ellipsis if left or self.cut_left else ""
        space = room - len(before)
        after = ""
        if self.width - left > space or self.cut_right:
            after = ellipsis
            space -= len(after)
        shown: list[str] = []
        lead = 0
        for piece, start, end in zip(self.pieces, self.offsets, self.offsets[1:], strict=False):
            if start >= left and end - left <= space:
                # A wide character may straddle the left edge; a blank stands for its half.
                if not shown:
                    lead = start - left
                shown.append(piece)
        return before + " " * lead + "".join(shown) + after, len(before)


def _layout(line: str, first: int, room: int, look: Look) -> tuple[_Layout, int]:
    """Lay out a line, or of a very long one the part around character `first`.

    Returns how many characters were left out at the start, too.
    """
    if len(line) <= 8 * room:
        start, end = 0, len(line)
    else:
        # A file can be one line of a megabyte with thousands of findings: copy only what is seen.
        start = max(0, min(first, len(line)) - 2 * room)
        end = start + 6 * room
    pieces = _pieces(line[start:end].rstrip("\r\n"), look)
    return _Layout(pieces, _offsets(pieces), start > 0, end < len(line)), start


def _cells(layout: _Layout, mark: Mark, shift: int) -> tuple[int, int]:
    """Return the first cell of a mark and the one behind its last; it has at least one."""
    span = mark.span
    last = len(layout.pieces)
    start = min(max(span.column - 1 - shift, 0), last)
    stop = last if span.end_line > span.line else span.end_column - 1 - shift
    end = layout.offsets[min(max(stop, start), last)]
    return layout.offsets[start], max(end, layout.offsets[start] + 1)


def _left_edge(width: int, focus: Sequence[tuple[int, int]], room: int) -> int:
    """Choose the first cell to show, so that what is underlined can be seen."""
    if width <= room or not focus:
        return 0
    start = min(begin for begin, _ in focus)
    end = max(stop for _, stop in focus)
    if end <= room - _MARGIN:
        return 0
    wished = max(start - room // 4, end - room + _MARGIN)
    return max(0, min(wished, start - _MARGIN))


_MARGIN = 4


def _pieces(code: str, look: Look) -> list[str]:
    if is_plain(code) and not (look.in_github_actions and "##[" in code):
        return list(code)
    pieces: list[str] = []
    cells = 0
    for index, character in enumerate(code):
        if character == "\t":
            piece = " " * (TAB - cells % TAB)
        elif look.in_github_actions and index and code.startswith("##[", index - 1):
            # Split here, before anything is measured, so that underlines still match.
            piece = " #"
        else:
            piece = visible(character, ascii_only=look.ascii_only)
        pieces.append(piece)
        cells += cell_len(piece)
    return pieces


def _offsets(pieces: Iterable[str]) -> list[int]:
    offsets = [0]
    previous = ""
    for piece in pieces:
        if piece == "\ufe0f":
            # The selector of emoji style makes the character before it wide.
            step = cell_len(previous + piece) - cell_len(previous)
        else:
            step = 1 if len(piece) == 1 and piece.isascii() else cell_len(piece)
        offsets.append(offsets[-1] + step)
        previous = piece
    return offsets


def _ellipsis(look: Look) -> str:
    return "..." if look.ascii_only else "…"
