"""Losses: values worked out by hand, slopes against central differences, extremes."""

import math

import numpy as np
import pytest

from descend.errors import HyperparameterError, ShapeError, UnknownNameError
from descend.losses import Huber, get_loss, list_losses

CASES = [(name, k) for name in ("squared", "huber") for k in (1,)]
CASES += [(name, k) for name in ("log", "hinge") for k in (1, 2, 3, 7)]


def batch(name, k, n=6, seed=0):
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(n, k))
    if get_loss(name).task == "regression":
        return scores, rng.normal(size=n)
    return scores, rng.integers(0, max(2, k), n)


def test_every_loss_is_listed_in_order():
    assert list_losses() == ["hinge", "huber", "log", "squared"]


def test_an_unknown_loss_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"no loss is called 'hing'\. Did you mean 'hinge'"):
        get_loss("hing")


@pytest.mark.parametrize("name", ["squared", "huber"])
def test_a_regression_needs_one_column(name):
    assert get_loss(name).outputs(0) == 1


@pytest.mark.parametrize("name", ["log", "hinge"])
def test_two_classes_need_one_column_and_more_need_one_each(name):
    assert [get_loss(name).outputs(k) for k in (2, 3, 10)] == [1, 3, 10]


def test_squared_is_half_the_mean_square_by_hand():
    # residuals 1 and -3: (1 + 9) / 2 / 2
    value, slope = get_loss("squared").value_and_slope(np.array([[2.0], [1.0]]), np.array([1.0, 4]))
    assert value == 2.5
    assert slope.tolist() == [[0.5], [-1.5]]


def test_huber_is_a_parabola_then_a_line_by_hand():
    # residuals 0.5, -3, 1 at delta 1: 0.125, 1 * (3 - 0.5), 0.5
    scores, y = np.array([[0.5], [-3.0], [1.0]]), np.zeros(3)
    value, slope = get_loss("huber").value_and_slope(scores, y)
    assert value == pytest.approx((0.125 + 2.5 + 0.5) / 3, rel=1e-15)
    np.testing.assert_allclose(slope[:, 0], np.array([0.5, -1.0, 1.0]) / 3, rtol=1e-15)


def test_huber_with_a_wide_parabola_is_the_squared_loss():
    scores, y = batch("huber", 1)
    assert Huber(1e6).value(scores, y) == pytest.approx(get_loss("squared").value(scores, y))


@pytest.mark.parametrize("delta", [0.0, -1.0, math.inf, math.nan])
def test_huber_refuses_a_delta_that_is_not_positive(delta):
    with pytest.raises(HyperparameterError, match="delta of huber must be"):
        Huber(delta)


def test_the_logistic_loss_by_hand():
    # score 0 costs log 2; score log 3 is a probability of 3/4 for class 1
    scores, y = np.array([[0.0], [math.log(3)]]), np.array([0, 0])
    value, slope = get_loss("log").value_and_slope(scores, y)
    assert value == pytest.approx((math.log(2) + math.log(4)) / 2, rel=1e-15)
    np.testing.assert_allclose(slope[:, 0], [0.25, 0.375], rtol=1e-15)


def test_the_softmax_loss_by_hand():
    # exp(scores) = 1, 2, 5: probabilities 1/8, 2/8, 5/8
    scores, y = np.log([[1.0, 2.0, 5.0]]), np.array([1])
    value, slope = get_loss("log").value_and_slope(scores, y)
    assert value == pytest.approx(math.log(4), rel=1e-15)
    np.testing.assert_allclose(slope, [[0.125, -0.75, 0.625]], rtol=1e-14)


def test_hinge_of_two_classes_by_hand():
    # y = 1, 0, 1 reads +1, -1, +1: margins 0.5, -2, 3 cost 0.5, 3, 0
    scores, y = np.array([[0.5], [2.0], [3.0]]), np.array([1, 0, 1])
    value, slope = get_loss("hinge").value_and_slope(scores, y)
    assert value == pytest.approx(3.5 / 3, rel=1e-15)
    np.testing.assert_allclose(slope[:, 0], np.array([-1.0, 1.0, 0.0]) / 3, rtol=1e-15)


