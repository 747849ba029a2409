"""From sources to findings. Pure, but for the worker processes that parse and the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from lambda_lint import registry, suppress
from lambda_lint.cache import Cache
from lambda_lint.declaration import MANAGED_INSTANCES, SNAPSTART, WEB_FUNCTION, Declaration
from lambda_lint.descriptors import deployment
from lambda_lint.descriptors.inline import Inline
from lambda_lint.finding import (
    Confidence,
    Finding,
    Severity,
    Span,
    Step,
    UnusedSuppression,
)
from lambda_lint.fingerprint import with_fingerprints
from lambda_lint.life import Life, Mark, Moment
from lambda_lint.model import program
from lambda_lint.model.caches import Caching
from lambda_lint.model.declared import MissingHandler
from lambda_lint.model.entries import Handler
from lambda_lint.model.handlers import ConfiguredHandlerError
from lambda_lint.model.import_clock import Frozen
from lambda_lint.model.imports import ImportMap
from lambda_lint.model.kept import Kept
from lambda_lint.model.knowledge import Knowledge, KnowledgeError
from lambda_lint.model.lifetimes import Aging
from lambda_lint.model.lives import lives as model_lives
from lambda_lint.model.lives import moment_of
from lambda_lint.model.project import Call, Project, StateChange, UnresolvedCall
from lambda_lint.model.races import Race
from lambda_lint.model.replays import Replayed
from lambda_lint.model.routes import imported_paths, is_only_called_test, is_test_path
from lambda_lint.model.snapshots import Captured
from lambda_lint.model.state import State
from lambda_lint.model.state_changes import Fill
from lambda_lint.parsing import parse_all, syntax_errors
from lambda_lint.rule import Report, Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Failure, Source
from lambda_lint.syntax import nodes
from lambda_lint.syntax.stack import with_deep_stack, without_collecting


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found.

    `findings` are sorted, unsuppressed and of every severity and confidence; their paths are
    relative to the project root. `errors` tell what the engine could not do: a rule that crashed,
    a configured handler that does not exist; `notes` what it did without: a descriptor that cannot
    be read. `parsed` are the paths that the model was built from, `settings` those of the run.
    `inline` is the code that is written in templates, by the paths that it has in the model;
    findings have those of templates.
    """

    findings: tuple[Finding, ...]
    errors: tuple[str, ...]
    project: Project
    parsed: tuple[str, ...]
    settings: Settings
    notes: tuple[str, ...] = ()
    inline: Mapping[str, Inline] = field(default_factory=dict)


def lint(
    sources: Mapping[str, Source],
    settings: Settings,
    rules: Sequence[Rule],
    *,
    jobs: int = 1,
    cache: Cache | None = None,
    failures: Iterable[Failure] = (),
    descriptors: Mapping[str, Source] = MappingProxyType({}),
    must_parse: Callable[[str], bool] = lambda path: True,
) -> Result:
    """Build the model of the sources and ask it every rule.

    `failures` are files that could not be read; they are reported like those that cannot be
    parsed. `descriptors` are the files that say how the project is deployed. `must_parse` says
    which files a syntax error is told of, although no handler reaches them. The result does not
    depend on `jobs`, on the cache, or on the order of `sources`.
    """
    with without_collecting():
        return _lint(sources, settings, rules, jobs, cache, failures, descriptors, must_parse)


