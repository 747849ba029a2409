"""From directories of rule files to rules, and from names on a command line to a choice of them.

A rule directory is no package: each of its files is loaded from its path. The directory that
comes with the linter has no privileges; a project's own directory goes through the same door.
Nothing here needs a syntax tree, so listing rules stays fast.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.machinery
import importlib.util
import re
import sys
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from lambda_lint.finding import Confidence, Finding, Severity
from lambda_lint.rule import CATEGORIES, PAGES, RULE_MARK, Rule, RuleError, entity_of
from lambda_lint.settings import Settings

_PACKAGE = Path(__file__).resolve().parent

BUILTIN: Path = next(
    (place for place in (_PACKAGE / "rules", _PACKAGE.parent / "rules") if place.is_dir()),
    _PACKAGE / "rules",
)
"""The rules that come with the linter: inside the package in a wheel, beside it in a checkout."""

ALL = "ALL"
"""The name that stands for every rule."""


class Strictness(Protocol):
    """The part of the settings that `shown` asks for."""

    @property
    def strict(self) -> bool:
        """Whether information and low confidence are wanted too."""


def load_rules(directories: Iterable[Path]) -> tuple[Rule, ...]:
    """Return the rules of all files in `directories`, sorted by code.

    Files whose name starts with an underscore are left out. Raises RuleError for a directory that
    is not there, a file that is no rule, and for two files that claim one code or one slug.
    """
    rules: list[Rule] = []
    seen: set[Path] = set()
    for directory in directories:
        place = directory.resolve()
        if not place.is_dir():
            raise RuleError(f"{directory}: no such directory of rules")
        if place in seen:
            continue
        seen.add(place)
        rules.extend(load_rule(path) for path in sorted(place.glob("[!_]*.py")))
    rules.sort(key=lambda one: (one.code, one.path))
    _refuse_clashes(rules)
    return tuple(rules)


def load_rule(path: Path) -> Rule:
    """Load one rule file; raises RuleError, which names the file and the line, if it is none."""
    page = _page(path)
    module = _execute(path)
    check = _only_rule(module, path, page)
    line = check.__code__.co_firstlineno
    code, category, severity = getattr(check, RULE_MARK)
    if not isinstance(code, str) or not re.fullmatch(r"LMB[0-9]{3}", code):
        raise RuleError(f"{path}:{line}: a code is LMB and three digits, not {code!r}")
    if CATEGORIES.get(code[3]) != category:
        wanted = CATEGORIES.get(code[3], "no category: LMB0 is not used")
        raise RuleError(f"{path}:{line}: the category of {code} is {wanted}, not {category!r}")
    if not isinstance(severity, Severity):
        raise RuleError(f"{path}:{line}: severity is one of Severity, not {severity!r}")
    if check.__name__ != path.stem:
        raise RuleError(
            f"{path}:{line}: the rule function is {check.__name__!r}, its file {path.name!r}; "
            f"give both one name (the slug is that name in kebab-case)"
        )
    return Rule(
        code=code,
        slug=check.__name__.replace("_", "-"),
        category=category,
        severity=severity,
        title=page.title,
        page=page.text,
        path=str(path),
        entity=_entity(check, path, line),
        check=check,
        page_line=page.line,
        url=f"{PAGES}{path.stem.replace('_', '-')}.md" if path.parent.resolve() == BUILTIN else "",
    )


def select(
    rules: Sequence[Rule],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    extend_select: Sequence[str] = (),
) -> tuple[Rule, ...]:
    """Return the rules to run, in the order of `rules`.

    A name is a code, the beginning of a code (`LMB1`), a slug or `ALL`. Without `select` every
    rule is selected. Where a rule is both selected and ignored, the more exact name wins, and
    ignoring wins between two equally exact ones. Raises RuleError for a name that fits no rule.

    Rules of severity info are chosen like all others: some of what they report may weigh more.
    What of it is shown is decided by `shown`.
    """
    wanted = (*(select or (ALL,)), *extend_select)
    for name in (*wanted, *ignore):
        _refuse_unknown(name, rules)
    return tuple(
        one
        for one in rules
        if _exactness(one.code, one.slug, wanted) > _exactness(one.code, one.slug, ignore)
    )


def configured(rules: Sequence[Rule], settings: Settings) -> tuple[Rule, ...]:
    """Return the rules to run for the settings, for any file of the project.

    A rule that runs for some files only is among them; `is_wanted` leaves out what it says of
    others. Raises RuleError for a name that no rule has.
    """
    # A name in these tables that no rule has would do nothing, without anybody noticing.
    for names in (
        *settings.per_file_ignores.values(),
        *(one.ignore for one in settings.overrides),
        tuple(settings.severity_overrides),
    ):
        select(rules, ignore=names)
    chosen = {
        one.code
        for ours in (None, *settings.overrides)
        for one in select(
            rules,
            select=settings.select if ours is None or ours.select is None else ours.select,
            ignore=settings.ignore,
            extend_select=(*settings.extend_select, *(ours.extend_select if ours else ())),
        )
    }
    return tuple(
        replace(one, weight=_weight(one, settings.severity_overrides))
        for one in rules
        if one.code in chosen
    )


def _weight(one: Rule, severities: Mapping[str, str]) -> Severity | None:
    """Return what the settings make of a rule's severity; the most exact name counts."""
    best = max(severities, key=lambda name: _match(one.code, one.slug, name), default="")
    return Severity(severities[best]) if best and _match(one.code, one.slug, best) >= 0 else None


