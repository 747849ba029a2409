"""What commands read before they look at anything: settings, files, rules, the cache."""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_lint import config, discovery, registry
from lambda_lint.commands import UnableError
from lambda_lint.finding import Finding
from lambda_lint.rule import Rule, RuleError
from lambda_lint.settings import Settings
from lambda_lint.source import Failure, Source

if TYPE_CHECKING:
    from lambda_lint.cache import Cache

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of a project, which of them were asked for, and what says how it is deployed."""

    settings: Settings
    sources: dict[str, Source]
    failures: list[Failure]
    requested: discovery.Requested
    descriptors: dict[str, Source]
    display: Callable[[str], str] = field(repr=False)

    @property
    def jobs(self) -> int:
        """How many processes may be used."""
        if self.settings.jobs is not None:
            return self.settings.jobs
        # Needed only where there is something to parse.
        from lambda_lint.parsing import default_jobs

        return default_jobs()

    def has_file(self, path: str) -> bool:
        """Tell whether there is a file of this path (relative to the root), read or not."""
        with contextlib.suppress(OSError, ValueError):
            if os.path.lexists(self.settings.root / path):
                return True
        return path in self.sources or path in self.descriptors

    def is_requested(self, finding: Finding) -> bool:
        """Tell whether a finding, or a step of the way to it, lies in what was asked for.

        A helper is changed, and the finding is in what it calls: it is about the helper too.
        """
        paths = [finding.path, *(step.path for step in finding.witness)]
        return any(self.requested.contains(path) for path in paths)


def load_settings(options: argparse.Namespace) -> Settings:
    """Return the settings of the project around the given paths; options win over its file."""
    return load_configuration(options).settings


def load_configuration(options: argparse.Namespace) -> config.Loaded:
    """Return the same, and where each value comes from."""
    start = [Path(path) for path in options.paths if path != STDIN]
    if STDIN in options.paths:
        start.append(Path(_stdin_filename(options)))
    named = ("select", "ignore", "extend_select", "max_file_size", "jobs", "severity")
    overrides: dict[str, object] = {name: getattr(options, name, None) for name in named}
    for name in ("select", "ignore", "extend_select"):
        if overrides[name] is not None:
            # `--select A,B --select C` is a list for each time it is given.
            overrides[name] = tuple(one for given in getattr(options, name) for one in given)
    # A switch that was not given leaves the decision to the file.
    for name in ("strict", "force_exclude"):
        overrides[name] = True if getattr(options, name, False) else None
    overrides["cache"] = False if options.no_cache else None
    file = Path(options.config) if options.config is not None else None
    try:
        loaded = config.read(start, config_file=file, overrides=overrides)
    except config.ConfigError as error:
        raise UnableError(str(error)) from error
    if getattr(options, "no_baseline", False):
        return loaded.with_baseline(None)
    if getattr(options, "baseline", None) is not None:
        # Unlike the key of the configuration, it may lead anywhere.
        return loaded.with_baseline(Path(os.path.abspath(options.baseline)))
    return loaded


def read(
    options: argparse.Namespace, settings: Settings, overlay: discovery.Overlay | None = None
) -> Inputs:
    """Read the files of the project, and standard input if it is among the paths.

    `overlay` is laid over what is on disk.
    """
    paths = [Path(path) for path in options.paths if path != STDIN]
    stdin = None
    if STDIN in options.paths:
        if len(options.paths) > 1:
            raise UnableError("`-` stands alone: a file on standard input is all that is reported")
        stdin = (_stdin_filename(options), _read_stdin(settings.max_file_size))
    elif getattr(options, "stdin_filename", None) is not None:
        raise UnableError("--stdin-filename is for the path `-`: add it")
    try:
        found = discovery.discover(settings, paths, stdin=stdin, overlay=overlay)
    except discovery.DiscoveryError as error:
        raise UnableError(str(error)) from error
    return Inputs(
        settings,
        found.sources,
        found.failures,
        found.requested,
        found.descriptors,
        _displayed(settings.root),
    )


def load_rules(settings: Settings) -> tuple[tuple[Rule, ...], frozenset[str]]:
    """Return the rules that are to run, and the codes of those that were selected by name."""
    try:
        known = registry.load_rules((registry.BUILTIN, *settings.rules))
        chosen = registry.configured(known, settings)
    except registry.UnknownRuleError as error:
        place = None
        if settings.config_path is not None:
            place = config.place_of(settings.config_path, error.name)
        raise UnableError(f"{place}: {error}" if place else str(error)) from error
    except RuleError as error:
        raise UnableError(str(error)) from error
    return chosen, registry.explicit(known, (*settings.select, *settings.extend_select))


def open_cache(settings: Settings) -> contextlib.AbstractContextManager[Cache | None]:
    """Return the store in the root of the project for a `with` statement, None for no store.

    What depends on the settings has to say so in its digest: trees of files do not.
    """
    if not settings.cache:
        return contextlib.nullcontext()
    from lambda_lint.cache import CACHE_DIRECTORY, Cache

    return Cache(settings.root / CACHE_DIRECTORY, "")


def shown_file(file: Path) -> str:
    """Return the path of a file for people in this directory."""
    try:
        return os.path.relpath(file).replace(os.sep, "/")
    except ValueError:
        # Another drive.
        return os.fspath(file)


def _displayed(root: Path) -> Callable[[str], str]:
    """Return a function from paths in the project to paths for people in this directory."""
    here = os.getcwd()

    @functools.cache
    def displayed(path: str) -> str:
        full = os.path.join(root, path)
        try:
            return os.path.relpath(full, here).replace(os.sep, "/")
        except ValueError:
            # Another drive.
            return os.path.normpath(full).replace(os.sep, "/")

    return displayed


def _stdin_filename(options: argparse.Namespace) -> str:
    return getattr(options, "stdin_filename", None) or "stdin.py"


def _read_stdin(limit: int) -> bytes:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return sys.stdin.read().encode()
    # One byte more than allowed is enough to see that it is too much.
    data: bytes = stream.read(limit + 1)
    return data


def requested_scope(requested: discovery.Requested) -> Sequence[str]:
    """Return words that are equal for equal requests."""
    return [*sorted(requested.files), "", *requested.directories]
