"""`rule` and `rules`: the pages of the rules, as the rule files have them.

Files of the usual shape are read, not loaded: whoever looks something up does not want to wait
for the whole linter to be imported. For a file of another shape the registry has the last word.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_lint import terminal
from lambda_lint.commands import CLEAN, UnableError


class Entry(NamedTuple):
    """What is shown of a rule."""

    code: str
    slug: str
    category: str
    severity: str
    title: str
    page: str


def show_rule(options: argparse.Namespace) -> int:
    """Print the page of one rule, which is named by its slug or its code."""
    wanted = options.rule.strip().lower()
    entries: list[Entry] = []
    for directory in _directories(options.config):
        found = _read(directory)
        entries += found
        for one in found:
            if wanted in (one.code.lower(), one.slug):
                heading = f"{one.code} {one.slug} ({one.severity}, {one.category})"
                terminal.write(f"{heading}\n\n{one.page}\n")
                return CLEAN
    spellings = [spelling for one in entries for spelling in (one.slug, one.code.lower())]
    near = difflib.get_close_matches(wanted, spellings, 1)
    hint = f"did you mean {near[0]}?" if near else "`lambda-lint rules` lists all of them"
    raise UnableError(f"there is no rule {options.rule!r}; {hint}")


def list_rules(options: argparse.Namespace) -> int:
    """Print one line for each rule, or all that is known about them as JSON."""
    entries = known(options.config)
    if options.output_format == "json":
        rules = [
            {"rule" if k == "slug" else k: v for k, v in one._asdict().items()} for one in entries
        ]
        terminal.write(json.dumps({"schema": 1, "rules": rules}, indent=2) + "\n")
    else:
        terminal.write(_table(entries))
    return CLEAN


def known(config_file: str | None) -> list[Entry]:
    """Return all rules that the project around us has, by code."""
    return sorted(one for place in _directories(config_file) for one in _read(place))


def _directories(config_file: str | None) -> Iterator[Path]:
    """Yield the linter's own directory of rules, then those of the project around us.

    The configuration is read only when somebody asks for the second one.
    """
    package = Path(__file__).resolve().parent.parent
    # The same two places as in the registry: a wheel, and a checkout.
    inside = package / "rules"
    yield inside if inside.is_dir() else package.parent / "rules"
    if config_file is None and not _may_have_own_rules():
        return
    from lambda_lint import config

    named = Path(config_file) if config_file is not None else None
    try:
        yield from config.load((Path(),), config_file=named).rules
    except config.ConfigError as error:
        raise UnableError(str(error)) from error


def _may_have_own_rules() -> bool:
    """Tell whether any configuration above us speaks of directories of rules.

    Most projects have none, and reading their settings would take as long as all the rest.
    """
    here = Path.cwd()
    for directory in (here, *here.parents):
        for name in ("lambda-lint.toml", "pyproject.toml"):
            file = directory / name
            try:
                if file.is_file() and b"rule-directories" in file.read_bytes():
                    return True
            # What cannot be read is the business of whoever reads it properly.
            except OSError:
                return True
    return False


def _read(directory: Path) -> list[Entry]:
    """Return the rules of a directory, by reading its files where that is enough."""
    entries = []
    for path in sorted(directory.glob("[!_]*.py")):
        entry = _entry(path)
        if entry is None:
            return list(_loaded(directory))
        entries.append(entry)
    return entries


_PAGE = re.compile(r'r?"""(?P<text>(?:[^\\]|\\.)*?)"""', re.DOTALL)
_RULE = re.compile(
    r"""
    ^@rule\( \s* "(?P<code>LMB[0-9]{3})" , \s* category \s* = \s* "(?P<category>[a-z-]+)"
    (?: , \s* severity \s* = \s* Severity\.(?P<severity>[A-Z]+) )? ,? \s* \) \n
    def \s (?P<name>\w+)
    """,
    re.MULTILINE | re.VERBOSE,
)


def _entry(path: Path) -> Entry | None:
    """Return what a rule file says about itself, or None if it has not the usual shape."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    page = _PAGE.match(text)
    marks = list(_RULE.finditer(text))
    if page is None or not page["text"].strip() or len(marks) != 1 or marks[0]["name"] != path.stem:
        return None
    shown = page["text"].strip()
    return Entry(
        marks[0]["code"],
        path.stem.replace("_", "-"),
        marks[0]["category"],
        (marks[0]["severity"] or "WARNING").lower(),
        shown.splitlines()[0].strip(),
        shown,
    )


def _loaded(directory: Path) -> Iterator[Entry]:
    from lambda_lint.registry import load_rules
    from lambda_lint.rule import RuleError

    try:
        rules = load_rules((directory,))
    except RuleError as error:
        raise UnableError(str(error)) from error
    for one in rules:
        severity = one.severity.value
        yield Entry(one.code, one.slug, one.category, severity, one.title, one.page.strip())


def _table(entries: Sequence[Entry]) -> str:
    slugs = max((len(one.slug) for one in entries), default=0)
    return "".join(f"{line}\n" for line in _rows(entries, slugs))


def _rows(entries: Iterable[Entry], slugs: int) -> Iterator[str]:
    category = ""
    for one in entries:
        if one.category != category:
            if category:
                yield ""
            category = one.category
            yield category
        yield f"  {one.code}  {one.slug:<{slugs}}  {one.severity:<7}  {one.title}"
    yield ""
    yield "`lambda-lint rule NAME` explains one of them."
