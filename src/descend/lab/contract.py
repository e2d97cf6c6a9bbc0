"""What a race asks of a problem: a card, a fingerprint, and one instance for each seed."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from descend.errors import ProblemError
from descend.lab.records import ProblemCard

Vector = NDArray[np.float64]


class EvaluationFailed(ProblemError):  # noqa: N818 - the name says what happened to a run
    """The user's function raised, or returned what is no number, in the middle of a run."""


class Instance(ABC):
    """A problem opened with one seed: a start, and gradients in an order that the seed fixes."""

    evaluations: int = 0
    """Calls of ``gradient`` so far."""

    @property
    @abstractmethod
    def x0(self) -> Vector:
        """The start, each time a fresh float64 array of shape (n,)."""

    @abstractmethod
    def gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return the loss at ``x`` and its gradient; counts one and goes on to the next batch.

        Raises
        ------
        EvaluationFailed
            The function cannot be evaluated at ``x``; overflow is no failure but ``inf`` or ``nan``.
        """

    @abstractmethod
    def score(self, x: Vector) -> float:
        """Return the validation score of ``x``, lower is better; not counted."""

    def test(self, x: Vector) -> float:  # noqa: ARG002 - there is nothing to test
        """Return the score of ``x`` on test data; ``nan`` when there is none."""
        return float("nan")


class Problem(ABC):
    """Something to minimise, the same for every optimizer: what a seed opens depends on it alone.

    A problem is sent to worker processes, so it must be picklable, unless it comes from a
    ``file.py:name``: then the workers read the file themselves.
    """

    name: str
    """The text that asked for it, as short as it can be."""
    steps: int = 500
    """Gradient evaluations per run."""
    tuning_seeds: int = 1
    """Seeds over which a trial's score is averaged while tuning."""
    fixed: bool = False
    """Whether every seed opens the very same instance: then one seed shows all there is."""

    @abstractmethod
    def card(self) -> ProblemCard:
        """Return the problem in words."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a hash of code and data: runs are resumed only where it is the same."""

    @abstractmethod
    def open(self, seed: int) -> Instance:
        """Return a fresh instance; equal seeds give equal starts and equal batches."""
