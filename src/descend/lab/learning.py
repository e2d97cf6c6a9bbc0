"""Problems that train a model on rows of data, by mini-batches."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.data import Dataset
from descend.errors import ProblemError
from descend.lab.contract import Instance, Problem, Vector
from descend.lab.records import ProblemCard
from descend.losses import Loss, get_loss, list_losses
from descend.models import Network, get_model

Rows = tuple[NDArray[np.float64], NDArray[Any]]
"""Features of shape (n, d) and targets of shape (n,)."""

BATCH_SIZE = 32
EPOCHS = 20
FEWEST_STEPS, MOST_STEPS = 200, 2000
TUNING_SEEDS = 3
PARTS = 4
"""One part in so many of the rows that are not test rows is for validation."""


@dataclass(frozen=True, eq=False)
class LearningProblem(Problem):
    """Train ``model`` on ``dataset``; the seed draws the split, the first x and the batches.

    Parameters
    ----------
    dataset : Dataset
    model : str
        Text that ``get_model`` reads.
    loss : str
        Name that ``get_loss`` knows, for the task of the data.
    batch_size : int, default 32
    steps : int, optional
        Gradient evaluations per run; 20 epochs unless given, between 200 and 2000.
    notes : tuple of str
        Sentences beside those of the data set.

    Raises
    ------
    ProblemError
        Loss, model and data do not go together.
    """

    dataset: Dataset
    model: str
    loss: str
    batch_size: int = BATCH_SIZE
    steps: int = 0
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_rows(self.dataset)
        _check_loss(self.dataset, get_loss(self.loss))
        self._network()
        if self.batch_size < 1:
            raise ProblemError(
                f"batch size of {self.name} must be at least 1; got {self.batch_size}."
            )
        if not self.steps:
            wanted = min(max(EPOCHS * self._batches(), FEWEST_STEPS), MOST_STEPS)
            object.__setattr__(self, "steps", wanted)

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.dataset.name

    @property
    def tuning_seeds(self) -> int:  # type: ignore[override]
        return TUNING_SEEDS

    def card(self) -> ProblemCard:
        classes = self.dataset.task == "classification"
        test_metric = "test error" if classes else "test RMSE"
        return ProblemCard(
            name=self.name,
            title=f"{self.name}: {self.model} on {self.dataset.target}",
            metric=f"validation {self.loss} loss",
            log_scale=False,
            facts=self._facts(),
            notes=(*self.dataset.notes, *self.notes, *_assumptions(classes)),
            test_metric=test_metric if len(self.dataset.y_test) else "",
        )

    def fingerprint(self) -> str:
        data = self.dataset
        # rounded: standardised numbers may differ in the last bit from machine to machine
        rows = np.column_stack([data.X_test, data.y_test])
        held_back = hashlib.sha256((np.round(rows, 4) + 0.0).tobytes())
        words = (
            f"learning {data.sha256} {held_back.hexdigest()} {data.X.shape} {data.target}"
            f" {data.task} {self.model} {self.loss} {self.batch_size} {PARTS}"
        )
        return hashlib.sha256(words.encode()).hexdigest()

    def open(self, seed: int) -> LearningInstance:
        split, first, batches = np.random.SeedSequence(seed).spawn(3)
        train, validation = _split(self.dataset, np.random.default_rng(split))
        network = self._network()
        return LearningInstance(
            network=network,
            loss=get_loss(self.loss),
            x0=network.initial(np.random.default_rng(first)),
            train=_rows(self.dataset, train),
            validation=_rows(self.dataset, validation),
            test=(self.dataset.X_test, self.dataset.y_test),
            batch_size=self.batch_size,
            rng=np.random.default_rng(batches),
        )

    def _network(self) -> Network:
        model = get_model(self.model)
        outputs = model.outputs(get_loss(self.loss), len(self.dataset.classes))
        return model.network(self.dataset.X.shape[1], outputs)

    def _counts(self) -> tuple[int, int]:
        rows = len(self.dataset.y)
        return rows - rows // PARTS, rows // PARTS

    def _batches(self) -> int:
        """Mini-batches in an epoch; the last may be smaller."""
        return math.ceil(self._counts()[0] / self.batch_size)

    def _facts(self) -> tuple[tuple[str, str], ...]:
        data = self.dataset
        train, validation = self._counts()
        epochs = self.steps / self._batches()
        kind = f"{len(data.classes)} classes" if data.classes else "in standard deviations"
        return (
            ("rows", f"{train} to train, {validation} to validate, {len(data.y_test)} to test"),
            ("features", str(data.X.shape[1])),
            ("target", f"{data.target}, {kind}"),
            ("model", self.model),
            ("parameters", str(self._network().size)),
            ("loss", self.loss),
            ("batch size", str(min(self.batch_size, train))),
            ("gradient evaluations per run", f"{self.steps} ({epochs:.3g} epochs)"),
        )


class LearningInstance(Instance):
    """One split, one first x and one order of batches."""

    def __init__(
        self,
        *,
        network: Network,
        loss: Loss,
        x0: Vector,
        train: Rows,
        validation: Rows,
        test: Rows,
        batch_size: int,
        rng: np.random.Generator,
    ) -> None:
        self.evaluations = 0
        self._network = network
        self._loss = loss
        self._x0 = x0
        self._train = train
        self._validation = validation
        self._test = test
        self._batch_size = batch_size
        self._rng = rng
        self._order = np.arange(0)
        self._at = 0

    @property
    def x0(self) -> Vector:
        return self._x0.copy()

    def gradient(self, x: Vector) -> tuple[float, Vector]:
        X, y = self._next_batch()
        self.evaluations += 1
        return self._network.value_and_gradient(x, X, y, self._loss)

    def score(self, x: Vector) -> float:
        X, y = self._validation
        return self._loss.value(self._network.scores(x, X), y)

    def test(self, x: Vector) -> float:
        X, y = self._test
        scores = self._network.scores(x, X)
        if not len(y) or not np.isfinite(scores).all():
            return float("nan")
        if self._loss.task == "regression":
            return float(np.sqrt(np.mean((scores[:, 0] - y) ** 2)))
        classes = scores[:, 0] > 0 if scores.shape[1] == 1 else scores.argmax(axis=1)
        return float(np.mean(classes != y))

    def _next_batch(self) -> Rows:
        X, y = self._train
        if self._batch_size >= len(y):
            return X, y
        if self._at >= self._order.size:
            self._order = self._rng.permutation(len(y))
            self._at = 0
        rows = self._order[self._at : self._at + self._batch_size]
        self._at += self._batch_size
        return X.take(rows, axis=0), y.take(rows)


def _split(data: Dataset, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw the training and validation rows; of every class a quarter, up to one row."""
    order = rng.permutation(len(data.y))
    if data.task == "classification":  # class after class, shuffled within each
        order = order[np.argsort(data.y[order], kind="stable")]
    chosen = np.arange(len(order)) % PARTS == PARTS - 1
    return order[~chosen], order[chosen]


def _rows(data: Dataset, rows: NDArray[np.intp]) -> Rows:
    return data.X.take(rows, axis=0), data.y.take(rows)


def _check_rows(data: Dataset) -> None:
    if len(data.y) < PARTS:
        raise ProblemError(
            f"{data.name} must have at least {PARTS} rows besides the test rows; got {len(data.y)}."
        )


def _check_loss(data: Dataset, loss: Loss) -> None:
    if loss.task != data.task:
        fitting = [name for name in list_losses() if get_loss(name).task == data.task]
        raise ProblemError(
            f"loss of {data.name} must be one for a {data.task} ({', '.join(fitting)});"
            f" got {loss.name}, which is for a {loss.task}."
        )


def _assumptions(classes: bool) -> tuple[str, ...]:
    alike = ", the same share of every class" if classes else ""
    return (
        f"A quarter of the rows that are not test rows validates{alike}; every seed draws it anew.",
        "The seed also draws the first parameters and the batches, equal for every optimizer.",
    )
