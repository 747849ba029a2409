"""What a patch of git does to lines: the format that `git diff` prints, read without guessing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

OPTIONS = (
    *("--unified=0", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic"),
    *("--no-color", "--no-ext-diff", "--no-textconv", "--relative"),
    # A file that was moved is no new file; one that was copied is. Beyond so many pairs of files
    # git compares no contents, and then a moved file that was edited counts as new.
    *("--find-renames=50%", "-l1000"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
    # Looking into a submodule would run git there, under that repository's own configuration.
    *("--submodule=short", "--ignore-submodules=dirty"),
)
"""What `git diff` has to be told; all that the user or the repository can set is explicit."""

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(slots=True)
class Hunk:
    """What a patch does at one place of the new file, whose `start` is the line before a gap.

    `start` is 1-based, `added` a number of lines, `removed` the old lines without their ends.
    """

    start: int
    added: int
    removed: list[bytes]

    def touched(self, text: list[bytes]) -> Iterator[range]:
        """Yield the ranges of lines that it changes, `text` being the new lines of the file.

        Where code was only removed, these are the lines around the gap, and below a removed
        decorator the whole function.
        """
        after = self.start + self.added
        if self.added:
            yield range(self.start, after)
        elif any(_is_code(line) for line in self.removed):
            after += 1
            yield range(max(self.start, 1), after + 1)
        if any(line.lstrip().startswith(b"@") for line in self.removed):
            yield range(after, _end_of_definition(text, after))


@dataclass(slots=True)
class Patched:
    """One file of a patch that still exists: its path, what it was called before, its hunks.

    `old` is None unless the file was renamed.
    """

    path: str
    old: str | None = None
    hunks: list[Hunk] = field(default_factory=list)


def read(patch: bytes) -> Iterator[Patched]:
    """Yield the files of which a patch changes lines or the name; those that are gone are left out.

    `patch` is what `git diff --patch` prints with `OPTIONS`.
    """
    # The lines of a hunk are counted, because a removed line `-- a/x` reads like a header.
    file: Patched | None = None
    old: str | None = None
    left = 0
    for line in patch.split(b"\n"):
        if left:
            left -= not line.startswith(b"\\")
            if line.startswith(b"-") and file is not None:
                file.hunks[-1].removed.append(line[1:])
        elif line.startswith(b"diff --git "):
            if file is not None:
                yield file
            file = old = None
        elif line.startswith(b"rename from "):
            old = _name(line[len(b"rename from ") :])
        elif line.startswith(b"rename to "):
            file = Patched(_name(line[len(b"rename to ") :]), old)
        elif line.startswith(b"+++ "):
            if line[4:] != b"/dev/null" and file is None:
                file = Patched(_name(line[4:]).removeprefix("b/"))
        elif hunk := _HUNK.match(line):
            removed, start, added = (int(group or 1) for group in hunk.groups())
            left = removed + added
            if file is not None:
                file.hunks.append(Hunk(start, added, []))
    if file is not None:
        yield file


def binary_files(numstat: bytes) -> Iterator[str]:
    """Yield the files for which `--numstat -z` has dashes: too odd for lines, or declared binary.

    It must have been told not to look for renames, whose entries have another form.
    """
    for entry in numstat.split(b"\0"):
        if entry.startswith(b"-\t-\t"):
            yield os.fsdecode(entry[4:])


def _is_code(line: bytes) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(b"#")


def _end_of_definition(text: list[bytes], start: int) -> int:
    """Return the line after the function or class whose decorators and head `start` stands in."""
    indent: int | None = None
    last = start
    for number in range(start, len(text) + 1):
        line = text[number - 1]
        if not _is_code(line):
            continue
        depth = len(line) - len(line.lstrip())
        head = _DEFINITION.match(line.lstrip()) is not None
        if indent is not None and depth <= indent and not line.lstrip().startswith(b")"):
            break
        if indent is None and head:
            indent = depth
        last = number
    return last + 1 if indent is not None else start


_DEFINITION = re.compile(rb"(async\s+def|def|class)\s")


def _name(shown: bytes) -> str:
    """Return a path as a patch shows it.

    Git puts a tab after a name with a blank, and quotes one with control characters, quotes,
    backslashes or bytes beyond ASCII as a C string.
    """
    name = shown.removesuffix(b"\t")
    if name.startswith(b'"') and name.endswith(b'"'):
        name = _ESCAPE.sub(_unescape, name[1:-1])
    return os.fsdecode(name)


_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))


def _unescape(match: re.Match[bytes]) -> bytes:
    escaped = match[1]
    if len(escaped) == 3:
        return bytes([int(escaped, 8)])
    return bytes([_ESCAPES.get(escaped[0], escaped[0])])
