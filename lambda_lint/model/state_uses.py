"""What becomes of a value that was read: whether more than logs and metrics sees it."""

from __future__ import annotations

from collections.abc import Sequence

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.lasting import Lasting, Spot
from lambda_lint.model.loads import is_target
from lambda_lint.model.phases import Phase
from lambda_lint.model.places import Place
from lambda_lint.model.program import Binding, Function, Module, Scope
from lambda_lint.model.values import External, FunctionValue, InstanceValue
from lambda_lint.syntax import nodes

QUIET = ""
"""Nothing but logs, metrics and the upkeep of the value itself depends on it."""

PRINTED = "is printed"

WAITED_FOR = "decides whether a loop goes on"


class Uses:
    """Says what a read is for, as a clause of a message: `is returned`; QUIET when it is nothing.

    Reads that only logs and metrics see, and reads by which the value itself is kept in order
    (a limit on its size, the making of its next value), are quiet.
    """

    def __init__(self, lasting: Lasting) -> None:
        """Take what finds spots, and with it the values."""
        self.lasting = lasting
        self.evaluator = lasting.evaluator
        self._loads = lasting.loads
        self._by_name: dict[Module, dict[tuple[Function, str], list[tuple[nodes.Name, Scope]]]] = {}

    def of(self, node: nodes.Node, scope: Scope, spot: Spot, depth: int = 0) -> str:
        """Follow a read outwards to what is done with it."""
        module = scope.module
        child = node
        parent = module.parents.get(child)
        while parent is not None:
            match parent:
                case nodes.Argument():
                    pass
                case nodes.Call(func=nodes.Name(id="print")):
                    return PRINTED
                case nodes.Call(func=func) if child is not func:
                    if self.is_telemetry(parent, scope):
                        return QUIET
                    if self._is_followed(parent, child, scope, spot, depth):
                        return QUIET
                    if not self._passes_on(func, scope):
                        return f"is given to `{_shown(func)}`"
                case nodes.BinaryOperation(operator="-", left=left, right=right) if (
                    self._stems_from(right if child is left else left, scope, spot)
                ):
                    # What was added between two readings is the same in every environment.
                    return QUIET
                case nodes.BinaryOperation(operator="%", left=left, right=right) if (
                    child is left and _is_size(right)
                ):
                    # Every hundredth, or the next one in turn: it is meant to go on.
                    return QUIET
                case nodes.Call(func=nodes.Attribute(attr=attr)) if attr not in _PASSING:
                    if self.is_telemetry(parent, scope):
                        return QUIET
                    return f"is used by `{_shown(parent.func)}`"
                case nodes.Return() if self._is_only_told(scope, spot, depth):
                    return QUIET
                case nodes.Return() | nodes.Yield():
                    return "is returned"
                case nodes.Raise():
                    return "is raised"
                case nodes.Lambda() | nodes.FunctionDef() | nodes.ClassDef() | nodes.Module():
                    return QUIET
                case nodes.Assign() | nodes.AnnotatedAssign() | nodes.AugmentedAssign():
                    return self._stored(parent, child, scope, spot, depth)
                case nodes.Walrus(target=nodes.Name(id=name)):
                    found = self._local(name, scope, spot, depth)
                    if found:
                        return found
                case nodes.If() | nodes.While() | nodes.Case():
                    return self._tested(parent, child, scope, spot)
                case nodes.Match():
                    return "decides what is done"
                case nodes.Conditional(test=test) if child is test:
                    return self._conditional(parent, scope, spot, depth)
                case nodes.Assert():
                    return "decides what is done"
                case nodes.For() | nodes.Clause() if self.asks_age(parent, child, scope):
                    return QUIET
                case nodes.For(iterable=iterable) if child is iterable:
                    if not self._only_tells(parent.body, scope, spot):
                        return "is looped over"
                    return PRINTED if any(map(_prints, parent.body)) else QUIET
                case nodes.Clause(conditions=conditions) if child not in conditions:
                    # A comprehension over it holds what is in it.
                    pass
                case nodes.WithItem():
                    return "is entered"
                case nodes.Statement():
                    return QUIET
            child, parent = parent, module.parents.get(parent)
        return QUIET

    def is_telemetry(self, call: nodes.Call, scope: Scope) -> bool:
        """Whether a call only writes logs, metrics or traces."""
        func = call.func
        if isinstance(func, nodes.Name) and func.id in ("print", "pprint"):
            return True
        for value in self.evaluator.evaluate(func, scope):
            if isinstance(value, External) and value.name.startswith(_TELEMETRY):
                return True
        if not isinstance(func, nodes.Attribute) or func.attr not in _TELLING:
            return False
        holder = func.value
        name = holder.attr if isinstance(holder, nodes.Attribute) else getattr(holder, "id", "")
        return func.attr in _ONLY_TELLING or any(word in name.lower() for word in _TELLERS)

    def asks_age(self, loop: nodes.For | nodes.Clause, iterable: nodes.Node, scope: Scope) -> bool:
        """Whether what is looped over is compared with the time: it is kept on purpose."""
        if iterable is not loop.iterable:
            return False
        names = {one.id for one in nodes.walk(loop.target) if isinstance(one, nodes.Name)}
        body = loop.body if isinstance(loop, nodes.For) else loop.conditions
        for statement in body:
            for one in nodes.walk(statement):
                if isinstance(one, nodes.Comparison):
                    parts = list(nodes.walk(one))
                    is_item = any(isinstance(two, nodes.Name) and two.id in names for two in parts)
                    if is_item and self.is_now(one, scope):
                        return True
        return False

    def is_now(self, node: nodes.Node, scope: Scope, depth: int = 0) -> bool:
        """Whether an expression is made from the time that is now."""
        for one in nodes.walk(node):
            if isinstance(one, nodes.Call):
                for value in self.evaluator.evaluate(one.func, scope):
                    if isinstance(value, External) and (
                        self.evaluator.knowledge.momentary(value.name) is not None
                    ):
                        return True
            elif isinstance(one, nodes.Name) and depth < _MAX_DEPTH:
                owner = scope.lookup(one.id)
                if owner is not None and owner.kind == "function":
                    for binding in owner.bindings[one.id]:
                        if isinstance(binding.value, nodes.Call) and self.is_now(
                            binding.value, binding.scope, depth + 1
                        ):
                            return True
        return False

    def _stems_from(self, node: nodes.Expression, scope: Scope, spot: Spot, depth: int = 0) -> bool:
        """Whether an expression is another reading of the same place, or a part of one."""
        found = self.lasting.of(node, scope)
        if found is not None and found.root == spot.root:
            return True
        if depth >= _MAX_DEPTH:
            return False
        bindings: Sequence[Binding] = ()
        match node:
            case nodes.Subscript(value=value):
                return self._stems_from(value, scope, spot, depth + 1)
            case nodes.Name(id=name):
                owner = scope.lookup(name)
                if owner is not None and owner.kind == "function":
                    bindings = owner.bindings.get(name, ())
            case nodes.Attribute(value=value, attr=attr):
                bindings = [
                    one
                    for held in self.evaluator.evaluate(value, scope)
                    if isinstance(held, InstanceValue)
                    for class_ in self.evaluator.lineage(held.class_)[0]
                    for one in class_.attributes.get(attr, ())
                ]
            case nodes.Call(func=func):
                for called in self.evaluator.evaluate(func, scope):
                    if isinstance(called, FunctionValue):
                        for returned, inner in called.function.returns:
                            if self._shows(returned, inner, spot):
                                return True
        return any(
            one.value is not None and self._stems_from(one.value, one.scope, spot, depth + 1)
            for one in bindings
        )

    def _shows(self, node: nodes.Expression, scope: Scope, spot: Spot) -> bool:
        for one in nodes.walk(node):
            if isinstance(one, (nodes.Name, nodes.Attribute)):
                found = self.lasting.of(one, scope)
                if found is not None and found.root == spot.root:
                    return True
        return False

    def _is_only_told(self, scope: Scope, spot: Spot, depth: int) -> bool:
        """Whether all that callers do with what the function returns is to log it."""
        phases = self.lasting.phases
        sites = [
            (site, skip_first)
            for site, skip_first in self.lasting.calls.argument_sites(scope.function)
            if phases.of_node(site.node, site.scope) is Phase.INVOKE
        ]
        if not sites or depth >= _MAX_DEPTH:
            return False
        if scope.function.is_method and len(sites) > _MAX_SITES:
            return False
        return not any(self.of(site.node, site.scope, spot, depth + 1) for site, _ in sites)

    def _is_followed(
        self, call: nodes.Call, argument: nodes.Node, scope: Scope, spot: Spot, depth: int
    ) -> bool:
        """Whether project functions are called that do nothing with what they are given here."""
        values = self.evaluator.evaluate(call.func, scope)
        if not values or depth >= _MAX_DEPTH:
            return False
        for value in values:
            if not isinstance(value, FunctionValue):
                return False
            function = value.function
            names = [
                name
                for name, given in bind_arguments(
                    call, function, value.receiver is not None
                ).items()
                if isinstance(argument, nodes.Argument) and given is argument.value
            ]
            if len(names) != 1:
                return False
            given = Spot(Place("parameter", function, names[0]))
            if self._local(names[0], function.scope, given, depth + 1):
                return False
        return True

    def _passes_on(self, func: nodes.Expression, scope: Scope) -> bool:
        """Whether what a call returns stands for what it is given: `str`, `json.dumps`, `copy`."""
        name = func.attr if isinstance(func, nodes.Attribute) else getattr(func, "id", "")
        if name not in _PASSING:
            return False
        return not any(
            isinstance(one, FunctionValue) for one in self.evaluator.evaluate(func, scope)
        )

    def _stored(
        self, statement: nodes.Node, child: nodes.Node, scope: Scope, spot: Spot, depth: int
    ) -> str:
        if child is not getattr(statement, "value", None):
            # It is part of the target: an index, or what is changed.
            return QUIET if child in _targets(statement) else "chooses what is changed"
        found = QUIET
        for target in _targets(statement):
            written = self.lasting.target(target, scope)
            if written is not None and written.root == spot.root:
                continue
            if isinstance(target, nodes.Name) and written is None:
                found = found or self._local(target.id, scope, spot, depth)
            elif isinstance(target, nodes.Collection):
                for item in target.items:
                    if isinstance(item, nodes.Name):
                        found = found or self._local(item.id, scope, spot, depth)
            elif not (
                isinstance(target, nodes.Attribute)
                and self._is_only_asked(target, scope, spot, depth)
            ):
                found = found or "is stored"
        return found

    def _is_only_asked(self, target: nodes.Attribute, scope: Scope, spot: Spot, depth: int) -> bool:
        """Whether nothing is done with an attribute of an object of the invocation."""
        classes = {
            class_
            for one in self.evaluator.evaluate(target.value, scope)
            if isinstance(one, InstanceValue)
            for class_ in self.evaluator.lineage(one.class_)[0]
        }
        if not classes or depth >= _MAX_DEPTH:
            return False
        reads = [
            (node, inner)
            for node, inner in self._loads.named(target.attr)
            if isinstance(node, nodes.Attribute)
            and not is_target(inner.module.parents.get(node), node)
            and any(
                isinstance(one, InstanceValue)
                and not classes.isdisjoint(self.evaluator.lineage(one.class_)[0])
                for one in self.evaluator.evaluate(node.value, inner)
            )
        ]
        return bool(reads) and not any(
            self.of(node, inner, spot, depth + 1) for node, inner in reads
        )

    def of_name(self, name: str, scope: Scope, spot: Spot) -> str:
        """Return what becomes of a local name that holds it; QUIET when it is nothing."""
        return self._local(name, scope, spot, 0)

    def _local(self, name: str, scope: Scope, spot: Spot, depth: int) -> str:
        """What becomes of a local name that holds it."""
        if depth >= _MAX_DEPTH:
            return "is used"
        owner = scope.owner(name)
        if owner.kind == "module":
            return QUIET
        for node, inner in self._names(scope.module).get((scope.function, name), ()):
            if inner.lookup(name) is owner and not _is_target(scope.module.parents.get(node), node):
                found = self.of(node, inner, spot, depth + 1)
                if found:
                    return found
        return QUIET

    def _names(self, module: Module) -> dict[tuple[Function, str], list[tuple[nodes.Name, Scope]]]:
        found = self._by_name.get(module)
        if found is None:
            found = {}
            for node, scope in module.scope_of.items():
                if isinstance(node, nodes.Name):
                    found.setdefault((scope.function, node.id), []).append((node, scope))
            self._by_name[module] = found
        return found

    def _tested(
        self,
        parent: nodes.If | nodes.While | nodes.Case,
        child: nodes.Node,
        scope: Scope,
        spot: Spot,
    ) -> str:
        bodies: list[nodes.Statement] = [*parent.body, *getattr(parent, "orelse", [])]
        only_tells = self._only_tells(bodies, scope, spot)
        if isinstance(parent, nodes.While) and _is_plain(parent.test):
            # A loop that does nothing waits; one that takes things out keeps the value in order.
            is_upkeep = only_tells and any(self._means(one, scope, spot) for one in bodies)
            return QUIET if is_upkeep else WAITED_FOR
        return QUIET if only_tells else "decides what is done"

    def _means(self, statement: nodes.Statement, scope: Scope, spot: Spot) -> bool:
        for one in nodes.walk(statement):
            if isinstance(one, (nodes.Name, nodes.Attribute)):
                found = self.lasting.of(one, scope) or self.lasting.target(one, scope)
                if found is not None and found.root == spot.root:
                    return True
        return False

    def _conditional(self, parent: nodes.Conditional, scope: Scope, spot: Spot, depth: int) -> str:
        """`"cold" if cold_start else "warm"`: what becomes of the value that it chooses."""
        return self.of(parent, scope, spot, depth + 1) if depth < _MAX_DEPTH else "is used"

    def _only_tells(self, body: Sequence[nodes.Statement], scope: Scope, spot: Spot) -> bool:
        """Whether statements do nothing but write logs and keep the value itself in order."""
        return all(self._tells(one, scope, spot) for one in body)

    def _tells(self, statement: nodes.Statement, scope: Scope, spot: Spot) -> bool:
        match statement:
            case nodes.Simple(keyword="pass") | nodes.Global():
                return True
            case nodes.ExpressionStatement(value=nodes.Constant()):
                return True
            case nodes.ExpressionStatement(value=nodes.Call(func=func) as call):
                if self.is_telemetry(call, scope):
                    return True
                if isinstance(func, nodes.Attribute):
                    touched = self.lasting.of(func.value, scope)
                    return touched is not None and touched.root == spot.root
            case nodes.Assign() | nodes.AugmentedAssign() | nodes.AnnotatedAssign():
                touched_targets = [self.lasting.target(one, scope) for one in _targets(statement)]
                return all(one is not None and one.root == spot.root for one in touched_targets)
            case nodes.Delete(targets=targets):
                return all(
                    one is not None and one.root == spot.root
                    for one in (self.lasting.target(two, scope) for two in targets)
                )
            case nodes.If(body=body, orelse=orelse) | nodes.For(body=body, orelse=orelse):
                return self._only_tells([*body, *orelse], scope, spot)
        return False


