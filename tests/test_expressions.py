"""Formulas typed by users: values, exact gradients, the normal form, and that a hostile text is refused and never run."""

from __future__ import annotations

import itertools
import math
import pickle
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from descend.errors import ProblemError, ShapeError
from descend.expressions import FUNCTIONS, LONGEST, parse
from descend.expressions import _parser as parser
from descend.lab.functions import get_function

# values

VALUES = {
    "1": 1.0,
    ".5": 0.5,
    "5.": 5.0,
    "1e-3": 0.001,
    "2E+2": 200.0,
    "1 + 2*3": 7.0,
    "(1 + 2)*3": 9.0,
    "7 - 2 - 1": 4.0,
    "8/4/2": 1.0,
    "2**3**2": 512.0,
    "-2**2": -4.0,
    "(-2)**2": 4.0,
    "2**-1": 0.5,
    "2**-2**2": 0.0625,
    "2*-3": -6.0,
    "1 - -1": 2.0,
    "+-+1": -1.0,
    "-(2)(3)".replace(")(", ")*("): -6.0,
    "\t 1  +\t1 ": 2.0,
    "pi": math.pi,
    "e": math.e,
    "log(e**2)": 2.0,
    "sqrt(16)": 4.0,
    "log2(8)": 3.0,
    "log10(1000)": 3.0,
    "abs(-3)": 3.0,
    "sign(-3) + sign(0) + sign(2)": 0.0,
    "minimum(1, 2) + maximum(10, 20)": 21.0,
    "minimum(1 + 1, maximum(0, 5))": 2.0,
    "arctan(1)*4": math.pi,
    "arcsin(1) + arccos(1)": math.pi / 2,
    "tanh(0) + sinh(0) + cosh(0)": 1.0,
    "exp(0) + expm1(0) + log1p(0)": 1.0,
    "sin(0) + cos(0) + tan(0)": 1.0,
}


@pytest.mark.parametrize("text", VALUES)
def test_a_formula_without_variables_has_its_value(text: str) -> None:
    assert parse(text).value([]) == VALUES[text]


def test_variables_come_in_the_order_in_which_they_first_appear() -> None:
    f = parse("y_1 + x**2 - y_1*Z9")
    assert f.variables == ("y_1", "x", "Z9")
    assert f.value([2.0, 3.0, 5.0]) == 1.0


def test_a_variable_may_be_called_like_a_word_of_python() -> None:
    assert parse("lambda**2 + class").value([3.0, 1.0]) == 10.0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rosenbrock", "(1 - x)**2 + 100*(y - x**2)**2"),
        ("himmelblau", "(x**2 + y - 11)**2 + (x + y**2 - 7)**2"),
        ("rastrigin", "x**2 + 10*(1 - cos(2*pi*x)) + y**2 + 10*(1 - cos(2*pi*y))"),
        ("booth", "(x + 2*y - 7)**2 + (2*x + y - 5)**2"),
    ],
)
def test_test_functions_typed_as_formulas_are_themselves(name: str, text: str) -> None:
    function, f = get_function(name), parse(text)
    for x in np.random.default_rng(0).uniform(-3, 3, (20, 2)):
        value, gradient = f.value_and_gradient(x)
        # a few roundings of terms that are at most a thousand times the result
        assert value == pytest.approx(function.fun(x), rel=1e-12)
        np.testing.assert_allclose(gradient, function.grad(x), rtol=1e-12, atol=1e-11)


def test_gradients_worked_by_hand() -> None:
    cases = {
        "x*y": ([3.0, 5.0], [5.0, 3.0]),
        "x/y": ([6.0, 2.0], [0.5, -1.5]),
        "x**y": ([math.e, 2.0], [2 * math.e, math.e**2]),
        "x - y - x": ([1.0, 1.0], [0.0, -1.0]),
        "sqrt(x)": ([4.0], [0.25]),
        "minimum(x, y)": ([1.0, 2.0], [1.0, 0.0]),
        "maximum(x, y)": ([1.0, 2.0], [0.0, 1.0]),
        "abs(-x)": ([2.0], [1.0]),
        "log2(x)": ([1.0], [1 / math.log(2)]),
        "log10(x)": ([1.0], [1 / math.log(10)]),
        "2": ([], []),
    }
    for text, (x, gradient) in cases.items():
        np.testing.assert_allclose(parse(text).gradient(x), gradient, rtol=1e-15, err_msg=text)


