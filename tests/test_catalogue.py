"""Rules from text, and rules as values: equal, frozen, pasted, pickled."""

import copy
import importlib
import math
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import descend as dd
from descend._rule import REGISTRY
from descend.domains import Decay, Interval, NonNegative, Positive
from descend.errors import (
    DescendError,
    HyperparameterError,
    RuleError,
    UnknownNameError,
    nearest,
    unknown_name,
)

OURS = [name for name in dd.list_rules() if REGISTRY[name].__module__.startswith("descend.")]

# ---- text


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("adam", dd.adam()),
        (" adam ", dd.adam()),
        ("adam:", dd.adam()),
        ("adam: ", dd.adam()),
        ("adam:lr=1e-3", dd.adam(lr=0.001)),
        ("adam:lr=1e-3,beta1=0.8", dd.adam(lr=0.001, beta1=0.8)),
        ("adam: lr = 1e-3 , beta1 = .8 ,", dd.adam(lr=0.001, beta1=0.8)),
        ("adam:lr=1", dd.adam(lr=1.0)),
        ("adam:lr=0", dd.adam(lr=0.0)),
        ("adam:lr=+0.5", dd.adam(lr=0.5)),
        ("adam:lr=1_000", dd.adam(lr=1000.0)),
        ("adam:lr=0x10", dd.adam(lr=16.0)),
        ("sgd:lr=constant(0.5)", dd.sgd(lr=dd.constant(0.5))),
        ("sgd:lr=cosine(1e-3, steps=100)", dd.sgd(lr=dd.cosine(1e-3, steps=100))),
        ("sgd:lr=dd.cosine(1e-3, steps=100)", dd.sgd(lr=dd.cosine(1e-3, steps=100))),
        (
            "momentum:lr=warmup(step(1, every=3), 5), momentum=exponential(0.5, rate=0.9)",
            dd.momentum(lr=dd.warmup(dd.step(1, every=3), 5), momentum=dd.exponential(0.5, 0.9)),
        ),
    ],
)
def test_text_is_read(text, rule):
    assert dd.get_rule(text) == rule


