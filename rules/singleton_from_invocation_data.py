r"""A memo without a key keeps what the data of the first invocation made.

The client, session or user that one event asked for is handed to every later event of the
environment: one tenant's region, credentials or permissions serve all others. It is the bug that
the advice to reuse clients creates where the client depends on the event. AWS asks not to keep user
data or events with security implications:
https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html

```python bad
import boto3

_s3 = None

def s3(role):
    global _s3
    if _s3 is None:
        sts = boto3.client("sts")
        keys = sts.assume_role(RoleArn=role, RoleSessionName="x")["Credentials"]
        _s3 = boto3.client("s3", aws_session_token=keys["SessionToken"])  # LMB207 LMB502
    return _s3

def handler(event, context):
    return s3(event["role"]).list_buckets()
```

```python good
import boto3

_clients = {}

def s3(region):
    if region not in _clients:
        _clients[region] = boto3.client("s3", region_name=region)
    return _clients[region]

def handler(event, context):
    return s3(event["region"]).list_buckets()
```

```python bad name="anything else that is kept"
import directory

user = None

def handler(event, context):
    global user
    if not user:
        user = directory.find(event["user"])  # LMB207
    return {"name": user["name"]}
```

```python good name="made anew when the data differs, or from what never changes"
import os

import boto3

client = None
made_for = None
table = None

def handler(event, context):
    global client, made_for, table
    region = event["region"]
    if client is None or made_for != region:
        client = boto3.client("s3", region_name=region)
        made_for = region
    if table is None:
        table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    table.put_item(Item={"function": context.function_name})
    return client.list_buckets()
```

Silent when the data is the key, when the test in front of the memo compares it, and when what is
made depends on nothing that the event brings.

Limits: that a function serves one tenant only, and its environments with it, is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Fill, Project, Report, Severity, rule


@rule("LMB207", category="mutable-global-state", severity=Severity.ERROR)
def singleton_from_invocation_data(fill: Fill, project: Project) -> Iterator[Report]:
    shown = fill.spot.describe()
    yield Report.of_touch(
        fill.touch,
        project,
        message=f"`{shown}` is made from the first event's data and kept for all later ones",
        help="keep one for each value that it is made from, in a dictionary under that value, or "
        "make it for each event",
        last=f"invocation 1 makes `{shown}` from its own data; invocation 2 gets the same one",
    )
