"""Gemini, through Google's own SDK: one streamed turn at a time, complete or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal
from typing import TYPE_CHECKING

from core.errors import ModelError, ModelUnusable
from core.keys.secret import Secret
from core.models.base import Delta, ToolCall, Turn, TurnRequest
from core.models.billing import Bill, Received, bill_of, price_at_most
from core.models.card import ModelCard
from core.models.faults import Address
from core.models.gemini_message import CUT, Answer
from core.models.gemini_request import CallIds, request_body
from core.models.live import LiveModel
from core.models.longest_answer import LongestAnswer
from core.models.vendors import VENDORS
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
        self._longest = LongestAnswer(card)

    @property
    def prices(self) -> TokenPrices | None:
        """What its tokens cost today; None where unknown."""
        return self._card.prices_now

    def turn_price(self, request: TurnRequest) -> Decimal | None:
        """The most that this turn can cost, USD; None where the price is unknown."""
        body = request_body(self._card, request, CallIds(request.agent))
        return price_at_most(self._card, len(json.dumps(body, ensure_ascii=False).encode(errors="replace")))

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
            if answer.stop in CUT:
                raise self._longest.passed(request)
            answer.require_complete()
        except ModelError as error:
            self._bill(answer).put_on(error)
            raise
        self._longest.kept(request)
        yield self._turn(answer, ids)

    def _turn(self, answer: Answer, ids: CallIds) -> Turn:
        raw = answer.raw()
        return Turn(
            raw=raw,
            text=answer.text(thoughts=False),
            thoughts=answer.text(thoughts=True),
            calls=tuple(
                ToolCall(name, call["name"], call.get("args", {})) for name, call in ids.of_next(raw)
            ),
            usage=answer.tokens() or Tokens(),
            stop=answer.stop,
            cost_usd=self._bill(answer).cost_usd,
        )

    def _bill(self, answer: Answer) -> Bill:
        received = Received(answer.tokens(), answer.written_bytes, answer.begun, answer.ended)
        return bill_of(self._card, received)


async def list_models(key: Secret | None, base_url: str) -> tuple[LiveModel, ...]:
    """The models that can be asked for turns now, by id.

    Args:
        key: the key; None where the server wants none.
        base_url: where it is asked.

    Raises:
        ModelError: it could not be asked.
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
    """Find out, without any cost, whether a key opens the door.

    Args:
        key: the key.
        base_url: where it is asked.

    Raises:
        ModelUnusable: it does not.
        ModelRejected: that cannot be found out there: the server has no list of models.
        ModelBusy: that cannot be found out now.
    """
    async with await _connection(key, base_url, LIST_SECONDS) as connection:
        await connection.models(1, first_page=True)


async def _connection(key: Secret | None, base_url: str, stall_seconds: float, model: str = "") -> Connection:
    """A connection that is not yet open.

    Raises:
        ModelUnusable: there is no key, or it or the address cannot be one.
    """
    base_url = base_url.rstrip("/").removesuffix("/v1beta").removesuffix("/v1")
    address = Address(VENDORS["google"], base_url, model, keyed=bool(key))
    if not address.usable:
        raise ModelUnusable("the base URL of Gemini is no http address", address.check)
    if not key and address.official:
        raise ModelUnusable("there is no key for Google", address.vendor.key_next_step)
    # In a thread: importing the SDK takes half a second.
    await asyncio.to_thread(_load)
    from core.models.gemini_stream import Connection, Endpoint

    return Connection(Endpoint(base_url, key, stall_seconds), address)


def _load() -> None:
    from core.models.gemini_stream import warm_up

    warm_up()
