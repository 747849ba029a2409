"""The command line: what the words mean, and which exit code a run ends with.

Nothing that costs time is imported before a command needs it, so that `--version`, `rule` and
`rules` answer at once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence

from lambda_lint import __version__, terminal
from lambda_lint.commands import CLEAN, UNABLE, UnableError

FORMATS = (
    "full",
    "concise",
    "json",
    "jsonl",
    "github",
    "sarif",
    "gitlab",
    "junit",
    "rdjson",
    "html",
)
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: nothing to say; 1: findings; 2: the tool could not do its job; 130: interrupted. `argv`
    are the words after the name of the program; those of the process if it is None.
    """
    terminal.prepare_streams()
    verbose = bool(os.environ.get("LAMBDA_LINT_TRACEBACK", "") not in ("", "0"))
    try:
        options = _parser().parse_args(argv)
        verbose = verbose or options.verbose
        return _run(options)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else CLEAN
    except BrokenPipeError:
        # Python before 3.11.3 lets it through when argparse prints help to a reader that has left.
        terminal.abandon_output()
        return CLEAN
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except UnableError as error:
        _complain(str(error))
        return UNABLE
    except Exception as error:
        if verbose:
            import traceback

            traceback.print_exc()
        _complain(
            f"internal error: {type(error).__name__}: {error}\n"
            "This is a mistake in lambda-lint, not in your code. Please report it with the output "
            "of the same command and --verbose."
        )
        return UNABLE
    finally:
        terminal.finish_output()


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "check":
            from lambda_lint.commands import check

            return check.run(options)
        case "rule":
            from lambda_lint.commands import catalogue

            return catalogue.show_rule(options)
        case "rules":
            from lambda_lint.commands import catalogue

            return catalogue.list_rules(options)
        case "handlers":
            from lambda_lint.commands import handlers

            return handlers.run(options)
        case "config":
            from lambda_lint.commands import config

            return config.run(options)
        case "completion":
            from lambda_lint.commands import completion

            return completion.run(options, _parser())
        case "baseline":
            from lambda_lint.commands import baseline

            return baseline.run(options)
        case _:
            from lambda_lint.commands import new

            return new.run(options)


