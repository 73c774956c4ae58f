"""A turn of Gemini: what is sent, what comes back, and what of it goes back again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from core.errors import ModelRejected
from core.models.base import Delta, ModelMessage, ToolCall, ToolResult, Turn, TurnRequest, UserMessage
from core.models.gemini import GeminiModel
from core.pricing import FREE, Tokens
from tests.core.models.gemini_turns import (
    KEY,
    QUESTION,
    RUN,
    SCHEMA,
    card,
    model,
    one_turn,
    pieces,
    request,
    turn,
)
from tests.fakes.gemini_server import (
    SIGNATURE,
    USAGE,
    GeminiServer,
    call,
    event,
    framed,
    says,
    sends,
    streams,
    text,
    thought,
)
from tests.fakes.streaming_server import Answer


def two_turns(first: Answer, *results: ToolResult, words: str = "") -> tuple[Turn, list[Any]]:
    """Ask once, answer what came, ask again; the bodies of both requests."""

    async def ask() -> tuple[Turn, list[Any]]:
        async with GeminiServer(first, says(text("Done."))) as server:
            asked = model(server)
            said = await turn(asked)
            await turn(asked, request(QUESTION, ModelMessage(said.raw), UserMessage(words, results)))
            return said, server.bodies

    return asyncio.run(ask())


def test_thoughts_text_and_calls_stream_and_end_in_one_turn() -> None:
    async def ask() -> tuple[Any, ...]:
        parts = (
            thought("Hm, "),
            thought("yes."),
            text("I "),
            text("run."),
            call("run_python", "c1", code="1"),
        )
        async with GeminiServer(says(*parts)) as server:
            return tuple(await pieces(model(server)))

    *deltas, said = asyncio.run(ask())
    assert deltas == [
        Delta("thought", "Hm, "),
        Delta("thought", "yes."),
        Delta("text", "I "),
        Delta("text", "run."),
        Delta("call", "run_python"),
    ]
    assert (said.thoughts, said.text, said.stop) == ("Hm, yes.", "I run.", "STOP")
    assert said.calls == (ToolCall("c1", "run_python", {"code": "1"}),)


def test_usage_is_read_from_the_last_event_and_priced_with_what_was_cached() -> None:
    said, _ = one_turn(says(text("Yes.")))
    assert said.usage == Tokens(input=1000, output=200, cached=400)
    assert said.cost_usd == Decimal("0.00328")  # (600 × 2 + 400 × 0.2 + 200 × 10) / 1,000,000


def test_tokens_of_tools_that_google_ran_are_input() -> None:
    said, _ = one_turn(says(text("Yes."), usage={**USAGE, "toolUsePromptTokenCount": 7}))
    assert said.usage.input == 1007


def test_a_turn_without_known_prices_costs_an_unknown_amount() -> None:
    said, _ = one_turn(says(text("Yes.")), of=card(prices=None))
    assert said.cost_usd is None


def test_a_server_that_does_not_count_tokens_is_never_taken_for_free() -> None:
    said, _ = one_turn(says(text("Yes."), usage=None))
    assert (said.usage, said.cost_usd) == (Tokens(), None)
    only_read, _ = one_turn(says(text("Yes."), usage={"promptTokenCount": 1000}))
    assert only_read.cost_usd is None
    only_thought, _ = one_turn(says(text("Yes."), usage={"promptTokenCount": 0, "thoughtsTokenCount": 100}))
    assert only_thought.cost_usd == Decimal("0.001")
    assert one_turn(says(text("Yes."), usage=None), of=card(prices=FREE))[0].cost_usd == 0


def test_the_request_is_what_googles_own_types_make_of_the_same_settings() -> None:
    from google.genai import types

    _, exchange = one_turn(says(text("Yes.")))
    sent = exchange.json()
    config = types.GenerateContentConfig(
        max_output_tokens=65_536,
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.HIGH),
    )
    dumped = config.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert sent["generationConfig"] == dumped
    declared = types.Tool.model_validate(sent["tools"][0]).function_declarations
    assert declared == [
        types.FunctionDeclaration(
            name="run_python", description="Runs a script.", parameters_json_schema=SCHEMA
        )
    ]
    assert types.Content.model_validate(sent["systemInstruction"]) == types.Content(
        role="user", parts=[types.Part(text="Be brief.")]
    )
    assert sent["contents"] == [{"role": "user", "parts": [{"text": "Begin."}]}]
    assert sent.keys() == {"contents", "generationConfig", "systemInstruction", "tools"}


@pytest.mark.parametrize(
    ("thinking", "config"),
    [
        ("level", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        ("budget", {"includeThoughts": True, "thinkingBudget": 24_576}),
        ("none", None),
    ],
)
def test_each_generation_is_asked_to_think_in_its_own_way(thinking: Any, config: Any) -> None:
    _, exchange = one_turn(says(text("Yes.")), of=card(thinking))
    assert exchange.json()["generationConfig"].get("thinkingConfig") == config


def test_what_the_model_said_goes_back_exactly_as_it_came() -> None:
    parts = (
        thought("I wonder. "),
        thought("", thoughtSignature=SIGNATURE),
        text("Twice: "),
        text("signed", thoughtSignature=SIGNATURE + "AA=="),
        call("run_python", "c1", SIGNATURE, code="print('é\u2028')", n=1.0, deep={"a": [None, True]}),
        call("run_python", "c2", code="2"),
    )
    said, (_, second) = two_turns(says(*parts), ToolResult("c1", "1"), ToolResult("c2", "2"))
    assert second["contents"][1] == said.raw == {"role": "model", "parts": list(parts)}
    assert [call.id for call in said.calls] == ["c1", "c2"]


def test_kinds_of_parts_and_fields_that_nobody_knows_go_back_too() -> None:
    unknown: Mapping[str, Any] = {"hologram": {"frames": [1, 2]}, "thoughtSignature": SIGNATURE}
    odd_call = {"functionCall": {"name": "run_python", "args": {"code": "1"}, "mood": "calm"}, "weight": 0.25}
    code = {"executableCode": {"code": "1+1", "language": "LANGUAGE_OF_TOMORROW"}}
    last = event([odd_call], "STOP", usageMetadata={**USAGE, "trafficType": "BY_PIGEON"}, novelty=[1])
    last["candidates"][0]["content"]["channel"] = "final"
    last["candidates"][0]["safetyRatings"] = [{"category": "HARM_OF_TOMORROW", "probability": "SOME"}]
    said, (_, second) = two_turns(
        streams([event([dict(unknown)]), event([code]), last]), ToolResult("E1-0-0", "1")
    )
    assert second["contents"][1] == {"role": "model", "channel": "final", "parts": [unknown, code, odd_call]}
    assert said.text == ""


def test_only_unsigned_text_of_one_kind_is_put_together() -> None:
    parts = (
        thought("a"),
        thought("b"),
        text("c"),
        text("d"),
        text("e", thoughtSignature=SIGNATURE),
        text("f"),
        text(""),
        call("run_python", "c1", code="1"),
        text(""),
    )
    said, _ = one_turn(says(*parts))
    assert said.raw["parts"] == [
        thought("ab"),
        text("cd"),
        text("e", thoughtSignature=SIGNATURE),
        text("f"),
        call("run_python", "c1", code="1"),
    ]
    assert said.text == "cdef"


def test_all_results_of_a_turn_go_into_one_message_and_text_comes_last() -> None:
    first = says(call("run_python", "c1", SIGNATURE, code="1"), call("run_python", "c2", code="2"))
    results = (ToolResult("c1", "one"), ToolResult("c2", "it failed", error=True))
    _, (_, second) = two_turns(first, *results, words="Go on.")
    assert second["contents"][2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"id": "c1", "name": "run_python", "response": {"output": "one"}}},
            {"functionResponse": {"id": "c2", "name": "run_python", "response": {"error": "it failed"}}},
            {"text": "Go on."},
        ],
    }


def test_a_call_without_an_id_gets_one_that_the_api_never_sees() -> None:
    first = says(call("run_python", None, SIGNATURE, code="1"), call("look", "", file="a"))
    said, (_, second) = two_turns(first, ToolResult("E1-0-0", "one"), ToolResult("E1-0-1", "two"))
    assert [call.id for call in said.calls] == ["E1-0-0", "E1-0-1"]
    assert second["contents"][2]["parts"] == [
        {"functionResponse": {"name": "run_python", "response": {"output": "one"}}},
        {"functionResponse": {"name": "look", "response": {"output": "two"}}},
    ]
    assert "E1-0" not in json.dumps(second)


def test_ids_that_a_server_gives_twice_are_told_apart_here_and_kept_there() -> None:
    async def ask() -> tuple[Turn, Turn, Any]:
        same = says(call("run_python", "call_0", code="1"))
        async with GeminiServer(same, same, says(text("Done."))) as server:
            asked = model(server)
            first = await turn(asked)
            told: tuple[Any, ...] = (
                QUESTION,
                ModelMessage(first.raw),
                UserMessage("", (ToolResult("call_0", "1"),)),
            )
            second = await turn(asked, request(*told))
            told += (ModelMessage(second.raw), UserMessage("", (ToolResult(second.calls[0].id, "2"),)))
            await turn(asked, request(*told))
            return first, second, server.bodies[2]

    first, second, sent = asyncio.run(ask())
    assert (first.calls[0].id, second.calls[0].id) == ("call_0", "E1-1-0")
    assert sent["contents"][4]["parts"][0]["functionResponse"]["id"] == "call_0"


def test_a_conversation_of_another_provider_is_not_sent() -> None:
    async def ask() -> None:
        async with GeminiServer() as server:
            foreign = ModelMessage({"role": "assistant", "content": []})
            with pytest.raises(ModelRejected, match="another provider"):
                await turn(model(server), request(QUESTION, foreign, UserMessage("Go on.")))
            assert server.exchanges == []

    asyncio.run(ask())


def test_an_answer_that_comes_compressed_or_in_another_frame_is_read_all_the_same() -> None:
    import gzip

    whole = b"".join(framed(one) for one in (event([text("é\u2028")]), event([text("!")], "STOP")))
    zipped, _ = one_turn(sends(gzip.compress(whole), headers={"content-encoding": "gzip"}))
    bare, _ = one_turn(sends(b": hello\n\n" + whole.replace(b"\r\n", b"\n").removesuffix(b"\n\n")))
    assert zipped.text == bare.text == "é\u2028!"


def test_the_price_named_beforehand_is_never_below_what_a_turn_can_cost() -> None:
    asked = GeminiModel(card(most=1000), KEY, "http://127.0.0.1:1")
    few = asked.turn_price(request())
    assert few is not None
    assert Decimal(10) * 1000 / 1_000_000 < few < Decimal("0.02")
    endless = TurnRequest("E1", "x" * 2_000_000, (RUN,), (QUESTION,))
    assert asked.turn_price(endless) == Decimal(2) + Decimal("0.01")
    assert GeminiModel(card(prices=None), KEY, "http://127.0.0.1:1").turn_price(request()) is None
