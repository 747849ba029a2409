"""Which lines a pull request or a commit changes, asked of git.

For a pull request the question is "what of the tree on disk is not in the merge base of HEAD and
the target branch", so that work which is not committed yet counts too. For a commit it is "what
does the index hold that HEAD does not". Every doubt is a `GitError`: a check that cannot tell what
changed must neither pass nor report the whole repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from lambda_lint import patch
from lambda_lint.files import read_regular
from lambda_lint.finding import Finding
from lambda_lint.git import Git, GitError, reason

_WHOLE_FILE = range(1, 2**63)
_WHOLE_FILE_CODES = frozenset({"LMB900"})
"""Findings about a file: where a syntax error is noticed is rarely where it was made."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The lines that are new.

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


@dataclass(frozen=True, slots=True)
class Staged:
    """What the index changes against HEAD, and what it holds where the disk holds something else.

    `contents` maps the paths of files to their text in the index; those that are equal on disk are
    not in it. `left_out` are the paths on disk that git neither tracks nor ignores; one that ends
    in `/` stands for everything below it.
    """

    changes: Changes
    contents: Mapping[str, bytes]
    left_out: frozenset[str]


@dataclass(frozen=True, slots=True)
class Before:
    """The tree that a change starts from, as what is different from the one on disk.

    `contents` maps the paths of files to their text there; `left_out` are the paths that are only
    on disk, and one that ends in `/` stands for everything below it.
    """

    contents: Mapping[str, bytes]
    left_out: frozenset[str]


def never(old: str, new: str) -> bool:
    """Say that no file was worth looking at under its old name."""
    return False


def changed_lines(root: Path, base: str, was_judged: Callable[[str, str], bool] = never) -> Changes:
    """Return what changed below `root` since HEAD left `base` (a branch, tag or commit).

    Staged, unstaged and untracked work counts. Where code was only removed, the lines around the
    gap count, and below a removed decorator the whole function. Of a renamed file the lines that
    were edited count, if it `was_judged` under its old name as it is under the new one (which the
    function is given in this order); otherwise it is a new file. A copy is a new file. A changed
    submodule, a file that git takes for binary and one with merge conflicts count as a whole.

    Raises GitError when there is no git, no repository, no such revision or no merge base.
    """
    git = Git.at(root)
    start = _merge_base(git, base)
    lines = _touched(git, [start], was_judged, lambda path: _content(root / path))
    for name in [
        *_names(git.run("ls-files", "--others", "--exclude-standard", "-z", *_NOT_NESTED)),
        *(path for _, _, stage, path in _index(git) if stage != "0"),
    ]:
        lines[name] = (_WHOLE_FILE,)
    return _of_project(root, lines)


def staged(root: Path, limit: int, was_judged: Callable[[str, str], bool] = never) -> Staged:
    """Return what a commit of the index would change below `root`, counted as by `changed_lines`.

    Before the first commit all that is staged is new. The lines are those of the index, whose text
    of a file differs from the one on disk when only a part of the work is staged. A text of more
    than `limit` bytes is replaced by another one that is too long. A file that a filter of the
    repository rewrites (`filter=` in .gitattributes) is not readable in the index: what is on disk
    counts, as a whole if the file is staged at all.

    Raises GitError when there is no git, no repository, or an unfinished merge.
    """
    git = Git.at(root).with_index_of_hook()
    entries = _index(git)
    conflicts = sorted({path for _, _, stage, path in entries if stage != "0"})
    if conflicts:
        raise GitError(
            f"{conflicts[0]} has merge conflicts, so nothing can be committed; resolve them and "
            "run `git add`"
        )
    blobs = {path: name for mode, name, _, path in entries if mode.startswith("100")}
    # With this option a file counts as equal whose time alone differs.
    differing = set(_names(git.run("diff", "--name-only", "-z", *patch.OPTIONS, *_NO_RENAMES)))
    head = ["HEAD"] if _commit(git, "HEAD") is not None else []
    against_head = ["--cached", *head]
    changed = set(
        _names(git.run("diff", "--name-only", "-z", *patch.OPTIONS, *_NO_RENAMES, *against_head))
    )
    wanted = {
        path
        for path in blobs.keys() & (differing | changed)
        if path in differing or not os.path.lexists(root / path)
    }
    filtered = _filtered(git, sorted((differing | changed) & blobs.keys()))
    contents = _blobs(git, {path: blobs[path] for path in sorted(wanted - filtered)}, limit)

    def text(path: str) -> bytes | None:
        return contents[path] if path in contents else _content(root / path)

    lines = _touched(git, against_head, was_judged, text)
    for path in filtered & changed:
        lines[path] = (_WHOLE_FILE,)
    untracked = _names(git.run("ls-files", "--others", "--exclude-standard", "-z", *_NOT_NESTED))
    return Staged(_of_project(root, lines), contents, frozenset(untracked))


