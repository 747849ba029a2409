"""Which files may describe a deployment or what it needs, told by their names and their bytes."""

from __future__ import annotations

import re

from lambda_lint.descriptors.requirements import is_requirements

MAX_BYTES = 2 * 1024 * 1024
"""A descriptor that is larger is not read: CloudFormation itself takes at most one mebibyte.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

_NAME = re.compile(
    r"""
    (?:[\w.-]*[.-])? (?:Dockerfile|Containerfile) (?:[.-][\w.-]*)?
    | .+ \. (?:ya?ml | json | template | tf | tofu | tfvars)
    | (?:zappa_settings | samconfig | sst | copilot) \. toml
    | (?:serverless | sst\.config) \. [cm]?[tj]s
    | .+ \. (?:sh | mk) | (?:GNU)?Makefile | bootstrap | app\.arc | \.arc | BUILD (?:\.pants)?
    """,
    re.VERBOSE | re.IGNORECASE,
)

_ANY_CONTENT = re.compile(
    r"""
    (?:[\w.-]*[.-])? (?:Dockerfile|Containerfile) (?:[.-][\w.-]*)?
    | .+ \. (?:tf | tofu | tf\.json | tfvars) | .+ \. tfvars \. json
    | serverless[\w.-]* \. (?:ya?ml | json | [cm]?[tj]s)
    | zappa_settings\.(?:toml | json | ya?ml) | samconfig\.toml | sst\.config\.[cm]?[tj]s
    | cdk\.json | Pulumi[\w.-]* \. ya?ml | function\.json | app\.arc | \.arc
    """,
    re.VERBOSE | re.IGNORECASE,
)

_WORDS = re.compile(
    rb"AWS::Lambda::|AWS::Serverless::|AWS::CloudFormation::Stack|lambda_functions|app_function"
    rb"|chalice|handler[\"']?\s*:|uvicorn|gunicorn|hypercorn|python_aws_lambda_function"
    rb"|python_awslambda|awslambdaric|aws-lambda-adapter|lambda\s+create-function|aws:executeScript"
    rb"|lambda\s+update-function-configuration|aws-lambda-deploy"
)


_LIBRARIES = re.compile(rb"aws[-_.]lambda[-_.]powertools|cachetools", re.IGNORECASE)


def may_describe(name: str) -> bool:
    """Whether a file of this name (without folders) may describe a deployment."""
    return _NAME.fullmatch(name) is not None or is_requirements(name)


def describes(path: str, data: bytes) -> bool:
    """Whether a file that may describe a deployment does, as far as its path and bytes tell."""
    name = path.rpartition("/")[2]
    if f"/{path}".endswith("/.chalice/config.json"):
        return True
    if is_requirements(name):
        return _LIBRARIES.search(data) is not None
    return _ANY_CONTENT.fullmatch(name) is not None or _WORDS.search(data) is not None
