"""The harness: what it demands of pages, examples and projects, and how it says so."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Source
from lambda_lint.testing.pages import Mark, blocks, fences, split_files, take_marks
from lambda_lint.testing.projects import ExampleError, Page, check_fixture_project, phase_cases

# A linter for these tests: it knows four words, and says the same of each wherever it stands.
WORDS: dict[str, tuple[str, str, Severity, str | None]] = {
    "bad": ("LMB101", "toy-rule", Severity.WARNING, "good"),
    "worse": ("LMB101", "toy-rule", Severity.INFO, None),
    "other": ("LMB801", "stale-db-connection", Severity.WARNING, None),
    "note": ("LMB801", "stale-db-connection", Severity.INFO, None),
}


@dataclass(frozen=True)
class Result:
    findings: tuple[Finding, ...]
    errors: tuple[str, ...] = ()


def toy_lint(sources: Mapping[str, Source], settings: Settings, rules: Sequence[Rule]) -> Result:
    found = []
    for path, source in sources.items():
        for match in re.finditer(r"\b(bad|worse|other|note)\b", source.text):
            code, slug, severity, better = WORDS[match[1]]
            line, column = source.position(match.start())
            span = Span(line, column, line, column + len(match[1]))
            fix = better and Fix("say good", True, (Edit(match.start(), match.end(), better),))
            found.append(
                Finding(
                    path=path,
                    span=span,
                    code=code,
                    rule=slug,
                    category="",
                    severity=severity,
                    confidence=Confidence.HIGH,
                    message=f"{match[1]} is said",
                    help="say good",
                    witness=(Step(path, span, "here"),),
                    fix=fix or None,
                )
            )
    return Result(tuple(sorted(found, key=lambda one: one.sort_key)))


RULE = '''r"""Title.

