"""Memo guards: what makes a line on the invocation path run once per environment.

A guard is a test of a lasting place whose branch fills that very place, in any of the forms that
people write: `if x is None`, `if not x`, `x = x or make()`, an early return of what is there,
`try … except NameError`, keyed dictionaries, and caching decorators. Whether the guard holds
depends on how long the place lives; that is for `phases.py` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Span
from lambda_lint.model.decisions import Decisions
from lambda_lint.model.given import Given, given_to_same_call
from lambda_lint.model.places import Place, Places
from lambda_lint.model.program import CallSite, Class, Function, Module, Scope
from lambda_lint.model.questions import (
    asked_for_presence,
    asks_for_absence,
    asks_for_item,
    asks_for_life,
    blocks,
    handed_on,
    leaves,
    looked_for,
    missing_instead,
    rebound,
)
from lambda_lint.model.resets import Resets
from lambda_lint.model.stores import Stored, Stores
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

    def __init__(self, places: Places, decisions: Decisions) -> None:
        """Take the places of the project, and what is known of its tests."""
        self.places = places
        self.decisions = decisions
        self.calls = places.calls
        self.evaluator = places.evaluator
        self.given = Given(places)
        self.stores = Stores(places)
        self._around: dict[nodes.Node, tuple[Guard, ...]] = {}
        self._positions: dict[nodes.Node, dict[nodes.Node, tuple[_Block, int]]] = {}
        self._mentioned: dict[tuple[nodes.Node, Scope], tuple[Place, ...]] = {}
        self._tried: dict[tuple[nodes.Node, Scope], tuple[Place, ...]] = {}
        self._early: dict[tuple[int, Scope], _Early] = {}
        self._carried: dict[Function, tuple[Guard, ...]] = {}
        self.resets = Resets(places, lambda function: (one.place for one in self.carried(function)))

    def around(self, node: nodes.Node, scope: Scope) -> tuple[Guard, ...]:
        """Return the guards that stand around a node within its own function."""
        found = self._around.get(node)
        if found is None:
            found = tuple(self._find_around(node, scope))
            self._around[node] = found
        return found

    def is_dead(self, node: nodes.Node, module: Module) -> bool:
        """Whether the node never runs on Lambda: a closed branch, or behind a way out."""
        return self.decisions.is_dead(node, module)

    def _find_around(self, node: nodes.Node, scope: Scope) -> Iterator[Guard]:
        module = scope.module
        function = scope.function
        for child, parent in module.ancestors(node):
            match parent:
                case nodes.If() | nodes.While():
                    yield from self._tested(child, parent, scope, function, node)
                case nodes.Case():
                    yield from self._matched(child, parent, scope, function, node)
                case nodes.ExceptHandler():
                    yield from self._recovered(child, parent, scope, function, node)
                case nodes.BooleanOperation(operator="or"):
                    yield from self._alternative(child, parent, scope, function, node)
                case nodes.Conditional():
                    if child is not parent.test:
                        other = parent.body if child is parent.orelse else parent.orelse
                        asked = missing_instead(parent.test, child is parent.body)
                        used = [other, *given_to_same_call([other], node)]
                        yield from self._given(asked, used, scope, parent)
                        yield from self._matching(
                            parent.test,
                            scope,
                            function,
                            parent,
                            self.stores.by(function, node),
                        )
                case nodes.Lambda():
                    return
            place = self._positions_in(parent).get(child)
            if place is not None:
                yield from self._returned_early(*place, scope, function, node)

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
        in_body = child in parent.body
        branch = parent.body if in_body else parent.orelse
        stored = self.stores.within(branch, scope, made)
        present = asked_for_presence(parent.test, in_body)
        if present is not None:
            # `if x is not None: x = make()` makes it again and again, unless it also forgets it.
            place = self.places.of(present, scope)
            if place is not None and place not in self.resets.in_block(branch, scope):
                stored = stored.without(place)
        found = False
        other_item = self._other_items(parent.test, in_body, branch, scope)
        for guard in self._matching(parent.test, scope, function, parent, stored, other_item):
            found = True
            yield guard
        for guard in self._on_disk(parent.test, in_body, branch, scope, parent):
            found = True
            yield guard
        if not found and in_body and asks_for_life(parent.test):
            yield Guard(Place("unknown", None, "alive"), scope.module.path, parent.span, "liveness")
        elif not found and asks_for_absence(parent.test, in_body):
            body = function.node.body if isinstance(function.node, nodes.FunctionDef) else []
            everywhere = self.stores.by(function, made)
            other_item = self._other_items(parent.test, in_body, body, scope)
            yield from self._matching(parent.test, scope, function, parent, everywhere, other_item)
        missing = missing_instead(parent.test, in_body)
        other = parent.orelse if in_body else parent.body
        used = [*rebound(branch), *handed_on(other), *given_to_same_call(other, made)]
        yield from self._given(missing, used, scope, parent)

    def _other_items(
        self,
        test: nodes.Expression,
        in_body: bool,
        branch: Sequence[nodes.Statement],
        scope: Scope,
    ) -> Callable[[Place], bool]:
        """Return what says of a container that the test asks for another item than is stored.

        `if os.environ["STAGE"] == "prod": os.environ["TOKEN"] = fetch()` remembers nothing, and
        `if key in kept: kept[key] = make()` makes it again because it is there.
        """

        def is_other(place: Place) -> bool:
            asked = self.places.keys_asked(test, scope, place)
            keys = self.places.keys_stored(branch, scope, place) if asked is not None else None
            if asked is None or keys is None:
                return False
            if keys == asked:
                return asks_for_item(test, in_body)
            return not asked & keys and not any(one.startswith("<") for one in asked | keys)

        return is_other

    def _on_disk(
        self,
        test: nodes.Expression,
        in_body: bool,
        branch: Sequence[nodes.Statement],
        scope: Scope,
        where: nodes.Node,
    ) -> Iterator[Guard]:
        """`if not os.path.exists(path)`, with a path below `/tmp` that the branch uses.

        What lies in `/tmp` stays for the life of the environment:
        https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
        """
        path = looked_for(test, in_body)
        if path is None or not self._is_temporary(path, scope, 0):
            return
        text = _name_of(path)
        if any(
            _name_of(one) == text
            for statement in branch
            for one in nodes.walk(statement)
            if isinstance(one, (nodes.Name, nodes.Attribute, nodes.Constant))
        ):
            place = Place("global", scope.module, text)
            yield Guard(place, scope.module.path, where.span, "file")

    def _is_temporary(self, path: nodes.Expression, scope: Scope, depth: int) -> bool:
        """Whether a path certainly starts with `/tmp`."""
        if depth > _MAX_HOPS:
            return False
        match path:
            case nodes.Constant(value=str(text)):
                return text == "/tmp" or text.startswith("/tmp/")
            case nodes.FormattedString(parts=[first, *_]):
                return self._is_temporary(first, scope, depth + 1)
            case nodes.BinaryOperation(left=left):
                return self._is_temporary(left, scope, depth + 1)
            case nodes.Call(arguments=[first, *_], func=nodes.Name() | nodes.Attribute() as func):
                name = func.id if isinstance(func, nodes.Name) else func.attr
                return name in ("Path", "join", "str") and self._is_temporary(
                    first.value, scope, depth + 1
                )
            case nodes.Name(id=name):
                owner = scope.lookup(name)
                found = owner.bindings[name] if owner is not None else []
                return bool(found) and all(
                    one.value is not None
                    and one.kind == "assign"
                    and self._is_temporary(one.value, one.scope, depth + 1)
                    for one in found
                )
        return False

    def _matched(
        self,
        child: nodes.Node,
        parent: nodes.Case,
        scope: Scope,
        function: Function,
        made: nodes.Node,
    ) -> Iterator[Guard]:
        """`match x: case None: x = make()`."""
        match = scope.module.parents.get(parent)
        asks = any(isinstance(one, nodes.Constant) and not one.value for one in parent.values)
        if asks and child in parent.body and isinstance(match, nodes.Match):
            stored = self.stores.within(parent.body, scope, made)
            yield from self._matching(match.subject, scope, function, parent, stored)

    def of_memo(self, memo: nodes.Call, function: Function) -> Guard:
        """Return the guard that a call puts around a function: `functools.cache(make)`."""
        scope = self.evaluator.origins[memo]
        place = Place("global", scope.module, function.name)
        if scope.kind not in ("module", "class") and not scope.function.is_module:
            place = Place("closure", scope.function, function.name)
        return Guard(place, scope.module.path, memo.span, "decorator")

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
        kept = self.stores.by(function, made)
        again = self.stores.within(parent.body, scope, made)
        inside = self.stores.within(attempt.body, scope, made)
        for place in self._tried_in(attempt, scope):
            # What only the `try` itself writes was not kept from before.
            if place in again or (place in kept and place not in inside):
                yield Guard(place, scope.module.path, parent.span, "except")
                return

    def _tried_in(self, attempt: nodes.Try, scope: Scope) -> tuple[Place, ...]:
        """Return the places that the body of a `try` uses; what it only adds to itself is not."""
        found = self._tried.get((attempt, scope))
        if found is None:
            inside = [one for statement in attempt.body for one in nodes.walk(statement)]
            renewed = {two for one in inside for two in _renewed(one)}
            places = (
                self.places.of(one, scope.module.scope_of.get(one, scope))
                for one in inside
                if isinstance(one, nodes.Expression) and one not in renewed
            )
            found = tuple(dict.fromkeys(place for place in places if place is not None))
            self._tried[attempt, scope] = found
        return found

    def _alternative(
        self,
        child: nodes.Node,
        parent: nodes.BooleanOperation,
        scope: Scope,
        function: Function,
        made: nodes.Node,
    ) -> Iterator[Guard]:
        stored = self.stores.by(function, made)
        for operand in parent.operands:
            if operand is child:
                return
            yield from self._given([operand], [operand], scope, parent)
            yield from self._matching(operand, scope, function, parent, stored)

    def _given(
        self,
        missing: Iterable[nodes.Expression],
        used: Iterable[nodes.Expression],
        scope: Scope,
        where: nodes.Node,
    ) -> Iterator[Guard]:
        for place in self.given.instead(missing, used, scope):
            yield Guard(place, scope.module.path, where.span, "parameter")

    def _returned_early(
        self,
        block: _Block,
        position: int,
        scope: Scope,
        function: Function,
        made: nodes.Node,
    ) -> Iterator[Guard]:
        """`if x: return x` before, and a store of `x` from here on."""
        for place, from_there in self.given.early(block, position, scope, made):
            yield Guard(place, scope.module.path, from_there.span, "parameter")
        early = self._early_tests(block, scope)
        if not early.tests or early.tests[0][0] >= position:
            return
        stored = self.stores.within((block[position], block[-1]), scope, made)
        # Blocks may have thousands of tests; nearly always they ask for what nobody stores.
        if not any(_is_all(place) or place in stored for place in early.places):
            return
        for number, test, where in early.tests:
            if number >= position:
                return
            yield from self._matching(test, scope, function, where, stored)

    def _early_tests(self, block: _Block, scope: Scope) -> _Early:
        """Return what tests of a block may leave it, and all the places that they ask for."""
        found = self._early.get((id(block), scope))
        if found is None:
            tests: list[tuple[int, nodes.Expression, nodes.Node]] = []
            for number, earlier in enumerate(block):
                if isinstance(earlier, nodes.With) and earlier.body:
                    earlier = earlier.body[-1]
                if isinstance(earlier, nodes.If):
                    if leaves(earlier.body) or leaves(earlier.orelse):
                        tests.append((number, earlier.test, earlier))
                elif isinstance(earlier, nodes.Try):
                    tests += [
                        (number, one.value, earlier)
                        for one in earlier.body
                        if isinstance(one, nodes.Return) and one.value is not None
                    ]
            places = {place for _, test, _ in tests for place in self._mentioned_in(test, scope)}
            found = self._early[id(block), scope] = _Early(tests, frozenset(places))
        return found

    def _positions_in(self, parent: nodes.Node) -> dict[nodes.Node, tuple[_Block, int]]:
        """Return for each statement of a node's blocks its block and where it stands there."""
        found = self._positions.get(parent)
        if found is None:
            found = self._positions[parent] = {
                statement: (block, position)
                for block in blocks(parent)
                for position, statement in enumerate(block)
            }
        return found

    def _mentioned_in(self, test: nodes.Expression, scope: Scope) -> tuple[Place, ...]:
        found = self._mentioned.get((test, scope))
        if found is None:
            found = tuple(dict.fromkeys(self.places.mentioned(test, scope)))
            self._mentioned[test, scope] = found
        return found

    def _matching(
        self,
        test: nodes.Expression,
        scope: Scope,
        function: Function,
        where: nodes.Node,
        stored: Stored,
        is_other: Callable[[Place], bool] = lambda place: False,
    ) -> Iterator[Guard]:
        for place in self._mentioned_in(test, scope):
            if place.kind == "parameter" or (place in stored and is_other(place)):
                # Whether a parameter was given is a question of its own.
                continue
            if place in stored or (_is_all(place) and stored):
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
        if function.class_ is not None and _keeps_what_it_misses(function):
            place = Place("instance", function.class_, "__missing__")
            yield Guard(place, scope.module.path, function.name_span, "missing item")
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, nodes.Call) else decorator
            values = self.evaluator.evaluate(called, scope)
            for value in values:
                if isinstance(value, External):
                    memo = self.evaluator.knowledge.cache_decorator(value.name)
                    if memo is not None:
                        yield self._decorated(function, decorator, memo.per)
                elif isinstance(value, ClassValue) and self._keeps_value(value.class_):
                    yield self._decorated(function, decorator, "instance")
            if any(isinstance(value, FunctionValue) for value in values):
                yield from self._memoising(decorator, scope)

    def _keeps_value(self, class_: Class) -> bool:
        """Whether it is a descriptor that puts what it gets into the object that it is read from.

        Without `__set__` Python finds that value first from then on:
        https://docs.python.org/3/howto/descriptor.html#invocation-from-an-instance
        """
        get = class_.methods.get("__get__")
        if get is None or "__set__" in class_.methods or len(get.parameters) < 2:
            return False
        owner = get.parameters[1].name
        for target, _, _ in get.stores:
            match target:
                case nodes.Subscript(value=nodes.Attribute(value=nodes.Name(id=name), attr=attr)):
                    if name == owner and attr == "__dict__":
                        return True
        return any(
            isinstance(site.node.func, nodes.Name)
            and site.node.func.id == "setattr"
            and bool(site.node.arguments)
            and isinstance(site.node.arguments[0].value, nodes.Name)
            and site.node.arguments[0].value.id == owner
            for site in get.calls
        )

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
                    # What a metaclass keeps on its own instances it keeps on classes.
                    if call is not None and self._keeps_instances(call, "instance"):
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

    def _keeps_instances(self, method: Function, *kinds: str) -> bool:
        kept = self.places.stored_by(method)
        return any(place.kind in ("class", "global", "unknown", *kinds) for place in kept)


