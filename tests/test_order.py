"""The order of a chain: accumulate, unscale, clip, sam, decay, update, average, with a schedule over the updates."""

from itertools import combinations

import numpy as np
import pytest

import descend as dd
from descend._rule import PLACES
from descend.errors import RuleError

PARTS = ("accumulate", "unscale", "clip", "sam", "decay", "ema", "schedule")
ROWS = np.random.default_rng(0).standard_normal((24, 3))
SCHEDULE = dd.linear(0.2, end=0.05, steps=6)
LINKS = {
    "accumulate": dd.accumulate(2),
    "unscale": dd.unscale(first=4.0, every=3),
    "clip": dd.clip_norm(0.7),
    "sam": dd.sam(rho=0.3),
    "decay": dd.decay(weight_decay=0.1),
    "ema": dd.ema(beta=0.5),
}


def gradient(k, x, on):
    """Of another bowl at every call; one call overflows where that is provided for."""
    return (
        np.full(3, np.inf)
        if k == 7 and "unscale" in on
        else 2 * x * np.array([1.0, 3.0, 0.5]) + ROWS[k]
    )


def by_hand(on):
    """The chain as a loop, written from what its parts promise."""
    x, velocity, average = np.array([1.0, -2.0, 0.5]), np.zeros(3), np.array([1.0, -2.0, 0.5])
    t, micro, summed, home = 0, 0, np.zeros(3), None
    scale, good = 4.0, 0
    for k in range(len(ROWS)):
        g = gradient(k, x, on) * (scale if "unscale" in on else 1.0)
        if "accumulate" in on:
            micro, summed = micro + 1, summed + g
            if micro < 2:
                continue
            g, micro, summed = summed / 2, 0, np.zeros(3)
        if "unscale" in on:
            if not np.isfinite(g).all():
                scale, good = scale / 2, 0
                continue
            g, good = g / scale, good + 1
            if good == 3:
                scale, good = scale * 2, 0
        if "clip" in on:
            g = g * min(1.0, 0.7 / np.sqrt(g @ g))
        if "sam" in on:
            if home is None:
                home, x = x, x + 0.3 * g / np.sqrt(g @ g)
                continue
            x, home = home, None
        t += 1
        lr = SCHEDULE(t) if "schedule" in on else 0.1
        if "decay" in on:
            x = x - lr * 0.1 * x
        velocity = 0.9 * velocity + g
        x = x - lr * velocity
        average = 0.5 * average + 0.5 * x
    return x, t, average if "ema" in on else x if home is None else home


def chained(on):
    links = [LINKS[name] for name in PARTS[:5] if name in on]
    rule = dd.momentum(lr=SCHEDULE if "schedule" in on else 0.1, momentum=0.9)
    after = [LINKS["ema"]] if "ema" in on else []
    stepper = dd.Stepper(dd.chain(*links, rule, *after), np.array([1.0, -2.0, 0.5]))
    for k in range(len(ROWS)):
        scale = stepper.state.get("scale", 1.0)
        stepper.step(gradient(k, stepper.x, on) * scale)
    return stepper.x, stepper.t, stepper.solution


SETS = [set(pair) for pair in combinations(PARTS, 2)] + [set(PARTS) - {p} for p in PARTS]


@pytest.mark.parametrize("on", [*SETS, set(PARTS)], ids=lambda on: "+".join(sorted(on)))
def test_a_chain_is_the_loop_that_its_parts_promise(on):
    x, t, solution = by_hand(on)
    stepped, updates, answer = chained(on)
    assert updates == t > 0
    # sums and norms in another order: a few roundings per step, grown by the steps' momentum
    np.testing.assert_allclose(stepped, x, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(answer, solution, rtol=1e-12, atol=1e-13)


def test_the_hand_written_loop_takes_the_steps_that_its_parts_leave():
    counts = {name: by_hand({name})[1] for name in ("accumulate", "unscale", "sam")}
    assert counts == {"accumulate": 12, "unscale": 23, "sam": 12}


@pytest.mark.parametrize(("first", "second"), list(combinations(PARTS[:5], 2)))
def test_a_pair_in_another_order_is_refused(first, second):
    with pytest.raises(
        RuleError, match=f"{LINKS[first].name} must come before {LINKS[second].name}"
    ):
        dd.chain(LINKS[second], LINKS[first], dd.sgd())


@pytest.mark.parametrize("name", PARTS[:5])
def test_what_comes_before_the_rule_is_refused_behind_it(name):
    with pytest.raises(RuleError, match="must come before the rule of its chain, sgd"):
        dd.chain(dd.sgd(), LINKS[name])


def test_every_transform_has_a_place():
    from descend._rule import REGISTRY, TRANSFORMS

    assert {link.place for link in TRANSFORMS.values()} == set(PLACES) - {"update"}
    assert {rule.place for rule in REGISTRY.values()} == {"update"}
