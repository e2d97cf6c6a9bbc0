"""Compile a printed kernel with Numba to an object file.

This module alone imports Numba, and it is imported only when no kernel file is at hand.
"""

from __future__ import annotations

import math
from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types
from numba.extending import intrinsic

from descend._compile.host import CHOICES, one_minus_power

# A rule with five arrays and more needs more than LLVM's default of 8 checks that they do not overlap, else its loop stays scalar.
llvm.set_option("descend", "--runtime-memory-check-threshold=256")


def _pointer_to(element: types.Type) -> Any:
    """An intrinsic that reads an address as a pointer to ``element``."""

    @intrinsic
    def at(typing_context: Any, address: Any) -> Any:  # noqa: ARG001 - Numba's signature
        pointer = types.CPointer(element)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            return builder.inttoptr(arguments[0], context.get_value_type(pointer))

        return pointer(types.int64), generate

    return at


_jit = numba.njit(error_model="numpy")


@_jit
def _power(base: float, exponent: float) -> float:
    return math.pow(base, exponent)


def _scope(element: types.Type, number: types.Type) -> dict[str, Any]:
    """What printed text may name."""
    scope: dict[str, Any] = {name: _jit(word) for name, word in CHOICES.items()}
    return scope | {
        "power": _power,
        "one_minus_power": _jit(one_minus_power(_power)),
        "elements": _pointer_to(element),
        "integers": _pointer_to(types.int64),
        "numbers": _pointer_to(number),
        "doubles": _pointer_to(types.float64),
        "float64": numba.float64,
        "jit": _jit,
        "math": math,
        "inf": math.inf,
        "nan": math.nan,
        "sqrt": math.sqrt,
        "exp": math.exp,
        "log": math.log,
    }


def compile_loop(source: str, fun: Any, arguments: tuple[Any, ...]) -> Any:
    """Compile ``loop`` of a printed source around ``fun``, which is compiled already, for such arguments; call it with them."""
    scope = _scope(types.float64, types.float64) | {"fun": fun}
    exec(source, scope)  # noqa: S102 - the source was printed from a traced rule
    loop = scope["loop"]
    loop.compile(tuple(map(numba.typeof, arguments)))
    return loop


def compile_object(source: str, dtype: str, measures: bool) -> tuple[str, bytes]:
    """Compile a printed kernel; its symbol's name and the object file that holds it.

    Sums are reassociated so that they vectorise; nothing else departs from IEEE arithmetic, and no flag lets the compiler assume
    that nan and inf do not occur.
    """
    element = getattr(types, dtype)
    scope = _scope(element, types.float64 if measures else element)
    exec(source, scope)  # noqa: S102 - the source was printed from a traced rule
    dispatcher = numba.njit(
        types.void(types.CPointer(types.int64)),
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        fastmath={"reassoc"} if measures else False,
    )(scope["kernel"])
    compiled = next(iter(dispatcher.overloads.values()))
    _, kind, (code, _) = compiled.library.serialize_using_object_code()
    if kind != "object":
        raise RuntimeError(f"Numba must give an object file; got {kind!r}.")
    return compiled.fndesc.llvm_func_name, code
