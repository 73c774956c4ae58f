"""What Gemini is sent: the same conversation always gives the same request, and only ever a longer one.

Every message of the model goes back exactly as it came. Source of the format: Google, "Generating content",
"Thinking" and "Thought signatures" of the Gemini API, read on 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import ModelRejected
from core.models.base import ModelMessage, ToolSpec, TurnRequest, UserMessage
from core.models.card import ModelCard

MOST_THINKING_TOKENS = 24_576
"""The largest budget for thinking that every model of the 2.5 generation takes."""


class CallIds:
    """Gives each call of a conversation an id of its own, the same one each time it is asked.

    The API leaves ids out at times, and gateways begin anew with each turn. Such a call gets an id made
    from the agent, the turn and its place; the API never sees that one.

    Args:
        agent: whose conversation it is.
    """

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._turns = 0
        self._given: set[str] = set()

    def of_next(self, raw: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The calls of the model's next message, each with its id."""
        turn, self._turns = self._turns, self._turns + 1
        for number, call in enumerate(function_calls(raw)):
            given = call.get("id")
            name = given if isinstance(given, str) else ""
            if not name or name in self._given:
                name = f"{self._agent}-{turn}-{number}"
            self._given.add(name)
            yield name, call


def function_calls(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The calls in a message of the model, as they came."""
    return [part["functionCall"] for part in raw.get("parts", ()) if "functionCall" in part]


def request_body(card: ModelCard, request: TurnRequest, ids: CallIds) -> dict[str, Any]:
    """The request for one streamed turn.

    Args:
        card: the model that is asked.
        request: the turn that is asked for.
        ids: fresh; afterwards it has seen the conversation and names the calls of the answer.

    Raises:
        ModelRejected: a message of the conversation is not Gemini's.
    """
    body: dict[str, Any] = {
        "contents": _contents(request, ids),
        "generationConfig": {"maxOutputTokens": card.max_output_tokens, **_thinking(card)},
    }
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}], "role": "user"}
    if request.tools:
        body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in request.tools]}]
    return body


def _declaration(tool: ToolSpec) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "parametersJsonSchema": dict(tool.schema),
    }


def _thinking(card: ModelCard) -> dict[str, Any]:
    match card.thinking:
        case "level":
            config: dict[str, Any] = {"includeThoughts": True, "thinkingLevel": "HIGH"}
        case "budget":
            budget = min(MOST_THINKING_TOKENS, card.max_output_tokens // 2)
            config = {"includeThoughts": True, "thinkingBudget": budget}
        case _:
            return {}
    return {"thinkingConfig": config}


def _contents(request: TurnRequest, ids: CallIds) -> list[dict[str, Any]]:
    asked: dict[str, Mapping[str, Any]] = {}
    sent: list[dict[str, Any]] = []
    for message in request.messages:
        if isinstance(message, UserMessage):
            sent.append(_user_content(message, asked))
        else:
            _must_be_geminis(message)
            asked.update(ids.of_next(message.raw))
            sent.append(dict(message.raw))
    return sent


def _must_be_geminis(message: ModelMessage) -> None:
    if "parts" not in message.raw:
        raise ModelRejected(
            "this conversation was begun by a model of another provider",
            "Resume the run with the model that it was begun with.",
        )


def _user_content(message: UserMessage, asked: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All results of a turn, then the text, in one content."""
    parts: list[dict[str, Any]] = []
    for result in message.results:
        call = asked[result.call_id]
        # Where the API gave no id, it matches results to calls by their names and their order.
        given = {"id": call["id"]} if call.get("id") else {}
        said = {"error" if result.error else "output": result.text}
        parts.append({"functionResponse": {**given, "name": call["name"], "response": said}})
    if message.text or not parts:
        parts.append({"text": message.text})
    return {"role": "user", "parts": parts}
