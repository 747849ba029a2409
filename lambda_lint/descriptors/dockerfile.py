"""Container images: which handler or web server a Dockerfile starts, and from which files.

https://docs.docker.com/reference/dockerfile/ and
https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
"""

from __future__ import annotations

import fnmatch
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lambda_lint.declaration import WEB_ADAPTER, Declaration
from lambda_lint.descriptors.commands import Started, expanded, split, started
from lambda_lint.descriptors.files import Files, above, inside, text_of
from lambda_lint.descriptors.redirections import redirected
from lambda_lint.finding import Span
from lambda_lint.source import Source

TASK_ROOT = "/var/task"
"""Where the base images of AWS keep the function's code; it is their working directory."""

_LAMBDA_IMAGE = re.compile(
    r"lambda[/-]python|lambda-python|(?:^|[/_.-])lambda(?:$|[/:@_.-])", re.IGNORECASE
)
_NAME = re.compile(r"(?:[\w.-]*[.-])?(?:Dockerfile|Containerfile)(?:[.-][\w.-]*)?", re.IGNORECASE)
_HANDLER = re.compile(r"[\w./-]+\.[A-Za-z_]\w*")
_SUFFIXES = frozenset({"py", "sh", "js", "jar", "ini", "cfg", "conf", "toml", "yml", "yaml"})
"""What is behind the last dot of a file, rather than of a handler."""

_HEREDOC = re.compile(r"<<-?[\"']?([A-Za-z_]\w*)[\"']?")
_MOST_INSTRUCTIONS = 2000
_MOST_STAGES = 50


def is_dockerfile(path: str) -> bool:
    """Whether a file is a Dockerfile by its name."""
    return _NAME.fullmatch(posixpath.basename(path)) is not None


