"""Every key of the configuration: the one place from which reading, schema and manual come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_lint.config import values
from lambda_lint.config.errors import RefusedError, nearest, shown
from lambda_lint.config.patterns import Where
from lambda_lint.files import PATTERN_LENGTH_LIMIT
from lambda_lint.settings import DEFAULT_EXCLUDE, DEFAULT_MAX_FILE_SIZE, Override

Parse = Callable[[object, Where], object]
Shape = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    `kind` says in words what the value is, `shape` says it as JSON Schema; `default` is in the
    form that TOML has (None: not set), `setting` the field of `Settings` where it is named
    differently. `adds` says that a file adds to what the files say that it extends; all other
    keys replace it. `differs` says that an override may set it for some files.
    """

    name: str
    kind: str
    default: object
    help: str
    parse: Parse = field(repr=False)
    shape: Shape = field(repr=False)
    setting: str = ""
    adds: bool = False
    differs: bool = False

    @property
    def attribute(self) -> str:
        """The field of `Settings` that holds the value."""
        return self.setting or self.name.replace("-", "_")


RULE_SHAPE = {"$ref": "#/definitions/rule"}
"""A name of a rule; which there are is put into the schema when it is made."""

_BOOLEAN = {"type": "boolean"}
_SEVERITY = {"enum": list(values.SEVERITIES)}
_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_POSITIVE = {"type": "integer", "minimum": 1, "exclusiveMaximum": values.LARGEST_NUMBER}
_MATCHES = r"^(?!!?\./)(?!!?(.*/)?\.\.(/|$))(?!(.*[^\\])?\{[^{}/]*,[^{}]*\})"
"""The beginning of what a gitignore pattern has to be to match anything; see `check_glob`."""
_GLOB = {"type": "string", "pattern": rf"{_MATCHES}.*\S", "maxLength": PATTERN_LENGTH_LIMIT}
_RULES = {"type": "array", "items": RULE_SHAPE}
_SYMBOL = {
    "type": "string",
    "pattern": f"^{values.SYMBOL}$",
    "maxLength": PATTERN_LENGTH_LIMIT,
}
_SYMBOLS = {"type": "array", "items": _SYMBOL}


def _list(item: Shape) -> Shape:
    return {"type": "array", "items": item}


def _table(**properties: Shape) -> Shape:
    """Return the shape of a table that has to name something."""
    names = {**_SYMBOLS, "minItems": 1}
    return {
        "type": "object",
        "required": ["names"],
        "properties": {"names": names, **properties},
        "additionalProperties": False,
    }


