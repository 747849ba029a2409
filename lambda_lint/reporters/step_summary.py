"""The summary of a step in GitHub Actions: a page of Markdown with a table of all findings.

Annotations are shown ten of a kind for a step; here everything has room. GitHub refuses a summary
of more than a mebibyte as a whole (actions/runner, `FileCommandManager.cs`).
"""

from __future__ import annotations

import re

from lambda_lint.finding import Finding
from lambda_lint.reporters import markdown
from lambda_lint.reporters.run import Run
from lambda_lint.reporters.statistics import plural, rule_counts, summary_line

LIMIT = 1024 * 1024
"""How many bytes the summary of one step may have, whoever wrote them."""

HANDLERS = 3
"""How many handlers of a finding are named."""

_REST = 120
"""How many bytes the last line takes, which says how many findings are not shown."""


def render(run: Run, room: int) -> str:
    """Return the summary in at most `room` bytes of UTF-8, `""` if not even its head has room.

    The worst findings come first. What does not fit is counted in the last line.
    """
    head = _head(run)
    size = _size(head + _TABLE) + _REST
    if size > room:
        return ""
    rows: list[str] = []
    findings = sorted(run.findings, key=lambda one: (-one.severity.rank, one.sort_key))
    for finding in findings:
        row = _row(finding)
        size += _size(row)
        if size > room:
            break
        rows.append(row)
    left_out = len(findings) - len(rows)
    # A table that shows nothing is none.
    text = head + _TABLE + "".join(rows) if rows else head
    if left_out:
        text += f"\n{plural(left_out, 'more finding')} left out: a summary has no room for more.\n"
    return text


_TABLE = "| Rule | Place | Finding | Reached from |\n| --- | --- | --- | --- |\n"


def _head(run: Run) -> str:
    lines = ["", "### lambda-lint", "", summary_line(run), ""]
    lines += [f"- **error:** {markdown.html_line(error)}" for error in run.errors]
    if run.errors:
        lines.append("")
    if run.statistics and run.findings:
        lines += ["| Count | Rule | With a fix |", "| ---: | --- | ---: |"]
        for row in rule_counts(run):
            name = markdown.html_line(f"{row['code']} {row['rule']}")
            lines.append(f"| {row['count']} | {name} | {row['fixable']} |")
        lines.append("")
    return "\n".join(lines) + "\n"


def _row(finding: Finding) -> str:
    place = f"{finding.path}:{finding.span.line}:{finding.span.column}"
    handlers = [markdown.html_code(name) for name in finding.handlers[:HANDLERS]]
    if len(finding.handlers) > HANDLERS:
        handlers.append(f"{len(finding.handlers) - HANDLERS} more")
    cells = (
        f"{finding.severity.value} {_rule(finding)}",
        markdown.html_code(place),
        markdown.html_line(finding.message),
        ", ".join(handlers),
    )
    return "| " + " | ".join(cells) + " |\n"


def _rule(finding: Finding) -> str:
    name = markdown.html_line(f"{finding.code} {finding.rule}")
    # Nothing in such an address ends a link or a cell.
    if re.fullmatch(r"https?://[\w./#?=&%:-]+", finding.url, re.ASCII):
        return f"[{name}]({finding.url})"
    return name


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
