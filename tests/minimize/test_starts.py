"""Many starts: where they lie, what they find, that it does not depend on the number of processes, and what may fail."""

from __future__ import annotations

import os
import threading
import warnings
from functools import partial

import numpy as np
import pytest
from scipy import optimize

from descend._minimize.basins import End, find_basins
from descend._minimize.driver import minimize
from descend._minimize.history import History
from descend._minimize.result import Result
from descend._minimize.starts import MOST_STARTS, minimize_from_many, start_box, start_points
from descend._minimize.variables import kept
from descend.errors import HyperparameterError, ProblemError
from descend.lab.functions import get_function


def by_scipy(fun, grad, x):
    """A run by another minimizer: what starts do is tested apart from our methods."""
    found = optimize.minimize(fun, x, jac=grad, method="L-BFGS-B", options={"gtol": 1e-8})
    kept = {name: found[name] for name in ("x", "fun", "nfev", "njev", "nit", "success")}
    values, lengths = [fun(x), found.fun], [np.nan, np.linalg.norm(found.x - x)]
    history = History({"fun": np.array(values), "step_norm": np.array(lengths)})
    return Result(**kept, message="Done.", history=history)


def run_of(name: str):
    function = get_function(name)
    return partial(by_scipy, function.fun, function.grad)


def many(name: str, starts: int, x0=None, seed: int | None = 0, jobs: int = 1) -> Result:
    function = get_function(name)
    low, high = (np.full(function.n, edge) for edge in function.box)
    x0 = np.array(x0) if x0 is not None else (low + high) / 2 + 0.1
    return minimize_from_many(run_of(name), x0, low, high, starts, seed, jobs)


# what is found


def test_both_minima_of_the_quartic_are_found_and_told_apart() -> None:
    r = many("quartic", 16)
    # gtol 1e-8 over curvatures of 26 and 8.5
    assert [b.x.item() for b in r.basins] == pytest.approx([3.0, -0.25], abs=1e-8)
    assert [b.fun for b in r.basins] == pytest.approx([-9.0, -107 / 256])
    assert r.fun == r.basins[0].fun
    assert sum(b.count for b in r.basins) == 16
    assert sum(b.share for b in r.basins) == 1.0
    assert r.failures == {}
    assert r.unfinished == []


def test_the_four_minima_of_himmelblau_are_told_apart_though_equally_deep() -> None:
    r = many("himmelblau", 50)
    assert len(r.basins) == 4
    found = sorted(tuple(b.x.round(6)) for b in r.basins)
    known = sorted(tuple(np.round(m, 6)) for m in get_function("himmelblau").minima)
    np.testing.assert_allclose(found, known, atol=2e-6)
    assert all(b.success for b in r.basins)


def test_the_minima_of_rastrigin_are_many_and_each_is_listed_once() -> None:
    r = many("rastrigin", 128)
    assert len(r.basins) > 30
    # they lie near the integers, so rounding tells which each one is
    cells = {tuple(b.x.round().astype(int)) for b in r.basins}
    assert len(cells) == len(r.basins)
    assert [b.fun for b in r.basins] == sorted(b.fun for b in r.basins)
    grad = get_function("rastrigin").grad
    # SciPy stops at a relative decrease of 2e-9: with a curvature of 400, at slopes below 0.01
    assert max(np.abs(grad(b.x)).max() for b in r.basins) < 1e-2


def test_a_function_with_one_minimum_has_one_basin() -> None:
    r = many("rosenbrock", 20)
    assert len(r.basins) == 1
    assert r.basins[0].share == 1.0


