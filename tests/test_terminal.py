"""What the terminal shows: tables that fit, plain lines for logs, bars that give the cursor back."""

from __future__ import annotations

import inspect
import io
import math
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import descend as dd
from descend.cli import terminal
from descend.lab.records import Curve, ProblemCard, RaceResult, Run, RunKey, Standing


def standing(entry: str, group: int = 1, **changed) -> Standing:
    values = {
        "entry": entry,
        "group": group,
        "trial": 2,
        "settings": {"beta1": 0.95, "lr": 0.012345},
        "text": entry,
        "mean": 0.5,
        "median": 0.51234,
        "quartiles": (0.4, 0.6),
        "last": 0.71234,
        "difference": 0.0123456,
        "interval": (-0.00123, 0.0456),
        "p_value": 0.0432,
        "failures": 0,
        "tuning_failures": 0,
        "seeds": 10,
        "default_score": 0.61234,
        "tuned_score": 0.5,
        "test": 0.03125,
        "at_edge": (),
    }
    return Standing(**{**values, **changed})


def result(*rows: Standing, log_scale: bool = False, test_metric: str = "test error") -> RaceResult:
    card = ProblemCard(
        "wine", "wine: softmax", "log loss", log_scale, (), ("A note.",), test_metric
    )
    return RaceResult(1, card, rows, (), {}, {}, {}, {}, ("Left open.",), "descend race wine")


