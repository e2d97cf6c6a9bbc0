"""One run: its checkpoints, its outcome, and that nothing a problem does gets past it."""

from __future__ import annotations

import contextlib
import math
import sys
import time

import numpy as np
import pytest

import descend as dd
from descend.errors import ProblemError
from descend.lab.contract import EvaluationFailed, Instance, Problem
from descend.lab.problems import get_problem
from descend.lab.records import ProblemCard, RunKey
from descend.lab.trial import CHECKPOINTS, Task, checkpoints, run_trial


class Bowl(Instance):
    """f = x·x/2 from (4, −3); what a test wants to be different is given by name."""

    def __init__(self, **parts) -> None:
        self.calls = 0
        self.parts = parts

    def _part(self, name: str, default, *arguments):
        return self.parts.get(name, default)(*arguments)

    @property
    def x0(self):
        return self._part("x0", lambda: np.array([4.0, -3.0]))

    def gradient(self, x):
        self.calls += 1
        return self._part("gradient", lambda x, _: (x @ x / 2, x.copy()), x, self.calls)

    def score(self, x):
        return self._part("score", lambda x: float(x @ x / 2), x)

    def test(self, x):
        return self._part("test", lambda x: float(abs(x).sum()), x)


class Made(Problem):
    """A problem whose every instance is given."""

    name = "made"

    def __init__(self, make) -> None:
        self.make = make

    def card(self) -> ProblemCard:
        return ProblemCard("made", "made", "f", False, (), ())

    def fingerprint(self) -> str:
        return "made"

    def open(self, seed: int) -> Instance:
        return self.make()


def run(
    problem: Problem | None = None,
    update=None,
    *,
    steps=10,
    open_test=False,
    timeout=math.inf,
    **parts,
):
    problem = problem or Made(lambda: Bowl(**parts))
    task = Task(
        RunKey("sgd", "tune", 1, 7), update or dd.sgd(lr=0.5), {}, steps, open_test, timeout
    )
    return run_trial(problem, task)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 48, 49, 100, 500, 2000, 10**6])
def test_checkpoints_increase_from_1_to_the_last_step(steps: int) -> None:
    found = checkpoints(steps)
    assert found[0] == 1
    assert found[-1] == steps
    assert (np.diff(found) > 0).all()
    assert len(found) <= CHECKPOINTS


def test_a_run_follows_its_rule_and_counts_its_gradients() -> None:
    result = run(steps=3)
    # x halves in every step: 12.5, then a quarter each time
    assert result.curve.score.tolist() == [12.5, 3.125, 0.78125, 0.1953125]
    assert result.curve.evaluations.tolist() == [0, 1, 2, 3]
    assert (result.status, result.cause, result.score, result.evaluations) == (
        "finished",
        "",
        0.1953125,
        3,
    )


def test_the_score_is_the_best_of_the_run_and_not_that_of_the_start() -> None:
    scores = iter([1.0, 5.0, 3.0, 4.0])
    assert run(steps=3, score=lambda _: next(scores)).score == 3.0


def test_test_data_stays_closed_while_tuning() -> None:
    def forbidden(x):
        raise AssertionError("opened")

    assert math.isnan(run(open_test=False, test=forbidden).test)


def test_test_data_is_opened_once_at_the_best_point() -> None:
    seen = []
    scores = iter([9.0, 8.0, 2.0, 7.0])
    result = run(
        steps=3,
        open_test=True,
        score=lambda _: next(scores),
        test=lambda x: seen.append(x.tolist()) or 0.25,
    )
    assert result.test == 0.25
    assert seen == [[1.0, -0.75]]  # (4, −3) halved twice


def test_a_rule_that_averages_is_scored_at_its_average() -> None:
    seen = []
    update = dd.schedule_free_sgd(lr=0.5)
    run(update=update, steps=6, score=lambda x: seen.append(x.copy()) or 1.0)
    x = np.array([4.0, -3.0])
    stepper = dd.Stepper(update, x, threads=1)
    for step in range(6):
        stepper.step(x.copy())
        np.testing.assert_array_equal(seen[step + 1], stepper.solution)
    assert not np.array_equal(stepper.solution, x)


def test_equal_tasks_give_equal_bits() -> None:
    problem = get_problem("wine", steps=40)
    one, other = run(problem, dd.adam(), steps=40), run(problem, dd.adam(), steps=40)
    assert one.score.hex() == other.score.hex()
    assert one.curve.score.tobytes() == other.curve.score.tobytes()


def test_a_problem_that_hands_out_one_start_again_and_again_keeps_it() -> None:
    start = np.array([4.0, -3.0])
    first, second = run(x0=lambda: start), run(x0=lambda: start)
    assert start.tolist() == [4.0, -3.0]
    assert first.score == second.score


def test_a_gradient_that_is_x_itself_is_stepped_like_a_copy() -> None:
    aliased = run(gradient=lambda x, _: (1.0, x))
    assert aliased.score == run().score


@pytest.mark.parametrize("part", ["gradient", "score", "test"])
def test_a_problem_cannot_change_x(part: str) -> None:
    def change(x, *_):
        x[0] = 0.0

    result = run(open_test=True, **{part: change})
    assert result.status == "failed"
    assert "read-only" in result.cause


def raising(error: BaseException):
    def function(*_):
        raise error

    return function


