"""The race: tune every entry with the same budget, judge it on fresh paired seeds, say what can be said.

The order of work is fixed by the plan, the order in which results come is not, and nothing depends on it.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from descend._stepper import Stepper
from descend.lab.conclusion import Evidence, compare, leave_open, select_all, stand
from descend.lab.contract import Problem
from descend.lab.entries import Entry
from descend.lab.manifest import manifest
from descend.lab.plan import LEAST_TIMEOUT, TIMEOUT_FACTOR, Field, Plan, describe, spec_hash
from descend.lab.pool import Pool, default_jobs
from descend.lab.records import Phase, RaceResult, Run, RunKey
from descend.lab.store import Store
from descend.lab.trial import Task, checkpoints


class RaceInterrupted(KeyboardInterrupt):
    """A race was stopped from outside; its finished runs are in the store."""

    def __init__(self, race_id: int, resume: str) -> None:
        super().__init__(f"race {race_id} was interrupted; its finished runs are kept.")
        self.race_id = race_id
        self.resume = resume


class Progress(Protocol):
    """Who wants to know how a race goes on."""

    def say(self, sentence: str) -> None: ...
    def begin(self, phase: Phase, runs: int, done: int) -> None: ...
    def advance(self, run: Run) -> None: ...


class Silence:
    """Progress that nobody watches."""

    def say(self, sentence: str) -> None:
        """Nothing."""

    def begin(self, phase: Phase, runs: int, done: int) -> None:
        """Nothing."""

    def advance(self, run: Run) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Order:
    """What is to be raced, and how."""

    problem: Problem
    entries: tuple[Entry, ...]
    plan: Plan
    jobs: int = 1
    resume: bool = False
    time_limit: float | None = None
    reproduce: Callable[[Plan], str] = field(default=lambda _: "")
    """The command that runs the race of this plan again."""


def run_race(
    order: Order, db: str | os.PathLike[str], progress: Progress | None = None
) -> RaceResult:
    """Run a race and keep it in the run store ``db``, which is not touched before its first run.

    Raises
    ------
    DescendError
        If the problem or an entry cannot be run at all; runs that fail are results, not errors.
    RaceInterrupted
        By Ctrl-C, once the race is in the store.
    """
    progress = progress or Silence()
    started = time.perf_counter()
    order = _as_fixed(order, progress)
    drawn = Field.draw(order.entries, order.plan)
    compiling = _compile(drawn, order.problem.steps)
    race: _Race | None = None
    try:
        with Pool(order.problem, order.jobs) as pool:
            first = drawn.tuning_tasks(order.problem, replace(order.plan, budget=1), math.inf)
            run_seconds = pool.seconds_per_run(first[:: order.problem.tuning_seeds])
            plan = _fit(order, run_seconds, progress)
            drawn = Field.draw(order.entries, plan)
            progress.say(_estimate(order, plan, drawn, run_seconds))
            timeout = _timeout(run_seconds, order.jobs)
            with Store(db) as store:
                race = _Race(order, plan, drawn, timeout, store, pool, progress)
                result = race.run(started, compiling)
                store.finish_race(result.race_id, result)
            race = None  # done: there is nothing to resume
    except KeyboardInterrupt:
        if race is None:
            raise
        raise RaceInterrupted(race.race_id, race.reproduce) from None
    return result


def _as_fixed(order: Order, progress: Progress) -> Order:
    """One fresh seed where all are the same: more would be copies, and look like certainty."""
    if not order.problem.fixed or order.plan.seeds == 1:
        return order
    progress.say("Every seed opens the very same problem: one fresh seed is run.")
    return replace(order, plan=replace(order.plan, seeds=1))


def _timeout(run_seconds: float, jobs: int) -> float:
    """Workers that share a processor are slower, and that must not stop a run."""
    crowding = max(1.0, jobs / default_jobs())
    return crowding * max(LEAST_TIMEOUT, TIMEOUT_FACTOR * run_seconds)


def _compile(drawn: Field, steps: int) -> float:
    """Compile every kernel before the clock of any run starts; the seconds it took."""
    started = time.perf_counter()
    for entry in drawn.entries:
        Stepper(entry.build({}, steps), np.zeros(1), threads=1)
    return time.perf_counter() - started


def _fit(order: Order, run_seconds: float, progress: Progress) -> Plan:
    if order.time_limit is None:
        return order.plan
    size = len(order.entries), order.problem.tuning_seeds, order.jobs
    plan = order.plan.within(order.time_limit, run_seconds, *size)
    if plan != order.plan:
        progress.say(
            f"To fit {order.time_limit:g} s, every entry gets {plan.budget} trials and {plan.seeds} seeds."
        )
    return plan


def _estimate(order: Order, plan: Plan, drawn: Field, run_seconds: float) -> str:
    tuning = sum(len(t) for t in drawn.trials.values()) * order.problem.tuning_seeds
    # the default again beside the selected trial, wherever that may be another one
    runs = tuning + plan.seeds * sum(min(len(t), 2) for t in drawn.trials.values())
    seconds = runs * run_seconds / order.jobs
    length = f"{max(seconds, 1):.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    entries = len(drawn.entries)
    return (
        f"{entries} {'entry' if entries == 1 else 'entries'}, {runs} runs of "
        f"{order.problem.steps} gradient evaluations ({tuning} to tune, up to {runs - tuning} on "
        f"fresh seeds): about {length} with {order.jobs} worker{'s' if order.jobs > 1 else ''}."
    )


class _Race:
    """One race on its way: its store, its workers, its finished runs."""

    def __init__(
        self,
        order: Order,
        plan: Plan,
        drawn: Field,
        timeout: float,
        store: Store,
        pool: Pool,
        progress: Progress,
    ) -> None:
        self.problem, self.plan, self.drawn, self.timeout = order.problem, plan, drawn, timeout
        self.store, self.pool, self.progress = store, pool, progress
        self.jobs = order.jobs
        self.reproduce = order.reproduce(plan)
        measured = len(checkpoints(self.problem.steps))
        self.card = replace(self.problem.card(), checkpoints=measured)
        self.described = describe(self.problem, plan, drawn)
        self.manifest = manifest(self.problem.fingerprint(), order.jobs)
        self.runs: dict[RunKey, Run] = {}
        self.race_id = self._enter(order.resume)

    def _enter(self, resume: bool) -> int:
        key = spec_hash(self.problem, self.drawn, self.described)
        before = self.store.find_resumable(key) if resume else None
        if before is not None:
            self.runs = {run.key: run for run in self.store.resume_race(before)}
            self.progress.say(f"Race {before} goes on: {len(self.runs)} runs are done.")
            return before
        if resume:
            self.progress.say("The store has no unfinished race with this plan; a new one starts.")
        return self.store.begin_race(
            self.problem.name, self.card, self.described, self.manifest, key
        )

    def run(self, started: float, compiling: float) -> RaceResult:
        tuning = self.drawn.tuning_tasks(self.problem, self.plan, self.timeout)
        self._do("tune", tuning)
        evidence = Evidence(self.card, self.plan, self.drawn, self.problem.tuning_seeds, self.runs)
        selected = select_all(evidence)
        fresh = self.drawn.fresh_tasks(self.problem, self.plan, selected, self.timeout)
        self._do("fresh", fresh)
        rows = compare(evidence, selected)
        table = tuple(stand(evidence, row, selected[row.entry]) for row in rows)
        per_seed = sum(self.runs[t.key].seconds for t in fresh) / self.plan.seeds / self.jobs
        return RaceResult(
            race_id=self.race_id,
            problem=self.card,
            standings=table,
            runs=tuple(self.runs[task.key] for task in (*tuning, *fresh)),
            tuned=self.drawn.names,
            space={
                label: {name: (span.low, span.high) for name, span in ranges.items()}
                for label, ranges in self.drawn.ranges.items()
            },
            plan=self.described,
            manifest=self.manifest,
            cannot_conclude=leave_open(rows, table, self.plan.budget, per_seed, self.problem.fixed),
            reproduce=self.reproduce,
            seconds=time.perf_counter() - started - compiling,
            compile_seconds=compiling,
        )

    def _do(self, phase: Phase, tasks: list[Task]) -> None:
        missing = [task for task in tasks if task.key not in self.runs]
        self.progress.begin(phase, len(tasks), len(tasks) - len(missing))
        for run in self.pool.run(missing):
            self.runs[run.key] = run
            self.store.add_run(self.race_id, run)
            self.progress.advance(run)
