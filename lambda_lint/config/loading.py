"""From the files of a project and its command line to settings, and where each value comes from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lambda_lint.config.documents import CONFIG_NAME, TABLE, Document, chain, read_named, search
from lambda_lint.config.errors import ConfigError, RefusedError, nearest, shown
from lambda_lint.config.keys import KEYS_BY_NAME, OVERRIDE_KEYS
from lambda_lint.config.patterns import Where
from lambda_lint.settings import Settings


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: a line (1-based) of a file, or without a file the command line."""

    file: Path | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and for each field that is not at its default all places that it comes from.

    `override_origins` says the same of each of the overrides. `files` are the configuration and
    what it extends, the furthest first.
    """

    settings: Settings
    origins: Mapping[str, tuple[Origin, ...]]
    override_origins: tuple[Mapping[str, Origin], ...]
    files: tuple[Path, ...]

    def with_baseline(self, baseline: Path | None) -> Loaded:
        """Return the same with the baseline that the command line asks for."""
        settings = replace(self.settings, baseline=baseline)
        return replace(self, settings=settings, origins={**self.origins, "baseline": (Origin(),)})

    def origins_in(self, attribute: str, path: str) -> tuple[Origin, ...]:
        """Return where the value of a field comes from for one file, relative to the root."""
        found = self.origins.get(attribute, ())
        for one, origins in zip(self.settings.overrides, self.override_origins, strict=True):
            if getattr(one, attribute) not in (None, ()) and one.matches(path):
                adds = attribute in ("ignore", "extend_select")
                found = (*(found if adds else ()), origins[attribute])
        return found


def load(
    start: Sequence[Path],
    *,
    config_file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Find and read the settings of the project that the paths `start` belong to.

    The root is the nearest directory at or above what the paths have in common that has a
    `lambda-lint.toml`, or a `pyproject.toml` with a table `[tool.lambda-lint]`. The search ends at
    the root of the git repository, which is the root when nothing was found. Without a repository
    it is the working directory for relative paths inside of it, otherwise the common directory.
    `config_file` names the file instead; then its directory is the root for paths below it.

    `overrides` come from the command line, named like the keys (`-` or `_`); None means "not
    given", anything else replaces the value of the file. Raises `ConfigError`.
    """
    return read(start, config_file=config_file, overrides=overrides).settings


def read(
    start: Sequence[Path],
    *,
    config_file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Loaded:
    """Do as `load`, and say where each value comes from."""
    common = _common_directory(start)
    document: Document | None
    # What patterns start from in the first file; elsewhere than in the project it means the root.
    base: Path | None = None
    if config_file is None:
        root, document = search(common)
        if root is None:
            root = _root_without_repository(start, common)
    else:
        document = read_named(config_file)
        directory = document.path.parent
        found = directory if common.is_relative_to(directory) else search(common)[0]
        base = root = found or _root_without_repository(start, common)
    layers = _Layers()
    documents = [] if document is None else chain(document)
    for one in documents:
        here = one.path.parent
        where = Where(here, base or here if one is document else here, root)
        layers.add_document(one, where)
    layers.add_command_line(overrides or {}, root)
    config_path = None if document is None else document.path
    return Loaded(
        Settings(root=root, config_path=config_path, **layers.values),
        layers.origins,
        tuple(layers.override_origins),
        tuple(one.path for one in documents),
    )


def _common_directory(start: Sequence[Path]) -> Path:
    """The deepest directory that holds all paths; files that do not exist count as files."""
    directories = []
    for path in start or (Path(),):
        absolute = Path(os.path.realpath(path))
        directories.append(absolute if absolute.is_dir() else absolute.parent)
    try:
        return Path(os.path.commonpath(directories))
    except ValueError:
        raise ConfigError(
            "the given paths have no directory in common; run once for each drive"
        ) from None


def _root_without_repository(start: Sequence[Path], common: Path) -> Path:
    here = Path(os.path.realpath("."))
    if common.is_relative_to(here) and not any(path.is_absolute() for path in start):
        return here
    return common


class _Layers:
    """Values that are put upon each other, the furthest file first."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, tuple[Origin, ...]] = {}
        self.override_origins: list[dict[str, Origin]] = []

    def add_document(self, document: Document, where: Where) -> None:
        """Take the keys of a file; raises ConfigError for one that it cannot have."""
        if "select" in document.table:
            # A choice of its own is not narrowed or widened by what the base chose.
            self._forget("ignore", "extend_select")
        for name, value in document.table.items():
            key = KEYS_BY_NAME.get(name)
            if key is None:
                raise document.error(_unknown(name), name)
            if name == "extend":
                continue
            try:
                parsed = key.parse(value, where)
            except RefusedError as error:
                raise document.error(f"{name}: {error}", name, *error.keys) from None
            origin = Origin(document.path, document.line(name))
            if key.adds and key.attribute in self.values:
                parsed = _added(self.values[key.attribute], parsed)
                self.origins[key.attribute] += (origin,)
            else:
                self.origins[key.attribute] = (origin,)
            self.values[key.attribute] = parsed
            if name == "overrides":
                assert isinstance(value, list)
                self.override_origins += map(_override_origins(document), enumerate(value))

    def add_command_line(self, given: Mapping[str, object], root: Path) -> None:
        """Take options, which replace what files say, also what they say for some files only.

        Paths are relative to the working directory, import roots to the root.
        """
        where = Where(Path.cwd(), root, root)
        names = []
        for spelling, value in given.items():
            if value is None:
                continue
            name = spelling.replace("_", "-")
            key = KEYS_BY_NAME.get(name)
            if key is None or name == "extend":
                raise ConfigError(_unknown(spelling))
            try:
                self.values[key.attribute] = key.parse(
                    list(value) if isinstance(value, tuple) else value, where
                )
            except RefusedError as error:
                raise ConfigError(f"--{name}: {error}") from None
            self.origins[key.attribute] = (Origin(),)
            names.append(key.attribute)
        self._make_uniform(names)

    def _make_uniform(self, names: Iterable[str]) -> None:
        """Take from the overrides what the command line has decided for all files."""
        decided = {one.attribute for one in OVERRIDE_KEYS.values()} - {"ignore", "extend_select"}
        gone: dict[str, Any] = {name: None for name in names if name in decided}
        if "select" in gone:
            gone["extend_select"] = ()
        if gone and "overrides" in self.values:
            self.values["overrides"] = tuple(
                replace(one, **gone) for one in self.values["overrides"]
            )

    def _forget(self, *attributes: str) -> None:
        for one in attributes:
            self.values.pop(one, None)
            self.origins.pop(one, None)


def _override_origins(
    document: Document,
) -> Callable[[tuple[int, Mapping[str, object]]], dict[str, Origin]]:
    def origins(numbered: tuple[int, Mapping[str, object]]) -> dict[str, Origin]:
        number, table = numbered
        return {
            OVERRIDE_KEYS[name].attribute: Origin(
                document.path, document.line("overrides", number, name)
            )
            for name in table
        }

    return origins


def _added(old: Any, new: Any) -> Any:
    """Return what two files say together; of two values for one name the nearer file's counts."""
    return {**old, **new} if isinstance(old, Mapping) else (*old, *new)


def _unknown(name: str) -> str:
    if name == TABLE[0]:
        return (
            f"in {CONFIG_NAME} the keys stand at the top; [tool.lambda-lint] is for pyproject.toml"
        )
    near = nearest(name, KEYS_BY_NAME)
    advice = f"did you mean `{near}`?" if near else "known are " + ", ".join(KEYS_BY_NAME)
    return f"unknown key {shown(name)}; {advice}"
