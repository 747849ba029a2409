"""What is put into objects from outside: attributes, items and environment variables."""

from __future__ import annotations

from collections.abc import Sequence

from lambda_lint.model.calls import CallGraph
from lambda_lint.model.program import Class, Function, Module, Scope
from lambda_lint.model.values import Evaluator, External, InstanceValue, ModuleValue
from lambda_lint.syntax import nodes

Written = tuple[nodes.Expression, Scope]
"""An expression whose value is put somewhere, and the scope that evaluates it."""


class Writes:
    """An index of all stores of the project by the name that they go to."""

    def __init__(self, calls: CallGraph) -> None:
        """Read the stores of every function once."""
        self.evaluator: Evaluator = calls.evaluator
        self._attributes: dict[str, list[tuple[nodes.Expression, Written]]] = {}
        #: The same by the class of the object or by the module, once somebody asks for the name.
        self._owned: dict[str, dict[Class | Module, list[Written]]] = {}
        self._environment: dict[str, list[Written]] = {}
        self._contents: dict[tuple[Module, str], list[Written]] = {}
        for function in calls.functions():
            self._read(function)

    def to_attribute(self, owner: Class | Module, attr: str) -> list[Written]:
        """Return what is stored in an attribute of a module or of the objects of a class."""
        found = self._owned.get(attr)
        if found is None:
            found = self._owned[attr] = {}
            for target, written in self._attributes.get(attr, ()):
                owners: dict[Class | Module, None] = {}
                for value in self.evaluator.evaluate(target, written[1]):
                    if isinstance(value, InstanceValue):
                        owners[value.class_] = None
                    elif isinstance(value, ModuleValue):
                        owners[value.module] = None
                for one in owners:
                    found.setdefault(one, []).append(written)
        return found.get(owner, [])

    def named(self, attr: str) -> list[tuple[nodes.Expression, Written]]:
        """Return the stores to any attribute of that name: of what, and what is stored."""
        return self._attributes.get(attr, [])

    def to_variable(self, name: str) -> list[Written]:
        """Return what is stored in an environment variable."""
        return self._environment.get(name, [])

    def into_module_name(self, module: Module, name: str) -> list[Written]:
        """Return what is put into the object behind a module variable, from any module."""
        return self._contents.get(self.origin(module, name), [])

    def origin(self, module: Module, name: str) -> tuple[Module, str]:
        """Return the module and name that an imported name comes from within the project."""
        for _ in range(_MAX_HOPS):
            bindings = module.scope.bindings.get(name, ())
            if len(bindings) != 1 or bindings[0].kind != "from":
                break
            source = self.evaluator.module_of_import(bindings[0])
            if source is None or bindings[0].name not in source.scope.bindings:
                break
            module, name = source, bindings[0].name
        return module, name

    def _read(self, function: Function) -> None:
        for target, place, scope in function.stores:
            value = getattr(place, "value", None)
            if not isinstance(value, nodes.Expression):
                continue
            if isinstance(target, nodes.Attribute):
                self._attributes.setdefault(target.attr, []).append((target.value, (value, scope)))
            elif (
                isinstance(target, nodes.Subscript)
                and isinstance(target.index, nodes.Constant)
                and self._is_environment(target.value, scope)
            ):
                name = str(target.index.value)
                self._environment.setdefault(name, []).append((value, scope))
        for name, value, scope in function.contents:
            owner = scope.lookup(name)
            if owner is None or owner.kind != "module":
                continue
            # What goes into a module of a library is kept by attribute, not by the module's name.
            if all(one.kind != "import" for one in owner.bindings[name]):
                self._contents.setdefault(self.origin(owner.module, name), []).append(
                    (value, scope)
                )

    def _is_environment(self, value: nodes.Expression, scope: Scope) -> bool:
        return any(
            isinstance(one, External) and one.name == "os.environ"
            for one in self.evaluator.evaluate(value, scope)
        )


def environment_name(node: nodes.Expression, names: Sequence[str]) -> str | None:
    """Return the variable that `os.environ[…]`, `os.environ.get(…)` or `os.getenv(…)` reads.

    `names` are the dotted names of what is subscripted or called.
    """
    key: nodes.Expression | None = None
    if isinstance(node, nodes.Subscript) and "os.environ" in names:
        key = node.index
    elif (
        isinstance(node, nodes.Call)
        and node.arguments
        and any(one in ("os.getenv", "os.environ.get") for one in names)
    ):
        key = node.arguments[0].value
    return str(key.value) if isinstance(key, nodes.Constant) else None


_MAX_HOPS = 6
