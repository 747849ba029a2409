"""Hostile file names, source lines and messages, in every format and through the command line.

Formats for programs must give the true data back; those for people and for Markdown must show it
in a form that nothing obeys. The summary of a step and reviewdog's comments are Markdown.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step
from lambda_lint.reporters import FORMATS, Run, Summary, markdown, render, step_summary

FINDING = Finding(
    path="app.py",
    span=Span(1, 1, 1, 2),
    code="LMB101",
    rule="client-in-handler",
    category="client-per-invocation",
    severity=Severity.WARNING,
    confidence=Confidence.HIGH,
    message="a client",
    help="create it once",
    fingerprint="0123456789abcdef0123456789abcdef",
)
DOCUMENTS = [form for form in FORMATS if form != "html"]


@dataclass(frozen=True)
class Hostile:
    """Text of others, and how it may be shown to people."""

    text: str
    shown: str


HOSTILE = {
    # Bidirectional controls, homoglyphs and identifiers that normalise to others.
    "bidi control": Hostile("a\u202egnp.exe", r"a\u202egnp.exe"),
    "isolates": Hostile("a\u2066b\u2069", r"a\u2066b\u2069"),
    "homoglyph": Hostile("p\u0430ypal \ufb01le", "p\u0430ypal \ufb01le"),
    "zero width": Hostile("a\u200bb", r"a\u200bb"),
    # Escape sequences and other controls.
    "clear screen": Hostile("\x1b[2Jx", r"\x1b[2Jx"),
    "terminal link": Hostile(
        "\x1b]8;;https://evil.example\x07x", r"\x1b]8;;https://evil.example\x07x"
    ),
    "C1 control": Hostile("\x9b2Jx", r"\x9b2Jx"),
    "carriage return": Hostile("safe\revil", r"safe\x0devil"),
    "NUL and DEL": Hostile("a\x00b\x7f", r"a\x00b\x7f"),
    # Markup of rich, of Markdown, of HTML and of XML.
    "rich markup": Hostile("[red]a[/red] [/] [b", "[red]a[/red] [/] [b"),
    "rich link": Hostile("[link=https://evil.example]a[/link]", "[link=https://evil.example]a"),
    "image": Hostile("![x](https://evil.example/a.png)", "![x](https://evil.example/a.png)"),
    "link": Hostile("[click](https://evil.example)", "[click](https://evil.example)"),
    "mention": Hostile("@octocat and @org/team", "@octocat and @org/team"),
    "issue": Hostile("see #1 and GH-1", "see #1 and GH-1"),
    "comment": Hostile("<!-- hidden --> a", "<!-- hidden --> a"),
    "script": Hostile("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "table cell": Hostile(r"a | b \| c \\| d", r"a | b \| c \\| d"),
    "backticks": Hostile("` a `` <b> ``` c", "` a `` <b> ``` c"),
    "shifted backticks": Hostile("`a` ` <img src=x> ` `", "`a` ` <img src=x> ` `"),
    "code side by side": Hostile("`x`<b>``[a](b)`", "`x`<b>``[a](b)`"),
    "entities": Hostile("&lt;b&gt; &#64;octocat", "&lt;b&gt; &#64;octocat"),
    "XML end": Hostile("]]></failure><b a='\">", "]]></failure><b a='\">"),
    "not XML": Hostile("\ufffe\uffff\x08", r"\ufffe\uffff\x08"),
    # What the runner of GitHub Actions obeys.
    "command": Hostile("::error::x", "::error::x"),
    "old command": Hostile("a ##[stop-commands]x", "##[stop-commands]x"),
    "escaped command": Hostile("a%0A::error::x,y:z", "a%0A::error::x,y:z"),
    "command on a line": Hostile("a\n::error::x\n##[add-mask]y", r"a\x0a::error::x\x0a"),
    # A byte of a file name that is no UTF-8.
    "no UTF-8": Hostile("a\udcffb", r"a\udcffb"),
}


def run_of(text: str) -> Run:
    """Return a run in which the text stands wherever text of others can stand."""
    finding = replace(
        FINDING,
        path=f"{text}.py",
        message=f"`{text}` is made, {text}",
        help=f"{text}\n    {text}\n",
        handlers=(f"{text}.py:handler",),
        witness=(Step(f"{text}.py", Span(1, 1, 1, 2), text), Step("b.py", FINDING.span, text)),
        fix=Fix(text, False, (Edit(0, 1, text),)),
    )
    return Run(
        findings=(finding,),
        errors=(text,),
        summary=Summary(1, 1, 1),
        source_lines=lambda _: (f"x = '{text}'\n",),
    )


CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", [*DOCUMENTS, "step summary"])
def test_nothing_is_obeyed(form: str, name: str) -> None:
    run = run_of(HOSTILE[name].text)
    if form == "step summary":
        text = step_summary.render(run, step_summary.LIMIT)
    else:
        text = render(form, run, in_github_actions=True)
    assert CONTROLS.findall(text) == []
    assert "##[" not in without_file_names(text)
    assert re.findall("[\ud800-\udfff]", text) == []
    if form != "github":
        assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []
    else:
        # Two findings would need two commands; a command that came out of the text is one more.
        commands = [line for line in text.splitlines() if line.lstrip().startswith("::")]
        assert [line.split(" ")[0] for line in commands] == ["::error", "::warning"]


def without_file_names(text: str) -> str:
    """Take the names of files out of workflow commands, which must not be changed.

    The runner does not look for `##[` in a line that is a command of the newer kind
    (actions/runner, `ActionCommandManager.TryProcessCommand`).
    """
    return re.sub("(?m)^(::(?:error|warning|notice) file=)[^,]*,", r"\1,", text)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", ["full", "concise"])
def test_people_see_what_is_there(form: str, name: str) -> None:
    text = render(form, run_of(HOSTILE[name].text), width=400)
    assert HOSTILE[name].shown in text


@pytest.mark.parametrize("name", HOSTILE)
def test_programs_get_the_true_data(name: str) -> None:
    text = HOSTILE[name].text
    run = run_of(text)
    escaped = text.replace("\udcff", r"\udcff")
    (found,) = json.loads(render("json", run))["findings"]
    (line, rest) = map(json.loads, render("jsonl", run).splitlines())
    assert found["path"] == line["path"] == f"{text}.py"
    assert found["message"] == f"`{text}` is made, {text}"
    assert rest["errors"] == [text]
    (entry,) = json.loads(render("gitlab", run))[1:]
    assert entry["location"]["path"] == f"{escaped}.py"
    (diagnostic,) = json.loads(render("rdjson", run))["diagnostics"][1:]
    assert diagnostic["location"]["path"] == f"{escaped}.py"
    assert diagnostic["suggestions"][0]["text"].startswith(escaped)
    (result,) = json.loads(render("sarif", run))["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert unquote_to_bytes(location["uri"]) == os.fsencode(f"{text}.py")
    (case,) = [
        case
        for case in ElementTree.fromstring(render("junit", run)).iter("testcase")
        if case.get("file")
    ]
    assert case.get("file") == legal_in_xml(f"{text}.py")


def legal_in_xml(text: str) -> str:
    """Return a text with visible escapes for what no XML document can hold (XML 1.0, 2.2)."""
    illegal = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
    width = {True: "\\x{:02x}", False: "\\u{:04x}"}
    return re.sub(
        illegal,
        lambda found: width[ord(found.group()) < 256].format(ord(found.group())),
        text,
    )


def tokens(text: str) -> Iterator[Any]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


ALLOWED = {
    "inline",
    "text",
    "code_inline",
    "softbreak",
    "paragraph_open",
    "paragraph_close",
    "fence",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_comment_of_reviewdog_has_only_text_and_code(name: str) -> None:
    for diagnostic in json.loads(render("rdjson", run_of(HOSTILE[name].text)))["diagnostics"]:
        parts = list(tokens(diagnostic["message"]))
        assert {part.type for part in parts} <= ALLOWED
        prose = " ".join(part.content for part in parts if part.type == "text")
        assert re.findall(r"@|#|GH-|://|www\.", prose) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_line_of_markdown_shows_what_is_there(name: str) -> None:
    from lambda_lint.reporters.safe_text import visible

    shown = HOSTILE[name].text
    for source in (markdown.line(f"a {shown} b"), markdown.code(shown)):
        (inline,) = [part for part in tokens(source) if part.type == "inline"]
        content = "".join(part.content for part in inline.children or ())
        # What stands between backticks loses them, as in every message.
        assert without_backticks(content) in without_backticks(f"a {visible(shown)} b")


def without_backticks(text: str) -> str:
    return "".join(text.replace("`", "").split())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_step_summary_keeps_its_table(name: str) -> None:
    text = step_summary.render(run_of(HOSTILE[name].text), step_summary.LIMIT)
    parts = list(tokens(text))
    tags = [part.content for part in parts if part.type in {"html_inline", "html_block"}]
    assert set(tags) <= {"<code>", "</code>"}
    assert [part.type for part in parts if part.type in {"image", "link_open", "code_inline"}] == []
    assert sum(part.type == "td_open" for part in parts) == 4
    outside = re.sub("<code>.*?</code>", "", text)
    assert re.findall(r"[@<\[]|(?<!#)#(?!#)|GH-|://|www\.", outside.replace("### ", "")) == []


# Through the command line.

HANDLER = b"""\
import boto3

