"""The tables of the report as plain HTML: they show without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from descend.lab.records import RaceResult, Run, RunKey, Standing
from descend.plot.curves import defaults, fresh_quartiles
from descend.plot.looks import styles
from descend.plot.markup import escaped, table
from descend.plot.wording import (
    count,
    factor,
    number,
    probability,
    settings_text,
    short,
    signed,
    span,
)

LONGEST_CAUSE = 400
MOST_PLACES = 5
"""Runs with the same cause that are listed one by one."""


def standings_table(result: RaceResult) -> str:
    """The standings; each tie group is one body of the table.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    str
        HTML.
    """
    card = result.problem
    head = ["Group", "Entry", "Settings", "#Median, quartiles",
            "#Difference, 95 % interval (unadjusted)", "#Adjusted p", "#Failed", "#Untuned",
            "#At the end"]  # fmt: skip
    head += [f"#Median {short(card.test_metric, 60)}"] if card.test_metric else []
    bodies = [
        [_standing(result, row) for row in rows]
        for _, rows in groupby(result.standings, key=lambda row: row.group)
    ]
    unit = "multiples of its score" if card.log_scale else "in units of the score"
    caption = (
        f"Standings by {short(card.score, 120)} on fresh seeds; lower is better. The members of a "
        f"group cannot be told apart from its first. Differences to the leader are {unit}. Untuned "
        "is the median of the documented defaults on the same seeds, at the end the median of the "
        "last checkpoint in place of the best."
    )
    return table(caption, head, bodies)


def tuning_table(result: RaceResult) -> str:
    """What was tuned for each entry, where, how often and with what outcome; and what was not.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    str
        HTML.
    """
    rows = []
    for row in result.standings:
        trials = {run.key.trial for run in _of(result, row.entry, "tune")}
        tuned = result.tuned.get(row.entry, ())
        kept = {k: v for k, v in defaults(result, row.entry).items() if k not in tuned}
        searched = [_interval(name, result.space.get(row.entry, {})) for name in tuned]
        rows.append(
            f'<tr><th scope="row" class="name">{escaped(short(row.entry, 200))}</th>'
            f'<td class="long">{escaped("; ".join(searched) or "nothing")}</td>'
            f'<td class="long">{escaped(_untuned(kept))}</td>'
            f'<td class="numeric">{len(trials)}</td>'
            f'<td class="long"><code>{escaped(short(row.text, 300))}</code></td></tr>'
        )
    caption = (
        "Intervals are searched log-uniformly, momenta in 1 − value; all entries get equal trials."
    )
    head = ["Entry", "Tuned, within", "Not tuned", "#Trials", "Chosen"]
    return table(caption, head, [rows])


def failure_table(result: RaceResult) -> str:
    """All runs that did not finish, those with one cause together; empty when there are none.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    str
        HTML.
    """
    causes: dict[tuple[str, str, str], list[Run]] = {}
    for run in result.runs:
        if run.status != "finished":
            causes.setdefault((run.key.entry, run.status, run.cause), []).append(run)
    if not causes:
        return ""
    rows = [
        f'<tr><th scope="row" class="name">{escaped(short(entry, 200))}</th>'
        f'<td>{escaped(status)}</td><td class="long">{escaped(_cause(cause))}</td>'
        f'<td class="numeric">{len(runs)}</td><td class="long">{_places(runs)}</td></tr>'
        for (entry, status, cause), runs in causes.items()
    ]
    total = sum(len(runs) for runs in causes.values())
    caption = f"{count(total, 'run')} of {len(result.runs)} did not finish; each is the worst."
    return table(caption, ["Entry", "What happened", "Cause", "#Runs", "Where"], [rows])


def facts_table(caption: str, facts: Iterable[tuple[str, Any]]) -> str:
    """Names and values in two columns.

    Parameters
    ----------
    caption : str
        What they describe.
    facts : iterable of pairs
        A name and any value; nested values are written as JSON.

    Returns
    -------
    str
        HTML; empty without facts.
    """
    rows = [
        f'<tr><th scope="row" class="name">{escaped(name)}</th>'
        f'<td class="long">{escaped(_value(value))}</td></tr>'
        for name, value in facts
    ]
    return table(caption, ["Name", "Value"], [rows]) if rows else ""


def _standing(result: RaceResult, row: Standing) -> str:
    swatch = f'<span class="swatch" style="background:{styles(result)[row.entry].colour}"></span>'
    first = " first" if row.group == 1 else ""
    edges = "".join(_under(f"{name} at the edge of its interval", "flag") for name in row.at_edge)
    cells = [
        f'<td><span class="badge{first}">{row.group}</span></td>',
        f'<th scope="row" class="name">{swatch}{escaped(short(row.entry, 200))}</th>',
        f'<td class="long">{escaped(settings_text(row.settings))}{edges}</td>',
        _median(*fresh_quartiles(result, row)),
        *_comparison(result, row),
        _failed(row),
        *(_numeric(value, number(value)) for value in _beside(result, row)),
    ]
    if result.problem.test_metric:
        cells.append(_numeric(row.test, number(row.test)))
    return f"<tr>{''.join(cells)}</tr>"


def _beside(result: RaceResult, row: Standing) -> tuple[float, float]:
    """The untuned score and that at the end, in units of the score."""
    values = row.default_score, row.last
    return (factor(values[0]), factor(values[1])) if result.problem.log_scale else values


def _comparison(result: RaceResult, row: Standing) -> tuple[str, str]:
    """Difference to the leader with its interval, and the p-value."""
    leader = result.standings[0]
    if row is leader:
        finished = row.failures < row.seeds
        first = "leader" if finished else "–"
        return _numeric(row.difference, first), _numeric(row.p_value, "–")
    log_scale = result.problem.log_scale
    notes = _under(span(row.interval, log_scale))
    if row.failures or leader.failures:
        notes += _under("failures charged", "flag")
    return (
        _numeric(row.difference, signed(row.difference, log_scale), notes),
        _numeric(row.p_value, probability(row.p_value)),
    )


def _failed(row: Standing) -> str:
    warn = " warn" if row.failures else ""
    tuning = f"tuning: {row.tuning_failures}" if row.tuning_failures else ""
    return f'<td class="numeric{warn}">{row.failures} of {row.seeds}{_under(tuning)}</td>'


def _numeric(value: float, text: str, notes: str = "") -> str:
    """A cell that shows rounded digits and holds all of them for programs."""
    shown = f'<data value="{float(value)!r}">{escaped(text)}</data>{notes}'
    return f'<td class="numeric">{shown}</td>'


def _under(text: str, kind: str = "under") -> str:
    """A second, smaller line of a cell."""
    return f'<span class="{kind}">{escaped(text)}</span>' if text else ""


def _median(low: float, median: float, high: float) -> str:
    quartiles = f"{number(low)} to {number(high)}" if low != high else ""
    return _numeric(median, number(median), _under(quartiles))


def _interval(name: str, space: Mapping[str, tuple[float, float]]) -> str:
    if name not in space:
        return name
    low, high = space[name]
    return f"{name} {number(low)} to {number(high)}"


def _untuned(kept: Mapping[str, float]) -> str:
    return settings_text(kept) if kept else "everything else stayed at its default"


def _of(result: RaceResult, entry: str, phase: str) -> list[Run]:
    return [run for run in result.runs if run.key.entry == entry and run.key.phase == phase]


def _cause(cause: str) -> str:
    if not cause:
        return "no cause was recorded"
    shown = short(cause, LONGEST_CAUSE)
    return f"{shown} ({len(cause)} characters)" if len(cause) > LONGEST_CAUSE else shown


def _places(runs: Sequence[Run]) -> str:
    listed = [escaped(f"{_place(run.key)}: {settings_text(run.settings)}") for run in runs]
    rest = listed[MOST_PLACES:]
    text = "; ".join(listed[:MOST_PLACES])
    more = f"<details><summary>and {len(rest)} more</summary>{'; '.join(rest)}</details>"
    return text + more if rest else text


def _place(key: RunKey) -> str:
    if key.phase == "fresh":
        return f"fresh seed {key.seed}"
    return f"trial {key.trial}, seed {key.seed}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, default=str, ensure_ascii=False)
