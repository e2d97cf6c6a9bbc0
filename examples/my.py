"""A function of your own, to race on: descend race examples/my.py:valley"""

import numpy as np


def valley(x):
    """A bent valley with its minimum 0 at (1, 1, 1)."""
    bend = x[1:] - x[:-1] ** 2
    return float(np.sum(10 * bend**2) + np.sum((1 - x[:-1]) ** 2))


def grad_valley(x):
    bend = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[1:] += 20 * bend
    g[:-1] += -40 * bend * x[:-1] - 2 * (1 - x[:-1])
    return g


valley.x0 = [-1.0, 2.0, 0.5]
valley.grad = grad_valley  # leave it out and central differences are taken
valley.minimum = 0.0  # if you know it, scores are f(x) − f*
