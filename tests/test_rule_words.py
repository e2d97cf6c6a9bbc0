"""The words of a rule's text: each computes on a compiled rule what it does on arrays, and no other is let through."""

import math
from fractions import Fraction

import numpy as np
import pytest

import descend as dd
from descend._rule import REGISTRY
from descend.domains import Decay, NonNegative, Positive
from descend.errors import RuleError
from descend.ops import exp, log, maximum, minimum, norm, sign, sqrt, total, where


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


# ---- what is refused


def python_if(x, g):
    return x - g if g > 0 else x


def python_and(x, g):
    return x - where(g > 0 and x > 0, g, x)


def python_not(x, g):
    return x - (not g)


def chained(x, g):
    return where(0 < g < 1, x, g)


def python_max(x, g):
    return x - max(g, 0.0)


def python_while(x, g, *, lr: Positive = 1.0):
    while lr > 0.5:
        lr = lr / 2
    return x - lr * g


def numpy_where(x, g):
    return np.where(g > 0, x, g)


@pytest.mark.parametrize(
    "function", [python_if, python_and, python_not, chained, python_max, python_while, numpy_where]
)
def test_branching_on_a_value_is_refused_with_the_word_to_use(function):
    made = dd.rule(function)
    with pytest.raises(RuleError, match=r"branched on a value; write where\(condition, a, b\)"):
        dd.Stepper(made, np.zeros(3))


FOREIGN = {
    "math.sqrt": lambda g: math.sqrt(g),
    "math.exp": lambda g: math.exp(g),
    "np.sqrt": lambda g: np.sqrt(g),
    "np.exp": lambda g: np.exp(g),
    "np.sign": lambda g: np.sign(g),
    "np.maximum": lambda g: np.maximum(g, 0.0),
    "np.abs": lambda g: np.abs(g),
    "np.sum": lambda g: np.sum(g),
    "np.linalg.norm": lambda g: np.linalg.norm(g),
    "np.add": lambda g: np.add(1.0, g),
    ".sum()": lambda g: g.sum(),
    ".shape": lambda g: g.shape[0],
    "an index": lambda g: g[0],
    "len": lambda g: len(g),
    "iteration": lambda g: sum(v for v in g),
    "float": lambda g: float(g),
    "int": lambda g: int(g),
    "round": lambda g: round(g),
    "modulo": lambda g: g % 2,
    "floor": lambda g: g // 2,
    "&": lambda g: where((g > 0) & (g < 1), g, 0.0),
    "@": lambda g: g @ g,
    "text": lambda g: g + "1",
    "None": lambda g: g * None,
    "total of a number": lambda g: total(2.0) * g,
}


@pytest.mark.parametrize("word", FOREIGN)
def test_foreign_words_are_refused_with_ours(word):
    @dd.rule
    def foreign(x, g):
        return x - FOREIGN[word](g)

    with pytest.raises(
        RuleError,
        match=r"must compute with (numbers and its arguments|.* the words of descend\.ops)",
    ):
        dd.Stepper(foreign, np.zeros(3))


def test_a_mistake_in_a_rule_is_not_hidden():
    @dd.rule
    def mistaken(x, g):
        return x - undefined * g  # noqa: F821

    with pytest.raises(NameError):
        dd.Stepper(mistaken, np.zeros(3))


