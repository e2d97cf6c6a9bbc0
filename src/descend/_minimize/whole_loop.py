"""The whole loop in one compiled function: where the user's function is Numba's, and the method a rule of elements.

Nothing of the rule is written again here. The loop calls the very kernel that a `Stepper` runs, on the stepper's own memory,
and computes the kernel's scalars from the same printed text; so x, f and the gradient have the bits of the ordinary run, which
can take over, or be resumed, anywhere. Sums over elements (``ss``, ``sy``, ``yy``, ``step_norm`` of the history) are
added up in order here and by BLAS there, so they agree to rounding; seconds are exact at the ends of blocks and in proportion between.
A step that leaves x where it was is a call of the function here, and none in the ordinary run, which remembers the last points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from descend._compile.host import variable
from descend._compile.kernel_text import print_stage
from descend._compile.program import Program
from descend._fused import Fused
from descend._minimize.history import COLUMNS
from descend._minimize.run import Run
from descend._slab import address
from descend.methods._method import Point
from descend.methods._status import Status
from descend.methods.by_rule import ByRule

COMPILE_AFTER = 10_000
"""Iterations after which compiling (one to three seconds) is worth its while."""
_LARGEST = 8192
"""Variables beyond which an iteration costs so much that the interpreter's part does not show."""
_BLOCKS = 64, 65_536
_SECONDS = 0.02
"""How long a block may take, so that the clock and Ctrl-C are heard."""

_compiled: dict[tuple[Any, str], Any] = {}

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
        norm = ss = sy = yy = 0.0
        for i in range(n):
            s, y = x[i] - old[i], gradient[i] - g[i]
            ss += s * s
            sy += s * y
            yy += y * y
            g[i] = gradient[i]
            size = abs(g[i])
            if size > norm or size != size:
                norm = size
        out = rows[step]
        out[0], out[1], out[2], out[3] = counts[0] + step + 1, f, norm, math.sqrt(ss)
        out[4], out[6] = {lr}, counts[1] + step + 1
        out[7], out[8], out[9] = ss, sy, yy
        if -math.inf < f <= best[0]:
            best[0] = f
            for i in range(n):
                best_x[i] = x[i]
                best_g[i] = g[i]
        if not (norm > bounds[0] and f > bounds[1] and norm < math.inf and f < math.inf):
            return step + 1
    return steps
"""


def is_compiled(fun: Any) -> bool:
    """Whether ``fun`` is one of Numba's functions; Numba is not imported to find out."""
    return type(fun).__name__ == "CPUDispatcher" and type(fun).__module__.startswith("numba.")


def whole_loop(fun: Any, args: tuple[Any, ...], run: Run) -> WholeLoop | None:
    """The compiled loop for a run whose function returns (f, gradient); None where it does not apply."""
    limits, method = run.limits, run.method
    watched = limits.xtol is not None or limits.patience is not None
    if not (is_compiled(fun) and isinstance(method, ByRule)) or watched:
        return None
    if run.objective.n > _LARGEST or run.objective.lower is not None:
        return None
    return WholeLoop(fun, args)


class WholeLoop:
    """Blocks of iterations, each one compiled call; what a block did is judged after it, and undone where it went too far."""

    def __init__(self, fun: Any, args: tuple[Any, ...]) -> None:
        self._fun = fun
        self._args = args
        self._source = ""

    def ready(self, run: Run) -> bool:
        """Whether it is time: the loop is compiled already, or the run has become a long one."""
        if run.state is None:
            return False
        self._source = self._source or _source(run.state)
        return run.done >= COMPILE_AFTER or (self._fun, self._source) in _compiled

    def descend(self, run: Run) -> Status | None:
        """Iterate until the run ends; None where the ordinary way must go on."""
        if not self._source:
            return None
        block = _Block(run, self._args)
        loop = _compiled.get((self._fun, self._source)) or _compile(self._fun, self._source)
        _compiled[self._fun, self._source] = loop
        size, most = _BLOCKS
        while True:
            steps = min(size, run.limits.maxiter - run.done, run.evaluations_left())
            if steps == 0:
                return None
            began = run.objective.seconds
            kept = block.kept()
            done = block.run(loop, steps)
            if done is None:
                block.put_back(kept)
                return None
            good, status = run.stopping.after_many(
                block.values(done), block.rows[:done], run.done, block.x
            )
            if good < done:
                block.put_back(kept)
                block.run(loop, good)
            block.hand_over(good, began)
            if status is not None:
                return status
            run.objective.check_clock()
            if run.objective.seconds - began < _SECONDS / 2:
                size = min(2 * size, most)


