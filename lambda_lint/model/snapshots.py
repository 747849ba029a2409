"""What a snapshot takes along: connections and fetched values that are made at import.

With SnapStart the import runs when a version is published, and all environments go on from there,
weeks later and on other machines. A hook may make a thing anew after the restore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Step
from lambda_lint.model.entries import Handler
from lambda_lint.model.kept import Kept
from lambda_lint.model.lasting import Lasting
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite
from lambda_lint.model.resources import Resource, Use
from lambda_lint.model.sightings import Sighting
from lambda_lint.model.values import FunctionValue


@dataclass(frozen=True, slots=True)
class Captured(Sighting):
    """Something that the snapshot holds: `kind` is connection, secret, credentials or setting.

    `shown` is how the code calls it, `what` a noun phrase. `used` is where an invocation uses it.
    """

    kind: str
    shown: str
    what: str
    used: Step | None = None


def restored_places(lasting: Lasting) -> frozenset[Place]:
    """Return what hooks assign that run when a snapshot is restored.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    calls = lasting.calls
    hooks = [one for one in calls.functions() if one.has_simple_decorator("register_after_restore")]
    for site, externals in calls.externals.items():
        if any(one.name.endswith(".register_after_restore") for one in externals):
            for argument in site.node.arguments:
                for value in lasting.evaluator.evaluate(argument.value, site.scope):
                    if isinstance(value, FunctionValue):
                        hooks.append(value.function)
    return frozenset(
        spot.root
        for hook in hooks
        for target, _, scope in hook.stores
        if (spot := lasting.target(target, scope)) is not None
    )


class Snapshots:
    """Finds what is taken along and not made anew."""

    def __init__(
        self, phases: Phases, lasting: Lasting, starts: Callable[[Sequence[Handler]], bool]
    ) -> None:
        """Take what finds places; `starts` says whether handlers are started from a snapshot."""
        self.phases = phases
        self.lasting = lasting
        self.starts = starts
        self.restored = restored_places(lasting)

    def connections(
        self, made: Iterable[tuple[CallSite, str, str, Resource]]
    ) -> Iterator[Captured]:
        """Yield the connections of objects, each with how its call is shown and what it is."""
        for site, shown, what, resource in made:
            if resource.phase is not Phase.INIT or not resource.kept or resource.closings:
                continue
            if resource.check is not None or self.restored.intersection(resource.kept):
                continue
            used: list[Use] = [one for one in resource.invoked if not resource.closes(one)]
            if not used:
                continue
            first = used[0]
            handlers = tuple(self.phases.handlers_of(first.function))
            way = self.phases.path_to(first.function)
            if way is not None and self.starts(handlers):
                yield Captured(
                    *(site.module.path, site.span, self.phases.witness(way), handlers),
                    kind="connection",
                    shown=shown,
                    what=what,
                    used=Step(first.path, first.span, "every invocation uses it as it is"),
                )

    def fetched(self, kept: Iterable[Kept]) -> Iterator[Captured]:
        """Yield what was fetched at import and stays."""
        for one in kept:
            if one.how != "variable" or not self.starts(one.handlers) or self._is_restored(one):
                continue
            step = Step(one.site.module.path, one.site.span, f"the {one.what} is fetched here")
            yield Captured(
                *(one.path, one.span, one.way, one.handlers),
                kind=one.kind,
                shown=one.shown,
                what=one.what,
                used=step,
            )

    def _is_restored(self, kept: Kept) -> bool:
        module = self.phases.calls.modules.get(kept.path)
        if module is None:
            return False
        return any(
            statement.span == kept.span
            and (spot := self.lasting.target(target, scope)) is not None
            and spot.root in self.restored
            for function in (module.code, *module.functions)
            for target, statement, scope in function.stores
        )
