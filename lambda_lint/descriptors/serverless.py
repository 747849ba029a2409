"""The Serverless Framework: `serverless.yml` with the files that it includes.

https://www.serverless.com/framework/docs/providers/aws/guide/functions and the plugins
serverless-python-requirements (`module`) and serverless-wsgi (`custom.wsgi.app`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lambda_lint.declaration import EDGE, SCHEDULE, SNAPSTART, Declaration
from lambda_lint.descriptors import dockerfile
from lambda_lint.descriptors.files import Files, inside, text_of
from lambda_lint.descriptors.functions import Described, declare, folder
from lambda_lint.descriptors.tree import Node, TreeError, parse
from lambda_lint.finding import Confidence, Span
from lambda_lint.source import Source

_NAME = re.compile(r"serverless[\w.-]*\.(?:ya?ml|json|[cm]?[tj]s)", re.IGNORECASE)
_FILE = re.compile(r"\$\{file\(([^)$]+)\)(?::([\w.-]+))?[^}]*\}")
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_MOST_INCLUDED = 200
_MOST_STEPS = 100_000
"""How much of one service is resolved: aliases and variables can make a small one large."""

_WSGI = frozenset({"wsgi_handler.handler", "wsgi.handler"})


def is_serverless(path: str) -> bool:
    """Whether a file is a configuration of the framework by its name."""
    return _NAME.fullmatch(posixpath.basename(path)) is not None


def declarations(source: Source, files: Files) -> Iterator[Declaration]:
    """Yield the functions of a service. Raises TreeError for what is neither YAML nor JSON."""
    if source.path.endswith(("ts", "js")):
        yield from _in_script(source, files)
        return
    for document in parse(text_of(source)):
        if document.get("functions") is not None:
            yield from _Service(document, source, files).functions()


class _Service:
    def __init__(self, document: Node, source: Source, files: Files) -> None:
        self.document = document
        self.path = source.path
        self.root = posixpath.dirname(source.path)
        self.files = files
        self._included: dict[str, Node | None] = {}
        self._steps = _MOST_STEPS

    def functions(self) -> Iterator[Declaration]:
        for path, name, function in self._entries(self.path, self.document.get("functions"), 0):
            found = self._function(path, name, function)
            if found is not None:
                yield found

    def _entries(self, path: str, node: Node | None, depth: int) -> Iterator[tuple[str, str, Node]]:
        """Yield the functions with the files that they stand in; a list is merged."""
        self._steps -= 1
        if node is None or depth > 5 or self._steps < 0:
            return
        if node.text is not None:
            for found, target in self._include(node.text):
                yield from self._entries(found, target, depth + 1)
        for one in node.children():
            yield from self._entries(path, one, depth + 1)
        for name, function in node.items():
            if function.text is not None:
                for found, target in self._include(function.text):
                    yield found, name, target
            else:
                yield path, name, function

    def _include(self, text: str) -> Iterator[tuple[str, Node]]:
        match = _FILE.fullmatch(text.strip())
        if match is None:
            return
        path = inside(self.root, match[1].strip())
        if path is None:
            return
        if path not in self._included and len(self._included) < _MOST_INCLUDED:
            content = self.files.text(path)
            try:
                documents = parse(content) if content is not None else []
            except TreeError:
                documents = []
            self._included[path] = documents[0] if documents else None
        target = self._included.get(path)
        if target is not None and match[2]:
            target = target.get(*match[2].split("."))
        if target is not None:
            yield path, target

    def _function(self, path: str, name: str, function: Node) -> Declaration | None:
        runtime = self._text(function.get("runtime")) or self._text(
            self.document.get("provider", "runtime")
        )
        if runtime is not None and runtime.startswith(("node", "java", "go", "ruby", "dotnet")):
            return None
        handler = function.get("handler")
        span = handler.span if handler is not None else function.span
        found = Described(
            name=name,
            source="Serverless Framework",
            path=path,
            span=span,
            handler=self._text(handler) or "",
            near=self.root,
            hints=[name],
            environment=self._environment(function),
            is_python=(runtime or "").startswith("python"),
        )
        self._add_root(found, function)
        self._add_layers(found, function)
        found.flags = set(self._flags(function))
        if function.get("image") is not None:
            return self._image(found, function)
        if found.handler.replace("/", ".") in _WSGI:
            application = self._text(self.document.get("custom", "wsgi", "app")) or ""
            module, _, attribute = application.rpartition(".")
            found.handler = f"{module}:{attribute}"
        return declare(found, self.files)

    def _add_root(self, found: Described, function: Node) -> None:
        module = self._text(function.get("module")) or self._text(
            self.document.get("custom", "pythonRequirements", "module")
        )
        handler = found.handler.removeprefix("./")
        root: str | None = self.root
        if module is not None:
            root = folder(self.root, module)
        while handler.startswith("../") and root is not None:
            root, handler = inside(root, ".."), handler[3:]
        found.handler = handler
        if root is not None:
            found.roots = [root]
        # Without plugins the folder is deployed as it is; `package` may leave files out only.
        artifact = function.get("package", "artifact") or self.document.get("package", "artifact")
        found.is_complete = artifact is None and root is not None

    def _add_layers(self, found: Described, function: Node) -> None:
        own = function.get("layers") or self.document.get("provider", "layers")
        declared = self.document.get("layers")
        for one in own.children() if own is not None else ():
            text = one.text or one.string("Ref") or one.string("Fn::Ref") or ""
            found.layer_names.append(text)
            for name, layer in declared.items() if declared is not None else ():
                if text.lower().startswith(re.sub(r"[^a-z0-9]", "", name.lower())):
                    place = folder(self.root, layer.string("path"))
                    if place is not None:
                        found.layers += [posixpath.join(place, "python"), place]

    def _environment(self, function: Node) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for node in (self.document.get("provider", "environment"), function.get("environment")):
            for key, value in node.items() if node is not None else ():
                text = self._text(value)
                if text is not None:
                    found[key] = text
        return found

    def _flags(self, function: Node) -> Iterator[str]:
        if (function.string("snapStart") or "").lower() in ("true", "yes", "on"):
            yield SNAPSTART
        events = function.get("events")
        for event in events.children() if events is not None else ():
            if event.text == "schedule" or event.get("schedule") is not None:
                yield SCHEDULE
            if event.get("cloudFront") is not None:
                yield EDGE

    def _image(self, found: Described, function: Node) -> Declaration | None:
        image = function.get("image")
        if image is None:
            return None
        name = self._text(image) or self._text(image.get("name"))
        declared = self.document.get("provider", "ecr", "images", name or "") or image
        context = folder(self.root, self._text(declared.get("path")))
        path = (
            inside(context, declared.string("file") or "Dockerfile")
            if context is not None
            else None
        )
        source = self.files.descriptors.get(path or "")
        command = image.get("command")
        words = [one.text for one in command.children() if one.text] if command else []
        if source is None:
            if len(words) != 1:
                return None
            found.handler, found.is_complete, found.is_python = words[0], False, False
            return declare(found, self.files)
        of_image = dockerfile.declared_by(source, self.files, context, {}, None, words)
        if of_image is None:
            return None
        flags = of_image.flags | found.flags
        return replace(
            of_image,
            name=found.name,
            source=found.source,
            path=found.path,
            span=found.span,
            flags=flags,
        )

    def _text(self, node: Node | None, depth: int = 0) -> str | None:
        """Return a text with its variables resolved, None for one that only a deployment knows."""
        self._steps -= 1
        if node is None or node.text is None or node.tag or depth > 8 or self._steps < 0:
            return None
        known = True

        def value(match: re.Match[str]) -> str:
            nonlocal known
            for part in match[1].split(","):
                part = part.strip()
                if part[:1] in ("'", '"'):
                    return part.strip("'\"")
                if part.startswith("self:"):
                    target = self.document.get(*part[5:].split("."))
                    text = self._text(target, depth + 1)
                    if text is not None:
                        return text
            known = False
            return ""

        text = _VARIABLE.sub(value, node.text[:10_000])
        return text if known and len(text) <= 10_000 else None


_SCRIPT_HANDLER = re.compile(r"\bhandler\s*:\s*[`'\"]([\w./-]+\.[A-Za-z_]\w*)[`'\"]")


def _in_script(source: Source, files: Files) -> Iterator[Declaration]:
    """A configuration in TypeScript is only searched for handlers that are Python files."""
    root = posixpath.dirname(source.path)
    for number, line in enumerate(text_of(source).splitlines(), 1):
        for match in _SCRIPT_HANDLER.finditer(line[:2000]):
            handler = match[1].removeprefix("./")
            if files.module(root, handler.rpartition(".")[0]) is None:
                continue
            found = Described(
                name=posixpath.basename(handler.rpartition(".")[0]),
                source="Serverless Framework",
                path=source.path,
                span=Span(number, match.start(1) + 1, number, match.end(1) + 1),
                handler=handler,
                near=root,
                roots=[root],
                confidence=Confidence.MEDIUM,
                is_complete=False,
            )
            declared = declare(found, files)
            if declared is not None:
                yield declared
