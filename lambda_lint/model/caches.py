"""Caches that grow with the data of invocations, and keys that never come again.

A cache is a container that a memo fills under keys, or a decorator that remembers results. What the
key is made from decides: data of the event has no end, constants and a few regions have. A key that
is an object of this invocation is equal to nothing that comes later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lambda_lint.finding import Span, Step
from lambda_lint.model.dependence import EVENT, Dependence
from lambda_lint.model.entries import Handler
from lambda_lint.model.guards import Guard
from lambda_lint.model.knowledge import CacheDecorator, Knowledge
from lambda_lint.model.lasting import Lasting, Spot
from lambda_lint.model.phases import Path, Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite, Class, Function, Scope
from lambda_lint.model.touches import CHANGE, CLEAR, DRAIN, WRITE, Touch, Touches
from lambda_lint.model.values import DisplayValue, External, InstanceValue
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Caching:
    """A cache with a mistake: `problem` is unbounded, or fresh (a key that never comes again).

    `shown` is what the code calls the cache and `key` how it writes the key. `path` and `span` are
    where an item is put in, or the decorator; `brought` is where an invocation brings the key.
    """

    problem: str
    shown: str
    key: str
    path: str
    span: Span
    way: Path
    handlers: tuple[Handler, ...]
    brought: Step
    is_decorator: bool
    #: Whether what it keeps are locks, which somebody may be holding.
    keeps_locks: bool = False
    #: The further places that fill the same cache.
    others: tuple[Step, ...] = ()


class Caches:
    """Finds them."""

    def __init__(
        self, phases: Phases, lasting: Lasting, dependence: Dependence, knowledge: Knowledge
    ) -> None:
        """Take the finished phases and dependences."""
        self.phases = phases
        self.calls = phases.calls
        self.evaluator = phases.calls.evaluator
        self.lasting = lasting
        self.dependence = dependence
        self.knowledge = knowledge
        self.loads = lasting.loads
        self.touches = Touches(lasting)
        self._emptied: set[Place] | None = None

    def all(self) -> Iterator[Caching]:
        """Yield the caches of the project, by path and place; each once, where it is filled first.

        The further places that fill it are its `others`.
        """
        found: dict[object, Caching] = {}
        for function in self.calls.functions():
            for one in self._decorated(function):
                found[one] = one
            if self.phases.of_function(function) not in (Phase.INVOKE, Phase.ONCE):
                continue
            for spot, one in self._filled(function):
                first = found.setdefault((spot, one.problem), one)
                if first is not one:
                    also = Step(one.path, one.span, f"`{one.shown}` is filled here as well")
                    found[spot, one.problem] = replace(first, others=(*first.others, also))
        yield from found.values()

    # Decorators.

    def _decorated(self, function: Function) -> Iterator[Caching]:
        for guard, memo, arguments in self._memos(function):
            sites = [
                site
                for site, _ in self.calls.argument_sites(function)
                if self.phases.of_node(site.node, site.scope) is Phase.INVOKE
            ]
            fresh = next(
                ((one, key) for one in sites if (key := self._fresh_key(one)) is not None), None
            )
            if fresh is not None:
                yield self._at_decorator("fresh", function, guard, *fresh)
                continue
            if not self._is_unbounded(memo, arguments) or self._is_cleared(function):
                continue
            for site in sites:
                if _FEW.search(function.name):
                    break
                given = [one.value for one in site.node.arguments if not one.star]
                key = self._open_key(given, site.scope)
                if key is not None:
                    yield self._at_decorator("unbounded", function, guard, site, key)
                    break

    def _memos(
        self, function: Function
    ) -> Iterator[tuple[Guard, CacheDecorator, Sequence[nodes.Argument]]]:
        """Yield the caching decorators of libraries that outlive an invocation."""
        scope = function.definition_scope
        if scope is None:
            return
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, nodes.Call) else decorator
            arguments = decorator.arguments if isinstance(decorator, nodes.Call) else []
            for value in self.evaluator.evaluate(called, scope):
                if not isinstance(value, External):
                    continue
                memo = self.knowledge.cache_decorator(value.name)
                if memo is None or not memo.keyed or memo.per != "function":
                    continue
                if memo.store == "disk" or any(one.name == "key" for one in arguments):
                    continue
                for guard in self.phases.guards.carried(function):
                    if guard.span != decorator.span or guard.kind != "decorator":
                        continue
                    # A cache around a method is one for all objects, however long they live.
                    if guard.place.kind == "instance" or self.phases.lasts(guard):
                        yield guard, memo, arguments

    def _is_unbounded(self, memo: CacheDecorator, arguments: Sequence[nodes.Argument]) -> bool:
        if memo.store == "argument":
            given = next((one.value for one in arguments if one.name in (None, "cache")), None)
            return isinstance(given, nodes.Dict) and not given.items
        if any(one.name in memo.ttl_arguments for one in arguments) or memo.clock:
            return False
        bound: int | None = memo.bound
        for position, one in enumerate(arguments):
            if one.name in memo.bound_arguments or (one.name is None and position == 0):
                if isinstance(one.value, nodes.Constant) and one.value.kind == "none":
                    bound = None
                elif not isinstance(one.value, nodes.Name) or memo.bound is not None:
                    return False
        return bound is None

    def _is_cleared(self, function: Function) -> bool:
        return any(
            node.attr == "cache_clear"
            and (getattr(node.value, "id", "") or getattr(node.value, "attr", "")) == function.name
            for other in self.calls.functions()
            if self.phases.of_function(other) is Phase.INVOKE
            for node, _ in other.attribute_loads
        )

    def _fresh_key(self, site: CallSite) -> str | None:
        """Return how an argument is written that is an object of this very invocation."""
        for argument in site.node.arguments:
            if self.phases.is_fresh(argument.value, site) or self._is_own_object(
                argument.value, site.scope
            ):
                return _shown(argument.value)
        return None

    def _is_own_object(self, value: nodes.Expression, scope: Scope) -> bool:
        """Whether it is an object of a class that compares by identity, made for this event."""
        values = self.evaluator.evaluate(value, scope)
        return bool(values) and all(
            isinstance(one, InstanceValue)
            and one.class_ in self.phases.per_invocation
            and not self.phases.is_single(one.class_)
            and self._compares_by_identity(one.class_)
            for one in values
        )

    def _compares_by_identity(self, class_: Class) -> bool:
        lineage, libraries = self.evaluator.lineage(class_)
        return not libraries and not any(
            one.node.decorators or "__eq__" in one.methods or "__hash__" in one.methods
            for one in lineage
        )

    def _at_decorator(
        self, problem: str, function: Function, guard: Guard, site: CallSite, key: str
    ) -> Caching:
        way = self.phases.path_to(site.function)
        assert way is not None  # it is called for every event
        return Caching(
            problem,
            f"{function.name}()",
            key,
            guard.path,
            guard.span,
            way,
            tuple(self.phases.handlers_of(site.function)),
            Step(site.module.path, site.span, f"it is called with `{key}`"),
            True,
        )

    # Containers.

    def _filled(self, function: Function) -> Iterator[tuple[Spot, Caching]]:
        for target, statement, scope in function.stores:
            if not isinstance(target, nodes.Subscript) or isinstance(target.index, nodes.Slice):
                continue
            if isinstance(statement, (nodes.AugmentedAssign, nodes.Delete)):
                continue
            for touch in self.touches.of_store(target, statement, scope):
                if touch.kind != CHANGE or touch.how != "keyed":
                    continue
                root = touch.spot.root
                if root.kind not in ("global", "class") or not self._is_plain(root, touch):
                    continue
                if self.phases.of_node(statement, scope) is not Phase.ONCE:
                    continue
                key = self._identity(target.index, scope)
                problem = "unbounded" if key is None else "fresh"
                if key is None and not _FEW.search(root.name) and not _FEW.search(function.name):
                    key = self._open_key([target.index], scope)
                way = self.phases.path_to(function)
                if key is None or way is None or self._is_kept_small(root, function):
                    continue
                yield (
                    touch.spot,
                    Caching(
                        problem,
                        touch.spot.describe(),
                        key,
                        scope.module.path,
                        target.span,
                        way,
                        tuple(self.phases.handlers_of(function)),
                        Step(scope.module.path, target.index.span, f"the key is `{key}`"),
                        False,
                        self._is_lock(getattr(statement, "value", None), scope),
                    ),
                )

    def _is_lock(self, value: nodes.Node | None, scope: Scope) -> bool:
        values = (
            self.evaluator.evaluate(value, scope) if isinstance(value, nodes.Expression) else ()
        )
        return any(isinstance(one, External) and one.name in _LOCKS for one in values)

    def _identity(self, key: nodes.Expression, scope: Scope) -> str | None:
        """Return how a key is written that is the `id()` of something that this event made."""
        found = [(key, scope)]
        if isinstance(key, nodes.Name):
            owner = scope.lookup(key.id)
            found += [
                (one.value, one.scope)
                for one in (owner.bindings[key.id] if owner is not None else ())
                if one.value is not None and one.kind == "assign"
            ]
        for value, where in found:
            for one in nodes.walk(value):
                match one:
                    case nodes.Call(func=nodes.Name(id="id"), arguments=[given]) if (
                        self._is_made_now(given.value, where)
                    ):
                        return f"id({_shown(given.value)})"
        return None

    def _is_made_now(self, value: nodes.Expression, scope: Scope) -> bool:
        if EVENT in self.dependence.of(value, scope):
            return True
        for one in self.evaluator.evaluate(value, scope):
            match one:
                case DisplayValue(node=node, scope=where):
                    if self.phases.of_node(node, where) is Phase.INVOKE:
                        return True
                case InstanceValue(class_=class_):
                    if class_ in self.phases.per_invocation:
                        return True
        return False

    def _is_plain(self, place: Place, touch: Touch) -> bool:
        """Whether it is certainly a dictionary of Python's, which forgets nothing."""
        target = touch.node
        if not isinstance(target, nodes.Subscript):
            return False
        values = self.evaluator.evaluate(target.value, touch.scope)
        return bool(values) and all(
            isinstance(one, DisplayValue)
            or (
                isinstance(one, External)
                and one.name in ("collections.defaultdict()", "builtins.dict()")
            )
            for one in values
        )

    def _is_kept_small(self, place: Place, function: Function) -> bool:
        """Whether anybody takes something out of it, or looks at how large or old it is."""
        if self._emptied is None:
            self._emptied = self._find_emptied()
        if place in self._emptied:
            return True
        if any(_AGE.search(word) for word in _words_of_tests(function)):
            return True
        for node, scope in self.loads.of_place(place):
            about = _held_by(node, scope)
            if any(_AGE.search(word) for word in _words_of_tests(scope.function, about)):
                return True
            parent = scope.module.parents.get(node)
            call = scope.module.parents.get(parent) if parent is not None else None
            if isinstance(call, nodes.Call) and getattr(call.func, "id", "") == "len":
                return True
        return False

    def _find_emptied(self) -> set[Place]:
        found: set[Place] = set()
        for function in self.calls.functions():
            if self.phases.of_function(function) in (Phase.NEVER, Phase.INIT):
                continue
            touches = [
                one
                for target, statement, scope in function.stores
                for one in self.touches.of_store(target, statement, scope)
            ]
            touches += [
                one
                for site in function.calls
                for one in self.touches.of_call(site.node, site.scope)
            ]
            for one in touches:
                if one.kind in (CLEAR, DRAIN) or (one.kind == WRITE and not one.spot.path):
                    found.add(one.spot.root)
        return found

    def _open_key(self, parts: Sequence[nodes.Expression], scope: Scope) -> str | None:
        """Return how a part of a key is written that can be anything, and comes with the event."""
        for part in parts:
            if EVENT not in self.dependence.of(part, scope) or self._is_object(part, scope):
                continue
            words = [one for one in _words(part, scope) if one not in ("self", "cls")]
            if words and not any(_FEW.search(one) for one in words):
                return _shown(part)
        return None

    def _is_object(self, part: nodes.Expression, scope: Scope) -> bool:
        """Whether it is a client or a session: what is made from the event is not the event."""
        return any(
            isinstance(one, External)
            and one.name.endswith("()")
            and self.knowledge.constructor(one.name.removesuffix("()")) is not None
            for one in self.evaluator.evaluate(part, scope)
        )


