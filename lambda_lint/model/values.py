"""What an expression may hold: project functions, classes, instances, modules, library objects.

An empty result means "unknown", never "nothing". Names of libraries are dotted, after aliases are
resolved; `()` stands for "made by calling": `boto3.session.Session().client` is the method
`client` of a session.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lambda_lint.model.imports import ImportMap
from lambda_lint.model.knowledge import Knowledge, Runner
from lambda_lint.model.program import Binding, Class, Function, Module, Scope
from lambda_lint.syntax import nodes

MAX_VALUES = 12
"""An expression with more possible values than this counts as unknown: nobody can judge it."""

MAX_DEPTH = 60
"""How deep one evaluation may follow names, attributes and returns before it gives up."""


@dataclass(frozen=True, slots=True)
class External:
    """Something of a library, by its dotted name. `origin` is the call that made it."""

    name: str
    origin: nodes.Call | None = None


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """A project function; `receiver` is what it is bound to, for a method read from an object."""

    function: Function
    receiver: Value | None = None


@dataclass(frozen=True, slots=True)
class ClassValue:
    """A project class."""

    class_: Class


@dataclass(frozen=True, slots=True)
class InstanceValue:
    """An instance of a project class. `origin` is the call that made it, None when unknown."""

    class_: Class
    origin: nodes.Call | None = None


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module of the project."""

    module: Module


@dataclass(frozen=True, slots=True)
class PackageValue:
    """A folder of the project that is imported as a package, by its dotted name."""

    dotted: str
    importer: str


@dataclass(frozen=True, slots=True)
class DisplayValue:
    """A list, tuple, set or dictionary that is written out in the source."""

    node: nodes.Expression
    scope: Scope


