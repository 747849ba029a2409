r"""An async client outlives the event loop that its connections belong to.

`asyncio.run` makes a loop for each invocation and closes it in the end. A client that the module
keeps still holds connections of the first one: "Event loop is closed" on every second event with
httpx, on every later one with aiohttp. The adapter Mangum hit the same:
https://github.com/Kludex/mangum/issues/361 and
https://docs.python.org/3/library/asyncio-runner.html#asyncio.run

```python bad
import asyncio

import httpx

client = httpx.AsyncClient()  # LMB208

async def main(event):
    return (await client.get(event["url"])).json()

def handler(event, context):
    return asyncio.run(main(event))
```

Not run: it needs a server that answers.

```python good name="one loop for the environment"
import asyncio

import httpx

client = httpx.AsyncClient()
loop = asyncio.new_event_loop()

async def main(event):
    return (await client.get(event["url"])).json()

def handler(event, context):
    return loop.run_until_complete(main(event))
```

```python good name="a client that does not wait in a loop"
import httpx

client = httpx.Client()

def handler(event, context):
    return client.get(event["url"]).json()
```

```python good name="one client for each loop"
import asyncio

import httpx

async def main(event):
    async with httpx.AsyncClient() as client:
        return (await client.get(event["url"])).json()

def handler(event, context):
    return asyncio.run(main(event))
```

Silent when the loop is kept, and when the client is made in the coroutine that uses it.

Limits: that an adapter drives an application with `asyncio.run` is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Project, Report, Severity, rule


@rule("LMB208", category="mutable-global-state", severity=Severity.ERROR)
def async_client_across_loops(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or made.kind != "loop-bound" or call.loop_use is None:
        return
    use, loop = call.loop_use
    yield Report.of_use(
        call,
        use,
        message=f"the {made.what} is kept for all invocations, but each runs in a new event loop",
        help="keep the loop as well: `loop = asyncio.new_event_loop()` in the module and "
        "`loop.run_until_complete(…)` in the handler; or make the client in the coroutine",
        used="invocation 2 uses it in its own event loop, which is not that of invocation 1 "
        f"(line {loop.span.line})",
        made=f"the {made.what} is made here, once for many invocations",
    )
