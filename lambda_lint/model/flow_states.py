"""What is certainly written, and what may be read before that, on the ways through a function.

A forward analysis over `flow`, for spots that outlive the invocation. Summaries carry it across
calls: what a helper reads before it wrote it, what it writes on all ways, and in which state it
leaves things. A test that is asked twice has the same answer: what one branch of it wrote is
written in the same branch of the next, and what a helper writes only on the ways to one result is
written where its caller has asked for that result. Recursion counts as doing nothing, and a
function that is too large to be followed as writing everything, so that nothing is said of it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lambda_lint.model.calls import Edge
from lambda_lint.model.flow import Atom, Block, Flow, Way, flow_of, may_raise
from lambda_lint.model.flow_facts import (
    RESULT,
    Fact,
    constants_returned,
    fact_of,
    facts_of_value,
    is_of_result,
    renamed,
)
from lambda_lint.model.lasting import ANY, Spot
from lambda_lint.model.places import Place
from lambda_lint.model.program import Function, Module
from lambda_lint.model.touches import CHANGE, CLEAR, DRAIN, READ, Touch
from lambda_lint.syntax import nodes

KEPT, DIRTY, CLEAN, REPLACED = 1, 2, 4, 8
"""How a spot may be left: as it was found, with more in it, emptied, with another value."""

Claim = tuple[Fact, Spot]
"""That a spot is written if a fact holds."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A read that may see what was there before; `way` are the calls that lead to it."""

    read: Touch
    way: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What calling a function does to spots; those of parameters are its caller's to name."""

    exposed: tuple[Exposure, ...] = ()
    written: frozenset[Spot] = frozenset()
    #: What is written whenever an exception leaves the function.
    written_before_failing: frozenset[Spot] = frozenset()
    left: tuple[tuple[Spot, int], ...] = ()
    returns: bool = True
    is_known: bool = True
    #: What is written when the function returns something, in facts of its result.
    by_result: frozenset[Claim] = frozenset()


NEUTRAL = Summary()
UNKNOWN_SUMMARY = Summary(is_known=False)


@dataclass(frozen=True, slots=True)
class _State:
    written: frozenset[Spot] = frozenset()
    assumed: frozenset[Fact] = frozenset()
    #: Spots that are written if a fact holds.
    implied: frozenset[Claim] = frozenset()
    left: Mapping[Spot, int] = field(default_factory=dict)
    #: The last call, and what its result says of what is written.
    called: nodes.Node | None = None
    by_result: frozenset[Claim] = frozenset()
    #: Nothing can be said: something on the way could not be followed.
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """What one atom runs: for each possible callee its summary, in the terms of the caller."""

    #: None for a call that leaves the project.
    edge: Edge | None
    summary: Summary
    is_certain: bool


Stage = Sequence[Call]
"""What is run at one point: one of several callees."""


class FlowStates:
    """Computes summaries, for one function at a time."""

    def __init__(
        self,
        touches: Callable[[Atom, Function], Sequence[Touch]],
        calls: Callable[[Atom, Function], Sequence[Stage]],
        decided: Callable[[nodes.Expression, Module], bool | None] = lambda test, module: None,
        emptied: Callable[[nodes.Expression, bool, Function], Spot | None] = (
            lambda test, truth, function: None
        ),
    ) -> None:
        """`touches` and `calls` say what an atom of a function does, and what it runs in turn.

        `decided` says how a test always comes out on Lambda, and None when it is open. `emptied`
        says what certainly is empty when a test has come out in a way.
        """
        self._touches = touches
        self._calls = calls
        self._decided = decided
        self._emptied = emptied

    def summary(self, function: Function) -> Summary:
        """Follow all ways through a function."""
        flow = flow_of(function)
        if flow is None:
            return UNKNOWN_SUMMARY
        return _Run(
            *(function, flow, self._touches, self._calls, self._decided, self._emptied),
            constants_returned(function),
        ).summary()


