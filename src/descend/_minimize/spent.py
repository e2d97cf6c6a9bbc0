"""What a run has used and found, for another one to go on from."""

from __future__ import annotations

from dataclasses import dataclass

from descend.methods._method import Vector


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
