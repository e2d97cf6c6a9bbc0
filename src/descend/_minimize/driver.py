"""`minimize`: SciPy's signature, every method and rule of descend, and what a run needs around them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descend._minimize.curvature import inverse_hessian
from descend._minimize.faster import Faster
from descend._minimize.inputs import (
    read_limits,
    read_method,
    read_options,
    refuse_constraints,
    warn_unused,
    with_settings,
)
from descend._minimize.message import message
from descend._minimize.objective import Ended, Objective
from descend._minimize.outside import as_now, watcher
from descend._minimize.result import Result, Saved
from descend._minimize.run import Run
from descend._minimize.variables import Start, inside, kept, read_bounds, read_scale, read_start
from descend.errors import HyperparameterError, ShapeError
from descend.methods._status import Status


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    maxiter: int | None = None,
    maxfev: int | None = None,
    maxtime: float | None = None,
    gtol: float | None = None,
    ftol: float | None = None,
    xtol: float | None = None,
    target: float | None = None,
    patience: int | None = None,
    starts: int = 1,
    seed: int | None = None,
    keep_x: bool = False,
    scale: Any = "auto",
    resume: Result | None = None,
    jobs: int = 1,
    constraints: Any = (),
) -> Result:
    """Minimize a function of one or more variables; the arguments that SciPy has mean what they mean there.

    Parameters
    ----------
    fun : function ``fun(x, *args) -> float``, or ``-> (float, gradient)`` with ``jac=True``
    x0 : number, list or array of NumPy, torch or jax, real and finite; truth values are 0 and 1
        A number and a list are a vector of shape (n,) for ``fun``, as with SciPy, and so is ``x`` of the result. An array of more
        dimensions, and one of torch or jax, keeps its kind, shape and (torch, jax) dtype.
    args : further arguments of ``fun``, ``jac``, ``hess`` and ``hessp``
    method : name of a method (``"lbfgs"``, the default; ``"lbfgs:memory=20"``), a `Method`, or a rule or chain
        (``dd.adam(lr=0.1)``, ``"adam:lr=0.1"``)
    jac : the gradient as a function; True; or ``"2-point"``, ``"3-point"``, ``"cs"``; None for differences
    hess, hessp : the Hessian, and its product with a vector, for methods that use them
    bounds : SciPy's ``Bounds``, or (least, greatest) for each variable
    tol : the value of those tolerances that stop the method by default, where they are not named
    callback : called after each iteration, with x, or with an OptimizeResult if its parameter is named ``intermediate_result``;
        to stop, it raises StopIteration
    options : settings under SciPy's names (``maxcor``, ``eps``, ``c1`` …), and any of those below; ``hits``: at how many
        iterations in a row a tolerance must hold
    maxiter, maxfev, maxtime : iterations, calls of ``fun`` and seconds that this call may take
    gtol : largest entry of the gradient at a solution (with bounds: of the projected one)
    ftol : least relative decrease of a step, ``|f − f'| / max(|f|, |f'|, 1)``, and never below the precision of f; 0: none
    xtol : least relative length of a step; 0: none
    target : value of ``fun`` that is low enough
    patience : iterations without a better value after which to stop
    starts, seed, jobs : many runs from different points, and on how many processes
    keep_x : whether the history keeps every x
    scale : ``"auto"``, None, or the size of each variable: the units in which the method works
    constraints : none, as SciPy spells it: ``()``, ``[]`` or None
    resume : the result to go on from, bit for bit; x0, the method, bounds and scale are those of that run

    Returns
    -------
    Result
        The best point seen, why the run ended, and its history. A run that fails is no exception, but a status with a sentence.

    Raises
    ------
    DescendError
        If an argument is wrong, or the function fails at x0.

    Examples
    --------
    >>> import numpy as np, descend as dd
    >>> def rosenbrock(x):
    ...     return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    >>> r = dd.minimize(rosenbrock, [-1.2, 1.0])
    >>> r.x.round(3), r.success
    (array([1., 1.]), True)
    """
    refuse_constraints(constraints, tol)
    _check_counts(starts, seed, jobs)
    if starts != 1:
        given = {k: v for k, v in locals().items() if k not in {"starts", "seed", "jobs"}}
        return _from_many(given, starts, seed, jobs)
    start = read_start(x0)
    lower, upper = read_bounds(bounds, start)
    named = {
        "maxiter": maxiter,
        "maxfev": maxfev,
        "maxtime": maxtime,
        "gtol": gtol,
        "ftol": ftol,
        "xtol": xtol,
        "target": target,
        "patience": patience,
    }
    settings, on_method = read_options(options, named)
    saved = _saved(resume, method, start)
    method = saved.method if saved else with_settings(read_method(method), on_method)
    warn_unused(method, {"hess": hess, "hessp": hessp, "bounds": bounds})
    if not method.takes_bounds:
        lower = upper = None
    limits = read_limits(settings, tol, method, start.x.size)
    outside = as_now(start.kind, jac)
    args = args if isinstance(args, tuple) else (args,)
    units, scales = read_scale(scale, method, start)
    if saved:
        saved.check_bounds((lower, upper))
        if not (isinstance(scale, str) and scale == "auto"):
            saved.check_units(units, scales=scales)
        units, scales = saved.units, saved.scales
    sizes = start.x if units is None or scales else units  # those given hold for differences too
    objective = Objective(
        outside(fun),
        sizes,
        start.restore,
        start.shape,
        start.kind,
        args,
        jac=outside(jac),
        hess=outside(hess),
        hessp=outside(hessp),
        lower=lower,
        upper=upper,
        maxfev=math.inf if limits.maxfev is None else limits.maxfev,
        maxtime=math.inf if limits.maxtime is None else limits.maxtime,
        eps=settings.get("eps"),
        rel_step=settings.get("finite_diff_rel_step"),
        before=saved.spent if saved else None,
    )
    x = inside(start.x, lower, upper)
    keep_x = keep_x or bool(settings.get("return_all", False))
    run = Run(
        method,
        objective,
        limits,
        watcher(callback, outside, start, objective),
        units,
        scales=scales,
        keep_x=keep_x,
    )
    if callback is None and not keep_x:
        pair = fun if jac is True and start.kind == "numpy" else None
        run.faster = _faster(pair, args, run)
    with np.errstate(all="ignore"):  # a method that meets inf deals with it
        result = _carry_out(run, x, saved, start)
    if settings.get("disp"):
        print(result.message)  # noqa: T201 - asked for
    return result


def _check_counts(starts: Any, seed: Any, jobs: Any) -> None:
    if seed is None and all(type(count) is int and count == 1 for count in (starts, jobs)):
        return
    from descend._minimize.starts import check_counts

    check_counts(starts, seed, jobs)


def _faster(fun: Any, args: tuple[Any, ...], run: Run) -> tuple[Faster, ...]:
    """The quicker ways to run a rule: by one compiled call between two of ``fun``, or around it if it returns (f, gradient)."""
    if run.method.name != "rule":
        return ()
    from descend._minimize.block import applies
    from descend._minimize.driven_loop import DrivenLoop
    from descend._minimize.whole_loop import whole_loop

    if not applies(run):
        return ()
    around = whole_loop(fun, args, run)
    return (DrivenLoop(),) if around is None else (around, DrivenLoop())


def _from_many(given: dict[str, Any], starts: Any, seed: int | None, jobs: int) -> Result:
    """Run from many points, in the box of the bounds."""
    from descend._minimize.starts import minimize_from_many

    if given["resume"] is not None:
        raise HyperparameterError(
            f"starts of minimize must be 1 where a run is resumed; got {starts!r}."
        )
    start = read_start(given["x0"])
    given["bounds"] = kept(given["bounds"])
    lower, upper = read_bounds(given["bounds"], start)
    given.pop("x0")

    def run(x: Any) -> Result:
        return minimize(x0=start.restore(x), **given)

    found: Result = minimize_from_many(run, start.x, lower, upper, starts, seed, jobs)
    return found


def _saved(resume: Any, method: Any, start: Start) -> Saved | None:
    """What the earlier run left, checked against this call."""
    if resume is None:
        return None
    saved = getattr(resume, "_resume", None)
    if not isinstance(saved, Saved):
        raise HyperparameterError(
            f"resume of minimize must be a result of minimize that began; got {type(resume).__name__}."
        )
    if saved.point.x.size != start.x.size:
        raise ShapeError(
            f"x0 of minimize must have the {saved.point.x.size} variables of the run to resume; got {start.x.size}."
        )
    if method is not None and read_method(method) != saved.method:
        raise HyperparameterError(
            f"method of minimize must be that of the run to resume, {saved.method!r}; got {method!r}."
        )
    return saved


def _carry_out(run: Run, x: Any, saved: Saved | None, start: Start) -> Result:
    try:
        if saved is None:
            run.begin(x)
        else:
            run.go_on(saved)
        status, why = run.descend()
    except Ended as end:
        status, why = end.status, end.why
    except (KeyboardInterrupt, Exception) as error:
        if hasattr(run, "point"):
            error.result = _result(run, Status.CALLBACK, _interruption(error), start)  # type: ignore[union-attr]
            error.add_note("To go on: minimize(..., resume=error.result).")
        raise
    return _result(run, status, f"{status.sentence} {why}".strip(), start)


def _interruption(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted from the keyboard."
    return f"Broken off by {type(error).__name__}: {error}".removesuffix(".") + "."


def _result(run: Run, status: Status, sentence: str, start: Start) -> Result:
    best, calls = run.best_point(), run.objective
    history = run.recorder.history(start.shape, run.method.label)
    result = Result(
        message=message(
            sentence,
            run.limits,
            run.last(),
            best.f,
            run.spent(),
            projected=calls.lower is not None,
        ),
        success=status.success,
        status=status.number,
        fun=best.f,
        x=start.restore(best.x),
        nit=run.nit,
        jac=start.restore(best.g),
        nfev=calls.nfev,
        njev=calls.njev,
        nhev=calls.nhev,
        history=history,
    )
    learned = inverse_hessian(run.state, run.units)
    if learned is not None:
        result.hess_inv = learned
    if run.recorder.keeps_x:
        result.allvecs = list(history.x)
    if hasattr(run, "point"):
        result.keep(Saved.of(run))
    return result
