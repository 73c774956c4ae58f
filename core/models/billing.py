"""What an attempt at a turn may be billed, counted alike for every provider.

============================  =======================================================================
an attempt that               is taken to cost
============================  =======================================================================
nothing came of               nothing
is whole                      what the server counted
is not whole                  what the server counted of the input, and of the output the larger of its
                              count so far and of what came; and up to the longest answer *unsettled*:
                              the server may have written, and thought unseen, more than it sent
the server did not count      an unknown amount, at most ``price_at_most``
has no known price            an unknown amount
============================  =======================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from core.errors import ModelError
from core.models.card import ModelCard
from core.pricing import TokenPrices, Tokens

BYTES_PER_TOKEN = 3
"""How much text a token holds at least, on average; for what came and was not counted by the provider."""


@dataclass(frozen=True)
class Received:
    """What came of an answer.

    Attributes:
        tokens: as the server counted them so far; None where it did not.
        written_bytes: how much text and how many arguments of calls came, bytes.
        begun: whether anything came at all.
        whole: whether the server said that this was all, so that its counts are the last ones.
    """

    tokens: Tokens | None
    written_bytes: int
    begun: bool
    whole: bool


@dataclass(frozen=True)
class Bill:
    """What an attempt cost.

    Attributes:
        cost_usd: as far as it is known, USD; None where that is unknown.
        unsettled_usd: what may have been billed beyond that, at most, USD.
    """

    cost_usd: Decimal | None
    unsettled_usd: Decimal = Decimal(0)

    def put_on(self, error: ModelError) -> None:
        """Let an error say what it cost."""
        error.cost_usd, error.unsettled_usd = self.cost_usd, self.unsettled_usd


def price_at_most(card: ModelCard, request_bytes: int) -> Decimal | None:
    """The most that a turn can cost, USD; None where the price is unknown.

    No token is shorter than a byte, no more is read than the model can hold, and all of it may go in at
    the price of a token that the cache keeps, which is the dearest.
    """
    prices = card.prices_now
    if prices is None:
        return None
    read, written = min(request_bytes, card.context_tokens), card.max_output_tokens
    return max(prices.cost(Tokens(read, written)), prices.cost(Tokens(read, written, cache_written=read)))


def bill_of(card: ModelCard, received: Received) -> Bill:
    """What an attempt cost, by the table above."""
    prices, tokens = card.prices_now, received.tokens
    if not received.begun or (prices is not None and _is_free(prices)):
        return Bill(Decimal(0))
    if prices is None or tokens is None:
        return Bill(None)
    if received.whole:
        return Bill(prices.cost(tokens))
    came = max(tokens.output, math.ceil(received.written_bytes / BYTES_PER_TOKEN))
    cost = prices.cost(_with_output(tokens, came))
    most = prices.cost(_with_output(tokens, max(came, card.max_output_tokens)))
    return Bill(cost, most - cost)


def _is_free(prices: TokenPrices) -> bool:
    return prices.cost(Tokens(1, 1)) == 0


def _with_output(tokens: Tokens, output: int) -> Tokens:
    return Tokens(tokens.input, output, tokens.cached, tokens.cache_written)
