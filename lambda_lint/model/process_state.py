"""Changes of what the whole process has one of: environment, working directory, search path.

The process lives as long as the environment, so the next invocation finds what this one set:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambda_lint.model.constants import Constants
from lambda_lint.model.dependence import CREDENTIALS, EVENT, Dependence
from lambda_lint.model.effects import Effects
from lambda_lint.model.facts import Change
from lambda_lint.model.phases import Phase
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.values import External
from lambda_lint.model.writes import environment_name
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class StateChange:
    """A setting of the process that an invocation leaves in another state than it found it in.

    `why` is event (it depends on the event), grows (each invocation adds to it), moves (each one
    goes on from where the last one stopped) or never (it is not renewed). `what` is a noun phrase.
    """

    what: str
    why: str
    remedy: str
    node: nodes.Node
    scope: Scope

    @property
    def function(self) -> Function:
        """The function whose execution changes it."""
        return self.scope.function


class ProcessState:
    """Finds the changes that an invocation leaves behind."""

    def __init__(self, effects: Effects, constants: Constants, dependence: Dependence) -> None:
        """Take the parts of the model that know who runs what, and what values depend on."""
        self.effects = effects
        self.phases = effects.phases
        self.calls = effects.calls
        self.evaluator = effects.evaluator
        self.knowledge = effects.knowledge
        self.constants = constants
        self.dependence = dependence

    def changes(self) -> Iterator[StateChange]:
        """Yield the changes on the invocation path, by file and place."""
        for function in self.calls.functions():
            if not self.phases.handlers_of(function):
                continue
            found = [*self._stores(function), *self._calls(function)]
            yield from sorted(found, key=lambda one: one.node.span)

    def _stores(self, function: Function) -> Iterator[StateChange]:
        for target, statement, scope in function.stores:
            value = getattr(statement, "value", None)
            if not isinstance(target, nodes.Subscript) or not isinstance(value, nodes.Expression):
                continue
            if not self._is_environment(target.value, scope) or not self._runs(statement, scope):
                continue
            name = self.constants.text(target.index, scope)
            if name in _RESERVED:
                continue
            yield from self._set(name, value, statement, scope)

    def _set(
        self, name: str | None, value: nodes.Expression, node: nodes.Node, scope: Scope
    ) -> Iterator[StateChange]:
        what = f"the environment variable `{name}`" if name else "an environment variable"
        labels: frozenset[str] = frozenset().union(
            *(self.dependence.of(one, scope) for one in _choices(value))
        )
        if EVENT in labels and CREDENTIALS not in labels:
            if not self._is_restored(name, scope.function):
                yield StateChange(what, "event", _PASS, node, scope)
        elif name is not None and self._grows(name, value, node, scope):
            yield StateChange(what, "grows", "do it once, at module level", node, scope)

    def _grows(self, name: str, value: nodes.Expression, node: nodes.Node, scope: Scope) -> bool:
        """Whether a variable gets its own value and something more, without a test."""
        if any(
            isinstance(parent, (nodes.If, nodes.Conditional))
            for _, parent in scope.module.ancestors(node)
        ):
            return False
        if self._is_restored(name, scope.function, but=node):
            return False
        if isinstance(node, nodes.AugmentedAssign):
            return True
        parts = [
            (one, where)
            for one, where in self.constants.origins(value, scope)
            if not where.function.is_module
        ]
        return any(_is_put_together(one) for one, _ in parts) and any(
            self._read_variable(one, where) == name for one, where in parts
        )

    def _read_variable(self, node: nodes.Expression, scope: Scope) -> str | None:
        inner = node.value if isinstance(node, nodes.Subscript) else None
        inner = node.func if isinstance(node, nodes.Call) else inner
        if inner is None:
            return None
        names = [
            one.name for one in self.evaluator.evaluate(inner, scope) if isinstance(one, External)
        ]
        return environment_name(node, names)

    def _is_restored(
        self, name: str | None, function: Function, but: nodes.Node | None = None
    ) -> bool:
        """Whether something that the same handlers run takes the variable away or sets it back."""
        for one in self.effects.reached_with(function):
            for site in one.calls:
                for external in self.calls.externals.get(site, ()):
                    if external.name in ("os.environ.clear", "os.unsetenv"):
                        return True
                    if external.name == "os.environ.pop" and self._is_of(name, site):
                        return True
            for target, statement, scope in one.stores:
                if statement is but or not isinstance(target, nodes.Subscript):
                    continue
                value = getattr(statement, "value", None)
                if not isinstance(value, nodes.Expression):
                    continue
                if not self._is_environment(target.value, scope):
                    continue
                same = self.constants.text(target.index, scope) in (name, None)
                if (
                    same
                    and EVENT not in self.dependence.of(value, scope)
                    and _is_last(statement, scope)
                ):
                    return True
            if self._deletes(one, name):
                return True
        return False

    def _is_of(self, name: str | None, site: CallSite) -> bool:
        if name is None or not site.node.arguments:
            return True
        return self.constants.text(site.node.arguments[0].value, site.scope) in (name, None)

    def _deletes(self, function: Function, name: str | None) -> bool:
        for node in nodes.walk(function.node):
            if not isinstance(node, nodes.Delete):
                continue
            for target in node.targets:
                scope = function.scope
                if isinstance(target, nodes.Subscript) and self._is_environment(
                    target.value, scope
                ):
                    text = self.constants.text(target.index, scope)
                    if name is None or text in (name, None):
                        return True
        return False

    def _calls(self, function: Function) -> Iterator[StateChange]:
        for site in function.calls:
            names = [one.name for one in self.calls.externals.get(site, ())]
            if len(names) != 1 or not self._runs(site.node, site.scope):
                continue
            if names[0] in _SETTING:
                yield from self._update(site)
                continue
            change = self.knowledge.change(names[0])
            if change is not None:
                yield from self._changed(site, change)

    def _update(self, site: CallSite) -> Iterator[StateChange]:
        labels = self.dependence.of_call(site.node, site.scope)
        if EVENT not in labels or CREDENTIALS in labels:
            return
        if not self._is_restored(None, site.function):
            yield StateChange("the environment", "event", _PASS, site.node, site.scope)

    def _changed(self, site: CallSite, change: Change) -> Iterator[StateChange]:
        what = f"the {change.what}"
        if self._is_taken_back(site, change):
            return
        if change.adds:
            if not self._is_asked_for(site):
                yield StateChange(what, "grows", change.remedy, site.node, site.scope)
            return
        positional = [one.value for one in site.node.arguments if not one.star]
        if change.position >= len(positional):
            return
        value = positional[change.position]
        if EVENT in self.dependence.of(value, site.scope):
            yield StateChange(what, "event", change.remedy, site.node, site.scope)
        elif change.relative:
            text = self.constants.text(value, site.scope)
            if text and not text.startswith(("/", "~")):
                yield StateChange(what, "moves", change.remedy, site.node, site.scope)

    def _is_taken_back(self, site: CallSite, change: Change) -> bool:
        for function in self.effects.reached_with(site.function):
            for other in function.calls:
                for one in self.calls.externals.get(other, ()):
                    if one.name in change.undo_calls:
                        return True
                    if change.adds or other is site:
                        continue
                    if self.knowledge.change(one.name) is change:
                        # The second one sets it back, for all that can be seen.
                        return True
        return False

    def _is_asked_for(self, site: CallSite) -> bool:
        """Whether a test stands around it, here or on the way: `if folder not in sys.path`."""
        way = self.phases.path_to(site.function)
        places: list[tuple[nodes.Node, Scope]] = [(site.node, site.scope)]
        places += [(edge.node, edge.scope) for edge in way.edges] if way is not None else []
        for node, scope in places:
            for child, parent in scope.module.ancestors(node):
                if isinstance(parent, nodes.ExceptHandler):
                    # `except ImportError: sys.path.append(…)`: the next import works.
                    return True
                if isinstance(parent, nodes.If) and child is not parent.test:
                    for one in nodes.walk(parent.test):
                        if isinstance(one, nodes.Comparison) and "not in" in one.operators:
                            return True
                        if isinstance(one, nodes.Attribute) and one.attr == "path":
                            return True
        return False

    def _is_environment(self, value: nodes.Expression, scope: Scope) -> bool:
        return any(
            isinstance(one, External) and one.name == "os.environ"
            for one in self.evaluator.evaluate(value, scope)
        )

    def _runs(self, node: nodes.Node, scope: Scope) -> bool:
        return self.phases.of_node(node, scope) is Phase.INVOKE


def _choices(value: nodes.Expression) -> list[nodes.Expression]:
    """Return what may be set; a choice between constants leaves nothing of the event behind."""
    if isinstance(value, nodes.Conditional):
        return [*_choices(value.body), *_choices(value.orelse)]
    return [value]


def _is_put_together(value: nodes.Expression) -> bool:
    match value:
        case nodes.BinaryOperation() | nodes.FormattedString():
            return True
        case nodes.Call(func=nodes.Attribute(attr="join" | "format")):
            return True
    return False


def _is_last(statement: nodes.Node, scope: Scope) -> bool:
    """Whether a store sets something back: in a `finally`, or at the end of a `with`."""
    return any(
        isinstance(parent, nodes.Try) and child in parent.finalbody
        for child, parent in scope.module.ancestors(statement)
    )


_SETTING = frozenset({"os.environ.update", "os.environ.setdefault"})
_PASS = "pass the value as an argument"
_RESERVED = frozenset({"_X_AMZN_TRACE_ID"})
"""What the runtime sets anew for each event."""
