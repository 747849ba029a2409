"""Text of others, made safe to print: source lines, file names, messages made from them.

A terminal obeys escape sequences, an eye obeys bidirectional controls, and the runner of GitHub
Actions obeys certain lines of a log. None of that may come out of a linted file.
"""

from __future__ import annotations

import re

# C0 and C1 controls; soft hyphen; joiners, marks and bidirectional controls; line and paragraph
# separators; invisible operators; the byte order mark; fillers that draw nothing but are letters;
# interlinear annotations; tags; what is no character; and surrogates, which stand for bytes that
# are no UTF-8.
_INVISIBLE = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff"
)
_UNSAFE = re.compile(f"[{_INVISIBLE}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_PRINTABLE_ASCII = re.compile(r"[^ -~]")

# The runner removes white space before it looks for `::`; it finds `##[` anywhere in a line
# (actions/runner, ActionCommand.cs). Our own colours are no protection to rely on.
_COMMAND_AT_START = re.compile(r"(?m)^((?:\x1b\[[0-9;]*m|[^\S\n])*)::")


def visible(text: str, *, ascii_only: bool = False) -> str:
    r"""Return `text` on one line, with everything that cannot be seen written as an escape.

    ESC becomes `\x1b`, a line feed `\x0a`, U+202E `\u202e`. With `ascii_only` the same is done to
    every character that is not printable ASCII. Backslashes stay as they are: the result is for
    reading, not for parsing.
    """
    return (_NOT_PRINTABLE_ASCII if ascii_only else _UNSAFE).sub(_escape, text)


def without_surrogates(text: str) -> str:
    r"""Return `text` with surrogates, which stand for bytes that are no UTF-8, as `\udcff`.

    Everything else stays, controls too: for documents whose readers take only valid text.
    """
    return _SURROGATE.sub(_escape, text)


def is_plain(text: str) -> bool:
    """Tell whether every character is printable ASCII, and so is shown as itself in one cell."""
    return _NOT_PRINTABLE_ASCII.search(text) is None


def neutralise_commands(text: str) -> str:
    """Return finished output in which the runner of GitHub Actions finds no command to obey.

    A blank is put into `##[` and into `::` at the start of a line; the rest is unchanged.
    """
    return _COMMAND_AT_START.sub(r"\1: :", text.replace("##[", "# #["))


def neutralise_json(document: str) -> str:
    """Return the same JSON document without the characters `##[` in a row.

    They can only stand within a string, where a number sign may be written as an escape.
    """
    return document.replace("##[", "#\\u0023[")


def _escape(found: re.Match[str]) -> str:
    number = ord(found.group())
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
