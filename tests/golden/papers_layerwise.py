"""Golden traces of rules with norms of each array; here there is one array."""

import runpy
from decimal import Decimal as D
from decimal import getcontext
from pathlib import Path

getcontext().prec = 50
_MAIN = runpy.run_path(str(Path(__file__).with_name("generate.py")))
X0, TAPE = _MAIN["X0"], _MAIN["TAPE"]

PAPERS = {
    "lars": "You, Gitman, Ginsburg, 'Large batch training of convolutional networks', 2017, Algorithm 1, a constant rate",
    "lamb": "You et al., 'Large batch optimization for deep learning', 2020, Algorithm 2, phi the identity",
    "novograd": "Ginsburg et al., 'Stochastic gradient methods with layer-wise adaptive moments', 2019, Algorithm 1",
    "fromage": "Bernstein et al., 'On the distance between two neural networks', 2020, Algorithm 1",
}
SETTINGS = {
    "lars": {"lr": "0.5", "momentum": "0.75", "trust": "0.25", "weight_decay": "0.125"},
    "lamb": {
        "lr": "0.375",
        "beta1": "0.75",
        "beta2": "0.9375",
        "eps": "0.0625",
        "weight_decay": "0.125",
    },
    "novograd": {
        "lr": "0.375",
        "beta1": "0.75",
        "beta2": "0.5",
        "eps": "0.0625",
        "weight_decay": "0.125",
    },
    "fromage": {"lr": "0.375"},
}


def length(a):
    return sum(b * b for b in a).sqrt()


def lars(lr, momentum, trust, weight_decay):
    x, v = X0, [D(0)] * 4
    for g in TAPE:
        local = trust * length(x) / (length(g) + weight_decay * length(x))
        v = [momentum * a + lr * local * (b + weight_decay * c) for a, b, c in zip(v, g, x)]
        x = [a - b for a, b in zip(x, v)]
        yield {"x": x, "v": v}


def lamb(lr, beta1, beta2, eps, weight_decay):
    x, m, v = X0, [D(0)] * 4, [D(0)] * 4
    for t, g in enumerate(TAPE, 1):
        m = [beta1 * a + (1 - beta1) * b for a, b in zip(m, g)]
        v = [beta2 * a + (1 - beta2) * b * b for a, b in zip(v, g)]
        r = [a / (1 - beta1**t) / ((b / (1 - beta2**t)).sqrt() + eps) for a, b in zip(m, v)]
        u = [a + weight_decay * b for a, b in zip(r, x)]
        ratio = length(x) / length(u)
        x = [a - lr * ratio * b for a, b in zip(x, u)]
        yield {"x": x, "m": m, "v": v}


def novograd(lr, beta1, beta2, eps, weight_decay):
    x, m, v = X0, [D(0)] * 4, None
    for g in TAPE:
        size = sum(a * a for a in g)
        v = size if v is None else beta2 * v + (1 - beta2) * size
        m = [beta1 * a + (b / (v.sqrt() + eps) + weight_decay * c) for a, b, c in zip(m, g, x)]
        x = [a - lr * b for a, b in zip(x, m)]
        yield {"x": x, "m": m, "v": v}


def fromage(lr):
    x = X0
    for g in TAPE:
        ratio = length(x) / length(g)
        x = [(a - lr * ratio * b) / (1 + lr * lr).sqrt() for a, b in zip(x, g)]
        yield {"x": x}