def shown(result: RaceResult, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    terminal.show_standings(console, result)
    return console.file.getvalue()


LONG = "clip_norm:max_norm=1.0 > schedule_free_sgd+warmup+cosine:beta=0.98765"


@pytest.mark.parametrize("width", [80, 100, 119, 120, 160])
def test_every_cell_is_there_at_any_width(width: int) -> None:
    rows = standing("adam"), standing(LONG, 2, at_edge=("lr",)), standing("lion", 3, failures=3)
    text = shown(result(*rows), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    together = re.sub(r"\s", "", text)
    for cell in (
        "0.5123",
        "+0.0123",
        "[-0.0012,+0.046]",
        "0.0432",
        "0.6123",
        "0.03125",
        "3/10",
        "lr=0.0123",
    ):
        assert cell in together
    for cell in ("leader", "beta1=0.95", "(edge)", "· A note.", "· Left open.", "log loss"):
        assert cell in text


def test_a_wide_table_has_one_line_for_each_entry() -> None:
    text = shown(result(standing("adam"), standing("schedule_free_sgd", 2)), 160)
    (line,) = [line for line in text.splitlines() if "schedule_free_sgd" in line]
    assert "lr=0.0123, beta1=0.95" in line
    assert "+0.0123 [-0.0012, +0.046]" in line


def test_at_80_columns_names_and_numbers_stay_whole() -> None:
    lines = shown(result(standing("adam"), standing("schedule_free_sgd", 2)), 80).splitlines()
    at = next(i for i, line in enumerate(lines) if "schedule_free_sgd" in line)
    assert "+0.0123" in lines[at]
    assert "lr=0.0123" in lines[at + 1]
    assert "[-0.0012, +0.046]" in lines[at + 1]
    assert "beta1=0.95" in lines[at + 2]


def test_the_leader_is_named_and_not_compared_with_itself() -> None:
    text = shown(result(standing("adam", difference=0.0, p_value=1.0), standing("sgd")), 160)
    (line,) = [line for line in text.splitlines() if " adam " in line]
    assert "leader" in line
    assert "+0" not in line


def test_columns_without_content_are_left_out() -> None:
    text = shown(result(standing("adam", test=math.nan), test_metric=""), 160)
    assert "failed" not in text
    assert "test" not in text
    assert "failed" in shown(result(standing("adam", failures=1)), 160)


def test_scores_on_a_log_scale_are_shown_as_scores() -> None:
    text = shown(result(standing("adam", median=-3.0), standing("sgd"), log_scale=True), 160)
    assert "0.001" in text
    assert "log10" in text


def test_what_failed_is_said_in_words() -> None:
    row = standing("adam", median=math.inf, default_score=math.inf, failures=10, settings={})
    text = shown(result(row), 160)
    assert text.count("failed") == 3  # the heading, the median, the default
    assert "defaults" in text
    assert "inf" not in text


def test_names_are_text_and_no_markup() -> None:
    rows = standing("[red]adam[/red]"), standing("[/]"), standing(":smile:")
    text = shown(result(*rows), 160)
    for row in rows:
        assert row.entry in text


def test_output_for_a_file_has_no_control_codes() -> None:
    assert "\x1b" not in shown(result(standing("adam")), 160)


def done(status: str = "finished") -> Run:
    curve = Curve(np.empty(0, np.int64), np.empty(0))
    return Run(RunKey("sgd", "tune", 1, 0), {}, status, "", 1.0, math.nan, 1, 0.0, curve)


def test_away_from_a_terminal_progress_is_a_line_at_each_quarter(capsys) -> None:
    with terminal.progress_on(Console(file=io.StringIO())) as progress:
        progress.say("Ready.")
        progress.begin("tune", 8, 0)
        for _ in range(8):
            progress.advance(done())
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "Ready."
    assert [line.partition(",")[0] for line in lines[1:]] == [
        f"tuning: {k}/8 runs" for k in (2, 4, 6, 8)
    ]


@pytest.mark.parametrize("runs", [1, 3, 100])
def test_lines_end_with_the_last_run_whatever_was_done_before(runs: int, capsys) -> None:
    with terminal.progress_on(Console(file=io.StringIO())) as progress:
        progress.begin("fresh", runs, runs)  # nothing left of a resumed race
        progress.begin("fresh", runs, runs - 1)
        progress.advance(done())
    assert capsys.readouterr().err == f"fresh seeds: {runs}/{runs} runs, 0 s left\n"


def test_bars_count_what_did_not_finish_and_vanish() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with terminal.progress_on(console) as progress:
        progress.begin("tune", 2, 0)
        progress.advance(done())
        progress.advance(done("diverged"))
        progress.begin("fresh", 1, 1)
    text = console.file.getvalue()
    assert "2/2" in text
    assert "1 did not finish" in text
    assert "fresh seeds" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back


def test_bars_give_the_cursor_back_after_an_interruption() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with pytest.raises(KeyboardInterrupt), terminal.progress_on(console) as progress:
        progress.begin("tune", 2, 0)
        raise KeyboardInterrupt
    text = console.file.getvalue()
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_ctrl_c_on_a_terminal_ends_the_race_with_a_clean_screen(tmp_path: Path) -> None:
    import pty

    (tmp_path / "my.py").write_text(
        "import time\nx0 = [1.0]\ndef f(x):\n    time.sleep(0.002)\n    return float(x @ x), 2 * x\n"
    )
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "descend", "race", "my.py:f", "--rules=sgd", "-j2"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(Path(inspect.getfile(dd)).parents[1]),
            "TERM": "xterm",
            "COLUMNS": "80",
        },
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        preexec_fn=own_terminal,
    )
    os.close(follower)
    text = read_until(leader, "tuning", 30)
    os.write(leader, b"\x03")
    text += read_until(leader, None, 10)
    os.close(leader)
    assert process.wait(10) == 130
    assert "Go on with: " in text
    assert "Traceback" not in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def own_terminal() -> None:
    """Make standard input the controlling terminal, whose Ctrl-C goes to the whole group."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def read_until(terminal: int, word: str | None, seconds: float) -> str:
    """What comes up to ``word``, or to the end."""
    found, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and (word is None or word.encode() not in found):
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            found += os.read(terminal, 65536)
        except OSError:  # the last process has closed it
            break
    return found.decode(errors="replace")


def test_where_nobody_finished_nobody_leads() -> None:
    rows = [
        standing(name, median=math.inf, default_score=math.inf, failures=10)
        for name in ("adam", "sgd")
    ]
    text = shown(result(*rows), 160)
    (line,) = [line for line in text.splitlines() if " adam " in line]
    assert "leader" not in line
    assert text.index("· Left open.") < text.index("· A note.")


def test_without_an_interval_or_a_p_there_is_a_dash_and_no_bracket() -> None:
    nothing = {"interval": (math.nan, math.nan), "p_value": math.nan}
    text = shown(result(standing("adam"), standing("sgd", **nothing)), 160)
    (line,) = [line for line in text.splitlines() if " sgd " in line]
    assert "+0.0123" in line
    assert "[" not in line
    assert "–" in line
    assert "nan" not in text


def test_the_score_at_the_end_is_shown_where_there_is_room() -> None:
    assert "0.7123" in shown(result(standing("adam")), 160)
    assert "0.7123" not in shown(result(standing("adam")), 120)


def test_the_defaults_on_a_log_scale_are_shown_as_scores() -> None:
    text = shown(result(standing("adam", default_score=-2.0, last=-4.0), log_scale=True), 160)
    assert " 0.01 " in text
    assert " 0.0001 " in text
