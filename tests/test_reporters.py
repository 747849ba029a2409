"""The output formats, over runs made by hand.

What a format looks like as a whole is kept in `golden/`; what it must never do stands in the
tables below. Set LAMBDA_LINT_UPDATE_GOLDEN=1 to write the golden files anew, and read the
difference before committing it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step
from lambda_lint.reporters import FORMATS, Run, Summary, render
from lambda_lint.reporters.edits import FileLines, hunks
from lambda_lint.rule import Rule

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "LAMBDA_LINT_UPDATE_GOLDEN"

APP = '''\
"""Orders."""

import json

from shop import store


def handler(event, context):
    order = store.load(event["id"])
    return {"statusCode": 200, "body": json.dumps(order)}
'''

STORE = '''\
import os

import boto3

TABLE = os.environ["TABLE"]


def load(order_id):
    """Read one order."""
    table = boto3.resource("dynamodb")
    return table.Table(TABLE).get_item(Key={"id": order_id})["Item"]
'''

HOSTILE = (
    "x = 1  ##[stop-commands]x\n"
    "::error::y = '\x1b[2J\x1b]8;;https://evil.example\x1b\\' + \"\u202egnp.exe\"\n"
    "\tz\t= client(  '日本語', '[red]')\t# ##[add-mask]\n"
    "[/] [link=https://evil.example]a[/link]\x0c\x9b\n"
)

FILES = {"src/app.py": APP, "src/shop/store.py": STORE}


def span_of(text: str, part: str) -> Span:
    """Return where a part stands in a text; it must not cross lines."""
    at = text.index(part)
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Span(line, column, line, column + len(part))


def never(_entity: object) -> Iterator[Any]:
    yield from ()


RULE = Rule(
    code="LMB101",
    slug="client-in-handler",
    category="client-per-invocation",
    severity=Severity.WARNING,
    title="A client is created in every invocation",
    page=(
        "A client is created in every invocation.\n\n"
        "## Why\n\nIt opens a new\nconnection each time.\n\n```python\nbad()\n```\n"
    ),
    path="rules/client_in_handler.py",
    entity=None,
    check=never,
    url="https://example.org/rules/client-in-handler.md",
)

FINDING = Finding(
    path="src/shop/store.py",
    span=span_of(STORE, 'boto3.resource("dynamodb")'),
    code="LMB101",
    rule="client-in-handler",
    category="client-per-invocation",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    message='`boto3.resource("dynamodb")` is created in every invocation',
    help='create it once, at module level:\n\n    DYNAMODB = boto3.resource("dynamodb")',
    handlers=("src/app.py:handler",),
    witness=(
        Step("src/app.py", span_of(APP, "handler"), "handler `handler`"),
        Step("src/app.py", span_of(APP, 'store.load(event["id"])'), "calls `load`"),
        Step("src/shop/store.py", span_of(STORE, 'boto3.resource("dynamodb")'), "creates it here"),
    ),
    fix=Fix(
        "create it at module level",
        safe=True,
        edits=(
            Edit(
                STORE.index("TABLE ="),
                STORE.index("TABLE ="),
                'DYNAMODB = boto3.resource("dynamodb")\n',
            ),
            Edit(
                STORE.index('boto3.resource("dynamodb")'),
                STORE.index('boto3.resource("dynamodb")') + len('boto3.resource("dynamodb")'),
                "DYNAMODB",
            ),
        ),
    ),
    url="https://example.org/rules/client-in-handler",
    fingerprint="0123456789abcdef0123456789abcdef",
)

UNPARSED = replace(
    FINDING,
    path="src/broken.py",
    span=Span(7, 1, 7, 1),
    code="LMB900",
    rule="syntax-error",
    category="lint",
    severity=Severity.ERROR,
    message="the file cannot be parsed: unexpected indent",
    help="",
    handlers=(),
    witness=(),
    fix=None,
    url="",
)

NAMES = (
    "a%0A::error::x,y:z.py",
    "nl\nname\r.py",
    "esc\x1b[2J\u202e.py",
    "bytes\udcff.py",
    "with space/функция é.py",
)


def plain(path: str, span: Span, severity: Severity = Severity.WARNING) -> Finding:
    return replace(
        FINDING,
        path=path,
        span=span,
        severity=severity,
        witness=(),
        fix=None,
        url="",
        help="",
        handlers=(f"{path}:handler",),
    )


def lines_of(path: str) -> Sequence[str]:
    text = FILES.get(path, HOSTILE if path in NAMES else "")
    return tuple(re.findall(r"[^\n]*\n", text))


def run_of(*findings: Finding, **changes: Any) -> Run:
    run = Run(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        summary=Summary(files_seen=14, files_parsed=9, handlers=3),
        rules=(RULE,),
        source_lines=lines_of,
        version="0.1.0",
    )
    return replace(run, **changes)


RUNS = {
    "nothing": run_of(),
    "no-handler": run_of(summary=Summary(files_seen=14)),
    "witness": run_of(
        FINDING,
        UNPARSED,
        replace(
            plain("src/app.py", Span(8, 1, 10, 1), Severity.INFO), confidence=Confidence.MEDIUM
        ),
        statistics=True,
        errors=("rules/own.py:3: the rule `own` failed on src/app.py: report it to its author",),
    ),
    "hostile": run_of(
        *(plain(path, Span(1, 1, 1, 6)) for path in NAMES),
        replace(
            plain(NAMES[0], Span(3, 6, 3, 12), Severity.ERROR),
            message="\x1b[31m[red]text[/] ##[error]\u202e [link](https://evil.example)",
            help="::error::do\n\t::warning::this\x1b[0m",
            witness=(
                Step(NAMES[2], Span(2, 1, 2, 9), "::notice::\x07first"),
                Step(NAMES[0], Span(3, 5, 3, 11), "a [0] b \\ ##[x]\n::y"),
            ),
        ),
    ),
}

HUMAN = ("full", "concise")


@pytest.mark.parametrize("name", RUNS)
# Nobody could read a difference of the page; test_html_report.py says what is in it.
@pytest.mark.parametrize("form", [one for one in FORMATS if one != "html"])
def test_golden(form: str, name: str) -> None:
    text = render(form, RUNS[name], width=100)
    if form == "sarif":
        # The document itself is compact; nobody could read a difference of it.
        text = json.dumps(json.loads(text), indent=2) + "\n"
    file = GOLDEN / f"{name}.{form}.txt"
    if os.environ.get(UPDATE) == "1":
        file.write_bytes(text.encode("utf-8"))
    assert file.is_file(), f"{file} is missing: run the tests once with {UPDATE}=1"
    assert text == file.read_bytes().decode("utf-8"), (
        f"the format {form} changed: if that is meant, run the tests with {UPDATE}=1, "
        f"and read the difference of {file.name}"
    )


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'xml': choose one of full, concise, json, "):
        render("xml", RUNS["nothing"])


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "full"])
def test_rich_is_loaded_for_the_full_format_alone(form: str) -> None:
    code = (
        "import sys; from lambda_lint.reporters import Run, render; "
        f"render({form!r}, Run()); sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", RUNS)
def test_nothing_of_a_linted_file_reaches_the_terminal_as_a_control(
    name: str, form: str, color: bool
) -> None:
    text = render(form, RUNS[name], color=color, hyperlinks=True)
    ours = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;https://example\.org/[!-~]*\x1b\\|\x1b\]8;;\x1b\\")
    left = ours.sub("", text) if color and form == "full" else text
    assert re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left) == []
    assert text.encode("utf-8").endswith(b"\n")


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", RUNS)
def test_the_runner_of_github_obeys_no_linted_text(name: str, form: str, color: bool) -> None:
    text = render(form, RUNS[name], color=color, in_github_actions=True)
    assert "##[" not in text
    if form != "github":
        assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []


@pytest.mark.parametrize("form", HUMAN)
@pytest.mark.parametrize("name", RUNS)
def test_ascii_only_is_ascii(name: str, form: str) -> None:
    assert render(form, RUNS[name], ascii_only=True).isascii()


@pytest.mark.parametrize("name", RUNS)
def test_colours_change_nothing_but_colours(name: str) -> None:
    colored = render("full", RUNS[name], color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render("full", RUNS[name])


@pytest.mark.parametrize(
    ("url", "color", "hyperlinks", "linked"),
    [
        ("https://example.org/a", True, True, True),
        ("https://example.org/a", True, False, False),
        ("https://example.org/a", False, True, False),
        ("https://example.org/\x1b\\a", True, True, False),
        ("javascript:alert(1)", True, True, False),
    ],
)
def test_the_code_is_a_link_on_a_terminal_only(
    url: str, color: bool, hyperlinks: bool, linked: bool
) -> None:
    run = run_of(replace(FINDING, url=url))
    text = render("full", run, color=color, hyperlinks=hyperlinks)
    assert (f"\x1b]8;;{url}\x1b\\" in text) is linked
    assert ("\x1b]8" in text) is linked
    assert render("full", run, color=color, hyperlinks=hyperlinks) == text


@pytest.mark.parametrize("form", HUMAN)
@pytest.mark.parametrize(
    ("run", "last"),
    [
        (run_of(), "no findings in 14 files; 3 handlers"),
        (
            run_of(summary=Summary(1, 1, 1), errors=("no",)),
            "no findings, but not everything was checked: 1 file; 1 handler",
        ),
        (
            run_of(summary=Summary(files_seen=2)),
            "no findings, but no handler was found in 2 files either, so nothing can be "
            "concluded: name the handlers in the configuration",
        ),
        (
            run_of(UNPARSED, summary=Summary(files_seen=2)),
            "1 finding (1 error) in 1 of 2 files; no handler was found, so nothing can be "
            "concluded about the rest",
        ),
        (
            run_of(
                FINDING, UNPARSED, plain("b.py", Span(1, 1, 1, 2)), plain("b.py", Span(2, 1, 2, 2))
            ),
            "4 findings (1 error, 3 warnings) in 3 of 14 files; 3 handlers",
        ),
    ],
    ids=["clean", "errors", "no handler", "only unreadable files", "findings"],
)
def test_the_last_line_says_what_was_looked_at(form: str, run: Run, last: str) -> None:
    assert render(form, run).splitlines()[-1] == last


def test_concise_has_one_line_for_each_finding() -> None:
    several = replace(FINDING, handlers=("a.py:one", "b.py:two", "c.py:three"))
    text = render("concise", run_of(several, UNPARSED, errors=("a\nb",), statistics=True))
    assert text.splitlines() == [
        "src/broken.py:7:1: LMB900 the file cannot be parsed: unexpected indent",
        'src/shop/store.py:10:13: LMB101 `boto3.resource("dynamodb")` is created in every '
        "invocation [a.py:one and 2 more]",
        r"error: a\x0ab",
        "1  LMB101  client-in-handler  (1 with a fix)",
        "1  LMB900  syntax-error",
        "2 findings (1 error, 1 warning) in 2 of 14 files; 3 handlers",
    ]


def frame_of(line: str, span: Span, **options: Any) -> tuple[str, str]:
    """Return the shown line and what is shown of it above the carets."""
    finding = replace(plain("one.py", span), message="label")
    text = render("full", run_of(finding, source_lines=lambda _: (line,)), **options)
    code, carets = next(
        (above, below)
        for above, below in zip(text.splitlines(), text.splitlines()[1:], strict=False)
        if "^" in below
    )
    first = cell_len(carets[: carets.index("^")])
    last = first + carets.count("^")
    under, cell = "", 0
    for character in code:
        if first <= cell < last:
            under += character
        cell += cell_len(character)
    return code.split(" ", 2)[2], under


LONG = "call(" + ", ".join(f"argument_{number}" for number in range(60)) + ")\n"


@pytest.mark.parametrize(
    ("line", "span", "shown", "under"),
    [
        ("x = make()\n", Span(1, 5, 1, 11), "x = make()", "make()"),
        ("\tx\t= make()\r\n", Span(1, 6, 1, 10), "    x   = make()", "make"),
        ("s = '日本'; make()\n", Span(1, 11, 1, 15), "s = '日本'; make()", "make"),
        ("s = '日本'\n", Span(1, 6, 1, 8), "s = '日本'", "日本"),
        ("e\u0301 = make()\n", Span(1, 6, 1, 10), "e\u0301 = make()", "make"),
        ("s = '\x1b'; make()\n", Span(1, 10, 1, 14), r"s = '\x1b'; make()", "make"),
        ("s = '\x1b'\n", Span(1, 6, 1, 7), r"s = '\x1b'", r"\x1b"),
        ("make(\n", Span(1, 1, 3, 2), "make(", "make("),
        ("make()\n", Span(1, 1, 1, 1), "make()", "m"),
        ("make()\n", Span(1, 7, 1, 7), "make()", ""),
        ("make()\n", Span(1, 70, 1, 90), "make()", ""),
    ],
    ids=[
        "plain",
        "tabs go to the next stop of four",
        "wide characters before take two cells",
        "wide characters underlined",
        "a combining accent takes none",
        "an escaped control before",
        "an escaped control underlined",
        "a region of several lines: its first line",
        "an empty region still shows one caret",
        "the end of the line",
        "a column that the line does not have",
    ],
)
def test_carets_stand_under_what_is_meant(line: str, span: Span, shown: str, under: str) -> None:
    assert frame_of(line, span) == (shown, under)


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("argument", [0, 7, 30, 59])
@pytest.mark.parametrize(("ascii_only", "ellipsis"), [(False, "…"), (True, "...")])
def test_a_long_line_is_cut_around_the_caret(
    width: int, argument: int, ascii_only: bool, ellipsis: str
) -> None:
    name = f"argument_{argument}"
    span = span_of(LONG, f"{name}," if argument < 59 else f"{name})")
    span = span._replace(end_column=span.end_column - 1)
    shown, under = frame_of(LONG, span, width=width, ascii_only=ascii_only)
    assert under == name
    assert shown.startswith(ellipsis) is (argument > 0 and "call(" not in shown)
    assert shown.endswith(ellipsis) is (argument < 59)
    assert len(shown) <= width - len("1 | ")


def test_a_line_of_a_megabyte_costs_no_more_than_what_is_shown() -> None:
    line = "x = 1; " * 150_000
    assert frame_of(line, Span(1, 700_001, 1, 700_002), width=60)[1] == "x"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("name", ["witness", "hostile"])
def test_no_row_is_wider_than_the_terminal(name: str, width: int) -> None:
    text = render("full", RUNS[name], width=width)
    # Code to copy is never wrapped, nor places to click on, nor tables and the last line.
    free = ("    DYNAMODB =", "-->", "src/app.py", "(1 with a fix)", "; 3 handlers")
    wide = [
        line
        for line in text.splitlines()
        if cell_len(line) > width and not any(part in line for part in free)
    ]
    assert [line for line in wide if " " in line.strip()] == []


@pytest.mark.parametrize(("claimed", "used"), [(0, 80), (-1, 80), (5, 40)])
def test_a_width_that_cannot_be_is_replaced(claimed: int, used: int) -> None:
    assert render("full", RUNS["witness"], width=claimed) == render(
        "full", RUNS["witness"], width=used
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"witness": ()}, "^^ `boto3.resource"),
        ({"witness": FINDING.witness[-1:]}, "^^ creates it here"),
        ({}, "^^ 3 creates it here"),
        ({"witness": FINDING.witness[:2]}, "-- 2 calls `load`"),
        ({"handlers": ("a.py:one", "b.py:two")}, "note: reached from 2 handlers: a.py:one, b.py"),
        ({"confidence": Confidence.LOW}, "note: low confidence"),
        ({"fix": Fix("x", False, ())}, "unsafe fix available with --fix --unsafe-fixes: x"),
        ({"fix": Fix("out of range", True, (Edit(9999, 9999, ""),))}, "--fix: out of range"),
        ({"witness": FINDING.witness[:1] * 20}, "note: 4 steps in between are not shown"),
        ({"path": "src/shop/gone.py", "witness": ()}, " --> src/shop/gone.py:10:13\nhelp: "),
        ({"witness": (replace(FINDING.witness[0], path="gone.py"), FINDING.witness[2])}, "= 1 h"),
    ],
    ids=[
        "no witness: the message stands at the caret",
        "one step needs no number",
        "the last step stands at the caret",
        "steps elsewhere keep their numbers",
        "several handlers",
        "less than high confidence",
        "unsafe fix",
        "fix that does not fit the file",
        "endless witness",
        "file that cannot be shown: the header has said it",
        "step in a file that cannot be shown",
    ],
)
def test_full_says(changes: dict[str, Any], expected: str) -> None:
    finding = replace(FINDING, **changes)
    assert expected in render("full", run_of(finding), width=200)


@pytest.mark.parametrize(
    ("text", "edits", "shown"),
    [
        ("a\nb\nc\n", (Edit(2, 3, "B"),), [[" 1 a", "-2 b", "+ B", " 3 c"]]),
        ("a\nb\n", (Edit(0, 0, "new\n"),), [["+ new", " 1 a", " 2 b"]]),
        ("a\nb\n", (Edit(2, 4, ""),), [[" 1 a", "-2 b"]]),
        ("a", (Edit(1, 1, "\nb"),), [["-1 a", "+ a", "+ b"]]),
        ("", (Edit(0, 0, "a\n"),), [["+ a"]]),
        ("a\r\nb\r\n", (Edit(3, 4, "B"),), [[" 1 a", "-2 b", "+ B"]]),
        (
            "1\n2\n3\n4\n5\n6\n7\n8\n",
            (Edit(0, 1, "x"), Edit(14, 15, "y")),
            [["-1 1", "+ x", " 2 2", " 3 3"], [" 6 6", " 7 7", "-8 8", "+ y"]],
        ),
        ("a\n", (Edit(0, 0, ""),), [[]]),
        ("ab\n", (Edit(0, 2, "x"), Edit(1, 2, "y")), []),
        ("ab\n", (Edit(2, 1, "x"),), []),
        ("ab\n", (Edit(0, 9, "x"),), []),
    ],
    ids=[
        "replaced",
        "inserted at the top",
        "deleted",
        "last line without ending",
        "empty file",
        "carriage returns",
        "far apart: two hunks",
        "nothing changed",
        "overlapping edits",
        "edit that ends before it starts",
        "edit outside of the file",
    ],
)
def test_the_difference_of_a_fix(text: str, edits: tuple[Edit, ...], shown: list[Any]) -> None:
    found = hunks(FileLines.of(text.splitlines(keepends=True)), Fix("title", True, edits))
    assert [
        [f"{line.kind}{line.number or ''} {line.text}" for line in hunk] for hunk in found
    ] == shown
