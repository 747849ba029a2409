"""SARIF 2.1.0, for code scanning on GitHub and for viewers.

What GitHub asks for beyond the standard, and the limits it sets, are those of its page "SARIF
support for code scanning". Texts keep what the code says; only what no document can carry (bytes
of a name that are not UTF-8) is written as an escape.

Paths are relative to the root of the repository, because GitHub takes every relative address for
that and ignores `originalUriBaseIds` (github/codeql-action, issue 2215). Two properties of rules
are left out on purpose: `security-severity`, which would turn findings about reliability into
security alerts, and `precision`, since how sure we are is said of each finding and not of its rule.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lambda_lint.finding import Finding, Fix, Severity, Span, Step
from lambda_lint.reporters import marks
from lambda_lint.reporters.edits import FileLines
from lambda_lint.reporters.line_hash import LineHashes
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import neutralise_json, visible

if TYPE_CHECKING:
    # Only its data is used; importing it would load the whole model.
    from lambda_lint.rule import Rule

RESULTS = 5000
"""How many results GitHub keeps of one run."""

RELATED = 100
"""How many related locations GitHub shows of one result."""

STEPS = 1000
"""How many steps of a flow GitHub keeps."""

NOTIFICATIONS = 1000
"""How many notifications of one kind are written; nobody reads more of them."""

COMPRESSED = 10_000_000
"""How many bytes a document may have after gzip: GitHub refuses a larger one as a whole."""

_MARGIN = 100_000
"""What another compressor than ours may add."""

NAME = 255
"""The longest name of a rule, in characters."""

TEXT = 1024
"""The longest short or full description of a rule, in characters."""

FAILED = "LMB900"
"""The code of a file that could not be analysed: a notification, since it judges no code."""

SCHEMA_URI = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEM = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "recommendation",
}


def render(run: Run, _look: Look) -> str:
    """Return the run as one compact SARIF document, in ASCII.

    The worst findings come first, because a reader that cannot take all of them keeps the first.
    """
    results = sorted(
        (finding for finding in run.findings if finding.code != FAILED),
        key=lambda finding: (-finding.severity.rank, finding.sort_key),
    )
    rules = _rules(run, results)
    index = {descriptor["id"]: number for number, descriptor in enumerate(rules)}
    writer = _ResultWriter(run.source_lines, index)
    written = [writer.result(finding) for finding in results[:RESULTS]]
    while True:
        text = _document(run, rules, written, dropped=len(results) - len(written))
        size = _compressed_size(text)
        if size <= COMPRESSED - _MARGIN or not written:
            return text
        # Results differ in size, so the share is an estimate and shrinks by a tenth at least.
        share = min(0.9, (COMPRESSED - _MARGIN) / size)
        written = written[: int(len(written) * share)]


def _document(
    run: Run, rules: list[dict[str, Any]], results: list[dict[str, Any]], *, dropped: int
) -> str:
    document = {
        "$schema": SCHEMA_URI,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(run, rules)},
                "automationDetails": {"id": "lambda-lint/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(run, dropped=dropped)],
                "results": results,
            }
        ],
    }
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return neutralise_json(text) + "\n"


def _compressed_size(text: str) -> int:
    # What is small enough as it is need not be compressed to see it.
    if len(text) <= COMPRESSED - _MARGIN:
        return len(text)
    return len(zlib.compress(text.encode("ascii")))


def _driver(run: Run, rules: list[dict[str, Any]]) -> dict[str, Any]:
    driver: dict[str, Any] = {"name": "lambda-lint", "rules": rules}
    if run.version:
        driver["version"] = run.version
        if re.fullmatch(r"\d+\.\d+\.\d+", run.version):
            driver["semanticVersion"] = run.version
    return driver


def _rules(run: Run, findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Describe the active rules, and the tool's own notes for which no rule file exists."""
    described = {rule.code: _descriptor(rule) for rule in run.rules}
    for finding in findings:
        if finding.code not in described:
            described[finding.code] = _descriptor_of_note(finding)
    return [described[code] for code in sorted(described)]


