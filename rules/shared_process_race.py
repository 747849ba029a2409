r"""Requests that one process serves at the same time use one variable.

An environment has one event at a time, with two exceptions: a web function, whose server gets up to
64 requests at once, and a server behind the web adapter on Lambda Managed Instances. There, what
one request keeps in a variable of the module is overwritten by another one before it is read, and a
memo is filled twice at a time, which making a client of boto3 does not survive.
https://docs.aws.amazon.com/lambda/latest/dg/web-functions-scaling.html
https://github.com/boto/botocore/issues/2898

```toml config
web-functions = true
```

```python bad
import boto3
from flask import Flask, request

app = Flask(__name__)
tenant = None
_table = None

def table():
    global _table
    if _table is None:
        _table = boto3.resource("dynamodb").Table("orders")  # LMB212
    return _table

@app.get("/orders/<tenant_id>")
def orders(tenant_id):
    global tenant
    tenant = tenant_id  # LMB212
    return load()

def load():
    return table().get_item(Key={"id": tenant})["Item"]

def handler(event, context):
    return orders(event["tenant"])
```

Not run: it needs several requests at a time.

```python good
import threading

import boto3
from flask import Flask

app = Flask(__name__)
_table = None
_lock = threading.Lock()

def table():
    global _table
    with _lock:
        if _table is None:
            _table = boto3.resource("dynamodb").Table("orders")
        return _table

@app.get("/orders/<tenant_id>")
def orders(tenant_id):
    return load(tenant_id)

def load(tenant):
    return table().get_item(Key={"id": tenant})["Item"]

def handler(event, context):
    return orders(event["tenant"])
```

```python good name="each thread has its own, or there is none"
import threading

import boto3

local = threading.local()
table = boto3.resource("dynamodb").Table("orders")

def load():
    return table.get_item(Key={"id": local.tenant})["Item"]

def handler(event, context):
    local.tenant = event["tenant"]
    return load()
```

Silent when there is no setting `web-functions`, unless a template puts the web adapter on managed
instances; under a lock; for `threading.local` and context variables; for coroutines that await
nothing; and on Managed Instances without an adapter, where each request has a process of its own.

Limits: web functions are not read from templates yet. Of memos only those that make clients of AWS
are spoken of.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Project, Race, Report, Severity, rule


@rule("LMB212", category="mutable-global-state", severity=Severity.ERROR)
def shared_process_race(race: Race, project: Project) -> Iterator[Report]:
    if race.kind == "data":
        message = f"`{race.shown}` holds data of one request while the same process serves others"
        help = "keep it in a local variable and hand it on, or in a `contextvars.ContextVar`"
        last = "another request may write it before this one reads it"
    else:
        message = f"`{race.shown}` may run in two requests at once, and is not safe between threads"
        help = "make it at module level, or test and make it within `with lock:`"
        last = "two requests may find nothing there, and both come here"
    yield Report.of_sighting(race, message=message, help=help, last=last)
