"""The race: its controls, its reproducibility, and that it goes on whatever a run does.

Most races here run their trials in this process: the workers, which cost a second to start, have tests of their own.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent
from typing import get_type_hints

import cloudpickle
import numpy as np
import pytest

import descend as dd
from descend import _race
from descend._rule import Rule
from descend.cli import terminal
from descend.domains import Decay, NonNegative
from descend.errors import DescendError, ProblemError, StoreError
from descend.lab import pool as pool_module
from descend.lab import race as race_module
from descend.lab.contract import Instance, Problem
from descend.lab.plan import Plan
from descend.lab.pool import Pool
from descend.lab.race import RaceInterrupted, Silence
from descend.lab.records import ProblemCard
from descend.lab.store import Store
from descend.lab.trial import run_trial

posix = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc")


class InlinePool:
    """The trials in this process, backwards: nothing may depend on the order in which results come."""

    def __init__(self, problem: Problem, jobs: int) -> None:
        self.problem = problem

    def seconds_per_run(self, tasks) -> float:
        return 0.01

    def run(self, tasks):
        return (run_trial(self.problem, task) for task in reversed(list(tasks)))

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        pass


@pytest.fixture
def inline(monkeypatch) -> None:
    monkeypatch.setattr(race_module, "Pool", InlinePool)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def race(problem="booth", rules=("sgd", "adam"), **options):
    options = {"budget": 3, "seeds": 4, "jobs": 2, **options}
    if isinstance(problem, str) and problem in ("booth", "rosenbrock", "wine"):
        options.setdefault("steps", 20)
    return _race.race(problem, list(rules), **options).result


def outcome(run) -> tuple:
    """Everything of a run but its clock, bit for bit."""
    curve = run.curve.evaluations.tobytes(), run.curve.score.tobytes()
    return (
        run.key,
        run.settings,
        run.status,
        run.cause,
        run.score.hex(),
        run.test.hex(),
        run.evaluations,
        *curve,
    )


def outcomes(result, *entries: str) -> dict:
    return {r.key: outcome(r) for r in result.runs if not entries or r.key.entry in entries}


def renamed(result, entry: str) -> list:
    """The runs of an entry without its name."""
    return [
        (r.key.phase, r.key.trial, r.key.seed, *outcome(r)[2:])
        for r in result.runs
        if r.key.entry == entry
    ]


def rows(result) -> dict:
    return {row.entry: row for row in result.standings}


# controls


@pytest.mark.usefixtures("inline", "folder")
@pytest.mark.parametrize("problem", ["wine", "booth"])
def test_an_optimizer_under_two_names_ties_with_difference_0_and_p_1(problem: str) -> None:
    result = race(problem, ["adam", "sgd", "adam"], seeds=10)
    first, second = rows(result)["adam"], rows(result)["adam #2"]
    assert renamed(result, "adam") == renamed(result, "adam #2")
    assert first.group == second.group
    behind = max(first, second, key=lambda row: abs(row.difference))
    if result.standings[0].entry.startswith("adam"):
        assert (behind.difference, behind.interval, behind.p_value) == (0.0, (0.0, 0.0), 1.0)
    assert (first.difference, first.p_value, first.mean) == (
        second.difference,
        second.p_value,
        second.mean,
    )


@pytest.mark.usefixtures("inline", "folder")
def test_the_same_optimizer_alone_under_two_names_separates_nothing() -> None:
    leader, other = race("wine", ["adam", "adam"], seeds=10).standings
    assert (leader.group, other.group) == (1, 1)
    assert (other.difference, other.interval, other.p_value) == (0.0, (0.0, 0.0), 1.0)


@pytest.mark.usefixtures("inline", "folder")
@pytest.mark.parametrize("problem", ["wine", "booth"])
def test_momentum_held_at_0_is_sgd_bit_for_bit(problem: str) -> None:
    result = race(problem, ["sgd", "momentum:momentum=0"], budget=12)
    assert result.tuned["momentum:momentum=0"] == result.tuned["sgd"] == ("lr",)
    assert renamed(result, "momentum:momentum=0") == renamed(result, "sgd")


def broken_rules() -> list[Rule]:
    """Made in a function: workers receive them as code, like those of a notebook."""

    def ascend(x, g, *, lr: NonNegative = 0.01):
        return x + lr * g

    def wrong_sign(x, g, v, *, lr: NonNegative = 0.01, momentum: Decay = 0.9):
        v = momentum * v - g
        return x - lr * v, v

    def nonsense(x, g, *, t, lr: NonNegative = 0.01):
        return x - lr * (1000 * g * g * g - t * x * g)

    return [Rule(ascend), Rule(wrong_sign), Rule(nonsense)]


@pytest.mark.usefixtures("inline", "folder")
@pytest.mark.parametrize("problem", ["wine", "booth"])
def test_broken_optimizers_lose(problem: str) -> None:
    result = race(problem, ["sgd", "adam", *broken_rules()], budget=6, seeds=10)
    assert result.standings[0].entry in ("sgd", "adam")
    for broken in ("ascend", "wrong_sign", "nonsense"):
        assert rows(result)[broken].group > 1
        assert rows(result)[broken].difference > 0


# reproducibility


@pytest.mark.usefixtures("inline", "folder")
def test_an_entry_more_or_another_order_changes_no_run_of_the_others() -> None:
    few = race("wine", ["sgd", "adam"])
    more = race("wine", ["lion", "adam", "nadam", "sgd"])
    assert outcomes(few) == outcomes(more, "sgd", "adam")


@pytest.mark.usefixtures("inline", "folder")
def test_another_seed_gives_other_numbers() -> None:
    assert race(seed=1).standings[0].mean != race(seed=2).standings[0].mean


def test_workers_compute_what_this_process_computes_for_any_number_of_them(
    folder, monkeypatch
) -> None:
    """With user's rules among the entries, which must reach the workers."""

    def mine(x, g, m, *, lr: NonNegative = 0.05):
        m = 0.5 * m + g
        return x - lr * m, m

    mine.__annotations__ = get_type_hints(
        mine, include_extras=True
    )  # as they are where annotations are no texts
    entries = ["sgd", "adam+cosine", Rule(mine), dd.chain(dd.clip_norm(1.0), dd.adam)]
    results = [race("wine", entries, jobs=jobs) for jobs in (1, 2, 3)]
    monkeypatch.setattr(race_module, "Pool", InlinePool)
    here = race("wine", entries)
    for result in results:
        assert outcomes(result) == outcomes(here)
        assert [r.key for r in result.runs] == [r.key for r in here.runs]
        assert result.standings == here.standings
        assert terminal.standings_json(result) == terminal.standings_json(here)


