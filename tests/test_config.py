from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from lambda_lint.config import KEYS, ConfigError, Settings, load
from lambda_lint.config.patterns import Where
from lambda_lint.files import pattern_problem
from lambda_lint.settings import DEFAULT_EXCLUDE, Registration, ReusableConstructor

OWN = "lambda-lint.toml"
PYPROJECT = "pyproject.toml"

# What the text of a lambda-lint.toml makes of one field.
VALUES: list[tuple[str, str, object]] = [
    ('select = ["LMB1", "client-in-handler"]', "select", ("LMB1", "client-in-handler")),
    ('extend-select = ["ALL"]', "extend_select", ("ALL",)),
    ('ignore = ["LMB304"]', "ignore", ("LMB304",)),
    ("strict = true", "strict", True),
    ('severity = "error"', "severity", "error"),
    ('include = ["*.py", "bin/*"]', "include", ("*.py", "bin/*")),
    ('exclude = ["generated/"]', "exclude", ("generated/",)),
    ("default-exclude = []", "default_exclude", ()),
    ("", "default_exclude", DEFAULT_EXCLUDE),
    ("force-exclude = true", "force_exclude", True),
    ('handlers = ["./src/app.py:lambda_handler"]', "handlers", ("src/app.py:lambda_handler",)),
    ('handlers = ["app.py:Api.run"]', "handlers", ("app.py:Api.run",)),
    ('handler-patterns = ["fn/**/*.py:*_handler"]', "handler_patterns", ("fn/**/*.py:*_handler",)),
    (
        'reusable-constructors = ["mylib.Client"]',
        "reusable_constructors",
        (ReusableConstructor(names=("mylib.Client",)),),
    ),
    (
        '[[reusable-constructors]]\nnames = ["m.Model.*"]\nkind = "heavy"\nwhat = "model"\n',
        "reusable_constructors",
        (ReusableConstructor(names=("m.Model.*",), kind="heavy", what="model", rule="heavy"),),
    ),
    (
        'registrations = ["mylib.bus.listen"]',
        "registrations",
        (Registration(names=("mylib.bus.listen",)),),
    ),
    (
        '[[registrations]]\nnames = ["mylib.Bus().on"]\nundo = ["off"]\nwhat = "listener"\n',
        "registrations",
        (Registration(names=("mylib.Bus().on",), undo=("off",), what="listener"),),
    ),
    ('import-roots = ["./src/", "."]', "import_roots", ("src", ".")),
    ('per-file-ignores = {"tests/**" = ["LMB1"]}', "per_file_ignores", {"tests/**": ("LMB1",)}),
    ("max-file-size = 5000", "max_file_size", 5000),
    ("snapstart = true", "snapstart", True),
    ("managed-instances = true", "managed_instances", True),
    ("web-functions = true", "web_functions", True),
    ("jobs = 3", "jobs", 3),
    ("cache = false", "cache", False),
]


@pytest.mark.parametrize(("text", "field", "value"), VALUES)
def test_key_reaches_its_field(project: Project, text: str, field: str, value: object) -> None:
    project.write(OWN, text)
    assert getattr(load([project.path]), field) == value


def test_rule_directories_are_absolute_and_relative_to_the_file(project: Project) -> None:
    project.write("sub/deep.toml", 'rule-directories = ["../src"]')
    settings = load([project.path], config_file=project.path / "sub/deep.toml")
    assert settings.rules == (project.path / "src",)


def test_every_key_has_its_own_field_with_the_same_default(project: Project) -> None:
    defaults = Settings(root=project.path)
    names = {one.name for one in fields(Settings)} - {"root", "config_path"}
    # What a file extends is told by the settings that come of it.
    keys = [key for key in KEYS if key.name != "extend"]
    assert {key.attribute for key in keys} == names
    here = Where(project.path, project.path, project.path)
    for key in keys:
        read = None if key.default is None else key.parse(key.default, here)
        assert getattr(defaults, key.attribute) == read, key.name


