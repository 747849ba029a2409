r"""A comment silences a rule that has nothing to say there.

The mistake was mended, or the code has moved, and the comment stayed. It says of right code that it
is wrong, and the day on which the mistake comes back it hides it.

```python bad
import boto3

client = boto3.client("s3")  # lambda-lint: ignore[client-in-handler]  # LMB902

def handler(event, context):
    return client.get_object(Bucket="orders", Key=event["key"])["ContentLength"]
```

```python good
import boto3

def handler(event, context):
    client = boto3.client("s3")  # lambda-lint: ignore[client-in-handler] a test counts them
    return client.get_object(Bucket="orders", Key=event["key"])["ContentLength"]
```

Silent when the rule of that name did not run, and in files that no handler reaches, because nothing
is looked for there.

Limits: of `# noqa` comments only flake8 knows what they silence, and of a name that no rule has
nothing is said; `lambda-lint rules` shows the names.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Project, Report, Severity, UnusedSuppression, rule


@rule("LMB902", category="lint", severity=Severity.WARNING)
def unused_suppression(unused: UnusedSuppression, project: Project) -> Iterator[Report]:
    yield Report(
        path=unused.path,
        span=unused.span,
        message=f"`{unused.name}` is silenced here, and has nothing to say",
        help=f"delete `{unused.name}` from the comment, and the comment when it names nothing else",
        witness=(),
    )