WORDS = {
    "+": (lambda x, g: x + g, [0.25, 4.0, -1.5]),
    "scalar - array": (lambda x, g: 1 - g, None),
    "scalar / array": (lambda x, g: 1 / g, None),
    "neg": (lambda x, g: -g, None),
    "abs": (lambda x, g: abs(g), None),
    "square": (lambda x, g: g**2, None),
    "cube": (lambda x, g: g**3, None),
    "square as a float": (lambda x, g: g**2.0, None),
    "inverse square": (lambda x, g: g**-2, None),
    "half power": (lambda x, g: abs(g) ** 0.5, None),
    "minus half power": (lambda x, g: abs(g) ** -0.5, None),
    "power zero": (lambda x, g: g**0, None),
    "power of an array": (lambda x, g: abs(g) ** x, None),
    "number to an array": (lambda x, g: 2**g, None),
    "sqrt": (lambda x, g: sqrt(abs(g)), None),
    "exp": (lambda x, g: exp(g), None),
    "log": (lambda x, g: log(abs(g)), None),
    "sign": (lambda x, g: sign(g), None),
    "where": (lambda x, g: where(g > 0, g, 2 * x), None),
    "where with numbers": (lambda x, g: where(g >= 0.25, 1, -1), None),
    "nested where": (lambda x, g: where(g > 0, where(x > 1, 1.0, 2.0), 3.0), None),
    "equal": (lambda x, g: where(g == 0.25, 5.0, x), None),
    "unequal": (lambda x, g: where(g != 0.25, 5.0, x), None),
    "less": (lambda x, g: where(g < x, g, x), None),
    "minimum": (lambda x, g: minimum(g, x), None),
    "maximum": (lambda x, g: maximum(0.5, g), None),
    "a comparison as a number": (lambda x, g: x * (g > 0), None),
    "total": (lambda x, g: g * total(g), None),
    "total of a product": (lambda x, g: g * total(x * g + 1), None),
    "norm": (lambda x, g: g / norm(g), None),
    "norm of a normed": (lambda x, g: g * norm(g - norm(x)), None),
    "inf": (lambda x, g: where(g > 0, math.inf, g), None),
    "nan": (lambda x, g: where(g > 0, math.nan, g), None),
    "numpy numbers": (lambda x, g: np.float32(0.5) * g + np.int64(2) + g * np.float64(0.25), None),
    "a long sum": (lambda x, g: sum((i + 1.0) * g for i in range(120)), None),
    "a long product": (lambda x, g: math.prod([g * 1.01] * 60), None),
    "only a number": (lambda x, g: 3.5, None),
    "only an integer": (lambda x, g: 3, None),
    "x itself": (lambda x, g: x, None),
    "x twice": (lambda x, g: x + x, None),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("word", WORDS)
def test_every_word_computes_what_it_does_on_arrays(word, dtype):
    text, by_hand = WORDS[word]

    @dd.rule
    def words(x, g):
        return text(x, g)

    x, g = np.array([0.5, 2.0, -1.0], dtype), np.array([-0.25, 2.0, -0.5], dtype)
    expected = np.broadcast_to(words(x, g), 3)
    if by_hand:
        assert expected.tolist() == by_hand
    got, _ = one_step(words, x, g, dtype)
    # 120 additions in another order for the long sum; pow and exp are one place off at times
    np.testing.assert_allclose(got, expected, rtol=60 * np.finfo(dtype).eps)


@pytest.mark.parametrize("word", ["sqrt", "log", "half power", "minimum", "maximum", "sign"])
def test_nan_passes_through_words_without_a_warning(word):
    text = {
        **{k: v[0] for k, v in WORDS.items()},
        "sqrt": lambda x, g: sqrt(g),
        "log": lambda x, g: log(g),
    }[word]

    @dd.rule
    def words(x, g):
        return text(x, g)

    got, _ = one_step(words, [1.0, 1.0], [np.nan, 4.0])
    assert np.isnan(got[0])
    assert not np.isnan(got[1])


SCALARS = {
    "exp": (lambda a, b: exp(-a), math.exp(-0.75)),
    "log": (lambda a, b: log(a), math.log(0.75)),
    "log 0": (lambda a, b: log(b), -math.inf),
    "sqrt": (lambda a, b: sqrt(a), math.sqrt(0.75)),
    "sqrt of a negative": (lambda a, b: sqrt(b - a), math.nan),
    "where": (lambda a, b: where(a > b, 2.0, 3.0), 2.0),
    "where, both ways": (lambda a, b: where(b > 0, 1 / b, a), 0.75),
    "minimum": (lambda a, b: minimum(a, 0.5), 0.5),
    "maximum": (lambda a, b: maximum(b, a), 0.75),
    "sign": (lambda a, b: sign(-a), -1.0),
    "sign of 0": (lambda a, b: sign(b), 0.0),
    "sign of nan": (lambda a, b: sign(a * math.nan), math.nan),
    "abs": (lambda a, b: abs(b - a), 0.75),
    "1 / 0": (lambda a, b: a / b, math.inf),
    "-1 / 0": (lambda a, b: -a / b, -math.inf),
    "0 / 0": (lambda a, b: b / b, math.nan),
    "0 ** -1": (lambda a, b: b**-1, math.inf),
    "0 ** 0": (lambda a, b: b**b, 1.0),
    "square": (lambda a, b: a**2, 0.5625),
    "cube": (lambda a, b: a**3, 0.421875),
    "negative power": (lambda a, b: a**-2, 16 / 9),
    "float power": (lambda a, b: a**0.5, math.sqrt(0.75)),
    "number to a scalar": (lambda a, b: 4**a, 4**0.75),
    "a negative number's square": (lambda a, b: (-0.5) ** (a + 1.25), 0.25),
    "a negative number's cube": (lambda a, b: (-0.5) ** (a + 2.25), -0.125),
    "a negative number's root": (lambda a, b: (-0.5) ** a, math.nan),
    "1 - a negative number's cube": (lambda a, b: 1 - (-0.5) ** (a + 2.25), 1.125),
    "1 - power": (lambda a, b: 1 - a**3, 0.578125),
    "1 - 0 ** 1": (lambda a, b: 1 - b ** (a + 0.25), 1.0),
    "1 - 0 ** 0": (lambda a, b: 1 - b**b, 0.0),
    "overflow": (lambda a, b: exp(1000 * a), math.inf),
    "power overflow": (lambda a, b: (1000 * a) ** 500, math.inf),
    "a product beyond float64": (lambda a, b: 1e300 * a * 1e300, math.inf),
    "inf - inf": (lambda a, b: math.inf - math.inf * a, math.nan),
    "an integer beyond float64": (lambda a, b: minimum(a, 10**400), 0.75),
    "equal": (lambda a, b: where(a == 0.75, 1.0, 2.0), 1.0),
    "unequal": (lambda a, b: where(b != 0, 1.0, 2.0), 2.0),
    "a comparison as a number": (lambda a, b: 3.0 * (a >= 0.75), 3.0),
    "shadowed words": (lambda a, b: exp(a) * 0 + sqrt(a) * 0 + abs(a), 0.75),
}


@pytest.mark.parametrize("case", SCALARS)
def test_scalars_follow_ieee_arithmetic_on_the_host(case):
    text, expected = SCALARS[case]

    @dd.rule
    def scalars(x, g, *, a: Positive = 0.75, b: NonNegative = 0.0):
        return x + text(a, b) * g

    if case == "an integer beyond float64":
        with pytest.raises(RuleError, match="must compute with numbers"):
            dd.Stepper(scalars, np.zeros(1))
        return
    got, _ = one_step(scalars, [0.0], [1.0])
    assert got[0] == pytest.approx(expected, rel=1e-15, abs=0, nan_ok=True)


def test_one_minus_a_power_keeps_its_digits():
    @dd.rule
    def powers(x, g, *, t, beta: Decay = 0.5):
        return x + (1 - beta**t) * g

    beta = 1 - 2.0**-30  # 1 - β is exact, β^2 is not: its rounding would be 1e-8 of 1 - β^2
    x = np.zeros(1)
    stepper = dd.Stepper(powers(beta=beta), x)
    for t in range(1, 5):
        x[:] = 0
        stepper.step(np.ones(1))
        assert x[0] == pytest.approx(float(1 - Fraction(beta) ** t), rel=1e-15, abs=0)


# ---- names


def test_names_of_a_rule_may_be_names_of_the_machinery():
    @dd.rule
    def names(
        x, g, m, m_new, m_at, k0, e0, i, row, chunk, tiny, zero, sums, scalars, first, pointer, float64, x_new,
        *, t, exp: Positive = 2.0, sqrt: Positive = 3.0, where: Positive = 4.0, sum0: Positive = 5.0, k1: Positive = 6.0,
    ):  # fmt: skip
        others = (
            m,
            m_new,
            m_at,
            k0,
            e0,
            i,
            row,
            chunk,
            tiny,
            zero,
            sums,
            scalars,
            first,
            pointer,
            float64,
            x_new,
        )
        scale = maximum(exp, 1.0) + sqrt * where + sum0 * k1 + norm(g)
        shifted = tuple(a + b + g for a, b in zip(others, (*others[1:], x), strict=True))
        return (x - scale * g**2 * t, *shifted)

    x, g = np.array([1.0, -2.0]), np.array([3.0, 4.0])
    stepper = dd.Stepper(names, x.copy())
    expected = (x, *[np.zeros(2)] * 16)
    for t in range(1, 4):
        stepper.step(g)
        expected = names(expected[0], g, *expected[1:], t=t)
    for got, wanted in zip((stepper.x, *stepper.state.values()), expected, strict=True):
        assert got.tolist() == wanted.tolist()  # all of small integers
