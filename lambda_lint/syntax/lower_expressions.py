"""From LibCST's expressions to ours.

The methods carry the names of LibCST's own visitors. Each steps over the tokens of its node, see
`cursor`; `expression` steps over the parentheses around it.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lambda_lint.finding import Span
from lambda_lint.syntax import nodes
from lambda_lint.syntax.cursor import Cursor

if TYPE_CHECKING:
    import libcst as cst


class Expressions(Cursor):
    """The methods for expressions."""

    #: Where the last of several indices ends.
    _index_end = (0, 0)

    def expression(self, node: Any) -> nodes.Expression:
        """Lower any expression; its span is without parentheses around it, as `ast` has it."""
        if node.lpar:
            self.at += len(node.lpar)
            result: nodes.Expression = self.methods[type(node)](node)
            self.at += len(node.rpar)
            return result
        lowered: nodes.Expression = self.methods[type(node)](node)
        return lowered

    def visit_Name(self, node: cst.Name) -> nodes.Expression:
        """Lower a name, or one of the constants that are names to LibCST."""
        value = node.value
        span = self.expect(value)
        if value in _NAMED_CONSTANTS:
            return nodes.Constant(span, *_NAMED_CONSTANTS[value])
        return nodes.Name(span, normal(value))

    def visit_Attribute(self, node: cst.Attribute) -> nodes.Attribute:
        """Lower `value.attr`."""
        first = self.at
        value = self.expression(node.value)
        attr = node.attr.value
        self.expect(attr)
        return nodes.Attribute(self.span(first), value, normal(attr))

    def visit_Call(self, node: cst.Call) -> nodes.Call:
        """Lower a call."""
        first = self.at
        func = self.expression(node.func)
        self.at += 1
        arguments = [self.argument(argument) for argument in node.args]
        self.at += 1
        return nodes.Call(self.span(first), func, arguments)

    def argument(self, node: cst.Arg) -> nodes.Argument:
        """Lower an argument; its span has the star, the name and parentheses around the value."""
        first = self.at
        star = node.star
        if star:
            self.at += 1
        name = None
        if node.keyword is not None:
            name = node.keyword.value
            self.expect(name)
            name = normal(name)
        value = self.expression(node.value)
        return nodes.Argument(self.span(first), value, name, star)

    def visit_Integer(self, node: cst.Integer) -> nodes.Constant:
        """Lower an integer; the value of one with thousands of digits is None."""
        digits = node.value
        value = int(digits, 0) if len(digits) < _MAX_DIGITS else None
        return nodes.Constant(self.leaf(), "int", value)

    def visit_Float(self, node: cst.Float) -> nodes.Constant:
        """Lower a floating point number."""
        return nodes.Constant(self.leaf(), "float", float(node.value))

    def visit_Imaginary(self, node: cst.Imaginary) -> nodes.Constant:
        """Lower an imaginary number: its value is its source."""
        return nodes.Constant(self.leaf(), "complex", node.value)

    def visit_Ellipsis(self, node: cst.Ellipsis) -> nodes.Constant:
        """Lower `...`."""
        return nodes.Constant(self.leaf(), "ellipsis")

    def visit_SimpleString(self, node: cst.SimpleString) -> nodes.Constant:
        """Lower a string or bytes without replacement fields."""
        source = node.value
        quote = min(at for at in (source.find('"'), source.find("'")) if at >= 0)
        prefix = source[:quote].lower()
        if "b" in prefix:
            return nodes.Constant(self.leaf(), "bytes", source)
        size = 3 if source[quote : quote + 3] in ('"""', "'''") else 1
        value = source[quote + size : -size]
        if "\\" in value and "r" not in prefix:
            value = self._evaluated(source)
        return nodes.Constant(self.leaf(), "str", value)

    def visit_FormattedString(self, node: cst.FormattedString) -> nodes.FormattedString:
        """Lower an f-string."""
        first = self.at
        self.at += 1
        parts: list[nodes.Expression] = []
        self._parts(node.parts, "r" in node.start.lower(), parts)
        self.at += 1
        return nodes.FormattedString(self.span(first), parts)

    def visit_TemplatedString(self, node: Any) -> nodes.FormattedString:
        """Lower a t-string (PEP 750), which has the fields of an f-string."""
        return self.visit_FormattedString(node)

    def _parts(self, parts: Sequence[Any], raw: bool, found: list[nodes.Expression]) -> None:
        for part in parts:
            if not hasattr(part, "expression"):
                text = part.value.replace("{{", "{").replace("}}", "}")
                if "\\" in text and not raw:
                    text = self._evaluated(f'"{_QUOTABLE.sub(_quoted, text)}"')
                found.append(nodes.Constant(self.between(), "str", text))
                continue
            self.at += 1
            found.append(self.expression(part.expression))
            if part.conversion is not None:
                self.expect(part.conversion)
            for spec in part.format_spec or ():
                # The literal text of a format specification is no part of the result.
                if hasattr(spec, "expression"):
                    self._parts((spec,), raw, found)
            self.at += 1

    def visit_ConcatenatedString(self, node: cst.ConcatenatedString) -> nodes.Expression:
        """Lower adjacent strings: one constant, or one formatted string if any of them is one."""
        first = self.at
        pieces: list[nodes.Expression] = []
        rest: Any = node
        while type(rest) is type(node):
            pieces.append(self.expression(rest.left))
            rest = rest.right
        pieces.append(self.expression(rest))
        span = self.span(first)
        constants = [piece for piece in pieces if isinstance(piece, nodes.Constant)]
        if len(constants) == len(pieces):
            kind = constants[0].kind
            glue = " " if kind == "bytes" else ""
            return nodes.Constant(span, kind, glue.join(str(one.value) for one in constants))
        parts: list[nodes.Expression] = []
        for piece in pieces:
            parts.extend(piece.parts if isinstance(piece, nodes.FormattedString) else [piece])
        return nodes.FormattedString(span, parts)

    def _evaluated(self, source: str) -> str:
        try:
            value = ast.literal_eval(source)
        except (SyntaxError, ValueError) as error:
            raise self.unreadable(f"syntax error: {getattr(error, 'msg', error)}") from None
        assert isinstance(value, str), "only the source of a string is evaluated"
        return value

    def visit_Subscript(self, node: cst.Subscript) -> nodes.Subscript:
        """Lower `value[index]`."""
        first = self.at
        value = self.expression(node.value)
        self.at += 1
        inner = self.at
        elements = node.slice
        indices: list[nodes.Expression] = []
        for element in elements:
            indices.append(self.methods[type(element.slice)](element.slice))
            if len(elements) > 1:
                self._index_end = indices[-1].span[2:]
        comma = _is_comma(elements[-1].comma)
        if len(indices) == 1 and not comma and not isinstance(indices[0], nodes.Starred):
            index = indices[0]
        else:
            index = self._tuple(inner, indices, comma)
        self.at += 1
        return nodes.Subscript(self.span(first), value, index)

    def visit_Index(self, node: cst.Index) -> nodes.Expression:
        """Lower an index within a subscript, perhaps starred."""
        if not getattr(node, "star", None):
            return self.expression(node.value)
        first = self.at
        self.at += 1
        value = self.expression(node.value)
        return nodes.Starred(self.span(first), value)

    def visit_Slice(self, node: cst.Slice) -> nodes.Slice:
        """Lower `lower:upper:step`. The colons are no tokens, so their places are looked up."""
        first = self.at
        # Between this slice and the one before it there may be no token either.
        behind = max(self.places[first - 1][2:], self._index_end)
        start: tuple[int, int] | None = None
        lower = upper = step = None
        if node.lower is not None:
            lower = self.expression(node.lower)
            start = self.places[first][:2]
            behind = self.places[self.at - 1][2:]
        end = self.colon(behind)
        line, column = start or (end[0], end[1] - 1)
        if node.upper is not None:
            upper = self.expression(node.upper)
            end = self.places[self.at - 1][2:]
        if type(node.second_colon).__name__ == "Colon":
            end = self.colon(end)
        if node.step is not None:
            step = self.expression(node.step)
            end = self.places[self.at - 1][2:]
        return nodes.Slice(Span(line, column, *end), lower, upper, step)

    def visit_Tuple(self, node: cst.Tuple) -> nodes.Collection:
        """Lower a tuple; its own parentheses belong to its span, as `ast` has it."""
        first = self.at
        items = self._elements(node.elements)
        if node.lpar:
            line, column = self.places[first - 1][:2]
            end_line, end_column = self.places[self.at][2:]
            return nodes.Collection(Span(line, column, end_line, end_column), "tuple", items)
        return self._tuple(first, items, _is_comma(node.elements[-1].comma))

    def _tuple(self, first: int, items: list[nodes.Expression], comma: bool) -> nodes.Collection:
        """A tuple without parentheses, perhaps with a last comma."""
        if comma:
            # A slice may end at a colon, behind the last token.
            self.step_over_comma()
        span = self.span(first)
        if items and isinstance(items[0], nodes.Slice):
            span = span._replace(line=items[0].span.line, column=items[0].span.column)
        if not comma and items and isinstance(items[-1], nodes.Slice):
            end = items[-1].span
            span = span._replace(end_line=end.end_line, end_column=end.end_column)
        return nodes.Collection(span, "tuple", items)

    def visit_List(self, node: cst.List) -> nodes.Collection:
        """Lower a list display."""
        return self._display("list", node.elements)

    def visit_Set(self, node: cst.Set) -> nodes.Collection:
        """Lower a set display."""
        return self._display("set", node.elements)

    def _display(self, kind: str, elements: Sequence[Any]) -> nodes.Collection:
        first = self.at
        self.at += 1
        items = self._elements(elements)
        self.at += 1
        return nodes.Collection(self.span(first), kind, items)

    def _elements(self, elements: Sequence[Any]) -> list[nodes.Expression]:
        methods = self.methods
        return [methods[type(element)](element) for element in elements]

    def visit_Element(self, node: cst.Element) -> nodes.Expression:
        """Lower a plain item of a display."""
        return self.expression(node.value)

    def visit_StarredElement(self, node: cst.StarredElement) -> nodes.Starred:
        """Lower `*value`."""
        first = self.at
        self.at += 1
        value = self.expression(node.value)
        return nodes.Starred(self.span(first), value)

    def visit_Dict(self, node: cst.Dict) -> nodes.Dict:
        """Lower a dictionary display."""
        first = self.at
        self.at += 1
        methods = self.methods
        items: list[nodes.DictItem] = [methods[type(one)](one) for one in node.elements]
        self.at += 1
        return nodes.Dict(self.span(first), items)

    def visit_DictElement(self, node: cst.DictElement) -> nodes.DictItem:
        """Lower `key: value`."""
        first = self.at
        key = self.expression(node.key)
        value = self.expression(node.value)
        return nodes.DictItem(self.span(first), key, value)

    def visit_StarredDictElement(self, node: cst.StarredDictElement) -> nodes.DictItem:
        """Lower `**value`."""
        first = self.at
        self.at += 1
        value = self.expression(node.value)
        return nodes.DictItem(self.span(first), None, value)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> nodes.BinaryOperation:
        """Lower an arithmetic or bit operation."""
        first = self.at
        left = self.expression(node.left)
        kind = type(node.operator).__name__
        if kind in _TOKEN_OPERATORS:
            self.at += 1
        right = self.expression(node.right)
        return nodes.BinaryOperation(self.span(first), left, BINARY_OPERATORS[kind], right)

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> nodes.BooleanOperation:
        """Lower `and` and `or`; a chain of one operator without parentheses becomes one node."""
        kind = type(node.operator)
        chain: list[Any] = [node.right]
        left: Any = node.left
        while type(left) is type(node) and type(left.operator) is kind and not left.lpar:
            chain.append(left.right)
            left = left.left
        first = self.at
        operands = [self.expression(left)]
        for operand in reversed(chain):
            self.at += 1
            operands.append(self.expression(operand))
        operator = "and" if kind.__name__ == "And" else "or"
        return nodes.BooleanOperation(self.span(first), operator, operands)

    def visit_Comparison(self, node: cst.Comparison) -> nodes.Comparison:
        """Lower a chain of comparisons."""
        first = self.at
        left = self.expression(node.left)
        operators: list[str] = []
        comparators: list[nodes.Expression] = []
        for target in node.comparisons:
            operator, words = _COMPARISONS[type(target.operator).__name__]
            self.at += words
            operators.append(operator)
            comparators.append(self.expression(target.comparator))
        return nodes.Comparison(self.span(first), left, operators, comparators)

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> nodes.UnaryOperation:
        """Lower `not x`, `-x`, `+x` and `~x`."""
        first = self.at
        operator = self.words[first]
        self.at += 1
        operand = self.expression(node.expression)
        return nodes.UnaryOperation(self.span(first), operator, operand)

    def visit_IfExp(self, node: cst.IfExp) -> nodes.Conditional:
        """Lower `body if test else orelse`."""
        first = self.at
        body = self.expression(node.body)
        self.at += 1
        test = self.expression(node.test)
        self.at += 1
        orelse = self.expression(node.orelse)
        return nodes.Conditional(self.span(first), test, body, orelse)

    def visit_Lambda(self, node: cst.Lambda) -> nodes.Lambda:
        """Lower a lambda."""
        first = self.at
        self.at += 1
        parameters = self.parameters(node.params)
        body = self.expression(node.body)
        return nodes.Lambda(self.span(first), parameters, body)

    def parameters(self, node: cst.Parameters) -> list[nodes.Parameter]:
        """Lower the parameters of a function or lambda, in the order of the source."""
        found = [self._parameter(one, "positional-only") for one in node.posonly_params]
        found += [self._parameter(one, "positional") for one in node.params]
        star = type(node.star_arg).__name__
        if star == "Param":
            found.append(self._parameter(node.star_arg, "variadic"))
        elif star == "ParamStar":
            self.at += 1
        found += [self._parameter(one, "keyword-only") for one in node.kwonly_params]
        if node.star_kwarg is not None:
            found.append(self._parameter(node.star_kwarg, "keywords"))
        return found

    def _parameter(self, node: Any, kind: str) -> nodes.Parameter:
        first = self.at
        if kind in ("variadic", "keywords"):
            self.at += 1
        name = node.name.value
        self.expect(name)
        annotation = node.annotation and self.annotation(node.annotation)
        default = None if node.default is None else self.expression(node.default)
        return nodes.Parameter(self.span(first), normal(name), kind, default, annotation)

    def annotation(self, node: cst.Annotation) -> nodes.Expression:
        """Lower an annotation; that of `*args` may be starred (PEP 646)."""
        return self.expression(node.annotation)

    def visit_ListComp(self, node: cst.ListComp) -> nodes.Comprehension:
        """Lower a list comprehension."""
        return self._comprehension("list", (node.elt,), node.for_in)

    def visit_SetComp(self, node: cst.SetComp) -> nodes.Comprehension:
        """Lower a set comprehension."""
        return self._comprehension("set", (node.elt,), node.for_in)

    def visit_DictComp(self, node: cst.DictComp) -> nodes.Comprehension:
        """Lower a dictionary comprehension."""
        return self._comprehension("dict", (node.key, node.value), node.for_in)

    def visit_StarredDictComp(self, node: Any) -> nodes.Comprehension:
        """Lower `{**value for …}` (PEP 798): its one element is starred."""
        first = self.at
        self.at += 1
        star = self.at
        self.at += 1
        value = self.expression(node.value)
        elements: list[nodes.Expression] = [nodes.Starred(self.span(star), value)]
        clauses = self._clauses(node.for_in)
        self.at += 1
        return nodes.Comprehension(self.span(first), "dict", elements, clauses)

    def _comprehension(
        self, kind: str, elements: Sequence[Any], for_in: cst.CompFor
    ) -> nodes.Comprehension:
        first = self.at
        self.at += 1
        lowered = [self.expression(element) for element in elements]
        clauses = self._clauses(for_in)
        self.at += 1
        return nodes.Comprehension(self.span(first), kind, lowered, clauses)

    def visit_GeneratorExp(self, node: cst.GeneratorExp) -> nodes.Comprehension:
        """Lower a generator expression.

        Its parentheses belong to its span, as `ast` has it; those of a call, when it is the only
        argument.
        """
        first = self.at - 1
        elements = [self.expression(node.elt)]
        clauses = self._clauses(node.for_in)
        line, column = self.places[first][:2]
        end_line, end_column = self.places[self.at][2:]
        span = Span(line, column, end_line, end_column)
        return nodes.Comprehension(span, "generator", elements, clauses)

    def _clauses(self, for_in: cst.CompFor) -> list[nodes.Clause]:
        clauses: list[nodes.Clause] = []
        clause: cst.CompFor | None = for_in
        while clause is not None:
            first = self.at
            is_async = clause.asynchronous is not None
            self.at += 2 if is_async else 1
            target = self.expression(clause.target)
            self.at += 1
            iterable = self.expression(clause.iter)
            conditions = []
            for condition in clause.ifs:
                self.at += 1
                conditions.append(self.expression(condition.test))
            clauses.append(nodes.Clause(self.span(first), target, iterable, conditions, is_async))
            clause = clause.inner_for_in
        return clauses

    def visit_Await(self, node: cst.Await) -> nodes.Await:
        """Lower `await value`."""
        first = self.at
        self.at += 1
        value = self.expression(node.expression)
        return nodes.Await(self.span(first), value)

    def visit_Yield(self, node: cst.Yield) -> nodes.Yield:
        """Lower `yield` and `yield from`."""
        first = self.at
        self.at += 1
        value: Any = node.value
        if value is None:
            return nodes.Yield(self.span(first))
        is_from = type(value).__name__ == "From"
        if is_from:
            self.at += 1
            value = value.item
        lowered = self.expression(value)
        return nodes.Yield(self.span(first), lowered, is_from)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> nodes.Walrus:
        """Lower `target := value`."""
        first = self.at
        target = self.expression(node.target)
        value = self.expression(node.value)
        return nodes.Walrus(self.span(first), target, value)


