"""`handlers`: what the linter takes for Lambda handlers, why, and which modules they reach."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, TypedDict

from lambda_lint import terminal
from lambda_lint.commands import CLEAN, UNABLE, inputs

if TYPE_CHECKING:
    from lambda_lint.model.coverage import Coverage


class Unfollowed(TypedDict):
    """A call that leads to unknown code."""

    path: str
    line: int


class Calls(TypedDict):
    """How many places call something on the way of the handler's events, by where that leads.

    `data` are methods that Python's own data types have, on objects of unknown type.
    """

    project: int
    library: int
    data: int
    unresolved: int
    places: list[Unfollowed]


class Found(TypedDict):
    """One handler; `line` is 1-based, paths are relative to the working directory."""

    path: str
    line: int
    name: str
    confidence: str
    evidence: list[str]
    modules: list[str]


class Row(Found, total=False):
    """One handler, with its coverage when that is asked for."""

    coverage: Calls


def run(options: argparse.Namespace) -> int:
    """Print the handlers in the given paths.

    Exit code 2 if there is none, or if the configuration names one that does not exist.
    """
    with terminal.progress() as say:
        settings = inputs.load_settings(options)
        project = inputs.read(options, settings)
        say(f"reading {len(project.sources)} files")
        rows, errors = _rows(project, coverage=options.coverage)
    if options.output_format == "json":
        document = {"schema": 1, "handlers": rows, "errors": errors}
        terminal.write(json.dumps(document, indent=2) + "\n")
    else:
        terminal.write(terminal.printable(_table(rows, errors)))
    return CLEAN if rows and not errors else UNABLE


def _rows(project: inputs.Inputs, *, coverage: bool) -> tuple[list[Row], list[str]]:
    from lambda_lint import engine

    with inputs.open_cache(project.settings) as cache:
        result = engine.lint(
            project.sources,
            project.settings,
            (),
            jobs=project.jobs,
            cache=cache,
            failures=project.failures,
            descriptors=project.descriptors,
            must_parse=lambda _path: False,
        )
    rows = [
        Row(
            path=project.display(one.path),
            line=one.span.line,
            name=one.name,
            confidence=one.confidence.value,
            evidence=list(one.evidence),
            modules=[project.display(path) for path in result.project.reached_modules(one)],
        )
        for one in result.project.handlers
        if project.requested.contains(one.path)
    ]
    if coverage:
        shown = [one for one in result.project.handlers if project.requested.contains(one.path)]
        for row, handler in zip(rows, shown, strict=True):
            row["coverage"] = _calls(result.project.coverage(handler), project)
    return rows, list(result.errors)


def _calls(found: Coverage, project: inputs.Inputs) -> Calls:
    return Calls(
        project=found.project,
        library=found.library,
        data=found.data,
        unresolved=len(found.unresolved),
        places=[
            Unfollowed(path=project.display(one.module.path), line=one.span.line)
            for one in found.unresolved
        ],
    )


def _table(rows: list[Row], errors: list[str]) -> str:
    lines: list[str] = []
    for row in rows:
        lines.append(f"{row['path']}:{row['line']} {row['name']} ({row['confidence']} confidence)")
        lines.append(f"    evidence: {'; '.join(row['evidence'])}")
        if (calls := row.get("coverage")) is not None:
            lines.append(f"    calls: {_summary(calls)}")
            shown = [f"{one['path']}:{one['line']}" for one in calls["places"]]
            lines += ["    not followed:"] * bool(shown)
            lines += [f"        {place}" for place in dict.fromkeys(shown)]
        others = [path for path in row["modules"] if path != row["path"]]
        lines += ["    reaches:"] * bool(others) + [f"        {path}" for path in others]
    lines += [f"error: {one}" for one in errors]
    if not rows:
        lines.append(
            "no handler was found: name yours under `handlers` in the configuration, as "
            '"src/app.py:lambda_handler"'
        )
    return "".join(f"{line}\n" for line in lines)


def _summary(calls: Calls) -> str:
    return (
        f"{calls['project']} followed into the project, {calls['library']} to libraries known by "
        f"name, {calls['data']} methods of data, {calls['unresolved']} not followed"
    )
