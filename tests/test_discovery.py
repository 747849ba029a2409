from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambda_lint.discovery import Discovered, DiscoveryError, Requested, discover
from lambda_lint.settings import Settings

posix = pytest.mark.skipif(os.name == "nt", reason="needs links, pipes and modes of POSIX")

# What a project has, and which files are read when the whole of it is linted. A value of None
# makes a directory.
WALKS: list[tuple[str, dict[str, str | None], list[str]]] = [
    (
        "Python files at any depth",
        {"a.py": "", "b/c/d.py": "", "b/e.txt": ""},
        ["a.py", "b/c/d.py"],
    ),
    ("a directory named like a file", {"a.py/b.py": ""}, ["a.py/b.py"]),
    ("code of other people", {"a.py": "", "venv/b.py": "", "x/node_modules/c.py": ""}, ["a.py"]),
    ("defaults are names of directories, not of files", {"build.py": "", "env": ""}, ["build.py"]),
    (
        "a virtual environment by its mark",
        {"a.py": "", "e3/pyvenv.cfg": "", "e3/b.py": ""},
        ["a.py"],
    ),
    (
        "packages that an installer put beside the code",
        {
            "f/app.py": "",
            "f/lib/a.py": "",
            "f/lib-1.dist-info/RECORD": 'lib/a.py,sha256=x,0\nsix.py,,\n"../bin/x",,\n',
            "f/six.py": "",
            "lib/b.py": "",
        },
        ["f/app.py", "lib/b.py"],
    ),
    (
        "a list of installed files that says nothing",
        {"a.py": "", "b-1.dist-info/RECORD": '"', "b/c.py": "", "d-1.dist-info": ""},
        ["a.py", "b/c.py"],
    ),
    (
        "installed packages whose lists were deleted, beside a handler",
        {
            "f/app.py": "",
            "f/certifi/core.py": "",
            "f/helpers/a.py": "",
            "f/idna/idnadata.py": "",
            "f/pytz/own.py": "",
            "f/requests/adapters.py": "",
            "f/requests/packages/x.py": "",
            "f/six.py": "",
            "f/urllib3/poolmanager.py": "",
            "six.py": "",
        },
        ["f/app.py", "f/helpers/a.py", "f/pytz/own.py", "six.py"],
    ),
    (
        "two well-known packages may be copied and changed",
        {"requests/adapters.py": "", "six.py": "", "yaml/resolver.py": ""},
        ["requests/adapters.py", "six.py", "yaml/resolver.py"],
    ),
    (
        "own packages with well-known names",
        {"flask/app.py": "", "redis/app.py": "", "requests/app.py": "", "six.py": ""},
        ["flask/app.py", "redis/app.py", "requests/app.py", "six.py"],
    ),
    (
        "a package of the project that has others in it",
        {
            "a/__init__.py": "",
            "a/click/core.py": "",
            "a/idna/idnadata.py": "",
            "a/yaml/resolver.py": "",
        },
        ["a/__init__.py", "a/click/core.py", "a/idna/idnadata.py", "a/yaml/resolver.py"],
    ),
    ("the root may be an environment", {"a.py": "", "pyvenv.cfg": ""}, ["a.py"]),
    (
        "ignored by name",
        {".gitignore": "gen/\n*_pb2.py", "a_pb2.py": "", "gen/b.py": "", "c.py": ""},
        ["c.py"],
    ),
    (
        "ignored here only",
        {"x/.gitignore": "/a.py", "x/a.py": "", "x/y/a.py": "", "a.py": ""},
        ["a.py", "x/y/a.py"],
    ),
    (
        "taken back deeper",
        {".gitignore": "a.py", "x/.gitignore": "!a.py", "a.py": "", "x/a.py": ""},
        ["x/a.py"],
    ),
    (
        "not taken back below an ignored directory",
        {".gitignore": "x/\n!x/a.py", "x/a.py": "", "b.py": ""},
        ["b.py"],
    ),
    ("everything but", {".gitignore": "*\n!*/\n!*.py", "x/a.py": "", "b": ""}, ["x/a.py"]),
    (
        "comments, blank lines, BOM",
        {".gitignore": "\ufeffa.py\n\n# b.py\n", "a.py": "", "b.py": ""},
        ["b.py"],
    ),
    (
        "excluded in the repository only",
        {".git/info/exclude": "a.py", "a.py": "", "b.py": ""},
        ["b.py"],
    ),
    (
        "excluded in a work tree",
        {
            ".git": "gitdir: x/wt\n",
            "x/wt/commondir": "..\n",
            "x/info/exclude": "a.py",
            "a.py": "",
            "b.py": "",
        },
        ["b.py"],
    ),
    ("a work tree of nowhere", {".git": "gitdir: nowhere", "a.py": ""}, ["a.py"]),
    (
        "a pattern that would take years is skipped",
        {".gitignore": "a*" * 200 + "\n" + "b" * 9999, "a.py": ""},
        ["a.py"],
    ),
    ("a .gitignore that is a directory", {".gitignore/x": "", "a.py": ""}, ["a.py"]),
]


