"""Colours, dashes, labels and score axes: what all figures of a race have in common.

An entry has the same colour, dash and marker in every figure. Nothing here needs a drawing
library; the words for dashes and markers are plotly's.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from descend.lab.records import RaceResult
from descend.plot.curves import Floats
from descend.plot.wording import short

# Okabe and Ito's palette without black and yellow, which vanish on one of the two backgrounds;
# 7 colours, 6 dashes and 11 markers have no common factor: the first 42 entries all differ.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8A8A8A")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "star",
    "pentagon",
    "triangle-down",
    "hexagon",
    "cross",
    "hourglass",
    "bowtie",
)
NEUTRAL = "rgba(128, 128, 128, 0.45)"
"""Lines that belong to no entry; visible on both backgrounds."""
DECADES_FOR_LOG = 2.0
"""Scores that span more than this are drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Style:
    """How one entry is drawn."""

    colour: str
    dash: str
    marker: str


def styles(result: RaceResult) -> dict[str, Style]:
    """The style of every entry, by its place in the standings.

    Parameters
    ----------
    result : RaceResult
        The race.

    Returns
    -------
    dict of str to Style
        The first 42 all differ.
    """
    return {
        row.entry: Style(
            COLOURS[place % len(COLOURS)],
            DASHES[place % len(DASHES)],
            MARKERS[place % len(MARKERS)],
        )
        for place, row in enumerate(result.standings)
    }


def label(text: str, most: int = 40) -> str:
    """Any text as a plotly label: one line, cut, and free of markup.

    Parameters
    ----------
    text : str
        Any text.
    most : int
        Characters that stay.

    Returns
    -------
    str
        Plotly shows it letter by letter.

    Examples
    --------
    >>> label('<a href="https://example.org">adam</a>')
    '&lt;a href="https://example.org"&gt;adam&lt;/a&gt;'
    """
    return html.escape(short(text, most), quote=False)


def drawn_on_log(values: Iterable[ArrayLike], log_scale: bool) -> bool:
    """Whether scores belong on a logarithmic axis.

    Parameters
    ----------
    values : iterable of arrays
        Everything that is drawn on the axis.
    log_scale : bool
        The problem asks for it.

    Returns
    -------
    bool
        True when no finite value is negative, one is positive, and ``log_scale`` holds or the
        positive values span more than two decades.

    Examples
    --------
    >>> drawn_on_log([[1.0, 200.0]], False), drawn_on_log([[0.0, 1.0]], True)
    (True, True)
    >>> drawn_on_log([[-1.0, 200.0]], True)
    False
    """
    finite = finite_values(values)
    positive = finite[finite > 0]
    if not positive.size or np.any(finite < 0):
        return False
    span = float(np.log10(positive.max()) - np.log10(positive.min()))
    return log_scale or span > DECADES_FOR_LOG


def finite_values(values: Iterable[ArrayLike]) -> Floats:
    """All finite numbers of several arrays in one flat array.

    Parameters
    ----------
    values : iterable of arrays
        Of any shapes.

    Returns
    -------
    array of shape (n,)
        Without nan and inf.
    """
    parts = [np.ravel(np.asarray(part, dtype=np.float64)) for part in values]
    flat = np.concatenate(parts) if parts else np.empty(0)
    return flat[np.isfinite(flat)]


@dataclass(frozen=True)
class ScoreAxis:
    """The score axis of one figure: linear or logarithmic, with a place for zeros and failures."""

    log: bool
    low: float
    high: float
    blank: bool = False
    """Nothing finite is drawn: the axis has no numbers."""

    @classmethod
    def of(cls, values: Iterable[Floats], log_scale: bool) -> ScoreAxis:
        """The axis on which all these scores can be drawn."""
        finite = finite_values(values)
        log = drawn_on_log([finite], log_scale)
        if not finite.size:
            return cls(log=False, low=0.0, high=1.0, blank=True)
        low, high = float(finite.min()), float(finite.max())
        if log and low == 0:  # zeros sit one decade below everything else
            low = float(finite[finite > 0].min()) / 10
        # Beyond that the quotient of the ends overflows.
        return cls(log=log, low=max(low, 1e-100) if log else low, high=high)

    @property
    def failed(self) -> float:
        """Where failures are marked: above every finite score."""
        return self.above(self.high)

    def over(self, start: float) -> float:
        """Where a view of progress ends: a quarter of the way down from ``start`` above it."""
        if start <= self.low:  # nothing fell: show what there is
            return self.failed
        room = (start / self.low) ** 0.25 * start if self.log else start + (start - self.low) / 4
        return min(room, self.failed)

    def above(self, value: float) -> float:
        """A tenth of the axis above ``value``."""
        if self.log:
            return float(value * max(self.high / self.low, 1.5) ** 0.1)
        return value + 0.1 * ((self.high - self.low) or abs(self.high) or 1.0)

    def placed(self, scores: Floats, ceiling: float = math.nan) -> Floats:
        """Scores as they are drawn; what is not finite becomes ``ceiling``."""
        shown = np.where(np.isfinite(scores), scores, ceiling)
        return np.maximum(shown, self.low) if self.log else shown

    def layout(self, top: float | None = None) -> dict[str, Any]:
        """Keywords of the plotly axis, ending a little above ``top``."""
        kind: dict[str, Any] = {"type": "log" if self.log else "linear", "exponentformat": "power"}
        kind["showticklabels"] = not self.blank
        if top is None:
            return kind
        low, high = (math.log10(self.low), math.log10(top)) if self.log else (self.low, top)
        room = 0.05 * ((high - low) or 1.0)
        return kind | {"range": [low - room, high + room]}


def round_factors(low: float, high: float) -> list[float]:
    """Ticks of an axis of factors.

    Parameters
    ----------
    low, high : float
        Both ends of the data, as log10.

    Returns
    -------
    list of float
        At most ten round factors as log10; the factor 1 is one of them.

    Examples
    --------
    >>> round_factors(0.0, 2.5)
    [0.0, 1.0, 2.0, 3.0]
    """
    steps = [*map(math.log10, (1.01, 1.1, 2)), 1.0, 2.0, 5.0, 10.0, 50.0]
    step = next((step for step in steps if (high - low) / step <= 8), max(1.0, (high - low) / 5))
    return [step * at for at in range(math.floor(low / step), math.ceil(high / step) + 1)]


def faded(colour: str) -> str:
    """The colour for a band that lies over other bands.

    Parameters
    ----------
    colour : str
        ``#rrggbb``.

    Returns
    -------
    str
        The same colour, nearly transparent.

    Examples
    --------
    >>> faded("#0072B2")
    'rgba(0, 114, 178, 0.16)'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.16)"
