"""What the witness of a finding tells of the real mistakes in `fixtures`, line by line.

The page `EVENTS.md` of a project has a block `text LMB201` for each story: the lines that the
witness names, in its order, each as `path: line`. A line ends in `<- 2` where the second of two
invocations is told of, and in `<- 1, 2` where both are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.discovery import discover
from lambda_lint.finding import Step
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.testing.pages import fences, take_marks

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
PAGES = [
    path
    for path in sorted(FIXTURES.rglob("EVENTS.md"))
    if "silent" not in path.relative_to(FIXTURES).parts
]
TWICE = frozenset({"LMB201", "LMB203", "LMB204", "LMB205"})
"""Rules whose stories always tell of two invocations."""

Story = tuple[str, ...]


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return load_rules([BUILTIN])


@pytest.mark.parametrize(
    "page", PAGES, ids=[one.parent.relative_to(FIXTURES).as_posix() for one in PAGES]
)
def test_the_witness_tells_the_story_of_its_page(page: Path, rules: Sequence[Rule]) -> None:
    expected = written(page)
    assert expected, f"{page}: write the story of the mistake, as a block `text CODE`"
    told = told_of(page.parent, rules)
    assert [one for one in expected if one not in told] == [], told


def test_stories_of_state_tell_of_two_invocations() -> None:
    for page in PAGES:
        for code, story in written(page):
            if code in TWICE:
                which = "".join(line.partition("  <- ")[2] for line in story)
                assert set(which) >= {"1", "2"}, (page, story)


def written(page: Path) -> list[tuple[str, Story]]:
    """Return the stories of a page, each with the code of its rule."""
    return [
        (code, fence.lines)
        for fence in fences(page.read_text(encoding="utf-8"))
        for language, _, code in [fence.info.partition(" ")]
        if language == "text"
    ]


def told_of(project: Path, rules: Sequence[Rule]) -> list[tuple[str, Story]]:
    """Return what the linter tells of a project, in the same form."""
    settings = Settings(root=project)
    found = discover(settings)
    files = {**found.sources, **found.descriptors}
    result = engine.lint(found.sources, settings, rules, descriptors=found.descriptors)

    def line(step: Step) -> str:
        text = files[step.path].lines[step.span.line - 1]
        return f"{step.path}: {take_marks('', text)[0].strip()}{invocation(step.message)}"

    return [(one.code, tuple(map(line, one.witness))) for one in result.findings]


def invocation(message: str) -> str:
    """Return which invocations a step tells of, as it is written in a story."""
    found = re.search(r"^invocations? (1 and 2|1|2)\b|\bin invocation (2)$", message)
    if found is None:
        return ""
    return f"  <- {(found[1] or found[2]).replace(' and', ',')}"
