"""``dd.race``: which optimizer wins on a problem, as a function."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from descend._rule import Bound, Chain, Rule
from descend.errors import ProblemError
from descend.lab.contract import Problem
from descend.lab.entries import read_entries
from descend.lab.plan import Plan
from descend.lab.pool import default_jobs
from descend.lab.problems import function_problem, get_problem
from descend.lab.race import Order, Progress, run_race
from descend.lab.records import RaceResult, Standing
from descend.lab.store import Store


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
    problem: str | Problem | Callable[..., Any],
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
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise ProblemError(f"jobs of a race must be an int of at least 1; got {jobs!r}.")
    if time_limit is not None and not time_limit > 0:
        raise ProblemError(f"time_limit of a race must be a positive number of seconds; got {time_limit!r}.")
    plan = Plan(budget, seeds, seed, extend)
    entries = read_entries(rules)
    found = _find(problem, seed, options)
    order = Order(
        problem=found,
        entries=entries,
        plan=plan,
        jobs=jobs or default_jobs(),
        resume=resume,
        time_limit=time_limit,
        reproduce=reproduce or (lambda fitted: _call(found.name, [e.text({}) for e in entries], fitted, options)),
    )
    with Store(db) as store:
        return Race(run_race(order, store, progress))


def _find(problem: str | Problem | Callable[..., Any], seed: int, options: dict[str, Any]) -> Problem:
    if isinstance(problem, str):
        return get_problem(problem, seed=seed, **options)
    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(problem, Problem):
        if given:
            raise ProblemError(f"options of a Problem are its own; got {', '.join(given)}.")
        return problem
    if not callable(problem) or "x0" not in given:
        raise ProblemError(f"a race needs a problem's name, a Problem, or a function with x0=; got {problem!r}.")
    return function_problem(problem, **given)


def _call(problem: str, rules: list[str], plan: Plan, options: dict[str, Any]) -> str:
    """The call that runs this race again."""
    shown = {k: v for k, v in options.items() if v is not None}
    extra = "".join(f", {k}={v!r}" for k, v in shown.items())
    return (
        f"dd.race({problem!r}, {rules!r}, budget={plan.budget}, seeds={plan.seeds}, seed={plan.seed}, "
        f"extend={plan.extend}{extra})"
    )
