"""What descriptors declare: functions, code roots, flags, inline code, and what is missing.

`fixtures/descriptors/` has a whole project for each kind of descriptor; here are the single shapes.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from lambda_lint import engine
from lambda_lint.declaration import Declaration
from lambda_lint.descriptors import deployment
from lambda_lint.descriptors.files import inside
from lambda_lint.descriptors.names import describes, may_describe
from lambda_lint.discovery import DiscoveryError, discover
from lambda_lint.life import Moment
from lambda_lint.parsing import parse_all
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings
from lambda_lint.source import Source
from lambda_lint.syntax import nodes


def split(files: dict[str, str]) -> tuple[dict[str, Source], dict[str, Source]]:
    """Return the descriptors and the Python files as discovery would."""
    sources = {path: Source(path, dedent(text).encode()) for path, text in files.items()}
    python = {path: one for path, one in sources.items() if path.endswith(".py")}
    return {path: one for path, one in sources.items() if path not in python}, python


def declared(files: dict[str, str]) -> tuple[Declaration, ...]:
    descriptors, python = split(files)
    trees = parse_all([python[path] for path in deployment.programs(python)])
    programs = {path: one for path, one in trees.items() if isinstance(one, nodes.Module)}
    return deployment.read(descriptors, python, programs).declarations


def lint(files: dict[str, str]) -> engine.Result:
    descriptors, python = split(files)
    settings = Settings(root=Path("/nowhere"))
    return engine.lint(python, settings, load_rules([BUILTIN]), descriptors=descriptors)


HANDLER = """
    def handler(event, context):
        return event["id"]
