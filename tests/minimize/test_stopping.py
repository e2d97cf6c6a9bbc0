"""Why runs end: measures by hand, on functions where each one is known."""

import math

import numpy as np
import pytest

from descend._minimize.driver import minimize
from descend._minimize.message import message
from descend._minimize.stopping import Limits, Progress, Stopping, Tally, relative_step
from descend.errors import HyperparameterError
from descend.methods import list_methods
from descend.methods._method import Method, Point, Step
from descend.methods._status import Status


def point(f, x=1.0, g=1.0):
    return Point(np.array([x]), f, np.array([g]))


def stopping(precision=2.0**-52, **limits):
    return Stopping(
        Limits(limits.pop("maxiter", 10**6), **limits), Tally(1.0, 1.0, 1.0, 1.0), precision
    )


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def slope(x):
    return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


def bowl(x):
    return float(x @ x), 2 * x


# ---- each measure alone


def test_gtol_compares_the_largest_entry():
    assert stopping(gtol=0.5).after(point(1.0), point(0.9), 0.5, 1.0, 1) is Status.GRADIENT
    assert stopping(gtol=0.5).after(point(1.0), point(0.9), 0.51, 1.0, 1) is None


@pytest.mark.parametrize(("f", "expected"), [(0.5, None), (0.9, Status.FUNCTION)])
def test_ftol_is_the_decrease_relative_to_the_larger_value_or_one(f, expected):
    # |1 − f| / max(1, 1) is 0.5 and 0.1
    assert stopping(ftol=0.1 + 1e-12).after(point(1.0), point(f), 1.0, 1.0, 1) is expected


def test_ftol_of_large_values_is_relative():
    assert stopping(ftol=0.01).after(point(1000.0), point(991.0), 1.0, 1.0, 1) is Status.FUNCTION


def test_xtol_is_the_step_relative_to_x():
    assert relative_step(point(0.0, x=4.0), 4.0) == 0.5
    assert relative_step(point(0.0, x=0.0), 4.0) == 2.0
    assert stopping(xtol=0.5).after(point(2.0), point(1.0, x=4.0), 1.0, 4.0, 1) is Status.STEP


def test_target_is_met_at_equality():
    assert stopping(target=0.5).after(point(1.0), point(0.5), 1.0, 1.0, 1) is Status.TARGET


def test_hits_must_be_in_a_row():
    s = stopping(ftol=0.01, hits=2)
    assert s.after(point(1.0), point(0.999), 1.0, 1.0, 1) is None
    assert s.after(point(0.999), point(0.5), 1.0, 1.0, 2) is None
    assert s.after(point(0.5), point(0.499), 1.0, 1.0, 3) is None
    assert s.after(point(0.499), point(0.498), 1.0, 1.0, 4) is Status.FUNCTION


def test_patience_counts_iterations_without_a_better_value():
    s = stopping(patience=2)
    assert s.after(point(1.0), point(0.5), 1.0, 1.0, 1) is None
    assert s.after(point(0.5), point(0.7), 1.0, 1.0, 2) is None
    assert s.after(point(0.7), point(0.6), 1.0, 1.0, 3) is Status.STALLED


def test_steps_within_rounding_end_the_run_unless_the_gradient_falls():
    s = stopping()
    assert all(s.after(point(1.0), point(1.0), 1.0, 1.0, i) is None for i in range(19))
    assert s.after(point(1.0), point(1.0), 1.0, 1.0, 20) is Status.ROUNDOFF
    s = stopping()
    falling = [s.after(point(1.0), point(1.0), 0.9**i, 1.0, i) for i in range(1, 60)]
    assert set(falling) == {None}


def test_a_function_of_float32_has_the_rounding_of_float32():
    s = stopping(precision=2.0**-23)
    ends = [s.after(point(1.0), point(1.0 + 2.0**-24), 1.0, 1.0, i) for i in range(20)]
    assert ends[-1] is Status.ROUNDOFF


def test_a_function_that_grows_ten_billionfold_has_diverged():
    assert stopping().after(point(1.0), point(2e10), 1.0, 1.0, 1) is Status.DIVERGED
    assert stopping().after(point(1.0), point(1e9), 1.0, 1.0, 1) is None


def test_a_point_at_infinity_has_diverged_and_a_hole_at_hand_is_not_finite():
    away = point(math.nan, x=math.nan, g=math.nan)
    assert stopping().after(point(1.0), away, math.nan, math.nan, 1) is Status.DIVERGED
    hole = point(math.nan, x=1.1, g=math.nan)
    assert stopping().after(point(1.0), hole, math.nan, 0.1, 1) is Status.NON_FINITE