# Text of a lambda-lint.toml, the line to blame, and what the message must hold: what is wrong and
# what to do.
REFUSED: list[tuple[str, int, tuple[str, ...]]] = [
    ("strict = true\nselct = []", 2, ("'selct'", "did you mean `select`")),
    ("force_exclude = true", 1, ("did you mean `force-exclude`",)),
    ("qqqqq = true", 1, ("known are extend, select",)),
    ("\n[tool.lambda-lint]\nstrict = true", 2, ("keys stand at the top",)),
    ("strict = 1", 1, ("strict: expected true or false, not 1",)),
    ("jobs = true", 1, ("expected a whole number",)),
    ("jobs = 0", 1, ("expected a whole number above 0",)),
    ("max-file-size = 99999999999999999999999999", 1, ("whole number",)),
    ("x = 1\n\n'max-file-size' = -1\n", 1, ("unknown key 'x'",)),
    ("\n\n'max-file-size' = -1\n", 3, ("not -1",)),
    ('severity = "fatal"', 1, ('"info", "warning" or "error"',)),
    ("severity = [1]", 1, ('"info", "warning" or "error"',)),
    ('select = "LMB1"', 1, ("expected a list of strings",)),
    ("select = [1]", 1, ("expected a list of strings",)),
    ('select = ["lmb101"]', 1, ("write 'LMB101'",)),
    ('select = ["LMB1011"]', 1, ("'LMB1011' is no rule",)),
    ('ignore = ["E501"]', 1, ("'E501' is no rule", "LMB101")),
    ('ignore = ["\\u001b[2J"]', 1, ("'\\x1b[2J' is no rule",)),
    ("exclude = ['" + "*" * 10_000 + "']", 1, ("longer than 500 characters",)),
    ("exclude = ['*a*a*a*a']", 1, ("more than 3 stars",)),
    ("exclude = ['**/a/**/b/**/c/**']", 1, ("more than 3 times",)),
    ("exclude = ['!']", 1, ("no gitignore pattern",)),
    ("exclude = ['']", 1, ("is empty",)),
    ("exclude = ['./src']", 1, ("'./src' can match nothing", "leave them out")),
    ("exclude = ['!./src']", 1, ("can match nothing",)),
    ("exclude = ['../src']", 1, ("can match nothing",)),
    ("[per-file-ignores]\n'{a,b}/**' = []", 2, ("one pattern for each",)),
    ("[[overrides]]\nfiles = ['./a']\nstrict = true", 2, ("can match nothing",)),
    ("handler-patterns = ['./*.py:f']", 1, ("can match nothing",)),
    ("\ufeffstrict = true", 1, ("no byte order mark",)),
    ('handlers = ["src.app.handler"]', 1, ("is no handler", '"src/app.py:lambda_handler"')),
    ('handlers = ["../app.py:f"]', 1, ("is no handler",)),
    ('handlers = ["/app.py:f"]', 1, ("is no handler",)),
    ('handler-patterns = ["*_handler"]', 1, ("is no pattern for handlers",)),
    ('import-roots = ["../x"]', 1, ("must lie in the project",)),
    ('import-roots = ["/etc"]', 1, ("must lie in the project",)),
    ('import-roots = ["nowhere"]', 1, ("there is no directory 'nowhere'",)),
    ('rule-directories = ["nowhere"]', 1, ("there is no directory 'nowhere'",)),
    ('rule-directories = ["a\\u0000b"]', 1, ("there is no directory",)),
    ("per-file-ignores = []", 1, ("expected a table",)),
    ('strict = true\n[per-file-ignores]\n"a" = "LMB1"', 3, ("expected a list of strings",)),
    ("reusable-constructors = 1", 1, ("list of dotted names or tables",)),
    ("reusable-constructors = ['a b']", 1, ("'a b' is no dotted name",)),
    ("reusable-constructors = [{kind = 'lazy'}]", 1, ("a table with `names`",)),
    ("[[reusable-constructors]]\nnames = ['a']\nkid = 1", 3, ("'kid'", "kind")),
    ("[[reusable-constructors]]\nnames = ['a']\nkind = 'hot'", 3, ("lazy, connecting",)),
    ("[[reusable-constructors]]\nnames = ['a']\nrule = 'x'", 3, ("client, heavy",)),
    ("[[reusable-constructors]]\nnames = ['a']\nwhat = 1", 3, ("`what` must be a str",)),
    ("[[reusable-constructors]]\nnames = ['a']\nkind = []", 3, ("`kind` must be a str",)),
    ("registrations = 1", 1, ("list of dotted names or tables",)),
    ("registrations = ['a b']", 1, ("'a b' is no dotted name",)),
    ("registrations = [{kind = 'listener'}]", 1, ("a table with `names`",)),
    ("[[registrations]]\nnames = ['a']\nunod = ['b']", 3, ("'unod'", "undo")),
    ("[[registrations]]\nnames = ['a']\nkind = 'odd'", 3, ("listener, background",)),
    ("[[registrations]]\nnames = ['a']\nkeeper = 'me'", 3, ("receiver, argument, process",)),
    ("[[registrations]]\nnames = ['a']\nundo_calls = ['x y']", 3, ("'x y' is no dotted name",)),
    ("[[registrations]]\nnames = ['a']\nwhat = 1", 3, ("`what` must be a str",)),
    ("strict = true\nselect = [", 2, ("this is not TOML",)),
    ("strict = true\nstrict = true", 2, ("this is not TOML",)),
    ("jobs = " + "9" * 5000, 1, ("this is not TOML",)),
    ("select = " + "[" * 100_000, 1, ("TOML",)),
]