def test_where_two_slopes_meet_the_gradient_is_their_mean() -> None:
    assert parse("abs(x)").gradient([0.0]).tolist() == [0.0]
    assert parse("minimum(x, y)").gradient([1.0, 1.0]).tolist() == [0.5, 0.5]
    assert parse("maximum(x, x)").gradient([1.0]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "gradient"),
    [("x**0", 0.0), ("x**1", 1.0), ("x**2", 0.0), ("x**0.5", math.inf), ("0*sqrt(x)", 0.0)],
)
def test_powers_and_roots_have_their_slopes_at_zero(text: str, gradient: float) -> None:
    assert parse(text).gradient([0.0]).tolist() == [gradient]


@pytest.mark.parametrize(
    ("text", "x", "value"),
    [
        ("exp(x)", 1e3, math.inf),
        ("-exp(x)", 1e3, -math.inf),
        ("x**3", 1e200, math.inf),
        ("x**3", -1e200, -math.inf),
        ("x**-1", 0.0, math.inf),
        ("1/x", 0.0, math.inf),
        ("1/x", -0.0, -math.inf),
        ("x/x", 0.0, math.nan),
        ("log(x)", 0.0, -math.inf),
        ("log(x)", -1.0, math.nan),
        ("sqrt(x)", -1.0, math.nan),
        ("x**0.5", -1.0, math.nan),
        ("arcsin(x)", 2.0, math.nan),
        ("sin(x)", math.inf, math.nan),
        ("cosh(x)", 1e3, math.inf),
        ("sinh(x)", -1e3, -math.inf),
        ("expm1(x)", 1e3, math.inf),
        ("log1p(x)", -1.0, -math.inf),
        ("minimum(x, 1)", math.nan, math.nan),
        ("maximum(1, x)", math.nan, math.nan),
        ("x*1e308*10", 1.0, math.inf),
        ("x**9**9**9", 2.0, math.inf),
        ("x**999999999999", 1.5, math.inf),
    ],
)
def test_overflow_and_edges_of_domains_are_inf_or_nan_without_a_warning(
    text: str, x: float, value: float
) -> None:
    f = parse(text)
    assert f.value([x]) == pytest.approx(value, nan_ok=True)
    assert f.value_and_gradient([x])[0] == pytest.approx(value, nan_ok=True)


def test_an_x_of_another_length_is_refused() -> None:
    for x in ([1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], 1.0):
        with pytest.raises(ShapeError, match=r"x of x\*y must have shape \(2,\); got"):
            parse("x*y").value(x)


def test_x_is_left_as_it_is_and_each_gradient_is_a_fresh_array() -> None:
    f, x = parse("x*y"), np.array([2.0, 3.0])
    first, second = f.gradient(x), f.gradient(x)
    first[:] = 0.0
    assert x.tolist() == [2.0, 3.0]
    assert second.tolist() == [3.0, 2.0]


# any formula, against Python's own evaluation

NAMES = ("x", "y", "z")
LEAVES = st.one_of(
    st.sampled_from(NAMES),
    st.floats(0.0, 100.0, allow_subnormal=False).map(repr),
    st.integers(0, 9).map("{}.".format),  # Python's integers are not floats
    st.sampled_from(["pi", "e"]),
)
ONE = [name for name, operation in FUNCTIONS.items() if operation.inputs == 1]
TWO = [name for name, operation in FUNCTIONS.items() if operation.inputs == 2]


def larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Some have parentheses that are needed, some too many, some rely on how operators bind."""
    infix = st.sampled_from(["+", "-", "*", "/", "**", " + ", " - ", "* ", " /"])
    return st.one_of(
        st.tuples(parts, infix, parts).map("".join),
        st.tuples(parts, infix, parts).map(lambda p: f"({p[0]}){p[1]}({p[2]})"),
        parts.map("-{}".format),
        parts.map("+{}".format),
        parts.map("({})".format),
        st.tuples(st.sampled_from(ONE), parts).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(st.sampled_from(TWO), parts, parts).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
    )


FORMULAS = st.recursive(LEAVES, larger, max_leaves=12)
POINTS = st.lists(st.floats(-3, 3).map(lambda v: round(v, 3)), min_size=3, max_size=3)
PYTHON = {
    **{name: getattr(math, name.replace("arc", "a"), None) for name in ONE},
    "abs": abs,
    "sign": lambda a: float((a > 0) - (a < 0)),
    "minimum": min,
    "maximum": max,
    "pi": math.pi,
    "e": math.e,
    "__builtins__": {},
}


def python_value(text: str, point: dict[str, float]) -> float:
    """The value by Python itself: the text is one that this file made."""
    try:
        value = eval(text, dict(PYTHON), dict(point))
    except (ArithmeticError, ValueError, TypeError):
        assume(False)
    assume(isinstance(value, float))
    return value


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(FORMULAS, POINTS)
def test_the_value_is_that_of_python(text: str, x: list[float]) -> None:
    value = python_value(text, dict(zip(NAMES, x, strict=True)))
    f = parse(text)
    found = f.value([x[NAMES.index(name)] for name in f.variables])
    assert found == value or (math.isnan(found) and math.isnan(value))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(FORMULAS, POINTS)
def test_the_gradient_is_that_of_central_differences(text: str, x: list[float]) -> None:
    f = parse(text)
    at = np.array([x[NAMES.index(name)] for name in f.variables])
    slots = f._forward(at)
    largest = max(map(abs, slots))
    assume(math.isfinite(largest) and largest < 1e4)  # else rounding hides what depends on x
    # at a kink inside the formula the chain rule need not hold, even where the whole is smooth
    assume(min(gaps(f, slots), default=1.0) > 0.05)
    value, gradient = f.value_and_gradient(at)
    for i, slope in enumerate(gradient):
        wide, middle, narrow = (difference(f, at, i, h) for h in (2e-4, 1e-4, 5e-5))
        right, left = (sided(f, at, i, value, h) for h in (5e-5, -5e-5))
        spread = max(abs(wide - middle), abs(middle - narrow))
        # where three widths disagree, or the two sides do, there is a jump, a pole or a kink nearby
        assume(math.isfinite(spread) and spread <= 1e-3 * (1 + abs(middle)))
        assume(abs(right - left) <= 1e-2 * (1 + abs(middle)))
        # of a dozen operations on numbers below 1e4, each to 1e-16, over the narrowest width
        rounding = 12 * 1e4 * 1e-16 / 5e-5
        if not math.isnan(slope):  # x**y has a slope in y only where x is positive
            assert slope == pytest.approx(narrow, abs=3 * spread + rounding)


def gaps(f, slots: list[float]):
    """How far each abs, sign, minimum and maximum is from where its slope changes."""
    kinked = {FUNCTIONS[name].value for name in ("abs", "sign", "minimum", "maximum")}
    for value, _, left, right in f._tape.operations:
        if value in kinked:
            yield abs(slots[left] - (slots[right] if right >= 0 else 0.0))


def sided(f, x: np.ndarray, i: int, value: float, width: float) -> float:
    step = np.zeros(x.size)
    step[i] = width
    return (f.value(x + step) - value) / width


def difference(f, x: np.ndarray, i: int, width: float) -> float:
    step = np.zeros(x.size)
    step[i] = width
    return (f.value(x + step) - f.value(x - step)) / (2 * width)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(FORMULAS, POINTS)
def test_the_normal_form_is_stable_and_is_the_same_function_to_the_bit(
    text: str, x: list[float]
) -> None:
    f = parse(text)
    again = parse(str(f))
    assert str(again) == str(f)
    assert again.variables == f.variables
    at = x[: len(f.variables)]
    np.testing.assert_array_equal(again.value(at), f.value(at))
    np.testing.assert_array_equal(again.gradient(at), f.gradient(at))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("((x))+(y*2.0)", "x + y*2"),
        ("(x-(y-1))", "x - (y - 1)"),
        ("(x*y)/(x/y)", "x*y/(x/y)"),
        ("(-x)**2", "(-x)**2"),
        ("-(x**2)", "-x**2"),
        ("(x**y)**2", "(x**y)**2"),
        ("x**(y**2)", "x**y**2"),
        ("2**(-x)", "2**-x"),
        ("(x+y)**(x+y)", "(x + y)**(x + y)"),
        ("+x", "x"),
        ("--x", "--x"),
        ("1e6*PI*pi", "1000000*PI*pi"),
        ("minimum((x),y+1)", "minimum(x, y + 1)"),
    ],
)
def test_the_normal_form_has_the_parentheses_that_are_needed(text: str, normal: str) -> None:
    assert str(parse(text)) == normal


def test_a_formula_survives_pickling_even_where_its_normal_form_is_longer_than_a_text_may_be() -> (
    None
):
    f = parse("x+" * 4999 + "x")
    assert len(str(f)) > LONGEST
    assert pickle.loads(pickle.dumps(f)).value([2.0]) == 10_000.0
    assert repr(parse("x+1")) == "parse('x + 1')"
    assert parse("x+1") == parse("(x) + 1.0")
    assert parse("x+1") != parse("1+x")


# hostile texts

HAND = """
__import__('os').system('echo hi') | __import__("os") | eval('1') | exec("x") | open('/etc/passwd') | import os | from os import system
().__class__ | ().__class__.__bases__[0].__subclasses__() | x.__class__ | x.real | x.y | 1.real | 1..real | (1).real | "a" | 'a' | `x` | ''
lambda: 1 | lambda x: x | (lambda: 1)() | [x for x in y] | {x for x in y} | (x for x in y) | {1: 2} | [1] | [] | {} | x[0] | x[1:2] | x{1}
x := 1 | (x := 1) | x = 1 | x == 1 | x != 1 | x < 1 | x > 1 | x <= 1 | x >= 1 | x <> 1 | x += 1 | x -= 1 | x *= 2 | x **= 2
x if y else z | x and y | x or y | not x | x in y | x is y | yield x | await x | return x | del x | assert x | raise x | pass 1 | global x
f"{x}" | f'{x}' | b"x" | r"x" | u"x" | %s | {0} | {x!r} | ${x} | $x | `id` | $(id) | ; | x; y | x;import os | x # comment | # x | x // y
x % y | x @ y | x & y | ~x | !x | x! | x << 1 | x >> 1 | x ^ 2 | x ? 1 : 2 | x -> y | x... | ... | . | .. | , | x, | ,x | x, y | (x, y)
() | (( | )) | ( | ) | (x | x) | ((x) | (x)) | )x( | + | - | * | / | ** | *x | /x | **x | x* | x/ | x** | x+ | x- | x */ y | x*/y | x***y | x /* y | x + * y
1x | 1 x | x 1 | x y | 1 1 | (x)(y) | 2(x) | (x)2 | (x)y | 1.2.3 | 1..2 | 1e | 1e+ | 1e+x | 1ee5 | 1e5e5 | 1e5.5 | 0x10 | 0b11 | 0o7 | 1_000 | 1j | 1J | 1L | 1f
1e309 | 1e999999999 | 9e400 | inf | -inf | nan | NaN | Infinity | INF | None | True | False | 1 + inf | _x | __x__ | _ | x + _ | $ | @ | @x | & | %
sin | sin x | sin + 1 | sin() | sin(,) | sin(x, y) | sin(x,) | sin(x=1) | sin(*x) | sin(**x) | sin(x)(y) | sin[x] | sin.x | (sin)(x) | minimum(x) | minimum() | minimum(x, y, z)
minimum(x y) | minimum(x; y) | maximum(x,, y) | maximum(, x) | sinh(x | f(x) | x(y) | asin(x) | ln(x) | SIN(x) | Sin(x) | sum(x) | max(x, y) | min(x, y) | pow(x, 2) | pi(x) | e(x)
getattr(x, 1) | vars() | globals() | locals() | dir() | help() | exit() | quit() | input() | print(x) | type(x) | id(x) | hash(x) | compile(x) | breakpoint() | __builtins__ | object() | super()
\\x00 | \\n | x\\ny | \\u0041\\u0020B | 1\\ | \\ | x\\y | |x| | x|y | x||y | <x> | <script>alert(1)</script> | ../../etc/passwd | C:\\x | file.py:f | rosenbrock:n=2 | --help=1 | -x y | https://x.y
'; DROP TABLE runs; -- | " OR 1=1 | 1; SELECT 1 | {{7*7}} | {{x}} | <%= 7*7 %> | #{7*7} | ${7*7} | %n%n%n | %x%x | {0.__class__} | {x.__init__.__globals__} | %(x)s | !!python/object | cos\\n(0)
"""
CODES = {
    "a null byte": "\0", "a newline": "\n", "a return": "\r", "a form feed": "\f", "a vertical tab": "\v", "an escape": "\x1b",
    "a bell": "\a", "a backspace": "\b", "delete": "\x7f", "a no-break space": "\xa0", "an en space": "\u2002",
    "an ideographic space": "\u3000", "a zero-width space": "\u200b", "a zero-width joiner": "\u200d", "a byte-order mark": "\ufeff",
    "right-to-left override": "\u202e", "left-to-right override": "\u202d", "an isolate": "\u2066", "pop": "\u2069", "a line separator": "\u2028",
    "a paragraph separator": "\u2029", "next line": "\x85", "a soft hyphen": "\xad", "a lone surrogate": "\ud800", "a tag": "\U000e0041",
    "an emoji": "\U0001f600", "minus": "\u2212", "an en dash": "\u2013", "times": "\u00d7", "a middle dot": "\u00b7", "divided by": "\u00f7",
    "a fraction slash": "\u2044", "squared": "\u00b2", "cubed": "\u00b3", "a half": "\u00bd", "pi": "\u03c0", "an infinity sign": "\u221e",
    "a root": "\u221a", "a cyrillic x": "\u0445", "a cyrillic e": "\u0435", "a greek o": "\u03bf", "a latin long s": "\u017f", "a kelvin sign": "\u212a",
    "a combining accent": "\u0301", "a fullwidth (": "\uff08", "a fullwidth )": "\uff09", "a fullwidth plus": "\uff0b", "a fullwidth *": "\uff0a",
    "an arabic digit": "\u0663", "a devanagari digit": "\u0967", "a fullwidth digit": "\uff11", "a mathematical digit": "\U0001d7d9",
    "a mathematical x": "\U0001d465", "a script e": "\u212f", "a roman numeral": "\u2167", "a circled digit": "\u2460", "a subscript": "\u2081",
    "a smart quote": "\u201c", "a fullwidth _": "\uff3f", "a middle-dot letter": "\u00b7", "a replacement": "\ufffd", "a private letter": "\ue000",
}  # fmt: skip
PLACES = ("{}", "{}x", "x{}", "x {} y", "1{}", "sin({})")


def fullwidth(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def hostile() -> list[str]:
    hand = [line.encode().decode("unicode_escape") if "\\u" in line or "\\n" in line else line
            for text in HAND.strip().splitlines() for line in text.split(" | ")]  # fmt: skip
    characters = [place.format(code) for code, place in itertools.product(CODES.values(), PLACES)]
    words = ["sin(x)", "eval(1)", "x**2", "1+1", "exp", "__class__", "lambda", "import"]
    tricks = [*map(fullwidth, words)]
    tricks += [
        "".join(chr(0x1D44E + ord(c) - 97) if "a" <= c <= "z" else c for c in w) for w in words
    ]
    dunders = [
        f"{owner}.__{name}__{call}"
        for owner in ("x", "(x)", "1", "pi", "sin(x)")
        for name in ("class", "dict", "init", "globals", "reduce")
        for call in ("", "()")
    ]
    symbols = [f"x{a}{b}y" for a, b in itertools.product("!@#$%^&=~`'\":;?<>[]{}|\\", "=.")]
    large = [
        "9" * 10**6, "(" * 10_000, "(" * 10**6, ")" * 5000, "-" * 10**6, "x" * (LONGEST + 1), "x**" * 3000 + "x", "sin(" * 2000,
        "((((" * 200 + "x" + "))))" * 200, "1+(" * 200 + "x" + ")" * 200, "minimum(1, " * 150 + "x" + ")" * 150, "9" * 9999,
        "1e" + "9" * 5000, "." * 9999, "x " * 4000, "\0" * 9999, "**" * 4000, "+-" * 4000 + "x", "[" * 9999, "x," * 4000, "0." * 4000,
        "2**" * 101 + "x", "(" * 101 + "x" + ")" * 101, "\u202e" * 5000, " " * 9999, "\t" * 9999, " " * 20_000, "sin" * 3000 + "(", "'" * 9999,
    ]  # fmt: skip
    tricks = [text for text in tricks if not text.isascii()]
    return list(dict.fromkeys([*hand, *characters, *tricks, *dunders, *symbols, *large]))


HOSTILE = hostile()
_watched: list[str] | None = None


def _audit(event: str, _: object) -> None:
    if _watched is not None:
        _watched.append(event)


sys.addaudithook(_audit)


def test_there_are_more_than_five_hundred_hostile_texts() -> None:
    assert len(HOSTILE) >= 500


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:30]))
def test_a_hostile_text_is_refused_in_one_sentence_and_nothing_is_run(
    text: str, monkeypatch
) -> None:
    global _watched
    read = []
    tokenize = parser.tokenize

    def counted(given):
        for token in tokenize(given):
            read.append(token)
            yield token

    monkeypatch.setattr(parser, "tokenize", counted)
    _watched = events = []
    try:
        with pytest.raises(ProblemError) as caught:
            parse(text)
    finally:
        _watched = None
    # neither compile nor exec nor import nor open: Python reports them all to an audit hook
    assert not set(events) - {"object.__getattr__", "object.__setattr__"}
    # the work is bounded: each token is looked at once
    assert len(read) <= min(len(text), LONGEST) + 1
    sentence = str(caught.value)
    assert parser.re.search(r"character \d+", sentence)
    assert "; got " in sentence
    assert len(sentence) < 400
    assert sentence.isprintable()
    assert not any(unicodedata.category(c) in ("Cf", "Cc", "Co", "Cs") for c in sentence)


@pytest.mark.parametrize("given", [None, 1, 1.5, b"x", ["x"], ("x", 1), object(), {}, parse])
def test_what_is_no_text_is_refused(given) -> None:
    with pytest.raises(ProblemError, match="a formula must be text; got an object of type"):
        parse(given)


def test_messages_name_the_place_what_was_expected_and_what_was_found() -> None:
    cases = {
        "x y": "a formula must have an operator or its end at character 3; got 'y'.",
        "x +": "a formula must have a number, a name, a sign or '(' at character 4; got its end.",
        "": "a formula must have a number, a name, a sign or '(' at character 1; got its end.",
        "(x": "a formula must have an operator or ')' at character 3; got its end.",
        "1e999": "a formula must have a number below 1.8e308 at character 1; got '1e999'.",
        "x^2": "a formula must be made of numbers, names, + - * / ** ( ) and commas; got '^' at character 2."
        " Hint: write ** for a power.",
        "sin": "a formula must have '(' behind the function sin at character 4; got its end.",
        "minimum(x)": "a formula must have an operator, or a comma: minimum takes 2 values at character 10; got ')'.",
        "x\u202ey": "a formula must be made of numbers, names, + - * / ** ( ) and commas; got '\\u202e' at character 2.",
    }
    for text, sentence in cases.items():
        with pytest.raises(ProblemError) as caught:
            parse(text)
        assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("asin", "arcsin"),
        ("ln", "log"),
        ("max", "maximum"),
        ("sqr", "sqrt"),
        ("arctanh", "arctan"),
    ],
)
def test_a_function_that_is_not_known_is_answered_with_the_one_that_is(
    written: str, meant: str
) -> None:
    with pytest.raises(ProblemError, match=f"got '{written}'. Did you mean '{meant}'"):
        parse(f"{written}(x)")


def test_the_deepest_nesting_is_read_also_where_each_level_takes_most_of_the_stack() -> None:
    assert parse("1+2*minimum(3," * 99 + "x" + ")" * 99).value([0.0]) == 7.0
    assert parse("(" * 100 + "x" + ")" * 100).value([3.0]) == 3.0
    assert parse("-" * 100 + "x").value([3.0]) == 3.0


def test_a_text_of_the_greatest_length_has_as_many_nodes_at_most() -> None:
    f = parse("x+" * 4999 + "xx")
    assert len(f.nodes) == 9999
    value, gradient = f.value_and_gradient([1.0, 2.0])
    assert value == 5001.0
    assert gradient.tolist() == [4999.0, 1.0]
