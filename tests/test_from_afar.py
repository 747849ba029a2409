"""Changes that make lines wrong which nobody touched, and renames that make none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_lint import cli

if TYPE_CHECKING:
    from tests.repositories import commit, forget_the_user, git
else:
    from repositories import commit, forget_the_user, git

CACHED = """\
import functools
import boto3


@functools.cache
def get():
    return boto3.client("s3")
"""
UNCACHED = """\
import boto3


def get():
    return boto3.client("s3")
"""
CALLER = """\
from cached import get


def handler(event, context):
    return get().list_buckets()["Owner"]
"""
CLASSES = """\
import boto3


class None_:
    def make(self):
        return None


class Client:
    def make(self):
        return boto3.client("s3")


class Service(None_):
    def go(self):
        return self.make()


service = Service()


def handler(event, context):
    service.go()
    return 1
"""
ALIAS = """\
import functools
import boto3


def raw():
    return boto3.client("s3")


make = functools.cache(raw)


def handler(event, context):
    make()
    return 1
"""
ROUTES = """\
import boto3


def one(event):
    return 1


def two(event):
    return boto3.client("s3").list_buckets()["Owner"]


ROUTES = {
    "one": one,
}


def handler(event, context):
    return ROUTES[event["k"]](event)
"""
GUARD = """\
import boto3


class Service:
    _client = None

    def client(self):
        if self._client is None:
            self._client = boto3.client("s3")
        return self._client


service = Service()


def handler(event, context):
    service.client()
    return 1
"""
OLD = """\
import boto3


class Service:
    def one(self):
        return boto3.client("s3")

    def two(self):
        return boto3.client("s3")


def handler(event, context):
    service = Service()
    service.one()
    service.two()
    return 1
"""
COMMENT = """\
import boto3


def make():
    # lambda-lint: ignore[client-in-handler] once a day
    return boto3.client("s3")


def handler(event, context):
    first = 1
    return make()
"""

Files = Mapping[str, str]

APPEARS: dict[str, tuple[Files, str, str, list[str]]] = {
    "another module is imported": (
        {"cached.py": CACHED, "plain.py": UNCACHED, "app.py": CALLER},
        *("from cached", "from plain"),
        ["plain.py:5"],
    ),
    "another base class": (
        {"app.py": CLASSES},
        *("Service(None_)", "Service(Client)"),
        ["app.py:11"],
    ),
    "an alias without its cache": (
        {"app.py": ALIAS},
        *("functools.cache(raw)", "raw"),
        ["app.py:6"],
    ),
    "one more route": (
        {"app.py": ROUTES},
        *('"one": one,', '"one": one, "two": two,'),
        ["app.py:9"],
    ),
    "a guard that guards nothing": (
        {"app.py": GUARD},
        *("if self._client is None:", "if True:"),
        ["app.py:9"],
    ),
    "a comment that silences nothing any more": (
        {"app.py": COMMENT},
        *("    return make()", "    return first"),
        ["app.py:5"],
    ),
}
STAYS: dict[str, tuple[Files, str, str, list[str]]] = {
    "a line between": ({"app.py": OLD}, "    return 1", "    x = 1\n    return x", []),
    "a comment above": ({"app.py": OLD}, "import boto3", "# about\nimport boto3", []),
    # What stands on the way to the finding has changed, so the author has it in hands.
    "a method is renamed": ({"app.py": OLD}, "one(", "first(", ["app.py:6"]),
    "an equal finding above": (
        {"app.py": OLD},
        "    def one(self):\n",
        '    def one(self):\n        boto3.client("s3")\n',
        ["app.py:6"],
    ),
    "another module is imported for something else": (
        {"cached.py": CACHED, "plain.py": UNCACHED, "app.py": CALLER.replace("cached", "plain")},
        *("import get", "import get, boto3"),
        [],
    ),
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    forget_the_user(monkeypatch)
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / ".gitignore").write_text(".lambda_lint_cache\n")
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    capsys.readouterr()
    cli.main(["check", "--output-format", "concise", *options])
    out = capsys.readouterr().out
    return re.findall(r"^([^:\n]+:\d+):\d+: LMB", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("files", "old", "new", "expected"),
    [*APPEARS.values(), *STAYS.values()],
    ids=[*APPEARS, *STAYS],
)
def test_what_was_not_found_before_is_shown_and_the_rest_is_not(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    files: Files,
    old: str,
    new: str,
    expected: list[str],
) -> None:
    for name, text in files.items():
        (repository / name).write_text(text)
    commit(repository)
    app = repository / "app.py"
    app.write_text(app.read_text().replace(old, new))
    git(repository, "add", "--all")
    assert shown(capsys, "--staged") == expected
    assert shown(capsys, "--diff-base", "main") == expected
    # Named paths are those that pre-commit hands over.
    assert shown(capsys, "--diff-base", "main", *files) == expected
    assert shown(capsys, "--diff-base", "main", "--no-cache", ".") == expected


def test_a_class_with_another_name_and_a_file_with_another_name_bring_nothing(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the way to the findings was edited, in another file: what was found is the same."""
    (repository / "service.py").write_text(OLD.partition("\n\ndef handler")[0])
    text = "from service import Service\n\n\ndef handler(event, context):\n    Service().one()\n"
    (repository / "app.py").write_text(text)
    commit(repository)
    git(repository, "mv", "service.py", "services.py")
    (repository / "app.py").write_text(text.replace("from service", "from services"))
    commit(repository, "on main, for want of a branch")
    assert shown(capsys, "--diff-base", "main~1") == []


def test_a_template_that_changes_shows_what_it_makes_wrong(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.one
"""
    code = 'import boto3\n\n\ndef one(e):\n    return 1\n\n\ndef two(e):\n    boto3.client("s3")\n'
    (repository / "template.yaml").write_text(template)
    (repository / "app.py").write_text(code)
    commit(repository)
    (repository / "template.yaml").write_text(template.replace("app.one", "app.two"))
    assert shown(capsys, "--diff-base", "main") == ["app.py:9"]


def test_a_project_that_begins_with_the_change_is_new(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(repository)
    (repository / "app.py").write_text(OLD)
    assert shown(capsys, "--diff-base", "main") == ["app.py:6", "app.py:9"]


def test_a_setting_that_speaks_of_a_new_file_is_no_problem_of_the_old_state(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "app.py").write_text(OLD)
    commit(repository)
    (repository / "lambda-lint.toml").write_text('handlers = ["new.py:run"]\n')
    (repository / "new.py").write_text("def run(event, context):\n    return 1\n")
    git(repository, "add", "--all")
    assert cli.main(["check", "--diff-base", "main"]) == 0
    assert shown(capsys, "--staged") == []