def _is_all(place: Place) -> bool:
    return place.kind == "global" and place.name == "globals()"


def _renewed(statement: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the variable that a statement binds anew, and where it makes the new text of the old.

    `text = text + "…"` uses nothing that may have failed.
    """
    match statement:
        case nodes.Assign(targets=[nodes.Name(id=name) as target], value=value):
            yield target
            if isinstance(value, nodes.BinaryOperation):
                for one in nodes.walk(value):
                    if isinstance(one, nodes.Name) and one.id == name:
                        yield one
        case nodes.AugmentedAssign(target=nodes.Name() as target):
            yield target


_Block = Sequence[nodes.Statement]


@dataclass(frozen=True, slots=True)
class _Early:
    """The tests of a block that may leave it, each with its position and statement, in order."""

    tests: list[tuple[int, nodes.Expression, nodes.Node]]
    places: frozenset[Place]


def _with_nested(function: Function) -> Iterator[Function]:
    yield function
    for inner in function.nested:
        yield from _with_nested(inner)


def _name_of(node: nodes.Node) -> str:
    match node:
        case nodes.Name(id=name):
            return name
        case nodes.Attribute(attr=attr):
            return f".{attr}"
        case nodes.Constant(kind="str", value=value):
            return repr(value)
        case nodes.Call(arguments=[first, *_]):
            return _name_of(first.value)
    return ""


def _keeps_what_it_misses(method: Function) -> bool:
    """Whether `__missing__` puts what it makes into the dictionary."""
    own = method.parameters[0].name if method.parameters else ""
    return method.name == "__missing__" and any(
        isinstance(target, nodes.Subscript)
        and isinstance(target.value, nodes.Name)
        and target.value.id == own
        for target, _, _ in method.stores
    )


_MAX_HOPS = 8
"""How many names are followed to what they stand for."""
