"""Rules from elsewhere: of files, of packages, and on their way to other processes."""

import importlib.metadata
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

import descend as dd
from descend import _plugins
from descend._rule import REGISTRY, TRANSFORMS
from descend.domains import NonNegative
from descend.errors import CheckpointError, RuleError, UnknownNameError

FILE = '''
import dataclasses
import descend as dd
from descend.domains import Decay, NonNegative
from descend.ops import sign

@dataclasses.dataclass
class Constants:
    half: float = 0.5

HALF = Constants().half

@dd.rule
def signum(x, g, m, *, lr: NonNegative = 1e-3, beta: Decay = 0.9):
    """Not the one of the catalogue: half the step."""
    m = beta * m + (1 - beta) * g
    return x - HALF * lr * sign(m), m

@dd.transform
def halve(x, g):
    return x, HALF * g

def plain(x, g):
    return x - g

number = 3.0
'''


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "my.py").write_text(FILE, encoding="utf-8")
    return tmp_path / "my.py"


@pytest.fixture
def registry():
    before = dict(REGISTRY), dict(TRANSFORMS)
    yield
    for known, old in zip((REGISTRY, TRANSFORMS), before, strict=True):
        known.clear()
        known.update(old)


def step(update):
    x = np.array([1.0, -1.0])
    dd.Stepper(update, x).step(np.array([2.0, 3.0]))
    return x.tolist()


# files


def test_a_rule_of_a_file_is_named_with_it(file):
    update = dd.get_rule("my.py:signum:lr=0.5,beta=0.5")
    assert step(update) == [0.75, -1.25]
    assert update.text == "my.py:signum:lr=0.5,beta=0.5"
    assert dd.get_rule(update.text) == update
    assert eval(repr(update)) == update
    assert dd.load_rule("my.py:signum") is dd.load_rule("my.py:signum")


