"""The part of the command that looks at stored races: ``descend report`` and ``descend runs``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from descend.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console

runs = typer.Typer(help="List, show, export and remove the races of a store.")

DB = Annotated[str, typer.Option("--db", help="The run store, one SQLite file.", metavar="PATH")]
JSON = Annotated[bool, typer.Option("--json", help="Print machine-readable output.")]
REPORT = Annotated[
    Path,
    typer.Option(
        "--report", "-o", help="Where to write the report, one HTML file.", metavar="PATH"
    ),
]
_MOST = 2**63 - 1  # SQLite's
RACE = Annotated[
    int | None,
    typer.Argument(help="The race's number; the last finished one by default.", max=_MOST),
]


@runs.callback(invoke_without_command=True)
def show_help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def report_command(
    race: RACE = None,
    db: DB = "descend.db",
    report: REPORT = Path("race.html"),
) -> None:
    """Write the report of a stored race again."""
    from descend.lab.store import Store

    check_paths(report, db)
    with Store.reader(db) as store:
        result = store.load(race if race is not None else _last_done(store))
    typer.echo(f"Report: {write_the_report(result, report)}")


@runs.command("ls")
def list_races(db: DB = "descend.db", json: JSON = False) -> None:
    """List the races of the store."""
    from descend.cli import terminal
    from descend.lab.store import Store

    with Store.reader(db) as store:
        rows = store.races()
    if json:
        typer.echo(terminal.races_json(rows))
    else:
        terminal.show_races(output_console(), rows)


@runs.command("show")
def show_race(
    race: RACE = None,
    db: DB = "descend.db",
    json: JSON = False,
) -> None:
    """Show the standings of a race."""
    from descend.cli import terminal
    from descend.lab.store import Store

    with Store.reader(db) as store:
        result = store.load(race if race is not None else _last_done(store))
    if json:
        typer.echo(terminal.standings_json(result))
        return
    terminal.show_standings(output_console(), result)
    typer.echo(f"Again: {result.reproduce}")


@runs.command("rm")
def remove_races(
    races: Annotated[list[int], typer.Argument(help="Numbers of races.", max=_MOST)],
    db: DB = "descend.db",
) -> None:
    """Remove races with their runs."""
    from descend.lab.store import Store

    Store.reader(db).close()  # a store that is not there is not made for this
    with Store(db) as store:
        store.remove(races)
    typer.echo(f"Removed: {', '.join(map(str, races))}")


@runs.command("export")
def export_race(
    race: Annotated[int, typer.Argument(help="The race's number.", max=_MOST)],
    path: Annotated[Path, typer.Argument(help="A .csv, .parquet or .jsonl file.")],
    curves: Annotated[
        bool, typer.Option("--curves", help="One row per checkpoint, not per run.")
    ] = False,
    db: DB = "descend.db",
) -> None:
    """Write the runs of a race as a table."""
    from descend.lab.store import Store

    with Store.reader(db) as store:
        store.export(race, path, curves=curves)
    typer.echo(f"Written: {path}")


def check_paths(report: Path, db: str) -> None:
    """Before an hour of work, not after it."""
    if report.is_dir() or not takes_files(report.parent):
        raise StoreError(
            f"the report must be a file in a folder that can be written to; got {str(report)!r}."
        )
    if report.resolve() == Path(db).resolve():
        raise StoreError(f"the report must be another file than the run store; got {db!r}.")


def takes_files(folder: Path) -> bool:
    """Whether a file can be made there: permissions alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".report-"):
            return True
    except OSError:
        return False


def write_the_report(result: Any, path: Path) -> Path:
    from descend.plot.report import write_report

    return write_report(result, path)


def _last_done(store: Any) -> int:
    done = [row.race_id for row in store.races() if row.status == "done"]
    if not done:
        raise StoreError(f"the run store {store.path} must hold a finished race; got none.")
    return int(done[-1])


def output_console() -> Console:
    from rich.console import Console

    # away from a terminal a table keeps its width: a log is not 80 columns wide
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)