def _lint(
    sources: Mapping[str, Source],
    settings: Settings,
    rules: Sequence[Rule],
    jobs: int,
    cache: Cache | None,
    failures: Iterable[Failure],
    descriptors: Mapping[str, Source],
    must_parse: Callable[[str], bool],
) -> Result:
    deployed = _deployment(descriptors, sources, settings, jobs, cache)
    inline = {one.path: one for one in deployed.inline if one.path not in sources}
    sources = {**sources, **{path: one.source for path, one in inline.items()}}
    modules, failed, errors, imports, knowledge = _read(
        sources, settings, deployed.declarations, jobs, cache, must_parse
    )
    every_failure = sorted({*failures, *failed}, key=lambda one: (one.path, one.line, one.column))

    def build_and_ask() -> tuple[Project, list[Finding], list[str]]:
        project, problems = _project(modules, sources, imports, knowledge, settings, deployed)
        findings, crashes = _ask(project, every_failure, rules)
        return project, findings, [*problems, *crashes]

    # Expressions may nest deeper than Python's default stack allows.
    project, findings, problems = with_deep_stack(build_and_ask)
    scopes = _scopes(modules)
    readable = {**descriptors, **sources}
    numbered = with_fingerprints(
        sorted(findings, key=lambda one: one.sort_key),
        source_lines=lambda path: readable[path].lines if path in readable else (),
        scope_of=scopes,
    )
    return Result(
        tuple(_in_templates(numbered, inline, sources)),
        (*errors, *problems),
        project,
        tuple(sorted(modules)),
        settings,
        deployed.notes,
        inline,
    )


def unsuppressed(
    result: Result, sources: Mapping[str, Source], rules: Sequence[Rule], *, noqa: bool
) -> tuple[Finding, ...]:
    """Return the findings that no comment silences, and what rules say of comments in vain.

    `rules` are those that ran; `noqa` is False under flake8, which reads such comments itself.
    """
    applied = suppress.apply(result.findings, sources, noqa=noqa)
    speaking = [one for one in rules if one.entity is UnusedSuppression]
    notes = _notes(applied, result, [one for one in rules if one not in speaking])
    if not speaking or not notes:
        return applied.findings
    left: list[Finding] = []
    # A comment that silences all by mistake must not silence what is said of itself.
    for blanket in (True, False):
        said = [
            _finding(rule, report)
            for rule in speaking
            for one in notes
            if blanket is not (one.is_noqa and bool(one.problem))
            for report in rule.check(one, result.project)
        ]
        where = {one.path: sources[one.path] for one in said if one.path in sources}
        left += suppress.apply(said, where, noqa=noqa, blanket=blanket).findings
    numbered = with_fingerprints(
        sorted(left, key=lambda one: one.sort_key),
        source_lines=lambda path: sources[path].lines if path in sources else (),
        scope_of=_scopes(result.project.modules),
    )
    return tuple(sorted((*applied.findings, *numbered), key=lambda one: one.sort_key))


def _notes(
    applied: suppress.Suppressed, result: Result, ran: Sequence[Rule]
) -> list[UnusedSuppression]:
    """Return what there is to say about the comments of a project."""
    settings = result.settings
    parsed = set(result.parsed)
    names = {name for one in ran for name in (one.code, one.slug)}
    notes = list(applied.malformed)
    known: Sequence[Rule] | None = None
    for one in applied.unused:
        if one.name in names:
            # What was not looked at had no chance.
            notes += [one] if one.path in parsed else []
            continue
        if known is None:
            # Rules that did not run are no mistake, and most comments name one that did.
            known = registry.load_rules((registry.BUILTIN, *settings.rules))
        advice = registry.advice_for_unknown(one.name, known, beginnings=one.is_noqa)
        if advice is not None:
            problem = f"there is no rule `{one.name}`, so nothing is silenced"
            notes.append(replace(one, problem=problem, advice=advice))
    for one in applied.unexplained:
        if settings.for_file(one.path).require_suppression_reason:
            notes.append(one)
    return sorted(notes, key=lambda one: (one.path, one.span, one.problem))


def lives(result: Result, findings: Iterable[Finding]) -> tuple[Life, ...]:
    """Return what is known of the life of each handler, with the moments of these findings."""
    with without_collecting():
        return with_deep_stack(lambda: tuple(_lives(result, tuple(findings))))


