"""`baseline create` and `prune`: what is known today, so that `check` shows what is new."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from lambda_lint import baseline, registry, terminal
from lambda_lint.baseline import BaselineError, Entry
from lambda_lint.commands import CLEAN, UnableError, check, inputs, wanted
from lambda_lint.commands.results import Outcome
from lambda_lint.commands.wanted import Wanted
from lambda_lint.settings import Settings


def run(options: argparse.Namespace) -> int:
    """Run the command; returns 0, or raises UnableError with the file as it was."""
    if options.action == "prune":
        options.paths = []
    if inputs.STDIN in options.paths:
        raise UnableError("a baseline lists findings of files; `-` is none")
    with terminal.progress() as say:
        say("looking for files")
        settings = inputs.load_settings(options)
        rules, explicit = inputs.load_rules(settings)
        file = settings.baseline or settings.root / baseline.DEFAULT_NAME
        project = inputs.read(options, settings)
        before = _entries(file, must_exist=options.action == "prune")
        say(f"checking {len(project.sources)} files")
        with inputs.open_cache(settings) as cache:
            outcome = check.analyse(project, rules, cache)
    if outcome.errors:
        raise UnableError("\n".join((*outcome.errors, f"{_shown(file)} was not written")))
    ran = {one.slug for one in rules}
    if options.action == "prune":
        return _prune(file, before, Wanted(project, explicit), outcome, ran)
    return _create(file, before, Wanted(project, explicit), outcome)


def _create(file: Path, before: tuple[Entry, ...], asked: Wanted, outcome: Outcome) -> int:
    """Write what `check` shows for the same paths; what is known about other paths stays."""
    project = asked.project
    shown = [one for one in asked.of(outcome) if one.code not in baseline.NEVER]
    found = {Entry.of(one) for one in shown}
    # Entries of renamed files are old acquaintances under a new name.
    match = baseline.match(before, outcome.findings, project.has_file)
    elsewhere = {
        one for one in (*match.kept, *match.gone) if not project.requested.contains(one.path)
    }
    names = {one.fingerprint for one in found}
    entries = [*found, *(one for one in elsewhere if one.fingerprint not in names)]
    _write(file, entries)
    old = {one.fingerprint for one in (*match.kept, *match.gone)}
    new = {one.fingerprint for one in entries}
    changes = f" ({len(new - old)} added, {len(old - new)} removed)" if before else ""
    _say(f"wrote {len(new)} {_findings(new)} to {_shown(file)}{changes}")
    for one in wanted.not_analysed(outcome):
        place = f"{project.display(one.path)}:{one.span.line}"
        _complain(f"{place} was not analysed ({one.message}), so nothing of it is in the baseline")
    if project.settings.baseline is None:
        _say(_how_to_use(project.settings, file))
    return CLEAN


def _prune(
    file: Path, before: tuple[Entry, ...], asked: Wanted, outcome: Outcome, ran: set[str]
) -> int:
    """Take out what is not found any more, unless nobody has looked for it."""
    project = asked.project
    unread = wanted.not_analysed(outcome)
    if unread:
        raise UnableError(
            f"{project.display(unread[0].path)}:{unread[0].span.line}: not analysed, and what it "
            f"reaches may only seem to be gone, so {_shown(file)} is as it was; mend or exclude it"
        )
    settings = project.settings
    known = {one.slug for one in registry.load_rules((registry.BUILTIN, *settings.rules))}
    match = baseline.match(before, outcome.findings, project.has_file)
    not_asked = [one for one in match.gone if one.rule in known - ran]
    entries = {*match.kept, *not_asked}
    if entries != set(before):
        _write(file, entries)
    removed = len(match.gone) - len(not_asked)
    moved = len(set(match.kept) - set(before))
    _say(
        f"removed {removed} {_entry_word(removed)} from {_shown(file)}, {len(entries)} "
        f"{'are' if len(entries) != 1 else 'is'} left"
        + (f"; {moved} went along with renamed files" if moved else "")
    )
    return CLEAN


def _entries(file: Path, *, must_exist: bool) -> tuple[Entry, ...]:
    """Read the file that is about to be replaced, so that nothing else is ever overwritten."""
    try:
        if not must_exist and not file.exists():
            return ()
        return baseline.read(file)
    except (BaselineError, OSError, ValueError) as error:
        raise UnableError(str(error)) from error


def _write(file: Path, entries: Iterable[Entry]) -> None:
    try:
        baseline.write(file, entries)
    except BaselineError as error:
        raise UnableError(str(error)) from error


def _how_to_use(settings: Settings, file: Path) -> str:
    """Say what to add so that every door knows the baseline."""
    where = "lambda-lint.toml"
    if settings.config_path is None or settings.config_path.name == "pyproject.toml":
        where = "[tool.lambda-lint] in pyproject.toml"
    if file.is_relative_to(settings.root):
        name = file.relative_to(settings.root).as_posix()
        return f'commit it, and add `baseline = "{name}"` to {where}'
    return f"use it with `lambda-lint check --baseline {_shown(file)}`"


def _findings(several: set[str]) -> str:
    return "finding" if len(several) == 1 else "findings"


def _entry_word(count: int) -> str:
    return "entry" if count == 1 else "entries"


def _shown(file: Path) -> str:
    return inputs.shown_file(file)


def _say(text: str) -> None:
    terminal.write(f"{terminal.printable(text)}\n")


def _complain(text: str) -> None:
    print(f"lambda-lint: {terminal.printable(text)}", file=sys.stderr)
