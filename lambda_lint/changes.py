"""Which lines a pull request changes, asked of git.

The question is always "what of the tree on disk is not in the merge base of HEAD and the target
branch", so that work which is not committed yet counts too. Every doubt is a `ChangesError`:
a check that cannot tell what changed must neither pass nor report the whole repository.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lambda_lint.files import read_regular
from lambda_lint.finding import Finding

_WHOLE_FILE = range(1, 2**63)
_WHOLE_FILE_CODES = frozenset({"LMB900"})
"""Findings about a file: where a syntax error is noticed is rarely where it was made."""


class ChangesError(Exception):
    """Git cannot tell what changed. The text says why, and what to add or to run."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The lines that stand in the tree on disk and not in the merge base.

    `lines` maps a path (relative to the root of the project, with `/`) to ranges of 1-based line
    numbers. A path that ends in `/` stands for everything below it.
    """

    lines: Mapping[str, tuple[range, ...]]

    def touches(self, path: str, first_line: int, last_line: int) -> bool:
        """Whether any line from `first_line` to `last_line` (1-based, inclusive) was changed."""
        return any(
            first_line < changed.stop and last_line >= changed.start
            for changed in self._ranges(path)
        )

    def touches_file(self, path: str) -> bool:
        """Whether anything of the file was changed, lines that were only removed included."""
        return path in self.lines or any(self._ranges(path))

    def _ranges(self, path: str) -> Iterator[range]:
        yield from self.lines.get(path, ())
        for index, character in enumerate(path):
            if character == "/":
                yield from self.lines.get(path[: index + 1], ())


def changed_lines(root: Path, base: str) -> Changes:
    """Return what changed below `root` since HEAD left `base` (a branch, tag or commit).

    Staged, unstaged and untracked work counts. Where code was only removed, the lines around the
    gap count, and below a removed decorator the whole function. A renamed file is a new file. A
    changed submodule, and a file that git takes for binary, count as a whole.

    Raises ChangesError when there is no git, no repository, no such revision or no merge base.
    """
    git = _Git.at(root)
    start = _merge_base(git, base)
    lines: dict[str, tuple[range, ...]] = {}
    for path, hunks in _hunks(git.run("diff", "--patch", *_DIFF_OPTIONS, start, "--")):
        text = _lines_as_git(root / path)
        if text is None:
            lines[path] = (_WHOLE_FILE,)
        else:
            lines[path] = tuple(one for hunk in hunks for one in hunk.touched(text))
    for path in _binary_files(git.run("diff", "--numstat", "-z", *_DIFF_OPTIONS, start, "--")):
        lines[path] = (_WHOLE_FILE,)
    untracked = git.run("ls-files", "--others", "--exclude-standard", "-z")
    for name in untracked.split(b"\0"):
        if name:
            lines[os.fsdecode(name)] = (_WHOLE_FILE,)
    for path in [path for path in lines if (root / path).is_dir() and not path.endswith("/")]:
        del lines[path]
        lines[f"{path}/"] = (_WHOLE_FILE,)
    return Changes(lines)


def keep_changed(findings: Iterable[Finding], changes: Changes) -> list[Finding]:
    """Return the findings of which the place itself or a step of the witness was changed.

    The paths of the findings are relative to the same root as those of `changes`.
    """
    return [finding for finding in findings if _is_changed(finding, changes)]


def _is_changed(finding: Finding, changes: Changes) -> bool:
    if finding.code in _WHOLE_FILE_CODES and changes.touches_file(finding.path):
        return True
    places = [(finding.path, finding.span), *((step.path, step.span) for step in finding.witness)]
    return any(changes.touches(path, span.line, span.end_line) for path, span in places)


@dataclass(frozen=True, slots=True)
class _Git:
    """Git in one directory, with everything switched off that a repository can make it execute."""

    executable: str
    root: Path
    environment: Mapping[str, str]

    @classmethod
    def at(cls, root: Path) -> _Git:
        executable = shutil.which("git")
        if executable is None or Path(executable).resolve().is_relative_to(root.resolve()):
            raise ChangesError(
                "git was not found, so the changed lines are unknown; install git, or leave out "
                "the base revision to see the findings on all lines"
            )
        git = cls(executable, root, _environment())
        found = git.try_run("rev-parse", "--is-inside-work-tree")
        if found.returncode or found.stdout.strip() != b"true":
            raise ChangesError(
                f"{root} is not in a git work tree, so the changed lines are "
                f"unknown{_reason(found.stderr)}; run the check in a checkout of the repository, "
                "or leave out the base revision to see the findings on all lines"
            )
        return cls(executable, root, _without_filters(git))

    def try_run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
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
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except (OSError, ValueError) as error:
            raise ChangesError(f"git could not be started in {self.root}: {error}") from error

    def run(self, *arguments: str) -> bytes:
        done = self.try_run(*arguments)
        if done.returncode:
            raise ChangesError(
                f"`git {arguments[0]}` failed, so the changed lines are "
                f"unknown{_reason(done.stderr)}; run it by hand in {self.root}"
            )
        return done.stdout


def _environment() -> dict[str, str]:
    """The environment without what changes git's answers, and with its messages in English."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


_DROPPED = frozenset(
    # Git sets these four for its hooks, where they may mean another directory than ours.
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
    # This one wins over `--unified=0` on the command line.
    | {"GIT_DIFF_OPTS"}
    | {"GIT_EXTERNAL_DIFF"}
)


def _without_filters(git: _Git) -> dict[str, str]:
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


