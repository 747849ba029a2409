"""Examples on disk and in memory: rule pages, fixture projects, tables of phases."""

from __future__ import annotations

import functools
import posixpath
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lambda_lint import engine
from lambda_lint.config import CONFIG_NAME, load
from lambda_lint.descriptors.names import describes, may_describe
from lambda_lint.discovery import discover
from lambda_lint.registry import BUILTIN, load_rule
from lambda_lint.rule import Rule, RuleError
from lambda_lint.settings import Settings
from lambda_lint.source import Failure, Source
from lambda_lint.testing.checks import (
    Checked,
    Lint,
    Outcome,
    check,
    check_blocks,
    check_fixed,
    located,
)
from lambda_lint.testing.pages import (
    Block,
    Mark,
    blocks,
    fences,
    split_files,
    take_marks,
    take_phases,
)


class ExampleError(AssertionError):
    """An example is not as its marks say; the text says in what, one problem after the other."""


def check_fixture_project(directory: Path, *, lint: Lint = engine.lint) -> None:
    """Lint a project on disk with the rules that come with the linter, and check its marks.

    Raises ExampleError, which names every line that is wrong. All the files that the command line
    would read are read, with the project's own settings if it has any.
    """
    settings = _settings(directory.resolve())
    found = discover(settings)
    marks = [
        mark
        for path, source in sorted((found.sources | found.descriptors).items())
        # Copies that a tool has made of Python files are evidence, and not what is judged.
        if path in found.sources or not path.endswith(".py")
        for mark in take_marks(path, source.text)[1]
    ]

    def lint_project(
        sources: Mapping[str, Source],
        settings: Settings,
        rules: Sequence[Rule],
        *,
        failures: Iterable[Failure] = (),
        descriptors: Mapping[str, Source] = found.descriptors,
    ) -> Outcome:
        return lint(
            sources,
            settings,
            rules,
            failures=(*failures, *found.failures),
            descriptors=descriptors,
        )

    rules = _rules_beside(BUILTIN)
    problems = check(found.sources, marks, settings, rules, lint_project).problems
    if problems:
        raise ExampleError("\n".join(problems))


class Page:
    """The page of one rule file, with its examples as tests.

    The rules that its examples are linted with are those beside it and those that come with the
    linter. A neighbour that cannot be loaded is left out here: its own page says so.
    """

    def __init__(self, path: Path, *, lint: Lint = engine.lint) -> None:
        """Read the page; raises RuleError if the file is no rule."""
        self.rule: Rule = load_rule(path)
        self.blocks: tuple[Block, ...] = tuple(blocks(self.rule.page, self.rule.page_line))
        self._lint = lint
        self._done: dict[int, Checked] = {}

    def check_page(self) -> list[tuple[int, str]]:
        """Say what is wrong with the page as a whole, each with its line."""
        problems = check_blocks(self.blocks, self.rule.code)
        declared = any(block.kind == "fixed" for block in self.blocks)
        for index, block in enumerate(self.blocks):
            if block.kind != "bad" or declared:
                continue
            own = [one for one in self.checked(index).findings if one.code == self.rule.code]
            if any(one.fix for one in own):
                problems.append((block.line, "the rule offers a fix: show it in a fixed example"))
        return problems

    def check_block(self, index: int) -> list[str]:
        """Say what is wrong with one example; lines of its files are followed by the page's."""
        block = self.blocks[index]
        problems = list(self.checked(index).problems)
        if block.kind == "fixed" and index and self.blocks[index - 1].kind == "bad":
            bad = self.checked(index - 1)
            if not any(one.fix for one in bad.findings if one.code == self.rule.code):
                problems.append(f"{self.rule.code} offers no fix for the example above")
            problems += check_fixed(bad, block)
            if self.checked(index).fixed.changed:
                problems.append("fixing the fixed example changes it again")
        return [located(problem, block.places) for problem in problems]

    def checked(self, index: int) -> Checked:
        """Lint one example; the result is kept."""
        if index not in self._done:
            block = self.blocks[index]
            rules = _rules_beside(Path(self.rule.path).resolve().parent)
            with tempfile.TemporaryDirectory() as directory:
                settings = _written(Path(directory).resolve(), block.files, block.config)
                sources = _sources(block.files)
                lint = self._lint
                deployed = _descriptors(block.files)
                if deployed:
                    lint = functools.partial(lint, descriptors=deployed)
                self._done[index] = check(
                    sources, block.marks, settings, rules, lint, own=self.rule.code
                )
        return self._done[index]


@dataclass(frozen=True)
class PhaseCase:
    """One example of a table of phases: where it stands, and its files with their marks."""

    title: str
    line: int
    files: Mapping[str, str]
    marks: tuple[Mark, ...]


def phase_cases(page: str) -> list[PhaseCase]:
    """Return the Python fences of a Markdown page, each under the heading above it.

    Lines end in `# INIT`, `# INVOKE`, `# ONCE`, or `# NEVER` where nothing ever runs the line.
    """
    cases = []
    for fence in fences(page):
        if fence.info.split()[:1] == ["python"]:
            files, _ = split_files(fence.lines)
            taken = [take_phases(path, text) for path, text in files.items()]
            marks = tuple(mark for _, found in taken for mark in found)
            clean = {path: text for path, (text, _) in zip(files, taken, strict=True)}
            cases.append(PhaseCase(fence.heading, fence.line, clean, marks))
    return cases


def phases(case: PhaseCase) -> dict[tuple[str, int], str]:
    """Return what the model says of the marked lines, as the marks would say it."""
    with tempfile.TemporaryDirectory() as directory:
        settings = _written(Path(directory).resolve(), case.files, "")
        outcome = engine.lint(
            _sources(case.files), settings, (), descriptors=_descriptors(case.files)
        )
    return {
        (mark.path, mark.line): outcome.project.phase_at(mark.path, mark.line) or "NEVER"
        for mark in case.marks
    }


@cache
def _rules_beside(directory: Path) -> tuple[Rule, ...]:
    """Return the rules of a directory that can be loaded, and those of the linter."""
    rules: dict[str, Rule] = {}
    for place in dict.fromkeys((directory, BUILTIN)):
        for path in sorted(place.glob("[!_]*.py")):
            try:
                one = load_rule(path)
            except RuleError:
                continue
            rules.setdefault(one.code, one)
    return tuple(rules[code] for code in sorted(rules))


def _sources(files: Mapping[str, str]) -> dict[str, Source]:
    return {
        path: Source(path, text.encode()) for path, text in files.items() if path.endswith(".py")
    }


def _descriptors(files: Mapping[str, str]) -> dict[str, Source]:
    found = {}
    for path, text in files.items():
        name = posixpath.basename(path)
        if not path.endswith(".py") and may_describe(name) and describes(path, text.encode()):
            found[path] = Source(path, text.encode())
    return found


def _written(root: Path, files: Mapping[str, str], config: str) -> Settings:
    """Write an example to disk, where templates are looked for, and return its settings."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
    if config:
        (root / CONFIG_NAME).write_text(config, encoding="utf-8")
    return _settings(root)


def _settings(root: Path) -> Settings:
    """Return the settings of the project at `root`; what lies above it is no part of it."""
    for name in (CONFIG_NAME, "pyproject.toml"):
        if (root / name).is_file() and (name == CONFIG_NAME or _has_table(root / name)):
            return load([root], config_file=root / name)
    return Settings(root=root)


def _has_table(pyproject: Path) -> bool:
    return b"[tool.lambda-lint]" in pyproject.read_bytes()
