"""The pictures of a race as plotly figures: each function takes the result and returns one.

An entry has the same colour, dash and marker in every figure. A figure that has nothing to
draw holds no trace and one sentence that says why. Entry names are other people's text: plotly
reads a small HTML in its labels, so they are escaped.
"""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from descend.lab.records import RaceResult
from descend.plot import curves, traces
from descend.plot.looks import NEUTRAL, ScoreAxis, finite_values, label, round_factors, styles
from descend.plot.wording import signed


def difference_figure(result: RaceResult) -> go.Figure:
    """Mean paired difference to the leader with its 95 % interval, unadjusted, a row for each entry.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    plotly Figure
        Where scores span decades the axis shows factors.
    """
    rows = result.standings
    if len(rows) < 2:
        return _empty("One entry alone has nobody to be compared with.")
    if 0 < rows[0].seeds <= rows[0].failures:
        return _empty("The leader finished on no seed: there is no distance to measure.")
    clean = [row for row in rows[1:] if not row.failures]
    finite = finite_values([[0.0], *((row.difference, *row.interval) for row in clean)])
    log_scale = result.problem.log_scale
    low, high = float(finite.min()), float(finite.max())
    tail = high + max(0.12 * (high - low), 1e-12 if high > low else 1.0)
    figure = _figure(height=110 + 34 * len(rows))
    for place, row in enumerate(rows):
        figure.add_trace(traces.difference(row, place, tail, styles(result)[row.entry], log_scale))
    leader = label(rows[0].entry)
    title = f"score as a multiple of {leader}’s" if log_scale else f"score above {leader}’s"
    edge = [low - 0.08 * (tail - low), tail + 0.04 * (tail - low)]
    figure.update_xaxes(title_text=title, range=edge, zeroline=True, zerolinewidth=1.5)
    if log_scale:
        places = round_factors(low, high)
        figure.update_xaxes(tickvals=places, ticktext=[signed(at, True) for at in places])
    ticks = list(range(len(rows)))
    figure.update_yaxes(tickvals=ticks, ticktext=[label(row.entry, 24) for row in rows])
    figure.update_yaxes(range=[len(rows) - 0.5, -0.5], showgrid=False, fixedrange=True)
    return figure.update_layout(showlegend=False)


def curve_figure(result: RaceResult) -> go.Figure:
    """Median score against gradient evaluations over the fresh seeds, with quartile bands.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    plotly Figure
        The view stops a little above the start: what diverges leaves through the top.
    """
    bands = curves.curve_bands(result)
    medians = [band.median for band in bands]
    if not finite_values(medians).size:
        return _empty("No fresh run left a curve.")
    axis = ScoreAxis.of([*medians, *(band.low for band in bands)], result.problem.log_scale)
    start = finite_values([median[:1] for median in medians])
    top = axis.over(max(start, default=axis.high))
    figure = _figure(height=420, named=len(bands))
    for band in bands:
        ceiling = max(top, axis.failed)
        figure.add_traces(traces.band(band, axis, styles(result)[band.entry], ceiling))
    figure.update_xaxes(title_text="gradient evaluations", rangemode="tozero")
    figure.update_yaxes(title_text=label(result.problem.metric), **axis.layout(top))
    return figure


def sensitivity_figure(result: RaceResult) -> go.Figure:
    """Validation score of the tuning trials against their learning rate.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    plotly Figure
        Failed trials are crosses along the top; an entry's best trial is drawn larger.
    """
    found = curves.lr_trials(result)
    if not found:
        return _empty("No tuning trial has a known learning rate.")
    axis = ScoreAxis.of([trials.score for trials in found], result.problem.log_scale)
    figure = _figure(height=400, named=len(found))
    for trials in found:
        figure.add_traces(traces.trials(trials, axis, styles(result)[trials.entry]))
    if any(not np.isfinite(trials.score).all() for trials in found):
        _mark_failed(figure, axis)
    figure.update_xaxes(title_text="learning rate", type="log", exponentformat="power")
    figure.update_yaxes(title_text=label(result.problem.short_score), **axis.layout(axis.failed))
    return figure


def budget_figure(result: RaceResult) -> go.Figure:
    """Expected best validation score against the number of tuning trials.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    plotly Figure
        A line for each entry.
    """
    found = curves.budget_curves(result)
    if not finite_values([budget.score for budget in found]).size:
        return _empty("No tuning trial finished.")
    axis = ScoreAxis.of([budget.score for budget in found], result.problem.log_scale)
    figure = _figure(height=360, named=len(found))
    for budget in found:
        figure.add_trace(traces.budget(budget, axis, styles(result)[budget.entry]))
    most = max(budget.trials.size for budget in found)
    step = {"dtick": 1} if most <= 20 else {}
    figure.update_xaxes(title_text="tuning trials", range=[0.5, most + 0.5], **step)
    figure.update_yaxes(title_text=label(result.problem.short_score), **axis.layout())
    return figure


def paired_figure(result: RaceResult) -> go.Figure:
    """Every fresh score; a line joins the scores of one seed across the entries.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    plotly Figure
        Failed runs are crosses along the top.
    """
    pairs = curves.paired_scores(result)
    if not pairs.seeds:
        return _empty("There are no fresh runs.")
    axis = ScoreAxis.of([pairs.scores], result.problem.log_scale)
    figure = _figure(height=440)
    figure.add_trace(traces.seeds(pairs, axis))
    for place, entry in enumerate(pairs.entries):
        figure.add_trace(traces.strip(pairs, place, axis, styles(result)[entry]))
    if np.isposinf(pairs.scores).any():
        _mark_failed(figure, axis)
    names = [label(entry, 16) for entry in pairs.entries]
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.5]
    )
    figure.update_xaxes(tickangle=-40 if len(names) > 8 else 0)
    figure.update_yaxes(title_text=label(result.problem.short_score), **axis.layout(axis.failed))
    return figure.update_layout(showlegend=False)


def plotly_script() -> str:
    """The JavaScript that draws the figures in a page.

    Returns
    -------
    str
        Nearly 5 MB.
    """
    return str(get_plotlyjs())


def _figure(height: int, named: int = 0) -> go.Figure:
    """An empty figure; ``named`` entries in its legend make it higher."""
    legend = 22 * math.ceil(named / 5)
    figure = go.Figure()
    figure.update_layout(
        template=go.layout.Template(),
        height=height + legend,
        margin={"l": 64, "r": 16, "t": 28, "b": 56},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="closest",
    )
    grid = {"gridcolor": "rgba(128, 128, 128, 0.25)", "zeroline": False, "automargin": True}
    figure.update_xaxes(**grid, zerolinecolor=NEUTRAL)
    return figure.update_yaxes(**grid, zerolinecolor=NEUTRAL)


def _empty(sentence: str) -> go.Figure:
    figure = _figure(height=120)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure.add_annotation(text=label(sentence, 200), showarrow=False)


def _mark_failed(figure: go.Figure, axis: ScoreAxis) -> None:
    """A dotted line along the top, named, on which the failures lie."""
    height = math.log10(axis.failed) if axis.log else axis.failed
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=axis.failed, y1=axis.failed,
                     layer="below", line={"color": NEUTRAL, "dash": "dot", "width": 1})  # fmt: skip
    figure.add_annotation(xref="paper", x=1, y=height, text="failed", showarrow=False,
                          xanchor="right", yanchor="bottom")  # fmt: skip
