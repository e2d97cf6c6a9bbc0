"""The text of an iteration of a rule on a function: what is computed before and after a call of the function.

``advance`` takes the rule's step, by the very kernel that a `Stepper` runs and with scalars from the same printed text; ``arrive``
measures what the function gave there, writes the history's row, keeps the best point, and says whether the step must be judged
one by one. Both work on a table of addresses, a `descend._minimize.block.Block`.
"""

from __future__ import annotations

from descend._compile.host import variable
from descend._compile.kernel_text import print_stage
from descend._compile.program import Program
from descend._minimize.history import COLUMNS
from descend._minimize.stopping import FLAT_STEPS

POINTERS = (
    *("frame", "k", "x", "g", "fresh", "old", "best_x", "best_g"),
    *("hyper", "scalars", "rows", "reals", "counts"),
)
"""What the table of addresses leads to."""
COUNTS = ("N", "DONE", "STEPS", "T", "NIT", "FLAT", "WAITING", "EVENT", "AHEAD")
REALS = ("F", "LR", "BEFORE", "BEST", "LEAST", "GTOL", "TARGET", "F0", "FAR", "FTOL", "PRECISION")
JUDGED, UNUSABLE = 1, 2
"""The events: a step to be judged, and one that the ordinary way must take, since f or its gradient is not finite."""

_CODE = """
@jit
def advance(memory):
{read}
    row = {width} * (counts[DONE] if counts[AHEAD] > 1 else 0)
    counts[T] += 1
    t_ = float(counts[T])
{scalars}
    reals[LR] = {lr}
    for i in range(counts[N]):
        old[i] = x[i]
    update(integers(frame))
{updates}
    counts[WAITING] = 1

@jit
def arrive(memory):
{read}
    f = reals[F]
    norm = gg = ss = sy = yy = 0.0
    for i in range(counts[N]):
        s, y, size = x[i] - old[i], fresh[i] - g[i], abs(fresh[i])
        ss += s * s
        sy += s * y
        yy += y * y
        gg += size * size
        if size > norm:
            norm = size
    if not (math.isfinite(f) and math.isfinite(gg)):
        counts[EVENT] = {unusable}
        return True
    done = counts[DONE]
    out = {columns} * done
    rows[out], rows[out + 1], rows[out + 2] = counts[NIT] + done + 1, f, norm
    rows[out + 3], rows[out + 4] = math.sqrt(ss), reals[LR]
    rows[out + 7], rows[out + 8], rows[out + 9] = ss, sy, yy
    for i in range(counts[N]):
        g[i] = fresh[i]
    if f <= reals[BEST]:
        reals[BEST] = f
        for i in range(counts[N]):
            best_x[i], best_g[i] = x[i], g[i]
    change, scale = abs(f - reals[BEFORE]), max(abs(f), abs(reals[BEFORE]))
    reals[BEFORE] = f
    flat = change <= reals[PRECISION] * scale and norm >= reals[LEAST]
    counts[FLAT] = counts[FLAT] + 1 if flat else 0
    reals[LEAST] = min(reals[LEAST], norm)
    counts[DONE] = done + 1
    counts[WAITING] = 0
    calm = norm > reals[GTOL] and f > reals[TARGET] and abs(f - reals[F0]) <= reals[FAR]
    calm = calm and change / max(scale, 1.0) > reals[FTOL] and counts[FLAT] < {flat_steps}
    if not (calm and math.isfinite(ss) and done + 1 < counts[STEPS]):
        counts[EVENT] = {judged}
        return True
    return False
"""

DRIVEN = """
def kernel(memory):
    counts = integers(memory[{counts}])
    if counts[WAITING] == 0 or not arrive(memory):
        advance(memory)
"""
"""Between two calls of a function in Python."""

WHOLE = """
@jit
def loop(args, address, x, seen, fresh):
    memory = integers(address)
    counts, reals = integers(memory[{counts}]), doubles(memory[{reals}])
    while True:
        if counts[WAITING] == 0:
            advance(memory)
        for i in range(x.size):
            seen[i] = x[i]
        value, gradient = fun(seen, *args)
        if gradient.size != x.size:
            counts[EVENT] = {unusable}
            return
        for i in range(x.size):
            fresh[i] = gradient[i]
        reals[F] = float(value)
        if arrive(memory):
            return
"""
"""Around a function that is compiled too."""


def source_of(program: Program, loop: str) -> str:
    """The text around a program's update, ``DRIVEN`` or ``WHOLE``."""
    hyper, scalars = program.hyperparameters, program.scalar_states
    lines = [f"{variable(name)} = hyper[row + {i}]" for i, name in enumerate(hyper)]
    lines += [f"{variable(name)} = scalars[{i}]" for i, name in enumerate(scalars)]
    lines += [f"k[{i}] = {text}" for i, text in enumerate(program.stages[-1].scalars)]
    following = [f"next{i} = {program.scalar_updates[name]}" for i, name in enumerate(scalars)]
    following += [f"scalars[{i}] = next{i}" for i in range(len(scalars))]
    code = (_CODE + loop).format(
        read=_indented(_read()),
        scalars=_indented(lines),
        updates=_indented(following),
        width=len(hyper),
        lr=f"hyper[row + {hyper.index('lr')}]" if "lr" in hyper else "math.nan",
        columns=len(COLUMNS),
        counts=POINTERS.index("counts"),
        reals=POINTERS.index("reals"),
        judged=JUDGED,
        unusable=UNUSABLE,
        flat_steps=FLAT_STEPS,
    )
    update = print_stage(program.stages[-1], program.arrays, "update")
    return "\n".join([*_constants(COUNTS), *_constants(REALS), "@jit", update, code])


def _read() -> list[str]:
    kinds = {"frame": "", "counts": "integers"}
    return [
        f"{name} = {kinds.get(name, 'doubles')}(memory[{i}])" for i, name in enumerate(POINTERS)
    ]


def _constants(names: tuple[str, ...]) -> list[str]:
    return [f"{name} = {i}" for i, name in enumerate(names)]


def _indented(lines: list[str]) -> str:
    return "\n".join(" " * 4 + line for line in lines)
