"""A finding keeps its name when the file around it changes, and only then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambda_lint.finding import Confidence, Finding, Severity, Span
from lambda_lint.fingerprint import fingerprint, with_fingerprints

FINDING = Finding(
    path="src/app.py",
    span=Span(3, 5, 3, 18),
    code="LMB101",
    rule="client-in-handler",
    category="client-per-invocation",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    message="a client is created in every invocation",
    help="create it once",
)


def names(text: str, *findings: Finding, scope: str = "handler") -> list[str]:
    lines = text.splitlines(keepends=True)
    return [
        one.fingerprint for one in with_fingerprints(findings, lambda _: lines, lambda _: scope)
    ]


BEFORE = "import boto3\ndef handler(event, context):\n    make('s3', 1)\n"


def at(line: int, column: int, end: int, end_line: int | None = None) -> Finding:
    return replace(FINDING, span=Span(line, column, end_line or line, end))


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("#\n\n" + BEFORE, at(5, 5, 18)),
        (BEFORE.replace("    make('s3', 1)", "  make( 's3',  1 )"), at(3, 3, 19)),
        (BEFORE.replace("1)", "1)  # lambda-lint: ignore"), at(3, 5, 18)),
        (BEFORE, replace(FINDING, message="other words", help="x", code="LMB102")),
        (BEFORE, replace(FINDING, severity=Severity.ERROR, confidence=Confidence.LOW)),
    ],
    ids=[
        "lines were added above",
        "the line was formatted and indented anew",
        "a comment was added behind the code",
        "the rule found better words and another number",
        "the severity was configured",
    ],
)
def test_what_does_not_change_the_name(text: str, finding: Finding) -> None:
    assert names(text, finding) == names(BEFORE, FINDING)


@pytest.mark.parametrize(
    ("text", "finding", "scope"),
    [
        (BEFORE, replace(FINDING, rule="session-in-handler"), "handler"),
        (BEFORE, replace(FINDING, path="src/other.py"), "handler"),
        (BEFORE, FINDING, "handler.inner"),
        (BEFORE.replace("s3", "s4"), FINDING, "handler"),
    ],
    ids=["another rule", "another file", "another function", "another code"],
)
def test_what_changes_the_name(text: str, finding: Finding, scope: str) -> None:
    assert names(text, finding, scope=scope) != names(BEFORE, FINDING)


def test_a_body_is_no_part_of_the_name() -> None:
    first = "with lock:\n    a()\n"
    second = "with lock:\n    b()\n    c()\n"
    assert names(first, at(1, 1, 8, end_line=2)) == names(second, at(1, 1, 8, end_line=3))


def test_equal_places_are_numbered_in_source_order_whatever_order_they_come_in() -> None:
    text = "make('s3', 1)\nmake('s3', 1)\n"
    first, second = at(1, 1, 14), at(2, 1, 14)
    one, two = names(text, first, second)
    assert one != two
    assert names(text, second, first) == [two, one]
    assert one == fingerprint(first, "make('s3', 1)", "handler", 0)
    assert two == fingerprint(second, "make('s3', 1)", "handler", 1)


def test_a_line_that_is_not_known_still_yields_a_name() -> None:
    known = fingerprint(FINDING, "", "handler", 0)
    assert names("", FINDING) == [known]
    assert len(known) == 32
    assert set(known) <= set("0123456789abcdef")


def test_the_algorithm_stays_the_same_because_baselines_hold_its_results() -> None:
    assert fingerprint(FINDING, "make('s3', 1)", "handler", 0) == (
        "949d66001a0aa7bce00559ce314afa58"
    )
    name = replace(FINDING, path="src/bytes\udcff.py")
    assert fingerprint(name, "", "", 0) == "5a9e9bf33b88ff3f09717e252b2b2478"
