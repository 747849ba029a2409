"""`check --add-ignore`: silence what is found by comments, so that only what is new is told."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lambda_lint.commands import UnableError, inputs
from lambda_lint.commands.inputs import Inputs
from lambda_lint.finding import Finding
from lambda_lint.source import Source


@dataclass(frozen=True, slots=True)
class Ignored:
    """The project with its comments, what they silence, and what there is to say of it.

    `diff` shows the comments when they were only asked for.
    """

    project: Inputs
    silenced: frozenset[Finding]
    notes: tuple[str, ...]
    errors: tuple[str, ...]
    diff: str = ""


def check_options(options: argparse.Namespace) -> None:
    """Raise UnableError for options that do not go together."""
    if options.add_ignore is None:
        return
    from lambda_lint import ignores

    if options.fix:
        raise UnableError("--add-ignore silences and --fix mends: run one after the other")
    if inputs.STDIN in options.paths and not options.diff:
        raise UnableError("no comment can be added to standard input; --diff shows where it goes")
    if problem := ignores.reason_problem(options.add_ignore):
        raise UnableError(f"--add-ignore: {problem}")


def add(options: argparse.Namespace, project: Inputs, findings: Iterable[Finding]) -> Ignored:
    """Write the comments, or with `--diff` show them."""
    from lambda_lint import fixes, ignores

    done = ignores.add(findings, project.sources, options.add_ignore)
    diff = ""
    refused: tuple[fixes.Refused, ...] = ()
    if options.diff:
        diff = "".join(
            fixes.diff(project.sources[path], Source(path, data))
            for path, data in sorted(done.changed.items())
        )
    else:
        refused = fixes.write(project.settings.root, project.sources, done.changed)
    not_written = {one.path for one in refused}
    silenced = [one for one in done.silenced if one.path not in not_written]
    after = {path: Source(path, data) for path, data in done.changed.items()}
    count = len(silenced)
    return Ignored(
        replace(project, sources=project.sources | after),
        frozenset(silenced),
        (f"silenced {count} finding{'s' * (count != 1)}",) if count and not options.diff else (),
        (
            *(
                f"{project.display(one.path)}:{one.span.line}: {one.code} cannot be silenced: {why}"
                for one, why in done.left
            ),
            *(f"{project.display(one.path)}: {one.reason}" for one in refused),
        ),
        diff,
    )
