"""What the linter says, as plain data: no syntax, no project, nothing of the engine.

Everything here is frozen, ordered and picklable, so that findings cross process borders,
can be cached, compared and rendered by any reporter.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of source text.

    Lines and columns are 1-based; columns count code points; the end is exclusive.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Severity(enum.Enum):
    """How bad it is that the finding is true."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return _SEVERITY_RANK[self]


class Confidence(enum.Enum):
    """How sure the model is that the finding is true."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 for low, 1 for medium, 2 for high."""
        return _CONFIDENCE_RANK[self]


_SEVERITY_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}
_CONFIDENCE_RANK = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


@dataclass(frozen=True, slots=True)
class Step:
    """One link of a witness: a place, and what happens there."""

    path: str
    span: Span
    message: str


@dataclass(frozen=True, order=True, slots=True)
class Edit:
    """Replace the characters from `start` up to `end` by `text`.

    Offsets are 0-based and count code points of the decoded file, without its BOM and with
    its line endings as they are. An insertion has `start == end`.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the finding's own file that removes the cause of the finding."""

    title: str
    safe: bool
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class UnusedSuppression:
    """A suppression comment that does not do what it is there for.

    Without a `problem` the rule `name` ran, and the comment silences no finding of it. Otherwise
    `problem` says what is wrong with the comment, and `advice` what to write instead. `is_noqa`
    says that flake8 reads the comment, too.
    """

    path: str
    span: Span
    name: str
    is_noqa: bool = False
    problem: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about one place.

    `path` is relative to the root of the project, with forward slashes, until the outermost
    layer rewrites it for the working directory. `handlers` names every handler that reaches
    the place, as `path:name`.
    """

    path: str
    span: Span
    code: str
    rule: str
    category: str
    severity: Severity
    confidence: Confidence
    message: str
    help: str
    handlers: tuple[str, ...] = ()
    witness: tuple[Step, ...] = ()
    fix: Fix | None = None
    url: str = ""
    fingerprint: str = ""

    @property
    def sort_key(self) -> tuple[str, Span, str, str]:
        """The one order in which findings are shown."""
        return (self.path, self.span, self.code, self.message)