def before(root: Path, base: str | None, limit: int) -> Before | None:
    """Return the tree where HEAD left `base`, or for None that of HEAD; None if there is none yet.

    A text of more than `limit` bytes is replaced by another one that is too long. A file that a
    filter of the repository rewrites counts as it is on disk. Raises GitError as `changed_lines`
    and `staged` do.
    """
    git = Git.at(root)
    if base is None:
        git = git.with_index_of_hook()
        start = _commit(git, "HEAD")
        if start is None:
            return None
    else:
        start = _merge_base(git, base)
    listed = _names(
        git.run("diff", "--name-status", "-z", *patch.OPTIONS, *_NO_RENAMES, start, "--")
    )
    states = dict(zip(listed[1::2], listed[0::2], strict=True))
    filtered = _filtered(git, sorted(states))
    blobs = {}
    for entry in _names(git.run("ls-tree", "-r", "-z", start)):
        words, _, path = entry.partition("\t")
        mode, _, name = words.split(" ")
        if path in states and path not in filtered and mode.startswith("100"):
            blobs[path] = name
    untracked = _names(git.run("ls-files", "--others", "--exclude-standard", "-z", *_NOT_NESTED))
    gone = {*untracked, *(path for path in states if path not in filtered)} - blobs.keys()
    # A submodule of another commit is a directory whose old files are elsewhere.
    left_out = {f"{path}/" if (root / path).is_dir() else path for path in gone}
    return Before(_blobs(git, blobs, limit), frozenset(left_out))


def changed_since_head(root: Path, paths: Iterable[str]) -> Changes:
    """Return which lines of these files, as they are on disk, are not in HEAD; for all, if none."""
    git = Git.at(root)
    given = set(paths)
    if _commit(git, "HEAD") is None:
        return Changes(dict.fromkeys(given, (_WHOLE_FILE,)))
    lines = _touched(git, ["HEAD"], never, lambda path: _content(root / path))
    return _of_project(root, {path: one for path, one in lines.items() if path in given})


def keep_changed(
    findings: Iterable[Finding],
    changes: Changes,
    declared: Mapping[str, Iterable[tuple[str, int]]] = MappingProxyType({}),
) -> list[Finding]:
    """Return the findings of which the place itself or a step of the witness was changed.

    Where only a deployment descriptor makes a function a handler, its line there is the beginning
    of the way: `declared` maps the names of such handlers to the paths and lines (1-based) that
    declare them. All paths are relative to the same root as those of `changes`.
    """
    new = {
        name
        for name, places in declared.items()
        if all(changes.touches(path, line, line) for path, line in places)
    }
    return [finding for finding in findings if _is_changed(finding, changes, new)]


def _is_changed(finding: Finding, changes: Changes, new_handlers: set[str]) -> bool:
    if finding.code in _WHOLE_FILE_CODES and changes.touches_file(finding.path):
        return True
    if finding.handlers and new_handlers.issuperset(finding.handlers):
        return True
    places = [(finding.path, finding.span), *((step.path, step.span) for step in finding.witness)]
    return any(changes.touches(path, span.line, span.end_line) for path, span in places)


_NO_RENAMES = ("--no-renames",)
_NOT_NESTED = ("--no-recurse-submodules",)


def _touched(
    git: Git,
    sides: list[str],
    was_judged: Callable[[str, str], bool],
    content: Callable[[str], bytes | None],
) -> dict[str, tuple[range, ...]]:
    """Return the lines that a diff changes, `content` giving the new text of a file."""
    lines: dict[str, tuple[range, ...]] = {}
    for file in patch.read(git.run("diff", "--patch", *patch.OPTIONS, *sides, "--")):
        text = _lines_as_git(content(file.path))
        if text is None or (file.old is not None and not was_judged(file.old, file.path)):
            lines[file.path] = (_WHOLE_FILE,)
        else:
            lines[file.path] = tuple(one for hunk in file.hunks for one in hunk.touched(text))
    numbers = git.run("diff", "--numstat", "-z", *patch.OPTIONS, *_NO_RENAMES, *sides, "--")
    for path in patch.binary_files(numbers):
        lines[path] = (_WHOLE_FILE,)
    return lines


def _of_project(root: Path, lines: dict[str, tuple[range, ...]]) -> Changes:
    """Let the path of a directory, which is a repository of its own, stand for what is in it."""
    for path in [path for path in lines if (root / path).is_dir() and not path.endswith("/")]:
        del lines[path]
        lines[f"{path}/"] = (_WHOLE_FILE,)
    return Changes(lines)


