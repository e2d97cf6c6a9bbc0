"""Laws that every rule of the catalogue keeps, bit for bit where nothing else is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import descend as dd
from descend._compile.program import Program
from descend._compile.threads import CHUNK, PARALLEL_FROM
from descend._rule import REGISTRY

OURS = [name for name in dd.list_rules() if REGISTRY[name].__module__.startswith("descend.")]
AVERAGING = [name for name in OURS if dd.find_rule(name).solution != "x"]
WHOLE = [name for name in OURS if dd.find_rule(name).whole]
"""Rules that see whole arrays and have no kernel."""
TRACED = {name: Program(dd.find_rule(name)().links) for name in OURS if name not in WHOLE}
MEASURING = [*WHOLE, *(name for name in TRACED if TRACED[name].sums)]
"""Rules that sum over elements: one element reaches all the others, and another order rounds the sum differently."""
ARRAYWISE = [*WHOLE, *(name for name in TRACED if TRACED[name].own_sums)]
"""Rules in which each array has sums of its own."""
RATED = [name for name in OURS if "lr" in dd.find_rule(name).hyperparameters]
DECAYING = [
    name
    for name in OURS
    if "weight_decay" in dd.find_rule(name).hyperparameters
    # an average lags behind; adan's decay is proximal, x / (1 + lr λ); norms of arrays scale the decay too
    and name not in (*AVERAGING, *ARRAYWISE, "adan")
]
DTYPES = [np.float32, np.float64]

every_rule = pytest.mark.parametrize("name", OURS)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def numbers(seed, shape, dtype):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def walk(update, x, gradients, threads=None):
    """Step in place; x after the last step."""
    stepper = dd.Stepper(update, x, threads=threads)
    for g in gradients:
        stepper.step(g, 2.5)  # the function's value, for the rules that read it
    return stepper


def bound(name, **settings):
    rule = dd.find_rule(name)
    return rule(**{k: v for k, v in settings.items() if k in rule.hyperparameters})


def same_bits(a, b):
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    assert a.tobytes() == b.tobytes()


def same_but_for_sums(name, a, b):
    """The same bits; of a rule that sums, some 100 roundings of those sums, whose terms cancel."""
    if name in MEASURING:
        # shampoo's root enlarges them by (ε = 1e-4)^(−1/2) = 100, where a matrix has no full rank
        tolerance = (10_000 if name == "shampoo" else 100) * np.finfo(a.dtype).eps
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    else:
        same_bits(a, b)


def same_run(a, b):
    same_bits(np.asarray(a.x), np.asarray(b.x))
    for key, value in a.state.items():
        if isinstance(value, float):
            assert value == b.state[key]
            continue
        several = isinstance(value, tuple)  # one array for each axis
        for ours, theirs in (
            zip(value, b.state[key], strict=True) if several else [(value, b.state[key])]
        ):
            same_bits(ours, theirs)


def elementwise(stepper):
    """The states that have a number for each element of x, by name."""
    shape = np.shape(stepper.x)
    return {
        k: v for k, v in stepper.state.items() if isinstance(v, np.ndarray) and v.shape == shape
    }


@every_dtype
@every_rule
def test_order_of_elements_does_not_matter(name, dtype):
    n = 1001  # odd: a vector loop's remainder is among them
    x, tape = numbers(0, n, dtype), numbers(1, (4, n), dtype)
    order = np.random.default_rng(2).permutation(n)
    one = walk(bound(name), x.copy(), tape)
    other = walk(bound(name), x[order], tape[:, order])
    same_but_for_sums(name, one.x[order], other.x)
    for key, value in elementwise(one).items():
        same_but_for_sums(name, value[order], other.state[key])


@every_dtype
@every_rule
def test_mirrored_gradients_take_mirrored_steps(name, dtype):
    x, tape = numbers(0, 101, dtype), numbers(1, (5, 101), dtype)
    update = bound(name, initial=0.0)  # yogi_corrected starts m above 0, as optax does
    one, other = walk(update, x.copy(), tape), walk(update, -x, -tape)
    assert np.array_equal(one.x, -other.x)
    for key, value in elementwise(one).items():
        assert np.array_equal(abs(value), abs(other.state[key]))


@every_dtype
@pytest.mark.parametrize("name", [name for name in OURS if name not in ARRAYWISE])
def test_arrays_may_be_cut_anywhere(name, dtype):
    n = 2 * CHUNK + 77
    cuts = [0, 1, 5, 6, CHUNK - 1, CHUNK + 1, n]
    x, tape = numbers(0, n, dtype), numbers(1, (3, n), dtype)
    whole = walk(bound(name), x.copy(), tape)
    parts = [x[a:b].copy() for a, b in zip(cuts, cuts[1:])]
    cut = walk(bound(name), parts, [[g[a:b] for a, b in zip(cuts, cuts[1:])] for g in tape])
    same_but_for_sums(name, np.concatenate(parts), whole.x)
    for key, value in whole.state.items():
        if not isinstance(value, float):
            same_but_for_sums(name, np.concatenate(cut.state[key]), value)


@given(cuts=st.lists(st.integers(0, 40), max_size=6), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_small_arrays_may_be_cut_anywhere(cuts, seed):
    bounds = [0, *sorted(cuts), 40]  # empty arrays are among them
    x, tape = numbers(seed, 40, np.float32), numbers(seed + 1, (3, 40), np.float32)
    whole = walk(dd.adam(lr=0.1), x.copy(), tape)
    parts = {k: x[a:b].copy() for k, (a, b) in enumerate(zip(bounds, bounds[1:]))}
    walk(
        dd.adam(lr=0.1),
        parts,
        [{k: g[a:b] for k, (a, b) in enumerate(zip(bounds, bounds[1:]))} for g in tape],
    )
    same_bits(np.concatenate(list(parts.values())), whole.x)


@pytest.mark.parametrize("threads", [2, 3, 7])
@every_rule
def test_any_number_of_threads_computes_the_same_bits(name, threads):
    n = (4 * PARALLEL_FROM + 3) * CHUNK + 11  # enough for all 7
    x, tape = numbers(0, n, np.float32), numbers(1, (2, n), np.float32)
    one = walk(bound(name), x.copy(), tape, threads=1)
    same_run(one, walk(bound(name), x.copy(), tape, threads=threads))


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_a_global_norm_has_the_same_bits_on_any_number_of_threads(threads):
    n = (4 * PARALLEL_FROM + 3) * CHUNK + 11
    x, tape = numbers(0, n, np.float32), numbers(1, (2, n), np.float32)
    update = dd.chain(dd.clip_norm(1.0), dd.decay(0.1), dd.adam())
    one = walk(update, x.copy(), tape, threads=1)
    same_run(one, walk(update, x.copy(), tape, threads=threads))


def unaligned(a):
    raw = np.zeros(a.nbytes + 1, np.uint8)
    view = raw[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def strided(a):
    wide = np.zeros(tuple(2 * n for n in a.shape), a.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "strided": strided,
    "reversed": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "unaligned": unaligned,
}


@pytest.mark.parametrize(
    "shape", [(12, 7), (130, 80)]
)  # gradients are copied below 8192 elements, read in place above
@pytest.mark.parametrize("layout", LAYOUTS)
@every_rule
def test_layout_does_not_matter(name, layout, shape):
    x, tape = numbers(0, shape, np.float64), numbers(1, (3, *shape), np.float64)
    plain = walk(bound(name), x.copy(), tape)
    given_x = LAYOUTS[layout](x)
    other = walk(bound(name), given_x, [LAYOUTS[layout](g) for g in tape])
    assert other.x is given_x
    same_run(plain, other)


@every_rule
def test_a_strided_x_leaves_its_neighbours_alone(name):
    wide = np.full((20, 20), 7.0)
    x = wide[::2, 1::2]
    walk(bound(name), x, numbers(1, (3, 10, 10), np.float64))
    wide[::2, 1::2] = 7.0
    assert (wide == 7.0).all()


@every_dtype
@every_rule
def test_one_number_steps_like_an_array_of_one(name, dtype):
    x, tape = numbers(0, 1, dtype), numbers(1, (3, 1), dtype)
    array = walk(bound(name), x.copy(), tape)
    number = np.array(x[0])
    assert number.shape == ()
    walk(bound(name), number, [np.array(g[0]) for g in tape])
    same_bits(number, array.x[0].reshape(()))


@every_dtype
@every_rule
def test_empty_arrays_step(name, dtype):
    x = np.zeros((3, 0), dtype)
    stepper = walk(bound(name), x, np.zeros((2, 3, 0), dtype))
    assert stepper.t == 2
    assert stepper.solution.shape == (3, 0)


@every_dtype
@every_rule
def test_gradients_of_other_dtypes_are_cast(name, dtype):
    x, g = numbers(0, 9, dtype), np.arange(-4, 5)
    plain = walk(bound(name), x.copy(), [g.astype(dtype)])
    for other in ("int8", "int64", "float16", "float32", "float64", ">f8", ">f4", np.longdouble):
        same_run(plain, walk(bound(name), x.copy(), [g.astype(other)]))


@every_rule
def test_lists_dicts_and_mixed_dtypes_step_like_separate_arrays(name):
    xs = [
        numbers(i, shape, dtype)
        for i, (shape, dtype) in enumerate(
            [(5, np.float32), ((2, 3), np.float64), ((), np.float32)]
        )
    ]
    tapes = [[numbers(10 * t + i, x.shape, x.dtype) for i, x in enumerate(xs)] for t in range(3)]
    separate = [
        walk(bound(name), x.copy(), [np.asarray(t[i]) for t in tapes]) for i, x in enumerate(xs)
    ]
    listed = [np.asarray(x).copy() for x in xs]
    stepper = walk(bound(name), listed, [[np.asarray(g) for g in t] for t in tapes])
    for one, x, *states in zip(
        [] if name in MEASURING else separate,
        listed,
        *(v for v in stepper.state.values() if isinstance(v, list)),
    ):
        same_bits(one.x, x)
        for a, b in zip((v for v in one.state.values() if not isinstance(v, float)), states):
            same_bits(a, b)
    keys = ["b", "a", 3]
    named = {k: np.asarray(x).copy() for k, x in zip(keys, xs)}
    backwards = [dict(reversed([(k, np.asarray(g)) for k, g in zip(keys, t)])) for t in tapes]
    by_key = walk(bound(name), named, backwards)
    assert list(by_key.solution) == keys
    for x, k in zip(listed, keys):
        same_bits(named[k], x)


@every_rule
def test_x_is_updated_in_place_and_never_replaced(name):
    x = numbers(0, (4, 4), np.float64)
    before, alias = x.copy(), x
    steps = 2 if name in ("adopt", "soap") else 1  # whose first gradient only starts a state
    stepper = walk(bound(name, lr=0.5), x, numbers(1, (steps, 4, 4), np.float64))
    assert stepper.x is alias
    assert (alias != before).all()


@every_rule
def test_gradients_are_not_written(name):
    for n in (50, 20_000):
        tape = numbers(1, (2, n), np.float64)
        tape.flags.writeable = False
        kept = tape.copy()
        walk(bound(name), numbers(0, n, np.float64), tape)
        same_bits(tape, kept)


@every_dtype
@pytest.mark.parametrize(
    "name",
    # rprop's lr is its first step, which its bounds lift; ftrl's divides, so that it cannot be 0
    [name for name in RATED if name not in ("rprop", "ftrl")],
)
def test_lr_zero_changes_nothing(name, dtype):
    x, tape = numbers(0, 33, dtype), numbers(1, (5, 33), dtype)
    stepper = walk(bound(name, lr=0.0), x.copy(), tape)
    if name in AVERAGING:
        same_bits(stepper.solution, x)  # x itself rounds (1 - β) z + β average
        np.testing.assert_allclose(stepper.x, x, rtol=4 * np.finfo(dtype).eps)
    else:
        same_bits(stepper.x, x)


@every_dtype
# fromage divides by √(1 + lr²) whatever the gradient is
@pytest.mark.parametrize("name", [name for name in OURS if "fromage" not in name])
def test_a_zero_gradient_moves_nothing_from_rest(name, dtype):
    x = numbers(0, 33, dtype)
    if name == "ftrl":  # its x is a function of the sums of gradients, 0 at rest
        x[:] = 0
    update = bound(name, weight_decay=0.0, l1=0.0, lambd=0.0, initial=0.0)
    stepper = walk(update, x.copy(), np.zeros((3, 33), dtype))
    if name in AVERAGING:
        same_bits(stepper.solution, x)
    else:
        same_bits(stepper.x, x)


@pytest.mark.parametrize("name", DECAYING)
def test_decay_alone_shrinks_x(name):
    x = np.array([2.0, -4.0])
    walk(bound(name, lr=0.5, weight_decay=0.5), x, np.zeros((2, 2)))
    assert x.tolist() == [2.0 * 0.75**2, -4.0 * 0.75**2]


@every_dtype
@pytest.mark.parametrize("name", [name for name in OURS if name not in MEASURING])
def test_nan_stays_in_its_element(name, dtype):
    x, tape = numbers(0, 20, dtype), numbers(1, (3, 20), dtype)
    clean = walk(bound(name), x.copy(), tape)
    tape[1, 7] = np.nan
    dirty = walk(bound(name), x.copy(), tape)
    others = np.arange(20) != 7
    assert np.isnan(dirty.solution[7])
    assert np.isnan(dirty.x[7])
    same_bits(clean.x[others], dirty.x[others])


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("name", [name for name in OURS if name not in MEASURING])
def test_inf_stays_in_its_element(name, bad):
    x, tape = numbers(0, 20, np.float64), numbers(1, (3, 20), np.float64)
    clean = walk(bound(name), x.copy(), tape)
    tape[1, 7] = bad
    dirty = walk(bound(name), x.copy(), tape)
    others = np.arange(20) != 7
    same_bits(clean.x[others], dirty.x[others])


@every_rule
def test_compiled_rule_is_its_plain_call(name):
    """Step by step from the same state. NumPy's 1 - β^t loses digits where the kernel's expm1 does not: eps / (1 - β^t),
    1e-13 for β = 0.999 at t = 2; so β below 0.9 here, and 1e-15 for some ten roundings."""
    update = bound(
        name, lr=0.3, beta1=0.7, beta2=0.8, eps=0.01, momentum_decay=0.3, weight_decay=0.1
    )
    rule = update.rule
    x = numbers(0, 50, np.float64)
    stepper = dd.Stepper(update, x)
    for t, g in enumerate(numbers(1, (10, 50), np.float64), 1):
        fresh = {k: v for k, v in {"t": t, "value": 2.5}.items() if k in rule.fresh}
        before = [np.copy(v) if isinstance(v, np.ndarray) else v for v in stepper.state.values()]
        result = rule(x.copy(), g, *before, **update.settings, **fresh)
        stepper.step(g, 2.5)
        expected = result if isinstance(result, tuple) else (result,)
        for ours, theirs in zip((x, *stepper.state.values()), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-15, atol=1e-15)


@every_dtype
@pytest.mark.parametrize("name", ["momentum", "momentum_inside", "nesterov", "nesterov_inside"])
def test_momentum_zero_is_sgd(name, dtype):
    x, tape = numbers(0, 30, dtype), numbers(1, (4, 30), dtype)
    one = walk(bound(name, lr=0.3, momentum=0.0), x.copy(), tape)
    assert np.array_equal(one.x, walk(dd.sgd(lr=0.3), x.copy(), tape).x)


@pytest.mark.parametrize("dtype", DTYPES)
@given(exponent=st.integers(-20, 20))
@settings(max_examples=15, deadline=None)
def test_adam_ignores_the_gradients_scale(dtype, exponent):
    """Powers of two scale m and √v without rounding; eps is 1e-30, below half a place of any √v here."""
    x, tape = numbers(0, 30, dtype), numbers(1, (5, 30), dtype)
    update = dd.adam(lr=0.1, eps=1e-30)
    one = walk(update, x.copy(), tape)
    other = walk(update, x.copy(), tape * dtype(2.0**exponent))
    same_bits(one.x, other.x)


@every_dtype
def test_lion_moves_by_exactly_lr(dtype):
    x = np.zeros(30, dtype)
    tape = numbers(1, (6, 30), dtype) * np.logspace(-8, 8, 30).astype(dtype)
    stepper = dd.Stepper(dd.lion(lr=0.25), x)
    for g in tape:
        before = x.copy()
        stepper.step(g)
        assert (abs(x - before) == 0.25).all()
    still = np.zeros(3, dtype)
    dd.Stepper(dd.lion(lr=0.25), still).step(np.zeros(3))
    assert (still == 0).all()


def worst_gradients(t, beta1, beta2):
    """The gradients that make |m̂| / √v̂ largest after t steps: of Cauchy's inequality, g_i ∝ (β₁ / β₂)^(t - i)."""
    return (beta1 / beta2) ** np.arange(t - 1, -1, -1)


