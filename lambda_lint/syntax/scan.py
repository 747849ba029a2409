"""One pass over the text of a file, without a parser.

It finds the comments, the places of the tokens that `lower` needs (LibCST's nodes do not know
theirs), and what LibCST could not bear: its native parser overflows the stack of the process on
deep nesting, takes time quadratic in the length of a chain of operators, calls or attributes,
exponential in the nesting of patterns, and needs some kilobytes for every token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_BYTES = 1 << 20
"""The size above which a file is not analysed, unless the settings say otherwise."""

MAX_BRACKETS = 200
"""How deep brackets may be nested: the limit of CPython itself."""

MAX_CHAIN = 1500
"""How deep one expression may be: operators, attributes, calls, and brackets around them."""

MAX_ELIFS = 1500
"""How many `elif` one `if` may have: each is nested in the one before."""

MAX_WORK = 10_000_000
"""How much work for the parser long chains and nested patterns of a file may be.

The unit is about half a microsecond on a machine of 2025. A chain costs its length times the
tokens within it; LibCST 1.9 needs 3 s for one of 100 calls with 200 arguments each.
"""

BYTES_PER_TOKEN = 7
"""A file may have one token for so many bytes of the maximal size.

Ordinary code of 1 MiB has 130 thousand; LibCST 1.9 needs 4 kB and 40 µs for each where code is
dense, so that 1 MiB of `x=1` lines would take 2 GB.
"""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `#`. Line and column are 1-based; columns count code points."""

    line: int
    column: int
    text: str
    own_line: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a file must not be given to the parser. Line and column are 1-based."""

    line: int
    column: int
    message: str


class Place(NamedTuple):
    """Where a token is: 1-based lines and columns in code points, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(slots=True)
class Scan:
    """What the pass has found.

    `places` and `words` are parallel: all names, keywords, numbers, strings, brackets, `...`, and
    the operators `+ - * ** ~`, which are the tokens that an expression can begin or end with.
    The word of a string is `"`; an f-string is `f"`, the brackets and tokens of its replacement
    fields, and `"f`. `places` has plain tuples, which are faster to make than `Place`.
    """

    text: str
    words: list[str]
    places: list[tuple[int, int, int, int]]
    comments: list[Comment]
    trouble: Trouble | None


def check(text: str, *, max_bytes: int = MAX_BYTES) -> Trouble | None:
    """Return why this text must not be given to the parser, or None when it may be."""
    return _too_large(text, max_bytes) or scan(text, max_bytes=max_bytes).trouble


def comments(text: str) -> list[Comment]:
    """Return all comments of a file in their order; what looks like one in a string is none."""
    return scan(text).comments if "#" in text else []


def scan(text: str, *, max_bytes: int = MAX_BYTES) -> Scan:
    """Go through the text of a file; never raises, also when the text is no Python.

    The `text` of the result has LF for every line ending, which changes no line and no column.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    scanner = _Scanner(text)
    trouble = _too_large(text, max_bytes)
    if trouble is None:
        scanner.run()
        trouble = scanner.trouble or _weigh(scanner, max_bytes)
    return Scan(text, scanner.words, scanner.places, scanner.comments, trouble)


def _too_large(text: str, max_bytes: int) -> Trouble | None:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size <= max_bytes:
        return None
    return Trouble(1, 1, f"the file has {size} bytes, more than the {max_bytes} that are analysed")


_TOKENS = r"""
    ([A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*)      # 1 name
  | ([(\[{])                                                    # 2 opening bracket
  | ([)\]}])                                                    # 3 closing bracket
  | (\n[\ \t\f\n]*)                                             # 4 line ending, blank lines
  | ( \"\"\"(?:[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*\"\"\"|[\s\S]*)
    | '''(?:[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*'''|[\s\S]*)
    | "[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"?
    | '[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'?
    )                                                           # 5 string without its prefix
  | (\#[^\n]*)                                                  # 6 comment
  | ( 0[xX](?:_?[0-9a-fA-F])+ | 0[oO](?:_?[0-7])+ | 0[bB](?:_?[01])+
    | (?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)
      (?:[eE][+-]?[0-9](?:_?[0-9])*)?[jJ]?
    | \.\.\. )                                                  # 7 number, ellipsis
  | (->|[-+]=|\*\*?=|//?=?|!=)?(?(8)|(\*\*?|[-+~]))             # 8 ignored, 9 operator
  | (\\\n)                                                      # 10 continuation
"""
