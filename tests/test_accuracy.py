"""How exact a float32 step is, against decimals of 50 digits; and what numbers at the end of the range do."""

import importlib
from pathlib import Path

import numpy as np
import pytest

import descend as dd
from descend._rule import REGISTRY
from descend.errors import HyperparameterError

OURS = [name for name in dd.list_rules() if REGISTRY[name].__module__.startswith("descend.")]
ELEMENTWISE = [name for name in OURS if not REGISTRY[name].whole]
HELD = ["adam", "adamw", "sgd", "momentum", "rmsprop", "nadam", "lion", "adagrad"]
MOST = 6.0
"""Units of the last place: a step rounds about ten times, by half a unit each."""


@pytest.fixture
def accuracy(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    return importlib.import_module("benchmarks.accuracy")


@pytest.mark.parametrize("name", HELD)
def test_one_float32_step_is_within_six_units_of_the_exact_one(name, accuracy):
    for array, errors in accuracy.measure(name, 2000, "one").of.items():
        assert errors.max() <= MOST, array
        # a float32 result that were always exact would mean that the measure sees nothing
        assert errors.max() > 0.4


CANCEL = ["cocob", "fista", "fista_restart", "ista"]
"""x₀ plus a move from there, and the soft threshold, cancel where x comes near 0; see docs/accuracy.md."""


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if n not in (*HELD, *CANCEL)])
def test_every_other_rule_is_too(name, accuracy):
    for array, errors in accuracy.measure(name, 200, "one").of.items():
        assert errors.max() <= MOST, array


def test_the_measure_sees_a_wrong_last_place(accuracy):
    """Hand-worked: 1 + 2⁻²³ is one unit from 1 at 1; from the exact 1 + 2⁻²⁴ it is half; 3.0 from 2.5 is 2²¹ units of 2⁻²²."""
    got = np.array([1 + 2.0**-23, 1 + 2.0**-23, 3.0, 1e-41], np.float32)
    exact = accuracy.exactly(np.array([1.0, 1 + 2.0**-24, 2.5, 1e-41]))
    before = np.zeros(4)
    errors = accuracy.ulps(got, exact, before)
    assert errors[:3].tolist() == [1.0, 0.5, 2.0**21]
    larger_before = accuracy.ulps(got, exact, np.full(4, 4.0))
    assert larger_before[:2].tolist() == [0.25, 0.125]


def test_exact_numbers_compute_in_fifty_digits(accuracy):
    third = accuracy.exactly(np.array([1.0]))[0] / 3
    root = accuracy.Exact(2).sqrt()
    assert str(third.value).startswith("0.3333333333333333333333333333")
    assert abs(root * root - 2) < accuracy.Exact(
        "1e-26"
    )  # 28 digits by default, 50 while measuring
    assert accuracy.Exact(0.1).value != accuracy.Exact("0.1").value  # floats are taken as they are


@pytest.mark.parametrize("name", OURS)
def test_gradients_of_half_precision_give_no_nan(name):
    """Zeros, the smallest and the largest numbers of float16 and bfloat16, as a mixed-precision run hands them over."""
    smallest = {"float16": 2.0**-24, "bfloat16": 2.0**-133}
    largest = {"float16": 65504.0}
    if not REGISTRY[
        name
    ].whole:  # products of squares of different elements are beyond float32 there
        largest["bfloat16"] = 2.0**60  # squares of bfloat16's last ones are inf everywhere
    sizes = [0.0, 2.0**-14, 1.0, *smallest.values(), *largest.values()]
    gradients = np.array([s * v for v in sizes for s in (1.0, -1.0)], np.float32)
    gradients = gradients.reshape(2, -1)
    x = np.ones_like(gradients)
    stepper = dd.Stepper(dd.find_rule(name)(), x)
    with np.errstate(all="ignore"):
        for g in (gradients, np.zeros_like(gradients), gradients[::-1].copy(), 0 * gradients):
            stepper.step(g, 1.0)
            assert not np.isnan(x).any()


@pytest.mark.parametrize("name", OURS)
def test_zero_gradients_of_any_precision_give_no_nan(name):
    for dtype in (np.float16, np.float32, np.float64):
        x = np.array([0.0, 1.0, -6e-8, 65504.0], np.float32).reshape(2, 2)
        stepper = dd.Stepper(dd.find_rule(name)(), x)
        for _ in range(3):
            stepper.step(np.zeros((2, 2), dtype), 1.0)
        assert np.isfinite(x).all()


