"""The public interface for rules: all that a rule file may import of this package.

A rule is one file: a Markdown docstring whose fenced blocks are tests, and one generator under
`@rule`. The annotation of its first parameter says what it looks at; it is called once for each
such entity of the project and yields a `Report` for every mistake:

    @rule("LMB101", category="client-per-invocation", severity=Severity.WARNING)
    def client_in_handler(call: Call, project: Project) -> Iterator[Report]:
        ...
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambda_lint.finding import (
    Confidence,
    Edit,
    Fix,
    Severity,
    Span,
    Step,
    UnusedSuppression,
)
from lambda_lint.model.advice import bounded_cache, ended_in_finally, secret_getter
from lambda_lint.model.caches import Caching
from lambda_lint.model.declared import MissingHandler
from lambda_lint.model.dependence import CREDENTIALS, EVENT, ITERATION, UNKNOWN
from lambda_lint.model.import_clock import Frozen
from lambda_lint.model.import_clock import steps as witness_of_frozen
from lambda_lint.model.kept import Kept
from lambda_lint.model.lifetimes import Aging
from lambda_lint.model.phases import Phase
from lambda_lint.model.project import (
    Call,
    Handler,
    Leak,
    Project,
    Resource,
    StateChange,
    UnresolvedCall,
    Use,
)
from lambda_lint.model.races import Race
from lambda_lint.model.replays import Replayed
from lambda_lint.model.rewrites import (
    add_argument,
    cached_getter,
    hoist,
    name_clock,
    needs_only_module_names,
)
from lambda_lint.model.secret_uses import (
    made_at_import,
    says_no_secret,
    told_with,
    written_as,
)
from lambda_lint.model.sightings import Sighting
from lambda_lint.model.snapshots import Captured
from lambda_lint.model.state import Stale, State
from lambda_lint.model.state_changes import Change, Fill
from lambda_lint.model.state_stories import (
    GROWN,
    REBOUND,
    RESHAPED,
    Story,
    condition,
    kind_of,
    stories,
    witness,
)
from lambda_lint.model.touches import Touch
from lambda_lint.source import Failure

CATEGORIES: dict[str, str] = {
    "1": "client-per-invocation",
    "2": "mutable-global-state",
    "3": "unbounded-cache",
    "4": "leaked-listener-or-timer",
    "5": "secret-in-global",
    "6": "stale-init-value",
    "7": "tmp-or-env-leak",
    "8": "connection-hygiene",
    "9": "lint",
}
"""The category of each hundred of codes."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule yields: one mistake at one place.

    `message` is lower case without a full stop; `help` says what to do in this very code and may
    have several lines (code to write). `severity` and `confidence` default to the rule's own and
    to what the handler's evidence allows.
    """

    path: str
    span: Span
    message: str
    help: str
    witness: tuple[Step, ...]
    handlers: tuple[str, ...] = ()
    severity: Severity | None = None
    confidence: Confidence = Confidence.HIGH
    fix: Fix | None = None

    @staticmethod
    def of_call(
        call: Call,
        *,
        message: str,
        help: str,
        last: str,
        severity: Severity | None = None,
        fix: Fix | None = None,
        before_last: tuple[Step, ...] = (),
    ) -> Report:
        """Report a call on the invocation path, with the chain from a handler as its witness.

        `last` is what the witness says of the call itself; `before_last` are further places that
        belong to the story. What only custom resources reach is information, because it runs when
        a stack changes and not for traffic.
        """
        steps = call.witness(last)
        if call.only_custom_resources:
            severity = Severity.INFO
        return Report(
            path=call.path,
            span=call.span,
            message=message,
            help=help,
            witness=(*steps[:-1], *before_last, steps[-1]),
            handlers=tuple(one.label for one in call.handlers),
            severity=severity,
            confidence=call.confidence,
            fix=fix,
        )

    @staticmethod
    def of_use(
        call: Call,
        use: Use,
        *,
        message: str,
        help: str,
        used: str,
        made: str,
        at_use: bool = False,
        others: Sequence[Use] = (),
        severity: Severity | None = None,
        fix: Fix | None = None,
    ) -> Report:
        """Report an object that outlives invocations, by what an invocation does with it.

        `used` is what the witness says of the use, which a handler reaches for every event, and
        `made` what it says of the call that made the object. The report stands at the call, or
        with `at_use` at the use. `others` are further uses that the same is said of: the handlers
        that reach one of them are named as well.
        """
        phases = call.project.phases
        way = phases.path_to(use.function)
        reaching = {one for each in (use, *others) for one in phases.handlers_of(each.function)}
        handlers = [one for one in phases.handlers if one in reaching]
        steps = phases.witness(way) if way is not None else ()
        use_step = Step(use.path, use.span, used)
        made_step = Step(call.path, call.span, made)
        last = (made_step, use_step) if at_use else (use_step, made_step)
        if handlers and all(one.custom_resource for one in handlers):
            severity = Severity.INFO
        ranks = [one.confidence for one in handlers]
        return Report(
            path=use.path if at_use else call.path,
            span=use.span if at_use else call.span,
            message=message,
            help=help,
            witness=(*steps, *last),
            handlers=tuple(one.label for one in handlers),
            severity=severity,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
            fix=fix,
        )

    @staticmethod
    def of_change(
        change: StateChange, project: Project, *, message: str, help: str, last: str
    ) -> Report:
        """Report a change of the process, with the chain from a handler as its witness."""
        phases = project.phases
        way = phases.path_to(change.function)
        handlers = phases.handlers_of(change.function)
        path = change.scope.module.path
        steps = phases.witness(way) if way is not None else ()
        ranks = [one.confidence for one in handlers]
        only_custom = bool(handlers) and all(one.custom_resource for one in handlers)
        return Report(
            path=path,
            span=change.node.span,
            message=message,
            help=help,
            witness=(*steps, Step(path, change.node.span, last)),
            handlers=tuple(one.label for one in handlers),
            severity=Severity.INFO if only_custom else None,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
        )

    @staticmethod
    def of_frozen(found: Frozen, project: Project, *, message: str, help: str, made: str) -> Report:
        """Report what is made at import, by an invocation that uses it.

        `made` is what the witness says of the call that makes it.
        """
        phases = project.phases
        handlers = phases.handlers_of(found.function)
        only_custom = handlers and all(one.custom_resource for one in handlers)
        ranks = [one.confidence for one in handlers]
        return Report(
            path=found.site.module.path,
            span=found.site.span,
            message=message,
            help=help,
            witness=witness_of_frozen(found, phases, made),
            handlers=tuple(one.label for one in handlers),
            severity=Severity.INFO if only_custom else None,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
        )

    @staticmethod
    def of_cache(
        caching: Caching,
        project: Project,
        *,
        message: str,
        help: str,
        last: str,
        severity: Severity | None = None,
    ) -> Report:
        """Report a cache, with the way of an invocation that brings a key as its witness."""
        only_custom = all(one.custom_resource for one in caching.handlers)
        ranks = [one.confidence for one in caching.handlers]
        return Report(
            path=caching.path,
            span=caching.span,
            message=message,
            help=help,
            witness=(
                *project.phases.witness(caching.way),
                caching.brought,
                *caching.others,
                Step(caching.path, caching.span, last),
            ),
            handlers=tuple(one.label for one in caching.handlers),
            severity=Severity.INFO if only_custom else severity,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
        )

    @staticmethod
    def of_sighting(
        found: Sighting,
        *,
        message: str,
        help: str,
        last: str,
        before_last: tuple[Step, ...] = (),
        severity: Severity | None = None,
        fix: Fix | None = None,
    ) -> Report:
        """Report something at its place, with the way of an invocation to it as its witness.

        `last` is what the witness says of the place; `before_last` are further ones of the story.
        """
        ranks = [one.confidence for one in found.handlers]
        if found.handlers and all(one.custom_resource for one in found.handlers):
            severity = Severity.INFO
        return Report(
            path=found.path,
            span=found.span,
            message=message,
            help=help,
            witness=(*found.way, *before_last, Step(found.path, found.span, last)),
            handlers=tuple(one.label for one in found.handlers),
            severity=severity,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
            fix=fix,
        )

    @staticmethod
    def of_kept(
        kept: Kept,
        *,
        message: str,
        help: str,
        fetched: str,
        last: str,
        before_last: tuple[Step, ...] = (),
        severity: Severity | None = None,
    ) -> Report:
        """Report a value that is fetched once and kept, where it is put.

        `fetched` is what the witness says of the call that hands it out, `last` what it says of
        the place that keeps it; `before_last` are further places.
        """
        only_custom = all(one.custom_resource for one in kept.handlers)
        ranks = [one.confidence for one in kept.handlers]
        return Report(
            path=kept.path,
            span=kept.span,
            message=message,
            help=help,
            witness=(
                *kept.way,
                Step(kept.site.module.path, kept.site.span, fetched),
                *before_last,
                Step(kept.path, kept.span, last),
            ),
            handlers=tuple(one.label for one in kept.handlers),
            severity=Severity.INFO if only_custom else severity,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
        )

    @staticmethod
    def of_touch(
        touch: Touch,
        project: Project,
        *,
        message: str,
        help: str,
        last: str,
        before_last: tuple[Step, ...] = (),
        severity: Severity | None = None,
    ) -> Report:
        """Report something that an invocation does to what outlives it.

        `last` is what the witness says of it; `before_last` are further places of the story.
        """
        phases = project.phases
        path = phases.path_to(touch.function)
        handlers = phases.handlers_of(touch.function)
        steps = phases.witness(path) if path is not None else ()
        if handlers and all(one.custom_resource for one in handlers):
            severity = Severity.INFO
        ranks = [one.confidence for one in handlers]
        place = touch.function.module.path
        return Report(
            path=place,
            span=touch.node.span,
            message=message,
            help=help,
            witness=(*steps, *before_last, Step(place, touch.node.span, last)),
            handlers=tuple(one.label for one in handlers),
            severity=severity,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
        )

    @staticmethod
    def of_story(
        story: Story,
        project: Project,
        *,
        message: str,
        help: str,
        left: str,
        seen: str,
        at_change: bool = False,
        severity: Severity | None = None,
    ) -> Report:
        """Report state by a story of two invocations: at the read, or `at_change`.

        `left` is what the witness says of what the first invocation does, `seen` what it says of
        what the next one finds.
        """
        place = story.change.touch if at_change else story.stale.read
        if all(one.custom_resource for one in story.handlers):
            severity = Severity.INFO
        ranks = [one.confidence for one in story.handlers]
        return Report(
            path=place.function.module.path,
            span=place.node.span,
            message=message,
            help=help,
            witness=witness(story, project.phases, left=left, seen=seen, at_change=at_change),
            handlers=tuple(one.label for one in story.handlers),
            severity=severity,
            confidence=max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW,
        )


class RuleError(Exception):
    """A rule file that cannot be used. The text names the file, the line and what to change."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, with everything that is derived from its file."""

    code: str
    slug: str
    category: str
    severity: Severity
    title: str
    page: str
    path: str
    entity: type[Any] | None
    check: Callable[..., Iterator[Report]] = field(compare=False, repr=False)
    page_line: int = 1
    url: str = ""
    """Where the page can be read on the web; empty for rules that did not come with the linter."""
    weight: Severity | None = None
    """How severe the owner of the project takes it to be, where that was said."""

    def severity_of(self, report: Report) -> Severity:
        """How severe a finding is: as the rule says, or as the owner of the project weighs it.

        What the rule itself weighs less than its other findings never gets more than that.
        """
        given = report.severity or self.severity
        if self.weight is None:
            return given
        if given is self.severity:
            return self.weight
        return min(given, self.weight, key=lambda one: one.rank)


