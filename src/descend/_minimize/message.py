"""The sentence that says why a run ended, with every measure beside its threshold."""

from __future__ import annotations

from descend._minimize.stopping import Limits, Progress


def message(
    sentence: str,
    limits: Limits,
    last: Progress,
    best: float,
    spent: tuple[int, int, float],
    *,
    projected: bool = False,
) -> str:
    """The reason, then every measure with its threshold.

    Parameters
    ----------
    sentence : the reason
    limits : the thresholds
    last : the measures of the last iteration
    best : the least value seen
    spent : iterations, evaluations and seconds of this call
    projected : whether the gradient is a projected one

    Examples
    --------
    >>> from descend.methods._status import Status
    >>> message(Status.GRADIENT.sentence, Limits(400, gtol=1e-5), Progress(3.1e-6), 0.5, (23, 30, 0.1))
    'The gradient is as small as gtol asks. |g|_inf 3.1e-06 <= gtol 1e-05: yes; iterations 23 of 400.'
    """
    gradient = "|projected g|_inf" if projected else "|g|_inf"
    tolerances = (
        (gradient, last.norm, "gtol", limits.gtol),
        ("relative decrease", last.decrease, "ftol", limits.ftol),
        ("relative step", last.step, "xtol", limits.xtol),
        ("f", best, "target", limits.target),
    )
    budgets = (
        ("iterations", spent[0], limits.maxiter),
        ("evaluations", spent[1], limits.maxfev),
        ("seconds", spent[2], limits.maxtime),
    )
    parts = [
        f"{what} {value:.2g} <= {name} {limit:.3g}: {'yes' if value <= limit else 'no'}"
        for what, value, name, limit in tolerances
        if limit is not None
    ]
    parts += [
        f"{what} {value:.4g} of {limit:.4g}"
        if isinstance(limit, float)
        else f"{what} {value} of {limit}"
        for what, value, limit in budgets
        if limit is not None
    ]
    return f"{sentence} {'; '.join(parts)}."
