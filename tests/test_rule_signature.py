"""A user's own rule: what the schema refuses, and that what it allows computes what the text says."""

import math
from typing import Annotated, Any

import numpy as np
import pytest

import descend as dd
from descend._rule import REGISTRY
from descend.domains import Decay, Interval, NonNegative, Positive, Scalar
from descend.errors import HyperparameterError, RuleError
from descend.ops import exp, log, maximum, minimum, norm, sign, sqrt, where


@pytest.fixture(autouse=True)
def registry():
    """Rules of a test leave with it."""
    dd.list_rules()  # the catalogue enters at its first use
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def one_step(update, x, g, dtype=np.float64):
    """x and the state after one step."""
    x = np.array(x, dtype)
    stepper = dd.Stepper(update, x)
    stepper.step(np.array(g, dtype))
    return x, stepper.state


# ---- the signature


def no_x(g, *, lr: Positive = 1.0): ...
def no_g(x, *, lr: Positive = 1.0): ...
def other_order(g, x): ...
def nothing(): ...
def positional_only(x, g, /): ...
def no_domain(x, g, *, lr=1.0): ...
def plain_float(x, g, *, lr: float = 1.0): ...
def other_mark(x, g, *, lr: Annotated[float, "positive"] = 1.0): ...
def default_outside(x, g, *, lr: Positive = 0.0): ...
def default_nan(x, g, *, lr: Positive = math.nan): ...
def default_text(x, g, *, lr: Positive = "1"): ...
def default_one(x, g, *, beta: Decay = 1.0): ...
def no_default(x, g, *, lr: Positive): ...
def value_default(x, g, *, value: Positive = 1.0): ...
def step_default(x, g, *, t=1): ...
def star(x, g, *states): ...
def stars(x, g, **settings): ...
def state_default(x, g, m=1.0): ...
def unknown_annotation(x, g, *, lr: "Nonsense" = 1.0): ...  # noqa: F821


SIGNATURES = [
    (no_x, RuleError, r"no_x must take x and g first; got \(g, \*, lr"),
    (no_g, RuleError, "no_g must take x and g first"),
    (other_order, RuleError, r"must take x and g first; got \(g, x\)"),
    (nothing, RuleError, r"must take x and g first; got \(\)"),
    (positional_only, RuleError, "must take x and g first"),
    (
        no_domain,
        RuleError,
        "lr of no_domain must be annotated with a domain, for example `lr: Positive`; got None",
    ),
    (plain_float, RuleError, "must be annotated with a domain"),
    (other_mark, RuleError, "must be annotated with a domain"),
    (
        default_outside,
        HyperparameterError,
        r"lr of default_outside must be a float in \(0, inf\); got 0.0",
    ),
    (default_nan, HyperparameterError, "got nan"),
    (default_text, HyperparameterError, "got '1'"),
    (default_one, HyperparameterError, r"beta of default_one must be a float in \[0, 1\); got 1.0"),
    (no_default, RuleError, "lr of no_default must have a default"),
    (
        value_default,
        RuleError,
        "value of value_default must have no default, since every step brings it",
    ),
    (step_default, RuleError, "t of step_default must have no default"),
    (star, RuleError, "star must name each of its arguments"),
    (stars, RuleError, "stars must name each of its arguments"),
    (
        state_default,
        RuleError,
        r"m of state_default must have no default.*write @rule\(init=\{'m': 1.0\}\)",
    ),
    (unknown_annotation, RuleError, "annotations of unknown_annotation.*Nonsense"),
]


@pytest.mark.parametrize(
    ("function", "error", "message"), SIGNATURES, ids=lambda v: getattr(v, "__name__", "")
)
def test_a_signature_off_the_schema_is_refused(function, error, message):
    with pytest.raises(error, match=message):
        dd.rule(function)
    assert function.__name__ not in REGISTRY


