"""What ``import descend`` costs and shows."""

import os
import subprocess
import sys

import pytest

import descend as dd

HEAVY = ["torch", "jax", "sklearn", "numba", "dask", "matplotlib", "plotly", "scipy", "pyarrow"]


def in_fresh_process(code):
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_import_wakes_no_heavy_package():
    awake = in_fresh_process(
        f"import sys, descend; dir(descend); descend.__all__; print(*[m for m in {HEAVY} if m in sys.modules])"
    )
    assert awake == []


def test_import_and_dir_do_not_wake_numpy_either():
    assert in_fresh_process("import sys, descend; dir(descend); print('numpy' in sys.modules)") == [
        "False"
    ]


def test_rules_and_schedules_wake_no_compiler():
    code = (
        "import sys, descend as dd; dd.get_rule('adam:lr=cosine(0.1, steps=9)'); dd.chain(dd.decay(), dd.sgd()); dd.list_rules();"
        f"print(*[m for m in {[*HEAVY, 'llvmlite']} if m in sys.modules])"
    )
    assert in_fresh_process(code) == []


@pytest.mark.parametrize("name", dd.__all__)
def test_every_public_name_resolves_and_says_what_it_is(name):
    value = getattr(dd, name)
    assert value.__doc__
    assert len(value.__doc__.split()) > 3


def test_all_is_sorted_complete_and_in_dir():
    assert dd.__all__ == sorted(set(dd.__all__))
    assert set(dd.__all__) <= set(dir(dd))
    kind = dd.Rule  # loading a name changes the module's dict
    public = {name for name, rule in list(vars(dd).items()) if isinstance(rule, kind)}
    assert public <= set(dd.__all__)


def test_every_rule_of_the_catalogue_is_a_public_name():
    ours = [n for n in dd.list_rules() if dd.find_rule(n).__module__.startswith("descend.rules.")]
    assert set(ours) <= set(dd.__all__)
    for name in ours:
        assert getattr(dd, name) is dd.find_rule(name)


def test_every_schedule_is_a_public_name():
    from descend.schedules import SCHEDULES

    for name, schedule in SCHEDULES.items():
        assert getattr(dd, name) is schedule


def test_star_import_gives_the_public_names():
    code = (
        "from descend import *; import descend; print(all(n in globals() for n in descend.__all__))"
    )
    assert in_fresh_process(code) == ["True"]


def test_an_unknown_name_answers_with_the_nearest():
    with pytest.raises(AttributeError, match=r"descend has no 'adma'\. Did you mean 'adam'\?"):
        _ = dd.adma


def test_the_version_is_said():
    assert dd.__version__.count(".") == 2
