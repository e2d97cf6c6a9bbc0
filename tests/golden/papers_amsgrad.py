"""Relatives of Adam whose scale remembers a maximum or stays within bounds, from their papers: read by ``generate.py``."""

import runpy
from decimal import Decimal as D
from pathlib import Path

shared = runpy.run_path(str(Path(__file__).with_name("generate.py")))
X0, TAPE, averages = shared["X0"], shared["TAPE"], shared["averages"]

REDDI = "Reddi, Kale, Kumar, 'On the convergence of Adam and beyond', 2018, Algorithm 2"
PAPERS = {
    "amsgrad": f"{REDDI}, with Adam's corrections and eps",
    "amsgrad_eps_hat": f"{REDDI}, with Adam's corrections in the form of Adam's section 2",
    "amsgrad_corrected": f"{REDDI}, of Adam's corrected v",
    "amsgrad_uncorrected": f"{REDDI}, with eps",
    "padam": "Chen et al., 'Closing the generalization gap of adaptive gradient methods', 2020, Algorithm 1, with eps",
    "adamax": "Kingma, Ba, 2015, Algorithm 2, with eps beside |g|",
    "adamax_eps_outside": "Kingma, Ba, 2015, Algorithm 2, with eps beside u",
    "adabound": "Luo et al., 'Adaptive gradient methods with dynamic bound of learning rate', 2019, Algorithm 2, with Adam's corrections",
}

ADAM = {"lr": "0.375", "beta1": "0.75", "beta2": "0.9375", "eps": "0.0625"}
SETTINGS = {
    "amsgrad": {**ADAM, "beta2": "0.25"},  # so short a memory that the largest v is not the last
    "amsgrad_eps_hat": {**ADAM, "beta2": "0.25"},
    "amsgrad_corrected": {**ADAM, "beta2": "0.25"},
    "amsgrad_uncorrected": {**ADAM, "beta2": "0.25"},
    "padam": {**ADAM, "beta2": "0.25", "p": "0.25"},
    "adamax": {**ADAM, "beta2": "0.75"},
    "adamax_eps_outside": {**ADAM, "beta2": "0.75"},
    "adabound": {**ADAM, "final_ratio": "1.5", "gamma": "0.5"},
}


def moments(beta1, beta2):
    """t, m_t and v_t."""
    return ((t, m, v) for t, (m, v) in enumerate(zip(averages(beta1, 1), averages(beta2, 2)), 1))


def largest(lr, beta1, beta2, step, kept=lambda v, t: v):
    """Algorithm 2: v_hat_t = max(v_hat_{t-1}, v_t), the largest of all so far; ``step(t, m, v_hat)``."""
    x, past = X0, []
    for t, m, v in moments(beta1, beta2):
        past.append([kept(a, t) for a in v])
        v_max = [max(column) for column in zip(*past)]
        x = [a - lr * step(t, b, c) for a, b, c in zip(x, m, v_max)]
        yield {"x": x, "m": m, "v": v, "v_max": v_max}


def amsgrad(lr, beta1, beta2, eps):
    def step(t, m, v):
        return m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + eps)

    return largest(lr, beta1, beta2, step)


def amsgrad_eps_hat(lr, beta1, beta2, eps):
    def step(t, m, v):
        return (1 - beta2**t).sqrt() / (1 - beta1**t) * m / (v.sqrt() + eps)

    return largest(lr, beta1, beta2, step)


def amsgrad_corrected(lr, beta1, beta2, eps):
    def step(t, m, v):
        return m / (1 - beta1**t) / (v.sqrt() + eps)

    return largest(lr, beta1, beta2, step, kept=lambda v, t: v / (1 - beta2**t))


def amsgrad_uncorrected(lr, beta1, beta2, eps):
    return largest(lr, beta1, beta2, lambda t, m, v: m / (v.sqrt() + eps))


def padam(lr, beta1, beta2, eps, p):
    """theta_{t+1} = theta_t - alpha m_t / v_hat_t^p."""
    return largest(lr, beta1, beta2, lambda t, m, v: m / (v.sqrt() + eps) ** (2 * p))


def maxima(beta2, eps=D(0)):
    """u_t = max over i of beta2^(t - i) |g_i|, eq. 11 of Adam's section 7.1."""
    for t in range(1, len(TAPE) + 1):
        yield [
            max(beta2 ** (t - i) * (abs(TAPE[i - 1][j]) + eps) for i in range(1, t + 1))
            for j in range(4)
        ]


def adamax(lr, beta1, beta2, eps):
    """theta_t = theta_{t-1} - alpha / (1 - beta1^t) m_t / u_t."""
    x = X0
    for t, (m, u) in enumerate(zip(averages(beta1, 1), maxima(beta2, eps)), 1):
        x = [a - lr / (1 - beta1**t) * b / c for a, b, c in zip(x, m, u)]
        yield {"x": x, "m": m, "u": u}


def adamax_eps_outside(lr, beta1, beta2, eps):
    x = X0
    for t, (m, u) in enumerate(zip(averages(beta1, 1), maxima(beta2)), 1):
        x = [a - lr / (1 - beta1**t) * b / (c + eps) for a, b, c in zip(x, m, u)]
        yield {"x": x, "m": m, "u": u}


def adabound(lr, beta1, beta2, eps, final_ratio, gamma):
    """eta_t = Clip(alpha / sqrt(V_t), eta_l, eta_u) with bounds around the final rate, lr times the ratio."""
    x, final = X0, lr * final_ratio
    for t, m, v in moments(beta1, beta2):
        eta_l, eta_u = final * (1 - 1 / (gamma * t + 1)), final * (1 + 1 / (gamma * t))
        alpha = lr * (1 - beta2**t).sqrt() / (1 - beta1**t)
        eta = [min(max(alpha / (a.sqrt() + eps), eta_l), eta_u) for a in v]
        x = [a - b * c for a, b, c in zip(x, eta, m)]
        yield {"x": x, "m": m, "v": v}
