"""Tests as facts: what a way through a function knows because it came past a test.

A fact is a test as text and whether it holds. What a function returns has a name of its own, so
that "it is written if the result is not 'false'" can be said to the caller, who gives the result
another name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lambda_lint.finding import Span
from lambda_lint.model.program import Function
from lambda_lint.syntax import nodes

Fact = tuple[str, bool]
"""A test, as text, and whether it holds."""

RESULT = "<result>"
"""What facts call the value that a function returns; `<result>0` is the first of a tuple."""


def fact_of(test: nodes.Expression, truth: bool, call: nodes.Node | None = None) -> Fact | None:
    """Return what one branch of a test knows; None when asking again may give another answer.

    `call` is the call whose result is known by the name of results. That something is not equal
    is the opposite of its being equal, and `is` asks the same of None, True and False.
    """
    if isinstance(test, nodes.Comparison) and len(test.operators) == 1:
        operator, right = test.operators[0], test.comparators[0]
        is_plain = _is_symbol(right) or (
            isinstance(right, nodes.Constant) and right.kind in ("none", "bool")
        )
        if operator in ("==", "!=") or (operator in ("is", "is not") and is_plain):
            alike = nodes.Comparison(test.span, test.left, ["=="], [right])
            text = text_of(alike, call)
            return None if text is None else (text, truth is (operator in ("==", "is")))
    text = text_of(test, call)
    return None if text is None else (text, truth)


def constants_returned(function: Function) -> tuple[nodes.Expression, ...]:
    """Return the constants that a function may return, alone or in a tuple.

    Those are literals, and what is written like a constant: `ERROR`, `Result.FAILED`.
    """
    found: dict[str, nodes.Expression] = {}
    for value, _ in function.returns:
        for one in value.items if isinstance(value, nodes.Collection) else (value,):
            text = text_of(one)
            is_literal = isinstance(one, (nodes.Constant, nodes.UnaryOperation))
            if text is not None and (is_literal or _is_symbol(one)):
                found[text] = one
    return tuple(found.values())


def _is_symbol(node: nodes.Expression | None) -> bool:
    match node:
        case nodes.Name(id=name) | nodes.Attribute(value=nodes.Name(), attr=name):
            return name.isupper()
    return False


def facts_of_value(
    name: str, value: nodes.Expression | None, asked: Iterable[nodes.Expression]
) -> Iterator[Fact]:
    """Yield what is known of a name that holds a value: its truth, and which constants it equals.

    None stands for the result of a function that ends without `return`. Two constants of different
    names are two values: nobody returns them to be told apart otherwise.
    """
    match value:
        case nodes.Constant():
            kind, held = value.kind, value.value
        case nodes.UnaryOperation(operator="-", operand=nodes.Constant(kind="int", value=int(one))):
            kind, held = "int", -one
        case None:
            kind, held = "none", None
        case nodes.Collection(items=items) if not any(
            isinstance(one, nodes.Starred) for one in items
        ):
            yield f" {name} ", bool(items)
            kind, held = "other", None
        case nodes.Dict(items=items) if all(one.key is not None for one in items):
            yield f" {name} ", bool(items)
            kind, held = "other", None
        case _ if _is_symbol(value):
            kind, held = "symbol", None
        case _:
            return
    if kind in ("str", "int", "float", "bool", "none"):
        yield f" {name} ", bool(held)
    own = nodes.Name(_NOWHERE, name)
    if isinstance(held, int) and kind == "int":
        zero = nodes.Constant(_NOWHERE, "int", 0)
        for operator, holds in (("<", held < 0), (">", held > 0), ("<=", held <= 0)):
            yield _joined(None, operator, own, zero) or "", holds
        yield _joined(None, ">=", own, zero) or "", held >= 0
    mine = _NONE if value is None else text_of(value)
    texts = {_NONE, *(text_of(one) for one in asked)}
    for other in sorted(one for one in texts if one is not None):
        yield f"==<{text_of(own)}|{other}>", other == mine


def is_of_result(fact: Fact) -> bool:
    """Whether a fact speaks of nothing but what a function returns."""
    names = re.findall(r" (\S+) ", fact[0])
    return any(one.startswith(RESULT) for one in names) and all(
        one.startswith(RESULT) or _is_constant_name(fact[0], one) for one in names
    )


def _is_constant_name(text: str, name: str) -> bool:
    """Whether a name of a fact is written like a constant, or is where one is taken from."""
    return name.isupper() or re.search(rf" {re.escape(name)} \.[A-Z][A-Z0-9_]*\b", text) is not None


def renamed(fact: Fact, name: str, other: str) -> Fact | None:
    """Return what a fact says of another name; None if it does not speak of the first."""
    word = f" {name} "
    return (fact[0].replace(word, f" {other} "), fact[1]) if word in fact[0] else None


def text_of(test: nodes.Node, call: nodes.Node | None = None) -> str | None:
    """Return a test as text, its names between blanks; None when asking again may differ."""
    if call is not None and test is call:
        return f" {RESULT} "
    match test:
        case nodes.Name(id=name):
            return f" {name} "
        case nodes.Constant(kind=kind, value=value):
            return f"{kind}:{value!r}".replace(" ", "_")
        case nodes.Walrus(target=nodes.Name(id=name)):
            return f" {name} "
        case nodes.Await(value=value):
            return text_of(value, call) if value is call else None
        case nodes.Attribute(value=value, attr=attr):
            inner = text_of(value, call)
            return f"{inner}.{attr}" if inner is not None else None
        case nodes.Subscript(value=value, index=index):
            return _joined(call, "[", value, index)
        case nodes.Comparison(left=left, operators=operators, comparators=comparators):
            return _joined(call, ",".join(operators).replace(" ", "_"), left, *comparators)
        case nodes.Call(func=func, arguments=arguments):
            name = func.attr if isinstance(func, nodes.Attribute) else getattr(func, "id", "")
            if name in _STEADY:
                return _joined(call, "(", func, *(one.value for one in arguments))
        case nodes.UnaryOperation(operator=operator, operand=operand):
            return _joined(call, operator, operand)
        case nodes.Collection(items=items):
            return _joined(call, "()", *items)
    return None


def _joined(call: nodes.Node | None, word: str, *parts: nodes.Node) -> str | None:
    texts = [text_of(one, call) for one in parts]
    if any(one is None for one in texts):
        return None
    return f"{word}<{'|'.join(one for one in texts if one is not None)}>"


_NONE = "none:None"

_NOWHERE = Span(1, 1, 1, 1)

_STEADY = frozenset(
    {"get", "isinstance", "len", "startswith", "endswith", "lower", "bool", "upper"}
)
"""Calls that give the same answer when they are asked again."""
