"""The HTML report as text: a sound document that loads nothing and obeys nothing it shows.

What a browser makes of it is in test_html_in_browser.py, what is known of handlers in
test_lives.py.
"""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from lambda_lint.finding import Finding, Severity, Span, Step
from lambda_lint.life import Mark, Moment, Thing
from lambda_lint.reporters import Run, Summary, render
from lambda_lint.reporters.html import code, drawing, page

if TYPE_CHECKING:
    from tests.html_runs import (
        CLIENT,
        FINDING,
        LIFE,
        RUNS,
        SEEN,
        STORY,
        many,
        run_of,
    )
else:
    from html_runs import CLIENT, FINDING, LIFE, RUNS, SEEN, STORY, many, run_of


class Document(HTMLParser):
    """A strict reader: every element is closed in its order, and what a page could load is kept."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        assert not (tag in BLOCKS and "p" in self.open), f"<{tag}> within <p>"
        assert not (tag == "a" and "a" in self.open), "a link within a link"
        self.elements.append((tag, given))
        if given.get("id") is not None:
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data
        if not {"script", "style"}.intersection(self.open):
            self.said.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.said).split())


VOID = frozenset({"meta", "input", "img", "br", "hr", "link"})
BLOCKS = frozenset({"div", "p", "ul", "ol", "table", "details", "section", "figure", "h2", "h3"})


@pytest.fixture(scope="module", params=RUNS, ids=list(RUNS))
def document(request: pytest.FixtureRequest) -> Document:
    return Document(render("html", RUNS[request.param]))


def test_elements_are_nested_and_closed(document: Document) -> None:
    assert document.open == []
    assert {tag for tag, _ in document.elements} >= {"html", "head", "title", "main", "h1"}


def test_every_name_is_there_once_and_every_link_leads_somewhere(document: Document) -> None:
    assert len(set(document.ids)) == len(document.ids)
    inner = {link[1:] for link in document.links if link.startswith("#")}
    assert inner - set(document.ids) == set()
    outer = {link for link in document.links if not link.startswith("#")}
    assert outer <= {FINDING.url}


def test_nothing_is_loaded_and_nothing_runs_but_the_script(document: Document) -> None:
    tags = [tag for tag, _ in document.elements]
    assert set(tags) & {"link", "img", "iframe", "object", "embed", "video", "base"} == set()
    assert tags.count("script") == tags.count("style") == 1
    loading = {"src", "srcset", "data", "action", "formaction", "background", "style"}
    for tag, given in document.elements:
        names = {name for name in given if name in loading or name.startswith("on")}
        assert names == set(), (tag, given)
        if tag == "use":
            assert str(given["href"]).startswith("#")
    assert re.findall(r"url\(|@import|https?:|//", document.texts["style"]) == []
    assert re.findall(r"fetch\(|XMLHttp|import\(|https?:|eval|innerHTML", script(document)) == []


def script(document: Document) -> str:
    return document.texts["script"]


def test_the_policy_allows_this_style_and_this_script_alone(document: Document) -> None:
    policies = [
        str(given["content"])
        for tag, given in document.elements
        if tag == "meta" and given.get("http-equiv") == "Content-Security-Policy"
    ]
    hashes = [
        base64.b64encode(hashlib.sha256(document.texts[tag].encode()).digest()).decode()
        for tag in ("style", "script")
    ]
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    ]


def test_a_policy_comes_before_what_it_is_about() -> None:
    text = render("html", RUNS["findings"])
    assert text.index("Content-Security-Policy") < text.index("<style>")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onload='x", "&#34; onload=&#39;x"),
        ("a & b &lt;", "a &amp; b &amp;lt;"),
        ("{{ 7 * 7 }}", "{{ 7 * 7 }}"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp", "\\u202egnp"),
        ("\u2066x", "\\u2066x"),
        ("\udcff", "\\udcff"),
        ("\x00\x9b\x07", "\\x00\\x9b\\x07"),
        ("a\nb\rc", "a\\x0ab\\x0dc"),
        ("##[error]", "##&#91;error]"),
        ("日本語 é", "&#26085;&#26412;&#35486; &#233;"),
    ],
)
def test_text_of_others_is_shown_and_not_obeyed(written: str, shown: str) -> None:
    """As a file name, a message, a handler and the name of a thing."""
    finding = replace(FINDING, path=written, message=written, handlers=(f"x.py:{written}",))
    life = replace(LIFE, name=written, things=(replace(SEEN, name=written),))
    text = render("html", run_of(finding, lives=(life,)))
    assert f'<span class="msg">{shown}</span>' in text
    assert f'<code class="name">{shown}</code>' in text
    assert f"<figcaption>{shown}:7</figcaption>" in text
    assert f">x.py:{shown}</option>" in text
    if written != shown:
        assert written not in text.replace("{{ 7 * 7 }}", "")


def test_a_hostile_project_yields_no_element_and_no_command() -> None:
    text = render("html", RUNS["hostile"])
    document = Document(text)
    assert {"img", "b onload", "i"} & {tag for tag, given in document.elements if given} == set()
    assert "javascript:" not in text
    assert "##[" not in text
    assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []
    assert (
        re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
        == []
    )


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_style_and_script_hold_nothing_that_a_log_would_obey(name: str) -> None:
    """They are not changed on the way into the page, or its policy would forbid them."""
    text = resources.files("lambda_lint.reporters.html").joinpath(name).read_text("utf-8")
    assert "##[" not in text
    assert re.findall(r"(?m)^\s*::", text) == []
    assert "</" not in text


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_style_and_script_are_ascii(name: str) -> None:
    assert (resources.files("lambda_lint.reporters.html") / name).read_text("utf-8").isascii()


@pytest.mark.parametrize("name", RUNS)
def test_a_stream_that_is_no_utf_8_does_not_damage_the_page(name: str) -> None:
    assert render("html", RUNS[name]).isascii()


def test_what_could_not_be_done_is_told_before_anything_else() -> None:
    words = Document(render("html", RUNS["not analysed"])).words
    told = words.index("Not everything was checked")
    assert told < words.index("a rule failed") < words.index("The life of each function")
    assert told < words.index("broken.py:7") < words.index("The life of each function")
    assert told < words.index("no HCL reader") < words.index("The life of each function")


@pytest.mark.parametrize("name", ["no handler"])
def test_silence_about_no_handler_is_no_clean_bill(name: str) -> None:
    words = Document(render("html", RUNS[name])).words
    assert "No handler was found" in words
    assert "nothing can be concluded" in words


def test_a_finding_has_its_code_its_way_its_fix_and_its_name() -> None:
    document = Document(render("html", RUNS["findings"]))
    assert f"f-{FINDING.fingerprint}" in document.ids
    for part in (
        's3 = boto3.client("s3")',
        "2 a new SDK client is made here",
        "What to do make it once: S3 = boto3.client('s3')",
        "Safe fix, applied by --fix: Make it once",
        "+ S3 = boto3.client('s3')",
        "Reached by app.py:handler",
        f"fingerprint {FINDING.fingerprint}",
    ):
        assert part in document.words, part


def test_a_fix_in_a_line_that_is_too_long_is_told_and_not_shown() -> None:
    line = f"x = [{'1, ' * 10_000}client()]\n"
    run = replace(RUNS["findings"], findings=(FINDING,), source_lines=lambda _: (line,))
    text = render("html", run)
    told = "Safe fix, applied by --fix: Make it once; the change is too long"
    assert told in Document(text).words
    assert 'class="diff"' not in text


@pytest.mark.parametrize(
    ("severities", "tiles"),
    [
        ((), "0 errors 0 warnings 0 info 1 handler"),
        (("error",), "1 error 0 warnings 0 info 1 handler"),
        (("warning", "info", "info"), "0 errors 1 warning 2 info 1 handler"),
    ],
)
def test_one_is_no_plural(severities: tuple[str, ...], tiles: str) -> None:
    findings = tuple(replace(FINDING, severity=Severity(name)) for name in severities)
    run = Run(findings=findings, summary=Summary(1, 1, 1))
    assert tiles in Document(render("html", run)).words


def test_a_story_is_told_as_two_invocations() -> None:
    words = Document(render("html", RUNS["findings"])).words
    first, _, second = words.partition("Invocation 1 1 ")[2].partition("frozen; memory stays")
    assert "invocations 1 and 2 add to the same SEEN here" in first
    assert "finds here what" not in first
    assert second.strip().startswith(
        "Invocation 2 1 handler runs for every event app.py:6 2 invocation 2"
    )


@pytest.mark.parametrize(
    ("messages", "lanes"),
    [
        (("runs", "a client is made"), None),
        (("runs", "invocation 1 leaves it here for whatever runs next"), None),
        (
            ("runs", "calls `f`", "invocation 1 writes `x` here", "calls `g`", "invocation 2 sees"),
            ([1, 2, 3], [1, 4, 5]),
        ),
        (
            ("runs", "invocation 2 finds what invocation 1 added", "invocations 1 and 2 add"),
            ([1, 3], [1, 2, 3]),
        ),
        (
            ("runs", "what invocation 1 changed is returned in invocation 2", "invocation 1 sets"),
            ([1, 3], [1, 2]),
        ),
        (("runs", "invocation 1 leaves it here, and invocation 2 sends it"), ([1, 2], [1, 2])),
    ],
)
def test_steps_of_two_invocations(
    messages: Sequence[str], lanes: tuple[list[int], list[int]] | None
) -> None:
    steps = [Step("app.py", Span(1, 1, 1, 2), message) for message in messages]
    assert drawing.story(steps) == lanes


LOST = replace(SEEN, name="", where="", writes=(), reads=(), made="boto3.client('s3')")


@pytest.mark.parametrize(
    ("thing", "cells"),
    [
        (
            SEEN,
            {
                "init": ("start", "set", ""),
                "first": ("mid", "changed", ":8"),
                "pause": ("mid", "", ""),
                "later": ("on", "read", ":9"),
            },
        ),
        (CLIENT, {"first": ("whole", "made", ""), "later": ("whole", "made again", "")}),
        (
            replace(SEEN, kind="object", writes=(), reads=(Mark("lib/aws.py", 3),)),
            {
                "init": ("start", "made", ""),
                "first": ("mid", "used", "aws.py:3"),
                "pause": ("mid", "", ""),
                "later": ("on", "the same one", ""),
            },
        ),
        (
            replace(SEEN, kind="cache", born=Moment.ONCE, writes=(), reads=()),
            {
                "first": ("start", "filled", ""),
                "pause": ("mid", "", ""),
                "later": ("on", "found again", ""),
            },
        ),
        # Of what is made once and not seen to be kept, nothing is said of later.
        (replace(LOST, kind="object"), {"init": ("whole", "made", "")}),
        (replace(LOST, kind="fetch", born=Moment.ONCE), {"first": ("whole", "fetched", "")}),
        (
            replace(SEEN, writes=tuple(Mark("app.py", line) for line in range(1, 6))),
            {
                "init": ("start", "set", ""),
                "first": ("mid", "changed", ":1 :2 :3 +2"),
                "pause": ("mid", "", ""),
                "later": ("on", "read", ":9"),
            },
        ),
    ],
    ids=["state", "each", "object", "cache", "lost", "fetched", "many places"],
)
def test_how_long_a_thing_is_drawn(thing: Thing, cells: dict[str, tuple[str, str, str]]) -> None:
    (group,) = drawing.groups(replace(LIFE, things=(thing,), findings=()), {})
    (row,) = group.rows
    drawn = {name: (one.bar, one.text, one.places) for name, one in row.cells.items()}
    assert drawn == {**dict.fromkeys(drawing.COLUMNS, ("", "", "")), **cells}


@pytest.mark.parametrize(
    ("finding", "moment", "row", "columns"),
    [
        (FINDING, Moment.EACH, 'boto3.client("s3")', ["first", "later"]),
        (STORY, Moment.EACH, "SEEN", ["first", "later"]),
        # A finding about an object stands with it, also where it is used.
        (
            replace(
                FINDING,
                span=Span(2, 1, 2, 2),
                witness=(FINDING.witness[0], Step("app.py", Span(7, 1, 7, 2), "made here")),
            ),
            Moment.EACH,
            'boto3.client("s3")',
            ["first", "later"],
        ),
        # That a handler is on the way says nothing of what makes the handler.
        (
            replace(
                FINDING,
                span=Span(2, 1, 2, 2),
                witness=(Step("app.py", Span(7, 1, 7, 2), "`handler` runs for every event"),),
            ),
            Moment.ONCE,
            "LMB101",
            ["first"],
        ),
        (replace(FINDING, span=Span(2, 1, 2, 2), witness=()), Moment.INIT, "LMB101", ["init"]),
        (replace(FINDING, span=Span(2, 1, 2, 2), witness=()), Moment.ONCE, "LMB101", ["first"]),
        (replace(FINDING, span=Span(2, 1, 2, 2), witness=()), Moment.UNKNOWN, "LMB101", ["later"]),
    ],
    ids=[
        *("at its place", "at what is changed", "where its object is used", "where a handler is"),
        *("import", "once", "unknown"),
    ],
)
def test_where_a_finding_stands(
    finding: Finding, moment: Moment, row: str, columns: list[str]
) -> None:
    life = replace(LIFE, findings=((finding.fingerprint, moment),))
    badge = drawing.Badge("f-1", finding)
    found = [
        (one.name, column)
        for group in drawing.groups(life, {finding.fingerprint: badge})
        for one in group.rows
        for column, cell in one.cells.items()
        if cell.badges
    ]
    assert found == [(row, column) for column in columns]


def test_many_survivors_are_counted_and_those_with_findings_are_drawn() -> None:
    things = [
        replace(CLIENT, born=Moment.INIT, name="x" * 200 + str(number), at=Mark("a.py", number))
        for number in range(39)
    ]
    life = replace(LIFE, things=(*things, SEEN), findings=((STORY.fingerprint, Moment.EACH),))
    badges = {STORY.fingerprint: drawing.Badge("f-1", STORY)}
    (group,) = drawing.groups(life, badges)
    assert group.rows[0].name == "SEEN"
    assert (len(group.rows), len(group.rest)) == (drawing.ROWS, 40 - drawing.ROWS)
    words = Document(render("html", run_of(STORY, lives=(life,)))).words
    assert f"and {40 - drawing.ROWS} more" in words


def test_a_handler_of_which_nothing_is_known_is_told_of() -> None:
    life = replace(LIFE, things=(), findings=())
    words = Document(render("html", run_of(lives=(life,)))).words
    assert "no findings shown" in words
    assert "Nothing is known that it makes or keeps" in words


def test_of_too_many_findings_the_worst_are_shown_and_the_rest_is_counted() -> None:
    findings = [*many(4200, Severity.INFO), *many(1700), *many(100, Severity.ERROR)]
    text = render("html", run_of(*findings, lives=(LIFE,)))
    words = Document(text).words
    assert "4500 more findings (300 warnings, 4200 info) are not shown here" in words
    assert text.count("<article ") == page.FINDINGS
    assert text.count('data-severity="error"') == 100
    assert len(text.encode()) < 9_000_000


def test_a_thousand_findings_make_less_than_five_megabytes() -> None:
    assert len(render("html", run_of(*many(1000), lives=(LIFE,))).encode()) < 5_000_000


def test_of_too_many_handlers_the_rest_is_named() -> None:
    document = Document(render("html", RUNS["many handlers"]))
    drawn = [given for tag, given in document.elements if tag == "table"]
    assert len(drawn) == page.DRAWINGS
    assert f"{70 - page.DRAWINGS} more handlers, not drawn" in document.words


def test_the_same_run_gives_the_same_bytes() -> None:
    assert render("html", RUNS["findings"]) == render(
        "html", RUNS["findings"], color=True, width=40, in_github_actions=True
    )


def test_a_line_of_a_megabyte_is_shown_around_its_mark() -> None:
    text = "x = [" + "1, " * 400_000 + "boto3.client(), " + "1, " * 1000 + "]\n"
    start = text.index("boto3") + 1
    finding = replace(FINDING, path="app.py", span=Span(1, start, 1, start + 14), witness=())
    (frame,), _ = code.frames(finding, lambda _: (text,))
    (line,) = frame.lines
    assert [one.text for one in line.pieces if one.kind] == ["boto3.client()"]
    assert sum(len(one.text) for one in line.pieces) <= code.LONGEST + 2


PAIRS = [
    *[("text", name) for name in ("bg", "card", "sunk", "good-bg", "bad-bg", "step", "k-other")],
    *[("dim", name) for name in ("bg", "card", "sunk", "good-bg", "bad-bg")],
    *[("link", name) for name in ("bg", "card", "warning-bg")],
    *[(f"{name}-text", f"{name}-bg") for name in ("init", "once", "each", "ice")],
    *[(f"{name}-text", "card") for name in ("init", "once", "each")],
    *[(name, f"{name}-bg") for name in ("error", "warning", "info", "good")],
    *[("init-text", "sunk"), ("mark-text", "mark"), ("card", "init"), ("card", "text")],
    *[("text", "warning-bg"), ("ice-text", "card")],
]


@pytest.mark.parametrize("theme", ["light", "dark by the system", "dark by the switch"])
def test_colours_have_the_contrast_of_wcag_aa(theme: str) -> None:
    """4.5 to 1 for text: https://www.w3.org/TR/WCAG21/#contrast-minimum ."""
    style = resources.files("lambda_lint.reporters.html").joinpath("report.css").read_text("utf-8")
    start = {
        "light": ":root {",
        "dark by the system": ':root:not([data-theme="light"]) {',
        "dark by the switch": ':root[data-theme="dark"] {',
    }[theme]
    block = style.partition(start)[2].partition("}")[0]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
    colours["k-other"] = colours["sunk"]
    low = {
        (front, back): round(contrast(colours[front], colours[back]), 2)
        for front, back in PAIRS
        if contrast(colours[front], colours[back]) < 4.5
    }
    assert low == {}


def contrast(one: str, two: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(two * 2 for two in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_two_ways_to_the_dark_have_the_same_colours() -> None:
    style = resources.files("lambda_lint.reporters.html").joinpath("report.css").read_text("utf-8")
    system = style.partition(':root:not([data-theme="light"]) {')[2].partition("}")[0]
    switch = style.partition(':root[data-theme="dark"] {')[2].partition("}")[0]
    assert "".join(system.split()) == "".join(switch.split()) != ""


def test_the_template_library_is_loaded_for_this_format_alone() -> None:
    program = (
        "import sys; from lambda_lint.reporters import Run, render; render('json', Run()); "
        "render('full', Run()); print('jinja2' in sys.modules); "
        "render('html', Run()); print('jinja2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
