r"""A setting that changes outside of the function is fetched once and kept for good.

Parameters, configuration of AppConfig and addresses of hosts change while environments live; one
that fetched them at import uses the old ones until it ends. The documentation of the parameters
utility names the usual remedy, a lifetime of some minutes:
https://docs.powertools.aws.dev/lambda/python/latest/utilities/parameters/

```python events
ssm = aws("ssm")
ssm.put_parameter(Name="/shop/limit", Value="5", Type="String")
see(send({}))
ssm.put_parameter(Name="/shop/limit", Value="7", Type="String", Overwrite=True)
later(hours=1)
see(send({}))
```

```python bad
import boto3

ssm = boto3.client("ssm")
LIMIT = ssm.get_parameter(Name="/shop/limit")["Parameter"]["Value"]  # LMB304

def handler(event, context):
    return {"limit": LIMIT}
```

```python good
import time

import boto3

ssm = boto3.client("ssm")
_limit = None
_fetched_at = 0.0

def limit():
    global _limit, _fetched_at
    if _limit is None or time.time() - _fetched_at > 300:
        _limit = ssm.get_parameter(Name="/shop/limit")["Parameter"]["Value"]
        _fetched_at = time.time()
    return _limit

def handler(event, context):
    return {"limit": limit()}
```

Silent when a test in front looks at the time, when the cache has a lifetime, and for the
environment, which only changes with a new deployment. This rule informs; it is shown with
`--strict` or when it is selected.

Limits: whether fresh values are wanted cannot be seen in the code.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Kept, Project, Report, Severity, rule, secret_getter


@rule("LMB304", category="unbounded-cache", severity=Severity.INFO)
def config_without_ttl(kept: Kept, project: Project) -> Iterator[Report]:
    if kept.kind != "setting":
        return
    article = "an" if kept.what[0] in "aeiou" else "a"
    yield Report.of_kept(
        kept,
        message=f"`{kept.shown}` keeps {article} {kept.what} for the life of the environment",
        help=secret_getter(kept, project),
        fetched=f"the {kept.what} is fetched here, once",
        last=f"`{kept.shown}` keeps it, and nothing ends that",
    )
