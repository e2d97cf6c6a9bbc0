"""Adaptive, resilient, averaging and proximal rules, from their papers: read and run by ``generate.py``.

Averages and sums are written over the whole past, and decisions per element as the papers' if and else.
"""

import runpy
from decimal import Decimal as D
from pathlib import Path

shared = runpy.run_path(str(Path(__file__).with_name("generate.py")))
X0, TAPE, averages = shared["X0"], shared["TAPE"], shared["averages"]

GRAVES = "Graves, 'Generating sequences with recurrent neural networks', 2013, eqs. 38-41"
BECK = "Beck, Teboulle, 'A fast iterative shrinkage-thresholding algorithm', 2009"
UPHILL = [  # the second gradient carries fista too far for the third
    [D("0.5"), D("-1.25"), D(3), D(0)],
    [D(-4), D(-8), D("-5.75"), D(12)],
    [D("0.75"), D(2), D("0.125"), D(-1)],
]

PAPERS = {
    "adagrad_eps_inside": "Duchi, Hazan, Singer, 'Adaptive subgradient methods', 2011, Figure 1 (diagonal), delta inside the root",
    "adadelta": "Zeiler, 'ADADELTA: an adaptive learning rate method', 2012, Algorithm 1, times lr",
    "rmsprop_momentum": f"{GRAVES}, not centered, eps and lr outside",
    "rmsprop_momentum_inside": f"{GRAVES}, not centered, eps outside",
    "rmsprop_centered": f"{GRAVES}, eps outside, no momentum",
    "rmsprop_centered_momentum": f"{GRAVES}, eps and lr outside",
    "rmsprop_centered_momentum_inside": f"{GRAVES}, eps outside",
    "rmsprop_eps_inside": f"{GRAVES}, not centered, no momentum",
    "rmsprop_eps_inside_momentum_inside": f"{GRAVES}, not centered",
    "rmsprop_eps_inside_centered": f"{GRAVES}, no momentum",
    "rmsprop_eps_inside_centered_momentum_inside": GRAVES,
    "rprop": "Igel, Huesken, 'Improving the Rprop learning algorithm', 2000, iRprop-, its step sizes bounded from the start",
    "averaged_sgd": "Polyak, Juditsky, 'Acceleration of stochastic approximation by averaging', 1992, eq. 2, over x_1 ... x_t",
    "asgd": "Bottou, 'Stochastic gradient descent tricks', 2012, section 5.3, rates and weights counted from t - 1 as torch does",
    "qhm": "Ma, Yarats, 'Quasi-hyperbolic momentum and Adam for deep learning', 2019, eqs. 3-4",
    "ista": f"{BECK}, eq. 1.4",
    "fista": f"{BECK}, eqs. 4.1-4.3",
    "fista_restart": "O'Donoghue, Candes, 'Adaptive restart for accelerated gradient schemes', 2015, section 3.2, gradient scheme",
    "ftrl": "McMahan et al., 'Ad click prediction: a view from the trenches', 2013, Algorithm 1, with the gradient of shrinkage / 2 |x|^2",
}

TAPES = {"fista_restart": UPHILL}
PLAIN = {"lr": "0.375", "alpha": "0.8125", "eps": "0.0625"}
VELOCITY = {**PLAIN, "momentum": "0.75"}
SETTINGS = {
    "adagrad_eps_inside": {"lr": "0.375", "eps": "0.0625", "a0": "0.25"},
    "adadelta": {"lr": "0.375", "rho": "0.8125", "eps": "0.0625"},
    "rmsprop_momentum": VELOCITY,
    "rmsprop_momentum_inside": VELOCITY,
    "rmsprop_centered": PLAIN,
    "rmsprop_centered_momentum": VELOCITY,
    "rmsprop_centered_momentum_inside": VELOCITY,
    "rmsprop_eps_inside": PLAIN,
    "rmsprop_eps_inside_momentum_inside": VELOCITY,
    "rmsprop_eps_inside_centered": PLAIN,
    "rmsprop_eps_inside_centered_momentum_inside": VELOCITY,
    "rprop": {
        "lr": "0.375",
        "eta_minus": "0.125",
        "eta_plus": "1.5",
        "step_min": "0.0625",
        "step_max": "0.5",
    },
    "averaged_sgd": {"lr": "0.375"},
    "asgd": {"lr": "0.375", "lambd": "0.25", "alpha": "0.5", "t0": "0.25"},
    "qhm": {"lr": "0.375", "beta": "0.75", "nu": "0.5"},
    "ista": {"lr": "0.375", "l1": "0.5"},
    "fista": {"lr": "0.375", "l1": "0.5"},
    "fista_restart": {"lr": "0.375", "l1": "0.5"},
    "ftrl": {
        "lr": "0.375",
        "beta": "0.75",
        "l1": "0.5",
        "l2": "0.25",
        "shrinkage": "0.125",
        "n0": "0.25",
    },
}


