"""Git, asked about a repository that nobody trusts.

The questions are asked in the linted tree, under its own configuration. Everything is switched
off with which a repository can make git execute something, or fetch something from elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path


class GitError(Exception):
    """Git cannot answer. The text says why, and what to add or to run."""


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one directory."""

    executable: str
    root: Path
    environment: Mapping[str, str]

    @classmethod
    def at(cls, root: Path) -> Git:
        """Return git for a directory of a work tree. Raises GitError where there is none."""
        executable = shutil.which("git")
        if executable is None or Path(executable).resolve().is_relative_to(root.resolve()):
            raise GitError(
                "git was not found, so the changed lines are unknown; install git, or leave out "
                "--diff-base and --staged to see the findings on all lines"
            )
        git = cls(executable, root, _environment())
        found = git.try_run("rev-parse", "--is-inside-work-tree")
        if b"dubious ownership" in found.stderr:
            raise GitError(
                f"git does not trust {root}, because it belongs to another user; run `git config "
                "--global --add safe.directory DIRECTORY` with the top directory of the repository"
            )
        if found.returncode or found.stdout.strip() != b"true":
            raise GitError(
                f"{root} is not in a git work tree, so the changed lines are "
                f"unknown{reason(found.stderr)}; run the check in a checkout of the repository, "
                "or leave out --diff-base and --staged to see the findings on all lines"
            )
        return replace(git, environment=_without_filters(git))

    def with_index_of_hook(self) -> Git:
        """Return git that reads the index that `git commit` has made for the hook we run in.

        With `git commit --all` it is not the usual one. An index that is not in the directory of
        this repository belongs to another one.
        """
        given = os.environ.get("GIT_INDEX_FILE")
        if not given:
            return self
        top = os.fsdecode(self.run("rev-parse", "--show-toplevel").removesuffix(b"\n"))
        own = os.fsdecode(self.run("rev-parse", "--absolute-git-dir").removesuffix(b"\n"))
        index = os.path.realpath(os.path.join(top, given))
        if not Path(index).is_relative_to(os.path.realpath(own)):
            return self
        return replace(self, environment={**self.environment, "GIT_INDEX_FILE": index})

    def try_run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run one command with `given` on its standard input, whatever its exit code."""
        command = [
            self.executable,
            *("-c", "core.fsmonitor=", "-c", "core.hooksPath=/dev/null"),
            *("--no-pager", "--literal-pathspecs"),
            *arguments,
        ]
        try:
            return subprocess.run(
                command,
                cwd=self.root,
                env=dict(self.environment),
                input=given,
                capture_output=True,
                check=False,
            )
        except (OSError, ValueError) as error:
            raise GitError(f"git could not be started in {self.root}: {error}") from error

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """Return what a command prints. Raises GitError if it fails."""
        done = self.try_run(*arguments, given=given)
        if done.returncode:
            if self._is_partial():
                raise GitError(
                    "the clone is partial and lacks an old version of a file, which lambda-lint "
                    "does not fetch; let git fetch it, with `git diff --quiet REV...` for the "
                    "base revision, or clone without `--filter`"
                )
            raise GitError(
                f"`git {arguments[0]}` failed, so the changed lines are "
                f"unknown{reason(done.stderr)}; run it by hand in {self.root}"
            )
        return done.stdout

    def _is_partial(self) -> bool:
        pattern = r"^(extensions\.partialclone|remote\..*\.promisor)$"
        return self.try_run("config", "--get-regexp", pattern).returncode == 0


def reason(stderr: bytes) -> str:
    """Return the first line that git complained with, in brackets, or nothing."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return f" ({lines[0]})" if lines else ""


def _environment() -> dict[str, str]:
    """The environment without what changes git's answers, and with its messages in English."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return {**kept, **_ADDED}


_DROPPED = frozenset(
    # Git sets these four for its hooks, where they may mean another directory than ours.
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
    # This one wins over `--unified=0` on the command line.
    | {"GIT_DIFF_OPTS"}
    | {"GIT_EXTERNAL_DIFF"}
)
_ADDED = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    # A partial clone fetches what it lacks, through commands that its configuration names. The
    # first of these exists since git 2.44; the second, a list of allowed protocols, always did.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}


def _without_filters(git: Git) -> dict[str, str]:
    """The environment in which no filter of the repository's configuration is a command.

    `git diff` runs the `clean` filter on files that look changed. They are set through the
    environment because the name of a filter may hold a `=`, which ends a name after `-c`.
    """
    pattern = r"^filter\..*\.(clean|process)$"
    listed = git.try_run("config", "--null", "--name-only", "--get-regexp", pattern)
    environment = dict(git.environment)
    given = environment.get("GIT_CONFIG_COUNT", "")
    count = int(given) if given.isdecimal() else 0
    names = sorted({os.fsdecode(name) for name in listed.stdout.split(b"\0") if name})
    required = sorted({f"{name.rpartition('.')[0]}.required" for name in names})
    for key, value in [*((n, "") for n in names), *((n, "false") for n in required)]:
        environment[f"GIT_CONFIG_KEY_{count}"] = key
        environment[f"GIT_CONFIG_VALUE_{count}"] = value
        count += 1
    return {**environment, "GIT_CONFIG_COUNT": str(count)}
