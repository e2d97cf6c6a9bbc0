"""How long it takes to begin: imports, help, the first compiled step, compiling and loading kernels."""

from __future__ import annotations

import tempfile

from benchmarks.timing import machine, processes, python, table, time_text

_STEP = """
import numpy as np, descend as dd
x = np.ones(10)
dd.Stepper(dd.adam(), x).step(x.copy())
assert x[0] != 1.0
"""
RULES = (
    "momentum",
    "adagrad",
    "rmsprop",
    "adam",
    "adamw",
    "nadam",
    "lion",
    "schedule_free_sgd",
    "lamb",
    "prodigy",
)
_EACH = """
import time, numpy as np, descend as dd
from descend._compile import kernels
dd.Stepper(dd.find_rule("sgd"), np.ones(3)).step(np.ones(3))
for name in {rules!r}:
    started = time.perf_counter()
    x = np.ones(3, np.{dtype})
    dd.Stepper(dd.find_rule(name), x).step(np.ones(3, np.{dtype}))
    print(name, time.perf_counter() - started)
    assert x[0] != 1.0
"""


def run() -> str:
    """The table of start-up times."""
    with tempfile.TemporaryDirectory() as folder:
        cache = {"DESCEND_CACHE_DIR": folder}
        commands = {
            "python -c pass": python("pass"),
            "import numpy": python("import numpy"),
            "import descend; descend.adam": python("import descend; descend.adam"),
            "descend --help": python(
                "import sys; sys.argv = ['descend', '--help']; from descend.cli import main; main()"
            ),
            "first compiled step, warm cache": python(_STEP),
        }
        took = processes(commands, rounds=9, environment=cache)
    bare = took["python -c pass"]
    numpy = took["import numpy"]
    rows = [
        (
            name,
            time_text(seconds),
            f"{seconds / numpy:.2f}",
            f"{(seconds - bare) / (numpy - bare):.2f}",
        )
        for name, seconds in took.items()
    ]
    return "\n\n".join(
        (
            f"Whole processes, interpreter included, median of 9 in turn. {machine('numpy', 'numba', 'typer')}.",
            table(("process", "time", "× import numpy", "the same, interpreter subtracted"), rows),
            *_kernels(),
        )
    )


def _kernels() -> tuple[str, str]:
    """Compiling each rule in one process, then loading each from files in another."""
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = _each(folder), _each(folder)
    rows = [(name, time_text(cold[name]), time_text(warm[name])) for name in cold]
    worst = max(cold.values()), max(warm.values())
    rows.append(("**slowest**", time_text(worst[0]), time_text(worst[1])))
    return (
        "From a rule to its first step in a running process, after one kernel (`sgd`) has been made ready:",
        table(("rule", "compiled", "loaded from a kernel file"), rows),
    )


def _each(folder: str) -> dict[str, float]:
    import os
    import subprocess

    environment = {**os.environ, "DESCEND_CACHE_DIR": folder}
    command = python(_EACH.format(dtype="float64", rules=RULES))
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}


if __name__ == "__main__":
    print(run())
