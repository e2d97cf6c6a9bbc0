"""Methods that remember the last gradient of every row: SAG and SAGA."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from descend._chain import Update
from descend._rule import Rule, Setting
from descend.errors import ShapeError
from descend.finite_sums._method import Method
from descend.finite_sums._sum import Array, FiniteSum, Rows


@dataclass(frozen=True)
class _News:
    """What a step adds to the table."""

    rows: Rows
    slopes: Array
    table: Array
    mean: Array


class _Tabled(Method):
    """A method with a table: of a gradient per row, or of slopes where the finite sum has `Residuals`."""

    def __init__(
        self,
        finite_sum: FiniteSum,
        x: Array,
        *,
        lr: Setting | None = None,
        rule: Rule | Update | None = None,
        batch_size: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(finite_sum, x, lr=lr, rule=rule, batch_size=batch_size, seed=seed)

    def _settings(self) -> dict[str, Any]:
        return {}

    def _advance(self) -> tuple[Array, _News]:
        rows = self._draw()
        slopes = self._slopes(rows)
        memory = self._memory or self._begin(slopes)
        change = self._combined(slopes - memory["table"][rows], rows)
        mean = np.asarray(memory["mean"] + change * (len(rows) / self.finite_sum.n))
        direction = self._direction(change, memory["mean"], mean)
        return direction, _News(rows, slopes, memory["table"], mean)

    @abstractmethod
    def _begin(self, slopes: Array) -> dict[str, Array]:
        """The table and its mean before the first step, which has found these ``slopes``."""

    @abstractmethod
    def _direction(self, change: Array, before: Array, mean: Array) -> Array:
        """The direction, from the rows' mean change and the table's mean before and after it."""

    def _keep(self, memory: _News) -> None:  # type: ignore[override]
        memory.table[memory.rows] = memory.slopes
        mean, n = memory.mean, self.finite_sum.n
        if self.t % n == 0:  # taken anew, so that no rounding adds up
            mean = self._combined(memory.table, np.arange(n))
        self._memory = {"table": memory.table, "mean": mean}

    def _slopes(self, rows: Rows) -> Array:
        """What the table keeps of these rows at x, one entry each."""
        residuals = self.finite_sum.residuals
        if residuals is None:
            return np.stack([self._gradient(self._given, row) for row in rows[:, None]])
        self.evaluations += len(rows)
        given = np.array(residuals.slopes(self._given, rows), dtype=self.x.dtype)
        if given.ndim != 2 or len(given) != len(rows):
            raise ShapeError(
                f"slopes of the finite sum of {self.name} must have shape ({len(rows)}, k); got {given.shape}."
            )
        return given

    def _combined(self, slopes: Array, rows: Rows) -> Array:
        """The mean gradient that slopes of these rows make."""
        residuals = self.finite_sum.residuals
        if residuals is None:
            return np.asarray(slopes.mean(axis=0))
        return np.asarray(residuals.gradient(slopes, rows), dtype=self.x.dtype).reshape(
            self.x.shape
        )


class SAG(_Tabled):
    """Stochastic average gradient: ``yᵢ ← ∇fᵢ(x)`` for the rows drawn, then ``d = (1/n) Σ yᵢ`` over all rows.

    Parameters
    ----------
    finite_sum, x, lr, rule, batch_size, seed : as of `SVRG`

    Attributes
    ----------
    x, t, solution : as of `SVRG`
    state : dict of ``table`` (y: a gradient per row, shape (n, …), or n × k slopes where the finite sum has `Residuals`), ``mean`` (d) and
        ``rule``
    evaluations : int, gradients of rows evaluated so far: one per row of a step, no full pass

    Notes
    -----
    The table starts at 0 and d is divided by n from the first step, so the first steps are short. d is biased; `SAGA`'s is not.

    References
    ----------
    Schmidt, Le Roux, Bach, "Minimizing finite sums with the stochastic average gradient", 2017, Algorithm 1.
    """

    name: ClassVar[str] = "SAG"

    def _begin(self, slopes: Array) -> dict[str, Array]:
        table = np.zeros((self.finite_sum.n, *slopes.shape[1:]), self.x.dtype)
        return {"table": table, "mean": np.zeros_like(self.x)}

    def _direction(self, change: Array, before: Array, mean: Array) -> Array:  # noqa: ARG002
        return mean


class SAGA(_Tabled):
    """``d = ∇fᵢ(x) − yᵢ + (1/n) Σ yᵢ``, then ``yᵢ ← ∇fᵢ(x)``: SAG without its bias.

    With a rule that ends in a proximal step, such as ``ista``, it is the paper's method for composite functions.

    Parameters
    ----------
    finite_sum, x, lr, rule, batch_size, seed : as of `SVRG`

    Attributes
    ----------
    x, t, solution, state : as of `SAG`
    evaluations : int, gradients of rows evaluated so far: n for the table at the start, one per row of a step

    References
    ----------
    Defazio, Bach, Lacoste-Julien, "SAGA: a fast incremental gradient method with support for non-strongly convex composite objectives",
    2014, eqs. 1-2.
    """

    name: ClassVar[str] = "SAGA"

    def _begin(self, slopes: Array) -> dict[str, Array]:  # noqa: ARG002
        every = np.arange(self.finite_sum.n)
        table = self._slopes(every)
        return {"table": table, "mean": self._combined(table, every)}

    def _direction(self, change: Array, before: Array, mean: Array) -> Array:  # noqa: ARG002
        return change + before
