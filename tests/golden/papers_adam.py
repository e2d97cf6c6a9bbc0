"""The Adam family and rules by sign, from their papers: read and run by ``generate.py``.

Averages are written as the sums that Adam's section 3 derives, maxima over the whole past, and what a paper starts or
corrects is written as it has it.
"""

import runpy
from decimal import Decimal as D
from pathlib import Path

shared = runpy.run_path(str(Path(__file__).with_name("generate.py")))
X0, TAPE, averages = shared["X0"], shared["TAPE"], shared["averages"]

LIU = "Liu et al., 'On the variance of the adaptive learning rate and beyond', 2020, Algorithm 2, threshold 5"
YOGI = "Zaheer et al., 'Adaptive methods for nonconvex optimization', 2018, Algorithm 2"
BERNSTEIN = "Bernstein et al., 'signSGD: compressed optimisation for non-convex problems', 2018"
PAPERS = {
    "adam_eps_hat": "Kingma, Ba, 'Adam: a method for stochastic optimization', 2015, end of section 2",
    "nadamw": "Dozat, 'Incorporating Nesterov momentum into Adam', 2016, Algorithm 2, with Loshchilov, Hutter, 2019, Algorithm 2",
    "nadam_constant": "Dozat, 'Incorporating Nesterov momentum into Adam', 2016, Algorithm 2 with a constant mu",
    "radam": f"{LIU}, eps beside the uncorrected root",
    "radam_corrected": f"{LIU}, eps beside the corrected root",
    "adabelief": "Zhuang et al., 'AdaBelief optimizer', 2020, Algorithm 2",
    "yogi": YOGI,
    "yogi_corrected": f"{YOGI}, started above 0 and corrected as Adam",
    "adan": "Xie et al., 'Adan: adaptive Nesterov momentum algorithm', 2022, Algorithm 1, corrected as in the authors' code",
    "adopt": "Taniguchi et al., 'ADOPT: modified Adam can converge with any beta2', 2024, Algorithm 2",
    "ademamix": "Pagliardini, Ablin, Grangier, 'The AdEMAMix optimizer', 2024, Algorithm 1 at constant alpha and beta3",
    "qhadam": "Ma, Yarats, 'Quasi-hyperbolic momentum and Adam for deep learning', 2019, section 4",
    "mars": "Yuan et al., 'MARS: unleashing the power of variance reduction', 2024, Algorithm 2, approximate",
    "sophia": "Liu et al., 'Sophia: a scalable stochastic second-order optimizer for language model pre-training', 2023, Algorithm 3",
    "schedule_free_adamw": "Defazio et al., 'The road less scheduled', 2024, Algorithm 1",
    "signsgd": f"{BERNSTEIN}, Algorithm 1",
    "signum": f"{BERNSTEIN}, Algorithm 2",
    "tiger": "Su, 'Tiger: a tight-fisted optimizer', 2023, one rate for all",
}

ADAM = {"lr": "0.375", "beta1": "0.75", "beta2": "0.9375", "eps": "0.0625"}
DECAY = {"weight_decay": "0.125"}
SETTINGS = {
    "sophia": {
        "lr": "0.375",
        "beta1": "0.75",
        "beta2": "0.9375",
        "gamma": "0.5",
        "eps": "0.0625",
        "weight_decay": "0.125",
        "every": "2",
    },
    "adam_eps_hat": ADAM,
    "nadamw": {**ADAM, "momentum_decay": "0.25", **DECAY},
    "nadam_constant": ADAM,
    "radam": ADAM,
    "radam_corrected": ADAM,
    "adabelief": {**ADAM, "eps_root": "0.03125"},
    "yogi": ADAM,
    "yogi_corrected": {**ADAM, "initial": "0.5"},
    "adan": {**ADAM, "beta1": "0.875", "beta2": "0.75", "beta3": "0.9375", **DECAY},
    "adopt": {**ADAM, "eps": "0.25"},
    "ademamix": {**ADAM, "beta3": "0.96875", "alpha": "2.5"},
    "qhadam": {**ADAM, "nu1": "0.625", "nu2": "0.75"},
    "mars": {**ADAM, "gamma": "0.125"},
    "schedule_free_adamw": {**ADAM, **DECAY},
    "signsgd": {"lr": "0.375"},
    "signum": {"lr": "0.375", "beta": "0.75"},
    "tiger": {"lr": "0.375", "beta": "0.75", **DECAY},
}


