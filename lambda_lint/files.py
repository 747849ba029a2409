"""Files and file names as the hostile input that they are: bounded reading, bounded patterns."""

from __future__ import annotations

import csv
import errno
import functools
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

PATTERN_LENGTH_LIMIT = 500
_STARS_LIMIT = 3
_RECORD_LIMIT = 4 * 1024 * 1024
_INSTALLED_TOGETHER = 3
"""So many well-known packages side by side are not what a project wrote itself."""
_WELL_KNOWN = Path(__file__).parent / "data" / "installed.txt"


def read_regular(path: str | Path, limit: int) -> bytes:
    """Return the first `limit + 1` bytes of a regular file, so that the caller sees what is longer.

    Never waits for a pipe or touches a device. Raises OSError, also for what is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    try:
        # The name may mean something else by now.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(limit + 1)
    finally:
        os.close(descriptor)


def installed_in(directory: str, names: Iterable[str]) -> frozenset[str]:
    """Return which entries of a directory an installer put there, given the names of all of them.

    `pip install --target` leaves a list of its files beside the packages:
    https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    A list that cannot be read says nothing. Where the lists were deleted, three well-known packages
    in one folder that is no package itself say the same of all packages that are well-known.
    """
    found: set[str] = set()
    names = frozenset(names)
    for name in names:
        if not name.endswith(".dist-info"):
            continue
        found.add(name)
        try:
            data = read_regular(os.path.join(directory, name, "RECORD"), _RECORD_LIMIT)
            rows = list(csv.reader(data.decode("utf-8").splitlines()))
        except (OSError, ValueError, csv.Error):
            continue
        found.update(row[0].replace("\\", "/").partition("/")[0] for row in rows if row)
    # Scripts of all packages share this one, and a project may have some of its own.
    return frozenset(found - {"bin"}) | _well_known_in(directory, names)


def _well_known_in(directory: str, names: frozenset[str]) -> frozenset[str]:
    """Return the well-known packages of a folder, if there are so many that they were installed.

    A project may call a package of its own `redis`: it counts only with the file that tells the
    well-known one. A folder with an `__init__.py` is a package of the project.
    """
    # The list is read only where the answer may be yes.
    if len(names) < _INSTALLED_TOGETHER or "__init__.py" in names:
        return frozenset()
    marks = _well_known()
    found = {
        name
        for name in names & marks.keys()
        if any(os.path.isfile(os.path.join(directory, name, mark)) for mark in marks[name])
    }
    if len(found) < _INSTALLED_TOGETHER:
        return frozenset()
    return frozenset(found) | {name for name in names & marks.keys() if not marks[name]}


@functools.lru_cache(maxsize=1)
def _well_known() -> dict[str, tuple[str, ...]]:
    """Return the files that tell a well-known package, for the name of its folder or module."""
    marks: dict[str, tuple[str, ...]] = {}
    for line in _WELL_KNOWN.read_text(encoding="utf-8").splitlines():
        name, _, mark = line.partition("/")
        if line and not line.startswith("#"):
            marks[name] = (*marks.get(name, ()), mark) if mark else ()
    return marks


def pattern_problem(pattern: str) -> str | None:
    """Say why a gitignore pattern is refused, or None when it is fine.

    Patterns become regular expressions that backtrack: their cost has the number of stars in one
    path segment as its exponent, so both the length and the stars have a limit.
    """
    if not pattern.strip():
        return "is empty"
    if len(pattern) > PATTERN_LENGTH_LIMIT:
        return f"is longer than {PATTERN_LENGTH_LIMIT} characters"
    if "\x00" in pattern or "\n" in pattern:
        return "has a character that no file name has"
    segments = pattern.split("/")
    if any(one != "**" and one.count("*") > _STARS_LIMIT for one in segments):
        return f"has more than {_STARS_LIMIT} stars between two slashes"
    if segments.count("**") > _STARS_LIMIT:
        return f"has more than {_STARS_LIMIT} times `**`"
    try:
        compile_patterns((pattern,))
    except ValueError:
        return "is no gitignore pattern"
    return None


class IgnorePatterns:
    """The lines of one .gitignore, to be asked for one level of the tree after the other.

    Git lets the last pattern decide that matches a path itself. `GitIgnoreSpec` answers for whole
    paths at once, where patterns of the directories above count too, and so cannot tell whether
    `*` followed by `!*/` leaves a directory out; only its translation of a pattern is used here.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """Take the lines of a file; those that `pattern_problem` refuses count as empty."""
        rules = [rule for rule in map(_ignore_rule, lines) if rule is not None]
        self._last_first = rules[::-1]

    def decide(self, path: str, is_directory: bool) -> bool | None:
        """Whether `path` is ignored, None if no pattern speaks of it.

        `path` is relative to where the patterns stand, with `/`. That no directory above it is
        ignored is for the caller to know.
        """
        for ignored, only_directories, regex in self._last_first:
            if only_directories and not is_directory:
                continue
            match = regex.fullmatch(path)
            # The group marks that a directory above the path has matched.
            if match and not match.groupdict().get("ps_d"):
                return ignored
        return None

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return bool(self._last_first)


@functools.lru_cache(maxsize=1024)
def _ignore_rule(line: str) -> tuple[bool, bool, re.Pattern[str]] | None:
    """Whether a line ignores (or takes back), whether only directories, and what it matches."""
    body = line.rstrip(" ")
    if body.endswith("\\") and body != line:
        body += " "
    if body.startswith("#") or len(body) > PATTERN_LENGTH_LIMIT:
        return None
    ignored = not body.startswith("!")
    body = body.removeprefix("!")
    only_directories = body.endswith("/")
    body = body.removesuffix("/")
    if "//" in body or body.endswith("/") or "\\/" in body:
        # No path has two slashes in a row, and no honest pattern escapes one.
        return None
    body = "/".join(map(_tidy_stars, body.split("/")))
    body = re.sub(r"(^|/)(?:\*\*/)+(?=\*\*(?:/|$))", r"\1", body)
    if body.endswith("/**"):
        body += "/*"
    if body in ("*", "**", "**/*", "/**/*"):
        # What matches everything is translated to something shorter that matches no whole path.
        body = "?*"
    if body.endswith(" "):
        body = body[:-1] + "\\ "
    if body.startswith(("#", "!")):
        body = "\\" + body
    if pattern_problem(body):
        return None
    regex = getattr(compile_patterns((body,)).patterns[0], "regex", None)
    return (ignored, only_directories, regex) if isinstance(regex, re.Pattern) else None


def _tidy_stars(segment: str) -> str:
    """Write a path segment as git reads it: several stars are one unless they stand alone."""
    if len(segment) > 1 and not segment.strip("*"):
        return "**"
    return re.sub(r"(?<!\\)\*{2,}", "*", segment)


@functools.lru_cache(maxsize=256)
def compile_patterns(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    """Compile gitignore patterns that `pattern_problem` accepts, once for each tuple."""
    # Importing it costs as much as all the rest of a small run, and many runs have no pattern.
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)