def _words(part: nodes.Expression, scope: Scope) -> list[str]:
    """Return the names and constant keys that an expression is written with, one name further."""
    found: list[str] = []
    for one in nodes.walk(part):
        match one:
            case nodes.Name(id=name):
                found.append(name)
                owner = scope.lookup(name)
                bindings = owner.bindings[name] if owner is not None else []
                if len(bindings) == 1 and bindings[0].value is not None:
                    found += [
                        getattr(two, "attr", "") or str(getattr(two, "value", ""))
                        for two in nodes.walk(bindings[0].value)
                        if (isinstance(two, nodes.Attribute) and two.attr not in _SPELLING)
                        or (isinstance(two, nodes.Constant) and two.kind == "str")
                    ]
            case nodes.Attribute(attr=attr) if attr not in _SPELLING:
                found.append(attr)
            case nodes.Constant(kind="str", value=str(text)):
                found.append(text)
    return found


def _held_by(node: nodes.Expression, scope: Scope) -> frozenset[str]:
    """Return the names of a function that hold a cache or a part of it, and the cache's own."""
    held = {getattr(node, "id", "") or getattr(node, "attr", "")}
    for _ in range(_MAX_NAMES_ON):
        for name, bindings in scope.function.scope.bindings.items():
            if any(
                one.value is not None
                and one.kind != "parameter"
                and not held.isdisjoint(_names_in(one.value))
                for one in bindings
            ):
                held.add(name)
    return frozenset(held)


