"""The command: what it prints, what it refuses and how, and that nothing is left half-written."""

from __future__ import annotations

import csv
import inspect
import json
import math
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import descend as dd
from descend import __version__, cli
from descend.lab import race as race_module
from descend.lab.trial import run_trial

SMALL = ["--budget=2", "--seeds=2", "--steps=20", "-j2"]


class InlinePool:
    """The trials in this process: workers have tests of their own."""

    def __init__(self, problem, jobs: int) -> None:
        self.problem = problem

    def seconds_per_run(self, tasks) -> float:
        return 0.01

    def run(self, tasks):
        return (run_trial(self.problem, task) for task in tasks)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(race_module, "Pool", InlinePool)
    return tmp_path


@pytest.fixture
def descend(folder: Path, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        status = cli._status(list(arguments))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def strict_json(text: str):
    """JSON without NaN and Infinity, which are no JSON."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def refused(result: tuple[int, str, str]) -> str:
    status, out, err = result
    assert status == 2
    assert out == ""
    assert err.startswith("descend: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def tree(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


# races


def test_a_race_prints_standings_and_leaves_a_store_and_a_report(descend, folder: Path) -> None:
    status, out, err = descend(
        "race", "booth", "--rules", "sgd,adam+cosine", "--rule", "adam:beta1=0.8,lr=0.1", *SMALL
    )
    assert status == 0
    for text in (
        "booth: best f(x) − f* at 20 checkpoints",
        "sgd",
        "adam+cosine",
        "adam:beta1=0.8,lr=0.1",
        "leader",
        "race 1",
    ):
        assert text in out
    assert "3 entries, " in err
    assert sorted(tree(folder)) == ["descend.db", "race.html"]
    assert "\x1b" not in out + err


def test_the_printed_command_runs_the_same_race_again(descend, folder: Path) -> None:
    _, out, _ = descend("race", "wine", "--rules", "sgd,adam", "--rule", "adam:lr=0.1", *SMALL, "--seed=3", "--extend=1", "--batch-size=16")  # fmt: skip
    again = next(line for line in out.splitlines() if line.startswith("Again: "))
    command = shlex.split(again.removeprefix("Again: "))
    assert command[0] == "descend"
    assert descend(*command[1:])[0] == 0
    first, second = (json.loads(descend("runs", "show", n, "--json")[1]) for n in "12")
    assert first == second


def test_json_is_all_that_goes_to_stdout_and_is_equal_for_any_number_of_workers(descend) -> None:
    texts = [
        descend("race", "rosenbrock", "--rules=sgd,adam", *SMALL[:-1], f"-j{n}", "--json")[1]
        for n in (1, 2)
    ]
    assert texts[0] == texts[1]
    told = strict_json(texts[0])
    assert told["problem"] == "rosenbrock"
    assert [row["entry"] for row in told["standings"]] == ["adam", "sgd"]
    assert (
        descend("race", "rosenbrock", "--rules=sgd,adam", *SMALL, "--seed=1", "--json")[1]
        != texts[0]
    )


def test_a_number_that_is_not_finite_is_still_json(descend) -> None:
    _, out, _ = descend("race", "rosenbrock", "--rule=sgd:lr=10", *SMALL, "--json")
    (row,) = strict_json(out)["standings"]
    assert row["failures"] == 2


def test_what_a_users_file_prints_does_not_mix_with_json(descend, folder: Path) -> None:
    (folder / "my.py").write_text(
        "print('reading')\nx0 = [1.0]\ndef f(x):\n    print('f')\n    return float(x @ x)\n"
    )
    status, out, err = descend("race", "my.py:f", "--rules=sgd", *SMALL, "--json")
    assert status == 0
    assert strict_json(out)["problem"] == "my.py:f"
    assert "reading" in err


@pytest.mark.parametrize(("option", "trials", "seeds"), [("--quick", 8, 6), ("--thorough", 64, 20)])
def test_quick_and_thorough_are_sizes_of_the_budget(
    descend, option: str, trials: int, seeds: int
) -> None:
    _, _, err = descend("race", "quadratic:n=2", "--rules=sgd", "--steps=1", option)
    assert (
        f"1 entry, {trials * 3 + 2 * seeds} runs of 1 gradient evaluations"
        f" ({trials * 3} to tune, up to {2 * seeds} on" in err
    )


def test_numbers_of_the_race_win_over_quick(descend) -> None:
    _, _, err = descend("race", "booth", "--rules=sgd", "--steps=1", "--quick", "--budget=1")
    assert "(3 to tune, up to 6 on fresh seeds)" in err


class InterruptedPool(InlinePool):
    """Ctrl-C comes after five runs."""

    def run(self, tasks):
        for number, run in enumerate(super().run(tasks)):
            if number == 5:
                raise KeyboardInterrupt
            yield run


def test_an_interrupted_race_prints_the_command_that_goes_on(descend, monkeypatch) -> None:
    race = ["race", "booth", "--rules=sgd,adam", *SMALL]
    whole = descend(*race, "--json", "--db=other.db")[1]
    with monkeypatch.context() as patch:
        patch.setattr(race_module, "Pool", InterruptedPool)
        status, out, err = descend(*race)
    assert (status, out) == (130, "")
    *_, said, told = err.splitlines()
    assert said == "descend: race 1 was interrupted; its finished runs are kept."
    command = shlex.split(told.removeprefix("Go on with: descend "))
    status, out, err = descend(*command, "--json")
    assert (status, out) == (0, whole)
    assert "Race 1 goes on: 5 runs are done." in err


# tables and functions of one's own


def table(folder: Path, target: str) -> Path:
    """60 rows of numbers, categories and gaps."""
    rng = np.random.default_rng(0)
    file = folder / "flats.csv"
    with file.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["area", "rooms", "town", "price", "kind"])
        for i in range(60):
            area, rooms = rng.uniform(20, 200), int(rng.integers(1, 6))
            price = 1000 * area + 5000 * rooms + rng.normal(0, 1000)
            town = "" if i % 11 == 0 else ["Ulm", "Köln", 'Bad "X", Y'][i % 3]
            writer.writerow(
                [
                    "" if i % 7 == 0 else f"{area:.2f}",
                    rooms,
                    town,
                    f"{price:.2f}",
                    "big" if area > 90 else "small",
                ]
            )
    return file


@pytest.mark.parametrize(
    ("target", "options", "metric"),
    [
        ("price", [], "validation squared loss"),
        ("price", ["--loss=huber", "--model=mlp:4"], "validation huber loss"),
        ("kind", [], "validation log loss"),
        ("kind", ["--loss=hinge", "--batch-size=7"], "validation hinge loss"),
        ("kind", ["--model=softmax"], "validation log loss"),
    ],
)
def test_a_table_of_ones_own_is_raced(
    descend, folder: Path, target: str, options, metric: str
) -> None:
    table(folder, target)
    status, out, err = descend(
        "race", "flats.csv", "--target", target, "--rules=sgd,adam", *SMALL, *options, "--json"
    )
    assert status == 0, err
    told = strict_json(out)
    assert told["metric"] == f"best {metric} at 20 checkpoints"
    assert all(math.isfinite(row["test"]) for row in told["standings"])


FUNCTIONS = {
    "without a gradient": "x0 = [1.0, 2.0]\ndef f(x):\n    return float(x @ x)",
    "with a gradient": "x0 = [1.0, 2.0]\ndef f(x):\n    return float(x @ x)\ndef grad(x):\n    return 2 * x",
    "with both at once": "x0 = [1.0, 2.0]\ndef f(x):\n    return float(x @ x), 2 * x",
    "with x0 as a default": "def f(x=(1.0, 2.0)):\n    return float(x @ x)",
    "as a problem": """
import numpy as np
from descend.lab.contract import Instance, Problem
from descend.lab.records import ProblemCard
class Bowl(Instance):
    @property
    def x0(self): return np.array([1.0, 2.0])
    def gradient(self, x): return float(x @ x), 2 * x
    def score(self, x): return float(x @ x)
class f(Problem):
    name = "f"
    def card(self): return ProblemCard("f", "f", "f(x)", False, (), ())
    def fingerprint(self): return "1"
    def open(self, seed): return Bowl()
""",
}  # fmt: skip


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_function_of_ones_own_is_raced(descend, folder: Path, kind: str) -> None:
    (folder / "my.py").write_text(FUNCTIONS[kind])
    status, out, err = descend("race", "my.py:f", "--rules=sgd,adam", *SMALL, "--json")
    assert status == 0, err
    assert [row["failures"] for row in strict_json(out)["standings"]] == [0, 0]


# bad input

BAD_RACES = {
    "no problem": ([], "Missing argument 'problem'"),
    "unknown problem": (["boot"], "Did you mean 'booth'?"),
    "unknown kind of file": (["data.xlsx"], "must be a built-in name"),
    "missing table": (["gone.csv", "--target=y"], "gone.csv"),
    "missing file": (["gone.py:f"], "gone.py"),
    "path with a line break": (["no\nsuch"], "no"),
    "unknown option": (["booth", "--budgets=3"], "--budgets"),
    "unknown command": (None, "rase"),
    "unknown rule": (["booth", "--rules=sgd,rmspropp"], "Did you mean 'rmsprop'?"),
    "unknown schedule": (["booth", "--rules=adam+cosin"], "Did you mean 'cosine'?"),
    "two schedules": (["booth", "--rules=adam+cosine+step"], "at most one schedule"),
    "no rules": (["booth", "--rules="], "--rules must be names"),
    "a comma alone": (["booth", "--rules=,"], "--rules must be names"),
    "settings in rules": (["booth", "--rules=adam:lr=1,beta1=0.5"], "settings go into --rule"),
    "empty rule": (["booth", "--rule="], "no rule is called ''"),
    "lr below its domain": (["booth", "--rule=adam:lr=-1"], "lr of adam must be a float in [0, inf)"),
    "lr is no number": (["booth", "--rule=adam:lr=nan"], "lr of adam must be a number"),
    "lr is infinite": (["booth", "--rule=adam:lr=1e999"], "lr of adam must be a float in [0, inf); got inf"),
    "momentum of 1": (["booth", "--rule=momentum:momentum=1"], "momentum of momentum must be"),
    "malformed settings": (["booth", "--rule=adam:lr"], "must read name=value"),
    "code in settings": (["booth", "--rule=adam:lr=__import__('os')"], "no schedule is called '__import__'"),
    "unknown hyperparameter": (["booth", "--rule=adam:rate=1"], "has no hyperparameter 'rate'"),
    "setting that is no number": (["booth", "--rule=adam:lr=fast"], "must be a number or a schedule"),
    "budget 0": (["booth", "--budget=0"], "budget of a race must be an int from 1 to 4096; got 0."),
    "budget too large": (["booth", "--budget=1000000000"], "budget of a race"),
    "budget is no number": (["booth", "--budget=many"], "'--budget'"),
    "budget is no integer": (["booth", "--budget=2.5"], "'--budget'"),
    "seeds 0": (["booth", "--seeds=0"], "seeds of a race must be"),
    "seed below 0": (["booth", "--seed=-1"], "seed of a race must be"),
    "seed too large": (["booth", f"--seed={2**70}"], "seed of a race must be"),
    "extend too large": (["booth", "--extend=999"], "extend of a race must be an int from 0 to 10"),
    "extend below 0": (["booth", "--extend=-1"], "extend of a race must be"),
    "no workers": (["booth", "-j0"], "jobs of a race must be an int from 1 to 256; got 0."),
    "too many workers": (["booth", "-j100000"], "jobs of a race must be"),
    "no time": (["booth", "--time-limit=0"], "time_limit of a race must be"),
    "negative time": (["booth", "--time-limit=-3"], "time_limit of a race must be"),
    "time is nan": (["booth", "--time-limit=nan"], "time_limit of a race must be"),
    "steps 0": (["booth", "--steps=0"], "steps must be an integer of at least 1; got 0."),
    "batch size 0": (["wine", "--batch-size=0"], "batch_size must be"),
    "batch size of a function": (["booth", "--batch-size=3"], "batch_size does not apply to booth"),
    "target of a function": (["booth", "--target=y"], "target does not apply to booth"),
    "target of a data set": (["wine", "--target=y"], "target does not apply to wine"),
    "unknown loss": (["wine", "--loss=lag"], "Did you mean 'log'?"),
    "loss of another task": (["wine", "--loss=squared"], "must be one for a classification"),
    "unknown model": (["wine", "--model=linaer"], "Did you mean 'linear'?"),
    "malformed model": (["wine", "--model=mlp:64,x"], "mlp"),
    "quick and thorough": (["booth", "--quick", "--thorough"], "either --quick or --thorough"),
    "missing report folder": (["booth", "-o", "none/race.html"], "the report must be a file in a folder"),
    "report is a folder": (["booth", "-o", "folder"], "the report must be a file in a folder"),
    "report over the store": (["booth", "-o", "x.db", "--db=x.db"], "another file than the run store"),
    "store is a folder": (["booth", "--db=folder"], "folder"),
    "store is no store": (["booth", "--db=text.db"], "text.db"),
    "store is a table": (["booth", "--db=good.csv"], "good.csv"),
    "store in a missing folder": (["booth", "--db=none/x.db"], "x.db"),
    "missing target": (["good.csv"], "its columns are: a, b, y"),
    "unknown column": (["good.csv", "--target=z"], "z"),
    "ragged table": (["ragged.csv", "--target=y"], "ragged.csv"),
    "empty table": (["empty.csv", "--target=y"], "empty.csv"),
    "table without rows": (["header.csv", "--target=y"], "header.csv"),
    "constant target": (["constant.csv", "--target=y"], "y"),
    "one class": (["oneclass.csv", "--target=y"], "y"),
    "target all missing": (["allnan.csv", "--target=y"], "y"),
    "table that is binary": (["binary.csv", "--target=y"], "binary.csv"),
    "parquet that is none": (["fake.parquet", "--target=y"], "fake.parquet"),
    "table that is a folder": (["folder.csv", "--target=y"], "folder.csv"),
    "no name behind the file": (["good.py"], "must be followed by a name"),
    "missing name": (["good.py:g"], "has no name 'g'"),
    "syntax error": (["syntax.py:f"], "line 2"),
    "file that raises": (["raises.py:f"], "ZeroDivisionError"),
    "file that leaves": (["leaves.py:f"], "sys.exit"),
    "function that raises": (["good.py:raising"], "ValueError: no (line"),
    "function that gives nan": (["good.py:nan"], "must be finite at x0"),
    "function that gives text": (["good.py:text"], "must return a real number"),
    "function that gives an array": (["good.py:array"], "must return a real number"),
    "function that changes x": (["good.py:changing"], "must leave x as it is"),
    "gradient of the wrong shape": (["good.py:shape"], "shape (2,)"),
    "function of two things": (["good.py:two"], "must be a function of x alone"),
    "no function": (["good.py:number"], "must be a function f(x) or a Problem"),
    "no start": (["nostart.py:f"], "x0"),
    "start of text": (["textstart.py:f"], "x0"),
}  # fmt: skip

GOOD_PY = """
x0 = [1.0, 2.0]
number = 3
def f(x): return float(x @ x)
def raising(x): raise ValueError("no")
def nan(x): return float("nan")
def text(x): return "low"
def array(x): return x
def changing(x):
    x[0] = 0.0
    return float(x @ x)
def shape(x): return float(x @ x), [1.0, 2.0, 3.0]
def two(x, y): return 1.0
"""


@pytest.fixture
def things(folder: Path) -> Path:
    """Files to fail on."""
    rows = [f"{i},{i * i % 7},{i % 2}" for i in range(40)]

    def write(name: str, lines: list[str]) -> None:
        (folder / name).write_text("\n".join(["a,b,y", *lines]) + "\n")

    write("good.csv", rows)
    write("ragged.csv", [*rows[:5], "1,2,3,4", *rows[5:]])
    write("header.csv", [])
    write("constant.csv", [f"{i},{i},3.5" for i in range(40)])
    write("oneclass.csv", [f"{i},{i},yes" for i in range(40)])
    write("allnan.csv", [f"{i},{i}," for i in range(40)])
    (folder / "empty.csv").write_text("")
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 8)
    (folder / "fake.parquet").write_text("a,b\n1,2\n")
    (folder / "text.db").write_text("not a database " * 100)
    (folder / "folder").mkdir()
    (folder / "folder.csv").mkdir()
    (folder / "good.py").write_text(GOOD_PY)
    (folder / "syntax.py").write_text("x0 = [1.0]\ndef f(x) return 1\n")
    (folder / "raises.py").write_text("1 / 0\n")
    (folder / "leaves.py").write_text("import sys\nsys.exit(4)\n")
    (folder / "nostart.py").write_text("def f(x):\n    return 1.0\n")
    (folder / "textstart.py").write_text("x0 = 'here'\ndef f(x):\n    return 1.0\n")
    return folder


@pytest.mark.parametrize("kind", BAD_RACES)
def test_bad_input_is_one_line_status_2_and_leaves_nothing(
    kind: str, descend, things: Path
) -> None:
    arguments, words = BAD_RACES[kind]
    before = tree(things)
    line = refused(descend(*(["rase"] if arguments is None else ["race", *arguments])))
    assert words in line
    assert tree(things) == before


@pytest.fixture
def stored(descend, things: Path):
    """A store with one finished race."""
    assert descend("race", "booth", "--rules=sgd,adam", *SMALL)[0] == 0
    return descend


def test_races_of_a_store_are_listed(stored) -> None:
    status, out, err = stored("runs", "ls")
    assert (status, err) == (0, "")
    assert "booth" in out
    assert "done" in out
    (row,) = strict_json(stored("runs", "ls", "--json")[1])
    assert (row["race"], row["problem"], row["status"], row["runs"]) == (1, "booth", "done", 20)
    assert row["best"]


def test_a_stored_race_is_shown_as_it_was(stored, folder: Path) -> None:
    _, raced, _ = stored("race", "wine", "--rules=sgd,adam", *SMALL, "--json")
    assert stored("runs", "show", "--json") == (0, raced, "")
    assert stored("runs", "show", "2", "--json")[1] == raced
    assert strict_json(stored("runs", "show", "1", "--json")[1])["problem"] == "booth"
    status, out, err = stored("runs", "show", "1")
    assert (status, err) == (0, "")
    assert "booth: best f(x) − f* at 20 checkpoints" in out


@pytest.mark.parametrize("curves", [[], ["--curves"]])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_runs_are_exported(stored, folder: Path, suffix: str, curves) -> None:
    status, out, _ = stored("runs", "export", "1", f"runs{suffix}", *curves)
    assert (status, out) == (0, f"Written: runs{suffix}\n")
    assert (folder / f"runs{suffix}").stat().st_size > 100


def test_races_are_removed(stored) -> None:
    assert stored("runs", "rm", "1") == (0, "Removed: 1\n", "")
    assert strict_json(stored("runs", "ls", "--json")[1]) == []
    assert stored("runs", "ls")[0] == 0


def test_the_report_is_written_again(stored, folder: Path) -> None:
    first = (folder / "race.html").read_bytes()
    assert stored("report", "-o", "again.html") == (0, "Report: again.html\n", "")
    assert (folder / "again.html").read_bytes() == first


BAD_STORES = {
    "ls without a store": (["ls", "--db=gone.db"], "gone.db"),
    "ls of no store": (["ls", "--db=text.db"], "text.db"),
    "ls of a folder": (["ls", "--db=folder"], "folder"),
    "show of a race that is not there": (["show", "7"], "7"),
    "show of no number": (["show", "first"], "'race'"),
    "show below 0": (["show", "--", "-1"], "-1"),
    "show too large": (["show", str(10**30)], "'race'"),
    "rm without a number": (["rm"], "Missing argument"),
    "rm of a race that is not there": (["rm", "7"], "7"),
    "rm of one that is there and one that is not": (["rm", "1", "7"], "7"),
    "rm without a store": (["rm", "1", "--db=gone.db"], "gone.db"),
    "export of a race that is not there": (["export", "7", "x.csv"], "7"),
    "export to an unknown kind of file": (["export", "1", "x.txt"], "x.txt"),
    "export to a missing folder": (["export", "1", "none/x.csv"], "x.csv"),
    "export to a folder": (["export", "1", "folder.csv"], "folder.csv"),
    "export over the store": (["export", "1", "descend.db"], "descend.db"),
    "unknown": (["lss"], "lss"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_STORES)
def test_bad_input_about_stored_races_changes_nothing(kind: str, stored, folder: Path) -> None:
    arguments, words = BAD_STORES[kind]
    before = tree(folder)
    assert words in refused(stored("runs", *arguments))
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--db=gone.db"], "gone.db"),
        (["7"], "7"),
        (["-o", "none/x.html"], "the report must be a file in a folder"),
        (["-o", "descend.db"], "another file than the run store"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused(
    stored, folder: Path, arguments, words: str
) -> None:
    before = tree(folder)
    assert words in refused(stored("report", *arguments))
    assert tree(folder) == before


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_folder_that_takes_no_files_is_refused_before_the_race(descend, folder: Path) -> None:
    """Its permissions allow everything."""
    said = refused(descend("race", "booth", "-o", "/proc/race.html", *SMALL))
    assert "the report must be a file in a folder that can be written to" in said
    assert tree(folder) == {}


def test_a_store_without_a_finished_race_has_nothing_to_show(stored) -> None:
    stored("runs", "rm", "1")
    assert "must hold a finished race; got none" in refused(stored("runs", "show"))
    assert "must hold a finished race; got none" in refused(stored("report"))


# around the command


def test_rules_are_listed_with_their_defaults(descend) -> None:
    status, out, _ = descend("rules")
    assert status == 0
    assert "adam " in out
    assert "beta1=0.9" in out
    assert strict_json(descend("rules", "--json")[1])["adam"]["defaults"]["lr"] == 1e-3


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["runs"], ["runs", "--help"], ["race", "--help"]]
)
def test_help_is_shown_on_stdout_or_as_usage(descend, arguments) -> None:
    status, out, err = descend(*arguments)
    assert (status, err) == (0, "")
    assert "Usage: descend" in out


def test_the_version_is_that_of_the_package(descend) -> None:
    assert descend("--version") == (0, f"descend {__version__}\n", "")


def test_an_interruption_says_so_and_is_status_130(descend, monkeypatch) -> None:
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("descend._race.race", interrupted)
    assert descend("race", "booth") == (130, "", "descend: interrupted.\n")


def test_an_interruption_in_the_guise_of_an_error_is_one(descend, monkeypatch) -> None:
    def loading(*_, **__):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    monkeypatch.setattr("descend._race.race", loading)
    assert descend("race", "booth") == (130, "", "descend: interrupted.\n")


def test_an_error_of_ours_is_not_hidden(descend, monkeypatch) -> None:
    def broken(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr("descend._race.race", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        descend("race", "booth")


def shell(command: str, cwd: Path, **more: str) -> subprocess.CompletedProcess:
    home = str(Path(inspect.getfile(dd)).parents[1])
    environment = os.environ | {"PYTHONPATH": home, "PYTHON": sys.executable, **more}
    return subprocess.run(
        command,
        shell=True,
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_python_m_descend_is_the_command(tmp_path: Path) -> None:
    done = shell(
        '"$PYTHON" -m descend race booth --rules=sgd --budget=1 --seeds=1 --steps=5 -j1 --json',
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert strict_json(done.stdout)["problem"] == "booth"
    assert "\x1b" not in done.stdout + done.stderr
    bad = shell('"$PYTHON" -m descend race boot', tmp_path)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="head")
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    done = shell(
        '("$PYTHON" -m descend rules; echo "status $?" >&2) | "$PYTHON" -c "pass"', tmp_path
    )
    assert done.stderr == "status 0\n"
    done = shell('("$PYTHON" -u -m descend rules; echo "status $?" >&2) | head -n 1', tmp_path)
    assert done.stderr == "status 0\n"


def test_a_run_with_no_home_and_no_width_works(tmp_path: Path) -> None:
    done = shell('"$PYTHON" -m descend rules', tmp_path, HOME="", COLUMNS="5", TERM="dumb")
    assert done.returncode == 0


@pytest.mark.parametrize("arguments", ["--help", "race --help", "--version"])
def test_help_loads_nothing_heavy(tmp_path: Path, arguments: str) -> None:
    done = shell(f'"$PYTHON" -X importtime -m descend {arguments}', tmp_path)
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert "descend" in loaded
    assert loaded.isdisjoint(
        {"numpy", "scipy", "sklearn", "numba", "llvmlite", "pyarrow", "plotly", "loky", "sqlite3"}
    )
