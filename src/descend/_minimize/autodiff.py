"""Derivatives by jax, torch or autograd, each imported only when it is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from descend.errors import MissingDependencyError, ProblemError
from descend.methods._method import Vector

Callback = Callable[..., Any]


@dataclass(frozen=True)
class Derivatives:
    """What a framework makes of ``fun``; each callable is given x as ``own`` makes it, and ``fun``'s further arguments."""

    own: Callable[[Vector], Any]
    """A fresh x, as ``fun`` sees it, of a vector."""
    value_and_gradient: Callback
    hessian: Callback
    hessian_product: Callback


def by_jax(
    fun: Callback, own: Callable[[Vector], Any] | None, shape: tuple[int, ...]
) -> Derivatives:
    """Derivatives by jax; without ``own``, x is an array of jax's widest float.

    A function that is jitted already is differentiated under ``jit``; another one is called as it is, each time.
    """
    jax = _framework("jax")
    jnp = jax.numpy
    widest = jax.dtypes.canonicalize_dtype(np.float64)
    if own is None and widest != np.float64:
        warnings.warn(
            "jac='jax' computes in float32, to 7 digits, while jax_enable_x64 is off."
            " Hint: jax.config.update('jax_enable_x64', True) before the first array is made.",
            RuntimeWarning,
            stacklevel=6,
        )

    def scalar(x: Any, *args: Any) -> Any:
        return jnp.reshape(fun(x, *args), ())

    def product(x: Any, v: Any, *args: Any) -> Any:
        return jax.jvp(lambda y: jax.grad(scalar)(y, *args), (x,), (v,))[1]

    compiled = partial(_compiled, jax) if hasattr(fun, "lower") else _as_it_is
    return Derivatives(
        own or (lambda x: jnp.array(x.reshape(shape), dtype=widest)),
        compiled(jax.value_and_grad(scalar), 1),
        compiled(jax.hessian(scalar), 1),
        compiled(product, 2),
    )


def _as_it_is(function: Callback, _: int) -> Callback:
    return function


def _compiled(jax: Any, function: Callback, arrays: int) -> Callback:
    """Compile ``function`` of its first arguments; the further ones are closed over, so they may be anything."""
    made: dict[tuple[int, ...], Callback] = {}

    def call(*given: Any) -> Any:
        args = given[arrays:]
        key = tuple(map(id, args))  # one objective hands on the same objects at each call
        if key not in made:
            made[key] = jax.jit(lambda *x: function(*x, *args))
        return made[key](*given[:arrays])

    return call


def by_torch(
    fun: Callback, own: Callable[[Vector], Any] | None, shape: tuple[int, ...]
) -> Derivatives:
    """Derivatives by torch; without ``own``, x is a tensor of float64."""
    torch = _framework("torch")

    def value_and_gradient(x: Any, *args: Any) -> tuple[Any, Any]:
        f = _with_graph(torch, fun, x.requires_grad_(), args)
        (g,) = torch.autograd.grad(f, x)
        return f, g

    def hessian(x: Any, *args: Any) -> Any:
        return torch.autograd.functional.hessian(lambda y: fun(y, *args).reshape(()), x)

    def product(x: Any, v: Any, *args: Any) -> Any:
        f = _with_graph(torch, fun, x.requires_grad_(), args)
        (g,) = torch.autograd.grad(f, x, create_graph=True)
        if not g.requires_grad:  # the function is linear
            return torch.zeros_like(x)
        (hv,) = torch.autograd.grad(g, x, v, allow_unused=True)
        return torch.zeros_like(x) if hv is None else hv

    return Derivatives(
        own or (lambda x: torch.tensor(x.reshape(shape))), value_and_gradient, hessian, product
    )


def _with_graph(torch: Any, fun: Callback, x: Any, args: tuple[Any, ...]) -> Any:
    f = fun(x, *args)
    if not (isinstance(f, torch.Tensor) and f.requires_grad):
        kind = "a tensor without its graph" if isinstance(f, torch.Tensor) else type(f).__name__
        raise ProblemError(
            f"fun must return a tensor computed from x by torch; got {kind}. "
            "Hint: no item(), detach() or NumPy between x and the result."
        )
    if f.numel() != 1:
        raise ProblemError(
            f"fun must return a real number; got a tensor of shape {tuple(f.shape)}."
        )
    return f


def by_autograd(
    fun: Callback, own: Callable[[Vector], Any] | None, shape: tuple[int, ...]
) -> Derivatives:
    """Derivatives by autograd, whose functions are written with ``autograd.numpy``."""
    autograd = _framework("autograd")
    along = autograd.hessian_vector_product(fun)

    def product(x: Any, v: Any, *args: Any) -> Any:
        return along(x, *args, v)  # its vector comes last

    return Derivatives(
        own or (lambda x: x.reshape(shape).copy()),
        autograd.value_and_grad(fun),
        autograd.hessian(fun),
        product,
    )


FRAMEWORKS: dict[
    str, Callable[[Callback, Callable[[Vector], Any] | None, tuple[int, ...]], Derivatives]
] = {"jax": by_jax, "torch": by_torch, "autograd": by_autograd}
"""What ``jac`` may be called, and who then differentiates."""


def _framework(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingDependencyError(
            f"jac={name!r} of minimize needs {name}, which is not installed. Run: pip install {name}"
        ) from error
