"""`check`: lint a project, perhaps mend it, and report what is left."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lambda_lint import __version__, registry, reporters, terminal
from lambda_lint.changes import Changes, ChangesError, changed_lines, keep_changed
from lambda_lint.commands import CLEAN, FINDINGS, UNABLE, UnableError, inputs, results
from lambda_lint.commands.inputs import Inputs
from lambda_lint.commands.results import Outcome
from lambda_lint.finding import Finding
from lambda_lint.life import Life, Mark
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Source

if TYPE_CHECKING:
    from lambda_lint.cache import Cache
    from lambda_lint.fixes import Fixed, Skipped

_KIND = "outcome"


def run(options: argparse.Namespace) -> int:
    """Run the command; returns 0, 1 or 2 as `cli.main` says."""
    if options.unsafe_fixes and not (options.fix or options.diff):
        raise UnableError("--unsafe-fixes does nothing alone: add --fix or --diff")
    with terminal.progress() as say:
        say("looking for files")
        settings = inputs.load_settings(options)
        rules, explicit = inputs.load_rules(settings)
        project = inputs.read(options, settings)
        say(f"checking {len(project.sources)} files")
        wanted = _Wanted(project, explicit, _changes(settings, options.diff_base))
        lives = options.output_format in reporters.WITH_LIVES and not options.diff
        with inputs.open_cache(settings) as cache:
            if options.fix or options.diff:
                done, outcome = _mend(options, project, rules, wanted, cache, lives=lives)
            else:
                done, outcome = None, _outcome(project, rules, cache, lives=lives)
    if options.diff and done is not None:
        return _show_diff(project, done, outcome)
    if done is not None:
        return _write_and_report(options, project, rules, wanted, done, outcome)
    return _report(options, project, rules, outcome, wanted.of(outcome.findings))


@dataclass(frozen=True)
class _Wanted:
    """Which findings are for the user who asked."""

    project: Inputs
    explicit: frozenset[str]
    changes: Changes | None

    def of(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings that are to be shown, in their order."""
        kept = [one for one in findings if self._is_wanted(one)]
        return tuple(kept if self.changes is None else keep_changed(kept, self.changes))

    def _is_wanted(self, one: Finding) -> bool:
        return registry.is_wanted(
            one, self.project.settings, self.explicit
        ) and self.project.is_requested(one)


def _changes(settings: Settings, base: str | None) -> Changes | None:
    if base is None:
        return None
    try:
        return changed_lines(settings.root, base)
    except ChangesError as error:
        raise UnableError(str(error)) from error


def _outcome(
    project: Inputs, rules: Sequence[Rule], cache: Cache | None, *, lives: bool
) -> Outcome:
    """Lint the project, or remember what was found when it was the same."""
    if cache is None:
        return _lint(project, project.sources, rules, None, lives=lives)
    key = results.key(
        project.sources,
        project.failures,
        project.settings,
        rules,
        inputs.requested_scope(project.requested),
        project.descriptors,
    )
    kind = f"{_KIND} with lives" if lives else _KIND
    known = results.from_json(cache.get(kind, key))
    if known is not None:
        return known
    outcome = _lint(project, project.sources, rules, cache, lives=lives)
    # What went wrong may go right the next time.
    if not outcome.errors:
        cache.put(kind, key, results.to_json(outcome))
    return outcome


def _lint(
    project: Inputs,
    sources: Mapping[str, Source],
    rules: Sequence[Rule],
    cache: Cache | None,
    *,
    lives: bool,
) -> Outcome:
    # The engine costs more to import than a run from the cache takes.
    from lambda_lint import engine

    result = engine.lint(
        sources,
        project.settings,
        rules,
        jobs=project.jobs,
        cache=cache,
        failures=project.failures,
        descriptors=project.descriptors,
        must_parse=project.requested.contains,
    )
    findings = engine.unsuppressed(result, sources, rules, noqa=True)
    return Outcome(
        findings,
        result.errors,
        len(result.project.handlers),
        len(result.parsed),
        result.notes,
        engine.lives(result, findings) if lives else (),
    )


# Fixes.


def _mend(
    options: argparse.Namespace,
    project: Inputs,
    rules: Sequence[Rule],
    wanted: _Wanted,
    cache: Cache | None,
    *,
    lives: bool,
) -> tuple[Fixed, Outcome]:
    """Apply fixes in memory; return what became of the files, and what is found in them then."""
    from lambda_lint import fixes

    if inputs.STDIN in options.paths and not options.diff:
        raise UnableError("standard input cannot be fixed; --diff shows what would change")
    latest: Outcome | None = None

    def lint(sources: Mapping[str, Source]) -> tuple[Finding, ...]:
        nonlocal latest
        is_first = latest is None
        latest = _lint(project, sources, rules, cache, lives=lives)
        # Fixes move lines, so after the first pass the numbers of the changed lines mean nothing.
        if wanted.changes is not None and not is_first:
            return ()
        return wanted.of(latest.findings)

    done = fixes.fix_to_fixpoint(lint, project.sources, unsafe=options.unsafe_fixes)
    if not done.converged or latest is None:
        codes = ", ".join(sorted({one.code for one in done.applied}))
        raise UnableError(
            f"the fixes of {codes} undo each other, so nothing was changed; fix with --select for "
            "one rule at a time, and please report this"
        )
    broken = tuple(_broken_fix(one, project) for one in done.skipped if one.is_defect)
    return done, replace(latest, errors=(*latest.errors, *broken))


