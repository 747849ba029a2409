r"""A comment silences a rule that has nothing to say there, or does not do what it seems to do.

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

A `# noqa` is judged by the codes that are ours; what others it needs only flake8 knows.

```python bad
import boto3

client = boto3.client("s3")  # noqa: E501,LMB101  # LMB902

def handler(event, context):
    return client.get_object(Bucket="orders", Key=event["key"])["ContentLength"]
```

The same is said of a comment that does not mean what it seems to mean: one that is not understood
and so silences nothing, one that names no rule or a rule that does not exist, a `disable` that is
never enabled again, and a `# noqa` in which flake8 sees no code, so that it silences everything.

```python bad
import boto3

def handler(event, context):
    client = boto3.client("s3")  # lambda-lint: ignore client-in-handler  # LMB902, LMB101
    return client.get_object(Bucket="orders", Key=event["key"])["ContentLength"]
```

With `require-suppression-reason = true` in the configuration it is also said of a comment that
gives no reason behind the names.

Silent when the rule of that name did not run, and in files that no handler reaches, because nothing
is looked for there; a malformed comment is told there, too.

Limits: a `# noqa` with the beginning of codes (`LMB1`) is never called needless. Under flake8 a
comment that silences its whole line silences this rule, too; `flake8 --disable-noqa` shows it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Project, Report, Severity, UnusedSuppression, rule


@rule("LMB902", category="lint", severity=Severity.WARNING)
def unused_suppression(unused: UnusedSuppression, project: Project) -> Iterator[Report]:
    message = unused.problem or f"`{unused.name}` is silenced here, and has nothing to say"
    delete = f"delete `{unused.name}` from the comment, and the comment when it names nothing else"
    yield Report(unused.path, unused.span, message, unused.advice or delete, witness=())
