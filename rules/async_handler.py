r"""The handler is a coroutine function, which the runtime of Python does not await.

It calls the handler like any function, gets a coroutine that has not run a line, and fails to write
it as JSON: "Object of type coroutine is not JSON serializable". Nothing of the body happens.
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html

```python bad
async def lambda_handler(event, context):  # LMB706
    return {"statusCode": 200}
```

Not run: no event is answered, on a fresh environment neither.

```python events handler=app.lambda_handler
send({})
send({})
# file: runner.py
import asyncio

def run_async(function):
    return lambda event, context: asyncio.run(function(event, context))
```

```python good
import asyncio

async def serve(event):
    return {"statusCode": 200}

def lambda_handler(event, context):
    return asyncio.run(serve(event))
```

```python good name="a decorator may run it"
from runner import run_async

@run_async
async def lambda_handler(event, context):
    return {"statusCode": 200}
```

Silent when a decorator stands above it, and when only its name says that it is a handler.

Limits: whether the function is called by the runtime or by code of the project is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Confidence, Handler, Project, Report, Severity, Step, rule


@rule("LMB706", category="tmp-or-env-leak", severity=Severity.ERROR)
def async_handler(handler: Handler, project: Project) -> Iterator[Report]:
    if not handler.is_bare_coroutine or handler.confidence is Confidence.LOW:
        return
    yield Report(
        path=handler.path,
        span=handler.step.span,
        message=f"`{handler.name}` is a coroutine function, which the runtime does not await",
        help=f"make `{handler.name}` a plain function, and run the coroutine with "
        "`asyncio.run(...)` in it",
        witness=(Step(handler.path, handler.step.span, "the runtime calls this as a function"),),
        handlers=(handler.label,),
        confidence=handler.confidence,
    )
