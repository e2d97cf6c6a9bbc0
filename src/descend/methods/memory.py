"""What limited-memory methods remember: the last pairs (s, y) of steps and changes of the gradient.

Byrd, Nocedal & Schnabel (1994), "Representations of quasi-Newton matrices and their use in limited memory methods":
all pairs at once in a few products of matrices, instead of a loop over them. Pairs lie in a ring, the oldest is
overwritten. The small matrices lie in the ring's order too, which is why triangular ones do not look so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dgemv, dsbmv, dscal

from descend.methods._inner import inner, products
from descend.methods._method import Point, Vector
from descend.methods._status import Status
from descend.methods.idle import ended, idle_steps

ROUNDING = float(np.finfo(np.float64).eps)
_LEFT = 1e-6
"""The share of a sum that must be left for its digits to be its own; ten are."""
Products = tuple[float, float, float]


@dataclass(slots=True)
class InverseMemory:
    """The inverse Hessian H = γI + [S Y] (…) [S Y]ᵀ of L-BFGS (Byrd, Nocedal & Schnabel, eq. 3.6)."""

    rows: Vector
    """S above Y above the last gradient, shape (2m + 1, n)."""
    inverse_r: Vector
    """R⁻¹, shape (m, m), in Fortran's order for BLAS, where R holds sᵢᵀyⱼ for i no newer than j."""
    yy: Vector
    """YᵀY, shape (m, m)."""
    curvatures: Vector
    """D: sᵢᵀyᵢ, shape (1, m), as BLAS keeps a matrix with nothing but a diagonal."""
    weights: Vector
    """What the rows are multiplied by, shape (2m + 1,)."""
    gamma: float = 1.0
    count: int = 0
    idle: int = 0
    """Steps in a row that changed f by rounding alone."""
    products: Products | None = None
    """sᵀs, sᵀy and yᵀy of the last step."""

    @classmethod
    def empty(cls, m: int, n: int) -> InverseMemory:
        square = np.zeros((m, m), order="F")
        rows, weights = np.zeros((2 * m + 1, n)), np.zeros(2 * m + 1)
        return cls(rows, square, square.copy(order="F"), np.zeros((1, m)), weights)

    def forget(self) -> None:
        """Start again from H = I."""
        for array in (self.rows, self.inverse_r, self.yy, self.curvatures, self.weights):
            array.fill(0.0)
        self.gamma, self.count, self.products = 1.0, 0, None

    def add(self, s: Vector, y: Vector, sy: float) -> None:
        """Remember a pair with ``sy`` = sᵀy > 0, in place of the oldest.

        R⁻¹ grows by the column −R⁻¹(Sᵀy)/sᵀy and loses the row and column of the oldest pair: no system is solved.
        """
        m, rows, inverse_r = self.yy.shape[0], self.rows, self.inverse_r
        j = self.count % m
        rows[j] = s
        rows[m + j] = y
        products = rows.dot(y)
        self.yy[j] = self.yy[:, j] = products[m:-1]
        self.gamma = sy / float(products[m + j])
        products[j] = 0.0  # what the oldest pair's column is multiplied by
        inverse_r[j] = 0.0
        inverse_r[:, j] = dgemv(-1.0 / sy, inverse_r, products[:m])
        inverse_r[j, j] = 1.0 / sy
        self.curvatures[0, j] = sy
        self.count += 1

    def descent(self, g: Vector) -> Vector:
        """Return −Hg, shape (n,).

        With w = R⁻¹Sᵀg and v = γYᵀg − γYᵀYw − Dw the weights are R⁻ᵀv for S, γw for Y and −γ for g. BLAS writes each product
        to where the next one reads it: the vectors are so short that making an array would cost as much.
        """
        if not self.count:
            return -g
        m, gamma, weights, inverse_r = self.yy.shape[0], self.gamma, self.weights, self.inverse_r
        self.rows[-1] = g
        products = self.rows.dot(g)
        # y = a A x + b y for (a, A, x, b, y, start and stride in x, in y, whether transposed, in place)
        dgemv(1.0, inverse_r, products, 0.0, weights, 0, 1, m, 1, 0, 1)
        dgemv(-gamma, self.yy, weights, gamma, products, m, 1, m, 1, 0, 1)
        dsbmv(0, -1.0, self.curvatures, weights, 1, m, 1.0, products, 1, m, 0, 1)
        dgemv(1.0, inverse_r, products, 0.0, weights, m, 1, 0, 1, 1, 1)
        weights[-1] = -1.0
        dscal(gamma, weights, m + 1, m)
        return weights.dot(self.rows)  # type: ignore[no-any-return]