def test_a_rule_whose_annotations_are_texts_reaches_the_workers() -> None:
    rule = broken_rules()[0]
    again = cloudpickle.loads(cloudpickle.dumps(rule))
    assert again.hyperparameters == rule.hyperparameters


@pytest.mark.usefixtures("folder")
def test_a_rule_that_workers_cannot_load_is_refused_before_the_race() -> None:
    with pytest.raises(ProblemError, match="a worker process cannot load what it is to run: Gone"):
        race(rules=["sgd", dd.sgd(lr=Unloadable())], jobs=1)
    assert not Path("descend.db").exists()


class Unloadable:
    """A schedule that can be sent, and not received."""

    def __call__(self, t: int) -> float:
        return 0.1

    def __reduce__(self):
        def receive():
            raise type("Gone", (Exception,), {})("away")

        return receive, ()


# budget and protocol


@pytest.mark.usefixtures("inline", "folder")
def test_every_entry_spends_the_same_trials_and_evaluations() -> None:
    result = race("wine", ["sgd", "adam", "lion"], budget=4, seeds=5)
    for label in ("sgd", "adam", "lion"):
        own = [r for r in result.runs if r.key.entry == label]
        assert [r.key.trial for r in own if r.key.phase == "tune"] == [
            trial for trial in (1, 2, 3, 4) for _ in range(3)
        ]
        judged = {r.key.trial for r in own if r.key.phase == "fresh"}
        assert judged == {1, rows(result)[label].trial}
        assert len([r for r in own if r.key.phase == "fresh"]) == 5 * len(judged)
        assert {r.evaluations for r in own if r.status == "finished"} == {20}


