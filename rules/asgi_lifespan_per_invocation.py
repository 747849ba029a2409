r"""The lifespan of an ASGI application opens something, and Mangum runs it for every event.

A server starts an application once and serves many requests. Mangum starts and stops it around
each event, because it cannot know which event is the last one of an environment: the pool of a
`lifespan`, or of a startup handler, is opened and closed for a single request. It cost one project
about 200 ms for each request, and the connections of its database
(https://github.com/stac-utils/stac-fastapi/issues/493).

```python bad
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from mangum import Mangum

@asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool("postgres://db/shop")  # LMB103
    yield
    await app.state.pool.close()

app = FastAPI(lifespan=lifespan)
handler = Mangum(app)
```

Switch the lifespan off, which is a decision of the Lambda entry alone: the application keeps it for
other servers. What it opened is then made on first use and kept.

```python good name="the lifespan is off, the client is made on first use"
import functools
from contextlib import asynccontextmanager

from fastapi import FastAPI
from mangum import Mangum
from pymongo import MongoClient

@functools.cache
def database():
    return MongoClient("mongodb://db").shop

@asynccontextmanager
async def lifespan(app):
    database().command("ping")
    yield

app = FastAPI(lifespan=lifespan)

@app.get("/items")
def items():
    return list(database().items.find())

handler = Mangum(app, lifespan="off")
```

An asynchronous pool belongs to its event loop, and Mangum makes a new one for each event since its
version 0.20. Such a pool cannot be kept without more ado; a synchronous client can.

Startup handlers run as often, in whatever way they are registered:

```python bad name="startup handlers, and requests in them"
import boto3
import requests
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()
ssm = boto3.client("ssm")

@app.on_event("startup")
def load_settings():
    app.state.flags = ssm.get_parameter(Name="/shop/flags")  # LMB103

def fetch_keys():
    app.state.keys = requests.get("https://id.example.com/jwks.json", timeout=5).json()  # LMB103

app.add_event_handler("startup", fetch_keys)

def handler(event, context):
    return Mangum(app)(event, context)
```

Silent when the lifespan only sets up what costs nothing, or stands behind a memo:

```python good name="a memo, and nothing costly"
from contextlib import asynccontextmanager

import boto3
from fastapi import FastAPI
from mangum import Mangum

_table = None

def table():
    global _table
    if _table is None:
        _table = boto3.resource("dynamodb").Table("items")
    return _table

@asynccontextmanager
async def lifespan(app):
    app.state.table = table()
    app.state.title = "shop"
    yield

app = FastAPI(lifespan=lifespan)
handler = Mangum(app, lifespan="auto")
```

Silent, too, when `lifespan=` of Mangum is not written out as a constant, and for requests where the
same lifespan makes a client, of which one finding is enough.

Limits: of several applications that may be the one that is served, none is judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB103", category="client-per-invocation", severity=Severity.WARNING)
def asgi_lifespan_per_invocation(call: Call, project: Project) -> Iterator[Report]:
    if not call.in_lifespan or call.phase is not Phase.INVOKE or call.only_makes_clients:
        return
    made = call.constructor
    remedy = "make what it needs on first use, in a function with `@functools.cache`"
    if made is not None and _is_made(call):
        happens, last = f"makes a new {made.what}", f"a new {made.what} is made here"
        if made.kind == "loop-bound":
            remedy = "keep a synchronous one in a function with `@functools.cache`, or this one in "
            remedy += "an event loop of your own that is kept"
    elif call.uses_network and not _makes_anything(call, project):
        happens, last = "goes to the network", "the request is sent here"
    else:
        return
    yield Report.of_call(
        call,
        message=f"`{call.shown}` {happens} around every event, because Mangum runs the lifespan",
        help=f'serve the application with `Mangum(app, lifespan="off")`, and {remedy}',
        last=last,
    )


def _is_made(call: Call) -> bool:
    made = call.constructor
    return made is not None and not made.info and not made.constant_argument and not made.loop_only


def _makes_anything(call: Call, project: Project) -> bool:
    """Whether the lifespan that the call runs in makes a client, which is reported already."""
    entry = call.way.entry if call.way is not None else None
    return any(
        _is_made(one)
        for one in project.calls()
        if one.in_lifespan
        and one.phase is Phase.INVOKE
        and one.way is not None
        and one.way.entry is entry
        and not one.only_makes_clients
    )