@pytest.mark.parametrize("name", OURS)
def test_zero_rows_and_columns_give_no_nan(name):
    """As a unit that is off for a whole batch has: products of two ε underflow where the two cross."""
    g = np.zeros((200, 150), np.float32)
    g[3, 5] = 1.0
    for gradient in (g, g[:4, :6]):
        x = np.ones_like(gradient)
        stepper = dd.Stepper(dd.find_rule(name)(), x)
        for _ in range(2):
            stepper.step(gradient, 1.0)
            assert np.isfinite(x).all()
        assert (x[3, 5] < 1.0) or name == "ftrl"  # whose x is not where it started


def test_half_precision_gradients_are_those_of_their_library():
    """The numbers above by ml_dtypes, where it is installed."""
    ml_dtypes = pytest.importorskip("ml_dtypes")
    information = ml_dtypes.finfo(ml_dtypes.bfloat16)
    assert float(information.smallest_subnormal) == 2.0**-133
    assert float(np.finfo(np.float16).smallest_subnormal) == 2.0**-24
    assert float(np.finfo(np.float16).max) == 65504.0
    g = np.array([0.0, -0.0, 2.0**-133, 1.5], ml_dtypes.bfloat16)
    x = np.ones(4, np.float32)
    dd.Stepper(dd.adam(), x).step(g.astype(np.float32))
    assert x[0] == x[1] == 1.0
    assert x[3] == np.float32(0.999)


ABOVE_ZERO = [
    (name, key)
    for name in OURS
    for key, h in REGISTRY[name].hyperparameters.items()
    if 0.0 not in h.domain and 1e-46 in h.domain
]


@pytest.mark.parametrize(("name", "key"), ABOVE_ZERO)
def test_a_setting_that_float32_makes_zero_is_refused(name, key):
    rule = dd.find_rule(name)
    shape = (2, 2)
    for value in (1e-46, lambda t: 1e-46):
        owner = f"scheduled {key}" if callable(value) else key
        message = f"^{owner} of {name} must be above 0 in float32, the dtype of x; got 1e-46.$"
        with pytest.raises(HyperparameterError, match=message):
            dd.Stepper(rule(**{key: value}), np.ones(shape, np.float32))
        with pytest.raises(HyperparameterError, match=message):
            dd.Stepper(rule(**{key: value}), [np.ones(shape), np.ones(shape, np.float32)])
    dd.Stepper(rule(**{key: 1e-46}), np.ones(shape))
    dd.Stepper(rule(**{key: 1e-44}), np.ones(shape, np.float32))  # subnormal, and no zero


def test_a_schedule_that_falls_to_zero_in_float32_changes_nothing():
    x = np.ones(3, np.float32)
    stepper = dd.Stepper(dd.adam(eps=lambda t: 10.0 ** (-20 * t)), x)
    stepper.step(np.ones(3))
    stepper.step(np.ones(3))
    kept = x.copy()
    with pytest.raises(
        HyperparameterError, match="scheduled eps of adam must be above 0 in float32"
    ):
        stepper.step(np.ones(3))
    assert stepper.t == 2
    assert x.tobytes() == kept.tobytes()


def test_complex_numbers_are_refused_with_what_to_do_instead():
    z = np.array([1 + 2j, -3j])
    with pytest.raises(
        ValueError,
        match=r"got complex128. Hint: step its real and imaginary parts, x.view\('float64'\).",
    ):
        dd.Stepper(dd.adam(), z)
    dd.Stepper(dd.sgd(lr=0.5), z.view("float64")).step(np.array([2.0, 2.0, 0.0, -2.0]))
    assert z.tolist() == [1j, -2j]


@pytest.mark.slow
def test_subnormal_state_is_no_slower_than_twice_normal_state():
    """Of three measurements the best: other work on the machine makes a step slower, never faster."""
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1]))
    try:
        subnormal = importlib.import_module("benchmarks.subnormal")
    finally:
        sys.path.pop(0)
    for name in ("adam", "momentum", "rmsprop", "nadam", "amsgrad", "yogi"):
        assert min(subnormal.ratios(name)["repeated"] for _ in range(3)) < 2.0, name
