"""Hostile Python files, shared by all tests that must survive them.

Run as a script with the number of a group it parses the files of that group and prints what
became of each, so that a crash of the process costs one test and not the run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ANALYSED = "analysed"
REFUSED = "refused"


#: Name, content, verdict, and perhaps words of the refusal and the path.
_Files = Iterator[tuple[Any, ...]]


@dataclass(frozen=True)
class Hostile:
    """A file, what must become of it, and words that the refusal must have."""

    group: int
    name: str
    data: bytes
    verdict: str
    says: str = ""
    path: str = "app.py"


GROUPS = {
    1: "nested brackets",
    2: "runs of unary operators",
    3: "chains of binary operators",
    4: "chains of attributes and calls",
    5: "long and deep statements",
    6: "large files",
    7: "characters that no Python file has",
    8: "encodings that cannot be decoded",
    9: "encodings that can be decoded",
    10: "line endings",
    11: "old, new and broken syntax",
    12: "identifiers and text direction",
    13: "terminal escapes and markup in source",
    14: "file names",
    15: "patterns and deletions that take the parser exponential time",
    16: "strings that look like something else",
}


def cases(*groups: int) -> Iterator[Hostile]:
    """Yield the files of these groups, or of all."""
    for group in groups or GROUPS:
        for name, content, verdict, *rest in _GENERATORS[group]():
            data = content.encode() if isinstance(content, str) else content
            yield Hostile(group, name, data, verdict, *rest)


def _brackets() -> _Files:
    yield "199 parentheses", "x = " + "(" * 199 + "1" + ")" * 199 + "\n", ANALYSED
    for count in (250, 2_000, 100_000):
        for left, right in ("()", "[]", "{}"):
            text = "x = " + left * count + "1" + right * count + "\n"
            yield f"{count} of {left}", text, REFUSED, "brackets are nested"
    yield "2000 calls", "f(" * 2_000 + ")" * 2_000 + "\n", REFUSED, "brackets are nested"
    yield "2000 open brackets", "x = " + "(" * 2_000, REFUSED, "brackets are nested"
    fields = 'f"{' * 300 + "1" + '}"' * 300
    yield "300 nested f-strings", f"x = {fields}\n", REFUSED, "brackets are nested"
    spec = "{a:" * 300 + "}" * 300
    yield "300 nested format specifications", f'x = f"{spec}"\n', REFUSED, "brackets are nested"
    level = "(a or b and not c < d | e ^ f & g << h + i * -j ** "
    text = "x = " + level * 190 + "a" + ")" * 190 + "\n"
    yield "190 brackets with ten operators each", text, REFUSED, "nested more than"
    level = "a.b(1, 2)[c](lambda x, y: x, d=" * 60
    yield "60 calls of calls", "x = " + level + "1" + ")" * 60 + "\n", ANALYSED


def _unary() -> _Files:
    yield "50000 minus", "x = " + "-" * 50_000 + "1\n", REFUSED, "nested more than"
    yield "3000 not", "x = " + "not " * 3_000 + "1\n", REFUSED, "nested more than"
    yield "3000 tildes", "x = " + "~" * 3_000 + "1\n", REFUSED, "nested more than"
    yield "100 minus", "x = " + "-" * 100 + "1\n", ANALYSED
    yield "3000 lambdas", "x = " + "lambda a, b: " * 3_000 + "1\n", REFUSED, "nested more than"
    yield "3000 else", "x = " + "1 if a else " * 3_000 + "1\n", REFUSED, "nested more than"
    lambdas = "".join(f"    lambda a, b: {n},\n" for n in range(3_000))
    yield "a list of 3000 lambdas", f"x = [\n{lambdas}]\n", ANALYSED


def _sums() -> _Files:
    yield "500 terms", "x = 1" + "+1" * 499 + "\n", ANALYSED
    for count in (5_000, 70_000):
        yield f"{count} terms", "x = 1" + "+1" * count + "\n", REFUSED, "nested more than"
        lines = "x = (1\n" + "  + 1  # a, b\n" * count + ")\n"
        yield f"{count} terms on lines of their own", lines, REFUSED, ""
    yield "5000 quotients", "x = 1" + "/1" * 5_000 + "\n", REFUSED, "nested more than"
    yield "100 sums of 1000 terms", ("x = 1" + "+1" * 700 + "\n") * 100, REFUSED, "too long"
    yield "3000 sums in a list", "x = [\n" + "a + b + c,\n" * 3_000 + "]\n", ANALYSED


def _chains() -> _Files:
    yield "1000 attributes", "a" + ".b" * 1_000 + "\n", ANALYSED
    for count in (20_000, 70_000):
        yield f"{count} attributes", "a" + ".b" * count + "\n", REFUSED, "nested more than"
    yield "3000 calls", "a" + "()" * 3_000 + "\n", REFUSED, "nested more than"
    yield "3000 subscripts", "a" + "[0]" * 3_000 + "\n", REFUSED, "nested more than"
    yield "300 calls", "a" + ".b()" * 300 + "\n", ANALYSED
    text = "a" + (".b(" + "1," * 200 + ")") * 400 + "\n"
    yield "400 calls with 200 arguments", text, REFUSED, "too long"


def _long() -> _Files:
    yield "2000 adjacent strings", "x = " + '"a" ' * 2_000 + "\n", ANALYSED
    yield "1000 elif", "if a:\n    pass\n" + "elif b:\n    pass\n" * 1_000, ANALYSED
    many = "if a: pass\n" + "elif b if c else d: pass\n" * 5_000
    yield "5000 elif", many, REFUSED, "`elif`"
    separate = ("if a: pass\n" + "elif b: pass\n" * 10) * 300
    yield "3000 elif of 300 statements", separate, ANALYSED
    body = "".join(" " * n + f"def f{n}():\n" for n in range(90))
    yield "90 nested functions", body + " " * 90 + "pass\n", ANALYSED
    for count, verdict, says in ((99, ANALYSED, ""), (101, REFUSED, "too many levels")):
        body = "".join(" " * n + "if a:\n" for n in range(count))
        yield f"{count} nested statements", body + " " * count + "pass\n", verdict, says
    yield "3000 statements without a body", "if a:\n" * 3_000, REFUSED, "syntax error"
    yield "1000 decorators", "@a\n" * 1_000 + "def f(): pass\n", ANALYSED
    yield "1000 targets", "a = " * 1_000 + "1\n", ANALYSED


def _large() -> _Files:
    pairs = "".join(f'"key_{n:05}": {n},\n' for n in range(100_000))
    yield "100000 keys", "x = {\n" + pairs + "}\n", REFUSED, "bytes"
    yield "100000 short keys", "x = {" + "1:1," * 100_000 + "}\n", REFUSED, "tokens"
    yield "200000 lines", "x = 1\n" * 200_000, REFUSED, "bytes"
    yield "5 MB in a line", "x = '" + "a" * 5_000_000 + "'\n", REFUSED, "bytes"
    yield "a string of 1 MB", "x = '" + "a" * 1_000_000 + "'\n", ANALYSED
    yield "a comment of 1 MB", "x = 1  # " + "a, " * 300_000 + "\n", ANALYSED
    yield "500000 blank lines", "\n" * 500_000 + "x = 1\n", ANALYSED
    yield "a number of 100000 digits", "x = " + "9" * 100_000 + "\n", ANALYSED
    yield "a name of 100000 letters", "a" * 100_000 + " = 1\n", ANALYSED
    open_string = "x = '''" + "\\'" * 200_000
    yield "an open string of 400 kB", open_string, REFUSED, "syntax error"
    yield "200000 quotes", "x = " + '"' * 200_001 + "\n", REFUSED, ""
    yield "open f-strings", "f'''{" * 150 + "\n", REFUSED, ""


def _characters() -> _Files:
    yield "a NUL", b"x = 1\ny = '\0'\n", REFUSED, "NUL"
    yield "only NULs", b"\0" * 1_000, REFUSED, "NUL"
    yield "a surrogate by utf-7", b"# coding: utf-7\nx = '+2AA-'\n", REFUSED, ""
    escape = b"# coding: unicode_escape\nx = '\\ud800'\n"
    yield "a surrogate by unicode_escape", escape, REFUSED, "surrogate"
    yield "a surrogate as an escape", "x = '\\ud800'\n", ANALYSED
    yield "U+0085 and U+2028 in a string", "x = 'a\x85b\u2028c'\ny = 1\n", ANALYSED
    yield "a no-break space", "x\u00a0= 1\n", REFUSED, "syntax error"
    yield "random bytes", bytes(range(1, 256)) * 40, REFUSED, ""


def _undecodable() -> _Files:
    yield "an unknown encoding", "# coding: nosuch\nx = 1\n", REFUSED, "unknown encoding"
    yield "a codec that is no text encoding", "# coding: rot13\nk = 1\n", REFUSED, "rot13"
    yield "hex", "# coding: hex\nx = 1\n", REFUSED, "hex"
    yield "undefined", "# coding: undefined\nx = 1\n", REFUSED, "undefined"
    yield "utf-16 declared", "# coding: utf-16\nx = 10\n", REFUSED, "utf-16"
    yield "utf-16 with its BOM", "x = 1\n".encode("utf-16"), REFUSED, "UTF-16"
    yield "latin-1 undeclared", b"x = 1\ny = '\xe9'\n", REFUSED, "0xe9"
    yield "BOM and latin-1", b"\xef\xbb\xbf# coding: latin-1\n", REFUSED, "byte order mark"
    yield "a path as encoding", "# coding: ../../etc/passwd\n", REFUSED, "unknown encoding"
    yield "a module as encoding", "# coding: aliases\nx = 1\n", REFUSED, "unknown encoding"


def _decodable() -> _Files:
    yield "latin-1", b"# coding: latin-1\nx = '\xe9'\n", ANALYSED
    yield "latin-1 in the declaration", b"# \xe9 coding: latin-1\nx = 1\n", ANALYSED
    yield "a BOM", b"\xef\xbb\xbfx = '\xc3\xa9'\n", ANALYSED
    yield "utf-7", b"# coding: utf-7\nx = '+AOk-'\n", ANALYSED
    yield "an Emacs name", "# -*- coding: utf-8-unix -*-\nx = 'é'\n", ANALYSED
    yield "shift_jis", "# coding: shift_jis\nx = '表'\n".encode("shift_jis"), ANALYSED


def _lines() -> _Files:
    yield "CR only", b"def f():\r    return 1\r", ANALYSED
    yield "all endings", b"x = 1\r\ny = 2\nz = 3\rw = '''a\r\nb\rc'''\r\n", ANALYSED
    yield "form feeds", b"\x0cx = 1\n\x0c\ndef f():\n  \x0c    pass\n\x0c", ANALYSED
    yield "blank lines at the end", b"x = 1\n  \n\t\n", ANALYSED
    yield "no last line ending", b"x = 1", ANALYSED
    yield "an empty file", b"", ANALYSED
    yield "only a BOM", b"\xef\xbb\xbf", ANALYSED
    yield "only a comment", b"# nothing", ANALYSED
    yield "only blank lines", b"\r\n \r\n", ANALYSED
    yield "continued lines", b"x = 1 + \\\r\n  2; y = \\\n 3\nassert x, \\\n\\\n y\n", ANALYSED
    yield "a continuation at the end", b"x = 1 \\", REFUSED, "syntax error"


def _syntax() -> _Files:
    new = {
        "match": "match x:\n    case {'a': [b, *_], **c} | D(e=1) if f:\n        pass\n",
        "except*": "try:\n    pass\nexcept* (A, B) as e:\n    pass\n",
        "PEP 695": "type A[T: int, *Ts, **P] = list[T]\ndef f[T](a: T): ...\nclass C[T]: ...\n",
        "PEP 696": "class C[T = int, *Ts = *tuple[int]]: ...\n",
        "PEP 701": 'x = f"{f"{a[\'b\']}" + "}"!r:>{\'w\'}}"\n',
        "PEP 750": "x = t'{a} {b!r:{c}}'\n",
        "PEP 758": "try:\n    pass\nexcept A, B:\n    pass\n",
        "parenthesised with": "with (open(a) as b, open(c) as d,):\n    pass\n",
        "unpacking": "x = a[*b]\nfor c in *d, *e: pass\nreturn_ = lambda *a, **b: (*a, *b)\n",
    }
    for name, text in new.items():
        yield name, text, ANALYSED
    broken = {
        "Python 2": "print 'x'\n",
        "tabs and spaces": "if a:\n        x\n\ty\n",
        "an open bracket": "x = (1,\ny = 2\n",
        "an open string": "x = 'a\ny = 2\n",
        "a stray bracket": "x = 1)\n",
        "an open f-string": "x = f'{a\ny = 1\n",
        "words": "this is no Python\n",
        "a conflict": "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\n",
        "HTML": "<!DOCTYPE html>\n<html></html>\n",
    }
    for name, text in broken.items():
        yield name, text, REFUSED, "syntax error"
    yield "a template", "{% if a %}\nx = {{ b }}\n{% endif %}\n", REFUSED, "syntax error"


def _identifiers() -> _Files:
    yield "a name to be normalised", "\ufb01le = 1\n", ANALYSED
    yield "an alphabet with marks", "नाम = 1\nनाम.क्षेत्र()\n", ANALYSED
    yield "homoglyphs", "\u0430 = 1\na = \u0430\n", ANALYSED
    yield "bidirectional controls", "x = 1  # \u202e } \u2066 if a\ny = '\u202e'\n", ANALYSED
    yield "a control as a name", "\u202ex = 1\n", REFUSED, "syntax error"
    yield "a plane above the first", "\U0001d431 = '😀'; y = \U0001d431\n", ANALYSED


def _escapes() -> _Files:
    yield "terminal escapes", "x = '\x1b[31m\x9b2J\x07\x1b]0;a\x07'\n", ANALYSED
    yield "an escape outside of a string", "x = 1 \x1b[31m\n", REFUSED, "syntax error"
    yield "markup", "x = '[red][/][link=http://a]'  # [/bold]\n", ANALYSED
    yield "workflow commands", "x = 1  # ##[stop-commands]a\n# ::error::b\n", ANALYSED


def _names() -> _Files:
    for path in (
        "a%0A::error file=b::c,y:z.py",
        "new\nline.py",
        "\x1b[31m.py",
        "invalid-\udcff.py",
        "[red]x[/].py",
        "-rf.py",
        "\u202efdp.py",
    ):
        yield ascii(path), "x = 1\n", ANALYSED, "", path
        yield ascii(path) + " broken", "x = = 1\n", REFUSED, "syntax error", path


def _exponential() -> _Files:
    for count in (30, 199):
        for name, left, right in (
            ("groups", "(", ")"),
            ("sequences", "[", "]"),
            ("mappings", "{1: ", "}"),
            ("classes", "A(b=", ")"),
        ):
            text = "match x:\n    case " + left * count + "a" + right * count + ":\n        pass\n"
            yield f"{count} {name}", text, REFUSED, ""
        text = "del " + "(" * count + "a" + ")" * count + "\n"
        yield f"{count} deletions", text, REFUSED, ""
    mapping = "{1: " * 5 + "a" + "}" * 5
    text = "match x:\n" + f"    case {mapping}: pass\n" * 5_000
    yield "5000 times five mappings", text, REFUSED, "too long"
    text = "match x:\n    case {'a': [{'b': C(d=e)}]}: pass\n    case 1: f(g(h([{'a': (1,)}])))\n"
    yield "a usual pattern", text, ANALYSED
    deep = "f(" * 30 + ")" * 30
    yield "a deep body", f"match x:\n    case 1: {deep}\n    case 2 if {deep}: pass\n", ANALYSED


def _strings() -> _Files:
    deep = "(" * 5_000
    yield "brackets in a string", f"x = '{deep}'\n", ANALYSED
    yield "brackets in a comment", f"x = 1  # {deep}\n", ANALYSED
    yield "brackets in an f-string", f"x = f'{deep}{{{{'\n", ANALYSED
    yield "brackets in a docstring", f'"""{deep}"""\n', ANALYSED
    yield "brackets behind an escaped quote", f"x = 'a\\'{deep}'\n", ANALYSED
    yield "brackets behind a raw backslash", f"x = r'\\\\'; y = {deep}\n", REFUSED, "brackets"
    yield "brackets in a format specification", f"x = f'{{a:{deep}}}'\n", ANALYSED
    yield "brackets behind an f-string", f"x = f'{{a}}' + {deep}\n", REFUSED, "brackets"
    yield "a hash in a field", "x = f'''{a # '}' \n}'''\n", ANALYSED
    yield "named characters", "x = f'\\N{DASH}' f'\\\\N{a}'\n", REFUSED, ""
    yield "an invalid escape", "x = '\\d'; y = f'\\{a}'\n", ANALYSED
    yield "an invalid code point", "x = '\\xZZ'\n", REFUSED, "syntax error"


_GENERATORS = {
    1: _brackets,
    2: _unary,
    3: _sums,
    4: _chains,
    5: _long,
    6: _large,
    7: _characters,
    8: _undecodable,
    9: _decodable,
    10: _lines,
    11: _syntax,
    12: _identifiers,
    13: _escapes,
    14: _names,
    15: _exponential,
    16: _strings,
}


def main(group: int) -> None:
    """Parse the files of a group; print the name, verdict, message and seconds of each as JSON."""
    from lambda_lint.source import Failure, Source
    from lambda_lint.syntax.lower import parse

    for case in cases(group):
        start = time.perf_counter()
        outcome = parse(Source(case.path, case.data))
        seconds = time.perf_counter() - start
        if isinstance(outcome, Failure):
            assert outcome.line >= 1, outcome
            assert outcome.column >= 1, outcome
            assert outcome.path == case.path, outcome
            print(json.dumps([case.name, REFUSED, outcome.message, seconds]))
        else:
            print(json.dumps([case.name, ANALYSED, "", seconds]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