{page}
"""

from collections.abc import Iterator

from lambda_lint.rule import Report, rule


@rule("LMB101", category="client-per-invocation")
def toy_rule(call: int, project: object) -> Iterator[Report]:
    yield from ()
'''
BAD = "```python bad\nbad = 1  # LMB101\n```\n"
FIXED = "```python fixed\ngood = 1\n```\n"
GOOD = "```python good\nfine = 1\n```\n"


def problems_of(directory: Path, page: str, lint: Callable[..., Result] = toy_lint) -> list[str]:
    """Everything that the harness says about a page, with the lines of the page."""
    path = directory / "toy_rule.py"
    path.write_text(RULE.replace("{page}", page), encoding="utf-8")
    (directory / "stale_db_connection.py").write_text(
        RULE.replace("toy_rule", "stale_db_connection")
        .replace("LMB101", "LMB801")
        .replace("client-per-invocation", "connection-hygiene"),
        encoding="utf-8",
    )
    tested = Page(path, lint=lint)
    said = [f"{line}: {text}" for line, text in tested.check_page()]
    for index, block in enumerate(tested.blocks):
        said += [f"{block.line}: {text}" for text in tested.check_block(index)]
    return said


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(BAD + FIXED + GOOD, [], id="a good page"),
        pytest.param(
            BAD.replace("bad = 1", "worse = 1") + GOOD, [], id="a good page of a rule without a fix"
        ),
        pytest.param(
            BAD + FIXED + GOOD + "```python bad\nother, bad = 1, 2  # LMB101 LMB801 - both\n```\n",
            [],
            id="marks of several rules",
        ),
        pytest.param(
            BAD + FIXED + GOOD + "```python bad\nbad = 1  # LMB101\nmiss = 1  # todo: LMB101\n"
            "bad = 2  # false: LMB101\n```\n",
            [],
            id="known mistakes of the rule",
        ),
        pytest.param(
            BAD + FIXED + "```python good\nbad = 1  # lambda-lint: ignore[toy-rule]\n```\n",
            [],
            id="suppressions count",
        ),
        pytest.param(
            BAD + FIXED + GOOD + "```python good\nnote = 1\n```\n",
            [],
            id="notes of other rules need no mark",
        ),
        pytest.param(
            BAD + FIXED + GOOD + "```python good\nother = 1\n```\n",
            ["12: false alarm: app.py:1 (line 13 of the page) LMB801 is not marked: other is said"],
            id="warnings of other rules do",
        ),
        pytest.param(
            BAD + FIXED + GOOD + "```python good\nworse = 1\n```\n",
            ["12: false alarm: app.py:1 (line 13 of the page) LMB101 is not marked: worse is said"],
            id="the rule's own notes do",
        ),
        pytest.param(
            "```python bad\nfine = 1  # LMB101\n```\n" + GOOD.replace("fine", "calm"),
            [
                "3: missed alarm: app.py:1 (line 4 of the page) LMB101 is marked, "
                "and nothing is said"
            ],
            id="a missed alarm",
        ),
        pytest.param(
            BAD + FIXED + GOOD + "```python bad\nbad = 1  # LMB101\nbad = 2  # todo: LMB101\n"
            "fine = 3  # false: LMB101\n```\n",
            [
                "12: no longer missed, take `todo:` away: app.py:2 (line 14 of the page) LMB101",
                "12: no longer a false alarm, take the mark away: app.py:3 "
                "(line 15 of the page) LMB101",
            ],
            id="mistakes that are mended",
        ),
        pytest.param(
            "```python bad\nfine = 1\n```\n" + GOOD.replace("fine", "calm"),
            ["3: a bad example without a line that ends in `# LMB101`"],
            id="a bad example without a mark",
        ),
        pytest.param(
            BAD + FIXED + "```python good\nworse = 1  # LMB101\n```\n",
            ["9: a good example with a mark: nothing is said of it"],
            id="a good example with a mark",
        ),
        pytest.param(
            BAD + FIXED + GOOD + GOOD, ["12: the same example as in line 9"], id="twice the same"
        ),
        pytest.param(
            BAD + BAD.replace("bad\n", "fixed\n", 1) + GOOD,
            [
                "6: the fixed example is the bad one, unchanged",
                "6: a fixed example is free of LMB101",
                "6: the fix does not yield this example:\n--- app.py of the page\n+++ fixed\n"
                "@@ -1 +1 @@\n-bad = 1\n+good = 1",
                "6: fixing the fixed example changes it again",
            ],
            id="a fixed example that is the bad one",
        ),
        pytest.param(
            BAD + FIXED.replace("1", "2") + GOOD,
            [
                "6: the fix does not yield this example:\n--- app.py of the page\n+++ fixed\n"
                "@@ -1 +1 @@\n-good = 2\n+good = 1"
            ],
            id="a fix that yields something else",
        ),
        pytest.param(
            BAD.replace("bad = 1", "worse = 1") + FIXED + GOOD,
            [
                "6: LMB101 offers no fix for the example above",
                "6: the fix does not yield this example:\n--- app.py of the page\n+++ fixed\n"
                "@@ -1 +1 @@\n-good = 1\n+worse = 1",
            ],
            id="a fix that is shown and not offered",
        ),
        pytest.param(
            BAD + GOOD,
            ["3: the rule offers a fix: show it in a fixed example"],
            id="a fix that is offered and not shown",
        ),
        pytest.param(
            BAD + GOOD + FIXED,
            ["9: a fixed example has its bad one directly above"],
            id="a fixed example at the wrong place",
        ),
        pytest.param(
            "", ["1: the page has no bad example", "1: the page has no good example"], id="nothing"
        ),
        pytest.param(
            BAD + FIXED + GOOD + "```python\nx = 1\n```\n```text\nbad\n```\n",
            ["12: say ```python bad, fixed or good; use ```text for what is no example"],
            id="an example of nothing",
        ),
        pytest.param(
            "```python bad\n# file: a.py\nbad = 1  # LMB101\n# file: pkg/b.py\nfine = 1\n\n"
            "bad = 2  # LMB101\n```\n"
            "```python fixed\n# file: a.py\ngood = 1\n# file: pkg/b.py\nfine = 1\n\n"
            "good = 2\n```\n" + GOOD,
            [],
            id="several files",
        ),
        pytest.param(
            "```python bad\nbad = 1  # LMB101\n# file: b.py\nbad = 2\n```\n" + FIXED + GOOD,
            [
                "3: false alarm: b.py:1 (line 6 of the page) LMB101 is not marked: bad is said",
                "8: the fix does not yield this example:\n--- b.py of the page\n+++ fixed\n"
                "@@ -0,0 +1 @@\n+good = 2",
            ],
            id="lines of the second file",
        ),
    ],
)
def test_what_is_demanded_of_a_page(tmp_path: Path, page: str, expected: list[str]) -> None:
    assert problems_of(tmp_path, page) == expected


def changed(**changes: object) -> Callable[..., Result]:
    """A linter whose findings are changed in one respect."""

    def lint(sources: Mapping[str, Source], settings: Settings, rules: Sequence[Rule]) -> Result:
        result = toy_lint(sources, settings, rules)
        return Result(tuple(replace(one, **changes) for one in result.findings))  # type: ignore[arg-type]

    return lint


def crashing(*_: object) -> Result:
    return Result((), ("toy_rule.py:12: the rule crashed",))


def twice(*args: object) -> Result:
    return Result(toy_lint(*args).findings * 2)  # type: ignore[arg-type]


def first_file_only(sources: Mapping[str, Source], *rest: object) -> Result:
    return toy_lint(dict(list(sources.items())[:1]), *rest)  # type: ignore[arg-type]


def first_line_only(*args: object) -> Result:
    return Result(tuple(one for one in toy_lint(*args).findings if one.span.line == 1))  # type: ignore[arg-type]


def causing(*args: object) -> Result:
    """Its fix says something else that is found."""
    other = Fix("", True, (Edit(0, 3, "other"),))
    found = toy_lint(*args).findings  # type: ignore[arg-type]
    return Result(tuple(replace(one, fix=other if one.fix else None) for one in found))


class Unpicklable(str):
    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, ("something else",)


@pytest.mark.parametrize(
    ("lint", "problem"),
    [
        pytest.param(crashing, "toy_rule.py:12: the rule crashed", id="a rule that crashes"),
        pytest.param(twice, "said 2 times: app.py:1", id="two findings on one line"),
        pytest.param(changed(witness=()), "no witness", id="no witness"),
        pytest.param(changed(help=""), "no help", id="no help"),
        pytest.param(changed(rule="x"), "no rule has this code and this name", id="wrong slug"),
        pytest.param(changed(message=Unpicklable("x")), "does not survive pickling", id="pickling"),
        pytest.param(
            changed(witness=(Step("app.py", Span(9, 1, 9, 2), ""),)),
            "points outside of app.py",
            id="place",
        ),
        pytest.param(first_file_only, "the findings depend on the order of the files", id="order"),
        pytest.param(
            first_line_only, "the findings change under a comment on top", id="line numbers"
        ),
        pytest.param(
            changed(fix=Fix("", True, (Edit(0, 0, "bad = 0\n"),))),
            "the fixes do not come to rest in 10 passes",
            id="a fix that repeats itself",
        ),
        pytest.param(
            changed(fix=Fix("", True, (Edit(0, 1, "("),))),
            "the fix would break the file",
            id="a fix that breaks the file",
        ),
        pytest.param(
            changed(fix=Fix("", True, (Edit(5, 3, ""),))),
            "the fix is broken: an edit lies outside of the file: 5 to 3",
            id="an impossible fix",
        ),
        pytest.param(
            causing,
            "the fixes bring a finding that was not there: app.py LMB801",
            id="a fix that causes another finding",
        ),
        pytest.param(
            changed(fix=Fix("", True, (Edit(0, 15, "good"),))),
            "the fixes lose a comment of app.py: # why",
            id="a fix that loses a comment",
        ),
    ],
)
def test_what_is_demanded_of_every_example(
    tmp_path: Path, lint: Callable[..., Result], problem: str
) -> None:
    page = "```python bad\nbad = 1  # why\n# file: b.py\nbad = 1\n```\n"
    assert any(problem in said for said in problems_of(tmp_path, page, lint))


def test_settings_stand_above_the_examples(tmp_path: Path) -> None:
    seen = []

    def lint(sources: Mapping[str, Source], settings: Settings, rules: Sequence[Rule]) -> Result:
        seen.append((next(iter(sources.values())).text, settings.handlers))
        return Result(())

    page = GOOD + '```toml config\nhandlers = ["app.py:run"]\n```\n' + GOOD.replace("fine", "calm")
    problems_of(tmp_path, page, lint)
    assert ("fine = 1\n", ()) in seen
    assert ("calm = 1\n", ("app.py:run",)) in seen


def test_other_files_of_an_example_lie_on_disk_beside_it(tmp_path: Path) -> None:
    seen = []

    def lint(sources: Mapping[str, Source], settings: Settings, rules: Sequence[Rule]) -> Result:
        seen.append((list(sources), (settings.root / "deploy/template.yaml").read_text()))
        return Result(())

    problems_of(
        tmp_path,
        "```python good\nx = 1\n# file: deploy/template.yaml\nHandler: app.run\n```\n",
        lint,
    )
    assert seen[0] == (["app.py"], "Handler: app.run\n")


@pytest.mark.parametrize(
    ("line", "left", "marks"),
    [
        ("x = 1  # LMB101", "x = 1", [("LMB101", "")]),
        ("x = 1  # LMB101 - a reason", "x = 1", [("LMB101", "")]),
        ("x = 1  # LMB101 LMB102", "x = 1", [("LMB101", ""), ("LMB102", "")]),
        ("x = 1  # LMB101, LMB102", "x = 1", [("LMB101", ""), ("LMB102", "")]),
        ("x = 1  # noqa  # LMB101", "x = 1  # noqa", [("LMB101", "")]),
        (
            "x  # todo: LMB101 - some day  # false: LMB801",
            "x",
            [("LMB801", "false"), ("LMB101", "todo")],
        ),
        ("    # LMB101", "", [("LMB101", "")]),
        ("x = 1  # noqa: LMB101", "x = 1  # noqa: LMB101", []),
        ("x = 1  # see LMB101", "x = 1  # see LMB101", []),
        ("x = 1  # LMB101 and more", "x = 1  # LMB101 and more", []),
        ("x = 1  # LMB1011", "x = 1  # LMB1011", []),
    ],
)
def test_marks(line: str, left: str, marks: list[tuple[str, str]]) -> None:
    text, found = take_marks("a.py", f"\n{line}\n")
    assert text == f"\n{left}\n"
    assert found == [Mark("a.py", 2, name, kind) for name, kind in marks]


def test_files_in_a_block_know_their_lines() -> None:
    files, places = split_files(["a", "", "# file: b/c.py", "", "d", ""], 10)
    assert files == {"app.py": "a\n", "b/c.py": "\nd\n"}
    assert places == {
        ("app.py", 1): 10,
        ("app.py", 2): 11,
        ("b/c.py", 1): 13,
        ("b/c.py", 2): 14,
        ("b/c.py", 3): 15,
    }


def test_fences() -> None:
    page = (
        "# One\n```python bad name='a b'\n# no heading\n```\n## Two\n~~~~text\n~~~\n~~~~\n```open\n"
    )
    assert [(one.info, one.line, one.lines, one.heading) for one in fences(page)] == [
        ("python bad name='a b'", 2, ("# no heading",), "One"),
        ("text", 6, ("~~~",), "Two"),
        ("open", 9, ("",), "Two"),
    ]
    (block,) = blocks(page, 5)
    assert (block.kind, block.title, block.line) == ("bad", "a b", 6)


def test_phase_tables() -> None:
    (case,) = phase_cases(
        "## Guards\n\n```python\nx = make()  # INIT\n# file: b.py\nif not x:\n"
        "    y = 1  # ONCE - kept\n```\n"
    )
    assert (case.title, case.line) == ("Guards", 3)
    assert case.files == {"app.py": "x = make()\n", "b.py": "if not x:\n    y = 1\n"}
    assert case.marks == (Mark("app.py", 1, "INIT"), Mark("b.py", 2, "ONCE"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bad = 1  # LMB101\n", None),
        ("miss = 1  # todo: LMB101\n", None),
        ("bad = 1  # false: LMB101 - not on this path\n", None),
        ("note = 1\n", None),
        ("note = 1  # LMB801\n", None),
        ("bad = 1\n", "false alarm: src/app.py:1 LMB101 is not marked: bad is said"),
        ("x = 1  # LMB101\n", "missed alarm: src/app.py:1 LMB101 is marked, and nothing is said"),
        ("bad = 1  # todo: LMB101\n", "no longer missed, take `todo:` away: src/app.py:1 LMB101"),
        (
            "x = 1  # false: LMB101\n",
            "no longer a false alarm, take the mark away: src/app.py:1 LMB101",
        ),
    ],
)
def test_fixture_projects(tmp_path: Path, text: str, problem: str | None) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(text, encoding="utf-8")

    def lint(*args: object, **_: object) -> Result:
        # The rules that come with the linter are given, and these tests have rules of their own.
        found = toy_lint(*args).findings  # type: ignore[arg-type]
        slugs = {one.code: one.slug for one in args[2]}  # type: ignore[attr-defined]
        return Result(tuple(replace(one, rule=slugs.get(one.code, one.rule)) for one in found))

    try:
        check_fixture_project(tmp_path, lint=lint)
        said = ""
    except ExampleError as error:
        said = str(error)
    lines = [line for line in said.splitlines() if "no rule has this code" not in line]
    assert lines == ([problem] if problem else [])


def test_the_plugin_places_each_test_at_its_example(tmp_path: Path) -> None:
    """End to end, with the real engine: a rule named on the command line, and its directory."""
    rules = tmp_path / "rules"
    rules.mkdir()
    bad = BAD.replace("bad = 1", "def handler(event, context):\n    pass").replace(
        "LMB101\n", "LMB150\n"
    )
    text = RULE.replace("{page}", bad + GOOD).replace('"LMB101"', '"LMB150"')
    (rules / "toy_rule.py").write_text(
        text.replace("call: int, project: object", "project: Project, same: Project").replace(
            "import Report", "import Project, Report"
        ),
        encoding="utf-8",
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for place in ("rules", "rules/toy_rule.py"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "-p", "lambda_lint.testing", place],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert re.findall(r"^rules/toy_rule.py::(\S+) (\w+)", done.stdout, re.MULTILINE) == [
            ("page", "PASSED"),
            ("bad", "FAILED"),
            ("good", "PASSED"),
        ], done.stdout + done.stderr
        assert f"{rules / 'toy_rule.py'}:3: bad" in done.stdout
        assert "missed alarm: app.py:2 (line 5 of the page) LMB150 is marked" in done.stdout
        assert "Traceback" not in done.stdout
