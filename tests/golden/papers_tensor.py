"""Golden traces of rules on whole arrays, on one matrix of two rows and two columns.

Roots of matrices are exact in decimals there: √A = (A + √(det A) I) / √(tr A + 2 √(det A)); eigenvectors come from the
quadratic formula, orthonormal columns from Gram and Schmidt. The library computes neither so.
"""

from decimal import Decimal as D
from decimal import getcontext

getcontext().prec = 50

X0 = [[D("1.5"), D("-0.75")], [D("0.25"), D(-2)]]
TAPE = [
    [[D("0.5"), D("-1.25")], [D(3), D(0)]],
    [[D("-0.25"), D("-0.5")], [D("-1.75"), D("2.5")]],
    [[D("0.75"), D(2)], [D("0.125"), D(-1)]],
]
_ADAFACTOR = "Shazeer, Stern, 'Adafactor: adaptive learning rates with sublinear memory cost', 2018"
_MUON = "Jordan et al., 'Muon: an optimizer for hidden layers in neural networks', 2024"
_MOONLIGHT = "Liu et al., 'Muon is scalable for LLM training', 2025"

PAPERS = {
    "adafactor": f"{_ADAFACTOR}, Algorithm 4 with section 8's settings free",
    "adafactor_clamped": f"{_ADAFACTOR}, with torch's note on eps1 and its decoupled decay",
    "adafactor_constant": f"{_ADAFACTOR}, Algorithm 4 with a constant rho and optax's decay",
    "muon": f"{_MUON}, with the average for the sum and the scale of the author's code",
    "muon_rms": f"{_MOONLIGHT}, eq. 4, on the average",
    "muon_trace": f"{_MOONLIGHT}, eqs. 1 and 4, with Nesterov momentum",
    "muon_corrected": f"{_MUON}, with optax's corrected average",
    "shampoo": "Gupta, Koren, Singer, 'Shampoo: preconditioned stochastic tensor optimization', 2018, Algorithm 1",
    "soap": "Vyas et al., 'SOAP: improving and stabilizing Shampoo using Adam', 2024, Algorithms 3 and 4",
    "sm3": "Anil et al., 'Memory-efficient adaptive optimization', 2019, Algorithm SM3-II with momentum and eps",
}
_FACTORS = {"lr": "0.625", "beta2_decay": "0.75", "eps1": "0.0625", "eps2": "0.125", "clip": "0.75"}
_ADAM = {"beta1": "0.75", "beta2": "0.9375", "eps": "0.0625"}
SETTINGS = {
    "adafactor": _FACTORS,
    "adafactor_clamped": {**_FACTORS, "weight_decay": "0.125"},
    "adafactor_constant": {**_FACTORS, "weight_decay": "0.125", "factored_from": "2"},
    "muon": {"lr": "0.375", "momentum": "0.75", **_ADAM},
    "muon_rms": {"lr": "0.375", "momentum": "0.75", "scale": "0.5", **_ADAM},
    "muon_trace": {"lr": "0.375", "momentum": "0.75", "scale": "0.5", **_ADAM},
    "muon_corrected": {"lr": "0.375", "momentum": "0.75", **_ADAM},
    "shampoo": {"lr": "0.375", "eps": "0.0625"},
    "soap": {"lr": "0.375", **_ADAM, "every": "2"},
    "sm3": {"lr": "0.375", "momentum": "0.75", "eps": "0.0625"},
}
STARTS = dict.fromkeys(SETTINGS, X0)
TAPES = dict.fromkeys(SETTINGS, TAPE)
ZERO = [[D(0)] * 2 for _ in range(2)]
ONE = [[D(1), D(0)], [D(0), D(1)]]


def each(f, *matrices):
    return [[f(*parts) for parts in zip(*rows)] for rows in zip(*matrices)]


def plus(a, b, of_a=D(1), of_b=D(1)):
    return each(lambda p, q: of_a * p + of_b * q, a, b)


def times(a, b):
    return [[sum(p * q for p, q in zip(row, column)) for column in zip(*b)] for row in a]


def turn(a):
    return [list(column) for column in zip(*a)]


def length(a):
    return sum(b * b for row in a for b in row).sqrt()


def rms(a):
    return length(a) / 2


