"""Rules that see one whole array: they may reduce along its axes and multiply matrices.

Schema, settings, validation, text and registry are those of `rule`; the text runs on the arrays as it is, once for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from descend._links import enter
from descend._rule import Rule, Transform, register
from descend._signature import Starts


class TensorRule(Rule):
    """The text of one optimizer that is computed on whole arrays, each alone."""

    whole = True
    alone = True


class TensorTransform(Transform):
    """A change of ``x`` and ``g`` that is computed on whole arrays and comes before the rule of a chain."""

    whole = True
    alone = True


@overload
def tensor_rule(function: Callable[..., Any], /) -> Rule: ...
@overload
def tensor_rule(
    *, init: Starts | None = None, solution: str = "x"
) -> Callable[[Callable[..., Any]], Rule]: ...
def tensor_rule(
    function: Callable[..., Any] | None = None,
    *,
    init: Starts | None = None,
    solution: str = "x",
) -> Any:
    """Make a rule from the text of an update of one whole array, and enter it in the registry, as `rule` does.

    The text is called for each array alone, with arrays of at least one axis (a number comes as an array of one element) and
    never with an empty array. It writes into none of its arguments.

    Parameters
    ----------
    function : the update ``(x, g, *states, *, t, value, **hyperparameters) -> x`` or ``(x, *states)``; `Scalar` states are
        numbers of each array
    init : for each state that does not start as an array of zeros like x: a number, ``x``, a hyperparameter's name, or a
        function of x's shape (and of hyperparameters as keywords) that gives an array of any shape, or a tuple of arrays
    solution : the name of the state that holds the answer

    Raises
    ------
    RuleError
        If the signature does not follow the schema.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> from descend.domains import NonNegative
    >>> @dd.tensor_rule
    ... def centered_sgd(x, g, *, lr: NonNegative = 0.1):
    ...     return x - lr * (g - g.mean())
    >>> x = np.zeros(2)
    >>> dd.Stepper(centered_sgd(lr=1.0), x).step(np.array([1.0, 3.0]))
    >>> x
    array([ 1., -1.])
    """
    if function is None:
        return lambda f: register(TensorRule(f, init, solution))
    return register(TensorRule(function, init, solution))


@overload
def tensor_transform(function: Callable[..., Any], /) -> Transform: ...
@overload
def tensor_transform(
    *, init: Starts | None = None
) -> Callable[[Callable[..., Any]], Transform]: ...
def tensor_transform(
    function: Callable[..., Any] | None = None, *, init: Starts | None = None
) -> Any:
    """Make a transform of whole arrays from ``(x, g, *states, *, …) -> (x, g, *states)``; it is used in a `chain`."""
    if function is None:
        return lambda f: enter(TensorTransform(f, init))
    return enter(TensorTransform(function, init))