@pytest.mark.parametrize(("text", "line", "parts"), REFUSED, ids=[one[0][:40] for one in REFUSED])
def test_refused_with_place_and_next_step(
    project: Project, text: str, line: int, parts: tuple[str, ...]
) -> None:
    file = project.write(OWN, text)
    with pytest.raises(ConfigError) as caught:
        load([project.path])
    assert (caught.value.file, caught.value.line) == (str(file), line)
    for part in parts:
        assert part in caught.value.message
    assert len(str(caught.value)) < 1000


# In a pyproject.toml: the text, the line, a part of the message.
REFUSED_IN_PYPROJECT: list[tuple[str, int, str]] = [
    ('[project]\nname = "a"\n\n[tool.lambda-lint]\nstrict = 1', 5, "strict: expected true"),
    ('[tool]\nlambda-lint.strict = "x"', 2, "strict: expected true"),
    ("[tool]\nlambda-lint = {strict = 1}", 2, "strict: expected true"),
    ('[tool.other]\nstrict = 1\n[tool."lambda-lint"]\nstrict = 2', 4, "not 2"),
    ("[tool.lambda-lint.per-file-ignores]\n'a' = 1", 2, "expected a list of strings"),
    ("[tool]\nlambda-lint = true", 2, "`lambda-lint` must be a table"),
    ("tool = 3 # lambda-lint", 1, "`tool` must be a table"),
    ("[tool.lambda-lint\n", 1, "this is not TOML"),
    ("[project]\n[tool.lambda_lint]", 2, r"nobody reads .*write \[tool.lambda-lint"),
    ("[[tool.lambdalint.overrides]]", 1, r"nobody reads .*write \[tool.lambda-lint"),
    ('[tool."Lambda-Lint"]\nstrict = 1', 1, r"nobody reads .*write \[tool.lambda-lint"),
    ("[tool.lambda-linter]", 1, r"table tool.lambda-linter; write \[tool.lambda-lint"),
]


@pytest.mark.parametrize(("text", "line", "part"), REFUSED_IN_PYPROJECT)
def test_refused_in_pyproject(project: Project, text: str, line: int, part: str) -> None:
    project.write(PYPROJECT, text)
    with pytest.raises(ConfigError, match=part) as caught:
        load([project.path])
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("data", "line", "part"),
    [
        (b"strict = true\n# \xe9", 2, "UTF-8"),
        (b"\xff\xfes\x00", 1, "UTF-8"),
        (b"#" * (1024 * 1024 + 1), 1, "bytes at most"),
    ],
)
def test_refused_bytes(project: Project, data: bytes, line: int, part: str) -> None:
    (project.path / OWN).write_bytes(data)
    with pytest.raises(ConfigError, match=part) as caught:
        load([project.path])
    assert caught.value.line == line


