"""Where a value comes from: only from constants, only from random numbers, or from something else.

The flow of values is followed through names, functions of the script itself and whatever merely
computes with its arguments. What cannot be followed counts as measured, so that doubt never warns.
"""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, TypeAlias

from core.evidence.code_checks.assignments import Place, Source, Sources
from core.evidence.code_checks.calls import AGGREGATES, METHODS, TRANSPARENT, is_random
from core.evidence.code_checks.script import Function, Script

Origin: TypeAlias = Literal["constant", "random", "measured"]

MOST_ROUNDS = 40
"""Rounds in which origins spread from name to name; what still changes then is taken for measured."""

_KNOWN_CONSTANTS = ("math.", "numpy.pi", "numpy.e")


class Origins:
    """Tells where the values of a script come from."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._sources = Sources(script)
        self._places: dict[Place, Origin] = defaultdict(lambda: "constant")
        self._settled = self._settle()

    def of(self, value: ast.expr) -> Origin:
        """Where a value comes from."""
        return self._of(value) if self._settled else "measured"

    def _settle(self) -> bool:
        """Let origins spread until none changes; they only ever rise, so that this ends."""
        for _ in range(MOST_ROUNDS):
            changed = False
            for place, sources in self._sources.by_place.items():
                origin = _strongest(map(self._of_source, sources))
                if origin != self._places[place]:
                    self._places[place] = origin
                    changed = True
            if not changed:
                return True
        return False

    def _of_source(self, source: Source) -> Origin:
        if source.value is None:
            return "measured"
        if any(self._of(test) != "constant" for test in source.depends_on):
            return "measured"  # which of them it is depends on something
        return self._of(source.value)

    def _of(self, node: ast.AST | None) -> Origin:
        match node:
            case None | ast.Constant() | ast.Slice(lower=None, upper=None, step=None):
                return "constant"
            case ast.Name():
                return self._of_name(node)
            case ast.Call():
                return self._of_call(node)
            case ast.Attribute():
                constant = self._script.dotted(node).startswith(_KNOWN_CONSTANTS)
                return "constant" if constant and self._script.imported(node) else "measured"
            case ast.IfExp():
                if self._of(node.test) != "constant":
                    return "measured"
                return _strongest((self._of(node.body), self._of(node.orelse)))
            case ast.Lambda() | ast.Await() | ast.Yield() | ast.YieldFrom():
                return "measured"
            case ast.comprehension():
                parts = (node.iter, *node.ifs)
                return "measured" if any(self._of(part) != "constant" for part in parts) else "constant"
            case ast.expr() | ast.keyword():
                inner = (child for child in ast.iter_child_nodes(node) if not isinstance(child, _GRAMMAR))
                return _strongest(map(self._of, inner))
        return "measured"

    def _of_name(self, name: ast.Name) -> Origin:
        place = self._sources.place_of(name)
        if place is not None:
            return self._places[place]
        return "constant" if name.id in {"True", "False", "None"} else "measured"

    def _of_call(self, call: ast.Call) -> Origin:
        arguments = _strongest(map(self._of, (*call.args, *call.keywords)))
        if is_random(self._script, self._sources, call):
            return "measured" if arguments == "measured" else "random"
        name = self._script.called(call)
        if name in {"lab.seeds", "lab.trial"}:
            return "constant"
        if (function := self._sources.function_called(call)) is not None:
            return self._places[Place(function, "return")]
        last = name.rpartition(".")[2]
        if self._computes_only(call, name) and last in TRANSPARENT | AGGREGATES:
            return "measured" if last in AGGREGATES and arguments == "random" else arguments
        if isinstance(call.func, ast.Attribute) and not self._script.imported(call.func):
            if call.func.attr in METHODS:
                return _strongest((self._of(call.func.value), arguments))
            if call.func.attr in AGGREGATES:
                whole = _strongest((self._of(call.func.value), arguments))
                return "measured" if whole == "random" else whole
        return "measured"

    def _computes_only(self, call: ast.Call, name: str) -> bool:
        """Whether the called thing is Python's own, or of a library that computes."""
        if isinstance(call.func, ast.Name) and not self._script.imported(call.func):
            return hasattr(builtins, call.func.id) and self._sources.place_of(call.func) is None
        return name.startswith(("math.", "numpy.", "torch.", "statistics."))


_GRAMMAR = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


def _strongest(origins: Iterable[Origin]) -> Origin:
    found = set(origins)
    if "measured" in found:
        return "measured"
    return "random" if "random" in found else "constant"


__all__ = ["Function", "Origin", "Origins"]
