r"""A client that depends on the event is made again even for a tenant that was seen before.

A region, an endpoint or a role that comes with the event rules out one client for all. But warm
environments see the same few values again and again, and make the same client each time. A small
cache with the value as its key makes each client once. Never hoist such a client: the first
tenant's credentials would serve everyone.

```python bad
import boto3

def handler(event, context):
    ec2 = boto3.client("ec2", region_name=event["region"])  # LMB102
    return ec2.describe_instances()
```

```python good name="one client for each region"
import functools

import boto3

@functools.lru_cache(maxsize=32)
def ec2_in(region):
    return boto3.client("ec2", region_name=region)

def handler(event, context):
    return ec2_in(event["region"]).describe_instances()
```

Temporary credentials expire, so a cache of clients made from them needs a lifetime, too.

```python bad name="credentials of an assumed role"
import boto3

sts = boto3.client("sts")

def handler(event, context):
    found = sts.assume_role(RoleArn=event["role"], RoleSessionName="audit")["Credentials"]
    return boto3.client(  # LMB102
        "s3",
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
    ).list_buckets()
```

Silent when the client is the same for every event, which is client-in-handler, and for
connections, which nobody should keep for each password. This rule informs;
it is shown with `--strict` or when it is selected. A client may be used by many threads and kept:
https://docs.aws.amazon.com/boto3/latest/guide/clients.html

Limits: whether the same value ever comes twice cannot be seen in the code.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import (
    CREDENTIALS,
    EVENT,
    UNKNOWN,
    Call,
    Phase,
    Project,
    Report,
    Severity,
    rule,
)


@rule("LMB102", category="client-per-invocation", severity=Severity.INFO)
def per_tenant_client_uncached(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or made.rule != "client" or made.kind in ("loop-bound", "connecting"):
        return
    if call.phase is not Phase.INVOKE or not call.depends_on or call.only_makes_clients:
        return
    if call.in_lifespan:
        return
    if call.calls("boto3.setup_default_session") or call.depends_on == {UNKNOWN}:
        return
    if CREDENTIALS in call.depends_on:
        cause, remedy = "temporary credentials", "that forgets them before they expire"
    elif EVENT in call.depends_on:
        cause, remedy = "the event", "with a small maximum"
    else:
        cause, remedy = "the item of a loop", "with a small maximum"
    yield Report.of_call(
        call,
        message=f"`{call.shown}` depends on {cause} and is made again for values seen before",
        help=f"keep one {made.what} for each value in a cache {remedy}; never keep a single one",
        last=f"a new {made.what} is made here",
        severity=Severity.INFO,
    )
