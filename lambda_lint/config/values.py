"""The values of the keys: what TOML gave becomes what a field of `Settings` holds.

Each function takes the value and where it stands, and raises `RefusedError`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lambda_lint.config.errors import RefusedError, nearest, shown
from lambda_lint.config.patterns import Where
from lambda_lint.files import PATTERN_LENGTH_LIMIT, pattern_problem
from lambda_lint.settings import Registration, ReusableConstructor

LARGEST_NUMBER = 2**40
SEVERITIES = ("info", "warning", "error")
# A code in small letters is a slip of the pen, and no name of a rule.
CODE = r"ALL|LMB[0-9]{0,3}|(?!(lmb[0-9]*|all)$)[a-z][a-z0-9]*(-[a-z0-9]+)*"
HANDLER = r"[^:]+\.py:[^\W\d]\w*(\.[^\W\d]\w*)*"
SYMBOL = r"[^\W\d][\w*]*(\(\))?(\.[\w*]+(\(\))?)*"
CONSTRUCTOR_KINDS = ("lazy", "connecting", "loop-bound", "heavy", "factory")
CONSTRUCTOR_RULES = ("client", "heavy")
EFFECT_KINDS = ("listener", "background", "buffer", "resource")
KEEPERS = ("receiver", "argument", "process")


def boolean(value: object, where: Where) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise RefusedError(f"expected true or false, not {shown(value)}")
    return value


def positive(value: object, where: Where) -> int:
    """Take a whole number above 0, of a sensible size."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or not 0 < value < LARGEST_NUMBER:  # type: ignore[operator]
        raise RefusedError(f"expected a whole number above 0, not {shown(value)}")
    return value  # type: ignore[return-value]


def severity(value: object, where: Where) -> str:
    """Take the name of a severity."""
    if not isinstance(value, str) or value not in SEVERITIES:
        raise RefusedError(f'expected "info", "warning" or "error", not {shown(value)}')
    return value


def text(value: object, where: Where) -> str:
    """Take any text."""
    if not isinstance(value, str):
        raise RefusedError(f"expected a string, not {shown(value)}")
    return value


def strings(value: object, where: Where) -> tuple[str, ...]:
    """Take a list of strings."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RefusedError(f"expected a list of strings, not {shown(value)}")
    return tuple(value)


def codes(value: object, where: Where) -> tuple[str, ...]:
    """Take names of rules; which there are is known after the rule directories are loaded."""
    given = strings(value, where)
    for one in given:
        _check_code(one)
    return given


def _check_code(code: str) -> None:
    if re.fullmatch(r"(?i:lmb[0-9]*|all)", code) and not code.isupper():
        raise RefusedError(f"codes are written in capitals: write {shown(code.upper())}")
    if not re.fullmatch(CODE, code):
        raise RefusedError(
            f"{shown(code)} is no rule; write a code (LMB101), the beginning of codes (LMB1), "
            "the name of a rule (client-in-handler) or ALL"
        )


def globs(value: object, where: Where) -> tuple[str, ...]:
    """Take gitignore patterns; returns them as they are below the root."""
    given = strings(value, where)
    for one in given:
        check_glob(one)
    return tuple(moved for one in given for moved in where.pattern(one))


def check_glob(glob: str) -> None:
    """Raise RefusedError for what is no gitignore pattern, or one that may take for ever."""
    problem = pattern_problem(glob)
    body = glob.removeprefix("!")
    if body.startswith("./") or ".." in body.split("/"):
        raise RefusedError(
            f"the pattern {shown(glob)} can match nothing, because paths begin at the directory of "
            "the configuration and have no dots in front; leave them out"
        )
    if re.search(r"(?<!\\)\{[^{}/]*,[^{}]*\}", body):
        raise RefusedError(
            f"the pattern {shown(glob)} has alternatives in braces, which gitignore patterns do "
            "not know; write one pattern for each"
        )
    if problem:
        raise RefusedError(f"the pattern {shown(glob)} {problem}; write a shorter, simpler one")


def handlers(value: object, where: Where) -> tuple[str, ...]:
    """Take `file.py:function`, relative to where the file stands."""
    found = []
    for one in strings(value, where):
        path, _, name = one.removeprefix("./").rpartition(":")
        outside = path.startswith("/") or ".." in path.split("/") or "\\" in path
        if outside or not re.fullmatch(HANDLER, f"{path}:{name}"):
            raise RefusedError(
                f"{shown(one)} is no handler; write the file, relative to the root, and the "
                'function: "src/app.py:lambda_handler"'
            )
        found.append(f"{where.path(path)}:{name}")
    return tuple(found)


def handler_patterns(value: object, where: Where) -> tuple[str, ...]:
    """Take `gitignore pattern:function pattern`."""
    found = []
    for one in strings(value, where):
        path, colon, name = one.rpartition(":")
        if not colon or not re.fullmatch(r"[\w*?.]+", name):
            raise RefusedError(
                f"{shown(one)} is no pattern for handlers; write patterns for the file and "
                'for the function: "functions/**/*.py:*_handler"'
            )
        check_glob(path)
        check_glob(name)
        found += [f"{moved}:{name}" for moved in where.pattern(path)]
    return tuple(found)


def import_roots(value: object, where: Where) -> tuple[str, ...]:
    """Take directories inside of the root."""
    roots = []
    for given in strings(value, where):
        path = where.path(given)
        if not os.path.isdir(where.root / path):
            raise RefusedError(
                f"there is no directory {shown(given)} in {where.base}; correct or remove it"
            )
        roots.append(path)
    return tuple(roots)


def directories(value: object, where: Where) -> tuple[Path, ...]:
    """Take directories anywhere, relative to the file's own; returns them absolute."""
    found = []
    for given in strings(value, where):
        path = None if "\x00" in given else Path(os.path.realpath(where.directory / given))
        if path is None or not path.is_dir():
            raise RefusedError(
                f"there is no directory {shown(given)} in {where.directory}; correct or remove it"
            )
        found.append(path)
    return tuple(found)


