"""What programs expect of the formats made for them: GitHub, viewers of SARIF, scripts.

The whole documents are in `golden/`, kept true by test_reporters.py.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest

from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step
from lambda_lint.reporters import Run, Summary, render
from lambda_lint.reporters.line_hash import LineHashes
from lambda_lint.rule import Rule

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = "LAMBDA_LINT_SCHEMAS"
DOCUMENTS = sorted(file.name for file in GOLDEN.glob("*.sarif.txt"))

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
)


def run_of(*findings: Finding, text: str = "", **changes: Any) -> Run:
    run = Run(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        summary=Summary(files_seen=2, files_parsed=2, handlers=1),
        source_lines=lambda _: text.splitlines(keepends=True),
    )
    return replace(run, **changes)


def sarif(run: Run) -> dict[str, Any]:
    """Return the only run of the document."""
    document: dict[str, Any] = json.loads(render("sarif", run))
    found: dict[str, Any] = document["runs"][0]
    return found


def many(count: int, severity: Severity) -> list[Finding]:
    return [
        replace(FINDING, path=f"{severity.value}.py", span=Span(n, 1, n, 2), severity=severity)
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_sarif_follows_the_standard(name: str) -> None:
    if SCHEMAS not in os.environ:
        pytest.skip(f"{SCHEMAS} does not name the folder with the official schemas")
    schema = Path(os.environ[SCHEMAS], "sarif-schema-2.1.0.json").read_text("utf-8")
    document = json.loads((GOLDEN / name).read_text("utf-8"))
    jsonschema.Draft4Validator(json.loads(schema)).validate(document)


def everything_in(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from everything_in(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from everything_in(item, f"{path}/{index}")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_sarif_has_what_github_asks_for_beyond_the_standard(name: str) -> None:
    document = json.loads((GOLDEN / name).read_text("utf-8"))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = document["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["automationDetails"] == {"id": "lambda-lint/"}
    assert [path for path, value in everything_in(document) if value == ""] == []
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] == region["endLine"]
        assert region["startColumn"] < region["endColumn"]
        assert re.fullmatch(
            "[0-9a-f]+:[0-9]+", result["partialFingerprints"]["primaryLocationLineHash"]
        )
        assert re.fullmatch("[0-9a-f]{32}", result["partialFingerprints"]["lambdaLint/v1"])


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "with space/функция.py",
        "a%0A::error::x,y:z.py",
        "C:/windows.py",
        "nl\nname.py",
        "bytes\udcff.py",
        "half\ud800.py",
        "q?u#e.py",
    ],
)
def test_sarif_names_a_file_byte_for_byte(path: str) -> None:
    (result,) = sarif(run_of(replace(FINDING, path=path)))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9_.~/%-]+", uri), "a colon would look like a scheme"
    assert unquote_to_bytes(uri) in {
        path.encode("utf-8", "surrogateescape" if "\udcff" in path else "surrogatepass")
    }


def test_sarif_writes_an_absolute_path_as_a_file() -> None:
    (result,) = sarif(run_of(replace(FINDING, path="/a b/c.py")))["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "file:///a%20b/c.py"}


def test_sarif_keeps_the_worst_results_and_says_how_many_it_left_out() -> None:
    run = sarif(
        run_of(*many(3, Severity.INFO), *many(4998, Severity.WARNING), *many(2, Severity.ERROR))
    )
    levels = [result["level"] for result in run["results"]]
    assert levels == ["error"] * 2 + ["warning"] * 4998
    texts = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts == [
        "3 more results were left out: GitHub keeps 5000 of one run, and takes no document of "
        "more than 10 MB after gzip"
    ]


def test_sarif_tells_failures_apart_from_results() -> None:
    unparsed = replace(FINDING, code="LMB900", rule="syntax-error", message="line 3 is no Python")
    run = sarif(run_of(unparsed, errors=("the rule `own` failed",), summary=Summary(1)))
    assert run["results"] == []
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [one["message"]["text"] for one in invocation["toolExecutionNotifications"]] == [
        "the rule `own` failed",
        "line 3 is no Python\nhelp: create it once",
        "no Lambda handler was found, so nothing can be concluded from missing results",
    ]
    assert sarif(run_of(unparsed))["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("title", "page", "short", "full"),
    [
        ("Title", "Title.\n\nWhat it is.\n", "Title", "What it is."),
        ("Title", "Title\n\n## Why\n\n```python\nx\n```\n\nBecause\nso.", "Title", "Because so."),
        ("Title", "", "Title", "Title"),
        ("", "", "client-in-handler", "client-in-handler"),
        ("t" * 2000, "t" * 2000, "t" * 1023 + "…", "t" * 1023 + "…"),
    ],
    ids=["page", "headings and code are skipped", "no page", "nothing at all", "too long"],
)
def test_sarif_describes_a_rule(title: str, page: str, short: str, full: str) -> None:
    rule = Rule(
        code="LMB101",
        slug="client-in-handler",
        category="client-per-invocation",
        severity=Severity.INFO,
        title=title,
        page=page,
        path="rules/client_in_handler.py",
        entity=None,
        check=lambda _entity: iter(()),
    )
    (described,) = sarif(run_of(rules=(rule,)))["tool"]["driver"]["rules"]
    assert described["shortDescription"] == {"text": short}
    assert described["fullDescription"] == {"text": full}
    assert described["defaultConfiguration"] == {"level": "note"}
    assert described["properties"]["tags"] == ["aws-lambda", "client-per-invocation"]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("`x[0]` stays", "`x[0]` stays"),
        ("[a](1) and [b](https://evil.example)", r"\[a](1) and \[b](https://evil.example)"),
        ("name bytes\udcff.py", r"name bytes\udcff.py"),
    ],
)
def test_sarif_makes_no_link_of_linted_text(message: str, text: str) -> None:
    (result,) = sarif(run_of(replace(FINDING, message=message, help="")))["results"]
    assert result["message"]["text"] == text


def test_a_long_way_keeps_its_start_and_its_end() -> None:
    steps = tuple(Step("app.py", Span(n, 1, n, 2), f"step {n}") for n in range(1, 203))
    run = run_of(replace(FINDING, witness=steps, help=""))
    (result,) = sarif(run)["results"]
    told = result["message"]["text"].split("\n")
    assert told[1:] == [
        *(f"{n}. [step {n}]({n})" for n in range(1, 9)),
        "(186 steps in between)",
        *(f"{n}. [step {n}]({n})" for n in range(195, 203)),
    ]
    related = [one["id"] for one in result["relatedLocations"]]
    assert related == [*range(1, 51), *range(153, 203)]
    (flow,) = result["codeFlows"][0]["threadFlows"]
    assert len(flow["locations"]) == 202
    (diagnostic,) = json.loads(render("rdjson", run))["diagnostics"]
    shown = [one["message"] for one in diagnostic["related_locations"]]
    assert shown == [f"step {n}" for n in (*range(1, 11), *range(193, 203))]


def test_sarif_links_the_steps_and_replays_them() -> None:
    steps = (
        Step("a.py", Span(1, 1, 1, 2), "handler `[x]`"),
        Step("b.py", Span(4, 3, 6, 1), "calls it"),
    )
    (result,) = sarif(run_of(replace(FINDING, witness=steps)))["results"]
    assert result["message"]["text"] == (
        "a client\n1. [handler `\\[x\\]`](1)\n2. [calls it](2)\nhelp: create it once"
    )
    (flow,) = result["codeFlows"][0]["threadFlows"]
    replayed = [one["location"] for one in flow["locations"]]
    assert [one["message"]["text"] for one in replayed] == ["handler `[x]`", "calls it"]
    assert [{"id": n, **one} for n, one in enumerate(replayed, 1)] == result["relatedLocations"]


@pytest.mark.parametrize(
    ("edit", "region", "inserted"),
    [
        (Edit(0, 0, "x\n"), (1, 1, 1, 1), {"text": "x\n"}),
        (Edit(4, 6, "y"), (2, 1, 2, 3), {"text": "y"}),
        (Edit(3, 9, ""), (1, 4, 3, 1), None),
        (Edit(9, 9, "end"), (3, 1, 3, 1), {"text": "end"}),
    ],
    ids=["insertion", "replacement", "deletion over a line ending", "end of the file"],
)
def test_sarif_gives_a_fix_in_lines(
    edit: Edit, region: tuple[int, ...], inserted: dict[str, str] | None
) -> None:
    finding = replace(FINDING, fix=Fix("do it", True, (edit,)))
    (result,) = sarif(run_of(finding, text="ab\r\nçdef\n"))["results"]
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert tuple(replacement["deletedRegion"].values()) == region
    assert replacement.get("insertedContent") == inserted


END = "c129715d7a2bc9a3:1"


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", [END, None]),
        ("x = 1\ny = 2\n", ["5ceeb771b3aff0bd:1", "ab1f8ed3e7dc41c1:1", END, None]),
        ("x  =\t1\r\ny=2\r\n", ["5ceeb771b3aff0bd:1", "ab1f8ed3e7dc41c1:1", END, None]),
        ("x=1\r \ny=2", ["54b8786aa0b79905:1", "d5dbf2bdffdc6d89:1", "f0a9ef6ffbbb4263:1", None]),
        ("s = '🦊'\n", ["25c37e3e53ed621f:1", END, None]),
        (
            "pass\n" * 22,
            [
                "ce93db9bf14334ac:1",
                "ce93db9bf14334ac:2",
                "ce93db9bf14334ac:3",
                "ce93dbb87d4741ea:1",
            ],
        ),
        ("\u0a00\x01 = 1\n", ["bacebb8b1d97434:1", END, None]),
    ],
    ids=[
        "empty file",
        "two lines",
        "blanks and the kind of line ending do not count",
        "a carriage return and a line feed apart end two lines",
        "a character of two units",
        "repeated lines are numbered until the end of the file comes into sight",
        "a unit that holds a line feed in one of its bytes",
    ],
)
def test_the_hash_of_a_line_is_the_one_github_computes(text: str, hashes: list[str | None]) -> None:
    # The expected values come from running GitHub's own algorithm on these texts.
    computed = LineHashes(text)
    assert [computed.of(line) for line in range(1, len(hashes) + 1)] == hashes
    assert computed.of(0) is None


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does (actions/runner, ActionCommand.cs)."""
    assert line.startswith("::")
    end = line.index("::", 2)
    command, _, properties = line[2:end].partition(" ")
    pairs = (pair.split("=", 1) for pair in properties.split(","))
    return command, {name: unescaped(value) for name, value in pairs}, unescaped(line[end + 2 :])


