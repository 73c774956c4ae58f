"""Models and transformations that are fitted on test data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from core.evidence.code_checks.script import Script
from core.evidence.code_checks.warning import CodeWarning

FITS = frozenset({"fit", "fit_transform", "fit_predict", "partial_fit", "fit_resample"})

_TEST = frozenset(
    {"test", "testing", "xtest", "ytest", "testset", "testx", "testy", "holdout", "heldout", "te"}
)
_TRAIN = frozenset({"train", "training", "trn", "tr", "fit", "not", "without", "non", "rest"})

_PICTURES = re.compile(r"(?i)t_?sne|umap|\bmds\b|isomap|pca_?(2d|plot)|oracle|upper")
"""Receivers that are fitted for a picture, or on purpose."""

_OTHERS = frozenset({"setdiff1d", "delete", "drop", "logical_not", "difference", "len", "shape_of"})
"""Calls that give what is *not* named, or no rows at all."""


def fits_on_test_data(script: Script) -> Iterator[CodeWarning]:
    """Calls of ``fit`` and its kind whose rows are called test rows."""
    stops_early = any(
        isinstance(node, ast.keyword) and node.arg in {"early_stopping_rounds", "early_stopping"}
        for node in script.nodes
    )
    for node in script.nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in FITS or _PICTURES.search(ast.unparse(node.func.value)[:200]):
            continue
        given = [*node.args[:2], *(k.value for k in node.keywords if k.arg in {"X", "x", "y"})]
        found = next((name for part in given for name in test_rows(part)), None)
        if found is not None:
            text = f"'{node.func.attr}' is given {found!r}: what is fitted has seen the test data"
            yield CodeWarning("fitted on test data", node.lineno, text)
        elif stops_early:
            yield from _steered(node)


def _steered(call: ast.Call) -> Iterator[CodeWarning]:
    for keyword in call.keywords:
        if keyword.arg == "eval_set" and (found := next(test_rows(keyword.value), None)):
            text = f"training is stopped by {found!r} (eval_set): the test data choose the model"
            yield CodeWarning("fitted on test data", call.lineno, text)


def test_rows(node: ast.AST) -> Iterator[str]:
    """Names in an expression by which it takes test rows, not those by which it leaves them out."""
    match node:
        case ast.UnaryOp(op=ast.Invert() | ast.Not()):
            return
        case ast.Compare(ops=[ast.NotEq() | ast.IsNot() | ast.NotIn(), *_]):
            return
        case ast.BinOp(left=left, op=ast.Sub()):
            yield from test_rows(left)
            return
        case ast.Call() if _last(node.func) in _OTHERS or _inverted(node):
            return
        case ast.Name(id=name) | ast.Attribute(attr=name) if says_test(name):
            yield name
            return
        case ast.Name(id=name) | ast.Attribute(attr=name) if says_train(name):
            return
        case ast.Subscript(slice=ast.Constant(value=str(name))) if says_test(name):
            yield name
            return
    for inner in ast.iter_child_nodes(node):
        yield from test_rows(inner)


def says_test(name: str) -> bool:
    """Whether a name says that it holds test rows."""
    words = _words(name)
    if words & _TRAIN or not words & _TEST:
        return False
    return words & _TEST != {"te"} or bool(re.fullmatch(r"(?i)[a-z]_te", name))


def says_train(name: str) -> bool:
    """Whether a name says that it holds training rows."""
    return bool(_words(name) & {"train", "training", "trn", "tr", "xtrain", "ytrain", "trainset"})


def _words(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {word.lower() for word in re.split(r"[^A-Za-z]+", spaced) if word}


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _inverted(call: ast.Call) -> bool:
    return any(keyword.arg in {"invert", "assume_unique"} for keyword in call.keywords)
