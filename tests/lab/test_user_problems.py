"""The user's own code: what is understood, what is refused and how, and what workers load."""

from __future__ import annotations

import math
import pickle
import re
import sys
import time
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from descend.errors import ProblemError
from descend.lab import deadline
from descend.lab.objective import FunctionProblem
from descend.lab.problems import EvaluationFailed, Problem, function_problem, get_problem
from descend.lab.user.gradient_check import check_gradient

BOWL = """
    import numpy as np

    def bowl(x):
        "A shifted bowl."
        return (x[0] - 1) ** 2 + 10 * (x[1] + 2) ** 2

    def bowl_gradient(x):
        return np.array([2 * (x[0] - 1), 20 * (x[1] + 2)])

    x0 = [4, 0]
"""


@pytest.fixture
def load(tmp_path: Path):
    def write_and_load(source: str, name: str = "f", steps: int | None = None) -> Problem:
        file = tmp_path / "mine.py"
        file.write_text(dedent(source))
        return get_problem(f"{file}:{name}", steps=steps)

    return write_and_load


def refused(load, source: str, name: str = "f") -> str:
    with pytest.raises(ProblemError) as caught:
        load(source, name)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_a_function_with_its_gradient_is_a_problem(load) -> None:
    problem = load(BOWL, "bowl")
    instance = problem.open(0)
    value, g = instance.gradient(np.array([3.0, -1.0]))
    assert value == 14.0
    assert g.tolist() == [4.0, 20.0]
    assert instance.score(np.array([3.0, -1.0])) == 14.0
    assert math.isnan(instance.test(instance.x0))
    card = problem.card()
    assert (card.name, card.title, card.metric) == ("mine.py:bowl", "A shifted bowl", "f(x)")
    assert not card.log_scale
    assert dict(card.facts)["gradient"] == "given"
    assert any("agrees with central differences" in note for note in card.notes)
    assert (problem.steps, problem.tuning_seeds) == (500, 3)


def test_starts_are_drawn_around_x0_and_the_card_says_so(load) -> None:
    problem = load(BOWL, "bowl")
    starts = np.array([problem.open(seed).x0 for seed in range(300)])
    # 10 % of 4, and 0.1 where x0 is 0
    np.testing.assert_allclose(starts.min(axis=0), [3.6, -0.1], atol=0.01)
    np.testing.assert_allclose(starts.max(axis=0), [4.4, 0.1], atol=0.01)
    np.testing.assert_array_equal(starts[5], problem.open(5).x0)
    notes = problem.card().notes
    assert any("around x0 = (4, 0), within ±10 % of each" in note for note in notes)


def test_perturb_zero_starts_at_exactly_x0(load) -> None:
    problem = load(BOWL + "    bowl.perturb = 0\n", "bowl")
    assert problem.open(0).x0.tolist() == problem.open(1).x0.tolist() == [4.0, 0.0]
    assert problem.tuning_seeds == 1
    assert any("one sample of each optimizer" in note for note in problem.card().notes)


def test_a_box_replaces_the_neighbourhood_of_x0(load) -> None:
    problem = load(BOWL + "    bowl_bounds = [(5, 6), (-9, -8)]\n", "bowl")
    starts = np.array([problem.open(seed).x0 for seed in range(100)])
    assert starts.min(axis=0) == pytest.approx([5, -9], abs=0.05)
    assert starts.max(axis=0) == pytest.approx([6, -8], abs=0.05)
    wide = load(BOWL + "    box_bowl = (-1, 1)\n", "bowl")
    assert dict(wide.card().facts)["starts"] == "uniform, every coordinate in [-1, 1]"


def test_a_known_minimum_makes_scores_gaps(load) -> None:
    problem = load(BOWL + "    minimum_bowl = 0\n", "bowl")
    assert problem.card().metric == "f(x) − f*"
    assert problem.card().log_scale
    assert problem.open(0).score(np.array([1.0, -2.0])) == 1e-14


