"""A file of the project: its bytes, its text, and the way between lines, columns and offsets.

The text is decoded once, as Python itself would decode it. Everything that the linter says and
every edit that it makes refers to this text: without a byte order mark, with the line endings
as they are in the file.
"""

from __future__ import annotations

import codecs
import functools
import hashlib
import io
import re
from bisect import bisect_right
from dataclasses import dataclass

from lambda_lint.finding import Span


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file could not be analysed. `line` and `column` are 1-based; columns in characters."""

    path: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the name of its encoding, and whether it began with a UTF-8 BOM."""

    text: str
    encoding: str
    has_bom: bool


@dataclass(frozen=True)
class Source:
    """One Python file.

    `path` is relative to the root of the project, with forward slashes; `data` is the whole
    content. All else is derived from these two when it is first asked for, and is not pickled.
    """

    path: str
    data: bytes

    @functools.cached_property
    def decoded(self) -> Decoded | Failure:
        """The decoded file, or why it cannot be decoded."""
        return decode(self.data, self.path)

    @property
    def text(self) -> str:
        """The text without BOM.

        For a file that cannot be decoded this is a replacement that is only fit to be shown:
        bytes outside of UTF-8 appear as `\\xNN`.
        """
        if isinstance(self.decoded, Failure):
            return self._shown
        return self.decoded.text

    @property
    def encoding(self) -> str:
        """The codec to write the text back with: `utf-8` when the file cannot be decoded."""
        return "utf-8" if isinstance(self.decoded, Failure) else self.decoded.encoding

    @property
    def has_bom(self) -> bool:
        """Whether the file begins with the UTF-8 byte order mark."""
        return self.data.startswith(codecs.BOM_UTF8)

    @functools.cached_property
    def digest(self) -> str:
        """The BLAKE2b hash of the bytes, in hexadecimal."""
        return hashlib.blake2b(self.data, digest_size=16).hexdigest()

    @functools.cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines with their endings, split where Python splits: at LF, CR LF and CR only."""
        return tuple(io.StringIO(self.text, newline=""))

    @functools.cached_property
    def _starts(self) -> list[int]:
        """The offset at which each line begins, and that of a line after a last line ending."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @functools.cached_property
    def _shown(self) -> str:
        return self.data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "backslashreplace")

    def offset(self, line: int, column: int) -> int:
        """Return the 0-based offset in `text` of a 1-based line and column.

        A column may point behind the last character of its line. Raises ValueError for a place
        that the file does not have.
        """
        starts = self._starts
        if 1 <= line <= len(starts) and column >= 1:
            end = starts[line] if line < len(starts) else len(self.text)
            found = starts[line - 1] + column - 1
            if found <= end:
                return found
        raise ValueError(f"{self.path} has no line {line}, column {column}")

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of a 0-based offset in `text`.

        Raises ValueError for an offset outside of the text; its end is inside.
        """
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"{self.path} has no offset {offset}")
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def slice(self, span: Span) -> str:
        """Return the text that a span covers. Raises ValueError as `offset` does."""
        start = self.offset(span.line, span.column)
        return self.text[start : self.offset(span.end_line, span.end_column)]

    def encode(self, text: str) -> bytes:
        """Return `text` as bytes of this file's encoding, with its BOM.

        Raises UnicodeEncodeError for a character that the encoding does not have. A stateful
        codec (utf-7, for one) may write other bytes for the same text: whoever edits compares
        `encode(text)` with `data` first.
        """
        return (codecs.BOM_UTF8 if self.has_bom else b"") + text.encode(self.encoding)

    def __reduce__(self) -> tuple[type[Source], tuple[str, bytes]]:
        """Pickle the two fields only; what is derived from them is cheaper to derive again."""
        return Source, (self.path, self.data)


def decode(data: bytes, path: str = "") -> Decoded | Failure:
    """Decode a Python file by its byte order mark or its encoding declaration (PEP 263).

    `path` is only put into the Failure. A declaration that Python would refuse, bytes that the
    encoding does not have, NUL bytes and lone surrogates are failures.
    """
    has_bom = data.startswith(codecs.BOM_UTF8)
    body = data[len(codecs.BOM_UTF8) :] if has_bom else data
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Failure(path, 1, 1, "the file is UTF-16; Python reads UTF-8: convert the file")
    line, cookie = _cookie(body)
    try:
        encoding = codecs.lookup(_codec(cookie or "utf-8")).name
    except (LookupError, ValueError, SyntaxError):
        return Failure(path, line, 1, f"unknown encoding {cookie!r}: declare one that Python has")
    if has_bom and encoding != "utf-8":
        return Failure(
            path, line, 1, f"encoding {cookie!r} contradicts the UTF-8 byte order mark: remove one"
        )
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        return _undecodable(body, error, encoding, path)
    except (LookupError, ValueError, TypeError, SyntaxError) as error:
        # Codecs that are no text encodings (rot13, hex) and those that refuse all input
        # (undefined) do not raise UnicodeDecodeError.
        return Failure(path, line, 1, f"encoding {cookie!r} cannot decode the file: {error}")
    if cookie and _cookie_in(text, line) != cookie:
        # Such as utf-16: the declaration was read as ASCII, the text then is another one.
        return Failure(path, line, 1, f"encoding {cookie!r} is not compatible with ASCII")
    bad = _FORBIDDEN.search(text)
    if bad:
        before = text[: bad.start()]
        return Failure(
            path,
            len(_LINE_END.findall(before)) + 1,
            len(_last_line(before)) + 1,
            "the file has a NUL character: it is no Python source"
            if bad[0] == "\0"
            else f"the file has a lone surrogate, U+{ord(bad[0]):04X}",
        )
    return Decoded(text, encoding, has_bom)


#: Where Python ends a line; never at a form feed, U+0085 or U+2028 as `str.splitlines` does.
_LINE_END = re.compile(r"\r\n|\r|\n")
_FORBIDDEN = re.compile("[\0\ud800-\udfff]")

# The declaration as PEP 263 defines it, in one of the first two lines; the first line must be
# blank or a comment for the second to count. `tokenize.detect_encoding` is not used: up to
# Python 3.13 it refuses a declaration line with a character of the declared encoding, and it
# knows only LF as a line ending.
_FIRST_LINES = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n)?([^\r\n]*)")
_BLANK = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?")
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def _cookie(data: bytes) -> tuple[int, str | None]:
    """Return the line (1 or 2) of the encoding declaration and the declared name, or (1, None)."""
    match = _FIRST_LINES.match(data)
    assert match is not None, "the pattern matches the empty string"
    first, second = match.groups()
    found = _COOKIE.match(first)
    if found:
        return 1, found[1].decode("ascii")
    if _BLANK.fullmatch(first):
        found = _COOKIE.match(second)
        if found:
            return 2, found[1].decode("ascii")
    return 1, None


def _codec(cookie: str) -> str:
    """Return the codec that Python takes: `utf-8-unix` of Emacs, for one, means `utf-8`."""
    name = cookie.lower().replace("_", "-") + "-"
    if name.startswith("utf-8-"):
        return "utf-8"
    if name.startswith(("latin-1-", "iso-8859-1-", "iso-latin-1-")):
        return "iso-8859-1"
    return cookie


def _cookie_in(text: str, line: int) -> str | None:
    found_line, cookie = _cookie(text.encode("utf-8", "surrogatepass"))
    return cookie if found_line == line else None


def _undecodable(data: bytes, error: UnicodeDecodeError, encoding: str, path: str) -> Failure:
    before = data[: error.start].decode("latin-1")
    tail = _last_line(before).encode("latin-1").decode(encoding, "replace")
    return Failure(
        path,
        len(_LINE_END.findall(before)) + 1,
        len(tail) + 1,
        f"byte 0x{data[error.start]:02x} is not {encoding}: "
        "declare the encoding of the file or convert it",
    )


def _last_line(text: str) -> str:
    return text[max(text.rfind("\n"), text.rfind("\r")) + 1 :]
