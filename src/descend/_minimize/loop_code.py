"""The text of the compiled loop, and its machine code."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from descend._compile.host import variable
from descend._compile.kernel_text import print_stage
from descend._compile.program import Program
from descend._fused import Fused

_LOOP = """
def loop(args, frame, k, x, seen, old, g, hyper, scalars, t, rows, best, best_x, best_g, counts, bounds, steps):
    n = x.size
    for step in range(steps):
        row = step if hyper.shape[0] > 1 else 0
        t_ = float(t + step + 1)
{scalars}
        for i in range(n):
            old[i] = x[i]
        kernel(integers(frame))
{updates}
        for i in range(n):
            seen[i] = x[i]
        value, gradient = fun(seen, *args)
        f = float(value)
        if gradient.size != n or not math.isfinite(f):
            return ~step
        gg = 0.0
        for i in range(n):
            gg += gradient[i] * gradient[i]
        if not math.isfinite(gg):
            return ~step
        norm = ss = sy = yy = 0.0
        for i in range(n):
            s, y = x[i] - old[i], gradient[i] - g[i]
            ss += s * s
            sy += s * y
            yy += y * y
            g[i] = gradient[i]
            size = abs(g[i])
            if size > norm:
                norm = size
        out = rows[step]
        out[0], out[1], out[2], out[3] = counts[0] + step + 1, f, norm, math.sqrt(ss)
        out[4], out[6] = {lr}, counts[1] + step + 1
        out[7], out[8], out[9] = ss, sy, yy
        if f <= best[0]:
            best[0] = f
            for i in range(n):
                best_x[i] = x[i]
                best_g[i] = g[i]
        if not (norm > bounds[0] and f > bounds[1]):
            return step + 1
    return steps
"""


def source_of(state: Any) -> str:
    """The text of kernel and loop for the state's rule; empty where there are sums, or f itself, in the rule."""
    engine = state.stepper._engine  # noqa: SLF001
    if not isinstance(engine, Fused):
        return ""
    program: Program = engine._program  # noqa: SLF001
    if program.sums or program.fresh != ("t",) or program.solution != "x":
        return ""
    hyper, scalars = program.hyperparameters, program.scalar_states
    lines = [f"{variable(name)} = hyper[row, {i}]" for i, name in enumerate(hyper)]
    lines += [f"{variable(name)} = scalars[{i}]" for i, name in enumerate(scalars)]
    lines += [f"k[{i}] = {text}" for i, text in enumerate(program.stages[-1].scalars)]
    following = [f"next{i} = {program.scalar_updates[name]}" for i, name in enumerate(scalars)]
    following += [f"scalars[{i}] = next{i}" for i in range(len(scalars))]
    lr = f"hyper[row, {hyper.index('lr')}]" if "lr" in hyper else "math.nan"
    text = _LOOP.format(scalars=_indented(lines), updates=_indented(following), lr=lr)
    return print_stage(program.stages[-1], program.arrays) + text


def _indented(lines: list[str]) -> str:
    return "\n".join(" " * 8 + line for line in lines)


def compiled(fun: Any, source: str) -> Any:
    """The loop's machine code, made at its first call."""
    import numba

    from descend._compile.to_numba import _pointer_to

    jit = numba.njit(error_model="numpy")
    real = _pointer_to(numba.float64)
    scope: dict[str, Any] = {name: jit(word) for name, word in _WORDS.items()}
    scope |= {"math": math, "inf": math.inf, "nan": math.nan, "fun": fun}
    scope |= {"sqrt": math.sqrt, "exp": math.exp, "log": math.log, "float64": numba.float64}
    scope |= {"integers": _pointer_to(numba.int64), "elements": real, "numbers": real}
    scope["doubles"] = real
    scope["one_minus_power"] = jit(_one_minus_power)
    exec(source, scope)  # noqa: S102 - the source was printed from a traced rule
    scope["kernel"] = jit(scope["kernel"])
    return jit(scope["loop"])


def _one_minus_power(base: float, exponent: float) -> float:
    return -math.expm1(exponent * math.log(base)) if base > 0 else 1.0 - math.pow(base, exponent)


_WORDS: dict[str, Callable[..., Any]] = {
    "power": lambda base, exponent: math.pow(base, exponent),  # noqa: PLW0108 - Numba compiles functions
    "sign": lambda v: math.copysign(1.0, v) if v < 0 or v > 0 else v,
    "where": lambda c, a, b: a if c else b,
    "minimum": lambda a, b: a if a < b or a != a else b,  # noqa: PLR0124 - nan wins
    "maximum": lambda a, b: a if a > b or a != a else b,  # noqa: PLR0124
}
