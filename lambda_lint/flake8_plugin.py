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
import io
import os
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lambda_lint import __version__

if TYPE_CHECKING:
    from flake8.options.manager import OptionManager

    from lambda_lint.finding import Finding
    from lambda_lint.settings import Settings

NOT_ANALYSED = "LMB900"


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

    def __init__(
        self, tree: ast.AST, filename: str = "stdin", lines: Sequence[str] | None = None
    ) -> None:
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
        """Remember the options.

        Nothing is done with them here: flake8 takes a TypeError for a plugin of another kind, and
        calls this in each of its worker processes.
        """
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
            found = [*_findings(self._filename, self._lines, self.options)]
        except Exception as error:
            found = [(1, 0, _not_analysed(error))]
        for line, column, text in found:
            yield line, column, text, type(self)