@dataclass(eq=False)
class _Run:
    function: Function
    flow: Flow
    touches: Callable[[Atom, Function], Sequence[Touch]]
    calls: Callable[[Atom, Function], Sequence[Stage]]
    decided: Callable[[nodes.Expression, Module], bool | None]
    emptied: Callable[[nodes.Expression, bool, Function], Spot | None]
    constants: tuple[nodes.Expression, ...]
    before: dict[Block, _State] = field(default_factory=dict)
    done: dict[Atom, tuple[Sequence[Touch], Sequence[Stage]]] = field(default_factory=dict)

    def summary(self) -> Summary:
        self.before[self.flow.entry] = _State()
        pending = [self.flow.entry.number]
        waiting = {self.flow.entry}
        budget = _PASSES * len(self.flow.blocks)
        while pending:
            block = self.flow.blocks[heapq.heappop(pending)]
            waiting.discard(block)
            budget -= 1
            if budget < 0:
                return UNKNOWN_SUMMARY
            for to, state in self.after(block):
                old = self.before.get(to)
                new = state if old is None else _met(old, state)
                if new != old:
                    self.before[to] = new
                    if to not in waiting:
                        waiting.add(to)
                        heapq.heappush(pending, to.number)
        return self.result()

    def result(self) -> Summary:
        end = self.before.get(self.flow.end)
        failed = self.before.get(self.flow.failed)
        exposed: dict[tuple[nodes.Node, Spot], Exposure] = {}
        counted: Counter[Place | None] = Counter()
        for block, state in self.before.items():
            for atom in block.atoms:
                for one in self.exposed_at(atom, state):
                    root = one.read.spot.root
                    # What a function is given must not crowd out what it reads of modules.
                    counts_for = None if root.kind == "parameter" else root
                    key = (one.read.node, one.read.spot)
                    if key not in exposed and counted[counts_for] < _MAX_EXPOSED:
                        counted[counts_for] += 1
                        exposed[key] = one
                after = self.step(state, atom)
                if after is None:
                    break
                state = after
        if any(one.is_lost for one in self.before.values()):
            return replace(
                UNKNOWN_SUMMARY,
                exposed=tuple(exposed.values()),
            )
        return Summary(
            tuple(exposed.values()),
            end.written if end is not None else frozenset(),
            failed.written if failed is not None else frozenset(),
            _sorted(end.left) if end is not None else (),
            end is not None,
            by_result=frozenset(one for one in end.implied if is_of_result(one[0]))
            if end is not None
            else frozenset(),
        )

    def after(self, block: Block) -> Iterator[tuple[Block, _State]]:
        state: _State | None = self.before[block]
        for atom in block.atoms:
            if state is None:
                return
            if block.raises is not None and may_raise(atom):
                yield block.raises, self.failing(state, atom)
            state = self.step(state, atom)
        if state is None:
            return
        for way in block.ways:
            if way.test is not None and self.is_closed(way.test, way.truth):
                continue
            following = self.along(state, way)
            if following is not None:
                yield way.to, following

    def along(self, state: _State, way: Way) -> _State | None:
        """The state on a way; None when its test cannot come out like that."""
        if way.test is None:
            return state
        empty = self.emptied(way.test, way.truth, self.function)
        if empty is not None:
            # What is found empty shows nothing of what was there before.
            state = _affected(state, Touch(CLEAR, empty, way.test, self.function.scope))
        return _assuming(state, way.test, way.truth)

    def is_closed(self, test: nodes.Expression, truth: bool) -> bool:
        """Whether a test never comes out like that: a constant, what every caller gives alike."""
        return self.decided(test, self.function.module) is (not truth)

    def what(self, atom: Atom) -> tuple[Sequence[Touch], Sequence[Stage]]:
        found = self.done.get(atom)
        if found is None:
            found = (self.touches(atom, self.function), self.calls(atom, self.function))
            self.done[atom] = found
        return found

    def failing(self, state: _State, atom: Atom) -> _State:
        """The state where an atom raises: a helper may have written something before."""
        for stage in self.what(atom)[1]:
            if len(stage) == 1 and stage[0].is_certain:
                written = state.written | stage[0].summary.written_before_failing
                state = replace(state, written=written)
        return state

    def exposed_at(self, atom: Atom, state: _State) -> Iterator[Exposure]:
        if state.is_lost:
            return
        touches, stages = self.what(atom)
        for touch in touches:
            if touch.kind == READ and not _is_written(touch.spot, state.written):
                yield Exposure(touch)
        for stage in stages:
            for call in stage:
                for one in call.summary.exposed if call.edge is not None else ():
                    if not _is_written(one.read.spot, state.written) and len(one.way) < _MAX_WAY:
                        yield Exposure(one.read, (call.edge, *one.way))  # type: ignore[arg-type]
            following = _staged(state, stage)
            if following is None:
                return
            state = following

    def step(self, state: _State, atom: Atom) -> _State | None:
        """The state after an atom; None when nothing follows it."""
        touches, stages = self.what(atom)
        for stage in stages:
            after = _staged(state, stage)
            if after is None:
                return None
            state = after
        for touch in touches:
            state = _affected(state, touch)
        if stages:
            state = replace(state, called=atom.node, by_result=_by_result(stages))
        if atom.kind == "store" and isinstance(atom.node, nodes.Name):
            state = _renamed(state, atom.node, atom.place)
        elif atom.kind == "result" and isinstance(atom.node, nodes.Return):
            state = _resulting(state, atom.node.value, self.constants)
        return state


