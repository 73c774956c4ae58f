"""Claude, through Anthropic's own SDK: one turn at a time, complete or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

from core.errors import ContextFull, ModelError, ModelRefused
from core.keys.secret import Secret
from core.models.base import Delta, ToolCall, Turn, TurnRequest
from core.models.billing import Bill, Received, bill_of, price_at_most
from core.models.card import ModelCard
from core.models.claude_connection import STALL_SECONDS, ClaudeConnection
from core.models.claude_message import MessageStream
from core.models.claude_request import encoded, request_body
from core.models.faults import ANOTHER_MODEL, OTHER_WORDS, no_list
from core.models.live import LiveModel
from core.models.longest_answer import LongestAnswer
from core.pricing import TokenPrices, Tokens

MODELS_PATH = "/v1/models"
MODELS_PER_PAGE = 1000
MOST_PAGES = 10
"""No provider serves more models than that; what says it does repeats itself."""


class ClaudeModel:
    """A Claude, or another model behind the same API.

    A turn is retried by its caller, never here.

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
        self._longest = LongestAnswer(card)

    @property
    def prices(self) -> TokenPrices | None:
        """What its tokens cost today; None where unknown."""
        return self.card.prices_now

    def turn_price(self, request: TurnRequest) -> Decimal | None:
        """The most that this turn can cost, USD; None where the price is unknown."""
        return price_at_most(self.card, len(encoded(request_body(self.card, request))))

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
            self._bill(answer).put_on(error)
            raise
        yield turn

    def _complete(self, request: TurnRequest, answer: MessageStream) -> Turn:
        """The turn of a stream that has ended.

        Raises:
            ModelError: it is not one that can be gone on with.
        """
        if answer.ended and answer.stop_reason == "max_tokens":
            raise self._longest.passed(request)
        if answer.ended and answer.stop_reason == "model_context_window_exceeded":
            raise ContextFull(f"the conversation fills all that {self.name} can read", ANOTHER_MODEL)
        if answer.ended and answer.stop_reason == "refusal":
            raise _refused(self.name, answer.stop_details)
        raw = answer.message()
        self._longest.kept(request)
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
            cost_usd=self._bill(answer).cost_usd,
        )

    def _bill(self, answer: MessageStream) -> Bill:
        received = Received(answer.tokens(), answer.written_bytes, answer.begun, answer.ended)
        return bill_of(self.card, received)


async def check_key(key: Secret | None, base_url: str) -> None:
    """Find out, without any cost, whether a key opens the door.

    Raises:
        ModelUnusable: it does not.
        ModelRejected: that cannot be found out there: the server has no list of models.
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
            raise no_list(connection.address)
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
    return ModelRefused(f"{name} declined to answer{because}", OTHER_WORDS)


def _joined(blocks: list[dict[str, Any]], kind: str) -> str:
    """What all blocks of a kind say; the kind is also the name of the field that says it."""
    texts = (block.get(kind) for block in blocks if block.get("type") == kind)
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)
