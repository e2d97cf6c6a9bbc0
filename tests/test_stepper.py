"""`Stepper`: what it refuses, what it shows, and what it leaves alone."""

import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import descend as dd
from descend.errors import DescendError, HyperparameterError, RuleError, ShapeError


def read_only(a):
    a.flags.writeable = False
    return a


WHOLE = np.zeros(10)
BAD_X = {
    "None": (None, "must be an array"),
    "a number": (1.0, "must be an array"),
    "text": ("x", "must be an array"),
    "a list of numbers": ([1.0, 2.0], "must be an array"),
    "a nested list": ([[np.zeros(2)]], "must be an array"),
    "a nested dict": ({"a": {"b": np.zeros(2)}}, r"x\['a'\] must be an array; got dict"),
    "a set": ({1, 2}, "must be an array"),
    "a generator": ((a for a in [np.zeros(2)]), "must be an array"),
    "integers": (np.zeros(3, int), "float32 or float64; got int64"),
    "booleans": (np.zeros(3, bool), "float32 or float64; got bool"),
    "complex numbers": (np.zeros(3, complex), "float32 or float64; got complex128"),
    "objects": (np.zeros(3, object), "float32 or float64; got object"),
    "strings": (np.zeros(3, "U3"), "float32 or float64; got <U3"),
    "halves": (np.zeros(3, np.float16), "float32 or float64; got float16"),
    "long doubles": (np.zeros(3, np.longdouble), "float32 or float64; got float128"),
    "foreign byte order": (np.zeros(3, ">f8"), "float32 or float64; got >f8"),
    "structured": (np.zeros(3, [("a", "f8")]), "float32 or float64"),
    "read-only": (read_only(np.zeros(3)), "must be writeable"),
    "a broadcast": (np.broadcast_to(1.0, 3), "must be writeable"),
    "a read-only array in a dict": ({"w": read_only(np.zeros(3))}, r"x\['w'\] must be writeable"),
    "the same array twice": ([WHOLE, WHOLE], r"x\[0\] and x\[1\] must not share memory"),
    "overlapping views": (
        {"a": WHOLE[:6], "b": WHOLE[5:]},
        r"x\['a'\] and x\['b'\] must not share",
    ),
    "a view behind another": (
        [WHOLE[::3], WHOLE[1::3], WHOLE[6:7]],
        r"x\[0\] and x\[2\] must not share",
    ),
    "a list with None": ([np.zeros(3), None], "must be an array"),
    "a dict with None": ({"a": None}, r"x\['a'\] must be an array; got NoneType None"),
    "an empty list": ([], "at least one array"),
    "an empty dict": ({}, "at least one array"),
}


@pytest.mark.parametrize("case", BAD_X)
def test_bad_parameters_are_refused_by_name(case):
    x, message = BAD_X[case]
    with pytest.raises(ShapeError, match=message):
        dd.Stepper(dd.adam(), x)


def test_views_that_interleave_are_no_overlap():
    whole = np.zeros((4, 2))
    stepper = dd.Stepper(dd.sgd(lr=1.0), [whole[:, 0], whole[:, 1]])
    stepper.step([np.full(4, 1.0), np.full(4, 2.0)])
    assert whole.tolist() == [[-1.0, -2.0]] * 4


def test_a_tuple_of_arrays_is_a_structure():
    x = (np.zeros(2), np.ones(3))
    stepper = dd.Stepper(dd.momentum(lr=1.0), x)
    stepper.step([np.ones(2), np.ones(3)])
    assert x[1].tolist() == [0.0, 0.0, 0.0]
    assert [v.tolist() for v in stepper.state["v"]] == [[1.0, 1.0], [1.0, 1.0, 1.0]]


BAD_G = {
    "None": None,
    "a number": 1.0,
    "text": "g",
    "a list": [1.0, 2.0, 3.0],
    "a list of the array": [np.zeros(3)],
    "a dict": {"x": np.zeros(3)},
    "another length": np.zeros(4),
    "another rank": np.zeros((3, 1)),
    "one number": np.zeros(()),
    "complex numbers": np.zeros(3, complex),
    "objects": np.zeros(3, object),
    "strings": np.zeros(3, "U1"),
    "bytes": np.zeros(3, "S1"),
    "dates": np.zeros(3, "M8[s]"),
    "durations": np.zeros(3, "m8[s]"),
    "structured": np.zeros(3, [("a", "f8")]),
}
BAD_STRUCTURES = {
    "None": None,
    "an array": np.zeros(3),
    "a list": [np.zeros(3), np.zeros(2)],
    "a missing key": {"a": np.zeros(3)},
    "a strange key": {"a": np.zeros(3), "c": np.zeros(2)},
    "one key more": {"a": np.zeros(3), "b": np.zeros(2), "c": np.zeros(2)},
    "no key": {},
    "None inside": {"a": np.zeros(3), "b": None},
    "another shape inside": {"a": np.zeros(3), "b": np.zeros(3)},
    "complex numbers inside": {"a": np.zeros(3), "b": np.zeros(2, complex)},
}


