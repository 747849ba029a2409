r"""A file could not be read or parsed, so nothing is known about it.

Nothing in such a file was checked, and what it defines is unknown to the rest of the project. That
is told as a finding, because silence would look like a clean file.

```python bad
def handler(event, context):
    return event[  # LMB900
```

```python good
def handler(event, context):
    return event["id"]
```

Silent when a file is excluded by the configuration or ignored by git. A file whose broken line
holds a placeholder (`{{ … }}`, `{% … %}`) was never meant to be Python, and is information.

Limits: a file is limited in size, depth and length of its expressions, because the parser cannot
survive every input; `max-file-size` in the configuration raises the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Failure, Project, Report, Severity, Span, rule


@rule("LMB900", category="lint", severity=Severity.WARNING)
def not_analysed(failure: Failure, project: Project) -> Iterator[Report]:
    line, column = failure.line, failure.column
    is_template = project.has_placeholder(failure.path, line)
    help_ = "mend the file, or leave it out with `exclude` in the configuration"
    if "newer syntax" in failure.message:
        help_ = "run lambda-lint with a newer Python, or leave the file out with `exclude`"
    if is_template:
        help_ = "it looks like a template: leave it out with `exclude` in the configuration"
    yield Report(
        path=failure.path,
        span=Span(line, column, line, column + 1),
        message=f"not analysed: {failure.message}",
        help=help_,
        witness=(),
        severity=Severity.INFO if is_template else None,
    )
