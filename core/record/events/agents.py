"""Events about agents: their turns and the tools that they call."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from core.record.events.base import Event


class AgentStarted(Event):
    """An agent has its instructions. They never change, so that histories can be resent exactly."""

    type: Literal["agent.started"] = "agent.started"
    once: ClassVar[str | None] = "agent"
    agent: str
    """``orchestrator``, ``writer`` or an experiment's id."""
    model: str
    scripted: bool
    system: str
    tools: tuple[dict[str, Any], ...]
    """Names, descriptions and schemas as the model sees them."""
    prompt: str
    """The first message."""
    prompts_version: str


class TurnStarted(Event):
    """A model is asked for a turn."""

    type: Literal["turn.started"] = "turn.started"
    agent: str
    number: int
    """The agent's turns count from 1."""
    message_ids: tuple[str, ...] = ()
    """Messages of the human that arrive with this turn."""
    remark: str = ""
    """What the engine tells the agent with this turn."""
    reserved_usd: Decimal = Decimal(0)
    """Kept free of the cap until the turn's cost is known, USD; 0 inside an experiment that has a
    reservation, which covers it."""
    at_most_usd: Decimal | None = Decimal(0)
    """The most that it can be billed, USD; None where the price is unknown. This is what counts against
    the cap where nobody was there to learn what it was billed: its engine died, or it was cut off."""


class TurnRetried(Event):
    """A turn was not complete and is asked for again."""

    type: Literal["turn.retried"] = "turn.retried"
    agent: str
    number: int
    reason: str
    after_seconds: float
    cost_usd: Decimal | None = Decimal(0)
    """What the dropped attempt was billed as far as that is known, USD; None where it is unknown."""
    unsettled_usd: Decimal = Decimal(0)
    """What it may have been billed beyond that, at most, USD."""


class TurnFailed(Event):
    """A turn was not complete, and asking for it again cannot help now."""

    type: Literal["turn.failed"] = "turn.failed"
    agent: str
    number: int
    reason: str
    next_step: str = ""
    cost_usd: Decimal | None = Decimal(0)
    """What the dropped attempt was billed as far as that is known, USD; None where it is unknown."""
    unsettled_usd: Decimal = Decimal(0)
    """What it may have been billed beyond that, at most, USD."""
    pauses: bool
    """Whether the run pauses: no agent asks for a turn until a human acted and another engine began."""


class Call(BaseModel):
    """A tool call of a turn."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")
    id: str
    """Unique in the conversation."""
    name: str
    arguments: dict[str, Any]
    given_id: str | None = None
    """The provider's own id where it was not unique; the result is sent under it."""


class TurnFinished(Event):
    """A turn is complete; it is never paid again."""

    type: Literal["turn.finished"] = "turn.finished"
    agent: str
    number: int
    raw: dict[str, Any]
    """The provider's own message, resent exactly."""
    text: str
    thoughts: str
    calls: tuple[Call, ...]
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_written_tokens: int = 0
    stop: str = ""
    cost_usd: Decimal | None = None
    """USD; None where it is unknown, because the price is or because the provider did not count."""


class ToolAnswered(Event):
    """A tool call has its result."""

    type: Literal["tool.answered"] = "tool.answered"
    agent: str
    call_id: str
    text: str
    error: bool = False
    ends: bool = False
    """Whether the agent's work is done with it."""


class ResultsTold(Event):
    """The orchestrator is being told how these experiments ended."""

    type: Literal["results.told"] = "results.told"
    call_id: str
    experiment_ids: tuple[str, ...]


class AgentEnded(Event):
    """An agent will take no further turn."""

    type: Literal["agent.ended"] = "agent.ended"
    agent: str
    outcome: Literal["done", "gave up", "out of turns", "out of budget", "failed", "killed"]
    message: str = ""
