"""Preprocessing that learns from all rows before they are split."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from core.evidence.code_checks.leakage import says_test, says_train
from core.evidence.code_checks.script import Function, Script, names_in
from core.evidence.code_checks.warning import CodeWarning

LEARNS = {
    "StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "QuantileTransformer",
    "PowerTransformer", "KBinsDiscretizer", "SimpleImputer", "KNNImputer", "IterativeImputer",
    "SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe", "SelectFromModel",
    "GenericUnivariateSelect", "RFE", "RFECV", "SequentialFeatureSelector", "PCA", "KernelPCA",
    "TruncatedSVD", "FastICA", "NMF", "FactorAnalysis", "LinearDiscriminantAnalysis", "PLSRegression",
    "TfidfVectorizer", "CountVectorizer", "TargetEncoder", "SMOTE", "ADASYN", "RandomOverSampler",
}  # fmt: skip
"""Transformers that learn from many rows at once; those that look at one row, or only at which
categories there are, leak next to nothing."""

_SPLITS = {
    "train_test_split", "split", "cross_val_score", "cross_validate", "cross_val_predict",
    "array_split", "random_split",
}  # fmt: skip

_COLUMN_STATISTICS = frozenset({"mean", "std", "min", "max", "median", "var", "quantile"})


@dataclass(frozen=True)
class _Learned:
    """Rows that something learned from before they were split."""

    name: str
    line: int
    what: str
    scope: Function | None


def preprocessing_before_split(script: Script) -> Iterator[CodeWarning]:
    """Scalers, imputers, selections and vectorizers that are fitted on rows which are split later."""
    for node in script.nodes:
        if not isinstance(node, ast.Assign):
            continue
        what = _fitted_on_everything(script, node.value) or _scaled_by_hand(node.value)
        if not what:
            continue
        for target in node.targets:
            first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
            if not isinstance(first, ast.Name) or says_train(first.id) or says_test(first.id):
                continue
            learned = _Learned(first.id, node.lineno, what, script.function_of(node))
            if (line := _split_later(script, learned)) is not None:
                text = (
                    f"{what} learns from all rows of {first.id!r} before they are split in line {line}: "
                    "the training data know the test data"
                )
                yield CodeWarning("preprocessing before the split", node.lineno, text)


def _fitted_on_everything(script: Script, value: ast.expr) -> str:
    """What is fitted, where an expression is the result of fitting a transformer on all rows."""
    for call in (node for node in ast.walk(value) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        fitted: ast.expr | None = None
        if call.func.attr in {"fit_transform", "fit_resample"}:
            fitted = call.func.value
        elif call.func.attr == "transform":
            fitted = _fitted_before(script, call.func.value)
        name = _transformer(script, fitted) if fitted is not None else ""
        if name and _whole(call.args[0]):
            return name
    return ""


def _fitted_before(script: Script, receiver: ast.expr) -> ast.expr | None:
    """The transformer of ``T().fit(X).transform(X)``, or of ``t.fit(X)`` and then ``t.transform(X)``."""
    if isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Attribute):
        fitted = receiver.func.attr == "fit" and bool(receiver.args) and _whole(receiver.args[0])
        return receiver.func.value if fitted else None
    if not isinstance(receiver, ast.Name):
        return None
    fits = [
        node
        for node in script.nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"fit", "fit_transform"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == receiver.id
    ]
    return receiver if fits and all(call.args and _whole(call.args[0]) for call in fits) else None


def _transformer(script: Script, fitted: ast.expr) -> str:
    """The class of a transformer that learns from rows; empty for any other."""
    if isinstance(fitted, ast.Name):
        made = [
            node.value
            for node in script.nodes
            if isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == fitted.id for target in node.targets)
        ]
        names = {_transformer(script, value) for value in made if not isinstance(value, ast.Name)}
        return names.pop() if len(names) == 1 else ""
    last = script.called(fitted).rpartition(".")[2]
    if last in {"make_pipeline", "Pipeline"}:
        inner = (script.called(node).rpartition(".")[2] for node in ast.walk(fitted))
        return next((name for name in inner if name in LEARNS), "")
    return last if last in LEARNS else ""


def _whole(rows: ast.expr) -> bool:
    """Whether rows are all there are, as far as their names say."""
    if any(isinstance(node, ast.Subscript) and not _selects_columns(node) for node in ast.walk(rows)):
        return False
    names = [name.id for name in names_in(rows)]
    return bool(names) and not any(says_train(name) or says_test(name) for name in names)


def _selects_columns(subscript: ast.Subscript) -> bool:
    """Whether it takes columns of all rows: ``X[:, 1:]``, ``df["text"]``, ``df[columns]``."""
    place = subscript.slice
    if isinstance(place, ast.Tuple) and place.elts:
        first = place.elts[0]
        return isinstance(first, ast.Slice) and first.lower is None and first.upper is None
    if isinstance(place, ast.List | ast.Constant):
        return not (isinstance(place, ast.Constant) and isinstance(place.value, int))
    return isinstance(place, ast.Name) and any(
        word in place.id.lower() for word in ("col", "feature", "numeric")
    )


def _scaled_by_hand(value: ast.expr) -> str:
    """``(X - X.mean(axis=0)) / X.std(axis=0)`` and ``df.fillna(df.mean())``, of all rows."""
    for node in ast.walk(value):
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Sub)
            and isinstance(node.left, ast.Name)
            and _whole(node.left)
            and _of_columns(node.right, node.left.id)
        ):
            return "scaling by hand"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "fillna"
            and isinstance(node.func.value, ast.Name)
            and _whole(node.func.value)
            and any(_of_columns(part, node.func.value.id, frame=True) for part in node.args)
        ):
            return "filling of gaps"
    return ""


def _of_columns(node: ast.expr, name: str, *, frame: bool = False) -> bool:
    """Whether this is a statistic of each column of something."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    if node.func.attr not in _COLUMN_STATISTICS:
        return False
    whose = [node.func.value, *node.args[:1]]
    if not any(isinstance(part, ast.Name) and part.id == name for part in whose):
        return False
    places = [*node.args, *(k.value for k in node.keywords if k.arg in {"axis", "dim"})]
    return frame or any(isinstance(place, ast.Constant) and place.value == 0 for place in places)


def _split_later(script: Script, learned: _Learned) -> int | None:
    """The line in which such rows are split after all; None where they are not."""
    lines = []
    for node in script.nodes:
        line = getattr(node, "lineno", 0)
        if line <= learned.line or script.function_of(node) is not learned.scope:
            continue
        if isinstance(node, ast.Call):
            last = script.called(node).rpartition(".")[2] or _attribute(node.func)
            given = any(isinstance(part, ast.Name) and part.id == learned.name for part in node.args)
            if last in _SPLITS and given and not _of_text(node):
                lines.append(line)
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Load)
            and isinstance(node.value, ast.Name)
            and node.value.id == learned.name
            and any(says_train(name.id) or says_test(name.id) for name in names_in(node.slice))
        ):
            lines.append(line)
    return min(lines, default=None)


def _attribute(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def _of_text(call: ast.Call) -> bool:
    """Whether this splits text: ``"…".split(x)``."""
    return isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant)