def sign(a):
    return D((a > 0) - (a < 0))


def moments(beta1, beta2):
    """t, m_t and v_t."""
    return ((t, m, v) for t, (m, v) in enumerate(zip(averages(beta1, 1), averages(beta2, 2)), 1))


def adam_eps_hat(lr, beta1, beta2, eps):
    """alpha_t = alpha sqrt(1 - beta2^t) / (1 - beta1^t); theta_t = theta_{t-1} - alpha_t m_t / (sqrt(v_t) + eps_hat)."""
    x = X0
    for t, m, v in moments(beta1, beta2):
        alpha = lr * (1 - beta2**t).sqrt() / (1 - beta1**t)
        x = [a - alpha * b / (c.sqrt() + eps) for a, b, c in zip(x, m, v)]
        yield {"x": x, "m": m, "v": v}


def nadamw(lr, beta1, beta2, eps, momentum_decay, weight_decay):
    """theta_t = theta_{t-1} - eta (Nadam's step + lambda theta_{t-1}): Nadam's steps do not depend on theta."""
    x, before = X0, X0
    for plain in shared["nadam"](lr, beta1, beta2, eps, momentum_decay):
        x = [a + (b - c) - lr * weight_decay * a for a, b, c in zip(x, plain["x"], before)]
        before = plain["x"]
        yield {**plain, "x": x}


def nadam_constant(lr, beta1, beta2, eps):
    """Algorithm 2 with mu_t = mu: products are powers; m_bar = (1 - mu) g_hat + mu m_hat."""
    x = X0
    for t, m, v in moments(beta1, beta2):
        g_hat = [a / (1 - beta1**t) for a in TAPE[t - 1]]
        m_hat = [a / (1 - beta1 ** (t + 1)) for a in m]
        m_bar = [(1 - beta1) * a + beta1 * b for a, b in zip(g_hat, m_hat)]
        x = [a - lr * b / ((c / (1 - beta2**t)).sqrt() + eps) for a, b, c in zip(x, m_bar, v)]
        yield {"x": x, "m": m, "v": v}


def rectified(lr, beta1, beta2, scale):
    """rho_t is the length of the average's simple equivalent; it is at most t, so three steps are momentum's."""
    x = X0
    for t, m, v in moments(beta1, beta2):
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        m_hat = [a / (1 - beta1**t) for a in m]
        if rho > 5:
            r = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)).sqrt()
            m_hat = [r * a / scale(t, b) for a, b in zip(m_hat, v)]
        x = [a - lr * b for a, b in zip(x, m_hat)]
        yield {"x": x, "m": m, "v": v}


def radam(lr, beta1, beta2, eps):
    return rectified(lr, beta1, beta2, lambda t, v: (v.sqrt() + eps) / (1 - beta2**t).sqrt())


def radam_corrected(lr, beta1, beta2, eps):
    return rectified(lr, beta1, beta2, lambda t, v: (v / (1 - beta2**t)).sqrt() + eps)


def adabelief(lr, beta1, beta2, eps, eps_root):
    """s_t = beta2 s_{t-1} + (1 - beta2) (g_t - m_t)^2 + eps."""
    x, s = X0, [D(0)] * 4
    for t, m, _ in moments(beta1, beta2):
        s = [
            beta2 * a + (1 - beta2) * (b - c) ** 2 + eps_root for a, b, c in zip(s, TAPE[t - 1], m)
        ]
        m_hat = [a / (1 - beta1**t) for a in m]
        s_hat = [a / (1 - beta2**t) for a in s]
        x = [a - lr * b / (c.sqrt() + eps) for a, b, c in zip(x, m_hat, s_hat)]
        yield {"x": x, "m": m, "s": s}


