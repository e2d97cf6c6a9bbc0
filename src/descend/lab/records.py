"""What a race leaves behind, as plain frozen values: runs, standings and the card of the problem.

The race writes them, the store keeps them, the report and the command show them.
Lower scores are better everywhere; a run that did not finish scores ``inf`` and keeps its cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Phase = Literal["tune", "fresh"]
Status = Literal["finished", "diverged", "timed out", "failed"]


@dataclass(frozen=True)
class Curve:
    """Validation score against gradient evaluations; both arrays have shape (n_checkpoints,)."""

    evaluations: NDArray[np.int64]
    score: NDArray[np.float64]


@dataclass(frozen=True)
class RunKey:
    """What makes a run the same run: entry, phase, trial and seed within one race."""

    entry: str
    phase: Phase
    trial: int
    seed: int


@dataclass(frozen=True)
class Run:
    """One optimisation run, finished or not."""

    key: RunKey
    settings: dict[str, float]
    """Hyperparameters that differ from the entry's defaults, by name."""
    status: Status
    cause: str
    """Why the run did not finish, one sentence; empty when it did."""
    score: float
    """Best validation score within the budget; ``inf`` unless finished."""
    test: float
    """Score of the best point on test data; ``nan`` when there is none or it stays closed."""
    evaluations: int
    """Gradient evaluations spent."""
    seconds: float
    """Training time, without evaluation and logging."""
    curve: Curve


@dataclass(frozen=True)
class ProblemCard:
    """A problem in words: what is minimised, measured and how."""

    name: str
    title: str
    metric: str
    """What is measured at a checkpoint: ``validation log loss``, ``f(x) − f*``."""
    log_scale: bool
    """Scores span decades: compare and draw them as log10."""
    facts: tuple[tuple[str, str], ...]
    """Rows of a small table: model, loss, sizes, batch, steps, …"""
    notes: tuple[str, ...]
    """Sentences on what was done to the data or assumed about the function."""
    test_metric: str = ""
    """What the test column shows (``test error``); empty when the problem has no test data."""
    checkpoints: int = 0
    """After how many counts of evaluations a run is measured; the race fills it in."""

    @property
    def score(self) -> str:
        """What the score of a run is: ``best validation log loss at 44 checkpoints``."""
        return (
            f"best {self.metric} at {self.checkpoints} checkpoints"
            if self.checkpoints
            else self.metric
        )

    @property
    def short_score(self) -> str:
        """The same for the head of a column: ``best val. log loss``."""
        short = self.metric.replace("validation", "val.")
        return f"best {short}" if self.checkpoints else short


@dataclass(frozen=True)
class Standing:
    """One row of the standings; its scores are on the comparison scale (log10 where scores span decades)."""

    entry: str
    group: int
    """Tie group, 1 is best: members are not separable from their group's leader."""
    trial: int
    """The tuning trial that was selected; 1 is the documented default."""
    settings: dict[str, float]
    text: str
    """The tuned entry as text that ``read_entry`` of ``descend.lab.entries`` reads."""
    mean: float
    """Mean score over the fresh seeds; failures at the tail (inf)."""
    median: float
    """Over the fresh seeds, as are the quartiles."""
    quartiles: tuple[float, float]
    last: float
    """Median over the fresh seeds of the score at the end of the budget, not at the best checkpoint."""
    difference: float
    """Mean paired difference to the leader (0 for the leader)."""
    interval: tuple[float, float]
    """BCa 95 % interval of ``difference``, adjusted for nothing; nan below 6 seeds."""
    p_value: float
    """Adjusted for all comparisons and for picking the leader on the same seeds (max-T); nan for one seed."""
    failures: int
    """Fresh seeds that diverged, timed out or failed."""
    tuning_failures: int
    seeds: int
    default_score: float
    """Median over the same fresh seeds of trial 1, the documented default (no tuning)."""
    tuned_score: float
    """Mean score of the selected trial over the tuning seeds, by which it was selected."""
    test: float
    """Median test score over the fresh seeds; nan without test data."""
    at_edge: tuple[str, ...]
    """Hyperparameters whose best value lies within 10 % of an edge of the space."""


@dataclass(frozen=True)
class RaceResult:
    """Everything that the standings, the report and ``--json`` show."""

    race_id: int
    problem: ProblemCard
    standings: tuple[Standing, ...]
    runs: tuple[Run, ...]
    tuned: dict[str, tuple[str, ...]]
    """Per entry, the hyperparameters that were tuned."""
    space: dict[str, dict[str, tuple[float, float]]]
    """Per entry and hyperparameter, the interval searched (log-uniform)."""
    plan: dict[str, Any]
    """budget, seeds, seed, steps, entries, space version: enough to plan the same race again."""
    manifest: dict[str, Any]
    """Versions, hardware, hashes of code and data."""
    cannot_conclude: tuple[str, ...]
    """Sentences on what this race leaves open, with what would settle it."""
    reproduce: str
    """The command that runs this race again."""
    seconds: float = field(default=0.0, compare=False)
    """Wall-clock time of the whole race, compilation apart."""
    compile_seconds: float = field(default=0.0, compare=False)

    def fresh(self, row: Standing) -> list[Run]:
        """The runs of a row's selected trial on the fresh seeds."""
        wanted = (row.entry, "fresh", row.trial)
        return [r for r in self.runs if (r.key.entry, r.key.phase, r.key.trial) == wanted]
