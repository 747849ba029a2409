"""Everything that is known about a run, for programs.

The document is `{"schema": 1, "version": "…", "findings": [...], "summary": {...}, "errors":
[...]}`. Lines and columns are 1-based, columns and the offsets of edits count code points; the end
is exclusive. A file that could not be analysed is a finding, what the tool could not do an error.

The format `jsonl` is the same, a line for each item of `findings`, and a last line with the rest of
the document. It is there in every run, so that an output without it is one that was cut off; a
finding has a key `code`, the last line has none.
"""

from __future__ import annotations

import json
from typing import Any

from lambda_lint.finding import Finding, Fix, Severity, Step
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import neutralise_json
from lambda_lint.reporters.statistics import rule_counts

SCHEMA = 1
"""Raised when a key is renamed, removed or changes its meaning; new keys do not raise it."""


def render(run: Run, _look: Look) -> str:
    """Return the run as one JSON document, in ASCII so that no stream can damage it."""
    document = {
        "schema": SCHEMA,
        "version": run.version,
        "findings": [_finding(finding) for finding in run.findings],
        "summary": _summary(run),
        "errors": list(run.errors),
    }
    return neutralise_json(json.dumps(document, indent=2, ensure_ascii=True)) + "\n"


def render_lines(run: Run, _look: Look) -> str:
    """Return the run as JSON lines: the findings, and one last line with everything else."""
    rest = {
        "schema": SCHEMA,
        "version": run.version,
        "summary": _summary(run),
        "errors": list(run.errors),
    }
    rows = [*map(_finding, run.findings), rest]
    return "".join(neutralise_json(json.dumps(row, ensure_ascii=True)) + "\n" for row in rows)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path,
        "line": finding.span.line,
        "column": finding.span.column,
        "end_line": finding.span.end_line,
        "end_column": finding.span.end_column,
        "code": finding.code,
        "rule": finding.rule,
        "category": finding.category,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "message": finding.message,
        "help": finding.help,
        "handlers": list(finding.handlers),
        "witness": [_step(step) for step in finding.witness],
        "fix": _fix(finding.fix),
        "url": finding.url,
        "fingerprint": finding.fingerprint,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "path": step.path,
        "line": step.span.line,
        "column": step.span.column,
        "end_line": step.span.end_line,
        "end_column": step.span.end_column,
        "message": step.message,
    }


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    return {
        "title": fix.title,
        "applicability": "safe" if fix.safe else "unsafe",
        # The same as a truth value, from before there was a word for it.
        "safe": fix.safe,
        "edits": [{"start": edit.start, "end": edit.end, "text": edit.text} for edit in fix.edits],
    }


def _summary(run: Run) -> dict[str, Any]:
    by_severity = {severity.value: 0 for severity in reversed(Severity)}
    for finding in run.findings:
        by_severity[finding.severity.value] += 1
    summary: dict[str, Any] = {
        "findings": len(run.findings),
        **by_severity,
        "fixable": sum(1 for finding in run.findings if finding.fix),
        "files_seen": run.summary.files_seen,
        "files_parsed": run.summary.files_parsed,
        "files_with_findings": len({finding.path for finding in run.findings}),
        "handlers": run.summary.handlers,
    }
    if run.statistics:
        summary["statistics"] = rule_counts(run)
    return summary
