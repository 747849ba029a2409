"""What a value can be: project functions, classes, instances, modules, library objects, containers.

Names of libraries are dotted, after aliases are resolved; `()` stands for "made by calling".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lambda_lint.model.program import Class, Function, Module, Scope
from lambda_lint.syntax import nodes

MAX_VALUES = 12
"""An expression that may hold more objects of libraries than this counts as unknown."""

MAX_CALLABLES = 128
"""The same for what the project defines, of which a registry or a folder of plugins holds many."""


@dataclass(frozen=True, slots=True)
class External:
    """Something of a library, by its dotted name. `origin` is the call that made it."""

    name: str
    origin: nodes.Call | None = None


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """A project function; `receiver` is what it is bound to, for a method read from an object.

    `origin` is the call of the function around it that made this closure, and `memo` the call that
    put a library's cache around it, where it was not a decorator that did.
    """

    function: Function
    receiver: Value | None = None
    origin: nodes.Call | None = None
    memo: nodes.Call | None = None


@dataclass(frozen=True, slots=True)
class ClassValue:
    """A project class; `memo` is the call that makes one object of it and hands that out again."""

    class_: Class
    memo: nodes.Call | None = None


@dataclass(frozen=True, slots=True)
class InstanceValue:
    """An instance of a project class. `origin` is the call that made it, None when unknown."""

    class_: Class
    origin: nodes.Call | None = None


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module of the project."""

    module: Module


@dataclass(frozen=True, slots=True)
class PackageValue:
    """A folder of the project that is imported as a package, by its dotted name."""

    dotted: str
    importer: str


@dataclass(frozen=True, slots=True)
class DisplayValue:
    """A container by the expression that makes it: a display, comprehension, or `dict()`."""

    node: nodes.Expression
    scope: Scope


@dataclass(frozen=True, slots=True)
class ContainerValue:
    """A container of which only the elements are known; of a mapping, the values."""

    elements: Values


@dataclass(frozen=True, slots=True)
class RowValue:
    """A tuple by what each of its parts may be, as `enumerate`, `zip` and `items` give them."""

    columns: tuple[Values, ...]


Value = (
    External
    | FunctionValue
    | ClassValue
    | InstanceValue
    | ModuleValue
    | PackageValue
    | DisplayValue
    | ContainerValue
    | RowValue
)
Values = tuple[Value, ...]


def merge(values: Iterable[Value]) -> Values:
    """Return the values once each; none when there are too many for anybody to judge."""
    if isinstance(values, tuple) and len(values) < 2:
        return values
    merged = tuple(dict.fromkeys(values))
    if len(merged) <= MAX_VALUES:
        return merged
    # Where an object was made matters less than what it is, so places are given up first.
    merged = tuple(dict.fromkeys(_without_origin(value) for value in merged))
    if len(merged) <= MAX_VALUES:
        return merged
    own = tuple(one for one in merged if isinstance(one, _OWN))
    foreign = tuple(one for one in merged if not isinstance(one, _OWN))
    return (
        *(own if len(own) <= MAX_CALLABLES else ()),
        *(foreign if len(foreign) <= MAX_VALUES else ()),
    )


_OWN = (FunctionValue, ClassValue, InstanceValue, ModuleValue)


def _without_origin(value: Value) -> Value:
    if isinstance(value, External):
        return External(value.name)
    if isinstance(value, InstanceValue):
        return InstanceValue(value.class_)
    if isinstance(value, FunctionValue) and value.origin is not None:
        return FunctionValue(value.function, value.receiver, None, value.memo)
    return value


def order(value: Value) -> tuple[str, str, int, int]:
    """Return what values are sorted by, where their own order would be one of chance."""
    origin: nodes.Node | None = None
    match value:
        case External(name=name, origin=origin):
            text = name
        case FunctionValue(function=function, origin=origin):
            text = repr(function)
        case ClassValue(class_=class_):
            text = repr(class_)
        case InstanceValue(class_=class_, origin=origin):
            text = repr(class_)
        case ModuleValue(module=module):
            text = module.path
        case PackageValue(dotted=dotted):
            text = dotted
        case DisplayValue(node=origin, scope=scope):
            text = scope.module.path
        case ContainerValue(elements=elements):
            text = str(len(elements))
        case RowValue(columns=columns):
            text = str([len(column) for column in columns])
    span = origin.span if origin is not None else None
    place = (span.line, span.column) if span is not None else (0, 0)
    return (type(value).__name__, text, *place)
