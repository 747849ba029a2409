"""Which comments silence which findings, and what is said about comments that do not."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from lambda_lint.finding import Confidence, Finding, Severity, Span
from lambda_lint.source import Source
from lambda_lint.suppress import Suppressed, apply

RULES = {"LMB101": "client-in-handler", "LMB801": "stale-db-connection"}


def finding(line: int, code: str = "LMB101", path: str = "app.py") -> Finding:
    return Finding(
        path=path,
        span=Span(line, 1, line, 2),
        code=code,
        rule=RULES[code],
        category="",
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        message="m",
        help="h",
    )


def run(text: str, findings: Sequence[Finding], *, noqa: bool = True) -> Suppressed:
    return apply(findings, {"app.py": Source("app.py", text.encode())}, noqa=noqa)


# One line with a finding of LMB101 on it, and whether flake8 7 takes the finding away.
NOQA = [
    ("# noqa", True, "a bare noqa silences everything"),
    ("# NOQA", True, "in any case"),
    ("#noqa", False, "the blank after the hash is needed"),
    ("# noqa: LMB101", True, "a code"),
    ("# noqa:LMB101", True, "without a blank"),
    ("# noqa:  LMB101", True, "two blanks: no code is read, so it is a bare noqa"),
    ("# noqa: LMB101 because of X", True, "a reason"),
    ("# noqa: E501,LMB101", True, "several codes"),
    ("# noqa:E501 LMB101", True, "several codes with blanks"),
    ("# noqa: LMB1", True, "the beginning of a code"),
    ("# noqa: LMB", True, "no digits: no code is read, so it is a bare noqa"),
    ("# noqa: client-in-handler", True, "a name of ours: a bare noqa to flake8"),
    ("# noqa : LMB101", True, "a blank before the colon: a bare noqa"),
    ("# noqa LMB101", True, "no colon: a bare noqa"),
    ("# noqa: lmb101", False, "codes are compared with their case"),
    ("# noqa: LMB102", False, "another code"),
    ("# noqa: E501", False, "a code of another tool"),
    ("# noqa:E501;LMB101", False, "a semicolon ends the codes"),
    ("# pylint: disable=x  # noqa: LMB101", True, "behind another comment"),
    ("# noqa: E501  # noqa: LMB101", False, "only the first is read"),
    ("# no qa", False, "something else"),
]


@pytest.mark.parametrize(
    ("comment", "silent"), [pytest.param(text, silent, id=why) for text, silent, why in NOQA]
)
def test_noqa_on_the_line(comment: str, silent: bool) -> None:
    done = run(f"x = client()  {comment}\n", [finding(1)])
    assert done.findings == (() if silent else (finding(1),))


@pytest.mark.parametrize("comment", [text for text, _, _ in NOQA])
def test_noqa_is_left_to_flake8_under_flake8(comment: str) -> None:
    assert run(f"x = client()  {comment}\n", [finding(1)], noqa=False).findings == (finding(1),)


@pytest.mark.parametrize(
    ("text", "line", "silent"),
    [
        pytest.param(
            'x = client("""\na\n""")  # noqa\n', 1, True, id="behind a string of several lines"
        ),
        pytest.param("x = \\\n    client()  # noqa\n", 1, True, id="behind a backslash"),
        pytest.param("x = client(\n    1,\n)  # noqa\n", 1, False, id="on the closing bracket"),
        pytest.param("x = client(  # noqa\n    1,\n)\n", 1, True, id="on the opening bracket"),
        pytest.param("# noqa\nx = client()\n", 2, False, id="on the line above"),
        pytest.param("x = client('# noqa')\n", 1, True, id="in a string, as flake8 has it"),
        pytest.param("# flake8: noqa\nx = client()\n", 2, True, id="for the file"),
        pytest.param(
            "x = client()\n# FLAKE8: NOQA: E501\n", 1, True, id="for the file, whatever follows"
        ),
        pytest.param(
            "y = 1  # flake8: noqa\nx = client()\n", 2, False, id="file comment after code"
        ),
        pytest.param("x = client()  # noqa\r\ny = client()\r\n", 2, False, id="Windows line ends"),
        pytest.param("y = 1\rx = client()  # noqa\rz = 1", 2, True, id="old Mac line ends"),
        pytest.param("y = '''\\'''\n'''\nx = client()  # noqa\n", 3, True, id="escaped quotes"),
        pytest.param("\x0c\nx = client()  # noqa\n", 2, True, id="form feed"),
    ],
)
def test_noqa_speaks_of_the_lines_that_flake8_joins(text: str, line: int, silent: bool) -> None:
    assert run(text, [finding(line)]).findings == (() if silent else (finding(line),))


# Findings stand on the lines that end in `!`; those on lines that end in `!!` are silenced.
OWN = {
    "behind the code, by name": """\
        x = client()  # lambda-lint: ignore[client-in-handler] !!
        y = client() !
        """,
    "behind the code, by code": """\
        x = client()  # lambda-lint: ignore[LMB101] because of X !!
        """,
    "several names": """\
        x = client()  # lambda-lint: ignore[stale-db-connection, LMB101] !!
        """,
    "another rule": """\
        x = client()  # lambda-lint: ignore[stale-db-connection] !
        """,
    "behind another comment": """\
        x = client()  # noqa: E501  # lambda-lint: ignore[LMB101] !!
        """,
    "alone, for the next statement": """\
        # lambda-lint: ignore[LMB101]
        x = client() !!
        y = client() !
        """,
    "alone, over blank lines and other comments": """\
        # lambda-lint: ignore[LMB101]

        # why
        x = client() !!
        """,
    "alone, over another one of its kind": """\
        # lambda-lint: ignore[stale-db-connection]
        # lambda-lint: ignore[LMB101]
        x = client() !!
        """,
    "all lines of a statement": """\
        # lambda-lint: ignore[LMB101]
        x = call(
            client(), !!
        )
        y = client() !
        """,
    "behind the closing bracket": """\
        x = client( !!
            1,
        )  # lambda-lint: ignore[LMB101]
        """,
    "inside a statement": """\
        x = call(
            # lambda-lint: ignore[LMB101]
            client(), !!
            client(), !!
        )
        """,
    "only the header of a function": """\
        # lambda-lint: ignore[LMB101]
        def f(a=client()): !!
            return client() !
        """,
    "above decorators": """\
        # lambda-lint: ignore[LMB101]
        @decorate(1)
        @decorate
        def f(a=client()): !!
            return client() !
        """,
    "a file": """\
        x = client() !!
        # lambda-lint: file-ignore[LMB101]
        y = client() !!
        """,
    "a range": """\
        a = client() !
        # lambda-lint: disable[client-in-handler]
        b = client() !!
        # lambda-lint: enable[client-in-handler]
        c = client() !
        # lambda-lint: disable[client-in-handler]
        d = client() !!
        # lambda-lint: enable[client-in-handler]
        e = client() !
        """,
    "a range without an end": """\
        # lambda-lint: disable[client-in-handler]
        b = client() !!
        """,
    "in a string": """\
        x = client("# lambda-lint: ignore[LMB101]") !
        """,
    "in prose": """\
        x = client()  # see `# lambda-lint: ignore[LMB101]` !
        """,
    "the beginning of a code": """\
        x = client()  # lambda-lint: ignore[LMB1] !
        """,
    "no bracket": """\
        x = client()  # lambda-lint: ignore LMB101 !
        """,
    "no closing bracket": """\
        x = client()  # lambda-lint: ignore[LMB101 !
        """,
    "misspelt": """\
        x = client()  # lambda-lint: ingore[LMB101] !
        """,
    "no colon": """\
        x = client()  # lambda-lint ignore[LMB101] !
        """,
    "a file comment behind code": """\
        x = client()  # lambda-lint: file-ignore[LMB101] !
        """,
    "letters beyond ASCII in the reason": """\
        x = client()  # lambda-lint: ignore[LMB101] für später \N{LOCK} !!
        """,
}


@pytest.mark.parametrize("noqa", [True, False], ids=["alone", "under flake8"])
@pytest.mark.parametrize("case", OWN)
def test_our_own_comments(case: str, noqa: bool) -> None:
    lines = [line[8:] for line in OWN[case].split("\n")]
    findings = [finding(number) for number, line in enumerate(lines, 1) if line.endswith("!")]
    left = [one for one in findings if not lines[one.span.line - 1].endswith("!!")]
    text = "\n".join(line.rstrip("!").rstrip() for line in lines)
    assert run(text, findings, noqa=noqa).findings == tuple(left)


def test_a_comment_speaks_of_its_own_file_only() -> None:
    sources = {
        "a.py": Source("a.py", b"# lambda-lint: file-ignore[LMB101]\nx = 1\n"),
        "b.py": Source("b.py", b"x = 1\n"),
    }
    findings = [finding(2, path="a.py"), finding(1, path="b.py"), finding(1, path="gone.py")]
    assert apply(findings, sources, noqa=True).findings == tuple(findings[1:])


@pytest.mark.parametrize(
    ("text", "findings", "unused"),
    [
        pytest.param(
            "x = 1  # lambda-lint: ignore[LMB101, stale-db-connection]\n",
            [finding(1)],
            [((1, 38, 1, 57), "stale-db-connection")],
            id="one name of two",
        ),
        pytest.param(
            "x = 1  # noqa: E501, LMB101, LMB801\n",
            [finding(1, "LMB801")],
            [((1, 22, 1, 28), "LMB101")],
            id="a code of ours in a noqa",
        ),
        pytest.param("x = 1  # noqa\n", [], [], id="a bare noqa may be for others"),
        pytest.param(
            "# lambda-lint: file-ignore[LMB101]\n# lambda-lint: disable[LMB801]\n"
            "# lambda-lint: enable[LMB801]\n",
            [],
            [((1, 28, 1, 34), "LMB101"), ((2, 24, 2, 30), "LMB801")],
            id="file and range",
        ),
        pytest.param(
            "x = 1  # lambda-lint: ignore[LMB101]  # lambda-lint: ignore[LMB101]\n",
            [finding(1)],
            [((1, 61, 1, 67), "LMB101")],
            id="the same twice",
        ),
        pytest.param(
            "# flake8: noqa\nx = 1  # noqa: LMB101\n", [], [], id="in a file that flake8 skips"
        ),
    ],
)
def test_names_that_silence_nothing_are_told(
    text: str, findings: list[Finding], unused: list[tuple[tuple[int, int, int, int], str]]
) -> None:
    done = run(text, findings)
    assert [(tuple(one.span), one.name) for one in done.unused] == unused
    assert done.findings == ()


# A comment behind code or alone, what is said of it, and what to do; without the last newline.
MALFORMED: list[tuple[str, str, str]] = [
    ("x = 1  # lambda-lint: ignore", "not understood", "write `# lambda-lint: ignore[rule-name]"),
    ("x = 1  # lambda-lint:ignore", "not understood", "ignore[rule-name] reason"),
    ("x = 1  # lambda-lint: ignore client-in-handler", "not understood", "ignore[rule-name]"),
    ("x = 1  # lambda-lint: ignore[LMB101", "not understood", "ignore[rule-name]"),
    ("x = 1  # lambda-lint: ignore(LMB101)", "not understood", "ignore[rule-name]"),
    ("x = 1  # lambda-lint: ignore LMB101]", "not understood", "ignore[rule-name]"),
    ("x = 1  # lambda-lint: ingore[LMB101]", "not understood", "ignore[rule-name]"),
    ("# lambda-lint: file_ignore[LMB101]", "not understood", "`file-ignore`"),
    ("x = 1  # lambda-lint: noqa", "not understood", "ignore[rule-name]"),
    ("x = 1  # lambda-lint ignore[LMB101]", "not understood", "# lambda-lint: ignore"),
    ("x = 1  # Lambda-Lint: Ignore[LMB101]", "not understood", "ignore[rule-name]"),
    ("x = 1  # LAMBDA-LINT: IGNORE[LMB101]", "not understood", "ignore[rule-name]"),
    ("x = 1  # lambda_lint: ignore[LMB101]", "not understood", "# lambda-lint: ignore"),
    ("x = 1  # lambdalint: ignore[LMB101]", "not understood", "# lambda-lint: ignore"),
    ("x = 1  # lambda lint: ignore[LMB101]", "not understood", "# lambda-lint: ignore"),
    ("x = 1  # lambda-lint - ignore[LMB101]", "not understood", "# lambda-lint: ignore"),
    ("x = 1  # lambda-lint=ignore[LMB101]", "not understood", "# lambda-lint: ignore"),
    ("x = 1  # lambda-lint: ignore[]", "names no rule", "`# lambda-lint: ignore[rule-name]`"),
    ("x = 1  # lambda-lint: ignore[ , ]", "names no rule", "`# lambda-lint: ignore[rule-name]`"),
    ("x = 1  # lambda-lint: ignore[LMB1]", "`LMB1` is neither a rule's name nor", "whole code"),
    ("x = 1  # lambda-lint: ignore[lmb101]", "`lmb101` is neither", "write `LMB101`"),
    ("x = 1  # lambda-lint: ignore[Client-In-Handler]", "neither", "write `client-in-handler`"),
    ("x = 1  # lambda-lint: ignore[client_in_handler]", "neither", "write `client-in-handler`"),
    ("x = 1  # lambda-lint: ignore[*]", "`*` is neither a rule's name", "of each rule"),
    ("x = 1  # lambda-lint: disable[LMB101]", "`disable` has to stand alone", "ignore[LMB101]"),
    ("x = 1  # lambda-lint: file-ignore[LMB101]", "has to stand alone", "ignore[LMB101]"),
    ("# lambda-lint: disable[LMB101]", "never enabled again", "# lambda-lint: enable[LMB101]"),
    ("# lambda-lint: enable[LMB101]", "`LMB101` is not disabled here", "delete the comment"),
    (
        "# lambda-lint: disable[LMB101]\n# lambda-lint: disable[LMB101]\n"
        "# lambda-lint: enable[LMB101]",
        "`LMB101` is disabled already",
        "enable it first",
    ),
    ("x = 1  # noqa: lmb101", "silences nothing", "write the code as LMB101"),
    ("x = 1  # noqa: LMB", "silences every finding of the line", "`# noqa: LMB101`"),
    ("x = 1  # noqa LMB101", "silences every finding of the line", "`# noqa: LMB101`"),
    ("x = 1  # noqa : LMB101", "silences every finding of the line", "`# noqa: LMB101`"),
    ("x = 1  # noqa: client-in-handler", "silences every finding", "`# noqa: LMB101`"),
    ("x = 1  # noqa:E501;LMB101", "what follows the first code is not read", "by commas"),
    ("x = 1  # noqa: E501  # noqa: LMB101", "only the first `# noqa` of a line", "by commas"),
]


@pytest.mark.parametrize(("text", "problem", "advice"), MALFORMED)
def test_comments_that_do_not_mean_what_they_seem_to_mean(
    text: str, problem: str, advice: str
) -> None:
    (note,) = run(f"{text}\n", [finding(1)]).malformed
    assert problem in note.problem
    assert advice in note.advice
    assert note.is_noqa is ("noqa:" in text or "noqa " in text)


@pytest.mark.parametrize("text", [text for text, _, _ in MALFORMED if "# lambda" in text])
def test_what_is_not_understood_silences_nothing(text: str) -> None:
    """But a `disable` without an end is understood, and so is the first of two."""
    silent = "disable[" in text and "x = 1" not in text
    findings = [finding(text.count("\n") + 1)]
    assert run(f"{text}\nx = client()\n", findings).findings == (
        () if silent and "enable[" not in text else tuple(findings)
    )


# What gives a reason, and what needs one and has none.
REASONS: list[tuple[str, bool]] = [
    ("x = 1  # lambda-lint: ignore[LMB101]", False),
    ("x = 1  # lambda-lint: ignore[LMB101] -", False),
    ("x = 1  # lambda-lint: ignore[LMB101] rotated", True),
    ("x = 1  # lambda-lint: ignore[LMB101]: rotated", True),
    ("x = 1  # lambda-lint: ignore[LMB101] für später", True),
    ("x = 1  # lambda-lint: ignore[LMB101]  # noqa: E501", False),
    ("# lambda-lint: file-ignore[LMB101]\nx = 1", False),
    ("# lambda-lint: file-ignore[LMB101] generated\nx = 1", True),
    ("# lambda-lint: disable[LMB101]\nx = 1\n# lambda-lint: enable[LMB101]", False),
    ("# lambda-lint: disable[LMB101] old\nx = 1\n# lambda-lint: enable[LMB101]", True),
    ("x = 1  # noqa: LMB101", False),
    ("x = 1  # noqa: E501, LMB101", False),
    ("x = 1  # noqa: LMB101 rotated", True),
    ("x = 1  # noqa: LMB101 - rotated", True),
    ("x = 1  # noqa: LMB101  # type: ignore", False),
    ("x = 1  # noqa", False),
    ("x = 1  # noqa rotated", True),
    ("x = 1  # noqa: E501", True),
    ("x = '# noqa: LMB101'", True),
]


@pytest.mark.parametrize(("text", "explained"), REASONS)
def test_reasons(text: str, explained: bool) -> None:
    line = 1 + text.partition("x =")[0].count("\n")
    notes = run(f"{text}\n", [finding(line)]).unexplained
    assert [one.problem for one in notes] == (
        [] if explained else ["this comment does not say why it silences a rule"]
    )


def test_only_a_comment_that_names_a_code_counts_where_a_blanket_does_not() -> None:
    text = "x = 1  # noqa\ny = 2  # noqa: LMB101\nz = 3  # lambda-lint: ignore[LMB101]\n"
    findings = [finding(1), finding(2), finding(3)]
    sources = {"app.py": Source("app.py", text.encode())}
    assert apply(findings, sources, noqa=True, blanket=False).findings == (finding(1),)


@pytest.mark.parametrize(
    "text",
    [
        "# noqa: E501\n",
        "# noqa: E501 see LMB\n",
        "# this is about lambda-lint: a linter\n".replace(": a", " a"),
        "# noqa\n",
        "x = 1  # noqa: re-export\n",
    ],
)
def test_comments_about_other_things_are_left_alone(text: str) -> None:
    assert run(text, []) == ((), (), (), ())


MANY = 20_000


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("# noqa:" + "A1 " * MANY + "\n", 200, id="one endless noqa"),
        pytest.param("#" * MANY + " noqa\n", 1, id="one endless comment"),
        pytest.param("x = 1 " + "# " * MANY + "\n", 1, id="many hashes"),
        pytest.param("# lambda-lint: ignore[LMB101]\n" * MANY + "x = 1\n", 1, id="stacked"),
        pytest.param("@d\n" * MANY + "def f():\n", 1, id="decorators"),
        pytest.param(
            "x = [\n" + "1,  # lambda-lint: ignore[LMB101]\n" * MANY + "]\n",
            MANY,
            id="one statement",
        ),
        pytest.param(
            "# lambda-lint: disable[LMB101]\n# lambda-lint: enable[LMB101]\n" * MANY,
            MANY,
            id="many ranges",
        ),
        pytest.param("# lambda-lint: ignore[" + "LMB101," * MANY + "]\n", 1, id="one endless list"),
        pytest.param("x = 1  # noqa: LMB801\n" * MANY, MANY, id="many lines"),
        pytest.param('x = "' + "\\" * MANY + "\n# noqa: LMB101", 1, id="backslashes"),
        pytest.param('"""\n' * (MANY + 1) + "# noqa: LMB101\\", MANY, id="strings without an end"),
    ],
)
def test_hostile_comments_cost_linear_time(text: str, count: int) -> None:
    findings = [finding(line) for line in range(1, count + 1)]
    start = time.perf_counter()
    done = run(text, findings)
    assert time.perf_counter() - start < 5
    assert len(done.findings) <= count