def test_a_value_that_is_not_finite_is_forgiven_four_times_while_the_gradient_is():
    s = stopping()
    hole = point(math.nan, x=1.1)
    assert [s.after(point(1.0), hole, 1.0, 0.1, i) for i in range(4)] == [None] * 4
    assert s.after(point(1.0), hole, 1.0, 0.1, 5) is Status.NON_FINITE


def test_the_message_names_every_measure_with_its_threshold():
    limits = Limits(400, gtol=1e-5, ftol=2.2e-9, target=1.0, maxfev=99, maxtime=2.0)
    told = message(
        "Done.", limits, Progress(3.1e-6, 2e-7, 0.1), 1.5, (23, 30, 0.25), projected=True
    )
    assert told == (
        "Done. |projected g|_inf 3.1e-06 <= gtol 1e-05: yes; "
        "relative decrease 2e-07 <= ftol 2.2e-09: no; f 1.5 <= target 1: no; "
        "iterations 23 of 400; evaluations 30 of 99; seconds 0.25 of 2."
    )


# ---- whole runs


def test_maxiter_is_kept():
    r = minimize(rosenbrock, [-1.2, 1.0], jac=slope, maxiter=5)
    assert (r.status, r.success, r.nit, len(r.history)) == (1, False, 5, 6)
    assert "iterations 5 of 5" in r.message


def test_maxiter_zero_evaluates_the_start_alone():
    r = minimize(rosenbrock, [-1.2, 1.0], jac=slope, maxiter=0)
    assert (r.nit, r.nfev, r.fun) == (0, 1, rosenbrock([-1.2, 1.0]))
    assert r.x.tolist() == [-1.2, 1.0]


