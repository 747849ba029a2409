"""`lambda-lint config`: what is in force, where it comes from, and the schema of it all."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from lambda_lint.cli import main
from lambda_lint.config import KEYS, ConfigError, load

if TYPE_CHECKING:
    from tests import test_config, test_config_layers
else:
    import test_config
    import test_config_layers

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
OWN = "lambda-lint.toml"

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run `lambda-lint config` and return the exit code and both outputs."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["config", *arguments])
        done = capsys.readouterr()
        return code, done.out, done.err

    return run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that extends a base and says something else for one directory."""
    root = Path(os.path.realpath(tmp_path))
    (root / "app" / "old").mkdir(parents=True)
    (root / "app" / "old" / "a.py").write_text("")
    (root / "app" / "b.py").write_text("")
    (root / "base.toml").write_text('jobs = 2\nignore = ["LMB3"]\n')
    (root / "app" / OWN).write_text(
        'extend = "../base.toml"\n'
        'ignore = ["LMB4"]\n'
        "[per-file-ignores]\n"
        '"old/" = ["LMB5"]\n'
        "[[overrides]]\n"
        'files = ["old/**"]\n'
        'ignore = ["LMB1"]\n'
        "strict = true\n"
    )
    monkeypatch.chdir(root / "app")
    return root / "app"


# Arguments, and lines that must be among what is printed.
SHOWN: list[tuple[Sequence[str], Sequence[str]]] = [
    (
        [],
        [
            "project: .",
            "configuration: lambda-lint.toml <- ../base.toml",
            "jobs = 2  # ../base.toml:1",
            'ignore = ["LMB3", "LMB4"]  # ../base.toml:2, lambda-lint.toml:2',
            "strict = false  # default",
            "severity = not set  # default",
            'per-file-ignores = {"old/" = ["LMB5"]}  # lambda-lint.toml:3',
            'overrides = [{files = ["old/**"], ignore = ["LMB1"], strict = true}]'
            "  # lambda-lint.toml:5",
            "  LMB101 client-in-handler (warning)",
        ],
    ),
    (
        ["old/a.py"],
        [
            "file: old/a.py",
            "overrides that speak of it: 1",
            "per-file-ignores: LMB5",
            'ignore = ["LMB3", "LMB4", "LMB1"]  # ../base.toml:2, lambda-lint.toml:2, '
            "lambda-lint.toml:7",
            "strict = true  # lambda-lint.toml:8",
            "rules that run in this file:",
            "  LMB201 stale-global-read (error)",
        ],
    ),
    (["b.py"], ["overrides that speak of it: none", "strict = false  # default"]),
    (["--strict", "old/a.py"], ["strict = true  # command line"]),
    (
        ["--select", "LMB101,LMB2", "--jobs", "7"],
        ['select = ["LMB101", "LMB2"]  # command line', "jobs = 7  # command line"],
    ),
    (["--config", "../base.toml"], ["configuration: ../base.toml", "jobs = 2  # ../base.toml:1"]),
]


@pytest.mark.parametrize(("arguments", "lines"), SHOWN)
def test_shows_what_is_in_force(
    project: Path, ask: Ask, arguments: Sequence[str], lines: Sequence[str]
) -> None:
    code, out, err = ask(*arguments)
    assert (code, err) == (0, "")
    for line in lines:
        assert line in out.splitlines()


def test_rules_that_an_override_ignores_do_not_run_in_its_files(project: Path, ask: Ask) -> None:
    for path, there in (("old/a.py", False), ("b.py", True)):
        _, out, _ = ask(path)
        assert ("  LMB101 client-in-handler (warning)" in out.splitlines()) is there, path


def test_json_says_the_same(project: Path, ask: Ask) -> None:
    code, out, _ = ask("old/a.py", "--output-format", "json", "--select", "LMB1,LMB201")
    said = json.loads(out)
    assert (code, said["schema"], said["root"], said["path"]) == (0, 1, str(project), "old/a.py")
    assert said["files"] == [str(project / OWN), str(project.parent / "base.toml")]
    assert list(said["settings"]) == [key.name for key in KEYS if key.name != "extend"]
    settings = said["settings"]
    assert settings["select"] == {
        "value": ["LMB1", "LMB201"],
        "origins": [{"kind": "command line"}],
    }
    assert settings["strict"] == {
        "value": True,
        "origins": [{"kind": "file", "file": str(project / OWN), "line": 8}],
    }
    assert settings["cache"] == {"value": True, "origins": [{"kind": "default"}]}
    assert said["ignored"] == ["LMB5"]
    assert said["rules"] == [{"code": "LMB201", "rule": "stale-global-read", "severity": "error"}]