@pytest.mark.parametrize(("why", "files", "found"), WALKS, ids=[one[0] for one in WALKS])
def test_walk(tree: Tree, why: str, files: Mapping[str, str | None], found: list[str]) -> None:
    tree.write(files)
    assert list(tree.discover().sources) == found, why


# Settings, the files of the project, and what is read.
SETTINGS: list[tuple[dict[str, Any], dict[str, str | None], list[str]]] = [
    ({"exclude": ("gen/",)}, {"gen/a.py": "", "b.py": ""}, ["b.py"]),
    ({"exclude": ("/x/*.py", "!/x/a.py")}, {"x/a.py": "", "x/b.py": ""}, ["x/a.py"]),
    ({"exclude": ("!build/",)}, {"build/a.py": ""}, ["build/a.py"]),
    ({"default_exclude": ()}, {"venv/a.py": ""}, ["venv/a.py"]),
    ({"include": ("*.py", "bin/*")}, {"a.py": "", "bin/b": "", "c": ""}, ["a.py", "bin/b"]),
    ({"include": ("src/**/*.py",)}, {"src/a/b.py": "", "c.py": ""}, ["src/a/b.py"]),
]


@pytest.mark.parametrize(("settings", "files", "found"), SETTINGS)
def test_settings(
    tree: Tree, settings: dict[str, Any], files: Mapping[str, str | None], found: list[str]
) -> None:
    tree.write(files)
    assert list(tree.discover(**settings).sources) == found


PROJECT: dict[str, str | None] = {
    ".gitignore": "ignored.py\nlogs/\n",
    "a.py": "",
    "ignored.py": "",
    "logs/log.py": "",
    "src/b.py": "",
    "src/script": "",
    "build/gen.py": "",
    "build/deep/.gitignore": "x.py",
    "build/deep/x.py": "",
    "build/deep/y.py": "",
}
CONTEXT = {"a.py", "src/b.py"}

# The arguments, whether exclusion is forced, what is read besides the context, and which files
# may be reported on.
ARGUMENTS: list[tuple[list[str], bool, set[str], set[str]]] = [
    ([], False, set(), CONTEXT),
    (["."], False, set(), CONTEXT),
    (["."], True, set(), CONTEXT),
    (["src"], False, set(), {"src/b.py"}),
    (["src/"], False, set(), {"src/b.py"}),
    (["a.py"], False, set(), {"a.py"}),
    (["./src/../a.py", "src"], False, set(), {"a.py", "src/b.py"}),
    (["src/script"], False, {"src/script"}, {"src/script"}),
    (["ignored.py"], False, {"ignored.py"}, {"ignored.py"}),
    (["ignored.py", "a.py"], True, set(), {"a.py"}),
    (["ignored.py"], True, set(), set()),
    (["logs/log.py", "build/gen.py"], True, set(), set()),
    (["build"], True, set(), set()),
    (["logs"], False, {"logs/log.py"}, {"logs/log.py"}),
    (["build"], False, {"build/gen.py", "build/deep/y.py"}, {"build/gen.py", "build/deep/y.py"}),
    (["build/deep"], False, {"build/deep/y.py"}, {"build/deep/y.py"}),
    (["build/deep/x.py"], False, {"build/deep/x.py"}, {"build/deep/x.py"}),
]


