"""What the command shows: progress while a race runs, standings and lists after it.

On a terminal there are bars with the time left; elsewhere plain lines, so that logs stay readable.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from descend.lab.race import Progress
from descend.lab.records import Phase, RaceResult, Run, Standing
from descend.lab.store import RaceRow, to_json

_WIDE = 120
"""Columns from which on a table has one line for each entry."""
_WIDER = 140
"""Columns from which on there is room for the score at the end."""
_TITLES = {"tune": "tuning", "fresh": "fresh seeds"}


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    """Bars on a terminal, lines elsewhere."""
    if not console.is_terminal:
        yield _LineProgress()
        return
    bars = Bars(
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
        console=console,
        transient=True,
    )
    with bars:  # leaving it, also by Ctrl-C, gives the terminal its cursor back
        yield _BarProgress(bars)


class _LineProgress:
    """A line at each quarter of a phase."""

    def say(self, sentence: str) -> None:
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()

    def begin(self, phase: Phase, runs: int, done: int) -> None:
        self._title, self._runs, self._done = _TITLES[phase], runs, done
        self._started, self._before = time.monotonic(), done

    def advance(self, run: Run) -> None:  # noqa: ARG002 - a line tells how many, not which
        self._done += 1
        if self._done * 4 // self._runs == (self._done - 1) * 4 // self._runs:
            return
        passed = time.monotonic() - self._started
        left = passed / (self._done - self._before) * (self._runs - self._done)
        self.say(f"{self._title}: {self._done}/{self._runs} runs, {left:.0f} s left")


class _BarProgress:
    """One bar per phase, with the time left and the failures so far."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    def say(self, sentence: str) -> None:
        self._bars.console.print(Text(sentence))

    def begin(self, phase: Phase, runs: int, done: int) -> None:
        self._failed = 0
        self._task = self._bars.add_task(_TITLES[phase], total=runs, completed=done, failed="")

    def advance(self, run: Run) -> None:
        self._failed += run.status != "finished"
        failed = f"{self._failed} did not finish" if self._failed else ""
        self._bars.update(self._task, advance=1, failed=failed)


def show_standings(console: Console, result: RaceResult) -> None:
    """The standings as a table that fits the console, then what they leave open."""
    card = result.problem
    narrow = console.width < _WIDE
    table = Table(
        title=Text(f"{card.title}: {card.score}"),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE if narrow else box.HEAVY_HEAD,
        show_edge=not narrow,
        pad_edge=not narrow,
        collapse_padding=narrow,
    )
    columns = _columns(result, narrow, console.width >= _WIDER)
    for heading in columns:
        left = heading in ("entry", "best settings")
        table.add_column(
            Text(heading),
            justify="left" if left else "right",
            no_wrap=not left,
            overflow="fold",
        )
    before = 1
    for row, *cells in zip(result.standings, *columns.values(), strict=True):
        if row.group != before:
            table.add_section()
        before = row.group
        table.add_row(*map(Text, cells))
    console.print(table)
    for sentence in (*result.cannot_conclude, *card.notes):
        console.print(Text(f"· {sentence}"))


def _columns(result: RaceResult, narrow: bool, wide: bool) -> dict[str, list[str]]:
    """The cells under each heading; in a narrow table, settings and intervals go on second lines."""
    rows, card = result.standings, result.problem
    best = [settings_text(r.settings) + (" (edge)" if r.at_edge else "") for r in rows]
    names = [r.entry for r in rows]
    gap = "\n" if narrow else " "
    behind = [_behind(r, gap) for r in rows[1:]]
    first = "–" if all(r.failures == r.seeds for r in rows) else "leader"
    entries = {"entry": names, "best settings": best}
    if narrow:
        both = zip(names, best, strict=True)
        entries = {"entry": [f"{n}\n  {b}".replace(", ", "\n  ") for n, b in both]}
    leader = "leader" if narrow else "the leader"
    columns = {
        "group": [str(r.group) for r in rows],
        **entries,
        "median": [score_text(unscaled(r.median, card.log_scale)) for r in rows],
        f"behind {leader}\n({'log10, ' * card.log_scale}95 %,{gap}unadjusted)": [first, *behind],
        "p": ["", *("–" if math.isnan(r.p_value) else f"{r.p_value:.3g}" for r in rows[1:])],
        "untuned": [score_text(unscaled(r.default_score, card.log_scale)) for r in rows],
    }
    if wide:
        columns["at the end"] = [score_text(unscaled(r.last, card.log_scale)) for r in rows]
    if card.test_metric:
        heading = card.test_metric.partition(",")[0]
        columns[heading.replace(" ", gap)] = [score_text(r.test) for r in rows]
    if any(r.failures for r in rows):
        columns["failed"] = [f"{r.failures}/{r.seeds}" if r.failures else "" for r in rows]
    return columns


def _behind(row: Standing, gap: str) -> str:
    low, high = row.interval
    interval = "" if math.isnan(low) else f"{gap}[{low:+.2g}, {high:+.2g}]"
    return f"{row.difference:+.3g}{interval}"


def unscaled(value: float, log_scale: bool) -> float:
    """A number on the comparison scale as a score."""
    return 10.0**value if log_scale else value


def settings_text(settings: dict[str, float]) -> str:
    """``lr=0.0123, beta1=0.95``, or ``defaults``."""
    ordered = sorted(settings.items(), key=lambda item: (item[0] != "lr", item[0]))
    return ", ".join(f"{k}={v:.3g}" for k, v in ordered) or "defaults"


def score_text(value: float) -> str:
    """A score for a table: four digits, or why there is none."""
    if math.isnan(value):
        return "–"
    return "failed" if math.isinf(value) else f"{value:.4g}"


def show_races(console: Console, rows: Sequence[RaceRow]) -> None:
    """The races of a store."""
    table = Table()
    for heading in ("race", "problem", "status", "runs", "started", "best"):
        table.add_column(heading)
    for row in rows:
        started = f"{row.created.astimezone():%Y-%m-%d %H:%M}"
        cells = (
            str(row.race_id),
            row.problem,
            row.status,
            str(row.runs),
            started,
            ", ".join(row.leaders),
        )
        table.add_row(*map(Text, cells))
    console.print(table)


def standings_json(result: RaceResult) -> str:
    """The standings for programs: equal for equal seeds, whatever the number of workers."""
    rows = [_plain(row) for row in result.standings]
    return to_json(
        {"problem": result.problem.name, "metric": result.problem.score, "standings": rows}
    )


def _plain(row: Standing) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Standing.__dataclass_fields__}


def races_json(rows: Sequence[RaceRow]) -> str:
    """The races of a store for programs."""
    return json.dumps(
        [
            {
                "race": row.race_id,
                "problem": row.problem,
                "status": row.status,
                "runs": row.runs,
                "created": row.created.isoformat(),
                "finished": row.finished.isoformat() if row.finished else None,
                "best": list(row.leaders),
            }
            for row in rows
        ]
    )
