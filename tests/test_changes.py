"""Which lines count as changed, on scratch repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_lint.changes import Changes, changed_lines, changed_since_head, keep_changed, staged
from lambda_lint.finding import Confidence, Finding, Severity, Span, Step
from lambda_lint.git import GitError

if TYPE_CHECKING:
    from tests.repositories import commit, forget_the_user, git
else:
    from repositories import commit, forget_the_user, git

FIVE = "one\ntwo\nthree\nfour\nfive\n"


@pytest.fixture(autouse=True)
def no_configuration_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_the_user(monkeypatch)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """`app.py` of five lines on main, and a branch `work` without a commit of its own."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / "app.py").write_text(FIVE)
    commit(root)
    git(root, "checkout", "--quiet", "-b", "work")
    return root


def touched(changes: Changes, path: str, lines: int = 9) -> list[int]:
    return [line for line in range(1, lines + 1) if changes.touches(path, line, line)]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(FIVE, [], id="nothing"),
        pytest.param(FIVE.replace("two", "TWO"), [2], id="one line changed"),
        pytest.param("zero\n" + FIVE, [1], id="a line put in front moves the others only"),
        pytest.param(FIVE.replace("two\n", "two\na\nb\n"), [3, 4], id="two lines put in"),
        pytest.param(FIVE.replace("two\n", ""), [1, 2], id="a removed line: those around the gap"),
        pytest.param(FIVE.replace("one\n", ""), [1], id="the first line removed: what follows"),
        pytest.param(
            FIVE.replace("one", "1").replace("five", "5"), [1, 5], id="two places, nothing between"
        ),
        pytest.param(FIVE[:-1], [5], id="the last line lost its end"),
        pytest.param(
            "++ b/else.py\n" + FIVE, [1], id="an added line that reads like a header of the patch"
        ),
        pytest.param("@@ -1 +4 @@\n" + FIVE, [1], id="an added line that reads like a hunk"),
        pytest.param(FIVE.replace("two", "t\x0cw\u2028o"), [2], id="no line ends at form feed"),
        pytest.param("one\ntwo\rthree\n", list(range(1, 10)), id="lone CR: git counts differently"),
    ],
)
@pytest.mark.parametrize("state", ["committed", "staged", "in the working tree"])
def test_changed_lines_of_a_file(
    repository: Path, after: str, expected: list[int], state: str
) -> None:
    (repository / "app.py").write_bytes(after.encode())
    if state == "committed":
        commit(repository)
    elif state == "staged":
        git(repository, "add", "--all")
    assert touched(changed_lines(repository, "main"), "app.py") == expected


