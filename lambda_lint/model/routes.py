"""Functions that a framework calls for an event: routes, event decorators, dependencies."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from lambda_lint.model.calls import CallGraph
from lambda_lint.model.imports import ImportMap
from lambda_lint.model.knowledge import Framework
from lambda_lint.model.program import CallSite, Function, Module, Scope
from lambda_lint.model.values import ClassValue, External, FunctionValue, InstanceValue, Value
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Route:
    """A function registered on a framework's object. `on_lambda`: it can live nowhere else."""

    function: Function
    evidence: str
    on_lambda: bool


class Routes:
    """All routes of the project, and which of them a handler's module brings with it."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the finished call graph."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.knowledge = calls.evaluator.knowledge
        self._all: list[Route] | None = None
        self._closures: dict[Module, frozenset[str]] = {}

    def all(self) -> list[Route]:
        """Return every route in the order of paths and lines."""
        if self._all is None:
            found: dict[Function, Route] = {}
            for path in sorted(self.calls.modules):
                if not is_test_path(path):
                    for route in self._in_module(self.calls.modules[path]):
                        found.setdefault(route.function, route)
            self._all = list(found.values())
        return self._all

    def behind(self, module: Module) -> Iterator[Route]:
        """Yield the routes in the module and in everything that it imports."""
        closure = self.imported_by(module)
        for route in self.all():
            if route.function.module.path in closure:
                yield route

    def dispatches(self, function: Function) -> bool:
        """Whether the function hands its event to a framework's object: `app.resolve(event, …)`."""
        for site in function.calls:
            for external in self.calls.externals.get(site, ()):
                if self.knowledge.handler_body(external.name) is not None:
                    return True
                made, _, method = external.name.rpartition(".")
                framework = self.knowledge.framework(made.removesuffix("()"))
                if framework and made.endswith("()") and method in framework.dispatch:
                    return True
                framework = self.knowledge.framework(external.name.removesuffix("()"))
                if framework is not None and external.name.endswith("()") and framework.callable:
                    return True
        return False

    def imported_by(self, module: Module) -> frozenset[str]:
        """Return the paths of the module and of all project modules that importing it imports."""
        found = self._closures.get(module)
        if found is None:
            seen = {module.path}
            stack = [module]
            while stack:
                for path in imported_paths(stack.pop(), self.evaluator.imports):
                    if path in self.calls.modules and path not in seen:
                        seen.add(path)
                        stack.append(self.calls.modules[path])
            found = frozenset(seen)
            self._closures[module] = found
        return found

    def _in_module(self, module: Module) -> Iterator[Route]:
        for function in module.functions:
            yield from self._decorated(function)
        for function in [module.code, *module.functions]:
            for site in function.calls:
                for external in self.calls.externals.get(site, ()):
                    yield from self._registered(site, external)

    def _decorated(self, function: Function) -> Iterator[Route]:
        scope = function.definition_scope
        if scope is None:
            return
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, nodes.Call) else decorator
            if not isinstance(called, nodes.Attribute):
                continue
            for value in self.evaluator.evaluate(called.value, scope):
                framework = self.framework_of(value)
                if framework is None:
                    continue
                if called.attr in framework.routes or called.attr in framework.handlers:
                    text = f"`{function.name}` is called by the {framework.title} application"
                    yield Route(function, text, framework.on_lambda)
                    for one in self._dependencies(function, decorator):
                        yield Route(
                            one,
                            f"`{one.name}` is a dependency of `{function.name}`",
                            framework.on_lambda,
                        )
                    return

    def framework_of(self, value: Value) -> Framework | None:
        """Return what an object is an application or router of; subclasses count."""
        names: tuple[str, ...] = ()
        if isinstance(value, External) and value.name.endswith("()"):
            names = (value.name[:-2],)
        elif isinstance(value, InstanceValue):
            names = self.evaluator.lineage(value.class_)[1]
        for name in names:
            framework = self.knowledge.framework(name)
            if framework is not None:
                return framework
        return None

    def _registered(self, site: CallSite, external: External) -> Iterator[Route]:
        made, _, method = external.name.rpartition(".")
        if not made.endswith("()"):
            return
        framework = self.knowledge.framework(made[:-2])
        if framework is None or method not in framework.registers:
            return
        for argument in site.node.arguments:
            for value in self.evaluator.evaluate(argument.value, site.scope):
                if isinstance(value, FunctionValue):
                    name = value.function.name
                    text = f"`{name}` is called by the {framework.title} application"
                    yield Route(value.function, text, framework.on_lambda)

    def _dependencies(self, function: Function, decorator: nodes.Expression) -> Iterator[Function]:
        """Yield what FastAPI calls for each request before the route: `Depends(get_client)`."""
        seen: set[Function] = {function}
        stack: list[tuple[Function, list[nodes.Node]]] = [
            (function, [decorator, *function.parameters])
        ]
        while stack:
            owner, places = stack.pop()
            scope = owner.definition_scope or owner.scope
            for place in places:
                for node in nodes.walk(place):
                    if not isinstance(node, nodes.Call):
                        continue
                    if not any(
                        isinstance(one, External) and self._runs_for_routes(one.name)
                        for one in self.evaluator.evaluate(node.func, scope)
                    ):
                        continue
                    for needed in self._needed(node, place, scope):
                        if needed not in seen:
                            seen.add(needed)
                            yield needed
                            stack.append((needed, list(needed.parameters)))

    def _runs_for_routes(self, name: str) -> bool:
        runner = self.knowledge.runner(name)
        return runner is not None and runner.when == "route"

    def _needed(self, depends: nodes.Call, place: nodes.Node, scope: Scope) -> Iterator[Function]:
        """Yield the function or the constructor that `Depends(x)` stands for.

        Without an argument it is the class of the parameter's annotation.
        """
        values: list[Value] = []
        if depends.arguments:
            values += self.evaluator.evaluate(depends.arguments[0].value, scope)
        elif isinstance(place, nodes.Parameter) and place.annotation is not None:
            for one in self.evaluator.annotated(place.annotation, scope):
                if isinstance(one, InstanceValue):
                    values.append(ClassValue(one.class_))
        for value in values:
            if isinstance(value, FunctionValue):
                yield value.function
            elif isinstance(value, ClassValue):
                for base in self.evaluator.lineage(value.class_)[0]:
                    if "__init__" in base.methods:
                        yield base.methods["__init__"]
                        break


def imported_paths(module: Module, imports: ImportMap) -> Iterator[str]:
    """Yield the project paths that a module's import statements name, in order."""
    for binding in module.imports:
        if binding.kind == "import":
            path = imports.find(binding.module, module.path)
            if path is not None:
                yield path
            continue
        if binding.level:
            path = imports.find_relative(binding.module, binding.level, module.path)
        else:
            path = imports.find(binding.module, module.path)
        if path is not None:
            yield path
        inner = f"{binding.module}.{binding.name}" if binding.module else binding.name
        if binding.name != "*":
            if binding.level:
                path = imports.find_relative(inner, binding.level, module.path)
            else:
                path = imports.find(inner, module.path)
            if path is not None:
                yield path


def is_test_path(path: str) -> bool:
    """Whether the file belongs to the project's tests, where nothing is a handler."""
    name = posixpath.basename(path)
    if name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py":
        return True
    return any(part in ("tests", "test", "testing") for part in path.split("/")[:-1])
