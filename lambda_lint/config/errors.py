"""What is wrong with a configuration, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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


class RefusedError(ValueError):
    """A value of the wrong type or shape; the text says what is expected.

    `keys` lead from the key to the part of its value that is wrong: names in tables, 0-based
    numbers in arrays of tables.
    """

    def __init__(self, message: str, *keys: str | int) -> None:
        """Remember what is wrong, and where in the value."""
        super().__init__(message)
        self.keys = keys


def shown(value: object) -> str:
    """Return a value as a message can hold it: short, and without control characters."""
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name that somebody who wrote `name` may have meant."""
    near = difflib.get_close_matches(name[:100].replace("_", "-").lower(), list(known), n=1)
    return near[0] if near else None
