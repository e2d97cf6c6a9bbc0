"""The standings of a race as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import ProblemError
from descend.lab.stats import (
    ALPHA,
    adjusted_p_values,
    bca_interval,
    charge,
    comparison_scale,
    paired_differences,
    ranking,
    smallest_p,
    tie_groups,
)

POWER = 0.8
MAX_SEEDS = 200
"""No estimate of the seeds needed goes beyond this."""


@dataclass(frozen=True)
class Comparison:
    """One entry in the standings; all scores are on the comparison scale."""

    entry: str
    place: int
    """Position by mean paired score, from 1; a tie group need not be a run of places."""
    group: int
    """Tie group, 1 is best: members are not separable from their group's leader."""
    mean: float
    """``inf`` when a run failed."""
    median: float
    quartiles: tuple[float, float]
    difference: float
    """Mean paired difference to the leader, failures charged."""
    interval: tuple[float, float]
    """BCa 95 % interval of ``difference``, adjusted for nothing; nan where seeds are too few to
    separate anything, (0, 0) for the leader."""
    p_value: float
    """Against the leader, adjusted for all pairs (max-T); nan where a single seed tests nothing."""
    equal: bool
    """The scores are those of the leader on every seed."""
    failures: int
    charged: bool
    """A failure, of this entry or of the leader, is part of ``difference`` and ``interval``."""
    seeds_needed: int | None
    """For a tie with the leader, the seeds in all that would probably (80 %) break it.

    None when nothing is tied, the difference is 0, or more than 200 would be needed.
    """


def seeds_needed(differences: ArrayLike, n_entries: int) -> int | None:
    """Seeds in all that would separate a pair at 5 % with probability 80 %, if the estimates hold.

    A normal approximation with Guenther's term for the estimated spread, at the level of all pairs
    (Bonferroni, slightly more than max-T asks), and at least so many that the smallest possible
    p, 2/2ⁿ, times the comparisons with the leader is below 5 %.

    Parameters
    ----------
    differences : array of shape (n_seeds,)
        Paired differences of the pair so far.
    n_entries : int
        Entries in the race.

    Returns
    -------
    int or None
        More than the seeds so far; None when the mean is 0, with one seed, or if over 200.

    Examples
    --------
    >>> seeds_needed([1.0, 1.0, 1.0], n_entries=2), seeds_needed([1.0, 1.0, 1.0], n_entries=10)
    (6, 9)
    """
    values = np.asarray(differences, dtype=np.float64)
    largest = float(np.max(np.abs(values)))
    if len(values) < 2 or largest == 0.0:
        return None
    mean, spread = abs(float(np.mean(values / largest))), float(np.std(values / largest, ddof=1))
    z = NormalDist().inv_cdf(1.0 - ALPHA / max(n_entries * (n_entries - 1), 2))
    reach = z + NormalDist().inv_cdf(POWER)
    if reach * spread > math.sqrt(MAX_SEEDS) * mean:
        return None
    guess = math.ceil((reach * spread / mean) ** 2 + z**2 / 2)
    needed = max(guess, least_seeds(n_entries), len(values) + 1)
    return needed if needed <= MAX_SEEDS else None


def least_seeds(n_entries: int) -> int:
    """Seeds from which on the smallest p, times the comparisons with the leader, is below 5 %."""
    return math.ceil(math.log2(2 * max(n_entries - 1, 1) / ALPHA))


def _quantile(values: NDArray[np.float64], share: float) -> float:
    """Linear interpolation, as NumPy's, which answers nan between two inf."""
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    low, high = float(ordered[math.floor(place)]), float(ordered[math.ceil(place)])
    return low if low == high else low + (place % 1.0) * (high - low)


def median_of(values: NDArray[np.float64]) -> float:
    """The median of scores; ``inf`` where it lies beside or among the failed."""
    return _quantile(values, 0.5)


def standings(entries: Sequence[str], scores: ArrayLike, log_scale: bool) -> tuple[Comparison, ...]:
    """Compare all entries on the same seeds and sort them into tie groups.

    Parameters
    ----------
    entries : sequence of str
        Names, one per column of ``scores``.
    scores : array of shape (n_seeds, n_entries)
        Lower is better; ``inf`` for a run that failed.
    log_scale : bool
        Compare log10 of the scores.

    Returns
    -------
    tuple of Comparison
        By place: the leader is first.

    Raises
    ------
    ProblemError
        If a score is nan or -inf, or the number of entries is not that of the columns.

    Examples
    --------
    >>> rows = standings(["sgd", "adam"], [[0.3, 0.1]] * 6, log_scale=False)
    >>> [(row.entry, row.group, round(row.difference, 12), row.p_value) for row in rows]
    [('adam', 1, 0.0, 1.0), ('sgd', 2, 0.2, 0.03125)]
    """
    scaled = comparison_scale(scores, log_scale)
    if len(entries) != scaled.shape[1]:
        raise ProblemError(
            f"entries of a race must be one per column of its scores, {scaled.shape[1]}; "
            f"got {len(entries)}."
        )
    order, p_values = ranking(scaled), adjusted_p_values(scaled)
    groups = tie_groups(order, p_values)
    rows = [
        _compare(entries[j], scaled, j, order, groups[j], float(p_values[order[0], j]))
        for j in range(len(entries))
    ]
    return tuple(sorted(rows, key=lambda row: row.place))


def _compare(
    entry: str,
    scaled: NDArray[np.float64],
    column: int,
    order: Sequence[int],
    group: int,
    p_value: float,
) -> Comparison:
    own, leader, charged = scaled[:, column], order[0], charge(scaled)
    differences = paired_differences(charged[:, column], charged[:, leader])
    follows = column != leader
    return Comparison(
        entry=entry,
        place=order.index(column) + 1,
        group=group,
        mean=math.fsum(own) / len(own),
        median=_quantile(own, 0.5),
        quartiles=(_quantile(own, 0.25), _quantile(own, 0.75)),
        difference=math.fsum(differences) / len(differences),
        interval=_interval(differences) if follows else (0.0, 0.0),
        p_value=p_value if len(own) > 1 or not follows else math.nan,
        equal=not differences.any(),
        failures=int(np.isinf(own).sum()),
        charged=bool(np.isinf(scaled[:, [column, leader]]).any()),
        seeds_needed=seeds_needed(differences, len(order)) if group == 1 and follows else None,
    )


def _interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    """None where no p could reach 5 %: resampled so few numbers give far too short ones."""
    few = smallest_p(len(differences)) > ALPHA
    return (math.nan, math.nan) if few else bca_interval(differences)
