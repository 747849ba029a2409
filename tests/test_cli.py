"""The command line: what it says where, and with which exit code."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_lint import cli, config, registry, terminal
from lambda_lint.commands import catalogue, check, results
from lambda_lint.finding import Confidence, Edit, Finding, Fix, Severity, Span, Step

ROOT = Path(__file__).resolve().parent.parent

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
CALLER = """\
import storage


def lambda_handler(event, context):
    return storage.buckets()
"""
HELPER = """\
import boto3


def buckets():
    return boto3.client("s3").list_buckets()
"""


class Done(NamedTuple):
    """What a run left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Write files into an empty project, and run a command there in this process."""
    for name in (
        "CI_PROJECT_DIR",
        "COLUMNS",
        "FORCE_COLOR",
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        "GITHUB_WORKSPACE",
        "GITLAB_CI",
        "LAMBDA_LINT_TRACEBACK",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def do(*arguments: str, files: Mapping[str, str] | None = None, stdin: str = "") -> Done:
        write(tmp_path, files or {})
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return do


def write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def start(
    *arguments: str,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    stdout: int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "NO_COLOR")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "lambda_lint", *arguments],
        cwd=directory,
        env={**clean, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


# Exit codes.

SILENT = ""
NOTHING_KNOWN = "no handler was found"


@pytest.mark.parametrize(
    ("files", "arguments", "code", "out", "err"),
    [
        pytest.param({"app.py": GOOD}, ["check"], 0, "no findings", SILENT, id="clean"),
        pytest.param({"app.py": BAD}, ["check"], 1, "LMB101", SILENT, id="finding"),
        pytest.param({"app.py": BAD}, ["check", "--exit-zero"], 0, "LMB101", SILENT, id="forgiven"),
        pytest.param(
            {"app.py": BAD},
            ["check", "--severity", "error"],
            0,
            "no findings",
            SILENT,
            id="what is not shown does not count",
        ),
        pytest.param(
            {"app.py": BAD}, ["check", "--ignore", "LMB101"], 0, "no findings", SILENT, id="ignored"
        ),
        pytest.param(
            {"app.py": BAD},
            ["check", "--select", "LMB102,ineffective-memo"],
            0,
            "no findings",
            SILENT,
            id="other rules selected",
        ),
        pytest.param(
            {"app.py": BAD},
            ["check", "--select", "LMB102", "--extend-select", "client-in-handler"],
            1,
            "LMB101",
            SILENT,
            id="selected besides",
        ),
        pytest.param(
            {"app.py": BAD.replace('"s3")', '"s3")  # noqa: LMB101')},
            ["check"],
            0,
            "no findings",
            SILENT,
            id="silenced as flake8 does",
        ),
        pytest.param(
            {"app.py": BAD.replace('"s3")', '"s3")  # lambda-lint: ignore[client-in-handler] why')},
            ["check"],
            0,
            "no findings",
            SILENT,
            id="silenced as we do",
        ),
        pytest.param(
            {"app.py": "def (:\n"}, ["check"], 1, "LMB900", SILENT, id="a broken file is a finding"
        ),
        pytest.param(
            {"app.py": "x = 1\n"}, ["check"], 0, NOTHING_KNOWN, SILENT, id="no handler is said"
        ),
        pytest.param(
            {"app.py": GOOD, "pyproject.toml": '[tool.lambda-lint]\nhandlers = ["app.py:go"]\n'},
            ["check"],
            2,
            "app.py:go",
            SILENT,
            id="a configured handler that is not there",
        ),
        pytest.param(
            {"app.py": GOOD}, ["check", "ap.py"], 2, SILENT, "ap.py: no such file", id="no path"
        ),
        pytest.param({"a.txt": ""}, ["check"], 2, SILENT, "no Python file", id="nothing to lint"),
        pytest.param(
            {"app.py": GOOD},
            ["check", "--select", "client-in-handlr"],
            2,
            SILENT,
            "did you mean client-in-handler",
            id="unknown rule",
        ),
        pytest.param(
            {"app.py": GOOD, "lambda-lint.toml": "stict = true\n"},
            ["check"],
            2,
            SILENT,
            "lambda-lint.toml:1: unknown key 'stict'; did you mean `strict`?",
            id="unknown key",
        ),
        pytest.param(
            {"app.py": GOOD, "lambda-lint.toml": '[per-file-ignores]\n"*.py" = ["LMB777"]\n'},
            ["check"],
            2,
            SILENT,
            "unknown rule 'LMB777'",
            id="unknown rule in a table",
        ),
        pytest.param(
            {"app.py": GOOD}, ["check", "--config", "no.toml"], 2, SILENT, "no.toml", id="no config"
        ),
        pytest.param(
            {"app.py": GOOD},
            ["check", "--diff-base", "main"],
            2,
            SILENT,
            "not in a git work tree",
            id="no git",
        ),
        pytest.param(
            {"app.py": GOOD}, ["check", "--jobs", "0"], 2, SILENT, "number of processes", id="jobs"
        ),
        pytest.param(
            {"app.py": GOOD}, ["check", "--select", ","], 2, SILENT, "an empty name", id="no name"
        ),
        pytest.param(
            {"app.py": GOOD},
            ["check", "--unsafe-fixes"],
            2,
            SILENT,
            "add --fix or --diff",
            id="half an option",
        ),
        pytest.param(
            {"app.py": GOOD},
            ["check", "--output-file", "no/such/file"],
            2,
            SILENT,
            "no/such/file: the report cannot be written",
            id="report not written",
        ),
        pytest.param({}, ["chekc"], 2, SILENT, "invalid choice", id="unknown command"),
        pytest.param({}, [], 2, SILENT, "COMMAND", id="no command"),
        pytest.param({}, ["rule", "LMB101"], 0, "LMB101 client-in-handler", SILENT, id="page"),
        pytest.param({}, ["rule", "client-in-handler"], 0, "```python bad", SILENT, id="by name"),
        pytest.param(
            {}, ["rule", "LMB11"], 2, SILENT, "there is no rule 'LMB11'", id="no such page"
        ),
        pytest.param({}, ["rules"], 0, "client-in-handler", SILENT, id="catalogue"),
        pytest.param(
            {"app.py": GOOD}, ["handlers"], 0, "app.py:6 lambda_handler", SILENT, id="handlers"
        ),
        pytest.param({"app.py": "x = 1\n"}, ["handlers"], 2, NOTHING_KNOWN, SILENT, id="none"),
        pytest.param(
            {}, ["new", "lost-update"], 2, SILENT, "no directory for rules", id="no place"
        ),
        pytest.param({}, ["new", "Lost"], 2, SILENT, "no directory for rules", id="no such name"),
    ],
)
def test_exit_code_and_what_is_said(
    run: Run, files: Mapping[str, str], arguments: Sequence[str], code: int, out: str, err: str
) -> None:
    done = run(*arguments, files=files)
    assert (done.code, out in done.out, err in done.err) == (code, True, True), done
    assert out != SILENT or done.out == ""
    assert err != SILENT or done.err == ""


CRASHING = '''\
"""A rule that crashes."""

from collections.abc import Iterator

from lambda_lint.rule import Handler, Project, Report, rule


@rule("LMB199", category="client-per-invocation")
def crashing(handler: Handler, project: Project) -> Iterator[Report]:
    yield from [1 / 0]
'''


def test_a_rule_that_crashes_is_named_and_the_others_still_speak(run: Run) -> None:
    files = {
        "app.py": BAD,
        "own/crashing.py": CRASHING,
        "lambda-lint.toml": 'rule-directories = ["own"]\n',
    }
    done = run("check", "--output-format", "concise", files=files)
    assert done.code == 2
    assert "LMB101" in done.out
    assert "rule crashing failed on app.py:4: ZeroDivisionError" in done.out
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "environment", "shows_traceback"),
    [
        (["check"], {}, False),
        (["check", "--verbose"], {}, True),
        (["check"], {"LAMBDA_LINT_TRACEBACK": "1"}, True),
        (["check"], {"LAMBDA_LINT_TRACEBACK": "0"}, False),
    ],
)
def test_a_mistake_of_ours_is_one_line_and_exit_code_2(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    shows_traceback: bool,
) -> None:
    def crash(_options: object) -> int:
        raise ValueError("bad \x1b[31mname")

    monkeypatch.setattr(check, "run", crash)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = run(*arguments)
    assert done.code == 2
    assert "lambda-lint: internal error: ValueError: bad \\x1b[31mname" in done.err
    assert ("Traceback" in done.err) == shows_traceback


# What is reported.


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        (["app.py"], ["storage.py"]),
        (["storage.py"], ["storage.py"]),
        (["other.py"], []),
        (["lib"], []),
        (["lib", "storage.py"], ["storage.py"]),
        (["."], ["storage.py"]),
    ],
)
def test_paths_filter_what_is_reported_and_the_way_there_counts(
    run: Run, arguments: Sequence[str], paths: Sequence[str]
) -> None:
    files = {"app.py": CALLER, "storage.py": HELPER, "other.py": "x = 1\n", "lib/a.py": "y = 2\n"}
    done = run("check", "--output-format", "json", *arguments, files=files)
    assert [one["path"] for one in json.loads(done.out)["findings"]] == paths
    assert done.code == bool(paths)


def test_paths_are_shown_from_the_working_directory(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"src/app.py": CALLER, "src/storage.py": HELPER, "lambda-lint.toml": "", "docs/x": ""}
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path / "docs")
    done = run("check", "--output-format", "json", "..")
    (found,) = json.loads(done.out)["findings"]
    assert found["path"] == "../src/storage.py"
    assert found["handlers"] == ["../src/app.py:lambda_handler"]
    assert found["witness"][0]["path"] == "../src/app.py"


def test_per_file_ignores_silence_a_rule_in_the_files_that_match(run: Run) -> None:
    done = run(
        *("check", "--output-format", "concise"),
        files={
            "app.py": BAD,
            "old/app.py": BAD,
            "lambda-lint.toml": '[per-file-ignores]\n"old/" = ["client-in-handler"]\n',
        },
    )
    assert [line.partition(":")[0] for line in done.out.splitlines()[:-1]] == ["app.py"]


def test_only_changed_lines_are_reported_and_the_way_there_counts(run: Run, tmp_path: Path) -> None:
    write(tmp_path, {"app.py": CALLER, "storage.py": HELPER, "jobs.py": BAD})
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "before")
    concise = ("check", "--diff-base", "main", "--output-format", "concise")
    assert run(*concise).code == 0
    # The handler is changed; the constructor in the helper is not.
    write(tmp_path, {"app.py": CALLER.replace("buckets()", "buckets() or None")})
    done = run(*concise)
    assert (done.code, [line.partition(":")[0] for line in done.out.splitlines()[:-1]]) == (
        1,
        ["storage.py"],
    )


def git(directory: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=directory, check=True)


def test_standard_input_stands_for_a_file_of_the_project(run: Run) -> None:
    arguments = ("check", "--output-format", "concise", "--stdin-filename", "storage.py", "-")
    files = {"app.py": CALLER, "storage.py": "def buckets():\n    return []\n"}
    done = run(*arguments, files=files, stdin=HELPER)
    assert done.code == 1
    assert done.out.startswith("storage.py:5:12: LMB101 ")
    assert run(*arguments, stdin="def buckets():\n    return []\n").code == 0


# Formats.


@pytest.mark.parametrize("format_name", ["json", "sarif"])
@pytest.mark.parametrize("source", [GOOD, BAD, "def (:\n", ""], ids=["good", "bad", "broken", "no"])
def test_machine_formats_are_documents_whatever_is_found(
    run: Run, tmp_path: Path, format_name: str, source: str
) -> None:
    done = run("check", "--output-format", format_name, files={"app.py": source})
    assert isinstance(json.loads(done.out), dict)
    report = tmp_path / "report"
    same = run("check", "--output-format", format_name, "--output-file", str(report))
    assert (same.code, same.out, report.read_text()) == (done.code, "", done.out)


def test_statistics_are_added(run: Run) -> None:
    done = run("check", "--statistics", "--output-format", "concise", files={"app.py": BAD})
    assert re.search(r"^1  LMB101  client-in-handler", done.out, re.MULTILINE)


def test_handlers_say_where_why_and_what_they_reach(run: Run) -> None:
    files = {"app.py": CALLER, "storage.py": HELPER}
    done = run("handlers", "--output-format", "json", files=files)
    (row,) = json.loads(done.out)["handlers"]
    assert (row["path"], row["line"], row["name"]) == ("app.py", 4, "lambda_handler")
    assert row["modules"] == ["app.py", "storage.py"]
    assert row["evidence"]


def test_handlers_as_a_table_have_a_line_for_each_function(run: Run) -> None:
    template = """
