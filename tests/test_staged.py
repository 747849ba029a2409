"""What a commit would bring: the text of the index, and the lines that it changes against HEAD."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_lint import cli
from lambda_lint.changes import staged
from lambda_lint.git import GitError

if TYPE_CHECKING:
    from tests.repositories import commit, forget_the_user, git
else:
    from repositories import commit, forget_the_user, git

CLEAN = """\
import boto3

client = boto3.client("s3")


def lambda_handler(event, context):
    return client.list_buckets()
"""
OLD = """\
import boto3


def lambda_handler(event, context):
    client = boto3.client("s3")
    return client.list_buckets()
"""
OLD_AND_NEW = OLD.replace("    return", '    boto3.client("sqs").list_queues()\n    return')
HELPER = 'import boto3\n\n\ndef buckets():\n    return boto3.client("s3")\n'
CALLER = "import helper\n\n\ndef lambda_handler(event, context):\n    return helper.buckets()\n"
TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Job:
    Type: AWS::Serverless::Function
    Properties: {Handler: jobs.run, Runtime: python3.12, CodeUri: .}
"""
JOB = 'import boto3\n\n\ndef run(payload, meta):\n    return boto3.client("s3")\n'

State = Mapping[str, str | None]
"""The files of one state of a work tree; None removes one."""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    forget_the_user(monkeypatch)
    for name in ("FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / ".git" / "info" / "exclude").write_text(".lambda_lint_cache\n")
    return root


def write(root: Path, state: State) -> None:
    for name, text in state.items():
        file = root / name
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def seen(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """Return where `check --staged` reports something, as `file:line code`."""
    code = cli.main(["check", "--staged", "--output-format", "concise", *options])
    out, err = capsys.readouterr()
    found = [line.split(" ", 2) for line in out.splitlines()[:-1]]
    assert (code, err) == (1 if found else 0, ""), out + err
    return [f"{place.rsplit(':', 2)[0]} {rule}" for place, rule, _ in found]


@pytest.mark.parametrize(
    ("head", "index", "disk", "expected"),
    [
        pytest.param({"a.py": OLD}, {}, {}, [], id="nothing staged: old findings are no business"),
        pytest.param(None, {"a.py": OLD}, {}, ["a.py:5 LMB101"], id="before the first commit"),
        pytest.param(
            {"a.py": OLD}, {"a.py": OLD_AND_NEW}, {}, ["a.py:6 LMB101"], id="one line staged"
        ),
        pytest.param(
            {"a.py": OLD}, {}, {"a.py": OLD_AND_NEW}, [], id="what is not staged is not committed"
        ),
        pytest.param(
            {"a.py": OLD},
            {"a.py": OLD_AND_NEW},
            {"a.py": "\n\n" + OLD_AND_NEW},
            ["a.py:6 LMB101"],
            id="the lines are those of the commit, though they have moved on disk",
        ),
        pytest.param(
            {"a.py": CLEAN},
            {"a.py": OLD},
            {"a.py": CLEAN},
            ["a.py:5 LMB101"],
            id="mended on disk, but the mistake is what is committed",
        ),
        pytest.param(
            {"a.py": CLEAN},
            {"a.py": OLD},
            {"a.py": None},
            ["a.py:5 LMB101"],
            id="removed on disk, but committed",
        ),
        pytest.param(
            {"a.py": CLEAN},
            {"a.py": "def broken(:\n"},
            {"a.py": CLEAN},
            ["a.py:1 LMB900"],
            id="what is staged is no Python",
        ),
        pytest.param(
            {"a.py": CLEAN},
            {},
            {"a.py": "def broken(:\n"},
            [],
            id="what is not staged is no Python",
        ),
        pytest.param(
            {"helper.py": HELPER, "app.py": ""},
            {"app.py": CALLER},
            {},
            ["helper.py:5 LMB101"],
            id="a staged handler makes an old helper a mistake",
        ),
        pytest.param(
            {"helper.py": ""},
            {"helper.py": HELPER},
            {"app.py": CALLER},
            [],
            id="a handler that git does not know reaches nothing of the commit",
        ),
        pytest.param(
            {"helper.py": "", "app.py": CALLER},
            {"helper.py": HELPER},
            {"app.py": CLEAN},
            ["helper.py:5 LMB101"],
            id="the handler of the commit counts, not the one on disk",
        ),
        pytest.param(
            {"jobs.py": JOB, "template.yaml": "Resources: {}\n"},
            {"template.yaml": TEMPLATE},
            {"template.yaml": "Resources: {}\n"},
            ["jobs.py:5 LMB101"],
            id="a staged template makes a function a handler",
        ),
        pytest.param(
            {"jobs.py": JOB, "template.yaml": "Resources: {}\n"},
            {},
            {"template.yaml": TEMPLATE},
            [],
            id="a template that is not staged",
        ),
        pytest.param(
            {"old/a.py": OLD},
            {"old/a.py": None, "new/a.py": OLD_AND_NEW},
            {},
            ["new/a.py:6 LMB101"],
            id="a moved file brings what was edited",
        ),
        pytest.param(
            {"tests/test_a.py": OLD},
            {"tests/test_a.py": None, "src/a.py": OLD},
            {},
            ["src/a.py:5 LMB101"],
            id="a test that becomes code brings all",
        ),
        pytest.param(
            {"pyproject.toml": '[tool.lambda-lint]\nexclude = ["legacy"]\n', "legacy/a.py": OLD},
            {"legacy/a.py": None, "src/a.py": OLD},
            {},
            ["src/a.py:5 LMB101"],
            id="what was excluded brings all",
        ),
        pytest.param(
            {"lambda-lint.toml": '[per-file-ignores]\n"legacy/" = ["LMB1"]\n', "legacy/a.py": OLD},
            {"legacy/a.py": None, "src/a.py": OLD},
            {},
            ["src/a.py:5 LMB101"],
            id="what was ignored where it was brings all",
        ),
        pytest.param(
            {
                "lambda-lint.toml": '[[overrides]]\nfiles = ["old/"]\nseverity = "error"\n',
                "old/a.py": OLD,
            },
            {"old/a.py": None, "src/a.py": OLD},
            {},
            ["src/a.py:5 LMB101"],
            id="what had other settings brings all",
        ),
        pytest.param(
            {"lambda-lint.toml": 'handler-patterns = ["jobs/:run"]\n', "lib/a.py": JOB},
            {"lib/a.py": None, "jobs/a.py": JOB},
            {},
            ["jobs/a.py:5 LMB101"],
            id="what becomes a handler by its new path brings all",
        ),
        pytest.param(
            {"pyproject.toml": '[tool.lambda-lint]\nexclude = ["legacy"]\n', "legacy/a.py": CLEAN},
            {"legacy/a.py": OLD},
            {"legacy/a.py": CLEAN},
            [],
            id="excluded stays excluded",
        ),
    ],
)
def test_what_is_said_of_a_commit(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    head: State | None,
    index: State,
    disk: State,
    expected: list[str],
) -> None:
    if head is not None:
        write(repository, head)
        commit(repository)
    write(repository, index)
    # Something has to be there to be linted.
    (repository / "empty.py").touch()
    git(repository, "add", "--all")
    write(repository, disk)
    assert seen(capsys) == expected


def test_intention_to_add_is_no_change(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(repository)
    write(repository, {"a.py": OLD})
    git(repository, "add", "--intent-to-add", "a.py")
    assert seen(capsys) == []


def test_paths_still_choose(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repository, {"a.py": OLD, "b.py": OLD})
    git(repository, "add", "--all")
    assert seen(capsys, "b.py") == ["b.py:5 LMB101"]


def test_root_below_the_top_of_the_repository(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository, {"other/a.py": OLD, "service/a.py": OLD, "service/lambda-lint.toml": ""})
    git(repository, "add", "--all")
    write(repository, {"service/a.py": CLEAN})
    monkeypatch.chdir(repository / "service")
    assert seen(capsys) == ["a.py:5 LMB101"]


@pytest.mark.parametrize("name", ["tab\tname.py", 'quote".py', "new\nline.py", "日本.py", "-x.py"])
def test_every_file_name_is_read_back(repository: Path, name: str) -> None:
    write(repository, {name: OLD})
    git(repository, "add", "--all")
    write(repository, {name: CLEAN})
    found = staged(repository, 9999)
    assert found.contents == {name: OLD.encode()}
    assert found.changes.lines == {name: (range(1, 7),)}


def test_line_ends_and_bytes_of_the_index_are_as_they_were_staged(repository: Path) -> None:
    """Git converts line ends of a text on the way; what it holds is what is linted."""
    data = "x = 1\r\ny = 'é'\n".encode("latin-1")
    (repository / "a.py").write_bytes(data)
    git(repository, "add", "--all")
    (repository / "a.py").write_text("else\n")
    assert staged(repository, 9999).contents == {"a.py": data}


def test_a_text_above_the_limit_is_not_read(repository: Path) -> None:
    write(repository, {"a.py": "x = 1\n" * 100, "b.py": "x = 1\n"})
    git(repository, "add", "--all")
    write(repository, {"a.py": "", "b.py": ""})
    found = staged(repository, 50)
    assert found.contents["b.py"] == b"x = 1\n"
    assert len(found.contents["a.py"]) == 51


def test_a_file_that_a_filter_rewrites_is_taken_from_disk(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The index has what git-crypt or LFS made of it, which is no Python."""
    git(repository, "config", "filter.secret.clean", "base64")
    write(repository, {".gitattributes": "*.py filter=secret\n", "a.py": OLD})
    git(repository, "add", "--all")
    assert "boto3" not in git(repository, "show", ":a.py")
    assert seen(capsys) == ["a.py:5 LMB101"]


def with_conflict(repository: Path) -> None:
    write(repository, {"a.py": CLEAN})
    commit(repository)
    git(repository, "checkout", "--quiet", "-b", "theirs")
    write(repository, {"a.py": OLD})
    commit(repository)
    git(repository, "checkout", "--quiet", "main")
    write(repository, {"a.py": CLEAN.replace("s3", "sqs")})
    commit(repository)
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "theirs")


def without_repository(repository: Path) -> None:
    os.rename(repository / ".git", repository / "git")


def missing_object(repository: Path) -> None:
    write(repository, {"a.py": OLD})
    git(repository, "add", "--all")
    name = git(repository, "rev-parse", ":a.py")
    write(repository, {"a.py": CLEAN})
    (repository / ".git" / "objects" / name[:2] / name[2:]).unlink()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (with_conflict, "a.py has merge conflicts"),
        (without_repository, "not in a git work tree"),
        (missing_object, "unable to read"),
    ],
)
def test_every_doubt_is_an_error_with_the_next_step(
    repository: Path, make: Callable[[Path], None], said: str
) -> None:
    make(repository)
    with pytest.raises(GitError, match=said):
        staged(repository, 9999)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--staged", "--diff-base", "main"], "not allowed with argument"),
        (["--staged", "-"], "not from standard input"),
    ],
)
def test_what_does_not_go_together(
    repository: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert cli.main(["check", *options]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("how", [["--all"], ["a.py"], []])
def test_a_hook_of_git_sees_what_this_very_commit_brings(
    repository: Path, tmp_path: Path, how: list[str]
) -> None:
    """With `--all` and with paths, git makes an index for this commit, and names it to the hook."""
    write(repository, {"a.py": OLD})
    commit(repository)
    report = tmp_path / "report"
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\n'{sys.executable}' -m lambda_lint check --staged --output-format concise"
        f" > '{report}'\n"
    )
    hook.chmod(0o755)
    write(repository, {"a.py": OLD_AND_NEW})
    done = subprocess.run(
        ["git", "commit", "--message=more", *how], cwd=repository, check=False, capture_output=True
    )
    assert done.returncode == 1
    places = [line.split(" ")[0] for line in report.read_text().splitlines()[:-1]]
    assert places == (["a.py:6:5:"] if how else [])


def test_an_index_of_another_repository_is_not_meant(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository, {"a.py": OLD})
    git(repository, "add", "--all")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert list(staged(repository, 9999).changes.lines) == ["a.py"]


def test_a_fix_is_written_where_the_disk_holds_what_is_staged(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, {"a.py": CLEAN, "b.py": OLD})
    commit(repository)
    write(repository, {"a.py": OLD})
    git(repository, "add", "--all")
    assert cli.main(["check", "--staged", "--fix"]) == 0
    assert (repository / "a.py").read_text() != OLD
    assert (repository / "b.py").read_text() == OLD


def test_a_fix_never_overwrites_what_is_not_staged(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, {"a.py": CLEAN, "b.py": CLEAN})
    commit(repository)
    write(repository, {"a.py": OLD, "b.py": OLD})
    git(repository, "add", "--all")
    write(repository, {"a.py": OLD + "\n# more work\n"})
    assert cli.main(["check", "--staged", "--fix"]) == 2
    assert "a.py has changes that are not staged" in capsys.readouterr().err
    assert (repository / "a.py").read_text() == OLD + "\n# more work\n"
    assert (repository / "b.py").read_text() == OLD
