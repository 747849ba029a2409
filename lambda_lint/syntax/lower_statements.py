"""From LibCST's statements to ours; see `lower_expressions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lambda_lint.finding import Span
from lambda_lint.syntax import nodes
from lambda_lint.syntax.lower_expressions import BINARY_OPERATORS, Expressions, normal

if TYPE_CHECKING:
    import libcst as cst


class Statements(Expressions):
    """The methods for statements, patterns and the module."""

    def visit_Module(self, node: cst.Module) -> nodes.Module:
        """Lower a module. Its span reaches from its first statement to its last."""
        body = self._body(node.body)
        if self.at != len(self.words):
            raise self.lost()
        span = self.span(0) if self.words else Span(1, 1, 1, 1)
        return nodes.Module(span, body)

    def _body(self, statements: Sequence[Any]) -> list[nodes.Statement]:
        methods = self.methods
        found: list[nodes.Statement] = []
        for statement in statements:
            if type(statement).__name__ == "SimpleStatementLine":
                for small in statement.body:
                    found.append(methods[type(small)](small))
            else:
                found.append(methods[type(statement)](statement))
        return found

    def block(self, suite: Any) -> list[nodes.Statement]:
        """Lower an indented block, or the statements behind a colon."""
        return self._body(suite.body)

    def visit_Expr(self, node: cst.Expr) -> nodes.ExpressionStatement:
        """Lower an expression statement; its span has the parentheses around the expression."""
        first = self.at
        value = self.expression(node.value)
        return nodes.ExpressionStatement(self.span(first), value)

    def visit_Assign(self, node: cst.Assign) -> nodes.Assign:
        """Lower `a = b = value`."""
        first = self.at
        targets = [self.expression(one.target) for one in node.targets]
        value = self.expression(node.value)
        return nodes.Assign(self.span(first), targets, value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> nodes.AnnotatedAssign:
        """Lower `target: annotation = value`."""
        first = self.at
        target = self.expression(node.target)
        annotation = self.annotation(node.annotation)
        value = None if node.value is None else self.expression(node.value)
        return nodes.AnnotatedAssign(self.span(first), target, annotation, value)

    def visit_AugAssign(self, node: cst.AugAssign) -> nodes.AugmentedAssign:
        """Lower `target operator= value`."""
        first = self.at
        target = self.expression(node.target)
        operator = BINARY_OPERATORS[type(node.operator).__name__.removesuffix("Assign")]
        value = self.expression(node.value)
        return nodes.AugmentedAssign(self.span(first), target, operator, value)

    def visit_Return(self, node: cst.Return) -> nodes.Return:
        """Lower `return`."""
        first = self.at
        self.at += 1
        value = None if node.value is None else self.expression(node.value)
        return nodes.Return(self.span(first), value)

    def visit_Raise(self, node: cst.Raise) -> nodes.Raise:
        """Lower `raise`."""
        first = self.at
        self.at += 1
        exception = None if node.exc is None else self.expression(node.exc)
        cause = None
        if node.cause is not None:
            self.at += 1
            cause = self.expression(node.cause.item)
        return nodes.Raise(self.span(first), exception, cause)

    def visit_Del(self, node: cst.Del) -> nodes.Delete:
        """Lower `del`; several targets without parentheses are LibCST's tuple."""
        first = self.at
        self.at += 1
        target: Any = node.target
        if type(target).__name__ == "Tuple" and not target.lpar:
            targets = self._elements(target.elements)
            if type(target.elements[-1].comma).__name__ == "Comma":
                self.step_over_comma()
        else:
            targets = [self.expression(target)]
        return nodes.Delete(self.span(first), targets)

    def visit_Assert(self, node: cst.Assert) -> nodes.Assert:
        """Lower `assert`."""
        first = self.at
        self.at += 1
        test = self.expression(node.test)
        message = None if node.msg is None else self.expression(node.msg)
        return nodes.Assert(self.span(first), test, message)

    def visit_Global(self, node: cst.Global) -> nodes.Global:
        """Lower `global`."""
        first = self.at
        names = self._names(node.names)
        return nodes.Global(self.span(first), names)

    def visit_Nonlocal(self, node: cst.Nonlocal) -> nodes.Nonlocal:
        """Lower `nonlocal`."""
        first = self.at
        names = self._names(node.names)
        return nodes.Nonlocal(self.span(first), names)

    def _names(self, items: Sequence[cst.NameItem]) -> list[str]:
        self.at += 1
        for item in items:
            self.expect(item.name.value)
        return [normal(item.name.value) for item in items]

    def visit_Import(self, node: cst.Import) -> nodes.Import:
        """Lower `import`."""
        first = self.at
        self.at += 1
        aliases = [self._alias(alias) for alias in node.names]
        return nodes.Import(self.span(first), aliases)

    def visit_ImportFrom(self, node: cst.ImportFrom) -> nodes.ImportFrom:
        """Lower `from … import`."""
        first = self.at
        self.at += 1
        while self.at < len(self.words) and self.words[self.at] == "...":
            self.at += 1
        module = "" if node.module is None else self._dotted(node.module)
        self.expect("import")
        names: Any = node.names
        if isinstance(names, Sequence):
            if node.lpar is not None:
                self.at += 1
            aliases = [self._alias(alias) for alias in names]
            if node.lpar is not None:
                self.at += 1
        else:
            aliases = [nodes.Alias(self.expect("*"), "*")]
        return nodes.ImportFrom(self.span(first), module, len(node.relative), aliases)

    def visit_LazyImport(self, node: Any) -> nodes.Import:
        """Lower `lazy import` (PEP 810) as the import that it will be."""
        first = self.at
        self.expect("lazy")
        lowered = self.visit_Import(node)
        lowered.span = self.span(first)
        return lowered

    def visit_LazyImportFrom(self, node: Any) -> nodes.ImportFrom:
        """Lower `lazy from … import` (PEP 810) as the import that it will be."""
        first = self.at
        self.expect("lazy")
        lowered = self.visit_ImportFrom(node)
        lowered.span = self.span(first)
        return lowered

    def _alias(self, node: cst.ImportAlias) -> nodes.Alias:
        first = self.at
        name = self._dotted(node.name)
        asname = None
        if node.asname is not None:
            self.at += 1
            target: Any = node.asname.name
            self.expect(target.value)
            asname = normal(target.value)
        return nodes.Alias(self.span(first), name, asname)

    def _dotted(self, node: Any) -> str:
        names: list[str] = []
        while type(node).__name__ == "Attribute":
            names.append(node.attr.value)
            node = node.value
        names.append(node.value)
        names.reverse()
        for name in names:
            self.expect(name)
        return normal(".".join(names))

    def visit_Pass(self, node: cst.Pass) -> nodes.Simple:
        """Lower `pass`."""
        return nodes.Simple(self.expect("pass"), "pass")

    def visit_Break(self, node: cst.Break) -> nodes.Simple:
        """Lower `break`."""
        return nodes.Simple(self.expect("break"), "break")

    def visit_Continue(self, node: cst.Continue) -> nodes.Simple:
        """Lower `continue`."""
        return nodes.Simple(self.expect("continue"), "continue")

    def visit_TypeAlias(self, node: cst.TypeAlias) -> nodes.TypeAlias:
        """Lower `type name = value` (PEP 695)."""
        first = self.at
        self.expect("type")
        name = node.name.value
        self.expect(name)
        self._type_parameters(node.type_parameters)
        value = self.expression(node.value)
        return nodes.TypeAlias(self.span(first), normal(name), value)

    def _type_parameters(self, node: Any) -> None:
        """Step over `[T: bound = default]`, whose expressions do not run with the program."""
        if node is None:
            return
        self.at += 1
        for item in node.params:
            parameter = item.param
            if type(parameter).__name__ != "TypeVar":
                self.at += 1
            self.expect(parameter.name.value)
            if getattr(parameter, "bound", None) is not None:
                self.expression(parameter.bound)
            default = getattr(item, "default", None)
            if default is not None:
                # `*Ts = *default` is the one default with a star.
                if isinstance(getattr(item, "star", None), str) and item.star:
                    self.at += 1
                self.expression(default)
        self.at += 1

    def visit_If(self, node: cst.If) -> nodes.If:
        """Lower `if` with its `elif`, each of which ends where the whole statement ends."""
        chain: list[tuple[int, nodes.If]] = []
        orelse: Any = node
        while type(orelse) is type(node):
            first = self.at
            self.at += 1
            test = self.expression(orelse.test)
            body = self.block(orelse.body)
            chain.append((first, nodes.If(self.span(first), test, body, [])))
            orelse = orelse.orelse
        inner = self._else(orelse)
        for first, statement in reversed(chain):
            statement.span = self.span(first)
            statement.orelse = inner
            inner = [statement]
        return chain[0][1]

    def _else(self, node: cst.Else | cst.Finally | None) -> list[nodes.Statement]:
        if node is None:
            return []
        self.at += 1
        return self.block(node.body)

    def visit_For(self, node: cst.For) -> nodes.For:
        """Lower `for` and `async for`."""
        first = self.at
        is_async = node.asynchronous is not None
        self.at += 2 if is_async else 1
        target = self.expression(node.target)
        self.at += 1
        iterable = self.expression(node.iter)
        body = self.block(node.body)
        orelse = self._else(node.orelse)
        return nodes.For(self.span(first), target, iterable, body, orelse, is_async)

    def visit_While(self, node: cst.While) -> nodes.While:
        """Lower `while`."""
        first = self.at
        self.at += 1
        test = self.expression(node.test)
        body = self.block(node.body)
        orelse = self._else(node.orelse)
        return nodes.While(self.span(first), test, body, orelse)

    def visit_Try(self, node: cst.Try) -> nodes.Try:
        """Lower `try` with `except`."""
        return self._try(node, star=False)

    def visit_TryStar(self, node: cst.TryStar) -> nodes.Try:
        """Lower `try` with `except*`."""
        return self._try(node, star=True)

    def _try(self, node: cst.Try | cst.TryStar, *, star: bool) -> nodes.Try:
        first = self.at
        self.at += 1
        body = self.block(node.body)
        handlers = [self._handler(handler, star=star) for handler in node.handlers]
        orelse = self._else(node.orelse)
        finalbody = self._else(node.finalbody)
        return nodes.Try(self.span(first), body, handlers, orelse, finalbody, star)

    def _handler(
        self, node: cst.ExceptHandler | cst.ExceptStarHandler, *, star: bool
    ) -> nodes.ExceptHandler:
        first = self.at
        self.at += 2 if star else 1
        exception = None if node.type is None else self.expression(node.type)
        name = None
        if node.name is not None:
            self.at += 1
            target: Any = node.name.name
            self.expect(target.value)
            name = normal(target.value)
        body = self.block(node.body)
        return nodes.ExceptHandler(self.span(first), exception, name, body)

    def visit_With(self, node: cst.With) -> nodes.With:
        """Lower `with` and `async with`."""
        first = self.at
        is_async = node.asynchronous is not None
        self.at += 2 if is_async else 1
        parenthesised = type(node.lpar).__name__ == "LeftParen"
        self.at += parenthesised
        items = [self._with_item(item) for item in node.items]
        self.at += parenthesised
        body = self.block(node.body)
        return nodes.With(self.span(first), items, body, is_async)

    def _with_item(self, node: cst.WithItem) -> nodes.WithItem:
        first = self.at
        expression = self.expression(node.item)
        target = None
        if node.asname is not None:
            self.at += 1
            target = self.expression(node.asname.name)
        return nodes.WithItem(self.span(first), expression, target)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> nodes.FunctionDef:
        """Lower a function; its span begins behind the decorators."""
        decorators = [self.expression(one.decorator) for one in node.decorators]
        first = self.at
        is_async = node.asynchronous is not None
        self.at += 2 if is_async else 1
        name = node.name.value
        name_span = self.expect(name)
        self._type_parameters(getattr(node, "type_parameters", None))
        self.at += 1
        parameters = self.parameters(node.params)
        self.at += 1
        returns = None if node.returns is None else self.annotation(node.returns)
        body = self.block(node.body)
        return nodes.FunctionDef(
            self.span(first),
            normal(name),
            name_span,
            parameters,
            body,
            decorators,
            returns,
            is_async,
        )

    def visit_ClassDef(self, node: cst.ClassDef) -> nodes.ClassDef:
        """Lower a class; its span begins behind the decorators."""
        decorators = [self.expression(one.decorator) for one in node.decorators]
        first = self.at
        self.at += 1
        name = node.name.value
        name_span = self.expect(name)
        self._type_parameters(getattr(node, "type_parameters", None))
        parenthesised = type(node.lpar).__name__ == "LeftParen"
        self.at += parenthesised
        arguments = [self.argument(one) for one in (*node.bases, *node.keywords)]
        self.at += parenthesised
        body = self.block(node.body)
        return nodes.ClassDef(
            self.span(first), normal(name), name_span, arguments, body, decorators
        )

    def visit_Match(self, node: cst.Match) -> nodes.Match:
        """Lower `match`."""
        first = self.at
        self.at += 1
        subject = self.expression(node.subject)
        cases = [self._case(case) for case in node.cases]
        return nodes.Match(self.span(first), subject, cases)

    def _case(self, node: cst.MatchCase) -> nodes.Case:
        first = self.at
        self.at += 1
        bindings: list[str] = []
        values: list[nodes.Expression] = []
        self._pattern(node.pattern, bindings, values)
        guard = None
        if node.guard is not None:
            self.at += 1
            guard = self.expression(node.guard)
        body = self.block(node.body)
        # The alternatives of a pattern bind the same names.
        return nodes.Case(self.span(first), list(dict.fromkeys(bindings)), values, guard, body)

    def _pattern(self, node: Any, bindings: list[str], values: list[nodes.Expression]) -> None:
        kind = type(node).__name__
        if kind in ("MatchValue", "MatchSingleton"):
            values.append(self.expression(node.value))
            return
        parentheses = len(getattr(node, "lpar", ()))
        self.at += parentheses
        if kind == "MatchAs":
            if node.pattern is not None:
                self._pattern(node.pattern, bindings, values)
                self.at += 1
            self._binding(node.name, bindings)
        elif kind == "MatchStar":
            self.at += 1
            self._binding(node.name, bindings)
        elif kind == "MatchOr":
            for one in node.patterns:
                self._pattern(one.pattern, bindings, values)
        elif kind in ("MatchList", "MatchTuple"):
            # LibCST 1.1 gives brackets also to a sequence that has none.
            brackets = getattr(node, "lbracket", None) is not None and self.words[self.at] == "["
            self.at += brackets
            for one in node.patterns:
                star = type(one).__name__ == "MatchStar"
                self._pattern(one if star else one.value, bindings, values)
            self.at += brackets
        elif kind == "MatchMapping":
            self.at += 1
            for one in node.elements:
                values.append(self.expression(one.key))
                self._pattern(one.pattern, bindings, values)
            if node.rest is not None:
                self.at += 1
                self._binding(node.rest, bindings)
            self.at += 1
        elif kind == "MatchClass":
            values.append(self.expression(node.cls))
            self.at += 1
            for one in node.patterns:
                self._pattern(one.value, bindings, values)
            for one in node.kwds:
                self.expect(one.key.value)
                self._pattern(one.pattern, bindings, values)
            self.at += 1
        else:
            raise self.unreadable(f"the construct {kind} is not known to this version")
        self.at += parentheses

    def _binding(self, name: cst.Name | None, bindings: list[str]) -> None:
        """Step over the name of a pattern, which LibCST leaves out when it is `_`."""
        if name is None:
            self.expect("_")
            return
        self.expect(name.value)
        bindings.append(normal(name.value))