Value = (
    External
    | FunctionValue
    | ClassValue
    | InstanceValue
    | ModuleValue
    | PackageValue
    | DisplayValue
)
Values = tuple[Value, ...]

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
        self._memo: dict[tuple[nodes.Node, Scope], Values] = {}
        self._bindings: dict[Binding, Values] = {}
        self._returns: dict[Function, Values] = {}
        self._bases: dict[Class, tuple[tuple[Class, ...], tuple[str, ...]]] = {}
        self._busy: set[object] = set()
        self._depth = 0

    def forget(self) -> None:
        """Drop what was memoised, because more is known of parameters now."""
        self._memo.clear()
        self._bindings.clear()
        self._returns.clear()

    def evaluate(self, node: nodes.Expression, scope: Scope) -> Values:
        """Return what the expression may hold when it is evaluated in `scope`."""
        key = (node, scope)
        found = self._memo.get(key)
        if found is not None:
            return found
        if key in self._busy or self._depth > MAX_DEPTH:
            return ()
        self._busy.add(key)
        self._depth += 1
        try:
            result = _merge(self._evaluate(node, scope))
        finally:
            self._depth -= 1
            self._busy.discard(key)
        self._memo[key] = result
        return result

    def _evaluate(self, node: nodes.Expression, scope: Scope) -> Iterable[Value]:
        match node:
            case nodes.Name(id=name):
                return self.name(name, scope)
            case nodes.Attribute(value=value, attr=attr):
                return self._attributes(self.evaluate(value, scope), attr)
            case nodes.Call():
                return self._call(node, scope)
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
            case nodes.Subscript(value=value, index=index):
                return self._items(self.evaluate(value, scope), index)
        return ()

    def name(self, name: str, scope: Scope) -> Values:
        """Return what a plain name may hold in `scope`."""
        found = scope.lookup(name)
        if found is not None:
            return self.bound(found, name)
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
        """Return the union of what the bindings of `name` in `scope` give it."""
        bindings = scope.bindings.get(name, ())
        if len(bindings) > 4 * MAX_VALUES:
            return ()
        return _merge(value for one in bindings for value in self.binding(one))

    def member(self, module: Module, name: str) -> Values:
        """Return what the attribute `name` of a project module may hold."""
        if name in module.scope.bindings:
            return self.bound(module.scope, name)
        for star in module.stars:
            path = self._path_of(star)
            if path is not None and path in self.modules and path != module.path:
                key = ("star", module, name)
                if key in self._busy:
                    return ()
                self._busy.add(key)
                try:
                    values = self.member(self.modules[path], name)
                finally:
                    self._busy.discard(key)
                if values:
                    return values
        if module.path.endswith("__init__.py"):
            sibling = self.imports.find_relative(name, 1, module.path)
            if sibling is not None and sibling in self.modules:
                return (ModuleValue(self.modules[sibling]),)
        return ()

    def binding(self, binding: Binding) -> Values:
        """Return what one binding gives its name."""
        found = self._bindings.get(binding)
        if found is not None:
            return found
        if binding in self._busy or self._depth > MAX_DEPTH:
            return ()
        self._busy.add(binding)
        self._depth += 1
        try:
            result = _merge(self._binding(binding))
        finally:
            self._depth -= 1
            self._busy.discard(binding)
        self._bindings[binding] = result
        return result

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
            case "assign" if binding.value is not None:
                values = self.evaluate(binding.value, binding.scope)
                if binding.index is None:
                    return values
                return self._unpacked(values, binding.index)
            case "iterate" if binding.value is not None and binding.index is None:
                return self._elements(self.evaluate(binding.value, binding.scope))
            case "enter" if binding.value is not None and binding.index is None:
                return self.entered(self.evaluate(binding.value, binding.scope))
        return ()

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
            if function.has_simple_decorator("classmethod") or function.name == "__new__":
                return (ClassValue(function.class_),)
            return (InstanceValue(function.class_),)
        if parameter.kind in ("variadic", "keywords"):
            return ()
        values: list[Value] = []
        if parameter.annotation is not None and function.definition_scope is not None:
            values += self.annotated(parameter.annotation, function.definition_scope)
        if parameter.default is not None and function.definition_scope is not None:
            values += self.evaluate(parameter.default, function.definition_scope)
        values += self.parameter_values(function, parameter.name)
        return values

    def attribute(self, values: Values, attr: str) -> Values:
        """Return what the attribute `attr` of any of the values may hold."""
        return _merge(self._attributes(values, attr))

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
            for binding in one.attributes.get(attr, ()):
                assigned += self.binding(binding)
            if attr in one.scope.bindings:
                assigned += self.bound(one.scope, attr)
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
            if assigned:
                return assigned
        return [External(f"{name}().{attr}", value.origin) for name in libraries]

    def _class_attribute(self, value: ClassValue, class_: Class, attr: str) -> Iterable[Value]:
        project, libraries = self.lineage(class_)
        for one in project:
            method = one.methods.get(attr)
            if method is not None:
                bound = value if method.has_simple_decorator("classmethod") else None
                return (FunctionValue(method, bound),)
            assigned = list(self.bound(one.scope, attr)) if attr in one.scope.bindings else []
            # `cls.instance = cls()` in a class method, `Service.instance = Service()` anywhere.
            for binding in one.attributes.get(attr, ()):
                assigned += self.binding(binding)
            assigned += self._stored_on(ClassValue(one), attr)
            if assigned or attr in one.scope.bindings:
                return assigned
        return [External(f"{name}.{attr}") for name in libraries]

    def _stored_on(self, owner: Value, attr: str) -> Values:
        """Return what is assigned to an attribute of a class or module from outside of it."""
        found: list[Value] = []
        for target, value, scope in self._attribute_stores.get(attr, ()):
            if owner in self.evaluate(target, scope):
                found += self.evaluate(value, scope)
        return _merge(found)

    @cached_property
    def _attribute_stores(
        self,
    ) -> dict[str, list[tuple[nodes.Expression, nodes.Expression, Scope]]]:
        """Stores to attributes of something that is written as a plain dotted name."""
        found: dict[str, list[tuple[nodes.Expression, nodes.Expression, Scope]]] = {}
        for path in sorted(self.modules):
            module = self.modules[path]
            for function in [module.code, *module.functions]:
                for target, place, scope in function.stores:
                    if isinstance(target, nodes.Attribute) and isinstance(place, nodes.Assign):
                        found.setdefault(target.attr, []).append((target.value, place.value, scope))
        return found

    def is_property(self, method: Function) -> bool:
        """Whether reading this method calls it: a property, plain or cached."""
        if method.has_simple_decorator("property", "cached_property"):
            return True
        for decorator in method.decorators:
            for one in self.evaluate(decorator, method.definition_scope or method.scope):
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

    def _call(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        if isinstance(node.func, nodes.Name) and node.func.id == "super":
            yield from self._super(node, scope)
            return
        if isinstance(node.func, nodes.Attribute) and node.func.attr == "get" and node.arguments:
            yield from self._got(node, node.func, scope)
        for value in self.evaluate(node.func, scope):
            match value:
                case External(name="builtins.getattr") if len(node.arguments) >= 2:
                    name = node.arguments[1].value
                    if isinstance(name, nodes.Constant) and isinstance(name.value, str):
                        target = self.evaluate(node.arguments[0].value, scope)
                        yield from self._attributes(target, name.value)
                case External(name="functools.partial" | "copy.copy" | "copy.deepcopy"):
                    if node.arguments:
                        yield from self.evaluate(node.arguments[0].value, scope)
                case External(name="builtins.type") if len(node.arguments) == 1:
                    for one in self.evaluate(node.arguments[0].value, scope):
                        if isinstance(one, InstanceValue):
                            yield ClassValue(one.class_)
                case External(name="typing.cast") if len(node.arguments) == 2:
                    yield from self.evaluate(node.arguments[1].value, scope)
                case External(name="builtins.next" | "builtins.iter") if node.arguments:
                    yield from self._elements(self.evaluate(node.arguments[0].value, scope))
                case External(name=name):
                    runner = self.knowledge.runner(name)
                    if runner is not None and runner.when == "called":
                        # `async_to_sync(f)`: calling the result calls what was given.
                        for given in runner_arguments(node, runner):
                            yield from self.evaluate(given, scope)
                    yield External(self.knowledge.canonical(f"{name}()"), node)
                case ClassValue(class_=class_):
                    # `cls()` makes an object of whichever subclass the method was called on.
                    is_open = isinstance(node.func, nodes.Name) and self._is_first_parameter(
                        node.func.id, scope
                    )
                    yield InstanceValue(class_, None if is_open else node)
                case FunctionValue(function=function):
                    yield from self.returned(function)
                case InstanceValue(class_=class_):
                    for called in self._instance_attribute(value, class_, "__call__"):
                        if isinstance(called, FunctionValue):
                            yield from self.returned(called.function)

    def _is_first_parameter(self, name: str, scope: Scope) -> bool:
        found = scope.lookup(name)
        if found is None or found.function.class_ is None or not found.function.parameters:
            return False
        return found.function.parameters[0].name == name

    def _got(self, node: nodes.Call, func: nodes.Attribute, scope: Scope) -> Iterator[Value]:
        """`TABLE.get(key, default)` of a dictionary that is written out."""
        tables = tuple(
            one for one in self.evaluate(func.value, scope) if isinstance(one, DisplayValue)
        )
        if tables:
            yield from self._items(tables, node.arguments[0].value)
            if len(node.arguments) > 1:
                yield from self.evaluate(node.arguments[1].value, scope)

    def _super(self, node: nodes.Call, scope: Scope) -> Iterator[Value]:
        """The next class up. Naming an origin says that overriding subclasses are not meant."""
        method: Function | None = scope.function
        while method is not None and method.class_ is None:
            outer = method.definition_scope
            method = outer.function if outer is not None and not outer.function.is_module else None
        if method is None or method.class_ is None:
            return
        project, libraries = self.lineage(method.class_)
        if len(project) > 1:
            yield InstanceValue(project[1], node)
        for name in libraries:
            yield External(f"{name}()")

    def returned(self, function: Function) -> Values:
        """Return what calling a project function may give (entering it, for context managers)."""
        found = self._returns.get(function)
        if found is not None:
            return found
        if function in self._busy or self._depth > MAX_DEPTH:
            return ()
        self._busy.add(function)
        self._depth += 1
        try:
            results = function.returns or function.yields
            result = _merge(value for one, scope in results for value in self.evaluate(one, scope))
            returns = getattr(function.node, "returns", None)
            if not result and returns is not None and function.definition_scope is not None:
                result = self.annotated(returns, function.definition_scope)
        finally:
            self._depth -= 1
            self._busy.discard(function)
        self._returns[function] = result
        return result

    def annotated(self, annotation: nodes.Expression, scope: Scope) -> Values:
        """Return instances of the classes that an annotation names, unions and strings included."""
        found: list[Value] = []
        for name in _annotation_names(annotation):
            if isinstance(name, nodes.Constant):
                values = self._dotted(str(name.value), scope)
            else:
                values = self.evaluate(name, scope)
            for one in values:
                if isinstance(one, ClassValue):
                    found.append(InstanceValue(one.class_))
                elif isinstance(one, External) and not one.name.startswith(_NO_CLASSES):
                    found.append(External(self.knowledge.canonical(f"{one.name}()")))
        return _merge(found)

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

    def _items(self, values: Values, index: nodes.Expression) -> Iterator[Value]:
        key = index.value if isinstance(index, nodes.Constant) else None
        for value in values:
            if isinstance(value, DisplayValue) and isinstance(value.node, nodes.Dict):
                for item in value.node.items:
                    written = item.key.value if isinstance(item.key, nodes.Constant) else None
                    if key is None or written is None or key == written:
                        yield from self.evaluate(item.value, value.scope)
            elif isinstance(value, DisplayValue):
                yield from self._elements((value,))
            elif isinstance(value, External):
                yield External(f"{value.name}[]", value.origin)

    def _elements(self, values: Values) -> Iterator[Value]:
        for value in values:
            if isinstance(value, DisplayValue) and isinstance(value.node, nodes.Collection):
                for item in value.node.items:
                    yield from self.evaluate(item, value.scope)

    def _unpacked(self, values: Values, index: int) -> Iterator[Value]:
        for value in values:
            if isinstance(value, DisplayValue) and isinstance(value.node, nodes.Collection):
                if 0 <= index < len(value.node.items):
                    yield from self.evaluate(value.node.items[index], value.scope)
            elif isinstance(value, External):
                yield External(f"{value.name}[]", value.origin)


def runner_arguments(call: nodes.Call, runner: Runner) -> list[nodes.Expression]:
    """Return the arguments of a call that are the callables which it runs."""
    found: list[nodes.Expression] = []
    positional = [one.value for one in call.arguments if not one.name and not one.star]
    if runner.position is not None and runner.position < len(positional):
        found += positional[runner.position :] if runner.rest else [positional[runner.position]]
    if runner.keyword:
        found += [one.value for one in call.arguments if one.name == runner.keyword]
    return found


_NO_CLASSES = ("builtins.", "typing.", "typing_extensions.", "collections.")
"""Annotations from here say nothing about which object it is."""


def _annotation_names(annotation: nodes.Expression) -> Iterator[nodes.Expression]:
    """Yield the class names in `X`, `"X"`, `X | None`, `Optional[X]` and `Annotated[X, …]`."""
    match annotation:
        case nodes.Name() | nodes.Attribute() | nodes.Constant(kind="str"):
            yield annotation
        case nodes.BinaryOperation(left=left, operator="|", right=right):
            yield from _annotation_names(left)
            yield from _annotation_names(right)
        case nodes.Subscript(value=nodes.Name(id=name) | nodes.Attribute(attr=name), index=index):
            inner = index.items if isinstance(index, nodes.Collection) else [index]
            if name in ("Optional", "Union"):
                for one in inner:
                    yield from _annotation_names(one)
            elif name in ("Annotated", "Final", "ClassVar") and inner:
                yield from _annotation_names(inner[0])


def _merge(values: Iterable[Value]) -> Values:
    merged = tuple(dict.fromkeys(values))
    if len(merged) <= MAX_VALUES:
        return merged
    # Where an object was made matters less than what it is, so places are given up first.
    merged = tuple(dict.fromkeys(_without_origin(value) for value in merged))
    return merged if len(merged) <= MAX_VALUES else ()


def _without_origin(value: Value) -> Value:
    if isinstance(value, External):
        return External(value.name)
    if isinstance(value, InstanceValue):
        return InstanceValue(value.class_)
    return value
