"""Every call under "Same as" in a docstring takes the steps of what it stands at: the docstrings are the table of these tests.

The section of a rule, transform, wrapper or schedule holds calls alone, with commas between them. Those of rules stand for the rule with
its defaults; those of transforms and wrappers for it in a chain with SGD, at the call's rate or 0.01; in those of schedules, the names of its fields
stand for their values. What a library rounds to less than float64 itself is compared without that (the fixtures ``exact_…``).
"""

import ast
import dataclasses
import re

import numpy as np
import pytest

import descend as dd
from descend._rule import REGISTRY, TRANSFORMS, After
from descend.cli.facts import sections
from descend.schedules import SCHEDULES

SECTION = re.compile(r"``[^`]+``(, ``[^`]+``)*\.")
TICKS = re.compile(r"``([^`]+)``")
UPDATES = 60
VALUES = np.random.default_rng(5).uniform(1.0, 9.0, UPDATES)
"""Of the function, for the rules that read it."""


def kept(table):
    """What descend itself defines: other tests enter rules of their own."""
    return {name: made for name, made in table.items() if made.__module__.startswith("descend.")}


def same_as(made):
    return sections(made.__doc__).get("Same as", "")


def calls(table):
    """(name, call) for each call of each section."""
    return [(name, call) for name, made in sorted(table.items()) for call in TICKS.findall(same_as(made))]  # fmt: skip


RULES = {name: REGISTRY[name] for name in dd.list_rules() if name in kept(REGISTRY)}
LINKS = kept(TRANSFORMS)
VALUED = {**SCHEDULES, "plateau": dd.plateau}


def named():
    return [*RULES, *LINKS, *VALUED]


@pytest.mark.parametrize("name", named())
def test_same_as_is_calls_and_nothing_else(name):
    section = same_as({**RULES, **LINKS, **VALUED}[name])
    assert not section or re.fullmatch(SECTION, section), section
    for call in TICKS.findall(section):
        assert isinstance(ast.parse(call, mode="eval").body, ast.Call)
        assert way(SCHEDULE_WAYS if name in VALUED else WAYS, call), call


def test_most_rules_have_a_twin():
    assert len({name for name, _ in calls(RULES)}) > len(RULES) / 2


# ---- how to step each library


def evaluated(call, names, first=""):
    """The value of a call, with one more argument before its others."""
    open_at = call.index("(") + 1
    rest = call[open_at:]
    return eval(f"{call[:open_at]}{first}{', ' if first and rest != ')' else ''}{rest}", names)


def torch_steps(request, call, values):
    torch, walk = request.getfixturevalue("exact_torch"), request.getfixturevalue("two_torch_traces")  # fmt: skip
    answer = "ax" if call.startswith("torch.optim.ASGD(") else None
    x, solution = walk(lambda p: evaluated(call, {"torch": torch, "p": p}, "p"), answer=answer)
    return x, solution if answer else None


def averaged_steps(request, call, values):
    """A model of the arrays that SGD moves, and its average."""
    torch = request.getfixturevalue("torch")
    starts, tapes = request.getfixturevalue("two_starts"), request.getfixturevalue("two_tapes")
    model = torch.nn.ParameterList(torch.tensor(a) for a in starts)
    average = evaluated(call, {"torch": torch, "model": model}, "model")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    rows = []
    for g in tapes:
        for p, b in zip(model, g, strict=True):
            p.grad = torch.tensor(b)
        optimizer.step()
        average.update_parameters(model)
        pair = (model.parameters(), average.parameters())
        rows.append([np.concatenate([p.detach().numpy().ravel() for p in ps]) for ps in pair])
    x, solution = zip(*rows, strict=True)
    return np.array(x), np.array(solution)


def keras_steps(request, call, values):
    keras, walk = request.getfixturevalue("exact_keras"), request.getfixturevalue("two_keras_traces")  # fmt: skip
    optimizer = evaluated(call, {"keras": keras})
    x, solution = walk(optimizer)
    return x, solution if optimizer.use_ema else None


def optax_steps(request, call, values):
    optax, walk = request.getfixturevalue("exact_optax"), request.getfixturevalue("two_optax_traces")  # fmt: skip
    return walk(evaluated(call, {"optax": optax}), values), None


def optax_link_steps(request, call, values):
    optax, walk = request.getfixturevalue("exact_optax"), request.getfixturevalue("two_optax_traces")  # fmt: skip
    made = evaluated(call, {"optax": optax})
    return walk(made if "optax.sgd(" in call else optax.chain(made, optax.sgd(0.01))), None


WAYS = {
    "torch.optim.swa_utils.AveragedModel(": averaged_steps,
    "torch.optim.": torch_steps,
    "keras.optimizers.": keras_steps,
    "optax.": optax_steps,
}
"""For the beginning of a call, how to take its steps: x after each, and the answer where the library keeps one beside it."""
ARRAYS = ((3, 4), (5,), (6, 2), (2, 3, 5))
SHAPES = {
    "torch.optim.Muon(": ((3, 4), (5, 3), (1, 6)),  # it takes only matrices
    "optax.adafactor(": ((3, 4), (5,), (129, 130)),  # factored from 128 elements on
}


def way(table, call, usual=None):
    return next((found for start, found in table.items() if call.startswith(start)), usual)


def in_shapes(pairs):
    return [(name, call, way(SHAPES, call, ARRAYS)) for name, call in pairs]