@dataclass(slots=True)
class DirectMemory:
    """The Hessian B = θ(I − Wᵀ Q⁻¹ W) of L-BFGS, W = [Y; S] (Byrd, Nocedal & Schnabel, eq. 2.17, divided by θ).

    Pairs are kept divided by √(sᵀy), which changes no formula of BFGS and makes the diagonal D the identity.
    """

    rows: Vector
    """Y above S, shape (2m, n)."""
    gram: Vector
    """W Wᵀ, shape (2m, 2m)."""
    free: NDArray[np.bool_]
    """The coordinates that were last asked for in `gram_over`, shape (n,)."""
    free_gram: Vector
    """W Wᵀ over these, shape (2m, 2m)."""
    peaks: Vector
    """The greatest values of its diagonal since it was summed anew, shape (2m,)."""
    middle: Vector
    """Q = [[−θI, Lᵀ], [L, SᵀS]], shape (2m, 2m), where L holds sᵢᵀyⱼ for i newer than j."""
    theta: float = 1.0
    count: int = 0
    idle: int = 0
    """Steps in a row that changed f by rounding alone."""
    products: Products | None = None
    """sᵀs, sᵀy and yᵀy of the last step."""

    @classmethod
    def empty(cls, m: int, n: int) -> DirectMemory:
        gram = np.zeros((2 * m, 2 * m))
        rows, free = np.zeros((2 * m, n)), np.ones(n, dtype=bool)
        return cls(rows, gram, free, gram.copy(), np.zeros(2 * m), _without_pairs(m))

    def forget(self) -> None:
        """Start again from B = I."""
        for array in (self.rows, self.gram):
            array.fill(0.0)
        self.free = np.ones_like(self.free)
        self.middle[:] = _without_pairs(self.rows.shape[0] // 2)
        self.theta, self.count, self.products = 1.0, 0, None

    def add(self, s: Vector, y: Vector, sy: float) -> None:
        """Remember a pair with ``sy`` = sᵀy > 0, in place of the oldest."""
        m = self.rows.shape[0] // 2
        j, k = self.count % m, m + self.count % m
        root = sy**0.5
        np.divide(y, root, self.rows[j])
        np.divide(s, root, self.rows[k])
        restricted = not _all(self.free)
        for row in (j, k):  # two products with vectors take a third of the time of one with both
            new = self.rows[row]
            self.gram[row] = self.gram[:, row] = self.rows.dot(new)
            if restricted:
                self.free_gram[row] = self.free_gram[:, row] = self.rows.dot(new * self.free)
                self.peaks[row] = self.free_gram[row, row]
        self.theta = float(self.gram[j, j])
        middle, newest = self.middle, self.gram[k].copy()
        newest[j] = 0.0
        middle[k] = middle[:, k] = newest
        middle[j, m:] = middle[m:, j] = 0.0
        middle.reshape(-1)[: 2 * m * m : 2 * m + 1] = -self.theta
        self.count += 1

    def gram_over(self, free: NDArray[np.bool_]) -> Vector:
        """Return W Wᵀ over the coordinates that are ``free``, shape (2m, 2m).

        Only those that became free or ceased to be since the last time are gone through: near a solution there are none. It is
        summed anew where subtracting has left so little that its digits are those of what was taken away.
        """
        if _all(free):
            return self.gram
        if _all(self.free):
            self.free_gram[:] = self.gram
            self.peaks[:] = self.gram.diagonal()
        differs = free != self.free
        if np.count_nonzero(differs):
            changed = np.flatnonzero(differs)
            rows = self.rows[:, changed]
            self.free_gram += rows.dot((rows * np.where(free[changed], 1.0, -1.0)).T)
            left = self.free_gram.diagonal()
            np.maximum(self.peaks, left, out=self.peaks)
            if np.count_nonzero(left < _LEFT * self.peaks):
                rows = self.rows[:, free]
                self.free_gram[:] = rows.dot(rows.T)
                self.peaks[:] = self.free_gram.diagonal()
        self.free = free
        return self.free_gram


def pairs_in(memory: InverseMemory | DirectMemory) -> int:
    """How many pairs are remembered."""
    return min(memory.count, len(memory.rows) // 2)


class Learner(Protocol):
    """What takes pairs with sᵀy > 0."""

    idle: int
    products: Products | None

    def add(self, s: Vector, y: Vector, sy: float) -> None: ...


def learn(memory: Learner, old: Point, new: Point) -> None:
    """Add the pair of a step, unless it shows no positive curvature beyond rounding (the test of L-BFGS-B).

    Damping such a pair (Powell 1978) would teach a curvature that f never showed, and after a search for the Wolfe
    conditions it comes from rounding alone, or from a search that had to be content with less. The test does not depend on
    the units of x or f, as long as no square overflows or vanishes: where none does, no product of two pairs overflows.
    """
    s, y = new.x - old.x, new.g - old.g
    memory.products = ss, sy, yy = products(s, y)
    if sy > 0.0 and 0.0 < ss < np.inf and yy < np.inf and sy > -ROUNDING * inner(s, old.g):
        memory.add(s, y, sy)


def ended_by_rounding(memory: Learner, old: Point, new: Point) -> Status | None:
    """Count the idle steps in a row; `Status.ROUNDOFF` after too many of them."""
    memory.idle = idle_steps(memory.idle, old, new)
    return ended(memory.idle)


def _all(free: NDArray[np.bool_]) -> bool:
    return int(np.count_nonzero(free)) == free.size


def _without_pairs(m: int) -> Vector:
    """Q where no pair is known: regular, so that empty places of the ring do no harm."""
    return np.diag(np.repeat([-1.0, 1.0], m))
