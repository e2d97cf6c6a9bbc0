"""Print a rule as formulas, for a terminal or in LaTeX, from the graph that its kernels are printed from.

Subscripts tell old from new: mₜ is what the step makes of mₜ₋₁, so the order of the lines does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from descend._chain import Update
from descend._compile.program import name_links, trace, walk
from descend.ops import Symbol

_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "eps": "ε",
    "eta": "η",
    "mu": "μ",
    "rho": "ρ",
    "kappa": "κ",
    "lr": "η",
    "weight_decay": "λ",
    "momentum": "μ",
}
_LATEX = {
    "α": r"\alpha",
    "β": r"\beta",
    "γ": r"\gamma",
    "δ": r"\delta",
    "ε": r"\varepsilon",
    "η": r"\eta",
    "μ": r"\mu",
    "ρ": r"\rho",
    "κ": r"\kappa",
    "λ": r"\lambda",
}
_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

# how tightly an operation binds: its operands are bracketed when they bind less
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)


@dataclass(frozen=True)
class Notation:
    """The marks of one way of writing formulas."""

    name: Callable[[str], str]
    now: str
    before: str
    arrow: str
    times: str
    fraction: Callable[[str, str], str]
    fraction_binds: int
    minus: str
    power: Callable[[str, str], str]
    call: Callable[[str, list[str]], str]
    bracket: Callable[[str], str]
    number: Callable[[float], str]


def formulas(update: Update, notation: Notation) -> list[str]:
    """One line for x and for each state: ``mₜ = β₁ mₜ₋₁ + (1 − β₁) gₜ``.

    Examples
    --------
    >>> import descend as dd
    >>> for line in formulas(dd.momentum(), TEXT):
    ...     print(line)
    vₜ = μ vₜ₋₁ + gₜ
    xₜ = xₜ₋₁ − η vₜ
    """
    outputs = trace(update.links, name_links(update.links))
    shared = _shared(outputs)
    writer = _Writer(notation, outputs, shared)
    inside = {id(node) for value in outputs.values() for node in _below(value)}
    first = [name for name, value in outputs.items() if name != "x" and id(value) in inside]
    order = [*first, "x", *(name for name in outputs if name != "x" and name not in first)]
    helpers = [
        f"{notation.name(name)} {notation.arrow} {writer.define(node)}"
        for name, node in shared.items()
    ]
    return [
        *helpers,
        *(f"{writer.now(n)} {notation.arrow} {writer.define(outputs[n])}" for n in order),
    ]


def _shared(outputs: dict[str, Any]) -> dict[str, Symbol]:
    """Terms that are used more than once and are worth a name of their own, inner ones first."""
    nodes = walk(outputs.values())
    own = {id(value) for value in outputs.values()}
    uses = Counter(id(a) for node in nodes for a in node.args if isinstance(a, Symbol))
    named = [
        node
        for node in nodes
        if uses[id(node)] > 1
        and id(node) not in own
        and node.op != "leaf"
        and len(_below(node)) > 2
    ]
    return {f"q{i}": node for i, node in enumerate(named, 1)}


def _below(value: Any) -> list[Symbol]:
    """Every symbol that ``value`` is made of, itself left out."""
    found: list[Symbol] = []
    waiting = list(value.args) if isinstance(value, Symbol) else []
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, Symbol) and id(node) not in seen:
            seen.add(id(node))
            found.append(node)
            waiting.extend(node.args)
    return found


class _Writer:
    def __init__(
        self, notation: Notation, outputs: dict[str, Any], shared: dict[str, Symbol]
    ) -> None:
        self.n = notation
        self.stepped = {"x", *outputs}
        # an output that is another's leaf (x_before = x) is written out
        self.outputs = {
            id(v): self.now(name)
            for name, v in outputs.items()
            if isinstance(v, Symbol) and v.op != "leaf"
        } | {id(node): notation.name(name) for name, node in shared.items()}

    def now(self, name: str) -> str:
        return self.n.name(name) + self.n.now

    def define(self, value: Any) -> str:
        return self._node(value)[0]

    def _text(self, value: Any, least: int) -> str:
        text, binds = self._reference(value)
        return self.n.bracket(text) if binds < least else text

    def _reference(self, value: Any) -> tuple[str, int]:
        if isinstance(value, Symbol) and id(value) in self.outputs:
            return self.outputs[id(value)], _ATOM
        return self._node(value)

    def _node(self, value: Any) -> tuple[str, int]:
        if not isinstance(value, Symbol):
            return self.n.number(value), _ATOM if value >= 0 else _SIGN
        match value.op:
            case "leaf":
                return self._leaf(str(value.args[0])), _ATOM
            case "+":
                return (
                    f"{self._text(value.args[0], _SUM)} + {self._text(value.args[1], _SUM)}",
                    _SUM,
                )
            case "-":
                return (
                    f"{self._text(value.args[0], _SUM)} {self.n.minus} {self._text(value.args[1], _PRODUCT)}",
                    _SUM,
                )
            case "*":
                parts = [
                    self._text(a, _PRODUCT if i == 0 else _SIGN) for i, a in enumerate(value.args)
                ]
                return self.n.times.join(parts), _PRODUCT
            case "/":
                return self._fraction(*value.args), self.n.fraction_binds
            case "**":
                return self.n.power(
                    self._text(value.args[0], _ATOM), self._text(value.args[1], _SUM)
                ), _POWER
            case "neg":
                return f"{self.n.minus}{self._text(value.args[0], _PRODUCT)}", _SIGN
            case "<" | ">" | "<=" | ">=" | "==" | "!=" | "%" | "//":
                mark = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "%": "mod", "//": "div"}.get(
                    value.op, value.op
                )
                return (
                    f"{self._text(value.args[0], _SUM)} {mark} {self._text(value.args[1], _SUM)}",
                    _SUM - 1,
                )
            case "total" | "array_total":
                return self.n.call("Σ", [self._text(value.args[0], _SUM)]), _ATOM
            case "sqrt" if (norm := _norm_of(value)) is not None:
                return self.n.call("norm", [self._text(norm, _SUM)]), _ATOM
        return self.n.call(value.op, [self._text(a, _SUM - 1) for a in value.args]), _ATOM

    def _leaf(self, name: str) -> str:
        if name in self.stepped:
            return self.n.name(name) + self.n.before
        return self.n.name(name) + (self.n.now if name == "g" else "")

    def _fraction(self, top: Any, bottom: Any) -> str:
        least = _PRODUCT if self.n.fraction_binds == _PRODUCT else _SUM
        below = _SIGN if self.n.fraction_binds == _PRODUCT else _SUM
        return self.n.fraction(self._text(top, least), self._text(bottom, below))


def _norm_of(node: Symbol) -> Any:
    """What ``node`` is the Euclidean norm of, or None."""
    inner = node.args[0]
    if isinstance(inner, Symbol) and inner.op in ("total", "array_total"):
        square = inner.args[0]
        if isinstance(square, Symbol) and square.op == "*" and square.args[0] is square.args[1]:
            return square.args[0]
    return None


def _greek(name: str) -> tuple[str, str, str]:
    """A name as letter, index and accent: beta1 is β with index 1, m_hat m with a hat."""
    stem = name.rstrip("0123456789")
    index = name[len(stem) :]
    return _GREEK.get(stem, stem), index, ""


def _plain_name(name: str) -> str:
    letter, index, _ = _greek(name)
    return letter + index.translate(_DIGITS)


def _plain_call(word: str, parts: list[str]) -> str:
    match word:
        case "norm":
            return f"‖{parts[0]}‖"
        case "sqrt":
            return f"√{parts[0]}" if parts[0].isalnum() else f"√({parts[0]})"
        case "abs":
            return f"|{parts[0]}|"
        case "where":
            return f"({parts[1]} if {parts[0]} else {parts[2]})"
        case "minimum" | "maximum":
            return f"{word[:3]}({', '.join(parts)})"
    return f"{word}({', '.join(parts)})"


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _latex_name(name: str) -> str:
    letter, index, _ = _greek(name)
    mark = _LATEX.get(
        letter, letter if len(letter) == 1 else rf"\mathrm{{{letter}}}".replace("_", r"\_")
    )
    return f"{mark}_{{{index}}}" if index else mark


def _latex_call(word: str, parts: list[str]) -> str:
    match word:
        case "norm":
            return rf"\lVert {parts[0]} \rVert"
        case "sqrt":
            return rf"\sqrt{{{parts[0]}}}"
        case "abs":
            return rf"\lvert {parts[0]} \rvert"
        case "where":
            return rf"\begin{{cases}} {parts[1]} & {parts[0]} \\ {parts[2]} & \text{{else}} \end{{cases}}"
        case "minimum" | "maximum":
            return rf"\{word[:3]}\left({', '.join(parts)}\right)"
        case "sign":
            return rf"\operatorname{{sign}}\left({parts[0]}\right)"
        case "Σ":
            return rf"\textstyle\sum \left({parts[0]}\right)"
    return rf"\{word}\left({', '.join(parts)}\right)"


TEXT = Notation(
    name=_plain_name,
    now="ₜ",
    before="ₜ₋₁",
    arrow="=",
    times=" ",
    fraction=lambda a, b: f"{a} / {b}",
    fraction_binds=_PRODUCT,
    minus="−",
    power=lambda a, b: f"{a}²" if b == "2" else f"{a}^{b}" if b.isalnum() else f"{a}^({b})",
    call=_plain_call,
    bracket=lambda a: f"({a})",
    number=_number,
)

LATEX = Notation(
    name=_latex_name,
    now="_t",
    before="_{t-1}",
    arrow="=",
    times=r" \, ",
    fraction=lambda a, b: rf"\frac{{{a}}}{{{b}}}",
    fraction_binds=_ATOM,
    minus="-",
    power=lambda a, b: f"{a}^{{{b}}}",
    call=_latex_call,
    bracket=lambda a: rf"\left({a}\right)",
    number=lambda v: f"{v:g}",
)