def sign(a):
    return D(0) if a == 0 else D(1).copy_sign(a)


def adagrad_eps_inside(lr, eps, a0):
    """G_t = delta-start plus the sum of g g^T; x_{t+1} = x_t - eta diag(G_t + delta)^{-1/2} g_t."""
    x = X0
    for t, g in enumerate(TAPE, 1):
        sums = [a0 + sum(past[i] ** 2 for past in TAPE[:t]) for i in range(4)]
        x = [a - lr * b / (s + eps).sqrt() for a, b, s in zip(x, g, sums)]
        yield {"x": x, "a": sums}


def adadelta(lr, rho, eps):
    """RMS[y] = sqrt(E[y^2] + eps); dx_t = - RMS[dx]_{t-1} / RMS[g]_t g_t."""
    x, moves = X0, []
    for t, (g, mean) in enumerate(zip(TAPE, averages(rho, 2)), 1):
        past = [
            (1 - rho) * sum(rho ** (t - 1 - i) * m[j] ** 2 for i, m in enumerate(moves, 1))
            for j in range(4)
        ]
        move = [-(u + eps).sqrt() / (v + eps).sqrt() * b for u, v, b in zip(past, mean, g)]
        moves.append(move)
        x = [a + lr * b for a, b in zip(x, move)]
        yield {
            "x": x,
            "v": mean,
            "u": [rho * u + (1 - rho) * b**2 for u, b in zip(past, move)],
        }


def graves(lr, alpha, eps, momentum, *, centered, eps_inside, lr_inside):
    """n_i, g_i are averages of eps_i^2 and eps_i; Delta_i = mu Delta_i - lr eps_i / sqrt(n_i - g_i^2 + eps)."""
    x, velocity = X0, [D(0)] * 4
    for g, n, mean in zip(TAPE, averages(alpha, 2), averages(alpha, 1)):
        variance = [a - b**2 for a, b in zip(n, mean)] if centered else n
        roots = [(a + eps).sqrt() if eps_inside else a.sqrt() + eps for a in variance]
        inside, outside = (lr, 1) if lr_inside else (1, lr)
        velocity = [momentum * d + inside * a / b for d, a, b in zip(velocity, g, roots)]
        x = [a - outside * d for a, d in zip(x, velocity)]
        state = {"v": n, "a": mean, "b": velocity}
        kept = ["v", *(["a"] if centered else []), *(["b"] if momentum else [])]
        yield {"x": x, **{k: state[k] for k in kept}}


def form(centered, eps_inside, lr_inside=False):
    def trace(lr, alpha, eps, momentum=D(0)):
        how = {"centered": centered, "eps_inside": eps_inside, "lr_inside": lr_inside}
        return graves(lr, alpha, eps, momentum, **how)

    return trace


rmsprop_momentum = form(centered=False, eps_inside=False)
rmsprop_momentum_inside = form(centered=False, eps_inside=False, lr_inside=True)
rmsprop_centered = form(centered=True, eps_inside=False)
rmsprop_centered_momentum = form(centered=True, eps_inside=False)
rmsprop_centered_momentum_inside = form(centered=True, eps_inside=False, lr_inside=True)
rmsprop_eps_inside = form(centered=False, eps_inside=True)
rmsprop_eps_inside_momentum_inside = form(centered=False, eps_inside=True, lr_inside=True)
rmsprop_eps_inside_centered = form(centered=True, eps_inside=True)
rmsprop_eps_inside_centered_momentum_inside = form(centered=True, eps_inside=True, lr_inside=True)


