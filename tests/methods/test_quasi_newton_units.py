"""BFGS and L-BFGS on functions so large that squares of gradients come near the largest number, or pass it."""

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from descend.methods._status import Status
from descend.methods.quasi_newton import BFGS, LBFGS

METHODS = [BFGS(), LBFGS(), LBFGS(memory=2)]


def rosenbrock_times(unit, counted):
    return counted(lambda x: unit * rosen(x), lambda x: unit * rosen_der(x))


@pytest.mark.parametrize("method", METHODS)
def test_pairs_are_learned_as_long_as_no_square_overflows(method, counted, walk):
    steps = walk(method, rosenbrock_times(1e150, counted), [-1.2, 1.0], gtol=1e145)
    assert steps[-1].ended is None
    assert len(steps) < 80  # twice as many as times 1; the steepest descent takes thousands


@pytest.mark.parametrize("method", METHODS)
def test_a_slope_that_overflows_is_told_from_a_wrong_gradient(method, counted, walk):
    end = walk(method, rosenbrock_times(1e160, counted), [-1.2, 1.0])[-1]
    assert end.ended is Status.NON_FINITE
    np.testing.assert_array_equal(end.point.x, [-1.2, 1.0])
