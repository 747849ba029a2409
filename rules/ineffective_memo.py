r"""A client looks as if it were kept, and is made again on every invocation.

The author meant to keep the client, so this is the easiest finding to overlook in a review. Only
what stands outside of the handler, or hangs on something that does, is still there for the next
event: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
The memo hangs on an object that is itself made for every event:

```python bad name="on an object of the invocation"
import boto3

class Storage:
    def __init__(self):
        self._s3 = None

    @property
    def s3(self):
        if self._s3 is None:
            self._s3 = boto3.client("s3")  # LMB106
        return self._s3

def handler(event, context):
    storage = Storage()
    return storage.s3.get_object(Bucket="b", Key=event["key"])
```

Or the session is kept, and the client, which is what costs, is not:

```python bad name="a session without its client"
import boto3

session = boto3.Session()

def handler(event, context):
    return session.client("s3").list_buckets()  # LMB106
```

Or a local variable hides the client that the module has already:

```python bad name="a local variable of the same name"
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    s3 = boto3.client("s3")  # LMB106
    return s3.list_buckets()
```

Or a dictionary is filled, and nobody ever looks into it:

```python bad name="a dictionary that nobody reads"
import boto3

CLIENTS = {}

def handler(event, context):
    CLIENTS["s3"] = boto3.client("s3")  # LMB106
    return event
```

```python good name="the object lives as long as the environment"
import boto3

class Storage:
    def __init__(self):
        self._s3 = None

    @property
    def s3(self):
        if self._s3 is None:
            self._s3 = boto3.client("s3")
        return self._s3

storage = Storage()

def handler(event, context):
    return storage.s3.get_object(Bucket="b", Key=event["key"])
```

Silent when what is kept is data that the client fetched, perhaps of one customer; when all
instances share what they keep (a class attribute, a singleton); and when it is not known who makes
the object.

Limits: whether a class is made per invocation is decided for the class, not for each instance.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB106", category="client-per-invocation", severity=Severity.WARNING)
def ineffective_memo(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or made.rule != "client" or made.kind == "loop-bound":
        return
    if call.phase is not Phase.INVOKE or call.depends_on or call.only_makes_clients:
        return
    if call.in_lifespan:
        return
    memo = call.ineffective_memo
    if memo is None:
        return
    yield Report.of_call(
        call,
        message=f"`{call.shown}` is made on every invocation: {memo.reason}",
        help=memo.remedy,
        last=f"a new {made.what} is made here",
        before_last=(memo.step,),
        severity=Severity.INFO if made.info else None,
    )
