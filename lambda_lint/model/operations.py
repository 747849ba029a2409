"""What runs without a call being written: properties, `with`, subscripts, loops, operators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lambda_lint.model.kinds import External, FunctionValue, InstanceValue, ModuleValue
from lambda_lint.model.program import Function, Scope
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.calls import CallGraph, Edge

Found = Iterator[tuple["Edge", bool]]
"""Edges, each with whether the first parameter of the callee is bound."""


class Operations:
    """Finds the methods that operations of a function run."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the call graph that is being made."""
        self.calls = calls
        self.evaluator = calls.evaluator
        classes = [one for module in calls.modules.values() for one in module.classes]
        #: Names of methods that any class has; most projects have few special ones.
        self._defined = frozenset(name for one in classes for name in one.methods)
        self._properties = frozenset(
            name for one in classes for name, method in one.methods.items() if method.decorators
        )
        self._dynamic_modules = any(
            self.evaluator.has_dynamic_members(one) for one in calls.modules.values()
        )

    def edges(self, function: Function) -> Found:
        """Yield an edge for each method that an operation of the function runs."""
        for statement, scope in function.withs:
            for item in statement.items:
                for name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
                    yield from self._run(function, item.expression, name, item, scope, "enter")
        for node, scope in function.attribute_loads:
            yield from self._read(function, node, scope)
        if not function.is_module:
            yield from self._handed(function)
        if self._defined & _SPECIAL:
            for operation, scope in function.operations:
                yield from self._operated(function, operation, scope)
            for site in function.calls:
                yield from self._asked(function, site.node, site.scope)

    def _handed(self, function: Function) -> Found:
        """`client.on_connect = connected`: what a library is handed, it calls while it works."""
        for target, place, scope in function.stores:
            if (
                isinstance(target, nodes.Attribute)
                and isinstance(place, nodes.Assign)
                and (target.attr.startswith("on_") or target.attr.endswith("callback"))
                and any(
                    isinstance(one, External)
                    for one in self.evaluator.evaluate(target.value, scope)
                )
            ):
                for value in self.evaluator.evaluate(place.value, scope):
                    if isinstance(value, FunctionValue):
                        yield (
                            self.calls.edge(function, value.function, target, scope, "callback"),
                            value.receiver is not None,
                        )

    def _read(self, function: Function, node: nodes.Attribute, scope: Scope) -> Found:
        """Reading an attribute runs a property, or `__getattr__` of an object or a module."""
        is_property = node.attr in self._properties
        if not is_property and not self._dynamic_modules and "__getattr__" not in self._defined:
            return
        for value in self.evaluator.evaluate(node.value, scope):
            match value:
                case InstanceValue(class_=class_):
                    if is_property:
                        for method in self.calls.methods(value, node.attr):
                            if self.evaluator.is_property(method):
                                yield (
                                    self.calls.edge(
                                        function, method, node, scope, "property", class_
                                    ),
                                    True,
                                )
                    if "__getattr__" in self._defined and not self._has(value, node.attr):
                        for method in self.calls.methods(value, "__getattr__"):
                            if method is not scope.function:
                                yield (
                                    self.calls.edge(function, method, node, scope, "property"),
                                    True,
                                )
                case ModuleValue(module=module):
                    is_dynamic = self.evaluator.has_dynamic_members(module)
                    if is_dynamic and node.attr not in module.scope.bindings:
                        for one in self.evaluator.bound(module.scope, "__getattr__"):
                            if isinstance(one, FunctionValue):
                                yield (
                                    self.calls.edge(
                                        function, one.function, node, scope, "property"
                                    ),
                                    False,
                                )

    def _has(self, value: InstanceValue, attr: str) -> bool:
        """Whether an object has the attribute, so that `__getattr__` is not asked."""
        return attr.startswith("__") or any(
            attr in one.methods or attr in one.attributes or attr in one.scope.bindings
            for one in self.evaluator.lineage(value.class_)[0]
        )

    def _operated(self, function: Function, node: nodes.Node, scope: Scope) -> Found:
        match node:
            case nodes.Subscript(value=value):
                yield from self._run(function, value, "__getitem__", node, scope)
                yield from self._run(function, value, "__missing__", node, scope)
            case nodes.For(iterable=iterable) | nodes.Clause(iterable=iterable):
                for name in ("__iter__", "__next__", "__aiter__", "__anext__"):
                    yield from self._run(function, iterable, name, iterable, scope)
            case nodes.Comparison(left=left, operators=operators, comparators=comparators):
                for operator, operand in zip(operators, comparators, strict=True):
                    if operator in ("in", "not in"):
                        yield from self._run(function, operand, "__contains__", node, scope)
                    elif operator in _COMPARISONS:
                        yield from self._run(function, left, _COMPARISONS[operator], node, scope)
            case nodes.BinaryOperation(left=left, operator=operator):
                if operator in _ARITHMETIC:
                    yield from self._run(function, left, _ARITHMETIC[operator], node, scope)

    def _asked(self, function: Function, node: nodes.Call, scope: Scope) -> Found:
        """`len(x)`, `bool(x)`, `next(x)` run a method of `x`."""
        func = node.func
        if not node.arguments or not isinstance(func, nodes.Name) or func.id not in _BUILTINS:
            return
        if scope.lookup(func.id) is None:
            operand = node.arguments[0].value
            yield from self._run(function, operand, _BUILTINS[func.id], node, scope)

    def _run(
        self,
        function: Function,
        operand: nodes.Expression,
        name: str,
        node: nodes.Node,
        scope: Scope,
        kind: str = "operation",
    ) -> Found:
        if name not in self._defined:
            return
        for value in self.evaluator.evaluate(operand, scope):
            if isinstance(value, InstanceValue):
                for method in self.calls.methods(value, name):
                    yield self.calls.edge(function, method, node, scope, kind), True


_COMPARISONS = {"==": "__eq__", "<": "__lt__", ">": "__gt__", "<=": "__le__", ">=": "__ge__"}

_ARITHMETIC = {
    "+": "__add__",
    "-": "__sub__",
    "*": "__mul__",
    "/": "__truediv__",
    "//": "__floordiv__",
    "%": "__mod__",
    "@": "__matmul__",
    "|": "__or__",
    "&": "__and__",
    ">>": "__rshift__",
    "<<": "__lshift__",
}

_BUILTINS = {
    "len": "__len__",
    "bool": "__bool__",
    "str": "__str__",
    "repr": "__repr__",
    "int": "__int__",
    "iter": "__iter__",
    "next": "__next__",
    "list": "__iter__",
    "tuple": "__iter__",
    "set": "__iter__",
    "sorted": "__iter__",
    "hash": "__hash__",
}

_SPECIAL = frozenset(
    {"__getitem__", "__missing__", "__iter__", "__next__", "__aiter__", "__anext__"}
    | {"__contains__", *_COMPARISONS.values(), *_ARITHMETIC.values(), *_BUILTINS.values()}
)
