"""What the command shows: progress while a race runs, standings and lists after it.

On a terminal there are bars with the time left; elsewhere plain lines, so that logs stay readable.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from descend.lab.race import Progress
from descend.lab.records import Phase, RaceResult, Run, Standing
from descend.lab.store import RaceRow, to_json

_TITLES = {"tune": "tuning", "fresh": "fresh seeds"}


def progress_on(console: Console) -> Progress:
    """Bars on a terminal, lines elsewhere."""
    return _BarProgress(console) if console.is_terminal else _LineProgress()


class _LineProgress:
    """A line at each quarter of a phase."""

    def say(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    def begin(self, phase: Phase, runs: int, done: int) -> None:
        self._title, self._runs, self._done = _TITLES[phase], runs, done
        self._started, self._before = time.monotonic(), done

    def advance(self, run: Run) -> None:
        self._done += 1
        if self._done * 4 // self._runs == (self._done - 1) * 4 // self._runs:
            return
        passed = time.monotonic() - self._started
        left = passed / (self._done - self._before) * (self._runs - self._done)
        self.say(f"{self._title}: {self._done}/{self._runs} runs, {left:.0f} s left")


class _BarProgress:
    """One bar per phase, with the time left and the failures so far."""

    def __init__(self, console: Console) -> None:
        columns = TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self._console = console
        self._bars = Bars(*columns, TextColumn("{task.fields[failed]}"), console=console, transient=True)

    def say(self, sentence: str) -> None:
        self._console.print(Text(sentence))

    def begin(self, phase: Phase, runs: int, done: int) -> None:
        self._failed = 0
        self._bars.start()
        self._task = self._bars.add_task(_TITLES[phase], total=runs, completed=done, failed="")

    def advance(self, run: Run) -> None:
        self._failed += run.status != "finished"
        failed = f"{self._failed} did not finish" if self._failed else ""
        self._bars.update(self._task, advance=1, failed=failed)
        if self._bars.finished:
            self._bars.stop()


def show_standings(console: Console, result: RaceResult) -> None:
    """The standings as a table, then what they leave open."""
    card = result.problem
    table = Table(title=Text(f"{card.title}: {card.metric}"), title_justify="left", title_style="bold")
    scale = "log10, " if card.log_scale else ""
    for heading in ("group", "entry", "best settings", "median", f"behind the leader ({scale}95 %)", "p", "default"):
        table.add_column(heading, justify="left" if heading in ("entry", "best settings") else "right")
    if card.test_metric:
        table.add_column(card.test_metric, justify="right")
    table.add_column("failed", justify="right")
    before = 1
    for row in result.standings:
        if row.group != before:
            table.add_section()
        before = row.group
        table.add_row(*map(Text, _cells(row, result)))
    console.print(table)
    for sentence in (*card.notes, *result.cannot_conclude):
        console.print(Text(f"· {sentence}"))


def _cells(row: Standing, result: RaceResult) -> list[str]:
    card = result.problem
    behind = f"{row.difference:+.3g} [{row.interval[0]:+.2g}, {row.interval[1]:+.2g}]"
    first = row is result.standings[0]
    return [
        str(row.group),
        row.entry,
        settings_text(row.settings) + ("  (edge)" if row.at_edge else ""),
        score_text(unscaled(row.median, card.log_scale)),
        "leader" if first else behind,
        "" if first else f"{row.p_value:.3g}",
        score_text(row.default_score),
        *([score_text(row.test)] if card.test_metric else []),
        f"{row.failures}/{row.seeds}" if row.failures else "",
    ]


def unscaled(value: float, log_scale: bool) -> float:
    """A number on the comparison scale as a score."""
    return 10.0**value if log_scale else value


def settings_text(settings: dict[str, float]) -> str:
    """``lr=0.0123, beta1=0.95``, or ``defaults``."""
    return ", ".join(f"{k}={v:.3g}" for k, v in settings.items()) or "defaults"


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
        cells = (str(row.race_id), row.problem, row.status, str(row.runs), started, ", ".join(row.leaders))
        table.add_row(*map(Text, cells))
    console.print(table)


def standings_json(result: RaceResult) -> str:
    """The standings for programs: equal for equal seeds, whatever the number of workers."""
    rows = [_plain(row) for row in result.standings]
    return to_json({"problem": result.problem.name, "metric": result.problem.metric, "standings": rows})


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
