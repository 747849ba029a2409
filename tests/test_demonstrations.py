"""Examples of rule pages misbehave, or behave, when AWS's own runtime client runs them.

How a page says what to send stands in CONTRIBUTING.md, what a script may call in
`emulation/demonstration.py`.
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from lambda_lint.descriptors import deployment
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.source import Source
from lambda_lint.testing.pages import Block, Events, blocks, fences, read_events, take_marks

# Where the examples are known to run, being left out is a failure.
REQUIRED = os.environ.get("LAMBDA_LINT_RUN_EXAMPLES") == "1"
if not REQUIRED:
    if platform.system() != "Linux":
        pytest.skip("AWS's runtime client and its freezing need Linux", allow_module_level=True)
    for needed in ("awslambdaric", "boto3", "flask", "flask_cors", "moto", "time_machine"):
        pytest.importorskip(needed, reason=f"without {needed} no example is run")

if TYPE_CHECKING:
    from tests.emulation.demonstration import Stage
    from tests.emulation.environment import Zygote, environment
    from tests.emulation.services import services
else:
    from emulation.demonstration import Stage
    from emulation.environment import Zygote, environment
    from emulation.services import services

FIXTURES = Path(__file__).parents[1] / "fixtures"
RULES = load_rules([BUILTIN])


class Example(NamedTuple):
    """A block that is run, and the file that it stands in."""

    block: Block
    events: Events
    path: Path


def of_page(path: Path, page: tuple[Block, ...]) -> Iterator[Example]:
    for block in page:
        if block.events is not None and not block.not_run:
            yield Example(block, block.events, path)


def of_rules() -> Iterator[Example]:
    for one in RULES:
        yield from of_page(Path(one.path), tuple(blocks(one.page, one.page_line)))


def of_this_harness() -> Iterator[Example]:
    path = Path(__file__).parent / "emulation/examples.md"
    yield from of_page(path, tuple(blocks(path.read_text(encoding="utf-8"))))


def of_fixtures(fixtures: Path) -> Iterator[Example]:
    """A fixture project with a page `EVENTS.md` is run; those in `silent` behave."""
    for path in sorted(fixtures.rglob("EVENTS.md")):
        project = path.parent
        files = {name: take_marks("", text)[0] for name, text in deployed(project).items()}
        kind = "good" if "silent" in project.relative_to(fixtures).parts else "bad"
        for fence in fences(path.read_text(encoding="utf-8")):
            if events := read_events(fence):
                block = Block("python", kind, "", events.line, files, ())
                yield Example(block, events, path)


def deployed(project: Path) -> dict[str, str]:
    """Return what a project deploys: the folder that its Python files have in common.

    If it has none, that is the code inside of its template, which the runtime calls `index.py`.
    """
    if sources := sorted(project.rglob("*.py")):
        root = os.path.commonpath([one.parent for one in sources])
        return {
            one.relative_to(root).as_posix(): one.read_text(encoding="utf-8") for one in sources
        }
    templates = {one.name: Source(one.name, one.read_bytes()) for one in project.glob("*.yaml")}
    [inline] = deployment.read(templates, {}).inline
    return {"index.py": inline.text}


def name(example: Example) -> str:
    page = example.path
    of = f"{page.parent.parent.name}/{page.parent.name}" if page.name == "EVENTS.md" else page.stem
    return f"{of}:{example.block.line}-{example.block.kind}"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as one:
        yield one


@pytest.fixture(scope="module")
def stage(zygote: Zygote) -> Iterator[Stage]:
    with services() as aws:
        yield Stage(zygote, aws)


EXAMPLES = [*of_this_harness(), *of_rules(), *of_fixtures(FIXTURES)]


@pytest.mark.parametrize("example", EXAMPLES, ids=name)
def test_example_runs_as_its_page_says(stage: Stage, example: Example) -> None:
    done = stage.demonstrate(example.block.files, example.events, str(example.path))
    problems = done.problems(example.block.kind)
    assert not problems, "\n".join([f"{example.path}:{example.block.line}:", *problems])


ECHO = """
def handler(event, context):
    return event
