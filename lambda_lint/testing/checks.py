"""What must be true of every example: the marked findings and no others, and sound fixes."""

from __future__ import annotations

import difflib
import pickle
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from lambda_lint import engine, suppress
from lambda_lint.finding import Finding
from lambda_lint.fixes import Fixed, fix_to_fixpoint
from lambda_lint.registry import shown
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Failure, Source
from lambda_lint.syntax.scan import comments
from lambda_lint.testing.pages import Block, Mark


class Outcome(Protocol):
    """The part of the engine's result that is looked at here."""

    @property
    def findings(self) -> Sequence[Finding]:
        """Everything that the rules said."""

    @property
    def errors(self) -> Sequence[str]:
        """What went wrong with the rules themselves."""


class Lint(Protocol):
    """How sources are linted: the engine, where nothing else is asked for."""

    def __call__(
        self,
        sources: Mapping[str, Source],
        settings: Settings,
        rules: Sequence[Rule],
        *,
        failures: Iterable[Failure] = (),
        descriptors: Mapping[str, Source] = MappingProxyType({}),
    ) -> Outcome:
        """Return what the rules say.

        `failures` are files that could not be read; `descriptors` say how they are deployed.
        """


@dataclass(frozen=True)
class Checked:
    """What came of linting one example: `problems` is empty for a good one."""

    findings: tuple[Finding, ...]
    fixed: Fixed
    problems: tuple[str, ...]


def check(
    sources: Mapping[str, Source],
    marks: Iterable[Mark],
    settings: Settings,
    rules: Sequence[Rule],
    lint: Lint,
    *,
    own: str = "",
) -> Checked:
    """Lint an example and compare what is said with its marks.

    Findings of the code `own` need a mark always; those of other rules need one if they are shown
    to everybody (see `registry.shown`), so that a new note of one rule does not break the pages
    of all others. A mark needs its finding in any case. On the way everything is tried that holds
    for each example: see `_invariants`.
    """
    outcome = lint(sources, settings, rules)
    findings = _unsuppressed(outcome, sources, rules)
    fixed = fix_to_fixpoint(
        lambda now: _unsuppressed(lint(now, settings, rules), now, rules), sources, unsafe=True
    )
    problems = [
        *outcome.errors,
        *_compare(findings, tuple(marks), own),
        *_sound(findings, sources, rules),
        *_stable(findings, sources, settings, rules, lint),
        *_fixable(findings, fixed, sources, settings, rules, lint),
    ]
    return Checked(findings, fixed, tuple(problems))


def check_blocks(page: Sequence[Block], code: str) -> list[tuple[int, str]]:
    """Say what is wrong with the examples of a rule's page, each with its line."""
    problems = []
    seen: dict[tuple[object, ...], Block] = {}
    previous: Block | None = None
    for block in page:
        own = [mark for mark in block.marks if mark.name == code]
        if block.kind not in ("bad", "fixed", "good"):
            problems.append(
                (block.line, "say ```python bad, fixed or good; use ```text for what is no example")
            )
        if block.kind == "bad" and not any(mark.kind == "" for mark in own):
            problems.append((block.line, f"a bad example without a line that ends in `# {code}`"))
        if block.kind == "good" and block.marks:
            problems.append((block.line, "a good example with a mark: nothing is said of it"))
        if block.kind == "fixed":
            if previous is None or previous.kind != "bad":
                problems.append((block.line, "a fixed example has its bad one directly above"))
            elif previous.files == block.files:
                problems.append((block.line, "the fixed example is the bad one, unchanged"))
            if any(mark.kind == "" for mark in own):
                problems.append((block.line, f"a fixed example is free of {code}"))
        else:
            # A fix may well lead to a good example, but two equal examples test one thing.
            twin = seen.setdefault((block.config, *sorted(block.files.items())), block)
            if twin is not block:
                problems.append((block.line, f"the same example as in line {twin.line}"))
        previous = block
    for kind in ("bad", "good"):
        if not any(block.kind == kind for block in page):
            problems.append((page[0].line if page else 1, f"the page has no {kind} example"))
    return problems


def check_fixed(bad: Checked, block: Block) -> list[str]:
    """Say how the fix of a bad example differs from the fixed example below it."""
    files = {path: source.text for path, source in bad.fixed.sources.items()}
    problems = []
    for path in sorted({*files, *block.files}):
        expected, got = block.files.get(path, ""), files.get(path, "")
        if expected != got:
            lines = difflib.unified_diff(
                expected.splitlines(), got.splitlines(), f"{path} of the page", "fixed", lineterm=""
            )
            problems.append("the fix does not yield this example:\n" + "\n".join(lines))
    return problems


def located(problem: str, places: Mapping[tuple[str, int], int]) -> str:
    """Append to the places in a message the lines of the page that they stand on."""

    def with_line(found: re.Match[str]) -> str:
        line = places.get((found["path"], int(found["line"])))
        return found[0] if line is None else f"{found[0]} (line {line} of the page)"

    return re.sub(r"(?P<path>[^\s:]+):(?P<line>[0-9]+)", with_line, problem)


def _unsuppressed(
    outcome: Outcome, sources: Mapping[str, Source], rules: Sequence[Rule]
) -> tuple[Finding, ...]:
    if isinstance(outcome, engine.Result):
        return engine.unsuppressed(outcome, sources, rules, noqa=True)
    return suppress.apply(outcome.findings, sources, noqa=True).findings


