"""From where the formats count paths, and what is said beside a report, through the command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lambda_lint import cli
from lambda_lint.commands.places import displayed_for

HANDLER = """\
import boto3


def handler(event, context):
    return boto3.client("s3").list_buckets()
"""
MISSING = "no findings, but no handler was found in 1 file either, so nothing can be concluded"


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    """A repository in which one folder has a project of its own, and a link to a file."""
    root = tmp_path / "repo"
    source = root / "services" / "orders" / "src"
    source.mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "services" / "orders" / "lambda-lint.toml").write_text("", "utf-8")
    (source / "app.py").write_text(HANDLER, "utf-8")
    return root


Check = Callable[..., tuple[str, str, int]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Run the command in a directory, in this process, without what a server sets."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "CI", "GITLAB_")):
            monkeypatch.delenv(name)

    def do(directory: Path, *options: str) -> tuple[str, str, int]:
        monkeypatch.chdir(directory)
        code = cli.main(["check", "--jobs=1", "--no-cache", *options])
        captured = capsys.readouterr()
        return captured.out, captured.err, code

    return do


def sarif_uris(text: str) -> set[str]:
    (run,) = json.loads(text)["runs"]
    assert "originalUriBaseIds" not in run, "GitHub does not read it"
    (result,) = run["results"]
    places = [*result["locations"], *result["relatedLocations"]]
    return {place["physicalLocation"]["artifactLocation"]["uri"] for place in places}


PATHS: dict[str, Callable[[str], set[str]]] = {
    "json": lambda text: {one["path"] for one in json.loads(text)["findings"]},
    "jsonl": lambda text: {json.loads(text.splitlines()[0])["path"]},
    "rdjson": lambda text: {one["location"]["path"] for one in json.loads(text)["diagnostics"]},
    "junit": lambda text: {
        str(case.get("file")) for case in ElementTree.fromstring(text).iter("testcase")
    },
    "sarif": sarif_uris,
    "gitlab": lambda text: {one["location"]["path"] for one in json.loads(text)},
    "github": lambda text: {text.split("file=")[1].split(",")[0]},
}
# reviewdog puts the way to its working directory in front by itself.
OF_REPOSITORY = {"sarif", "gitlab", "github"}


@pytest.mark.parametrize("form", PATHS)
@pytest.mark.parametrize(
    ("directory", "path", "for_people"),
    [
        (".", "services/orders", "services/orders/src/app.py"),
        ("services/orders", ".", "src/app.py"),
        ("services/orders/src", ".", "app.py"),
        ("services", "orders/src/app.py", "orders/src/app.py"),
    ],
)
def test_a_run_in_a_folder_names_files_as_the_readers_know_them(
    check: Check, monorepo: Path, directory: str, path: str, for_people: str, form: str
) -> None:
    text, complaints, code = check(monorepo / directory, path, "--output-format", form)
    assert (complaints, code) == ("", 1)
    expected = "services/orders/src/app.py" if form in OF_REPOSITORY else for_people
    assert PATHS[form](text) == {expected}


@pytest.mark.parametrize(
    ("form", "variables", "has_git", "expected"),
    [
        ("sarif", {}, True, "services/app.py"),
        ("sarif", {"GITHUB_WORKSPACE": "."}, True, "services/app.py"),
        ("sarif", {"GITHUB_WORKSPACE": "."}, False, "repo/services/app.py"),
        ("github", {"GITHUB_WORKSPACE": "."}, False, "repo/services/app.py"),
        ("github", {"GITHUB_WORKSPACE": "elsewhere"}, False, "for people"),
        ("github", {}, False, "for people"),
        ("gitlab", {"CI_PROJECT_DIR": "repo/services"}, True, "app.py"),
        ("gitlab", {"CI_PROJECT_DIR": "elsewhere"}, True, "services/app.py"),
        ("gitlab", {"CI_PROJECT_DIR": ""}, True, "services/app.py"),
        ("gitlab", {}, False, "for people"),
        ("rdjson", {"GITHUB_WORKSPACE": ".", "CI_PROJECT_DIR": "."}, True, "for people"),
        ("full", {"GITHUB_WORKSPACE": ".", "CI_PROJECT_DIR": "."}, True, "for people"),
    ],
)
def test_the_directory_that_counts(
    tmp_path: Path, form: str, variables: dict[str, str], has_git: bool, expected: str
) -> None:
    root = tmp_path / "repo" / "services"
    root.mkdir(parents=True)
    if has_git:
        # A work tree has a file of this name.
        (tmp_path / "repo" / ".git").write_text("gitdir: elsewhere", "utf-8")
    given = {name: value and str(tmp_path / value) for name, value in variables.items()}
    display = displayed_for(form, root, lambda _: "for people", given)
    assert display("app.py") == expected


def test_a_link_inside_of_the_repository_is_shown_as_its_target(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    (root / "real.py").write_text("", "utf-8")
    outside = tmp_path / "outside.py"
    outside.write_text("", "utf-8")
    (root / "link.py").symlink_to("real.py")
    (root / "out.py").symlink_to(outside)
    display = displayed_for("sarif", root, lambda _: "for people", {})
    assert display("link.py") == "real.py", "GitHub shows no result in a link"
    assert display("out.py") == "out.py", "a path that leaves the repository means nothing there"
    assert display("bytes\udcff.py") == "bytes\udcff.py"


@pytest.mark.parametrize("form", ["json", "jsonl", "sarif", "gitlab", "junit", "rdjson"])
def test_what_a_program_reads_is_also_said_to_people(
    check: Check, tmp_path: Path, form: str
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "tool.py").write_text("x = 1\n", "utf-8")
    _, complaints, code = check(tmp_path, "--output-format", form)
    assert code == 0
    assert complaints.startswith(f"lambda-lint: {MISSING}")
    (tmp_path / "rules").mkdir()
    (tmp_path / "lambda-lint.toml").write_text('rule-directories = ["rules"]', "utf-8")
    (tmp_path / "rules" / "own_rule.py").write_text(BROKEN_RULE, "utf-8")
    (tmp_path / "tool.py").write_text(HANDLER, "utf-8")
    for options in ([], ["--output-file", "report"]):
        printed, complaints, code = check(tmp_path, "--output-format", form, *options)
        assert code == 2
        assert "own-rule" in complaints
        text = printed or (tmp_path / "report").read_text("utf-8")
        assert "own-rule" in text, "who reads the document alone has to see it as well"


BROKEN_RULE = '''\
"""A rule that fails."""

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, rule


@rule("LMB199", category="client-per-invocation")
def own_rule(call: Call, project: Project) -> Iterator[Report]:
    raise ValueError("no")
    yield
'''


def test_people_read_errors_in_the_report_itself(check: Check, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "tool.py").write_text("x = 1\n", "utf-8")
    for form in ("full", "concise", "github"):
        text, complaints, _ = check(tmp_path, "--output-format", form)
        assert MISSING in text
        assert complaints == ""
    _, complaints, _ = check(tmp_path, "--output-file", "report")
    assert complaints.startswith(f"lambda-lint: {MISSING}")


@pytest.mark.parametrize("form", PATHS)
def test_statistics_stand_in_the_report_or_beside_it(
    check: Check, monorepo: Path, form: str
) -> None:
    text, complaints, code = check(monorepo, "--output-format", form, "--statistics")
    assert code == 1
    row = "1  LMB101  client-in-handler"
    where: dict[str, Callable[[], bool]] = {
        "json": lambda: json.loads(text)["summary"]["statistics"][0]["code"] == "LMB101",
        "jsonl": lambda: json.loads(text.splitlines()[-1])["summary"]["statistics"] != [],
        "github": lambda: row in text,
    }
    if form in where:
        assert where[form]()
        assert complaints == ""
    else:
        assert row in complaints
    assert PATHS[form](text) == {"services/orders/src/app.py"}


def test_the_step_summary_is_added_to_what_stands_there(
    check: Check, monorepo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert check(monorepo, "--output-format=github")[1:] == ("", 1)
    first = summary.read_text("utf-8")
    assert "| warning [LMB101 client-in-handler](https://" in first
    assert "<code>services/orders/src/app&#46;py&#58;5&#58;12</code>" in first
    assert check(monorepo, "--output-format=github")[1:] == ("", 1)
    assert summary.read_text("utf-8") == first * 2


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        (lambda path: path.write_bytes(b"x" * (1024 * 1024 - 10)), "has no room left"),
        (lambda path: path.mkdir(), "the step summary cannot be written: Is a directory"),
        (lambda path: path.parent.rmdir(), "cannot be written: No such file or directory"),
    ],
    ids=["full", "a directory", "no such folder"],
)
def test_a_step_summary_that_cannot_be_written_changes_no_exit_code(
    check: Check,
    monorepo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[Path], Any],
    complaint: str,
) -> None:
    summary = tmp_path / "folder" / "summary.md"
    summary.parent.mkdir()
    prepare(summary)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    before = summary.read_bytes() if summary.is_file() else None
    _, complaints, code = check(monorepo, "--output-format=github")
    assert code == 1
    assert complaint in complaints
    assert (summary.read_bytes() if summary.is_file() else None) == before
    assert check(monorepo, "--output-format=concise")[1:] == ("", 1), "no other format writes it"


@pytest.mark.parametrize("form", PATHS)
def test_a_file_that_cannot_be_read_is_in_every_report(
    check: Check, monorepo: Path, form: str
) -> None:
    (monorepo / "broken.py").write_bytes(b"import boto3\ndef handler(event, context:\n")
    text, _, code = check(monorepo, "--output-format", form)
    assert code == 1
    assert "broken.py" in text
    assert "LMB900" in text or "SyntaxError" in text or form == "sarif"


def test_a_template_with_code_is_one_of_the_files(check: Check, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / "template.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n"
        "    Type: AWS::Serverless::Function\n    Properties:\n"
        "      Runtime: python3.13\n      Handler: index.handler\n      InlineCode: |\n"
        "        import boto3\n        def handler(event, context):\n"
        "            return boto3.client('s3').get_object(Key=event['k'])\n"
    )
    text, _, _ = check(tmp_path)
    assert text.splitlines()[-1] == "1 finding (1 warning) in 1 of 2 files; 2 handlers"
