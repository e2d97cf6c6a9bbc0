"""What the tests against other libraries share: one random tape, and each library stepping on it in float64."""

import importlib
import inspect
import math
import warnings

import numpy as np
import pytest

import descend as dd

STEPS, SIZE = 60, 12
TOLERANCE = 1e-12
"""For 60 steps: both sides round about ten times a step (2e-16 each) and order operations in their own ways; formulas that
differ (an eps inside a root, a correction left out) differ by 1e-3 and more here."""


def library(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the imports alone: theirs, not ours
        return pytest.importorskip(name, exc_type=ImportError)


@pytest.fixture
def tape():
    """The gradients of every trace, shape (STEPS, SIZE); sizes differ by element, so that a wrong eps or norm shows."""
    return np.random.default_rng(0).standard_normal((STEPS, SIZE)) * np.logspace(-3, 1, SIZE)


@pytest.fixture
def start():
    """The parameters that every trace starts from."""
    return np.random.default_rng(1).standard_normal(SIZE)


@pytest.fixture
def close():
    """Assert that traces agree to the tolerance of 60 steps."""
    return lambda a, b: np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.fixture
def trace(tape, start):
    """``trace(update)``: the solution of a rule or chain after each step, shape (STEPS, SIZE)."""

    def run(update):
        stepper = dd.Stepper(update, start.copy())
        rows = []
        for g in tape:
            stepper.step(g)
            rows.append(stepper.solution.copy())
        return np.array(rows)

    return run


@pytest.fixture
def torch():
    """torch with float64 as its default, which NAdam's momentum product needs to be exact."""
    module = library("torch")
    before = module.get_default_dtype()
    module.set_default_dtype(module.float64)
    yield module
    module.set_default_dtype(before)


@pytest.fixture
def torch_trace(torch, tape, start):
    """``torch_trace(make)``: x after each step of the optimizer ``make([x])``, on ``schedule(optimizer)``, after ``clip([x])``."""

    def run(make, schedule=None, clip=None):
        return torch_walk(torch, [start], [[g] for g in tape], make, schedule, clip)[0]

    return run


def torch_walk(torch, starts, tapes, make, schedule=None, clip=None, answer=None):
    """All elements after each step, and those of the state that is the answer."""
    x = [torch.tensor(a, requires_grad=True) for a in starts]
    optimizer = make(x)
    scheduler = schedule(optimizer) if schedule else None
    rows, answers = [], []
    for g in tapes:
        for p, b in zip(x, g, strict=True):
            p.grad = torch.tensor(b)
        if clip:
            clip(x)
        optimizer.step()
        if scheduler:
            scheduler.step()
        rows.append(flat(p.detach().numpy() for p in x))
        kept = [optimizer.state[p][answer].numpy() for p in x] if answer else None
        answers.append(flat(kept) if answer else rows[-1])
    return np.array(rows), np.array(answers)


@pytest.fixture
def jax():
    """jax in float64, which is a setting of the whole process: put back after the test."""
    module = library("jax")
    before = module.config.jax_enable_x64
    module.config.update("jax_enable_x64", True)
    yield module
    module.config.update("jax_enable_x64", before)


@pytest.fixture
def optax(jax):
    library("optax.contrib")
    return library("optax")


@pytest.fixture
def optax_trace(jax, optax, tape, start):
    """``optax_trace(transformation, solution)``: ``solution(state, x)``, else x, after each step."""

    def run(transformation, solution=lambda state, x: x):
        x = jax.numpy.asarray(start)
        assert x.dtype == np.float64
        state = transformation.init(x)

        @jax.jit
        def step(g, state, x):
            updates, state = transformation.update(g, state, x)
            x = optax.apply_updates(x, updates)
            return state, x, solution(state, x)

        rows = []
        for g in tape:
            state, x, answer = step(jax.numpy.asarray(g), state, x)
            rows.append(np.array(answer))
        return np.array(rows)

    return run


@pytest.fixture
def keras(jax, monkeypatch):
    """Keras on jax, with float64 as its float."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    module = library("keras")
    if module.backend.backend() != "jax":
        pytest.skip("keras was imported with another backend")
    before = module.config.floatx()
    module.config.set_floatx("float64")
    yield module
    module.config.set_floatx(before)


@pytest.fixture
def keras_trace(keras, tape, start):
    """``keras_trace(optimizer)``: the variable after each step."""

    def run(optimizer):
        x = keras.Variable(start, dtype="float64")
        optimizer.build([x])
        rows = []
        for g in tape:
            optimizer.apply([keras.ops.convert_to_tensor(g)], [x])
            rows.append(np.array(x.value))
        return np.array(rows)

    return run


# ---- libraries that round to less than float64 themselves, without that


@pytest.fixture
def exact_torch(torch, monkeypatch):
    """torch's Muon rounds its iteration to bfloat16; its own text without that is compiled in its place."""
    module = importlib.import_module("torch.optim._muon")
    name = "_zeropower_via_newtonschulz"
    text = inspect.getsource(getattr(module, name))
    assert text.count(".bfloat16()") == 1
    scope = dict(vars(module))
    exec(text.replace(".bfloat16()", ".clone()"), scope)
    monkeypatch.setattr(module, name, scope[name])
    return torch


@pytest.fixture
def exact_keras(keras, jax, monkeypatch):
    """Keras computes means, norms and cosines in float32 whatever the dtype is; JAX's own are put in their place."""
    ops = importlib.import_module("keras.src.ops")
    plain = ops.convert_to_tensor
    monkeypatch.setattr(ops, "mean", lambda x, **axes: jax.numpy.mean(plain(x), **axes))
    monkeypatch.setattr(ops, "cos", jax.numpy.cos)
    monkeypatch.setattr(ops, "norm", lambda x, **axes: jax.numpy.linalg.norm(plain(x), **axes))
    return keras


@pytest.fixture
def exact_optax(optax, jax, monkeypatch):
    """optax computes the decay rate of Adafactor, 1 − t^(−0.8), in float32; here it is in float64."""
    exact = lambda i, exponent: 1 - jax.numpy.asarray(i + 1, jax.numpy.float64) ** -exponent
    scale = importlib.import_module("optax._src.factorized").scale_by_factored_rms
    monkeypatch.setattr(scale, "__defaults__", (*scale.__defaults__[:-1], exact))
    return optax


# ---- several arrays, whose norms differ: what clips or scales each array alone shows


@pytest.fixture
def shapes():
    """Of the arrays; a test of others parametrizes ``shapes``."""
    return (3, 4), (5,)


@pytest.fixture
def two_starts(shapes):
    rng = np.random.default_rng(3)
    return [0.1 ** min(i, 1) * rng.standard_normal(s) for i, s in enumerate(shapes)]


@pytest.fixture
def two_tapes(shapes):
    """The gradients of the arrays, one of each a step; sizes differ by element and array."""
    rng = np.random.default_rng(2)
    sizes = [np.logspace(-3 if i == 0 else 0, 1, math.prod(s)) for i, s in enumerate(shapes)]
    return [
        [rng.standard_normal(s) * a.reshape(s) for s, a in zip(shapes, sizes, strict=True)]
        for _ in range(STEPS)
    ]


@pytest.fixture
def two_traces(two_starts, two_tapes):
    """``two_traces(update)``: x of all arrays after each step, shape (STEPS, elements), and the solution."""

    def run(update, value=None):
        x = [a.copy() for a in two_starts]
        stepper = dd.Stepper(update, x)
        rows, answers = [], []
        for t, g in enumerate(two_tapes):
            stepper.step(g, None if value is None else value[t])
            rows.append(flat(x))
            answers.append(flat(stepper.solution))
        return np.array(rows), np.array(answers)

    return run


def flat(arrays):
    return np.concatenate([np.array(a).ravel() for a in arrays])


@pytest.fixture
def two_torch_traces(torch, two_starts, two_tapes):
    """``two_torch_traces(make, schedule)``: x after each step of the optimizer ``make(parameters)``."""

    def run(make, schedule=None, answer=None):
        return torch_walk(torch, two_starts, two_tapes, make, schedule, answer=answer)

    return run


@pytest.fixture
def two_keras_traces(keras, two_starts, two_tapes):
    """``two_keras_traces(optimizer)``: the variables after each step, and their averages where it keeps them."""

    def run(optimizer):
        x = [keras.Variable(a, dtype="float64") for a in two_starts]
        optimizer.build(x)
        rows, answers = [], []
        for g in two_tapes:
            optimizer.apply([keras.ops.convert_to_tensor(b) for b in g], x)
            rows.append(flat(v.value for v in x))
            kept = optimizer._model_variables_moving_average if optimizer.use_ema else x
            answers.append(flat(v.value for v in kept))
        return np.array(rows), np.array(answers)

    return run


@pytest.fixture
def two_optax_traces(jax, optax, two_starts, two_tapes):
    """``two_optax_traces(transformation, values)``: x after each step."""

    def run(transformation, value=None):
        x = [jax.numpy.asarray(a) for a in two_starts]
        state = transformation.init(x)
        update = optax.with_extra_args_support(transformation).update

        @jax.jit
        def step(g, state, x, value):
            updates, state = update(g, state, x, value=value)
            return optax.apply_updates(x, updates), state

        rows = []
        for t, g in enumerate(two_tapes):
            x, state = step(g, state, x, 0.0 if value is None else value[t])
            rows.append(flat(x))
        return np.array(rows)

    return run