"""


def function(properties: str, kind: str = "AWS::Serverless::Function", rest: str = "") -> str:
    """Return a template with one function named `F`."""
    lines = dedent(properties).strip().splitlines()
    body = "\n".join(f"      {line}" for line in lines)
    return f"Resources:\n  F:\n    Type: {kind}\n    Properties:\n{body}\n{dedent(rest)}"


# Why, the files, and `handler -> module in root`, with flags.
TABLE: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "slashes are folders, and only the last dot parts the attribute",
        {
            "template.yaml": function("Runtime: python3.13\nHandler: a/b.c.run"),
            "a/b/c.py": "",
        },
        ["a/b.c.run -> a/b/c.py in ."],
    ),
    (
        "a package wins over a module of the same name, as in Python",
        {
            "template.yaml": function("Runtime: python3.13\nHandler: app.run"),
            "app.py": "",
            "app/__init__.py": "",
        },
        ["app.run -> app/__init__.py in ."],
    ),
    (
        "a runtime that is a parameter, a code root that is joined",
        {
            "deploy/template.yaml": function(
                """
                Runtime: !Ref Python
                CodeUri: !Join ["/", [.., src]]
                Handler: !Sub "${Name}.run"
                """,
                rest="""
                Parameters:
                  Python: {Type: String, Default: python3.12}
                  Name: {Type: String, Default: orders}
                """,
            ),
            "src/orders.py": "",
        },
        ["orders.run -> src/orders.py in src"],
    ),
    (
        "a handler that only the deployment knows is none",
        {"template.yaml": function("Runtime: python3.13\nHandler: !Ref H"), "app.py": ""},
        [],
    ),
    (
        "another runtime is no Python",
        {"template.yaml": function("Runtime: nodejs22.x\nHandler: app.run"), "app.py": ""},
        [],
    ),
    (
        "an unknown runtime is Python when the file is",
        {"template.yaml": function("Runtime: !Ref R\nHandler: app.run"), "app.py": ""},
        ["app.run -> app.py in ."],
    ),
    (
        "an unknown runtime is not Python when there is no file",
        {"template.yaml": function("Runtime: !Ref R\nHandler: index.run"), "app.py": ""},
        [],
    ),
    (
        "an archive has the name of its folder",
        {
            "template.yaml": function(
                "Runtime: python3.13\nHandler: main.run\nCodeUri: ./deploy/me_orders_show.zip"
            ),
            "src/me/orders/show/main.py": "def run(job, _): pass",
            "src/me/orders/main.py": "def run(job, _): pass",
            "src/orders/show/main.py": "def run(job, _): pass",
        },
        ["main.run -> src/me/orders/show/main.py in src/me/orders/show"],
    ),
    (
        "of two folders that an archive may come from, none is chosen",
        {
            "template.yaml": function(
                "Runtime: python3.13\nHandler: main.run\nCodeUri: s3://builds/x.zip"
            ),
            "one/main.py": "def run(job, _): pass",
            "two/main.py": "def run(job, _): pass",
        },
        ["main.run -> nothing"],
    ),
    (
        "flags of a function",
        {
            "template.yaml": function(
                """
                Runtime: python3.13
                Handler: app.run
                SnapStart: {ApplyOn: PublishedVersions}
                TenancyConfig: {TenantIsolationMode: PER_TENANT}
                CapacityProviderConfig: {Arn: x}
                DurableConfig: {ExecutionTimeout: 60}
                Layers: [!Sub "arn:${AWS::Region}:layer:Datadog-Extension:80"]
                Events: {Daily: {Type: ScheduleV2}}
                """
            ),
            "app.py": "",
        },
        [
            "app.run -> app.py in . durable managed-instances schedule snapstart telemetry-layer"
            " tenant-isolation"
        ],
    ),
    (
        "SnapStart that is switched off",
        {
            "template.yaml": function(
                "Runtime: python3.13\nHandler: app.run\nSnapStart: {ApplyOn: None}"
            ),
            "app.py": "",
        },
        ["app.run -> app.py in ."],
    ),
    (
        "a custom resource",
        {
            "template.yaml": function(
                "Runtime: python3.13\nHandler: app.run",
            )
            + "  Setup:\n    Type: Custom::Setup\n    Properties: {ServiceToken: !GetAtt F.Arn}\n",
            "app.py": "",
        },
        ["app.run -> app.py in . custom-resource"],
    ),
    (
        "the web adapter as a layer, started by a script",
        {
            "template.yaml": function(
                """
                Runtime: python3.13
                CodeUri: app
                Handler: run.sh
                Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap}}
                """
            ),
            "app/run.sh": "#!/bin/bash\nPATH=$PATH:bin exec python -m uvicorn main:api",
            "app/main.py": "",
        },
        ["main:api -> app/main.py in app web-adapter"],
    ),
    (
        "an image that the template builds, with a command of its own",
        {
            "template.yaml": """
            Resources:
              F:
                Type: AWS::Serverless::Function
                Properties:
                  PackageType: Image
                  ImageConfig: {Command: [second.run]}
                Metadata: {DockerContext: ./image, Dockerfile: Dockerfile.slim}
            """,
            "image/Dockerfile.slim": "FROM public.ecr.aws/lambda/python:3.13\nCOPY code ./\n",
            "image/code/second.py": "",
        },
        ["second.run -> image/code/second.py in image/code"],
    ),
    (
        "a wrapper of an observability tool, with the handler in a variable",
        {
            "template.yaml": function(
                """
                Runtime: python3.13
                Handler: newrelic_lambda_wrapper.handler
                Environment: {Variables: {NEW_RELIC_LAMBDA_HANDLER: app.run}}
                """
            ),
            "app.py": "",
        },
        ["app.run -> app.py in ."],
    ),
    (
        "what lies below tests is not deployed",
        {"tests/template.yaml": function("Handler: app.run"), "tests/app.py": ""},
        [],
    ),
    (
        "a module of Terraform, and an archive whose file is one file",
        {
            "main.tf": """
            data "archive_file" "one" {
              source_file = "${path.module}/jobs/one.py"
            }
            resource "aws_lambda_function" "one" {
              filename = data.archive_file.one.output_path
              handler  = "one.run"
              runtime  = "python3.13"
            }
            module "two" {
              source  = "./modules/function"
              handler = "two.run"
              path    = "${path.module}/jobs"
            }
            """,
            "jobs/one.py": "",
            "jobs/two.py": "",
        },
        ["one.run -> jobs/one.py in jobs", "two.run -> jobs/two.py in jobs"],
    ),
    (
        "an image that is built elsewhere, with the handler as its command",
        {
            "template.yaml": """
            Resources:
              Embed:
                Type: AWS::Serverless::Function
                Properties:
                  PackageType: Image
                  ImageUri: !Sub "${Repository}:latest"
                  ImageConfig: {Command: ["embed_handler.handler"]}
              Other:
                Type: AWS::Lambda::Function
                Properties:
                  PackageType: Image
                  Code: {ImageUri: !Ref Image}
                  ImageConfig: {Command: ["main.handler"]}
            """,
            "src/embed_handler.py": "def handler(job, _): pass",
        },
        ["embed_handler.handler -> src/embed_handler.py in src"],
    ),
    (
        "a template that another program fills in before it is YAML",
        {
            "application.yaml": """
            Resources:
            {% if kind %}
              Forwarder:
                Type: AWS::Serverless::Function
                Properties:
                  CodeUri: %codeUri%
                  Runtime: python3.12
                  Handler: main_aws.handler
                  Description: {{ text }}
            {% endif %}
              %name%Bucket: {Type: AWS::S3::Bucket}
            """,
            "main_aws.py": "def handler(job, _): pass",
        },
        ["main_aws.handler -> main_aws.py in ."],
    ),
    (
        "modules of Terraform that call their arguments otherwise",
        {
            "main.tf": """
            module "get" {
              source         = "../modules/python-function"
              lambda_handler = "shop.handlers.get.lambda_handler"
            }
            module "alerts" {
              source               = "../modules/function"
              lambda_function_file = "${path.module}/files/alerts.py"
              function_handler     = "alerts.lambda_handler"
            }
            module "opener" {
              source       = "../modules/image"
              image_config = {
                command = ["shop.steps.opener.lambda_handler"]
              }
            }
            module "finder" {
              source      = "../modules/machine"
              find_lambda = {
                command = ["shop.steps.finder.lambda_handler"]
                memory  = 1024
              }
            }
            module "service" {
              source          = "../modules/container"
              command         = ["celery.worker"]
              failure_handler = "none.of_ours"
            }
            """,
            "src/shop/handlers/get.py": "def lambda_handler(job, _): pass",
            "src/shop/steps/opener.py": "def lambda_handler(job, _): pass",
            "src/shop/steps/finder.py": "def lambda_handler(job, _): pass",
            "files/alerts.py": "def lambda_handler(job, _): pass",
        },
        [
            "shop.handlers.get.lambda_handler -> src/shop/handlers/get.py in src",
            "alerts.lambda_handler -> files/alerts.py in files",
            "shop.steps.opener.lambda_handler -> src/shop/steps/opener.py in src",
            "shop.steps.finder.lambda_handler -> src/shop/steps/finder.py in src",
        ],
    ),
    (
        "a resource is named after the folder, with a word around it",
        {
            "main.tf": """
            resource "aws_lambda_function" "ingest_sync_lambda" {
              s3_bucket = var.bucket
              s3_key    = aws_s3_object.ingest.key
              handler   = "main.lambda_handler"
              runtime   = "python3.13"
            }
            """,
            "lambdas/ingest_sync/main.py": "def lambda_handler(job, _): pass",
            "lambdas/other/main.py": "def lambda_handler(job, _): pass",
        },
        ["main.lambda_handler -> lambdas/ingest_sync/main.py in lambdas/ingest_sync"],
    ),
    (
        "a code root that the build makes has the name of its folder",
        {
            "cfn/template.yaml": function(
                "Runtime: python3.13\nHandler: index.handler\nCode: ../build/ingest_sync",
                kind="AWS::Lambda::Function",
            ),
            "lambdas/ingest_sync/index.py": "def handler(job, _): pass",
            "lambdas/other/index.py": "def handler(job, _): pass",
        },
        ["index.handler -> lambdas/ingest_sync/index.py in lambdas/ingest_sync"],
    ),
    (
        "a path from where Terraform is started, which is not the folder of the file",
        {
            "terraform/modules/limit/main.tf": """
            data "archive_file" "limit" {
              source_dir = "../../lambdas/budget"
            }
            resource "aws_lambda_function" "f" {
              filename = data.archive_file.limit.output_path
              handler  = "main.lambda_handler"
              runtime  = "python3.13"
            }
            """,
            "lambdas/budget/main.py": "def lambda_handler(job, _): pass",
            "lambdas/other/main.py": "def lambda_handler(job, _): pass",
        },
        ["main.lambda_handler -> lambdas/budget/main.py in lambdas/budget"],
    ),
    (
        "a folder that is used as a module, and is given its code by a folder of its own",
        {
            "main.tf": """
            variable "code" { default = "" }
            data "archive_file" "a" {
              source_dir = var.code
            }
            data "archive_file" "b" {
              source_dir = "${path.module}/built"
            }
            resource "aws_lambda_function" "f" {
              filename = var.own ? data.archive_file.a.output_path : data.archive_file.b.output_path
              handler  = "main.lambda_handler"
              runtime  = "python3.13"
            }
            """,
            "examples/own/main.tf": """
            module "f" {
              source = "../.."
              code   = "./code"
            }
            """,
            "examples/own/code/main.py": "def lambda_handler(job, _): pass",
            "code/main.py": "def lambda_handler(job, _): pass",
        },
        ["main.lambda_handler -> examples/own/code/main.py in examples/own/code"],
    ),
    (
        "a usual file with a function that no other file has",
        {
            "main.tf": """
            resource "aws_lambda_function" "x" {
              handler = "app.notify_all"
              runtime = "python3.13"
            }
            """,
            "daemons/notification/app.py": "def notify_all(job, _): pass",
            "daemons/driver/app.py": "def drive(job, _): pass",
        },
        ["app.notify_all -> daemons/notification/app.py in daemons/notification"],
    ),
    (
        "a program whose paths begin with what another module has",
        {
            "infra/stack.py": """
            import aws_cdk
            from aws_cdk import aws_lambda
            from infra.settings import ROOT, NAME
            aws_lambda.Function(
                scope, "A", handler="main.run", code=Code.from_asset(str(ROOT / "src" / "a"))
            )
            aws_lambda.Function(
                scope, "B", handler="main.run", code=aws_lambda.Code.from_asset(f"{ROOT}/src/b")
            )
            aws_lambda.Function(scope, "C", handler=f"{NAME}.run", code=CODE)
            """,
            "src/a/main.py": "",
            "src/b/main.py": "",
        },
        ["main.run -> src/a/main.py in src/a", "main.run -> src/b/main.py in src/b"],
    ),
    (
        "every construct of the CDK that takes a handler",
        {
            "app.py": """
            from aws_cdk import aws_lambda as l, triggers, aws_cloudfront, custom_resources
            code = l.Code.from_asset("src")
            python = l.Runtime.PYTHON_3_13
            l.SingletonFunction(s, "A", uuid="u", runtime=python, handler="a.run", code=code)
            triggers.TriggerFunction(s, "B", runtime=python, handler="b.run", code=code)
            aws_cloudfront.experimental.EdgeFunction(
                s, "C", runtime=python, handler="c.run", code=code
            )
            function = l.Function(
                s, "D", runtime=python, handler="d.run", code=code,
                tenancy_config=l.TenancyConfig.PER_TENANT,
            )
            custom_resources.Provider(s, "P", on_event_handler=function)
            l.CfnFunction(
                s, "E", runtime="python3.13", handler="e.run",
                code=l.CfnFunction.CodeProperty(s3_bucket="b", s3_key="src.zip"),
                capacity_provider_config=capacity,
            )
            l.Function(s, "N", runtime=l.Runtime.NODEJS_22_X, handler="a.run", code=code)
            """,
            "cdk.json": "{}",
            **{f"src/{name}.py": "def run(job, _): pass" for name in "abcde"},
        },
        [
            "a.run -> src/a.py in src",
            "b.run -> src/b.py in src",
            "c.run -> src/c.py in src edge",
            "d.run -> src/d.py in src custom-resource tenant-isolation",
            "e.run -> src/e.py in src managed-instances",
        ],
    ),
    (
        "applications beside each other, with a construct of the project's own",
        {
            **{
                f"{app}/stacks/api.py": """
                import os
                from aws_cdk import Stack
                from common.functions import PythonFunction
                PythonFunction(
                    self, "Licenses", lambda_dir="data-v1",
                    index=os.path.join("handlers", "licenses.py"), handler="post",
                )
                PythonFunction(self, "Main", lambda_dir="pre-token", index="main.py", handler="run")
                """
                for app in ("one", "two")
            },
            **{
                f"{app}/lambdas/{path}": "def post(job, _): pass\ndef run(job, _): pass"
                for app in ("one", "two")
                for path in ("data-v1/handlers/licenses.py", "pre-token/main.py", "other/main.py")
            },
        },
        [
            f"{handler} -> {app}/lambdas/{place}"
            for app in ("one", "two")
            for handler, place in (
                ("handlers/licenses.post", "data-v1/handlers/licenses.py in {}/lambdas/data-v1"),
                ("main.run", "pre-token/main.py in {}/lambdas/pre-token"),
            )
            for place in (place.format(app),)
        ],
    ),
    (
        "a method that makes functions of the handlers that it is given",
        {
            "stack.py": """
            import os
            from aws_cdk import aws_lambda
            from aws_cdk.aws_lambda_python_alpha import PythonFunction

            class Listeners:
                def _add(self, prefix, *, index="main.py", handler):
                    PythonFunction(
                        self, prefix, entry="src", handler=handler,
                        index=os.path.join("handlers", index),
                    )

                def all(self):
                    self._add("One", index="one.py", handler="run")
                    self._add("Two", handler="walk")
                    self._add("Three", handler=self.unknown)
            """,
            "cdk.json": "{}",
            "src/handlers/one.py": "def run(job, _): pass",
            "src/handlers/main.py": "def walk(job, _): pass",
        },
        [
            "handlers/one.run -> src/handlers/one.py in src",
            "handlers/main.walk -> src/handlers/main.py in src",
        ],
    ),
    (
        "a module that has a name that tests have",
        {"template.yaml": function("Runtime: python3.13\nHandler: test.run"), "test.py": ""},
        ["test.run -> test.py in ."],
    ),
    (
        "a configuration of Chalice without an application beside it",
        {".chalice/config.json": '{"app_name": "left"}', "other.py": ""},
        [],
    ),
    (
        "Zappa's Django application, its authorizer and what runs after an exception",
        {
            "zappa_settings.json": """
            {"dev": {
                "django_settings": "shop.settings",
                "authorizer": {"function": "shop.access.check"},
                "exception_handler": "shop.access.tell"
            },
            "other": {"django_settings": "elsewhere.settings"},
            "stage": {"django_settings": "office.settings.prod"}}
            """,
            "shop/wsgi.py": "application = 1",
            "office/wsgi.py": "application = 1",
            "shop/access.py": "",
        },
        [
            "shop.wsgi:application -> shop/wsgi.py in .",
            "shop.access.check -> shop/access.py in .",
            "shop.access.tell -> shop/access.py in .",
            "office.wsgi:application -> office/wsgi.py in .",
        ],
    ),
    (
        "commands whose values only the shell knows, and those for other languages",
        {
            "deploy.sh": """
            aws lambda create-function --function-name "$NAME" --handler "$HANDLER"
            aws lambda create-function --runtime nodejs22.x --handler app.run
            aws lambda create-function --function-name a \\
                --zip-file fileb://build/jobs.zip --handler app.run

            echo --handler app.lost
            """,
            "jobs/app.py": "def run(job, _): pass",
            "other/app.py": "def run(job, _): pass",
        },
        ["app.run -> jobs/app.py in jobs"],
    ),
    (
        "a program that only mentions handlers of another kind",
        {
            "infra/stack.py": """
            import aws_cdk
            api.add_routes(integration=HttpLambdaIntegration("x", handler="main.run"))
            """,
            "main.py": "",
        },
        [],
    ),
    (
        "an included file of functions that leaves the root is not read",
        {
            "serverless.yml": "provider: {runtime: python3.13}\nfunctions: ${file(../x.yml)}\n",
            "x.yml": "f: {handler: app.run}",
        },
        [],
    ),
]


@pytest.mark.parametrize(("why", "files", "expected"), TABLE, ids=[one[0] for one in TABLE])
def test_declared(why: str, files: dict[str, str], expected: list[str]) -> None:
    if any(path.endswith(".tf") for path in files):
        pytest.importorskip("hcl2")
    found = [
        f"{one.handler} -> "
        + (f"{one.module} in {one.root or '.'}" if one.module else "nothing")
        + "".join(f" {flag}" for flag in sorted(one.flags))
        for one in declared(files)
    ]
    assert found == expected, why


def test_a_declared_handler_has_its_flags_and_evidence() -> None:
    result = lint(
        {
            "template.yaml": function(
                "Runtime: python3.13\nHandler: app.run\nSnapStart: {ApplyOn: PublishedVersions}"
            ),
            "app.py": "def run(job, _):\n    return job\n",
        }
    )
    (handler,) = result.project.handlers
    assert handler.evidence[0] == "is declared in template.yaml:6 as `F`"
    assert handler.flags == {"snapstart"}
    assert handler.confidence.value == "high"


FLAG_SWITCHES = [
    (
        "an environment of one tenant hands nothing to another: data of the event in a memo",
        "TenancyConfig: {TenantIsolationMode: PER_TENANT}",
        """
        import boto3
        bucket = None
        def run(event, _):
            global bucket
            if bucket is None:
                bucket = boto3.resource("s3").Bucket(event["bucket"])
            return bucket.name
        """,
        ("LMB207", "error"),
        ("LMB207", "info"),
    ),
    (
        "an environment of one tenant hands nothing to another: a header on a shared session",
        "TenancyConfig: {TenantIsolationMode: PER_TENANT}",
        """
        import requests
        session = requests.Session()
        def run(event, _):
            session.headers["Authorization"] = event["token"]
            return session.get("https://api.internal/", timeout=5).text
        """,
        ("LMB209", "error"),
        ("LMB209", "warning"),
    ),
    (
        "an identifier made before the snapshot is the same everywhere",
        "SnapStart: {ApplyOn: PublishedVersions}",
        """
        import uuid
        ID = str(uuid.uuid4())
        def run(event, _):
            return {"id": ID, "of": event["id"]}
        """,
        None,
        ("LMB602", "error"),
    ),
    (
        "many processes of one environment share /tmp",
        "CapacityProviderConfig: {Arn: x}",
        """
        def run(event, _):
            with open("/tmp/work.csv", "w") as file:
                file.write(event["body"])
            with open("/tmp/work.csv") as file:
                return file.read()
        """,
        None,
        ("LMB703", "error"),
    ),
    (
        "many processes of one environment each have their own pool",
        "CapacityProviderConfig: {Arn: x}",
        """
        from sqlalchemy import create_engine, text
        engine = create_engine("postgresql+psycopg://shop@db/shop", pool_pre_ping=True)
        def run(event, _):
            with engine.connect() as connection:
                return connection.execute(text("select 1")).scalar()
        """,
        None,
        ("LMB704", "info"),
    ),
]


@pytest.mark.parametrize(
    ("why", "declared_as", "code", "without", "with_it"),
    FLAG_SWITCHES,
    ids=[one[0] for one in FLAG_SWITCHES],
)
def test_what_a_descriptor_says_switches_rules(
    why: str,
    declared_as: str,
    code: str,
    without: tuple[str, str] | None,
    with_it: tuple[str, str],
) -> None:
    """The same code is said another thing of under the flag; `None`: the rule is silent."""
    rule = with_it[0]
    said = []
    for properties in ("", declared_as):
        template = function(f"Runtime: python3.13\nHandler: app.run\n{properties}")
        found = lint({"template.yaml": template, "app.py": code}).findings
        said.append([(one.code, one.severity.value) for one in found if one.code == rule])
    assert said == [[without] if without else [], [with_it]], why


def test_descriptors_take_no_handler_away() -> None:
    result = lint(
        {
            "template.yaml": function("Runtime: python3.13\nHandler: app.handler"),
            "app.py": HANDLER,
            "other.py": HANDLER,
        }
    )
    found = {(one.path, one.confidence.value) for one in result.project.handlers}
    assert found == {("app.py", "high"), ("other.py", "medium")}


def test_every_definition_of_a_declared_handler_is_one() -> None:
    """A branch decides which of them has the name; the first one alone was looked at."""
    code = """
        import os
        import boto3
        try:
            if os.environ["KIND"] == "a":
                def run(event, _):
                    return boto3.client("s3")
            else:
                def run(event, _):
                    return boto3.client("sqs")
        except KeyError:
            def run(event, _):
                return boto3.client("sns")
    """
    template = function("Runtime: python3.13\nHandler: app.run")
    result = lint({"template.yaml": template, "app.py": code})
    assert [one.name for one in result.project.handlers] == ["run"]
    found = [one.span.line for one in result.findings if one.code == "LMB101"]
    assert found == [7, 10, 13]


def test_one_function_of_lambda_stands_before_all_that_domovoi_calls() -> None:
    code = """
        import domovoi
        app = domovoi.Domovoi()

        @app.sqs_queue_subscriber("jobs")
        def work(event, context):
            return event

        @app.scheduled_function("rate(1 day)")
        def clean(event, context):
            return event
    """
    files = {"daemons/index/.chalice/config.json": '{"app_name": "index"}'}
    (handler,) = lint({**files, "daemons/index/app.py": code}).project.handlers
    assert (handler.name, handler.flags) == ("app", frozenset())
    assert [one.function.name for one in handler.entries] == ["work", "clean"]


def test_a_handler_of_a_library_is_given_what_was_registered_with_it() -> None:
    code = """
        import boto3
        from cfn_custom_resource import create, delete, lambda_handler

        @create()
        def create_(event, _context):
            boto3.client("s3").create_bucket(Bucket="x")
            return event["LogicalResourceId"], {}

        @delete()
        def delete_(event, _context):
            pass
    """
    template = function("Runtime: python3.13\nHandler: handler.lambda_handler")
    files = {
        "template.yaml": template,
        "main.py": code,
        "handler.py": "from main import lambda_handler",
    }
    (handler,) = lint(files).project.handlers
    assert (handler.path, handler.name) == ("handler.py", "lambda_handler")
    assert [one.function.name for one in handler.entries] == ["create_", "delete_"]
    assert handler.custom_resource


def test_an_object_that_a_declared_handler_calls_is_a_helper() -> None:
    code = """
        class Own:
            def __call__(self, event, context):
                return context.aws_request_id

        handler = Own()

        def on_event(event, context):
            return handler(event, context)
    """
    template = function("Runtime: python3.13\nHandler: app.on_event")
    result = lint({"template.yaml": template, "app.py": code})
    assert [one.name for one in result.project.handlers] == ["on_event"]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [("app.guarded", {"guarded"}), ("app.lambda_handler", {"lambda_handler"})],
)
def test_what_a_declared_handler_calls_is_a_helper(handler: str, expected: set[str]) -> None:
    code = """
        def lambda_handler(event, context):
            return event["id"]

        def guarded(job, _):
            try:
                return lambda_handler(job, _)
            except Exception:
                return None
    """
    template = function(f"Runtime: python3.13\nHandler: {handler}")
    result = lint({"template.yaml": template, "app.py": code})
    assert {one.name for one in result.project.handlers} == expected


def test_findings_of_inline_code_have_the_lines_of_the_template() -> None:
    template = function(
        """
        Runtime: python3.13
        Handler: index.handler
        Code:
          ZipFile: |
            import boto3

            def handler(event, context):
                return boto3.client("s3").get_object(Key=event["é"])
        """,
        kind="AWS::Lambda::Function",
    )
    (finding,) = lint({"template.yaml": template}).findings
    text = template.splitlines()[finding.span.line - 1]
    shown = text[finding.span.column - 1 : finding.span.end_column - 1]
    assert (finding.path, shown) == ("template.yaml", 'boto3.client("s3")')
    assert finding.fix is None
    assert [step.path for step in finding.witness] == ["template.yaml", "template.yaml"]


def test_findings_of_inline_code_are_drawn_when_they_happen() -> None:
    template = function(
        """
        Runtime: python3.13
        Handler: index.handler
        InlineCode: |
          import boto3
          def handler(event, context):
              return boto3.client("s3").get_object(Key=event["k"])
        """
    )
    result = lint({"template.yaml": template})
    (life,) = engine.lives(result, result.findings)
    assert life.findings == ((result.findings[0].fingerprint, Moment.EACH),)


@pytest.mark.parametrize("indented", [False, True])
def test_findings_of_inline_code_have_the_lines_of_the_program(indented: bool) -> None:
    code = [
        "import boto3",
        "def handler(event, context):",
        "    return boto3.client('s3').get_object(Key=event['k'])",
    ]
    lines = [f"    {one}" if indented else one for one in code]
    literal = '"""\n' + "\n".join(lines) + '\n"""'
    written = f"textwrap.dedent({literal})" if indented else literal
    program = (
        "import textwrap\nfrom aws_cdk import aws_lambda\n"
        'aws_lambda.Function(scope, "F", handler="index.handler",\n'
        "    runtime=aws_lambda.Runtime.PYTHON_3_13,\n"
        f"    code=aws_lambda.Code.from_inline({written}))\n"
    )
    descriptors, _ = split({"cdk.json": "{}"})
    python = {"stack.py": Source("stack.py", program.encode())}
    result = engine.lint(
        python, Settings(root=Path("/nowhere")), load_rules([BUILTIN]), descriptors=descriptors
    )
    (finding,) = (one for one in result.findings if one.code == "LMB101")
    text = program.splitlines()[finding.span.line - 1]
    shown = text[finding.span.column - 1 : finding.span.end_column - 1]
    assert (finding.path, shown) == ("stack.py", "boto3.client('s3')")
    (handler,) = result.project.handlers
    assert handler.evidence[0] == "is declared in stack.py:3 as `F`"


def test_a_comment_in_inline_code_silences() -> None:
    template = function(
        """
        Runtime: python3.13
        Handler: index.handler
        InlineCode: |
          import boto3
          def handler(event, context):
              boto3.client("s3")  # lambda-lint: ignore[client-in-handler]
        """
    )
    assert lint({"template.yaml": template}).findings == ()


def test_a_template_that_is_named_is_no_python(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(function("Runtime: python3.13\nHandler: app.run"))
    found = discover(Settings(root=tmp_path), [template])
    assert (set(found.sources), set(found.descriptors)) == (set(), {"template.yaml"})
    assert found.requested.contains("template.yaml")


def test_a_folder_with_nothing_but_settings_is_still_refused(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text("functions: {a: {handler: a.b}}")
    with pytest.raises(DiscoveryError, match="no Python file"):
        discover(Settings(root=tmp_path))


HOSTILE = {
    "an alias bomb": "Resources: AWS::Lambda::Function\na0: &a0 [x,x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)),
    "an anchor that holds itself": "Resources: &a\n  F: *a\n  T: AWS::Lambda::Function",
    "deep flow lists": "# AWS::Lambda::Function\nResources: " + "[" * 20_000,
    "deep blocks": "# AWS::Lambda::Function\n" + "".join(" " * n + f"k{n}:\n" for n in range(3000)),
    "a tag that would run": "Resources:\n  F: !!python/object/apply:os.system ['exit 1']\n"
    "  G: {Type: 'AWS::Lambda::Function'}",
    "two documents, one of them a list": "- AWS::Lambda::Function\n---\nResources: []",
    "resources that are a text": "Resources: AWS::Lambda::Function",
    "a function that is a list": "Resources:\n  F: [AWS::Lambda::Function]",
    "a huge number": "Resources:\n  F: {Type: AWS::Lambda::Function, N: " + "9" * 5000 + "}",
    "NUL": "Resources: \x00 AWS::Lambda::Function",
    "an intrinsic that refers to itself": "Parameters:\n  P: {Default: !Ref P}\nResources:\n"
    "  F:\n    Type: AWS::Lambda::Function\n    Properties: {Handler: !Ref P, Runtime: !Ref P}",
    "a text that grows": "Parameters:\n  P0: {Default: xxxxxxxxxx}\n"
    + "".join(f"  P{n}: {{Default: !Sub '{f'${{P{n - 1}}}' * 10}'}}\n" for n in range(1, 30))
    + "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {Handler: !Ref P11}",
    "intrinsics of the wrong shape": "Resources:\n  F:\n    Type: AWS::Serverless::Function\n"
    "    Properties:\n      Handler: !Join x\n      CodeUri: !Sub [1]\n      Layers: !If [a]\n"
    "      Environment: !Ref x\n      Events: [1]\n      Runtime: !FindInMap []\n",
    "a code root outside": function(
        "Runtime: python3.13\nHandler: passwd.x\nCodeUri: ../../../../etc"
    ),
    "an absolute code root": function("Runtime: python3.13\nHandler: passwd.x\nCodeUri: /etc"),
    "commands that never end": "aws lambda create-function --handler " + "\\\n" * 3000 + "..",
    "many commands": "aws lambda create-function " * 3000 + "aws-lambda-deploy function_name:",
    "markers of templates": "# AWS::Lambda::Function\n" + "{{ %a% <% " * 3000,
    "steps that are none": "# aws-lambda-deploy function_name\n"
    "jobs: {a: {steps: [x, {uses: [y]}]}}",
    "handlers that are none": function("Runtime: python3.13\nHandler: '..'"),
    "an empty file": "",
}


@pytest.mark.parametrize(
    "name",
    [
        "t.yaml",
        "t.json",
        "serverless.yml",
        "zappa_settings.json",
        "zappa_settings.toml",
        "function.json",
        "config.yaml",
        "app.arc",
        "BUILD",
        "sst.config.ts",
        "deploy.sh",
        ".github/workflows/deploy.yml",
        ".chalice/config.json",
        "cdk.out/t.template.json",
        "Dockerfile",
    ],
)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile(name: str, text: str) -> None:
    """Nothing is found, nothing is read outside, and nothing is raised but notes."""
    source = Source(name, text.encode())
    found = deployment.read({name: source}, {"passwd.py": Source("passwd.py", b"")})
    assert all(one.module in (None, "passwd.py") for one in found.declarations)
    assert all(note.startswith(name) for note in found.notes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# AWS::Lambda::Function\nResources: [" + "x," * 210_000 + "]", "more than 200000 nodes"),
        ("# AWS::Lambda::Function\n" + "- " * 150 + "x", "nested more than 100 levels deep"),
        ("# AWS::Lambda::Function\nResources: [", "line 3: did not find expected node content"),
    ],
)
def test_a_note_says_why_a_template_was_not_read(text: str, why: str) -> None:
    (note,) = deployment.read({"t.yaml": Source("t.yaml", text.encode())}, {}).notes
    assert note.startswith("t.yaml: not read as a descriptor: ")
    assert why in note


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_lambda_function" "a" {',
        'resource "aws_lambda_function" "a" {\n handler = ' + "[" * 2000,
        'locals {\n a = local.b\n b = local.a\n}\nresource "aws_lambda_function" "a" {\n'
        "  handler = local.a\n}",
        'resource "aws_lambda_function" "a" {\n  handler = 1\n  filename = ["x"]\n}',
        "handler = <<EOF\nnever ends",
    ],
)
def test_hostile_terraform(text: str) -> None:
    pytest.importorskip("hcl2")
    found = deployment.read({"main.tf": Source("main.tf", text.encode())}, {})
    assert found.declarations == ()


def test_a_note_says_what_terraform_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "hcl2", None)
    text = 'resource "aws_lambda_function" "only_here" {\n  handler = "app.run"\n}\n'
    files = {name: Source(name, text.encode()) for name in ("a.tf", "b.tf")}
    (note,) = deployment.read(files, {}).notes
    assert "a.tf" in note
    assert "lambda-lint[terraform]" in note


@pytest.mark.parametrize(
    ("folder", "written", "place"),
    [
        ("a/b", "../c", "a/c"),
        ("a", "..", ""),
        ("", "./x/", "x"),
        ("", "..", None),
        ("a", "../../etc", None),
        ("a", "/etc", None),
        ("a", "~/x", None),
        ("a", "s3://b/k", None),
        ("a", "x\0y", None),
        ("a", "..\\..\\x", None),
    ],
)
def test_paths_never_leave_the_root(folder: str, written: str, place: str | None) -> None:
    assert inside(folder, written) == place


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("Dockerfile", b"", True),
        ("docker/api.Dockerfile", b"", True),
        ("Dockerfile.lambda", b"", True),
        ("infra/main.tf", b"", True),
        ("serverless.yml", b"", True),
        (".chalice/config.json", b"{}", True),
        ("config.json", b"{}", False),
        ("stack.yaml", b"Type: AWS::Lambda::Function", True),
        ("data.json", b'{"a": 1}', False),
        ("Makefile", b"aws lambda create-function", True),
        ("Makefile", b"all:", False),
        ("deploy.sh", b"aws lambda update-function-configuration", True),
        ("notes.md", b"AWS::Lambda::Function", False),
    ],
)
def test_which_files_describe(path: str, data: bytes, expected: bool) -> None:
    assert (may_describe(path.rpartition("/")[2]) and describes(path, data)) is expected


SCRIPT = """
    import boto3

    def run(events, context):
        return boto3.client("ec2").describe_instances(InstanceIds=[events["id"]])

    def lambda_handler(event, context):
        return boto3.client("s3").list_objects_v2(Bucket=event["bucket"])
