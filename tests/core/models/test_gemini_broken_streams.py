"""Streams of Gemini that go wrong, and what the caller of a turn gets: dropped whole, and paid."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from core.errors import (
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelRejected,
    ModelUnusable,
)
from core.models.base import Delta
from tests.core.models.gemini_turns import busy, card, failure, model, request, turn
from tests.fakes.gemini_server import (
    BLOCKED_PROMPT,
    USAGE,
    GeminiServer,
    begins,
    call,
    event,
    fault,
    framed,
    reason,
    retry_in,
    says,
    sends,
    streams,
    text,
    thought,
)


def test_an_error_inside_the_stream_means_what_it_means_outside_and_its_part_is_billed() -> None:
    inside = streams([event([text("I was")], usageMetadata=USAGE), fault(503, "The model is overloaded.")])
    error = busy(inside)
    assert "is overloaded (status 503)" in error.message
    assert error.cost_usd == Decimal("0.00328")
    refused = failure(streams([fault(400, "API key not valid.", details=[reason("API_KEY_INVALID")])]))
    assert isinstance(refused, ModelUnusable)
    limited = busy(streams([event([text("a")]), fault(429, "Slow down.", details=[retry_in("3s")])]))
    assert limited.after_seconds == 3


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"error": "out of order"}\n\n',
        b'data: {"error": {"message": "no code"}}\n\n',
        b'data: {"version": 2, "error": {"code": 503, "message": "late"}}\n\n',
        b'{"error": {\n  "code": 503,\n  "message": "without a frame"\n}}\n',
        b'[{"error": {"code": 503, "message": "in a list"}}]',
    ],
)
def test_an_error_in_an_odd_frame_is_an_error_all_the_same(body: bytes) -> None:
    assert "(status 50" in busy(sends(body)).message


@pytest.mark.parametrize(
    "rest",
    [
        b'data: {"candidates": [{"content": {"parts": [{"te',
        b"data: null\r\n\r\n",
        b"data: [1, 2]\r\n\r\n",
        b"data: {oops}\r\n\r\n",
        b'data: {"a": NaN}\r\n\r\n',
        b"data: \xff\xfe\r\n\r\n",
        b"no event at all",
    ],
)
def test_an_answer_that_is_garbled_counts_for_nothing(rest: bytes) -> None:
    error = busy(sends(framed(event([call("run_python", "c1", code="1")])), rest))
    assert "broken off or garbled" in error.message


def test_a_line_that_is_cut_in_the_middle_of_an_event_is_called_that() -> None:
    error = busy(begins(text("I was"), then="cut", usage=USAGE))
    assert "connection" in error.message
    assert "cut" in error.message
    assert error.cost_usd == Decimal("0.00328")


def test_a_part_that_nobody_counted_costs_nobody_knows_what() -> None:
    for of in (card(), card(prices=None)):
        error = busy(begins(text("I was"), then="cut"), of=of)
        assert (error.cost_usd, error.unsettled_usd) == (None, Decimal(0))


def test_a_part_whose_question_was_counted_costs_that_and_what_came_and_the_rest_is_unsettled() -> None:
    half = busy(begins(text("I was"), call("look", at="x"), then="cut", usage={"promptTokenCount": 1000}))
    came = math.ceil(len('I was{"name": "look", "args": {"at": "x"}}') / 3)
    assert half.cost_usd == Decimal("0.002") + came * Decimal("0.00001")
    assert half.cost_usd + half.unsettled_usd == Decimal("0.002") + 65_536 * Decimal("0.00001")


def test_a_stream_that_ends_early_and_clean_is_no_turn() -> None:
    error = busy(says(text("So I "), call("run_python", "c1", code="1"), finish=None))
    assert "ended its stream in the middle of an answer" in error.message


def test_the_sdk_does_not_continue_a_cut_answer_by_itself() -> None:
    first = event([text("So I ")])
    first["candidates"][0]["continuationToken"] = "AAAA"
    assert "in the middle of an answer" in busy(streams([first])).message


def test_a_server_that_falls_silent_is_given_up_after_the_stall_limit() -> None:
    error = busy(begins(text("Well"), then="stall"), stall_seconds=0.1)
    assert "has sent nothing for 0.1 seconds" in error.message


def test_a_server_that_never_begins_to_answer_is_given_up_too() -> None:
    async def silent(exchange: Any) -> None:
        await exchange.stall()

    error = busy(silent, stall_seconds=0.1)
    assert "has sent nothing for 0.1 seconds" in error.message
    assert error.cost_usd == 0


def test_a_server_that_sends_only_signs_of_life_is_given_up_too() -> None:
    async def alive(exchange: Any) -> None:
        await exchange.begin()
        while not exchange.disconnected.is_set():
            await exchange.send(b": still here\n\n")
            await asyncio.sleep(0.01)

    assert "has sent nothing for 0.1 seconds" in busy(alive, stall_seconds=0.1).message


def test_a_blocked_prompt_is_refused_with_its_reason_and_billed() -> None:
    error = failure(BLOCKED_PROMPT)
    assert isinstance(error, ModelRefused)
    assert "PROHIBITED_CONTENT" in error.message
    assert error.cost_usd == Decimal("0.002")


@pytest.mark.parametrize("word", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"])
def test_an_answer_that_a_filter_stopped_is_refused_with_its_reason(word: str) -> None:
    error = failure(says(text("Well"), finish=word))
    assert isinstance(error, ModelRefused)
    assert word in error.message
    assert error.cost_usd == Decimal("0.00328")


@pytest.mark.parametrize("word", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "OTHER"])
def test_an_answer_that_went_wrong_by_chance_may_be_asked_for_again(word: str) -> None:
    last = event((), word, usageMetadata=USAGE)
    last["candidates"][0]["finishMessage"] = "Malformed function call: print(run_python("
    error = busy(streams([event([thought("Hm")]), last]))
    assert word in error.message
    assert "Malformed function call" in error.message


@pytest.mark.parametrize(
    ("word", "kind"), [("WEATHER", ModelRejected), ("PUP_LIMITED_DISABLED", ModelUnusable)]
)
def test_an_answer_that_stopped_for_another_reason_is_not_asked_for_again(
    word: str, kind: type[ModelError]
) -> None:
    error = failure(says(text("Well"), finish=word))
    assert type(error) is kind
    assert word in error.message


@pytest.mark.parametrize("parts", [(), (text(""),), (thought("Hm"),), (text(" \n"),)])
def test_an_answer_without_anything_in_it_may_be_asked_for_again(parts: Sequence[Any]) -> None:
    assert "an empty answer" in busy(says(*parts)).message


@pytest.mark.parametrize(
    "broken",
    [
        {"args": {}},
        {"name": "", "args": {}},
        {"name": "run_python", "args": "code"},
        {"name": "run_python", "args": None},
        {"name": "run_python", "args": {"code": "1"}, "willContinue": True},
        {"name": "run_python", "partialArgs": [{"jsonPath": "$.code"}]},
        None,
    ],
)
def test_a_tool_call_that_is_not_whole_never_runs(broken: Any) -> None:
    whole = call("run_python", "c1", code="1")
    assert "cannot be read" in busy(says(whole, {"functionCall": broken})).message


def test_an_answer_that_is_too_long_is_asked_for_once_more_and_no_third_time() -> None:
    async def ask() -> None:
        cut = says(text("Once upon"), call("run_python", "c1", code="1"), finish="MAX_TOKENS")
        async with GeminiServer(cut, cut, cut, says(text("Short.")), cut) as server:
            asked = model(server)
            with pytest.raises(ModelBusy, match="cut at 65,536 tokens") as first:
                await turn(asked)
            assert first.value.cost_usd == Decimal("0.00328")
            with pytest.raises(ModelBusy):
                await turn(asked, request(agent="E2"))
            with pytest.raises(ModelRejected, match="do not fit the 65,536 tokens"):
                await turn(asked)
            assert (await turn(asked)).text == "Short."
            with pytest.raises(ModelBusy):
                await turn(asked)

    asyncio.run(ask())


def test_what_came_before_a_fault_was_shown_but_is_no_turn() -> None:
    async def ask() -> list[Any]:
        shown: list[Any] = []
        async with GeminiServer(begins(text("I was"), text(" about"), then="cut")) as server:
            stream = model(server).turn(request())
            shown += [await anext(stream), await anext(stream)]
            with pytest.raises(ModelBusy):
                await anext(stream)
        return shown

    assert asyncio.run(ask()) == [Delta("text", "I was"), Delta("text", " about")]
