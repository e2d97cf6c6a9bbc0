"""Schedules: hand-worked values, the end of a run, and what is refused."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend as dd
from descend.errors import HyperparameterError

HALF = math.sqrt(0.5)

VALUES = [
    (dd.constant(0.25), {1: 0.25, 7: 0.25, 10**9: 0.25}),
    (dd.step(8.0, every=3, factor=0.5), {1: 8, 2: 8, 3: 8, 4: 4, 6: 4, 7: 2, 10: 1}),
    (dd.step(8.0, every=1), {1: 8, 2: 0.8, 3: 0.08}),
    (dd.step(1.0, every=2, factor=2.0), {1: 1, 2: 1, 3: 2, 5: 4}),  # it may rise
    (dd.exponential(8.0, rate=0.5), {1: 8, 2: 4, 5: 0.5}),
    (dd.exponential(1.0, rate=3.0), {1: 1, 3: 9}),
    (dd.exponential(0.0, rate=0.5), {1: 0, 9: 0}),
    # cos 0, π/4, π/2, 3π/4, π
    (
        dd.cosine(1.0, steps=4),
        {1: 1, 2: (1 + HALF) / 2, 3: 0.5, 4: (1 - HALF) / 2, 5: 0, 6: 0, 99: 0},
    ),
    (dd.cosine(3.0, steps=4, end=1.0), {1: 3, 3: 2, 5: 1, 6: 1}),
    (dd.cosine(1.0, steps=4, end=2.0), {1: 1, 3: 1.5, 5: 2}),  # it may rise
    (dd.cosine(1.0, steps=6, warmup=2), {1: 0.5, 2: 1, 3: 1, 5: 0.5, 7: 0, 8: 0}),
    (dd.cosine(1.0, steps=1), {1: 1, 2: 0}),
    (dd.cosine(1.0, steps=3, warmup=2), {1: 0.5, 2: 1, 3: 1, 4: 0}),
    (dd.warmup(0.8, steps=4), {1: 0.2, 2: 0.4, 3: 0.6, 4: 0.8, 5: 0.8, 99: 0.8}),
    (dd.warmup(dd.exponential(8.0, rate=0.5), steps=2), {1: 4, 2: 8, 3: 8, 4: 4}),
    (dd.warmup(dd.cosine(1.0, steps=4), steps=2), {1: 0.5, 2: 1, 3: 1, 5: 0.5, 7: 0, 50: 0}),
    (dd.warmup(dd.warmup(1.0, steps=2), steps=2), {1: 0.25, 2: 0.5, 3: 0.5, 4: 1, 5: 1}),
    (dd.warmup(lambda t: 6.0 / t, steps=3), {1: 2, 3: 6, 4: 6, 5: 3}),
]


@pytest.mark.parametrize(("schedule", "values"), VALUES)
def test_schedule_has_its_hand_worked_values(schedule, values):
    for t, value in values.items():
        # cos(π / 2) is 6e-17 in float64
        assert schedule(t) == pytest.approx(value, rel=1e-15, abs=1e-16)


@pytest.mark.parametrize(("schedule", "values"), VALUES)
def test_schedule_is_a_pure_function_of_the_step(schedule, values):
    forwards = [schedule(t) for t in range(1, 30)]
    assert [schedule(t) for t in reversed(range(1, 30))] == forwards[::-1]
    assert all(type(value) is float for value in forwards)


def test_cosine_with_its_warmup_is_the_warmup_of_a_cosine():
    inside = dd.cosine(0.3, steps=50, warmup=10)
    around = dd.warmup(dd.cosine(0.3, steps=40), steps=10)
    for t in range(1, 60):
        assert inside(t) == pytest.approx(around(t), rel=1e-15, abs=1e-17)


@given(
    value=st.floats(0, 1e3),
    end=st.floats(0, 1e3),
    steps=st.integers(1, 300),
    warmup=st.integers(0, 299),
    t=st.integers(1, 10**12),
)
def test_cosine_stays_between_its_ends(value, end, steps, warmup, t):
    schedule = dd.cosine(value, steps=steps, warmup=warmup % steps, end=end)
    assert -1e-12 <= schedule(t) <= max(value, end) * (1 + 1e-15)
    if t > steps:
        assert schedule(t) == end


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dd.constant(-1.0), r"value of constant must be a float in \[0, inf\); got -1.0"),
        (lambda: dd.constant(math.nan), "value of constant"),
        (lambda: dd.constant(math.inf), "value of constant"),
        (lambda: dd.constant("1"), "value of constant"),
        (lambda: dd.constant(True), "value of constant"),
        (lambda: dd.constant(None), "value of constant"),
        (lambda: dd.constant(dd.constant(1.0)), "value of constant"),
        (lambda: dd.step(-1.0, every=2), "value of step"),
        (lambda: dd.step(1.0, every=0), "every of step must be an int of at least 1; got 0"),
        (lambda: dd.step(1.0, every=2.0), "every of step must be an int of at least 1; got 2.0"),
        (lambda: dd.step(1.0, every=True), "every of step"),
        (
            lambda: dd.step(1.0, every=2, factor=0.0),
            r"factor of step must be a float in \(0, inf\)",
        ),
        (lambda: dd.step(1.0, every=2, factor=math.nan), "factor of step"),
        (lambda: dd.exponential(1.0, rate=0.0), "rate of exponential"),
        (lambda: dd.exponential(1.0, rate=-0.5), "rate of exponential"),
        (lambda: dd.exponential(math.inf, rate=0.5), "value of exponential"),
        (lambda: dd.cosine(1.0, steps=0), "steps of cosine"),
        (lambda: dd.cosine(1.0, steps=10.0), "steps of cosine"),
        (lambda: dd.cosine(1.0, steps="10"), "steps of cosine"),
        (
            lambda: dd.cosine(1.0, steps=10, warmup=-1),
            "warmup of cosine must be an int of at least 0",
        ),
        (
            lambda: dd.cosine(1.0, steps=10, warmup=10),
            "warmup of cosine must be below steps, 10; got 10",
        ),
        (lambda: dd.cosine(1.0, steps=10, end=-1.0), "end of cosine"),
        (lambda: dd.cosine(-1.0, steps=10), "value of cosine"),
        (lambda: dd.warmup(-1.0, steps=3), "schedule of warmup"),
        (lambda: dd.warmup("cosine", steps=3), "schedule of warmup"),
        (lambda: dd.warmup(1.0, steps=0), "steps of warmup"),
        (lambda: dd.warmup(1.0, steps=1.5), "steps of warmup"),
    ],
)
def test_bad_arguments_are_refused_by_name(make, message):
    with pytest.raises(HyperparameterError, match=message):
        make()


@pytest.mark.parametrize(
    "schedule", [dd.exponential(1.0, rate=1e3), dd.step(1.0, every=1, factor=1e3)]
)
def test_a_schedule_that_grows_without_end_is_refused_by_the_step_it_reaches(schedule):
    assert schedule(10**6) == math.inf
    stepper = dd.Stepper(dd.sgd(lr=schedule), np.zeros(1))
    stepper.t = 200
    with pytest.raises(HyperparameterError, match="scheduled lr of sgd must be .*; got inf"):
        stepper.step(np.ones(1))


def test_numbers_of_numpy_are_kept_as_numbers_of_python():
    schedule = dd.cosine(np.float32(0.5), steps=np.int64(10), warmup=np.uint8(2), end=0)
    assert repr(schedule) == "dd.cosine(value=0.5, steps=10, warmup=2, end=0.0)"
    assert schedule == dd.cosine(0.5, steps=10, warmup=2)


NAMED = [s for s, _ in VALUES if "lambda" not in repr(s)]


@pytest.mark.parametrize("schedule", NAMED, ids=repr)
def test_repr_can_be_pasted(schedule):
    assert eval(repr(schedule), {"dd": dd}) == schedule


@pytest.mark.parametrize("schedule", NAMED, ids=repr)
def test_schedules_are_values(schedule):
    for same in (
        copy.copy(schedule),
        copy.deepcopy(schedule),
        pickle.loads(pickle.dumps(schedule)),
    ):
        assert same == schedule
        assert hash(same) == hash(schedule)
    with pytest.raises(AttributeError):
        schedule.value = 1.0
    assert len(set(NAMED)) == len(NAMED)


@pytest.mark.parametrize(
    "bad", [lambda: dd.constant(), lambda: dd.step(1.0), lambda: dd.cosine(1.0, 2, 1, 0.0, 5)]
)
def test_missing_and_surplus_arguments_are_type_errors(bad):
    with pytest.raises(TypeError):
        bad()