@pytest.mark.usefixtures("inline", "folder")
def test_the_trial_with_the_best_validation_score_is_judged_and_test_data_stays_closed_before() -> (
    None
):
    result = race("wine", ["sgd", "adam"], budget=6)
    assert all(math.isnan(r.test) for r in result.runs if r.key.phase == "tune")
    assert all(0 <= r.test <= 1 for r in result.runs if r.key.phase == "fresh")
    for row in result.standings:
        tuning: dict[int, list] = {}
        for r in result.runs:
            if r.key.phase == "tune" and r.key.entry == row.entry:
                tuning.setdefault(r.key.trial, []).append(r)
        means = {trial: np.mean([r.score for r in runs]) for trial, runs in tuning.items()}
        best = min(means, key=means.__getitem__)
        assert {len(runs) for runs in tuning.values()} == {3}
        fresh = result.fresh(row)
        assert (row.trial, len(fresh)) == (best, 4)
        assert all(r.settings == tuning[best][0].settings == row.settings for r in fresh)
        assert row.tuned_score == pytest.approx(means[best], rel=1e-14)  # summed in another order
        untuned = [
            r.score
            for r in result.runs
            if (r.key.entry, r.key.phase, r.key.trial) == (row.entry, "fresh", 1)
        ]
        assert row.default_score == pytest.approx(np.median(untuned), rel=1e-14)
        assert row.last == pytest.approx(np.median([r.curve.score[-1] for r in fresh]), rel=1e-14)
        assert row.last >= row.median
        assert row.test == np.median([r.test for r in fresh])


@pytest.mark.usefixtures("inline", "folder")
def test_fresh_seeds_are_new_and_shared_by_all_entries() -> None:
    result = race("booth", ["sgd", "adam"])
    seeds = {(r.key.entry, r.key.phase): set() for r in result.runs}
    for r in result.runs:
        seeds[r.key.entry, r.key.phase].add(r.key.seed)
    assert seeds["sgd", "tune"] == seeds["adam", "tune"]
    assert seeds["sgd", "fresh"] == seeds["adam", "fresh"]
    assert seeds["sgd", "tune"].isdisjoint(seeds["sgd", "fresh"])


@pytest.mark.usefixtures("inline", "folder")
def test_diverged_runs_count_are_inf_and_keep_their_cause() -> None:
    result = race("rosenbrock", ["adam", "sgd:lr=10"], seeds=6)
    row = rows(result)["sgd:lr=10"]
    assert (row.failures, row.seeds, row.median) == (6, 6, math.inf)
    assert result.standings[0].entry == "adam"
    for run in (r for r in result.runs if r.key.entry == "sgd:lr=10"):
        assert (run.status, run.score) == ("diverged", math.inf)
        assert "evaluation" in run.cause
    assert any("sgd:lr=10 finished on no seed" in said for said in result.cannot_conclude)


@pytest.mark.usefixtures("inline", "folder")
def test_a_race_in_which_nothing_finishes_still_ends_and_says_so() -> None:
    result = race("rosenbrock", ["sgd:lr=10", "sgd:lr=20"])
    assert [row.failures for row in result.standings] == [4, 4]
    assert {row.group for row in result.standings} == {1}
    assert json.loads(terminal.standings_json(result))


@pytest.mark.usefixtures("inline", "folder")
def test_one_entry_alone_is_a_race() -> None:
    (row,) = race("booth", ["adam"], budget=1, seeds=1).standings
    assert (row.group, row.difference, row.settings) == (1, 0.0, {})


@pytest.mark.usefixtures("inline", "folder")
def test_extend_widens_the_space_of_every_entry() -> None:
    narrow, wide = race(extend=0), race(extend=1)
    for label in ("sgd", "adam"):
        (low, high), (lower, higher) = narrow.space[label]["lr"], wide.space[label]["lr"]
        assert (lower, higher) == pytest.approx((low / 10, high * 10))


@pytest.mark.usefixtures("inline", "folder")
def test_a_time_limit_shrinks_the_race_for_all_and_the_reproducing_call_has_the_new_numbers() -> (
    None
):
    said = []

    class Listening(Silence):
        def say(self, sentence: str) -> None:
            said.append(sentence)

    # 2 · (16 · 3 + 2 · 10) = 136 runs at 0.01 s with 2 workers are 0.68 s
    result = race(budget=16, seeds=10, time_limit=0.3, progress=Listening())
    assert 2 <= result.plan["budget"] < 16
    assert 2 <= result.plan["seeds"] < 10
    trials = {
        label: max(r.key.trial for r in result.runs if r.key.entry == label)
        for label in ("sgd", "adam")
    }
    tuned = {r.key.entry: r for r in result.runs}
    assert set(tuned) == {"sgd", "adam"}
    assert set(trials.values()) == {result.plan["budget"]}
    assert "every entry gets" in said[0]
    assert f"budget={result.plan['budget']}, seeds={result.plan['seeds']}" in result.reproduce


@pytest.mark.usefixtures("inline", "folder")
def test_the_reproducing_call_gives_the_same_race() -> None:
    result = race(
        "wine", ["sgd", dd.adam(beta1=0.8), dd.chain(dd.clip_norm(1.0), dd.sgd)], seed=3, extend=1
    )
    again = eval(result.reproduce, {"dd": dd}).result
    assert outcomes(again) == outcomes(result)
    assert again.standings == result.standings


