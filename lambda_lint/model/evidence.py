"""What speaks for a function being one that Lambda calls, in points."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterator

from lambda_lint.model.calls import CallGraph
from lambda_lint.model.program import Function, Module
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes

ENOUGH = 3
"""Points from which on a function counts as a handler."""

PROOF = 5
"""Points of evidence that no name speaks against, such as a decorator of a Lambda library."""


class Evidence:
    """Weighs functions by their decorators, parameters, bodies, names and files."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the finished call graph."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.knowledge = calls.evaluator.knowledge

    def score(self, function: Function, name: str, skip: int = 0) -> tuple[int, tuple[str, ...]]:
        """Add up what speaks for a handler. Sentences of the evidence start with a verb."""
        found: list[tuple[int, str]] = list(self._decorator_evidence(function))
        signature = function
        if not self.fits(function, skip):
            wrapper = self._wrapper_that_fits(function)
            if wrapper is not None:
                signature, skip = wrapper, 1 if wrapper.is_method else 0
            elif not found:
                return 0, ()
        positional = _positional(signature, skip)
        if not self.fits(signature, skip) and not any(
            points > 0 for points, _ in self._parameter_evidence(signature, positional)
        ):
            # A decorator of a library may give a handler more than it gets itself.
            return 0, ()
        if name.startswith("_") and not found:
            return 0, ()
        found += self._parameter_evidence(signature, positional)
        found += self._body_evidence(function, positional)
        named = list(self._name_evidence(function, positional, name))
        # A name alone says little: much is called a handler. Only the console's own name is enough.
        if any(points > 0 for points, _ in found) or name == "lambda_handler":
            found += named
        else:
            found += [one for one in named if one[0] < 0]
        if not any(points > 0 for points, _ in found):
            return 0, ()
        found += self._file_evidence(function.module)
        if max(points for points, _ in found) >= PROOF:
            found = [one for one in found if one[0] > 0]
        total = sum(points for points, _ in found)
        return total, tuple(dict.fromkeys(text for points, text in found if points > 0 and text))

    def fits(self, function: Function, skip: int) -> bool:
        """Whether Lambda could call it with an event and a context."""
        positional = _positional(function, skip)
        variadic = any(one.kind == "variadic" for one in function.parameters)
        required = [one for one in positional if one.default is None]
        return len(required) <= 2 and (len(positional) >= 2 or variadic)

    def _wrapper_that_fits(self, function: Function) -> Function | None:
        """Return the outermost wrapper that says which two arguments it is called with."""
        for wrapper in self.calls.wrappers(function):
            skip = 1 if wrapper.is_method else 0
            if self.fits(wrapper, skip) and len(_positional(wrapper, skip)) >= 2:
                return wrapper
        return None

    def _decorator_evidence(self, function: Function) -> Iterator[tuple[int, str]]:
        scope = function.definition_scope
        if scope is None:
            return
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, nodes.Call) else decorator
            names = [
                one.name
                for one in self.evaluator.evaluate(called, scope)
                if isinstance(one, External)
            ]
            if not names and isinstance(called, nodes.Attribute):
                names = [f"unknown.{called.attr}"]
            for dotted in names:
                evidence = self.knowledge.handler_decorator(dotted)
                if evidence is not None and evidence.platform == "lambda":
                    yield evidence.points, f"has the decorator `{dotted.rpartition('.')[2]}`"
                    break

    def _parameter_evidence(
        self, function: Function, positional: list[nodes.Parameter]
    ) -> Iterator[tuple[int, str]]:
        for position, parameter in enumerate(positional[:2]):
            if parameter.annotation is None or function.definition_scope is None:
                continue
            for value in self.evaluator.evaluate(parameter.annotation, function.definition_scope):
                if isinstance(value, External):
                    evidence = self.knowledge.annotation(value.name)
                    if evidence is not None:
                        what = "context" if position else "event"
                        yield evidence.points, f"takes an annotated Lambda {what}"
                        break
        if len(positional) >= 2:
            first, second = positional[0].name, positional[1].name
            for one in self.knowledge.parameter_evidence:
                if first in one.first and second in one.second:
                    yield one.points, f"takes `({first}, {second})`"
                    break

    def _body_evidence(
        self, function: Function, positional: list[nodes.Parameter]
    ) -> Iterator[tuple[int, str]]:
        context = positional[1].name if len(positional) >= 2 else ""
        for node, _ in function.attribute_loads:
            if isinstance(node.value, nodes.Name) and node.value.id == context:
                evidence = self.knowledge.context_attribute(node.attr)
                if evidence is not None:
                    yield evidence.points, f"uses `{context}.{node.attr}`"
                    break
        for site in function.calls:
            for external in self.calls.externals.get(site, ()):
                evidence = self.knowledge.handler_body(external.name)
                if evidence is not None and evidence.platform == "lambda":
                    yield evidence.points, f"calls `{external.name.rpartition('.')[2]}`"
                    return

    def _name_evidence(
        self, function: Function, positional: list[nodes.Parameter], name: str
    ) -> Iterator[tuple[int, str]]:
        fits = len(positional) >= 2 or any(one.kind == "variadic" for one in function.parameters)
        for one in self.knowledge.name_evidence:
            matches = any(fnmatch.fnmatchcase(name, pattern) for pattern in one.patterns)
            if matches and (one.parameters == "any" or fits):
                yield one.points, f"is named `{name}`"
                return

    def _file_evidence(self, module: Module) -> Iterator[tuple[int, str]]:
        for one in self.knowledge.file_evidence:
            name = posixpath.basename(module.path)
            if any(
                fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(module.path, pattern)
                for pattern in one.patterns
            ):
                yield one.points, ""
                break
        for binding in module.imports:
            dotted = f"{binding.module}.{binding.name}" if binding.name else binding.module
            evidence = self.knowledge.platform_module(dotted) or self.knowledge.platform_module(
                binding.module
            )
            if evidence is not None and evidence.points < 0:
                yield evidence.points, ""
                break


def _positional(function: Function, skip: int) -> list[nodes.Parameter]:
    """Return the parameters that an event and a context could be, without `self`."""
    return [one for one in function.parameters if one.kind in ("positional-only", "positional")][
        skip:
    ]