Resources:
  Orders: {Type: AWS::Serverless::Function, Properties: {Handler: app.lambda_handler}}
  Copies: {Type: AWS::Serverless::Function, Properties: {Handler: app.lambda_handler}}
  Wrong: {Type: AWS::Serverless::Function, Properties: {Handler: app.gone}}
"""
    files = {"app.py": CALLER, "storage.py": HELPER, "template.yaml": template}
    done = run("handlers", "--output-format", "table", files=files)
    assert [re.split(r" {2,}", line) for line in done.out.splitlines()] == [
        ["handler", "function", "descriptor", "code root", "flags", "modules", "evidence"],
        *(
            ["app.py:4 lambda_handler", name, f"template.yaml:{line} (SAM)", ".", "2", EVIDENCE]
            for name, line in (("Orders", 3), ("Copies", 4))
        ),
        ["not found", "Wrong", "template.yaml:5 (SAM)", ".", "app.gone"],
    ]


EVIDENCE = "high: takes `(event, context)`; is named `lambda_handler`"

CONNECTED = """
from db import connect
CONNECTION = connect()
def lambda_handler(event, context):
    cursor = CONNECTION.cursor()
    cursor.execute("select a from t")
    return cursor.fetchall()
"""

CONNECT = """
import mysql.connector
def connect():
    return mysql.connector.connect(host="db", autocommit=True)
