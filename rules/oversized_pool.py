r"""A connection pool is larger than one invocation needs.

An environment works on one event at a time, so it needs one connection. A pool that opens several
opens them in every environment, and a burst of a few hundred environments exhausts the server.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html

```python bad
import os

from psycopg_pool import ConnectionPool

pool = ConnectionPool(os.environ["DSN"])  # LMB805

def handler(event, context):
    with pool.connection() as connection:
        return connection.execute("select 1 from items").fetchone()
```

```python good
import os

from psycopg_pool import ConnectionPool

pool = ConnectionPool(os.environ["DSN"], min_size=1, max_size=1)

def handler(event, context):
    with pool.connection() as connection:
        return connection.execute("select 1 from items").fetchone()
```

The pool of a SQLAlchemy engine opens connections as they are asked for, five and ten more unless
told. Behind a proxy that pools, `NullPool` is enough.

```python bad name="an engine"
from sqlalchemy import create_engine

engine = create_engine("postgresql+psycopg://shop@db/shop", pool_pre_ping=True)  # LMB805

def handler(event, context):
    with engine.connect() as connection:
        return connection.exec_driver_sql("select 1 from items").scalar()
```

```python good name="one connection, or none that is kept"
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

URL = "postgresql+psycopg://shop@db/shop"
orders = create_engine(URL, pool_pre_ping=True, pool_size=1, max_overflow=0)
items = create_engine(URL, poolclass=NullPool)

def handler(event, context):
    with orders.connect() as first, items.connect() as second:
        return first.exec_driver_sql("select 1 from orders"), second.exec_driver_sql("select 2")
```

Silent when the size is not a number that is written there. This rule informs; it is shown with
`--strict` or when it is selected.

Limits: a handler with threads of its own may need as many connections; that is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, Resource, Severity, rule


@rule("LMB805", category="connection-hygiene", severity=Severity.INFO)
def oversized_pool(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or not made.pool_argument:
        return
    resource = call.resource
    if resource is None or not resource.is_shared or resource.has_open_arguments:
        return
    if resource.argument("poolclass", "creator", "pool") is not None:
        return
    if any(word in resource.address for word in made.unless_address) or not resource.invoked:
        return
    size = _size(resource)
    if size is None or size <= 1:
        return
    yield Report.of_use(
        call,
        resource.invoked[0],
        message=f"the pool of `{call.shown}` holds up to {size} connections in every environment",
        help=f"an environment works on one event at a time: set `{made.pool_argument}=1`",
        used="every invocation takes a connection from it",
        made=f"the {made.what} is made here",
        others=resource.invoked,
        severity=Severity.INFO,
    )


def _size(resource: Resource) -> int | None:
    made = resource.constructor
    given = resource.given(made.pool_argument, made.pool_position)
    if given is None:
        return made.pool_default
    value = getattr(given, "value", None)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