BAD_TEXT = {
    "adma": (
        UnknownNameError,
        "no rule is called 'adma'. Did you mean 'adam'? Known: adabelief, adabound, ",
    ),
    "": (UnknownNameError, "no rule is called ''."),
    ":lr=1": (UnknownNameError, "no rule is called ''."),
    "Adam": (UnknownNameError, "no rule is called 'Adam'. Did you mean 'adam'?"),
    "adam(lr=1)": (UnknownNameError, "no rule is called"),
    "clip_norm": (UnknownNameError, "no rule is called 'clip_norm'."),
    "adam:lr": (HyperparameterError, "settings of adam must read name=value,…; got 'lr'."),
    "adam:1e-3": (HyperparameterError, "settings of adam must read"),
    "adam:lr=": (HyperparameterError, "settings of adam must read"),
    "adam:lr=1 beta1=2": (HyperparameterError, "settings of adam must read"),
    "adam:lr=1,lr=2": (HyperparameterError, "settings of adam must read"),
    "adam:lr=1)(lr=2": (HyperparameterError, "settings of adam must read"),
    "adam:lr=1)+_(lr=2": (HyperparameterError, "settings of adam must read"),
    "adam:lr=1)#": (HyperparameterError, "settings of adam must read"),
    "adam:**{'lr': 1}": (HyperparameterError, "settings of adam must read"),
    "adam:*[1]": (HyperparameterError, "settings of adam must read"),
    "adam:lr=1\0": (HyperparameterError, "settings of adam must read"),
    "adam:\ud800=1": (HyperparameterError, "settings of adam must read"),
    "adam:learning_rate=1": (HyperparameterError, "adam has no hyperparameter 'learning_rate'."),
    "adam:beta=0.9": (HyperparameterError, "Did you mean 'beta"),
    "adam:lr=-1": (HyperparameterError, "lr of adam must be a float in [0, inf); got -1."),
    "adam:lr=1e999": (HyperparameterError, "lr of adam must be a float in [0, inf); got inf."),
    "adam:lr=" + "9" * 400: (
        HyperparameterError,
        "lr of adam must be a float in [0, inf); got 9999",
    ),
    "adam:lr=" + "9" * 5000: (HyperparameterError, "settings of adam must read"),
    "adam:lr=nan": (HyperparameterError, "lr of adam must be a number or a schedule; got 'nan'."),
    "adam:lr='1'": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=None": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=True": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=1j": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=(1,2)": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr={[]: 1}": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=1+1": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=2**9": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=lambda t: 1": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=1if 1else 2": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=(x:=1)": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=beta1": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=cosine": (HyperparameterError, "must be a number or a schedule; got 'cosine'."),
    "adam:lr=cosin(1, steps=2)": (
        UnknownNameError,
        "no schedule is called 'cosin'. Did you mean 'cosine'?",
    ),
    "adam:lr=print(1)": (UnknownNameError, "no schedule is called 'print'."),
    "adam:lr=dd.adam(1)": (UnknownNameError, "no schedule is called 'adam'."),
    "adam:lr=os.system('true')": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=dd.schedules.cosine(1, steps=2)": (
        HyperparameterError,
        "must be a number or a schedule",
    ),
    "adam:lr=cosine(1)": (HyperparameterError, "lr of adam is not a valid schedule: "),
    "adam:lr=cosine(1, 2, 1, 0, 5)": (HyperparameterError, "lr of adam is not a valid schedule: "),
    "adam:lr=cosine(1, step=2)": (HyperparameterError, "lr of adam is not a valid schedule: "),
    "adam:lr=cosine(1, steps=2, steps=3)": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=cosine(1, **{})": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=cosine(*[1], steps=2)": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=cosine(1, steps=2.5)": (HyperparameterError, "steps of cosine must be an int"),
    "adam:lr=cosine(1, steps=2)(3)": (HyperparameterError, "must be a number or a schedule"),
    "adam:lr=" + "-" * 900 + "1": (HyperparameterError, ""),
    "adam:lr=" + "(" * 900 + "1" + ")" * 900: (HyperparameterError, ""),
    "adam:lr=" + "constant(" * 300 + "1" + ")" * 300: (HyperparameterError, ""),
}


@pytest.mark.parametrize("text", BAD_TEXT, ids=lambda t: repr(t[:30]))
def test_bad_text_is_one_clear_error(text):
    error, message = BAD_TEXT[text]
    with pytest.raises(error) as caught:
        dd.get_rule(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, 1, b"adam", ["adam"], dd.adam, dd.adam(), {}])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(HyperparameterError, match="must be a str such as"):
        dd.get_rule(value)
    with pytest.raises(HyperparameterError, match="must be a str such as"):
        dd.find_rule(value)


PIECES = st.sampled_from(
    [*OURS, *"()[]{}:=,.*-+#'\"\\\n \0_", "lr", "beta1", "1e-3", "0.5", "nan", "cosine", "step", "steps=", "lambda", "if",
     "dd.", "**", "\ud800", "é", "1_0", "0x", "1e400", "for x in y", "f'{1}'", "await ", "..."]
)  # fmt: skip


@given(st.text(max_size=30) | st.lists(PIECES, max_size=12).map("".join))
@example("adam:lr=f'{1}'")
@settings(max_examples=400, deadline=None)
def test_no_text_gives_anything_but_a_rule_or_our_error(text):
    for prefix in ("", "adam:", "adam:lr=", "adam:lr=cosine("):
        try:
            rule = dd.get_rule(prefix + text)
        except DescendError as error:
            assert str(error)
        else:
            assert isinstance(rule, dd.Bound)
            assert all(callable(v) or math.isfinite(v) for v in rule.settings.values())


# ---- domains

NUMBERS = [
    0.5,
    np.float64(0.5),
    np.float32(0.5),
    np.float16(0.5),
    np.longdouble(0.5),
    Fraction(1, 2),
]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda v: type(v).__name__)
def test_any_real_number_is_kept_as_a_float(value):
    kept = dd.adam(lr=value).settings["lr"]
    assert type(kept) is float
    assert kept == 0.5
    assert repr(dd.adam(lr=value)) == "dd.adam(lr=0.5)"


