"""The project as scopes, functions, classes and call sites: one walk over each module's tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lambda_lint.finding import Span
from lambda_lint.model.named_modules import (
    Named,
    named_by_call,
    named_by_target,
    pattern_of_call,
)
from lambda_lint.syntax import nodes


@dataclass(eq=False, slots=True)
class Binding:
    """One thing that gives a name its value.

    `kind` is assign, augmented, import, from, function, class, parameter, iterate, enter,
    exception, pattern or delete. `value` is the expression it takes the value (for iterate: its
    elements; for enter: what entering it yields) from. `index` is the position inside an unpacked
    target, or None when the whole value is bound.
    """

    kind: str
    node: nodes.Node
    scope: Scope
    value: nodes.Expression | None = None
    index: int | None = None
    function: Function | None = None
    class_: Class | None = None
    module: str = ""
    level: int = 0
    name: str = ""


@dataclass(eq=False, slots=True)
class Scope:
    """A namespace of the source: module, class, function, or comprehension.

    `function` is the one whose execution runs the code of this scope.
    """

    kind: str
    module: Module
    parent: Scope | None
    function: Function
    class_: Class | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)

    def bind(self, name: str, binding: Binding) -> None:
        """Add a binding, in the namespace that `global` and `nonlocal` choose."""
        target = self.owner(name)
        target.bindings.setdefault(name, []).append(binding)

    def owner(self, name: str) -> Scope:
        """Return the scope in which an assignment to `name` here would bind it."""
        how = self.declared.get(name)
        if how == "global":
            return self.module.scope
        if how == "nonlocal":
            outer = self.parent
            while outer is not None and outer.kind != "module":
                if outer.kind == "function" and name in outer.bindings:
                    return outer
                outer = outer.parent
        return self

    def lookup(self, name: str) -> Scope | None:
        """Return the scope that a use of `name` here reads from, or None for a builtin."""
        scope: Scope | None = self
        while scope is not None:
            how = scope.declared.get(name)
            if how == "global":
                scope = scope.module.scope
                return scope if name in scope.bindings else None
            if name in scope.bindings and (scope is self or scope.kind != "class") and not how:
                return scope
            scope = scope.parent
        return None


@dataclass(eq=False, slots=True)
class CallSite:
    """A call expression, with the function whose execution performs it."""

    node: nodes.Call
    scope: Scope
    function: Function

    @property
    def module(self) -> Module:
        """The module it stands in."""
        return self.scope.module

    @property
    def span(self) -> Span:
        """The place of the whole call."""
        return self.node.span


@dataclass(eq=False, slots=True)
class Function:
    """A function, a lambda, or the code of a module outside of any function (`is_module`)."""

    module: Module
    node: nodes.FunctionDef | nodes.Lambda | nodes.Module
    name: str
    qualname: str
    definition_scope: Scope | None
    class_: Class | None = None
    scope: Scope = field(init=False)
    calls: list[CallSite] = field(default_factory=list)
    attribute_loads: list[tuple[nodes.Attribute, Scope]] = field(default_factory=list)
    withs: list[tuple[nodes.With, Scope]] = field(default_factory=list)
    stores: list[tuple[nodes.Expression, nodes.Node, Scope]] = field(default_factory=list)
    returns: list[tuple[nodes.Expression, Scope]] = field(default_factory=list)
    yields: list[tuple[nodes.Expression, Scope]] = field(default_factory=list)
    nested: list[Function] = field(default_factory=list)
    #: What is put into the object behind a plain name: `name[key] = value`, `name.append(value)`.
    contents: list[tuple[str, nodes.Expression, Scope]] = field(default_factory=list)
    #: Subscripts, loops, comparisons and arithmetic, which may run special methods.
    operations: list[tuple[nodes.Node, Scope]] = field(default_factory=list)
    #: Classes that running this code defines.
    classes: list[Class] = field(default_factory=list)

    @property
    def is_module(self) -> bool:
        """Whether this is the code of a module rather than of a function."""
        return isinstance(self.node, nodes.Module)

    @property
    def parameters(self) -> list[nodes.Parameter]:
        """The parameters in source order, `self` included."""
        return [] if isinstance(self.node, nodes.Module) else self.node.parameters

    @property
    def decorators(self) -> list[nodes.Expression]:
        """The decorator expressions, outermost first."""
        return self.node.decorators if isinstance(self.node, nodes.FunctionDef) else []

    @property
    def is_method(self) -> bool:
        """Whether it is defined directly in a class body."""
        return self.class_ is not None

    @property
    def name_span(self) -> Span:
        """Where the name stands; for a lambda or a module, the node."""
        return self.node.name_span if isinstance(self.node, nodes.FunctionDef) else self.node.span

    def has_simple_decorator(self, *names: str) -> bool:
        """Whether one of the decorators ends in one of these plain names."""
        return any(_last_name(one) in names for one in self.decorators)

    def parameter(self, name: str) -> nodes.Parameter | None:
        """Return the parameter of that name."""
        return next((one for one in self.parameters if one.name == name), None)

    def __repr__(self) -> str:
        return f"<{self.module.path}:{self.qualname}>"


@dataclass(eq=False, slots=True)
class Class:
    """A class of the project."""

    module: Module
    node: nodes.ClassDef
    qualname: str
    definition_scope: Scope
    scope: Scope = field(init=False)
    methods: dict[str, Function] = field(default_factory=dict)
    #: What methods assign to attributes of their first parameter: name to (value, binding place).
    attributes: dict[str, list[Binding]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The plain name."""
        return self.node.name

    def __repr__(self) -> str:
        return f"<class {self.module.path}:{self.qualname}>"


