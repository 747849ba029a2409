"""Comments that silence findings: `# noqa` as flake8 reads it, and comments of our own.

Our own comments name rules by slug or by code, and may give a reason after the bracket:

    client = boto3.client("s3")  # lambda-lint: ignore[client-in-handler] rebuilt on purpose
    # lambda-lint: ignore[LMB101, LMB801] alone on its line: for the statement that follows
    # lambda-lint: file-ignore[client-in-handler]
    # lambda-lint: disable[client-in-handler]
    # lambda-lint: enable[client-in-handler]

A comment inside a statement of several lines, or behind it, covers the whole statement; of a
compound statement it covers the header. A comment that cannot be understood suppresses nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lambda_lint.finding import Finding, Span, UnusedSuppression
from lambda_lint.source import Source
from lambda_lint.syntax.scan import Comment, scan


class Suppressed(NamedTuple):
    """What is left of the findings, and what there is to say about the comments.

    `unused` are names that have silenced nothing, also those of rules that did not run or do not
    exist. `malformed` comments do not mean what they seem to mean. `unexplained` ones silence a
    rule and do not say why.
    """

    findings: tuple[Finding, ...]
    unused: tuple[UnusedSuppression, ...]
    malformed: tuple[UnusedSuppression, ...]
    unexplained: tuple[UnusedSuppression, ...]


def apply(
    findings: Iterable[Finding],
    sources: Mapping[str, Source],
    *,
    noqa: bool,
    blanket: bool = True,
) -> Suppressed:
    """Take away the findings that a comment in their own file silences.

    The order of `findings` is kept. `noqa` is False under flake8, which applies these comments
    itself; what is wrong with them is told all the same. Without `blanket` only those count that
    name a code. Comments are read in all of `sources`, so that unused ones are noticed; a finding
    in a file without a source is kept.
    """
    findings = list(findings)
    spoken_of = {one.path for one in findings}
    files = {
        path: _File(source, noqa, blanket)
        for path, source in sources.items()
        if _may_matter(source.data.lower(), path in spoken_of)
    }
    left = []
    for finding in findings:
        file = files.get(finding.path)
        if file is None or not file.silences(finding):
            left.append(finding)
    ordered = [files[path] for path in sorted(files)]
    return Suppressed(
        tuple(left),
        tuple(note for file in ordered for note in file.unused()),
        tuple(note for file in ordered for note in file.malformed()),
        tuple(note for file in ordered for note in file.unexplained()),
    )


def _may_matter(data: bytes, has_findings: bool) -> bool:
    """Tell whether a file, in lower case, is to be looked at more closely; most need not be.

    A `# noqa` without a code of ours matters only where there is a finding.
    """
    return any(name in data for name in _OUR_NAMES) or (
        b"noqa" in data and (has_findings or b"lmb" in data)
    )


# The second is how the package is imported, and all but the first are written by mistake.
_OUR_NAMES = (b"lambda-lint", b"lambda_lint", b"lambdalint", b"lambda lint")


# The next two are what flake8 7 searches for; they are its documented interface.
_NOQA = re.compile(r"# noqa(?::[\s]?(?P<codes>([A-Z]+[0-9]+(?:[,\s]+)?)+))?", re.IGNORECASE)
_NOQA_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)


@dataclass(slots=True)
class _Name:
    """One name in one comment, and whether it has silenced anything."""

    span: Span
    name: str
    used: bool = False
    is_noqa: bool = False


@dataclass(slots=True)
class _Ranges:
    """The stretches of a file in which one name is disabled: disjoint and in order."""

    starts: list[int] = field(default_factory=list)
    ends: list[int | None] = field(default_factory=list)
    names: list[_Name] = field(default_factory=list)

    def at(self, line: int) -> _Name | None:
        """Return the name that is disabled on this line."""
        index = bisect_right(self.starts, line) - 1
        if index < 0:
            return None
        end = self.ends[index]
        return self.names[index] if end is None or line < end else None


class _File:
    """All suppression comments of one file."""

    def __init__(self, source: Source, noqa: bool, blanket: bool) -> None:
        self._path = source.path
        self._lines = source.lines
        self._layout = Layout.of(source)
        self._noqa = noqa
        self._blanket = blanket
        self._skipped = any(_NOQA_FILE.match(line) for line in source.lines)
        # Keyed by the first of the lines that flake8 joins.
        self._noqa_names: dict[int, list[_Name]] = defaultdict(list)
        self._noqa_spans: dict[int, Span] = {}
        self._noqa_found: dict[int, re.Match[str] | None] = {}
        self._noqa_answers: dict[tuple[int, str], bool] = {}
        # Keyed by the first line of a statement, and a rule's name.
        self._ignored: dict[tuple[int, str], _Name] = {}
        self._everywhere: dict[str, _Name] = {}
        self._disabled: dict[str, _Ranges] = defaultdict(_Ranges)
        self._names: list[_Name] = []
        self._malformed: set[UnusedSuppression] = set()
        self._unexplained: set[UnusedSuppression] = set()
        # The limit for files to analyse is the business of the settings.
        for comment in scan(source.text, max_bytes=4 * len(source.text)).comments:
            for directive in _DIRECTIVE.finditer(comment.text):
                self._read_directive(comment, directive)
            if not self._skipped:
                self._read_noqa(comment)
        for ranges in self._disabled.values():
            if ranges.ends[-1] is None:
                last = ranges.names[-1]
                self._note(
                    last.span,
                    f"`{last.name}` is disabled here and never enabled again",
                    f"add `# lambda-lint: enable[{last.name}]`, or write `file-ignore`",
                )

    def silences(self, finding: Finding) -> bool:
        """Tell whether a comment silences the finding; marks every such comment as used."""
        line = finding.span.line
        statement = self._layout.statement(line)
        silent = self._silent_by_noqa(finding)
        for name in (finding.code, finding.rule):
            for one in (
                self._ignored.get((statement, name)),
                self._everywhere.get(name),
                self._disabled[name].at(line) if name in self._disabled else None,
            ):
                if one is not None:
                    one.used = silent = True
        return silent

    def unused(self) -> Iterator[UnusedSuppression]:
        """Yield the names that have silenced nothing, in order."""
        for one in sorted(self._names, key=lambda one: one.span):
            if not one.used:
                yield UnusedSuppression(self._path, one.span, one.name, one.is_noqa)

    def malformed(self) -> list[UnusedSuppression]:
        """Return what there is to say about the comments themselves, in order."""
        return sorted(self._malformed, key=lambda one: (one.span, one.problem))

    def unexplained(self) -> list[UnusedSuppression]:
        """Return the comments that silence a rule and do not say why, in order."""
        return sorted(self._unexplained, key=lambda one: one.span)

    def _silent_by_noqa(self, finding: Finding) -> bool:
        if self._skipped:
            return self._noqa and self._blanket
        first, last = self._layout.joined(finding.span.line)
        if first not in self._noqa_found:
            self._noqa_found[first] = _NOQA.search("".join(self._lines[first - 1 : last]))
        found = self._noqa_found[first]
        if found is None:
            return False
        if found["codes"] is None:
            if not self._noqa or not self._blanket:
                return False
            rest = found.string[found.end() :].partition("#")[0]
            if span := self._noqa_spans.get(first):
                if finding.rule in re.split(r"[\s:,]+", rest[:1000]):
                    self._note(span, *_BLANKET, is_noqa=True)
                if not _REASON.search(rest):
                    self._miss_reason(span, "noqa: LMB101", is_noqa=True)
            return True
        if (first, finding.code) not in self._noqa_answers:
            codes = tuple(re.findall(r"[^,\s]+", found["codes"]))
            self._noqa_answers[first, finding.code] = finding.code.startswith(codes)
            for one in self._noqa_names.get(first, ()):
                one.used = one.used or finding.code.startswith(one.name)
        # Flake8 silences it itself, and still has to know which comments are needed.
        return self._noqa and self._noqa_answers[first, finding.code]

    def _read_noqa(self, comment: Comment) -> None:
        """Remember which of our codes a `# noqa` names, and warn where it does something else."""
        found = _NOQA.search(comment.text)
        if found is None:
            return
        first, _ = self._layout.joined(comment.line)
        rest = comment.text[found.end() :]
        span = _span(comment, found.start(), len(comment.text.rstrip()))
        self._noqa_spans.setdefault(first, span)
        if re.match(r"[^#]*#[ \t]*noqa[ \t]*:[^#]*LMB", rest, re.IGNORECASE):
            self._note(
                span,
                "only the first `# noqa` of a line is read",
                "write all codes behind the first one, separated by commas",
                is_noqa=True,
            )
        if found["codes"] is None:
            if re.match(r"[\s:]*LMB", rest, re.IGNORECASE):
                self._note(span, *_BLANKET, is_noqa=True)
            return
        ours = False
        for code in re.finditer(r"[^,\s]+", found["codes"]):
            if code[0].startswith("LMB"):
                start = found.start("codes") + code.start()
                place = _span(comment, start, start + len(code[0]))
                one = _Name(place, code[0], is_noqa=True)
                self._names.append(one)
                self._noqa_names[first].append(one)
                ours = True
            elif code[0].upper().startswith("LMB"):
                self._note(
                    span,
                    f"`{code[0]}` silences nothing, because flake8 compares codes with their case",
                    f"write the code as {code[0].upper()}",
                    is_noqa=True,
                )
        if re.match(r"[;|+&/]+\s*LMB", rest):
            self._note(
                span,
                "what follows the first code is not read",
                "separate codes by commas",
                is_noqa=True,
            )
        elif ours and not _REASON.search(rest.partition("#")[0]):
            self._miss_reason(span, found[0].lstrip("# ").rstrip(" ,"), is_noqa=True)

    def _read_directive(self, comment: Comment, found: re.Match[str]) -> None:
        """Take in one comment of our own."""
        span = _span(comment, found.start(), len(comment.text.rstrip()))
        body = _BODY.match(found["body"])
        if body is None or ":" not in found[0][: found.start("body") - found.start()]:
            self._note(
                span,
                "this comment is not understood, and silences nothing",
                "write `# lambda-lint: ignore[rule-name] reason`; the other words are "
                "`file-ignore`, `disable` and `enable`",
            )
            return
        verb = body["verb"]
        if verb != "ignore" and not comment.own_line:
            self._note(
                span,
                f"`{verb}` has to stand alone on its line, and silences nothing here",
                f"move it to a line of its own, or write `ignore[{body['names'][:100].strip()}]`",
            )
            return
        names = list(re.finditer(r"[^,\s]+", body["names"]))
        if not names:
            self._note(
                span, "this comment names no rule", f"write `# lambda-lint: {verb}[rule-name]`"
            )
        elif verb != "enable" and not _REASON.search(found["body"][body.end() :]):
            self._miss_reason(span, f"lambda-lint: {verb}[{body['names'][:100].strip()}]")
        for name in names:
            start = found.start("body") + body.start("names") + name.start()
            one = _Name(_span(comment, start, start + len(name[0])), name[0])
            if not _RULE_NAME.fullmatch(one.name):
                self._note(
                    one.span,
                    f"`{one.name}` is neither a rule's name nor its whole code",
                    _spelling(one.name),
                )
            elif verb == "enable":
                self._enable(one, comment.line)
            elif verb == "disable":
                self._disable(one, comment.line)
            else:
                self._names.append(one)
                if verb == "file-ignore":
                    self._everywhere.setdefault(one.name, one)
                else:
                    statement = self._layout.statement(comment.line)
                    self._ignored.setdefault((statement, one.name), one)

    def _disable(self, one: _Name, line: int) -> None:
        ranges = self._disabled[one.name]
        if ranges.ends and ranges.ends[-1] is None:
            self._note(
                one.span,
                f"`{one.name}` is disabled already",
                f"enable it first: `# lambda-lint: enable[{one.name}]`",
            )
            return
        ranges.starts.append(line)
        ranges.ends.append(None)
        ranges.names.append(one)
        self._names.append(one)

    def _enable(self, one: _Name, line: int) -> None:
        ranges = self._disabled.get(one.name)
        if ranges is None or ranges.ends[-1] is not None:
            self._note(
                one.span,
                f"`{one.name}` is not disabled here under this name",
                "write the name as in the `disable` above, or delete the comment",
            )
            return
        ranges.ends[-1] = line

    def _note(self, span: Span, problem: str, advice: str, *, is_noqa: bool = False) -> None:
        self._malformed.add(
            UnusedSuppression(self._path, span, "", is_noqa, problem=problem, advice=advice)
        )

    def _miss_reason(self, span: Span, words: str, *, is_noqa: bool = False) -> None:
        self._unexplained.add(
            UnusedSuppression(
                self._path,
                span,
                "",
                is_noqa,
                problem="this comment does not say why it silences a rule",
                advice=f"write the reason behind it: `# {words} because ...`",
            )
        )


def _spelling(name: str) -> str:
    """Return what to write instead of a name that no rule can have."""
    for spelling in (name.upper(), name.lower().replace("_", "-")):
        if _RULE_NAME.fullmatch(spelling):
            return f"write `{spelling}`"
    return "write the name (client-in-handler) or the whole code (LMB101) of each rule"


class Ignoring(NamedTuple):
    """An `ignore[...]` in a comment; 0-based offsets in the text of the comment."""

    comment: Comment
    names_end: int
    bracket_end: int
    has_reason: bool


def ignoring(comment: Comment) -> Iterator[Ignoring]:
    """Yield each `ignore[...]` of a comment that names something."""
    for found in _DIRECTIVE.finditer(comment.text):
        body = _BODY.match(found["body"])
        if body is not None and body["verb"] == "ignore" and body["names"].strip(" ,\t"):
            start = found.start("body")
            names = body["names"].rstrip(" ,\t")
            yield Ignoring(
                comment,
                start + body.start("names") + len(names),
                start + body.end(),
                _REASON.search(found["body"][body.end() :]) is not None,
            )


_BLANKET = (
    "this comment silences every finding of the line, because flake8 sees no code in it",
    "write a colon and whole codes: `# noqa: LMB101`",
)
_REASON = re.compile(r"\w")

# A comment is ours when it starts with our name, or when a second `#` inside it does.
_DIRECTIVE = re.compile(
    r"""
    (?: ^ | (?<=\s) ) \#+ [ \t]*
    (?:
        lambda-lint (?: [ \t]*: | (?= [ \t]+ (?: ignore | file-ignore | disable | enable ) \b ) )
        # As the name, or what stands behind it, is misspelt.
      | lambda[_ ]?lint (?= [ \t]*: [ \t]* (?: ignore | file-ignore | disable | enable ) \b )
      | lambda-lint [ \t]* [-=,;.] (?= [ \t]* (?: ignore | file-ignore | disable | enable ) \b )
    )
    [ \t]* (?P<body> [^#]* )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BODY = re.compile(r"(?P<verb>ignore|file-ignore|disable|enable)[ \t]*\[(?P<names>[^\]]*)\]")
_RULE_NAME = re.compile(r"LMB[0-9]{3}|(?!lmb[0-9]*\Z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def _span(comment: Comment, start: int, end: int) -> Span:
    """Return the place of a part of a comment, from 0-based offsets in its text."""
    return Span(comment.line, comment.column + start, comment.line, comment.column + end)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which lines of a file belong together; all numbers are 1-based and in order.

    `joints` are the first lines of what flake8 takes for one line: lines joined by a backslash
    or by a string of several lines. `statements` are the first lines of statements and headers,
    where brackets join lines too, and where the comments and decorators above belong to what
    follows them.
    """

    joints: tuple[int, ...]
    statements: tuple[int, ...]
    last: int

    @classmethod
    def of(cls, source: Source) -> Layout:
        """Read the layout of a file; of what is not Python it says nothing useful."""
        joints, statements = [1], [1]
        line = start = 1
        depth = 0
        for token in _TOKEN.finditer(source.text):
            kind = token.lastgroup
            if kind == "newline":
                line += 1
                joints.append(line)
                if depth == 0:
                    if not _LEADS_ON.match(source.lines[start - 1]):
                        statements.append(line)
                    start = line
            elif kind == "joined":
                line += len(_NEWLINE.findall(token[0]))
            elif kind == "open":
                depth += 1
            elif kind == "close":
                depth = max(0, depth - 1)
        return cls(tuple(joints), tuple(statements), line)

    def joined(self, line: int) -> tuple[int, int]:
        """Return the first and the last of the lines that flake8 joins with this one."""
        index = bisect_right(self.joints, line)
        last = self.joints[index] - 1 if index < len(self.joints) else self.last
        return self.joints[max(0, index - 1)], last

    def statement(self, line: int) -> int:
        """Return the first line of the statement that this line belongs to or leads to."""
        return self.statements[max(0, bisect_right(self.statements, line) - 1)]


# Prefixes of strings do not matter here, except that a backslash escapes a quote in all of them.
_TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\r\n]* )
    | (?P<joined>
          \"\"\" (?: [^\\\"]+ | \\(?:.|\Z) | \"(?!\"\") )* (?: \"\"\" | \Z )
        | \'\'\' (?: [^\\\']+ | \\(?:.|\Z) | \'(?!\'\') )* (?: \'\'\' | \Z )
        | \" (?: [^\\\"\r\n]+ | \\(?:\r\n|.) )* \"?
        | \' (?: [^\\\'\r\n]+ | \\(?:\r\n|.) )* \'?
        | \\ (?: \r\n | \r | \n )
      )
    | (?P<newline> \r\n | \r | \n )
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    """,
    re.VERBOSE | re.DOTALL,
)
_NEWLINE = re.compile(r"\r\n|\r|\n")


# Nothing, a comment or a decorator: what a comment says there is meant for what follows.
_LEADS_ON = re.compile(r"\s*(?:[#@]|\Z)")
