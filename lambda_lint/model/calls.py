"""Who calls whom: an edge for every place where running one project function runs another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambda_lint.finding import Span
from lambda_lint.model.program import CallSite, Class, Function, Module, Scope
from lambda_lint.model.values import (
    ClassValue,
    Evaluator,
    External,
    FunctionValue,
    InstanceValue,
    Values,
    runner_arguments,
)
from lambda_lint.syntax import nodes

MAX_ROUNDS = 4
"""Parameters learn their values from call sites, which are found through values: so in rounds."""

MAX_OVERRIDES = 40
"""A method with more overriding subclasses than this is not followed into all of them."""


@dataclass(eq=False, slots=True)
class Edge:
    """Running `caller` runs `callee`, because of `node` in it.

    `kind` is call, method, init, callback, runner, enter, property, wrapper, decorator or route.
    `site` is the call expression, where there is one.
    """

    caller: Function
    callee: Function
    node: nodes.Node
    scope: Scope
    kind: str
    site: CallSite | None = None
    class_: Class | None = None

    @property
    def span(self) -> Span:
        """The place in the caller."""
        return self.node.span


class CallGraph:
    """All edges of the project, and where classes are instantiated."""

    def __init__(self, modules: Mapping[str, Module], evaluator: Evaluator) -> None:
        """Resolve every call of the indexed modules."""
        self.modules = modules
        self.evaluator = evaluator
        self.out: dict[Function, list[Edge]] = {}
        self.into: dict[Function, list[Edge]] = {}
        self.instantiations: dict[Class, list[CallSite]] = {}
        #: What each call site calls outside of the project.
        self.externals: dict[CallSite, tuple[External, ...]] = {}
        self.subclasses: dict[Class, list[Class]] = {}
        #: Calls of `functools.partial` for a project function.
        self.partials: dict[Function, list[CallSite]] = {}
        self._argument_sites: dict[Function, list[tuple[CallSite, bool]]] = {}
        self._called_parameters: dict[Function, frozenset[str]] = {}
        self._wrappers: dict[Function, tuple[Function, ...]] = {}
        self._parameter_memo: dict[tuple[Function, str], Values] = {}
        self._property_names = frozenset(
            name
            for module in modules.values()
            for class_ in module.classes
            for name, method in class_.methods.items()
            if method.decorators
        )
        evaluator.parameter_values = self.parameter_values
        self._resolve()

    def functions(self) -> Iterator[Function]:
        """Yield every function, module code included, in the order of paths and lines."""
        for path in sorted(self.modules):
            module = self.modules[path]
            yield module.code
            yield from module.functions

    def parameter_values(self, function: Function, name: str) -> Values:
        """Return what callers pass for a parameter, as far as call sites are known."""
        key = (function, name)
        if key in self._parameter_memo:
            return self._parameter_memo[key]
        self._parameter_memo[key] = ()
        found: dict[object, None] = {}
        for site, skip_first in self._argument_sites.get(function, ()):
            value = bind_arguments(site.node, function, skip_first).get(name)
            if value is not None:
                found.update(dict.fromkeys(self.evaluator.evaluate(value, site.scope)))
        values: Values = tuple(found)  # type: ignore[arg-type]
        self._parameter_memo[key] = values
        return values

    def argument_sites(self, function: Function) -> list[tuple[CallSite, bool]]:
        """Return the call sites of a function; True where the first parameter is bound already."""
        return self._argument_sites.get(function, [])

    def wrappers(self, function: Function) -> tuple[Function, ...]:
        """Return the project functions that stand in front of a decorated function."""
        found = self._wrappers.get(function)
        if found is None:
            self._wrappers[function] = ()
            found = tuple(dict.fromkeys(self._find_wrappers(function)))
            self._wrappers[function] = found
        return found

    def _resolve(self) -> None:
        functions = list(self.functions())
        self._find_subclasses()
        self.evaluator.subclasses = self.subclasses
        before: tuple[int, int] | None = None
        for _ in range(MAX_ROUNDS):
            self.evaluator.forget()
            self._parameter_memo.clear()
            self._wrappers.clear()
            self._called_parameters.clear()
            sites = self._argument_sites
            self.out, self.into, self.instantiations, self.externals = {}, {}, {}, {}
            self.partials = {}
            fresh: dict[Function, list[tuple[CallSite, bool]]] = {}
            for function in functions:
                for edge, skip_first in self._edges_of(function):
                    self.out.setdefault(edge.caller, []).append(edge)
                    self.into.setdefault(edge.callee, []).append(edge)
                    if edge.site is not None and edge.kind in ("call", "method", "init"):
                        fresh.setdefault(edge.callee, []).append((edge.site, skip_first))
            self._argument_sites = fresh
            size = (sum(map(len, self.out.values())), sum(map(len, self.externals.values())))
            if size == before and len(fresh) == len(sites):
                break
            before = size
        self.evaluator.forget()
        self._parameter_memo.clear()

    def _find_subclasses(self) -> None:
        for path in sorted(self.modules):
            for class_ in self.modules[path].classes:
                for base in self.evaluator.lineage(class_)[0][1:]:
                    self.subclasses.setdefault(base, []).append(class_)

    def _edges_of(self, function: Function) -> Iterator[tuple[Edge, bool]]:
        for site in function.calls:
            yield from self._call_edges(site)
        for statement, scope in function.withs:
            for item in statement.items:
                for value in self.evaluator.evaluate(item.expression, scope):
                    if isinstance(value, InstanceValue):
                        for name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
                            for method in self._methods(value, name):
                                yield Edge(function, method, item, scope, "enter"), True
        for node, scope in function.attribute_loads:
            if node.attr in self._property_names:
                for value in self.evaluator.evaluate(node.value, scope):
                    if isinstance(value, InstanceValue):
                        for method in self._methods(value, node.attr):
                            if self.evaluator.is_property(method):
                                yield Edge(function, method, node, scope, "property"), True
        for nested in function.nested:
            for decorator in nested.decorators:
                if isinstance(decorator, nodes.Call):
                    continue
                for value in self.evaluator.evaluate(
                    decorator, nested.definition_scope or function.scope
                ):
                    if isinstance(value, FunctionValue):
                        scope = nested.definition_scope or function.scope
                        yield Edge(function, value.function, decorator, scope, "decorator"), False

    def _call_edges(self, site: CallSite) -> Iterator[tuple[Edge, bool]]:
        node, scope = site.node, site.scope
        by_parameter = self._names_parameter(node.func, scope)
        externals: list[External] = []
        callees = self.evaluator.evaluate(node.func, scope)
        if by_parameter and isinstance(node.func, nodes.Name):
            yield from self._default_edges(site, node.func)
        for value in callees:
            match value:
                case External():
                    externals.append(value)
                    yield from self._run_by_library(site, value)
                    if value.name == "functools.partial" and node.arguments:
                        for inner in self.evaluator.evaluate(node.arguments[0].value, scope):
                            if isinstance(inner, FunctionValue):
                                self.partials.setdefault(inner.function, []).append(site)
                case FunctionValue(function=callee, receiver=receiver) if not by_parameter:
                    for target in self._dispatch(callee, receiver):
                        kind = "method" if target.is_method else "call"
                        bound = receiver is not None
                        yield from self._enter(site, target, kind, bound)
                case ClassValue(class_=class_):
                    self.instantiations.setdefault(class_, []).append(site)
                    for name in ("__new__", "__init__", "__post_init__"):
                        for method in self._methods(InstanceValue(class_), name, exact=True):
                            yield (
                                Edge(site.function, method, node, scope, "init", site, class_),
                                True,
                            )
                case InstanceValue():
                    for method in self._methods(value, "__call__"):
                        yield from self._enter(site, method, "method", True)
        if externals:
            self.externals[site] = tuple(externals)

    def _default_edges(self, site: CallSite, name: nodes.Name) -> Iterator[tuple[Edge, bool]]:
        """A parameter that is called may hold its default: `def f(make=make_client)`."""
        owner = site.scope.lookup(name.id)
        parameter = owner.function.parameter(name.id) if owner is not None else None
        if owner is None or parameter is None or parameter.default is None:
            return
        outer = owner.function.definition_scope or owner
        for value in self.evaluator.evaluate(parameter.default, outer):
            if isinstance(value, FunctionValue):
                yield from self._enter(site, value.function, "call", value.receiver is not None)

    def _enter(
        self, site: CallSite, callee: Function, kind: str, bound: bool
    ) -> Iterator[tuple[Edge, bool]]:
        """Edges for calling a project function: itself, its wrappers, the callables it is given."""
        function, node, scope = site.function, site.node, site.scope
        yield Edge(function, callee, node, scope, kind, site), bound
        for wrapper in self.wrappers(callee):
            yield Edge(function, wrapper, node, scope, "wrapper", site), False
        called = self.called_parameters(callee)
        if called:
            for name, given in bind_arguments(node, callee, bound).items():
                if name in called:
                    yield from self._passed(site, given, "callback")

    def _passed(
        self, site: CallSite, value: nodes.Expression, kind: str
    ) -> Iterator[tuple[Edge, bool]]:
        for one in self.evaluator.evaluate(value, site.scope):
            if isinstance(one, FunctionValue):
                if self._names_parameter(value, site.scope):
                    continue
                for target in self._dispatch(one.function, one.receiver):
                    yield Edge(site.function, target, site.node, site.scope, kind, site), False
                    for wrapper in self.wrappers(target):
                        yield (
                            Edge(site.function, wrapper, site.node, site.scope, "wrapper", site),
                            False,
                        )
            elif isinstance(one, InstanceValue):
                for method in self._methods(one, "__call__"):
                    yield Edge(site.function, method, site.node, site.scope, kind, site), False
            elif isinstance(one, ClassValue):
                self.instantiations.setdefault(one.class_, []).append(site)
                for method in self._methods(InstanceValue(one.class_), "__init__", exact=True):
                    yield (
                        Edge(
                            site.function, method, site.node, site.scope, "init", site, one.class_
                        ),
                        False,
                    )

    def _run_by_library(self, site: CallSite, external: External) -> Iterator[tuple[Edge, bool]]:
        if external.name.endswith(("Thread().start", "Process().start")):
            func = site.node.func
            if isinstance(func, nodes.Attribute):
                for value in self.evaluator.evaluate(func.value, site.scope):
                    if isinstance(value, InstanceValue):
                        for method in self._methods(value, "run"):
                            yield (
                                Edge(site.function, method, site.node, site.scope, "runner", site),
                                False,
                            )
            return
        for given in self._run_arguments(site.node, external):
            yield from self._passed(site, given, "runner")

    def _run_arguments(self, call: nodes.Call, external: External) -> list[nodes.Expression]:
        """Return the arguments of a library call that it runs soon, as opposed to registers."""
        runner = self.evaluator.knowledge.runner(external.name)
        if runner is None or runner.when != "now" or runner.takes != "callable":
            return []
        return runner_arguments(call, runner)

    def called_parameters(self, function: Function) -> frozenset[str]:
        """Return the parameters that running the function calls, directly or by handing them on."""
        found = self._called_parameters.get(function)
        if found is not None:
            return found
        self._called_parameters[function] = frozenset()
        names = {one.name for one in function.parameters}
        called: set[str] = set()
        if names:
            for inner in _with_nested(function):
                for site in inner.calls:
                    if self._is_own(site.node.func, site.scope, function, names):
                        called.add(site.node.func.id)  # type: ignore[attr-defined]
                    for value in self._handed_on(site):
                        if self._is_own(value, site.scope, function, names):
                            called.add(value.id)  # type: ignore[attr-defined]
        result = frozenset(called)
        self._called_parameters[function] = result
        return result

    def _handed_on(self, site: CallSite) -> Iterator[nodes.Expression]:
        if not any(isinstance(one.value, nodes.Name) for one in site.node.arguments):
            return
        for value in self.evaluator.evaluate(site.node.func, site.scope):
            if isinstance(value, External):
                yield from self._run_arguments(site.node, value)
            elif isinstance(value, FunctionValue):
                called = self.called_parameters(value.function)
                bound = value.receiver is not None
                for name, one in bind_arguments(site.node, value.function, bound).items():
                    if name in called:
                        yield one

    def _is_own(
        self, value: nodes.Expression, scope: Scope, function: Function, names: set[str]
    ) -> bool:
        return (
            isinstance(value, nodes.Name)
            and value.id in names
            and scope.lookup(value.id) is function.scope
        )

    def _names_parameter(self, value: nodes.Expression, scope: Scope) -> bool:
        """Whether the expression is a parameter's name.

        A callable that came in as an argument is followed from the place that passed it, where it
        is known which one it is; here it could be any that anybody ever passed.
        """
        if not isinstance(value, nodes.Name):
            return False
        found = scope.lookup(value.id)
        return found is not None and any(
            one.kind == "parameter" for one in found.bindings.get(value.id, ())
        )

    def _dispatch(self, callee: Function, receiver: object) -> list[Function]:
        """Return the method and, when the receiver's exact class is open, what overrides it."""
        targets = [callee]
        if isinstance(receiver, InstanceValue) and receiver.origin is None:
            overriding = self.subclasses.get(receiver.class_, ())
            if len(overriding) <= MAX_OVERRIDES:
                for class_ in overriding:
                    method = class_.methods.get(callee.name)
                    if method is not None and method not in targets:
                        targets.append(method)
        return targets

    def _methods(
        self, value: InstanceValue, name: str, *, exact: bool = False
    ) -> Iterator[Function]:
        for one in self.evaluator.lineage(value.class_)[0]:
            method = one.methods.get(name)
            if method is not None:
                yield from [method] if exact else self._dispatch(method, value)
                return

    def _find_wrappers(self, function: Function) -> Iterator[Function]:
        scope = function.definition_scope
        if scope is None:
            return
        for decorator in function.decorators:
            for value in self.evaluator.evaluate(decorator, scope):
                if isinstance(value, FunctionValue):
                    for inner in self.evaluator.returned(value.function):
                        if isinstance(inner, FunctionValue) and inner.function is not function:
                            yield inner.function
                elif isinstance(value, ClassValue):
                    yield from self._methods(InstanceValue(value.class_), "__call__")
                elif isinstance(value, InstanceValue):
                    for method in self._methods(value, "__call__"):
                        for inner in self.evaluator.returned(method):
                            if isinstance(inner, FunctionValue):
                                yield inner.function


def bind_arguments(
    call: nodes.Call, function: Function, skip_first: bool
) -> dict[str, nodes.Expression]:
    """Return which argument each parameter of `function` gets from `call`.

    `skip_first` says that the first parameter is bound already (`self`, `cls`). After a starred
    argument positions are unknown, so the rest is left out.
    """
    parameters = function.parameters
    if skip_first:
        parameters = parameters[1:]
    positional = [one for one in parameters if one.kind in ("positional-only", "positional")]
    by_name = {one.name: one for one in parameters}
    bound: dict[str, nodes.Expression] = {}
    position = 0
    starred = False
    for argument in call.arguments:
        if argument.star:
            starred = starred or argument.star == "*"
        elif argument.name is not None:
            if argument.name in by_name:
                bound[argument.name] = argument.value
        elif not starred:
            if position < len(positional):
                bound[positional[position].name] = argument.value
            position += 1
    return bound


def _with_nested(function: Function) -> Iterator[Function]:
    yield function
    for inner in function.nested:
        yield from _with_nested(inner)
