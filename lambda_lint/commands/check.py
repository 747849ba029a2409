"""`check`: lint a project, perhaps mend it, and report what is left."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lambda_lint import __version__, reporters, terminal
from lambda_lint.commands import (
    CLEAN,
    FINDINGS,
    UNABLE,
    UnableError,
    ignoring,
    inputs,
    places,
    results,
    wanted,
)
from lambda_lint.commands.inputs import Inputs
from lambda_lint.commands.results import Outcome
from lambda_lint.commands.wanted import Wanted
from lambda_lint.finding import Finding
from lambda_lint.life import Life, Mark
from lambda_lint.rule import Rule
from lambda_lint.source import Source

if TYPE_CHECKING:
    from lambda_lint.cache import Cache
    from lambda_lint.fixes import Fixed, Skipped

_KIND = "outcome"


def run(options: argparse.Namespace) -> int:
    """Run the command; returns 0, 1 or 2 as `cli.main` says."""
    if options.unsafe_fixes and not (options.fix or options.diff):
        raise UnableError("--unsafe-fixes does nothing alone: add --fix or --diff")
    ignoring.check_options(options)
    with terminal.progress() as say:
        say("looking for files")
        settings = inputs.load_settings(options)
        rules, explicit = inputs.load_rules(settings)
        asked = wanted.read(options, settings, explicit)
        project = asked.project
        say(f"checking {len(project.sources)} files")
        lives = options.output_format in reporters.WITH_LIVES and not options.diff
        with inputs.open_cache(settings) as cache:
            asked = asked.compared(lambda before: analyse(before, rules, cache))
            if (options.fix or options.diff) and options.add_ignore is None:
                done, outcome = _mend(options, project, rules, asked, cache, lives=lives)
            else:
                done, outcome = None, analyse(project, rules, cache, lives=lives)
    if options.diff and done is not None:
        return _show_diff(project, done, outcome)
    if done is not None:
        return _write_and_report(options, rules, asked, done, outcome)
    if options.add_ignore is not None:
        return _ignore(options, rules, asked, outcome)
    return _report(options, rules, asked, outcome)


def _ignore(
    options: argparse.Namespace, rules: Sequence[Rule], asked: Wanted, outcome: Outcome
) -> int:
    """Silence by comments what would be shown, and report what is left."""
    done = ignoring.add(options, asked.project, asked.of(outcome))
    terminal.write(done.diff)
    for note in done.notes:
        _note(note)
    left = tuple(one for one in outcome.findings if one not in done.silenced)
    errors = (*outcome.errors, *done.errors)
    if options.diff:
        for error in errors:
            _note(error)
        return UNABLE if errors else FINDINGS if done.diff else CLEAN
    after = replace(asked, project=done.project)
    return _report(options, rules, after, replace(outcome, findings=left, errors=errors))


def analyse(
    project: Inputs, rules: Sequence[Rule], cache: Cache | None, *, lives: bool = False
) -> Outcome:
    """Lint the project, or remember what was found when it was the same.

    The findings are all that no comment silences, wanted or not. `lives` asks for the lives of the
    handlers as well.
    """
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
        {
            one.label: tuple((by.path, by.span.line) for by in one.declarations)
            for one in result.project.handlers
            if len(one.evidence) == len(one.declarations)
        },
        engine.lives(result, findings) if lives else (),
        len({one.template for one in result.inline.values()} - sources.keys()),
    )


# Fixes.


def _mend(
    options: argparse.Namespace,
    project: Inputs,
    rules: Sequence[Rule],
    asked: Wanted,
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
        if asked.changes is not None and not is_first:
            return ()
        return asked.of(latest)

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
    rules: Sequence[Rule],
    asked: Wanted,
    done: Fixed,
    outcome: Outcome,
) -> int:
    from lambda_lint import fixes

    project = asked.project
    half_staged = sorted(asked.half_staged & done.changed.keys())
    if half_staged:
        raise UnableError(
            f"{project.display(half_staged[0])} has changes that are not staged, so the fix of "
            "what is staged cannot be written; stage or stash them. No file was changed"
        )
    refused = fixes.write(project.settings.root, project.sources, done.changed)
    errors = [f"{project.display(one.path)}: {one.reason}" for one in refused]
    fixed = len(done.applied)
    if fixed and not refused:
        _note(f"fixed {fixed} finding{'s' * (fixed != 1)}")
    left = asked.after_fixes(options, done.changed)
    left = replace(left, project=replace(project, sources=done.sources))
    outcome = replace(outcome, errors=(*outcome.errors, *errors))
    code = _report(options, rules, left, outcome)
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
    rules: Sequence[Rule],
    asked: Wanted,
    outcome: Outcome,
) -> int:
    """Write the report where it belongs, and return the exit code that goes with it."""
    project = asked.project
    chosen = asked.chosen(outcome)
    notes = (*outcome.notes, *asked.notes(chosen, outcome, rules))
    for note in notes:
        _note(note)
    display = places.displayed_for(
        options.output_format, project.settings.root, project.display, os.environ
    )
    shown = chosen.shown
    findings = [_for_display(one, display) for one in shown]
    report = reporters.Run(
        findings=tuple(sorted(findings, key=lambda one: one.sort_key)),
        errors=outcome.errors,
        summary=reporters.Summary(
            files_seen=len(project.sources) + len(project.failures) + outcome.templates,
            files_parsed=outcome.parsed,
            handlers=outcome.handlers,
        ),
        rules=tuple(rules),
        source_lines=_source_lines(project, shown, display),
        statistics=options.statistics,
        version=__version__,
        notes=notes,
        lives=_shown_lives(project, outcome, shown, display),
    )
    if options.output_file is None:
        terminal.write(_rendered(options, report, to_terminal=True))
    else:
        _write_file(options.output_file, _rendered(options, report, to_terminal=False))
    _report_beside(options, report)
    if outcome.errors:
        return UNABLE
    return FINDINGS if findings and not options.exit_zero else CLEAN


def _source_lines(
    project: Inputs, shown: Iterable[Finding], display: Callable[[str], str]
) -> Callable[[str], Sequence[str]]:
    """Return a function from displayed paths to the lines of the file, `()` if it is not known."""
    paths = {path for one in shown for path in (one.path, *(step.path for step in one.witness))}
    known = {display(path): path for path in sorted(paths)}

    def lines(path: str) -> Sequence[str]:
        name = known.get(path, "")
        source = project.sources.get(name) or project.descriptors.get(name)
        return source.lines if source is not None else ()

    return lines


def _report_beside(options: argparse.Namespace, report: reporters.Run) -> None:
    """Say what the report itself does not say to whoever reads along."""
    name = options.output_format
    if name == "github":
        _write_step_summary(report)
    if options.output_file is not None or name not in reporters.FOR_PEOPLE:
        for error in report.errors:
            _note(error)
        if not report.summary.handlers:
            _note(reporters.summary_line(report))
    if report.statistics and name in reporters.WITHOUT_STATISTICS:
        for line in reporters.statistics_lines(report):
            _note(line)


def _write_step_summary(report: reporters.Run) -> None:
    """Add a table of the findings to the page of this step in GitHub Actions, if there is one.

    Other commands of the step may have written to the file. It is an extra, so that what goes
    wrong here does not change the exit code.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    from lambda_lint.reporters import step_summary

    try:
        written = os.path.getsize(path) if os.path.exists(path) else 0
        text = step_summary.render(report, step_summary.LIMIT - written)
        if not text:
            _note("the step summary has no room left, so it has no table of the findings")
        with open(path, "ab") as stream:
            stream.write(text.encode("utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        _note(f"{path}: the step summary cannot be written: {reason}")


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


def _shown_lives(
    project: Inputs, outcome: Outcome, shown: Sequence[Finding], display: Callable[[str], str]
) -> tuple[Life, ...]:
    """Return the lives of the handlers in the given paths, and of those with findings there."""
    named = {label for one in shown for label in one.handlers}
    return tuple(
        one.moved(lambda mark: Mark(display(mark.path), mark.line))
        for one in outcome.lives
        if one.label in named or project.requested.contains(one.at.path)
    )


def _rendered(options: argparse.Namespace, report: reporters.Run, *, to_terminal: bool) -> str:
    colour = options.color == "always"
    if not to_terminal:
        return reporters.render(
            options.output_format,
            report,
            color=colour,
            width=terminal.PLAIN_WIDTH,
            in_gitlab_ci=_in_gitlab_ci(),
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
        in_gitlab_ci=_in_gitlab_ci(),
    )


def _in_gitlab_ci() -> bool:
    return os.environ.get("GITLAB_CI") == "true"


def _write_file(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnableError(f"{path}: the report cannot be written: {reason}") from error
