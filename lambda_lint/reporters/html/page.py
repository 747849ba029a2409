"""What the page shows, put together from a run; the template only writes it down."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from lambda_lint.finding import Finding, Severity
from lambda_lint.life import Life
from lambda_lint.reporters.edits import FileLines
from lambda_lint.reporters.html.code import Change, Frame, difference, frames
from lambda_lint.reporters.html.drawing import Badge, Group, groups, short, story
from lambda_lint.reporters.run import Run
from lambda_lint.reporters.statistics import fixable_line, plural, severity_counts, summary_line

FINDINGS = 1500
"""So many findings are shown, the worst ones; a browser of a phone still scrolls through them."""

DRAWINGS = 60
"""So many handlers are drawn, those with findings first; the others are listed."""

OPEN = 12
"""So many drawings are open at first."""

TROUBLES = 30
"""So many of the tool's own findings are named at the top."""

PARAGRAPHS = 2
"""So much of a rule's page is shown."""


class Told(NamedTuple):
    """One step of a story: its number, what happens, and where."""

    number: int
    text: str
    place: str
    short: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding, with all that is shown of it."""

    anchor: str
    finding: Finding
    frames: Sequence[Frame]
    left_out: int
    story: tuple[Sequence[Told], Sequence[Told]] | None
    fix: Sequence[Change]
    help: Sequence[tuple[str, str]]
    handlers: Sequence[tuple[str, str]]

    @property
    def numbers(self) -> str:
        """The numbers of the handlers that reach it, as the filter compares them."""
        return " ".join(number for number, _ in self.handlers)


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule that spoke: its title, the start of its page, and how often it spoke."""

    code: str
    slug: str
    title: str
    url: str
    paragraphs: Sequence[str]
    counts: str
    worst: str
    count: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A handler with the rows of its drawing."""

    anchor: str
    number: str
    life: Life
    groups: Sequence[Group]
    counts: Sequence[tuple[str, str]]
    is_open: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    version: str
    files: int
    handlers: int
    summary: str
    counts: Sequence[tuple[str, int, str]]
    fixable: str
    errors: Sequence[str]
    notes: Sequence[str]
    troubles: Sequence[Entry]
    more_troubles: int
    rules: Sequence[RuleEntry]
    drawings: Sequence[Drawing]
    undrawn: Sequence[Drawing]
    entries: Sequence[Entry]
    total: int
    left_out: str
    handler_names: Sequence[tuple[str, str]]


def of_run(run: Run) -> Page:
    """Return everything that the page shows of a run."""
    shown = _worst(run.findings)
    labels = {label for one in shown for label in one.handlers} | {one.label for one in run.lives}
    numbers = {label: str(number) for number, label in enumerate(sorted(labels))}
    entries = list(_entries(run, shown, numbers))
    badges = {
        one.finding.fingerprint: Badge(one.anchor, one.finding)
        for one in entries
        if one.finding.fingerprint
    }
    drawings = _drawings(run.lives, badges, numbers)
    own = [one for one in entries if one.finding.category == "lint"]
    missing = len(run.findings) - len(shown)
    return Page(
        run.version,
        run.summary.files_seen,
        run.summary.handlers,
        summary_line(run),
        _tiles(run.findings),
        fixable_line(run),
        run.errors,
        run.notes,
        own[:TROUBLES],
        max(0, len(own) - TROUBLES),
        _rules(run),
        drawings[:DRAWINGS],
        drawings[DRAWINGS:],
        entries,
        len(run.findings),
        f"{plural(missing, 'more finding')} ({severity_counts(_rest(run.findings, shown))})"
        if missing
        else "",
        [(number, label) for label, number in numbers.items()],
    )


def _worst(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what is shown, in its order: of too many findings the worst, then the first."""
    if len(findings) <= FINDINGS:
        return tuple(findings)
    order = sorted(range(len(findings)), key=lambda index: (-findings[index].severity.rank, index))
    return tuple(findings[index] for index in sorted(order[:FINDINGS]))


def _rest(findings: Sequence[Finding], shown: Sequence[Finding]) -> tuple[Finding, ...]:
    kept = set(map(id, shown))
    return tuple(one for one in findings if id(one) not in kept)


