"""The command ``descend``.

Exit status: 0 done; 2 bad input, said in one sentence; 130 interrupted, with how to go on. Everything heavy is imported by the
command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer

from descend import __version__
from descend.cli.minimize import minimize_command
from descend.cli.race import race_command
from descend.cli.show import rules_command, show_command
from descend.cli.stored import report_command, runs
from descend.errors import DescendError

# typer carries its own copy of click, older ones import it: the base of its errors is reached through a public one
_UsageError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(
    help="Race gradient-descent optimizers on your problem, and see what won and why.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("race")(race_command)
app.command("minimize")(minimize_command)
app.command("rules")(rules_command)
app.command("show")(show_command)
app.command("report")(report_command)
app.add_typer(runs, name="runs")


@app.callback(invoke_without_command=True)
def _first(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"descend {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> NoReturn:
    """Run the command and turn every expected end into its exit status."""
    # whoever ends us wants what Ctrl-C does
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = _status(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # at exit nothing is left to interrupt
    # an interruption inside a text that Python compiles, as of a dataclass, stays noted as unhandled
    # and would end us by the signal, not by the status; the next text clears the note
    exec("")  # noqa: S102
    sys.exit(status)


def _status(arguments: list[str]) -> int:
    try:
        with typer.main.get_command(app).make_context("descend", arguments) as context:
            context.command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Exception, KeyboardInterrupt) as error:
        interruption = _interruption(error)
        if interruption:
            return _interrupted(interruption)
        if isinstance(error, _UsageError):
            return _refused(error.format_message() + _minus_hint(arguments, error))
        if isinstance(error, DescendError):
            return _refused(str(error))
        raise
    return 0


def _minus_hint(arguments: list[str], error: Any) -> str:
    """What to do about a formula that begins with a minus, which is read as options."""
    of_minimize = arguments[:1] == ["minimize"] and type(error).__name__ == "NoSuchOption"
    formula = next((a for a in arguments if re.match(r"-[^-].*[*+/(^]", a)), None)
    if not (of_minimize and formula):
        return ""
    return f". Hint: a formula that begins with a minus is put in parentheses, '({formula[:40]})', or after --."


def _interruption(error: BaseException | None) -> KeyboardInterrupt | None:
    """The Ctrl-C behind an error: some libraries turn one that comes while they load into their own."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def _interrupted(interruption: KeyboardInterrupt) -> int:
    typer.echo(f"descend: {str(interruption) or 'interrupted.'}", err=True)
    resume = getattr(interruption, "resume", None)
    if resume:
        typer.echo(f"Go on with: {resume} --resume", err=True)
    return 130


def _refused(sentence: str) -> int:
    """Bad input: one line, whatever it quotes."""
    typer.echo(f"descend: {' '.join(sentence.split())}", err=True)
    return 2
