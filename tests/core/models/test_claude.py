"""Claude through the real SDK over a real socket: what it is sent, what comes back, what it costs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar, cast

import pytest

from core.errors import ModelRejected, ModelUnusable
from core.keys.secret import Secret
from core.models.base import (
    Delta,
    Message,
    Model,
    ModelMessage,
    ToolCall,
    ToolResult,
    ToolSpec,
    Turn,
    TurnRequest,
    UserMessage,
)
from core.models.card import ModelCard
from core.models.claude import ClaudeModel, check_key, list_models
from core.models.live import LiveModel
from core.pricing import FREE, TokenPrices, Tokens
from tests.fakes.anthropic_server import (
    KEY,
    AnthropicServer,
    Json,
    breaks,
    events_of,
    message,
    redacted,
    refuses,
    says,
    silent,
    streams,
    text,
    thinking,
    thinks,
    tool_use,
)
from tests.fakes.streaming_server import Answer, Exchange, StreamingServer

T = TypeVar("T")

HANG_UP_SECONDS = 0.1
"""How soon a server has to see that nobody listens any more."""

PRICES = TokenPrices(Decimal(5), Decimal(25), Decimal("0.5"), Decimal("6.25"))
CARD = ModelCard("claude-opus-5", "anthropic", 200_000, 32_000, "adaptive", PRICES)
TOOLS = (ToolSpec("look", "Look at it.", {"type": "object", "properties": {"at": {"type": "string"}}}),)


def request(*messages: Message, system: str = "Be brief.") -> TurnRequest:
    return TurnRequest("orchestrator", system, TOOLS, messages or (UserMessage("Begin."),))


def claude(server: AnthropicServer, card: ModelCard = CARD, key: str | None = KEY) -> ClaudeModel:
    return ClaudeModel(card, None if key is None else Secret(key), server.base_url, stall_seconds=5)


async def take(model: Model, asked: TurnRequest) -> tuple[list[Delta], Turn]:
    pieces = [piece async for piece in model.turn(asked)]
    deltas = [piece for piece in pieces if isinstance(piece, Delta)]
    [turn] = [piece for piece in pieces if isinstance(piece, Turn)]
    assert pieces[-1] is turn
    return deltas, turn


def with_server(server: AnthropicServer, use: Callable[[AnthropicServer], Awaitable[T]]) -> T:
    async def main() -> T:
        async with server:
            return await use(server)

    return asyncio.run(main())


def one_turn(server: AnthropicServer, asked: TurnRequest | None = None, card: ModelCard = CARD) -> Turn:
    return with_server(server, lambda it: take(claude(it, card), asked or request()))[1]


def sent(asked: TurnRequest, card: ModelCard = CARD) -> Json:
    server = AnthropicServer(says(text("ok")))
    one_turn(server, asked, card)
    return cast("Json", server.bodies[0])


# What comes back


def test_a_turn_streams_its_thoughts_text_and_calls_and_then_comes_whole() -> None:
    blocks = [thinking("Let me look at this first."), text("I look."), tool_use("look", "toolu_a", at="it")]
    server = AnthropicServer(says(*blocks))
    deltas, turn = with_server(server, lambda it: take(claude(it), request()))
    assert "".join(delta.text for delta in deltas if delta.kind == "thought") == "Let me look at this first."
    assert "".join(delta.text for delta in deltas if delta.kind == "text") == "I look."
    assert [delta.text for delta in deltas if delta.kind == "call"] == ["look"]
    assert (turn.thoughts, turn.text, turn.stop) == ("Let me look at this first.", "I look.", "tool_use")
    assert turn.calls == (ToolCall("toolu_a", "look", {"at": "it"}),)
    assert turn.raw["content"] == blocks


def test_calls_made_at_once_all_come_in_their_order() -> None:
    turn = one_turn(AnthropicServer(says(tool_use("look", "a"), tool_use("look", "b", at="é→😀"))))
    assert turn.calls == (ToolCall("a", "look", {}), ToolCall("b", "look", {"at": "é→😀"}))


def test_a_turn_costs_what_its_tokens_cost_those_of_the_cache_included() -> None:
    turn = one_turn(AnthropicServer(says(text("ok"))))
    assert turn.usage == Tokens(input=420, output=50, cached=300, cache_written=20)
    assert turn.cost_usd == (100 * 5 + 20 * Decimal("6.25") + 300 * Decimal("0.5") + 50 * 25) / Decimal(10**6)


def test_a_turn_of_a_model_without_known_prices_has_no_known_cost() -> None:
    turn = one_turn(AnthropicServer(says(text("ok"))), card=replace(CARD, prices=None))
    assert turn.cost_usd is None
    assert turn.usage.input == 420


def test_a_turn_whose_tokens_were_not_counted_costs_nothing_only_where_the_model_is_free() -> None:
    assert one_turn(AnthropicServer(says(text("ok"), usage={}))).cost_usd is None
    free = one_turn(AnthropicServer(says(text("ok"), usage={})), card=replace(CARD, prices=FREE))
    assert free.cost_usd == Decimal(0)


def test_counts_that_come_only_at_the_end_count() -> None:
    events = events_of(message(text("ok"), usage={"input_tokens": 0, "output_tokens": 0}))
    events[-2]["usage"] = {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": None}
    assert one_turn(AnthropicServer(streams(*events))).usage == Tokens(7, 3)


def test_events_without_a_line_that_says_their_type_are_read_all_the_same() -> None:
    turn = one_turn(AnthropicServer(streams(*events_of(message(text("It works"))), named=False)))
    assert turn.text == "It works"


def test_events_and_fields_from_a_later_api_change_nothing_and_are_kept() -> None:
    events = events_of(message(text("ok"), news={"of": "tomorrow"}))
    events[2:2] = [{"type": "weather_report", "sky": "blue"}]
    turn = one_turn(AnthropicServer(streams(*events)))
    assert (turn.text, turn.raw["news"]) == ("ok", {"of": "tomorrow"})


def test_a_kind_of_delta_from_a_later_api_grows_its_block() -> None:
    events = events_of(message({"type": "dream", "dream": ""}))
    events[3:3] = [
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "dream_delta", "dream": piece, "deep": 3},
        }
        for piece in ("of ", "sheep")
    ]
    turn = one_turn(AnthropicServer(streams(*events)))
    assert turn.raw["content"] == [{"type": "dream", "dream": "of sheep", "deep": 3}]


def test_sources_of_a_text_are_kept() -> None:
    source = {"type": "char_location", "cited_text": "so", "document_index": 0}
    events = events_of(message(text("ok")))
    events[3:3] = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": source}}
    ]
    turn = one_turn(AnthropicServer(streams(*events)))
    assert turn.raw["content"] == [{"type": "text", "text": "ok", "citations": [source]}]


def test_a_paused_turn_is_complete_and_can_be_gone_on_with() -> None:
    async def twice(server: AnthropicServer) -> None:
        model = claude(server)
        _, first = await take(model, request())
        assert (first.stop, first.calls) == ("pause_turn", ())
        asked = request(UserMessage("Begin."), ModelMessage(first.raw), UserMessage("Go on."))
        assert (await take(model, asked))[1].text == "done"

    with_server(AnthropicServer(says(text("wait"), stop="pause_turn"), says(text("done"))), twice)


# What is sent


def test_the_request_holds_system_tools_limits_and_the_mark_for_the_cache() -> None:
    body = sent(request())
    assert body["system"] == "Be brief."
    assert body["model"] == "claude-opus-5"
    assert body["max_tokens"] == 32_000
    assert body["cache_control"] == {"type": "ephemeral"}
    assert body["tools"] == [
        {"name": "look", "description": "Look at it.", "input_schema": dict(TOOLS[0].schema)}
    ]
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Begin."}]}]
    assert not {"temperature", "top_p", "top_k", "tool_choice"} & body.keys()


def test_each_generation_is_asked_to_think_in_its_own_way() -> None:
    adaptive = sent(request())
    assert adaptive["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert adaptive["output_config"] == {"effort": "high"}
    budget = sent(request(), replace(CARD, thinking="budget"))
    assert budget["thinking"] == {"type": "enabled", "budget_tokens": 16_000}
    assert "output_config" not in budget
    assert sent(request(), replace(CARD, thinking="budget", max_output_tokens=1500))["thinking"] == {
        "type": "enabled",
        "budget_tokens": 1024,
    }
    for card in (replace(CARD, thinking="budget", max_output_tokens=1024), replace(CARD, thinking="none")):
        assert not {"thinking", "output_config"} & sent(request(), card).keys()


def test_what_came_is_sent_back_as_it_came_whatever_it_holds() -> None:
    strange = {"type": "dream", "of": {"sheep": [1, 2.5, None]}, "électrique": True}
    blocks = [
        thinking("First é 😀", "EqQBCkYIBBgCKkD+/=="),
        redacted("R2VoZWlt"),
        {**thinking(""), "later": [{}]},
        text('He said "so" \u2028 and left\n'),
        strange,
        tool_use("look", "toolu_a", at="x", depth={"n": 12345678901234567890, "f": 0.1}),
        {**tool_use("look", "toolu_b"), "caller": {"type": "direct"}},
    ]
    server = AnthropicServer(says(*blocks, container=None), says(text("ok")))

    async def twice(server: AnthropicServer) -> Turn:
        model = claude(server)
        _, first = await take(model, request())
        # As it comes back from a journal.
        raw = json.loads(json.dumps(first.raw))
        results = (ToolResult("toolu_a", "seen"), ToolResult("toolu_b", "it broke", error=True))
        await take(model, request(UserMessage("Begin."), ModelMessage(raw), UserMessage("And?", results)))
        return first

    with_server(server, twice)
    first, second = server.bodies
    assert second["messages"][1] == {"role": "assistant", "content": blocks}
    assert second["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_a", "content": "seen"},
            {"type": "tool_result", "tool_use_id": "toolu_b", "content": "it broke", "is_error": True},
            {"type": "text", "text": "And?"},
        ],
    }
    assert {**second, "messages": second["messages"][:1]} == first
    begin = server.exchanges[0].body.partition(b'"messages":[')[2].partition(b"]}]")[0]
    assert begin in server.exchanges[1].body


def test_a_text_without_text_is_never_sent_though_it_may_come() -> None:
    raw = message(text(""), text(" \n"), tool_use("look", "toolu_a"))
    body = sent(
        request(
            UserMessage("Begin."),
            ModelMessage(raw),
            UserMessage("", (ToolResult("toolu_a", "", error=True),)),
            ModelMessage(message(text(""))),
            UserMessage("Go on."),
        )
    )
    assert [[block["type"] for block in it["content"]] for it in body["messages"]] == [
        ["text"],
        ["tool_use"],
        ["tool_result"],
        ["text"],
    ]
    assert body["messages"][2]["content"][0]["content"] == "(empty)"


def test_half_a_surrogate_pair_does_not_keep_a_request_from_being_sent() -> None:
    assert sent(request(UserMessage("a \ud83d b")))["messages"][0]["content"][0]["text"] == "a ? b"


# Who is asked, and with which key


LEAKS = {
    "ANTHROPIC_API_KEY": "sk-ant-from-the-environment",
    "ANTHROPIC_AUTH_TOKEN": "token-from-the-environment",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9/",
    "ANTHROPIC_CUSTOM_HEADERS": "x-api-key: from-the-environment\nAuthorization: Bearer it\nX-Extra: leak",
    "ANTHROPIC_LOG": "debug",
    "ANTHROPIC_PROFILE": "from-the-environment",
    "ANTHROPIC_MODEL": "claude-from-the-environment",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("key", [KEY, None, ""])
def test_nothing_of_the_environment_decides_who_is_asked_or_how(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    for name, value in LEAKS.items():
        monkeypatch.setenv(name, value)
    server = AnthropicServer(says(text("ok")), key=None)
    _, turn = with_server(server, lambda it: take(claude(it, key=key), request()))
    assert turn.text == "ok"
    [exchange] = server.exchanges
    assert exchange.headers["authorization"] == f"Bearer {key or 'none'}"
    assert exchange.headers["x-api-key"] == (key or "none")
    assert exchange.headers["anthropic-version"] == "2023-06-01"
    assert exchange.json()["model"] == "claude-opus-5"
    assert "environment" not in str(exchange.headers)
    assert "x-extra" not in exchange.headers


def test_the_sdk_says_nothing_in_the_terminal_and_nothing_in_a_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ANTHROPIC_LOG", "debug")
    caplog.set_level(logging.DEBUG)
    # A model that the SDK warns about, and a block that its data types do not know.
    card = replace(CARD, id="claude-opus-4-6", thinking="budget")
    one_turn(AnthropicServer(says({"type": "dream"}, text("ok"))), card=card)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    assert not [record for record in caplog.records if record.name.startswith(("anthropic", "http"))]


FRESH_PROCESS = """
import asyncio, logging, sys
from core.errors import ModelBusy
from core.models.claude import check_key

