"""Workflows of GitHub, run on this machine: a forge with pull requests, and a runner for its steps.

Only what our own files use is understood; anything else is an error, so that no step is passed
over in silence.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent

IDENTITY = {f"GIT_{who}_NAME": "someone" for who in ("AUTHOR", "COMMITTER")} | {
    f"GIT_{who}_EMAIL": "someone@example.com" for who in ("AUTHOR", "COMMITTER")
}


def clean_environment() -> dict[str, str]:
    """The environment of this process without what would change git, Python or the linter."""
    dropped = ("GIT_", "GITHUB_", "PYTHON", "LAMBDA_LINT", "CI_", "RUNNER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(directory: Path, *arguments: str) -> str:
    """Run git and return what it prints."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env=clean_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


Files = Mapping[str, str | None]


class Forge:
    """A repository as GitHub has it: branches, and for each pull request its head and its merge."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._bare = place / "origin.git"
        self._work = place / "author"
        place.mkdir()
        git(place, "init", "--quiet", "--bare", "--initial-branch=main", str(self._bare))
        git(self._bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(place, "init", "--quiet", "--initial-branch=main", str(self._work))
        git(self._work, "remote", "add", "origin", self.url)

    @property
    def url(self) -> str:
        """Where to clone from; a URL, because git ignores `--depth` for plain paths."""
        return self._bare.as_uri()

    def commit(self, files: Files, branch: str = "main") -> str:
        """Write files (None removes one) onto a branch, push it and return the commit."""
        known = git(self._work, "branch", "--list", branch)
        if known:
            git(self._work, "checkout", "--quiet", branch)
        elif branch != "main":
            git(self._work, "checkout", "--quiet", "-b", branch, "main")
        for name, text in files.items():
            file = self._work / name
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        git(self._work, "add", "--all")
        git(self._work, "commit", "--quiet", "--allow-empty", "--message=work")
        git(self._work, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return git(self._work, "rev-parse", "HEAD")

    def pull_request(self, files: Files, *, branch: str = "topic", fork: bool = False) -> Event:
        """Open a pull request against main; a fork's branch is not one of this repository."""
        base = git(self._bare, "rev-parse", "refs/heads/main")
        head = self.commit(files, branch)
        if fork:
            git(self._work, "push", "--quiet", "origin", f":refs/heads/{branch}")
        git(self._work, "push", "--quiet", "origin", f"+{head}:refs/pull/1/head")
        return self.merged(Event("pull_request", branch, base, head))

    def merged(self, event: Event) -> Event:
        """Make the merge with main as it is now; the event names the base of its first time."""
        git(self._work, "fetch", "--quiet", "origin")
        git(self._work, "checkout", "--quiet", "--detach", "origin/main")
        git(self._work, "merge", "--quiet", "--no-ff", "--message=merge", event.head)
        git(self._work, "push", "--quiet", "origin", "+HEAD:refs/pull/1/merge")
        git(self._work, "checkout", "--quiet", "main")
        return event


@dataclass(frozen=True)
class Event:
    """What a workflow is started by; `base` is the commit of main that the event names."""

    name: str
    branch: str = "main"
    base: str = ""
    head: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        """What `github.event` holds of it."""
        if self.name.startswith("pull_request"):
            return {"pull_request": {"base": {"sha": self.base}, "head": {"sha": self.head}}}
        if self.name == "merge_group":
            return {"merge_group": {"base_sha": self.base}}
        return {}

    @property
    def ref(self) -> str:
        """What is checked out."""
        return "refs/pull/1/merge" if self.name.startswith("pull_request") else "refs/heads/main"

    @property
    def base_branch(self) -> str:
        """`GITHUB_BASE_REF`, which only pull requests have."""
        return "main" if self.name.startswith("pull_request") else ""


@dataclass
class Ran:
    """What became of a job: the first exit code that is not 0, and all that was written."""

    code: int = 0
    log: str = ""
    errors: str = ""
    summary: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def annotations(self) -> list[str]:
        """The lines that GitHub shows at the code or above it."""
        return [line for line in self.log.splitlines() if line.startswith("::")]

    @property
    def places(self) -> list[str]:
        """Where the annotations are, as `path:line`."""
        found = [re.match(r"::\w+ file=([^,]*),line=(\d+)", one) for one in self.annotations]
        return [f"{one[1]}:{one[2]}" for one in found if one]


