r"""A memo without a key keeps what the data of the first invocation made.

The client, session or user that one event asked for is handed to every later event of the
environment: one tenant's region, credentials or permissions serve all others. It is the bug that
the advice to reuse clients creates where the client depends on the event. AWS asks not to keep user
data or events with security implications:
https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html

```python events
import boto3

aws("s3").create_bucket(Bucket="alice")
alice, bob = "arn:aws:iam::123456789012:role/alice", "arn:aws:iam::210987654321:role/bob"
keys = aws("sts").assume_role(RoleArn=bob, RoleSessionName="orders")["Credentials"]
boto3.client(
    "s3",
    endpoint_url=aws("s3").meta.endpoint_url,
    region_name="us-east-1",
    aws_access_key_id=keys["AccessKeyId"],
    aws_secret_access_key=keys["SecretAccessKey"],
    aws_session_token=keys["SessionToken"],
).create_bucket(Bucket="bob")
send({"role": alice, "region": "us-east-1"})
send({"role": bob, "region": "eu-west-1"})
```

```python bad
import boto3

_s3 = None

def s3(role):
    global _s3
    if _s3 is None:
        sts = boto3.client("sts")
        keys = sts.assume_role(RoleArn=role, RoleSessionName="orders")["Credentials"]
        _s3 = boto3.client(  # LMB207 LMB502
            "s3",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
    return _s3

def handler(event, context):
    return [bucket["Name"] for bucket in s3(event["role"]).list_buckets()["Buckets"]]
```

```python good
import boto3

_clients = {}

def s3(region):
    if region not in _clients:
        _clients[region] = boto3.client("s3", region_name=region)
    return _clients[region]

def handler(event, context):
    return [bucket["Name"] for bucket in s3(event["region"]).list_buckets()["Buckets"]]
```

```python events
send({"user": "alice"})
send({"user": "bob"})
# file: directory.py
def find(user):
    return {"name": user.title()}
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

```python events
send({"user": "alice"})
send({"user": "bob"})
# file: directory.py
def find(user):
    return {"name": user.title()}
```

```python good name="emptied by the handler's own decorator"
import directory

user = None

def starting_anew(function):
    def inner(event, context):
        global user
        user = None
        return function(event, context)
    return inner

@starting_anew
def handler(event, context):
    global user
    try:
        if user is None:
            user = directory.find(event["user"])
        return {"name": user["name"]}
    except KeyError:
        return None
```

```python events
aws("dynamodb").create_table(
    TableName="functions",
    KeySchema=[{"AttributeName": "function", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "function", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
send({"region": "us-east-1"})
send({"region": "eu-west-1"})
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
        table = boto3.resource("dynamodb").Table(os.environ.get("TABLE", "functions"))
    table.put_item(Item={"function": context.function_name})
    return client.meta.region_name
```

Silent when the data is the key, when the test in front of the memo compares it, and when what is
made depends on nothing that the event brings. Information where a descriptor says that the function
has tenant isolation, since each environment is then one tenant's only:
https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html .

Limits: the same done by other means, such as a function for each tenant, is not known.
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
        severity=Severity.INFO if project.serves_one_tenant(fill.touch.function) else None,
        last=f"invocation 1 makes `{shown}` from its own data; invocation 2 gets the same one",
    )
