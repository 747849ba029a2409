"""Stories of two invocations: one leaves something in a place, the next one finds it there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Step
from lambda_lint.model.dependence import CREDENTIALS, EVENT, ITERATION
from lambda_lint.model.entries import Handler
from lambda_lint.model.flow_facts import text_of
from lambda_lint.model.lasting import ANY
from lambda_lint.model.phases import Phases
from lambda_lint.model.program import Function
from lambda_lint.model.state import Stale, State
from lambda_lint.model.state_changes import Change, holds_exception
from lambda_lint.model.state_uses import PRINTED, WAITED_FOR
from lambda_lint.model.touches import CHANGE, WRITE, Touch, is_blank
from lambda_lint.source import Source
from lambda_lint.syntax import nodes

REBOUND, GROWN, RESHAPED, ITEM = "rebound", "grown", "reshaped", "item"
"""What an invocation does: it replaces a value, adds to one, changes parts of a template,
or changes an item of a container."""


@dataclass(frozen=True, slots=True)
class Story:
    """What one invocation does to a place, and the read of a later one that sees it."""

    state: State
    change: Change
    stale: Stale
    handlers: tuple[Handler, ...]

    def condition(self, sources: Mapping[str, Source]) -> str:
        """Return when the change is made, as the end of a sentence: "only if `test`"."""
        change, stale = self.change.touch, self.stale
        if self.change.is_taken_back:
            return "and sets it back only if nothing fails"
        found = condition(change)
        if found is None and change.function is stale.read.function:
            return "only afterwards" if change.node.span > stale.read.node.span else "not always"
        if found is None:
            return "not always, or only afterwards"
        place, how = found
        text = " ".join(sources[change.function.module.path].slice(place.span).split())
        short = f"`{text}`" if len(text) <= _MAX_TEXT else "something"
        match how:
            case "if":
                return f"only if {short}"
            case "unless":
                return f"not if {short}"
            case "for":
                return f"only if there is something in {short}"
            case "try":
                return "only if nothing fails before"
            case "except":
                return "only after a failure"
        return "only in one case"


def stories(state: State, kind: str) -> Iterator[Story]:
    """Yield the stories of one kind that a place has: one for each function that changes it."""
    if state.is_drained or state.is_bounded:
        return
    changes = [
        one
        for one in state.changes
        if kind_of(state, one) == kind and (state.place.kind == "memo" or not state.is_upkeep(one))
    ]
    told: set[Function] = set()
    for change in changes:
        function = change.touch.function
        if function in told or (kind == REBOUND and told):
            continue
        shows = _telling(state, change) if kind == REBOUND else lambda stale: True
        if kind == RESHAPED and change.is_steady:
            continue
        if kind == GROWN and (
            not _is_kept(state, change) or _is_same_again(change) or _is_sequence(change)
        ):
            continue
        found = [
            one
            for one in state.stale
            if one.use and _shows(state, change, one, kind) and shows(one)
        ]
        if not found:
            continue
        told.add(function)
        # The read that most plainly matters: what is returned or sent, rather than a test.
        best = min(found, key=lambda one: (_rank(one), len(one.path.edges), one.read.node.span))
        handlers = tuple(
            dict.fromkeys(one.handler for one in found if one.read.node is best.read.node)
        )
        yield Story(state, change, best, handlers)


def _telling(state: State, change: Change) -> Callable[[Stale], bool]:
    """Return which reads show that what an earlier invocation left is another value."""
    if _varies(change):
        return lambda stale: True
    if change.is_taken_back:
        return lambda stale: stale.use.startswith("decides")
    if change.touch.kind != WRITE or change.spot.path or not state.initial:
        return lambda stale: False
    asked = {one.handler for one in state.stale if one.use.startswith("decides")}
    if change.is_constant and change.is_chosen and _is_another(change, state):
        # What one kind of event chooses; a flag that is asked for is often meant to stay.
        return lambda stale: (
            stale.use == WAITED_FOR or (stale.handler not in asked and stale.use != PRINTED)
        )
    if change.is_constant:
        # A loop that waits for what an earlier invocation has seen.
        return lambda stale: stale.use == WAITED_FOR
    if change.is_chosen and all(is_blank(one.value) for one in state.initial):
        # Nothing to work with in a fresh environment, and what another kind of event set in this.
        return lambda stale: stale.handler not in asked and stale.use != PRINTED
    return lambda stale: False


def _is_another(change: Change, state: State) -> bool:
    """Whether a literal is not what the place holds in a fresh environment, whose text is known."""
    value = change.touch.value
    return isinstance(value, nodes.Constant) and all(
        isinstance(one.value, nodes.Constant)
        and (one.value.kind, one.value.value) != (value.kind, value.value)
        for one in state.initial
    )


def kind_of(state: State, change: Change) -> str:
    """Return what a change does to its place."""
    touch = change.touch
    is_template = state.is_template
    if state.place.kind == "default":
        return GROWN
    if touch.kind == WRITE and ANY in change.spot.path:
        return ITEM
    if touch.kind == CHANGE and touch.how in ("add", "counted"):
        return RESHAPED if is_template and change.spot.path else GROWN
    if touch.kind == WRITE and touch.how == "own":
        return RESHAPED if is_template and change.spot.path else GROWN
    if touch.kind == CHANGE:
        return RESHAPED if is_template else GROWN
    return RESHAPED if is_template and change.spot.path else REBOUND


def _shows(state: State, change: Change, stale: Stale, kind: str) -> bool:
    """Whether a read sees what a change left, in the same environment."""
    read = stale.read
    if not change.spot.meets(read.spot):
        return False
    if stale.handler in state.cleaned_by and not change.is_taken_back:
        return False
    if stale.handler not in state.reached_by(change.touch.function):
        return False
    if kind == GROWN and stale.handler in state.trimmed_by:
        return False
    touch = change.touch
    if stale.use == PRINTED:
        # What is printed is for people; a whole list that has grown is the report itself.
        return touch.kind == CHANGE and touch.how == "add" and read.how == "whole"
    if touch.kind != CHANGE:
        return True
    if touch.how == "merge" and not _varies(change):
        # The same is put in again: routes, defaults.
        return False
    if touch.how == "counted":
        return read.how == "whole" or not stale.use.startswith("decides")
    # Asked by key it is a cache, whose entries belong to their keys.
    return read.how == "whole"


def _is_kept(state: State, change: Change) -> bool:
    """Whether what was there is still there when it is added to."""
    return any(
        one.read.how == "changed" and one.read.node is change.touch.node for one in state.stale
    )


def _is_same_again(change: Change) -> bool:
    """Whether an item under a constant key only gets the same value again.

    `sorts["by"] = sorts.get("by") or "date"`; arithmetic makes another one each time.
    """
    touch = change.touch
    return (
        touch.kind == WRITE
        and bool(change.spot.path)
        and isinstance(touch.scope.module.parents.get(touch.node), nodes.Assign)
        and not isinstance(touch.value, nodes.BinaryOperation)
        and not _varies(change)
    )


def _is_sequence(change: Change) -> bool:
    """Whether a number counts on by one and is called what tells one thing from the next.

    The next request of a client has another number than the last one, in whatever invocation.
    """
    parent = change.touch.scope.module.parents.get(change.touch.node)
    step = change.touch.value
    if isinstance(step, nodes.BinaryOperation):
        step = step.right
    if not isinstance(parent, (nodes.AugmentedAssign, nodes.Assign)):
        return False
    if not isinstance(step, nodes.Constant) or step.kind != "int":
        return False
    name = change.spot.root.name if not change.spot.path else change.spot.path[-1].strip("[].'")
    words = set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_"))
    return not words.isdisjoint(_SEQUENCES)


def _varies(change: Change) -> bool:
    """Whether invocations write different things."""
    if change.depends_on & {EVENT, CREDENTIALS, ITERATION}:
        return True
    return holds_exception(change.touch)


def _rank(stale: Stale) -> int:
    if _is_settled(stale.read):
        return 2
    return 1 if stale.use.startswith("decides") else 0


def _is_settled(read: Touch) -> bool:
    """Whether a read stands behind `if x == "…":`, where its value is no question any more."""
    for child, parent in read.scope.module.ancestors(read.node):
        if isinstance(parent, nodes.If) and child in parent.body:
            for one in nodes.walk(parent.test):
                if (
                    isinstance(one, nodes.Comparison)
                    and one.operators == ["=="]
                    and isinstance(one.comparators[0], nodes.Constant)
                    and one.comparators[0].kind != "none"
                    and _same_name(one.left, read.node)
                ):
                    return True
    return False


def _same_name(one: nodes.Node, other: nodes.Node) -> bool:
    return isinstance(one, nodes.Name) and isinstance(other, nodes.Name) and one.id == other.id


def condition(touch: Touch, *, failures: bool = True) -> tuple[nodes.Node, str] | None:
    """Return what decides whether a change is made, within its function: the place, and how.

    Without `failures`, what keeps a `try` from getting as far as the change is none of that.
    """
    module = touch.scope.module
    for child, parent in module.ancestors(touch.node):
        match parent:
            case nodes.If(test=test, body=body, orelse=orelse) if child is not test:
                if _writes_alike(orelse if child in body else body, touch):
                    continue
                return test, "if" if child in parent.body else "unless"
            case nodes.Case():
                return parent, "case"
            case nodes.ExceptHandler():
                return parent, "except"
            case nodes.Try() if failures and child in parent.body and parent.handlers:
                return parent, "try"
            case nodes.For(iterable=iterable) if child is not iterable:
                return iterable, "for"
            case nodes.While(test=test) if child is not test:
                return test, "if"
    return None


def _writes_alike(branch: Sequence[nodes.Node], touch: Touch) -> bool:
    """Whether the other branch of a test writes the same, so that the test decides nothing."""
    wanted = text_of(touch.node)
    return wanted is not None and any(
        isinstance(one, nodes.Assign) and wanted in map(text_of, one.targets) for one in branch
    )


def witness(
    story: Story, phases: Phases, *, left: str, seen: str, at_change: bool
) -> tuple[Step, ...]:
    """Return the steps of a story: how the first invocation leaves it, and the next one sees it.

    `left` and `seen` are what the steps say of the change and of the read. The last step is the
    read, or with `at_change` the change.
    """
    change, read = story.change.touch, story.stale.read
    changed = Step(change.function.module.path, change.node.span, left)
    shown = Step(read.function.module.path, read.node.span, seen)
    to_change = phases.path_from(story.stale.handler, change.function)
    first = list(phases.witness(to_change)) if to_change is not None else []
    second = list(phases.witness(story.stale.path))
    if at_change:
        return (*second, shown, *_without_start(first, second), changed)
    return (*first, changed, *_without_start(second, first), shown)


def _without_start(steps: Sequence[Step], before: Sequence[Step]) -> Sequence[Step]:
    """Leave out the steps that both ways begin with."""
    shared = 0
    for one, other in zip(steps, before, strict=False):
        if one != other:
            break
        shared += 1
    return steps[shared:]


_SEQUENCES = frozenset(
    {"id", "seq", "sequence", "nonce", "serial", "turn", "index", "idx", "cursor", "generation"}
    | {"invocation", "invocations", "warm"}
)
"""Words in the names of numbers that are meant to go on."""

_MAX_TEXT = 60
"""Longer tests are not quoted in messages."""
