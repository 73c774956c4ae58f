"""Expressions: what a paper's author may put between ``{{`` and ``}}``, and what it comes to.

They are a small part of Python's own syntax, read with ``ast`` and never run.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable

from core.errors import BindingError
from core.evidence import statistics
from core.evidence.decided import Decided
from core.evidence.evidence import Evidence
from core.evidence.measurement import Key, weakest
from core.evidence.quantity import (
    Quantity,
    derived,
    finite_values,
    nearest,
    of_key,
    require_same_unit,
)
from core.evidence.settings import recorded_setting

LONGEST_EXPRESSION = 300
"""Characters of an expression."""

LARGEST_LITERAL = 9999
"""A literal counts things that were designed (sides, levels, stages), never things that were measured."""

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FACTORS = (1, 2, 100)


class Resolver:
    """Resolves expressions against evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._decided = Decided(evidence)
        self._functions: dict[str, Callable[..., Quantity]] = {
            "mean": self._mean,
            "pm": self._spread,
            "sd": self._deviation,
            "n": self._count,
            "min": self._smallest,
            "max": self._largest,
            "abs": self._absolute,
            "reduction": self._reduction,
            "ci": self._interval,
            "cmp": self._comparison,
            "verdict": lambda node: self._decided.verdict(_path(node)),
            "effect": lambda node: self._decided.effect(_path(node)),
            "p": lambda node: self._decided.probability(_path(node)),
            "cfg": self._setting,
            "lit": self._literal,
        }

    def resolve(self, expression: str) -> Quantity:
        """What an expression comes to.

        Raises:
            BindingError: why it does not resolve, and what to write instead.
        """
        if len(expression) > LONGEST_EXPRESSION:
            raise BindingError("the expression is too long", "Name one key, or a difference of two")
        node = _parse(expression)
        _check_literals(node)
        try:
            quantity = self._evaluate(node)
        except (OverflowError, ZeroDivisionError):
            raise BindingError("it divides by zero or is too large", "State the two values instead") from None
        if isinstance(node, ast.Constant) or not (quantity.measurements or quantity.level or quantity.places):
            raise BindingError("it rests on no measurement", "Name a key of the evidence sheet")
        if any(not math.isfinite(m.value) for m in quantity.measurements):
            raise BindingError(
                "it rests on a value that is not finite",
                "Say that some runs did not converge, without a number",
            )
        return quantity

    def _evaluate(self, node: ast.expr) -> Quantity:
        if isinstance(node, ast.Name | ast.Attribute):
            return self._mean(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return self._arithmetic(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node.func.id, node.args)
        raise BindingError(
            f"{ast.unparse(node)[:60]!r} is not allowed here", "Use keys, + - * / and the listed functions"
        )

    def _call(self, name: str, arguments: list[ast.expr]) -> Quantity:
        function = self._functions.get(name)
        if function is None:
            raise BindingError(f"there is no function {name!r}", f"Use one of {', '.join(self._functions)}")
        wanted = 2 if name in ("reduction", "cmp", "lit") else 1
        if len(arguments) != wanted:
            raise BindingError(f"{name} takes {wanted} argument{'s' * (wanted > 1)}", "")
        return function(*arguments)

    def _key(self, node: ast.expr) -> Key:
        name = _path(node)
        key = self._evidence.ledger.keys.get(name)
        if key is None:
            near = nearest(name, self._evidence.ledger.keys)
            raise BindingError(
                f"there is no measurement {name!r}",
                f"Nearest keys: {', '.join(near)}" if near else "Use a key of the evidence sheet",
            )
        return key

    def _mean(self, node: ast.expr) -> Quantity:
        key = self._key(node)
        return of_key(key, "number", statistics.mean(key.values))

    def _spread(self, node: ast.expr) -> Quantity:
        key = self._several(node, "pm")
        value = (statistics.mean(key.values), statistics.standard_deviation(finite_values(key)))
        return of_key(key, "spread", value)

    def _deviation(self, node: ast.expr) -> Quantity:
        key = self._several(node, "sd")
        return of_key(key, "number", statistics.standard_deviation(finite_values(key)))

    def _count(self, node: ast.expr) -> Quantity:
        key = self._key(node)
        return of_key(key, "count", len(key.measurements), unit="")

    def _smallest(self, node: ast.expr) -> Quantity:
        key = self._key(node)
        return of_key(key, "number", min(key.values))

    def _largest(self, node: ast.expr) -> Quantity:
        key = self._key(node)
        return of_key(key, "number", max(key.values))

    def _several(self, node: ast.expr, function: str) -> Key:
        key = self._key(node)
        if len(key.measurements) < 2:
            raise BindingError(f"{function} needs at least two seeds", f"Write {key.name} alone")
        return key

    def _absolute(self, node: ast.expr) -> Quantity:
        inner = self._plain_number(node)
        return derived(inner.shape, abs(inner.value), [inner], inner.unit)

    def _reduction(self, before: ast.expr, after: ast.expr) -> Quantity:
        first, second = self._plain_number(before), self._plain_number(after)
        require_same_unit(first, second)
        _different(before, after)
        return derived("number", (first.value - second.value) / first.value, [first, second], "")

    def _plain_number(self, node: ast.expr) -> Quantity:
        inner = self._evaluate(node)
        if inner.shape not in ("number", "count") or not inner.measurements:
            raise BindingError(f"{ast.unparse(node)[:60]!r} is not a measured number", "Name a key there")
        return inner

    def _arithmetic(self, node: ast.BinOp) -> Quantity:
        _different(node.left, node.right)
        left, right = self._operand(node.left), self._operand(node.right)
        both = [side for side in (left, right) if isinstance(side, Quantity)]
        if not both:
            raise BindingError("a formula needs a measurement", "Name a key of the evidence sheet")
        first = left.value if isinstance(left, Quantity) else left
        second = right.value if isinstance(right, Quantity) else right
        operator_type = type(node.op)
        sums = operator_type in (ast.Add, ast.Sub)
        if sums and len(both) == 2:
            require_same_unit(both[0], both[1])
        value = _OPERATORS[operator_type](first, second)
        is_ratio = operator_type is ast.Div and not isinstance(node.right, ast.Constant)
        counts = all(side.shape == "count" for side in both) and not is_ratio
        return derived("count" if counts else "number", value, both, both[0].unit if sums else "")

    def _operand(self, node: ast.expr) -> Quantity | int:
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, int)
            return node.value
        return self._plain_number(node)

    def _interval(self, node: ast.expr) -> Quantity:
        if isinstance(node, ast.Name) and self._decided.names(node.id):
            return self._decided.interval(node.id)
        key = self._several(node, "ci")
        estimate = statistics.of_mean(finite_values(key), CONFIDENCE_ALPHA, self._widening([key]))
        return of_key(key, "interval", (estimate.low, estimate.high))

    def _comparison(self, left: ast.expr, right: ast.expr) -> Quantity:
        first, second = self._several(left, "cmp"), self._several(right, "cmp")
        _different(left, right)
        require_same_unit(of_key(first, "number", 0.0), of_key(second, "number", 0.0))
        by_seed = {m.seed: m.value for m in second.measurements}
        pairs = [(m.value, by_seed[m.seed]) for m in first.measurements if m.seed in by_seed]
        finite_values(first), finite_values(second)
        widen = self._widening([first, second])
        if len(pairs) >= 2 and self._may_pair([first, second]):
            estimate = statistics.of_mean([a - b for a, b in pairs], CONFIDENCE_ALPHA, widen)
        else:
            estimate = statistics.of_groups(first.values, second.values, CONFIDENCE_ALPHA, widen)
        word = (
            "higher than"
            if estimate.low > 0
            else "lower than"
            if estimate.high < 0
            else "not distinguishable from"
        )
        rests = (*first.measurements, *second.measurements)
        return Quantity("word", word, rests, "", weakest(rests), keys=(first, second), compares=True)

    def _widening(self, keys: list[Key]) -> float:
        fraction = self._evidence.widening_fraction(_experiments(keys))
        return statistics.widening(min(len(key.measurements) for key in keys), fraction)

    def _may_pair(self, keys: list[Key]) -> bool:
        planned = self._evidence.hypotheses
        return all(planned[name].paired for name in _experiments(keys) if name in planned)

    def _setting(self, node: ast.expr) -> Quantity:
        return recorded_setting(_path(node), self._evidence)

    def _literal(self, node: ast.expr, why: ast.expr) -> Quantity:
        reason = why.value if isinstance(why, ast.Constant) else None
        if not isinstance(reason, str) or len(reason.strip()) < 6:
            raise BindingError("a literal needs its reason", 'Write lit(2, "why it is no measurement")')
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_LITERAL:
            raise BindingError(
                f"a literal is a whole number up to {LARGEST_LITERAL}",
                "Name a measurement, or a setting with cfg(name)",
            )
        return Quantity("setting", value, level="literal", note=" ".join(reason.split())[:200])


