"""A script as the checks see it: its tree, what its names stand for, and the results it records."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_SETTINGS = {
    "batch", "batches", "count", "episode", "epoch", "epochs", "examples", "fold", "idx", "index", "iter",
    "iteration", "iterations", "lr", "num", "params", "rate", "round", "run", "samples", "seed", "size",
    "step", "steps", "tokens", "trial",
}  # fmt: skip
"""Words in the names of what people pass to ``wandb.log`` beside measurements."""


@dataclass(frozen=True)
class Recorded:
    """One place where a script records a result.

    Attributes:
        node: the call or assignment.
        name: the metric's name; empty where it is computed.
        value: what is recorded.
    """

    node: ast.AST
    name: str
    value: ast.expr

    @property
    def line(self) -> int:
        """The line of the script."""
        return int(getattr(self.node, "lineno", 0))


class Script:
    """A parsed script.

    Attributes:
        tree: the module.
        parents: what each node stands in.
        results: where results are recorded, in the order of the tree.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.nodes = tuple(ast.walk(tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self._stands_for = _imports(self.nodes)
        self._stands_for |= dict.fromkeys(_wandb_runs(self), "wandb.run")
        self.results = tuple(found for node in self.nodes for found in _recorded(self, node))

    def dotted(self, node: ast.AST) -> str:
        """The full name of what a chain of names stands for, e.g. ``numpy.random.normal``.

        Empty where it is no chain of names; names that were not imported stand for themselves.
        """
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self._stands_for.get(node.id, node.id), *reversed(parts)])

    def imported(self, node: ast.AST) -> bool:
        """Whether a chain of names begins with an imported one."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self._stands_for

    def called(self, node: ast.AST) -> str:
        """The full name of what is called; empty for what is no call of a named thing."""
        return self.dotted(node.func) if isinstance(node, ast.Call) else ""

    def within(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, the innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function_of(self, node: ast.AST) -> Function | None:
        """The function that a node stands in; None for the module itself."""
        return next((outer for outer in self.within(node) if isinstance(outer, Function)), None)

    def is_condition(self, node: ast.AST) -> bool:
        """Whether this sets the factor levels in force."""
        return self.called(node) == "lab.condition"

    def is_record(self, node: ast.AST) -> bool:
        """Whether this call only records or shows what it is given."""
        name = self.called(node)
        return name.startswith(("lab.", "wandb.", "logging.", "logger.")) or name == "print"


def names_in(node: ast.AST) -> Iterator[ast.Name]:
    """Every name in an expression."""
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.Name))


def names_set(node: ast.AST) -> set[str]:
    """Names that a statement may change: assigned, changed in place, or handed to a call."""
    found: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del):
            found.add(inner.id)
        if isinstance(inner, ast.Subscript | ast.Attribute) and isinstance(inner.ctx, ast.Store):
            found |= {root.id} if (root := root_of(inner)) else set()
        if isinstance(inner, ast.Call):
            found |= {name.id for part in (*inner.args, *inner.keywords) for name in names_in(part)}
            if isinstance(inner.func, ast.Attribute) and (root := root_of(inner.func)):
                found.add(root.id)
    return found


def root_of(node: ast.AST) -> ast.Name | None:
    """The name that a chain of attributes, places and calls begins with; None where it is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def not_a_number(script: Script, value: ast.expr) -> bool:
    """Whether this says honestly that there is no number."""
    if isinstance(value, ast.Constant):
        return value.value is None
    if script.dotted(value).rpartition(".")[2].lower() in {"nan", "inf", "pinf", "ninf"}:
        return True
    if script.called(value) != "float" or not isinstance(value, ast.Call) or not value.args:
        return False
    text = value.args[0]
    return isinstance(text, ast.Constant) and str(text.value).strip("+-").lower() in {"nan", "inf"}


def _imports(nodes: tuple[ast.AST, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _wandb_runs(script: Script) -> Iterator[str]:
    """Names that stand for the run that ``wandb.init`` gives."""
    for node in script.nodes:
        if isinstance(node, ast.Assign) and script.called(node.value) == "wandb.init":
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        if isinstance(node, ast.withitem) and script.called(node.context_expr) == "wandb.init":
            yield from (name.id for name in names_in(node.optional_vars or node.context_expr))


def _recorded(script: Script, node: ast.AST) -> Iterator[Recorded]:
    if isinstance(node, ast.Call):
        match script.called(node):
            case "lab.result":
                if (value := _argument(node, 1, "value")) is not None:
                    yield Recorded(node, _text(_argument(node, 0, "name")), value)
            case "wandb.log" | "wandb.run.log" | "wandb.summary.update" | "wandb.run.summary.update":
                if node.args and isinstance(node.args[0], ast.Dict):
                    yield from _of_dictionary(node, node.args[0])
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and script.dotted(target.value) in {
                "wandb.summary",
                "wandb.run.summary",
            }:
                yield Recorded(node, _text(target.slice), node.value)


def _of_dictionary(node: ast.AST, values: ast.Dict) -> Iterator[Recorded]:
    for key, value in zip(values.keys, values.values, strict=True):
        name = _text(key)
        if key is not None and not _SETTINGS & set(re.split(r"[^a-z]+", name.lower())):
            yield Recorded(node, name, value)


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return None
    if place < len(call.args):
        return call.args[place]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