class Runner:
    """One machine that runs the steps of one job."""

    def __init__(self, forge: Forge, place: Path, event: Event, *, install: bool = False) -> None:
        self.forge, self.event, self.install = forge, event, install
        self.workspace = place / "workspace"
        self.temporary = place / "temp"
        self.bin = place / "bin"
        for directory in (self.workspace, self.temporary, self.bin):
            directory.mkdir(parents=True)
        self.linter = LINTER
        self.pip_log = place / "pip.txt"
        self.environment: dict[str, str] = {}
        self.ran = Ran()
        put_linter(self.bin)
        put_script(self.bin / "pip", f'printf "%s\\n" "$*" >>{self.pip_log}\n')

    def run(self, steps: Sequence[Mapping[str, Any]]) -> Ran:
        """Run the steps of a job: after a failure only those that want to run always."""
        for step in steps:
            if self._wanted(step, {}):
                self._step(step, {})
        return self.ran

    def _step(self, step: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        uses = step.get("uses", "")
        given = {
            name: self._value(str(value), context) for name, value in step.get("with", {}).items()
        }
        if uses.startswith("actions/checkout@"):
            self.checkout(given)
        elif uses.startswith("actions/setup-python@"):
            self.ran.log += f"set up Python {given['python-version']}\n"
        elif re.fullmatch(r"(?:[\w.-]+/)?lambda-lint@.+", uses) or uses == "./":
            outputs = self.action(given)
            if "id" in step:
                self.ran.outputs[step["id"]] = outputs
        elif uses.startswith(("github/codeql-action/upload-sarif@", "actions/upload-artifact@")):
            file = given.get("sarif_file") or given["path"]
            assert (self.workspace / file).is_file(), f"{uses}: there is no {file}"
            self.ran.log += f"uploaded {file}\n"
        elif uses.startswith("reviewdog/action-setup@"):
            assert (self.bin / "reviewdog").is_file(), "the test puts a stand-in there"
        elif "run" in step and not uses:
            directory = self.workspace / step.get("working-directory", ".")
            self._bash(step, {}, directory)
        else:
            raise AssertionError(f"the runner of the tests does not know this step: {step}")

    def checkout(self, given: Mapping[str, str]) -> None:
        """Do what actions/checkout does: one commit, or all branches with `fetch-depth: 0`."""
        place = self.workspace / given.get("path", ".")
        git(self.workspace, "init", "--quiet", str(place))
        git(place, "remote", "add", "origin", self.forge.url)
        depth = given.get("fetch-depth", "1")
        if depth == "0":
            git(place, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
        depths = [] if depth == "0" else [f"--depth={depth}"]
        git(place, "fetch", "--quiet", "--no-tags", *depths, "origin", self.event.ref)
        git(place, "checkout", "--quiet", "--detach", "FETCH_HEAD")

    def action(self, given: Mapping[str, str]) -> dict[str, str]:
        """Run the steps of our own action and return its outputs."""
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        unknown = set(given) - set(action["inputs"])
        assert not unknown, f"the action has no input {unknown}"
        inputs = {name: str(one["default"]) for name, one in action["inputs"].items()}
        context: dict[str, Any] = {"inputs": {**inputs, **given}, "steps": {}}
        for step in action["runs"]["steps"]:
            if not self._wanted(step, context):
                continue
            if step.get("id") == "install" and not self.install:
                place = self.temporary / "lambda-lint" / "bin"
                place.mkdir(parents=True, exist_ok=True)
                put_linter(place, self.linter)
            elif "run" in step:
                outputs = self._bash(step, context, self.workspace)
                context["steps"][step["id"]] = {"outputs": outputs}
            else:
                self._step(step, context)
        return {name: self._value(one["value"], context) for name, one in action["outputs"].items()}

    def _bash(
        self, step: Mapping[str, Any], context: Mapping[str, Any], directory: Path
    ) -> dict[str, str]:
        """Run a step as the runner does, and return what it put into GITHUB_OUTPUT."""
        script = self.temporary / "step.sh"
        script.write_text(self._value(step["run"], context))
        output, summary = self.temporary / "output", self.temporary / "summary"
        output.write_text("")
        summary.write_text("")
        given = {name: self._value(str(one), context) for name, one in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=directory,
            env={**self._surroundings(), **self.environment, **given}
            | {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.ran.log += done.stdout
        self.ran.errors += done.stderr
        self.ran.summary += summary.read_text()
        self.ran.code = self.ran.code or done.returncode
        lines = output.read_text().splitlines()
        assert all(re.match(r"[a-z-]+=", line) for line in lines), lines
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def _surroundings(self) -> dict[str, str]:
        return clean_environment() | {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_BASE_REF": self.event.base_branch,
            "GITHUB_EVENT_NAME": self.event.name,
            "GITHUB_HEAD_REF": self.event.branch if self.event.base_branch else "",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temporary),
        }

    def _wanted(self, step: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
        condition = str(step.get("if", "success()"))
        always = "always()" in condition or "!cancelled()" in condition
        if self.ran.code and not always:
            return False
        for part in condition.split("&&"):
            match part.split():
                case ["always()"] | ["!cancelled()"] | ["success()"]:
                    pass
                case [path, "!=", "''"]:
                    if not self._look_up(path, context):
                        return False
                case other:
                    raise AssertionError(f"a condition that the tests do not know: {other}")
        return True

    def _value(self, text: str, context: Mapping[str, Any]) -> str:
        """Replace the expressions of a text: names with dots, and `||` between them."""

        def replaced(found: re.Match[str]) -> str:
            names = [part.strip() for part in found[1].split("||")]
            return next((value for name in names if (value := self._look_up(name, context))), "")

        return re.sub(r"\$\{\{(.*?)\}\}", replaced, text)

    def _look_up(self, name: str, context: Mapping[str, Any]) -> str:
        known: Any = {
            "github": {
                "event": self.event.payload,
                "base_ref": self.event.base_branch,
                "token": "a-token",
            },
            "runner": {"temp": str(self.temporary)},
            "steps": {key: {"outputs": value} for key, value in self.ran.outputs.items()},
            **context,
        }
        first, *rest = name.split(".")
        assert first in known, f"an expression that the tests do not know: {name}"
        known = known[first]
        for part in rest:
            known = known.get(part, {})
        return known if isinstance(known, str) else ""


LINTER = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from lambda_lint.cli import main
sys.exit(main())
"""


def put_linter(directory: Path, code: str = LINTER) -> None:
    """Put a command `lambda-lint` there that runs this checkout, wherever PYTHONPATH points."""
    file = directory / "lambda-lint"
    file.write_text(f"#!{sys.executable}\n{code}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def put_script(file: Path, text: str) -> None:
    """Put a shell script there that can be run."""
    file.write_text(f"#!/usr/bin/env bash\n{text}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def shellcheck(script: str) -> str:
    """What shellcheck says about a Bash script; nothing if it is content."""
    program = shutil.which("shellcheck")
    assert program is not None
    done = subprocess.run(
        [program, "--shell=bash", "--format=gcc", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
