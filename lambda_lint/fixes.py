"""Applying fixes: text edits of several findings, put together, checked and written.

A fix goes in as a whole or not at all. What two fixes cannot share waits for the next pass, in
which the rules see what the first one has changed.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import stat
import tempfile
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from lambda_lint.finding import Edit, Finding, Fix
from lambda_lint.source import Failure, Source
from lambda_lint.syntax import nodes
from lambda_lint.syntax.lower import parse


class Skipped(NamedTuple):
    """A finding whose fix was not applied, and why.

    `is_defect` is True when the fix itself is to blame: its rule offers something that can never
    be applied.
    """

    finding: Finding
    reason: str
    is_defect: bool = False


@dataclass(frozen=True, slots=True)
class FixPass:
    """One pass over the findings: new contents by path, and what became of each fix."""

    changed: dict[str, bytes]
    applied: list[Finding]
    skipped: list[Skipped]


@dataclass(frozen=True, slots=True)
class Fixed:
    """All passes together.

    `sources` are all files after the last pass, `changed` the contents of those that differ from
    the beginning, `applied` the findings of all passes, `skipped` what the last pass left.
    `converged` is False when the passes never came to rest; then the changes are not to be trusted.
    """

    sources: dict[str, Source]
    changed: dict[str, bytes]
    applied: list[Finding]
    skipped: list[Skipped]
    converged: bool
    passes: int


def fix_to_fixpoint(
    lint: Callable[[Mapping[str, Source]], Iterable[Finding]],
    sources: Mapping[str, Source],
    *,
    unsafe: bool,
    limit: int = 10,
) -> Fixed:
    """Apply fixes and lint again until nothing changes, `limit` times at most.

    `lint` returns the findings whose fixes are wanted. Nothing is written to disk.
    """
    now = dict(sources)
    applied: list[Finding] = []
    for number in range(limit + 1):
        done = apply_fixes(now, lint(now), unsafe=unsafe)
        if not done.changed or number == limit:
            break
        applied += done.applied
        now |= {path: Source(path, data) for path, data in done.changed.items()}
    changed = {path: one.data for path, one in now.items() if one.data != sources[path].data}
    return Fixed(now, changed, applied, done.skipped, not done.changed, number)


def apply_fixes(
    sources: Mapping[str, Source], findings: Iterable[Finding], *, unsafe: bool
) -> FixPass:
    """Apply the fixes that go together, safe ones only unless `unsafe` is set.

    Findings without a fix are passed over. The result depends on the findings, not on their order.
    Every changed file keeps its encoding, its byte order mark and all text outside of the edits,
    and it still parses: a fix after which it would not is left out and reported as skipped.
    """
    by_path: dict[str, list[_Candidate]] = defaultdict(list)
    result = FixPass({}, [], [])
    for finding in sorted(findings, key=lambda one: one.sort_key):
        if finding.fix is None:
            continue
        if not finding.fix.safe and not unsafe:
            result.skipped.append(Skipped(finding, "unsafe: apply it with --unsafe-fixes"))
        elif finding.path not in sources:
            result.skipped.append(Skipped(finding, "its file is not part of this run"))
        else:
            by_path[finding.path].append(_Candidate(finding, finding.fix))
    for path, candidates in by_path.items():
        _fix_file(sources[path], candidates, result)
    return result


class Refused(NamedTuple):
    """A file that was not written, and why."""

    path: str
    reason: str


def write(
    root: Path, before: Mapping[str, Source], changed: Mapping[str, bytes]
) -> tuple[Refused, ...]:
    """Write new contents to the files below `root`; return those that were left alone.

    A file is replaced in one step and keeps its mode. It is left alone when it no longer holds
    what `before` says, when it is no regular file, and when a link leads out of `root`.
    """
    refused = []
    for path, data in sorted(changed.items()):
        try:
            reason = _write_file(root, path, before[path].data, data)
        except (OSError, ValueError) as error:
            reason = f"cannot be written: {getattr(error, 'strerror', None) or error}"
        if reason:
            refused.append(Refused(path, reason))
    return tuple(refused)


def diff(before: Source, after: Source) -> str:
    """Return the unified diff of one file, as git writes it; empty if nothing changed."""
    lines = difflib.unified_diff(
        _LINE.findall(before.text),
        _LINE.findall(after.text),
        _quoted(f"a/{before.path}"),
        _quoted(f"b/{after.path}"),
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


# Putting edits together.


@dataclass(frozen=True, slots=True)
class _Candidate:
    finding: Finding
    fix: Fix


def _fix_file(source: Source, candidates: Sequence[_Candidate], result: FixPass) -> None:
    """Add to `result` what becomes of the fixes of one file."""
    if isinstance(source.decoded, Failure) or _encode(source, source.text) != source.data:
        reason = f"the file cannot be written back unchanged in its encoding, {source.encoding}"
        result.skipped.extend(Skipped(one.finding, reason) for one in candidates)
        return
    plan = _Plan(source.text)
    fitting = []
    for one in candidates:
        refusal = plan.add(one)
        if refusal is None:
            fitting.append(one)
        else:
            result.skipped.append(refusal)
    settled = _settle(source, _Settled([], source.data, []), fitting)
    result.skipped.extend(settled.skipped)
    if settled.data != source.data:
        result.changed[source.path] = settled.data
        result.applied.extend(one.finding for one in settled.accepted)


class _Plan:
    """The edits that are taken so far, and whether another fix goes with them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._replaced: list[tuple[int, int]] = []
        self._insertions: list[int] = []
        self._inserted: set[Edit] = set()
        self._bound: set[str] = set()
        self._whole: set[tuple[Edit, ...]] = set()

    def add(self, one: _Candidate) -> Skipped | None:
        """Take in a fix, or say why it has to stay out."""
        edits = tuple(sorted(one.fix.edits))
        defect = self._defect(edits)
        if defect is not None:
            return Skipped(one.finding, f"the fix is broken: {defect}", is_defect=True)
        if edits in self._whole:
            return None
        new = [edit for edit in edits if edit not in self._inserted]
        names = {name for edit in new if edit.start == edit.end for name in _bound_names(edit.text)}
        if names & self._bound:
            return Skipped(one.finding, "another fix binds the same name: fix again")
        if any(map(self._collides, new)):
            return Skipped(one.finding, "overlaps with another fix: fix again")
        for edit in new:
            if edit.start == edit.end:
                insort(self._insertions, edit.start)
                self._inserted.add(edit)
            else:
                insort(self._replaced, (edit.start, edit.end))
        self._bound |= names
        self._whole.add(edits)
        return None

    def _defect(self, edits: Sequence[Edit]) -> str | None:
        """Say what makes a list of edits impossible on this text."""
        for one in edits:
            if not 0 <= one.start <= one.end <= len(self._text):
                return f"an edit lies outside of the file: {one.start} to {one.end}"
            if self._text[one.start - 1 : one.start + 1] == "\r\n" and one.start == one.end:
                return f"an edit splits a line ending: {one.start}"
        for first, second in pairwise(edits):
            if first == second or second.start < first.end:
                return f"its edits overlap at {second.start}"
        if all(self._text[one.start : one.end] == one.text for one in edits):
            return "it changes nothing"
        return None

    def _collides(self, edit: Edit) -> bool:
        """Tell whether an edit touches what others replace; meeting at an end is no touch."""
        index = bisect_left(self._replaced, (edit.end,))
        if index and edit.start < self._replaced[index - 1][1]:
            return True
        if edit.start == edit.end:
            return False
        index = bisect_left(self._insertions, edit.start + 1)
        return index < len(self._insertions) and self._insertions[index] < edit.end