def _is_size(node: nodes.Expression) -> bool:
    """Whether an operand is a number for certain, so that `%` is no formatting of text."""
    match node:
        case nodes.Constant(kind="int") | nodes.Call(func=nodes.Name(id="len")):
            return True
    return False


def _is_plain(test: nodes.Expression) -> bool:
    """Whether a test is nothing but the value, or that it is not so: `while not connected`."""
    if isinstance(test, nodes.UnaryOperation) and test.operator == "not":
        test = test.operand
    return isinstance(test, (nodes.Name, nodes.Attribute))


def _prints(statement: nodes.Statement) -> bool:
    match statement:
        case nodes.ExpressionStatement(value=nodes.Call(func=nodes.Name(id="print"))):
            return True
    return False


def _targets(statement: nodes.Node) -> list[nodes.Expression]:
    match statement:
        case nodes.Assign(targets=targets) | nodes.Delete(targets=targets):
            return targets
        case nodes.AnnotatedAssign(target=target) | nodes.AugmentedAssign(target=target):
            return [target]
    return []


def _is_target(parent: nodes.Node | None, node: nodes.Node) -> bool:
    return parent is not None and node in _targets(parent)


def _shown(func: nodes.Expression) -> str:
    match func:
        case nodes.Name(id=name):
            return name
        case nodes.Attribute(value=nodes.Name(id=name), attr=attr):
            return f"{name}.{attr}"
        case nodes.Attribute(attr=attr):
            return attr
    return "a call"


