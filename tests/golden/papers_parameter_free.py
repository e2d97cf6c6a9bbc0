"""Rules with one measured step size, and rules without a learning rate, from their papers: read and run by ``generate.py``."""

import runpy
from decimal import Decimal as D
from pathlib import Path

shared = runpy.run_path(str(Path(__file__).with_name("generate.py")))
X0, TAPE, VALUES = shared["X0"], shared["TAPE"], shared["VALUES"]

GROWING = [  # the second gradient goes on as the first, so that distances grow at the third
    [D("0.5"), D("-1.25"), D(3), D(0)],
    [D("-0.25"), D("-0.5"), D("1.75"), D("2.5")],
    [D("0.75"), D(2), D("-0.125"), D(-1)],
]

DEFAZIO = "Defazio, Mishchenko, 'Learning-rate-free learning by D-Adaptation', 2023"
BARZILAI = "Barzilai, Borwein, 'Two-point step size gradient methods', 1988"
PAPERS = {
    "polyak_sgd": "Loizou et al., 'Stochastic Polyak step-size for SGD', 2021, eq. 3 (SPS_max)",
    "barzilai_borwein": f"{BARZILAI}, eq. 6",
    "barzilai_borwein_short": f"{BARZILAI}, eq. 5",
    "adgd": "Malitsky, Mishchenko, 'Adaptive gradient descent without descent', 2020, Algorithm 1",
    "dog": "Ivgi, Hinder, Carmon, 'DoG is SGD's best friend', 2023, eq. 1, r_eps = alpha (1 + |x_0|)",
    "ldog": "Ivgi, Hinder, Carmon, 2023, section 4.1; of one array, which is DoG's eq. 1",
    "dowg": "Khaled, Mishchenko, Jin, 'DoWG unleashed', 2023, Algorithm 1, with eps",
    "dadapt_sgd": f"{DEFAZIO}, Algorithm 4",
    "dadapt_adam": f"{DEFAZIO}, Algorithm 5",
    "dadapt_adam_corrected": f"{DEFAZIO}, Algorithm 5, the inner product in the last step's scale and lr with Adam's corrections",
    "prodigy": "Mishchenko, Defazio, 'Prodigy: an expeditiously adaptive parameter-free learner', 2023, Algorithm 4",
    "cocob": "Orabona, Tommasi, 'Training deep networks without learning rates through coin betting', 2017, Algorithm 2, L_0 = eps",
}

ADAM = {"lr": "4", "beta1": "0.75", "beta2": "0.5625", "eps": "0.0625", "d0": "0.125"}
SETTINGS = {
    "polyak_sgd": {"lr": "0.5", "f_min": "0.25", "c": "0.5"},
    "barzilai_borwein": {"lr": "0.375"},
    "barzilai_borwein_short": {"lr": "0.375"},
    "adgd": {"lr": "0.375"},
    "dog": {"lr": "2", "r_rel": "0.0625", "eps": "0.125"},
    "ldog": {"lr": "2", "r_rel": "0.0625", "eps": "0.125"},
    "dowg": {"lr": "2", "r0": "0.25", "eps": "0.0625"},
    "dadapt_sgd": {"lr": "4", "momentum": "0.75", "d0": "0.125"},
    "dadapt_adam": ADAM,
    "dadapt_adam_corrected": ADAM,
    "prodigy": {**ADAM, "lr": "16"},
    "cocob": {"alpha": "2", "eps": "0.0625"},
}
TAPES = dict.fromkeys(
    ["dog", "ldog", "dowg", "dadapt_sgd", "dadapt_adam", "dadapt_adam_corrected", "prodigy"],
    GROWING,
)


def dot(a, b):
    return sum((c * d for c, d in zip(a, b)), D(0))


def length(a):
    return dot(a, a).sqrt()


def less(a, b):
    return [c - d for c, d in zip(a, b)]


def move(x, by, g):
    return [a - by * b for a, b in zip(x, g)]


def polyak_sgd(lr, f_min, c):
    """gamma_k = min((f(x_k) - f*) / (c |grad f(x_k)|^2), gamma_b)."""
    x = X0
    for f, g in zip(VALUES, TAPE):
        x = move(x, min((f - f_min) / (c * dot(g, g)), lr), g)
        yield {"x": x}


def two_point(lr, size):
    """alpha from dx = x_k - x_{k-1} and dg = g_k - g_{k-1}, after a first step of lr."""
    xs, step = [X0], lr
    for k, g in enumerate(TAPE):
        if k:
            step = size(less(xs[k], xs[k - 1]), less(g, TAPE[k - 1]))
        xs.append(move(xs[k], step, g))
        yield {"x": xs[k + 1], "x_before": xs[k], "g_before": g, "step": step}


def barzilai_borwein(lr):
    return two_point(lr, lambda dx, dg: dot(dx, dx) / dot(dx, dg))


def barzilai_borwein_short(lr):
    return two_point(lr, lambda dx, dg: dot(dx, dg) / dot(dg, dg))


def adgd(lr):
    """lambda_k = min(sqrt(1 + theta_{k-1}) lambda_{k-1}, |dx| / (2 |dg|)); theta_k = lambda_k / lambda_{k-1}; theta_0 = inf."""
    xs, steps, theta = [X0], [], D("Infinity")
    for k, g in enumerate(TAPE):
        step = lr
        if k:
            bound = length(less(xs[k], xs[k - 1])) / (2 * length(less(g, TAPE[k - 1])))
            step = min((1 + theta).sqrt() * steps[-1], bound)
            theta = step / steps[-1]
        steps.append(step)
        xs.append(move(xs[k], step, g))
        yield {"x": xs[k + 1], "x_before": xs[k], "g_before": g, "step": step, "ratio": theta}