def _names_in(node: nodes.Node) -> Iterator[str]:
    for one in nodes.walk(node):
        match one:
            case nodes.Name(id=name) | nodes.Attribute(attr=name):
                yield name


def _words_of_tests(function: Function, about: frozenset[str] | None = None) -> Iterator[str]:
    """Yield the names in the tests of a function; with `about`, in those that have one of these."""
    for node in nodes.walk(function.node):
        if isinstance(node, (nodes.Comparison, nodes.BooleanOperation)):
            words = [*_names_in(node)]
            if about is None or not about.isdisjoint(words):
                yield from words


def _shown(part: nodes.Expression) -> str:
    match part:
        case nodes.Name(id=name):
            return name
        case nodes.Attribute(value=value, attr=attr):
            return f"{_shown(value)}.{attr}"
        case nodes.Subscript(value=value, index=nodes.Constant(value=key)):
            return f"{_shown(value)}[{key!r}]"
        case nodes.Call(func=func):
            return f"{_shown(func)}(…)"
    return "…"


_AGE = re.compile(
    r"expir|ttl|max_?(age|size|entries|items)|stale|timestamp|limit|^now$|^time$|monotonic",
    re.IGNORECASE,
)
"""Names in tests by which a cache is kept small."""

_FEW = re.compile(
    r"region|account|stage|environment|\benv\b|bucket|table|queue|topic|stream|tenant|org|repo"
    r"|service|locale|lang|type|kind|mode|method|categor|catalog|version|currency|template|model|schema"
    r"|domain|stack|cluster|database|function|endpoint|class|format|level|status|role|provider"
    r"|zone|country|project|product|secret|param|config|setting|client|installation|team|channel"
    r"|session$|issuer|kid|pool|module|action|operation|command|feature|flag|host|partition|group|app",
    re.IGNORECASE,
)
"""Names of what is one of few in most systems, although the event says which one it is."""

_SPELLING = frozenset({"format", "isoformat", "strftime", "format_map"})
"""Methods that only write a value in another way, whatever it is."""

_LOCKS = frozenset(
    f"{module}.{name}()"
    for module in ("threading", "asyncio", "multiprocessing")
    for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition")
)

_MAX_NAMES_ON = 2
"""How many assignments on what was taken out of a cache is followed."""
