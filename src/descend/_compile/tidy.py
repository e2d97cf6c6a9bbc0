"""Rewrite a traced rule for its readers: equal terms become one, and what only guards an evaluation goes.

The formulas keep their meaning as mathematics; kernels are printed from the graph as it was traced, not from this one.
"""

from __future__ import annotations

from typing import Any

from descend.ops import Symbol


def tidy(outputs: dict[str, Any]) -> dict[str, Any]:
    """The same values with one node for equal terms, squares and roots as such, and no condition asked twice.

    Examples
    --------
    >>> g = Symbol("leaf", "g", per_element=True)
    >>> tidy({"x": g * g})["x"].op
    '**'
    """
    graph = _Graph()
    return {name: graph.tidied(value) for name, value in outputs.items()}


class _Graph:
    """Nodes by what they are: two that say the same are one."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Any, ...], Symbol] = {}
        self._done: dict[int, Any] = {}

    def tidied(self, node: Any) -> Any:
        if not isinstance(node, Symbol):
            return node
        if id(node) not in self._done:
            arguments = [self.tidied(a) for a in node.args]
            self._done[id(node)] = self.made(node.op, arguments, node.per_element)
        return self._done[id(node)]

    def made(self, op: str, args: list[Any], per_element: bool) -> Any:
        """The node of an operation, in its plainest form."""
        match op, args:
            case "*", [a, b] if a is b and isinstance(a, Symbol):
                return self.made("**", [a, 2], per_element)
            case "**", [a, float(0.5)]:
                return self.made("sqrt", [a], per_element)
            case "-", [a, Symbol(op="-", args=(b, c))] if a is b and isinstance(a, Symbol):
                return c  # what a later link makes of x before − x
            case "where", [condition, a, b]:
                return self._choice(condition, a, b, per_element)
            case "array_total", [Symbol(op="where", args=(condition, 1.0, 1.0))]:
                return self.made("array_size", [condition.args[0]], per_element=False)
        # 1 and 1.0 are equal and print alike
        parts = tuple(id(a) if isinstance(a, Symbol) else ("literal", a) for a in args)
        return self._nodes.setdefault((op, parts), Symbol(op, *args, per_element=per_element))

    def _choice(self, condition: Any, a: Any, b: Any, per_element: bool) -> Any:
        a, b = self._given(a, condition, 1), self._given(b, condition, 2)
        parts = (
            id(condition),
            *(id(v) if isinstance(v, Symbol) else ("literal", v) for v in (a, b)),
        )
        made = Symbol("where", condition, a, b, per_element=per_element)
        return self._nodes.setdefault(("where", parts), made)

    def _given(self, node: Any, condition: Any, branch: int) -> Any:
        """``node`` where the condition is known: a guarded quotient asks it again for its divisor."""
        if not isinstance(node, Symbol) or node.op not in ("where", "/"):
            return node
        if node.op == "where" and node.args[0] is condition:
            return self._given(node.args[branch], condition, branch)
        known = [self._given(a, condition, branch) for a in node.args]
        if all(a is b for a, b in zip(known, node.args, strict=True)):
            return node
        return self.made(node.op, known, node.per_element)
