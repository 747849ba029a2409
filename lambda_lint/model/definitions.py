"""What defining something runs: decorators, base classes, metaclasses; and what decorates calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lambda_lint.model.annotations import class_names
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.kinds import (
    ClassValue,
    External,
    FunctionValue,
    InstanceValue,
    Value,
    merge,
)
from lambda_lint.model.program import CallSite, Class, Function, Scope
from lambda_lint.model.results import runner_arguments
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.calls import CallGraph, Edge


class Definitions:
    """Finds what definitions run, and learns what they register."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the call graph that is being made."""
        self.calls = calls
        self.evaluator = calls.evaluator
        #: What decorating hands to parameters, in this round.
        self.given: dict[tuple[Function, str], list[Value]] = {}
        #: Functions that `functools.singledispatch` chooses instead of the one that is called.
        self.registered: dict[Function, list[Function]] = {}
        #: Objects of the types that these are registered for; none where that is unknown.
        self._registered_for: dict[Function, tuple[Value, ...]] = {}

    def edges(self, function: Function) -> Iterator[tuple[Edge, bool]]:
        """Yield an edge for all that the definitions in a function's own code run."""
        for nested in function.nested:
            yield from self._decorating(
                function, nested.decorators, nested.definition_scope, FunctionValue(nested)
            )
        for class_ in function.classes:
            yield from self._decorating(
                function, class_.node.decorators, class_.definition_scope, ClassValue(class_)
            )
            yield from self._subclassing(function, class_)

    def _decorating(
        self,
        function: Function,
        decorators: list[nodes.Expression],
        scope: Scope | None,
        decorated: FunctionValue | ClassValue,
    ) -> Iterator[tuple[Edge, bool]]:
        """Edges for what runs when a definition is decorated."""
        scope = scope or function.scope
        for decorator in decorators:
            for value in self.evaluator.evaluate(decorator, scope):
                match value:
                    case FunctionValue(function=callee) if is_middleware(callee):
                        continue
                    case FunctionValue(function=callee, receiver=receiver):
                        yield (
                            self.calls.edge(function, callee, decorator, scope, "decorator"),
                            False,
                        )
                        parameters = callee.parameters[1 if receiver is not None else 0 :]
                        if parameters:
                            self.given.setdefault((callee, parameters[0].name), []).append(
                                decorated
                            )
                    case ClassValue(class_=class_):
                        for method in self.calls.methods(
                            InstanceValue(class_), "__init__", exact=True
                        ):
                            yield (
                                self.calls.edge(function, method, decorator, scope, "decorator"),
                                True,
                            )
                    case InstanceValue():
                        for method in self.calls.methods(value, "__call__"):
                            yield (
                                self.calls.edge(function, method, decorator, scope, "decorator"),
                                True,
                            )

    def _subclassing(self, function: Function, class_: Class) -> Iterator[tuple[Edge, bool]]:
        """Edges for what base classes and metaclasses run when a class is defined."""
        scope = class_.definition_scope
        for base in self.evaluator.lineage(class_)[0][1:]:
            method = base.methods.get("__init_subclass__")
            if method is not None:
                yield self.calls.edge(function, method, class_.node, scope, "subclass"), True
                break
        for argument in class_.node.arguments:
            if argument.name == "metaclass":
                for value in self.evaluator.evaluate(argument.value, scope):
                    if isinstance(value, ClassValue):
                        for name in ("__new__", "__init__"):
                            for method in self.calls.methods(
                                InstanceValue(value.class_), name, exact=True
                            ):
                                yield (
                                    self.calls.edge(
                                        function, method, class_.node, scope, "subclass"
                                    ),
                                    True,
                                )

    def begin(self, functions: Iterable[Function]) -> None:
        """Find what `@f.register` adds to a function of `functools.singledispatch`."""
        self.registered, self.given = {}, {}
        self._registered_for.clear()
        for function in functions:
            for decorator in function.decorators:
                called = decorator.func if isinstance(decorator, nodes.Call) else decorator
                if isinstance(called, nodes.Attribute) and called.attr == "register":
                    scope = function.definition_scope or function.scope
                    for value in self.evaluator.evaluate(called.value, scope):
                        if isinstance(value, FunctionValue) and value.function.has_simple_decorator(
                            "singledispatch", "singledispatchmethod"
                        ):
                            self.registered.setdefault(value.function, []).append(function)
                            self._registered_for[function] = self._types(decorator, function, scope)

    def _types(
        self, decorator: nodes.Expression, function: Function, scope: Scope
    ) -> tuple[Value, ...]:
        """Return objects of the types that a function is registered for; none when unknown."""
        if isinstance(decorator, nodes.Call):
            first = decorator.arguments[0].value if decorator.arguments else None
        else:
            parameters = function.parameters[1 if function.class_ is not None else 0 :]
            first = parameters[0].annotation if parameters else None
        found: list[Value] = []
        for name in class_names(first) if first is not None else ():
            values = (
                self.evaluator.annotated(name, scope)
                if isinstance(name, nodes.Constant)
                else self.evaluator.evaluate(name, scope)
            )
            if not values:
                return ()
            found += [
                InstanceValue(one.class_) if isinstance(one, ClassValue) else one for one in values
            ]
        return merge(found)

    def chosen(self, function: Function, bound: bool, site: CallSite | None) -> list[Function]:
        """Return what calling a function runs: of `functools.singledispatch` another one.

        That is chosen by the class of the first argument, where the project knows it; `bound`
        says that this stands after `self`. `site` is None where a library does the calling.
        https://docs.python.org/3/library/functools.html#functools.singledispatch
        """
        registered = self.registered.get(function, [])
        classes = None
        if registered and site is not None and bound == function.is_method:
            classes = self._classes_given(site.node, site.scope)
        if classes is None:
            return [function, *registered]
        found: dict[Function, None] = {}
        for class_ in classes:
            found.update(dict.fromkeys(self._chosen_for(class_, function, registered)))
        return list(found)

    def _classes_given(self, call: nodes.Call, scope: Scope) -> list[Class] | None:
        """Return the classes that the first argument can be of, None when not all are known."""
        if not call.arguments or call.arguments[0].name or call.arguments[0].star:
            return None
        given = call.arguments[0].value
        values = self.evaluator.evaluate(given, scope)
        if not values or self._has_unknown_callers(given, scope):
            return None
        found: list[Class] = []
        for value in values:
            if not isinstance(value, InstanceValue):
                return None
            found.append(value.class_)
            if value.origin is None:
                found += self.calls.subclasses.get(value.class_, ())
        return found

    def _has_unknown_callers(self, given: nodes.Expression, scope: Scope) -> bool:
        """Whether it is a parameter without annotation, for which a caller hands in anything."""
        owner = scope.lookup(given.id) if isinstance(given, nodes.Name) else None
        if owner is None or not isinstance(given, nodes.Name):
            return False
        parameter = owner.function.parameter(given.id)
        if parameter is None or parameter.annotation is not None:
            return False
        return any(
            not self.evaluator.evaluate(argument, site.scope)
            for site, skip_first in self.calls.argument_sites(owner.function)
            for argument in [bind_arguments(site.node, owner.function, skip_first).get(given.id)]
            if argument is not None
        )

    def _chosen_for(
        self, class_: Class, function: Function, registered: list[Function]
    ) -> Iterator[Function]:
        """Yield the function of the nearest class, and those that it cannot be known of."""
        lineage = self.evaluator.lineage(class_)[0]
        is_plain = all(self._has_own_bases_only(one) for one in lineage)
        for one in registered:
            types = self._registered_for[one]
            if not types or any(
                isinstance(each, External) and not (is_plain and _is_builtin_class(each))
                for each in types
            ):
                yield one
        for base in lineage:
            nearest = [
                one
                for one in registered
                for each in self._registered_for[one]
                if isinstance(each, InstanceValue) and each.class_ is base
            ]
            if nearest:
                yield from nearest
                return
        yield function

    def _has_own_bases_only(self, class_: Class) -> bool:
        """Whether all bases of a class are classes of the project."""
        bases = [one.value for one in class_.node.arguments if one.name is None]
        values = [self.evaluator.evaluate(one, class_.definition_scope) for one in bases]
        return all(
            one and all(isinstance(each, ClassValue) or _is_root(each) for each in one)
            for one in values
        )

    def folded(self, call: nodes.Call, scope: Scope) -> None:
        """Learn what `reduce(combine, items, first)` hands to `combine`."""
        given = [one.value for one in call.arguments if not one.name and not one.star]
        if len(given) < 2:
            return
        items = merge(self.evaluator.containers.elements(self.evaluator.evaluate(given[1], scope)))
        first = self.evaluator.evaluate(given[2], scope) if len(given) > 2 else items
        for value in self.evaluator.evaluate(given[0], scope):
            if isinstance(value, FunctionValue):
                parameters = value.function.parameters[1 if value.receiver is not None else 0 :]
                for parameter, values in zip(parameters, (first, items), strict=False):
                    self.given.setdefault((value.function, parameter.name), []).extend(values)

    def wrappers(self, function: Function) -> Iterator[Function]:
        """Yield the functions that stand in front of a decorated one."""
        scope = function.definition_scope
        if scope is None:
            return
        for decorator in function.decorators:
            if isinstance(decorator, nodes.Call):
                yield from self._entered_around(decorator, scope)
                yield from self._called_around(decorator, scope)
            for value in self.evaluator.evaluate(decorator, scope):
                if isinstance(value, FunctionValue):
                    if is_middleware(value.function):
                        yield value.function
                        continue
                    for inner in self.evaluator.returned(value.function):
                        # What it was given it may give back; that is no wrapper.
                        if isinstance(inner, FunctionValue) and not self._is_given(
                            inner.function, value.function
                        ):
                            yield inner.function
                            yield from self._put_around(inner)
                elif isinstance(value, ClassValue):
                    yield from self.calls.methods(InstanceValue(value.class_), "__call__")
                    yield from self._called_by_base(value.class_)
                elif isinstance(value, InstanceValue):
                    yield from self._called_by_base(value.class_)
                    for method in self.calls.methods(value, "__call__"):
                        for inner in self.evaluator.returned(method):
                            if isinstance(inner, FunctionValue):
                                yield inner.function

    def _put_around(self, wrapper: FunctionValue, depth: int = 8) -> Iterator[Function]:
        """`return logged(guarded(f))`: the wrapper that was made with another one."""
        origin = wrapper.origin
        if origin is None or not depth:
            return
        for argument in origin.arguments:
            if isinstance(argument.value, nodes.Call):
                scope = self.evaluator.origins[origin]
                for value in self.evaluator.evaluate(argument.value, scope):
                    if isinstance(value, FunctionValue):
                        yield value.function
                        yield from self._put_around(value, depth - 1)

    def _called_by_base(self, class_: Class) -> Iterator[Function]:
        """What a library's class of decorators calls around the function: `before`, `after`."""
        project, libraries = self.evaluator.lineage(class_)
        for name in libraries:
            framework = self.evaluator.knowledge.framework(name)
            for method in framework.methods if framework is not None else ():
                for base in project:
                    if method in base.methods:
                        yield base.methods[method]
                        break

    def _called_around(self, decorator: nodes.Call, scope: Scope) -> Iterator[Function]:
        """A middleware with settings, and what a library's decorator is told to run."""
        for value in self.evaluator.evaluate(decorator.func, scope):
            if isinstance(value, FunctionValue) and is_middleware(value.function):
                yield value.function
            elif isinstance(value, External):
                runner = self.evaluator.knowledge.runner(value.name)
                if runner is not None and runner.when == "around":
                    for given in runner_arguments(decorator, runner):
                        for one in self.evaluator.evaluate(given, scope):
                            if isinstance(one, FunctionValue):
                                yield one.function

    def _is_given(self, function: Function, decorator: Function) -> bool:
        """Whether the function is one that is decorated with the decorator."""
        given = self.evaluator.contents.given
        return any(
            isinstance(value, FunctionValue) and value.function is function
            for parameter in decorator.parameters[:2]
            for value in given.get((decorator, parameter.name), ())
        )

    def _entered_around(self, decorator: nodes.Call, scope: Scope) -> Iterator[Function]:
        """A context manager as a decorator is entered around each call."""
        for value in self.evaluator.evaluate(decorator.func, scope):
            if isinstance(value, FunctionValue) and value.function.has_simple_decorator(
                "contextmanager", "asynccontextmanager"
            ):
                yield value.function
            elif isinstance(value, ClassValue) and "__call__" not in value.class_.methods:
                for name in ("__enter__", "__exit__"):
                    yield from self.calls.methods(InstanceValue(value.class_), name)


def is_middleware(function: Function) -> bool:
    """Whether Powertools made a decorator of it, so that calling it by name does not run it.

    https://docs.powertools.aws.dev/lambda/python/latest/utilities/middleware_factory/
    """
    return function.has_simple_decorator("lambda_handler_decorator")


def _is_builtin_class(value: External) -> bool:
    """Whether it is a class that no class of the project is one of unless it says so."""
    return value.name.startswith("builtins.") and value.name != "builtins.object"


def _is_root(value: Value) -> bool:
    """Whether it is a base that says nothing of what its subclasses are."""
    return isinstance(value, External) and value.name in ("builtins.object", "abc.ABC")
