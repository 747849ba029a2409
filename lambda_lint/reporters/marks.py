"""Which places of a finding are shown in its code, and which lines around them.

The formats that show code agree on this; how it looks is theirs.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Finding, Severity, Span, Step

CONTEXT = 2
"""How many lines are shown around the primary place."""

WHOLE_SPAN = 6
"""A reported statement of up to so many lines is shown whole."""

STEPS = 16
"""A longer witness is shown with its middle left out."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to underline.

    `number` is its step of the witness, 0 for none. `severity` is that of the finding at its own
    place, which is the primary one; the other places have none.
    """

    path: str
    span: Span
    label: str
    severity: Severity | None = None
    number: int = 0

    @property
    def primary(self) -> bool:
        """Whether this is the place that is reported."""
        return self.severity is not None


def marks_of(finding: Finding) -> tuple[list[Mark], int]:
    """Return what is to be underlined, and how many steps in the middle are left out.

    Exactly one mark is primary. The last step of a witness usually is the reported place itself:
    then its words stand at the primary mark, because the message stands in the header already.
    """
    steps = finding.witness
    last = steps[-1] if steps else None
    arrives = (
        last is not None
        and last.path == finding.path
        and last.span.line == finding.span.line
        and bool(last.message)
    )
    marks: list[Mark] = []
    if not arrives:
        marks.append(Mark(finding.path, finding.span, finding.message, finding.severity))
    numbered, left_out = numbered_steps(steps, STEPS)
    for number, step in numbered:
        shown = number if len(steps) > 1 else 0
        if arrives and number == len(steps):
            marks.append(Mark(finding.path, finding.span, step.message, finding.severity, shown))
        else:
            marks.append(Mark(step.path, step.span, step.message, number=shown))
    return marks, left_out


def numbered_steps(steps: Sequence[Step], limit: int) -> tuple[list[tuple[int, Step]], int]:
    """Return steps with their numbers, counted from 1, and how many are left out.

    Of more than `limit` (an even number) the middle is left out: the way begins at the handler and
    ends at the mistake.
    """
    numbered = list(enumerate(steps, 1))
    left_out = max(0, len(steps) - limit)
    return (numbered[: limit // 2] + numbered[-(limit // 2) :] if left_out else numbered), left_out


def by_file(marks: Sequence[Mark]) -> list[list[Mark]]:
    """Return the marks of each file: first the file of the primary mark, then by step."""
    first = [mark.path for mark in marks if mark.primary]
    paths = list(dict.fromkeys([*first, *(mark.path for mark in marks)]))
    return [[mark for mark in marks if mark.path == path] for path in paths]


def shown_lines(marks: Sequence[Mark], count: int) -> list[int]:
    """Return the 1-based numbers of the lines to show, a lone missing line filled in."""
    wanted: set[int] = set()
    for mark in marks:
        line, last = mark.span.line, mark.span.end_line
        if not mark.primary:
            wanted.add(line)
            continue
        end = last if last - line < WHOLE_SPAN else line
        wanted.update(range(line - CONTEXT, end + CONTEXT + 1))
    wanted.update({line + 1 for line in wanted if line + 2 in wanted})
    return sorted(line for line in wanted if 1 <= line <= count)


def without_blank_edges(
    numbers: Sequence[int], lines: Sequence[str], marked: Container[int]
) -> list[int]:
    """Return the line numbers without unmarked blank lines at the start and the end."""
    kept = list(numbers)
    while kept and kept[0] not in marked and lines[kept[0] - 1].isspace():
        kept.pop(0)
    while kept and kept[-1] not in marked and lines[kept[-1] - 1].isspace():
        kept.pop()
    return kept
