"""Test functions with gradients and known minima, asked for by text.

``rosenbrock`` is a name; ``quadratic:kappa=1000,n=20`` is a name with parameters.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from descend.errors import ProblemError, nearest, unknown_name
from descend.lab import formulas
from descend.lab.formulas import Vector

Point = tuple[float, ...]
Build = Callable[..., "TestFunction"]

_VERSION = 1  # counts changes of a formula, gradient or box: runs of older ones are not resumed
_LIBRARY = "Surjanovic & Bingham, Virtual Library of Simulation Experiments"


@dataclass(frozen=True)
class TestFunction:
    """A function with its gradient, what is known of its minima, and where runs start.

    ``fun`` maps an array of shape (n,) to a float, ``grad`` to an array of shape (n,).
    """

    __test__: ClassVar[bool] = False  # pytest would take the class for a test

    name: str
    """The text that ``get_function`` reads: the name and the parameters that are not defaults."""
    n: int
    fun: Callable[[Vector], float] = field(compare=False, repr=False)
    grad: Callable[[Vector], Vector] = field(compare=False, repr=False)
    minima: tuple[Point, ...] = field(repr=False)
    """All global minimisers: there ``fun`` is ``minimum``."""
    minimum: float
    """f*, the least value."""
    box: tuple[float, float]
    """Least and greatest value of every coordinate of a start."""
    formula: str
    source: str
    local_minima: tuple[Point, ...] = field(default=(), repr=False)
    """Further minimisers, with values above ``minimum``, where they are few and known."""

    def value(self, x: Vector) -> float:
        """Return f(x)."""
        return self.fun(x)

    def value_and_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return f(x) and its gradient, an array of shape (n,)."""
        return self.fun(x), self.grad(x)

    def identity(self) -> str:
        """Return a hash of the definition, equal on every machine."""
        words = f"{_VERSION} {self.name} {self.n} {self.formula} {self.box} {self.minimum!r}"
        return hashlib.sha256(words.encode()).hexdigest()


def get_function(text: str) -> TestFunction:
    """Return the test function that ``text`` names.

    Parameters
    ----------
    text : str
        A name of ``list_functions()``, with parameters if wanted: ``rosenbrock:n=10``.

    Raises
    ------
    UnknownNameError
        No test function has this name.
    ProblemError
        A parameter is unknown, unreadable or out of its range.

    Examples
    --------
    >>> get_function("rosenbrock:n=3").minima
    ((1.0, 1.0, 1.0),)
    """
    name, _, rest = text.partition(":")
    if name not in _BUILDERS:
        raise unknown_name("test function", name, _BUILDERS)
    build, defaults = _BUILDERS[name]
    given = _read_parameters(name, rest, defaults) if ":" in text else {}
    changed = {key: value for key, value in given.items() if value != defaults[key]}
    words = _written({key: changed[key] for key in defaults if key in changed})
    return build(name=f"{name}:{words}" if words else name, **{**defaults, **given})


def list_functions() -> list[str]:
    """Return the names of all test functions, sorted."""
    return sorted(_BUILDERS)


def _read_parameters(owner: str, text: str, defaults: Mapping[str, float]) -> dict[str, float]:
    """Read ``n=10,kappa=100`` against the parameters that ``owner`` has."""
    if not defaults:
        raise ProblemError(f"{owner} has no parameters; got {text!r}.")
    given: dict[str, float] = {}
    for part in text.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or key in given:
            raise ProblemError(
                f"parameters of {owner} must be written once each, as {_written(defaults)};"
                f" got {text!r}."
            )
        if key not in defaults:
            known = ", ".join(defaults)
            raise ProblemError(
                f"{owner} has no parameter {key!r}.{nearest(key, defaults)} Known: {known}."
            )
        given[key] = _read_size(owner, value) if key == "n" else _read_kappa(owner, value)
    return given


def _written(parameters: Mapping[str, float]) -> str:
    return ",".join(f"{key}={value!r}".removesuffix(".0") for key, value in parameters.items())


def _read_size(owner: str, text: str) -> int:
    least = 2 if owner in ("rosenbrock", "quadratic") else 1
    most = 1000 if owner == "quadratic" else 100_000  # a quadratic holds an (n, n) matrix
    try:
        n = int(text)
    except ValueError:
        n = 0
    if not least <= n <= most:
        raise ProblemError(f"n of {owner} must be an integer in [{least}, {most}]; got {text}.")
    return n


def _read_kappa(owner: str, text: str) -> float:
    try:
        kappa = float(text)
    except ValueError:
        kappa = np.nan
    if not 1 <= kappa <= 1e12:  # beyond, rounding hides the smallest eigenvalue
        raise ProblemError(f"kappa of {owner} must be a number in [1, 1e12]; got {text}.")
    return kappa


def _fixed(
    text: str,
    fun: Callable[[Vector], float],
    grad: Callable[[Vector], Vector],
    minima: tuple[Point, ...],
    minimum: float,
    reach: float,
    source: str,
    local_minima: tuple[Point, ...] = (),
) -> Build:
    """Return the builder of a function without parameters, whose starts lie within ±``reach``."""

    def build(name: str) -> TestFunction:
        return TestFunction(
            name, len(minima[0]), fun, grad, minima, minimum, (-reach, reach), text, source,
            local_minima,
        )  # fmt: skip

    return build


