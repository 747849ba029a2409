"""Where a project begins and what its owner wants: the settings, read and checked once.

Nothing is guessed: what cannot be understood is a `ConfigError` with the place and the next step,
because a setting that is silently ignored looks exactly like a clean project.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import takewhile
from pathlib import Path
from typing import Any

from lambda_lint.files import PATTERN_LENGTH_LIMIT, pattern_problem, read_regular
from lambda_lint.settings import (
    DEFAULT_EXCLUDE,
    DEFAULT_MAX_FILE_SIZE,
    Registration,
    ReusableConstructor,
    Settings,
)

__all__ = ["CONFIG_NAME", "KEYS", "ConfigError", "Key", "Settings", "load"]

CONFIG_NAME = "lambda-lint.toml"
_CONFIG_LIMIT = 1024 * 1024
_TABLE = ("tool", "lambda-lint")


class ConfigError(Exception):
    """Settings that cannot be used: the tool must stop with exit code 2.

    `file` and `line` (1-based) are None when the command line or the environment is to blame.
    """

    def __init__(self, message: str, file: str | None = None, line: int | None = None) -> None:
        """`message` says what is wrong and what to do; it may hold hostile text."""
        super().__init__(message, file, line)
        self.message = message
        self.file = file
        self.line = line

    def __str__(self) -> str:
        """`file:line: message`, with control characters escaped."""
        place = "" if self.file is None else f"{self.file}:{self.line or 1}: "
        return "".join(
            one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode()
            for one in place + self.message
        )


def load(
    start: Sequence[Path],
    *,
    config_file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Find and read the settings of the project that the paths `start` belong to.

    The root is the nearest directory at or above what the paths have in common that has a
    `lambda-lint.toml`, or a `pyproject.toml` with a table `[tool.lambda-lint]`. The search ends at
    the root of the git repository, which is the root when nothing was found. Without a repository
    it is the working directory for relative paths inside of it, otherwise the common directory.
    `config_file` names the file instead; then its directory is the root for paths below it.

    `overrides` come from the command line, named like the keys (`-` or `_`); None means "not
    given", anything else replaces the value of the file. Raises `ConfigError`.
    """
    common = _common_directory(start)
    document: _Document | None
    if config_file is None:
        root, document = _search(common)
        if root is None:
            root = _root_without_repository(start, common)
    else:
        document = _read_named(config_file)
        directory = document.path.parent
        root = directory if common.is_relative_to(directory) else _search(common)[0]
        root = root or _root_without_repository(start, common)
    values: dict[str, Any] = {}
    if document is not None:
        values.update(_parse_document(document))
    values.update(_parse_overrides(overrides or {}, root))
    config_path = None if document is None else document.path
    return Settings(root=root, config_path=config_path, **values)


@dataclass(frozen=True, slots=True)
class _Document:
    """A configuration file: its text for the line numbers, and our table with its place in it."""

    path: Path
    text: str
    table: Mapping[str, object]
    prefix: tuple[str, ...]

    def error(self, message: str, *keys: str) -> ConfigError:
        return ConfigError(message, str(self.path), _line_of(self.text, (*self.prefix, *keys)))


class _RefusedError(ValueError):
    """A value of the wrong type or shape; the text says what is expected."""


def _common_directory(start: Sequence[Path]) -> Path:
    """The deepest directory that holds all paths; files that do not exist count as files."""
    directories = []
    for path in start or (Path(),):
        absolute = Path(os.path.realpath(path))
        directories.append(absolute if absolute.is_dir() else absolute.parent)
    try:
        return Path(os.path.commonpath(directories))
    except ValueError:
        raise ConfigError(
            "the given paths have no directory in common; run once for each drive"
        ) from None


def _search(start: Path) -> tuple[Path | None, _Document | None]:
    for directory in (start, *start.parents):
        own = directory / CONFIG_NAME
        if os.path.lexists(own):
            return directory, _whole(own)
        document = _read_pyproject(directory / "pyproject.toml")
        if document is not None:
            return directory, document
        if os.path.lexists(directory / ".git"):
            # What lies above the repository belongs to somebody else.
            return directory, None
    return None, None


def _root_without_repository(start: Sequence[Path], common: Path) -> Path:
    here = Path(os.path.realpath("."))
    if common.is_relative_to(here) and not any(path.is_absolute() for path in start):
        return here
    return common


