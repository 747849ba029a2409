"""State that outlives an invocation: who changes it, and who may see what an earlier one left.

Only what some invocation changes is looked at. For each such place the ways from the entry of a
handler are followed (`flow_states`): a read that can be reached before this invocation replaced or
emptied the place sees what an earlier invocation left there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph, Edge
from lambda_lint.model.constants import Constants
from lambda_lint.model.dependence import Dependence
from lambda_lint.model.entries import Handler
from lambda_lint.model.flow import Atom
from lambda_lint.model.flow_states import (
    CLEAN,
    DIRTY,
    NEUTRAL,
    REPLACED,
    Call,
    Exposure,
    FlowStates,
    Stage,
    Summary,
)
from lambda_lint.model.lasting import ANY, Lasting, Spot, owner_of
from lambda_lint.model.phases import Path, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import Binding, Class, Function, Module
from lambda_lint.model.questions import empty_if
from lambda_lint.model.state_changes import Change, Changes, Fill, holds_exception
from lambda_lint.model.state_uses import PRINTED, Uses
from lambda_lint.model.touches import CHANGE, CLEAR, DRAIN, READ, WRITE, Touch, Touches
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Stale:
    """A read that may see what an earlier invocation left: with the way, and what it is for."""

    handler: Handler
    path: Path
    read: Touch
    use: str


@dataclass(eq=False)
class State:
    """A place that outlives invocations and that invocations change."""

    place: Place
    changes: tuple[Change, ...]
    handlers: tuple[Handler, ...]
    stale: tuple[Stale, ...]
    #: What the module, class or constructor gives it in the beginning.
    initial: tuple[Binding, ...] = field(default=())
    #: Handlers that empty it before they end, whatever they return.
    cleaned_by: tuple[Handler, ...] = ()
    #: Handlers that leave nothing there of what they added, since they replace or empty it.
    trimmed_by: tuple[Handler, ...] = ()
    #: Whether some way empties or replaces it.
    is_emptied: bool = False
    #: Whether more than logs and metrics reads it at all.
    is_read: bool = False
    #: What memos fill of it.
    memos: tuple[Spot, ...] = ()
    #: Whether invocations take things out of it again.
    is_drained: bool = False
    #: Fields of use of the library objects that it holds: `http`, `aws`.
    families: frozenset[str] = frozenset()
    _reached: Mapping[Function, Sequence[Handler]] = field(default_factory=dict)

    def reached_by(self, function: Function) -> Sequence[Handler]:
        """Return the handlers that run a function which changes it."""
        return self._reached.get(function, ())

    @property
    def is_cache(self) -> bool:
        """Whether a memo fills it, too, so that what is written is the upkeep of a cache."""
        return bool(self.memos)

    def is_upkeep(self, change: Change) -> bool:
        """Whether a change keeps a cache in order: it writes what a memo fills, or a part of it.

        The text of an exception is never what a memo was to remember.
        """
        if change.is_taken_back or (holds_exception(change.touch) and change.touch.kind == WRITE):
            return False
        length = len(change.spot.path)
        return any(len(one.path) <= length and one.meets(change.spot) for one in self.memos)

    @property
    def is_bounded(self) -> bool:
        """Whether it has a fixed size by itself: `deque(maxlen=20)`."""
        return any(
            isinstance(one.value, nodes.Call)
            and any(two.name == "maxlen" for two in one.value.arguments)
            for one in self.initial
        )

    @property
    def is_template(self) -> bool:
        """Whether the module fills it, so that a change makes it something else."""
        if self.place.kind == "memo":
            return True
        return any(_is_filled(one.value) for one in self.initial)


class States:
    """Finds the state of a project. Built when a rule asks for the first time."""

    def __init__(self, phases: Phases, dependence: Dependence, constants: Constants) -> None:
        """Take the finished phases and dependences, and what is the same for every event."""
        self.phases = phases
        self.calls: CallGraph = phases.calls
        self.dependence = dependence
        self.lasting = Lasting(phases, dependence.writes, constants)
        self.touches = Touches(self.lasting)
        self.uses = Uses(self.lasting)
        self._summaries: dict[Function, Summary] = {}
        self._flows = FlowStates(
            self._touches_of, self._calls_of, phases.guards.decisions.of, self._emptied
        )
        self._edges: dict[Function, dict[nodes.Node, list[Edge]]] = {}
        self._use: dict[tuple[nodes.Node, Spot], str] = {}
        self._changing = Changes(phases, dependence, self.lasting, self.touches)
        self._changes = self._changing.found
        self._roots = {one.spot.root for one in self._changes}
        self._spots: dict[Place, list[Spot]] = {}
        self._growing: set[Spot] = set()
        for change in self._changes:
            if change.touch.kind == CHANGE:
                self._growing.add(change.spot)
            known = self._spots.setdefault(change.spot.root, [])
            if change.spot not in known:
                known.append(change.spot)
        self._relevant = self._find_relevant()

    def all(self) -> list[State]:
        """Return the state that invocations change, by path and place."""
        by_root: dict[Place, list[Change]] = {}
        for change in self._changes:
            by_root.setdefault(change.spot.root, []).append(change)
        stale: dict[Place, list[Stale]] = {}
        dirty: dict[Place, list[Handler]] = {}
        grown: dict[Place, list[Handler]] = {}
        for handler in self.phases.handlers:
            for one in self._stale_of(handler):
                stale.setdefault(one.read.spot.root, []).append(one)
            for place in self._left_by(handler, DIRTY | REPLACED):
                dirty.setdefault(place, []).append(handler)
            for place in self._left_by(handler, DIRTY):
                grown.setdefault(place, []).append(handler)
        found = []
        for place, changes in by_root.items():
            changers = [
                one
                for one in self.phases.handlers
                if any(one in self.phases.handlers_of(two.touch.function) for two in changes)
            ]
            found.append(
                State(
                    place,
                    tuple(changes),
                    tuple(changers),
                    tuple(one for one in stale.get(place, ()) if one.handler in changers),
                    self._initial(place),
                    tuple(one for one in changers if one not in dirty.get(place, ())),
                    tuple(one for one in changers if one not in grown.get(place, ())),
                    place in self._emptied_in,
                    place in self._read,
                    self._memos_of(place),
                    place in self._drained,
                    self._families(place),
                    {
                        one.touch.function: self.phases.handlers_of(one.touch.function)
                        for one in changes
                    },
                )
            )
        return sorted(found, key=_position)

    def _memos_of(self, place: Place) -> tuple[Spot, ...]:
        found = (one for one in self._changing.memos if one.root == place)
        return tuple(sorted(found, key=lambda one: one.path))

    @property
    def filling(self) -> tuple[Touch, ...]:
        """What fills memos."""
        return self._changing.filling

    def fills(self) -> Iterator[Fill]:
        """Yield memos without a key that keep what one invocation's own data made."""
        yield from self._changing.fills()

    # What is of interest.

    def _find_relevant(self) -> set[Function]:
        """Return the functions that may touch the places, and those that call them."""
        self._read: set[Place] = set()
        self._drained: set[Place] = set()
        self._emptied_in: set[Place] = set()
        names = {root.name.removesuffix("()") for root in self._roots}
        # Attributes may be set without being named.
        names |= {"setattr", "vars", "__dict__"}
        for module in self.calls.modules.values():
            for name, bindings in module.scope.bindings.items():
                if any(one.kind == "from" and one.name in names for one in bindings):
                    names.add(name)
        direct: set[Function] = set()
        for module in self.calls.modules.values():
            for node, scope in module.scope_of.items():
                word = node.id if isinstance(node, nodes.Name) else getattr(node, "attr", None)
                if word in names:
                    direct.add(scope.function)
        direct |= {one.touch.function for one in self._changes}
        pending = sorted(direct, key=repr)
        while pending:
            for edge in self.calls.into.get(pending.pop(), ()):
                if edge.caller not in direct:
                    direct.add(edge.caller)
                    pending.append(edge.caller)
        return direct

    def _initial(self, place: Place) -> tuple[Binding, ...]:
        match place.owner:
            case Module() as module:
                found = module.scope.bindings.get(place.name, [])
                return tuple(one for one in found if one.scope is module.scope)
            case Function() as function if place.kind == "default":
                parameter = function.parameter(place.name)
                if parameter is not None:
                    binding = Binding("parameter", parameter, function.scope)
                    binding.value = parameter.default
                    return (binding,)
            case Class() as class_:
                own = [*class_.scope.bindings.get(place.name, ())]
                made = [
                    one
                    for one in class_.attributes.get(place.name, ())
                    if one.scope.function.name == "__init__"
                ]
                return tuple(made or own)
        return ()

    def _families(self, place: Place) -> frozenset[str]:
        """Return the fields of use of the library objects that the place begins with."""
        evaluator = self.calls.evaluator
        found = set()
        for binding in self._initial(place):
            if isinstance(binding.value, nodes.Call):
                for one in evaluator.evaluate(binding.value.func, binding.scope):
                    if isinstance(one, External):
                        made = evaluator.knowledge.constructor(one.name)
                        found.add(made.family if made is not None else "")
        return frozenset(found - {""})

    # What an invocation may still find there.

    def _stale_of(self, handler: Handler) -> Iterator[Stale]:
        entries = [one for one in handler.entries if not one.lifecycle]
        first: frozenset[Spot] = frozenset()
        for entry in entries:
            is_in_front = entry.step is not None and _is_hook(entry.function, _BEFORE)
            if len(entries) > 1 and (entry.function.name == handler.name or is_in_front):
                first |= self._summary(entry.function).written
        seen: set[tuple[nodes.Node, Spot]] = set()
        for entry in entries:
            before = first.union(
                *(self._summary(one).written for one in self.calls.wrappers(entry.function))
            )
            for one in self._summary(entry.function).exposed:
                key = (one.read.node, one.read.spot)
                if one.read.spot.root not in self._roots or key in seen:
                    continue
                if any(two.covers(one.read.spot) for two in before):
                    continue
                seen.add(key)
                use = "" if one.read.how == "changed" else self._use_of(one.read)
                yield Stale(handler, Path(handler, entry, one.way), one.read, use)

    def _left_by(self, handler: Handler, how_left: int) -> set[Place]:
        """Return the places of which a handler may leave a part in one of these ways."""
        found: set[Place] = set()
        emptied = {
            spot.root
            for entry in handler.entries
            if entry.step is not None and _is_hook(entry.function, _AFTER)
            for spot, how in self._summary(entry.function).left
            if how == CLEAN and not spot.path
        }
        for entry in handler.entries:
            summary = self._summary(entry.function)
            if not summary.is_known:
                found |= self._roots
            found |= {spot.root for spot, how in summary.left if how & how_left}
        return found - emptied

    def _summary(self, function: Function) -> Summary:
        found = self._summaries.get(function)
        if found is None:
            self._summaries[function] = NEUTRAL
            found = NEUTRAL
            if function in self._relevant:
                found = self._flows.summary(function)
            elif _always_fails(function):
                found = Summary(returns=False)
            self._summaries[function] = found
        return found

    def _touches_of(self, atom: Atom, function: Function) -> Sequence[Touch]:
        found: list[Touch] = []
        for touch in self.touches.of(atom, function):
            root = touch.spot.root
            if root.kind != "parameter" and root not in self._roots:
                continue
            if touch.kind == DRAIN:
                self._drained.add(root)
            elif touch.kind == CLEAR or (touch.kind == WRITE and touch.how != "own"):
                self._emptied_in.add(root)
            if touch.kind == READ:
                if touch.how == "own" or not self._use_of(touch):
                    continue
                if self._use_of(touch) != PRINTED:
                    self._read.add(root)
                found += self._parts_read(touch)
                continue
            elif touch.kind == CHANGE and touch.how == "merge" and _is_unseen(touch.value):
                # Who knows which keys it brings: `state.update(copy.deepcopy(DEFAULT))`.
                parts = self._spots.get(root, ())
                found.append(replace(touch, kind=READ, how="changed"))
                found += [
                    replace(touch, kind=WRITE, how="", spot=one)
                    for one in parts
                    if len(one.path) > len(touch.spot.path) and touch.spot.covers(one)
                ]
            elif touch.kind == CHANGE or touch.how == "own":
                # What is added to keeps what was there before.
                found.append(replace(touch, kind=READ, how="changed"))
            found.append(touch)
        return found

    def _emptied(self, test: nodes.Expression, truth: bool, function: Function) -> Spot | None:
        """Return what holds nothing when a test of a function has come out in a way."""
        scope = function.module.scope_of.get(test, function.scope)
        asked = empty_if(test, truth)
        spot = self.lasting.of(asked, scope) if asked is not None else None
        if spot is None or ANY in spot.path:
            return None
        return spot if spot.root.kind == "parameter" or spot.root in self._roots else None

    def _parts_read(self, read: Touch, but: frozenset[Spot] = frozenset()) -> Iterator[Touch]:
        """Yield a read once for each changed spot that it shows: the whole shows every part."""
        if read.spot.root.kind == "parameter":
            yield read
            return
        for spot in self._spots.get(read.spot.root, ()):
            if read.how == "changed" and spot != read.spot:
                continue
            if read.how == "alias" and (spot in self._growing or not spot.covers(read.spot)):
                continue
            if spot.meets(read.spot) and spot not in but:
                seen = spot if len(spot.path) > len(read.spot.path) else read.spot
                yield replace(read, spot=seen)

    def _use_of(self, touch: Touch) -> str:
        key = (touch.node, touch.spot)
        found = self._use.get(key)
        if found is None:
            found = self.uses.of(touch.node, touch.scope, touch.spot)
            self._use[key] = found
        return found

    def _calls_of(self, atom: Atom, function: Function) -> Sequence[Stage]:
        edges = self._edges_at(function).get(atom.node, ())
        if atom.kind not in ("call", "load", "store", "enter", "leave", "operation", "iterate"):
            return ()
        # A decorator's wrapper runs before what it wraps.
        edges = sorted(edges, key=lambda one: one.kind != "wrapper")
        stages: list[Stage] = []
        direct: list[Call] = []
        later: list[Stage] = []
        for edge in edges:
            if edge.kind == "enter":
                # Both ends of `with` hang on the same item.
                if edge.callee.name.endswith("enter__") != (atom.kind == "enter"):
                    continue
            elif atom.kind == "leave":
                continue
            if edge.kind in ("subclass", "decorator") or not self.phases.runs_each_time(edge):
                continue
            summary = self._in_caller(edge)
            if edge.kind in ("callback", "runner"):
                later.append([Call(edge, summary, self._waits(edge))])
            elif edge.kind == "wrapper" or (edge.kind == "init" and edge.callee.name != "__init__"):
                stages.append([Call(edge, summary, True)])
            else:
                direct.append(Call(edge, summary, edge.kind != "operation"))
        if direct:
            stages.append(direct)
        stages += later
        is_library = atom.kind == "call" and not edges
        if is_library and isinstance(atom.node, nodes.Call) and self._ends(atom.node, function):
            stages.append([Call(None, Summary(returns=False), True)])
        return stages

    def _edges_at(self, function: Function) -> dict[nodes.Node, list[Edge]]:
        found = self._edges.get(function)
        if found is None:
            found = {}
            for edge in self.calls.out.get(function, ()):
                found.setdefault(edge.node, []).append(edge)
            self._edges[function] = found
        return found

    def _waits(self, edge: Edge) -> bool:
        """Whether a runner is `asyncio.run` or the like, which runs what it gets to its end."""
        return edge.site is not None and any(
            one.name.endswith((".run", "run_until_complete", "async_to_sync"))
            for one in self.calls.externals.get(edge.site, ())
        )

    def _ends(self, call: nodes.Call, function: Function) -> bool:
        scope = function.module.scope_of.get(call, function.scope)
        return any(
            isinstance(one, External) and one.name in _ENDING
            for one in self.calls.evaluator.evaluate(call.func, scope)
        )

    def _in_caller(self, edge: Edge) -> Summary:
        """Return the summary of a callee with its parameters replaced by what it is given."""
        summary = self._summary(edge.callee)
        if not any(_is_parameter(one) for one in _spots(summary)):
            return summary
        given = self._arguments(edge)

        def outside(spot: Spot) -> Spot | None:
            if not _is_parameter(spot):
                return spot
            base = given.get(spot.root.name) if spot.root.owner is edge.callee else None
            return Spot(base.root, (*base.path, *spot.path)[:4]) if base is not None else None

        written = frozenset(two for one in summary.written if (two := outside(one)) is not None)
        exposed = []
        for one in summary.exposed:
            spot = outside(one.read.spot)
            if spot == one.read.spot:
                exposed.append(one)
            elif spot is not None:
                for read in self._parts_read(replace(one.read, spot=spot), written):
                    exposed.append(Exposure(read, one.way))
        return Summary(
            tuple(exposed),
            written,
            frozenset(
                two for one in summary.written_before_failing if (two := outside(one)) is not None
            ),
            tuple((two, how) for one, how in summary.left if (two := outside(one)) is not None),
            summary.returns,
            summary.is_known,
            frozenset(
                (fact, two) for fact, one in summary.by_result if (two := outside(one)) is not None
            ),
        )

    def _arguments(self, edge: Edge) -> dict[str, Spot]:
        found: dict[str, Spot] = {}
        if edge.site is None or edge.kind not in ("call", "method", "init"):
            return found
        for site, skip_first in self.calls.argument_sites(edge.callee):
            if site is edge.site:
                for name, value in bind_arguments(site.node, edge.callee, skip_first).items():
                    spot = self.lasting.of(value, site.scope)
                    if spot is not None:
                        found[name] = spot
        return found


