"""The plan of a race: who runs what, how often, from which seeds. Equal plans give equal races."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from descend._chain import Update
from descend.errors import ProblemError
from descend.lab.contract import Problem
from descend.lab.entries import Entry
from descend.lab.identity import identity
from descend.lab.manifest import versions
from descend.lab.records import Phase, RunKey
from descend.lab.space import (
    SearchInterval,
    intervals,
    sobol_points,
    space_version,
    trial_settings,
    tuned_names,
)
from descend.lab.trial import Task, checkpoints

_STREAM = {"tune": 0, "fresh": 1}
_LIMITS = {"budget": (1, 4096), "seeds": (1, 4096), "seed": (0, 2**63 - 1), "extend": (0, 10)}
TIMEOUT_FACTOR = 30.0
LEAST_TIMEOUT = 60.0
"""A run may take so many times its estimate, and at least so many seconds, before it is stopped."""


@dataclass(frozen=True)
class Plan:
    """Numbers that, with the problem and the entries, fix every run of a race."""

    budget: int = 16
    """Trials per entry; the first is the documented default."""
    seeds: int = 10
    """Fresh seeds on which each tuned entry is judged."""
    seed: int = 0
    extend: int = 0
    """Decades added to every interval at both ends, for all entries alike."""

    def __post_init__(self) -> None:
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not (whole and least <= value <= most):
                raise ProblemError(
                    f"{name} of a race must be an int from {least} to {most}; got {value!r}."
                )
            object.__setattr__(self, name, int(value))

    def seed_of(self, phase: Phase, index: int) -> int:
        """The ``index``-th seed of a phase; tuning and fresh seeds come from separate streams."""
        sequence = np.random.SeedSequence((self.seed, _STREAM[phase], index))
        return int(sequence.generate_state(1)[0])

    def fresh_seeds(self) -> list[int]:
        return [self.seed_of("fresh", i) for i in range(self.seeds)]

    def within(
        self, seconds: float, run_seconds: float, entries: int, tuning_seeds: int, jobs: int
    ) -> Plan:
        """The largest plan of this shape whose estimate fits ``seconds``; budget and seeds shrink for all alike."""
        for percent in range(100, 0, -1):
            smaller = replace(
                self,
                budget=max(self.budget * percent // 100, min(self.budget, 2)),
                seeds=max(self.seeds * percent // 100, min(self.seeds, 2)),
            )
            if smaller.runs(entries, tuning_seeds) * run_seconds / jobs <= seconds:
                break
        return smaller

    def runs(self, entries: int, tuning_seeds: int) -> int:
        """Runs of the whole race, when tuning finds something better than the default for every entry."""
        judged = 2 if self.budget > 1 else 1
        return entries * (self.budget * tuning_seeds + judged * self.seeds)


@dataclass(frozen=True)
class Field:
    """The entries of a race with their trials: what was tuned, where, and each trial's settings."""

    entries: tuple[Entry, ...]
    names: dict[str, tuple[str, ...]]
    ranges: dict[str, dict[str, SearchInterval]]
    trials: dict[str, list[dict[str, float]]]

    @classmethod
    def draw(cls, entries: tuple[Entry, ...], plan: Plan) -> Field:
        """The trials of every entry, from points of the unit cube that all of them share."""
        points = sobol_points(plan.budget - 1, plan.seed)
        names = {e.label: tuned_names(e.defaults, plan.budget) for e in entries}
        ranges = {
            e.label: intervals(e.defaults, e.domains, names[e.label], plan.extend) for e in entries
        }
        trials = {}
        for e in entries:
            every = trial_settings(e.defaults, e.domains, names[e.label], points, plan.extend)
            # with nothing to tune, every trial would repeat the first
            trials[e.label] = every if names[e.label] else every[:1]
        return cls(entries, names, ranges, trials)

    def tuning_tasks(self, problem: Problem, plan: Plan, timeout: float) -> list[Task]:
        seeds = [plan.seed_of("tune", i) for i in range(problem.tuning_seeds)]
        return [
            _task(entry, "tune", trial, settings, seed, problem, timeout)
            for trial in range(plan.budget)
            for entry in self.entries
            for settings in self.trials[entry.label][trial : trial + 1]
            for seed in seeds
        ]

    def fresh_tasks(
        self, problem: Problem, plan: Plan, selected: dict[str, int], timeout: float
    ) -> list[Task]:
        """The selected trial of every entry on the fresh seeds, and beside it the documented default."""
        return [
            _task(e, "fresh", trial, self.trials[e.label][trial], seed, problem, timeout)
            for seed in plan.fresh_seeds()
            for e in self.entries
            for trial in sorted({0, selected[e.label]})
        ]


def _task(
    entry: Entry,
    phase: Phase,
    trial: int,
    settings: dict[str, float],
    seed: int,
    problem: Problem,
    timeout: float,
) -> Task:
    key = RunKey(entry.label, phase, trial + 1, seed)
    update = entry.build(settings, problem.steps)
    return Task(key, update, settings, problem.steps, phase == "fresh", timeout)


def describe(problem: Problem, plan: Plan, field: Field) -> dict[str, Any]:
    """The plan as plain values: stored with the race, printed in the report, hashed for resuming."""
    described = {
        **asdict(plan),
        "steps": problem.steps,
        "checkpoints": len(checkpoints(problem.steps)),
        "tuning_seeds": problem.tuning_seeds,
        "entries": {e.label: e.text({}) for e in field.entries},
        "updates": {e.label: repr(e.update) for e in field.entries},
        "defaults": {e.label: e.defaults for e in field.entries},
        "held": {e.label: {k: repr(v) for k, v in e.held.items()} for e in field.entries},
        "space_version": space_version(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(described, sort_keys=True))
    return plain  # in the order in which the store gives it back


def spec_hash(problem: Problem, field: Field, described: dict[str, Any]) -> str:
    """Equal for races that would do the same runs: the same code on the same versions."""
    code = {e.label: identity(*_parts(e.update)) for e in field.entries}
    what = [versions(), problem.name, problem.fingerprint(), described, code]
    text = re.sub(r" at 0x[0-9a-f]+", "", json.dumps(what, sort_keys=True))  # of a lambda's repr
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(update: Update) -> Iterator[Any]:
    """The rules, and the schedules."""
    for link in update.links:
        yield link.rule
        yield from (value for _, value in link.given if callable(value))
