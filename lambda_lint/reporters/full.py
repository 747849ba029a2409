"""The format for people: every finding with its code, the way that leads there, and what to do.

Findings look like those of rustc and ruff. All text of others goes through `safe_text` first:
rich itself lets control characters pass, and reads markup where it is given plain strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from rich.color import ColorSystem
from rich.style import Style
from rich.text import Span, Text

from lambda_lint.finding import Confidence, Finding, Fix
from lambda_lint.reporters.edits import DiffLine, FileLines, hunks
from lambda_lint.reporters.frame import GUTTER, STYLES, Gutter, clip, frames, shown_line, wrap
from lambda_lint.reporters.marks import marks_of
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import neutralise_commands, visible
from lambda_lint.reporters.statistics import fixable_line, listed, statistics_lines, summary_line

HANDLERS = 10
"""How many handlers of a finding are named."""

FileOf = Callable[[str], FileLines]

_DIFF_STYLE = {" ": "", "-": "red", "+": "green"}


def render(run: Run, look: Look) -> str:
    """Return every finding with its code frames, then errors, statistics and the summary."""
    rows: list[str] = []
    file_of = cache(lambda path: FileLines.of(run.source_lines(path)))
    for finding in run.findings:
        rows += [_printed(row, look) for row in _finding(finding, file_of, look)]
        rows.append("\n")
    rows += [_printed(row, look) for row in _closing(run, look)]
    text = "".join(rows)
    return neutralise_commands(text) if look.in_github_actions else text


def _printed(row: Text, look: Look) -> str:
    if not look.color:
        return row.plain.rstrip() + "\n"
    # The rows are laid out already and their spans follow each other, so that the styles can be
    # applied directly: a rich console would measure, wrap and filter each row again, which takes
    # longer than everything else, and would look at the environment.
    row.rstrip()
    parts: list[str] = []
    done = 0
    for start, end, style in [*row.spans, Span(len(row.plain), len(row.plain), "")]:
        parts.append(_styled(row.plain[done:start], row.style))
        parts.append(_styled(row.plain[start:end], style))
        done = end
    # rich gives every link a random identifier, and the same run must give the same bytes.
    return re.sub("\x1b]8;id=[^;]*;", "\x1b]8;;", "".join(parts)) + "\n"


def _styled(text: str, style: str | Style) -> str:
    found = Style.parse(style) if isinstance(style, str) else style
    return found.render(text, color_system=ColorSystem.STANDARD)


def _finding(finding: Finding, file_of: FileOf, look: Look) -> Iterator[Text]:
    yield from _header(finding, look)
    marks, left_out = marks_of(finding)
    yield from frames(marks, lambda path: file_of(path).lines, look)
    if left_out:
        yield from _paragraph("note", f"{left_out} steps in between are not shown", look)
    if len(finding.handlers) > 1:
        names = (
            f"reached from {len(finding.handlers)} handlers: {listed(finding.handlers, HANDLERS)}"
        )
        yield from _paragraph("note", names, look)
    if finding.confidence is not Confidence.HIGH:
        yield from _paragraph("note", f"{finding.confidence.value} confidence", look)
    if finding.help:
        yield from _paragraph("help", finding.help, look)
    if finding.fix:
        yield Text()
        yield from _fix(finding.fix, file_of(finding.path), look)


def _header(finding: Finding, look: Look) -> Iterator[Text]:
    style = STYLES[finding.severity]
    row = Text().append(f"{finding.severity.value}[", style=style)
    row.append(finding.code, style=_link(finding, look, style))
    row.append("]", style=style)
    row.append(f" {visible(finding.rule, ascii_only=look.ascii_only)}: ", style="bold")
    yield from _hanging(row, visible(finding.message, ascii_only=look.ascii_only), look, "bold")


def _hanging(row: Text, text: str, look: Look, style: str = "") -> Iterator[Text]:
    """Continue a row that has been started with text, and wrap it below that start."""
    # Something without blanks stands for the start, which must not be broken.
    first, *others = wrap("#" * (row.cell_len - 1) + f" {text}", look.width)
    yield row.append(first[row.cell_len :], style=style)
    if others:
        for line in wrap(" ".join(others), look.width - _HANG):
            yield Text().append(" " * _HANG + line, style=style)


_HANG = 4


def _link(finding: Finding, look: Look, style: str) -> Style:
    plain = Style.parse(style)
    if look.hyperlinks and re.fullmatch(r"https?://[!-~]+", finding.url):
        return plain + Style(link=finding.url)
    return plain


def _paragraph(title: str, text: str, look: Look) -> Iterator[Text]:
    """Show text under a title; only prose is wrapped, since indented lines are code to copy."""
    indent = len(title) + 2
    start = Text().append(f"{title}: ", style=_TITLE[title])
    for line in text.expandtabs(4).split("\n"):
        shown = visible(line.rstrip("\r"), ascii_only=look.ascii_only)
        parts = [shown] if shown.startswith(" ") else wrap(shown, look.width - indent)
        for part in parts:
            yield start.append(part)
            start = Text(" " * indent)


_TITLE = {"note": "bold", "help": "bold cyan", "error": "bold red"}


def _fix(fix: Fix, file: FileLines, look: Look) -> Iterator[Text]:
    title = visible(fix.title, ascii_only=look.ascii_only)
    if fix.safe:
        row = Text().append("fix available with --fix: ", style="bold green")
    else:
        row = Text().append("unsafe fix available with --fix --unsafe-fixes: ", "bold yellow")
    yield from _hanging(row, title, look)
    changes = hunks(file, fix)
    numbers = [line.number or 0 for hunk in changes for line in hunk]
    gutter = Gutter(len(str(max(numbers, default=0))), look)
    for index, hunk in enumerate(changes):
        yield Text("...", style=GUTTER) if index else gutter.empty()
        yield from (_diff_line(line, gutter) for line in hunk)
    if changes:
        yield gutter.empty()


def _diff_line(line: DiffLine, gutter: Gutter) -> Text:
    code = clip(shown_line(line.text, gutter.look), gutter.room - 2, gutter.look)
    return gutter.row(line.number).append(f"{line.kind} {code}", style=_DIFF_STYLE[line.kind])


def _closing(run: Run, look: Look) -> Iterator[Text]:
    for error in run.errors:
        yield from _paragraph("error", error, look)
    if run.errors:
        yield Text()
    table = statistics_lines(run) if run.statistics else []
    for line in table:
        yield Text(visible(line, ascii_only=look.ascii_only))
    if table:
        yield Text()
    fixable = fixable_line(run)
    if fixable:
        yield Text(fixable)
    yield Text(summary_line(run), style="bold")
