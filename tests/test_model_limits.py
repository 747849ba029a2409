"""The model ends on code that turns in circles or is endless, and its answers have no order."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.model.fixpoint import Circles
from lambda_lint.settings import Settings
from lambda_lint.source import Source

HANDLER = """\
import boto3
def make():
    return boto3.client("s3")
def lambda_handler(event, context):
    run(event)
    make()
"""
"""Ends every example: line 3 from below runs for every event, whatever stands above it."""


def lines(template: str, count: int) -> str:
    return "".join(template.format(i=number, j=number + 1) for number in range(count))


CASES = {
    "imports in a circle": {
        "one.py": "from two import second\ndef first(): second()\n",
        "two.py": "from one import first\ndef second(): first()\n",
        "app.py": "from one import first as run\n" + HANDLER,
    },
    "star imports in a circle": {
        "one.py": "from two import *\n",
        "two.py": "from one import *\nfrom two import *\n",
        "app.py": "from one import *\n" + HANDLER,
    },
    "a module that imports itself": {
        "app.py": "import app\nfrom app import run\nrun = app.run\n" + HANDLER,
    },
    "a package whose `__init__` imports from itself": {
        "pack/__init__.py": "from pack import run\nfrom .inner import run\n",
        "pack/inner.py": "from . import run\nfrom .. import run\nfrom ...... import run\n",
        "app.py": "from pack import run\n" + HANDLER,
    },
    "a test of a name that modules import from each other": {
        "one.py": "from two import FLAG\n",
        "two.py": "from one import FLAG\n",
        "app.py": "from one import FLAG\ndef run(x):\n    if FLAG: print(x)\n" + HANDLER,
    },
    "names in a circle": {
        "app.py": "run = walk\nwalk = go\ngo = run or walk\n" + HANDLER,
    },
    "functions that call each other": {
        "app.py": "def run(x): return walk(run)\ndef walk(x): return x(walk) or run(x)\n" + HANDLER,
    },
    "a function that returns itself, called at length": {
        "app.py": "def run(x): return run\nrun" + "(1)" * 300 + "\n" + HANDLER,
    },
    "a class that inherits from itself": {
        "app.py": "class run(run): pass\nclass A(B): pass\nclass B(A):\n  x = A.x\n" + HANDLER,
    },
    "containers that hold themselves": {
        "app.py": (
            "run = []\nrun.append(run)\nrun.extend(run)\nrun += run\nrun = list(run)\n"
            "table = {}\ntable['x'] = table\n"
            "table = {**table, **dict(table)}\ntable.update(table)\n"
            "for run in zip(run, enumerate(run)): run = [run, table.values(), table.items()]\n"
        )
        + HANDLER,
    },
    "iterators that give each other": {
        "app.py": (
            "class A:\n def __iter__(self): return B()\nclass B:\n def __iter__(self): return A()\n"
            "for run in A(): pass\n"
        )
        + HANDLER,
    },
    "a thousand decorators": {
        "app.py": (
            "def d(f):\n def w(*a): return f(*a)\n return w\n"
            + "@d\n" * 1000
            + "def run(event): pass\n"
            + HANDLER
        ),
    },
    "a thousand decorators that differ": {
        "app.py": (
            lines("def d{i}(f):\n def w(*a): return f(*a)\n return w\n", 1000)
            + lines("@d{i}\n", 1000)
            + "def run(event): pass\n"
            + HANDLER
        ),
    },
    "three thousand names in a row": {
        "app.py": lines("n{j} = n{i}\n", 3000) + "run = n3000\nn0 = len\n" + HANDLER,
    },
    "three thousand functions in a row": {
        "app.py": lines("def f{i}(x): return f{j}(x)\n", 3000) + "run = f0\n" + HANDLER,
    },
    "one registry of two thousand functions": {
        "app.py": (
            "T = {}\ndef d(f):\n T[f.__name__] = f\n return f\n"
            + lines("@d\ndef f{i}(x): pass\n", 2000)
            + "def run(event): T[event](event)\n"
            + HANDLER
        ),
    },
    "classes that are made by each other": {
        "app.py": (
            "class M(type, metaclass=type):\n"
            " def __call__(cls, *a): return super().__call__(*a)\n"
            "class A(metaclass=M):\n def __init__(self): self.b = B(); self.b.a = self\n"
            "class B(metaclass=M):\n def __init__(self): self.a = A()\n"
            "def run(event): return A().b.a.b.a.b\n"
        )
        + HANDLER,
    },
    "switches that modules import from each other": {
        "pkg/__init__.py": "from pkg import A\nfrom pkg.b import B\n",
        "pkg/b.py": "from pkg import A, B\n",
        "app.py": "from pkg import A, B\ndef run(event):\n if A and B: print(1)\n" + HANDLER,
    },
    "names that only the run knows": {
        "app.py": (
            "import sys\nexec('x = 1')\nglobals()['run'] = print\n"
            "setattr(sys.modules[__name__], 'run', print)\ndel globals()['run']\n"
        )
        + HANDLER,
    },
    "special methods that call themselves": {
        "app.py": (
            "class A:\n def __getattr__(self, name): return getattr(self, name)\n"
            " def __getitem__(self, k): return self[k]\n def __len__(self): return len(self)\n"
            " def __add__(self, o): return self + o\n def __call__(self, *a): return self(*a)\n"
            " def __enter__(self):\n  with self as s: return s.x\nrun = A()\n"
        )
        + HANDLER,
    },
}


@pytest.mark.parametrize("files", CASES.values(), ids=CASES.keys())
def test_the_model_ends_and_still_sees_what_is_plain(files: dict[str, str], tmp_path: Path) -> None:
    sources = {path: Source(path, text.encode()) for path, text in files.items()}
    result = engine.lint(sources, Settings(root=tmp_path), ())
    assert result.errors == ()
    line = files["app.py"].count("\n") - 3
    assert result.project.phase_at("app.py", line) == "INVOKE"


def unite(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(values))


@pytest.mark.parametrize("seed", range(30))
def test_circles_give_the_same_answers_in_any_order(seed: int) -> None:
    """Each node of a graph asks for all that it can reach, which is known from a plain search."""
    chance = random.Random(seed)
    nodes = range(chance.randint(2, 25))
    edges = {
        node: [chance.randrange(len(nodes)) for _ in range(chance.randint(0, 3))] for node in nodes
    }

    def reachable(node: int) -> set[int]:
        seen, stack = {node}, [node]
        while stack:
            for other in edges[stack.pop()]:
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        return seen

    for _ in range(3):
        circles: Circles[int] = Circles(unite, order=lambda value: value)

        def compute(node: int, circles: Circles[int] = circles) -> Iterable[int]:
            yield node
            for other in edges[node]:
                yield from circles.solve(other, compute, other)

        asked = list(nodes)
        chance.shuffle(asked)
        found = {node: circles.solve(node, compute, node) for node in asked}
        assert {node: set(values) for node, values in found.items()} == {
            node: reachable(node) for node in nodes
        }
