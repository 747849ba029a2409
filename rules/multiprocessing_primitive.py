r"""A pool, queue or lock between processes is made, which fails on Lambda.

They are made of semaphores in `/dev/shm`, and an environment of Lambda has none: the call raises
`OSError: [Errno 38] Function not implemented`. A pool of threads of `multiprocessing` is made of
the same parts. `multiprocessing.Process` and `Pipe` work, and so do the threads of
`concurrent.futures`.
https://aws.amazon.com/blogs/compute/parallel-processing-in-python-with-aws-lambda/

```python bad
import multiprocessing

def work(item):
    return item * 2

def handler(event, context):
    with multiprocessing.Pool(4) as pool:  # LMB405
        return pool.map(work, event["items"])
```

Not run: it fails with the first event, and only on Lambda.

```python bad name="threads, too"
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import ThreadPool

def work(item):
    return item * 2

def handler(event, context):
    with ThreadPool(4) as pool:  # LMB405
        first = pool.map(work, event["items"])
    with ProcessPoolExecutor() as executor:  # LMB405
        return first + list(executor.map(work, event["items"]))
```

Not run: it fails with the first event, and only on Lambda.

```python good name="threads of another kind, processes with pipes, or something to fall back on"
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe, Pool, Process

def work(item):
    return item * 2

def send(item, end):
    end.send(work(item))
    end.close()

def handler(event, context):
    with ThreadPoolExecutor(4) as executor:
        first = list(executor.map(work, event["items"]))
    ours, theirs = Pipe()
    process = Process(target=send, args=(1, theirs))
    process.start()
    first.append(ours.recv())
    process.join()
    try:
        with Pool(2) as pool:
            return pool.map(work, first)
    except OSError:
        return [work(one) for one in first]
```

Silent when an exception handler around it catches the error, and in code that no handler runs.

Limits: a pool that a library makes is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB405", category="leaked-listener-or-timer", severity=Severity.ERROR)
def multiprocessing_primitive(call: Call, project: Project) -> Iterator[Report]:
    if call.phase not in (Phase.INVOKE, Phase.ONCE) or not call.handlers:
        return
    if not call.needs_shared_memory:
        return
    if call.is_caught(
        "builtins.OSError",
        "builtins.ImportError",
        "builtins.NotImplementedError",
        "builtins.Exception",
        "builtins.BaseException",
    ):
        return
    yield Report.of_call(
        call,
        message=f"`{call.shown}` needs shared memory, which Lambda does not have, and raises "
        "OSError",
        help="use `concurrent.futures.ThreadPoolExecutor`; for work of the processor "
        "`multiprocessing.Process` with a `Pipe` for each",
        last="it fails here",
    )
