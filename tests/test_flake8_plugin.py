"""The flake8 plugin: what it yields for one file, and how it behaves inside of flake8."""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lambda_lint import engine, flake8_plugin
from lambda_lint.cli import main
from lambda_lint.flake8_plugin import Options, Plugin

ROOT = Path(__file__).resolve().parent.parent
APPS = sorted(path for path in (ROOT / "fixtures" / "apps").glob("[!.]*") if path.is_dir())

BAD = """\
import boto3


def lambda_handler(event, context):
    client = boto3.client("s3")
    return client.list_buckets()
"""

GOOD = """\
import boto3

client = boto3.client("s3")


def lambda_handler(event, context):
    return client.list_buckets()
"""

APP = """\
import storage


def lambda_handler(event, context):
    return storage.buckets()
"""

HELPER = """\
import boto3


def buckets():
    return boto3.client("s3").list_buckets()
"""


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test starts as a process of flake8 does: nothing read, no option given."""
    monkeypatch.setattr(Plugin, "options", Options())
    flake8_plugin.forget()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lambda-lint.toml").write_text("cache = false\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(project: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")


def as_flake8(file: Path) -> list[str]:
    """The lines of a file as flake8 hands them over."""
    with file.open(encoding="utf-8-sig") as stream:
        return stream.readlines()


def run(name: str, text: str | None = None) -> list[tuple[int, int, str]]:
    """Line, column and text of what the plugin yields for a file, or for a buffer of that name."""
    lines = as_flake8(Path(name)) if text is None else text.splitlines(keepends=True)
    return [
        (line, column, said)
        for line, column, said, kind in Plugin(ast.Module([], []), name, lines).run()
        if kind is Plugin
    ]


def codes(found: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    return [(line, column, said.split(" ", 1)[0]) for line, column, said in found]


CLIENT = (5, 13, "LMB101")


@pytest.mark.parametrize(
    ("files", "name", "expected"),
    [
        pytest.param({"app.py": BAD}, "app.py", [CLIENT], id="mistake"),
        pytest.param({"app.py": BAD}, "./app.py", [CLIENT], id="as flake8 names files"),
        pytest.param({"app.py": GOOD}, "app.py", [], id="no mistake"),
        pytest.param(
            {"app.py": APP, "storage.py": HELPER}, "storage.py", [(5, 11, "LMB101")], id="helper"
        ),
        pytest.param({"app.py": APP, "storage.py": HELPER}, "app.py", [], id="caller of a helper"),
        pytest.param({"storage.py": HELPER}, "storage.py", [], id="helper that no handler reaches"),
        pytest.param({"app.py": "\ufeff" + BAD}, "app.py", [CLIENT], id="byte order mark"),
        pytest.param({"app.py": BAD.replace("\n", "\r\n")}, "app.py", [CLIENT], id="CR LF"),
        pytest.param({"app.py": BAD.replace("\n", "\r")}, "app.py", [CLIENT], id="CR only"),
        pytest.param(
            {"app.py": BAD.replace("client = ", "ü = '🙂', ")},
            "app.py",
            [(5, 13, "LMB101")],
            id="columns count characters",
        ),
        pytest.param(
            {"app.py": BAD.replace('("s3")', '("s3")  # noqa: LMB101')},
            "app.py",
            [CLIENT],
            id="noqa is for flake8 to judge",
        ),
        pytest.param(
            {"app.py": BAD.replace('("s3")', '("s3")  # lambda-lint: ignore[client-in-handler]')},
            "app.py",
            [],
            id="our own comment",
        ),
        pytest.param(
            {"app.py": BAD, "lambda-lint.toml": 'ignore = ["LMB101"]\n'},
            "app.py",
            [],
            id="ignored in the configuration",
        ),
        pytest.param(
            {"app.py": BAD, "lambda-lint.toml": 'per-file-ignores = {"a*" = ["LMB1"]}\n'},
            "app.py",
            [],
            id="ignored in this file",
        ),
        pytest.param(
            {"app.py": BAD, "lambda-lint.toml": 'severity = "error"\n'},
            "app.py",
            [],
            id="below the lowest severity",
        ),
        pytest.param(
            {"old/app.py": BAD, "lambda-lint.toml": 'exclude = ["old"]\n'},
            "old/app.py",
            [],
            id="excluded",
        ),
        pytest.param(
            {"sub/app.py": BAD, "sub/pyproject.toml": '[tool.lambda-lint]\nignore = ["LMB1"]\n'},
            "sub/app.py",
            [],
            id="the nearest configuration counts",
        ),
    ],
)
def test_what_is_said_of_a_file(
    project: Path, files: dict[str, str], name: str, expected: list[tuple[int, int, str]]
) -> None:
    write(project, files)
    assert codes(run(name)) == expected


@pytest.mark.parametrize(
    ("on_disk", "name", "buffer", "expected"),
    [
        pytest.param({"app.py": GOOD}, "app.py", BAD, [CLIENT], id="mistake not saved yet"),
        pytest.param({"app.py": BAD}, "app.py", GOOD, [], id="mended, not saved yet"),
        pytest.param({}, "app.py", BAD, [CLIENT], id="no file on disk"),
        pytest.param({}, "stdin", BAD, [CLIENT], id="flake8's own name for a buffer"),
        pytest.param(
            {"app.py": APP, "storage.py": "def buckets(): ...\n"},
            "storage.py",
            HELPER,
            [(5, 11, "LMB101")],
            id="a buffer is judged by the handlers on disk",
        ),
        pytest.param(
            {}, "app.py", f"# coding: latin-1\n# é\n{BAD}", [(7, 13, "LMB101")], id="other encoding"
        ),
        pytest.param(
            {"old/app.py": GOOD, "lambda-lint.toml": 'exclude = ["old"]\n'},
            "old/app.py",
            BAD,
            [],
            id="excluded",
        ),
    ],
)
def test_the_buffer_of_an_editor_counts_and_not_the_file(
    project: Path,
    on_disk: dict[str, str],
    name: str,
    buffer: str,
    expected: list[tuple[int, int, str]],
) -> None:
    write(project, on_disk)
    assert codes(run(name, buffer)) == expected


def test_message_is_one_line_after_the_code(project: Path) -> None:
    write(project, {"app.py": BAD})
    ((_, _, said),) = run("app.py")
    code, _, message = said.partition(" ")
    assert code == "LMB101", said
    assert "boto3" in message or "client" in message
    assert "\n" not in said


@pytest.mark.parametrize(
    ("files", "options", "reason"),
    [
        pytest.param(
            {"lambda-lint.toml": "stric = true\n"},
            Options(),
            "lambda-lint.toml:1: unknown key",
            id="unknown key in the configuration",
        ),
        pytest.param(
            {"lambda-lint.toml": "= nothing"}, Options(), "this is not TOML", id="broken TOML"
        ),
        pytest.param({}, Options(select=("LMB999",)), "LMB999", id="unknown rule"),
        pytest.param({}, Options(config="nowhere.toml"), "nowhere.toml", id="no such file"),
        pytest.param(
            {"lambda-lint.toml": 'rule-directories = ["r"]\n', "r/my.py": '"""A."""\n1 / 0\n'},
            Options(),
            "my.py:2: cannot be loaded: ZeroDivisionError",
            id="rule file that cannot be loaded",
        ),
    ],
)
def test_what_cannot_be_done_is_said_once_on_the_first_line(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    options: Options,
    reason: str,
) -> None:
    write(project, {"app.py": GOOD, **files})
    monkeypatch.setattr(Plugin, "options", options)
    found = run("app.py")
    assert codes(found) == [(1, 0, "LMB900")]
    assert reason in found[0][2]


def test_no_exception_leaves_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """flake8 would lose what it has found in all files."""
    asked = []

    def crash(*arguments: object, **keywords: object) -> None:
        asked.append(arguments)
        raise RecursionError("too deep\nfor us")

    write(project, {"app.py": BAD, "other.py": BAD})
    monkeypatch.setattr(engine, "lint", crash)
    for name in ("app.py", "other.py"):
        assert run(name) == [
            (
                1,
                0,
                "LMB900 not analysed: internal error of lambda-lint: RecursionError: "
                r"too deep\x0afor us",
            )
        ]
    assert len(asked) == 1, "a project that cannot be linted was linted again for each file"


def test_crashing_rule_does_not_hide_the_others(project: Path) -> None:
    rule = '''\
"""A rule that crashes."""
from collections.abc import Iterator
from lambda_lint.rule import Project, Report, rule

@rule("LMB899", category="connection-hygiene")
def crashing(project: Project, whole: Project) -> Iterator[Report]:
    raise KeyError("no such thing")
    yield
'''
    write(
        project,
        {
            "app.py": BAD,
            "own/crashing.py": rule,
            "lambda-lint.toml": 'rule-directories = ["own"]\ncache = false\n',
        },
    )
    found = run("app.py")
    assert codes(found) == [(1, 0, "LMB900"), CLIENT]
    assert "KeyError" in found[0][2]


def test_a_project_is_linted_once_for_all_of_its_files(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"sub{number}/app.py": BAD for number in range(3)}
    write(project, files)
    runs = []
    lint = engine.lint

    def counted(*arguments: object, **keywords: object) -> engine.Result:
        runs.append(keywords["jobs"])
        return lint(*arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "lint", counted)
    assert [codes(run(name)) for name in files] == [[CLIENT]] * 3
    assert runs == [1], "flake8's workers must not have children of their own"


@pytest.mark.parametrize("app", APPS, ids=lambda path: path.name)
def test_says_what_the_command_line_says(
    app: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(app, project, dirs_exist_ok=True)
    main(["check", "--no-cache", "--output-format", "json", "."])
    expected = [
        (one["path"], one["line"], one["column"] - 1, f"{one['code']} {one['message']}")
        for one in json.loads(capsys.readouterr().out)["findings"]
    ]
    found = [
        (name, *one)
        for name in sorted(str(file.relative_to(project)) for file in project.rglob("*.py"))
        for one in run(name)
        if "# noqa" not in as_flake8(project / name)[one[0] - 1]
    ]
    assert sorted(found) == sorted(expected)


# Inside of flake8.


def flake8(
    *arguments: str, directory: Path, stdin: str | None = None
) -> tuple[int, list[str], str]:
    """Run flake8 with our plugin and its own syntax check; return exit code, lines and errors."""
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--select=E9,LMB", *arguments],
        cwd=directory,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def places(lines: Sequence[str]) -> list[str]:
    """`./app.py:5:14: LMB101 message` without the message."""
    return [" ".join(line.split(" ", 2)[:2]) for line in lines]


@pytest.mark.parametrize(
    ("files", "arguments", "stdin", "expected"),
    [
        pytest.param({"app.py": BAD}, [], None, ["./app.py:5:14: LMB101"], id="found"),
        pytest.param({"app.py": GOOD}, [], None, [], id="nothing to find"),
        pytest.param(
            {"app.py": APP, "storage.py": HELPER},
            ["-j2"],
            None,
            ["./storage.py:5:12: LMB101"],
            id="worker processes",
        ),
        pytest.param(
            {"app.py": BAD, "odd.py": f"{BAD}odd = {'(' * 60}1{')' * 60}\n"},
            ["-j2"],
            None,
            ["./app.py:5:14: LMB101", "./odd.py:5:14: LMB101"],
            id="a file that is parsed in a process of its own where that can be",
        ),
        pytest.param(
            {"app.py": BAD.replace('("s3")', '("s3")  # noqa: LMB101')}, [], None, [], id="noqa"
        ),
        pytest.param({"app.py": BAD}, ["--extend-ignore=LMB1"], None, [], id="ignored by flake8"),
        pytest.param(
            {"app.py": GOOD},
            ["--stdin-display-name=app.py", "-"],
            BAD,
            ["app.py:5:14: LMB101"],
            id="standard input",
        ),
        pytest.param(
            {"app.py": BAD, ".flake8": "[flake8]\nlambda-lint-select = LMB900,\n  LMB9\n"},
            [],
            None,
            [],
            id="selection in flake8's configuration",
        ),
        pytest.param({"app.py": BAD}, ["--lambda-lint-select=LMB9"], None, [], id="selection"),
        pytest.param(
            {"app.py": BAD, "etc/other.toml": 'ignore = ["LMB1"]\n'},
            ["--lambda-lint-config=etc/other.toml"],
            None,
            [],
            id="named configuration",
        ),
        pytest.param(
            {"app.py": BAD, "lambda-lint.toml": "nonsense\n"},
            [],
            None,
            ["./app.py:1:1: LMB900"],
            id="broken configuration",
        ),
    ],
)
def test_inside_of_flake8(
    project: Path,
    files: dict[str, str],
    arguments: Sequence[str],
    stdin: str | None,
    expected: Sequence[str],
) -> None:
    write(project, files)
    code, lines, errors = flake8(*arguments, directory=project, stdin=stdin)
    assert errors == ""
    assert places(lines) == expected
    assert code == (1 if expected else 0)


def test_what_is_kept_on_disk_for_flake8_is_not_what_the_command_line_keeps(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line `# noqa` has silenced the finding; flake8 wants to do that itself."""
    write(
        project,
        {
            "app.py": BAD.replace('("s3")', '("s3")  # noqa: LMB101'),
            "lambda-lint.toml": "cache = true\n",
        },
    )
    for _ in range(2):
        assert main(["check"]) == 0, capsys.readouterr().out
        assert flake8(directory=project) == (0, [], "")
        _, lines, _ = flake8("--disable-noqa", directory=project)
        assert places(lines) == ["./app.py:5:14: LMB101"]