# resuming


class Stop(Silence):
    """Stops the race like Ctrl-C after so many runs."""

    def __init__(self, after: int) -> None:
        self.left = after
        self.began = {}

    def begin(self, phase, runs, done) -> None:
        self.began[phase] = (runs, done)

    def advance(self, run) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("after", [1, 7, 18, 19, 25])
def test_a_race_stopped_anywhere_goes_on_where_it_was(after: int, folder: Path) -> None:
    # 2 · (3 · 3 + 2 · 4) = 34 runs, 18 of them to tune
    whole = race("booth", db="whole.db")
    assert {row.trial > 1 for row in whole.standings} == {True}
    with pytest.raises(RaceInterrupted) as caught:
        race("booth", db="half.db", progress=Stop(after))
    assert caught.value.race_id == 1
    with Store.reader("half.db") as store:
        assert store.races()[0].status == "interrupted"
        assert len(store.finished_runs(1)) == after
    watch = Stop(10**6)
    resumed = race("booth", db="half.db", resume=True, progress=watch)
    assert watch.began == {"tune": (18, min(after, 18)), "fresh": (16, max(after - 18, 0))}
    assert watch.left == 10**6 - (34 - after)
    assert outcomes(resumed) == outcomes(whole)
    assert resumed.standings == whole.standings
    assert resumed.race_id == 1


@pytest.mark.usefixtures("inline", "folder")
def test_resume_without_an_unfinished_race_says_so_and_starts_one() -> None:
    said = []

    class Listening(Silence):
        def say(self, sentence: str) -> None:
            said.append(sentence)

    assert race().race_id == 1
    assert race(resume=True, progress=Listening()).race_id == 2
    assert "The store has no unfinished race with this plan; a new one starts." in said


@pytest.mark.usefixtures("inline", "folder")
def test_a_race_with_another_plan_is_not_resumed() -> None:
    with pytest.raises(RaceInterrupted):
        race(progress=Stop(5))
    assert race(resume=True, seed=9).race_id == 2
    assert race(resume=True).race_id == 1