WRONG = {
    "raises": (raising(ValueError("at home")), "ValueError: at home"),
    "raises what the contract asks for": (raising(EvaluationFailed("f of my.py raised.")), "f of my.py raised."),
    "raises an error of descend": (raising(ProblemError("no.")), "no."),
    "leaves": (raising(SystemExit(3)), "SystemExit: 3"),
    "returns nothing": (lambda *_: None, "TypeError"),
    "returns text": (lambda *_: "4", "Error"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "kind"),
    # None is the number nan for NumPy: as a start it diverges
    [
        (part, kind)
        for part in ("x0", "gradient", "score", "test")
        for kind in WRONG
        if (part, kind) != ("x0", "returns nothing")
    ],
)
def test_a_problem_that_misbehaves_fails_its_run_with_a_cause(part: str, kind: str) -> None:
    function, cause = WRONG[kind]
    if part in ("score", "test") and kind == "returns text":
        function, cause = (lambda *_: "four"), "ValueError"
    result = run(open_test=True, **{part: function})
    assert result.status == "failed"
    assert cause in result.cause
    assert "\n" not in result.cause
    assert result.score == math.inf
    assert math.isnan(result.test)


def test_a_problem_that_cannot_be_opened_fails_its_run() -> None:
    result = run(Made(raising(OSError("gone"))))
    assert (result.status, result.cause, result.evaluations) == ("failed", "OSError: gone", 0)


def test_a_long_message_becomes_one_short_line() -> None:
    cause = run(gradient=raising(ValueError("word\n" * 500))).cause
    assert "\n" not in cause
    assert len(cause) < 400


@pytest.mark.parametrize(
    "gradient",
    [
        np.zeros(3), np.zeros((2, 1)), np.zeros(()), np.zeros(0), np.zeros(2, complex), np.array(["a", "b"]),
        np.array([None, None]), None, "g",
    ],
)  # fmt: skip
def test_a_gradient_of_the_wrong_kind_fails_the_run_and_names_the_step(gradient) -> None:
    result = run(gradient=lambda x, call: (1.0, gradient if call == 3 else x.copy()))
    assert result.status == "failed"
    assert result.cause
    assert result.evaluations == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f8"])
def test_real_gradients_of_any_dtype_are_gradients(dtype) -> None:
    assert run(gradient=lambda x, _: (1.0, x.astype(dtype))).status == "finished"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_a_divergence_at_that_evaluation(value: float) -> None:
    result = run(gradient=lambda x, call: (value if call == 4 else 1.0, x.copy()))
    assert (result.status, result.cause) == ("diverged", f"the loss was {value} at evaluation 4.")
    assert (result.score, result.evaluations) == (math.inf, 4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_is_a_divergence(value: float) -> None:
    result = run(
        gradient=lambda x, call: (1.0, np.full(2, value) if call == 4 else x.copy()),
        score=lambda _: 1.0,
    )
    assert (result.status, result.cause) == (
        "diverged",
        "a parameter was not finite after evaluation 4.",
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e9])
def test_a_score_that_is_not_finite_or_runs_away_is_a_divergence(value: float) -> None:
    scores = iter([2.0, 1.0, value, *[1.0] * 20])
    result = run(score=lambda _: next(scores))
    assert result.status == "diverged"
    assert result.cause == f"the score was {value:.3g} after 2 evaluations, from 2 at the start."
    assert result.score == math.inf


@pytest.mark.parametrize("start", [math.nan, math.inf])
def test_a_start_without_a_score_does_not_condemn_the_run(start: float) -> None:
    scores = iter([start, *[1.0] * 20])
    assert run(score=lambda _: next(scores)).status == "finished"


def test_a_diverging_rule_keeps_the_curve_up_to_there() -> None:
    result = run(update=dd.sgd(lr=100.0), steps=50)
    assert result.status == "diverged"
    assert result.score == math.inf
    assert 0 < result.evaluations < 50
    assert len(result.curve.score) == len(result.curve.evaluations) > 1


def test_training_that_takes_too_long_is_stopped_between_two_steps() -> None:
    def slow(x, call):
        time.sleep(0.02)
        return 1.0, x.copy()

    result = run(steps=10_000, timeout=0.1, gradient=slow)
    assert (result.status, result.score) == ("timed out", math.inf)
    assert "limit of 0.1 s" in result.cause
    assert 1 <= result.evaluations <= 6


@pytest.mark.skipif(sys.platform == "win32", reason="there are no timers to break a call off")
@pytest.mark.parametrize("part", ["gradient", "score", "test", "x0"])
def test_a_call_that_does_not_come_back_is_broken_off(part: str) -> None:
    def forever(*_):
        while True:
            with contextlib.suppress(Exception):  # such handlers are why calls hang
                time.sleep(0.01)

    started = time.monotonic()
    result = run(steps=3, timeout=0.1, open_test=True, **{part: forever})
    assert result.status == "timed out"
    assert result.score == math.inf
    assert time.monotonic() - started < 2


def test_a_finished_run_leaves_no_alarm_behind() -> None:
    assert run(timeout=0.05).status == "finished"
    time.sleep(0.15)  # an alarm that is still set would end the tests here


def test_a_bad_schedule_fails_the_run_where_it_leaves_its_domain() -> None:
    result = run(update=dd.sgd(lr=lambda t: 0.1 if t < 5 else -1.0))
    assert result.status == "failed"
    assert "lr of sgd must be" in result.cause


@pytest.mark.parametrize(("ahead", "status"), [(999.0, "finished"), (1001.0, "diverged")])
def test_a_run_has_run_away_at_1000_times_1_plus_its_start(ahead: float, status: str) -> None:
    """From a start at 0, which alone would allow nothing."""
    scores = iter([0.0, ahead, 0.5])
    result = run(score=lambda x: next(scores, 0.5))
    assert result.status == status