def _make_pipe(path: Path) -> None:
    os.mkfifo(path)


def _make_dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.skipif(os.name == "nt", reason="needs pipes and links")
@pytest.mark.parametrize("make", [_make_pipe, Path.mkdir, _make_dangling])
@pytest.mark.parametrize("name", [OWN, PYPROJECT])
def test_what_is_no_file_is_refused_and_not_waited_for(
    project: Project, make: Callable[[Path], None], name: str
) -> None:
    make(project.path / name)
    with pytest.raises(ConfigError, match="cannot be read"):
        load([project.path])


# Files that the project has, what is given on the command line, and the root that follows;
# everything relative to the project, where the working directory is `src`.
ROOTS: list[tuple[dict[str, str], Sequence[str], str]] = [
    ({OWN: ""}, ["src/app.py"], "."),
    ({PYPROJECT: "[tool.lambda-lint]"}, ["src/app.py"], "."),
    ({PYPROJECT: "[tool.black]", ".git/HEAD": ""}, ["src/app.py"], "."),
    ({OWN: "", "src/lambda-lint.toml": ""}, ["src/app.py"], "src"),
    ({OWN: "", "src/lambda-lint.toml": ""}, ["src", "other"], "."),
    ({OWN: "", "src/pyproject.toml": "[project]\nname = 'x'"}, ["src"], "."),
    ({OWN: "", "src/pyproject.toml": "this is broken ["}, ["src"], "."),
    ({".git/HEAD": ""}, ["src/app.py"], "."),
    ({".git": "gitdir: elsewhere"}, ["src/app.py"], "."),
    ({OWN: "", "src/.git/HEAD": ""}, ["src/app.py"], "src"),
    ({OWN: "", "src/lambda-lint.toml": "", "src/.git/HEAD": ""}, ["src/new.py"], "src"),
    ({}, ["other"], "other"),
    ({}, ["other/none.py"], "other"),
]


@pytest.mark.parametrize(("files", "start", "root"), ROOTS)
def test_root(project: Project, files: dict[str, str], start: Sequence[str], root: str) -> None:
    for name, text in files.items():
        project.write(name, text)
    assert load([project.path / one for one in start]).root == project.path / root


@pytest.mark.parametrize("start", [[], [Path("deep/app.py")], [Path("deep")], [Path()]])
def test_root_without_repository_is_the_working_directory_for_relative_paths(
    project: Project, start: list[Path]
) -> None:
    assert load(start).root == project.path / "src"


def test_relative_path_that_leaves_the_working_directory(project: Project) -> None:
    assert load([Path("../other")]).root == project.path / "other"


@pytest.mark.parametrize(
    ("file", "start", "root"),
    [
        ("sub/any.toml", "sub/x.py", "sub"),
        ("sub/any.toml", "src/app.py", "src"),
    ],
)
def test_named_file(project: Project, file: str, start: str, root: str) -> None:
    project.write(file, "strict = true")
    project.write(OWN, "", directory="src")
    settings = load([project.path / start], config_file=project.path / file)
    assert settings.strict
    assert settings.root == project.path / root
    assert settings.config_path == project.path / file


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("none.toml", None, "cannot be read"),
        (PYPROJECT, None, "cannot be read"),
        (PYPROJECT, "[project]", r"no table \[tool.lambda-lint\]; add it"),
    ],
)
def test_named_file_that_does_not_serve(
    project: Project, name: str, text: str | None, part: str
) -> None:
    if text is not None:
        project.write(name, text)
    with pytest.raises(ConfigError, match=part):
        load([project.path], config_file=project.path / name)


