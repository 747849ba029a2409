"""What never runs, because the code itself says so: decided tests, and what follows a way out.

A test is decided when everything in it is a literal, or a name that has one literal value for as
long as the code stays as it is: a constant of a module, an attribute that is only ever set to one
value, a parameter that every caller gives the same. That Lambda sets its own variables of the
environment is known; what else the environment or a library may set is open, and open means that
both branches run.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.program import Binding, Class, Function, Module, Scope
from lambda_lint.model.questions import always_leaves, blocks
from lambda_lint.model.reaching import visible
from lambda_lint.model.routes import is_test_path
from lambda_lint.model.values import ClassValue, External, InstanceValue, ModuleValue, Value
from lambda_lint.model.writes import Writes
from lambda_lint.syntax import nodes

Literal = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is known; the wrapper tells `None` from "not known"."""

    value: Literal | tuple[Literal, ...]


class Decisions:
    """Answers which tests are decided, and which code never runs for that reason."""

    def __init__(self, calls: CallGraph, entries: Iterable[Function]) -> None:
        """Take the finished call graph, and the functions that run for events."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.writes = Writes(calls)
        self._set_by_name = frozenset(self._names_set())
        self._entries = frozenset(entries)
        #: The functions that may run at all; None while that is not known yet.
        self._possible: frozenset[Function] | None = None
        self._depth = 0
        self._importing: set[Binding] = set()
        self._values: dict[tuple[nodes.Node, Scope], Known | None] = {}
        self._attributes: dict[tuple[Class, str], Known | None] = {}
        self._tests: dict[nodes.Node, bool | None] = {}
        self._left: dict[nodes.Node, frozenset[nodes.Node]] = {}
        self._dead: dict[nodes.Node, bool] = {}
        possible = self._find_possible()
        for memo in (self._values, self._attributes, self._tests, self._left, self._dead):
            memo.clear()
        self._possible = possible

    def is_dead(self, node: nodes.Node, module: Module) -> bool:
        """Whether the node never runs on Lambda: a closed branch, or behind a way out."""
        found = self._dead.get(node)
        if found is None:
            found = any(
                self._closes(parent, child, module) or child in self._unreachable(parent, module)
                for child, parent in module.ancestors(node)
            )
            self._dead[node] = found
        return found

    def of(self, test: nodes.Expression, module: Module) -> bool | None:
        """Return what a test always says on Lambda; None when it is open."""
        if test not in self._tests:
            # What leads back to itself is open.
            self._tests[test] = None
            self._tests[test] = self._decide(test, module)
        return self._tests[test]

    def _closes(self, parent: nodes.Node, child: nodes.Node, module: Module) -> bool:
        """Whether a decided test keeps one part of a node from running."""
        match parent:
            case nodes.If(test=test, body=body):
                decided = self.of(test, module) if child is not test else None
                return decided is not None and decided != (child in body)
            case nodes.While(test=test, body=body):
                return child in body and self.of(test, module) is False
            case nodes.Conditional(test=test, body=one):
                decided = self.of(test, module) if child is not test else None
                return decided is not None and decided != (child is one)
            case nodes.BooleanOperation(operator=operator, operands=operands):
                for operand in operands:
                    if operand is child:
                        return False
                    if self.of(operand, module) is (operator == "or"):
                        return True
        return False

    def _unreachable(self, parent: nodes.Node, module: Module) -> frozenset[nodes.Node]:
        """Return the statements of a node's blocks that stand after one that always leaves."""
        found = self._left.get(parent)
        if found is None:
            self._left[parent] = frozenset()
            dead: set[nodes.Node] = set()
            for block in blocks(parent):
                for position, statement in enumerate(block[:-1]):
                    if always_leaves(statement, lambda test: self.of(test, module)):
                        dead.update(block[position + 1 :])
                        break
            found = frozenset(dead)
            self._left[parent] = found
        return found

    def _decide(self, test: nodes.Expression, module: Module) -> bool | None:
        match test:
            case nodes.UnaryOperation(operator="not", operand=operand):
                inner = self.of(operand, module)
                return None if inner is None else not inner
            case nodes.BooleanOperation(operator=operator, operands=operands):
                return self._combined([self.of(one, module) for one in operands], operator == "or")
            case nodes.Comparison(
                left=left, operators=["==" | "!=" as operator], comparators=[one]
            ):
                sides = (left, one)
                is_own_name = any(
                    isinstance(side, nodes.Name) and side.id == "__name__" for side in sides
                )
                if is_own_name and any(isinstance(side, nodes.Constant) for side in sides):
                    # The module is imported on Lambda, and never the program that is run.
                    return operator == "!="
            case nodes.Name(id="TYPE_CHECKING") | nodes.Attribute(attr="TYPE_CHECKING"):
                return False
            case nodes.Call() | nodes.Subscript() if self._is_set_on_lambda(
                test, module.scope_of.get(test) or module.scope
            ):
                return True
        known = self._value(test, module.scope_of.get(test) or module.scope)
        return None if known is None else bool(known.value)

    def _is_set_on_lambda(self, node: nodes.Expression, scope: Scope) -> bool:
        """Whether it is the text of a variable that Lambda itself sets, or says that there is one.

        `os.environ.get("AWS_LAMBDA_FUNCTION_NAME")`, `bool(os.getenv("LAMBDA_TASK_ROOT"))`.
        """
        match node:
            case nodes.Call(func=nodes.Name(id="bool"), arguments=[only]):
                return self._is_set_on_lambda(only.value, scope)
            case nodes.Call(
                func=func, arguments=[nodes.Argument(value=nodes.Constant(value=name)), *_]
            ):
                return name in _ON_LAMBDA and self._is_library(
                    func, scope, ("os.environ.get", "os.getenv")
                )
            case nodes.Subscript(value=value, index=nodes.Constant(value=name)):
                return name in _ON_LAMBDA and self._is_library(value, scope, ("os.environ",))
        return False

    def _is_library(self, node: nodes.Expression, scope: Scope, names: Sequence[str]) -> bool:
        values = self.evaluator.evaluate(node, scope)
        return bool(values) and all(
            isinstance(one, External) and one.name in names for one in values
        )

    def _combined(self, found: Sequence[bool | None], decisive: bool) -> bool | None:
        if decisive in found:
            return decisive
        return None if None in found else not decisive

    def _value(self, node: nodes.Expression, scope: Scope) -> Known | None:
        key = (node, scope)
        if key not in self._values:
            self._values[key] = None
            if self._depth < _MAX_DEPTH:
                self._depth += 1
                self._values[key] = self._find_value(node, scope)
                self._depth -= 1
        return self._values[key]

    def _find_value(self, node: nodes.Expression, scope: Scope) -> Known | None:
        match node:
            case nodes.Constant(kind="str" | "int" | "float" | "bool", value=value):
                return Known(value)
            case nodes.Constant(kind="none"):
                return Known(None)
            case nodes.Collection(kind="tuple", items=items):
                return self._tuple(items, scope)
            case nodes.Name():
                return self._name(node, scope)
            case nodes.Attribute():
                return self._attribute(node, scope)
            case nodes.Conditional(test=test, body=body, orelse=orelse):
                decided = self.of(test, scope.module)
                if decided is not None:
                    return self._value(body if decided else orelse, scope)
            case nodes.UnaryOperation(operator="not"):
                decided = self.of(node, scope.module)
                return None if decided is None else Known(decided)
            case nodes.Comparison(left=left, operators=[operator], comparators=[right]):
                return self._compared(left, operator, right, scope)
            case nodes.BooleanOperation(operator=operator, operands=operands):
                known = None
                for operand in operands:
                    known = self._value(operand, scope)
                    if known is None or bool(known.value) is (operator == "or"):
                        return known
                return known
            case nodes.Call(func=nodes.Name(id="bool"), arguments=[only]) if not only.star:
                decided = self.of(only.value, scope.module)
                return None if decided is None else Known(decided)
            case nodes.Call(func=nodes.Attribute(value=value, attr=attr), arguments=[]):
                known = self._value(value, scope)
                if known is not None and isinstance(known.value, str) and attr in _OF_TEXTS:
                    return Known(getattr(known.value, attr)())
        return None

    def _tuple(self, items: Sequence[nodes.Expression], scope: Scope) -> Known | None:
        found: list[Literal] = []
        for item in items:
            known = self._value(item, scope)
            if known is None or isinstance(known.value, tuple):
                return None
            found.append(known.value)
        return Known(tuple(found))

    def _compared(
        self, left: nodes.Expression, operator: str, right: nodes.Expression, scope: Scope
    ) -> Known | None:
        if operator in ("in", "not in") and self._is_library(right, scope, ("os.environ",)):
            is_set = isinstance(left, nodes.Constant) and left.value in _ON_LAMBDA
            return Known(operator == "in") if is_set else None
        one, other = self._value(left, scope), self._value(right, scope)
        if operator in ("is", "is not", "==", "!=") and other == Known(None) and one is None:
            is_set = self._is_set_on_lambda(left, scope)
            return Known(operator in ("is not", "!=")) if is_set else None
        if other is None and operator in ("in", "not in") and isinstance(right, nodes.Collection):
            # A list that is written in the test itself is nobody else's to change.
            other = self._tuple(right.items, scope)
        if one is None or other is None:
            return None
        first, second = one.value, other.value
        match operator:
            case "==":
                return Known(first == second)
            case "!=":
                return Known(first != second)
            case "is" | "is not" if first is None or second is None or isinstance(first, bool):
                return Known((first is second) == (operator == "is"))
            case "in" | "not in" if isinstance(second, tuple):
                return Known((first in second) == (operator == "in"))
            case "in" | "not in" if isinstance(second, str) and isinstance(first, str):
                return Known((first in second) == (operator == "in"))
        if isinstance(first, int | float) and isinstance(second, int | float):
            match operator:
                case "<":
                    return Known(first < second)
                case ">":
                    return Known(first > second)
                case "<=":
                    return Known(first <= second)
                case ">=":
                    return Known(first >= second)
        return None

    def _name(self, node: nodes.Name, scope: Scope) -> Known | None:
        scope = scope.module.scope_of.get(node, scope)
        owner = scope.lookup(node.id)
        if owner is None:
            return None
        return self._bound(owner, node.id, visible(owner, node.id, node, scope))

    def _bound(self, owner: Scope, name: str, bindings: Sequence[Binding]) -> Known | None:
        """Return the value of a name when everything that binds it gives it the same."""
        if len(bindings) != 1 and len(owner.bindings.get(name, ())) != len(bindings):
            return None
        if owner.kind == "module" and self._is_open_name(owner.module, name):
            return None
        if owner.kind == "class" and owner.class_ is not None:
            return self._class_attribute(owner.class_, name)
        return self._united(bindings)

    def _united(self, bindings: Sequence[Binding]) -> Known | None:
        """Return the value of what is bound several times, but for what is never bound at all."""
        if len(bindings) > 1:
            alive = [one for one in bindings if not self.is_dead(one.node, one.scope.module)]
            bindings = alive or bindings
        return self._same(self._of_binding(one) for one in bindings)

    def _same(self, values: Iterable[Known | None]) -> Known | None:
        found: Known | None = None
        for one in values:
            if one is None or (found is not None and not _is_same(one, found)):
                return None
            found = one
        return found

    def _of_binding(self, binding: Binding) -> Known | None:
        match binding.kind:
            case "assign" if binding.value is not None and binding.index is None:
                return self._value(binding.value, binding.scope)
            case "from":
                return self._imported(binding)
            case "parameter":
                return self._parameter(binding.scope.function, binding.name)
        return None

    def _imported(self, binding: Binding) -> Known | None:
        module = self.evaluator.module_of_import(binding)
        if module is None or binding in self._importing:
            # Modules may import a name from each other, or a package from itself.
            return None
        self._importing.add(binding)
        try:
            return self._member(module, binding.name)
        finally:
            self._importing.discard(binding)

    def _member(self, module: Module, name: str) -> Known | None:
        bindings = module.scope.bindings.get(name, ())
        return self._bound(module.scope, name, bindings) if bindings else None

    def _is_open_name(self, module: Module, name: str) -> bool:
        """Whether something else than the bindings of the module may give the name a value."""
        if name in self._set_by_name:
            return True
        last = max((one.node.span.line for one in module.scope.bindings[name]), default=0)
        if any(one.node.span.line > last for one in module.stars):
            return True
        return self._is_written(name, lambda value: value == ModuleValue(module), module)

    def _is_written(
        self, attr: str, is_it: Callable[[Value], bool], module: Module | None = None
    ) -> bool:
        """Whether an attribute of that name is assigned on an object that may be the one meant.

        Of an unknown object it is assumed; but code in another folder knows nothing of a `module`.
        """
        for owner, (_, scope) in self.writes.named(attr):
            if is_test_path(scope.module.path) or _is_self(owner, scope):
                continue
            values = self.evaluator.evaluate(owner, scope)
            folder = posixpath.dirname(scope.module.path)
            may_be = module is None or not folder or module.path.startswith(f"{folder}/")
            if any(is_it(one) for one in values) or (not values and may_be):
                return True
        return False

    def _names_set(self) -> Iterator[str]:
        """Yield the names that are set by name: `setattr(flags, "DEBUG", True)`."""
        for function in self.calls.functions():
            if is_test_path(function.module.path):
                continue
            for site in function.calls:
                match site.node:
                    case nodes.Call(
                        func=nodes.Name(id="setattr"),
                        arguments=[_, nodes.Argument(value=nodes.Constant(value=str(name))), *_],
                    ):
                        yield name
            for target, _, _ in function.stores:
                match target:
                    case nodes.Subscript(
                        value=nodes.Call(func=nodes.Name(id="globals")),
                        index=nodes.Constant(value=str(name)),
                    ):
                        yield name

    def _attribute(self, node: nodes.Attribute, scope: Scope) -> Known | None:
        member = self._enum_member(node, scope)
        if member is not None:
            return member
        values = self.evaluator.evaluate(node.value, scope.module.scope_of.get(node, scope))
        if not values:
            return None
        return self._same(self._attribute_of(one, node.attr) for one in values)

    def _enum_member(self, node: nodes.Attribute, scope: Scope) -> Known | None:
        """Return the value of `Colour.RED.value`, and of `Colour.RED` where it is a text itself."""
        is_value = node.attr == "value" and isinstance(node.value, nodes.Attribute)
        member = node.value if is_value and isinstance(node.value, nodes.Attribute) else node
        values = self.evaluator.evaluate(member.value, scope.module.scope_of.get(member, scope))
        match list(values):
            case [ClassValue(class_=class_)] if self.evaluator.is_enum(class_):
                libraries = self.evaluator.lineage(class_)[1]
                if not is_value and not {"enum.StrEnum", "builtins.str", "str"} & set(libraries):
                    return None
                bindings = class_.scope.bindings.get(member.attr, ())
                return self._of_binding(bindings[0]) if len(bindings) == 1 else None
        return None

    def _attribute_of(self, value: Value, attr: str) -> Known | None:
        match value:
            case ModuleValue(module=module):
                return self._member(module, attr)
            case ClassValue(class_=class_) | InstanceValue(class_=class_):
                return self._class_attribute(class_, attr)
        return None

    def _class_attribute(self, class_: Class, attr: str) -> Known | None:
        """Return the value of an attribute that every object of a class has, if it is one value."""
        key = (class_, attr)
        if key not in self._attributes:
            self._attributes[key] = None
            self._attributes[key] = self._find_class_attribute(class_, attr)
        return self._attributes[key]

    def _find_class_attribute(self, class_: Class, attr: str) -> Known | None:
        lineage, libraries = self.evaluator.lineage(class_)
        family = (*lineage, *self.calls.subclasses.get(class_, ()))
        if libraries or attr in self._set_by_name or any(map(self._is_open, family)):
            return None
        bindings: list[Binding] = []
        for one in family:
            if attr in one.methods:
                return None
            bindings += one.attributes.get(attr, ())
            bindings += one.scope.bindings.get(attr, ())

        def is_it(value: Value) -> bool:
            return isinstance(value, ClassValue | InstanceValue) and value.class_ in family

        if not bindings or self._is_written(attr, is_it):
            return None
        return self._united(bindings)

    def _is_open(self, class_: Class) -> bool:
        """Whether objects of the class get attributes otherwise than by plain assignment."""
        if class_.node.decorators or any(one.name for one in class_.node.arguments):
            return True
        if {"__setattr__", "__getattribute__", "__getattr__"} & set(class_.methods):
            return True
        for method in class_.methods.values():
            for site in method.calls:
                match site.node:
                    case nodes.Call(func=nodes.Name(id="setattr")):
                        return True
                    case nodes.Call(func=nodes.Attribute(value=nodes.Attribute(attr="__dict__"))):
                        return True
                    case nodes.Call(func=nodes.Attribute(value=nodes.Call(func=inner))):
                        if isinstance(inner, nodes.Name) and inner.id == "vars":
                            return True
            for target, _, _ in method.stores:
                if isinstance(target, nodes.Attribute) and target.attr == "__dict__":
                    return True
        return False

    def _parameter(self, function: Function, name: str) -> Known | None:
        """Return what every caller gives a parameter, if all are known and give the same."""
        parameter = function.parameter(name)
        if parameter is None or self._possible is None or function in self._entries:
            return None
        if parameter.kind in ("variadic", "keywords") or function in self.calls.partials:
            return None
        if (function, name) in self.evaluator.contents.given or self._is_called_unseen(function):
            return None
        given: list[Known | None] = []
        sites = dict(self.calls.argument_sites(function))
        for edge in self.calls.into.get(function, ()):
            if edge.caller not in self._possible or self.is_dead(edge.node, edge.caller.module):
                continue
            if edge.kind not in ("call", "method", "init") or edge.site not in sites:
                return None
            if edge.kind == "init" and not sites[edge.site]:
                # The class itself is handed over, and somebody else makes the objects.
                return None
            call, scope = edge.site.node, edge.scope
            if any(one.star for one in call.arguments):
                return None
            value = bind_arguments(call, function, sites[edge.site]).get(name)
            outer: Scope | None = scope
            if value is None:
                value, outer = parameter.default, function.definition_scope
            given.append(
                self._value(value, outer) if value is not None and outer is not None else None
            )
            if given[-1] is None:
                return None
        return self._same(given)

    def _is_called_unseen(self, function: Function) -> bool:
        """Whether a library may call the function with something of its own."""
        if any(_last_name(one) not in _TRANSPARENT for one in function.decorators):
            return True
        class_ = function.class_
        return (
            class_ is not None
            and function.name != "__init__"
            and bool(self.evaluator.lineage(class_)[1])
        )

    def _find_possible(self) -> frozenset[Function]:
        """Return what may run on Lambda, as far as calls tell, with all parameters open."""
        stack = [*self._entries]
        for path in sorted(self.calls.modules):
            if not is_test_path(path):
                stack.append(self.calls.modules[path].code)
        seen = set(stack)
        while stack:
            function = stack.pop()
            for edge in self.calls.out.get(function, ()):
                if edge.callee not in seen and not self.is_dead(edge.node, function.module):
                    seen.add(edge.callee)
                    stack.append(edge.callee)
        return frozenset(seen)