@pytest.mark.parametrize("value", [1, np.int64(1), np.uint8(1)], ids=lambda v: type(v).__name__)
def test_whole_numbers_are_kept_as_floats(value):
    assert repr(dd.adam(lr=value)) == "dd.adam(lr=1.0)"


BAD_VALUES = [
    True, False, np.True_, None, "0.1", b"0.1", "", math.nan, math.inf, -math.inf, -1.0, -1e-300, np.float64("nan"),
    np.float32("inf"), 1j, [0.1], (0.1,), {}, np.array(0.1), np.array([0.1]), Decimal("0.1"), 10**400, -(10**400), 10**5000,
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_VALUES, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("name", OURS)
def test_every_hyperparameter_refuses_bad_values(name, value):
    rule = dd.find_rule(name)
    for key, hyperparameter in rule.hyperparameters.items():
        negative = isinstance(value, float) and -math.inf < value < 0
        if negative and hyperparameter.domain.low == -math.inf:
            continue  # a value of the function may be below 0
        with pytest.raises(HyperparameterError) as caught:
            rule(**{key: value})
        assert str(caught.value).startswith(
            f"{key} of {name} must be {hyperparameter.domain}; got "
        )
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", OURS)
def test_every_hyperparameter_keeps_its_bounds(name):
    rule = dd.find_rule(name)
    for key, hyperparameter in rule.hyperparameters.items():
        domain = hyperparameter.domain
        assert hyperparameter.default in domain
        if domain.closed_low:
            assert rule(**{key: domain.low}).settings[key] == domain.low
        else:
            with pytest.raises(HyperparameterError):
                rule(**{key: domain.low})
        assert rule(**{key: math.nextafter(domain.low, 1)})
        if domain.high < math.inf:
            assert rule(**{key: math.nextafter(domain.high, 0)})
            beyond = math.nextafter(domain.high, math.inf) if domain.closed_high else domain.high
            with pytest.raises(HyperparameterError):
                rule(**{key: beyond})
        if domain.closed_high:
            assert rule(**{key: domain.high}).settings[key] == domain.high


@pytest.mark.parametrize("rule", [dd.clip_norm, dd.clip_value, dd.decay, dd.l2])
def test_transforms_are_checked_too(rule):
    with pytest.raises(HyperparameterError, match=f"of {rule.name} must be a float in"):
        rule(-1.0)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (Positive, "a float in (0, inf)"),
        (NonNegative, "a float in [0, inf)"),
        (Decay, "a float in [0, 1)"),
    ],
)
def test_domains_print_as_intervals(annotation, text):
    (domain,) = annotation.__metadata__
    assert str(domain) == text
    assert isinstance(domain, Interval)
    assert math.nan not in domain
    assert domain.high not in domain


def test_settings_are_named_or_the_first():
    assert dd.adam(0.1) == dd.adam(lr=0.1)
    assert dd.clip_norm(2.0) == dd.clip_norm(max_norm=2.0)
    with pytest.raises(HyperparameterError, match="takes no positional setting"):
        dd.adam(0.1, lr=0.2)
    with pytest.raises(
        HyperparameterError, match=r"adam has no hyperparameter 'momentum'\..* It has: lr, beta1"
    ):
        dd.adam(momentum=0.9)


# ---- values

BOUNDS = [
    *(dd.find_rule(name)() for name in OURS),
    dd.adam(lr=0.1, beta2=0.5),
    dd.adam(lr=dd.warmup(dd.cosine(0.1, steps=9, end=0.01), steps=3)),
    dd.momentum(lr=dd.step(1.0, every=3), momentum=dd.constant(0.5)),
    dd.clip_norm(0.5),
    dd.chain(dd.sgd()),
    dd.chain(
        dd.clip_norm(1.0), dd.decay(0.01), dd.adam(lr=dd.cosine(1e-3, steps=1000, warmup=100))
    ),
]


@pytest.mark.parametrize("update", BOUNDS, ids=repr)
def test_repr_can_be_pasted(update):
    assert eval(repr(update), {"dd": dd}) == update


@pytest.mark.parametrize(
    "update", [b for b in BOUNDS if isinstance(b, dd.Bound) and b.name in OURS], ids=repr
)
def test_repr_can_be_read_as_text(update):
    text = ",".join(f"{k}={v!r}" for k, v in update.given)
    assert dd.get_rule(f"{update.name}:{text}") == update


