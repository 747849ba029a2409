"""Suppression comments at both doors: the command line and flake8 say the same of the same file.

Each case is a file of one project, which both have read; flake8 takes `# noqa` away itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest


class Case(NamedTuple):
    """A comment and what is left: `line code` each; `flake8` only where it is something else."""

    why: str
    text: str
    left: Sequence[str]
    flake8: Sequence[str] | None = None


CALL = 'boto3.client("s3")'
# Line 5 is the mistake unless the case brings more lines.
HEAD = "import boto3\n\n\ndef lambda_handler(event, context):\n"
TAIL = "    return client\n"


def after(comment: str) -> str:
    return f"{HEAD}    client = {CALL}  {comment}\n{TAIL}"


def above(*lines: str) -> str:
    return f"{HEAD}{''.join(f'    {line}' + chr(10) for line in lines)}{TAIL}"


CASES = [
    Case("no comment", after("# a client"), ["5 LMB101"]),
    # What silences.
    Case("noqa with the code", after("# noqa: LMB101"), []),
    Case("bare noqa", after("# noqa"), []),
    Case("noqa with the beginning of the code", after("# noqa: LMB1"), []),
    Case("our comment, by name", after("# lambda-lint: ignore[client-in-handler] x"), []),
    Case("our comment, by code", after("# lambda-lint: ignore[LMB101] x"), []),
    Case(
        "alone, for the statement below",
        above("# lambda-lint: ignore[LMB101] x", f"client = {CALL}"),
        [],
    ),
    Case(
        "behind the last line of a statement",
        above("client = boto3.client(", '    "s3",', ")  # lambda-lint: ignore[LMB101] x"),
        [],
    ),
    Case(
        "noqa behind the last line of a statement, which flake8 does not join",
        above("client = boto3.client(", '    "s3",', ")  # noqa: LMB101"),
        ["5 LMB101", "7 LMB902"],
    ),
    Case(
        "noqa behind a continued line",
        above("client = \\", f"    {CALL}  # noqa: LMB101"),
        [],
    ),
    Case(
        "above decorators: for the header only",
        HEAD + f"    # lambda-lint: ignore[LMB101]\n    @print\n    def make(): return {CALL}\n"
        "    client = make\n" + TAIL,
        ["5 LMB902"],
    ),
    Case("both comments on one line", after("# noqa: E501  # lambda-lint: ignore[LMB101] x"), []),
    Case("ours first", after("# lambda-lint: ignore[LMB101] x  # noqa: E501"), []),
    Case("both for the same", after("# lambda-lint: ignore[LMB101] x  # noqa: LMB101"), []),
    Case("a file", f"# lambda-lint: file-ignore[LMB101] x\n{after('')}", []),
    Case("flake8's own for a file", f"# flake8: noqa\n{after('')}", []),
    Case(
        "a stretch",
        above(
            "# lambda-lint: disable[LMB101] x",
            f"client = {CALL}",
            "# lambda-lint: enable[LMB101]",
            f"client = {CALL}",
        ),
        ["8 LMB101"],
    ),
    # What silences nothing, because it is no comment.
    Case(
        "in a string",
        above('note = "# lambda-lint: ignore[LMB101]"; client = ' + CALL),
        ["5 LMB101"],
    ),
    Case(
        "in a string of several lines",
        above('note = """', "# lambda-lint: file-ignore[LMB101]", '"""', f"client = {CALL}"),
        ["8 LMB101"],
    ),
    # What is not needed.
    Case("not needed", above("client = 1  # lambda-lint: ignore[LMB101] x"), ["5 LMB902"]),
    Case("another rule", after("# lambda-lint: ignore[LMB801] x"), ["5 LMB101", "5 LMB902"]),
    Case("a noqa that is not needed", above("client = 1  # noqa: LMB101"), ["5 LMB902"]),
    Case("one of two codes", after("# noqa: LMB102,E501,LMB101"), ["5 LMB902"]),
    Case("the beginning of codes, not needed", above("client = 1  # noqa: LMB1"), []),
    # What is malformed is told, and silences nothing.
    Case(
        "unknown name", after("# lambda-lint: ignore[client-in-handlr]"), ["5 LMB101", "5 LMB902"]
    ),
    Case("unknown code", after("# lambda-lint: ignore[LMB199]"), ["5 LMB101", "5 LMB902"]),
    Case("unknown code in a noqa", after("# noqa: LMB199"), ["5 LMB101", "5 LMB902"]),
    Case("no bracket", after("# lambda-lint: ignore client-in-handler"), ["5 LMB101", "5 LMB902"]),
    Case("nothing named", after("# lambda-lint:ignore"), ["5 LMB101", "5 LMB902"]),
    Case("open bracket", after("# lambda-lint: ignore[LMB101"), ["5 LMB101", "5 LMB902"]),
    Case("wrong case", after("# Lambda-Lint: Ignore[LMB101]"), ["5 LMB101", "5 LMB902"]),
    Case("small letters", after("# lambda-lint: ignore[lmb101]"), ["5 LMB101", "5 LMB902"]),
    Case("small letters in a noqa", after("# noqa: lmb101"), ["5 LMB101", "5 LMB902"]),
    Case("disable behind code", after("# lambda-lint: disable[LMB101]"), ["5 LMB101", "5 LMB902"]),
    Case("enable alone", above("# lambda-lint: enable[LMB101]", "client = 1"), ["5 LMB902"]),
    Case(
        "disable without an end",
        above("# lambda-lint: disable[LMB101]", f"client = {CALL}"),
        ["5 LMB902"],
    ),
    Case("semicolon", after("# noqa:E501;LMB101"), ["5 LMB101", "5 LMB902"]),
    # What silences all by mistake is told on the command line; flake8 silences that, too.
    Case("name in a noqa", after("# noqa: client-in-handler"), ["5 LMB902"], []),
    Case("no colon", after("# noqa LMB101"), ["5 LMB902"], []),
    Case("blank before the colon", after("# noqa : LMB101"), ["5 LMB902"], []),
    # And LMB902 can be silenced itself.
    Case("ours and this", after("# lambda-lint: ignore[LMB801, LMB902] x"), ["5 LMB101"]),
    Case("noqa and this", after("# noqa: lmb101, LMB902"), ["5 LMB101"]),
]

# The same with `require-suppression-reason`.
REASONED = [
    Case("ours with a reason", after("# lambda-lint: ignore[LMB101] rotated"), []),
    Case("ours without", after("# lambda-lint: ignore[LMB101]"), ["5 LMB902"]),
    Case("noqa with a reason", after("# noqa: LMB101 rotated"), []),
    Case("noqa without", after("# noqa: LMB101"), ["5 LMB902"]),
    Case("noqa of another tool", after("# noqa: E501"), ["5 LMB101"]),
    Case("bare noqa", after("# noqa"), ["5 LMB902"], []),
    Case("a file without", f"# lambda-lint: file-ignore[LMB101]\n{after('')}", ["1 LMB902"]),
    Case(
        "a stretch without",
        above(
            "# lambda-lint: disable[LMB101]", f"client = {CALL}", "# lambda-lint: enable[LMB101]"
        ),
        ["5 LMB902"],
    ),
]


def project(directory: Path, cases: Sequence[Case], settings: str) -> Path:
    (directory / "lambda-lint.toml").write_text(f"cache = false\n{settings}")
    for number, case in enumerate(cases):
        (directory / f"case_{number}.py").write_text(case.text)
    return directory


def command(directory: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    assert done.stderr == ""
    return done.stdout


def by_command_line(directory: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    said = command(directory, "lambda_lint", "check", "--output-format", "json")
    for one in json.loads(said)["findings"]:
        found.setdefault(one["path"], []).append(f"{one['line']} {one['code']}")
    return found


def by_flake8(directory: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in command(directory, "flake8", "--select=LMB", "-j1").splitlines():
        path, number, _, text = line.split(":", 3)
        found.setdefault(path.removeprefix("./"), []).append(f"{number} {text.split()[0]}")
    return found


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], list[str]]:
    """What both doors say, by door and `kind/file`."""
    found = {}
    for kind, cases, settings in (
        ("plain", CASES, ""),
        ("reasoned", REASONED, "require-suppression-reason = true\n"),
    ):
        directory = project(tmp_path_factory.mktemp(kind), cases, settings)
        for door, ask in (("command line", by_command_line), ("flake8", by_flake8)):
            for path, lines in ask(directory).items():
                found[door, f"{kind}/{path}"] = sorted(lines)
    return found


@pytest.mark.parametrize(
    ("kind", "number", "case"),
    [
        pytest.param(kind, number, case, id=f"{kind}: {case.why}")
        for kind, cases in (("plain", CASES), ("reasoned", REASONED))
        for number, case in enumerate(cases)
    ],
)
def test_both_doors(
    kind: str, number: int, case: Case, said: Mapping[tuple[str, str], list[str]]
) -> None:
    name = f"{kind}/case_{number}.py"
    assert said.get(("command line", name), []) == list(case.left)
    assert said.get(("flake8", name), []) == list(case.left if case.flake8 is None else case.flake8)


def test_unknown_names_come_with_a_suggestion(tmp_path: Path) -> None:
    project(tmp_path, [Case("", after("# lambda-lint: ignore[client-in-handlr]"), [])], "")
    said = command(tmp_path, "lambda_lint", "check", "--output-format", "json")
    (one,) = [one for one in json.loads(said)["findings"] if one["code"] == "LMB902"]
    assert one["message"] == "there is no rule `client-in-handlr`, so nothing is silenced"
    assert one["help"] == "did you mean client-in-handler (LMB101)?"


def test_a_rule_that_does_not_run_is_no_mistake(tmp_path: Path) -> None:
    project(tmp_path, [Case("", after("# lambda-lint: ignore[LMB801, stale-global-read]"), [])], "")
    said = command(
        tmp_path, "lambda_lint", "check", "--output-format", "json", "--select", "LMB1,LMB902"
    )
    assert [one["code"] for one in json.loads(said)["findings"]] == ["LMB101"]


def test_reasons_may_be_required_for_some_files_only(tmp_path: Path) -> None:
    cases = [Case("", after("# lambda-lint: ignore[LMB101]"), [])] * 2
    project(
        tmp_path,
        cases,
        "[[overrides]]\nfiles = ['case_1.py']\nrequire-suppression-reason = true\n",
    )
    assert by_command_line(tmp_path) == by_flake8(tmp_path) == {"case_1.py": ["5 LMB902"]}
