"""Derivatives by jax and torch are the analytic ones."""

import functools

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der, rosen_hess

import descend as dd
from descend._minimize.autodiff import FRAMEWORKS
from descend._minimize.objective import Objective
from descend.errors import MissingDependencyError, ProblemError

X = np.array([-1.2, 1.0, 0.7])


def framework(name):
    if name == "jax":
        jax = pytest.importorskip("jax")
        return lambda x: jax.numpy.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    pytest.importorskip("torch")
    return lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


@pytest.fixture(params=["jax", "torch", "jitted"])
def rosen_of(request, jax):
    """``(name, fun)`` with float64 in jax."""
    name = "torch" if request.param == "torch" else "jax"
    fun = framework(name)
    return name, jax.jit(fun) if request.param == "jitted" else fun


def test_frameworks_give_the_analytic_derivatives(rosen_of):
    name, fun = rosen_of
    o = Objective(fun, X, jac=name)
    v = np.array([1.0, -2.0, 0.5])
    # a few roundings of terms near 1e3
    np.testing.assert_allclose(o.value(X), rosen(X), rtol=1e-14)
    np.testing.assert_allclose(o.gradient(X), rosen_der(X), rtol=1e-13)
    np.testing.assert_allclose(o.hessian(X), rosen_hess(X), atol=1e-11)
    np.testing.assert_allclose(o.hessian_product(X, v), rosen_hess(X) @ v, atol=1e-11)
    assert (o.nfev, o.njev, o.nhev) == (1, 1, 2)
    assert o.gradient(X).dtype == np.float64


def test_frameworks_take_shapes_and_further_arguments(rosen_of):
    name, fun = rosen_of
    o = Objective(
        lambda x, a: a * fun(x.reshape(-1)),
        np.arange(4.0),
        lambda v: v,
        (2, 2),
        args=(3.0,),
        jac=name,
    )
    x = np.linspace(-1, 1, 4)
    np.testing.assert_allclose(o.gradient(x), 3 * rosen_der(x), rtol=1e-13)
    np.testing.assert_allclose(o.hessian_product(x, x), 3 * rosen_hess(x) @ x, atol=1e-11)


def test_an_x0_of_a_framework_means_that_framework(jax):
    torch = pytest.importorskip("torch")
    for name, own in (("jax", jax.numpy.array), ("torch", torch.tensor)):
        o = Objective(framework(name), X, own, (3,), name)
        np.testing.assert_allclose(o.gradient(X), rosen_der(X), rtol=1e-13)
        assert o.nfev == 1  # differences would have taken four calls


def test_a_jac_of_ones_own_gets_and_gives_tensors():
    torch = pytest.importorskip("torch")
    o = Objective(
        lambda x: (x**2).sum(),
        X,
        torch.tensor,
        (3,),
        "torch",
        jac=lambda x: (2 * x).requires_grad_(),
    )
    assert o.value_and_gradient(X)[1].tolist() == (2 * X).tolist()
    assert type(o.value(X)) is float


def test_float32_of_a_framework_is_converted_and_differenced_with_its_steps():
    torch = pytest.importorskip("torch")
    own = functools.partial(torch.tensor, dtype=torch.float32)
    o = Objective(lambda x: (x**2).sum(), X, own, (3,), "torch")
    assert o.value_and_gradient(X)[1].dtype == np.float64
    o = Objective(lambda x: (x**2).sum(), X, own, (3,), "torch", jac="2-point")
    # f near 3 is rounded at 2e-7 and divided by a step of 3e-4
    np.testing.assert_allclose(o.gradient(X), 2 * X, atol=5e-3)


def test_jax_without_float64_works_in_float32():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.warns(RuntimeWarning, match=r"jax.config.update\('jax_enable_x64', True\)"):
            o = Objective(framework("jax"), X, jac="jax")
        f, g = o.value_and_gradient(X)
    finally:
        jax.config.update("jax_enable_x64", before)
    assert type(f) is float
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, rosen_der(X), rtol=1e-4)  # a few roundings at 1e-7


def test_a_torch_function_that_loses_its_graph_is_told_so():
    pytest.importorskip("torch")
    for lost in (lambda x: x.sum().item(), lambda x: x.detach().sum()):
        with pytest.raises(ProblemError, match=r"no item\(\), detach"):
            Objective(lost, X, jac="torch").value(X)
    with pytest.raises(ProblemError, match="real number; got a tensor of shape"):
        Objective(lambda x: 2 * x, X, jac="torch").value(X)


def test_a_linear_torch_function_has_no_curvature():
    pytest.importorskip("torch")
    o = Objective(lambda x: (3 * x).sum(), X, jac="torch")
    assert o.hessian_product(X, X).tolist() == [0, 0, 0]
    assert not o.hessian(X).any()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_missing_framework_says_how_to_get_it(name, monkeypatch):
    def missing(module):
        raise ImportError(module)

    monkeypatch.setattr("descend._minimize.autodiff.import_module", missing)
    with pytest.raises(MissingDependencyError, match=f"pip install {name}"):
        Objective(rosen, X, jac=name)


def test_autograd_differentiates_what_is_written_with_its_numpy() -> None:
    anp = pytest.importorskip("autograd.numpy")

    def fun(x, a):
        return anp.sum(a * (x[1:] - x[:-1] ** 2) ** 2) + anp.sum((1 - x[:-1]) ** 2)

    r = dd.minimize(fun, [-1.2, 1.0, 0.5], (100.0,), "bfgs", jac="autograd")
    # gtol 1e-5 over the least curvature there, about 0.5
    np.testing.assert_allclose(r.x, 1.0, atol=1e-4)
    assert r.success
    newton = dd.minimize(fun, [-1.2, 1.0, 0.5], (100.0,), "newton", jac="autograd")
    assert newton.success
    trust = dd.minimize(fun, [-1.2, 1.0, 0.5], (100.0,), "newton_cg", jac="autograd")
    np.testing.assert_allclose(trust.x, newton.x, atol=1e-4)
