"""What containers hold: displays, comprehensions, what was put in later, and their copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lambda_lint.model.contents import Put
from lambda_lint.model.kinds import (
    ClassValue,
    ContainerValue,
    DisplayValue,
    External,
    FunctionValue,
    InstanceValue,
    RowValue,
    Value,
    Values,
    merge,
)
from lambda_lint.model.program import Scope
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.values import Evaluator


class Containers:
    """Answers what is inside of values."""

    def __init__(self, evaluator: Evaluator) -> None:
        """Take the evaluator, which this belongs to."""
        self.evaluator = evaluator

    def elements(self, values: Values) -> Iterator[Value]:
        """Yield what going through one of the values may give."""
        for value in values:
            match value:
                case DisplayValue() | InstanceValue():
                    yield from self.evaluator.solve(("elements", value), self._elements, value)
                case ContainerValue(elements=inside):
                    yield from inside
                case RowValue(columns=columns):
                    for column in columns:
                        yield from column
                case ClassValue(class_=class_) if self.evaluator.is_enum(class_):
                    yield InstanceValue(class_)

    def _elements(self, value: DisplayValue | InstanceValue) -> Iterator[Value]:
        match value:
            case DisplayValue(node=nodes.Collection(items=items), scope=scope):
                for item in items:
                    yield from self._item(item, scope)
                yield from self._put(value, None)
            case DisplayValue(node=nodes.Dict(items=pairs), scope=scope):
                for pair in pairs:
                    if pair.key is not None:
                        yield from self.evaluator.evaluate(pair.key, scope)
                for put in self.evaluator.contents.puts.get(value.node, ()):
                    if put.key is not None:
                        yield from self.evaluator.evaluate(put.key, put.scope)
            case DisplayValue(node=nodes.Comprehension(elements=elements), scope=scope):
                yield from self.evaluator.evaluate(elements[0], scope)
                yield from self._put(value, None)
            case DisplayValue():
                yield from self._put(value, None)
            case InstanceValue():
                yield from self._iterated_object(value)

    def values_of(self, values: Values) -> Iterator[Value]:
        """Yield what the values of mappings may be."""
        for value in values:
            if isinstance(value, DisplayValue):
                yield from self.evaluator.solve(("values", value), self._values, value)
            elif isinstance(value, ContainerValue):
                yield from value.elements

    def _values(self, value: DisplayValue) -> Iterator[Value]:
        scope = value.scope
        match value.node:
            case nodes.Dict(items=pairs):
                for pair in pairs:
                    values = self.evaluator.evaluate(pair.value, scope)
                    yield from values if pair.key is not None else self.values_of(values)
            case nodes.Comprehension(elements=[_, element]):
                yield from self.evaluator.evaluate(element, scope)
            case nodes.Call(arguments=arguments):
                for argument in arguments:
                    if argument.name:
                        yield from self.evaluator.evaluate(argument.value, scope)
            case _:
                return
        yield from self._put(value, None)

    def items(self, values: Values, index: nodes.Expression) -> Iterator[Value]:
        """Yield what `value[index]` may be."""
        key = index.value if isinstance(index, nodes.Constant) else None
        for value in values:
            match value:
                case DisplayValue(node=nodes.Dict(items=pairs), scope=scope):
                    for pair in pairs:
                        if pair.key is None:
                            yield from self.values_of(self.evaluator.evaluate(pair.value, scope))
                        elif _may_be(pair.key, key):
                            yield from self.evaluator.evaluate(pair.value, scope)
                    yield from self._put(value, key)
                case DisplayValue(node=nodes.Collection(kind="list" | "tuple", items=items)) if (
                    isinstance(key, int) and not isinstance(key, bool)
                ):
                    if -len(items) <= key < len(items) and not _has_star(items):
                        yield from self.evaluator.evaluate(items[key], value.scope)
                    yield from self._put(value, None)
                case DisplayValue(node=nodes.Comprehension(kind="dict") | nodes.Call()):
                    yield from self.values_of((value,))
                    if not isinstance(value.node, nodes.Comprehension):
                        yield from self._made_by_default(value)
                case DisplayValue() if isinstance(index, nodes.Slice):
                    yield value
                case DisplayValue():
                    yield from self.elements((value,))
                case ContainerValue() if isinstance(index, nodes.Slice):
                    yield value
                case ContainerValue(elements=inside):
                    yield from inside
                case RowValue(columns=columns):
                    if isinstance(key, int) and -len(columns) <= key < len(columns):
                        yield from columns[key]
                case ClassValue(class_=class_):
                    # `Kind["S3"]` of an enumeration; `Repository[Item]` is the class itself.
                    yield InstanceValue(class_) if self.evaluator.is_enum(class_) else value
                case InstanceValue():
                    for method in self.evaluator.methods(value, "__getitem__"):
                        yield from self.evaluator.returned(method)
                    for method in self.evaluator.methods(value, "__missing__"):
                        yield from self.evaluator.returned(method)
                case External(name=name, origin=origin):
                    yield External(f"{name}[]", origin)

    def unpacked(self, values: Values, index: int) -> Iterator[Value]:
        """Yield what position `index` (0-based, -1 for unknown) of an unpacked value may be."""
        for value in values:
            match value:
                case DisplayValue(node=nodes.Collection(items=items), scope=scope):
                    if 0 <= index < len(items) and not _has_star(items[: index + 1]):
                        yield from self.evaluator.evaluate(items[index], scope)
                case DisplayValue(node=nodes.Comprehension()) | ContainerValue():
                    if index >= 0:
                        yield from self.elements((value,))
                case RowValue(columns=columns):
                    if 0 <= index < len(columns):
                        yield from columns[index]
                case External(name=name, origin=origin):
                    yield External(f"{name}[]", origin)

    def called(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """Yield what a method of a container gives: `TABLE.get(key, default)`, `jobs.values()`."""
        func = node.func
        if not isinstance(func, nodes.Attribute) or func.attr not in _METHODS:
            return
        held = tuple(
            one
            for one in self.evaluator.evaluate(func.value, scope)
            if isinstance(one, (DisplayValue, ContainerValue, RowValue))
        )
        if not held:
            return
        arguments = node.arguments
        match func.attr:
            case "get" | "setdefault" | "pop" if arguments:
                yield from self.items(held, arguments[0].value)
                if len(arguments) > 1:
                    yield from self.evaluator.evaluate(arguments[1].value, scope)
            case "pop" | "popleft":
                yield from self.elements(held)
            case "values":
                yield container(self.values_of(held))
            case "items":
                yield container([row(merge(self.elements(held)), merge(self.values_of(held)))])
            case "keys" | "union" | "difference" | "intersection":
                yield container(self.elements(held))
            case "copy":
                yield from held

    def built(self, name: str, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """Yield what a builtin or standard function makes of the containers that it is given."""
        given = [one.value for one in node.arguments if not one.name and not one.star]
        if name in _EMPTY:
            yield DisplayValue(node, scope)
        if not given:
            return
        if name in _COPIES:
            yield from self._copied(self.evaluator.evaluate(given[-1], scope))
        elif name in _PICKS:
            for one in given:
                yield from self.elements(self.evaluator.evaluate(one, scope))
        elif name in ("builtins.enumerate", "builtins.zip"):
            columns = [
                merge(self.elements(self.evaluator.evaluate(one, scope)))
                for one in (given if name == "builtins.zip" else given[:1])
            ]
            if any(columns):
                yield container([row(*([] if name == "builtins.zip" else [()]), *columns)])
        elif name == "builtins.map" and len(given) > 1:
            yield container(self._results(self.evaluator.evaluate(given[0], scope)))
        elif name == "functools.reduce" and len(given) > 1:
            yield from self._results(self.evaluator.evaluate(given[0], scope))
            if len(given) > 2:
                yield from self.evaluator.evaluate(given[2], scope)
        elif name in ("itertools.chain", "itertools.chain.from_iterable"):
            several = [self.evaluator.evaluate(one, scope) for one in given]
            if name != "itertools.chain":
                several = [merge(self.elements(one)) for one in several]
            yield container(value for one in several for value in self.elements(one))

    def _copied(self, values: Values) -> Iterator[Value]:
        inside = merge(self.elements(values))
        if inside:
            yield container(inside)
        for value in values:
            if isinstance(value, DisplayValue) and isinstance(value.node, nodes.Dict):
                yield value

    def _results(self, values: Values) -> Iterator[Value]:
        for value in values:
            if isinstance(value, FunctionValue):
                yield from self.evaluator.returned(value.function)
            elif isinstance(value, ClassValue):
                yield InstanceValue(value.class_)

    def _item(self, item: nodes.Expression, scope: Scope) -> Iterable[Value]:
        if isinstance(item, nodes.Starred):
            return self.elements(self.evaluator.evaluate(item.value, scope))
        return self.evaluator.evaluate(item, scope)

    def _put(self, value: DisplayValue, key: object) -> Iterator[Value]:
        """Yield what was put into the container; under `key`, as far as constants tell."""
        for put in self.evaluator.contents.puts.get(value.node, ()):
            if put.key is None or _may_be(put.key, key):
                yield from self._what_was_put(put)

    def _what_was_put(self, put: Put) -> Iterator[Value]:
        values = self.evaluator.evaluate(put.value, put.scope)
        if put.spread:
            mappings = tuple(one for one in values if _is_mapping(one))
            others = tuple(one for one in values if not _is_mapping(one))
            values = merge((*self.values_of(mappings), *self.elements(others)))
        if put.depth:
            yield container(values)
        else:
            yield from values

    def _made_by_default(self, value: DisplayValue) -> Iterator[Value]:
        """`defaultdict(make)`: the result of what makes a missing item."""
        if isinstance(value.node, nodes.Call) and value.node.arguments:
            func = self.evaluator.evaluate(value.node.func, value.scope)
            if any(isinstance(one, External) and "default" in one.name for one in func):
                made = self.evaluator.evaluate(value.node.arguments[0].value, value.scope)
                yield from self._results(made)

    def _iterated_object(self, value: InstanceValue) -> Iterator[Value]:
        for method in self.evaluator.methods(value, "__iter__"):
            returned = self.evaluator.returned(method)
            yield from self.elements(tuple(one for one in returned if one != value))
            if value in returned:
                for following in self.evaluator.methods(value, "__next__"):
                    yield from self.evaluator.returned(following)


def container(values: Iterable[Value]) -> ContainerValue:
    """Return a container of the values; containers among them are taken as one."""
    return ContainerValue(_flat(values))


def row(*columns: Values) -> RowValue:
    """Return a tuple of these parts; containers in a part are taken as one."""
    return RowValue(tuple(_flat(column) for column in columns))


def _flat(values: Iterable[Value]) -> Values:
    """Return values whose containers hold no rows and no further containers.

    Values that nest at will would not stop growing where a container is made from itself.
    """
    several: list[Value] = []
    inside: list[Value] = []
    for value in values:
        if isinstance(value, ContainerValue):
            inside += [one for one in value.elements if not isinstance(one, _NESTED)]
        elif isinstance(value, RowValue) and any(
            isinstance(one, _NESTED) for column in value.columns for one in column
        ):
            several.append(
                RowValue(
                    tuple(
                        tuple(one for one in column if not isinstance(one, _NESTED))
                        for column in value.columns
                    )
                )
            )
        else:
            several.append(value)
    if inside:
        several.append(ContainerValue(merge(inside)))
    return merge(several)


_NESTED = (ContainerValue, RowValue)


def _is_mapping(value: Value) -> bool:
    return isinstance(value, DisplayValue) and (
        isinstance(value.node, nodes.Dict)
        or (isinstance(value.node, nodes.Comprehension) and value.node.kind == "dict")
    )


def _may_be(written: nodes.Expression, key: object) -> bool:
    """Whether a key that is written may be the wanted one; None stands for one not known."""
    return key is None or not isinstance(written, nodes.Constant) or written.value == key


def _has_star(items: list[nodes.Expression]) -> bool:
    return any(isinstance(one, nodes.Starred) for one in items)


_METHODS = frozenset(
    {"get", "setdefault", "pop", "popleft", "values", "items", "keys", "copy", "union"}
    | {"difference", "intersection"}
)

_EMPTY = frozenset(
    {"builtins.dict", "builtins.list", "builtins.set", "collections.OrderedDict"}
    | {"collections.defaultdict", "collections.deque", "weakref.WeakValueDictionary"}
)
"""Calls whose result is filled later."""

_COPIES = frozenset(
    {"builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted"}
    | {"builtins.reversed", "builtins.filter", "builtins.iter", "collections.deque"}
    | {"builtins.dict", "collections.OrderedDict", "tqdm.tqdm", "tqdm.std.tqdm"}
)
"""Calls that give the elements of their last argument again."""

_PICKS = frozenset(
    {"builtins.next", "builtins.min", "builtins.max", "random.choice", "typing.cast[]"}
)
"""Calls that give an element of what they are given."""
