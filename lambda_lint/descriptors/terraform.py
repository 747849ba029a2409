"""Terraform and OpenTofu: `aws_lambda_function`, and modules that take a handler.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_function and
https://registry.terraform.io/modules/terraform-aws-modules/lambda/aws/latest . HCL is read by
python-hcl2, which comes with the extra `terraform`.
"""

from __future__ import annotations

import functools
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lambda_lint.declaration import (
    DURABLE,
    EDGE,
    MANAGED_INSTANCES,
    SNAPSTART,
    TENANT_ISOLATION,
    Declaration,
)
from lambda_lint.descriptors.files import Files, above, inside, text_of
from lambda_lint.descriptors.functions import Described, declare, names
from lambda_lint.descriptors.tree import TreeError
from lambda_lint.finding import Span
from lambda_lint.source import Source

MISSING = (
    "the handlers in {path} were not read, because Terraform needs a further library: install "
    "`lambda-lint[terraform]`"
)
"""What is said when there is a `.tf` file and no python-hcl2."""

_FUNCTION = re.compile(rb"aws_lambda_function[\"'\s]|handler\b|\bcommand\b")
_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_DECLARES = re.compile(
    r'aws_lambda_function"|handler"?\s*=|\A\s*module\s[\s\S]*\bcommand"?\s*=\s*\['
)
_HANDLER_KEY = re.compile(r"(?:\w+_)?handler")
_CODE_KEY = re.compile(r"\w*(?:source|src|code|path|dir|file)\w*")
_COMMAND = re.compile(r"[A-Za-z_][\w./-]*\.[A-Za-z_]\w*")
_VALUES = re.compile(r'\A\s*(?:variable|locals|data\s+"archive_file")')
_MODULE = re.compile(r"\A\s*module\b")
_ARCHIVE = re.compile(r"(?:data\.)?archive_file\.([\w-]+)")
_VARIABLE = re.compile(r"\$\{\s*var\.([\w-]+)\s*\}")
_MOST_BYTES = 500_000
_MOST_BLOCK = 30_000
_DEEPEST = 6


class MissingLibraryError(ImportError):
    """python-hcl2 is not installed; the message says what to install."""


def is_terraform(path: str) -> bool:
    """Whether a file is Terraform's by its name."""
    return path.endswith((".tf", ".tofu", ".tf.json"))


