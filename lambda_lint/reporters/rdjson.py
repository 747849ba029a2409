"""reviewdog's diagnostic format, from which it writes comments on pull and merge requests.

The form is that of `proto/rdf/reviewdog.proto`: columns count bytes of UTF-8 from 1, the end is
exclusive, and a range without columns means whole lines, both included. Paths are relative to the
working directory, because reviewdog puts the way from the root of the repository to it in front.

A fix is a suggestion, which a reviewer applies with one click: one replacement of whole lines,
since reviews know no other. An unsafe one is suggested as well: whoever clicks has the change
before his eyes, which is what `--unsafe-fixes` asks for, and the message says that it is unsafe.
None is suggested where the edits lie more than `SUGGESTED` lines apart: GitHub shows a suggestion
only inside of what was changed, reviewdog writes an error into the comment otherwise, and nobody
checks that many repeated lines. Then the message tells the command that applies the fix.

reviewdog reads messages as Markdown, and puts the paths of related locations there as they are. So
messages are made harmless, and steps in files with unusual names are told in the message instead.
What the tool could not do is a diagnostic without a location.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from lambda_lint.finding import Finding, Fix, Severity, Span, Step
from lambda_lint.reporters import markdown, marks
from lambda_lint.reporters.edits import FileLines, Replacement, replacement
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import neutralise_json, without_surrogates
from lambda_lint.rule import HOME

SUGGESTED = 25
"""How many lines a suggestion may replace."""

HANDLERS = 5
"""How many handlers of a finding are named."""

RELATED = 20
"""How many steps are shown with their code below a comment."""

_SEVERITY = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}


def render(run: Run, look: Look) -> str:
    """Return the run as one `DiagnosticResult` in ASCII.

    In GitLab's pipelines only those suggestions are made that begin with the reported line:
    reviewdog hangs them there whatever their range says, so any other would replace wrong lines.
    """
    file_of = cache(lambda path: FileLines.of(run.source_lines(path)))
    writer = _Writer(file_of, only_from_line=look.in_gitlab_ci)
    diagnostics = [_of_error(error) for error in run.errors]
    diagnostics += [writer.diagnostic(finding) for finding in run.findings]
    document = {"source": {"name": "lambda-lint", "url": HOME}, "diagnostics": diagnostics}
    return neutralise_json(json.dumps(document, indent=2, ensure_ascii=True)) + "\n"


def _of_error(error: str) -> dict[str, Any]:
    return {"message": markdown.line(error), "severity": "ERROR"}


class _Writer:
    """Writes diagnostics; the lines of a file are looked up once."""

    def __init__(self, file_of: Callable[[str], FileLines], *, only_from_line: bool) -> None:
        self._file_of = file_of
        self._only_from_line = only_from_line

    def diagnostic(self, finding: Finding) -> dict[str, Any]:
        suggested = self._suggested(finding)
        steps, _ = marks.numbered_steps(finding.witness, RELATED)
        usual = [step for _, step in steps if _USUAL_PATH.fullmatch(step.path)]
        code = {"value": finding.code}
        if finding.url:
            code["url"] = finding.url
        diagnostic: dict[str, Any] = {
            "message": _message(finding, is_suggested=suggested is not None),
            "location": self._location(finding.path, finding.span),
            "severity": _SEVERITY[finding.severity],
            "code": code,
        }
        if suggested is not None:
            lines = {"start": {"line": suggested.first}, "end": {"line": suggested.last}}
            diagnostic["suggestions"] = [
                {"range": lines, "text": without_surrogates(suggested.text)}
            ]
        if usual:
            diagnostic["related_locations"] = [
                {"message": markdown.line(step.message), "location": self._step(step)}
                for step in usual
            ]
        return diagnostic

    def _suggested(self, finding: Finding) -> Replacement | None:
        if finding.fix is None:
            return None
        found = replacement(self._file_of(finding.path), finding.fix)
        if found is None or found.last - found.first >= SUGGESTED:
            return None
        if self._only_from_line and found.first != finding.span.line:
            return None
        return found

    def _step(self, step: Step) -> dict[str, Any]:
        return self._location(step.path, step.span)

    def _location(self, path: str, span: Span) -> dict[str, Any]:
        file = self._file_of(path)
        one = file.first_line_of(span)
        start: dict[str, int] = {"line": one.line}
        end: dict[str, int] = {"line": one.end_line}
        if one.line <= len(file.lines):
            text = file.lines[one.line - 1]
            start["column"] = _column(text, one.column)
            end["column"] = _column(text, one.end_column)
        return {"path": without_surrogates(path), "range": {"start": start, "end": end}}


# Letters of any script, and what file names are usually made of.
_USUAL_PATH = re.compile(r"[\w ./+-]+")


def _column(line: str, column: int) -> int:
    return len(line[: column - 1].encode("utf-8", "surrogatepass")) + 1


def _message(finding: Finding, *, is_suggested: bool) -> str:
    lines = [markdown.line(finding.message)]
    if finding.handlers:
        named = ", ".join(markdown.code(name) for name in finding.handlers[:HANDLERS])
        more = len(finding.handlers) - HANDLERS
        lines.append(f"reached from {named}" + (f" and {more} more" if more > 0 else ""))
    steps, _ = marks.numbered_steps(finding.witness, RELATED)
    for number, step in steps:
        if not _USUAL_PATH.fullmatch(step.path):
            place = markdown.code(f"{step.path}:{step.span.line}")
            lines.append(f"step {number}, at {place}: {markdown.line(step.message)}")
    help_lines = markdown.block(finding.help)
    if help_lines:
        # The fence of a block of code has to begin a line.
        first = [] if help_lines[0].startswith("```") else [help_lines.pop(0)]
        lines += ["", " ".join(["help:", *first]), *help_lines]
    if finding.fix is not None:
        lines += ["", _fix_line(finding.fix, is_suggested=is_suggested)]
    return "\n".join(lines)


def _fix_line(fix: Fix, *, is_suggested: bool) -> str:
    kind = "safe" if fix.safe else "unsafe"
    start = f"suggested {kind} fix" if is_suggested else f"{kind} fix"
    line = f"{start}: {markdown.line(fix.title)}"
    if not fix.safe:
        line += "; it may change what the code does, so read it before you apply it"
    if not is_suggested:
        options = "--fix" if fix.safe else "--fix --unsafe-fixes"
        line += f" (`lambda-lint check {options}`)"
    return line
