"""Answers that are longer than a turn may be: asked for once more, and no third time."""

from __future__ import annotations

from core.errors import ModelBusy, ModelError, ModelRejected
from core.models.base import TurnRequest
from core.models.card import ModelCard
from core.models.faults import SMALLER_STEPS


class LongestAnswer:
    """Remembers whose answers were cut at their longest.

    The same turn can fit the second time, since no two answers are the same. Where it is cut again, asking
    on would only cost money.

    Args:
        card: the model.
    """

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        self._cut: dict[str, int] = {}
        """Length of the conversation in which an agent's turn was cut last, in messages."""

    def passed(self, request: TurnRequest) -> ModelError:
        """The error of an answer that was cut."""
        limit = f"{self._card.max_output_tokens:,} tokens"
        if self._cut.get(request.agent) == len(request.messages):
            return ModelRejected(
                f"the answers of {self._card.id} do not fit the {limit} that a turn may have", SMALLER_STEPS
            )
        self._cut[request.agent] = len(request.messages)
        return ModelBusy(f"the answer was cut at {limit}")

    def kept(self, request: TurnRequest) -> None:
        """Take note of an answer that fits."""
        self._cut.pop(request.agent, None)
