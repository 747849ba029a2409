"""The door for flake8: one file in, tuples out.

Every file is judged in the context of its whole project, exactly as on the command line. The
project is linted once for each process and root, when the first file is asked for: flake8 may
fork workers or start them afresh, so nothing can be prepared for all of them. `# noqa` is left to
flake8; comments of our own (`# lambda-lint: ignore[...]`) count here too.
"""

from __future__ import annotations

import argparse
import ast
import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lambda_lint import __version__

# flake8 imports this module in every project of everybody who has it installed; all that costs
# time waits until a file is to be checked.
if TYPE_CHECKING:
    from flake8.options.manager import OptionManager

    from lambda_lint.baseline import Match
    from lambda_lint.cache import Cache
    from lambda_lint.commands.results import Outcome
    from lambda_lint.discovery import Discovered
    from lambda_lint.finding import Finding
    from lambda_lint.settings import Settings
    from lambda_lint.source import Source

_KIND = "flake8"
"""What the cache calls our results: `# noqa` has silenced nothing in them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What flake8's command line and configuration files say; None leaves it to our own."""

    strict: bool | None = None
    select: tuple[str, ...] | None = None
    config: str | None = None


class Plugin:
    """flake8's view of the linter: made once for each file, then run."""

    name = "lambda-lint"
    version = __version__
    options: ClassVar[Options] = Options()

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        """Take one file from flake8.

        `lines` is the decoded text with its line ends made `\\n`: the file's or the editor's
        buffer's. The syntax tree is only asked for because flake8 tells by it what kind of plugin
        this is.
        """
        self._filename = filename
        self._lines = lines

    @classmethod
    def add_options(cls, option_manager: OptionManager) -> None:
        """Declare the options; the key of a configuration file is the name without dashes."""
        option_manager.add_option(
            "--lambda-lint-strict",
            action="store_true",
            default=False,
            parse_from_config=True,
            help="show lambda-lint's information and findings of low confidence too",
        )
        option_manager.add_option(
            "--lambda-lint-select",
            metavar="rules",
            default="",
            parse_from_config=True,
            comma_separated_list=True,
            help="run only these rules of lambda-lint (names, codes, beginnings of codes or ALL)",
        )
        option_manager.add_option(
            "--lambda-lint-config",
            metavar="file",
            default="",
            parse_from_config=True,
            normalize_paths=True,
            help="read lambda-lint's settings from this file and not from pyproject.toml",
        )

    @classmethod
    def parse_options(
        cls, option_manager: OptionManager, options: argparse.Namespace, args: Sequence[str]
    ) -> None:
        """Remember the options, and forget the files of an earlier run in this process.

        Nothing is done with them here: flake8 takes a TypeError for a plugin of another kind, and
        calls this in each of its worker processes.
        """
        forget()
        select = getattr(options, "lambda_lint_select", None)
        cls.options = Options(
            strict=True if getattr(options, "lambda_lint_strict", False) else None,
            select=tuple(str(name) for name in select) if select else None,
            config=str(getattr(options, "lambda_lint_config", "") or "") or None,
        )

    def run(self) -> Iterator[tuple[int, int, str, type[Any]]]:
        """Yield line (1-based), column (0-based), code with message, and this class.

        flake8 loses the results of all files to an exception from here, so there is none: what
        cannot be done is LMB900 on the first line.
        """
        try:
            found = list(_check(self._filename, self._lines, self.options))
        except Exception as error:
            found = [(1, 0, _not_analysed(error))]
        for line, column, text in found:
            yield line, column, text, type(self)


def forget() -> None:
    """Forget all projects: files may have changed since they were read."""
    _settings.cache_clear()
    _projects.clear()


