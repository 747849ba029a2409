"""Who calls whom: an edge for every place where running one project function runs another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambda_lint.finding import Span
from lambda_lint.model.arguments import bind_arguments, further_arguments
from lambda_lint.model.definitions import Definitions, is_middleware
from lambda_lint.model.operations import Operations
from lambda_lint.model.program import CallSite, Class, Function, Module, Scope
from lambda_lint.model.values import (
    ClassValue,
    Evaluator,
    External,
    FunctionValue,
    InstanceValue,
    Value,
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

    `kind` is call, method, init, callback, runner, enter, property, operation, wrapper, decorator
    or subclass. `site` is the call expression, where there is one. `via` is the call inside of a
    closure that runs what the closure was made with, and `memo` the cache that was put around the
    callee by a call. `receiver` is the class of the object whose method it is, where it is known.
    """

    caller: Function
    callee: Function
    node: nodes.Node
    scope: Scope
    kind: str
    site: CallSite | None = None
    class_: Class | None = None
    via: CallSite | None = None
    memo: nodes.Call | None = None
    receiver: Class | None = None

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
        #: The classes of the project that a call makes an object of where a library's is known.
        self.subclassed: dict[CallSite, Class] = {}
        #: Classes that running a function defines, where defining one makes something: as calls.
        self.defining: dict[Class, CallSite] = {}
        #: Calls of `functools.partial` for a project function.
        self.partials: dict[Function, list[CallSite]] = {}
        self._argument_sites: dict[Function, list[tuple[CallSite, bool]]] = {}
        self._bound_at: dict[Function, dict[CallSite, list[bool]]] = {}
        self._called_parameters: dict[Function, frozenset[str]] = {}
        self._wrappers: dict[Function, tuple[Function, ...]] = {}
        self._run_parameters: dict[Function, frozenset[str]] = {}
        self._operations = Operations(self)
        self._definitions = Definitions(self)
        evaluator.parameter_values = self.parameter_values
        self._resolve()

    def functions(self) -> Iterator[Function]:
        """Yield every function, module code included, in the order of paths and lines."""
        for path in sorted(self.modules):
            module = self.modules[path]
            yield module.code
            yield from module.functions

    def parameter_values(self, function: Function, name: str) -> Values:
        """Return what callers pass for a parameter, as far as call sites are known.

        For `*names` that is everything that one of them may be.
        """
        found: dict[Value, None] = {}
        sites = self._argument_sites.get(function, ())
        parameter = function.parameter(name)
        if parameter is not None and parameter.kind == "variadic":
            for site, skip_first in sites:
                for one in further_arguments(site.node, function, skip_first):
                    found.update(dict.fromkeys(self.evaluator.evaluate(one, site.scope)))
            return tuple(found)
        for site, skip_first in sites:
            value = bind_arguments(site.node, function, skip_first).get(name)
            if value is not None:
                found.update(dict.fromkeys(self.evaluator.evaluate(value, site.scope)))
        return tuple(found)

    def argument_sites(self, function: Function) -> list[tuple[CallSite, bool]]:
        """Return the call sites of a function; True where the first parameter is bound already."""
        return self._argument_sites.get(function, [])

    def bound_at(self, function: Function, site: CallSite) -> list[bool]:
        """Return for each way in which a site calls the function whether the first parameter is
        bound already; a function may have as many sites as a project has calls."""
        found = self._bound_at.get(function)
        if found is None:
            found = self._bound_at[function] = {}
            for one, skip_first in self.argument_sites(function):
                found.setdefault(one, []).append(skip_first)
        return found.get(site, [])

    def wrappers(self, function: Function) -> tuple[Function, ...]:
        """Return the project functions that stand in front of a decorated function."""
        found = self._wrappers.get(function)
        if found is None:
            self._wrappers[function] = ()
            found = tuple(dict.fromkeys(self._definitions.wrappers(function)))
            self._wrappers[function] = found
        return found

    def edge(
        self,
        caller: Function,
        callee: Function,
        node: nodes.Node,
        scope: Scope,
        kind: str,
        receiver: Class | None = None,
    ) -> Edge:
        """Return an edge for something that is no call."""
        return Edge(caller, callee, node, scope, kind, receiver=receiver)

    def _resolve(self) -> None:
        functions = list(self.functions())
        self._find_subclasses()
        self.evaluator.subclasses = self.subclasses
        before: tuple[int, int, int] | None = None
        for _ in range(MAX_ROUNDS):
            self.evaluator.forget()
            self._wrappers.clear()
            self._called_parameters.clear()
            self._run_parameters.clear()
            sites = self._argument_sites
            self.out, self.into, self.instantiations, self.externals = {}, {}, {}, {}
            self.partials = {}
            self._definitions.begin(functions)
            fresh: dict[Function, list[tuple[CallSite, bool]]] = {}
            for function in functions:
                for edge, skip_first in self._edges_of(function):
                    self.out.setdefault(edge.caller, []).append(edge)
                    self.into.setdefault(edge.callee, []).append(edge)
                    if edge.site is not None and edge.kind in ("call", "method", "init"):
                        fresh.setdefault(edge.callee, []).append((edge.site, skip_first))
            flows = self.evaluator.contents.learn(self.evaluator, self._definitions.given)
            self._argument_sites = fresh
            self._bound_at.clear()
            size = (sum(map(len, self.out.values())), sum(map(len, self.externals.values())), flows)
            if size == before and len(fresh) == len(sites):
                break
            before = size
        self.evaluator.forget()

    def _find_subclasses(self) -> None:
        for path in sorted(self.modules):
            for class_ in self.modules[path].classes:
                for base in self.evaluator.lineage(class_)[0][1:]:
                    self.subclasses.setdefault(base, []).append(class_)

    def _edges_of(self, function: Function) -> Iterator[tuple[Edge, bool]]:
        for site in function.calls:
            yield from self._call_edges(site)
        if not function.is_module:
            for class_ in function.classes:
                self._made_by_definition(class_)
        yield from self._operations.edges(function)
        yield from self._definitions.edges(function)

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
                    if value.name == "functools.reduce":
                        self._definitions.folded(node, scope)
                    if value.name == "functools.partial" and node.arguments:
                        for inner in self.evaluator.evaluate(node.arguments[0].value, scope):
                            if isinstance(inner, FunctionValue):
                                self.partials.setdefault(inner.function, []).append(site)
                case FunctionValue(function=callee, receiver=receiver) if not by_parameter:
                    for target in self._dispatch(callee, receiver, site):
                        if _runs_nothing(site, target):
                            continue
                        kind = "method" if target.is_method else "call"
                        bound = receiver is not None
                        of = receiver.class_ if isinstance(receiver, InstanceValue) else None
                        yield from self._enter(site, target, kind, bound, value.memo, of)
                        yield from self._closed_over(site, value)
                    yield from self._loaded(site, callee)
                case ClassValue(class_=class_, memo=memo):
                    yield from self._instantiate(site, class_, memo)
                    if memo is None:
                        externals += self._made_by_base(site, class_)
                case InstanceValue():
                    for method in self.methods(value, "__call__"):
                        yield from self._enter(site, method, "method", True)
        if externals:
            self.externals[site] = tuple(externals)

    def _instantiate(
        self, site: CallSite, class_: Class, memo: nodes.Call | None
    ) -> Iterator[tuple[Edge, bool]]:
        if self.evaluator.is_enum(class_):
            return
        if memo is None:
            self.instantiations.setdefault(class_, []).append(site)
        for name in ("__new__", "__init__", "__post_init__", "__attrs_post_init__"):
            for method in self.methods(InstanceValue(class_), name, exact=True):
                edge = Edge(site.function, method, site.node, site.scope, "init", site, class_)
                edge.memo = memo
                yield edge, True
        for one in self.evaluator.lineage(class_)[0]:
            for factory, scope in self._factories(one):
                for value in self.evaluator.evaluate(factory, scope):
                    for target in self._callables(value):
                        edge = Edge(site.function, target, site.node, site.scope, "runner", site)
                        edge.class_, edge.memo = class_, memo
                        yield edge, False

    def _made_by_base(self, site: CallSite, class_: Class) -> Iterator[External]:
        """Yield the library clients that it makes one of: `class Api(requests.Session)`.

        Of a validator or template the subclass says itself what it is made from, and it may keep
        something of the one thing that it is used for.
        """
        for name in self.evaluator.lineage(class_)[1]:
            made = self.evaluator.knowledge.constructor(name)
            if made is not None and made.rule == "client":
                self.subclassed[site] = class_
                yield External(name)

    def _made_by_definition(self, class_: Class) -> None:
        """Take the definition of a class for a call of its library's `__init_subclass__`."""
        for name in self.evaluator.lineage(class_)[1]:
            hook = f"{name}.__init_subclass__"
            if self.evaluator.knowledge.constructor(hook) is None:
                continue
            site = self.defining.get(class_)
            if site is None:
                node, scope = class_.node, class_.definition_scope
                # What its body uses is what the class depends on.
                used = [
                    nodes.Argument(one.value.span, one.value)
                    for statement in nodes.walk(node)
                    if isinstance(statement, (nodes.Assign, nodes.AnnotatedAssign))
                    for one in [statement]
                    if one.value is not None
                ]
                base = next(one.value for one in node.arguments if not one.name)
                call = nodes.Call(node.span, base, used)
                class_.module.parents[call] = node
                class_.module.scope_of[call] = scope
                site = self.defining[class_] = CallSite(call, scope, scope.function)
                self.subclassed[site] = class_
            self.externals[site] = (External(hook),)

    def _loaded(self, site: CallSite, callee: Function) -> Iterator[tuple[Edge, bool]]:
        """Edges to the classes of which a function makes objects by the names it is given."""
        for class_, makes in self.evaluator.results.loaded(callee, site.node, site.scope):
            if makes:
                self.instantiations.setdefault(class_, []).append(site)
                for method in self.methods(InstanceValue(class_), "__init__", exact=True):
                    yield (
                        Edge(site.function, method, site.node, site.scope, "runner", site, class_),
                        False,
                    )

    def _factories(self, class_: Class) -> Iterator[tuple[nodes.Expression, Scope]]:
        """Yield what fields of the class call for each object: `field(default_factory=make)`."""
        for statement in class_.node.body:
            if isinstance(statement, nodes.AnnotatedAssign | nodes.Assign) and isinstance(
                statement.value, nodes.Call
            ):
                for argument in statement.value.arguments:
                    if argument.name in ("default_factory", "factory"):
                        yield argument.value, class_.scope

    def _callables(self, value: Value) -> Iterator[Function]:
        match value:
            case FunctionValue(function=function, receiver=receiver):
                yield from self._dispatch(function, receiver)
            case ClassValue(class_=class_):
                yield from self.methods(InstanceValue(class_), "__init__", exact=True)
            case InstanceValue():
                yield from self.methods(value, "__call__")

    def _closed_over(self, site: CallSite, value: FunctionValue) -> Iterator[tuple[Edge, bool]]:
        """Edges to what a closure calls that was made with it: `once(make)()` runs `make`."""
        scope = value.function.definition_scope
        origin = value.origin
        if origin is None or scope is None or scope.function.is_module:
            return
        outer = scope.function
        names = {one.name for one in outer.parameters}
        given = bind_arguments(origin, outer, outer.is_method)
        for inner in _with_nested(value.function):
            for via in inner.calls:
                func = via.node.func
                if not self._is_own(func, via.scope, outer, names):
                    continue
                argument = given.get(func.id)  # type: ignore[attr-defined]
                if argument is None:
                    continue
                for one in self.evaluator.evaluate(argument, self.evaluator.origins[origin]):
                    if self._names_parameter(argument, self.evaluator.origins[origin]):
                        continue
                    for target in self._callables(one):
                        edge = Edge(site.function, target, site.node, site.scope, "callback", site)
                        edge.via, edge.memo = via, value.memo
                        yield edge, False

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
        self,
        site: CallSite,
        callee: Function,
        kind: str,
        bound: bool,
        memo: nodes.Call | None = None,
        receiver: Class | None = None,
    ) -> Iterator[tuple[Edge, bool]]:
        """Edges for calling a project function: itself, its wrappers, the callables it is given."""
        function, node, scope = site.function, site.node, site.scope
        yield Edge(function, callee, node, scope, kind, site, None, None, memo, receiver), bound
        for wrapper in self.wrappers(callee):
            yield Edge(function, wrapper, node, scope, "wrapper", site), False
        called = self.run_parameters(callee)
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
                yield from self._closed_over(site, one)
                for target in self._dispatch(one.function, one.receiver):
                    edge = Edge(site.function, target, site.node, site.scope, kind, site)
                    edge.memo = one.memo
                    yield edge, False
                    for wrapper in self.wrappers(target):
                        yield (
                            Edge(site.function, wrapper, site.node, site.scope, "wrapper", site),
                            False,
                        )
            elif isinstance(one, InstanceValue):
                for method in self.methods(one, "__call__"):
                    yield Edge(site.function, method, site.node, site.scope, kind, site), False
            elif isinstance(one, ClassValue):
                self.instantiations.setdefault(one.class_, []).append(site)
                for method in self.methods(InstanceValue(one.class_), "__init__", exact=True):
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
                        for method in self.methods(value, "run"):
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

    def run_parameters(self, function: Function) -> frozenset[str]:
        """Return the parameters that calling the function runs before it returns.

        What only a closure calls that it returns is run by whoever calls the closure.
        """
        found = self._run_parameters.get(function)
        if found is None:
            found = self.called_parameters(function)
            if found and function.nested:
                returned = {
                    value.function
                    for value in self.evaluator.returned(function)
                    if isinstance(value, FunctionValue)
                }
                later = {
                    inner
                    for nested in function.nested
                    if nested in returned
                    for inner in _with_nested(nested)
                }
                names = {one.name for one in function.parameters}
                found = frozenset(
                    site.node.func.id if isinstance(site.node.func, nodes.Name) else ""
                    for inner in _with_nested(function)
                    if inner not in later
                    for site in inner.calls
                    if self._is_own(site.node.func, site.scope, function, names)
                ) | frozenset(
                    value.id
                    for inner in _with_nested(function)
                    if inner not in later
                    for site in inner.calls
                    for value in self._handed_on(site)
                    if isinstance(value, nodes.Name)
                    and self._is_own(value, site.scope, function, names)
                )
            self._run_parameters[function] = found
        return found

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

    def _dispatch(
        self, callee: Function, receiver: object, site: CallSite | None = None
    ) -> list[Function]:
        """Return the method and, when the receiver's exact class is open, what overrides it."""
        targets = self._definitions.chosen(callee, receiver is not None, site)
        if isinstance(receiver, InstanceValue) and receiver.origin is None:
            overriding = self.subclasses.get(receiver.class_, ())
            if len(overriding) <= MAX_OVERRIDES:
                for class_ in overriding:
                    method = class_.methods.get(callee.name)
                    if method is not None and method not in targets:
                        targets.append(method)
        return targets

    def methods(
        self, value: InstanceValue, name: str, *, exact: bool = False
    ) -> Iterator[Function]:
        """Yield what calling a method runs: also overriding ones, unless the class is `exact`."""
        for one in self.evaluator.lineage(value.class_)[0]:
            method = one.methods.get(name)
            if method is not None:
                yield from [method] if exact else self._dispatch(method, value)
                return


def _runs_nothing(site: CallSite, callee: Function) -> bool:
    """Whether the call makes only a decorator, or a coroutine or generator that nobody runs."""
    if is_middleware(callee):
        return True
    if callee.decorators or not isinstance(callee.node, nodes.FunctionDef):
        return False
    statement = site.module.parents.get(site.node)
    is_dropped = isinstance(statement, nodes.ExpressionStatement)
    return is_dropped and (callee.node.is_async or bool(callee.yields))


def _with_nested(function: Function) -> Iterator[Function]:
    yield function
    for inner in function.nested:
        yield from _with_nested(inner)