def _descriptor(rule: Rule) -> dict[str, Any]:
    title = _text(rule.title) or rule.slug
    page = _text(rule.page.strip()) or title
    return _described(
        code=rule.code,
        slug=rule.slug,
        category=rule.category,
        severity=rule.severity,
        title=title,
        description=_first_paragraph(page, title),
        page=page,
        url=rule.url,
    )


def _descriptor_of_note(finding: Finding) -> dict[str, Any]:
    title = finding.rule.replace("-", " ")
    return _described(
        code=finding.code,
        slug=finding.rule,
        category=finding.category,
        severity=finding.severity,
        title=title,
        description=title,
        page=title,
        url=finding.url,
    )


def _described(
    *,
    code: str,
    slug: str,
    category: str,
    severity: Severity,
    title: str,
    description: str,
    page: str,
    url: str,
) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "id": code,
        "name": slug[:NAME],
        "shortDescription": {"text": _shortened(title)},
        "fullDescription": {"text": _shortened(description)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": _LEVEL[severity]},
        "properties": {"tags": ["aws-lambda", category], "problem.severity": _PROBLEM[severity]},
    }
    if url:
        descriptor["helpUri"] = url
    return descriptor


def _first_paragraph(page: str, title: str) -> str:
    for paragraph in re.split(r"\n\s*\n", page):
        text = " ".join(paragraph.split())
        if text and not text.startswith(("#", "```")) and text.rstrip(".") != title.rstrip("."):
            return text
    return title


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 1].rstrip() + "…"


def _invocation(run: Run, *, dropped: int) -> dict[str, Any]:
    notifications: list[dict[str, Any]] = [
        {"level": "error", "message": {"text": _text(error) or "unknown error"}}
        for error in run.errors[:NOTIFICATIONS]
    ]
    failed = [finding for finding in run.findings if finding.code == FAILED]
    notifications += [
        {
            "level": _LEVEL[finding.severity],
            "message": {"text": _message(finding)},
            "locations": [_location(finding.path, finding.span)],
        }
        for finding in failed[:NOTIFICATIONS]
    ]
    for more, what in (
        (len(run.errors) - NOTIFICATIONS, "errors"),
        (len(failed) - NOTIFICATIONS, "files could not be analysed"),
    ):
        if more > 0:
            text = f"{more} more {what}"
            notifications.append({"level": "error", "message": {"text": text}})
    if dropped:
        text = (
            f"{dropped} more results were left out: GitHub keeps {RESULTS} of one run, and takes "
            f"no document of more than {COMPRESSED // 1_000_000} MB after gzip"
        )
        notifications.append({"level": "warning", "message": {"text": text}})
    if not run.summary.handlers:
        text = "no Lambda handler was found, so nothing can be concluded from missing results"
        notifications.append({"level": "warning", "message": {"text": text}})
    return {
        # An unreadable file is reported and the others are judged; an error means that the
        # results say nothing about the project.
        "executionSuccessful": not run.errors,
        "toolExecutionNotifications": notifications,
    }


