"""All that the descriptors of a project declare.

Every source takes one file and the view of the project and yields what the file declares. Reading
is done by discovery; nothing here touches the disk. A library is imported only when there is a
file of its kind. Whatever a file holds, it costs no more than that file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lambda_lint.declaration import Declaration
from lambda_lint.descriptors import cloudformation, dockerfile, serverless, terraform
from lambda_lint.descriptors.files import Files, is_test
from lambda_lint.descriptors.inline import Inline
from lambda_lint.descriptors.tree import TreeError
from lambda_lint.source import Source

_Reader = Callable[[Source, Files], Iterator[Declaration | Inline]]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the descriptors of a project say, in the order of their paths and lines.

    `inline` is code that is written inside of them. `notes` tell what could not be read, each
    with its file.
    """

    declarations: tuple[Declaration, ...] = ()
    inline: tuple[Inline, ...] = ()
    notes: tuple[str, ...] = ()


def read(descriptors: Mapping[str, Source], sources: Mapping[str, Source]) -> Deployment:
    """Return what the descriptors declare; `sources` are the Python files of the project."""
    files = Files(sources, descriptors)
    found: list[Declaration] = []
    inline: list[Inline] = []
    notes: list[str] = []
    for path in sorted(descriptors):
        reader = _reader(path)
        if reader is None or is_test(path):
            continue
        try:
            for one in reader(descriptors[path], files):
                if isinstance(one, Inline):
                    inline.append(one)
                else:
                    found.append(one)
        except terraform.MissingLibraryError as error:
            if not any("lambda-lint[terraform]" in one for one in notes):
                notes.append(str(error))
        except TreeError as error:
            notes.append(f"{path}: not read as a descriptor: {error}")
        except RecursionError:
            notes.append(f"{path}: nested too deep to be read as a descriptor")
    found.sort(key=lambda one: (one.path, one.span, one.name, one.handler))
    return Deployment(tuple(dict.fromkeys(found)), tuple(inline), tuple(notes))


def _reader(path: str) -> _Reader | None:
    if dockerfile.is_dockerfile(path):
        return dockerfile.declarations
    if serverless.is_serverless(path):
        return serverless.declarations
    if terraform.is_terraform(path):
        return terraform.declarations
    if path.endswith((".yaml", ".yml", ".json", ".template")):
        return cloudformation.declarations
    return None
