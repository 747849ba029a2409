# ruff: noqa: E501 (A row of a table is easier to read on one line.)
"""Trees and places: tables of what each construct becomes, Python's own `ast` as the judge of
places, and hostile files."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import sysconfig
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import libcst
import pytest

from lambda_lint.finding import Span
from lambda_lint.source import Failure, Source
from lambda_lint.syntax import nodes
from lambda_lint.syntax.lower import parse
from lambda_lint.syntax.stack import is_deep, with_deep_stack

if TYPE_CHECKING:
    from tests import adversarial
else:
    import adversarial


def tree(text: str | bytes) -> nodes.Module:
    data = text if isinstance(text, bytes) else text.encode()
    parsed = parse(Source("app.py", data))
    assert isinstance(parsed, nodes.Module), parsed
    return parsed


def shape(node: object) -> str:
    """A node without its places: `Call(Name(f), [Argument(Name(x), None, '')])`."""
    if isinstance(node, list):
        return "[" + ", ".join(map(shape, node)) + "]"
    if not isinstance(node, nodes.Node):
        return repr(node)
    if isinstance(node, nodes.Name):
        return node.id
    if isinstance(node, nodes.Argument) and node.name is None and not node.star:
        return shape(node.value)
    names = (name for kind in type(node).__mro__[::-1] for name in getattr(kind, "__slots__", ()))
    values = [shape(getattr(node, name)) for name in names if "span" not in name]
    return f"{type(node).__name__}({', '.join(values)})"


SHAPES = [
    ("f(a, b=c, *d, **e)", "Call(f, [a, Argument(c, 'b', ''), Argument(d, None, '*'), Argument(e, None, '**')])"),
    ("a.b.c", "Attribute(Attribute(a, 'b'), 'c')"),
    ("\ufb01.\ufb02", "Attribute(fi, 'fl')"),
    ("None, True, ...", "Collection('tuple', [Constant('none', None), Constant('bool', True), Constant('ellipsis', None)])"),
    ("[0x_f, 1_0, 1_0.5, 2j, 00]", "Collection('list', [Constant('int', 15), Constant('int', 10), Constant('float', 10.5), Constant('complex', '2j'), Constant('int', 0)])"),
    ("9" * 4_000, "Constant('int', None)"),
    ("'a\\n' r'\\n' u'' '''b\n'''", "Constant('str', 'a\\n\\\\nb\\n')"),
    ("b'a\\n' B'b'", "Constant('bytes', \"b'a\\\\n' B'b'\")"),
    ("'\\d'", "Constant('str', '\\\\d')"),
    ("f'a{{\\x41{b!r:>{c}.2}d' 'e{{'", "FormattedString([Constant('str', 'a{A'), b, c, Constant('str', 'd'), Constant('str', 'e{{')])"),
    ("rf'\\n{a}\\{b=}'", "FormattedString([Constant('str', '\\\\n'), a, Constant('str', '\\\\'), b])"),
    ("f'''{a}\"\\'{b}\"\n\\\"'''", "FormattedString([a, Constant('str', '\"\\''), b, Constant('str', '\"\\n\"')])"),
    ("f'\\N{DIGIT ONE}{a}'", "FormattedString([Constant('str', '1'), a])"),
    ("f'{a[\"b\"]}{f'{c}'}'", "FormattedString([Subscript(a, Constant('str', 'b')), FormattedString([c])])"),
    ("f'{x:={y}}{(z:=1)}{w!=v}'", "FormattedString([x, y, Walrus(z, Constant('int', 1)), Comparison(w, ['!='], [v])])"),
    ("a and (b and c) and d or e", "BooleanOperation('or', [BooleanOperation('and', [a, BooleanOperation('and', [b, c]), d]), e])"),
    ("a < b is not c not in d != e", "Comparison(a, ['<', 'is not', 'not in', '!='], [b, c, d, e])"),
    ("not -a ** ~b", "UnaryOperation('not', UnaryOperation('-', BinaryOperation(a, '**', UnaryOperation('~', b))))"),
    ("a // b @ c << d", "BinaryOperation(BinaryOperation(BinaryOperation(a, '//', b), '@', c), '<<', d)"),
    ("a if b else c", "Conditional(b, a, c)"),
    ("a[b]", "Subscript(a, b)"),
    ("a[b, c:d]", "Subscript(a, Collection('tuple', [b, Slice(c, d, None)]))"),
    ("a[b,]", "Subscript(a, Collection('tuple', [b]))"),
    ("a[*b]", "Subscript(a, Collection('tuple', [Starred(b)]))"),
    ("a[::b]", "Subscript(a, Slice(None, None, b))"),
    ("{a, *b}", "Collection('set', [a, Starred(b)])"),
    ("{a: b, **c}", "Dict([DictItem(a, b), DictItem(None, c)])"),
    ("lambda a, /, b=1, *, c, **d: a", "Lambda([Parameter('a', 'positional-only', None, None), Parameter('b', 'positional', Constant('int', 1), None), Parameter('c', 'keyword-only', None, None), Parameter('d', 'keywords', None, None)], a)"),
    ("[a async for b in c if d if e for f in g]", "Comprehension('list', [a], [Clause(b, c, [d, e], True), Clause(f, g, [], False)])"),
    ("{a: b for c in d}", "Comprehension('dict', [a, b], [Clause(c, d, [], False)])"),
    ("f(a for b in c)", "Call(f, [Comprehension('generator', [a], [Clause(b, c, [], False)])])"),
    ("(yield)", "Yield(None, False)"),
    ("(yield from a)", "Yield(a, True)"),
    ("await a", "Await(a)"),
    ("(a := b)", "Walrus(a, b)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SHAPES)
def test_expressions(text: str, expected: str) -> None:
    (statement,) = tree(text + "\n").body
    assert isinstance(statement, nodes.ExpressionStatement)
    assert shape(statement.value) == expected


STATEMENTS = [
    ("a = b, c = d", "Assign([a, Collection('tuple', [b, c])], d)"),
    ("a: b = c", "AnnotatedAssign(a, b, c)"),
    ("a: b", "AnnotatedAssign(a, b, None)"),
    ("a //= b", "AugmentedAssign(a, '//', b)"),
    ("a **= b", "AugmentedAssign(a, '**', b)"),
    ("return", "Return(None)"),
    ("raise a from b", "Raise(a, b)"),
    ("del a, b", "Delete([a, b])"),
    ("del (a, b)", "Delete([Collection('tuple', [a, b])])"),
    ("assert a, b", "Assert(a, b)"),
    ("global a, b", "Global(['a', 'b'])"),
    ("nonlocal a", "Nonlocal(['a'])"),
    ("import async, a.async as async", "Import([Alias('async', None), Alias('a.async', 'async')])"),
    ("async.a(async=async)", "ExpressionStatement(Call(Attribute(async, 'a'), [Argument(async, 'async', '')]))"),
    ("async for async in a.async: pass", "For(async, Attribute(a, 'async'), [Simple('pass')], [], True)"),
    ("if async:\n async with async: pass", "If(async, [With([WithItem(async, None)], [Simple('pass')], True)], [])"),
    ("import a.b as c, d", "Import([Alias('a.b', 'c'), Alias('d', None)])"),
    ("from ....a.b import (c as d, e,)", "ImportFrom('a.b', 4, [Alias('c', 'd'), Alias('e', None)])"),
    ("from . import *", "ImportFrom('', 1, [Alias('*', None)])"),
    ("if a: pass\nelif b: break\nelse: continue", "If(a, [Simple('pass')], [If(b, [Simple('break')], [Simple('continue')])])"),
    ("async for a, in b: c\nelse: d", "For(Collection('tuple', [a]), b, [ExpressionStatement(c)], [ExpressionStatement(d)], True)"),
    ("while a: pass", "While(a, [Simple('pass')], [])"),
    ("try: pass\nexcept (A, B) as e: pass\nexcept: pass\nelse: pass\nfinally: pass", "Try([Simple('pass')], [ExceptHandler(Collection('tuple', [A, B]), 'e', [Simple('pass')]), ExceptHandler(None, None, [Simple('pass')])], [Simple('pass')], [Simple('pass')], False)"),
    ("try: pass\nexcept* A as e: pass", "Try([Simple('pass')], [ExceptHandler(A, 'e', [Simple('pass')])], [], [], True)"),
    ("with (a as b, c): pass", "With([WithItem(a, b), WithItem(c, None)], [Simple('pass')], False)"),
    ("async with (a): pass", "With([WithItem(a, None)], [Simple('pass')], True)"),
    ("@a.b\n@c(d)\nasync def f(g: h = 1, *i) -> j: k", "FunctionDef('f', [Parameter('g', 'positional', Constant('int', 1), h), Parameter('i', 'variadic', None, None)], [ExpressionStatement(k)], [Attribute(a, 'b'), Call(c, [d])], j, True)"),
    ("def f[T: int, *Ts, **P](a: T): pass", "FunctionDef('f', [Parameter('a', 'positional', None, T)], [Simple('pass')], [], None, False)"),
    ("def f(*a: *b): pass", "FunctionDef('f', [Parameter('a', 'variadic', None, Starred(b))], [Simple('pass')], [], None, False)"),
    ("@a\nclass B[T](C, *D, e=F): pass", "ClassDef('B', [C, Argument(D, None, '*'), Argument(F, 'e', '')], [Simple('pass')], [a])"),
    ("class B(): a; b", "ClassDef('B', [], [ExpressionStatement(a), ExpressionStatement(b)], [])"),
    ("type A[T] = b", "TypeAlias('A', b)"),
    ("match a:\n case [b, *c, _] | (b, c) if d: pass", "Match(a, [Case(['b', 'c'], [], d, [Simple('pass')])])"),
    ("match a, b:\n case {1: c, 'x': -1, **d}: pass", "Match(Collection('tuple', [a, b]), [Case(['c', 'd'], [Constant('int', 1), Constant('str', 'x'), UnaryOperation('-', Constant('int', 1))], None, [Simple('pass')])])"),
    ("match a:\n case B.C(d, e=f) as g: pass\n case None | B.D: pass\n case (h), *_: pass", "Match(a, [Case(['d', 'f', 'g'], [Attribute(B, 'C')], None, [Simple('pass')]), Case([], [Constant('none', None), Attribute(B, 'D')], None, [Simple('pass')]), Case(['h'], [], None, [Simple('pass')])])"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), STATEMENTS)
def test_statements(text: str, expected: str) -> None:
    (statement,) = tree(text + "\n").body
    assert shape(statement) == expected


# Syntax that needs a newer LibCST than the oldest supported one.
NEWER = [
    ("t'a{b}'", "FormattedString([Constant('str', 'a'), b])"),
    ("def f[T: int = str, *Ts = *a](a: T): pass", "FunctionDef('f', [Parameter('a', "),
    ("try: pass\nexcept A, B: pass", "Collection('tuple', [A, B])"),
    ("x = (t'a {b}'\n  Rt'c' T\"d{e}\")", "FormattedString([Constant('str', 'a '), b,"),
    ("lazy from a import b", "ImportFrom('a', 0, [Alias('b', None)])"),
    ("lazy import a", "Import([Alias('a', None)])"),
    ("x = [*a for a in b]", "Comprehension('list', [Starred(a)]"),
    ("x = {**a for a in b}", "Comprehension('dict', [Starred(a)]"),
]


@pytest.mark.parametrize(("text", "expected"), NEWER)
def test_newer_syntax(text: str, expected: str) -> None:
    parsed = parse(Source("app.py", text.encode()))
    if isinstance(parsed, Failure):
        assert parsed.message.startswith("syntax error")
        pytest.skip("this LibCST does not know it")
    assert expected in shape(parsed)


# What `ast` does not say, or says otherwise on some version: the text of the first node of a type.
PLACES = [
    ("f(a, b = (c), *(d))\n", nodes.Argument, ["a", "b = (c)", "*(d)"]),
    ("def f(a: b = 1, *c: d, **e): pass\n", nodes.Parameter, ["a: b = 1", "*c: d", "**e"]),
    ("x = {(a): (b), **(c)}\n", nodes.DictItem, ["(a): (b)", "**(c)"]),
    ("with (a) as (b), c: pass\n", nodes.WithItem, ["(a) as (b)", "c"]),
    ("[a for b in (c) if (d) async for e in f]\n", nodes.Clause, ["for b in (c) if (d)", "async for e in f"]),
    ("match a:\n  case b if (c): d\n  case _:\n    e\n", nodes.Case, ["case b if (c): d", "case _:\n    e"]),
    ("x = f'a{ b }c' 'd'\n", nodes.FormattedString, ["f'a{ b }c' 'd'"]),
    ("x = f'a{b}c{d}'\n", nodes.Constant, ["a", "c"]),
    ("x = f'a{ (b) :>{c}}'\n", nodes.Name, ["x", "b", "c"]),
    ("x = f'''\n{a}\n{b:{c}}'''\n", nodes.Name, ["x", "a", "b", "c"]),
    ("x = a[: , 1 : 2 : , ::3, # ::\n : :]\n", nodes.Slice, [":", "1 : 2 :", "::3", ": :"]),
    ("x = a[:, b[:], :]\n", nodes.Slice, [":", ":", ":"]),
    ("x = a[b, :,]\n", nodes.Collection, ["b, :,"]),
    ("x = a , # b,\n", nodes.Collection, ["a ,"]),
    ("x = ((a, b))\n", nodes.Collection, ["(a, b)"]),
    ("x = a[b] \\\n  , ; y\n", nodes.Assign, ["x = a[b] \\\n  ,"]),
    ("@a\n# b\nasync def f(): # c\n  pass # d\n# e\n", nodes.FunctionDef, ["async def f(): # c\n  pass"]),
    ("lazy_ = 1; from . import a as b\n", nodes.Alias, ["a as b"]),
    ("try: a\nexcept B as c: d\nfinally: e\n", nodes.ExceptHandler, ["except B as c: d"]),
    ("if a: b\nelif c: d\nelse:\n  e;\n", nodes.If, ["if a: b\nelif c: d\nelse:\n  e", "elif c: d\nelse:\n  e"]),
    ("é = '😀'; f(é)\n", nodes.Call, ["f(é)"]),
    ("# a\n\nx = 1\n\n# b\n", nodes.Module, ["x = 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "expected"), PLACES)
def test_places(text: str, kind: type[nodes.Node], expected: list[str]) -> None:
    for ending in ("\n", "\r\n", "\r"):
        source = Source("app.py", text.replace("\n", ending).encode())
        parsed = parse(source)
        assert isinstance(parsed, nodes.Module)
        found = [source.slice(one.span) for one in nodes.walk(parsed) if isinstance(one, kind)]
        assert found == [one.replace("\n", ending) for one in expected]


def test_names_of_definitions_have_places() -> None:
    source = Source("app.py", b"@a\nclass  B: \n  async  def  c (self): pass\n")
    parsed = parse(source)
    assert isinstance(parsed, nodes.Module)
    found = [
        source.slice(node.name_span)
        for node in nodes.walk(parsed)
        if isinstance(node, (nodes.ClassDef, nodes.FunctionDef))
    ]
    assert found == ["B", "c"]


# What LibCST's own check of its nodes refuses, although its parser has read it and Python does.
TIGHT = [
    ("def f():\n    return(max(x) if x else '')", "Return(Conditional("),
    ("def f():\n    return(x if y else z)", "Return(Conditional("),
    ("def f():\n    return.5", "Return(Constant('float', 0.5))"),
    ("def f():\n    return(lambda: x)(y)", "Return(Call(Lambda("),
    ("async def f():\n    x = await(a)if b else c", "Conditional("),
    ("async def f():\n    x = await(a)or b", "BooleanOperation('or', [Await(a), b])"),
]


@pytest.mark.parametrize(("text", "expected"), TIGHT)
def test_keywords_without_a_blank(text: str, expected: str) -> None:
    found = tree(text)
    assert expected in shape(found)
    ours = [one.span for one in nodes.walk(found) if isinstance(one, nodes.Name)]
    theirs = [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Name)]
    assert sorted((one.line, one.column) for one in ours) == sorted(
        (one.lineno, one.col_offset + 1) for one in theirs
    )
    # What programs put together is still asked for its blanks.
    with pytest.raises(libcst.CSTValidationError):
        libcst.Return(libcst.Name("x"), whitespace_after_return=libcst.SimpleWhitespace(""))


def test_what_python_refuses_too_is_refused() -> None:
    failure = parse(Source("app.py", b"def f():\n    return(x if y else b'z' 'z')\n"))
    assert isinstance(failure, Failure)
    assert "cannot mix bytes" in failure.message


def test_an_empty_file_has_an_empty_tree() -> None:
    assert tree("").span == Span(1, 1, 1, 1)
    assert tree("# a\n").body == []


ERRORS = [
    ("x = 1\ny = = 2\n", 2, 5, "invalid syntax"),
    ("def f():\nx\n", 2, 1, "expected an indented block"),
    ("x = 1\n\nprint 'a'\n", 3, 1, "Missing parentheses"),
    ("async = 1\nprint 'a'\n", 1, 7, "invalid syntax"),
    ("x = (1,\n", 1, 5, "never closed"),
    ("x = 'é' 1 2\n", 1, 9, "invalid syntax"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), ERRORS)
def test_syntax_errors(text: str, line: int, column: int, message: str) -> None:
    failure = parse(Source("dir/app.py", text.encode()))
    assert isinstance(failure, Failure)
    assert (failure.path, failure.line) == ("dir/app.py", line)
    assert failure.message.startswith("syntax error: ")
    if sys.version_info >= (3, 11):
        assert failure.column == column
        assert message in failure.message


def test_nothing_is_warned_of_and_nothing_is_run(tmp_path: Path) -> None:
    target = tmp_path / "made"
    text = f"'\\d'\nb'\\d'\nf'\\d'\nx is 1\nopen({str(target)!r}, 'w')\nf'''{{open({str(target)!r}, 'w')}}'''\n"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree(text)
        assert isinstance(parse(Source("app.py", (text + ")\n").encode())), Failure)
    assert not target.exists()


def test_the_size_limit_is_a_parameter() -> None:
    source = Source("app.py", b"x = 1\n")
    assert isinstance(parse(source, max_bytes=6_000), nodes.Module)
    failure = parse(source, max_bytes=5)
    assert isinstance(failure, Failure)
    assert failure.message == "the file has 6 bytes; 5 are analysed at most"


def test_deep_stack_returns_raises_and_does_not_nest() -> None:
    def depth(left: int) -> int:
        return depth(left - 1) + 1 if left else 0

    assert with_deep_stack(depth, 15_000) == 15_000
    assert with_deep_stack(lambda: with_deep_stack(threading.current_thread)) is not None
    assert with_deep_stack(is_deep) is True
    assert is_deep() is False
    with pytest.raises(ZeroDivisionError):
        with_deep_stack(lambda: 1 // 0)


@pytest.mark.parametrize("group", adversarial.GROUPS, ids=adversarial.GROUPS.get)
def test_hostile_files(group: int) -> None:
    result = subprocess.run(
        [sys.executable, adversarial.__file__, str(group)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    found = {row[0]: row[1:] for row in map(json.loads, result.stdout.splitlines())}
    for case in adversarial.cases(group):
        verdict, message, seconds = found[case.name]
        assert (case.name, verdict) == (case.name, case.verdict), message
        assert case.says in message, case.name
        # What is refused, is refused at once; the rest allows for a busy machine.
        assert seconds < (5 if verdict == adversarial.REFUSED else 30), case.name


# Modules of the standard library of every Python from 3.10 on, with all kinds of syntax.
MODULES = """
    _pydecimal abc argparse ast asyncio.base_events asyncio.tasks asyncio.streams base64 calendar
    cmd codecs collections concurrent.futures.thread configparser contextlib copy csv ctypes
    dataclasses datetime decimal difflib dis doctest email.message enum fractions functools heapq
    html.parser http.client importlib._bootstrap inspect ipaddress json.decoder logging
    multiprocessing.pool pathlib pickle sqlite3.dbapi2 statistics tarfile tokenize typing
    unittest.mock urllib.parse uuid xml.dom.minidom zipfile
