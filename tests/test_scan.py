"""What one pass over the text finds: comments, places of tokens, and what LibCST cannot bear."""

from __future__ import annotations

import pytest

from lambda_lint.syntax.scan import MAX_BYTES, Comment, check, comments, scan

COMMENTS = [
    ("x = 1  # a", [(1, 8, "# a", False)], "behind code"),
    ("# a\n  # b\n", [(1, 1, "# a", True), (2, 3, "# b", True)], "alone on the line"),
    ("#", [(1, 1, "#", True)], "an empty one"),
    ("x = '# a'\n", [], "in a string"),
    ('x = """\n# a\n"""  # b\n', [(3, 6, "# b", False)], "in and behind a long string"),
    ("x = 'a\\'# b'  # c", [(1, 15, "# c", False)], "behind an escaped quote"),
    ("x = r'\\\\'  # c", [(1, 12, "# c", False)], "behind a raw string"),
    ("x = '''a'b''c\\'''# d'''", [], "quotes in a long string"),
    ("x = ''  # a\ny = '' '' # b", [(1, 9, "# a", False), (2, 11, "# b", False)], "empty strings"),
    (
        "f(  # a\n  1,  # b\n  # c\n)",
        [(1, 5, "# a", False), (2, 7, "# b", False), (3, 3, "# c", True)],
        "in brackets",
    ),
    ("x = f'# {a}# {{# '  # b", [(1, 21, "# b", False)], "in an f-string"),
    ("x = f'{a['#']:#>{b}}'  # c", [(1, 24, "# c", False)], "in a field with the same quotes"),
    ("x = f'''{a  # b '}'\n}'''", [(1, 13, "# b '}'", False)], "a comment in a field"),
    ("x = rf'\\{a}#'  # b", [(1, 16, "# b", False)], "in a raw f-string"),
    ("x = f'\\N{NUMBER SIGN}#' # b", [(1, 25, "# b", False)], "a named character is no field"),
    ("x = f'{a!r:#x}' f'{b:=#}' # c", [(1, 27, "# c", False)], "format specifications"),
    ("x = f'{(lambda: \"#\")()}' # c", [(1, 26, "# c", False)], "a colon in brackets"),
    ("x = t'{a}#' # c", [(1, 13, "# c", False)], "a t-string"),
    ("x = 1 \\\n  # a", [(2, 3, "# a", True)], "behind a continuation"),
    ("a\r# b\r\n# c\n", [(2, 1, "# b", True), (3, 1, "# c", True)], "all line endings"),
    ("é = '😀' # é", [(1, 9, "# é", False)], "columns count code points"),
    ("x = 'a\n# b\n", [(2, 1, "# b", True)], "a string that does not end"),
    ("x = f'a\n# b\n", [(2, 1, "# b", True)], "an f-string that does not end"),
    ("\x0c# a\n", [(1, 2, "# a", True)], "behind a form feed"),
    ("x = 1 # a\x0cb\x85c\u2028d\n", [(1, 7, "# a\x0cb\x85c\u2028d", False)], "no line ending"),
]


@pytest.mark.parametrize(("text", "expected", "why"), COMMENTS)
def test_comments(text: str, expected: list[tuple[int, int, str, bool]], why: str) -> None:
    assert comments(text) == [Comment(*one) for one in expected], why


WORDS = [
    ("a.b, -c", ["a", "b", "-", "c"], "dots and commas begin and end nothing"),
    ("a -= b->c **d *= e**=f", ["a", "b", "c", "**", "d", "e", "f"], "no part of an operator"),
    ("0x_fFor 1_0.5e-3jif 1if 1.real .5 1.. a", [
        "0x_fF", "or", "1_0.5e-3j", "if", "1", "if", "1.", "real", ".5", "1.", "a"
    ], "where numbers end"),
    ("from ... import a", ["from", "...", "import", "a"], "an ellipsis"),
    ("Rb'a' u\"\" if'a'", ['"', '"', "if", '"'], "prefixes belong to their strings"),
    ("f'a{b!r:{c}}d'", ['f"', "{", "b", "r", "{", "c", "}", "}", '"f'], "an f-string"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "why"), WORDS)
