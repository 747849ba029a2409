"""When a line runs: once per environment (INIT), for every event (INVOKE), or once though it
stands on the invocation path (ONCE), with the chain of calls that shows it."""

from __future__ import annotations

import enum
import posixpath
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lambda_lint.finding import Step
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph, Edge
from lambda_lint.model.dependence import EVENT, Dependence
from lambda_lint.model.entries import Entry, Handler
from lambda_lint.model.guards import Guard, Guards
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite, Class, Function, Scope
from lambda_lint.model.routes import imported_paths
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


class Phase(enum.Enum):
    """When something runs."""

    INIT = "INIT"
    INVOKE = "INVOKE"
    ONCE = "ONCE"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True)
class Path:
    """How a handler reaches a function: the entry and the calls from there, in order."""

    handler: Handler
    entry: Entry
    edges: tuple[Edge, ...]


MAX_WALKS = 30
"""Each walk may find that a memo holds nothing, behind which the next one goes on; two or three
are usual."""


class Arrival(NamedTuple):
    """How a handler came to a function: its entry, the last call, and how many calls it took."""

    entry: Entry
    edge: Edge | None
    length: int


Reached = dict[Function, dict[Handler, Arrival]]
"""The functions that handlers reach; the handlers of each in their order."""


class Phases:
    """Answers in which phase functions and call sites run."""

    def __init__(
        self,
        calls: CallGraph,
        guards: Guards,
        handlers: Sequence[Handler],
        dependence: Dependence,
    ) -> None:
        """Walk the call graph from every handler. `dependence` knows what enters there."""
        self.calls = calls
        self._dependence = dependence
        self.guards = guards
        self.handlers = handlers
        #: Classes of which invocations make their own instance: whose, and where.
        self.per_invocation: dict[Class, dict[Handler, CallSite]] = {}
        self._reached: Reached = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        self._scopes: dict[nodes.Node, Scope] | None = None
        #: The places that every run of a handler empties.
        self._emptied = {
            handler: guards.resets.by(
                [
                    one
                    for entry in handler.entries[-1:]
                    for one in (entry.function, *calls.wrappers(entry.function))
                ]
            )
            for handler in handlers
        }
        self._guarded = Phase.ONCE
        self._once: set[Function] = set()
        self._init: set[Function] = set()
        self._edge_guards: dict[Edge, tuple[Guard, ...]] = {}
        self._ever_emptied = frozenset[Place]().union(*self._emptied.values())
        #: The edges of which this walk knows that they are taken, or not, whoever comes along.
        self._taken: dict[Edge, bool] = {}
        self._running: dict[Handler, frozenset[Function]] = {}
        self._loaded = {handler: self._loaded_by(handler) for handler in handlers}
        self._settle()

    def of_function(self, function: Function) -> Phase:
        """Return the phase of a function; INVOKE wins over ONCE, ONCE over INIT."""
        if function in self._reached:
            return Phase.INVOKE
        if function in self._once:
            return self._guarded
        if function in self._init or function.is_module:
            return Phase.INIT
        return Phase.NEVER

    def of_node(self, node: nodes.Node, scope: Scope) -> Phase:
        """Return the phase of an expression or statement within its function."""
        if self.guards.is_dead(node, scope.module):
            return Phase.NEVER
        phase = self.of_function(scope.function)
        if phase is Phase.INVOKE and self.holding(node, scope) is not None:
            return self._guarded
        return phase

    def holding(self, node: nodes.Node, scope: Scope) -> Guard | None:
        """Return a guard around the node that really makes it run once."""
        handlers = self.handlers_of(scope.function)
        for guard in self.guards.around(node, scope):
            if self.lasts(guard, handlers):
                return guard
        return None

    def failing(self, node: nodes.Node, scope: Scope) -> Guard | None:
        """Return a guard around the node that looks like a memo and remembers nothing."""
        handlers = self.handlers_of(scope.function)
        for guard in self.guards.around(node, scope):
            if guard.place.kind != "parameter" and not self.lasts(guard, handlers):
                return guard
        return None

    def lasts(
        self, guard: Guard, handlers: Sequence[Handler] = (), receiver: Class | None = None
    ) -> bool:
        """Whether the place of a guard outlives an invocation, also one of these handlers.

        `receiver` is the class of the object whose memo it is, where it is known better than from
        the class that defines the memo.
        """
        place = guard.place
        if place in self._ever_emptied and any(place in self._emptied[one] for one in handlers):
            return False
        if place.kind == "instance" and isinstance(place.owner, Class):
            family = self.calls.subclasses.get(place.owner, ())
            of = receiver if receiver is not None and receiver in family else place.owner
            return self.lifetime_of(of, handlers) is None
        if place.kind == "parameter" and isinstance(place.owner, Function):
            return self._always_given(place.owner, place.name)
        if place.kind == "closure" and isinstance(place.owner, Function):
            return place.owner not in self._reached
        if place.kind == "library" and place.made is not None:
            scope = self._scope_of(place.made)
            return scope is None or self.of_node(place.made, scope) is not Phase.INVOKE
        if isinstance(place.owner, (Class, Function)):
            # What an invocation defines is gone with it.
            return not self._is_defined_anew(place.owner.definition_scope)
        return True

    def is_emptied(self, guard: Guard, handlers: Sequence[Handler]) -> bool:
        """Whether each run of these handlers begins by emptying the place of a guard."""
        return bool(handlers) and all(guard.place in self._emptied[one] for one in handlers)

    def _is_defined_anew(self, scope: Scope | None) -> bool:
        while scope is not None:
            if scope.kind == "function" and scope.function in self._reached:
                return True
            scope = scope.parent
        return False

    def _always_given(self, function: Function, name: str, depth: int = 0) -> bool:
        """Whether every call on the invocation path gives the parameter something to use."""
        reached = self._reached.get(function, {})
        if any(one.edge is None for one in reached.values()):
            return False
        for edge in self.calls.into.get(function, ()):
            if edge.caller not in self._reached or edge.site is None:
                continue
            for skip_first in self.calls.bound_at(function, edge.site):
                given = bind_arguments(edge.site.node, function, skip_first).get(name)
                starred = any(one.star for one in edge.site.node.arguments)
                if not starred and (
                    given is None or self._may_be_missing(given, edge.site.scope, depth)
                ):
                    return False
        return True

    def _may_be_missing(self, given: nodes.Expression, scope: Scope, depth: int) -> bool:
        """Whether an argument is nothing, or event data, of which nobody knows what it holds."""
        if isinstance(given, nodes.Constant) and given.kind == "none":
            return True
        if isinstance(given, nodes.Name) and len(scope.bindings.get(given.id, ())) == 1:
            # A parameter that is handed on.
            parameter = scope.function.parameter(given.id)
            default = parameter.default if parameter is not None else None
            if default is not None and depth < _MAX_HOPS:
                is_none = isinstance(default, nodes.Constant) and default.kind == "none"
                return is_none and not self._always_given(scope.function, given.id, depth + 1)
        if self.calls.evaluator.evaluate(given, scope):
            return False
        return EVENT in self._dependence.of(given, scope)

    def lifetime_of(self, class_: Class, handlers: Sequence[Handler] = ()) -> CallSite | None:
        """Return where an invocation makes its own instance of the class, if one does.

        With `handlers` only their invocations count: those of others run in other processes.
        """
        for one in (class_, *self.calls.subclasses.get(class_, ())):
            makers = self.per_invocation.get(one, {})
            for handler in handlers or makers:
                if handler in makers:
                    return makers[handler]
        return None

    def made_on(
        self, class_: Class, functions: Sequence[Function], handlers: Sequence[Handler]
    ) -> CallSite | None:
        """Return where an invocation makes an instance, in one of `functions` if there is one."""
        for one in (class_, *self.calls.subclasses.get(class_, ())):
            for site in self.calls.instantiations.get(one, ()):
                if site.function in functions and one in self.per_invocation:
                    return site
        return self.lifetime_of(class_, handlers)

    def handlers_of(self, function: Function) -> list[Handler]:
        """Return the handlers that reach the function for every event, in order."""
        # The walk takes the handlers in their order, and so do its dictionaries.
        return list(self._reached.get(function, ()))

    def handlers_at(self, node: nodes.Node, scope: Scope) -> list[Handler]:
        """Return the handlers that reach an expression for every event: no guard holds for them."""
        reached = self.handlers_of(scope.function)
        if not reached or self.guards.is_dead(node, scope.module):
            return []
        guards = self.guards.around(node, scope)
        return [one for one in reached if not any(self.lasts(each, [one]) for each in guards)]

    def loaded_by(self, handler: Handler) -> frozenset[str]:
        """Return the paths of the modules that the process of a handler can have."""
        return self._loaded[handler]

    def path_to(self, function: Function, handlers: Sequence[Handler] = ()) -> Path | None:
        """Return the shortest way from a handler to the function, None when there is none.

        A way that serves the event is preferred to one that starts an application around it.
        With `handlers`, only the ways from these are looked at.
        """
        reached = self._reached.get(function, {})
        among = [one for one in handlers or reached if one in reached]
        if not among:
            return None
        best = min(among, key=lambda one: (reached[one].entry.lifecycle, reached[one].length))
        return self._path(best, function)

    def path_from(self, handler: Handler, function: Function) -> Path | None:
        """Return the way from one handler to a function, None when it does not reach it."""
        if handler not in self._reached.get(function, {}):
            return None
        return self._path(handler, function)

    def edge_guards(self, edge: Edge) -> tuple[Guard, ...]:
        """Return all guards on one call: around the call and on what is called."""
        found = self._edge_guards.get(edge)
        if found is None:
            around = self.guards.around(edge.node, edge.scope)
            carried = self.guards.carried(edge.callee)
            if edge.kind == "wrapper":
                carried = self._outer_guards(edge)
            once = self.guards.of_class(edge.class_) if edge.class_ is not None else None
            found = (*around, *carried, *((once,) if once is not None else ()))
            if edge.memo is not None:
                found = (*found, self.guards.of_memo(edge.memo, edge.callee))
            if edge.via is not None:
                found = (
                    *found,
                    *self.guards.around(edge.via.node, edge.via.scope),
                    *self.guards.carried(edge.via.function),
                )
            self._edge_guards[edge] = found
        return found

    def _outer_guards(self, edge: Edge) -> tuple[Guard, ...]:
        """Return the caches that stand outside of a wrapper: `@cache` above `@logged`."""
        for sibling in self.calls.out.get(edge.caller, ()):
            if sibling.site is edge.site and edge.callee in self.calls.wrappers(sibling.callee):
                decorators = sibling.callee.decorators
                return tuple(
                    guard
                    for guard in self.guards.carried(sibling.callee)
                    if decorators and guard.span == decorators[0].span
                )
        return ()

    def witness(self, path: Path) -> tuple[Step, ...]:
        """Return the steps from the handler to the function that the path ends in."""
        steps = [path.handler.step]
        if path.entry.step is not None:
            steps.append(path.entry.step)
        steps += [Step(one.caller.module.path, one.span, _describe(one)) for one in path.edges]
        return tuple(steps)

    def _path(self, handler: Handler, function: Function) -> Path:
        edges: list[Edge] = []
        current = function
        while True:
            entry, edge, _ = self._reached[current][handler]
            if edge is None:
                return Path(handler, entry, tuple(reversed(edges)))
            edges.append(edge)
            current = edge.caller

    def _settle(self) -> None:
        """Walk, learn which classes are instantiated per invocation, and walk again.

        A memo on an object of such a class holds nothing, so more is reached, until nothing new
        turns up. What is reached only grows. Code that takes more walks than any real one keeps
        what was reached, and of what is behind guards it is not known whether they hold.
        """
        before = -1
        for _ in range(MAX_WALKS):
            self._walk()
            found = False
            for class_, sites in self.calls.instantiations.items():
                if self.is_single(class_):
                    continue
                makers = self.per_invocation.get(class_, {})
                for site in sites:
                    if makers.keys() >= self._reached.get(site.function, {}).keys():
                        continue
                    for handler in self.handlers_at(site.node, site.scope):
                        if handler not in makers:
                            self.per_invocation.setdefault(class_, makers)[handler] = site
                            found = True
            size = sum(len(one) for one in self._reached.values())
            if not found and size == before:
                break
            before = size
        else:
            self._guarded = Phase.NEVER
        self._walk_once()

    def is_single(self, class_: Class) -> bool:
        """Whether making another object of the class gives the first one, or shares its state."""
        return self.guards.shares_instances(class_) or self.guards.of_class(class_) is not None

    def _walk(self) -> None:
        """Walk anew. Whether a guard lasts is judged by what was reached before, which only grows,
        and not by how far this walk has come."""
        self._taken.clear()
        reached: Reached = {}
        for handler in self.handlers:
            # What serves the event comes first: only the rest is reached by a lifespan alone.
            for lifecycle in (False, True):
                entries = [one for one in handler.entries if one.lifecycle is lifecycle]
                self._walk_from(reached, handler, entries)
        self._reached = reached

    def _walk_from(
        self,
        reached: Reached,
        handler: Handler,
        entries: Sequence[Entry],
    ) -> None:
        queue: deque[Function] = deque()
        for entry in entries:
            if any(self.lasts(one, [handler]) for one in self.guards.carried(entry.function)):
                continue
            self._reach(reached, entry.function, handler, Arrival(entry, None, 0), queue)
        loaded = self._loaded[handler]
        while queue:
            function = queue.popleft()
            entry, _, length = reached[function][handler]
            for edge in self.calls.out.get(function, ()):
                if handler in reached.get(edge.callee, ()):
                    continue
                if (
                    edge.callee.module.path in loaded
                    and self._is_defined(edge.callee, handler)
                    and self._is_taken(edge, handler)
                ):
                    arrival = Arrival(entry, edge, length + 1)
                    self._reach(reached, edge.callee, handler, arrival, queue)

    def _is_taken(self, edge: Edge, handler: Handler) -> bool:
        """Whether the edge is taken in this walk.

        What handlers empty, and of what they make an object each time, differs by handler.
        """
        found = self._taken.get(edge)
        if found is None:
            found = self._passes(edge, [handler])
            if any(
                guard.place.kind == "instance" or guard.place in self._ever_emptied
                for guard in self.edge_guards(edge)
            ):
                return found
            self._taken[edge] = found
        return found

    def _is_defined(self, callee: Function, handler: Handler) -> bool:
        """Whether the class of a method can be there: one in a function needs that function."""
        around = _defined_in(callee)
        if around is None:
            return True
        return around in self.runnable(handler)

    def runnable(self, handler: Handler) -> frozenset[Function]:
        """Return what can run in the process of a handler at all, also at import or once."""
        found = self._running.get(handler)
        if found is None:
            found = self._running[handler] = self._run_by(handler)
        return found

    def _run_by(self, handler: Handler) -> frozenset[Function]:
        """Return what can run in the process of a handler, whatever guards say."""
        seen: set[Function] = set()
        waiting: dict[Function, list[Function]] = {}
        stack: list[Function] = []
        for entry in handler.entries:
            # Somebody made its class, whoever that was.
            around: Function | None = entry.function
            while around is not None:
                stack.append(around)
                around = _defined_in(around)
        stack += [self.calls.modules[path].code for path in sorted(self._loaded[handler])]
        while stack:
            function = stack.pop()
            around = _defined_in(function)
            if function in seen:
                continue
            if around is not None and around not in seen:
                waiting.setdefault(around, []).append(function)
                continue
            seen.add(function)
            stack += waiting.pop(function, ())
            stack += [edge.callee for edge in self.calls.out.get(function, ())]
        return frozenset(seen)

    def _loaded_by(self, handler: Handler) -> frozenset[str]:
        """Return the modules that the handler's process can have: no other code runs in it."""
        start = [handler.path, *(entry.function.module.path for entry in handler.entries)]
        seen: set[str] = set()
        stack = sorted(set(start))
        while stack:
            path = stack.pop()
            if path not in seen and path in self.calls.modules:
                seen.add(path)
                stack += self._imported(path)
        return frozenset(seen)

    def _imported(self, path: str) -> tuple[str, ...]:
        found = self._imports.get(path)
        if found is None:
            imports = self.calls.evaluator.imports
            paths = set(imported_paths(self.calls.modules[path], imports))
            for one in list(paths):
                # Importing a module of a package runs the packages around it first.
                folder = posixpath.dirname(one)
                while folder:
                    paths.add(f"{folder}/__init__.py")
                    folder = posixpath.dirname(folder)
            found = tuple(sorted(paths))
            self._imports[path] = found
        return found

    def _reach(
        self,
        everything: Reached,
        function: Function,
        handler: Handler,
        arrival: Arrival,
        queue: deque[Function],
    ) -> None:
        reached = everything.setdefault(function, {})
        if handler not in reached:
            reached[handler] = arrival
            queue.append(function)

    def runs_each_time(self, edge: Edge) -> bool:
        """Whether a call is made on every invocation that reaches its caller, and one does."""
        return edge.caller in self._reached and self._passes(edge, self.handlers_of(edge.caller))

    def _passes(self, edge: Edge, handlers: Sequence[Handler]) -> bool:
        if self.guards.is_dead(edge.node, edge.caller.module):
            return False
        return not any(self.holds(guard, edge, handlers) for guard in self.edge_guards(edge))

    def holds(self, guard: Guard, edge: Edge, handlers: Sequence[Handler]) -> bool:
        """Whether a guard keeps this very call from being made again."""
        if guard.kind == "decorator" and edge.site is not None and self.has_fresh_key(edge.site):
            return False
        return self.lasts(guard, handlers, edge.receiver if guard.kind == "decorator" else None)

    def has_fresh_key(self, site: CallSite) -> bool:
        """Whether an argument of a memoised function is an object of this invocation.

        Such an object is equal to nothing but itself, so the memo never finds it again.
        """
        return any(self.is_fresh(one.value, site) for one in site.node.arguments)

    def is_fresh(self, given: nodes.Expression, site: CallSite) -> bool:
        """Whether an argument of a call is an object of a library that this invocation made."""
        for value in self.calls.evaluator.evaluate(given, site.scope):
            if not isinstance(value, External) or value.origin is None:
                continue
            scope = self.scope_of_call(value.origin, site)
            if not value.name.endswith("()") or scope is None:
                continue
            if not self._is_constructor(value, value.origin, scope):
                continue
            if self.of_node(value.origin, scope) is Phase.INVOKE:
                return True
        return False

    def _is_constructor(self, made: External, origin: nodes.Call, scope: Scope) -> bool:
        """Whether a library makes an object there, by its class or by what was called for it."""
        knowledge = self.calls.evaluator.knowledge
        if knowledge.constructor(made.name.removesuffix("()")) is not None:
            return True
        # `boto3.client(…)` gives a `botocore.client.BaseClient`.
        return any(
            isinstance(one, External) and knowledge.constructor(one.name) is not None
            for one in self.calls.evaluator.evaluate(origin.func, scope)
        )

    def scope_of_call(self, origin: nodes.Call, site: CallSite) -> Scope | None:
        """Return the scope of a call found as the origin of a value seen at `site`."""
        return site.module.scope_of.get(origin) or self._scope_of(origin)

    def _scope_of(self, origin: nodes.Call) -> Scope | None:
        if self._scopes is None:
            self._scopes = {
                node: scope
                for module in self.calls.modules.values()
                for node, scope in module.scope_of.items()
                if isinstance(node, nodes.Call)
            }
        return self._scopes.get(origin)

    def _walk_once(self) -> None:
        """Find what only runs behind guards, and what importing a module runs."""
        once = self._closure(
            [
                edge.callee
                for function in self._reached
                for edge in self.calls.out.get(function, ())
                if not self.guards.is_dead(edge.node, edge.caller.module)
            ]
            + [entry.function for handler in self.handlers for entry in handler.entries]
        )
        self._once = {
            one for one in once if any(self._is_defined(one, each) for each in self.handlers)
        }
        self._init = self._closure(
            [
                edge.callee
                for path in sorted(self.calls.modules)
                for edge in self.calls.out.get(self.calls.modules[path].code, ())
                if not self.guards.is_dead(edge.node, edge.caller.module)
            ]
        )

    def _closure(self, start: list[Function]) -> set[Function]:
        seen = set(start)
        stack = list(start)
        while stack:
            for edge in self.calls.out.get(stack.pop(), ()):
                if edge.callee not in seen and not self.guards.is_dead(
                    edge.node, edge.caller.module
                ):
                    seen.add(edge.callee)
                    stack.append(edge.callee)
        return seen


def _defined_in(method: Function) -> Function | None:
    """Return the function that defines the class of a method; None for classes of modules."""
    scope = method.class_.definition_scope if method.class_ is not None else None
    if scope is None or scope.function.is_module:
        return None
    return scope.function


_MAX_HOPS = 8
"""How many callers may hand a parameter on."""


def _describe(edge: Edge) -> str:
    name = edge.callee.qualname
    match edge.kind:
        case "init":
            made = edge.class_.name if edge.class_ is not None else name.rpartition(".")[0]
            return f"makes a new `{made}`"
        case "property":
            return f"reads the property `{name}`"
        case "enter":
            return f"enters `{name.rpartition('.')[0]}`"
        case "callback" | "runner":
            return f"has `{name}` called"
        case "wrapper":
            return f"calls it through the decorator's `{name}`"
        case "decorator":
            return f"decorates with `{name}`"
        case "operation":
            return f"runs `{name}`"
        case "subclass":
            return f"defines a class, which runs `{name}`"
    return f"calls `{name}`"
