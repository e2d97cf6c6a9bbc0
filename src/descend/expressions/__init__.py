"""Formulas typed by users, as ``(1 - x)**2 + 100*(y - x**2)**2``: their values and exact gradients.

A text is read by a parser of our own and nothing in it is ever run by Python. It may hold numbers, ``+ - * / **``, parentheses,
the constants ``pi`` and ``e``, calls of the functions in ``FUNCTIONS``, and any other names: these are the variables.
"""

from __future__ import annotations

from descend.expressions._expression import Expression
from descend.expressions._operations import FUNCTIONS
from descend.expressions._parser import LONGEST, check_text, parse_nodes

__all__ = ["FUNCTIONS", "LONGEST", "Expression", "parse"]


def parse(text: str) -> Expression:
    """Return the function that a formula writes down.

    Parameters
    ----------
    text : str
        At most 10 000 characters, nested at most 100 deep. Operators bind as in Python: ``-x**2`` is ``-(x**2)``.

    Returns
    -------
    Expression
        With its variables in the order in which they first appear.

    Raises
    ------
    ProblemError
        The text is no formula; the message holds the place, what was expected there and what was found.

    Examples
    --------
    >>> rosenbrock = parse("(1 - x)**2 + 100*(y - x**2)**2")
    >>> rosenbrock.variables
    ('x', 'y')
    >>> rosenbrock.value([0.0, 1.0])
    101.0
    >>> value, gradient = rosenbrock.value_and_gradient([0.0, 1.0])
    >>> gradient.tolist()
    [-2.0, 200.0]
    """
    check_text(text)
    return Expression(parse_nodes(text))