@pytest.mark.parametrize("update", BOUNDS, ids=repr)
def test_copies_are_equal(update):
    hash(update)
    copies = [copy.copy(update), copy.deepcopy(update)]
    copies += [pickle.loads(pickle.dumps(update, protocol)) for protocol in range(2, 6)]
    for same in copies:
        assert same == update
        assert hash(same) == hash(update)
        assert repr(same) == repr(update)
        assert same.links[-1].rule is update.links[-1].rule


def test_rules_travel_to_other_processes():
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    update = dd.chain(dd.clip_norm(1.0), dd.adam(lr=dd.constant(0.5)))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(repr, update).result(timeout=60) == repr(update)


def test_a_notebooks_rule_travels_as_its_function():
    cloudpickle = pytest.importorskip("cloudpickle")
    scope = {"__name__": "__main__", "dd": dd, "Positive": Positive}
    exec("def cell(x, g, m, *, lr: Positive = 0.5):\n    return x - lr * m, m + g", scope)
    before = dict(REGISTRY)
    try:
        made = dd.rule(init={"m": 2.0})(scope["cell"])
        arrived = pickle.loads(cloudpickle.dumps(made(lr=0.25)))
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)
    x = np.zeros(2)
    dd.Stepper(arrived, x).step(np.ones(2))
    assert x.tolist() == [-0.5, -0.5]


def test_the_order_of_settings_does_not_matter():
    one, other = dd.adam(lr=0.1, beta1=0.5), dd.adam(beta1=0.5, lr=0.1)
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other) == "dd.adam(lr=0.1, beta1=0.5)"


def test_updates_differ_by_rule_settings_and_links():
    different = [
        dd.adam(),
        dd.adamw(),
        dd.adam(lr=0.1),
        dd.adam(lr=dd.constant(0.1)),
        dd.chain(dd.adam()),
    ]
    different += [dd.chain(dd.l2(0.1), dd.adam()), dd.chain(dd.decay(0.1), dd.adam())]
    assert len(set(different)) == len(different)


@pytest.mark.parametrize("update", [dd.adam(lr=0.5), dd.chain(dd.l2(0.1), dd.adam(lr=0.5))])
def test_updates_are_frozen(update):
    with pytest.raises(AttributeError):
        update.links = ()
    with pytest.raises(AttributeError):
        update.rule = dd.sgd
    update.links[-1].settings["lr"] = -1.0
    assert update.links[-1].settings["lr"] == 0.5


def test_replace_changes_some_settings():
    base = dd.adam(lr=0.5, beta1=0.8)
    assert base.replace(lr=0.25) == dd.adam(lr=0.25, beta1=0.8)
    assert base == dd.adam(lr=0.5, beta1=0.8)
    with pytest.raises(HyperparameterError):
        base.replace(lr=-1)
    with pytest.raises(HyperparameterError):
        base.replace(rate=1)


# ---- the catalogue's text


@pytest.mark.parametrize("name", OURS)
def test_every_rule_cites_its_paper_and_has_its_page(name):
    rule = dd.find_rule(name)
    assert "References:" in rule.__doc__
    assert all(s.name in rule.__doc__ for s in rule.states)
    module = importlib.import_module(rule.__module__)
    assert getattr(module, name) is rule


def test_list_rules_is_sorted():
    assert dd.list_rules() == sorted(dd.list_rules())


def test_the_nearest_name_is_offered_only_when_it_is_near():
    assert nearest("nestrov", OURS) == " Did you mean 'nesterov'?"
    assert nearest("zzz", OURS) == ""
    assert str(unknown_name("thing", "q", [])) == "no thing is called 'q'. Known: ."


@pytest.mark.parametrize("error", [HyperparameterError("a"), RuleError("a"), UnknownNameError("a")])
def test_errors_are_ours_and_pythons(error):
    assert isinstance(error, DescendError)
    assert isinstance(error, ValueError | TypeError | KeyError)
    assert str(error) == "a"
    assert str(pickle.loads(pickle.dumps(error))) == "a"
