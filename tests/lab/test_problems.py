"""Problems: pairing by seed, splits, batches, scores, and options that do not apply."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from descend.data import Dataset, load_dataset
from descend.errors import DescendError, ProblemError, UnknownNameError
from descend.lab.learning import LearningProblem
from descend.lab.problems import FunctionProblem, Instance, Problem, get_problem, list_problems
from descend.losses import get_loss
from descend.models import get_model

KINDS = ["rosenbrock:n=5", "diabetes", "breast_cancer", "wine", "digits"]


def toy(rows: int = 40, task: str = "classification", test_rows: int = 5) -> Dataset:
    """Row i has the one feature i, so that a batch tells its rows."""
    X = np.arange(rows, dtype=float)[:, None]
    classes = task == "classification"
    y = np.arange(rows) % 2 if classes else X[:, 0] / 10
    y_test = np.array([0, 0, 0, 1, 1])[:test_rows] if classes else np.ones(test_rows)
    return Dataset(
        name="toy", task=task, X=X, y=y, X_test=np.ones((test_rows, 1)), y_test=y_test,
        feature_names=("row",), classes=("even", "odd") if classes else (), target="parity",
        notes=("Made up.",), sha256="0" * 64,
    )  # fmt: skip


def walk(instance: Instance, steps: int) -> list[tuple[float, bytes]]:
    """Values and gradients along the same points, whatever the gradients say."""
    x, seen = instance.x0, []
    for _ in range(steps):
        value, g = instance.gradient(x)
        seen.append((value, g.tobytes()))
        x = x + 0.01
    return seen


def rows_of_batches(problem: LearningProblem, seed: int, count: int) -> list[list[int]]:
    """The rows of each mini-batch, through the first layer's gradient of a one-feature model."""
    instance = problem.open(seed)
    batches = []
    for _ in range(count):
        X, _ = instance._next_batch()
        batches.append([int(v) for v in X[:, 0]])
    return batches


@pytest.mark.parametrize("text", KINDS)
def test_equal_seeds_give_equal_starts_and_equal_batches(text: str) -> None:
    problem = get_problem(text)
    one, two = problem.open(7), pickle.loads(pickle.dumps(problem)).open(7)
    np.testing.assert_array_equal(one.x0, two.x0)
    two.score(two.x0)  # scoring in between must not move the batches
    assert walk(one, 80) == walk(two, 80)


@pytest.mark.parametrize("text", KINDS)
def test_other_seeds_give_another_run(text: str) -> None:
    problem = get_problem(text)
    assert walk(problem.open(0), 3) != walk(problem.open(1), 3)


@pytest.mark.parametrize("text", KINDS)
def test_an_instance_counts_gradients_and_nothing_else(text: str) -> None:
    instance = get_problem(text).open(0)
    x = instance.x0
    assert x.dtype == np.float64
    instance.score(x)
    instance.test(x)
    assert instance.evaluations == 0
    instance.gradient(x)
    instance.gradient(x)
    assert instance.evaluations == 2


@pytest.mark.parametrize("text", KINDS)
def test_the_start_is_fresh_each_time_and_gradients_leave_x_alone(text: str) -> None:
    instance = get_problem(text).open(0)
    first = instance.x0
    kept = first.copy()
    _, g = instance.gradient(first)
    np.testing.assert_array_equal(first, kept)
    first += 1
    g += 1
    np.testing.assert_array_equal(instance.x0, kept)


@pytest.mark.parametrize("text", KINDS)
def test_points_that_are_no_numbers_give_no_warning_and_no_exception(text: str) -> None:
    instance = get_problem(text).open(0)
    for bad in (np.nan, np.inf):
        x = np.full_like(instance.x0, bad)
        value, g = instance.gradient(x)
        assert not np.isfinite(value)
        assert g.shape == x.shape
        assert not np.isfinite(instance.score(x))
        assert math.isnan(instance.test(x))


@pytest.mark.parametrize("text", list_problems())
def test_every_built_in_problem_has_a_card_that_says_what_is_measured(text: str) -> None:
    problem = get_problem(text)
    card = problem.card()
    assert isinstance(problem, Problem)
    assert card.name == problem.name == text
    assert card.metric
    assert card.notes
    facts = dict(card.facts)
    assert facts["gradient evaluations per run"].startswith(str(problem.steps))
    assert all(note.endswith(".") for note in card.notes)
    assert bool(card.test_metric) == (not isinstance(problem, FunctionProblem))


