"""Gemini, through Google's own SDK: one streamed turn at a time, complete or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import ModelBusy, ModelError, ModelRejected, ModelUnusable
from core.keys.secret import Secret
from core.models.base import Delta, ToolCall, Turn, TurnRequest
from core.models.card import ModelCard
from core.models.gemini_faults import CHECK_ADDRESS, VENDOR, Address
from core.models.gemini_message import CUT, Answer
from core.models.gemini_request import CallIds, request_body
from core.models.live import LiveModel
from core.pricing import TokenPrices, Tokens

if TYPE_CHECKING:
    from core.models.gemini_stream import Connection

STALL_SECONDS = 300.0
"""The longest that the API is silent while it thinks; its thoughts are streamed."""

LIST_SECONDS = 30.0
"""The longest that listing models takes."""

PAGE_SIZE = 1000
"""Models in one page of the list, the most that the API gives."""


class GeminiModel:
    """A model of Google.

    Args:
        card: which one, what it costs and how it is asked to think.
        key: the key; None where the server wants none.
        base_url: where it is asked.
        stall_seconds: how long the server may be silent before a turn is given up and asked for again.
    """

    scripted = False

    def __init__(
        self, card: ModelCard, key: Secret | None, base_url: str, stall_seconds: float = STALL_SECONDS
    ) -> None:
        self.name = card.id
        self._card = card
        self._key = key
        self._base_url = base_url
        self._stall_seconds = stall_seconds
        self._cut: dict[str, int] = {}
        """Length of the conversation in which an agent's answer was cut last, in messages."""

    @property
    def prices(self) -> TokenPrices | None:
        """What its tokens cost today; None where unknown."""
        return self._card.prices_now

    def turn_price(self, request: TurnRequest) -> Decimal | None:
        """The most that this turn can cost, USD; None where the price is unknown."""
        if self.prices is None:
            return None
        body = request_body(self._card, request, CallIds(request.agent))
        return self.prices.cost(Tokens(input=self._bound(body), output=self._card.max_output_tokens))

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """Stream one turn; what the errors mean is said by ``Model``."""
        ids = CallIds(request.agent)
        body = request_body(self._card, request, ids)
        answer = Answer(self.name)
        try:
            connection = await _connection(self._key, self._base_url, self._stall_seconds, self._card.id)
            async with connection, aclosing(connection.events(body)) as events:
                async for event in events:
                    for delta in answer.take(event):
                        yield delta
            self._see_that_it_fits(request, answer)
            answer.require_complete()
        except ModelError as error:
            error.cost_usd = self._cost(body, answer)
            raise
        yield self._turn(answer, ids, self._cost(body, answer))

    def _turn(self, answer: Answer, ids: CallIds, cost_usd: Decimal | None) -> Turn:
        raw = answer.raw()
        return Turn(
            raw=raw,
            text=answer.text(thoughts=False),
            thoughts=answer.text(thoughts=True),
            calls=tuple(
                ToolCall(name, call["name"], call.get("args", {})) for name, call in ids.of_next(raw)
            ),
            usage=answer.tokens(),
            stop=answer.stop,
            cost_usd=cost_usd,
        )

    def _see_that_it_fits(self, request: TurnRequest, answer: Answer) -> None:
        """An answer that is cut at its longest is asked for once more, and no third time."""
        if answer.stop not in CUT:
            self._cut.pop(request.agent, None)
            return
        limit = f"{self._card.max_output_tokens:,} tokens"
        if self._cut.get(request.agent) == len(request.messages):
            raise ModelRejected(
                f"the answers of {self.name} do not fit the {limit} that a turn may have",
                "Ask for smaller steps, or choose another model.",
            )
        self._cut[request.agent] = len(request.messages)
        raise ModelBusy(f"the answer was cut at {limit}")

    def _cost(self, body: dict[str, Any], answer: Answer) -> Decimal | None:
        """What may be billed for as much of an answer as came, USD; None where the price is unknown.

        Where the server has not said how many tokens it was: no token is shorter than a byte.
        """
        if not answer.came and not answer.usage:
            return Decimal(0)
        tokens = answer.tokens()
        if "promptTokenCount" not in answer.usage:
            tokens = replace(tokens, input=self._bound(body))
        if "candidatesTokenCount" not in answer.usage:
            written = min(answer.came, self._card.max_output_tokens)
            tokens = replace(tokens, output=tokens.output + written)
        return self.prices.cost(tokens) if self.prices else None

    def _bound(self, body: dict[str, Any]) -> int:
        """The most tokens that a request can be."""
        size = len(json.dumps(body, ensure_ascii=False).encode(errors="replace"))
        return min(size, self._card.context_tokens)


async def list_models(key: Secret | None, base_url: str) -> tuple[LiveModel, ...]:
    """The models that can be asked for turns now, by id.

    Args:
        key: the key; None where the server wants none.
        base_url: where it is asked.

    Raises:
        ModelUnusable: the key or the address is refused.
        ModelBusy: another attempt can help.
    """
    async with await _connection(key, base_url, LIST_SECONDS) as connection:
        models = await connection.models(PAGE_SIZE)
    return tuple(
        LiveModel(
            id=(model.name or "").removeprefix("models/"),
            title=model.display_name or "",
            context_tokens=model.input_token_limit,
            max_output_tokens=model.output_token_limit,
        )
        for model in sorted(models, key=lambda model: model.name or "")
        if model.name and "generateContent" in (model.supported_actions or ("generateContent",))
    )


async def check_key(key: Secret, base_url: str) -> None:
    """See whether a key is accepted, without paying for a turn.

    Args:
        key: the key.
        base_url: where it is asked.

    Raises:
        ModelUnusable: it is refused, with the reason.
        ModelBusy: this cannot be told now.
    """
    async with await _connection(key, base_url, LIST_SECONDS) as connection:
        await connection.models(1, first_page=True)


async def _connection(key: Secret | None, base_url: str, stall_seconds: float, model: str = "") -> Connection:
    """A connection that is not yet open.

    Raises:
        ModelUnusable: there is no key, or it or the address cannot be one.
    """
    base_url = base_url.rstrip("/").removesuffix("/v1beta").removesuffix("/v1")
    address = Address(base_url, model)
    if not base_url.startswith(("https://", "http://")):
        raise ModelUnusable("the base URL of Gemini is no http address", CHECK_ADDRESS)
    if not key and address.official:
        raise ModelUnusable("there is no key for Google", VENDOR.key_next_step)
    # In a thread: importing the SDK takes half a second.
    await asyncio.to_thread(_load)
    from core.models.gemini_stream import Connection, Endpoint

    return Connection(Endpoint(base_url, key, stall_seconds), address)


def _load() -> None:
    from core.models.gemini_stream import warm_up

    warm_up()
