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
    """``torch_trace(make)``: x after each step of the optimizer ``make([x])``."""

    def run(make):
        x = torch.tensor(start(), requires_grad=True)
        optimizer = make([x])
        rows = []
        for g in gradients():
            x.grad = torch.tensor(g)
            optimizer.step()
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
