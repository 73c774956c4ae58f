"""What models are told about the fields of what they propose: the docstrings, word for word."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from core.agents.tools import ProposeExperiments
from core.experiment import Hypothesis, Proposal
from core.field_docs import describe_fields, field_docs


class Plain(BaseModel):
    """A model whose schema says what its fields are for."""

    model_config = ConfigDict(json_schema_extra=describe_fields)

    first: int
    """What comes
    first."""
    silent: int
    known: int = Field(default=1, description="As it says itself.")
    """Not this."""


class More(Plain):
    """One that inherits."""

    first: int
    """Now told otherwise."""
    last: int = 2
    """What comes last."""


def described(model: type[BaseModel]) -> dict[str, str | None]:
    return {name: field.get("description") for name, field in model.model_json_schema()["properties"].items()}


def test_a_schema_says_what_is_written_below_the_fields() -> None:
    assert described(Plain) == {
        "first": "What comes\nfirst.",
        "silent": None,
        "known": "As it says itself.",
    }


def test_what_is_inherited_is_described_too_unless_it_was_told_otherwise() -> None:
    assert described(More)["first"] == "Now told otherwise."
    assert described(More)["known"] == "As it says itself."
    assert described(More)["last"] == "What comes last."


def test_every_field_that_a_model_proposes_is_described_but_for_what_tells_criteria_apart() -> None:
    schema = ProposeExperiments.model_json_schema()
    silent = {
        f"{model}.{name}"
        for model, part in schema["$defs"].items()
        for name, field in part["properties"].items()
        if not field.get("description")
    }
    assert silent == {"Differs.kind", "Equivalent.kind", "InRange.kind"}
    assert field_docs(Proposal)["title"] == "A few words for the plan."
    hypothesis = schema["$defs"]["Hypothesis"]["properties"]
    assert hypothesis["metric"]["description"] == field_docs(Hypothesis)["metric"] == "What is measured."
    assert schema["$defs"]["Differs"]["required"] == ["direction", "kind"]