def test_hinge_of_more_classes_by_hand():
    # row 1: the nearest wrong class is 2, 1 + 2.5 - 1; row 2 is right by more than 1
    scores, y = np.array([[1.0, 0.0, 2.5], [0.0, 4.0, 1.0]]), np.array([0, 1])
    value, slope = get_loss("hinge").value_and_slope(scores, y)
    assert value == 1.25
    assert slope.tolist() == [[-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(("name", "k"), CASES)
def test_the_slope_is_that_of_central_differences(name, k):
    loss = get_loss(name)
    scores, y = batch(name, k)
    slope = loss.value_and_slope(scores, y)[1]
    h = 1e-6
    numeric = np.empty_like(scores)
    for i in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[i] = h
        numeric[i] = (loss.value(scores + step, y) - loss.value(scores - step, y)) / (2 * h)
    # rounding of values of size 10 divided by 2h: 1e-15 / 2e-6; truncation h**2 is below it
    np.testing.assert_allclose(slope, numeric, rtol=0, atol=5e-9)
    assert np.abs(slope).max() > 0.01


@pytest.mark.parametrize(("name", "k"), CASES)
def test_the_order_of_the_rows_does_not_matter(name, k):
    loss = get_loss(name)
    scores, y = batch(name, k, n=50)
    order = np.random.default_rng(1).permutation(50)
    value, slope = loss.value_and_slope(scores, y)
    shuffled, shuffled_slope = loss.value_and_slope(scores[order], y[order])
    assert shuffled == pytest.approx(value, rel=1e-14)  # 50 sums in another order
    np.testing.assert_allclose(shuffled_slope, slope[order], rtol=1e-14)


def test_softmax_on_two_columns_is_the_logistic_loss_of_their_difference():
    scores, y = batch("log", 2)
    one = get_loss("log").value(scores[:, 1:] - scores[:, :1], y)
    assert get_loss("log").value(scores, y) == pytest.approx(one, rel=1e-14)


@pytest.mark.parametrize("size", [1e4, 1e300])
def test_the_log_loss_does_not_overflow(size):
    loss = get_loss("log")
    many = np.array([[size, -size, 0.0], [-size, size, 0.0]])
    value, slope = loss.value_and_slope(many, np.array([0, 0]))
    assert value == size  # the second row costs 2 * size, the first nothing
    assert slope.tolist() == [[0.0, 0.0, 0.0], [-0.5, 0.5, 0.0]]
    value, slope = loss.value_and_slope(np.array([[size], [-size]]), np.array([0, 0]))
    assert value == size / 2
    assert slope.tolist() == [[0.5], [0.0]]


def test_a_sure_and_right_logistic_score_keeps_its_small_loss():
    # log(1 + e) rounds to 0 when written naively below 1e-16
    value, slope = get_loss("log").value_and_slope(np.array([[50.0]]), np.array([1]))
    assert value == pytest.approx(math.exp(-50), rel=1e-12, abs=0)
    assert slope[0, 0] == pytest.approx(-math.exp(-50), rel=1e-12, abs=0)


@pytest.mark.parametrize(("name", "k"), CASES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_scores_that_are_not_finite_give_no_warning(name, k, bad):
    scores, y = batch(name, k)
    scores[:] = bad
    loss = get_loss(name)
    with np.errstate(all="raise"):
        value, slope = loss.value_and_slope(scores, y)
    assert slope.shape == scores.shape
    if math.isnan(bad) or k > 1 or loss.task == "regression":
        assert not math.isfinite(value)


@pytest.mark.parametrize(("name", "k"), CASES)
def test_float32_scores_give_a_float32_slope(name, k):
    scores, y = batch(name, k)
    y = y.astype(np.float32) if get_loss(name).task == "regression" else y
    value, slope = get_loss(name).value_and_slope(scores.astype(np.float32), y)
    assert slope.dtype == np.float32
    assert isinstance(value, float)
    assert value == pytest.approx(get_loss(name).value(scores, y), rel=1e-5)  # float32 has 1e-7


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"y of squared must .* \(3,\); got \(3, 1\)"):
        get_loss("squared").value(np.zeros((3, 1)), np.zeros((3, 1)))
    with pytest.raises(ShapeError, match=r"scores of log must have shape .* got \(3,\)"):
        get_loss("log").value(np.zeros(3), np.zeros(3))
    with pytest.raises(ShapeError, match=r"scores of log must .* got \(0, 2\)"):
        get_loss("log").value(np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(ShapeError, match="scores of huber must have one column"):
        get_loss("huber").value(np.zeros((3, 2)), np.zeros(3))
