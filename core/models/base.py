"""What every language model can do: one turn at a time, streamed, complete or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol, TypeAlias

from core.pricing import TokenPrices, Tokens


@dataclass(frozen=True)
class ToolSpec:
    """A tool as a model sees it.

    Attributes:
        name: what the model calls.
        description: what it does, when to use it, what comes back.
        schema: JSON schema of its arguments.
    """

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """One use of a tool that a turn asked for.

    Attributes:
        id: the provider's own id, unique in the conversation.
        name: the tool.
        arguments: as the model gave them, not yet validated.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ToolResult:
    """The answer to one call.

    Attributes:
        call_id: the call that it answers.
        text: what the model reads.
        error: whether the call failed and the model should repair it.
    """

    call_id: str
    text: str
    error: bool = False


@dataclass(frozen=True)
class UserMessage:
    """What we say to the model: results of its calls, then text; both may be empty, not at once."""

    text: str = ""
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class ModelMessage:
    """What the model said, as the provider's own JSON; resent exactly as it came.

    Attributes:
        raw: the provider's message; opaque to everything but that provider's module.
    """

    raw: Mapping[str, Any]


Message: TypeAlias = UserMessage | ModelMessage


@dataclass(frozen=True)
class TurnRequest:
    """Everything that one turn depends on.

    Attributes:
        agent: whose turn it is: ``orchestrator``, ``writer`` or an experiment's id.
        system: the system text; the same for every turn of an agent.
        tools: the tools it may call; the same for every turn of an agent.
        messages: the conversation so far, append-only, ending in a ``UserMessage``.
    """

    agent: str
    system: str
    tools: tuple[ToolSpec, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Delta:
    """A piece of a turn while it streams; worth nothing once the turn is complete."""

    kind: Literal["thought", "text", "call"]
    text: str


@dataclass(frozen=True)
class Turn:
    """One complete answer of a model.

    Attributes:
        raw: the provider's own message as JSON, signatures included.
        text: what it says, for people.
        thoughts: what it thinks, as far as the provider shows it.
        calls: the tools it wants to use, in order.
        usage: tokens that it is billed by.
        stop: why it stopped, in the provider's word.
        cost_usd: what this turn cost, USD; None where the price is unknown.
    """

    raw: Mapping[str, Any]
    text: str
    thoughts: str
    calls: tuple[ToolCall, ...]
    usage: Tokens = field(default_factory=Tokens)
    stop: str = ""
    cost_usd: Decimal | None = None


class Model(Protocol):
    """A language model."""

    name: str
    """What people call it, e.g. ``claude-opus-5`` or ``scripted:bagging``."""
    scripted: bool
    """True where turns are read from a file; shown wherever the model is named."""

    @property
    def prices(self) -> TokenPrices | None:
        """What its tokens cost today; None where unknown."""

    def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """Stream one turn: any number of deltas, then exactly one ``Turn``.

        Cancelling the task that iterates ends the request at once.

        Raises:
            ModelBusy: the turn is not complete and may be asked for again.
            ModelUnusable: no turn of this model can succeed until a human acts.
            ContextFull: the conversation is longer than the model can read.
            ModelRejected: asking again cannot help for another reason.
            ModelRefused: the model declined.
        """

    def turn_price(self, request: TurnRequest) -> Decimal | None:
        """The most that this turn can cost, USD; None where the price is unknown.

        Used to keep enough of the cap free before it starts. An upper bound: no token is shorter than a
        byte, and no answer is longer than the model may write.
        """
