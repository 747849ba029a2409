"""Configurations that extend others, and settings that differ from file to file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lambda_lint.cli import main
from lambda_lint.config import ConfigError, load, read
from lambda_lint.config.errors import RefusedError
from lambda_lint.config.patterns import Where
from lambda_lint.settings import Override, Settings

OWN = "lambda-lint.toml"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A monorepo with the working directory in one of its services."""
    root = Path(os.path.realpath(tmp_path))
    write(root, {"orders/src/app.py": "", "shared/README": "", "orders/etc/README": ""})
    monkeypatch.chdir(root / "orders")
    return root


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


# Extending.

BASE = "../base.toml"

# What the base says, what the nearer file says, and the field that comes of it.
MERGED: list[tuple[str, str, str, object]] = [
    ("strict = true", "", "strict", True),
    ("strict = true", "strict = false", "strict", False),
    ("jobs = 3", "strict = true", "jobs", 3),
    ('select = ["LMB1"]', "", "select", ("LMB1",)),
    ('select = ["LMB1"]', 'select = ["LMB2"]', "select", ("LMB2",)),
    ('exclude = ["a"]', 'exclude = ["b"]', "exclude", ("b",)),
    ('import-roots = ["orders/src"]', "", "import_roots", ("src",)),
    # These add to the base.
    ('extend-select = ["LMB1"]', 'extend-select = ["LMB2"]', "extend_select", ("LMB1", "LMB2")),
    ('ignore = ["LMB1"]', 'ignore = ["LMB2"]', "ignore", ("LMB1", "LMB2")),
    (
        'per-file-ignores = {"a" = ["LMB1"], "b" = ["LMB1"]}',
        'per-file-ignores = {"b" = ["LMB2"]}',
        "per_file_ignores",
        {"a": ("LMB1",), "b": ("LMB2",)},
    ),
    (
        'severity-overrides = {LMB1 = "info", LMB2 = "info"}',
        'severity-overrides = {LMB2 = "error"}',
        "severity_overrides",
        {"LMB1": "info", "LMB2": "error"},
    ),
    (
        '[[overrides]]\nfiles = ["a"]\nstrict = true',
        '[[overrides]]\nfiles = ["b"]\nstrict = false',
        "overrides",
        (Override(files=("a",), strict=True), Override(files=("b",), strict=False)),
    ),
    # A choice of rules of its own starts afresh, as for ruff.
    ('ignore = ["LMB1"]', 'select = ["LMB1"]', "ignore", ()),
    ('ignore = ["LMB1"]', 'select = ["LMB1"]\nignore = ["LMB2"]', "ignore", ("LMB2",)),
    ('extend-select = ["LMB3"]', 'select = ["LMB1"]', "extend_select", ()),
    # What is relative to the base's own directory.
    ('exclude = ["/orders/old/", "/billing/old/", "gen/"]', "", "exclude", ("/old/", "gen/")),
    ('handlers = ["orders/src/app.py:run"]', "", "handlers", ("src/app.py:run",)),
    ('handler-patterns = ["*/src/*.py:h_*"]', "", "handler_patterns", ("/src/*.py:h_*",)),
]


@pytest.mark.parametrize(("base", "own", "field", "value"), MERGED)
def test_a_file_and_its_base(tree: Path, base: str, own: str, field: str, value: object) -> None:
    write(tree, {"base.toml": base, f"orders/{OWN}": f'extend = "{BASE}"\n{own}\n'})
    assert getattr(load([Path()]), field) == value


def test_chain_of_three_and_a_pyproject(tree: Path) -> None:
    write(
        tree,
        {
            "far.toml": "jobs = 2\ncache = false\nstrict = true\n",
            "pyproject.toml": '[tool.lambda-lint]\nextend = "far.toml"\njobs = 3\n',
            f"orders/{OWN}": 'extend = "../pyproject.toml"\ncache = true\n',
        },
    )
    loaded = read([Path()])
    assert (loaded.settings.jobs, loaded.settings.cache, loaded.settings.strict) == (3, True, True)
    assert loaded.settings.root == tree / "orders"
    assert [one.name for one in loaded.files] == ["far.toml", "pyproject.toml", OWN]
    places = {name: [(one.file, one.line) for one in at] for name, at in loaded.origins.items()}
    assert places == {
        "jobs": [(tree / "pyproject.toml", 3)],
        "cache": [(tree / "orders" / OWN, 2)],
        "strict": [(tree / "far.toml", 3)],
    }


