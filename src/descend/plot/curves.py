"""What the figures of a race draw, prepared as plain arrays: no drawing library is needed here.

A run that did not finish counts as ``inf`` everywhere: it is kept, and it sits at the tail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.lab.records import RaceResult, Run, Standing
from descend.lab.stats import DIVERGED, expected_best

Floats = NDArray[np.float64]

MOST_CHECKPOINTS = 300
"""A curve with more points looks the same and makes the page heavy."""


@dataclass(frozen=True)
class Band:
    """Median and quartiles of one entry's fresh runs; arrays have shape (n_checkpoints,)."""

    entry: str
    evaluations: Floats
    low: Floats
    median: Floats
    high: Floats
    runs: int


@dataclass(frozen=True)
class Trials:
    """The tuning trials of one entry, in the order of ``lr``; arrays have shape (n_trials,)."""

    entry: str
    lr: Floats
    score: Floats
    line: bool
    """Only lr was tuned: a line through the trials is a curve, not a cloud."""


@dataclass(frozen=True)
class Budget:
    """Expected best validation score of the first k trials, k = 1, 2, …"""

    entry: str
    trials: Floats
    score: Floats


@dataclass(frozen=True)
class Pairs:
    """Scores of the fresh runs; ``scores`` has shape (n_seeds, n_entries), nan where none ran."""

    entries: tuple[str, ...]
    seeds: tuple[int, ...]
    scores: Floats


def quantile(values: ArrayLike, q: float) -> float:
    """The linear quantile of values that may hold ``inf``; nan when there are none.

    Parameters
    ----------
    values : array of shape (n,)
        Scores, ``inf`` for the failed.
    q : float
        Between 0 and 1.

    Returns
    -------
    float
        ``inf`` when the quantile lies beside or among the failed.

    Examples
    --------
    >>> quantile([1.0, 3.0, float("inf")], 0.25), quantile([1.0, 3.0, float("inf")], 0.75)
    (2.0, inf)
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    if not ordered.size:
        return float("nan")
    place = q * (ordered.size - 1)
    below, above = int(np.floor(place)), int(np.ceil(place))
    if ordered[below] == ordered[above]:  # inf * 0 and inf - inf would be nan
        return float(ordered[below])
    weight = place - below
    return float((1 - weight) * ordered[below] + weight * ordered[above])


def curve_bands(result: RaceResult) -> tuple[Band, ...]:
    """Median curves with quartiles over the fresh seeds, in the order of the standings.

    A run keeps its last score until its next checkpoint; after its last checkpoint a run that
    did not finish is ``inf``. Entries without any curve are left out.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    tuple of Band
        At most one for each entry.
    """
    bands = (_band(row.entry, result.fresh(row)) for row in result.standings)
    return tuple(band for band in bands if band is not None)


def lr_trials(result: RaceResult) -> tuple[Trials, ...]:
    """Validation score against lr over the tuning trials, in the order of the standings.

    A trial's settings name only what differs from the defaults. Without lr among them the value
    is read from ``plan["defaults"][entry]["lr"]``; a trial whose lr is unknown is left out.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    tuple of Trials
        At most one for each entry.
    """
    found = []
    for row in result.standings:
        default = defaults(result, row.entry).get("lr")
        points = [
            (lr, score)
            for runs, score in _trials(result, row.entry).values()
            if (lr := runs[0].settings.get("lr", default)) is not None and 0 < lr < np.inf
        ]
        if points:
            points.sort()
            lr, score = np.array(points, dtype=np.float64).T
            line = result.tuned.get(row.entry, ()) == ("lr",)
            found.append(Trials(row.entry, lr, score, line))
    return tuple(found)


def budget_curves(result: RaceResult) -> tuple[Budget, ...]:
    """Expected best validation score of k of the tuning trials, for every k up to the budget.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    tuple of Budget
        One for each entry with tuning trials, in the order of the standings.
    """
    found = []
    for row in result.standings:
        scores = [score for _, score in _trials(result, row.entry).values()]
        if scores:
            best = expected_best(np.array(scores))
            found.append(Budget(row.entry, np.arange(1.0, best.size + 1), best))
    return tuple(found)


def paired_scores(result: RaceResult) -> Pairs:
    """The fresh scores of every seed, entries in the order of the standings.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    Pairs
        A row for each seed, a column for each entry.
    """
    entries = tuple(row.entry for row in result.standings)
    column = {entry: place for place, entry in enumerate(entries)}
    runs = [run for row in result.standings for run in result.fresh(row)]
    seeds = tuple(sorted({run.key.seed for run in runs}))
    scores = np.full((len(seeds), len(entries)), np.nan)
    for run in runs:
        scores[seeds.index(run.key.seed), column[run.key.entry]] = _score(run)
    return Pairs(entries, seeds, scores)


def fresh_quartiles(result: RaceResult, row: Standing) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of an entry's fresh scores, as they are.

    Parameters
    ----------
    result : RaceResult
        The race.
    row : Standing
        One of its rows.

    Returns
    -------
    tuple of three floats
        In units of the score also where the standings compare log10.
    """
    if not result.problem.log_scale:
        return row.quartiles[0], row.median, row.quartiles[1]
    scores = [_score(run) for run in result.fresh(row)]
    return quantile(scores, 0.25), quantile(scores, 0.5), quantile(scores, 0.75)


