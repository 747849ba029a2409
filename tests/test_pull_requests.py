"""A repository with old findings, a branch on it, and what a reviewer sees through each door."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from flake8.main.cli import main as flake8

from lambda_lint import cli

if TYPE_CHECKING:
    from tests.repositories import commit, forget_the_user, git
else:
    from repositories import commit, forget_the_user, git

ROOT = Path(__file__).resolve().parent.parent

ORDERS = """\
import boto3


def lambda_handler(event, context):
    table = boto3.resource("dynamodb").Table("orders")
    queue = boto3.client("sqs", region_name="eu-west-1", endpoint_url="https://example.com/queue")
    queue.send_message(QueueUrl="q", MessageBody="ordered")
    return table.get_item(Key={"id": event["id"]})
"""
REPORTS = """\
import storage


def lambda_handler(event, context):
    return storage.bucket("reports").objects.all()
"""
STORAGE = """\
import functools

import boto3


@functools.cache
def client(name):
    return boto3.client(name)


def bucket(name):
    return boto3.resource("s3").Bucket(name)


def queue(name):
    return boto3.resource("sqs").Queue(name)


def items(name):
    return client("s3").list_objects(Bucket=name)
"""
LISTING = """\
import storage


def lambda_handler(event, context):
    return storage.items("reports")
"""
MAIN = {
    "src/orders.py": ORDERS,
    "src/reports.py": REPORTS,
    "src/storage.py": STORAGE,
    "src/listing.py": LISTING,
    "docs/readme.txt": "about\n",
    ".gitignore": ".lambda_lint_cache\n",
}
OLD = ["src/orders.py:5", "src/orders.py:6", "src/storage.py:12"]
"""What is found on main."""

NEW_LINE = '    boto3.client("sns").publish(Message="ordered")\n'
WRAPPED = """\
    queue = boto3.client(
        'sqs',
        region_name='eu-west-1',
        endpoint_url='https://example.com/queue',
    )
"""
AUDIT = 'import boto3\n\n\ndef lambda_handler(event, context):\n    boto3.client("sts")\n'

Edit = Callable[[Path], None]


def unrelated_edits(root: Path) -> None:
    """Lines above and between the old findings, in each file that has one."""
    for name in ("orders", "storage"):
        file = root / "src" / f"{name}.py"
        file.write_text('"""What it is for."""\n\nimport json\n' + file.read_text())
    (root / "docs" / "readme.txt").write_text("more\n")


def one_more_line(root: Path) -> None:
    unrelated_edits(root)
    file = root / "src" / "orders.py"
    file.write_text(file.read_text().replace("    return", f"{NEW_LINE}    return"))


def one_more_file(root: Path) -> None:
    (root / "src" / "audit.py").write_text(AUDIT)


def renamed_file(root: Path) -> None:
    git(root, "mv", "src/orders.py", "src/order_api.py")


def renamed_folder_with_one_more_line(root: Path) -> None:
    one_more_line(root)
    git(root, "add", "--all")
    git(root, "mv", "src", "functions")


def copied_file(root: Path) -> None:
    (root / "src" / "copy.py").write_text(ORDERS)


def formatted_file(root: Path) -> None:
    file = root / "src" / "orders.py"
    lines = file.read_text().replace('"', "'").splitlines(keepends=True)
    file.write_text("".join([*lines[:5], WRAPPED, *lines[6:]]))


def old_helper_on_a_new_way(root: Path) -> None:
    file = root / "src" / "listing.py"
    file.write_text(file.read_text().replace('items("reports")', 'queue("reports")'))


def cache_removed(root: Path) -> None:
    file = root / "src" / "storage.py"
    file.write_text(file.read_text().replace("@functools.cache\n", ""))


def old_finding_mended(root: Path) -> None:
    file = root / "src" / "storage.py"
    file.write_text(file.read_text().replace("def bucket", "@functools.cache\ndef bucket"))


def broken_file(root: Path) -> None:
    (root / "src" / "orders.py").write_text(ORDERS.replace('event["id"]})', 'event["id"]}'))


BRANCHES: list[tuple[Edit, list[str], list[str]]] = [
    # What is seen where changed lines count, and what where fingerprints count.
    (unrelated_edits, [], []),
    (one_more_line, ["src/orders.py:11"], ["src/orders.py:11"]),
    (one_more_file, ["src/audit.py:5"], ["src/audit.py:5"]),
    (renamed_file, [], []),
    (
        renamed_folder_with_one_more_line,
        ["functions/orders.py:11"],
        ["functions/orders.py:11"],
    ),
    (copied_file, ["src/copy.py:5", "src/copy.py:6"], ["src/copy.py:5", "src/copy.py:6"]),
    # The author has the line in hands, but the finding is the old one.
    (formatted_file, ["src/orders.py:5", "src/orders.py:6"], []),
    (old_helper_on_a_new_way, ["src/storage.py:16"], ["src/storage.py:16"]),
    (cache_removed, ["src/storage.py:7"], ["src/storage.py:7"]),
    (old_finding_mended, [], []),
    (broken_file, ["src/orders.py:8"], ["src/orders.py:8"]),
]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`MAIN` and its baseline on main, and a branch `work` without a commit of its own."""
    forget_the_user(monkeypatch)
    for name in ("FORCE_COLOR", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    git(root, "init", "--quiet", "--initial-branch=main")
    for name, text in MAIN.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    assert cli.main(["baseline", "create"]) == 0
    commit(root)
    git(root, "checkout", "--quiet", "-b", "work")
    return root


def places(out: str) -> list[str]:
    """Return `file:line` of each line of a concise report or of one of flake8."""
    return sorted(re.findall(r"^(?:\./)?([^:\n]+:\d+):\d+: LMB", out, re.MULTILINE))


def use_baseline(root: Path) -> None:
    (root / "lambda-lint.toml").write_text('baseline = "lambda-lint-baseline.json"\n')


def by_pull_request(root: Path, out: Callable[[], str]) -> list[str]:
    commit(root)
    cli.main(["check", "--diff-base", "main", "--output-format", "concise"])
    return places(out())


def by_work_in_progress(root: Path, out: Callable[[], str]) -> list[str]:
    git(root, "add", "--all")
    cli.main(["check", "--diff-base", "main", "--output-format", "concise"])
    return places(out())


def by_commit(root: Path, out: Callable[[], str]) -> list[str]:
    git(root, "add", "--all")
    cli.main(["check", "--staged", "--output-format", "concise"])
    return places(out())


def by_hook(root: Path, out: Callable[[], str]) -> list[str]:
    """Run the first of our hooks with one argument more, as pre-commit runs it."""
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
    entry = shlex.split(hook["entry"])
    assert entry[0] == "lambda-lint"
    command = [sys.executable, "-m", "lambda_lint", *entry[1:]]
    hook |= {
        "language": "system",
        "entry": shlex.join(command),
        "args": ["--staged", "--output-format", "concise"],
    }
    settings = {"repos": [{"repo": "local", "hooks": [hook]}]}
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump(settings))
    git(root, "add", "--all")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run"],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout
    return places(done.stdout)