def test_rule_directories_of_a_base_are_relative_to_it(tree: Path) -> None:
    (tree / "rules").mkdir()
    write(
        tree, {"base.toml": 'rule-directories = ["rules"]', f"orders/{OWN}": f'extend = "{BASE}"'}
    )
    assert load([Path()]).rules == (tree / "rules",)


# The files, whom the message blames and on which line, and what it says.
UNUSABLE: list[tuple[str, dict[str, str], str, int, str]] = [
    ("missing", {OWN: '\nextend = "no.toml"'}, OWN, 2, "there is no file .*no.toml; correct"),
    ("no text", {OWN: "extend = 3"}, OWN, 1, 'the path of one configuration file.*"../base.toml"'),
    ("empty", {OWN: 'extend = ""'}, OWN, 1, "the path of one configuration file"),
    ("list", {OWN: 'extend = ["a", "b"]'}, OWN, 1, "the path of one configuration file"),
    ("NUL", {OWN: 'extend = "a\\u0000b"'}, OWN, 1, "the path of one configuration file"),
    ("itself", {OWN: f'extend = "{OWN}"'}, OWN, 1, "extend each other.*remove one `extend`"),
    (
        "circle",
        {OWN: 'extend = "a.toml"', "a.toml": 'strict = true\nextend = "./lambda-lint.toml"'},
        "a.toml",
        2,
        "extend each other",
    ),
    (
        "pyproject of another tool",
        {OWN: 'extend = "pyproject.toml"', "pyproject.toml": "[tool.black]"},
        "pyproject.toml",
        1,
        r"there is no table \[tool.lambda-lint\]; add it",
    ),
    ("a directory", {OWN: 'extend = "etc"'}, "etc", 1, "cannot be read .*not a regular file"),
    ("broken", {OWN: 'extend = "a.toml"', "a.toml": "\nselect = ["}, "a.toml", 2, "not TOML"),
    ("unknown key", {OWN: 'extend = "a.toml"', "a.toml": "\nselct = []"}, "a.toml", 2, "`select`"),
    (
        "wrong type",
        {OWN: 'extend = "a.toml"', "a.toml": "strict = 1"},
        "a.toml",
        1,
        "true or false",
    ),
    (
        "endless number",
        {OWN: 'extend = "a.toml"', "a.toml": "jobs = " + "9" * 5000},
        "a.toml",
        1,
        "not TOML",
    ),
    (
        "glob bomb",
        {OWN: 'extend = "a.toml"', "a.toml": f"\nexclude = ['{'*' * 10_000}']"},
        "a.toml",
        2,
        "longer than 500",
    ),
    ("huge", {OWN: 'extend = "a.toml"', "a.toml": "#" * 1_048_577}, "a.toml", 1, "bytes at most"),
    (
        "outside",
        {OWN: 'extend = "../base.toml"', "../base.toml": '\nimport-roots = ["shared"]'},
        "../base.toml",
        2,
        "must lie in the project",
    ),
    (
        "a baseline of others",
        {OWN: 'extend = "../base.toml"', "../base.toml": 'baseline = "b.json"'},
        "../base.toml",
        1,
        "set it in the configuration of the project itself",
    ),
    (
        "patterns of a stranger",
        {OWN: 'extend = "../shared/b.toml"', "../shared/b.toml": 'exclude = ["tests/old"]'},
        "../shared/b.toml",
        1,
        r"can match nothing in .*orders; write '\*\*/tests/old'",
    ),
]


