"""The published tape and iterates (conformance/), without any other library."""

import json
from pathlib import Path

import numpy as np
import pytest

import descend as dd
from descend._rule import REGISTRY

FOLDER = Path(__file__).parent.parent / "conformance"
TAPE = json.loads((FOLDER / "tape.json").read_text())
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
OURS = [name for name in dd.list_rules() if REGISTRY[name].__module__.startswith("descend.")]
TOLERANCE = 1e-12
"""Of 24 steps at most: as in the tests against the live libraries."""


def arrays(rows):
    return [np.array(a, dtype=np.float64) for a in rows]


@pytest.mark.parametrize("name", EXPECTED)
def test_rule_takes_the_published_steps(name):
    entry = EXPECTED[name]
    tape = entry.get("tape", TAPE)
    x = arrays(tape["x"])
    stepper = dd.Stepper(dd.find_rule(name)(**entry["settings"]), x)
    values = tape.get("value", [None] * len(tape["g"]))
    assert len(entry["steps"]) == len(tape["g"]) >= 3
    estimates = [arrays(row) for row in tape.get("curvature", [])] or [None] * len(tape["g"])
    for g, value, h, step in zip(tape["g"], values, estimates, entry["steps"], strict=True):
        stepper.step(arrays(g), value, curvature=h)
        for ours, theirs in ((x, step["x"]), (stepper.solution, step.get("solution"))):
            for a, b in zip(ours, arrays(theirs), strict=True) if theirs else ():
                np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)


def test_every_rule_is_published_with_its_source_and_all_settings():
    assert sorted(EXPECTED) == sorted(OURS)
    for name, entry in EXPECTED.items():
        assert set(entry["settings"]) == set(dd.find_rule(name).hyperparameters)
        assert entry["source"].startswith(("torch.optim.", "keras.optimizers.", "optax.", "decimals worked out from "))  # fmt: skip


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.json")) < 1_000_000
