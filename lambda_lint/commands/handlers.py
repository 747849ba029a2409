"""`handlers`: what the linter takes for Lambda handlers, why, and which modules they reach."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypedDict

from lambda_lint import terminal
from lambda_lint.commands import CLEAN, UNABLE, inputs

if TYPE_CHECKING:
    from lambda_lint import engine
    from lambda_lint.declaration import Declaration
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


class Declared(TypedDict):
    """A function of a deployment descriptor; `line` is 1-based, `code_root` may be unknown."""

    function: str
    source: str
    path: str
    line: int
    handler: str
    code_root: str | None
    layers: list[str]
    flags: list[str]


class NotFound(Declared):
    """A declared function whose handler is no file of the project, or not in it."""

    module: str | None


class Found(TypedDict):
    """One handler; `line` is 1-based, paths are relative to the working directory."""

    path: str
    line: int
    name: str
    confidence: str
    evidence: list[str]
    flags: list[str]
    declared: list[Declared]
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
        rows, missing, result = _rows(project, coverage=options.coverage)
    errors = list(result.errors)
    if options.output_format == "json":
        document = {
            "schema": 1,
            "handlers": rows,
            "not_found": missing,
            "notes": list(result.notes),
            "errors": errors,
        }
        terminal.write(json.dumps(document, indent=2) + "\n")
    else:
        if options.output_format == "table":
            terminal.write(_table(rows, missing))
        else:
            terminal.write(terminal.printable(_listing(rows, missing)))
        terminal.write(terminal.printable(_remarks(rows, result.notes, errors)))
    return CLEAN if rows and not errors else UNABLE


def _rows(
    project: inputs.Inputs, *, coverage: bool
) -> tuple[list[Row], list[NotFound], engine.Result]:
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

    def shown(path: str) -> str:
        inline = result.inline.get(path)
        return project.display(path if inline is None else inline.template)

    rows = []
    for one in result.project.handlers:
        inline = result.inline.get(one.path)
        span = one.span if inline is None else inline.place(one.span)
        if not project.requested.contains(one.path if inline is None else inline.template):
            continue
        row = Row(
            path=shown(one.path),
            line=span.line,
            name=one.name,
            confidence=one.confidence.value,
            evidence=list(one.evidence),
            flags=sorted(one.flags),
            declared=[_declared(declaration, project) for declaration in one.declarations],
            modules=[shown(path) for path in result.project.reached_modules(one)],
        )
        if coverage:
            row["coverage"] = _calls(result.project.coverage(one), shown)
        rows.append(row)
    found = {one for handler in result.project.handlers for one in handler.declarations}
    missing = [
        NotFound(
            **_declared(one, project), module=None if one.module is None else shown(one.module)
        )
        for one in result.project.declarations
        if one not in found and project.requested.contains(one.path)
    ]
    return rows, missing, result


def _declared(one: Declaration, project: inputs.Inputs) -> Declared:
    return Declared(
        function=one.name,
        source=one.source,
        path=project.display(one.path),
        line=one.span.line,
        handler=one.handler,
        code_root=None if one.root is None else project.display(one.root),
        layers=[project.display(layer) for layer in one.layers],
        flags=sorted(one.flags),
    )


def _calls(found: Coverage, shown: Callable[[str], str]) -> Calls:
    return Calls(
        project=found.project,
        library=found.library,
        data=found.data,
        unresolved=len(found.unresolved),
        places=[
            Unfollowed(path=shown(one.module.path), line=one.span.line) for one in found.unresolved
        ],
    )


def _table(rows: list[Row], missing: list[NotFound]) -> str:
    """Return one line for each declared function, and for each handler that nothing declares."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns = ("handler", "function", "descriptor", "code root", "flags", "modules", "evidence")
    # Lines are for `grep` and `sort` too: none is wrapped.
    table = Table(*columns, box=None, pad_edge=False)

    def add(
        handler: str, one: Declared | None, evidence: str, flags: list[str], count: str
    ) -> None:
        where = ("", "", "")
        if one is not None:
            descriptor = f"{one['path']}:{one['line']} ({one['source']})"
            where = (one["function"], descriptor, one["code_root"] or "")
        cells = (handler, *where, ", ".join(flags), count, evidence)
        table.add_row(*(Text(terminal.printable(cell), no_wrap=True) for cell in cells))

    for row in rows:
        told = [one for one in row["evidence"] if not one.startswith("is declared in")]
        evidence = f"{row['confidence']}: {'; '.join(told) or 'declared'}"
        declared: list[Declared | None] = [*row["declared"]]
        for one in declared or [None]:
            flags = row["flags"] if one is None else one["flags"]
            handler = f"{row['path']}:{row['line']} {row['name']}"
            add(handler, one, evidence, flags, str(len(row["modules"])))
    for lost in missing:
        add("not found", lost, lost["handler"], lost["flags"], "")
    console = Console(
        file=io.StringIO(), width=_WIDEST, color_system=None, legacy_windows=False, markup=False
    )
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()) if rows else ""


_WIDEST = 100_000


def _listing(rows: list[Row], missing: list[NotFound]) -> str:
    lines: list[str] = []
    for row in rows:
        lines.append(f"{row['path']}:{row['line']} {row['name']} ({row['confidence']} confidence)")
        lines += [f"    declared: {_declaration(one)}" for one in row["declared"]]
        told = [one for one in row["evidence"] if not one.startswith("is declared in")]
        lines += [f"    evidence: {'; '.join(told)}"] * bool(told)
        if (calls := row.get("coverage")) is not None:
            lines.append(f"    calls: {_summary(calls)}")
            shown = [f"{one['path']}:{one['line']}" for one in calls["places"]]
            lines += ["    not followed:"] * bool(shown)
            lines += [f"        {place}" for place in dict.fromkeys(shown)]
        others = [path for path in row["modules"] if path != row["path"]]
        lines += ["    reaches:"] * bool(others) + [f"        {path}" for path in others]
    lines += [f"not found: {_declaration(one)}" for one in missing]
    return "".join(f"{line}\n" for line in lines)


def _remarks(rows: list[Row], notes: Iterable[str], errors: list[str]) -> str:
    lines = [*(f"note: {one}" for one in notes), *(f"error: {one}" for one in errors)]
    if not rows:
        lines.append(
            "no handler was found: name yours under `handlers` in the configuration, as "
            '"src/app.py:lambda_handler"'
        )
    return "".join(f"{line}\n" for line in lines)


def _declaration(one: Declared) -> str:
    """Return what a descriptor says of a function, in one line."""
    text = f"{one['path']}:{one['line']} {one['function']} ({one['source']}), {one['handler']}"
    if one["code_root"] is not None:
        text += f" in {one['code_root']}"
    return ", ".join([text, *one["flags"]])


def _summary(calls: Calls) -> str:
    return (
        f"{calls['project']} followed into the project, {calls['library']} to libraries known by "
        f"name, {calls['data']} methods of data, {calls['unresolved']} not followed"
    )
