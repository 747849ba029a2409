"""How functions come to be called by a framework: decorators, calls, dependencies, registries."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.knowledge import Framework
from lambda_lint.model.named_modules import texts_of_setting
from lambda_lint.model.program import Binding, CallSite, Class, Function, Module, Scope
from lambda_lint.model.values import (
    ClassValue,
    DisplayValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
    Value,
)
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Route:
    """A function that is registered on a framework's object, or in a registry of the project.

    `on_lambda`: the object can live nowhere else. `own`: Lambda calls it as a function of its own.
    `made_by` is the call that made the object, where that is known. `registry` is the project's
    decorator that keeps the function, when no framework is in it. `lifecycle`: it runs when the
    application starts or stops, which Mangum lets it do for every event. `by_path`: it is given
    what the path names, and nothing else.
    """

    function: Function
    evidence: str
    on_lambda: bool = False
    own: bool = False
    made_by: nodes.Call | None = None
    registry: Function | None = None
    lifecycle: bool = False
    by_path: bool = False


class Registrations:
    """Finds the routes of the given modules. `all` says which, once for each function."""

    def __init__(self, calls: CallGraph, modules: Sequence[Module]) -> None:
        """Take the finished call graph, and the modules to look in."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.knowledge = calls.evaluator.knowledge
        self.modules = modules
        self._keeps: dict[Function, frozenset[str]] = {}

    def all(self) -> dict[Function, Route]:
        """Return every route by its function, in the order of paths and lines.

        A decorator says more about a function than that it is handed to something, so what is
        decorated comes first.
        """
        found: dict[Function, Route] = {}
        for find in (
            self._decorated,
            self._registered_in,
            self._made,
            self._depended_on,
            self._set,
            self._inherited,
        ):
            for module in self.modules:
                for route in find(module):
                    found.setdefault(route.function, route)
        return dict(sorted(found.items(), key=lambda one: _place(one[0])))

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
        if isinstance(value, External):
            # A function of a library that is a handler as it is.
            framework = self.knowledge.framework(value.name)
            if framework is not None and "__init__" in framework.dispatch:
                return framework
        return None

    def _decorated(self, module: Module) -> Iterator[Route]:
        for function in module.functions:
            scope = function.definition_scope
            if scope is not None:
                for decorator in function.decorators:
                    yield from self._decorates(decorator, scope, FunctionValue(function))
        for class_ in module.classes:
            for decorator in class_.node.decorators:
                yield from self._decorates(decorator, class_.definition_scope, ClassValue(class_))

    def _decorates(
        self, decorator: nodes.Expression, scope: Scope, target: Value
    ) -> Iterator[Route]:
        called = decorator.func if isinstance(decorator, nodes.Call) else decorator
        arguments = decorator.arguments if isinstance(decorator, nodes.Call) else []
        if isinstance(called, nodes.Attribute):
            for value in self.evaluator.evaluate(called.value, scope):
                framework = self.framework_of(value)
                if framework is None:
                    continue
                own = called.attr in framework.handlers
                if own or called.attr in framework.routes:
                    made_by = _origin(value)
                    yield from self._routes(target, framework, made_by, own=own)
                    # Middleware of one route, a matcher, a predicate.
                    yield from self._handed(arguments, scope, framework, made_by)
                    return
                if called.attr in framework.lifecycle and isinstance(target, FunctionValue):
                    yield _started(target.function, framework, _origin(value))
                    return
        for value in self.evaluator.evaluate(called, scope):
            known = self.knowledge.framework(value.name) if isinstance(value, External) else None
            if known is not None and "__init__" in known.routes:
                yield from self._routes(target, known, None)
                yield from self._handed(arguments, scope, known, None)
                return
        if isinstance(target, FunctionValue):
            for registry in self._registries(decorator, scope):
                yield _kept(target.function, registry)
                for one in self._functions(arguments, scope):
                    yield _kept(one, registry)

    def _registered_in(self, module: Module) -> Iterator[Route]:
        for function in [module.code, *module.functions]:
            for site in function.calls:
                externals = self.calls.externals.get(site, ())
                for external in externals:
                    yield from self._registered(site, external)
                if not externals and isinstance(site.node.func, nodes.Call):
                    for registry in self._registries(site.node.func, site.scope):
                        for one in self._functions(site.node.arguments, site.scope):
                            yield _kept(one, registry)

    def _registered(self, site: CallSite, external: External) -> Iterator[Route]:
        """`app.add_route("/", f)`, `app.route("/")(f)`, `Route("/", f)`."""
        decorates = external.name.endswith("()") and isinstance(site.node.func, nodes.Call)
        made, _, method = external.name.removesuffix("()").rpartition(".")
        framework = self.knowledge.framework(made[:-2]) if made.endswith("()") else None
        own = False
        if framework is None:
            framework = self.knowledge.framework(external.name)
            if framework is None:
                return
            if framework.lifecycle:
                given = [one for one in site.node.arguments if one.name in _LIFECYCLE]
                for function in self._functions(given, site.scope):
                    yield _started(function, framework, site.node)
            if "__init__" not in framework.registers:
                return
        elif decorates:
            own = method in framework.handlers
            if not own and method not in framework.routes:
                return
        elif method in framework.lifecycle:
            for function in self._functions(site.node.arguments, site.scope):
                yield _started(function, framework, external.origin)
            return
        elif method == "__init__" or method not in (*framework.registers, *framework.routes):
            return
        arguments = [one for one in site.node.arguments if one.name not in _LIFECYCLE]
        yield from self._handed(arguments, site.scope, framework, external.origin, own=own)

    def _made(self, module: Module) -> Iterator[Route]:
        """Objects of a subclass of `Route` that leaves the constructor as it is."""
        for class_ in module.classes:
            project, libraries = self.evaluator.lineage(class_)
            if any("__init__" in one.methods for one in project):
                continue
            for name in libraries:
                framework = self.knowledge.framework(name)
                if framework is not None and "__init__" in framework.registers:
                    for site in self.calls.instantiations.get(class_, ()):
                        if site.module in self.modules:
                            yield from self._handed(
                                site.node.arguments, site.scope, framework, None
                            )

    def _depended_on(self, module: Module) -> Iterator[Route]:
        """What FastAPI calls for each request before the route: `Depends(get_client)`.

        It stands in parameters of routes and dependencies, in their decorators, in the arguments of
        routers, or behind a name: `Client = Annotated[Any, Depends(get_client)]`.
        """
        for function in [module.code, *module.functions]:
            for site in function.calls:
                if any(self._runs_for_routes(one) for one in self.calls.externals.get(site, ())):
                    for needed in self._needed(site):
                        yield Route(needed, f"`{needed.name}` is a dependency of routes")

    def _set(self, module: Module) -> Iterator[Route]:
        """What Django finds by a text in its settings: `MIDDLEWARE = ["shop.middleware.Audit"]`."""
        for setting, bindings in module.scope.bindings.items():
            framework = self.knowledge.framework(f"django.conf.settings.{setting}")
            for binding in bindings if framework is not None else ():
                if binding.value is None or framework is None:
                    continue
                for dotted, name, _ in texts_of_setting(binding.value):
                    path = self.evaluator.imports.find(dotted, module.path)
                    if path is not None and path in self.calls.modules:
                        named = ModuleValue(self.calls.modules[path])
                        for value in self.evaluator.attribute((named,), name):
                            made = self._made_by_factory(value)
                            for one in made or (value,):
                                yield from self._routes(one, framework, None)

    def _inherited(self, module: Module) -> Iterator[Route]:
        """Methods that a library calls on any subclass of its own: `resolve_orders` of graphene."""
        for class_ in module.classes:
            if not class_.methods:
                continue
            for name in self.evaluator.lineage(class_)[1]:
                framework = self.knowledge.framework(name)
                if framework is None:
                    continue
                for pattern in framework.inherited:
                    for method in fnmatch.filter(class_.methods, pattern):
                        yield from self._routes(
                            FunctionValue(class_.methods[method]), framework, None
                        )

    def _made_by_factory(self, value: Value) -> tuple[Value, ...]:
        """Middleware that is a function makes the function that is called for each request."""
        if not isinstance(value, FunctionValue):
            return ()
        returned = self.evaluator.returned(value.function)
        return tuple(one for one in returned if isinstance(one, FunctionValue))

    def _runs_for_routes(self, external: External) -> bool:
        runner = self.knowledge.runner(external.name)
        return runner is not None and runner.when == "route"

    def _needed(self, site: CallSite) -> Iterator[Function]:
        """Yield the function or the constructor that `Depends(x)` stands for.

        Without an argument it is the class of the parameter's annotation, or that beside it in
        `Annotated[Pages, Depends()]`.
        """
        values: list[Value] = []
        positional = [one for one in site.node.arguments if one.name in (None, "dependency")]
        if positional:
            values += self.evaluator.evaluate(positional[0].value, site.scope)
        else:
            match site.module.parents.get(site.node):
                case nodes.Parameter(annotation=annotation) if annotation is not None:
                    beside = annotation
                case nodes.Collection(items=[first, *_]):
                    beside = first
                case _:
                    return
            for one in self.evaluator.annotated(beside, site.scope):
                if isinstance(one, InstanceValue):
                    values.append(ClassValue(one.class_))
        for value in values:
            if isinstance(value, FunctionValue):
                yield value.function
            elif isinstance(value, ClassValue):
                yield from self._methods(value.class_, ("__init__",))
            elif isinstance(value, InstanceValue):
                yield from self._methods(value.class_, ("__call__",))

    def _handed(
        self,
        arguments: Iterable[nodes.Argument],
        scope: Scope,
        framework: Framework,
        made_by: nodes.Call | None,
        *,
        own: bool = False,
    ) -> Iterator[Route]:
        for argument in arguments:
            for value in self._callables(argument.value, scope):
                yield from self._routes(value, framework, made_by, own=own)

    def _routes(
        self,
        value: Value,
        framework: Framework,
        made_by: nodes.Call | None,
        *,
        own: bool = False,
        used: bool = True,
    ) -> Iterator[Route]:
        """Yield the function, or the methods of the object or class, that is called.

        With `used` also those of the classes that a class names in its attributes.
        """
        functions: Iterable[Function] = ()
        if isinstance(value, FunctionValue):
            functions = (value.function,)
        elif isinstance(value, (ClassValue, InstanceValue)):
            functions = self._methods(value.class_, framework.methods)
            for attribute in framework.attributes if used else ():
                for one in self.evaluator.attribute((ClassValue(value.class_),), attribute):
                    for inner in self._each(one):
                        yield from self._routes(inner, framework, made_by, used=False)
        for function in functions:
            text = f"`{function.name}` is called by the {framework.title} application"
            by_path = framework.by_path and not own
            yield Route(function, text, framework.on_lambda, own, made_by, by_path=by_path)

    def _methods(self, class_: Class, patterns: Iterable[str]) -> Iterator[Function]:
        lineage = self.evaluator.lineage(class_)[0]
        found: dict[str, Function] = {}
        for base in reversed(lineage):
            found.update(base.methods)
        for pattern in patterns:
            if "*" not in pattern:
                if pattern in found:
                    yield found[pattern]
                continue
            for name in fnmatch.filter(found, pattern):
                yield found[name]

    def _functions(self, arguments: Iterable[nodes.Argument], scope: Scope) -> Iterator[Function]:
        for argument in arguments:
            for value in self._callables(argument.value, scope):
                if isinstance(value, FunctionValue):
                    yield value.function

    def _callables(self, node: nodes.Expression, scope: Scope) -> Iterator[Value]:
        """Yield the functions, classes and objects that an argument hands over.

        Lists and dictionaries of them count, and what a wrapper of the project is put around.
        """
        values: list[Value] = []
        if isinstance(node, nodes.Call):
            values += self.below_wrapper(node, scope)
            if isinstance(node.func, nodes.Attribute) and node.func.attr == "as_view":
                values += self.evaluator.evaluate(node.func.value, scope)
        values += self.evaluator.evaluate(node, scope)
        if not values and isinstance(node, nodes.Name):
            values += self._looped(node.id, scope)
        callables = [one for value in values for one in self._each(value)]
        yield from callables
        if not callables and isinstance(node, nodes.Call):
            # A wrapper of a library: `csrf_exempt(view)`.
            for argument in node.arguments:
                if isinstance(argument.value, (nodes.Name, nodes.Attribute, nodes.Call)):
                    yield from self._callables(argument.value, scope)

    def _each(self, value: Value) -> Iterator[Value]:
        """Yield a value that can be called, or those in a display."""
        for several in self._inside(value) if isinstance(value, DisplayValue) else [(value,)]:
            for one in several:
                if isinstance(one, (FunctionValue, ClassValue, InstanceValue)):
                    yield one

    def below_wrapper(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """`compress(f)`: what the wrapper calls, which is as much of a route as the wrapper."""
        for value in self.evaluator.evaluate(node.func, scope):
            if isinstance(value, FunctionValue):
                called = self.calls.called_parameters(value.function)
                bound = bind_arguments(node, value.function, value.receiver is not None)
                for name in sorted(called & bound.keys()):
                    yield from self.evaluator.evaluate(bound[name], scope)

    def _looped(self, name: str, scope: Scope) -> Iterator[Value]:
        """`for path, f in ROUTES`, where the routes are pairs, or items of a dictionary."""
        owner = scope.lookup(name)
        for binding in owner.bindings.get(name, ()) if owner is not None else ():
            if (
                binding.kind == "iterate"
                and binding.value is not None
                and binding.index is not None
            ):
                for several in self._rows(binding, binding.value):
                    yield from several

    def _rows(self, binding: Binding, iterable: nodes.Expression) -> Iterator[Sequence[Value]]:
        scope = binding.scope
        match iterable:
            case nodes.Call(func=nodes.Attribute(value=table, attr="items")):
                if binding.index == 1:
                    for one in self.evaluator.evaluate(table, scope):
                        if isinstance(one, DisplayValue) and isinstance(one.node, nodes.Dict):
                            yield from self._inside(one)
            case _:
                for rows in self.evaluator.evaluate(iterable, scope):
                    for several in self._inside(rows):
                        for row in several:
                            cells = list(self._inside(row))
                            if binding.index is not None and 0 <= binding.index < len(cells):
                                yield cells[binding.index]

    def _inside(self, value: Value) -> Iterator[Sequence[Value]]:
        """Yield what each element of a display may hold; of a dictionary, each value."""
        if not isinstance(value, DisplayValue):
            return
        if isinstance(value.node, nodes.Collection):
            for item in value.node.items:
                yield self.evaluator.evaluate(item, value.scope)
        elif isinstance(value.node, nodes.Dict):
            for pair in value.node.items:
                yield self.evaluator.evaluate(pair.value, value.scope)

    def _registries(self, decorator: nodes.Expression, scope: Scope) -> Iterator[Function]:
        """Yield the project functions behind a decorator that keep what they decorate."""
        for value in self.evaluator.evaluate(decorator, scope):
            if isinstance(value, FunctionValue):
                skip = 1 if value.receiver is not None else 0
                parameters = value.function.parameters[skip:]
                if parameters and parameters[0].name in self._kept_parameters(value.function):
                    yield value.function

    def _kept_parameters(self, function: Function) -> frozenset[str]:
        """Return the parameters that running the function puts into some container."""
        found = self._keeps.get(function)
        if found is not None:
            return found
        self._keeps[function] = frozenset()
        names = {one.name for one in function.parameters}
        kept = {
            one.id
            for root, value, scope in function.contents
            for one in _plain_names(value)
            if one.id in names and one.id != root and scope.lookup(one.id) is function.scope
        }
        for site in function.calls:
            for value in self.evaluator.evaluate(site.node.func, site.scope):
                if isinstance(value, FunctionValue):
                    bound = bind_arguments(site.node, value.function, value.receiver is not None)
                    below = self._kept_parameters(value.function)
                    kept |= {
                        given.id
                        for name, given in bound.items()
                        if name in below and isinstance(given, nodes.Name) and given.id in names
                    }
        self._keeps[function] = frozenset(kept)
        return self._keeps[function]


_LIFECYCLE = ("lifespan", "on_startup", "on_shutdown")
"""Arguments of Starlette's constructor: https://www.starlette.io/lifespan/"""


def _started(function: Function, framework: Framework, made_by: nodes.Call | None) -> Route:
    text = f"`{function.name}` runs around every event, which Mangum takes for the whole life of"
    text += f" the {framework.title} application"
    # What a router starts, every application that includes it starts.
    owner = made_by if framework.kind == "app" else None
    return Route(function, text, made_by=owner, lifecycle=True)


def _kept(function: Function, registry: Function) -> Route:
    where = registry.qualname.partition(".<")[0]
    return Route(function, f"`{function.name}` is kept by `{where}`", registry=registry)


def _plain_names(value: nodes.Expression) -> Iterator[nodes.Name]:
    """Yield the names that a stored expression holds as they are: `f`, `(f, x)`, `{"f": f}`."""
    if isinstance(value, nodes.Name):
        yield value
    elif isinstance(value, nodes.Collection):
        for item in value.items:
            yield from _plain_names(item)
    elif isinstance(value, nodes.Dict):
        for pair in value.items:
            yield from _plain_names(pair.value)


def _origin(value: Value) -> nodes.Call | None:
    return value.origin if isinstance(value, (External, InstanceValue)) else None


def _place(function: Function) -> tuple[str, int, int]:
    span = function.name_span
    return (function.module.path, span.line, span.column)
