"""Formulas as they are printed: as text they compute the rule, as LaTeX they compile."""

import functools
import re

import numpy as np
import pytest

import descend as dd
from descend._catalogue import find_rule, list_rules
from descend._compile.to_formula import LATEX, TEXT, explained, formulas, symbols
from descend._rule import REGISTRY, TRANSFORMS, Transform
from descend.domains import NonNegative

RULES = [name for name in list_rules() if not find_rule(name).alone]
LINKS = [name for name, link in TRANSFORMS.items() if not link.alone]


def chain_with(name):
    link = TRANSFORMS[name]
    lr = dd.sgd(lr=0.3)
    return dd.chain(link(), lr) if isinstance(link, Transform) else dd.chain(lr, link())


UPDATES = {name: find_rule(name)() for name in RULES} | {n: chain_with(n) for n in LINKS}

TOKEN = re.compile(r"\d+\.?\d*(?:e[−+]?\d+)?|[^\W\d²³][^\W²³]*(?:₋₁)?|\S")
WORDS = {"min": np.minimum, "max": np.maximum, "sign": np.sign, "exp": np.exp, "log": np.log}
WORDS |= {"Σ": np.sum, "Σₐ": np.sum, "sizeₐ": np.size}
COMPARISONS = {"<": np.less, ">": np.greater, "≤": np.less_equal, "≥": np.greater_equal, "=": np.equal, "≠": np.not_equal}  # fmt: skip


class Reader:
    """Reads a formula as mathematics is read: a space multiplies, a bar divides by one factor."""

    def __init__(self, text, values):
        self.tokens = TOKEN.findall(text)
        self.values = values
        self.open = {"|": 0, "‖": 0}

    @property
    def next(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, *wanted):
        assert not wanted or self.next in wanted, (wanted, self.tokens)
        return self.tokens.pop(0)

    def choice(self):
        value = self.comparison()
        if self.next != "if":
            return value
        self.take("if")
        condition = self.comparison()
        self.take("else")
        return np.where(condition, value, self.choice())

    def comparison(self):
        left = self.sum()
        return COMPARISONS[self.take()](left, self.sum()) if self.next in COMPARISONS else left

    def sum(self):
        negative = self.next == "−" and self.take()
        value = -self.fraction() if negative else self.fraction()
        while self.next in ("+", "−"):
            value = value + self.fraction() if self.take() == "+" else value - self.fraction()
        return value

    def fraction(self):
        value = self.product()
        if self.next == "/":
            self.take()
            return np.divide(value, self.factor())
        if self.next == "mod":
            self.take()
            return np.mod(value, self.factor())
        return value

    def product(self):
        value = self.factor()
        while self.begins_a_factor():
            if self.next == "·":
                self.take()
            value = value * self.factor()
        return value

    def begins_a_factor(self):
        if self.next in self.open:
            return not self.open[self.next]
        word = self.next[:1].isalnum() and self.next not in ("if", "else", "mod")
        return word or (self.next and self.next in "(√·⌊∞")

    def factor(self):
        if self.next == "√":
            self.take()
            return np.sqrt(self.atom())
        base = self.atom()
        if self.next in ("²", "³"):
            return base ** "  ²³".index(self.take())
        if self.next == "^":
            self.take()
            return np.power(base, self.atom())
        return base

    def atom(self):
        token = self.take()
        match token:
            case "(":
                value = self.choice()
                self.take(")")
            case "|" | "‖":
                self.open[token] += 1
                value = self.choice()
                self.take(token)
                self.open[token] -= 1
                value = np.abs(value) if token == "|" else np.sqrt(np.sum(value * value))
                if token == "‖" and self.next == "ₐ":
                    self.take()
            case "⌊":
                value = np.floor(self.fraction())
                self.take("⌋")
            case "∞":
                value = np.float64(np.inf)
            case "nan":
                value = np.float64(np.nan)
            case "f":
                assert [self.take() for _ in range(3)] == ["(", "xₜ₋₁", ")"]
                value = self.values["f"]
            case word if word in WORDS:
                value = WORDS[word](*self.arguments())
            case number if number[0].isdigit():
                value = np.float64(number.replace("−", "-"))
            case name:
                value = self.values[name]
        return value

    def arguments(self):
        self.take("(")
        values = [self.choice()]
        while self.take(",", ")") == ",":
            values.append(self.choice())
        return values


