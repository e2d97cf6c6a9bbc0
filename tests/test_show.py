"""The commands that read rules: ``descend rules`` and ``descend show``."""

import json

import numpy as np
import pytest

import descend as dd
from descend import cli
from descend._catalogue import find_rule, list_rules
from descend._rule import REGISTRY, TRANSFORMS
from descend.cli import show
from descend.cli.facts import facts, page, sections
from descend.domains import NonNegative, Scalar
from descend.errors import ProblemError, StoreError
from descend.plot.path import draw_path

RULES = list_rules()


@pytest.fixture
def descend(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = cli._status(list(arguments))
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def width(monkeypatch):
    """``width(80)``: a console of so many columns."""
    from rich.console import Console

    def be(columns):
        monkeypatch.setattr(show, "output_console", lambda: Console(width=columns, highlight=False))

    return be


@pytest.fixture
def registry():
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


def read(text):
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


# rules


def test_json_tells_everything_of_every_rule(descend):
    told = read(descend("rules", "--json")[1])
    assert sorted(told) == RULES
    assert told["adam"] == {
        "family": "adam",
        "arrays": ["m", "v"],
        "scalars": [],
        "bytes_per_element": 8,
        "defaults": {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        "paper": 'Kingma, Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 1.',
        "twins": [
            "torch.optim.Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-8)",
            "optax.adam(0.001)",
        ],
    }
    assert told["sgd"]["bytes_per_element"] == 0
    assert told["nadam"]["scalars"] == ["mu_product"]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_has_a_family_and_a_paper(name):
    row = facts(find_rule(name))
    assert row.family in find_rule(name).__module__
    assert show._authors(row.paper)[-4:].isdigit()


@pytest.mark.parametrize("columns", [140, 160, 240])
def test_the_table_holds_all_columns_of_all_rules(columns, descend, width):
    width(columns)
    status, out, _ = descend("rules")
    assert status == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[0].split()[:5] == ["rule", "family", "state", "B", "hyperparameters"]
    firsts = [line.split()[0] for line in lines if line[:1].isalpha()]
    assert [name for name in firsts if name in RULES] == RULES
    assert "Kingma, Ba" in out
    assert "torch.Adam" in out


@pytest.mark.parametrize("columns", [40, 80, 139])
def test_a_narrow_terminal_gets_short_lines_and_a_hint(columns, descend, width):
    width(columns)
    lines = descend("rules")[1].splitlines()
    settings = [line for line in lines if line.startswith("    ")]
    assert max(map(len, settings)) <= columns
    assert [line.split()[0] for line in lines if "  [" in line] == RULES
    assert "descend show NAME" in " ".join(lines)
    at = lines.index("adam  [m, v; 8 B]")
    assert lines[at + 1].startswith("    lr=0.001, beta1=0.9")


# show


def test_show_tells_formulas_defaults_domains_and_state(descend):
    status, out, err = descend("show", "adam")
    assert (status, err) == (0, "")
    assert "    vₜ = β₂ vₜ₋₁ + (1 − β₂) gₜ²\n" in out
    assert "Kingma, Ba" in out
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert "hyperparameter letter default domain" in rows
    assert "beta1 β₁ 0.9 [0, 1)" in rows
    assert "eps ε 1e-08 (0, inf)" in rows
    assert "m array 0" in rows
    assert "State: 8 bytes per element in float32." in rows
    assert "LaTeX" not in out
    assert "def kernel" not in out


def test_show_writes_latex_and_the_kernel_when_asked(descend):
    _, out, _ = descend("show", "nadam", "--latex", "--kernel")
    assert r"m_{t} = \beta_{1} \, m_{t-1}" in out
    assert "# once a step, on the host in float64, for the update\nk0 = lr_\n" in out
    assert "def kernel(frame):\n" in out
    assert "for the states that are numbers\nmu_product = (mu_product_ * " in out


def test_the_kernel_shown_is_the_kernel_run(monkeypatch):
    from descend import _slab

    used = []
    load = _slab.kernels.load
    monkeypatch.setattr(_slab.kernels, "load", lambda *a: (used.append(a[0]), load(*a))[1])
    update = dd.get_rule("clip_norm > adam")
    dd.Stepper(update, np.ones(3))
    assert [k["source"] for k in page(update)["kernels"]] == used


def test_show_takes_settings_chains_and_transforms(descend):
    _, out, _ = descend("show", "clip_norm:max_norm=2 > adam:lr=cosine(1, steps=9)")
    assert out.startswith("clip_norm:max_norm=2.0 > adam:lr=dd.cosine(")
    assert "clip_norm (transform)" in out
    assert "adam (rule)" in out
    assert "hyperparameter letter value default domain" in [" ".join(r.split()) for r in out.splitlines()]  # fmt: skip
    assert "‖·‖ is the Euclidean norm over all arrays together." in out
    assert descend("show", "clip_norm")[1].startswith("clip_norm > sgd\n")
    assert descend("show", "ema:beta=0.5")[1].startswith("sgd > ema:beta=0.5\n")
    assert "The answer is average, not x." in descend("show", "swa")[1]


@pytest.mark.parametrize("name", [*RULES, *TRANSFORMS])
def test_every_rule_and_transform_has_a_page(name, descend):
    status, out, err = descend("show", name, "--latex", "--kernel")
    assert (status, err) == (0, "")
    status, told, _ = descend("show", name, "--json")
    assert status == 0
    told = read(told)
    assert told["rule"] in out
    assert all(line in out for line in told["formulas"])


def test_json_of_a_page_holds_what_the_page_does(descend):
    told = read(descend("show", "adgd", "--json")[1])
    assert told["states"][-1] == {"name": "ratio", "kind": "number", "start": "inf"}
    assert told["states"][0] == {"name": "x_before", "kind": "array", "start": "x"}
    assert told["states"][2]["start"] == "lr"
    assert told["hyperparameters"] == [
        {"name": "lr", "letter": "η", "value": 1e-6, "default": 1e-6, "domain": "a float in [0, inf)"}
    ]  # fmt: skip
    assert told["bytes_per_element"] == 8
    assert told["path"] is None
    scheduled = read(descend("show", "sgd:lr=constant(1)", "--json")[1])
    assert scheduled["hyperparameters"][0]["value"] == "dd.constant(value=1.0)"


UNKNOWN = {
    "adma": "descend: no rule is called 'adma'. Did you mean 'adam'?\n",
    "zzzz": "descend: no rule is called 'zzzz'. Hint: descend rules lists them.\n",
    "clip_nrm > sgd": "descend: no rule or transform is called 'clip_nrm'. Did you mean 'clip_norm'?\n",
    "adam:lr=-1": "descend: lr of adam must be a float in [0, inf); got -1.\n",
    "adam:beta=1": None,
    "no.py:f": "descend: the file of a rule must be readable; got 'no.py' (No such file or directory).\n",
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_unknown_is_answered_with_the_nearest(text, descend):
    status, out, err = descend("show", text)
    assert (status, out, err.count("\n")) == (2, "", 1)
    if UNKNOWN[text]:
        assert err == UNKNOWN[text]


def test_a_users_rule_is_shown(descend, tmp_path):
    (tmp_path / "my.py").write_text(
        "import descend as dd\nfrom descend.domains import Real\n\n"
        "@dd.rule\ndef mine(x, g, *, pull: Real = -1.5):\n    return x + pull * g\n",
        encoding="utf-8",
    )
    status, out, err = descend("show", "my.py:mine")
    assert (status, err) == (0, "")
    assert out.startswith("my.py:mine\n\n    xₜ = xₜ₋₁ + pull gₜ\n")
    assert "pull pull -1.5 (-inf, inf)" in [" ".join(line.split()) for line in out.splitlines()]


def test_a_rule_without_a_docstring_is_shown(registry):
    @dd.rule
    def bare(x, g, c: Scalar = 2.0, *, lr: NonNegative = 1.0):
        return x - lr * c * g, c + 1

    told = page(bare())
    assert told["links"] == [{"name": "bare", "kind": "rule", "doc": ""}]
    assert told["formulas"] == ["xₜ = xₜ₋₁ − η cₜ₋₁ gₜ", "cₜ = cₜ₋₁ + 1"]
    assert told["paper"] == ""
    assert told["twins"] == []
    assert sections(None) == {}


# pictures


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG")


def test_show_draws_the_path_when_asked(descend, tmp_path):
    status, out, _ = descend("show", "adam", "--plot", "adam.png")
    assert status == 0
    assert "lr has the lowest curve of 31 from 0.0001 to 10" in out
    assert out.endswith("Picture: adam.png\n")
    assert is_png(tmp_path / "adam.png")
    assert list(tmp_path.iterdir()) == [tmp_path / "adam.png"]
    told = read(descend("show", "adam:lr=0.5", "--plot", "b.png", "--json")[1])["path"]
    assert told["rule"] == "adam:lr=0.5"
    assert not told["searched"]
    # f = 0.1 x² + 2 y² at (−4.5, 2)
    assert told["start"] == pytest.approx(10.025)


def test_a_page_alone_writes_no_file(descend, tmp_path):
    descend("show", "adam")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["adam", "adam.gif", "no_such_folder/adam.png", ".", "adam.PNG/x.png"]
)
def test_a_bad_path_is_refused_before_the_work(path, descend):
    status, _, err = descend("show", "adam", "--plot", path)
    assert status == 2
    assert (
        err
        == f"descend: the picture must be a .png, .svg or .pdf file in a folder; got {path!r}.\n"
    )


@pytest.mark.parametrize("update", ["adam", "schedule_free_sgd", "polyak_sgd", "cocob", "clip_norm > lion", "sgd > swa"])  # fmt: skip
def test_a_found_rate_leads_downhill(update, tmp_path):
    drawn = draw_path(dd.get_rule(update), tmp_path / "path.png")
    assert drawn.end < drawn.start / 4
    assert drawn.searched == ("lr" in dd.get_rule(update).core.settings)
    assert is_png(tmp_path / "path.png")


def test_the_rate_found_for_gradient_descent_is_the_best_of_the_ravine(tmp_path):
    # slopes 0.2 x and 4 y: the best rate is 2 / 4.2 = 0.476; of the rates tried 0.464 is nearest
    assert draw_path(dd.sgd(), tmp_path / "sgd.png").rule == "sgd:lr=0.464"


def test_a_path_that_flies_away_is_drawn(tmp_path):
    drawn = draw_path(dd.sgd(lr=9.0), tmp_path / "far.svg", steps=400)
    assert not drawn.end < drawn.start
    assert (tmp_path / "far.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_path_has_two_variables_and_a_place(tmp_path):
    with pytest.raises(ProblemError, match="of 2 variables; rosenbrock:n=3 has 3"):
        draw_path(dd.sgd(), tmp_path / "a.png", function="rosenbrock:n=3")
    with pytest.raises(StoreError, match="must be a file that can be written"):
        draw_path(dd.sgd(lr=0.1), tmp_path / "no_such_folder" / "a.png")