def _read_named(config_file: Path) -> _Document:
    path = Path(os.path.realpath(config_file))
    if path.name == "pyproject.toml":
        document = _read_pyproject(path)
        if document is None:
            if not os.path.lexists(path):
                _read(path)
            raise ConfigError(f"there is no table [{'.'.join(_TABLE)}]; add it", str(path), 1)
        return document
    return _whole(path)


def _whole(path: Path) -> _Document:
    document = _parse_toml(path, _read(path), ())
    assert document is not None  # The empty prefix is always there.
    return document


def _read_pyproject(path: Path) -> _Document | None:
    """Return our table of a pyproject.toml, None when there is no such file or table.

    A file that nowhere names the tool is not even parsed: it is no business of ours whether it is
    well-formed, and most runs then never import a TOML parser.
    """
    if not os.path.lexists(path):
        return None
    data = _read(path)
    if _TABLE[1].encode() not in data:
        return None
    return _parse_toml(path, data, _TABLE)


def _read(path: Path) -> bytes:
    try:
        data = read_regular(path, _CONFIG_LIMIT)
    except OSError as error:
        raise ConfigError(
            f"the configuration cannot be read ({error.strerror}); check path and permissions",
            str(path),
            1,
        ) from None
    if len(data) > _CONFIG_LIMIT:
        raise ConfigError(f"a configuration may have {_CONFIG_LIMIT} bytes at most", str(path), 1)
    return data


def _parse_toml(path: Path, data: bytes, prefix: tuple[str, ...]) -> _Document | None:
    """Return the table `prefix` of a TOML file, None when the file has no such table."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("TOML is always UTF-8; save the file as UTF-8", str(path), line) from None
    try:
        table: object = tomllib.loads(text)
    except RecursionError:
        raise ConfigError("the TOML is nested too deeply", str(path), 1) from None
    except ValueError as error:
        # Python below 3.14 tells the line only in the text of the error; numbers of thousands of
        # digits are a plain ValueError without any line.
        match = re.search(r"\(at line (\d+), column \d+\)", str(error))
        what = re.sub(r" \(at [^()]*\)$", "", str(error))
        line = int(match[1]) if match else text.count("\n") + 1
        raise ConfigError(f"this is not TOML: {what}", str(path), line) from None
    for depth, name in enumerate(prefix):
        if not isinstance(table, dict) or name not in table:
            return None
        table = table[name]
        if not isinstance(table, dict):
            raise ConfigError(
                f"`{name}` must be a table: write [{'.'.join(prefix[: depth + 1])}]",
                str(path),
                _line_of(text, prefix[: depth + 1]),
            )
    assert isinstance(table, dict)
    return _Document(path, text, table, prefix)


def _parse_document(document: _Document) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in document.table.items():
        key = _KEYS_BY_NAME.get(name)
        if key is None:
            raise document.error(_unknown(name), name)
        try:
            values[key.attribute] = key.parse(value, document.path.parent)
        except _RefusedError as error:
            raise document.error(f"{name}: {error}", name) from None
    return values


def _parse_overrides(overrides: Mapping[str, object], root: Path) -> dict[str, Any]:
    """Paths on the command line are relative to the working directory, import roots to the root."""
    values: dict[str, Any] = {}
    for given, value in overrides.items():
        if value is None:
            continue
        name = given.replace("_", "-")
        key = _KEYS_BY_NAME.get(name)
        if key is None:
            raise ConfigError(_unknown(given))
        base = Path.cwd() if key.name == "rule-directories" else root
        try:
            values[key.attribute] = key.parse(
                list(value) if isinstance(value, tuple) else value, base
            )
        except _RefusedError as error:
            raise ConfigError(f"--{name}: {error}") from None
    return values


def _unknown(name: str) -> str:
    if name == _TABLE[0]:
        return (
            f"in {CONFIG_NAME} the keys stand at the top; [tool.lambda-lint] is for pyproject.toml"
        )
    near = difflib.get_close_matches(name[:100].replace("_", "-").lower(), _KEYS_BY_NAME, n=1)
    advice = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(_KEYS_BY_NAME)
    return f"unknown key {_show(name)}; {advice}"


_KEY_PART = r"""(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART})*"
_HEADER_LINE = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]")
_KEY_LINE = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


