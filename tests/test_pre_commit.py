"""The hooks as pre-commit installs and runs them: a real repository, a real environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = (
    *("lambda_lint", "rules", "pyproject.toml", "README.md", "LICENSE"),
    *(".gitignore", ".pre-commit-hooks.yaml"),
)

pytestmark = pytest.mark.slow

CLIENT_PER_INVOCATION = """\
import boto3


def lambda_handler(event, context):
    client = boto3.client("s3")
    return client.list_buckets()
"""

CLIENT_AT_IMPORT = """\
import boto3

client = boto3.client("s3")


def lambda_handler(event, context):
    return client.list_buckets()
"""

HANDLER_WITH_HELPER = """\
import storage


def lambda_handler(event, context):
    return storage.buckets()
"""

HELPER = """\
import boto3


def buckets():
    return boto3.client("s3").list_buckets()
"""


class Repository:
    """A user's repository with the hooks of this checkout."""

    def __init__(self, root: Path, hooks: Path, environment: dict[str, str]) -> None:
        self.root = root
        self.environment = environment
        root.mkdir()
        self.git("init", "--quiet")
        (root / ".pre-commit-config.yaml").write_text(
            "repos:\n"
            f"- repo: {hooks.as_uri()}\n"
            "  rev: v0\n"
            "  hooks: [{id: lambda-lint}, {id: lambda-lint-fix}, {id: lambda-lint-project}]\n"
        )

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, env=self.environment, check=True)

    def write(self, name: str, text: str) -> Path:
        """Write a file and stage it: pre-commit sees nothing else."""
        file = self.root / name
        file.write_text(text)
        self.git("add", "--all")
        return file

    def run(self, hook: str, *arguments: str) -> tuple[int, str]:
        """Run one hook; return its exit code and all that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", hook, *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One store of pre-commit for all tests, and nothing of the user's git configuration."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **clean,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_NAME": "someone" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "someone@example.com" for who in ("AUTHOR", "COMMITTER")},
        "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("pre-commit")),
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A repository with what the checkout holds now, committed or not."""
    place = tmp_path_factory.mktemp("lambda-lint")
    for name in SHIPPED:
        source, target = ROOT / name, place / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=now"],
        ["tag", "v0"],
    ):
        subprocess.run(["git", *command], cwd=place, env=environment, check=True)
    return place


@pytest.fixture
def repository(tmp_path: Path, hooks: Path, environment: dict[str, str]) -> Repository:
    return Repository(tmp_path / "service", hooks, environment)


@pytest.mark.parametrize("hook", ["lambda-lint", "lambda-lint-project"])
def test_hook_fails_with_the_finding_and_passes_without(repository: Repository, hook: str) -> None:
    repository.write("app.py", CLIENT_PER_INVOCATION)
    code, output = repository.run(hook, "--all-files")
    assert code == 1, output
    assert "LMB101" in output
    assert "app.py:5" in output
    repository.write("app.py", CLIENT_AT_IMPORT)
    code, output = repository.run(hook, "--all-files")
    assert code == 0, output
    assert "Passed" in output


def test_fixing_hook_writes_the_fix_and_then_passes(repository: Repository) -> None:
    app = repository.write("app.py", CLIENT_PER_INVOCATION)
    code, output = repository.run("lambda-lint-fix", "--all-files")
    assert code == 1, output
    assert "files were modified by this hook" in output
    assert app.read_text() != CLIENT_PER_INVOCATION
    repository.git("add", "--all")
    code, output = repository.run("lambda-lint-fix", "--all-files")
    assert code == 0, output


def test_a_staged_handler_shows_what_it_does_in_a_helper(repository: Repository) -> None:
    """Only the staged file is handed over, and the finding is on a line of another one."""
    repository.write("storage.py", HELPER)
    repository.git("commit", "--quiet", "--no-verify", "--message=helper")
    repository.write("app.py", HANDLER_WITH_HELPER)
    code, output = repository.run("lambda-lint")
    assert code == 1, output
    assert "storage.py:5" in output


def test_hook_says_nothing_of_files_that_were_not_handed_over(repository: Repository) -> None:
    repository.write("old.py", CLIENT_PER_INVOCATION)
    repository.git("commit", "--quiet", "--no-verify", "--message=old")
    repository.write("new.py", CLIENT_AT_IMPORT)
    code, output = repository.run("lambda-lint")
    assert code == 0, output


def test_excluded_file_stays_excluded_when_it_is_handed_over(repository: Repository) -> None:
    repository.write("pyproject.toml", '[tool.lambda-lint]\nexclude = ["legacy"]\n')
    (repository.root / "legacy").mkdir()
    repository.write("legacy/app.py", CLIENT_PER_INVOCATION)
    repository.write("app.py", CLIENT_AT_IMPORT)
    code, output = repository.run("lambda-lint", "--all-files")
    assert code == 0, output
