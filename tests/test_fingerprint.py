"""A finding keeps its name when the file around it changes, and only then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambda_lint.finding import Confidence, Finding, Severity, Span
from lambda_lint.fingerprint import (
    fingerprint,
    normalised,
    occurrence_in,
    renamed,
    with_fingerprints,
)

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


SAME_CODE = {
    "quotes, prefixes and escapes of quotes": [
        """make('it\\'s', b"x", R"a")""",
        """make("it's", B'x', r'a')""",
        """make('''it's''', b'x', r'a')""",
        """make(u"it's", b'x', r"a")""",
    ],
    "line splits and trailing commas": [
        "make('s3', config=Config(retries={'max': 1}), verify=False)",
        "make(\n  's3',\n  config=Config(\n    retries={'max': 1,},\n  ),\n  verify=False,\n)",
        "make('s3', \\\n  config=Config(retries={'max': 1}), verify=False)",
        "make(\r\n's3', # the store\r\nconfig=Config(retries={'max': 1}), verify=False)",
    ],
    "brackets around an expression": [
        "x = a and b",
        "x = (\n    a\n    and b\n)",
        "x = ((a) and (b))",
    ],
    "the case of numbers": ["f(0XFF, 1E5, 10J)", "f(0xff, 1e5, 10j)"],
    "the head of a statement": [
        "with make('s3') as a, lock:\n    one()\n",
        "with (\n    make('s3') as a,\n    lock,\n):\n    two()\n",
        "with make('s3') as a, lock: two()",
    ],
    "the head of a function": [
        "def handler(event: dict[str, int] = {'a': 1}, *, b=lambda: 1):\n    one()\n",
        "def handler(\n  event: dict[str, int] = {'a': 1},\n  *,\n  b=lambda: 1,\n):\n  two()",
    ],
    "a decorator": ["@cache(size=1)\ndef a():\n    pass\n", "@cache(\n  size=1\n)\ndef b(): ..."],
}


@pytest.mark.parametrize("written", SAME_CODE.values(), ids=SAME_CODE)
def test_formatters_do_not_change_what_code_is(written: list[str]) -> None:
    assert [normalised(one) for one in written] == [normalised(written[0])] * len(written)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("make('s3')", "make('sqs')"),
        ("make('a b')", "make('ab')"),
        ("make(s3)", "make('s3')"),
        ("make(b's3')", "make('s3')"),
        ("f(a, b)", "f(a)"),
        ("f[a]", "f(a)"),
        ("a if b else c", "a if c else b"),
        ("not_a", "not a"),
        ("A = 1", "a = 1"),
        ("# lambda-lint: ignore[a]", "# lambda-lint: ignore[b]"),
        ("Handler: app.one", "Handler: app.two"),
    ],
)
def test_other_code_is_other_code(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


HOSTILE = {
    "quotes": "'" * 9999,
    "prefixes": "f'" * 9999,
    "a text without an end": "'''" + "a\\" * 9999,
    "brackets": "(" * 9999,
    "continued lines": "\\\n" * 9999,
    "no characters": "\0\udcff",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_any_text_has_a_normal_form(text: str) -> None:
    normal = normalised(text)
    assert normal == normalised(text + " ")
    assert len(normal) <= len(text) + 64


def test_what_is_far_behind_the_beginning_does_not_count() -> None:
    arguments = ", ".join(f"a{number}" for number in range(100))
    assert normalised(f"f({arguments})") == normalised(f"f({arguments}, 1)")


@pytest.mark.parametrize("occurrence", [0, 1, 2])
def test_half_of_the_name_survives_a_new_file_name(occurrence: int) -> None:
    before = fingerprint(FINDING, "make('s3')", "handler", occurrence)
    moved = replace(FINDING, path="lib/app.py")
    after = fingerprint(moved, "make('s3')", "handler", occurrence)
    assert before[:16] == after[:16]
    assert before[16:] != after[16:]
    assert occurrence_in(before, FINDING.path) == occurrence
    assert occurrence_in(before, moved.path) is None
    assert renamed(before, moved.path, occurrence) == after


def test_a_line_that_is_not_known_still_yields_a_name() -> None:
    known = fingerprint(FINDING, "", "handler", 0)
    assert names("", FINDING) == [known]
    assert len(known) == 32
    assert set(known) <= set("0123456789abcdef")


def test_the_algorithm_stays_the_same_because_baselines_hold_its_results() -> None:
    assert fingerprint(FINDING, "make('s3', 1)", "handler", 0) == (
        "4de2afd1073b8611ade1686a4ab54494"
    )
    name = replace(FINDING, path="src/bytes\udcff.py")
    assert fingerprint(name, "", "", 0) == "2eeb4d7c7d040682426a73077d78d45d"
