"""The text of a file as Python decodes it, and the way between places and offsets."""

from __future__ import annotations

import pickle

import pytest

from lambda_lint.finding import Span
from lambda_lint.source import Decoded, Failure, Source, decode

BOM = b"\xef\xbb\xbf"

DECODED = [
    (b"", Decoded("", "utf-8", False), "an empty file is UTF-8"),
    (b"x = '\xc3\xa9'", Decoded("x = 'é'", "utf-8", False), "UTF-8 is the default"),
    (BOM + b"x", Decoded("x", "utf-8", True), "a BOM is no part of the text"),
    (BOM + BOM + b"x", Decoded("\ufeffx", "utf-8", True), "a second BOM is"),
    (b"# coding: latin-1\n\xe9", Decoded("# coding: latin-1\né", "iso8859-1", False), "a cookie"),
    (
        b"#!/x\n# coding=cp1252\n\x80",
        Decoded("#!/x\n# coding=cp1252\n€", "cp1252", False),
        "line 2",
    ),
    (b"#!/x\r# coding=cp1252\r\x80", Decoded("#!/x\r# coding=cp1252\r€", "cp1252", False), "CR"),
    (b"x\n# coding: rot13", Decoded("x\n# coding: rot13", "utf-8", False), "code stands before"),
    (b"\n\n# coding: rot13", Decoded("\n\n# coding: rot13", "utf-8", False), "line 3"),
    (
        b"# -*- coding: utf-8-unix -*-",
        Decoded("# -*- coding: utf-8-unix -*-", "utf-8", False),
        "Emacs",
    ),
    (
        b"# coding: iso-latin-1-dos",
        Decoded("# coding: iso-latin-1-dos", "iso8859-1", False),
        "Emacs",
    ),
    (BOM + b"# coding: utf8", Decoded("# coding: utf8", "utf-8", True), "BOM and cookie agree"),
    (b"a\rb\r\nc\n\x0cd", Decoded("a\rb\r\nc\n\x0cd", "utf-8", False), "line endings are kept"),
]


@pytest.mark.parametrize(("data", "expected", "why"), DECODED)
def test_decode(data: bytes, expected: Decoded, why: str) -> None:
    assert decode(data) == expected, why
    source = Source("a.py", data)
    assert (source.text, source.encoding, source.has_bom) == (
        expected.text,
        expected.encoding,
        expected.has_bom,
    )
    assert source.encode(source.text) == data


FAILURES = [
    (b"# coding: nosuch\n", 1, 1, "unknown encoding 'nosuch'"),
    (b"#\n# coding: nosuch\n", 2, 1, "unknown encoding 'nosuch'"),
    (b"# coding: rot13\n", 1, 1, "'rot13' cannot decode the file"),
    (b"# coding: undefined\n", 1, 1, "'undefined' cannot decode the file"),
    (b"# coding: utf-16\nx = 10\n", 1, 1, "'utf-16' is not compatible with ASCII"),
    (BOM + b"# coding: latin-1\n", 1, 1, "contradicts the UTF-8 byte order mark"),
    ("x".encode("utf-16"), 1, 1, "the file is UTF-16"),
    (b"a\r\nb\rc\n\xc3\xa9 = '\xe9'", 4, 6, "byte 0xe9 is not utf-8"),
    (b"# coding: ascii\nx = '\xe9'", 2, 6, "byte 0xe9 is not ascii"),
    (b"x = 1\n\xc3\xa9 = '\0'", 2, 6, "NUL"),
    (b"# coding: unicode_escape\nx = '\\ud800'", 2, 6, "lone surrogate, U+D800"),
]


@pytest.mark.parametrize(("data", "line", "column", "message"), FAILURES)
def test_decode_fails(data: bytes, line: int, column: int, message: str) -> None:
    failure = decode(data, "a.py")
    assert isinstance(failure, Failure)
    assert (failure.path, failure.line, failure.column) == ("a.py", line, column)
    assert message in failure.message


def test_a_file_that_cannot_be_decoded_can_be_shown() -> None:
    source = Source("a.py", BOM + b"x\n\xff\n")
    assert isinstance(source.decoded, Failure)
    assert source.lines == ("x\n", "\\xff\n")
    assert (source.encoding, source.has_bom) == ("utf-8", True)


LINES = [
    ("", (), "an empty file has no line"),
    ("a", ("a",), "no last line ending"),
    ("a\nb\r\nc\rd", ("a\n", "b\r\n", "c\r", "d"), "Python's three line endings"),
    ("a\x0cb\x0bc\x1cd\x85e\u2028f\n", ("a\x0cb\x0bc\x1cd\x85e\u2028f\n",), "and no others"),
    ("\n\r\r\n", ("\n", "\r", "\r\n"), "blank lines"),
]


@pytest.mark.parametrize(("text", "lines", "why"), LINES)
def test_lines(text: str, lines: tuple[str, ...], why: str) -> None:
    assert Source("a.py", text.encode()).lines == lines, why


def test_every_offset_has_a_place_and_back() -> None:
    source = Source("a.py", BOM + "ab\r\n\r😀é\x0c\n".encode())
    for offset in range(len(source.text) + 1):
        line, column = source.position(offset)
        assert source.offset(line, column) == offset
    assert source.position(5) == (3, 1)
    assert source.position(len(source.text)) == (4, 1)


@pytest.mark.parametrize(
    ("line", "column"), [(0, 1), (1, 0), (4, 1), (2, 5), (-1, 1), (3, 2)], ids=str
)
def test_a_place_outside_of_the_file(line: int, column: int) -> None:
    with pytest.raises(ValueError, match=r"a\.py has no line"):
        Source("a.py", b"abc\nde\n").offset(line, column)


@pytest.mark.parametrize("offset", [-1, 8])
def test_an_offset_outside_of_the_file(offset: int) -> None:
    with pytest.raises(ValueError, match=r"a\.py has no offset"):
        Source("a.py", b"abc\nde\n").position(offset)


def test_slice() -> None:
    source = Source("a.py", "é = [\n  1]\n".encode())
    assert source.slice(Span(1, 5, 2, 5)) == "[\n  1]"


def test_only_path_and_data_are_pickled() -> None:
    source = Source("a.py", b"x = 1\n")
    fresh = len(pickle.dumps(source))
    assert source.lines
    assert source.digest
    copy = pickle.loads(pickle.dumps(source))
    assert copy == source
    assert len(pickle.dumps(source)) == fresh
    assert copy.digest == source.digest
