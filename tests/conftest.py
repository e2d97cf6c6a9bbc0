"""What the tests against other libraries share: one random tape, and each library stepping on it in float64."""

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


def gradients():
    # sizes differ by element, so that a wrong eps or norm shows
    return np.random.default_rng(0).standard_normal((STEPS, SIZE)) * np.logspace(-3, 1, SIZE)


def start():
    return np.random.default_rng(1).standard_normal(SIZE)


@pytest.fixture
def tape():
    """The gradients of every trace, shape (STEPS, SIZE)."""
    return gradients()


@pytest.fixture(name="start")
def start_fixture():
    """The parameters that every trace starts from."""
    return start()


@pytest.fixture
def close():
    """Assert that two traces agree to the tolerance that 60 steps of rounding need."""
    return lambda a, b: np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.fixture
def trace():
    """``trace(update)``: the solution of a rule or chain after each step, shape (STEPS, SIZE)."""

    def run(update):
        stepper = dd.Stepper(update, start())
        rows = []
        for g in gradients():
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
def torch_trace(torch):
    """``torch_trace(make)``: x after each step of the optimizer ``make([x])``, on ``schedule(optimizer)``, after ``clip([x])``."""

    def run(make, schedule=None, clip=None):
        x = torch.tensor(start(), requires_grad=True)
        optimizer = make([x])
        scheduler = schedule(optimizer) if schedule else None
        rows = []
        for g in gradients():
            x.grad = torch.tensor(g)
            if clip:
                clip([x])
            optimizer.step()
            if scheduler:
                scheduler.step()
            rows.append(x.detach().numpy().copy())
        return np.array(rows)

    return run


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
def optax_trace(jax, optax):
    """``optax_trace(transformation, solution)``: ``solution(state, x)``, else x, after each step."""

    def run(transformation, solution=lambda state, x: x):
        x = jax.numpy.asarray(start())
        assert x.dtype == np.float64
        state = transformation.init(x)

        @jax.jit
        def step(g, state, x):
            updates, state = transformation.update(g, state, x)
            x = optax.apply_updates(x, updates)
            return state, x, solution(state, x)

        rows = []
        for g in gradients():
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
def keras_trace(keras):
    """``keras_trace(optimizer)``: the variable after each step."""

    def run(optimizer):
        x = keras.Variable(start(), dtype="float64")
        optimizer.build([x])
        rows = []
        for g in gradients():
            optimizer.apply([keras.ops.convert_to_tensor(g)], [x])
            rows.append(np.array(x.value))
        return np.array(rows)

    return run


# ---- two arrays, whose norms differ: what clips or scales each array alone shows


def two_starts():
    rng = np.random.default_rng(3)
    return [rng.standard_normal((3, 4)), 0.1 * rng.standard_normal(5)]


@pytest.fixture
def two_tapes():
    """The gradients of two arrays, one pair a step; sizes differ by element and array."""
    rng = np.random.default_rng(2)
    sizes = np.logspace(-3, 1, 12).reshape(3, 4), np.logspace(0, 1, 5)
    return [[rng.standard_normal(s.shape) * s for s in sizes] for _ in range(STEPS)]


@pytest.fixture
def two_traces(two_tapes):
    """``two_traces(update)``: x of both arrays after each step, shape (STEPS, 17), and the solution."""

    def run(update, value=None):
        x = two_starts()
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
def two_torch_traces(torch, two_tapes):
    """``two_torch_traces(make, schedule)``: x after each step of the optimizer ``make(parameters)``."""

    def run(make, schedule=None, answer=None):
        x = [torch.tensor(a, requires_grad=True) for a in two_starts()]
        optimizer = make(x)
        scheduler = schedule(optimizer) if schedule else None
        rows, answers = [], []
        for g in two_tapes:
            for p, b in zip(x, g, strict=True):
                p.grad = torch.tensor(b)
            optimizer.step()
            if scheduler:
                scheduler.step()
            rows.append(flat(p.detach().numpy() for p in x))
            kept = [optimizer.state[p][answer].numpy() for p in x] if answer else None
            answers.append(flat(kept) if answer else rows[-1])
        return np.array(rows), np.array(answers)

    return run


@pytest.fixture
def two_keras_traces(keras, two_tapes):
    """``two_keras_traces(optimizer)``: the variables after each step, and their averages where it keeps them."""

    def run(optimizer):
        x = [keras.Variable(a, dtype="float64") for a in two_starts()]
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
def two_optax_traces(jax, optax, two_tapes):
    """``two_optax_traces(transformation, values)``: x after each step."""

    def run(transformation, value=None):
        x = [jax.numpy.asarray(a) for a in two_starts()]
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
