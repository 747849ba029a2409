"""Answers to set-valued questions that depend on each other in circles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MAX_ROUNDS = 50
"""Sets only grow, so circles settle in a few rounds. What has not settled then is unknown."""

MAX_DEPTH = 1000
"""How deep questions may stand in each other: names, attributes and returns, one behind another."""


class Fixpoint(Generic[T]):
    """Remembers answers, and repeats a circle until its answers stop growing.

    A plain memo would keep what was found while part of a circle was still open, so that answers
    depended on which question came first.
    """

    def __init__(self, unknown: frozenset[T]) -> None:
        """Start without answers. `unknown` answers what takes too many rounds or goes too deep."""
        self._unknown = unknown
        self._final: dict[Hashable, frozenset[T]] = {}
        self._current: dict[Hashable, frozenset[T]] = {}
        self._previous: dict[Hashable, frozenset[T]] = {}
        self._open: set[Hashable] = set()
        self._is_running = False
        self._met_open = False

    def solve(self, key: Hashable, compute: Callable[[], frozenset[T]]) -> frozenset[T]:
        """Return the answer to `key`; `compute` may ask other questions, and this one again."""
        found = self._final.get(key)
        if found is not None:
            return found
        if not self._is_running:
            return self._settle(key, compute)
        found = self._current.get(key)
        if found is not None:
            self._met_open = self._met_open or key in self._open
            return found
        if len(self._open) >= MAX_DEPTH:
            return self._unknown
        before = self._previous.get(key, frozenset())
        self._current[key] = before
        self._open.add(key)
        result = compute() | before
        self._open.discard(key)
        self._current[key] = result
        return result

    def _settle(self, key: Hashable, compute: Callable[[], frozenset[T]]) -> frozenset[T]:
        self._is_running = True
        result: frozenset[T] = frozenset()
        try:
            for _ in range(MAX_ROUNDS):
                self._current, self._open, self._met_open = {}, set(), False
                result = self.solve(key, compute)
                if not self._met_open or self._current == self._previous:
                    break
                self._previous = self._current
            else:
                self._current = dict.fromkeys(self._current, self._unknown)
                result = self._unknown
            self._final.update(self._current)
        finally:
            self._current, self._previous, self._is_running = {}, {}, False
        return result


class Circles(Generic[T]):
    """Remembers answers that are tuples; those of a circle only when they have stopped growing.

    Unlike `Fixpoint` it repeats nothing but the circle itself, because nearly all questions of
    this kind stand in none. The answers do not depend on the order of the questions.
    """

    def __init__(
        self, unite: Callable[[Iterable[T]], tuple[T, ...]], order: Callable[[T], Any]
    ) -> None:
        """Start without answers.

        `unite` makes an answer of what a computation yields. `order` is the sort key for answers of
        a circle, whose order would tell where the circle was entered.
        """
        self._unite = unite
        self._order = order
        self._final: dict[Hashable, tuple[T, ...]] = {}
        #: Returns the answer if it is known.
        self.known = self._final.get
        self._lowest = _NO_CIRCLE
        self._reset()

    def clear(self) -> None:
        """Forget all answers."""
        self._final.clear()

    def solve(
        self, question: Hashable, compute: Callable[..., Iterable[T]], *about: Any
    ) -> tuple[T, ...]:
        """Return the answer; `compute(*about)` may ask other questions, and this one again."""
        found = self._final.get(question)
        if found is not None:
            return found
        depth = self._open.get(question)
        if depth is not None:
            self._lowest = min(self._lowest, depth)
            return self._bound.get(question, ())
        partial = self._partial.get(question)
        if partial is not None:
            self._lowest = min(self._lowest, partial[1])
            return partial[0]
        depth = len(self._open)
        if depth >= MAX_DEPTH:
            return ()
        outer, mark, changes = self._lowest, len(self._trail), self._changes
        self._open[question] = depth
        self._lowest = _NO_CIRCLE
        try:
            result = self._unite(compute(*about))
            if self._lowest != _NO_CIRCLE:
                state = (depth, mark, changes)
                result = self._repeat(question, result, compute, about, state)
        except BaseException:
            self._reset()
            raise
        del self._open[question]
        lowest = self._lowest
        if lowest < depth:
            # Part of a circle that is still open further out.
            self._lowest = min(outer, lowest)
            self._partial[question] = (result, lowest)
            self._trail.append(question)
            return result
        self._lowest = outer
        if lowest != _NO_CIRCLE or len(self._trail) > mark:
            for member in self._trail[mark:]:
                self._final[member] = self._partial.pop(member)[0]
                self._bound.pop(member, None)
            del self._trail[mark:]
            self._bound.pop(question, None)
        self._final[question] = result
        return result

    def _repeat(
        self,
        question: Hashable,
        result: tuple[T, ...],
        compute: Callable[..., Iterable[T]],
        about: tuple[Any, ...],
        state: tuple[int, int, int],
    ) -> tuple[T, ...]:
        """Return the answer to a question that stands on a circle, given a first answer.

        `state` is how deep the question stands, how long the trail was before, and how many answers
        had grown by then.
        What starts the circle asks again until nothing in it has grown; what is part of a larger
        circle leaves that to its start.
        """
        depth, mark, changes = state
        for _ in range(MAX_ROUNDS):
            before = self._bound.get(question, ())
            if not set(before).issuperset(result):
                self._changes += 1
            result = tuple(sorted(self._unite((*before, *result)), key=self._order))
            self._bound[question] = result
            if self._lowest < depth or self._changes == changes:
                break
            for member in self._trail[mark:]:
                del self._partial[member]
            del self._trail[mark:]
            self._lowest, changes = _NO_CIRCLE, self._changes
            result = self._unite(compute(*about))
        else:
            # No answer of the circle is final, so none of them is known.
            result = self._bound[question] = ()
            for member in self._trail[mark:]:
                self._partial[member] = ((), self._partial[member][1])
        return result

    def _reset(self) -> None:
        """Forget what is under way."""
        #: How deep each question stands that is being answered.
        self._open: dict[Hashable, int] = {}
        #: What questions of open circles are known to hold at least.
        self._bound: dict[Hashable, tuple[T, ...]] = {}
        #: Answers of this time around a circle, with the depth of what they depend on.
        self._partial: dict[Hashable, tuple[tuple[T, ...], int]] = {}
        self._trail: list[Hashable] = []
        #: The depth of the outermost open question that was met.
        self._lowest = _NO_CIRCLE
        self._changes = 0


_NO_CIRCLE = 1 << 30
