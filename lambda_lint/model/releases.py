"""How an object ends that an invocation made: closed on every way out, on some, or on none.

A way out is a return or the end of the function, also after an exception was handled. Exceptions
that leave the function are not counted: they end the invocation as a failure, and code without
`finally` would be wrong everywhere. What is handed on is followed through returns to the callers
and into the functions that get it as an argument; where it escapes from sight, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Step
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.phases import Phase
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.resources import Resource, Resources
from lambda_lint.model.values import External, FunctionValue
from lambda_lint.model.ways_out import WaysOut
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Leak:
    """That an object is not closed. `step` is where it is lost; `entered` that `with` is on it.

    `ever` says that some ways out close it and this one does not.
    """

    ever: bool
    step: Step | None
    entered: bool = False


def find_leak(resource: Resource, resources: Resources) -> Leak | None:
    """Return where the object is lost without being closed; None when closed, or not known."""
    if not resource.constructor.closes or resource.is_shared:
        return None
    site = resource.site
    return _Releases(resource, resources).of_value(site.node, site.scope, _MAX_DEPTH)


class _Releases:
    """Follows one object."""

    def __init__(self, resource: Resource, resources: Resources) -> None:
        self.resource = resource
        self.resources = resources
        self.phases = resources.phases
        self.calls = resources.calls
        self.evaluator = resources.evaluator
        self.knowledge = resources.evaluator.knowledge

    def of_value(self, made: nodes.Expression, scope: Scope, depth: int) -> Leak | None:
        """Say what becomes of the value of an expression, by where it stands."""
        parents = scope.module.parents
        node: nodes.Node = made
        parent = parents.get(node)
        while isinstance(parent, nodes.Await):
            node, parent = parent, parents.get(parent)
        match parent:
            case nodes.ExpressionStatement():
                return Leak(False, None)
            case nodes.Return():
                return self._of_callers(scope.function, depth)
            case nodes.WithItem():
                return self._of_entered(parent, made, scope, depth)
            case nodes.Assign(targets=[target]) | nodes.AnnotatedAssign(target=target):
                return self._of_target(target, made, scope, depth)
            case nodes.Attribute(attr=attr):
                return self._of_chain(parent, attr, scope)
        return None

    def _of_entered(
        self, item: nodes.WithItem, made: nodes.Expression, scope: Scope, depth: int
    ) -> Leak | None:
        if self.resource.constructor.closes_on_exit is not False:
            return None
        if item.target is None:
            return Leak(False, None, entered=True)
        if not isinstance(item.target, nodes.Name) or not _is_local(item.target, scope):
            return None
        return self._of_local(item.target.id, made, scope, depth, entered=True)

    def _of_target(
        self, target: nodes.Expression, made: nodes.Expression, scope: Scope, depth: int
    ) -> Leak | None:
        if isinstance(target, nodes.Name) and _is_local(target, scope):
            return self._of_local(target.id, made, scope, depth)
        if isinstance(target, (nodes.Name, nodes.Attribute)):
            return self._of_kept()
        return None

    def _of_kept(self) -> Leak | None:
        """Kept where others can reach it: said only when nothing in the project closes it."""
        resource = self.resource
        given = [one.name for one in resource.uses if one.kind == "argument"]
        if resource.closings or any(self._hides(name) for name in given):
            return None
        return Leak(False, None) if resource.kept and resource.invoked else None

    def _of_chain(self, value: nodes.Attribute, attr: str, scope: Scope) -> Leak | None:
        """`connect().cursor().execute(…)`: nobody has the connection any more."""
        if attr in self.resource.constructor.closes:
            return None
        statement = scope.module.statement_of(value)
        if isinstance(statement, (nodes.Assign, nodes.ExpressionStatement, nodes.For)):
            return None if self.resource.closings else Leak(False, None)
        return None

    def _of_callers(self, function: Function, depth: int) -> Leak | None:
        """The callers have to close what a function returns: say where one does not."""
        if depth == 0 or function.is_module or self._is_entry(function):
            return None
        for edge in self.calls.into.get(function, ()):
            if edge.kind not in ("call", "method") or edge.site is None:
                return None
        for edge in self.calls.into.get(function, ()):
            if edge.site is None or not self._runs(edge.node, edge.scope):
                continue
            leak = self.of_value(edge.site.node, edge.scope, depth - 1)
            if leak is not None:
                path, span = edge.scope.module.path, edge.site.span
                return Leak(
                    leak.ever,
                    leak.step or Step(path, span, "nothing closes it here"),
                    leak.entered,
                )
        return None

    def _is_entry(self, function: Function) -> bool:
        return any(
            entry.function is function for one in self.phases.handlers for entry in one.entries
        )

    def _runs(self, node: nodes.Node, scope: Scope) -> bool:
        return self.phases.of_node(node, scope) is Phase.INVOKE

    def _of_local(
        self, name: str, made: nodes.Expression, scope: Scope, depth: int, entered: bool = False
    ) -> Leak | None:
        function = scope.function
        if not isinstance(function.node, nodes.FunctionDef):
            return None
        fates = {node: self.fate(node, scope, depth) for node in _reads(function, name)}
        kinds = set(fates.values())
        if "escapes" in kinds or "nested" in kinds:
            return None
        if "returned" in kinds:
            leak = self._of_callers(function, depth)
            if leak is not None:
                return leak
        if not kinds & {"closed", "returned"}:
            return Leak(False, None, entered or "entered" in kinds)
        ends = {node for node, fate in fates.items() if fate in ("closed", "returned")}
        # A thread that is joined when all goes well comes to its end where something failed, too.
        is_thread = self.resource.constructor.lingers == "thread"
        ways = WaysOut(function, name, made, ends, self, ends_by_itself=is_thread)
        step = ways.left_open()
        if step is None and function.yields and ways.left_by_error_at_yield():
            step = self._handled_around(function)
        return None if step is None else Leak(True, step, entered or "entered" in kinds)

    def _handled_around(self, function: Function) -> Step | None:
        """Return where an error of a `with` block of this context manager is handled."""
        if not function.has_simple_decorator("contextmanager", "asynccontextmanager"):
            return None
        for edge in self.calls.into.get(function, ()):
            module = edge.scope.module
            if not isinstance(module.parents.get(edge.node), nodes.WithItem):
                continue
            if not self._runs(edge.node, edge.scope):
                continue
            for child, parent in module.ancestors(edge.node):
                if isinstance(parent, nodes.Try) and child in parent.body:
                    for handler in parent.handlers:
                        if self.catches(handler, edge.scope) and not _raises(handler):
                            told = "an error of the `with` block is handled, and nothing closes it"
                            return Step(module.path, edge.node.span, told)
        return None

    def fate(self, node: nodes.Name, scope: Scope, depth: int) -> str:
        """Say what one use of a local name does: closed, returned, entered, used or escapes."""
        module = scope.module
        where = module.scope_of.get(node, scope)
        parent = module.parents.get(node)
        while isinstance(parent, (nodes.Await, nodes.Conditional)) and not (
            isinstance(parent, nodes.Conditional) and parent.test is node
        ):
            node, parent = parent, module.parents.get(parent)  # type: ignore[assignment]
        inside = where.function is not scope.function
        constructor = self.resource.constructor
        match parent:
            case nodes.Attribute(attr=attr):
                if attr in constructor.closes:
                    return "nested" if inside else "closed"
                return "used"
            case nodes.WithItem():
                if constructor.closes_on_exit is None:
                    return "escapes"
                return "closed" if constructor.closes_on_exit else "entered"
            case nodes.Argument():
                call = module.parents.get(parent)
                return self._given(call, parent, where, depth)
            case nodes.Return():
                return "nested" if inside else "returned"
            case nodes.Yield() | nodes.Delete() | nodes.FormattedString():
                return "used"
            case nodes.Comparison() | nodes.UnaryOperation() | nodes.ExpressionStatement():
                return "used"
            case nodes.If() | nodes.While() | nodes.Assert() | nodes.Conditional():
                return "used"
            case nodes.BooleanOperation():
                return "used" if _is_test(parent, module.parents) else "escapes"
        return "escapes"

    def _given(
        self, call: nodes.Node | None, argument: nodes.Argument, scope: Scope, depth: int
    ) -> str:
        """Say what a function does with the object that it gets as an argument."""
        if not isinstance(call, nodes.Call) or argument.star:
            return "escapes"
        values = self.evaluator.evaluate(call.func, scope)
        if not values:
            return "escapes"
        found: set[str] = set()
        for value in values:
            if isinstance(value, External):
                if self.knowledge.closes(value.name):
                    found.add("closed")
                else:
                    found.add("escapes" if self._hides(value.name) else "used")
            elif isinstance(value, FunctionValue) and depth > 0:
                bound = bind_arguments(call, value.function, value.receiver is not None)
                names = [name for name, one in bound.items() if one is argument.value]
                found.add(self._parameter(value.function, names, depth - 1))
            else:
                found.add("escapes")
        if "escapes" in found:
            return "escapes"
        return "closed" if "closed" in found else "used"

    def _parameter(self, function: Function, names: Sequence[str], depth: int) -> str:
        if not names:
            return "escapes"
        fates = {self.fate(one, function.scope, depth) for one in _reads(function, names[0])}
        if fates & {"escapes", "nested", "returned"}:
            return "escapes"
        return "closed" if "closed" in fates else "used"

    def _hides(self, name: str) -> bool:
        return not self.knowledge.borrows(name)

    def leaves(self, call: nodes.Call, scope: Scope) -> bool:
        """Whether a call ends the program."""
        return self.resources.leaves(call, scope)

    def suppresses(self, item: nodes.WithItem, scope: Scope) -> bool:
        """Whether leaving `with` swallows exceptions."""
        call = item.expression
        if not isinstance(call, nodes.Call):
            return False
        values = self.evaluator.evaluate(call.func, scope)
        return any(
            isinstance(one, External) and one.name == "contextlib.suppress" for one in values
        )

    def catches(self, handler: nodes.ExceptHandler, scope: Scope) -> bool:
        """Whether a handler catches everything, or the errors of the object's own library."""
        if handler.exception is None:
            return True
        kinds = [handler.exception]
        if isinstance(handler.exception, nodes.Collection):
            kinds = handler.exception.items
        library = {
            one.name.partition(".")[0] for one in self.calls.externals.get(self.resource.site, ())
        }
        for kind in kinds:
            for value in self.evaluator.evaluate(kind, scope):
                if isinstance(value, External) and (
                    value.name in ("builtins.Exception", "builtins.BaseException")
                    or value.name.partition(".")[0] in library
                ):
                    return True
        return False


