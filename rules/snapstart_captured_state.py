r"""A connection, or a value that was fetched, is taken into the snapshot.

With SnapStart a function is initialised once, when a version is published, and every environment
goes on from that moment, weeks later and on another machine. The socket of a connection has no peer
there any more, and what was fetched is as old as the version, however young the environment is.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-best-practices.html
Seen in the field: https://github.com/developmentseed/eoapi-cdk/issues/236

```toml config
snapstart = true
```

```python bad
import os

import boto3
import psycopg2

LIMIT = boto3.client("ssm").get_parameter(Name="/shop/limit")["Parameter"]["Value"]  # LMB603
connection = psycopg2.connect(os.environ["DSN"])  # LMB603 LMB801

def handler(event, context):
    with connection, connection.cursor() as cursor:
        cursor.execute("select id from orders limit %s", (LIMIT,))
        return cursor.fetchall()
```

```python good name="made again when the snapshot is restored"
import os

import boto3
import psycopg2
from snapshot_restore_py import register_after_restore, register_before_snapshot

ssm = boto3.client("ssm")
LIMIT = ssm.get_parameter(Name="/shop/limit")["Parameter"]["Value"]
connection = psycopg2.connect(os.environ["DSN"])

@register_before_snapshot
def close():
    connection.close()

@register_after_restore
def restored():
    global LIMIT, connection
    LIMIT = ssm.get_parameter(Name="/shop/limit")["Parameter"]["Value"]
    connection = psycopg2.connect(os.environ["DSN"])

def handler(event, context):
    with connection, connection.cursor() as cursor:
        cursor.execute("select id from orders limit %s", (LIMIT,))
        return cursor.fetchall()
```

```python good name="made when it is needed, and looked at"
import os

import psycopg2

_connection = None

def connection():
    global _connection
    if _connection is None or _connection.closed:
        _connection = psycopg2.connect(os.environ["DSN"])
    return _connection

def handler(event, context):
    with connection() as current, current.cursor() as cursor:
        cursor.execute("select 1")
        return cursor.fetchall()
```

Silent when a hook under `@register_after_restore` assigns it anew, when something looks whether a
connection is alive, for clients that connect when they are used (those of boto3, of Redis, engines
with a pool), and without SnapStart, which the setting or the deployment says.

Limits: of what a memo keeps nobody knows here whether it was filled before the snapshot. Secrets
and connections are spoken of by `secret-without-ttl` and `stale-db-connection` as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Captured, Project, Report, Severity, rule


@rule("LMB603", category="stale-init-value", severity=Severity.WARNING)
def snapstart_captured_state(captured: Captured, project: Project) -> Iterator[Report]:
    if captured.kind == "connection":
        message = (
            f"`{captured.shown}` connects before the snapshot, and no environment that starts "
        )
        message += "from it has the other end"
        help = "connect when the first event needs it, or again in a function under "
        help += "`@register_after_restore`"
        last = f"the {captured.what} is made here, before the snapshot is taken"
    else:
        message = f"`{captured.shown}` keeps a {captured.what} of the day on which the version was "
        message += "published"
        help = "fetch it where it is needed, by a getter with a lifetime, or again in a function "
        help += "under `@register_after_restore`"
        last = f"`{captured.shown}` is part of the snapshot"
    yield Report.of_sighting(
        captured,
        message=message,
        help=help,
        before_last=(captured.used,) if captured.used is not None else (),
        last=last,
    )
