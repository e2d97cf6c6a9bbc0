"""The command ``descend minimize``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from descend.cli.stored import JSON, takes_files
from descend.errors import HyperparameterError, ProblemError

if TYPE_CHECKING:
    from descend._minimize.result import Result
    from descend.cli.asked import Asked, Bounds

_PICTURES = (".png", ".svg", ".pdf")


def minimize_command(
    problem: Annotated[
        str,
        typer.Argument(
            help="A test function (rosenbrock:n=5), your own file.py:name, or a formula such as"
            " '(1-x)**2 + 100*(y-x**2)**2'; one that begins with a minus is put in parentheses."
        ),
    ],
    method: Annotated[
        str, typer.Option(help="A method or a rule: lbfgs, newton, cg, gd, adam:lr=0.1 …")
    ] = "lbfgs",
    x0: Annotated[
        str | None, typer.Option(help="Where to start: 1,2 or x=1,y=2.", metavar="POINT")
    ] = None,
    bounds: Annotated[
        str | None,
        typer.Option(help="-5:5 for all, or one each: -5:5,0:inf or y=0:.", metavar="LOW:HIGH"),
    ] = None,
    maxiter: Annotated[int | None, typer.Option(help="Iterations of each start.")] = None,
    maxfev: Annotated[int | None, typer.Option(help="Evaluations of each start.")] = None,
    maxtime: Annotated[float | None, typer.Option(help="Seconds of each start.")] = None,
    gtol: Annotated[float | None, typer.Option(help="Largest entry of the gradient.")] = None,
    ftol: Annotated[float | None, typer.Option(help="Least relative decrease of f.")] = None,
    xtol: Annotated[float | None, typer.Option(help="Least relative change of x.")] = None,
    target: Annotated[float | None, typer.Option(help="A value of f that is low enough.")] = None,
    starts: Annotated[
        int, typer.Option(help="Start from so many points and tell the minima apart.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="From which starts are drawn.", min=0)] = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", help="Processes for many starts.", min=1)
    ] = 1,
    option: Annotated[
        list[str] | None,
        typer.Option(help="A setting of the method as name=value. Repeatable.", metavar="K=V"),
    ] = None,
    jac: Annotated[
        str | None,
        typer.Option(
            help="Take the gradient by 2-point, 3-point, cs, torch or jax; else the exact one"
            " where there is one."
        ),
    ] = None,
    scale: Annotated[str, typer.Option(help="auto: units of x by its size; or none.")] = "auto",
    history: Annotated[
        Path | None, typer.Option(help="Write a row per iteration, a .csv file.", metavar="PATH")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw how f and gradient fell, a .png file.", metavar="PATH")
    ] = None,
    json: JSON = False,
) -> None:
    """Minimize a function: where the minimum is, and why the run ended.

    The exit status is 0 also when the run did not converge: why it ended is printed ("success" in --json).
    """
    from descend.cli.asked import read_problem
    from descend.cli.minimum import show_minimum

    _check_files(history, plot)
    settings: dict[str, Any] = {
        "method": _checked_method(method, option, bounds),
        "options": _options(option),
        "maxiter": maxiter,
        "maxfev": maxfev,
        "maxtime": maxtime,
        "gtol": gtol,
        "ftol": ftol,
        "xtol": xtol,
        "target": target,
        "scale": _scale(scale),
    }
    # what a user's file prints must not mix with our output
    with _warnings_as_notes(), redirect_stdout(sys.stderr):
        asked = _placed(read_problem(problem, seed, x0), x0, bounds)
        if x0 is None and starts == 1:
            _warn_of_flat_start(asked)
        fun, settings["jac"] = asked.with_gradient(jac)
        run = partial(_minimize, fun, asked.limits, settings)
        result, interrupted = _uninterrupted(partial(_all_starts, run, asked, starts, seed, jobs))
    show_minimum(asked, result, history, plot, json=json)
    if interrupted:
        raise KeyboardInterrupt("interrupted; the best point so far is printed.")


def _minimize(fun: Any, limits: Bounds | None, settings: dict[str, Any], x: Any) -> Result:
    from descend._minimize.driver import minimize

    bounds = None if limits is None else list(zip(*limits, strict=True))
    return minimize(fun, x, bounds=bounds, **settings)


def _all_starts(run: Any, asked: Asked, starts: int, seed: int, jobs: int) -> Result:
    if starts == 1:
        found: Result = run(asked.x0)
        return found
    from descend._minimize.starts import minimize_from_many

    lower, upper = asked.limits or asked.box or (None, None)
    return minimize_from_many(run, asked.x0, lower, upper, starts, seed, jobs)


def _uninterrupted(action: Callable[[], Result]) -> tuple[Result, bool]:
    """The result, and whether Ctrl-C ended it; it is raised where there is no result yet."""
    try:
        return action(), False
    except KeyboardInterrupt as interruption:
        best: Result | None = getattr(interruption, "result", None)
        if best is None:
            raise
        return best, True


def _check_files(history: Path | None, plot: Path | None) -> None:
    """Before the work, not after it."""
    for option, path, suffixes in (("--history", history, (".csv",)), ("--plot", plot, _PICTURES)):
        if path is None:
            continue
        if path.suffix.lower() not in suffixes:
            raise ProblemError(
                f"{option} must be a {' or '.join(suffixes)} file; got {str(path)!r}."
            )
        if path.is_dir() or not takes_files(path.parent):
            raise ProblemError(
                f"{option} must be a file in a folder that can be written to; got {str(path)!r}."
            )


def _checked_method(text: str, option: Sequence[str] | None, bounds: str | None) -> Any:
    """The method that ``text`` names, if it knows the options and the bounds."""
    from scipy.optimize import OptimizeWarning

    from descend._minimize.inputs import read_method, read_options, with_settings

    method = read_method(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OptimizeWarning)
        try:
            with_settings(method, read_options(_options(option), {})[1])
        except OptimizeWarning as warning:
            raise HyperparameterError(f"--option must be a setting of {text}: {warning}.") from None
    if bounds is not None and not method.takes_bounds:
        raise HyperparameterError(
            f"--bounds must go with a method that takes them; got {text}. Hint: --method=lbfgs."
        )
    return method


def _options(given: Sequence[str] | None) -> dict[str, float]:
    from descend.cli.asked import brief, read_number

    options: dict[str, float] = {}
    for text in given or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals) or name in options:
            raise HyperparameterError(
                f"--option must be written name=value, once for each name; got {brief(text)}."
            )
        number = read_number("--option", value)
        options[name] = int(number) if number.is_integer() else number
    return options


def _scale(text: str) -> str | None:
    if text not in ("auto", "none"):
        raise ProblemError(f"--scale must be auto or none; got {text[:40]!a}.")
    return None if text == "none" else text


def _placed(asked: Asked, x0: str | None, bounds: str | None) -> Asked:
    """What is asked, with the start and the bounds of the command line."""
    import numpy as np

    from descend.cli.asked import brief, read_bounds, read_x0

    if x0 is not None:
        asked = replace(asked, x0=read_x0(x0, asked.variables), x0_said="given")
    if bounds is None:
        return asked
    low, high = read_bounds(bounds, asked.variables)
    inside = np.clip(asked.x0, low, high)
    if (inside == asked.x0).all():
        return replace(asked, limits=(low, high))
    if x0 is not None:
        raise ProblemError(f"--x0 must lie within --bounds; got {brief(x0)} and {brief(bounds)}.")
    said = f"{asked.x0_said}, moved into the bounds"
    return replace(asked, x0=inside, x0_said=said, limits=(low, high))


def _warn_of_flat_start(asked: Asked) -> None:
    """A start that nobody chose, such as 0 of an even function, may be a maximum or a saddle."""
    import numpy as np

    if asked.both is None or asked.x0_said == "as the file says":
        return
    with np.errstate(all="ignore"):
        f, g = asked.both(asked.x0)
    if np.isfinite(f) and not np.any(g):
        warnings.warn(
            "the gradient is exactly 0 at the start, which may be a maximum or a saddle: give --x0.",
            RuntimeWarning,
            stacklevel=2,
        )


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """A line on stderr for each warning, without the place in our files that it was raised from."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            yield
        finally:
            for sentence in dict.fromkeys(" ".join(str(w.message).split()) for w in caught):
                typer.echo(f"note: {sentence}", err=True)
