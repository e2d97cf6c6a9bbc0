"""Second forms of rules, as torch, Keras and optax have them, from their papers: read and run by ``generate.py``.

Averages are written as sums over the whole past.
"""

import runpy
from decimal import Decimal as D
from pathlib import Path

shared = runpy.run_path(str(Path(__file__).with_name("generate.py")))
X0, TAPE, averages = shared["X0"], shared["TAPE"], shared["averages"]

DASKALAKIS = "Daskalakis, Ilyas, Syrgkanis, Zeng, 'Training GANs with optimism', 2018, Algorithm 1"
PAPERS = {
    "momentum_dampened": "Sutskever et al., 'On the importance of initialization and momentum in deep learning', 2013, eqs. 1-2, each gradient but the first times 1 - d",
    "nesterov_lookahead": "Sutskever et al., 2013, eqs. 3-4, the velocity with the other sign",
    "optimistic": "Mokhtari, Ozdaglar, Pattathil, 'A unified analysis of extra-gradient and optimistic gradient methods', 2020, eq. 11",
    "optimistic_adam": f"{DASKALAKIS}, the change times a beta of its own, r_0 = r_1",
    "optimistic_adam_nesterov": f"{DASKALAKIS}, as optimistic_adam, the numerator of Dozat, 'Incorporating Nesterov momentum into Adam', 2016, Algorithm 2 with a constant mu",
    "adam_eps_root": "Kingma, Ba, 'Adam: a method for stochastic optimization', 2015, Algorithm 1, with a second eps inside the root",
    "adan_complement": "Xie et al., 'Adan: adaptive Nesterov momentum algorithm', 2022, Algorithm 1, with 1 - beta2 for its factor of the change",
    "fromage_bounded": "Bernstein et al., 'On the distance between two neural networks', 2020, Algorithm 1, norms of at least min_norm",
    "schedule_free_adamw_uniform": "Defazio et al., 'The road less scheduled', 2024, eqs. 2-4, c = 1/t, with Adam's scale",
}
ADAM = {"lr": "0.375", "beta1": "0.75", "beta2": "0.9375", "eps": "0.0625"}
SETTINGS = {
    "momentum_dampened": {"lr": "0.375", "momentum": "0.75", "dampening": "0.25"},
    "nesterov_lookahead": {"lr": "0.375", "momentum": "0.75"},
    "optimistic": {"lr": "0.375", "alpha": "0.75", "beta": "0.5"},
    "optimistic_adam": {**ADAM, "alpha": "0.75", "beta": "0.5"},
    "optimistic_adam_nesterov": {**ADAM, "alpha": "0.75", "beta": "0.5"},
    "adam_eps_root": {**ADAM, "eps_root": "0.03125"},
    "adan_complement": {
        **ADAM,
        "beta1": "0.875",
        "beta2": "0.75",
        "beta3": "0.9375",
        "eps_root": "0.03125",
    },
    "fromage_bounded": {"lr": "0.375", "min_norm": "3"},
    "schedule_free_adamw_uniform": ADAM,
}


def momentum_dampened(lr, momentum, dampening):
    """v_t = mu^(t-1) g_1 + (1 - d) sum of mu^(t-i) g_i over 1 < i <= t."""
    x = X0
    for t in range(1, 4):
        weights = [momentum ** (t - i) * (1 if i == 1 else 1 - dampening) for i in range(1, t + 1)]
        v = [sum(w * g[j] for w, g in zip(weights, TAPE)) for j in range(4)]
        x = [a - lr * b for a, b in zip(x, v)]
        yield {"x": x, "v": v}


def nesterov_lookahead(lr, momentum):
    """v_t = -lr sum of mu^(t-i) g_i; theta_t = theta_0 + sum of v_i; the next gradient is that at theta_t + mu v_t."""
    theta = X0
    for t in range(1, 4):
        v = [
            -lr * sum(momentum ** (t - i) * TAPE[i - 1][j] for i in range(1, t + 1))
            for j in range(4)
        ]
        theta = [a + b for a, b in zip(theta, v)]
        ahead = [a + momentum * b for a, b in zip(theta, v)]
        yield {"x": ahead, "theta": theta, "v": [-a for a in v]}


def optimistic(lr, alpha, beta):
    """x_{k+1} = x_k - alpha lr g_k - beta lr (g_k - g_{k-1}), with g_0 = g_1."""
    x, before = X0, TAPE[0]
    for g in TAPE:
        x = [a - alpha * lr * b - beta * lr * (b - c) for a, b, c in zip(x, g, before)]
        before = g
        yield {"x": x, "g_before": g}


