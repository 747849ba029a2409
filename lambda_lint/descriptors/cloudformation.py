"""SAM and CloudFormation templates, in YAML and in JSON.

The keys are those of the resource specification:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
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
from lambda_lint.descriptors.files import Files, inside, text_of
from lambda_lint.descriptors.functions import Described, declare, folder, names
from lambda_lint.descriptors.inline import Inline, read_inline
from lambda_lint.descriptors.intrinsics import Values, call_of
from lambda_lint.descriptors.tree import Node, parse
from lambda_lint.finding import Span
from lambda_lint.source import Source

SERVERLESS = "AWS::Serverless::Function"
LAMBDA = "AWS::Lambda::Function"
_LAYERS = ("AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion")
_MOST_FUNCTIONS = 5000


def declarations(source: Source, files: Files) -> Iterator[Declaration | Inline]:
    """Yield the functions of a template, and the code of those that have it inside.

    Raises TreeError for a text that is neither YAML nor JSON.
    """
    if b"::Function" not in source.data:
        return
    for document in parse(text_of(source)):
        if document.get("Resources") is not None:
            yield from Template(document, source, files).functions()


class Template:
    """One template with its resources."""

    def __init__(self, document: Node, source: Source, files: Files) -> None:
        """Take the parsed template."""
        self.path = source.path
        self.folder = posixpath.dirname(source.path)
        self.files = files
        self.values = Values(document)
        self.lines = text_of(source).splitlines()
        self.globals = document.get("Globals", "Function")
        self.resources = dict(_resources(document))
        self.called = self._called()

    def functions(self) -> Iterator[Declaration | Inline]:
        """Yield what every function resource declares."""
        for count, (name, resource) in enumerate(self.resources.items()):
            if count > _MOST_FUNCTIONS:
                return
            if resource.string("Type") in (SERVERLESS, LAMBDA):
                yield from self._function(name, resource)

    def _function(self, name: str, resource: Node) -> Iterator[Declaration | Inline]:
        runtime = self.values.text(self._property(resource, "Runtime"))
        if runtime is not None and not runtime.startswith(("python", "provided")):
            return
        described = self._described(name, resource)
        described.is_python = (runtime or "").startswith("python")
        code = self._property(resource, "InlineCode")
        if code is None:
            code = self._property(resource, "Code", "ZipFile")
        if code is not None:
            yield from self._inline(described, code)
            return
        if self.values.text(self._property(resource, "PackageType")) == "Image":
            found = self._image(described, resource)
        else:
            found = declare(described, self.files)
        if found is not None:
            yield found

    def _described(self, name: str, resource: Node) -> Described:
        handler = self._property(resource, "Handler")
        properties = resource.get("Properties")
        span = Span(resource.line, resource.column, resource.line, resource.column + 1)
        if properties is not None and properties.get("Handler") is handler and handler is not None:
            span = handler.span
        found = Described(
            name=name,
            source="SAM" if resource.string("Type") == SERVERLESS else "CloudFormation",
            path=self.path,
            span=span,
            handler=self.values.text(handler) or "",
            near=self.folder,
        )
        self._add_code(found, resource)
        self._add_layers(found, resource)
        found.environment = {
            **self.values.strings(
                self.globals.get("Environment", "Variables") if self.globals else None
            ),
            **self.values.strings(resource.get("Properties", "Environment", "Variables")),
        }
        found.flags = set(self._flags(name, resource))
        return found

    def _add_code(self, found: Described, resource: Node) -> None:
        found.hints += names(
            [found.name, self.values.text(self._property(resource, "FunctionName"))]
        )
        is_sam = resource.string("Type") == SERVERLESS
        code = self._property(resource, "CodeUri" if is_sam else "Code")
        written = self.values.text(code) if code is not None else "." if is_sam else None
        asset = resource.string("Metadata", "aws:asset:path")
        root = folder(self.folder, written or asset)
        if root is not None and not root.endswith((".zip", ".jar")):
            found.roots.append(root)
        elif code is not None:
            keys = ("S3Key", "Key", "ImageUri")
            found.hints += names([written, *(self.values.text(code.get(key)) for key in keys)])
            _, argument = call_of(code.get("S3Key") or code)
            found.hints += names([one.text for one in argument.children()])
        method = resource.string("Metadata", "BuildMethod")
        found.is_complete = root is not None and method in (None, *_PLAIN_BUILDS)
        if method is not None and method.startswith("python"):
            found.is_complete = True

    def _add_layers(self, found: Described, resource: Node) -> None:
        own = resource.get("Properties", "Layers")
        shared = self.globals.get("Layers") if self.globals else None
        for node in (own, shared):
            for branch in self.values.branches(node):
                for one in branch.children():
                    found.layer_names += names([self.values.text(one), _written(one)])
                    layer = self.resources.get(self.values.referred(one) or "")
                    if layer is None or layer.string("Type") not in _LAYERS:
                        continue
                    content = layer.get("Properties", "ContentUri") or layer.get(
                        "Properties", "Content"
                    )
                    place = folder(self.folder, self.values.text(content))
                    if place is not None:
                        found.layers += [
                            posixpath.join(place, "python") if place else "python",
                            place,
                        ]

    def _inline(self, described: Described, code: Node) -> Iterator[Declaration | Inline]:
        """The runtime puts inline code into `index.py`, whatever language is not known either."""
        module, _, attribute = described.handler.rpartition(".")
        if not described.is_python and "def " not in (_written(code) or ""):
            return
        path = f"{self.path}#{described.name}.py"
        inline = read_inline(code, path, self.path, self.lines)
        if inline is None or module != "index" or not inline.text.strip():
            return
        yield inline
        found = declare(replace(described, roots=[], is_python=True), self.files)
        if found is not None:
            yield replace(found, module=path, root=None, attribute=attribute, is_complete=True)

    def _image(self, described: Described, resource: Node) -> Declaration | None:
        metadata = resource.get("Metadata")
        context = folder(self.folder, metadata.string("DockerContext") if metadata else None)
        name = (metadata.string("Dockerfile") if metadata else None) or "Dockerfile"
        path = inside(context, name) if context is not None else None
        source = self.files.descriptors.get(path or "")
        config = self._property(resource, "ImageConfig", "Command")
        command = names([self.values.text(one) for one in config.children()]) if config else []
        if source is None or metadata is None:
            if len(command) != 1:
                return None
            # The image is built elsewhere; only a file of the project shows that it is Python's.
            elsewhere = replace(described, handler=command[0], roots=[], is_complete=False)
            if config is not None:
                elsewhere.span = config.children()[0].span
            return declare(elsewhere, self.files)
        found = dockerfile.declared_by(
            source,
            self.files,
            context,
            self.values.strings(metadata.get("DockerBuildArgs")),
            metadata.string("DockerBuildTarget"),
            command,
            described.environment,
        )
        if found is None:
            return None
        return replace(
            found,
            name=described.name,
            source=described.source,
            path=self.path,
            span=described.span,
            flags=found.flags | described.flags,
        )

    def _flags(self, name: str, resource: Node) -> Iterator[str]:
        yield from self.called.get(name, ())
        if (
            self.values.text(self._property(resource, "SnapStart", "ApplyOn"))
            == "PublishedVersions"
        ):
            yield SNAPSTART
        if self._property(resource, "CapacityProviderConfig") is not None:
            yield MANAGED_INSTANCES
        if self._property(resource, "TenancyConfig") is not None:
            yield TENANT_ISOLATION
        if self._property(resource, "DurableConfig") is not None:
            yield DURABLE
        events = resource.get("Properties", "Events")
        for _, event in events.items() if events is not None else ():
            if event.string("Type") in ("Schedule", "ScheduleV2"):
                yield SCHEDULE

    def _called(self) -> dict[str, set[str]]:
        """Return what other resources say of functions, by the names of these."""
        found: dict[str, set[str]] = {}

        def add(node: Node | None, flag: str) -> None:
            name = self.values.referred(node)
            if name is not None:
                found.setdefault(name, set()).add(flag)

        for resource in self.resources.values():
            kind = resource.string("Type") or ""
            properties = resource.get("Properties") or resource
            if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
                add(properties.get("ServiceToken"), CUSTOM_RESOURCE)
            elif kind == "AWS::Events::Rule" and properties.get("ScheduleExpression") is not None:
                for target in (properties.get("Targets") or properties).children():
                    add(target.get("Arn"), SCHEDULE)
            elif kind == "AWS::Scheduler::Schedule":
                add(properties.get("Target", "Arn"), SCHEDULE)
            elif kind == "AWS::CloudFront::Distribution":
                behaviors = [properties.get("DistributionConfig", "DefaultCacheBehavior")]
                others = properties.get("DistributionConfig", "CacheBehaviors")
                for one in [*behaviors, *(others.children() if others else ())]:
                    edges = one.get("LambdaFunctionAssociations") if one is not None else None
                    for edge in edges.children() if edges is not None else ():
                        add(edge.get("LambdaFunctionARN"), EDGE)
        return found

    def _property(self, resource: Node, *path: str) -> Node | None:
        """Return a property of a function, or what `Globals` say for all of SAM's."""
        own = resource.get("Properties", *path)
        if own is None and self.globals is not None and resource.string("Type") == SERVERLESS:
            return self.globals.get(*path)
        return own


_PLAIN_BUILDS = tuple(f"python3.{minor}" for minor in range(6, 20))


def _resources(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the resources with their names; those of a loop once, with the loop's variable."""
    resources = document.get("Resources")
    pending = list(resources.items()) if resources is not None else []
    for name, resource in pending:
        if name.startswith("Fn::ForEach"):
            for part in resource.children()[2:3]:
                yield from part.items()
        else:
            yield name, resource


def _written(node: Node) -> str | None:
    """Return some text of a value, to look for words in it."""
    _, argument = call_of(node)
    if argument.text is not None:
        return argument.text
    parts = [argument, *argument.children()]
    texts = [one.text for part in parts for one in [part, *part.children()] if one.text is not None]
    return "\n".join(texts) or None