@pytest.mark.parametrize("text", KINDS)
def test_fingerprints_survive_the_way_to_a_worker(text: str) -> None:
    problem = get_problem(text)
    prints = {problem.fingerprint(), pickle.loads(pickle.dumps(problem)).fingerprint()}
    assert len(prints) == 1


def test_every_built_in_problem_has_a_fingerprint_of_its_own() -> None:
    texts = [*list_problems(), "rosenbrock:n=3", "quadratic:kappa=10"]
    assert len({get_problem(text).fingerprint() for text in texts}) == len(texts)


def test_what_changes_the_numbers_changes_the_fingerprint() -> None:
    base = get_problem("wine").fingerprint()
    assert get_problem("wine", batch_size=16).fingerprint() != base
    assert get_problem("wine", model="linear").fingerprint() != base
    assert get_problem("wine", loss="hinge", model="linear").fingerprint() != base
    assert get_problem("wine", seed=1).fingerprint() != base
    assert get_problem("wine", steps=10).fingerprint() == base


def test_scores_of_functions_are_gaps_to_the_minimum() -> None:
    instance = get_problem("square").open(0)
    assert instance.score(np.array([3.0])) == 9.0
    assert instance.gradient(np.array([3.0])) == (14.0, 6.0)
    # x² + 5 with f* = 5: gaps below 5e-14 are rounding
    assert instance.score(np.zeros(1)) == 5e-14
    assert instance.score(np.array([1e-8])) == 5e-14


def test_starts_of_functions_fill_the_box() -> None:
    problem = get_problem("rosenbrock:n=3")
    starts = np.array([problem.open(seed).x0 for seed in range(500)])
    assert starts.shape == (500, 3)
    assert starts.min() > -2
    assert starts.max() < 2
    # the mean of 500 uniform numbers of variance 4/3 has a deviation of 0.05
    np.testing.assert_allclose(starts.mean(axis=0), 0, atol=0.25)
    np.testing.assert_allclose([starts.min(), starts.max()], [-2, 2], atol=0.05)


def test_functions_and_learning_tune_on_three_seeds() -> None:
    assert get_problem("beale").tuning_seeds == 3
    assert get_problem("wine").tuning_seeds == 3
    assert get_problem("beale").steps == 500
    assert get_problem("beale", steps=7).steps == 7


@pytest.mark.parametrize(
    ("batch_size", "steps"),
    [(32, 200), (2, 300), (1, 600), (1000, 200)],  # 30 training rows, 20 epochs, at least 200
)
def test_default_steps_are_twenty_epochs_within_bounds(batch_size: int, steps: int) -> None:
    assert LearningProblem(toy(), "linear", "log", batch_size).steps == steps


def test_default_steps_of_large_data_are_at_most_two_thousand() -> None:
    assert LearningProblem(toy(20_000), "linear", "log").steps == 2000


def test_validation_is_a_quarter_of_each_class_drawn_anew_for_each_seed() -> None:
    problem = LearningProblem(toy(40), "linear", "log")
    drawn = set()
    for seed in range(5):
        instance = problem.open(seed)
        (X, y), (X_val, y_val) = instance._train, instance._validation
        assert sorted([*X[:, 0], *X_val[:, 0]]) == list(range(40))
        assert np.bincount(y_val).tolist() == [5, 5]
        assert np.bincount(y).tolist() == [15, 15]
        np.testing.assert_array_equal(X[:, 0] % 2, y)
        drawn.add(tuple(sorted(X_val[:, 0])))
    assert len(drawn) == 5


def test_an_epoch_visits_every_training_row_once_and_the_next_is_reshuffled() -> None:
    problem = LearningProblem(toy(40), "linear", "log", batch_size=8)
    batches = rows_of_batches(problem, 3, 8)  # 30 rows: 8 + 8 + 8 + 6, twice
    assert [len(batch) for batch in batches] == [8, 8, 8, 6, 8, 8, 8, 6]
    first, second = sum(batches[:4], []), sum(batches[4:], [])
    assert len(set(first)) == 30
    assert sorted(first) == sorted(second)
    assert first != second


