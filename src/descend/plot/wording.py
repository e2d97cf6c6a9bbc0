"""Numbers and sentences of the report: plain text, escaped later by whoever prints it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

MOST_NAMED = 4
"""A sentence with more names than this is not read."""


def number(value: float, digits: int = 3) -> str:
    """A number to sensible digits; ``inf`` is a failure, nan is unknown.

    Parameters
    ----------
    value : float
        Any float.
    digits : int
        Significant digits.

    Returns
    -------
    str
        With a true minus sign.

    Examples
    --------
    >>> number(0.031234), number(1e-5), number(12345.6), number(float("inf"))
    ('0.0312', '1e-5', '12346', 'failed')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "failed" if value > 0 else "−∞"
    size = abs(value)
    whole = 10**digits <= size < 1e6
    text = f"{value:.0f}" if whole else f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return f"−{text[1:]}" if text.startswith("-") else text


def signed(value: float, log_scale: bool) -> str:
    """A difference to the leader: signed, or as a factor where scores span decades.

    Parameters
    ----------
    value : float
        On the comparison scale.
    log_scale : bool
        That scale is log10.

    Returns
    -------
    str
        ``+0.03`` or ``×2.0``.

    Examples
    --------
    >>> signed(0.03, False), signed(0.30103, True), signed(-0.5, False)
    ('+0.03', '×2', '−0.5')
    """
    if not math.isfinite(value):
        return number(value)
    if log_scale:
        return f"×{number(factor(value))}"
    return f"+{number(value)}" if value > 0 else number(value)


def span(interval: Sequence[float], log_scale: bool) -> str:
    """An interval of differences, ``+0.02 to +0.04``; a dash when it is unknown.

    Parameters
    ----------
    interval : sequence of two floats
        On the comparison scale.
    log_scale : bool
        That scale is log10.

    Returns
    -------
    str
        Both ends in words.

    Examples
    --------
    >>> span((0.02, 0.04), False), span((float("nan"), float("nan")), False)
    ('+0.02 to +0.04', '–')
    """
    low, high = interval
    if math.isnan(low) or math.isnan(high) or (math.isinf(low) and math.isinf(high)):
        return "–"
    top = "unbounded" if math.isinf(high) else signed(high, log_scale)
    return f"{signed(low, log_scale)} to {top}"


def probability(value: float) -> str:
    """A p-value to three decimals.

    Parameters
    ----------
    value : float
        Between 0 and 1, or nan when nothing was tested.

    Returns
    -------
    str
        ``< 0.001`` for the smallest.

    Examples
    --------
    >>> probability(0.0421), probability(0.0), probability(float("nan"))
    ('0.042', '< 0.001', '–')
    """
    if math.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def settings_text(settings: Mapping[str, float]) -> str:
    """Hyperparameters as one reads them aloud.

    Parameters
    ----------
    settings : mapping of str to float
        By name.

    Returns
    -------
    str
        ``defaults`` when there are none.

    Examples
    --------
    >>> settings_text({"lr": 0.00316228, "beta1": 0.9}), settings_text({})
    ('lr=0.00316, beta1=0.9', 'defaults')
    """
    parts = [f"{name}={number(float(value))}" for name, value in settings.items()]
    return ", ".join(parts) or "defaults"


def short(text: str, most: int) -> str:
    """The text on one line, cut after ``most`` characters.

    Parameters
    ----------
    text : str
        Any text.
    most : int
        Characters that stay.

    Returns
    -------
    str
        With an ellipsis when something was cut.

    Examples
    --------
    >>> short("a  b", 9), short("abcdef", 4)
    ('a b', 'abc…')
    """
    # Far more than can stay: a cause may be a megabyte, and only its beginning is shown.
    line = "".join(mark if mark.isprintable() else " " for mark in text[: 4 * most])
    line = " ".join(line.split())
    if len(line) <= most and len(text) <= 4 * most:
        return line
    return line[: most - 1] + "…"


def names(entries: Iterable[str]) -> str:
    """Names joined by commas and "and"; many names are counted.

    Parameters
    ----------
    entries : iterable of str
        At least one name.

    Returns
    -------
    str
        For a sentence.

    Examples
    --------
    >>> names(["adam"]), names(["adam", "nadam"]), names("abcdefg")
    ('adam', 'adam and nadam', 'a, b, c and 4 more')
    """
    listed = [short(entry, 60) for entry in entries]
    if len(listed) > MOST_NAMED:
        listed = [*listed[: MOST_NAMED - 1], f"{len(listed) - MOST_NAMED + 1} more"]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def count(amount: int, noun: str) -> str:
    """An amount with its noun, in the plural when needed.

    Parameters
    ----------
    amount : int
        How many.
    noun : str
        In the singular.

    Returns
    -------
    str
        ``1 seed`` or ``3 seeds``.

    Examples
    --------
    >>> count(1, "seed"), count(3, "entry")
    ('1 seed', '3 entries')
    """
    if amount == 1:
        return f"1 {noun}"
    return f"{amount} {noun[:-1]}ies" if noun.endswith("y") else f"{amount} {noun}s"


def factor(decades: float) -> float:
    """Ten to a power, ``inf`` where that overflows.

    Parameters
    ----------
    decades : float
        A difference of two log10.

    Returns
    -------
    float
        The ratio that it stands for.
    """
    try:
        return float(10.0**decades)
    except OverflowError:
        return math.inf