def _family(
    text: str,
    fun: Callable[[Vector], float],
    grad: Callable[[Vector], Vector],
    coordinate: float,
    reach: float,
    source: str,
) -> Build:
    """Return the builder for any n of a function with f* = 0, whose minimiser repeats ``coordinate``."""

    def build(name: str, n: int) -> TestFunction:
        return _fixed(text, fun, grad, ((coordinate,) * n,), 0.0, reach, source)(name)

    return build


def _quadratic(name: str, kappa: float, n: int) -> TestFunction:
    square = np.random.default_rng(2024).standard_normal((n, n))
    q, r = np.linalg.qr(square)
    q = q * np.sign(np.diag(r))  # the factorisation is unique once the diagonal is positive
    matrix = (q * np.geomspace(1.0, kappa, n)) @ q.T
    function = formulas.Quadratic((matrix + matrix.T) / 2)
    text = f"½ xᵀAx, eigenvalues of A log-spaced from 1 to {kappa:g}, axes rotated at random"
    source = "Nocedal & Wright, Numerical Optimization, 2006, section 3.3"
    return _family(text, function.fun, function.grad, 0.0, 5.0, source)(name, n)


def _styblinski_tang(name: str, n: int) -> TestFunction:
    deep, shallow = -2.903534027771177, 2.746802770990837  # the roots of 4u³ − 32u + 5
    points = tuple(itertools.product((deep, shallow), repeat=n)) if n <= 3 else ((deep,) * n,)
    return _fixed(
        "½ Σ (xᵢ⁴ − 16xᵢ² + 5xᵢ)", formulas.styblinski_tang, formulas.styblinski_tang_grad,
        points[:1], -39.16616570377141 * n, 5.0, "Styblinski & Tang, Neural Networks 3, 1990",
        points[1:],
    )(name)  # fmt: skip


_HIMMELBLAU = (
    (3.0, 2.0),
    (-2.805118086952745, 3.131312518250573),
    (-3.779310253377747, -3.2831859912861696),
    (3.5844283403304917, -1.8481265269644036),
)
_ZERO = ((0.0, 0.0),)
_LESSON = "first lessons on gradient descent"

_BUILDERS: dict[str, tuple[Build, dict[str, float]]] = {
    "square": (
        _fixed("x² + 5", formulas.square, formulas.twice, ((0.0,),), 5.0, 10.0, _LESSON),
        {},
    ),
    "paraboloid": (
        _family("Σ xᵢ²", formulas.sum_of_squares, formulas.twice, 0.0, 5.0, _LESSON),
        {"n": 2},
    ),
    "quartic": (
        _fixed("x⁴ − 5x³ + 4x² + 3x", formulas.quartic, formulas.quartic_grad, ((3.0,),), -9.0,
               5.0, _LESSON, ((-0.25,),)),
        {},
    ),
    "quadratic": (_quadratic, {"kappa": 100.0, "n": 10}),
    "rosenbrock": (
        _family("Σ 100(xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²", formulas.rosenbrock, formulas.rosenbrock_grad,
                1.0, 2.0, "Rosenbrock, Computer Journal 3, 1960"),
        {"n": 2},
    ),
    "beale": (
        _fixed("(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²", formulas.beale,
               formulas.beale_grad, ((3.0, 0.5),), 0.0, 4.5, f"Beale, 1958; {_LIBRARY}"),
        {},
    ),
    "himmelblau": (
        _fixed("(x² + y − 11)² + (x + y² − 7)²", formulas.himmelblau, formulas.himmelblau_grad,
               _HIMMELBLAU, 0.0, 5.0, "Himmelblau, Applied Nonlinear Programming, 1972"),
        {},
    ),
    "rastrigin": (
        _family("Σ xᵢ² + 10(1 − cos 2πxᵢ)", formulas.rastrigin, formulas.rastrigin_grad,
                0.0, 5.12, f"Rastrigin, 1974; {_LIBRARY}"),
        {"n": 2},
    ),
    "ackley": (
        _family("−20 exp(−0.2 √(mean xᵢ²)) − exp(mean cos 2πxᵢ) + 20 + e", formulas.ackley,
                formulas.ackley_grad, 0.0, 5.0, f"Ackley, 1987; {_LIBRARY}"),
        {"n": 2},
    ),
    "styblinski_tang": (_styblinski_tang, {"n": 2}),
    "booth": (
        _fixed("(x + 2y − 7)² + (2x + y − 5)²", formulas.booth, formulas.booth_grad,
               ((1.0, 3.0),), 0.0, 10.0, _LIBRARY),
        {},
    ),
    "saddle": (
        _fixed("¼ (x² − 1)² + ½ y²", formulas.saddle, formulas.saddle_grad,
               ((1.0, 0.0), (-1.0, 0.0)), 0.0, 2.0, "a double well: its saddle is at the origin"),
        {},
    ),
    "ravine": (
        _fixed("0.1x² + 2y²", formulas.ravine, formulas.ravine_grad, _ZERO, 0.0, 5.0,
               "Zhang et al., Dive into Deep Learning, section on momentum"),
        {},
    ),
    "plateau": (
        _family("‖x‖² / (1 + ‖x‖²)", formulas.plateau, formulas.plateau_grad, 0.0, 10.0,
                "Geman & McClure, 1985: its slope fades as 2/‖x‖³"),
        {"n": 2},
    ),
}  # fmt: skip
