"""Work out three steps of every rule from its paper, in decimals of 50 digits, and store them.

Run ``python tests/golden/generate.py``. Nothing of descend is used: each function below is written from the
paper that it cites, in the paper's letters and form, which may differ from the form that the library steps.
Settings, parameters and gradients are binary fractions, so float32 and float64 hold them exactly.
"""

import json
import runpy
from decimal import Decimal as D
from decimal import getcontext
from pathlib import Path

getcontext().prec = 50

X0 = [D("1.5"), D("-0.75"), D("0.25"), D(-2)]
TAPE = [  # signs change in every element; the last one's gradient starts at zero
    [D("0.5"), D("-1.25"), D(3), D(0)],
    [D("-0.25"), D("-0.5"), D("-1.75"), D("2.5")],
    [D("0.75"), D(2), D("0.125"), D(-1)],
]

VALUES = [D("3.5"), D("2.25"), D("1.125")]  # the function's, for the rules that read it

PAPERS = {
    "sgd": "Robbins, Monro, 'A stochastic approximation method', 1951, eq. 6",
    "momentum": "Polyak, 'Some methods of speeding up the convergence of iteration methods', 1964, eq. 9 (two-term form)",
    "momentum_inside": "Sutskever et al., 'On the importance of initialization and momentum in deep learning', 2013, eqs. 1-2",
    "nesterov": "Sutskever et al., 2013, eqs. 3-4 (look-ahead form), read at the look-ahead point; velocity in units of the gradient",
    "nesterov_inside": "Sutskever et al., 2013, eqs. 3-4 (look-ahead form), read at the look-ahead point",
    "adagrad": "Duchi, Hazan, Singer, 'Adaptive subgradient methods', 2011, Figure 1 (diagonal), delta outside the root",
    "rmsprop": "Tieleman, Hinton, 'Lecture 6.5: rmsprop', 2012, slide 29, eps outside the root",
    "adam": "Kingma, Ba, 'Adam: a method for stochastic optimization', 2015, Algorithm 1",
    "adamw": "Loshchilov, Hutter, 'Decoupled weight decay regularization', 2019, Algorithm 2, line 12, eta_t = lr, alpha = 1",
    "nadam": "Dozat, 'Incorporating Nesterov momentum into Adam', 2016, Algorithm 2 and the appendix's mu_t",
    "lion": "Chen et al., 'Symbolic discovery of optimization algorithms', 2023, Algorithm 2 without weight decay",
    "schedule_free_sgd": "Defazio et al., 'The road less scheduled', 2024, eqs. 2-4 with the c of Algorithm 1 at a constant rate, 1/t",
}

SETTINGS = {
    "sgd": {"lr": "0.375"},
    "momentum": {"lr": "0.375", "momentum": "0.75"},
    "momentum_inside": {"lr": "0.375", "momentum": "0.75"},
    "nesterov": {"lr": "0.375", "momentum": "0.75"},
    "nesterov_inside": {"lr": "0.375", "momentum": "0.75"},
    "adagrad": {"lr": "0.375", "eps": "0.0625", "a0": "0.25"},
    "rmsprop": {"lr": "0.375", "alpha": "0.8125", "eps": "0.0625"},
    "adam": {"lr": "0.375", "beta1": "0.75", "beta2": "0.9375", "eps": "0.0625"},
    "adamw": {
        "lr": "0.375",
        "beta1": "0.75",
        "beta2": "0.9375",
        "eps": "0.0625",
        "weight_decay": "0.125",
    },
    "nadam": {
        "lr": "0.375",
        "beta1": "0.75",
        "beta2": "0.9375",
        "eps": "0.0625",
        "momentum_decay": "0.25",
    },
    "lion": {"lr": "0.375", "beta1": "0.75", "beta2": "0.9375"},
    "schedule_free_sgd": {"lr": "0.375", "beta": "0.75"},
}


def sgd(lr):
    """x_{n+1} = x_n - a_n y_n."""
    x = X0
    for g in TAPE:
        x = [a - lr * b for a, b in zip(x, g)]
        yield {"x": x}


def momentum(lr, momentum):
    """Polyak: x_{n+1} = x_n - alpha grad + beta (x_n - x_{n-1}); the velocity is (x_n - x_{n+1}) / alpha."""
    before, x = X0, X0
    for g in TAPE:
        after = [b - lr * c + momentum * (b - a) for a, b, c in zip(before, x, g)]
        before, x = x, after
        yield {"x": x, "v": [(a - b) / lr for a, b in zip(before, x)]}


def momentum_inside(lr, momentum):
    """v_{t+1} = mu v_t - eps grad(theta_t); theta_{t+1} = theta_t + v_{t+1}."""
    x, v = X0, [D(0)] * 4
    for g in TAPE:
        v = [momentum * a - lr * b for a, b in zip(v, g)]
        x = [a + b for a, b in zip(x, v)]
        yield {"x": x, "v": v}


def nesterov_inside(lr, momentum):
    """v_{t+1} = mu v_t - eps grad(theta_t + mu v_t); theta_{t+1} = theta_t + v_{t+1}; x = theta + mu v."""
    theta, v = X0, [D(0)] * 4
    for g in TAPE:
        v = [momentum * a - lr * b for a, b in zip(v, g)]
        theta = [a + b for a, b in zip(theta, v)]
        yield {"x": [a + momentum * b for a, b in zip(theta, v)], "v": v}


