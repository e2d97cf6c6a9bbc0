"""Two ways of writing formulas: text for a terminal, and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# how tightly an operation binds: its operands are bracketed when they bind less
CHOICE, COMPARISON, SUM, FRACTION, PRODUCT, ROOT, POWER, ATOM = range(8)

_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "eps": "ε",
    "eta": "η",
    "mu": "μ",
    "nu": "ν",
    "rho": "ρ",
    "theta": "θ",
    "kappa": "κ",
    "lr": "η",
    "lambd": "λ",
    "weight_decay": "λ",
    "momentum": "μ",
    "value": "f(xₜ₋₁)",
}
_LATEX = {
    "α": r"\alpha",
    "β": r"\beta",
    "γ": r"\gamma",
    "δ": r"\delta",
    "ε": r"\varepsilon",
    "η": r"\eta",
    "μ": r"\mu",
    "ν": r"\nu",
    "ρ": r"\rho",
    "θ": r"\theta",
    "κ": r"\kappa",
    "λ": r"\lambda",
    "f(xₜ₋₁)": "f(x_{t-1})",
}
_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_CASES = r"\begin{cases} ", r" \end{cases}"
_WHEN = {"": "", "t": "ₜ", "t-1": "ₜ₋₁"}
_MARKS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "%": "mod"}
_LATEX_MARKS = {"<=": r"\leq", ">=": r"\geq", "==": "=", "!=": r"\neq", "%": r"\;\mathrm{mod}\;"}


@dataclass(frozen=True)
class Notation:
    """The marks of one way of writing formulas."""

    name: Callable[[str, str, bool], str]
    """Of a name, when it holds (nothing, ``t`` or ``t-1``) and whether it may be a Greek letter."""
    times: Callable[[str, str], str]
    fraction: Callable[[str, str], str]
    fraction_binds: int
    fraction_parts: tuple[int, int]
    """How tightly what is above and below a fraction's bar must bind."""
    minus: str
    mark: Callable[[str], str]
    power: Callable[[str, str], str]
    call: Callable[[str, list[str]], tuple[str, int]]
    bracket: Callable[[str], str]
    number: Callable[[float], str]


def letters(names: Iterable[str]) -> dict[str, str]:
    """The letter of each name: its Greek one, or its own where another name has that already.

    >>> letters(["lr", "beta1", "eta"])
    {'lr': 'η', 'beta1': 'β₁', 'eta': 'eta'}
    """
    found: dict[str, str] = {}
    for name in names:
        letter = plain_name(name, "", greek=True)
        found[name] = plain_name(name, "", greek=False) if letter in found.values() else letter
    return found


def _parts(name: str, greek: bool) -> tuple[str, str]:
    """A name as letter and index: beta1 is β with index 1."""
    stem = name.rstrip("0123456789")
    return (_GREEK.get(stem, stem) if greek else stem), name[len(stem) :]


def plain_name(name: str, when: str, greek: bool) -> str:
    letter, index = _parts(name, greek)
    return letter + index.translate(_DIGITS) + _WHEN[when]


def _plain_call(word: str, parts: list[str]) -> tuple[str, int]:
    first = parts[0]
    match word:
        case "norm":
            return f"‖{first}‖", ATOM
        case "array_norm":
            return f"‖{first}‖ₐ", ATOM
        case "total":
            return f"Σ({first})", ATOM
        case "array_total":
            return f"Σₐ({first})", ATOM
        case "array_size":
            return f"sizeₐ({first})", ATOM
        case "sqrt":
            return (f"√{first}" if re.fullmatch(r"[\w₋]+|‖\S+‖", first) else f"√({first})"), ROOT
        case "abs":
            return f"|{first}|", ATOM
        case "//":
            return f"⌊{first} / {parts[1]}⌋", ATOM
        case "where":
            return f"{parts[1]} if {first} else {parts[2]}", CHOICE
        case "minimum" | "maximum":
            return f"{word[:3]}({', '.join(parts)})", ATOM
    return f"{word}({', '.join(parts)})", ATOM