def with_state(x, g, m, c: Scalar = 0.0, *, lr: Positive = 1.0):
    return x - lr * g, m, c


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"init": {"q": 1.0}}, "init of with_state must name states; got 'q'"),
        ({"init": {"x": 1.0}}, "init of with_state must name states; got 'x'"),
        ({"init": {"lr": 1.0}}, "must name states; got 'lr'"),
        (
            {"init": {"c": 1.0}},
            "init of c of with_state must be a hyperparameter, since it is a scalar; got 1.0",
        ),
        ({"init": {"c": "x"}}, "must be a hyperparameter, since it is a scalar; got 'x'"),
        (
            {"init": {"m": "q"}},
            "init of m of with_state must be a number, 'x' or a hyperparameter; got 'q'",
        ),
        ({"init": {"m": "g"}}, "got 'g'"),
        ({"init": {"m": "m"}}, "got 'm'"),
        ({"init": {"m": None}}, "got None"),
        ({"init": {"m": True}}, "got True"),
        ({"solution": "q"}, "solution of with_state must be x or an array state; got 'q'"),
        ({"solution": "g"}, "got 'g'"),
        ({"solution": "c"}, "got 'c'"),
    ],
)
def test_starts_and_solutions_name_what_there_is(settings, message):
    with pytest.raises(RuleError, match=message):
        dd.rule(**settings)(with_state)


def test_a_scalar_state_starts_from_a_hyperparameter():
    @dd.rule(init={"c": "lr"})
    def starts(x, g, c: Scalar = 7.0, *, lr: Positive = 0.125):
        return x - c * g, c / 2

    x = np.array([1.0, 2.0])
    stepper = dd.Stepper(starts(lr=lambda t: 0.5 / t), x)
    assert stepper.state == {"c": 0.5}
    stepper.step(np.ones(2))
    stepper.step(np.ones(2))
    assert x.tolist() == [0.25, 1.25]
    assert stepper.state == {"c": 0.125}


def by_value(x, g, *, value, lr: Positive = 1.0):
    return x - lr * value * g


@pytest.mark.parametrize("value", [0.25, np.float32(0.25), np.array(0.25), 0.25 * np.ones(3)[0]])
def test_a_rule_may_read_the_functions_value(value):
    rule = dd.rule(by_value)
    x = np.array([1.0, 2.0])
    stepper = dd.Stepper(rule(lr=2.0), x)
    stepper.step(np.array([1.0, -1.0]), value)
    assert x.tolist() == [0.5, 2.5]
    stepper.step(np.array([1.0, -1.0]), value=1)
    assert x.tolist() == [-1.5, 4.5]
    assert list(rule.hyperparameters) == ["lr"]
    np.testing.assert_array_equal(rule(np.ones(2), np.ones(2), value=0.5), [0.5, 0.5])


@pytest.mark.parametrize("value", [None, "1", True, [1.0], np.ones(1), np.array(True), 1j])
def test_a_rule_that_reads_the_value_demands_a_number(value):
    x = np.ones(2)
    stepper = dd.Stepper(dd.rule(by_value), x)
    with pytest.raises(
        HyperparameterError,
        match="value of a step of by_value must be the function's value at x, a float; got ",
    ):
        stepper.step(np.ones(2), value)
    assert (x == 1).all()
    assert stepper.t == 0


def test_a_value_beyond_the_numbers_is_passed_on():
    for value in (math.inf, math.nan):
        x = np.ones(2)
        dd.Stepper(dd.rule(by_value), x).step(np.ones(2), value)
        np.testing.assert_array_equal(x, [-value, -value])


def test_a_rule_that_does_not_read_the_value_ignores_it():
    x, y = np.ones(2), np.ones(2)
    dd.Stepper(dd.sgd(), x).step(np.ones(2))
    dd.Stepper(dd.sgd(), y).step(np.ones(2), "anything")
    assert x.tolist() == y.tolist()