"""


class Flaw(NamedTuple):
    """An example that demonstrates nothing, and what is said of it."""

    why: str
    kind: str
    code: str
    script: str
    said: str


FLAWS = [
    Flaw(
        "a mistake that does not show",
        "bad",
        ECHO,
        "send(1)\nsend(2)",
        "the mistake does not show: event 1 gives 1; event 2 gives 2",
    ),
    Flaw(
        "a number that does not grow",
        "bad",
        ECHO,
        "watch('threads')\nfor n in range(4): send(n)",
        "the mistake does not show: threads: ",
    ),
    Flaw(
        "chance is no consequence of reuse",
        "bad",
        "import uuid\ndef handler(event, context):\n    return uuid.uuid4().hex",
        "send(1)\nsend(2)",
        "the first invocation differs too",
    ),
    Flaw(
        "a mistake that shows without reuse",
        "bad",
        "def handler(event, context):\n    return 1 / 0",
        "send(1)\nsend(2)",
        "event 1 fails on a fresh environment: ZeroDivisionError: division by zero",
    ),
    Flaw(
        "right code that fails alike, cold and warm",
        "good",
        "import nowhere\n" + ECHO,
        "send(1)\nsend(2)",
        "Unable to import module 'app': No module named 'nowhere'",
    ),
    Flaw(
        "right code that remembers",
        "good",
        "seen = []\ndef handler(event, context):\n    seen.append(event)\n    return seen",
        "send(1)\nsend(2)",
        "event 2: a reused environment gives [1, 2], a fresh one [2]",
    ),
    Flaw(
        "right code that ends the process",
        "good",
        "import os\ndef handler(event, context):\n    os._exit(0)",
        "send(1)\nsend(2)",
        "event 1 fails on a reused environment: Runtime.ExitError",
    ),
    Flaw(
        "code that asks somebody else",
        "good",
        "import socket\ndef handler(event, context):\n"
        "    socket.create_connection(('192.0.2.1', 80))",
        "send(1)\nsend(2)",
        "examples stay on this machine, and this one wants 192.0.2.1",
    ),
]


@pytest.mark.parametrize("flaw", FLAWS, ids=[one.why for one in FLAWS])
def test_what_is_no_demonstration(stage: Stage, flaw: Flaw) -> None:
    done = stage.demonstrate({"app.py": flaw.code}, Events(flaw.script, "", 1))
    assert flaw.said in "\n".join(done.problems(flaw.kind))


@pytest.mark.parametrize(
    ("code", "script", "said"),
    [
        (ECHO, "send(1)", "send at least two events"),
        (ECHO, "watch('nerves')", "no probe 'nerves'; there are: environ, exit_callbacks"),
        (ECHO, "send(1)\nwatch('threads')", "watch before the first event"),
        (ECHO, "watch('threads')\nsend(1)\nsend(2)", "watching needs four events"),
        ("def main(event, context): ...", "send(1)", "say handler=module.name behind `events`"),
    ],
)
def test_a_script_of_no_use_is_refused(stage: Stage, code: str, script: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        stage.demonstrate({"app.py": code}, Events(script, "", 1)).difference()


def test_a_fixture_project_is_run_with_all_its_files(stage: Stage, tmp_path: Path) -> None:
    for folder in ("silent/shop", "apps/shop"):
        shop = tmp_path / folder
        (shop / "src").mkdir(parents=True)
        (shop / "src/store.py").write_text("basket = []\n")
        code = "from src.store import basket\ndef run(event, _):\n    return len(basket)\n"
        if folder == "apps/shop":
            code = code.replace("return", "basket.append(event)  # LMB203\n    return")
        (shop / "main.py").write_text(code)
        page = "# Shop\n```python events handler=main.run\nsend(1)\nsend(2)\n```\n"
        (shop / "EVENTS.md").write_text(page)
    bad, good = of_fixtures(tmp_path)
    assert (bad.block.kind, good.block.kind) == ("bad", "good")
    for example in (bad, good):
        done = stage.demonstrate(example.block.files, example.events)
        assert done.problems(example.block.kind) == []


LEFT_BEHIND = """
import threading
import time

ticks = []


def work():
    while True:
        time.sleep(0.01)
        ticks.append("tick")


def handler(event, context):
    if event == "start":
        threading.Thread(target=work).start()
    return len(ticks)
"""


def test_between_invocations_nothing_runs(zygote: Zygote) -> None:
    """A thread that an invocation leaves behind stands still until the next one, as on Lambda."""
    with environment(zygote, {"app.py": LEFT_BEHIND}, "app.handler", clock=0.0, environ={}) as one:
        before = one.invoke("start", request_id="1", clock=0.0).response
        time.sleep(1)
        after = one.invoke("look", request_id="2", clock=0.0).response
    # Awake it would have counted to a hundred; on a busy machine it may stay awake for a while.
    assert after - before < 50


def test_invocations_come_with_their_output(stage: Stage) -> None:
    code = "def handler(event, context):\n    print(event, context.aws_request_id)"
    done = stage.demonstrate({"app.py": code}, Events("send('one')\nsend('two')", "", 1))
    outputs = [one.output for one in done.warm.invocations]
    assert outputs == [
        "one 00000000-0000-4000-8000-000000000001\n",
        "two 00000000-0000-4000-8000-000000000002\n",
    ]


def test_an_event_and_an_answer_may_be_as_large_as_lambda_allows(stage: Stage) -> None:
    script = "assert len(send('x' * 5_000_000)) == 5_000_000\nsend('é')"
    done = stage.demonstrate({"app.py": ECHO}, Events(script, "", 1))
    assert done.difference() == ""
