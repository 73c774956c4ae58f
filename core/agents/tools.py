"""The tools that agents have: what a model may ask for, and how an answer comes back.

Schemas come from pydantic. Arguments that do not validate, and tools that raise ``ToolError``, go
back to the model as an error that it can repair.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ToolError
from core.experiment import Proposal
from core.models.base import ToolCall, ToolResult, ToolSpec

Section: TypeAlias = Literal["overview", "summary", "findings", "scripts", "measurements"]
"""A part of what is known about an experiment."""


class Arguments(BaseModel):
    """Arguments of a tool; the docstrings of its fields are what the model reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ProposeExperiments(Arguments):
    """Propose the experiments of one round. Each is priced and waits for approval before it runs."""

    experiments: tuple[Proposal, ...] = Field(min_length=1, max_length=32)
    """The experiments of this round; they may run at the same time."""


class WaitForResults(Arguments):
    """Wait until an experiment ends or a decision about one is made, and read what happened."""


class ReadReport(Arguments):
    """Read about one experiment again, or more of it than you were told when it ended."""

    experiment: str
    """The experiment's id, e.g. ``E2``."""
    section: Section = "overview"
    """``overview`` is what you were told when it ended. The others are whole, up to their bounds:
    ``summary`` and ``findings`` of its researcher, ``scripts`` with their code, ``measurements``."""


class ReadLog(Arguments):
    """Read lines of what a script printed. What is left out of an answer is named in it."""

    exec: str
    """The exec's id, e.g. ``E2-1``."""
    from_line: int = Field(default=1, ge=1)
    """The first line; lines count from 1."""
    to_line: int = Field(ge=1)
    """The last line."""


class FinishResearch(Arguments):
    """End the research: nothing more is proposed, and the paper is written from what was measured."""

    summary: str = Field(min_length=1, max_length=8000)
    """What was found, in a few sentences, negative results included."""


class RunPython(Arguments):
    """Run a Python script in the experiment's sandbox and read what it printed and measured."""

    code: str = Field(min_length=1, max_length=400_000)
    """The whole script. It records with ``import lab``; files it writes stay in the sandbox."""
    purpose: str = Field(default="", max_length=200)
    """A few words for the human who watches."""
    trial: bool = False
    """True while debugging: nothing that a trial measures counts as evidence."""


class RecordFinding(Arguments):
    """Tell the human one thing that was just learned, while the work goes on."""

    text: str = Field(min_length=1, max_length=600)
    """One sentence."""


class SubmitResult(Arguments):
    """End this experiment. The verdict is computed from the recorded measurements alone."""

    summary: str = Field(min_length=1, max_length=8000)
    """What was done and seen, deviations from the plan included."""


class AskHuman(Arguments):
    """Ask the human one question and wait for the answer."""

    question: str = Field(min_length=1, max_length=2000)
    """What you need to know, and what you will do with each answer."""


class SubmitPaper(Arguments):
    """Submit the paper. Every number in it must be an expression over measurements."""

    title: str = Field(min_length=1, max_length=200)
    """The title; no numbers."""
    abstract: str = Field(min_length=1, max_length=6000)
    """The abstract, in the paper's syntax."""
    body: str = Field(min_length=1, max_length=200_000)
    """The sections in Markdown, in the paper's syntax."""


ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)


@dataclass(frozen=True)
class Reply:
    """What a tool gives back.

    Attributes:
        text: what the model reads.
        ends: whether the agent's work is done with this call.
    """

    text: str
    ends: bool = False


@dataclass(frozen=True)
class Tool(Generic[ArgumentsT]):
    """A tool and what it does.

    Attributes:
        name: what the model calls.
        arguments: the pydantic model that its arguments must fit.
        use: does it; takes the arguments and the call's id. The id makes the effect repeatable:
            an engine that starts again makes the same call again and gets the same effect once.
    """

    name: str
    arguments: type[ArgumentsT]
    use: Callable[[ArgumentsT, str], Awaitable[Reply]]

    @property
    def spec(self) -> ToolSpec:
        """The tool as a model sees it; its description is the docstring of its arguments."""
        schema = self.arguments.model_json_schema()
        description = schema.pop("description", "")
        return ToolSpec(self.name, description, schema)


class Toolbox:
    """The tools of one agent."""

    def __init__(self, *tools: Tool[Any]) -> None:
        self._tools: Mapping[str, Tool[Any]] = {tool.name: tool for tool in tools}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """All tools as a model sees them."""
        return tuple(tool.spec for tool in self._tools.values())

    async def answer(self, call: ToolCall) -> tuple[ToolResult, bool]:
        """Do what a call asks for.

        Returns:
            The result for the model, and whether the agent's work is done.
        """
        try:
            reply = await self._use(call)
        except ToolError as error:
            return ToolResult(call.id, str(error), error=True), False
        return ToolResult(call.id, reply.text), reply.ends

    async def _use(self, call: ToolCall) -> Reply:
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(f"there is no tool {call.name!r}", f"There are: {', '.join(self._tools)}.")
        try:
            arguments = tool.arguments.model_validate(dict(call.arguments))
        except ValidationError as error:
            raise ToolError(explain(error), "Nothing was done. Call it again with these mended.") from None
        return await tool.use(arguments, call.id)


def explain(error: ValidationError) -> str:
    """A validation error as lines that a model (or a person) can act on."""
    lines = [
        f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()[:10]
    ]
    more = error.error_count() - len(lines)
    return "the arguments do not fit: " + "; ".join(lines) + (f"; and {more} more" if more > 0 else "")