def factors(square, beta, rows, columns):
    """R and C of Algorithm 4, as means: the row's and the column's average of the squares."""
    rows = [beta * a + (1 - beta) * sum(b) / 2 for a, b in zip(rows, square)]
    columns = [beta * a + (1 - beta) * sum(b) / 2 for a, b in zip(columns, turn(square))]
    return rows, columns


def adafactor(lr, beta2_decay, eps1, eps2, clip):
    x, rows, columns = X0, [D(0)] * 2, [D(0)] * 2
    for t, g in enumerate(TAPE, 1):
        beta = 1 - D(t) ** -beta2_decay
        rows, columns = factors(each(lambda b: b * b + eps1, g), beta, rows, columns)
        v = [[a * b / (sum(rows) / 2) for b in columns] for a in rows]
        u = each(lambda b, s: b / s.sqrt(), g, v)
        alpha = max(eps2, rms(x)) * min(lr, 1 / D(t).sqrt()) / max(D(1), rms(u) / clip)
        x = plus(x, u, of_b=-alpha)
        yield {"x": x, "r": [[a] for a in rows], "c": [columns], "v": []}


def adafactor_clamped(lr, beta2_decay, eps1, eps2, clip, weight_decay):
    x, rows, columns = X0, [D(0)] * 2, [D(0)] * 2
    for t, g in enumerate(TAPE, 1):
        beta = 1 - D(t) ** -beta2_decay
        rows, columns = factors(each(lambda b: b * b, g), beta, rows, columns)
        v = [[a * b / max(sum(rows) / 2, eps1) for b in columns] for a in rows]
        u = each(lambda b, s: b / max(s.sqrt(), eps1), g, v)
        alpha = max(eps2, rms(x)) * min(lr, 1 / D(t).sqrt()) / max(D(1), rms(u) / clip)
        x = plus(x, u, of_a=1 - lr * weight_decay, of_b=-alpha)
        yield {"x": x, "r": [[a] for a in rows], "c": [columns], "v": []}


def adafactor_constant(lr, beta2_decay, eps1, eps2, clip, weight_decay, factored_from):
    """Of two equal sides the second is the longer: r averages along it."""
    x, rows, columns = X0, [D(0)] * 2, [D(0)] * 2
    for t, g in enumerate(TAPE, 1):
        beta = 1 - D(t) ** -beta2_decay
        rows, columns = factors(each(lambda b: b * b + eps1, g), beta, rows, columns)
        v = [[a * b / (sum(rows) / 2) for b in columns] for a in rows]
        u = each(lambda b, s: b / s.sqrt(), g, v)
        step = lr * max(eps2, rms(x)) / max(D(1), rms(u) / clip)
        x = plus(x, u, of_a=1 - weight_decay, of_b=-step)
        yield {"x": x, "r": [[a] for a in rows], "c": [columns], "v": []}


def newton_schulz(u):
    """The code of Jordan's page: A = X X^T, B = b A + c A A, X = a X + B X, five times; a square matrix is not turned."""
    for _ in range(5):
        a = times(u, turn(u))
        b = plus(a, times(a, a), D("-4.7750"), D("2.0315"))
        u = plus(u, times(b, u), of_a=D("3.4445"))
    return u


def _averaged_muon(rate, momentum):
    x, m = X0, ZERO
    for g in TAPE:
        m = plus(m, g, momentum, 1 - momentum)
        u = plus(m, g, momentum, 1 - momentum)
        x = plus(x, newton_schulz(each(lambda b: b / length(u), u)), of_b=-rate)
        yield {"x": x, "m": m, "v": []}


def muon(lr, momentum, beta1, beta2, eps):
    return _averaged_muon(lr, momentum)


def muon_rms(lr, momentum, scale, beta1, beta2, eps):
    return _averaged_muon(lr * scale * D(2).sqrt(), momentum)


def muon_trace(lr, momentum, scale, beta1, beta2, eps):
    x, m = X0, ZERO
    for g in TAPE:
        m = plus(m, g, momentum)
        u = plus(g, m, of_b=momentum)
        size = length(u) + D("1e-7")
        x = plus(x, newton_schulz(each(lambda b: b / size, u)), of_b=-lr * scale * D(2).sqrt())
        yield {"x": x, "m": m, "v": []}


def muon_corrected(lr, momentum, beta1, beta2, eps):
    x, m = X0, ZERO
    for t, g in enumerate(TAPE, 1):
        m = plus(m, g, momentum, 1 - momentum)
        u = plus(m, g, momentum / (1 - momentum ** (t + 1)), (1 - momentum) / (1 - momentum**t))
        size = length(u) + eps
        x = plus(x, newton_schulz(each(lambda b: b / size, u)), of_b=-lr)
        yield {"x": x, "m": m, "v": []}