# what cannot be raced


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": 0}, "budget of a race must be an int from 1 to 4096; got 0."),
        ({"seeds": -1}, "seeds of a race must be"),
        ({"seed": -1}, "seed of a race must be"),
        ({"jobs": 0}, "jobs of a race must be an int from 1 to 256; got 0."),
        ({"jobs": 10**6}, "jobs of a race must be an int from 1 to 256"),
        ({"jobs": True}, "jobs of a race must be"),
        ({"jobs": 1.0}, "jobs of a race must be"),
        ({"time_limit": 0}, "time_limit of a race must be a positive number of seconds; got 0."),
        ({"time_limit": math.nan}, "time_limit of a race must be"),
        ({"time_limit": "3"}, "time_limit of a race must be"),
        ({"engine": "cloud"}, "engine of a race must be 'local'; got 'cloud'."),
        ({"problem": "boot"}, "Did you mean 'booth'?"),
        (
            {"problem": 3},
            "a race needs a problem's name, a Problem, or a function with x0=; got 3.",
        ),
        ({"problem": lambda x: x @ x}, "or a function with x0="),
        ({"problem": "wine", "step": 3}, "wine has no option 'step'. Did you mean 'steps'?"),
        ({"problem": "wine", "x0": [1.0]}, "wine has no option 'x0'."),
        ({"problem": "booth", "model": "linear"}, "model does not apply to booth"),
        ({"steps": 0}, "steps must be an integer of at least 1; got 0."),
        ({"db": "sqlite://nowhere"}, "nowhere"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_store(options, words: str, folder: Path) -> None:
    problem = options.pop("problem", "booth") if isinstance(options, dict) else "booth"
    with pytest.raises(DescendError) as caught:
        race(problem, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("rules", ["adam", dd.adam, dd.adam(lr=0.1)])
def test_one_rule_that_is_no_list_is_refused_with_a_hint(rules) -> None:
    with pytest.raises(ProblemError, match="must be a list such as"):
        _race.race("booth", rules)


def test_a_file_that_is_no_store_is_refused_before_any_work(folder: Path) -> None:
    (folder / "notes.db").write_text("my notes " * 500)
    with pytest.raises(StoreError, match=r"notes\.db"):
        race(db="notes.db")
    assert (folder / "notes.db").read_text().startswith("my notes")


def test_what_cannot_reach_the_workers_is_refused_and_leaves_no_store(folder: Path) -> None:
    class Stuck(OneBowl):
        def __init__(self) -> None:
            self.lock = threading.Lock()

    with pytest.raises(ProblemError, match=r"must be picklable.*TypeError"):
        race(Stuck())
    assert not (folder / "descend.db").exists()


# problems of one's own


class OneBowl(Problem):
    """A bowl with noise that the seed fixes; its parts can be replaced by subclasses."""

    name = "bowl"
    steps = 20

    def card(self) -> ProblemCard:
        return ProblemCard("bowl", "a bowl", "f(x)", False, (), ())

    def fingerprint(self) -> str:
        return "bowl 1"

    def open(self, seed: int) -> Instance:
        return BowlInstance(seed)


class BowlInstance(Instance):
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.start = self.rng.normal(size=3)

    @property
    def x0(self):
        return self.start.copy()

    def gradient(self, x):
        return float(x @ x), 2 * x + 0.1 * self.rng.normal(size=3)

    def score(self, x) -> float:
        return float(x @ x)


@pytest.mark.usefixtures("inline", "folder")
def test_a_problem_object_is_raced() -> None:
    result = race(OneBowl(), ["sgd", "adam"])
    assert result.problem.title == "a bowl"
    assert all(r.status == "finished" and r.evaluations == 20 for r in result.runs)


@pytest.mark.usefixtures("inline", "folder")
def test_options_do_not_apply_to_a_problem_object() -> None:
    with pytest.raises(ProblemError, match="options of a Problem are its own; got steps"):
        race(OneBowl(), steps=3)


@pytest.mark.usefixtures("folder")
def test_a_problem_object_that_breaks_its_contract_is_refused() -> None:
    class NoCard(OneBowl):
        def card(self):
            return "a bowl"

    with pytest.raises(ProblemError, match=r"card\(\) of bowl must be a ProblemCard"):
        race(NoCard())


@pytest.mark.usefixtures("inline", "folder")
def test_a_function_with_x0_is_raced() -> None:
    result = race(lambda x: float((x - 1) @ (x - 1)), ["sgd", "adam"], x0=[3.0, 4.0], steps=30)
    assert {r.evaluations for r in result.runs} == {30}
    assert result.problem.metric == "f(x)"
    assert "x0=[3.0, 4.0]" in result.reproduce


USERS = {
    "raises late": "if abs(x[0]) < 0.5: raise ValueError('too near')",
    "returns nan": "if abs(x[0]) < 0.5: return float('nan')",
    "returns inf": "if abs(x[0]) < 0.5: return float('inf')",
    "returns minus infinity": "if abs(x[0]) < 0.5: return float('-inf')",
    "returns text": "if abs(x[0]) < 0.5: return 'low'",
    "returns an array": "if abs(x[0]) < 0.5: return x",
    "returns complex": "if abs(x[0]) < 0.5: return 1j",
    "leaves": "if abs(x[0]) < 0.5: raise SystemExit(1)",
    "overflows": "if abs(x[0]) < 0.5: return float(x[0]) ** -9999.0",
    "recurses": "if abs(x[0]) < 0.5: return f(x)",
}


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("kind", USERS)
def test_a_function_that_breaks_on_the_way_fails_runs_and_not_the_race(
    kind: str, folder: Path
) -> None:
    (folder / "my.py").write_text(
        f"x0 = [3.0, 4.0]\ndef f(x):\n    {USERS[kind]}\n    return float(x @ x)\n"
    )
    result = race("my.py:f", ["sgd:lr=0.4", "sgd:lr=0.0001"], steps=10)
    assert rows(result)["sgd:lr=0.0001"].failures == 0
    assert rows(result)["sgd:lr=0.4"].failures == 4
    assert result.standings[0].entry == "sgd:lr=0.0001"
    for run in (r for r in result.runs if r.key.entry == "sgd:lr=0.4"):
        assert run.status in ("failed", "diverged")
        assert run.cause.endswith(".") or run.cause
        assert "\n" not in run.cause


# workers


MORTAL = """
    import os, signal
    import numpy as np

    x0 = [3.0, 4.0]

    def f(x):
        if abs(x[0]) < 0.5:
            {end}
        return float(x @ x)

    def grad(x):
        return 2 * x
"""


@posix
@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_worker_that_dies_is_a_failed_run_and_the_others_go_on(end: str, folder: Path) -> None:
    (folder / "my.py").write_text(dedent(MORTAL.format(end=end)))
    result = race("my.py:f", ["sgd:lr=0.0001", "sgd:lr=0.4"], steps=10, budget=1, seeds=2)
    good, bad = rows(result)["sgd:lr=0.0001"], rows(result)["sgd:lr=0.4"]
    assert (good.failures, bad.failures) == (0, 2)
    for run in (r for r in result.runs if r.key.entry == "sgd:lr=0.4"):
        assert (run.status, run.cause) == ("failed", "its worker process died.")
    assert all(r.status == "finished" for r in result.runs if r.key.entry == "sgd:lr=0.0001")


@posix
def test_a_problem_that_ends_every_worker_is_refused(folder: Path) -> None:
    (folder / "my.py").write_text(
        "import os\nx0 = [1.0]\nhome = os.environ['HOME_OF_RACE']\n"
        "def f(x):\n    if home != str(os.getpid()): os._exit(1)\n    return float(x @ x)\n"
    )
    os.environ["HOME_OF_RACE"] = str(os.getpid())
    try:
        with pytest.raises(ProblemError, match="must let its worker process live"):
            race("my.py:f", ["sgd"], jobs=1)
    finally:
        del os.environ["HOME_OF_RACE"]
    assert not (folder / "descend.db").exists()


def test_a_file_that_changes_while_workers_start_is_one_sentence(folder: Path, monkeypatch) -> None:
    file = folder / "my.py"
    file.write_text("x0 = [1.0]\ndef f(x):\n    return float(x @ x)\n")

    class Late(Pool):
        def __enter__(self):
            file.write_text(file.read_text() + "# changed\n")
            return super().__enter__()

    monkeypatch.setattr(race_module, "Pool", Late)
    with pytest.raises(ProblemError, match=r"my\.py must stay as it was while a race runs"):
        race("my.py:f", ["sgd"], jobs=1)
    assert not (folder / "descend.db").exists()


def test_a_run_costs_what_a_few_of_its_steps_cost(folder: Path) -> None:
    (folder / "my.py").write_text(
        "import time\nx0 = [1.0]\ndef f(x):\n    time.sleep(0.002)\n    return float(x @ x), 2 * x\n"
    )
    said = []

    class Listening(Silence):
        def say(self, sentence: str) -> None:
            said.append(sentence)

    with pytest.raises(RaceInterrupted):
        race("my.py:f", ["sgd"], jobs=1, steps=1000, budget=5, seeds=5, progress=Both(said))
    # 25 runs of 1000 gradients and 49 scores, each at least 2 ms: 52 s; a busy machine may sleep longer
    seconds = float(said[0].partition("about ")[2].split()[0])
    assert 50 <= seconds <= 110


class Both(Silence):
    """Listens, and stops the race before its first run."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def begin(self, phase, runs, done) -> None:
        raise KeyboardInterrupt


# killed and interrupted

SLOW = """
    import time

    x0 = [3.0, 4.0]

    def f(x):
        time.sleep(0.002)
        return float(x @ x), 2 * x
"""
COMMAND = ["race", "my.py:f", "--rules=sgd,adam", "--steps=30", "--budget=4", "--seeds=4", "-j2"]


STARTED: list[int] = []


@pytest.fixture(autouse=True)
def no_process_outlives_its_test():
    """Not even where a test fails because one would."""
    yield
    while STARTED:
        group = STARTED.pop()
        for process in members(group) if sys.platform == "linux" else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def start(folder: Path, *more: str) -> subprocess.Popen:
    (folder / "my.py").write_text(dedent(SLOW))
    process = subprocess.Popen(
        [sys.executable, "-m", "descend", *COMMAND, *more],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(inspect.getfile(dd)).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    STARTED.append(process.pid)
    return process


def members(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def nobody_left(group: int, within: float) -> bool:
    end = time.monotonic() + within
    while members(group) and time.monotonic() < end:
        time.sleep(0.05)
    return not members(group)


def stored_runs(folder: Path) -> int:
    """Runs that reached the disk; 0 before the first."""
    if not (folder / "descend.db").exists():
        return 0
    connection = sqlite3.connect(f"file:{folder / 'descend.db'}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    except sqlite3.Error:  # not yet made
        return 0
    finally:
        connection.close()


def wait_for_runs(folder: Path, least: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while stored_runs(folder) < least and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()


def finished(folder: Path, *more: str) -> tuple[dict, str]:
    process = start(folder, "--json", *more)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out), err


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict:
    return finished(tmp_path_factory.mktemp("whole"))[0]


def resumes(folder: Path, uninterrupted: dict) -> None:
    kept = stored_runs(folder)
    standings, err = finished(folder, "--resume")
    assert standings == uninterrupted
    if kept:
        assert f"Race 1 goes on: {kept} runs are done." in err
    assert stored_runs(folder) == 2 * (4 * 3 + 2 * 4)


@posix
@pytest.mark.parametrize("whom", ["all", "parent"])
def test_a_killed_race_leaves_nobody_behind_and_resumes(
    whom: str, tmp_path: Path, uninterrupted
) -> None:
    process = start(tmp_path)
    wait_for_runs(tmp_path, 1, process)
    (os.killpg if whom == "all" else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    process.stderr.close()
    assert nobody_left(process.pid, within=5)
    resumes(tmp_path, uninterrupted)


@posix
@pytest.mark.parametrize(
    ("number", "whom"),
    [(signal.SIGINT, "parent"), (signal.SIGINT, "all"), (signal.SIGTERM, "all")],
)  # a terminal sends Ctrl-C to all
def test_an_interrupted_race_ends_at_once_and_says_how_to_go_on(
    number, whom: str, tmp_path: Path
) -> None:
    process = start(tmp_path)
    wait_for_runs(tmp_path, 1, process)
    began = time.monotonic()
    (os.killpg if whom == "all" else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert "Error" not in err
    told = err.splitlines()[-2:]
    assert told[0] == "descend: race 1 was interrupted; its finished runs are kept."
    assert told[1].startswith("Go on with: descend race my.py:f ")
    assert told[1].endswith(" --resume")
    assert nobody_left(process.pid, within=3)


@posix
@pytest.mark.slow
@pytest.mark.parametrize(
    "delay", [0.0, 0.05, 0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0]
)
def test_an_interruption_at_any_moment_is_quiet(delay: float, tmp_path: Path) -> None:
    process = start(tmp_path)
    # before that, Python itself starts
    wait_until_started(process.pid)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode in (130, 0)
    assert "Traceback" not in err
    assert nobody_left(process.pid, within=5)


def wait_until_started(pid: int) -> None:
    """Until the command has set its handlers: SIGTERM is among the signals that it catches."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        caught = next(
            line
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("SigCgt")
        )
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.01)


