"""Memo guards: what makes a line on the invocation path run once per environment.

A guard is a test of a lasting place whose branch fills that very place, in any of the forms that
people write: `if x is None`, `if not x`, `x = x or make()`, an early return of what is there,
`try … except NameError`, keyed dictionaries, and caching decorators. Whether the guard holds
depends on how long the place lives; that is for `phases.py` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Span
from lambda_lint.model.constants import Constants
from lambda_lint.model.places import Place, Places
from lambda_lint.model.program import CallSite, Class, Function, Module, Scope
from lambda_lint.model.values import ClassValue, External, FunctionValue
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Guard:
    """Why something runs only once: the place that remembers, and where that is written."""

    place: Place
    path: str
    span: Span
    kind: str


class Guards:
    """Finds the guards around an expression, and those that a function or class carries."""

    def __init__(self, places: Places, constants: Constants) -> None:
        """Take the places of the project, and what is the same for every event."""
        self.places = places
        self.constants = constants
        self.calls = places.calls
        self.evaluator = places.evaluator
        self._around: dict[nodes.Node, tuple[Guard, ...]] = {}
        self._carried: dict[Function, tuple[Guard, ...]] = {}

    def around(self, node: nodes.Node, scope: Scope) -> tuple[Guard, ...]:
        """Return the guards that stand around a node within its own function."""
        found = self._around.get(node)
        if found is None:
            found = tuple(self._find_around(node, scope))
            self._around[node] = found
        return found

    def is_dead(self, node: nodes.Node, module: Module) -> bool:
        """Whether the node never runs on Lambda: below `__main__` or TYPE_CHECKING."""
        for child, parent in module.ancestors(node):
            if isinstance(parent, nodes.If) and _is_never(parent.test) and child in parent.body:
                return True
        return False

    def _find_around(self, node: nodes.Node, scope: Scope) -> Iterator[Guard]:
        module = scope.module
        function = scope.function
        for child, parent in module.ancestors(node):
            match parent:
                case nodes.If() | nodes.While():
                    yield from self._tested(child, parent, scope, function, node)
                case nodes.ExceptHandler():
                    yield from self._recovered(child, parent, scope, function, node)
                case nodes.BooleanOperation(operator="or"):
                    yield from self._alternative(child, parent, scope, function, node)
                case nodes.Conditional():
                    if child is not parent.test:
                        other = parent.body if child is parent.orelse else parent.orelse
                        yield from self._given(other, scope, parent)
                        yield from self._matching(
                            parent.test,
                            scope,
                            function,
                            parent,
                            self.places.stored_by(function, node),
                        )
                case nodes.Lambda():
                    return
            for block in _blocks(parent):
                if child in block:
                    position = next(i for i, one in enumerate(block) if one is child)
                    yield from self._returned_early(block, position, scope, function, node)

    def _tested(
        self,
        child: nodes.Node,
        parent: nodes.If | nodes.While,
        scope: Scope,
        function: Function,
        made: nodes.Node,
    ) -> Iterator[Guard]:
        if child is parent.test:
            return
        branch = parent.body if child in parent.body else parent.orelse
        stored = self.places.stored_in(branch, scope, made)
        found = False
        for guard in self._matching(parent.test, scope, function, parent, stored):
            found = True
            yield guard
        if _asks_for_missing(parent.test, child in parent.body):
            yield from self._existing(parent.test, branch, scope, parent)
        if not found and child in parent.body and _asks_for_life(parent.test):
            yield Guard(Place("unknown", None, "alive"), scope.module.path, parent.span, "liveness")
        elif not found and _asks_for_absence(parent.test, child in parent.body):
            everywhere = self.places.stored_by(function, made)
            yield from self._matching(parent.test, scope, function, parent, everywhere)

    def _existing(
        self,
        test: nodes.Expression,
        block: Sequence[nodes.Statement],
        scope: Scope,
        where: nodes.Node,
    ) -> Iterator[Guard]:
        """`if not os.path.exists("/tmp/model"): download("/tmp/model")`: a file that stays."""
        for node in nodes.walk(test):
            path = self._asked_path(node, scope)
            if path is None or not self._stays(path, scope):
                continue
            names = {one.id for one in nodes.walk(path) if isinstance(one, nodes.Name)}
            text = self.constants.text(path, scope)
            for one in (inner for statement in block for inner in nodes.walk(statement)):
                is_it = isinstance(one, nodes.Name) and one.id in names
                if not is_it and isinstance(one, nodes.Constant):
                    is_it = text is not None and one.value == text
                if not is_it and isinstance(one, nodes.Call):
                    # A function of the project may well write the file by a name of its own.
                    is_it = any(
                        isinstance(value, FunctionValue)
                        for value in self.evaluator.evaluate(one.func, scope)
                    )
                if is_it:
                    place = Place("file", None, text or "a file")
                    yield Guard(place, scope.module.path, where.span, "file")
                    return

    def _asked_path(self, node: nodes.Node, scope: Scope) -> nodes.Expression | None:
        """Return the path that a call asks for: `os.path.exists(path)`, `path.is_file()`."""
        if not isinstance(node, nodes.Call):
            return None
        for value in self.evaluator.evaluate(node.func, scope):
            if isinstance(value, External) and value.name in _EXISTENCE and node.arguments:
                return node.arguments[0].value
        if (
            isinstance(node.func, nodes.Attribute)
            and node.func.attr in ("exists", "is_file", "is_dir")
            and not node.arguments
        ):
            return node.func.value
        return None

    def _stays(self, path: nodes.Expression, scope: Scope) -> bool:
        """Whether a path is the same for every event, so that a file there is found again."""
        return self.constants.is_fixed(path, scope, paths=True)

    def _recovered(
        self,
        child: nodes.Node,
        parent: nodes.ExceptHandler,
        scope: Scope,
        function: Function,
        made: nodes.Node,
    ) -> Iterator[Guard]:
        """`try: use(x) except …: x = make()`: made again because what was kept failed."""
        attempt = scope.module.parents.get(parent)
        if child not in parent.body or not isinstance(attempt, nodes.Try):
            return
        kept = self.places.stored_by(function, made)
        for statement in attempt.body:
            for one in nodes.walk(statement):
                if isinstance(one, nodes.Expression):
                    place = self.places.of(one, scope.module.scope_of.get(one, scope))
                    if place is not None and place in kept:
                        yield Guard(place, scope.module.path, parent.span, "except")
                        return

    def _alternative(
        self,
        child: nodes.Node,
        parent: nodes.BooleanOperation,
        scope: Scope,
        function: Function,
        made: nodes.Node,
    ) -> Iterator[Guard]:
        stored = self.places.stored_by(function, made)
        for operand in parent.operands:
            if operand is child:
                return
            yield from self._given(operand, scope, parent)
            yield from self._matching(operand, scope, function, parent, stored)

    def _given(
        self, alternative: nodes.Expression, scope: Scope, where: nodes.Node
    ) -> Iterator[Guard]:
        """`client or make()`: made only for callers that give no client."""
        if isinstance(alternative, nodes.Name):
            place = self.places.of(alternative, scope)
            if place is not None and place.kind == "parameter":
                yield Guard(place, scope.module.path, where.span, "parameter")

    def _returned_early(
        self,
        block: Sequence[nodes.Statement],
        position: int,
        scope: Scope,
        function: Function,
        made: nodes.Node,
    ) -> Iterator[Guard]:
        """`if x: return x` before, and a store of `x` from here on."""
        stored: frozenset[Place] | None = None
        for earlier in block[:position]:
            if isinstance(earlier, nodes.With) and earlier.body:
                earlier = earlier.body[-1]
            tests: list[nodes.Expression] = []
            if isinstance(earlier, nodes.If) and (_leaves(earlier.body) or _leaves(earlier.orelse)):
                tests = [earlier.test]
            elif isinstance(earlier, nodes.Try):
                tests = [
                    one.value
                    for one in earlier.body
                    if isinstance(one, nodes.Return) and one.value is not None
                ]
            if tests and stored is None:
                stored = self.places.stored_in(block[position:], scope, made)
            for test in tests:
                yield from self._matching(test, scope, function, earlier, stored or frozenset())
                if isinstance(earlier, nodes.If) and _asks_for_missing(
                    test, not _leaves(earlier.body)
                ):
                    yield from self._existing(test, block[position:], scope, earlier)

    def _matching(
        self,
        test: nodes.Expression,
        scope: Scope,
        function: Function,
        where: nodes.Node,
        stored: frozenset[Place],
    ) -> Iterator[Guard]:
        if not stored:
            return
        for place in self.places.mentioned(test, scope):
            if place in stored or (place.kind == "global" and place.name == "globals()"):
                yield Guard(place, scope.module.path, where.span, "test")
                return

    def carried(self, function: Function) -> tuple[Guard, ...]:
        """Return the guards that a function's own decorators put around every call of it."""
        found = self._carried.get(function)
        if found is None:
            self._carried[function] = ()
            found = tuple(self._find_carried(function))
            self._carried[function] = found
        return found

    def _find_carried(self, function: Function) -> Iterator[Guard]:
        scope = function.definition_scope
        if scope is None:
            return
        if function.name == "__getattr__" and scope.kind == "module":
            place = Place("global", scope.module, "__getattr__")
            yield Guard(place, scope.module.path, function.name_span, "module attribute")
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, nodes.Call) else decorator
            values = self.evaluator.evaluate(called, scope)
            for value in values:
                if isinstance(value, External):
                    memo = self.evaluator.knowledge.cache_decorator(value.name)
                    if memo is not None:
                        yield self._decorated(function, decorator, memo.per)
            if any(isinstance(value, FunctionValue) for value in values):
                yield from self._memoising(decorator, scope)

    def _decorated(self, function: Function, decorator: nodes.Expression, per: str) -> Guard:
        takes_self = function.class_ is not None and not function.has_simple_decorator(
            "staticmethod", "classmethod"
        )
        if function.class_ is not None and (per == "instance" or takes_self):
            place = Place("instance", function.class_, function.name)
        else:
            place = Place("function", function, function.name)
        return Guard(place, function.module.path, decorator.span, "decorator")

    def _memoising(self, decorator: nodes.Expression, scope: Scope) -> Iterator[Guard]:
        """A decorator of the project that calls what it wraps only behind a guard."""
        for value in self.evaluator.evaluate(decorator, scope):
            if isinstance(value, FunctionValue):
                guard = self._guarded_parameter(value.function)
                if guard is not None:
                    yield guard
                    return

    def _guarded_parameter(self, decorator: Function) -> Guard | None:
        """Return the guard around all calls of the function that a decorator gets, if there is one.

        The call may stand behind a test, in an inner function that is memoised itself, or be made
        by a library's cache that gets the function.
        """
        if not decorator.parameters:
            return None
        name = decorator.parameters[1 if decorator.is_method else 0 :][:1]
        first: Guard | None = None
        for inner in _with_nested(decorator):
            for site in inner.calls:
                guards: tuple[Guard, ...] = ()
                if name and self._is_parameter(site.node.func, site.scope, decorator, name[0].name):
                    guards = (*self.around(site.node, site.scope), *self.carried(inner))
                elif name and any(
                    self._is_parameter(one.value, site.scope, decorator, name[0].name)
                    for one in site.node.arguments
                ):
                    guards = tuple(self._library_cache(site))
                    if not guards:
                        continue
                else:
                    continue
                if not guards:
                    return None
                first = first or guards[0]
        return first

    def _library_cache(self, site: CallSite) -> Iterator[Guard]:
        for value in self.evaluator.evaluate(site.node.func, site.scope):
            if isinstance(value, External):
                name = value.name.removesuffix("()")
                if self.evaluator.knowledge.cache_decorator(name) is not None:
                    place = Place("function", site.function, name)
                    yield Guard(place, site.module.path, site.span, "library cache")

    def _is_parameter(
        self, value: nodes.Expression, scope: Scope, function: Function, name: str
    ) -> bool:
        return (
            isinstance(value, nodes.Name)
            and value.id == name
            and scope.lookup(name) is function.scope
        )

    def of_class(self, class_: Class) -> Guard | None:
        """Return the guard that makes a class a singleton: metaclass, decorator or `__new__`."""
        for one in self.evaluator.lineage(class_)[0]:
            guard = self._metaclass_guard(one)
            if guard is not None:
                return guard
        for decorator in class_.node.decorators:
            called = decorator.func if isinstance(decorator, nodes.Call) else decorator
            for value in self.evaluator.evaluate(called, class_.definition_scope):
                if isinstance(value, External) and self.evaluator.knowledge.cache_decorator(
                    value.name
                ):
                    place = Place("class", class_, class_.name)
                    return Guard(place, class_.module.path, decorator.span, "decorator")
            for guard in self._memoising(decorator, class_.definition_scope):
                return guard
        return None

    def _metaclass_guard(self, class_: Class) -> Guard | None:
        for argument in class_.node.arguments:
            if argument.name != "metaclass":
                continue
            for value in self.evaluator.evaluate(argument.value, class_.definition_scope):
                if isinstance(value, ClassValue):
                    call = value.class_.methods.get("__call__")
                    if call is not None and self._keeps_instances(call):
                        place = Place("class", value.class_, "_instances")
                        return Guard(place, class_.module.path, argument.span, "metaclass")
        return None

    def shares_instances(self, class_: Class) -> bool:
        """Whether all instances are one or share one `__dict__`, although `__init__` runs again."""
        for one in self.evaluator.lineage(class_)[0]:
            new = one.methods.get("__new__")
            if new is not None and self._keeps_instances(new):
                return True
            if "__dict__" in one.attributes:
                return True
        return False

    def _keeps_instances(self, method: Function) -> bool:
        kept = self.places.stored_by(method)
        return any(place.kind in ("class", "global", "unknown") for place in kept)