def test_a_basin_tells_which_start_found_it_and_what_all_of_its_starts_cost() -> None:
    r = many("quartic", 12)
    runs = [run_of("quartic")(x) for x in r.starts]
    beside = runs[0].x + 1e-3 * 10 * np.random.default_rng(0).uniform(0.5, 1.0) * np.array([1, -1])
    again = [run_of("quartic")(np.array([x])) for x in beside]  # x0's run is looked at from beside
    assert r.nfev == sum(b.nfev for b in r.basins) == sum(run.nfev for run in runs + again)
    assert r.njev == sum(run.njev for run in runs + again)
    for basin in r.basins:
        assert np.array_equal(basin.x0, r.starts[basin.start])
        assert runs[basin.start].fun == basin.fun
        assert np.array_equal(runs[basin.start].x, basin.x)
    assert r.nit == runs[r.basins[0].start].nit


def test_basins_are_printed_as_a_table() -> None:
    ends = [
        End(0, np.zeros(2), np.array([1.0, 2.0]), 4.0, True, 10),
        End(2, np.ones(2), np.array([3.0, 2.0]), -1.5, False, 7),
        End(3, np.ones(2), np.array([3.0, 2.00001]), -1.25, True, 5),
    ]
    basins, unfinished = find_basins(ends, np.ones(2), starts=4)
    table = str(basins).splitlines()
    assert table[0].split() == ["f", "share", "starts", "nfev", "found", "by", "converged", "x"]
    assert table[1].split() == ["-1.25", "25", "%", "1", "5", "start", "3", "yes", "(3,", "2.00001)"]  # fmt: skip
    assert str(basins[1]).startswith("4  25 %  1  10  start 0  yes")
    # it differs from the one beside it in f alone
    assert str(unfinished).splitlines()[1].startswith("-1.5  25 %   1       7     start 2   no")


def test_a_run_that_did_not_converge_joins_the_basin_where_it_ended_and_makes_none() -> None:
    places = [(0.0, True), (1e-6, False), (0.5, False), (0.5, False), (0.9, False)]
    ends = [End(i, np.zeros(1), np.array([x]), 0.0, done, 1) for i, (x, done) in enumerate(places)]
    basins, unfinished = find_basins(ends, np.ones(1), starts=6)
    assert [(b.count, b.share, b.success) for b in basins] == [(2, 2 / 6, True)]
    assert [(b.count, b.start, b.success) for b in unfinished] == [(2, 2, False), (1, 4, False)]


def test_ends_along_a_flat_valley_are_one_basin() -> None:
    ends = [End(i, np.zeros(1), np.array([x]), 0.0, True, 1) for i, x in enumerate(np.linspace(0, 0.1, 201))]  # fmt: skip
    assert len(find_basins(ends, np.array([1.0]), 201)[0]) == 1
    assert len(find_basins(ends[::3], np.array([1.0]), 67)[0]) == 67


def test_distances_are_measured_in_widths_of_the_box() -> None:
    ends = [End(i, np.zeros(2), np.array([1e6 * i, 0.0]), 0.0, True, 1) for i in range(2)]
    assert len(find_basins(ends, np.array([1e10, 1.0]), 2)[0]) == 1
    assert len(find_basins(ends, np.array([1e8, 1.0]), 2)[0]) == 2
    assert len(find_basins(ends, np.array([0.0, 1.0]), 2)[0]) == 2  # a fixed variable has no width


# what is no minimum


def double_well(x):
    """Minima at ±1; the other coordinates, if any, are a bowl around 0."""
    return float((x[0] ** 2 - 1) ** 2 + (x[1:] ** 2).sum())


def slope(x):
    return np.concatenate([4 * x[:1] * (x[:1] ** 2 - 1), 2 * x[1:]])


def all_shares(r: Result) -> float:
    return sum(b.share for b in r.basins + r.unfinished) + len(r.failures) / len(r.starts)


@pytest.mark.parametrize("method", ["lbfgs", "bfgs", "cg", "bb", "adam:lr=0.05"])
@pytest.mark.parametrize("x0", [[0.0], [0.0, 0.0], [0.0, 0.7], [0.0, 0.2, 0.0]])
def test_a_run_that_rests_on_a_maximum_or_saddle_is_led_away(method, x0) -> None:
    r = minimize(double_well, x0, jac=slope, method=method, starts=6, seed=0)
    # a gradient of 1e-5 over a curvature of 8
    assert sorted(b.x[0] for b in r.basins) == pytest.approx([-1, 1], abs=2e-6)
    assert all(b.success for b in r.basins)
    assert sum(b.share for b in r.basins) == pytest.approx(1)
    assert r.unfinished == []


