"""Schedules: hand-worked values, the end of a run, laws. What is refused is in ``test_schedules_bad_input.py``."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import descend as dd
from descend.errors import HyperparameterError
from descend.schedules import SCHEDULES

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
    (dd.multistep(8.0, boundaries=(2, 5), factor=0.5), {1: 8, 2: 8, 3: 4, 5: 4, 6: 2, 99: 2}),
    (dd.multistep(1.0, boundaries=[1]), {1: 1, 2: 0.1, 99: 0.1}),
    (dd.linear(4.0, steps=4), {1: 4, 2: 3, 4: 1, 5: 0, 99: 0}),
    (dd.linear(1.0, steps=2, end=3.0), {1: 1, 2: 2, 3: 3, 4: 3}),  # it may rise
    (dd.polynomial(8.0, steps=4, power=3), {1: 8, 2: 27 / 8, 3: 1, 4: 1 / 8, 5: 0, 6: 0}),
    (dd.polynomial(3.0, steps=4, power=0.5, end=1.0), {1: 3, 4: 2, 5: 1, 9: 1}),
    (
        dd.polynomial_cycles(1.0, steps=2, power=1),
        {1: 1, 2: 1 / 2, 3: 0, 4: 1 / 4, 5: 0, 6: 1 / 6, 7: 0},
    ),
    (dd.polynomial_cycles(6.0, steps=2, power=2, end=2.0), {1: 6, 2: 3, 3: 2, 4: 2.25, 5: 2}),
    (dd.inverse_time(6.0, rate=0.5), {1: 6, 3: 3, 5: 2, 11: 1}),
    (dd.inverse_time(6.0, rate=0.0), {1: 6, 99: 6}),
    (dd.inverse_sqrt(6.0, warmup=4), {1: 1.5, 2: 3, 4: 6, 16: 3, 36: 2}),
    (dd.inverse_sqrt(6.0, warmup=1), {1: 6, 4: 3, 9: 2}),
    (dd.rex(3.0, steps=2), {1: 3, 2: 2, 3: 0, 4: 0}),
    (dd.rex(7.0, steps=4), {1: 7, 2: 6, 4: 2.8, 5: 0}),
    (
        dd.cosine_restarts(1.0, steps=2, growth=2, decay=0.5),  # starts at 1, 3, 7, 15
        {1: 1, 2: 0.5, 3: 0.5, 4: (1 + HALF) / 4, 5: 0.25, 7: 0.25, 11: 0.125, 15: 0.125},
    ),
    (dd.cosine_restarts(3.0, steps=2, end=1.0), {1: 3, 2: 2, 3: 3, 4: 2, 10**12 + 1: 3}),
    (dd.cosine_restarts(1.0, steps=10, growth=10), {1: 1, 11: 1, 111: 1, 1111: 1, 11111: 1}),
    (dd.triangular(1.0, peak=5.0, up=4, down=2), {1: 1, 2: 2, 5: 5, 6: 3, 7: 1, 8: 2}),
    (dd.triangular(0.75, peak=0.5, up=1), {1: 0.75, 2: 0.5, 3: 0.75}),  # the momentum's way
    (dd.triangular2(0.0, peak=8.0, up=1), {1: 0, 2: 8, 3: 0, 4: 4, 6: 2, 8: 1, 10**6: 0}),
    (dd.exp_range(0.0, peak=8.0, up=1, rate=0.5), {1: 0, 2: 4, 3: 0, 4: 1, 6: 0.25}),
    (dd.exp_range(1.0, peak=2.0, up=2), {1: 1, 2: 1.5, 3: 2, 4: 1.5, 5: 1}),
    # cos(π/3) is 1/2: three updates up, six down
    (
        dd.one_cycle(1.0, steps=10, start=0.2, end=0.0, rise=0.4),
        {1: 0.2, 2: 0.4, 3: 0.8, 4: 1, 6: 0.75, 7: 0.5, 8: 0.25, 10: 0, 11: 0, 99: 0},
    ),
    (
        dd.one_cycle_linear(1.0, steps=10, start=0.25, end=0.4, rise=0.4),
        {1: 0.25, 2: 0.5, 4: 1, 5: 0.9, 7: 0.7, 10: 0.4, 11: 0.4},
    ),
    (
        dd.one_cycle_three_phase(1.0, steps=10, start=0.25, end=0.0, rise=0.4),
        {1: 0.25, 4: 1, 5: 0.8125, 6: 0.4375, 7: 0.25, 8: 0.1875, 9: 0.0625, 10: 0, 11: 0},
    ),
    (
        dd.one_cycle_linear_three_phase(1.0, steps=10, start=0.25, end=0.1, rise=0.4),
        {1: 0.25, 4: 1, 5: 0.75, 7: 0.25, 8: 0.2, 9: 0.15, 10: 0.1, 11: 0.1},
    ),
    (dd.one_cycle(1.0, steps=10), {1: 0.04, 3: 1, 10: 4e-6, 99: 4e-6}),
    (
        dd.join((1.0, dd.linear(4.0, steps=2, end=2.0), 7.0), boundaries=(2, 4)),
        {1: 1, 2: 1, 3: 4, 4: 3, 5: 7, 99: 7},
    ),
    (
        dd.join([dd.linear(3.0, steps=9), dd.linear(2.0, steps=2, end=1)], boundaries=[3]),
        {1: 3, 3: 7 / 3, 4: 2, 5: 1.5, 6: 1, 7: 1},
    ),
    (dd.join((lambda t: 5.0 * t, 3.0), boundaries=(2,)), {1: 5, 2: 10, 3: 3}),
    (
        dd.wsd(4.0, steps=8, warmup=2, decay=4),
        {1: 2, 2: 4, 3: 4, 5: 4, 6: 3, 8: 1, 9: 0, 99: 0},
    ),
    (dd.wsd(4.0, steps=2, warmup=0, decay=2, end=2.0), {1: 4, 2: 3, 3: 2, 4: 2}),
    (dd.wsd_sqrt(4.0, steps=6, warmup=1, decay=4, end=2.0), {1: 4, 3: 4, 4: 3, 7: 2, 8: 2}),
    (dd.per_epoch(dd.step(8.0, every=1, factor=0.5), updates=3), {1: 8, 3: 8, 4: 4, 6: 4, 7: 2}),
    (dd.per_epoch(dd.linear(4.0, steps=2), updates=2), {2: 4, 3: 2, 4: 2, 5: 0}),
    (dd.per_micro_step(dd.linear(8.0, steps=8), micro_steps=2), {1: 7, 2: 5, 4: 1, 5: 0}),
    (dd.warmup(dd.per_epoch(dd.linear(4.0, steps=2), updates=2), steps=2), {1: 2, 2: 4, 5: 2}),
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


TOTALS = [
    (dd.constant(1.0), None),
    (dd.step(1.0, every=3), None),
    (dd.exponential(1.0, rate=0.5), None),
    (dd.cosine_restarts(1.0, steps=5), None),
    (dd.triangular(0.0, peak=1.0, up=5), None),
    (dd.cosine(1.0, steps=10, warmup=4), 10),
    (dd.linear(1.0, steps=10), 10),
    (dd.polynomial(1.0, steps=10, power=2), 10),
    (dd.rex(1.0, steps=10), 10),
    (dd.one_cycle(1.0, steps=10), 10),
    (dd.wsd(1.0, steps=10, warmup=2, decay=4), 10),
    (dd.warmup(dd.cosine(1.0, steps=10), steps=4), 14),
    (dd.warmup(1.0, steps=4), None),
    (dd.warmup(abs, steps=4), None),
    (dd.join((dd.rex(1.0, steps=99), dd.linear(1.0, steps=10)), boundaries=(4,)), 14),
    (dd.join((dd.linear(1.0, steps=10), 1.0), boundaries=(10,)), None),
    (dd.per_epoch(dd.linear(1.0, steps=10), updates=7), 70),
    (dd.per_micro_step(dd.linear(1.0, steps=10), micro_steps=4), 3),
    (dd.per_epoch(dd.step(1.0, every=3), updates=7), None),
]


@pytest.mark.parametrize(("schedule", "total"), TOTALS)
def test_schedule_says_how_many_updates_it_describes(schedule, total):
    assert schedule.total == total
    if total is not None:
        assert schedule(total + 1) == schedule(total + 2) == schedule(10**9)
        assert schedule(total - 1) != schedule(total + 1)


def test_schedule_says_what_its_steps_are():
    assert dd.cosine(1.0, steps=3).unit == "update"
    assert dd.per_epoch(1.0, updates=3).unit == "epoch"
    assert dd.per_micro_step(1.0, micro_steps=3).unit == "micro-step"


@pytest.mark.parametrize("steps", [1, 9, 11, 10**6])
@pytest.mark.parametrize("schedule", [s for s, total in TOTALS if total == 10])
def test_a_run_of_another_length_is_told(schedule, steps):
    assert dd.check_length(schedule, 10) is None
    said = dd.check_length(schedule, steps)
    assert said.startswith(f"{schedule!r} describes 10 updates and the run has {steps}: ")
    assert said.endswith("is never used." if steps < 10 else f"{schedule(11):g}.")


@pytest.mark.parametrize("schedule", [s for s, total in TOTALS if total is None] + [abs])
def test_a_schedule_without_end_fits_any_run(schedule):
    assert dd.check_length(schedule, 1) is dd.check_length(schedule, 10**9) is None


def test_wsd_without_a_stable_part_is_a_warm_up_and_a_line():
    ours = dd.wsd(0.3, steps=50, warmup=10, decay=40)
    parts = dd.warmup(dd.linear(0.3, steps=40), steps=10)
    for t in range(1, 60):
        assert ours(t) == pytest.approx(parts(t), rel=1e-15, abs=1e-17)


def test_inverse_sqrt_is_the_rate_of_the_transformer():
    d, w = 512, 4000  # Vaswani et al., 2017, eq. 3
    schedule = dd.inverse_sqrt((d * w) ** -0.5, warmup=w)
    for t in (1, 100, 3999, 4000, 4001, 10**5):
        assert schedule(t) == pytest.approx(d**-0.5 * min(t**-0.5, t * w**-1.5), rel=1e-14)


def test_a_restart_is_never_missed():
    for steps, growth in [(2, 2), (2, 3), (7, 10), (141, 4)]:
        schedule = dd.cosine_restarts(1.0, steps=steps, growth=growth)
        begins = 0
        for cycle in range(15):
            assert schedule(begins + 1) == 1.0
            assert schedule(begins + steps * growth**cycle) < 0.6
            begins += steps * growth**cycle


def test_momentum_is_cycled_against_the_rate():
    lr = dd.one_cycle(1.0, steps=10)
    momentum = dd.one_cycle(0.85, steps=10, start=0.95, end=0.95)
    dd.Stepper(dd.momentum(lr=lr, momentum=momentum), np.zeros(1)).step(np.ones(1))
    assert (lr(3), momentum(3)) == (1.0, 0.85)
    assert all((lr(t) < lr(t + 1)) == (momentum(t) > momentum(t + 1)) for t in range(1, 10))


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
def test_text_of_a_rule_may_hold_any_schedule(schedule):
    assert dd.get_rule(f"sgd:lr={schedule!r}") == dd.sgd(lr=schedule)


def test_every_schedule_has_hand_worked_values():
    assert {type(schedule) for schedule, _ in VALUES} == set(SCHEDULES.values())
    assert all(name == schedule.__name__ for name, schedule in SCHEDULES.items())


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