def _line_of(text: str, target: tuple[str, ...]) -> int:
    """The 1-based line that sets the key `target`, or the nearest table around it.

    TOML parsers give no positions. This reads headers and keys line by line, so a line of a
    multi-line string can deceive it: then the line is wrong, never the message.
    """
    best_depth, best_line = 0, 1
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER_LINE.match(line):
            path = table = _parts(header[1])
        elif key := _KEY_LINE.match(line):
            path = table + _parts(key[1])
        else:
            continue
        pairs = zip(path, target, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        # A table below the key sets it as well, a sibling of the key does not.
        if shared > best_depth and shared in (len(path), len(target)):
            best_depth, best_line = shared, number
    return best_line


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(one.strip("\"'") for one in re.findall(_KEY_PART, dotted))


def _show(value: object) -> str:
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


# The values of the keys. Each function takes what TOML gave and the directory that relative paths
# start from, and returns what the field of `Settings` holds, or raises `_RefusedError`.


def _boolean(value: object, base: Path) -> bool:
    if not isinstance(value, bool):
        raise _RefusedError(f"expected true or false, not {_show(value)}")
    return value


def _positive(value: object, base: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**40:
        raise _RefusedError(f"expected a whole number above 0, not {_show(value)}")
    return value


def _severity(value: object, base: Path) -> str:
    if value not in ("info", "warning", "error") or not isinstance(value, str):
        raise _RefusedError(f'expected "info", "warning" or "error", not {_show(value)}')
    return value


def _strings(value: object, base: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _RefusedError(f"expected a list of strings, not {_show(value)}")
    return tuple(value)


def _codes(value: object, base: Path) -> tuple[str, ...]:
    """Only the shape: which rules there are is known after the rule directories are loaded."""
    codes = _strings(value, base)
    for code in codes:
        if re.fullmatch(r"(?i:lmb[0-9]*|all)", code) and not code.isupper():
            raise _RefusedError(f"codes are written in capitals: write {_show(code.upper())}")
        if not re.fullmatch(r"ALL|LMB[0-9]{0,3}|[a-z][a-z0-9]*(-[a-z0-9]+)*", code):
            raise _RefusedError(
                f"{_show(code)} is no rule; write a code (LMB101), the beginning of codes (LMB1), "
                "the name of a rule (client-in-handler) or ALL"
            )
    return codes


def _globs(value: object, base: Path) -> tuple[str, ...]:
    globs = _strings(value, base)
    for glob in globs:
        _check_glob(glob)
    return globs


def _check_glob(glob: str) -> None:
    problem = pattern_problem(glob)
    if problem:
        raise _RefusedError(f"the pattern {_show(glob)} {problem}; write a shorter, simpler one")


_HANDLER = re.compile(r"[^:]+\.py:[^\W\d]\w*(\.[^\W\d]\w*)*")


def _handlers(value: object, base: Path) -> tuple[str, ...]:
    handlers = []
    for handler in _strings(value, base):
        path, _, name = handler.removeprefix("./").rpartition(":")
        outside = path.startswith("/") or ".." in path.split("/") or "\\" in path
        if outside or not _HANDLER.fullmatch(f"{path}:{name}"):
            raise _RefusedError(
                f"{_show(handler)} is no handler; write the file, relative to the root, and the "
                'function: "src/app.py:lambda_handler"'
            )
        handlers.append(f"{path}:{name}")
    return tuple(handlers)


def _handler_patterns(value: object, base: Path) -> tuple[str, ...]:
    patterns = _strings(value, base)
    for pattern in patterns:
        path, colon, name = pattern.rpartition(":")
        if not colon or not re.fullmatch(r"[\w*?.]+", name):
            raise _RefusedError(
                f"{_show(pattern)} is no pattern for handlers; write patterns for the file and "
                'for the function: "functions/**/*.py:*_handler"'
            )
        _check_glob(path)
        _check_glob(name)
    return patterns


def _import_roots(value: object, base: Path) -> tuple[str, ...]:
    roots = []
    for given in _strings(value, base):
        path = os.path.normpath(given).replace(os.sep, "/")
        if os.path.isabs(given) or path.split("/")[0] == ".." or "\x00" in given:
            raise _RefusedError(
                f"{_show(given)} must lie in the project; write it relative to the root"
            )
        if not os.path.isdir(base / path):
            raise _RefusedError(
                f"there is no directory {_show(given)} in {base}; correct or remove it"
            )
        roots.append(path)
    return tuple(roots)


def _directories(value: object, base: Path) -> tuple[Path, ...]:
    directories = []
    for given in _strings(value, base):
        path = None if "\x00" in given else Path(os.path.realpath(base / given))
        if path is None or not path.is_dir():
            raise _RefusedError(
                f"there is no directory {_show(given)} in {base}; correct or remove it"
            )
        directories.append(path)
    return tuple(directories)


def _file_in_project(value: object, base: Path) -> Path:
    """The file need not exist: a command may be about to write it."""
    if not isinstance(value, str):
        raise _RefusedError(f"expected the name of a file, not {_show(value)}")
    path = os.path.normpath(value).replace(os.sep, "/")
    if not value or os.path.isabs(value) or path.split("/")[0] in ("..", ".") or "\x00" in value:
        raise _RefusedError(
            f"{_show(value)} must be a file of the project; write its path relative to this file"
        )
    return Path(os.path.abspath(base / path))


def _codes_by_glob(value: object, base: Path) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise _RefusedError(
            f'expected a table of patterns and lists of rules ("tests/**" = ["LMB1"]), '
            f"not {_show(value)}"
        )
    for glob in value:
        _check_glob(glob)
    return {glob: _codes(codes, base) for glob, codes in value.items()}


_SYMBOL = re.compile(r"[^\W\d][\w*]*(\(\))?(\.[\w*]+(\(\))?)*")
_CONSTRUCTOR_KINDS = ("lazy", "connecting", "loop-bound", "heavy", "factory")


def _constructors(value: object, base: Path) -> tuple[ReusableConstructor, ...]:
    if not isinstance(value, list):
        raise _RefusedError(f"expected a list of dotted names or tables, not {_show(value)}")
    return tuple(
        _constructor({"names": [one]} if isinstance(one, str) else one, base) for one in value
    )


def _constructor(value: object, base: Path) -> ReusableConstructor:
    if not isinstance(value, dict) or not value.get("names"):
        raise _RefusedError(f"expected a dotted name or a table with `names`, not {_show(value)}")
    names = _strings(value["names"], base)
    for name in names:
        if len(name) > PATTERN_LENGTH_LIMIT or not _SYMBOL.fullmatch(name):
            raise _RefusedError(f'{_show(name)} is no dotted name such as "mylib.Client"')
    known = [one.name for one in fields(ReusableConstructor)]
    for key, given in value.items():
        if key not in known:
            near = difflib.get_close_matches(key[:100], known, n=1) or known
            raise _RefusedError(f"unknown key {_show(key)}; did you mean {' or '.join(near)}?")
        expected = bool if key == "info" else list if key == "names" else str
        if not isinstance(given, expected):
            raise _RefusedError(f"`{key}` must be a {expected.__name__}, not {_show(given)}")
    kind = value.get("kind", "lazy")
    if kind not in _CONSTRUCTOR_KINDS:
        raise _RefusedError(f"`kind` is one of {', '.join(_CONSTRUCTOR_KINDS)}, not {_show(kind)}")
    rule = value.get("rule", "heavy" if kind == "heavy" else "client")
    if rule not in ("client", "heavy"):
        raise _RefusedError(f"`rule` is client or heavy, not {_show(rule)}")
    return ReusableConstructor(**{**value, "names": names, "rule": rule})


_EFFECT_KINDS = ("listener", "background", "buffer", "resource")
_KEEPERS = ("receiver", "argument", "process")


def _registrations(value: object, base: Path) -> tuple[Registration, ...]:
    if not isinstance(value, list):
        raise _RefusedError(f"expected a list of dotted names or tables, not {_show(value)}")
    return tuple(
        _registration({"names": [one]} if isinstance(one, str) else one, base) for one in value
    )


def _registration(value: object, base: Path) -> Registration:
    if not isinstance(value, dict) or not value.get("names"):
        raise _RefusedError(f"expected a dotted name or a table with `names`, not {_show(value)}")
    known = {one.name: one.type for one in fields(Registration)}
    given: dict[str, Any] = {}
    for key, one in value.items():
        if key not in known:
            near = difflib.get_close_matches(key[:100], known, n=1) or sorted(known)
            raise _RefusedError(f"unknown key {_show(key)}; did you mean {' or '.join(near)}?")
        if "tuple" in str(known[key]):
            given[key] = _strings(one, base)
        elif isinstance(one, str):
            given[key] = one
        else:
            raise _RefusedError(f"`{key}` must be a str, not {_show(one)}")
    for name in (*given["names"], *given.get("undo_calls", ())):
        if len(name) > PATTERN_LENGTH_LIMIT or not _SYMBOL.fullmatch(name):
            raise _RefusedError(f'{_show(name)} is no dotted name such as "mylib.bus.listen"')
    found = Registration(**given)
    for key, chosen, choices in (
        ("kind", found.kind, _EFFECT_KINDS),
        ("keeper", found.keeper, _KEEPERS),
    ):
        if chosen not in choices:
            raise _RefusedError(f"`{key}` is one of {', '.join(choices)}, not {_show(chosen)}")
    return found


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration: the one place from which reading, schema and manual come.

    `kind` says in words what the value is, `default` is in the form that TOML has (None: not set),
    `setting` the field of `Settings` where it is named differently.
    """

    name: str
    kind: str
    default: object
    help: str
    parse: Callable[[object, Path], object] = field(repr=False)
    setting: str = ""

    @property
    def attribute(self) -> str:
        """The field of `Settings` that holds the value."""
        return self.setting or self.name.replace("-", "_")


_CODES = "list of rule codes or names"
_GLOBS = "list of gitignore patterns"

KEYS = (
    Key("select", _CODES, ["ALL"], "The rules to run.", _codes),
    Key("extend-select", _CODES, [], "Rules to run besides those of `select`.", _codes),
    Key("ignore", _CODES, [], "Rules not to run; a longer code wins over a shorter one.", _codes),
    Key(
        "per-file-ignores",
        "table from a gitignore pattern to a list of rule codes or names",
        {},
        "Rules not to report in the files that a pattern matches.",
        _codes_by_glob,
    ),
    Key(
        "baseline",
        "name of a file",
        None,
        "Findings that are known and not shown; `lambda-lint baseline create` writes the file.",
        _file_in_project,
    ),
    Key("strict", "boolean", False, "Show findings of low confidence and notes, too.", _boolean),
    Key("severity", "info, warning or error", None, "The lowest severity to show.", _severity),
    Key("include", _GLOBS, ["*.py"], "Which files of a directory are Python files.", _globs),
    Key(
        "exclude",
        _GLOBS,
        [],
        "What not to read, besides `default-exclude` and what git ignores; `!name` takes a "
        "default back.",
        _globs,
    ),
    Key(
        "default-exclude",
        _GLOBS,
        list(DEFAULT_EXCLUDE),
        "Directories that hold other people's code or copies; set it to replace the list.",
        _globs,
    ),
    Key(
        "force-exclude",
        "boolean",
        False,
        "Skip excluded files also when they are named on the command line, as pre-commit does.",
        _boolean,
    ),
    Key(
        "handlers",
        'list of "file.py:function"',
        [],
        "Functions that Lambda calls, where neither a template nor the code tells.",
        _handlers,
    ),
    Key(
        "handler-patterns",
        'list of "gitignore pattern:function pattern"',
        [],
        "Patterns of such functions; `*` in the function stands for any characters.",
        _handler_patterns,
    ),
    Key(
        "reusable-constructors",
        "list of dotted names or tables (names, kind, what, rule, info, note, source)",
        [],
        "Constructors of your own whose objects should be made once and kept.",
        _constructors,
    ),
    Key(
        "registrations",
        "list of dotted names or tables (names, kind, what, keeper, undo, undo_calls, …)",
        [],
        "Calls of your own that leave something in the process until it is taken back.",
        _registrations,
    ),
    Key(
        "import-roots",
        "list of directories",
        [],
        "Directories that imports start from, besides those that are found.",
        _import_roots,
    ),
    Key(
        "rule-directories",
        "list of directories",
        [],
        "Directories with rules of your own. They are run: name none that you do not trust.",
        _directories,
        "rules",
    ),
    Key(
        "max-file-size",
        "number of bytes",
        DEFAULT_MAX_FILE_SIZE,
        "Larger files are not read, and reported as such.",
        _positive,
    ),
    Key("snapstart", "boolean", False, "Take SnapStart as switched on everywhere.", _boolean),
    Key(
        "managed-instances",
        "boolean",
        False,
        "Take all functions as running on Lambda Managed Instances.",
        _boolean,
    ),
    Key(
        "web-functions",
        "boolean",
        False,
        "Take all functions as web functions: one process serves many requests at a time.",
        _boolean,
    ),
    Key("jobs", "number of processes", None, "How many processes parse files.", _positive),
    Key("cache", "boolean", True, "Keep results in `.lambda_lint_cache`.", _boolean),
)
"""Every key, in the order of the manual."""

_KEYS_BY_NAME = {key.name: key for key in KEYS}
