"""Which routes a handler brings with it, and which files belong to tests."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from lambda_lint.model.calls import CallGraph
from lambda_lint.model.imports import ImportMap
from lambda_lint.model.knowledge import Framework
from lambda_lint.model.program import CallSite, Function, Module, Scope
from lambda_lint.model.registrations import Registrations, Route
from lambda_lint.model.values import External, InstanceValue, Value
from lambda_lint.syntax import nodes


class Routes:
    """All routes of the project, and which of them a handler's module brings with it."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the finished call graph."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.knowledge = calls.evaluator.knowledge
        self._registrations = Registrations(
            calls,
            [calls.modules[path] for path in sorted(calls.modules) if not is_test_path(path)],
        )
        self._all: dict[Function, Route] | None = None
        self._closures: dict[Module, frozenset[str]] = {}
        self._reached: dict[Function, frozenset[Function]] = {}

    def all(self) -> list[Route]:
        """Return every route in the order of paths and lines."""
        return list(self._by_function().values())

    def of(self, function: Function) -> Route | None:
        """Return the route that the function is."""
        return self._by_function().get(function)

    def framework_of(self, value: Value) -> Framework | None:
        """Return what an object is an application or router of; subclasses count."""
        return self._registrations.framework_of(value)

    def below_wrapper(self, call: nodes.Call, scope: Scope) -> Iterator[Value]:
        """Yield the functions that a wrapper of the project is put around: `compress(f)`."""
        return self._registrations.below_wrapper(call, scope)

    def behind(self, module: Module, made_by: Iterable[nodes.Call] = ()) -> Iterator[Route]:
        """Yield the routes of frameworks in the module and in everything that it imports.

        Those that are registered on the objects that `made_by` made belong to it wherever they
        are, because modules with routes may be imported by a name that only the run knows. What
        runs when the application starts and stops is told by `lifespans`.
        """
        closure = self.imported_by(module)
        objects = set(made_by)
        for route in self.all():
            if route.own or route.registry is not None or route.lifecycle:
                continue
            if route.function.module.path in closure or route.made_by in objects:
                yield route

    def kept(self, function: Function, module: Module) -> Iterator[Route]:
        """Yield what the module's imports put into registries whose code the function reaches."""
        closure = self.imported_by(module)
        reached: set[Module] | None = None
        for route in self.all():
            registry = route.registry
            if registry is None or route.function.module.path not in closure:
                continue
            if reached is None:
                reached = {one.module for one in self.reached_from(function) if one is not function}
            if registry.module in reached:
                yield route

    def dispatches(self, function: Function) -> bool:
        """Whether running the function hands an event to a framework: `app.resolve(event, …)`."""
        return any(
            self._hands_over(external.name)
            for one in self.reached_from(function)
            for site in one.calls
            for external in self.calls.externals.get(site, ())
        )

    def adapters(self, function: Function) -> Iterator[CallSite]:
        """Yield where running the function makes an adapter that may run a lifespan."""
        for one in sorted(self.reached_from(function), key=lambda one: (one.module.path, one.name)):
            for site in one.calls:
                if any(_is_adapter(found) for found in self.calls.externals.get(site, ())):
                    yield site

    def lifespans(self, adapter: nodes.Call, scope: Scope, module: Module) -> Iterator[Route]:
        """Yield what `Mangum(app)` runs for every event when it starts and stops the application.

        `module` is the handler's. When it is not known which application `app` is, it is the one
        with a lifespan that the module imports; of several none is chosen.
        """
        called = self.evaluator.evaluate(adapter.func, scope)
        if not any(isinstance(one, External) and _is_adapter(one) for one in called):
            return
        if not with_lifespan(adapter):
            return
        known = {
            one.origin
            for argument in adapter.arguments[:1]
            for one in self.evaluator.evaluate(argument.value, scope)
            if isinstance(one, (External, InstanceValue)) and self.framework_of(one) is not None
        }
        closure = self.imported_by(module)
        found = [
            one
            for one in self.all()
            if one.lifecycle and (one.function.module.path in closure or one.made_by in known)
        ]
        if None in known or not known:
            known = {one.made_by for one in found if one.made_by is not None}
            if len(known) > 1:
                return
        yield from (one for one in found if one.made_by is None or one.made_by in known)

    def reached_from(self, function: Function) -> frozenset[Function]:
        """Return the function and all project functions that running it runs."""
        found = self._reached.get(function)
        if found is None:
            stack = [function, *self.calls.wrappers(function)]
            seen = set(stack)
            while stack:
                for edge in self.calls.out.get(stack.pop(), ()):
                    if edge.callee not in seen:
                        seen.add(edge.callee)
                        stack.append(edge.callee)
            found = frozenset(seen)
            self._reached[function] = found
        return found

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

    def _by_function(self) -> dict[Function, Route]:
        if self._all is None:
            self._all = self._registrations.all()
        return self._all

    def _hands_over(self, name: str) -> bool:
        if self.knowledge.handler_body(name) is not None:
            return True
        made, _, method = name.rpartition(".")
        framework = self.knowledge.framework(made.removesuffix("()"))
        if framework and made.endswith("()") and method in framework.dispatch:
            return True
        framework = self.knowledge.framework(name.removesuffix("()"))
        return framework is not None and name.endswith("()") and framework.callable


def with_lifespan(call: nodes.Call) -> bool:
    """Whether it is certain that `Mangum(app, …)` runs the lifespan.

    It does so for every event unless told `lifespan="off"`, by name or as the second argument:
    https://mangum.fastapiexpert.com/lifespan/
    """
    positional = [one.value for one in call.arguments if not one.name]
    given = [one.value for one in call.arguments if one.name == "lifespan"] + positional[1:2]
    if any(one.star for one in call.arguments):
        return False
    return all(isinstance(one, nodes.Constant) and one.value in ("auto", "on") for one in given)


def _is_adapter(called: External) -> bool:
    return called.name == "mangum.adapter.Mangum"


def imported_paths(module: Module, imports: ImportMap) -> Iterator[str]:
    """Yield the project paths that a module's import statements name, in order."""
    for binding in module.imports:
        if binding.kind == "import" and "*" in binding.module:
            yield from imports.matching(binding.module, module.path)
            continue
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


def is_only_called_test(path: str) -> bool:
    """Whether nothing but its own name, `test.py`, makes a file look like a test."""
    folder, name = posixpath.split(path)
    return name.lower() == "test.py" and not is_test_path(posixpath.join(folder, "app.py"))


def is_test_path(path: str) -> bool:
    """Whether the file belongs to the project's tests, where nothing is a handler."""
    path = path.lower()
    name = posixpath.basename(path)
    if name.startswith("test_") or name.endswith(("_test.py", "_tests.py")):
        return True
    if name in ("conftest.py", "test.py", "tests.py"):
        return True
    return any(part in ("tests", "test", "testing") for part in path.split("/")[:-1])
