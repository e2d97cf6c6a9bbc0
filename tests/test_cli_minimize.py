"""``descend minimize``: what it prints and writes, what it refuses and how, and how Ctrl-C ends it."""

from __future__ import annotations

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import descend
from descend import cli

MINE = '''
import time
x0 = [1.0, 2.0]

def bowl(x):
    """A bowl."""
    print("bowl was called")
    return float((x[0] - 3) ** 2 + (x[1] + 1) ** 2)

def both(x):
    return float(x @ x), 2 * x

def plain(x):
    return (x[0] - 1) ** 2 + x[1] ** 2

def wrong(x):
    return float(x @ x)
grad_wrong = lambda x: 3 * x

def fails(x):
    raise ValueError("never")

def late(x):
    if x[0] > 1.5:
        raise ValueError("too far")
    return float((x[0] - 2) ** 2)
late.x0 = [0.0]

def homeless(x):
    return float(x @ x)
homeless.x0 = "here"

number = 3

def slow(x):
    time.sleep(0.02)
    with open("calls", "a") as file:
        file.write(".")
    return float(x[0] ** 4 + abs(x[1]) ** 1.5)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.py").write_text(MINE)
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.fixture
def minimize(folder: Path, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        status = cli._status(["minimize", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def told(minimize):
    """What ``--json`` says, of a run that went well."""

    def run(*arguments: str) -> dict:
        status, out, err = minimize(*arguments, "--json")
        assert status == 0, err
        return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    return run


ROSENBROCK = "(1-x)**2 + 100*(y-x**2)**2"

# what is minimized


def test_a_formula_is_minimized_and_x_is_printed_by_the_names_of_its_variables(minimize) -> None:
    status, out, err = minimize(ROSENBROCK)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "f(x, y) = (1 - x)**2 + 100*(y - x**2)**2"
    assert lines[1] == "x0 = (0, 0): 0 for every variable, as --x0 is not given."
    point = dict(line.split(" = ") for line in lines[3:6])
    assert float(point["x"]) == pytest.approx(1.0, abs=1e-5)
    assert float(point["y"]) == pytest.approx(1.0, abs=1e-5)
    assert float(point["f"]) < 1e-10
    assert lines[7].startswith("The gradient is as small as gtol asks. |g|_inf ")
    assert lines[8].startswith("Iterations: ")
    assert "\x1b" not in out


def test_json_says_all_that_a_program_wants(told) -> None:
    r = told(ROSENBROCK, "--x0=-1.2,1")
    assert r["variables"] == ["x", "y"]
    assert r["x0"] == [-1.2, 1.0]
    assert r["x"] == pytest.approx([1, 1], abs=1e-5)
    assert r["fun"] < 1e-10
    assert max(map(abs, r["jac"])) <= 1e-5
    assert r["success"] is True
    assert r["status"] == 0
    assert r["nit"] > 5
    assert r["nfev"] >= r["nit"]
    assert r["njev"] >= r["nit"]
    assert r["message"].startswith("The gradient is as small as gtol asks.")
    assert "basins" not in r


@pytest.mark.parametrize("x0", ["x=-1.2,y=1", "y=1, x=-1.2", "-1.2,1", " -1.2 , 1 "])
def test_a_start_is_given_by_place_or_by_name(told, x0: str) -> None:
    assert told(ROSENBROCK, "--x0", x0)["x0"] == [-1.2, 1.0]


@pytest.mark.parametrize(
    ("bounds", "x"),
    [
        ("2:5", [2, 2]),
        ("2:5,3:7", [2, 3]),
        ("y=-5:-1", [0, -1]),
        (":-1,4:", [-1, 4]),
        ("-inf:inf,-inf:-2", [0, -2]),
    ],
)
def test_bounds_are_held_and_a_start_of_ours_is_moved_into_them(told, bounds: str, x) -> None:
    r = told("x**2 + y**2", f"--bounds={bounds}")
    assert r["x"] == pytest.approx(x, abs=1e-5)
    assert told("x**2 + y**2", "--bounds", bounds) == r


def test_a_test_function_starts_in_its_box_where_the_seed_says(minimize, told) -> None:
    r = told("quadratic:kappa=10,n=4")
    assert r["variables"] == ["x[0]", "x[1]", "x[2]", "x[3]"]
    assert all(abs(v) <= 5 for v in r["x0"])
    assert told("quadratic:kappa=10,n=4", "--seed=1")["x0"] != r["x0"]
    assert "drawn from its box with seed 0" in minimize("booth")[1]
    assert told("booth", "--x0=x[1]=3,x[0]=1")["nit"] == 0


@pytest.mark.parametrize("name", ["bowl", "both", "plain"])
def test_a_function_of_a_file_is_minimized(told, name: str) -> None:
    r = told(f"my.py:{name}")
    expected = {"bowl": [3, -1], "both": [0, 0], "plain": [1, 0]}[name]
    assert r["x"] == pytest.approx(expected, abs=1e-5)
    assert r["x0"] == [1.0, 2.0]


def test_a_function_without_a_start_is_minimized_from_the_one_given(folder, told) -> None:
    (folder / "bare.py").write_text("def f(x):\n    return float(((x - 1) ** 2).sum())\n")
    r = told("bare.py:f", "--x0=3,4,5")
    assert r["x0"] == [3.0, 4.0, 5.0]
    assert r["x"] == pytest.approx([1, 1, 1], abs=1e-5)
    assert told("bare.py:f", "--x0=x[1]=4,x[0]=3")["x0"] == [3.0, 4.0]
    r = told("bare.py:f", "--x0=3,4", "--bounds=2:9", "--starts=3")
    assert r["x"] == pytest.approx([2, 2])


def test_a_start_of_zeros_where_the_gradient_is_0_is_noted(minimize) -> None:
    status, _, err = minimize("x**4 - x**2")
    assert status == 0
    assert err.startswith("note: the gradient is exactly 0 at the start")
    assert "give --x0" in err
    assert minimize("x**4 - x**2", "--x0=0")[2] == ""


def test_what_a_file_prints_goes_to_stderr(minimize) -> None:
    _, out, err = minimize("my.py:bowl")
    assert "bowl was called" in err
    assert "bowl was called" not in out
    assert out.startswith("my.py:bowl: A bowl\nx0 = (1, 2): as the file says.\n")


def test_a_function_that_fails_on_the_way_gives_the_best_point_before(minimize, told) -> None:
    status, out, _ = minimize("my.py:late")
    assert status == 0
    assert "The function raised an error; the best point before it is returned." in out
    r = told("my.py:late")
    assert r["success"] is False
    assert 0 <= r["x"][0] <= 1.5


@pytest.mark.parametrize("jac", ["2-point", "3-point", "cs"])
def test_gradients_may_be_taken_by_differences(told, jac: str) -> None:
    r = told("my.py:plain", f"--jac={jac}")
    assert r["x"] == pytest.approx([1, 0], abs=1e-5)
    assert r["nfev"] > 2 * r["njev"]


def test_an_exact_gradient_costs_no_evaluations_beside_its_own(told) -> None:
    exact, differences = told("booth"), told("booth", "--jac=2-point")
    assert exact["nfev"] == exact["njev"]
    assert differences["nfev"] >= 3 * differences["njev"]


def test_the_method_its_options_and_the_budgets_are_those_asked_for(told) -> None:
    assert told(ROSENBROCK, "--maxiter=3")["nit"] == 3
    assert told(ROSENBROCK, "--maxiter=3")["status"] == 1
    assert told(ROSENBROCK, "--maxfev=5")["nfev"] == 5
    assert told(ROSENBROCK, "--target=0.5")["fun"] <= 0.5
    assert max(map(abs, told(ROSENBROCK, "--gtol=1e-9", "--ftol=0")["jac"])) <= 1e-9
    assert told(ROSENBROCK, "--method=newton")["nit"] < told(ROSENBROCK, "--method=cg")["nit"]
    short, long = (told("quadratic:n=20", f"--option=memory={m}") for m in (1, 20))
    assert long["nit"] < short["nit"]
    assert told("quadratic:n=20", "--method=lbfgs:memory=20")["nit"] == long["nit"]
    assert told(ROSENBROCK, "--method=adam:lr=0.1", "--maxiter=50")["nit"] == 50
    assert told("x**2 + 1e6*y**2", "--x0=1,1000", "--scale=none")["success"] is True


# many starts


def test_many_starts_print_the_basins_as_a_table(minimize) -> None:
    _, out, err = minimize("quartic", "--starts=8")
    assert err == ""
    assert "The best of 8 starts, which found 2 basins." in out
    *_, heading, first, second = out.splitlines()
    assert heading.split()[:3] == ["f", "share", "starts"]
    assert first.split()[0] == "-9"
    assert second.split()[0] == "-0.41796875"


def test_the_basins_in_json_are_the_same_for_any_number_of_processes(told) -> None:
    one, two = (told("himmelblau", "--starts=30", f"-j{j}") for j in (1, 2))
    assert one == two
    assert len(one["basins"]) == 4  # though x0 ± |x0| would not reach them all: it is its box
    assert sum(b["count"] for b in one["basins"]) == 30
    assert one["nfev"] == sum(b["nfev"] for b in one["basins"])
    assert one["failures"] == {}
    assert told("himmelblau", "--starts=30", "--seed=5") != one


def test_a_maximum_at_the_default_start_is_no_basin(told) -> None:
    r = told("(x**2 - 1)**2", "--starts=8")
    assert [b["fun"] for b in r["basins"]] == pytest.approx([0, 0], abs=1e-9)
    assert sum(b["share"] for b in r["basins"]) == 1
    assert r["unfinished"] == []


def test_unfinished_starts_are_printed_below_the_basins(minimize, told) -> None:
    asked = (ROSENBROCK, "--starts=4", "--method=adam:lr=0.01", "--maxiter=30")
    r = told(*asked)
    assert r["basins"] == []
    assert sum(b["count"] for b in r["unfinished"]) == 4
    lines = minimize(*asked)[1].splitlines()
    table = lines[lines.index("Unfinished:") + 1 :]
    assert table[0].split()[:3] == ["f", "share", "starts"]
    assert len(table) == 1 + len(r["unfinished"])
    assert "found 0 basins; 4 unfinished." in "\n".join(lines)


def test_starts_are_drawn_within_the_bounds(told) -> None:
    r = told("himmelblau", "--starts=20", "--bounds=0:5")
    assert [b["x"] for b in r["basins"] if b["fun"] < 1e-9] == [pytest.approx([3, 2], abs=1e-4)]
    assert all(0 <= v <= 5 for b in r["basins"] for v in b["x0"])


def test_starts_that_fail_are_told_by_reason(minimize, told) -> None:
    status, out, _ = minimize("log(x) + 1/x", "--starts=9")
    assert status == 0
    failed = told("log(x) + 1/x", "--starts=9")["failures"]
    assert "0" in failed  # 1/x at 0
    assert f"{len(failed)} failed." in out
    assert "Failed: start 0" in out


def test_a_function_of_a_file_is_run_in_processes(told) -> None:
    r = told("my.py:bowl", "--starts=3", "-j2")
    assert r["basins"][0]["count"] == 3


# files


def test_the_history_is_written_as_a_table_with_a_row_per_iteration(minimize, folder) -> None:
    _, out, _ = minimize(ROSENBROCK, "--history=run.csv")
    assert out.endswith("History: run.csv\n")
    with (folder / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:7] == ["nit", "fun", "grad_norm", "step_norm", "lr", "time", "nfev"]
    assert [int(row["nit"]) for row in rows] == list(range(len(rows)))
    assert float(rows[0]["fun"]) == 1.0  # f(0, 0)
    assert rows[0]["step_norm"] == ""
    values = [float(row["fun"]) for row in rows]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_is_drawn(minimize, folder: Path, suffix: str) -> None:
    _, out, err = minimize(ROSENBROCK, f"--plot=run.{suffix}")
    assert err == ""
    assert out.endswith(f"Picture: run.{suffix}\n")
    start = (folder / f"run.{suffix}").read_bytes()[:100]
    assert {"png": b"PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix] in start


# bad input

BAD = {
    "no problem": ([], "Missing argument"),
    "unknown function": (["rosenbrok"], "Did you mean 'rosenbrock'?"),
    "unknown function with parameters": (["rosenbrok:n=3"], "Did you mean 'rosenbrock'?"),
    "unknown function with a digit": (["rosenbrock2"], "Did you mean 'rosenbrock'?"),
    "a data set": (["digits"], "no test function is called 'digits'"),
    "a formula with a minus": (["-x**2"], "put in parentheses"),
    "a bare name": (["x"], "no test function is called 'x'"),
    "unknown parameter": (["quadratic:kapa=3"], "Did you mean 'kappa'?"),
    "parameter out of range": (["rosenbrock:n=1"], "n of rosenbrock must be"),
    "empty": ([""], "at character 1; got its end"),
    "broken formula": (["x**2 +"], "at character 7; got its end"),
    "wrong power": (["x^2"], "write ** for a power"),
    "code": (["__import__('os').system('touch hacked')"], "got '_' at character 1"),
    "attribute": (["x.real + 1"], "got '.' at character 2"),
    "unknown word": (["x1*ln(x2)"], "Did you mean 'log'?"),
    "constant formula": (["1 + 2"], "must have a variable"),
    "too long": (["x+" * 6000 + "x"], "at most 10000 characters; got 12001"),
    "newline": (["x1\n+y"], "a formula is one line"),
    "a table": (["data.csv"], "got '.' at character 5"),
    "two problems": (["booth", "beale"], "extra argument"),
    "missing file": (["gone.py:f"], "gone.py cannot be read"),
    "file without a name": (["my.py"], "must be followed by a name"),
    "unknown name in a file": (["my.py:bowll"], "Did you mean 'bowl'?"),
    "no function": (["my.py:number"], "must be a function"),
    "function that fails": (["my.py:fails"], "fails of my.py raised ValueError: never"),
    "wrong gradient": (["my.py:wrong"], "must agree with central differences"),
    "wrong start in a file": (["my.py:homeless"], "x0 of homeless of my.py must be"),
    "formula not finite at zero": (["log(x)"], "f must be finite at x0 = (0); got -inf."),
    "formula not defined at x0": (["log(x)", "--x0=-1"], "f must be finite at x0 = (-1); got nan."),
    "all starts fail": (["sqrt(-1-x**2)", "--starts=3"], "none of 3 did"),
    "x0 is no number": (["x**2", "--x0=a"], "--x0 must be made of numbers; got 'a'"),
    "x0 is empty": (["x**2", "--x0="], "--x0 must be made of numbers; got ''"),
    "x0 is nan": (["x**2", "--x0=nan"], "--x0 must be made of numbers; got 'nan'"),
    "x0 is infinite": (["x**2", "--x0=inf"], "--x0 must be made of finite numbers"),
    "x0 too short": (["x*y", "--x0=1"], "--x0 must have 2 values for x, y; got 1 value: '1'."),
    "x0 too long": (["x**2", "--x0=1,2"], "--x0 must have 1 value for x; got 2 values"),
    "x0 of an unknown variable": (["width*depth", "--x0=width=1,dephts=2"], "Did you mean 'depth'?"),
    "x0 without a variable": (["x*y", "--x0=y=2"], "x has none"),
    "x0 twice": (["x*y", "--x0=x=1,x=2"], "once for each name"),
    "x0 half named": (["x*y", "--x0=x=1,2"], "once for each name"),
    "x0 in odd digits": (["x**2", "--x0=1_0"], "--x0 must be made of numbers"),
    "x0 out of bounds": (["x**2", "--x0=9", "--bounds=0:5"], "--x0 must lie within --bounds"),
    "bounds without a colon": (["x**2", "--bounds=5"], "written low:high; got '5'"),
    "bounds the wrong way": (["x**2", "--bounds=5:1"], "low <= high; got '5:1'"),
    "bounds nan": (["x**2", "--bounds=nan:1"], "--bounds must be made of numbers"),
    "bounds inf": (["x**2", "--bounds=inf:inf"], "low <= high"),
    "too many bounds": (["x**2", "--bounds=0:1,0:1"], "1 value for x; got 2 values"),
    "bounds of an unknown variable": (["x**2", "--bounds=z=0:1"], "one of x; got 'z'"),
    "bounds that the method cannot hold": (["booth", "--bounds=0:5", "--method=newton"], "--bounds must go with a method that takes them"),
    "unknown method": (["booth", "--method=lbfsg"], "Did you mean 'lbfgs'?"),
    "unknown setting": (["booth", "--method=lbfgs:memry=3"], "Did you mean 'memory'?"),
    "setting out of range": (["booth", "--method=lbfgs:memory=0"], "memory"),
    "code as a method": (["booth", "--method=lbfgs:memory=__import__('os')"], "no line search is called '__import__'"),
    "unknown option of the method": (["booth", "--option=memry=3"], "--option must be a setting of lbfgs"),
    "option without a value": (["booth", "--option=memory"], "--option must be written name=value"),
    "option twice": (["booth", "--option=memory=3", "--option=memory=4"], "once for each name"),
    "option is no number": (["booth", "--option=memory=many"], "--option must be made of numbers"),
    "unknown gradient": (["booth", "--jac=4-point"], "--jac must be one of 2-point, 3-point"),
    "complex steps of a formula": (["x**2", "--jac=cs"], "--jac=cs must go with a function of a file"),
    "torch for a pair": (["my.py:both", "--jac=torch"], "returns f alone"),
    "unknown scale": (["booth", "--scale=all"], "--scale must be auto or none; got 'all'"),
    "maxiter below 0": (["booth", "--maxiter=-1"], "maxiter of minimize must be"),
    "maxiter is no integer": (["booth", "--maxiter=2.5"], "'--maxiter'"),
    "maxfev 0": (["booth", "--maxfev=0"], "maxfev of minimize must be"),
    "maxtime nan": (["booth", "--maxtime=nan"], "maxtime of minimize must be"),
    "gtol below 0": (["booth", "--gtol=-1"], "gtol of minimize must be"),
    "ftol is no number": (["booth", "--ftol=small"], "'--ftol'"),
    "xtol nan": (["booth", "--xtol=nan"], "xtol of minimize must be"),
    "target nan": (["booth", "--target=nan"], "target of minimize must be"),
    "no starts": (["booth", "--starts=0"], "starts of minimize must be an int from 1"),
    "too many starts": (["booth", "--starts=1000000"], "starts of minimize must be"),
    "seed below 0": (["booth", "--seed=-1"], "'--seed'"),
    "no jobs": (["booth", "--starts=2", "-j0"], "'--jobs'"),
    "too many jobs": (["booth", "--starts=2", "-j9999"], "jobs of minimize must be"),
    "history of another kind": (["booth", "--history=run.txt"], "--history must be a .csv file"),
    "history in a missing folder": (["booth", "--history=gone/run.csv"], "a folder that can be written to"),
    "picture of another kind": (["booth", "--plot=run.exe"], "--plot must be a .png or .svg or .pdf"),
    "picture in a missing folder": (["booth", "--plot=gone/run.png"], "a folder that can be written to"),
    "unknown option": (["booth", "--tol=1"], "--tol"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_sentence_and_writes_nothing(minimize, folder: Path, what: str) -> None:
    arguments, said = BAD[what]
    before = sorted(folder.iterdir())
    status, out, err = minimize(*arguments)
    assert (status, out) == (2, "")
    *notes, sentence = err.splitlines()
    assert sentence.startswith("descend: ")
    assert said in sentence
    assert "Traceback" not in err
    assert not [n for n in notes if not n.startswith("note: ")]
    assert [p for p in sorted(folder.iterdir()) if p.name != "__pycache__"] == before


# interruption


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    "many", [["--gtol=0"], ["--starts=40", "--gtol=0"], ["--starts=400", "--maxfev=9", "-j2"]]
)
def test_an_interrupted_run_prints_the_best_so_far_and_leaves_no_process_behind(
    folder: Path, many: list[str]
) -> None:
    home = str(Path(descend.__file__).parents[1])
    command = [sys.executable, "-m", "descend", "minimize", "my.py:slow", "--json", *many]
    process = subprocess.Popen(
        [*command, "--maxiter=100000", "--x0=3,3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": home},
        start_new_session=True,  # a group, as a terminal makes one
    )
    calls = folder / "calls"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (calls.exists() and calls.stat().st_size > 80):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert not is_alive(process.pid)
    assert err.splitlines()[-1] == "descend: interrupted; the best point so far is printed."
    r = json.loads(out)
    assert r["fun"] < 81 + 3**1.5  # f(x0)
    assert "Interrupted" in r["message"]
    assert math.isfinite(r["fun"])


def is_alive(group: int) -> bool:
    """Whether a process of the group is there still, a moment later."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def test_an_interruption_before_there_is_a_point_is_only_said(minimize, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("descend.cli.asked.read_problem", stop)
    assert minimize("booth") == (130, "", "descend: interrupted.\n")


def test_help_names_the_options_and_wakes_nothing_heavy(minimize) -> None:
    status, out, _ = minimize("--help")
    assert status == 0
    for option in ("--method", "--x0", "--bounds", "--starts", "--json", "--history", "--plot"):
        assert option in out
    home = str(Path(descend.__file__).parents[1])
    code = (
        "import sys; import descend.cli;"
        "print(*[m for m in ('numpy', 'scipy', 'matplotlib', 'loky', 'rich.table') if m in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": home},
    )
    assert told.stdout.split() == []
