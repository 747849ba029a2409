"""Comments that silence findings, written where suppression comments are read.

Lines keep their numbers, because a comment goes behind what is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lambda_lint import fixes, suppress
from lambda_lint.finding import Edit, Finding, Fix
from lambda_lint.rule import CATEGORIES
from lambda_lint.source import Source
from lambda_lint.syntax.scan import scan


@dataclass(frozen=True, slots=True)
class Added:
    """New contents by path, the findings that they silence, and those that none can, and why."""

    changed: dict[str, bytes]
    silenced: tuple[Finding, ...]
    left: tuple[tuple[Finding, str], ...]


def reason_problem(reason: str) -> str | None:
    """Say why a text cannot be the reason in a comment, or None when it can."""
    if not reason.isprintable():
        return "a reason is one line of printable characters"
    if "#" in reason:
        return "a reason ends at the next `#`: leave it out"
    return None


def add(findings: Iterable[Finding], sources: Mapping[str, Source], reason: str) -> Added:
    """Write a comment for each finding: `# lambda-lint: ignore[rule] reason`.

    A comment of this kind that a statement has already gets the further names, and the reason if
    it has none. Every file keeps its encoding and its line endings and still parses; what would
    not is left alone. What the linter says about itself and about comments is there to be mended,
    and left out. `reason` is one that `reason_problem` accepts.
    """
    by_path: dict[str, list[Finding]] = defaultdict(list)
    left: list[tuple[Finding, str]] = []
    for one in findings:
        if one.category == CATEGORIES["9"]:
            continue
        if one.path in sources:
            by_path[one.path].append(one)
        else:
            left.append((one, "only Python files can hold the comment"))
    changed: dict[str, bytes] = {}
    silenced: list[Finding] = []
    for path, found in sorted(by_path.items()):
        done = fixes.apply_fixes(sources, [_fix(sources[path], found, reason)], unsafe=False)
        data = done.changed.get(path, sources[path].data)
        after = suppress.apply(found, {path: Source(path, data)}, noqa=True).findings
        why = done.skipped[0].reason if done.skipped else "the comment would not silence it"
        left += [(one, why) for one in after]
        kept = [one for one in found if one not in after]
        if kept:
            changed |= done.changed
            silenced += kept
    return Added(changed, tuple(silenced), tuple(left))


def _fix(source: Source, findings: Sequence[Finding], reason: str) -> Finding:
    """Return one of the findings with all comments of its file as its fix."""
    edits = tuple(_edits(source, findings, reason))
    return replace(findings[0], fix=Fix("Silence what is found", safe=True, edits=edits))


def _edits(source: Source, findings: Sequence[Finding], reason: str) -> Iterable[Edit]:
    layout = suppress.Layout.of(source)
    there = {
        layout.statement(comment.line): one
        for comment in scan(source.text, max_bytes=4 * len(source.text)).comments
        for one in suppress.ignoring(comment)
    }
    names: dict[int, dict[str, int]] = defaultdict(dict)
    for one in findings:
        names[layout.statement(one.span.line)].setdefault(one.rule, one.span.line)
    for statement, rules in names.items():
        if statement in there:
            yield from _extended(source, there[statement], list(rules), reason)
        else:
            _, last = layout.joined(min(rules.values()))
            yield _comment(source, last, list(rules), reason)


def _extended(
    source: Source, one: suppress.Ignoring, names: Sequence[str], reason: str
) -> Iterable[Edit]:
    start = source.offset(one.comment.line, one.comment.column)
    place = start + one.names_end
    yield Edit(place, place, "".join(f", {name}" for name in names))
    if reason and not one.has_reason:
        place = start + one.bracket_end
        yield Edit(place, place, f" {reason}")


def _comment(source: Source, line: int, names: Sequence[str], reason: str) -> Edit:
    """Return the edit that puts a comment at the end of a line."""
    written = source.lines[line - 1].rstrip()
    place = source.offset(line, len(written) + 1)
    text = f"# lambda-lint: ignore[{', '.join(names)}] {reason}".rstrip()
    return Edit(place, place, f"  {text}")
