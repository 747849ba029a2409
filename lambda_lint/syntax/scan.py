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


_NAME, _OPEN, _CLOSE, _NEWLINE, _STRING, _COMMENT, _NUMBER, _OPERATOR, _CONTINUED, _COLON = range(
    1, 11
)

# All characters above ASCII count as letters here; the parser refuses those that are none.
_PATTERN = r"""
    ([A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*)
  | ([(\[{])
  | ([)\]}])
  | (\n[\ \t\f\n]*)
  | ( \"\"\"(?:[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*\"\"\"|[\s\S]*)
    | '''(?:[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*'''|[\s\S]*)
    | "[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"?
    | '[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'?
    )
  | (\#[^\n]*)
  | ( 0[xX](?:_?[0-9a-fA-F])+ | 0[oO](?:_?[0-7])+ | 0[bB](?:_?[01])+
    | (?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)
      (?:[eE][+-]?[0-9](?:_?[0-9])*)?[jJ]?
    | \.\.\.
    )
  | (\*\*(?!=)|\*(?![*=])|[-+](?![=>])|~)
  | (\\\n)
"""
_TOKEN = re.compile(_PATTERN, re.VERBOSE)
#: Within a replacement field a colon may end the expression.
_FIELD_TOKEN = re.compile(_PATTERN + "|(:)", re.VERBOSE)

_PREFIXES = frozenset(("r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt"))
_QUOTE = re.compile(r"""\"\"\"|'''|"|'""")


def _literal(quote: str, *, raw: bool, spec: bool) -> re.Pattern[str]:
    """What the literal part of an f-string, or of a format specification in one, consists of."""
    mark = quote[0]
    plain = rf"[^\\{{}}{mark}\n]+"
    if len(quote) == 3:
        plain = rf"[^\\{{}}{mark}]+|{mark}(?!{mark}{mark})"
    doubled = "" if spec else r"|\{\{|\}\}"
    named = "" if raw else r"|\\N\{[^{}\n]*\}"
    return re.compile(rf"(?:{plain}{doubled}{named}|\\[^{{}}]|\\(?=[{{}}]))*")


_LITERALS = {
    (quote, raw, spec): _literal(quote, raw=raw, spec=spec)
    for quote in ('"', "'", '"""', "'''")
    for raw in (False, True)
    for spec in (False, True)
}


class _FormattedString:
    """An f-string or t-string that is open: how it ends, and its open replacement fields."""

    __slots__ = ("depth", "fields", "quote", "raw")

    def __init__(self, quote: str, raw: bool, depth: int) -> None:
        self.quote = quote
        self.raw = raw
        self.depth = depth
        #: The bracket depth inside of each open field; a field in a field's format
        #: specification is behind it.
        self.fields: list[int] = []


