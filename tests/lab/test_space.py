"""The search space: what is tuned, where, and that all entries are asked the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.domains import Interval as Domain
from descend.errors import HyperparameterError, ProblemError, UnknownNameError
from descend.lab.space import (
    at_edge,
    interval,
    intervals,
    sobol_points,
    space_version,
    trial_settings,
    tuned_names,
)

POSITIVE, DECAY = Domain(0.0, math.inf), Domain(0.0, 1.0, closed_low=True)
ADAMW = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01}
SGD = {"lr": 1e-2, "momentum": 0.9}
DOMAINS = {
    "lr": POSITIVE,
    "beta1": DECAY,
    "momentum": DECAY,
    "eps": POSITIVE,
    "weight_decay": Domain(0.0, math.inf, closed_low=True),
}
ALL = ("lr", "beta1", "eps", "weight_decay")


def test_the_space_has_a_version():
    assert space_version() == 2


@pytest.mark.parametrize(
    ("budget", "names"),
    [(1, ALL[:1]), (9, ALL[:1]), (10, ALL[:2]), (25, ALL[:2]), (26, ALL), (64, ALL)],
)
def test_the_budget_decides_what_is_tuned(budget, names):
    assert tuned_names(ADAMW, budget) == names


@pytest.mark.parametrize(
    ("defaults", "names"),
    [
        (SGD, ("lr", "momentum")),
        ({"lr": 1.0, "beta": 0.9, "r": 0.0}, ("lr", "beta")),
        ({"lr": 1e-2}, ("lr",)),
        ({"decay": 0.9}, ()),
    ],
)
def test_only_what_a_rule_has_is_tuned(defaults, names):
    assert tuned_names(defaults, 64) == names


def test_a_budget_of_no_trials_is_refused():
    with pytest.raises(ProblemError, match="at least 1 trial; got 0"):
        tuned_names(ADAMW, 0)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("lr", 1e-5, 1.0), ("beta1", 0.5, 0.997), ("eps", 1e-10, 1e-2), ("weight_decay", 1e-5, 1.0)],
)
def test_the_ends_of_an_interval_are_reached(name, low, high):
    searched = interval(name, ADAMW[name], DOMAINS[name])
    # 1e-12: one product or one difference is rounded.
    assert (searched.low, searched.high) == pytest.approx((low, high), rel=1e-12)
    assert (searched.at(0.0), searched.at(1.0)) == (searched.low, searched.high)


def test_values_are_log_uniform():
    assert interval("lr", 1e-3).at(0.5) == pytest.approx(math.sqrt(1e-5 * 1.0))
    assert interval("beta1", 0.9).at(0.5) == pytest.approx(1 - math.sqrt(0.5 * 0.003))


@given(st.sampled_from(ALL), st.floats(0.0, 1.0), st.integers(0, 2))
def test_a_coordinate_is_found_again_and_its_value_is_in_the_domain(name, place, extend):
    searched = interval(name, ADAMW[name], DOMAINS[name], extend)
    value = searched.at(place)
    assert value in DOMAINS[name]
    # 1 - value loses digits where value nears 1: 1e-16 / 3e-5 at the most extended end.
    assert searched.coordinate(value) == pytest.approx(place, abs=1e-9)


def test_an_interval_is_cut_to_the_domain():
    searched = interval("lr", 0.5, Domain(0.1, 2.0))
    assert searched.low == math.nextafter(0.1, 1.0)
    assert searched.high == math.nextafter(2.0, 0.0)
    assert interval("lr", 0.5, Domain(0.1, 2.0, closed_low=True)).low == 0.1


def test_a_domain_apart_from_the_range_is_refused():
    with pytest.raises(HyperparameterError, match="domain of eps must overlap"):
        interval("eps", 1.0, Domain(0.5, 2.0))


def test_a_default_that_cannot_anchor_the_range_is_refused():
    with pytest.raises(HyperparameterError, match="default lr must be positive"):
        interval("lr", 0.0)


def test_a_hyperparameter_outside_the_space_is_refused():
    with pytest.raises(UnknownNameError, match="'beta2'"):
        interval("beta2", 0.999)


def test_extending_adds_a_decade_at_both_ends():
    wide = intervals(ADAMW, DOMAINS, ALL, extend=1)
    assert (wide["lr"].low, wide["lr"].high) == pytest.approx((1e-6, 10.0))
    assert (wide["eps"].low, wide["eps"].high) == pytest.approx((1e-11, 0.1))
    # 1 - beta1 would reach 5; a momentum below 0 is not searched.
    assert (wide["beta1"].low, wide["beta1"].high) == pytest.approx((0.0, 0.9997))


# Points


def test_points_repeat_with_their_seed_alone():
    assert np.array_equal(sobol_points(15, seed=4), sobol_points(15, seed=4))
    assert not np.array_equal(sobol_points(15, seed=4), sobol_points(15, seed=5))


@pytest.mark.parametrize(("few", "many"), [(0, 7), (7, 15), (8, 16), (9, 63)])
def test_the_points_of_a_small_budget_begin_those_of_a_large_one(few, many):
    assert np.array_equal(sobol_points(few, seed=1), sobol_points(many, seed=1)[:few])


def test_points_fill_every_stratum_of_every_coordinate():
    points = sobol_points(16, seed=2)
    assert points.shape == (16, 4)
    for column in points.T:
        assert sorted(np.floor(column * 16).astype(int)) == list(range(16))


def test_a_negative_count_is_refused():
    with pytest.raises(ProblemError, match="must not be negative; got -1"):
        sobol_points(-1, seed=0)


# Trials


def test_the_first_trial_is_the_default():
    trials = trial_settings(ADAMW, DOMAINS, ALL, sobol_points(15, seed=0))
    assert len(trials) == 16
    assert trials[0] == {}
    assert all(tuple(trial) == ALL for trial in trials[1:])
    assert trial_settings(ADAMW, DOMAINS, ALL, sobol_points(0, seed=0)) == [{}]


def test_all_entries_read_the_same_coordinates():
    points = sobol_points(15, seed=0)
    adamw = trial_settings(ADAMW, DOMAINS, ALL, points)[1:]
    sgd = trial_settings(SGD, DOMAINS, ("lr", "momentum"), points)[1:]
    for one, other, point in zip(adamw, sgd, points, strict=True):
        assert one["lr"] / 1e-3 == pytest.approx(other["lr"] / 1e-2)
        assert one["beta1"] == other["momentum"]
        place = interval("weight_decay", 0.01).coordinate(one["weight_decay"])
        assert place == pytest.approx(point[3])


def test_what_else_is_tuned_moves_no_learning_rate():
    points = sobol_points(9, seed=0)
    alone = trial_settings(ADAMW, DOMAINS, ("lr",), points)
    beside = trial_settings(ADAMW, DOMAINS, ALL, points)
    assert [t.get("lr") for t in alone] == [t.get("lr") for t in beside]


def test_every_trial_is_in_its_domain_even_when_extended():
    for trial in trial_settings(ADAMW, DOMAINS, ALL, sobol_points(63, seed=3), extend=2)[1:]:
        assert all(value in DOMAINS[name] for name, value in trial.items())


# Edges


@pytest.mark.parametrize(
    ("place", "flagged"),
    [
        (0.0, True),
        (0.09, True),
        (0.11, False),
        (0.5, False),
        (0.89, False),
        (0.91, True),
        (1, True),
    ],
)
@pytest.mark.parametrize("name", ALL)
def test_a_tenth_of_the_interval_at_each_end_is_edge(name, place, flagged):
    searched = interval(name, ADAMW[name], DOMAINS[name])
    assert at_edge({name: searched.at(place)}, {name: searched}) == ((name,) if flagged else ())


def test_the_default_is_flagged_only_inside_an_edge():
    ranges = intervals(ADAMW, DOMAINS, ALL)
    assert at_edge({}, ranges) == ()
    near = intervals({**ADAMW, "eps": 2e-10, "weight_decay": 0.0}, DOMAINS, ALL)
    assert at_edge({}, near) == ("eps",)


def test_a_default_of_no_decay_or_no_momentum_is_outside_not_at_an_edge():
    ranges = intervals(
        {"momentum": 0.0, "weight_decay": 0.0}, DOMAINS, ("momentum", "weight_decay")
    )
    assert at_edge({}, ranges) == ()


@pytest.mark.parametrize(
    ("default", "decade"), [(1e-3, 1e-3), (2e-3, 1e-3), (5e-4, 1e-3), (0.05, 0.1), (1.0, 1.0)]
)
def test_rules_of_one_family_search_the_same_learning_rates(default, decade):
    searched = interval("lr", default)
    # 1e-12: a power and a product are rounded
    assert (searched.low, searched.high) == pytest.approx((decade / 100, decade * 1000), rel=1e-12)