@pytest.mark.parametrize(
    ("files", "file", "line", "message"),
    [pytest.param(*case[1:], id=case[0]) for case in UNUSABLE],
)
def test_what_cannot_be_extended(
    tree: Path,
    files: dict[str, str],
    file: str,
    line: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tree / "orders", files)
    with pytest.raises(ConfigError, match=message) as caught:
        load([Path()])
    blamed = os.path.normpath(tree / "orders" / file)
    assert (caught.value.file, caught.value.line) == (blamed, line)
    assert main(["check"]) == 2
    assert f"lambda-lint: {blamed}:{line}: " in capsys.readouterr().err


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _latin_1(path: Path) -> None:
    path.write_bytes(b"strict = true\n# \xe9")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.skipif(os.name == "nt", reason="needs pipes and links")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(_pipe, "cannot be read", id="a pipe"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "cannot be read", id="a device"),
        pytest.param(_dangling, "cannot be read|there is no", id="a link to nothing"),
        pytest.param(lambda path: path.symlink_to(path), "cannot be read", id="a link to itself"),
        pytest.param(_latin_1, "TOML is always UTF-8", id="another encoding"),
    ],
)
def test_hostile_bases_end_the_run_and_not_the_patience(
    tree: Path, make: Callable[[Path], None], message: str
) -> None:
    make(tree / "base.toml")
    write(tree, {f"orders/{OWN}": f'extend = "{BASE}"'})
    with pytest.raises(ConfigError, match=message) as caught:
        load([Path()])
    assert caught.value.file is not None


def test_an_endless_chain_ends(tree: Path) -> None:
    files = {f"{number}.toml": f'extend = "{number + 1}.toml"' for number in range(100)}
    write(tree / "orders", {**files, OWN: 'extend = "0.toml"'})
    with pytest.raises(ConfigError, match="more than 20 files"):
        load([Path()])


# A pattern, the directory that it was written for, that of the project, and what is left of it.
PATTERNS: list[tuple[str, str, str, Sequence[str]]] = [
    ("gen/", "/m", "/m/a", ["gen/"]),
    ("/gen", "/m", "/m/a", []),
    ("a/gen/", "/m", "/m/a", ["/gen/"]),
    ("!a/gen", "/m", "/m/a", ["!/gen"]),
    ("*/gen", "/m", "/m/a", ["/gen"]),
    ("b/gen", "/m", "/m/a", []),
    ("a/b/*.py", "/m", "/m/a/b", ["/*.py"]),
    ("a/", "/m", "/m/a", ["a/"]),
    ("/a/", "/m", "/m/a", ["**/"]),
    ("a/**", "/m", "/m/a", ["**"]),
    ("a/**/x", "/m", "/m/a/b", ["**/x"]),
    ("**/b/x", "/m", "/m/a/b", ["**/b/x", "/x"]),
    ("**/x", "/m", "/m/a", ["**/x"]),
    ("x/y", "/m", "/m", ["x/y"]),
    ("x/y", "/m/etc", "/m", ["/etc/x/y"]),
    ("/x", "/m/e[1]", "/m", [r"/e\[1\]/x"]),
    ("x", "/m/etc", "/m", ["x"]),
    ("**/x", "/s", "/m", ["**/x"]),
]


@pytest.mark.parametrize(("pattern", "base", "root", "moved"), PATTERNS)
def test_patterns_of_other_directories(
    pattern: str, base: str, root: str, moved: Sequence[str]
) -> None:
    assert list(Where(Path(base), Path(base), Path(root)).pattern(pattern)) == list(moved)


def test_patterns_of_a_stranger_are_refused() -> None:
    with pytest.raises(RefusedError, match="can match nothing"):
        Where(Path("/s"), Path("/s"), Path("/m")).pattern("/x")


# Overrides: what does not serve.
REFUSED: list[tuple[str, int, str]] = [
    ("overrides = 1", 1, r"\[\[overrides\]\]"),
    ("overrides = [1]", 1, r"\[\[overrides\]\]"),
    ("[[overrides]]\nstrict = true", 1, "needs `files`"),
    ("[[overrides]]\nfiles = []\nstrict = true", 1, "needs `files`"),
    ("[[overrides]]\nfiles = 'a'\nstrict = true", 2, "files: expected a list of strings"),
    ("[[overrides]]\nfiles = ['a']", 1, "sets something"),
    ("[[overrides]]\nfiles = ['a']\nstrct = true", 3, "did you mean `strict`"),
    ("[[overrides]]\nfiles = ['a']\nfile = ['b']", 3, "did you mean `files`"),
    ("[[overrides]]\nfiles = ['a']\nqqq = 1", 3, "known are files, select"),
    ("[[overrides]]\nfiles = ['a']\nhandlers = []", 3, "`handlers` holds for the whole project"),
    ("[[overrides]]\nfiles = ['a']\nextend = 'b'", 3, "`extend` holds for the whole project"),
    ("[[overrides]]\nfiles = ['a']\noverrides = []", 3, "holds for the whole project"),
    ("[[overrides]]\nfiles = ['a']\nstrict = 1", 3, "strict: expected true or false"),
    ("[[overrides]]\nfiles = ['a']\nignore = ['x y']", 3, "is no rule"),
    (
        "[[overrides]]\nfiles = ['a']\nstrict = true\n\n[[overrides]]\nfiles = ['b']\nstrict = 2",
        7,
        "not 2",
    ),
    ("[[overrides]]\nfiles = ['*a*a*a*a']\nstrict = true", 2, "more than 3 stars"),
    ('[severity-overrides]\nLMB1 = "fatal"', 2, '"info", "warning" or "error"'),
    ('[severity-overrides]\nLMB1 = "off"', 2, "switched off by `ignore`"),
    ('[severity-overrides]\n"x y" = "info"', 2, "is no rule"),
    ("severity-overrides = 3", 1, "expected a table of rules"),
    ("require-suppression-reason = 1", 1, "expected true or false"),
]


