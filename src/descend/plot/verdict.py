"""What a race says, in plain words: the one sentence at the head of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence

from descend.lab.records import RaceResult, Standing
from descend.plot.curves import fresh_quartiles
from descend.plot.wording import count, factor, names, number, settings_text, short, span

MOST_BEHIND = 2
"""Entries behind the best that the sentence describes one by one."""


def failed(row: Standing) -> str:
    """How many fresh seeds an entry failed on.

    Parameters
    ----------
    row : Standing
        Its row.

    Returns
    -------
    str
        ``failed on 3 of 10 seeds``.
    """
    return f"failed on {row.failures} of {count(row.seeds, 'seed')}"


def verdict(result: RaceResult) -> str:
    """The result of the race in one sentence.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    str
        Who is best or ties for best, and how much worse the others are.
    """
    rows = result.standings
    if not rows:
        return "Nobody entered this race."
    if all(_failed_all(row) for row in rows):
        return "No entry finished on any fresh seed: nothing can be compared."
    if len(rows) == 1:
        return _alone(rows[0], result)
    best = [row for row in rows if row.group == rows[0].group]
    if rows[0].seeds < 2:
        return f"{_named(rows[0])} scored lowest on the only seed; one seed does not allow a test."
    others = [row for row in rows if row.group != rows[0].group]
    parts = [*_best(best), *(_behind(row, result) for row in others[:MOST_BEHIND])]
    if len(others) > MOST_BEHIND:
        rest = count(len(others) - MOST_BEHIND, "further entry")
        parts.append(f"{rest} did worse than the best too")
    return "; ".join(parts) + "."


def _best(rows: Sequence[Standing]) -> list[str]:
    """A tie is called one only where not even the numbers differ."""
    if len(rows) == 1:
        return [f"{_named(rows[0])} is best"]
    if all(number(abs(row.difference)) == "0" for row in rows):
        return [f"{names(_named(row) for row in rows)} tie for best"]
    verb = "is" if len(rows) == 2 else "are"
    others = names(_named(row) for row in rows[1:])
    return [f"{_named(rows[0])} scored best", f"{others} {verb} not separated from it"]


def _alone(row: Standing, result: RaceResult) -> str:
    _, median, _ = fresh_quartiles(result, row)
    return (
        f"{_named(row)} raced alone: its median {result.problem.short_score} is {number(median)} "
        f"over {count(row.seeds, 'fresh seed')}; it takes a second entry to compare."
    )


def _behind(row: Standing, result: RaceResult) -> str:
    if row.failures or not math.isfinite(row.difference):
        return f"{short(row.entry, 60)} {failed(row)}{_at(row)}"
    log_scale = result.problem.log_scale
    by = number(factor(row.difference) if log_scale else row.difference)
    worse = f"scores {by} times as much as {short(result.standings[0].entry, 60)}"
    told = worse if log_scale else f"is {by} worse"
    interval = span(row.interval, log_scale)
    between = "" if interval == "–" else f" (95 % interval, unadjusted: {interval})"
    return f"{short(row.entry, 60)} {told}{between}{_at(row)}"


def _named(row: Standing) -> str:
    return f"{short(row.entry, 60)}{_at(row)}{f' (it {failed(row)})' if row.failures else ''}"


def _at(row: Standing) -> str:
    settings = f" at {settings_text(row.settings)}" if row.settings else ""
    return settings if len(settings) <= 60 else ""


def _failed_all(row: Standing) -> bool:
    return row.seeds > 0 and row.failures >= row.seeds
