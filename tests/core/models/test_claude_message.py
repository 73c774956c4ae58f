"""A message put together from its stream equals the message, however it was split."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ModelBusy
from core.models.claude_message import MessageStream
from core.pricing import Tokens
from tests.core.models.claude_turns import CARD, claude, request, take
from tests.fakes.anthropic_server import AnthropicServer, Json, events_of, message, streams, text, tool_use

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
unknown_fields = st.dictionaries(st.sampled_from(["later", "caller", "news"]), json_values, max_size=2)


@st.composite
def blocks(draw: st.DrawFn) -> Json:
    block: Json
    match draw(st.sampled_from(["text", "thinking", "redacted_thinking", "tool_use", "unknown"])):
        case "text":
            block = {"type": "text", "text": draw(words)}
        case "thinking":
            block = {"type": "thinking", "thinking": draw(words), "signature": draw(words)}
        case "redacted_thinking":
            block = {"type": "redacted_thinking", "data": draw(words)}
        case "tool_use":
            arguments = draw(st.dictionaries(words, json_values, max_size=3))
            block = {"type": "tool_use", "id": "", "name": "look", "input": arguments}
        case _:
            block = {"type": "dream", "of": draw(json_values)}
    return {**block, **draw(unknown_fields)}


@st.composite
def messages(draw: st.DrawFn) -> Json:
    content = draw(st.lists(blocks(), max_size=6))
    for number, block in enumerate(content):
        if block["type"] == "tool_use":
            block["id"] = f"toolu_{number}"
    return message(*content, **draw(unknown_fields))


def whole(events: list[Json]) -> Json:
    stream = MessageStream()
    for event in events:
        stream.take(event)
    return stream.message()


@given(messages(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_a_message_is_put_together_exactly(sent: Json, pieces: random.Random) -> None:
    assert whole(events_of(sent, pieces)) == sent


@given(st.lists(messages(), max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_a_message_is_put_together_exactly_whatever_the_pieces_on_the_wire(
    sent: list[Json], pieces: random.Random
) -> None:
    answers = [
        streams(
            *events_of(it, pieces),
            named=pieces.random() < 0.5,
            chunk_bytes=lambda: pieces.choice([1, 2, 7, 50, 400]),
        )
        for it in sent
    ]

    async def ask() -> list[Json]:
        async with AnthropicServer(*answers) as server:
            model = claude(server, replace(CARD, prices=None))
            return [dict((await take(model, request()))[1].raw) for _ in sent]

    assert asyncio.run(ask()) == sent


@given(messages(), st.randoms(use_true_random=False), st.data())
@settings(max_examples=100, deadline=None)
def test_a_part_of_a_message_is_never_taken_for_the_whole(
    sent: Json, pieces: random.Random, data: st.DataObject
) -> None:
    events = events_of(sent, pieces)
    kept = data.draw(st.integers(0, len(events) - 1))
    with pytest.raises(ModelBusy):
        whole(events[:kept])


STREAM = events_of(message(text("so"), tool_use("look", "toolu_a", at=1)))


@pytest.mark.parametrize(
    "lost", ["message_start", "content_block_start", "content_block_stop", "message_delta"]
)
def test_a_message_that_lost_an_event_is_not_whole(lost: str) -> None:
    at = next(at for at, event in enumerate(STREAM) if event["type"] == lost)
    with pytest.raises(ModelBusy):
        whole([*STREAM[:at], *STREAM[at + 1 :]])


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message_start"},
        {"type": "message_start", "message": {}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_start", "index": "a", "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_start", "index": 7},
        {"type": "content_block_start", "index": 7, "content_block": {"type": "text", "text": 5}},
        {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": None}},
        {"type": "content_block_delta", "index": 0},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_delta", "index": [], "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_stop"},
        {"type": "message_delta", "delta": 5},
    ],
)
def test_an_event_that_fits_nothing_spoils_the_message(event: Json) -> None:
    with pytest.raises(ModelBusy, match="malformed"):
        whole([*STREAM[:4], event, *STREAM[4:]])


@pytest.mark.parametrize(
    "arguments",
    ['{"at": ', '{"at": NaN}', '{"at": 1e999}', '["at"]', '"at"', "{" * 3, '{"a":' * 100_000, "{} {}"],
)
def test_arguments_that_are_no_json_object_are_no_call(arguments: str) -> None:
    delta = {"type": "input_json_delta", "partial_json": arguments}
    events = events_of(message(tool_use("look")))
    events[4:4] = [{"type": "content_block_delta", "index": 0, "delta": delta}]
    with pytest.raises(ModelBusy, match="tool call"):
        whole(events)


@pytest.mark.parametrize("broken", [{"id": ""}, {"id": None}, {"name": ""}, {"name": 5}, {"input": None}])
def test_a_call_without_an_id_or_a_name_is_no_call(broken: Json) -> None:
    with pytest.raises(ModelBusy, match="tool call"):
        whole(
            [
                event if event["type"] != "content_block_start" else _with(event, broken)
                for event in events_of(message(tool_use("look")))
            ]
        )


def _with(event: Json, broken: Json) -> Json:
    return {**event, "content_block": {**event["content_block"], **broken}}


def test_what_came_is_measured_beside_what_was_counted_of_it_so_far() -> None:
    stream = MessageStream()
    for event in events_of(message(text("four" * 300), tool_use("look", at="ü")))[:-2]:
        stream.take(event)
    assert stream.tokens() == Tokens(input=420, output=1, cached=300, cache_written=20)
    assert stream.written_bytes == 1200 + len('{"at": "\\u00fc"}')


@pytest.mark.parametrize(
    "usage", [None, 5, {"input_tokens": "many", "output_tokens": 1}, {"output_tokens": -1}]
)
def test_counts_that_are_none_are_unknown(usage: object) -> None:
    stream = MessageStream()
    stream.take({"type": "message_start", "message": {"usage": usage}})
    assert stream.begun
    assert stream.tokens() is None