"""


def runbook(inputs: str) -> str:
    """Return an Automation document with one step that runs Python."""
    lines = dedent(inputs).strip().splitlines()
    return (
        'schemaVersion: "0.3"\nmainSteps:\n  - name: s\n    action: "aws:executeScript"\n'
        "    inputs:\n      Runtime: python3.11\n" + "".join(f"      {one}\n" for one in lines)
    )


WRITTEN_OUT = "Handler: run\nScript: |-\n" + "\n".join(
    f"  {one}" for one in dedent(SCRIPT).strip().splitlines()
)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param(
            {
                "books/a.yaml": runbook("Handler: run\nScript: |-\n  %%SCRIPT=job.py%%"),
                "books/scripts/job.py": SCRIPT,
                "functions/job.py": SCRIPT,
            },
            {"functions/job.py"},
            id="a build step puts the file in, the nearest of its name",
        ),
        pytest.param(
            {
                "a.json": '{"mainSteps": [{"action": "aws:executeScript", "inputs": '
                '{"Runtime": "python3.11", "Handler": "job.run", "Attachment": "j.zip"}}]}',
                "src/job.py": SCRIPT,
            },
            set(),
            id="an attachment, whose module the handler names",
        ),
        pytest.param(
            {"a.yaml": runbook(WRITTEN_OUT), "src/any.py": SCRIPT, "src/other.py": HANDLER},
            set(),
            id="the text is written out, and the file is its copy",
        ),
        pytest.param(
            {
                "a.yaml": runbook("Handler: run\nScript: ${file(src/job.py)}"),
                "t.yaml": function("Handler: src/job.lambda_handler\nRuntime: python3.12"),
                "src/job.py": SCRIPT,
            },
            {"src/job.py"},
            id="declared as a Lambda function as well",
        ),
        pytest.param(
            {
                "a.yaml": runbook("Handler: run\nScript: job.py").replace("python3.11", "pwsh7.0"),
                "src/job.py": SCRIPT,
            },
            {"src/job.py"},
            id="a step that runs no Python",
        ),
    ],
)
def test_scripts_of_automation_are_no_handlers(files: dict[str, str], found: set[str]) -> None:
    """Their processes end with each execution, so nothing that they make could be kept."""
    assert {one.path for one in lint(files).findings if one.code == "LMB101"} == found
