"""Which files there are, and which of them may be reported on.

The whole project is always read, because a helper is judged by the handlers that reach it; the
paths that were asked for only decide what is said.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lambda_lint.descriptors.names import MAX_BYTES, describes, may_describe
from lambda_lint.files import IgnorePatterns, compile_patterns, installed_in, read_regular
from lambda_lint.settings import Settings
from lambda_lint.source import Failure, Source

_HAS_CODE = re.compile(rb"\b(?:ZipFile|InlineCode)\b")
"""What a template has in its bytes when Python may be written inside of it."""

_ASSEMBLY_LIMIT = 2000
_ASSET_LIMIT = 200
_ASSET_DEPTH = 2
_IGNORE_FILE_LIMIT = 256 * 1024
_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"
"""A directory with this file holds the code of other people, whatever its name is (PEP 405)."""


class DiscoveryError(Exception):
    """What was asked for cannot be linted: the tool must stop with exit code 2."""


@dataclass(frozen=True, slots=True)
class Requested:
    """The files that may be reported on: exact files, and everything below directories.

    All are relative to the root, with `/`; the directory `.` is the root itself. Nothing is
    requested when every file that was named is excluded and exclusion is forced.
    """

    files: frozenset[str] = frozenset()
    directories: tuple[str, ...] = ()

    def contains(self, path: str) -> bool:
        """Whether `path` (relative to the root, with `/`) may be reported on."""
        return path in self.files or any(_is_below(path, one) for one in self.directories)

    def __bool__(self) -> bool:
        """Whether anything is requested at all."""
        return bool(self.files or self.directories)


@dataclass(frozen=True, slots=True)
class Discovered:
    """The files of a project: what could be read, in the order of the paths, and what could not.

    `descriptors` are files that may say how the project is deployed; those that cannot be read
    are left out. A file outside of the root has a path that begins with `../`, or an absolute one
    when it lies on another drive.
    """

    sources: dict[str, Source]
    failures: list[Failure]
    requested: Requested
    descriptors: dict[str, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Another state of the project than the one on disk.

    `contents` has the text of files that are different there, or not on disk at all. `left_out`
    are paths that are only on disk; one that ends in `/` stands for everything below it. All are
    relative to the root, with `/`.
    """

    contents: Mapping[str, bytes]
    left_out: frozenset[str]


def discover(
    settings: Settings,
    paths: Sequence[Path] = (),
    *,
    stdin: tuple[str, bytes] | None = None,
    overlay: Overlay | None = None,
) -> Discovered:
    """Read the project of `settings.root`, and `paths` where they lie outside of it.

    `paths` are relative to the working directory; none means the whole root. A file that is named
    counts as Python, unless it describes a deployment, and is read even if it is excluded or git
    ignores it, unless `settings.force_exclude`; so is a directory, with the exclusions starting
    anew inside of it. `stdin` is the name and content of one more file, which may exist on disk or
    not. `overlay` is laid over what was found on disk. Ignored are the patterns of the settings,
    `.gitignore` from the root of the repository downwards, `.git/info/exclude`, and virtual
    environments; links to directories are not followed.

    Raises DiscoveryError for a path that does not exist and when there is no Python file under
    what was asked for. What cannot be read is a Failure.
    """
    walk = _Walk(settings)
    asked = [_locate(path, walk.root) for path in paths]
    if not asked and stdin is None:
        asked = [_Asked(walk.root, ".", is_directory=True)]
    kept = [one for one in asked if not (settings.force_exclude and walk.excludes(one))]
    walk.run(walk.root, ".")
    for one in kept:
        if one.is_directory:
            if one.path not in walk.seen:
                walk.run(one.absolute, one.path)
        elif one.path not in walk.sources and not walk.is_descriptor(one):
            walk.read(one.absolute, one.path, asked_for=True)
    files = {one.path for one in kept if not one.is_directory}
    if stdin is not None:
        here = _locate(Path(stdin[0]), walk.root, must_exist=False)
        if not (settings.force_exclude and walk.excludes(here)):
            walk.add(here.path, stdin[1])
            files.add(here.path)
    requested = Requested(
        frozenset(files), tuple(sorted({one.path for one in kept if one.is_directory}))
    )
    _refuse_nothing(walk, requested, paths)
    if overlay is not None:
        walk.lay_over(overlay)
    return Discovered(
        {path: walk.sources[path] for path in sorted(walk.sources)},
        sorted(walk.failures.values(), key=lambda one: one.path),
        requested,
        {path: walk.descriptors[path] for path in sorted(walk.descriptors)},
    )