def _with_nested(function: Function) -> Iterator[Function]:
    yield function
    for inner in function.nested:
        yield from _with_nested(inner)


def _blocks(node: nodes.Node) -> Iterator[list[nodes.Statement]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _leaves(block: list[nodes.Statement]) -> bool:
    """Whether the block ends by leaving: return, raise, continue or break."""
    if not block:
        return False
    last = block[-1]
    if isinstance(last, nodes.Simple):
        return last.keyword in ("continue", "break")
    if isinstance(last, nodes.With):
        return _leaves(last.body)
    return isinstance(last, (nodes.Return, nodes.Raise))


def _asks_for_absence(test: nodes.Expression, in_body: bool) -> bool:
    """Whether entering the branch means that something was not there yet."""
    match test:
        case nodes.UnaryOperation(operator="not"):
            return in_body
        case nodes.Comparison(operators=["is" | "not in" | "=="]):
            return in_body
        case nodes.Comparison(operators=["is not" | "in" | "!="]):
            return not in_body
        case nodes.BooleanOperation(operands=operands):
            return any(_asks_for_absence(one, in_body) for one in operands)
        case nodes.Name() | nodes.Attribute():
            return not in_body
    return False


def _asks_for_missing(test: nodes.Expression, in_body: bool) -> bool:
    """Whether entering the branch means that a call said no: `not os.path.exists(path)`."""
    match test:
        case nodes.UnaryOperation(operator="not", operand=nodes.Call()):
            return in_body
        case nodes.Call():
            return not in_body
        case nodes.BooleanOperation(operands=operands):
            return any(_asks_for_missing(one, in_body) for one in operands)
    return False


def _asks_for_life(test: nodes.Expression) -> bool:
    """Whether the branch runs only when something is found dead: `if not is_running(): start()`."""
    if isinstance(test, nodes.BooleanOperation):
        return any(_asks_for_life(one) for one in test.operands)
    if not isinstance(test, nodes.UnaryOperation) or test.operator != "not":
        return False
    asked = test.operand.func if isinstance(test.operand, nodes.Call) else test.operand
    name = asked.attr if isinstance(asked, nodes.Attribute) else ""
    if isinstance(asked, nodes.Name) and isinstance(test.operand, nodes.Call):
        name = asked.id
    return any(word in name.lower() for word in _LIFE)


_EXISTENCE = frozenset({"os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.lexists"})
"""Calls that ask whether a file is there: https://docs.python.org/3/library/os.path.html"""

_LIFE = ("alive", "running", "connected", "ping", "is_open", "healthy")
"""What functions and attributes that look whether something still works are called."""


def _is_never(test: nodes.Expression) -> bool:
    match test:
        case nodes.Comparison(
            left=nodes.Name(id="__name__"), operators=["=="], comparators=[nodes.Constant()]
        ):
            return True
        case nodes.Comparison(
            left=nodes.Constant(), operators=["=="], comparators=[nodes.Name(id="__name__")]
        ):
            return True
        case nodes.Name(id="TYPE_CHECKING") | nodes.Attribute(attr="TYPE_CHECKING"):
            return True
        case nodes.Constant(kind="bool", value=False):
            return True
    return False