def test_a_transform_may_read_the_functions_value():
    @dd.transform
    def scaled_by_value(x, g, *, value):
        return x, value * g

    x = np.array([1.0])
    stepper = dd.Stepper(dd.chain(scaled_by_value, dd.sgd(lr=1.0)), x)
    stepper.step(np.ones(1), 0.5)
    assert x.tolist() == [0.5]
    with pytest.raises(
        HyperparameterError, match=r"value of a step of scaled_by_value\+sgd must be"
    ):
        stepper.step(np.ones(1))


def test_states_start_from_numbers_x_and_hyperparameters():
    @dd.rule(init={"a": 2.5, "b": "x", "c": "lr"}, solution="b")
    def starts(x, g, a, b, c, *, lr: Positive = 0.125):
        return x - g, a, b, c

    x = np.array([1.0, 2.0])
    stepper = dd.Stepper(starts(lr=0.5), x)
    assert {k: v.tolist() for k, v in stepper.state.items()} == {
        "a": [2.5, 2.5],
        "b": [1.0, 2.0],
        "c": [0.5, 0.5],
    }
    stepper.step(np.ones(2))
    assert x.tolist() == [0.0, 1.0]
    assert stepper.solution.tolist() == [1.0, 2.0]


# ---- what it returns


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda x, g, m: x, "returns must return 2 values, x, m; got 1"),
        (lambda x, g, m: (x, m, g), "must return 2 values, x, m; got 3"),
        (lambda x, g, m: (), "got 0"),
        (lambda x, g, m: None, "got 1"),
        (lambda x, g, m: [x, m], "got 1"),
        (
            lambda x, g, m: (x, None),
            "must compute with numbers and its arguments; got NoneType None",
        ),
        (lambda x, g, m: (x, "m"), "must compute with numbers and its arguments; got str 'm'"),
        (lambda x, g, m: (x, [m]), "must compute with numbers and its arguments; got list"),
        (
            lambda x, g, m: (x * np.ones(3), m),
            "must compute with numbers and its arguments; got ndarray",
        ),
        (
            lambda x, g, m: (x - 1j * g, m),
            "must compute with numbers and its arguments; got complex",
        ),
    ],
)
def test_results_off_the_schema_are_refused(result, message):
    @dd.rule
    def returns(x, g, m):
        return result(x, g, m)

    with pytest.raises(RuleError, match=message):
        dd.Stepper(returns, np.zeros(3))


def test_a_rule_of_one_output_may_return_none_by_mistake():
    @dd.rule
    def forgotten(x, g):
        x = x - g

    with pytest.raises(
        RuleError, match="must compute with numbers and its arguments; got NoneType None"
    ):
        dd.Stepper(forgotten, np.zeros(3))


def test_a_scalar_state_is_computed_from_scalars():
    @dd.rule
    def mixed(x, g, c: Scalar = 0.0):
        return x, c + g

    with pytest.raises(RuleError, match="a scalar state must be computed from scalars"):
        dd.Stepper(mixed, np.zeros(3))


# ---- rules of users


def test_a_users_rule_is_a_rule_everywhere():
    @dd.rule
    def signed_momentum(x, g, v, *, t, lr: NonNegative = 0.5, beta: Decay = 0.5):
        """Step by the sign of a velocity."""
        v = beta * v + g
        return x - lr / t * sign(v), v

    assert "signed_momentum" in dd.list_rules()
    assert dd.find_rule("signed_momentum") is signed_momentum
    assert dd.get_rule("signed_momentum:beta=0.25") == signed_momentum(beta=0.25)
    assert repr(signed_momentum(beta=0.25)) == "dd.signed_momentum(beta=0.25)"
    assert signed_momentum.__doc__ == "Step by the sign of a velocity."
    x = np.zeros(2)
    stepper = dd.Stepper(dd.chain(dd.clip_value(1.0), signed_momentum), x)
    stepper.step(np.array([9.0, -0.5]))
    stepper.step(np.array([-0.25, 0.0]))
    assert x.tolist() == [-0.75, 0.75]
    assert stepper.state["v"].tolist() == [0.25, -0.25]