def loaded():
    return sorted({"anthropic", "httpx2"} & sys.modules.keys())

before = loaded()
try:
    asyncio.run(check_key(None, "http://127.0.0.1:1"))
except ModelBusy:
    print(before, loaded(), logging.getLogger().handlers)
"""


def test_the_sdk_is_loaded_with_the_first_request_and_is_silent_from_then_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS],
        env={**os.environ, **LEAKS},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[] ['anthropic', 'httpx2'] []\n", "")


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
def test_a_base_url_may_be_written_with_or_without_its_version(ending: str) -> None:
    async def ask(server: AnthropicServer) -> str:
        model = ClaudeModel(CARD, Secret(KEY), server.base_url + ending)
        return (await take(model, request()))[1].text

    assert with_server(AnthropicServer(says(text("ok"))), ask) == "ok"


def test_a_missing_key_is_said_before_anthropic_is_asked() -> None:
    model = ClaudeModel(CARD, None, "https://api.anthropic.com")
    with pytest.raises(ModelUnusable) as raised:
        asyncio.run(take(model, request()))
    assert "no key for Anthropic" in raised.value.message
    assert "fumehood keys set ANTHROPIC_API_KEY" in raised.value.next_step
    assert raised.value.cost_usd == 0


@pytest.mark.parametrize("key", ["sk-ant with a space", "sk-ant-é", "sk-ant\nsecond line"])
def test_a_key_that_cannot_be_one_is_refused_here_and_not_shown(key: str) -> None:
    with pytest.raises(ModelUnusable, match="ANTHROPIC_API_KEY cannot be a key") as raised:
        with_server(AnthropicServer(), lambda it: take(claude(it, key=key), request()))
    assert key not in str(raised.value)
    assert "fumehood keys set ANTHROPIC_API_KEY" in raised.value.next_step


@pytest.mark.parametrize("proxy", ["socks9://127.0.0.1:9", "http://[::"])
def test_a_proxy_that_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ModelUnusable, match="proxy") as raised:
        asyncio.run(take(ClaudeModel(CARD, Secret(KEY), "https://gateway.invalid"), request()))
    assert "HTTPS_PROXY" in raised.value.next_step


@pytest.mark.parametrize(
    "url", ["", "ollama", "ftp://127.0.0.1/", "http://", "http://[::", "http://host:port"]
)
def test_a_base_url_that_is_none_is_said(url: str) -> None:
    with pytest.raises(ModelUnusable, match="base URL") as raised:
        asyncio.run(take(ClaudeModel(CARD, Secret(KEY), url), request()))
    assert "--base-url" in raised.value.next_step


def test_a_right_key_is_found_right_and_a_wrong_one_wrong_without_any_cost() -> None:
    async def check(server: AnthropicServer) -> None:
        await check_key(Secret(KEY), server.base_url)
        with pytest.raises(ModelUnusable, match="refused the key"):
            await check_key(Secret("sk-ant-wrong"), server.base_url)

    server = AnthropicServer()
    with_server(server, check)
    assert {exchange.path for exchange in server.exchanges} == {"/v1/models"}


@pytest.mark.parametrize(
    "answer", [refuses(404, body=b"404 page not found"), refuses(200, body=b"<html>"), refuses(501)]
)
def test_a_server_without_a_list_neither_accepts_nor_refuses_a_key(answer: Answer) -> None:
    async def check() -> None:
        async with StreamingServer(then=answer) as server:
            for ask in (check_key, list_models):
                with pytest.raises(ModelRejected, match="has no list of models") as raised:
                    await ask(Secret(KEY), server.base_url)
                assert "--base-url" in raised.value.next_step

    asyncio.run(check())


def test_a_server_that_wants_a_key_and_was_told_none_says_that_it_is_missing() -> None:
    with pytest.raises(ModelUnusable, match="wants a key, and ANTHROPIC_API_KEY is missing") as raised:
        with_server(AnthropicServer(), lambda it: take(claude(it, key=None), request()))
    assert "fumehood keys set ANTHROPIC_API_KEY --no-check" in raised.value.next_step


def test_all_pages_of_the_list_of_models_are_read_whoever_wrote_them() -> None:
    models: list[Json] = [
        {"id": "claude-a", "display_name": "Claude A", "max_input_tokens": 1_000_000, "max_tokens": 64_000},
        {"id": "claude-b", "display_name": "Claude B", "max_input_tokens": None},
        {"id": "llama", "object": "model"},
    ]

    async def ask(server: AnthropicServer) -> tuple[LiveModel, ...]:
        return await list_models(Secret(KEY), server.base_url)

    assert with_server(AnthropicServer(models=models), ask) == (
        LiveModel("claude-a", "Claude A", 1_000_000, 64_000),
        LiveModel("claude-b", "Claude B"),
        LiveModel("llama"),
    )


# What a turn may cost


def test_the_price_of_a_turn_is_never_below_what_it_can_cost() -> None:
    model = ClaudeModel(CARD, None, "http://127.0.0.1:1")
    words = "é" * 30_000
    price = model.turn_price(request(UserMessage(words)))
    assert price is not None
    dearest = (len(words.encode()) * Decimal("6.25") + 32_000 * 25) / 10**6
    assert dearest <= price <= dearest * Decimal("1.05")
    longest = model.turn_price(request(UserMessage(words * 100)))
    assert longest == (200_000 * Decimal("6.25") + 32_000 * 25) / 10**6


def test_the_price_of_a_turn_is_unknown_where_the_prices_are() -> None:
    model: Model = ClaudeModel(replace(CARD, prices=None), None, "http://127.0.0.1:1")
    assert (model.turn_price(request()), model.prices, model.scripted) == (None, None, False)


# Stopping


async def seconds_to_hang_up(exchange: Exchange, began: float) -> float:
    async with asyncio.timeout(5):
        await exchange.disconnected.wait()
    assert exchange.disconnected_at is not None
    return exchange.disconnected_at - began


def test_cancelling_a_turn_that_streams_closes_the_connection_at_once() -> None:
    async def cancel(server: AnthropicServer) -> None:
        model = claude(server)
        streaming = asyncio.Event()

        async def consume() -> None:
            async for _ in model.turn(request()):
                streaming.set()

        task = asyncio.create_task(consume())
        await streaming.wait()
        began = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await seconds_to_hang_up(server.exchanges[0], began) < HANG_UP_SECONDS

    with_server(AnthropicServer(breaks("stall")), cancel)


def test_cancelling_a_turn_that_nothing_came_of_yet_closes_the_connection_at_once() -> None:
    async def cancel(server: AnthropicServer) -> None:
        task = asyncio.create_task(take(claude(server), request()))
        exchange = await server.arrival()
        began = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await seconds_to_hang_up(exchange, began) < HANG_UP_SECONDS

    with_server(AnthropicServer(silent), cancel)


def test_closing_a_turn_that_streams_closes_the_connection_at_once() -> None:
    async def close(server: AnthropicServer) -> None:
        stream = cast("AsyncGenerator[Delta | Turn, None]", claude(server).turn(request()))
        assert await anext(stream) == Delta("text", "The answer")
        began = asyncio.get_running_loop().time()
        await stream.aclose()
        assert await seconds_to_hang_up(server.exchanges[0], began) < HANG_UP_SECONDS

    with_server(AnthropicServer(breaks("stall")), close)


def test_the_connection_ends_with_the_turn_whatever_the_server_still_sends() -> None:
    async def ask(server: AnthropicServer) -> None:
        _, turn = await take(claude(server), request())
        assert turn.text == "ok"
        await seconds_to_hang_up(server.exchanges[0], 0)

    with_server(AnthropicServer(breaks("stall", text("ok"), after="message_stop")), ask)


def test_turns_at_once_do_not_mix() -> None:
    def echo(body: Json) -> list[Json]:
        return [text(body["messages"][0]["content"][0]["text"])]

    async def ask(server: AnthropicServer) -> list[str]:
        model = claude(server)
        asked = [request(UserMessage(f"number {number} " * 50)) for number in range(8)]
        turns = await asyncio.gather(*(take(model, it) for it in asked))
        return [turn.text for _, turn in turns]

    assert with_server(AnthropicServer(then=thinks(echo)), ask) == [f"number {it} " * 50 for it in range(8)]
