"""Examples as they are written: fenced blocks of a Markdown page, files in a block, marks on lines.

A fence says what its code is: `python bad`, `python fixed` or `python good`, then perhaps
`name="what this shows"`; `toml config` holds settings for the blocks below it, and `python events`
the script that runs them. A paragraph `Not run: ...` below an example says why it is not.
Inside a block a line `# file: pkg/helper.py` begins another file; what stands before the first one
is `app.py`.

A mark at the end of a line says what is to be said there: `# LMB101`, or several codes, or
`# LMB101 - with a reason`. `# todo: LMB101` is a known missed alarm, `# false: LMB101` a known
false alarm.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, takewhile
from types import MappingProxyType
from typing import NamedTuple

DEFAULT_FILE = "app.py"


class Mark(NamedTuple):
    """What a line (1-based) is marked with: a code or a phase; `kind` is "", "todo" or "false"."""

    path: str
    line: int
    name: str
    kind: str = ""


class Events(NamedTuple):
    """The script that runs examples, as a page has it; `line` is that of its fence in the file.

    `handler` is `module.name`, or empty where the example has one handler only. The script is
    Python; what it may call is known by those who run it. `files` are there only when an example
    is run: stand-ins for modules that it imports, data that it reads.
    """

    script: str
    handler: str
    line: int
    files: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Block:
    """One fenced block of a page.

    `kind` is the first word after the language, `title` the name that was given. `line` is that of
    the opening fence in the file of the page, `places` maps lines of the example's files to lines
    of that file. `files` are without marks. `events` say how it is run, and `not_run` says why it
    is not: the text of the line `Not run: ...` that comes next on the page.
    """

    language: str
    kind: str
    title: str
    line: int
    files: dict[str, str]
    marks: tuple[Mark, ...]
    config: str = ""
    places: dict[tuple[str, int], int] = field(default_factory=dict, compare=False)
    events: Events | None = field(default=None, compare=False)
    not_run: str = field(default="", compare=False)


class Fence(NamedTuple):
    """A fenced block of Markdown; `line` is 1-based in the page, `heading` the one above it."""

    info: str
    line: int
    lines: tuple[str, ...]
    heading: str


def fences(page: str) -> Iterator[Fence]:
    """Yield the fenced blocks of a Markdown text that begin in the first column."""
    heading = ""
    opening: re.Match[str] | None = None
    start = 0
    inside: list[str] = []
    for number, line in enumerate(page.split("\n"), 1):
        if opening is not None:
            if re.fullmatch(rf"{opening['fence']}{opening['fence'][0]}*[ \t]*", line):
                yield Fence(opening["info"].strip(), start, tuple(inside), heading)
                opening = None
            else:
                inside.append(line)
        elif found := re.fullmatch(r"(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)", line):
            opening, start, inside = found, number, []
        elif line.startswith("#"):
            heading = line.lstrip("#").strip()
    if opening is not None:
        yield Fence(opening["info"].strip(), start, tuple(inside), heading)


def blocks(page: str, first_line: int = 1) -> Iterator[Block]:
    """Yield the blocks of a page whose first line is line `first_line` of its file.

    Blocks in other languages than Python are left out; so are configurations and events, which go
    into the blocks below them.
    """
    config = ""
    events: Events | None = None
    lines = page.split("\n")
    for fence in fences(page):
        language, kind, options = fence_info(fence)
        if (language, kind) == ("toml", "config"):
            config = "\n".join(fence.lines) + "\n"
        elif script := read_events(fence, first_line):
            events = script
        elif language == "python":
            line = first_line + fence.line - 1
            files, places = split_files(fence.lines, line + 1)
            clean, marks = {}, []
            for path, text in files.items():
                clean[path], found = take_marks(path, text)
                marks += found
            yield Block(
                language,
                kind,
                options.get("name", ""),
                line,
                clean,
                tuple(marks),
                config,
                places,
                events,
                _not_run(lines[fence.line + len(fence.lines) + 1 :]),
            )


def read_events(fence: Fence, first_line: int = 1) -> Events | None:
    """Return the script in a fence of a page that begins in line `first_line`, if it holds one."""
    language, kind, options = fence_info(fence)
    if (language, kind) != ("python", "events"):
        return None
    files, _ = split_files(fence.lines)
    script = files.pop(DEFAULT_FILE, "")
    return Events(script, options.get("handler", ""), first_line + fence.line - 1, files)


def split_files(
    lines: Sequence[str], first_line: int = 1
) -> tuple[dict[str, str], dict[tuple[str, int], int]]:
    """Divide the lines of an example at its `# file:` lines.

    Returns the text of every file, ending in exactly one newline, and a map from their lines to
    the lines of the page, of which `first_line` is the first one given.
    """
    path = DEFAULT_FILE
    parts: dict[str, list[str]] = {}
    places: dict[tuple[str, int], int] = {}
    for number, line in enumerate(lines, first_line):
        if found := re.fullmatch(r"# file: (\S.*?)[ \t]*", line):
            path = found[1]
            parts.setdefault(path, [])
        else:
            part = parts.setdefault(path, [])
            part.append(line)
            places[path, len(part)] = number
    files = {path: "\n".join(part).rstrip("\n") for path, part in parts.items()}
    return {path: text + "\n" if text else "" for path, text in files.items()}, places


# Not in the middle of blanks: a line of many blanks is then still read in linear time.
_BEFORE = r"(?:^|(?<=[^ \t]))[ \t]*\#[ \t]*"
_MARK = re.compile(
    _BEFORE + r"(?:(?P<kind>todo|false):[ \t]*)?"
    r"(?P<names>LMB[0-9]{3}(?:[ \t,]+LMB[0-9]{3})*)"
    r"(?:[ \t]+-[ \t](?:(?!\#[ \t]*(?:todo:|false:|LMB)).)*)?[ \t]*$"
)
_PHASE = re.compile(_BEFORE + r"(?P<names>INIT|INVOKE|ONCE|NEVER)(?:[ \t]+-[ \t].*)?[ \t]*$")


def take_marks(path: str, text: str) -> tuple[str, list[Mark]]:
    """Return a text without its marks, and the marks."""
    return _take(path, text, _MARK)


def take_phases(path: str, text: str) -> tuple[str, list[Mark]]:
    """Return a text without its phase marks, and these: INIT, INVOKE, ONCE or NEVER."""
    return _take(path, text, _PHASE)


def _take(path: str, text: str, pattern: re.Pattern[str]) -> tuple[str, list[Mark]]:
    marks = []
    lines = text.split("\n")
    for index, line in enumerate(lines):
        end = "\r" if line.endswith("\r") else ""
        rest = line.removesuffix("\r")
        while found := pattern.search(rest):
            kind = found.groupdict().get("kind") or ""
            names = re.findall(r"[A-Z0-9]+", found["names"])
            marks += [Mark(path, index + 1, name, kind) for name in names]
            rest = rest[: found.start()]
            lines[index] = rest + end
    return "\n".join(lines), marks


def fence_info(fence: Fence) -> tuple[str, str, dict[str, str]]:
    """Return what is written behind a fence: the language, the kind, and the options by name."""
    try:
        words = shlex.split(fence.info)
    except ValueError:
        words = fence.info.split()
    plain = []
    options = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in ("name", "handler"):
            options[name] = value
        else:
            plain.append(word)
    return (plain or [""])[0], " ".join(plain[1:]), options


def _not_run(below: Sequence[str]) -> str:
    """Return why the example above these lines is not run, if the first paragraph says so."""
    first = dropwhile(lambda line: not line.strip(), below)
    paragraph = takewhile(lambda line: line.strip() and not line.startswith(("```", "~~~")), first)
    text = " ".join(paragraph)
    return text.removeprefix(_NOT_RUN).strip() if text.startswith(_NOT_RUN) else ""


_NOT_RUN = "Not run:"
