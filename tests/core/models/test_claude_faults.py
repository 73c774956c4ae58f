"""Every fault of Claude's servers before they answer, through the real SDK over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from core.errors import ContextFull, ModelBusy, ModelError, ModelRejected, ModelUnusable
from core.models.claude_faults import of_response
from core.models.faults import Address, asked_delay
from core.models.vendors import VENDORS
from tests.core.models.claude_turns import (
    claude,
    fault,
    request,
    take,
)
from tests.fakes.anthropic_server import (
    KEY,
    AnthropicServer,
    breaks,
    hangs_up,
    refuses,
    silent,
)


@pytest.mark.parametrize(
    ("status", "kind", "words", "error_type", "says_so", "next_step"),
    [
        (429, "rate_limit_error", "slow down", ModelBusy, "limits how fast", ""),
        (529, "overloaded_error", "Overloaded", ModelBusy, "is overloaded", ""),
        (503, "api_error", "later", ModelBusy, "is overloaded", ""),
        (500, "api_error", "Internal server error", ModelBusy, "failed (status 500)", ""),
        (502, "api_error", "bad gateway", ModelBusy, "failed (status 502)", ""),
        (504, "timeout_error", "too slow", ModelBusy, "failed (status 504)", ""),
        (408, "timeout_error", "too slow", ModelBusy, "failed (status 408)", ""),
        (409, "conflict_error", "again", ModelBusy, "failed (status 409)", ""),
        (401, "authentication_error", "invalid x-api-key", ModelUnusable, "refused the key", "keys set"),
        (403, "permission_error", "not yours", ModelUnusable, "does not allow this key", "keys set"),
        (402, "billing_error", "pay first", ModelUnusable, "wants to be paid", "Add credit"),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            ModelUnusable,
            "wants to be paid",
            "Add credit",
        ),
        (403, "billing_error", "suspended", ModelUnusable, "wants to be paid", "Add credit"),
        (
            404,
            "not_found_error",
            "model: claude-opus-5",
            ModelUnusable,
            "knows no model 'claude-opus-5'",
            "fumehood models",
        ),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 208310 tokens > 200000 maximum",
            ContextFull,
            "longer than claude-opus-5 can read",
            "another model",
        ),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
            ContextFull,
            "longer than",
            "another model",
        ),
        (413, "request_too_large", "Request exceeds the maximum size", ContextFull, "larger than", "another"),
        (
            400,
            "invalid_request_error",
            "tools.0: no",
            ModelRejected,
            "refused the request (status 400)",
            "Resume",
        ),
        (422, "invalid_request_error", "no", ModelRejected, "refused the request (status 422)", "Resume"),
    ],
)
def test_a_status_is_said_in_one_line_with_the_next_step(
    status: int, kind: str, words: str, error_type: type[ModelError], says_so: str, next_step: str
) -> None:
    got = fault(refuses(status, kind, words))
    assert type(got) is error_type
    assert says_so in got.message
    assert words.rstrip(".") in got.message
    assert "\n" not in str(got)
    assert next_step in got.next_step
    assert bool(next_step) == bool(got.next_step)
    assert got.cost_usd == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "8"}, 8.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Mon, 01 Jan 2001 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 529])
def test_the_delay_that_a_server_asks_for_is_kept(
    status: int, headers: Mapping[str, str], seconds: float | None
) -> None:
    got = fault(refuses(status, "rate_limit_error", "slow down", headers))
    assert isinstance(got, ModelBusy)
    assert got.after_seconds == seconds


def test_a_delay_may_be_a_date() -> None:
    at = datetime.now(UTC) + timedelta(seconds=100)
    seconds = asked_delay({"retry-after": format_datetime(at, usegmt=True)})
    assert seconds is not None
    assert 90 < seconds <= 100


@pytest.mark.parametrize(
    ("status", "body", "error_type", "says_so"),
    [
        (404, b"404 page not found", ModelUnusable, "no Messages API answers at 127.0.0.1:"),
        (404, b'{"detail": "Not Found"}', ModelUnusable, "no Messages API answers at 127.0.0.1:"),
        (404, b'{"error": "model \'x\' not found"}', ModelUnusable, "knows no model"),
        (502, b"<html>Bad gateway</html>", ModelBusy, "failed (status 502)"),
        (500, b"", ModelBusy, "failed (status 500)"),
        (529, b"[]", ModelBusy, "is overloaded"),
        (401, b"\xff\xfe", ModelUnusable, "refused the key"),
        (400, b'{"error": {"message": 5}}', ModelRejected, "refused the request"),
        (400, b"[" * 100_000, ModelRejected, "refused the request"),
        (
            400,
            b'{"error": {"code": 400, "message": "the request exceeds the available context size",'
            b' "type": "exceed_context_size_error"}}',
            ContextFull,
            "longer than",
        ),
        (
            400,
            b'{"error": {"message": "This model\'s maximum context length is 4096 tokens.",'
            b' "type": "BadRequestError"}}',
            ContextFull,
            "longer than",
        ),
    ],
)
def test_other_servers_say_what_is_wrong_in_their_own_ways(
    status: int, body: bytes, error_type: type[ModelError], says_so: str
) -> None:
    got = fault(refuses(status, body=body))
    assert type(got) is error_type
    assert says_so in got.message


def test_a_server_that_sends_its_callers_elsewhere_never_gets_the_key_there() -> None:
    async def ask() -> None:
        async with AnthropicServer(key=None) as other:
            away = refuses(307, headers={"location": f"{other.base_url}/v1/messages"})
            async with AnthropicServer(away) as server:
                with pytest.raises(ModelUnusable, match="elsewhere"):
                    await take(claude(server), request())
            assert other.exchanges == []

    asyncio.run(ask())


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json"])
def test_an_answer_that_is_no_stream_is_not_waited_for_again(kind: str) -> None:
    got = fault(refuses(200, headers={"content-type": kind}, body=b"{}"))
    assert isinstance(got, ModelUnusable)
    assert f"answered with {kind.partition(';')[0]}" in got.message
    assert "--base-url" in got.next_step


def test_a_server_that_does_not_run_is_named() -> None:
    async def ask() -> None:
        async with AnthropicServer() as server:
            model = claude(server)
        with pytest.raises(ModelBusy) as raised:
            await take(model, request())
        assert f"cannot connect to 127.0.0.1:{server.port}" in raised.value.message
        assert "Check that the server runs" in raised.value.next_step
        assert raised.value.cost_usd == 0

    asyncio.run(ask())


def test_a_connection_that_is_closed_without_an_answer_can_be_tried_again() -> None:
    got = fault(hangs_up)
    assert isinstance(got, ModelBusy)
    assert "closed the connection before it answered" in got.message
    assert got.cost_usd == 0


def test_a_server_that_never_answers_is_given_up() -> None:
    got = fault(silent, stall_seconds=0.05)
    assert isinstance(got, ModelBusy)
    assert "sent nothing more for 0.05 s" in got.message
    assert got.cost_usd == 0


def test_what_a_server_says_is_shown_in_one_short_line_and_never_with_the_key() -> None:
    words = f"key {KEY} is wrong\n\x1b[31mred\x1b[0m\u202e " + "and so on " * 100
    for got in (
        fault(refuses(401, "authentication_error", words)),
        fault(refuses(500, "api_error", words)),
        fault(breaks("error", error_type="api_error", error_words=words)),
    ):
        assert KEY not in str(got)
        assert KEY not in repr(got)
        assert str(got).isprintable()
        assert len(str(got)) < 400


def test_a_password_in_the_address_is_not_shown() -> None:
    address = Address(VENDORS["anthropic"], "http://user:password@gateway.invalid:80/a/v1", "claude-opus-5")
    assert "password" not in str(of_response(address, 500, "", {}))
    assert "gateway.invalid:80" in str(of_response(address, 500, "", {}))