class _Block:
    """The memory of a run that the compiled loop works on: the stepper's own, and room for the rows."""

    def __init__(self, run: Run, args: tuple[Any, ...]) -> None:
        self._run, self._args = run, args
        state = run.state
        self._state, self._stepper = state, state.stepper
        self._engine: Fused = self._stepper._engine  # noqa: SLF001 - its memory is what this is about
        self._program = self._engine._program  # noqa: SLF001
        slab = self._engine._slabs[0]  # noqa: SLF001
        values = [v for link in state.update.links for v in link.settings.values()]
        self._scheduled = any(map(callable, values))
        slab.take([state.here.g.copy()])
        last = slab._passes[-1]  # noqa: SLF001
        g = slab._gradients[0]  # noqa: SLF001
        self.g = np.zeros(0) if g is None else g
        self._frame = address(last.frames[0])
        self._k = np.ctypeslib.as_array(last.scalars)
        self.x = state.x
        self._scalars = np.array(list(self._engine.scalars[0].values()), dtype=np.float64)
        self._seen, self._old = np.empty_like(self.x), np.empty_like(self.x)
        self._best, self._best_x = np.array([run.best.f]), run.best.x.copy()
        self._best_g = run.best.g.copy()
        self.rows = np.empty((0, len(COLUMNS)))
        self._f = run.shown.f

    def run(self, loop: Callable[..., int], steps: int) -> int | None:
        """Take up to ``steps`` steps; how many it took, None where the function or the compiler raised."""
        if len(self.rows) < steps:
            self.rows = np.empty((steps, len(COLUMNS)))
        run, stepper = self._run, self._stepper
        settings = stepper._settings[0]  # noqa: SLF001
        ahead = steps if self._scheduled else 1
        hyper = [settings.at(t) for t in range(stepper.t + 1, stepper.t + 1 + ahead)]
        arguments = (
            *(self._args, self._frame, self._k, self.x, self._seen, self._old, self.g),
            *(np.array(hyper, dtype=np.float64).reshape(ahead, -1), self._scalars, stepper.t),
            *(self.rows, self._best, self._best_x, self._best_g),
            np.array([run.nit, run.objective.nfev]),
            np.array([run.limits.gtol or 0.0, run.stopping.target]),
            steps,
        )
        try:
            done = int(loop(*arguments))
        except Exception:  # noqa: BLE001 - whatever it was: the ordinary way meets it again, and tells
            return None
        stepper.t += done
        return done

    def values(self, done: int) -> Any:
        """Return f before the block and after each of its steps."""
        return np.concatenate([[self._f], self.rows[:done, 1]])

    def kept(self) -> tuple[Any, ...]:
        """What a block changes, as it was."""
        arrays = [a for part in self._arrays() for a in part]
        return self._stepper.t, [a.copy() for a in arrays]

    def put_back(self, kept: tuple[Any, ...]) -> None:
        self._stepper.t = kept[0]
        arrays = [a for part in self._arrays() for a in part]
        for array, old in zip(arrays, kept[1], strict=True):
            array[...] = old

    def _arrays(self) -> Iterator[list[Any]]:
        yield [self.x, self.g, self._scalars, self._best, self._best_x, self._best_g]
        for s in self._program.states:
            if not s.scalar:
                yield self._engine.listed(s.name)

    def hand_over(self, done: int, began: float) -> None:
        """Tell the run, and the ordinary state, what the block did."""
        if done == 0:
            return
        run, rows = self._run, self.rows[:done]
        rows[:, 5] = np.linspace(began, run.objective.seconds, done + 1)[1:]
        self._engine.scalars[0].update(
            zip(self._engine.scalars[0], self._scalars.tolist(), strict=True)
        )
        here = Point(self.x.copy(), float(rows[-1, 1]), self.g.copy())
        best = Point(self._best_x.copy(), float(self._best[0]), self._best_g.copy())
        before = self._f if done == 1 else float(rows[-2, 1])
        self._state.here = here
        self._f = here.f
        run.arrive_many(here, before, best, rows)


def _source(state: Any) -> str:
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


def _compile(fun: Any, source: str) -> Any:
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
