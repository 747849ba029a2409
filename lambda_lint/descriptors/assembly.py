"""`cdk.out`, what `cdk synth` writes: templates, and copies of the code that they deploy.

https://docs.aws.amazon.com/cdk/v2/guide/assets.html : with the metadata `aws:asset:path` and
`aws:asset:property` a template says which copy a function runs. The project's own file is the one
with the same content, or nearly so.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from lambda_lint.declaration import Declaration
from lambda_lint.descriptors.cloudformation import Template
from lambda_lint.descriptors.files import Files, inside, text_of
from lambda_lint.descriptors.functions import Described, declare
from lambda_lint.descriptors.inline import Inline
from lambda_lint.descriptors.tree import Node, parse
from lambda_lint.source import Source

FOLDER = "cdk.out"

_LIKE = 0.6
"""How many of the lines must be the same: the code may have been edited since."""


def is_assembly(path: str) -> bool:
    """Whether a file is a template of an assembly."""
    return f"/{FOLDER}/" in f"/{path}" and path.endswith(".template.json")


def declarations(source: Source, files: Files) -> Iterator[Declaration | Inline]:
    """Yield the functions of an assembly's template whose code is the project's own."""
    if b"AWS::Lambda::Function" not in source.data:
        return
    for document in parse(text_of(source)):
        if document.get("Resources") is not None:
            yield from _Assembly(document, source, files).functions()


class _Assembly(Template):
    def _function(self, name: str, resource: Node) -> Iterator[Declaration | Inline]:
        # Inline code and provided functions are the CDK's own, or stand in the program.
        asset = resource.string("Metadata", "aws:asset:path")
        runtime = self.values.text(resource.get("Properties", "Runtime")) or ""
        if asset is None or not runtime.startswith("python"):
            return
        described = self._described(name, resource)
        path = resource.string("Metadata", "aws:cdk:path")
        described = replace(
            described,
            name=path.removesuffix("/Resource") if path is not None else name,
            source="CDK assembly",
            is_complete=False,
        )
        staged = inside(self.folder, asset)
        if staged is None:
            return
        root = self._original(described, staged)
        if root is None:
            return
        found = declare(replace(described, roots=[root]), self.files)
        if found is not None and found.module is not None:
            yield found

    def _original(self, described: Described, staged: str) -> str | None:
        """Return the folder of the project that a copy was made from."""
        module = described.handler.rpartition(".")[0]
        if FOLDER not in staged.split("/"):
            return staged if self.files.module(staged, module) is not None else None
        tail = module.replace(".", "/")
        for end in (f"{tail}/__init__.py", f"{tail}.py"):
            copy = self.files.descriptors.get(posixpath.join(staged, end))
            if copy is None:
                continue
            alike = [
                (self.files.likeness(path, copy), path) for path in self.files.ending_with(module)
            ]
            best = max(alike, default=(0.0, ""))
            if best[0] >= _LIKE:
                return best[1][: -len(end)].rstrip("/")
        return None