def root(a):
    """The square root of a positive definite matrix of two rows."""
    inner = (a[0][0] * a[1][1] - a[0][1] * a[1][0]).sqrt()
    outer = (a[0][0] + a[1][1] + 2 * inner).sqrt()
    return each(lambda p: p / outer, plus(a, ONE, of_b=inner))


def inverse(a):
    determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0]
    return [
        [a[1][1] / determinant, -a[0][1] / determinant],
        [-a[1][0] / determinant, a[0][0] / determinant],
    ]


def shampoo(lr, eps):
    """W_{t+1} = W_t - eta L_t^{-1/4} G_t R_t^{-1/4}; L_0 = R_0 = eps I, which the state leaves out."""
    x, left, right = X0, ZERO, ZERO
    for g in TAPE:
        left = plus(left, times(g, turn(g)))
        right = plus(right, times(turn(g), g))
        a, b = (inverse(root(root(plus(h, ONE, of_b=eps)))) for h in (left, right))
        x = plus(x, times(times(a, g), b), of_b=-lr)
        yield {"x": x, "h": [left, right]}


def bases(h):
    """Unit eigenvectors of a symmetric matrix as columns, that of the larger value first, each with its largest part positive."""
    middle, half = (h[0][0] + h[1][1]) / 2, (h[0][0] - h[1][1]) / 2
    spread = (half * half + h[0][1] * h[0][1]).sqrt()
    columns = []
    for value in (middle + spread, middle - spread):
        v = [h[0][1], value - h[0][0]]
        size = (v[0] * v[0] + v[1] * v[1]).sqrt() * (1 if max(v, key=abs) > 0 else -1)
        columns.append([a / size for a in v])
    return turn(columns)


def gram_schmidt(a):
    first, second = turn(a)
    size = (first[0] ** 2 + first[1] ** 2).sqrt()
    first = [b / size for b in first]
    shadow = sum(b * c for b, c in zip(first, second))
    second = [c - shadow * b for b, c in zip(first, second)]
    size = (second[0] ** 2 + second[1] ** 2).sqrt()
    return turn([first, [b / size for b in second]])


def soap(lr, beta1, beta2, eps, every):
    """Algorithm 3 with corrected moments; the first gradient makes the bases alone, and Adam counts from the second."""
    x, m, v, left, right = X0, ZERO, ZERO, ZERO, ZERO
    ql, qr = ONE, ONE
    for t, g in enumerate(TAPE):
        if t > 0:
            turned = times(times(turn(ql), g), qr)
            m = plus(m, g, beta1, 1 - beta1)
            v = plus(v, each(lambda b: b * b, turned), beta2, 1 - beta2)
            n = each(
                lambda a, b: a / (1 - beta1**t) / ((b / (1 - beta2**t)).sqrt() + eps),
                times(times(turn(ql), m), qr),
                v,
            )
            x = plus(x, times(times(ql, n), turn(qr)), of_b=-lr)
        left = plus(left, times(g, turn(g)), beta2, 1 - beta2)
        right = plus(right, times(turn(g), g), beta2, 1 - beta2)
        if t == 0:
            ql, qr = bases(left), bases(right)
        elif t % every == 0:
            ql, qr = gram_schmidt(times(left, ql)), gram_schmidt(times(right, qr))
        yield {"x": x, "m": m, "v": v, "h": [left, right], "q": [ql, qr]}


def sm3(lr, momentum, eps):
    """nu'(i) = min over the row and the column of mu'_{t-1} + g^2; mu'_t(r) = the largest nu' in r."""
    x, m, rows, columns = X0, ZERO, [D(0)] * 2, [D(0)] * 2
    for g in TAPE:
        nu = [[min(a, b) + c * c for b, c in zip(columns, row)] for a, row in zip(rows, g)]
        rows, columns = [max(row) for row in nu], [max(column) for column in turn(nu)]
        u = each(lambda b, s: b / (s + eps).sqrt(), g, nu)
        m = plus(m, u, momentum, 1 - momentum)
        x = plus(x, m, of_b=-lr)
        yield {"x": x, "m": m, "a": [[[a] for a in rows], [columns]]}