def by_baseline(root: Path, out: Callable[[], str]) -> list[str]:
    known = ("--baseline", "lambda-lint-baseline.json")
    cli.main(["check", *known, "--output-format", "concise"])
    return places(out())


def by_flake8(root: Path, out: Callable[[], str]) -> list[str]:
    use_baseline(root)
    flake8([*("--isolated", "--jobs=1", "--select=LMB"), "."])
    return places(out())


def by_both(root: Path, out: Callable[[], str]) -> list[str]:
    use_baseline(root)
    commit(root)
    cli.main(["check", "--diff-base", "main", "--output-format", "concise"])
    return places(out())


def test_what_there_was(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["check", "--output-format", "concise"])
    assert places(capsys.readouterr().out) == OLD


@pytest.mark.parametrize(
    ("edit", "expected"),
    [(edit, lines) for edit, lines, _ in BRANCHES],
    ids=[edit.__name__ for edit, _, _ in BRANCHES],
)
@pytest.mark.parametrize(
    "door",
    [
        by_pull_request,
        by_work_in_progress,
        by_commit,
        # It installs nothing, but pre-commit takes seconds.
        pytest.param(by_hook, marks=pytest.mark.slow),
    ],
)
def test_doors_that_ask_git_show_what_stands_on_changed_lines(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Edit,
    expected: list[str],
    door: Callable[[Path, Callable[[], str]], list[str]],
) -> None:
    edit(repository)
    assert door(repository, lambda: capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    ("edit", "expected"),
    [(edit, lines) for edit, _, lines in BRANCHES],
    ids=[edit.__name__ for edit, _, _ in BRANCHES],
)
@pytest.mark.parametrize("door", [by_baseline, by_flake8, by_both])
def test_doors_with_a_baseline_show_what_was_not_found_before(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Edit,
    expected: list[str],
    door: Callable[[Path, Callable[[], str]], list[str]],
) -> None:
    edit(repository)
    if edit is broken_file and door is by_flake8:
        # flake8 tells of syntax errors itself, and asks no plugin then.
        expected = []
    assert door(repository, lambda: capsys.readouterr().out) == expected


