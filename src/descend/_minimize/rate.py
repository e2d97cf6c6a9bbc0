"""How fast a recorded run converged, and what the curvature that it met predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend._minimize.laws import Fit, better, fits, order_of, visible
from descend._minimize.seen_curvature import Steps, bounds, eigenvalues, is_quadratic, steps_of

Vector = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
_MOMENTUM = {"momentum", "momentum_inside", "heavy_ball"}
_LAWS = {*_MOMENTUM, "gd", "nesterov", "nesterov_restart", "cg", "cg_hz"}
_SMALL_GRADIENT = 1e-5  # the default of gtol
_RUNAWAY = 100.0  # falls of f with a gradient as many times larger than at x0
_LATE = 17  # steps at the end whose s·y may change sign once; those of noise do so once in 4e3
_STEEPEST = 6.0  # sublinear laws have p up to 2 (gradients on x^2m: m / (m - 1); Nesterov: 2); a steeper fit is an accident

_MEANINGS = {
    "noise floor": "values fluctuate and no longer fall while the gradient stays: take smaller steps or average",
    "kappa-limited": "the error falls by a constant factor, as slowly as the condition number explains",
    "linear": "the error falls by a constant factor",
    "quadratic": "the digits double with every iteration",
    "superlinear": "the factor by which the error falls gets smaller and smaller",
    "sublinear": "the error falls like a power of the iteration so far: the minimum is flat, or small curvatures have yet to show",
    "not yet decided": "f is quadratic along the path, and small curvatures still begin to show: more iterations tell linear from sublinear",
    "stationary": "the gradient is small, and no negative curvature was seen: a minimum as far as the run shows",
    "saddle": "the gradient is small and f bends down along some direction",
    "diverging": "values or gradients grow to the end, or end as inf or nan",
    "no finite values": "f or its gradient is not finite at x0",
    "too short to tell": "too few iterations show a falling error, or they follow no law",
}


@dataclass(frozen=True)
class Rate:
    """What `rate` found; ``str()`` says it in a few sentences.

    Attributes
    ----------
    verdict : "noise floor", "kappa-limited", "linear", "quadratic", "superlinear", "sublinear", "not yet decided", "stationary", "saddle",
        "diverging", "no finite values" or "too short to tell"
    p, p_r2 : the exponent of e ~ k^-p and R² of the fit; nan where there is none
    rho, rho_r2 : the factor of e ~ ρ^k and R² of the fit
    order : the ratio of successive falls of log e at the end: 2 for quadratic convergence
    fmin : the f* that e = f − f* was measured from
    L, mu, kappa : a lower bound of the largest curvature, an upper bound of the least one, and their ratio; nan where noise hides them
    predicted : the factor ρ that theory has for the method and this L and mu; nan where it has none
    theory : the same in words
    lr : the step size, where it was constant
    lr_limit : whether lr is above 2 / L for plain gradient steps
    nit : how many iterations there were
    """

    verdict: str
    p: float
    p_r2: float
    rho: float
    rho_r2: float
    order: float
    fmin: float
    L: float
    mu: float
    lr: float
    predicted: float
    theory: str
    lr_limit: bool
    nit: int

    @property
    def kappa(self) -> float:
        return max(1.0, self.L / self.mu) if self.mu > 0 else math.nan

    def _meaning(self) -> str:
        if self.verdict == "stationary" and not self.nit:
            return "x0 is stationary: the gradient is small there, and no step was made"
        if self.verdict == "linear" and math.isfinite(self.predicted):
            return _MEANINGS["linear"] + " that the condition number seen does not explain"
        return _MEANINGS[self.verdict]

    def __str__(self) -> str:
        lines = [f"{self.verdict.capitalize()}: {self._meaning()}."]
        laws = [(f"{self.rho:.4g}^k", self.rho_r2), (f"k^-{self.p:.3g}", self.p_r2)]
        fits = [f"{law} with R^2 {r2:.4f}" for law, r2 in laws if math.isfinite(r2)]
        if fits:
            above = f"f {'+' if self.fmin < 0 else '-'} {abs(self.fmin):.6g}"
            lines.append(f"The error {above} fits {' and '.join(fits)}.")
        if math.isfinite(self.L):
            lines.append(
                f"Curvature seen: L >= {self.L:.3g}, mu <= {self.mu:.3g}, kappa {self.kappa:.3g}."
            )
        if self.theory:
            by_factor = math.isfinite(self.predicted) or self.verdict == "linear"
            measured = by_factor and math.isfinite(self.rho) and self.verdict != "not yet decided"
            seen = f"{self.rho:.4g}^k" if measured else self.verdict
            seen = f"k^-{self.p:.3g}" if self.verdict == "sublinear" else seen
            lines.append(f"Predicted: {self.theory}; observed: {seen}.")
        if self.lr_limit:
            lines.append(
                f"lr {self.lr:.3g} is above 2/L = {2 / self.L:.2g}: steps grow along the steepest curvature."
            )
        return "\n".join(lines)


def rate(
    history: Any,
    *,
    fmin: float | None = None,
    method: Any = None,
    lr: float | None = None,
    curvature: ArrayLike | None = None,
) -> Rate:
    """Tell how fast a run converged, why, and whether its step was too long.

    f* is extrapolated where it is not given: from three equally spaced rows at the end for e ~ ρ^k, from rows n/4, n/2 and n for
    e ~ k^-p, which Aitken's formula makes exact for either law. Rows where e is not above five times the change of f* by an
    earlier extrapolation, or near rounding, and the first quarter of the others are left out of the fits.

    Parameters
    ----------
    history : what has arrays of shape (n_rows,) ``fun``, ``grad_norm``, ``lr``, ``ss``, ``sy`` and ``yy``; the last three are s·s,
        s·y and y·y of the step to the row from the one before (nan in row 0), with s the change of x and y of the gradient
    fmin : the least value of the function, where it is known
    method : the method, or its name or text such as ``gd:lr=0.1``; by default plain gradient steps are recognised
    lr : the step size; by default what the history recorded, where that is constant
    curvature : the Hessian at the end, shape (n, n), or eigenvalues of it, shape (k,); by default what the steps saw

    Returns
    -------
    Rate

    References
    ----------
    Nocedal, Wright, "Numerical Optimization", 2006, sections 2.2, 3.3, 5.1. Polyak, "Some methods of speeding up the convergence of
    iteration methods", 1964. Nesterov, "Introductory Lectures on Convex Optimization", 2004, sections 2.1.5 and 2.2.1. Golub,
    Meurant, "Matrices, Moments and Quadrature", 2010 (L and mu of gradient steps).

    Examples
    --------
    >>> import types, numpy as np
    >>> k, no = np.arange(40), np.full(40, np.nan)
    >>> h = types.SimpleNamespace(fun=3 + 0.5**k, grad_norm=0.7**k, lr=no, ss=no, sy=no, yy=no)
    >>> found = rate(h)
    >>> found.verdict, round(found.rho, 6)
    ('linear', 0.5)
    """
    f = np.asarray(history.fun, dtype=np.float64)
    with np.errstate(all="ignore"):  # runs that diverge hold inf, nan and numbers near the largest
        linear, power = fits(f, fmin)
        order, kind = order_of(visible(f, linear.fmin, 0.0))
        chosen = power if not kind and _is_sublinear(linear, power) else linear
        step = _constant_lr(history.lr) if lr is None else lr
        name = _name(method, history, step)
        steps = steps_of(history, step, name, fmin)
        low, high = bounds(steps)
        spectrum = None if curvature is None else eigenvalues(curvature)
        if spectrum is not None:
            low, high = float(spectrum.min()), float(spectrum.max())
        if spectrum is None and name in _MOMENTUM:  # its steps show too little of the spectrum
            predicted, theory = math.nan, "as kappa says, which takes curvature="
        else:
            predicted, theory = _predicted(name, low, high, step)
        verdict = _state(history, f, spectrum) or _noise(history, f) or _settled(history, f) or kind
        verdict = verdict or _law(linear, power, predicted, steps)
        if verdict == "too short to tell" and _small_gradient(history):
            verdict = "stationary"
        _, recent = bounds(steps, slice(len(f) // 2 if len(f) > 20 else 0, None))
        steepest = recent if spectrum is None else np.fmax(recent, high)
        limited = name == "gd" and step * steepest > 2
    return Rate(
        verdict, power.value, power.r2, linear.value, linear.r2, order, chosen.fmin, high, low, step,
        predicted, theory, bool(limited), len(f) - 1,
    )  # fmt: skip


def _constant_lr(lrs: ArrayLike) -> float:
    known = np.asarray(lrs, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known[-1]) if known.size and np.ptp(known) <= 1e-9 * known[-1] else math.nan


def _name(method: Any, history: Any, lr: float) -> str:
    """The method's name; "gd" for an unnamed one whose slopes g·s, by the values and s·y, are those −s·s / lr of gradient steps."""
    if method is not None:
        name = str(getattr(method, "name", method)).partition(":")[0].replace("-", "_")
        return "gd" if name == "sgd" else name
    f, lrs = np.asarray(history.fun), np.asarray(history.lr)[1:]
    ss, sy = np.asarray(history.ss)[1:], np.asarray(history.sy)[1:]
    slopes = -ss / np.where(np.isfinite(lrs), lrs, lr)
    seen = ss > 0
    rounding = 64 * _EPS * np.abs(f[1:])
    alike = np.abs(np.diff(f) - 0.5 * sy - slopes) <= 0.2 * np.abs(slopes) + rounding
    return "gd" if seen.any() and alike[seen].mean() > 0.8 else ""


