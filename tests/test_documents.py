"""The documents: what they link to exists, what they show is right, and nobody has to remember."""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from lambda_lint import cli, rule
from lambda_lint.registry import BUILTIN, load_rule, load_rules
from lambda_lint.testing import documents
from tests.documents import (
    DOCUMENTS,
    ROOT,
    RULE_PAGES,
    WRITTEN,
    Code,
    anchors,
    blocks,
    code_spans,
    links,
    name,
)
from tests.workflows import shellcheck

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RULES = load_rules([BUILTIN])
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name)
each_written = pytest.mark.parametrize("path", WRITTEN, ids=name)


# Pages of rules.


def test_the_pages_of_the_rules_are_what_the_rules_say() -> None:
    old = documents.outdated(documents.documents(RULES))
    assert not old, f"run `{documents.COMMAND}`; it would change {', '.join(old)}"


def test_the_address_of_a_rule_is_that_of_its_page() -> None:
    for one in RULES:
        assert one.url == f"{rule.PAGES}{one.slug}.md"
        assert (RULE_PAGES / f"{one.slug}.md").is_file()
    assert rule.PAGES.endswith("/" + RULE_PAGES.relative_to(ROOT).as_posix() + "/")


def test_a_rule_of_a_project_has_no_page_on_the_web(tmp_path: Path) -> None:
    own = tmp_path / "sys_exit_in_handler.py"
    shutil.copy(BUILTIN / own.name, own)
    assert load_rule(own).url == ""


def test_other_rules_are_links_and_nothing_else_is(tmp_path: Path) -> None:
    own = tmp_path / "own_rule.py"
    page = "A title.\n\nSee LMB101, `async-handler` and async-handler; not `LMB101` nor own-rule,\n"
    page += "nor https://example.com/async-handler nor async-handlers.\n\n```python bad\n# LMB101\n"
    source = (BUILTIN / "sys_exit_in_handler.py").read_text()
    code = source[source.index('"""', 4) + 3 :].replace("sys_exit_in_handler", "own_rule")
    own.write_text(f'r"""{page}```\n"""{code}'.replace("LMB705", "LMB750"))
    made = documents.documents([*RULES, load_rule(own)])["own-rule.md"]
    assert (
        "See [LMB101](client-in-handler.md), [`async-handler`](async-handler.md) and "
        "[async-handler](async-handler.md); not `LMB101` nor own-rule,\n"
        "nor https://example.com/async-handler nor async-handlers."
    ) in made
    assert "**Wrong**\n\n```python\n# LMB101\n```" in made