@dataclass(eq=False, slots=True)
class Module:
    """A file of the project, indexed."""

    path: str
    tree: nodes.Module
    scope: Scope = field(init=False)
    code: Function = field(init=False)
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    parents: dict[nodes.Node, nodes.Node] = field(default_factory=dict)
    scope_of: dict[nodes.Node, Scope] = field(default_factory=dict)
    function_of: dict[nodes.Node, Function] = field(default_factory=dict)
    imports: list[Binding] = field(default_factory=list)
    stars: list[Binding] = field(default_factory=list)
    #: The names that functions declare `global`.
    declared_global: set[str] = field(default_factory=set)

    def ancestors(self, node: nodes.Node) -> Iterator[tuple[nodes.Node, nodes.Node]]:
        """Yield (child, parent) from the node outwards, up to the function that holds it."""
        child = node
        while (parent := self.parents.get(child)) is not None:
            yield child, parent
            if isinstance(parent, (nodes.FunctionDef, nodes.Lambda, nodes.Module)):
                return
            child = parent

    def statement_of(self, node: nodes.Node) -> nodes.Statement | None:
        """Return the innermost statement that holds the node."""
        current: nodes.Node | None = node
        while current is not None and not isinstance(current, nodes.Statement):
            current = self.parents.get(current)
        return current

    def __repr__(self) -> str:
        return f"<module {self.path}>"


def index(path: str, tree: nodes.Module) -> Module:
    """Index one module. Pure; deterministic; each node is visited once."""
    module = Module(path, tree)
    module.code = Function(module, tree, "<module>", "<module>", None)
    module.scope = Scope("module", module, None, module.code)
    module.code.scope = module.scope
    _Indexer(module).block(tree.body, tree, module.scope)
    return module


