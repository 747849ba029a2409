"""A name for a finding that survives edits elsewhere, formatting, and half of it a new file name.

Baselines and code scanning must recognise a finding after lines were added above it or the file
was formatted. So the name is made of what the finding is about, never of where it stands. Its
first half says what was found, in which function and in which code; its second half says in which
file, and which of several equal findings it is. A file that is renamed keeps the first halves.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from lambda_lint.finding import Finding, Span

LENGTH = 32
"""Hexadecimal digits of a fingerprint; both halves are equally long."""

_VERSION = b"lambdaLint/v1"
_MOST_OCCURRENCES = 1000
_MOST_TOKENS = 64
_MOST_LINES = 200
_MOST_CHARACTERS = 16 * 1024


def with_fingerprints(
    findings: Iterable[Finding],
    source_lines: Callable[[str], Sequence[str]],
    scope_of: Callable[[Finding], str],
) -> tuple[Finding, ...]:
    """Return the findings in their order, each with its `fingerprint` filled in.

    `findings` must be all findings of the run, with paths relative to the project root: the
    occurrence number counts among them, and a path that depends on the working directory would
    change the result. `source_lines` gives the lines of a file with their ends (`()` when it
    cannot be read), `scope_of` the qualified name of the function or class around a finding, `""`
    at module level.
    """
    given = list(findings)
    keys = {}
    for index, finding in enumerate(given):
        what = _what(finding.rule, scope_of(finding), _snippet(finding, source_lines))
        keys[index] = (finding.path, what)
    seen: Counter[tuple[str, str]] = Counter()
    named = list(given)
    for index in sorted(keys, key=lambda index: given[index].sort_key):
        path, what = keys[index]
        where = _where(path, seen[path, what])
        named[index] = replace(given[index], fingerprint=what + where)
        seen[path, what] += 1
    return tuple(named)


def fingerprint(finding: Finding, code: str, scope: str, occurrence: int) -> str:
    """Return 32 hexadecimal digits that name the finding.

    `code` is the text that is reported, `scope` the qualified name of the function around it,
    `occurrence` the 0-based number among findings for which all the rest is equal. Only the rule's
    slug and the path are taken from the finding itself: not the line, not the message, so that a
    better wording of a rule does not invalidate every baseline.
    """
    return _what(finding.rule, scope, code) + _where(finding.path, occurrence)


def of_content(finding: Finding, source_lines: Callable[[str], Sequence[str]]) -> str:
    """Return digits that are equal for equal code of which a rule says the same, wherever it is."""
    return _what(finding.rule, "", _snippet(finding, source_lines))


def occurrence_in(name: str, path: str) -> int | None:
    """Return which of several equal findings of the file `path` has the fingerprint `name`.

    The number is 0-based; None when `name` is no fingerprint of a finding in that file.
    """
    return next((one for one in range(_MOST_OCCURRENCES) if name.endswith(_where(path, one))), None)


def renamed(name: str, path: str, occurrence: int) -> str:
    """Return the fingerprint that the finding `name` has in a file that is called `path`."""
    return name[: LENGTH // 2] + _where(path, occurrence)


def _what(rule: str, scope: str, code: str) -> str:
    return _digest(rule, scope, normalised(code))


@functools.lru_cache(maxsize=4096)
def _where(path: str, occurrence: int) -> str:
    return _digest(path, occurrence)


def _digest(*parts: str | int) -> str:
    # JSON keeps the parts apart whatever they contain, and escapes names that are not UTF-8.
    data = json.dumps(parts).encode("ascii")
    return hashlib.blake2b(data, digest_size=LENGTH // 4, person=_VERSION).hexdigest()


def _snippet(finding: Finding, source_lines: Callable[[str], Sequence[str]]) -> str:
    lines = source_lines(finding.path)
    span: Span = finding.span
    if not 1 <= span.line <= len(lines):
        return ""
    covered = list(lines[span.line - 1 : min(span.end_line, span.line - 1 + _MOST_LINES)])
    if len(covered) == span.end_line - span.line + 1:
        covered[-1] = covered[-1][: span.end_column - 1]
    covered[0] = covered[0][span.column - 1 :]
    return "".join(covered)[:_MOST_CHARACTERS]


def normalised(code: str) -> str:
    """Return what is left of a piece of Python when everything that formatters change is gone.

    That is blanks, line ends, comments, the kind of quotes, round brackets, trailing commas and
    the case of prefixes and numbers. Of a statement with a body only the head counts, because an
    edit of the body must not make a known finding look new. Text that is no Python has a normal
    form too; so has a comment.
    """
    tokens = list(_kept(_head(_tokens(code))))
    return " ".join(tokens) if tokens else "".join(code.split())


# The tokens of the standard library differ between versions of Python, and a fingerprint may not.
_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\f]+|\\(?:\r\n|\r|\n)|\#[^\r\n]*)
    |(?P<end>\r\n|\r|\n)
    |(?P<prefix>[A-Za-z]{0,2})
     (?:"{3}(?P<a>(?:\\.|[^\\])*?)"{3}|'{3}(?P<b>(?:\\.|[^\\])*?)'{3}
       |"(?P<c>(?:\\.|[^"\\\r\n])*)"|'(?P<d>(?:\\.|[^'\\\r\n])*)')
    |(?P<word>\w+)
    |(?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTE = re.compile(r"\\?[\"']")
_LINE_END = "\n"


def _tokens(code: str) -> Iterator[str]:
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup
        if kind == "end":
            yield _LINE_END
        elif kind == "word":
            word = match[0]
            yield word.lower() if word[0].isdigit() else word
        elif kind == "sign":
            yield match[0]
        elif kind != "blank":
            body = next(one for one in match.group("a", "b", "c", "d") if one is not None)
            prefix = match["prefix"].lower().replace("u", "")
            yield prefix + '"' + _QUOTE.sub('"', body) + '"'


_WITH_BODY = frozenset(
    (
        *("async", "case", "class", "def", "else", "elif", "except"),
        *("finally", "for", "if", "match", "try", "while", "with"),
    )
)


def _head(tokens: Iterator[str]) -> Iterator[str]:
    """Leave out line ends, and what stands behind the head of a compound statement."""
    first = ""
    depth = 0
    for token in tokens:
        if token == _LINE_END:
            if first == "@" and depth <= 0:
                return
            continue
        first = first or token
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        elif token == ":" and depth <= 0 and first in _WITH_BODY:
            return
        yield token


def _kept(tokens: Iterator[str]) -> Iterator[str]:
    """Leave out round brackets and trailing commas, and what is too far from the beginning."""
    comma = False
    kept = 0
    for token in tokens:
        if comma and token not in (")", "]", "}"):
            yield ","
            kept += 1
        comma = token == ","
        if kept >= _MOST_TOKENS:
            return
        if token not in (",", "(", ")"):
            yield token
            kept += 1
