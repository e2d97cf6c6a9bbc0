"""Bad input by hand: every row of ``bad_input/`` is one call and the one sentence that answers it."""

import math
import runpy
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import descend as dd
from descend import errors
from descend._catalogue import list_rules
from descend._rule import REGISTRY, TRANSFORMS
from descend.schedules import SCHEDULES

TABLES = {
    path.stem: runpy.run_path(str(path))["ROWS"]
    for path in sorted((Path(__file__).parent / "bad_input").glob("*.py"))
}
# a rule's or transform's setting is refused by one type of error
ROWS = [
    pytest.param(row[0], row[1] if len(row) == 3 else "HyperparameterError", row[-1], id=f"{table}: {row[0]}")
    for table, rows in TABLES.items()
    for row in rows
]  # fmt: skip


def test_at_least_500_calls_are_listed_and_none_twice():
    calls = [row[0] for rows in TABLES.values() for row in rows]
    assert len(calls) == len(set(calls)) >= 500


def test_every_table_is_about_what_there_is():
    own = {name for name in REGISTRY if REGISTRY[name].__module__.startswith("descend.rules.")}
    about = {
        row[0].removeprefix("dd.").partition("(")[0] for rows in TABLES.values() for row in rows
    }
    homes = {f"descend.{name}" for name in ("gates", "transforms", "wrappers")}
    links = {name for name, link in TRANSFORMS.items() if link.__module__ in homes}
    missing = sorted((own | links) - about)
    assert not missing, f"add rows to tests/bad_input for {missing}"


def stepper(update, x):
    """A stepper with two steps behind it, so that its state is no longer what it began as."""
    made = dd.Stepper(update, x)
    rng = np.random.default_rng(0)
    for _ in range(2):
        g = [rng.standard_normal(a.shape) for a in parts(x)]
        whole = dict(zip(x, g, strict=True)) if isinstance(x, dict) else g
        made.step(g[0] if isinstance(x, np.ndarray) else whole, 1.0)
    return made


def parts(x):
    return list(x.values()) if isinstance(x, dict) else [x] if isinstance(x, np.ndarray) else x


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """What the calls may name, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    x = np.array([1.0, 2.0, 3.0])
    s = stepper(dd.adam(lr=0.1), np.ones(3))
    s.save("saved.ckpt")
    stepper(dd.chain(dd.clip_norm(1.0), dd.sgd()), np.ones(3)).save("chain.ckpt")
    return {
        "dd": dd, "np": np, "nan": math.nan, "inf": math.inf, "Decimal": Decimal, "Path": Path,
        "X": x, "S": s,
        "D": stepper(dd.sgd(), {"w": np.ones((2, 3)), "b": np.ones(3)}),
        "L": stepper(dd.sgd(), [np.ones((2, 3)), np.ones(3)]),
        "P": stepper(dd.polyak_sgd(), np.ones(3)),
        "SAVED": "saved.ckpt", "CHAIN": "chain.ckpt",
    }  # fmt: skip


@pytest.fixture(scope="module")
def light():
    """What calls on rules alone may name."""
    x = np.array([1.0, 2.0, 3.0])
    return {"dd": dd, "np": np, "nan": math.nan, "inf": math.inf, "Decimal": Decimal, "Path": Path, "X": x}  # fmt: skip


def refused(call, kind, sentence, names):
    known = {
        "{rules}": list_rules(),
        "{links}": sorted({*REGISTRY, *TRANSFORMS}),
        "{schedules}": sorted(SCHEDULES),
    }
    for mark, words in known.items():
        sentence = sentence.replace(mark, ", ".join(words))
    with pytest.raises(errors.DescendError) as caught:
        eval(call, dict(names))
    assert type(caught.value).__name__ == kind
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("call", "kind", "sentence"), [r for r in ROWS if not r.id.startswith("steppers")])  # fmt: skip
def test_a_rule_says_what_it_must_be_given(call, kind, sentence, light):
    before = {name: dict(vars(made)) for name, made in {**REGISTRY, **TRANSFORMS}.items()}
    refused(call, kind, sentence, light)
    assert {n: dict(vars(made)) for n, made in {**REGISTRY, **TRANSFORMS}.items()} == before
    assert light["X"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("call", "kind", "sentence"), [r for r in ROWS if r.id.startswith("steppers")])  # fmt: skip
def test_a_stepper_refuses_before_anything_changes(call, kind, sentence, scene, tmp_path):
    def facts():
        files = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        return files, scene["X"].tobytes(), [bits(scene[name]) for name in "SDLP"]

    before = facts()
    refused(call, kind, sentence, scene)
    assert facts() == before


def bits(stepper):
    """All that a stepper holds."""
    state = [np.asarray(a).tobytes() for v in stepper.state.values() for a in (parts(v) if not isinstance(v, float) else [v])]  # fmt: skip
    return stepper.t, [a.tobytes() for a in parts(stepper.x)], state