def _is_same(one: Known, other: Known) -> bool:
    return type(one.value) is type(other.value) and one.value == other.value


def _is_self(owner: nodes.Expression, scope: Scope) -> bool:
    """Whether it is a method's own object, whose attributes are known with its class."""
    method: Function | None = scope.function
    while method is not None and method.class_ is None:
        outer = method.definition_scope
        method = outer.function if outer is not None and not outer.function.is_module else None
    return (
        method is not None
        and bool(method.parameters)
        and isinstance(owner, nodes.Name)
        and owner.id == method.parameters[0].name
    )


def _last_name(expression: nodes.Expression) -> str:
    match expression:
        case nodes.Call(func=func):
            return _last_name(func)
        case nodes.Attribute(attr=name) | nodes.Name(id=name):
            return name
    return ""


_ON_LAMBDA = frozenset(
    {
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_RUNTIME_API"),
        *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_INITIALIZATION_TYPE"),
        *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_REGION", "AWS_DEFAULT_REGION"),
    }
)
"""Variables that every function has, also one from an image and one with SnapStart:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

_OF_TEXTS = frozenset({"lower", "upper", "strip", "casefold"})
"""Methods of texts that a test may apply before it compares."""

_TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "cache", "lru_cache", "override", "abstractmethod", "final"}
)
"""Decorators that call a function with what their caller gives, and nobody else does."""

_MAX_DEPTH = 100
"""How many names are followed to what they stand for; a longer way is open."""
