"""Counting: the last line of the human formats, and the counts for each rule."""

from __future__ import annotations

from collections import Counter
from typing import TypedDict

from lambda_lint.finding import Finding, Severity
from lambda_lint.reporters.run import Run


class RuleCount(TypedDict):
    """How often one rule spoke; `fixable` counts the findings that carry a fix."""

    code: str
    rule: str
    count: int
    fixable: int


def rule_counts(run: Run) -> list[RuleCount]:
    """Return a row for every rule with findings, the most frequent first, then by code."""
    counts = Counter((finding.code, finding.rule) for finding in run.findings)
    fixable = Counter((finding.code, finding.rule) for finding in run.findings if finding.fix)
    rows = sorted(counts, key=lambda key: (-counts[key], key))
    return [
        RuleCount(code=key[0], rule=key[1], count=counts[key], fixable=fixable[key]) for key in rows
    ]


def statistics_lines(run: Run) -> list[str]:
    """Return the counts for each rule as lines of a table; none without findings."""
    rows = rule_counts(run)
    if not rows:
        return []
    digits = max(len(str(row["count"])) for row in rows)
    codes = max(len(row["code"]) for row in rows)
    names = max(len(row["rule"]) for row in rows)
    return [
        (
            f"{row['count']:>{digits}}  {row['code']:<{codes}}  {row['rule']:<{names}}"
            + (f"  ({row['fixable']} with a fix)" if row["fixable"] else "")
        ).rstrip()
        for row in rows
    ]


def summary_line(run: Run) -> str:
    """Return one line that says what was found, and in how much.

    Where no handler is known the line says so: silence about a project that was not understood
    must not look like a clean bill.
    """
    files = plural(run.summary.files_seen, "file")
    handlers = plural(run.summary.handlers, "handler")
    if run.findings:
        places = len({finding.path for finding in run.findings})
        found = (
            f"{plural(len(run.findings), 'finding')} ({severity_counts(run.findings)})"
            f" in {places} of {files}"
        )
        if run.summary.handlers:
            return f"{found}; {handlers}"
        return f"{found}; no handler was found, so nothing can be concluded about the rest"
    if run.summary.handlers:
        start = "no findings, but not everything was checked:" if run.errors else "no findings in"
        return f"{start} {files}; {handlers}"
    return (
        f"no findings, but no handler was found in {files} either, so nothing can be concluded: "
        "name the handlers in the configuration"
    )


def fixable_line(run: Run) -> str:
    """Return one line that says how many findings have a fix, `""` when none has."""
    safe = sum(1 for finding in run.findings if finding.fix and finding.fix.safe)
    unsafe = sum(1 for finding in run.findings if finding.fix and not finding.fix.safe)
    if safe and unsafe:
        return f"{safe} fixable with --fix, {unsafe} more with --fix --unsafe-fixes"
    if safe:
        return f"{safe} fixable with --fix"
    return f"{unsafe} fixable with --fix --unsafe-fixes" if unsafe else ""


def severity_counts(findings: tuple[Finding, ...]) -> str:
    """Return `1 error, 2 warnings`, the worst first, without severities that do not occur."""
    counts = Counter(finding.severity for finding in findings)
    worst_first = sorted(counts, key=lambda severity: -severity.rank)
    return ", ".join(
        f"{counts[severity]} info"
        if severity is Severity.INFO
        else plural(counts[severity], severity.value)
        for severity in worst_first
    )


def plural(count: int, noun: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: tuple[str, ...], limit: int) -> str:
    """Return the names with commas between them, after `limit` of them only how many follow."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
