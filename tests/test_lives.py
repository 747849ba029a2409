"""What is known of the lives of handlers, from code to the page that shows it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambda_lint import engine, life
from lambda_lint.life import Deployed, Life, Mark, Moment, Thing
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings
from lambda_lint.source import Source

RULES = load_rules([BUILTIN])

Told = tuple[str, str, str, str, str]
"""What is compared of a thing: its birth, its kind, the place that keeps it, what makes it, and
the lines that write and read it."""

CASES: dict[str, tuple[Mapping[str, str], list[Told]]] = {
    "a client of the module": (
        {
            "app.py": "import boto3\n\ns3 = boto3.client('s3')\n\n"
            "def handler(event, context):\n    return s3.list_buckets()\n"
        },
        [("init", "object", "s3 (module variable)", "boto3.client('s3')", "w[] r[6]")],
    ),
    "a client of each invocation": (
        {
            "app.py": "import boto3\n\n"
            "def handler(event, context):\n    return boto3.client('s3').list_buckets()\n"
        },
        [("each", "object", "", "boto3.client('s3')", "w[] r[]")],
    ),
    "a client behind a memo": (
        {
            "app.py": "import boto3\n_s3 = None\n\ndef client():\n    global _s3\n"
            "    if _s3 is None:\n        _s3 = boto3.client('s3')\n    return _s3\n\n"
            "def handler(event, context):\n    return client().list_buckets()\n"
        },
        [("once", "object", "_s3 (module variable)", "boto3.client('s3')", "w[] r[11]")],
    ),
    "a client of a cached function": (
        {
            "app.py": "import functools\nimport boto3\n\n@functools.cache\ndef client():\n"
            "    return boto3.client('s3')\n\n"
            "def handler(event, context):\n    return client().list_buckets()\n"
        },
        [("once", "object", "client() (cached function)", "boto3.client('s3')", "w[] r[9]")],
    ),
    "a memo whose object is made for every event keeps nothing": (
        {
            "app.py": "import boto3\n\nclass Store:\n    def __init__(self):\n"
            "        self._s3 = None\n\n    def s3(self):\n        if self._s3 is None:\n"
            "            self._s3 = boto3.client('s3')\n        return self._s3\n\n"
            "def handler(event, context):\n    return Store().s3().list_buckets()\n"
        },
        [("each", "object", "", "boto3.client('s3')", "w[] r[]")],
    ),
    "an attribute of a class": (
        {
            "app.py": "import boto3\n\nclass Store:\n    s3 = boto3.client('s3')\n\n"
            "def handler(event, context):\n    return Store.s3.list_buckets()\n"
        },
        [("init", "object", "Store.s3 (class attribute)", "boto3.client('s3')", "w[] r[7]")],
    ),
    "state": (
        {
            "app.py": "SEEN = []\n\ndef handler(event, context):\n"
            "    SEEN.append(event['id'])\n    return SEEN\n"
        },
        [("init", "state", "SEEN (module variable)", "", "w[4] r[4, 5]")],
    ),
    "a cache by key": (
        {
            "app.py": "import time\nKNOWN = {}\n\ndef price(region):\n"
            "    if region not in KNOWN:\n        KNOWN[region] = time.time()\n"
            "    return KNOWN[region]\n\n"
            "def handler(event, context):\n    return price(event['region'])\n"
        },
        [("once", "cache", "KNOWN (module variable)", "", "w[] r[]")],
    ),
    "a stand-in for what callers give is not made once and kept": (
        {
            "app.py": "import boto3\n\ndef listed(s3=None):\n    if not s3:\n"
            "        s3 = boto3.client('s3')\n    return s3.list_buckets()\n\n"
            "def handler(event, context):\n    return listed(boto3.client('s3'))\n"
        },
        [("each", "object", "", "boto3.client('s3')", "w[] r[]")],
    ),
    "an answer that stays does not keep the client that got it": (
        {
            "app.py": "import boto3\n\ndef fetched():\n    s3 = boto3.client('s3')\n"
            "    return s3.list_buckets()['Buckets']\n\nBUCKETS = fetched()\n"
            "table = boto3.resource('dynamodb').Table('t')\n\n"
            "def handler(event, context):\n    found = table.get_item(Key=event)\n"
            "    return found['Item'].get('x', BUCKETS.index(event))\n"
        },
        [
            ("init", "object", "", "boto3.client('s3')", "w[] r[]"),
            ("init", "object", "", "boto3.resource('dynamodb')", "w[] r[11]"),
        ],
    ),
    "an attribute begins with its object, at INIT": (
        {
            "app.py": "class Stats:\n    def clear(self):\n        self.counts = []\n\n"
            "    def __init__(self):\n        self.clear()\n\nstats = Stats()\n\n"
            "def handler(event, context):\n    stats.counts.append(event['id'])\n"
            "    return stats.counts\n"
        },
        [
            (
                "init",
                "state",
                "Stats.counts (attribute of an object that stays)",
                "",
                "w[11] r[11, 12]",
            )
        ],
    ),
    "an attribute begins with its object, in an invocation": (
        {
            "app.py": "class Stats:\n    def __init__(self):\n        self.counts = []\n\n"
            "stats = None\n\ndef handler(event, context):\n    global stats\n"
            "    if stats is None:\n        stats = Stats()\n"
            "    stats.counts.append(event['id'])\n    return stats.counts\n"
        },
        [
            (
                "once",
                "state",
                "Stats.counts (attribute of an object that stays)",
                "",
                "w[11] r[11, 12]",
            ),
            ("once", "cache", "stats (module variable)", "", "w[] r[]"),
        ],
    ),
    "what nothing reaches is not there": (
        {
            "app.py": "import boto3\n\ndef tool():\n    return boto3.client('s3')\n\n"
            "def handler(event, context):\n    return 1\n",
            "other.py": "import boto3\n\nsqs = boto3.client('sqs')\n",
        },
        [],
    ),
}


def lives_of(files: Mapping[str, str]) -> tuple[Life, ...]:
    sources = {path: Source(path, text.encode()) for path, text in files.items()}
    result = engine.lint(sources, Settings(root=Path.cwd()), RULES)
    assert result.errors == ()
    return engine.lives(result, result.findings)


@pytest.mark.parametrize("name", CASES)
def test_what_a_handler_makes_and_keeps(name: str) -> None:
    files, expected = CASES[name]
    (found,) = lives_of(files)
    assert (found.at.path, found.name) == ("app.py", "handler")
    assert [told(one) for one in found.things] == expected


def told(thing: Thing) -> Told:
    lines = [[mark.line for mark in marks] for marks in (thing.writes, thing.reads)]
    return (
        thing.born.value,
        thing.kind,
        f"{thing.name} ({thing.where})" if thing.name else "",
        thing.made,
        f"w{lines[0]} r{lines[1]}",
    )


def test_a_module_of_one_function_is_no_part_of_the_life_of_another() -> None:
    shared = "import boto3\n\ntable = boto3.resource('dynamodb')\n"
    first = "import store\n\ndef handler(event, context):\n    return store.table.name\n"
    second = "def handler(event, context):\n    return 1\n"
    one, two = lives_of({"store.py": shared, "first.py": first, "second.py": second})
    assert [len(one.things), one.modules] == [1, 2]
    assert [len(two.things), two.modules] == [0, 1]


@pytest.mark.parametrize(
    ("code", "text", "moment"),
    [
        ("LMB101", CASES["a client of each invocation"][0]["app.py"], Moment.EACH),
        ("LMB203", CASES["state"][0]["app.py"], Moment.EACH),
        (
            "LMB601",
            "import datetime\n\nTODAY = datetime.date.today()\n\n"
            "def handler(event, context):\n    return {'day': str(TODAY)}\n",
            Moment.INIT,
        ),
    ],
)
def test_a_finding_has_the_moment_in_which_it_happens(code: str, text: str, moment: Moment) -> None:
    source = {"app.py": Source("app.py", text.encode())}
    result = engine.lint(source, Settings(root=Path.cwd()), RULES)
    names = {one.fingerprint: one.code for one in result.findings}
    (found,) = engine.lives(result, result.findings)
    assert (code, moment) in [(names[name], when) for name, when in found.findings]


LIFE = Life(
    Mark("app.py", 3),
    "handler",
    "high",
    ("is declared in template.yaml:4 as `Orders`",),
    ("snapstart",),
    (Deployed("Orders", Mark("template.yaml", 4)),),
    2,
    (
        Thing(
            *("state", Moment.INIT, Mark("app.py", 1), "SEEN", "module variable"),
            writes=(Mark("app.py", 4),),
            reads=(Mark("other.py", 5), Mark("other.py", 6)),
        ),
        Thing("object", Moment.EACH, Mark("app.py", 7), made="boto3.client(…)", what="SDK client"),
    ),
    (("ab" * 16, Moment.ONCE), ("cd" * 16, Moment.UNKNOWN)),
)


def test_a_life_comes_back_from_the_cache_as_it_was() -> None:
    assert life.from_json(json.loads(json.dumps(life.to_json(LIFE)))) == LIFE


@pytest.mark.parametrize("value", [[], [1], life.to_json(LIFE)[:-1], [*life.to_json(LIFE), 1]])
def test_a_damaged_life_is_none(value: list[object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        life.from_json(value)


def test_places_move_with_the_working_directory() -> None:
    moved = LIFE.moved(lambda mark: Mark(f"../{mark.path}", mark.line + 10))
    assert moved.at == Mark("../app.py", 13)
    assert moved.label == "../app.py:handler"
    assert moved.deployed == (Deployed("Orders", Mark("../template.yaml", 14)),)
    assert moved.things[0].writes == (Mark("../app.py", 14),)
    assert moved.things[0].reads == (Mark("../other.py", 15), Mark("../other.py", 16))
    assert moved.things[1].at == Mark("../app.py", 17)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.lambda-lint]\n")
    for folder, text in (
        ("orders", CASES["a client of each invocation"][0]["app.py"]),
        ("quiet", CASES["a client of the module"][0]["app.py"]),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app.py").write_text(text)
    return tmp_path


def check(project: Path, *arguments: str, form: str = "html") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lambda_lint", "check", "--output-format", form, *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == int("quiet" not in arguments)
    return done.stdout


def test_the_page_is_the_same_cold_and_warm_and_with_any_number_of_processes(
    project: Path,
) -> None:
    pages = {
        check(project, "--no-cache", "--jobs", "1"),
        check(project, "--no-cache", "--jobs", "2"),
        check(project),
        check(project),
    }
    assert len(pages) == 1
    # What another format left in the cache has no lives in it.
    assert "boto3.client" in check(project, form="concise")
    assert {check(project)} == pages


def test_only_the_lives_of_what_was_asked_for_are_shown(project: Path) -> None:
    """The others' findings are not shown either, and no findings would look like a clean bill."""
    assert "orders/app.py" in check(project)
    assert "orders/app.py" not in check(project, "quiet")