def _by_result(stages: Sequence[Stage]) -> frozenset[Claim]:
    """What the result of a call says of what it wrote: what all that it may run agree on."""
    if len(stages) != 1 or not all(one.is_certain for one in stages[0]):
        return frozenset()
    found = [one.summary.by_result for one in stages[0] if one.summary.returns]
    return frozenset.intersection(*found) if found else frozenset()


def _staged(state: _State, stage: Stage) -> _State | None:
    """The state after one of several callees ran."""
    after: _State | None = None
    for call in stage:
        one = _called(state, call.summary)
        if not call.is_certain:
            one = state if one is None else _met(state, one)
        if one is not None:
            after = one if after is None else _met(after, one)
    return after


def _called(state: _State, summary: Summary) -> _State | None:
    if not summary.is_known:
        return replace(state, is_lost=True)
    if not summary.returns:
        return None
    if not summary.written and not summary.left:
        return state
    # What the callee certainly replaces takes along what was added to its parts before.
    left = {
        spot: how
        for spot, how in state.left.items()
        if not any(one.covers(spot) for one in summary.written)
    }
    for spot, how in summary.left:
        if how & KEPT:
            left[spot] = (how & ~KEPT) | left.get(spot, KEPT)
        else:
            left[spot] = how
    return replace(state, written=state.written | summary.written, left=left)


def _affected(state: _State, touch: Touch) -> _State:
    match touch.kind:
        case "write" | "clear":
            left = dict(state.left)
            for spot in list(left):
                if touch.spot.covers(spot):
                    del left[spot]
            left[touch.spot] = CLEAN if touch.kind == CLEAR else REPLACED
            if touch.how == "own":
                left[touch.spot] = DIRTY
            written = state.written
            if touch.kind == CLEAR or touch.how != "own":
                written = written | {touch.spot}
            return replace(state, written=written, left=left)
        case "change":
            return replace(state, left={**state.left, touch.spot: DIRTY})
    return state


def _renamed(state: _State, target: nodes.Name, place: nodes.Node) -> _State:
    """A local name gets another value: what was known of tests on it is forgotten."""
    name = target.id
    word = f" {name} "
    assumed = frozenset(one for one in state.assumed if word not in one[0])
    implied = frozenset(one for one in state.implied if word not in one[0][0])
    match place:
        case nodes.Assign(value=nodes.Constant(kind="bool" | "none", value=value)):
            assumed |= {(f" {name} ", bool(value))}
    if state.by_result and _unwrapped(getattr(place, "value", None)) is state.called:
        result = _part_of_result(target, place)
        implied |= _told_of(state.by_result, result, name)
    return replace(state, assumed=assumed, implied=implied)


def _unwrapped(value: nodes.Node | None) -> nodes.Node | None:
    return value.value if isinstance(value, nodes.Await) else value


def _part_of_result(target: nodes.Name, place: nodes.Node) -> str:
    """What facts call the part of a call's result that a name takes: `ok, text = read()`."""
    for one in getattr(place, "targets", ()):
        if isinstance(one, nodes.Collection) and target in one.items:
            return f"{RESULT}{one.items.index(target)}"
    return RESULT


def _told_of(claims: frozenset[Claim], name: str, other: str) -> frozenset[Claim]:
    """The claims that speak of a name, told of another one."""
    return frozenset((fact, spot) for one, spot in claims if (fact := renamed(one, name, other)))