def unescaped(text: str) -> str:
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(escape, character)
    return text.replace("%25", "%")


def commands(run: Run) -> list[tuple[str, dict[str, str], str]]:
    return [parsed(line) for line in render("github", run).splitlines()[:-1]]


@pytest.mark.parametrize(
    "path", ["a%0A::error::x,y:z.py", "nl\nname\r.py", "100%.py", "%250A.py", "with space/é,.py"]
)
def test_github_names_the_file_whatever_it_is_called(path: str) -> None:
    finding = replace(FINDING, path=path, message="100%: ::error::\r\nx", help="")
    assert commands(run_of(finding)) == [
        (
            "warning",
            {
                "file": path,
                "line": "2",
                "endLine": "2",
                "col": "5",
                "endColumn": "9",
                "title": "LMB101 client-in-handler",
            },
            r"100%: ::error::\x0d\x0ax",
        )
    ]


def test_github_gets_the_first_line_of_several() -> None:
    several = replace(FINDING, span=Span(2, 5, 4, 1))
    ((_, properties, _),) = commands(run_of(several, text="a\nb = [\r\n  1,\n]\n"))
    assert properties == {
        "file": "app.py",
        "line": "2",
        "endLine": "2",
        "col": "5",
        "endColumn": "6",
        "title": "LMB101 client-in-handler",
    }