def _overrides(value: object, where: Where) -> tuple[Override, ...]:
    """Take what holds for some files only."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RefusedError(
            "expected tables: write [[tool.lambda-lint.overrides]], in lambda-lint.toml "
            f"[[overrides]], with `files` below it, not {shown(value)}"
        )
    found = []
    for number, table in enumerate(value):
        with values.at(number):
            found.append(_override(table, where))
    return tuple(found)


def _override(table: Mapping[str, object], where: Where) -> Override:
    if not table.get("files"):
        raise RefusedError('an override needs `files`: files = ["services/orders/**"]')
    given: dict[str, Any] = {}
    for name, value in table.items():
        with values.at(name):
            key = OVERRIDE_KEYS.get(name)
            if key is None:
                raise RefusedError(_not_for_some_files(name))
            try:
                given[key.attribute] = key.parse(value, where)
            except RefusedError as error:
                raise RefusedError(f"{name}: {error}", *error.keys) from None
    if len(given) < 2:
        raise RefusedError(
            f"an override sets something for its files: {', '.join(list(OVERRIDE_KEYS)[1:])}"
        )
    return Override(**given)


def _not_for_some_files(name: str) -> str:
    if name in KEYS_BY_NAME:
        return (
            f"`{name}` holds for the whole project and cannot differ from file to file; an "
            f"override may set {', '.join(list(OVERRIDE_KEYS)[1:])}"
        )
    near = nearest(name, OVERRIDE_KEYS)
    advice = f"did you mean `{near}`?" if near else "known are " + ", ".join(OVERRIDE_KEYS)
    return f"unknown key {shown(name)}; {advice}"


_CODES = "list of rule codes or names"
_GLOBS = "list of gitignore patterns"

KEYS = (
    Key(
        "extend",
        "path of a file",
        None,
        "Another configuration that this one adds to, relative to this file.",
        values.text,
        {**_STRING, "minLength": 1},
    ),
    Key("select", _CODES, ["ALL"], "The rules to run.", values.codes, _RULES, differs=True),
    Key(
        "extend-select",
        _CODES,
        [],
        "Rules to run besides those of `select`.",
        values.codes,
        _RULES,
        adds=True,
        differs=True,
    ),
    Key(
        "ignore",
        _CODES,
        [],
        "Rules not to run; a longer code wins over a shorter one.",
        values.codes,
        _RULES,
        adds=True,
        differs=True,
    ),
    Key(
        "per-file-ignores",
        "table from a gitignore pattern to a list of rule codes or names",
        {},
        "Rules not to report in the files that a pattern matches.",
        values.codes_by_glob,
        {"type": "object", "propertyNames": _GLOB, "additionalProperties": _RULES},
        adds=True,
    ),
    Key(
        "baseline",
        "name of a file",
        None,
        "Findings that are known and not shown; `lambda-lint baseline create` writes the file.",
        values.file_in_project,
        {**_STRING, "minLength": 1},
    ),
    Key(
        "overrides",
        "list of tables",
        [],
        "What is different for some files.",
        _overrides,
        _list({"$ref": "#/definitions/override"}),
        adds=True,
    ),
    Key(
        "strict",
        "boolean",
        False,
        "Show findings of low confidence and notes, too.",
        values.boolean,
        _BOOLEAN,
        differs=True,
    ),
    Key(
        "severity",
        "info, warning or error",
        None,
        "The lowest severity to show.",
        values.severity,
        _SEVERITY,
        differs=True,
    ),
    Key(
        "severity-overrides",
        "table from a rule code or name to info, warning or error",
        {},
        "How severe a rule is for you; what the rule itself weighs less stays less.",
        values.severities,
        {"type": "object", "propertyNames": RULE_SHAPE, "additionalProperties": _SEVERITY},
        adds=True,
    ),
    Key(
        "require-suppression-reason",
        "boolean",
        False,
        "Report comments that silence a rule and do not say why.",
        values.boolean,
        _BOOLEAN,
        differs=True,
    ),
    Key(
        "include",
        _GLOBS,
        ["*.py"],
        "Which files of a directory are Python files.",
        values.globs,
        _list(_GLOB),
    ),
    Key(
        "exclude",
        _GLOBS,
        [],
        "What not to read, besides `default-exclude` and what git ignores; `!name` takes a "
        "default back.",
        values.globs,
        _list(_GLOB),
    ),
    Key(
        "default-exclude",
        _GLOBS,
        list(DEFAULT_EXCLUDE),
        "Directories that hold other people's code or copies; set it to replace the list.",
        values.globs,
        _list(_GLOB),
    ),
    Key(
        "force-exclude",
        "boolean",
        False,
        "Skip excluded files also when they are named on the command line, as pre-commit does.",
        values.boolean,
        _BOOLEAN,
    ),
    Key(
        "handlers",
        'list of "file.py:function"',
        [],
        "Functions that Lambda calls, where neither a template nor the code tells.",
        values.handlers,
        _list({"type": "string", "pattern": f"^{values.HANDLER}$"}),
    ),
    Key(
        "handler-patterns",
        'list of "gitignore pattern:function pattern"',
        [],
        "Patterns of such functions; `*` in the function stands for any characters.",
        values.handler_patterns,
        _list({"type": "string", "pattern": rf"{_MATCHES}.+:[\w*?.]+$"}),
    ),
    Key(
        "reusable-constructors",
        "list of dotted names or tables (names, kind, what, rule, info, note, source)",
        [],
        "Constructors of your own whose objects should be made once and kept.",
        values.constructors,
        _list(
            {
                "anyOf": [
                    _SYMBOL,
                    _table(
                        kind={"enum": list(values.CONSTRUCTOR_KINDS)},
                        what=_STRING,
                        rule={"enum": list(values.CONSTRUCTOR_RULES)},
                        info=_BOOLEAN,
                        note=_STRING,
                        source=_STRING,
                    ),
                ]
            }
        ),
        adds=True,
    ),
    Key(
        "registrations",
        "list of dotted names or tables (names, kind, what, keeper, undo, undo_calls, …)",
        [],
        "Calls of your own that leave something in the process until it is taken back.",
        values.registrations,
        _list(
            {
                "anyOf": [
                    _SYMBOL,
                    _table(
                        kind={"enum": list(values.EFFECT_KINDS)},
                        what=_STRING,
                        keeper={"enum": list(values.KEEPERS)},
                        undo=_STRINGS,
                        undo_calls=_SYMBOLS,
                        remedy=_STRING,
                        note=_STRING,
                        source=_STRING,
                    ),
                ]
            }
        ),
        adds=True,
    ),
    Key(
        "import-roots",
        "list of directories",
        [],
        "Directories that imports start from, besides those that are found.",
        values.import_roots,
        _STRINGS,
    ),
    Key(
        "rule-directories",
        "list of directories",
        [],
        "Directories with rules of your own. They are run: name none that you do not trust.",
        values.directories,
        _STRINGS,
        "rules",
    ),
    Key(
        "max-file-size",
        "number of bytes",
        DEFAULT_MAX_FILE_SIZE,
        "Larger files are not read, and reported as such.",
        values.positive,
        _POSITIVE,
    ),
    Key(
        "snapstart",
        "boolean",
        False,
        "Take SnapStart as switched on everywhere.",
        values.boolean,
        _BOOLEAN,
        differs=True,
    ),
    Key(
        "managed-instances",
        "boolean",
        False,
        "Take all functions as running on Lambda Managed Instances.",
        values.boolean,
        _BOOLEAN,
        differs=True,
    ),
    Key(
        "web-functions",
        "boolean",
        False,
        "Take all functions as web functions: one process serves many requests at a time.",
        values.boolean,
        _BOOLEAN,
        differs=True,
    ),
    Key(
        "jobs",
        "number of processes",
        None,
        "How many processes parse files.",
        values.positive,
        _POSITIVE,
    ),
    Key(
        "cache",
        "boolean",
        True,
        "Keep results in `.lambda_lint_cache`.",
        values.boolean,
        _BOOLEAN,
    ),
)
"""Every key, in the order of the manual."""

KEYS_BY_NAME = {key.name: key for key in KEYS}

_FILES = Key(
    "files",
    _GLOBS,
    None,
    "The files that this table speaks of; a handler is where its file is.",
    values.globs,
    {**_list(_GLOB), "minItems": 1},
)

OVERRIDE_KEYS = {key.name: key for key in (_FILES, *(one for one in KEYS if one.differs))}
"""The keys of a table of `overrides`, by name: what can honestly differ from file to file."""
