"""L-BFGS-B: its two inner minimizations against plain algebra, and whole runs against SciPy's."""

import copy

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

import descend
from descend.methods import bounded
from descend.methods._method import Point
from descend.methods.bounded import feasible_direction, lowest_beyond
from descend.methods.boxes import Box
from descend.methods.memory import DirectMemory
from descend.methods.quasi_newton import LBFGS

INF = np.inf


def rosen_gradient(x):
    return np.array(rosen_der(x))


def wood(x):
    a, b, c, d = x
    return (100 * (b - a**2) ** 2 + (1 - a) ** 2 + 90 * (d - c**2) ** 2 + (1 - c) ** 2
            + 10.1 * ((b - 1) ** 2 + (d - 1) ** 2) + 19.8 * (b - 1) * (d - 1))  # fmt: skip


def hs25(x):
    i = np.arange(1, 100)
    u = 25 + (-50 * np.log(0.01 * i)) ** (2 / 3)
    return ((np.exp(-((u - x[1]) ** x[2]) / x[0]) - 0.01 * i) ** 2).sum()


def hs110(x):
    return (np.log(x - 2) ** 2 + np.log(10 - x) ** 2).sum() - np.prod(x) ** 0.2


def by_complex_steps(fun):
    """The gradient of an analytic function, to rounding (Squire & Trapp 1998)."""
    return lambda x: np.array([fun(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)])


# name: f, x0, lower, upper, the minimum (Hock & Schittkowski 1981; the others worked out or from SciPy's run, None)
PROBLEMS = {
    "hs1": (rosen, [-2, 1], [-INF, -1.5], [INF, INF], 0.0),
    "hs2": (rosen, [-2, 1], [-INF, 1.5], [INF, INF], None),
    "hs3": (lambda x: x[1] + 1e-5 * (x[1] - x[0]) ** 2, [10, 1], [-INF, 0], [INF, INF], 0.0),
    "hs4": (lambda x: (x[0] + 1) ** 3 / 3 + x[1], [1.125, 0.125], [1, 0], [INF, INF], 8 / 3),
    "hs5": (lambda x: np.sin(x[0] + x[1]) + (x[0] - x[1]) ** 2 - 1.5 * x[0] + 2.5 * x[1] + 1,
            [0, 0], [-1.5, -3], [4, 3], -np.sqrt(3) / 2 - np.pi / 3),
    "hs25": (hs25, [100, 12.5, 3], [0.1, 0, 0], [100, 25.6, 5], 0.0),
    "hs38": (wood, [-3, -1, -3, -1], [-10] * 4, [10] * 4, 0.0),
    "hs45": (lambda x: 2 - np.prod(x) / 120, [0.5] * 5, [0] * 5, [1, 2, 3, 4, 5], 1.0),
    "hs110": (hs110, [9] * 10, [2.001] * 10, [9.999] * 10, -45.77846971),
    "minimum on a face": (rosen, [-1.2, 1], [-2, -2], [0.5, 2], 0.25),
    "minimum in a corner": (rosen, [3, 4], [2, 1], [5, 3], 101.0),
    "x0 outside": (rosen, [-1.2, 1], [0, 0], [2, 0.4], None),
    "one side": (rosen, [3] * 10, [1.2] * 3 + [-INF] * 7, [INF] * 10, None),
    "many active": (rosen, [-1.2, 1] * 12, [-INF] * 24, [0.9] * 24, None),
    "lower bounds between": (rosen, [3] * 25, [-100, 1] * 12 + [-100], [100] * 25, 0.0),
    "no bound is met": (rosen, [-1.2, 1], [-9, -9], [9, 9], 0.0),
}  # fmt: skip


def run(name, counted, walk, gtol=1e-7):
    fun, x0, lower, upper, lowest = PROBLEMS[name]
    lower, upper = np.array(lower, dtype=float), np.array(upper, dtype=float)
    grad = rosen_gradient if fun is rosen else by_complex_steps(fun)
    oracle = counted(
        fun, grad, lower=lower, upper=upper
    )  # fails the test where it is asked outside the box
    return oracle, grad, walk(LBFGS(), oracle, np.array(x0, dtype=float), gtol=gtol), lowest