def test_a_rule_may_use_its_surroundings():
    factor, table = 0.5, {"scale": np.float32(4.0)}

    @dd.rule
    def closed(x, g):
        scaled = table["scale"] * g
        for _ in range(2):
            scaled = factor * scaled
        return x - (scaled if factor < 1 else g)

    assert one_step(closed, [1.0], [3.0])[0].tolist() == [-2.0]


def test_a_rule_may_call_rules_and_transforms():
    @dd.rule
    def twice(x, g, v, *, lr: Positive = 0.5):
        x, g = dd.l2(x, g, weight_decay=1.0)
        x, v = dd.momentum(x, g, v, lr=lr, momentum=0.5)
        return dd.sgd(x, g, lr=lr), v

    x, state = one_step(twice, [2.0], [4.0])
    assert x.tolist() == [2.0 - 3.0 - 3.0]
    assert state["v"].tolist() == [6.0]


def test_unused_arguments_do_no_harm():
    @dd.rule
    def idle(x, g, m, s: Scalar = 2.0, *, t, lr: Positive = 1.0, unused: Positive = 3.0):
        return x, m, s

    x, state = one_step(idle, [1.0, 2.0], [3.0, 4.0])
    assert x.tolist() == [1.0, 2.0]
    assert state["m"].tolist() == [0.0, 0.0]
    assert state["s"] == 2.0


def test_a_scalar_state_may_need_a_measured_sum():
    @dd.rule
    def longest(x, g, seen: Scalar = 1.0, *, t):
        seen = maximum(seen, norm(g))
        return x - g / seen, seen

    x = np.zeros(2)
    stepper = dd.Stepper(longest, x)
    for g, seen in (([3.0, 4.0], 5.0), ([0.0, 1.0], 5.0), ([8.0, 6.0], 10.0)):
        stepper.step(np.array(g))
        assert stepper.state["seen"] == seen
    np.testing.assert_allclose(x, [-0.6 - 0.8, -0.8 - 0.2 - 0.6], rtol=1e-15)


def test_a_plain_call_of_a_rule_says_what_it_takes():
    x = np.zeros(2)
    for call in (
        lambda: dd.adam(0.1, 0.9),
        lambda: dd.adam(x, x, x, x, x, t=1),
        lambda: dd.adam(x, x, x, x),
        lambda: dd.adam(x, x, x, x, t=1, gamma=2),
        lambda: dd.decay(x, x),
        lambda: dd.sgd(x, x, t=1),
    ):
        with pytest.raises(RuleError, match=r"a step of \w+ takes "):
            call()


def test_a_plain_call_keeps_float32():
    x = np.ones(3, np.float32)
    m, v, extra = x * 0, x * 0, {"t": 1}
    assert all(a.dtype == np.float32 for a in dd.adam(x, x, m, v, **extra))
    assert all(a.dtype == np.float32 for a in dd.clip_norm(x, x))
    assert (
        x * exp(0.5) * log(0.5) * sqrt(2.0) * where(True, 0.1, 0.2) * minimum(0.5, 0.1)
    ).dtype == np.float32


# ---- the registry


def test_a_rule_may_be_defined_again_where_it_was():
    @dd.rule
    def again(x, g):
        return x - g

    first = again

    @dd.rule
    def again(x, g):
        return x - 2 * g

    assert dd.find_rule("again") is again is not first
    assert one_step(first, [0.0], [1.0])[0].tolist() == [-1.0]
    assert one_step(again, [0.0], [1.0])[0].tolist() == [-2.0]


def test_a_namesake_of_a_built_in_rule_takes_its_name_with_a_warning():
    def adam(x, g):
        return x

    with pytest.warns(UserWarning, match=r"takes the name from that of descend\.rules\.adam"):
        made = dd.rule(adam)
    assert dd.find_rule("adam") is made is REGISTRY["adam"]
    assert dd.adam is not made


def test_a_rule_may_be_defined_again_in_its_own_module():
    def mine(x, g):
        return x

    dd.rule(mine)
    again = dd.rule(mine)
    assert REGISTRY["mine"] is again