def _plain_number(value: float) -> str:
    return f"{value:g}".replace("-", "−").replace("inf", "∞")


def _plain_power(base: str, exponent: str) -> str:
    if exponent in ("2", "3"):
        return base + "²³"[int(exponent) - 2]
    return f"{base}^{exponent}" if re.fullmatch(r"[\w.]+", exponent) else f"{base}^({exponent})"


def _product(left: str, right: str, between: str, between_numbers: str) -> str:
    """Two factors side by side; numbers would run into one."""
    numbers = left[-1] in "0123456789." and right[0] in "0123456789."
    return left + (between_numbers if numbers else between) + right


def _latex_name(name: str, when: str, greek: bool) -> str:
    letter, index = _parts(name, greek)
    head, _, word = letter.partition("_")
    if letter in _LATEX:
        mark, below = _LATEX[letter], [index]
    elif len(head) == 1 and word:  # v_max is a v with an index
        mark, below = head, [_upright(word) + index]
    else:
        mark, below = letter if len(letter) == 1 else _upright(letter), [index]
    indices = ",".join(i for i in (*below, when) if i)
    return f"{mark}_{{{indices}}}" if indices else mark


def _upright(word: str) -> str:
    escaped = word.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def _latex_call(word: str, parts: list[str]) -> tuple[str, int]:
    first = parts[0]
    inner = rf"\left({', '.join(parts)}\right)"
    match word:
        case "norm":
            return rf"\left\Vert {first} \right\Vert", ATOM
        case "array_norm":
            return rf"\left\Vert {first} \right\Vert_a", ATOM
        case "total":
            return rf"\sum {inner}", ATOM
        case "array_total":
            return rf"\sum_a {inner}", ATOM
        case "array_size":
            return rf"\mathrm{{size}}_a{inner}", ATOM
        case "sqrt":
            return rf"\sqrt{{{first}}}", ROOT
        case "abs":
            return rf"\left| {first} \right|", ATOM
        case "//":
            return rf"\left\lfloor \frac{{{first}}}{{{parts[1]}}} \right\rfloor", ATOM
        case "where":
            otherwise = parts[2].removeprefix(_CASES[0]).removesuffix(_CASES[1])
            last = otherwise if otherwise != parts[2] else rf"{otherwise} & \text{{else}}"
            return rf"{_CASES[0]}{parts[1]} & \text{{if }} {first} \\ {last}{_CASES[1]}", CHOICE
        case "minimum" | "maximum":
            return rf"\{word[:3]}{inner}", ATOM
        case "exp" | "log":
            return rf"\{word}{inner}", ATOM
    return rf"\operatorname{{{word}}}{inner}", ATOM


def _latex_number(value: float) -> str:
    digits, e, exponent = f"{value:g}".partition("e")
    if e:
        return (f"{digits} \\cdot " if digits != "1" else "") + f"10^{{{int(exponent)}}}"
    return digits.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")


TEXT = Notation(
    name=plain_name,
    times=lambda a, b: _product(a, b, " ", " · "),
    fraction=lambda a, b: f"{a} / {b}",
    fraction_binds=FRACTION,
    fraction_parts=(PRODUCT, ROOT),
    minus="−",
    mark=lambda op: _MARKS.get(op, op),
    power=_plain_power,
    call=_plain_call,
    bracket=lambda a: f"({a})",
    number=_plain_number,
)

LATEX = Notation(
    name=_latex_name,
    times=lambda a, b: _product(a, b, r" \, ", r" \cdot "),
    fraction=lambda a, b: rf"\frac{{{a}}}{{{b}}}",
    fraction_binds=ROOT,
    fraction_parts=(CHOICE, CHOICE),
    minus="-",
    mark=lambda op: _LATEX_MARKS.get(op, op),
    power=lambda a, b: f"{a}^{{{b}}}",
    call=_latex_call,
    bracket=lambda a: rf"\left({a}\right)",
    number=_latex_number,
)