def yogi(lr, beta1, beta2, eps, initial=D(0), corrected=False):
    """v_t = v_{t-1} - (1 - beta2) sign(v_{t-1} - g_t^2) g_t^2; a start of m decays as beta1^t."""
    x, v = X0, [initial] * 4
    for t, plain in enumerate(averages(beta1, 1), 1):
        m = [a + beta1**t * initial for a in plain]
        v = [a - (1 - beta2) * sign(a - b**2) * b**2 for a, b in zip(v, TAPE[t - 1])]
        c1, c2 = (1 - beta1**t, 1 - beta2**t) if corrected else (1, 1)
        x = [a - lr * (b / c1) / ((c / c2).sqrt() + eps) for a, b, c in zip(x, m, v)]
        yield {"x": x, "m": m, "v": v}


def yogi_corrected(lr, beta1, beta2, eps, initial):
    return yogi(lr, beta1, beta2, eps, initial, corrected=True)


def changes():
    """g_t - g_{t-1}, and 0 at the first step."""
    return [[a - b for a, b in zip(g, h)] for g, h in zip(TAPE, [TAPE[0], *TAPE])]


def weighted(beta, rows):
    """The average of ``rows`` up to each step, started at 0, before its correction."""
    for t in range(1, len(rows) + 1):
        yield [
            (1 - beta) * sum(beta ** (t - i) * rows[i - 1][j] for i in range(1, t + 1))
            for j in range(4)
        ]


def adan(lr, beta1, beta2, beta3, eps, weight_decay):
    """theta_{k+1} = (theta_k - eta_k (m_k + (1 - b2) v_k)) / (1 + lambda eta); the paper's b2 is 1 - beta2."""
    b2, diff = 1 - beta2, changes()
    ahead = [[(a + (1 - b2) * b) ** 2 for a, b in zip(g, d)] for g, d in zip(TAPE, diff)]
    rows = zip(weighted(beta1, TAPE), weighted(beta2, diff), weighted(beta3, ahead))
    x = X0
    for t, (m, v, n) in enumerate(rows, 1):
        eta = [lr / ((a / (1 - beta3**t)).sqrt() + eps) for a in n]
        u = [a / (1 - beta1**t) + (1 - b2) * b / (1 - beta2**t) for a, b in zip(m, v)]
        x = [(a - b * c) / (1 + weight_decay * lr) for a, b, c in zip(x, eta, u)]
        yield {"x": x, "m": m, "v": v, "n": n, "previous": TAPE[t - 1]}


def adopt(lr, beta1, beta2, eps):
    """v_0 = g_0^2; m_t = beta1 m_{t-1} + (1 - beta1) Clip(g_t / max(sqrt(v_{t-1}), eps), t^(1/4)); then v_t. Here t is from 1."""
    x, m, v = X0, [D(0)] * 4, [a**2 for a in TAPE[0]]
    yield {"x": x, "m": m, "v": v}
    for t, g in enumerate(TAPE[1:], 1):
        c = D(t).sqrt().sqrt()
        scaled = [max(-c, min(c, a / max(b.sqrt(), eps))) for a, b in zip(g, v)]
        m = [beta1 * a + (1 - beta1) * b for a, b in zip(m, scaled)]
        x = [a - lr * b for a, b in zip(x, m)]
        v = [beta2 * a + (1 - beta2) * b**2 for a, b in zip(v, g)]
        yield {"x": x, "m": m, "v": v}


def ademamix(lr, beta1, beta2, beta3, alpha, eps):
    """theta_t = theta_{t-1} - eta (m1_hat + alpha m2) / (sqrt(v_hat) + eps)."""
    x = X0
    for (t, m1, v), m2 in zip(moments(beta1, beta2), averages(beta3, 1)):
        mixed = [a / (1 - beta1**t) + alpha * b for a, b in zip(m1, m2)]
        x = [a - lr * b / ((c / (1 - beta2**t)).sqrt() + eps) for a, b, c in zip(x, mixed, v)]
        yield {"x": x, "m1": m1, "m2": m2, "v": v}


