"""What the owner of a project decided, as plain checked data. `config` reads it from files."""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from lambda_lint.files import compile_patterns

DEFAULT_EXCLUDE = (
    ".git/",
    ".hg/",
    ".venv/",
    "venv/",
    "env/",
    "node_modules/",
    "__pycache__/",
    "site-packages/",
    "_vendor/",
    "_vendored/",
    "build/",
    "dist/",
    ".tox/",
    ".nox/",
    ".aws-sam/",
    "cdk.out/",
    ".serverless/",
    ".eggs/",
)
DEFAULT_MAX_FILE_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReusableConstructor:
    """Something that the project calls a constructor worth keeping; see `data/README.md`."""

    names: tuple[str, ...]
    kind: str = "lazy"
    what: str = "reusable object"
    rule: str = "client"
    info: bool = False
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """A call that leaves something in the process; see `effects.toml` in `data/README.md`."""

    names: tuple[str, ...]
    kind: str = "listener"
    what: str = "registration"
    keeper: str = "receiver"
    undo: tuple[str, ...] = ()
    undo_calls: tuple[str, ...] = ()
    remedy: str = ""
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """What is different for the files that the gitignore patterns `files` match.

    None leaves it as it is. `ignore` and `extend_select` add to those of the project, `select`
    replaces its.
    """

    files: tuple[str, ...]
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    strict: bool | None = None
    severity: str | None = None
    require_suppression_reason: bool | None = None
    snapstart: bool | None = None
    managed_instances: bool | None = None
    web_functions: bool | None = None

    def matches(self, path: str) -> bool:
        """Whether it speaks of `path` (relative to the root)."""
        return compile_patterns(self.files).match_file(path)


@dataclass(frozen=True, slots=True)
class FileSettings:
    """What holds for one file; the fields are those of `Settings`."""

    select: tuple[str, ...]
    extend_select: tuple[str, ...]
    ignore: tuple[str, ...]
    strict: bool
    severity: str | None
    require_suppression_reason: bool
    snapstart: bool
    managed_instances: bool
    web_functions: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the user may decide. What each field means stands in `KEYS`.

    `root`, `rules` and `baseline` are absolute; `import_roots` are relative to the root, with `/`,
    and `"."` is the root itself. `config_path` is the file that the settings came from, if there
    was one.
    """

    root: Path
    select: tuple[str, ...] = ("ALL",)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    strict: bool = False
    severity: str | None = None
    include: tuple[str, ...] = ("*.py",)
    exclude: tuple[str, ...] = ()
    default_exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    force_exclude: bool = False
    handlers: tuple[str, ...] = ()
    handler_patterns: tuple[str, ...] = ()
    reusable_constructors: tuple[ReusableConstructor, ...] = ()
    registrations: tuple[Registration, ...] = ()
    import_roots: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    severity_overrides: Mapping[str, str] = field(default_factory=dict)
    require_suppression_reason: bool = False
    baseline: Path | None = None
    max_file_size: int = DEFAULT_MAX_FILE_SIZE
    snapstart: bool = False
    managed_instances: bool = False
    web_functions: bool = False
    jobs: int | None = None
    cache: bool = True
    config_path: Path | None = None

    @property
    def digest(self) -> str:
        """Equal for settings that give equal results; for the key of a cache.

        Where the project lies, how the work is shared out and what is known already do not count.
        """
        counted = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in ("root", "jobs", "cache", "config_path", "baseline")
        }
        plain = json.dumps(counted, default=_as_json, sort_keys=True)
        return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()

    def ignored_in(self, path: str) -> tuple[str, ...]:
        """The codes that `per-file-ignores` switches off in `path` (relative to the root)."""
        return tuple(
            code
            for pattern, codes in self.per_file_ignores.items()
            if compile_patterns((pattern,)).match_file(path)
            for code in codes
        )

    def for_file(self, path: str) -> FileSettings:
        """What holds for `path` (relative to the root): of several overrides the last one wins."""
        return _for_file(self._of_files, self._overrides_of(path))

    def differs(self, attribute: str) -> bool:
        """Whether an override says anything of a field."""
        return any(getattr(one, attribute) not in (None, ()) for one in self.overrides)

    @property
    def _of_files(self) -> FileSettings:
        return FileSettings(*(getattr(self, one.name) for one in fields(FileSettings)))

    def _overrides_of(self, path: str) -> tuple[Override, ...]:
        return tuple(one for one in self.overrides if one.matches(path))

    def is_handler_by_pattern(self, path: str, name: str) -> bool:
        """Whether `handler-patterns` make the function `name` of `path` a handler."""
        for pattern in self.handler_patterns:
            files, _, names = pattern.rpartition(":")
            if fnmatch.fnmatchcase(name, names) and compile_patterns((files,)).match_file(path):
                return True
        return False


@functools.lru_cache(maxsize=256)
def _for_file(whole: FileSettings, overrides: tuple[Override, ...]) -> FileSettings:
    for one in overrides:
        said = {
            key.name: value
            for key in fields(FileSettings)
            if (value := getattr(one, key.name)) is not None
        }
        for name in ("extend_select", "ignore"):
            said[name] = (*getattr(whole, name), *said[name])
        whole = replace(whole, **said)
    return whole


def _as_json(value: object) -> object:
    if isinstance(value, (ReusableConstructor, Registration, Override)):
        return [getattr(value, one.name) for one in fields(value)]
    return str(value)