def test_a_start_at_a_minimum_is_kept_though_a_lower_valley_is_near() -> None:
    def waves(x):
        return float(x[0] ** 2 + 10 - 10 * np.cos(2 * np.pi * x[0]))

    def steepness(x):
        return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)

    # the minimum beside 2: 2x + 20 pi sin(2 pi x) = 0, to the last bit
    x0 = optimize.brentq(lambda x: steepness(np.array([x]))[0], 1.9, 2.1, xtol=1e-16)
    r = minimize(waves, [x0], jac=steepness, bounds=[(-5, 5)], starts=4, seed=0)
    assert any(abs(b.x[0] - x0) < 1e-6 and b.start == 0 for b in r.basins)


@pytest.mark.parametrize(("x0", "bounds"), [([0.0], [(0, 1)]), ([1.0], [(1, 1)])])
def test_a_start_at_a_corner_or_without_room_is_a_minimum(x0, bounds) -> None:
    r = minimize(lambda x: float(x[0]), x0, jac=np.ones_like, bounds=bounds, starts=4, seed=0)
    assert [b.share for b in r.basins] == [1.0]
    assert r.x.tolist() == x0


def test_the_flat_bottom_of_a_quartic_is_a_minimum_though_gtol_holds_all_around() -> None:
    r = minimize(lambda x: float(x[0] ** 4), [0.0], jac=lambda x: 4 * x**3, starts=2, seed=0)
    assert r.basins[0].start == 0
    assert r.basins[0].fun == 0.0


def test_starts_that_never_moved_are_no_basins() -> None:
    box = [(-2e-6, 2e-6)]
    r = minimize(lambda x: float(x[0] ** 4), [1e-6], bounds=box, starts=8, seed=0)
    assert r.basins == []
    assert sum(b.count for b in r.unfinished) == 8
    assert not any(b.success for b in r.unfinished)
    assert all_shares(r) == 1
    assert r.fun == r.unfinished[0].fun
    assert "found 0 basins; 8 unfinished. 8 did not move: gtol holds there" in r.message
    assert "unmoved" not in r
    # the projected gradient is no longer than the box is wide, so gtol must be far below that
    fine = minimize(lambda x: 1e12 * float(x[0] ** 2), [1e-6], bounds=box, jac=lambda x: 2e12 * x, gtol=1e-9, ftol=0, starts=8, seed=0)  # fmt: skip
    assert [b.share for b in fine.basins] == [1.0]


def test_a_constant_has_no_basin() -> None:
    r = minimize(lambda x: 1.0, [0.0, 0.0], starts=4, seed=0)
    assert (r.basins, sum(b.count for b in r.unfinished), r.fun) == ([], 4, 1.0)


def test_runs_that_used_up_their_iterations_are_unfinished() -> None:
    f = get_function("rosenbrock")
    r = minimize(f.fun, [-1.2, 1.0], jac=f.grad, method="adam:lr=0.01", maxiter=300, starts=8, seed=0)  # fmt: skip
    assert r.basins == []
    assert sum(b.count for b in r.unfinished) == 8
    assert all_shares(r) == 1
    assert r.fun == r.unfinished[0].fun
    assert not r.success
    assert r.message.endswith("found 0 basins; 8 unfinished.")


def test_basins_unfinished_and_failed_starts_add_up() -> None:
    def f(x):
        if x[0] > 0.8:
            raise ValueError("too far right")
        return double_well(x)

    r = minimize(f, [0.0], jac=slope, maxiter=3, starts=16, seed=0)
    assert r.basins
    assert r.unfinished
    assert r.failures
    assert all_shares(r) == pytest.approx(1)


# where the starts lie