def _predicted(name: str, mu: float, L: float, lr: float) -> tuple[float, str]:
    """The factor by which theory has e fall in one iteration near a minimum, and how it says so."""
    if name in _WORDS:
        return math.nan, _WORDS[name]
    if name and name not in _LAWS:
        return math.nan, f"nothing, as no law is known for {name}"
    if not (0 < mu < math.inf and math.isfinite(L)):
        return math.nan, ""
    if name == "gd" and math.isfinite(lr):
        worst = max(abs(1 - lr * mu), abs(1 - lr * L))
        rho = worst * worst
        return rho, f"{rho:.4g}^k for gradient steps of {lr:.3g}"
    root = math.sqrt(max(1.0, L / mu))  # bounds with doubt may cross
    if name == "gd":
        rho = ((L - mu) / (L + mu)) ** 2
        return rho, f"{rho:.4g}^k at worst for exact line searches, ((kappa - 1) / (kappa + 1))^2"
    if name in {"nesterov", "nesterov_restart"}:
        return 1 - 1 / root, f"{1 - 1 / root:.4g}^k, 1 - 1 / sqrt(kappa)"
    if name:
        rho = ((root - 1) / (root + 1)) ** 2
        return rho, f"{rho:.4g}^k, ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^2"
    return math.nan, ""


