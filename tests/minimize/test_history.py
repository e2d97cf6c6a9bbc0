"""The history: its rows are what happened."""

import pickle
import sys

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from descend._minimize.driver import minimize
from descend._minimize.history import COLUMNS, History
from descend.errors import MissingDependencyError

CURVATURES = np.array([1.0, 10.0])


def quadratic(x):
    return 0.5 * float(x @ (CURVATURES * x)), CURVATURES * x


@pytest.fixture
def run():
    return minimize(quadratic, [3.0, -1.0], method="gd:lr=0.1", jac=True, maxiter=6, keep_x=True)


def test_every_row_is_the_iteration_worked_out_by_hand(run):
    h, lr = run.history, 0.1
    x = np.array([3.0, -1.0]) * (1 - lr * CURVATURES) ** np.arange(7)[:, None]
    s, g = np.diff(x, axis=0), x * CURVATURES
    close = {"rtol": 1e-12, "atol": 1e-15}  # a handful of roundings
    np.testing.assert_allclose(h.x, x, **close)
    np.testing.assert_allclose(h.fun, 0.5 * (x * g).sum(1), **close)
    np.testing.assert_allclose(h.grad_norm, np.abs(g).max(1), **close)
    np.testing.assert_allclose(h.step_norm[1:], np.sqrt((s**2).sum(1)), **close)
    np.testing.assert_allclose(h.ss[1:], (s**2).sum(1), **close)
    np.testing.assert_allclose(h.sy[1:], (s * np.diff(g, axis=0)).sum(1), **close)
    np.testing.assert_allclose(h.yy[1:], (np.diff(g, axis=0) ** 2).sum(1), **close)
    assert h.lr[1:].tolist() == [lr] * 6


def test_the_counts_rise_to_those_of_the_result(run):
    h = run.history
    assert h.nit.tolist() == list(range(7))
    assert h.nfev[-1] == run.nfev == 7
    assert (np.diff(h.nfev) > 0).all()
    assert (np.diff(h.time) >= 0).all()
    assert h.nit.dtype == h.nfev.dtype == np.int64


def test_the_first_row_has_no_step(run):
    assert np.isnan([run.history[name][0] for name in ("step_norm", "lr", "ss", "sy", "yy")]).all()


def test_names_are_attributes_keys_and_the_iteration(run):
    h = run.history
    assert list(h) == [*COLUMNS, "x"]
    assert h["fun"] is h.fun
    assert len(h) == 7
    assert repr(h).startswith("<History of 7 rows: nit, fun")


def test_an_unknown_name_is_answered_with_the_nearest(run):
    with pytest.raises(AttributeError, match="Did you mean 'grad_norm'"):
        run.history.gradnorm  # noqa: B018
    with pytest.raises(KeyError, match="Did you mean 'fun'"):
        run.history["funn"]


def test_nothing_can_be_changed(run):
    with pytest.raises(ValueError, match="read-only"):
        run.history.fun[0] = 0.0
    with pytest.raises(TypeError):
        run.history.arrays["fun"] = np.zeros(7)
    with pytest.raises(AttributeError):
        run.history.arrays = {}


def test_it_can_be_pickled(run):
    again = pickle.loads(pickle.dumps(run.history))
    assert list(again) == list(run.history)
    np.testing.assert_array_equal(again.x, run.history.x)


def test_x_has_the_shape_of_x0():
    def f(x):
        return float((x * x).sum()), 2 * x

    r = minimize(f, np.ones((2, 3)), jac=True, keep_x=True, maxiter=3)
    assert r.history.x.shape == (len(r.history), 2, 3)
    assert "x" not in minimize(f, np.ones((2, 3)), jac=True).history


def test_the_figure_shows_error_and_gradient_against_evaluations(run, tmp_path):
    figure = run.history.plot(tmp_path / "run.png")
    (axes,) = figure.axes
    error, gradient = axes.lines
    assert axes.get_yscale() == "log"
    assert error.get_xdata().tolist() == run.history.nfev[:-1].tolist()  # the last is 0
    np.testing.assert_array_equal(gradient.get_ydata(), run.history.grad_norm)
    assert (tmp_path / "run.png").stat().st_size > 1000


def test_pandas_gets_a_column_per_name(run):
    pandas = pytest.importorskip("pandas")
    frame = run.history.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame) == [*COLUMNS, "x0", "x1"]
    np.testing.assert_array_equal(frame["x1"], run.history.x[:, 1])


def test_without_pandas_one_sentence_says_so(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        run.history.to_pandas()


def test_a_history_can_be_made_by_hand():
    h = History({"nit": np.arange(3), "fun": np.array([4.0, 1.0, 0.0])})
    assert len(h) == 3
    assert h.fun.tolist() == [4.0, 1.0, 0.0]


@pytest.mark.parametrize("bounds", [None, [(-1.0, 0.8)] * 4])
@pytest.mark.parametrize("method", ["lbfgs", "bfgs", "cg", "gd", "owlqn:l1=1.0"])
@pytest.mark.filterwarnings("ignore:Method .* cannot handle bounds")
def test_the_products_are_those_of_the_steps_whoever_computed_them(method, bounds):
    r = minimize(
        rosen, [-0.9, 0.5, -1.0, 0.2], method=method, jac=rosen_der, bounds=bounds, keep_x=True
    )
    h = r.history
    s = np.diff(h.x, axis=0)
    y = np.diff([rosen_der(x) for x in h.x], axis=0)
    for name, a, b in (("ss", s, s), ("sy", s, y), ("yy", y, y)):
        # four products, summed in another order
        np.testing.assert_allclose(h[name][1:], (a * b).sum(axis=1), rtol=1e-12, atol=1e-300)