# ##[stop-commands]x \x1b[2J \xe2\x80\xae
def handler(event, context):
    ::ERROR::
    return boto3.client("s3").list_buckets()
""".replace(b"    ::ERROR::\n", b'    "\\n::error::x"; "##[add-mask]a"; "[red]<b>@octocat"\n')

NAMES = [
    "a%0A::error::x,y:z.py",
    "nl\nname.py",
    "##[add-mask]x.py",
    "esc\x1b[2J\u202e.py",
    "<b>@octocat | `x`.py",
    "bytes\udcff.py",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hostile")
    (root / ".git").mkdir()
    for name in NAMES:
        try:
            Path(os.fsdecode(os.fsencode(root / name))).write_bytes(HANDLER)
        except OSError:
            pytest.skip(f"this file system takes no file called {name!r}")
    return root


def check(project: Path, *options: str, **variables: str) -> tuple[str, str, int]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "CI", "GITLAB_", "COLUMNS"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "lambda_lint", "check", "--jobs=1", *options],
        cwd=project,
        env={**environment, "GITHUB_ACTIONS": "true", "PYTHONIOENCODING": "utf-8", **variables},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.stdout.decode("utf-8"), done.stderr.decode("utf-8"), done.returncode


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_project_with_hostile_names(project: Path, form: str, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("written before\n", "utf-8")
    text, complaints, code = check(
        project, "--output-format", form, GITHUB_STEP_SUMMARY=str(summary)
    )
    assert (code, complaints) == (1, "")
    assert CONTROLS.findall(text) == []
    assert "##[" not in without_file_names(text)
    if form != "github":
        assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []
    assert {
        "json": lambda: {one["path"] for one in json.loads(text)["findings"]},
        "jsonl": lambda: {json.loads(line).get("path") for line in text.splitlines()[:-1]},
        "gitlab": lambda: {one["location"]["path"] for one in json.loads(text)},
        "rdjson": lambda: {one["location"]["path"] for one in json.loads(text)["diagnostics"]},
        "junit": lambda: {
            case.get("file") for case in ElementTree.fromstring(text).iter("testcase")
        },
        "sarif": lambda: {
            unquote_to_bytes(one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
            for one in json.loads(text)["runs"][0]["results"]
        },
    }.get(form, lambda: None)() == {
        "json": set(NAMES),
        "jsonl": set(NAMES),
        "gitlab": {name.replace("\udcff", r"\udcff") for name in NAMES},
        "rdjson": {name.replace("\udcff", r"\udcff") for name in NAMES},
        "junit": {legal_in_xml(name) for name in NAMES},
        "sarif": set(map(os.fsencode, NAMES)),
    }.get(form)
    # The summary is added to what other commands of the step wrote, by one format alone.
    written = summary.read_text("utf-8")
    assert written.startswith("written before\n")
    assert ("### lambda-lint" in written) is (form == "github")
    assert "@octocat" not in written
    # In a file stands what would have been printed; people get colours and widths on a terminal.
    file = tmp_path / "report"
    printed, complaints, code = check(project, "--output-format", form, "--output-file", str(file))
    assert (printed, complaints, code) == ("", "", 1)
    if form not in {"full", "concise"}:
        assert file.read_text("utf-8") == text
