"""What is the same for every event: texts, paths, and what is read from deployed files.

`dependence` finds what an expression takes from the event; nothing found does not mean that it is
the same each time, because a call of a library may return anything. This module answers the other
question: whether it is certain. Unknown means no.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.dependence import MODULE_NAMES
from lambda_lint.model.program import Binding, Function, Scope
from lambda_lint.model.values import (
    ClassValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
)
from lambda_lint.syntax import nodes

TEMPORARY = "/tmp"
"""Where an invocation may write: https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html"""


class Constants:
    """Answers which expressions are the same for the whole life of an environment."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the finished call graph."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.knowledge = calls.evaluator.knowledge
        #: What is known to be fixed already; the last of the key is whether only paths are meant.
        self.fixed: dict[tuple[nodes.Node, Scope, bool], bool] = {}
        self._texts: dict[tuple[nodes.Node, Scope], str | None] = {}

    def text(self, node: nodes.Expression, scope: Scope) -> str | None:
        """Return the text that an expression has, None when it is no text or not known."""
        key = (node, scope)
        if key not in self._texts:
            self._texts[key] = None
            self._texts[key] = self._text(node, scope)
        return self._texts[key]

    def beginning(self, node: nodes.Expression, scope: Scope) -> str:
        """Return the text that an expression begins with, as far as it is known."""
        whole = self.text(node, scope)
        if whole is not None:
            return whole
        match node:
            case nodes.FormattedString(parts=parts):
                found = ""
                for part in parts:
                    known = self.text(part, scope)
                    if known is None:
                        return found + self.beginning(part, scope)
                    found += known
                return found
            case nodes.BinaryOperation(left=left, operator="+", right=right):
                known = self.text(left, scope)
                if known is not None:
                    return known + self.beginning(right, scope)
                return self.beginning(left, scope)
            case nodes.BinaryOperation(left=left, operator="%"):
                return self.beginning(left, scope).partition("%")[0]
            case nodes.Call(func=nodes.Attribute(value=value, attr="format")):
                return self.beginning(value, scope).partition("{")[0]
            case nodes.Name():
                only = self._only_value(node, scope)
                return self.beginning(*only) if only is not None else ""
        return ""

    def first_part(self, node: nodes.Expression, scope: Scope) -> tuple[nodes.Expression, Scope]:
        """Return what stands leftmost in a text that is put together: the base of an address."""
        for _ in range(_MAX_HOPS):
            match node:
                case nodes.FormattedString(parts=[first, *_]):
                    node = first
                case nodes.BinaryOperation(left=left, operator="+" | "%"):
                    node = left
                case nodes.Call(func=nodes.Attribute(value=value, attr="format" | "rstrip")):
                    node = value
                case nodes.Call(arguments=[first, *_]) if self._joins(node, scope):
                    node = first.value
                case nodes.Name():
                    only = self._only_value(node, scope)
                    if only is None:
                        return node, scope
                    node, scope = only
                case _:
                    return node, scope
        return node, scope

    def is_fixed(self, node: nodes.Expression, scope: Scope, *, paths: bool = False) -> bool:
        """Whether it is certain that the expression is the same for every event.

        What is below /tmp may be another thing each time. With `paths` only its path is meant.
        """
        return _Fixed(self, paths).ask(node, scope)

    def temporary_paths(self, node: nodes.Expression, scope: Scope) -> list[str | None]:
        """Return the paths below /tmp that an expression names; None for one that is not known."""
        found: list[str | None] = []
        for current, where in self.origins(node, scope):
            begins = self.beginning(current, where)
            if _is_temporary(begins):
                found.append(self.text(current, where))
            elif self._makes_temporary(current, where):
                found.append(None)
        # `/tmp` alone is only a part of what is named, when there is more.
        return [one for one in found if one not in (TEMPORARY, f"{TEMPORARY}/")] or found

    def origins(
        self, node: nodes.Expression, scope: Scope
    ) -> Iterator[tuple[nodes.Expression, Scope]]:
        """Yield everything that an expression is put together from.

        Names are followed to what is assigned to them, parameters to what callers give, and calls
        of project functions to what they return.
        """
        seen: set[nodes.Node] = set()
        stack: list[tuple[nodes.Expression, Scope]] = [(node, scope)]
        while stack and len(seen) < _MAX_ORIGINS:
            current, where = stack.pop()
            if current in seen:
                continue
            seen.add(current)
            yield current, where
            if isinstance(current, nodes.Name):
                stack += self.sources(current, where)
            stack += [(child, where) for child in _expressions(current)]
            if isinstance(current, nodes.Call):
                for value in self.evaluator.evaluate(current.func, where):
                    if isinstance(value, FunctionValue):
                        stack += value.function.returns

    def _text(self, node: nodes.Expression, scope: Scope) -> str | None:
        match node:
            case nodes.Constant(kind="str", value=str(value)):
                return value
            case nodes.FormattedString(parts=parts):
                return self._joined([self.text(one, scope) for one in parts], "")
            case nodes.BinaryOperation(left=left, operator="+", right=right):
                return self._joined([self.text(left, scope), self.text(right, scope)], "")
            case nodes.BinaryOperation(left=left, operator="/", right=right):
                return self._joined([self.text(left, scope), self.text(right, scope)], "/")
            case nodes.Name():
                only = self._only_value(node, scope)
                return self.text(*only) if only is not None else None
            case nodes.Attribute(value=inner, attr=attr):
                texts = {self.text(*one) for one in self._attribute_values(inner, attr, scope)}
                return texts.pop() if len(texts) == 1 else None
            case nodes.Call(arguments=arguments) if arguments:
                names = self._external_names(node.func, scope)
                if names & _PATH_JOINS and not any(one.star or one.name for one in arguments):
                    return self._joined([self.text(one.value, scope) for one in arguments], "/")
                if "tempfile.gettempdir" in names:
                    return TEMPORARY
                if "builtins.str" in names and len(arguments) == 1:
                    return self.text(arguments[0].value, scope)
        return None

    def _joined(self, parts: list[str | None], separator: str) -> str | None:
        known = [one for one in parts if one is not None]
        if len(known) < len(parts):
            return None
        if separator:
            known = [one.rstrip(separator) for one in known[:-1]] + known[-1:]
        return separator.join(known)

    def _only_value(self, node: nodes.Name, scope: Scope) -> tuple[nodes.Expression, Scope] | None:
        """Return the only value that is ever assigned to a name."""
        values = self._values(node, scope)
        return values[0] if len(values) == 1 else None

    def _values(self, node: nodes.Name, scope: Scope) -> list[tuple[nodes.Expression, Scope]]:
        scope = scope.module.scope_of.get(node, scope)
        owner = scope.lookup(node.id)
        if owner is None:
            return []
        found: list[tuple[nodes.Expression, Scope]] = []
        for binding in owner.bindings[node.id]:
            if binding.kind == "from":
                module = self.evaluator.module_of_import(binding)
                inner = module.scope.bindings.get(binding.name, []) if module is not None else []
                if not inner:
                    return []
                found += [
                    (one.value, one.scope)
                    for one in inner
                    if one.kind == "assign" and one.value is not None and one.index is None
                ]
            elif (
                binding.kind not in ("assign", "enter")
                or binding.value is None
                or binding.index is not None
            ):
                return []
            else:
                found.append((binding.value, binding.scope))
        return found

    def sources(self, node: nodes.Name, scope: Scope) -> list[tuple[nodes.Expression, Scope]]:
        """Return what is assigned to a name, or what callers give the parameter that it is."""
        return self._values(node, scope) or self.given(node, scope)

    def given(self, node: nodes.Name, scope: Scope) -> list[tuple[nodes.Expression, Scope]]:
        """Return what callers give the parameter that a name is."""
        owner = scope.module.scope_of.get(node, scope).lookup(node.id)
        if owner is None or not any(one.kind == "parameter" for one in owner.bindings[node.id]):
            return []
        found: list[tuple[nodes.Expression, Scope]] = []
        for site, skip_first in self.calls.argument_sites(owner.function):
            value = bind_arguments(site.node, owner.function, skip_first).get(node.id)
            if value is not None:
                found.append((value, site.scope))
        return found

    def attribute_values(
        self, node: nodes.Attribute, scope: Scope
    ) -> Iterator[tuple[nodes.Expression, Scope]]:
        """Yield what is assigned to an attribute of an object or a module of the project."""
        yield from self._attribute_values(node.value, node.attr, scope)

    def _attribute_values(
        self, inner: nodes.Expression, attr: str, scope: Scope
    ) -> Iterator[tuple[nodes.Expression, Scope]]:
        for value in self.evaluator.evaluate(inner, scope):
            bindings: list[Binding] = []
            if isinstance(value, ModuleValue):
                bindings = value.module.scope.bindings.get(attr, [])
            elif isinstance(value, (InstanceValue, ClassValue)):
                for base in self.evaluator.lineage(value.class_)[0]:
                    bindings = [
                        *bindings,
                        *base.attributes.get(attr, ()),
                        *base.scope.bindings.get(attr, ()),
                    ]
            for binding in bindings:
                if binding.value is not None and binding.index is None:
                    yield binding.value, binding.scope

    def _makes_temporary(self, node: nodes.Expression, scope: Scope) -> bool:
        if not isinstance(node, nodes.Call):
            return False
        return any(one.startswith("tempfile.") for one in self._external_names(node.func, scope))

    def _joins(self, node: nodes.Call, scope: Scope) -> bool:
        return bool(self._external_names(node.func, scope) & _ADDRESS_JOINS)

    def _external_names(self, node: nodes.Expression, scope: Scope) -> set[str]:
        values = self.evaluator.evaluate(node, scope)
        return {one.name for one in values if isinstance(one, External)}


