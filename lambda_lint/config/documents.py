"""Configuration files: which one counts, what its table holds, and on which line a key stands."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from lambda_lint.config.errors import ConfigError
from lambda_lint.files import read_regular

CONFIG_NAME = "lambda-lint.toml"
TABLE = ("tool", "lambda-lint")
_PYPROJECT = "pyproject.toml"
_SIZE_LIMIT = 1024 * 1024
_CHAIN_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration file: its text for the line numbers, and our table with its place in it."""

    path: Path
    text: str
    table: Mapping[str, object]
    prefix: tuple[str, ...]

    def line(self, *keys: str | int) -> int:
        """Return the 1-based line that sets a key, or the nearest table around it."""
        return _line_of(self.text, (*self.prefix, *keys))

    def error(self, message: str, *keys: str | int) -> ConfigError:
        """Return the error that blames a key of this file."""
        return ConfigError(message, str(self.path), self.line(*keys))


def search(start: Path) -> tuple[Path | None, Document | None]:
    """Return the root of the project around a directory, and its configuration if it has one."""
    for directory in (start, *start.parents):
        own = directory / CONFIG_NAME
        if os.path.lexists(own):
            return directory, _whole(own)
        document = _read_pyproject(directory / _PYPROJECT)
        if document is not None:
            return directory, document
        if os.path.lexists(directory / ".git"):
            # What lies above the repository belongs to somebody else.
            return directory, None
    return None, None


def read_named(config_file: Path) -> Document:
    """Read the file that somebody named; raises ConfigError, also for one without our table."""
    path = Path(os.path.realpath(config_file))
    if path.name == _PYPROJECT:
        document = _read_pyproject(path)
        if document is None:
            if not os.path.lexists(path):
                _read(path)
            raise ConfigError(f"there is no table [{'.'.join(TABLE)}]; add it", str(path), 1)
        return document
    return _whole(path)


def chain(document: Document) -> list[Document]:
    """Return a file and all that it extends, the furthest first.

    Raises ConfigError for a circle, for a file that cannot be used, and for an endless chain; the
    place is that of the `extend` which leads there, or that of the mistake in the file itself.
    """
    found = [document]
    while "extend" in (last := found[-1]).table:
        given = last.table["extend"]
        if not isinstance(given, str) or not given.strip() or "\x00" in given:
            raise last.error(
                "extend: expected the path of one configuration file, relative to this one: "
                'extend = "../base.toml"',
                "extend",
            )
        path = Path(os.path.realpath(last.path.parent / given))
        if any(path == one.path for one in found):
            circle = " -> ".join(str(one.path) for one in found)
            raise last.error(
                f"extend: the files extend each other: {circle} -> {path}; remove one `extend`",
                "extend",
            )
        if len(found) >= _CHAIN_LIMIT:
            raise last.error(
                f"extend: more than {_CHAIN_LIMIT} files extend each other; merge some", "extend"
            )
        if not os.path.lexists(last.path.parent / given):
            raise last.error(
                f"extend: there is no file {path}; correct the path, which is relative to the "
                "directory of this file, or remove the line",
                "extend",
            )
        found.append(read_named(path))
    return found[::-1]


def place_of(config_file: Path, name: str) -> str | None:
    """Return `file:line` where a configuration, or one that it extends, names a rule.

    The nearest file comes first; None if no file does. The files are those of settings that were
    read before, and errors in them are ConfigError.
    """
    word = re.compile(rf"""["']{re.escape(name)}["']|^[ \t]*{re.escape(name)}[ \t]*=""")
    for document in reversed(chain(read_named(config_file))):
        first = document.line()
        for number, line in enumerate(document.text.split("\n"), 1):
            if number >= first and word.search(line):
                return f"{document.path}:{number}"
    return None


def _whole(path: Path) -> Document:
    document = _parse_toml(path, _read(path), ())
    assert document is not None  # The empty prefix is always there.
    return document


def _read_pyproject(path: Path) -> Document | None:
    """Return our table of a pyproject.toml, None when there is no such file or table.

    A file that nowhere names the tool is not even parsed: it is no business of ours whether it is
    well-formed, and most runs then never import a TOML parser.
    """
    if not os.path.lexists(path):
        return None
    data = _read(path)
    if misspelt := _MISSPELT.search(data):
        raise ConfigError(
            f"nobody reads a table {misspelt[1].decode().lstrip('[')}; write [{'.'.join(TABLE)}]",
            str(path),
            data.count(b"\n", 0, misspelt.start(1)) + 1,
        )
    if TABLE[1].encode() not in data:
        return None
    return _parse_toml(path, data, TABLE)


# Settings under such a name would do nothing, without anybody noticing.
_MISSPELT = re.compile(
    rb"^[ \t]*(\[{1,2}tool\.[\"']?(?!lambda-lint\b)(?i:lambda[-_ ]?lint(?:er)?)[\"']?)(?=[\].])",
    re.MULTILINE,
)


def _read(path: Path) -> bytes:
    try:
        data = read_regular(path, _SIZE_LIMIT)
    except OSError as error:
        raise ConfigError(
            f"the configuration cannot be read ({error.strerror}); check path and permissions",
            str(path),
            1,
        ) from None
    if len(data) > _SIZE_LIMIT:
        raise ConfigError(f"a configuration may have {_SIZE_LIMIT} bytes at most", str(path), 1)
    return data


def _parse_toml(path: Path, data: bytes, prefix: tuple[str, ...]) -> Document | None:
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
    if text.startswith("\ufeff"):
        raise ConfigError(
            "TOML has no byte order mark; save the file as UTF-8 without it", str(path), 1
        )
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
    return Document(path, text, table, prefix)


_KEY_PART = r"""(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART})*"
_HEADER_LINE = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_DOTTED})[ \t]*\]")
_KEY_LINE = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


def _line_of(text: str, target: tuple[str | int, ...]) -> int:
    """The 1-based line that sets the key `target`, or the nearest table around it.

    Numbers in `target` count the tables of an array from 0. TOML parsers give no positions. This
    reads headers and keys line by line, so a line of a multi-line string can deceive it: then the
    line is wrong, never the message.
    """
    best_depth, best_line = 0, 1
    table: tuple[str | int, ...] = ()
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        path: tuple[str | int, ...]
        if header := _HEADER_LINE.match(line):
            path = _parts(header[2])
            if header[1] == "[[":
                counts[path] = counts.get(path, -1) + 1
                path = (*path, counts[path])
            table = path
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
