"""What an expression may hold: project functions, classes, instances, modules, library objects.

An empty result means "unknown", never "nothing". Names of libraries are dotted, after aliases are
resolved; `()` stands for "made by calling": `boto3.session.Session().client` is the method
`client` of a session.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lambda_lint.model.annotations import NO_CLASSES, class_names, elements_of
from lambda_lint.model.containers import Containers, container
from lambda_lint.model.contents import Contents
from lambda_lint.model.fixpoint import Circles
from lambda_lint.model.imports import ImportMap
from lambda_lint.model.kinds import (
    MAX_VALUES,
    ClassValue,
    ContainerValue,
    DisplayValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
    PackageValue,
    RowValue,
    Value,
    Values,
    merge,
    order,
)
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.program import Binding, Class, Function, Module, Scope
from lambda_lint.model.reaching import final, visible
from lambda_lint.model.results import Results, runner_arguments
from lambda_lint.syntax import nodes

_BUILTINS = frozenset(dir(builtins))


class Evaluator:
    """Evaluates expressions of the indexed modules. Results are memoised until `forget`."""

    def __init__(
        self, modules: Mapping[str, Module], imports: ImportMap, knowledge: Knowledge
    ) -> None:
        """Take the indexed modules by path, how imports resolve, and the library facts."""
        self.modules = modules
        self.imports = imports
        self.knowledge = knowledge
        #: Values of parameters, from the call sites known so far; set by the call graph.
        self.parameter_values: Callable[[Function, str], Values] = lambda function, name: ()
        #: Project classes that inherit from a project class; set by the call graph.
        self.subclasses: Mapping[Class, list[Class]] = {}
        #: What flows into containers, attributes and parameters; learnt by the call graph.
        self.contents = Contents(modules)
        self.containers = Containers(self)
        self.results = Results(self)
        #: The scopes of the calls that made closures and put caches around functions.
        self.origins: dict[nodes.Call, Scope] = {}
        self._answers: Circles[Value] = Circles(merge, order)
        self._bases: dict[Class, tuple[tuple[Class, ...], tuple[str, ...]]] = {}

    def forget(self) -> None:
        """Drop what was memoised, because more is known of parameters now."""
        self._answers.clear()

    def evaluate(self, node: nodes.Expression, scope: Scope) -> Values:
        """Return what the expression may hold when it is evaluated in `scope`."""
        key = (node, scope)
        found = self._answers.known(key)
        if found is not None:
            return found
        return self._answers.solve(key, self._evaluate, node, scope)

    def solve(
        self, question: Hashable, compute: Callable[..., Iterable[Value]], *about: Any
    ) -> Values:
        """Return the answer to a question that may lead back to itself; it is remembered."""
        return self._answers.solve(question, compute, *about)

    def _evaluate(self, node: nodes.Expression, scope: Scope) -> Iterable[Value]:
        match node:
            case nodes.Name(id=name):
                return self.name(name, scope, node)
            case nodes.Attribute(value=value, attr=attr):
                return self._attributes(self.evaluate(value, scope), attr)
            case nodes.Call():
                return self.results.of(node, scope)
            case nodes.Await(value=value):
                return self.evaluate(value, scope)
            case nodes.Conditional(body=body, orelse=orelse):
                return (*self.evaluate(body, scope), *self.evaluate(orelse, scope))
            case nodes.BooleanOperation(operands=operands):
                return [value for one in operands for value in self.evaluate(one, scope)]
            case nodes.Walrus(value=value):
                return self.evaluate(value, scope)
            case nodes.Lambda():
                function = scope.module.function_of.get(node)
                return (FunctionValue(function),) if function is not None else ()
            case nodes.Collection() | nodes.Dict():
                return (DisplayValue(node, scope),)
            case nodes.Comprehension():
                return (DisplayValue(node, scope.module.scope_of.get(node, scope)),)
            case nodes.Subscript(value=value, index=index):
                return self.containers.items(self.evaluate(value, scope), index)
            case nodes.BinaryOperation(left=left, operator="+" | "|", right=right):
                sides = (*self.evaluate(left, scope), *self.evaluate(right, scope))
                return [one for one in sides if isinstance(one, (DisplayValue, ContainerValue))]
            case nodes.BinaryOperation(left=left, operator="/"):
                # `Path("/tmp") / name` is a path again.
                return [
                    one
                    for one in self.evaluate(left, scope)
                    if isinstance(one, External) and one.name == "pathlib.Path()"
                ]
        return ()

    def name(self, name: str, scope: Scope, use: nodes.Name | None = None) -> Values:
        """Return what a plain name may hold in `scope`; with `use`, at that place."""
        found = scope.lookup(name)
        if found is not None:
            if use is None or len(found.bindings[name]) > 4 * MAX_VALUES:
                return self.bound(found, name)
            return self._union(visible(found, name, use, scope))
        for star in scope.module.stars:
            path = self._path_of(star)
            if path is not None and path in self.modules:
                values = self.member(self.modules[path], name)
                if values:
                    return values
        if name in _BUILTINS:
            return (External(f"builtins.{name}"),)
        return ()

    def bound(self, scope: Scope, name: str) -> Values:
        """Return what a name of `scope` may hold when the code of the scope has run."""
        return self._union(final(scope, name))

    def _union(self, bindings: Sequence[Binding]) -> Values:
        if len(bindings) == 1:
            return self.binding(bindings[0])
        if len(bindings) > 4 * MAX_VALUES:
            return ()
        return merge(value for one in bindings for value in self.binding(one))

    def member(self, module: Module, name: str) -> Values:
        """Return what the attribute `name` of a project module may hold."""
        return self._answers.solve((module, name), self._member, module, name)

    def _member(self, module: Module, name: str) -> Iterable[Value]:
        outside = self._written((module, name))
        if name in module.scope.bindings:
            return (*self.bound(module.scope, name), *outside)
        for star in module.stars:
            path = self._path_of(star)
            if path is not None and path in self.modules and path != module.path:
                values = self.member(self.modules[path], name)
                if values:
                    return values
        if module.path.endswith("__init__.py"):
            sibling = self.imports.find_relative(name, 1, module.path)
            if sibling is not None and sibling in self.modules:
                return (ModuleValue(self.modules[sibling]),)
        if outside or not self.has_dynamic_members(module):
            return outside
        return self._results(self.bound(module.scope, "__getattr__"))

    def has_dynamic_members(self, module: Module) -> bool:
        """Whether reading what the module does not define calls its `__getattr__`."""
        return "__getattr__" in module.scope.bindings

    def _results(self, values: Values) -> Iterator[Value]:
        for value in values:
            if isinstance(value, FunctionValue):
                yield from self.returned(value.function)

    def _written(self, place: tuple[Class | Module, str]) -> Values:
        """Return what is assigned to an attribute from outside."""
        found = self.contents.attributes.get(place, ())
        return merge(value for one, scope in found for value in self.evaluate(one, scope))

    def binding(self, binding: Binding) -> Values:
        """Return what one binding gives its name."""
        found = self._answers.known(binding)
        if found is not None:
            return found
        return self._answers.solve(binding, self._binding, binding)

    def _binding(self, binding: Binding) -> Iterable[Value]:
        match binding.kind:
            case "function" if binding.function is not None:
                return (FunctionValue(binding.function),)
            case "class" if binding.class_ is not None:
                return (ClassValue(binding.class_),)
            case "import":
                return self._imported(binding)
            case "from":
                return self._imported_from(binding)
            case "parameter":
                return self._parameter(binding)
            case "assign":
                return self._assigned(binding)
            case "iterate" if binding.value is not None:
                values = merge(
                    self.containers.elements(self.evaluate(binding.value, binding.scope))
                )
                if binding.index is None:
                    return values
                return self.containers.unpacked(values, binding.index)
            case "pattern" if isinstance(binding.node, nodes.Case):
                return self._matched(binding, binding.node)
            case "enter" if binding.value is not None and binding.index is None:
                return self.entered(self.evaluate(binding.value, binding.scope))
        return ()

    def _assigned(self, binding: Binding) -> Iterable[Value]:
        values: Values = ()
        if binding.value is not None:
            values = self.evaluate(binding.value, binding.scope)
        if binding.index is not None:
            return self.containers.unpacked(values, binding.index)
        if isinstance(binding.node, nodes.AnnotatedAssign):
            declared = self.annotated(binding.node.annotation, binding.scope)
            if not values:
                return declared
            if all(isinstance(one, External) for one in values):
                # What a library hands out is known best by the class that the project says.
                own = tuple(one for one in declared if isinstance(one, InstanceValue))
                return (*values, *own)
        return values

    def _matched(self, binding: Binding, case: nodes.Case) -> Iterator[Value]:
        """`case Order() as order`: the classes that the pattern names."""
        for named in case.values:
            for value in self.evaluate(named, binding.scope):
                if isinstance(value, ClassValue):
                    yield InstanceValue(value.class_)

    def _imported(self, binding: Binding) -> Values:
        importer = binding.scope.module.path
        path = self.imports.find(binding.module, importer)
        if path is not None and path in self.modules:
            return (ModuleValue(self.modules[path]),)
        if self.imports.is_package(binding.module, importer):
            return (PackageValue(binding.module, importer),)
        return (External(self.knowledge.canonical(binding.module)),)

    def _imported_from(self, binding: Binding) -> Values:
        importer = binding.scope.module.path
        path = self._path_of(binding)
        if path is not None and path in self.modules:
            values = self.member(self.modules[path], binding.name)
            if values:
                return values
        inner = f"{binding.module}.{binding.name}" if binding.module else binding.name
        if binding.level:
            path = self.imports.find_relative(inner, binding.level, importer)
        else:
            path = self.imports.find(inner, importer)
        if path is not None:
            return (ModuleValue(self.modules[path]),) if path in self.modules else ()
        if binding.level or self.imports.find(binding.module, importer) is not None:
            return ()
        if self.imports.is_package(inner, importer):
            return (PackageValue(inner, importer),)
        return (External(self.knowledge.canonical(inner)),)

    def module_of_import(self, binding: Binding) -> Module | None:
        """Return the project module that a `from … import` names."""
        path = self._path_of(binding)
        return self.modules.get(path) if path is not None else None

    def _path_of(self, binding: Binding) -> str | None:
        importer = binding.scope.module.path
        if binding.level:
            return self.imports.find_relative(binding.module, binding.level, importer)
        return self.imports.find(binding.module, importer)

    def _parameter(self, binding: Binding) -> Iterable[Value]:
        function = binding.scope.function
        parameter = binding.node
        if not isinstance(parameter, nodes.Parameter):
            return ()
        if function.class_ is not None and function.parameters[0] is parameter:
            if function.has_simple_decorator("staticmethod"):
                return self.parameter_values(function, parameter.name)
            if function.name == "__init_subclass__":
                return [ClassValue(one) for one in self.subclasses.get(function.class_, ())]
            if function.has_simple_decorator("classmethod") or function.name == "__new__":
                return (ClassValue(function.class_),)
            return (InstanceValue(function.class_),)
        if parameter.kind == "variadic":
            rest = self.parameter_values(function, parameter.name)
            return (container(rest),) if rest else ()
        if parameter.kind == "keywords":
            return ()
        values: list[Value] = list(self.contents.given.get((function, parameter.name), ()))
        if parameter.annotation is not None and function.definition_scope is not None:
            values += self.annotated(parameter.annotation, function.definition_scope)
        if parameter.default is not None and function.definition_scope is not None:
            values += self.evaluate(parameter.default, function.definition_scope)
        values += self.parameter_values(function, parameter.name)
        return values

    def attribute(self, values: Values, attr: str) -> Values:
        """Return what the attribute `attr` of any of the values may hold."""
        return merge(self._attributes(values, attr))

    def _attributes(self, values: Values, attr: str) -> Iterator[Value]:
        for value in values:
            match value:
                case External(name=name, origin=origin):
                    yield External(self.knowledge.canonical(f"{name}.{attr}"), origin)
                case ModuleValue(module=module):
                    yield from self.member(module, attr)
                case PackageValue(dotted=dotted, importer=importer):
                    yield from self._package_member(f"{dotted}.{attr}", importer)
                case InstanceValue(class_=class_):
                    yield from self._instance_attribute(value, class_, attr)
                case ClassValue(class_=class_):
                    yield from self._class_attribute(value, class_, attr)

    def _package_member(self, dotted: str, importer: str) -> Iterable[Value]:
        path = self.imports.find(dotted, importer)
        if path is not None and path in self.modules:
            return (ModuleValue(self.modules[path]),)
        if self.imports.is_package(dotted, importer):
            return (PackageValue(dotted, importer),)
        return ()

    def _instance_attribute(
        self, value: InstanceValue, class_: Class, attr: str
    ) -> Iterable[Value]:
        if attr == "__class__":
            return (ClassValue(class_),)
        project, libraries = self.lineage(class_)
        assigned: list[Value] = []
        for one in project:
            method = one.methods.get(attr)
            if method is not None:
                if self.is_property(method):
                    return self.returned(method)
                return (FunctionValue(method, value),)
            assigned += self._in_class(one, attr)
        if assigned or any(attr in one.attributes for one in project):
            return assigned
        if value.origin is None:
            # A template method: the base calls what only its subclasses define.
            for one in self.subclasses.get(class_, ()):
                method = one.methods.get(attr)
                if method is not None:
                    found = InstanceValue(one)
                    if self.is_property(method):
                        assigned += self.returned(method)
                    else:
                        assigned.append(FunctionValue(method, found))
                else:
                    assigned += self._in_class(one, attr)
            if assigned:
                return assigned
        return [External(f"{name}().{attr}", value.origin) for name in libraries]

    def _in_class(self, class_: Class, attr: str) -> Iterator[Value]:
        """Yield what is assigned to an attribute, in methods, in the class body, from outside."""
        for binding in class_.attributes.get(attr, ()):
            yield from self.binding(binding)
        if attr in class_.scope.bindings:
            yield from self.bound(class_.scope, attr)
        yield from self._written((class_, attr))

    def _class_attribute(self, value: ClassValue, class_: Class, attr: str) -> Iterable[Value]:
        project, libraries = self.lineage(class_)
        for one in project:
            method = one.methods.get(attr)
            if method is not None:
                bound = value if method.has_simple_decorator("classmethod") else None
                return (FunctionValue(method, bound),)
            if attr in one.scope.bindings and self.is_enum(one):
                return (InstanceValue(one),)
            # `cls.instance = cls()` in a class method, `Service.instance = Service()` anywhere.
            assigned = tuple(self._in_class(one, attr))
            if assigned or attr in one.scope.bindings:
                return assigned
        return [External(f"{name}.{attr}") for name in libraries]

    def is_enum(self, class_: Class) -> bool:
        """Whether the members of the class are its only objects."""
        return any(one in _ENUMS for one in self.lineage(class_)[1])

    def methods(self, value: InstanceValue, name: str) -> Iterator[Function]:
        """Yield the method of that name which the object's class has, inherited or not."""
        for one in self.lineage(value.class_)[0]:
            if name in one.methods:
                yield one.methods[name]
                return

    def is_property(self, method: Function) -> bool:
        """Whether reading this method calls it: a property, plain or cached."""
        if method.has_simple_decorator("property", "cached_property"):
            return True
        for decorator in method.decorators:
            for one in self.evaluate(decorator, method.definition_scope or method.scope):
                if isinstance(one, ClassValue) and "__get__" in one.class_.methods:
                    return "__call__" not in one.class_.methods
                if isinstance(one, External):
                    memo = self.knowledge.cache_decorator(one.name)
                    if memo is not None and one.name.endswith("property"):
                        return True
        return False

    def lineage(self, class_: Class) -> tuple[tuple[Class, ...], tuple[str, ...]]:
        """Return the project classes of the method resolution order, and the library bases.

        The order is depth first, left to right, which is what Python does for all but diamonds.
        """
        found = self._bases.get(class_)
        if found is not None:
            return found
        project: list[Class] = [class_]
        libraries: list[str] = []
        self._bases[class_] = ((class_,), ())
        for argument in class_.node.arguments:
            if argument.name is not None or argument.star:
                continue
            for base in self.evaluate(argument.value, class_.definition_scope):
                if isinstance(base, ClassValue) and base.class_ is not class_:
                    inherited, foreign = self.lineage(base.class_)
                    project += [one for one in inherited if one not in project]
                    libraries += [one for one in foreign if one not in libraries]
                elif isinstance(base, External) and not base.name.startswith("builtins."):
                    libraries.append(base.name)
        self._bases[class_] = (tuple(project), tuple(libraries))
        return self._bases[class_]

    def returned(self, function: Function) -> Values:
        """Return what calling a project function may give (entering it, for context managers)."""
        found = self._answers.known(function)
        if found is not None:
            return found
        return self._answers.solve(function, self._returned, function)

    def _returned(self, function: Function) -> Iterable[Value]:
        if function.yields and not function.decorators:
            inside = merge(
                value
                for one, scope in function.yields
                for value in (
                    self.containers.elements(self.evaluate(one, scope))
                    if _is_delegated(one, function)
                    else self.evaluate(one, scope)
                )
            )
            result: Values = (container(inside),) if inside else ()
        else:
            results = function.returns or function.yields
            result = merge(value for one, scope in results for value in self.evaluate(one, scope))
        returns = getattr(function.node, "returns", None)
        if not result and returns is not None and function.definition_scope is not None:
            result = self.annotated(returns, function.definition_scope)
        return result

    def annotated(self, annotation: nodes.Expression, scope: Scope) -> Values:
        """Return instances of the classes that an annotation names, unions and strings included."""
        found: list[Value] = []
        inside = elements_of(annotation)
        if inside is not None:
            elements = self.annotated(inside, scope)
            return (ContainerValue(elements),) if elements else ()
        for name in class_names(annotation):
            if isinstance(name, nodes.Constant):
                values = self._dotted(str(name.value), scope)
            else:
                values = self.evaluate(name, scope)
            for one in values:
                if isinstance(one, ClassValue):
                    found.append(InstanceValue(one.class_))
                elif isinstance(one, External) and not one.name.startswith(NO_CLASSES):
                    found.append(External(self.knowledge.canonical(f"{one.name}()")))
        return merge(found)

    def _dotted(self, name: str, scope: Scope) -> Values:
        first, *rest = name.strip().split(".")
        values = self.name(first, scope) if first.isidentifier() else ()
        for attr in rest:
            values = self.attribute(values, attr)
        return values

    def entered(self, values: Values) -> Values:
        """Return what `with … as` binds for a context manager among the values."""
        result: list[Value] = []
        for value in values:
            if isinstance(value, InstanceValue):
                for method in self._instance_attribute(value, value.class_, "__enter__"):
                    if isinstance(method, FunctionValue):
                        result += self.returned(method.function)
            else:
                result.append(value)
        return tuple(result)


def _is_delegated(value: nodes.Expression, function: Function) -> bool:
    """Whether it is yielded by `yield from`."""
    parent = function.module.parents.get(value)
    return isinstance(parent, nodes.Yield) and parent.is_from


_ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"})

__all__ = [
    "ClassValue",
    "ContainerValue",
    "DisplayValue",
    "Evaluator",
    "External",
    "FunctionValue",
    "InstanceValue",
    "ModuleValue",
    "PackageValue",
    "RowValue",
    "Value",
    "Values",
    "runner_arguments",
]
