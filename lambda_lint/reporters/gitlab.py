"""GitLab's code quality report: a JSON array with an object for each finding.

GitLab compares the reports of two branches by `fingerprint`, drops all but one object of an equal
one, and shows the description without the name of the check, which therefore stands in it.

A file that could not be analysed is a finding like any other. What the tool could not do is an
object too, a blocker without a place of its own; the command line also says it on standard error
and exits with 2. That no handler was found is said there alone: it is no defect of a line.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from lambda_lint.finding import Finding, Severity
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import neutralise_json, visible, without_surrogates
from lambda_lint.reporters.statistics import listed

HANDLERS = 5
"""How many handlers of a finding are named."""

_SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(run: Run, _look: Look) -> str:
    """Return the run as a JSON array in ASCII, `[]` when there is nothing to say."""
    entries = [_of_error(error) for error in run.errors]
    entries += [_of_finding(finding) for finding in run.findings]
    seen: set[str] = set()
    for entry in entries:
        entry["fingerprint"] = _unique(entry["fingerprint"], seen)
    return neutralise_json(json.dumps(entries, indent=2, ensure_ascii=True)) + "\n"


def _of_finding(finding: Finding) -> dict[str, Any]:
    description = f"{finding.code} {finding.rule}: {finding.message}"
    if finding.handlers:
        description += f" [{listed(finding.handlers, HANDLERS)}]"
    return {
        "description": visible(description),
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint or _digest(finding.rule, finding.path, finding.message),
        "severity": _SEVERITY[finding.severity],
        "location": {
            # Half of a pair is no text to GitLab's parser, which would refuse the whole report.
            "path": without_surrogates(finding.path),
            "lines": {"begin": finding.span.line},
        },
    }


def _of_error(error: str) -> dict[str, Any]:
    return {
        "description": f"lambda-lint could not do its work: {visible(error)}",
        "check_name": "lambda-lint",
        "fingerprint": _digest("lambda-lint", error),
        "severity": "blocker",
        "location": {"path": ".", "lines": {"begin": 1}},
    }


def _unique(fingerprint: str, seen: set[str]) -> str:
    """Return the fingerprint, or for one that was seen another that depends on no line."""
    found = fingerprint
    occurrence = 0
    while found in seen:
        occurrence += 1
        found = _digest(fingerprint, str(occurrence))
    seen.add(found)
    return found


def _digest(*parts: str) -> str:
    return hashlib.blake2b(json.dumps(parts).encode("ascii"), digest_size=16).hexdigest()
