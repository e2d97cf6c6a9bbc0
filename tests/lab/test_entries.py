"""Entries: what their texts mean, what is refused, and that a tuned entry reads back."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import descend as dd
from descend.errors import HyperparameterError, ProblemError, RuleError, UnknownNameError
from descend.lab.entries import DEFAULT_ENTRIES, Entry, read_entries, read_entry

STEPS = 90


def lr_of(text: str, steps: int = STEPS):
    """The lr of an entry at its defaults, as a function of the step."""
    return read_entry(text).build({}, steps).settings["lr"]


def test_a_race_that_names_no_rules_has_ten_different_ones() -> None:
    entries = read_entries([])
    assert [e.label for e in entries] == list(DEFAULT_ENTRIES)
    assert len({e.rule.name for e in entries}) == 10


def test_a_name_alone_is_the_rule_with_nothing_held() -> None:
    entry = read_entry("adam")
    assert (entry.label, entry.held, entry.shapes) == ("adam", {}, ())
    assert entry.defaults == {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    assert entry.build({}, STEPS) == dd.adam()


def test_settings_of_an_entry_are_held_and_not_among_its_defaults() -> None:
    entry = read_entry("adam:lr=0.5,beta1=0.8")
    assert entry.held == {"lr": 0.5, "beta1": 0.8}
    assert sorted(entry.defaults) == ["beta2", "eps"]
    assert entry.build({"beta2": 0.9}, STEPS) == dd.adam(lr=0.5, beta1=0.8, beta2=0.9)


def test_cosine_goes_from_lr_to_almost_0_over_the_run() -> None:
    lr = lr_of("adam+cosine")
    assert lr(1) == 1e-3
    assert lr(STEPS // 2 + 1) == pytest.approx(0.5e-3, rel=1e-12)  # half-way, up to rounding
    # the last of n steps is one short of the end: (1 − cos(π/n))/2 is about (π/2n)²
    assert lr(STEPS) == pytest.approx(1e-3 * (math.pi / 2 / STEPS) ** 2, rel=1e-3)


def test_step_divides_by_ten_at_each_third() -> None:
    lr = lr_of("sgd+step")
    assert [round(lr(t) / 1e-2, 12) for t in (1, 30, 31, 60, 61, 90)] == [
        1,
        1,
        0.1,
        0.1,
        0.01,
        0.01,
    ]


def test_exponential_comes_down_to_one_percent() -> None:
    lr = lr_of("sgd+exponential")
    assert lr(1) == 1e-2
    assert lr(STEPS + 1) == pytest.approx(1e-4, rel=1e-12)


def test_warmup_rises_over_a_twentieth_of_the_run() -> None:
    lr = lr_of("sgd+warmup", steps=100)
    assert [round(lr(t) / 1e-2, 12) for t in (1, 2, 3, 4, 5, 6, 100)] == [
        0.2,
        0.4,
        0.6,
        0.8,
        1,
        1,
        1,
    ]


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("shapes", ["cosine", "step", "exponential", "warmup", "warmup+cosine"])
def test_every_schedule_works_in_the_shortest_runs(shapes: str, steps: int) -> None:
    lr = lr_of(f"sgd+{shapes}", steps=steps)
    values = [lr(t) for t in range(1, steps + 1)]
    assert all(0 <= v <= 1e-2 for v in values)
    assert values[0] > 0


def test_a_warm_up_goes_around_the_schedule_in_either_order() -> None:
    one, other = read_entry("adam+warmup+cosine"), read_entry("adam+cosine+warmup")
    assert one.build({}, 100) == other.build({}, 100)
    lr = one.build({}, 100).settings["lr"]
    assert lr(1) == pytest.approx(1e-3 / 5)  # the first of five steps up
    assert lr(60) < lr(6) == 1e-3


def test_a_scheduled_entry_tunes_the_height_of_its_schedule() -> None:
    entry = read_entry("adam+cosine")
    assert "lr" in entry.defaults
    assert entry.build({"lr": 0.25}, STEPS).settings["lr"](1) == 0.25


def test_a_held_lr_of_a_scheduled_entry_is_the_height_of_its_schedule() -> None:
    entry = read_entry("adam+cosine:lr=0.25")
    assert "lr" not in entry.defaults
    assert entry.build({}, STEPS).settings["lr"](1) == 0.25


def test_spaces_in_an_entry_do_not_matter() -> None:
    entry = read_entry(" adam + cosine : lr=0.5 ")
    assert entry == read_entry("adam+cosine:lr=0.5")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("rmspropp", UnknownNameError, "no rule is called 'rmspropp'. Did you mean 'rmsprop'?"),
        ("adam+cosin", UnknownNameError, "no schedule of an entry is called 'cosin'. Did you mean 'cosine'?"),
        ("adam+", UnknownNameError, "no schedule of an entry is called ''."),
        ("+cosine", UnknownNameError, "no rule is called ''."),
        ("", UnknownNameError, "no rule is called ''."),
        ("adam+cosine+step", ProblemError, "at most one schedule and one warm-up; got adam+cosine+step."),
        ("adam+cosine+cosine", ProblemError, "at most one schedule and one warm-up"),
        ("adam+warmup+warmup", ProblemError, "at most one schedule and one warm-up"),
        ("adam+cosine:lr=cosine(0.1,steps=9)", ProblemError, "must be a number, since its schedule"),
        ("adam:lr=-1", HyperparameterError, "lr of adam must be"),
        ("adam:lr=nan", HyperparameterError, "lr of adam must be a number"),
        ("adam:beta1=1", HyperparameterError, "beta1 of adam must be a float in [0, 1); got 1."),
        ("adam:lr", HyperparameterError, "settings of adam must read name=value"),
        ("adam:lr=1=2", HyperparameterError, "settings of adam must read name=value"),
        ("adam:lr=1,lr=2", HyperparameterError, "settings of adam must read name=value"),
        ("adam:rate=1", HyperparameterError, "adam has no hyperparameter 'rate'"),
    ],
)  # fmt: skip
def test_what_is_no_entry_is_refused_in_one_sentence(text: str, error: type, words: str) -> None:
    with pytest.raises(error) as caught:
        read_entry(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_same_entry_again_gets_a_number() -> None:
    labels = [e.label for e in read_entries(["adam", "sgd", "adam", "adam", dd.adam])]
    assert labels == ["adam", "sgd", "adam #2", "adam #3", "adam #4"]


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("sgd", {}),
        ("adam", {"lr": 0.1 + 0.2, "beta1": 1 / 3}),
        ("adam:beta1=0.8", {"lr": 1e-3 / 7}),
        ("adam+cosine", {"lr": 1e-300}),
        ("adam+warmup+cosine:beta2=0.99", {"lr": 0.1, "beta1": 0.5}),
        ("sgd:lr=cosine(0.1,steps=9)", {}),
        ("sgd:lr=warmup(cosine(0.1,steps=9),steps=3)", {}),
        ("momentum+step:momentum=0", {"lr": 3.0}),
    ],
)
def test_the_text_of_a_tuned_entry_reads_back_as_the_same_update(text: str, settings) -> None:
    entry = read_entry(text)
    again = read_entry(entry.text(settings))
    assert again.build({}, STEPS) == entry.build(settings, STEPS)
    assert again.text({}) == entry.text(settings)


def test_a_number_behind_a_label_is_not_part_of_the_text() -> None:
    assert read_entries(["adam", "adam"])[1].text({"lr": 0.5}) == "adam:lr=0.5"


def test_rules_bound_rules_and_chains_may_be_entries() -> None:
    clipped = dd.chain(dd.clip_norm(1.0), dd.adam(beta1=0.8))
    bare, bound, chained = read_entries([dd.adam, dd.adam(lr=0.5), clipped])
    assert [bare.label, bound.label] == ["adam", "adam:lr=0.5"]
    assert chained.label == "clip_norm:max_norm=1.0 > adam:beta1=0.8"
    assert bound.held == {"lr": 0.5}
    assert chained.held == {"beta1": 0.8}
    assert "lr" in chained.defaults


def test_a_chain_is_tuned_in_its_rule_and_reads_back() -> None:
    (entry,) = read_entries([dd.chain(dd.clip_norm(1.0), dd.adam(beta1=0.8))])
    built = entry.build({"lr": 0.5}, STEPS)
    assert built == dd.chain(dd.clip_norm(1.0), dd.adam(lr=0.5, beta1=0.8))
    assert read_entry(entry.text({"lr": 0.5})).build({}, STEPS) == built


def test_a_chain_as_text_may_have_a_schedule() -> None:
    entry = read_entry("clip_norm:max_norm=2 >adam+cosine: beta1=0.8")
    assert (entry.label, entry.shapes) == (
        "clip_norm:max_norm=2 > adam+cosine:beta1=0.8",
        ("cosine",),
    )
    assert entry.build({}, 9) == dd.chain(
        dd.clip_norm(2.0), dd.adam(lr=dd.cosine(1e-3, steps=9), beta1=0.8)
    )
    again = read_entry(entry.text({"lr": 0.5}))
    assert again.build({}, 9) == entry.build({"lr": 0.5}, 9)


@pytest.mark.parametrize("thing", [dd.clip_norm, dd.clip_norm(1.0), 3, None, object()])
def test_what_cannot_take_steps_alone_is_no_entry(thing) -> None:
    with pytest.raises(RuleError):
        read_entries([thing])


def test_entries_are_values() -> None:
    assert read_entry("adam") == Entry("adam", dd.adam())


def test_rules_of_files_and_what_comes_after_a_rule_may_be_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my.py").write_text(
        "import descend as dd\nfrom descend.domains import NonNegative\n"
        "@dd.rule\ndef signum(x, g, *, lr: NonNegative = 0.1):\n    return x - lr * g\n"
    )
    for text in (
        "my.py:signum",
        "my.py:signum+cosine:lr=0.2",
        "l2 > my.py:signum+warmup > ema:beta=0.9",
    ):
        entry = read_entry(text)
        again = read_entry(entry.text({}))
        assert again.build({}, 40) == entry.build({}, 40)
        assert entry.text({}).count("my.py:signum") == 1
    assert read_entry("adam > ema").defaults.keys() == read_entry("adam").defaults.keys()


def test_an_entry_that_needs_more_than_gradients_is_refused() -> None:
    with pytest.raises(RuleError, match="a race gives no curvature, which sophia needs"):
        read_entries(["sophia"])
    with pytest.raises(
        RuleError, match="a race does not multiply the loss by the scale of unscale"
    ):
        read_entries(["unscale > sgd"])


@pytest.mark.parametrize("entry", ["sgd @ x:frozen", dd.freeze(dd.sgd(), "x")])
def test_an_entry_has_no_groups(entry) -> None:
    with pytest.raises(ProblemError, match="an entry must have no groups, .* got sgd @ x:frozen"):
        read_entries([entry])
