"""Every rule against three steps worked out from its paper (tests/golden/generate.py, in decimals of 50 digits)."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import descend as dd
from descend._rule import REGISTRY
from descend._signature import first_value

GOLDEN = Path(__file__).parent / "golden"
OURS = [name for name in dd.list_rules() if REGISTRY[name].__module__.startswith("descend.")]
SCALE = {np.float64: 4, np.float32: 8}
"""Errors allowed, in units of the last place of a value, or of 1 for smaller ones. A step rounds about ten times;
float32 also rounds the hyperparameters' float64 expressions once each, and keeps the rounding of earlier states."""
AMPLIFYING = {
    # five steps of Newton–Schulz have the slope 3.4445⁵ = 485 at a singular value of 0
    **dict.fromkeys(("muon", "muon_rms", "muon_trace", "muon_corrected"), 485),
}
"""Rules that enlarge a rounding error, and by how much."""


def read(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def numbers(value):
    return np.array(value, dtype=np.float64)  # parsed from 40 digits, rounded once


def agree(value, expected, tolerance, name):
    """A state may be several arrays, one for each axis."""
    several = isinstance(value, tuple)
    for a, b in zip(value, expected, strict=True) if several else [(value, expected)]:
        np.testing.assert_allclose(a, numbers(b), rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("name", OURS)
def test_every_rule_has_a_golden_trace(name):
    golden = read(name)
    rule = dd.find_rule(name)
    assert golden["paper"]
    assert set(golden["settings"]) == set(rule.hyperparameters)
    assert all(float(v) != rule.hyperparameters[k].default for k, v in golden["settings"].items())
    assert set(golden["steps"][0]) == {"x", *(s.name for s in rule.states)}
    tape = numbers(golden["g"])
    assert len(golden["steps"]) == len(tape) == 3
    assert (tape.min(axis=0) < 0).all()
    assert (tape.max(axis=0) > 0).all()


def test_every_golden_trace_has_a_rule():
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == OURS


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", OURS)
def test_rule_follows_its_paper(name, dtype):
    golden = read(name)
    x = np.array(golden["x"], dtype=dtype)
    stepper = dd.Stepper(
        dd.find_rule(name)(**{k: float(v) for k, v in golden["settings"].items()}), x
    )
    tolerance = SCALE[dtype] * np.finfo(dtype).eps * AMPLIFYING.get(name, 1)
    for g, f, expected in zip(golden["g"], golden["value"], golden["steps"], strict=True):
        estimate = numbers(expected["curvature"]).astype(dtype) if "curvature" in expected else None
        stepper.step(np.array(g, dtype=dtype), float(f), curvature=estimate)
        for key, value in {"x": x, **stepper.state}.items():
            agree(value, expected[key], tolerance, key)


@pytest.mark.parametrize("name", OURS)
def test_plain_call_of_a_rule_follows_its_paper(name):
    golden = read(name)
    rule = dd.find_rule(name)
    settings = {k: float(v) for k, v in golden["settings"].items()}
    x = numbers(golden["x"])
    states = [
        first_value(s.start, x.shape, settings)
        if callable(s.start)
        else x
        if s.start == "x"
        else settings.get(s.start, s.start)
        for s in rule.states
    ]
    tolerance = 1e-15 * AMPLIFYING.get(name, 1)
    steps = zip(golden["g"], golden["value"], golden["steps"], strict=True)
    for t, (g, f, expected) in enumerate(steps, 1):
        fresh = {k: v for k, v in {"t": t, "value": float(f)}.items() if k in rule.fresh}
        named = zip(rule.states, states, strict=True)
        given = {"curvature": numbers(expected.get("curvature", []))}
        states = [given.get(s.name, state) for s, state in named]
        result = rule(x, numbers(g), *states, **settings, **fresh)
        x, *states = result if isinstance(result, tuple) else (result,)
        for value, name_ in zip((x, *states), ("x", *(s.name for s in rule.states)), strict=True):
            # NumPy computes 1 - beta**t itself: the settings are binary fractions, so it is exact up to t = 3
            agree(value, expected[name_], tolerance, name_)


def test_golden_traces_are_what_the_generator_writes(tmp_path):
    runpy.run_path(str(GOLDEN / "generate.py"))["main"](tmp_path)
    written = {path.name: path.read_text() for path in tmp_path.glob("*.json")}
    assert written == {path.name: path.read_text() for path in GOLDEN.glob("*.json")}
