"""What each handler makes, when, and what of it outlives its invocations.

Only what other parts of the model know already is gathered here: objects that libraries make, what
memos fill, what invocations change, values that are fetched and stay. A place that is not known is
left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from lambda_lint.declaration import MANAGED_INSTANCES, SNAPSTART, WEB_ADAPTER
from lambda_lint.finding import Span
from lambda_lint.life import Deployed, Life, Mark, Moment, Thing
from lambda_lint.model.call import Call
from lambda_lint.model.entries import Handler
from lambda_lint.model.guards import Guard
from lambda_lint.model.lasting import ANY, Spot, owner_of
from lambda_lint.model.phases import Phase
from lambda_lint.model.places import Place
from lambda_lint.model.program import Class, Function
from lambda_lint.model.project import Project
from lambda_lint.model.state import State
from lambda_lint.syntax import nodes


def lives(project: Project) -> list[Life]:
    """Return the life of every handler, in the order of the handlers; `findings` stay empty."""
    finder = _Finder(project)
    return [finder.life(one) for one in project.handlers]


def moment_of(project: Project, path: str, line: int) -> Moment:
    """Return when a line (1-based) of a file runs."""
    return _MOMENTS.get(project.phase_at(path, line) or "", Moment.UNKNOWN)


_MOMENTS = {"INIT": Moment.INIT, "ONCE": Moment.ONCE, "INVOKE": Moment.EACH}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A thing, and what makes it the same as another one: the place that keeps it."""

    thing: Thing
    key: Hashable = None


class _Finder:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.phases = project.phases

    def life(self, handler: Handler) -> Life:
        project = self.project
        flags = set(handler.flags)
        everywhere = (
            (project.snapstart, SNAPSTART),
            (project.managed_instances, MANAGED_INSTANCES),
            (project.web_functions, WEB_ADAPTER),
        )
        flags |= {flag for is_set, flag in everywhere if is_set}
        runs = self.phases.runnable(handler)
        found = [
            *self._objects(handler, runs),
            *self._states(handler),
            *self._values(handler),
            *self._memos(handler, runs),
        ]
        return Life(
            Mark(handler.path, handler.span.line),
            handler.name,
            handler.confidence.value,
            handler.evidence,
            tuple(sorted(flags)),
            tuple(
                Deployed(one.name, Mark(one.path, one.span.line)) for one in handler.declarations
            ),
            len(self.phases.loaded_by(handler)),
            tuple(sorted(_merged(found), key=_position)),
        )

    # What calls of libraries make.

    @cached_property
    def _calls(self) -> list[Call]:
        return [
            one
            for one in self.project.calls()
            if one.phase is not Phase.NEVER and (one.constructor is not None or one.fetch)
        ]

    @cached_property
    def _kept(self) -> frozenset[nodes.Call]:
        """The calls whose answers stay: they are told of with the place that keeps them."""
        return frozenset(one.site.node for one in self.project.kept)

    def _objects(self, handler: Handler, runs: frozenset[Function]) -> Iterator[_Kept]:
        for call in self._calls:
            if call.function not in runs:
                continue
            if call.phase is Phase.INIT:
                born = Moment.INIT
            elif handler in self.phases.handlers_at(call.node, call.site.scope) and (
                call.phase is Phase.INVOKE
            ):
                born = Moment.EACH
            elif call.phase is Phase.ONCE or handler in self.phases.handlers_of(call.function):
                born = Moment.ONCE
            else:
                continue
            if call.constructor is not None:
                found = self._object(call, born, handler)
            elif call.fetch is not None and born is not Moment.EACH and call.node not in self._kept:
                thing = Thing("fetch", born, _mark(call), made=call.shown, what=call.fetch.what)
                place = self._keeper(call, handler)
                found = _at(thing, place) if place is not None else _Kept(thing)
            else:
                continue
            # `if client is None: client = …` may make it in no invocation, when all callers give
            # one, and nothing keeps it: without a place that does, "once" would be a promise.
            if born is not Moment.ONCE or found.thing.survives:
                yield found

    def _object(self, call: Call, born: Moment, handler: Handler) -> _Kept:
        assert call.constructor is not None
        thing = Thing("object", born, _mark(call), made=call.shown, what=call.constructor.what)
        if born is Moment.EACH:
            return _Kept(thing)
        resource = call.resource
        if resource is not None:
            reads = (
                Mark(use.path, use.span.line)
                for use in resource.handled
                if handler in self.phases.handlers_of(use.function)
            )
            thing = replace(thing, reads=_unique(reads))
        place = self._keeper(call, handler)
        if place is None:
            return _Kept(thing)
        return _at(thing, place)

    def _keeper(self, call: Call, handler: Handler) -> Place | None:
        """Return the place that keeps what a call makes once."""
        resource = call.resource
        for place in resource.kept if resource is not None else ():
            if place.kind in _WHERE and self.phases.lasts(_guard(place), [handler]):
                return place
        guard = self.phases.holding(call.node, call.site.scope)
        if guard is not None and guard.place.kind in _WHERE:
            return guard.place
        function, seen = call.function, set[Function]()
        while function not in seen:
            seen.add(function)
            for guard in self.phases.guards.carried(function):
                if guard.kind == "decorator" and self.phases.lasts(guard, [handler]):
                    return _memo(function)
            callers = {edge.caller for edge in self.project.call_graph.into.get(function, ())}
            if len(callers) != 1:
                break
            function = callers.pop()
        return None

    # What invocations change, fill and keep.

    def _states(self, handler: Handler) -> Iterator[_Kept]:
        for state in self.project.states:
            if handler not in state.handlers:
                continue
            writes = [
                Mark(one.touch.function.module.path, one.touch.node.span.line)
                for one in state.changes
                if handler in state.reached_by(one.touch.function)
            ]
            reads = [
                Mark(one.read.function.module.path, one.read.node.span.line)
                for one in state.stale
                if one.handler is handler
            ]
            if not writes:
                continue
            module, first = owner_of(state.place), next(iter(state.initial), None)
            at = writes[0]
            if module is not None and first is not None:
                at = Mark(module.path, first.node.span.line)
            born = Moment.INIT if self._begins_at_init(state) else Moment.ONCE
            thing = Thing(
                "cache" if state.is_cache else "state",
                born,
                at,
                writes=_unique(writes),
                reads=_unique(reads),
            )
            yield _at(thing, state.place)

    def _begins_at_init(self, state: State) -> bool:
        """Tell whether a place has its first value before the first event."""
        owner = state.place.owner
        if state.place.kind == "instance" and isinstance(owner, Class):
            # It may also be set by a method that `__init__` calls; the object is what counts.
            made = owner.methods.get("__init__")
            if made is not None:
                return self.phases.of_function(made) is Phase.INIT
        return owner_of(state.place) is not None and bool(state.initial)

    def _values(self, handler: Handler) -> Iterator[_Kept]:
        for kept in self.project.kept:
            if handler not in kept.handlers:
                continue
            made = self.project.call_at(kept.site.node)
            thing = Thing(
                "value",
                Moment.INIT if kept.how == "variable" else Moment.ONCE,
                Mark(kept.path, kept.span.line),
                kept.shown,
                _HOW[kept.how],
                made.shown if made is not None else "",
                kept.what,
            )
            yield _Kept(thing, (kept.shown, kept.path))

    def _memos(self, handler: Handler, runs: frozenset[Function]) -> Iterator[_Kept]:
        for touch in self.project.filling:
            place = touch.spot.root
            if touch.function not in runs or place.kind not in _WHERE:
                continue
            if not self.phases.lasts(_guard(place), [handler]):
                continue
            at = Mark(touch.function.module.path, touch.node.span.line)
            is_init = self.phases.of_function(touch.function) is Phase.INIT
            thing = Thing(
                "cache",
                Moment.INIT if is_init else Moment.ONCE,
                at,
                what="items by key" if ANY in touch.spot.path else "",
            )
            yield _at(thing, place)
        for function in runs:
            for guard in self.phases.guards.carried(function):
                if guard.kind == "decorator" and self.phases.lasts(guard, [handler]):
                    is_init = self.phases.of_function(function) is Phase.INIT
                    thing = Thing(
                        "cache",
                        Moment.INIT if is_init else Moment.ONCE,
                        Mark(function.module.path, function.name_span.line),
                        what="results by argument" if function.parameters else "",
                    )
                    yield _at(thing, _memo(function))


