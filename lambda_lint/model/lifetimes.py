"""Caches that outlive invocations and whose ages are measured by a clock that stops with them.

Such a clock counts the time since the machine was started, and a frozen environment is not running.
It is found in caches of libraries that use it unless told otherwise, and in tests of the project
that compare it with a time that was kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lambda_lint.finding import Step
from lambda_lint.model.facts import Lifetime
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.lasting import Lasting
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.sightings import Sighting, arrival
from lambda_lint.model.touches import CHANGE, WRITE, Touches
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Aging(Sighting):
    """A cache by such a clock; `shown` is how the code calls it, or the time that it keeps.

    `site` is the call of a library that makes the cache, None for a test of the project. `given`
    says that the code names the clock itself; `used` is where an invocation uses the cache.
    """

    shown: str
    clock: str
    site: CallSite | None = None
    given: bool = False
    used: Step | None = None


class Lifetimes:
    """Finds them."""

    def __init__(self, phases: Phases, lasting: Lasting, knowledge: Knowledge) -> None:
        """Take the finished phases, and what finds spots."""
        self.phases = phases
        self.calls = phases.calls
        self.evaluator = phases.calls.evaluator
        self.lasting = lasting
        self.knowledge = knowledge
        self.touches = Touches(lasting)
        self.loads = lasting.loads
        self._stamped: dict[Place, str] | None = None

    def all(self) -> Iterator[Aging]:
        """Yield them by path and place."""
        for path in sorted(self.calls.modules):
            module = self.calls.modules[path]
            for function in (module.code, *module.functions):
                for site in function.calls:
                    yield from self._made(site)
                if not function.is_module:
                    yield from self._tested(function)

    # Caches of libraries.

    def _made(self, site: CallSite) -> Iterator[Aging]:
        lifetime = self._lifetime(site)
        if lifetime is None or any(one.star for one in site.node.arguments):
            return
        given = _timer(site.node, lifetime)
        clock = lifetime.clock if given is None else self._clock_meant(given, site.scope)
        if clock is None:
            return
        if self.phases.of_node(site.node, site.scope) not in (Phase.INIT, Phase.ONCE):
            return
        found = self._used(site)
        if found is None:
            return
        shown, used, function = found
        reached = arrival(function, self.phases)
        if reached is not None:
            yield Aging(
                *(site.module.path, site.span, *reached),
                shown=shown,
                clock=clock,
                site=site,
                given=given is not None,
                used=used,
            )

    def _lifetime(self, site: CallSite) -> Lifetime | None:
        for one in self.calls.externals.get(site, ()):
            found = self.knowledge.lifetime(one.name)
            if found is not None:
                return found
        return None

    def _used(self, site: CallSite) -> tuple[str, Step, Function] | None:
        """Return how a cache is called, and where an invocation uses it."""
        module = site.module
        for child, parent in module.ancestors(site.node):
            match parent:
                case nodes.FunctionDef() if child in parent.decorators:
                    return self._decorated(module.function_of.get(parent))
                case nodes.Assign() | nodes.AnnotatedAssign() if child is parent.value:
                    targets = getattr(parent, "targets", [getattr(parent, "target", None)])
                    for target in targets:
                        found = self._of_target(target, site.scope)
                        if found is not None:
                            return found
                    return None
                case nodes.Argument() | nodes.Call():
                    continue
                case _:
                    return None
        return None

    def _of_target(
        self, target: nodes.Expression, scope: Scope
    ) -> tuple[str, Step, Function] | None:
        place = None
        if scope.kind == "class" and scope.class_ is not None and isinstance(target, nodes.Name):
            place = Place("class", scope.class_, target.id)
        else:
            spot = self.lasting.target(target, scope)
            place = spot.root if spot is not None and not spot.path else None
        if place is None:
            return None
        for node, inner in self.loads.of_place(place):
            decorated = _decorated(node, inner)
            if decorated is not None:
                found = self._decorated(decorated)
                if found is not None:
                    return found
            elif not inner.function.is_module and arrival(inner.function, self.phases) is not None:
                shown = place.describe()
                step = Step(inner.module.path, node.span, f"`{shown}` is used here")
                return shown, step, inner.function
        return None

    def _decorated(self, function: Function | None) -> tuple[str, Step, Function] | None:
        if function is None or arrival(function, self.phases) is None:
            return None
        shown = f"{function.name}()"
        step = Step(function.module.path, function.name_span, f"it keeps what `{shown}` returns")
        return shown, step, function

    # Tests of the project.

    def _tested(self, function: Function) -> Iterator[Aging]:
        if self.phases.of_function(function) not in (Phase.INVOKE, Phase.ONCE):
            return
        if not any(self._is_near_clock(one) for one in (function, *function.nested)):
            return
        for node in nodes.walk(function.node):
            if not isinstance(node, nodes.Comparison):
                continue
            scope = function.module.scope_of.get(node) or _scope_of(node, function)
            if scope is None or scope.function is not function:
                continue
            parts = list(self._parts(node, scope))
            clock = next((one for one in parts if isinstance(one, str)), None)
            place = next((one for one in parts if isinstance(one, Place)), None)
            if clock is None or place is None or not _speaks_of_keeping(node, place, function):
                continue
            if self.phases.guards.is_dead(node, function.module):
                continue
            reached = arrival(function, self.phases)
            if reached is not None:
                yield Aging(
                    *(function.module.path, node.span, *reached),
                    shown=place.describe(),
                    clock=clock,
                    given=True,
                )

    def _is_near_clock(self, function: Function) -> bool:
        return any(self._clock_of(one) is not None for one in function.calls)

    def _parts(self, node: nodes.Expression, scope: Scope, depth: int = 3) -> Iterator[str | Place]:
        """Yield the clocks that an expression reads, and the places with times by such a clock.

        Local names are followed to what gives them their value.
        """
        for one in nodes.walk(node):
            if isinstance(one, nodes.Call):
                clock = self._clock_meant(one.func, scope)
                if clock is not None:
                    yield clock
                    continue
            if not isinstance(one, nodes.Expression):
                continue
            spot = self.lasting.of(one, scope)
            if spot is not None and spot.root in self._stamps():
                yield spot.root
            if isinstance(one, nodes.Name) and depth:
                owner = scope.lookup(one.id)
                if owner is None or owner.kind != "function":
                    continue
                for binding in owner.bindings[one.id]:
                    if binding.value is not None and binding.kind in ("assign", "iterate"):
                        yield from self._parts(binding.value, binding.scope, depth - 1)

    def _stamps(self) -> dict[Place, str]:
        """Return the places that invocations write a time by such a clock to."""
        if self._stamped is None:
            self._stamped = {}
            for function in self.calls.functions():
                if self.phases.of_function(function) not in (Phase.INVOKE, Phase.ONCE):
                    continue
                for target, statement, scope in function.stores:
                    for touch in self.touches.of_store(target, statement, scope):
                        if touch.kind in (WRITE, CHANGE) and touch.value is not None:
                            clock = self._clock_in(touch.value, touch.scope)
                            if clock is not None and touch.spot.root.kind != "parameter":
                                self._stamped[touch.spot.root] = clock
        return self._stamped

    def _clock_in(self, node: nodes.Expression, scope: Scope, depth: int = 2) -> str | None:
        for one in nodes.walk(node):
            if isinstance(one, nodes.Call):
                clock = self._clock_meant(one.func, scope)
                if clock is not None:
                    return clock
            elif isinstance(one, nodes.Name) and depth:
                owner = scope.lookup(one.id)
                if owner is None or owner.kind != "function":
                    continue
                for binding in owner.bindings[one.id]:
                    if binding.value is not None and binding.kind == "assign":
                        clock = self._clock_in(binding.value, binding.scope, depth - 1)
                        if clock is not None:
                            return clock
        return None

    def _clock_of(self, site: CallSite) -> str | None:
        for one in self.calls.externals.get(site, ()):
            if self.knowledge.stops_when_frozen(one.name):
                return one.name
        return None

    def _clock_meant(self, node: nodes.Expression, scope: Scope) -> str | None:
        for one in self.evaluator.evaluate(node, scope):
            if isinstance(one, External) and self.knowledge.stops_when_frozen(one.name):
                return one.name
        return None


def _timer(call: nodes.Call, lifetime: Lifetime) -> nodes.Expression | None:
    """Return the clock that a call is given."""
    positional = [one for one in call.arguments if not one.name]
    if lifetime.timer_position < len(positional):
        return positional[lifetime.timer_position].value
    return next((one.value for one in call.arguments if one.name == lifetime.timer), None)


def _decorated(node: nodes.Expression, scope: Scope) -> Function | None:
    """Return the function whose decorator is given a cache."""
    for child, parent in scope.module.ancestors(node):
        if isinstance(parent, nodes.FunctionDef):
            return scope.module.function_of.get(parent) if child in parent.decorators else None
        if isinstance(parent, nodes.Statement):
            return None
    return None


def _scope_of(node: nodes.Expression, function: Function) -> Scope | None:
    """Return the scope that a node of a function stands in, from a name within it."""
    for one in nodes.walk(node):
        scope = function.module.scope_of.get(one)
        if scope is not None:
            return scope
    return None


def _speaks_of_keeping(node: nodes.Expression, place: Place, function: Function) -> bool:
    """Whether the test is about the age of something that is kept, and not about a pause."""
    words = [place.name, function.name]
    for one in nodes.walk(node):
        match one:
            case nodes.Name(id=name) | nodes.Attribute(attr=name):
                words.append(name)
            case nodes.Constant(kind="str", value=str(text)):
                words.append(text)
    if function.class_ is not None:
        words.append(function.class_.name)
    return any(map(_KEPT.search, words)) and not any(map(_PAUSE.search, words))


_KEPT = re.compile(
    r"expir|ttl|max_?age|stale|fresh|cache|fetched|loaded|valid|lifetime|last_(load|fetch|read)"
    r"|_age\b|^age$|token|secret|config|setting|reload",
    re.IGNORECASE,
)
"""Names of what is kept for a time."""

_PAUSE = re.compile(
    r"cool|breaker|circuit|throttl|rate|retry|retries|backoff|deadline|budget|idle|ping|heartbeat"
    r"|keep_?alive|bucket|timeout|interval|debounce|flush",
    re.IGNORECASE,
)
"""Names of what is left alone for a time, or lets one invocation wait."""
