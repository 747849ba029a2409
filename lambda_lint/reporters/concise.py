"""One line for each finding, for editors, `grep` and people in a hurry."""

from __future__ import annotations

from lambda_lint.finding import Finding
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import neutralise_commands, visible
from lambda_lint.reporters.statistics import listed, statistics_lines, summary_line


def render(run: Run, look: Look) -> str:
    """Return `path:line:column: CODE message [handler]` lines, errors, and the summary."""
    lines = [_line(finding) for finding in run.findings]
    lines += [f"error: {error}" for error in run.errors]
    if run.statistics:
        lines += statistics_lines(run)
    lines.append(summary_line(run))
    text = "".join(f"{visible(line, ascii_only=look.ascii_only)}\n" for line in lines)
    return neutralise_commands(text) if look.in_github_actions else text


def _line(finding: Finding) -> str:
    place = f"{finding.path}:{finding.span.line}:{finding.span.column}"
    handlers = f" [{listed(finding.handlers, 1)}]" if finding.handlers else ""
    return f"{place}: {finding.code} {finding.message}{handlers}"