def explicit(rules: Sequence[Rule], names: Iterable[str]) -> frozenset[str]:
    """Return the codes of the rules that `names` select by their whole code or by their slug."""
    chosen = set(names)
    return frozenset(one.code for one in rules if one.code in chosen or one.slug in chosen)


def shown(finding: Finding, settings: Strictness, explicitly_selected: Collection[str]) -> bool:
    """Tell whether a finding is for everybody.

    Information and findings of low confidence are for those who ask: with the strict setting, or
    by selecting the rule by its whole code or slug (`explicitly_selected` holds codes, as
    `explicit` returns them).
    """
    if settings.strict or finding.code in explicitly_selected:
        return True
    return finding.severity is not Severity.INFO and finding.confidence is not Confidence.LOW


class UnknownRuleError(RuleError):
    """A name in the settings that no rule has."""

    def __init__(self, name: str, advice: str) -> None:
        """`advice` says what to write instead of `name`."""
        super().__init__(f"unknown rule {name!r}; {advice}")
        self.name = name


def is_wanted(finding: Finding, settings: Settings, explicitly_selected: Collection[str]) -> bool:
    """Tell whether the settings want a finding: its severity, its confidence, its rule in its file.

    `explicitly_selected` is as for `shown`; where the settings differ from file to file, those of
    the finding's own file count instead.
    """
    if not runs_in(finding.code, finding.rule, settings, finding.path):
        return False
    here = settings.for_file(finding.path)
    if settings.overrides:
        names = {*here.select, *here.extend_select}
        explicitly_selected = {finding.code} if names & {finding.code, finding.rule} else ()
    least = Severity.INFO if here.severity is None else Severity(here.severity)
    return finding.severity.rank >= least.rank and shown(finding, here, explicitly_selected)


def runs_in(code: str, slug: str, settings: Settings, path: str) -> bool:
    """Tell whether a rule that was chosen for the project is wanted in one file of it."""
    if settings.overrides:
        here = settings.for_file(path)
        chosen = (*(here.select or (ALL,)), *here.extend_select)
        if _exactness(code, slug, chosen) <= _exactness(code, slug, here.ignore):
            return False
    return not any(
        name in (ALL, slug) or code.startswith(name) for name in settings.ignored_in(path)
    )


# Loading one file.


class _Page(NamedTuple):
    """The documentation of a rule as its file has it; `line` (1-based) is its first line."""

    text: str
    title: str
    line: int


# The page is read from the text of the file and not from `__doc__`: examples keep their
# backslashes and their lines keep their numbers, also where Python removes docstrings (`-OO`)
# or indentation in them (3.13).
_DOCSTRING = re.compile(
    r"""
    (?P<before> (?: [ \t\f]* (?: \#[^\n]* )? \n )* )
    [rRuU]? (?P<quote> \"\"\" | \'\'\' | \" | \' )
    (?P<text> (?: [^\\] | \\. )*? )
    (?P=quote)
    """,
    re.VERBOSE | re.DOTALL,
)


