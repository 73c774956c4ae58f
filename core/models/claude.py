"""Claude, through Anthropic's own SDK: one turn at a time, complete or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

from core.errors import ContextFull, ModelBusy, ModelError, ModelRefused, ModelRejected, ModelUnusable
from core.keys.secret import Secret
from core.models.base import Delta, ToolCall, Turn, TurnRequest
from core.models.card import ModelCard
from core.models.claude_connection import STALL_SECONDS, ClaudeConnection
from core.models.claude_message import MessageStream
from core.models.claude_request import encoded, request_body
from core.models.live import LiveModel
from core.pricing import TokenPrices, Tokens

MODELS_PATH = "/v1/models"
MODELS_PER_PAGE = 1000
MOST_PAGES = 10
"""No provider serves more models than that; what says it does repeats itself."""


class ClaudeModel:
    """A Claude, or another model behind the same API.

    A turn is retried by its caller, never here. One that the limit on its length cut is dropped like any
    other that is not whole; where the same turn is cut again, asking on would only cost money.

    Args:
        card: the model.
        key: what opens the door; None or empty for a server that wants none.
        base_url: where the API is.
        stall_seconds: how long the server may be silent in the middle of an answer, seconds.
    """

    scripted = False

    def __init__(
        self, card: ModelCard, key: Secret | None, base_url: str, *, stall_seconds: float = STALL_SECONDS
    ) -> None:
        self.card = card
        self.name = card.id
        self._connection = ClaudeConnection(key, base_url, card.id, stall_seconds)
        self._cut: dict[str, int] = {}
        """Length of the conversation in which an agent's turn was cut last, in messages."""

    @property
    def prices(self) -> TokenPrices | None:
        """What its tokens cost today; None where unknown."""
        return self.card.prices_now

    def turn_price(self, request: TurnRequest) -> Decimal | None:
        """The most that this turn can cost, USD; None where the price is unknown.

        Every byte of the request counts as a token that goes in at the dearest price there is, which is
        that of a token that the cache keeps.
        """
        if self.prices is None:
            return None
        read = min(len(encoded(request_body(self.card, request))), self.card.context_tokens)
        output = self.card.max_output_tokens
        return max(
            self.prices.cost(Tokens(read, output)),
            self.prices.cost(Tokens(read, output, cache_written=read)),
        )

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """Stream one turn; see ``Model``."""
        answer = MessageStream()
        try:
            async with self._connection.events(encoded(request_body(self.card, request))) as events:
                async for event in events:
                    if delta := answer.take(event):
                        yield delta
                    if answer.ended:
                        break
            turn = self._complete(request, answer)
        except ModelError as error:
            error.cost_usd = self._cost(answer)
            raise
        yield turn

    def _complete(self, request: TurnRequest, answer: MessageStream) -> Turn:
        """The turn of a stream that has ended.

        Raises:
            ModelError: it is not one that can be gone on with.
        """
        if answer.ended and answer.stop_reason == "max_tokens":
            raise self._too_long(request)
        if answer.ended and answer.stop_reason == "model_context_window_exceeded":
            raise ContextFull(
                f"the conversation fills all that {self.name} can read", "Choose a model that reads more."
            )
        if answer.ended and answer.stop_reason == "refusal":
            raise _refused(self.name, answer.stop_details)
        raw = answer.message()
        self._cut.pop(request.agent, None)
        blocks = raw["content"]
        return Turn(
            raw=raw,
            text=_joined(blocks, "text"),
            thoughts=_joined(blocks, "thinking"),
            calls=tuple(
                ToolCall(block["id"], block["name"], block["input"])
                for block in blocks
                if block.get("type") == "tool_use"
            ),
            usage=answer.tokens() or Tokens(),
            stop=answer.stop_reason,
            cost_usd=self._cost(answer),
        )

    def _too_long(self, request: TurnRequest) -> ModelError:
        limit = f"{self.card.max_output_tokens:,} tokens"
        if self._cut.get(request.agent) == len(request.messages):
            return ModelRejected(
                f"the answers of {self.name} do not fit the {limit} that a turn may have",
                "Ask for smaller steps, or choose another model.",
            )
        self._cut[request.agent] = len(request.messages)
        return ModelBusy(f"the answer was cut at {limit}")

    def _cost(self, answer: MessageStream) -> Decimal | None:
        """What the provider may bill for what came, USD; None where that is unknown."""
        prices, tokens = self.prices, answer.tokens()
        if not answer.begun:
            return Decimal(0)
        if prices is None or tokens is None:
            # Whatever the count, nothing is what a free model costs.
            free = prices is not None and prices.cost(Tokens(1, 1)) == 0
            return Decimal(0) if free else None
        return prices.cost(tokens)


async def check_key(key: Secret | None, base_url: str) -> None:
    """Find out, without any cost, whether a key opens the door.

    A server other than Anthropic's that has no list of models is taken to accept the key.

    Raises:
        ModelUnusable: it does not.
        ModelBusy: that cannot be found out now.
    """
    await ClaudeConnection(key, base_url).get(MODELS_PATH, {"limit": 1})


async def list_models(key: Secret | None, base_url: str) -> tuple[LiveModel, ...]:
    """The models that a server says it serves, in its own order.

    Raises:
        ModelError: it could not be asked.
    """
    connection = ClaudeConnection(key, base_url)
    query: dict[str, object] = {"limit": MODELS_PER_PAGE}
    found: dict[str, LiveModel] = {}
    for _ in range(MOST_PAGES):
        page = await connection.get(MODELS_PATH, query)
        if not isinstance(page, dict) or not isinstance(entries := page.get("data"), list):
            raise ModelUnusable(f"{connection.address.host} does not list its models")
        for entry in entries:
            if isinstance(entry, dict) and isinstance(name := entry.get("id"), str):
                found[name] = _live_model(name, entry)
        last = page.get("last_id")
        if not page.get("has_more") or not isinstance(last, str) or query.get("after_id") == last:
            break
        query = {"limit": MODELS_PER_PAGE, "after_id": last}
    return tuple(found.values())


def _live_model(name: str, entry: Mapping[str, Any]) -> LiveModel:
    def count(field: str) -> int | None:
        value = entry.get(field)
        return value if type(value) is int and value > 0 else None

    title = entry.get("display_name")
    return LiveModel(
        name, title if isinstance(title, str) else "", count("max_input_tokens"), count("max_tokens")
    )


def _refused(name: str, details: Mapping[str, Any]) -> ModelRefused:
    said = details.get("explanation") or details.get("category")
    because = f": {' '.join(said.split())[:200].rstrip('.')}" if isinstance(said, str) else ""
    return ModelRefused(
        f"{name} declined to answer{because}", "Put the question in other words, or choose another model."
    )


def _joined(blocks: list[dict[str, Any]], kind: str) -> str:
    """What all blocks of a kind say; the kind is also the name of the field that says it."""
    texts = (block.get(kind) for block in blocks if block.get("type") == kind)
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)
