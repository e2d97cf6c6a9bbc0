"""The plan: equal budgets, shared points, separate seeds, and a hash that knows what matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import descend as dd
from descend._rule import Rule
from descend.domains import NonNegative
from descend.errors import ProblemError
from descend.lab.entries import read_entries
from descend.lab.plan import Field, Plan, describe, spec_hash
from descend.lab.problems import get_problem

RULES = ["sgd", "adam", "adam+cosine", "momentum:momentum=0.5", "schedule_free_sgd", "adam:lr=0.1"]


@pytest.fixture
def booth():
    return get_problem("booth", steps=20)


def field(rules=RULES, **numbers) -> tuple[Field, Plan]:
    plan = Plan(**{"budget": 6, "seeds": 4, **numbers})
    return Field.draw(read_entries(rules), plan), plan


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("budget", 0), ("budget", -1), ("budget", 4097), ("budget", 2.0), ("budget", True), ("budget", "3"),
        ("seeds", 0), ("seeds", 10**9), ("seeds", None),
        ("seed", -1), ("seed", 2**63), ("seed", 0.5),
        ("extend", -1), ("extend", 11), ("extend", float("nan")),
    ],
)  # fmt: skip
def test_numbers_outside_the_limits_are_refused_by_name(name: str, value) -> None:
    with pytest.raises(ProblemError, match=f"^{name} of a race must be an int from .* to .*; got "):
        Plan(**{name: value})


def test_the_limits_themselves_are_usable() -> None:
    low, high = Plan(1, 1, 0, 0), Plan(4096, 4096, 2**63 - 1, 10)
    assert low.budget == 1
    drawn = Field.draw(read_entries(["adam"]), replace(high, budget=20))
    for settings in drawn.trials["adam"]:
        assert all(np.isfinite(v) for v in settings.values())


def test_integers_of_numpy_are_integers() -> None:
    plan = Plan(np.int64(3), np.uint8(2), np.int32(1))
    assert plan == Plan(3, 2, 1)
    assert type(plan.seed) is int


def test_fresh_seeds_are_none_of_the_tuning_seeds() -> None:
    plan = Plan(seeds=200)
    tuning = {plan.seed_of("tune", i) for i in range(50)}
    assert len(set(plan.fresh_seeds())) == 200
    assert tuning.isdisjoint(plan.fresh_seeds())


def test_more_seeds_begin_with_the_fewer_and_another_seed_shares_none() -> None:
    assert Plan(seeds=9).fresh_seeds()[:4] == Plan(seeds=4).fresh_seeds()
    assert set(Plan(seed=1).fresh_seeds()).isdisjoint(Plan(seed=2).fresh_seeds())


def test_every_entry_gets_the_same_number_of_trials_and_evaluations(booth) -> None:
    drawn, plan = field(RULES[:-1])
    tasks = drawn.tuning_tasks(booth, plan, 60.0)
    for entry in drawn.entries:
        own = [t for t in tasks if t.key.entry == entry.label]
        assert [t.key.trial for t in own] == [
            k for k in range(1, 7) for _ in range(booth.tuning_seeds)
        ]
        assert {t.steps for t in own} == {20}
        assert not any(t.open_test for t in own)


def test_an_entry_with_nothing_to_tune_is_run_once_not_budget_times() -> None:
    drawn, _ = field()
    assert drawn.names["adam:lr=0.1"] == ()
    assert drawn.trials["adam:lr=0.1"] == [{}]


def test_the_first_trial_is_the_documented_default(booth) -> None:
    drawn, plan = field()
    first = [t for t in drawn.tuning_tasks(booth, plan, 60.0) if t.key.trial == 1]
    assert all(t.settings == {} for t in first)
    by_entry = {t.key.entry: t.update for t in first}
    assert by_entry["adam"] == dd.adam()
    assert by_entry["momentum:momentum=0.5"] == dd.momentum(momentum=0.5)


def test_trial_k_of_every_entry_lies_at_the_same_point_of_its_lr_interval() -> None:
    drawn, _ = field(RULES[:-1], budget=8)
    positions = {
        label: [drawn.ranges[label]["lr"].coordinate(t["lr"]) for t in trials[1:]]
        for label, trials in drawn.trials.items()
    }
    for found in positions.values():
        np.testing.assert_allclose(found, positions["sgd"], atol=1e-12)  # a logarithm and back
    assert len(set(positions["sgd"])) == 7


def test_extend_widens_every_interval_by_decades_at_both_ends() -> None:
    narrow, wide = field(extend=0)[0], field(extend=2)[0]
    for label in ("sgd", "adam", "schedule_free_sgd"):
        before, after = narrow.ranges[label]["lr"], wide.ranges[label]["lr"]
        assert after.low == pytest.approx(before.low / 100)
        assert after.high == pytest.approx(before.high * 100)


def test_adding_an_entry_or_another_order_changes_no_trial_of_the_others(booth) -> None:
    few, plan = field(["sgd", "adam"])
    more, _ = field(["lion", "adam", "nadam", "sgd"])

    def tasks(drawn: Field, label: str) -> list:
        every = drawn.tuning_tasks(booth, plan, 60.0)
        every += drawn.fresh_tasks(booth, plan, {e.label: 2 for e in drawn.entries}, 60.0)
        return [t for t in every if t.key.entry == label]

    for label in ("sgd", "adam"):
        assert tasks(few, label) == tasks(more, label)


def test_a_larger_budget_begins_with_the_trials_of_the_smaller() -> None:
    small, large = field(budget=4)[0], field(budget=9)[0]
    assert large.trials["adam"][:4] == small.trials["adam"]


def test_fresh_tasks_pair_all_entries_on_the_same_seeds_and_open_the_test_data(booth) -> None:
    drawn, plan = field()
    selected = {e.label: 0 if e.label == "adam:lr=0.1" else 3 for e in drawn.entries}
    tasks = drawn.fresh_tasks(booth, plan, selected, 60.0)
    assert all(t.open_test and t.key.phase == "fresh" for t in tasks)
    for entry in drawn.entries:
        own = [t for t in tasks if t.key.entry == entry.label]
        trials = sorted({1, selected[entry.label] + 1})  # the documented default beside it
        assert [(t.key.seed, t.key.trial) for t in own] == [
            (seed, trial) for seed in plan.fresh_seeds() for trial in trials
        ]
        assert all(t.settings == drawn.trials[entry.label][t.key.trial - 1] for t in own)


def test_a_time_limit_shrinks_trials_and_seeds_for_all_alike() -> None:
    plan = Plan(budget=16, seeds=10)
    # 4 entries: 4 · (16 · 3 + 2 · 10) = 272 runs of 1 s with 2 workers take 136 s
    assert plan.within(136.0, 1.0, 4, 3, 2) == plan
    smaller = plan.within(68.0, 1.0, 4, 3, 2)
    assert smaller.runs(4, 3) <= 136 < plan.runs(4, 3)
    assert 6 <= smaller.budget <= 8
    assert 4 <= smaller.seeds <= 5


def test_no_time_limit_goes_below_two_trials_and_two_seeds() -> None:
    assert Plan().within(1e-9, 1.0, 10, 3, 1) == Plan(budget=2, seeds=2)
    assert Plan(budget=1, seeds=1).within(1e-9, 1.0, 10, 3, 1) == Plan(budget=1, seeds=1)


def hashed(rules=("sgd", "adam"), problem=None, **numbers) -> str:
    drawn, plan = field(list(rules), **numbers)
    problem = problem or get_problem("booth", steps=20)
    return spec_hash(problem, drawn, describe(problem, plan, drawn))


def test_equal_plans_have_equal_hashes() -> None:
    assert hashed() == hashed()


@pytest.mark.parametrize(
    "changed",
    [
        {"rules": ("sgd", "adam", "lion")}, {"rules": ("sgd", "adam:beta1=0.8")},
        {"rules": ("sgd", "adam+cosine")}, {"budget": 7}, {"seeds": 5}, {"seed": 1}, {"extend": 1},
        {"problem": get_problem("booth", steps=21)}, {"problem": get_problem("beale", steps=20)},
    ],
)  # fmt: skip
def test_what_changes_a_run_changes_the_hash(changed) -> None:
    assert hashed(**changed) != hashed()


def test_the_order_of_the_entries_does_not_change_the_hash() -> None:
    assert hashed(rules=("adam", "sgd")) == hashed(rules=("sgd", "adam"))


def test_a_rule_of_the_same_name_with_another_text_changes_the_hash() -> None:
    def made(sign: str) -> Rule:
        if sign == "-":

            def mine(x, g, *, lr: NonNegative = 0.1):
                return x - lr * g
        else:

            def mine(x, g, *, lr: NonNegative = 0.1):
                return x - 2 * lr * g

        return Rule(mine)

    assert hashed([made("-")]) == hashed([made("-")])
    assert hashed([made("-")]) != hashed([made("+")])


def test_where_a_function_lies_in_memory_does_not_change_the_hash() -> None:
    def schedules() -> list:
        return [dd.sgd(lr=lambda t: 0.1 / t)]

    first, keep = schedules(), [object() for _ in range(100)]
    assert hashed(first) == hashed(schedules())
    del keep
