"""The action for GitHub: its steps are run as the runner does, on a forge with pull requests."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflows import ROOT, Event, Forge, Ran, Runner, git, shellcheck

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]

OLD = """\
import boto3


def handler(event, context):
    return boto3.client("s3").list_buckets()
"""
NEW = OLD.replace('"s3"', '"sqs"').replace("list_buckets", "list_queues")
RIGHT = """\
import boto3

s3 = boto3.client("s3")


def handler(event, context):
    return s3.list_buckets()
"""
ERROR = """\
rows = []


def handler(event, context):
    rows.append(event["row"])
    return rows
"""
FULL = {"fetch-depth": "0"}

Act = Callable[..., Ran]


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """A repository with one old finding, in `old.py:5`."""
    made = Forge(tmp_path / "forge")
    made.commit({"old.py": OLD, "README.md": "A service.\n"})
    return made


@pytest.fixture
def act(forge: Forge, tmp_path: Path) -> Act:
    """Run a checkout and then the action on an event; `checkout` and `given` are their inputs."""

    def run(
        event: Event,
        given: Mapping[str, str] | None = None,
        *,
        checkout: Mapping[str, str] = FULL,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        runner = Runner(forge, tmp_path / "runner", event)
        runner.environment.update(environment or {})
        return runner.run(
            [
                {"uses": "actions/checkout@v6", "with": checkout},
                {"id": "lint", "uses": "OWNER/lambda-lint@REV", "with": given or {}},
            ]
        )

    return run


# What a reviewer sees.


@pytest.mark.parametrize("fork", [False, True], ids=["branch", "fork"])
def test_a_pull_request_shows_what_it_brings_and_nothing_else(
    act: Act, forge: Forge, fork: bool
) -> None:
    ran = act(forge.pull_request({"new.py": NEW}, fork=fork))
    assert ran.places == ["new.py:5"], ran.log + ran.errors
    assert (ran.code, ran.outputs["lint"]) == (1, {"exit-code": "1", "sarif": ""})


def test_a_pull_request_without_findings_passes(act: Act, forge: Forge) -> None:
    ran = act(forge.pull_request({"new.py": RIGHT}))
    assert (ran.code, ran.places, ran.outputs["lint"]["exit-code"]) == (0, [], "0")


def test_what_others_changed_on_main_since_does_not_count(act: Act, forge: Forge) -> None:
    """The event still names the older base, and the merge has the newer one in it."""
    event = forge.pull_request({"new.py": NEW})
    forge.commit({"others.py": OLD})
    assert act(forge.merged(event)).places == ["new.py:5"]


def test_two_commits_are_enough(act: Act, forge: Forge) -> None:
    """With `fetch-depth: 2` the merge and the base that it was made with are there."""
    ran = act(forge.pull_request({"new.py": NEW}), checkout={"fetch-depth": "2"})
    assert ran.places == ["new.py:5"], ran.errors


def test_a_shallow_clone_fails_and_says_what_to_add(act: Act, forge: Forge) -> None:
    ran = act(forge.pull_request({"new.py": NEW}), checkout={})
    assert (ran.code, ran.outputs["lint"]["exit-code"]) == (2, "2")
    assert "add `fetch-depth: 0` under `with:` of actions/checkout" in ran.errors
    assert ran.places == []
    assert "::error title=lambda-lint::" in ran.log


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch"])
def test_without_a_base_everything_is_reported(act: Act, event: str) -> None:
    assert act(Event(event), checkout={}).places == ["old.py:5"]


def test_a_merge_group_has_a_base(act: Act, forge: Forge) -> None:
    base = git(forge.place / "author", "rev-parse", "HEAD")
    forge.commit({"new.py": NEW})
    assert act(Event("merge_group", base=base)).places == ["new.py:5"]


@pytest.mark.parametrize(
    ("base", "places"),
    [("none", ["new.py:5", "old.py:5"]), ("origin/main", ["new.py:5"]), ("HEAD", [])],
)
def test_another_base_can_be_named(act: Act, forge: Forge, base: str, places: list[str]) -> None:
    assert act(forge.pull_request({"new.py": NEW}), {"diff-base": base}).places == places


def test_a_summary_is_written(act: Act, forge: Forge) -> None:
    ran = act(forge.pull_request({"new.py": NEW}))
    summary = html.unescape(ran.summary)
    assert "new.py" in summary
    assert "old.py" not in summary


@pytest.mark.parametrize(
    ("text", "fail_on", "code", "said"),
    [
        (NEW, "findings", 1, "1"),
        (NEW, "errors", 0, "1"),
        (ERROR, "errors", 1, "1"),
        (ERROR, "never", 0, "1"),
        (RIGHT, "findings", 0, "0"),
        (NEW, "sometimes", 2, "2"),
    ],
)
def test_what_makes_the_step_fail(
    act: Act, forge: Forge, text: str, fail_on: str, code: int, said: str
) -> None:
    ran = act(forge.pull_request({"new.py": text}), {"fail-on": fail_on})
    assert (ran.code, ran.outputs["lint"]["exit-code"]) == (code, said), ran.log


def test_never_failing_does_not_hide_that_nothing_was_checked(act: Act, forge: Forge) -> None:
    event = forge.pull_request({"new.py": NEW})
    ran = act(event, {"fail-on": "never", "args": "--select no-such-rule"})
    assert (ran.code, ran.outputs["lint"]["exit-code"]) == (2, "2")


def test_a_linter_that_does_not_start_is_no_finding(forge: Forge, tmp_path: Path) -> None:
    """A broken installation ends with 1, too, which `never` would let pass."""
    runner = Runner(forge, tmp_path / "runner", forge.pull_request({"new.py": NEW}))
    runner.linter = "raise ImportError('half of it is missing')\n"
    given = {"fail-on": "never"}
    ran = runner.run(
        [
            {"uses": "actions/checkout@v6", "with": FULL},
            {"id": "lint", "uses": "OWNER/lambda-lint@REV", "with": given},
        ]
    )
    assert (ran.code, ran.outputs["lint"]["exit-code"]) == (2, "2")


@pytest.mark.parametrize(
    ("checkout", "given", "output"),
    [
        (FULL, {"sarif-file": "out.sarif"}, "out.sarif"),
        (FULL, {"sarif-file": "./out.sarif"}, "out.sarif"),
        (FULL, {"sarif-file": "-out.sarif"}, "-out.sarif"),
        (
            {**FULL, "path": "service"},
            {"sarif-file": "out.sarif", "working-directory": "service"},
            "service/out.sarif",
        ),
    ],
    ids=["name", "dot", "hyphen", "path of the checkout"],
)
def test_sarif_is_written_beside_the_annotations(
    act: Act,
    forge: Forge,
    tmp_path: Path,
    checkout: dict[str, str],
    given: dict[str, str],
    output: str,
) -> None:
    ran = act(forge.pull_request({"new.py": NEW}), given, checkout=checkout)
    assert (ran.code, ran.outputs["lint"]) == (1, {"exit-code": "1", "sarif": output})
    assert ran.places == ["new.py:5"]
    written = json.loads((tmp_path / "runner" / "workspace" / output).read_text())
    results = written["runs"][0]["results"]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in results]
    assert [place["uri"] for place in places] == ["new.py"]


def test_a_report_in_a_file_stays_when_only_errors_fail(
    act: Act, forge: Forge, tmp_path: Path
) -> None:
    """The run that asks whether there are errors must not write over it."""
    given = {"output-format": "json", "args": "--output-file out.json", "fail-on": "errors"}
    ran = act(forge.pull_request({"new.py": NEW}), given)
    assert ran.code == 0, ran.errors
    written = json.loads((tmp_path / "runner" / "workspace" / "out.json").read_text())
    assert [(one["path"], one["line"]) for one in written["findings"]] == [("new.py", 5)]


def test_paths_are_one_in_a_line_and_may_hold_blanks(act: Act, forge: Forge) -> None:
    event = forge.pull_request({"two words/a.py": NEW, "b/b.py": NEW, "c/c.py": NEW})
    ran = act(event, {"paths": "two words\nb\n"})
    assert ran.places == ["b/b.py:5", "two words/a.py:5"], ran.errors


def test_options_are_words(act: Act, forge: Forge) -> None:
    event = forge.pull_request({"new.py": NEW, "worse.py": ERROR})
    ran = act(event, {"args": "  --ignore LMB2\n--severity   warning"})
    assert ran.places == ["new.py:5"]


def test_another_configuration_is_read(act: Act, forge: Forge) -> None:
    event = forge.pull_request({"new.py": NEW, "ci/lint.toml": 'ignore = ["LMB101"]\n'})
    assert (act(event, {"config": "ci/lint.toml"}).code) == 0


def test_a_baseline_silences_what_it_lists(act: Act, forge: Forge, tmp_path: Path) -> None:
    place = tmp_path / "made"
    git(tmp_path, "clone", "--quiet", forge.url, str(place))
    command = [sys.executable, "-m", "lambda_lint", "baseline", "create"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = git(place, "ls-files", "--others", "--exclude-standard").splitlines()
    forge.commit({made: (place / made).read_text()})
    forge.commit({"new.py": NEW})
    ran = act(Event("push"), {"baseline": made})
    assert ran.places == ["new.py:5"], ran.log + ran.errors


# What an attacker could try.


@pytest.mark.parametrize("name", sorted(ACTION["inputs"]))
@pytest.mark.parametrize(
    "value",
    [
        """"; touch pwned; '; touch pwned; $(touch pwned) `touch pwned`; touch${IFS}pwned; * #""",
        "x\ntouch pwned\nexit-code=0",
        "--output-file=pwned",
    ],
    ids=["quotes", "line breaks", "option"],
)
def test_an_input_is_never_a_command(
    act: Act, forge: Forge, tmp_path: Path, name: str, value: str
) -> None:
    if (name, value) == ("args", "--output-file=pwned"):
        pytest.skip("that is what args are for")
    ran = act(forge.pull_request({"new.py": NEW}), {name: value})
    assert not list(tmp_path.rglob("pwned"))
    # The finding, or that it could not be looked for; nothing turns it into success.
    assert str(ran.code) == ran.outputs["lint"]["exit-code"]
    assert ran.code in (1, 2)
    assert "Traceback" not in ran.errors