@pytest.mark.parametrize(
    ("infos", "warnings", "errors", "levels", "rest"),
    [
        (2, 1, 1, ["error", "warning", "notice", "notice"], []),
        (10, 0, 0, ["notice"] * 10, []),
        (11, 0, 0, ["notice"] * 10, ["info.py:10:1", "info.py:11:1"]),
        (
            0,
            12,
            10,
            ["error"] * 10 + ["warning"] * 10 + ["notice"],
            ["warning.py:11:1", "warning.py:12:1"],
        ),
        (10, 0, 11, ["error"] * 10 + ["notice"] * 10, ["error.py:11:1", "info.py:10:1"]),
    ],
    ids=["few", "as many as fit", "the notice takes a place", "two levels", "rest of two levels"],
)
def test_github_shows_the_worst_and_lists_the_rest(
    infos: int, warnings: int, errors: int, levels: list[str], rest: list[str]
) -> None:
    found = commands(
        run_of(
            *many(infos, Severity.INFO),
            *many(warnings, Severity.WARNING),
            *many(errors, Severity.ERROR),
        )
    )
    assert [level for level, _, _ in found] == levels
    listed = found[-1][2].splitlines()[1:] if rest else []
    assert [line.split()[0] for line in listed] == rest


def test_github_says_what_could_not_be_done_before_anything_else() -> None:
    found = commands(run_of(*many(20, Severity.ERROR), errors=("it failed",), summary=Summary(2)))
    assert found[0] == ("error", {"title": "lambda-lint"}, "it failed")
    assert [text for level, _, text in found if level == "warning"] == [
        "20 findings (20 errors) in 1 of 2 files; no handler was found, so nothing can be "
        "concluded about the rest"
    ]