def tolerance(*rules):
    """1e-12 for sixty steps, as for other twins; at β₂ = 0.999 the libraries' 1 - β₂ᵗ has lost three digits at the first steps."""
    betas = [h.default for rule in rules for k, h in rule.hyperparameters.items() if "beta" in k]
    return 1e-11 if any(0.99 <= beta < 1 for beta in betas) else 1e-12


def assert_same(ours, theirs, allowed):
    for a, b in zip(ours, theirs, strict=True):
        if b is not None:
            np.testing.assert_allclose(a, b, rtol=allowed, atol=allowed)
    assert np.abs(theirs[0][-1] - theirs[0][0]).mean() > 1e-9


@pytest.mark.parametrize(("name", "call", "shapes"), in_shapes(calls(RULES)), ids=str)
def test_rule_takes_the_steps_of_the_call(request, two_traces, name, call):
    theirs = way(WAYS, call)(request, call, VALUES)
    assert_same(two_traces(dd.find_rule(name)(), VALUES), theirs, tolerance(RULES[name]))


@pytest.mark.parametrize(("name", "call", "shapes"), in_shapes(calls(LINKS)), ids=str)
def test_link_takes_the_steps_of_the_call(request, two_traces, name, call):
    step = way({**WAYS, "optax.": optax_link_steps}, call)
    rate = re.search(r"(?i:sgd)\((?:lr=|learning_rate=)?([\d.]+)", call)
    link, sgd = LINKS[name](), dd.sgd(lr=float(rate[1]) if rate else 0.01)
    parts = (sgd, link) if isinstance(LINKS[name], After) else (link, sgd)
    theirs = step(request, call, None)
    assert_same(two_traces(dd.chain(*parts)), theirs, tolerance(LINKS[name]))


# ---- schedules

FIELDS = {
    "value": 0.1, "steps": 40, "every": 7, "factor": 0.5, "boundaries": (4, 20), "schedules": (0.1, 0.05, 0.01), "rate": 0.9, "power": 1.5,
    "end": 0.01, "start": 0.04, "rise": 0.31, "peak": 0.3, "up": 5, "down": 8, "growth": 2, "decay": 0.8, "mode": "min", "patience": 1,
    "threshold": 0.1, "threshold_mode": "rel", "cooldown": 2, "least": 0.02, "eps": 0.001,
}  # fmt: skip
"""A value for each field; those that a call does not name keep their defaults."""


def filled(made, call):
    """The schedule at the values above, and these."""
    named = {node.id for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)}
    fields = [f for f in dataclasses.fields(made) if f.init]
    given = {f.name: FIELDS[f.name] for f in fields if f.name in named or f.default is dataclasses.MISSING}  # fmt: skip
    return made(**given), given


def torch_values(request, call, given, measured):
    torch = request.getfixturevalue("torch")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=given["value"])
    scheduler = evaluated(call, {"torch": torch, "optimizer": optimizer, **given}, "optimizer")
    yield optimizer.param_groups[0]["lr"]
    for measurement in measured[:-1]:
        optimizer.step()
        scheduler.step(*([measurement] if "Plateau" in call else []))
        yield optimizer.param_groups[0]["lr"]


def counted_values(name, fixture):
    """Of libraries whose schedules are functions of the count from 0."""

    def values(request, call, given, measured):
        module = request.getfixturevalue(fixture)
        schedule = evaluated(call, {name: module, **given})
        yield from (float(schedule(np.float64(t))) for t in range(len(measured)))

    return values


SCHEDULE_WAYS = {
    "torch.optim.lr_scheduler.": torch_values,
    "keras.optimizers.schedules.": counted_values("keras", "exact_keras"),
    "optax.": counted_values("optax", "optax"),
}


@pytest.mark.parametrize(("name", "call"), calls(VALUED), ids=str)
def test_schedule_has_the_values_of_the_call(request, name, call):
    ours, given = filled(VALUED[name], call)
    updates = getattr(ours, "total", None) or UPDATES  # torch's cosine rises after its end
    measured = np.random.default_rng(6).uniform(0.5, 1.5, updates) * np.exp(-np.arange(updates) / 60)  # fmt: skip
    theirs = [*way(SCHEDULE_WAYS, call)(request, call, given, measured.tolist())]
    mine = []
    for t, measurement in enumerate(measured.tolist(), 1):
        mine.append(ours(t))
        if name == "plateau":
            ours.observe(measurement)
    # recurrences of torch multiply the last rate by a factor some fifty times, rounding each time
    np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-15)
    assert len(set(mine)) > 2


# ---- the tests see a wrong call

WRONG = [
    ("adam", "torch.optim.Adam(lr=0.001, eps=1e-7)", ARRAYS),
    ("adam_eps_hat", "optax.adam(0.001, eps=1e-7)", ARRAYS),
    ("nesterov", "keras.optimizers.SGD(0.01, momentum=0.9)", ARRAYS),
    ("averaged_sgd", "torch.optim.swa_utils.AveragedModel(avg_fn=lambda a, x, n: x)", ARRAYS),
]


@pytest.mark.parametrize(("name", "call", "shapes"), WRONG, ids=str)
def test_a_wrong_call_fails(request, two_traces, name, call):
    theirs = way(WAYS, call)(request, call, VALUES)
    with pytest.raises(AssertionError):
        assert_same(two_traces(dd.find_rule(name)()), theirs, tolerance(RULES[name]))


@pytest.mark.parametrize("text", ["``optax.adam(1)`` but for ε.", "as ``torch.Adam()``.", "``torch.Adam()``; ``optax.adam(1)``."])  # fmt: skip
def test_words_between_calls_fail(text):
    assert not re.fullmatch(SECTION, text)