def test_a_new_rule_wins_even_before_the_catalogue_is_used():
    import os
    import subprocess
    import sys

    code = (
        "import descend as dd\n@dd.rule\ndef adam(x, g):\n    return x\n"
        "assert dd.find_rule('adam') is adam\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0
    assert "UserWarning: the rule 'adam' of __main__ takes the name" in ended.stderr


# ---- chains


def test_two_links_may_have_equal_names():
    @dd.transform
    def smooth(x, g, v, *, momentum: Decay = 0.5):
        v = momentum * v + g
        return x, v, v

    x = np.zeros(2)
    stepper = dd.Stepper(
        dd.chain(smooth, smooth(momentum=0.25), dd.momentum(lr=1.0, momentum=0.75)), x
    )
    assert list(stepper.state) == ["smooth_v", "smooth2_v", "v"]
    a = b = c = total_x = 0.0
    for g in (1.0, -2.0, 3.0):
        stepper.step(np.full(2, g))
        a = 0.5 * a + g
        b = 0.25 * b + a
        c = 0.75 * c + b
        total_x -= c
    assert x.tolist() == [total_x, total_x]
    assert {k: v[0] for k, v in stepper.state.items()} == {"smooth_v": a, "smooth2_v": b, "v": c}


def test_two_decays_both_act():
    x = np.array([4.0])
    dd.Stepper(dd.chain(dd.decay(0.5), dd.decay(0.25), dd.sgd(lr=0.5)), x).step(np.zeros(1))
    assert x[0] == 4.0 * 0.75 * 0.875


def test_an_order_of_links_is_the_order_of_acting():
    for first, second, expected in (
        (dd.l2(1.0), dd.clip_value(2.0), -2.0),
        (dd.clip_value(2.0), dd.l2(1.0), -5.0),
    ):
        x = np.array([3.0])
        dd.Stepper(dd.chain(first, second, dd.sgd(lr=1.0)), x).step(np.array([10.0]))
        assert x[0] - 3.0 == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dd.chain(), "must have exactly one rule, such as dd.sgd\\(\\); got none"),
        (lambda: dd.chain(dd.clip_norm()), "must have exactly one rule"),
        (
            lambda: dd.chain(dd.sgd(), dd.clip_norm()),
            "clip_norm must come before the rule of its chain, sgd",
        ),
        (lambda: dd.chain(dd.ema(), dd.sgd()), "ema must come after the rule of its chain, sgd"),
        (
            lambda: dd.chain(dd.sgd(), dd.adam()),
            "exactly one rule, such as dd.sgd\\(\\); got sgd, adam",
        ),
        (lambda: dd.chain("adam"), "takes rules and transforms; got 'adam'"),
        (lambda: dd.chain(dd.clip_norm(), None), "takes rules and transforms; got None"),
        (lambda: dd.chain([dd.sgd()]), "takes rules and transforms"),
    ],
)
def test_a_bad_chain_is_refused(make, message):
    with pytest.raises(RuleError, match=message):
        make()


def test_decay_needs_a_rule_with_a_rate():
    @dd.rule
    def rateless(x, g):
        return x - g

    with pytest.raises(
        RuleError, match="decay needs lr of the chain's rule, and rateless has none"
    ):
        dd.chain(dd.decay(0.1), rateless)


def test_a_chain_in_a_chain_is_taken_apart():
    inner = dd.chain(dd.clip_norm(1.0), dd.adam)
    assert dd.chain(dd.l2(0.1), inner) == dd.chain(dd.l2(0.1), dd.clip_norm(1.0), dd.adam())


def test_a_domain_of_ones_own_works():
    @dd.rule
    def between(x, g, *, lr: Annotated[Any, Interval(1.0, 2.0, closed_low=True)] = 1.5):
        return x - lr * g

    assert between(lr=1).settings == {"lr": 1.0}
    with pytest.raises(
        HyperparameterError, match=r"lr of between must be a float in \[1, 2\); got 2"
    ):
        between(lr=2)
