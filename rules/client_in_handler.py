r"""A client or connection is made again on every invocation.

Making a client costs tens to hundreds of milliseconds: an SDK client loads its service model and
resolves credentials, a database connection shakes hands, and none of them has an open connection
to reuse. Lambda keeps the module between invocations, so what is made there is paid for once.
AWS's best practices say so: initialise SDK clients and database connections outside of the
handler (https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html).

```python bad
import boto3

def handler(event, context):
    s3 = boto3.client("s3")  # LMB101
    return s3.get_object(Bucket="b", Key=event["key"])
```

```python fixed
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    return s3.get_object(Bucket="b", Key=event["key"])
```

Mostly the client is not made in the handler itself but in a helper that looks as if it kept one.

```python bad name="in a helper of another module"
# file: app.py
from aws import get_queue_client

def lambda_handler(event, context):
    for record in event["Records"]:
        get_queue_client().delete_message(QueueUrl="q", ReceiptHandle=record["receiptHandle"])

# file: aws.py
from boto3 import client

def get_queue_client():
    return client("sqs")  # LMB101
```

```python fixed
# file: app.py
from aws import get_queue_client

def lambda_handler(event, context):
    for record in event["Records"]:
        get_queue_client().delete_message(QueueUrl="q", ReceiptHandle=record["receiptHandle"])

# file: aws.py
import functools
from boto3 import client

@functools.cache
def get_queue_client():
    return client("sqs")
```

So does making an object of a class of the project that is a client by its base.

```python bad name="a client of the project's own"
import requests

class Api(requests.Session):
    def orders(self):
        return self.get("https://api.example.com/orders", timeout=5).json()

class One(type):
    kept = {}

    def __call__(cls, *args):
        if cls not in cls.kept:
            cls.kept[cls] = super().__call__(*args)
        return cls.kept[cls]

class Single(requests.Session, metaclass=One):
    pass

api = Api()

def lambda_handler(event, context):
    Single().get("https://api.example.com/items", timeout=5)
    return [api.orders(), Api().orders()]  # LMB101
```

What an object keeps may be what the client fetched: data of one customer, perhaps. Then the
memo keeps data, and the client is made again for the next object.

```python bad name="the memo is for data"
import boto3

class User:
    def __init__(self, user_id):
        self._id = user_id
        self._data = None
        self._groups = None

    @property
    def data(self):
        if self._data is None:
            self._data = self.find(self._id)
        return self._data

    @property
    def groups(self):
        if self._groups is None:
            client = boto3.client("cognito-idp")  # LMB101
            self._groups = client.admin_list_groups_for_user(UserPoolId="p", Username=self._id)
        return self._groups

    @classmethod
    def find(cls, user_id):
        client = boto3.client("cognito-idp")  # LMB101
        return client.admin_get_user(UserPoolId="p", Username=user_id)

def handler(event, context):
    user = User(event["sub"])
    return user.data, user.groups
```

Each model class of PynamoDB has a session and a client of its own, so a function that defines one
makes those as well.

```python bad name="a model class"
import functools
import os
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

def orders():
    class Order(Model):  # LMB101
        class Meta:
            table_name = os.environ["ORDERS"]

        key = UnicodeAttribute(hash_key=True)

    return Order

@functools.cache
def items():
    class Item(Model):
        class Meta:
            table_name = os.environ["ITEMS"]

        key = UnicodeAttribute(hash_key=True)

    return Item

def lambda_handler(event, context):
    return [orders().get(event["order"]), items().get(event["item"])]
```

Module level is the shortest remedy. A cached function makes the client on first use, which suits
functions with many routes, tests that patch the SDK, and connections.

```python good name="at module level, or on first use"
import functools

import boto3

s3 = boto3.client("s3")

@functools.cache
def table():
    return boto3.resource("dynamodb").Table("orders")

def handler(event, context):
    s3.head_object(Bucket="b", Key=event["key"])
    return table().get_item(Key={"id": event["id"]})
```

Silent when the call stands behind a memo that works, in whatever form it is written:

```python good name="a memo"
import boto3

_client = None
_by_region = {}

def client():
    global _client
    if _client is None:
        _client = boto3.client("s3")
    return _client

def regional(region):
    if region not in _by_region:
        _by_region[region] = boto3.client("s3", region_name=region)
    return _by_region[region]

def handler(event, context):
    client().head_object(Bucket="b", Key=event["key"])
    return regional(event["region"]).list_buckets()
```

Sessions and resources of boto3 are not made for several threads, so a worker thread has its own;
clients are (https://boto3.amazonaws.com/v1/documentation/api/latest/guide/resources.html).

```python good name="one for each thread"
import concurrent.futures
import functools

import boto3

def drain(name):
    queue = boto3.resource("sqs").get_queue_by_name(QueueName=name)
    return [message.delete() for message in queue.receive_messages()]

def sign(key):
    return boto3.session.Session().get_credentials()

def handler(event, context):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for name in event["queues"]:
            pool.submit(functools.partial(drain, name))
        list(pool.map(sign, event["queues"]))
```

```python bad name="a client for each thread"
import concurrent.futures

import boto3

def drain(name):
    boto3.client("sqs").purge_queue(QueueUrl=name)  # LMB101

def count(name):
    return boto3.resource("sqs").get_queue_by_name(QueueName=name)  # LMB101

def handler(event, context):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(drain, event["queues"]))
        list(pool.map(count, event["queues"]))
    return count(event["last"])
```

Silent, too, when the client depends on the event or on assumed credentials, of which
per-tenant-client-uncached speaks, when it belongs to an event loop that ends with the invocation,
and for what is only defined and never called:

```python good name="not the same for every event"
import boto3
import httpx

async def fetch(url):
    async with httpx.AsyncClient() as client:
        return await client.get(url)

def unused():
    return boto3.client("s3")

def handler(event, context):
    credentials = boto3_sts.assume_role(RoleArn=event["role"], RoleSessionName="x")["Credentials"]
    return boto3.client("s3", aws_session_token=credentials["SessionToken"])

boto3_sts = boto3.client("sts")
```

A memo that each invocation empties on purpose makes one client for each, however often it is asked.
Then this is information, shown with `--strict`:

```python bad name="one for each invocation"
import functools

import boto3

class Api:
    @functools.lru_cache
    def client(self, *args):
        return boto3.client(*args)  # LMB101

    def forget(self):
        self.client.cache_clear()

api = Api()

def handler(event, context):
    api.forget()
    return [api.client("s3").head_object(Bucket="b", Key=key) for key in event["keys"]]
```

Limits: callables that are looked up by a computed name are not followed; `strict` mode does not
tell of them yet.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import (
    Call,
    Fix,
    Phase,
    Project,
    Report,
    Severity,
    cached_getter,
    hoist,
    needs_only_module_names,
    rule,
)


@rule("LMB101", category="client-per-invocation", severity=Severity.WARNING)
def client_in_handler(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or made.rule != "client" or made.kind == "loop-bound":
        return
    if call.phase is not Phase.INVOKE or call.calls("boto3.setup_default_session"):
        return
    # Another rule says why these are made again, and what to do about it.
    if call.depends_on or call.ineffective_memo is not None or call.only_makes_clients:
        return
    if call.in_lifespan or (made.per_thread and call.in_worker_thread):
        return
    often = "each time an invocation gets here" if call.is_conditional else "on every invocation"
    severity = Severity.WARNING
    memo = call.emptied_memo
    if memo is not None:
        often = f"on every invocation, which empties `{memo.place.describe()}` first"
        severity = Severity.INFO
    elif call.loop and call.only_some_items:
        often = "each time a loop gets here"
    elif call.loop:
        often = "for every item of a loop"
        severity = Severity.ERROR
    yield Report.of_call(
        call,
        message=f"`{call.shown}` makes a new {made.what} {often}",
        help=_help(call, made.kind),
        last=f"a new {made.what} is made here",
        severity=Severity.INFO if made.info else severity,
        fix=_fix(call, made.kind),
    )


def _fix(call: Call, kind: str) -> Fix | None:
    """Hoist what can be hoisted; a cached function where making it early could do harm."""
    # Of a session, its clients are what to keep.
    if call.differs_elsewhere or kind == "factory" or call.emptied_memo is not None:
        return None
    if call.resource is not None and call.resource.closings:
        # A shared one would be closed by the first invocation.
        return None
    if kind != "connecting" and not call.snapstart and not call.project.tests_patch_sdk:
        moved = hoist(call)
        if moved is not None:
            return moved
    # A connection needs a check that it is alive as well, which only its owner can write.
    return None if kind == "connecting" else cached_getter(call)


def _help(call: Call, kind: str) -> str:
    if call.emptied_memo is not None:
        return "do not empty the memo, if an object of an earlier invocation would do as well"
    if call.differs_elsewhere:
        return (
            "the callers of this witness give the same values every time: keep what is made for "
            "them, in a cache that has the values as its key"
        )
    if call.only_tells_region and not call.node.arguments:
        return 'read the region from `os.environ["AWS_REGION"]`, which Lambda always sets'
    if kind == "connecting":
        return (
            "connect on first use, keep the connection in a module variable, and check that it is "
            "alive before using it again"
        )
    if call.is_only_result and not call.function.parameters:
        return (
            f"decorate `{call.function.name}` with `@functools.cache`, so that it makes one and "
            "keeps it"
        )
    written = " ".join(call.source_text.split())
    if len(written) <= 70 and needs_only_module_names(call):
        return f"make it once, at module level: `{written}`"
    return "make it once, at module level or in a function with `@functools.cache`, and use that"