class _Indexer:
    """The one walk. Each method gets the node, its parent and the scope that runs it."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.parents = module.parents

    def block(self, body: list[nodes.Statement], parent: nodes.Node, scope: Scope) -> None:
        # `global` counts for the whole function wherever it stands, so it is read first.
        for statement in body:
            self.visit(statement, parent, scope)

    def visit(self, node: nodes.Node | None, parent: nodes.Node, scope: Scope) -> None:
        if node is None:
            return
        self.parents[node] = parent
        method = _VISITORS.get(type(node))
        if method is not None:
            method(self, node, scope)
        else:
            self.visit_children(node, scope)

    def visit_children(self, node: nodes.Node, scope: Scope) -> None:
        for child in nodes.children(node):
            self.visit(child, node, scope)

    # Definitions.

    def visit_FunctionDef(self, node: nodes.FunctionDef, scope: Scope) -> None:
        for decorator in node.decorators:
            self.visit(decorator, node, scope)
        self.visit(node.returns, node, scope)
        function = self.new_function(node, node.name, scope)
        scope.bind(node.name, Binding("function", node, scope, function=function))
        if scope.kind == "class" and scope.class_ is not None:
            function.class_ = scope.class_
            # Of a property's getter and setter the first one, the getter, is what a read calls.
            is_accessor = any(
                isinstance(one, nodes.Attribute) and one.attr in ("setter", "deleter")
                for one in node.decorators
            )
            if not is_accessor:
                scope.class_.methods[node.name] = function
        self.parameters(node.parameters, node, scope, function)
        self.declarations(node.body, function.scope)
        self.block(node.body, node, function.scope)

    def visit_Lambda(self, node: nodes.Lambda, scope: Scope) -> None:
        function = self.new_function(node, "<lambda>", scope)
        self.module.function_of[node] = function
        self.parameters(node.parameters, node, scope, function)
        self.visit(node.body, node, function.scope)
        function.returns.append((node.body, function.scope))

    def new_function(
        self, node: nodes.FunctionDef | nodes.Lambda, name: str, scope: Scope
    ) -> Function:
        outer = scope.function
        if scope.kind == "class" and scope.class_ is not None:
            prefix = scope.class_.qualname + "."
        else:
            prefix = "" if outer.is_module else outer.qualname + "."
        function = Function(self.module, node, name, prefix + name, scope)
        function.scope = Scope("function", self.module, scope, function)
        self.module.functions.append(function)
        self.module.function_of[node] = function
        outer.nested.append(function)
        return function

    def parameters(
        self,
        parameters: list[nodes.Parameter],
        parent: nodes.Node,
        scope: Scope,
        function: Function,
    ) -> None:
        for parameter in parameters:
            self.parents[parameter] = parent
            self.visit(parameter.default, parameter, scope)
            self.visit(parameter.annotation, parameter, scope)
            function.scope.bind(
                parameter.name,
                Binding("parameter", parameter, function.scope, name=parameter.name),
            )

    def declarations(self, body: list[nodes.Statement], scope: Scope) -> None:
        """Read `global` and `nonlocal` before anything is bound; they hold for the whole body."""
        for statement in body:
            if isinstance(statement, nodes.Global):
                self.module.declared_global.update(statement.names)
                scope.declared.update((name, "global") for name in statement.names)
            elif isinstance(statement, nodes.Nonlocal):
                scope.declared.update((name, "nonlocal") for name in statement.names)
            elif not isinstance(statement, (nodes.FunctionDef, nodes.ClassDef)):
                for inner in nodes.children(statement):
                    if isinstance(inner, nodes.Statement):
                        self.declarations([inner], scope)
                    elif isinstance(inner, (nodes.ExceptHandler, nodes.Case)):
                        self.declarations(inner.body, scope)

    def visit_ClassDef(self, node: nodes.ClassDef, scope: Scope) -> None:
        for decorator in node.decorators:
            self.visit(decorator, node, scope)
        for argument in node.arguments:
            self.visit(argument, node, scope)
        if scope.kind == "class" and scope.class_ is not None:
            prefix = scope.class_.qualname + "."
        else:
            prefix = "" if scope.function.is_module else scope.function.qualname + "."
        class_ = Class(self.module, node, prefix + node.name, scope)
        class_.scope = Scope("class", self.module, scope, scope.function, class_=class_)
        self.module.classes.append(class_)
        scope.function.classes.append(class_)
        scope.bind(node.name, Binding("class", node, scope, class_=class_))
        self.declarations(node.body, class_.scope)
        self.block(node.body, node, class_.scope)

    # Bindings.

    def visit_Import(self, node: nodes.Import, scope: Scope) -> None:
        for alias in node.names:
            self.parents[alias] = node
            if alias.asname:
                binding = Binding("import", node, scope, module=alias.name)
                scope.bind(alias.asname, binding)
            else:
                first = alias.name.partition(".")[0]
                binding = Binding("import", node, scope, module=first)
                scope.bind(first, binding)
                if first != alias.name:
                    self.module.imports.append(Binding("import", node, scope, module=alias.name))
            self.module.imports.append(binding)

    def visit_ImportFrom(self, node: nodes.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            self.parents[alias] = node
            binding = Binding(
                "from", node, scope, module=node.module, level=node.level, name=alias.name
            )
            self.module.imports.append(binding)
            if alias.name == "*":
                self.module.stars.append(binding)
            else:
                scope.bind(alias.asname or alias.name, binding)

    def visit_Assign(self, node: nodes.Assign, scope: Scope) -> None:
        self.visit(node.value, node, scope)
        for target in node.targets:
            self.target(target, node, scope, "assign", node.value)
            self.assigned(target, node, scope, node.value)

    def visit_AnnotatedAssign(self, node: nodes.AnnotatedAssign, scope: Scope) -> None:
        self.visit(node.annotation, node, scope)
        self.visit(node.value, node, scope)
        self.target(node.target, node, scope, "assign", node.value)
        if node.value is not None:
            self.assigned(node.target, node, scope, node.value)

    def visit_AugmentedAssign(self, node: nodes.AugmentedAssign, scope: Scope) -> None:
        self.visit(node.value, node, scope)
        self.target(node.target, node, scope, "augmented", node.value)
        self.assigned(node.target, node, scope, node.value)

    def assigned(
        self, target: nodes.Expression, node: nodes.Node, scope: Scope, value: nodes.Expression
    ) -> None:
        at_module_level = scope.kind == "module"
        self.named(node, scope, named_by_target(target, value, at_module_level=at_module_level))

    def named(self, node: nodes.Node, scope: Scope, found: Iterable[Named]) -> None:
        for one in found:
            kind = "from" if one.name else "import"
            self.module.imports.append(
                Binding(kind, node, scope, module=one.module, level=one.level, name=one.name)
            )

    def visit_Walrus(self, node: nodes.Walrus, scope: Scope) -> None:
        self.visit(node.value, node, scope)
        outer = scope
        while outer.kind == "comprehension" and outer.parent is not None:
            outer = outer.parent
        self.target(node.target, node, outer, "assign", node.value)

    def visit_For(self, node: nodes.For, scope: Scope) -> None:
        scope.function.operations.append((node, scope))
        self.visit(node.iterable, node, scope)
        self.target(node.target, node, scope, "iterate", node.iterable)
        self.block(node.body, node, scope)
        self.block(node.orelse, node, scope)

    def visit_With(self, node: nodes.With, scope: Scope) -> None:
        scope.function.withs.append((node, scope))
        for item in node.items:
            self.parents[item] = node
            self.visit(item.expression, item, scope)
            if item.target is not None:
                self.target(item.target, item, scope, "enter", item.expression)
        self.block(node.body, node, scope)

    def visit_ExceptHandler(self, node: nodes.ExceptHandler, scope: Scope) -> None:
        self.visit(node.exception, node, scope)
        if node.name:
            scope.bind(node.name, Binding("exception", node, scope, value=node.exception))
        self.block(node.body, node, scope)

    def visit_Case(self, node: nodes.Case, scope: Scope) -> None:
        match = self.parents[node]
        subject = match.subject if isinstance(match, nodes.Match) else None
        for name in node.bindings:
            scope.bind(name, Binding("pattern", node, scope, value=subject))
        for value in node.values:
            self.visit(value, node, scope)
        self.visit(node.guard, node, scope)
        self.block(node.body, node, scope)

    def visit_Delete(self, node: nodes.Delete, scope: Scope) -> None:
        for target in node.targets:
            if not isinstance(target, nodes.Name):
                self.visit(target, node, scope)
            self.parents[target] = node

    def target(
        self,
        target: nodes.Expression,
        parent: nodes.Node,
        scope: Scope,
        kind: str,
        value: nodes.Expression | None,
        index: int | None = None,
    ) -> None:
        self.parents[target] = parent
        if isinstance(target, nodes.Name):
            scope.bind(target.id, Binding(kind, parent, scope, value=value, index=index))
            scope.function.stores.append((target, parent, scope))
            self.module.scope_of[target] = scope
        elif isinstance(target, nodes.Starred):
            self.target(target.value, target, scope, kind, value, -1)
        elif isinstance(target, nodes.Collection):
            values = value.items if isinstance(value, nodes.Collection) else []
            matched = kind == "assign" and len(values) == len(target.items)
            for position, item in enumerate(target.items):
                if matched:
                    self.target(item, target, scope, kind, values[position])
                else:
                    # What is inside of an unpacked part has no position of its own.
                    place = position if index is None else -1
                    self.target(item, target, scope, kind, value, place)
        else:
            scope.function.stores.append((target, parent, scope))
            self.visit_children(target, scope)
            root = _root_name(target)
            if root and value is not None:
                scope.function.contents.append((root, value, scope))
            self.module.scope_of[target] = scope
            if isinstance(target, nodes.Attribute):
                self.instance_attribute(target, parent, scope, kind, value, index)

    def instance_attribute(
        self,
        target: nodes.Attribute,
        parent: nodes.Node,
        scope: Scope,
        kind: str,
        value: nodes.Expression | None,
        index: int | None,
    ) -> None:
        """Remember `self.x = value` with the class whose method this is."""
        method: Function | None = scope.function
        while method is not None and method.class_ is None:
            outer = method.definition_scope
            method = outer.function if outer is not None and not outer.function.is_module else None
        if method is None or method.class_ is None or not method.parameters:
            return
        if isinstance(target.value, nodes.Name) and target.value.id == method.parameters[0].name:
            method.class_.attributes.setdefault(target.attr, []).append(
                Binding(kind, parent, scope, value=value, index=index)
            )

    # Expressions.

    def visit_Call(self, node: nodes.Call, scope: Scope) -> None:
        site = CallSite(node, scope, scope.function)
        scope.function.calls.append(site)
        self.module.scope_of[node] = scope
        self.visit(node.func, node, scope)
        for argument in node.arguments:
            self.visit(argument, node, scope)
        self.named(node, scope, named_by_call(node))
        pattern = pattern_of_call(node, scope)
        if pattern:
            self.named(node, scope, [Named(pattern)])
        if isinstance(node.func, nodes.Attribute) and node.func.attr in FILLING:
            root = _root_name(node.func.value)
            if root:
                for argument in node.arguments:
                    scope.function.contents.append((root, argument.value, scope))

    def visit_Constant(self, node: nodes.Constant, scope: Scope) -> None:
        """A text like `senders.queue.Queue` may be given to something that imports it."""
        if node.kind == "str" and isinstance(node.value, str) and _CLASS_PATH.match(node.value):
            module = re.split(r"[.:](?=\w+\Z)", node.value)[0]
            self.module.imports.append(Binding("import", node, scope, module=module))

    def visit_Attribute(self, node: nodes.Attribute, scope: Scope) -> None:
        scope.function.attribute_loads.append((node, scope))
        self.module.scope_of[node] = scope
        self.visit(node.value, node, scope)

    def visit_Subscript(self, node: nodes.Subscript, scope: Scope) -> None:
        scope.function.operations.append((node, scope))
        self.visit_children(node, scope)

    def visit_Comparison(self, node: nodes.Comparison, scope: Scope) -> None:
        scope.function.operations.append((node, scope))
        self.visit_children(node, scope)

    def visit_BinaryOperation(self, node: nodes.BinaryOperation, scope: Scope) -> None:
        scope.function.operations.append((node, scope))
        self.visit_children(node, scope)

    def visit_Name(self, node: nodes.Name, scope: Scope) -> None:
        self.module.scope_of[node] = scope

    def visit_Comprehension(self, node: nodes.Comprehension, scope: Scope) -> None:
        inner = Scope("comprehension", self.module, scope, scope.function)
        self.module.scope_of[node] = inner
        for position, clause in enumerate(node.clauses):
            self.parents[clause] = node
            scope.function.operations.append((clause, inner if position else scope))
            # The first iterable is evaluated outside of the comprehension's own scope.
            self.visit(clause.iterable, clause, inner if position else scope)
            self.target(clause.target, clause, inner, "iterate", clause.iterable)
            for condition in clause.conditions:
                self.visit(condition, clause, inner)
        for element in node.elements:
            self.visit(element, node, inner)

    def visit_Return(self, node: nodes.Return, scope: Scope) -> None:
        if node.value is not None:
            scope.function.returns.append((node.value, scope))
            self.visit(node.value, node, scope)

    def visit_Yield(self, node: nodes.Yield, scope: Scope) -> None:
        if node.value is not None:
            scope.function.yields.append((node.value, scope))
            self.visit(node.value, node, scope)


_VISITORS = {
    kind: getattr(_Indexer, f"visit_{name}")
    for name, kind in nodes.NODE_TYPES.items()
    if hasattr(_Indexer, f"visit_{name}")
}


FILLING = frozenset(
    {"append", "add", "extend", "insert", "update", "setdefault", "appendleft", "set", "put"}
)
"""Methods of containers and context variables that put their arguments into the object."""


_CLASS_PATH = re.compile(r"[a-z_]\w*(?:\.\w+)*[.:][A-Z]\w*\Z", re.ASCII)
"""The dotted name of a class, of which the case tells it from host names and files."""


def _root_name(expression: nodes.Expression) -> str:
    """Return the plain name that attributes and subscripts start from, or nothing."""
    while isinstance(expression, (nodes.Attribute, nodes.Subscript)):
        expression = expression.value
    return expression.id if isinstance(expression, nodes.Name) else ""


def _last_name(expression: nodes.Expression) -> str:
    if isinstance(expression, nodes.Call):
        return _last_name(expression.func)
    if isinstance(expression, nodes.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, nodes.Name) else ""
