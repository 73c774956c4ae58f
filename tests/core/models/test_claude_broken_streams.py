"""Streams of Claude that go wrong, through the real SDK over a real socket: dropped whole, and paid."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import ContextFull, ModelBusy, ModelError, ModelRefused, ModelRejected, ModelUnusable
from core.pricing import FREE
from tests.core.models.claude_turns import (
    CARD,
    MILLION,
    READ_USD,
    claude,
    fault,
    request,
    take,
    with_server,
)
from tests.fakes.anthropic_server import (
    AnthropicServer,
    Break,
    breaks,
    cuts_call,
    error,
    events_of,
    message,
    says,
    streams,
    text,
    thinking,
    tool_use,
)

# Inside the stream

EVERY_EVENT = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
]


@pytest.mark.parametrize(
    ("how", "says_so"),
    [
        ("cut", "broke in the middle of the answer"),
        ("end", "ended before it was complete"),
        ("stall", "sent nothing more for"),
        ("garbage", "not JSON"),
        ("bad bytes", "is no text"),
        ("error", "is overloaded"),
    ],
)
@pytest.mark.parametrize("after", EVERY_EVENT)
def test_a_turn_that_is_not_whole_is_dropped_with_what_it_may_have_cost(
    how: Break, says_so: str, after: str
) -> None:
    blocks = (thinking("Hm, " * 30), tool_use("look", at="it " * 40))
    got = fault(
        breaks(how, *blocks, after=after, error_type="overloaded_error"),
        stall_seconds=0.25 if how == "stall" else 5,
    )
    assert type(got) is ModelBusy
    assert says_so in got.message
    assert got.cost_usd is not None
    assert READ_USD < got.cost_usd < READ_USD + (120 + 140) * 25 / MILLION
    assert got.cost_usd + got.unsettled_usd == READ_USD + 32_000 * 25 / MILLION


def test_a_server_that_only_shows_that_it_is_alive_is_given_up_in_the_end() -> None:
    got = fault(breaks("pings"), stall_seconds=0.2)
    assert type(got) is ModelBusy
    assert "nothing but signs of life for 0.8 s" in got.message
    assert got.cost_usd is not None
    assert got.cost_usd > READ_USD


@pytest.mark.parametrize("how", ["cut", "end", "stall", "garbage", "error"])
def test_a_turn_that_nothing_came_of_costs_nothing(how: Break) -> None:
    got = fault(breaks(how, after="", error_type="overloaded_error"), stall_seconds=0.1)
    assert type(got) is ModelBusy
    assert got.cost_usd == 0


@pytest.mark.parametrize(("prices", "cost"), [(None, None), (FREE, Decimal(0))])
def test_a_dropped_turn_of_unknown_price_has_an_unknown_cost(prices: object, cost: Decimal | None) -> None:
    async def ask(server: AnthropicServer) -> None:
        model = claude(server, replace(CARD, prices=FREE if prices else None))
        with pytest.raises(ModelBusy) as raised:
            await take(model, request())
        assert (raised.value.cost_usd, raised.value.unsettled_usd) == (cost, Decimal(0))

    with_server(AnthropicServer(breaks("cut")), ask)


@pytest.mark.parametrize(
    ("kind", "error_type"),
    [
        ("overloaded_error", ModelBusy),
        ("api_error", ModelBusy),
        ("timeout_error", ModelBusy),
        ("rate_limit_error", ModelBusy),
        ("an_error_of_tomorrow", ModelBusy),
        ("authentication_error", ModelUnusable),
        ("permission_error", ModelUnusable),
        ("billing_error", ModelUnusable),
        ("not_found_error", ModelUnusable),
        ("invalid_request_error", ModelRejected),
        ("request_too_large", ContextFull),
    ],
)
def test_an_error_within_a_stream_is_told_by_its_type_for_its_status_is_200(
    kind: str, error_type: type[ModelError]
) -> None:
    got = fault(breaks("error", error_type=kind))
    assert type(got) is error_type
    assert "so it says" in got.message
    assert "status 200" not in got.message
    assert got.cost_usd is not None
    assert got.cost_usd > READ_USD


def test_an_error_within_a_stream_is_seen_without_a_line_that_says_its_type() -> None:
    events = [*events_of(message(text("so")))[:3], error("overloaded_error", "Overloaded")]
    assert "is overloaded" in fault(streams(*events, named=False)).message


# Endings


def test_an_answer_that_was_cut_at_its_limit_is_asked_for_once_more_and_then_no_more() -> None:
    cut = cuts_call("look", '{"at": "a long way')

    async def ask(server: AnthropicServer) -> None:
        model = claude(server)
        with pytest.raises(ModelBusy, match="cut at 32,000 tokens") as first:
            await take(model, request())
        assert first.value.cost_usd == READ_USD + 50 * 25 / MILLION
        with pytest.raises(ModelRejected, match="do not fit the 32,000 tokens") as second:
            await take(model, request())
        assert second.value.cost_usd == first.value.cost_usd
        assert first.value.unsettled_usd == second.value.unsettled_usd == 0
        assert "smaller steps" in second.value.next_step

    with_server(AnthropicServer(cut, cut), ask)


def test_a_turn_that_fits_after_all_wipes_out_that_one_before_was_cut() -> None:
    cut = says(text("and so on"), stop="max_tokens")

    async def ask(server: AnthropicServer) -> None:
        model = claude(server)
        for answer in ("cut", "whole", "cut"):
            if answer == "whole":
                await take(model, request())
                continue
            with pytest.raises(ModelBusy):
                await take(model, request())

    with_server(AnthropicServer(cut, says(text("ok")), cut), ask)


def test_an_answer_that_fills_what_the_model_can_read_is_the_end_of_a_conversation() -> None:
    got = fault(says(text("and so on"), stop="model_context_window_exceeded"))
    assert type(got) is ContextFull
    assert got.cost_usd == READ_USD + 50 * 25 / MILLION


def test_a_refusal_is_no_turn_and_is_told_with_its_reason_and_its_cost() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "This may\nhelp to do harm."}
    got = fault(says(text("I can"), stop="refusal", stop_details=details))
    assert type(got) is ModelRefused
    assert got.message == "claude-opus-5 declined to answer: This may help to do harm"
    assert got.next_step
    assert got.cost_usd == READ_USD + 50 * 25 / MILLION
    assert fault(says(stop="refusal")).message == "claude-opus-5 declined to answer"


def test_arguments_that_were_cut_never_become_a_call_whatever_the_reason_to_stop() -> None:
    got = fault(cuts_call("look", '{"at": "a long way', stop="tool_use"))
    assert type(got) is ModelBusy
    assert "not JSON" in got.message