@pytest.mark.parametrize(
    "said",
    [
        "f.x0 = (3, 4)",
        "x0_f = [3, 4]",
        "f_x0 = [3.0, 4.0]",
        "x0 = np.array([3, 4])",
        "x0 = [9, 9]\n    f.x0 = [3, 4]",  # the attribute comes first
        "x0 = [9, 9]\n    f_x0 = [3, 4]",
    ],
)
def test_x0_is_found_wherever_it_is_said(load, said: str) -> None:
    source = f"    import numpy as np\n    def f(x):\n        return float(x @ x)\n    {said}\n"
    problem = load(source + "    f.perturb = 0\n")
    assert problem.open(0).x0.tolist() == [3.0, 4.0]


def test_x0_may_be_the_default_of_the_parameter(load) -> None:
    problem = load("def f(x=(3, 4)):\n    return x[0] ** 2 + x[1] ** 2\nf.perturb = 0\n")
    assert problem.open(0).x0.tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    "said",
    [
        "f.grad = lambda x: 2 * x",
        "f.gradient = lambda x: 2 * x",
        "def grad_f(x):\n        return 2 * x",
        "f_grad = lambda x: list(2 * x)",
    ],
)
def test_a_gradient_is_found_wherever_it_is_said(load, said: str) -> None:
    problem = load(f"    def f(x):\n        return x @ x\n    x0 = [3, 4]\n    {said}\n")
    assert dict(problem.card().facts)["gradient"] == "given"
    assert problem.open(0).gradient(np.array([1.0, 2.0]))[1].tolist() == [2.0, 4.0]


def test_imported_callables_of_the_same_name_are_not_about_f(load) -> None:
    source = (
        "from numpy import gradient as grad, minimum\ndef f(x):\n    return x @ x\nx0 = [3, 4]\n"
    )
    problem = load(source)
    assert "function evaluations each" in dict(problem.card().facts)["gradient"]
    assert problem.card().metric == "f(x)"


def test_a_function_may_return_its_gradient_beside_its_value(load) -> None:
    problem = load("def f(x):\n    return x @ x, 2 * x\nx0 = [3, 4]\n")
    value, g = problem.open(0).gradient(np.array([1.0, 2.0]))
    assert (value, g.tolist()) == (5.0, [2.0, 4.0])
    assert problem.open(0).score(np.array([1.0, 2.0])) == 5.0


def test_without_a_gradient_central_differences_are_taken_and_named(load) -> None:
    problem = load("def f(x):\n    return x[0] ** 3 + x[0] * x[1]\nx0 = [3, 4]\n")
    instance = problem.open(0)
    _, g = instance.gradient(np.array([2.0, 5.0]))
    # truncation h²·f'''/6 and rounding eps·f/h are both near 1e-10
    assert g == pytest.approx([17.0, 2.0], abs=1e-8)
    assert instance.evaluations == 1
    card = problem.card()
    assert dict(card.facts)["gradient"] == "5 function evaluations each"
    assert any("2·n + 1 = 5 function evaluations" in note for note in card.notes)


def test_a_function_of_one_number_may_return_an_array_of_one(load) -> None:
    problem = load("def f(x):\n    return x**2 + 5\ndef grad_f(x):\n    return 2 * x\nx0 = 3.0\n")
    value, g = problem.open(0).gradient(np.array([2.0]))
    assert (value, g.tolist()) == (9.0, [4.0])


def test_a_gradient_that_is_slightly_off_is_noted(load) -> None:
    problem = load("def f(x):\n    return x @ x, 2.01 * x\nx0 = [3, 4]\n")
    assert any("differs from central differences by up to 0.5 %" in n for n in problem.card().notes)


def test_a_wrong_gradient_is_refused_with_its_entry(load) -> None:
    source = "def f(x):\n    return x @ x\nf.grad = lambda x: [2 * x[0], 3 * x[1]]\nx0 = [3, 4]\n"
    sentence = refused(load, source)
    assert "gradient of f of mine.py must agree with central differences" in sentence
    assert "at x = (3, 4) its entry 1 is 12 where they give 8" in sentence


def test_a_gradient_that_is_wrong_away_from_x0_alone_is_refused(load) -> None:
    # at x0 = 0 both the gradient and the wrong one are 0
    assert "must agree" in refused(load, "def f(x):\n    return x @ x, 3 * x\nx0 = [0, 0]\n")