def test_a_batch_of_all_rows_is_the_full_gradient() -> None:
    problem = LearningProblem(toy(40), "linear", "log", batch_size=30)
    instance = problem.open(0)
    x = np.array([0.1, -0.2])
    assert instance.gradient(x)[0] == instance.gradient(x)[0]


def test_gradients_of_batches_are_those_of_the_network_on_the_same_rows() -> None:
    problem = LearningProblem(toy(40), "mlp:3", "log", batch_size=8)
    rows = rows_of_batches(problem, 5, 2)[1]
    instance = problem.open(5)
    x = instance.x0
    instance.gradient(x)
    value, g = instance.gradient(x)
    network = get_model("mlp:3").network(1, 1)
    X = np.array(rows, dtype=float)[:, None]
    expected = network.value_and_gradient(x, X, np.array(rows) % 2, get_loss("log"))
    assert value == expected[0]
    np.testing.assert_array_equal(g, expected[1])


def test_the_score_is_the_mean_validation_loss() -> None:
    instance = LearningProblem(toy(40), "linear", "log").open(0)
    # zero scores: log 2 whatever the rows
    assert instance.score(np.zeros(2)) == pytest.approx(math.log(2), rel=1e-15)
    X, y = instance._validation
    by_hand = np.mean([math.log1p(math.exp(-(2 * c - 1) * (0.1 * v))) for v, c in zip(X[:, 0], y)])
    assert instance.score(np.array([0.1, 0.0])) == pytest.approx(by_hand, rel=1e-12)


def test_the_test_score_of_a_classification_is_the_share_of_errors() -> None:
    instance = LearningProblem(toy(), "linear", "log").open(0)
    assert instance.test(np.array([0.0, 1.0])) == 3 / 5  # always class 1, three of five are 0
    assert instance.test(np.array([0.0, -1.0])) == 2 / 5
    softmax = LearningProblem(toy(), "softmax", "log").open(0)
    assert softmax.test(np.array([0.0, 0.0, 0.0, 1.0])) == 3 / 5


def test_the_test_score_of_a_regression_is_the_root_mean_square_error() -> None:
    instance = LearningProblem(toy(task="regression"), "linear", "squared").open(0)
    assert instance.test(np.array([0.0, 3.0])) == 2.0  # the targets are 1


def test_data_without_test_rows_has_no_test_score() -> None:
    problem = LearningProblem(toy(test_rows=0), "linear", "log")
    assert problem.card().test_metric == ""
    assert math.isnan(problem.open(0).test(np.zeros(2)))


