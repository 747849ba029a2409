"""`new`: the first version of a rule file."""

from __future__ import annotations

import argparse
from pathlib import Path

from lambda_lint import config, terminal
from lambda_lint.commands import CLEAN, UnableError
from lambda_lint.registry import BUILTIN
from lambda_lint.rule import RuleError
from lambda_lint.scaffold import new_rule


def run(options: argparse.Namespace) -> int:
    """Write the skeleton of a rule and say where it is."""
    try:
        path = new_rule(_directory(options.directory), options.name, category=options.category)
    except (RuleError, config.ConfigError) as error:
        raise UnableError(str(error)) from error
    terminal.write(
        f"{terminal.printable(str(path))}\n"
        "Fill in what is marked TODO. The examples of the page are its tests.\n"
    )
    return CLEAN


def _directory(named: str | None) -> Path:
    """Return the directory of rules that a project keeps, or ours in a checkout of the linter."""
    if named is not None:
        return Path(named)
    settings = config.load((Path(),))
    if settings.rules:
        return settings.rules[0]
    if settings.root / "rules" == BUILTIN:
        return BUILTIN
    raise UnableError(
        "this project has no directory for rules: name one with --directory, and under "
        "`rule-directories` in the configuration so that `check` runs its rules"
    )