def _merge_base(git: _Git, base: str) -> str:
    """Return the commit where HEAD left `base`."""
    commit = _commit(git, base)
    if commit is None:
        raise ChangesError(f"git does not know the revision {base!r}; {_how_to_get(git, base)}")
    found = git.try_run("merge-base", "HEAD", commit)
    start = found.stdout.decode("ascii", "replace").strip()
    if found.returncode or not start:
        raise ChangesError(
            f"HEAD and {base!r} have no common commit here, so the changed lines are "
            f"unknown{_reason(found.stderr)}; {_how_to_get(git, base)}"
        )
    return start


def _commit(git: _Git, revision: str) -> str | None:
    if not revision or "\0" in revision:
        return None
    found = git.try_run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    # Versions of git before 2.30 print `--end-of-options` as well.
    words = found.stdout.decode("ascii", "replace").split()
    return words[-1] if found.returncode == 0 and words else None


def _how_to_get(git: _Git, base: str) -> str:
    shallow = git.try_run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    if shallow:
        return (
            "the clone is shallow: add `fetch-depth: 0` under `with:` of actions/checkout, or run "
            "`git fetch --unshallow`"
        )
    remote = f"origin/{base}"
    if _commit(git, f"refs/remotes/{remote}") is not None:
        return f"the remote branch is known: name it as {remote!r}"
    return (
        "check the spelling, or run `git fetch origin` first (with actions/checkout: add "
        "`fetch-depth: 0` under `with:`)"
    )


_DIFF_OPTIONS = (
    *("--unified=0", "--inter-hunk-context=0"),
    *("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--relative"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
    # Looking into a submodule would run git there, under that repository's own configuration.
    *("--submodule=short", "--ignore-submodules=dirty"),
)
"""Every setting of the user or the repository that changes the output is given explicitly."""

_SEARCHED = 16 * 1024 * 1024
"""Bytes of a file that are searched for line ends; a longer file counts as a whole."""

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(slots=True)
class _Hunk:
    """What a patch does at one place of the new file, whose `start` is the line before a gap."""

    start: int
    added: int
    removed: list[bytes]

    def touched(self, text: list[bytes]) -> Iterator[range]:
        """Yield the ranges of lines that it changes, `text` being the new lines of the file."""
        after = self.start + self.added
        if self.added:
            yield range(self.start, after)
        elif any(_is_code(line) for line in self.removed):
            after += 1
            yield range(max(self.start, 1), after + 1)
        if any(line.lstrip().startswith(b"@") for line in self.removed):
            yield range(after, _end_of_definition(text, after))


def _is_code(line: bytes) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(b"#")


def _end_of_definition(text: list[bytes], start: int) -> int:
    """Return the line after the function or class whose decorators and head `start` stands in."""
    indent: int | None = None
    last = start
    for number in range(start, len(text) + 1):
        line = text[number - 1]
        if not _is_code(line):
            continue
        depth = len(line) - len(line.lstrip())
        head = _DEFINITION.match(line.lstrip()) is not None
        if indent is not None and depth <= indent and not line.lstrip().startswith(b")"):
            break
        if indent is None and head:
            indent = depth
        last = number
    return last + 1 if indent is not None else start


_DEFINITION = re.compile(rb"(async\s+def|def|class)\s")


def _hunks(patch: bytes) -> Iterator[tuple[str, tuple[_Hunk, ...]]]:
    """Yield each file of a patch that still exists, with what is done to it.

    The lines of a hunk are counted, because a removed line `-- a/x` reads like a header.
    """
    path: str | None = None
    hunks: list[_Hunk] = []
    left = 0
    for line in patch.split(b"\n"):
        if left:
            left -= not line.startswith(b"\\")
            if line.startswith(b"-"):
                hunks[-1].removed.append(line[1:])
        elif line.startswith(b"+++ "):
            if path is not None:
                yield path, tuple(hunks)
            path, hunks = _new_path(line[4:]), []
        elif hunk := _HUNK.match(line):
            removed, start, added = (int(group or 1) for group in hunk.groups())
            left = removed + added
            hunks.append(_Hunk(start, added, []))
    if path is not None:
        yield path, tuple(hunks)


def _new_path(shown: bytes) -> str | None:
    """Return the path after `+++ `, None for a file that is gone.

    Git puts a tab after a name with a blank, and quotes one with control characters, quotes,
    backslashes or bytes beyond ASCII as a C string.
    """
    name = shown.removesuffix(b"\t")
    if name == b"/dev/null":
        return None
    if name.startswith(b'"') and name.endswith(b'"'):
        name = _ESCAPE.sub(_unescape, name[1:-1])
    return os.fsdecode(name.removeprefix(b"b/"))


_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))


def _unescape(match: re.Match[bytes]) -> bytes:
    escaped = match[1]
    if len(escaped) == 3:
        return bytes([int(escaped, 8)])
    return bytes([_ESCAPES.get(escaped[0], escaped[0])])


def _binary_files(numstat: bytes) -> Iterator[str]:
    """Yield the files for which `--numstat` has dashes: too odd for lines, or declared binary."""
    for entry in numstat.split(b"\0"):
        if entry.startswith(b"-\t-\t"):
            yield os.fsdecode(entry[4:])


def _lines_as_git(file: Path) -> list[bytes] | None:
    """Return the lines of a file, None where Python may not see those that git has counted.

    Python ends a line at a lone carriage return as well, and reads what a symbolic link points to.
    """
    try:
        data = b"" if file.is_symlink() else read_regular(file, _SEARCHED)
    except OSError:
        return None
    is_same = 0 < len(data) <= _SEARCHED and re.search(rb"\r(?!\n)", data) is None
    return data.split(b"\n") if is_same else None


def _reason(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return f" ({lines[0]})" if lines else ""
