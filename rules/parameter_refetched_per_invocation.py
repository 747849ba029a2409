r"""A parameter or secret of a constant name is fetched on every invocation.

Configuration changes rarely, and is asked for with every event: each call takes some time, Secrets
Manager charges for it, and Parameter Store throttles at 40 requests per second unless told
otherwise. AWS advises to cache secrets
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets.html).

```python bad
import boto3

ssm = boto3.client("ssm")

def handler(event, context):
    limit = ssm.get_parameter(Name="/shop/limit")["Parameter"]["Value"]  # LMB107
    return int(limit) > event["amount"]
```

A cache needs a lifetime, or a changed parameter and a rotated secret are never seen. A plain global
or `functools.cache` has none.

```python good name="a cache that forgets"
from aws_lambda_powertools.utilities import parameters

def handler(event, context):
    limit = parameters.get_parameter("/shop/limit", max_age=300)
    key = parameters.get_secret("shop/key", max_age=300)
    return int(limit) > event["amount"], key
```

The AWS Parameters and Secrets extension caches as well, behind a request to `localhost:2773`.

```python bad name="by way of a helper"
import os

import boto3

def get_secret(name):
    client = boto3.client("secretsmanager")  # LMB101
    return client.get_secret_value(SecretId=name)["SecretString"]  # LMB107

def handler(event, context):
    return get_secret(os.environ["SECRET_NAME"])
```

Silent when it stands behind a memo, for names that come with the event or that a service answered,
and for parameters that the project writes itself, because those are state, not configuration:

```python good name="names of the event, and state"
import boto3

ssm = boto3.client("ssm")
secrets = boto3.client("secretsmanager")
table = boto3.resource("dynamodb").Table("tenants")

def handler(event, context):
    tenant = table.get_item(Key={"id": "current"})["Item"]
    secrets.get_secret_value(SecretId=tenant["secret"])
    last = ssm.get_parameter(Name="/shop/last-run")["Parameter"]["Value"]
    ssm.put_parameter(Name="/shop/last-run", Value=event["time"], Overwrite=True)
    return last, secrets.get_secret_value(SecretId=event["SecretId"])
```

This rule informs; it is shown with `--strict` or when it is selected.

Limits: whether fresh values are wanted cannot be seen in the code.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB107", category="client-per-invocation", severity=Severity.INFO)
def parameter_refetched_per_invocation(call: Call, project: Project) -> Iterator[Report]:
    fetch = call.fetch
    if fetch is None or call.phase is not Phase.INVOKE or call.in_lifespan:
        return
    name = call.argument(fetch.argument)
    if name is None or call.depends_on or call.is_written_by_project(name):
        return
    if not call.is_fixed(name) or call.emptied_memo is not None:
        return
    yield Report.of_call(
        call,
        message=f"`{call.shown}` fetches the same {fetch.what} on every invocation",
        help="keep it for some minutes: `aws_lambda_powertools.utilities.parameters` does so with "
        "`max_age`, and so does the Parameters and Secrets extension of AWS",
        last=f"the {fetch.what} is fetched here",
        severity=Severity.INFO,
    )