@lru_cache(maxsize=1024)
def _bound_names(text: str) -> frozenset[str]:
    """Return the module-level names that inserted statements bind.

    Two fixes that each chose the same free name would spoil each other, though their edits do not
    overlap. What is no list of statements by itself binds nothing that we know of.
    """
    module = parse(Source("inserted.py", text.encode("utf-8", "replace")))
    if not isinstance(module, nodes.Module):
        return frozenset()
    names: set[str] = set()
    for statement in module.body:
        match statement:
            case nodes.FunctionDef(name=name) | nodes.ClassDef(name=name):
                names.add(name)
            case nodes.Import(names=aliases) | nodes.ImportFrom(names=aliases):
                names.update(one.asname or one.name.partition(".")[0] for one in aliases)
            case nodes.Assign(targets=targets):
                names.update(one.id for one in targets if isinstance(one, nodes.Name))
            case nodes.AnnotatedAssign(target=nodes.Name(id=name)):
                names.add(name)
    return frozenset(names)


class _Settled(NamedTuple):
    """The fixes with which a file is still a Python file, what it is then, and the others."""

    accepted: list[_Candidate]
    data: bytes
    skipped: list[Skipped]


def _settle(source: Source, before: _Settled, more: list[_Candidate]) -> _Settled:
    """Accept those of `more` that leave a Python file; halves what cannot go in together."""
    both = [*before.accepted, *more]
    built = _build(source, both) if more else before.data
    if isinstance(built, bytes):
        return _Settled(both, built, before.skipped)
    if len(more) == 1:
        skipped = Skipped(more[0].finding, built, is_defect=True)
        return before._replace(skipped=[*before.skipped, skipped])
    middle = len(more) // 2
    return _settle(source, _settle(source, before, more[:middle]), more[middle:])


