"""Which handlers a Dockerfile declares, and in which files of the project they are."""

from __future__ import annotations

from textwrap import dedent

import pytest

from lambda_lint.descriptors import deployment
from lambda_lint.source import Source

# Why, the files (an empty text for Python that nobody reads), and `file handler -> module, flags`.
TABLE: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "the base image of AWS, code copied to the task root",
        {
            "Dockerfile": """
            FROM public.ecr.aws/lambda/python:3.12
            COPY src/ ${LAMBDA_TASK_ROOT}
            CMD ["jobs.nightly.handler"]
            """,
            "src/jobs/nightly.py": "",
        },
        ["Dockerfile:4 jobs.nightly.handler -> src/jobs/nightly.py in src"],
    ),
    (
        "the shell form, a file renamed by the copy, a folder above as the build context",
        {
            "images/web/Dockerfile": """
            ARG TAG=3.12
            FROM amazon/aws-lambda-python:${TAG}
            WORKDIR ${LAMBDA_TASK_ROOT}
            COPY services/web.py ./app.py
            CMD app.main
            """,
            "services/web.py": "",
        },
        ["images/web/Dockerfile:6 app.main -> services/web.py in services"],
    ),
    (
        "the runtime interface client comes from another stage, and the entry point is a script",
        {
            "Dockerfile": """
            FROM python:3.12-slim AS builder
            WORKDIR /opt/app
            RUN pip install awslambdaric
            COPY . .
            FROM python:3.12-slim
            WORKDIR /opt/app
            COPY --from=builder /opt/app .
            ENTRYPOINT ["/opt/app/bin/entry"]
            CMD ["handler.handle"]
            """,
            "handler.py": "",
        },
        ["Dockerfile:10 handler.handle -> handler.py in ."],
    ),
    (
        "several files by a pattern, and the client as the entry point",
        {
            "Dockerfile": """
            FROM python:3.12
            COPY fn/*.py /function/
            WORKDIR /function
            ENTRYPOINT ["/usr/local/bin/python", "-m", "awslambdaric"]
            CMD ["app.handler"]
            """,
            "fn/app.py": "",
            "app.py": "",
        },
        ["Dockerfile:6 app.handler -> fn/app.py in fn"],
    ),
    (
        "the web adapter in front of a server",
        {
            "backend/Dockerfile": """
            FROM python:3.12
            COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter \\
                /opt/extensions/lambda-adapter
            WORKDIR /code
            COPY ./app ./app
            CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
            """,
            "backend/app/main.py": "",
        },
        ["backend/Dockerfile:7 app.main:app -> backend/app/main.py in backend web-adapter"],
    ),
    (
        "the web adapter, with the server in a shell script",
        {
            "Dockerfile": """
            FROM public.ecr.aws/docker/library/python:3.12
            COPY --from=aws-lambda-adapter /lambda-adapter /opt/extensions/
            WORKDIR /app
            COPY . .
            CMD ["./run.sh"]
            """,
            "run.sh": """
            #!/bin/sh
            export PORT=8000
            exec python -m gunicorn -w 1 -b 0.0.0.0:$PORT 'shop.web:create_app()'
            """,
            "shop/web.py": "",
        },
        ["Dockerfile:6 shop.web:create_app -> shop/web.py in . web-adapter"],
    ),
    (
        "a web server without anything of Lambda may run anywhere",
        {
            "Dockerfile": """
            FROM python:3.12
            COPY . /app
            WORKDIR /app
            CMD ["uvicorn", "app:app"]
            """,
            "app.py": "",
        },
        [],
    ),
    (
        "a batch job in an image of Lambda has no handler",
        {
            "Dockerfile": """
            FROM public.ecr.aws/lambda/python:3.12
            COPY . .
            ENTRYPOINT ["python", "batch.py"]
            """,
            "batch.py": "",
        },
        [],
    ),
    (
        "an observability wrapper says where the handler is",
        {
            "Dockerfile": """
            FROM public.ecr.aws/lambda/python:3.12
            COPY app.py ${LAMBDA_TASK_ROOT}/
            ENV DD_LAMBDA_HANDLER=app.handler
            CMD ["datadog_lambda.handler.handler"]
            """,
            "app.py": "",
        },
        ["Dockerfile:5 app.handler -> app.py in ."],
    ),
    (
        "nothing outside of the root is looked at",
        {
            "Dockerfile": """
            FROM public.ecr.aws/lambda/python:3.12
            COPY ../../../etc ${LAMBDA_TASK_ROOT}
            CMD ["../../etc/passwd.handler"]
            """,
        },
        ["Dockerfile:4 ../../etc/passwd.handler -> nothing"],
    ),
]


@pytest.mark.parametrize(("why", "files", "expected"), TABLE, ids=[one[0] for one in TABLE])
def test_dockerfile(why: str, files: dict[str, str], expected: list[str]) -> None:
    assert declared(files) == expected, why


def declared(files: dict[str, str]) -> list[str]:
    sources = {path: Source(path, dedent(text).encode()) for path, text in files.items()}
    python = {path: one for path, one in sources.items() if path.endswith(".py")}
    others = {path: one for path, one in sources.items() if path not in python}
    return [
        f"{one.path}:{one.span.line} {one.handler} -> "
        + (f"{one.module} in {one.root or '.'}" if one.module else "nothing")
        + "".join(f" {flag}" for flag in sorted(one.flags))
        for one in deployment.read(others, python).declarations
    ]


HOSTILE = {
    "a stage that is its own origin": "FROM a AS a\nCOPY --from=a / /\nFROM a AS a\nCMD x.y",
    "a continued line at the end": "FROM public.ecr.aws/lambda/python\nCMD \\",
    "a heredoc without an end": "FROM lambda/python\nRUN <<EOF\nCMD x.y",
    "ten thousand words": "FROM lambda/python\nCMD " + "a " * 10_000,
    "lists in lists": "FROM lambda/python\nCMD " + "[" * 100_000,
    "a variable that grows": "FROM lambda/python\n" + "ENV A=$A$A$A$A\n" * 300 + "CMD $A",
    "no stage": "CMD app.handler\nCOPY a b",
    "bytes": "\x00\x01\ufffd",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_dockerfile(text: str) -> None:
    found = deployment.read({"Dockerfile": Source("Dockerfile", text.encode())}, {})
    assert all(one.module is None for one in found.declarations)