def defaults(result: RaceResult, entry: str) -> Mapping[str, float]:
    """The entry's documented defaults, as far as ``plan["defaults"]`` holds them.

    Parameters
    ----------
    result : RaceResult
        The race.
    entry : str
        One of its entries.

    Returns
    -------
    mapping of str to float
        Empty when the plan does not say.
    """
    every = result.plan.get("defaults")
    found = every.get(entry) if isinstance(every, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _band(entry: str, runs: list[Run]) -> Band | None:
    runs = [run for run in runs if run.curve.evaluations.size or run.status != "finished"]
    drawn = [run for run in runs if run.curve.evaluations.size]
    if not drawn:
        return None
    start = max(int(run.curve.evaluations[0]) for run in drawn)
    grid = np.unique(np.concatenate([run.curve.evaluations for run in drawn]))
    grid = _thinned(grid[grid >= start])
    scores = np.array([_held(run, grid) for run in runs])
    low, median, high = (
        np.array([quantile(column, q) for column in scores.T]) for q in (0.25, 0.5, 0.75)
    )
    return Band(entry, grid.astype(np.float64), low, median, high, len(runs))


def _held(run: Run, grid: NDArray[np.int64]) -> Floats:
    """The run's score at each count of evaluations: that of the checkpoint before it."""
    evaluations, score = run.curve.evaluations, run.curve.score
    if not evaluations.size:
        return np.full(grid.size, np.inf)
    last = np.searchsorted(evaluations, grid, side="right") - 1
    held = np.where(np.abs(score[last]) <= DIVERGED, score[last], np.inf)
    if run.status != "finished":
        held[grid > evaluations[-1]] = np.inf
    return held


def _thinned(grid: NDArray[np.int64]) -> NDArray[np.int64]:
    if grid.size <= MOST_CHECKPOINTS:
        return grid
    return grid[np.unique(np.linspace(0, grid.size - 1, MOST_CHECKPOINTS).astype(np.int64))]


def _trials(result: RaceResult, entry: str) -> dict[int, tuple[list[Run], float]]:
    """By trial: its runs (one for each tuning seed) and their mean score."""
    grouped: dict[int, list[Run]] = {}
    for run in result.runs:
        if (run.key.phase, run.key.entry) == ("tune", entry):
            grouped.setdefault(run.key.trial, []).append(run)
    return {
        trial: (runs, float(np.mean([_score(run) for run in runs])))
        for trial, runs in sorted(grouped.items())
    }


def _score(run: Run) -> float:
    finite = run.status == "finished" and abs(run.score) <= DIVERGED
    return float(run.score) if finite else float("inf")
