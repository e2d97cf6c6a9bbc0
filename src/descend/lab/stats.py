"""What the scores of a race allow one to say: pure functions over an array (n_seeds, n_entries).

Lower is better and ``inf`` marks a run that failed. Seeds are paired: all entries saw the same
start and batches. The answer is tie groups: a rank would claim more than a few seeds can show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from descend.errors import ProblemError

Scores = NDArray[np.float64]

ALPHA = 0.05
"""Two entries are separated when their adjusted p is at most this."""
EXACT_SEEDS = 14
"""Up to this many seeds all sign patterns are counted, 16 384 at most."""
RANDOM_PATTERNS = 20_000
RESAMPLES = 9_999
LOG_FLOOR = 1e-16
"""Scores are raised to this before their logarithm: below it f(x) − f* is rounding noise."""
DIVERGED = 1e100
"""A score beyond this is a failure: its square, which the tests need, would overflow."""
ROUNDING = 1e-12
"""Scores that differ by less than this share of the larger one are equal."""


def _checked(scores: ArrayLike) -> Scores:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ProblemError(
            f"scores of a race must be an array (n_seeds, n_entries); got shape {array.shape}."
        )
    if np.isnan(array).any() or np.isneginf(array).any():
        raise ProblemError("scores of a race must be finite or inf, a failure; got nan or -inf.")
    return np.where(array > DIVERGED, np.inf, np.maximum(array, -DIVERGED))


def comparison_scale(scores: ArrayLike, log_scale: bool) -> Scores:
    """Scores as they are compared: as they are, or as log10 when they span decades.

    Parameters
    ----------
    scores : array of shape (n_seeds, n_entries)
        ``inf`` marks a failed run, and so does any score beyond 1e100.
    log_scale : bool
        Compare log10 of the scores, which are raised to 1e-16 first (zero and negative ones too).

    Returns
    -------
    array of shape (n_seeds, n_entries)

    Raises
    ------
    ProblemError
        If a score is nan or -inf, or the shape is another.

    Examples
    --------
    >>> comparison_scale([[100.0, 0.0, np.inf]], log_scale=True)
    array([[  2., -16.,  inf]])
    """
    array = _checked(scores)
    return np.asarray(np.log10(np.maximum(array, LOG_FLOOR))) if log_scale else array


def charge(scores: ArrayLike) -> Scores:
    """Scores with each failure replaced by a finite charge, so that pairs can be compared.

    On each seed a failure is charged the worst finite score of that seed plus twice the largest
    finite paired difference of the race (plus 1 when there is none). So a failure loses by more
    than any two finished runs differ, two failures on a seed are equal, and adding a constant to a
    seed changes no difference. A seed on which all failed is all zeros.

    Examples
    --------
    >>> charge([[0.0, 1.0, np.inf], [5.0, 5.0, 5.5]])
    array([[0. , 1. , 3. ],
           [5. , 5. , 5.5]])
    """
    array = _checked(scores)
    finite = np.isfinite(array)
    worst = np.max(array, axis=1, where=finite, initial=-np.inf, keepdims=True)
    best = np.min(array, axis=1, where=finite, initial=np.inf, keepdims=True)
    nobody = ~finite.any(axis=1, keepdims=True)
    gap = float(np.max(np.where(nobody, 0.0, worst) - np.where(nobody, 0.0, best)))
    charges = np.where(nobody, 0.0, worst + (2.0 * gap or 1.0))
    return np.where(finite, array, charges)


def _mean(values: Scores) -> float:
    return math.fsum(values) / len(values)  # exact sum: the order of the seeds cannot matter


def _behind(charged: Scores) -> tuple[list[float], list[float]]:
    behind = charged - charged.min(axis=1, keepdims=True)
    return [_mean(column) for column in behind.T], [float(np.median(c)) for c in behind.T]


def ranking(scores: ArrayLike) -> tuple[int, ...]:
    """Columns from best to worst, by mean distance behind each seed's best, failures charged.

    Equal means are ordered by the median of that distance, equal medians by column.

    Examples
    --------
    >>> ranking([[2.0, 1.0, np.inf], [2.0, 1.0, 0.0]])
    (1, 0, 2)
    """
    mean, median = _behind(charge(scores))
    return tuple(sorted(range(len(mean)), key=lambda j: (mean[j], median[j], j)))


def paired_differences(left: Scores, right: Scores) -> Scores:
    """Charged ``left`` − ``right``; 0 where they are equal up to rounding (1e-12 of the larger).

    Two spellings of one algorithm differ by rounding alone, maybe always one way, and must tie.
    """
    difference = left - right
    size = np.maximum(np.abs(left), np.abs(right))
    return np.asarray(np.where(np.abs(difference) <= ROUNDING * size, 0.0, difference))


def _sign_patterns(n: int) -> Scores:
    if n <= EXACT_SEEDS:  # a pattern and its negative give the same statistic: half are enough
        bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
        return np.where(bits, 1.0, -1.0)
    drawn = np.random.default_rng(0).choice([-1.0, 1.0], (RANDOM_PATTERNS, n))
    return np.concatenate([np.ones((1, n)), drawn])


def _max_t(pairs: Scores) -> Scores:
    """Adjusted p of each column of ``pairs``, differences of shape (n_seeds, n_pairs).

    Flips keep q = sum d², so t² = (n − 1) r² / (1 − r²) with r = |sum s d| / sqrt(n q): t grows
    with r, in the same way for all pairs, and the largest t belongs to the largest r. Using r in
    place of t leaves one division by zero: equal differences have r = 1 (t = inf), 0/0 counts as 0.
    """
    n = len(pairs)
    largest = np.max(np.abs(pairs), axis=0)
    unit = pairs / np.where(largest > 0.0, largest, 1.0)  # squares can neither overflow nor vanish
    size = np.sqrt(n * np.sum(unit**2, axis=0))
    unit /= np.where(size > 0.0, size, 1.0)
    parts = np.array_split(_sign_patterns(n), 16)  # patterns × pairs at once could take gigabytes
    flipped = np.concatenate([np.max(np.abs(part @ unit), axis=1, initial=0.0) for part in parts])
    slack = 1e-9  # equal statistics summed in another order differ by rounding
    below = np.searchsorted(np.sort(flipped), np.abs(unit.sum(axis=0)) - slack)
    return np.asarray(np.maximum(1.0 - below / len(flipped), smallest_p(n)))


def smallest_p(n_seeds: int) -> float:
    """The smallest two-sided sign-flip p that ``n_seeds`` seeds can give, 2/2ⁿ."""
    return 2.0 ** (1 - n_seeds)


def adjusted_p_values(scores: ArrayLike) -> Scores:
    """Two-sided sign-flip p of every pair, adjusted for all pairs by the max-T method.

    One sign per seed flips all differences of that seed; a pair's p is the share of sign patterns
    whose largest studentised difference over *all* pairs reaches its own. As all pairs are covered,
    so is picking the leader on the same seeds. All patterns are counted up to 14 seeds, else
    20 000 random ones and the identity.

    An entry that never finished is told apart from one that always did, and from all that rank as
    high, at max(2/2ⁿ, k(k − 1)/4ⁿ) for k entries if that is smaller. Were any two equally likely to
    finish on a seed, independently, one would always and the other never finish with probability
    at most 1/4ⁿ.

    Parameters
    ----------
    scores : array of shape (n_seeds, n_entries)

    Returns
    -------
    array of shape (n_entries, n_entries)
        Symmetric, in [2/2ⁿ, 1], with ones on the diagonal.

    Examples
    --------
    >>> adjusted_p_values([[0.0, 1.0]] * 6)
    array([[1.     , 0.03125],
           [0.03125, 1.     ]])
    """
    array = _checked(scores)
    charged, (n, k) = charge(array), array.shape
    left, right = np.triu_indices(k, 1)
    p = np.ones((k, k))
    pairs = paired_differences(charged[:, left], charged[:, right])
    p[left, right] = p[right, left] = _max_t(pairs)
    failed = np.isinf(array)
    never, always = failed.all(axis=0), ~failed.any(axis=0)
    if never.any() and always.any():
        mean = np.array(_behind(charged)[0])
        told_apart = np.ix_(mean <= mean[always].max(), never)
        p[told_apart] = np.minimum(p[told_apart], max(smallest_p(n), k * (k - 1) / 4.0**n))
        p = np.minimum(p, p.T)
    return p


def tie_groups(order: Sequence[int], p_values: Scores) -> tuple[int, ...]:
    """Group of each column: the first in ``order`` leads group 1, with all not separated from it.

    The first of the rest leads group 2, and so on; separated means p at most 0.05.

    Examples
    --------
    >>> tie_groups((1, 0, 2), np.array([[1.0, 0.3, 0.01], [0.3, 1.0, 0.02], [0.01, 0.02, 1.0]]))
    (1, 1, 2)
    """
    group, rest, number = [0] * len(order), list(order), 0
    while rest:
        leader, number = rest[0], number + 1
        members = [j for j in rest if j == leader or p_values[leader, j] > ALPHA]
        for j in members:
            group[j] = number
        rest = [j for j in rest if j not in members]
    return tuple(group)


def bca_interval(differences: ArrayLike) -> tuple[float, float]:
    """BCa 95 % bootstrap interval of the mean of paired differences, the same at every call.

    Parameters
    ----------
    differences : array of shape (n_seeds,)
        Finite: failures must have been charged.

    Returns
    -------
    (float, float)
        ``(d, d)`` when all differences are d up to rounding; ``(-inf, inf)`` for one seed, and for
        two that differ, since resampling two numbers shows nothing of their spread.

    Examples
    --------
    >>> bca_interval([0.5, 0.5, 0.5])
    (0.5, 0.5)
    >>> bca_interval([0.5])
    (-inf, inf)
    """
    from scipy.stats import bootstrap

    values = np.sort(np.asarray(differences, dtype=np.float64))  # seeds in any order: same draws
    size = float(np.max(np.abs(values)))
    if len(values) > 1 and values[-1] - values[0] <= ROUNDING * size:
        return _mean(values), _mean(values)
    if len(values) < 3:
        return -math.inf, math.inf
    drawn = bootstrap(
        (values / size,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(0)
    )
    low, high = drawn.confidence_interval
    return float(low) * size, float(high) * size


def expected_best(scores: ArrayLike, replacement: bool = False) -> Scores:
    """Expected best validation score of an entry tuned with k trials, for each k up to B.

    Trial 1, the default, is always among the k; the other k − 1 are drawn from the rest. The
    expectation is exact: the best of them is the j-th best of the m = B − 1 with probability
    C(m − j, k − 2) / C(m, k − 1), or ((m − j + 1)/m)ᵏ⁻¹ − ((m − j)/m)ᵏ⁻¹ with replacement.

    Parameters
    ----------
    scores : array of shape (budget,)
        Validation scores in the order of the trials; ``inf`` for a failure.
    replacement : bool
        Draw as a bootstrap does; without replacement k = B gives the best of all.

    Returns
    -------
    array of shape (budget,)
        ``inf`` where all k trials may have failed.

    Examples
    --------
    >>> expected_best([3.0, 1.0, np.inf])
    array([3., 2., 1.])
    """
    array = _checked(np.asarray(scores, dtype=np.float64).reshape(1, -1))[0]
    default, others = float(array[0]), np.minimum(np.sort(array[1:]), array[0])
    m = len(others)
    best = [default]
    for draws in range(1, m + 1):
        chances = zip(_best_is(m, draws, replacement), others, strict=True)
        best.append(math.fsum(chance * float(score) for chance, score in chances if chance > 0.0))
    return np.array(best)


def _best_is(m: int, draws: int, replacement: bool) -> list[float]:
    if replacement:
        return [((m - j) ** draws - (m - j - 1) ** draws) / m**draws for j in range(m)]
    return [math.comb(m - j - 1, draws - 1) / math.comb(m, draws) for j in range(m)]