def test_the_box_is_that_of_the_bounds_or_around_x0() -> None:
    inf = np.inf
    x0 = np.array([0.5, -3.0, 1.0, 2.0, 50.0])
    lower = np.array([-5.0, -inf, 0.5, -inf, -inf])
    upper = np.array([10.0, inf, inf, 2.5, 40.0])
    low, high = start_box(x0, lower, upper)
    assert low.tolist() == [-5.0, -6.0, 0.5, 0.0, 0.0]
    assert high.tolist() == [10.0, 0.0, 2.0, 2.5, 40.0]
    low, high = start_box(x0[:2], None, None)
    assert low.tolist() == [-0.5, -6.0]
    assert high.tolist() == [1.5, 0.0]


@pytest.mark.parametrize("starts", [1, 2, 3, 5, 16, 17, 33, 100])
def test_any_number_of_starts_is_drawn_without_a_warning_and_x0_is_the_first(starts: int) -> None:
    x0, low, high = np.array([0.1, 5.0]), np.array([-1.0, 4.0]), np.array([1.0, 9.0])
    points = start_points(x0, low, high, starts, seed=1)
    assert points.shape == (starts, 2)
    assert points[0].tolist() == [0.1, 5.0]
    assert ((points >= low) & (points <= high)).all()
    assert len(np.unique(points, axis=0)) == starts


def test_starts_are_spread_more_evenly_than_random_ones() -> None:
    points = start_points(np.array([0.5, 0.5]), np.zeros(2), np.ones(2), 65, seed=0)[1:]
    counts, _, _ = np.histogram2d(*points.T, bins=8, range=[[0, 1], [0, 1]])
    assert (counts == 1).all()  # 64 of a Sobol' sequence: one in each cell of 8 × 8


def test_a_box_as_wide_as_the_floats_and_more_variables_than_the_sequence_has() -> None:
    wide = np.full(2, 1.7e308)
    assert np.isfinite(start_points(np.zeros(2), -wide, wide, 9, seed=0)).all()
    n = 25_000
    points = start_points(np.zeros(n), -np.ones(n), np.ones(n), 3, seed=0)
    assert points.shape == (3, n)
    assert points[1:].std() == pytest.approx(np.sqrt(1 / 3), rel=0.02)  # of 50 000 uniform draws


def test_equal_seeds_give_equal_starts_and_other_seeds_others() -> None:
    first, again, other = (many("quartic", 8, seed=s).starts for s in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[1:], other[1:])
    assert not np.array_equal(many("quartic", 8, seed=None).starts, first)


# processes


def comparable(r: Result) -> tuple:
    basins = [(b.x.tolist(), b.fun, b.share, b.count, b.start, b.nfev) for b in r.basins]
    return r.x.tolist(), r.fun, r.nfev, r.njev, r.message, r.starts.tolist(), basins, r.failures


def test_the_result_is_the_same_for_any_number_of_processes() -> None:
    alone, shared = (many("himmelblau", 9, jobs=jobs) for jobs in (1, 2))
    assert comparable(alone) == comparable(shared)


def test_functions_that_only_this_process_has_are_sent_to_the_others() -> None:
    shift, parent = np.array([2.0]), os.getpid()
    pids = []

    def run(x):
        found = by_scipy(lambda x: float((x - shift) @ (x - shift)), lambda x: 2 * (x - shift), x)
        found.pid = os.getpid()
        pids.append(found.pid)
        return found

    r = minimize_from_many(run, np.zeros(1), starts=4, seed=0, jobs=2)
    assert r.x == pytest.approx(2.0)
    assert r.pid != parent
    assert pids == []


def test_what_cannot_be_pickled_runs_in_threads_and_a_note_says_so() -> None:
    lock = threading.Lock()

    def run(x):
        with lock:
            return run_of("quartic")(x)

    box = np.array([-5.0]), np.array([5.0])
    with pytest.warns(
        RuntimeWarning, match="starts run in threads: .* cannot pickle '_thread.lock'"
    ):
        r = minimize_from_many(run, np.zeros(1), *box, starts=8, seed=0, jobs=2)
    assert comparable(r) == comparable(many("quartic", 8, x0=[0.0]))


