"""Every way in which Gemini is known to fail, and what the caller of a turn gets."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest

from core.errors import (
    ContextFull,
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelRejected,
    ModelUnusable,
)
from core.keys.secret import Secret
from core.models.base import Delta
from core.models.gemini import GeminiModel, list_models
from tests.core.models.gemini_turns import KEY, card, model, request, turn
from tests.fakes.gemini_server import (
    BAD_KEY,
    BLOCKED_PROMPT,
    NO_SUCH_MODEL,
    OVERLOADED,
    RATE_LIMITED,
    TOO_LONG,
    USAGE,
    GeminiServer,
    begins,
    call,
    event,
    fails,
    fault,
    framed,
    quota,
    reason,
    retry_in,
    says,
    sends,
    streams,
    text,
    thought,
)
from tests.fakes.streaming_server import Answer


def failure(answer: Answer, **settings: Any) -> ModelError:
    """The error of a turn, which the server is asked for exactly once."""

    async def ask() -> ModelError:
        async with GeminiServer(answer) as server:
            with pytest.raises(ModelError) as caught:
                await turn(model(server, **settings))
            assert len(server.exchanges) == 1, "the SDK asked again by itself"
            return caught.value

    return asyncio.run(ask())


def busy(answer: Answer, **settings: Any) -> ModelBusy:
    error = failure(answer, **settings)
    assert isinstance(error, ModelBusy)
    return error


def test_a_rate_limit_names_the_delay_that_google_asks_for() -> None:
    error = busy(RATE_LIMITED)
    assert (error.after_seconds, error.cost_usd) == (0.01, Decimal(0))
    assert "limits how fast it is asked (status 429): You exceeded your current quota" in error.message


def test_a_used_up_daily_quota_is_called_that_and_not_waited_for() -> None:
    details = [quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), retry_in("36.429760048s")]
    error = failure(fails(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", details))
    assert isinstance(error, ModelUnusable), "asking on until midnight is of no use"
    assert error.message.startswith("today's quota of this key at 127.0.0.1")
    assert "midnight Pacific time" in error.next_step


def test_a_plan_without_the_model_is_not_waited_for() -> None:
    said = "Quota exceeded for metric: generate_content_free_tier_requests, limit: 0, model: gemini-a"
    error = failure(fails(429, said, "RESOURCE_EXHAUSTED", [retry_in("30s")]))
    assert isinstance(error, ModelUnusable)
    assert "billing" in error.next_step


@pytest.mark.parametrize(("header", "least", "most"), [("7", 7, 7), ("0.5", 0.5, 0.5), ("soon", None, None)])
def test_a_delay_in_the_headers_counts_where_the_details_name_none(
    header: str, least: float | None, most: float | None
) -> None:
    error = busy(fails(503, "Overloaded.", "UNAVAILABLE", headers={"retry-after": header}))
    assert error.after_seconds == least == most


def test_a_delay_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    error = busy(fails(429, "Slow down.", headers={"retry-after": at}))
    assert error.after_seconds is not None
    assert 0 < error.after_seconds <= 60


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504])
def test_a_server_that_fails_may_be_asked_again(status: int) -> None:
    error = busy(fails(status, "Something went wrong.", "INTERNAL"))
    assert f"(status {status}): Something went wrong" in error.message
    assert (error.after_seconds, error.cost_usd) == (None, Decimal(0))


def test_an_overloaded_model_is_called_that() -> None:
    assert "is overloaded (status 503)" in busy(OVERLOADED).message


def test_a_failure_without_json_is_told_from_its_status() -> None:
    async def answer(exchange: Any) -> None:
        await exchange.respond(502, b"<html>Bad Gateway</html>", {"content-type": "text/html"})

    assert "failed (status 502)" in busy(answer).message


@pytest.mark.parametrize(
    "answer",
    [
        BAD_KEY,
        fails(400, "API key expired. Please renew the API key.", "INVALID_ARGUMENT"),
        fails(400, "API Key not found. Please pass a valid API key.", "INVALID_ARGUMENT"),
        fails(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED"),
        fails(403, "Your API key was reported as leaked. Please use another API key.", "PERMISSION_DENIED"),
    ],
)
def test_a_key_that_is_refused_needs_a_human_and_says_what_to_do(answer: Answer) -> None:
    error = failure(answer)
    assert isinstance(error, ModelUnusable)
    assert "fumehood keys set GOOGLE_API_KEY" in error.next_step
    assert KEY.reveal() not in str(error)


def test_a_project_without_billing_needs_a_human_too() -> None:
    error = failure(fails(403, "Billing is disabled.", "PERMISSION_DENIED", [reason("BILLING_DISABLED")]))
    assert isinstance(error, ModelUnusable)
    assert "billing" in error.next_step
    precondition = failure(
        fails(400, "User location is not supported for the API use.", "FAILED_PRECONDITION")
    )
    assert isinstance(precondition, ModelUnusable)
    assert "User location is not supported" in precondition.message


def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_message() -> None:
    error = failure(
        fails(401, f"Bad key {KEY.reveal()}\x1b[31m!\nSee ?key={KEY.reveal()}.", "UNAUTHENTICATED")
    )
    assert KEY.reveal() not in str(error)
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)


def test_an_unknown_model_is_named_with_the_way_to_the_known_ones() -> None:
    error = failure(NO_SUCH_MODEL)
    assert isinstance(error, ModelUnusable)
    assert "knows no model 'gemini-a'" in error.message
    assert "fumehood models" in error.next_step


@pytest.mark.parametrize(
    "answer",
    [
        fails(404, ""),
        fails(302, "", headers={"location": "http://127.0.0.1:1/"}),
        sends(b"<html>", headers={"content-type": "text/html"}),
    ],
)
def test_an_address_where_no_gemini_answers_is_to_be_checked(answer: Answer) -> None:
    error = failure(answer)
    assert isinstance(error, ModelUnusable)
    assert "base URL" in error.next_step


def test_a_conversation_that_is_too_long_is_called_that() -> None:
    error = failure(TOO_LONG)
    assert isinstance(error, ContextFull)
    assert "1200293" in error.message


def test_a_bad_request_is_not_repeated() -> None:
    error = failure(fails(400, "Invalid JSON payload received. Unknown name.", "INVALID_ARGUMENT"))
    assert type(error) is ModelRejected
    assert "Unknown name" in error.message


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


def test_nobody_at_the_address_is_told_once_and_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(ModelBusy, match=r"cannot connect to 127\.0\.0\.1") as caught:
        asyncio.run(turn(GeminiModel(card(), KEY, url)))
    assert caught.value.cost_usd == 0
    assert "base URL" in caught.value.next_step


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:80", "http://", ""])
def test_an_address_that_is_none_is_to_be_checked(url: str) -> None:
    with pytest.raises(ModelUnusable) as caught:
        asyncio.run(turn(GeminiModel(card(), KEY, url)))
    assert "base URL" in caught.value.next_step


def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:1")
    with pytest.raises(ModelUnusable, match="proxy"):
        asyncio.run(list_models(KEY, "https://gemini.invalid"))


def test_no_proxy_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def ask() -> str:
        async with GeminiServer(says(text("Yes."))) as server:
            return (await turn(model(server))).text

    assert asyncio.run(ask()) == "Yes."


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


def test_faults_of_the_list_are_typed_as_well() -> None:
    async def ask(answer: Answer) -> ModelError:
        async with GeminiServer(answer) as server:
            with pytest.raises(ModelError) as caught:
                await list_models(Secret("a-key-for-this-test"), server.base_url)
            return caught.value

    async def page(exchange: Any) -> None:
        await exchange.respond(200, b"<html>", {"content-type": "text/html"})

    assert isinstance(asyncio.run(ask(BAD_KEY)), ModelUnusable)
    assert isinstance(asyncio.run(ask(RATE_LIMITED)), ModelBusy)
    for no_list in (page, fails(404, "Not found."), fails(501, "Not here.")):
        error = asyncio.run(ask(no_list))
        assert type(error) is ModelRejected
        assert "has no list of models" in error.message