def test_a_kink_at_x0_is_no_wrong_gradient() -> None:
    def corner(x):
        return np.abs(x).sum()

    problem = function_problem(corner, [0.0, 1.0], grad=np.sign)
    assert check_gradient(problem.objective, np.zeros(2)) < 1e-9


def test_a_function_that_computes_in_single_precision_keeps_its_gradient() -> None:
    def single(x):
        return float(np.sum(np.float32(x) ** 2) + np.float32(100))

    function_problem(single, [1.0, 2.0], grad=lambda x: 2 * x)  # is not refused


def test_a_noisy_function_is_noted(load) -> None:
    source = "import random\ndef f(x):\n    return x @ x + random.random()\nx0 = [3, 4]\n"
    problem = load(source + "f.grad = lambda x: 2 * x\n")
    assert any("different values for the same x" in note for note in problem.card().notes)


REFUSALS = {
    "syntax": ("def f(x:\n    pass\n", r"mine.py raised SyntaxError: .+ \(line 1\)"),
    "import": ("x0 = 1\nimport nowhere\n", r"mine.py raised ModuleNotFoundError: .+ \(line 2\)"),
    "exit": ("import sys\nsys.exit(3)\n", r"mine.py raised SystemExit: sys.exit\(3\) \(line 2\)"),
    "no name": ("def g(x):\n    return 1\n", "mine.py has no name 'f'. It defines: g"),
    "number": ("f = 3\n", r"f of mine.py must be a function f\(x\) or a Problem; got 3"),
    "no x0": ("def f(x):\n    return 1.0\n", "f of mine.py must have a start; got none. Hint:"),
    "two": ("def f(x, y):\n    return 1.0\nx0 = 1\n", r"function of x alone; got \(x, y\)"),
    "text x0": ("def f(x):\n    return 1.0\nx0 = 'here'\n", "finite numbers; got 'here'"),
    "empty x0": ("def f(x):\n    return 1.0\nx0 = []\n", r"list of finite numbers; got \[\]"),
    "nan x0": ("def f(x):\n    return 1.0\nx0 = [1, float('nan')]\n", r"got \[1, nan\]"),
    "matrix x0": ("def f(x):\n    return 1.0\nx0 = [[1, 2]]\n", "got a list of 1 entries"),
    "complex x0": ("def f(x):\n    return 1.0\nx0 = [1j]\n", "list of finite numbers"),
    "raises": (
        "def f(x):\n    y = 1\n    return y / 0\nx0 = [1, 2]\n",
        r"f of mine.py raised ZeroDivisionError: division by zero \(line 3\) at x = \(1, 2\)",
    ),
    "recursion": ("def f(x):\n    return f(x)\nx0 = 1\n", r"raised RecursionError: .+ \(line 2\)"),
    "exits": ("def f(x):\n    exit()\nx0 = 1\n", r"raised SystemExit: sys.exit\(None\)"),
    "nan": ("def f(x):\n    return float('nan')\nx0 = [1]\n", r"finite at x0 = \(1\); got nan"),
    "overflow": ("def f(x):\n    return 10.0**400\nx0 = [1]\n", r"finite at x0 = \(1\); got inf"),
    "vector": ("def f(x):\n    return x * 2\nx0 = [1, 2]\n", r"got an array of shape \(2,\)"),
    "none": ("def f(x):\n    x @ x\nx0 = [1, 2]\n", "must return a real number; got None"),
    "complex": ("def f(x):\n    return 1j\nx0 = [1, 2]\n", "must return a real number; got 1j"),
    "text": ("def f(x):\n    return '3'\nx0 = [1, 2]\n", "must return a real number; got '3'"),
    "in place": (
        "def f(x):\n    x *= 2\n    return x @ x\nx0 = [1, 2]\n",
        "f of mine.py must leave x as it is; it changes x in place. Hint:",
    ),
    "gradient in place": (
        "def f(x):\n    return x @ x\ndef grad_f(x):\n    x *= 2\n    return x\nx0 = [1, 2]\n",
        "gradient of f of mine.py must leave x as it is",
    ),
    "gradient shape": (
        "def f(x):\n    return x @ x, 2 * x[:1]\nx0 = [1, 2]\n",
        r"gradient of f of mine.py must be an array of 2 real numbers, shape \(2,\); got an array",
    ),
    "gradient nan": (
        "def f(x):\n    return x @ x, x * float('nan')\nx0 = [1, 2]\n",
        r"gradient of f of mine.py must be finite at x0 = \(1, 2\); got \(nan, nan\)",
    ),
    "gradient raises": (
        "def f(x):\n    return x @ x\ndef grad_f(x):\n    return x[9]\nx0 = [1, 2]\n",
        r"gradient of f of mine.py raised IndexError: .+ \(line 4\)",
    ),
    "gradient number": (
        "def f(x):\n    return x @ x\ngrad_f = 3\nx0 = [1, 2]\n",
        "gradient of f must be a function; got 3",
    ),
    "box": (
        "def f(x):\n    return x @ x\nf.box = [1, 2, 3]\nx0 = [1, 2]\n",
        r"box of f of mine.py must be a pair \(low, high\) of finite numbers, or 2 of them",
    ),
    "box order": (
        "def f(x):\n    return x @ x\nf.box = (2, 1)\nx0 = [1, 2]\n",
        "box of f of mine.py must have low <= high",
    ),
    "minimum": (
        "def f(x):\n    return x @ x\nf.minimum = 6\nx0 = [1, 2]\n",
        r"minimum of f of mine.py must not be above f\(x0\) = 5; got 6",
    ),
    "minimum text": (
        "def f(x):\n    return x @ x\nf.minimum = 'low'\nx0 = [1, 2]\n",
        "minimum of f of mine.py must be a finite number; got 'low'",
    ),
    "perturb": (
        "def f(x):\n    return x @ x\nf.perturb = -1\nx0 = [1, 2]\n",
        "perturb of f of mine.py must be a number of at least 0; got -1",
    ),
    "factory": ("def f():\n    return 3\n", "must be a function of x, or return a Problem; got 3"),
    "factory raises": ("def f():\n    return [][0]\n", r"f of mine.py raised IndexError: .+line 2"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_code_is_refused_in_one_sentence(load, case: str) -> None:
    source, words = REFUSALS[case]
    assert re.search(words, refused(load, source))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ProblemError, match="nowhere.py cannot be read: No such file"):
        get_problem("nowhere.py:f")


def test_a_file_without_a_name_tells_what_it_defines(load, tmp_path: Path) -> None:
    load(BOWL, "bowl")
    for text in (f"{tmp_path / 'mine.py'}", f"{tmp_path / 'mine.py'}:"):
        with pytest.raises(ProblemError, match="as in mine.py:f. It defines: bowl, bowl_gradient"):
            get_problem(text)


def test_a_misspelt_name_is_answered_with_the_nearest(load) -> None:
    assert "has no name 'bwol'. Did you mean 'bowl'?" in refused(load, BOWL, "bwol")


def test_options_for_data_do_not_apply_to_a_file(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="model does not apply to f.py:f, which is your own"):
        get_problem("f.py:f", model="linear")


def test_steps_are_taken(load) -> None:
    assert load(BOWL, "bowl", steps=30).steps == 30


LOG = """
    import math

    def f(x):
        if x[0] > 100:
            return x[0] ** 1000.0
        if x[0] > 50:
            return math.exp(1e6)
        if x[0] > 10:
            raise SystemExit
        return x[0] - math.log(x[0])

    x0 = 2.0
"""


def test_failures_in_the_middle_of_a_run_are_causes(load) -> None:
    instance = load(LOG).open(0)
    with pytest.raises(EvaluationFailed, match=r"ValueError: .+ \(line 11\) at x = \(-1\)"):
        instance.gradient(np.array([-1.0]))
    with pytest.raises(EvaluationFailed, match="SystemExit"):
        instance.score(np.array([20.0]))


def test_overflow_is_infinite_and_no_failure(load) -> None:
    instance = load(LOG).open(0)
    for far in (60.0, 200.0):  # Python's own floats raise OverflowError, arrays give inf
        value, g = instance.gradient(np.array([far]))
        assert value == math.inf
        assert np.isnan(g).all()
        assert instance.score(np.array([far])) == math.inf


def test_starts_outside_the_domain_are_drawn_again(load) -> None:
    source = "import math\ndef f(x):\n    return -math.log(x[0]) + x[0]\nx0 = 1\nf.box = (-9, 1)\n"
    problem = load(source)
    starts = [problem.open(seed).x0[0] for seed in range(40)]
    assert min(starts) > 0
    assert len(set(starts)) > 30


def test_what_f_does_to_x_during_a_run_does_not_reach_the_run(load) -> None:
    source = "def f(x):\n    v = x @ x\n    if v < 20:\n        x *= 0\n    return v\nx0 = [3, 4]\n"
    instance = load(source).open(0)
    x = np.array([1.0, 2.0])
    instance.gradient(x)
    instance.score(x)
    assert x.tolist() == [1.0, 2.0]


def test_a_gradient_that_reuses_its_array_is_copied(load) -> None:
    source = """
        import numpy as np
        kept = np.empty(2)
        def f(x):
            kept[:] = 2 * x
            return x @ x, kept
        x0 = [3, 4]
    """
    instance = load(source).open(0)
    _, first = instance.gradient(np.array([1.0, 1.0]))
    instance.gradient(np.array([5.0, 5.0]))
    assert first.tolist() == [2.0, 2.0]


def test_workers_run_the_file_again(load) -> None:
    problem = load(BOWL, "bowl")
    twin = pickle.loads(pickle.dumps(problem))
    assert twin.fingerprint() == problem.fingerprint()
    assert twin.card() == problem.card()
    np.testing.assert_array_equal(twin.open(3).x0, problem.open(3).x0)
    x = np.array([0.3, 0.4])
    np.testing.assert_array_equal(twin.open(3).gradient(x)[1], problem.open(3).gradient(x)[1])


def test_a_file_that_changes_during_a_race_is_noticed(load, tmp_path: Path) -> None:
    sent = pickle.dumps(load(BOWL, "bowl"))
    (tmp_path / "mine.py").write_text(dedent(BOWL).replace("10 *", "11 *"))
    with pytest.raises(ProblemError, match="mine.py must stay as it was while a race runs"):
        pickle.loads(sent)


def test_the_fingerprint_follows_the_code(load) -> None:
    base = load(BOWL, "bowl").fingerprint()
    assert load(BOWL, "bowl").fingerprint() == base
    assert load(BOWL.replace("10 *", "10.0 *"), "bowl").fingerprint() != base


def test_files_see_their_neighbours_and_no_future_of_ours(load, tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text("weight = 3.0\n")
    source = """
        from neighbour_of_mine import weight
        def f(x: "array"):
            return weight * (x @ x)
        def typed(x: int): ...
        assert typed.__annotations__ == {"x": int}
        x0 = [1, 2]
    """
    assert load(source).open(0).score(np.array([1.0, 2.0])) == 15.0


OWN = """
    import numpy as np
    from descend.lab.problems import Instance, Problem
    from descend.lab.records import ProblemCard

    class Line(Instance):
        x0 = property(lambda self: np.ones(2))
        def gradient(self, x):
            if x[0] > 5:
                raise RuntimeError("too far")
            return float(x @ x), 2 * x
        def score(self, x):
            return float(x @ x)

    class Mine(Problem):
        name = "mine"
        steps = 40
        def card(self):
            return ProblemCard("mine", "Mine", "f", False, (), ())
        def fingerprint(self):
            return "1"
        def open(self, seed):
            return Line()

    made = Mine()
    def make():
        return Mine()
    def broken():
        mine = Mine()
        mine.steps = 0
        return mine
    def shapeless():
        mine = Mine()
        mine.open = lambda seed: 3
        return mine
"""


@pytest.mark.parametrize("name", ["Mine", "made", "make"])
def test_a_problem_of_the_users_own_is_taken(load, name: str) -> None:
    problem = load(OWN, name)
    for twin in (problem, pickle.loads(pickle.dumps(problem))):
        assert (twin.steps, twin.tuning_seeds, twin.card().title) == (40, 1, "Mine")
        instance = twin.open(0)
        value, g = instance.gradient(instance.x0)
        assert (value, g.tolist(), instance.evaluations) == (2.0, [2.0, 2.0], 1)
        assert math.isnan(instance.test(instance.x0))
        with pytest.raises(EvaluationFailed, match=r"RuntimeError: too far \(line \d+\)"):
            instance.gradient(np.array([6.0, 0.0]))
    assert load(OWN, name, steps=9).steps == 9


def test_a_problem_that_lacks_something_is_refused(load) -> None:
    assert "steps of broken of mine.py must be at least 1; got 0" in refused(load, OWN, "broken")
    assert "open(0) of shapeless of mine.py must be an Instance" in refused(load, OWN, "shapeless")
    partial = OWN.replace('        def fingerprint(self):\n            return "1"\n', "")
    assert "abstract" in refused(load, partial, "Mine")


def test_a_function_at_hand_is_a_problem() -> None:
    problem = function_problem(lambda x: float(x @ x), [3.0, 4.0], minimum=0.0, name="sphere")
    assert isinstance(problem, FunctionProblem)
    assert problem.name == "sphere"
    assert problem.open(0).score(np.array([1.0, 2.0])) == 5.0
    with pytest.raises(ProblemError, match="sphere must return a real number; got None"):
        function_problem(lambda x: None, [1.0], name="sphere")
    with pytest.raises(ProblemError, match="x0 of sphere must be a list of finite numbers"):
        function_problem(lambda x: 0.0, "abc", name="sphere")


@pytest.mark.parametrize("said", ["minimum = 0", "box = (5, 6)", "bounds = (5, 6)", "perturb = 9"])
def test_plain_names_of_the_module_are_not_about_f(load, said: str) -> None:
    source = "def f(x):\n    return x @ x\nx0 = [3, 4]\n"
    plain, with_name = load(source).card(), load(f"{source}{said}\n").card()
    assert plain == with_name


def test_a_plain_gradient_of_the_module_is_not_that_of_f(load) -> None:
    problem = load("def f(x):\n    return x @ x\ndef grad(x):\n    return x\nx0 = [3, 4]\n")
    assert "function evaluations each" in dict(problem.card().facts)["gradient"]


def test_a_score_below_the_stated_minimum_is_no_success(load) -> None:
    instance = load("def f(x):\n    return x @ x\nf.minimum = 1\nx0 = [3, 4]\n").open(0)
    assert instance.score(np.array([1.0, 1.0])) == 1.0
    assert instance.score(np.array([1.0, 0.0])) == 1e-14
    with pytest.raises(EvaluationFailed, match="f fell below its stated minimum 1: it was 0.25"):
        instance.score(np.array([0.5, 0.0]))


@pytest.mark.parametrize(
    ("source", "owner"),
    [
        ("x0 = [1.0]\ndef f(x):\n    while True: pass\n", "f of mine.py"),
        (
            "x0 = [1.0]\ndef f(x): return x @ x\ndef grad_f(x):\n    while True: pass\n",
            "gradient of f",
        ),
        ("x0 = [1.0]\nwhile True: pass\n", "mine.py"),
        ("def f():\n    while True: pass\n", "f of mine.py"),
        (
            "x0 = [1.0]\ndef f(x):\n while True:\n  try:\n   while True: pass\n  except Exception: pass\n",
            "f of mine.py",
        ),
        ("x0 = [1.0]\ndef f(x):\n    while x[0] != 1.0: pass\n    return x @ x\n", "f of mine.py"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no timers")
def test_what_hangs_is_broken_off_with_a_sentence(load, monkeypatch, source: str, owner) -> None:
    monkeypatch.setattr(deadline, "PROBE_SECONDS", 0.2)
    said = refused(load, source)
    assert said.startswith(owner)
    assert "must return within 0.2 s; it did not." in said


@pytest.mark.skipif(sys.platform == "win32", reason="there are no timers")
def test_a_deadline_inside_another_leaves_the_outer_one_running() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError, match="outer"):  # noqa: SIM117 - one around the other
        with deadline.deadline(0.3, lambda: TimeoutError("outer")):
            with deadline.deadline(5.0, lambda: TimeoutError("inner")):
                pass
            while time.monotonic() < started + 5.0:
                pass
    assert time.monotonic() - started < 3.0