def _check(filename: str, lines: Sequence[str], options: Options) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and text of all that there is to say about one file."""
    from lambda_lint.reporters.safe_text import visible

    settings = _settings(os.getcwd(), os.path.dirname(filename), options)
    key = (settings.root, settings.digest, settings.baseline)
    project = _projects.get(key)
    if project is None:
        project = _projects[key] = _Project(settings)
    findings, errors = project.check(filename, "".join(lines))
    for error in errors:
        yield 1, 0, _not_analysed(error)
    for one in findings:
        yield one.span.line, one.span.column - 1, f"{one.code} {visible(one.message)}"


def _not_analysed(reason: object) -> str:
    from lambda_lint.reporters.safe_text import visible

    return f"LMB900 not analysed: {visible(str(reason))}"


@functools.cache
def _settings(working_directory: str, directory: str, options: Options) -> Settings:
    """Return the settings of the project that a directory belongs to.

    What the project excludes stays excluded: flake8 hands over every file that it finds.
    """
    from lambda_lint import config

    return config.load(
        [Path(directory)],
        config_file=None if options.config is None else Path(options.config),
        overrides={"select": options.select, "strict": options.strict, "force-exclude": True},
    )


class _Project:
    """A project as it is on disk; linted once, when the first of its files is looked at."""

    def __init__(self, settings: Settings) -> None:
        from lambda_lint import discovery
        from lambda_lint.commands import inputs, wanted

        self._settings = settings
        self._rules, self._explicit = inputs.load_rules(settings)
        self._entries = wanted.entries(settings) or ()
        try:
            self._files = discovery.discover(settings)
        except discovery.DiscoveryError:
            # Nothing is on disk yet: there will be one file in an editor.
            self._files = discovery.Discovered({}, [], discovery.Requested())

    def check(self, filename: str, text: str) -> tuple[list[Finding], tuple[str, ...]]:
        """Return what is to be shown of a file that holds `text`, and what could not be done."""
        path = self._path(filename)
        if self._holds(path, text):
            outcome = self._on_disk
            known = self._known_on_disk
        elif path not in self._files.sources and path.endswith(".py") and os.path.exists(filename):
            # The project excludes it.
            return [], ()
        else:
            outcome = self._with_buffer(filename, text)
            known = self._match(outcome)
        return [
            one
            for one in outcome.findings
            if one.path == path and self._is_wanted(one) and not known.hides(one)
        ], outcome.errors

    def _holds(self, path: str, text: str) -> bool:
        """Whether the file was found on disk, with this text or without any that can be read."""
        source = self._files.sources.get(path)
        if source is None:
            return any(one.path == path for one in self._files.failures)
        return _is_text_of(source, text)

    def _path(self, filename: str) -> str:
        """Name a file as discovery does: links in its directories are resolved, its own is not."""
        directory, name = os.path.split(os.path.abspath(filename))
        absolute = os.path.join(os.path.realpath(directory), name)
        return os.path.relpath(absolute, self._settings.root).replace(os.sep, "/")

    @functools.cached_property
    def _known_on_disk(self) -> Match:
        return self._match(self._on_disk)

    def _match(self, outcome: Outcome) -> Match:
        from lambda_lint import baseline
        from lambda_lint.commands.inputs import Inputs

        files = self._files
        project = Inputs(
            *(self._settings, files.sources, files.failures, files.requested, files.descriptors),
            display=str,
        )
        return baseline.match(self._entries, outcome.findings, project.has_file)

    def _is_wanted(self, one: Finding) -> bool:
        from lambda_lint import registry

        return registry.is_wanted(one, self._settings, self._explicit)

    @functools.cached_property
    def _on_disk(self) -> Outcome:
        from lambda_lint.commands import inputs, results

        with inputs.open_cache(self._settings) as cache:
            if cache is None:
                return self._lint(self._files, None)
            key = results.key(
                self._files.sources,
                self._files.failures,
                self._settings,
                self._rules,
                [_KIND],
                self._files.descriptors,
            )
            outcome = results.from_json(cache.get(_KIND, key))
            if outcome is None:
                outcome = self._lint(self._files, cache)
                if not outcome.errors:
                    cache.put(_KIND, key, results.to_json(outcome))
            return outcome

    def _with_buffer(self, filename: str, text: str) -> Outcome:
        from lambda_lint import discovery
        from lambda_lint.commands import inputs

        files = discovery.discover(self._settings, stdin=(filename, _encoded(text)))
        with inputs.open_cache(self._settings) as cache:
            return self._lint(files, cache)

    def _lint(self, files: Discovered, cache: Cache | None) -> Outcome:
        """Lint in this process: flake8's workers must not have children.

        What goes wrong is part of the result, so that it is not tried again for every file.
        """
        from lambda_lint import engine
        from lambda_lint.commands.results import Outcome

        try:
            result = engine.lint(
                files.sources,
                self._settings,
                self._rules,
                jobs=1,
                cache=cache,
                failures=files.failures,
                descriptors=files.descriptors,
                must_parse=files.requested.contains,
            )
            left = engine.unsuppressed(result, files.sources, self._rules, noqa=False)
        except Exception as error:
            reason = f"internal error of lambda-lint: {type(error).__name__}: {error}"
            return Outcome((), (reason,), 0, 0)
        return Outcome(left, result.errors, len(result.project.handlers), len(result.parsed))


_projects: dict[tuple[Path, str, Path | None], _Project] = {}


def _is_text_of(source: Source, text: str) -> bool:
    """Whether flake8 has read `text` from the file: it falls back to Latin-1."""
    from lambda_lint.source import Failure

    on_disk = source.text
    if isinstance(source.decoded, Failure):
        on_disk = source.data.decode("latin-1").removeprefix("\xef\xbb\xbf")
    return on_disk.replace("\r\n", "\n").replace("\r", "\n") == text


def _encoded(text: str) -> bytes:
    """Return bytes that decode to `text`, as far as its own encoding declaration allows it."""
    from lambda_lint.source import Source

    data = text.encode("utf-8", "surrogatepass")
    source = Source("", data)
    try:
        declared = text.encode(source.encoding)
    except UnicodeEncodeError:
        return data
    return declared if Source("", declared).text == text else data