def _build(source: Source, fixes: Sequence[_Candidate]) -> bytes | str:
    """Return the contents of a file with these fixes, or why they cannot be."""
    text = _apply_edits(source.text, [edit for one in fixes for edit in one.fix.edits])
    data = _encode(source, text)
    if data is None:
        return f"the fix has characters that {source.encoding} cannot write"
    after = Source(source.path, data)
    module = parse(after)
    if not isinstance(module, nodes.Module):
        return f"the fix would break the file: {module.message} (line {module.line})"
    # An edit may have touched the comment that declares the encoding.
    if after.text != text:
        return "the fix would change how the file is decoded"
    return data


def _apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with edits that do not overlap; equal edits count once."""
    # Sorting by position alone keeps the order of the findings for insertions at one place.
    ordered = sorted(dict.fromkeys(edits), key=lambda one: (one.start, one.end))
    pieces = []
    end = 0
    for one in ordered:
        pieces += [text[end : one.start], one.text]
        end = one.end
    return "".join([*pieces, text[end:]])


def _encode(source: Source, text: str) -> bytes | None:
    """Return the bytes of `text` in the encoding of a file, None where it has no such character."""
    try:
        return source.encode(text)
    except UnicodeError:
        return None


# Writing.


def _write_file(root: Path, path: str, before: bytes, after: bytes) -> str | None:
    """Replace one file; return why it was left alone, None if it was written."""
    # A link inside the project is followed, so that the file changes and the link stays a link.
    target = (root / path).resolve(strict=True)
    if not target.is_relative_to(root.resolve()):
        return "leads out of the project"
    if not stat.S_ISREG(target.stat().st_mode):
        return "not a regular file"
    if not os.access(target, os.W_OK):
        return "read-only"
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".lambda-lint-")
    try:
        with open(descriptor, "wb") as stream:
            stream.write(after)
        shutil.copymode(target, temporary)
        if target.read_bytes() != before:
            return "changed on disk in the meantime: run again"
        os.replace(temporary, target)
        temporary = ""
    finally:
        if temporary:
            os.unlink(temporary)
    return None


# git ends lines at line feeds only.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def _quoted(path: str) -> str:
    """Return a path as git writes it in the header of a diff, on one line whatever it holds."""
    if path.isprintable() and '"' not in path and "\\" not in path:
        return path
    shown = path.encode("utf-8", "surrogateescape")
    return '"' + "".join(_quoted_byte(byte) for byte in shown) + '"'


def _quoted_byte(byte: int) -> str:
    if chr(byte) in '"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
