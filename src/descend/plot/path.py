"""The path of a rule on a function of two variables, drawn with matplotlib."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from descend._chain import Update, bind, chain
from descend._rule import Rule
from descend._stepper import Stepper
from descend.errors import ProblemError, StoreError
from descend.lab.functions import TestFunction, get_function

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = NDArray[np.float64]

STEPS = 60
START = (-4.5, 2.0)
_RATES = tuple(float(f"{rate:.3g}") for rate in np.geomspace(1e-4, 10.0, 31))
"""Six a decade: a path changes visibly over less than a factor of 1.5 only at the edge of stability."""
_LEAST = 1e-16
"""Values nearer to the minimum than this are drawn, and compared, as this."""
_BEYOND = 1e100
"""Values from here on are not drawn: an axis to 1e308 overflows."""
_HIGHEST = 4.0
"""A path that climbs above so many times its start is not the picture of a good lr, however it ends."""
_BLUE, _ORANGE = "#0072B2", "#D55E00"


@dataclass(frozen=True)
class Drawn:
    """What a picture shows, in numbers."""

    rule: str
    """With the learning rate that was found."""
    function: str
    steps: int
    start: float
    """The function's value at the start, and at the end:"""
    end: float
    searched: bool
    """Whether the learning rate is the best of a search."""

    @property
    def sentence(self) -> str:
        found = f"lr has the lowest curve of {len(_RATES)} from {_RATES[0]:g} to {_RATES[-1]:g}; " if self.searched else ""  # fmt: skip
        return (
            f"{self.rule} on {self.function}: {found}f goes from {self.start:.3g} to {self.end:.3g} "
            f"in {self.steps} steps."
        )


def draw_path(
    rule: Rule | Update, path: str | Path, *, function: str = "ravine", steps: int = STEPS
) -> Drawn:
    """Draw where a rule goes on a function of two variables, and how the value falls.

    Where the rule has an lr that is not set, the best of a small search is used, and said.

    Parameters
    ----------
    rule : a rule, bound or not, or a chain
    path : the picture, a .png, .svg or .pdf file
    function : a test function of two variables, as text
    steps : how many to take

    Raises
    ------
    ProblemError
        If the function has another number of variables.
    StoreError
        If the file cannot be written.
    """
    update, problem = bind(rule), get_function(function)
    if problem.n != 2:
        raise ProblemError(
            f"a path is drawn on a function of 2 variables; {function} has {problem.n}."
        )
    searched = "lr" in update.core.settings and "lr" not in dict(update.core.given)
    chosen = _best(update, problem, steps) if searched else update
    points, answers = _walk(chosen, problem, steps)
    values = _values(problem, answers)
    drawn = Drawn(chosen.text, problem.name, steps, float(values[0]), float(values[-1]), searched)
    _save(_figure(problem, points, answers, values, drawn), Path(path))
    return drawn


def _best(update: Update, problem: TestFunction, steps: int) -> Update:
    """The update with the lr whose curve of values lies lowest: the least mean of log10 (f − f*).

    The last value alone would reward an oscillation that happens to end near the minimum.
    """
    tried = [_with_rate(update, rate) for rate in _RATES]
    heights: list[float] = []
    for candidate in tried:
        gaps = _values(problem, _walk(candidate, problem, steps)[1]) - problem.minimum
        strays = not gaps.max() <= _HIGHEST * gaps[0]
        heights.append(math.inf if strays else float(np.mean(np.log10(np.maximum(gaps, _LEAST)))))
    return tried[int(np.argmin(heights))]


def _with_rate(update: Update, rate: float) -> Update:
    links = [link.replace(lr=rate) if link is update.core else link for link in update.links]
    return links[0] if len(links) == 1 else chain(*links)


def _walk(update: Update, problem: TestFunction, steps: int) -> tuple[Points, Points]:
    """Where x and the rule's answer are at each step, arrays of shape (steps + 1, 2)."""
    x = np.array(START)
    stepper = Stepper(update, x)
    points, answers = [x.copy()], [np.array(stepper.solution)]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            value, gradient = problem.value_and_gradient(x)
            stepper.step(gradient, value)
            points.append(x.copy())
            answers.append(np.array(stepper.solution))
    return np.array(points), np.array(answers)


def _values(problem: TestFunction, points: Points) -> Points:
    with np.errstate(all="ignore"):
        return np.array([problem.value(p) for p in points])


def _figure(
    problem: TestFunction, points: Points, answers: Points, values: Points, drawn: Drawn
) -> Figure:
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.8), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
        _draw_map(left, problem, points, answers)
        _draw_values(right, problem, values)
        title = f"{drawn.rule} on {problem.name}, {problem.formula}"
        figure.suptitle(title if len(title) < 90 else title[:89] + "…", fontsize=10)
        if drawn.searched:
            note = f"lr: the lowest curve of {len(_RATES)} from {_RATES[0]:g} to {_RATES[-1]:g}"
            left.set_title(note, fontsize=8, color="#555555", loc="left")
        left.legend(loc="upper right", fontsize=8, framealpha=0.9, edgecolor="none")
    return figure


def _draw_map(axes: Axes, problem: TestFunction, points: Points, answers: Points) -> None:
    (x_low, x_high), (y_low, y_high) = (_range(points[:, i], problem, i) for i in (0, 1))
    across, up = np.linspace(x_low, x_high, 160), np.linspace(y_low, y_high, 120)
    heights = np.array([[problem.value(np.array([a, b])) for a in across] for b in up])
    # roots of heights spread the lines evenly over a bowl
    levels = problem.minimum + (np.linspace(0.06, 1, 16) ** 2) * (heights.max() - problem.minimum)
    axes.contour(across, up, heights, levels=levels, colors="#9a9a9a", linewidths=0.6)
    path: dict[str, Any] = {"color": _BLUE, "linewidth": 1.1, "marker": "o", "markersize": 2.8}
    axes.plot(points[:, 0], points[:, 1], label="x", **path)
    if not np.array_equal(points, answers):
        axes.plot(answers[:, 0], answers[:, 1], color=_ORANGE, linewidth=1.4, label="answer")
    axes.plot(*START, marker="s", color="black", markersize=5, linestyle="none", label="start")
    for minimum in problem.minima:
        axes.plot(*minimum, marker="*", color="black", markersize=9, linestyle="none")
    axes.set(xlim=(x_low, x_high), ylim=(y_low, y_high), xlabel="x₁", ylabel="x₂")


def _range(values: Points, problem: TestFunction, axis: int) -> tuple[float, float]:
    """What one axis shows: the path and the minima, but at most thrice the way from the start."""
    ends = [START[axis], *(point[axis] for point in problem.minima)]
    way = max(max(ends) - min(ends), 1.0)
    seen = values[np.isfinite(values)].clip(min(ends) - way, max(ends) + way)
    low, high = min(*ends, seen.min()), max(*ends, seen.max())
    return low - 0.12 * (high - low), high + 0.12 * (high - low)


def _draw_values(axes: Axes, problem: TestFunction, values: Points) -> None:
    gaps = values - problem.minimum
    shown = np.where(gaps < _BEYOND, gaps, math.nan)
    axes.plot(np.arange(len(values)), np.maximum(shown, _LEAST), color=_BLUE, linewidth=1.4)
    axes.set_yscale("log")
    axes.set(
        xlabel="step", ylabel="f(x) − f*" if problem.minimum else "f(x)", xlim=(0, len(values) - 1)
    )
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)


def _save(figure: Figure, path: Path) -> None:
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(f"the picture must be a file that can be written; got {str(path)!r} ({reason}).") from None  # fmt: skip
