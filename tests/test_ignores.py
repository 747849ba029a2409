"""`check --add-ignore`: where the comments go, and that nothing else changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_lint.cli import main
from lambda_lint.finding import Confidence, Finding, Severity, Span
from lambda_lint.ignores import add
from lambda_lint.source import Source

RULES = {"LMB101": "client-in-handler", "LMB801": "stale-db-connection"}
WORD = "# lambda-lint: ignore"


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


# A file, where the findings are (line and code), and the file with the comments.
PLACES: dict[str, tuple[str, list[tuple[int, str]], str]] = {
    "behind the code": (
        "x = f()\ny = 1\n",
        [(1, "LMB101")],
        f"x = f()  {WORD}[client-in-handler]\ny = 1\n",
    ),
    "two rules on a line": (
        "x = f()\n",
        [(1, "LMB801"), (1, "LMB101")],
        f"x = f()  {WORD}[stale-db-connection, client-in-handler]\n",
    ),
    "the same rule twice in a statement": (
        "x = [\n    f(),\n    f(),\n]\n",
        [(2, "LMB101"), (3, "LMB101")],
        f"x = [\n    f(),  {WORD}[client-in-handler]\n    f(),\n]\n",
    ),
    "behind a string of several lines": (
        'x = f("""\na # b\n""")\n',
        [(1, "LMB101")],
        f'x = f("""\na # b\n""")  {WORD}[client-in-handler]\n',
    ),
    "behind continued lines": (
        "x = \\\n    f() \\\n    + 1\n",
        [(2, "LMB101")],
        f"x = \\\n    f() \\\n    + 1  {WORD}[client-in-handler]\n",
    ),
    "another comment stays first": (
        "x = f()  # type: ignore\n",
        [(1, "LMB101")],
        f"x = f()  # type: ignore  {WORD}[client-in-handler]\n",
    ),
    "a noqa stays": (
        "x = f()  # noqa: E501\n",
        [(1, "LMB101")],
        f"x = f()  # noqa: E501  {WORD}[client-in-handler]\n",
    ),
    "one of ours gets the name": (
        f"x = f()  {WORD}[stale-db-connection] rotated  # noqa: E501\n",
        [(1, "LMB101")],
        f"x = f()  {WORD}[stale-db-connection, client-in-handler] rotated  # noqa: E501\n",
    ),
    "one of ours above the statement gets the name": (
        f"{WORD}[LMB801 ]\nx = f()\n",
        [(2, "LMB101")],
        f"{WORD}[LMB801, client-in-handler ]\nx = f()\n",
    ),
    "one that is malformed does not": (
        f"x = f()  {WORD} all\n",
        [(1, "LMB101")],
        f"x = f()  {WORD} all  {WORD}[client-in-handler]\n",
    ),
    "decorator": (
        "@d(f())\ndef g():\n    pass\n",
        [(1, "LMB101")],
        f"@d(f())  {WORD}[client-in-handler]\ndef g():\n    pass\n",
    ),
    "header of several lines": (
        "def g(\n    a=f(),\n):\n    pass\n",
        [(2, "LMB101")],
        f"def g(\n    a=f(),  {WORD}[client-in-handler]\n):\n    pass\n",
    ),
    "two statements on a line": (
        "a = 1; x = f()\n",
        [(1, "LMB101")],
        f"a = 1; x = f()  {WORD}[client-in-handler]\n",
    ),
    "no line ending": ("x = f()", [(1, "LMB101")], f"x = f()  {WORD}[client-in-handler]"),
    "CR LF": (
        "x = f()\r\ny = 1\r\n",
        [(1, "LMB101")],
        f"x = f()  {WORD}[client-in-handler]\r\ny = 1\r\n",
    ),
    "CR": ("x = f()\ry = 1\r", [(1, "LMB101")], f"x = f()  {WORD}[client-in-handler]\ry = 1\r"),
    "blanks at the end": (
        "x = f()  \t\n",
        [(1, "LMB101")],
        f"x = f()  {WORD}[client-in-handler]  \t\n",
    ),
    "what looks like a comment in a string": (
        'x = f("# lambda-lint: ignore[LMB801]")\n',
        [(1, "LMB101")],
        f'x = f("# lambda-lint: ignore[LMB801]")  {WORD}[client-in-handler]\n',
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_where_the_comment_goes(case: str) -> None:
    before, places, after = PLACES[case]
    found = [finding(line, code) for line, code in places]
    done = add(found, {"app.py": Source("app.py", before.encode())}, "")
    assert done.changed == {"app.py": after.encode()}
    assert done.silenced == tuple(found)
    again = add(found, {"app.py": Source("app.py", after.encode())}, "")
    assert again.silenced == tuple(found)


@pytest.mark.parametrize("case", PLACES)
def test_a_reason_stands_behind_the_names(case: str) -> None:
    before, places, _ = PLACES[case]
    found = [finding(line, code) for line, code in places]
    done = add(found, {"app.py": Source("app.py", before.encode())}, "known, see 17")
    text = done.changed["app.py"].decode()
    assert f"] {'rotated' if 'rotated' in before else 'known, see 17'}" in text
    assert len(text.splitlines()) == len(before.splitlines())


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        pytest.param(b"\xef\xbb\xbfx = f('\xc3\xa9')\n", "utf-8-sig", id="byte order mark"),
        pytest.param(b"# coding: latin-1\nx = f('\xe9')\n", "latin-1", id="latin-1"),
    ],
)
def test_the_encoding_stays(data: bytes, encoding: str) -> None:
    line = data.count(b"\n")
    done = add([finding(line)], {"app.py": Source("app.py", data)}, "für später")
    added = f"  {WORD}[client-in-handler] für später".encode(encoding.removesuffix("-sig"))
    assert done.changed["app.py"] == data[:-1] + added + b"\n"


