"""Stored trees come back as they were, and a spoilt store is an error and nothing worse."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambda_lint.source import Source
from lambda_lint.syntax import nodes, store
from lambda_lint.syntax.lower import parse

if TYPE_CHECKING:
    from tests import adversarial
else:
    import adversarial

TEXT = """\
from __future__ import annotations
import a.b as c, d
@e(1, x=2.5, *f, **g)
class C(D, metaclass=E):
    '''doc \\ud800'''
    n: int = -3j
    async def m(self, /, p=None, *q, r: str = b'x', **s) -> list[int]:
        global y
        async with o as h, i: await self.k
        return {**j, 'l': f'{m!r:>{w}}'}, [t for t in u if v], ..., True, 1e999, 9
try:
    x[1:, ::2] += lambda: (yield)
except* A as err:
    raise B from err
match z:
    case {'a': [q, *_]} if q: pass
type T = int
del aa, bb
"""


def tree(data: bytes) -> nodes.Module:
    parsed = parse(Source("app.py", data))
    assert isinstance(parsed, nodes.Module), parsed
    return parsed


def same(left: nodes.Node, right: nodes.Node) -> None:
    """Compare two trees without recursion; also the types of the values."""
    pairs: list[tuple[Any, Any]] = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        assert type(one) is type(other)
        if isinstance(one, nodes.Node):
            names = [n for kind in type(one).__mro__ for n in getattr(kind, "__slots__", ())]
            pairs.extend((getattr(one, name), getattr(other, name)) for name in names)
        elif type(one) is list:
            assert len(one) == len(other)
            pairs.extend(zip(one, other, strict=True))
        else:
            assert one == other


def through_json(module: nodes.Module) -> nodes.Module:
    return store.load(json.loads(json.dumps(store.dump(module))))


def test_every_field_comes_back() -> None:
    module = tree(TEXT.encode())
    same(module, through_json(module))


# Deep trees, odd line endings, new syntax, odd characters.
@pytest.mark.parametrize("group", [1, 3, 4, 5, 10, 11, 12, 16])
def test_hostile_trees_come_back(group: int) -> None:
    for case in adversarial.cases(group):
        if case.verdict == adversarial.ANALYSED:
            module = tree(case.data)
            same(module, through_json(module))


def test_the_form_is_small() -> None:
    data = Path(nodes.__file__).read_bytes()
    stored = json.dumps(store.dump(tree(data)), separators=(",", ":"))
    assert len(stored) < 3 * len(data)


def test_names_are_stored_once() -> None:
    stored = store.dump(tree(b"name.name = name(name=name)\n"))
    assert stored[1].count("name") == 1


SPOILT: list[tuple[Any, str]] = [
    (None, "nothing"),
    ([], "an empty list"),
    ({}, "a dictionary"),
    ("abc", "a text"),
    ([1, [], []], "another form"),
    (["{form}", [], []], "no module"),
    (["{form}", [1], []], "a string that is a number"),
    (["{form}", {}, []], "strings that are a dictionary"),
    (["{form}", [], {}], "records that are a dictionary"),
    (["{form}", [], [[]]], "an empty record"),
    (["{form}", [], [["Module", 1, 1, 0, 1, 0]]], "a name for a number"),
    (["{form}", [], [[10_000, 1, 1, 0, 1, 0]]], "an unknown class"),
    (["{form}", [], [[-1, 1, 1, 0, 1, 0]]], "a negative class"),
    (["{form}", [], [[0, 1, 1, 0, 1, "__import__('os')"]]], "code"),
]


@pytest.mark.parametrize(("value", "why"), SPOILT)
def test_spoilt_stores(value: Any, why: str) -> None:
    form = store.dump(tree(b""))[0]
    value = json.loads(json.dumps(value).replace("{form}", form))
    with pytest.raises(store.StoreError):
        store.load(value)


def test_a_statement_is_no_expression() -> None:
    stored = store.dump(tree(b"f(a)\npass\n"))
    # The records of the two statements change places, but not those below them.
    swapped = copy.deepcopy(stored)
    swapped[2][1], swapped[2][4] = swapped[2][4], swapped[2][1]
    with pytest.raises(store.StoreError):
        store.load(swapped)


def test_a_store_with_any_change_is_a_tree_or_an_error() -> None:
    stored = store.dump(tree(TEXT.encode()))
    choice = random.Random(1)
    spoils: list[Any] = [None, -1, 0, 1, 10**9, 0.5, True, "a", [], [0], {}, [[0]]]
    errors = 0
    for _ in range(3_000):
        value = copy.deepcopy(stored)
        record = choice.choice(value[2])
        record[choice.randrange(len(record))] = choice.choice(spoils)
        try:
            loaded = store.load(value)
        except store.StoreError:
            errors += 1
        else:
            # What is loaded has the types that its classes promise, so it can be stored again.
            same(loaded, store.load(store.dump(loaded)))
    assert errors > 2_000, "most changes must be noticed"
