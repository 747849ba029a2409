"""Workflow commands, which GitHub Actions turns into annotations of a pull request.

Escapes follow actions/toolkit (`command.ts`), which the runner reverses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lambda_lint.finding import Finding, Severity
from lambda_lint.reporters.edits import FileLines
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import neutralise_commands, visible
from lambda_lint.reporters.statistics import listed, statistics_lines, summary_line

PER_LEVEL = 10
"""GitHub shows no more annotations of one level for one step."""

HANDLERS = 5
"""How many handlers of a finding are named."""

LISTED = 40
"""How many places the closing notice names: it is read in a small box."""

MESSAGE = 4096
"""The runner cuts longer messages off, in UTF-16 units (actions/runner, `ExecutionContext.cs`)."""


def render(run: Run, _look: Look) -> str:
    """Return the worst findings as commands, one notice that lists the rest, and the summary.

    GitHub also shows no more than 50 annotations for one job, which other steps share.

    What the tool could not do comes first, as errors. Without any handler a warning says that
    nothing can be concluded.
    """
    annotations = _annotations(run)
    shown, rest = _within_limits(annotations, notices=PER_LEVEL)
    if rest:
        # The closing notice takes the place of a notice itself.
        shown, rest = _within_limits(annotations, notices=PER_LEVEL - 1)
    lines = [_command(one) for one in shown]
    if rest:
        lines.append(_command(_notice_of(rest)))
    closing = [*(statistics_lines(run) if run.statistics else ()), summary_line(run)]
    lines += [neutralise_commands(visible(line)) for line in closing]
    return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class _Annotation:
    level: str
    properties: dict[str, str]
    message: str
    short: str


def _annotations(run: Run) -> list[_Annotation]:
    ours = {"title": "lambda-lint"}
    found = [_Annotation("error", ours, visible(error), error) for error in run.errors]
    if not run.summary.handlers:
        found.append(_Annotation("warning", ours, summary_line(run), summary_line(run)))
    file_of = cache(lambda path: FileLines.of(run.source_lines(path)))
    found += [_of_finding(finding, file_of(finding.path)) for finding in run.findings]
    # Sorting is stable: within a level the order of the run stays.
    return sorted(found, key=lambda one: _LEVELS.index(one.level))


_LEVELS = ("error", "warning", "notice")
_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def _of_finding(finding: Finding, file: FileLines) -> _Annotation:
    # GitHub hangs an annotation of several lines below the last of them, and shows none in a pull
    # request that leaves that line alone.
    span = file.first_line_of(finding.span)
    properties = {
        "file": finding.path,
        "line": str(span.line),
        "endLine": str(span.end_line),
        "col": str(span.column),
        "endColumn": str(span.end_column),
        "title": f"{finding.code} {finding.rule}",
    }
    message = [visible(finding.message)]
    if finding.handlers:
        message.append("reached from " + visible(listed(finding.handlers, HANDLERS)))
    help_lines = [visible(line.expandtabs(4)) for line in finding.help.splitlines()]
    if help_lines:
        message += [f"help: {help_lines[0]}", *help_lines[1:]]
    short = f"{finding.path}:{span.line}:{span.column} {finding.code} {finding.message}"
    return _Annotation(_LEVEL[finding.severity], properties, "\n".join(message), short)


def _within_limits(
    annotations: Sequence[_Annotation], *, notices: int
) -> tuple[list[_Annotation], list[_Annotation]]:
    limit = {"error": PER_LEVEL, "warning": PER_LEVEL, "notice": notices}
    used: Counter[str] = Counter()
    shown: list[_Annotation] = []
    rest: list[_Annotation] = []
    for one in annotations:
        used[one.level] += 1
        (shown if used[one.level] <= limit[one.level] else rest).append(one)
    return shown, rest


def _notice_of(rest: Sequence[_Annotation]) -> _Annotation:
    lines = [f"{len(rest)} more, which GitHub would not show one by one:"]
    shown = [visible(one.short) for one in rest[:LISTED]]
    # A cut at the end would take away how many are not named.
    while sum(map(_units, shown)) > MESSAGE - 2 * len(lines[0]):
        shown.pop()
    lines += shown
    if len(rest) > len(shown):
        lines.append(f"and {len(rest) - len(shown)} more")
    return _Annotation("notice", {"title": "lambda-lint"}, "\n".join(lines), "")


def _units(line: str) -> int:
    return len(line.encode("utf-16-le", "surrogatepass")) // 2 + 1


def _command(annotation: _Annotation) -> str:
    properties = ",".join(
        f"{name}={_property(value)}" for name, value in annotation.properties.items()
    )
    message = neutralise_commands(annotation.message)
    return f"::{annotation.level} {properties}::{_data(message)}"


def _property(value: str) -> str:
    # Line breaks are kept, escaped, because a path must stay the path; other control characters
    # would reach the terminal of whoever asks for this format outside of Actions.
    kept = "".join(
        part if part in ("\r", "\n") else visible(part) for part in _LINE_BREAK.split(value)
    )
    return _data(kept).replace(":", "%3A").replace(",", "%2C")


_LINE_BREAK = re.compile(r"([\r\n])")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