def test_without_a_configuration_everything_is_at_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, _ = ask()
    assert code == 0
    assert "configuration: none: everything is at its default" in out
    settings = [line for line in out.splitlines() if " = " in line]
    assert len(settings) == len(KEYS) - 1
    assert all(line.endswith("  # default") for line in settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py"], "nowhere.py: there is no such file or directory; correct the path"),
        (["-"], "-: there is no such file"),
        (["--config", "nowhere.toml"], "nowhere.toml:1: the configuration cannot be read"),
        (["--select", "LMB199"], "unknown rule 'LMB199'"),
        (["--schema", "b.py"], "leave the path out"),
        (["b\nc\x1b[2J.py"], "there is no such file"),
    ],
)
def test_what_cannot_be_shown(
    project: Path, ask: Ask, arguments: Sequence[str], message: str
) -> None:
    code, out, err = ask(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "\x1b" not in err


# The schema.


@pytest.fixture(scope="module")
def schema() -> Any:
    from lambda_lint.commands import catalogue
    from lambda_lint.config.schema import schema as make

    return make((one.code, one.slug, one.title) for one in catalogue.known(None))


def test_the_schema_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask, schema: Any
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, _ = ask("--schema")
    assert (code, json.loads(out)) == (0, json.loads(json.dumps(schema)))


def test_the_schema_is_one_and_speaks_of_every_key(schema: Any) -> None:
    jsonschema.validators.validator_for(schema).check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert list(schema["properties"]) == [key.name for key in KEYS]
    for key in KEYS:
        said = schema["properties"][key.name]
        assert said["description"] == key.help
        assert said.get("default") == key.default
    names = {one.get("const") for one in schema["definitions"]["rule"]["anyOf"]}
    assert {"ALL", "LMB101", "client-in-handler"} <= names


def test_every_default_is_valid(schema: Any) -> None:
    jsonschema.validate({k.name: k.default for k in KEYS if k.default is not None}, schema)


def configurations() -> Iterator[Any]:
    """Configurations that somebody may copy: of the manual, of the fixtures."""
    for file in sorted(ROOT.rglob("lambda-lint.toml")):
        if "/." not in str(file.relative_to(ROOT)):
            yield pytest.param(file.read_text(), id=str(file.relative_to(ROOT)))
    for page in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]):
        for number, text in enumerate(
            re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
        ):
            if "lambda-lint" in text:
                yield pytest.param(text, id=f"{page.name}-{number}")


@pytest.mark.parametrize("text", list(configurations()))
def test_what_we_show_is_valid(text: str, schema: Any) -> None:
    table = tomllib.loads(text)
    jsonschema.validate(table.get("tool", {}).get("lambda-lint", table), schema)


@pytest.mark.parametrize("text", [text for text, _, _ in test_config.VALUES])
def test_what_the_configuration_takes_the_schema_takes(text: str, schema: Any) -> None:
    jsonschema.validate(tomllib.loads(text), schema)


# What a look at the text alone cannot tell: whether a directory is there, what lies in the
# project, how long a pattern may take.
BEYOND = re.compile(
    r"import-roots|rule-directories|\*a\*a|a/\*\*/b|'!'|"
    r"handlers = \[\"(\.\.|/)|tool\.lambda-lint\]\nstrict"
)


def refused() -> Iterator[Any]:
    """Each text that the configuration refuses, and whether a schema can know that."""
    texts = [text for text, _, _ in (*test_config.REFUSED, *test_config_layers.REFUSED)]
    for text in texts:
        try:
            table = tomllib.loads(text)
        except (ValueError, RecursionError):
            continue
        if "[tool." not in text:
            yield pytest.param(table, not BEYOND.search(text), id=text[:40])


@pytest.mark.parametrize(("table", "known"), list(refused()))
def test_what_the_configuration_refuses_the_schema_refuses_as_far_as_it_can(
    table: Any, known: bool, schema: Any
) -> None:
    assert jsonschema.validators.validator_for(schema)(schema).is_valid(table) is not known


def test_what_the_schema_refuses_the_configuration_refuses(tmp_path: Path, schema: Any) -> None:
    """No key has a shape that is narrower than what is read."""
    odd = {"text": '"x y"', "number": "0", "truth": "true", "list": "[[1]]", "table": "{a = 1}"}
    validator = jsonschema.validators.validator_for(schema)(schema)
    for key in KEYS:
        for value in odd.values():
            text = f"{key.name} = {value}"
            (tmp_path / OWN).write_text(text)
            if not validator.is_valid(tomllib.loads(text)):
                with pytest.raises(ConfigError):
                    load([tmp_path])
