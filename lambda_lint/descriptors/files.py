"""The project as descriptors see it: paths that never leave the root, and files by their names."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lambda_lint.source import Source


class Files:
    """The Python files of the project, and the files that describe its deployment.

    All paths are relative to the root, with `/`; the root itself is `""`.
    """

    def __init__(self, sources: Mapping[str, Source], descriptors: Mapping[str, Source]) -> None:
        """Take all Python files, and what discovery has read of descriptors."""
        self.paths = frozenset(sources)
        self._sources = sources
        self.descriptors = descriptors
        self.folders = _folders_of(self.paths)
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            self._by_name.setdefault(posixpath.basename(path), []).append(path)

    def text(self, path: str) -> str | None:
        """Return the text of a descriptor, None if there is none of this path."""
        source = self.descriptors.get(path)
        return None if source is None else text_of(source)

    def lines(self, path: str) -> Sequence[str]:
        """Return the lines of a Python file of the project."""
        return self._sources[path].lines

    def has_word(self, path: str, word: bytes) -> bool:
        """Whether a Python file of the project has some bytes in it."""
        return word in self._sources[path].data

    def likeness(self, path: str, other: Source) -> float:
        """Return which part of the lines a Python file shares with another file, from 0 to 1."""
        if self._sources[path].data == other.data:
            return 1.0
        mine, theirs = set(self._sources[path].data.split(b"\n")), set(other.data.split(b"\n"))
        return min(0.99, len(mine & theirs) / max(len(mine), len(theirs)))

    def module(self, root: str, module: str) -> str | None:
        """Return the path of the module as imported from a code root, None if it is not there.

        Slashes and dots both part folders, as in the runtime's own bootstrap:
        https://github.com/aws/aws-lambda-python-runtime-interface-client
        """
        relative = module.replace(".", "/")
        place = inside(root, relative)
        if place is None:
            return None
        for candidate in (f"{place}/__init__.py", f"{place}.py"):
            if candidate.removeprefix("/") in self.paths:
                return candidate.removeprefix("/")
        return None

    def ending_with(self, module: str) -> list[str]:
        """Return the files that the module may mean from some code root, in order."""
        relative = module.replace(".", "/").strip("/")
        found = []
        for tail in (f"{relative}.py", f"{relative}/__init__.py"):
            for path in self._by_name.get(posixpath.basename(tail), ()):
                if path == tail or path.endswith(f"/{tail}"):
                    found.append(path)
        return found

    def has_folder(self, folder: str) -> bool:
        """Whether there is a Python file somewhere below a folder."""
        return folder in self.folders or (folder == "" and bool(self.paths))


def text_of(source: Source) -> str:
    """Return the text of a descriptor; what is no UTF-8 is replaced."""
    return source.data.decode("utf-8-sig", "replace")


def inside(folder: str, relative: str) -> str | None:
    """Join a path of a descriptor to a folder; None if it is absolute or leaves the root."""
    relative = relative.replace("\\", "/")
    if relative.startswith(("/", "~")) or "\0" in relative or "://" in relative:
        return None
    joined = posixpath.normpath(posixpath.join(folder, relative))
    if joined == ".":
        return ""
    return None if joined == ".." or joined.startswith(("../", "/")) else joined


def is_test(path: str) -> bool:
    """Whether a file lies in a folder of tests, where nothing is deployed from."""
    return any(one in ("tests", "test", "testing") for one in path.split("/")[:-1])


def above(folder: str) -> Iterator[str]:
    """Yield a folder and all folders above it, the root last."""
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _folders_of(paths: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for path in paths:
        folder = posixpath.dirname(path)
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(found)
