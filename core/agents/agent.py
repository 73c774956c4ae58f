"""What makes an agent: a model, its instructions and its tools."""

from __future__ import annotations

from dataclasses import dataclass

from core.agents.tools import Toolbox
from core.models.base import Model


@dataclass(frozen=True)
class Agent:
    """An agent before its first turn; from then on the journal says what it was told.

    Attributes:
        name: ``orchestrator``, ``writer`` or an experiment's id.
        model: the model.
        system: the system text; never changes.
        prompt: the first message; never changes.
        prompts_version: which edition of the prompts these are.
        toolbox: the tools.
        max_turns: turns that it may take.
    """

    name: str
    model: Model
    system: str
    prompt: str
    prompts_version: str
    toolbox: Toolbox
    max_turns: int
