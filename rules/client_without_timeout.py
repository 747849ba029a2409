r"""A request waits without a limit, so that one slow server uses up the whole invocation.

Without a timeout a request to a server that does not answer ends when Lambda kills the function:
nothing is logged, nothing is retried, the time is paid for, and the environment is thrown away.
https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html and
https://requests.readthedocs.io/en/latest/user/advanced/#timeouts

```python bad
import requests

session = requests.Session()

def handler(event, context):
    requests.post("https://hooks.internal", json=event)  # LMB806
    return session.get("https://rates.internal").json()  # LMB806
```

```python good
import requests

session = requests.Session()

def handler(event, context):
    requests.post("https://hooks.internal", json=event, timeout=5)
    return session.get("https://rates.internal", timeout=(1, 5)).json()
```

```python bad name="a limit that is switched off, or missing"
import httpx
import psycopg
import urllib3

http = httpx.Client(timeout=None)  # LMB806
pool = urllib3.PoolManager()
connection = psycopg.connect("dbname=shop", autocommit=True)  # LMB801 LMB806

def handler(event, context):
    connection.execute("select 1 from items")
    pool.request("GET", "https://rates.internal")  # LMB806
    return http.get("https://rates.internal").json()
```

```python good name="a limit for all requests"
import httpx
import urllib3

http = httpx.Client()
pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=1, read=5))

def handler(event, context):
    pool.request("GET", "https://rates.internal")
    return http.get("https://rates.internal").json()
```

Silent when there is a limit of its own, as in clients of AWS, when arguments are passed on with
`**`, and for sessions on which an adapter is mounted. This rule informs; it is shown with
`--strict` or when it is selected.

Limits: a limit that is set from outside (PGCONNECT_TIMEOUT) is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB806", category="connection-hygiene", severity=Severity.INFO)
def client_without_timeout(call: Call, project: Project) -> Iterator[Report]:
    missing = call.missing_timeout
    if missing is None:
        return
    message = f"`{call.shown}` waits without a limit for a server that does not answer"
    help = f"give it a `{missing}` well below the timeout of the function"
    if call.phase is Phase.INVOKE:
        yield Report.of_call(
            call,
            message=message,
            help=help,
            last="waits here without a limit",
            severity=Severity.INFO,
        )
        return
    resource = call.resource
    if resource is not None and resource.is_shared and resource.invoked:
        yield Report.of_use(
            call,
            resource.invoked[0],
            message=message,
            help=help,
            used="every invocation uses it",
            made="it is made without a limit here",
            others=resource.invoked,
            severity=Severity.INFO,
        )
