"""The command ``descend race``."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from descend.cli.stored import DB, JSON, REPORT, check_paths, output_console, write_the_report
from descend.errors import ProblemError

if TYPE_CHECKING:
    from descend.lab.plan import Plan


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

    from descend import _race
    from descend.cli import terminal

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
    with terminal.progress_on(console) as progress, redirect_stdout(sys.stderr):
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
        typer.echo(terminal.standings_json(result))
        return
    terminal.show_standings(output_console(), result)
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
