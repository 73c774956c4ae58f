"""Every fault of Gemini's servers before they answer, and what the caller of a turn gets."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest

from core.errors import (
    ContextFull,
    ModelBusy,
    ModelError,
    ModelRejected,
    ModelUnusable,
)
from core.keys.secret import Secret
from core.models.gemini import GeminiModel, list_models
from tests.core.models.gemini_turns import KEY, busy, card, failure, model, turn
from tests.fakes.gemini_server import (
    BAD_KEY,
    NO_SUCH_MODEL,
    OVERLOADED,
    RATE_LIMITED,
    TOO_LONG,
    GeminiServer,
    fails,
    quota,
    reason,
    retry_in,
    says,
    sends,
    text,
)
from tests.fakes.streaming_server import Answer


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
