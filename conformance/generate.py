"""Write the tape and what every rule makes of it: ``python conformance/generate.py`` (with torch, Keras and optax installed).

Where a library has the rule, the iterates are that library's own, in float64; for the rest they are those of ``tests/golden``, worked
out from the papers in decimals, on its tape of three steps. Nothing of descend steps here; `dd.translate`'s tables name the calls.
"""

import importlib
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests" / "golden"
STEPS = 24

import numpy as np  # noqa: E402

from descend.twins import FRAMEWORKS  # noqa: E402
from descend.twins._translate import _arguments, _text  # noqa: E402


def tape():
    """Parameters of two arrays and STEPS gradients: multiples of 1/1024, which any decimal reader gets exactly."""
    rng = np.random.default_rng(7)
    shapes = [(2, 2), (3,)]
    x = [np.round(rng.standard_normal(s) * 1024) / 1024 for s in shapes]
    sizes = [np.array([[0.125, 1.0], [4.0, 0.5]]), np.array([1.0, 2.0, 0.25])]
    g = [
        [np.round(rng.standard_normal(s.shape) * s * 1024) / 1024 for s in sizes]
        for _ in range(STEPS)
    ]
    return x, g


def torch_walk(make, x, g, answer):
    import torch

    torch.set_default_dtype(torch.float64)
    x = [torch.tensor(a, requires_grad=True) for a in x]
    optimizer = make(x)
    for row in g:
        for p, b in zip(x, row, strict=True):
            p.grad = torch.tensor(b)
        optimizer.step()
        yield (
            [p.detach().numpy().copy() for p in x],
            [optimizer.state[p][answer].numpy().copy() for p in x] if answer else None,
        )


def keras_walk(optimizer, x, g):
    import keras

    x = [keras.Variable(a, dtype="float64") for a in x]
    optimizer.build(x)
    for row in g:
        optimizer.apply([keras.ops.convert_to_tensor(b) for b in row], x)
        yield [np.array(v.value) for v in x], None


def optax_walk(transformation, x, g):
    import jax
    import optax

    x = [jax.numpy.asarray(a) for a in x]
    state, update = transformation.init(x), jax.jit(transformation.update)
    for row in g:
        updates, state = update([jax.numpy.asarray(b) for b in row], state, x)
        x = optax.apply_updates(x, updates)
        yield [np.array(a) for a in x], None


NOT_FROM_LIBRARIES = {
    "polyak_sgd",  # needs values
    "adafactor_clamped",  # torch clips at 1 and above
    # which the libraries round to float32 or bfloat16 themselves
    *("adafactor", "adafactor_constant", "muon", "muon_rms", "muon_trace"),
}


def live(rule, settings):
    """The first library's call that computes the rule at these settings, and its iterates; None where there is none."""
    from descend import find_rule
    from descend.twins._near import canonical

    bound = find_rule(rule)(**settings)
    for framework in FRAMEWORKS.values():
        if rule not in framework.calls or rule in NOT_FROM_LIBRARIES:
            continue
        name, parts = framework.calls[rule]
        arguments = _arguments(parts, settings)
        twin = framework.twins[name]
        if canonical(twin(**arguments)) != canonical(bound):
            continue
        module = importlib.import_module(framework.prefix)
        optimizer = getattr(module, name)
        x, g = tape()
        if framework.name == "torch":
            walk = torch_walk(
                lambda p, make=optimizer, a=arguments: make(p, **a),
                x,
                g,
                "ax" if rule == "asgd" else None,
            )
        elif framework.name == "keras":
            walk = keras_walk(optimizer(**arguments), x, g)
        else:
            walk = optax_walk(optimizer(**arguments), x, g)
        version = sys.modules[framework.name].__version__.partition("+")[0]
        return {
            "source": f"{_text(framework, twin, arguments)} of {framework.name} {version}",
            "steps": [*rows(walk)],
        }
    return None


def rows(walk):
    for x, answer in walk:
        step = {"x": [a.tolist() for a in x]}
        yield {**step, "solution": [a.tolist() for a in answer]} if answer else step


def from_paper(golden, solution):
    """The golden trace as an entry with a tape of its own: one array."""

    def number(v):
        return [number(a) if isinstance(a, list) else float(a) for a in v]

    steps = [
        {"x": [number(s["x"])], **({"solution": [number(s[solution])]} if solution != "x" else {})}
        for s in golden["steps"]
    ]
    own = {
        "x": [number(golden["x"])],
        "g": [[number(g)] for g in golden["g"]],
        "value": number(golden["value"]),
    }
    if "curvature" in golden["steps"][0]:
        own["curvature"] = [[number(step["curvature"])] for step in golden["steps"]]
    return {"source": f"decimals worked out from {golden['paper']}", "tape": own, "steps": steps}


def main(folder=HERE):
    import jax
    import keras

    from descend import find_rule

    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    x, g = tape()
    shared = {"x": [a.tolist() for a in x], "g": [[b.tolist() for b in row] for row in g]}
    (folder / "tape.json").write_text(json.dumps(shared) + "\n")
    lines = []
    for path in sorted(GOLDEN.glob("*.json")):
        golden = json.loads(path.read_text())
        rule = golden["rule"]
        settings = {k: float(v) for k, v in golden["settings"].items()}
        entry = live(rule, settings) or from_paper(golden, find_rule(rule).solution)
        lines.append(f"{json.dumps(rule)}: {json.dumps({'settings': settings, **entry})}")
    (folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
