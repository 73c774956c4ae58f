"""Claude over the real SDK and a real socket: what is sent, what comes back and what it costs."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from core.models.base import (
    Model,
    ModelMessage,
    ToolCall,
    ToolResult,
    Turn,
    UserMessage,
)
from core.models.claude import ClaudeModel
from core.pricing import FREE, Tokens
from tests.core.models.claude_turns import (
    CARD,
    TOOLS,
    claude,
    one_turn,
    request,
    sent,
    take,
    with_server,
)
from tests.fakes.anthropic_server import (
    AnthropicServer,
    events_of,
    message,
    redacted,
    says,
    streams,
    text,
    thinking,
    tool_use,
)

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
