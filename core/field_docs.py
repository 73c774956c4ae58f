"""What the fields of a model are for, read from the docstrings below them when somebody asks.

Pydantic can read them, too, but does so whenever the class is made, and parsing its source then takes
longer than everything else about the class. The console has to be on the screen before that.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from functools import cache
from typing import Any

from pydantic import BaseModel


@cache
def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings of a model's fields by name, inherited ones included; fields may have none."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= _written_in(base)
    return {name: text for name, text in found.items() if name in model.model_fields}


def describe_fields(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Put the docstrings of a model's fields into its JSON schema; for ``json_schema_extra``."""
    docs = field_docs(model)
    for name, field in schema.get("properties", {}).items():
        if name in docs:
            field.setdefault("description", docs[name])


def _written_in(base: type[BaseModel]) -> dict[str, str]:
    """The docstrings of the fields that a class itself declares."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in itertools.pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
