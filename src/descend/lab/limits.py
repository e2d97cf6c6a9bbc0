"""What the standings of a race leave open, as sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from descend.lab.standings import MAX_SEEDS, Comparison, least_seeds
from descend.lab.stats import ALPHA, smallest_p


def describe_limits(
    rows: Sequence[Comparison],
    n_seeds: int,
    seconds_per_seed: float | None = None,
    fixed: bool = False,
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
    fixed : bool
        Every seed opens the very same problem, so that more seeds would show nothing.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from descend.lab.standings import standings
    >>> for sentence in describe_limits(standings(["a", "b"], [[1.0, 2.0]] * 5, False), 5, 60.0):
    ...     print(sentence)
    With 5 seeds nothing can be separated at 5 %: the smallest possible p is 0.0625; 6 seeds might. No interval is shown.
    b cannot be separated from a: 1 more seed, about 60 seconds, probably would.
    """
    if all(row.failures == n_seeds for row in rows):
        return ("No entry finished on any seed: there is nothing to compare.",)
    if fixed and len(rows) > 1:
        return (_FIXED, *(_failed(row, n_seeds) for row in rows if row.failures))
    ties = [row for row in rows[1:] if row.group == 1]
    return (
        *_too_few(len(rows), n_seeds),
        *_ties(ties, rows[0].entry, n_seeds, seconds_per_seed),
        *(_failed(row, n_seeds) for row in rows if row.failures),
    )


_FIXED = (
    "Every seed opens the very same problem, start and all, so one was run: the differences are exact"
    " and hold for this start alone, and there is nothing to test."
)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _too_few(n_entries: int, n_seeds: int) -> tuple[str, ...]:
    seeds, least = f"With {_count(n_seeds, 'seed')}", least_seeds(n_entries)
    if n_entries < 2:
        return ("One entry alone is not a comparison.",)
    if smallest_p(n_seeds) > ALPHA:
        p = f"the smallest possible p is {smallest_p(n_seeds):g}; {least_seeds(2)} seeds might"
        return (f"{seeds} nothing can be separated at 5 %: {p}. No interval is shown.",)
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
    if row.equal:
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