def test_the_name_of_a_branch_is_never_a_command(act: Act, forge: Forge, tmp_path: Path) -> None:
    branch = 'x";touch${IFS}pwned;$(touch${IFS}pwned)`touch${IFS}pwned`'
    ran = act(forge.pull_request({"new.py": NEW}, branch=branch))
    assert ran.places == ["new.py:5"]
    assert not list(tmp_path.rglob("pwned"))


def test_modules_of_the_pull_request_are_not_imported(act: Act, forge: Forge) -> None:
    trap = "raise SystemExit('the code of the pull request was run')\n"
    names = ["lambda_lint/__init__.py", "sitecustomize.py", "yaml.py", "argparse.py"]
    event = forge.pull_request({"new.py": NEW, **dict.fromkeys(names, trap)})
    ran = act(event, environment={"PYTHONPATH": "."})
    assert (ran.code, ran.places) == (1, ["new.py:5"]), ran.errors


@pytest.mark.parametrize("output_format", ["github", "full"])
def test_workflow_commands_in_the_code_stay_text(
    act: Act, forge: Forge, output_format: str
) -> None:
    hostile = OLD.replace('"s3"', '"s3", "##[add-mask]x\\n::stop-commands::y"')
    event = forge.pull_request({"new.py": hostile})
    ran = act(event, {"output-format": output_format})
    assert ran.code == 1
    assert "##[" not in ran.log
    assert not any(line.startswith("::stop-commands") for line in ran.log.splitlines())