def declarations(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the functions of one file; the other files of its folder are read for their values.

    Raises TreeError for what cannot be parsed, and MissingLibraryError.
    """
    if _FUNCTION.search(source.data) is None:
        return
    document = _parse(source, _DECLARES)
    folder = _Folder(posixpath.dirname(source.path), files)
    for name, body in _blocks(document, "resource", "aws_lambda_function"):
        found = folder.function(name, body, source)
        if found is not None:
            yield found
    for block in _list(document.get("module")):
        for name, body in block.items() if isinstance(block, dict) else ():
            if isinstance(body, dict):
                yield from folder.module(_unquoted(name), body, source)


class _Folder:
    """One folder of Terraform files: what they call a module."""

    def __init__(self, path: str, files: Files) -> None:
        self.path = path
        self.files = files
        self._documents: list[dict[str, Any]] | None = None
        self._modules: list[tuple[_Folder, dict[str, Any]]] | None = None
        self._references: dict[str, str | None] = {}

    def function(self, name: str, body: dict[str, Any], source: Source) -> Declaration | None:
        found = self._described("resource", name, body, source)
        if found is None:
            return None
        self._add_archive(found, body)
        if self._text(body.get("package_type")) == "Image":
            return self._image(found, body)
        return declare(found, self.files)

    def module(self, name: str, body: dict[str, Any], source: Source) -> Iterator[Declaration]:
        """A module that is given a handler is a function, whatever it is called.

        So is one that is given the command of an image, if the command names a file of the project.
        """
        found = self._described("module", name, body, source)
        if found is None:
            return
        for key, value in body.items():
            if key == "source" or not _CODE_KEY.fullmatch(key):
                continue
            for one in _list(value):
                if isinstance(one, dict):
                    one = one.get("path")
                place = self._folder(one)
                if place in self.files.paths:
                    found.roots.append(posixpath.dirname(place or ""))
                elif place in self.files.folders:
                    found.roots.append(place or "")
        self._add_archive(found, body)
        found.is_complete = False
        if not found.handler:
            given = [body[key] for key in body if _HANDLER_KEY.fullmatch(_unquoted(key))]
            found.handler = next((text for one in given if (text := self._text(one))), "")
            found.is_python = False
        handlers = [found.handler] if found.handler else [*dict.fromkeys(self._commands(body, 0))]
        for one in handlers:
            declared = declare(replace(found, handler=one), self.files)
            if declared is not None:
                yield declared

    def _commands(self, value: object, depth: int) -> Iterator[str]:
        """Yield the handlers that are an image's command somewhere in a module's arguments."""
        for key, inner in value.items() if isinstance(value, dict) and depth < _DEEPEST else ():
            if _unquoted(str(key)) == "command":
                words = _list(inner)
                text = self._text(words[0]) if len(words) == 1 else None
                if text is not None and _COMMAND.fullmatch(text):
                    yield text
            else:
                for one in _list(inner):
                    yield from self._commands(one, depth + 1)

    def _described(
        self, kind: str, name: str, body: dict[str, Any], source: Source
    ) -> Described | None:
        runtime = self._text(body.get("runtime"))
        if runtime is not None and not runtime.startswith(("python", "provided")):
            return None
        return Described(
            name=name,
            source="Terraform",
            path=source.path,
            span=_span(source, kind, name),
            handler=self._text(body.get("handler")) or "",
            near=self.path,
            hints=names([name, self._text(body.get("function_name"))]),
            layer_names=[str(one) for one in _list(body.get("layers"))],
            environment=self._environment(body),
            flags=set(_flags(body)),
            is_complete=False,
            is_python=(runtime or "").startswith("python"),
        )

    def _add_archive(self, found: Described, body: dict[str, Any]) -> None:
        """Follow `filename` and `source_code_hash` to the `archive_file` that makes them."""
        certain = True
        for key in ("filename", "source_code_hash", "local_existing_package", "s3_key"):
            value = body.get(key)
            if not isinstance(value, str):
                continue
            archives = list(dict.fromkeys(_ARCHIVE.findall(value)))
            for name in archives:
                self._add_sources(found, name)
            if archives:
                # Of two that a condition chooses from, neither is certain.
                certain = certain and len(archives) == 1 and found.is_complete
                found.is_complete = certain
            elif key != "source_code_hash":
                text = self._text(value) or re.sub(r"\$\{[^{}]*\}", "", value)
                found.hints.append(text)
                for name, archive in self._named("data", "archive_file"):
                    if self._text(archive.get("output_path")) == self._text(value):
                        self._add_sources(found, name)

    def _add_sources(self, found: Described, name: str) -> None:
        for known, archive in self._named("data", "archive_file"):
            if known != name:
                continue
            for key in ("source_dir", "source_file"):
                value = archive.get(key)
                given = self._given(value)
                places = [folder._folder(one) for folder, one in given] or [self._folder(value)]
                for place in places:
                    if place is not None:
                        is_file = key == "source_file"
                        found.roots.append(posixpath.dirname(place) if is_file else place)
                        # What another folder gives, a user of this one may give otherwise.
                        known_file = not is_file or place in self.files.paths
                        found.is_complete = known_file and not given

    def _given(self, value: object) -> list[tuple[_Folder, object]]:
        """Return what the folders that use this one as a module give the variable that a value is.

        Paths are meant relative to the folder that gives them.
        """
        match = _VARIABLE.fullmatch(_unquoted(value)) if isinstance(value, str) else None
        if match is None:
            return []
        return [(folder, body[match[1]]) for folder, body in self._users() if body.get(match[1])]

    def _users(self) -> list[tuple[_Folder, dict[str, Any]]]:
        """Return the `module` blocks of the project whose source is this folder."""
        if self._modules is None:
            self._modules = []
            for path, source in self.files.descriptors.items():
                if not is_terraform(path) or b"module" not in source.data:
                    continue
                try:
                    blocks = _list(_parse(source, _MODULE).get("module"))
                except TreeError:
                    continue
                folder = _Folder(posixpath.dirname(path), self.files)
                for block in blocks:
                    for body in block.values() if isinstance(block, dict) else ():
                        if not isinstance(body, dict):
                            continue
                        start = folder._text(body.get("source"))
                        if start is not None and start.startswith((".", "\0module/")):
                            used = inside(folder.path, start.removeprefix("\0module/"))
                            if used == self.path:
                                self._modules.append((folder, body))
        return self._modules

    def _image(self, found: Described, body: dict[str, Any]) -> Declaration | None:
        """The image is built elsewhere; its command is the handler."""
        for config in _list(body.get("image_config")):
            words = _list(config.get("command")) if isinstance(config, dict) else []
            if len(words) == 1:
                found.handler = self._text(words[0]) or ""
                return declare(replace(found, is_python=False), self.files)
        return None

    def _environment(self, body: dict[str, Any]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        blocks = [
            one.get("variables") for one in _list(body.get("environment")) if isinstance(one, dict)
        ]
        for variables in [*blocks, body.get("environment_variables")]:
            for key, value in variables.items() if isinstance(variables, dict) else ():
                text = self._text(value)
                if text is not None:
                    found[_unquoted(str(key))] = text
        return found

    def _folder(self, value: object) -> str | None:
        text = self._text(value)
        if not text:
            # An empty path is a variable's default, which says that somebody has to give one.
            return None
        text = text.removeprefix("\0module/")
        # `path.root` and `path.cwd` are those of who uses this folder: one above, or beside it.
        for start in ("\0root/", "\0cwd/"):
            if text.startswith(start):
                places = [inside(one, text[len(start) :]) for one in above(self.path)]
                known = [one for one in places if one in self.files.folders]
                return known[0] if known else None
        place = None if "\0" in text else inside(self.path, text)
        if place is not None and (place in self.files.folders or place in self.files.paths):
            return place
        # A plain path is one from where Terraform is started, which may be any folder.
        tail = posixpath.normpath(text).replace("../", "").strip("./")
        fits = [one for one in self.files.folders if tail and f"/{one}".endswith(f"/{tail}")]
        return fits[0] if len(fits) == 1 else place

    def _text(self, value: object, depth: int = 0) -> str | None:
        """Return a text with variables' defaults and locals put in, None where one is unknown."""
        if not isinstance(value, str) or depth > _DEEPEST or len(value) > 10_000:
            return None
        known = True

        def put(match: re.Match[str]) -> str:
            nonlocal known
            name = match[1].strip()
            if name not in self._references:
                # What leads back to itself is unknown.
                self._references[name] = None
                self._references[name] = self._reference(name, depth)
            found = self._references[name]
            if found is None:
                known = False
            return found or ""

        text = _REFERENCE.sub(put, _unquoted(value))
        return text if known and "${" not in text and len(text) <= 10_000 else None

    def _reference(self, name: str, depth: int) -> str | None:
        if name in ("path.module", "path.root", "path.cwd"):
            return "\0" + name.partition(".")[2]
        kind, _, rest = name.partition(".")
        if kind == "var":
            for found, body in self._variables():
                if found == rest:
                    return self._text(body.get("default"), depth + 1)
        if kind == "local":
            for block in self._list_of("locals"):
                if rest in block:
                    return self._text(block[rest], depth + 1)
        return None

    def _variables(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for block in self._list_of("variable"):
            for name, body in block.items():
                if isinstance(body, dict):
                    yield _unquoted(name), body

    def _named(self, kind: str, type_: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for document in self.documents:
            yield from _blocks(document, kind, type_)

    def _list_of(self, kind: str) -> Iterator[dict[str, Any]]:
        for document in self.documents:
            for block in _list(document.get(kind)):
                if isinstance(block, dict):
                    yield block

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The files of the folder that can be parsed and hold values."""
        if self._documents is None:
            self._documents = []
            for path, source in self.files.descriptors.items():
                if posixpath.dirname(path) != self.path or not is_terraform(path):
                    continue
                if not re.search(rb"variable|locals|archive_file", source.data):
                    continue
                try:
                    self._documents.append(_parse(source, _VALUES))
                except TreeError:
                    continue
        return self._documents


def _parse(source: Source, wanted: re.Pattern[str]) -> dict[str, Any]:
    """Return the blocks of a file whose text `wanted` is found in; as of one JSON document."""
    if len(source.data) > _MOST_BYTES:
        raise TreeError(f"larger than {_MOST_BYTES} bytes")
    if source.path.endswith(".json"):
        try:
            value = json.loads(source.data)
        except (ValueError, RecursionError) as error:
            raise TreeError(str(error)) from error
        return value if isinstance(value, dict) else {}
    found: dict[str, Any] = {}
    for line, text in _top_level(text_of(source)):
        if len(text) <= _MOST_BLOCK and wanted.search(text):
            for kind, blocks in _parsed(source.path, line, text).items():
                found.setdefault(kind, []).extend(_list(blocks))
    return found


def _top_level(text: str) -> Iterator[tuple[int, str]]:
    """Divide a file at the lines that begin in the first column, as `terraform fmt` leaves them.

    The library's time grows faster than its input, and few of the blocks matter.
    """
    start, block = 1, [""]
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1].isalpha() and "{" in line:
            yield start, "\n".join(block)
            start, block = number, []
        block.append(line)
    yield start, "\n".join(block)


@functools.lru_cache(maxsize=512)
def _parsed(path: str, line: int, text: str) -> dict[str, Any]:
    try:
        import hcl2
    except ImportError as error:
        raise MissingLibraryError(MISSING.format(path=path)) from error
    try:
        value = hcl2.loads(f"{text}\n")
    except Exception as error:
        # The library raises whatever its parser does; none of it may end the run.
        raise TreeError(f"line {line}: no HCL that can be read") from error
    return value


def _blocks(
    document: dict[str, Any], kind: str, type_: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the labelled blocks of one type, whether as lists or as nested mappings."""
    for block in _list(document.get(kind)):
        for found, named in block.items() if isinstance(block, dict) else ():
            if _unquoted(found) != type_:
                continue
            for one in _list(named):
                for name, body in one.items() if isinstance(one, dict) else ():
                    for each in _list(body):
                        if isinstance(each, dict):
                            yield _unquoted(name), each


def _flags(body: dict[str, Any]) -> Iterator[str]:
    for one in _list(body.get("snap_start")):
        if isinstance(one, dict) and "PublishedVersions" in str(one.get("apply_on")):
            yield SNAPSTART
    if body.get("snap_start") is True:
        yield SNAPSTART
    if body.get("capacity_provider_config"):
        yield MANAGED_INSTANCES
    if body.get("tenancy_config"):
        yield TENANT_ISOLATION
    if body.get("durable_config"):
        yield DURABLE
    if body.get("lambda_at_edge") is True:
        yield EDGE


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _unquoted(text: str) -> str:
    """Return a string or label without the quotes that newer versions of the library keep."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _span(source: Source, kind: str, name: str) -> Span:
    """Return where a block says its handler, or else where it begins."""
    lines = text_of(source).splitlines()
    start = 1
    head = re.compile(rf'\s*{kind}\s*"?(?:aws_lambda_function"?\s*"?)?{re.escape(name)}"?\s*\{{')
    for number, line in enumerate(lines, 1):
        if head.match(line[:500]):
            start = number
            break
    for number, line in enumerate(lines[start - 1 : start + 200], start):
        if number > start and line.startswith("}"):
            break
        match = re.match(r"\s*(?:(?:\w+_)?handler|command)\s*=\s*(.*?)\s*$", line[:500])
        if match:
            return Span(number, match.start(1) + 1, number, match.end(1) + 1)
    return Span(start, 1, start, 2)
