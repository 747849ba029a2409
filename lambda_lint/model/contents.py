"""What flows into containers, objects and parameters otherwise than by a call with arguments.

`ROUTES[path] = f`, `tasks.append(task)`, `service.sender = Sender()`, `@register`. Where it goes
is found out through values, so it is learnt in the rounds of the call graph, like arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_lint.model.kinds import (
    ClassValue,
    DisplayValue,
    InstanceValue,
    ModuleValue,
    Value,
)
from lambda_lint.model.program import Class, Function, Module, Scope
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.values import Evaluator

Written = tuple[nodes.Expression, Scope]
"""An expression whose value is put somewhere, and the scope that evaluates it."""


@dataclass(frozen=True, slots=True)
class Put:
    """Something that is put into a container.

    `depth` counts the containers between: 1 for `LISTS[key].append(value)`. With `spread` the
    elements of the value are put in, as `extend` and `update` do.
    """

    value: nodes.Expression
    scope: Scope
    key: nodes.Expression | None = None
    depth: int = 0
    spread: bool = False


class Contents:
    """An index of everything that is put into something, by what it is put into."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        """Collect the places of the indexed modules; nothing is resolved yet."""
        #: What is put into the container that an expression makes.
        self.puts: dict[nodes.Node, list[Put]] = {}
        #: What is assigned to an attribute of an object, a class or a module from outside.
        self.attributes: dict[tuple[Class | Module, str], list[Written]] = {}
        #: The attributes that are assigned through an object, and so belong to that object alone.
        self.on_objects: set[tuple[Class, str]] = set()
        #: What decorating hands to a parameter.
        self.given: dict[tuple[Function, str], list[Value]] = {}
        self._fills: list[tuple[nodes.Expression, Put]] = []
        self._stores: list[tuple[nodes.Expression, str, Written]] = []
        for path in sorted(modules):
            module = modules[path]
            for function in [module.code, *module.functions]:
                self._collect(function)

    def learn(self, evaluator: Evaluator, given: Mapping[tuple[Function, str], list[Value]]) -> int:
        """Resolve all places anew; return how much was found."""
        puts: dict[nodes.Node, list[Put]] = {}
        attributes: dict[tuple[Class | Module, str], list[Written]] = {}
        for receiver, put in self._fills:
            for value in evaluator.evaluate(receiver, put.scope):
                if isinstance(value, DisplayValue):
                    puts.setdefault(value.node, []).append(put)
        on_objects: set[tuple[Class, str]] = set()
        for owner, attr, written in self._stores:
            for value in evaluator.evaluate(owner, written[1]):
                match value:
                    case InstanceValue(class_=class_):
                        attributes.setdefault((class_, attr), []).append(written)
                        on_objects.add((class_, attr))
                    case ClassValue(class_=class_):
                        attributes.setdefault((class_, attr), []).append(written)
                    case ModuleValue(module=module):
                        attributes.setdefault((module, attr), []).append(written)
        self.puts, self.attributes, self.on_objects = puts, attributes, on_objects
        self.given = {key: list(dict.fromkeys(values)) for key, values in given.items()}
        found: Iterable[list[object]] = (*puts.values(), *attributes.values(), *self.given.values())  # type: ignore[arg-type]
        return sum(map(len, found))

    def _collect(self, function: Function) -> None:
        for target, place, scope in function.stores:
            value = getattr(place, "value", None)
            if not isinstance(value, nodes.Expression) or isinstance(value, nodes.Constant):
                continue
            if isinstance(place, nodes.AugmentedAssign):
                if place.operator in ("+", "+=", "|", "|="):
                    self._fills.append((target, Put(value, scope, spread=True)))
            elif isinstance(target, nodes.Subscript):
                self._fill(target.value, Put(value, scope, key=target.index))
            elif isinstance(target, nodes.Attribute) and not _is_own(target, scope):
                self._stores.append((target.value, target.attr, (value, scope)))
        for site in function.calls:
            match site.node:
                case nodes.Call(
                    func=nodes.Attribute(value=receiver, attr=attr), arguments=[*_, _] as arguments
                ) if attr in _FILLING:
                    for put in _puts(attr, arguments, site.scope):
                        self._fill(receiver, put)
                case nodes.Call(
                    func=nodes.Name(id="setattr"),
                    arguments=[owner, nodes.Argument(value=nodes.Constant(value=str(attr))), given],
                ):
                    self._stores.append((owner.value, attr, (given.value, site.scope)))

    def _fill(self, receiver: nodes.Expression, put: Put) -> None:
        """Take off what leads to a container inside of another one."""
        key, depth = put.key, put.depth
        while True:
            match receiver:
                case nodes.Subscript(value=inner, index=index):
                    receiver, key, depth = inner, index, depth + 1
                case nodes.Call(
                    func=nodes.Attribute(value=inner, attr="setdefault" | "get"),
                    arguments=[first, *_],
                ):
                    receiver, key, depth = inner, first.value, depth + 1
                case _:
                    break
        self._fills.append((receiver, Put(put.value, put.scope, key, depth, put.spread)))


def _puts(attr: str, arguments: list[nodes.Argument], scope: Scope) -> Iterator[Put]:
    """Yield what calling a method of a container puts into it."""
    if attr == "update":
        for one in arguments:
            yield Put(one.value, scope, spread=not one.name)
        return
    last = arguments[-1].value
    if isinstance(last, nodes.Constant) or (attr == "setdefault" and len(arguments) < 2):
        return
    key = arguments[0].value if attr == "setdefault" else None
    yield Put(last, scope, key=key, spread=attr in ("extend", "extendleft"))


def _is_own(target: nodes.Attribute, scope: Scope) -> bool:
    """Whether it is an attribute of the method's own first parameter, which the class has."""
    method: Function | None = scope.function
    while method is not None and method.class_ is None:
        outer = method.definition_scope
        method = outer.function if outer is not None and not outer.function.is_module else None
    return (
        method is not None
        and bool(method.parameters)
        and isinstance(target.value, nodes.Name)
        and target.value.id == method.parameters[0].name
    )


_FILLING = frozenset(
    {"append", "appendleft", "add", "insert", "extend", "extendleft", "update", "setdefault"}
)
