"""Models: gradients against central differences, initial laws, texts."""

import math

import numpy as np
import pytest

from descend.errors import ProblemError, ShapeError, UnknownNameError
from descend.losses import get_loss
from descend.models import Mlp, get_model, list_models

PAIRS = [
    (model, loss, n_classes)
    for model in ("linear", "mlp:5", "mlp:6,4")
    for loss, n_classes in (
        ("squared", 0),
        ("huber", 0),
        ("log", 2),
        ("log", 4),
        ("hinge", 2),
        ("hinge", 4),
    )
]
PAIRS += [("softmax", "log", 2), ("softmax", "log", 4)]


def problem(model, loss, n_classes, n=9, d=3, seed=0):
    rng = np.random.default_rng(seed)
    loss = get_loss(loss)
    network = get_model(model).network(d, get_model(model).outputs(loss, n_classes))
    X = rng.normal(size=(n, d))
    y = rng.normal(size=n) if loss.task == "regression" else rng.integers(0, n_classes, n)
    # not the initial point: zeros would hide a wrong product
    return network, rng.normal(size=network.size) / 2, X, y, loss


@pytest.mark.parametrize(("model", "loss", "n_classes"), PAIRS)
def test_the_gradient_is_that_of_central_differences(model, loss, n_classes):
    network, x, X, y, loss = problem(model, loss, n_classes)
    value, gradient = network.value_and_gradient(x, X, y, loss)
    assert value == loss.value(network.scores(x, X), y)
    h = 1e-6
    numeric = np.array(
        [
            (
                loss.value(network.scores(x + step, X), y)
                - loss.value(network.scores(x - step, X), y)
            )
            / (2 * h)
            for step in h * np.eye(network.size)
        ]
    )
    # rounding 1e-15 of the values over 2h is 5e-10, truncation h**2 times a third derivative less
    np.testing.assert_allclose(gradient, numeric, rtol=0, atol=2e-8)
    assert np.abs(gradient).max() > 0.01


@pytest.mark.parametrize(("model", "loss", "n_classes"), PAIRS)
def test_the_order_of_the_rows_does_not_change_the_mean(model, loss, n_classes):
    network, x, X, y, loss = problem(model, loss, n_classes, n=40)
    order = np.random.default_rng(1).permutation(40)
    value, gradient = network.value_and_gradient(x, X, y, loss)
    shuffled, shuffled_gradient = network.value_and_gradient(x, X[order], y[order], loss)
    # sums of 40 terms in another order
    assert shuffled == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(shuffled_gradient, gradient, rtol=0, atol=1e-13)


def test_linear_scores_by_hand():
    x = np.array([1.0, 2.0, 3.0, 4.0, 10.0, 20.0])  # W row by row, then b
    X = np.array([[1.0, 0.0], [1.0, -1.0]])
    assert get_model("linear").scores(x, X).tolist() == [[11.0, 22.0], [8.0, 18.0]]


def test_the_scores_of_an_mlp_by_hand():
    # one relu unit with weights (1, -1) and bias 0.5, then times 2 plus 1
    x = np.array([1.0, -1.0, 0.5, 2.0, 1.0])
    X = np.array([[2.0, 1.0], [0.0, 3.0]])
    assert get_model("mlp:1").scores(x, X).tolist() == [[4.0], [1.0]]


@pytest.mark.parametrize(("model", "n_outputs"), [("linear", 1), ("linear", 4), ("mlp:5,7", 3)])
def test_scores_find_the_columns_from_the_size(model, n_outputs):
    model = get_model(model)
    rng = np.random.default_rng(0)
    x, X = rng.normal(size=model.size(3, n_outputs)), rng.normal(size=(5, 3))
    np.testing.assert_array_equal(model.scores(x, X), model.network(3, n_outputs).scores(x, X))
    assert model.scores(x, X).shape == (5, n_outputs)


def test_a_vector_that_fits_no_number_of_columns_is_refused():
    for size in (0, 3, 9):
        with pytest.raises(ShapeError, match="x of linear must have 4 entries"):
            get_model("linear").scores(np.zeros(size), np.zeros((5, 3)))


def test_shapes_lie_one_behind_the_other():
    model = get_model("mlp:5,7")
    assert model.shapes(3, 2) == ((3, 5), (5,), (5, 7), (7,), (7, 2), (2,))
    assert model.size(3, 2) == 15 + 5 + 35 + 7 + 14 + 2
    assert model.network(3, 2).size == model.size(3, 2)