"""


def test_all_handlers_that_use_what_is_kept_are_named(run: Run) -> None:
    files = {"a.py": CONNECTED, "b.py": CONNECTED, "db.py": CONNECT}
    done = run("check", "--select", "LMB801", "--output-format", "json", files=files)
    (finding,) = json.loads(done.out)["findings"]
    assert finding["handlers"] == ["a.py:lambda_handler", "b.py:lambda_handler"]


COVERED = """
import json, boto3
from missing_helpers import tidy
from tools import publish
client = boto3.client("s3")
TABLE = {}
def save(row):
    client.put_object(Bucket="b", Key=row)
def lambda_handler(event, context):
    save(json.loads(event["body"].strip()))
    TABLE[event["kind"]](event)
    publish(event)
    return event["store"].flush()
"""
"""On its way: one call into the project, two of libraries, one of a text, three unknown."""


def test_coverage_says_where_calls_lead(run: Run) -> None:
    files = {"app.py": COVERED, "tools.py": "globals()['publish'] = print\n"}
    done = run("handlers", "--coverage", "--output-format", "json", files=files)
    (row,) = json.loads(done.out)["handlers"]
    assert row["coverage"] == {
        "project": 1,
        "library": 2,
        "data": 1,
        "unresolved": 3,
        "places": [{"path": "app.py", "line": line} for line in (11, 12, 13)],
    }
    assert "1 followed into the project" in run("handlers", "--coverage").out
    assert "coverage" not in run("handlers", "--output-format", "json").out


def test_rules_are_listed_as_json_with_their_pages(run: Run) -> None:
    rules = json.loads(run("rules", "--output-format", "json").out)["rules"]
    assert {"code", "rule", "category", "severity", "title", "page"} == set(rules[0])
    assert [one["code"] for one in rules] == sorted(one["code"] for one in rules)


def test_reading_rule_files_and_loading_them_say_the_same() -> None:
    read = [catalogue._entry(path) for path in sorted(registry.BUILTIN.glob("[!_]*.py"))]
    loaded = sorted(catalogue._loaded(registry.BUILTIN), key=lambda one: one.slug)
    assert read == loaded


def test_rules_of_the_project_are_in_the_catalogue(run: Run) -> None:
    files = {"own/crashing.py": CRASHING, "lambda-lint.toml": 'rule-directories = ["own"]\n'}
    assert "LMB199  crashing" in run("rules", files=files).out
    assert run("rule", "crashing").out.startswith("LMB199 crashing (warning, client-per-invoca")


def test_a_new_rule_is_written_where_the_project_keeps_its_rules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    files = {"lambda-lint.toml": 'rule-directories = ["own"]\n'}
    done = run("new", "lost-update", "--category", "mutable-global-state", files=files)
    assert done.code == 0
    assert done.out.splitlines()[0] == str((tmp_path / "own" / "lost_update.py").resolve())
    assert "LMB250  lost-update" in run("rules").out


# Fixes.


FIXING = '''\
"""A rule that dislikes a word, and knows a better one for it."""

from collections.abc import Iterator

from lambda_lint.rule import Edit, Fix, Handler, Project, Report, rule


@rule("LMB198", category="client-per-invocation")
def fixing(handler: Handler, project: Project) -> Iterator[Report]:
    text = project.sources[handler.path].text
    for old, new, safe in (("red", "green", True), ("mauve", "blue", False)):
        if (start := text.find(old)) >= 0:
            fix = Fix(f"say {new}", safe, (Edit(start, start + len(old), new),))
            yield Report(handler.path, handler.span, old, f"say {new}", (), fix=fix)
            return
'''
COLOURED = "def lambda_handler(event, context):\n    return 'red red mauve'\n"
FIX_PROJECT = {
    "app.py": COLOURED,
    "own/fixing.py": FIXING,
    "lambda-lint.toml": 'rule-directories = ["own"]\n',
}


@pytest.mark.parametrize(
    ("arguments", "code", "after", "said"),
    [
        (["--fix"], 1, "green green mauve", "fixed 2 findings"),
        (["--fix", "--exit-zero"], 0, "green green mauve", "fixed 2 findings"),
        (["--fix", "--unsafe-fixes"], 0, "green green blue", "fixed 3 findings"),
        (
            ["--fix", "--unsafe-fixes", "--exit-non-zero-on-fix"],
            1,
            "green green blue",
            "fixed 3 findings",
        ),
        (["--fix", "--ignore", "LMB198"], 0, "red red mauve", ""),
        (["--fix", "own"], 0, "red red mauve", ""),
        (["--fix", "--severity", "error"], 0, "red red mauve", ""),
    ],
)
def test_fixes_are_applied_until_nothing_is_left_of_what_was_asked_for(
    run: Run, tmp_path: Path, arguments: Sequence[str], code: int, after: str, said: str
) -> None:
    done = run("check", *arguments, files=FIX_PROJECT)
    assert (done.code, done.err) == (code, f"lambda-lint: {said}\n" if said else "")
    assert (tmp_path / "app.py").read_text() == COLOURED.replace("red red mauve", after)
    again = run("check", *[one for one in arguments if one != "--exit-non-zero-on-fix"])
    assert again.err == ""


def test_a_hook_that_fixes_is_content_the_second_time(run: Run) -> None:
    arguments = ("check", "--fix", "--unsafe-fixes", "--exit-non-zero-on-fix")
    assert [run(*arguments, files=FIX_PROJECT).code, run(*arguments).code] == [1, 0]


def test_the_diff_of_fixes_is_shown_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    done = run("check", "--diff", files=FIX_PROJECT)
    assert (done.code, done.out, done.err) == (
        1,
        "--- a/app.py\n"
        "+++ b/app.py\n"
        "@@ -1,2 +1,2 @@\n"
        " def lambda_handler(event, context):\n"
        "-    return 'red red mauve'\n"
        "+    return 'green green mauve'\n",
        "",
    )
    assert (tmp_path / "app.py").read_text() == COLOURED
    assert run("check", "--diff", "--ignore", "LMB198") == Done(0, "", "")


def test_standard_input_is_not_fixed_but_its_diff_is_shown(run: Run) -> None:
    stdin = ("--stdin-filename", "app.py", "-")
    assert run("check", "--fix", *stdin, stdin=COLOURED, files=FIX_PROJECT).code == 2
    assert run("check", "--diff", *stdin, stdin=COLOURED).out.startswith("--- a/app.py\n")


def test_only_changed_findings_are_fixed_although_fixes_move_lines(
    run: Run, tmp_path: Path
) -> None:
    write(tmp_path, {**FIX_PROJECT, "old.py": COLOURED})
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "before")
    write(tmp_path, {"app.py": COLOURED.replace("context)", "context )")})
    assert run("check", "--fix", "--diff-base", "main").code == 1
    # Only one pass: a second one would not know which lines were changed.
    assert "green red mauve" in (tmp_path / "app.py").read_text()
    assert (tmp_path / "old.py").read_text() == COLOURED


# The cache of whole runs.


def test_an_unchanged_project_is_not_analysed_again(tmp_path: Path) -> None:
    write(tmp_path, {"app.py": BAD, "lambda-lint.toml": ""})
    code = (
        "import sys\n"
        "from lambda_lint.cli import main\n"
        "code = main(['check'])\n"
        "print(code, 'libcst' in sys.modules, file=sys.stderr)\n"
    )
    cold, warm = (
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    )
    assert (cold.stderr, warm.stderr) == ("1 True\n", "1 False\n")
    assert warm.stdout == cold.stdout


@pytest.mark.parametrize(
    ("files", "arguments", "code"),
    [
        ({"app.py": GOOD}, [], 0),
        ({"lambda-lint.toml": 'ignore = ["LMB101"]\n'}, [], 0),
        ({"lambda-lint.toml": "snapstart = true\n"}, [], 1),
        ({"broken.py": "def (:\n"}, [], 1),
        ({}, ["--ignore", "LMB101"], 0),
        ({}, ["--severity", "error"], 0),
    ],
)
def test_a_change_is_noticed_although_there_is_a_cache(
    run: Run, files: Mapping[str, str], arguments: Sequence[str], code: int
) -> None:
    assert run("check", files={"app.py": BAD, "lambda-lint.toml": ""}).code == 1
    assert run("check", *arguments, files=files).code == code


def test_nothing_is_stored_without_a_cache(run: Run, tmp_path: Path) -> None:
    run("check", "--no-cache", files={"app.py": BAD})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py"]


def test_an_outcome_survives_being_stored() -> None:
    finding = Finding(
        path="a\udc80.py",
        span=Span(1, 2, 3, 4),
        code="LMB101",
        rule="client-in-handler",
        category="client-per-invocation",
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
        message="m",
        help="h",
        handlers=("a.py:f",),
        witness=(Step("b.py", Span(5, 6, 7, 8), "calls"),),
        fix=Fix("t", True, (Edit(0, 1, "x"),)),
        url="u",
        fingerprint="f",
    )
    outcome = results.Outcome((finding,), ("e",), 3, 4, templates=5)
    assert results.from_json(json.loads(json.dumps(results.to_json(outcome)))) == outcome


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"findings": [], "errors": [], "handlers": "1", "parsed": 1},
        {"findings": [{"path": "a"}], "errors": [], "handlers": 1, "parsed": 1},
        {"findings": [7], "errors": [], "handlers": 1, "parsed": 1},
    ],
)
def test_a_damaged_store_is_no_outcome(value: object) -> None:
    assert results.from_json(value) is None


# Streams and terminals.


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "is_terminal", "environment", "colour"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"FORCE_COLOR": "0"}, False),
        ("auto", False, {"FORCE_COLOR": ""}, False),
        ("auto", True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(
    choice: str, is_terminal: bool, environment: Mapping[str, str], colour: bool
) -> None:
    stream = Screen() if is_terminal else io.StringIO()
    assert terminal.wants_colour(choice, stream, environment) is colour


@pytest.mark.parametrize(
    ("stream", "environment", "columns"),
    [
        (io.StringIO(), {}, terminal.PLAIN_WIDTH),
        (Screen(), {}, terminal.PLAIN_WIDTH),
        (io.StringIO(), {"COLUMNS": "72"}, 72),
        (io.StringIO(), {"COLUMNS": "0"}, terminal.PLAIN_WIDTH),
        (io.StringIO(), {"COLUMNS": "-5"}, terminal.PLAIN_WIDTH),
        (io.StringIO(), {"COLUMNS": "3"}, 40),
        (io.StringIO(), {"COLUMNS": "9" * 5000}, terminal.PLAIN_WIDTH),
        (io.StringIO(), {"COLUMNS": "²"}, terminal.PLAIN_WIDTH),
    ],
)
def test_width(stream: io.StringIO, environment: Mapping[str, str], columns: int) -> None:
    assert terminal.width(stream, environment) == columns


@pytest.mark.parametrize(
    ("encoding", "ascii_only"),
    [("utf-8", False), ("ascii", True), ("cp1252", True), ("no-such", True), (None, True)],
)
def test_frames_are_drawn_with_what_the_stream_can_say(
    encoding: str | None, ascii_only: bool
) -> None:
    class Stream(io.StringIO):
        pass

    Stream.encoding = encoding  # type: ignore[assignment]
    assert terminal.is_ascii_only(Stream()) is ascii_only


def test_links_are_for_terminals_only() -> None:
    assert terminal.wants_links(True, Screen(), {})
    assert not terminal.wants_links(True, io.StringIO(), {})
    assert not terminal.wants_links(False, Screen(), {})


def test_progress_is_shown_after_a_second_and_removed() -> None:
    screen = Screen()
    with terminal.progress(screen) as say:
        say("checking 3 files")
        assert screen.getvalue() == ""
        time.sleep(1.2)
    assert screen.getvalue() == "\r\x1b[Kchecking 3 files … 1 s\r\x1b[K"
    plain = io.StringIO()
    with terminal.progress(plain):
        time.sleep(1.2)
    assert plain.getvalue() == ""


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EINVAL])
def test_a_reader_that_has_seen_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(number, "closed")

    monkeypatch.setattr("sys.stdout", Closed())
    terminal.write("text")


@pytest.mark.parametrize("arguments", [["check"], ["rules"], ["rule", "LMB101"], ["--help"]])
def test_closed_standard_output_leaves_no_trace(tmp_path: Path, arguments: Sequence[str]) -> None:
    write(tmp_path, {"app.py": BAD})
    reader, writer = os.pipe()
    process = start(*arguments, directory=tmp_path, stdout=writer)
    os.close(writer)
    os.close(reader)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (int(arguments == ["check"]), "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        process = start("rules", directory=tmp_path, stdout=full.fileno())
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "No space left" in err
    assert "Traceback" not in err


def test_a_stream_without_the_characters_gets_escapes(tmp_path: Path) -> None:
    write(tmp_path, {"größe.py": BAD.replace('"s3"', '"s3"  # ключ ✓\n    ')})
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    process = start("check", directory=tmp_path, environment=plain)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "")
    assert "gr\\xf6\\xdfe.py" in out


def test_a_name_that_is_no_unicode_is_shown_with_escapes(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff.py")).write_text(BAD)
    process = start("check", "--output-format", "concise", directory=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "")
    assert out.startswith("a\\udcff.py:5:14: LMB101")


def test_an_interrupted_run_ends_with_130_and_without_a_traceback(tmp_path: Path) -> None:
    # A pipe that nobody writes to: the run waits for standard input.
    process = subprocess.Popen(
        [sys.executable, "-m", "lambda_lint", "check", "-"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "lambda-lint: interrupted\n")


# The manual.

README = (ROOT / "README.md").read_text()
PICTURE = re.compile(r"<!-- picture: lambda-lint (.*?) -->\n```text\n(.*?)```\n", re.DOTALL)


def section(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_picture_in_the_readme_is_what_the_tool_says(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = PICTURE.search(README)
    assert picture is not None
    monkeypatch.chdir(ROOT)
    assert picture[2] == run(*picture[1].split(), "--no-cache").out


def test_the_readme_lists_the_keys_that_there_are() -> None:
    rows = [f"| `{key.name}` | {key.kind} | {key.help} |" for key in config.KEYS]
    assert section("configuration") == "\n".join(["| key | value | |", "|---|---|---|", *rows, ""])


def test_the_readme_shows_a_configuration_that_is_right(run: Run) -> None:
    example = re.search(r"```toml\n(\[tool\.lambda-lint\].*?)```", README, re.DOTALL)
    assert example is not None
    files = {
        "pyproject.toml": example[1],
        "src/jobs.py": "def run(event, context):\n    pass\n",
        "layers/common/python/common.py": "",
    }
    assert run("check", files=files).code == 0


def test_the_readme_names_no_option_that_does_not_exist(run: Run) -> None:
    known = run("check", "--help").out + run("rules", "--help").out + run("new", "--help").out
    for line in re.findall(r"lambda-lint (?:check|rules|new)[^\n`#]*", README):
        for option in re.findall(r"(?<=\s)--[a-z-]+", line):
            assert option in known, line
