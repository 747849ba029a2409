"""What a reporter is given: the result of a run as plain data, and how the output may look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lambda_lint.finding import Finding
from lambda_lint.life import Life

if TYPE_CHECKING:
    # Only its data is used; importing it would load the whole model.
    from lambda_lint.rule import Rule


@dataclass(frozen=True, slots=True)
class Summary:
    """How much was looked at.

    There is no duration in it: the same project must give the same bytes.
    """

    files_seen: int = 0
    files_parsed: int = 0
    handlers: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that can be shown of one run.

    `findings` are sorted by `Finding.sort_key`; their paths, and those of their witnesses, are
    those to display: relative to the directory from which the readers of the format count, with
    forward slashes. `errors` says in
    whole sentences what the tool could not do. `rules` are the rules that were active.
    `source_lines` gives the lines of a file by its displayed path, decoded and with their line
    endings as `Source.lines` has them, or `()` when they are not known. `statistics` asks for the
    counts for each rule as well. `notes` say what the tool did without; `lives`, by path and line,
    are there only for the formats in `WITH_LIVES`.
    """

    findings: tuple[Finding, ...] = ()
    errors: tuple[str, ...] = ()
    summary: Summary = field(default_factory=Summary)
    rules: tuple[Rule, ...] = ()
    source_lines: Callable[[str], Sequence[str]] = field(
        default=lambda _path: (), repr=False, compare=False
    )
    statistics: bool = False
    version: str = ""
    notes: tuple[str, ...] = ()
    lives: tuple[Life, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What the place where the output goes can show; most machine formats ignore it.

    `width` is in terminal cells. `ascii_only` is for streams whose encoding has no box
    characters: every other character is shown as a backslash escape. `hyperlinks` turns codes
    into links of the terminal, and needs `color`. `in_github_actions` takes the power away from
    text that the runner would obey. `in_gitlab_ci` keeps suggested changes to what can be put
    right there.
    """

    color: bool = False
    width: int = 100
    ascii_only: bool = False
    hyperlinks: bool = False
    in_github_actions: bool = False
    in_gitlab_ci: bool = False