CACHED = """\
import functools

# What is kept.
class Store:
    @functools.cache
    @logged
    def client(
        self,
    ):

        return make()

    def other(self):
        return make()
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(
            "    @functools.cache\n", "", [4, 5, 6, 7, 8, 9, 10], id="a decorator removed"
        ),
        pytest.param("    @logged\n", "", [5, 6, 7, 8, 9, 10], id="the inner decorator removed"),
        pytest.param("@logged", "@traced", [6, 7, 8, 9, 10, 11], id="another decorator"),
        pytest.param("    @logged\n", "    @logged\n    @more\n", [7], id="one more decorator"),
        pytest.param("# What is kept.\n", "", [], id="a comment removed"),
        pytest.param("\n    def other", "    def other", [], id="a blank line removed"),
        pytest.param("import functools\n", "", [1], id="an import removed"),
    ],
)
def test_what_a_removal_touches(
    repository: Path, before: str, after: str, expected: list[int]
) -> None:
    (repository / "app.py").write_text(CACHED)
    commit(repository)
    git(repository, "branch", "--force", "main")
    assert before in CACHED
    (repository / "app.py").write_text(CACHED.replace(before, after))
    assert touched(changed_lines(repository, "main"), "app.py", 20) == expected


def test_a_removed_header_like_line_hides_no_later_change(repository: Path) -> None:
    (repository / "app.py").write_text("-- a/x\none\ntwo\n")
    commit(repository)
    git(repository, "branch", "--force", "main")
    (repository / "app.py").write_text("one\nTWO\n")
    changes = changed_lines(repository, "main")
    assert list(changes.lines) == ["app.py"]
    assert touched(changes, "app.py") == [1, 2]


@pytest.mark.parametrize(
    "name",
    [
        "with blank.py",
        'quote".py',
        "back\\slash.py",
        "tab\tname.py",
        "new\nline.py",
        "bell\a.py",
        "naïve.py",
        "日本.py",
        "b/b.py",
        " b.py",
        "-x.py",
        os.fsdecode(b"latin\xe9.py"),
    ],
)
@pytest.mark.parametrize("tracked", [True, False])
def test_every_file_name_is_read_back(repository: Path, name: str, tracked: bool) -> None:
    file = repository / name
    file.parent.mkdir(exist_ok=True)
    if tracked:
        file.write_text(FIVE)
        commit(repository)
        git(repository, "branch", "--force", "main")
        file.write_text(FIVE.replace("two", "TWO"))
    else:
        file.write_text("one\n")
    expected = [2] if tracked else [1, 2, 3]
    assert touched(changed_lines(repository, "main"), name, 3) == expected


def test_work_on_the_target_branch_is_not_ours(repository: Path) -> None:
    (repository / "ours.py").write_text("x = 1\n")
    commit(repository)
    git(repository, "checkout", "--quiet", "main")
    (repository / "app.py").write_text("rewritten\n")
    commit(repository)
    git(repository, "checkout", "--quiet", "work")
    assert list(changed_lines(repository, "main").lines) == ["ours.py"]


def test_root_below_the_top_of_the_repository(repository: Path) -> None:
    service = repository / "service"
    service.mkdir()
    (service / "app.py").write_text("x = 1\n")
    (repository / "elsewhere.py").write_text("x = 1\n")
    (service / "new.py").write_text("x = 1\n")
    git(repository, "add", "service/app.py")
    assert sorted(changed_lines(service, "main").lines) == ["app.py", "new.py"]


def test_ignored_files_are_no_change_and_deleted_ones_are_gone(repository: Path) -> None:
    (repository / ".gitignore").write_text("build/\n")
    (repository / "build").mkdir()
    (repository / "build" / "app.py").write_text("x = 1\n")
    (repository / "app.py").unlink()
    assert list(changed_lines(repository, "main").lines) == [".gitignore"]


TWENTY = "".join(f"line {number}\n" for number in range(1, 21))


def always(old: str, new: str) -> bool:
    return True


@pytest.mark.parametrize("settings", [(), ("diff.renames=false",), ("diff.renameLimit=1",)])
@pytest.mark.parametrize(
    ("was_judged", "after", "expected"),
    [
        pytest.param(always, TWENTY, [], id="moved only"),
        pytest.param(always, TWENTY.replace("line 3\n", "three\n"), [3], id="moved and edited"),
        pytest.param(
            always, TWENTY.replace("line 3\n", ""), [2, 3], id="moved, and a line was removed"
        ),
        pytest.param(always, FIVE * 4, list(range(1, 21)), id="another text: a new file"),
        pytest.param(
            lambda old, new: (old, new) != ("app.py", "new place/handler.py"),
            TWENTY,
            list(range(1, 21)),
            id="what nobody judged under the old name is new",
        ),
    ],
)
def test_of_a_moved_file_the_edited_lines_count(
    repository: Path,
    was_judged: Callable[[str, str], bool],
    after: str,
    expected: list[int],
    settings: Sequence[str],
) -> None:
    (repository / "app.py").write_text(TWENTY)
    (repository / "other.py").write_text(FIVE)
    commit(repository)
    git(repository, "branch", "--force", "main")
    for setting in settings:
        git(repository, "config", *setting.split("="))
    (repository / "new place").mkdir()
    git(repository, "mv", "app.py", "new place/handler.py")
    git(repository, "mv", "other.py", "another.py")
    (repository / "new place" / "handler.py").write_text(after)
    git(repository, "add", "--all")
    for changes in (
        changed_lines(repository, "main", was_judged),
        staged(repository, 9999, was_judged).changes,
    ):
        assert touched(changes, "new place/handler.py", 20) == expected
        assert touched(changes, "another.py") == []


def test_a_copied_file_is_a_new_file(repository: Path) -> None:
    git(repository, "config", "diff.renames", "copies")
    (repository / "copy.py").write_text(FIVE)
    git(repository, "add", "--all")
    assert touched(changed_lines(repository, "main", always), "copy.py", 5) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["tab\tname.py", 'quote".py', "new\nline.py", "日本.py", " b.py"])
def test_a_moved_file_may_have_any_name(repository: Path, name: str) -> None:
    (repository / "app.py").write_text(TWENTY)
    (repository / "service").mkdir()
    git(repository, "mv", "app.py", f"service/{name}")
    commit(repository)
    git(repository, "branch", "--force", "main")
    git(repository, "mv", f"service/{name}", f"service/x{name}")
    (repository / "service" / f"x{name}").write_text(TWENTY.replace("line 7\n", "seven\n"))
    asked: list[tuple[str, str]] = []

    def was_judged(old: str, new: str) -> bool:
        asked.append((old, new))
        return True

    # The root of the project lies below that of the repository.
    changes = changed_lines(repository / "service", "main", was_judged)
    assert asked == [(name, f"x{name}")]
    assert touched(changes, f"x{name}", 20) == [7]


def test_a_file_with_merge_conflicts_counts_as_a_whole(repository: Path) -> None:
    with_conflict(repository)
    assert changed_lines(repository, "main").touches("app.py", 5, 5)


def with_conflict(repository: Path) -> None:
    (repository / "app.py").write_text(FIVE.replace("two", "ours"))
    commit(repository)
    git(repository, "checkout", "--quiet", "-b", "theirs", "main")
    (repository / "app.py").write_text(FIVE.replace("two", "theirs"))
    commit(repository)
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "work")


def test_a_file_declared_binary_counts_as_a_whole(repository: Path) -> None:
    (repository / ".gitattributes").write_text("*.py -diff\n")
    (repository / "app.py").write_text(FIVE.replace("two", "TWO"))
    assert changed_lines(repository, "main").touches("app.py", 5, 5)


def test_a_link_that_points_elsewhere_counts_as_a_whole(repository: Path) -> None:
    (repository / "other.py").write_text(FIVE)
    (repository / "link.py").symlink_to("app.py")
    commit(repository)
    git(repository, "branch", "--force", "main")
    (repository / "link.py").unlink()
    (repository / "link.py").symlink_to("other.py")
    assert changed_lines(repository, "main").touches("link.py", 5, 5)


def test_a_nested_repository_counts_as_a_whole(repository: Path) -> None:
    nested = repository / "vendored"
    nested.mkdir()
    git(nested, "init", "--quiet")
    (nested / "a.py").write_text("x = 1\n")
    commit(nested)
    untracked = changed_lines(repository, "main")
    git(repository, "-c", "advice.addEmbeddedRepo=false", "add", "vendored")
    as_submodule = changed_lines(repository, "main")
    for changes in (untracked, as_submodule):
        assert changes.touches("vendored/a.py", 1, 1)
        assert not changes.touches("vendored.py", 1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        ("diff.noprefix=true",),
        ("diff.mnemonicPrefix=true",),
        ("diff.interHunkContext=9", "diff.context=9"),
        ("color.diff=always", "color.ui=always"),
        ("diff.renames=copies",),
        ("core.quotePath=false",),
        ("diff.relative=false",),
        ("core.pager=false",),
    ],
    ids=" ".join,
)
def test_settings_of_the_user_change_nothing(repository: Path, settings: Sequence[str]) -> None:
    for setting in settings:
        git(repository, "config", *setting.split("="))
    (repository / "app.py").write_text(FIVE.replace("one", "1").replace("five", "5"))
    assert touched(changed_lines(repository, "main"), "app.py") == [1, 5]


def test_environment_of_a_hook_changes_nothing(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (repository / "app.py").write_text(FIVE.replace("three", "3"))
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u3")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert touched(changed_lines(repository, "main"), "app.py") == [3]


def since_main(repository: Path) -> Changes:
    return changed_lines(repository, "main")


def index(repository: Path) -> Changes:
    return staged(repository, 9999).changes


def since_head(repository: Path) -> Changes:
    return changed_since_head(repository, ["app.py"])


# What the test itself does to a hostile repository is not what it is about.
_QUIET = ("-c", "core.fsmonitor=", "-c", "filter.x.clean=", "-c", "filter.x.process=")


@pytest.mark.parametrize(
    ("settings", "attributes"),
    [
        pytest.param(["diff.external"], "", id="external diff"),
        pytest.param(["diff.x.textconv"], "*.py diff=x", id="textconv"),
        pytest.param(["diff.x.command"], "*.py diff=x", id="diff driver"),
        pytest.param(["filter.x.clean"], "*.py filter=x", id="clean filter"),
        pytest.param(["filter.x.process"], "*.py filter=x", id="filter process"),
        pytest.param(["core.fsmonitor"], "", id="fsmonitor"),
    ],
)
@pytest.mark.parametrize("ask", [since_main, index, since_head])
def test_the_repository_executes_nothing(
    repository: Path,
    tmp_path: Path,
    settings: Sequence[str],
    attributes: str,
    ask: Callable[[Path], Changes],
) -> None:
    proof, script = tmp_path / "executed", tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch '{proof}'\ncat\n")
    script.chmod(0o755)
    for setting in settings:
        git(repository, "config", setting, str(script))
    (repository / ".git" / "info" / "attributes").write_text(f"{attributes}\n")
    (repository / "app.py").write_text(FIVE.replace("two", "TWO"))
    git(repository, *_QUIET, "add", "--all")
    (repository / "app.py").write_text(FIVE.replace("two", "TWO") + "six\n")
    proof.unlink(missing_ok=True)
    expected = [2] if ask is index else [2, 6]
    filtered = ask is index and "filter" in attributes
    assert touched(ask(repository), "app.py") == (list(range(1, 10)) if filtered else expected)
    assert not proof.exists(), f"{settings} was executed"


@pytest.mark.parametrize("ask", [since_main, index, since_head])
def test_what_a_partial_clone_lacks_is_not_fetched(
    repository: Path, tmp_path: Path, ask: Callable[[Path], Changes]
) -> None:
    """Fetching runs commands that the configuration of the repository names."""
    (repository / "app.py").write_text(FIVE.replace("two", "TWO"))
    git(repository, "add", "--all")
    proof, script = tmp_path / "executed", tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch '{proof}'\nexit 1\n")
    script.chmod(0o755)
    for setting, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://example.invalid/x",
        "protocol.allow": "always",
        "protocol.ssh.allow": "always",
        "core.sshCommand": str(script),
    }.items():
        git(repository, "config", setting, value)
    old = git(repository, "rev-parse", "main:app.py")
    (repository / ".git" / "objects" / old[:2] / old[2:]).unlink()
    # Git would fetch it: the test means something.
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "diff", "main")
    assert proof.exists()
    proof.unlink()
    with pytest.raises(GitError, match="the clone is partial and lacks an old version of a file"):
        ask(repository)
    assert not proof.exists()


def unknown_revision(repository: Path) -> tuple[Path, str]:
    return repository, "nosuch"


def revision_like_an_option(repository: Path) -> tuple[Path, str]:
    return repository, f"--output={repository / 'written'}"


def revision_with_nul(repository: Path) -> tuple[Path, str]:
    return repository, "main\0"


def empty_revision(repository: Path) -> tuple[Path, str]:
    return repository, ""


def range_of_two(repository: Path) -> tuple[Path, str]:
    return repository, "main..work"


def range_of_three(repository: Path) -> tuple[Path, str]:
    return repository, "main...HEAD"


def everything_but(repository: Path) -> tuple[Path, str]:
    return repository, "^main"


def a_tree(repository: Path) -> tuple[Path, str]:
    return repository, "main^{tree}"


def unborn_branch(repository: Path) -> tuple[Path, str]:
    git(repository, "checkout", "--quiet", "--orphan", "other")
    return repository, "main"


def another_owner(repository: Path) -> tuple[Path, str]:
    os.environ["GIT_TEST_ASSUME_DIFFERENT_OWNER"] = "1"
    return repository, "main"


def remote_branch_only(repository: Path) -> tuple[Path, str]:
    git(repository, "update-ref", "refs/remotes/origin/trunk", "main")
    return repository, "trunk"


def unrelated_history(repository: Path) -> tuple[Path, str]:
    git(repository, "checkout", "--quiet", "--orphan", "other")
    commit(repository, "another first commit")
    return repository, "main"


def shallow(repository: Path) -> Path:
    commit(repository, "ours")
    git(repository, "checkout", "--quiet", "main")
    commit(repository, "theirs")
    clone = repository.parent / "clone"
    git(
        repository.parent,
        *("clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=work"),
        *(repository.as_uri(), str(clone)),
    )
    return clone


def shallow_without_merge_base(repository: Path) -> tuple[Path, str]:
    return shallow(repository), "origin/main"


def shallow_without_the_commit(repository: Path) -> tuple[Path, str]:
    return shallow(repository), git(repository, "rev-parse", "main~1")


def local_branch_only(repository: Path) -> tuple[Path, str]:
    return repository, "origin/main"


def no_repository(repository: Path) -> tuple[Path, str]:
    (repository.parent / "plain").mkdir()
    return repository.parent / "plain", "main"


def no_commit_yet(repository: Path) -> tuple[Path, str]:
    (repository.parent / "fresh").mkdir()
    git(repository.parent / "fresh", "init", "--quiet")
    return repository.parent / "fresh", "main"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (unknown_revision, ["'nosuch'", "git fetch origin", "fetch-depth: 0"]),
        (revision_like_an_option, ["does not know the revision '--output="]),
        (revision_with_nul, ["does not know the revision 'main\\x00'"]),
        (empty_revision, ["does not know the revision ''"]),
        (local_branch_only, ["'origin/main'", "name that one", "'main'", "fetch-depth: 0"]),
        (remote_branch_only, ["'trunk'", "name it as 'origin/trunk'"]),
        (range_of_two, ["'main..work'", "reads like a range", "starts from, 'main'"]),
        (range_of_three, ["'main...HEAD'", "reads like a range", "starts from, 'main'"]),
        (everything_but, ["does not know the revision '^main'"]),
        (a_tree, ["does not know the revision 'main^{tree}'"]),
        (unborn_branch, ["no commit on this branch yet", "use --staged"]),
        (another_owner, ["belongs to another user", "safe.directory"]),
        (unrelated_history, ["'main' have no common commit"]),
        (shallow_without_merge_base, ["fetch-depth: 0", "git fetch --unshallow"]),
        (shallow_without_the_commit, ["fetch-depth: 0", "git fetch --unshallow"]),
        (no_repository, ["not in a git work tree", "leave out --diff-base"]),
        (no_commit_yet, ["does not know the revision 'main'"]),
    ],
)
def test_every_doubt_is_an_error_with_the_next_step(
    repository: Path,
    make: Callable[[Path], tuple[Path, str]],
    said: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "0")
    root, base = make(repository)
    with pytest.raises(GitError) as raised:
        changed_lines(root, base)
    assert [words for words in said if words not in str(raised.value)] == []
    assert not (repository / "written").exists()


@pytest.mark.parametrize("ask", [since_main, index, since_head])
def test_no_git_is_an_error(
    repository: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Path], Changes]
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(GitError, match="install git"):
        ask(repository)


@pytest.mark.parametrize("ask", [since_main, index, since_head])
def test_a_git_that_the_repository_brings_along_is_not_run(
    repository: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Path], Changes]
) -> None:
    (repository / "git").write_text("#!/bin/sh\ntouch executed\n")
    (repository / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{repository}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(GitError, match="git was not found"):
        ask(repository)
    assert not (repository / "executed").exists()


def detached(repository: Path) -> Path:
    git(repository, "checkout", "--quiet", "--detach")
    return repository


def another_work_tree(repository: Path) -> Path:
    git(repository, "worktree", "add", "--quiet", "../elsewhere", "-b", "elsewhere")
    return repository.parent / "elsewhere"


def inside_of_a_submodule(repository: Path) -> Path:
    outer = repository.parent / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", repository.as_uri(), "inner")
    git(outer / "inner", "branch", "--force", "main", "HEAD")
    return outer / "inner"


def sparse_checkout(repository: Path) -> Path:
    (repository / "docs").mkdir()
    (repository / "docs" / "conf.py").write_text(FIVE)
    commit(repository)
    git(repository, "branch", "--force", "main")
    git(repository, "sparse-checkout", "set", "src")
    assert not (repository / "docs").exists()
    return repository


@pytest.mark.parametrize(
    "make", [detached, another_work_tree, inside_of_a_submodule, sparse_checkout]
)
@pytest.mark.parametrize("is_staged", [True, False])
def test_where_the_lines_are_known_all_the_same(
    repository: Path, make: Callable[[Path], Path], is_staged: bool
) -> None:
    root = make(repository)
    (root / "app.py").write_text(FIVE.replace("two", "TWO"))
    if is_staged:
        git(root, "add", "--all")
    assert changed_lines(root, "main").lines == {"app.py": (range(2, 3),)}
    expected = {"app.py": (range(2, 3),)} if is_staged else {}
    assert staged(root, 9999).changes.lines == expected


def finding(
    *, line: int, end_line: int | None = None, steps: Sequence[tuple[str, int]] = (), code: str
) -> Finding:
    return Finding(
        path="src/app.py",
        span=Span(line, 1, end_line or line, 9),
        code=code,
        rule="some-rule",
        category="client-per-invocation",
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        message="something",
        help="do something",
        witness=tuple(Step(path, Span(at, 1, at, 9), "called") for path, at in steps),
    )


@pytest.mark.parametrize(
    ("kept", "one"),
    [
        pytest.param(True, finding(line=5, code="LMB101"), id="on a changed line"),
        pytest.param(False, finding(line=4, code="LMB101"), id="on the line before"),
        pytest.param(False, finding(line=7, code="LMB101"), id="on the line after"),
        pytest.param(True, finding(line=3, end_line=5, code="LMB101"), id="reaches into it"),
        pytest.param(
            True,
            finding(line=1, steps=[("src/app.py", 1), ("src/helper.py", 2)], code="LMB101"),
            id="a step of the witness in another file was changed",
        ),
        pytest.param(
            False,
            finding(line=1, steps=[("src/helper.py", 3)], code="LMB101"),
            id="no step was changed",
        ),
        pytest.param(
            True, finding(line=99, code="LMB900"), id="file with a change that does not parse"
        ),
    ],
)
def test_a_finding_counts_by_its_place_and_its_witness(kept: bool, one: Finding) -> None:
    changes = Changes({"src/app.py": (range(5, 7),), "src/helper.py": (range(2, 3),)})
    assert keep_changed([one], changes) == ([one] if kept else [])


def test_a_syntax_error_made_by_removing_a_line_counts() -> None:
    one = finding(line=9, code="LMB900")
    assert keep_changed([one], Changes({"src/app.py": ()})) == [one]
    assert keep_changed([one], Changes({"src/other.py": ()})) == []


@pytest.mark.parametrize(
    ("kept", "declared"),
    [
        pytest.param(True, {"src/app.py:run": [("template.yaml", 4)]}, id="newly declared"),
        pytest.param(False, {"src/app.py:run": [("template.yaml", 3)]}, id="declared all along"),
        pytest.param(
            False,
            {"src/app.py:run": [("template.yaml", 3), ("template.yaml", 4)]},
            id="declared a second time",
        ),
        pytest.param(False, {}, id="a handler by its own evidence"),
        pytest.param(False, {"src/other.py:run": [("template.yaml", 4)]}, id="another handler"),
    ],
)
def test_the_line_that_declares_a_handler_is_the_beginning_of_the_way(
    kept: bool, declared: dict[str, list[tuple[str, int]]]
) -> None:
    one = replace(finding(line=9, code="LMB101"), handlers=("src/app.py:run",))
    changes = Changes({"template.yaml": (range(4, 5),)})
    assert keep_changed([one], changes, declared) == ([one] if kept else [])


def test_a_finding_of_which_one_handler_is_old_is_old() -> None:
    one = replace(finding(line=9, code="LMB101"), handlers=("a.py:run", "src/app.py:run"))
    changes = Changes({"template.yaml": (range(4, 5),)})
    assert keep_changed([one], changes, {"a.py:run": [("template.yaml", 4)]}) == []