class _Fixed:
    """One way of asking what is fixed: with the content of temporary files, or without."""

    def __init__(self, constants: Constants, paths: bool) -> None:
        self.constants = constants
        self.calls = constants.calls
        self.evaluator = constants.evaluator
        self.knowledge = constants.knowledge
        self.paths = paths

    def ask(self, node: nodes.Expression, scope: Scope) -> bool:
        known = self.constants.fixed
        key = (node, scope, self.paths)
        if key not in known:
            # What needs itself is not certain.
            known[key] = False
            known[key] = self._is_fixed(node, scope)
        return known[key]

    def _is_fixed(self, node: nodes.Expression, scope: Scope) -> bool:
        match node:
            case nodes.Constant():
                text = node.value if isinstance(node.value, str) else ""
                return self.paths or not _is_temporary(text)
            case nodes.Name():
                return self._is_fixed_name(node, scope)
            case nodes.Attribute():
                return self._is_fixed_attribute(node, scope)
            case nodes.Call():
                return self._is_fixed_call(node, scope)
            case nodes.Lambda() | nodes.Await() | nodes.Yield() | nodes.Walrus():
                return False
            case nodes.Comprehension():
                return False
        return all(self.ask(child, scope) for child in _expressions(node))

    def _is_fixed_name(self, node: nodes.Name, scope: Scope) -> bool:
        scope = scope.module.scope_of.get(node, scope)
        owner = scope.lookup(node.id)
        if owner is None:
            return node.id in MODULE_NAMES or bool(self.evaluator.name(node.id, scope))
        bindings = owner.bindings[node.id]
        if owner.kind == "module":
            # Whatever it is, it was made when the module was imported.
            return all(one.scope.kind == "module" for one in bindings) and not (
                self._reads_temporary(bindings)
            )
        if any(name == node.id for name, _, _ in owner.function.contents):
            return False
        return bool(bindings) and all(self._is_fixed_binding(one) for one in bindings)

    def _reads_temporary(self, bindings: list[Binding]) -> bool:
        return not self.paths and any(
            one.value is not None and bool(self.constants.temporary_paths(one.value, one.scope))
            for one in bindings
        )

    def _is_fixed_binding(self, binding: Binding) -> bool:
        match binding.kind:
            case "assign" | "enter" if binding.value is not None:
                return self.ask(binding.value, binding.scope)
            case "import" | "from" | "function" | "class":
                return True
            case "parameter":
                return self._is_fixed_parameter(binding.scope.function, binding.name)
        return False

    def _is_fixed_parameter(self, function: Function, name: str) -> bool:
        """Whether every call of the function that is known gives it something fixed."""
        parameter = function.parameter(name)
        edges = self.calls.into.get(function, ())
        if parameter is None or not edges or function in self.calls.partials:
            return False
        if parameter.kind in ("variadic", "keywords"):
            return False
        if any(one.kind not in ("call", "method", "init") for one in edges):
            return False
        for site, skip_first in self.calls.argument_sites(function):
            given = bind_arguments(site.node, function, skip_first).get(name)
            scope: Scope | None = site.scope
            if given is None:
                given, scope = parameter.default, function.definition_scope
                if any(one.star for one in site.node.arguments):
                    return False
            if given is None or scope is None or not self.ask(given, scope):
                return False
        return bool(self.calls.argument_sites(function))

    def _is_fixed_attribute(self, node: nodes.Attribute, scope: Scope) -> bool:
        values = self.evaluator.evaluate(node.value, scope)
        if not values:
            return self.ask(node.value, scope)
        for value in values:
            match value:
                case ModuleValue(module=module):
                    bindings = module.scope.bindings.get(node.attr, [])
                    if not bindings or any(one.scope.kind != "module" for one in bindings):
                        return False
                    if self._reads_temporary(bindings):
                        return False
                case InstanceValue(class_=class_):
                    found: list[Binding] = []
                    for base in self.evaluator.lineage(class_)[0]:
                        found += base.attributes.get(node.attr, ())
                        found += base.scope.bindings.get(node.attr, ())
                    if not found or not all(self._is_fixed_binding(one) for one in found):
                        return False
                case _:
                    if not self.ask(node.value, scope):
                        return False
        return True

    def _is_fixed_call(self, node: nodes.Call, scope: Scope) -> bool:
        if any(one.star for one in node.arguments):
            return False
        if not all(self.ask(one.value, scope) for one in node.arguments):
            return False
        values = self.evaluator.evaluate(node.func, scope)
        if not values or all(isinstance(one, External) for one in values):
            names = [one.name for one in values if isinstance(one, External)]
            if names and all(self.knowledge.is_pure(one) for one in names):
                return True
            # `open(path).read()`, `Path(path).read_text()`, `"{}".format(x)`.
            return (
                isinstance(node.func, nodes.Attribute)
                and self.knowledge.is_pure_method(node.func.attr)
                and all(self._is_of_pure(one) for one in names)
                and self.ask(node.func.value, scope)
            )
        for value in values:
            if not isinstance(value, FunctionValue) or value.function.yields:
                return False
            returns = value.function.returns
            if not returns or not all(self.ask(one, inner) for one, inner in returns):
                return False
        return True

    def _is_of_pure(self, name: str) -> bool:
        made = name.rpartition(".")[0]
        return made.endswith("()") and self.knowledge.is_pure(made[:-2])


def _is_temporary(text: str) -> bool:
    return text == TEMPORARY or text.startswith(f"{TEMPORARY}/")


_PATH_JOINS = frozenset({"os.path.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"})
_ADDRESS_JOINS = frozenset(
    {"urllib.parse.urljoin", "builtins.str", "urllib.request.Request", "yarl.URL"}
)
_MAX_HOPS = 20
_MAX_ORIGINS = 400
"""An expression that is made from more than this many others is not followed any further."""


def _expressions(node: nodes.Node) -> Iterator[nodes.Expression]:
    """Yield the expressions directly in a node, through arguments and items."""
    for child in nodes.children(node):
        if isinstance(child, nodes.Expression):
            yield child
        else:
            yield from _expressions(child)
