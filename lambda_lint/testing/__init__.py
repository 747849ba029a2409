"""Tests for rules, written where the rules are described: a plugin for pytest.

    pytest -p lambda_lint.testing rules/

Each fenced example on the page of a rule becomes a test in its own line; one more looks at the
page as a whole. The setting `lambda_lint_rules` names the directories with rules (`rules`).
`check_fixture_project` does the same for a project on disk. How examples and marks are written
stands in `lambda_lint.testing.pages`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambda_lint.rule import RuleError

if TYPE_CHECKING:
    from lambda_lint.testing.projects import Page

__all__ = ["ExampleError", "check_fixture_project", "phase_cases", "phases"]


def __getattr__(name: str) -> Any:
    # A plugin is imported with pytest itself, long before it is known whether any rule is tested.
    if name in __all__:
        from lambda_lint.testing import projects

        return getattr(projects, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the setting that names the rule directories."""
    parser.addini(
        "lambda_lint_rules",
        "directories of lambda-lint rules whose pages are tests",
        type="paths",
        default=None,
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> RuleFile | None:
    """Collect the examples of a rule file."""
    if _is_rule_file(file_path, parent.config):
        return RuleFile.from_parent(parent, path=file_path)
    return None


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Any:
    """Keep pytest from importing a rule file as a module of tests when it is named directly."""
    if _is_rule_file(module_path, parent.config):
        return _NoTests.from_parent(parent, path=module_path)
    return None


class RuleFile(pytest.File):
    """The page of one rule."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for the page, and one for each of its examples."""
        from lambda_lint.testing.projects import Page

        try:
            page = Page(self.path)
        except RuleError as error:
            raise self.CollectError(str(error)) from None
        yield PageTest.from_parent(self, name="page", page=page)
        counts: Counter[str] = Counter()
        for index, block in enumerate(page.blocks):
            name = block.kind or "example"
            if block.title:
                name = f"{name}[{block.title}]"
            counts[name] += 1
            if counts[name] > 1:
                name = f"{name}-{counts[name]}"
            yield ExampleTest.from_parent(self, name=name, page=page, index=index)


class PageTest(pytest.Item):
    """What must be true of a page as a whole."""

    def __init__(self, *, page: Page, **rest: Any) -> None:
        super().__init__(**rest)
        self._page = page

    def runtest(self) -> None:
        """Fail with everything that is wrong with the page."""
        from lambda_lint.testing.projects import ExampleError

        if problems := self._page.check_page():
            raise ExampleError("\n".join(f"{self.path}:{line}: {text}" for line, text in problems))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Place the test at the first line of the page."""
        return self.path, self._page.rule.page_line - 1, f"{self._page.rule.slug}: page"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what is wrong, without the code of the harness."""
        return _shown(self, excinfo)


class ExampleTest(pytest.Item):
    """One example of a page."""

    def __init__(self, *, page: Page, index: int, **rest: Any) -> None:
        super().__init__(**rest)
        self._page = page
        self._index = index

    def runtest(self) -> None:
        """Fail with everything that is wrong with the example."""
        from lambda_lint.testing.projects import ExampleError

        if problems := self._page.check_block(self._index):
            line = self._page.blocks[self._index].line
            raise ExampleError(f"{self.path}:{line}: {self.name}\n" + "\n".join(problems))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Place the test at the fence of its example."""
        line = self._page.blocks[self._index].line
        return self.path, line - 1, f"{self._page.rule.slug}: {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what is wrong, without the code of the harness."""
        return _shown(self, excinfo)


class _NoTests(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        return iter(())


def _shown(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
    from lambda_lint.testing.projects import ExampleError

    if isinstance(excinfo.value, ExampleError):
        return str(excinfo.value)
    return pytest.Item.repr_failure(item, excinfo)


def _is_rule_file(path: Path, config: pytest.Config) -> bool:
    if path.suffix != ".py" or path.name.startswith("_"):
        return False
    directories = config.getini("lambda_lint_rules") or [config.rootpath / "rules"]
    return path.resolve().parent in [one.resolve() for one in directories]
