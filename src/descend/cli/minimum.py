"""What ``descend minimize`` prints and writes: the point by the names of its variables, why the run ended, basins, files."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import typer

from descend._minimize.history import History
from descend._minimize.result import Result
from descend.cli.asked import Asked, brief
from descend.errors import ProblemError
from descend.lab.store import to_json
from descend.lab.user.values import shown

_MOST_LINES = 20
_BASIN = ("fun", "share", "count", "start", "nfev", "success")


def show_minimum(
    asked: Asked, result: Result, history: Path | None, plot: Path | None, *, json: bool
) -> None:
    """Write the files that were asked for, then print the result.

    Raises
    ------
    ProblemError
        A file cannot be written, or f is not finite where the only start is.
    """
    if result.nit == 0 and not math.isfinite(result.fun):
        raise ProblemError(
            f"f must be finite at x0 = {shown(asked.x0)}; got {result.fun:g}."
            " Hint: start elsewhere with --x0."
        )
    if history is not None:
        _write(history, _as_csv(result.history))
    if plot is not None:
        _draw(plot, result.history)
    if json:
        typer.echo(to_json(_plain(asked, result)))
        return
    for line in _lines(asked, result):
        typer.echo(line)
    for what, path in (("History", history), ("Picture", plot)):
        if path is not None:
            typer.echo(f"{what}: {path}")


def _lines(asked: Asked, result: Result) -> list[str]:
    point = [f"{v:.6g}" for v in asked.x0[:_MOST_LINES]]
    more = ", …" if asked.x0.size > _MOST_LINES else ""
    lines = [
        asked.title,
        f"x0 = ({', '.join(point)}{more}): {asked.x0_said}.",
        "",
        *_coordinates(asked, result),
        f"f = {result.fun:.10g}",
        "",
        str(result.message),
        f"Iterations: {result.nit}. Evaluations: {result.nfev} of f, {result.njev} of its gradient.",
    ]
    if "basins" in result:
        return [*lines, *_places(result), *_failures(result.failures)]
    return [*lines, "", *str(result.history.rate()).splitlines()]


def _places(result: Result) -> list[str]:
    basins, unfinished = result.basins, result.unfinished
    lines = ["", str(basins)] if basins else []
    return [*lines, "", "Unfinished:", str(unfinished)] if unfinished else lines


def _failures(failures: dict[int, str]) -> list[str]:
    """One line for all starts that failed for one reason."""
    starts: dict[str, list[str]] = {}
    for start, reason in failures.items():
        starts.setdefault(reason, []).append(str(start))
    lines = [f"Failed: start {', '.join(of)}: {reason}" for reason, of in starts.items()]
    left = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"… {left} more reasons"] if left > 0 else [])]


def _coordinates(asked: Asked, result: Result) -> list[str]:
    pairs = list(zip(asked.variables, result.x, strict=True))
    lines = [f"{name} = {value:.10g}" for name, value in pairs[:_MOST_LINES]]
    left = len(pairs) - _MOST_LINES
    return [*lines, f"… {left} more; --json has them all"] if left > 0 else lines


def _plain(asked: Asked, result: Result) -> dict[str, Any]:
    told: dict[str, Any] = {
        "problem": asked.title,
        "variables": list(asked.variables),
        "x0": asked.x0.tolist(),
        "x": result.x.tolist(),
        "jac": result.jac.tolist(),
        "message": str(result.message),
    }
    told |= {name: result[name] for name in ("fun", "success", "status", "nit", "nfev", "njev")}
    if "basins" in result:
        for kind in ("basins", "unfinished"):
            told[kind] = [
                {name: getattr(basin, name) for name in _BASIN}
                | {"x": basin.x.tolist(), "x0": basin.x0.tolist()}
                for basin in result[kind]
            ]
        told["failures"] = {str(i): reason for i, reason in result.failures.items()}
    return told


def _as_csv(history: History) -> str:
    """A column for each array with a number per row; a number that is not there is an empty cell."""
    names = [name for name in history if history[name].ndim == 1]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in zip(*(history[name].tolist() for name in names), strict=True):
        writer.writerow("" if math.isnan(value) else repr(value) for value in row)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritten(path, error) from error


def _draw(path: Path, history: History) -> None:
    try:
        history.plot(path)
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> ProblemError:
    return ProblemError(f"{brief(str(path))} cannot be written: {error.strerror}.")
