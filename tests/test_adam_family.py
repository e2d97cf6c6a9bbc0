"""What single rules of the Adam family and by sign promise, worked out by hand."""

import numpy as np
import pytest

import descend as dd
from descend.errors import HyperparameterError


def test_adopt_takes_no_step_at_the_first_gradient_and_clipped_ones_after():
    x = np.zeros(2)
    stepper = dd.Stepper(dd.adopt(lr=1.0, beta1=0.0, beta2=0.0, eps=1e-9), x)
    moves = []
    for g in (1.0, 1e3, 1e9, 2e9):  # each far beyond the one before, but the last
        before = x.copy()
        stepper.step(np.array([g, -g]))
        moves.append((before - x).tolist())
    assert moves[:2] == [[0.0, 0.0], [1.0, -1.0]]
    for move, clip in zip(moves[2:], (2**0.25, 3**0.25), strict=True):
        np.testing.assert_allclose(move, [clip, -clip], rtol=1e-15)  # of one power, and of x itself


def test_mars_cuts_the_whole_gradient_to_norm_one():
    """Two arrays, of which each alone is short: together they are of norm 5, so m is a tenth of (0.6, 0.8)."""
    xs = [np.zeros(1), np.zeros(1)]
    stepper = dd.Stepper(dd.mars(beta1=0.9), xs)
    stepper.step([np.array([3.0]), np.array([4.0])])
    np.testing.assert_allclose([m[0] for m in stepper.state["m"]], [0.06, 0.08], rtol=1e-15)


def test_mars_leaves_short_gradients_long_and_the_first_uncorrected():
    stepper = dd.Stepper(dd.mars(beta1=0.5, gamma=0.25), np.zeros(1))
    stepper.step(np.array([0.25]))
    assert stepper.state["m"].tolist() == [0.125]
    stepper.step(np.array([0.5]))  # c = 0.5 + 0.25 · (0.5 - 0.25)
    assert stepper.state["m"].tolist() == [(0.125 + 0.5625) / 2]


def test_mars_without_correction_is_adam_on_clipped_gradients(trace, close):
    settings = {"lr": 0.03, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3}
    clipped = dd.chain(dd.clip_norm(1.0), dd.adam(**settings))
    close(trace(dd.mars(**settings, gamma=0.0)), trace(clipped))


@pytest.mark.parametrize("rule", [dd.radam, dd.radam_corrected])
def test_radam_starts_as_momentum_and_rectifies_from_the_sixth_step(rule):
    """ρₜ of β₂ = 0.999 is just below t: 4.99 at t = 5. A constant gradient of 8 makes m̂ = 8 and m̂ / √v̂ = 1."""
    x, moves = np.zeros(1), []
    stepper = dd.Stepper(rule(lr=1.0, eps=1e-12), x)
    for _ in range(6):
        before = x[0]
        stepper.step(np.full(1, 8.0))
        moves.append(before - x[0])
    np.testing.assert_allclose(moves[:5], 8.0, rtol=1e-14)
    rho, rho_inf = 1999 - 12 * 0.999**6 / (1 - 0.999**6), 1999
    r = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    # 1 - 0.999^6 above loses three digits, ρ three more
    np.testing.assert_allclose(moves[5], r, rtol=1e-9)


def test_schedule_free_adamw_weighs_iterates_by_the_square_of_their_rate():
    """Rates 0, 1, 2 and gradients of 1: z is 0, -1, -3, so the average is 0, -1 and (-1 - 4 · 3) / 5."""
    x = np.zeros(1)
    stepper = dd.Stepper(dd.schedule_free_adamw(lr=lambda t: t - 1.0, beta2=0.0, eps=1e-300), x)
    answers = []
    for _ in range(3):
        stepper.step(np.ones(1))
        answers.append(float(stepper.solution[0]))
    assert answers == pytest.approx([0.0, -1.0, -2.6], rel=1e-15, abs=0)


@pytest.mark.parametrize("rule", ["signsgd", "signum", "tiger"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rules_by_sign_move_by_exactly_lr(rule, dtype):
    x = np.zeros(30, dtype)
    tape = np.random.default_rng(1).standard_normal((6, 30)) * np.logspace(-8, 8, 30)
    plain = dd.find_rule(rule)(lr=0.25)
    decay = {"weight_decay": 0.0} if "weight_decay" in plain.settings else {}
    stepper = dd.Stepper(dd.find_rule(rule)(lr=0.25, **decay), x)
    for g in tape.astype(dtype):
        before = x.copy()
        stepper.step(g)
        assert (abs(x - before) == 0.25).all()


HOMES = {f"descend.rules.{home}" for home in ("adam", "adam_variants", "amsgrad", "averaging")}
FAMILY = [
    name
    for name in dd.list_rules()
    if {"beta1", "beta2", "eps"} <= set(dd.find_rule(name).hyperparameters)
    and dd.find_rule(name).__module__ in HOMES
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.999999])
@pytest.mark.parametrize("beta2", [0.0, 0.5, 0.999999])
@pytest.mark.parametrize("name", FAMILY)
def test_extreme_averages_and_tiny_eps_give_no_nan(name, beta1, beta2, dtype):
    """Gradients of 0, of ordinary and of tiny size, and an eps just above the smallest normal number of the dtype."""
    rule, x = dd.find_rule(name), np.ones(4, dtype)
    settings = {"beta1": beta1, "beta2": beta2, "eps": float(np.finfo(dtype).tiny) * 2}
    at_rest = {k: 0.0 for k in ("weight_decay", "initial") if k in rule.hyperparameters}
    stepper = dd.Stepper(rule(**settings, **at_rest), x)
    for g in ([0, 0, 0, 1], [0, 1, 1e-12, -1], [0, -1, 0, 1e-6], [0, 0, 1e-12, 0]):
        stepper.step(np.array(g, dtype))
        assert np.isfinite(x).all()
        assert np.isfinite(stepper.solution).all()
    # an average of equal points rounds
    assert x[0] == pytest.approx(1.0, rel=4 * float(np.finfo(dtype).eps), abs=0)


def test_shares_of_qhadam_may_be_one_and_no_more():
    assert dd.qhadam(nu1=1.0, nu2=0).settings["nu2"] == 0.0
    with pytest.raises(
        HyperparameterError, match=r"nu1 of qhadam must be a float in \[0, 1\]; got 1.5"
    ):
        dd.qhadam(nu1=1.5)
