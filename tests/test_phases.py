"""When lines run: tables of examples in `phases/*.md`, with the phase written on the lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint.testing import phase_cases, phases
from lambda_lint.testing.projects import PhaseCase

PAGES = sorted((Path(__file__).parent / "phases").glob("*.md"))
CASES = [
    pytest.param(case, id=f"{page.name}:{case.line} {case.title}")
    for page in PAGES
    for case in phase_cases(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", CASES)
def test_phases(case: PhaseCase) -> None:
    assert case.marks, "an example without a mark tests nothing"
    got = phases(case)
    wrong = [
        f"{mark.path}:{mark.line} is marked {mark.name}, the model says {got[mark.path, mark.line]}"
        for mark in case.marks
        if got[mark.path, mark.line] != mark.name
    ]
    assert wrong == []