@pytest.mark.parametrize("text", ["linear", "softmax"])
def test_a_single_layer_starts_from_zeros(text):
    x = get_model(text).network(4, 3).initial(np.random.default_rng(0))
    assert x.dtype == np.float64
    assert x.tolist() == [0.0] * 15


def test_an_mlp_starts_from_the_laws_of_he_and_glorot():
    network = get_model("mlp:400,300").network(500, 200)
    x = network.initial(np.random.default_rng(0))
    expected = [2 / 500, None, 2 / 400, None, 2 / (300 + 200), None]
    for (cut, _, _), variance in zip(network.cuts, expected, strict=True):
        if variance is None:
            assert not x[cut].any()
            continue
        weights = x[cut]
        # the variance of n normals has a relative standard error of sqrt(2 / n) < 0.6 %, the
        # mean one of 1 / sqrt(n) standard deviations: five of each
        assert weights.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / weights.size))
        assert abs(weights.mean()) < 5 * math.sqrt(variance / weights.size)


def test_the_initial_point_follows_the_generator():
    network = get_model("mlp:8").network(4, 2)
    first, same, other = (network.initial(np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first.tobytes() == same.tobytes()
    assert first.tobytes() != other.tobytes()


def test_float32_stays_float32():
    network = get_model("mlp:8").network(4, 3)
    rng = np.random.default_rng(0)
    x = network.initial(rng, np.float32)
    X, y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    value, gradient = network.value_and_gradient(x, X.astype(np.float32), y, get_loss("log"))
    wide, exact = network.value_and_gradient(x.astype(np.float64), X, y, get_loss("log"))
    assert x.dtype == gradient.dtype == np.float32
    assert value == pytest.approx(wide, rel=1e-5)  # a few hundred roundings of 6e-8
    np.testing.assert_allclose(gradient, exact, atol=1e-5)


def test_a_large_score_makes_no_overflow():
    network, x, X, y, loss = problem("softmax", "log", 4)
    with np.errstate(all="raise"):
        value, gradient = network.value_and_gradient(1e4 * x, X, y, loss)
    assert math.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("model", ["linear", "mlp:5"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e308])
def test_a_diverged_point_gives_no_warning_and_no_finite_loss(model, bad):
    network, x, X, y, loss = problem(model, "squared", 0)
    with np.errstate(all="raise"):
        value, _ = network.value_and_gradient(np.full_like(x, bad), X, y, loss)
    assert not math.isfinite(value)


def test_neither_parameters_nor_data_are_written_to():
    network, x, X, y, loss = problem("mlp:5", "log", 4)
    for array in (x, X, y):
        array.setflags(write=False)
    network.value_and_gradient(x, X, y, loss)
    network.scores(x, X)


def test_shapes_that_do_not_fit_are_named():
    network, x, X, y, loss = problem("linear", "squared", 0)
    with pytest.raises(ShapeError, match=r"x of linear must have shape \(4,\); got \(3,\)"):
        network.value_and_gradient(x[:-1], X, y, loss)
    with pytest.raises(ShapeError, match=r"X of linear must have shape \(n, 3\); got \(9, 2\)"):
        network.scores(x, X[:, :2])
    with pytest.raises(ShapeError, match="y of squared"):
        network.value_and_gradient(x, X, y[:-1], loss)


def test_softmax_has_a_column_for_each_class_and_goes_with_the_log_loss():
    softmax = get_model("softmax")
    assert softmax.outputs(get_loss("log"), 2) == 2
    assert get_model("linear").outputs(get_loss("log"), 2) == 1
    with pytest.raises(ProblemError, match="loss of softmax must be log; got hinge"):
        softmax.outputs(get_loss("hinge"), 3)


@pytest.mark.parametrize("text", list_models())
def test_a_text_comes_back(text):
    assert get_model(text).text == text
    assert get_model(get_model(text).text) == get_model(text)


def test_widths_may_be_spaced():
    assert get_model("mlp: 64, 32") == Mlp((64, 32))


@pytest.mark.parametrize(
    "text", ["mlp", "mlp:", "mlp:0", "mlp:-3", "mlp:a", "mlp:6.5", "mlp:64,", "mlp:" + "9" * 5000]
)
def test_widths_must_be_positive_integers(text):
    with pytest.raises(ProblemError, match="widths of mlp must be integers from 1 to 65536"):
        get_model(text)


def test_an_unknown_model_is_answered_with_the_nearest_name():
    with pytest.raises(
        UnknownNameError, match=r"no model is called 'liner'\. Did you mean 'linear'"
    ):
        get_model("liner")
    with pytest.raises(ProblemError, match="linear must be written without widths"):
        get_model("linear:3")