def _show_diff(project: Inputs, done: Fixed, outcome: Outcome) -> int:
    from lambda_lint import fixes

    text = "".join(
        fixes.diff(project.sources[path], done.sources[path]) for path in sorted(done.changed)
    )
    terminal.write(text)
    for error in outcome.errors:
        _note(error)
    if outcome.errors:
        return UNABLE
    return FINDINGS if text else CLEAN


def _write_and_report(
    options: argparse.Namespace,
    project: Inputs,
    rules: Sequence[Rule],
    wanted: _Wanted,
    done: Fixed,
    outcome: Outcome,
) -> int:
    from lambda_lint import fixes

    refused = fixes.write(project.settings.root, project.sources, done.changed)
    errors = [f"{project.display(one.path)}: {one.reason}" for one in refused]
    fixed = len(done.applied)
    if fixed and not refused:
        _note(f"fixed {fixed} finding{'s' * (fixed != 1)}")
    after = replace(project, sources=done.sources)
    left = replace(wanted, project=after, changes=_changes(project.settings, options.diff_base))
    outcome = replace(outcome, errors=(*outcome.errors, *errors))
    code = _report(options, after, rules, outcome, left.of(outcome.findings))
    if code == CLEAN and fixed and options.exit_non_zero_on_fix:
        return FINDINGS
    return code


def _broken_fix(skipped: Skipped, project: Inputs) -> str:
    one = skipped.finding
    return f"{project.display(one.path)}:{one.span.line}: {one.code}: {skipped.reason}"


def _note(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(f"lambda-lint: {terminal.printable(text)}", file=sys.stderr)


# The report.


def _report(
    options: argparse.Namespace,
    project: Inputs,
    rules: Sequence[Rule],
    outcome: Outcome,
    shown: Sequence[Finding],
) -> int:
    """Write the report where it belongs, and return the exit code that goes with it."""
    for note in outcome.notes:
        _note(note)
    known = {**project.descriptors, **project.sources}
    displayed = {project.display(path): source for path, source in known.items()}

    def source_lines(path: str) -> Sequence[str]:
        source = displayed.get(path)
        return source.lines if source is not None else ()

    findings = [_for_display(one, project.display) for one in shown]
    report = reporters.Run(
        findings=tuple(sorted(findings, key=lambda one: one.sort_key)),
        errors=outcome.errors,
        summary=reporters.Summary(
            files_seen=len(project.sources) + len(project.failures),
            files_parsed=outcome.parsed,
            handlers=outcome.handlers,
        ),
        rules=tuple(rules),
        source_lines=source_lines,
        statistics=options.statistics,
        version=__version__,
        notes=outcome.notes,
        lives=_shown_lives(project, outcome, shown),
    )
    if options.output_file is None:
        terminal.write(_rendered(options, report, to_terminal=True))
    else:
        _write_file(options.output_file, _rendered(options, report, to_terminal=False))
    if outcome.errors:
        return UNABLE
    return FINDINGS if findings and not options.exit_zero else CLEAN


def _for_display(one: Finding, display: Callable[[str], str]) -> Finding:
    """Return the finding with all of its paths made relative to the working directory."""
    handlers = []
    for handler in one.handlers:
        path, colon, name = handler.rpartition(":")
        handlers.append(f"{display(path)}{colon}{name}")
    return replace(
        one,
        path=display(one.path),
        handlers=tuple(handlers),
        witness=tuple(replace(step, path=display(step.path)) for step in one.witness),
    )


def _shown_lives(project: Inputs, outcome: Outcome, shown: Sequence[Finding]) -> tuple[Life, ...]:
    """Return the lives of the handlers in the given paths, and of those with findings there."""
    named = {label for one in shown for label in one.handlers}
    return tuple(
        one.moved(lambda mark: Mark(project.display(mark.path), mark.line))
        for one in outcome.lives
        if one.label in named or project.requested.contains(one.at.path)
    )


def _rendered(options: argparse.Namespace, report: reporters.Run, *, to_terminal: bool) -> str:
    colour = options.color == "always"
    if not to_terminal:
        return reporters.render(
            options.output_format, report, color=colour, width=terminal.PLAIN_WIDTH
        )
    colour = terminal.wants_colour(options.color, sys.stdout, os.environ)
    return reporters.render(
        options.output_format,
        report,
        color=colour,
        width=terminal.width(sys.stdout, os.environ),
        ascii_only=terminal.is_ascii_only(sys.stdout),
        hyperlinks=terminal.wants_links(colour, sys.stdout, os.environ),
        in_github_actions=os.environ.get("GITHUB_ACTIONS") == "true",
    )


def _write_file(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnableError(f"{path}: the report cannot be written: {reason}") from error
