"""One Adam step against torch's: default (foreach off on CPU or on, as torch decides), foreach and fused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import descend as dd
from benchmarks.timing import alternate, machine, table, time_text

SHAPES = ((1, 10), (1, 10_000_000), (1000, 1000), (100, 10_000))
_DTYPE = np.float32


def run() -> str:
    """The table of step times."""
    rows = [
        row for threads in (1, 2) for count, size in SHAPES for row in [_row(threads, count, size)]
    ]
    head = (
        "threads",
        "arrays × elements",
        "descend",
        "torch fused",
        "torch default",
        "fused ÷ descend",
        "default ÷ descend",
    )
    note = f"Adam, float32, median in turn; every optimizer's parameters are checked to have moved. {machine('numpy', 'numba', 'torch')}."
    return f"{note}\n\n{table(head, rows)}"


def _row(threads: int, count: int, size: int) -> tuple[str, ...]:
    import torch

    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(size, dtype=_DTYPE) for _ in range(count)]
    gs = [0.5 + rng.random(size, dtype=_DTYPE) for _ in range(count)]
    calls = {
        "descend": _descend(xs, gs, threads),
        "fused": _torch(xs, gs, fused=True),
        "default": _torch(xs, gs),
    }
    small = count * size < 1000
    took = alternate(calls, rounds=7, repeats=2000 if small else 5)
    return (
        str(threads),
        f"{count} × {size}",
        *(time_text(took[name]) for name in calls),
        f"{took['fused'] / took['descend']:.2f}",
        f"{took['default'] / took['descend']:.2f}",
    )


def _descend(xs: list[np.ndarray], gs: list[np.ndarray], threads: int) -> Callable[[], None]:
    xs = [x.copy() for x in xs]
    stepper = dd.Stepper(dd.adam(), xs if len(xs) > 1 else xs[0], threads=threads)
    gradient = gs if len(gs) > 1 else gs[0]
    before = [x.copy() for x in xs]
    stepper.step(gradient)
    _check_moved(before, xs)
    return lambda: stepper.step(gradient)


def _torch(xs: list[np.ndarray], gs: list[np.ndarray], **how: bool) -> Callable[[], None]:
    import torch

    parameters = [torch.nn.Parameter(torch.tensor(x)) for x in xs]
    for parameter, g in zip(parameters, gs, strict=True):
        parameter.grad = torch.tensor(g)
    optimizer = torch.optim.Adam(parameters, **how)
    optimizer.step()
    _check_moved(xs, [p.detach().numpy() for p in parameters])
    return optimizer.step


def _check_moved(before: list[np.ndarray], after: list[np.ndarray]) -> None:
    """The first Adam step moves every element by about lr."""
    for old, new in zip(before, after, strict=True):
        if not np.allclose(np.abs(new - old), 1e-3, rtol=1e-2):
            raise AssertionError("a timed step did not move its parameters")


if __name__ == "__main__":
    print(run())