def _resulting(
    state: _State, value: nodes.Expression | None, constants: Sequence[nodes.Expression]
) -> _State:
    """The state where a function returns: what is known of the value is known of its result."""
    assumed = {one for one in state.assumed if f" {RESULT}" not in one[0]}
    implied = {one for one in state.implied if f" {RESULT}" not in one[0][0]}
    parts = {RESULT: value}
    if isinstance(value, nodes.Collection) and value.kind == "tuple":
        parts.update({f"{RESULT}{index}": one for index, one in enumerate(value.items)})
    if value is not None and _unwrapped(value) is state.called:
        implied |= state.by_result
    for result, one in parts.items():
        assumed.update(facts_of_value(result, one, constants))
        if isinstance(one, nodes.Name):
            assumed.update(fact for two in state.assumed if (fact := renamed(two, one.id, result)))
            implied |= _told_of(state.implied, one.id, result)
    return replace(state, assumed=frozenset(assumed), implied=frozenset(implied))


def _assuming(state: _State, test: nodes.Expression, truth: bool) -> _State | None:
    """The state in one branch of a test; None when it cannot come out like that."""
    fact = fact_of(test, truth)
    if fact is None:
        fact = fact_of(test, truth, state.called)
        if fact is None:
            return state
        return replace(state, written=state.written | _implied(state.by_result, fact))
    if (fact[0], not fact[1]) in state.assumed:
        return None
    written = state.written | _implied(state.implied, fact)
    return replace(state, written=written, assumed=state.assumed | {fact})


def _implied(claims: frozenset[Claim], fact: Fact) -> frozenset[Spot]:
    return frozenset(spot for one, spot in claims if one == fact)


def _met(one: _State, other: _State) -> _State:
    """What holds whichever of two ways was taken."""
    if one == other:
        return one
    written = one.written & other.written
    implied: set[Claim] = set()
    for left, right in ((one, other), (other, one)):
        implied.update(_claims(left, right, written))
    kept = {spot: one.left.get(spot, KEPT) | how for spot, how in other.left.items()}
    for spot, how in one.left.items():
        kept.setdefault(spot, how | KEPT)
    return _State(
        written,
        one.assumed & other.assumed,
        frozenset(implied) if len(implied) < _MAX_IMPLIED else frozenset(),
        kept,
        one.called if one.called is other.called else None,
        one.by_result if one.called is other.called else frozenset(),
        one.is_lost or other.is_lost,
    )


def _claims(left: _State, right: _State, written: frozenset[Spot]) -> Iterator[Claim]:
    """Yield what one of two ways says of a spot that only some ways write, and both keep to.

    A way keeps to it that wrote the spot, that assumes the opposite of the fact, or that says the
    same. Every pair of a fact and a spot would be too many to look at.
    """
    for fact, spot in left.implied:
        if spot not in written and _holds(right, fact, spot):
            yield fact, spot
    for fact, spot in right.implied:
        if fact in left.assumed and spot in left.written and spot not in written:
            yield fact, spot
    opposed = [one for one in left.assumed if (one[0], not one[1]) in right.assumed]
    # One way that wrote nothing says what it returns; the other one is left for all else.
    opposed += [(text, not truth) for text, truth in right.assumed if f" {RESULT}" in text]
    if not opposed and not right.written:
        return
    for spot in left.written - written:
        for fact in left.assumed if _is_written(spot, right.written) else opposed:
            yield fact, spot


def _holds(state: _State, fact: Fact, spot: Spot) -> bool:
    return (
        _is_written(spot, state.written)
        or (fact[0], not fact[1]) in state.assumed
        or (fact, spot) in state.implied
    )


def _is_written(spot: Spot, written: frozenset[Spot]) -> bool:
    """Whether a spot, or what it is a part of, is written; see `Spot.covers`."""
    path = spot.path
    if ANY in path:
        path = path[: path.index(ANY)]
    elif spot in written:
        return True
    return any(Spot(spot.root, path[:length]) in written for length in range(len(path) + 1))


def _sorted(left: Mapping[Spot, int]) -> tuple[tuple[Spot, int], ...]:
    return tuple(sorted(left.items(), key=lambda item: (item[0].root.name, item[0].path, item[1])))


_PASSES = 12
"""How often a block is looked at on average before the function counts as unknown."""

_MAX_EXPOSED = 60
"""How many reads of one place a summary names, and how many of parameters."""

_MAX_WAY = 12
_MAX_IMPLIED = 400

__all__ = ["CHANGE", "DRAIN", "Exposure", "FlowStates", "Summary"]