def test_a_file_takes_no_name_from_the_catalogue(file):
    before = dict(REGISTRY), dict(TRANSFORMS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = dd.load_rule("my.py:signum")
    assert (dict(REGISTRY), dict(TRANSFORMS)) == before
    assert own is not dd.signum
    assert dd.get_rule("signum") == dd.signum()
    assert dd.get_rule("my.py:signum") != dd.signum()


def test_files_stand_in_chains(file):
    update = dd.get_rule("my.py:halve > my.py:signum:lr=1 > ema")
    assert [link.name for link in update.links] == ["halve", "signum", "ema"]
    assert step(dd.get_rule("my.py:halve > sgd:lr=1")) == [0.0, -2.5]
    with pytest.raises(RuleError, match="halve is not a rule alone"):
        dd.get_rule("my.py:halve")


def test_a_path_may_have_folders_and_spaces(file):
    (file.parent / "a folder").mkdir()
    (file.parent / "a folder" / "b.py").write_text(FILE, encoding="utf-8")
    assert dd.get_rule(" a folder/b.py : signum : lr=1").text == "a folder/b.py:signum:lr=1.0"
    assert dd.get_rule(f"{file}:signum").text == f"{file}:signum"


def test_a_changed_file_is_read_again(file):
    assert step(dd.get_rule("my.py:signum:lr=1")) == [0.5, -1.5]
    file.write_text(FILE.replace("half: float = 0.5", "half: float = 0.25"), encoding="utf-8")
    assert step(dd.get_rule("my.py:signum:lr=1")) == [0.75, -1.25]


def test_a_file_may_import_its_neighbour(file):
    (file.parent / "neighbour_of_my.py").write_text("FACTOR = 0.125", encoding="utf-8")
    text = FILE.replace("HALF = Constants().half", "from neighbour_of_my import FACTOR as HALF")
    file.write_text(text, encoding="utf-8")
    assert step(dd.get_rule("my.py:signum:lr=1")) == [0.875, -1.125]


BAD = {
    "my.py:plain": "'plain' of my.py must be a rule; got function. Hint: put @dd.rule above it. It defines: halve, signum.",
    "my.py:number": "'number' of my.py must be a rule; got float. It defines: halve, signum.",
    "my.py:signm": "'signm' of my.py must be a rule; got none. Did you mean 'signum'? It defines: halve, signum.",
    "my.py": "'' of my.py must be a rule; got none. It defines: halve, signum.",
    "my.py:": "'' of my.py must be a rule; got none. It defines: halve, signum.",
    "empty.py:f": "'f' of empty.py must be a rule; got none. It defines: no rule.",
    "syntax.py:f": "syntax.py must run as a Python file; got SyntaxError: invalid syntax (line 2).",
    "raises.py:f": "raises.py must run as a Python file; got ZeroDivisionError: division by zero (line 2).",
    "exits.py:f": "exits.py must run as a Python file; got SystemExit: 3 (line 1).",
    "schema.py:f": "schema.py must run as a Python file; got RuleError: f must take x and g first; got (g) (line 2).",
    "bytes.py:f": "bytes.py must run as a Python file; got SyntaxError: source code string cannot contain null bytes.",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_one_sentence(text, file):
    files = {
        "empty": "",
        "syntax": "x = 1\nif\n",
        "raises": "x = 0\ny = 1 / x\n",
        "exits": "raise SystemExit(3)\n",
        "schema": "import descend as dd\n@dd.rule\ndef f(g): return g\n",
        "bytes": "\0",
    }
    for name, content in files.items():
        (file.parent / f"{name}.py").write_text(content, encoding="utf-8")
    before = dict(REGISTRY)
    with pytest.raises(RuleError) as caught:
        dd.get_rule(text)
    assert str(caught.value) == BAD[text]
    assert before == REGISTRY


def test_a_checkpoint_names_a_files_rule_and_runs_nothing(file):
    x = np.array([1.0, -1.0])
    stepper = dd.Stepper(dd.get_rule("my.py:signum:lr=0.5"), x)
    stepper.step(np.ones(2))
    stepper.save("run.ckpt")
    file.write_text("raise SystemExit('this file was run')", encoding="utf-8")
    with pytest.raises(
        CheckpointError, match="must name a rule by its name alone here; .*pass rule="
    ):
        dd.Stepper.load("run.ckpt")
    with pytest.raises(CheckpointError, match="must be my.py:signum:lr=0.5; got signum:lr=0.5"):
        dd.Stepper.load("run.ckpt", rule=dd.signum(lr=0.5))
    file.write_text(FILE, encoding="utf-8")
    again = dd.Stepper.load("run.ckpt", rule=dd.get_rule("my.py:signum:lr=0.5"))
    for s in (stepper, again):
        s.step(np.array([-3.0, 2.0]))
    assert again.x.tolist() == x.tolist()


def test_a_files_rule_travels_to_a_process_that_has_no_file(file, tmp_path_factory):
    update = dd.get_rule("my.py:halve > my.py:signum:lr=0.5")
    sent = cloudpickle.dumps(update)
    program = """
        import sys, pickle
        import numpy as np, descend as dd
        update = pickle.loads(sys.stdin.buffer.read())
        x = np.array([1.0, -1.0])
        dd.Stepper(update, x).step(np.array([2.0, 3.0]))
        print(x.tolist(), update.text, dd.get_rule("signum") == dd.signum())
    """
    home = str(Path(dd.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        input=sent, capture_output=True, cwd=tmp_path_factory.mktemp("elsewhere"),
        env={"PYTHONPATH": home, "PATH": ""}, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == b""
    assert done.stdout.decode() == "[0.75, -1.25] my.py:halve > my.py:signum:lr=0.5 True\n"


# packages


class Distribution:
    name = "some-package"


class Point(importlib.metadata.EntryPoint):
    """An entry point that loads what it is given."""

    def load(self):
        return LOADERS[self.name]()

    @property
    def dist(self):
        return Distribution


LOADERS = {}


@pytest.fixture
def packages(monkeypatch, registry):
    """``packages(name=loader, …)``: as if packages with these entry points were installed."""
    monkeypatch.setattr(_plugins, "_begun", [])
    asked = []

    def install(**loaders):
        LOADERS.clear()
        LOADERS.update(loaders)

        def found(group):
            asked.append(group)
            return [Point(name, "module:rule", group) for name in loaders]

        monkeypatch.setattr(_plugins, "entry_points", found)
        return asked

    return install


def plugged():
    @dd.rule
    def plugged_rule(x, g, *, lr: NonNegative = 0.1):
        return x - lr * g

    return plugged_rule


def renamed(name):
    def load():
        function = lambda x, g: x - g
        function.__name__ = name
        return dd.rule(function)

    return load


def test_packages_rules_are_found_by_name_and_listed(packages):
    asked = packages(plugged=plugged)
    assert dd.get_rule("adam") == dd.adam()
    assert asked == []  # what is known needs no package
    assert dd.get_rule("plugged_rule:lr=0.5").name == "plugged_rule"
    assert "plugged_rule" in dd.list_rules()
    assert dd.get_rule("clip_norm > plugged_rule").core.name == "plugged_rule"
    assert asked == ["descend.rules"]


def test_an_entry_point_may_be_a_module(packages):
    packages(module=lambda: (renamed("of_a_module")(), sys)[1])
    assert "of_a_module" in dd.list_rules()


def raising():
    raise ImportError("No module named 'gone'")


BROKEN = {
    "raises": (raising, "the rules of the package some-package are left out; got ImportError: No module named 'gone'."),
    "exits": (lambda: sys.exit(1), "the rules of the package some-package are left out; got SystemExit: 1."),
    "is no rule": (lambda: 3, "the entry point point of the package some-package must be a rule or a module; got int."),
    "takes a name": (renamed("adam"), "the rule 'adam' of the package some-package is left out, since its name is taken."),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_package_is_one_warning_and_the_rest_works(case, packages):
    loader, sentence = BROKEN[case]
    packages(point=loader, sound=renamed("of_a_sound_package"))
    with pytest.warns(UserWarning) as caught:
        assert "of_a_sound_package" in dd.list_rules()
    assert [str(w.message) for w in caught] == [sentence]
    assert dd.get_rule("adam") == dd.adam()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UnknownNameError):
            dd.get_rule("no_such_rule")


def test_a_warning_that_is_an_error_is_raised_once(packages):
    packages(point=raising)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="some-package"):
            dd.list_rules()
        assert "adam" in dd.list_rules()


def test_a_package_that_asks_for_the_catalogue_while_it_loads_gets_it(packages):
    def load():
        assert "adam" in dd.list_rules()
        return plugged()

    packages(plugged=load)
    assert "plugged_rule" in dd.list_rules()


def test_a_real_package_is_found(tmp_path):
    (tmp_path / "some_rules.py").write_text(
        FILE.replace("def signum", "def packaged"), encoding="utf-8"
    )
    info = tmp_path / "some_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: some-rules\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(
        "[descend.rules]\npackaged = some_rules:packaged\n", encoding="utf-8"
    )
    home = str(Path(dd.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "descend", "show", "packaged"],
        capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
        env={"PYTHONPATH": f"{home}:{tmp_path}", "PATH": "", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)
    assert "xₜ = xₜ₋₁ − 0.5 η sign(mₜ)" in done.stdout