def declarations(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the functions that a Dockerfile makes an image of.

    A stage counts when something in it says Lambda: its base image, the runtime interface client,
    or the web adapter. A web server alone says nothing: the image may run anywhere.
    """
    image = Image(source)
    for stage in image.stages:
        if stage.command is None and stage.entrypoint is None and stage is not image.stages[-1]:
            continue
        found = image.started(stage, files)
        if found is not None:
            yield image.declaration(stage, found, files)


def declared_by(
    source: Source,
    files: Files,
    context: str | None,
    arguments: Mapping[str, str],
    target: str | None,
    command: list[str],
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Declaration | None:
    """Return the function of an image that another descriptor builds, as the Dockerfile has it.

    `context`, `arguments` and the stage `target` are those of the build; `command` replaces the
    image's own unless it is empty, and `environment` adds to the image's own.
    """
    image = Image(source, context, arguments)
    stage = image.stage(target)
    if stage is None:
        return None
    stage.environment.update(environment)
    # Whoever deploys it as a function says that it is for Lambda.
    stage.from_lambda = True
    found = image.started(stage, files, command or None)
    return None if found is None else image.declaration(stage, found, files)


@dataclass(slots=True)
class _Copy:
    """`COPY sources target`, out of the build context or of the stage `origin`."""

    sources: list[str]
    target: str
    into: bool
    origin: str | None


@dataclass(slots=True)
class Stage:
    """One `FROM` with what follows it; paths are those of the container."""

    name: str
    line: int
    parent: Stage | None = None
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    copies: list[_Copy] = field(default_factory=list)
    entrypoint: list[str] | None = None
    command: list[str] | None = None
    command_line: int = 0
    from_lambda: bool = False
    has_client: bool = False
    has_adapter: bool = False


class Image:
    """A Dockerfile as far as it tells what is started, and where the code comes from."""

    def __init__(
        self,
        source: Source,
        context: str | None = None,
        arguments: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Read the instructions.

        `context` is the build context and `arguments` the values of `ARG`, when something else
        says them.
        """
        self.path = source.path
        self.context = context
        self.stages: list[Stage] = []
        self._lines = text_of(source).splitlines()
        self._given = arguments
        self._arguments: dict[str, str] = dict(arguments)
        for line, word, rest in _instructions(self._lines):
            self._take(line, word, rest)

    def stage(self, name: str | None) -> Stage | None:
        """Return the stage of a name, the last one for no name."""
        if name:
            return self._stage(name.lower())
        return self.stages[-1] if self.stages else None

    def started(
        self, stage: Stage, files: Files, command: list[str] | None = None
    ) -> Started | None:
        """Return what a stage starts when it is Lambda code; `command` replaces its own."""
        words = [*(stage.entrypoint or []), *(command or stage.command or [])]
        values = stage.environment
        words = [expanded(one, values) for one in words]
        found = started(words, values, lambda path: self._script(stage, path, files))
        if found is not None:
            is_right = stage.has_adapter if found.is_server else True
            return found if is_right else None
        if not (stage.from_lambda or stage.has_client) or stage.has_adapter:
            return None
        handler = redirected(words[-1], values) if words else ""
        module, _, attribute = handler.rpartition(".")
        if not _HANDLER.fullmatch(handler) or attribute in _SUFFIXES:
            return None
        return Started(module, attribute, is_server=False)

    def declaration(self, stage: Stage, found: Started, files: Files) -> Declaration:
        """Return the function of a stage, with its module looked up in the project."""
        module, root, is_complete = self.locate(stage, found, files)
        name = stage.name or posixpath.basename(posixpath.dirname(self.path)) or self.path
        line = stage.command_line or stage.line
        return Declaration(
            name=name,
            source="Dockerfile",
            path=self.path,
            span=self._span(line),
            handler=f"{found.module}{':' if found.is_server else '.'}{found.attribute}",
            root=root,
            module=module,
            attribute=found.attribute,
            flags=frozenset({WEB_ADAPTER} if found.is_server else ()),
            is_complete=is_complete,
        )

    def locate(
        self, stage: Stage, found: Started, files: Files
    ) -> tuple[str | None, str | None, bool]:
        """Return the module's file, its code root, and whether all code of the image is known."""
        relative = found.module.replace(".", "/")
        task_root = stage.environment.get("LAMBDA_TASK_ROOT") or TASK_ROOT
        folders = [posixpath.join(stage.workdir, found.folder)] if found.folder else []
        folders += [stage.workdir] if found.is_server else [task_root, stage.workdir]
        folders += stage.environment.get("PYTHONPATH", "").split(":")
        for context in self._contexts():
            for folder in dict.fromkeys(one for one in folders if one):
                for tail in (f"{relative}/__init__.py", f"{relative}.py"):
                    path = posixpath.normpath(posixpath.join("/", folder, tail))
                    host = self._host(stage, path, context, files)
                    if host is not None:
                        return host, _root_of(host, tail), True
        everywhere = files.ending_with(found.module)
        here = posixpath.dirname(self.path)
        near = [one for one in everywhere if one.startswith(f"{here}/")]
        for fits in (near, everywhere):
            # Build steps may move files; a lone match is what they moved.
            if len(fits) == 1:
                return fits[0], _root_of(fits[0], f"{relative}.py"), False
        return None, None, False

    def _contexts(self) -> Iterator[str]:
        """Yield the folders that may be the build context: mostly the Dockerfile's own."""
        if self.context is not None:
            yield self.context
        else:
            yield from above(posixpath.dirname(self.path))

    def _host(
        self, stage: Stage, path: str, context: str, files: Files, depth: int = 0
    ) -> str | None:
        """Return the file of the project that is at a path of the container."""
        if depth > _MOST_STAGES:
            return None
        for copy in reversed(stage.copies):
            for source in copy.sources:
                for candidate in _origins(copy, source, path):
                    if copy.origin is not None:
                        origin = self._stage(copy.origin)
                        inner = posixpath.normpath(posixpath.join("/", candidate))
                        host = None
                        if origin is not None:
                            host = self._host(origin, inner, context, files, depth + 1)
                    else:
                        host = inside(context, candidate.lstrip("/"))
                        host = host if host in files.paths or host in files.descriptors else None
                    if host is not None:
                        return host
        if stage.parent is not None:
            return self._host(stage.parent, path, context, files, depth + 1)
        return None

    def _script(self, stage: Stage, path: str, files: Files) -> str | None:
        inner = posixpath.normpath(posixpath.join("/", stage.workdir, path))
        for context in self._contexts():
            host = self._host(stage, inner, context, files)
            if host is not None:
                return files.text(host)
        return None

    def _stage(self, name: str) -> Stage | None:
        for index, stage in enumerate(self.stages):
            if name in (stage.name.lower(), str(index)):
                return stage
        return None

    def _span(self, line: int) -> Span:
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return Span(line, 1, line, len(text) + 1)

    def _take(self, line: int, word: str, rest: str) -> None:
        if word == "FROM":
            self._from(line, rest)
            return
        if not self.stages:
            if word == "ARG":
                name, _, value = rest.partition("=")
                self._arguments.setdefault(name.strip(), value.strip().strip("\"'"))
            return
        stage = self.stages[-1]
        match word:
            case "WORKDIR":
                self._uses_task_root(stage, rest)
                folder = expanded(rest.strip().strip("\"'"), stage.environment)
                stage.workdir = posixpath.normpath(posixpath.join(stage.workdir, folder))
            case "ENV" | "ARG":
                for name, value in _assignments(rest, is_argument=word == "ARG"):
                    if word == "ARG" and (not value or name in stage.environment):
                        value = self._arguments.get(name, stage.environment.get(name, value))
                    if word == "ARG":
                        value = self._given.get(name, value)
                    stage.environment[name] = expanded(value, stage.environment)
                    stage.has_adapter |= name.startswith("AWS_LWA_")
            case "COPY" | "ADD":
                self._copy(stage, rest)
            case "RUN":
                stage.has_client |= "awslambdaric" in rest
            case "ENTRYPOINT":
                stage.entrypoint = _words(rest)
                stage.command = None
                stage.command_line = line
                stage.has_client |= "awslambdaric" in rest
            case "CMD":
                stage.command = _words(rest)
                stage.command_line = line
                stage.has_client |= "awslambdaric" in rest

    def _from(self, line: int, rest: str) -> None:
        if len(self.stages) >= _MOST_STAGES:
            return
        words = [one for one in split(rest) if not one.startswith("--")]
        base = expanded(words[0], self._arguments) if words else ""
        name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
        parent = self._stage(base.lower())
        stage = Stage(name, line, parent)
        if parent is not None:
            stage.workdir = parent.workdir
            stage.environment = dict(parent.environment)
            stage.entrypoint, stage.command = parent.entrypoint, parent.command
            stage.command_line = parent.command_line
            stage.from_lambda = parent.from_lambda
            stage.has_client, stage.has_adapter = parent.has_client, parent.has_adapter
        elif _LAMBDA_IMAGE.search(base):
            stage.from_lambda = True
            stage.workdir = TASK_ROOT
            stage.environment["LAMBDA_TASK_ROOT"] = TASK_ROOT
        self.stages.append(stage)

    def _uses_task_root(self, stage: Stage, rest: str) -> None:
        """Only the images of AWS have this variable, whatever they are called here."""
        if "LAMBDA_TASK_ROOT" in rest and "LAMBDA_TASK_ROOT" not in stage.environment:
            stage.from_lambda = True
            stage.environment["LAMBDA_TASK_ROOT"] = TASK_ROOT

    def _copy(self, stage: Stage, rest: str) -> None:
        self._uses_task_root(stage, rest)
        words = _words(rest)
        options = [one for one in words if one.startswith("--")]
        words = [expanded(one, stage.environment) for one in words if not one.startswith("--")]
        origin = next((one[7:] for one in options if one.startswith("--from=")), None)
        if origin is not None and "lambda-adapter" in f"{origin} {rest}":
            stage.has_adapter = True
        stage.has_client |= "awslambdaric" in rest
        parent = self._stage(origin.lower()) if origin is not None else None
        stage.has_client |= parent is not None and parent.has_client
        if len(words) < 2 or len(stage.copies) > _MOST_INSTRUCTIONS:
            return
        target = posixpath.normpath(posixpath.join(stage.workdir, words[-1]))
        into = words[-1].endswith(("/", ".")) or len(words) > 2 or target == stage.workdir
        stage.copies.append(_Copy(words[:-1], target, into, origin and origin.lower()))


def _origins(copy: _Copy, source: str, path: str) -> Iterator[str]:
    """Yield what a path of the container may have been before it was copied there."""
    source = posixpath.normpath(source)
    folder, name = posixpath.split(source)
    if any(one in source for one in "*?["):
        if posixpath.dirname(path) == copy.target and fnmatch.fnmatchcase(
            posixpath.basename(path), name
        ):
            yield posixpath.join(folder, posixpath.basename(path))
        return
    if path == (posixpath.join(copy.target, name) if copy.into else copy.target):
        yield source
    below = copy.target.rstrip("/") + "/"
    if path.startswith(below):
        yield posixpath.join(source, path[len(below) :])


def _root_of(host: str, tail: str) -> str:
    """Return the code root of a file that is imported as `tail`."""
    if host == tail:
        return ""
    if host.endswith(f"/{tail}"):
        return host[: -len(tail) - 1]
    return posixpath.dirname(host)


def _instructions(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield line (1-based), instruction and arguments, with continued lines joined."""
    index = 0
    found = 0
    while index < len(lines) and found < _MOST_INSTRUCTIONS:
        start = index
        line = lines[index].strip()
        index += 1
        if not line or line.startswith("#"):
            continue
        parts = []
        while line.endswith(("\\", "`")) and index < len(lines):
            parts.append(line[:-1])
            line = lines[index].strip()
            while line.startswith("#") and index + 1 < len(lines):
                index += 1
                line = lines[index].strip()
            index += 1
        parts.append(line)
        text = " ".join(parts)
        word, _, rest = text.partition(" ")
        if word.upper() in ("RUN", "COPY", "ADD"):
            for marker in _HEREDOC.findall(text):
                while index < len(lines) and lines[index].strip() != marker:
                    index += 1
                index += 1
        found += 1
        yield start + 1, word.upper(), rest.strip()


def _words(rest: str) -> list[str]:
    """Return the words of an instruction in the form of a JSON list or of a shell command."""
    options = []
    while (match := re.match(r"(--[\w-]+(?:=\S*)?)\s+", rest)) is not None:
        options.append(match[1])
        rest = rest[match.end() :]
    if rest.startswith("["):
        try:
            value = json.loads(rest)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, list):
            return [*options, *(str(one) for one in value)]
    return [*options, *split(rest)]


def _assignments(rest: str, *, is_argument: bool) -> Iterator[tuple[str, str]]:
    words = split(rest)
    if words and "=" not in words[0]:
        # The old form: `ENV NAME the rest is the value`.
        yield words[0], "" if is_argument else " ".join(words[1:])
        return
    for word in words:
        name, _, value = word.partition("=")
        yield name, value
