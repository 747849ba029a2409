"""A name for a finding that survives edits elsewhere in the file.

Baselines and code scanning must recognise a finding after lines were added above it or the file
was formatted. So the name is made of what the finding is about, never of where it stands.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from lambda_lint.finding import Finding, Span


def with_fingerprints(
    findings: Iterable[Finding],
    source_lines: Callable[[str], Sequence[str]],
    scope_of: Callable[[Finding], str],
) -> tuple[Finding, ...]:
    """Return the findings in their order, each with its `fingerprint` filled in.

    `findings` must be all findings of the run, with paths relative to the project root: the
    occurrence number counts among them, and a path that depends on the working directory would
    change the result. `source_lines` gives the lines of a file (`()` when it cannot be read),
    `scope_of` the qualified name of the function or class around a finding, `""` at module level.
    """
    given = list(findings)
    keys = {
        index: (finding.rule, finding.path, scope_of(finding), _snippet(finding, source_lines))
        for index, finding in enumerate(given)
    }
    seen: Counter[tuple[str, str, str, str]] = Counter()
    named = list(given)
    for index in sorted(keys, key=lambda index: given[index].sort_key):
        key = keys[index]
        _, _, scope, snippet = key
        named[index] = replace(
            given[index], fingerprint=fingerprint(given[index], snippet, scope, seen[key])
        )
        seen[key] += 1
    return tuple(named)


def fingerprint(finding: Finding, line_text: str, scope: str, occurrence: int) -> str:
    """Return 32 hexadecimal digits that name the finding.

    `line_text` is the code that is reported, `scope` the qualified name of the function around
    it, `occurrence` the 0-based number among findings for which all the rest is equal. Only the
    rule's slug and the path are taken from the finding itself: not the line, not the message,
    so that a better wording of a rule does not invalidate every baseline.
    """
    # JSON keeps the parts apart whatever they contain, and escapes names that are not UTF-8.
    parts = json.dumps([finding.rule, finding.path, scope, _normalised(line_text), occurrence])
    digest = hashlib.blake2b(parts.encode("ascii"), digest_size=16, person=b"lambdaLint/v1")
    return digest.hexdigest()


def _snippet(finding: Finding, source_lines: Callable[[str], Sequence[str]]) -> str:
    # Only the first line: the span of a function or a `with` block covers its whole body, and an
    # edit of the body must not make a known finding look new.
    lines = source_lines(finding.path)
    span: Span = finding.span
    if not 1 <= span.line <= len(lines):
        return ""
    line = lines[span.line - 1]
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    return line[span.column - 1 : end]


def _normalised(code: str) -> str:
    # Formatters move blanks; nothing else about the layout of one line is theirs to choose.
    return "".join(code.split())