_MAX_DEPTH = 4
"""How many local names in a row are followed."""

_MAX_SITES = 20
"""The callers of a method that is called in more places than this are not looked at."""

_TELEMETRY = (
    "logging.",
    "loguru.",
    "structlog.",
    "aws_lambda_powertools.logging.",
    "aws_lambda_powertools.metrics.",
    "aws_lambda_powertools.tracing.",
    "aws_xray_sdk.",
    "datadog_lambda.metric",
    "aws_embedded_metrics.",
)
"""Libraries that only tell of what happens."""

_TELLING = frozenset(
    {
        *("debug", "info", "warning", "warn", "error", "exception", "critical", "log", "fatal"),
        *("add_metric", "put_metric", "put_annotation", "put_metadata", "add_dimension"),
        *("append_keys", "set_property", "gauge", "increment", "incr", "timing", "add_metadata"),
    }
)

_ONLY_TELLING = frozenset({"add_metric", "put_metric", "put_annotation", "put_metadata"})

_TELLERS = ("log", "metric", "trace", "stats", "span", "segment")
"""Parts of the names of what tells."""

_PASSING = frozenset(
    {
        *("str", "int", "float", "bool", "len", "list", "dict", "set", "tuple", "sorted", "repr"),
        *("dumps", "copy", "deepcopy", "join", "format", "items", "keys", "values", "sum", "max"),
        *("min", "enumerate", "zip", "map", "filter", "reversed", "strftime", "isoformat", "round"),
        *("any", "all", "isinstance", "type", "id", "hasattr", "getattr", "replace", "lower"),
        *("upper", "strip", "split", "encode", "decode", "get", "total_seconds", "timedelta"),
    }
)
"""Calls whose result still shows what they were given."""
