"""Problems that minimise a plain function: starts are redrawn for every seed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from descend.lab.contract import EvaluationFailed, Instance, Problem, Vector
from descend.lab.functions import TestFunction
from descend.lab.records import ProblemCard

FUNCTION_STEPS = 500
TUNING_STARTS = 3
ROUNDING = 1e-14
"""Values closer to f* than this, relative to ``max(1, |f*|)``, differ by rounding alone."""

_DRAWS = 20


class Objective(Protocol):
    """A function with its gradient: a ``TestFunction`` or a ``UserFunction``."""

    @property
    def name(self) -> str: ...
    @property
    def n(self) -> int: ...
    def value(self, x: Vector) -> float: ...
    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]: ...
    def identity(self) -> str: ...


@dataclass(frozen=True)
class Starts:
    """Where runs start: uniformly between ``low`` and ``high``, one number per coordinate.

    ``centre`` is the user's own start, to which a draw falls back where f is no number.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    centre: tuple[float, ...] | None = None

    @property
    def fixed(self) -> bool:
        """Whether every seed has the same start."""
        return self.low == self.high

    def draw(self, seed: int, objective: Objective) -> Vector:
        """Return the start of one seed: the first of some draws where f is finite."""
        rng = np.random.default_rng(seed)
        low, high = np.array(self.low), np.array(self.high)
        if self.centre is None:
            return rng.uniform(low, high)
        draws = (rng.uniform(low, high) for _ in range(_DRAWS))
        usable = (x for x in draws if _is_finite(objective, x))
        return next(usable, np.array(self.centre))

    @classmethod
    def around(cls, x0: Vector, perturb: float) -> Starts:
        """Starts within ``perturb`` times |x0|, coordinate by coordinate; times 1 where x0 is 0."""
        reach = perturb * np.where(x0 == 0, 1.0, np.abs(x0))
        low, high = (x0 - reach).tolist(), (x0 + reach).tolist()
        return cls(tuple(low), tuple(high), tuple(x0.tolist()))


def _is_finite(objective: Objective, x: Vector) -> bool:
    try:
        return bool(np.isfinite(objective.value(x)))
    except EvaluationFailed:
        return False


class FunctionInstance(Instance):
    """A function and one start."""

    def __init__(self, objective: Objective, start: Vector, minimum: float | None) -> None:
        self.evaluations = 0
        self._objective = objective
        self._start = start
        self._minimum = minimum

    @property
    def x0(self) -> Vector:
        return self._start.copy()

    def gradient(self, x: Vector) -> tuple[float, Vector]:
        self.evaluations += 1
        return self._objective.value_and_gradient(x)

    def score(self, x: Vector) -> float:
        value = self._objective.value(x)
        if self._minimum is None:
            return value
        floor = ROUNDING * max(1.0, abs(self._minimum))
        gap = value - self._minimum
        if gap < -floor:
            raise EvaluationFailed(
                f"f fell below its stated minimum {self._minimum:.10g}: it was {value:.10g} at"
                f" x = {_point(x.tolist())}."
            )
        return max(gap, floor)  # in this order: nan stays nan


@dataclass(frozen=True)
class FunctionProblem(Problem):
    """Minimise a function from starts that the seed draws.

    Scores are f(x) − f* where f* is known, and not below rounding, so that their logarithms are
    finite; otherwise f(x).
    """

    objective: Objective
    starts: Starts
    minimum: float | None = None
    title: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    steps: int = FUNCTION_STEPS
    steady: bool = True
    """Whether f gives the same value for the same x."""

    @classmethod
    def of(cls, function: TestFunction, steps: int = FUNCTION_STEPS) -> FunctionProblem:
        """Return the problem of a test function, with starts in its box."""
        low, high = ((edge,) * function.n for edge in function.box)
        facts = (("f(x)", function.formula), ("f*", f"{function.minimum:g}"))
        title = function.name.partition(":")[0].replace("_", " ")
        notes = (f"The function is from: {function.source}.",)
        return cls(function, Starts(low, high), function.minimum, title, facts, notes, steps)

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.objective.name

    @property
    def tuning_seeds(self) -> int:  # type: ignore[override]
        return 1 if self.fixed else TUNING_STARTS

    @property
    def fixed(self) -> bool:  # type: ignore[override]
        return self.starts.fixed and self.steady

    def card(self) -> ProblemCard:
        known = self.minimum is not None
        facts = (
            *self.facts,
            ("dimension n", str(self.objective.n)),
            ("starts", self._starts_in_words()),
            ("gradient evaluations per run", str(self.steps)),
        )
        return ProblemCard(
            name=self.name,
            title=self.title or self.name,
            metric="f(x) − f*" if known else "f(x)",
            log_scale=known,
            facts=facts,
            notes=(*self.notes, *self._assumptions()),
        )

    def fingerprint(self) -> str:
        words = f"function {self.objective.identity()} {self.starts} {self.minimum!r}"
        return hashlib.sha256(words.encode()).hexdigest()

    def open(self, seed: int) -> FunctionInstance:
        start = self.starts.draw(seed, self.objective)
        return FunctionInstance(self.objective, start, self.minimum)

    def _starts_in_words(self) -> str:
        if self.starts.fixed:
            return f"always {_point(self.starts.low)}"
        if len(set(self.starts.low)) == len(set(self.starts.high)) == 1:
            return f"uniform, every coordinate in [{self.starts.low[0]:g}, {self.starts.high[0]:g}]"
        return f"uniform between {_point(self.starts.low)} and {_point(self.starts.high)}"

    def _assumptions(self) -> tuple[str, ...]:
        said = []
        if self.minimum is not None:
            floor = ROUNDING * max(1.0, abs(self.minimum))
            said.append(f"Scores below {floor:g} are counted as {floor:g}: they are rounding.")
        if self.fixed:
            said.append(
                "Every seed starts at the same x0: seeds differ in nothing, and the race has one"
                " sample of each optimizer."
            )
        return tuple(said)


def _point(coordinates: Sequence[float]) -> str:
    shown = ", ".join(f"{c:.4g}" for c in coordinates[:4])
    return f"({shown}, …)" if len(coordinates) > 4 else f"({shown})"
