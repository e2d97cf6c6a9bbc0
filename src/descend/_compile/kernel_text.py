"""Print a stage as a Python loop that Numba compiles.

The loop walks a range of fixed chunks over a table of addresses, so one call serves one large array or a thousand small ones,
on any number of threads, with the same bits.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from descend._compile.host import variable
from descend._compile.program import Stage

_INDENT = " " * 4


@functools.lru_cache(maxsize=256)
def print_stage(stage: Stage, arrays: tuple[str, ...], name: str = "kernel") -> str:
    """The source of ``kernel(frame)``, or by another name.

    The frame holds the addresses of four tables, then the first chunk to do and the one after the last. ``addresses`` has a row per
    tensor and a column per array; ``chunks`` holds (tensor, start, stop) of each chunk; an updating stage finds the smallest
    normal number and 0 after its ``scalars``; a measuring one writes a row of ``sums`` per chunk.
    """
    return "\n".join([f"def {name}(frame):", *_body(stage, arrays)]) + "\n"


def _body(stage: Stage, arrays: tuple[str, ...]) -> Iterator[str]:
    names = [f"k{i}" for i in range(len(stage.scalars))] + (
        [] if stage.measures else ["tiny", "zero"]
    )
    yield "    addresses, chunks = integers(frame[0]), integers(frame[1])"
    yield "    scalars, sums = numbers(frame[2]), doubles(frame[3])"
    yield from (f"    {name} = scalars[{i}]" for i, name in enumerate(names))
    yield "    for chunk in range(frame[4], frame[5]):"
    yield f"        row = {len(arrays)} * chunks[3 * chunk]"
    yield from (f"        {a}_at = elements(addresses[row + {i}])" for i, a in enumerate(arrays))
    if stage.measures:
        yield from (f"        {name} = 0.0" for name, _ in stage.results)
    yield "        for i in range(chunks[3 * chunk + 1], chunks[3 * chunk + 2]):"
    yield from (3 * _INDENT + line for line in _per_element(stage, arrays))
    if stage.measures:
        width = len(stage.results)
        for j, (name, _) in enumerate(stage.results):
            yield f"        sums[{width} * chunk + {j}] = {name}"


def _per_element(stage: Stage, arrays: tuple[str, ...]) -> Iterator[str]:
    load = "float64({0}_at[i])" if stage.measures else "{0}_at[i]"
    used = _names(stage)
    yield from (f"{variable(a)} = {load.format(a)}" for a in arrays if variable(a) in used)
    yield from (f"{name} = {expression}" for name, expression in stage.body)
    if stage.measures:
        yield from (f"{name} += {expression}" for name, expression in stage.results)
        return
    # every result is computed before the first is stored: a new x may read an old state
    yield from (f"{name}_new = {expression}" for name, expression in stage.results)
    for name, _ in stage.results:
        # subnormal state would slow every later step a hundredfold; nan passes the comparison
        kept = f"{name}_new" if name == "x" else f"zero if abs({name}_new) < tiny else {name}_new"
        yield f"{name}_at[i] = {kept}"


def _names(stage: Stage) -> set[str]:
    """The names that the stage's expressions read."""
    expressions = [e for _, e in (*stage.body, *stage.results)]
    return {name for e in expressions for name in compile(e, "<kernel>", "eval").co_names}
