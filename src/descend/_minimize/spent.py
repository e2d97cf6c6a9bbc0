"""What a run has used and found, for another one to go on from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from descend.methods._method import Vector

_MARKED = 64
"""Entries by whose bytes a point is told from others; where it has more, the rest is compared only if these are equal."""


class Seen:
    """What is known at one point."""

    __slots__ = ("f", "g", "mark", "x")

    def __init__(self, x: Vector, mark: bytes) -> None:
        self.x = x
        self.mark = mark
        self.f: float | None = None
        self.g: Vector | None = None

    def is_at(self, x: Vector) -> bool:
        """Whether this is what is known at ``x``, whose mark is the same."""
        return x.size <= _MARKED or np.array_equal(self.x.view(np.int64), x.view(np.int64))


def mark(x: Vector) -> bytes:
    """Return the bytes by which ``x`` is told from most other points."""
    return x.tobytes() if x.size <= _MARKED else x[:: x.size // _MARKED].tobytes()


def seen_at(x: Vector, f: float | None, g: Vector | None) -> Seen:
    """Return what is known at ``x`` already."""
    seen = Seen(x, mark(x))
    seen.f, seen.g = f, g
    return seen


@dataclass(frozen=True, slots=True)
class Best:
    """The best finite point; ``g`` is None where it was never asked for."""

    x: Vector
    f: float
    g: Vector | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used and found, for another one to go on from."""

    nfev: int = 0
    njev: int = 0
    nhev: int = 0
    seconds: float = 0.0
    best: Best | None = None
    recent: tuple[tuple[Vector, float | None, Vector | None], ...] = ()
    """x, f and g of the points that are remembered, the newest first: without them the next run would compute them again."""
    central: Vector | None = None
    """The sizes of x for which differences were made central."""
    precision: float = 2.0**-52
    """The relative error of f, as far as it is known."""