def values_of(update):
    """Letters of hyperparameters and states, the states as they start."""
    stepper = dd.Stepper(update, np.array([1.0, -2.0, 0.5]))
    letters = symbols(update)
    given = {}
    for link, names in zip(update.links, dd_names(update), strict=True):
        for own, name in names.hyperparameters.items():
            given[letters[name]] = np.float64(link.settings[own])
    for name, state in stepper.state.items():
        array = isinstance(state, np.ndarray)
        given[letters[name] + "ₜ₋₁"] = state.copy() if array else np.float64(np.ravel(state)[0])
    return stepper, given


def dd_names(update):
    from descend._compile.names import name_links

    return name_links(update.links)


@pytest.mark.parametrize("name", UPDATES)
def test_formulas_as_text_compute_the_rule(name):
    update = UPDATES[name]
    stepper, values = values_of(update)
    lines = formulas(update, TEXT)
    rng = np.random.default_rng(0)
    for t in range(1, 6):
        g = rng.standard_normal(3) * np.array([1.0, 0.1, 3.0])
        values |= {"t": np.float64(t), "gₜ": g, "xₜ₋₁": stepper.x.copy(), "f": np.float64(2.0)}
        with np.errstate(all="ignore"):
            for line in lines:  # each needs only what comes before it
                target, _, text = line.partition(" = ")
                reader = Reader(text, values)
                values[target] = reader.choice()
                assert not reader.tokens, (line, reader.tokens)
        stepper.step(g, 2.0)
        # about 30 roundings a step on both sides, in other orders; a wrong bracket is off by 1e-3 or more
        np.testing.assert_allclose(values["xₜ"], stepper.x, rtol=1e-12, atol=1e-14)
        for target in [v for v in values if v.endswith("ₜ")]:
            values[f"{target}₋₁"] = values[target]
        letters = symbols(update)
        for state, expected in stepper.state.items():
            shown = values[letters[state] + "ₜ"]
            np.testing.assert_allclose(shown, np.ravel(expected)[: np.size(shown)], rtol=1e-12, atol=1e-14)  # fmt: skip


def test_the_reader_of_these_tests_divides_by_one_factor():
    assert Reader("6 / 2 ", {}).choice() == 3
    assert Reader("2 · 3 / (1 + 2)", {}).choice() == 2
    assert Reader("−2² + |−3| 2", {}).choice() == 2
    assert Reader("1 if 2 < 1 else 5 mod 3", {}).choice() == 2


@pytest.mark.parametrize("name", UPDATES)
def test_letters_of_an_update_are_all_different(name):
    letters = symbols(UPDATES[name])
    assert len(set(letters.values())) == len(letters)
    assert not {"x", "g", "t"} & set(letters.values())