def test_a_result_that_cannot_be_sent_back_is_computed_in_threads() -> None:
    def run(x):
        return Result(run_of("quartic")(x), lock=threading.Lock())

    with pytest.warns(RuntimeWarning, match="starts run in threads"):
        r = minimize_from_many(run, np.zeros(1), starts=3, seed=0, jobs=2)
    assert r.x == pytest.approx(-0.25)


def test_what_workers_warn_of_is_said_once_in_this_process(capfd) -> None:
    def run(x):
        warnings.warn("Unknown solver options: memry", optimize.OptimizeWarning, stacklevel=2)
        return by_scipy(lambda x: float(x @ x), lambda x: 2 * x, x)

    with pytest.warns(optimize.OptimizeWarning, match="memry") as caught:
        minimize_from_many(run, np.ones(2), starts=6, seed=0, jobs=2)
    assert len(caught) == 1
    assert "memry" not in capfd.readouterr().err


def test_a_function_that_ends_its_worker_is_one_sentence() -> None:
    parent = os.getpid()

    def run(x):
        if os.getpid() != parent:
            os._exit(1)
        return run_of("quartic")(x)

    with pytest.raises(ProblemError, match="must let its worker process live"):
        minimize_from_many(run, np.zeros(1), starts=4, seed=0, jobs=2)


def test_what_a_run_changes_in_its_start_is_not_seen() -> None:
    def run(x):
        found = run_of("quartic")(x)
        x[:] = 99.0
        return found

    r = minimize_from_many(run, np.zeros(1), starts=3, seed=0)
    assert (np.abs(r.starts) <= 1).all()
    assert (np.abs(r.basins[0].x0) <= 1).all()


# failures


def half_a_line(x):
    if x[0] > 0:
        raise ValueError("only the left half")
    return run_of("quartic")(x)


@pytest.mark.parametrize("jobs", [1, 2])
def test_starts_that_raise_are_counted_and_do_not_end_the_rest(jobs: int) -> None:
    box = np.array([-4.0]), np.array([4.0])
    r = minimize_from_many(half_a_line, np.array([3.9]), *box, starts=9, seed=0, jobs=jobs)
    assert r.x == pytest.approx(-0.25)
    failed = np.flatnonzero(r.starts[:, 0] > 0).tolist()
    assert len(failed) == 5  # x0 and half of eight even points
    assert r.failures == dict.fromkeys(failed, "ValueError: only the left half")
    assert r.basins[0].share == 4 / 9
    assert r.message == "Done. The best of 9 starts, which found 1 basin; 5 failed."


def test_ends_that_are_not_finite_count_as_failures() -> None:
    def run(x):
        value = {0: np.nan, 1: -np.inf}.get(int(x[0] > 0) + (x[0] == 0) * 9, float(x[0] ** 2))
        return Result(x=x, fun=value, nfev=1, njev=1, nit=1, success=True, message="Odd.")

    r = minimize_from_many(run, np.zeros(1), starts=5, seed=0)
    assert set(r.failures) == {1, 2, 3, 4}
    assert set(r.failures.values()) == {"it ended where f is nan", "it ended where f is -inf"}
    assert r.fun == 0.0
    assert r.nfev == 7  # x0 from both sides too