_WORDS = {
    "newton": "quadratic",
    "newton_cg": "superlinear",
    "bfgs": "superlinear",
    "lbfgs": "linear, with no known factor",
}


def _small_gradient(history: Any) -> bool:
    norms = np.asarray(history.grad_norm)
    return bool(norms[-1] <= max(_SMALL_GRADIENT, 1e-6 * norms.max()))


def _state(history: Any, f: Vector, spectrum: Vector | None) -> str:
    """Say "no finite values", "diverging" or "saddle", whatever the rate."""
    norms, sy = np.asarray(history.grad_norm), np.asarray(history.sy)
    if not (np.isfinite(f[0]) and np.isfinite(norms[0])):
        return "no finite values"
    if not (np.isfinite(f[-1]) and np.isfinite(norms[-1])) or _runs_away(f, norms):
        return "diverging"
    if spectrum is not None:
        down = bool(spectrum.min() < -1e-8 * np.abs(spectrum).max())
    else:
        down = sy[-1] < -1e-8 * math.sqrt(max(history.ss[-1] * history.yy[-1], 0.0))
        down = down and bool(np.count_nonzero(np.diff(np.sign(sy[-_LATE:]))) <= 1)  # noise has more
    return "saddle" if down and _small_gradient(history) else ""


def _runs_away(f: Vector, norms: Vector) -> bool:
    """Whether f rises in most of the last half, or falls, as the gradient grows."""
    late = len(f) // 2
    rises = (np.diff(f[late:], prepend=f[0]) > 0).mean() > 0.75
    up = f[-1] > f[0] and norms[-1] > 2 * norms[0] and rises
    grows = (np.diff(norms[late:], prepend=norms[0]) > 0).mean() > 0.75
    down = f[-1] == f.min() < f[0] and norms[-1] > _RUNAWAY * norms[0]
    return bool(up or (grows and down))


def _noise(history: Any, f: Vector) -> str:
    """Say "noise floor" where in the last half f turns as often as noise does, and neither f nor the gradient gets smaller."""
    half = f[len(f) // 2 :]
    if len(half) < 10:
        return ""
    changes = np.diff(half)
    # 2/3 for independent values, 1/2 for a random walk
    turns = (changes[1:] * changes[:-1] < 0).mean()
    middle = len(half) // 2
    early, late = half[:middle], half[middle:]
    norms = np.asarray(history.grad_norm)[len(f) // 2 :]
    level = np.median(late) >= np.median(early) - 2 * (early.std() + late.std()) / math.sqrt(middle)
    stays = np.median(norms[middle:]) >= 0.5 * np.median(norms[:middle])
    visible = np.ptp(half) > 1e3 * _EPS * np.abs(half).max()
    return "noise floor" if turns > 0.35 and level and stays and visible else ""


def _settled(history: Any, f: Vector) -> str:
    """Say "stationary" where the last half of the rows does not differ by more than rounding, and the gradient is small."""
    flat = len(f) > 1 and np.ptp(f[len(f) // 2 :]) <= 64 * _EPS * abs(f[-1])
    return "stationary" if flat and _small_gradient(history) else ""


def _is_sublinear(linear: Fit, power: Fit) -> bool:
    return better(power, linear) and power.r2 > 0.9 and power.value < _STEEPEST


def _law(linear: Fit, power: Fit, predicted: float, steps: Steps) -> str:
    """The verdict of the two fits; ρ is explained where log ρ is within a factor of 3 of theory's."""
    if _is_sublinear(linear, power):
        undecided = is_quadratic(steps, power.first, power.last - 1)
        return "not yet decided" if undecided else "sublinear"
    if not linear.r2 > 0.9:
        return "too short to tell"
    fall = -math.log(linear.value)
    explained = 0 < predicted < math.inf and 1 / 3 < math.log(predicted) / -fall < 3
    return "kappa-limited" if explained else "linear"