def _complain(message: str) -> None:
    # If nobody listens, the exit code still says it.
    with contextlib.suppress(OSError, ValueError):
        print(f"lambda-lint: {terminal.printable(message)}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    """Lets `--add-ignore` stand alone: argparse would take the path behind it for the reason."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Do as argparse does."""
        words = list(sys.argv[1:] if args is None else args)
        end = words.index("--") if "--" in words else len(words)
        words[:end] = ["--add-ignore=" if one == "--add-ignore" else one for one in words[:end]]
        return super().parse_known_args(words, namespace)


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="lambda-lint",
        description="Finds state and reuse mistakes in Python code for AWS Lambda.",
        epilog="Exit codes: 0 nothing found, 1 findings, 2 the tool could not do its job.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lambda-lint {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_check(commands)
    _add_rule(commands)
    _add_rules(commands)
    _add_handlers(commands)
    _add_config(commands)
    _add_completion(commands)
    _add_baseline(commands)
    _add_new(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, summary: str
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
    made.add_argument(
        "-v", "--verbose", action="store_true", help="show the traceback of an internal error"
    )
    return made


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = _command(commands, "check", "Report mistakes in files and directories.")
    check.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="what to report on (default: the working directory); `-` reads a file from standard "
        "input. The rest of the project is always read as context",
    )
    check.add_argument(
        "--stdin-filename",
        metavar="FILE",
        help="where the file on standard input belongs in the project",
    )
    _add_project_options(check)

    _add_rule_choice(check)

    known = check.add_argument_group("only what is new")
    lines = known.add_mutually_exclusive_group()
    lines.add_argument(
        "--diff-base",
        metavar="REV",
        help="show only findings on lines that were changed since HEAD left this git revision, "
        "and those that were not found there",
    )
    lines.add_argument(
        "--staged",
        action="store_true",
        help="check what `git commit` would commit; show only findings on lines that it changes, "
        "and those that HEAD does not have",
    )
    file = known.add_mutually_exclusive_group()
    file.add_argument(
        "--baseline",
        metavar="FILE",
        help="do not show the findings that this file lists; see `lambda-lint baseline --help`",
    )
    file.add_argument(
        "--no-baseline",
        action="store_true",
        help="show also what the baseline of the configuration lists",
    )

    fixes = check.add_argument_group("fixes")
    fixes.add_argument("--fix", action="store_true", help="apply the fixes that are safe")
    fixes.add_argument(
        "--unsafe-fixes",
        action="store_true",
        help="with --fix or --diff: apply also fixes that may change what the code does",
    )
    fixes.add_argument(
        "--diff", action="store_true", help="show what --fix would change, and change nothing"
    )
    fixes.add_argument(
        "--exit-non-zero-on-fix",
        action="store_true",
        help="exit with 1 when something was fixed, even if no finding is left",
    )

    fixes.add_argument(
        "--add-ignore",
        metavar="REASON",
        help="silence what is found by comments: `--add-ignore` or `--add-ignore=REASON`",
    )

    output = check.add_argument_group("output")
    output.add_argument("--output-format", choices=FORMATS, default="full", help="default: full")
    output.add_argument("--output-file", metavar="FILE", help="write there instead of the terminal")
    output.add_argument(
        "--statistics", action="store_true", help="add how often each rule was broken"
    )
    output.add_argument(
        "--exit-zero", action="store_true", help="exit with 0 even if there are findings"
    )
    output.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def _add_rule_choice(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options that decide which rules speak, and of what."""
    rules = command.add_argument_group("rules")
    for name, meaning in (
        ("--select", "run only these rules"),
        ("--ignore", "leave these rules out"),
        ("--extend-select", "run these rules too"),
    ):
        rules.add_argument(
            name,
            metavar="RULES",
            action="append",
            type=_names,
            help=f"{meaning}: names, codes, beginnings of codes or ALL, separated by commas",
        )
    rules.add_argument(
        "--strict", action="store_true", help="show information and findings of low confidence too"
    )
    rules.add_argument(
        "--severity",
        choices=("info", "warning", "error"),
        help="show only findings that are at least so severe",
    )
    return rules


def _add_project_options(command: argparse.ArgumentParser) -> None:
    """Add the options that decide what the project is and how it is read."""
    project = command.add_argument_group("project")
    project.add_argument(
        "--config", metavar="FILE", help="read the settings from this file and from no other"
    )
    project.add_argument(
        "--force-exclude",
        action="store_true",
        help="leave excluded files out even if they are named as a PATH",
    )
    project.add_argument(
        "--max-file-size",
        metavar="BYTES",
        type=_size,
        help="report larger files as not analysed instead of reading them",
    )
    project.add_argument(
        "--jobs",
        metavar="N",
        type=_jobs,
        help="how many processes to use (default: one for each core)",
    )
    project.add_argument(
        "--no-cache", action="store_true", help="neither read nor write the cache on disk"
    )


def _add_rule(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rule = _command(commands, "rule", "Explain one rule.")
    rule.add_argument("rule", metavar="RULE", help="its name or its code")
    rule.add_argument("--config", metavar="FILE", help="read the settings from this file")


def _add_rules(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rules = _command(commands, "rules", "List all rules.")
    rules.add_argument("--output-format", choices=("full", "json"), default="full")
    rules.add_argument("--config", metavar="FILE", help="read the settings from this file")


def _add_handlers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    handlers = _command(
        commands,
        "handlers",
        "Show which functions are taken for Lambda handlers, why, and what they reach.",
    )
    handlers.add_argument("paths", nargs="*", metavar="PATH", help="default: the working directory")
    handlers.add_argument("--output-format", choices=("full", "table", "json"), default="full")
    handlers.add_argument(
        "--coverage",
        action="store_true",
        help="tell how many calls were followed, and which not",
    )
    _add_project_options(handlers)


def _add_config(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    config = _command(
        commands, "config", "Show the settings that are in force, and where each comes from."
    )
    config.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="a file, to show what is different for it, or a directory of another project",
    )
    config.add_argument("--output-format", choices=("full", "json"), default="full")
    config.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of the configuration instead"
    )
    _add_project_options(config)
    _add_rule_choice(config)


def _add_completion(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    completion = _command(commands, "completion", "Print a script that completes words in a shell.")
    completion.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh"))
    completion.add_argument("--config", metavar="FILE", help="read the settings from this file")


def _add_baseline(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    baseline = _command(
        commands,
        "baseline",
        "Put off the findings of today: list them in a file, so that `check` shows only new ones.",
    )
    actions = baseline.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = _command(
        actions,
        "create",
        "Write all findings into the baseline; entries about other PATHs than these stay.",
    )
    create.add_argument(
        "paths", nargs="*", metavar="PATH", help="what to write (default: the whole project)"
    )
    create.add_argument(
        "--strict", action="store_true", help="include information and findings of low confidence"
    )
    prune = _command(
        actions, "prune", "Take out of the baseline what is no longer found; nothing is added."
    )
    for action in (create, prune):
        action.add_argument(
            "--baseline",
            metavar="FILE",
            help="default: what the configuration says, or lambda-lint-baseline.json in the root "
            "of the project",
        )
        _add_project_options(action)


def _add_new(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    new = _command(commands, "new", "Start a new rule: write a file with a page and an example.")
    new.add_argument("name", metavar="NAME", help="what the mistake is called, such as lost-update")
    new.add_argument(
        "--category",
        metavar="CATEGORY",
        default="client-per-invocation",
        help="what kind of mistake it is (default: client-per-invocation)",
    )
    new.add_argument(
        "--directory", metavar="DIR", help="where to write it (default: the rules of the project)"
    )


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"an empty name in {text!r}")
    return names


def _jobs(text: str) -> int:
    return _number(text, "a number of processes", 1_024)


def _size(text: str) -> int:
    return _number(text, "a number of bytes", 2**40)


def _number(text: str, what: str, largest: int) -> int:
    # `int` would also take `1_0`, blanks and digits of other scripts.
    if not (text.isascii() and text.isdecimal()) or len(text) > 15 or not 0 < int(text) <= largest:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} from 1 to {largest}")
    return int(text)