def test_where_every_start_fails_the_first_reason_is_told() -> None:
    def run(x):
        raise ZeroDivisionError(f"at {x[0]}")

    with pytest.raises(ProblemError, match="none of 4 did. The first: ZeroDivisionError: at 7.0"):
        minimize_from_many(run, np.array([7.0]), starts=4, seed=0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_wrong_setting_is_no_failure_of_a_start(jobs: int) -> None:
    def run(x):
        raise HyperparameterError("lr of gd must be a number.")

    with pytest.raises(HyperparameterError, match="lr of gd"):
        minimize_from_many(run, np.zeros(1), starts=4, seed=0, jobs=jobs)


def test_an_interruption_keeps_the_best_of_what_was_run() -> None:
    seen = []

    def run(x):
        seen.append(x)
        if len(seen) == 6:  # x0 is run three times
            interruption = KeyboardInterrupt()
            interruption.result = Result(x=x, fun=1e9, nfev=3, njev=3, success=False, message="Half.")  # fmt: skip
            raise interruption
        return run_of("quartic")(x)

    box = np.array([-5.0]), np.array([5.0])
    with pytest.raises(KeyboardInterrupt) as caught:
        minimize_from_many(run, np.array([-1.0]), *box, starts=20, seed=0)
    r = caught.value.result
    assert len(seen) == 6
    assert r.message.endswith("Interrupted: 4 of 20 starts were run.")
    assert r.fun == min(run_of("quartic")(x).fun for x in (seen[0], *seen[3:5]))
    assert sum(b.count for b in r.basins + r.unfinished) == 4


def test_an_interruption_while_x0_is_looked_at_from_beside_keeps_its_run() -> None:
    seen = []

    def run(x):
        seen.append(x)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return run_of("quartic")(x)

    with pytest.raises(KeyboardInterrupt) as caught:
        minimize_from_many(run, np.array([-1.0]), starts=3, seed=0)
    r = caught.value.result
    assert r.x == pytest.approx(-0.25)
    assert r.message.endswith("found 1 basin. Interrupted: 1 of 3 starts were run.")


def test_an_interruption_before_any_result_has_none() -> None:
    def run(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        minimize_from_many(run, np.zeros(1), starts=3, seed=0)
    assert not hasattr(caught.value, "result")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("starts", v) for v in (0, -1, MOST_STARTS + 1, 1.5, "3", None, True)),
        *(("jobs", v) for v in (0, -2, 257, 1.0, "2", None, True)),
        *(("seed", v) for v in (-1, 2**63, 0.5, "x", True)),
    ],
)
def test_a_wrong_number_of_starts_or_jobs_is_one_sentence(name: str, value) -> None:
    given = {"starts": 2, "seed": 0, "jobs": 1, name: value}
    with pytest.raises(HyperparameterError, match=f"{name} of minimize must be an int from"):
        minimize_from_many(run_of("quartic"), np.zeros(1), **given)


# through minimize


def test_minimize_takes_starts_and_bounds() -> None:
    f = get_function("himmelblau")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        r = minimize(f.fun, [0.0, 0.0], jac=f.grad, bounds=[(-5, 5), (0, 5)], starts=30, seed=0)
    deep = [b for b in r.basins if b.fun < 1e-6]
    assert {tuple(b.x.round(3)) for b in deep} == {(3.0, 2.0), (-2.805, 3.131)}
    assert (r.starts[:, 1] >= 0).all()
    assert r.success


def test_bounds_that_can_be_read_only_once_are_kept_for_every_start() -> None:
    pairs = [(-5.0, 5.0), (0.0, 5.0)]
    assert (
        kept(pair for pair in pairs) == kept(zip(*zip(*pairs, strict=True), strict=True)) == pairs
    )
    assert kept(pairs) is pairs
    assert kept(None) is None


def test_minimize_keeps_the_shape_of_x_with_many_starts() -> None:
    r = minimize(lambda x: float(((x - 1) ** 2).sum()), np.zeros((2, 2)), starts=3, seed=0)
    assert r.x.shape == (2, 2)
    assert r.starts.shape == (3, 4)


def test_minimize_counts_starts_at_which_the_function_fails() -> None:
    def f(x):
        if x[0] > 0.5:
            raise ValueError("too far right")
        return float((x[0] + 1) ** 2)

    r = minimize(f, [0.0], starts=9, seed=0)
    assert r.x == pytest.approx(-1.0, abs=1e-4)
    assert 0 < len(r.failures) < 9
    assert all("too far right" in reason for reason in r.failures.values())
