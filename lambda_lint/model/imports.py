"""Which file of the project an import means."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Collection, Iterable


class ImportMap:
    """The project's files as Python would find them on a deployed function.

    A function's code root is put on the import path, and so is the `python/` folder of each
    layer. Which folder becomes a code root is decided by deployment tools, so the roots are tried
    as they are in practice: the folder of the importing file and the folders above it, nearest
    first; then configured roots; then any folder of the project, when only one fits.
    """

    def __init__(
        self, paths: Iterable[str], libraries: Collection[str], extra_roots: Iterable[str] = ()
    ) -> None:
        """Take all Python paths of the project and the top-level names of known libraries."""
        self.paths = frozenset(paths)
        self.libraries = frozenset(libraries)
        self.extra_roots = tuple(extra_roots)
        self.folders = _folders(self.paths)
        self._by_tail: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            if path.endswith("/__init__.py"):
                tail = posixpath.basename(posixpath.dirname(path))
            else:
                tail = posixpath.basename(path).removesuffix(".py")
            self._by_tail.setdefault(tail, []).append(path)
        self._memo: dict[tuple[str, str], str | None] = {}
        self._matches: dict[tuple[str, str], tuple[str, ...]] = {}

    def find(self, dotted: str, importer: str) -> str | None:
        """Return the path of the module `dotted` as imported absolutely by the file `importer`."""
        if not dotted or self._is_library(dotted.partition(".")[0], importer):
            return None
        key = (dotted, importer)
        if key not in self._memo:
            self._memo[key] = self._find(dotted, importer)
        return self._memo[key]

    def matching(self, pattern: str, importer: str) -> tuple[str, ...]:
        """Return the paths of the modules `bots.*`, where the star is one part of a dotted name."""
        key = (pattern, importer)
        if key not in self._matches:
            self._matches[key] = self._matching(pattern, importer)
        return self._matches[key]

    def _matching(self, pattern: str, importer: str) -> tuple[str, ...]:
        before, _, after = pattern.partition("*")
        folder, _, start = before.rpartition(".")
        folder = folder.replace(".", "/")
        if self._is_library(pattern.partition(".")[0], importer):
            return ()
        end = f"{after.replace('.', '/')}.py"
        for root in self._roots(importer):
            inside = posixpath.join(root, folder)
            if inside not in self.folders:
                continue
            first = f"{inside}/{start}"
            found = [
                path
                for path in sorted(self.paths)
                if path.startswith(first)
                and path.endswith(end)
                and "/" not in path[len(first) : -len(end)]
                and not path.endswith("/__init__.py")
                and path != importer
            ]
            if found:
                return tuple(found)
        return ()

    def find_relative(self, dotted: str, level: int, importer: str) -> str | None:
        """Return the path for `from ..dotted import`; `level` counts the dots."""
        folder = posixpath.dirname(importer)
        for _ in range(level - 1):
            if not folder:
                return None
            folder = posixpath.dirname(folder)
        return self._at(folder, dotted)

    def is_package(self, dotted: str, importer: str) -> bool:
        """Whether `dotted` is a folder of the project as seen from `importer`."""
        if self._is_library(dotted.partition(".")[0], importer):
            return False
        relative = dotted.replace(".", "/")
        return any(posixpath.join(root, relative) in self.folders for root in self._roots(importer))

    def _is_library(self, top: str, importer: str) -> bool:
        """Whether a top-level name means an installed library although the project has the name.

        Dependencies are often vendored as folders beside the code; those are the library still. A
        single file of the name is the project's own, since it would hide the library.
        """
        if top in sys.stdlib_module_names:
            return True
        if top not in self.libraries:
            return False
        return not any(
            posixpath.join(root, f"{top}.py") in self.paths for root in self._roots(importer)
        )

    def _find(self, dotted: str, importer: str) -> str | None:
        for root in self._roots(importer):
            found = self._at(root, dotted)
            # A script may share its name with a library; a package may import itself.
            if found is not None and (found != importer or found.endswith("__init__.py")):
                return found
        return self._only_fit(dotted, importer)

    def _roots(self, importer: str) -> list[str]:
        roots = []
        folder = posixpath.dirname(importer)
        while True:
            roots.append(folder)
            if not folder or folder == "/":
                break
            folder = posixpath.dirname(folder)
        sources = [posixpath.join(root, "src") for root in roots]
        roots += [root for root in sources if root in self.folders]
        roots += self.extra_roots
        return roots

    def _at(self, root: str, dotted: str) -> str | None:
        relative = posixpath.join(root, dotted.replace(".", "/")) if dotted else root
        for candidate in (f"{relative}.py", f"{relative}/__init__.py"):
            if candidate in self.paths:
                return candidate
        if not dotted and "__init__.py" in self.paths and not root:
            return "__init__.py"
        return None

    def _only_fit(self, dotted: str, importer: str) -> str | None:
        """Layers and shared folders are copied beside the code by the build: a lone match is it."""
        parts = dotted.split(".")
        relative = "/".join(parts)
        endings = (f"/{relative}.py", f"/{relative}/__init__.py")
        fits = [
            path
            for path in self._by_tail.get(parts[-1], ())
            if path.endswith(endings) and path != importer and not _is_test(path)
        ]
        layered = [path for path in fits if "/python/" in f"/{path}" or "layer" in path]
        if len(fits) > 1 and len(layered) == 1:
            return layered[0]
        return fits[0] if len(fits) == 1 else None


def _folders(paths: Iterable[str]) -> frozenset[str]:
    folders = set()
    for path in paths:
        folder = posixpath.dirname(path)
        while folder and folder not in folders:
            folders.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(folders)


def _is_test(path: str) -> bool:
    name = posixpath.basename(path)
    return name.startswith("test_") or "/tests/" in f"/{path}" or "/test/" in f"/{path}"