def test_pull_request_target_is_refused(act: Act, forge: Forge) -> None:
    """It has a token that may write, and a configuration may name rules, which are run."""
    event = forge.pull_request({"new.py": NEW})
    ran = act(Event("pull_request_target", event.branch, event.base, event.head))
    assert (ran.code, ran.outputs["lint"]["exit-code"]) == (2, "2")
    assert "use the event pull_request" in ran.log


def test_annotations_name_files_as_the_repository_does(act: Act, forge: Forge) -> None:
    """GitHub knows nothing of the directory that the linter ran in."""
    event = forge.pull_request({"part/new.py": NEW, "other/new.py": NEW})
    assert act(event, {"working-directory": "part"}).places == ["part/new.py:5"]


# The file itself.


def test_the_action_is_valid() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.github-actions", str(ROOT / "action.yml")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_expressions_stand_in_env_and_not_in_scripts() -> None:
    for step in STEPS:
        assert "${{" not in step.get("run", ""), step
        assert step.get("shell", "bash") == "bash"


def test_other_actions_are_pinned_to_a_commit() -> None:
    text = (ROOT / "action.yml").read_text()
    used = re.findall(r"(?m)^ *(?:- )?uses: *(\S+)(.*)", text)
    assert used
    for name, rest in used:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", name)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest), f"{name}: which version is it?"


def test_every_input_reaches_a_step() -> None:
    text = json.dumps(STEPS)
    for name in ACTION["inputs"]:
        assert f"inputs.{name} " in text, name


def test_every_variable_of_the_scripts_is_set() -> None:
    """`set -u` stops at a name that no step sets."""
    given: dict[str, Any] = {}
    for step in STEPS:
        given |= step.get("env", {})
    for script in sorted((ROOT / "action").glob("*.sh")):
        for name in re.findall(r"\b(?:INPUT|EVENT)_[A-Z_]+", script.read_text()):
            assert name in given, f"{script.name}: {name}"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "script", [*sorted((ROOT / "action").glob("*.sh")), ROOT / ".ci" / "run"], ids=lambda p: p.name
)
def test_shellcheck_is_content(script: Path) -> None:
    assert shellcheck(script.read_text()) == ""


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("step", [one for one in STEPS if "run" in one], ids=lambda one: one["id"])
def test_shellcheck_is_content_with_the_steps(step: dict[str, Any]) -> None:
    assert shellcheck(step["run"]) == ""


@pytest.mark.slow
def test_the_action_installs_itself(forge: Forge, tmp_path: Path) -> None:
    """The real step: a new environment, the linter of this checkout, the `python3` of the path."""
    trap = "raise SystemExit('the code of the pull request was run')\n"
    names = ["pip.py", "venv.py", "sitecustomize.py", "setuptools.py"]
    event = forge.pull_request({"new.py": NEW, **dict.fromkeys(names, trap)})
    runner = Runner(forge, tmp_path / "runner", event, install=True)
    runner.environment["PYTHONPATH"] = str(runner.workspace)
    ran = runner.run(
        [
            {"uses": "actions/checkout@v6", "with": FULL},
            {"id": "lint", "uses": "OWNER/lambda-lint@REV"},
        ]
    )
    assert ran.places == ["new.py:5"], ran.errors
    assert ran.outputs["lint"]["exit-code"] == "1"
