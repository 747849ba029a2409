"""One self-contained HTML file: the lives of the handlers, with the findings placed on them.

It loads nothing: style and script stand in it, and its security policy allows these two by their
hashes and nothing else. Without JavaScript all is shown and only the filters are missing. Every
value that the template writes goes through `_shown`, so that no text of a linted file is obeyed by
a browser, an eye or the runner of GitHub Actions.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib import resources

import jinja2
from markupsafe import Markup, escape

from lambda_lint.reporters.html import page
from lambda_lint.reporters.run import Look, Run
from lambda_lint.reporters.safe_text import visible


def render(run: Run, look: Look) -> str:
    """Return the page, the same bytes for the same run; nothing of `look` matters to it.

    It is in ASCII, so that no stream can damage it: a redirected one of Windows is rarely UTF-8.
    """
    style, script = Markup(_data("report.css")), Markup(_data("report.js"))
    text = _template().render(
        page=page.of_run(run),
        style=style,
        script=script,
        policy=_policy(style, script),
    )
    return _without_commands(text.encode("ascii", "xmlcharrefreplace").decode("ascii"))


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"report.html": _data("report.html")}),
        autoescape=True,
        finalize=_shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["spans"] = _spans
    return environment.get_template("report.html")


def _data(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def _shown(value: object) -> object:
    """Make a value safe to see; Jinja escapes afterwards what is not `Markup`."""
    return value if isinstance(value, Markup) else visible(str(value))


def _spans(text: str) -> Markup:
    """Return text with what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = [f"{parts[-2]}`{parts[-1]}"]
    shown = (escape(visible(one)) for one in parts)
    return Markup().join(
        Markup("<code>{}</code>").format(one) if index % 2 else one
        for index, one in enumerate(shown)
    )


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{_hash(style)}'",
            f"script-src 'sha256-{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _without_commands(text: str) -> str:
    """Write what the runner of GitHub Actions would obey as character references.

    The file may be printed to a log. Style and script have neither, which a test holds; nor do they
    have characters beyond ASCII, for which there are no references in them.
    """
    return re.sub(r"(?m)^(\s*):(?=:)", r"\1&#58;", text.replace("##[", "##&#91;"))
