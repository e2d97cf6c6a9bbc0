"""Steps of eight optimizers against torch (loop, foreach, fused), optax, NumPy and a memory copy, for many shapes.

Each number of threads gets a process of its own, since XLA and OpenMP read theirs when they start. Every peer's first step is
checked to have moved its parameters to the same place as ours.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import descend as dd
from benchmarks.timing import alternate, machine, table, time_text

SHAPES = ((1, 10), (1000, 1000), (100, 10_000), (10, 1_000_000), (1, 50_000_000))
LR = 1e-3
RULES = {
    "sgd": dd.sgd(lr=LR),
    "momentum": dd.momentum(lr=LR),
    "adagrad": dd.adagrad(lr=LR),
    "rmsprop": dd.rmsprop(lr=LR),
    "adam": dd.adam(lr=LR),
    "adamw": dd.adamw(lr=LR),
    "nadam": dd.nadam(lr=LR),
    "lion": dd.lion(lr=LR),
}
STATES = {
    "sgd": 0,
    "momentum": 1,
    "adagrad": 1,
    "rmsprop": 1,
    "adam": 2,
    "adamw": 2,
    "nadam": 2,
    "lion": 1,
}
TORCH = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "adagrad": ("Adagrad", {}),
    "rmsprop": ("RMSprop", {}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "nadam": ("NAdam", {}),
}
FUSED = ("sgd", "momentum", "adagrad", "adam", "adamw")

Arrays = list[np.ndarray]


def measure(threads: int) -> list[dict]:
    """Rows of one number of threads; run in a process whose libraries were told so."""
    import torch

    torch.set_num_threads(threads)
    rows = []
    for count, size in SHAPES:
        for dtype in ("float32", "float64"):
            copy = _copy_seconds(min(count * size, 50_000_000), dtype, threads)
            for rule in RULES:
                rows.append(
                    {
                        "threads": threads,
                        "shape": [count, size],
                        "dtype": dtype,
                        "rule": rule,
                        "copy": copy,
                    }
                )
                rows[-1]["seconds"] = _race(rule, count, size, dtype, threads)
                print(json.dumps(rows[-1]), flush=True)
    return rows


def _race(rule: str, count: int, size: int, dtype: str, threads: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(size).astype(dtype) for _ in range(count)]
    gs = [(0.5 + rng.random(size)).astype(dtype) for _ in range(count)]
    expected = _stepped(rule, xs, gs)
    mine = [x.copy() for x in xs]
    calls: dict[str, Callable[[], object]] = {"descend": _descend(rule, mine, gs, threads)}
    begun = [x[:100].copy() for x in mine]
    if rule in TORCH:
        calls["torch loop"] = _torch(rule, xs, gs, expected, foreach=False)
        calls["torch foreach"] = _torch(rule, xs, gs, expected, foreach=True)
    if rule in FUSED:
        calls["torch fused"] = _torch(rule, xs, gs, expected, fused=True)
    total = count * size
    # XLA takes minutes to compile a program of 1000 arrays
    if total <= 10_000_000 and (count < 1000 or rule in ("sgd", "adam")):
        calls["optax jit"] = _optax(rule, xs, gs, expected)
    if rule in ("sgd", "adam") and total <= 10_000_000:
        calls["NumPy"] = _numpy(rule, xs, gs, expected)
    repeats = 1000 if total < 1000 else 3 if total < 20_000_000 else 1
    times = alternate(calls, rounds=5 if total < 20_000_000 else 3, repeats=repeats)
    if any(np.array_equal(x[:100], before) for x, before in zip(mine, begun, strict=True)):
        raise AssertionError(f"the timed steps of {rule} did not move its parameters")
    return times


def _stepped(rule: str, xs: Arrays, gs: Arrays) -> Arrays:
    xs = [x.copy() for x in xs]
    dd.Stepper(RULES[rule], xs).step(gs)
    return xs


def _check(rule: str, dtype: str, got: Arrays, expected: Arrays, before: Arrays) -> None:
    for a, b, c in zip(got, expected, before, strict=True):
        if np.array_equal(a, c):
            raise AssertionError(f"a timed step of {rule} did not move its parameters")
        # one step of lr 1e-3 in float32, formulas in another order
        if not np.allclose(
            a,
            b,
            rtol=0,
            atol=1e-3 * (1e-3 if dtype == "float32" else 1e-6) + 1e-6 * (dtype == "float32"),
        ):
            raise AssertionError(f"a timed step of {rule} went elsewhere")


def _descend(rule: str, mine: Arrays, gs: Arrays, threads: int) -> Callable[[], object]:
    stepper = dd.Stepper(RULES[rule], mine if len(mine) > 1 else mine[0], threads=threads)
    gradient = gs if len(gs) > 1 else gs[0]
    stepper.step(gradient)
    return lambda: stepper.step(gradient)


def _torch(
    rule: str, xs: Arrays, gs: Arrays, expected: Arrays, **how: bool
) -> Callable[[], object]:
    import torch

    name, settings = TORCH[rule]
    parameters = [torch.nn.Parameter(torch.tensor(x)) for x in xs]
    for parameter, g in zip(parameters, gs, strict=True):
        parameter.grad = torch.from_numpy(g)
    optimizer = getattr(torch.optim, name)(parameters, lr=LR, **settings, **how)
    optimizer.step()
    _check(rule, xs[0].dtype.name, [p.detach().numpy() for p in parameters], expected, xs)
    return optimizer.step


def _optax(rule: str, xs: Arrays, gs: Arrays, expected: Arrays) -> Callable[[], object]:
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    made = {
        "sgd": lambda: optax.sgd(LR),
        "momentum": lambda: optax.sgd(LR, momentum=0.9),
        "adagrad": lambda: optax.adagrad(LR, initial_accumulator_value=0.0, eps=1e-20),
        "rmsprop": lambda: optax.rmsprop(LR, decay=0.99, eps=1e-8, eps_in_sqrt=False),
        "adam": lambda: optax.adam(LR),
        "adamw": lambda: optax.adamw(LR, weight_decay=1e-2),
        "nadam": lambda: optax.nadam(LR),
        "lion": lambda: optax.lion(LR, weight_decay=0.0),
    }[rule]()
    x = [jax.numpy.asarray(a) for a in xs]
    g = [jax.numpy.asarray(a) for a in gs]
    held = {"x": x, "state": made.init(x)}

    def update(x, state, g):
        updates, state = made.update(g, state, x)
        return optax.apply_updates(x, updates), state

    compiled = jax.jit(update, donate_argnums=(0, 1))

    def step() -> None:
        held["x"], held["state"] = compiled(held["x"], held["state"], g)
        jax.block_until_ready(held["x"])

    step()
    if rule != "nadam":  # optax's nadam is another formula: it is timed, not compared
        _check(rule, xs[0].dtype.name, [np.asarray(a) for a in held["x"]], expected, xs)
    return step


def _numpy(rule: str, xs: Arrays, gs: Arrays, expected: Arrays) -> Callable[[], object]:
    """The formula as one writes it in NumPy, in place where that is natural."""
    x = [a.copy() for a in xs]
    m, v, t = [np.zeros_like(a) for a in xs], [np.zeros_like(a) for a in xs], [0]

    def sgd() -> None:
        for i, g in enumerate(gs):
            x[i] -= LR * g

    def adam() -> None:
        t[0] += 1
        c1, c2 = 1 - 0.9 ** t[0], 1 - 0.999 ** t[0]
        for i, g in enumerate(gs):
            m[i] *= 0.9
            m[i] += 0.1 * g
            v[i] *= 0.999
            v[i] += 0.001 * g * g
            x[i] -= LR * (m[i] / c1) / (np.sqrt(v[i] / c2) + 1e-8)

    step = {"sgd": sgd, "adam": adam}[rule]
    step()
    _check(rule, xs[0].dtype.name, x, expected, xs)
    return step


def _copy_seconds(elements: int, dtype: str, threads: int) -> float:
    """Seconds per byte moved by a copy on as many threads: a read and a write of each element."""
    source, target = np.ones(elements, dtype), np.empty(elements, dtype)
    bounds = [elements * i // threads for i in range(threads + 1)]
    pool = ThreadPoolExecutor(threads)

    def copy() -> None:
        parts = [
            pool.submit(np.copyto, target[a:b], source[a:b]) for a, b in itertools.pairwise(bounds)
        ]
        for part in parts:
            part.result()

    took = alternate({"copy": copy}, rounds=3, repeats=3)["copy"]
    pool.shutdown()
    return took / (2 * source.nbytes)


def collect() -> list[dict]:
    """All rows, one process per number of threads."""
    rows: list[dict] = []
    for threads in (1, 2):
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(threads),
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} intra_op_parallelism_threads={threads}",
        }
        code = f"from benchmarks.optimizers import measure; measure({threads})"
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        rows += [json.loads(line) for line in done.stdout.splitlines()]
    return rows


def run() -> str:
    """The table, and the picture ``docs/speed.png``."""
    rows = collect()
    folder = Path(__file__).parents[1] / "docs"
    _picture(rows, folder / "speed.png")
    head = (
        "threads",
        "arrays × elements",
        "dtype",
        "rule",
        "descend",
        "÷ loop",
        "÷ foreach",
        "÷ fused",
        "÷ optax",
        "÷ NumPy",
        "copy bandwidth",
    )
    peers = ("torch loop", "torch foreach", "torch fused", "optax jit", "NumPy")
    lines = []
    for row in rows:
        ours = row["seconds"]["descend"]
        ratios = [f"{row['seconds'][p] / ours:.2f}" if p in row["seconds"] else "" for p in peers]
        shape = f"{row['shape'][0]} × {row['shape'][1]:,}".replace(",", " ")
        lines.append(
            (
                str(row["threads"]),
                shape,
                row["dtype"],
                row["rule"],
                time_text(ours),
                *ratios,
                f"{_bandwidth(row):.0%}",
            )
        )
    note = (
        f"Times of the peer divided by ours, medians in turn: above 1 descend is faster. {machine('numpy', 'numba', 'torch', 'jax', 'optax')}. "
        "The last column is the memory that a step must move (parameters, gradient and state read, parameters and state written) per second, "
        "against a copy on as many threads; small arrays live in caches and may exceed it."
    )
    return f"{note}\n\n![Speed against torch fused and foreach](speed.png)\n\n{table(head, lines)}"


def _bandwidth(row: dict) -> float:
    words = 3 + 2 * STATES[row["rule"]]
    moved = words * row["shape"][0] * row["shape"][1] * (4 if row["dtype"] == "float32" else 8)
    return moved * row["copy"] / row["seconds"]["descend"]


def _picture(rows: list[dict], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True, layout="constrained")
    for axis, threads in zip(axes, (1, 2), strict=True):
        chosen = [r for r in rows if r["threads"] == threads and r["dtype"] == "float32"]
        for peer, colour, mark in (
            ("torch foreach", "#0072B2", "o"),
            ("torch fused", "#D55E00", "s"),
            ("optax jit", "#009E73", "^"),
        ):
            for i, shape in enumerate(SHAPES):
                points = [
                    r["seconds"][peer] / r["seconds"]["descend"]
                    for r in chosen
                    if tuple(r["shape"]) == shape and peer in r["seconds"]
                ]
                axis.plot(
                    [i + {"o": -0.15, "s": 0, "^": 0.15}[mark]] * len(points),
                    points,
                    mark,
                    color=colour,
                    label=peer if i == 0 else None,
                    alpha=0.75,
                )
        axis.axhline(1, color="grey", lw=1)
        axis.set(
            yscale="log",
            title=f"{threads} thread{'s' if threads > 1 else ''}, float32",
            xticks=range(len(SHAPES)),
            xticklabels=[f"{c}×{n:,}".replace(",", " ") for c, n in SHAPES],
        )
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("time of peer ÷ time of descend")
    axes[0].legend()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    print(run())
