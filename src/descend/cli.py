"""The command ``descend``.

Exit status: 0 done; 2 bad input, said in one sentence; 130 interrupted, with how to go on. Everything heavy is imported by the
command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from descend import __version__
from descend._show import rules_command, show_command
from descend._stored import (
    DB,
    JSON,
    REPORT,
    check_paths,
    output_console,
    report_command,
    runs,
    write_the_report,
)
from descend.errors import DescendError, ProblemError

if TYPE_CHECKING:
    from descend.lab.plan import Plan

# typer carries its own copy of click, older ones import it: the base of its errors is reached through a public one
_UsageError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(
    help="Race gradient-descent optimizers on your problem, and see what won and why.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
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


@app.command("race")
def race_command(
    problem: Annotated[
        str,
        typer.Argument(help="A built-in name, a table (.csv, .parquet), or your own file.py:name."),
    ],
    target: Annotated[str | None, typer.Option(help="The column of a table to predict.")] = None,
    rules: Annotated[
        str | None, typer.Option(help="Names separated by commas: sgd,adam,adam+cosine.")
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help="One entry with settings held: adam:beta1=0.8. Repeatable."),
    ] = None,
    loss: Annotated[str | None, typer.Option(help="squared, log, hinge or huber.")] = None,
    model: Annotated[str | None, typer.Option(help="linear, softmax or mlp:64,64.")] = None,
    steps: Annotated[int | None, typer.Option(help="Gradient evaluations per run.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows per gradient evaluation.")] = None,
    budget: Annotated[
        int | None, typer.Option(help="Tuning trials per entry; 16 by default.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Fresh seeds per entry; 10 by default.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="8 trials, 6 seeds.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="64 trials, 20 seeds.")] = False,
    seed: Annotated[int, typer.Option(help="From which all randomness is drawn.")] = 0,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Worker processes.")] = None,
    extend: Annotated[
        int, typer.Option(help="Decades by which to widen every searched interval.")
    ] = 0,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds; fewer trials and seeds for all alike.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish the interrupted race with this plan.")
    ] = False,
    db: DB = "descend.db",
    report: REPORT = Path("race.html"),
    json: JSON = False,
) -> None:
    """Race optimizers on a problem: equal budgets, fresh paired seeds, tie groups."""
    from rich.console import Console

    from descend import _race, _terminal

    budget_default, seeds_default = _size(quick, thorough)
    entries = [*_names(rules), *(rule or [])]
    options: dict[str, Any] = {
        "target": target,
        "loss": loss,
        "model": model,
        "steps": steps,
        "batch_size": batch_size,
    }
    given = {**options, "rules": rules, "rule": rule, "db": db, "report": str(report)}
    check_paths(report, db)
    console = Console(stderr=True, highlight=False)
    # what a user's file prints must not mix with our output
    with _terminal.progress_on(console) as progress, redirect_stdout(sys.stderr):
        result = _race.race(
            problem,
            entries,
            budget=budget if budget is not None else budget_default,
            seeds=seeds if seeds is not None else seeds_default,
            seed=seed,
            db=db,
            jobs=jobs,
            extend=extend,
            time_limit=time_limit,
            resume=resume,
            progress=progress,
            reproduce=lambda plan: _command(problem, plan, given),
            **options,
        ).result
    written = write_the_report(result, report)
    if json:
        typer.echo(_terminal.standings_json(result))
        return
    _terminal.show_standings(output_console(), result)
    typer.echo(f"\n{_took(result)}Runs: {db} (race {result.race_id}). Report: {written}")
    typer.echo(f"Again: {result.reproduce}")


def _size(quick: bool, thorough: bool) -> tuple[int, int]:
    """Default trials and seeds."""
    if quick and thorough:
        raise ProblemError("a race must be either --quick or --thorough; got both.")
    return (8, 6) if quick else (64, 20) if thorough else (16, 10)


def _names(text: str | None) -> list[str]:
    """The entries of ``--rules``."""
    if text is None:
        return []
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not name or "=" in name:
            raise ProblemError(
                f"--rules must be names separated by commas; got {text!r}. "
                "Hint: settings go into --rule adam:lr=1e-3,beta1=0.8."
            )
    return names


def _command(problem: str, plan: Plan, given: dict[str, Any]) -> str:
    """The command line that runs this race again."""
    words = ["descend", "race", problem]
    for name, value in given.items():
        values = value if isinstance(value, list) else [value] if value is not None else []
        words += [f"--{name.replace('_', '-')}={v}" for v in values]
    for name in ("budget", "seeds", "seed", *(["extend"] if plan.extend else [])):
        words.append(f"--{name}={getattr(plan, name)}")
    return shlex.join(words)


def _took(result: Any) -> str:
    return f"{result.seconds:.0f} s, and {result.compile_seconds:.1f} s to compile. "


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
            return _refused(error.format_message())
        if isinstance(error, DescendError):
            return _refused(str(error))
        raise
    return 0


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


if __name__ == "__main__":
    main()