def _lives(result: Result, findings: Sequence[Finding]) -> Iterator[Life]:
    shown: dict[str, list[tuple[str, Moment]]] = {}
    written: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for code in result.inline.values():
        for number, (line, _, _) in enumerate(code.places, 1):
            written.setdefault((code.template, line), set()).add((code.path, number))
    for one in findings:
        place = (one.path, one.span.line)
        moments = {moment_of(result.project, *at) for at in written.get(place, {place})}
        # A template may write a whole program in one line.
        moment = moments.pop() if len(moments) == 1 else Moment.UNKNOWN
        for label in one.handlers:
            shown.setdefault(label, []).append((one.fingerprint, moment))
    for life in model_lives(result.project):
        moved = _moved_life(life, result.inline)
        yield replace(moved, findings=tuple(shown.get(moved.label, ())))


def _moved_life(life: Life, inline: Mapping[str, Inline]) -> Life:
    """Return the life with the places of templates for code that stands in these."""
    if not inline:
        return life

    def moved(mark: Mark) -> Mark:
        found = inline.get(mark.path)
        if found is None:
            return mark
        return Mark(found.template, found.place(Span(mark.line, 1, mark.line, 1)).line)

    return life.moved(moved)


def _in_templates(
    findings: Iterable[Finding], inline: Mapping[str, Inline], sources: Mapping[str, Source]
) -> list[Finding]:
    """Move what is said of code in templates to the templates' own lines.

    Comments in such code silence here, as nobody else can read them. A fix would have to know how
    the template writes the code, so none is offered.
    """
    if not inline:
        return list(findings)
    code = {path: sources[path] for path in inline}
    kept = suppress.apply(findings, code, noqa=True).findings
    moved = []
    for one in kept:
        found = inline.get(one.path)
        witness = tuple(_moved_step(step, inline) for step in one.witness)
        handlers = tuple(
            f"{inline[path].template}:{name}" if path in inline else f"{path}{colon}{name}"
            for path, colon, name in (handler.rpartition(":") for handler in one.handlers)
        )
        if found is not None:
            one = replace(one, path=found.template, span=found.place(one.span), fix=None)
        moved.append(replace(one, witness=witness, handlers=handlers))
    return sorted(moved, key=lambda one: one.sort_key)


def _moved_step(step: Step, inline: Mapping[str, Inline]) -> Step:
    found = inline.get(step.path)
    return step if found is None else Step(found.template, found.place(step.span), step.message)


def _deployment(
    descriptors: Mapping[str, Source],
    sources: Mapping[str, Source],
    settings: Settings,
    jobs: int,
    cache: Cache | None,
) -> deployment.Deployment:
    """Read what is declared; a program that cannot be parsed declares nothing."""
    trees = parse_all(
        [sources[path] for path in deployment.programs(sources)],
        jobs=jobs,
        cache=cache,
        max_bytes=settings.max_file_size,
    )
    programs = {path: one for path, one in trees.items() if isinstance(one, nodes.Module)}
    return with_deep_stack(deployment.read, descriptors, sources, programs)


def _may_hold_handler(source: Source, words: Sequence[bytes]) -> bool:
    """Whether anything in the file says that a handler is written in it; most files say nothing."""
    if is_test_path(source.path):
        return is_only_called_test(source.path) and b"def lambda_handler" in source.data
    return any(word in source.data for word in words)


