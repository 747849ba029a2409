"""Which of the findings of a project are for the user who asked."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lambda_lint import baseline, changes, registry
from lambda_lint.baseline import BaselineError, Entry, Match
from lambda_lint.changes import Changes, keep_changed
from lambda_lint.commands import UnableError, inputs
from lambda_lint.commands.inputs import Inputs
from lambda_lint.commands.results import Outcome
from lambda_lint.comparison import Earlier
from lambda_lint.discovery import Overlay, finds
from lambda_lint.files import compile_patterns
from lambda_lint.finding import Finding
from lambda_lint.git import GitError
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings


def read(options: argparse.Namespace, settings: Settings, explicit: frozenset[str]) -> Wanted:
    """Read the files of the project, and what decides which findings are wanted.

    With `--staged` the files are those of the index. `explicit` are the codes of the rules that
    were selected by name. Raises UnableError.
    """
    known = entries(settings)
    try:
        if not options.staged:
            lines = _since(settings, options.diff_base)
            asked = Wanted(inputs.read(options, settings), explicit, lines, known)
            return asked if lines is None else replace(asked, before=_before(options, asked))
        if inputs.STDIN in options.paths:
            raise UnableError("--staged reads files from git's index, not from standard input")
        index = changes.staged(settings.root, settings.max_file_size, _judged(settings))
        project = inputs.read(options, settings, Overlay(index.contents, index.left_out))
        asked = Wanted(project, explicit, index.changes, known, frozenset(index.contents))
        return replace(asked, before=_before(options, asked))
    except GitError as error:
        raise UnableError(str(error)) from error


def _before(options: argparse.Namespace, asked: Wanted) -> Inputs | None:
    """Read the project as it was before the change; None if the change has nothing of it."""
    now = asked.project
    limit = now.settings.max_file_size
    tree = changes.before(now.settings.root, options.diff_base, limit)
    if tree is None or not (tree.contents or tree.left_out):
        return None
    paths = [path for path in options.paths if path != inputs.STDIN]
    given = argparse.Namespace(paths=paths)
    try:
        before = inputs.read(given, now.settings, Overlay(tree.contents, tree.left_out))
    except UnableError:
        # There was nothing to look at, so there was nothing to find.
        return replace(now, sources={}, failures=[], descriptors={})
    same = all(
        {path: one.data for path, one in ours.items()}
        == {path: one.data for path, one in theirs.items()}
        for ours, theirs in (
            (before.sources, now.sources),
            (before.descriptors, now.descriptors),
        )
    )
    return None if same else before


def entries(settings: Settings) -> tuple[Entry, ...] | None:
    """Return the entries of the baseline, None if the settings name none. Raises UnableError."""
    if settings.baseline is None:
        return None
    try:
        return baseline.read(settings.baseline)
    except BaselineError as error:
        raise UnableError(str(error)) from error


@dataclass(frozen=True)
class Chosen:
    """The findings to show, how many more the baseline hides, and how its entries were matched."""

    shown: tuple[Finding, ...]
    hidden: int
    match: Match


@dataclass(frozen=True)
class Wanted:
    """What is asked for: paths, severities, rules, changed lines, and nothing that is known.

    `explicit` are the codes of rules that were selected by name. None stands for all lines, and
    for no baseline. `half_staged` are files that have other text on disk than in the index, whose
    text was read. `before` is the project without the change, where it is another one; what was
    found there is `earlier`, once `compared` has looked.
    """

    project: Inputs
    explicit: frozenset[str]
    changes: Changes | None = None
    known: tuple[Entry, ...] | None = None
    half_staged: frozenset[str] = frozenset()
    before: Inputs | None = None
    earlier: Earlier | None = None

    def compared(self, analyse: Callable[[Inputs], Outcome]) -> Wanted:
        """Return the same, knowing what is found in the project without the change.

        What goes wrong there, such as a handler of the settings that did not exist, is no matter.
        """
        if self.before is None:
            return self
        found = analyse(self.before).findings if self.before.sources else ()
        return replace(self, earlier=Earlier(found, _lines_of(self.before)))

    def of(self, outcome: Outcome) -> tuple[Finding, ...]:
        """Return what is to be shown of all findings of the project, in their order."""
        return self.chosen(outcome).shown

    def chosen(self, outcome: Outcome) -> Chosen:
        """Return what is to be shown, and what the baseline has to do with it."""
        match = baseline.match(self.known or (), outcome.findings, self.project.has_file)
        asked = self._without_baseline(outcome)
        shown = tuple(one for one in asked if not match.hides(one))
        return Chosen(shown, len(asked) - len(shown), match)

    def notes(self, chosen: Chosen, outcome: Outcome, rules: Sequence[Rule]) -> tuple[str, ...]:
        """Say what the baseline hides, and which of its entries nothing is found for any more."""
        file = self.project.settings.baseline
        if self.known is None or file is None:
            return ()
        hidden = chosen.hidden
        name = inputs.shown_file(file)
        notes = []
        if hidden:
            notes.append(
                f"{name} hides {hidden} known finding{'s' * (hidden != 1)}; --no-baseline shows "
                f"{'them' if hidden != 1 else 'it'}"
            )
        # What could not be analysed may hold what seems to be gone.
        ran = {one.slug for one in rules}
        stale = sum(1 for one in chosen.match.gone if one.rule in ran)
        if stale and not outcome.errors and not not_analysed(outcome):
            notes.append(
                f"{stale} {'entries' if stale != 1 else 'entry'} of {name} "
                f"{'are' if stale != 1 else 'is'} no longer found; take "
                f"{'them' if stale != 1 else 'it'} out with `lambda-lint baseline prune`"
            )
        return tuple(notes)

    def after_fixes(self, options: argparse.Namespace, fixed: Mapping[str, bytes]) -> Wanted:
        """Return the same for files that were fixed on disk, whose lines have moved."""
        settings = self.project.settings
        lines = self.changes
        try:
            if options.staged and lines is not None:
                since_head = changes.changed_since_head(settings.root, fixed)
                rest = {path: one for path, one in lines.lines.items() if path not in fixed}
                lines = Changes({**rest, **since_head.lines})
            else:
                lines = _since(settings, options.diff_base)
        except GitError as error:
            raise UnableError(str(error)) from error
        return replace(self, changes=lines)

    def _without_baseline(self, outcome: Outcome) -> list[Finding]:
        kept = [one for one in outcome.findings if self._is_wanted(one)]
        if self.changes is None:
            return kept
        on_lines = keep_changed(kept, self.changes, outcome.declared)
        if self.earlier is None:
            return on_lines
        touched = set(on_lines)
        left = [one for one in kept if one not in touched]
        appeared = self.earlier.appeared(left, _lines_of(self.project))
        wanted = touched.union(appeared)
        return [one for one in kept if one in wanted]

    def _is_wanted(self, one: Finding) -> bool:
        return registry.is_wanted(
            one, self.project.settings, self.explicit
        ) and self.project.is_requested(one)


def _lines_of(project: Inputs) -> Callable[[str], Sequence[str]]:
    def lines(path: str) -> Sequence[str]:
        source = project.sources.get(path) or project.descriptors.get(path)
        return source.lines if source is not None else ()

    return lines


def not_analysed(outcome: Outcome) -> list[Finding]:
    """Return the findings that say that a file was not analysed."""
    return [one for one in outcome.findings if one.code in baseline.NEVER]


def _since(settings: Settings, base: str | None) -> Changes | None:
    if base is None:
        return None
    return changes.changed_lines(settings.root, base, _judged(settings))


def _judged(settings: Settings) -> Callable[[str, str], bool]:
    """Return a function that tells whether a renamed file was judged the same under its old name.

    What was excluded, or was a test, or no Python, had findings that nobody has seen.
    """

    def was_judged(old: str, new: str) -> bool:
        # Imported here because most runs see no renamed file.
        from lambda_lint.model.routes import is_test_path

        suffixes = {os.path.splitext(path)[1] for path in (old, new)}
        return (
            len(suffixes) == 1
            and (suffixes != {".py"} or finds(settings, old))
            and is_test_path(old) == is_test_path(new)
            and settings.ignored_in(old) == settings.ignored_in(new)
            and settings.for_file(old) == settings.for_file(new)
            and _as_handlers(settings, old) == _as_handlers(settings, new)
        )

    return was_judged


def _as_handlers(settings: Settings, path: str) -> list[str]:
    """Return the `handler-patterns` that speak of a file."""
    return [
        one
        for one in settings.handler_patterns
        if compile_patterns((one.rpartition(":")[0],)).match_file(path)
    ]
