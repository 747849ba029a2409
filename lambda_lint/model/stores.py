"""What a stretch of code stores, asked place by place.

A function may hold thousands of expressions that a guard could stand around, and thousands of
stores: so the stores of a function are read once, and each question looks up one place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from lambda_lint.model.places import Place, Places
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.values import FunctionValue
from lambda_lint.syntax import nodes


class Stores:
    """Answers which places code writes, callees included."""

    def __init__(self, places: Places) -> None:
        """Take the places of the project."""
        self.places = places
        self._written: dict[Scope, _Written] = {}

    def within(
        self, statements: Sequence[nodes.Statement], scope: Scope, made: nodes.Node
    ) -> Stored:
        """Return what running consecutive statements of a function stores of `made` in it.

        `scope` is where the guarded expression `made` is evaluated.
        """
        written = self._of(scope)
        if not statements:
            return Stored(written, 0, 0, made)
        start, end = written.ranges[statements[0]][0], written.ranges[statements[-1]][1]
        return Stored(written, start, end, made)

    def by(self, function: Function, made: nodes.Node) -> Stored:
        """Return what all of a function stores of `made`, which is an expression of it."""
        body = function.node.body if isinstance(function.node, nodes.FunctionDef) else []
        return self.within(body, function.scope, made)

    def _of(self, scope: Scope) -> _Written:
        found = self._written.get(scope)
        if found is None:
            found = self._written[scope] = _Written(self.places, scope)
        return found


class Stored:
    """The places that a stretch of code may write.

    An item that is put into a container counts only when `made`, the guarded expression, flows
    into it: `seen["other"] = 1` beside a call remembers nothing of that call.
    """

    def __init__(
        self,
        written: _Written,
        start: int,
        end: int,
        made: nodes.Node,
        without: frozenset[Place] = frozenset(),
    ) -> None:
        """Take the stores of the function, the stretch, and what does not count."""
        self._written = written
        self._range = (start, end)
        self._made = made
        self._without = without

    def __contains__(self, place: Place) -> bool:
        """Whether the place may be written."""
        if place in self._without:
            return False
        start, end = self._range
        written = self._written
        return (
            _has(written.certain.get(place), start, end)
            or (place in written.items and written.keeps(self._made, place, start, end))
            or written.calls_with(self._made, place, start, end)
        )

    def __bool__(self) -> bool:
        """Whether any place may be written."""
        written = self._written
        everything = (*written.certain, *written.items, *written.of_calls_with(self._made))
        return any(place in self for place in everything)

    def without(self, place: Place) -> Stored:
        """Return the same, but for one place."""
        return Stored(self._written, *self._range, self._made, self._without | {place})


class _Written:
    """The stores of one function, by place, each at its number in the order of the tree."""

    def __init__(self, places: Places, scope: Scope) -> None:
        self._places = places
        self._scope = scope
        self._module = scope.module
        #: From which number to which one a statement goes.
        self.ranges: dict[nodes.Node, tuple[int, int]] = {}
        #: Where a place is written, whatever the value; in order.
        self.certain: dict[Place, list[int]] = {}
        #: Where items are put into a place: by the node that does it, in a tuple, by the value,
        #: and by the names in the value.
        self.items: dict[Place, dict[object, list[int]]] = {}
        #: The calls of project functions, which keep what is made for their arguments.
        self._callees: dict[nodes.Node, tuple[int, list[Function]]] = {}
        self._sources: dict[object, set[str]] | None = None
        self._flows: dict[nodes.Node, tuple[object, ...]] = {}
        self._read(scope.function.node)

    def _read(self, root: nodes.Node) -> None:
        number = 0
        stack: list[nodes.Node | tuple[nodes.Node, int]] = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, tuple):
                self.ranges[node[0]] = (node[1], number)
                continue
            self._read_node(node, number)
            if isinstance(node, nodes.Statement):
                stack.append((node, number))
            number += 1
            stack.extend(reversed(list(nodes.children(node))))

    def _read_node(self, node: nodes.Node, number: int) -> None:
        inner = self._module.scope_of.get(node, self._scope)
        for place, value in self._places.written_by(node, inner):
            if value is None:
                self.certain.setdefault(place, []).append(number)
                continue
            items = self.items.setdefault(place, {})
            for key in ((node,), value, *_names(value)):
                items.setdefault(key, []).append(number)
        if isinstance(node, nodes.Call):
            functions = [
                one.function
                for one in self._places.evaluator.evaluate(node.func, inner)
                if isinstance(one, FunctionValue)
            ]
            if functions:
                self._callees[node] = (number, functions)
            for function in functions:
                for place in self._places.rebound_by(function):
                    self.certain.setdefault(place, []).append(number)

    def keeps(self, made: nodes.Node, place: Place, start: int, end: int) -> bool:
        """Whether what is made flows into an item of the place, perhaps by way of names."""
        items = self.items[place]
        keys = ((made,), *self._flow(made))
        return any(_has(items.get(key), start, end) for key in keys)

    def calls_with(self, made: nodes.Node, place: Place, start: int, end: int) -> bool:
        """Whether a call that is made, or gets what is made, writes the place."""
        for node in self._around(made):
            number, functions = self._callees.get(node, (-1, ()))
            if start <= number < end and any(
                place in self._places.stored_by(one) for one in functions
            ):
                return True
        return False

    def of_calls_with(self, made: nodes.Node) -> Iterator[Place]:
        """Yield what such calls write."""
        for node in self._around(made):
            for function in self._callees.get(node, (-1, ()))[1]:
                yield from self._places.stored_by(function)

    def _around(self, made: nodes.Node) -> Iterator[nodes.Node]:
        yield made
        for _, parent in self._module.ancestors(made):
            yield parent

    def _flow(self, made: nodes.Node) -> tuple[object, ...]:
        """Return the nodes that hold what is made, and the names that may hold it."""
        found = self._flows.get(made)
        if found is None:
            if self._sources is None:
                self._sources = self._names_by_source()
            around = list(self._around(made))
            names: set[str] = set()
            stack: list[object] = list(around)
            while stack:
                for name in self._sources.get(stack.pop(), ()):
                    if name not in names:
                        names.add(name)
                        stack.append(name)
            found = self._flows[made] = (*around, *sorted(names))
        return found

    def _names_by_source(self) -> dict[object, set[str]]:
        """Return for a node, or a name, the local names that get it as or in their value."""
        found: dict[object, set[str]] = {}
        outer: Scope | None = self._scope
        while outer is not None:
            if outer.kind == "function":
                written = [
                    (name, binding.value)
                    for name, bindings in outer.bindings.items()
                    for binding in bindings
                ] + [(name, value) for name, value, _ in outer.function.contents]
                for name, value in written:
                    if value is not None and self._scope.lookup(name) is outer:
                        for source in (value, *_names(value)):
                            found.setdefault(source, set()).add(name)
            outer = outer.parent
        return found


def _names(value: nodes.Expression) -> Iterator[str]:
    for node in nodes.walk(value):
        if isinstance(node, nodes.Name):
            yield node.id


def _has(numbers: Sequence[int] | None, start: int, end: int) -> bool:
    """Whether one of the sorted numbers is in the range."""
    if not numbers:
        return False
    position = bisect_left(numbers, start)
    return position < len(numbers) and numbers[position] < end
