"""Files and file names as the hostile input that they are: bounded reading, bounded patterns."""

from __future__ import annotations

import errno
import functools
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

PATTERN_LENGTH_LIMIT = 500
_STARS_LIMIT = 3


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


@functools.lru_cache(maxsize=256)
def compile_patterns(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    """Compile gitignore patterns that `pattern_problem` accepts, once for each tuple."""
    # Importing it costs as much as all the rest of a small run, and many runs have no pattern.
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)