# What the command line says against `strict = true`, `select = ["LMB1"]` in the file.
OVERRIDES: list[tuple[dict[str, object], str, object]] = [
    ({}, "strict", True),
    ({"strict": None}, "strict", True),
    ({"strict": False}, "strict", False),
    ({"select": ("LMB2",)}, "select", ("LMB2",)),
    ({"extend_select": ["LMB2"]}, "extend_select", ("LMB2",)),
    ({"extend_select": ["LMB2"]}, "select", ("LMB1",)),
    ({"force-exclude": True}, "force_exclude", True),
]


@pytest.mark.parametrize(("overrides", "field", "value"), OVERRIDES)
def test_command_line_wins(
    project: Project, overrides: dict[str, object], field: str, value: object
) -> None:
    project.write(OWN, 'strict = true\nselect = ["LMB1"]')
    assert getattr(load([project.path], overrides=overrides), field) == value


@pytest.mark.parametrize(
    ("overrides", "part"),
    [
        ({"select": ["E1"]}, "--select: 'E1' is no rule"),
        ({"max_file_size": 0}, "--max-file-size: expected"),
        ({"selct": []}, "did you mean `select`"),
    ],
)
def test_command_line_refused(project: Project, overrides: dict[str, object], part: str) -> None:
    with pytest.raises(ConfigError, match=part) as caught:
        load([project.path], overrides=overrides)
    assert caught.value.file is None


def test_error_text_escapes_a_hostile_file_name() -> None:
    error = ConfigError("unknown key", "a\x1b[2J\n\u202e/lambda-lint.toml", 3)
    assert "\x1b" not in str(error)
    assert "\u202e" not in str(error)
    assert str(error).endswith("/lambda-lint.toml:3: unknown key")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"root": Path("/elsewhere")}, True),
        ({"jobs": 7}, True),
        ({"cache": False}, True),
        ({"config_path": Path("/x.toml")}, True),
        ({"snapstart": True}, False),
        ({"handlers": ("a.py:f",)}, False),
        ({"per_file_ignores": {"a": ("LMB1",)}}, False),
        ({"reusable_constructors": (ReusableConstructor(names=("a.B",)),)}, False),
        ({"registrations": (Registration(names=("a.B().on",)),)}, False),
    ],
)
def test_digest_changes_with_what_changes_results(change: dict[str, Any], same: bool) -> None:
    settings = Settings(root=Path("/project"))
    assert (replace(settings, **change).digest == settings.digest) is same


def test_settings_survive_pickling(project: Project) -> None:
    project.write(OWN, 'per-file-ignores = {"a" = ["LMB1"]}\nreusable-constructors = ["a.B"]')
    settings = load([project.path])
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("tests/test_app.py", ("LMB1", "LMB3")),
        ("src/test_app.py", ("LMB3",)),
        ("src/app.py", ()),
    ],
)
def test_ignored_in(path: str, codes: tuple[str, ...]) -> None:
    ignores = {"tests/**": ("LMB1",), "test_*.py": ("LMB3",)}
    assert Settings(root=Path("/"), per_file_ignores=ignores).ignored_in(path) == codes


@pytest.mark.parametrize(
    ("path", "name", "matches"),
    [
        ("fn/a/app.py", "create_handler", True),
        ("fn/a/app.py", "handler_of", False),
        ("lib/app.py", "create_handler", False),
    ],
)
def test_handler_patterns(path: str, name: str, matches: bool) -> None:
    settings = Settings(root=Path("/"), handler_patterns=("fn/**/*.py:*_handler",))
    assert settings.is_handler_by_pattern(path, name) is matches


@pytest.mark.parametrize(
    "pattern", ["*.py", "**/a/**", "!venv/", "/a*b*c*.py", "a [b]?", "{{ a }}/.x"]
)
def test_usual_patterns_are_accepted(pattern: str) -> None:
    assert pattern_problem(pattern) is None


class Project:
    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str, directory: str = ".") -> Path:
        file = self.path / directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with `src/deep` and `other`, and the working directory in `src`."""
    project = Project(Path(os.path.realpath(tmp_path)))
    project.write("src/app.py", "")
    project.write("src/deep/app.py", "")
    project.write("other/app.py", "")
    monkeypatch.chdir(project.path / "src")
    return project
