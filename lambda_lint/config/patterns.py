"""Patterns of one directory, written for another one.

The patterns of a configuration file are relative to its own directory, and are asked about paths
that are relative to the root of the project. Where a file extends one of another directory the two
differ.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lambda_lint.config.errors import RefusedError, shown
from lambda_lint.files import compile_patterns


@dataclass(frozen=True, slots=True)
class Where:
    """Where a value stands: all three are absolute directories.

    `directory` holds the file, `base` is what patterns and paths of the project start from, and
    `root` is the project.
    """

    directory: Path
    base: Path
    root: Path

    def pattern(self, pattern: str) -> tuple[str, ...]:
        """Return what a gitignore pattern of `base` is below `root`.

        Nothing when it can match nothing there, several patterns where `**` leaves it open.
        Raises RefusedError when the two directories have nothing to do with each other.
        """
        sign = "!" if pattern.startswith("!") else ""
        body = pattern.removeprefix("!").rstrip(" ")
        end = "/" if body.endswith("/") else ""
        segments = body.strip("/").split("/")
        free = len(segments) == 1 and not body.startswith("/")
        if self.base == self.root or free:
            return (pattern,)
        if self.root.is_relative_to(self.base):
            inner = self.root.relative_to(self.base).parts
            return tuple(f"{sign}{one}{end}" for one in _left(segments, inner))
        if segments[0] == "**":
            return (pattern,)
        if self.base.is_relative_to(self.root):
            outer = [re.sub(r"([*?\[\]!#\\ ])", r"\\\1", one) for one in self._outer()]
            return (f"{sign}/{'/'.join([*outer, *segments])}{end}",)
        raise RefusedError(
            f"the pattern {shown(pattern)} is relative to {self.base} and can match nothing in "
            f"{self.root}; write {shown('**/' + pattern.lstrip('/'))} to match at any depth"
        )

    def path(self, given: str) -> str:
        """Return a path of `base` as one that is relative to `root`, with `/`.

        Raises RefusedError for one that leaves the root.
        """
        path = os.path.relpath(os.path.normpath(self.base / given), self.root)
        path = path.replace(os.sep, "/")
        if os.path.isabs(given) or path.split("/")[0] == ".." or "\x00" in given:
            raise RefusedError(
                f"{shown(given)} must lie in the project, {self.root}; write it relative to "
                f"{'the root' if self.base == self.root else self.base}"
            )
        return path

    def _outer(self) -> tuple[str, ...]:
        return self.base.relative_to(self.root).parts


def _left(segments: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what is left of an anchored pattern below the directories `names`."""
    states = {0}
    for name in names:
        following = set()
        for state in states:
            while state < len(segments) and segments[state] == "**":
                following.add(state)
                state += 1
            if state == len(segments):
                # A directory above is matched, and so is all that lies in it.
                following.add(state)
            elif compile_patterns((f"/{segments[state]}",)).match_file(name):
                following.add(state + 1)
        states = following
    found = []
    for state in sorted(states):
        rest = "/".join(segments[state:]) or "**"
        found.append(rest if rest.startswith("**") else f"/{rest}")
    return found
