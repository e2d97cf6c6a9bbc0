"""``dd.race``: which optimizer wins on a problem, as a function."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from descend._chain import Chain
from descend._rule import Bound, Rule
from descend.errors import DescendError, ProblemError, StoreError, nearest
from descend.lab.contract import Problem
from descend.lab.entries import Entry, read_entries, read_entry
from descend.lab.plan import Plan
from descend.lab.pool import default_jobs
from descend.lab.problems import function_problem, get_problem
from descend.lab.race import Order, Progress, run_race
from descend.lab.records import RaceResult, Standing
from descend.lab.store import Store, file_of
from descend.lab.user.problem import check_problem

MOST_JOBS = 256
_OWN = ("text", "seed", "fun")
"""Parameters of a problem's maker that are no options of a race."""


@dataclass(frozen=True)
class Race:
    """A finished race.

    Attributes
    ----------
    result : RaceResult
        Standings, runs with their curves, plan, manifest, and what cannot be concluded.
    """

    result: RaceResult

    def standings(self) -> tuple[Standing, ...]:
        """The entries from best to worst, in tie groups."""
        return self.result.standings

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the report, one HTML file that opens offline; where it is."""
        from descend.plot.report import write_report

        return write_report(self.result, path)


def race(
    problem: str | os.PathLike[str] | Problem | Callable[..., Any],
    rules: Sequence[str | Rule | Bound | Chain] = (),
    *,
    budget: int = 16,
    seeds: int = 10,
    seed: int = 0,
    db: str | os.PathLike[str] = "descend.db",
    jobs: int | None = None,
    engine: str = "local",
    extend: int = 0,
    time_limit: float | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    reproduce: Callable[[Plan], str] | None = None,
    **options: Any,
) -> Race:
    """Race optimizers on a problem: equal budgets, fresh paired seeds, tie groups with intervals.

    Parameters
    ----------
    problem : a built-in name, a table's path (with ``target=``), ``file.py:name``, a `Problem`, or a function (with ``x0=``)
    rules : names such as ``"adam"``, ``"adam+cosine"``, ``"adam:beta1=0.8"``, rules or chains; by default ten rules.
        Settings given here are held; the rest is tuned.
    budget : int, tuning trials per entry; the first is the documented default
    seeds : int, fresh seeds on which every tuned entry is judged
    seed : int, from which all other seeds are drawn
    db : path of the run store
    jobs : int, worker processes; by default the processors at hand. Results do not depend on it.
    engine : ``"local"``, processes of this machine
    extend : int, decades to add to both ends of every searched interval, for all entries
    time_limit : float, seconds; shrinks budget and seeds for all entries alike until the estimate fits
    resume : whether to finish an interrupted race with the same plan instead of starting another
    progress : where to tell how the race goes on
    reproduce : the words that run the race of a plan again, for the report; by default the call of this function
    **options : for the problem, as `get_problem` takes them: ``target``, ``loss``, ``model``, ``steps``, ``batch_size``, ``x0``

    Returns
    -------
    Race

    Raises
    ------
    DescendError
        If the problem, a rule or a number is unusable; a run that fails is a result, not an error.

    Examples
    --------
    >>> import descend as dd
    >>> r = dd.race("rosenbrock", ["sgd", "adam"], budget=4, seeds=3)  # doctest: +SKIP
    >>> r.standings()[0].entry                                         # doctest: +SKIP
    'adam'
    """
    if engine != "local":
        raise ProblemError(f"engine of a race must be 'local'; got {engine!r}.")
    plan = Plan(budget, seeds, seed, extend)
    workers = _jobs(jobs)
    _check_time_limit(time_limit)
    if isinstance(rules, str | Rule | Bound | Chain):
        raise ProblemError(
            f"rules of a race must be a list such as ['sgd', 'adam']; got {rules!r}."
        )
    entries = read_entries(rules)
    _check_store(file_of(db))
    found = _find(problem, plan.seed, options)
    order = Order(
        problem=found,
        entries=entries,
        plan=plan,
        jobs=workers,
        resume=resume,
        time_limit=time_limit,
        reproduce=reproduce or (lambda fitted: _call(problem, entries, fitted, options)),
    )
    return Race(run_race(order, db, progress))


def _check_store(file: Path) -> None:
    """A bad store shows before the work; a new one is made after it has begun."""
    if file.exists():
        Store.reader(file).close()
    elif not file.parent.is_dir():
        raise StoreError(f"the folder of the run store {file} must exist. Hint: create it first.")


def _jobs(jobs: int | None) -> int:
    if jobs is None:
        return default_jobs()
    whole = isinstance(jobs, int) and not isinstance(jobs, bool)
    if not (whole and 1 <= jobs <= MOST_JOBS):
        raise ProblemError(f"jobs of a race must be an int from 1 to {MOST_JOBS}; got {jobs!r}.")
    return jobs


def _check_time_limit(seconds: float | None) -> None:
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (number and seconds > 0):
        raise ProblemError(
            f"time_limit of a race must be a positive number of seconds; got {seconds!r}."
        )


def _find(
    problem: str | os.PathLike[str] | Problem | Callable[..., Any],
    seed: int,
    options: dict[str, Any],
) -> Problem:
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(problem, str | os.PathLike):
        return _named(os.fspath(problem), seed, given)
    if isinstance(problem, Problem):
        if given:
            raise ProblemError(f"options of a Problem are its own; got {', '.join(given)}.")
        check_problem(problem, _name(problem), "")
        return problem
    if not callable(problem) or "x0" not in given:
        raise ProblemError(
            f"a race needs a problem's name, a Problem, or a function with x0=; got {problem!r}."
        )
    _check_options(given, function_problem, _name(problem))
    return function_problem(problem, **given)


def _named(text: str, seed: int, given: dict[str, Any]) -> Problem:
    _check_options(given, get_problem, text)
    return get_problem(text, seed=seed, **given)


def _check_options(given: dict[str, Any], taker: Callable[..., Problem], problem: str) -> None:
    known = [name for name in inspect.signature(taker).parameters if name not in _OWN]
    for name in given:
        if name not in known:
            raise ProblemError(
                f"{problem} has no option {name!r}.{nearest(name, known)} It has: {', '.join(known)}."
            )


def _name(problem: Any) -> str:
    named = (getattr(problem, attribute, None) for attribute in ("name", "__name__"))
    return next((name for name in named if isinstance(name, str)), type(problem).__name__)


def _call(problem: Any, entries: Sequence[Entry], plan: Plan, options: dict[str, Any]) -> str:
    """The call that runs this race again, or what of it cannot be written out."""
    rules = [e.text({}) for e in entries]
    shown = {**asdict(plan), **{k: v for k, v in options.items() if v is not None}}
    words = repr(os.fspath(problem)) if isinstance(problem, str | os.PathLike) else _name(problem)
    call = f"dd.race({words}, {rules!r}, {', '.join(f'{k}={v!r}' for k, v in shown.items())})"
    unwritten = [*_unwritten(problem), *(text for text in rules if not _is_read(text))]
    if not unwritten:
        return call
    lost = f"{', '.join(unwritten)}: an object of the calling program"
    return f"The call cannot be written out, for {lost}. With the same object again: {call}"


def _unwritten(problem: Any) -> Iterator[str]:
    """The problem, unless it is text or a function that has a name in its module."""
    named = isinstance(problem, str | os.PathLike) or (
        inspect.isfunction(problem)
        and not any(mark in problem.__qualname__ for mark in ("<lambda>", "<locals>"))
    )
    if not named:
        yield _name(problem)


def _is_read(text: str) -> bool:
    try:
        read_entry(text)
    except DescendError:
        return False
    return True