def normal(name: str) -> str:
    """Return an identifier as Python compares it: NFKC-normalised."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


_NAMED_CONSTANTS: dict[str, tuple[str, bool | None]] = {
    "None": ("none", None),
    "True": ("bool", True),
    "False": ("bool", False),
}

#: Python itself refuses to convert longer decimal numbers by default (4300 digits).
_MAX_DIGITS = 4000

_QUOTABLE = re.compile(r'\\[\s\S]|["\n\\]')


def _quoted(match: re.Match[str]) -> str:
    """Make a part of an f-string, of whatever quotes, fit between double quotes."""
    found = match[0]
    return {'"': '\\"', "\n": "\\n", "\\": "\\\\"}.get(found, found)


def _is_comma(node: object) -> bool:
    return type(node).__name__ == "Comma"


#: LibCST's operators by the names of their classes.
BINARY_OPERATORS = {
    "Add": "+",
    "Subtract": "-",
    "Multiply": "*",
    "Divide": "/",
    "FloorDivide": "//",
    "Modulo": "%",
    "Power": "**",
    "LeftShift": "<<",
    "RightShift": ">>",
    "BitOr": "|",
    "BitAnd": "&",
    "BitXor": "^",
    "MatrixMultiply": "@",
}
_TOKEN_OPERATORS = frozenset(("Add", "Subtract", "Multiply", "Power"))

#: With the number of words of each.
_COMPARISONS = {
    "LessThan": ("<", 0),
    "GreaterThan": (">", 0),
    "Equal": ("==", 0),
    "LessThanEqual": ("<=", 0),
    "GreaterThanEqual": (">=", 0),
    "NotEqual": ("!=", 0),
    "In": ("in", 1),
    "NotIn": ("not in", 2),
    "Is": ("is", 1),
    "IsNot": ("is not", 2),
}
