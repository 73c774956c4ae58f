"""What called functions do with values, as far as the checks know them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from core.evidence.code_checks.script import Script

if TYPE_CHECKING:
    from core.evidence.code_checks.assignments import Sources

TRANSPARENT = {
    "float", "int", "complex", "bool", "str", "round", "abs", "max", "min", "pow", "sorted", "reversed",
    "list", "tuple", "dict", "set", "frozenset", "range", "enumerate", "zip", "format", "divmod",
    "array", "asarray", "clip", "exp", "exp2", "log", "log2", "log10", "log1p", "expm1", "sqrt", "tanh",
    "sin", "cos", "tan", "power", "square", "linspace", "arange", "logspace", "geomspace", "full",
    "floor", "ceil", "tensor", "as_tensor", "sigmoid", "fabs", "float32", "float64", "maximum",
    "minimum", "round_", "around",
}  # fmt: skip
"""Functions whose result holds nothing but what they are given."""

AGGREGATES = {
    "sum", "mean", "median", "average", "std", "var", "stdev", "pstdev", "fmean", "quantile",
    "percentile", "fsum",
}  # fmt: skip
"""Functions that summarise: of many random numbers they tell something, of constants they do not."""

METHODS = {
    "item", "tolist", "copy", "astype", "reshape", "flatten", "ravel", "squeeze", "round", "clip",
    "get", "keys", "values", "items", "format", "strip", "lower", "upper", "pop", "index", "count",
    "max", "min", "cpu", "numpy", "detach",
}  # fmt: skip
"""Methods that give what their object holds."""

MUTATORS = {
    "append", "appendleft", "extend", "add", "insert", "update", "setdefault", "fill", "put",
}  # fmt: skip
"""Methods that put their arguments into their object."""

CONTAINERS = {
    "list", "dict", "set", "deque", "defaultdict", "Counter", "OrderedDict", "zeros", "empty", "ones",
    "full", "zeros_like", "empty_like", "ones_like", "full_like",
}  # fmt: skip
"""Calls that make something that others can fill."""

RANDOM = {
    "random", "uniform", "normal", "gauss", "randn", "rand", "randint", "integers", "standard_normal",
    "normalvariate", "triangular", "betavariate", "expovariate", "beta", "binomial", "poisson",
    "exponential", "lognormal", "random_sample", "randrange", "choice", "choices", "normal_",
    "rand_like", "randn_like",
}  # fmt: skip

_GENERATORS = {
    "default_rng", "RandomState", "Random", "SystemRandom", "Generator",
}  # fmt: skip
_LIKELY_GENERATORS = {
    "rng", "generator", "prng",
}  # fmt: skip


def is_random(script: Script, sources: Sources, call: ast.Call) -> bool:
    """Whether a call draws a random number."""
    name = script.called(call)
    module, _, last = name.rpartition(".")
    if last in RANDOM and module in {"random", "numpy.random", "torch"} and script.imported(call.func):
        return True
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in RANDOM):
        return False
    receiver = call.func.value
    if isinstance(receiver, ast.Call):
        return script.called(receiver).rpartition(".")[2] in _GENERATORS
    if not isinstance(receiver, ast.Name) or script.imported(receiver):
        return False
    made_by = {
        script.called(value).rpartition(".")[2] for value in sources.values_of(receiver) if value is not None
    }
    return bool(made_by & _GENERATORS) or receiver.id.lower() in _LIKELY_GENERATORS