@pytest.mark.parametrize(("t", "worst"), [(1, 1.000), (10, 1.043), (100, 2.243)])
def test_adam_steps_by_at_most_its_bound(t, worst):
    x = np.zeros(3)
    stepper = dd.Stepper(dd.adam(lr=1.0, eps=1e-300), x)
    for g in worst_gradients(t, 0.9, 0.999):
        before = x.copy()
        stepper.step(np.array([g, -g, 1e-3 * g]))
    assert abs(x - before) == pytest.approx(worst, abs=5e-4)  # the bound is known to three decimals
    assert x[0] < before[0]
    assert x[1] > before[1]


@given(tape=arrays(np.float64, (10, 4), elements=st.floats(-1e6, 1e6, allow_subnormal=False)))
@settings(max_examples=40, deadline=None)
def test_no_tape_of_ten_makes_adam_step_beyond_the_bound(tape):
    x = np.zeros(4)
    stepper = dd.Stepper(dd.adam(lr=1.0), x)
    for g in tape:
        before = x.copy()
        stepper.step(g)
        assert (
            abs(x - before) <= 1.0435
        ).all()  # 1.043 at t = 10, less before; 5e-4 is its last decimal


def test_every_rule_steps_down_a_bowl():
    """Not a test of formulas: of the sign of each step."""
    for name in OURS:
        x = np.array([1.0, -2.0, 3.0])
        stepper = dd.Stepper(bound(name, lr=0.01), x)
        for _ in range(100):
            stepper.step(2 * x, float(x @ x))
        assert np.abs(stepper.solution).sum() < 6.0, name