@pytest.mark.parametrize(("arguments", "force", "extra", "reported"), ARGUMENTS)
def test_arguments_decide_what_is_reported_not_what_is_read(
    tree: Tree, arguments: list[str], force: bool, extra: set[str], reported: set[str]
) -> None:
    tree.write(PROJECT)
    found = tree.discover(*arguments, force_exclude=force)
    assert set(found.sources) == CONTEXT | extra
    assert {path for path in found.sources if found.requested.contains(path)} == reported
    assert bool(found.requested) == bool(reported)
    assert list(found.sources) == sorted(found.sources)


def test_arguments_are_relative_to_the_working_directory(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write(PROJECT)
    monkeypatch.chdir(tree.root / "src")
    found = discover(Settings(root=tree.root), [Path("b.py"), Path("../a.py")])
    assert found.requested == Requested(frozenset({"src/b.py", "a.py"}))


# What is refused, and what the message must name.
NOTHING: list[tuple[dict[str, str | None], list[str], str]] = [
    ({"a.py": ""}, ["b.py"], "b.py: no such file or directory"),
    ({"a.py": ""}, ["a.py", "src/"], "src: no such file or directory"),
    ({"a.py": ""}, ["\x1b[2J"], r"\\x1b\[2J: no such"),
    ({"a.py": "", "docs": None}, ["docs"], "docs: no Python file there"),
    ({"a.txt": ""}, [], "no Python file there"),
    ({"venv/a.py": ""}, ["."], "no Python file there"),
]


@pytest.mark.parametrize(("files", "arguments", "message"), NOTHING)
def test_nothing_to_lint(
    tree: Tree, files: Mapping[str, str | None], arguments: list[str], message: str
) -> None:
    tree.write(files)
    with pytest.raises(DiscoveryError, match=message):
        tree.discover(*arguments)


# A file on standard input: its name, whether exclusion is forced, and what may be reported on.
STDIN: list[tuple[str, bool, set[str]]] = [
    ("a.py", False, {"a.py"}),
    ("new.py", False, {"new.py"}),
    ("new/dir/x.py", True, {"new/dir/x.py"}),
    ("src", False, {"src"}),
    ("ignored.py", False, {"ignored.py"}),
    ("ignored.py", True, set()),
    ("../elsewhere.py", False, {"../elsewhere.py"}),
]


@pytest.mark.parametrize(("name", "force", "reported"), STDIN)
def test_standard_input(tree: Tree, name: str, force: bool, reported: set[str]) -> None:
    tree.write(PROJECT)
    found = tree.discover(stdin=(name, b"buffer"), force_exclude=force)
    assert set(found.sources) == CONTEXT | reported
    assert {path for path in found.sources if found.requested.contains(path)} == reported
    assert {one.data for path, one in found.sources.items() if path in reported} <= {b"buffer"}


def test_standard_input_stands_for_a_file_that_cannot_be_read(tree: Tree) -> None:
    tree.write({"a.py": "x" * 99})
    found = tree.discover(stdin=("a.py", b"short"), max_file_size=10)
    assert found.sources["a.py"].data == b"short"
    assert found.failures == []


def test_files_outside_of_the_root(tree: Tree) -> None:
    outside: dict[str, str | None] = {"../o/x.py": "", "../o/.gitignore": "y.py", "../o/y.py": ""}
    tree.write({"a.py": "", **outside})
    found = tree.discover("../o", "../o/y.py")
    assert list(found.sources) == ["../o/x.py", "../o/y.py", "a.py"]
    assert found.requested.contains("../o/x.py")
    assert not found.requested.contains("a.py")


def test_root_inside_a_repository_obeys_the_patterns_above(tree: Tree) -> None:
    tree.write({".git/HEAD": "", ".gitignore": "/p/q/a.py\nb.py\n", "p/.gitignore": "c.py"})
    tree.write({f"p/q/{name}.py": "" for name in "abcd"})
    settings = Settings(root=tree.root / "p/q")
    assert list(discover(settings, [tree.root / "p/q"]).sources) == ["d.py"]


def test_root_that_git_ignores_is_linted(tree: Tree) -> None:
    tree.write(
        {".git/HEAD": "", ".gitignore": "p/", "p/a.py": "", "p/.gitignore": "b.py", "p/b.py": ""}
    )
    settings = Settings(root=tree.root / "p")
    assert list(discover(settings, [tree.root / "p"]).sources) == ["a.py"]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    # The path of a socket is limited to about a hundred characters.
    here = os.getcwd()
    os.chdir(path.parent)
    socket.socket(socket.AF_UNIX).bind(path.name)
    os.chdir(here)


def _unreadable(path: Path) -> None:
    path.write_text("x = 1")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("the superuser reads everything")


def _link_to(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.symlink_to(target)

    return make


def _large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)


# What is made, whether it fails, and a part of the message. The same without the ending `.py` is
# silent unless it is asked for.
ODD_FILES: list[tuple[str, Callable[[Path], None], str | None]] = [
    ("pipe", _pipe, "not a regular file"),
    ("socket", _socket, "not a regular file"),
    ("unreadable", _unreadable, "permission denied"),
    ("broken link", _link_to("nowhere"), "no such file"),
    ("link to itself", _link_to("odd.py"), "symbolic links"),
    ("link out of the project", _link_to("/etc/passwd"), "outside of the project"),
    ("link to a device", _link_to("/dev/zero"), "outside of the project"),
    ("link to a directory", _link_to("src"), None),
    ("sparse file of 10 GiB", _large, "larger than 1048576 bytes"),
]


@posix
@pytest.mark.parametrize(
    ("make", "message"), [one[1:] for one in ODD_FILES], ids=[one[0] for one in ODD_FILES]
)
def test_odd_python_file_is_a_failure(
    tree: Tree, make: Callable[[Path], None], message: str | None
) -> None:
    tree.write({"a.py": "", "src": None})
    make(tree.root / "odd.py")
    found = tree.discover()
    assert list(found.sources) == ["a.py"]
    assert [one.path for one in found.failures] == (["odd.py"] if message else [])
    assert all(message and message in one.message for one in found.failures)


@posix
@pytest.mark.parametrize(
    "make", [one[1] for one in ODD_FILES if one[2]], ids=[one[0] for one in ODD_FILES if one[2]]
)
def test_odd_other_file_fails_only_when_it_is_asked_for(
    tree: Tree, make: Callable[[Path], None]
) -> None:
    tree.write({"a.py": ""})
    make(tree.root / "odd")
    assert tree.discover().failures == []
    assert [one.path for one in tree.discover("odd").failures] == ["odd"]


@posix
def test_links_inside_of_the_project(tree: Tree) -> None:
    """A shared module is often linked into the directory of every function."""
    tree.write({"shared/util.py": "x", "f/app.py": ""})
    (tree.root / "f/util.py").symlink_to("../shared/util.py")
    (tree.root / "f/again").symlink_to("../shared")
    (tree.root / "f/loop").symlink_to(".")
    os.link(tree.root / "shared/util.py", tree.root / "f/hard.py")
    (tree.root / "f/.#app.py").symlink_to("user@host.1234")
    found = tree.discover()
    assert list(found.sources) == ["f/app.py", "f/hard.py", "f/util.py", "shared/util.py"]
    assert found.failures == []


@posix
def test_linked_argument_is_named_as_the_walk_names_it(tree: Tree) -> None:
    tree.write({"shared/util.py": "", "a.py": ""})
    (tree.root / "again").symlink_to("shared")
    assert tree.discover("again").requested == Requested(directories=("shared",))
    assert tree.discover("again/util.py").requested == Requested(frozenset({"shared/util.py"}))


@posix
def test_directory_that_cannot_be_read_is_a_failure(tree: Tree) -> None:
    tree.write({"a.py": "", "secret/b.py": ""})
    (tree.root / "secret").chmod(0)
    try:
        if os.access(tree.root / "secret", os.R_OK):
            pytest.skip("the superuser reads everything")
        found = tree.discover()
    finally:
        (tree.root / "secret").chmod(0o700)
    assert [(one.path, one.line) for one in found.failures] == [("secret", 1)]
    assert found.requested.contains("secret")


@posix
@pytest.mark.parametrize("name", [b"caf\xe9.py", b"a\nb.py", b"\x1b[2J.py", b"a\\b.py", b"[x]*.py"])
def test_any_file_name(tree: Tree, name: bytes) -> None:
    path = os.fsdecode(name)
    try:
        (tree.root / path).write_bytes(b"x = 1")
    except OSError:
        pytest.skip("the file system refuses the name")
    assert list(tree.discover().sources) == [path]
    assert tree.discover(path).requested.files == {path}


@pytest.mark.parametrize(("size", "fits"), [(10, True), (11, False)])
def test_largest_file(tree: Tree, size: int, fits: bool) -> None:
    tree.write({"a.py": "x" * size})
    found = tree.discover(max_file_size=10)
    assert (list(found.sources), [one.path for one in found.failures]) == (
        (["a.py"], []) if fits else ([], ["a.py"])
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="asks git")
def test_ignores_what_git_ignores(tree: Tree) -> None:
    tree.write(
        {
            ".gitignore": "/top.py\nmid*.py\n!mid1.py\nd?/\n**/deep/e.py\nw/**/z.py\n[ab].py\n"
            "\\#h.py\nsp\\ ace.py\ntrail.py   \nx/y\n#c.py\ng/**\n!g/c.py\n/d12\n!d12/\n",
            "p/.gitignore": "!top.py\n*.py\n!k*.py\n",
            "all/.gitignore": "*\n!*/\n!k.py\n",
            "some/.gitignore": "/*\n!/deep/\n",
        }
    )
    names = ["top", "mid1", "mid2", "a", "c", "#h", "sp ace", "trail", "k", "e", "z"]
    folders = ["", "p/", "p/q/", "d1/", "d12/", "deep/", "v/deep/", "w/", "w/u/", "x/y/", "x/yy/"]
    folders += ["g/", "g/h/", "all/u/v/", "some/", "some/u/", "some/deep/"]
    tree.write({f"{folder}{name}.py": "" for folder in folders for name in names})
    subprocess.run(["git", "init", "-q"], cwd=tree.root, check=True)
    asked = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "-co", "--exclude-standard"]
    output = subprocess.run(asked, cwd=tree.root, check=True, capture_output=True, text=True).stdout
    expected = sorted(path for path in output.split("\0") if path.endswith(".py"))
    assert list(tree.discover().sources) == expected


class Tree:
    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, files: Mapping[str, str | None]) -> None:
        for name, text in files.items():
            path = self.root / name
            (path if text is None else path.parent).mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text, encoding="utf-8")

    def discover(
        self, *arguments: str, stdin: tuple[str, bytes] | None = None, **changes: Any
    ) -> Discovered:
        paths: Sequence[Path] = [Path(one) for one in arguments]
        return discover(replace(Settings(root=self.root), **changes), paths, stdin=stdin)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """An empty project, which is the working directory."""
    root = Path(os.path.realpath(tmp_path)) / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return Tree(root)