@posix
@pytest.mark.slow
def test_a_race_killed_again_and_again_ends_with_the_same_standings(
    tmp_path: Path, uninterrupted
) -> None:
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(12):
        process = start(tmp_path, "--resume")
        time.sleep(rng.uniform(0.3, 3.0))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert nobody_left(process.pid, within=5)
        assert stored_runs(tmp_path) >= kept
        kept = stored_runs(tmp_path)
        if process.returncode == 0:
            break
    if process.returncode != 0:
        resumes(tmp_path, uninterrupted)
    with Store.reader(tmp_path / "descend.db") as store:
        assert json.loads(terminal.standings_json(store.load(1))) == uninterrupted
        assert len(store.races()) == 1


# what a race may say


@pytest.mark.usefixtures("inline", "folder")
@pytest.mark.parametrize("budget", [1, 3])
def test_the_last_sentence_says_that_settings_were_compared(budget: int) -> None:
    last = race(budget=budget).cannot_conclude[-1]
    assert "not of the optimizers as such" in last
    assert ("3 trials" in last) == (budget == 3)
    assert ("documented defaults" in last) == (budget == 1)


class Lucky(Problem):
    """Tuning seeds reward large steps, all others punish them."""

    name = "lucky"
    steps = 5
    tuning_seeds = 3

    def __init__(self, tuning: set[int]) -> None:
        self.tuning = tuning

    def card(self) -> ProblemCard:
        return ProblemCard("lucky", "lucky", "f(x)", False, (), ())

    def fingerprint(self) -> str:
        return "lucky"

    def open(self, seed: int) -> Instance:
        return Slope(-1.0 if seed in self.tuning else 1.0, seed % 97)


