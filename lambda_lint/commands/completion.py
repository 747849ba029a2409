"""`completion`: a script that makes a shell complete commands, options and names of rules.

The script is static, so that pressing the tab key starts no Python. The names of the rules in it
are those of the project in which it was made.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable, Iterator, Mapping

from lambda_lint import terminal
from lambda_lint.commands import CLEAN, catalogue


def run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the script for a shell; `parser` is the one whose words it completes."""
    import shtab

    names = [name for one in catalogue.known(options.config) for name in (one.code, one.slug)]
    completers: Mapping[str, object] = {
        "RULE": _rules(names),
        "RULES": _rules(("ALL", *names)),
        "FILE": shtab.FILE,
        "PATH": shtab.FILE,
        "DIR": shtab.DIRECTORY,
    }
    for action in _actions(parser):
        if isinstance(action.metavar, str) and action.metavar in completers:
            # This attribute is what shtab looks for.
            setattr(action, "complete", completers[action.metavar])  # noqa: B010
    script: str = shtab.complete(parser, shell=options.shell)
    terminal.write(script.rstrip("\n") + "\n")
    return CLEAN


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of a parser and of its commands; argparse has no public way to them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
        else:
            yield action


def _rules(names: Iterable[str]) -> dict[str, object]:
    """Return how each shell completes names of rules, also behind a comma."""
    words = " ".join(map(shlex.quote, names))
    # One function for each list of names: `rule` takes no `ALL`.
    function = "_lambda_lint_all_rules" if words.startswith("ALL") else "_lambda_lint_rules"
    bash = f"""\
{function}() {{
  local before=""
  [[ "$1" == *,* ]] && before="${{1%,*}},"
  compgen -P "$before" -W {shlex.quote(words)} -- "${{1##*,}}"
}}
"""
    zsh = f"""\
{function}() {{
  local -a names
  names=({words})
  compset -P '*,'
  compadd -a names
}}
"""
    fish = f"""\
function {function}
  set -l before (string match -r '.*,' -- (commandline -ct))
  for name in {words}
    echo "$before$name"
  end
end
"""
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({function})",
        "preamble": {"bash": bash, "zsh": zsh, "fish": fish},
    }
