"""Standings and what they leave open: whole races, worked by hand or held to laws."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from descend.errors import ProblemError
from descend.lab.limits import describe_limits
from descend.lab.standings import seeds_needed, standings
from descend.lab.stats import adjusted_p_values

INF = math.inf
law = settings(max_examples=40, deadline=None)


@st.composite
def races(draw, max_seeds=7):
    """Small whole numbers and failures: sums are exact, so laws hold to the last bit."""
    n, k = draw(st.integers(1, max_seeds)), draw(st.integers(2, 4))
    score = st.one_of(*[st.integers(-5, 5).map(float)] * 4, st.just(INF))
    rows = st.lists(st.lists(score, min_size=k, max_size=k), min_size=n, max_size=n)
    return np.array(draw(rows))


def by_name(scores, names="abcdefgh", log_scale=False):
    rows = standings(list(names[: np.shape(scores)[1]]), scores, log_scale)
    return {row.entry: row for row in rows}


def test_nine_seeds_worked_by_hand():
    lost = np.arange(1.0, 10.0)
    rows = standings(["slow", "fast"], np.stack([2.0 + lost, np.full(9, 2.0)], axis=1), False)
    assert [(row.entry, row.place, row.group) for row in rows] == [("fast", 1, 1), ("slow", 2, 2)]
    slow = rows[1]
    assert (slow.mean, slow.median, slow.quartiles) == (7.0, 7.0, (5.0, 9.0))
    assert (slow.difference, slow.p_value, slow.seeds_needed) == (5.0, 2 / 2**9, None)
    assert slow.interval[0] < 5.0 < slow.interval[1]
    # Student's interval is 5 ± 2.1; resampling nine values gives one that is a little narrower.
    assert slow.interval == pytest.approx((3.3, 6.6), abs=0.3)


def test_the_log_scale_compares_decades():
    row = by_name([[1e-2, 1.0]] * 6, log_scale=True)["b"]
    assert (row.mean, row.difference, row.interval) == (0.0, 2.0, (2.0, 2.0))


def test_failures_stay_at_the_tail():
    row = by_name([[1.0, 2.0], [1.0, INF], *[[1.0, 2.0]] * 4])["b"]
    assert (row.mean, row.median, row.quartiles) == (INF, 2.0, (2.0, 2.0))
    assert (row.failures, row.charged) == (1, True)
    # Five losses of 1, and a failure charged 2 beyond the worst of its seed.
    assert row.difference == pytest.approx(7 / 6)
    assert all(math.isfinite(end) for end in row.interval)


def test_quartiles_between_failures_are_failures():
    row = by_name([[INF, 1.0], [INF, 1.0], [INF, 1.0], [0.0, 1.0]])["a"]
    assert (row.median, row.quartiles) == (INF, (INF, INF))


@law
@given(races(), st.randoms(use_true_random=False))
def test_permuting_entries_permutes_the_rows(scores, random):
    rows = by_name(scores)
    columns = list(range(scores.shape[1]))
    random.shuffle(columns)
    assume(len({row.difference for row in rows.values()}) == len(rows))  # ties go by column
    assert by_name(scores[:, columns], ["abcd"[j] for j in columns]) == rows


@law
@given(races(), st.randoms(use_true_random=False))
def test_permuting_seeds_changes_nothing(scores, random):
    order = list(range(len(scores)))
    random.shuffle(order)
    assert by_name(scores[order]) == by_name(scores)


@law
@given(races(), st.data())
def test_a_constant_per_seed_changes_no_comparison(scores, data):
    n = len(scores)
    shift = data.draw(st.lists(st.integers(-100, 100), min_size=n, max_size=n))

    def compared(scores):
        return [
            (row.entry, row.place, row.group, row.difference, row.interval, row.p_value)
            for row in by_name(scores).values()
        ]

    assert compared(scores + np.array(shift)[:, None]) == compared(scores)


@law
@given(races())
def test_the_same_entry_under_two_names_ties(scores):
    rows = standings(["a", "twin"], scores[:, [0, 0]], False)
    assert [(r.group, r.difference, r.equal) for r in rows] == [(1, 0.0, True)] * 2
    assert [r.p_value for r in rows] == [
        1.0,
        1.0 if len(scores) > 1 else pytest.approx(math.nan, nan_ok=True),
    ]


@law
@given(races())
def test_the_leader_is_first_and_ties_with_itself(scores):
    rows = list(by_name(scores).values())
    leader = rows[0]
    assert (leader.place, leader.group, leader.difference) == (1, 1, 0.0)
    assert (leader.interval, leader.p_value) == ((0.0, 0.0), 1.0)
    assert [row.place for row in rows] == list(range(1, len(rows) + 1))
    assert all((row.group == 1) == (not row.p_value <= 0.05) for row in rows)
    assert all(row.difference >= 0.0 for row in rows)


def test_one_entry_is_a_group_of_its_own():
    rows = standings(["adam"], [[1.0], [2.0]], False)
    assert (rows[0].group, rows[0].p_value) == (1, 1.0)
    assert describe_limits(rows, 2) == ("One entry alone is not a comparison.",)


def test_a_name_too_many_is_refused():
    with pytest.raises(ProblemError, match="one per column of its scores, 1; got 2"):
        standings(["a", "b"], [[1.0]], False)


# Seeds needed


def test_seeds_needed_worked_by_hand():
    # Mean 1, standard deviation 2/sqrt(3): (1.95996 + 0.84162)^2 * 4/3 + 1.95996^2 / 2 = 12.39.
    assert seeds_needed([0.0, 2.0, 0.0, 2.0], n_entries=2) == 13
    # Ten entries, 45 pairs: z = 3.2608, (3.2608 + 0.84162)^2 * 4/3 + 3.2608^2 / 2 = 27.76.
    assert seeds_needed([0.0, 2.0, 0.0, 2.0], n_entries=10) == 28


def test_seeds_needed_are_more_than_there_are_and_enough_for_the_smallest_p():
    assert seeds_needed([1.0] * 3, n_entries=2) == 6
    assert seeds_needed([1.0] * 3, n_entries=10) == 9
    assert seeds_needed([1.0] * 12, n_entries=2) == 13


@pytest.mark.parametrize("differences", [[0.0, 0.0], [1.0, -1.0], [5.0], [1.0, -0.99]])
def test_no_estimate_without_a_difference_or_beyond_the_cap(differences):
    assert seeds_needed(differences, n_entries=2) is None


def test_the_seeds_needed_do_separate_in_four_races_of_five():
    # A pilot whose mean and standard deviation are the true ones, 1.2 and sqrt(2).
    pilot = 1.2 + np.array([-1.0, 1.0, -1.0, 1.0]) * math.sqrt(1.5)
    needed, rng = seeds_needed(pilot, n_entries=2), np.random.default_rng(0)
    races = rng.normal(size=(300, needed, 2)) + [0.0, 1.2]
    separated = np.mean([adjusted_p_values(scores)[0, 1] <= 0.05 for scores in races])
    assert abs(separated - 0.8) < 0.1  # 0.07: 3 standard errors; the rest: the normal approximation


# What cannot be concluded


def limits(scores, seconds=None):
    names = ["adam", "lion", "sgd", *"defghijklm"][: np.shape(scores)[1]]
    return describe_limits(standings(names, scores, False), len(scores), seconds)


def test_too_few_seeds_are_said_with_the_smallest_p():
    sentences = limits([[1.0, 2.0]] * 4, seconds=60.0)
    assert sentences == (
        "With 4 seeds nothing can be separated at 5 %: the smallest possible p is 0.125; 6 seeds might. No interval is shown.",
        "lion cannot be separated from adam: 2 more seeds, about 2 minutes, probably would.",
    )


def test_one_seed_promises_nothing():
    sentences = limits([[1.0, 2.0]], seconds=60.0)
    assert sentences[0].startswith("With 1 seed nothing can be separated at 5 %")
    assert sentences[1] == (
        "lion cannot be separated from adam: one seed does not show by how much seeds vary."
    )


def test_six_seeds_are_few_for_ten_entries():
    scores = np.tile(np.arange(10.0), (6, 1))
    assert "only the clearest differences among 10 entries" in limits(scores)[0]
    assert "at least 9 seeds" in limits(scores)[0]


def test_a_separated_race_without_failures_leaves_nothing_open():
    assert limits([[1.0, 2.0]] * 6) == ()


def test_ties_say_why():
    ups = np.array([1.0, -1.0] * 5)
    sentences = limits(np.stack([np.zeros(10), np.zeros(10), 0.01 + ups], axis=1))
    assert sentences == (
        "lion cannot be separated from adam: the scores are the same on every seed.",
        "sgd cannot be separated from adam: it would probably take more than 200 seeds.",
    )


def test_entries_with_the_same_outlook_share_a_sentence():
    sentences = limits([[0.0, 0.0, 0.0]] * 7)
    assert (
        sentences[-1]
        == "lion and sgd cannot be separated from adam: the scores are the same on every seed."
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "about 1 second,"), (20.0, "about 40 seconds,"), (3000.0, "about 2 hours,")],
)
def test_the_cost_is_said_in_a_fitting_unit(seconds, words):
    assert words in limits([[1.0, 2.0]] * 4, seconds)[1]


def test_failures_are_named():
    scores = np.array([[1.0, 2.0, INF]] * 7)
    scores[0, 1] = INF
    sentences = limits(scores)
    assert any(s.startswith("lion failed on 1 of 7 seeds: ") for s in sentences)
    assert "sgd finished on no seed: its scores say nothing but that." in sentences


def test_a_race_that_nobody_finished_says_only_that():
    assert limits(np.full((6, 3), INF)) == (
        "No entry finished on any seed: there is nothing to compare.",
    )


def test_rows_are_sorted_by_place_also_where_a_later_one_is_in_an_earlier_group():
    """b is 1 behind on every seed, c 1.5 on average and with a spread too wide to be separated."""
    spread = np.array([12.0, -9.0] * 5)
    rows = standings(["c", "b", "a"], np.stack([1.5 + spread, np.ones(10), np.zeros(10)], 1), False)
    assert [(row.entry, row.place, row.group) for row in rows] == [
        ("a", 1, 1), ("b", 2, 2), ("c", 3, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("seeds", "shown"), [(1, False), (5, False), (6, True), (9, True)])
def test_below_6_seeds_there_is_no_interval_and_one_sentence_says_so(seeds, shown):
    scores = np.stack([np.zeros(seeds), 1.0 + np.arange(seeds)], axis=1)
    low, high = by_name(scores)["b"].interval
    assert (math.isfinite(low) and math.isfinite(high)) == shown
    assert any("No interval is shown." in s for s in limits(scores)) == (not shown)


def test_one_seed_gives_no_p():
    assert math.isnan(by_name([[0.0, 1.0]])["b"].p_value)


def test_a_fixed_problem_is_not_told_to_take_more_seeds():
    rows = standings(["a", "b", "c"], [[0.0, 1.0, INF]], False)
    sentences = describe_limits(rows, 1, 60.0, fixed=True)
    assert sentences[0].startswith("Every seed opens the very same problem")
    assert sentences[1:] == ("c finished on no seed: its scores say nothing but that.",)