def refused(stepper, g, error=ShapeError):
    """Step with a bad gradient: the error's text; x, state and t are as before."""
    arrays = list(stepper.x.values()) if isinstance(stepper.x, dict) else [stepper.x]
    before = [a.copy() for a in arrays], repr(stepper.state), stepper.t
    with pytest.raises(error) as caught:
        stepper.step(g)
    assert all((a == b).all() for a, b in zip(arrays, before[0], strict=True))
    assert (repr(stepper.state), stepper.t) == before[1:]
    return str(caught.value)


@pytest.mark.parametrize("rule", ["adam", "nadam", "schedule_free_sgd"])
@pytest.mark.parametrize("case", BAD_G)
def test_bad_gradients_are_refused_before_anything_changes(case, rule):
    stepper = dd.Stepper(dd.get_rule(rule), np.ones(3))
    stepper.step(np.ones(3))
    assert f"g of {rule} must" in refused(stepper, BAD_G[case])
    stepper.step(np.ones(3))
    assert stepper.t == 2


@pytest.mark.parametrize("case", BAD_STRUCTURES)
def test_bad_structures_are_refused_before_anything_changes(case):
    stepper = dd.Stepper(dd.nadam(), {"a": np.ones(3), "b": np.ones(2, np.float32)})
    stepper.step({"a": np.ones(3), "b": np.ones(2)})
    assert "of nadam must" in refused(stepper, BAD_STRUCTURES[case])


def test_an_error_names_the_array_and_both_shapes():
    stepper = dd.Stepper(dd.adam(), {"w": np.ones((3, 4))})
    assert refused(stepper, {"w": np.ones((4, 3))}) == (
        "g['w'] of adam must have the shape of x, (3, 4); got (4, 3)."
    )
    assert refused(stepper, {"w": np.ones((3, 4), complex)}) == (
        "g['w'] of adam must hold real numbers; got dtype complex128."
    )


@given(
    g=st.recursive(
        st.none()
        | st.integers()
        | st.floats()
        | st.text(max_size=3)
        | st.builds(np.zeros, st.integers(0, 3)),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=1), inner, max_size=3)
        ),
        max_leaves=5,
    )
)
@settings(max_examples=150, deadline=None)
def test_no_gradient_crashes_a_step(g):
    stepper = dd.Stepper(dd.sgd(lr=1.0), [np.ones(2), np.ones(1)])
    try:
        stepper.step(g)
    except DescendError:
        assert stepper.t == 0
        assert [a.tolist() for a in stepper.x] == [[1.0, 1.0], [1.0]]


def test_a_gradient_dict_may_have_another_order():
    x = {"a": np.zeros(2), "b": np.zeros(3)}
    dd.Stepper(dd.sgd(lr=1.0), x).step(OrderedDict(b=np.full(3, 2.0), a=np.ones(2)))
    assert x["a"].tolist() == [-1.0, -1.0]
    assert x["b"].tolist() == [-2.0, -2.0, -2.0]


@pytest.mark.parametrize(
    "rule", [None, "adam", 3, dd.adam, dd.clip_norm, dd.clip_norm(1.0), [dd.adam()]]
)
def test_only_rules_step(rule):
    if rule is dd.adam:
        assert dd.Stepper(rule, np.zeros(2)).rule == dd.adam()
        return
    with pytest.raises(RuleError):
        dd.Stepper(rule, np.zeros(2))


@pytest.mark.parametrize("threads", [0, -1, 1.0, True, "2"])
def test_a_bad_number_of_threads_is_refused(threads):
    with pytest.raises(
        HyperparameterError, match="threads of Stepper must be an int of at least 1"
    ):
        dd.Stepper(dd.sgd(), np.zeros(2), threads=threads)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", ""])