# Links.


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        if re.match(r"https?://", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.is_relative_to(ROOT), f"{name(path)} leads out of the repository: {link}"
        assert file.exists(), f"{name(path)}: there is no {link}"
        if anchor:
            assert anchor in anchors(file), f"{name(path)}: no heading for {link}"


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        targets = [one.partition("#")[0] for one in links(path) if not re.match(r"https?:", one)]
        waiting += [(path.parent / one).resolve() for one in targets if one]
    missing = [name(one) for one in DOCUMENTS if one not in reached and "data" not in one.parts]
    assert not missing


def test_every_picture_is_shown_and_drawn_for_light_and_dark() -> None:
    shown = {(path.parent / link).resolve() for path in DOCUMENTS for link in links(path)}
    for picture in sorted((ROOT / "docs" / "pictures").iterdir()):
        assert picture in shown, picture.name
        text = picture.read_text()
        drawing = ElementTree.fromstring(text)
        assert drawing.findtext("{*}title"), f"{picture.name}: what does it show?"
        assert drawing.findtext("{*}desc"), f"{picture.name}: for those who cannot see it"
        assert "prefers-color-scheme: dark" in text
        used = set(re.findall(r'class="(\w+)"', text))
        light, dark = text.split("@media", 1)
        for one in used:
            assert f".{one} " in light, f"{picture.name}: {one} has no colour"
            assert f".{one} " in dark, f"{picture.name}: {one} has no colour in the dark"


# Code.

ALL_BLOCKS = [block for path in WRITTEN for block in blocks(path)]


@pytest.mark.parametrize("block", ALL_BLOCKS, ids=lambda one: one.place)
def test_code_is_right_as_far_as_a_parser_can_tell(block: Code) -> None:
    match block.language:
        case "python":
            ast.parse(block.text)
        case "toml":
            tomllib.loads(block.text)
        case "json":
            json.loads(block.text)
        case "yaml":
            yaml.safe_load(block.text)
        case "sh":
            done = subprocess.run(
                ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        case "console":
            assert re.match(r"\$ ", block.text)
        case "text" | "vim" | "markdown" | "":
            pass
        case other:
            raise AssertionError(f"{block.place}: what is {other!r}?")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize(
    "block", [one for one in ALL_BLOCKS if one.language == "sh"], ids=lambda one: one.place
)
def test_shellcheck_is_content(block: Code) -> None:
    assert shellcheck(block.text) == ""


# Commands, options and rules.


def commands(text: str) -> list[list[str]]:
    """The words after `lambda-lint` of every command in a piece of code."""
    begin = r"(?m)(?:^|[;&|/]|\bthen\b|^\s*- |\brun:)[ \t]*(?:\$ )?lambda-lint "
    found = re.findall(begin + r"([a-z][^\n|<>;&]*)", text)
    return [shlex.split(one.partition(" #")[0].rstrip(") ")) for one in found]


def test_commands_are_found() -> None:
    assert commands(
        "$ cat a.py | lambda-lint check --fix -  # mends\n.venv/bin/lambda-lint rules"
    ) == [
        ["check", "--fix", "-"],
        ["rules"],
    ]
    assert commands(
        '$ git commit -m "What lambda-lint says"\nif x; then lambda-lint check; fi'
    ) == [["check"]]
    assert commands("- id: lambda-lint\n# lambda-lint: ignore[x]\nlambda-lint @ git+https") == []


def accepts(words: list[str]) -> bool:
    """Whether the command line is one that could be run."""
    try:
        cli._parser().parse_args(words)
    except SystemExit as end:
        return end.code == 0
    return True


def mentions(words: list[str]) -> bool:
    """Whether these are words of the command line, although perhaps not all that it takes."""
    known = subcommands().get(words[0])
    options = [one.partition("=")[0] for one in words if one.startswith("--")]
    return known is not None and all(one in known._option_string_actions for one in options)


def subcommands() -> dict[str, argparse.ArgumentParser]:
    (found,) = (one.choices for one in cli._parser()._actions if isinstance(one.choices, dict))
    return found


@each_written
def test_commands_are_such_as_the_tool_takes(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in [one for block in blocks(path) for one in commands(block.text)]:
        assert accepts(words), f"lambda-lint {shlex.join(words)}: {capsys.readouterr().err}"
    for words in [one for span in code_spans(path) for one in commands(span)]:
        assert accepts(words) or mentions(words), f"lambda-lint {shlex.join(words)}"


OF_OTHER_TOOLS = {"--target", "--no-cache-dir"}


@each_written
def test_options_exist(path: Path) -> None:
    known = {option for one in subcommands().values() for option in one._option_string_actions}
    for span in code_spans(path):
        if option := re.match(r"--[a-z-]+", span):
            assert option[0] in known | OF_OTHER_TOOLS | {"--check"}, span


@each_document
def test_rules_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    codes = {one.code for one in RULES}
    slugs = {one.slug for one in RULES}
    assert set(re.findall(r"\bLMB\d{3}\b", text)) <= codes
    for names in re.findall(r"(?:ignore|disable|enable)\[([^\]\n]+)\]", text):
        for one in (part.strip() for part in names.split(",")):
            placeholder = one in ("…", "...", "rule", "queue-url-per-event")
            assert one in slugs | codes or placeholder, f"{name(path)}: ignore[{one}]"


@each_written
def test_nothing_private_is_named(path: Path) -> None:
    """Paths of somebody's machine tell more than they should, and lead nowhere."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:home|root|Users|work)/", text)
    assert not re.search(r"https?://(?:localhost|127\.|10\.|192\.168\.)", text)


@pytest.mark.parametrize(
    ("document", "start", "expected"),
    [
        ("docs/guide.md", "import functools\n", {"LMB101": "    sqs = boto3"}),
        ("docs/guide.md", "customer = None\n", {"LMB201": '    return {"charged"'}),
        ("docs/adoption.md", "import boto3\n", {}),
        ("README.md", "client = ", {}),
    ],
)
def test_the_linter_says_of_an_example_what_the_text_says(
    document: str,
    start: str,
    expected: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (block,) = (one for one in blocks(ROOT / document, "python") if one.text.startswith(start))
    text = block.text
    if "def handler" not in text:
        body = "".join(f"    {line}\n" for line in text.splitlines())
        text = f"import boto3\n\n\ndef handler(event, context):\n{body}    return client.list()\n"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(text)
    cli.main(["check", "--output-format", "json", "--no-cache"])
    found = json.loads(capsys.readouterr().out)["findings"]
    lines = text.splitlines()
    assert {one["code"] for one in found} == set(expected), [one["message"] for one in found]
    for one in found:
        assert lines[one["line"] - 1].startswith(expected[one["code"]])