def qhadam(lr, beta1, beta2, eps, nu1, nu2):
    """theta_{t+1} = theta_t - alpha ((1 - nu1) g + nu1 g') / (sqrt((1 - nu2) g^2 + nu2 s') + eps)."""
    x = X0
    for t, m, v in moments(beta1, beta2):
        g = TAPE[t - 1]
        top = [(1 - nu1) * a + nu1 * b / (1 - beta1**t) for a, b in zip(g, m)]
        below = [(1 - nu2) * a**2 + nu2 * b / (1 - beta2**t) for a, b in zip(g, v)]
        x = [a - lr * b / (c.sqrt() + eps) for a, b, c in zip(x, top, below)]
        yield {"x": x, "m": m, "v": v}


def mars(lr, beta1, beta2, eps, gamma):
    """c_t = g_t + gamma beta1 / (1 - beta1) (g_t - g_{t-1}), cut to norm 1; AdamW's step on it; x_1 = x_0, so c_1 = g_1."""
    rows = []
    for g, d in zip(TAPE, changes()):
        c = [a + gamma * (beta1 / (1 - beta1)) * b for a, b in zip(g, d)]
        length = sum(a**2 for a in c).sqrt()
        rows.append([a / length for a in c] if length > 1 else c)
    squares = [[a**2 for a in row] for row in rows]
    x = X0
    for t, (m, v) in enumerate(zip(weighted(beta1, rows), weighted(beta2, squares)), 1):
        m_hat, v_hat = [a / (1 - beta1**t) for a in m], [a / (1 - beta2**t) for a in v]
        x = [a - lr * b / (c.sqrt() + eps) for a, b, c in zip(x, m_hat, v_hat)]
        yield {"x": x, "m": m, "v": v, "previous": TAPE[t - 1]}


def sophia(lr, beta1, beta2, gamma, eps, weight_decay, every):
    """h changes at t = 1, 3 alone; theta = theta - lr lambda theta; theta = theta - lr clip(m / max(gamma h, eps), 1)."""
    estimates = [[D(t) * a for a in (D(2), D(-1), D("0.5"), D(16))] for t in (1, 2, 3)]
    x, h = X0, [D(0)] * 4
    for t, m in enumerate(averages(beta1, 1), 1):
        if t % every == 1:
            h = [beta2 * a + (1 - beta2) * b for a, b in zip(h, estimates[t - 1])]
        x = [a - lr * weight_decay * a for a in x]
        u = [b / max(gamma * c, eps) for b, c in zip(m, h)]
        x = [a - lr * min(max(b, D(-1)), D(1)) for a, b in zip(x, u)]
        yield {"x": x, "m": m, "h": h, "curvature": estimates[t - 1]}


def schedule_free_adamw(lr, beta1, beta2, eps, weight_decay):
    """z_{t+1} = z_t - gamma_t g_t / (sqrt(v_hat) + eps) - gamma_t lambda y_t; x_{t+1} = (1 - c) x_t + c z_{t+1}; y between."""
    z, average, y = X0, X0, X0
    for t, _, v in moments(beta1, beta2):
        scaled = [b / ((c / (1 - beta2**t)).sqrt() + eps) for b, c in zip(TAPE[t - 1], v)]
        z = [a - lr * b - lr * weight_decay * c for a, b, c in zip(z, scaled, y)]
        c = lr**2 / (t * lr**2)
        average = [(1 - c) * a + c * b for a, b in zip(average, z)]
        y = [(1 - beta1) * a + beta1 * b for a, b in zip(z, average)]
        yield {"x": y, "z": z, "average": average, "v": v, "weights": t * lr**2}


def signsgd(lr):
    """x_{k+1} = x_k - delta sign(g_k)."""
    x = X0
    for g in TAPE:
        x = [a - lr * sign(b) for a, b in zip(x, g)]
        yield {"x": x}


def tiger(lr, beta, weight_decay):
    """theta_t = theta_{t-1} - eta (sign(m_t) + lambda theta_{t-1})."""
    x = X0
    for m in averages(beta, 1):
        x = [a - lr * (sign(b) + weight_decay * a) for a, b in zip(x, m)]
        yield {"x": x, "m": m}


def signum(lr, beta):
    """m_{k+1} = beta m_k + (1 - beta) g_k; x_{k+1} = x_k - delta sign(m_{k+1})."""
    return tiger(lr, beta, D(0))