@pytest.mark.parametrize(
    ("source", "one", "why"),
    [
        pytest.param(
            Source("app.py", b"# coding: ascii\nx = f()\n"),
            finding(2),
            "characters that ascii cannot write",
            id="a reason that the encoding has not",
        ),
        pytest.param(
            Source("app.py", b"x = (\n"), finding(1), "break the file", id="a syntax error"
        ),
        pytest.param(
            Source("other.py", b"x = 1\n"), finding(1), "only Python files", id="a template"
        ),
    ],
)
def test_what_cannot_be_silenced_is_left_alone(source: Source, one: Finding, why: str) -> None:
    done = add([one], {source.path: source}, "für später")
    assert (done.changed, done.silenced) == ({}, ())
    ((left, reason),) = done.left
    assert (left, why in reason) == (one, True), reason


# On the command line.

BAD = """\
import boto3


def lambda_handler(event, context):
    client = boto3.client("s3")
    return client.list_buckets()
"""

TEMPLATE = """\
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Code:
        ZipFile: |
          import boto3
          def handler(event, context):
              return boto3.client("s3").list_buckets()
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `check` in a project with one mistake."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lambda-lint.toml").write_text("cache = false\n")
    (tmp_path / "app.py").write_text(BAD)

    def check(*arguments: str) -> tuple[int, str, str]:
        code = main(["check", *arguments])
        done = capsys.readouterr()
        return code, done.out, done.err

    return check


def line(path: str = "app.py") -> str:
    return Path(path).read_text().splitlines()[4]


@pytest.mark.parametrize(
    ("arguments", "comment"),
    [
        (["--add-ignore"], f"{WORD}[client-in-handler]"),
        (["--add-ignore", "."], f"{WORD}[client-in-handler]"),
        (["--add-ignore=known"], f"{WORD}[client-in-handler] known"),
        (["--add-ignore=see the ticket", "app.py"], f"{WORD}[client-in-handler] see the ticket"),
    ],
)
def test_silences_and_then_there_is_nothing_to_do(
    run: Run, arguments: list[str], comment: str
) -> None:
    code, _, err = run(*arguments)
    assert (code, err) == (0, "lambda-lint: silenced 1 finding\n")
    assert line() == f'    client = boto3.client("s3")  {comment}'
    before = Path("app.py").read_bytes()
    assert run(*arguments)[0] == 0
    assert Path("app.py").read_bytes() == before


def test_only_what_is_shown_is_silenced(run: Run) -> None:
    Path("other.py").write_text(BAD)
    assert run("--add-ignore", "app.py")[0] == 0
    assert WORD in line("app.py")
    assert Path("other.py").read_text() == BAD
    assert run("--add-ignore", "--select", "LMB2")[0] == 0
    assert Path("other.py").read_text() == BAD


def test_diff_shows_and_writes_nothing(run: Run) -> None:
    code, out, _ = run("--add-ignore", "--diff")
    assert code == 1
    assert f'+    client = boto3.client("s3")  {WORD}[client-in-handler]\n' in out
    assert Path("app.py").read_text() == BAD


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_told(run: Run) -> None:
    Path("app.py").chmod(0o444)
    code, out, _ = run("--add-ignore")
    assert code == 2
    assert "read-only" in out


def test_what_is_left_is_told_and_the_rest_is_done(run: Run) -> None:
    """A broken file, and a comment that names no rule, are there to be mended."""
    broken = "def lambda_handler(event, context):\n    return (\n"
    Path("broken.py").write_text(broken)
    other = "X = 1  # lambda-lint: ignore[no-such-rule]\n"
    Path("other.py").write_text(other)
    code, out, err = run("--add-ignore", "--output-format", "concise")
    assert (code, err.splitlines()[0]) == (1, "lambda-lint: silenced 1 finding")
    assert [one.split(" ")[1][:6] for one in out.splitlines() if ".py:" in one] == [
        "LMB900",
        "LMB902",
    ]
    assert (Path("broken.py").read_text(), Path("other.py").read_text()) == (broken, other)
    assert WORD in line("app.py")


def test_a_template_cannot_hold_the_comment(run: Run) -> None:
    Path("template.yaml").write_text(TEMPLATE)
    code, out, err = run("--add-ignore")
    assert code == 2
    assert "template.yaml:11: LMB101 cannot be silenced: only Python files" in out + err
    assert Path("template.yaml").read_text() == TEMPLATE
    assert WORD in line("app.py")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add-ignore", "--fix"], "run one after the other"),
        (["--add-ignore=a#b"], "a reason ends at the next `#`"),
        (["--add-ignore=a\nimport os"], "a reason is one line"),
        (["--add-ignore=\x1b[2J"], "a reason is one line"),
        (["--add-ignore", "-"], "no comment can be added to standard input"),
    ],
)
def test_what_does_not_go_together(run: Run, arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert Path("app.py").read_text() == BAD