class _ResultWriter:
    """Writes results; keeps what it computed about a file for the other results in it."""

    def __init__(self, source_lines: Callable[[str], Sequence[str]], rules: dict[str, int]) -> None:
        self._rules = rules
        self._file = cache(lambda path: FileLines.of(source_lines(path)))
        self._hashes = cache(lambda path: LineHashes("".join(source_lines(path))))

    def result(self, finding: Finding) -> dict[str, Any]:
        steps, _ = marks.numbered_steps(finding.witness, RELATED)
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": self._rules[finding.code],
            "level": _LEVEL[finding.severity],
            "message": {"text": _message(finding)},
            "locations": [self._primary(finding)],
        }
        fingerprints = self._fingerprints(finding)
        if fingerprints:
            result["partialFingerprints"] = fingerprints
        if steps:
            result["codeFlows"] = [{"threadFlows": [{"locations": self._flow(finding.witness)}]}]
            result["relatedLocations"] = [
                {"id": number, **self._step(step)} for number, step in steps
            ]
        fix = self._fix(finding)
        if fix:
            result["fixes"] = [fix]
        result["properties"] = {
            "category": finding.category,
            "confidence": finding.confidence.value,
            "handlers": [_text(handler) for handler in finding.handlers],
        }
        return result

    def _primary(self, finding: Finding) -> dict[str, Any]:
        first = self._file(finding.path).first_line_of(finding.span)
        location = _location(finding.path, first)
        if finding.span.end_line != finding.span.line:
            location["physicalLocation"]["contextRegion"] = _region(finding.span)
        return location

    def _step(self, step: Step) -> dict[str, Any]:
        location = _location(step.path, self._file(step.path).first_line_of(step.span))
        return {**location, "message": {"text": _literal(step.message) or "step"}}

    def _flow(self, witness: Sequence[Step]) -> list[dict[str, Any]]:
        return [{"location": self._step(step)} for step in witness[:STEPS]]

    def _fingerprints(self, finding: Finding) -> dict[str, str]:
        fingerprints: dict[str, str] = {}
        # Of a file that cannot be read, every line would look like the same empty one.
        if self._file(finding.path).lines:
            line_hash = self._hashes(finding.path).of(finding.span.line)
            if line_hash:
                fingerprints["primaryLocationLineHash"] = line_hash
        if finding.fingerprint:
            fingerprints["lambdaLint/v1"] = finding.fingerprint
        return fingerprints

    def _fix(self, finding: Finding) -> dict[str, Any] | None:
        fix = finding.fix
        if fix is None or not fix.edits:
            return None
        file = self._file(finding.path)
        try:
            replacements = [_replacement(file, fix, number) for number in range(len(fix.edits))]
        except ValueError:
            return None
        change = {"artifactLocation": {"uri": uri(finding.path)}, "replacements": replacements}
        return {
            "description": {"text": _literal(fix.title) or "fix"},
            "artifactChanges": [change],
            "properties": {"safe": fix.safe},
        }


def _replacement(file: FileLines, fix: Fix, number: int) -> dict[str, Any]:
    edit = fix.edits[number]
    span = Span(*file.position(edit.start), *file.position(edit.end))
    replacement: dict[str, Any] = {"deletedRegion": _region(span)}
    if edit.text:
        replacement["insertedContent"] = {"text": edit.text}
    return replacement


def _message(finding: Finding) -> str:
    lines = [_literal(finding.message) or finding.rule]
    steps, left_out = marks.numbered_steps(finding.witness, marks.STEPS)
    if finding.code != FAILED:
        told = [
            f"{number}. [{_link_text(step.message) or 'step'}]({number})" for number, step in steps
        ]
        if left_out:
            told.insert(marks.STEPS // 2, f"({left_out} steps in between)")
        lines += told
    if finding.help:
        lines.append(f"help: {_literal(finding.help)}")
    return "\n".join(lines)


def _location(path: str, span: Span) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri(path)}, "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def uri(path: str) -> str:
    """Return a path as a URI reference, byte for byte, also when it is not valid UTF-8."""
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:
        # Half a surrogate pair is no byte of any file name; it still must not stop the report.
        name = path.encode("utf-8", "surrogatepass")
    if path.startswith("/"):
        return "file://" + quote(name)
    if os.path.isabs(path):
        return "file:///" + quote(name, safe="/:")
    return quote(name)


def _text(text: str) -> str:
    return re.sub("[\ud800-\udfff]+", lambda found: visible(found.group()), text)


def _literal(text: str) -> str:
    # Text of others must not become a link of the message (SARIF 2.1.0, 3.11.6).
    return re.sub(r"\[(?=[^\]]*\]\()", r"\\[", _text(text))


def _link_text(text: str) -> str:
    return re.sub(r"([\\\[\]])", r"\\\1", " ".join(_text(text).split()))
