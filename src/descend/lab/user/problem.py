"""A ``Problem`` written by the user: checked once, then run with its errors turned to causes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from descend.errors import ProblemError
from descend.lab.contract import EvaluationFailed, Instance, Problem, Vector
from descend.lab.deadline import within_limit
from descend.lab.records import ProblemCard
from descend.lab.user import file as user_file
from descend.lab.user.file import Origin
from descend.lab.user.values import what_is

T = TypeVar("T")


class FileInstance(Instance):
    """An instance whose exceptions are ``EvaluationFailed``."""

    def __init__(self, inner: Instance, origin: Origin) -> None:
        self.evaluations = 0
        self._inner = inner
        self._origin = origin

    @property
    def x0(self) -> Vector:
        return np.array(self._inner.x0, dtype=np.float64)

    def gradient(self, x: Vector) -> tuple[float, Vector]:
        self.evaluations += 1
        return self._guarded("gradient", lambda: self._inner.gradient(x))

    def score(self, x: Vector) -> float:
        return self._guarded("score", lambda: float(self._inner.score(x)))

    def test(self, x: Vector) -> float:
        return self._guarded("test", lambda: float(self._inner.test(x)))

    def _guarded(self, what: str, action: Callable[[], T]) -> T:
        owner = f"{what} of {self._origin.name} in {self._origin.file}"
        return user_file.guarded(owner, action, self._origin.path, EvaluationFailed)


@dataclass(frozen=True, eq=False)
class FileProblem(Problem):
    """The problem that a user's file holds; worker processes run the file again."""

    name: str
    inner: Problem
    origin: Origin
    own_steps: int | None = None
    """Steps instead of the problem's own."""

    @property
    def steps(self) -> int:  # type: ignore[override]
        return self.own_steps or self.inner.steps

    @property
    def tuning_seeds(self) -> int:  # type: ignore[override]
        return self.inner.tuning_seeds

    @property
    def fixed(self) -> bool:  # type: ignore[override]
        return self.inner.fixed

    def card(self) -> ProblemCard:
        return self.inner.card()

    def fingerprint(self) -> str:
        words = f"file {self.origin.sha256} {self.origin.name} {self.inner.fingerprint()}"
        return hashlib.sha256(words.encode()).hexdigest()

    def open(self, seed: int) -> FileInstance:
        owner = f"open of {self.origin.name} in {self.origin.file}"
        inner = user_file.guarded(
            owner, lambda: self.inner.open(seed), self.origin.path, EvaluationFailed
        )
        return FileInstance(inner, self.origin)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reload, (self.name, self.origin, self.own_steps)


def check_problem(problem: Problem, owner: str, path: str) -> None:
    """Open ``problem`` once and look at everything that a race will ask it for.

    Raises
    ------
    ProblemError
        Something is missing, raises, or is of the wrong kind.
    """
    ask = _Asking(owner, path)
    ask("card()", "a ProblemCard", problem.card, ProblemCard)
    ask("fingerprint()", "text", problem.fingerprint, str)
    for what in ("steps", "tuning_seeds"):
        value = ask(what, "an integer", partial(getattr, problem, what), int)
        if value < 1:
            raise ProblemError(f"{what} of {owner} must be at least 1; got {value}.")
    instance = ask("open(0)", "an Instance", lambda: problem.open(0), Instance)
    x0 = ask("x0", "an array", lambda: instance.x0, np.ndarray)
    if x0.dtype != np.float64 or x0.ndim != 1 or x0.size == 0:
        raise ProblemError(
            f"x0 of {owner} must be a float64 array of shape (n,); got {x0.dtype}, {x0.shape}."
        )
    pair = ask("gradient(x0)", "a pair (f, g)", lambda: instance.gradient(x0.copy()), tuple)
    g = pair[1] if len(pair) == 2 else None
    if not isinstance(g, np.ndarray) or g.shape != x0.shape:
        raise ProblemError(
            f"gradient(x0) of {owner} must return f and an array of shape {x0.shape};"
            f" got {what_is(g)}."
        )
    ask("score(x0)", "a number", lambda: instance.score(x0.copy()), (int, float, np.floating))


@dataclass(frozen=True)
class _Asking:
    owner: str
    path: str

    def __call__(self, what: str, expected: str, action: Callable[[], Any], kind: Any) -> Any:
        owner = f"{what} of {self.owner}"
        answer = within_limit(
            owner, lambda: user_file.guarded(owner, action, self.path, ProblemError)
        )
        if not isinstance(answer, kind) or isinstance(answer, bool):
            raise ProblemError(f"{what} of {self.owner} must be {expected}; got {what_is(answer)}.")
        return answer


def _reload(name: str, origin: Origin, steps: int | None) -> FileProblem:
    _, thing = user_file.reload(origin)
    inner = thing if isinstance(thing, Problem) else thing()
    return FileProblem(name, inner, origin, steps)
