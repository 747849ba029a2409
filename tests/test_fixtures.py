"""Whole projects, good and bad: what is said of them is what their marks say, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.testing import check_fixture_project
from lambda_lint.testing.pages import take_marks

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
APPS = "apps"
FRAMEWORKS = "frameworks"
DESCRIPTORS = "descriptors"
"""Projects whose handlers only a deployment descriptor tells, one for each kind of descriptor."""
SILENT = "silent"
"""Projects of which nothing may be said, for they are right."""

# A name that begins with a dot is that of a cache.
PROJECTS = sorted(path for path in FIXTURES.glob("*/[!.]*") if path.is_dir())


@pytest.mark.parametrize(
    "project", PROJECTS, ids=[path.relative_to(FIXTURES).as_posix() for path in PROJECTS]
)
def test_project(project: Path) -> None:
    check_fixture_project(project)


def test_every_folder_is_named_for_a_rule_or_holds_applications() -> None:
    known = {APPS, DESCRIPTORS, FRAMEWORKS, SILENT, *(one.slug for one in load_rules([BUILTIN]))}
    assert {path.parent.name for path in PROJECTS} <= known


def test_silent_projects_are_marked_with_false_alarms_at_most() -> None:
    """A mark of another kind would let a wrong finding into a project that is right."""
    wrong = [
        f"{path.relative_to(FIXTURES)}:{mark.line} {mark.name}"
        for path in sorted((FIXTURES / SILENT).rglob("*.py"))
        for mark in take_marks(path.name, path.read_text(encoding="utf-8"))[1]
        if mark.kind != "false"
    ]
    assert wrong == []


def test_no_file_lies_outside_of_a_project() -> None:
    """It would never be linted."""
    lost = [
        str(path.relative_to(FIXTURES))
        for pattern in ("*.py", "*/*.py")
        for path in FIXTURES.glob(pattern)
    ]
    assert lost == []