def test_syntax_error_is_left_to_flake8(project: Path) -> None:
    write(project, {"app.py": "def lambda_handler(event, context):\n    return (\n"})
    _, lines, _ = flake8(directory=project)
    assert [line.split(" ", 2)[1] for line in lines] == ["E999"]


INFORMATION = '''\
"""Something to know."""

from collections.abc import Iterator
from lambda_lint.rule import Call, Project, Report, Severity, rule


@rule("LMB899", category="connection-hygiene", severity=Severity.INFO)
def know(call: Call, project: Project) -> Iterator[Report]:
    yield Report(call.path, call.span, "something to know", "know it", ())
'''


@pytest.mark.parametrize(
    ("arguments", "configuration", "expected"),
    [
        pytest.param([], "", [], id="by default"),
        pytest.param(["--lambda-lint-strict"], "", ["LMB899"], id="strict"),
        pytest.param([], "lambda-lint-strict = true", ["LMB899"], id="strict in a file"),
        pytest.param([], "lambda-lint-strict = false", [], id="not strict in a file"),
        pytest.param(["--lambda-lint-select=know"], "", ["LMB899"], id="selected by name"),
        pytest.param(["--lambda-lint-select=ALL"], "", [], id="selected with all others"),
    ],
)
def test_information_is_for_those_who_ask(
    project: Path, arguments: Sequence[str], configuration: str, expected: Sequence[str]
) -> None:
    write(
        project,
        {
            "app.py": "def lambda_handler(event, context):\n    return len(event)\n",
            "own/know.py": INFORMATION,
            "lambda-lint.toml": 'rule-directories = ["own"]\ncache = false\n',
            "setup.cfg": f"[flake8]\nexclude = own\n{configuration}\n",
        },
    )
    _, lines, errors = flake8(*arguments, directory=project)
    assert errors == ""
    assert [line.split(" ", 2)[1] for line in lines] == expected


def test_parse_options_takes_what_is_there() -> None:
    """flake8 reads a TypeError from here as "this is a plugin of the old kind"."""
    Plugin.parse_options(None, argparse.Namespace(), [])
    assert Plugin.options == Options(strict=None, select=None, config=None)