def file_in_project(value: object, where: Where) -> Path:
    """Take a file, which need not exist: a command may be about to write it."""
    if not isinstance(value, str):
        raise RefusedError(f"expected the name of a file, not {shown(value)}")
    path = os.path.normpath(value).replace(os.sep, "/")
    if not value or os.path.isabs(value) or path.split("/")[0] in ("..", ".") or "\x00" in value:
        raise RefusedError(
            f"{shown(value)} must be a file of the project; write its path relative to this file"
        )
    file = Path(os.path.abspath(where.directory / path))
    if where.base != where.root and not file.is_relative_to(where.root):
        raise RefusedError(
            f"{shown(value)} lies outside of the project, {where.root}, which would share it with "
            "others; set it in the configuration of the project itself"
        )
    return file


def codes_by_glob(value: object, where: Where) -> Mapping[str, tuple[str, ...]]:
    """Take a table from gitignore patterns to names of rules."""
    if not isinstance(value, dict):
        raise RefusedError(
            f'expected a table of patterns and lists of rules ("tests/**" = ["LMB1"]), '
            f"not {shown(value)}"
        )
    found: dict[str, tuple[str, ...]] = {}
    for glob, names in value.items():
        with at(glob):
            check_glob(glob)
            given = codes(names, where)
            for moved in where.pattern(glob):
                found[moved] = (*found.get(moved, ()), *given)
    return found


def severities(value: object, where: Where) -> Mapping[str, str]:
    """Take a table from names of rules to severities."""
    if not isinstance(value, dict):
        raise RefusedError(
            f'expected a table of rules and severities (client-in-handler = "error"), '
            f"not {shown(value)}"
        )
    found = {}
    for name, given in value.items():
        with at(name):
            _check_code(name)
            if given == "off":
                raise RefusedError(f"a rule is switched off by `ignore`: add {shown(name)} there")
            found[name] = severity(given, where)
    return found


_Choice = tuple[str, object, tuple[str, ...]]


def constructors(value: object, where: Where) -> tuple[ReusableConstructor, ...]:
    """Take constructors of the project's own libraries: names, or tables."""

    def choices(given: Mapping[str, Any]) -> tuple[_Choice, ...]:
        kind = given.get("kind", "lazy")
        rule = given.get("rule", "heavy" if kind == "heavy" else "client")
        return ("kind", kind, CONSTRUCTOR_KINDS), ("rule", rule, CONSTRUCTOR_RULES)

    found = _entries(value, ReusableConstructor, ("names",), choices, where)
    return tuple(ReusableConstructor(**one) for one in found)


def registrations(value: object, where: Where) -> tuple[Registration, ...]:
    """Take calls of the project's own libraries that leave something behind: names, or tables."""

    def choices(given: Mapping[str, Any]) -> tuple[_Choice, ...]:
        return (
            ("kind", given.get("kind", "listener"), EFFECT_KINDS),
            ("keeper", given.get("keeper", "receiver"), KEEPERS),
        )

    found = _entries(value, Registration, ("names", "undo_calls"), choices, where)
    return tuple(Registration(**one) for one in found)


def _entries(
    value: object,
    kind: type[Any],
    symbols: tuple[str, ...],
    choices: Callable[[Mapping[str, Any]], tuple[_Choice, ...]],
    where: Where,
) -> list[dict[str, Any]]:
    """Return the fields of each entry of a list.

    `symbols` are those that hold dotted names; `choices` tells which fields are one of few.
    """
    if not isinstance(value, list):
        raise RefusedError(f"expected a list of dotted names or tables, not {shown(value)}")
    found = []
    for number, one in enumerate(value):
        with at(number):
            given = _fields({"names": [one]} if isinstance(one, str) else one, kind, where)
            for key in symbols:
                for name in given.get(key, ()):
                    if len(name) > PATTERN_LENGTH_LIMIT or not re.fullmatch(SYMBOL, name):
                        raise RefusedError(
                            f'{shown(name)} is no dotted name such as "mylib.Client"', key
                        )
            for key, chosen, known in choices(given):
                if chosen not in known:
                    raise RefusedError(
                        f"`{key}` is one of {', '.join(known)}, not {shown(chosen)}", key
                    )
                given[key] = chosen
            found.append(given)
    return found


def _fields(value: object, kind: type[Any], where: Where) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.get("names"):
        raise RefusedError(f"expected a dotted name or a table with `names`, not {shown(value)}")
    known = {one.name: str(one.type) for one in fields(kind)}
    found: dict[str, Any] = {}
    for key, given in value.items():
        with at(key):
            if key not in known:
                near = nearest(key.replace("_", "-"), [one.replace("_", "-") for one in known])
                advice = near.replace("-", "_") if near else " or ".join(known)
                raise RefusedError(f"unknown key {shown(key)}; did you mean {advice}?")
            if "tuple" in known[key]:
                found[key] = strings(given, where)
            elif not isinstance(given, bool if known[key] == "bool" else str):
                raise RefusedError(f"`{key}` must be a {known[key]}, not {shown(given)}")
            else:
                found[key] = given
    return found


@contextlib.contextmanager
def at(key: str | int) -> Iterator[None]:
    """Tell a refusal inside of the `with` where in the value it is."""
    try:
        yield
    except RefusedError as error:
        error.keys = (key, *error.keys)
        raise
