"""The sections of the report that hold a figure: heading, figure and what one sees in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from descend.lab.records import RaceResult
from descend.plot import curves, figures
from descend.plot.looks import drawn_on_log, finite_values
from descend.plot.markup import escaped, section


@dataclass(frozen=True)
class Section:
    """One figure on the page."""

    html: str
    spec: Mapping[str, Any] | None
    """What plotly draws into the element; None when the section holds a sentence instead."""


def figure_sections(result: RaceResult) -> dict[str, Section]:
    """The figures of a race as sections of a page.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    dict of str to Section
        By the id of the element that the figure is drawn into.
    """
    return {part.name: _drawn(part, result) for part in _PARTS}


@dataclass(frozen=True)
class _Part:
    name: str
    heading: str
    draw: Callable[[RaceResult], Any]
    caption: str


_PARTS = (
    _Part(
        "differences",
        "Differences to the leader",
        figures.difference_figure,
        "Mean paired difference over the fresh seeds with its 95 % interval, unadjusted; further right is "
        "worse. The tie groups follow the adjusted p, not these intervals taken one by one.",
    ),
    _Part(
        "curves",
        "Progress",
        figures.curve_figure,
        "Median over the fresh seeds and the band between the quartiles, against gradient "
        "evaluations. Failed runs count as the worst: where half of them failed, the line "
        "ends. What rises far above the start leaves the view; double-click to see all.",
    ),
    _Part(
        "pairs",
        "Seed by seed",
        figures.paired_figure,
        "Each marker is one fresh run; a grey line joins the runs that share start and "
        "batches. Lines that run in parallel mean that the seeds agree.",
    ),
    _Part(
        "sensitivity",
        "Sensitivity to the learning rate",
        figures.sensitivity_figure,
        "Each marker is one tuning trial, the larger one an entry’s best; a wide valley is "
        "easy to tune. Crosses along the top failed.",
    ),
    _Part(
        "budget",
        "What tuning buys",
        figures.budget_figure,
        "Expected best validation score after k tuning trials, the first of them the default: "
        "read off who is ahead with a smaller budget. A line begins where not all k trials can "
        "have failed.",
    ),
)


def _drawn(part: _Part, result: RaceResult) -> Section:
    figure = part.draw(result)
    if not figure.data:
        sentence = figure.layout.annotations[0].text  # already escaped for plotly
        return Section(section(part.heading, f"<p>{sentence}</p>"), None)
    content = (
        f'<figure><div class="plot" id="{part.name}">'
        "<p>This figure needs JavaScript.</p></div>"
        f"<figcaption>{escaped(part.caption)}{_zeros(part.name, result)}</figcaption></figure>"
    )
    return Section(section(part.heading, content), figure.to_plotly_json())


def _zeros(name: str, result: RaceResult) -> str:
    """Where a logarithmic axis puts zeros, said only when there are some."""
    values = {
        "curves": [band.low for band in curves.curve_bands(result)],
        "pairs": [curves.paired_scores(result).scores],
        "sensitivity": [trials.score for trials in curves.lr_trials(result)],
        "budget": [budget.score for budget in curves.budget_curves(result)],
    }.get(name, [])
    finite = finite_values(values)
    if drawn_on_log([finite], result.problem.log_scale) and (finite == 0).any():
        return " A score of exactly 0 is drawn a decade below the smallest other one."
    return ""