CONFIDENCE_ALPHA = 0.05
"""Intervals of single keys and comparisons outside hypotheses cover 95%."""


def _parse(expression: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BindingError(
            f"{expression.strip()[:60]!r} is not an expression",
            "Write {{ key : .1% }} with a key of the sheet",
        ) from None


def _path(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_path(node.value)}.{node.attr}"
    raise BindingError(f"{ast.unparse(node)[:60]!r} is not a key", "Use a key of the evidence sheet")


def _different(left: ast.expr, right: ast.expr) -> None:
    if ast.dump(left) == ast.dump(right):
        raise BindingError("both sides are the same", "Name two different keys")


def _check_literals(node: ast.expr) -> None:
    """Refuse more than one number in a whole expression, whatever calls it stands in."""
    designed = {
        id(inner)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "lit"
        for inner in ast.walk(call)
    }
    constants = [n for n in ast.walk(node) if isinstance(n, ast.Constant) and id(n) not in designed]
    if len(constants) > 1 or any(type(c.value) is not int or c.value not in _FACTORS for c in constants):
        raise BindingError(
            "a formula may hold one number at most, and only 1, 2 or 100",
            "Name keys of the evidence sheet",
        )


def _experiments(keys: list[Key]) -> set[str]:
    return {m.experiment_id for key in keys for m in key.measurements}