def test_words(text: str, expected: list[str], why: str) -> None:
    assert scan(text).words == expected, why


def test_places() -> None:
    found = scan("é = rb'''a\r\nb''' \\\r  + f'{c}'\r\n(d)")
    assert list(zip(found.words, found.places, strict=True)) == [
        ("é", (1, 1, 1, 2)),
        ('"', (1, 5, 2, 5)),
        ("+", (3, 3, 3, 4)),
        ('f"', (3, 5, 3, 7)),
        ("{", (3, 7, 3, 8)),
        ("c", (3, 8, 3, 9)),
        ("}", (3, 9, 3, 10)),
        ('"f', (3, 10, 3, 11)),
        ("(", (4, 1, 4, 2)),
        ("d", (4, 2, 4, 3)),
        (")", (4, 3, 4, 4)),
    ]


# The hostile files of `adversarial` are tried in test_lower; here is what is on either side of a
# limit, and where the trouble is.
TROUBLES = [
    ("(" * 200 + ")" * 200, None, "as many brackets as Python allows"),
    ("x\n" + "(" * 201 + ")" * 201, (2, 201, "more than 200 deep"), "one more"),
    ("x = '" + "(" * 201 + "'", None, "brackets in a string"),
    ("a" + ".b" * 1_490, None, "a long chain"),
    ("a\nb" + ".b" * 1_510, (2, 3_003, "nested more than 1500"), "too long a chain"),
    ("x = [" + "a + b," * 2_000 + "]", None, "commas separate"),
    ("f(" + "a + b if c else d, *e, **f, " * 500 + ")", None, "so they do for arguments"),
    ("a + b; " * 2_000, None, "semicolons separate"),
    ("a + b\n" * 2_000, None, "lines separate"),
    ("(a +\n" * 1 + "b +\n" * 1_600 + "c)", (1_501, 3, "nested more"), "but not in brackets"),
    ("a + \\\n" * 1_600 + "c", (1_501, 3, "nested more"), "nor when they are continued"),
    ("(a  # , ; \n" + "+ b # , ;\n" * 1_600 + ")", (1_502, 1, "nested"), "nor do comments"),
    ("x = " + "'a' " * 3_000, None, "adjacent strings are no chain"),
    ("x = {" + "'a': b.c()," * 2_000 + "}", None, "a dictionary"),
    ("x = [" + "lambda a, b: a," * 2_000 + "]", None, "lambdas side by side"),
    ("x = " + "lambda a, b: " * 1_600, (1, 6_505, "nested"), "lambdas in each other"),
    ("'é'" * 3, None, "a small file"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "why"), TROUBLES, ids=[one[2] for one in TROUBLES])
def test_limits(text: str, expected: tuple[int, int, str] | None, why: str) -> None:
    trouble = check(text)
    if expected is None:
        assert trouble is None, why
    else:
        assert trouble is not None, why
        line, column, message = expected
        assert (trouble.line, trouble.column) == (line, column), why
        assert message in trouble.message, why


def test_size_counts_bytes() -> None:
    assert check("é" * 50, max_bytes=100) is None
    trouble = check("é" * 51, max_bytes=100)
    assert trouble is not None
    assert "102 bytes" in trouble.message


def test_dense_files_have_too_many_tokens() -> None:
    assert check("x=1\n" * 70_000, max_bytes=MAX_BYTES) is None
    trouble = check("x=1\n" * 80_000, max_bytes=MAX_BYTES)
    assert trouble is not None
    assert "149796 tokens" in trouble.message
    assert check("x=1\n" * 80_000, max_bytes=2 * MAX_BYTES) is None


def test_the_limit_of_elif_is_per_statement() -> None:
    chain = "if a: pass\n" + "elif b if c else d: pass\n" * 1_000
    assert check(chain * 2) is None
    trouble = check("if a: pass\n" + "elif b if c else d: pass\n" * 1_501)
    assert trouble is not None
    assert trouble.line == 1_502