EXPECTED = {
    "sgd": ["xₜ = xₜ₋₁ − η gₜ"],
    "adam": [
        "mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ",
        "vₜ = β₂ vₜ₋₁ + (1 − β₂) gₜ²",
        "xₜ = xₜ₋₁ − η (mₜ / (1 − β₁^t)) / (√(vₜ / (1 − β₂^t)) + ε)",
    ],
    "lion": [
        "xₜ = xₜ₋₁ − η sign(β₁ mₜ₋₁ + (1 − β₁) gₜ)",
        "mₜ = β₂ mₜ₋₁ + (1 − β₂) gₜ",
    ],
    "adagrad": ["aₜ = aₜ₋₁ + gₜ²", "xₜ = xₜ₋₁ − η gₜ / (√aₜ + ε)"],
    "clip_norm_each": ["xₜ = xₜ₋₁ − η gₜ (max_norm / max(‖gₜ‖ₐ, max_norm) if ‖gₜ‖ₐ < ∞ else nan)"],
    # a fraction before another factor is bracketed, a guarded quotient asks its condition once
    "dog": [
        "x₀ₜ = x₀ₜ₋₁",
        "rₜ = max(rₜ₋₁, max(‖xₜ₋₁ − x₀ₜ₋₁‖, r_rel (1 + ‖x₀ₜ₋₁‖)))",
        "squaresₜ = squaresₜ₋₁ + ‖gₜ‖²",
        "xₜ = xₜ₋₁ − (η rₜ / √(squaresₜ + ε)) gₜ",
    ],
    "polyak_sgd": [
        "q₁ = c ‖gₜ‖²",
        "xₜ = xₜ₋₁ − min((max(f(xₜ₋₁) − f_min, 0) / q₁ if q₁ > 0 else 0), η) gₜ",
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_formulas_read_as_in_a_paper(name):
    assert formulas(UPDATES[name], TEXT) == EXPECTED[name]


def test_latex_is_written_from_the_same_graph():
    assert formulas(dd.adagrad(), LATEX) == [
        r"a_{t} = a_{t-1} + g_{t}^{2}",
        r"x_{t} = x_{t-1} - \frac{\eta \, g_{t}}{\sqrt{a_{t}} + \varepsilon}",
    ]


@functools.cache
def width_of(line):
    """How wide matplotlib sets a line; rules share many of them."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.mathtext import MathTextParser

    # cases are an environment of LaTeX's that mathtext lacks: a brace and spaces stand for it here
    plain = line.replace(r"\begin{cases}", r"\left\{").replace(r"\end{cases}", r"\right.")
    plain = plain.replace("&", r"\;").replace(r"\\", r"\;")
    return MathTextParser("agg").parse(f"${plain}$").width


@pytest.mark.parametrize("name", UPDATES)
def test_latex_compiles(name):
    for line in formulas(UPDATES[name], LATEX):
        assert width_of(line) > 0
        assert line.isascii()
        assert line.count("{") == line.count("}")


def test_a_sum_of_each_array_is_told_from_one_of_all():
    assert "‖gₜ‖ₐ" in formulas(chain_with("clip_norm_each"), TEXT)[-1]
    assert explained(formulas(chain_with("clip_norm_each"), TEXT)) == [
        "The index ₐ marks what every array measures for itself."
    ]
    assert explained(formulas(chain_with("clip_norm"), TEXT)) == [
        "‖·‖ is the Euclidean norm over all arrays together."
    ]
    assert explained(formulas(dd.sgd(), TEXT)) == []


@pytest.fixture
def registry():
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def test_a_letter_that_is_taken_is_not_used_twice(registry):
    @dd.rule
    def two_rates(x, g, *, lr: NonNegative = 0.1, eta: NonNegative = 0.2, q1: NonNegative = 1.0):
        s = q1 * (g + eta * x)
        return x - lr * s * abs(s)

    assert symbols(two_rates()) == {"lr": "η", "eta": "eta", "q1": "q₁"}
    lines = formulas(two_rates(), TEXT)
    assert lines == ["h₁ = q₁ (gₜ + eta xₜ₋₁)", "xₜ = xₜ₋₁ − η h₁ |h₁|"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (lambda x, g, lr: x - (lr - g), "xₜ = xₜ₋₁ − (η − gₜ)"),
        (lambda x, g, lr: x + (-g), "xₜ = xₜ₋₁ + (−gₜ)"),
        (lambda x, g, lr: x - lr * (-g), "xₜ = xₜ₋₁ − η (−gₜ)"),
        (lambda x, g, lr: -(x - g), "xₜ = −(xₜ₋₁ − gₜ)"),
        (lambda x, g, lr: x - g / (lr * 2), "xₜ = xₜ₋₁ − gₜ / (η 2)"),
        (lambda x, g, lr: x - g / (lr / 2), "xₜ = xₜ₋₁ − gₜ / (η / 2)"),
        (lambda x, g, lr: x - g / lr * x, "xₜ = xₜ₋₁ − (gₜ / η) xₜ₋₁"),
        (lambda x, g, lr: x - (g**2) ** 3, "xₜ = xₜ₋₁ − (gₜ²)³"),
        (lambda x, g, lr: x - (-g) ** 2, "xₜ = xₜ₋₁ − (−gₜ)²"),
        (lambda x, g, lr: x - g ** (-lr), "xₜ = xₜ₋₁ − gₜ^(−η)"),
        (lambda x, g, lr: x - g * g, "xₜ = xₜ₋₁ − gₜ²"),
        (lambda x, g, lr: x - -1.5 * g, "xₜ = xₜ₋₁ − (−1.5) gₜ"),
        (lambda x, g, lr: x - 1e-12 * g, "xₜ = xₜ₋₁ − 1e−12 gₜ"),
        (lambda x, g, lr: x - 2 * (3 * g), "xₜ = xₜ₋₁ − 2 · 3 gₜ"),
    ],
)
def test_brackets_stand_where_they_are_needed(text, line, registry):
    @dd.rule
    def bracketed(x, g, *, lr: NonNegative = 0.1):
        return text(x, g, lr)

    assert formulas(bracketed(), TEXT) == [line]