@pytest.mark.parametrize("name", PROBLEMS)
def test_bounded_runs_find_scipys_minima(name, counted, walk):
    gtol = 1e-9 if name == "hs25" else 1e-7  # its x0 is that flat
    oracle, grad, steps, lowest = run(name, counted, walk, gtol)
    fun, x0 = PROBLEMS[name][:2]
    theirs = minimize(fun, x0, jac=grad, method="L-BFGS-B", bounds=list(zip(oracle.lower, oracle.upper, strict=True)),
                      options={"gtol": 1e-7, "ftol": 0.0})  # fmt: skip
    x = steps[-1].point.x
    assert (
        np.abs(LBFGS().criterion(oracle, steps[-1].point)).max() <= 1e-6
    )  # or f is at its rounding
    assert steps[-1].point.f == pytest.approx(theirs.fun if lowest is None else lowest, abs=1e-8)
    if name != "hs25":  # where SciPy's stays at its flat x0
        np.testing.assert_allclose(x, theirs.x, atol=1e-4)
        assert oracle.values <= 1.3 * theirs.nfev + 3


def test_coordinates_with_equal_bounds_stay_put(counted, walk):
    lower, upper = np.array([-2, 0.3, -2, -2]), np.array([2, 0.3, 2, 2.0])
    oracle = counted(rosen, rosen_gradient, lower=lower, upper=upper)
    point = walk(LBFGS(), oracle, [-1.2, 1, -1.2, 1], gtol=1e-7)[-1].point
    assert point.x[1] == 0.3
    free = minimize(lambda z: rosen([z[0], 0.3, z[1], z[2]]), point.x[[0, 2, 3]], method="BFGS",
                    jac=lambda z: rosen_gradient(np.array([z[0], 0.3, z[1], z[2]]))[[0, 2, 3]])  # fmt: skip
    assert point.f == pytest.approx(free.fun, abs=1e-8)


@pytest.mark.parametrize("side", ["lower", "upper"])
def test_one_array_of_bounds_is_enough(side, counted, walk):
    bound = {side: np.array([1.5, -5.0] if side == "lower" else [0.5, 5.0])}
    oracle = counted(rosen, rosen_gradient, **bound)
    point = walk(LBFGS(), oracle, [1.5, 0] if side == "lower" else [0, 0], gtol=1e-7)[-1].point
    assert point.f == pytest.approx(0.25, abs=1e-9)  # (1 − x)² at either edge


