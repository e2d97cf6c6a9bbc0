"""`plateau`: hand-worked falls, its state, and what it refuses. Its torch twin is in ``test_twins_schedules.py``."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

import descend as dd
from descend.errors import HyperparameterError, UnknownNameError


def heard(lr, *measurements):
    """The value after each measurement."""
    return [lr.observe(m) for m in measurements]


def test_it_falls_after_more_than_patience_measurements_without_improvement():
    lr = dd.plateau(1.0, factor=0.5, patience=2)
    assert heard(lr, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25]


def test_an_improvement_starts_the_count_again():
    lr = dd.plateau(1.0, factor=0.5, patience=1)
    assert heard(lr, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0, 1.0) == [1, 1, 1, 1, 1, 1, 0.5]


def test_an_improvement_is_one_by_more_than_the_threshold():
    relative = {"factor": 0.5, "patience": 0, "threshold": 0.5}
    assert heard(dd.plateau(1.0, **relative), 8.0, 4.0) == [1, 0.5]
    assert heard(dd.plateau(1.0, **relative), 8.0, 3.75) == [1, 1]
    absolute = {**relative, "threshold_mode": "abs"}
    assert heard(dd.plateau(1.0, **absolute), 8.0, 7.5) == [1, 0.5]
    assert heard(dd.plateau(1.0, **absolute), 8.0, 7.25) == [1, 1]


def test_large_measurements_are_good_in_mode_max():
    lr = dd.plateau(1.0, mode="max", factor=0.5, patience=0, threshold=0.5)
    assert heard(lr, 2.0, 3.0, 3.25, 4.0) == [1, 0.5, 0.5, 0.25]


def test_the_threshold_keeps_its_sign_below_zero():
    lr = dd.plateau(1.0, factor=0.5, patience=0, threshold=0.5)
    assert heard(lr, -2.0, -1.5, -3.0, -3.25) == [1, 0.5, 0.25, 0.25]


def test_no_measurement_is_bad_during_the_cooldown():
    lr = dd.plateau(1.0, factor=0.5, patience=0, cooldown=2)
    assert heard(lr, 3.0, 3.0, 3.0, 3.0, 3.0) == [1, 0.5, 0.5, 0.5, 0.25]


def test_it_never_falls_below_the_least():
    lr = dd.plateau(1.0, factor=0.5, patience=0, least=0.3)
    assert heard(lr, 3.0, 3.0, 3.0, 3.0) == [1, 0.5, 0.3, 0.3]


def test_a_fall_of_no_more_than_eps_is_not_made():
    lr = dd.plateau(1.0, factor=0.5, patience=0, eps=0.25)
    assert heard(lr, 3.0, 3.0, 3.0, 3.0) == [1, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("measurement", [math.nan, math.inf, -math.inf, 10**400])
def test_a_measurement_that_is_not_finite_is_no_improvement(mode, measurement):
    lr = dd.plateau(1.0, mode=mode, factor=0.5, patience=0)
    assert heard(lr, measurement, 3.0, measurement) == [0.5, 0.5, 0.25]
    assert lr.state["best"] == 3.0


def test_a_rule_takes_the_present_value_at_every_update():
    x, lr = np.zeros(1), dd.plateau(0.5, factor=0.5, patience=0)
    stepper = dd.Stepper(dd.sgd(lr=lr), x)
    taken = []
    for loss in (3.0, 3.0, 1.0, 2.0, 2.0):
        before = x[0]
        stepper.step(np.ones(1))
        taken.append(before - x[0])
        lr.observe(loss)
    assert taken == [0.5, 0.5, 0.25, 0.25, 0.125]


def test_its_scale_is_a_factor_for_another_schedule():
    falling = dd.plateau(8.0, factor=0.5, patience=0)
    assert falling.scale == 1.0
    heard(falling, 3.0, 3.0, 3.0)
    assert falling.scale == 0.25
    assert dd.plateau(0.0).scale == 1.0


def test_a_restored_plateau_goes_on_as_the_first_would():
    settings = {"factor": 0.5, "patience": 2, "cooldown": 1}
    measurements = np.random.default_rng(0).uniform(1, 2, 60).tolist()
    for cut in range(len(measurements)):
        first = dd.plateau(1.0, **settings)
        heard(first, *measurements[:cut])
        second = dd.plateau(1.0, **settings)
        second.restore(json.loads(json.dumps(first.state, allow_nan=False)))
        assert second.state == first.state
        assert heard(second, *measurements[cut:]) == heard(first, *measurements[cut:])


def test_its_state_is_a_copy():
    lr = dd.plateau(1.0, patience=0)
    lr.state["value"] = 7.0
    assert lr(1) == 1.0


def test_copies_are_apart_and_carry_the_state():
    first = dd.plateau(1.0, factor=0.5, patience=0)
    heard(first, 3.0, 3.0)
    for second in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert second.state == first.state
        second.observe(3.0)
        assert first(1) == 0.5
        assert second != first


def test_its_settings_are_frozen_and_its_repr_makes_a_fresh_one():
    lr = dd.plateau(np.float32(0.5), patience=np.int64(3), least=0)
    assert repr(lr) == (
        "dd.plateau(value=0.5, mode='min', factor=0.1, patience=3, threshold=0.0001, "
        "threshold_mode='rel', cooldown=0, least=0.0, eps=1e-08)"
    )
    assert repr(eval(repr(lr), {"dd": dd})) == repr(lr)
    with pytest.raises(AttributeError):
        lr.factor = 2.0


def test_it_is_no_schedule_that_a_text_may_name():
    with pytest.raises(UnknownNameError, match="no schedule is called 'plateau'"):
        dd.get_rule("sgd:lr=plateau(0.1)")


STATE = {"value": 0.01, "best": 1.5, "bad": 2, "resting": 1}
BAD_STATES = [
    (None, "state of plateau must hold value, best, bad, resting; got None."),
    ({}, "state of plateau must hold value, best, bad, resting; got {}."),
    ({**STATE, "more": 1}, "state of plateau must hold value, best, bad, resting; got {"),
    ([*STATE], "state of plateau must hold value, best, bad, resting; got ['value', "),
    ({**STATE, "value": 0.2}, "value in the state of plateau must be a float from 0.001 to 0.1; "),
    ({**STATE, "value": 0.0}, "value in the state of plateau must be a float from 0.001 to 0.1; "),
    ({**STATE, "value": math.nan}, "must be a float from 0.001 to 0.1; got nan."),
    ({**STATE, "value": "0.01"}, "must be a float from 0.001 to 0.1; got '0.01'."),
    ({**STATE, "value": True}, "must be a float from 0.001 to 0.1; got True."),
    ({**STATE, "value": 10**400}, "must be a float from 0.001 to 0.1; got 1000"),
    ({**STATE, "best": math.inf}, "best in the state of plateau must be a finite float or None; "),
    ({**STATE, "best": math.nan}, "best in the state of plateau must be a finite float or None; "),
    ({**STATE, "best": "1"}, "best in the state of plateau must be a finite float or None; "),
    ({**STATE, "bad": 4}, "bad in the state of plateau must be an int from 0 to 3; got 4."),
    ({**STATE, "bad": -1}, "bad in the state of plateau must be an int from 0 to 3; got -1."),
    ({**STATE, "bad": 1.0}, "bad in the state of plateau must be an int from 0 to 3; got 1.0."),
    ({**STATE, "resting": 3}, "resting in the state of plateau must be an int from 0 to 2; got 3."),
    ({**STATE, "resting": None}, "must be an int from 0 to 2; got None."),
]


@pytest.mark.parametrize(("state", "message"), BAD_STATES)
def test_a_bad_state_of_a_plateau_is_refused_and_nothing_has_changed(state, message):
    lr = dd.plateau(0.1, patience=3, cooldown=2, least=0.001)
    lr.observe(2.0)
    before = lr.state
    with pytest.raises(HyperparameterError) as caught:
        lr.restore(state)
    assert message in str(caught.value)
    assert lr.state == before


def test_a_bad_measurement_changes_nothing():
    lr = dd.plateau(0.1, patience=0)
    lr.observe(1.0)
    before = lr.state
    with pytest.raises(HyperparameterError):
        lr.observe("2.0")
    assert lr.state == before
