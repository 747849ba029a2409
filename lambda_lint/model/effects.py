"""What a call leaves in the process when it returns: listeners, threads, alarms, work.

An effect adds up when its keeper outlives the invocation, when what is added is another thing each
time, when no test asks first what is there, and when nothing that the same handlers run takes it
back. Each of these is asked so that a doubt speaks for the code.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.entries import Handler
from lambda_lint.model.facts import Effect
from lambda_lint.model.phases import Phase
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.questions import leaves
from lambda_lint.model.resources import Resources
from lambda_lint.model.values import ClassValue, External, FunctionValue, InstanceValue
from lambda_lint.syntax import nodes


class Effects:
    """Answers whether what a call leaves behind is still there for the next invocation."""

    def __init__(self, resources: Resources) -> None:
        """Take the uses of objects, and with them the phases of the project."""
        self.resources = resources
        self.phases = resources.phases
        self.calls = resources.calls
        self.evaluator = resources.evaluator
        self.knowledge = resources.evaluator.knowledge
        self._reached: dict[tuple[Handler, ...], list[Function]] = {}

    def found(self, site: CallSite, externals: Sequence[External]) -> Effect | None:
        """Return the effect of a call; None when it has none, or only perhaps."""
        effects = {self.knowledge.effect(one.name) for one in externals}
        effect = effects.pop() if len(effects) == 1 else None
        if effect is None:
            return None
        given = [one for one in site.node.arguments if one.name in effect.unless_arguments]
        if any(not _is_off(one.value) for one in given):
            return None
        if effect.only_off and not any(
            one.name == effect.only_off and _is_off(one.value) for one in site.node.arguments
        ):
            return None
        return effect

    def adds_up(self, site: CallSite, externals: Sequence[External], effect: Effect) -> bool:
        """Whether each invocation that gets to the call leaves one more."""
        if self._is_switched_off(site):
            return False
        if effect.kind == "work":
            return self._is_dropped(site, externals)
        if effect.dropped and not self._is_thrown_away(site):
            return False
        if effect.unless_made_with and not self._is_made_plainly(externals, effect):
            return False
        if not all(self._outlives(site, one, effect) for one in externals):
            return False
        if effect.equal_once and not self._is_new(site, effect):
            return False
        if effect.fires_once and not self._has_sibling(site, externals, effect):
            return False
        return not self._is_asked_for(site, effect) and not self._is_undone(site, externals, effect)

    def is_told_to_end(self, site: CallSite) -> bool:
        """Whether what makes a thread, or what the thread runs, waits for a signal.

        Such a thread ends in another way than by being joined, perhaps far from here.
        """
        functions = [site.function, *site.function.nested]
        for argument in site.node.arguments:
            for value in self.evaluator.evaluate(argument.value, site.scope):
                if isinstance(value, FunctionValue):
                    functions += [value.function, *value.function.nested]
        return any(
            self.knowledge.signals(external.name)
            for function in functions
            for one in function.calls
            for external in self.calls.externals.get(one, ())
        )

    def _is_switched_off(self, site: CallSite) -> bool:
        """Whether it stands under a flag that no caller sets: `def plot(x, debug=False)`."""
        for child, parent in site.module.ancestors(site.node):
            if (
                isinstance(parent, nodes.If)
                and child in parent.body
                and isinstance(parent.test, nodes.Name)
                and self._is_never_set(parent.test.id, site.function)
            ):
                return True
        return False

    def _is_never_set(self, name: str, function: Function) -> bool:
        parameter = function.parameter(name)
        if parameter is None or parameter.default is None or not _is_off(parameter.default):
            return False
        for site, skip_first in self.calls.argument_sites(function):
            given = bind_arguments(site.node, function, skip_first).get(name)
            if any(one.star for one in site.node.arguments):
                return False
            if given is None or _is_off(given):
                continue
            if not (isinstance(given, nodes.Name) and self._is_never_set(given.id, site.function)):
                return False
        return True

    # Whose life counts.

    def _outlives(self, site: CallSite, called: External, effect: Effect) -> bool:
        match effect.keeper:
            case "process":
                return True
            case "argument":
                return self._argument_outlives(site)
        return self._lasts(called, site)

    def _argument_outlives(self, site: CallSite) -> bool:
        arguments = site.node.arguments
        if not arguments or arguments[0].star:
            return False
        values = self.evaluator.evaluate(arguments[0].value, site.scope)
        return bool(values) and all(self._value_lasts(one, site) for one in values)

    def _value_lasts(self, value: object, site: CallSite) -> bool:
        match value:
            case External():
                return self._lasts(value, site)
            case ClassValue(class_=class_):
                return class_.definition_scope.kind == "module"
            case InstanceValue(origin=origin) if origin is not None:
                return not self._is_made_now(origin, site)
        return False

    def _lasts(self, value: External, site: CallSite) -> bool:
        """Whether an object of a library is the same for the next invocation."""
        if value.origin is None:
            return "()" not in value.name or self.knowledge.is_process_wide(_maker(value.name))
        scope = self.phases.scope_of_call(value.origin, site)
        if scope is None:
            return False
        makers = self.evaluator.evaluate(value.origin.func, scope)
        if makers and all(
            isinstance(one, External) and self.knowledge.is_process_wide(one.name) for one in makers
        ):
            return True
        return self.phases.of_node(value.origin, scope) in (Phase.INIT, Phase.ONCE)

    def _is_made_now(self, origin: nodes.Call, site: CallSite) -> bool:
        scope = self.phases.scope_of_call(origin, site)
        return scope is not None and self.phases.of_node(origin, scope) is Phase.INVOKE

    # Whether it is another one each time.

    def _is_new(self, site: CallSite, effect: Effect) -> bool:
        parent = site.module.parents.get(site.node)
        if isinstance(parent, nodes.FunctionDef):
            # `@signal.connect` above a function: a new one if an invocation defines it.
            return not site.function.is_module
        positional = [one.value for one in site.node.arguments if not one.name and not one.star]
        if effect.argument >= len(positional):
            # `@emitter.on("event")` decorates what stands below.
            return isinstance(parent, nodes.FunctionDef) and not site.function.is_module
        given = positional[effect.argument]
        if isinstance(given, nodes.Lambda):
            return True
        values = self.evaluator.evaluate(given, site.scope)
        return bool(values) and all(self._is_of_now(one, site) for one in values)

    def _is_of_now(self, value: object, site: CallSite) -> bool:
        match value:
            case External(origin=origin) | InstanceValue(origin=origin) if origin is not None:
                return self._is_made_now(origin, site)
            case FunctionValue(function=function, receiver=None):
                scope = function.definition_scope
                return scope is not None and scope.kind == "function"
        return False

    def _has_sibling(self, site: CallSite, externals: Sequence[External], effect: Effect) -> bool:
        """Whether another listener waits for another event, so that one of both is left."""
        origins = {one.origin for one in externals}
        for other in site.function.calls:
            if other.node is site.node:
                continue
            for one in self.calls.externals.get(other, ()):
                if one.origin in origins and self.knowledge.effect(one.name) is effect:
                    return True
        return False

    # Whether something looks first.

    def _is_asked_for(self, site: CallSite, effect: Effect) -> bool:
        """Whether a test of what is there already stands on the way to the call."""
        if not effect.holders:
            return False
        if self._is_tested(site.node, site.scope, effect):
            return True
        way = self.phases.path_to(site.function)
        return way is not None and any(
            self._is_tested(edge.node, edge.scope, effect) for edge in way.edges
        )

    def _is_tested(self, node: nodes.Node, scope: Scope, effect: Effect) -> bool:
        for child, parent in scope.module.ancestors(node):
            match parent:
                case nodes.If(test=test) | nodes.While(test=test) | nodes.Conditional(test=test):
                    if child is not test and self._mentions(test, scope, effect):
                        return True
                case nodes.For(iterable=test):
                    if child is not test and self._mentions(test, scope, effect):
                        return True
                case nodes.BooleanOperation(operands=operands):
                    if any(self._mentions(one, scope, effect) for one in operands):
                        return True
                case nodes.ExceptHandler():
                    attempt = scope.module.parents.get(parent)
                    if isinstance(attempt, nodes.Try) and any(
                        self._mentions(one, scope, effect) for one in attempt.body
                    ):
                        return True
            for name in ("body", "orelse", "finalbody"):
                block = getattr(parent, name, None)
                if isinstance(block, list) and child in block:
                    for earlier in block[: block.index(child)]:
                        if _may_leave(earlier) and self._mentions(earlier, scope, effect):
                            return True
        return False

    def _mentions(self, node: nodes.Node, scope: Scope, effect: Effect, depth: int = 2) -> bool:
        """Whether code reads what is registered, itself or through a name or a function."""
        for one in nodes.walk(node):
            if isinstance(one, nodes.Attribute) and one.attr in effect.holders:
                return True
            if isinstance(one, nodes.Constant) and one.value in effect.holders:
                return True
            if depth == 0:
                continue
            if isinstance(one, nodes.Name):
                owner = scope.module.scope_of.get(one, scope).lookup(one.id)
                for binding in owner.bindings[one.id] if owner is not None else ():
                    if binding.value is not None and self._mentions(
                        binding.value, binding.scope, effect, depth - 1
                    ):
                        return True
            elif isinstance(one, nodes.Call):
                for value in self.evaluator.evaluate(one.func, scope):
                    if isinstance(value, FunctionValue) and self._mentions(
                        value.function.node, value.function.scope, effect, 0
                    ):
                        return True
        return False

    # Whether something takes it back.

    def _is_undone(self, site: CallSite, externals: Sequence[External], effect: Effect) -> bool:
        undo = effect.undo
        if effect.undo_own and all(
            one.origin is not None and self._is_made_now(one.origin, site) for one in externals
        ):
            undo = (*undo, *effect.undo_own)
        packages = {_package(one.name) for one in externals}
        for function in self.reached_with(site.function):
            for other in function.calls:
                if self._undoes(other, effect, undo, packages):
                    return True
            # `stack.callback(log.removeHandler, handler)` names it without calling it.
            if any(
                load.attr in undo and load.attr not in _EMPTYING
                for load, _ in function.attribute_loads
            ):
                return True
            if effect.holders and any(
                _is_content(target, effect.holders) for target, _, _ in function.stores
            ):
                return True
            if effect.holders and _deletes(function, effect.holders):
                return True
        return False

    def _undoes(
        self, site: CallSite, effect: Effect, undo: Sequence[str], packages: Set[str]
    ) -> bool:
        called = site.node.func
        externals = self.calls.externals.get(site, ())
        if any(one.name in effect.undo_calls for one in externals):
            return True
        if effect.kind == "listener" and any(
            one.name == "logging.basicConfig" for one in externals
        ):
            return "log" in effect.what and any(
                one.name == "force" and not _is_off(one.value) for one in site.node.arguments
            )
        if effect.kind == "alarm" and any(
            self.knowledge.effect(one.name) is effect for one in externals
        ):
            return any(
                isinstance(one.value, nodes.Constant) and not one.value.value
                for one in site.node.arguments
            )
        if not isinstance(called, nodes.Attribute):
            return False
        if called.attr in undo:
            if externals:
                return any(_package(one.name) in packages for one in externals)
            return called.attr not in _EMPTYING
        return (
            called.attr in _EMPTYING
            and isinstance(called.value, nodes.Attribute)
            and called.value.attr in effect.holders
        )

    def reached_with(self, function: Function) -> list[Function]:
        """Return the functions that some handler runs for an event which runs this one, too."""
        handlers = tuple(self.phases.handlers_of(function))
        found = self._reached.get(handlers)
        if found is None:
            wanted = set(handlers)
            found = [
                one
                for one in self.calls.functions()
                if not wanted.isdisjoint(self.phases.handlers_of(one))
            ]
            self._reached[handlers] = found
        return found

    # Work that nobody waits for.

    def _is_dropped(self, site: CallSite, externals: Sequence[External]) -> bool:
        """Whether the future is thrown away, and the executor is not waited for either."""
        if not self._is_thrown_away(site):
            return False
        for one in externals:
            if one.origin is None:
                return False
            for use in self.resources.uses(one.origin):
                if use.kind in ("with", "argument"):
                    return False
                if use.name == "shutdown" and not _says_no_wait(use.node):
                    return False
        return True

    def _is_thrown_away(self, site: CallSite) -> bool:
        return isinstance(site.module.parents.get(site.node), nodes.ExpressionStatement)

    def _is_made_plainly(self, externals: Sequence[External], effect: Effect) -> bool:
        """Whether what it is called on was made without an argument that changes all this."""
        for one in externals:
            if one.origin is None:
                if "()" in one.name:
                    return False
                continue
            if any(
                argument.star or argument.name in effect.unless_made_with
                for argument in one.origin.arguments
            ):
                return False
        return True


def _maker(name: str) -> str:
    """Return what was called to make the object at the beginning of a dotted name."""
    return name[: name.rfind("()")]


def _package(name: str) -> str:
    return name.partition(".")[0]


def _is_off(value: nodes.Expression) -> bool:
    return isinstance(value, nodes.Constant) and (value.kind == "none" or value.value is False)


def _may_leave(statement: nodes.Statement) -> bool:
    """Whether a statement may end the function or the turn of a loop."""
    if isinstance(statement, nodes.If):
        return leaves(statement.body) or leaves(statement.orelse)
    if isinstance(statement, (nodes.For, nodes.While, nodes.Try, nodes.With)):
        return any(isinstance(one, (nodes.Return, nodes.Raise)) for one in nodes.walk(statement))
    return False


def _is_content(target: nodes.Expression, holders: Sequence[str]) -> bool:
    """Whether an assignment replaces what is registered: `log.handlers = […]`."""
    while isinstance(target, nodes.Subscript):
        target = target.value
    return isinstance(target, nodes.Attribute) and target.attr in holders


def _deletes(function: Function, holders: Sequence[str]) -> bool:
    return any(
        _is_content(target, holders)
        for node in nodes.walk(function.node)
        if isinstance(node, nodes.Delete)
        for target in node.targets
    )


def _says_no_wait(call: nodes.Node) -> bool:
    return isinstance(call, nodes.Call) and any(
        (one.name in (None, "wait")) and _is_off(one.value) for one in call.arguments
    )


_EMPTYING = frozenset({"clear", "pop", "remove"})