def test_facts_of_the_digits_card_are_worked_by_hand() -> None:
    facts = dict(get_problem("digits").card().facts)
    data = load_dataset("digits")
    n = len(data.y)
    assert facts["rows"] == f"{n - n // 4} to train, {n // 4} to validate, {1797 - n} to test"
    assert facts["parameters"] == str(64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10)
    assert facts["model"] == "mlp:64,64"
    steps = 20 * math.ceil((n - n // 4) / 32)
    assert facts["gradient evaluations per run"] == f"{steps} (20 epochs)"


@pytest.mark.parametrize("text", ["diabetes", "breast_cancer", "wine"])
def test_a_little_gradient_descent_improves_validation_and_test(text: str) -> None:
    instance = get_problem(text).open(0)
    x = instance.x0
    before = instance.score(x), instance.test(x)
    for _ in range(200):
        x = x - 0.1 * instance.gradient(x)[1]
    assert instance.score(x) < 0.8 * before[0]
    assert instance.test(x) < before[1]


def test_loss_and_data_of_different_tasks_are_refused() -> None:
    with pytest.raises(ProblemError, match=r"loss of digits must be one for a classification "
                       r"\(hinge, log\); got squared, which is for a regression"):  # fmt: skip
        get_problem("digits", loss="squared")
    with pytest.raises(ProblemError, match="loss of diabetes must be one for a regression"):
        get_problem("diabetes", loss="hinge")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("diabetes", {"model": "softmax"}, "loss of softmax must be log; got squared"),
        ("wine", {"model": "softmax", "loss": "hinge"}, "loss of softmax must be log; got hinge"),
        ("wine", {"model": "softmx"}, "no model is called 'softmx'. Did you mean 'softmax'"),
        ("wine", {"loss": "lag"}, "no loss is called 'lag'. Did you mean 'log'"),
        ("wine", {"target": "cultivar"}, "target does not apply to wine, which is a data set"),
        ("rosenbrock", {"target": "y"}, "target does not apply to rosenbrock, which is a test"),
        ("booth", {"loss": "log", "batch_size": 3}, "loss and batch_size do not apply to booth"),
        ("booth", {"steps": 0}, "steps must be an integer of at least 1; got 0"),
        ("booth", {"steps": 2.5}, "steps must be an integer of at least 1; got 2.5"),
        ("booth", {"steps": True}, "steps must be an integer of at least 1; got True"),
        ("wine", {"batch_size": -1}, "batch_size must be an integer of at least 1; got -1"),
        ("wine:n=3", {}, "no problem is called 'wine:n=3'. Did you mean 'wine'"),
        ("data.xlsx", {}, "must be a built-in name, a .csv or .parquet table, or file.py:name"),
        ("nowhere.csv", {"target": "y"}, "nowhere.csv"),
        ("nowhere.csv", {}, "nowhere.csv"),
    ],
)
def test_options_that_do_not_apply_are_refused(text: str, options: dict, words: str) -> None:
    with pytest.raises(DescendError, match=words):
        get_problem(text, **options)


def test_an_unknown_problem_is_answered_from_functions_and_data() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'digits'.*rosenbrock"):
        get_problem("digts")
    with pytest.raises(UnknownNameError, match="Did you mean 'himmelblau'.*digits"):
        get_problem("himelblau")


def table(path: Path, rows: int) -> str:
    rng = np.random.default_rng(0)
    height, weight = rng.normal(size=(2, rows))
    lines = [f"{h:.3f},{w:.3f},{'ab'[int(h + w > 0)]}" for h, w in zip(height, weight)]
    path.write_text("\n".join(["height,weight,group", *lines]) + "\n")
    return str(path)


def test_a_table_needs_a_target_and_is_told_its_columns(tmp_path: Path) -> None:
    text = table(tmp_path / "people.csv", 50)
    with pytest.raises(ProblemError, match="people.csv needs a target.*: height, weight, group"):
        get_problem(text)
    with pytest.raises(UnknownNameError, match="Did you mean 'group'"):
        get_problem(text, target="grup")


def test_the_size_of_a_table_chooses_its_model_and_the_card_says_so(tmp_path: Path) -> None:
    small = get_problem(table(tmp_path / "small.csv", 50), target="group")
    large = get_problem(table(tmp_path / "large.csv", 300), target="group")
    assert dict(small.card().facts)["model"] == "linear"
    assert dict(large.card().facts)["model"] == "mlp:64,64"
    assert any("fewer than 200" in note for note in small.card().notes)
    asked = get_problem(str(tmp_path / "large.csv"), target="group", model="softmax")
    assert dict(asked.card().facts)["model"] == "softmax"
    assert not any("Model:" in note for note in asked.card().notes)
    x = small.open(0).x0
    assert small.open(0).score(x) == pytest.approx(math.log(2), rel=1e-12)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ProblemError, match="toy must have at least 4 rows besides the test rows"):
        LearningProblem(toy(3), "linear", "log")


def test_batch_sizes_below_one_are_refused() -> None:
    with pytest.raises(ProblemError, match="batch size of toy must be at least 1; got 0"):
        LearningProblem(toy(), "linear", "log", batch_size=0)


def test_the_notes_of_the_data_come_first() -> None:
    problem = LearningProblem(replace(toy(), notes=("Three columns went.",)), "linear", "log")
    assert problem.card().notes[0] == "Three columns went."


def test_workers_import_nothing_heavy() -> None:
    code = (
        "import sys, descend.lab.problems\n"
        "heavy = 'scipy sklearn pyarrow pandas numba torch jax matplotlib plotly rich typer'\n"
        "print([name for name in heavy.split() if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