def rprop(lr, eta_minus, eta_plus, step_min, step_max):
    """If g_{t-1} g_t > 0 the step grows; if < 0 it shrinks and g_t := 0; then w := w - sign(g_t) Delta."""
    x, before, step = list(X0), [D(0)] * 4, [lr] * 4
    for tape in TAPE:
        g = list(tape)
        for i in range(4):
            if before[i] * g[i] > 0:
                step[i] = min(step[i] * eta_plus, step_max)
            elif before[i] * g[i] < 0:
                step[i] = max(step[i] * eta_minus, step_min)
                g[i] = D(0)
            x[i] -= sign(g[i]) * step[i]
        before = g
        yield {"x": list(x), "g_before": g, "step": list(step)}


def averaged_sgd(lr):
    x, iterates = X0, []
    for g in TAPE:
        x = [a - lr * b for a, b in zip(x, g)]
        iterates.append(x)
        yield {"x": x, "average": [sum(column) / len(iterates) for column in zip(*iterates)]}


def asgd(lr, lambd, alpha, t0):
    """gamma_t = gamma_0 (1 + lambda gamma_0 t)^-a; w := w - gamma_t (lambda w + g); w_bar takes mu_t of w."""
    x, mean = X0, X0
    for t, g in enumerate(TAPE):
        gamma = lr / (1 + lambd * lr * t) ** alpha
        x = [a - gamma * (lambd * a + b) for a, b in zip(x, g)]
        mu = 1 / max(D(1), t - t0)
        mean = [mu * a + (1 - mu) * b for a, b in zip(x, mean)]
        yield {"x": x, "average": mean}


def qhm(lr, beta, nu):
    """g_{t+1} = beta g_t + (1 - beta) grad; theta_{t+1} = theta_t - alpha ((1 - nu) grad + nu g_{t+1})."""
    x = X0
    for g, buffer in zip(TAPE, averages(beta, 1)):
        x = [a - lr * ((1 - nu) * b + nu * c) for a, b, c in zip(x, g, buffer)]
        yield {"x": x, "v": buffer}


def shrink(x, alpha):
    """T_alpha(x)_i = (|x_i| - alpha)_+ sgn(x_i)."""
    return [max(abs(a) - alpha, D(0)) * sign(a) for a in x]


def ista(lr, l1):
    """x_k = T_{lambda t}(x_{k-1} - t grad f(x_{k-1}))."""
    x = X0
    for g in TAPE:
        x = shrink([a - lr * b for a, b in zip(x, g)], lr * l1)
        yield {"x": x}


def fista(lr, l1, tape=TAPE, restart=False):
    """x_k = p_L(y_k); t_{k+1} = (1 + sqrt(1 + 4 t_k^2)) / 2; y_{k+1} = x_k + (t_k - 1) / t_{k+1} (x_k - x_{k-1})."""
    before, y, t = X0, X0, D(1)
    for g in tape:
        x = shrink([a - lr * b for a, b in zip(y, g)], lr * l1)
        t_next = (1 + (1 + 4 * t**2).sqrt()) / 2
        gradient_map = [(a - b) / lr for a, b in zip(y, x)]
        if restart and sum(a * (b - c) for a, b, c in zip(gradient_map, x, before)) > 0:
            y, t_next = x, D(1)
        else:
            y = [a + (t - 1) / t_next * (a - b) for a, b in zip(x, before)]
        before, t = x, t_next
        yield {"x": y, "z": x, "theta": t}


def fista_restart(lr, l1):
    return fista(lr, l1, UPHILL, restart=True)


def ftrl(lr, beta, l1, l2, shrinkage, n0):
    """z += g - sigma w, sigma = (sqrt(n + g^2) - sqrt(n)) / alpha; w = 0 if |z| <= l1, else closed."""
    x, z, n = X0, [D(0)] * 4, [n0] * 4
    for g in TAPE:
        n_next = [a + b**2 for a, b in zip(n, g)]
        sigma = [(a.sqrt() - b.sqrt()) / lr for a, b in zip(n_next, n)]
        z = [a + b + shrinkage * w - s * w for a, b, w, s in zip(z, g, x, sigma)]
        n = n_next
        x = [
            D(0) if abs(a) <= l1 else -(a - sign(a) * l1) / ((beta + b.sqrt()) / lr + l2)
            for a, b in zip(z, n)
        ]
        yield {"x": x, "z": z, "n": n}
