"""The command ``descend``.

Exit status: 0 done; 2 bad input, said in one sentence; 130 interrupted, with how to go on. Everything heavy is imported by the
command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from descend import __version__
from descend.errors import DescendError, ProblemError, StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from descend.lab.plan import Plan

# typer carries its own copy of click, older ones import it: the base of its errors is reached through a public one
_UsageError = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(
    help="Race gradient-descent optimizers on your problem, and see what won and why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
runs = typer.Typer(help="List, show, export and remove the races of a store.", no_args_is_help=True)
app.add_typer(runs, name="runs")

_DB = Annotated[str, typer.Option("--db", help="The run store, one SQLite file.", metavar="PATH")]
_JSON = Annotated[bool, typer.Option("--json", help="Print machine-readable output.")]
_REPORT = Annotated[
    Path, typer.Option("--report", "-o", help="Where to write the report, one HTML file.", metavar="PATH")
]


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"descend {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("rules")
def list_all_rules(json: _JSON = False) -> None:
    """List the rules with their hyperparameters and defaults."""
    import json as encoder

    from descend._catalogue import find_rule, list_rules

    rules = {name: find_rule(name).hyperparameters.values() for name in list_rules()}
    if json:
        typer.echo(encoder.dumps({n: {h.name: h.default for h in hs} for n, hs in rules.items()}))
        return
    width = max(map(len, rules))
    for name, hyperparameters in rules.items():
        typer.echo(f"{name:<{width}}  {', '.join(f'{h.name}={h.default:g}' for h in hyperparameters)}")


@app.command("race")
def race_command(
    problem: Annotated[
        str, typer.Argument(help="A built-in name, a table (.csv, .parquet), or your own file.py:name.")
    ],
    target: Annotated[str | None, typer.Option(help="The column of a table to predict.")] = None,
    rules: Annotated[str | None, typer.Option(help="Names separated by commas: sgd,adam,adam+cosine.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="One entry with settings held: adam:beta1=0.8. Repeatable.")
    ] = None,
    loss: Annotated[str | None, typer.Option(help="squared, log, hinge or huber.")] = None,
    model: Annotated[str | None, typer.Option(help="linear, softmax or mlp:64,64.")] = None,
    steps: Annotated[int | None, typer.Option(help="Gradient evaluations per run.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows per gradient evaluation.")] = None,
    budget: Annotated[int | None, typer.Option(help="Tuning trials per entry; 16 by default.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Fresh seeds per entry; 10 by default.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="8 trials, 5 seeds.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="64 trials, 20 seeds.")] = False,
    seed: Annotated[int, typer.Option(help="From which all randomness is drawn.")] = 0,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", help="Worker processes.")] = None,
    extend: Annotated[int, typer.Option(help="Decades by which to widen every searched interval.")] = 0,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds; fewer trials and seeds for all alike.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Finish the interrupted race with this plan.")] = False,
    db: _DB = "descend.db",
    report: _REPORT = Path("race.html"),
    json: _JSON = False,
) -> None:
    """Race optimizers on a problem: equal budgets, fresh paired seeds, tie groups."""
    from rich.console import Console

    from descend import _race, _terminal

    budget_default, seeds_default = _size(quick, thorough)
    entries = [*_names(rules), *(rule or [])]
    options = {"target": target, "loss": loss, "model": model, "steps": steps, "batch_size": batch_size}
    given = {**options, "rules": rules, "rule": rule, "db": db, "report": str(report)}
    _check_folder(report)
    console = Console(stderr=True, highlight=False)
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
        progress=_terminal.progress_on(console),
        reproduce=lambda plan: _command(problem, plan, given),
        **options,
    ).result
    written = _write_report(result, report)
    if json:
        typer.echo(_terminal.standings_json(result))
        return
    _terminal.show_standings(_console(), result)
    typer.echo(f"\n{_took(result)}Runs: {db} (race {result.race_id}). Report: {written}")
    typer.echo(f"Again: {result.reproduce}")


@app.command("report")
def report_command(
    race: Annotated[int | None, typer.Argument(help="The race's number; the last finished one by default.")] = None,
    db: _DB = "descend.db",
    report: _REPORT = Path("race.html"),
) -> None:
    """Write the report of a stored race again."""
    from descend.lab.store import Store

    with Store.reader(db) as store:
        result = store.load(race if race is not None else _last_done(store))
    typer.echo(f"Report: {_write_report(result, report)}")


@runs.command("ls")
def list_races(db: _DB = "descend.db", json: _JSON = False) -> None:
    """List the races of the store."""
    from descend import _terminal
    from descend.lab.store import Store

    with Store.reader(db) as store:
        rows = store.races()
    if json:
        typer.echo(_terminal.races_json(rows))
    else:
        _terminal.show_races(_console(), rows)


@runs.command("show")
def show_race(
    race: Annotated[int | None, typer.Argument(help="The race's number; the last finished one by default.")] = None,
    db: _DB = "descend.db",
    json: _JSON = False,
) -> None:
    """Show the standings of a race."""
    from descend import _terminal
    from descend.lab.store import Store

    with Store.reader(db) as store:
        result = store.load(race if race is not None else _last_done(store))
    if json:
        typer.echo(_terminal.standings_json(result))
        return
    _terminal.show_standings(_console(), result)
    typer.echo(f"Again: {result.reproduce}")


@runs.command("rm")
def remove_races(
    races: Annotated[list[int], typer.Argument(help="Numbers of races.")],
    db: _DB = "descend.db",
) -> None:
    """Remove races with their runs."""
    from descend.lab.store import Store

    Store.reader(db).close()  # a store that is not there is not made for this
    with Store(db) as store:
        store.remove(races)
    typer.echo(f"Removed: {', '.join(map(str, races))}")


@runs.command("export")
def export_race(
    race: Annotated[int, typer.Argument(help="The race's number.")],
    path: Annotated[Path, typer.Argument(help="A .csv, .parquet or .jsonl file.")],
    curves: Annotated[bool, typer.Option("--curves", help="One row per checkpoint, not per run.")] = False,
    db: _DB = "descend.db",
) -> None:
    """Write the runs of a race as a table."""
    from descend.lab.store import Store

    with Store.reader(db) as store:
        store.export(race, path, curves=curves)
    typer.echo(f"Written: {path}")


def _size(quick: bool, thorough: bool) -> tuple[int, int]:
    """Default trials and seeds."""
    if quick and thorough:
        raise ProblemError("a race must be either --quick or --thorough; got both.")
    return (8, 5) if quick else (64, 20) if thorough else (16, 10)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()] if text else []


def _check_folder(report: Path) -> None:
    """Before an hour of work, not after it."""
    folder = report.parent
    if not folder.is_dir() or report.is_dir() or not os.access(folder, os.W_OK):
        raise StoreError(f"the report must be a file in a folder that can be written to; got {str(report)!r}.")


def _write_report(result: Any, path: Path) -> Path:
    from descend.plot.report import write_report

    return write_report(result, path)


def _last_done(store: Any) -> int:
    done = [row.race_id for row in store.races() if row.status == "done"]
    if not done:
        raise StoreError(f"the run store {store.path} must hold a finished race; got none.")
    return int(done[-1])


def _command(problem: str, plan: Plan, given: dict[str, Any]) -> str:
    """The command line that runs this race again."""
    words = ["descend", "race", problem]
    for name, value in given.items():
        values = value if isinstance(value, list) else [value] if value is not None else []
        words += [word for v in values for word in (f"--{name.replace('_', '-')}", str(v))]
    words += [f"--{n}={v}" for n, v in (("budget", plan.budget), ("seeds", plan.seeds), ("seed", plan.seed))]
    return shlex.join(words + ([f"--extend={plan.extend}"] if plan.extend else []))


def _took(result: Any) -> str:
    return f"{result.seconds:.0f} s, and {result.compile_seconds:.1f} s to compile. "


def _console() -> Console:
    from rich.console import Console

    # away from a terminal a table keeps its width: a log is not 80 columns wide
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)


def main() -> NoReturn:
    """Run the command and turn every expected end into its exit status."""
    sys.exit(_status(lambda: app(standalone_mode=False)))


def _status(command: Callable[[], Any]) -> int:
    try:
        status = command()
    except _UsageError as error:
        typer.echo(f"descend: {' '.join(str(error.format_message()).split())}", err=True)
        return 2
    except DescendError as error:
        typer.echo(f"descend: {error}", err=True)
        return 2
    except (KeyboardInterrupt, typer.Abort) as error:
        typer.echo(f"descend: {str(error) or 'interrupted.'}", err=True)
        resume = getattr(error, "resume", None)
        if resume:
            typer.echo(f"Go on with: {resume} --resume", err=True)
        return 130
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    main()
