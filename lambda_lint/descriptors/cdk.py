"""CDK and Pulumi programs in Python, read without running them.

https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.aws_lambda/Function.html and
https://www.pulumi.com/registry/packages/aws/api-docs/lambda/function/
"""

from __future__ import annotations

import posixpath
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from lambda_lint.declaration import (
    CUSTOM_RESOURCE,
    DURABLE,
    EDGE,
    MANAGED_INSTANCES,
    SCHEDULE,
    SNAPSTART,
    TENANT_ISOLATION,
    Declaration,
)
from lambda_lint.descriptors import dockerfile
from lambda_lint.descriptors.files import Files, above, inside, is_test
from lambda_lint.descriptors.functions import Described, declare, names
from lambda_lint.descriptors.inline import Inline, of_literal
from lambda_lint.descriptors.python_text import PROJECT, Texts, argument
from lambda_lint.finding import Confidence
from lambda_lint.source import Source
from lambda_lint.syntax import nodes

_LIBRARY = re.compile(rb"\b(?:aws_cdk|pulumi_aws)\b")
_FUNCTION = re.compile(rb"\bhandler\s*=|PythonFunction|DockerImageFunction|DockerImageCode")
_HANDLER = re.compile(r"[\w./-]+\.[A-Za-z_]\w*")
_DIRECTORY = re.compile(r"(?:\w+_)?(?:dir|directory|folder|path|entry)")
_MOST_BYTES = 300_000
_DOCKER = frozenset({"from_image_asset", "from_asset_image"})
_INLINE = frozenset({"from_inline", "inline", "InlineCode"})
_ASSETS = frozenset(
    {"from_asset", "asset", "AssetCode", "FileArchive", "FileAsset", "from_docker_build"}
)


def is_program(source: Source) -> bool:
    """Whether a Python file may declare functions with one of these libraries."""
    return (
        len(source.data) <= _MOST_BYTES
        and _LIBRARY.search(source.data) is not None
        and _FUNCTION.search(source.data) is not None
        and not is_test(source.path)
    )


def declarations(path: str, tree: nodes.Module, files: Files) -> Iterator[Declaration | Inline]:
    """Yield the functions that a program declares, and the code of those that have it inside."""
    yield from _Program(path, tree, files).functions()


