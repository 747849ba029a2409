r"""Something is left to be done when the process ends, which Lambda does not let happen.

Lambda ends an environment without telling the code in it: the process gets SIGKILL, or SIGTERM
first when an extension is registered, and Python runs neither exit functions nor finalizers for
either. So a connection that is to be closed there, or a buffer that is to be flushed there, never
is; whatever has to happen has to happen before the handler returns.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html and
https://docs.python.org/3/library/atexit.html

```python bad
import atexit

import pymysql

connection = pymysql.connect(host="db", autocommit=True)
atexit.register(connection.close)  # LMB404

def handler(event, context):
    connection.ping(reconnect=True)
    with connection.cursor() as cursor:
        cursor.execute("select 1 from items where id = %s", (event["id"],))
        return cursor.fetchone()
```

Not run: it needs a database, and an environment that ends.

```python good name="nothing has to happen at the end, or it is a script"
import atexit

import pymysql

connection = pymysql.connect(host="db", autocommit=True)

def handler(event, context):
    connection.ping(reconnect=True)
    with connection.cursor() as cursor:
        cursor.execute("select 1 from items where id = %s", (event["id"],))
        return cursor.fetchone()

if __name__ == "__main__":
    atexit.register(connection.close)
```

Silent when no handler loads the module, and inside of a handler, where registration-in-handler
speaks of it.

It is a note, shown with `--strict` or when it is selected.

Limits: functions for signals are not looked at: with an extension and Python 3.12 or later SIGTERM
can be handled.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, Step, rule


@rule("LMB404", category="leaked-listener-or-timer", severity=Severity.INFO)
def atexit_cleanup(call: Call, project: Project) -> Iterator[Report]:
    if call.phase not in (Phase.INIT, Phase.ONCE) or not call.waits_for_end:
        return
    if not call.serves_handlers:
        return
    yield Report(
        path=call.path,
        span=call.span,
        message=f"`{call.shown}` is not run when Lambda ends the process",
        help="do it before the handler returns, or leave it: what the process holds ends with it",
        witness=(Step(call.path, call.span, "registered here"),),
    )
