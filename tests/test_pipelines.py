"""Every pipeline that a document shows: valid, pinned, and run on a repository with history."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from lambda_lint import cli
from tests.documents import ROOT, WRITTEN, Code, blocks
from tests.test_action import ERROR, NEW, OLD, RIGHT
from tests.workflows import (
    Event,
    Forge,
    Ran,
    Runner,
    clean_environment,
    git,
    put_linter,
    put_script,
    shellcheck,
)

SCHEMAS = {
    ".github/workflows/": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    "azure-pipelines.yml": "vendor.azure-pipelines",
    "bitbucket-pipelines.yml": "vendor.bitbucket-pipelines",
}
FILES = [one for path in WRITTEN for one in blocks(path, "yaml") if one.file]


def of(file: str) -> list[Code]:
    """The blocks that are to be saved under a name that begins like this."""
    return [one for one in FILES if one.file.startswith(file)]


WORKFLOWS = of(".github/workflows/")


def each(found: Sequence[Code]) -> pytest.MarkDecorator:
    assert found
    return pytest.mark.parametrize("block", found, ids=lambda one: one.place)


def written(block: Code) -> Any:
    """The pipeline, with the placeholders as a reader would replace them."""
    return yaml.safe_load(
        block.text.replace("HOST/OWNER", "forge.example/acme")
        .replace("OWNER", "acme")
        .replace("REV", "v1")
    )


def scripts(value: Any) -> list[str]:
    """All pieces of shell in a pipeline, lists of commands as one script."""
    if isinstance(value, list):
        return [one for item in value for one in scripts(item)]
    if not isinstance(value, dict):
        return []
    found = []
    for key, item in value.items():
        if key in ("script", "run", "bash") and isinstance(item, str):
            found.append(item)
        elif key == "script" and isinstance(item, list):
            found.append("\n".join(item))
        else:
            found += scripts(item)
    return found


@each([one for one in FILES if not one.file.startswith(".pre-commit")])
def test_it_is_valid(block: Code, tmp_path: Path) -> None:
    (schema,) = (value for key, value in SCHEMAS.items() if block.file.startswith(key))
    file = tmp_path / Path(block.file).name
    file.write_text(block.text)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)),
            # One of the schemas has patterns that are wrong under the stricter rules.
            *("--regex-variant", "python"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@each([one for one in FILES if scripts(yaml.safe_load(one.text))])
def test_shellcheck_is_content(block: Code) -> None:
    for script in scripts(yaml.safe_load(block.text)):
        # What the pipeline itself sets is in capitals, and not assigned here.
        assert shellcheck(script) == ""


@each(WORKFLOWS)
def test_a_workflow_says_its_rights_and_pastes_nothing_into_scripts(block: Code) -> None:
    workflow = written(block)
    assert set(workflow["permissions"]) <= {"contents", "security-events", "pull-requests"}
    assert workflow["permissions"]["contents"] == "read"
    for script in scripts(workflow):
        assert "${{" not in script
    # YAML reads the key `on` as true.
    assert "pull_request_target" not in str(workflow[True])


def test_other_actions_are_pinned_and_everywhere_to_the_same_commit() -> None:
    pins: dict[str, set[str]] = {}
    for text in [(ROOT / "action.yml").read_text(), *(one.text for one in WORKFLOWS)]:
        for used, rest in re.findall(r"(?m)^ *(?:- )?uses: *(\S+)(.*)", text):
            action, _, revision = used.partition("@")
            if action == "OWNER/lambda-lint":
                assert revision == "REV"
                continue
            assert re.fullmatch(r"[0-9a-f]{40}", revision), used
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest), f"{used}: which version is it?"
            pins.setdefault(action, set()).add(revision + rest)
    assert pins
    assert {action: found for action, found in pins.items() if len(found) != 1} == {}


# GitHub.


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """A repository with an old finding, `old.py:5`, and a pull request with one, `new.py:5`."""
    made = Forge(tmp_path / "forge")
    made.commit({"old.py": OLD, "services/orders/app.py": RIGHT, "services/payments/app.py": RIGHT})
    return made


def run_workflow(block: Code, forge: Forge, place: Path, event: Event) -> Ran:
    workflow = written(block)
    (job,) = workflow["jobs"].values()
    runner = Runner(forge, place, event)
    put_script(
        runner.bin / "reviewdog",
        f'printf "%s\\n" "$@" >{place}/reviewdog.txt\ncat >>{place}/sent\n',
    )
    ran = runner.run(job["steps"])
    assert "Traceback" not in ran.errors
    return ran


FOR_PULL_REQUESTS = [one for one in WORKFLOWS if "pull_request" in one.text]
CODE_SCANNING = [one for one in WORKFLOWS if "upload-sarif" in one.text]
REVIEWDOG = [one for one in WORKFLOWS if "reviewdog" in one.text]
REPORT = [one for one in WORKFLOWS if "output-format: html" in one.text]
ANNOTATED = [one for one in FOR_PULL_REQUESTS if one not in CODE_SCANNING + REVIEWDOG]


@each(ANNOTATED)
@pytest.mark.parametrize("fork", [False, True], ids=["branch", "fork"])
def test_a_reviewer_sees_what_the_pull_request_brings(
    block: Code, forge: Forge, tmp_path: Path, fork: bool
) -> None:
    file = "services/orders/new.py" if "services/" in block.text else "new.py"
    event = forge.pull_request({file: NEW}, fork=fork)
    ran = run_workflow(block, forge, tmp_path / "runner", event)
    assert ran.places == [f"{file}:5"], ran.errors
    assert ran.code == (0 if "fail-on: errors" in block.text else 1)


@each(ANNOTATED)
def test_a_pull_request_without_findings_passes(block: Code, forge: Forge, tmp_path: Path) -> None:
    event = forge.pull_request({"new.py": RIGHT})
    ran = run_workflow(block, forge, tmp_path / "runner", event)
    assert (ran.code, ran.places) == (0, []), ran.errors


@each(CODE_SCANNING)
@pytest.mark.parametrize("name", ["pull_request", "push"])
def test_code_scanning_gets_everything(
    block: Code, forge: Forge, tmp_path: Path, name: str
) -> None:
    event = forge.pull_request({"new.py": NEW}) if name == "pull_request" else Event("push")
    ran = run_workflow(block, forge, tmp_path / "runner", event)
    assert ran.code == 0, ran.errors
    assert "uploaded lambda-lint.sarif" in ran.log
    sarif = json.loads((tmp_path / "runner" / "workspace" / "lambda-lint.sarif").read_text())
    places = [
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for one in sarif["runs"][0]["results"]
    ]
    assert sorted(places) == (["new.py", "old.py"] if name == "pull_request" else ["old.py"])


@each(REVIEWDOG)
def test_reviewdog_gets_the_findings_of_the_change(
    block: Code, forge: Forge, tmp_path: Path
) -> None:
    place = tmp_path / "runner"
    ran = run_workflow(block, forge, place, forge.pull_request({"new.py": NEW}))
    assert ran.code == 0, ran.errors
    assert "-f=rdjson" in (place / "reviewdog.txt").read_text().splitlines()
    sent = json.loads((place / "sent").read_text())
    assert [one["location"]["path"] for one in sent["diagnostics"]] == ["new.py"]


@each(REPORT)
def test_the_report_is_uploaded(block: Code, forge: Forge, tmp_path: Path) -> None:
    ran = run_workflow(block, forge, tmp_path / "runner", Event("push"))
    assert ran.code == 0, ran.errors
    assert "uploaded lambda-lint.html" in ran.log


# Elsewhere.


class Clone:
    """A clone as other services make it: all branches, and the merge or the head checked out."""

    def __init__(self, forge: Forge, place: Path, commit: str) -> None:
        self.root = place / "build"
        self.bin = place / "bin"
        self.bin.mkdir(parents=True)
        git(place, "clone", "--quiet", forge.url, str(self.root))
        git(self.root, "fetch", "--quiet", "origin", "+refs/pull/*:refs/pull/*")
        git(self.root, "checkout", "--quiet", "--detach", commit)
        put_linter(self.bin)
        put_script(self.bin / "pip", 'test "$1" = install\n')

    def run(self, commands: Sequence[str], variables: Mapping[str, str]) -> tuple[int, str]:
        """Run commands one after another in one shell, which ends with the first that fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
            cwd=self.root,
            env=clean_environment()
            | {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "CI": "true", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr


(GITLAB,) = [one for one in of(".gitlab-ci.yml") if "codequality" in one.text]
(GITLAB_REPORT,) = [one for one in of(".gitlab-ci.yml") if one != GITLAB]
(AZURE,) = of("azure-pipelines.yml")
(BITBUCKET,) = of("bitbucket-pipelines.yml")


def gitlab_report(clone: Clone) -> list[str]:
    found = json.loads((clone.root / "gl-code-quality-report.json").read_text())
    return sorted(one["location"]["path"] for one in found)


@pytest.mark.parametrize(
    ("files", "code", "reported"),
    [({"new.py": NEW}, 1, ["new.py", "old.py"]), ({"new.py": RIGHT}, 0, ["old.py"])],
    ids=["finding", "none"],
)
@pytest.mark.parametrize("merged", [False, True], ids=["branch", "merged results"])
def test_gitlab_fails_for_the_change_and_reports_everything(
    forge: Forge,
    tmp_path: Path,
    files: dict[str, str],
    code: int,
    reported: list[str],
    merged: bool,
) -> None:
    event = forge.pull_request(files)
    variables = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": event.base}
    commit = event.head
    if merged:
        # What others did in the meantime is in the merge, and not in the change.
        others = forge.commit({"others.py": OLD})
        forge.merged(event)
        commit, reported = "refs/pull/1/merge", sorted([*reported, "others.py"])
        variables["CI_MERGE_REQUEST_TARGET_BRANCH_SHA"] = others
    clone = Clone(forge, tmp_path / "gitlab", commit)
    variables["CI_PROJECT_DIR"] = str(clone.root)
    status, output = clone.run(written(GITLAB)["lambda-lint"]["script"], variables)
    assert status == code, output
    assert gitlab_report(clone) == reported
    assert "old.py" not in output
    assert "others.py" not in output


def test_gitlab_does_not_fail_on_the_default_branch(forge: Forge, tmp_path: Path) -> None:
    clone = Clone(forge, tmp_path / "gitlab", "main")
    variables = {"GITLAB_CI": "true", "CI_PROJECT_DIR": str(clone.root)}
    status, output = clone.run(written(GITLAB)["lambda-lint"]["script"], variables)
    assert (status, gitlab_report(clone)) == (0, ["old.py"]), output


def test_gitlab_fails_when_the_clone_is_shallow(forge: Forge, tmp_path: Path) -> None:
    """The job asks for all of the history; somebody may overrule it."""
    event = forge.pull_request({"new.py": NEW})
    clone = Clone(forge, tmp_path / "gitlab", event.head)
    shutil.rmtree(clone.root)
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=topic", forge.url, str(clone.root))
    variables = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": event.base}
    status, output = clone.run(written(GITLAB)["lambda-lint"]["script"], variables)
    assert status == 2, output
    assert "the clone is shallow" in output


def test_gitlab_keeps_the_html_report(forge: Forge, tmp_path: Path) -> None:
    clone = Clone(forge, tmp_path / "gitlab", "main")
    (job,) = written(GITLAB_REPORT).values()
    status, output = clone.run(job["script"], {"GITLAB_CI": "true"})
    assert status == 0, output
    assert (clone.root / job["artifacts"]["paths"][0]).is_file()


def failed_tests(file: Path) -> list[str]:
    return [
        f"{case.get('classname', '')} {case.get('name', '')}"
        for case in ElementTree.parse(file).getroot().iter("testcase")
        if case.find("failure") is not None
    ]


@pytest.mark.parametrize("branch", ["refs/heads/main", "main"], ids=["Azure Repos", "GitHub"])
@pytest.mark.parametrize(("text", "code"), [(NEW, 1), (RIGHT, 0)], ids=["finding", "none"])
def test_azure_publishes_the_findings_of_the_change(
    forge: Forge, tmp_path: Path, branch: str, text: str, code: int
) -> None:
    forge.pull_request({"new.py": text})
    clone = Clone(forge, tmp_path / "azure", "refs/pull/1/merge")
    commands = [step["bash"] for step in written(AZURE)["steps"] if "bash" in step]
    variables = {"TF_BUILD": "True", "SYSTEM_PULLREQUEST_TARGETBRANCH": branch}
    status, output = clone.run(commands, variables)
    assert status == code, output
    (file,) = (
        step["inputs"]["testResultsFiles"]
        for step in written(AZURE)["steps"]
        if step.get("task", "").startswith("PublishTestResults@")
    )
    failed = failed_tests(clone.root / file)
    assert len(failed) == code
    assert all("client-in-handler" in one for one in failed)


@pytest.mark.parametrize(("text", "code"), [(NEW, 1), (RIGHT, 0)], ids=["finding", "none"])
def test_bitbucket_finds_the_findings_of_the_change(
    forge: Forge, tmp_path: Path, text: str, code: int
) -> None:
    forge.pull_request({"new.py": text})
    clone = Clone(forge, tmp_path / "bitbucket", "refs/pull/1/merge")
    # It clones the source branch alone.
    git(clone.root, "update-ref", "-d", "refs/remotes/origin/main")
    (entry,) = written(BITBUCKET)["pipelines"]["pull-requests"]["**"]
    variables = {"BITBUCKET_PR_DESTINATION_BRANCH": "main"}
    status, output = clone.run(entry["step"]["script"], variables)
    assert status == code, output
    (file,) = (clone.root / "test-results").iterdir()
    assert len(failed_tests(file)) == code


# Before a commit.


@each(of(".pre-commit-config.yaml"))
def test_the_hooks_are_those_that_there_are(block: Code, tmp_path: Path) -> None:
    known = {
        one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    }
    for repository in written(block)["repos"]:
        for hook in repository["hooks"]:
            assert hook["id"] in known
            words = shlex.split(known[hook["id"]]["entry"]) + hook.get("args", [])
            cli._parser().parse_args(words[1:])
    file = tmp_path / ".pre-commit-config.yaml"
    file.write_text(block.text)
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# The README, word by word.


def test_the_section_on_pull_requests_can_be_followed_word_by_word(tmp_path: Path) -> None:
    """A service that has been there for years; its owner has nothing but the README."""
    readme = (ROOT / "README.md").read_text()
    section = readme[readme.index("## On pull requests") : readme.index("## Configuration")]
    first, last = (
        readme[: readme.index(section)].count("\n"),
        readme[: readme.index("## Configuration")].count("\n"),
    )
    shown = [one for one in blocks(ROOT / "README.md") if first < one.line <= last]
    workflow, in_the_clone = shown
    said = re.search(r"save this as `([^`]+)`", section)
    assert said
    assert workflow.file == said[1]

    # "Save this as …", "Write the owner … for `OWNER`, and a tag … for `REV`", "Commit it".
    forge = Forge(tmp_path / "forge")
    forge.commit({"old.py": OLD})
    text = workflow.text.replace("OWNER", "acme").replace("REV", "v1")
    forge.commit({said[1]: text})

    # "From the next pull request on, each finding is an annotation at its line".
    event = forge.pull_request({"new.py": NEW})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch=topic", forge.url, str(clone))
    saved = yaml.safe_load((clone / said[1]).read_text())
    assert saved[True] == "pull_request"
    (job,) = saved["jobs"].values()
    ran = Runner(forge, tmp_path / "runner", event).run(job["steps"])
    assert ran.places == ["new.py:5"], ran.errors
    assert ran.code == 1

    # "The same in your clone, before you push".
    put_linter(tmp_path)
    done = subprocess.run(
        ["bash", "-c", in_the_clone.text],
        cwd=clone,
        env={**clean_environment(), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "new.py:5" in done.stdout
    assert "old.py" not in done.stdout


# Adoption, step by step.


def test_the_steps_of_adoption_can_be_followed(tmp_path: Path) -> None:
    """What the page shows is typed in a clone of a service with old findings and a new one."""
    today, staged, known, later, prune = (
        one.text for one in blocks(ROOT / "docs" / "adoption.md", "sh")
    )
    forge = Forge(tmp_path / "forge")
    forge.commit({"old.py": OLD, "worse.py": ERROR})
    forge.pull_request({"new.py": NEW})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch=topic", forge.url, str(clone))
    put_linter(tmp_path)

    def type_in(commands: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", commands],
            cwd=clone,
            env={**clean_environment(), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        places = re.findall(r"--> (\S+):\d+:\d+", done.stdout)
        return done.returncode, " ".join(sorted(set(places)))

    # Step 1: only what the change brings; before a commit, only what is staged.
    assert type_in(today) == (1, "new.py")
    assert type_in(staged) == (0, "")
    (clone / "staged.py").write_text(NEW)
    git(clone, "add", "staged.py")
    assert type_in(staged) == (1, "staged.py")
    git(clone, "rm", "--quiet", "--force", "staged.py")

    # Step 2: what there is, is known from now on; what comes is not.
    assert type_in(known) == (0, "")
    assert git(clone, "status", "--short") == ""
    last = known.splitlines()[-1]
    (clone / "old.py").write_text("# A comment above.\n\n\n" + OLD)
    assert type_in(last) == (0, ""), "a finding that moved"
    (clone / "later.py").write_text(NEW)
    assert type_in(last) == (1, "later.py"), "a finding that is new"
    (clone / "later.py").unlink()
    git(clone, "checkout", "--quiet", ".")

    # Step 3: the errors first, then what mends itself; what is gone leaves the baseline.
    commands = later.splitlines()
    assert type_in(commands[0]) == (1, "worse.py")
    assert all(type_in(one)[0] in (0, 1) for one in commands[1:])
    (clone / "old.py").write_text(RIGHT)
    before = json.loads((clone / "lambda-lint-baseline.json").read_text())
    assert type_in(prune)[0] == 0
    after = json.loads((clone / "lambda-lint-baseline.json").read_text())
    assert len(json.dumps(after)) < len(json.dumps(before))
    (clone / "old.py").write_text(OLD)
    assert type_in(last) == (1, "old.py"), "what was mended comes back"