def _reads(function: Function, name: str) -> Iterator[nodes.Name]:
    """Yield where a local variable is read, in nested functions too."""
    targets = {target for one in _with_nested(function) for target, _, _ in one.stores}
    scopes = function.module.scope_of
    for node in nodes.walk(function.node):
        if isinstance(node, nodes.Name) and node.id == name and node not in targets:
            where = scopes.get(node)
            if where is not None and where.lookup(name) is function.scope:
                yield node


def _with_nested(function: Function) -> Iterator[Function]:
    yield function
    for one in function.nested:
        yield from _with_nested(one)


def _raises(handler: nodes.ExceptHandler) -> bool:
    """Whether handling an error may end in another one, which leaves the function."""
    return any(isinstance(one, nodes.Raise) for one in nodes.walk(handler))


def _is_local(target: nodes.Name, scope: Scope) -> bool:
    return scope.owner(target.id).kind == "function"


def _is_test(node: nodes.Node, parents: dict[nodes.Node, nodes.Node]) -> bool:
    """Whether a condition only decides about a branch."""
    parent = parents.get(node)
    while isinstance(parent, (nodes.BooleanOperation, nodes.UnaryOperation)):
        node, parent = parent, parents.get(parent)
    return isinstance(parent, (nodes.If, nodes.While, nodes.Assert)) or (
        isinstance(parent, nodes.Conditional) and parent.test is node
    )


_MAX_DEPTH = 4
