"""What the files and buffers hold that a call reads: who fills them, and from what.

`joblib.load("/tmp/model")` has a constant argument; whether it loads the same thing for every
event depends on the call that wrote the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.model.calls import CallGraph
from lambda_lint.model.constants import TEMPORARY, Constants
from lambda_lint.model.dependence import UNKNOWN, Dependence
from lambda_lint.model.program import CallSite, Scope
from lambda_lint.syntax import nodes


class Filled:
    """Answers what the content of a call's arguments depends on."""

    def __init__(self, calls: CallGraph, constants: Constants, dependence: Dependence) -> None:
        """Take the finished parts of the model."""
        self.calls = calls
        self.constants = constants
        self.dependence = dependence
        #: The calls that get a text as an argument, each with its number in the project.
        self._by_text: dict[str, dict[int, CallSite]] | None = None

    def depend_on(self, site: CallSite) -> frozenset[str]:
        """Return what decides over the files and buffers that the arguments name.

        UNKNOWN is among it when a temporary file is read that nothing was seen to write.
        """
        labels: set[str] = set()
        filling = list(self._filling(site))
        for one in filling:
            labels |= self.dependence.of_call(one.node, one.scope)
            if self._writes_text(one):
                labels.add(UNKNOWN)
        temporary = self._temporary(site)
        if TEMPORARY in temporary or (temporary and not filling):
            labels.add(UNKNOWN)
        return frozenset(labels)

    def _temporary(self, site: CallSite) -> list[str | None]:
        return [
            path.rstrip("/") if path is not None else None
            for argument in site.node.arguments
            for path in self.constants.temporary_paths(argument.value, site.scope)
        ]

    def _filling(self, site: CallSite) -> Iterator[CallSite]:
        """Yield the other calls that are given one of the names or temporary paths."""
        found: dict[CallSite, None] = {}
        for argument in site.node.arguments:
            for node, scope in self.constants.origins(argument.value, site.scope):
                if isinstance(node, nodes.Name):
                    found.update(dict.fromkeys(self._given_name(node, scope)))
        paths = {path for path in self._temporary(site) if path is not None}
        if paths:
            readers = self._names_in(site)
            for one in self._given_path(paths):
                if not readers & self._names_of(one):
                    found[one] = None
        for one in found:
            # The call itself, and those through which its own arguments come.
            inside = any(node is one.node for node in nodes.walk(site.node))
            if not inside and not self._encloses(one, site):
                yield one

    def _given_name(self, node: nodes.Name, scope: Scope) -> Iterator[CallSite]:
        owner = scope.module.scope_of.get(node, scope).lookup(node.id)
        if owner is None or owner.kind != "function":
            return
        for site in owner.function.calls:
            for argument in site.node.arguments:
                value = argument.value
                named = isinstance(value, nodes.Name) and value.id == node.id
                if named and site.scope.lookup(node.id) is owner:
                    yield site

    def _given_path(self, paths: set[str]) -> Iterator[CallSite]:
        if self._by_text is None:
            self._by_text = {}
            sites = (site for one in self.calls.functions() for site in one.calls)
            for number, site in enumerate(sites):
                for argument in site.node.arguments:
                    text = self.constants.text(argument.value, site.scope)
                    if text is not None:
                        self._by_text.setdefault(text, {})[number] = site
        found: dict[int, CallSite] = {}
        for path in paths:
            found.update(self._by_text.get(path, {}))
        for number in sorted(found):
            yield found[number]

    def _names_in(self, site: CallSite) -> set[str]:
        """Return the names of what is called in a call, itself included: these read."""
        calls = {node for node in nodes.walk(site.node) if isinstance(node, nodes.Call)}
        return {
            name for one in site.function.calls if one.node in calls for name in self._names_of(one)
        }

    def _names_of(self, site: CallSite) -> set[str]:
        return {one.name for one in self.calls.externals.get(site, ())}

    def _encloses(self, outer: CallSite, inner: CallSite) -> bool:
        return any(node is inner.node for node in nodes.walk(outer.node))

    def _writes_text(self, site: CallSite) -> bool:
        """Whether a call opens a file to write into it, which is followed no further."""
        if not self._names_of(site) & _OPENING:
            return False
        modes = [one.value for one in site.node.arguments[1:] if one.name in (None, "mode")]
        return any(
            isinstance(one, nodes.Constant) and any(letter in str(one.value) for letter in "wax+")
            for one in modes[:1]
        )


_OPENING = frozenset({"builtins.open", "io.open", "codecs.open", "gzip.open"})
