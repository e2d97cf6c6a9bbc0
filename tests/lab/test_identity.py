"""The hash of what code computes: it follows every number, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from descend import warmup
from descend._rule import Rule
from descend.domains import NonNegative
from descend.lab.identity import identity

FACTOR = 2.0


def factory(weight, table=(1.0, 2.0)):
    def f(x, *, shift=0.0):
        return weight * x + table[0] + shift

    return f


def run(source: str, name: str = "f"):
    scope = {"__name__": "mine"}
    exec(dedent(source), scope)
    return scope[name]


SOURCE = """
    import math
    FACTOR = 2.0
    TABLE = {"a": [1.0, 2.0]}

    def inner(x):
        return FACTOR * x

    class Shape:
        power = 2

        def of(self, x):
            return x ** self.power

    SHAPE = Shape()

    def f(x, scale=1.0):
        calls = [scale * inner(v) + TABLE["a"][0] for v in x]
        return math.sqrt(SHAPE.of(sum(calls))) + sum({1.5, 2.5})
"""

CHANGES = {
    "a global": ("FACTOR = 2.0", "FACTOR = 3.0"),
    "a value in a global": ("[1.0, 2.0]", "[1.5, 2.0]"),
    "a function that it calls": ("FACTOR * x", "FACTOR + x"),
    "a default": ("scale=1.0", "scale=1.5"),
    "a constant": ("2.5", "3.5"),
    "the sign of a constant": ("1.5,", "-1.5,"),
    "a method": ("x ** self.power", "x * self.power"),
    "an attribute of a class": ("power = 2", "power = 4"),
    "another function of a package": ("math.sqrt", "math.exp"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_value_changes_the_hash(change: str) -> None:
    before, after = CHANGES[change]
    assert SOURCE.count(before) == 1
    assert identity(run(SOURCE.replace(before, after))) != identity(run(SOURCE))


@pytest.mark.parametrize(
    ("before", "after"),
    [("import math", "import math  # a comment"), ("def inner", "\n\n    def inner"), ("FACTOR = 2.0", "FACTOR = 2.0\n    OTHER = 9")],
)  # fmt: skip
def test_what_changes_no_value_changes_no_hash(before: str, after: str) -> None:
    assert identity(run(SOURCE.replace(before, after))) == identity(run(SOURCE))


def test_the_same_text_over_other_values_is_another_function() -> None:
    assert identity(factory(1.0)) == identity(factory(1.0))
    assert identity(factory(1.0)) != identity(factory(2.0))
    assert identity(factory(np.ones(3))) != identity(factory(np.array([1.0, 1.0, 2.0])))
    assert identity(factory(1.0)) != identity(factory(1))
    assert identity(partial(factory(1.0), shift=1.0)) != identity(partial(factory(1.0), shift=2.0))


def test_functions_that_call_each_other_have_a_hash() -> None:
    source = "def f(x):\n    return g(x)\ndef g(x):\n    return f(x - 1) if x else 0\n"
    assert identity(run(source)) == identity(run(source))
    assert identity(run(source)) != identity(run(source.replace("- 1", "- 2")))


def test_what_a_function_counts_for_itself_is_no_part_of_it() -> None:
    f = run("calls = 0\ndef f(x):\n    global calls\n    calls += 1\n    return x\n")
    before = identity(f)
    f(1.0)
    assert identity(f) == before


def test_the_hash_is_the_same_in_every_process(tmp_path: Path) -> None:
    """With another seed for the order of sets."""
    file = tmp_path / "told.py"
    told = "\nfrom descend.lab.identity import identity\nprint(identity(f))\n"
    file.write_text(dedent(SOURCE) + told)
    package = str(Path(sys.modules["descend"].__file__).parents[1])
    said = {
        subprocess.run(
            [sys.executable, str(file)],
            env=os.environ | {"PYTHONPATH": package, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert len(said.pop().strip()) == 64


def test_the_users_own_module_counts_with_its_file(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "neighbour_of_f.py").write_text("def g(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    source = "import neighbour_of_f\ndef f(x):\n    return neighbour_of_f.g(x)\n"
    before = identity(run(source))
    (tmp_path / "neighbour_of_f.py").write_text("def g(x):\n    return x + 1\n")
    assert identity(run(source)) != before
    del sys.modules["neighbour_of_f"]


def test_a_rule_that_another_one_calls_counts_with_its_text() -> None:
    def made(power: int) -> Rule:
        def inner(x, g, *, lr: NonNegative = 0.1):
            return x - lr * g**power

        inner.__annotations__["lr"] = NonNegative
        return Rule(inner)

    def outer(step: Rule):
        return lambda x, g: step(x, g, lr=0.1)

    assert identity(outer(made(1))) == identity(outer(made(1)))
    assert identity(outer(made(1))) != identity(outer(made(2)))


def test_a_schedule_counts_with_what_it_holds() -> None:
    assert identity(warmup(lambda t: 1 / t, steps=2)) == identity(warmup(lambda t: 1 / t, steps=2))
    assert identity(warmup(lambda t: 1 / t, steps=2)) != identity(warmup(lambda t: 2 / t, steps=2))
    assert identity(warmup(lambda t: 1 / t, steps=2)) != identity(warmup(lambda t: 1 / t, steps=3))
