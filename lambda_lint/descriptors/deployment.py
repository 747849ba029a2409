"""All that the descriptors of a project declare.

Every source takes one file and the view of the project and yields what the file declares. Reading
is done by discovery; nothing here touches the disk. A library is imported only when there is a
file of its kind. Whatever a file holds, it costs no more than that file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lambda_lint.declaration import Declaration
from lambda_lint.descriptors import (
    assembly,
    cdk,
    cloudformation,
    dockerfile,
    frameworks,
    runbooks,
    scripts,
    serverless,
    terraform,
)
from lambda_lint.descriptors.files import Files, is_test
from lambda_lint.descriptors.inline import Inline
from lambda_lint.descriptors.requirements import libraries
from lambda_lint.descriptors.tree import TreeError
from lambda_lint.source import Source
from lambda_lint.syntax import nodes

_TREES = (".yaml", ".yml", ".json", ".template")

_Reader = Callable[[Source, Files], Iterator[Declaration | Inline]]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the descriptors of a project say, in the order of their paths and lines.

    `inline` is code that is written inside of them. `notes` tell what could not be read, each
    with its file. `libraries` are those that the project asks for, of the ones that advice knows.
    `scripts` are Python files that something else than Lambda runs.
    """

    declarations: tuple[Declaration, ...] = ()
    inline: tuple[Inline, ...] = ()
    notes: tuple[str, ...] = ()
    libraries: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()


def programs(sources: Mapping[str, Source]) -> list[str]:
    """Return the paths of the Python files that may themselves declare functions."""
    return [path for path in sorted(sources) if cdk.is_program(sources[path])]


def read(
    descriptors: Mapping[str, Source],
    sources: Mapping[str, Source],
    programs: Mapping[str, nodes.Module] = MappingProxyType({}),
) -> Deployment:
    """Return what the descriptors declare.

    `sources` are the Python files of the project, and `programs` the trees of those among them
    that `programs` names.
    """
    files = Files(sources, descriptors)
    found: list[Declaration] = []
    inline: list[Inline] = []
    notes: list[str] = []
    elsewhere: set[str] = set()

    def take(some: Iterator[Declaration | Inline]) -> None:
        for one in some:
            if isinstance(one, Inline):
                inline.append(one)
            else:
                found.append(one)

    for path in sorted(descriptors):
        reader = _reader(path, descriptors[path])
        if reader is None or is_test(path):
            continue
        try:
            take(reader(descriptors[path], files))
            if path.endswith(_TREES):
                elsewhere.update(runbooks.scripts(descriptors[path], files))
        except terraform.MissingLibraryError as error:
            if not any("lambda-lint[terraform]" in one for one in notes):
                notes.append(str(error))
        except TreeError as error:
            notes.append(f"{path}: not read as a descriptor: {error}")
        except RecursionError:
            notes.append(f"{path}: nested too deep to be read as a descriptor")
    for path in sorted(programs):
        try:
            take(cdk.declarations(path, programs[path], files))
        except RecursionError:
            notes.append(f"{path}: nested too deep to be read as a descriptor")
    found.sort(key=lambda one: (one.path, one.span, one.name, one.handler))
    asked_for = libraries(descriptors)
    return Deployment(
        tuple(dict.fromkeys(found)), tuple(inline), tuple(notes), asked_for, frozenset(elsewhere)
    )


def _reader(path: str, source: Source) -> _Reader | None:
    if dockerfile.is_dockerfile(path):
        return dockerfile.declarations
    name = posixpath.basename(path)
    if assembly.is_assembly(path):
        return assembly.declarations
    if frameworks.is_chalice(path):
        return frameworks.chalice
    if frameworks.is_zappa(path):
        return frameworks.zappa
    if re.fullmatch(r"sst\.config\.[cm]?[tj]s", name):
        return frameworks.sst
    if name in ("BUILD", "BUILD.pants"):
        return frameworks.pants
    if name in ("app.arc", ".arc"):
        return frameworks.architect
    if name == "function.json":
        return frameworks.function_json
    if scripts.is_script(path):
        return scripts.commands
    if scripts.is_workflow(path):
        return scripts.workflow
    if serverless.is_serverless(path):
        return serverless.declarations
    if terraform.is_terraform(path):
        return terraform.declarations
    if path.endswith(_TREES):
        if frameworks.is_python_lambda(name, source):
            return frameworks.python_lambda
        return cloudformation.declarations
    return None