class Slope(Instance):
    def __init__(self, sign: float, noise: float) -> None:
        self.sign, self.noise = sign, noise

    @property
    def x0(self):
        return np.zeros(1)

    def gradient(self, x):
        return 0.0, np.ones(1)

    def score(self, x) -> float:
        return float(self.noise - self.sign * x[0])


@pytest.mark.usefixtures("inline", "folder")
def test_tuning_that_did_worse_than_the_defaults_on_fresh_seeds_is_said() -> None:
    plan = Plan(budget=6, seeds=6)
    tuning = {plan.seed_of("tune", i) for i in range(3)}
    result = race(Lucky(tuning), ["sgd", "adam"], budget=6, seeds=6)
    for row in result.standings:
        assert row.trial > 1
        assert row.default_score < row.median
    said = [s for s in result.cannot_conclude if s.startswith("Tuning did not help ")]
    assert len(said) == 1
    assert said[0].endswith(": their defaults scored better on the fresh seeds.")
    assert "sgd" in said[0] and "adam" in said[0]


@pytest.mark.usefixtures("inline", "folder")
def test_a_problem_whose_seeds_are_all_the_same_is_run_on_one_and_tested_by_nothing() -> None:
    said: list[str] = []

    class Listening(Silence):
        def say(self, sentence: str) -> None:
            said.append(sentence)

    options = {"x0": [3.0, 4.0], "perturb": 0, "steps": 20, "progress": Listening()}
    result = race(lambda x: float(x @ x), ["sgd", "adam", "lion"], seeds=10, **options)
    assert {row.seeds for row in result.standings} == {1}
    assert {row.group for row in result.standings} == {1}
    for row in result.standings[1:]:
        assert math.isnan(row.p_value)
        assert all(math.isnan(end) for end in row.interval)
        assert row.difference > 0
    assert len({r.key.seed for r in result.runs if r.key.phase == "fresh"}) == 1
    assert result.cannot_conclude[0].startswith("Every seed opens the very same problem")
    assert "seeds=1" in result.reproduce
    assert "Every seed opens the very same problem: one fresh seed is run." in said