def test_a_bad_number_of_threads_in_the_environment_is_refused(value, monkeypatch):
    monkeypatch.setenv("DESCEND_NUM_THREADS", value)
    with pytest.raises(HyperparameterError, match="threads of DESCEND_NUM_THREADS"):
        dd.Stepper(dd.sgd(), np.zeros(2))


def test_state_is_visible_by_name_and_structure():
    x = {"a": np.zeros(2), "b": np.zeros((2, 2), np.float32)}
    stepper = dd.Stepper(dd.adam(beta1=0.5, beta2=0.75), x)
    assert list(stepper.state) == ["m", "v"]
    stepper.step({"a": np.array([2.0, -4.0]), "b": np.ones((2, 2))})
    assert stepper.state["m"]["a"].tolist() == [1.0, -2.0]
    assert stepper.state["v"]["a"].tolist() == [1.0, 4.0]
    assert stepper.state["v"]["b"].dtype == np.float32
    assert stepper.state["v"]["b"].shape == (2, 2)


def test_a_scalar_state_is_one_float():
    stepper = dd.Stepper(dd.nadam(beta1=0.5, momentum_decay=0.0), [np.zeros(2), np.zeros(1)])
    assert stepper.state["mu_product"] == 1.0
    for expected in (0.25, 0.0625):  # ψ = 0: μ = β₁ / 2
        stepper.step([np.ones(2), np.ones(1)])
        assert stepper.state["mu_product"] == expected


def test_state_starts_as_copies_of_x():
    x = np.array([1.0, 2.0])
    stepper = dd.Stepper(dd.schedule_free_sgd(), x)
    assert stepper.state["z"].tolist() == stepper.solution.tolist() == [1.0, 2.0]
    x[:] = 9.0
    assert stepper.state["z"].tolist() == stepper.solution.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_subnormal_state_is_flushed_and_nan_and_inf_survive(dtype):
    tiny = np.finfo(dtype).tiny
    stepper = dd.Stepper(dd.momentum(lr=1.0, momentum=0.5), np.zeros(6, dtype))
    stepper.step(np.array([tiny / 4, -tiny / 4, tiny, -tiny, np.nan, np.inf], dtype))
    assert stepper.state["v"][:2].tolist() == [0.0, 0.0]
    assert stepper.state["v"][2:4].tolist() == [tiny, -tiny]
    assert np.isnan(stepper.state["v"][4])
    assert stepper.state["v"][5] == np.inf
    stepper.step(np.zeros(6))  # half of tiny is subnormal
    assert stepper.state["v"][:4].tolist() == [0.0, 0.0, 0.0, 0.0]
    assert np.isnan(stepper.state["v"][4])
    assert stepper.state["v"][5] == np.inf


def test_a_subnormal_parameter_is_kept():
    x = np.array([1e-310])
    dd.Stepper(dd.momentum(lr=1.0), x).step(np.zeros(1))
    assert x[0] == 1e-310


def test_steps_allocate_nothing_that_stays():
    x = {
        "a": np.zeros(100_000),
        "b": np.zeros(100_000, np.float32),
        "c": np.zeros((300, 100))[:, ::2],
    }
    g = {"a": np.ones(100_000), "b": np.ones(100_000), "c": np.ones((300, 50))}
    stepper = dd.Stepper(dd.chain(dd.clip_norm(1.0), dd.nadam(lr=dd.constant(0.1))), x)
    for _ in range(3):
        stepper.step(g)
    tracemalloc.start()
    try:
        stepper.step(g)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(1000):
            stepper.step(g)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 4096  # a leak of 5 bytes a step would show
    assert peak - before < 65_536  # no temporary has the size of an array


@pytest.mark.parametrize("make", [lambda: np.full(4, 3.0), lambda: np.full((4, 2), 3.0)[:, 1]])
def test_x_changed_between_steps_is_respected(make):
    x = make()
    stepper = dd.Stepper(dd.sgd(lr=1.0), x)
    stepper.step(np.ones(4))
    x[:] = np.clip(x, 0.0, 0.5)  # a projection
    stepper.step(np.full(4, 0.25))
    assert x.tolist() == [0.25] * 4


@pytest.mark.parametrize("n", [4, 20_000])
def test_x_may_be_its_own_gradient(n):
    x = np.ones(n)
    dd.Stepper(dd.sgd(lr=0.25), x).step(x)
    assert (x == 0.75).all()