def dog(lr, r_rel, eps):
    """eta_t = max_{i <= t} |x_i - x_0| / sqrt(sum of |g_i|^2 + eps), the first distance r_eps."""
    xs = [X0]
    for t, g in enumerate(GROWING):
        r = max([r_rel * (1 + length(X0)), *(length(less(x, X0)) for x in xs)])
        squares = sum(dot(past, past) for past in GROWING[: t + 1])
        xs.append(move(xs[t], lr * r / (squares + eps).sqrt(), g))
        yield {"x": xs[-1], "x0": X0, "r": r, "squares": squares}


ldog = dog


def dowg(lr, r0, eps):
    """r_t = max(|x_t - x_0|, r_{t-1}); v_t = v_{t-1} + r_t^2 |g_t|^2; eta_t = r_t^2 / sqrt(v_t)."""
    x, r, v = X0, r0, D(0)
    for g in GROWING:
        r = max(length(less(x, X0)), r)
        v += r**2 * dot(g, g)
        x = move(x, lr * r**2 / (v.sqrt() + eps), g)
        yield {"x": x, "x0": X0, "r": r, "squares": v}


def dadapt_sgd(lr, momentum, d0):
    """lambda_k = d_k gamma_k / G; d_hat = 2 sum of lambda_i <g_i, s_i> / |s_{k+1}|; x_{k+1} = beta x_k + (1 - beta) z_{k+1}."""
    x, d, terms, steps = X0, d0, [], []
    norm = length(GROWING[0])
    for k, g in enumerate(GROWING):
        s = [sum(b * past[i] for b, past in zip(steps, GROWING)) for i in range(4)]
        step = d * lr / norm
        terms.append(step * dot(g, s))
        steps.append(step)
        s = [sum(b * past[i] for b, past in zip(steps, GROWING)) for i in range(4)]
        z = less(X0, s)
        x = [momentum * a + (1 - momentum) * b for a, b in zip(x, z)]
        d = max(d, 2 * sum(terms) / length(s))
        yield {"x": x, "z": z, "s": s, "d": d, "g_norm": norm, "inner": sum(terms)}


def dadapt_adam(lr, beta1, beta2, eps, d0, corrected=False):
    """r_{k+1} = b r_k + (1 - b) gamma_k d_k <g_k, s_k>_{A^-1}; d_hat = r_{k+1} / ((1 - b) |s_{k+1}|_1), b = sqrt(beta2)."""
    x, d, b, r = X0, d0, beta2.sqrt(), D(0)
    m = v = s = [D(0)] * 4
    for t, g in enumerate(GROWING, 1):
        gamma = lr * ((1 - beta2**t).sqrt() / (1 - beta1**t) if corrected else 1)
        old = [a.sqrt() + eps for a in v]
        m = [beta1 * a + (1 - beta1) * d * gamma * c for a, c in zip(m, g)]
        v = [beta2 * a + (1 - beta2) * c**2 for a, c in zip(v, g)]
        scale = [a.sqrt() + eps for a in v]
        r = b * r + (1 - b) * gamma * d * sum(
            c * a / e for c, a, e in zip(g, s, old if corrected else scale)
        )
        s = [b * a + (1 - b) * d * gamma * c for a, c in zip(s, g)]
        x = [a - c / e for a, c, e in zip(x, m, scale)]
        d = max(d, r / ((1 - b) * sum(map(abs, s))))
        yield {"x": x, "m": m, "v": v, "s": s, "d": d, "inner": r}


def dadapt_adam_corrected(**settings):
    return dadapt_adam(**settings, corrected=True)


def prodigy(lr, beta1, beta2, eps, d0):
    """r_{k+1} = b r_k + (1 - b) gamma_k d_k^2 <g_k, x_0 - x_k>; d_hat = r_{k+1} / |s_{k+1}|_1; x by d_k m / (sqrt(v) + d_k eps)."""
    x, d, b, r = X0, d0, beta2.sqrt(), D(0)
    m = v = s = [D(0)] * 4
    for g in GROWING:
        m = [beta1 * a + (1 - beta1) * d * c for a, c in zip(m, g)]
        v = [beta2 * a + (1 - beta2) * (d * c) ** 2 for a, c in zip(v, g)]
        r = b * r + (1 - b) * lr * d**2 * dot(g, less(X0, x))
        s = [b * a + (1 - b) * lr * d**2 * c for a, c in zip(s, g)]
        x = [a - lr * d * c / (e.sqrt() + d * eps) for a, c, e in zip(x, m, v)]
        d = max(d, r / sum(map(abs, s)))
        yield {"x": x, "m": m, "v": v, "s": s, "x0": X0, "d": d, "inner": r}


def cocob(alpha, eps):
    """w_{t+1} = w_1 + theta_t / (L_t max(G_t + L_t, alpha L_t)) (L_t + Reward_t), theta the sum of -gradients."""
    x, reward = X0, [D(0)] * 4
    for t, g in enumerate(TAPE, 1):
        past = list(zip(*TAPE[:t]))
        largest = [max(eps, *map(abs, column)) for column in past]
        sizes = [sum(map(abs, column)) for column in past]
        theta = [-sum(column) for column in past]
        reward = [max(r + (a - b) * -c, D(0)) for r, a, b, c in zip(reward, x, X0, g)]
        x = [
            a + h / (big * max(total + big, alpha * big)) * (big + r)
            for a, h, big, total, r in zip(X0, theta, largest, sizes, reward)
        ]
        yield {
            "x": x,
            "x0": X0,
            "largest": largest,
            "sizes": sizes,
            "reward": reward,
            "theta": theta,
        }
