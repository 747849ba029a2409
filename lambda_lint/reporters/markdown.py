"""Text of others, made safe for places that read Markdown: summaries and comments on GitHub.

There a file name or a source line could become a heading, a link, an image of a foreign server, or
a mention that calls somebody. Only code is taken literally, so whatever has a character with a
meaning is shown as code; our own messages quote code in backticks and stay as they are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lambda_lint.reporters.safe_text import visible


def html_line(text: str) -> str:
    """Return `text` for one cell of a table: prose, and `<code>` in which nothing has a meaning.

    A backslash does not protect a `|` in all places of a table, so characters are written as
    references; within `<code>` GitHub looks for no mentions.
    """
    return "".join(html_code(part.text) if part.is_code else part.text for part in _parts(text))


def html_code(text: str) -> str:
    """Return `text` as HTML code that has no meaning in Markdown, on one line."""
    return f"<code>{_NOT_PLAIN.sub(_reference, visible(text))}</code>"


def line(text: str) -> str:
    """Return `text` as one line of Markdown that also reads well where nobody renders it."""
    return "".join(code(part.text) if part.is_code else part.text for part in _parts(text))


def code(text: str) -> str:
    """Return `text` in backticks, on one line; more of them than follow each other in it."""
    shown = visible(text)
    fence = "`" * (_longest_run(shown) + 1)
    # A backtick at an end would join the fence; one blank at both ends is taken away again.
    pad = " " if shown[:1] == "`" or shown[-1:] == "`" else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def block(text: str) -> list[str]:
    """Return the lines of a text whose indented lines are code to copy, as lines of Markdown."""
    shown: list[str] = []
    pending: list[str] = []
    for row in [*text.expandtabs(4).splitlines(), ""]:
        if row.startswith("    "):
            pending.append(visible(row[4:]))
            continue
        if pending:
            fence = "`" * max(3, *(_longest_run(each) + 1 for each in pending))
            shown += [f"{fence}python", *pending, fence]
            pending = []
        shown.append(line(row))
    return shown[:-1]


class _Part(NamedTuple):
    is_code: bool
    text: str


def _parts(text: str) -> list[_Part]:
    """Divide a text into prose that means nothing to Markdown, and code."""
    shown = visible(text)
    quoted = shown.split("`")
    if len(quoted) % 2 == 0:
        # Backticks that are no pairs are characters like others.
        quoted = [shown]
    parts: list[_Part] = []
    for number, piece in enumerate(quoted):
        if number % 2:
            _add(parts, _Part(True, piece))
        else:
            for word in re.findall(" +|[^ ]+", piece):
                _add(parts, _Part(bool(_MEANING.search(word)), word))
    return parts


def _add(parts: list[_Part], new: _Part) -> None:
    # Fences of two codes side by side would be read as one longer fence.
    if parts and parts[-1].is_code == new.is_code:
        parts[-1] = _Part(new.is_code, parts[-1].text + new.text)
    elif new.text:
        parts.append(new)


# All ASCII punctuation but `. , ; : ( ) ' " / % + = ? ! -`, and what becomes a link by itself.
_MEANING = re.compile(r"[\[\]<>{}&@#*_~|\\$^`]|://|www\.|\bgh-\d", re.IGNORECASE)
_NOT_PLAIN = re.compile(r"[^\w /-]|_")


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found.group())};"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