@pytest.mark.parametrize("n", [4, 20_000])
def test_parameters_that_are_each_others_gradient_step_together(n):
    x, y = np.full(n, 1.0), np.full(n, 2.0)  # of f = x y
    dd.Stepper(dd.sgd(lr=1.0), [x, y]).step([y, x])
    assert (x == -1.0).all()
    assert (y == 1.0).all()


@pytest.mark.parametrize("n", [4, 20_000])
@pytest.mark.parametrize("shift", [-1, 1])
def test_a_gradient_may_overlap_x(n, shift):
    whole = np.arange(n + 1.0)
    x, g = (whole[1:], whole[:-1]) if shift < 0 else (whole[:-1], whole[1:])
    dd.Stepper(dd.sgd(lr=1.0), x).step(g)
    assert (x == -shift).all()


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "0.1", None, True, np.zeros(())])
def test_a_schedule_out_of_its_domain_is_refused_before_anything_changes(value):
    stepper = dd.Stepper(dd.nadam(lr=lambda t: 0.1 if t < 3 else value), np.ones(3))
    stepper.step(np.ones(3))
    stepper.step(np.ones(3))
    message = refused(stepper, np.ones(3), HyperparameterError)
    assert message.startswith("scheduled lr of nadam must be a float in [0, inf); got ")


def test_a_schedule_that_raises_changes_nothing():
    def lr(t):
        return {1: 0.1}[t]

    stepper = dd.Stepper(dd.adam(lr=lr), np.ones(3))
    stepper.step(np.ones(3))
    refused(stepper, np.ones(3), KeyError)


def test_a_bad_schedule_is_refused_when_the_stepper_is_made():
    with pytest.raises(HyperparameterError, match="scheduled beta1 of adam"):
        dd.Stepper(dd.adam(beta1=lambda t: 1.0), np.ones(3))


def test_any_hyperparameter_may_be_scheduled():
    x = np.zeros(1)
    stepper = dd.Stepper(dd.momentum(lr=1.0, momentum=lambda t: 0.5 / t), x)
    for _ in range(3):
        stepper.step(np.ones(1))
    assert stepper.state["v"][0] == pytest.approx(1 + (1 + 0.25) / 6 * 1.0, rel=1e-15, abs=0)


def test_an_error_of_one_array_leaves_the_others_alone():
    x = {"a": np.ones(20_000), "b": np.ones(3, np.float32)}
    stepper = dd.Stepper(dd.momentum(lr=1.0), x)
    refused(stepper, {"a": np.ones(20_000), "b": np.ones(4)})


def test_a_huge_float64_gradient_is_inf_in_float32_without_a_warning():
    x = np.zeros(2, np.float32)
    dd.Stepper(dd.sgd(lr=1.0), x).step(np.array([1e300, 1.0]))
    assert x.tolist() == [-np.inf, -1.0]


def test_a_gradient_that_goes_away_is_not_read_again():
    x = np.zeros(20_000)
    stepper = dd.Stepper(dd.sgd(lr=1.0), x)
    for k in (1.0, 2.0, 4.0):
        stepper.step(np.full(20_000, k))  # each at an address of its own
    assert (x == -7.0).all()


def test_two_steppers_of_one_rule_are_independent():
    rule = dd.adam(lr=0.5)
    x, y = np.zeros(3), np.zeros(3)
    one, other = dd.Stepper(rule, x), dd.Stepper(rule, y)
    one.step(np.ones(3))
    one.step(-np.ones(3))
    assert other.t == 0
    assert (other.state["m"] == 0).all()
    other.step(np.ones(3))
    assert y == pytest.approx(-0.5, rel=1e-7)  # eps of 1e-8


def test_threads_that_step_at_once_do_not_disturb_each_other():
    from concurrent.futures import ThreadPoolExecutor

    def run(seed):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(200_000).astype(np.float32)
        stepper = dd.Stepper(dd.chain(dd.clip_norm(1.0), dd.adam()), x, threads=2)
        for _ in range(5):
            stepper.step(x)
        return x.tobytes()

    expected = [run(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == expected


def test_an_error_of_structure_names_both():
    stepper = dd.Stepper(dd.adam(), {0: np.ones(2)})
    with pytest.raises(ShapeError) as caught:
        stepper.step([np.ones(2)])
    assert str(caught.value) == "g of adam must have the structure of x, dict [0]; got list [0]."