def _is_hook(function: Function, names: frozenset[str]) -> bool:
    """Whether a framework's decorator says that it runs around each request."""
    for decorator in function.decorators:
        called = decorator.func if isinstance(decorator, nodes.Call) else decorator
        if isinstance(called, nodes.Attribute) and called.attr in names:
            return True
    return False


def _is_unseen(value: nodes.Expression | None) -> bool:
    """Whether it is no literal whose keys could be read."""
    return isinstance(value, (nodes.Call, nodes.Name, nodes.Attribute))


def _is_parameter(spot: Spot) -> bool:
    return spot.root.kind == "parameter"


def _spots(summary: Summary) -> Iterator[Spot]:
    yield from (spot for _, spot in summary.by_result)
    for one in summary.exposed:
        yield one.read.spot
    yield from summary.written
    yield from summary.written_before_failing
    for spot, _ in summary.left:
        yield spot


def _is_filled(value: nodes.Expression | None) -> bool:
    """Whether a display holds more than empty containers."""
    match value:
        case nodes.Dict(items=pairs):
            return any(_is_something(one.value) for one in pairs)
        case nodes.Collection(items=items):
            return any(map(_is_something, items))
    return False


def _is_something(value: nodes.Expression) -> bool:
    if isinstance(value, (nodes.Dict, nodes.Collection)):
        return _is_filled(value)
    is_blank = isinstance(value, nodes.Constant) and not value.value
    return not is_blank


def _always_fails(function: Function) -> bool:
    body = function.node.body if isinstance(function.node, nodes.FunctionDef) else []
    return bool(body) and isinstance(body[-1], nodes.Raise) and not function.returns


def _position(state: State) -> tuple[str, str, int, str]:
    module = owner_of(state.place)
    first = state.changes[0].touch.node.span
    return (module.path if module is not None else "", state.place.name, first.line, str(first))


_BEFORE = frozenset({"before_request", "before_app_request"})
_AFTER = frozenset({"after_request", "after_app_request", "teardown_request"}) | frozenset(
    {"teardown_app_request", "teardown_appcontext"}
)
"""Decorators of what a framework runs before and after each request."""

_ENDING = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit", "flask.abort"})
"""Calls that do not return."""
