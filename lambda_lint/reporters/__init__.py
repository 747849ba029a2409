"""The output formats: one module each, all pure functions from a `Run` to text."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from lambda_lint.reporters.run import Look, Run, Summary
from lambda_lint.reporters.statistics import statistics_lines, summary_line

MINIMUM_WIDTH = 40
"""Below this many cells nothing readable can be laid out: a smaller width counts as this one."""


def render(
    name: str,
    run: Run,
    *,
    color: bool = False,
    width: int = 100,
    ascii_only: bool = False,
    hyperlinks: bool = False,
    in_github_actions: bool = False,
    in_gitlab_ci: bool = False,
) -> str:
    """Return the run in the named format, ending in a line feed.

    `name` is a key of `FORMATS`; any other raises ValueError. The keyword arguments are those of
    `Look`. A width of 0, as some terminals claim, is replaced by 80.
    """
    if name not in FORMATS:
        raise ValueError(f"unknown format {name!r}: choose one of {', '.join(FORMATS)}")
    look = Look(
        color=color,
        width=max(MINIMUM_WIDTH, width) if width > 0 else 80,
        ascii_only=ascii_only,
        hyperlinks=hyperlinks and color,
        in_github_actions=in_github_actions,
        in_gitlab_ci=in_gitlab_ci,
    )
    return FORMATS[name](run, look)


def _lazily(module: str, function: str = "render") -> Callable[[Run, Look], str]:
    """Return a reporter that is imported when it is asked for.

    `full` needs rich, which costs more than all the others together.
    """

    def report(run: Run, look: Look) -> str:
        reporter = importlib.import_module(f"{__name__}.{module}")
        text: str = getattr(reporter, function)(run, look)
        return text

    return report


FORMATS: dict[str, Callable[[Run, Look], str]] = {
    "full": _lazily("full"),
    "concise": _lazily("concise"),
    "json": _lazily("json_format"),
    "jsonl": _lazily("json_format", "render_lines"),
    "github": _lazily("github"),
    "sarif": _lazily("sarif"),
    "gitlab": _lazily("gitlab"),
    "junit": _lazily("junit"),
    "rdjson": _lazily("rdjson"),
    "html": _lazily("html"),
}
"""Every format by its name on the command line."""

FOR_PEOPLE = frozenset({"full", "concise", "github"})
"""What is read where it is printed, errors included; the others are read by programs only."""

WITHOUT_STATISTICS = frozenset({"sarif", "gitlab", "junit", "rdjson"})
"""Formats of others, whose readers know no place for the counts for each rule."""

WITH_LIVES = frozenset({"html"})
"""The formats that show the lives of handlers."""

__all__ = [
    "FORMATS",
    "FOR_PEOPLE",
    "MINIMUM_WIDTH",
    "WITHOUT_STATISTICS",
    "WITH_LIVES",
    "Look",
    "Run",
    "Summary",
    "render",
    "statistics_lines",
    "summary_line",
]
