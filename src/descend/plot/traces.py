"""What each entry adds to a figure, as traces in plotly's words: plain dictionaries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descend.lab.records import Standing
from descend.plot.curves import Band, Budget, Floats, Pairs, Trials
from descend.plot.looks import NEUTRAL, ScoreAxis, Style, faded, label
from descend.plot.verdict import failed
from descend.plot.wording import number, signed

Trace = dict[str, Any]

CROSS = "x-thin-open"
"""The marker of a failure, for every entry."""


def difference(row: Standing, place: int, tail: float, style: Style, log_scale: bool) -> Trace:
    """A row of the picture of differences; an entry that failed is a cross at ``tail``."""
    # The charge for a failure is no distance: it would set the scale of the axis.
    known = place == 0 or not (row.failures or math.isinf(row.difference))
    below, above = row.difference - row.interval[0], row.interval[1] - row.difference
    drawn = known and math.isfinite(below + above)  # too few seeds leave the interval open
    bars = [max(below, 0.0), max(above, 0.0)] if drawn else [0.0, 0.0]
    return {
        "x": [row.difference if known else tail],
        "y": [place],
        "name": label(row.entry),
        "mode": "markers" if known else "markers+text",
        "text": [signed(row.difference, log_scale) if known else failed(row)],
        "textposition": "middle left",
        "hovertemplate": "%{text}",
        "cliponaxis": False,
        "marker": _markers(style, np.array([known]), 11),
        "error_x": {
            "type": "data",
            "array": bars[1:],
            "arrayminus": bars[:1],
            "thickness": 2,
            "color": style.colour,
        },
    }


def band(drawn: Band, axis: ScoreAxis, style: Style, top: float) -> list[Trace]:
    """The quartile band of an entry, up to ``top``, and its median curve."""
    line = _line(drawn.entry, drawn.evaluations, axis.placed(drawn.median), style)
    line["marker"]["maxdisplayed"] = 9
    seen = np.isfinite(drawn.median)
    x = drawn.evaluations[seen]
    if drawn.runs < 2 or x.size < 2:
        return [line]
    low = axis.placed(drawn.low[seen])
    high = np.minimum(axis.placed(drawn.high[seen], np.inf), top)
    area = _silent(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]), drawn.entry)
    return [area | {"fill": "toself", "fillcolor": faded(style.colour), "line": {"width": 0}}, line]


def trials(drawn: Trials, axis: ScoreAxis, style: Style) -> list[Trace]:
    """The tuning trials of an entry, its best one larger, and a line where lr alone was tuned."""
    order = np.argsort(~np.isfinite(drawn.score), kind="stable")  # the legend shows the first
    lr, scores = drawn.lr[order], drawn.score[order]
    done = np.isfinite(scores)
    best = done & (scores == scores.min())
    points = {
        "x": lr,
        "y": axis.placed(scores, axis.failed),
        "name": label(drawn.entry, 24),
        "legendgroup": label(drawn.entry),
        "mode": "markers",
        "marker": _markers(style, done, np.where(best, 13, 8)),
        "text": [number(score, 4) for score in scores],
        "hovertemplate": "lr=%{x:.3g}: %{text}",
    }
    if not drawn.line:
        return [points]
    line = _silent(drawn.lr, axis.placed(drawn.score), drawn.entry)
    return [line | {"line": {"color": style.colour, "dash": style.dash, "width": 1.5}}, points]


def budget(drawn: Budget, axis: ScoreAxis, style: Style) -> Trace:
    """The curve of an entry against the number of trials."""
    return _line(drawn.entry, drawn.trials, axis.placed(drawn.score), style)


def seeds(pairs: Pairs, axis: ScoreAxis) -> Trace:
    """One grey line for each seed, all in one trace: nan lifts the pen."""
    gap = np.full((len(pairs.seeds), 1), np.nan)
    y = np.hstack([axis.placed(pairs.scores), gap])
    x = np.tile(np.arange(float(y.shape[1])), len(pairs.seeds))
    return _silent(x, y.ravel(), "seeds") | {"line": {"color": NEUTRAL, "width": 1}}


def strip(pairs: Pairs, place: int, axis: ScoreAxis, style: Style) -> Trace:
    """The fresh scores of one entry, in its column."""
    ran = ~np.isnan(pairs.scores[:, place])
    scores = pairs.scores[ran, place]
    named = zip(np.array(pairs.seeds)[ran], scores, strict=True)
    return {
        "x": np.full(scores.size, float(place)),
        "y": axis.placed(scores, axis.failed),
        "name": label(pairs.entries[place], 24),
        "mode": "markers",
        "marker": _markers(style, np.isfinite(scores), 9),
        "text": [f"seed {seed}: {number(score, 4)}" for seed, score in named],
        "hovertemplate": "%{text}",
    }


def _line(entry: str, x: Floats, y: Floats, style: Style) -> Trace:
    return {
        "x": x,
        "y": y,
        "name": label(entry, 24),
        "legendgroup": label(entry),
        "mode": "lines+markers",
        "line": {"color": style.colour, "dash": style.dash, "width": 2},
        "marker": {"color": style.colour, "symbol": style.marker, "size": 7},
        "hovertemplate": "%{x}: %{y:.4g}",
    }


def _silent(x: Floats, y: Floats, group: str) -> Trace:
    """A line without legend and hover label."""
    return {
        "x": x,
        "y": y,
        "mode": "lines",
        "legendgroup": label(group),
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _markers(style: Style, done: NDArray[np.bool_], size: Any) -> Trace:
    return {
        "color": style.colour,
        "symbol": [style.marker if finished else CROSS for finished in done],
        "size": size,
        "opacity": 1,
        "line": {"width": np.where(done, 0, 2)},
    }