def finds(settings: Settings, path: str) -> bool:
    """Whether `discover` reads a file of this path as Python, if there is one.

    `path` is relative to the root, with `/`.
    """
    walk = _Walk(settings)
    asked = _Asked(os.path.join(walk.root, path), path, is_directory=False)
    return walk.includes(path) and not walk.excludes(asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A path of the command line: where it is, and how it is called in the project."""

    absolute: str
    path: str
    is_directory: bool


@dataclass(frozen=True, slots=True)
class _Ignores:
    """The patterns of one .gitignore; those of the directories `above` yield to them.

    `base` is the absolute directory that the patterns start from.
    """

    above: _Ignores | None
    base: str
    patterns: IgnorePatterns

    def ignores(self, absolute: str, is_directory: bool) -> bool:
        """Whether git ignores a path, unless a directory above it is ignored already."""
        level: _Ignores | None = self
        while level is not None:
            decision = level.patterns.decide(_seen_from(level.base, absolute), is_directory)
            if decision is not None:
                return decision
            level = level.above
        return False


class _Walk:
    """One walk over the project, with what it has found so far.

    `seen` has all directories that were walked, so that none is walked twice.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = os.path.realpath(settings.root)
        self.sources: dict[str, Source] = {}
        self.failures: dict[str, Failure] = {}
        self.descriptors: dict[str, Source] = {}
        self.seen: set[str] = set()
        self._include = compile_patterns(settings.include)
        self._exclude = IgnorePatterns(settings.default_exclude + settings.exclude)

    def run(self, start: str, path: str) -> None:
        """Read all Python files below a directory. Exclusions count from here on."""
        suffix = ".py" if self.settings.include == ("*.py",) else None
        pending = [(start, path, _ignores_above(start))]
        while pending:
            directory, name, ignores = pending.pop()
            self.seen.add(name)
            entries = self._entries(directory, name)
            names = {entry.name for entry in entries}
            installed = installed_in(directory, sorted(names))
            if _VIRTUAL_ENVIRONMENT in names and directory != start:
                continue
            if ".gitignore" in names:
                ignores = _read_ignores(os.path.join(directory, ".gitignore"), directory, ignores)
            for entry in entries:
                if entry.name in installed:
                    continue
                is_directory = _is_real_directory(entry)
                is_descriptor = not is_directory and may_describe(entry.name)
                if suffix and not (is_directory or is_descriptor or entry.name.endswith(suffix)):
                    continue
                inside = _seen_from(start, entry.path)
                if is_directory and entry.name == "cdk.out":
                    self._read_assembly(
                        entry.path, entry.name if name == "." else f"{name}/cdk.out"
                    )
                if self._exclude.decide(inside, is_directory):
                    continue
                if is_descriptor and not entry.name.endswith(".py"):
                    if ignores is None or not ignores.ignores(entry.path, is_directory=False):
                        below = entry.name if name == "." else f"{name}/{entry.name}"
                        self.describe(entry.path, below)
                    continue
                if not (suffix or is_directory or self._include.match_file(inside, separators=())):
                    continue
                if ignores is not None and ignores.ignores(entry.path, is_directory):
                    continue
                below = entry.name if name == "." else f"{name}/{entry.name}"
                if is_directory:
                    pending.append((entry.path, below, ignores))
                else:
                    self.read(entry.path, below)

    def excludes(self, asked: _Asked) -> bool:
        """Whether the walk does not come to a path that was asked for."""
        if asked.path == "." or _is_outside(asked.path):
            return False
        directory = self.root
        ignores = _ignores_above(directory)
        parts = asked.path.split("/")
        for depth, name in enumerate(parts, 1):
            ignores = _read_ignores(os.path.join(directory, ".gitignore"), directory, ignores)
            if name in installed_in(directory, (one.name for one in self._listed(directory))):
                return True
            directory = os.path.join(directory, name)
            is_directory = asked.is_directory or depth < len(parts)
            if (
                self._exclude.decide(_seen_from(self.root, directory), is_directory)
                or (ignores is not None and ignores.ignores(directory, is_directory))
                or os.path.lexists(os.path.join(directory, _VIRTUAL_ENVIRONMENT))
            ):
                return True
        return False

    def includes(self, path: str) -> bool:
        """Whether a file is Python by its name."""
        return self._include.match_file(path, separators=())

    def lay_over(self, overlay: Overlay) -> None:
        """Put another state of some files in the place of what was read from disk."""
        for path, data in overlay.contents.items():
            if path in self.sources or path in self.failures:
                self.add(path, data)
                continue
            self.descriptors.pop(path, None)
            asked = _Asked(os.path.join(self.root, path), path, is_directory=False)
            if self.excludes(asked):
                continue
            if may_describe(path.rpartition("/")[2]) and not path.endswith(".py"):
                if len(data) <= MAX_BYTES and describes(path, data):
                    self.descriptors[path] = Source(path, data)
            elif self.includes(path):
                self.add(path, data)
        for found in (self.sources, self.failures, self.descriptors):
            for path in [path for path in found if _is_left_out(path, overlay.left_out)]:
                found.pop(path, None)

    def is_descriptor(self, asked: _Asked) -> bool:
        """Whether a file that was named is no Python but describes a deployment; it is read."""
        name = os.path.basename(asked.path)
        if asked.path not in self.descriptors and not name.endswith(".py") and may_describe(name):
            self.describe(asked.absolute, asked.path)
        return asked.path in self.descriptors

    def read(self, absolute: str, path: str, *, asked_for: bool = False) -> None:
        """Read one file. What is no Python file by its name may fail silently if nobody asked."""
        loud = asked_for or path.endswith(".py")
        try:
            if os.path.islink(absolute) and not self._may_follow(absolute, path):
                return
            data = read_regular(absolute, self.settings.max_file_size)
        except (OSError, ValueError) as error:
            if loud:
                reason = getattr(error, "strerror", None) or str(error)
                self._fail(path, f"the file cannot be read: {reason[:1].lower()}{reason[1:]}")
        else:
            self.add(path, data)

    def describe(self, absolute: str, path: str) -> None:
        """Take a file that describes a deployment; what cannot be read says nothing."""
        with contextlib.suppress(OSError, ValueError):
            if os.path.islink(absolute) and not self._may_follow(absolute, path):
                return
            if os.stat(absolute).st_size > MAX_BYTES:
                return
            data = read_regular(absolute, MAX_BYTES)
            if len(data) <= MAX_BYTES and describes(path, data):
                self.descriptors[path] = Source(path, data)

    def _read_assembly(self, absolute: str, path: str) -> None:
        """Take the templates that `cdk synth` wrote, and the first files of the code beside them.

        The folder is excluded as code and git ignores it; the templates still say what is deployed.
        """
        for folder, below in ((absolute, path), *self._assemblies(absolute, path)):
            for entry in self._listed(folder)[:_ASSEMBLY_LIMIT]:
                if entry.name.endswith(".template.json"):
                    self.describe(entry.path, f"{below}/{entry.name}")
                elif entry.name.startswith("asset.") and _is_real_directory(entry):
                    self._read_asset(entry.path, f"{below}/{entry.name}")

    def _assemblies(self, absolute: str, path: str) -> list[tuple[str, str]]:
        """Return the assemblies of stages, which lie inside of that of the application."""
        return [
            (entry.path, f"{path}/{entry.name}")
            for entry in self._listed(absolute)[:_ASSEMBLY_LIMIT]
            if entry.name.startswith("assembly-") and _is_real_directory(entry)
        ]

    def _read_asset(self, absolute: str, path: str) -> None:
        """Take the Python files of a copied folder, not deeper than handlers usually lie."""
        pending = [(absolute, path, 0)]
        left = _ASSET_LIMIT
        while pending:
            folder, below, depth = pending.pop(0)
            for entry in self._listed(folder):
                here = f"{below}/{entry.name}"
                if _is_real_directory(entry):
                    if depth < _ASSET_DEPTH and not entry.name.endswith((".dist-info", "__")):
                        pending.append((entry.path, here, depth + 1))
                elif entry.name.endswith(".py") and not entry.is_symlink():
                    left -= 1
                    if left < 0:
                        return
                    with contextlib.suppress(OSError, ValueError):
                        data = read_regular(entry.path, self.settings.max_file_size)
                        self.descriptors[here] = Source(here, data)

    def _listed(self, directory: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError:
            return []

    def add(self, path: str, data: bytes) -> None:
        """Take the content of a file, if it is not too large."""
        limit = self.settings.max_file_size
        if len(data) > limit:
            self._fail(
                path,
                f"the file is larger than {limit} bytes: exclude it, or raise `max-file-size`",
            )
        else:
            self.sources[path] = Source(path, data)
            self.failures.pop(path, None)

    def _entries(self, directory: str, name: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            # There may be Python files in it.
            self._fail(name, f"the directory cannot be read: {error.strerror}")
            return []

    def _may_follow(self, absolute: str, path: str) -> bool:
        """Whether a link leads to a file of the project; raises OSError for a broken one.

        An editor's lock file is a broken link on purpose.
        """
        if os.path.basename(absolute).startswith(".#"):
            return False
        target = os.path.realpath(absolute, strict=True)
        inside = os.path.commonpath([target, self.root]) == self.root
        if not inside and not _is_outside(path):
            raise OSError(0, "it is a link to a file outside of the project")
        return not os.path.isdir(target)

    def _fail(self, path: str, message: str) -> None:
        self.failures[path] = Failure(path, 1, 1, message)
        self.sources.pop(path, None)


def _locate(path: Path, root: str, *, must_exist: bool = True) -> _Asked:
    """Name a path as the walk does: links in its directories are resolved, its own is not."""
    given = os.fspath(path)
    try:
        is_directory = os.path.isdir(given)
        exists = os.path.lexists(given)
    except ValueError:
        exists = is_directory = False
    if not exists and must_exist:
        raise DiscoveryError(f"{_shown(given)}: no such file or directory; correct the path")
    if is_directory and must_exist:
        absolute = os.path.realpath(given)
    else:
        directory, name = os.path.split(os.path.abspath(given))
        absolute = os.path.join(os.path.realpath(directory), name)
    try:
        relative = os.path.relpath(absolute, root)
    except ValueError:
        relative = absolute
    return _Asked(absolute, relative.replace(os.sep, "/"), is_directory and must_exist)


def _refuse_nothing(walk: _Walk, requested: Requested, paths: Iterable[Path]) -> None:
    """A path that is misspelt must not look like a clean project.

    When all that was asked for is excluded by force, there is nothing to do, and that is right.
    """
    found = any(requested.contains(path) for path in (*walk.sources, *walk.failures)) or any(
        path in requested.files or (requested.contains(path) and _HAS_CODE.search(source.data))
        for path, source in walk.descriptors.items()
    )
    if requested and not found:
        asked = ", ".join(_shown(os.fspath(path)) for path in paths) or _shown(walk.root)
        raise DiscoveryError(
            f"{asked}: no Python file there; name other paths, or see whether `include`, `exclude` "
            "or .gitignore leave them out"
        )


def _ignores_above(start: str) -> _Ignores | None:
    """Return what git ignores below a directory by files above it, in its repository.

    When git ignores the directory itself, somebody wants it linted all the same, and nothing above
    it counts.
    """
    above: list[str] = []
    directory = start
    while not os.path.lexists(os.path.join(directory, ".git")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
        above.append(directory)
    ignores = _read_ignores(_exclude_file(directory), directory, None)
    for base in reversed(above):
        ignores = _read_ignores(os.path.join(base, ".gitignore"), base, ignores)
    if above and ignores is not None and ignores.ignores(start, is_directory=True):
        return None
    return ignores


def _exclude_file(repository: str) -> str:
    """Return the path of `info/exclude`; a work tree has a file `.git` that says where it is."""
    git = os.path.join(repository, ".git")
    with contextlib.suppress(OSError, ValueError):
        match = re.match(rb"gitdir: ([^\r\n]+)", read_regular(git, 4096))
        if match:
            git = os.path.join(repository, os.fsdecode(match[1]))
            common = read_regular(os.path.join(git, "commondir"), 4096)
            git = os.path.join(git, os.fsdecode(common.strip()))
    return os.path.join(git, "info", "exclude")


def _read_ignores(file: str, base: str, above: _Ignores | None) -> _Ignores | None:
    """Add a file of gitignore patterns, if there is one, to those above.

    Patterns that no honest project needs are skipped: that more files are read does no harm.
    """
    try:
        data = read_regular(file, _IGNORE_FILE_LIMIT)[:_IGNORE_FILE_LIMIT]
    except (OSError, ValueError):
        return above
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    patterns = IgnorePatterns(line.removesuffix("\r") for line in text.split("\n"))
    return _Ignores(above, base, patterns) if patterns else above


def _is_real_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _seen_from(base: str, absolute: str) -> str:
    """Name an absolute path below `base` as patterns see it."""
    inside = absolute[len(base) :].lstrip(os.sep)
    return inside if os.sep == "/" else inside.replace(os.sep, "/")


def _is_below(path: str, directory: str) -> bool:
    if directory == ".":
        return not _is_outside(path)
    return path == directory or path.startswith(directory + "/")


def _is_left_out(path: str, left_out: frozenset[str]) -> bool:
    folders = (path[: index + 1] for index, character in enumerate(path) if character == "/")
    return path in left_out or any(folder in left_out for folder in folders)


def _is_outside(path: str) -> bool:
    return path.startswith("../") or path == ".." or os.path.isabs(path)


def _shown(path: str) -> str:
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in path
    )