""".split()  # noqa: SIM905


@pytest.mark.parametrize("module", MODULES)
def test_places_are_those_of_ast(module: str) -> None:
    path = Path(sysconfig.get_path("stdlib"), *module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    expected, found = with_deep_stack(places_of, Source(module, path.read_bytes()))
    assert sorted((expected - found).elements()) == []
    assert sorted((found - expected).elements()) == []


Places = Counter[tuple[str, int, int, int, int]]

# Our types for those of ast. Parameters, arguments, items and patterns have other places or none.
TYPES = {
    "Name": "Name",
    "Attribute": "Attribute",
    "Call": "Call",
    "Subscript": "Subscript",
    "Slice": "Slice",
    "Tuple": "Collection",
    "List": "Collection",
    "Set": "Collection",
    "Dict": "Dict",
    "BinOp": "BinaryOperation",
    "BoolOp": "BooleanOperation",
    "Compare": "Comparison",
    "UnaryOp": "UnaryOperation",
    "IfExp": "Conditional",
    "Lambda": "Lambda",
    "ListComp": "Comprehension",
    "SetComp": "Comprehension",
    "DictComp": "Comprehension",
    "GeneratorExp": "Comprehension",
    "Await": "Await",
    "Yield": "Yield",
    "YieldFrom": "Yield",
    "Starred": "Starred",
    "NamedExpr": "Walrus",
    "Constant": "Constant",
    "JoinedStr": "FormattedString",
    "Expr": "ExpressionStatement",
    "Assign": "Assign",
    "AnnAssign": "AnnotatedAssign",
    "AugAssign": "AugmentedAssign",
    "Return": "Return",
    "Raise": "Raise",
    "Delete": "Delete",
    "Assert": "Assert",
    "Global": "Global",
    "Nonlocal": "Nonlocal",
    "Import": "Import",
    "ImportFrom": "ImportFrom",
    "alias": "Alias",
    "Pass": "Simple",
    "Break": "Simple",
    "Continue": "Simple",
    "If": "If",
    "For": "For",
    "AsyncFor": "For",
    "While": "While",
    "Try": "Try",
    "TryStar": "Try",
    "ExceptHandler": "ExceptHandler",
    "With": "With",
    "AsyncWith": "With",
    "Match": "Match",
    "TypeAlias": "TypeAlias",
    "FunctionDef": "FunctionDef",
    "AsyncFunctionDef": "FunctionDef",
    "ClassDef": "ClassDef",
}


def places_of(source: Source) -> tuple[Places, Places]:
    """The types and places of all nodes, by Python and by us; fields of f-strings left out.

    (Before Python 3.12 the places within f-strings are wrong.)
    """
    parsed = parse(source)
    assert isinstance(parsed, nodes.Module), parsed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        python = ast.parse(source.data)
    return Counter(python_places(python, source.lines)), Counter(our_places(parsed))


def python_places(
    node: ast.AST, lines: tuple[str, ...]
) -> Iterator[tuple[str, int, int, int, int]]:
    def column(line: int, utf8: int) -> int:
        return len(lines[line - 1].encode()[:utf8].decode()) + 1

    stack: list[ast.AST] = [node]
    while stack:
        one = stack.pop()
        name = type(one).__name__
        if name in TYPES:
            line, end = one.lineno, one.end_lineno  # type: ignore[attr-defined]
            first, last = one.col_offset, one.end_col_offset  # type: ignore[attr-defined]
            yield TYPES[name], line, column(line, first), end, column(end, last)
        if name not in ("JoinedStr", "TemplateStr", "match_case"):
            # Type parameters and the name of a type alias are no nodes of ours.
            hidden = set(getattr(one, "type_params", ()))
            if name == "TypeAlias":
                hidden.add(one.name)  # type: ignore[attr-defined]
            stack.extend(child for child in ast.iter_child_nodes(one) if child not in hidden)
        elif isinstance(one, ast.match_case):
            stack.extend(one.body)


def our_places(node: nodes.Node) -> Iterator[tuple[str, int, int, int, int]]:
    stack = [node]
    while stack:
        one = stack.pop()
        name = type(one).__name__
        if isinstance(one, nodes.Argument) and one.star == "*":
            name = "Starred"
        if name in TYPES.values():
            yield name, *one.span
        if isinstance(one, nodes.Case):
            stack.extend(one.body)
        elif not isinstance(one, nodes.FormattedString):
            stack.extend(nodes.children(one))
