"""When lines run: tables of examples in `phases/*.md`, with the phase written on the lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint.testing import phase_cases, phases
from lambda_lint.testing.projects import PhaseCase

FOLDER = Path(__file__).parent / "phases"
GAPS = FOLDER / "gaps.md"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page != GAPS)


def cases(pages: list[Path]) -> list[object]:
    return [
        pytest.param(case, id=f"{page.name}:{case.line} {case.title}")
        for page in pages
        for case in phase_cases(page.read_text(encoding="utf-8"))
    ]


def mistakes(case: PhaseCase) -> list[str]:
    assert case.marks, "an example without a mark tests nothing"
    got = phases(case)
    return [
        f"{mark.path}:{mark.line} is marked {mark.name}, the model says {got[mark.path, mark.line]}"
        for mark in case.marks
        if got[mark.path, mark.line] != mark.name
    ]


@pytest.mark.parametrize("case", cases(PAGES))
def test_phases(case: PhaseCase) -> None:
    assert mistakes(case) == []


@pytest.mark.parametrize("case", cases([GAPS]))
def test_known_gap_is_still_there(case: PhaseCase) -> None:
    assert mistakes(case), f"the model is right now: move the case to {case.title.split(':')[0]}"
