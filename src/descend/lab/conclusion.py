"""From the runs of a race to its standings: which trial is selected, and what may be said. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from descend.lab.entries import Entry
from descend.lab.limits import describe_limits
from descend.lab.plan import Field, Plan
from descend.lab.records import ProblemCard, Run, RunKey, Standing
from descend.lab.space import at_edge
from descend.lab.standings import Comparison, median_of, standings
from descend.lab.stats import comparison_scale


@dataclass(frozen=True)
class Evidence:
    """The runs of a race, and what ordered them."""

    card: ProblemCard
    plan: Plan
    drawn: Field
    tuning_seeds: int
    runs: Mapping[RunKey, Run]

    def tuning(self, entry: Entry) -> NDArray[np.float64]:
        """Scores of each trial on the comparison scale, shape (n_trials, n_tuning_seeds)."""
        seeds = [self.plan.seed_of("tune", i) for i in range(self.tuning_seeds)]
        scores = [
            [self.runs[RunKey(entry.label, "tune", trial + 1, seed)].score for seed in seeds]
            for trial in range(len(self.drawn.trials[entry.label]))
        ]
        return comparison_scale(scores, self.card.log_scale)

    def fresh(self, label: str, trial: int) -> list[Run]:
        """The runs of a trial, counted from 0, on the fresh seeds."""
        keys = [RunKey(label, "fresh", trial + 1, seed) for seed in self.plan.fresh_seeds()]
        return [self.runs[key] for key in keys]

    def median(self, scores: Sequence[float]) -> float:
        """The median on the comparison scale; ``inf`` beside or among the failed."""
        return median_of(comparison_scale([list(scores)], self.card.log_scale)[0])


def select(scores: NDArray[np.float64]) -> int:
    """The trial with the fewest failures, then the best mean; the earlier of equal ones, so the default.

    >>> select(np.array([[1.0, 3.0], [np.inf, 0.0], [2.0, 1.0]]))
    2
    """
    failures = np.isinf(scores).sum(axis=1)
    mean = np.where(np.isinf(scores), 0.0, scores).sum(axis=1)
    return int(np.lexsort((mean, failures))[0])


def select_all(evidence: Evidence) -> dict[str, int]:
    """The selected trial of every entry by label, counted from 0."""
    return {e.label: select(evidence.tuning(e)) for e in evidence.drawn.entries}


def compare(evidence: Evidence, selected: Mapping[str, int]) -> tuple[Comparison, ...]:
    """The selected trials compared on the fresh seeds."""
    labels = [e.label for e in evidence.drawn.entries]
    scores = [[run.score for run in evidence.fresh(x, selected[x])] for x in labels]
    return standings(labels, np.array(scores).T, evidence.card.log_scale)


def stand(evidence: Evidence, row: Comparison, trial: int) -> Standing:
    """One row of the standings, with what tuning and test data say beside the comparison."""
    entry = next(e for e in evidence.drawn.entries if e.label == row.entry)
    settings = evidence.drawn.trials[entry.label][trial]
    tuning = evidence.tuning(entry).mean(axis=1)
    fresh = evidence.fresh(entry.label, trial)
    tests = [run.test for run in fresh if not math.isnan(run.test)]
    return Standing(
        entry=row.entry,
        group=row.group,
        trial=trial + 1,
        settings=settings,
        text=entry.text(settings),
        mean=row.mean,
        median=row.median,
        quartiles=row.quartiles,
        last=evidence.median([_last(run) for run in fresh]),
        difference=row.difference,
        interval=row.interval,
        p_value=row.p_value,
        failures=row.failures,
        tuning_failures=int(np.isinf(tuning).sum()),
        seeds=evidence.plan.seeds,
        default_score=evidence.median([run.score for run in evidence.fresh(entry.label, 0)]),
        tuned_score=float(tuning[trial]),
        test=float(np.median(tests)) if tests else math.nan,
        at_edge=at_edge(settings, evidence.drawn.ranges[entry.label]),
    )


def leave_open(
    rows: Sequence[Comparison],
    table: Sequence[Standing],
    budget: int,
    seconds_per_seed: float,
    fixed: bool,
) -> tuple[str, ...]:
    """What the race cannot conclude: by its seeds, by its tuning, by its space, by its kind.

    Parameters
    ----------
    rows, table : the comparisons and the rows of the standings, in the same order
    budget : int, tuning trials per entry
    seconds_per_seed : float, time of one more seed for all entries
    fixed : bool, whether every seed opens the very same problem
    """
    limits = describe_limits(rows, table[0].seeds, seconds_per_seed, fixed)
    return (*limits, *_spoilt(table), *_edges(table), _settings_only(len(table), budget))


def _last(run: Run) -> float:
    finished = run.status == "finished" and len(run.curve.score)
    return float(run.curve.score[-1]) if finished else math.inf


def _spoilt(table: Sequence[Standing]) -> tuple[str, ...]:
    names = [row.entry for row in table if row.trial > 1 and row.default_score < row.median]
    if not names:
        return ()
    whose = "its" if len(names) == 1 else "their"
    said = f"{whose} defaults scored better on the fresh seeds"
    return (f"Tuning did not help {' and '.join(names)}: {said}.",)


def _edges(table: Sequence[Standing]) -> tuple[str, ...]:
    flagged = [f"{row.entry} ({', '.join(row.at_edge)})" for row in table if row.at_edge]
    if not flagged:
        return ()
    where = f"The best value found lies at an edge of the space for {', '.join(flagged)}"
    return (f"{where}: --extend 1 would widen it for all.",)


def _settings_only(entries: int, budget: int) -> str:
    what = "These are comparisons" if entries > 1 else "This is a result"
    if budget == 1:
        return (
            f"{what} of documented defaults, not of the optimizers as such: tuning may order them"
            " differently."
        )
    return (
        f"{what} of the settings that {budget} trials found, not of the optimizers as such:"
        " another draw of trials or a larger budget may order close entries differently."
    )
