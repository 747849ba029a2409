"""What a container's command starts: a Lambda handler, a web server, or something else."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_TARGET = re.compile(r"([A-Za-z_][\w./-]*):([A-Za-z_]\w*)(?:\(.*\))?(?:\.\w+)*")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "granian", "daphne", "waitress-serve"})
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})

_PREFIXES = (
    ("exec",),
    ("env",),
    ("time",),
    ("poetry", "run"),
    ("pipenv", "run"),
    ("uv", "run"),
    ("pdm", "run"),
    ("hatch", "run"),
    ("ddtrace-run",),
    ("opentelemetry-instrument",),
    ("newrelic-admin", "run-program"),
    ("tini", "--"),
    ("tini",),
    ("dumb-init", "--"),
    ("dumb-init",),
)
"""What runs the words behind it."""

_MOST_WORDS = 200
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Started:
    """What a command starts.

    `module` is imported; `attribute` of it is the handler or the application, empty when the
    command does not say. `is_server`: a web server runs it; otherwise it is Lambda's own client.
    `folder` is an import directory that the command adds.
    """

    module: str
    attribute: str
    is_server: bool
    folder: str = ""


def started(
    words: Sequence[str],
    environment: Mapping[str, str],
    script: Callable[[str], str | None] = lambda _path: None,
    depth: int = 0,
) -> Started | None:
    """Return what a command starts, None if that is neither a handler nor a web server.

    `script` returns the text of a shell script of the project by its path in the container.
    """
    words = _without_prefixes(list(words[:_MOST_WORDS]))
    if not words or depth > _DEEPEST:
        return None
    program = posixpath.basename(words[0])
    rest = words[1:]
    if program in _SHELLS:
        if rest and rest[0].startswith("-") and rest[0].endswith("c") and len(rest) > 1:
            return in_script(rest[1], environment, script, depth + 1)
        rest = [one for one in rest if not one.startswith("-")]
        return _of_file(rest[0], environment, script, depth) if rest else None
    if _PYTHON.fullmatch(program):
        return _of_python(rest, environment, script, depth)
    if program in _SERVERS:
        return _of_server(program, rest)
    if program == "fastapi" and rest[:1] in (["run"], ["dev"]):
        files = [one for one in rest[1:] if one.endswith(".py")]
        return _of_script(files[0]) if files else None
    if program == "flask":
        return _of_flask(rest, environment)
    return _of_file(words[0], environment, script, depth)


def in_script(
    text: str,
    environment: Mapping[str, str],
    script: Callable[[str], str | None] = lambda _path: None,
    depth: int = 0,
) -> Started | None:
    """Return what the last line of a shell script that starts anything of ours starts."""
    known = dict(environment)
    found = None
    for line in re.split(r"\n|&&|;", text.replace("\\\n", " ")[:20_000]):
        words = split(line)
        if words[:1] == ["export"]:
            words = words[1:]
        for word in words:
            if not _ASSIGNMENT.match(word):
                break
            name, _, value = word.partition("=")
            known[name] = expanded(value, known)
        found = started([expanded(one, known) for one in words], known, script, depth + 1) or found
    return found


def split(line: str) -> list[str]:
    """Part a line as a shell does; what has no closing quote is parted at blanks."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def expanded(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of `$NAME`, `${NAME}` and `${NAME:-default}`; unknown ones stay."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        known = values.get(name)
        return known if known is not None else match[2] if match[2] is not None else match[0]

    return _VARIABLE.sub(value, text)[:4096]


_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")


def _without_prefixes(words: list[str]) -> list[str]:
    while words:
        if _ASSIGNMENT.match(words[0]):
            words = words[1:]
            continue
        name = posixpath.basename(words[0])
        for prefix in _PREFIXES:
            if (name, *words[1 : len(prefix)]) == prefix:
                words = words[len(prefix) :]
                while words and words[0].startswith("-"):
                    words = words[1:]
                break
        else:
            return words
    return words


def _of_python(
    rest: list[str],
    environment: Mapping[str, str],
    script: Callable[[str], str | None],
    depth: int,
) -> Started | None:
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[2:] if rest[0] in ("-W", "-X") else rest[1:]
    if not rest:
        return None
    if rest[0] != "-m":
        return _of_script(rest[0])
    if len(rest) < 2:
        return None
    module, *arguments = rest[1:]
    if module == "awslambdaric":
        if not arguments:
            return None
        name, _, attribute = arguments[0].rpartition(".")
        return Started(name, attribute, is_server=False) if name else None
    if module in _SERVERS or module in ("fastapi", "flask"):
        return started([module, *arguments], environment, script, depth + 1)
    return Started(module, "", is_server=True) if _MODULE.fullmatch(module) else None


def _of_server(program: str, rest: list[str]) -> Started | None:
    folder = ""
    found = None
    for index, word in enumerate(rest):
        name, equals, value = word.partition("=")
        if name in ("--app-dir", "--chdir"):
            folder = value if equals else "".join(rest[index + 1 : index + 2])
        match = _TARGET.fullmatch(word)
        if match and found is None:
            found = Started(match[1].replace("/", "."), match[2], is_server=True)
    if found is None and program == "gunicorn" and rest and _MODULE.fullmatch(rest[-1]):
        # https://docs.gunicorn.org/en/stable/run.html: the name defaults to `application`.
        found = Started(rest[-1], "application", is_server=True)
    return None if found is None else replace(found, folder=folder)


def _of_flask(rest: list[str], environment: Mapping[str, str]) -> Started | None:
    if "run" not in rest:
        return None
    target = environment.get("FLASK_APP", "app")
    for index, word in enumerate(rest):
        if word in ("--app", "-A") and index + 1 < len(rest):
            target = rest[index + 1]
        elif word.startswith("--app="):
            target = word.partition("=")[2]
    module, _, attribute = target.partition(":")
    module = module.removesuffix(".py").replace("/", ".").strip(".")
    name = re.sub(r"\(.*", "", attribute)
    return Started(module, name, is_server=True) if _MODULE.fullmatch(module) else None


def _of_script(path: str) -> Started | None:
    if not path.endswith(".py"):
        return None
    folder, name = posixpath.split(posixpath.normpath(path))
    module = name.removesuffix(".py")
    return Started(module, "", is_server=True, folder=folder) if module.isidentifier() else None


def _of_file(
    path: str,
    environment: Mapping[str, str],
    script: Callable[[str], str | None],
    depth: int,
) -> Started | None:
    text = script(path)
    if text is None:
        return None
    first = text.partition("\n")[0]
    if first.startswith("#!") and "python" in first:
        return None
    return in_script(text, environment, script, depth + 1)
