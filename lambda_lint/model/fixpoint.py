"""Answers to set-valued questions that depend on each other in circles."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_ROUNDS = 50
"""Sets only grow, so circles settle in a few rounds; the bound keeps a fault from hanging."""


class Fixpoint(Generic[T]):
    """Remembers answers, and repeats a circle until its answers stop growing.

    A plain memo would keep what was found while part of a circle was still open, so that answers
    depended on which question came first.
    """

    def __init__(self) -> None:
        """Start without answers."""
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
            self._final.update(self._current)
        finally:
            self._current, self._previous, self._is_running = {}, {}, False
        return result
