"""What GitLab, JUnit readers, reviewdog and scripts expect of the documents made for them."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step
from lambda_lint.reporters import FORMATS, Run, Summary, github, render, step_summary
from lambda_lint.reporters.edits import FileLines, Replacement, replacement

SCHEMAS = "LAMBDA_LINT_SCHEMAS"
SCHEMA_FILES = {"sarif": "sarif-schema-2.1.0.json", "rdjson": "rdjson/DiagnosticResult.json"}

FINDING = Finding(
    path="app.py",
    span=Span(2, 5, 2, 9),
    code="LMB101",
    rule="client-in-handler",
    category="client-per-invocation",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    message="a client",
    help="create it once",
    handlers=("app.py:handler",),
    witness=(Step("app.py", Span(1, 1, 1, 4), "handler `f`"),),
    fingerprint="0123456789abcdef0123456789abcdef",
)
UNREADABLE = replace(
    FINDING,
    path="gone.py",
    span=Span(1, 1, 1, 1),
    code="LMB900",
    rule="syntax-error",
    category="lint",
    severity=Severity.ERROR,
    message="the file cannot be read: Permission denied",
    help="",
    handlers=(),
    witness=(),
    fingerprint="00",
)
TEXT = "def f():\n    make()\n"


def run_of(*findings: Finding, text: str = TEXT, **changes: Any) -> Run:
    run = Run(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        summary=Summary(files_seen=2, files_parsed=2, handlers=1),
        source_lines=lambda path: () if path == "gone.py" else text.splitlines(keepends=True),
        version="0.1.0",
    )
    return replace(run, **changes)


def many(count: int) -> tuple[Finding, ...]:
    """Return findings with all that a finding can have, of all severities."""
    severities = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    return tuple(
        replace(
            FINDING,
            path=f"services/service_{number % 97}/handlers/app_{number % 11}.py",
            span=Span(number + 1, 5, number + 1, 9),
            severity=severities[number % 3],
            message=f"`boto3.client({number})` | is created in every invocation <b> @team",
            handlers=tuple(f"services/app_{each}.py:handler" for each in range(12)),
            witness=tuple(Step("app.py", Span(1, 1, 1, 4), f"step {each}") for each in range(8)),
            fix=Fix("create it once", False, (Edit(9, 9, "CLIENT = 1\n"),)),
            fingerprint=f"{number:032x}",
        )
        for number in range(count)
    )


RUNS = {
    "nothing": run_of(),
    "no handler": run_of(summary=Summary(files_seen=2)),
    "errors": run_of(errors=("rules/own.py:3: the rule `own` failed", "no\nmore")),
    "unreadable file": run_of(UNREADABLE, summary=Summary(2, 1, 1)),
    "a finding": run_of(FINDING, statistics=True),
    "everything": run_of(FINDING, UNREADABLE, errors=("it failed",), statistics=True),
    "several findings": run_of(*many(12), statistics=True),
}
LARGE = {
    "1 000 findings": run_of(*many(1000), statistics=True),
    "6 000 findings": run_of(*many(6000)),
}


def read_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "jsonl": read_lines,
    "sarif": json.loads,
    "gitlab": json.loads,
    "junit": ElementTree.fromstring,
    "rdjson": json.loads,
}


def read(form: str, run: Run, **look: Any) -> Any:
    return READERS[form](render(form, run, **look))


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("form", READERS)
def test_every_document_can_be_read_and_is_the_same_again(form: str, name: str) -> None:
    text = render(form, RUNS[name])
    assert READERS[form](text) is not None
    assert text.isascii()
    assert text.endswith("\n")
    assert render(form, RUNS[name]) == text


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("form", SCHEMA_FILES)
def test_documents_follow_the_official_schema(form: str, name: str) -> None:
    if SCHEMAS not in os.environ:
        pytest.skip(f"{SCHEMAS} does not name the folder with the official schemas")
    schema = json.loads(Path(os.environ[SCHEMAS], SCHEMA_FILES[form]).read_text("utf-8"))
    jsonschema.Draft4Validator(schema).validate(read(form, RUNS[name]))


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "html"])
@pytest.mark.parametrize("name", ["errors", "unreadable file", "everything"])
def test_no_format_passes_over_what_could_not_be_done(form: str, name: str) -> None:
    text = render(form, RUNS[name])
    wanted = {
        "errors": ["the rule `own` failed"],
        "unreadable file": ["Permission denied"],
        "everything": ["it failed", "Permission denied"],
    }[name]
    assert [part for part in wanted if part not in text] == []


MEGABYTE = 1_000_000


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize(
    ("form", "compressed", "limit"),
    [
        ("full", False, None),
        ("concise", False, None),
        ("json", False, None),
        ("jsonl", False, None),
        ("github", False, 64 * 1024),
        ("sarif", True, 10 * MEGABYTE),
        ("gitlab", False, 10 * MEGABYTE),
        ("junit", False, 30 * MEGABYTE),
        ("rdjson", False, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_many_findings_stay_within_the_limits(
    form: str, compressed: bool, limit: int | None, name: str
) -> None:
    start = time.process_time()
    text = render(form, LARGE[name])
    assert time.process_time() - start < 20, "it takes longer than in proportion"
    if form in READERS:
        assert READERS[form](text) is not None
    size = len(zlib.compress(text.encode())) if compressed else len(text)
    assert limit is None or size < limit


def test_github_takes_ten_of_a_kind_and_cuts_no_message() -> None:
    lines = render("github", LARGE["6 000 findings"]).splitlines()
    for level in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{level} ") for line in lines) == 10
    assert all(len(line.replace("%0A", "\n")) < github.MESSAGE for line in lines)
    assert lines[-2].endswith("more"), "how many are not even listed"


def test_github_lists_as_many_places_as_its_message_holds() -> None:
    long = [replace(one, message="x" * 300) for one in many(100)]
    (notice,) = [line for line in render("github", run_of(*long)).splitlines() if "one by" in line]
    listed = notice.replace("%0A", "\n").splitlines()
    assert len(notice) < github.MESSAGE + 200
    assert listed[0].endswith("71 more, which GitHub would not show one by one:")
    assert listed[-1] == f"and {71 - (len(listed) - 2)} more"


def test_sarif_leaves_out_the_least_when_a_document_is_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lambda_lint.reporters import sarif

    monkeypatch.setattr(sarif, "COMPRESSED", 20_000)
    monkeypatch.setattr(sarif, "_MARGIN", 0)
    text = render("sarif", LARGE["1 000 findings"])
    run = json.loads(text)["runs"][0]
    levels = [result["level"] for result in run["results"]]
    assert len(zlib.compress(text.encode())) <= 20_000
    assert 0 < len(levels) < 1000
    assert levels == sorted(levels, key=["error", "warning", "note"].index)
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith(f"{1000 - len(levels)} more results were left out")


def test_sarif_counts_notifications_that_nobody_would_read() -> None:
    gone = [replace(UNREADABLE, path=f"{number}.py") for number in range(1003)]
    run = json.loads(render("sarif", run_of(*gone, errors=("no",) * 1002)))["runs"][0]
    texts = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts[2000:] == ["2 more errors", "3 more files could not be analysed"]
    assert run["results"] == []


def test_json_lines_are_the_document_cut_in_lines() -> None:
    for run in RUNS.values():
        *findings, rest = read("jsonl", run)
        document = read("json", run)
        assert findings == document.pop("findings")
        assert rest == document
        assert all("code" in finding for finding in findings)
        assert "code" not in rest


def test_gitlab_gets_what_its_interface_shows() -> None:
    assert render("gitlab", RUNS["nothing"]) == "[]\n"
    assert render("gitlab", RUNS["no handler"]) == "[]\n", "no line is to blame: it goes to stderr"
    assert read("gitlab", run_of(FINDING)) == [
        {
            "description": "LMB101 client-in-handler: a client [app.py:handler]",
            "check_name": "client-in-handler",
            "fingerprint": "0123456789abcdef0123456789abcdef",
            "severity": "major",
            "location": {"path": "app.py", "lines": {"begin": 2}},
        }
    ]
    entries = read("gitlab", RUNS["everything"])
    assert [(one["severity"], one["location"]["path"]) for one in entries] == [
        ("blocker", "."),
        ("major", "app.py"),
        ("critical", "gone.py"),
    ]


@pytest.mark.parametrize("fingerprint", ["", "ab"])
def test_gitlab_fingerprints_are_unique_and_know_no_lines(fingerprint: str) -> None:
    def found(*lines: int) -> list[str]:
        twins = [replace(FINDING, span=Span(n, 1, n, 2), fingerprint=fingerprint) for n in lines]
        return [one["fingerprint"] for one in read("gitlab", run_of(*twins, errors=("a", "a")))]

    assert len(set(found(1, 2, 3))) == 5
    assert found(1, 2, 3) == found(11, 12, 13)


def cases(run: Run) -> list[tuple[str, str, str]]:
    """Return class, name and outcome of each test."""
    return [
        (case.get("classname", ""), case.get("name", ""), case[0].tag if len(case) else "passed")
        for case in read("junit", run).iter("testcase")
    ]


def test_junit_has_a_test_for_everything() -> None:
    info = replace(FINDING, span=Span(3, 1, 3, 2), severity=Severity.INFO)
    assert cases(RUNS["nothing"]) == [
        ("lambda-lint", "no findings in 2 files; 1 handler", "passed"),
    ]
    assert cases(RUNS["no handler"]) == [("lambda-lint", "handlers", "skipped")]
    assert cases(run_of(FINDING, info, UNREADABLE, errors=("no",))) == [
        ("lambda-lint", "error 1", "error"),
        ("app.py", "LMB101 client-in-handler", "failure"),
        ("app.py", "LMB101 client-in-handler (2)", "failure"),
        ("gone.py", "LMB900 syntax-error", "error"),
    ]


def test_junit_counts_right_and_has_no_times() -> None:
    root = read("junit", LARGE["6 000 findings"])
    names = [(suite.get("name"), case.get("name")) for suite in root for case in suite]
    assert len(set(names)) == 6000, "of equal names GitLab keeps the first"
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6000",
        "failures": "6000",
        "errors": "0",
        "skipped": "0",
    }
    attributes = {name for element in root.iter() for name in element.attrib}
    assert attributes & {"time", "timestamp", "hostname"} == set()


def test_junit_says_all_in_the_text_because_gitlab_shows_nothing_else() -> None:
    (failure,) = read("junit", run_of(FINDING)).iter("failure")
    assert failure.text == (
        "app.py:2:5: LMB101 a client\nreached from app.py:handler\n1. app.py:1: handler `f`\n"
        "help: create it once"
    )
    assert failure.attrib == {"message": "a client", "type": "warning"}


def diagnostic(finding: Finding, text: str = TEXT, **look: Any) -> dict[str, Any]:
    (found,) = read("rdjson", run_of(finding, text=text), **look)["diagnostics"]
    assert isinstance(found, dict)
    return found


def place(line: int, column: int, end_line: int, end_column: int) -> dict[str, Any]:
    return {
        "start": {"line": line, "column": column},
        "end": {"line": end_line, "column": end_column},
    }


@pytest.mark.parametrize(
    ("span", "text", "expected"),
    [
        (Span(2, 5, 2, 9), TEXT, place(2, 5, 2, 9)),
        (Span(1, 5, 1, 6), "s='𐐀b'\n", place(1, 8, 1, 9)),
        (Span(1, 3, 1, 4), "é= é\r\n", place(1, 4, 1, 5)),
        (Span(1, 1, 3, 2), "def é():\n  x\n  y\n", place(1, 1, 1, 10)),
        (Span(1, 7, 2, 1), "with a:\r\n  b\r\n", place(1, 7, 1, 8)),
        (Span(9, 1, 9, 2), TEXT, {"start": {"line": 9}, "end": {"line": 9}}),
    ],
    ids=[
        "ASCII",
        "a character of four bytes",
        "a character of two bytes",
        "a function: its first line, or a review shows it only where all of it was changed",
        "a line ending is no part of it",
        "a line that is not known has no columns",
    ],
)
def test_rdjson_counts_bytes(span: Span, text: str, expected: dict[str, Any]) -> None:
    found = diagnostic(replace(FINDING, span=span, witness=()), text)
    assert found["location"] == {"path": "app.py", "range": expected}


LONG = "".join(f"line_{number}\n" for number in range(1, 101))


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        ("a\nb\nc\n", (Edit(2, 3, "B"),), (2, 2, "B")),
        ("a\nb\nc\n", (Edit(0, 0, "new\n"), Edit(4, 5, "C")), (1, 3, "new\na\nb\nC")),
        ("a\nb\n", (Edit(2, 2, "new\n"),), (2, 2, "new\nb")),
        ("a\nb\n", (Edit(4, 4, "end\n"),), (2, 2, "b\nend")),
        ("a\nb", (Edit(3, 3, "\nend"),), (2, 2, "b\nend")),
        ("a\nb\nc\n", (Edit(2, 4, ""),), (2, 2, "")),
        ("a\nb\nc\n", (Edit(2, 3, ""),), (2, 3, "\nc")),
        ("a\nb\n", (Edit(2, 3, ""),), (1, 2, "a\n")),
        ("a\nb\nc\n", (Edit(1, 2, " + "),), (1, 2, "a + b")),
        ("a\r\nb\r\nc\r\n", (Edit(0, 1, "A\r\nA"), Edit(3, 4, "B")), (1, 2, "A\r\nA\r\nB")),
        ("a\nb\n", (Edit(0, 1, "a"),), None),
        ("a\nb\n", (), None),
        ("", (Edit(0, 0, "a\n"),), None),
        ("ab\n", (Edit(0, 2, "x"), Edit(1, 2, "y")), None),
        ("ab\n", (Edit(0, 9, "x"),), None),
    ],
    ids=[
        "one line",
        "two edits and the lines between them",
        "an insertion above a line repeats that line",
        "an insertion at the end of the file repeats the last line",
        "the same without a last line ending",
        "a line goes",
        "an empty line stays, which alone would look like a line that goes",
        "an empty line stays at the end of the file",
        "two lines are joined",
        "line endings are those of the file",
        "nothing changes",
        "no edit",
        "an empty file has no line to replace",
        "edits that overlap",
        "an edit outside of the file",
    ],
)
def test_a_fix_as_one_replacement_of_whole_lines(
    text: str, edits: tuple[Edit, ...], expected: tuple[int, int, str] | None
) -> None:
    found = replacement(FileLines.of(text.splitlines(keepends=True)), Fix("title", True, edits))
    assert found == (expected and Replacement(*expected))


@pytest.mark.parametrize(
    ("fix", "lines", "words"),
    [
        (Fix("do it", True, (Edit(0, 6, "x"),)), (1, 1), "suggested safe fix: do it"),
        (
            Fix("do it", False, (Edit(0, 6, "x"),)),
            (1, 1),
            "suggested unsafe fix: do it; it may change what the code does, so read it before you "
            "apply it",
        ),
        (
            Fix("do it", True, (Edit(0, 0, "x\n"), Edit(LONG.index("line_25"), 189, "y"))),
            (1, 25),
            "suggested safe fix: do it",
        ),
        (
            Fix("do it", True, (Edit(0, 0, "x\n"), Edit(LONG.index("line_26"), 197, "y"))),
            None,
            "safe fix: do it (`lambda-lint check --fix`)",
        ),
        (
            Fix("do it", False, (Edit(0, 0, "x\n"), Edit(LONG.index("line_99"), 790, "y"))),
            None,
            "unsafe fix: do it; it may change what the code does, so read it before you apply it "
            "(`lambda-lint check --fix --unsafe-fixes`)",
        ),
    ],
    ids=["safe", "unsafe", "as far apart as may be", "too far apart", "unsafe and too far apart"],
)
def test_rdjson_suggests_what_can_be_shown(
    fix: Fix, lines: tuple[int, int] | None, words: str
) -> None:
    found = diagnostic(replace(FINDING, fix=fix), LONG)
    suggestions = found.get("suggestions", [])
    expected = lines and {"start": {"line": lines[0]}, "end": {"line": lines[1]}}
    assert [one["range"] for one in suggestions] == ([expected] if expected else [])
    assert found["message"].splitlines()[-1] == words


@pytest.mark.parametrize(("line", "suggested"), [(2, True), (3, False)])
def test_rdjson_suggests_in_gitlab_only_from_the_reported_line(line: int, suggested: bool) -> None:
    fix = Fix("do it", True, (Edit(LONG.index("line_2"), LONG.index("line_2"), "x\n"),))
    finding = replace(FINDING, span=Span(line, 1, line, 3), fix=fix)
    assert ("suggestions" in diagnostic(finding, LONG, in_gitlab_ci=True)) is suggested
    assert "suggestions" in diagnostic(finding, LONG)


def test_rdjson_tells_the_rest() -> None:
    finding = replace(
        FINDING,
        url="https://example.org/a",
        help="create it once:\n\n    CLIENT = make()\n\nand no more",
        handlers=tuple(f"app.py:f{number}" for number in range(7)),
    )
    found = diagnostic(finding)
    assert found["code"] == {"value": "LMB101", "url": "https://example.org/a"}
    assert found["severity"] == "WARNING"
    assert found["related_locations"] == [
        {"message": "handler `f`", "location": {"path": "app.py", "range": place(1, 1, 1, 4)}}
    ]
    assert found["message"] == (
        "a client\n"
        "reached from `app.py:f0`, `app.py:f1`, `app.py:f2`, `app.py:f3`, `app.py:f4` and 2 more\n"
        "\n"
        "help: create it once:\n"
        "\n"
        "```python\nCLIENT = make()\n```\n"
        "\n"
        "and no more"
    )
    errors = read("rdjson", RUNS["errors"])["diagnostics"]
    assert errors[0] == {"message": "rules/own.py:3: the rule `own` failed", "severity": "ERROR"}


def test_the_step_summary_has_room_for_what_fits() -> None:
    run = LARGE["6 000 findings"]
    full = step_summary.render(run, 100 * MEGABYTE)
    assert full.count("\n| ") == 6000 + 2, "a row for each, the head and the line below it"
    capped = step_summary.render(run, step_summary.LIMIT)
    assert len(capped.encode()) <= step_summary.LIMIT
    rows = [
        line for line in capped.splitlines() if line.startswith(("| error", "| warning", "| i"))
    ]
    assert rows[0].startswith("| error")
    assert capped.endswith(
        f"\n{6000 - len(rows)} more findings left out: a summary has no room for more.\n"
    )
    assert step_summary.render(run, 100) == ""
    assert "1 more finding left out" in step_summary.render(run_of(FINDING), 320)


def test_the_step_summary_is_a_table() -> None:
    linked = replace(FINDING, url="https://example.org/rules/a_b.md")
    assert step_summary.render(run_of(linked, statistics=True, errors=("it @failed",)), 10_000) == (
        "\n### lambda-lint\n\n1 finding (1 warning) in 1 of 2 files; 1 handler\n\n"
        "- **error:** it <code>&#64;failed</code>\n\n"
        "| Count | Rule | With a fix |\n| ---: | --- | ---: |\n"
        "| 1 | LMB101 client-in-handler | 0 |\n\n"
        "| Rule | Place | Finding | Reached from |\n| --- | --- | --- | --- |\n"
        "| warning [LMB101 client-in-handler](https://example.org/rules/a_b.md) "
        "| <code>app&#46;py&#58;2&#58;5</code> | a client "
        "| <code>app&#46;py&#58;handler</code> |\n"
    )
    nothing = step_summary.render(RUNS["nothing"], 10_000)
    assert nothing == "\n### lambda-lint\n\nno findings in 2 files; 1 handler\n\n"
