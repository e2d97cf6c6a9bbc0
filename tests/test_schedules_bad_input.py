"""What schedules refuse: each call by hand, with the sentence that names the argument, what it must be and what it is."""

import decimal
import fractions
import math

import numpy as np
import pytest

import descend as dd
from descend.errors import HyperparameterError

VALUE = "a float in [0, inf)"
FACTOR = "a float in (0, inf)"
PART = "a float in (0, 1)"
COUNT = "an int of at least 1"
COUNT0 = "an int of at least 0"
BOUNDARIES = "increasing ints of at least 1"
FOLLOW = "a schedule or a float in [0, inf)"

# the call; the argument and its owner; what it must be; what it is
CONSTANT = [
    ("dd.constant(-1.0)", "value of constant", VALUE, "-1.0"),
    ("dd.constant(-5e-324)", "value of constant", VALUE, "-5e-324"),
    ("dd.constant(nan)", "value of constant", VALUE, "nan"),
    ("dd.constant(inf)", "value of constant", VALUE, "inf"),
    ("dd.constant(-inf)", "value of constant", VALUE, "-inf"),
    ("dd.constant(10**400)", "value of constant", VALUE, "1" + "0" * 76 + "..."),
    ("dd.constant(10**5000)", "value of constant", VALUE, "an int of 16610 bits"),
    ("dd.constant('1')", "value of constant", VALUE, "'1'"),
    ("dd.constant(b'1')", "value of constant", VALUE, "b'1'"),
    ("dd.constant(True)", "value of constant", VALUE, "True"),
    ("dd.constant(None)", "value of constant", VALUE, "None"),
    ("dd.constant(1j)", "value of constant", VALUE, "1j"),
    ("dd.constant([0.1])", "value of constant", VALUE, "[0.1]"),
    ("dd.constant({})", "value of constant", VALUE, "{}"),
    ("dd.constant(np.ones(2))", "value of constant", VALUE, "array([1., 1.])"),
    ("dd.constant(np.float32('nan'))", "value of constant", VALUE, "np.float32(nan)"),
    ("dd.constant(np.bool_(True))", "value of constant", VALUE, "np.True_"),
    ("dd.constant(decimal.Decimal('0.1'))", "value of constant", VALUE, "Decimal('0.1')"),
    ("dd.constant(fractions.Fraction(-1, 3))", "value of constant", VALUE, "Fraction(-1, 3)"),
    ("dd.constant(dd.constant(1.0))", "value of constant", VALUE, "dd.constant(value=1.0)"),
    ("dd.constant('x' * 100)", "value of constant", VALUE, "'" + "x" * 76 + "..."),
]
FALLING = [
    ("dd.step(-1.0, every=2)", "value of step", VALUE, "-1.0"),
    ("dd.step(1.0, every=0)", "every of step", COUNT, "0"),
    ("dd.step(1.0, every=-3)", "every of step", COUNT, "-3"),
    ("dd.step(1.0, every=2.0)", "every of step", COUNT, "2.0"),
    ("dd.step(1.0, every=True)", "every of step", COUNT, "True"),
    ("dd.step(1.0, every='2')", "every of step", COUNT, "'2'"),
    ("dd.step(1.0, every=None)", "every of step", COUNT, "None"),
    ("dd.step(1.0, every=nan)", "every of step", COUNT, "nan"),
    ("dd.step(1.0, every=np.float64(2))", "every of step", COUNT, "np.float64(2.0)"),
    ("dd.step(1.0, every=-(10**5000))", "every of step", COUNT, "an int of 16610 bits"),
    ("dd.step(1.0, every=2, factor=0.0)", "factor of step", FACTOR, "0.0"),
    ("dd.step(1.0, every=2, factor=-0.1)", "factor of step", FACTOR, "-0.1"),
    ("dd.step(1.0, every=2, factor=nan)", "factor of step", FACTOR, "nan"),
    ("dd.step(1.0, every=2, factor=inf)", "factor of step", FACTOR, "inf"),
    ("dd.step(1.0, every=2, factor='0.1')", "factor of step", FACTOR, "'0.1'"),
    ("dd.multistep(inf, boundaries=(3,))", "value of multistep", VALUE, "inf"),
    ("dd.multistep(1.0, boundaries=())", "boundaries of multistep", BOUNDARIES, "()"),
    ("dd.multistep(1.0, boundaries=3)", "boundaries of multistep", BOUNDARIES, "3"),
    ("dd.multistep(1.0, boundaries=None)", "boundaries of multistep", BOUNDARIES, "None"),
    ("dd.multistep(1.0, boundaries='35')", "boundaries of multistep", BOUNDARIES, "'35'"),
    ("dd.multistep(1.0, boundaries=b'35')", "boundaries of multistep", BOUNDARIES, "b'35'"),
    ("dd.multistep(1.0, boundaries=(0, 3))", "boundaries of multistep", BOUNDARIES, "(0, 3)"),
    ("dd.multistep(1.0, boundaries=(-1, 3))", "boundaries of multistep", BOUNDARIES, "(-1, 3)"),
    ("dd.multistep(1.0, boundaries=(5, 3))", "boundaries of multistep", BOUNDARIES, "(5, 3)"),
    ("dd.multistep(1.0, boundaries=(3, 3))", "boundaries of multistep", BOUNDARIES, "(3, 3)"),
    ("dd.multistep(1.0, boundaries=(3.0,))", "boundaries of multistep", BOUNDARIES, "(3.0,)"),
    ("dd.multistep(1.0, boundaries=[True])", "boundaries of multistep", BOUNDARIES, "[True]"),
    ("dd.multistep(1.0, boundaries=['3'])", "boundaries of multistep", BOUNDARIES, "['3']"),
    ("dd.multistep(1.0, boundaries=[None, 3])", "boundaries of multistep", BOUNDARIES, "[None, 3]"),
    (
        "dd.multistep(1.0, boundaries=np.array([1.5]))",
        "boundaries of multistep",
        BOUNDARIES,
        "array([1.5])",
    ),
    ("dd.multistep(1.0, boundaries=[(3,)])", "boundaries of multistep", BOUNDARIES, "[(3,)]"),
    ("dd.multistep(1.0, boundaries=(3,), factor=0)", "factor of multistep", FACTOR, "0"),
    ("dd.exponential(-1, rate=0.5)", "value of exponential", VALUE, "-1"),
    ("dd.exponential(inf, rate=0.5)", "value of exponential", VALUE, "inf"),
    ("dd.exponential(1.0, rate=0.0)", "rate of exponential", FACTOR, "0.0"),
    ("dd.exponential(1.0, rate=-0.5)", "rate of exponential", FACTOR, "-0.5"),
    ("dd.exponential(1.0, rate=None)", "rate of exponential", FACTOR, "None"),
    ("dd.linear(nan, steps=3)", "value of linear", VALUE, "nan"),
    ("dd.linear(1.0, steps=0)", "steps of linear", COUNT, "0"),
    ("dd.linear(1.0, steps=3.5)", "steps of linear", COUNT, "3.5"),
    ("dd.linear(1.0, steps=3, end=-0.1)", "end of linear", VALUE, "-0.1"),
    ("dd.linear(1.0, steps=3, end=inf)", "end of linear", VALUE, "inf"),
    ("dd.polynomial(-2.0, steps=3, power=1)", "value of polynomial", VALUE, "-2.0"),
    ("dd.polynomial(1.0, steps=False, power=1)", "steps of polynomial", COUNT, "False"),
    ("dd.polynomial(1.0, steps=3, power=0)", "power of polynomial", FACTOR, "0"),
    ("dd.polynomial(1.0, steps=3, power=-1.0)", "power of polynomial", FACTOR, "-1.0"),
    ("dd.polynomial(1.0, steps=3, power=nan)", "power of polynomial", FACTOR, "nan"),
    ("dd.polynomial(1.0, steps=3, power=1, end=nan)", "end of polynomial", VALUE, "nan"),
    ("dd.polynomial_cycles('a', steps=3, power=1)", "value of polynomial_cycles", VALUE, "'a'"),
    ("dd.polynomial_cycles(1.0, steps=0, power=1)", "steps of polynomial_cycles", COUNT, "0"),
    ("dd.polynomial_cycles(1.0, steps=3, power=0.0)", "power of polynomial_cycles", FACTOR, "0.0"),
    ("dd.polynomial_cycles(1.0, 3, 1, end=-1)", "end of polynomial_cycles", VALUE, "-1"),
    ("dd.inverse_time(-1.0, rate=0.1)", "value of inverse_time", VALUE, "-1.0"),
    ("dd.inverse_time(1.0, rate=-0.1)", "rate of inverse_time", VALUE, "-0.1"),
    ("dd.inverse_time(1.0, rate=inf)", "rate of inverse_time", VALUE, "inf"),
    ("dd.inverse_time(1.0, rate='fast')", "rate of inverse_time", VALUE, "'fast'"),
    ("dd.inverse_sqrt(-1.0, warmup=4)", "value of inverse_sqrt", VALUE, "-1.0"),
    ("dd.inverse_sqrt(1.0, warmup=0)", "warmup of inverse_sqrt", COUNT, "0"),
    ("dd.inverse_sqrt(1.0, warmup=4e3)", "warmup of inverse_sqrt", COUNT, "4000.0"),
    ("dd.rex(True, steps=3)", "value of rex", VALUE, "True"),
    ("dd.rex(1.0, steps=-1)", "steps of rex", COUNT, "-1"),
    ("dd.rex(1.0, steps=[3])", "steps of rex", COUNT, "[3]"),
]
COSINE = [
    ("dd.cosine(-1.0, steps=10)", "value of cosine", VALUE, "-1.0"),
    ("dd.cosine(1.0, steps=0)", "steps of cosine", COUNT, "0"),
    ("dd.cosine(1.0, steps=10.0)", "steps of cosine", COUNT, "10.0"),
    ("dd.cosine(1.0, steps='10')", "steps of cosine", COUNT, "'10'"),
    ("dd.cosine(1.0, steps=inf)", "steps of cosine", COUNT, "inf"),
    ("dd.cosine(1.0, steps=10, warmup=-1)", "warmup of cosine", COUNT0, "-1"),
    ("dd.cosine(1.0, steps=10, warmup=0.1)", "warmup of cosine", COUNT0, "0.1"),
    ("dd.cosine(1.0, steps=10, warmup=10)", "warmup of cosine", "below steps, 10", "10"),
    ("dd.cosine(1.0, steps=10, warmup=11)", "warmup of cosine", "below steps, 10", "11"),
    ("dd.cosine(1.0, steps=10, end=-1.0)", "end of cosine", VALUE, "-1.0"),
    ("dd.cosine(1.0, steps=10, end=None)", "end of cosine", VALUE, "None"),
    ("dd.cosine_restarts(nan, steps=3)", "value of cosine_restarts", VALUE, "nan"),
    ("dd.cosine_restarts(1.0, steps=0)", "steps of cosine_restarts", COUNT, "0"),
    ("dd.cosine_restarts(1.0, steps=3, growth=0)", "growth of cosine_restarts", COUNT, "0"),
    ("dd.cosine_restarts(1.0, steps=3, growth=1.5)", "growth of cosine_restarts", COUNT, "1.5"),
    ("dd.cosine_restarts(1.0, steps=3, growth=2.0)", "growth of cosine_restarts", COUNT, "2.0"),
    ("dd.cosine_restarts(1.0, steps=3, decay=0.0)", "decay of cosine_restarts", FACTOR, "0.0"),
    ("dd.cosine_restarts(1.0, steps=3, decay=inf)", "decay of cosine_restarts", FACTOR, "inf"),
    ("dd.cosine_restarts(1.0, steps=3, end=-1)", "end of cosine_restarts", VALUE, "-1"),
]
CYCLIC = [
    ("dd.triangular(-0.1, peak=1.0, up=3)", "value of triangular", VALUE, "-0.1"),
    ("dd.triangular(0.1, peak=-1.0, up=3)", "peak of triangular", VALUE, "-1.0"),
    ("dd.triangular(0.1, peak=nan, up=3)", "peak of triangular", VALUE, "nan"),
    ("dd.triangular(0.1, peak=1.0, up=0)", "up of triangular", COUNT, "0"),
    ("dd.triangular(0.1, peak=1.0, up=2000.0)", "up of triangular", COUNT, "2000.0"),
    ("dd.triangular(0.1, peak=1.0, up=None)", "up of triangular", COUNT, "None"),
    ("dd.triangular(0.1, peak=1.0, up=3, down=0)", "down of triangular", COUNT, "0"),
    ("dd.triangular(0.1, peak=1.0, up=3, down=2.5)", "down of triangular", COUNT, "2.5"),
    ("dd.triangular2(inf, peak=1.0, up=3)", "value of triangular2", VALUE, "inf"),
    ("dd.triangular2(0.1, peak='1', up=3)", "peak of triangular2", VALUE, "'1'"),
    ("dd.triangular2(0.1, peak=1.0, up=-3)", "up of triangular2", COUNT, "-3"),
    ("dd.triangular2(0.1, peak=1.0, up=3, down=-1)", "down of triangular2", COUNT, "-1"),
    ("dd.exp_range(0.1, peak=1.0, up=3, rate=0.0)", "rate of exp_range", FACTOR, "0.0"),
    ("dd.exp_range(0.1, peak=1.0, up=3, rate=-1.0)", "rate of exp_range", FACTOR, "-1.0"),
    ("dd.exp_range(0.1, peak=1.0, up=3, rate=nan)", "rate of exp_range", FACTOR, "nan"),
    ("dd.exp_range(0.1, peak=1.0, up=0, rate=0.9)", "up of exp_range", COUNT, "0"),
    ("dd.one_cycle(-1.0, steps=10)", "value of one_cycle", VALUE, "-1.0"),
    ("dd.one_cycle(1.0, steps=0)", "steps of one_cycle", COUNT, "0"),
    ("dd.one_cycle(1.0, steps=10.0)", "steps of one_cycle", COUNT, "10.0"),
    ("dd.one_cycle(1.0, steps=10, start=-0.1)", "start of one_cycle", VALUE, "-0.1"),
    ("dd.one_cycle(1.0, steps=10, start='low')", "start of one_cycle", VALUE, "'low'"),
    ("dd.one_cycle(1.0, steps=10, end=inf)", "end of one_cycle", VALUE, "inf"),
    ("dd.one_cycle(1.0, steps=10, rise=0.0)", "rise of one_cycle", PART, "0.0"),
    ("dd.one_cycle(1.0, steps=10, rise=1.0)", "rise of one_cycle", PART, "1.0"),
    ("dd.one_cycle(1.0, steps=10, rise=30)", "rise of one_cycle", PART, "30"),
    ("dd.one_cycle(1.0, steps=10, rise=nan)", "rise of one_cycle", PART, "nan"),
    ("dd.one_cycle(1.0, steps=10, rise=0.1)", "rise of one_cycle", "above 1 / steps, 0.1", "0.1"),
    ("dd.one_cycle(1.0, steps=2)", "rise of one_cycle", "above 1 / steps, 0.5", "0.3"),
    ("dd.one_cycle(1.0, steps=1)", "rise of one_cycle", "above 1 / steps, 1", "0.3"),
    ("dd.one_cycle_linear(1.0, steps=10, end=-1)", "end of one_cycle_linear", VALUE, "-1"),
    ("dd.one_cycle_linear(1.0, steps=10, rise=2.0)", "rise of one_cycle_linear", PART, "2.0"),
    (
        "dd.one_cycle_three_phase(1.0, steps=10, rise=0.55)",
        "rise of one_cycle_three_phase",
        "below (steps + 1) / (2 · steps), 0.55",
        "0.55",
    ),
    (
        "dd.one_cycle_three_phase(1.0, steps=10, rise=0.05)",
        "rise of one_cycle_three_phase",
        "above 1 / steps, 0.1",
        "0.05",
    ),
    (
        "dd.one_cycle_linear_three_phase(1.0, steps=10, rise=0.9)",
        "rise of one_cycle_linear_three_phase",
        "below (steps + 1) / (2 · steps), 0.55",
        "0.9",
    ),
    (
        "dd.one_cycle_linear_three_phase(1.0, steps=10, start=nan)",
        "start of one_cycle_linear_three_phase",
        VALUE,
        "nan",
    ),
]
COMPOSED = [
    ("dd.warmup(-1.0, steps=3)", "schedule of warmup", FOLLOW, "-1.0"),
    ("dd.warmup('cosine', steps=3)", "schedule of warmup", FOLLOW, "'cosine'"),
    ("dd.warmup(None, steps=3)", "schedule of warmup", FOLLOW, "None"),
    (
        "dd.warmup(dd.cosine, steps=3)",
        "schedule of warmup",
        FOLLOW,
        "<class 'descend.schedules._cosine.cosine'>",
    ),
    ("dd.warmup(1.0, steps=0)", "steps of warmup", COUNT, "0"),
    ("dd.warmup(1.0, steps=1.5)", "steps of warmup", COUNT, "1.5"),
    ("dd.warmup(dd.constant(1.0), steps='3')", "steps of warmup", COUNT, "'3'"),
    ("dd.join((), ())", "schedules of join", "two or more schedules or numbers", "()"),
    ("dd.join((1.0,), ())", "schedules of join", "two or more schedules or numbers", "(1.0,)"),
    ("dd.join(1.0, (3,))", "schedules of join", "two or more schedules or numbers", "1.0"),
    ("dd.join('ab', (3,))", "schedules of join", "two or more schedules or numbers", "'ab'"),
    ("dd.join(None, (3,))", "schedules of join", "two or more schedules or numbers", "None"),
    ("dd.join((1.0, -1.0), (3,))", "schedules[1] of join", FOLLOW, "-1.0"),
    ("dd.join((nan, 1.0), (3,))", "schedules[0] of join", FOLLOW, "nan"),
    ("dd.join((1.0, 'x'), (3,))", "schedules[1] of join", FOLLOW, "'x'"),
    ("dd.join((1.0, (2.0, 3.0)), (3,))", "schedules[1] of join", FOLLOW, "(2.0, 3.0)"),
    ("dd.join((1.0, 2.0), ())", "boundaries of join", BOUNDARIES, "()"),
    ("dd.join((1.0, 2.0), 3)", "boundaries of join", BOUNDARIES, "3"),
    ("dd.join((1.0, 2.0), (0,))", "boundaries of join", BOUNDARIES, "(0,)"),
    ("dd.join((1.0, 2.0, 3.0), (4, 4))", "boundaries of join", BOUNDARIES, "(4, 4)"),
    ("dd.join((1.0, 2.0), (3, 4))", "boundaries of join", "one fewer than schedules, 1", "(3, 4)"),
    ("dd.join((1.0,) * 4, (3,))", "boundaries of join", "one fewer than schedules, 3", "(3,)"),
    ("dd.wsd(-1.0, steps=9, warmup=2, decay=3)", "value of wsd", VALUE, "-1.0"),
    ("dd.wsd(1.0, steps=0, warmup=2, decay=3)", "steps of wsd", COUNT, "0"),
    ("dd.wsd(1.0, steps=9, warmup=-2, decay=3)", "warmup of wsd", COUNT0, "-2"),
    ("dd.wsd(1.0, steps=9, warmup=0.1, decay=3)", "warmup of wsd", COUNT0, "0.1"),
    ("dd.wsd(1.0, steps=9, warmup=2, decay=0)", "decay of wsd", COUNT, "0"),
    ("dd.wsd(1.0, steps=9, warmup=2, decay=0.2)", "decay of wsd", COUNT, "0.2"),
    ("dd.wsd(1.0, steps=9, warmup=2, decay=8)", "decay of wsd", "at most steps − warmup, 7", "8"),
    ("dd.wsd(1.0, steps=9, warmup=9, decay=1)", "decay of wsd", "at most steps − warmup, 0", "1"),
    ("dd.wsd(1.0, steps=9, warmup=2, decay=3, end=nan)", "end of wsd", VALUE, "nan"),
    ("dd.wsd_sqrt(1.0, 9, 5, 5)", "decay of wsd_sqrt", "at most steps − warmup, 4", "5"),
    ("dd.wsd_sqrt(1.0, 9, warmup=2, decay=3, end=-1)", "end of wsd_sqrt", VALUE, "-1"),
    ("dd.per_epoch(-1.0, updates=3)", "schedule of per_epoch", FOLLOW, "-1.0"),
    ("dd.per_epoch('step', updates=3)", "schedule of per_epoch", FOLLOW, "'step'"),
    ("dd.per_epoch(dd.rex(1.0, steps=3), updates=0)", "updates of per_epoch", COUNT, "0"),
    ("dd.per_epoch(dd.rex(1.0, steps=3), updates=39.5)", "updates of per_epoch", COUNT, "39.5"),
    (
        "dd.per_epoch(dd.per_epoch(1.0, updates=2), updates=2)",
        "schedule of per_epoch",
        "a schedule of updates",
        "dd.per_epoch(schedule=1.0, updates=2)",
    ),
    ("dd.per_micro_step(nan, micro_steps=3)", "schedule of per_micro_step", FOLLOW, "nan"),
    ("dd.per_micro_step(1.0, micro_steps=0)", "micro_steps of per_micro_step", COUNT, "0"),
    ("dd.per_micro_step(1.0, micro_steps=True)", "micro_steps of per_micro_step", COUNT, "True"),
    (
        "dd.per_micro_step(dd.per_epoch(1.0, updates=2), micro_steps=4)",
        "schedule of per_micro_step",
        "a schedule of updates",
        "dd.per_epoch(schedule=1.0, updates=2)",
    ),
]
CALLED = [
    ("dd.constant(1.0)(0)", "t of constant", COUNT, "0"),
    ("dd.constant(1.0)(-1)", "t of constant", COUNT, "-1"),
    ("dd.step(1.0, every=2)(1.0)", "t of step", COUNT, "1.0"),
    ("dd.cosine(1.0, steps=3)(True)", "t of cosine", COUNT, "True"),
    ("dd.cosine(1.0, steps=3)('1')", "t of cosine", COUNT, "'1'"),
    ("dd.linear(1.0, steps=3)(None)", "t of linear", COUNT, "None"),
    ("dd.rex(1.0, steps=3)(nan)", "t of rex", COUNT, "nan"),
    ("dd.join((1.0, 2.0), (3,))(0)", "t of join", COUNT, "0"),
    ("dd.per_epoch(1.0, updates=3)(np.float64(1))", "t of per_epoch", COUNT, "np.float64(1.0)"),
    ("dd.triangular(0.0, 1.0, up=3)(np.arange(3))", "t of triangular", COUNT, "array([0, 1, 2])"),
    ("dd.check_length(0.1, 10)", "schedule of check_length", "a schedule", "0.1"),
    ("dd.check_length(None, 10)", "schedule of check_length", "a schedule", "None"),
    ("dd.check_length(dd.constant(1.0), 0)", "steps of check_length", COUNT, "0"),
    ("dd.check_length(dd.constant(1.0), 10.0)", "steps of check_length", COUNT, "10.0"),
    ("dd.check_length(dd.constant(1.0), None)", "steps of check_length", COUNT, "None"),
]
PLATEAU = [
    ("dd.plateau(-1.0)", "value of plateau", VALUE, "-1.0"),
    ("dd.plateau(dd.constant(1.0))", "value of plateau", VALUE, "dd.constant(value=1.0)"),
    ("dd.plateau(0.1, mode='least')", "mode of plateau", "'min' or 'max'", "'least'"),
    ("dd.plateau(0.1, mode=None)", "mode of plateau", "'min' or 'max'", "None"),
    ("dd.plateau(0.1, mode=['min'])", "mode of plateau", "'min' or 'max'", "['min']"),
    ("dd.plateau(0.1, factor=1.0)", "factor of plateau", PART, "1.0"),
    ("dd.plateau(0.1, factor=0.0)", "factor of plateau", PART, "0.0"),
    ("dd.plateau(0.1, factor=10)", "factor of plateau", PART, "10"),
    ("dd.plateau(0.1, patience=-1)", "patience of plateau", COUNT0, "-1"),
    ("dd.plateau(0.1, patience=2.5)", "patience of plateau", COUNT0, "2.5"),
    ("dd.plateau(0.1, threshold=-1e-4)", "threshold of plateau", VALUE, "-0.0001"),
    ("dd.plateau(0.1, threshold=nan)", "threshold of plateau", VALUE, "nan"),
    ("dd.plateau(0.1, threshold_mode=1)", "threshold_mode of plateau", "'rel' or 'abs'", "1"),
    ("dd.plateau(0.1, cooldown=-1)", "cooldown of plateau", COUNT0, "-1"),
    ("dd.plateau(0.1, cooldown=None)", "cooldown of plateau", COUNT0, "None"),
    ("dd.plateau(0.1, least=-1.0)", "least of plateau", VALUE, "-1.0"),
    ("dd.plateau(0.1, least=0.2)", "least of plateau", "at most value, 0.1", "0.2"),
    ("dd.plateau(0.1, eps=inf)", "eps of plateau", VALUE, "inf"),
    ("dd.plateau(0.1).observe('3.0')", "measurement of plateau", "a number", "'3.0'"),
    ("dd.plateau(0.1).observe(None)", "measurement of plateau", "a number", "None"),
    ("dd.plateau(0.1).observe(True)", "measurement of plateau", "a number", "True"),
    ("dd.plateau(0.1).observe([1.0])", "measurement of plateau", "a number", "[1.0]"),
    ("dd.plateau(0.1).observe(1j)", "measurement of plateau", "a number", "1j"),
]
BAD = [*CONSTANT, *FALLING, *COSINE, *CYCLIC, *COMPOSED, *CALLED, *PLATEAU]
NAMES = {
    "dd": dd, "np": np, "nan": math.nan, "inf": math.inf, "decimal": decimal, "fractions": fractions,
}  # fmt: skip


def test_the_list_is_long_and_names_every_schedule():
    from descend.schedules import SCHEDULES

    assert len({call for call, *_ in BAD}) == len(BAD) >= 120
    named = {what.split(" of ")[1] for _, what, *_ in BAD}
    assert named == {*SCHEDULES, "plateau", "check_length"}


@pytest.mark.parametrize(("call", "what", "expected", "got"), BAD, ids=[call for call, *_ in BAD])
def test_a_bad_argument_is_refused_in_one_sentence(call, what, expected, got):
    with pytest.raises(HyperparameterError) as caught:
        eval(call, NAMES)
    assert str(caught.value) == f"{what} must be {expected}; got {got}."
    assert caught.value.__cause__ is None