HOME = "https://github.com/lambda-lint/lambda-lint"
"""Where the project lives. All links of reports lead there, and nothing else is to be changed."""

PAGES = f"{HOME}/blob/main/docs/rules/"
"""Where the pages of the packaged rules can be read, as `<slug>.md`."""

RULE_MARK = "__lambda_lint_rule__"


def rule(
    code: str, *, category: str, severity: Severity = Severity.WARNING
) -> Callable[[Callable[..., Iterator[Report]]], Callable[..., Iterator[Report]]]:
    """Mark a generator function as the rule of its file.

    `code` is `LMB` and three digits (flake8 accepts no longer ones), `category` one of
    `CATEGORIES`, `severity` that of a finding of high confidence.
    """

    def mark(check: Callable[..., Iterator[Report]]) -> Callable[..., Iterator[Report]]:
        setattr(check, RULE_MARK, (code, category, severity))
        return check

    return mark


def entity_of(check: Callable[..., Any]) -> type[Any]:
    """Return the annotated type of the first parameter of a rule function.

    Raises RuleError when there is none.
    """
    parameters = list(inspect.signature(check).parameters)
    hints = typing.get_type_hints(check)
    if not parameters or parameters[0] not in hints:
        raise RuleError(
            f"{check.__code__.co_filename}:{check.__code__.co_firstlineno}: annotate the first "
            "parameter with what the rule looks at, for example `call: Call`"
        )
    found: type[Any] = hints[parameters[0]]
    return found


__all__ = [
    "CATEGORIES",
    "CREDENTIALS",
    "EVENT",
    "GROWN",
    "ITERATION",
    "REBOUND",
    "RESHAPED",
    "UNKNOWN",
    "Aging",
    "Caching",
    "Call",
    "Captured",
    "Change",
    "Confidence",
    "Edit",
    "Failure",
    "Fill",
    "Fix",
    "Frozen",
    "Handler",
    "Kept",
    "Leak",
    "MissingHandler",
    "Phase",
    "Project",
    "Race",
    "Replayed",
    "Report",
    "Resource",
    "Rule",
    "RuleError",
    "Severity",
    "Sighting",
    "Span",
    "Stale",
    "State",
    "StateChange",
    "Step",
    "Story",
    "UnresolvedCall",
    "UnusedSuppression",
    "Use",
    "add_argument",
    "bounded_cache",
    "cached_getter",
    "condition",
    "ended_in_finally",
    "hoist",
    "kind_of",
    "made_at_import",
    "name_clock",
    "needs_only_module_names",
    "rule",
    "says_no_secret",
    "secret_getter",
    "stories",
    "told_with",
    "written_as",
]
