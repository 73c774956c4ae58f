"""Every place of a script that holds a value, with everything that is put there."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from core.evidence.code_checks.calls import AGGREGATES, CONTAINERS, METHODS, MUTATORS, TRANSPARENT
from core.evidence.code_checks.script import Function, Script, root_of


class Place(NamedTuple):
    """Where a value is held: a name in a function or in the module (None), or a function's ``return``."""

    scope: Function | None
    name: str


@dataclass(frozen=True)
class Source:
    """One thing that is put into a place.

    Attributes:
        value: the expression; None for what cannot be followed.
        depends_on: what decides whether it is put there.
    """

    value: ast.expr | None
    depends_on: tuple[ast.expr, ...] = ()


UNKNOWN = Source(None)


class Sources:
    """What is put into every place.

    Attributes:
        by_place: the sources of each place.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self.by_place: dict[Place, list[Source]] = defaultdict(list)
        self._changes: dict[str, list[Source]] = defaultdict(list)
        self._functions = _functions(script)
        self._outer_names = _outer_names(script)
        for node in script.nodes:
            self._take(node)
        for function in {f for f in script.nodes if isinstance(f, Function)}:
            self._take_parameters(function)
        self._take_changes()

    def place_of(self, name: ast.Name) -> Place | None:
        """Where a name that is read is held; None where the script puts nothing there."""
        scope = self._script.function_of(name)
        while True:
            place = Place(scope, name.id)
            if place in self.by_place:
                return place
            if scope is None:
                return None
            scope = self._script.function_of(scope)

    def values_of(self, name: ast.Name) -> list[ast.expr | None]:
        """Everything that a name may hold."""
        place = self.place_of(name)
        return [source.value for source in self.by_place[place]] if place else []

    def function_called(self, call: ast.Call) -> Function | None:
        """The script's own function that is called, where its result can be followed."""
        return self._functions.get(call.func.id) if isinstance(call.func, ast.Name) else None

    def _take(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._put(target, value, node)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._put(target, value, node)
            case ast.NamedExpr(target=target, value=value):
                self._put(target, value, node)
            case ast.AugAssign(target=target, value=value):
                self._put(target, value, node)
            case ast.For(target=target, iter=iterated) | ast.comprehension(target=target, iter=iterated):
                self._put(target, iterated, node)
            case ast.AsyncFor(target=target):
                self._put(target, None, node)
            case ast.withitem(optional_vars=ast.expr() as target):
                self._put(target, None, node)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                self.by_place[self._place(name, node)].append(UNKNOWN)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.by_place[self._place(name, node)].append(UNKNOWN)
            case ast.Return(value=value):
                function = self._script.function_of(node)
                self.by_place[Place(function, "return")].append(Source(value, self._tests(node)))
            case ast.Call():
                self._take_call(node)

    def _put(self, target: ast.expr, value: ast.expr | None, node: ast.AST) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else None
            pairwise = values is not None and len(values) == len(target.elts)
            for number, inner in enumerate(target.elts):
                self._put(inner, values[number] if pairwise and values else value, node)
        elif isinstance(target, ast.Starred):
            self._put(target.value, value, node)
        elif isinstance(target, ast.Name):
            place = self._place(target.id, node)
            # How often a function adds to a name from outside depends on who calls it.
            outside = isinstance(node, ast.AugAssign) and place.scope is not self._script.function_of(node)
            self.by_place[place].append(UNKNOWN if outside else Source(value, self._tests(node)))
        elif (root := root_of(target)) is not None:
            self._changes[root.id].append(Source(value, self._tests(node)))

    def _take_call(self, call: ast.Call) -> None:
        """What a call may put into what it is given, or into the object that it is a method of."""
        if self._script.is_record(call):
            return
        last = self._script.called(call).rpartition(".")[2]
        if last not in TRANSPARENT | AGGREGATES:
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                if isinstance(argument, ast.Name):
                    self._changes[argument.id].append(UNKNOWN)
        if isinstance(call.func, ast.Attribute) and not self._script.imported(call.func):
            root = root_of(call.func.value)
            if root is None:
                return
            if call.func.attr in MUTATORS:
                given = (*call.args, *(keyword.value for keyword in call.keywords))
                self._changes[root.id] += [Source(value, self._tests(call)) for value in given]
            elif call.func.attr not in METHODS | AGGREGATES:
                self._changes[root.id].append(UNKNOWN)

    def _take_parameters(self, function: Function) -> None:
        """What the script's own calls give to a function; where there are others, nobody knows."""
        names = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        if function.args.vararg or function.args.kwarg or isinstance(function, ast.Lambda):
            names += [extra for extra in (function.args.vararg, function.args.kwarg) if extra]
        calls = self._calls_of(function)
        for number, parameter in enumerate(names):
            sources = [UNKNOWN] if not calls else [_given(call, number, parameter.arg) for call in calls]
            self.by_place[Place(function, parameter.arg)] += sources

    def _calls_of(self, function: Function) -> list[ast.Call]:
        """Every call of a function; empty where it is also used in another way."""
        name = "" if isinstance(function, ast.Lambda) else function.name
        if self._functions.get(name) is not function:
            return []
        uses = [n for n in self._script.nodes if isinstance(n, ast.Name) and n.id == name]
        calls = [c for use in uses if isinstance(c := self._script.parents[use], ast.Call) and c.func is use]
        return calls if len(calls) == len(uses) else []

    def _take_changes(self) -> None:
        """Add what is put into containers; one that is never seen to be filled is filled out of sight."""
        for (_, name), sources in self.by_place.items():
            values = [source.value for source in sources if source.value is not None]
            if any(_is_container(self._script, value) for value in values):
                empty = any(_has_room(self._script, value) for value in values)
                sources += self._changes.get(name) or ([UNKNOWN] if empty else [])

    def _place(self, name: str, node: ast.AST) -> Place:
        scope = self._script.function_of(node)
        return Place(None if (scope, name) in self._outer_names else scope, name)

    def _tests(self, node: ast.AST) -> tuple[ast.expr, ...]:
        """What decides whether, or how often, a statement is reached."""
        found: list[ast.expr] = []
        inner = node
        for outer in self._script.within(node):
            if isinstance(outer, Function):
                break
            if isinstance(outer, ast.If | ast.While | ast.IfExp) and inner is not outer.test:
                found.append(outer.test)
            if isinstance(outer, ast.Match):
                found.append(outer.subject)
            if isinstance(node, ast.AugAssign) and isinstance(outer, ast.For | ast.While):
                found += [outer.iter] if isinstance(outer, ast.For) else []
                found += _exits(outer)
            inner = outer
        return tuple(found)


def _exits(loop: ast.For | ast.While) -> Iterator[ast.expr]:
    """What decides when a loop is left early."""
    for node in ast.walk(loop):
        if isinstance(node, ast.If) and any(isinstance(inner, ast.Break) for inner in ast.walk(node)):
            yield node.test


def _functions(script: Script) -> dict[str, Function]:
    """Functions by name that can be followed: plain, and the only ones of their name."""
    found: dict[str, Function] = {}
    twice: set[str] = set()
    for node in script.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name in found:
                twice.add(node.name)
            yields = any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node))
            in_class = isinstance(script.parents.get(node), ast.ClassDef)
            if isinstance(node, ast.FunctionDef) and not (node.decorator_list or yields or in_class):
                found[node.name] = node
    return {name: function for name, function in found.items() if name not in twice}


def _outer_names(script: Script) -> set[tuple[Function | None, str]]:
    """Names that functions take from outside; they count as the module's."""
    return {
        (script.function_of(node), name)
        for node in script.nodes
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }


def _given(call: ast.Call, number: int, name: str) -> Source:
    """What one call gives to a parameter."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return UNKNOWN
    if number < len(call.args):
        return Source(call.args[number])
    named = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return UNKNOWN if named is None else Source(named)


def _is_container(script: Script, value: ast.expr) -> bool:
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return True
    return script.called(value).rpartition(".")[2] in CONTAINERS


def _has_room(script: Script, value: ast.expr) -> bool:
    """Whether a container is made empty, or holds one that is, to be filled later."""
    for inner in ast.walk(value):
        if isinstance(inner, ast.List) and not inner.elts:
            return True
        if isinstance(inner, ast.Dict) and not inner.keys:
            return True
        if isinstance(inner, ast.Call) and script.called(inner).rpartition(".")[2] in CONTAINERS:
            return True
    return False