def remembering(n, m=3, count=5, seed=0, walls=0.0):
    """A memory of a quadratic's pairs and the dense matrix B that it stands for."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n))
    a = a @ a.T / n + np.diag(rng.uniform(0.1, 3, n)) + walls
    memory = DirectMemory.empty(m, n)
    for s in rng.normal(size=(count, n)):
        memory.add(s, a @ s, s @ a @ s)
    inside = memory.rows.T @ np.linalg.solve(memory.middle, memory.rows)
    return memory, memory.theta * (np.eye(n) - inside)


def cauchy_point(point, box, memory):
    path = bounded.Path.of(point, box, memory)
    return bounded.cauchy_point(path, point, box, memory, solver(memory))


def solver(memory):
    return lambda b: np.linalg.solve(memory.middle, b)


def model_along(point, box, b, t):
    z = np.clip(point.x - t * point.g, box.lower, box.upper) - point.x
    return point.g @ z + 0.5 * z @ b @ z


def first_minimum_by_segments(point, box, b):
    """The generalized Cauchy point, segment by segment, with dense algebra."""
    edge = np.where(point.g < 0, box.upper, box.lower)
    times = (point.x - edge) / point.g
    ends = np.unique(np.append(times[times > 0], INF))
    t = 0.0
    for end in ends:
        d = np.where(times > t, -point.g, 0.0)
        z = np.clip(point.x - t * point.g, box.lower, box.upper) - point.x
        slope, bend = point.g @ d + d @ b @ z, d @ b @ d
        if slope >= 0 or t - slope / bend < end:
            return np.clip(
                point.x + 0.0 - (t + max(0.0, -slope / bend if bend else 0.0)) * point.g,
                box.lower,
                box.upper,
            )
        t = end
    return None


@pytest.mark.parametrize("n", [4, 30, 400])
@pytest.mark.parametrize("seed", range(4))
def test_the_cauchy_point_is_the_first_minimum_along_the_bent_path(n, seed):
    memory, b = remembering(n, seed=seed)
    rng = np.random.default_rng(seed + 10)
    width = [0.02, 0.1, 0.5, 3.0][seed]  # from all coordinates stopped to none
    x = np.zeros(n)
    box = Box(-width * rng.uniform(size=n), width * rng.uniform(size=n))
    point = Point(x, 0.0, rng.normal(size=n))
    expected = first_minimum_by_segments(point, box, b)
    np.testing.assert_allclose(cauchy_point(point, box, memory).x, expected, atol=1e-9)


@pytest.mark.parametrize("width", [0.05, 0.3, 2.0])
def test_the_subspace_step_minimizes_the_model_over_free_coordinates(width):
    memory, b = remembering(12)
    rng = np.random.default_rng(3)
    box = Box(np.full(12, -width), np.full(12, width))
    point = Point(np.zeros(12), 0.0, rng.normal(size=12))
    cauchy = cauchy_point(point, box, memory)
    pulled = solver(memory)(cauchy.met)
    step = lowest_beyond(cauchy, point, memory, pulled) - cauchy.x
    free = np.abs(cauchy.x) < width
    np.testing.assert_array_equal(free, cauchy.free)
    r = (point.g + b @ (cauchy.x - point.x))[free]
    np.testing.assert_allclose(step[free], -np.linalg.solve(b[np.ix_(free, free)], r), atol=1e-9)
    assert not step[~free].any()


def test_without_a_bound_in_reach_the_direction_is_newtons_for_the_model():
    memory, b = remembering(8)
    point = Point(np.zeros(8), 0.0, np.ones(8))
    far = Box(np.full(8, -1e6), np.full(8, 1e6))
    np.testing.assert_allclose(
        feasible_direction(point, far, memory), -np.linalg.solve(b, point.g), rtol=1e-8
    )


def test_a_far_box_does_not_change_the_iterates(counted, walk):
    free = walk(LBFGS(), counted(rosen, rosen_gradient), [-1.2, 1.0, 0.5], maxiter=15)
    far = counted(rosen, rosen_gradient, lower=np.full(3, -1e3))
    for a, b in zip(free, walk(LBFGS(), far, [-1.2, 1.0, 0.5], maxiter=15), strict=True):
        np.testing.assert_allclose(
            a.point.x, b.point.x, atol=1e-6
        )  # other formulas, the same matrix


def test_a_copied_state_with_bounds_continues_bit_for_bit(counted, walk):
    oracle, *_ = run("many active", counted, walk)
    method = LBFGS()
    steps = walk(method, oracle, PROBLEMS["many active"][1], maxiter=10)
    point, state = steps[-1].point, steps[-1].state
    a, b, other = point, point, copy.deepcopy(state)
    for _ in range(12):
        one, two = method.step(oracle, a, state), method.step(oracle, b, other)
        a, b = one.point, two.point
        assert a.x.tobytes() == b.x.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("lasting", [False, True])
def test_values_that_are_not_finite_never_make_a_loop(bad, lasting, counted, walk):
    for first_bad in range(2, 51):
        calls = 0

        def fun(x):
            nonlocal calls
            calls += 1
            broken = calls >= first_bad if lasting else calls == first_bad
            return bad if broken else rosen(x)

        oracle = counted(fun, rosen_gradient, lower=np.full(5, -1.5), upper=np.full(5, 0.9))
        steps = walk(LBFGS(), oracle, [-1.2, 0.9, -1.2, 0.9, 0.5], maxiter=300, gtol=1e-6)
        assert len(steps) < 300
        assert np.isfinite(steps[-1].point.f)


def test_a_gradient_that_is_nan_ends_the_run(counted, walk):
    oracle = counted(rosen, lambda x: x * np.nan, lower=np.zeros(3))
    point = oracle.at([0.5, 0.5, 0.5])
    step = LBFGS().step(oracle, point, LBFGS().start(oracle, point))
    assert step.ended is not None


def test_products_over_free_coordinates_follow_what_becomes_free_and_what_is_learned():
    rng = np.random.default_rng(0)
    memory = DirectMemory.empty(3, 40)
    for k in range(12):
        s = rng.normal(size=40)
        y = rng.uniform(0.1, 3, 40) * s
        memory.add(s, y, s @ y)
        free = rng.uniform(size=40) < (1.0 if k % 4 == 3 else 0.5)  # every fourth time all of them
        rows = memory.rows[:, free]
        gram = memory.gram_over(free)
        np.testing.assert_allclose(
            gram, rows @ rows.T, rtol=0, atol=1e-12
        )  # sums of 40 numbers near 1
        np.testing.assert_array_equal(gram, gram.T)


def test_a_memory_that_forgot_knows_its_free_coordinates_anew():
    memory, _ = remembering(6)
    half = np.arange(6) < 3
    memory.gram_over(half)
    memory.forget()
    assert not memory.gram_over(half).any()
    s = np.arange(1.0, 7.0)
    memory.add(s, 2 * s, 2 * s @ s)
    rows = memory.rows[:, half]
    np.testing.assert_allclose(memory.gram_over(half), rows @ rows.T, rtol=1e-15)


def test_products_over_free_coordinates_keep_their_digits_beside_large_ones():
    rng = np.random.default_rng(0)
    large = np.where(np.arange(40) < 3, 1e8, 1.0)
    memory = DirectMemory.empty(3, 40)
    memory.add(large, large, large @ large)
    for k in range(40):
        free = rng.uniform(size=40) < 0.5
        free[:3] = k % 2  # the large ones come and go
        rows = memory.rows[:, free]
        gram, exact = memory.gram_over(free), rows @ rows.T
        # sixteen digits, less the six that subtracting may take
        np.testing.assert_allclose(gram, exact, rtol=1e-9)


def test_where_the_box_has_room_the_minimum_over_what_no_bound_holds_is_the_direction():
    b = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    memory = DirectMemory.empty(3, 3)
    for s in np.array([[1.0, 0.0, 0.0], [-0.9, 1.0, 0.0], [0.0, 0.0, 1.0]]):  # conjugate
        memory.add(s, b @ s, s @ b @ s)
    point = Point(np.zeros(3), 0.0, np.array([-1.0, -0.5, 5.0]))
    box = Box(np.array([-3.0, -3.0, 0.0]), np.array([3.0, 0.01, 1.0]))
    step = np.append(np.linalg.solve(b[:2, :2], [1.0, 0.5]), 0.0)  # down in x₂, its gradient up
    assert cauchy_point(point, box, memory).free.tolist() == [True, False, False]
    np.testing.assert_allclose(feasible_direction(point, box, memory), step, atol=1e-12)


def test_a_model_without_an_answer_leaves_the_projected_gradient():
    memory, _ = remembering(4)
    memory.middle[0] = memory.middle[:, 0] = 0.0
    memory.rows[0] = 0.0
    memory.gram[0] = memory.gram[:, 0] = 0.0
    point = Point(np.zeros(4), 0.0, np.array([1.0, -1.0, 100.0, 0.0]))
    box = Box(-np.ones(4), np.ones(4))
    expected = np.clip(-point.g / memory.theta, -1, 1)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(feasible_direction(point, box, memory), expected)


def test_steps_along_a_direction_reach_the_nearest_edge():
    box = Box(np.array([-1.0, -2.0, 0.0]), np.array([1.0, 2.0, 0.0]))
    with np.errstate(all="ignore"):  # the third stands on both its edges and does not move: 0 / 0
        assert box.reach(np.zeros(3), np.array([0.5, -0.5, 0.0])) == 2.0
        assert box.reach(np.zeros(3), np.array([-0.1, 0.0, -0.0])) == 10.0


def test_an_x0_outside_goes_to_the_box_though_f_is_lower_where_it_is(counted):
    oracle = counted(lambda x: (x[0] - 3) ** 2, lambda x: 2 * (x - 3), upper=np.array([2.0]))
    point, method = oracle.at([3.0]), LBFGS()
    step = method.step(oracle, point, method.start(oracle, point))
    assert step.ended is None
    assert step.point.x.tolist() == [2.0]


@pytest.mark.parametrize("seed", [13, 21])
def test_more_pairs_than_variables_do_not_cost_evaluations(seed):
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.normal(size=(20, 20)))[0]
    sizes = 10.0 ** rng.uniform(-3, 3, 20)
    a = (q * np.geomspace(1, 1e3, 20)) @ q.T / sizes[:, None] / sizes
    c = sizes * rng.normal(size=20)

    def parabola(x):
        return float((x - c) @ a @ (x - c)) / 2, a @ (x - c)

    settings = {"jac": True, "bounds": [(0, None)] * 20}
    ours = descend.minimize(parabola, np.zeros(20), method="lbfgs:memory=50", scale=None, gtol=1e-6,
                            ftol=0, **settings)  # fmt: skip
    theirs = minimize(parabola, np.zeros(20), method="L-BFGS-B", **settings,
                      options={"maxcor": 50, "gtol": 1e-6, "ftol": 0})  # fmt: skip
    assert ours.success
    assert ours.nfev <= 1.5 * theirs.nfev


def test_a_coordinate_on_its_bound_without_a_slope_stays_there():
    memory, _ = remembering(4)
    g = np.array([0.0, 0.0, 0.0, 1.0])
    point = Point(np.array([-1.0, 1.0, 0.0, 0.5]), 0.0, g)
    with np.errstate(all="ignore"):  # as where it is called: 0 / 0
        cauchy = cauchy_point(point, Box(-np.ones(4), np.ones(4)), memory)
    assert cauchy.free[:3].tolist() == [False, False, True]
    np.testing.assert_array_equal(cauchy.x[:3], point.x[:3])
    assert cauchy.x[3] < point.x[3]


def test_a_coordinate_that_stops_lies_on_its_bound_exactly():
    memory, _ = remembering(30)
    rng = np.random.default_rng(1)
    box = Box(-0.1 * rng.uniform(size=30), 0.1 * rng.uniform(size=30))
    point = Point(np.zeros(30), 0.0, rng.normal(size=30))
    cauchy = cauchy_point(point, box, memory)
    stopped = ~cauchy.free
    assert 0 < stopped.sum() < 30
    edges = np.where(point.g < 0, box.upper, box.lower)
    np.testing.assert_array_equal(cauchy.x[stopped], edges[stopped])


@pytest.mark.parametrize("seed", range(20))
def test_a_projected_step_is_no_worse_for_the_model_than_the_cauchy_point(seed):
    memory, b = remembering(12, m=12, count=12, seed=seed, walls=1e3)  # of a valley Σx = 0
    rng = np.random.default_rng(seed)
    box = Box(-rng.uniform(size=12), rng.uniform(size=12))
    point = Point(np.zeros(12), 0.0, rng.normal(size=12) * 10.0 ** rng.uniform(-1, 1, 12))
    direction = feasible_direction(point, box, memory)
    z = cauchy_point(point, box, memory).x
    model = point.g @ direction + 0.5 * direction @ b @ direction
    assert model <= (point.g @ z + 0.5 * z @ b @ z) * (1 - 1e-9)  # both negative, up to rounding
    assert (direction >= box.lower).all()
    assert (direction <= box.upper).all()


def test_projections_that_are_almost_level_do_not_end_a_run():
    rng = np.random.default_rng(9274003)  # a box in which three such projections follow each other
    x0 = np.tile([-1.2, 1.0], 50)
    width = 10 * (np.abs(x0) + 0.5)
    lower, upper = x0 - width * rng.uniform(size=100), x0 + width * rng.uniform(size=100)
    lower[rng.uniform(size=100) < 0.25] = -INF
    upper[rng.uniform(size=100) < 0.25] = INF
    settings = {"jac": True, "bounds": np.c_[lower, upper]}
    ours = descend.minimize(pairs_of_rosenbrock, x0, scale=None, **settings)
    theirs = minimize(pairs_of_rosenbrock, x0, method="L-BFGS-B", **settings)
    assert ours.fun <= theirs.fun * 1.01
    assert ours.nfev <= 1.3 * theirs.nfev


def pairs_of_rosenbrock(x):
    """The extended Rosenbrock function (Moré, Garbow & Hillstrom 1981, no. 21) and its gradient."""
    a, b = x[::2], x[1::2]
    r, s = 10 * (b - a**2), 1 - a
    g = np.empty_like(x)
    g[::2], g[1::2] = -40 * r * a - 2 * s, 20 * r
    return float(r @ r + s @ s), g