@pytest.mark.usefixtures("inline", "folder")
def test_a_noisy_function_from_one_start_keeps_its_seeds() -> None:
    rng = np.random.default_rng(0)
    options = {"x0": [3.0, 4.0], "perturb": 0, "steps": 20}
    result = race(lambda x: float(x @ x + rng.normal()), ["sgd"], seeds=4, **options)
    assert result.standings[0].seeds == 4


@pytest.mark.usefixtures("inline", "folder")
@pytest.mark.parametrize(
    ("problem", "rules", "lost"),
    [
        (lambda x: float(x @ x), ["sgd"], "<lambda>"),
        (OneBowl(), ["sgd"], "bowl"),
        ("booth", [*broken_rules()[:1]], "ascend"),
    ],
)
def test_a_call_that_cannot_be_written_out_is_not_called_one(problem, rules, lost: str) -> None:
    options = {"x0": [1.0], "steps": 5} if callable(problem) else {}
    told = race(problem, rules, **options).reproduce
    assert told.startswith(f"The call cannot be written out, for {lost}")
    assert race("booth", ["sgd"]).reproduce.startswith("dd.race('booth', ['sgd'], ")


@pytest.mark.usefixtures("inline", "folder")
def test_a_run_that_falls_below_the_stated_minimum_fails() -> None:
    result = race(lambda x: float(x @ x), ["sgd:lr=0.4"], x0=[3.0, 4.0], minimum=1.0, steps=10)
    assert {r.status for r in result.runs} == {"failed"}
    assert all("f fell below its stated minimum 1:" in r.cause for r in result.runs)


def test_a_closure_over_another_value_is_not_resumed(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(race_module, "Pool", InlinePool)

    def bowl(weight: float):
        return lambda x: float(weight * (x @ x))

    with pytest.raises(RaceInterrupted):
        race(bowl(1.0), x0=[1.0, 2.0], steps=5, progress=Stop(3))
    assert race(bowl(2.0), x0=[1.0, 2.0], steps=5, resume=True).race_id == 2
    assert race(bowl(1.0), x0=[1.0, 2.0], steps=5, resume=True).race_id == 1


def test_crowded_workers_get_more_time(monkeypatch) -> None:
    monkeypatch.setattr(race_module, "default_jobs", lambda: 4)
    alone = race_module._timeout(10.0, 1)
    assert race_module._timeout(10.0, 4) == alone == 300.0
    assert race_module._timeout(10.0, 8) == 600.0


@posix
def test_a_function_that_hangs_after_its_start_is_refused_while_it_is_measured(
    folder: Path, monkeypatch
) -> None:
    (folder / "my.py").write_text(
        "x0 = [3.0]\nf_box = (3, 3)\ndef f(x):\n    while abs(x[0] - 3) > 1e-3: pass\n"
        "    return float(x @ x)\ndef grad_f(x):\n    return 2 * x\n"
    )
    # workers are forked from nothing: the limit has to travel with what they are told to do
    monkeypatch.setattr(pool_module, "MEASURE_SECONDS", 0.5)
    with pytest.raises(ProblemError, match=r"must get past its first steps.*0\.5 s"):
        race("my.py:f", ["sgd", "adam:lr=0.1"], jobs=1)
    assert not (folder / "descend.db").exists()
