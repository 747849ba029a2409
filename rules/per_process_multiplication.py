r"""What is made once for each process is made many times in one environment.

On Lambda Managed Instances an execution environment starts a process for every event that it works
on at the same time, sixteen for each virtual CPU unless told otherwise, and each of them imports
the code for itself. A pool of connections is then open many times over, which the database has to
bear, and a model lies in memory as often.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html

```toml config
managed-instances = true
```

```python bad
from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg://shop@db/shop", pool_pre_ping=True)  # LMB704

def handler(event, context):
    with engine.connect() as connection:
        return connection.execute(text("select 1 from items")).scalar()
```

Not run: it needs several processes, and a database.

```python good name="one connection for each process"
from sqlalchemy import create_engine, text

engine = create_engine(
    "postgresql+psycopg://shop@db/shop", pool_size=1, max_overflow=0, pool_pre_ping=True
)

def handler(event, context):
    with engine.connect() as connection:
        return connection.execute(text("select 1 from items")).scalar()
```

Silent when no template declares a capacity provider for a function that uses it and
`managed-instances` is not set, and when the pool holds one connection.

It is a note, shown with `--strict` or when it is selected.

Limits: models and caches of the project's own making are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, Severity, rule


@rule("LMB704", category="tmp-or-env-leak", severity=Severity.INFO)
def per_process_multiplication(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    resource = call.resource
    if made is None or resource is None or not resource.is_shared or not resource.invoked:
        return
    is_model = made.rule == "heavy" and made.family == "model"
    if not (made.pool_argument or is_model) or resource.has_open_arguments:
        return
    use = resource.invoked[0]
    if not call.on_managed_instances_by(use.function):
        return
    if made.pool_argument:
        given = resource.given(made.pool_argument, made.pool_position)
        size = made.pool_default if given is None else getattr(given, "value", None)
        if not isinstance(size, int) or isinstance(size, bool) or size <= 1:
            return
        message = f"the pool of `{call.shown}` holds up to {size} connections in every process"
        remedy = f"set `{made.pool_argument}=1`, and put a proxy in front of the database"
    else:
        message = f"`{call.shown}` loads a {made.what} into every process of the environment"
        remedy = "map it from a file, or lower how many events an environment works on"
    yield Report.of_use(
        call,
        use,
        message=message,
        help=remedy,
        used="every process uses its own",
        made=f"the {made.what} is made here, in each process",
        severity=Severity.INFO,
    )