def _mark(call: Call) -> Mark:
    return Mark(call.path, call.span.line)


def _guard(place: Place) -> Guard:
    """Return a guard that only stands for its place, to ask whether that lasts."""
    span = Span(1, 1, 1, 1)
    return Guard(place, "", span, "test")


def _memo(function: Function) -> Place:
    return Place("memo", function, f"{function.qualname}()")


def _at(thing: Thing, place: Place) -> _Kept:
    """Return a thing that a place keeps."""
    owner = place.owner
    name = place.name if isinstance(owner, Function) else Spot(place).describe()
    if place.kind == "function" and isinstance(owner, Function):
        name = f"{owner.qualname}.{place.name}"
    if place.kind == "memo" and isinstance(owner, Function):
        thing = replace(thing, at=Mark(owner.module.path, owner.name_span.line))
    module = owner_of(place)
    key = (name, module.path if module is not None else "")
    return _Kept(replace(thing, name=name, where=_WHERE[place.kind]), key)


def _merged(found: Iterable[_Kept]) -> list[Thing]:
    """Put together what is said of one place; what makes it speaks first."""
    things: list[Thing] = []
    at: dict[Hashable, int] = {}
    for one in found:
        if one.key is None or one.key not in at:
            if one.key is not None:
                at[one.key] = len(things)
            things.append(one.thing)
            continue
        first = things[at[one.key]]
        things[at[one.key]] = replace(
            first,
            kind=first.kind if one.thing.kind in ("cache", "object") else one.thing.kind,
            born=Moment.INIT if Moment.INIT in (first.born, one.thing.born) else first.born,
            writes=_unique((*first.writes, *one.thing.writes)),
            reads=_unique((*first.reads, *one.thing.reads)),
            made=first.made or one.thing.made,
            what=first.what or one.thing.what,
        )
    return things


def _unique(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    return tuple(sorted(set(marks)))


def _position(thing: Thing) -> tuple[int, bool, Mark, str, str]:
    born = (Moment.INIT, Moment.ONCE, Moment.EACH).index(thing.born)
    return (born, thing.kind == "fetch", thing.at, thing.name, thing.made)


_WHERE = {
    "global": "module variable",
    "class": "class attribute",
    "instance": "attribute of an object that stays",
    "closure": "variable of a closure",
    "function": "attribute of a function",
    "default": "default of a parameter",
    "memo": "cached function",
    "library": "attribute of a library",
}
"""The kinds of places that can outlive an invocation, in words."""

_HOW = {"variable": "variable", "memo": "memo", "decorator": "cached function"}
"""How a value that was fetched is kept, in words."""
