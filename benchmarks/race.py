"""The default race on digits: how long it takes, and what a second worker brings."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.timing import machine, table


def run() -> str:
    """The table of whole races, and a check that the number of workers leaves the standings alone."""
    took: dict[int, list[float]] = {1: [], 2: []}
    answers = set()
    for _ in range(3):
        for jobs, times in took.items():
            seconds, answer = _race(jobs)
            times.append(seconds)
            answers.add(answer)
    if len(answers) != 1:
        raise AssertionError("the standings depend on the number of workers")
    one, two = (sorted(times)[1] for times in took.values())
    rows = [
        ("-j 1", f"{one:.1f} s", "1"),
        ("-j 2", f"{two:.1f} s", f"{one / two:.2f}"),
    ]
    note = f"`descend race digits` as a whole process (start, race, report), median of 3 in turn. {machine('numpy', 'numba', 'scikit-learn')}."
    return f"{note}\n\n{table(('workers', 'time', 'speed-up'), rows)}\n\nAll six runs print the same standings, bit for bit."


def _race(jobs: int) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "descend", "race", "digits", "-j", str(jobs), "--json"]
        files = ["--db", str(Path(folder) / "runs.db"), "-o", str(Path(folder) / "race.html")]
        started = time.perf_counter()
        done = subprocess.run([*command, *files], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    return seconds, json.dumps(json.loads(done.stdout)["standings"])


if __name__ == "__main__":
    print(run())