def _read(
    sources: Mapping[str, Source],
    settings: Settings,
    declarations: Sequence[Declaration],
    jobs: int,
    cache: Cache | None,
    must_parse: Callable[[str], bool],
) -> tuple[dict[str, program.Module], list[Failure], tuple[str, ...], ImportMap, Knowledge]:
    """Parse what can hold a handler, then what that imports, until nothing new turns up."""
    knowledge, errors = _knowledge(settings)
    roots = dict.fromkeys(settings.import_roots)
    for one in declarations:
        if one.root is not None:
            roots[one.root] = None
        roots.update(dict.fromkeys(one.layers))
    imports = ImportMap(sources, knowledge.libraries, roots)
    modules: dict[str, program.Module] = {}
    failed: dict[str, Failure] = {}
    configured = {one.rpartition(":")[0] for one in settings.handlers}
    configured.update(one.module for one in declarations if one.module is not None)
    patterns = tuple(settings.handler_patterns)
    words = [one.encode() for one in knowledge.handler_words]
    wave = sorted(
        path
        for path, source in sources.items()
        if path in configured or patterns or _may_hold_handler(source, words)
    )
    while wave:
        trees = parse_all(
            [sources[path] for path in wave],
            jobs=jobs,
            cache=cache,
            max_bytes=settings.max_file_size,
        )
        following = with_deep_stack(_index, wave, trees, modules, failed, imports)
        wave = sorted(following - modules.keys() - failed.keys())
    rest = [
        source
        for path, source in sorted(sources.items())
        if path not in modules and path not in failed and must_parse(path)
    ]
    failed.update(syntax_errors(rest, jobs=jobs, cache=cache, max_bytes=settings.max_file_size))
    return modules, list(failed.values()), errors, imports, knowledge


def _index(
    wave: Sequence[str],
    trees: Mapping[str, nodes.Module | Failure],
    modules: dict[str, program.Module],
    failed: dict[str, Failure],
    imports: ImportMap,
) -> set[str]:
    """Index the trees of a wave into `modules` or `failed`; return what they import."""
    following: set[str] = set()
    for path in wave:
        tree = trees[path]
        if isinstance(tree, nodes.Module):
            modules[path] = program.index(path, tree)
            following.update(imported_paths(modules[path], imports))
        else:
            failed[path] = tree
    return following


def _knowledge(settings: Settings) -> tuple[Knowledge, tuple[str, ...]]:
    try:
        return Knowledge.load(settings.reusable_constructors, settings.registrations), ()
    except KnowledgeError as error:
        return Knowledge.load(), (str(error),)


def _project(
    modules: Mapping[str, program.Module],
    sources: Mapping[str, Source],
    imports: ImportMap,
    knowledge: Knowledge,
    settings: Settings,
    deployed: deployment.Deployment,
) -> tuple[Project, list[str]]:
    problems: list[str] = []
    handlers = list(settings.handlers)
    while True:
        try:
            project = Project(
                modules,
                sources,
                imports,
                knowledge,
                configured_handlers=handlers,
                is_handler_by_name=settings.is_handler_by_pattern,
                declarations=deployed.declarations,
                libraries=deployed.libraries,
                scripts=deployed.scripts,
                **_everywhere(settings),
                flags_of=_flags_of(settings),
            )
        except ConfiguredHandlerError as error:
            problems.append(str(error))
            handlers = [one for one in handlers if repr(one) not in str(error)]
        else:
            return project, problems


_FLAGS = {
    "snapstart": SNAPSTART,
    "managed_instances": MANAGED_INSTANCES,
    "web_functions": WEB_FUNCTION,
}


def _everywhere(settings: Settings) -> dict[str, bool]:
    """Return what holds for all functions: what differs is said of each handler instead."""
    return {name: getattr(settings, name) and not settings.differs(name) for name in _FLAGS}


def _flags_of(settings: Settings) -> Callable[[str], frozenset[str]]:
    """Return a function that tells what the settings say of the handlers in a file."""
    differing = {name: flag for name, flag in _FLAGS.items() if settings.differs(name)}

    def flags_of(path: str) -> frozenset[str]:
        if not differing:
            return frozenset()
        here = settings.for_file(path)
        return frozenset(flag for name, flag in differing.items() if getattr(here, name))

    return flags_of