def test_json_says_everything() -> None:
    finding = replace(
        FINDING,
        path="bytes\udcff \x1b.py",
        handlers=("a.py:handler",),
        witness=(Step("a.py", Span(1, 2, 3, 4), "handler"),),
        fix=Fix("do it", False, (Edit(3, 4, "é"),)),
        url="https://example.org",
        fingerprint="ab",
    )
    text = render("json", run_of(finding, errors=("no",), statistics=True))
    assert text.isascii()
    assert json.loads(text) == {
        "schema": 1,
        "version": "",
        "findings": [
            {
                "path": "bytes\udcff \x1b.py",
                "line": 2,
                "column": 5,
                "end_line": 2,
                "end_column": 9,
                "code": "LMB101",
                "rule": "client-in-handler",
                "category": "client-per-invocation",
                "severity": "warning",
                "confidence": "high",
                "message": "a client",
                "help": "create it once",
                "handlers": ["a.py:handler"],
                "witness": [
                    {
                        "path": "a.py",
                        "line": 1,
                        "column": 2,
                        "end_line": 3,
                        "end_column": 4,
                        "message": "handler",
                    }
                ],
                "fix": {
                    "title": "do it",
                    "applicability": "unsafe",
                    "safe": False,
                    "edits": [{"start": 3, "end": 4, "text": "é"}],
                },
                "url": "https://example.org",
                "fingerprint": "ab",
            }
        ],
        "summary": {
            "findings": 1,
            "error": 0,
            "warning": 1,
            "info": 0,
            "fixable": 1,
            "files_seen": 2,
            "files_parsed": 2,
            "files_with_findings": 1,
            "handlers": 1,
            "statistics": [
                {"code": "LMB101", "rule": "client-in-handler", "count": 1, "fixable": 1}
            ],
        },
        "errors": ["no"],
    }