def _names(listed: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _index(git: Git) -> list[tuple[str, str, str, str]]:
    """Return mode, object, stage and path of all that is in the index below the root."""
    listed = git.run("ls-files", "--stage", "-z", *_NOT_NESTED)
    entries = []
    for entry in _names(listed):
        words, _, path = entry.partition("\t")
        mode, name, stage = words.split(" ")
        entries.append((mode, name, stage, path))
    return entries


def _filtered(git: Git, paths: list[str]) -> set[str]:
    """Return which of the files have other bytes in the index than on disk by way of a filter."""
    if not paths:
        return set()
    given = b"".join(os.fsencode(path) + b"\0" for path in paths)
    said = _names(git.run("check-attr", "-z", "--stdin", "filter", given=given))
    return {
        path
        for path, value in zip(said[0::3], said[2::3], strict=False)
        if value not in ("unspecified", "unset")
    }


def _blobs(git: Git, objects: Mapping[str, str], limit: int) -> dict[str, bytes]:
    """Return the contents of objects by their paths."""
    if not objects:
        return {}
    names = sorted(set(objects.values()))
    listed = git.run("cat-file", "--batch-check", given="".join(f"{n}\n" for n in names).encode())
    sizes = {}
    for line in listed.decode("ascii", "replace").splitlines():
        name, kind, *size = line.split(" ")
        if kind != "blob":
            raise GitError(f"git names {name}, and does not have it; run `git fsck`")
        sizes[name] = int(size[0])
    short = [name for name in names if sizes[name] <= limit]
    data = git.run("cat-file", "--batch", given="".join(f"{name}\n" for name in short).encode())
    found = {}
    start = 0
    for name in short:
        start = data.index(b"\n", start) + 1
        found[name] = data[start : start + sizes[name]]
        start += sizes[name] + 1
    too_long = bytes(limit + 1)
    return {path: found.get(name, too_long) for path, name in objects.items()}


def _merge_base(git: Git, base: str) -> str:
    """Return the commit where HEAD left `base`."""
    commit = _commit(git, base)
    if commit is None:
        raise GitError(f"git does not know the revision {base!r}; {_how_to_get(git, base)}")
    if _commit(git, "HEAD") is None:
        raise GitError(
            "there is no commit on this branch yet, so it has not left any revision; make one, or "
            "use --staged"
        )
    found = git.try_run("merge-base", "HEAD", commit)
    start = found.stdout.decode("ascii", "replace").strip()
    if found.returncode or not start:
        raise GitError(
            f"HEAD and {base!r} have no common commit here, so the changed lines are "
            f"unknown{reason(found.stderr)}; {_how_to_get(git, base)}"
        )
    return start


def _commit(git: Git, revision: str) -> str | None:
    if not revision or "\0" in revision or revision.startswith("-"):
        return None
    found = git.try_run(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    # Versions of git before 2.30 print `--end-of-options` as well.
    words = found.stdout.decode("ascii", "replace").split()
    known = found.returncode == 0 and words and re.fullmatch("[0-9a-f]{40,64}", words[-1])
    return words[-1] if known else None


def _how_to_get(git: Git, base: str) -> str:
    if ".." in base:
        start = base.partition("..")[0]
        return (
            "it reads like a range, and what changed is always asked up to the files on disk: "
            f"give the revision that it starts from{f', {start!r}' if start else ''}"
        )
    shallow = git.try_run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    if shallow:
        return (
            "the clone is shallow: add `fetch-depth: 0` under `with:` of actions/checkout, or run "
            "`git fetch --unshallow`"
        )
    remote = f"origin/{base}"
    if _commit(git, f"refs/remotes/{remote}") is not None:
        return f"the remote branch is known: name it as {remote!r}"
    local = base.removeprefix("origin/")
    if local != base and _commit(git, f"refs/heads/{local}") is not None:
        return (
            f"a branch {local!r} is known here: name that one, or run `git fetch origin` first "
            "(with actions/checkout: add `fetch-depth: 0` under `with:`)"
        )
    return (
        "check the spelling, or run `git fetch origin` first (with actions/checkout: add "
        "`fetch-depth: 0` under `with:`)"
    )


_SEARCHED = 16 * 1024 * 1024
"""Bytes of a file that are searched for line ends; a longer file counts as a whole."""


def _content(file: Path) -> bytes | None:
    """Return the bytes of a file, None where Python may read others than git."""
    try:
        return None if file.is_symlink() else read_regular(file, _SEARCHED)
    except OSError:
        return None


def _lines_as_git(data: bytes | None) -> list[bytes] | None:
    """Return the lines of a text, None where Python may not see those that git has counted.

    Python ends a line at a lone carriage return as well.
    """
    if data is None or not 0 < len(data) <= _SEARCHED or re.search(rb"\r(?!\n)", data):
        return None
    return data.split(b"\n")