def _tiles(findings: Sequence[Finding]) -> list[tuple[str, int, str]]:
    counts = Counter(one.severity for one in findings)
    return [(one.value, counts[one], one.value) for one in reversed(Severity)]


# Findings.


def _entries(run: Run, findings: Sequence[Finding], numbers: dict[str, str]) -> Iterator[Entry]:
    file_of = cache(lambda path: FileLines.of(run.source_lines(path)))
    anchors = _anchors(findings)
    for one, anchor in zip(findings, anchors, strict=True):
        shown, left_out = frames(one, lambda path: file_of(path).lines)
        yield Entry(
            anchor,
            one,
            shown,
            left_out,
            _told(one),
            difference(one.fix, file_of(one.path)) if one.fix is not None else (),
            list(_paragraphs(one.help)),
            sorted((numbers[label], label) for label in one.handlers),
        )


def _anchors(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a name for each finding that links can rely on: its fingerprint."""
    return _unique(
        f"f-{one.fingerprint}" if re.fullmatch(r"[0-9a-z]+", one.fingerprint) else "f-unnamed"
        for one in findings
    )


def _unique(names: Iterable[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}-{seen[name]}"


def _told(finding: Finding) -> tuple[Sequence[Told], Sequence[Told]] | None:
    lanes = story(finding.witness)
    if lanes is None:
        return None
    first, second = (
        [
            Told(
                number,
                step.message,
                f"{step.path}:{step.span.line}",
                short(step.path, step.span.line),
            )
            for number in lane
            for step in [finding.witness[number - 1]]
        ]
        for lane in lanes
    )
    return first, second


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a help text; indented ones are code to copy."""
    for line in text.expandtabs(4).split("\n"):
        if line.strip():
            yield ("code" if line.startswith(" ") else "prose", line.rstrip("\r"))


# Rules.


def _rules(run: Run) -> list[RuleEntry]:
    known = {one.code: one for one in run.rules}
    spoke: dict[tuple[str, str], list[Finding]] = {}
    for one in run.findings:
        spoke.setdefault((one.code, one.rule), []).append(one)
    rows = []
    for (code, slug), found in spoke.items():
        rule = known.get(code)
        worst = max(found, key=lambda one: one.severity.rank).severity
        url = found[0].url if re.fullmatch(r"https?://[!-~]+", found[0].url) else ""
        paragraphs = list(_intro(rule.page)) if rule is not None else []
        title = rule.title if rule is not None else ""
        counts = severity_counts(tuple(found))
        rows.append(RuleEntry(code, slug, title, url, paragraphs, counts, worst.value, len(found)))
    ranks = {one.value: one.rank for one in Severity}
    return sorted(rows, key=lambda row: (-ranks[row.worst], -row.count, row.code))


def _intro(page: str) -> Iterator[str]:
    """Yield the paragraphs between the title of a page and its first example or heading."""
    for paragraph in page.strip().split("\n\n")[1 : 1 + PARAGRAPHS]:
        if paragraph.startswith(("```", "#")):
            return
        yield " ".join(paragraph.split())


# Handlers.


def _drawings(
    lives: Sequence[Life], badges: dict[str, Badge], numbers: dict[str, str]
) -> list[Drawing]:
    """Return the drawings, those of handlers with findings first."""
    found = []
    for life in lives:
        told = [badges[name].finding for name, _ in life.findings if name in badges]
        by_severity = [(one, tuple(two for two in told if two.severity is one)) for one in Severity]
        counts = [(one.value, severity_counts(these)) for one, these in by_severity if these]
        found.append((not told, life, counts[::-1]))
    found.sort(key=lambda one: one[0])
    anchors = _unique(f"h-{_short(life.label)}" for _, life, _ in found)
    return [
        Drawing(
            anchor,
            numbers[life.label],
            life,
            groups(life, badges) if index < DRAWINGS else (),
            counts,
            index < OPEN and (not is_clean or len(lives) <= OPEN),
        )
        for index, (anchor, (is_clean, life, counts)) in enumerate(zip(anchors, found, strict=True))
    ]


def _short(label: str) -> str:
    return hashlib.blake2b(label.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