def _page(path: Path) -> _Page:
    """Read the documentation of a rule file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RuleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: a rule file is UTF-8, and this one is not: {error}") from error
    found = _DOCSTRING.match(text)
    if found is None or not found["text"].strip():
        raise RuleError(
            f"{path}:1: a rule file starts with a docstring: a title, then the page of the rule"
        )
    page = found["text"]
    return _Page(page, page.strip().splitlines()[0].strip(), found["before"].count("\n") + 1)


def _execute(path: Path) -> ModuleType:
    """Run a rule file as a module of its own."""
    name = _module_name(path)
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and the evaluation of annotations look a module up by its name while it runs.
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except SyntaxError as error:
        sys.modules.pop(name, None)
        where = f"{path}:{error.lineno or 1}" if error.filename == str(path) else f"{path}:1"
        raise RuleError(f"{where}: syntax error: {error.msg}") from error
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        line = _line_inside(path, error)
        raise RuleError(
            f"{path}:{line}: cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    return module


def _module_name(path: Path) -> str:
    """Return a name under which no other directory's file is known."""
    if path.parent == BUILTIN:
        return f"lambda_lint.rules.{path.stem}"
    directory = str(path.parent).encode("utf-8", "surrogateescape")
    return f"lambda_lint.rules.{hashlib.blake2b(directory, digest_size=6).hexdigest()}.{path.stem}"


def _line_inside(path: Path, error: BaseException) -> int:
    """Return the last line of the file that was running when `error` was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((one.lineno or 1 for one in reversed(frames) if one.filename == str(path)), 1)


def _only_rule(module: ModuleType, path: Path, page: _Page) -> Any:
    """Return the one function of the file that is a rule."""
    marked = {
        id(value): value
        for value in vars(module).values()
        if hasattr(value, RULE_MARK) and getattr(value, "__module__", None) == module.__name__
    }
    found = list(marked.values())
    if not found:
        line = page.line + page.text.count("\n")
        raise RuleError(f"{path}:{line}: no rule: mark one function with @rule below the page")
    if len(found) > 1:
        names = " and ".join(one.__name__ for one in found)
        raise RuleError(
            f"{path}:{found[1].__code__.co_firstlineno}: one rule per file, and here are {names}"
        )
    return found[0]


def _entity(check: Any, path: Path, line: int) -> type[Any]:
    """Return what the rule looks at."""
    try:
        return entity_of(check)
    except RuleError:
        raise
    except Exception as error:
        raise RuleError(
            f"{path}:{line}: the annotations cannot be evaluated: {error}; import what they name "
            "from lambda_lint.rule"
        ) from error


def _refuse_clashes(rules: Sequence[Rule]) -> None:
    """Raise RuleError when two files claim the same code or slug."""
    owners: dict[str, Rule] = {}
    for one in rules:
        for name in (one.code, one.slug):
            if (other := owners.setdefault(name, one)) is not one:
                line = one.check.__code__.co_firstlineno
                raise RuleError(f"{one.path}:{line}: {name} is already taken by {other.path}")


# Choosing.


def _exactness(code: str, slug: str, names: Iterable[str]) -> int:
    """Return how exactly the best of `names` means this rule; -1 if none does."""
    return max((_match(code, slug, name) for name in names), default=-1)


def _match(code: str, slug: str, name: str) -> int:
    if name == ALL:
        return 0
    if name == slug:
        return len(code)
    return len(name) if name and code.startswith(name) else -1


def _refuse_unknown(name: str, rules: Sequence[Rule]) -> None:
    """Raise RuleError, with the nearest name that exists, when `name` fits no rule."""
    advice = None if name == ALL else advice_for_unknown(name, rules, beginnings=True)
    if advice is not None:
        raise UnknownRuleError(name, advice)


def advice_for_unknown(name: str, rules: Sequence[Rule], *, beginnings: bool) -> str | None:
    """Return what to write instead of a name that no rule has, None for a name of a rule.

    `beginnings` says that the beginning of a code counts as a name.
    """
    if any(
        _match(one.code, one.slug, name) > 0 if beginnings else name in (one.code, one.slug)
        for one in rules
    ):
        return None
    known = {spelling: one for one in rules for spelling in (one.code, one.slug)}
    near = difflib.get_close_matches(name[:100].lower(), [one.slug for one in rules], 1) or (
        difflib.get_close_matches(name[:100].upper(), [one.code for one in rules], 1)
    )
    if not near:
        return "`lambda-lint rules` lists all of them"
    one = known[near[0]]
    return f"did you mean {near[0]} ({one.slug if near[0] == one.code else one.code})?"