def _ask(
    project: Project, failures: Sequence[Failure], rules: Sequence[Rule]
) -> tuple[list[Finding], list[str]]:
    findings: list[Finding] = []
    crashes: list[str] = []
    calls = list(project.calls())
    entities: dict[type[Any], Sequence[Any]] = {
        Call: calls,
        Handler: project.handlers,
        Failure: failures,
        Project: [project],
        MissingHandler: list(project.missing_handlers()),
        State: project.states if any(rule.entity is State for rule in rules) else (),
        Fill: project.fills if any(rule.entity is Fill for rule in rules) else (),
        Frozen: project.frozen if any(rule.entity is Frozen for rule in rules) else (),
        Caching: project.caches if any(rule.entity is Caching for rule in rules) else (),
        Kept: project.kept if any(rule.entity is Kept for rule in rules) else (),
        Aging: project.agings if any(rule.entity is Aging for rule in rules) else (),
        Captured: project.captured if any(rule.entity is Captured for rule in rules) else (),
        Replayed: project.replayed if any(rule.entity is Replayed for rule in rules) else (),
        Race: project.races if any(rule.entity is Race for rule in rules) else (),
        UnresolvedCall: _unresolved(project, rules),
        StateChange: _changes(project, rules),
    }
    for rule in rules:
        if rule.entity is UnusedSuppression:
            continue  # Asked when the comments have been read: see `unsuppressed`.
        if rule.entity not in entities:
            crashes.append(
                f"{rule.path}: rule {rule.slug} looks at {rule.entity}, which is no model entity"
            )
            continue
        for entity in entities[rule.entity]:
            try:
                reports = list(rule.check(entity, project))
            except Exception as error:
                crashes.append(
                    f"{rule.path}: rule {rule.slug} failed on {_place(entity)}: "
                    f"{type(error).__name__}: {error}; please report this"
                )
                break
            findings += [_finding(rule, one) for one in reports]
    return list(_one_per_line(findings)), crashes


def _unresolved(project: Project, rules: Sequence[Rule]) -> Sequence[UnresolvedCall]:
    """Look for these only when a rule asks, because few do."""
    asked = any(rule.entity is UnresolvedCall for rule in rules)
    return list(project.unresolved_calls()) if asked else ()


def _changes(project: Project, rules: Sequence[Rule]) -> Sequence[StateChange]:
    asked = any(rule.entity is StateChange for rule in rules)
    return list(project.state_changes()) if asked else ()


def _place(entity: object) -> str:
    path = getattr(entity, "path", None)
    span = getattr(entity, "span", None)
    line = span.line if isinstance(span, Span) else getattr(entity, "line", 1)
    return f"{path}:{line}" if path else "the project"


def _finding(rule: Rule, report: Report) -> Finding:
    return Finding(
        path=report.path,
        span=report.span,
        code=rule.code,
        rule=rule.slug,
        category=rule.category,
        severity=rule.severity_of(report),
        confidence=report.confidence,
        message=report.message,
        help=report.help,
        handlers=report.handlers,
        witness=report.witness,
        fix=report.fix,
        url=rule.url,
    )


def _one_per_line(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Merge findings of one rule on one line; the first one speaks, all handlers are named."""
    merged: dict[tuple[str, int, str], Finding] = {}
    for one in sorted(findings, key=lambda one: one.sort_key):
        key = (one.path, one.span.line, one.code)
        first = merged.get(key)
        if first is None:
            merged[key] = one
        else:
            handlers = tuple(sorted({*first.handlers, *one.handlers}))
            worse = max(first.severity, one.severity, key=lambda severity: severity.rank)
            merged[key] = replace(first, handlers=handlers, severity=worse)
    return iter(merged.values())


def _scopes(modules: Mapping[str, program.Module]) -> Callable[[Finding], str]:
    """Return a function that names the innermost function or class around a finding."""

    def scope_of(finding: Finding) -> str:
        module = modules.get(finding.path)
        best = ""
        if module is not None:
            narrowest: int | None = None
            for function in module.functions:
                span = function.node.span
                if span.line <= finding.span.line <= span.end_line:
                    size = span.end_line - span.line
                    if narrowest is None or size <= narrowest:
                        narrowest, best = size, function.qualname
        return best

    return scope_of


__all__ = ["Confidence", "Result", "Severity", "lint", "lives", "unsuppressed"]
