"""The race's statistics: hand-worked numbers, laws that hold for any scores, and a second opinion."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from descend.errors import ProblemError
from descend.lab.stats import (
    adjusted_p_values,
    bca_interval,
    charge,
    comparison_scale,
    expected_best,
    ranking,
    smallest_p,
    tie_groups,
)

INF = math.inf
law = settings(max_examples=150, deadline=None)


@st.composite
def races(draw, min_seeds=1, max_seeds=8, min_entries=1, max_entries=5, failures=True):
    """Small whole numbers: sums are exact, and ties and equal differences are common."""
    n = draw(st.integers(min_seeds, max_seeds))
    k = draw(st.integers(min_entries, max_entries))
    score = st.integers(-5, 5).map(float)
    if failures:
        score = st.one_of(score, score, score, st.just(INF))
    rows = st.lists(st.lists(score, min_size=k, max_size=k), min_size=n, max_size=n)
    return np.array(draw(rows))


def pair(differences):
    """A race of two whose paired differences are ``differences``."""
    return np.stack([np.zeros(len(differences)), np.asarray(differences, dtype=float)], axis=1)


# Sign-flip p-values


@pytest.mark.parametrize(
    ("negative", "patterns"),
    [((), 2), ((1,), 4), ((2,), 6), ((3,), 10)],
    ids=["all lost", "-1", "-2", "-3"],
)
def test_nine_seeds_worked_by_hand(negative, patterns):
    # Differences 1, 2, …, 9 with one negative, -j: the sum is 45 - 2j. A pattern reaches it when its
    # minus signs stand on numbers that sum to at most j: {} for 0; {}, {1} for 1; {}, {1}, {2} for 2;
    # {}, {1}, {2}, {3}, {1, 2} for 3. The mirror image doubles the count, of 2^9 = 512.
    differences = [-d if d in negative else d for d in range(1, 10)]
    assert adjusted_p_values(pair(differences))[0, 1] == patterns / 512


def test_max_t_of_three_entries_worked_by_hand():
    # B - A = (1, 1, 1), C - A = (1, 1, -1), C - B = (0, 0, -2): r = 1, 1/3 and 1/sqrt(3).
    # Largest r over the pairs, for signs +++, ++-, +-+, -++: 1 (BA), 1 (CA), 1/sqrt(3), 1/sqrt(3).
    p = adjusted_p_values([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 1.0, -1.0]])
    assert p.tolist() == [[1.0, 0.5, 1.0], [0.5, 1.0, 1.0], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize("n", [5, 8, 11])
def test_two_entries_agree_with_scipy(n):
    # SciPy flips the mean difference, we the studentised one. For one pair flips keep the sum of
    # squares, so t grows with the absolute mean and both orders of the patterns are the same.
    from scipy.stats import permutation_test

    rng = np.random.default_rng(n)
    for _ in range(5):
        scores = rng.normal(size=(n, 2)) + [0.0, 0.7]
        twin = permutation_test(
            (scores[:, 0], scores[:, 1]),
            lambda a, b: np.mean(a - b),
            permutation_type="samples",
            n_resamples=np.inf,
        )
        assert adjusted_p_values(scores)[0, 1] == pytest.approx(twin.pvalue, abs=1e-12)


def studentised_max_t(scores):
    """The textbook definition, pattern by pattern, with its divisions by zero written out."""
    n, k = scores.shape
    pairs = [scores[:, i] - scores[:, j] for i, j in itertools.combinations(range(k), 2)]

    def t(d):
        spread = np.std(d, ddof=1) if n > 1 else 0.0
        if spread > 1e-12:
            return abs(np.mean(d)) / (spread / np.sqrt(n))
        return INF if abs(np.mean(d)) > 1e-12 else 0.0

    signs = [np.array(s) for s in itertools.product([1.0, -1.0], repeat=n)]
    largest = [max(t(s * d) for d in pairs) for s in signs]
    return [np.mean([top >= t(d) - 1e-9 for top in largest]) for d in pairs]


@pytest.mark.parametrize("seed", range(6))
def test_many_entries_agree_with_the_textbook_definition(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 4, (6, 4)) + np.array([0.0, 0.0, 2.0, 5.0])
    p = adjusted_p_values(scores)
    ours = [p[i, j] for i, j in itertools.combinations(range(4), 2)]
    assert ours == pytest.approx(studentised_max_t(scores), abs=1e-12)


def test_random_patterns_estimate_the_exact_p():
    # 15 differences of size 1, 4 negative: P(|Bin(15, 1/2) - 7.5| >= 3.5) = 2 * 1941 / 2^15.
    p = adjusted_p_values(pair([1.0] * 11 + [-1.0] * 4))[0, 1]
    assert p == pytest.approx(2 * 1941 / 2**15, abs=0.0092)  # 4 standard errors at 20 000 patterns


@law
@given(races())
def test_p_is_symmetric_between_its_floor_and_one_and_one_against_itself(scores):
    p = adjusted_p_values(scores)
    assert np.array_equal(p, p.T)
    assert np.all(np.diag(p) == 1.0)
    assert smallest_p(len(scores)) <= p.min()
    assert p.max() <= 1.0


@law
@given(races(), st.randoms(use_true_random=False))
def test_permuting_entries_permutes_the_p_values(scores, random):
    columns = list(range(scores.shape[1]))
    random.shuffle(columns)
    permuted = adjusted_p_values(scores[:, columns])
    assert np.array_equal(permuted, adjusted_p_values(scores)[np.ix_(columns, columns)])


@law
@given(races(), st.randoms(use_true_random=False))
def test_permuting_seeds_changes_nothing(scores, random):
    rows = list(range(len(scores)))
    random.shuffle(rows)
    assert np.array_equal(adjusted_p_values(scores[rows]), adjusted_p_values(scores))
    assert ranking(scores[rows]) == ranking(scores)


@law
@given(races(), st.data())
def test_a_constant_per_seed_changes_no_p_and_no_order(scores, data):
    n = len(scores)
    shift = data.draw(st.lists(st.integers(-100, 100), min_size=n, max_size=n))
    shifted = scores + np.array(shift)[:, None]
    assert np.array_equal(adjusted_p_values(shifted), adjusted_p_values(scores))
    assert ranking(shifted) == ranking(scores)


@law
@given(races(), st.data())
def test_a_duplicate_ties_with_p_one_and_moves_no_other_p_of_a_race_without_failures(scores, data):
    j = data.draw(st.integers(0, scores.shape[1] - 1))
    doubled = np.concatenate([scores, scores[:, [j]]], axis=1)
    p = adjusted_p_values(doubled)
    assert p[j, -1] == 1.0
    if np.isfinite(scores).all():  # the level for never finishing counts the entries
        assert np.array_equal(p[:-1, :-1], adjusted_p_values(scores))


def test_rounding_alone_separates_nothing():
    scores = np.linspace(1.0, 2.0, 10)
    assert adjusted_p_values(np.stack([scores, scores * (1 + 1e-15)], axis=1))[0, 1] == 1.0


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e95])
def test_the_unit_of_the_scores_does_not_matter(scale):
    scores = np.random.default_rng(3).normal(size=(8, 4)) + [0.0, 0.5, 1.0, 3.0]
    assert np.array_equal(adjusted_p_values(scores * scale), adjusted_p_values(scores))


def test_the_family_wise_error_is_five_per_cent():
    # Entries are exchangeable on each seed, seeds differ in level and spread. 0.05 + 3 standard
    # errors of 1500 races; more than 0.02 shows that the test is not merely blind.
    rng = np.random.default_rng(11)
    wrong = 0
    for _ in range(1500):
        scores = rng.normal(size=(8, 5)) * rng.lognormal(size=(8, 1)) + rng.normal(size=(8, 1))
        wrong += (adjusted_p_values(scores) <= 0.05).any()
    assert 0.02 < wrong / 1500 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1500)


@pytest.mark.parametrize("n", [9, 12, 16])
def test_one_clearly_best_of_ten_is_separated(n):
    scores = np.random.default_rng(n).normal(size=(n, 10))
    scores[:, 6] -= 8.0
    groups = tie_groups(ranking(scores), adjusted_p_values(scores))
    assert groups[6] == 1
    assert groups.count(1) == 1


def test_five_seeds_separate_nothing():
    assert adjusted_p_values([[0.0, 1.0]] * 5)[0, 1] == 2 / 2**5
    assert tie_groups((0, 1), adjusted_p_values([[0.0, 1.0]] * 5)) == (1, 1)


# Failures


def test_a_failure_is_charged_beyond_the_worst_of_its_seed():
    charged = charge([[1.0, 4.0, INF], [2.0, INF, INF], [INF, INF, INF]])
    assert charged.tolist() == [[1.0, 4.0, 10.0], [2.0, 8.0, 8.0], [0.0, 0.0, 0.0]]


@law
@given(races())
def test_a_failure_loses_by_more_than_any_finished_runs_differ(scores):
    charged, failed = charge(scores), np.isinf(scores)
    finite = [row[~bad] for row, bad in zip(scores, failed, strict=True) if not bad.all()]
    widest = max((np.ptp(row) for row in finite), default=0.0)
    for row, bad in zip(charged, failed, strict=True):
        assert np.ptp(row[bad]) == 0.0 if bad.any() else True
        if bad.any() and not bad.all():
            assert row[bad].min() - row[~bad].max() > widest


@law
@given(races(min_seeds=6, max_entries=4), st.data())
def test_an_entry_that_never_finished_does_not_tie_when_another_always_did(scores, data):
    n = len(scores)
    steady = data.draw(st.lists(st.integers(-5, 5), min_size=n, max_size=n))
    scores = np.column_stack([scores, np.array(steady, dtype=float), np.full(n, INF)])
    groups = tie_groups(ranking(scores), adjusted_p_values(scores))
    assert groups[-1] > 1


def test_never_finishing_is_judged_by_the_number_of_entries():
    # max(2/2^6, 6 * 5 / 4^6): the larger one at six entries is 1/32.
    scores = np.random.default_rng(0).normal(size=(6, 6))
    scores[:, 2] = INF
    p = adjusted_p_values(scores)
    assert p[2, [0, 1, 3, 4, 5]].tolist() == [1 / 32] * 5
    assert p[0, 1] > 1 / 32


def test_with_few_seeds_and_many_entries_never_finishing_costs_one_chance_per_ordered_pair():
    # Four seeds, seven entries: 7 * 6 / 4^4 = 42/256 lies above 2/2^4. The flips that make b and c
    # as even as can be reach every statistic, so the max-T p is at least 3/8 and the bound decides.
    scores = np.zeros((4, 7))
    scores[:, 1], scores[:, 2], scores[:, 6] = [1, 1, -1, -1], [1, -1, 1, -1], INF
    assert adjusted_p_values(scores)[6, :6].tolist() == [42 / 256] * 6


def test_when_every_run_failed_all_tie():
    scores = np.full((7, 3), INF)
    assert np.all(adjusted_p_values(scores) == 1.0)
    assert tie_groups(ranking(scores), adjusted_p_values(scores)) == (1, 1, 1)


@pytest.mark.parametrize("scores", [[[1.0, math.nan]], [[1.0, -INF]], [1.0, 2.0], np.ones((0, 2))])
def test_unusable_scores_are_refused(scores):
    with pytest.raises(ProblemError, match="scores of a race must be"):
        adjusted_p_values(scores)


def test_a_score_too_large_to_square_is_a_failure():
    assert comparison_scale([[1e101, -1e101]], log_scale=False).tolist() == [[INF, -1e100]]


def test_the_log_scale_has_a_floor():
    scaled = comparison_scale([[1e-3, 1e-16, 1e-30, 0.0, -1e-9, INF]], log_scale=True)
    assert scaled[0] == pytest.approx([-3.0, -16.0, -16.0, -16.0, -16.0, INF])


# Order and tie groups


def test_equal_means_are_ordered_by_median_then_by_column():
    # Distances behind the best: (0, 0, 3), (1, 1, 1), (1, 1, 1); medians 0, 1, 1. The means are 1.
    scores = [[1.0, 1.0, 0.0, -1.0], [1.0, 1.0, 0.0, -1.0], [1.0, 1.0, 3.0, 9.0]]
    assert ranking(scores) == (2, 0, 1, 3)


def test_groups_are_taken_from_the_best_of_the_rest():
    p = np.ones((5, 5))
    p[0, [2, 4]] = p[[2, 4], 0] = 0.04
    p[2, 4] = p[4, 2] = 0.05
    assert tie_groups((0, 1, 2, 3, 4), p) == (1, 1, 2, 1, 3)


# Intervals


def test_equal_differences_have_an_interval_of_one_point():
    low, high = bca_interval([0.1] * 6)
    assert low == high == pytest.approx(0.1, abs=1e-16)  # the mean of six 0.1 rounds
    assert bca_interval([0.0, 0.0]) == (0.0, 0.0)


def test_too_few_seeds_have_an_unbounded_interval():
    assert bca_interval([3.0]) == (-INF, INF)
    assert bca_interval([3.0, 4.0]) == (-INF, INF)


def test_the_interval_of_a_skewed_sample_leans_to_its_tail():
    differences = np.exp(np.random.default_rng(2).normal(size=30))
    low, high = bca_interval(differences)
    assert high - differences.mean() > differences.mean() - low > 0


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    # BCa of 20 normal values covers some 92 %; of 200 intervals a standard error is 2 %.
    rng = np.random.default_rng(5)
    intervals = [bca_interval(rng.normal(size=20)) for _ in range(200)]
    assert 0.86 <= np.mean([low <= 0.0 <= high for low, high in intervals]) <= 0.98


@law
@given(st.lists(st.one_of(st.integers(-3, 3), st.floats(-1e3, 1e3)), min_size=3, max_size=12))
def test_the_interval_is_finite_and_blind_to_order_and_unit(differences):
    assume(np.ptp(differences) > 1e-290)  # numbers below 1e-308 lose digits
    low, high = bca_interval(differences)
    slack = 1e-9 * max(np.abs(differences))  # means of resamples round
    assert min(differences) - slack <= low <= high <= max(differences) + slack
    assert bca_interval(differences[::-1]) == (low, high)
    assert bca_interval(np.array(differences) * 2.0) == (2.0 * low, 2.0 * high)


# Best of k trials


def test_expected_best_worked_by_hand():
    # Default 5; of 2, 4, 9 one is drawn: (2 + 4 + 5) / 3; two: 2, 2 or 4; three: 2.
    assert expected_best([5.0, 4.0, 9.0, 2.0]) == pytest.approx([5, 11 / 3, 8 / 3, 2])
    # Drawn back: two of three miss 2 with 4/9, and hit neither 2 nor 4 with 1/9.
    with_return = expected_best([5.0, 4.0, 9.0, 2.0], replacement=True)
    assert with_return[2] == pytest.approx(5 / 9 * 2 + 3 / 9 * 4 + 1 / 9 * 5)


@pytest.mark.parametrize("replacement", [False, True])
def test_expected_best_agrees_with_counting_every_draw(replacement):
    scores = [0.3, 0.9, 0.1, 0.2, 0.1]
    for k in range(2, 6):
        draws = (
            itertools.product(scores[1:], repeat=k - 1)
            if replacement
            else itertools.combinations(scores[1:], k - 1)
        )
        expected = np.mean([min(scores[0], *drawn) for drawn in draws])
        assert expected_best(scores, replacement)[k - 1] == pytest.approx(expected)


def test_failed_trials_cost_nothing_once_the_default_finished():
    assert expected_best([1.0, INF, INF]).tolist() == [1.0, 1.0, 1.0]
    assert expected_best([INF, INF, 3.0, 2.0]).tolist() == [INF, INF, pytest.approx(7 / 3), 2.0]
    assert expected_best([INF, 3.0], replacement=True).tolist() == [INF, 3.0]
    assert expected_best([INF, 3.0, INF], replacement=True).tolist() == [INF, INF, INF]
