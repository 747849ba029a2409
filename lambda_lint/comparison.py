"""What is found now and was not found before a change, whichever lines the change has.

A guard, an import, a base class or a template that changes makes lines wrong that nobody touched,
and a diff of lines does not show them. So the findings of both states are compared, loosely enough
that an old finding stays old when its file, its function or its class gets another name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from lambda_lint import fingerprint
from lambda_lint.finding import Finding

Lines = Callable[[str], Sequence[str]]
"""The lines of a file of the project with their ends, `()` for one that cannot be read."""


class Earlier:
    """What was found before a change: how often each rule spoke of equal code."""

    def __init__(self, findings: Iterable[Finding], lines: Lines) -> None:
        """Take all findings of the earlier state, and its files."""
        self._counts = Counter((one.path, fingerprint.of_content(one, lines)) for one in findings)

    def appeared(self, findings: Iterable[Finding], lines: Lines) -> list[Finding]:
        """Return those of the findings that were not there, in their order.

        `findings` are those on lines that were not changed. Each stands for one of its own file
        before, or else for one of another file: there may be more now, but not fewer.
        """
        left = Counter(self._counts)
        without: list[tuple[Finding, str]] = []
        for one in findings:
            content = fingerprint.of_content(one, lines)
            if left[one.path, content] > 0:
                left[one.path, content] -= 1
            else:
                without.append((one, content))
        elsewhere: Counter[str] = Counter()
        for (_, content), count in left.items():
            elsewhere[content] += count
        found = []
        for one, content in without:
            if elsewhere[content] > 0:
                elsewhere[content] -= 1
            else:
                found.append(one)
        return found