def _compare(findings: Sequence[Finding], marks: Sequence[Mark], own: str) -> list[str]:
    """Compare findings with marks, both ways."""
    said = {(one.path, one.span.line, one.code): one for one in findings}
    problems = []
    counts = Counter((one.path, one.span.line, one.code) for one in findings)
    for (path, line, code), count in sorted(counts.items()):
        if count > 1:
            problems.append(f"said {count} times: {path}:{line} {code}")
    wanted = set()
    for mark in marks:
        place = (mark.path, mark.line, mark.name)
        at = f"{mark.path}:{mark.line} {mark.name}"
        wanted.add(place)
        if mark.kind == "todo" and place in said:
            problems.append(f"no longer missed, take `todo:` away: {at}")
        elif mark.kind == "false" and place not in said:
            problems.append(f"no longer a false alarm, take the mark away: {at}")
        elif mark.kind == "" and place not in said:
            problems.append(f"missed alarm: {at} is marked, and nothing is said")
    for place, finding in sorted(said.items()):
        if place not in wanted and (finding.code == own or shown(finding, _DEFAULT, ())):
            problems.append(f"false alarm: {_named(finding)} is not marked: {finding.message}")
    return problems


@dataclass(frozen=True)
class _Default:
    strict: bool = False


_DEFAULT = _Default()


def _sound(
    findings: Sequence[Finding], sources: Mapping[str, Source], rules: Sequence[Rule]
) -> list[str]:
    """Say which findings are no good as data."""
    slugs = {one.code: one.slug for one in rules}
    problems = []
    for one in findings:
        at = _named(one)
        if pickle.loads(pickle.dumps(one)) != one:
            problems.append(f"does not survive pickling: {at}")
        if not one.witness and not one.code.startswith("LMB9"):
            problems.append(f"no witness, so nobody can see why: {at}")
        if slugs.get(one.code) != one.rule:
            problems.append(f"no rule has this code and this name: {at} {one.rule}")
        if not one.help:
            problems.append(f"no help, so nobody knows what to do: {at}")
        for path, span in [(one.path, one.span), *((step.path, step.span) for step in one.witness)]:
            if path in sources and not 1 <= span.line <= max(1, len(sources[path].lines)):
                problems.append(f"points outside of {path}: {at} {tuple(span)}")
    return problems


def _stable(
    findings: Sequence[Finding],
    sources: Mapping[str, Source],
    settings: Settings,
    rules: Sequence[Rule],
    lint: Lint,
) -> list[str]:
    """Say whether findings depend on what must not matter: order of files, lines above."""
    problems = []
    backwards = dict(reversed(list(sources.items())))
    if _keys(_unsuppressed(lint(backwards, settings, rules), backwards, rules)) != _keys(findings):
        problems.append("the findings depend on the order of the files")
    # The first two lines may mean something to Python: an interpreter, an encoding.
    lower = {path for path, one in sources.items() if path.endswith(".py") and _may_shift(one)}
    shifted = {
        path: Source(path, b"#\n" + one.data) if path in lower else one
        for path, one in sources.items()
    }
    after = _unsuppressed(lint(shifted, settings, rules), shifted, rules)
    if _keys(after, lower) != _keys(findings):
        lines = difflib.unified_diff(
            [str(key) for key in _keys(findings)],
            [str(key) for key in _keys(after, lower)],
            "before",
            "after",
            lineterm="",
            n=0,
        )
        problems.append("the findings change under a comment on top:\n" + "\n".join(lines))
    return problems


def _fixable(
    findings: Sequence[Finding],
    fixed: Fixed,
    sources: Mapping[str, Source],
    settings: Settings,
    rules: Sequence[Rule],
    lint: Lint,
) -> list[str]:
    """Say what is wrong with the fixes of an example."""
    problems = []
    if not fixed.converged:
        problems.append(f"the fixes do not come to rest in {fixed.passes} passes")
    for finding, reason, is_defect in fixed.skipped:
        if is_defect:
            problems.append(f"{_named(finding)}: {reason}")
    if not fixed.changed:
        return problems
    left = _unsuppressed(lint(fixed.sources, settings, rules), fixed.sources, rules)
    brought = Counter((one.path, one.code) for one in left) - Counter(
        (one.path, one.code) for one in findings
    )
    for path, code in sorted(brought):
        problems.append(f"the fixes bring a finding that was not there: {path} {code}")
    for path in sorted(fixed.changed):
        before = Counter(one.text.strip() for one in comments(sources[path].text))
        after = Counter(one.text.strip() for one in comments(fixed.sources[path].text))
        for text in sorted(before - after):
            problems.append(f"the fixes lose a comment of {path}: {text}")
    return problems


def _may_shift(source: Source) -> bool:
    head = b"\n".join(source.data.splitlines()[:2])
    return not source.has_bom and not head.startswith(b"#!") and b"coding" not in head


def _keys(findings: Iterable[Finding], lower: Iterable[str] = ()) -> list[tuple[object, ...]]:
    """Return what makes findings equal, with those in the files `lower` moved up by a line."""
    return sorted(
        (
            one.path,
            one.span.line - (one.path in lower),
            one.span.column,
            one.code,
            one.severity.value,
            one.confidence.value,
        )
        for one in findings
    )


def _named(finding: Finding) -> str:
    return f"{finding.path}:{finding.span.line} {finding.code}"
