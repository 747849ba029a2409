"""`rule` and `rules`: the pages of the rules, as the rule files have them."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Sequence
from pathlib import Path

from lambda_lint import registry, terminal
from lambda_lint.commands import CLEAN, UnableError
from lambda_lint.rule import Rule, RuleError


def show_rule(options: argparse.Namespace) -> int:
    """Print the page of one rule, which is named by its slug or its code."""
    rules = _rules(options.config)
    wanted = options.rule.strip()
    for one in rules:
        if wanted.lower() in (one.code.lower(), one.slug):
            # The page is Markdown for people; what one sees is what the rule file says.
            heading = f"{one.code} {one.slug} ({one.severity.value}, {one.category})"
            terminal.write(f"{heading}\n\n{one.page.strip()}\n")
            return CLEAN
    spellings = [spelling for one in rules for spelling in (one.slug, one.code.lower())]
    near = difflib.get_close_matches(wanted.lower(), spellings, 1)
    hint = f"did you mean {near[0]}?" if near else "`lambda-lint rules` lists all of them"
    raise UnableError(f"there is no rule {options.rule!r}; {hint}")


def list_rules(options: argparse.Namespace) -> int:
    """Print one line for each rule, or all that is known about them as JSON."""
    rules = _rules(options.config)
    if options.output_format == "json":
        document = {"schema": 1, "rules": [_as_json(one) for one in rules]}
        terminal.write(json.dumps(document, indent=2) + "\n")
        return CLEAN
    terminal.write(_table(rules))
    return CLEAN


def _rules(config_file: str | None) -> tuple[Rule, ...]:
    """Return the rules that come with the linter and those of the project around us."""
    # The configuration costs as much as all the rest, and may only name directories.
    from lambda_lint import config

    named = Path(config_file) if config_file is not None else None
    try:
        settings = config.load((Path(),), config_file=named)
        return registry.load_rules((registry.BUILTIN, *settings.rules))
    except (config.ConfigError, RuleError) as error:
        raise UnableError(str(error)) from error


def _table(rules: Sequence[Rule]) -> str:
    slugs = max((len(one.slug) for one in rules), default=0)
    lines: list[str] = []
    category = ""
    for one in rules:
        if one.category != category:
            category = one.category
            lines += ["", category] if lines else [category]
        lines.append(f"  {one.code}  {one.slug:<{slugs}}  {one.severity.value:<7}  {one.title}")
    lines += ["", "`lambda-lint rule NAME` explains one of them."]
    return "".join(f"{line}\n" for line in lines)


def _as_json(one: Rule) -> dict[str, object]:
    return {
        "code": one.code,
        "rule": one.slug,
        "category": one.category,
        "severity": one.severity.value,
        "title": one.title,
        "page": one.page.strip(),
    }