def nesterov(lr, momentum):
    for trace in nesterov_inside(lr, momentum):
        yield {"x": trace["x"], "v": [-a / lr for a in trace["v"]]}


def adagrad(lr, eps, a0):
    """G_t = sum of g g^T; x_{t+1} = x_t - eta diag(G_t)^{-1/2} g_t."""
    x = X0
    for t, g in enumerate(TAPE, 1):
        sums = [a0 + sum(past[i] ** 2 for past in TAPE[:t]) for i in range(4)]
        x = [a - lr * b / (s.sqrt() + eps) for a, b, s in zip(x, g, sums)]
        yield {"x": x, "a": sums}


def rmsprop(lr, alpha, eps):
    """MeanSquare(w, t) = alpha MeanSquare(w, t-1) + (1 - alpha) (dE/dw)^2; divide by its root."""
    x, mean = X0, [D(0)] * 4
    for g in TAPE:
        mean = [alpha * a + (1 - alpha) * b**2 for a, b in zip(mean, g)]
        x = [a - lr * b / (s.sqrt() + eps) for a, b, s in zip(x, g, mean)]
        yield {"x": x, "v": mean}


def averages(beta, power):
    """The moments as the sums that Adam's section 3 derives: m_t = (1 - beta) sum of beta^(t - i) g_i^power."""
    for t in range(1, len(TAPE) + 1):
        yield [
            (1 - beta) * sum(beta ** (t - i) * TAPE[i - 1][j] ** power for i in range(1, t + 1))
            for j in range(4)
        ]


def adam(lr, beta1, beta2, eps, weight_decay=D(0)):
    """theta_t = theta_{t-1} - alpha m_hat / (sqrt(v_hat) + eps); AdamW subtracts eta lambda theta_{t-1} too."""
    x = X0
    for t, (m, v) in enumerate(zip(averages(beta1, 1), averages(beta2, 2)), 1):
        m_hat = [a / (1 - beta1**t) for a in m]
        v_hat = [a / (1 - beta2**t) for a in v]
        x = [a - lr * (b / (c.sqrt() + eps) + weight_decay * a) for a, b, c in zip(x, m_hat, v_hat)]
        yield {"x": x, "m": m, "v": v}


adamw = adam


def nadam(lr, beta1, beta2, eps, momentum_decay):
    """Algorithm 2: g_hat, m_hat with products of mu; m_bar = (1 - mu_t) g_hat + mu_{t+1} m_hat."""

    def mu(t):
        return beta1 * (1 - D("0.5") * D("0.96") ** (t * momentum_decay))

    x, product = X0, D(1)
    for t, (g, m, v) in enumerate(zip(TAPE, averages(beta1, 1), averages(beta2, 2)), 1):
        product *= mu(t)
        g_hat = [a / (1 - product) for a in g]
        m_hat = [a / (1 - product * mu(t + 1)) for a in m]
        m_bar = [(1 - mu(t)) * a + mu(t + 1) * b for a, b in zip(g_hat, m_hat)]
        v_hat = [a / (1 - beta2**t) for a in v]
        x = [a - lr * b / (c.sqrt() + eps) for a, b, c in zip(x, m_bar, v_hat)]
        yield {"x": x, "m": m, "v": v, "mu_product": product}


def lion(lr, beta1, beta2):
    """c_t interpolates m_{t-1} and g_t by beta1 and moves x by its sign; beta2 makes m_t."""
    x, m = X0, [D(0)] * 4
    for g in TAPE:
        c = [beta1 * a + (1 - beta1) * b for a, b in zip(m, g)]
        x = [a - lr * (D(0) if b == 0 else D(1).copy_sign(b)) for a, b in zip(x, c)]
        m = [beta2 * a + (1 - beta2) * b for a, b in zip(m, g)]
        yield {"x": x, "m": m}


def schedule_free_sgd(lr, beta):
    """y_t = (1 - beta) z_t + beta x_t is where g_t is taken; z_{t+1} = z_t - gamma g_t; x_{t+1} = (1 - c) x_t + c z_{t+1}.

    Algorithm 1 has c = gamma_t^2 / sum of gamma_i^2 for i up to t: 1/t here, so the start is not averaged in.
    """
    z, average = X0, X0
    for t, g in enumerate(TAPE, 1):
        c = D(1) / t
        z = [a - lr * b for a, b in zip(z, g)]
        average = [(1 - c) * a + c * b for a, b in zip(average, z)]
        y = [(1 - beta) * a + beta * b for a, b in zip(z, average)]
        yield {"x": y, "z": z, "average": average, "weights": t * lr**2}


def as_text(value):
    return [as_text(v) for v in value] if isinstance(value, list) else f"{value:.40f}".rstrip("0")


def families():
    """This file and its neighbours ``papers_*.py``, each with PAPERS, SETTINGS and a function per rule."""
    yield globals()
    for path in sorted(Path(__file__).parent.glob("papers_*.py")):
        yield runpy.run_path(str(path))


def main(folder=Path(__file__).parent):
    for family in families():
        for name, settings in family["SETTINGS"].items():
            steps = family[name](**{k: D(v) for k, v in settings.items()})
            golden = {
                "rule": name,
                "paper": family["PAPERS"][name],
                "settings": settings,
                "x": as_text(family.get("STARTS", {}).get(name, X0)),
                "g": [as_text(g) for g in family.get("TAPES", {}).get(name, TAPE)],
                "value": as_text(VALUES),
                "steps": [{k: as_text(v) for k, v in step.items()} for step in steps],
            }
            (folder / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
