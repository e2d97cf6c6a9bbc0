"""Methods that compare each gradient with one at an earlier point: SVRG, L-SVRG and SARAH."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from descend._chain import Update
from descend._rule import Rule, Setting
from descend.domains import Interval
from descend.finite_sums._method import Method
from descend.finite_sums._sum import Array, FiniteSum

_PROBABILITY = Interval(0.0, 1.0, closed_high=True)


class _Looped(Method):
    """A method that takes a full gradient every ``inner`` steps."""

    def __init__(
        self,
        finite_sum: FiniteSum,
        x: Array,
        *,
        lr: Setting | None = None,
        rule: Rule | Update | None = None,
        batch_size: int = 1,
        inner: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(finite_sum, x, lr=lr, rule=rule, batch_size=batch_size, seed=seed)
        wanted = math.ceil(2 * finite_sum.n / self.batch_size) if inner is None else inner
        self.inner = self._whole("inner", wanted, 1)

    def _settings(self) -> dict[str, Any]:
        return {"inner": self.inner}


class SVRG(_Looped):
    """Stochastic variance reduced gradient: ``d = ∇fᵢ(x) − ∇fᵢ(x̃) + ∇F(x̃)``; every ``inner`` steps ``x̃ ← x``.

    Parameters
    ----------
    finite_sum : FiniteSum
    x : array, float32 or float64, updated in place
    lr : the learning rate of plain steps ``x ← x − lr · d``; or else
    rule : any rule or chain that does without the function's value; it gets d for its gradient
    batch_size : rows per step, drawn without replacement
    inner : steps between snapshots; by default those of two passes over the rows, as the paper suggests for convex functions
    seed : of the rows drawn

    Attributes
    ----------
    x, t, solution : as of `Stepper`
    state : dict of ``snapshot`` (x̃), ``mean`` (∇F(x̃)) and ``rule`` (the rule's own state)
    evaluations : int, gradients of rows evaluated so far: two per row of a step, n per snapshot

    References
    ----------
    Johnson, Zhang, "Accelerating stochastic gradient descent using predictive variance reduction", 2013, Procedure SVRG, option I.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> b = np.array([1.0, 3.0])
    >>> f = dd.FiniteSum(lambda x, rows: np.mean(x - b[rows]), n=2)
    >>> method = dd.SVRG(f, np.array(0.0), lr=0.5)
    >>> method.step()
    >>> float(method.x), method.evaluations
    (1.0, 4)
    """

    name: ClassVar[str] = "SVRG"

    def _advance(self) -> tuple[Array, dict[str, Array]]:
        memory = self._memory
        if self.t % self.inner == 0:
            memory = {"snapshot": self.x.copy(), "mean": self._full()}
        rows = self._draw()
        here, there = self._gradient(self._given, rows), self._gradient(memory["snapshot"], rows)
        return here - there + memory["mean"], memory


class LSVRG(Method):
    """Loopless SVRG: ``d = ∇fᵢ(x) − ∇fᵢ(w) + ∇F(w)``; each step ``w ← x``, the x before it, with probability p.

    Parameters
    ----------
    finite_sum, x, lr, rule, batch_size, seed : as of `SVRG`
    probability : of a new snapshot, in (0, 1]; by default batch_size / n

    Attributes
    ----------
    x, t, solution, evaluations : as of `SVRG`
    state : dict of ``snapshot`` (w), ``mean`` (∇F(w)) and ``rule``

    References
    ----------
    Kovalev, Horváth, Richtárik, "Don't jump through hoops and remove those loops: SVRG and Katyusha are better without the outer
    loop", 2020, Algorithm 1.
    """

    name: ClassVar[str] = "LSVRG"

    def __init__(
        self,
        finite_sum: FiniteSum,
        x: Array,
        *,
        lr: Setting | None = None,
        rule: Rule | Update | None = None,
        batch_size: int = 1,
        probability: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(finite_sum, x, lr=lr, rule=rule, batch_size=batch_size, seed=seed)
        wanted = self.batch_size / finite_sum.n if probability is None else probability
        self.probability = _PROBABILITY.check(wanted, "probability", self.name)

    def _settings(self) -> dict[str, Any]:
        return {"probability": self.probability}

    def _advance(self) -> tuple[Array, dict[str, Array]]:
        memory = self._memory or self._snapshot()
        rows = self._draw()
        here, there = self._gradient(self._given, rows), self._gradient(memory["snapshot"], rows)
        renewed = self._snapshot() if self._rng.random() < self.probability else memory
        return here - there + memory["mean"], renewed

    def _snapshot(self) -> dict[str, Array]:
        return {"snapshot": self.x.copy(), "mean": self._full()}


class SARAH(_Looped):
    """Stochastic recursive gradient: ``d ← ∇fᵢ(x) − ∇fᵢ(x_before) + d``; every ``inner`` steps ``d ← ∇F(x)``.

    Parameters
    ----------
    finite_sum, x, lr, rule, batch_size, seed : as of `SVRG`
    inner : steps from one full gradient to the next, its own included; by default those of two passes over the rows

    Attributes
    ----------
    x, t, solution : as of `SVRG`
    state : dict of ``before`` (the x of the step before), ``direction`` (d) and ``rule``
    evaluations : int, gradients of rows evaluated so far: n for a full gradient's step, two per row of any other

    Notes
    -----
    d is biased given the past, unlike SVRG's. The paper starts each round from a random iterate of the last; this starts from the last
    one, as its experiments do.

    References
    ----------
    Nguyen, Liu, Scheinberg, Takáč, "SARAH: a novel method for machine learning problems using stochastic recursive gradient", 2017,
    Algorithm 1.
    """

    name: ClassVar[str] = "SARAH"

    def _advance(self) -> tuple[Array, dict[str, Array]]:
        if self.t % self.inner == 0:
            direction = self._full()
        else:
            rows, before = self._draw(), self._memory["before"]
            here, there = self._gradient(self._given, rows), self._gradient(before, rows)
            direction = np.asarray(here - there + self._memory["direction"])
        return direction, {"before": self.x.copy(), "direction": direction}
