"""Whatever parts an answer has, and however its bytes are cut into pieces, it goes back as it came."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.base import ModelMessage, ToolResult, Turn, UserMessage
from tests.core.models.gemini_turns import QUESTION, model, request, turn
from tests.fakes.gemini_server import USAGE, GeminiServer, Part, event, framed, says, sends, text

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)

SIGNATURES = st.binary(min_size=1, max_size=40).map(lambda raw: b64encode(raw).decode())

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)

PARTS: st.SearchStrategy[Part] = st.one_of(
    st.fixed_dictionaries({"text": WORDS}, optional={"thought": st.just(True)}),
    st.fixed_dictionaries(
        {"text": WORDS, "thoughtSignature": SIGNATURES}, optional={"thought": st.just(True)}
    ),
    st.fixed_dictionaries(
        {
            "functionCall": st.fixed_dictionaries(
                {"name": st.just("run_python"), "args": st.dictionaries(WORDS, VALUES, max_size=3)},
                optional={"id": st.sampled_from(["", "c1", "c2"])},
            )
        },
        optional={"thoughtSignature": SIGNATURES},
    ),
    st.fixed_dictionaries({"hologram": VALUES}),
)


def together(parts: list[Part]) -> Iterator[Part]:
    """The parts as they have to come back: neighbours that are nothing but text of one kind joined."""
    joined: Part | None = None
    for part in parts:
        plain = part.keys() <= {"text", "thought"}
        if plain and joined is not None and joined.get("thought") == part.get("thought"):
            joined["text"] += part["text"]
        elif plain and not part["text"]:
            continue
        else:
            if joined is not None:
                yield joined
            joined = dict(part) if plain else None
            if not plain:
                yield part
    if joined is not None:
        yield joined


def cut(whole: bytes, places: list[float]) -> list[bytes]:
    edges = [0, *sorted(int(place * len(whole)) for place in places), len(whole)]
    return [whole[start:end] for start, end in pairwise(edges)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(PARTS, max_size=7),
    st.lists(st.floats(0, 1), max_size=12),
    st.sampled_from([b"\r\n", b"\n"]),
)
def test_an_answer_goes_back_as_it_came(parts: list[Part], places: list[float], line_end: bytes) -> None:
    parts = [*parts, text("The end.", thoughtSignature="AA==")]
    events = [event([part]) for part in parts[:-1]] + [event(parts[-1:], "STOP", usageMetadata=USAGE)]
    whole = b"".join(framed(one) for one in events).replace(b"\r\n", line_end)

    async def ask() -> tuple[Turn, Any]:
        async with GeminiServer(sends(*cut(whole, places)), says(text("Done."))) as server:
            asked = model(server)
            said = await turn(asked)
            results = tuple(ToolResult(call.id, "done") for call in said.calls)
            await turn(asked, request(QUESTION, ModelMessage(said.raw), UserMessage("Go on.", results)))
            return said, server.bodies[1]["contents"]

    said, contents = asyncio.run(ask())
    assert contents[1] == {"role": "model", "parts": list(together(parts))}

    asked = [part["functionCall"] for part in parts if "functionCall" in part]
    assert [call.arguments for call in said.calls] == [call["args"] for call in asked]
    assert len({call.id for call in said.calls}) == len(asked)
    answered = [part["functionResponse"] for part in contents[2]["parts"][:-1]]
    assert [one.get("id") for one in answered] == [call.get("id") or None for call in asked]

    shown = [part for part in parts if "text" in part]
    assert said.thoughts == "".join(part["text"] for part in shown if part.get("thought"))
    assert said.text == "".join(part["text"] for part in shown if not part.get("thought"))