def in_github(out: str) -> Iterator[str]:
    for properties in re.findall(r"^::(?:error|warning) ([^\n]*?)::", out, re.MULTILINE):
        known = dict(one.split("=", 1) for one in properties.split(","))
        yield f"{known['file']}:{known['line']}"


def in_json(out: str) -> Iterator[str]:
    for one in json.loads(out)["findings"]:
        yield f"{one['path']}:{one['line']}"


def in_sarif(out: str) -> Iterator[str]:
    for one in json.loads(out)["runs"][0]["results"]:
        place = one["locations"][0]["physicalLocation"]
        yield f"{place['artifactLocation']['uri']}:{place['region']['startLine']}"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [(edit, lines) for edit, lines, _ in BRANCHES if edit is not broken_file],
    ids=[edit.__name__ for edit, _, _ in BRANCHES if edit is not broken_file],
)
@pytest.mark.parametrize(
    ("form", "places_in"), [("github", in_github), ("json", in_json), ("sarif", in_sarif)]
)
def test_formats_hold_what_the_door_shows(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Edit,
    expected: list[str],
    form: str,
    places_in: Callable[[str], Iterator[str]],
) -> None:
    edit(repository)
    commit(repository)
    assert cli.main(["check", "--diff-base", "main", "--output-format", form]) == bool(expected)
    assert sorted(places_in(capsys.readouterr().out)) == expected


def fingerprints(capsys: pytest.CaptureFixture[str]) -> Mapping[str, tuple[str, str | None]]:
    """Return by message and path, in SARIF, our fingerprint and the forge's."""
    capsys.readouterr()
    cli.main(["check", "--output-format", "json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    cli.main(["check", "--output-format", "sarif"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    ours = {one["fingerprint"] for one in found}
    named = {}
    for one in results:
        both = one["partialFingerprints"]
        uri = one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        named[f"{uri} {one['ruleId']} {quotes_removed(one['message']['text'])}"] = (
            both["lambdaLint/v1"],
            both.get("primaryLocationLineHash"),
        )
    assert {one for one, _ in named.values()} == ours
    assert len(named) == len(found)
    return named


def quotes_removed(message: str) -> str:
    """Return the part of a message that formatters leave alone."""
    return re.sub(r"['\"]|\s|,\)", "", message).split("endpoint_url")[0]


@pytest.mark.parametrize("edit", [unrelated_edits, one_more_line, one_more_file, copied_file])
def test_fingerprints_stay_when_other_lines_change(
    repository: Path, capsys: pytest.CaptureFixture[str], edit: Edit
) -> None:
    before = fingerprints(capsys)
    edit(repository)
    after = fingerprints(capsys)
    assert {name: after.get(name) for name in before} == before
    new = [ours for name, (ours, _) in after.items() if name not in before]
    assert {ours for ours, _ in before.values()}.isdisjoint(new)


def test_fingerprints_stay_when_the_code_is_formatted(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {ours for ours, _ in fingerprints(capsys).values()}
    formatted_file(repository)
    assert {ours for ours, _ in fingerprints(capsys).values()} == before


def test_half_of_each_fingerprint_stays_when_files_are_renamed(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = fingerprints(capsys)
    renamed_file(repository)
    after = fingerprints(capsys)
    assert {ours[:16] for ours, _ in after.values()} == {ours[:16] for ours, _ in before.values()}
    moved = {
        name.replace("src/orders.py", "src/order_api.py"): forge
        for name, (_, forge) in before.items()
    }
    assert {name: forge for name, (_, forge) in after.items()} == moved


@pytest.mark.parametrize("options", [["--diff-base", "main"], ["--diff-base", "nosuch"]])
def test_a_shallow_clone_is_no_clean_project(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
) -> None:
    """What most pipelines check out at first."""
    one_more_line(repository)
    commit(repository)
    git(repository, "checkout", "--quiet", "main")
    (repository / "docs" / "readme.txt").write_text("theirs\n")
    commit(repository)
    clone = repository.parent / "clone"
    git(
        repository.parent,
        *("clone", "--quiet", "--depth=1", "--branch=work", repository.as_uri(), str(clone)),
    )
    monkeypatch.chdir(clone)
    capsys.readouterr()
    assert cli.main(["check", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "add `fetch-depth: 0` under `with:` of actions/checkout" in err
    # A baseline asks no history.
    assert cli.main(["check", "--baseline", "lambda-lint-baseline.json"]) == 1
    assert "src/orders.py:11" in capsys.readouterr().out
