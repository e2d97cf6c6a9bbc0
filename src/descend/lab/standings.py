"""The standings of a race as numbers, and what they leave open as sentences."""

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
    """BCa 95 % interval of ``difference``; (0, 0) for the leader."""
    p_value: float
    """Against the leader, adjusted for all pairs (max-T)."""
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
    needed = max(guess, _least_seeds(n_entries), len(values) + 1)
    return needed if needed <= MAX_SEEDS else None


def _least_seeds(n_entries: int) -> int:
    return math.ceil(math.log2(2 * max(n_entries - 1, 1) / ALPHA))


def _quantile(values: NDArray[np.float64], share: float) -> float:
    """Linear interpolation, as NumPy's, which answers nan between two inf."""
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    low, high = float(ordered[math.floor(place)]), float(ordered[math.ceil(place)])
    return low if low == high else low + (place % 1.0) * (high - low)


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
        By group, then by place: the leader is first.

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
    return tuple(sorted(rows, key=lambda row: (row.group, row.place)))


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
    tied = group == 1 and column != leader
    return Comparison(
        entry=entry,
        place=order.index(column) + 1,
        group=group,
        mean=math.fsum(own) / len(own),
        median=_quantile(own, 0.5),
        quartiles=(_quantile(own, 0.25), _quantile(own, 0.75)),
        difference=math.fsum(differences) / len(differences),
        interval=bca_interval(differences) if column != leader else (0.0, 0.0),
        p_value=p_value,
        failures=int(np.isinf(own).sum()),
        charged=bool(np.isinf(scaled[:, [column, leader]]).any()),
        seeds_needed=seeds_needed(differences, len(order)) if tied else None,
    )


def describe_limits(
    rows: Sequence[Comparison], n_seeds: int, seconds_per_seed: float | None = None
) -> tuple[str, ...]:
    """What the standings cannot conclude, one sentence each, with what would settle it.

    Parameters
    ----------
    rows : sequence of Comparison
        As from ``standings``.
    n_seeds : int
        Fresh seeds behind them.
    seconds_per_seed : float, optional
        Time of one more seed for all entries, to say what more seeds would cost.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> for sentence in describe_limits(standings(["a", "b"], [[1.0, 2.0]] * 5, False), 5, 60.0):
    ...     print(sentence)
    With 5 seeds nothing can be separated at 5 %: the smallest possible p is 0.0625; 6 seeds might.
    b cannot be separated from a: 1 more seed, about 60 seconds, probably would.
    """
    if all(row.failures == n_seeds for row in rows):
        return ("No entry finished on any seed: there is nothing to compare.",)
    ties = [row for row in rows[1:] if row.group == 1]
    return (
        *_too_few(len(rows), n_seeds),
        *_ties(ties, rows[0].entry, n_seeds, seconds_per_seed),
        *(_failed(row, n_seeds) for row in rows if row.failures),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _too_few(n_entries: int, n_seeds: int) -> tuple[str, ...]:
    seeds, least = f"With {_count(n_seeds, 'seed')}", _least_seeds(n_entries)
    if n_entries < 2:
        return ("One entry alone is not a comparison.",)
    if smallest_p(n_seeds) > ALPHA:
        p = f"the smallest possible p is {smallest_p(n_seeds):g}; {_least_seeds(2)} seeds might"
        return (f"{seeds} nothing can be separated at 5 %: {p}.",)
    if n_seeds < least:
        seen = f"only the clearest differences among {n_entries} entries can be seen"
        return (f"{seeds} {seen}: such a race needs at least {least} seeds.",)
    return ()


def _ties(
    rows: Sequence[Comparison], leader: str, n_seeds: int, seconds: float | None
) -> tuple[str, ...]:
    """One sentence for all entries that the same thing would separate."""
    outlooks: dict[str, list[str]] = {}
    for row in rows:
        outlooks.setdefault(_outlook(row, n_seeds, seconds), []).append(row.entry)
    return tuple(
        f"{_listed(entries)} cannot be separated from {leader}: {outlook}"
        for outlook, entries in outlooks.items()
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _outlook(row: Comparison, n_seeds: int, seconds: float | None) -> str:
    if row.difference == 0.0 and row.interval == (0.0, 0.0):
        return "the scores are the same on every seed."
    if n_seeds == 1:
        return "one seed does not show by how much seeds vary."
    if row.seeds_needed is None:
        return f"it would probably take more than {MAX_SEEDS} seeds."
    more = row.seeds_needed - n_seeds
    cost = f", about {_duration(more * seconds)}," if seconds is not None else ""
    return f"{_count(more, 'more seed')}{cost} probably would."


def _failed(row: Comparison, n_seeds: int) -> str:
    if row.failures == n_seeds:
        return f"{row.entry} finished on no seed: its scores say nothing but that."
    return (
        f"{row.entry} failed on {row.failures} of {_count(n_seeds, 'seed')}: a failure counts as a "
        "loss larger than any between finished runs, so the size of its difference means little."
    )


def _duration(seconds: float) -> str:
    if seconds < 90.0:
        return _count(max(math.ceil(seconds), 1), "second")
    if seconds < 90.0 * 60.0:
        return _count(math.ceil(seconds / 60.0), "minute")
    return _count(math.ceil(seconds / 3600.0), "hour")