@pytest.mark.parametrize("maxfev", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("jac", [slope, None])
def test_maxfev_is_never_exceeded(maxfev, jac):
    calls = []

    def f(x):
        calls.append(x.copy())
        return rosenbrock(x)

    r = minimize(f, [-1.2, 1.0], jac=jac, maxfev=maxfev)
    assert r.nfev == len(calls) == maxfev
    assert r.status == Status.MAXFEV.number
    assert r.fun == rosenbrock(r.x) <= rosenbrock([-1.2, 1.0])


def test_maxtime_is_kept():
    import time

    def slow(x):
        time.sleep(0.01)
        return bowl(x)

    began = time.perf_counter()
    r = minimize(slow, np.ones(3), method="gd:lr=1e-6", jac=True, maxtime=0.1)
    assert r.status == Status.MAXTIME.number
    # one call of 0.01 s may have begun before the time was over; the rest is a busy machine's
    assert time.perf_counter() - began < 2.0


def test_target_ends_the_run_at_the_first_point_that_reaches_it():
    r = minimize(rosenbrock, [-1.2, 1.0], jac=slope, target=1.0)
    assert r.success
    assert r.status == Status.TARGET.number
    assert r.fun <= 1.0
    assert (r.history.fun[:-1] > 1.0).all()


def test_tol_sets_every_tolerance_of_the_method():
    told = minimize(rosenbrock, [-1.2, 1.0], jac=slope, tol=0.5).message
    assert "gtol 0.5" in told
    assert "ftol 0.5" in told


def test_a_named_tolerance_takes_the_place_of_its_own_default_alone():
    told = minimize(rosenbrock, [-1.2, 1.0], jac=slope, gtol=1e-3).message
    assert "gtol 0.001" in told
    assert "ftol 2.2e-09" in told
    told = minimize(rosenbrock, [-1.2, 1.0], jac=slope, tol=1e-4, ftol=1e-6, xtol=1e-12).message
    assert all(part in told for part in ("gtol 0.0001", "ftol 1e-06", "xtol 1e-12"))


def test_a_tolerance_of_the_decrease_of_0_is_none():
    told = minimize(rosenbrock, [-1.2, 1.0], jac=slope, ftol=0.0, xtol=0).message
    assert "gtol 1e-05" in told
    assert "ftol" not in told
    assert "xtol" not in told


def test_ftol_is_not_below_the_precision_of_the_function():
    assert stopping(precision=2.0**-23, ftol=1e-9).limits.ftol == 2.0**-23
    told = minimize(lambda x: np.float32(rosenbrock(x)), [-1.2, 1.0], jac=slope, ftol=1e-9).message
    assert "ftol 1.19e-07" in told


def test_a_fall_is_without_bound_where_it_is_long_and_the_slope_does_not_fall():
    s = stopping()
    assert s.after(point(1.0), point(-2e10), 0.5, 1.0, 1) is None
    assert s.why == ""
    assert s.after(point(1.0), point(-2e10), 1.0, 1.0, 2) is Status.DIVERGED
    assert "is it unbounded below, or is a maximum sought?" in s.why


# owlqn's steps grow with the distance alone
@pytest.mark.parametrize("method", [*(m for m in list_methods() if m != "owlqn"), "sgd:lr=0.1"])
def test_a_function_unbounded_below_ends_soon_and_says_so(method):
    r = minimize(lambda x: (-x @ x, -2 * x), [1.0, 2.0], method=method, jac=True)
    assert r.status == Status.DIVERGED.number
    assert "f falls without bound: is it unbounded below, or is a maximum sought?" in r.message
    assert r.nfev < 100


def test_a_deep_minimum_is_none_the_less_one():
    b = np.array([1e6, 3e6, 2e6])  # f falls from 0 to -7e12
    r = minimize(lambda x: (x @ x / 2 - b @ x, x - b), np.zeros(3), jac=True)
    assert r.success
    np.testing.assert_allclose(r.x, b, rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_no_success_of_one_sided_differences(seed):
    rng, curvature = np.random.default_rng(seed), np.array([1.0, 3.0, 10.0])

    def noisy(x):
        return curvature @ (x - 1) ** 2 / 2 + 1e-8 * rng.standard_normal()

    r = minimize(noisy, [3.0, -2.0, 0.5])
    # noise of 1e-8 over central steps of 6e-6 is a slope of 2e-3
    assert np.abs(r.x - 1).max() < 0.02


@pytest.mark.parametrize("method", ["newton", "lbfgs", "bfgs"])
def test_what_the_message_measures_is_true_of_the_point_returned(method):
    r = minimize(lambda x: abs(x[0]) + 2 * abs(x[1]), [1.0, 2.0], method=method)
    norm = np.abs(r.jac).max()
    assert f"|g|_inf {norm:.2g} <= gtol 1e-05: {'yes' if norm <= 1e-5 else 'no'}" in r.message
    assert r.success == (norm <= 1e-5)


class SeesNoSlope(Method):
    """Claims a stationary point wherever it is."""

    name = "sees_no_slope"

    def start(self, oracle, point):
        return None

    def step(self, oracle, point, state):
        return Step(point, None, math.nan, Status.GRADIENT, "All is flat.")


def test_a_method_that_sees_no_slope_is_not_believed_against_the_measure():
    r = minimize(bowl, np.ones(2), method=SeesNoSlope(), jac=True)
    assert (r.status, r.success) == (Status.LINE_SEARCH.number, False)
    assert "flat" not in r.message
    assert "|g|_inf 2 <= gtol 1e-05: no" in r.message


@pytest.mark.parametrize(
    "wrong", [{"starts": True}, {"jobs": -1}, {"jobs": True}, {"seed": -1}, {"seed": "a"}]
)
def test_starts_jobs_and_seed_are_checked_for_one_start_too(wrong):
    with pytest.raises(HyperparameterError, match=f"{next(iter(wrong))} of minimize must be"):
        minimize(bowl, np.ones(2), jac=True, **wrong)


def test_a_start_at_the_solution_takes_no_step():
    r = minimize(bowl, np.zeros(3), jac=True)
    assert (r.nit, r.nfev, r.success) == (0, 1, True)


def test_a_rule_with_steps_too_long_is_said_to_diverge_and_the_start_is_returned():
    r = minimize(bowl, np.ones(2), method="sgd:lr=10.0", jac=True)
    assert r.status == Status.DIVERGED.number
    assert r.x.tolist() == [1.0, 1.0]
    assert r.fun == 2.0


def test_a_function_that_is_nowhere_finite_has_a_status():
    r = minimize(lambda x: math.nan, np.ones(2), jac=lambda x: np.ones(2))
    assert r.status == Status.NON_FINITE.number
    assert r.x.tolist() == [1.0, 1.0]


def test_patience_ends_a_run_that_no_longer_improves():
    r = minimize(bowl, np.ones(2), method="adam:lr=0.5", jac=True, patience=5, gtol=1e-300)
    assert r.status == Status.STALLED.number
    assert r.fun == r.history.fun.min() == r.history.fun[-6]