class _Scanner:
    """The state of the pass."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.places: list[tuple[int, int, int, int]] = []
        self.comments: list[Comment] = []
        #: First and last token (exclusive) of the statements that may be too much.
        self.suspects: list[tuple[int, int]] = []
        self.trouble: Trouble | None = None
        self.line = 1
        #: Offset of the character before the first of the current line.
        self.before = -1
        self.depth = 0
        self.strings: list[_FormattedString] = []

    def run(self) -> None:
        """Scan the whole text. The loop is long because a call for each token would double it."""
        text, words, places, strings = self.text, self.words, self.places, self.strings
        line, before, depth = self.line, self.before, self.depth
        position = first = peak = 0
        name_end = -1
        while True:
            string_at = -1
            for match in (_FIELD_TOKEN if strings else _TOKEN).finditer(text, position):
                kind = match.lastindex
                start, end = match.span()
                if kind == _NAME:
                    words.append(match[0])
                    places.append((line, start - before, line, end - before))
                    name_end = end
                elif kind == _OPEN:
                    words.append(match[0])
                    places.append((line, start - before, line, end - before))
                    depth += 1
                    if depth > peak:
                        peak = depth
                        if depth > MAX_BRACKETS:
                            self.trouble = Trouble(line, start - before, _TOO_DEEP)
                            return
                elif kind == _CLOSE:
                    words.append(match[0])
                    places.append((line, start - before, line, end - before))
                    if strings and depth == strings[-1].fields[-1]:
                        strings[-1].fields.pop()
                        string_at = end
                    if depth:
                        depth -= 1
                    if string_at >= 0:
                        break
                elif kind == _NEWLINE:
                    line += text.count("\n", start, end)
                    before = text.rfind("\n", start, end)
                    if not depth:
                        if len(words) - first > _SUSPECT_TOKENS or peak > _SUSPECT_DEPTH:
                            self.suspects.append((first, len(words)))
                        first = len(words)
                        peak = 0
                elif kind == _STRING:
                    column = start - before
                    prefix = ""
                    if start == name_end and words[-1].lower() in _PREFIXES:
                        prefix = words.pop().lower()
                        column = places.pop()[1]
                    if "f" in prefix or "t" in prefix:
                        quote = _QUOTE.match(text, start)
                        assert quote is not None, "a string begins with a quote"
                        string_at = quote.end()
                        words.append('f"')
                        places.append((line, column, line, string_at - before))
                        strings.append(_FormattedString(quote[0], "r" in prefix, depth))
                        break
                    begin = line
                    newlines = text.count("\n", start, end)
                    if newlines:
                        line += newlines
                        before = text.rfind("\n", start, end)
                    words.append('"')
                    places.append((begin, column, line, end - before))
                elif kind == _COMMENT:
                    own_line = not text[before + 1 : start].strip()
                    self.comments.append(Comment(line, start - before, match[0], own_line))
                elif kind == _CONTINUED:
                    line += 1
                    before = end - 1
                elif kind == _COLON:
                    if depth == strings[-1].fields[-1]:
                        string_at = end
                        break
                else:
                    words.append(match[0])
                    places.append((line, start - before, line, end - before))
            if string_at < 0:
                break
            self.line, self.before, self.depth = line, before, depth
            position = self._formatted(string_at)
            line, before, depth = self.line, self.before, self.depth
            peak = max(peak, depth)
            if depth > MAX_BRACKETS:
                self.trouble = Trouble(line, position - before, _TOO_DEEP)
                return
        self.suspects.append((first, len(words)))

    def _formatted(self, position: int) -> int:
        """Go on in an f-string, from a literal part to where an expression begins or it ends."""
        text = self.text
        string = self.strings[-1]
        while True:
            literal = _LITERALS[string.quote, string.raw, bool(string.fields)]
            match = literal.match(text, position)
            assert match is not None, "the pattern matches the empty string"
            newlines = text.count("\n", position, match.end())
            if newlines:
                self.line += newlines
                self.before = text.rfind("\n", position, match.end())
            position = match.end()
            if text.startswith(string.quote, position):
                self._add('"f', position, len(string.quote))
                self.strings.pop()
                self.depth = string.depth
                return position + len(string.quote)
            character = text[position : position + 1]
            if character == "{":
                self._add("{", position, 1)
                self.depth += 1
                string.fields.append(self.depth)
                return position + 1
            if character != "}":
                # The string does not end: a syntax error, which the parser will tell.
                self.strings.clear()
                self.depth = 0
                return position
            if string.fields:
                self._add("}", position, 1)
                string.fields.pop()
                self.depth -= 1
            position += 1

    def _add(self, word: str, position: int, length: int) -> None:
        column = position - self.before
        self.words.append(word)
        self.places.append((self.line, column, self.line, column + length))


# A statement below these figures cannot be too much for the parser.
_SUSPECT_TOKENS = 100
_SUSPECT_DEPTH = 4


def _weigh(scanner: _Scanner, max_bytes: int) -> Trouble | None:
    """Return what in the scanned file would be too much for the parser."""
    words, places = scanner.words, scanner.places
    max_tokens = max_bytes // BYTES_PER_TOKEN
    if len(words) > max_tokens:
        line, column, *_ = places[max_tokens]
        return Trouble(
            line, column, f"the file has more than the {max_tokens} tokens that are analysed"
        )
    scale = _Scale(scanner.text, words, places)
    for first, last in scanner.suspects:
        trouble = scale.chains(first, last) or scale.patterns(first, last)
        if trouble:
            return trouble
    return _elifs(words, places)


class _Scale:
    """Estimates the depth and the cost of statements; the cost adds up over the file."""

    def __init__(
        self, text: str, words: Sequence[str], places: Sequence[tuple[int, int, int, int]]
    ) -> None:
        self.text = text
        self.words = words
        self.places = places
        self.work = 0
        self.line_starts: list[int] = []

    def chains(self, first: int, last: int) -> Trouble | None:
        """Follow the chains of a statement; what a comma separates does not add up.

        The depth of an item is at most the number of its own links (operators, dots, trailers)
        and the depth of the deepest bracket in it. What is not a recorded token shows in the gaps
        between the tokens.
        """
        item = _Item(first)
        stack: list[_Item] = []
        for index in range(first, last):
            word = self.words[index]
            gap = self._gap(index) if index > first else ""
            if gap:
                if item.lambdas:
                    item.lambdas = max(0, item.lambdas - gap.count(":"))
                if ("," in gap and not item.lambdas) or ";" in gap:
                    self.work += item.end(index)
                elif gap == ".":
                    item.links += 1
                    item.trailers += 1
                else:
                    self.work += item.operator(index)
            if word in _OPENING:
                stack.append(item)
                item = _Item(index)
            elif word in _CLOSING:
                self.work += item.end(index)
                deepest = item.deepest
                item = stack.pop() if stack else _Item(index)
                item.deep = max(item.deep, deepest + 1)
                item.links += 1
                item.trailers += 1
            elif word in _OPERATORS:
                self.work += item.operator(index)
                if word == "lambda":
                    item.lambdas += 1
            if item.links + item.deep > MAX_CHAIN:
                return self._trouble(index, f"an expression is nested more than {MAX_CHAIN} deep")
            if self.work > MAX_WORK:
                return self._trouble(index, _TOO_SLOW)
        self.work += item.end(last)
        return self._trouble(last - 1, _TOO_SLOW) if self.work > MAX_WORK else None

    def patterns(self, first: int, last: int) -> Trouble | None:
        """Charge what LibCST's parser tries again and again: patterns, and targets of `del`.

        LibCST 1.9 doubles its time with each bracket around a target of `del` or in a pattern,
        and takes four times as long for each mapping pattern.
        """
        words = self.words
        if first == last or not (words[first] == "case" or "del" in words[first:last]):
            return None
        weights = [1]
        for index in range(first, last):
            word = words[index]
            if word in _OPENING:
                weights.append(weights[-1] * (4 if word == "{" else 2))
                self.work += 8 * weights[-1]
                if self.work > MAX_WORK:
                    return self._trouble(index, _TOO_SLOW)
            elif word in _CLOSING and len(weights) > 1:
                weights.pop()
            # Behind the pattern there is a guard, or a colon and a body.
            behind = len(weights) == 1 and words[first] == "case" and index + 1 < last
            if behind and (words[index + 1] == "if" or ":" in self._gap(index + 1)):
                break
        return None

    def _gap(self, index: int) -> str:
        """The operators and separators, but no blanks and comments, before a token."""
        line, column = self.places[index - 1][2:]
        end_line, end_column = self.places[index][:2]
        if line == end_line and column == end_column:
            return ""
        if not self.line_starts:
            self.line_starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        start = self.line_starts[line - 1] + column - 1
        gap = self.text[start : self.line_starts[end_line - 1] + end_column - 1]
        return (_COMMENTS.sub("", gap) if "#" in gap else gap).strip(" \t\f\n\\")

    def _trouble(self, index: int, message: str) -> Trouble:
        line, column, *_ = self.places[index]
        return Trouble(line, column, message)


_TOO_DEEP = f"brackets are nested more than {MAX_BRACKETS} deep"
_TOO_SLOW = "long chains or deeply nested patterns would take the parser too long: split them"
_COMMENTS = re.compile(r"#[^\n]*")
_OPENING = frozenset(("(", "[", "{", 'f"'))
_CLOSING = frozenset((")", "]", "}", '"f'))
_OPERATORS = frozenset(
    ("+", "-", "*", "**", "~", "and", "or", "not", "in", "is", "if", "else", "lambda", "await")
)


class _Item:
    """What stands between two commas of one bracket."""

    __slots__ = ("deep", "deepest", "first", "lambdas", "links", "primary", "trailers")

    def __init__(self, first: int) -> None:
        self.first = first
        self.links = 0
        #: The depth of the deepest bracket in this item.
        self.deep = 0
        #: The depth of the deepest item before it in the same bracket.
        self.deepest = 0
        #: How many parameter lists of lambdas are open: their commas separate no items.
        self.lambdas = 0
        #: The token behind the last operator, and how many calls, attributes and subscripts
        #: follow it.
        self.primary = first
        self.trailers = 0

    def operator(self, index: int) -> int:
        """Note an operator at a token; return the cost of the operand before it."""
        cost = self.trailers * (index - self.primary)
        self.links += 1
        self.primary = index
        self.trailers = 0
        return cost

    def end(self, index: int) -> int:
        """Begin the next item at a token; return the cost of this one.

        LibCST needs about eight times as long for a trailer as for an operator.
        """
        cost = self.trailers * (index - self.primary) + self.links * (index - self.first) // 8
        self.deepest = max(self.deepest, self.deep + self.links)
        self.first = self.primary = index
        self.links = self.deep = self.trailers = 0
        return cost


def _elifs(words: Sequence[str], places: Sequence[tuple[int, int, int, int]]) -> Trouble | None:
    if words.count("elif") <= MAX_ELIFS:
        return None
    counts: dict[int, int] = {}
    last_line = 0
    for word, (line, column, end_line, _) in zip(words, places, strict=True):
        if line != last_line:
            if word == "elif":
                counts[column] = counts.get(column, 0) + 1
                if counts[column] > MAX_ELIFS:
                    return Trouble(line, column, f"an `if` has more than {MAX_ELIFS} `elif`")
            elif word == "if":
                counts[column] = 0
        last_line = end_line
    return None
