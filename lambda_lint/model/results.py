"""What calling something gives: objects, results of functions, and what builtins pick out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lambda_lint.model.containers import container
from lambda_lint.model.kinds import (
    ClassValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
    Value,
    Values,
)
from lambda_lint.model.knowledge import Runner
from lambda_lint.model.named_modules import ends_of, pattern_of_call
from lambda_lint.model.program import Class, Function, Scope
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.values import Evaluator


class Results:
    """Answers what calls give."""

    def __init__(self, evaluator: Evaluator) -> None:
        """Take the evaluator, which this belongs to."""
        self.evaluator = evaluator

    def of(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """Yield what the call may give."""
        if isinstance(node.func, nodes.Name) and node.func.id == "super":
            yield from self._super(node, scope)
            return
        if isinstance(node.func, nodes.Attribute) and node.func.attr == "__subclasses__":
            yield self._subclasses(self.evaluator.evaluate(node.func.value, scope))
            return
        yield from self.evaluator.containers.called(node, scope)
        for value in self.evaluator.evaluate(node.func, scope):
            match value:
                case External(name="builtins.getattr") if len(node.arguments) >= 2:
                    yield from self._named_attribute(node, scope)
                case External(name=name) if name in _HAND_BACK:
                    if node.arguments:
                        yield from self.evaluator.evaluate(node.arguments[0].value, scope)
                case External(name="importlib.import_module" | "builtins.__import__") if (
                    node.arguments
                ):
                    yield from self._imported_by_name(node, scope)
                case External(name="builtins.type") if len(node.arguments) == 1:
                    for one in self.evaluator.evaluate(node.arguments[0].value, scope):
                        if isinstance(one, InstanceValue):
                            yield ClassValue(one.class_)
                case External(name="typing.cast") if len(node.arguments) == 2:
                    yield from self.evaluator.evaluate(node.arguments[1].value, scope)
                case External(name=name):
                    yield from self.evaluator.containers.built(name, node, scope)
                    yield from self._memoised(name, node, scope)
                    yield from self._provided(name, node, scope)
                    runner = self.evaluator.knowledge.runner(name)
                    if runner is not None and runner.when == "called":
                        # `async_to_sync(f)`: calling the result calls what was given.
                        for given in runner_arguments(node, runner):
                            yield from self.evaluator.evaluate(given, scope)
                    yield External(self.evaluator.knowledge.canonical(f"{name}()"), node)
                case ClassValue(class_=class_, memo=memo):
                    # `cls()` makes an object of whichever subclass the method was called on.
                    is_open = isinstance(node.func, nodes.Name) and self._is_first_parameter(
                        node.func.id, scope
                    )
                    is_open = is_open or self.evaluator.is_enum(class_)
                    yield InstanceValue(class_, None if is_open else memo or node)
                case FunctionValue(function=function):
                    yield from self._closed_over(
                        self.evaluator.returned(function), function, node, scope
                    )
                    for class_, makes in self.loaded(function, node, scope):
                        yield InstanceValue(class_, node) if makes else ClassValue(class_)
                case InstanceValue(class_=class_):
                    for called in self.evaluator.attribute((value,), "__call__"):
                        if isinstance(called, FunctionValue):
                            yield from self.evaluator.returned(called.function)

    def _subclasses(self, values: Values) -> Value:
        return container(
            ClassValue(one)
            for value in values
            if isinstance(value, ClassValue)
            for one in self.evaluator.subclasses.get(value.class_, ())
        )

    def _is_first_parameter(self, name: str, scope: Scope) -> bool:
        found = scope.lookup(name)
        if found is None or found.function.class_ is None or not found.function.parameters:
            return False
        return found.function.parameters[0].name == name

    def _imported_by_name(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        name, importer = node.arguments[0].value, scope.module.path
        modules, imports = self.evaluator.modules, self.evaluator.imports
        if isinstance(name, nodes.Constant) and isinstance(name.value, str):
            path = imports.find(name.value, importer)
            if path is not None and path in modules:
                yield ModuleValue(modules[path])
            return
        pattern = pattern_of_call(node, scope)
        for path in imports.matching(pattern, importer) if pattern else ():
            if path in modules:
                yield ModuleValue(modules[path])

    def loaded(
        self, function: Function, node: nodes.Call, scope: Scope
    ) -> Iterator[tuple[Class, bool]]:
        """Yield the classes that a project function imports by the dotted name that a call gives.

        `create("senders.Queue")`; with it, whether the function makes an object of the class.
        """
        imports = any(_last_name(one.node.func) in _IMPORTS for one in function.calls)
        if not imports:
            return
        makes = any(self._makes(value, inner) for value, inner in function.returns)
        for argument in node.arguments:
            module, _, name = _literal(argument.value, scope).replace(":", ".").rpartition(".")
            path = self.evaluator.imports.find(module, scope.module.path) if module else None
            if path is not None and path in self.evaluator.modules:
                for value in self.evaluator.member(self.evaluator.modules[path], name):
                    if isinstance(value, ClassValue):
                        yield value.class_, makes

    def _makes(self, value: nodes.Expression, scope: Scope) -> bool:
        """Whether a function returns what calling the class gives, and not the class."""
        if isinstance(value, nodes.Name):
            owner = scope.lookup(value.id)
            bindings = owner.bindings[value.id] if owner is not None else []
            return any(
                one.kind == "assign"
                and isinstance(one.value, nodes.Call)
                and self._makes(one.value, one.scope)
                for one in bindings
            )
        return isinstance(value, nodes.Call) and _last_name(value.func) not in (
            "getattr",
            *_IMPORTS,
        )

    def _named_attribute(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """`getattr(x, "name")`; of a name that is put together, all methods that it may mean."""
        target = self.evaluator.evaluate(node.arguments[0].value, scope)
        name = node.arguments[1].value
        if isinstance(name, nodes.Constant) and isinstance(name.value, str):
            yield from self.evaluator.attribute(target, name.value)
            return
        start, end = ends_of(name, scope)
        if not start and not end:
            return
        for value in target:
            match value:
                case InstanceValue(class_=class_) | ClassValue(class_=class_):
                    names = [
                        name for one in self.evaluator.lineage(class_)[0] for name in one.methods
                    ]
                case ModuleValue(module=module):
                    names = list(module.scope.bindings)
                case _:
                    continue
            for one in dict.fromkeys(names):
                if one.startswith(start) and one.endswith(end) and len(one) > len(start) + len(end):
                    yield from self.evaluator.attribute((value,), one)

    def _memoised(self, name: str, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """`functools.cache(f)`, `functools.lru_cache(maxsize=1)(f)`: the function, remembered."""
        if not node.arguments or not self.evaluator.knowledge.cache_decorator(
            name.removesuffix("()")
        ):
            return
        for value in self.evaluator.evaluate(node.arguments[0].value, scope):
            if isinstance(value, FunctionValue):
                self.evaluator.origins[node] = scope
                yield FunctionValue(value.function, value.receiver, value.origin, node)

    def _provided(self, name: str, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """`providers.Singleton(make)`: what calling it makes, which is one object."""
        found = self.evaluator.knowledge.container(name)
        if found is None or found.form != "call" or found.factory_argument is None:
            return
        given = [one.value for one in node.arguments if not one.name and not one.star]
        if found.factory_argument < len(given):
            self.evaluator.origins[node] = scope
            for value in self.evaluator.evaluate(given[found.factory_argument], scope):
                if isinstance(value, FunctionValue):
                    yield FunctionValue(value.function, value.receiver, value.origin, node)
                elif isinstance(value, ClassValue):
                    yield ClassValue(value.class_, node)

    def _closed_over(
        self, values: Values, function: Function, node: nodes.Call, scope: Scope
    ) -> Iterator[Value]:
        """Say of closures which call made them."""
        for value in values:
            if isinstance(value, FunctionValue) and value.origin is None:
                outer = value.function.definition_scope
                if outer is not None and outer.function is function:
                    self.evaluator.origins[node] = scope
                    yield FunctionValue(value.function, value.receiver, node, value.memo)
                    continue
            yield value

    def _super(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """The next class up. Naming an origin says that overriding subclasses are not meant."""
        method: Function | None = scope.function
        while method is not None and method.class_ is None:
            outer = method.definition_scope
            method = outer.function if outer is not None and not outer.function.is_module else None
        if method is None or method.class_ is None:
            return
        project, libraries = self.evaluator.lineage(method.class_)
        if len(project) > 1:
            yield InstanceValue(project[1], node)
        for name in libraries:
            yield External(f"{name}()")


def runner_arguments(call: nodes.Call, runner: Runner) -> list[nodes.Expression]:
    """Return the arguments of a call that are the callables which it runs."""
    found: list[nodes.Expression] = []
    positional = [one.value for one in call.arguments if not one.name and not one.star]
    if runner.position is not None and runner.position < len(positional):
        found += positional[runner.position :] if runner.rest else [positional[runner.position]]
    if runner.keyword:
        found += [one.value for one in call.arguments if one.name == runner.keyword]
    return found


_HAND_BACK = frozenset(
    {"functools.partial", "copy.copy", "copy.deepcopy"}
    | {"builtins.staticmethod", "builtins.classmethod"}
)
"""Calls whose result is used as if it were their first argument."""


def _last_name(expression: nodes.Expression) -> str:
    match expression:
        case nodes.Attribute(attr=name) | nodes.Name(id=name):
            return name
    return ""


def _literal(value: nodes.Expression, scope: Scope) -> str:
    """Return the text of a literal, or of a name that is bound to one only; else nothing."""
    if isinstance(value, nodes.Name):
        owner = scope.lookup(value.id)
        bindings = owner.bindings[value.id] if owner is not None else []
        if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].value is None:
            return ""
        value = bindings[0].value
    known = isinstance(value, nodes.Constant) and isinstance(value.value, str)
    return str(value.value) if known and isinstance(value, nodes.Constant) else ""


_IMPORTS = ("__import__", "import_module")