@pytest.mark.parametrize(("text", "line", "message"), REFUSED)
def test_overrides_refused(tree: Path, text: str, line: int, message: str) -> None:
    write(tree, {f"orders/{OWN}": text})
    with pytest.raises(ConfigError, match=message) as caught:
        load([Path()])
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[overrides]]\nfiles = ['a']\nignore = ['client-in-handlr']", "client-in-handler"),
        ("[[overrides]]\nfiles = ['a']\nselect = ['LMB199']", "unknown rule 'LMB199'"),
        ("[severity-overrides]\nclient-in-handlr = 'info'", "client-in-handler"),
    ],
)
def test_names_that_no_rule_has(
    tree: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tree, {f"orders/{OWN}": text})
    assert main(["check"]) == 2
    assert message in capsys.readouterr().err


def test_an_unknown_rule_is_told_with_its_place(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = "strict = true\n[per-file-ignores]\n'a.py' = ['client-in-handlr']\n"
    write(tree, {f"orders/{OWN}": "extend = 'base.toml'\n", "orders/base.toml": base})
    assert main(["check"]) == 2
    assert "base.toml:3: unknown rule 'client-in-handlr'" in capsys.readouterr().err
    write(tree, {"orders/base.toml": "strict = true\n"})
    assert main(["check", "--select", "nobody"]) == 2
    assert "lambda-lint: unknown rule 'nobody'" in capsys.readouterr().err


# Overrides: what holds for `src/app.py`.
IN_FILE: list[tuple[list[Override], dict[str, Any]]] = [
    ([], {"strict": False, "severity": None, "ignore": ("LMB9",)}),
    ([Override(("other/**",), strict=True)], {"strict": False}),
    ([Override(("src/**",), strict=True)], {"strict": True}),
    ([Override(("app.py",), severity="error")], {"severity": "error"}),
    ([Override(("*.py", "!app.py"), strict=True)], {"strict": False}),
    ([Override(("src",), strict=True), Override(("app.py",), strict=False)], {"strict": False}),
    ([Override(("src",), ignore=("LMB1",))], {"ignore": ("LMB9", "LMB1"), "select": ("ALL",)}),
    ([Override(("src",), select=("LMB1",))], {"select": ("LMB1",), "ignore": ("LMB9",)}),
    ([Override(("src",), snapstart=True)], {"snapstart": True, "web_functions": False}),
    ([Override(("src",), require_suppression_reason=True)], {"require_suppression_reason": True}),
]


@pytest.mark.parametrize(("overrides", "expected"), IN_FILE)
def test_what_holds_for_a_file(overrides: list[Override], expected: dict[str, Any]) -> None:
    settings = Settings(root=Path("/"), ignore=("LMB9",), overrides=tuple(overrides))
    here = settings.for_file("src/app.py")
    assert {name: getattr(here, name) for name in expected} == expected


# The command line decides for all files.
COMMAND_LINE: list[tuple[dict[str, object], str, object]] = [
    ({}, "strict", True),
    ({"strict": True}, "strict", True),
    ({"strict": False}, "strict", False),
    ({}, "select", ("LMB2",)),
    ({"select": ["LMB1"]}, "select", ("LMB1",)),
    ({"select": ["LMB1"]}, "extend_select", ()),
    ({"extend_select": ["LMB1"]}, "extend_select", ("LMB1", "LMB4")),
    ({"ignore": ["LMB1"]}, "ignore", ("LMB1", "LMB3")),
]


@pytest.mark.parametrize(("given", "field", "value"), COMMAND_LINE)
def test_command_line_and_overrides(
    tree: Path, given: dict[str, object], field: str, value: object
) -> None:
    override = (
        "[[overrides]]\nfiles = ['src/']\nstrict = true\nselect = ['LMB2']\n"
        "extend-select = ['LMB4']\nignore = ['LMB3']\n"
    )
    write(tree, {f"orders/{OWN}": override})
    settings = load([Path()], overrides=given)
    assert getattr(settings.for_file("src/app.py"), field) == value


# What comes of it.

CLIENT = """\
import boto3


def lambda_handler(event, context):
    return boto3.client("s3").list_buckets()
"""
UNIQUE = """\
import uuid

SEED = uuid.uuid4()


def lambda_handler(event, context):
    return str(SEED)
"""

# The configuration, options, and the codes with severities that are found in `a/app.py` and
# `b/app.py`, which hold the same.
FOUND: list[tuple[str, str, list[str], list[str], list[str]]] = [
    (CLIENT, "", [], ["LMB101 warning"], ["LMB101 warning"]),
    (CLIENT, "ignore = ['LMB1']", [], [], ["LMB101 warning"]),
    (CLIENT, "select = ['LMB2']", [], [], ["LMB101 warning"]),
    (CLIENT, "select = ['LMB2']", ["--select", "LMB1"], ["LMB101 warning"], ["LMB101 warning"]),
    (CLIENT, "severity = 'error'", [], [], ["LMB101 warning"]),
    (CLIENT, "severity = 'error'", ["--severity=info"], ["LMB101 warning"], ["LMB101 warning"]),
    (UNIQUE, "snapstart = true", ["--select=LMB602"], ["LMB602 error"], []),
]


@pytest.mark.parametrize(("code", "override", "options", "in_a", "in_b"), FOUND)
def test_findings_differ_from_file_to_file(
    tree: Path,
    code: str,
    override: str,
    options: list[str],
    in_a: list[str],
    in_b: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = f"cache = false\n[[overrides]]\nfiles = ['a/**']\n{override}\n" if override else ""
    write(tree, {"m/a/app.py": code, "m/b/app.py": code, f"m/{OWN}": settings})
    assert findings(tree / "m", options, capsys) == {"a/app.py": in_a, "b/app.py": in_b}


def findings(
    root: Path, options: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> dict[str, list[str]]:
    """The codes with severities that `check` shows in two files, by file."""
    os.chdir(root)
    main(["check", "--no-cache", "--output-format", "json", *options])
    found: dict[str, list[str]] = {"a/app.py": [], "b/app.py": []}
    for one in json.loads(capsys.readouterr().out)["findings"]:
        found[one["path"]].append(f"{one['code']} {one['severity']}")
    return found


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ("[severity-overrides]\nclient-in-handler = 'error'", [], ["LMB101 error"]),
        ("[severity-overrides]\nLMB = 'info'\nLMB1 = 'error'", [], ["LMB101 error"]),
        ("[severity-overrides]\nALL = 'error'\nLMB101 = 'info'", [], []),
        ("[severity-overrides]\nLMB101 = 'info'", ["--strict"], ["LMB101 info"]),
        ("[severity-overrides]\nLMB2 = 'error'", [], ["LMB101 warning"]),
        ("select = ['LMB2']\n[[overrides]]\nfiles = ['a/']\nextend-select = ['LMB101']", [], 1),
        ("ignore = ['LMB1']\n[[overrides]]\nfiles = ['a/']\nselect = ['LMB101']", [], 1),
        ("ignore = ['LMB101']\n[[overrides]]\nfiles = ['a/']\nselect = ['LMB101']", [], 0),
    ],
)
def test_severities_and_choices(
    tree: Path,
    settings: str,
    options: list[str],
    expected: list[str] | int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A number says whether the override of `a` shows the warning there that `b` has not."""
    write(tree, {"m/a/app.py": CLIENT, "m/b/app.py": CLIENT, f"m/{OWN}": settings})
    found = findings(tree / "m", options, capsys)
    if isinstance(expected, int):
        assert found == {"a/app.py": ["LMB101 warning"] * expected, "b/app.py": []}
    else:
        assert found == {"a/app.py": expected, "b/app.py": expected}