class _Program:
    def __init__(self, path: str, tree: nodes.Module, files: Files) -> None:
        self.path = path
        self.files = files
        self.texts = Texts(path, tree)
        self.calls = [one for one in nodes.walk(tree) if isinstance(one, nodes.Call)]
        self.variables = {
            one.value: nodes.dotted(one.targets[0]) or ""
            for one in nodes.walk(tree)
            if isinstance(one, nodes.Assign) and isinstance(one.value, nodes.Call)
        }
        #: The function that each call stands in, for calls that are given a handler.
        self.helpers = {
            call: function
            for function in nodes.walk(tree)
            if isinstance(function, nodes.FunctionDef)
            for call in nodes.walk(function)
            if isinstance(call, nodes.Call) and isinstance(argument(call, "handler"), nodes.Name)
        }
        here = posixpath.dirname(path)
        self.bases = sorted(
            above(here), key=lambda one: posixpath.join(one, "cdk.json") not in files.descriptors
        )
        self.flags = self._flags_by_variable()
        self.layers = [
            place
            for call in self.calls
            if _name(call).endswith("LayerVersion")
            for place in self._places(argument(call, "code") or argument(call, "entry"))
        ]

    def functions(self) -> Iterator[Declaration | Inline]:
        for number, call in enumerate(self.calls):
            name = _name(call)
            if name.endswith(("Integration", "Provider", "Authorizer")):
                continue
            written = self._written(argument(call, "code"))
            if written is not None:
                yield from self._inline(call, written, number)
                continue
            own = self.texts
            for texts in [*self._given(call)] or [own]:
                self.texts = texts
                found = self._image(call, name) or self._function(call, name)
                if found is not None:
                    yield found
            self.texts = own

    def _given(self, call: nodes.Call) -> Iterator[Texts]:
        """Yield what the parameters hold, for a handler that is a parameter of a helper.

        Those who call the helper in this file give it: `self._add(handler="run", index="a.py")`.
        """
        node = argument(call, "handler")
        helper = self.helpers.get(call)
        if helper is None or not isinstance(node, nodes.Name):
            return
        parameters = [one.name for one in helper.parameters]
        if node.id not in parameters:
            return
        skip = 1 if parameters[:1] in (["self"], ["cls"]) else 0
        for site in self.calls:
            if _name(site) != helper.name:
                continue
            values: dict[str, nodes.Expression] = {}
            for position, name in enumerate(parameters[skip:]):
                default = helper.parameters[position + skip].default
                value = argument(site, name, position) or default
                if value is not None:
                    values[name] = value
            if node.id in values:
                yield self.texts.given(values)

    def _function(self, call: nodes.Call, name: str) -> Declaration | None:
        handler_node = argument(call, "handler")
        handler = self.texts.of(handler_node)
        code = argument(call, "code")
        entry = argument(call, "entry")
        if name == "PythonFunction" or (entry is not None and argument(call, "index") is not None):
            index = self.texts.of(argument(call, "index")) or "index.py"
            if handler_node is not None and handler is None:
                return None
            handler = f"{index.removesuffix('.py')}.{handler or 'handler'}"
            code = entry
        if handler is None or not _HANDLER.fullmatch(handler):
            return None
        runtime = argument(call, "runtime")
        written = (nodes.dotted(runtime) or self.texts.of(runtime) or "").rpartition(".")[2].upper()
        if written.startswith(("NODEJS", "JAVA", "DOTNET", "GO_", "RUBY")):
            return None
        places = list(self._places(code))
        found = self._described(call, handler, handler_node)
        found.roots = places
        found.is_complete = False
        found.is_python = written.startswith("PYTHON") or name == "PythonFunction"
        found.layers = [
            one for place in self.layers for one in (posixpath.join(place, "python"), place)
        ]
        if code is None:
            found.confidence = Confidence.MEDIUM
        module = handler.rpartition(".")[0]
        # Of several folders that the path may mean, the one that has the module.
        found.roots.sort(key=lambda one: self.files.module(one, module) is None)
        declared = declare(found, self.files)
        return None if declared is None or declared.module == self.path else declared

    def _written(self, code: nodes.Expression | None) -> nodes.Call | None:
        """Return the call that makes code of a text: `Code.from_inline("…")`."""
        code = self.texts.value(code)
        is_inline = isinstance(code, nodes.Call) and _name(code) in _INLINE
        return code if is_inline and isinstance(code, nodes.Call) else None

    def _inline(
        self, call: nodes.Call, code: nodes.Call, number: int
    ) -> Iterator[Declaration | Inline]:
        """The code is `index.py`: https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.aws_lambda/Code.html"""
        handler_node = argument(call, "handler")
        module, _, attribute = (self.texts.of(handler_node) or "").rpartition(".")
        literal = self.texts.value(argument(code, "code", 0))
        dedents = isinstance(literal, nodes.Call) and _name(literal) in ("dedent", "cleandoc")
        if dedents and isinstance(literal, nodes.Call):
            literal = self.texts.value(argument(literal, "text", 0))
        if not isinstance(literal, nodes.Constant) or module != "index":
            return
        text = self.texts.of(literal)
        if text is None or "def " not in text:
            return
        text = textwrap.dedent(text) if dedents else text
        path = f"{self.path}#{number}.py"
        described = self._described(call, f"index.{attribute}", handler_node)
        described.is_python = True
        yield of_literal(text, literal.span, path, self.path, self.files.lines(self.path))
        found = declare(described, self.files)
        if found is not None:
            yield replace(found, module=path, root=None, attribute=attribute, is_complete=True)

    def _image(self, call: nodes.Call, name: str) -> Declaration | None:
        code = self.texts.value(argument(call, "code"))
        if not isinstance(code, nodes.Call) or _name(code) not in _DOCKER:
            return None
        folder = self.texts.of(argument(code, "directory", 0))
        file = self.texts.of(argument(code, "file")) or "Dockerfile"
        command = argument(code, "cmd")
        words = (
            names([self.texts.of(one) for one in command.items])
            if isinstance(command, nodes.Collection)
            else []
        )
        for context in self._folders(folder):
            source = self.files.descriptors.get(inside(context, file) or "")
            if source is None:
                continue
            found = dockerfile.declared_by(
                source,
                self.files,
                context,
                self._strings(argument(code, "build_args")),
                None,
                words,
            )
            if found is None:
                return None
            described = self._described(call, found.handler, None)
            return replace(
                found,
                name=described.name,
                source=described.source,
                path=self.path,
                span=call.func.span,
                flags=found.flags | frozenset(described.flags),
            )
        return None

    def _described(
        self, call: nodes.Call, handler: str, handler_node: nodes.Expression | None
    ) -> Described:
        name = self.texts.of(argument(call, "id", 1)) or self.texts.of(argument(call, "", 0))
        variable = self.variables.get(call, "")
        function_name = self.texts.of(argument(call, "function_name"))
        flags = set(self.flags.get(variable, ()))
        snapstart = argument(call, "snap_start")
        if snapstart is not None and not (nodes.dotted(snapstart) or "").endswith("NONE"):
            flags.add(SNAPSTART)
        if argument(call, "tenancy_config") is not None:
            flags.add(TENANT_ISOLATION)
        if argument(call, "capacity_provider_config") is not None:
            flags.add(MANAGED_INSTANCES)
        if _name(call) == "EdgeFunction":
            flags.add(EDGE)
        if argument(call, "durable_config") is not None:
            flags.add(DURABLE)
        span = handler_node.span if handler_node is not None else call.func.span
        if isinstance(handler_node, nodes.Name):
            # Who calls a helper writes the handler; a constant of the file is written once.
            written = self.texts.value(handler_node)
            span = written.span if isinstance(written, nodes.Constant) else span
        return Described(
            name=name or function_name or variable.rpartition(".")[2] or handler,
            source="Pulumi" if self._is_pulumi(call) else "CDK",
            path=self.path,
            span=span,
            handler=handler,
            near="",
            hints=names([name, function_name, variable.rpartition(".")[2], *self._dirs(call)]),
            environment=self._strings(argument(call, "environment")),
            flags=flags,
        )

    def _dirs(self, call: nodes.Call) -> Iterator[str | None]:
        """Yield the folders that a construct of the project's own is given: `lambda_dir="x"`."""
        for one in call.arguments:
            if one.name is not None and _DIRECTORY.fullmatch(one.name):
                yield self.texts.of(one.value)

    def _is_pulumi(self, call: nodes.Call) -> bool:
        return any(
            posixpath.join(base, name) in self.files.descriptors
            for base in self.bases
            for name in ("Pulumi.yaml", "Pulumi.yml")
        )

    def _places(self, code: nodes.Expression | None) -> Iterator[str]:
        """Yield the folders that an asset may be, the likeliest first."""
        code = self.texts.value(code)
        if code is None:
            return
        if self.texts.of(code) is not None or self.texts.tail(code) is not None:
            yield from self._meant(code)
            return
        for one in nodes.walk(code):
            if isinstance(one, nodes.Call) and _name(one) in _ASSETS:
                yield from self._meant(argument(one, "path", 0))
                # The Dockerfile of a build lies beside the code.
                file = self.texts.of(argument(one, "file"))
                yield from self._folders(file and posixpath.dirname(file))

    def _meant(self, path: nodes.Expression | None) -> Iterator[str]:
        """Yield the folders that a path may mean; of an unknown beginning, the only one."""
        text = self.texts.of(path)
        if text is not None:
            yield from self._folders(text)
            return
        tail = self.texts.tail(path)
        if tail is not None:
            fits = [one for one in self.files.folders if one == tail or one.endswith(f"/{tail}")]
            yield from fits if len(fits) == 1 else ()

    def _folders(self, text: str | None) -> Iterator[str]:
        if text is None:
            return
        text = text.removesuffix(".zip")
        if text.startswith(PROJECT):
            place = inside("", text[len(PROJECT) :].lstrip("/") or ".")
            if place is not None:
                yield place
            return
        for base in self.bases:
            place = inside(base, text)
            if place is not None and (place in self.files.folders or place == ""):
                yield place

    def _strings(self, node: nodes.Expression | None) -> Mapping[str, str]:
        node = self.texts.value(node)
        found: dict[str, str] = {}
        if isinstance(node, nodes.Dict):
            for item in node.items:
                key, value = self.texts.of(item.key), self.texts.of(item.value)
                if key is not None and value is not None:
                    found[key] = value
        return found

    def _flags_by_variable(self) -> dict[str, set[str]]:
        """Return what other constructs say of functions, by the variables that hold these."""
        found: dict[str, set[str]] = {}
        for call in self.calls:
            if _name(call) == "Provider":
                for key in ("on_event_handler", "is_complete_handler"):
                    found.setdefault(nodes.dotted(argument(call, key)) or "", set()).add(
                        CUSTOM_RESOURCE
                    )
            elif argument(call, "schedule") is not None:
                for inner in nodes.walk(call):
                    if isinstance(inner, nodes.Call) and _name(inner) == "LambdaFunction":
                        target = nodes.dotted(argument(inner, "handler", 0)) or ""
                        found.setdefault(target, set()).add(SCHEDULE)
        found.pop("", None)
        return found


def _name(call: nodes.Call) -> str:
    if isinstance(call.func, nodes.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, nodes.Name) else ""
