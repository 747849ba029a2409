"""What linted text may do to a terminal, an eye and the runner of GitHub Actions: nothing."""

from __future__ import annotations

import json

import pytest

from lambda_lint.reporters.safe_text import neutralise_commands, neutralise_json, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("client = boto3.client('s3')", "client = boto3.client('s3')"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x1b]8;;https://evil.example\x1b\\", r"\x1b]8;;https://evil.example\x1b" + "\\"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\nc\td\x00\x7f", r"a\x0db\x0ac\x09d\x00\x7f"),
        ("access\u202e\u2066 level", r"access\u202e\u2066 level"),
        ("a\u200bb\u200dc\ufeff", r"a\u200bb\u200dc\ufeff"),
        ("one\u2028two\u2029", r"one\u2028two\u2029"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("filler\u3164\u115f", r"filler\u3164\u115f"),
        ("bytes\udcff", r"bytes\udcff"),
        ("日本語 é ❤\ufe0f", "日本語 é ❤\ufe0f"),
        ("[red]not markup[/]", "[red]not markup[/]"),
        (r"already \x1b written", r"already \x1b written"),
    ],
    ids=[
        "plain text is left alone",
        "terminal escape",
        "terminal hyperlink",
        "C1 control",
        "C0 controls, DEL and tab",
        "bidirectional controls",
        "invisible characters",
        "line and paragraph separators",
        "tag character",
        "letters that draw nothing",
        "byte that is no UTF-8",
        "wide, accented and emoji characters stay",
        "markup of rich is text",
        "a backslash is not doubled",
    ],
)
def test_invisible_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("é", r"\xe9"), ("日", r"\u65e5"), ("🦊", r"\U0001f98a"), ("~ tilde", "~ tilde")],
)
def test_ascii_only_escapes_whatever_the_stream_cannot_write(text: str, shown: str) -> None:
    assert visible(text, ascii_only=True) == shown


@pytest.mark.parametrize(
    ("log", "harmless"),
    [
        ("::error::x\n", ": :error::x\n"),
        ("text\n \t::stop-commands::x\n", "text\n \t: :stop-commands::x\n"),
        ("\x1b[1;31m::error::x\n", "\x1b[1;31m: :error::x\n"),
        ("3 | ##[stop-commands]x\n", "3 | # #[stop-commands]x\n"),
        ("###[warning]x\n", "## #[warning]x\n"),
        ("std::vector ## [x] a::b\n", "std::vector ## [x] a::b\n"),
        ("\n\n", "\n\n"),
    ],
    ids=[
        "command at the start of a line",
        "command behind white space, which the runner strips",
        "command behind a colour",
        "old command anywhere in a line",
        "old command behind one more number sign",
        "what is no command stays",
        "empty lines stay",
    ],
)
def test_the_runner_finds_no_command(log: str, harmless: str) -> None:
    assert neutralise_commands(log) == harmless


def test_json_keeps_its_meaning_without_old_commands() -> None:
    value = {"line": '"\\##[stop-commands]x ###[y]'}
    document = neutralise_json(json.dumps(value))
    assert "##[" not in document
    assert json.loads(document) == value
