r"""The default session of boto3 is replaced on every invocation.

`boto3.setup_default_session` builds a session anew and puts it in place of the shared one, so
every later `boto3.client` call starts from nothing: credentials are resolved and service models
are loaded again. It also changes state of the whole process for everybody else.
https://docs.aws.amazon.com/boto3/latest/reference/core/boto3.html

```python bad
import boto3

def handler(event, context):
    boto3.setup_default_session(region_name="eu-west-1")  # LMB108
    return event
```

```python good
import boto3

boto3.setup_default_session(region_name="eu-west-1")
s3 = boto3.client("s3")

def handler(event, context):
    return s3.list_buckets()
```

Silent when it runs at import or behind a memo.

Limits: none known.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB108", category="client-per-invocation", severity=Severity.WARNING)
def recreated_default_session(call: Call, project: Project) -> Iterator[Report]:
    if not call.calls("boto3.setup_default_session") or call.phase is not Phase.INVOKE:
        return
    yield Report.of_call(
        call,
        message="the default session of boto3 is replaced on every invocation",
        help="set it up at module level, or make one `boto3.Session` there and use that",
        last="the default session is replaced here",
    )