def hopeful(lr, beta1, beta2, eps, alpha, beta, numerator):
    """theta_t = theta_{t-1} - alpha eta r_t - beta eta (r_t - r_{t-1}), r_t = numerator / (sqrt(v_hat) + eps), r_0 = r_1."""
    x, past = X0, []
    for t, (m, v) in enumerate(zip(averages(beta1, 1), averages(beta2, 2)), 1):
        top = [numerator(t, *pair) for pair in zip(m, TAPE[t - 1])]
        past.append([a / ((b / (1 - beta2**t)).sqrt() + eps) for a, b in zip(top, v)])
        r, before = past[-1], past[max(t - 2, 0)]
        x = [a - alpha * lr * b - beta * lr * (b - c) for a, b, c in zip(x, r, before)]
        yield {"x": x, "m": m, "v": v, "r_before": r}


def optimistic_adam(lr, beta1, beta2, eps, alpha, beta):
    """The numerator is m_hat."""
    return hopeful(lr, beta1, beta2, eps, alpha, beta, lambda t, m, g: m / (1 - beta1**t))


def optimistic_adam_nesterov(lr, beta1, beta2, eps, alpha, beta):
    """The numerator is Dozat's m_bar = (1 - mu) g_hat + mu m_hat, with mu_t = mu: products are powers."""

    def m_bar(t, m, g):
        return (1 - beta1) * (g / (1 - beta1**t)) + beta1 * (m / (1 - beta1 ** (t + 1)))

    return hopeful(lr, beta1, beta2, eps, alpha, beta, m_bar)


def adam_eps_root(lr, beta1, beta2, eps, eps_root):
    x = X0
    for t, (m, v) in enumerate(zip(averages(beta1, 1), averages(beta2, 2)), 1):
        scale = [(a / (1 - beta2**t) + eps_root).sqrt() + eps for a in v]
        x = [a - lr * b / (1 - beta1**t) / c for a, b, c in zip(x, m, scale)]
        yield {"x": x, "m": m, "v": v}


def weighted(beta, rows):
    """The averages of the first 1, 2 and 3 rows."""
    for t in range(1, 4):
        yield [
            (1 - beta) * sum(beta ** (t - i) * rows[i - 1][j] for i in range(1, t + 1))
            for j in range(4)
        ]


def adan_complement(lr, beta1, beta2, beta3, eps, eps_root):
    share = 1 - beta2
    diff = [[D(0)] * 4, *([b - a for a, b in zip(*pair)] for pair in zip(TAPE, TAPE[1:]))]
    ahead = [[(a + share * b) ** 2 for a, b in zip(g, d)] for g, d in zip(TAPE, diff)]
    x = X0
    rows = zip(weighted(beta1, TAPE), weighted(beta2, diff), weighted(beta3, ahead))
    for t, (m, v, n) in enumerate(rows, 1):
        scale = [(a / (1 - beta3**t) + eps_root).sqrt() + eps for a in n]
        u = [a / (1 - beta1**t) + share * b / (1 - beta2**t) for a, b in zip(m, v)]
        x = [a - lr * b / c for a, b, c in zip(x, u, scale)]
        yield {"x": x, "m": m, "v": v, "n": n, "previous": TAPE[t - 1]}


def fromage_bounded(lr, min_norm):
    def length(a):
        return max(sum(b * b for b in a).sqrt(), min_norm)

    x = X0
    for g in TAPE:
        ratio = length(x) / length(g)
        x = [(a - lr * ratio * b) / (1 + lr * lr).sqrt() for a, b in zip(x, g)]
        yield {"x": x}


def schedule_free_adamw_uniform(lr, beta1, beta2, eps):
    """z_{t+1} = z_t - gamma g_t / (sqrt(v_hat) + eps); the average is the mean of z_2 ... z_{t+1}."""
    z, past = X0, []
    for t, v in enumerate(averages(beta2, 2), 1):
        scale = [(a / (1 - beta2**t)).sqrt() + eps for a in v]
        z = [a - lr * b / c for a, b, c in zip(z, TAPE[t - 1], scale)]
        past.append(z)
        average = [sum(row[j] for row in past) / t for j in range(4)]
        x = [(1 - beta1) * a + beta1 * b for a, b in zip(z, average)]
        yield {"x": x, "z": z, "average": average, "v": v}
