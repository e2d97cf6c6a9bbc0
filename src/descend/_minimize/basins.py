"""The minima that many starts found, told apart: which starts came to the same one, how many, and which came to none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from descend.methods._method import Vector

SAME = 1e-3
"""Ends nearer than this to each other, in the box's widths and relative in f, are one minimum."""


@dataclass(frozen=True, eq=False)
class End:
    """Where one start came to."""

    start: int
    """Its place among the starts."""
    x0: Vector
    x: Vector
    fun: float
    success: bool
    """Whether the run converged to a minimum."""
    nfev: int


@dataclass(frozen=True, eq=False)
class Basin:
    """A minimum and the starts that came to it; or, among the unfinished, a place where runs ended short of one.

    ``share`` is of all starts, failed ones included; ``success`` tells whether the best of its runs converged.
    """

    x: Vector
    """The best point, shape (n,)."""
    fun: float
    share: float
    count: int
    start: int
    """Place among the starts of the one that found the best point."""
    x0: Vector
    """That start."""
    nfev: int
    """Evaluations of all its starts together."""
    success: bool

    def __str__(self) -> str:
        return "  ".join(_cells(self))


class Basins(list[Basin]):
    """Basins from the lowest to the highest; as text a table."""

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [
            ("f", "share", "starts", "nfev", "found by", "converged", "x")
        ]
        rows += map(_cells, self)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def _cells(basin: Basin) -> tuple[str, ...]:
    shown = ", ".join(f"{c:.6g}" for c in basin.x[:4])
    return (
        f"{basin.fun:.8g}",
        f"{100 * basin.share:.3g} %",
        str(basin.count),
        str(basin.nfev),
        f"start {basin.start}",
        "yes" if basin.success else "no",
        f"({shown}, …)" if basin.x.size > 4 else f"({shown})",
    )


def find_basins(ends: Sequence[End], width: Vector, starts: int) -> tuple[Basins, Basins]:
    """Group ends that are one place, by single linkage: a flat valley stays in one piece.

    A place is a basin if at least one run converged there: the others that ended there were on the way to it.

    Parameters
    ----------
    ends : sequence of End
        All with finite x and fun.
    width : array of shape (n,)
        The box of the starts; what is small is small compared to it.
    starts : int
        How many there were, failed ones included.

    Returns
    -------
    basins : Basins
    unfinished : Basins, the places where no run converged

    Examples
    --------
    >>> ends = [End(i, np.zeros(1), np.array([x]), x**2, x < 5, 9) for i, x in enumerate((0.0, 3.0, 1e-6, 5.0))]
    >>> basins, unfinished = find_basins(ends, np.array([10.0]), starts=4)
    >>> print(basins)
    f  share  starts  nfev  found by  converged  x
    0  50 %   2       18    start 0   yes        (0)
    9  25 %   1       9     start 1   yes        (3)
    """
    groups: dict[int, list[End]] = {}
    for label, end in zip(_labels(ends, width), ends, strict=True):
        groups.setdefault(label, []).append(end)
    found, unfinished = Basins(), Basins()
    for group in groups.values():
        converged = any(end.success for end in group)
        (found if converged else unfinished).append(_basin(group, starts))
    for places in (found, unfinished):
        places.sort(key=lambda basin: (basin.fun, basin.start))
    return found, unfinished


def _labels(ends: Sequence[End], width: Vector) -> list[int]:
    if len(ends) < 2:
        return [0] * len(ends)
    scaled = np.array([end.x for end in ends]) / np.where(width > 0, width, 1.0)
    # asinh: differences of f are absolute below 1 and relative above it
    heights = np.arcsinh([end.fun for end in ends])
    tree = linkage(np.column_stack([scaled, heights]), "single", "chebyshev")
    labels: list[int] = fcluster(tree, SAME, "distance").tolist()
    return labels


def _basin(group: Sequence[End], starts: int) -> Basin:
    best = min(group, key=lambda end: (end.fun, end.start))
    return Basin(
        best.x,
        best.fun,
        len(group) / starts,
        len(group),
        best.start,
        best.x0,
        sum(end.nfev for end in group),
        best.success,
    )
